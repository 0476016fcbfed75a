"""The compiled kernel computes what the LSTM computes, in float32, as precisely; it needs numba."""

import numpy as np
import pytest
from mutation import surviving

from rnn_tutorial.cells import LSTM
from rnn_tutorial.gradient_check import random_start, relative_error
from rnn_tutorial.layers import Recurrent
from rnn_tutorial.sequence import fused_unroll, fused_unroll_backward, unroll, unroll_backward
from rnn_tutorial.sequence.fused import NUMPY_LOOP, loop_of
from rnn_tutorial.tree import tree_cast, tree_leaves, tree_map, tree_random_like

pytest.importorskip("numba")

from rnn_tutorial.cells.kernels import compiled  # noqa: E402
from rnn_tutorial.cells.kernels.kernel import Loop  # noqa: E402

KERNEL = compiled.LSTM_COMPILED
QUICK = LSTM.with_fast(KERNEL)
LOOPS = {"its own loop": QUICK, "NumPy's loop": LSTM.with_fast(KERNEL._replace(loop=None))}
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


@pytest.mark.parametrize("cell", LOOPS.values(), ids=LOOPS)
@pytest.mark.parametrize("B", [1, 3])
@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
def test_outputs_and_gradients_are_those_of_the_lstm(cell, B, mask):
    assert_right(cell, B, None if mask is None else mask[:, :B])


def test_its_own_loop_is_taken_up_to_its_largest_product():
    """B (H + 1 + D) 4 H = 600 multiplications."""
    assert_choice(loop_of)


def assert_choice(loop_of):
    zs = np.zeros((T + 1, 3, H + 1 + D), np.float32)
    for largest, loop in ((600, KERNEL.loop._replace(largest=600)), (599, NUMPY_LOOP)):
        kernel = KERNEL._replace(loop=KERNEL.loop._replace(largest=largest))
        assert loop_of(kernel, zs, H) == loop
    assert loop_of(KERNEL._replace(loop=None), zs, H) == NUMPY_LOOP


def test_arrays_of_any_layout_give_the_same():
    """Gradients that are a view with gaps, or the same row many times; a mask by columns."""
    rng = np.random.default_rng(1)
    params, state = tree_cast(random_start(LSTM, rng, 3, D, H), np.float32)
    xs = rng.standard_normal((T, 3, D)).astype(np.float32)
    wide = rng.standard_normal((T, 3, 2 * H)).astype(np.float32)[::-1, :, ::2]
    same = np.broadcast_to(wide[0, 0], wide.shape)
    mask = MASKS["holes"]
    for dhs in (wide, same):
        point, last = (params, xs, state), tree_map(np.asfortranarray, state)
        ours = both(
            QUICK, fused_unroll, fused_unroll_backward, point, (dhs, last), np.asfortranarray(mask)
        )
        right = both(
            LOOPS["NumPy's loop"],
            fused_unroll,
            fused_unroll_backward,
            point,
            (dhs.copy(), state),
            mask,
        )
        for leaf, wanted in zip(tree_leaves(ours), tree_leaves(right), strict=True):
            assert relative_error(leaf, wanted) < 2e-6


@pytest.mark.parametrize("K", [1, 3, 4, 7, 8])
def test_a_row_times_a_matrix(K):
    assert_product(compiled.row_product, K)


def assert_product(function, K):
    rng = np.random.default_rng(K)
    z, W = rng.standard_normal(K).astype(np.float32), rng.standard_normal((K, H)).astype(np.float32)
    out = np.full(H, np.nan, np.float32)
    function(z, W, out)
    assert relative_error(out.astype(float), z.astype(float) @ W) < 1e-6


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
    field = KERNEL._fields[list(KERNEL).index(original)]

    def check(mutant):
        kernel = KERNEL._replace(loop=None, **{field: mutant})
        with np.errstate(all="ignore"):
            assert_right(LSTM.with_fast(kernel), 2, MASKS["holes"][:, :2])

    count, survivors = surviving(getattr(original, "py_func", original), check)
    # The fourth gate may be a sigmoid at first: its tanh is written over it.
    assert count > 3 and set(survivors) <= {"3  ->  4"}


HARMLESS = {
    # More memory than is needed.
    "hs, a = (zs[:, :, :H], np.empty((4, B, H), zs.dtype))  ->  "
    "hs, a = (zs[:, :, :H], np.empty((5, B, H), zs.dtype))",
    # One column more, the 1 of z, which a held step copies too.
    "hs, a = (zs[:, :, :H], np.empty((4, B, H), zs.dtype))  ->  "
    "hs, a = (zs[:, :, :T], np.empty((4, B, H), zs.dtype))",
    # The elementwise part does not read the old h.
    "previous, state = ((hs[t], cs[t]), (hs[t + 1], cs[t + 1]))  ->  "
    "previous, state = ((real[t], cs[t]), (hs[t + 1], cs[t + 1]))",
    # They have the same dtype.
    "slopes = np.empty((4, 1, H), dhs.dtype)  ->  slopes = np.empty((4, 1, H), gates.dtype)",
}


@pytest.mark.parametrize("name", ["all_steps", "all_steps_back", "loop_forward", "loop_backward"])
def test_every_slip_in_the_loop_is_caught(name, monkeypatch):
    original = getattr(compiled, name)
    for compiled_one in ("all_steps", "all_steps_back", "compiled_forward", "compiled_backward"):
        # In Python, an index that is wrong is an error.
        monkeypatch.setattr(compiled, compiled_one, getattr(compiled, compiled_one).py_func)
    monkeypatch.setattr(compiled, "row_product", lambda z, W, out: np.matmul(z, W, out))

    def check(mutant):
        monkeypatch.setattr(compiled, name, mutant)
        loop = Loop(*(mutant if part is original else part for part in KERNEL.loop))
        with np.errstate(all="ignore"):
            for mask in (None, MASKS["holes"][:, :2]):
                assert_right(LSTM.with_fast(KERNEL._replace(loop=loop)), 2, mask)

    count, survivors = surviving(getattr(original, "py_func", original), check)
    assert count > 3 and set(survivors) <= HARMLESS, survivors


def test_every_slip_in_the_product_is_caught():
    def check(mutant):
        for K in (1, 7, 12):
            assert_product(mutant, K)

    count, survivors = surviving(compiled.row_product.py_func, check)
    assert count > 3 and not survivors


def test_every_slip_in_the_choice_of_a_loop_is_caught():
    count, survivors = surviving(loop_of, assert_choice)
    assert count > 3 and not survivors


@pytest.mark.parametrize("name", ["sigmoid_of_minus", "tanh_of"])
def test_every_slip_in_a_function_is_caught(name):
    right = {"sigmoid_of_minus": lambda x: 1 / (1 + np.exp(x)), "tanh_of": np.tanh}[name]
    count, survivors = surviving(
        getattr(compiled, name).py_func,
        lambda mutant: np.testing.assert_array_less(off(mutant, right), 2),
    )
    # Three quarters of the largest exponent can be put together as well as a half of it.
    assert count > 3 and set(survivors) <= {"half = np.int32(n >> 1)  ->  half = np.int32(n >> 2)"}
