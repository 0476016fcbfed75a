"""Trials: how many sequences a network needed, for one network and one seed.

    steps = train(model, model.init(rng), batches, softmax_cross_entropy, adam(0.02))
    needed = presentations_needed(steps, solved, batch_size=32, limit=32_000, every=10)

A single run says little, since much depends on the seed. A table of trials shows what is usual and
how much it varies.
"""

import csv
import platform
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from os import PathLike
from typing import NamedTuple

import numpy as np

from rnn_tutorial.train.training import TrainingStep
from rnn_tutorial.types import Tree
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


def presentations_needed(
    steps: Iterator[TrainingStep],
    solved: Callable[[Tree], bool],
    *,
    batch_size: int,
    limit: int,
    every: int = 1,
) -> int | None:
    """Return how many sequences had been presented when `solved(params)` was first true.

    It is None if it never was. steps: the generator that `train` returns, with batches of
    batch_size sequences. It is asked for no more than `limit` sequences. `solved` is called after
    every `every` updates, so the answer is a multiple of every * batch_size.

    Raises: ValueError for a batch_size, limit or every that is not a positive whole number; errors
    of training are passed on.
    """
    check_positive("batch_size", batch_size)
    check_positive("limit", limit)
    check_positive("every", every)
    for updates, step in enumerate(islice(steps, limit // batch_size), start=1):
        if updates % every == 0 and solved(step.params):
            return updates * batch_size
    return None


def write_trials(path: str | PathLike[str], trials: Iterable[Trial]) -> None:
    """Write a table of `Trial`s, which `read_trials` reads back.

    Its first line says which versions of Python and NumPy made it.
    """
    with open(path, "w", newline="", encoding="utf-8") as file:
        file.write(f"# Python {platform.python_version()}, NumPy {np.__version__}\n")
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(Trial._fields)
        writer.writerows(trials)  # None becomes an empty field


def read_trials(path: str | PathLike[str]) -> list[Trial]:
    """Return the list of `Trial`s that `write_trials` wrote.

    Raises: ValueError for a file with other columns.
    """
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.reader(line for line in file if not line.startswith("#")))
    if not rows or tuple(rows[0]) != Trial._fields:
        raise ValueError(
            f"{path}: expected the columns {', '.join(Trial._fields)}, "
            f"got {', '.join(rows[0]) if rows else 'none'}"
        )
    return [
        Trial(task, variant, int(seed), int(n) if n else None, int(limit))
        for task, variant, seed, n, limit in rows[1:]
    ]
