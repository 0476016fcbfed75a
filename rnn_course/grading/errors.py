"""An exception of a submission, as much of it as may be shown.

Its message can say anything, also what the function was called with. So nothing is kept of it but a
type that Python has, and where it was raised.
"""

import builtins
import re
from collections.abc import Mapping
from typing import Any

__all__ = ["NO_ERROR", "NOT_THERE", "line_in", "not_there", "plain_error"]

KNOWN = frozenset(
    name
    for name, kind in vars(builtins).items()
    if isinstance(kind, type) and issubclass(kind, BaseException)
)
NAN = ("divide by zero", "overflow", "invalid value")  # as NumPy calls them
NO_ERROR: dict[str, Any] = {
    "type": "Exception",
    "message": "",
    "cell": None,
    "line": None,
    "library": None,
}
NOT_THERE = "library missing"


def plain_error(error: object, cells: Mapping[int, str]) -> dict[str, Any] | None:
    """Return the description of an error with the right types; None for anything else.

    cells: {number: source} of the submission. A place that is not in them is left out, and so is
    the name of a library that is not in them.
    """
    if not isinstance(error, dict):
        return None
    kinds = (text(error.get(key)) for key in ("type", "base"))
    kind = next((kind for kind in kinds if kind in KNOWN), "Exception")
    cell, line, library = error.get("cell"), error.get("line"), text(error.get("library"))
    cell = cell if type(cell) is int and cell in cells else None
    last = cells[cell].count("\n") + 1 if cell is not None else 0
    line = line if type(line) is int and 0 < line <= last else None
    message = next((word for word in NAN if word in text(error.get("message"))), "")
    named = kind == "ModuleNotFoundError" and is_imported(library, cells)
    return {
        "type": kind,
        "message": message if kind == "FloatingPointError" else "",
        "cell": cell,
        "line": line,
        "library": library if named else None,
    }


def text(value: object) -> str:
    """Return a text; "" for anything else."""
    return value if isinstance(value, str) else ""


def is_imported(library: str, cells: Mapping[int, str]) -> bool:
    """Return True if the cells import something of this name."""
    if not library.isidentifier():
        return False
    pattern = re.compile(rf"\b(import|from)\b[^\n]*\b{library}\b")
    return any(pattern.search(source) for source in cells.values())


def not_there(library: str | None) -> str:
    """Return in words that a library is not there when a notebook is graded."""
    return (
        f"It needs {library or 'a library'}, which is not there when your notebook is graded: "
        "only NumPy and the standard library are."
    )


def line_in(cells: Mapping[int, str], cell: int | None, line: int | None) -> str:
    """Return a line of the student's own source, shortened; "" if it is not known."""
    if cell is None or line is None:
        return ""
    found = cells[cell].split("\n")[line - 1].strip()
    return found if len(found) <= 80 else found[:79] + "…"
