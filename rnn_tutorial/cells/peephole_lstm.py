"""The LSTM with peepholes: gates that see c, even when h does not show it.

    a = x @ W_x + h_previous @ W_h + b
    i = sigmoid(a_i + p_i * c_previous)        f = sigmoid(a_f + p_f * c_previous)
    g = tanh(a_g)
    c = f * c_previous + i * g
    o = sigmoid(a_o + p_o * c)
    h = o * tanh(c)

A peephole has one number for each unit: a gate sees only its own unit's c. The output gate comes
last and sees the new c. The gates are side by side in the order i, f, o, g.

Source: Gers & Schmidhuber 2000; Gers, Schraudolph & Schmidhuber 2002, section 3.
"""

from typing import Any, NamedTuple

import numpy as np

from rnn_tutorial.activations import Activation, sigmoid, tanh
from rnn_tutorial.bound import Bound
from rnn_tutorial.cells.cell import Cell, cell_with_activations
from rnn_tutorial.cells.gates import gate_blocks
from rnn_tutorial.cells.lstm import LSTMActivations, LSTMGates, LSTMState, lstm_init
from rnn_tutorial.initializers import glorot_uniform, orthogonal, zeros
from rnn_tutorial.types import Array, Initializer, Rng
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
    """The parameters of the cell: four gates side by side, and a peephole for three of them.

    The order of the gates is i, f, o, g.
    """

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
    rng: Rng,
    input_size: int,
    hidden_size: int,
    *,
    forget_bias: float = 1.0,
    W_x: Initializer = glorot_uniform,
    W_h: Initializer = orthogonal,
    b: Initializer = zeros,
    p: Initializer = zeros,
) -> PeepholeLSTMParams:
    """Return PeepholeLSTMParams: `lstm_init` and three peepholes drawn by the initializer p.

    Raises: TypeError unless `rng` is a generator, ValueError for sizes that are not positive whole
    numbers.
    """
    fused = lstm_init(rng, input_size, hidden_size, forget_bias=forget_bias, W_x=W_x, W_h=W_h, b=b)
    return PeepholeLSTMParams(*fused, *(p(rng, (hidden_size,)) for _ in range(3)))


def peephole_lstm_shapes(D: int, H: int) -> Any:
    """Return PeepholeLSTMParams of shapes."""
    A = 4 * H
    return PeepholeLSTMParams._make([(D, A), (H, A), (A,), (H,), (H,), (H,)])


def peephole_lstm_pointwise(
    params: PeepholeLSTMParams,
    a_x: Array,
    a_h: Array,
    state: LSTMState,
    *,
    activations: LSTMActivations = LSTMActivations(),
) -> tuple[LSTMState, PeepholeLSTMValues]:
    """Return (state, PeepholeLSTMValues) from the pre-activations a_x and a_h, whose sum is a.

    Shapes: a_x, a_h (B, 4H).
    """
    a = gate_blocks(a_x + a_h, LSTMGates)
    i = activations.i.f(a.i + params.p_i * state.c)
    f = activations.f.f(a.f + params.p_f * state.c)
    g = activations.g.f(a.g)
    c = f * state.c + i * g
    o = activations.o.f(a.o + params.p_o * c)
    tanh_c = activations.c.f(c)
    return LSTMState(h=o * tanh_c, c=c), PeepholeLSTMValues(state.c, i, f, o, g, c, tanh_c)


def peephole_lstm_pointwise_backward(
    params: PeepholeLSTMParams,
    cache: PeepholeLSTMValues,
    dstate: LSTMState,
    *,
    activations: LSTMActivations = LSTMActivations(),
) -> tuple[dict[str, Array], Array, Array, LSTMState]:
    """Return ({"p_i": dp_i, "p_f": dp_f, "p_o": dp_o}, da_x, da_h, dprevious).

    c has three paths to the loss: through tanh(c), through the peephole of the output gate, and to
    the next step. So da_o is computed first, and

        dc = dstate.c + dh * o * (1 - tanh_c^2) + da_o * p_o

    c_previous is kept by f, and seen by i and f:

        dc_previous = dc * f + da_i * p_i + da_f * p_f

    Each dp is the sum over the batch of the gate's da times the c that the gate saw.

    Shapes: da_x, da_h (B, 4H), dp_i, dp_f, dp_o (H,), dprevious.h and dprevious.c (B, H).
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
    *,
    i: Activation = sigmoid,
    f: Activation = sigmoid,
    o: Activation = sigmoid,
    g: Activation = tanh,
    c: Activation = tanh,
    forget_bias: float = 1.0,
    W_x: Initializer = glorot_uniform,
    W_h: Initializer = orthogonal,
    b: Initializer = zeros,
    p: Initializer = zeros,
) -> Cell:
    """Return the peephole LSTM with activations, a forget bias and initializers of your choice.

    There is an `Activation` for each gate, and `c` for the path from c to h. W_x, W_h and b are
    called once for every gate, p once for each of the three peepholes.

    Raises: TypeError for anything that is not an Activation, ValueError for a bias that is not a
    finite number.
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
