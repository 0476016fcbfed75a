"""All files of an assignment's results, apart from the grader's own reports."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rnn_course.collect import WITHDRAWN
from rnn_course.course import Course
from rnn_course.release import Release, words_of
from rnn_course.report.feedback import to_html
from rnn_course.report.gradebook import to_csv, to_json_lines
from rnn_course.report.imports import for_canvas, for_gradescope, for_moodle
from rnn_course.report.page import CHAPTERS
from rnn_course.report.picture import draw_class
from rnn_course.report.similar import alike, functions_in, similar_csv, similar_html
from rnn_course.report.words import by_hand_csv, words_html
from rnn_course.store import file_of, move_stale, write
from rnn_tutorial.replacing import replacing

__all__ = ["people_of", "write_results"]

Report = dict[str, Any]


def write_results(
    out: Path,
    release: Release,
    reports: Sequence[Report],
    files: Mapping[str, bytes],
    filled: Sequence[Mapping[str, str]],
    secret: bytes,
    course: Course | None,
    anonymous: bool,
) -> None:
    """Write pages, tables, pictures and files for learning systems to `out`.

    files: the digest of each student's file. filled: the rows of by_hand.csv as it is.
    """
    title = release.title or release.name
    book = course.book if course else ""
    pages = {
        report["student"]: file_of(out / "feedback", report["student"], ".html")
        for report in reports
    }
    gone = {report["student"] for report in reports if report["problem"] == WITHDRAWN}
    there = {path.name for path in (out / "withdrawn").glob("*.html")}
    move_stale(out, {p.name for who, p in pages.items() if who not in gone or p.name in there})
    for report in reports:
        own = named(report, anonymous)
        write(pages[report["student"]], to_html(report, release, own, book))
        write(file_of(out / "results", report["student"], ".json"), for_gradescope(report))
    write(out / "gradebook.csv", to_csv(list(reports)))
    lines = [without_name(report) if anonymous else report for report in reports]
    write(out / "reports.jsonl", to_json_lines(lines))
    write_imports(out, title, reports)
    write_similar(out, release, title, reports, files)
    if release.words:
        rubrics = {name: question.rubric for name, question in words_of(release.name).items()}
        write(out / "words.html", words_html(reports, release, rubrics, secret))
        write(out / "by_hand.csv", by_hand_csv(reports, filled, secret))
    if reports:
        with replacing(out / "class.png") as file:
            draw_class(list(reports)).savefig(file, format="png", metadata={"Software": None})


def named(report: Report, anonymous: bool) -> str:
    """Return how a student is called on the own page."""
    return report["student"] if anonymous else report["person"]["name"] or report["student"]


def without_name(report: Report) -> Report:
    """Return the report without the student's name; ids and numbers stay."""
    hidden = dict.fromkeys(("name", "email", "login"), "")
    return report | {"person": report["person"] | hidden}


def people_of(reports: Sequence[Report]) -> list[dict[str, str]]:
    """Return who is on the roster, or known to a learning system, as its tables name them."""
    return [
        {"student": report["student"], **report["person"]}
        for report in reports
        if report["on_roster"] or report["person"]["canvas"] or report["person"]["participant"]
    ]


def write_imports(out: Path, title: str, reports: Sequence[Report]) -> None:
    """Write canvas.csv and moodle.csv, if there is somebody whom these systems know."""
    people = people_of(reports)
    if not people:
        return
    points = {report["student"]: report["points"] for report in reports}
    comments = {report["student"]: comment(report) for report in reports}
    column = (title, reports[0]["out_of"], points)
    write(out / "canvas.csv", for_canvas(people, [column]))
    write(out / "moodle.csv", for_moodle(people, column, comments))


def comment(report: Report) -> str:
    """Return a line on a report for the gradebook of a learning system."""
    rows = report["questions"] + [row for row in report["words"] if row["points"] is not None]
    points = ", ".join(f"{row['name']} {row['points']:g}/{row['out_of']:g}" for row in rows)
    return report["problem"] or points


def write_similar(
    out: Path,
    release: Release,
    title: str,
    reports: Sequence[Report],
    files: Mapping[str, bytes],
) -> None:
    """Write the report on answers that are the same."""
    sources = {
        report["student"]: {
            row["name"]: "\n".join(row.get("source", ())) for row in report["questions"]
        }
        for report in reports
        if not report["problem"]
    }
    found = alike(files, sources, release.solutions, functions_in(CHAPTERS))
    write(out / "similar.csv", similar_csv(found))
    write(out / "similar.html", similar_html(found, title))
