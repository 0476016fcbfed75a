"""The statements of a notebook, and which of them its answers need.

It needs the standard library alone: the worker in the sandbox imports it. A notebook is more than
its answers: plots, trials, long trainings. An answer needs the statements that bind the names which
it loads, and those that these need in turn. The names are read off the compiled code; nothing is
run here.
"""

import __future__

import ast
import dis
import re
from collections.abc import Iterable, Iterator
from types import CodeType
from typing import Any, NamedTuple

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
IMPORTS = (ast.Import, ast.ImportFrom)


class Statement(NamedTuple):
    """A statement of the outermost level of a cell."""

    cell: int
    tree: ast.stmt
    code: CodeType
    binds: frozenset[str]  # the names that it gives a value
    loads: frozenset[str]  # the global names that it, or a function in it, uses
    touches: frozenset[str]  # the names of what it may change in place

    @property
    def essence(self) -> tuple[Any, ...]:
        """What the statement does, the same for the same code at another place."""
        return essence_of(self.code)


def statements_of(number: int, source: str, flags: int = 0) -> list[Statement]:
    """Return the list of Statements of a cell.

    Raises: SyntaxError, and what else the compiler raises, for what is not Python.
    """
    name = f"<cell {number}>"
    tree = compile(source, name, "exec", ast.PyCF_ONLY_AST | flags, dont_inherit=True)
    return [statement(number, name, one, flags) for whole in tree.body for one in apart(whole)]


def statement(number: int, name: str, tree: ast.stmt, flags: int) -> Statement:
    """Return the Statement of a tree."""
    code = compile(ast.Module([tree], []), name, "exec", flags, dont_inherit=True)
    binds, loads = frozenset(bound(code)), frozenset(loaded(code))
    return Statement(number, tree, code, binds, loads, frozenset(touched(tree)))


def apart(tree: ast.stmt) -> Iterator[ast.stmt]:
    """Yield the statement, an import of several names name by name: one of them may be missing."""
    if isinstance(tree, ast.Import):
        yield from (ast.copy_location(ast.Import([name]), tree) for name in tree.names)
    elif isinstance(tree, ast.ImportFrom):
        yield from (
            ast.copy_location(ast.ImportFrom(tree.module, [name], tree.level), tree)
            for name in tree.names
        )
    else:
        yield tree


def bound(code: CodeType, outermost: bool = True) -> Iterator[str]:
    """Yield the global names that code gives a value."""
    names = ("STORE_NAME", "DELETE_NAME") if outermost else ()
    for step in dis.get_instructions(code):
        if step.opname in (*names, "STORE_GLOBAL", "DELETE_GLOBAL"):
            yield step.argval
    for inner in inner_codes(code):
        yield from bound(inner, outermost=False)


def loaded(code: CodeType) -> Iterator[str]:
    """Yield the global names that code uses."""
    for step in dis.get_instructions(code):
        if step.opname.startswith("LOAD_") and ("NAME" in step.opname or "GLOBAL" in step.opname):
            yield step.argval
    for inner in inner_codes(code):
        yield from loaded(inner)


def inner_codes(code: CodeType) -> Iterator[CodeType]:
    """Yield the code of the functions and classes in code."""
    yield from (constant for constant in code.co_consts if isinstance(constant, CodeType))


def essence_of(code: CodeType) -> tuple[Any, ...]:
    """Return all of code but its place."""
    constants = (
        essence_of(one) if isinstance(one, CodeType) else (type(one), one) for one in code.co_consts
    )
    names = code.co_name, code.co_names, code.co_varnames, code.co_freevars
    return (*names, code.co_code, *constants)


def touched(tree: ast.AST) -> Iterator[str]:
    """Yield the names of what a statement may change in place: a[k] = …, a.b = …, a.f(…), f(a)."""
    if isinstance(tree, FUNCTIONS):
        return
    if isinstance(tree, (ast.Subscript, ast.Attribute)) and not isinstance(tree.ctx, ast.Load):
        yield from base(tree)
    if isinstance(tree, ast.Call):
        for value in (tree.func, *tree.args):
            yield from base(value) if value is not tree.func or not is_name(value) else ()
    for child in ast.iter_child_nodes(tree):
        yield from touched(child)


def is_name(tree: ast.AST) -> bool:
    """Return True for a name without anything behind it."""
    return isinstance(tree, ast.Name)


def base(tree: ast.AST) -> Iterator[str]:
    """Yield `a` for a, a.b, a[k] and what is made of these."""
    while isinstance(tree, (ast.Subscript, ast.Attribute)):
        tree = tree.value
    if isinstance(tree, ast.Name):
        yield tree.id


def future_flags(sources: Iterable[str]) -> int:
    """Return the compiler's flags of cells: an import from __future__ counts for all of them."""
    pattern = re.compile(r"^\s*from\s+__future__\s+import\s.*\bannotations\b", re.MULTILINE)
    return __future__.annotations.compiler_flag if any(map(pattern.search, sources)) else 0


STAR = "import *"
CODE = re.compile(r"^\s*[^\s#]", re.MULTILINE)


def words_of(source: str) -> set[str]:
    """Return the words in a source, all its names too, and STAR for `from … import *`."""
    star = {STAR} if re.search(r"\bimport\s*\*", source) else set()
    return set(re.findall(r"\w+", source)) | star


def has_code(source: str) -> bool:
    """Return False if there is nothing but comments."""
    return CODE.search(source) is not None


class Needs:
    """What the answers need so far: it grows until nothing new is found."""

    def __init__(self, questions: Iterable[str]) -> None:
        """Begin with the names of the questions."""
        self.names = set(questions)
        self.data: set[str] = set()  # those of the names that were bound by an assignment

    def has(self, statement: Statement) -> bool:
        """Return True if the answers need the statement."""
        whole = isinstance(statement.tree, ast.ImportFrom) and statement.tree.names[0].name == "*"
        return whole or bool(statement.binds & self.names or statement.touches & self.data)

    def add(self, statement: Statement) -> None:
        """Add what the statement needs."""
        self.names |= statement.loads
        if not isinstance(statement.tree, (*FUNCTIONS, *IMPORTS)):
            self.data |= statement.binds


def needed(parts: dict[int, list[Statement]], needs: Needs) -> set[int]:
    """Return the identities of the statements that are needed; `needs` grows."""
    found: set[int] = set()
    every = [one for statements in parts.values() for one in statements]
    while new := [one for one in every if id(one) not in found and needs.has(one)]:
        for one in new:
            found.add(id(one))
            needs.add(one)
    return found
