"""Measure forward and backward of LSTM, GRU and RNN: ours, and those of other libraries.

    make bench                            prints the tables, about ten minutes
    make bench BENCH=--quick              takes a minute: fewer rounds, fewer large shapes
    make bench BENCH="--write --run 2"    stores them as run 2, updates benchmarks/README.md
                                          and figures/speed.png

`make bench` then measures a whole step of training, see benchmarks/training_step.py.

The others are PyTorch, EpyNN, numpy-ml, a plain loop, and the matrix products alone. One thread is
measured by the time of the process, two threads by the clock; each has its own process. The
implementations are called in turn, and a number is the median of its calls. Ratios are their time
/ ours: below 1.0 the other is faster. Before anything is timed, all results are compared
(`implementations.py`). `measuring.py` is what runs in the processes.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

from benchmarks.speed.figure import draw
from benchmarks.speed.implementations import CELLS, OURS, PYTORCH, installed
from benchmarks.speed.measuring import SHAPES, Row, clean_environment
from benchmarks.speed.page import OTHERS, blocks, filled
from benchmarks.speed.tables import TABLES, Tables, write_table
from rnn_tutorial.data import read_table

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "rnn_tutorial" / "results"
README = ROOT / "benchmarks" / "README.md"
FIGURE = ROOT / "figures" / "speed.png"


def rows_of(task: str, options: dict[str, Any], threads: int = 1) -> Iterator[Row]:
    """Yield the rows that one task of `measuring.py` prints in its own process.

    Raises: RuntimeError if the process fails.
    """
    command = [sys.executable, "-m", "benchmarks.speed.measuring", task, json.dumps(options)]
    with subprocess.Popen(
        command, cwd=ROOT, env=clean_environment(threads), stdout=subprocess.PIPE, text=True
    ) as process:
        yield from map(json.loads, process.stdout or ())
    if process.returncode:
        raise RuntimeError(f"{task}: its process ended with status {process.returncode}")


def run_all(quick: bool) -> Iterator[tuple[str, Row]]:
    """Yield (table, row) of all measurements."""
    for threads in (1, 2):
        yield from (
            ("speed_machine", row) for row in rows_of("machine", {"threads": threads}, threads)
        )
    yield from (("speed", row) for row in rows_of("times", {"threads": 1, "quick": quick}))
    yield from (
        ("speed", row) for row in rows_of("times", {"threads": 1, "quick": quick, "slow": True})
    )
    some = {"cells": ["LSTM"], "shapes": SHAPES[:3]} if quick else {}
    yield from (
        ("speed", row) for row in rows_of("times", {"threads": 2, "quick": quick} | some, 2)
    )
    for cell, shape, program in product(CELLS, SHAPES, (OURS, *OTHERS)):
        wanted = program in (OURS, PYTORCH) or cell == "LSTM"
        if installed(program) and wanted and not (quick and (cell, shape) != ("LSTM", SHAPES[2])):
            rows = rows_of(
                "memory", {"cell": cell, "dtype": "float32", "shape": shape, "program": program}
            )
            yield from (("speed_memory", row) for row in rows)
    yield from (("speed_growth", row) for row in rows_of("growth", {"quick": quick}))
    yield from (("speed_recompute", row) for row in rows_of("recompute", {"quick": quick}))


def measure(quick: bool, run: int) -> Tables:
    """Return the tables of a new run, and count the measurements on the terminal."""
    tables: Tables = {name: [] for name in TABLES}
    for number, (name, row) in enumerate(run_all(quick), start=1):
        tables[name].append({"run": run} | row)
        if sys.stderr.isatty():
            print(f"\r{number} measurements", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return tables


def store(tables: Tables, run: int) -> None:
    """Store the tables of a run, then update the page and the figure from all stored runs."""
    for name in TABLES:
        rows = [{k: v for k, v in row.items() if k != "run"} for row in tables[name]]
        write_table(RESULTS / f"{name}.csv", rows, run)
    show_stored()


def show_stored() -> None:
    """Update benchmarks/README.md and the figure from the stored tables."""
    tables = {name: read_table(RESULTS / f"{name}.csv") for name in TABLES}
    README.write_text(filled(README.read_text(encoding="utf-8"), blocks(tables)), encoding="utf-8")
    draw(tables).savefig(FIGURE, metadata={"Software": None})


def main() -> None:
    """Measure, print, and store with --write."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.speed", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--quick", action="store_true", help="takes a minute")
    parser.add_argument(
        "--write",
        action="store_true",
        help="store the tables, update benchmarks/README.md and the figure",
    )
    parser.add_argument("--run", type=int, default=1, help="the number of the run (default: 1)")
    arguments = parser.parse_args()
    if arguments.quick and arguments.write:
        parser.error("a quick run has not all rows, and is not stored")
    for name in (name for name in OTHERS if not installed(name)):
        print(f"{name} is not installed, and is left out")
    tables = measure(arguments.quick, arguments.run)
    shown = {name: block for name, block in blocks(tables).items() if name != "figure"}
    print("\n\n".join(f"{name}\n{block}" for name, block in shown.items()))
    if arguments.write:
        store(tables, arguments.run)


if __name__ == "__main__":
    main()
