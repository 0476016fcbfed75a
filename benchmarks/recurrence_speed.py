"""Loop, chunks and scan: the seconds of one linear recurrence, for chapter 23.

    python -m benchmarks.recurrence_speed            prints the table, a few minutes
    python -m benchmarks.recurrence_speed --write    also stores it in recurrence_speed.csv

One thread, float64. The ways are called in turn, and a row has the medians. `chunks` has about the
square root of T steps in a chunk.
"""

import argparse
from typing import NamedTuple

import numpy as np

from benchmarks.rows import RESULTS, digits, write_rows
from rnn_tutorial.sequence import associative_scan, chunked_recurrence, linear_recurrence
from rnn_tutorial.speed import typical

WAYS = {"loop": linear_recurrence, "chunks": chunked_recurrence, "scan": associative_scan}
LENGTHS = 100, 1_000, 10_000
WIDTHS = 1, 16, 256, 2_048  # B * H
MOST = 10_000 * 256  # numbers in one array; larger ones take long and are left out


class SpeedRow(NamedTuple):
    """One size."""

    T: int
    width: int  # B * H
    loop: float  # microseconds of a step, in the loop
    chunks: float  # times as long as the loop
    scan: float  # the same


def speed_row(T: int, width: int, rounds: int = 9) -> SpeedRow:
    """Return the row of one size."""
    rng = np.random.default_rng(0)
    a, b = rng.uniform(0.5, 1, (T, 1, width)), rng.standard_normal((T, 1, width))
    h = np.zeros((1, width))
    programs = {name: lambda way=way: way(a, b, h) for name, way in WAYS.items()}
    seconds = typical(programs, rounds=rounds)
    loop = seconds["loop"]
    ratios = (digits(seconds[name] / loop, 2) for name in ("chunks", "scan"))
    return SpeedRow(T, width, digits(1e6 * loop / T, 2), *ratios)


def main() -> None:
    """Print the table, and store it with --write."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.recurrence_speed", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--write", action="store_true", help="store the table")
    arguments = parser.parse_args()
    rows = []
    for T in LENGTHS:
        for width in WIDTHS:
            if T * width <= MOST:
                rows.append(speed_row(T, width))
                print(*rows[-1], sep="   ", flush=True)
    if arguments.write:
        write_rows(RESULTS / "recurrence_speed.csv", rows)


if __name__ == "__main__":
    main()
