"""The entries of the bank, and the submissions that are made of them. Not a test file."""

import inspect
import json
import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import nbformat

from rnn_course.grading import grade, questions
from rnn_course.release import Release, load_release
from tools.assignments import ROOT, read_source, student_version

SECRET = b"the bank's: its cases are the same each time"


class Wrong(NamedTuple):
    """A wrong answer to one question; the other questions are answered right."""

    question: str
    answer: Callable | str  # a function, whatever its name, or the source of the whole cell
    # All that the feedback must name, and nothing else: one cause or several; "" if none is known.
    cause: str | tuple[str, ...]
    credit: float = 0.0  # the share of the question's points that it must earn

    @property
    def causes(self) -> set[str]:
        """The names of the causes in the findings of the report."""
        names = (self.cause,) if isinstance(self.cause, str) else self.cause
        return {name or "unknown" for name in names}


class Right(NamedTuple):
    """A right answer, written differently from the instructor's."""

    question: str
    answer: Callable | str


# Answers that attack the score of a question that is answered by training.
TRAINED_BY_NUMBERS = """
def train(params, *a):
    return unflatten(np.resize([1.7e308, -1.7e308], flatten(params).size), params)
"""
HEARD_FROM_THE_GRADER = """
import gc, sys
def train(params, *a):
    frame = sys._getframe()
    while frame is not None:
        for name, value in frame.f_locals.items():
            if name in ("exam", "held_out", "expected"): return value
        frame = frame.f_back
    for thing in gc.get_objects():
        if type(thing).__name__ in ("Exam", "Scoring"): return thing.held_out
    return params
"""


class Hostile(NamedTuple):
    """A submission that attacks the grader.

    If it is `honest`, the instructor's answers are in it, and its last answer needs the attack:
    what no answer needs is not run if all answers are right. Otherwise the cell alone answers.
    """

    name: str
    cell: str  # source, put before the first answer if `honest`, at the end otherwise
    points: float  # the points that it must earn
    honest: bool = False
    answers: dict = {}  # {question: source} in the place of the instructor's
    walls: bool = False  # True: only bubblewrap holds it, so it is not run without
    bare: bool = False  # True: the cell stands as it is, and binds ATTACKED itself


ATTACKED = "attacked"  # a name that an honest entry's cell binds, and its last answer loads
WHOLE = """
try:
    exec({source!r}, globals())
finally:
    {ATTACKED} = True
"""
NEEDING = "\n{name} = ({ATTACKED}, {name})[1]\n"


def attack(assignment: str, entry: Hostile) -> bytes:
    """Return the bytes of a hostile submission.

    The attack is one statement, so it is run as a whole if anything of it is.
    """
    if not entry.honest:
        return submission(assignment, entry.answers, [entry.cell], at_the_end=True)
    answers = solutions(assignment) | entry.answers
    last = list(questions(assignment))[-1]
    answers[last] += NEEDING.format(name=last, ATTACKED=ATTACKED)
    cell = entry.cell if entry.bare else WHOLE.format(source=entry.cell, ATTACKED=ATTACKED)
    return submission(assignment, answers, [cell])


def source_of(question: str, answer: Callable | str) -> str:
    """Return the source of the cell that answers a question.

    A function's own text, renamed to the name of the question.
    """
    if isinstance(answer, str):
        return answer
    return re.sub(
        r"^def \w+",
        f"def {question}",
        textwrap.dedent(inspect.getsource(answer)),
        count=1,
        flags=re.MULTILINE,
    )


def source_path(assignment: str) -> Path:
    """Return the path of the source of an assignment."""
    return ROOT / "assignments" / assignment / f"{assignment}.py"


@cache
def student_json(assignment: str) -> str:
    """Return the students' notebook as JSON text."""
    return nbformat.writes(student_version(source_path(assignment)))


@cache
def solutions(assignment: str) -> dict[str, str]:
    """Return {question: the source of the instructor's answer}."""
    cells = [
        cell
        for cell in read_source(source_path(assignment)).cells
        if cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("solution")
    ]
    return {
        cell.metadata.nbgrader.grade_id: re.sub(r"^ *### .*\n", "", cell.source, flags=re.MULTILINE)
        for cell in cells
    }


def submission(
    assignment: str,
    answers: Mapping[str, str],
    cells: Sequence[str] = (),
    at_the_end: bool = False,
) -> bytes:
    """Return the bytes of a submission.

    The students' notebook with the answers {grade_id: source}, and cells before the first answer or
    at the end. The grade_id of a function is its name, that of a question in words "words_" and its
    name.
    """
    notebook = json.loads(student_json(assignment))
    for cell in notebook["cells"]:
        grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id")
        if grade_id in answers:
            cell["source"] = answers[grade_id]
    extra = [
        {
            "cell_type": "code",
            "metadata": {},
            "source": source,
            "outputs": [],
            "execution_count": None,
        }
        for source in cells
    ]
    first = next(
        k
        for k, cell in enumerate(notebook["cells"])
        if cell["metadata"].get("nbgrader", {}).get("solution")
    )
    place = len(notebook["cells"]) if at_the_end else first
    notebook["cells"][place:place] = extra
    return json.dumps(notebook).encode()


def with_answer(assignment: str, question: str, answer: Callable | str) -> bytes:
    """Return the bytes of a submission with one answer of its own, the others the instructor's."""
    return submission(assignment, solutions(assignment) | {question: source_of(question, answer)})


@cache
def released(assignment: str, folder: Path) -> Release:
    """Return the Release of an assignment; its notebook, not executed, is written to `folder`."""
    path = folder / f"{assignment}.ipynb"
    path.write_text(nbformat.writes(read_source(source_path(assignment))), encoding="utf-8")
    return load_release(path)


def graded(release: Release, data: bytes, **limits: Any) -> dict:
    """Return the report on the bytes of a submission."""
    return grade(release, "student", data, **({"secret": SECRET} | limits))


def row_of(report: dict, question: str) -> dict:
    """Return the row of a report on one question."""
    return next(row for row in report["questions"] if row["name"] == question)
