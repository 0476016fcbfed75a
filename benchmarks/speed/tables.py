"""The stored tables of the benchmark: reading, writing, and the numbers computed from them."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.speed.flops import flops
from benchmarks.speed.implementations import CELLS
from benchmarks.speed.measuring import PRODUCTS, Row
from rnn_tutorial.data import read_table

TABLES = "speed", "speed_machine", "speed_memory", "speed_growth", "speed_recompute"
Tables = dict[str, list[Row]]


def write_table(path: Path, rows: list[Row], run: int) -> None:
    """Write the rows under a run number; the stored rows of other runs are kept."""
    others = [row for row in read_table(path) if row["run"] != run] if path.exists() else []
    rows = sorted(others + [{"run": run} | row for row in rows], key=lambda row: row["run"])
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def pick(rows: list[Row], **wanted: Any) -> list[Row]:
    """Return the rows in which these fields have these values."""
    return [row for row in rows if all(row[name] == value for name, value in wanted.items())]


def at_shape(shape: Sequence[int]) -> dict[str, int]:
    """Return a shape (B, T, D, H) as fields of a row."""
    return dict(zip("BTDH", shape))


def ratios(tables: Tables, program: str, threads: int = 1, **where: Any) -> list[float]:
    """Return the ratios, time of the program / ours, one for each run."""
    return [
        row["ms"] / row["ours_ms"]
        for row in pick(tables["speed"], program=program, threads=threads, **where)
    ]


def rates(tables: Tables, cell: str, dtype: str, shape: Sequence[int]) -> list[tuple[float, float]]:
    """Return (GFLOP/s of ours, share of the best large product) of each run, one thread."""
    amount, found = flops(len(CELLS[cell].gates), shape), []
    for row in pick(
        tables["speed"], threads=1, cell=cell, dtype=dtype, program=PRODUCTS, **at_shape(shape)
    ):
        (best,) = pick(tables["speed_machine"], threads=1, fact=f"GFLOP/s {dtype}", run=row["run"])
        rate = amount / row["ours_ms"] / 1e6
        found.append((rate, rate / best["value"]))
    return found


def median(values: Sequence[float], digits: str = ".2f") -> str:
    """Return the median as text, or – if there is no value."""
    return f"{np.median(values):{digits}}" if values else "–"


def median_and_range(values: Sequence[float], digits: str = ".2f") -> str:
    """Return the median as text; with several values also the smallest and the largest."""
    several = f" ({min(values):{digits}}–{max(values):{digits}})" if len(values) > 1 else ""
    return median(values, digits) + several
