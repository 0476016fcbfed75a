"""Parity at every step, learned at 40 steps and tested at 40 and 400, for chapter 23.

    python -m benchmarks.parity              prints the table, about five minutes
    python -m benchmarks.parity --seed 1     only this seed
    python -m benchmarks.parity --write      also stores it in parity.csv

A run ends when the loss of its last twenty batches is below 0.01 in each, or at the limit.
"""

from typing import NamedTuple

import numpy as np

from benchmarks.rows import RESULTS, digits, rows_by_seed
from rnn_tutorial.activations import tanh
from rnn_tutorial.cells import GRU, LRU, LSTM, Elman, MinGRU, min_gru
from rnn_tutorial.data import running_parity
from rnn_tutorial.layers import Dense, Layer, LinearRecurrent, Recurrent, Serial
from rnn_tutorial.train import adam, clip_by_global_norm, clipped, softmax_cross_entropy, train
from rnn_tutorial.types import Rng

T, BATCH, HIDDEN, LIMIT = 40, 32, 16, 2_000
SEEDS = 0, 1, 2
TURNING = min_gru(z=tanh)

READERS: dict[str, tuple[Layer, ...]] = {
    "a in (0, 1)": (LinearRecurrent(MinGRU, 1, HIDDEN),),
    "a in (0, 1), two layers": (
        LinearRecurrent(MinGRU, 1, HIDDEN),
        LinearRecurrent(MinGRU, HIDDEN, HIDDEN),
    ),
    "LRU": (LinearRecurrent(LRU, 1, HIDDEN),),
    "a in (-1, 1)": (LinearRecurrent(TURNING, 1, HIDDEN),),
    "tanh": (Recurrent(Elman, 1, HIDDEN),),
    "GRU": (Recurrent(GRU, 1, HIDDEN),),
    "LSTM": (Recurrent(LSTM, 1, HIDDEN),),
}


class ParityRow(NamedTuple):
    """One training run."""

    reader: str
    seed: int  # of the weights and the batches
    updates: int | None  # at the end of the run; None: it was given up at the limit
    limit: int
    right_at_40: float  # share of steps, of 200 fresh sequences
    right_at_400: float


def parity_model(name: str) -> Serial:
    """Return the reader, then two logits at every step."""
    return Serial((*READERS[name], Dense(HIDDEN, 2)))


def share_right(model: Serial, params: tuple, steps: int, rng: Rng) -> float:  # type: ignore[type-arg]
    """Return the share of steps whose parity is right, over 200 fresh sequences."""
    xs, targets = running_parity(rng, steps, 200)
    logits, _, _ = model.forward(params, xs)
    return digits(float(np.mean(logits.argmax(axis=-1) == targets)), 3)


def parity_row(name: str, seed: int, limit: int = LIMIT) -> ParityRow:
    """Return the row of one run."""
    rng = np.random.default_rng(seed)
    model = parity_model(name)
    batches = (running_parity(rng, T, BATCH) for _ in range(limit))
    optimizer = clipped(adam(0.01), clip_by_global_norm, 1.0)
    low, updates = 0, None
    for step in train(model, model.init(rng), batches, softmax_cross_entropy, optimizer):
        low = low + 1 if step.loss < 0.01 else 0
        if low == 20:
            updates = step.index + 1
            break
    fresh = np.random.default_rng(99)
    return ParityRow(
        name, seed, updates, limit, *(share_right(model, step.params, n, fresh) for n in (40, 400))
    )


def main() -> None:
    """Print the table, and store it with --write."""
    rows_by_seed("parity", __doc__, READERS, SEEDS, parity_row, RESULTS)


if __name__ == "__main__":
    main()
