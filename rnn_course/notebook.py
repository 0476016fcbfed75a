"""The code cells of a notebook that anybody may have written: everything is checked."""

import json
from typing import Any, NamedTuple

__all__ = [
    "Cell",
    "NotebookError",
    "SIZE_LIMIT",
    "cells_to_run",
    "read_notebook",
]

SIZE_LIMIT = 8 << 20
CELLS_LIMIT = 1000


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


def read_notebook(data: bytes) -> list[Cell]:
    """Return the list of Cells in the bytes of a notebook.

    Raises: NotebookError for anything that is not a notebook, or is too large.
    """
    if len(data) > SIZE_LIMIT:
        raise NotebookError(f"The file has more than {SIZE_LIMIT >> 20} MiB: clear its outputs.")
    if not data.strip():
        raise NotebookError("The file is empty.")
    try:
        notebook = json.loads(data)
        cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        found = [read_cell(number, cell) for number, cell in enumerate(cells, 1)]
    except Exception as error:  # RecursionError, UnicodeDecodeError, whatever a wrong type causes
        raise NotebookError(
            f"The file is no notebook that can be read ({type(error).__name__})."
        ) from None
    if len(found) > CELLS_LIMIT:
        raise NotebookError(f"The file has {len(found)} cells; at most {CELLS_LIMIT} are read.")
    return found


def read_cell(number: int, cell: dict[str, Any]) -> Cell:
    """Return a Cell from its JSON."""
    source = cell["source"]
    text = source if isinstance(source, str) else "".join(map(str, source))
    about = cell.get("metadata", {}).get("nbgrader", {})
    grade_id = about.get("grade_id")
    points = float(about.get("points") or 0) if about.get("grade") is True else 0.0
    solution, locked = about.get("solution") is True, about.get("locked") is True
    return Cell(number, text, None if grade_id is None else str(grade_id), solution, locked, points)


def cells_to_run(released: list[Cell], submitted: list[Cell]) -> list[tuple[int, str]]:
    """Return the (number, source) of a submission's cells that define its functions.

    Cells of the release that check or test are left out. Other locked cells of the release, such as
    imports, are run as they were released, whatever the student changed in them. Those that the
    student deleted come first, with the number 0.
    """
    ours = {cell.grade_id: cell for cell in released if cell.locked and not cell.solution}
    run = [
        (cell.number, ours[cell.grade_id].source if cell.grade_id in ours else cell.source)
        for cell in submitted
        if runs(cell, ours)
    ]
    there = {cell.grade_id for cell in submitted}
    deleted = [
        (0, cell.source)
        for cell in ours.values()
        if cell.grade_id not in there and runs(cell, ours)
    ]
    return deleted + run


def runs(cell: Cell, ours: dict[str | None, Cell]) -> bool:
    """Return False for the release's cells that check (check_…) and test (test_…)."""
    return not (cell.grade_id in ours and (cell.grade_id or "").startswith(("check_", "test_")))
