"""The trace: every intermediate by its formula, every gradient by the complex step."""

import numpy as np
import pytest
from example_cell import Leaky

from rnn_tutorial.activations import sigmoid
from rnn_tutorial.cells import (
    GRU,
    LSTM,
    Elman,
    GRUBefore,
    GRUGates,
    LSTMGates,
    LSTMState,
    gate_blocks,
    gru_gates_backward,
    lstm_gates_backward,
)
from rnn_tutorial.gradient_check import numerical_gradient, random_start, relative_error
from rnn_tutorial.sequence import trace, trace_backward, unroll, unroll_backward
from rnn_tutorial.tree import tree_cast, tree_leaves, tree_map, tree_random_like, tree_zeros_like
from rnn_tutorial.validation import NotFiniteError

T, B, D, H = 4, 2, 5, 3
CELLS = {cell.name: cell for cell in (LSTM, GRU, GRUBefore, Elman, Leaky)}
MASKS = {
    "whole": None,
    "ragged": np.arange(T)[:, None] < np.array([4, 1]),
    "holes": np.array([[0, 1, 0, 1]] * B, bool).T,
}
each_cell = pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
each_mask = pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)


def problem(cell, seed=0):
    """Return (params, xs, state), (dhs, dlast_state), all random."""
    rng = np.random.default_rng(seed)
    params, state = random_start(cell, rng, B, D, H)
    inputs = params, rng.standard_normal((T, B, D)), state
    return inputs, (rng.standard_normal((T, B, H)), tree_random_like(state, rng))


def both(cell, mask):
    """Return (inputs, doutputs, forward trace, backward trace)."""
    inputs, doutputs = problem(cell)
    traced, caches = trace(cell, *inputs, mask)
    return inputs, doutputs, traced, trace_backward(cell, inputs[0], caches, doutputs)


def assert_same(tree, reference, rtol=1e-12):
    for ours, theirs in zip(tree_leaves(tree), tree_leaves(reference), strict=True):
        assert ours.shape == theirs.shape
        assert relative_error(ours, theirs) < rtol


def real_steps(mask):
    return np.ones((T, B), bool) if mask is None else mask


# Forward


@each_mask
@each_cell
def test_the_states_are_those_of_unroll(cell, mask):
    inputs, _ = problem(cell)
    traced, _ = trace(cell, *inputs, mask)
    (hs, last), _ = unroll(cell, *inputs, mask)
    real = real_steps(mask)
    assert_same(traced.states.h[real], hs[real], 1e-13)
    assert_same(tree_map(lambda leaf: leaf[-1], traced.states), last, 1e-13)
    for t in range(
        T
    ):  # the state after each step, its other parts too, is where a shorter sequence ends
        piece = None if mask is None else mask[: t + 1]
        (_, end), _ = unroll(cell, inputs[0], inputs[1][: t + 1], inputs[2], piece)
        assert_same(tree_map(lambda leaf, t=t: leaf[t], traced.states), end, 1e-13)


def previous_states(states, first):
    """Return the states before each step."""
    return tree_map(lambda leaves, start: np.concatenate([start[None], leaves[:-1]]), states, first)


@each_mask
@each_cell
def test_the_two_pre_activations_are_what_the_input_says_and_what_the_state_says(cell, mask):
    (params, xs, state), _ = problem(cell)
    traced, _ = trace(cell, params, xs, state, mask)
    assert_same(traced.a_xs, np.stack([x @ params.W_x + params.b for x in xs]), 1e-13)
    assert_same(
        traced.a_hs,
        np.stack([h @ params.W_h for h in previous_states(traced.states, state).h]),
        1e-13,
    )


@each_mask
def test_the_values_of_the_lstm_are_its_gates(mask):
    (params, xs, state), _ = problem(LSTM)
    traced, _ = trace(LSTM, params, xs, state, mask)
    values, a = traced.values, gate_blocks(traced.a_xs + traced.a_hs, LSTMGates)
    assert_same((values.i, values.f, values.o), tuple(map(sigmoid.f, (a.i, a.f, a.o))))
    assert_same(values.g, np.tanh(a.g))
    assert_same(values.c_previous, previous_states(traced.states, state).c)
    c, real = values.f * values.c_previous + values.i * values.g, real_steps(mask)
    assert_same(values.tanh_c, np.tanh(c))
    assert_same(
        LSTMState(traced.states.h[real], traced.states.c[real]),
        LSTMState((values.o * values.tanh_c)[real], c[real]),
    )


@each_mask
@pytest.mark.parametrize("cell", [GRU, GRUBefore], ids=["after", "before"])
def test_the_values_of_the_gru_are_its_gates(cell, mask):
    (params, xs, state), _ = problem(cell)
    traced, _ = trace(cell, params, xs, state, mask)
    values, a_x = traced.values, gate_blocks(traced.a_xs, GRUGates)
    a_hr, a_hz = np.split(traced.a_hs[..., : 2 * H], 2, axis=-1)
    assert_same(values.h_previous, previous_states(traced.states, state).h)
    assert_same(values.r, sigmoid.f(a_x.r + a_hr))
    assert_same(values.z, sigmoid.f(a_x.z + a_hz))
    if cell is GRU:
        assert_same(values.s, traced.a_hs[..., 2 * H :] + params.b_hn)
        assert_same(values.n, np.tanh(a_x.n + values.r * values.s))
    else:
        assert traced.a_hs.shape == (T, B, 2 * H)
        assert_same(values.n, np.tanh(a_x.n + (values.r * values.h_previous) @ params.W_hn))
    real = real_steps(mask)
    assert_same(
        traced.states.h[real], (values.z * values.h_previous + (1 - values.z) * values.n)[real]
    )


def test_a_cell_whose_cache_is_an_array_has_values_that_are_an_array():
    (params, xs, state), _ = problem(Elman)
    traced, _ = trace(Elman, params, xs, state)
    np.testing.assert_array_equal(traced.values, traced.states.h)
    assert_same(traced.values, np.tanh(traced.a_xs + traced.a_hs))


# Backward


STILL = np.zeros((T, 1, 1)), np.zeros((T, 1, 1))


def run(cell, params, xs, state, mask, doutputs, moved=STILL):
    """Return the loss sum(hs * dhs) + last state . dlast_state, with each a_x and a_h moved."""
    moved_x, moved_h = moved
    dhs, dlast = doutputs
    loss = 0.0
    for t, x in enumerate(xs):
        new, _ = cell.pointwise(
            params, x @ params.W_x + params.b + moved_x[t], state.h @ params.W_h + moved_h[t], state
        )
        keep = np.ones((B, 1), bool) if mask is None else mask[t][:, None]
        state = tree_map(lambda n, s, keep=keep: np.where(keep, n, s), new, state)
        loss = loss + np.sum(np.where(keep, state.h, 0) * dhs[t])
    return loss + sum(np.sum(part * dpart) for part, dpart in zip(state, dlast))


@each_mask
@each_cell
def test_dstates_are_the_slopes_of_what_follows_each_state(cell, mask):
    """Stop after step t, move h or c of the state, and go on: the slope is dstates[t]."""
    (params, xs, _), (dhs, dlast), traced, back = both(cell, mask)
    for t in range(T):
        rest = None if mask is None else mask[t + 1 :]

        def loss_to_come(state, t=t, rest=rest):
            output = np.where(real_steps(mask)[t][:, None], state.h, 0)
            return np.sum(output * dhs[t]) + run(
                cell, params, xs[t + 1 :], state, rest, (dhs[t + 1 :], dlast)
            )

        reference = numerical_gradient(
            loss_to_come, tree_map(lambda leaf, t=t: leaf[t], traced.states)
        )
        assert_same(tree_map(lambda leaf, t=t: leaf[t], back.dstates), reference)


@each_mask
@each_cell
def test_da_xs_and_da_hs_are_the_slopes_of_the_pre_activations(cell, mask):
    inputs, doutputs, traced, back = both(cell, mask)
    found = back.da_xs, back.da_hs
    assert_same(
        found,
        numerical_gradient(
            lambda moved: run(cell, *inputs, mask, doutputs, moved), tree_zeros_like(found)
        ),
    )
    assert back.da_xs.shape == traced.a_xs.shape and back.da_hs.shape == traced.a_hs.shape
    padding = ~real_steps(mask)
    assert (back.da_xs[padding] == 0).all() and (back.da_hs[padding] == 0).all()


@each_mask
@each_cell
def test_the_gradients_of_the_parameters_are_sums_over_the_trace(cell, mask):
    (params, xs, state), doutputs, traced, back = both(cell, mask)
    _, cache = unroll(cell, params, xs, state, mask)
    dparams, dxs, _ = unroll_backward(cell, params, cache, doutputs)
    assert_same(np.einsum("tbd,tba->da", xs, back.da_xs), dparams.W_x)
    assert_same(
        np.einsum("tbh,tba->ha", previous_states(traced.states, state).h, back.da_hs), dparams.W_h
    )
    assert_same(back.da_xs.sum(axis=(0, 1)), dparams.b)
    assert_same(back.da_xs @ params.W_x.T, dxs)


def test_the_gates_of_all_steps_of_an_lstm_at_once():
    """`lstm_gates_backward` on the arrays of a trace: the slope when a gate or c is moved."""
    (params, xs, state), (dhs, dlast), traced, back = both(LSTM, None)

    def loss(moved):
        gates_moved, c_moved = moved
        h, c, total = state.h, state.c, 0.0
        for t, x in enumerate(xs):
            a = gate_blocks(x @ params.W_x + h @ params.W_h + params.b, LSTMGates)
            i, f, o, g = (
                f(block) + d[t]
                for f, block, d in zip((sigmoid.f, sigmoid.f, sigmoid.f, np.tanh), a, gates_moved)
            )
            c = f * c + i * g + c_moved[t]
            h = o * np.tanh(c)
            total = total + np.sum(h * dhs[t])
        return total + np.sum(h * dlast.h) + np.sum(c * dlast.c)

    found = lstm_gates_backward(traced.values, back.dstates)
    assert_same(found, numerical_gradient(loss, tree_zeros_like(found)))


def test_the_gates_of_all_steps_of_a_gru_at_once():
    """`gru_gates_backward` on the arrays of a trace: the slope when r, z, n or s is moved."""
    (params, xs, state), (dhs, dlast), traced, back = both(GRU, None)

    def loss(moved):
        gates_moved, s_moved = moved
        h, total = state.h, 0.0
        for t, x in enumerate(xs):
            a_x, a_h = (
                gate_blocks(x @ params.W_x + params.b, GRUGates),
                gate_blocks(h @ params.W_h, GRUGates),
            )
            r = sigmoid.f(a_x.r + a_h.r) + gates_moved.r[t]
            z = sigmoid.f(a_x.z + a_h.z) + gates_moved.z[t]
            n = np.tanh(a_x.n + r * (a_h.n + params.b_hn + s_moved[t])) + gates_moved.n[t]
            h = z * h + (1 - z) * n
            total = total + np.sum(h * dhs[t])
        return total + np.sum(h * dlast.h)

    found = gru_gates_backward(traced.values, back.dstates)
    assert_same(found, numerical_gradient(loss, tree_zeros_like(found)))


def test_on_padding_the_gates_are_told_a_gradient_that_only_passes_by():
    """On padding `dstates` passes to the step before: ignore `lstm_gates_backward` there."""
    _, _, traced, back = both(LSTM, MASKS["ragged"])
    dgates, _ = lstm_gates_backward(traced.values, back.dstates)
    da_f = gate_blocks(back.da_xs, LSTMGates).f
    real, f = MASKS["ragged"], traced.values.f
    assert_same((dgates.f * f * (1 - f))[real], da_f[real])
    assert (dgates.f[~real] != 0).any() and (da_f[~real] == 0).all()


# Manners


@each_cell
def test_float32_stays_float32(cell):
    (params, xs, state), doutputs = tree_cast(problem(cell), np.float32)
    traced, caches = trace(cell, params, xs, state, MASKS["ragged"])
    back = trace_backward(cell, params, caches, doutputs)
    assert {leaf.dtype for leaf in tree_leaves((traced, back))} == {np.dtype(np.float32)}


@each_cell
def test_nothing_is_changed_in_place_and_nothing_is_remembered(cell):
    inputs, doutputs = problem(cell)
    before = [leaf.copy() for leaf in tree_leaves((inputs, doutputs))]
    traced, caches = trace(cell, *inputs, MASKS["ragged"])
    back = trace_backward(cell, inputs[0], caches, doutputs)
    kept = [leaf.copy() for leaf in tree_leaves(back)]
    for leaf in tree_leaves((traced, back)):
        leaf[...] = 7.0  # what is returned is the caller's
    again = trace_backward(cell, inputs[0], caches, doutputs)
    assert all(np.array_equal(old, new) for old, new in zip(kept, tree_leaves(again), strict=True))
    assert all(
        np.array_equal(old, new)
        for old, new in zip(before, tree_leaves((inputs, doutputs)), strict=True)
    )


BAD = [
    (
        lambda p, xs, s, m: (p, xs[:0], s, None),
        ValueError,
        r"xs: expected at least one step.*, got \(0, 2, 5\)",
    ),
    (
        lambda p, xs, s, m: (p, xs[0], s, m),
        ValueError,
        r"xs: expected shape \(T, B, D=5\), got \(2, 5\)",
    ),
    (
        lambda p, xs, s, m: (p, xs[..., :1], s, m),
        ValueError,
        r"xs: expected shape \(T, B, D=5\), got \(4, 2, 1\)",
    ),
    (lambda p, xs, s, m: (p, xs.tolist(), s, m), TypeError, "xs: expected a NumPy array"),
    (
        lambda p, xs, s, m: (p, xs / np.eye(T)[:, :1, None], s, m),
        NotFiniteError,
        r"xs: .* got -?inf at index \(1, 0, 0\)",
    ),
    (
        lambda p, xs, s, m: (p._replace(W_h=p.W_h[:, :1]), xs, s, m),
        ValueError,
        r"W_h: expected shape \(3, 12\), got \(3, 1\)",
    ),
    (
        lambda p, xs, s, m: (p, xs, s.h, m),
        TypeError,
        r"state: expected LSTMState\(h, c\), got ndarray",
    ),
    (
        lambda p, xs, s, m: (p, xs, LSTMState(s.h, s.c[:1]), m),
        ValueError,
        r"state.c: expected shape \(2, 3\), got \(1, 3\)",
    ),
    (
        lambda p, xs, s, m: (p, xs, s, m.T),
        ValueError,
        r"mask: expected shape \(T=4, B=2\), got \(2, 4\)",
    ),
    (
        lambda p, xs, s, m: (p, xs, s, m[:1]),
        ValueError,
        r"mask: expected shape \(T=4, B=2\), got \(1, 2\)",
    ),
    (
        lambda p, xs, s, m: (p, xs, s, m.astype(float)),
        TypeError,
        "mask: expected a boolean array.* got float64",
    ),
]


@pytest.mark.parametrize("spoil, error, message", BAD)
def test_bad_input_is_refused_by_name(spoil, error, message):
    (params, xs, state), _ = problem(LSTM)
    with np.errstate(divide="ignore"), pytest.raises(error, match=message):
        trace(LSTM, *spoil(params, xs, state, MASKS["ragged"]))


@pytest.mark.parametrize("sizes", [(D + 1, H), (D, H + 1)])
@each_cell
def test_the_parameters_of_another_size_are_refused(cell, sizes):
    (params, xs, state), doutputs = problem(cell)
    _, caches = trace(cell, params, xs, state)
    with pytest.raises(ValueError, match=r"W_x: expected shape \(5, \d+\), got"):
        trace_backward(cell, cell.init(np.random.default_rng(0), *sizes), caches, doutputs)


BAD_GRADIENTS = [
    (lambda dhs, d: (dhs[1:], d), ValueError, r"dhs: expected shape \(4, 2, 3\), got \(3, 2, 3\)"),
    (
        lambda dhs, d: (dhs[:, :1], d),
        ValueError,
        r"dhs: expected shape \(4, 2, 3\), got \(4, 1, 3\)",
    ),
    (lambda dhs, d: (dhs.astype("f4"), d), TypeError, "dhs: expected dtype float64, got float32"),
    (
        lambda dhs, d: (dhs, d.h),
        ValueError,
        "dlast_state: trees of different structure: expected LSTMState",
    ),
    (
        lambda dhs, d: (dhs, d._replace(c=d.c[0])),
        ValueError,
        r"dlast_state.c: expected shape \(2, 3\), got \(3,\)",
    ),
]


@pytest.mark.parametrize("spoil, error, message", BAD_GRADIENTS)
def test_a_gradient_that_is_not_of_the_type_of_its_thing_is_refused(spoil, error, message):
    inputs, doutputs = problem(LSTM)
    _, caches = trace(LSTM, *inputs)
    with pytest.raises(error, match=message):
        trace_backward(LSTM, inputs[0], caches, spoil(*doutputs))
