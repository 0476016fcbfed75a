"""The row of a report: one question, what it earned, and why.

First it is judged what an answer earns. Why it does not earn more is looked for in the row that is
kept, and in no other: the search for two mistakes at once can take seconds.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from rnn_course.grading.asking import Result
from rnn_course.grading.errors import NOT_THERE, line_in
from rnn_course.judge.diagnose import Finding, diagnose
from rnn_course.judge.judge import Answer, Exam, Verdict, judge

__all__ = ["NO_VERDICT", "Judged", "Row", "better", "grade_question", "judged", "row_of"]

Row: TypeAlias = dict[str, Any]
"""The report on one question."""

NO_VERDICT = ("missing", "stopped", NOT_THERE)  # causes which are no mistake in the answer
RAISES = "raises an exception"


class Judged(NamedTuple):
    """A question with what came of it, and what that earns."""

    exam: Exam
    out_of: float
    result: Result
    verdict: Verdict

    @property
    def points(self) -> float:
        """The points that it earns."""
        return 0.0 if self.result.stopped else round(self.verdict.credit * self.out_of, 2)

    @property
    def full(self) -> bool:
        """True if it earns all its points."""
        return self.points >= self.out_of

    @property
    def status(self) -> str:
        """What became of the question, in a word or two."""
        stopped, answers = self.result.stopped, self.result.answers
        if stopped is not None:
            return "missing" if stopped.cause == "missing" else "stopped"
        if is_unanswered(answers):
            return "unanswered"
        credit = self.verdict.credit
        return "right" if credit == 1 else "partly right" if credit else "wrong"

    @property
    def raised(self) -> bool:
        """True if a call raised an exception."""
        return any(answer.error is not None for answer in self.result.answers)


def judged(exam: Exam, out_of: float, result: Result) -> Judged:
    """Return the Judged of a question."""
    with np.errstate(all="ignore"):  # numbers of any size may have come back
        return Judged(exam, out_of, result, judge(exam, result.answers))


def row_of(one: Judged, cells: Mapping[int, str]) -> Row:
    """Return the row of a question, with the student's own line where an exception was raised."""
    row: Row = {
        "name": one.exam.question.name,
        "points": one.points,
        "out_of": one.out_of,
        "status": one.status,
    }
    score = one.verdict.score
    row |= {} if score is None else {"score": round(score, 6)}
    row |= {
        "parts": [{"name": part.name, "credit": part.credit} for part in one.verdict.parts],
        "findings": [finding._asdict() for finding in findings_of(one)],
    }
    error = next((answer.error for answer in one.result.answers if answer.error), None)
    text = line_in(cells, error["cell"], error["line"]) if error else ""
    for finding in row["findings"] if text else ():
        if finding["cause"] == RAISES:
            finding["where"] += f": {text}"
    return row


def findings_of(one: Judged) -> list[Finding]:
    """Return the Findings on what came of a question."""
    if one.result.stopped is not None:
        return [one.result.stopped]
    if one.status == "unanswered":
        return [Finding((), "unanswered", "This question has no answer yet.", "")]
    with np.errstate(all="ignore"):
        return diagnose(one.exam, one.verdict, one.result.answers)


def grade_question(
    exam: Exam, out_of: float, answers: list[Answer], stopped: Finding | None = None
) -> Row:
    """Return the row of the report on one question.

    stopped: why there is nothing to judge.
    """
    return row_of(judged(exam, out_of, Result(answers, stopped)), {})


def is_unanswered(answers: list[Answer]) -> bool:
    """Return True if every call raised NotImplementedError, as the empty answer does."""
    return bool(answers) and all(
        answer.error is not None and answer.error["type"] == "NotImplementedError"
        for answer in answers
    )


def better(first: Judged, second: Judged) -> bool:
    """Return True if the second is better than the first: in points, or in what can be said."""
    nothing = ("missing", "stopped")
    says_more = first.status in nothing and second.status not in nothing
    gained = second.points - first.points
    return gained > 0 or (gained == 0 and says_more)
