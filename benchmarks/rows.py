"""Writing the rows of an experiment: NamedTuples of one type, which name the columns."""

import csv
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

RESULTS = Path(__file__).resolve().parents[1] / "rnn_tutorial" / "results"


def write_rows(path: Path, rows: Sequence[Any]) -> None:
    """Write the rows as a table, which `rnn_tutorial.data.read_table` reads.

    None becomes an empty field. The first line says which versions of Python and NumPy made it.
    """
    with open(path, "w", newline="", encoding="utf-8") as file:
        file.write(f"# Python {platform.python_version()}, NumPy {np.__version__}\n")
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(rows[0]._fields)
        writer.writerows(rows)


def digits(value: float, count: int = 4) -> float:
    """Return the value with this many digits, as it is stored."""
    return float(f"{value:.{count}g}")
