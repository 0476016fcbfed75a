"""What the tests of the chapters share: where the chapters are, and how to look into them."""

import re
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[2]
TEXTS = sorted((ROOT / "chapters").glob("*.md"))
NOTEBOOKS = sorted((ROOT / "chapters").glob("*.ipynb"))


def chapter_name(path: Path) -> str:
    """The name under which a test reports a chapter."""
    return path.stem


def read(notebook: Path) -> nbformat.NotebookNode:
    """A stored notebook with its outputs."""
    return nbformat.read(notebook, as_version=4)


def code_cells(notebook: nbformat.NotebookNode) -> list:
    """The code cells of a notebook, in order."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tags(cell) -> set[str]:
    """The tags of a cell."""
    return set(cell.metadata.get("tags", []))


def prose(notebook: nbformat.NotebookNode) -> str:
    """The Markdown of a notebook as one text."""
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def output_texts(cell) -> list[str]:
    """Every text that a code cell has stored."""
    streams = [output.text for output in cell.outputs if "text" in output]
    values = [output.data.get("text/plain", "") for output in cell.outputs if "data" in output]
    return streams + values


def without_code(markdown: str) -> str:
    """Markdown without its fenced blocks and inline code."""
    without_blocks = re.sub(r"^(```+|~~~+).*?^\1", "", markdown, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"(`+)[^`].*?\1", "", without_blocks)


def chapter_number(path: Path) -> int:
    """The number that a chapter's file name begins with."""
    return int(path.name[:2])
