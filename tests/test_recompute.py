"""A sequence in stretches is the sequence: outputs and gradients, whatever the stretch; and less is kept."""

import numpy as np
import pytest
from example_cell import Leaky
from test_unroll import BAD

from rnn_tutorial.cells.elman import Elman
from rnn_tutorial.cells.gru import GRU
from rnn_tutorial.cells.lstm import LSTM
from rnn_tutorial.gradient_check import check_gradients, check_layer, random_start, relative_error
from rnn_tutorial.layers import Dense, Recurrent
from rnn_tutorial.recompute import Recomputed, recomputed_unroll, recomputed_unroll_backward, unroll_outputs
from rnn_tutorial.tree import tree_leaves, tree_random_like, tree_size
from rnn_tutorial.unroll import unroll, unroll_backward

T, B, D, H = 7, 3, 4, 5
MASK = np.arange(T)[:, None] < np.array([7, 4, 1])
each_cell = pytest.mark.parametrize("cell", [Elman, LSTM, GRU, Leaky], ids=lambda cell: cell.name)
each_mask = pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "ragged"])


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def problem(cell, rng, T=T):
    """Return (params, xs, state), (dhs, dlast_state), all random."""
    params, state = random_start(cell, rng, B, D, H)
    return (params, rng.standard_normal((T, B, D)), state), (rng.standard_normal((T, B, H)), tree_random_like(state, rng))


def assert_same(tree, reference):
    for ours, theirs in zip(tree_leaves(tree), tree_leaves(reference), strict=True):
        assert relative_error(ours, theirs) < 1e-12


@each_cell
@each_mask
@pytest.mark.parametrize("every", [None, 1, 2, 3, 7, 100])
def test_stretches_change_nothing(cell, mask, every, rng):
    inputs, doutputs = problem(cell, rng)
    outputs, cache = recomputed_unroll(cell, *inputs, mask, every=every)
    expected, whole = unroll(cell, *inputs, mask)
    assert_same(outputs, expected)
    assert_same(recomputed_unroll_backward(cell, inputs[0], cache, doutputs), unroll_backward(cell, inputs[0], whole, doutputs))
    assert_same(unroll_outputs(cell, *inputs, mask, every=every or 32), expected)


@each_mask
def test_the_gradient_is_the_slope(mask, rng):
    point, _ = problem(LSTM, rng)
    check_gradients(
        lambda p: recomputed_unroll(LSTM, *p, mask), lambda c, d: recomputed_unroll_backward(LSTM, point[0], c, d), point, rng
    )


@each_mask
@pytest.mark.parametrize("every", [None, 3])
def test_the_layer_is_the_layer_that_it_wraps(mask, every, rng):
    layer = Recurrent(GRU, D, H)
    frugal = Recomputed(layer, every)
    params, xs = frugal.init(rng), rng.standard_normal((T, B, D))
    assert_same(frugal.forward(params, xs, mask=mask)[0], layer.forward(params, xs, mask=mask)[0])
    check_layer(frugal, xs, rng, mask=mask)


@pytest.mark.parametrize(("T", "kept"), [(1, 1), (4, 2), (100, 10), (101, 10), (400, 20)])
def test_kept_is_a_state_for_every_stretch_of_about_the_root_of_the_steps(T, kept, rng):
    (params, xs, state), _ = problem(LSTM, rng, T=T)
    _, cache = recomputed_unroll(LSTM, params, xs, state)
    assert len(cache.states) == kept
    assert tree_size(cache.states) == kept * 2 * B * H


def test_nothing_is_changed_and_nothing_is_remembered(rng):
    inputs, doutputs = problem(LSTM, rng)
    before = [leaf.copy() for leaf in tree_leaves((inputs, doutputs))]
    outputs, cache = recomputed_unroll(LSTM, *inputs, MASK)
    first = recomputed_unroll_backward(LSTM, inputs[0], cache, doutputs)
    for leaf in tree_leaves(outputs):
        leaf[...] = 7.0
    second = recomputed_unroll_backward(LSTM, inputs[0], cache, doutputs)
    assert all(np.array_equal(a, b) for a, b in zip(tree_leaves(first), tree_leaves(second), strict=True))
    assert all(np.array_equal(a, b) for a, b in zip(before, tree_leaves((inputs, doutputs)), strict=True))


@pytest.mark.parametrize("forward", [unroll_outputs, recomputed_unroll])
@pytest.mark.parametrize("spoil, error, message", BAD)
def test_bad_input_is_refused_by_name(forward, spoil, error, message, rng):
    params, state = random_start(Elman, rng, 3, 4, 5)
    xs, mask = rng.standard_normal((6, 3, 4)), np.arange(6)[:, None] < np.array([6, 4, 1])
    with pytest.raises(error, match=message):
        forward(Elman, *spoil(params, xs, state, mask))


def test_a_stretch_that_is_no_positive_whole_number_is_refused(rng):
    inputs, _ = problem(LSTM, rng)
    for make in (
        lambda every: unroll_outputs(LSTM, *inputs, every=every),
        lambda every: recomputed_unroll(LSTM, *inputs, every=every),
        lambda every: Recomputed(Recurrent(LSTM, D, H), every),
    ):
        for every in (0, 2.5):
            with pytest.raises(ValueError, match=f"every: expected a positive whole number, got {every}"):
                make(every)


def test_only_a_recurrent_layer_is_recomputed():
    with pytest.raises(TypeError, match="layer: expected a Recurrent, got Dense"):
        Recomputed(Dense(3, 4))


def test_a_gradient_that_is_not_of_the_type_of_its_thing_is_refused(rng):
    (params, xs, state), (dhs, dlast) = problem(LSTM, rng)
    _, cache = recomputed_unroll(LSTM, params, xs, state)
    with pytest.raises(ValueError, match=r"dhs: expected shape \(T=7, B=3, H=5\), got \(6, 3, 5\)"):
        recomputed_unroll_backward(LSTM, params, cache, (dhs[1:], dlast))
    with pytest.raises(ValueError, match=r"dlast_state.c: expected shape \(3, 5\), got \(1, 5\)"):
        recomputed_unroll_backward(LSTM, params, cache, (dhs, dlast._replace(c=dlast.c[:1])))
