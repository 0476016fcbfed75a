"""The cells of an assignment's notebook, made from those of its text.

In the text ``assignments/NN_name/NN_name.py``, a cell says in its first line what it becomes:

    # %% given="params"                 code that the student must not change
    # %% question="rnn_step"            the answer, its check and its hidden test
    # %% [markdown] words="why"         a question in words, and a cell for the answer
    # %% [markdown] predict="fading"    a cell in which the student writes a prediction
    # %% look="fading"                  code that uses the answers, not graded

All other cells stay as they are. Points, times and dates come from course.toml, and solutions from
the module of the questions.
"""

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from rnn_course.course import Assignment, Course, Late
from rnn_course.judge.question import Question, WordQuestion
from rnn_course.text import counted

__all__ = ["expand", "how_it_works", "late_in_words", "solution_source"]

HEADING = re.compile(r"^(#+ .*)$", re.MULTILINE)
CHAPTER = re.compile(r"\]\((\d\d_\w+)\.ipynb\)")


def expand(
    cells: list[NotebookNode],
    course: Course,
    assignment: Assignment,
    questions: Mapping[str, Question],
    words: Mapping[str, WordQuestion],
    general: list[str],
) -> list[NotebookNode]:
    """Return the cells of the instructor's notebook, not executed.

    cells: those of the text. questions, words: {name: Question}, {name: WordQuestion}. general: the
    sections that every notebook has after its first cell.

    Raises: ValueError if the text, course.toml and the questions do not name the same questions.
    """
    agree(cells, "question", assignment.points, questions)
    agree(cells, "words", assignment.words, words)
    made: list[NotebookNode] = []
    for cell in cells:
        match dict(cell.metadata):
            case {"question": name}:
                question = questions[name]
                made[-1].source = with_points(made[-1].source, assignment.points[name])
                made += question_cells(assignment.name, question, assignment.points[name])
            case {"words": name}:
                made += words_cells(cell.source, words[name], assignment.words[name])
            case {"given": name}:
                made.append(marked(new_code_cell(cell.source), f"given_{name}", locked=True))
            case {"look": name}:
                made.append(marked(new_code_cell(cell.source), f"check_{name}", locked=True))
            case {"predict": name}:
                made += predict_cells(cell.source)
            case _:
                made.append(deepcopy(cell))
    made[0].source = with_rows(made[0].source, assignment)
    made[1:1] = [new_markdown_cell(section) for section in general]
    for cell in made:
        if cell.cell_type == "markdown":
            cell.source = with_links(cell.source, course.book)
    return made


def agree(
    cells: list[NotebookNode], kind: str, points: Mapping[str, float], defined: Mapping[str, Any]
) -> None:
    """Raise ValueError unless the text, course.toml and the module name the same questions."""
    names = [cell.metadata[kind] for cell in cells if kind in cell.metadata]
    if not names == list(points) == list(defined):
        raise ValueError(
            f"{kind}: expected the same names in the same order in the text, in course.toml and in "
            f"the module of the questions, got {names}, {list(points)} and {list(defined)}"
        )


def question_cells(assignment: str, question: Question, points: float) -> list[NotebookNode]:
    """Return the cells of a function: the answer, its check, its hidden test."""
    name = question.name
    check = f'from rnn_course import check\n\ncheck("{assignment}", {name})'
    test = (
        f"# The hidden tests of {name}, {counted(points, 'point')}. Leave this cell as it is.\n"
        "### BEGIN HIDDEN TESTS\n"
        "from rnn_course import hidden_test\n\n"
        f'hidden_test("{assignment}", {name}, points={points:g})\n'
        "### END HIDDEN TESTS"
    )
    return [
        marked(new_code_cell(solution_source(question.reference)), name, solution=True),
        marked(new_code_cell(check), f"check_{name}", locked=True),
        marked(new_code_cell(test), f"test_{name}", locked=True, points=points),
    ]


def words_cells(text: str, question: WordQuestion, points: float) -> list[NotebookNode]:
    """Return the cells of a question in words: its text, and the answer, which has the rubric."""
    rubric = "\n".join(["Rubric:", "", *(f"- {line}" for line in question.rubric)])
    answer = marked(
        new_markdown_cell(rubric), f"words_{question.name}", solution=True, points=points
    )
    return [new_markdown_cell(with_points(text, points)), answer]


def predict_cells(text: str) -> list[NotebookNode]:
    """Return the text, if there is any, and a cell for the student's prediction."""
    texts = [text] if text.strip() else []
    return [new_markdown_cell(source) for source in [*texts, "Your prediction: …"]]


def marked(
    cell: NotebookNode,
    grade_id: str,
    *,
    solution: bool = False,
    locked: bool = False,
    points: float | None = None,
) -> NotebookNode:
    """Return the cell with the metadata that nbgrader needs."""
    about = {"grade": points is not None, "grade_id": grade_id, "locked": locked}
    about |= {} if points is None else {"points": points}
    about |= {"schema_version": 3, "solution": solution, "task": False}
    cell.metadata = NotebookNode(nbgrader=NotebookNode(about))
    return cell


def solution_source(function: Callable[..., Any]) -> str:
    """Return the source of a solution as a notebook shows it.

    Its signature has no types, and its body is marked as nbgrader's solution.

    Raises: ValueError unless the function has a docstring, which the student sees.
    """
    source = textwrap.dedent(inspect.getsource(function))
    (node,) = ast.parse(source).body
    if not isinstance(node, ast.FunctionDef) or ast.get_docstring(node) is None:
        raise ValueError(f"{function.__name__}: expected a function with a docstring")
    lines, text = source.splitlines(), node.body[0]
    return "\n".join(
        [
            f"def {node.name}({', '.join(inspect.signature(function).parameters)}):",
            *lines[text.lineno - 1 : text.end_lineno],
            "    ### BEGIN SOLUTION",
            *lines[text.end_lineno :],
            "    ### END SOLUTION",
        ]
    )


def with_points(text: str, points: float) -> str:
    """Return the text with the points after its first heading.

    Raises: ValueError for a text without a heading.
    """
    if not HEADING.search(text):
        raise ValueError(f"expected a heading above a question, got {text[:60]!r}")
    return HEADING.sub(rf"\1 ({counted(points, 'point')})", text, count=1)


def with_rows(text: str, assignment: Assignment) -> str:
    """Return the first cell with the rows Time, Points and Due at the end of its table.

    Raises: ValueError if it has no table.
    """
    rows = re.findall(r"^\|.*\|$", text, re.MULTILINE)
    if not rows:
        raise ValueError(f"{assignment.name}: expected a table in the first cell")
    functions, words = sum(assignment.points.values()), sum(assignment.words.values())
    parts = f", {functions:g} for functions and {words:g} for answers in words" if words else ""
    due = assignment.due
    own = [
        f"| Time | {counted(assignment.hours, 'hour')} |",
        f"| Points | {assignment.out_of:g}{parts} |",
        f"| Due | {due.day} {due:%B %Y, %H:%M} ({due.tzname()}) |",
    ]
    return text.replace(rows[-1], "\n".join([rows[-1], *own]))


def with_links(text: str, book: str) -> str:
    """Return the text with its links to chapters made right for a notebook in build/assignments.

    book: the address of the book's site, or "": then they are links to the repository's chapters.
    """
    link = rf"]({book}/chapters/\1.html)" if book else r"](../../../chapters/\1.ipynb)"
    return CHAPTER.sub(link, text)


def how_it_works(text: str, values: Mapping[str, str]) -> list[str]:
    """Return the sections of how_it_works.md, with the values filled in.

    A section begins with a heading of the second level. What is before the first of them is for the
    lecturer.
    """
    sections = re.split(r"^(?=## )", text, flags=re.MULTILINE)[1:]
    return [section.strip().format_map(values) for section in sections]


def late_in_words(late: Late) -> str:
    """Return the rule for late work in sentences."""
    days = "1 free late day" if late.free_days == 1 else f"{late.free_days} free late days"
    return " ".join(
        [
            f"You have {days} over the whole course.",
            f"Each late day beyond them costs {late.percent_per_day:g} % of the points that you "
            "earned.",
            f"What is more than {late.last_day} days late earns nothing.",
            "A day that has begun counts as a day.",
        ]
    )
