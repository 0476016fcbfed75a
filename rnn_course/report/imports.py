"""Files that learning systems import: Canvas, Moodle and Gradescope."""

import json
from collections.abc import Sequence
from typing import Any

from rnn_course.report.gradebook import points_of, table

__all__ = ["Column", "for_canvas", "for_gradescope", "for_moodle"]

Column = tuple[str, float, dict[str, float]]
"""An assignment: its title, what it is out of, and the points of each student."""


def for_canvas(people: Sequence[dict[str, str]], columns: Sequence[Column]) -> str:
    """Return the CSV that Canvas's gradebook imports: a column for each assignment.

    Canvas finds a student by ID or SIS User ID, an assignment by its title; if the title is new,
    Canvas makes an assignment. The second row has the points possible.
    """
    head = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", *(c[0] for c in columns)]
    possible = ["    Points Possible", "", "", "", "", *(points_of(c[1]) for c in columns)]
    rows = [
        [
            person.get("name") or person["student"],
            person.get("canvas", ""),
            person.get("sis", "") or ("" if person.get("canvas") else person["student"]),
            person.get("login", ""),
            person.get("group", ""),
            *(points_of(points.get(person["student"])) for _, _, points in columns),
        ]
        for person in people
    ]
    return table([head, possible, *rows])


def for_moodle(
    people: Sequence[dict[str, str]], column: Column, comments: dict[str, str] | None = None
) -> str:
    """Return the CSV that a Moodle assignment takes as its grading worksheet.

    Moodle finds a submission by Identifier ("Participant 4711", from the download or the roster);
    its gradebook import finds a student by Email address or ID number.
    """
    _, out_of, points = column
    head = ["Identifier", "Full name", "ID number", "Email address", "Grade", "Maximum Grade"]
    rows = [
        [
            f"Participant {person['participant']}" if person.get("participant") else "",
            person.get("name") or person["student"],
            person["student"],
            person.get("email", ""),
            points_of(points.get(person["student"])),
            points_of(out_of),
            (comments or {}).get(person["student"], ""),
        ]
        for person in people
    ]
    return table([[*head, "Feedback comments"], *rows])


def for_gradescope(report: dict[str, Any]) -> str:
    """Return Gradescope's results.json of one submission: a test for each question."""
    tests = [
        {
            "name": row["name"],
            "score": row["points"],
            "max_score": row["out_of"],
            "status": "passed" if row["points"] == row["out_of"] else "failed",
            "output": "\n".join(dict.fromkeys(f["hint"] for f in row["findings"])),
        }
        for row in report["questions"]
    ]
    tests += [
        {"name": row["name"], "score": row["points"], "max_score": row["out_of"], "output": ""}
        for row in report["words"]
        if row["points"] is not None
    ]
    results = {
        "score": report["points"],
        "output": report["problem"] or "",
        "visibility": "visible",
        "tests": tests,
    }
    return json.dumps(results, indent=1) + "\n"
