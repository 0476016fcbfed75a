"""What a student gets back: one page on the submission."""

from functools import partial
from typing import Any

from rnn_course.release import Release
from rnn_course.report.page import heading, linked, page, texts_of

__all__ = ["to_html"]

COLOURS = {"right": "right", "partly right": "partly"}
NO_ANSWER = ("stopped", "missing", "unanswered")


def to_html(report: dict[str, Any], release: Release, name: str, book: str = "") -> str:
    """Return the page of a report: the same text for the same report.

    name: of the student, or what is shown for it.
    book: the address of the book's site, "" if there is none.
    """
    return page(
        "feedback.html",
        title=release.title or release.name,
        report=report,
        name=name,
        titles={
            question: heading(release.texts.get(question, ""), question)
            for question in (*release.points, *release.words)
        },
        texts={question: "" for question in release.points} | texts_of(release.texts, book),
        open=sum(row["out_of"] for row in report["words"] if row["points"] is None),
        colour=lambda status: COLOURS.get(status, "other"),
        shown=partial(shown, problem=report["problem"]),
        right=right,
        merged=merged,
        numbered=numbered,
        linked=partial(linked, book=book),
    )


def shown(row: dict[str, Any], problem: str | None) -> bool:
    """Return True if the page says more about a question than its points.

    It does so if points were lost or given by hand. If nothing was graded, the problem of the
    report is all that there is to say of any question, and it stands above them.
    """
    lost = row["status"] != "right" and [one["hint"] for one in row["findings"]] != [problem]
    return lost or "who" in row


def right(row: dict[str, Any]) -> list[str]:
    """Return the names of the outputs that are right, of an answer that ran."""
    names = [part["name"] for part in row["parts"] if part["credit"] == 1]
    return [] if row["status"] in NO_ANSWER else names


def merged(findings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the findings, those with one cause and one hint as one: nothing is said twice."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for one in findings:
        key = one["cause"], one["hint"]
        row = found.setdefault(key, one | {"outputs": [], "where": []})
        row["outputs"] += [name for name in one["outputs"] if name not in row["outputs"]]
        if one["where"] and one["where"] not in row["where"]:
            row["where"].append(one["where"])
    return list(found.values())


def numbered(lines: list[str]) -> str:
    """Return lines with their numbers, as an editor shows them."""
    width = len(str(len(lines)))
    return "\n".join(f"{number:>{width}}  {line}" for number, line in enumerate(lines, 1))
