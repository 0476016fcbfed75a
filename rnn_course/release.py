"""What a class was given: the instructor's notebook of an assignment, and its questions."""

import hashlib
import importlib
import json
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from rnn_course.judge.mistake import causes_of
from rnn_course.judge.question import Question, WordQuestion
from rnn_course.notebook import Cell, NotebookError, read_notebook

__all__ = [
    "Release",
    "load_release",
    "questions_of",
    "words_of",
]


class Release(NamedTuple):
    """An assignment, from the instructor's notebook."""

    name: str  # "01_vanilla": of the file, and the questions are in rnn_course.questions.vanilla
    title: str  # its heading: "Assignment 1: …"
    cells: list[Cell]
    points: dict[str, float]  # of each function, in the order of the notebook
    words: dict[str, float]  # the points of each question in words, graded by hand
    texts: dict[str, str]  # of each question, functions and words, the Markdown above its answer
    solutions: dict[str, str]  # of each function the instructor's source of its cell
    digest: str  # of what its cells are, not of what they have printed


def questions_of(name: str) -> dict[str, Question]:
    """Return {name: Question} of an assignment by its name, such as "01_vanilla".

    The causes of a question are the mistakes in its solution, and in all solutions that it calls. A
    question with a score has none: its answers are tried, not compared.

    Raises: ValueError for a name that is not that of an assignment.
    """
    mistakes = module_of("mistakes", name).MISTAKES
    return {
        question.name: question
        if question.scoring
        else question._replace(causes=causes_of(question.reference, mistakes))
        for question in module_of("questions", name).QUESTIONS
    }


def words_of(name: str) -> dict[str, WordQuestion]:
    """Return {name: WordQuestion} of an assignment by its name.

    Raises: ValueError for a name that is not that of an assignment.
    """
    return {question.name: question for question in module_of("questions", name).WORDS}


def module_of(folder: str, name: str) -> ModuleType:
    """Return the module of an assignment in a folder of the package, "questions" or "mistakes".

    Raises: ValueError for a name that is not that of an assignment.
    """
    number, _, noun = name.partition("_")
    if not (number.isdigit() and noun.isidentifier()):
        raise ValueError(f"assignment: expected a name like 01_vanilla, got {name!r}")
    module = f"rnn_course.{folder}.{noun}"
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        raise ValueError(f"assignment: {name!r} has no questions, there is no {module}") from None


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
    title, texts, words = prose_of(json.loads(data)["cells"])
    if set(words) != set(words_of(path.stem)):
        raise ValueError(
            f"release: {path.name} has questions in words {sorted(words)}, "
            f"expected {sorted(words_of(path.stem))}"
        )
    digest = hashlib.sha256(repr((title, cells, words, texts)).encode()).hexdigest()
    return Release(path.stem, title, cells, points, words, texts, solutions, digest)


def prose_of(cells: list[dict[str, Any]]) -> tuple[str, dict[str, str], dict[str, float]]:
    """Return (title, texts, words) of a notebook's cells, as JSON: see Release."""
    texts: dict[str, str] = {}
    words: dict[str, float] = {}
    title = above = ""
    for cell in cells:
        about = cell["metadata"].get("nbgrader", {})
        if about.get("solution"):
            name = about["grade_id"].removeprefix("words_")
            texts[name] = above
            if about.get("grade"):
                words[name] = float(about["points"])
        elif cell["cell_type"] == "markdown":
            above = "".join(cell["source"])
            title = title or above.split("\n")[0].lstrip("# ")
    return title, texts, words
