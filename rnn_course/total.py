"""The total of a course: assignments with their weights, after the rule for late work."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rnn_course.course import Course
from rnn_course.late import Kept, after_rule
from rnn_course.report.gradebook import points_of, table
from rnn_course.report.imports import Column, for_canvas, for_moodle
from rnn_course.store import write

__all__ = ["Total", "read_reports", "total_of", "totals", "write_totals"]

Report = dict[str, Any]


class Total(NamedTuple):
    """The total of one student."""

    student: str
    person: dict[str, str]
    kept: dict[str, Kept]  # of each assignment
    percent: float  # of all points, with the weights of the assignments
    notes: tuple[str, ...]


def read_reports(out: Path) -> tuple[str, dict[str, Report]]:
    """Return (assignment, {student: report}) of a folder of results.

    Raises: ValueError for a folder without results.
    """
    try:
        lines = (out / "reports.jsonl").read_text(encoding="utf-8").splitlines()
        reports = [json.loads(line) for line in lines]
        names = {report["assignment"] for report in reports}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"total: expected a folder that `grade` wrote, got {out} ({type(error).__name__})"
        ) from None
    if len(names) != 1:
        raise ValueError(
            f"total: expected the reports of one assignment in {out}, got {len(names)}"
        )
    return names.pop(), {report["student"]: report for report in reports}


def totals(course: Course, graded: Mapping[str, Mapping[str, Report]]) -> list[Total]:
    """Return the Totals of all students, by id.

    graded: {assignment: {student: report}}. Assignments of the course that are not in it do not
    count, so this is the total so far.

    Files that belong to nobody on the roster are left out.

    Raises: ValueError for an assignment that the course does not have.
    """
    if unknown := sorted(set(graded) - set(course.assignments)):
        raise ValueError(
            f"total: expected assignments of {', '.join(course.assignments)}, got {unknown[0]}"
        )
    order = [name for name in course.assignments if name in graded]
    everybody = {student for reports in graded.values() for student in reports}
    students = sorted(filter(is_person, everybody))
    return [
        total_of(student, course, {name: graded[name].get(student) for name in order})
        for student in students
    ]


def total_of(student: str, course: Course, reports: Mapping[str, Report | None]) -> Total:
    """Return the Total of a student from the reports on the assignments, in the course's order.

    percent = 100 Σ weight · points / out_of  /  Σ weight
    """
    earned = [
        (report["points"], report["days_late"] or 0) if report else (0, 0)
        for report in reports.values()
    ]
    kept = dict(zip(reports, after_rule(earned, course.late)))
    shares = [
        (course.assignments[name].weight, kept[name].points / (report["out_of"] if report else 1))
        for name, report in reports.items()
    ]
    weights = sum(weight for weight, _ in shares)
    percent = 100 * sum(weight * share for weight, share in shares) / weights if weights else 0.0
    notes = tuple(note for name, report in reports.items() for note in open_points(name, report))
    person: dict[str, str] = next((report["person"] for report in reports.values() if report), {})
    return Total(student, person, kept, round(percent, 2), notes)


def open_points(name: str, report: Report | None) -> list[str]:
    """Return what is still to be settled about the points of an assignment, in words."""
    if report is None:
        return [f"{name}: not in the gradebook."]
    found = []
    if unmarked := [row["name"] for row in report["words"] if row["points"] is None]:
        found.append(f"{name}: {', '.join(unmarked)} not marked yet.")
    if report["marked_late"] and report["days_late"] is None:
        found.append(f"{name}: late, but not known by how much; give its time with --times.")
    return found


def write_totals(
    out: Path, course: Course, graded: Mapping[str, Mapping[str, Report]]
) -> list[Total]:
    """Return the Totals, after writing total.csv, canvas.csv and moodle.csv to `out`."""
    found = totals(course, graded)
    order = [name for name in course.assignments if name in graded]
    head = ["student", "name", "email", "group", "percent"]
    for name in order:
        head += [name, f"{name}_free_days", f"{name}_late_percent"]
    rows = [
        [
            one.student,
            *(one.person.get(field, "") for field in ("name", "email", "group")),
            points_of(one.percent),
            *(cell for name in order for cell in cells(one.kept[name])),
            " ".join(one.notes),
        ]
        for one in found
    ]
    write(out / "total.csv", table([[*head, "notes"], *rows]))
    people = [{"student": one.student, **one.person} for one in found]
    columns: list[Column] = [
        (
            next(report["title"] for report in graded[name].values()),
            max(report["out_of"] for report in graded[name].values()),
            {one.student: one.kept[name].points for one in found},
        )
        for name in order
    ]
    columns.append(("Total", 100, {one.student: one.percent for one in found}))
    write(out / "canvas.csv", for_canvas(people, columns))
    write(out / "moodle.csv", for_moodle(people, columns[-1]))
    return found


def cells(kept: Kept) -> Sequence[str]:
    """Return what total.csv has on one assignment."""
    return points_of(kept.points), str(kept.free_days), points_of(kept.percent)


def is_person(student: str) -> bool:
    """Return False for a row of a file that belongs to nobody on the roster."""
    return not student.startswith("? ")
