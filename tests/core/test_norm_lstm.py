"""The layer-normalised LSTM: the formula one number at a time, every gradient.

No sequence influences another. Bad input is refused.
"""

import math

import numpy as np
import pytest
from judges import assert_close, torch_or_skip

from rnn_tutorial.cells import LSTM, LSTMState, NormLSTM, norm_lstm, normalize, normalize_backward
from rnn_tutorial.gradient_check import GradientError, check_cell, check_gradients, random_start
from rnn_tutorial.layers import Recurrent
from rnn_tutorial.tree import tree_cast, tree_leaves

T, B, D, H = 6, 3, 4, 5


def norm(row):
    mean = math.fsum(row) / len(row)
    variance = math.fsum((entry - mean) ** 2 for entry in row) / len(row)
    return [(entry - mean) / math.sqrt(variance + 1e-5) for entry in row]


def test_the_step_is_the_formula_one_number_at_a_time(rng):
    params, state = random_start(NormLSTM, rng, B, D, H)
    a_x, a_h = rng.standard_normal((2, B, 4 * H))
    new, _ = NormLSTM.pointwise(params, a_x, a_h, state)
    for row in range(B):
        x, h = norm(a_x[row]), norm(a_h[row])
        u = [
            params.gain_x[j] * x[j] + params.gain_h[j] * h[j] + params.shift[j]
            for j in range(4 * H)
        ]
        i, f, o = ([1 / (1 + math.exp(-u[gate * H + k])) for k in range(H)] for gate in range(3))
        c = [f[k] * state.c[row, k] + i[k] * math.tanh(u[3 * H + k]) for k in range(H)]
        shown = norm(c)
        for k in range(H):
            assert new.c[row, k] == pytest.approx(c[k], rel=1e-12)
            h_k = o[k] * math.tanh(params.gain_c[k] * shown[k] + params.shift_c[k])
            assert new.h[row, k] == pytest.approx(h_k, rel=1e-12)


def test_every_gradient_over_time_is_the_slope(rng):
    check_cell(NormLSTM, rng)


def test_every_gradient_of_the_normalisation_is_the_slope(rng):
    def forward(point):
        normed = normalize(*point)
        return normed.y, normed

    check_gradients(
        forward,
        lambda cache, dy: (normalize_backward(cache, dy),),
        (rng.standard_normal((B, H)),),
        rng,
    )


def test_the_normalisation_agrees_with_pytorch(rng):
    torch = torch_or_skip()
    a, dy = rng.standard_normal((2, B, H))
    their_a = torch.tensor(a, requires_grad=True)
    theirs = torch.nn.functional.layer_norm(their_a, (H,))
    theirs.backward(torch.tensor(dy))
    normed = normalize(a)
    assert_close("y", normed.y, theirs.detach().numpy(), 1e-12)
    assert_close("da", normalize_backward(normed, dy), their_a.grad.numpy(), 1e-12)


def test_a_row_moved_or_stretched_is_the_same_row(rng):
    a = rng.standard_normal((B, H))
    np.testing.assert_allclose(normalize(7 + 1000 * a).y, normalize(1000 * a).y, rtol=1e-9)
    np.testing.assert_allclose(normalize(1000 * a).y, normalize(2000 * a).y, rtol=1e-9)


def test_no_sequence_sees_another(rng):
    layer = Recurrent(NormLSTM, D, H)
    params, xs = layer.init(rng), rng.standard_normal((T, B, D))
    hs, _, _ = layer.forward(params, xs)
    alone, _, _ = layer.forward(params, xs[:, 1:2])
    np.testing.assert_allclose(hs[:, 1:2], alone, rtol=1e-12)


def test_a_row_of_equal_entries_does_not_divide_by_zero(rng):
    params = NormLSTM.init(rng, D, H)
    with np.errstate(all="raise"):
        (state, _) = NormLSTM.pointwise(
            params, np.ones((B, 4 * H)), np.zeros((B, 4 * H)), NormLSTM.initial_state(params, B)
        )
    assert np.isfinite(state.h).all()


@pytest.mark.parametrize("slip", ["no mean", "no variance", "gain forgotten"])
def test_a_broken_backward_is_caught(slip, rng):
    def broken(normed, dy):
        dy_mean = 0 if slip == "no mean" else dy.mean(axis=1, keepdims=True)
        stretch = (
            0 if slip == "no variance" else normed.y * (dy * normed.y).mean(axis=1, keepdims=True)
        )
        return (1 if slip == "gain forgotten" else normed.scale) * (dy - dy_mean - stretch)

    def forward(point):
        normed = normalize(*point)
        return normed.y, normed

    with pytest.raises(GradientError):
        check_gradients(
            forward, lambda cache, dy: (broken(cache, dy),), (rng.standard_normal((B, H)),), rng
        )


def test_it_starts_as_a_normalised_lstm_with_an_open_forget_gate(rng):
    params = norm_lstm(forget_bias=3.0).init(rng, D, H)
    np.testing.assert_array_equal(params.shift, np.repeat([0, 3, 0, 0], H))
    assert (params.gain_x == 1).all() and (params.gain_h == 1).all() and (params.gain_c == 1).all()
    assert (params.shift_c == 0).all() and (params.b == 0).all()


def test_float32_stays_float32(rng):
    params = tree_cast(NormLSTM.init(rng, D, H), np.float32)
    layer, xs = Recurrent(NormLSTM, D, H), rng.standard_normal((T, B, D)).astype(np.float32)
    hs, _, cache = layer.forward(params, xs)
    assert {leaf.dtype for leaf in tree_leaves((hs, *layer.backward(params, cache, hs)))} == {
        np.dtype("float32")
    }


@pytest.mark.parametrize("name", ["gain_x", "gain_h", "shift", "gain_c", "shift_c"])
def test_parameters_of_another_shape_are_refused(name, rng):
    params = NormLSTM.init(rng, D, H)
    with pytest.raises(ValueError, match=f"{name}: expected shape"):
        Recurrent(NormLSTM, D, H).forward(
            params._replace(**{name: np.ones(1)}), rng.standard_normal((T, B, D))
        )


def test_parameters_of_the_lstm_are_refused(rng):
    with pytest.raises(
        TypeError, match=r"params: expected NormLSTMParams\(W_x, .*gain_x.*\), got LSTMParams"
    ):
        Recurrent(NormLSTM, D, H).forward(LSTM.init(rng, D, H), rng.standard_normal((T, B, D)))


def test_the_state_is_that_of_the_lstm(rng):
    assert isinstance(NormLSTM.initial_state(NormLSTM.init(rng, D, H), B), LSTMState)
