"""Points that are given by hand: corrections, and answers in words.

They stand in tables of the lecturer's, which the grader reads and never changes, so a new run keeps
them. Each names who gave the points, and why.
"""

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from rnn_course.collect.roster import read_table
from rnn_course.text import one_line

__all__ = ["Override", "apply", "checked", "overrides_of", "read_overrides"]

STUB = "Your answer:"  # what the cell of a question in words begins with
COLUMNS = ("id", "assignment", "question", "points", "who", "why")


class Override(NamedTuple):
    """Points given by hand."""

    id: str  # of the student
    question: str  # "" for all points of the assignment together
    points: float
    who: str
    why: str


def read_overrides(path: Path, assignment: str) -> list[Override]:
    """Return the Overrides for an assignment in a CSV file.

    Raises: ValueError for a file without the columns; see `overrides_of`.
    """
    return overrides_of(read_table(path, "overrides", COLUMNS), assignment, str(path))


def overrides_of(rows: Iterable[Mapping[str, str]], assignment: str, where: str) -> list[Override]:
    """Return the Overrides for an assignment in the rows of a table. Rows without points are empty.

    Raises: ValueError for points that are no number of 0 or more, and for a row that does not say
    who gave the points.
    """
    found = []
    for row in rows:
        if not row["points"] or row["assignment"] != assignment:
            continue
        about = f"{where}: {row['id']}, {row['question'] or 'all points'}"
        try:
            points = float(row["points"].replace(",", "."))
        except ValueError:
            points = math.nan
        if not 0 <= points < math.inf:
            raise ValueError(f'{about}: expected points of 0 or more, got "{row["points"]}"')
        if not row["who"]:
            raise ValueError(f"{about}: expected in `who` who gave the points, it is empty")
        texts = (one_line(row[name]) for name in ("who", "why"))
        found.append(Override(one_line(row["id"]), row["question"], points, *texts))
    return found


def checked(
    overrides: Iterable[Override], students: Iterable[str], out_of: Mapping[str, float]
) -> dict[str, dict[str, Override]]:
    """Return {student: {question: Override}}.

    out_of: the points of each question.

    Raises: ValueError for a student or a question that is not there, for more points than there
    are, and if two rows are about the same points.
    """
    limits = {**out_of, "": sum(out_of.values())}
    found: dict[str, dict[str, Override]] = {student: {} for student in students}
    for one in overrides:
        if one.id not in found:
            raise ValueError(f'overrides: there is no student "{one.id}"')
        if one.question not in limits:
            raise ValueError(
                f'overrides: expected one of {", ".join(out_of)}, got "{one.question}" for {one.id}'
            )
        if one.points > limits[one.question]:
            raise ValueError(
                f"overrides: expected at most {limits[one.question]:g} points for "
                f"{one.question or 'the assignment'}, got {one.points:g} for {one.id}"
            )
        if one.question in found[one.id]:
            raise ValueError(f"overrides: {one.id} has two rows for {one.question or 'all points'}")
        found[one.id][one.question] = one
    return found


def apply(
    report: dict[str, Any], words: Mapping[str, float], given: Mapping[str, Override]
) -> dict[str, Any]:
    """Return the report with the points given by hand in it.

    words: the points of each question in words. Each has a row in `words`; its points are None
    until somebody gives them, and 0 if there is no answer.
    """
    texts = {row["name"]: answer_of(row["text"]) for row in report.get("words", [])}
    asked = [
        {
            "name": name,
            "text": texts.get(name, ""),
            "points": None if texts.get(name) else 0,
            "out_of": out_of,
        }
        for name, out_of in words.items()
    ]
    questions = [with_override(row, given) for row in report["questions"]]
    asked = [with_override(row, given) for row in asked]
    rows = [*questions, *asked]
    points = round(sum(row["points"] or 0 for row in rows), 2)
    total = given.get("")
    return report | {
        "questions": questions,
        "words": asked,
        "points": total.points if total else points,
        "out_of": sum(row["out_of"] for row in rows),
        "by_hand": [one._asdict() for _, one in sorted(given.items())],
    }


def answer_of(text: str) -> str:
    """Return the answer in the cell of a question in words, "" if it is as students get it."""
    answer = text.strip().removeprefix(STUB).strip()
    return "" if answer == "…" else answer


def with_override(row: dict[str, Any], given: Mapping[str, Override]) -> dict[str, Any]:
    """Return the row of a question with the points that were given by hand, if there are any."""
    one = given.get(row["name"])
    return row | {"points": one.points, "who": one.who, "why": one.why} if one else row
