"""The two functions that the cells of an assignment call: the self-check that a student sees, and nbgrader's hidden test.

Both call the student's function in this very process, so they are for those who want to know. The grader, `python -m
rnn_course`, asks the same questions in a process apart.
"""

from rnn_course.grading import HIDDEN_SEED, exams_of, grade_question
from rnn_course.judge.diagnose import diagnose
from rnn_course.judge.judge import Answer, judge
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


class _Kind(Exception):
    """An exception that a notebook shows as its message, without the lines that led there."""

    def _render_traceback_(self):
        return str(self).split("\n")


class Unanswered(_Kind, NotImplementedError):
    """The question has no answer yet."""


class NotRight(_Kind, AssertionError):
    """The answer is not right; the message says where, and which mistake gives the same numbers."""


def check(assignment, function):
    """Print that `function` is right, or raise Unanswered or NotRight, whose message says where it is wrong.

    assignment: "01_vanilla". The name of the function is that of its question. An exception in the function is raised as it is.
    Errors: ValueError for a function that is no question of the assignment.
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


def how_right(exam, verdict):
    """Return in words how near a right answer is, or the score that it reaches."""
    if exam.question.scoring:
        return f"{in_percent(verdict.score)} {exam.question.scoring.unit}"
    return f"{len(exam.cases)} cases, largest relative error {max(part.error for part in verdict.parts):.0e}"


def hidden_test(assignment, function, points):
    """Return the points that `function` earns on the hidden cases, from 0 to `points`; print why, where it is not all of them."""
    exam = exam_of(assignment, function, HIDDEN_SEED)
    row = grade_question(exam, points, answers_of(exam, function), None)
    print(f"{function.__name__}: {row['status']}, {row['points']:g} of {points:g} points")
    for finding in row["findings"]:
        print(in_words(finding))
    return row["points"]


def exam_of(assignment, function, seed):
    """Return the Exam of the question that `function` answers."""
    exams = exams_of(assignment, seed)
    name = getattr(function, "__name__", repr(function))
    if name not in exams:
        raise ValueError(f"function: expected one of {', '.join(exams)}, got {name}")
    return exams[name]


def call_once(exam, function):
    """Call the function on one case, so that what it raises is seen as it is; NotImplementedError is made a kind word."""
    try:
        function(*fresh(exam.cases[0], function.__globals__))
    except NotImplementedError:
        name = function.__name__
        raise Unanswered(
            f"{name}: not answered yet. Write your {name} above, run its cell, then run this one again."
        ) from None


def answers_of(exam, function):
    """Return the Answers of the function to the cases."""
    own = function.__code__.co_filename
    return [
        Answer(
            event["case"],
            event["turn"],
            *(tree or (None, None)),
            event.get("error"),
            event.get("born"),
        )
        for event, tree in call_on_cases(function, exam.cases, function.__globals__, own)
    ]


def in_words(finding):
    """Return one line on a Finding."""
    outputs, cause, hint, where = finding if isinstance(finding, tuple) else finding.values()
    about = f"{', '.join(outputs)}: " if outputs else ""
    return f"  {about}{'' if cause == 'unknown' else cause + '. '}{hint}{f' ({where})' if where else ''}"
