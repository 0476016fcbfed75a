"""The chapters for the tests: where they are, and how to read their cells."""

import re
from functools import cache
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[2]
TEXTS = sorted((ROOT / "chapters").glob("*.md"))
NOTEBOOKS = sorted((ROOT / "chapters").glob("*.ipynb"))


def chapter_name(path: Path) -> str:
    """Return the name under which a test reports a chapter."""
    return path.stem


def read(notebook: Path) -> nbformat.NotebookNode:
    """Return a stored notebook with its outputs."""
    return nbformat.read(notebook, as_version=4)


@cache
def chapter(notebook: Path) -> nbformat.NotebookNode:
    """Return a stored notebook, read once, for tests that only look at it."""
    return read(notebook)


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """Return the code cells of a notebook, in order."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tags(cell: nbformat.NotebookNode) -> set[str]:
    """Return the tags of a cell."""
    return set(cell.metadata.get("tags", []))


def prose(notebook: nbformat.NotebookNode) -> str:
    """Return the Markdown of a notebook as one text."""
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def output_texts(cell: nbformat.NotebookNode) -> list[str]:
    """Return every text that a code cell has stored."""
    streams = [output.text for output in cell.outputs if "text" in output]
    values = [output.data.get("text/plain", "") for output in cell.outputs if "data" in output]
    return streams + values


def without_code(markdown: str) -> str:
    """Return Markdown without its fenced blocks and inline code."""
    without_blocks = re.sub(r"^(```+|~~~+).*?^\1", "", markdown, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"(`+)[^`].*?\1", "", without_blocks)


def chapter_number(path: Path) -> int:
    """Return the number at the start of a chapter's file name."""
    return int(path.name[:2])
