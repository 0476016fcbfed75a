"""Eight LSTM layers in their first updates, with the gradient's norm restored or not: chapter 15.

    python -m benchmarks.deep_start              prints the table, about three minutes
    python -m benchmarks.deep_start --seeds 1    a quick look
    python -m benchmarks.deep_start --write      also stores it in deep_start.csv

The names, the network, the batches and the optimizer are those of chapter 15. It needs the extra
`data`.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from benchmarks.rows import RESULTS, digits, write_rows
from benchmarks.surname_readers import batches_of, the_names
from rnn_tutorial.cells import LSTM, Elman
from rnn_tutorial.layers import Dense, Embedding, Last, Layer, Recurrent, Residual, Serial
from rnn_tutorial.train import Batch, adam, softmax_cross_entropy, train
from rnn_tutorial.tree import tree_norm
from rnn_tutorial.types import Array, Mask, Rng, Tree

LAYERS, H = 8, 24
LAST = 20  # the loss is the mean of this many updates, the last ones


class DeepRow(NamedTuple):
    """One training run."""

    variant: str
    seed: int  # of the weights and the order of the batches
    updates: int
    bottom: float  # norm of the first gradient of layer 1, over that of layer 8
    loss: float  # training cross-entropy in nats, mean of the last 20 updates


@dataclass(frozen=True)
class Scaled:
    """A layer whose outputs are multiplied by `up`, and the gradient coming back by `down`.

    The gradient is the right one only if the two are equal.
    """

    layer: Layer
    up: float
    down: float

    def init(self, rng: Rng) -> Tree:
        """Return the parameters of the layer."""
        return self.layer.init(rng)

    def initial_state(self, params: Any, batch_size: int) -> Tree:
        """Return that of the layer."""
        return self.layer.initial_state(params, batch_size)

    def forward(
        self,
        params: Any,
        xs: Array,
        state: Any = None,
        *,
        mask: Mask | None = None,
        rng: Rng | None = None,
    ) -> tuple[Array, Tree, Any]:
        """Return (up * ys, last state, cache)."""
        ys, state, cache = self.layer.forward(params, xs, state, mask=mask, rng=rng)
        return self.up * ys, state, cache

    def backward(
        self, params: Any, cache: Any, dys: Array, dstate: Any = None
    ) -> tuple[Tree, Array | None, Tree]:
        """Return (dparams, dxs, dfirst_state) of the layer for down * dys."""
        return self.layer.backward(params, cache, self.down * dys, dstate)


# variant -> what is made of the layer at this level, which is 0 at the bottom
VARIANTS: dict[str, Callable[[Layer, int], Layer]] = {
    "plain": lambda layer, level: layer,
    "gradient × 1.5": lambda layer, level: Scaled(layer, 1.0, 1.5),
    "gradient × 1.8": lambda layer, level: Scaled(layer, 1.0, 1.8),
    "outputs × 2": lambda layer, level: Scaled(layer, 2.0, 1.0),
    "outputs × 2, gradient too": lambda layer, level: Scaled(layer, 2.0, 2.0),
    "residual": lambda layer, level: Residual(layer) if level else layer,
    "tanh": lambda layer, level: Recurrent(Elman, H, H),
    "tanh, residual": lambda layer, level: VARIANTS["residual"](Recurrent(Elman, H, H), level),
}
RUNS = [(variant, 100) for variant in VARIANTS] + [("plain", 400), ("residual", 400)]


def deep_row(variant: str, seed: int, updates: int) -> DeepRow:
    """Return the row of one run: eight layers of 24 units, Adam at 0.01."""
    names = the_names()
    stack = [VARIANTS[variant](Recurrent(LSTM, H, H), level) for level in range(LAYERS)]
    model = Serial((Embedding(names.symbols, H), *stack, Last(), Dense(H, names.languages)))
    rng = np.random.default_rng(seed)
    batches: list[Batch] = []
    while len(batches) < updates:
        batches += batches_of(rng, names.training, 64)
    params = model.init(rng)
    first = batches[0]
    ys, _, caches = model.forward(params, first.xs, mask=first.mask)
    dparams, _, _ = model.backward(params, caches, softmax_cross_entropy(ys, first.targets)[1])
    steps = train(model, params, batches, softmax_cross_entropy, adam(0.01), rng=rng)
    losses = [step.loss for step in islice(steps, updates)]
    return DeepRow(
        variant,
        seed,
        updates,
        digits(tree_norm(dparams[1]) / tree_norm(dparams[LAYERS])),
        digits(float(np.mean(losses[-LAST:]))),
    )


def main() -> None:
    """Print the table, and store it with --write."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.deep_start", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--seeds", type=int, default=3, help="seeds 0, 1, … (default: 3)")
    parser.add_argument("--write", action="store_true", help="store the table")
    arguments = parser.parse_args()
    rows = []
    for variant, updates in RUNS:
        for seed in range(arguments.seeds):
            rows.append(deep_row(variant, seed, updates))
            print(*rows[-1], sep="   ", flush=True)
    if arguments.write:
        write_rows(RESULTS / "deep_start.csv", rows)


if __name__ == "__main__":
    main()
