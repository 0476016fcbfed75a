"""Answers that are the same: files, code, and code of the book or of the instructor.

Two answers have the same code if their trees are equal without comments, docstrings, type hints,
layout and the names of local variables.

A short answer proves nothing. Of the 4,400 functions of this repository, functions with other names
are equal by chance only if they have one or two statements (3 % and 1 % of them). Students answer
the same question, so that more is equal by chance there: twice that and more is asked for.
"""

import ast
import hashlib
import textwrap
from collections.abc import Hashable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, TypeVar

from rnn_course.report.gradebook import table
from rnn_course.report.page import page

__all__ = [
    "LEAST",
    "Same",
    "alike",
    "code_of",
    "digest",
    "functions_in",
    "similar_csv",
    "similar_html",
]

LEAST = 6  # statements

What = TypeVar("What", bound=Hashable)


class Same(NamedTuple):
    """Some students whose answers are the same."""

    question: str  # "" for the whole file
    kind: str
    statements: int  # 0 for the whole file
    students: tuple[str, ...]


class Code(NamedTuple):
    """A function, as it is compared."""

    form: str
    statements: int


def code_of(source: str) -> dict[str, Code]:
    """Return {name: Code} of the functions in a source; nothing if it cannot be read."""
    try:
        tree = ast.parse(textwrap.dedent(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    try:
        return {node.name: form_of(node) for node in tree.body if isinstance(node, ast.FunctionDef)}
    except RecursionError:
        return {}


def form_of(function: ast.FunctionDef) -> Code:
    """Return the Code of a function.

    Local names, the function's own and those of the arguments are numbered in the order of their
    first use. Docstrings and type hints are removed.
    """
    function.decorator_list, function.returns = [], None
    for node in ast.walk(function):
        if isinstance(node, ast.arg):
            node.annotation = None
        if isinstance(node, ast.FunctionDef):
            node.returns = None
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and docstring(node.body):
            node.body = node.body[1:] or [ast.Pass()]
    own = {function.name} | {node.arg for node in ast.walk(function) if isinstance(node, ast.arg)}
    own |= {
        node.id
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    numbers: dict[str, str] = {}
    function = Numbered(own, numbers).visit(function)
    statements = sum(isinstance(node, ast.stmt) for node in ast.walk(function)) - 1
    return Code(ast.dump(function), statements)


def docstring(body: list[ast.stmt]) -> bool:
    """Return True if a body begins with a text that nobody uses."""
    first = body[0] if body else None
    return (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    )


class Numbered(ast.NodeTransformer):
    """Numbers in place of own names, and `x: int = 1` as `x = 1`."""

    def __init__(self, own: set[str], numbers: dict[str, str]) -> None:
        self.own, self.numbers = own, numbers

    def number(self, name: str) -> str:
        """Return what replaces a name."""
        return self.numbers.setdefault(name, f"v{len(self.numbers)}") if name in self.own else name

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """Return the function under a number, and what is in it."""
        node.name = self.number(node.name)
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        """Return the argument under a number."""
        node.arg = self.number(node.arg)
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """Return the name, or its number."""
        node.id = self.number(node.id)
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        """Return the assignment without its type; nothing to do if it is a type alone."""
        if node.value is None:
            return ast.Pass()
        return self.generic_visit(ast.Assign([node.target], node.value))


def functions_in(folder: Path) -> dict[str, str]:
    """Return {form: "chapter 03"} of the functions that the chapters of the book define."""
    found: dict[str, str] = {}
    for path in sorted(folder.glob("[0-9][0-9]_*.md")):
        for cell in cells_in(path.read_text(encoding="utf-8")):
            for code in code_of(cell).values():
                found.setdefault(code.form, f"chapter {path.stem[:2]}")
    return found


def cells_in(text: str) -> Iterator[str]:
    """Yield the code cells of a chapter's text."""
    for part in text.split("```{code-cell}")[1:]:
        yield "\n".join(
            line for line in part.partition("```")[0].splitlines()[1:] if not line.startswith(":")
        )


def alike(
    files: Mapping[str, bytes],
    sources: Mapping[str, Mapping[str, str]],
    solutions: Mapping[str, str],
    book: Mapping[str, str],
) -> list[Same]:
    """Return the groups of students whose files or answers are the same.

    files: the digest of each student's file.
    sources: {student: {question: source of the answer}}.
    solutions: the instructor's source of each question; book: see functions_in.
    """
    found = [
        Same("", "the same file", 0, tuple(sorted(students)))
        for students in grouped(files.items()).values()
        if len(students) > 1
    ]
    for question in solutions:
        answers = {
            student: own_code
            for student, own in sources.items()
            if (own_code := code_of(own.get(question, "")).get(question))
            and own_code.statements >= LEAST
        }
        ours = code_of(solutions[question]).get(question)
        for code, whose in grouped(answers.items()).items():
            who = tuple(sorted(whose))
            if code.form in book:
                found.append(Same(question, f"the code of {book[code.form]}", code.statements, who))
            if ours and code.form == ours.form:
                found.append(Same(question, "the instructor's code", code.statements, who))
            elif len(who) > 1:
                found.append(Same(question, "the same code", code.statements, who))
    return found


def grouped(pairs: Iterable[tuple[str, What]]) -> dict[What, list[str]]:
    """Return {what: [who, …]} of pairs (who, what), in the order of what comes first."""
    groups: dict[What, list[str]] = {}
    for who, what in sorted(pairs, key=lambda pair: pair[0]):
        groups.setdefault(what, []).append(who)
    return groups


def digest(data: bytes) -> bytes:
    """Return what stands for the bytes of a file when files are compared."""
    return hashlib.sha256(data).digest()


def similar_csv(found: list[Same]) -> str:
    """Return the groups as CSV."""
    rows = [[*same[:3], "; ".join(same.students)] for same in found]
    return table([["question", "what is the same", "statements", "students"], *rows])


def similar_html(found: list[Same], title: str) -> str:
    """Return the groups as a page."""
    return page("similar.html", title=title, rows=found, least=LEAST)
