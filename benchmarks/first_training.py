"""The first training, with more seeds than chapter 04 trains itself: parity by gradient descent.

    python -m benchmarks.first_training                 prints the rows, about two minutes
    python -m benchmarks.first_training --seed 0        one seed
    python -m benchmarks.first_training --write         also stores them: first_training.csv

The networks, their first weights and the rule of the update are those of chapter 04.
"""

from collections.abc import Callable
from functools import partial
from itertools import product
from typing import NamedTuple

import numpy as np

from benchmarks.rows import RESULTS, digits, rows_by_seed
from rnn_tutorial.cells import Elman
from rnn_tutorial.layers import Dense, Recurrent, Serial
from rnn_tutorial.train import binary_cross_entropy, evaluate, last_step, sgd, train
from rnn_tutorial.tree import tree_dot, tree_map, tree_norm, tree_random_like, tree_scale
from rnn_tutorial.types import Array, Rng, Tree

SEEDS = range(16)
EVERY = 4  # the curvature is measured at every fourth point of a path: a peak lasts ten and more
Strings = tuple[Array, Array]  # (bits, parities), each (T, B, 1)


class TrainingRow(NamedTuple):
    """One training run of chapter 04. None: not measured."""

    setting: str  # what is trained, and how
    seed: int  # of the first weights and of the drawn strings
    loss: float  # after the last update, on all strings of the length that was trained
    right_10: float  # share of right answers on 100 random strings of 10 bits
    right_100: float  # and of 100 bits
    below: int | None = None  # updates before the loss was below 0.1; also None if it never was
    rises: int | None = None  # updates after which the loss was larger than before
    curvature: float | None = None  # the largest one along the path


def network(units: int) -> Serial:
    """Return the model: a tanh network with one output, the logit of "odd"."""
    return Serial((Recurrent(Elman, 1, units), Dense(units, 1)))


def parities(bits: Array) -> Strings:
    """Return (bits, targets): 1 where the number of ones so far is odd.

    Shapes: bits, targets (T, B, 1).
    """
    return bits, np.cumsum(bits, axis=0) % 2


def all_strings(T: int) -> Strings:
    """Return (bits, targets) of all 2^T strings of T bits."""
    return parities(np.array(list(product((0.0, 1.0), repeat=T))).T[:, :, None])


def drawn_strings(rng: Rng, T: int, B: int) -> Strings:
    """Return (bits, targets) of B random strings of T bits."""
    return parities(rng.integers(2, size=(T, B, 1)).astype(float))


def trained_row(setting: str, seed: int, model: Serial, params: Tree, T: int) -> TrainingRow:
    """Return the row of a network that was trained on strings of T bits."""
    loss = evaluate(model, params, [all_strings(T)], binary_cross_entropy)
    right = []
    for longer in (10, 100):
        bits, targets = drawn_strings(np.random.default_rng(99), longer, 100)
        right.append(np.mean((model.forward(params, bits)[0] > 0) == (targets == 1)))
    return TrainingRow(setting, seed, digits(loss), *(digits(float(share)) for share in right))


def descend(
    units: int, factor: float, rate: float, updates: int, seed: int
) -> tuple[list[Tree], list[float]]:
    """Return (path, losses) of gradient descent on all strings of six bits.

    The first weights are multiplied by the factor.
    """
    model = network(units)
    path = [tree_scale(factor, model.init(np.random.default_rng(seed)))]
    losses = []
    batches = [all_strings(6)] * updates
    for step in train(model, path[0], batches, binary_cross_entropy, sgd(rate)):
        path.append(step.params)
        losses.append(step.loss)
    return path, losses


def descent_row(
    setting: str, units: int, factor: float, rate: float, updates: int, seed: int
) -> TrainingRow:
    """Return the row of a run on all strings of six bits."""
    path, losses = descend(units, factor, rate, updates, seed)
    below = next((update for update, loss in enumerate(losses) if loss < 0.1), None)
    return trained_row(setting, seed, network(units), path[-1], 6)._replace(below=below)


def gradient(model: Serial, strings: Strings, params: Tree) -> Tree:
    """Return the gradient of the loss on these strings."""
    logits, _, caches = model.forward(params, strings[0])
    _, dlogits = binary_cross_entropy(logits, strings[1])
    return model.backward(params, caches, dlogits)[0]


def largest_curvature(
    gradient: Callable[[Tree], Tree], params: Tree, iterations: int = 12, epsilon: float = 1e-4
) -> float:
    """Return the curvature of largest size by power iteration, as `sharpest` of chapter 04."""
    u = tree_random_like(params, np.random.default_rng(0))
    g = gradient(params)
    for _ in range(iterations):
        u = tree_scale(1 / tree_norm(u), u)
        g_moved = gradient(tree_map(lambda w, u: w + epsilon * u, params, u))
        change = tree_map(lambda a, b: (a - b) / epsilon, g_moved, g)
        curvature, u = float(tree_dot(u, change)), change
    return curvature


def spikes_row(setting: str, rate: float, seed: int) -> TrainingRow:
    """Return the row of a run of eight units, with its rises and its largest curvature."""
    path, losses = descend(8, 1.0, rate, 800, seed)
    at_all = partial(gradient, network(8), all_strings(6))
    return trained_row(setting, seed, network(8), path[-1], 6)._replace(
        rises=int(np.sum(np.diff(losses) > 0)),
        curvature=digits(max(largest_curvature(at_all, params) for params in path[::EVERY])),
    )


def fresh_row(setting: str, updates: int, seed: int) -> TrainingRow:
    """Return the row of twelve units, trained on minibatches of 32 fresh strings of ten bits."""
    model, rng = network(12), np.random.default_rng(seed)
    start = model.init(rng)
    batches = (drawn_strings(rng, 10, 32) for _ in range(updates))
    params = last_step(train(model, start, batches, binary_cross_entropy, sgd(0.7))).params
    return trained_row(setting, seed, model, params, 10)


# setting -> (function of the setting, these arguments and the seed)
SETTINGS: dict[str, tuple[Callable[..., TrainingRow], tuple[float, ...]]] = {
    "8 units, rate 0.5": (spikes_row, (0.5,)),
    "8 units, rate 0.8": (spikes_row, (0.8,)),
    "2 units, rate 0.5": (descent_row, (2, 1.0, 0.5, 800)),
    "first weights × 0.1": (descent_row, (8, 0.1, 1.0, 600)),
    "first weights × 1": (descent_row, (8, 1.0, 1.0, 600)),
    "first weights × 6": (descent_row, (8, 6.0, 1.0, 600)),
    "fresh strings": (fresh_row, (1500,)),
}


def row(setting: str, seed: int) -> TrainingRow:
    """Return the row of one setting and seed."""
    function, arguments = SETTINGS[setting]
    return function(setting, *arguments, seed)


if __name__ == "__main__":
    rows_by_seed("first_training", __doc__, SETTINGS, SEEDS, row, RESULTS)
