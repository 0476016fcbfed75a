"""The report on a submission."""

import json
from collections.abc import Mapping
from typing import Any, TypeAlias

from rnn_course.grading.asking import Result, ask_in_time, ask_whole, seconds_alone
from rnn_course.grading.exams import exams_of
from rnn_course.grading.key import key_of, wall
from rnn_course.grading.notes import notes_of
from rnn_course.grading.problem import of_another, problem_of
from rnn_course.grading.program import Program, program_of, source_of_answer
from rnn_course.grading.row import Judged, Row, better, judged, row_of
from rnn_course.grading.second_chance import row_of_chance, second_chances, wrong_before
from rnn_course.grading.transcript import Transcript
from rnn_course.judge.diagnose import Finding
from rnn_course.judge.judge import Exam
from rnn_course.notebook import Notebook, NotebookError, open_notebook
from rnn_course.release import Release
from rnn_course.sandbox import outside as sandbox

__all__ = ["Report", "grade", "to_json"]

Report: TypeAlias = dict[str, Any]
"""The report on one submission: see `grade`."""


def grade(
    release: Release,
    student: str,
    data: bytes,
    secret: bytes,
    limits: sandbox.Limits = sandbox.Limits(),
    problem: str | None = None,
) -> Report:
    """Return the report on the bytes of one submission: a dict of plain values, the same each time.

    secret: bytes that no student knows; with the submission's hash they give its hidden cases.
    problem: in words, why there are no bytes; the report then has no points and says why.

    {"student", "assignment", "key", "points", "out_of", "walls", "problem",
     "questions": [{"name", "points", "out_of", "status", "parts", "findings", "source"}, …],
     "words": [{"name", "text"}, …], "notes": [{"cell", "line", "message"}, …]}

    There is a report whatever the submission is or does. Its `problem` says why points were lost
    for any other reason than a wrong answer.
    """
    report: Report = {
        "student": student,
        "assignment": release.name,
        "key": key_of(release, data, secret, limits, problem),
        "points": 0,
        "out_of": sum(release.points.values()),
        "walls": wall(limits),
        "problem": problem,
    }
    exams = exams_of(release.name, secret, data)
    notebook = Notebook([], {}, [])
    try:
        notebook = notebook if problem else open_notebook(data)
        problem = problem or of_another(notebook, exams)
    except NotebookError as error:
        problem = str(error)
    notes: list[dict[str, Any]] = []
    if problem:
        rows = unread(release, exams, problem)
    else:
        rows, notes, problem = graded(release, exams, notebook, limits)
    for row in rows:
        row["source"] = source_of_answer(row["name"], notebook)
    return report | {
        "points": round(sum(row["points"] for row in rows), 2),
        "problem": problem,
        "questions": rows,
        "words": [
            {"name": name, "text": notebook.texts.get(f"words_{name}", "")}
            for name in release.words
        ],
        "notes": notes,
    }


def unread(release: Release, exams: Mapping[str, Exam], problem: str) -> list[Row]:
    """Return the rows of a submission that was not run."""
    result = Result([], Finding((), "stopped", problem, ""))
    results = dict.fromkeys(exams, result)
    return [row_of(one, {}) for one in all_judged(release, exams, results).values()]


def graded(
    release: Release, exams: Mapping[str, Exam], notebook: Notebook, limits: sandbox.Limits
) -> tuple[list[Row], list[dict[str, Any]], str | None]:
    """Return (rows, notes, problem) of a notebook."""
    program = program_of(release, notebook)
    results, first = ask_in_time(exams, program, limits)
    found = all_judged(release, exams, results)
    improved, whole = with_the_whole(release, exams, program, found, first, limits)
    found |= improved
    chances = second_chances(release, program, found, set(improved), limits)
    rows = [
        row_of_chance(chances[name], wrong_before(found, name))
        if name in chances
        else row_of(one, program.written)
        for name, one in found.items()
    ]
    told = [first, *([whole] if whole else [])]
    notes = notes_of(notebook, program, told, whole)
    return rows, notes, problem_of(rows, whole)


def all_judged(
    release: Release, exams: Mapping[str, Exam], results: Mapping[str, Result]
) -> dict[str, Judged]:
    """Return {name: Judged} of the questions that have a Result, in the order of the release."""
    return {
        name: judged(exams[name], out_of, results[name])
        for name, out_of in release.points.items()
        if name in results
    }


def with_the_whole(
    release: Release,
    exams: Mapping[str, Exam],
    program: Program,
    found: Mapping[str, Judged],
    first: Transcript,
    limits: sandbox.Limits,
) -> tuple[dict[str, Judged], Transcript | None]:
    """Return ({name: Judged} of what is better after the whole notebook, the Transcript or None).

    What was not right is asked again. Nothing is run if there is nothing more in the notebook. The
    process has the whole time only if a function was missing or raised: other wrong answers hardly
    depend on trials.
    """
    asked = {
        name: exams[name] for name, one in found.items() if not one.full and one.status != "stopped"
    }
    if not asked or not any(first.rest):
        return {}, None
    whole_time = any(is_broken(found[name]) for name in asked)
    short = limits if whole_time else limits._replace(seconds=seconds_alone(limits))
    results, told = ask_whole(asked, program, short)
    again = all_judged(release, exams, results)
    return {name: one for name, one in again.items() if better(found[name], one)}, told


def is_broken(one: Judged) -> bool:
    """Return True if a function was missing or raised an exception."""
    return one.status == "missing" or (one.raised and one.status != "unanswered")


def to_json(report: Report) -> str:
    """Return the report as text, the same bytes each time."""
    return json.dumps(report, indent=1, ensure_ascii=False, default=str) + "\n"
