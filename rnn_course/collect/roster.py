"""The roster: who takes the course. A claim is compared with it; nothing is guessed."""

import csv
import re
import unicodedata
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from rnn_course.collect.claim import Claim
from rnn_course.text import one_line

__all__ = ["Student", "extension_of", "read_roster", "read_table", "who"]

# The columns of a roster of your own, and what Canvas and Moodle call them in theirs.
COLUMNS = {
    "id": ("id", "ID", "ID number"),
    "name": ("name", "Student", "Full name"),
    "email": ("email", "Email address", "Email"),
    "login": ("login", "SIS Login ID", "Username"),
    "group": ("group", "Section", "Group"),
    "extension": ("extension",),
    "sis": ("sis", "SIS User ID"),
    "participant": ("participant", "Identifier"),
}


class Student(NamedTuple):
    """A row of the roster."""

    id: str
    name: str = ""
    email: str = ""
    login: str = ""
    group: str = ""
    extension: str = ""  # "3": days for every assignment; "01=3 05=7": for these
    sis: str = ""  # Canvas: SIS User ID
    canvas: str = ""  # Canvas: the number of the user, if the roster is Canvas's gradebook
    participant: str = ""  # Moodle: the number in "Participant 4711"


def read_table(path: Path, what: str, needed: Iterable[str] = ()) -> list[dict[str, str]]:
    """Return the rows of a CSV file, each {column: text}. Excel's mark at its start is skipped.

    Raises: ValueError if there is no such file, or a column that is needed is missing.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(
            f"{what}: expected a CSV file in UTF-8, cannot read {path} ({error})"
        ) from None
    first = text.partition("\n")[0]
    reader = csv.DictReader(
        text.splitlines(keepends=True),
        delimiter=";" if first.count(";") > first.count(",") else ",",
    )
    rows = [
        {(key or "").strip(): (value or "").strip() for key, value in row.items() if key}
        for row in reader
    ]
    columns = [column.strip() for column in reader.fieldnames or []]
    if missing := [column for column in needed if column not in columns]:
        raise ValueError(f"{what}: expected the columns {', '.join(missing)}, {path} has {columns}")
    return rows


def read_roster(path: Path) -> list[Student]:
    """Return the Students of a roster, by id.

    It is a CSV file with the columns id, name, email, group, extension (only id is needed; login is
    read too), the gradebook that Canvas exports, or the grading worksheet of Moodle.

    Raises: ValueError for a file without ids, and if two students have one id.
    """
    rows = read_table(path, "roster")
    students = []
    for row in rows:
        cells = {
            field: next((one_line(row[name]) for name in names if row.get(name)), "")
            for field, names in COLUMNS.items()
        }
        if "points possible" in cells["name"].lower() or cells["name"] == "Student, Test":
            continue  # rows of Canvas
        cells["canvas"] = row.get("ID", "") if "Student" in row else ""
        cells["participant"] = re.sub(r"\D", "", cells["participant"])
        cells["id"] = cells["id"] or cells["participant"]
        if any(cells.values()):
            extension_of(Student(**cells), "")
            students.append(Student(**cells))
    if not students or not all(student.id for student in students):
        raise ValueError(f"roster: expected an id for each student, {path} has a row without one")
    ids = [student.id for student in students]
    if twice := sorted({one for one in ids if ids.count(one) > 1}):
        raise ValueError(f"roster: expected each id once, {path} has {', '.join(twice)} twice")
    return sorted(students, key=lambda student: student.id)


def extension_of(student: Student, assignment: str) -> float:
    """Return the days that a student has more for an assignment.

    Raises: ValueError for an extension that is not written "3" or "01=3 05=7".
    """
    days = 0.0
    for word in student.extension.replace(",", " ").replace(";", " ").split():
        number, equals, text = word.rpartition("=")
        try:
            amount = float(text)
        except ValueError:
            raise ValueError(
                f'roster: expected an extension such as 3, or 01=3 05=7, got "{student.extension}" '
                f"for {student.id}"
            ) from None
        if not equals or assignment.startswith(number.zfill(2)):
            days = amount
    return days


def who(claim: Claim, roster: list[Student]) -> tuple[Student | None, str]:
    """Return (student, "") if a claim fits exactly one student, else (None, the reason in words).

    What a learning system gives counts first: its number of the user or the participant. Then the
    name is compared with ids, logins, e-mail addresses and names, letter by letter; only capitals,
    blanks and the order of first and last name do not matter.
    """
    for value, field in ((claim.participant, "participant"), (claim.id, "id")):
        found = [s for s in roster if value and getattr(s, field) == value]
        if len(found) == 1:
            return found[0], ""
    plain = claim.id or claim.participant  # the system gave the name of a person, not a login
    found = [s for s in roster if same(claim.name, s, names_of if plain else keys_of)]
    if len(found) == 1:
        return found[0], ""
    if not found:
        return None, "Nobody on the roster has this name."
    ids = ", ".join(student.id for student in found)
    return None, f"This name fits {len(found)} students on the roster ({ids}); rename the file."


def same(name: str, student: Student, keys: Callable[[Student], set[str]]) -> bool:
    """Return True if a name is one of the student's."""
    return bool(name) and letters(name) in keys(student)


def keys_of(student: Student) -> set[str]:
    """Return all that a student may call a file: id, login, e-mail address, name."""
    login = student.login or student.email.partition("@")[0]
    given = (student.id, login, student.email)
    return names_of(student) | {letters(key) for key in given if key}


def names_of(student: Student) -> set[str]:
    """Return the ways to write a student's name: "adalovelace", "lovelaceada"."""
    last, comma, first = student.name.partition(",")
    words = f"{first} {last}".split() if comma else student.name.split()
    turns = {" ".join(words[k:] + words[:k]) for k in range(len(words))}
    return {letters(turn) for turn in turns if turn}


def letters(text: str) -> str:
    """Return text for comparing: without blanks and punctuation, in small letters."""
    text = unicodedata.normalize("NFKC", text).casefold()
    return "".join(c for c in text if c.isalnum() or c in "@+")
