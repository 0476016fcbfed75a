"""A stream in chunks: the same as whole, forward; resets; what cannot carry a state is refused."""

import numpy as np
import pytest
from rnn_tutorial.stateful import forward_from, initial_states, reset_states

from rnn_tutorial.cells.gru import GRU
from rnn_tutorial.cells.lstm import LSTM, LSTMState
from rnn_tutorial.directions import Bidirectional, Reversed
from rnn_tutorial.dropout import Dropout, Zoneout
from rnn_tutorial.gradient_check import check_gradients
from rnn_tutorial.layers import Dense, Recurrent, Residual, Serial
from rnn_tutorial.tree import tree_cast, tree_leaves, tree_random_like

T, B, D, H = 6, 3, 4, 5
MODEL = Serial(
    (Recurrent(LSTM, D, H), Residual(Recurrent(GRU, H, H)), Dropout(0.5), Serial((Recurrent(LSTM, H, 2), Dense(2, 3))))
)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("cut", [1, 3, 5])
def test_in_two_chunks_or_in_one_the_answer_is_the_same(cut, rng):
    params, xs = tree_random_like(MODEL.init(rng), rng, 0.3), rng.standard_normal((T, B, D))
    whole, _ = MODEL.forward(params, xs)
    first, states, _ = forward_from(MODEL, params, xs[:cut], initial_states(MODEL, params, B))
    second, states, _ = forward_from(MODEL, params, xs[cut:], states)
    np.testing.assert_allclose(np.concatenate([first, second]), whole, rtol=1e-12)
    _, at_once, _ = forward_from(MODEL, params, xs, initial_states(MODEL, params, B))
    for a, b in zip(tree_leaves(states), tree_leaves(at_once)):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_the_cache_is_the_one_that_the_layers_own_backward_takes(rng):
    params, xs = tree_random_like(MODEL.init(rng), rng, 0.3), rng.standard_normal((T, B, D))
    states = tree_random_like(initial_states(MODEL, params, B), rng, 0.3)
    mask = np.arange(T)[:, None] < np.array([6, 4, 1])

    def forward(point):
        states_like = tree_cast(states, point[1].dtype)  # complex in a complex step
        ys, _, cache = forward_from(MODEL, *point, states_like, mask=mask)
        return ys, cache

    check_gradients(forward, lambda cache, dys: MODEL.backward(params, cache, dys), (params, xs), rng)


def test_a_sequence_that_begins_anew_forgets_and_the_others_do_not(rng):
    params, xs = MODEL.init(rng), rng.standard_normal((T, B, D))
    zero = initial_states(MODEL, params, B)
    _, carried, _ = forward_from(MODEL, params, xs, zero)
    first = np.array([False, True, False])
    again, _, _ = forward_from(MODEL, params, xs, reset_states(carried, first))
    fresh, _, _ = forward_from(MODEL, params, xs, zero)
    going_on, _, _ = forward_from(MODEL, params, xs, carried)
    np.testing.assert_array_equal(again[:, 1], fresh[:, 1])
    np.testing.assert_array_equal(again[:, [0, 2]], going_on[:, [0, 2]])
    assert not np.allclose(fresh, going_on)


def test_resetting_changes_nothing_in_place(rng):
    states = tree_random_like(initial_states(MODEL, MODEL.init(rng), B), rng)
    copies = [leaf.copy() for leaf in tree_leaves(states)]
    reset_states(states, np.ones(B, bool))
    assert all(np.array_equal(old, new) for old, new in zip(copies, tree_leaves(states)))


@pytest.mark.parametrize(
    "first, error, message",
    [
        (np.ones(B), TypeError, r"first: expected a boolean array \(B,\), got float64"),
        ([True] * B, TypeError, r"first: expected a boolean array \(B,\), got list"),
        (np.ones(B + 1, bool), ValueError, r"first: expected shape \(3,\), one entry a sequence, got \(4,\)"),
        (np.ones((B, 1), bool), ValueError, r"first: expected shape \(3,\)"),
    ],
)
def test_what_does_not_say_who_begins_is_refused(first, error, message, rng):
    states = initial_states(MODEL, MODEL.init(rng), B)
    with pytest.raises(error, match=message):
        reset_states(states, first)


BOTH_WAYS = Bidirectional(Recurrent(LSTM, D, H), Recurrent(LSTM, D, H))


ASLEEP = Zoneout(LSTM, D, H, LSTMState(h=0.1, c=0.1))


FROM_THE_END = "it reads from the end, which has not come yet"
CANNOT = [(BOTH_WAYS, FROM_THE_END), (Reversed(Recurrent(LSTM, D, H)), FROM_THE_END), (ASLEEP, "it begins each call from zero")]


@pytest.mark.parametrize("layer, why", CANNOT, ids=[type(layer).__name__ for layer, _ in CANNOT])
def test_what_cannot_carry_a_state_is_refused_rather_than_begun_anew(layer, why, rng):
    with pytest.raises(TypeError, match=f"layer: {type(layer).__name__} cannot carry a state from chunk to chunk: {why}"):
        forward_from(Serial((layer,)), (layer.init(rng),), rng.standard_normal((T, B, D)), ((),))
