"""Asking the questions: what is run in which process, and for how long.

A time limit is one of processor time, so a busy machine takes nothing from an answer. In real time,
a process has four times as much, at least ten seconds more, and longer where the machine is busy.

1. What the answers need of the notebook is run, and all questions are asked, within the time limit.
2. If that process did not come to its end, each question that has no answer yet is asked alone,
   with what it needs itself, in a quarter of the time. So a slow one takes nothing from the others.
3. If something is not right, and the notebook has more cells, the whole notebook is run in order,
   and what was not right is asked again. The better answer counts. So trials, trainings and plots
   can only help.
4. What is still not right is asked alone again, after the instructor's answers to the earlier
   questions: see second_chance.py.

With Q questions, and their second chances, this takes at most 2 + 3 Q / 4 time limits.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from rnn_course.grading.errors import NOT_THERE, not_there
from rnn_course.grading.program import Program
from rnn_course.grading.transcript import Transcript, read_transcript
from rnn_course.judge.diagnose import Finding, place_of
from rnn_course.judge.judge import Answer, Exam
from rnn_course.sandbox import outside as sandbox
from rnn_course.sandbox.inside.transport import write_message

__all__ = [
    "Result",
    "ask_alone",
    "ask_in_time",
    "ask_whole",
    "ending",
    "how",
    "run_once",
    "seconds_alone",
]

LEAST = 2.0  # seconds of processor time that a process has at least, if the limit is not shorter


class Result(NamedTuple):
    """What came of one question."""

    answers: list[Answer]
    stopped: Finding | None = None  # why there is nothing to judge


def ask_in_time(
    exams: Mapping[str, Exam], program: Program, limits: sandbox.Limits
) -> tuple[dict[str, Result], Transcript]:
    """Return ({question: Result}, the Transcript of the first process): steps 1 and 2."""
    told = run_once(exams, program, limits, list(exams))
    results = {name: result_of(name, told, program) for name in told.done}
    for name in exams:
        if name not in results:
            results[name] = ask_alone(exams[name], program, limits)
    return {name: results[name] for name in exams}, told


def ask_alone(
    exam: Exam,
    program: Program,
    limits: sandbox.Limits,
    after: Iterable[str] = (),
    whole: bool = False,
) -> Result:
    """Return the Result of one question, asked alone.

    after: sources that are run last. whole: run the whole notebook, not only what is needed.
    """
    name = exam.question.name
    short = limits._replace(seconds=seconds_alone(limits))
    told = run_once({name: exam}, program, short, None if whole else [name], after)
    if name in told.done:
        return result_of(name, told, program)
    return Result([], Finding((), "stopped", ending(told, limits), ""))


def ask_whole(
    exams: Mapping[str, Exam], program: Program, limits: sandbox.Limits
) -> tuple[dict[str, Result], Transcript]:
    """Return ({question: Result} of what was answered, the Transcript): step 3."""
    told = run_once(exams, program, limits, None)
    return {name: result_of(name, told, program) for name in exams if name in told.done}, told


def seconds_alone(limits: sandbox.Limits) -> float:
    """Return the seconds of processor time of a process that is asked one question."""
    return min(limits.seconds, max(limits.seconds / 4, LEAST))


def run_once(
    exams: Mapping[str, Exam],
    program: Program,
    limits: sandbox.Limits,
    answers: list[str] | None,
    after: Iterable[str] = (),
) -> Transcript:
    """Return the Transcript of one process that is asked the exams.

    answers: only what these need of the notebook is run; None: everything.
    """
    extra = sum(exam.question.seconds for exam in exams.values())
    longer = limits._replace(seconds=limits.seconds + extra)
    task = program.task() | {
        "limits": longer.for_worker(),
        "answers": answers,
        "after": list(after),
        "questions": list(exams),
    }
    message = write_message(task, [list(exam.cases) for exam in exams.values()])
    ended = sandbox.run(message, longer)
    return read_transcript(ended, limits, exams, program.written)


def result_of(name: str, told: Transcript, program: Program) -> Result:
    """Return the Result of a question that a process has finished with."""
    answers = told.answers.get(name, [])
    if name in told.missing:
        return Result([], why_missing(name, told, program))
    if error := next((a.error for a in answers if a.error and is_no_library(a.error)), None):
        return Result([], Finding((), NOT_THERE, not_there(error["library"]), place_of(error)))
    return Result(answers)


def is_no_library(error: dict[str, object]) -> bool:
    """Return True for the error that a library is not there."""
    return error["type"] == "ModuleNotFoundError"


def why_missing(name: str, told: Transcript, program: Program) -> Finding:
    """Return the Finding that a function is not there: its cell raised, or there is none."""
    for cell, error in told.raised.items():
        if name in program.written.get(cell, ""):
            if is_no_library(error):
                return Finding((), NOT_THERE, not_there(error["library"]), place_of(error))
            hint = f"There is no function {name}: its cell raised {error['type']}"
            return Finding((), "missing", hint, place_of(error))
    why = "its cell is not a code cell" if name in program.not_code else "was its cell deleted?"
    return Finding((), "missing", f"There is no function {name}: {why}", "")


def ending(told: Transcript, together: sandbox.Limits) -> str:
    """Return in words how a process that was asked one question ended before it was done.

    together: the limits of the process that was asked all questions.
    """
    last = told.at[-1] if told.at else None
    what = f"Cell {last}, which it needs," if isinstance(last, int) else "It"
    return f"{what} {how(told, together)}"


def how(told: Transcript, together: sandbox.Limits) -> str:
    """Return in words how a process ended before it was done, as the end of a sentence."""
    return ENDINGS.get(told.how, exited)(together, told.limits)


def out_of_time(together: sandbox.Limits, alone: sandbox.Limits) -> str:
    """Return in words that a process computed for too long."""
    both = (
        ""
        if alone == together
        else f" with the other answers, nor alone within {alone.seconds:g} s"
    )
    return f"did not come to an end within {together.seconds:g} s of processor time{both}."


def waited(together: sandbox.Limits, alone: sandbox.Limits) -> str:
    """Return in words that a process slept or waited, or found no processor, for too long."""
    return f"did not come to an end within {alone.elapsed:g} s of real time."


def exited(*_: sandbox.Limits) -> str:
    """Return in words that a process ended too early."""
    return "ended Python itself."


ENDINGS: dict[str, Callable[[sandbox.Limits, sandbox.Limits], str]] = {
    "out of time": out_of_time,
    "waited too long": waited,
    "too much output": lambda *_: "wrote more than the grader reads.",
    "killed or crashed": lambda *_: (
        "crashed Python or used too much of the machine: time, memory, recursion."
    ),
}
