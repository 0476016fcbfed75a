"""A gate that is nearly closed: its value and its gradient have all their digits.

sigmoid(a) for a far below zero is close to exp(a), a small number that can be held to full
precision. The form (1 + tanh(a / 2)) / 2 loses it: at a = -10 in float32 the fourth digit is wrong,
at -20 the gradient is zero, and such a gate never opens again. The reference is the formula in
decimal arithmetic of many digits, from the standard library.
"""

from decimal import Decimal, localcontext
from functools import cache

import numpy as np
import pytest
from judges import torch_gru, torch_lstm, torch_or_skip, torch_unroll

from rnn_tutorial.activations import sigmoid
from rnn_tutorial.cells import (
    GRU,
    LSTM,
    GRUGates,
    LSTMGates,
    gate_blocks,
    lstm_step,
    lstm_step_backward,
)
from rnn_tutorial.gradient_check import random_start
from rnn_tutorial.sequence import fused_unroll, fused_unroll_backward, unroll, unroll_backward
from rnn_tutorial.tree import tree_cast, tree_map

T, B, D, H = 3, 1, 2, 2
STEP = Decimal("1e-40")
BIASES = {
    "float32": (-1, -6, -10, -14, -18, -25, -40, -60, -80),
    "float64": (-1, -10, -20, -30, -37, -40, -100, -300, -700),
}
GATES = {"LSTM": LSTMGates, "GRU": GRUGates}
PATHS = {"unroll": (unroll, unroll_backward), "fused_unroll": (fused_unroll, fused_unroll_backward)}
each_path = pytest.mark.parametrize(("forward", "backward"), PATHS.values(), ids=PATHS)
SIGMOIDS = [(LSTM, "i"), (LSTM, "f"), (LSTM, "o"), (GRU, "r"), (GRU, "z")]
each_gate = pytest.mark.parametrize(("cell", "gate"), SIGMOIDS, ids=lambda v: getattr(v, "name", v))
each_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])


def exact_sigmoid(a):
    return 1 / (1 + (-a).exp())


def exact_tanh(a):
    return 2 * exact_sigmoid(2 * a) - 1


def exact(array):
    """Return an array of Decimals: every floating-point number is one."""
    return np.vectorize(lambda number: Decimal(float(number)), otypes=[object])(array)


exact_sigmoids, exact_tanhs = (
    np.vectorize(f, otypes=[object]) for f in (exact_sigmoid, exact_tanh)
)


def exact_loss(cell, params, xs, state, dhs):
    """Return sum(hs * dhs) by the formulas, in Decimals."""
    H = len(params.W_h)
    state, total = dict(state._asdict()), Decimal(0)
    for x, dh in zip(xs, dhs):
        a_x, a_h = x @ params.W_x + params.b, state["h"] @ params.W_h
        blocks = [slice(k * H, (k + 1) * H) for k in range(len(cell.gates))]
        if cell is LSTM:
            i, f, o = (exact_sigmoids(a_x[:, k] + a_h[:, k]) for k in blocks[:3])
            state["c"] = f * state["c"] + i * exact_tanhs(a_x[:, blocks[3]] + a_h[:, blocks[3]])
            state["h"] = o * exact_tanhs(state["c"])
        else:
            r, z = (exact_sigmoids(a_x[:, k] + a_h[:, k]) for k in blocks[:2])
            n = exact_tanhs(a_x[:, blocks[2]] + r * (a_h[:, blocks[2]] + params.b_hn))
            state["h"] = z * state["h"] + (1 - z) * n
        total += (state["h"] * dh).sum()
    return total


@cache
def exact_bias_gradient(cell, gate, bias, dtype, steps=T):
    """Return the gradient of a gate's bias, (H,) of Decimals, by a central difference."""
    (params, xs, state), dhs = problem(cell, gate, bias, dtype)
    with localcontext() as context:
        context.prec = 120 - bias // 2  # a gate of exp(bias), moved by 10^-40, and 80 digits more
        (params, *rest), dhs = tree_map(exact, (params, xs[:steps], state)), exact(dhs[:steps])
        first = GATES[cell.name]._fields.index(gate) * H
        slopes = []
        for k in range(first, first + H):
            moved = [
                params._replace(b=params.b + sign * STEP * exact(np.eye(len(params.b))[k]))
                for sign in (1, -1)
            ]
            ahead, behind = (exact_loss(cell, p, *rest, dhs) for p in moved)
            slopes.append((ahead - behind) / (2 * STEP))
        return slopes


def worst_error(values, reference):
    """Return the largest relative error of any entry, in Decimals: floats this small underflow."""
    with localcontext() as context:
        context.prec = 50
        return float(
            max(
                abs(Decimal(float(value)) - want) / abs(want)
                for value, want in zip(values, reference, strict=True)
            )
        )


def limit(bias, dtype):
    """Return the error to allow: eps * |bias| of the pre-activation, which exp passes on."""
    return (40 + 2 * abs(bias)) * np.finfo(dtype).eps


def problem(cell, gate, bias, dtype):
    """Return ((params, xs, state), dhs), random but for the gate's bias."""
    rng = np.random.default_rng(0)
    params, state = random_start(cell, rng, B, D, H)
    gate_blocks(params.b, GATES[cell.name])._asdict()[gate][:] = bias
    inputs = params, rng.standard_normal((T, B, D)), state
    return tree_cast((inputs, rng.standard_normal((T, B, H))), dtype)


def bias_gradient(forward, backward, cell, gate, inputs, dhs):
    (_, last), cache = forward(cell, *inputs)
    dparams, _, _ = backward(cell, inputs[0], cache, (dhs, tree_map(np.zeros_like, last)))
    return gate_blocks(dparams.b, GATES[cell.name])._asdict()[gate]


@each_dtype
def test_the_sigmoid_is_right_to_rounding_over_the_whole_range(dtype):
    smallest = float(np.log(np.finfo(dtype).tiny))  # below it a number has fewer digits
    a = np.linspace(smallest, -smallest, 601).astype(dtype)[1:-1]
    with np.errstate(all="raise", under="ignore"):
        y = sigmoid.f(a)
    with localcontext() as context:
        context.prec = 50
        error = worst_error(y, [exact_sigmoid(Decimal(float(number))) for number in a])
    assert y.dtype == dtype and error < 2.5 * np.finfo(dtype).eps


@each_dtype
def test_beyond_the_range_it_is_zero_or_one_and_never_a_warning(dtype):
    with np.errstate(all="raise", under="ignore"):
        np.testing.assert_array_equal(
            sigmoid.f(np.array([-1e4, -1e30, -np.inf, 1e4, 1e30, np.inf], dtype)),
            [0, 0, 0, 1, 1, 1],
        )
        assert np.isnan(sigmoid.f(np.array(np.nan, dtype)))


@each_dtype
@each_gate
@each_path
def test_the_gradient_of_a_closed_gate_has_all_its_digits(cell, gate, forward, backward, dtype):
    for bias in BIASES[dtype]:
        inputs, dhs = problem(cell, gate, bias, dtype)
        ours = bias_gradient(forward, backward, cell, gate, inputs, dhs)
        error = worst_error(ours, exact_bias_gradient(cell, gate, bias, dtype))
        assert error < limit(bias, dtype), f"{gate} at {bias}: off by {error:.1e}, relative"


def test_the_step_of_the_chapters_has_them_too():
    for bias in BIASES["float64"]:
        (params, xs, state), dhs = problem(LSTM, "i", bias, "float64")
        _, cache = lstm_step(params, xs[0], state)
        dparams, _, _ = lstm_step_backward(
            params, cache, state._replace(h=dhs[0], c=np.zeros((B, H)))
        )
        error = worst_error(dparams.b[:H], exact_bias_gradient(LSTM, "i", bias, "float64", steps=1))
        assert error < limit(bias, "float64"), f"at {bias}: off by {error:.1e}, relative"


@pytest.mark.parametrize("bias", [-6, -10, -14, -18])
@pytest.mark.parametrize(
    ("cell", "gate", "torch_cell"),
    [(LSTM, "i", torch_lstm), (GRU, "z", torch_gru)],
    ids=["LSTM", "GRU"],
)
@each_path
def test_it_is_as_right_as_pytorch_in_float32(cell, gate, torch_cell, forward, backward, bias):
    """The gradient of the bias of the input gate, or of the update gate, beside the exact one."""
    torch = torch_or_skip()
    inputs, dhs = problem(cell, gate, bias, "float32")
    params, xs, state = inputs
    dlast = tree_map(np.zeros_like, state)
    _, _, gradients = torch_unroll(torch, torch_cell(torch, params), xs, state, [T], dhs, dlast)
    places = {"i": slice(0, H), "z": slice(H, 2 * H)}[gate]  # where both have them
    reference = exact_bias_gradient(cell, gate, bias, "float32")
    theirs = worst_error(gradients["b"][places], reference)
    ours = worst_error(bias_gradient(forward, backward, cell, gate, inputs, dhs), reference)
    assert theirs < limit(bias, "float32") and ours < limit(bias, "float32")


def test_the_other_form_of_the_sigmoid_is_found_out():
    """(1 + tanh(a / 2)) / 2 is off by 2e-4 at -10 in float32, and by all of it at -18."""
    errors = []
    for a in (-10, -18):
        other = (1 + np.tanh(np.float32(a) / 2)) / 2
        errors.append(worst_error([other], [exact_sigmoid(Decimal(a))]))
    assert errors[0] > 1e-4 and errors[1] > 0.5
