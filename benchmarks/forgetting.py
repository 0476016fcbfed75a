"""Why the tanh network forgets: the four tables of chapter 06, with several seeds each.

    python -m benchmarks.forgetting                     prints all tables, about half an hour
    python -m benchmarks.forgetting radius              one table: radius, signal, runs or waiting
    python -m benchmarks.forgetting signal --seeds 2    fewer seeds: 0 and 1
    python -m benchmarks.forgetting --write             also stores them: forgetting_radius.csv, …
    python -m benchmarks.forgetting --long              stores two whole runs: forgetting_long.npz

The model of the adding problem, its optimizer and its batches are those of chapter 06.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from benchmarks.rows import RESULTS, digits, write_rows
from rnn_tutorial.cells import Elman, ElmanParams, ElmanState
from rnn_tutorial.checkpoint import save
from rnn_tutorial.data import adding_problem
from rnn_tutorial.initializers import glorot_uniform
from rnn_tutorial.layers import Dense, Last, Recurrent, Serial
from rnn_tutorial.sequence import jacobian_norms, unroll
from rnn_tutorial.train import (
    TrainingStep,
    adam,
    clip_by_global_norm,
    clipped,
    cosine,
    mean_squared_error,
    train,
)
from rnn_tutorial.types import Array, Rng, Tree

MODEL = Serial((Recurrent(Elman, 2, 32), Last(), Dense(32, 1)))
BATCH = 50
RATE = 0.005
BASELINE = 1 / 6  # the error of answering 1 each time
AVERAGED = 50  # the plateau is left when these batches have a mean loss below 90 % of the baseline


class RadiusRow(NamedTuple):
    """A busy network with random weights: how its Jacobian norm changes with the distance."""

    radius: float  # of W_h
    seed: int  # of W_h, W_x and the inputs
    factor: float  # per step, from distance 20 to distance 50


class SignalRow(NamedTuple):
    """What 200 batches say about the far half of the sequence, and how much they differ."""

    rate: float  # of Adam, at first
    T: int
    updates: int  # before the measurement
    seed: int
    far_mean: float  # norm of the mean over the batches: the far half's part of dW_h
    far_spread: float  # of that part from batch to batch
    spread: float  # of the whole dW_h from batch to batch


class RunRow(NamedTuple):
    """One training run of chapter 06."""

    T: int
    updates: int
    seed: int
    error: float  # mean squared, on 2,000 fresh sequences
    left: int | None  # the update at which the plateau was left; None: it was not left
    near: float  # slope of the answer in a marked number, distances from 0 to T / 10
    near_error: float  # its standard error
    middle: float  # distances from T / 10 to T / 2
    middle_error: float
    far: float  # distances from T / 2 on
    far_error: float


class WaitingRow(NamedTuple):
    """How long a run stayed on the plateau, at a constant rate."""

    start: str  # what was changed in the first weights
    rate: float  # of Adam
    T: int
    seed: int
    product: float  # norm of dh_T / dh_{T/2} in the first network, geometric mean of 50 sequences
    left: int | None  # the update at which the plateau was left; None: not within the limit
    limit: int


def radius_row(radius: float, seed: int) -> RadiusRow:
    """Return the row of one random network of 16 units and 50 steps, as in chapter 06."""
    rng = np.random.default_rng(seed)
    gaussian = rng.standard_normal((16, 16))
    radius_one = gaussian / np.abs(np.linalg.eigvals(gaussian)).max()
    W_x, inputs = glorot_uniform(rng, (4, 16)), rng.standard_normal((50, 1, 4))
    params = ElmanParams(W_x, radius * radius_one, np.zeros(16))
    norms = jacobian_norms(Elman, params, inputs, ElmanState(np.zeros((1, 16))))[:, 0]
    return RadiusRow(radius, seed, digits((norms[50] / norms[20]) ** (1 / 30)))


def adding_steps(
    start: Tree, rng: Rng, T: int, schedule: float | Callable[[int], float]
) -> Iterator[TrainingStep]:
    """Return the endless training run from these first weights."""
    batches = iter(lambda: adding_problem(rng, T, BATCH), None)
    optimizer = clipped(adam(schedule), clip_by_global_norm, 1.0)
    return train(MODEL, start, batches, mean_squared_error, optimizer)


def left_plateau(losses: Sequence[float] | Array) -> bool:
    """Return whether the last 50 losses have a mean below 90 % of the baseline."""
    return len(losses) >= AVERAGED and bool(np.mean(losses[-AVERAGED:]) < 0.9 * BASELINE)


def far_part(params: Tree, xs: Array, targets: Array) -> tuple[Array, Array]:
    """Return (far, whole): the part of dW_h of the distances from T / 2 on, and all of dW_h.

    They are the sums of the terms of equation (6.11).
    """
    ys, _, _ = MODEL.forward(params, xs)
    _, dys = mean_squared_error(ys, targets)
    cell_params, _, head = params
    (hs, _), cache = unroll(Elman, cell_params, xs, Elman.initial_state(cell_params, xs.shape[1]))
    dh, T = dys @ head.W.T, len(xs)
    far, whole = np.zeros_like(cell_params.W_h), np.zeros_like(cell_params.W_h)
    for n, (h, h_previous) in enumerate(zip(hs[::-1], cache.previous_hs[::-1])):
        da = dh * (1 - h**2)
        term = h_previous.T @ da
        whole += term
        if n >= T // 2:
            far += term
        dh = da @ cell_params.W_h.T
    return far, whole


def spread(arrays: Array) -> float:
    """Return the root of the mean square distance from the mean of the arrays."""
    return float(np.sqrt(((arrays - arrays.mean(axis=0)) ** 2).sum(axis=(1, 2)).mean()))


def signal_row(rate: float, T: int, updates: int, seed: int) -> SignalRow:
    """Return the row of one network, after these updates of the experiment of chapter 06."""
    rng = np.random.default_rng(seed)
    params = MODEL.init(rng)
    for step in islice(adding_steps(params, rng, T, cosine(rate, 0, 2400)), updates):
        params = step.params
    fresh = np.random.default_rng(1_000_000 + seed)
    parts = [far_part(params, *adding_problem(fresh, T, BATCH)) for _ in range(200)]
    far, whole = (np.stack(arrays) for arrays in zip(*parts))
    return SignalRow(
        rate,
        T,
        updates,
        seed,
        digits(float(np.linalg.norm(far.mean(axis=0)))),
        digits(spread(far)),
        digits(spread(whole)),
    )


def slope(values: Array, answers: Array) -> tuple[float, float]:
    """Return (slope, standard error) of the straight line through the answers."""
    (slope, _), covariance = np.polyfit(values, answers, 1, cov=True)
    return digits(slope, 3), digits(np.sqrt(covariance[0, 0]), 2)


def report(params: Tree, T: int) -> tuple[float, ...]:
    """Return (error, near, near_error, …, far_error) of a network on 2,000 fresh sequences."""
    xs, targets = adding_problem(np.random.default_rng(99), T, 2000)
    answers = MODEL.forward(params, xs)[0]
    error, _ = mean_squared_error(answers, targets)
    steps, sequences = np.nonzero(xs[:, :, 1])
    values, distances = xs[steps, sequences, 0], T - 1 - steps
    slopes: list[float] = []
    for low, high in ((0, T / 10), (T / 10, T / 2), (T / 2, T)):
        inside = (distances >= low) & (distances < high)
        slopes += slope(values[inside], answers[sequences[inside], 0])
    return digits(float(error)), *slopes


def run(T: int, updates: int, seed: int) -> tuple[Array, Tree]:
    """Return (losses, last parameters) of one run of chapter 06.

    Shapes: losses (updates,).
    """
    rng = np.random.default_rng(seed)
    steps = adding_steps(MODEL.init(rng), rng, T, cosine(RATE, 0, updates))
    losses = []
    for step in islice(steps, updates):
        losses.append(step.loss)
    return np.array(losses), step.params


def run_row(T: int, updates: int, seed: int) -> RunRow:
    """Return the row of one run of chapter 06."""
    losses, params = run(T, updates, seed)
    ends = range(AVERAGED, updates + 1)
    left = next((end for end in ends if left_plateau(losses[end - AVERAGED : end])), None)
    error, *slopes = report(params, T)
    return RunRow(T, updates, seed, error, left, *slopes)


def long_runs() -> dict[int, tuple[Array, Tree]]:
    """Return {seed: (losses, last parameters)} of the runs that chapter 06 only begins."""
    return {seed: run(100, 2400, seed) for seed in (5, 11)}


def as_it_is(params: Tree) -> Tree:
    """Return the first weights unchanged."""
    return params


def scaled(name: str, factor: float) -> Callable[[Tree], Tree]:
    """Return a function that multiplies one matrix of the cell by the factor."""

    def change(params: Tree) -> Tree:
        cell_params, *rest = params
        return (cell_params._replace(**{name: factor * getattr(cell_params, name)}), *rest)

    return change


STARTS: dict[str, Callable[[Tree], Tree]] = {
    "as it is": as_it_is,
    "W_x × 0.1": scaled("W_x", 0.1),
    "W_h × 0.8": scaled("W_h", 0.8),
}


def waiting_row(start: str, rate: float, T: int, limit: int, seed: int) -> WaitingRow:
    """Return the row of one run at a constant rate, which ends when the plateau is left."""
    rng = np.random.default_rng(seed)
    params = STARTS[start](MODEL.init(rng))
    xs, _ = adding_problem(np.random.default_rng(1_000_000 + seed), T, BATCH)
    norms = jacobian_norms(Elman, params[0], xs, Elman.initial_state(params[0], BATCH))[T // 2]
    product = digits(float(np.exp(np.log(norms).mean())))
    losses: list[float] = []
    for step in islice(adding_steps(params, rng, T, rate), limit):
        losses.append(step.loss)
        if left_plateau(losses):
            return WaitingRow(start, rate, T, seed, product, len(losses), limit)
    return WaitingRow(start, rate, T, seed, product, None, limit)


# table -> (function of a row, its arguments before the seed, number of seeds)
Rows = list[tuple[Callable[..., Any], tuple[Any, ...], int]]
TABLES: dict[str, Rows] = {
    "radius": [(radius_row, (radius,), 40) for radius in (0.5, 0.9, 1.1, 1.5, 2.0, 2.5, 3.0, 4.0)],
    "signal": [
        (signal_row, (RATE, 30, 0), 8),
        (signal_row, (RATE, 100, 0), 8),
        (signal_row, (RATE, 30, 300), 8),
        (signal_row, (RATE, 100, 300), 8),
        (signal_row, (RATE, 100, 1200), 4),
        (signal_row, (RATE / 5, 100, 300), 4),
    ],
    "runs": [
        (run_row, (30, 2400), 16),
        (run_row, (100, 2400), 12),
    ],
    "waiting": [
        (waiting_row, ("as it is", RATE, 20, 9600), 8),
        (waiting_row, ("as it is", RATE, 30, 9600), 8),
        (waiting_row, ("as it is", RATE, 40, 9600), 8),
        (waiting_row, ("as it is", RATE, 50, 9600), 8),
        (waiting_row, ("as it is", RATE, 70, 9600), 8),
        (waiting_row, ("as it is", RATE, 100, 4800), 6),
        (waiting_row, ("as it is", RATE / 5, 100, 4800), 3),
        (waiting_row, ("W_h × 0.8", RATE, 30, 4800), 3),
        (waiting_row, ("W_x × 0.1", RATE, 100, 4800), 2),
    ],
}


def rows_of(name: str, most: int) -> Iterator[Any]:
    """Return the rows of a table, with at most this many seeds."""
    return (
        row(*arguments, seed)
        for row, arguments, seeds in TABLES[name]
        for seed in range(min(seeds, most))
    )


def main() -> None:
    """Print the tables, and store them with --write."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.forgetting", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("tables", nargs="*", metavar="TABLE", help=", ".join(TABLES))
    parser.add_argument(
        "--seeds", type=int, default=40, help="at most this many: seeds 0, 1, … (default: all)"
    )
    parser.add_argument("--write", action="store_true", help="store the tables")
    parser.add_argument("--long", action="store_true", help="store only the two whole runs")
    arguments = parser.parse_args()
    if arguments.long:
        save(RESULTS / "forgetting_long.npz", long_runs())
        return
    for name in arguments.tables or TABLES:
        if name not in TABLES:
            parser.error(f"TABLE: expected one of {', '.join(TABLES)}, got {name}")
        rows = []
        for row in rows_of(name, arguments.seeds):
            print(name, *row, flush=True)
            rows.append(row)
        if arguments.write:
            write_rows(RESULTS / f"forgetting_{name}.csv", rows)


if __name__ == "__main__":
    main()
