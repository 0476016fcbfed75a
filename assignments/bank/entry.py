"""What an entry of the bank is, and the submission that is made of it. Not a test file."""

import inspect
import json
import re
import textwrap
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import nbformat

from rnn_course.grading import grade
from rnn_course.release import load_release
from tools.assignments import ROOT, read_source, student_version


class Wrong(NamedTuple):
    """A wrong answer to one question; all other questions are answered right."""

    question: str
    answer: Callable | str  # a function, whatever its name, or the source of the whole cell
    cause: str  # what the feedback must name; "" where it is known that no cause is named
    credit: float = 0.0  # the share of the question's points that it must earn


class Right(NamedTuple):
    """A right answer, written in another way than the instructor's."""

    question: str
    answer: Callable | str


class Hostile(NamedTuple):
    """A submission that attacks the grader."""

    name: str
    cell: str  # source, put before the first answer of the instructor's, else at the end
    points: float  # what it earns, all told
    honest: bool = False  # True: the instructor's answers stay in it; False: no question is answered but by the cell
    answers: dict = {}  # {question: source} instead of those
    walls: bool = False  # True: it is held by bubblewrap alone, or it is not to be run without


def attack(assignment, entry):
    """Return the bytes of a hostile submission."""
    answers = (solutions(assignment) if entry.honest else {}) | entry.answers
    return submission(assignment, answers, [entry.cell], at_the_end=not entry.honest)


def source_of(question, answer):
    """Return the source of the cell that answers a question: a function's own text, under the name of the question."""
    if isinstance(answer, str):
        return answer
    return re.sub(
        r"^def \w+",
        f"def {question}",
        textwrap.dedent(inspect.getsource(answer)),
        count=1,
        flags=re.MULTILINE,
    )


def source_path(assignment):
    """Return the path of the source of an assignment."""
    return ROOT / "assignments" / assignment / f"{assignment}.py"


@cache
def student_json(assignment):
    """Return the student version as JSON text."""
    return nbformat.writes(student_version(source_path(assignment)))


@cache
def solutions(assignment):
    """Return {question: the instructor's source of its cell}."""
    cells = [
        cell
        for cell in read_source(source_path(assignment)).cells
        if cell.metadata.get("nbgrader", {}).get("solution")
    ]
    return {
        cell.metadata.nbgrader.grade_id: re.sub(r"^ *### .*\n", "", cell.source, flags=re.MULTILINE)
        for cell in cells
    }


def submission(assignment, answers, cells=(), at_the_end=False):
    """Return the bytes of a submission: the student version with the answers {question: source}, and cells before them."""
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


def with_answer(assignment, question, answer):
    """Return the bytes of a submission that answers one question with `answer`, and the others as the instructor does."""
    return submission(assignment, solutions(assignment) | {question: source_of(question, answer)})


@cache
def released(assignment, folder):
    """Return the Release of an assignment, whose notebook, not executed, is written into `folder`."""
    path = folder / f"{assignment}.ipynb"
    path.write_text(nbformat.writes(read_source(source_path(assignment))), encoding="utf-8")
    return load_release(path)


def graded(release, data, **limits):
    """Return the report on the bytes of a submission."""
    return grade(release, "student", data, **limits)


def row_of(report, question):
    """Return the row of a report on one question."""
    return next(row for row in report["questions"] if row["name"] == question)
