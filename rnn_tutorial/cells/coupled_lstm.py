"""The LSTM with coupled gates: new content takes the place of forgotten content, f = 1 - i.

    a = x @ W_x + h_previous @ W_h + b
    i, o = sigmoid(a_i), sigmoid(a_o)        g = tanh(a_g)
    c = (1 - i) * c_previous + i * g
    h = o * tanh(c)

c is a weighted mean of the old c and of g, so with |g| <= 1 it cannot leave [-1, 1] once it is
inside. The gates are side by side in the order i, o, g.

Source: Greff et al. 2015, CIFG.
"""

from typing import NamedTuple

import numpy as np

from rnn_tutorial.activations import Activation, sigmoid, tanh
from rnn_tutorial.bound import Bound
from rnn_tutorial.cells.cell import Cell, cell_with_activations
from rnn_tutorial.cells.gates import gate_blocks, init_gates
from rnn_tutorial.cells.lstm import LSTMState
from rnn_tutorial.cells.lstm_1997 import LSTM1997Activations, LSTM1997Gates
from rnn_tutorial.initializers import glorot_uniform, orthogonal, zeros
from rnn_tutorial.types import Array, Initializer, Rng
from rnn_tutorial.validation import check_number

__all__ = [
    "CoupledLSTM",
    "CoupledLSTMParams",
    "CoupledLSTMValues",
    "coupled_lstm",
    "coupled_lstm_init",
    "coupled_lstm_pointwise",
    "coupled_lstm_pointwise_backward",
]


class CoupledLSTMParams(NamedTuple):
    """The parameters of the cell: three gates side by side, in the order i, o, g."""

    W_x: Array  # (D, 3H)
    W_h: Array  # (H, 3H)
    b: Array  # (3H,)


class CoupledLSTMValues(NamedTuple):
    """What `coupled_lstm_pointwise` keeps for its backward, each (B, H)."""

    c_previous: Array
    i: Array
    o: Array
    g: Array
    tanh_c: Array


def coupled_lstm_init(
    rng: Rng,
    input_size: int,
    hidden_size: int,
    *,
    forget_bias: float = 1.0,
    W_x: Initializer = glorot_uniform,
    W_h: Initializer = orthogonal,
    b: Initializer = zeros,
) -> CoupledLSTMParams:
    """Return CoupledLSTMParams: each gate's block is drawn by itself by W_x, W_h and b.

    forget_bias is subtracted from the input gate's block of b. Since sigmoid(-a) = 1 - sigmoid(a),
    this opens f = 1 - i as much as the forget bias of the LSTM opens f.

    Raises: TypeError unless `rng` is a generator, ValueError for sizes that are not positive whole
    numbers.
    """
    params = CoupledLSTMParams(*init_gates(rng, input_size, hidden_size, 3, W_x, W_h, b))
    gate_blocks(params.b, LSTM1997Gates).i[:] -= forget_bias
    return params


def coupled_lstm_pointwise(
    params: CoupledLSTMParams,
    a_x: Array,
    a_h: Array,
    state: LSTMState,
    *,
    activations: LSTM1997Activations = LSTM1997Activations(),
) -> tuple[LSTMState, CoupledLSTMValues]:
    """Return (state, CoupledLSTMValues) from the pre-activations a_x and a_h, whose sum is a.

    Shapes: a_x, a_h (B, 3H).
    """
    a = gate_blocks(a_x + a_h, LSTM1997Gates)
    i, o, g = activations.i.f(a.i), activations.o.f(a.o), activations.g.f(a.g)
    c = (1 - i) * state.c + i * g
    tanh_c = activations.c.f(c)
    return LSTMState(h=o * tanh_c, c=c), CoupledLSTMValues(state.c, i, o, g, tanh_c)


def coupled_lstm_pointwise_backward(
    params: CoupledLSTMParams,
    cache: CoupledLSTMValues,
    dstate: LSTMState,
    *,
    activations: LSTM1997Activations = LSTM1997Activations(),
) -> tuple[dict[str, Array], Array, Array, LSTMState]:
    """Return ({}, da_x, da_h, dprevious).

        do = dh * tanh_c                dc = dstate.c + dh * o * (1 - tanh_c^2)
        di = dc * (g - c_previous)      dg = dc * i      dc_previous = dc * (1 - i)

    i is used twice, as i and as 1 - i: hence the difference in di.

    Shapes: da_x, da_h (B, 3H), dprevious.h and dprevious.c (B, H).
    """
    c_previous, i, o, g, tanh_c = cache
    do = dstate.h * tanh_c  # h = o * tanh_c
    dc = dstate.c + dstate.h * o * activations.c.derivative(tanh_c)
    di, dg = dc * (g - c_previous), dc * i  # c = (1 - i) * c_previous + i * g
    das = (
        di * activations.i.derivative(i),
        do * activations.o.derivative(o),
        dg * activations.g.derivative(g),
    )
    da = np.concatenate(das, axis=1)
    return {}, da, da, LSTMState(h=np.zeros_like(dc), c=dc * (1 - i))


def coupled_lstm(
    *,
    i: Activation = sigmoid,
    o: Activation = sigmoid,
    g: Activation = tanh,
    c: Activation = tanh,
    forget_bias: float = 1.0,
    W_x: Initializer = glorot_uniform,
    W_h: Initializer = orthogonal,
    b: Initializer = zeros,
) -> Cell:
    """Return the coupled LSTM with activations, a forget bias and initializers of your choice.

    There is an `Activation` for each gate, and `c` for the path from c to h. Each initializer is
    called once for every gate.

    Raises: TypeError for anything that is not an Activation, ValueError for a bias that is not a
    finite number.
    """
    forget_bias = check_number("forget_bias", forget_bias)
    return cell_with_activations(
        "CoupledLSTM",
        LSTM1997Activations(i, o, g, c),
        Bound(coupled_lstm_init, forget_bias=forget_bias, W_x=W_x, W_h=W_h, b=b),
        coupled_lstm_pointwise,
        coupled_lstm_pointwise_backward,
        Params=CoupledLSTMParams,
        State=LSTMState,
        gates="iog",
    )


CoupledLSTM = coupled_lstm()
"""The coupled LSTM with sigmoid gates, tanh twice, and a forget bias from 1."""
