"""The embedded Reber grammar with four cells that have about the same number of weights.

    python benchmarks/reber.py                           prints the table: 30 trials per line
    python benchmarks/reber.py --seeds 2 --limit 5120    a quick look
    python benchmarks/reber.py --write                   also stores the trials in reber.csv

The networks are trained by Adam on the whole gradient; in the paper it is truncated. Batch size and
rates were chosen with seeds 100 to 103, which are not in the table: at a rate of 0.02 the tanh
network solved the most trials, at 0.04 the three others were fastest.

Source: Hochreiter & Schmidhuber 1997, table 1.
"""

import argparse
import csv
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np

from rnn_tutorial.cells import GRU, LSTM, LSTM1997, Elman
from rnn_tutorial.data import embedded_reber_sets, reber_batch, shuffled_batches, strings_predicted
from rnn_tutorial.layers import Dense, Recurrent, Serial
from rnn_tutorial.train import adam, presentations_needed, softmax_cross_entropy, train
from rnn_tutorial.tree import tree_leaves
from rnn_tutorial.types import Array, Tree

RESULTS = Path(__file__).resolve().parents[1] / "rnn_tutorial" / "results" / "reber.csv"
RATES = 0.02, 0.04
NETWORKS = (
    Recurrent(Elman, 7, 15),
    Recurrent(LSTM1997, 7, 8),
    Recurrent(LSTM, 7, 7),
    Recurrent(GRU, 7, 8),
)
LIMIT = 51_200  # 200 times the training set


class ReberTrial(NamedTuple):
    """One row of the stored table."""

    network: str  # the name of the cell
    weights: int  # biases and output layer included
    rate: float  # of Adam
    seed: int  # of the strings, the first weights and the order of the batches
    presentations: int | None  # strings seen until it was solved; None: more than the limit
    limit: int
    predicted: float  # share of the 512 strings that were predicted in the last test


def reber_trial(layer: Recurrent, rate: float, seed: int, limit: int) -> tuple[int | None, float]:
    """Return (presentations, predicted) of one trial.

    They are the number of strings seen until it was solved, or None, and the share of the strings
    that were predicted in the last test.

    The network is `layer`, which reads one-hot symbols, with a logit for each of the 7 symbols.
    Strings and weights are new for each seed: 256 strings to train on, in batches of 16, and 256
    others. After each pass through the 256 strings, which is 16 updates, all 512 are tested, as in
    the paper. The trial is solved as soon as every step of every string is predicted, so
    `presentations` is a multiple of 256. `limit` must allow one pass.
    """
    rng = np.random.default_rng(seed)
    train_strings, test_strings = embedded_reber_sets(rng)
    xs, targets, _, mask = reber_batch(train_strings)
    all_xs, _, allowed, all_mask = reber_batch(train_strings + test_strings)
    model = Serial((layer, Dense(layer.hidden_size, 7)))
    # the share of the strings, one entry for each test
    predicted = []  # type: list[float]

    def batches() -> Iterator[tuple[Array, ...]]:
        while True:
            yield from shuffled_batches(rng, 16, xs, targets, mask)

    def solved(params: Tree) -> bool:
        ys, _, _ = model.forward(params, all_xs, mask=all_mask)
        predicted.append(strings_predicted(ys, allowed, all_mask).mean())
        return predicted[-1] == 1

    steps = train(model, model.init(rng), batches(), softmax_cross_entropy, adam(rate))
    return presentations_needed(steps, solved, batch_size=16, limit=limit, every=16), predicted[-1]


def reber_row(layer: Recurrent, rate: float, seed: int, limit: int) -> ReberTrial:
    """Return the `ReberTrial` of one network, rate and seed."""
    presentations, predicted = reber_trial(layer, rate, seed, limit)
    params = Serial((layer, Dense(layer.hidden_size, 7))).init(np.random.default_rng(seed))
    weights = sum(leaf.size for leaf in tree_leaves(params))
    return ReberTrial(
        layer.cell.name, weights, rate, seed, presentations, limit, round(float(predicted), 4)
    )


def write_reber_trials(path: Path, trials: list[ReberTrial]) -> None:
    """Write the trials as a table with a header; an unsolved one has no presentations."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(ReberTrial._fields)
        writer.writerows(trials)  # None becomes an empty field


def table_row(trials: list[ReberTrial], seconds: float) -> str:
    """Return the line of the table for one network and rate.

    An unsolved trial counts as longer than all solved ones.
    """
    network, weights, rate, _, _, limit, _ = trials[0]
    needed = [trial.presentations or np.inf for trial in trials]
    solved = f"{np.isfinite(needed).sum()} of {len(trials)}"
    spread = [
        f"{n:,.0f}" if n <= limit else f"> {limit:,}"
        for n in (min(needed), np.median(needed), max(needed))
    ]
    return "  ".join(
        [
            f"{network:<8}  {weights:>7}  {rate:>4}  {solved:>8}",
            *(f"{n:>8}" for n in spread),
            f"{seconds:>7.1f}",
        ]
    )


def main() -> None:
    """Run the trials and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--seeds", type=int, default=30, help="trials for each line: seeds 0, 1, … (default: 30)"
    )
    parser.add_argument(
        "--limit",
        type=int,
        default=LIMIT,
        help=f"presentations before a trial ends, at least 256 (default: {LIMIT})",
    )
    parser.add_argument("--write", action="store_true", help=f"store the trials in {RESULTS.name}")
    arguments = parser.parse_args()
    print("network   weights  rate    solved   fewest    median      most  s/trial")
    rows = []
    for layer, rate in product(NETWORKS, RATES):
        start = time.process_time()
        for seed in range(arguments.seeds):
            rows.append(reber_row(layer, rate, seed, arguments.limit))
            if arguments.write:
                write_reber_trials(RESULTS, rows)
        print(
            table_row(rows[-arguments.seeds :], (time.process_time() - start) / arguments.seeds),
            flush=True,
        )


if __name__ == "__main__":
    main()
