"""What a lecturer decides: points, dates, hours, weights and the rule for late work.

All of it is in one file, `assignments/course.toml`. The notebooks, the syllabus and the grades are
made from it.
"""

import tomllib
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple

__all__ = [
    "Assignment",
    "Course",
    "Late",
    "load_course",
]


class Late(NamedTuple):
    """The rule for late work. A day that has begun counts as a day."""

    free_days: int  # that a student may be late over the whole course without losing points
    percent_per_day: float  # of the points earned, for each late day beyond them
    last_day: int  # what is later than this number of days after the due date earns nothing


class Assignment(NamedTuple):
    """An assignment of the course."""

    name: str  # "01_vanilla"
    after: str  # the number of the chapter after which it is given: "03"
    hours: float  # that it takes a student
    given: date
    due: datetime  # with a time zone
    weight: float  # of its share of points in the total of the course
    points: dict[str, float]  # of each function, in the order of the notebook
    words: dict[str, float]  # of each question in words, graded by hand

    @property
    def out_of(self) -> float:
        """The points of all questions, functions and words."""
        return sum(self.points.values()) + sum(self.words.values())


class Course(NamedTuple):
    """A course."""

    title: str
    book: str  # the address of the book's site, without a slash at the end; "" if there is none
    late: Late
    assignments: dict[str, Assignment]  # by name, in the order of their numbers


def load_course(path: str | Path) -> Course:
    """Return the Course in a file course.toml.

    Raises: ValueError that names the file and the key, for a file that cannot be read, a key that
    is missing or unknown, and a value that is not what the key needs.

    Example:
    >>> load_course("assignments/course.toml").assignments["01_vanilla"].hours
    4
    """
    path = Path(path)
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        return course(table)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"{path}: cannot be read as a course.toml: {error}") from None
    except WrongValue as error:
        raise ValueError(f"{path}: {error}") from None


class WrongValue(ValueError):
    """A value of the table that cannot be used; the message begins with its key."""


def course(table: dict[str, Any]) -> Course:
    """Return the Course of a table."""
    names = sorted(name for name in table if name[:1].isdigit())
    no_others(table, "", ("title", "book", "late", *names))
    if not names:
        raise WrongValue('no assignment: expected a table like ["01_vanilla"]')
    return Course(
        value(table, "", "title", is_text, "a text"),
        value({"book": ""} | table, "", "book", is_address, "an address, https://…").rstrip("/"),
        late(value(table, "", "late", is_table, "a table")),
        {name: assignment(name, value(table, "", name, is_table, "a table")) for name in names},
    )


def late(table: dict[str, Any]) -> Late:
    """Return the rule for late work of the table [late]."""
    no_others(table, "late.", Late._fields)
    return Late(
        value(table, "late.", "free_days", is_whole, "a whole number, 0 or more"),
        value(table, "late.", "percent_per_day", is_percent, "a number from 0 to 100"),
        value(table, "late.", "last_day", is_whole, "a whole number, 0 or more"),
    )


def assignment(name: str, table: dict[str, Any]) -> Assignment:
    """Return the Assignment of its table."""
    where = f"{name}."
    table = {"words": {}} | table
    no_others(table, where, Assignment._fields[1:])
    found = Assignment(
        name,
        value(table, where, "after", is_chapter, 'the number of a chapter, such as "03"'),
        value(table, where, "hours", is_positive, "a positive number"),
        value(table, where, "given", is_day, "a date, such as 2026-10-01"),
        value(
            table,
            where,
            "due",
            is_moment,
            "a time with its zone, such as 2026-10-01T23:59:00+02:00",
        ),
        value(table, where, "weight", is_number, "a number, 0 or more"),
        points(value(table, where, "points", is_table, "a table"), f"{where}points."),
        points(value(table, where, "words", is_table, "a table"), f"{where}words."),
    )
    if found.due.date() < found.given:
        raise WrongValue(f"{where}due: expected a time after {found.given}, got {found.due}")
    if found.out_of == 0:
        raise WrongValue(f"{where}points: expected a question that is worth something")
    return found


def points(table: dict[str, Any], where: str) -> dict[str, float]:
    """Return the points of a table {question: points}."""
    return {name: value(table, where, name, is_number, "a number, 0 or more") for name in table}


def value(
    table: dict[str, Any], where: str, key: str, fits: Callable[[Any], bool], expected: str
) -> Any:
    """Return table[key].

    Raises: WrongValue unless it is there and `fits`.
    """
    if key not in table:
        raise WrongValue(f"{where}{key} is missing, expected {expected}")
    if not fits(table[key]):
        raise WrongValue(f"{where}{key}: expected {expected}, got {table[key]!r}")
    return table[key]


def no_others(table: dict[str, Any], where: str, keys: tuple[str, ...]) -> None:
    """Raise WrongValue if the table has another key."""
    for key in table:
        if key not in keys:
            raise WrongValue(f"{where}{key}: not a key; expected one of {', '.join(keys)}")


def is_table(x: object) -> bool:
    """Return True for a table."""
    return isinstance(x, dict)


def is_text(x: object) -> bool:
    """Return True for a text that is not empty."""
    return isinstance(x, str) and bool(x.strip())


def is_address(x: object) -> bool:
    """Return True for "" and the address of a site."""
    return isinstance(x, str) and (x == "" or x.startswith(("https://", "http://")))


def is_chapter(x: object) -> bool:
    """Return True for two digits."""
    return isinstance(x, str) and len(x) == 2 and x.isdigit()


def is_number(x: object) -> bool:
    """Return True for a finite number that is not negative."""
    return isinstance(x, (int, float)) and not isinstance(x, bool) and 0 <= x < float("inf")


def is_positive(x: object) -> bool:
    """Return True for a finite positive number."""
    return is_number(x) and x != 0


def is_percent(x: object) -> bool:
    """Return True for a number from 0 to 100."""
    return is_number(x) and float(x) <= 100  # type: ignore[arg-type]


def is_whole(x: object) -> bool:
    """Return True for a whole number that is not negative."""
    return isinstance(x, int) and is_number(x)


def is_day(x: object) -> bool:
    """Return True for a date without a time."""
    return isinstance(x, date) and not isinstance(x, datetime)


def is_moment(x: object) -> bool:
    """Return True for a date and time with a time zone."""
    return isinstance(x, datetime) and x.tzinfo is not None
