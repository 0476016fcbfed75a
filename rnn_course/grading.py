"""One submission from its bytes to its report: run in the sandbox, judged outside it, diagnosed."""

import hashlib
import json
import re
from functools import cache

import numpy as np

from rnn_course.judge.diagnose import Finding, diagnose
from rnn_course.judge.judge import Answer, judge, prepare
from rnn_course.notebook import NotebookError, cells_to_run, read_notebook
from rnn_course.release import questions_of
from rnn_course.sandbox import outside as sandbox
from rnn_course.sandbox.inside.transport import TransportError, read_messages, write_message
from rnn_tutorial import __version__

__all__ = [
    "ATTEMPTS",
    "HIDDEN_SEED",
    "HOW",
    "NEVER_REACHED",
    "NO_ERROR",
    "SILENT",
    "collect",
    "exams_of",
    "grade",
    "grade_question",
    "key_of",
    "plain_error",
    "rows_of",
    "run_once",
    "second_chances",
    "silent",
    "take",
    "to_json",
]

HIDDEN_SEED = 1
NEVER_REACHED = "It was never reached: the notebook was stopped before."
ATTEMPTS = 8  # so often a submission that was stopped is started again, without what stopped it


@cache
def exams_of(assignment, seed):
    """Return {name: Exam} of an assignment: made once a process, the same for every submission."""
    return {name: prepare(question, seed) for name, question in questions_of(assignment).items()}


def key_of(release, data, seed, limits, problem=None):
    """Return a hash of everything that a report depends on."""
    parts = (__version__, release.digest, hashlib.sha256(data).hexdigest(), problem, seed, limits)
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def grade(release, student, data, seed=HIDDEN_SEED, limits=sandbox.Limits(), problem=None):
    """Return the report on the bytes of one submission: a dict of plain values, the same each time.

    problem: in words, why there are no bytes; the report then has no points and says so.

    {"student", "assignment", "key", "points", "out_of", "walled_off", "problem", "questions": [{"name", "points", "out_of",
    "status", "parts", "findings"}, …], "notes": [{"cell", "line", "message"}, …]}. Whatever the submission is or does, there is
    a report.
    """
    report = {
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
        rows, notes = (
            rows_of(release, exams, {}, dict.fromkeys(exams, "The notebook could not be read.")),
            [],
        )
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


def rows_of(release, exams, answers, stopped):
    """Return the rows of the report, question by question."""
    return [
        grade_question(exams[name], out_of, answers.get(name, []), stopped.get(name))
        for name, out_of in release.points.items()
    ]


def second_chances(release, exams, cells, rows, limits):
    """Return the rows, better ones where a question was wrong only because it rests on an earlier one.

    A question that follows a wrong one is asked again, alone, after the instructor's answers to the wrong ones before it. These
    are then inside the sandbox, but the question's own answer is not.
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
            hint = f"Graded with a right {' and '.join(wrong)} in the place of yours, so that no mistake costs you twice."
            note = Finding((), "rests on an earlier question", hint, "")
            better[k] = again | {"findings": [note._asdict(), *map(silent, again["findings"])]}
    return better


SILENT = {
    "raises an exception": "Your function raises an exception.",
    "shape or type": "What you return has another shape or type than the question asks for.",
    "NaN or infinity": "There is a NaN or an infinity in what you return.",
}


def silent(finding):
    """Return the finding without the words and shapes of the submission's own: they could carry an answer out to be read."""
    return finding | {"hint": SILENT.get(finding["cause"], finding["hint"]), "where": ""}


def collect(exams, cells, limits, attempts=ATTEMPTS):
    """Return (answers by question, {question: what stopped it}, notes on cells, the cells that stop nothing).

    The cells are run, the functions are asked. If the process ends before its time, what it was doing, a cell or a question, is
    left out, and all that has no answer yet is asked again.
    """
    answers, stopped, notes, pending, numbers = (
        {},
        {},
        {},
        list(exams),
        {number for number, _ in cells},
    )
    for _ in range(attempts):
        how, messages = run_once([exams[name] for name in pending], cells, limits)
        now = "nothing"
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


def run_once(exams, cells, limits):
    """Return (how it ended, in words; the messages) of one process that runs the cells and is asked the exams."""
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
    return HOW.get(ended.how, f"It ended Python itself ({ended.how}).").format(
        limits=limits
    ), messages


HOW = {
    "out of time": "It did not come to an end within {limits.seconds:g} s.",
    "too much output": "It wrote more than the grader reads.",
    "killed or crashed": "It crashed Python or used too much of the machine: memory, recursion, processes.",
    "ended": "It ended Python itself (exit).",
}


def take(event, tree, exams, answers, stopped, notes):
    """Put one message where it belongs; return what the process is doing now, if the message says: a cell, a question, "end"."""
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


def plain_error(error):
    """Return the description of an error with the types and sizes it should have, addresses left out; None for anything else."""
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


def grade_question(exam, out_of, answers, stopped):
    """Return the row of the report on one question."""
    with np.errstate(all="ignore"):  # numbers of any size may have come back
        verdict = judge(exam, answers)
        explained = diagnose(exam, verdict, answers)
    unanswered = bool(answers) and all(
        a.error is not None and a.error["type"] == "NotImplementedError" for a in answers
    )
    if stopped == "missing":
        findings, status = (
            [
                Finding(
                    (),
                    "missing",
                    f"There is no function {exam.question.name}: was its cell deleted, or did it raise?",
                    "",
                )
            ],
            "missing",
        )
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


def to_json(report):
    """Return the report as text, the same bytes each time."""
    return json.dumps(report, indent=1, ensure_ascii=False, default=str) + "\n"
