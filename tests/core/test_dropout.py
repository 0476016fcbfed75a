"""Dropout, variational dropout and zoneout: means, gradients, and evaluation without randomness."""

import numpy as np
import pytest

from rnn_tutorial.cells import GRU, LSTM, GRUState, LSTMState
from rnn_tutorial.gradient_check import check_gradients
from rnn_tutorial.layers import Dense, Dropout, Recurrent, Serial, VariationalDropout, Zoneout
from rnn_tutorial.sequence import unroll
from rnn_tutorial.tree import tree_cast, tree_leaves, tree_random_like

T, B, D, H = 6, 3, 4, 5
MASK = np.arange(T)[:, None] < np.array([6, 4, 1])
LAYERS = {
    "dropout": Dropout(0.3),
    "variational dropout": VariationalDropout(0.3),
    "zoneout of the LSTM": Zoneout(LSTM, D, H, LSTMState(h=0.2, c=0.5)),
    "zoneout of the GRU": Zoneout(GRU, D, H, GRUState(h=0.4)),
    "between layers": Serial(
        (
            Recurrent(LSTM, D, H),
            VariationalDropout(0.5),
            Recurrent(GRU, H, 2),
            Dropout(0.1),
            Dense(2, 3),
        )
    ),
}


@pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "ragged"])
@pytest.mark.parametrize("seed", [None, 7], ids=["evaluation", "training"])
@pytest.mark.parametrize("name", LAYERS)
def test_every_gradient_is_the_slope(name, seed, mask, rng):
    # the last state of a zoneout has a gradient, noise has none
    layer, moving = LAYERS[name], "zoneout" in name
    params, xs = tree_random_like(layer.init(rng), rng, 0.3), rng.standard_normal((T, B, D))

    def forward(point):
        # the same noise each time: the slope is of one function
        noise = None if seed is None else np.random.default_rng(seed)
        ys, last, cache = layer.forward(*point, mask=mask, rng=noise)
        return (ys, last if moving else ()), cache

    def backward(cache, doutputs):
        dys, dlast = doutputs
        return layer.backward(params, cache, dys, dlast if moving else None)[:2]

    check_gradients(forward, backward, (params, xs), rng)


@pytest.mark.parametrize("name", LAYERS)
def test_evaluation_is_not_random_and_training_is(name, rng):
    layer = LAYERS[name]
    params, xs = layer.init(rng), rng.standard_normal((T, B, D))
    first, second = (layer.forward(params, xs)[0] for _ in range(2))
    np.testing.assert_array_equal(first, second)
    noisy, other = (layer.forward(params, xs, rng=rng)[0] for _ in range(2))
    assert not np.array_equal(noisy, other) and not np.array_equal(noisy, first)


@pytest.mark.parametrize(
    "layer", [Dropout(0.3), VariationalDropout(0.3)], ids=["dropout", "variational"]
)
def test_entries_are_lost_or_scaled_so_that_the_mean_stays(layer, rng):
    xs = np.ones((20, 50, 40))
    ys, _, _ = layer.forward((), xs, rng=rng)
    assert set(np.unique(ys)) == {0, 1 / 0.7}
    assert abs(ys.mean() - 1) < 0.05
    np.testing.assert_array_equal(layer.forward((), xs)[0], xs)


def test_variational_dropout_loses_the_same_units_at_every_step_and_dropout_does_not(rng):
    xs = np.ones((T, B, 100))
    ys, _, _ = VariationalDropout(0.5).forward((), xs, rng=rng)
    assert (ys == ys[0]).all()
    assert not np.array_equal(ys[:, 0], ys[:, 1])  # each sequence has its own
    ys, _, _ = Dropout(0.5).forward((), xs, rng=rng)
    assert not np.array_equal(ys[0], ys[1])


def test_dropout_draws_other_entries_in_each_layer(rng):
    twice = Serial((Dropout(0.5), Dropout(0.5)))
    ys, _, _ = twice.forward(((), ()), np.ones((20, 20, 20)), rng=rng)
    assert abs((ys > 0).mean() - 0.25) < 0.02


def test_zoneout_keeps_each_entry_of_the_state_with_its_own_rate(rng):
    """With rate 1 the state never moves, with rate 0 the layer is `Recurrent`."""
    params, xs = LSTM.init(rng, D, H), rng.standard_normal((T, B, D))
    asleep, _, _ = Zoneout(LSTM, D, H, LSTMState(h=1, c=1)).forward(params, xs, rng=rng)
    awake, _, _ = Zoneout(LSTM, D, H, LSTMState(h=0, c=0)).forward(params, xs, rng=rng)
    assert (asleep == 0).all()
    hs, _, _ = Recurrent(LSTM, D, H).forward(params, xs)
    np.testing.assert_allclose(awake, hs, rtol=1e-12, atol=1e-15)


def test_zoneout_keeps_old_values_at_new_places_each_step(rng):
    """One published zoneout used the mask of its first step for all the others."""
    layer = Zoneout(GRU, D, 200, GRUState(h=0.5))
    params = layer.init(rng)
    hs, _, _ = layer.forward(params, rng.standard_normal((T, 1, D)), rng=rng)
    kept = hs[1:, 0] == hs[:-1, 0]
    assert (abs(kept.mean(axis=1) - 0.5) < 0.15).all()
    assert not (kept == kept[0]).all()


def test_zoneout_in_evaluation_is_the_mean_of_old_and_new(rng):
    layer = Zoneout(LSTM, D, H, LSTMState(h=0.2, c=0.5))
    params, xs = layer.init(rng), rng.standard_normal((T, B, D))
    hs, _, _ = layer.forward(params, xs)
    state = LSTM.initial_state(params, B)
    for t in range(T):
        (_, new), _ = unroll(LSTM, params, xs[t : t + 1], state)
        state = LSTMState(h=0.2 * state.h + 0.8 * new.h, c=0.5 * state.c + 0.5 * new.c)
        np.testing.assert_allclose(hs[t], state.h, rtol=1e-12)


@pytest.mark.parametrize("seed", [None, 7], ids=["evaluation", "training"])
@pytest.mark.parametrize("name", LAYERS)
def test_the_dtype_of_the_parameters_is_the_dtype_of_everything(name, seed, rng):
    layer = LAYERS[name]
    params, xs = (
        tree_cast(layer.init(rng), np.float32),
        rng.standard_normal((T, B, D)).astype(np.float32),
    )
    ys, _, cache = layer.forward(
        params, xs, mask=MASK, rng=None if seed is None else np.random.default_rng(seed)
    )
    assert {leaf.dtype for leaf in tree_leaves((ys, *layer.backward(params, cache, ys)))} == {
        np.dtype("float32")
    }


@pytest.mark.parametrize("rate", [-0.1, 1, 1.5, np.nan, "half"])
@pytest.mark.parametrize("kind", [Dropout, VariationalDropout])
def test_a_rate_outside_0_to_1_is_refused(kind, rate):
    with pytest.raises(
        ValueError, match="rate: expected a finite number at least 0 and below 1, got"
    ):
        kind(rate)


@pytest.mark.parametrize(
    "rates, error, message",
    [
        (
            LSTMState(h=1.2, c=0),
            ValueError,
            "rates.h: expected a finite number at least 0 and at most 1, got 1.2",
        ),
        (LSTMState(h=0, c=-1), ValueError, "rates.c: expected a finite number"),
        (0.5, TypeError, r"rates: expected LSTMState of numbers, as LSTM has, got 0.5"),
    ],
)
def test_rates_that_are_not_a_state_of_rates_are_refused(rates, error, message):
    with pytest.raises(error, match=message):
        Zoneout(LSTM, D, H, rates)


def test_zoneout_of_anything_that_is_not_a_cell_is_refused():
    with pytest.raises(TypeError, match="cell: expected a Cell, .* got str"):
        Zoneout("LSTM", D, H, LSTMState(h=0.1, c=0.1))


def test_rates_of_another_cell_are_refused_when_the_layer_is_made():
    with pytest.raises(
        TypeError, match=r"rates: expected LSTMState of numbers, as LSTM has, got GRUState\(h=0.5\)"
    ):
        Zoneout(LSTM, D, H, GRUState(h=0.5))


@pytest.mark.parametrize("name", LAYERS)
def test_a_seed_is_not_a_generator(name, rng):
    with pytest.raises(TypeError, match="rng: expected a generator"):
        LAYERS[name].forward(LAYERS[name].init(rng), rng.standard_normal((T, B, D)), rng=0)


@pytest.mark.parametrize(
    "layer", [Dropout(0.3), VariationalDropout(0.3)], ids=["dropout", "variational"]
)
def test_a_gradient_of_another_shape_is_refused(layer, rng):
    _, _, cache = layer.forward((), rng.standard_normal((T, B, D)), rng=rng)
    with pytest.raises(ValueError, match=r"dys: expected shape \(6, 3, 4\), got \(1, 3, 4\)"):
        layer.backward((), cache, np.ones((1, B, D)))
