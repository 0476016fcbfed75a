"""Stored results of experiments that take too long for a chapter; they come with the package."""

import csv
from importlib.resources import files
from os import PathLike
from pathlib import Path
from typing import Any

__all__ = [
    "read_table",
    "stored_result",
]


def stored_result(name: str) -> Path:
    """Return the path of a stored result, such as "parts.csv".

    The scripts in benchmarks/ make these files, and benchmarks/README.md says what they hold.

    Raises: FileNotFoundError, with the names that exist, for any other name.

    Example:
    >>> stored_result("reber.csv").name
    'reber.csv'
    """
    folder = Path(str(files("rnn_tutorial") / "results"))
    names = sorted(path.name for path in folder.iterdir())
    if name not in names:
        raise FileNotFoundError(
            f"name: expected a stored result ({', '.join(names)}), got {name!r}"
        )
    return folder / name


def read_table(path: str | PathLike[str]) -> list[dict[str, Any]]:
    """Return the rows of a stored table, each a dict with the names of the columns.

    A text that is a number becomes a number, an empty one None. Lines that begin with # are notes.

    Example:
    >>> read_table(stored_result("reber.csv"))[0]["presentations"]
    7168
    """
    with open(path, newline="", encoding="utf-8") as file:
        lines = (line for line in file if not line.startswith("#"))
        return [{name: _value(text) for name, text in row.items()} for row in csv.DictReader(lines)]


def _value(text: str) -> int | float | str | None:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text or None
