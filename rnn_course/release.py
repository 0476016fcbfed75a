"""What a class was given: the instructor's notebook of an assignment, and its questions."""

import hashlib
import importlib
from pathlib import Path
from typing import NamedTuple

from rnn_course.judge.mistake import causes_of
from rnn_course.judge.question import Question
from rnn_course.notebook import Cell, NotebookError, read_notebook

__all__ = [
    "Release",
    "load_release",
    "questions_of",
]


class Release(NamedTuple):
    """An assignment, from the instructor's notebook."""

    name: str  # "01_vanilla": of the file, and the questions are in rnn_course.questions.vanilla
    cells: list[Cell]
    points: dict[str, float]  # of each question, in the order of the notebook
    solutions: dict[str, str]  # of each question the instructor's source of its cell
    digest: str  # of the file


def questions_of(name: str) -> dict[str, Question]:
    """Return {name: Question} of an assignment by its name, such as "01_vanilla".

    Raises: ValueError for a name that is not that of an assignment.
    """
    number, _, noun = name.partition("_")
    if not (number.isdigit() and noun.isidentifier()):
        raise ValueError(f"assignment: expected a name like 01_vanilla, got {name!r}")
    try:
        questions = importlib.import_module(f"rnn_course.questions.{noun}").QUESTIONS
        mistakes = importlib.import_module(f"rnn_course.mistakes.{noun}").MISTAKES
    except ModuleNotFoundError as error:
        raise ValueError(
            f"assignment: {name!r} has no questions, there is no {error.name}"
        ) from None
    return {
        question.name: question._replace(causes=causes_of(question.reference, mistakes))
        for question in questions
    }


def load_release(path: str | Path) -> Release:
    """Return the Release in a notebook, or in a folder with one notebook NN_name.ipynb.

    Raises: ValueError if there is no such notebook, if it has points for anything that is not a
    question, or if it is the student's version, which has no solutions.
    """
    path = Path(path)
    if path.is_dir():
        found = sorted(path.glob("[0-9][0-9]_*.ipynb"))
        if len(found) != 1:
            raise ValueError(
                f"release: expected one notebook NN_name.ipynb in {path}, found {len(found)}"
            )
        path = found[0]
    if not path.is_file():
        raise ValueError(
            f"release: expected the instructor's notebook NN_name.ipynb, there is no file {path}"
        )
    data, questions = path.read_bytes(), questions_of(path.stem)
    try:
        cells = read_notebook(data)
    except NotebookError as error:
        raise ValueError(
            f"release: expected the instructor's notebook, got {path}. {error}"
        ) from None
    points = {
        (cell.grade_id or "").removeprefix("test_"): cell.points
        for cell in cells
        if (cell.grade_id or "").startswith("test_")
    }
    if not any(points.values()) or set(points) != set(questions):
        raise ValueError(
            f"release: {path.name} has points for {sorted(points)}, expected {sorted(questions)}"
        )
    solutions = {cell.grade_id or "": cell.source for cell in cells if cell.solution}
    if any(
        "NotImplementedError" in solutions.get(name, "NotImplementedError") for name in questions
    ):
        raise ValueError(
            f"release: {path} has no solutions, "
            "expected the instructor's notebook, not the student's"
        )
    return Release(path.stem, cells, points, solutions, hashlib.sha256(data).hexdigest())
