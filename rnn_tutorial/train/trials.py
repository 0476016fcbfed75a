"""Trials: one network, one seed, and how many sequences it had to see.

    steps = train(model, model.init(rng), batches, softmax_cross_entropy, adam(0.02))
    needed = presentations_needed(steps, solved, batch_size=32, limit=32_000, every=10)

A single run says little, since the seed decides much; a table of trials says what is usual and how far it varies.
"""

import csv
import platform
from itertools import islice
from typing import NamedTuple

import numpy as np

from rnn_tutorial.validation import check_positive

__all__ = [
    "Trial",
    "presentations_needed",
    "read_trials",
    "write_trials",
]


class Trial(NamedTuple):
    """The outcome of one run."""

    task: str
    variant: str
    seed: int
    presentations: int | None  # sequences seen until it was solved; None: not within the limit
    limit: int


def presentations_needed(steps, solved, *, batch_size, limit, every=1):
    """Return how many sequences had been presented when `solved(params)` first held, or None if it never did.

    steps: the generator that `train` returns, with batches of batch_size sequences. It is asked for no more than `limit`
    sequences; `solved` is asked after each `every`-th update, so the answer is a multiple of every * batch_size.
    Raises: ValueError for a batch_size, limit or every that is not a positive whole number; what training raises is passed on.
    """
    check_positive("batch_size", batch_size)
    check_positive("limit", limit)
    check_positive("every", every)
    for updates, step in enumerate(islice(steps, limit // batch_size), start=1):
        if updates % every == 0 and solved(step.params):
            return updates * batch_size
    return None


def write_trials(path, trials):
    """Write a table of `Trial`s, after a line that says which versions made it; `read_trials` reads it back."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        file.write(f"# Python {platform.python_version()}, NumPy {np.__version__}\n")
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(Trial._fields)
        writer.writerows(trials)  # None is written as nothing


def read_trials(path):
    """Return the list of `Trial`s that `write_trials` wrote. Raises: ValueError for a file with other columns."""
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.reader(line for line in file if not line.startswith("#")))
    if not rows or tuple(rows[0]) != Trial._fields:
        raise ValueError(
            f"{path}: expected the columns {', '.join(Trial._fields)}, got {', '.join(rows[0]) if rows else 'none'}"
        )
    return [
        Trial(task, variant, int(seed), int(n) if n else None, int(limit))
        for task, variant, seed, n, limit in rows[1:]
    ]
