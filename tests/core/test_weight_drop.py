"""Weight dropping: one network for a whole sequence, its gradient, and evaluation without draws."""

import numpy as np
import pytest
from judges import assert_close, torch_lstm, torch_or_skip, torch_unroll

from rnn_tutorial.cells import GRU, LSTM, GRUBefore, LSTMState
from rnn_tutorial.gradient_check import check_gradients
from rnn_tutorial.layers import Recurrent, WeightDrop, WeightDropState, reset_state
from rnn_tutorial.layers.weight_drop import weight_factors
from rnn_tutorial.tree import tree_leaves, tree_random_like

T, B, D, H = 6, 3, 4, 5
MASK = np.arange(T)[:, None] < np.array([6, 4, 1])
DRAWS = np.array([[0.7], [0.7], [0.3]])  # two sequences that began together, and another


def problem(cell, rng, rate=0.4):
    layer = WeightDrop(cell, D, H, rate)
    params = tree_random_like(layer.init(rng), rng, 0.4)
    return layer, params, rng.standard_normal((T, B, D))


@pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "ragged"])
@pytest.mark.parametrize("draws", [(), DRAWS], ids=["drawn together", "two draws"])
@pytest.mark.parametrize("cell", [LSTM, GRU, GRUBefore])
def test_every_gradient_is_the_slope_in_training(cell, draws, mask, rng):
    layer, params, xs = problem(cell, rng)
    first = tree_random_like(layer.initial_state(params, B).cell, rng, 0.4)

    def forward(point):
        params, xs, first = point
        noise = np.random.default_rng(7)  # the same each time: the slope is of one function
        hs, last, cache = layer.forward(
            params, xs, WeightDropState(first, draws), mask=mask, rng=noise
        )
        return (hs, last.cell), cache

    def backward(cache, doutputs):
        dhs, dlast = doutputs
        dparams, dxs, dfirst = layer.backward(params, cache, dhs, WeightDropState(dlast, draws))
        return dparams, dxs, dfirst.cell

    check_gradients(forward, backward, (params, xs, first), rng)


def test_it_is_the_layer_with_some_weights_zero_and_the_others_larger(rng):
    layer, params, xs = problem(LSTM, rng)
    hs, state, _ = layer.forward(params, xs, rng=rng)
    (draw,) = np.unique(state.draws)
    factors = weight_factors(params, draw, 0.4)
    assert set(np.unique(factors["W_h"])) == {0, 1 / 0.6} and factors.keys() == {"W_h"}
    dropped = params._replace(W_h=params.W_h * factors["W_h"])
    np.testing.assert_array_equal(hs, Recurrent(LSTM, D, H).forward(dropped, xs)[0])


def test_a_dropped_weight_has_no_gradient_and_the_others_have_one(rng):
    layer, params, xs = problem(LSTM, rng)
    hs, state, cache = layer.forward(params, xs, rng=rng)
    dparams, _, _ = layer.backward(params, cache, np.ones_like(hs))
    factors = weight_factors(params, state.draws[0, 0], 0.4)["W_h"]
    assert ((dparams.W_h == 0) == (factors == 0)).all() and (factors == 0).any()


def test_outputs_and_gradients_are_those_of_pytorch_with_these_weights(rng):
    torch = torch_or_skip()
    layer, params, xs = problem(LSTM, rng)
    first, dlast = (LSTMState(*rng.standard_normal((2, B, H))) for _ in range(2))
    dhs = rng.standard_normal((T, B, H))
    state = WeightDropState(first, np.full((B, 1), 0.3))
    hs, last, cache = layer.forward(params, xs, state, mask=MASK, rng=rng)
    dparams, dxs, dfirst = layer.backward(params, cache, dhs, WeightDropState(dlast, ()))
    factors = weight_factors(params, 0.3, 0.4)["W_h"]
    lstm = torch_lstm(torch, params._replace(W_h=params.W_h * factors))
    lengths = MASK.sum(axis=0)
    want_hs, want_last, gradients = torch_unroll(torch, lstm, xs, first, lengths, dhs, dlast)
    i, f, g, o = np.split(gradients["W_h"], 4, axis=1)
    assert_close("hs", hs, want_hs, 1e-12)
    assert_close("dxs", dxs, gradients["xs"], 1e-12)
    assert_close("dW_h", dparams.W_h, np.concatenate([i, f, o, g], axis=1) * factors, 1e-12)
    for got, want in zip(
        (*last.cell, *dfirst.cell), (*want_last, *gradients["state"]), strict=True
    ):
        assert_close("state", got, want, 1e-12)


def test_evaluation_is_the_layer_without_dropping_and_keeps_the_draws(rng):
    layer, params, xs = problem(GRU, rng)
    plain, last, _ = Recurrent(GRU, D, H).forward(params, xs)
    hs, state, _ = layer.forward(params, xs)
    assert state.draws == ()
    np.testing.assert_array_equal(hs, plain)
    np.testing.assert_array_equal(state.cell.h, last.h)
    drawn = WeightDropState(layer.initial_state(params, B).cell, DRAWS)
    np.testing.assert_array_equal(layer.forward(params, xs, drawn)[1].draws, DRAWS)


def test_weights_stay_with_their_sequence_and_a_new_sequence_draws_anew(rng):
    layer, params, xs = problem(LSTM, rng)
    _, state, _ = layer.forward(params, xs, rng=rng)
    begins = np.array([False, True, False])
    _, after, _ = layer.forward(params, xs, reset_state(state, begins), rng=rng)
    np.testing.assert_array_equal(after.draws[~begins], state.draws[~begins])
    assert (after.draws[begins] != state.draws[begins]).all() and (after.draws > 0).all()
    _, other, _ = layer.forward(params, xs, rng=rng)
    assert len(np.unique(state.draws)) == 1 and (other.draws != state.draws).all()


def test_each_sequence_has_the_outputs_of_its_own_draw(rng):
    layer, params, xs = problem(LSTM, rng)
    first = layer.initial_state(params, B).cell
    hs, _, _ = layer.forward(params, xs, WeightDropState(first, DRAWS), mask=MASK, rng=rng)
    for b, draw in enumerate(DRAWS[:, 0]):
        dropped = params._replace(W_h=params.W_h * weight_factors(params, draw, 0.4)["W_h"])
        alone, _, _ = Recurrent(LSTM, D, H).forward(
            dropped, xs[:, b : b + 1], mask=MASK[:, b : b + 1]
        )
        assert_close("hs", hs[:, b : b + 1], alone, 1e-12)


def test_the_mean_of_the_weights_stays(rng):
    params = LSTM.init(rng, 1, 100)
    factors = weight_factors(params, 0.3, 0.4)["W_h"]
    assert abs(factors.mean() - 1) < 0.02


def test_all_recurrent_matrices_of_a_cell_are_dropped_each_by_its_own_draw(rng):
    factors = weight_factors(GRUBefore.init(rng, D, H), 0.3, 0.4)
    assert factors.keys() == {"W_h", "W_hn"}
    assert not np.array_equal(factors["W_h"][:, :H], factors["W_hn"])


def test_what_does_not_fit_is_refused(rng):
    layer, params, xs = problem(LSTM, rng)
    for rate in (1, -0.1, "half"):
        with pytest.raises(ValueError, match="rate: expected a finite number"):
            WeightDrop(LSTM, D, H, rate)
    with pytest.raises(TypeError, match="cell: expected a Cell"):
        WeightDrop("LSTM", D, H, 0.5)
    first = layer.initial_state(params, B)
    with pytest.raises(TypeError, match="state: expected WeightDropState"):
        layer.forward(params, xs, first.cell)
    with pytest.raises(ValueError, match=r"state.draws: expected shape \(3, 1\), got \(2, 1\)"):
        layer.forward(params, xs, first._replace(draws=DRAWS[:2]), rng=rng)
    with pytest.raises(ValueError, match="mask: expected shape"):
        layer.forward(params, xs, mask=MASK[1:])
    assert all(leaf.dtype == float for leaf in tree_leaves(layer.forward(params, xs, rng=rng)[1]))
