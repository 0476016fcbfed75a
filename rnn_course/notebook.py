"""The cells of a notebook that anybody may have written: everything is checked."""

import json
from typing import Any, NamedTuple

__all__ = [
    "SIZE_LIMIT",
    "Cell",
    "Notebook",
    "NotebookError",
    "open_notebook",
    "read_notebook",
]

SIZE_LIMIT = 16 << 20
CELLS_LIMIT = 1000
TEXTS = ("markdown", "raw", "heading")  # cells without code


class NotebookError(ValueError):
    """The bytes are not a notebook; the message is for the student."""


class Cell(NamedTuple):
    """A code cell."""

    number: int  # among the code cells, from 1, as a reader counts them
    source: str
    grade_id: str | None = None  # nbgrader's, if the cell has one
    solution: bool = False  # True if the student is to change it
    locked: bool = False  # True if the student must not change it
    points: float = 0  # of a cell of hidden tests


class Notebook(NamedTuple):
    """What the bytes of a notebook hold."""

    cells: list[Cell]
    texts: dict[str, str]  # of the cells without code that have a grade_id, their text
    left_out: list[tuple[int, str]]  # the number of a cell that cannot be read, and why


def read_notebook(data: bytes) -> list[Cell]:
    """Return the list of code Cells in the bytes of a notebook; see `open_notebook`."""
    return open_notebook(data).cells


def open_notebook(data: bytes) -> Notebook:
    """Return the Notebook in the bytes of a file. A cell that cannot be read is left out.

    Raises: NotebookError for anything that is not a notebook, or is too large.
    """
    if len(data) > SIZE_LIMIT:
        raise NotebookError(
            f"The file has more than {SIZE_LIMIT >> 20} MiB, most of it in outputs: clear them, "
            "and hand it in again."
        )
    if not data.strip():
        raise NotebookError("The file is empty.")
    try:
        notebook = json.loads(data)
    except Exception as error:  # RecursionError, UnicodeDecodeError, whatever JSON can cause
        raise NotebookError(
            f"The file is no notebook that can be read ({type(error).__name__})."
        ) from None
    return cells_of(raw_cells(notebook))


def raw_cells(notebook: Any) -> list[Any]:
    """Return the cells of a notebook as they are in its JSON.

    Raises: NotebookError if there are none, or too many.
    """
    if isinstance(notebook, dict) and "worksheets" in notebook:
        raise NotebookError(
            "The notebook has the old format 3, in worksheets. Open it in Jupyter, save it, and "
            "hand it in again."
        )
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list):
        raise NotebookError("The file is no notebook that can be read (it has no list of cells).")
    if len(cells) > CELLS_LIMIT:
        raise NotebookError(f"The file has {len(cells)} cells; at most {CELLS_LIMIT} are read.")
    return cells


def cells_of(raw: list[Any]) -> Notebook:
    """Return the Notebook of raw cells. A cell of an unknown kind counts as a code cell."""
    notebook, number = Notebook([], {}, []), 0
    for cell in raw:
        kind = cell.get("cell_type") if isinstance(cell, dict) else None
        text = source_of(cell)
        if kind in TEXTS:
            grade_id = about(cell)[0]
            if text is not None and grade_id is not None:
                before = notebook.texts.get(grade_id)
                notebook.texts[grade_id] = text if before is None else f"{before}\n\n{text}"
            continue
        number += 1
        if kind != "code":
            notebook.left_out.append((number, "It is neither code nor text, and was left out."))
        elif text is None:
            notebook.left_out.append((number, "It has no source that can be read: left out."))
        else:
            notebook.cells.append(Cell(number, text, *about(cell)))
    return notebook


def source_of(cell: Any) -> str | None:
    """Return the source of a cell: a text, or a list of texts; None if it is anything else."""
    source = cell.get("source") if isinstance(cell, dict) else None
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str):
        return None
    return source.replace("\r\n", "\n").replace("\r", "\n")


def about(cell: dict[str, Any]) -> tuple[str | None, bool, bool, float]:
    """Return (grade_id, solution, locked, points) from nbgrader's metadata, if there are any."""
    metadata = cell.get("metadata")
    found = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    if not isinstance(found, dict):
        return None, False, False, 0.0
    name, points = found.get("grade_id"), found.get("points")
    worth = 0.0
    if isinstance(points, (int, float)) and 0 <= points < 1e6 and found.get("grade") is True:
        worth = float(points)
    grade_id = name if isinstance(name, str) else None
    return grade_id, found.get("solution") is True, found.get("locked") is True, worth
