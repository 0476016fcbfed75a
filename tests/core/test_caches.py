"""Between a forward and its backward the caller may change every array: no gradient moves.

One buffer for all batches, a state whose rows are set to zero where a sequence begins, outputs that
are scaled in place: that is what people do. So a cache keeps copies. Parameters are handed to the
backward again, and must stay. The layers and the cells are found by code.
"""

from dataclasses import dataclass

import numpy as np
import pytest
from every_cell import CELLS
from every_layer import D, V, every_layer, reads_symbols

from rnn_tutorial.cells import GRU, LSTM
from rnn_tutorial.gradient_check import random_start
from rnn_tutorial.layers import (
    MERGES,
    Bidirectional,
    CannotContinue,
    Dense,
    Embedding,
    Recomputed,
    Recurrent,
    Serial,
    unroll_reversed,
    unroll_reversed_backward,
)
from rnn_tutorial.sequence import (
    fused_unroll,
    fused_unroll_backward,
    trace,
    trace_backward,
    truncated_backward,
    unroll,
    unroll_backward,
)
from rnn_tutorial.tree import tree_leaves, tree_map, tree_random_like

T, B, H = 6, 3, 5
MASK = np.arange(T)[:, None] < np.array([6, 4, 1])
LAYERS = every_layer() | {
    f"Recurrent, {name}": Recurrent(cell, D, H) for name, cell in CELLS.items()
}
LAYERS |= {
    f"Bidirectional, {m.name}": Bidirectional(Recurrent(LSTM, D, D), Recurrent(GRU, D, D), m)
    for m in MERGES
}


@dataclass(frozen=True)
class Scaled:
    """A user's layer that computes with its state and hands on the same array."""

    def init(self, rng):
        return ()

    def initial_state(self, params, batch_size):
        return np.ones((batch_size, D))

    def forward(self, params, xs, state=None, *, mask=None, rng=None):
        state = np.ones(xs.shape[1:]) if state is None else state
        return xs * state, state, (xs.copy(), state.copy())

    def backward(self, params, cache, dys, dstate=None):
        xs, state = cache
        return (), dys * state, (dys * xs).sum(axis=0) + (0 if dstate is None else dstate)


LAYERS |= {"Recomputed, a user's own": Recomputed(Scaled(), 2), "a user's own": Scaled()}
LAYERS |= {"a language model": Serial((Embedding(V, D), Recurrent(LSTM, D, H), Dense(H, V)))}
each_layer = pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)
each_cell = pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
PATHS = {
    "unroll": (unroll, unroll_backward),
    "fused_unroll": (fused_unroll, fused_unroll_backward),
    "unroll_reversed": (unroll_reversed, unroll_reversed_backward),
}


def spoil(tree):
    """Write other values into every array of a tree, in place."""
    for leaf in tree_leaves(tree):
        leaf[...] = ~leaf if leaf.dtype == bool else (leaf + 1) % V


def assert_same(tree, reference):
    for ours, theirs in zip(tree_leaves(tree), tree_leaves(reference), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def layer_problem(layer):
    """Return (params, {"xs", "state", "mask"}), new arrays with the same numbers at each call.

    The state is None for a layer that reads from the end.
    """
    rng = np.random.default_rng(0)
    params = tree_random_like(layer.init(rng), rng, 0.3)
    symbols = reads_symbols(layer)
    xs = rng.integers(V, size=(T, B)) if symbols else rng.standard_normal((T, B, D))
    try:
        state = tree_random_like(layer.initial_state(params, B), rng, 0.3)
    except CannotContinue:
        state = None
    return params, {"xs": xs, "state": state, "mask": MASK.copy()}


def run_layer(layer, params, given, seed):
    """Return ({"ys", "last"}, cache) of a forward in evaluation or, with a seed, in training."""
    noise = None if seed is None else np.random.default_rng(seed)
    ys, last, cache = layer.forward(
        params, given["xs"], given["state"], mask=given["mask"], rng=noise
    )
    if noise is not None:
        noise.random(3)  # someone else draws from the same generator afterwards
    return {"ys": ys, "last": last}, cache


def layer_gradients(layer, params, cache, outputs):
    rng = np.random.default_rng(1)
    dys, dlast = tree_random_like((outputs["ys"], outputs["last"]), rng)
    return layer.backward(params, cache, dys, dlast)


@pytest.mark.parametrize("seed", [None, 7], ids=["evaluation", "training"])
@each_layer
def test_no_gradient_of_a_layer_moves(layer, seed):
    params, given = layer_problem(layer)
    outputs, cache = run_layer(layer, params, given, seed)
    expected = layer_gradients(layer, params, cache, outputs)
    params, given = layer_problem(layer)
    outputs, cache = run_layer(layer, params, given, seed)
    spoil([tree for tree in (given | outputs).values() if tree is not None])
    assert_same(layer_gradients(layer, params, cache, outputs), expected)


def cell_problem(cell):
    rng = np.random.default_rng(0)
    params, state = random_start(cell, rng, B, D, H)
    return params, {"xs": rng.standard_normal((T, B, D)), "state": state, "mask": MASK.copy()}


def run_cell(forward, cell, params, given, ragged):
    (hs, last), cache = forward(
        cell, params, given["xs"], given["state"], given["mask"] if ragged else None
    )
    return {"ys": hs, "last": last}, cache


def cell_gradients(backward, cell, params, cache, outputs):
    rng = np.random.default_rng(1)
    return backward(cell, params, cache, tree_random_like((outputs["ys"], outputs["last"]), rng))


@pytest.mark.parametrize("ragged", [False, True], ids=["whole", "ragged"])
@pytest.mark.parametrize(("forward", "backward"), PATHS.values(), ids=PATHS)
@each_cell
def test_no_gradient_of_a_cell_over_time_moves(cell, forward, backward, ragged):
    params, given = cell_problem(cell)
    outputs, cache = run_cell(forward, cell, params, given, ragged)
    expected = cell_gradients(backward, cell, params, cache, outputs)
    params, given = cell_problem(cell)
    outputs, cache = run_cell(forward, cell, params, given, ragged)
    spoil([tree for tree in (given | outputs).values() if tree is not None])
    assert_same(cell_gradients(backward, cell, params, cache, outputs), expected)


@each_cell
def test_no_gradient_of_a_trace_or_of_a_truncation_moves(cell):
    params, given = cell_problem(cell)
    dhs = np.random.default_rng(2).standard_normal((T, B, H))

    def both():
        traced, caches = trace(cell, params, given["xs"], given["state"], given["mask"])
        _, cache = fused_unroll(cell, params, given["xs"], given["state"], given["mask"])
        return traced, caches, cache

    def gradients(caches, cache):
        looked_at = trace_backward(
            cell, params, caches, (dhs, tree_map(np.ones_like, given["state"]))
        )
        return looked_at, truncated_backward(cell, params, cache, dhs, stride=2, window=3)

    _, *kept = both()
    expected = gradients(*kept)
    traced, *kept = both()
    spoil((traced.states, traced.a_xs, traced.a_hs, traced.values, *given.values()))
    assert_same(gradients(*kept), expected)


@each_layer
def test_what_came_out_is_the_callers_and_one_does_not_change_another(layer):
    """Outputs and last state share no memory, nor do gradients and the cache, or the inputs."""
    params, given = layer_problem(layer)
    outputs, cache = run_layer(layer, params, given, None)
    assert not any(
        np.shares_memory(outputs["ys"], leaf)
        for leaf in tree_leaves((outputs["last"], given["xs"]))
    )
    rng = np.random.default_rng(1)
    dys, dlast = tree_random_like((outputs["ys"], outputs["last"]), rng)
    before = tree_map(np.copy, (dys, dlast))
    gradients = layer.backward(params, cache, dys, dlast)
    assert_same((dys, dlast), before)
    moving = [leaf for leaf in tree_leaves(gradients) if leaf is not None]
    expected = [leaf.copy() for leaf in moving]
    spoil([dys])
    assert_same(moving, expected)
    for leaf in moving:
        leaf[...] = 7.0
    again = layer.backward(params, cache, *before)
    assert_same([leaf for leaf in tree_leaves(again) if leaf is not None], expected)


@pytest.mark.parametrize(("forward", "backward"), PATHS.values(), ids=PATHS)
def test_the_example_of_a_new_sequence_in_one_row(forward, backward):
    """`last.h[0] = 0`, "a new sequence begins in row 0", once moved the gradient of W_h by 15 %."""
    for cell in CELLS.values():
        params, given = cell_problem(cell)
        (hs, last), cache = forward(cell, params, given["xs"], given["state"])
        dlast = tree_map(np.zeros_like, last)
        before = backward(cell, params, cache, (np.ones_like(hs), dlast))[0].W_h
        last.h[0] = 0
        np.testing.assert_array_equal(
            backward(cell, params, cache, (np.ones_like(hs), dlast))[0].W_h, before
        )
