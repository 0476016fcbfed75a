"""The row of a report: one question, what it earned, and why."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np

from rnn_course.grading.asking import Result
from rnn_course.grading.errors import NOT_THERE, line_in
from rnn_course.judge.diagnose import Finding, diagnose
from rnn_course.judge.judge import Answer, Exam, judge

__all__ = ["NO_VERDICT", "Row", "better", "grade_question", "row_of"]

Row: TypeAlias = dict[str, Any]
"""The report on one question."""

NO_VERDICT = ("missing", "stopped", NOT_THERE)  # causes which are no mistake in the answer
RAISES = "raises an exception"


def row_of(exam: Exam, out_of: float, result: Result, cells: Mapping[int, str]) -> Row:
    """Return the row of a question, with the student's own line where an exception was raised."""
    row = grade_question(exam, out_of, result.answers, result.stopped)
    error = next((answer.error for answer in result.answers if answer.error), None)
    text = line_in(cells, error["cell"], error["line"]) if error else ""
    for finding in row["findings"] if text else ():
        if finding["cause"] == RAISES:
            finding["where"] += f": {text}"
    return row


def grade_question(
    exam: Exam, out_of: float, answers: list[Answer], stopped: Finding | None = None
) -> Row:
    """Return the row of the report on one question.

    stopped: why there is nothing to judge.
    """
    with np.errstate(all="ignore"):  # numbers of any size may have come back
        verdict = judge(exam, answers)
        explained = [] if stopped else diagnose(exam, verdict, answers)
    if stopped is not None:
        verdict = verdict._replace(credit=0.0)
        status, findings = "missing" if stopped.cause == "missing" else "stopped", [stopped]
    elif is_unanswered(answers):
        hint = "This question has no answer yet."
        status, findings = "unanswered", [Finding((), "unanswered", hint, "")]
    else:
        status = "right" if verdict.credit == 1 else "partly right" if verdict.credit else "wrong"
        findings = explained
    row: Row = {
        "name": exam.question.name,
        "points": round(verdict.credit * out_of, 2),
        "out_of": out_of,
        "status": status,
    }
    row |= {} if verdict.score is None else {"score": round(verdict.score, 6)}
    return row | {
        "parts": [{"name": part.name, "credit": part.credit} for part in verdict.parts],
        "findings": [finding._asdict() for finding in findings],
    }


def is_unanswered(answers: list[Answer]) -> bool:
    """Return True if every call raised NotImplementedError, as the empty answer does."""
    return bool(answers) and all(
        answer.error is not None and answer.error["type"] == "NotImplementedError"
        for answer in answers
    )


def better(first: Row, second: Row | None) -> bool:
    """Return True if the second row is better than the first: in points, or in what it says."""
    if second is None:
        return False
    says_more = first["status"] in ("missing", "stopped") and second["status"] not in (
        "missing",
        "stopped",
    )
    gained: float = second["points"] - first["points"]
    return gained > 0 or (gained == 0 and says_more)
