"""The compiled kernel computes what the LSTM computes, in float32, as precisely; it needs numba."""

import numpy as np
import pytest
from mutation import surviving

from rnn_tutorial.cells import LSTM
from rnn_tutorial.gradient_check import random_start, relative_error
from rnn_tutorial.layers import Recurrent
from rnn_tutorial.sequence import fused_unroll, fused_unroll_backward, unroll, unroll_backward
from rnn_tutorial.tree import tree_cast, tree_leaves, tree_map, tree_random_like

pytest.importorskip("numba")

from rnn_tutorial.cells.kernels import compiled  # noqa: E402

QUICK = LSTM.with_fast(compiled.LSTM_COMPILED)
T, D, H = 6, 4, 5
MASKS = {
    "whole": None,
    "ragged": np.arange(T)[:, None] < np.array([6, 4, 1]),
    "holes": np.array([[1, 0, 1], [0, 0, 1], [1, 1, 1], [1, 0, 0], [1, 1, 0], [0, 1, 1]], bool),
}


def both(cell, forward, backward, point, doutputs, mask):
    outputs, cache = forward(cell, *point, mask)
    return outputs, backward(cell, point[0], cache, doutputs)


def assert_right(cell, B, mask):
    """Outputs and gradients in float32 are those of the readable path in float64."""
    rng = np.random.default_rng(3)
    params, state = random_start(LSTM, rng, B, D, H)
    point = tree_cast((params, rng.standard_normal((T, B, D)), state), np.float32)
    exact = tree_cast(point, np.float64)
    doutputs = tree_cast((rng.standard_normal((T, B, H)), tree_random_like(state, rng)), np.float32)
    ours = both(cell, fused_unroll, fused_unroll_backward, point, doutputs, mask)
    right = both(LSTM, unroll, unroll_backward, exact, tree_cast(doutputs, np.float64), mask)
    for leaf, wanted in zip(tree_leaves(ours), tree_leaves(right), strict=True):
        assert leaf.dtype == np.float32
        assert relative_error(leaf.astype(float), wanted) < 2e-6


@pytest.mark.parametrize("B", [1, 3])
@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
def test_outputs_and_gradients_are_those_of_the_lstm(B, mask):
    assert_right(QUICK, B, None if mask is None else mask[:, :B])


POINTS = np.concatenate(
    [np.linspace(-88, 88, 3000), np.geomspace(1e-30, 20, 400), -np.geomspace(1e-30, 20, 400)]
).astype(np.float32)


def applied(function, xs=POINTS):
    with np.errstate(all="ignore"):
        return np.array([function(x) for x in xs])


def off(function, right):
    """Return the largest relative error, in units of the last place of float32."""
    exact = right(POINTS.astype(float))
    return np.abs(applied(function) / exact - 1).max() / np.finfo(np.float32).eps


def test_a_closed_gate_and_a_small_number_keep_their_digits():
    """To 2 units in the last place wherever float32 has them, from exp(-88) up."""
    assert off(compiled.sigmoid_of_minus, lambda x: 1 / (1 + np.exp(x))) < 2
    assert off(compiled.tanh_of, np.tanh) < 2


def test_beyond_its_range_a_function_is_flat_and_a_nan_stays_one():
    far = np.array([1e4, -1e4, np.inf, -np.inf, np.nan], np.float32)
    np.testing.assert_array_equal(applied(compiled.sigmoid_of_minus, far), [0, 1, 0, 1, np.nan])
    np.testing.assert_array_equal(applied(compiled.tanh_of, far), [1, -1, 1, -1, np.nan])


def test_a_nan_in_a_weight_is_in_the_output():
    rng = np.random.default_rng(0)
    params, state = tree_cast(random_start(LSTM, rng, 2, D, H), np.float32)
    params.b[0] = np.nan
    (hs, _), _ = fused_unroll(QUICK, params, np.ones((T, 2, D), np.float32), state)
    assert np.isnan(hs[:, :, 0]).all()


def test_other_dtypes_are_refused_before_anything_is_computed():
    layer = Recurrent(QUICK, D, H)
    params = layer.init(np.random.default_rng(0))
    with pytest.raises(TypeError, match="params: the compiled kernel is for float32, got float64"):
        layer.forward(params, np.ones((T, 2, D)))


def test_nothing_that_came_in_is_changed_and_a_backward_can_run_twice():
    rng = np.random.default_rng(0)
    params, state = tree_cast(random_start(LSTM, rng, 2, D, H), np.float32)
    xs = np.ones((T, 2, D), np.float32)
    before = tree_map(np.copy, (params, xs, state))
    (hs, last), cache = fused_unroll(QUICK, params, xs, state)
    first, second = (fused_unroll_backward(QUICK, params, cache, (hs, last)) for _ in range(2))
    for now, then in zip(tree_leaves(((params, xs, state), first)), tree_leaves((before, second))):
        np.testing.assert_array_equal(now, then)


def test_without_numba_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setattr(compiled, "njit", None)
    assert compiled.compiled(applied) is applied
    layer = Recurrent(QUICK, D, H)
    params = tree_cast(layer.init(np.random.default_rng(0)), np.float32)
    with pytest.raises(ImportError, match=r"needs numba: pip install rnn-tutorial\[fast\]"):
        layer.forward(params, np.ones((T, 2, D), np.float32))


# The tests above must fail for every one-token slip, in Python as well as compiled.


@pytest.mark.parametrize("name", ["compiled_forward", "compiled_slopes", "compiled_backward"])
def test_every_slip_in_the_kernel_is_caught(name):
    original = getattr(compiled, name)
    field = compiled.LSTM_COMPILED._fields[list(compiled.LSTM_COMPILED).index(original)]

    def check(mutant):
        kernel = compiled.LSTM_COMPILED._replace(**{field: mutant})
        with np.errstate(all="ignore"):
            assert_right(LSTM.with_fast(kernel), 2, MASKS["holes"][:, :2])

    count, survivors = surviving(getattr(original, "py_func", original), check)
    # The fourth gate may be a sigmoid at first: its tanh is written over it.
    assert count > 3 and set(survivors) <= {"3  ->  4"}


@pytest.mark.parametrize("name", ["sigmoid_of_minus", "tanh_of"])
def test_every_slip_in_a_function_is_caught(name):
    right = {"sigmoid_of_minus": lambda x: 1 / (1 + np.exp(x)), "tanh_of": np.tanh}[name]
    count, survivors = surviving(
        getattr(compiled, name).py_func,
        lambda mutant: np.testing.assert_array_less(off(mutant, right), 2),
    )
    # Three quarters of the largest exponent can be put together as well as a half of it.
    assert count > 3 and set(survivors) <= {"half = np.int32(n >> 1)  ->  half = np.int32(n >> 2)"}
