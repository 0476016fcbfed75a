"""The chapters, read from their notebooks: equations, functions built and used, and tests.

The recap of a chapter is a table of equation, code, package function and test. It is read here, so
that the page of a function names its equations and its tests.
"""

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from package import FOLDER, ROOT, resolve

__all__ = ["Chapter", "Row", "chapters", "equations", "expand"]

NUMBER = re.compile(r"\((\d+\.\d+)\)")
RANGE = re.compile(r"\((\d+)\.(\d+)\)(?: to |–)\(\1\.(\d+)\)")
TEST = re.compile(r"\[([^\]]+)\]\(\.\./(tests/[\w/]+\.py)\)")


class Row(NamedTuple):
    """A row of the recap of a chapter."""

    equations: tuple[str, ...]  # "10.14"
    functions: tuple[str, ...]  # "rnn_tutorial.cells.lstm.lstm_step"
    tests: tuple[tuple[str, str], ...]  # (name, file)


class Chapter(NamedTuple):
    """A chapter, and the names of the package that it builds, uses and sums up."""

    number: str  # "03"
    title: str  # "Through time"
    docname: str  # chapters/03_through_time
    prose: str
    built: frozenset[str]  # full names, as those of a row
    used: frozenset[str]
    rows: tuple[Row, ...]


@cache
def chapters() -> tuple[Chapter, ...]:
    """Return all chapters in their order."""
    return tuple(_read(path) for path in sorted((ROOT / "chapters").glob("*.ipynb")))


@cache
def equations() -> dict[str, tuple[str, str]]:
    """Return {number: (docname, TeX)} of every numbered equation: {"3.1": ("chapters/03…", …)}."""
    found = {}
    for chapter in chapters():
        for formula in re.findall(r"\$\$(.+?)\$\$", chapter.prose, flags=re.DOTALL):
            for number in re.findall(r"\\tag\{([\d.]+)\}", formula):
                found[number] = chapter.docname, _without_tags(formula)
    return found


def expand(text: str) -> list[str]:
    """Return the numbers of equations in a text; "(3.1) to (3.3)" are three of them."""
    every = RANGE.sub(
        lambda m: ", ".join(f"({m[1]}.{k})" for k in range(int(m[2]), int(m[3]) + 1)), text
    )
    return NUMBER.findall(every)


def _without_tags(formula: str) -> str:
    return re.sub(r"\s*\\tag\{[^}]*\}", "", formula).strip()


def _read(path: Path) -> Chapter:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    prose = "\n\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    code = [ast.parse("".join(c["source"])) for c in cells if c["cell_type"] == "code"]
    number, _, title = prose.partition("\n")[0].removeprefix("# ").partition(" ")
    return Chapter(
        path.name[:2],
        title or number,
        f"chapters/{path.stem}",
        prose,
        frozenset(_built(code)),
        frozenset(_used(code)),
        tuple(_rows(prose)),
    )


def _built(cells: list[ast.Module]) -> Iterator[str]:
    """Yield the names that a chapter defines and the package has; a test holds them equal."""
    for cell in cells:
        for node in cell.body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                yield from _full(node.name)


def _used(cells: list[ast.Module]) -> Iterator[str]:
    for cell in cells:
        for node in ast.walk(cell):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(FOLDER):
                for alias in node.names:
                    yield from _full(alias.name, near=node.module)


def _full(name: str, near: str = "") -> list[str]:
    """Return the full name of what the package has under this name, in a list; or no name."""
    module = resolve(name, near)
    return [f"{module}.{name}"] if module else []


def _functions(cell: str) -> list[str]:
    """Return the full names of the functions in a cell of a table, by the files of its links."""
    found = []
    for names, _, file in re.findall(r"(`[^\[\]]*`)(\]\(\.\./([\w/]+)\.py\))?", cell):
        for name in re.findall(r"`(\w+)`", names):
            found += _full(name, near=file.replace("/", "."))
    return found


def _rows(prose: str) -> Iterator[Row]:
    """Yield the rows of the recap; "the same" is what the row above says."""
    recap = prose.partition("\n## Recap")[2]
    before = Row((), (), ())
    for line in re.findall(r"^\|(.+)\|$", recap, flags=re.MULTILINE)[2:]:
        cells = re.split(r"(?<!\\)\|", line)
        if len(cells) < 4:
            continue
        equation, _, function, test = (cell.strip() for cell in (cells[0], "", *cells[-2:]))
        names = _functions(function)
        tests = [
            (name, file)
            for names_of_file, file in TEST.findall(test)
            for name in re.findall(r"`(\w+)`", names_of_file)
        ]
        if function.startswith("the same"):
            names = [*before.functions, *names]
        if test.startswith("the same"):
            tests = [*before.tests, *tests]
        before = Row(tuple(expand(equation)), tuple(names), tuple(tests))
        yield before
