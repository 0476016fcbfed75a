"""One submission, from its bytes to its report: run in the sandbox, judged outside it."""

import hashlib
import json
import re
from functools import cache
from typing import Any, TypeAlias

import numpy as np

from rnn_course.judge.diagnose import Finding, diagnose
from rnn_course.judge.judge import Answer, Exam, judge, prepare
from rnn_course.notebook import NotebookError, cells_to_run, read_notebook
from rnn_course.release import Release, questions_of
from rnn_course.sandbox import outside as sandbox
from rnn_course.sandbox.inside.transport import TransportError, read_messages, write_message
from rnn_tutorial import __version__
from rnn_tutorial.types import Tree

__all__ = [
    "HIDDEN_SEED",
    "Report",
    "exams_of",
    "grade",
    "grade_question",
    "key_of",
    "plain_error",
    "run_once",
    "take",
    "to_json",
]

Report: TypeAlias = dict[str, Any]
"""The report on one submission: see `grade`."""

Row: TypeAlias = dict[str, Any]
"""The report on one question."""

NumberedCell: TypeAlias = tuple[int, str]
"""The number of a cell and its source."""

HIDDEN_SEED = 1
NEVER_REACHED = "It was never reached: the notebook was stopped before."
ATTEMPTS = 8  # how often a stopped submission is started, each time without what stopped it


@cache
def exams_of(assignment: str, seed: int) -> dict[str, Exam]:
    """Return {name: Exam} of an assignment, made once in each process, for all submissions."""
    return {
        name: prepare(question, b"%d" % seed) for name, question in questions_of(assignment).items()
    }


def key_of(
    release: Release,
    data: bytes,
    seed: int,
    limits: sandbox.Limits,
    problem: str | None = None,
) -> str:
    """Return a hash of everything that a report depends on."""
    parts = (__version__, release.digest, hashlib.sha256(data).hexdigest(), problem, seed, limits)
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def grade(
    release: Release,
    student: str,
    data: bytes,
    seed: int = HIDDEN_SEED,
    limits: sandbox.Limits = sandbox.Limits(),
    problem: str | None = None,
) -> Report:
    """Return the report on the bytes of one submission: a dict of plain values, the same each time.

    problem: in words, why there are no bytes; the report then has no points and says why.

    {"student", "assignment", "key", "points", "out_of", "walled_off", "problem",
     "questions": [{"name", "points", "out_of", "status", "parts", "findings"}, …],
     "notes": [{"cell", "line", "message"}, …]}

    There is a report whatever the submission is or does.
    """
    report: Report = {
        "student": student,
        "assignment": release.name,
        "key": key_of(release, data, seed, limits, problem),
    }
    report |= {"walled_off": sandbox.has_bubblewrap(), "problem": None}
    exams = exams_of(release.name, seed)
    try:
        if problem:
            raise NotebookError(problem)
        submitted = read_notebook(data)
    except NotebookError as error:
        report["problem"] = str(error)
        stopped = dict.fromkeys(exams, "The notebook could not be read.")
        rows = rows_of(release, exams, {}, stopped)
        notes: list[dict[str, Any]] = []
    else:
        cells = cells_to_run(release.cells, submitted)
        answers, stopped, notes, cells = collect(exams, cells, limits)
        rows = second_chances(
            release, exams, cells, rows_of(release, exams, answers, stopped), limits
        )
    total = {
        "points": round(sum(row["points"] for row in rows), 2),
        "out_of": sum(release.points.values()),
    }
    return report | total | {"questions": rows, "notes": notes}


def rows_of(
    release: Release,
    exams: dict[str, Exam],
    answers: dict[str, list[Answer]],
    stopped: dict[str, str],
) -> list[Row]:
    """Return the rows of the report, one for each question."""
    return [
        grade_question(exams[name], out_of, answers.get(name, []), stopped.get(name))
        for name, out_of in release.points.items()
    ]


def second_chances(
    release: Release,
    exams: dict[str, Exam],
    cells: list[NumberedCell],
    rows: list[Row],
    limits: sandbox.Limits,
) -> list[Row]:
    """Return the rows, improved where a question is wrong only because an earlier one is wrong.

    A question that follows a wrong one is asked again, alone, after the instructor's answers to the
    wrong questions before it. Those answers are then inside the sandbox, but the answer to the
    question itself is not.
    """
    better = list(rows)
    for k, row in enumerate(rows):
        wrong = [before["name"] for before in rows[:k] if before["points"] < before["out_of"]]
        never = any(finding["hint"] == NEVER_REACHED for finding in row["findings"])
        if row["points"] == row["out_of"] or not wrong or never:
            continue
        helped = [
            *cells,
            *((-number, release.solutions[name]) for number, name in enumerate(wrong, 1)),
        ]
        answers, stopped, *_ = collect(
            {row["name"]: exams[row["name"]]}, helped, limits, attempts=1
        )
        again = grade_question(
            exams[row["name"]],
            row["out_of"],
            answers.get(row["name"], []),
            stopped.get(row["name"]),
        )
        if again["points"] > row["points"]:
            hint = (
                f"Graded with a right {' and '.join(wrong)} in the place of yours, "
                "so that no mistake costs you twice."
            )
            note = Finding((), "rests on an earlier question", hint, "")
            better[k] = again | {"findings": [note._asdict(), *map(silent, again["findings"])]}
    return better


SILENT = {
    "raises an exception": "Your function raises an exception.",
    "shape or type": "What you return has another shape or type than the question asks for.",
    "NaN or infinity": "There is a NaN or an infinity in what you return.",
}


def silent(finding: dict[str, Any]) -> dict[str, Any]:
    """Return the finding without the words and shapes that the submission made.

    They could carry an answer out of the sandbox to be read.
    """
    return finding | {"hint": SILENT.get(finding["cause"], finding["hint"]), "where": ""}


def collect(
    exams: dict[str, Exam],
    cells: list[NumberedCell],
    limits: sandbox.Limits,
    attempts: int = ATTEMPTS,
) -> tuple[dict[str, list[Answer]], dict[str, str], list[dict[str, Any]], list[NumberedCell]]:
    """Return (answers by question, {question: what stopped it}, notes on cells, cells left).

    The cells are run and the functions are called. If the process ends too early, the cell or
    question that it was at is left out, and everything that has no answer yet is asked again.
    """
    answers: dict[str, list[Answer]] = {}
    stopped: dict[str, str] = {}
    notes: dict[int, dict[str, Any]] = {}
    pending, numbers = list(exams), {number for number, _ in cells}
    for _ in range(attempts):
        how, messages = run_once([exams[name] for name in pending], cells, limits)
        now: str | int = "nothing"
        for event, tree in messages:
            doing = take(event, tree, exams, answers, stopped, notes)
            now = now if doing is None else doing
        if now == "end":
            break
        if now in pending:
            stopped[now], pending = how, pending[pending.index(now) + 1 :]
        elif now in [number for number, _ in cells]:
            cells = [cell for cell in cells if cell[0] != now]
            notes[now] = {"cell": now, "line": None, "message": f"{how} Graded without this cell."}
        else:
            break
        if not pending:
            break
    stopped |= {name: NEVER_REACHED for name in pending if name not in answers | stopped}
    return answers, stopped, [notes[number] for number in sorted(numbers & notes.keys())], cells


def run_once(
    exams: list[Exam], cells: list[NumberedCell], limits: sandbox.Limits
) -> tuple[str, list[tuple[dict[str, Any], Tree]]]:
    """Return (how it ended, in words; the messages) of one process with the cells and exams."""
    limits = limits._replace(seconds=limits.seconds + sum(exam.question.seconds for exam in exams))
    task = {
        "limits": limits.for_worker(),
        "cells": cells,
        "questions": [exam.question.name for exam in exams],
    }
    ended = sandbox.run(write_message(task, [list(exam.cases) for exam in exams]), limits)
    try:
        messages = read_messages(ended.output)
    except TransportError:
        messages = []
    words = _ENDINGS.get(ended.how, f"It ended Python itself ({ended.how}).")
    return words.format(limits=limits), messages


_ENDINGS = {
    "out of time": "It did not come to an end within {limits.seconds:g} s.",
    "too much output": "It wrote more than the grader reads.",
    "killed or crashed": (
        "It crashed Python or used too much of the machine: memory, recursion, processes."
    ),
    "ended": "It ended Python itself (exit).",
}


def take(
    event: dict[str, Any],
    tree: Tree,
    exams: dict[str, Exam],
    answers: dict[str, list[Answer]],
    stopped: dict[str, str],
    notes: dict[int, dict[str, Any]],
) -> str | int | None:
    """Store one message in answers, stopped or notes; return what the process does now.

    That is a cell, a question, "end", or None if the message does not say it.
    """
    what, name = event.get("what"), event.get("question")
    if what == "end":
        return "end"
    if what == "cell" and type(event.get("cell")) is int:
        return event["cell"]
    if (
        what == "cell raised"
        and (error := plain_error(event.get("error")))
        and type(event.get("cell")) is int
    ):
        message = f"{error['type']}: {error['message']}".removesuffix(": ")
        notes[event["cell"]] = {"cell": event["cell"], "line": error["line"], "message": message}
    if not isinstance(name, str) or name not in exams:
        return None
    if what == "question":
        answers[name] = []
        return name
    if what == "missing":
        stopped[name] = "missing"
    if (
        what in ("answer", "raised")
        and type(event.get("case")) is int
        and event.get("turn") in (0, 1)
    ):
        outputs, arguments = tree if isinstance(tree, tuple) and len(tree) == 2 else (None, None)
        arguments = arguments if isinstance(arguments, tuple) else None
        error = (plain_error(event.get("error")) or NO_ERROR) if what == "raised" else None
        answers.setdefault(name, []).append(
            Answer(
                event["case"],
                event["turn"],
                outputs,
                arguments,
                error,
                plain_error(event.get("born")),
            )
        )
    return None


NO_ERROR = {"type": "Exception", "message": "", "cell": None, "line": None}


def plain_error(error: object) -> dict[str, Any] | None:
    """Return the description of an error with the right types and sizes; None for anything else.

    Memory addresses are left out.
    """
    if not isinstance(error, dict):
        return None
    texts = {
        key: re.sub(r"0x[0-9a-fA-F]+", "0x…", str(error.get(key, "")))[:500]
        for key in ("type", "message")
    }
    return texts | {
        key: error[key] if type(error.get(key)) is int and 0 <= error[key] < 10**6 else None
        for key in ("cell", "line")
    }


def grade_question(exam: Exam, out_of: float, answers: list[Answer], stopped: str | None) -> Row:
    """Return the row of the report on one question."""
    with np.errstate(all="ignore"):  # numbers of any size may have come back
        verdict = judge(exam, answers)
        explained = diagnose(exam, verdict, answers)
    unanswered = bool(answers) and all(
        a.error is not None and a.error["type"] == "NotImplementedError" for a in answers
    )
    if stopped == "missing":
        hint = f"There is no function {exam.question.name}: was its cell deleted, or did it raise?"
        findings, status = [Finding((), "missing", hint, "")], "missing"
    elif stopped is not None:
        verdict = verdict._replace(credit=0.0)
        findings, status = [Finding((), "stopped", stopped, "")], "stopped"
    elif unanswered:
        findings, status = (
            [Finding((), "unanswered", "This question has no answer yet.", "")],
            "unanswered",
        )
    else:
        findings = explained
        status = "right" if verdict.credit == 1 else "partly right" if verdict.credit else "wrong"
    parts = [{"name": part.name, "credit": part.credit} for part in verdict.parts]
    row = {
        "name": exam.question.name,
        "points": round(verdict.credit * out_of, 2),
        "out_of": out_of,
        "status": status,
    }
    row |= {} if verdict.score is None else {"score": round(verdict.score, 6)}
    return row | {"parts": parts, "findings": [finding._asdict() for finding in findings]}


def to_json(report: Report) -> str:
    """Return the report as text, the same bytes each time."""
    return json.dumps(report, indent=1, ensure_ascii=False, default=str) + "\n"
