"""What the lecturer reads: grades as CSV, and all reports as JSON lines."""

import csv
import io
import json
from collections.abc import Iterable
from typing import Any

from rnn_course.report.page import number
from rnn_course.text import plain

__all__ = ["in_words", "points_of", "table", "to_csv", "to_json_lines"]

PERSON = ("name", "email", "group")


def table(rows: Iterable[Iterable[object]]) -> str:
    """Return rows as CSV, each cell on one line, and none a formula.

    Everything is quoted: some programs divide cells at ";", which a name may contain.
    """
    lines = io.StringIO()
    write = csv.writer(lines, lineterminator="\n", quoting=csv.QUOTE_ALL).writerow
    for row in rows:
        write([plain(str(cell)) for cell in row])
    return lines.getvalue()


def points_of(value: float | None) -> str:
    """Return points for a table, empty if nobody has given any yet."""
    return "" if value is None else number(value)


def in_words(report: dict[str, Any]) -> str:
    """Return what is to be known of a row: the choice of the file, and points given by hand."""
    given = [
        f"{one['question'] or 'all points'} by {one['who']}: {one['points']:g}"
        + (f" ({one['why']})" if one["why"] else "")
        for one in report["by_hand"]
    ]
    return " ".join([*report["file_notes"], *([f"By hand: {'; '.join(given)}."] if given else [])])


def to_csv(reports: list[dict[str, Any]]) -> str:
    """Return the gradebook: a row for each student, by id.

    Its columns are who it is, the points in total and for each question, how late it came, the
    problem if there was one, and notes.
    """
    questions = reports[0]["questions"] + reports[0]["words"] if reports else []
    names = [row["name"] for row in questions]
    head = ["student", *PERSON, "assignment", "points", "out_of", *names]
    rows = [
        [
            report["student"],
            *(report["person"].get(field, "") for field in PERSON),
            report["assignment"],
            points_of(report["points"]),
            points_of(report["out_of"]),
            *(points_of(row["points"]) for row in report["questions"] + report["words"]),
            lateness(report),
            report["problem"] or "",
            in_words(report),
        ]
        for report in reports
    ]
    return table([[*head, "days_late", "problem", "notes"], *rows])


def lateness(report: dict[str, Any]) -> str:
    """Return the days that a submission came late, or "late" if the number is not known."""
    if report["days_late"] is not None:
        return str(report["days_late"])
    return "late" if report["marked_late"] else ""


def to_json_lines(reports: list[dict[str, Any]]) -> str:
    """Return the reports, one on each line, in ASCII: no character in them ends a line."""
    return "".join(json.dumps(report) + "\n" for report in reports)
