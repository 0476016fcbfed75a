"""The code cells of a notebook that anybody may have written: nothing in it is believed, and a broken one is refused in words."""

import json
from typing import NamedTuple

__all__ = [
    "CELLS_LIMIT",
    "Cell",
    "NotebookError",
    "SIZE_LIMIT",
    "cells_to_run",
    "read_cell",
    "read_notebook",
    "runs",
]

SIZE_LIMIT = 8 << 20
CELLS_LIMIT = 1000


class NotebookError(ValueError):
    """The bytes are no notebook; the message is for the student."""


class Cell(NamedTuple):
    """A code cell."""

    number: int  # among the code cells, from 1, as a reader counts them
    source: str
    grade_id: str | None = None  # nbgrader's, if the cell has one
    solution: bool = False  # the student's to change
    locked: bool = False  # ours
    points: float = 0  # of a cell of hidden tests


def read_notebook(data):
    """Return the list of Cells in the bytes of a notebook. Errors: NotebookError."""
    if len(data) > SIZE_LIMIT:
        raise NotebookError(f"The file has more than {SIZE_LIMIT >> 20} MiB: clear its outputs.")
    if not data.strip():
        raise NotebookError("The file is empty.")
    try:
        notebook = json.loads(data)
        cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        found = [read_cell(number, cell) for number, cell in enumerate(cells, 1)]
    except Exception as error:  # RecursionError, UnicodeDecodeError and whatever a wrong type makes
        raise NotebookError(
            f"The file is no notebook that can be read ({type(error).__name__})."
        ) from None
    if len(found) > CELLS_LIMIT:
        raise NotebookError(f"The file has {len(found)} cells; at most {CELLS_LIMIT} are read.")
    return found


def read_cell(number, cell):
    """Return a Cell from its JSON."""
    source = cell["source"]
    text = source if isinstance(source, str) else "".join(map(str, source))
    about = cell.get("metadata", {}).get("nbgrader", {})
    grade_id = about.get("grade_id")
    points = float(about.get("points") or 0) if about.get("grade") is True else 0.0
    solution, locked = about.get("solution") is True, about.get("locked") is True
    return Cell(number, text, None if grade_id is None else str(grade_id), solution, locked, points)


def cells_to_run(released, submitted):
    """Return the (number, source) of a submission's cells that make its functions.

    Cells of ours that check or test are left out, and ours that stay, such as imports, are taken as they were released, whatever
    the student made of them; those that the student deleted come first, with the number 0.
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


def runs(cell, ours):
    """Return False for the cells that check (grade_id check_…) and test (grade_id test_…)."""
    return not (cell.grade_id in ours and cell.grade_id.startswith(("check_", "test_")))
