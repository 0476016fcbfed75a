"""The adding problem at 200 steps with linear recurrences and the GRU, for chapter 23.

    python -m benchmarks.adding_200              prints the table, about fifteen minutes
    python -m benchmarks.adding_200 --seed 1     only this seed
    python -m benchmarks.adding_200 --write      also stores it in adding_200.csv

A run ends when the mean loss of its last twenty batches is below 0.005. Seconds are those of the
process on one thread, so they depend on the machine; updates do not.
"""

from typing import NamedTuple

import numpy as np

from benchmarks.gated_adding import with_bias
from benchmarks.rows import RESULTS, digits, rows_by_seed
from rnn_tutorial.cells import GRU, LRU, MinGRU
from rnn_tutorial.data import adding_problem
from rnn_tutorial.layers import Dense, Last, Layer, LinearRecurrent, Recurrent, Serial
from rnn_tutorial.speed import CLOCK
from rnn_tutorial.train import adam, clip_by_global_norm, clipped, mean_squared_error, train
from rnn_tutorial.tree import tree_size

T, BATCH, HIDDEN, LIMIT = 200, 32, 32, 600
SEEDS = 0, 1, 2
OPEN = 4  # added to the first bias of z: a gate that starts by keeping

KEEPING = with_bias(MinGRU, "z", OPEN)
READERS: dict[str, tuple[Layer, ...]] = {
    "GRU": (Recurrent(GRU, 2, HIDDEN),),
    "GRU, z 4": (Recurrent(with_bias(GRU, "z", OPEN), 2, HIDDEN),),
    "minGRU": (LinearRecurrent(MinGRU, 2, HIDDEN),),  # type: ignore[arg-type]
    "minGRU, z 4": (LinearRecurrent(KEEPING, 2, HIDDEN),),  # type: ignore[arg-type]
    "minGRU, z 4, two layers": (
        LinearRecurrent(KEEPING, 2, HIDDEN),  # type: ignore[arg-type]
        LinearRecurrent(KEEPING, HIDDEN, HIDDEN),  # type: ignore[arg-type]
    ),
    "LRU": (LinearRecurrent(LRU, 2, HIDDEN),),
}


class AddingRow(NamedTuple):
    """One training run."""

    reader: str
    seed: int  # of the weights and the batches
    weights: int
    updates: int | None  # at the end of the run; None: it was given up at the limit
    limit: int
    loss: float  # mean of the last twenty batches
    seconds: float  # of one update, the mean


def adding_model(name: str) -> Serial:
    """Return the reader, then its last step, then one number."""
    return Serial((*READERS[name], Last(), Dense(HIDDEN, 1)))


def adding_row(name: str, seed: int, limit: int = LIMIT) -> AddingRow:
    """Return the row of one run."""
    rng = np.random.default_rng(seed)
    model = adding_model(name)
    start = model.init(rng)
    batches = (adding_problem(rng, T, BATCH) for _ in range(limit))
    optimizer = clipped(adam(0.02), clip_by_global_norm, 1.0)
    losses: list[float] = []
    updates, began = None, CLOCK()
    for step in train(model, start, batches, mean_squared_error, optimizer):
        losses.append(step.loss)
        if len(losses) >= 20 and np.mean(losses[-20:]) < 0.005:
            updates = len(losses)
            break
    seconds = (CLOCK() - began) / len(losses)
    return AddingRow(
        name,
        seed,
        tree_size(start),
        updates,
        limit,
        digits(float(np.mean(losses[-20:])), 3),
        digits(seconds, 2),
    )


def main() -> None:
    """Print the table, and store it with --write."""
    rows_by_seed("adding_200", __doc__, READERS, SEEDS, adding_row, RESULTS)


if __name__ == "__main__":
    main()
