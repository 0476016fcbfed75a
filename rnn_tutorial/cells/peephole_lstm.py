"""The LSTM with peepholes: gates that see the state they guard, even when h does not show it.

    i = sigmoid(a_i + p_i * c_previous)        f = sigmoid(a_f + p_f * c_previous)        g = tanh(a_g)
    c = f * c_previous + i * g
    o = sigmoid(a_o + p_o * c)                 h = o * tanh(c)                            a = x @ W_x + h_previous @ W_h + b

A peephole is one number a unit: each gate sees its own unit's c alone. The output gate looks last, at the new c. Source: Gers &
Schmidhuber 2000; Gers, Schraudolph & Schmidhuber 2002, section 3. The gates lie side by side in the order i, f, o, g.
"""

from typing import NamedTuple

import numpy as np
from numpy import ndarray as Array

from rnn_tutorial.activations import sigmoid, tanh
from rnn_tutorial.bound import Bound
from rnn_tutorial.cells.cell import cell_with_activations
from rnn_tutorial.cells.gates import gate_blocks
from rnn_tutorial.cells.lstm import LSTMActivations, LSTMGates, LSTMState, lstm_init
from rnn_tutorial.initializers import glorot_uniform, orthogonal, zeros
from rnn_tutorial.validation import check_number

__all__ = [
    "PeepholeLSTM",
    "PeepholeLSTMParams",
    "PeepholeLSTMValues",
    "peephole_lstm",
    "peephole_lstm_init",
    "peephole_lstm_pointwise",
    "peephole_lstm_pointwise_backward",
    "peephole_lstm_shapes",
]


class PeepholeLSTMParams(NamedTuple):
    """The parameters of the cell: four gates side by side, in the order i, f, o, g, and a peephole for three of them."""

    W_x: Array  # (D, 4H)
    W_h: Array  # (H, 4H)
    b: Array  # (4H,)
    p_i: Array  # (H,)
    p_f: Array  # (H,)
    p_o: Array  # (H,)


class PeepholeLSTMValues(NamedTuple):
    """What `peephole_lstm_pointwise` keeps for its backward, each (B, H)."""

    c_previous: Array
    i: Array
    f: Array
    o: Array
    g: Array
    c: Array
    tanh_c: Array


def peephole_lstm_init(
    rng,
    input_size,
    hidden_size,
    *,
    forget_bias=1.0,
    W_x=glorot_uniform,
    W_h=orthogonal,
    b=zeros,
    p=zeros,
):
    """Return PeepholeLSTMParams: `lstm_init` and three peepholes drawn by the initializer p."""
    fused = lstm_init(rng, input_size, hidden_size, forget_bias=forget_bias, W_x=W_x, W_h=W_h, b=b)
    return PeepholeLSTMParams(*fused, *(p(rng, (hidden_size,)) for _ in range(3)))


def peephole_lstm_shapes(D, H):
    """Return PeepholeLSTMParams of shapes."""
    return PeepholeLSTMParams((D, 4 * H), (H, 4 * H), (4 * H,), p_i=(H,), p_f=(H,), p_o=(H,))


def peephole_lstm_pointwise(params, a_x, a_h, state, *, activations=LSTMActivations()):
    """Return (state, PeepholeLSTMValues) from the pre-activations a_x and a_h, (B, 4H), whose sum is a."""
    a = gate_blocks(a_x + a_h, LSTMGates)
    i = activations.i.f(a.i + params.p_i * state.c)
    f = activations.f.f(a.f + params.p_f * state.c)
    g = activations.g.f(a.g)
    c = f * state.c + i * g
    o = activations.o.f(a.o + params.p_o * c)
    tanh_c = activations.c.f(c)
    return LSTMState(h=o * tanh_c, c=c), PeepholeLSTMValues(state.c, i, f, o, g, c, tanh_c)


def peephole_lstm_pointwise_backward(params, cache, dstate, *, activations=LSTMActivations()):
    """Return ({"p_i": dp_i, "p_f": dp_f, "p_o": dp_o}, da_x, da_h, dprevious).

    c now has three paths to the loss: through tanh(c), through the output gate's peephole, and on to the next step. So the output
    gate comes first, dc = dstate.c + dh * o * (1 - tanh_c^2) + da_o * p_o; and c_previous is seen by i and f as well as kept,
    dc_previous = dc * f + da_i * p_i + da_f * p_f. Each dp is the sum over the batch of the gate's da times what it saw.
    """
    c_previous, i, f, o, g, c, tanh_c = cache
    da_o = dstate.h * tanh_c * activations.o.derivative(o)  # o = sigmoid(a_o + p_o * c)
    dc = dstate.c + dstate.h * o * activations.c.derivative(tanh_c) + da_o * params.p_o
    da_i = dc * g * activations.i.derivative(i)  # c = f * c_previous + i * g
    da_f = dc * c_previous * activations.f.derivative(f)
    da_g = dc * i * activations.g.derivative(g)
    da = np.concatenate([da_i, da_f, da_o, da_g], axis=1)
    dc_previous = dc * f + da_i * params.p_i + da_f * params.p_f
    seen = {"p_i": da_i * c_previous, "p_f": da_f * c_previous, "p_o": da_o * c}
    dextra = {name: product.sum(axis=0) for name, product in seen.items()}
    return dextra, da, da, LSTMState(h=np.zeros_like(dc), c=dc_previous)


def peephole_lstm(
    *, i=sigmoid, f=sigmoid, o=sigmoid, g=tanh, c=tanh, forget_bias=1.0,
    W_x=glorot_uniform, W_h=orthogonal, b=zeros, p=zeros,
):  # fmt: skip
    """Return the peephole LSTM with an `Activation` for each gate and for c on its way to h, a forget bias, four initializers.

    The initializer p draws each of the three peepholes.

    Raises: TypeError for anything that is not an Activation, ValueError for a bias that is not a finite number.
    """
    forget_bias = check_number("forget_bias", forget_bias)
    return cell_with_activations(
        "PeepholeLSTM",
        LSTMActivations(i, f, o, g, c),
        Bound(peephole_lstm_init, forget_bias=forget_bias, W_x=W_x, W_h=W_h, b=b, p=p),
        peephole_lstm_pointwise,
        peephole_lstm_pointwise_backward,
        Params=PeepholeLSTMParams,
        State=LSTMState,
        gates="ifog",
        shapes=peephole_lstm_shapes,
    )


PeepholeLSTM = peephole_lstm()
"""The peephole LSTM with sigmoid gates, tanh twice, forget bias from 1, and peepholes from zero."""
