"""The functions that an assignment's cells call: the student's self-check, nbgrader's hidden test.

Both call the student's function in this same process, so they do not protect against cheating. The
grader, `python -m rnn_course`, asks the same questions in a separate process, and judges the
answers in the same way.
"""

import secrets
import time
from functools import cache
from types import FunctionType
from typing import Any, NamedTuple

from rnn_course.grading.asking import Result
from rnn_course.grading.errors import NOT_THERE, not_there, plain_error
from rnn_course.grading.exams import questions
from rnn_course.grading.row import Row, grade_question, judged, row_of
from rnn_course.judge.diagnose import Finding
from rnn_course.judge.judge import Answer, Exam, judge, prepare
from rnn_course.judge.question import Question
from rnn_course.judge.scoring import in_percent
from rnn_course.libraries import called_by, missing_libraries
from rnn_course.sandbox.inside.calls import call_on_cases, fresh
from rnn_course.sandbox.outside import Limits

__all__ = ["NotRight", "Unanswered", "check", "hidden_test"]

VISIBLE = b"the cases that a student may see"
UNKNOWN = (
    "The grader asks on other networks, of other sizes, and on another machine: this check cannot "
    "say how it does there."
)


class _WithoutTraceback(Exception):
    """An exception that a notebook shows as its message alone, without a traceback."""

    def _render_traceback_(self) -> list[str]:
        return str(self).split("\n")


class Unanswered(_WithoutTraceback, NotImplementedError):
    """The question has no answer yet."""


class NotRight(_WithoutTraceback, AssertionError):
    """The answer is not right; the message says where, and which mistake gives the same numbers."""


class Timed(NamedTuple):
    """The answers of a function, and how long they took."""

    result: Result
    seconds: float  # of processor time, as the grader counts them


def check(assignment: str, function: FunctionType) -> None:
    """Print that `function` is right, or raise an exception whose message says where it is wrong.

    assignment: its name, such as "01_vanilla". The function has the name of its question. An
    exception that the function raises is passed on as it is.

    Raises: Unanswered for a function that is not written yet; NotRight for one that is wrong, that
    rests on an earlier one which is wrong, or that needs a library which is not there when it is
    graded; ValueError for one that is not a question of the assignment.

    Example:
        check("01_vanilla", rnn_step)
    """
    exam = exam_of(assignment, function)
    try:
        call_once(exam, function)
    except Exception:
        mend_first(assignment, function)
        raise
    timed = answers_of(exam, function)
    row = grade_question(exam, 1, *timed.result)
    if row["status"] != "right":
        mend_first(assignment, function)
        raise NotRight("\n".join([heading(exam, row), *map(in_words, row["findings"])]))
    print(f"{function.__name__}: right ✓   {how_right(exam, timed.result.answers)}")
    print(in_time(exam, timed.seconds))
    print(UNKNOWN)


def heading(exam: Exam, row: Row) -> str:
    """Return the first line on an answer that is not right."""
    if exam.question.scoring:
        return f"{exam.question.name}: not there yet ✗"
    right = [part["name"] for part in row["parts"] if part["credit"] == 1]
    return f"{exam.question.name}: not right yet ✗   right so far: {', '.join(right) or 'nothing'}"


def how_right(exam: Exam, answers: list[Answer]) -> str:
    """Return in words how close a right answer is, or the score that it reaches."""
    verdict = judge(exam, answers)
    if exam.question.scoring and verdict.score is not None:
        return f"{in_percent(verdict.score)} {exam.question.scoring.unit}"
    worst = max(part.error for part in verdict.parts)
    return f"{len(exam.cases)} cases, largest relative error {worst:.0e}"


def in_time(exam: Exam, seconds: float) -> str:
    """Return in words how long the calls took, with a warning if that is near the grader's limit.

    The limit is for the answers to all questions together.
    """
    limit = Limits().seconds + exam.question.seconds
    words = (
        f"Its calls took {seconds:.1f} s of processor time here; "
        f"all answers together have {limit:g} s when graded."
    )
    if seconds > limit:
        return f"⚠ Too slow: {words[0].lower()}{words[1:]} It would earn no points."
    if seconds > limit / 2:
        return f"⚠ Near the limit: {words[0].lower()}{words[1:]} Make it faster."
    return words


def mend_first(assignment: str, function: FunctionType) -> None:
    """Raise NotRight if an earlier question which the function calls is not right.

    The function itself may be right.
    """
    called = {one.__name__: one for one in called_by(function) if one is not function}
    for name in questions(assignment):
        if name == function.__name__:
            return
        if name not in called or questions(assignment)[name].scoring:
            continue
        exam = exam_of(assignment, called[name])
        row = grade_question(exam, 1, *answers_of(exam, called[name]).result)
        if row["status"] != "right":
            kind = "has no answer yet" if row["status"] == "unanswered" else "is wrong"
            words = (
                f"{function.__name__}: your {name} {kind}, mend it first.\n"
                f"  It is called here, so nothing can be said about {function.__name__} itself."
            )
            raise NotRight(words) from None


def hidden_test(assignment: str, function: FunctionType, points: float) -> float:
    """Return the points that `function` earns on hidden cases, from 0 to `points`.

    The cases are drawn anew each time. If it does not earn all points, the reasons are printed.

    Raises: ValueError for a function that is not a question of the assignment.
    """
    exam = prepare(question_of(assignment, function), secrets.token_bytes(32))
    row = row_of(judged(exam, points, answers_of(exam, function).result), {})
    print(f"{function.__name__}: {row['status']}, {row['points']:g} of {points:g} points")
    for finding in row["findings"]:
        print(in_words(finding))
    earned: float = row["points"]
    return earned


def question_of(assignment: str, function: FunctionType) -> Question:
    """Return the Question that `function` answers.

    Raises: ValueError for a function that is not a question of the assignment.
    """
    known = questions(assignment)
    name = getattr(function, "__name__", repr(function))
    if name not in known:
        raise ValueError(f"function: expected one of {', '.join(known)}, got {name}")
    return known[name]


def exam_of(assignment: str, function: FunctionType) -> Exam:
    """Return the Exam, with the cases that all students may see, that `function` answers.

    Raises: ValueError for a function that is not a question of the assignment.
    """
    question_of(assignment, function)
    return visible(assignment, function.__name__)


@cache
def visible(assignment: str, name: str) -> Exam:
    """Return the Exam of a question with the cases that a student may see."""
    return prepare(questions(assignment)[name], VISIBLE)


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


def answers_of(exam: Exam, function: FunctionType) -> Timed:
    """Return what the function answers to the cases, as the grader would receive it."""
    start = time.process_time()
    own = function.__code__.co_filename
    answers = []
    for event, tree in call_on_cases(function, exam.cases, function.__globals__, own):
        outputs, arguments = tree or (None, None)
        error, born = (located(event.get(key)) for key in ("error", "born"))
        answers.append(Answer(event["case"], event["turn"], outputs, arguments, error, born))
    seconds = time.process_time() - start
    if libraries := missing_libraries(function):
        finding = Finding((), NOT_THERE, not_there(" and ".join(libraries)), "")
        return Timed(Result(answers, finding), seconds)
    return Timed(Result(answers), seconds)


def located(error: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return an error as the grader describes it, with the line in the student's cell."""
    return None if error is None else (plain_error(error, {}) or {}) | {"line": error["line"]}


def in_words(finding: dict[str, Any]) -> str:
    """Return one line on a finding."""
    about = f"{', '.join(finding['outputs'])}: " if finding["outputs"] else ""
    cause = "" if finding["cause"] == "unknown" else f"{finding['cause']}. "
    where = f" ({finding['where']})" if finding["where"] else ""
    return f"  {about}{cause}{finding['hint']}{where}"
