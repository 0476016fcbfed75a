"""The functions that an assignment's cells call: the student's self-check, nbgrader's hidden test.

Both call the student's function in this same process, so they do not protect against cheating. The
grader, `python -m rnn_course`, asks the same questions in a separate process.
"""

from types import FunctionType
from typing import Any

from rnn_course.grading import HIDDEN_SEED, exams_of, grade_question
from rnn_course.judge.diagnose import Finding, diagnose
from rnn_course.judge.judge import Answer, Exam, Verdict, judge
from rnn_course.judge.scoring import in_percent
from rnn_course.sandbox.inside.calls import call_on_cases, fresh

__all__ = [
    "NotRight",
    "Unanswered",
    "VISIBLE_SEED",
    "answers_of",
    "call_once",
    "check",
    "exam_of",
    "hidden_test",
    "how_right",
    "in_words",
]

VISIBLE_SEED = 0


class _WithoutTraceback(Exception):
    """An exception that a notebook shows as its message alone, without a traceback."""

    def _render_traceback_(self) -> list[str]:
        return str(self).split("\n")


class Unanswered(_WithoutTraceback, NotImplementedError):
    """The question has no answer yet."""


class NotRight(_WithoutTraceback, AssertionError):
    """The answer is not right; the message says where, and which mistake gives the same numbers."""


def check(assignment: str, function: FunctionType) -> None:
    """Print that `function` is right, or raise an exception whose message says where it is wrong.

    assignment: its name, such as "01_vanilla". The function has the name of its question. An
    exception that the function raises is passed on as it is.

    Raises: Unanswered for a function that is not written yet; NotRight for one that is wrong;
    ValueError for one that is not a question of the assignment.

    Example:
        check("01_vanilla", rnn_step)
    """
    exam = exam_of(assignment, function, VISIBLE_SEED)
    call_once(exam, function)
    answers = answers_of(exam, function)
    verdict = judge(exam, answers)
    if verdict.credit == 1:
        print(f"{function.__name__}: right ✓   {how_right(exam, verdict)}")
        return
    right = [part.name for part in verdict.parts if part.credit == 1]
    so_far = (
        "not there yet ✗"
        if exam.question.scoring
        else f"not right yet ✗   right so far: {', '.join(right) or 'nothing'}"
    )
    lines = [f"{function.__name__}: {so_far}"]
    raise NotRight(
        "\n".join(lines + [in_words(finding) for finding in diagnose(exam, verdict, answers)])
    )


def how_right(exam: Exam, verdict: Verdict) -> str:
    """Return in words how close a right answer is, or the score that it reaches."""
    if exam.question.scoring and verdict.score is not None:
        return f"{in_percent(verdict.score)} {exam.question.scoring.unit}"
    worst = max(part.error for part in verdict.parts)
    return f"{len(exam.cases)} cases, largest relative error {worst:.0e}"


def hidden_test(assignment: str, function: FunctionType, points: float) -> float:
    """Return the points that `function` earns on the hidden cases, from 0 to `points`.

    If it does not earn all of them, the reasons are printed.

    Raises: ValueError for a function that is not a question of the assignment.
    """
    exam = exam_of(assignment, function, HIDDEN_SEED)
    row = grade_question(exam, points, answers_of(exam, function), None)
    print(f"{function.__name__}: {row['status']}, {row['points']:g} of {points:g} points")
    for finding in row["findings"]:
        print(in_words(finding))
    return row["points"]


def exam_of(assignment: str, function: FunctionType, seed: int) -> Exam:
    """Return the Exam of the question that `function` answers.

    Raises: ValueError for a function that is not a question of the assignment.
    """
    exams = exams_of(assignment, seed)
    name = getattr(function, "__name__", repr(function))
    if name not in exams:
        raise ValueError(f"function: expected one of {', '.join(exams)}, got {name}")
    return exams[name]


def call_once(exam: Exam, function: FunctionType) -> None:
    """Call the function on one case, so that an exception in it is seen as it is.

    Raises: Unanswered instead of NotImplementedError; any other exception of the function.
    """
    try:
        function(*fresh(exam.cases[0], function.__globals__))
    except NotImplementedError:
        name = function.__name__
        raise Unanswered(
            f"{name}: not answered yet. Write your {name} above, run its cell, "
            "then run this one again."
        ) from None


def answers_of(exam: Exam, function: FunctionType) -> list[Answer]:
    """Return the Answers of the function to the cases."""
    own = function.__code__.co_filename
    answers = []
    for event, tree in call_on_cases(function, exam.cases, function.__globals__, own):
        outputs, arguments = tree or (None, None)
        error, born = event.get("error"), event.get("born")
        answers.append(Answer(event["case"], event["turn"], outputs, arguments, error, born))
    return answers


def in_words(finding: Finding | dict[str, Any]) -> str:
    """Return one line on a Finding."""
    outputs, cause, hint, where = finding if isinstance(finding, tuple) else finding.values()
    about = f"{', '.join(outputs)}: " if outputs else ""
    cause = "" if cause == "unknown" else f"{cause}. "
    return f"  {about}{cause}{hint}{f' ({where})' if where else ''}"
