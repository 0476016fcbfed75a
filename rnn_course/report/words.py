"""Answers in words: a page to read them on without names, and a table for their points."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rnn_course.release import Release
from rnn_course.report.gradebook import table
from rnn_course.report.page import heading, html_of, page
from rnn_course.text import plain

__all__ = ["COLUMNS", "by_hand_csv", "number_of", "with_ids", "words_html"]

COLUMNS = ("number", "assignment", "question", "points", "who", "why", "out_of", "note", "answer")


def number_of(student: str, assignment: str, secret: bytes) -> str:
    """Return the number of a student on the page: the same in each run, and no way back."""
    text = b"\0".join((secret, assignment.encode(), student.encode("utf-8", "backslashreplace")))
    return hashlib.sha256(text).hexdigest()[:6]


def words_html(
    reports: Sequence[dict[str, Any]],
    release: Release,
    rubrics: Mapping[str, Sequence[str]],
    secret: bytes,
) -> str:
    """Return the page: question by question, the answers next to each other, without names."""
    return page(
        "words.html",
        title=release.title or release.name,
        width="70rem",
        questions=[
            {
                "name": name,
                "title": heading(release.texts.get(name, ""), name),
                "text": html_of(release.texts.get(name, ""), ""),
                "out_of": out_of,
                "rubric": rubrics.get(name, ()),
                "answers": answers(reports, name, secret),
            }
            for name, out_of in release.words.items()
        ],
    )


def answers(reports: Sequence[dict[str, Any]], name: str, secret: bytes) -> list[dict[str, Any]]:
    """Return the answers to a question, equal ones together, in the order of their numbers."""
    groups: dict[tuple[str, float | None], list[str]] = {}
    for report in reports:
        for row in report["words"]:
            if row["name"] == name and row["text"]:
                number = number_of(report["student"], report["assignment"], secret)
                groups.setdefault((row["text"], row["points"]), []).append(number)
    found = [
        {"text": text, "points": points, "numbers": ", ".join(sorted(numbers))}
        for (text, points), numbers in groups.items()
    ]
    return sorted(found, key=lambda answer: answer["numbers"])


def by_hand_csv(
    reports: Sequence[dict[str, Any]], filled: Iterable[Mapping[str, str]], secret: bytes
) -> str:
    """Return the table for points: a row for each answer in words, in the order of the page.

    filled: the rows of the table as it is now. What the lecturer wrote there is kept; if the answer
    has changed since, the column `note` says so.
    """
    before = {(row["number"], row["question"]): row for row in filled}
    rows = []
    for report in reports:
        number = number_of(report["student"], report["assignment"], secret)
        for row in report["words"]:
            old = before.pop((number, row["name"]), {})
            if not row["text"] and not old.get("points"):
                continue
            answer = plain(row["text"][:1000])
            changed = old.get("points") and old.get("answer", "") != answer
            given = [old.get(name, "") for name in ("points", "who", "why")]
            about = [f"{row['out_of']:g}", CHANGED if changed else "", answer]
            rows.append([number, report["assignment"], row["name"], *given, *about])
    kept = [[row.get(name, "") for name in COLUMNS] for row in before.values() if row["points"]]
    return table([COLUMNS, *sorted(rows, key=lambda row: (row[2], row[0])), *kept])


CHANGED = "The answer has changed since it was marked: read it again."


def with_ids(
    filled: Iterable[Mapping[str, str]], students: Iterable[str], assignment: str, secret: bytes
) -> list[dict[str, str]]:
    """Return the rows of the table with the students' ids in the place of their numbers.

    Rows of students who are not in this class any more are left out.
    """
    ids = {number_of(student, assignment, secret): student for student in students}
    return [{**row, "id": ids[row["number"]]} for row in filled if row["number"] in ids]
