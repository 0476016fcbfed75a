"""Writing the rows of an experiment: NamedTuples of one type, which name the columns."""

import argparse
import csv
import platform
from collections.abc import Callable, Iterable, Sequence
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


def rows_by_seed(
    name: str,
    doc: str | None,
    models: Iterable[str],
    seeds: Sequence[int],
    row: Callable[[str, int], Any],
    folder: Path,
) -> None:
    """Run an experiment from the command line: print row(model, seed) of each model and seed.

    With --write, store the rows in folder/name.csv. With --seed, only this seed is run.
    """
    parser = argparse.ArgumentParser(
        prog=f"python -m benchmarks.{name}", description=(doc or "").splitlines()[0]
    )
    parser.add_argument("--seed", type=int, help=f"only this seed (default: {seeds})")
    parser.add_argument("--write", action="store_true", help="store the table")
    arguments = parser.parse_args()
    if arguments.write and arguments.seed is not None:
        parser.error("--write stores the whole table: leave out --seed")
    rows = []
    for model in models:
        for seed in seeds if arguments.seed is None else (arguments.seed,):
            rows.append(row(model, seed))
            print(*rows[-1], sep="   ", flush=True)
    if arguments.write:
        write_rows(folder / f"{name}.csv", rows)
