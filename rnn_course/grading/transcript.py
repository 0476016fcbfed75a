"""What one process told: the messages that came out of the sandbox, which anybody may have forged.

A forged message can only change what the submission itself has answered, and that is judged by its
numbers.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from rnn_course.grading.errors import NO_ERROR, plain_error
from rnn_course.judge.judge import Answer, Exam
from rnn_course.sandbox.inside.transport import TransportError, read_messages
from rnn_course.sandbox.outside import Ended, Limits
from rnn_tutorial.types import Tree

__all__ = ["Transcript", "read_transcript"]


class Transcript(NamedTuple):
    """What is known of a process after it has ended."""

    how: str  # how it ended: "ended", "out of time", …
    limits: Limits  # that it had, without the seconds which a question brings
    answers: dict[str, list[Answer]]  # to each question that it came to
    missing: list[str]  # questions without a function
    done: set[str]  # questions that it has finished with
    raised: dict[int, dict[str, Any]]  # of each cell the first exception
    libraries: dict[int, dict[str, Any]]  # of each cell an import of a library that is not there
    changed: list[int]  # locked cells with lines of the student's own
    rest: list[bool]  # [True] if something of the notebook was not run
    at: list[int | str]  # the cells and questions that it came to, in order; "end"


def read_transcript(
    ended: Ended, limits: Limits, exams: Mapping[str, Exam], cells: Mapping[int, str]
) -> Transcript:
    """Return the Transcript of a process that had these limits.

    exams: the questions that it was asked. cells: {number: source} as the student wrote them.
    """
    told = Transcript(ended.how, limits, {}, [], set(), {}, {}, [], [], [])
    try:
        messages = read_messages(ended.output)
    except TransportError:
        messages = []
    for event, tree in messages:
        name = event.get("question")
        if isinstance(name, str) and name in exams:
            take_answer(told, name, event, tree, exams[name], cells)
        elif event.get("what") == "end":
            finish(told)
            told.at.append("end")
        elif not told.answers:  # a cell that tells something later than that has seen the cases
            take_cell(told, event, cells)
    return told


def finish(told: Transcript) -> None:
    """Add the question that it came to last to those that are done."""
    if told.at and isinstance(told.at[-1], str):
        told.done.add(told.at[-1])


def take_cell(told: Transcript, event: dict[str, Any], cells: Mapping[int, str]) -> None:
    """Store a message about a cell."""
    what, cell = event.get("what"), event.get("cell")
    if what == "left out":
        told.rest.append(event.get("some") is True)
    if type(cell) is not int or cell not in cells:
        return
    if what == "cell":
        told.at.append(cell)
    elif what == "cell raised" and (error := plain_error(event.get("error"), cells)):
        told.raised.setdefault(cell, error | {"cell": cell})
    elif what == "no library":
        about = event | {"type": "ModuleNotFoundError"}
        told.libraries.setdefault(cell, plain_error(about, cells) or NO_ERROR)
    elif what == "changed" and cell not in told.changed:
        told.changed.append(cell)


def take_answer(
    told: Transcript,
    name: str,
    event: dict[str, Any],
    tree: Tree,
    exam: Exam,
    cells: Mapping[int, str],
) -> None:
    """Store a message about a question."""
    what, case, turn = event.get("what"), event.get("case"), event.get("turn")
    if what == "question":
        finish(told)
        told.at.append(name)
        told.answers[name] = []
    elif what == "missing" and name not in told.missing:
        told.missing.append(name)
    elif what in ("answer", "raised") and type(case) is int and turn in (0, 1):
        outputs, arguments = tree if isinstance(tree, tuple) and len(tree) == 2 else (None, None)
        arguments = arguments if isinstance(arguments, tuple) else None
        error = (plain_error(event.get("error"), cells) or NO_ERROR) if what == "raised" else None
        born = plain_error(event.get("born"), cells)
        answers = told.answers.setdefault(name, [])
        answers.append(Answer(case, turn, outputs, arguments, error, born))
        if len(answers) == 2 * len(exam.cases):
            told.done.add(name)
