"""The cell of 1997: long short-term memory before it had a forget gate.

    a = x @ W_x + h_previous @ W_h + b
    i, o = sigmoid(a_i), sigmoid(a_o)        g = tanh(a_g)
    c = c_previous + i * g
    h = o * tanh(c)

c is a plain sum: its derivative by its predecessor is exactly 1, the constant error carousel. The
two squashing functions of the paper, 4 sigmoid(a) - 2 and 2 sigmoid(c) - 1, are tanh of half the
argument up to a factor. The gates are side by side in the order i, o, g.

Source: Hochreiter & Schmidhuber 1997, section 4.
"""

from typing import NamedTuple

import numpy as np

from rnn_tutorial.activations import Activation, sigmoid, tanh
from rnn_tutorial.bound import Bound
from rnn_tutorial.cells.cell import Cell, cell_with_activations
from rnn_tutorial.cells.gates import gate_blocks, init_gates
from rnn_tutorial.cells.lstm import LSTMState
from rnn_tutorial.initializers import glorot_uniform, orthogonal, zeros
from rnn_tutorial.types import Array, Initializer, Rng

__all__ = [
    "LSTM1997",
    "LSTM1997Activations",
    "LSTM1997Gates",
    "LSTM1997Params",
    "LSTM1997Values",
    "lstm_1997",
    "lstm_1997_init",
    "lstm_1997_pointwise",
    "lstm_1997_pointwise_backward",
]


class LSTM1997Params(NamedTuple):
    """The parameters of the cell: three gates side by side, in the order i, o, g."""

    W_x: Array  # (D, 3H)
    W_h: Array  # (H, 3H)
    b: Array  # (3H,)


class LSTM1997Gates(NamedTuple):
    """One field for each gate."""

    i: Array
    o: Array
    g: Array


class LSTM1997Values(NamedTuple):
    """What `lstm_1997_pointwise` keeps for its backward, each (B, H)."""

    i: Array
    o: Array
    g: Array
    tanh_c: Array


class LSTM1997Activations(NamedTuple):
    """The activation of each gate, and of c on its way to h."""

    i: Activation = sigmoid
    o: Activation = sigmoid
    g: Activation = tanh
    c: Activation = tanh


def lstm_1997_init(
    rng: Rng,
    input_size: int,
    hidden_size: int,
    *,
    W_x: Initializer = glorot_uniform,
    W_h: Initializer = orthogonal,
    b: Initializer = zeros,
) -> LSTM1997Params:
    """Return LSTM1997Params: each gate's block is drawn by itself by W_x, W_h and b.

    Raises: TypeError unless `rng` is a generator, ValueError for sizes that are not positive whole
    numbers.
    """
    return LSTM1997Params(*init_gates(rng, input_size, hidden_size, 3, W_x, W_h, b))


def lstm_1997_pointwise(
    params: LSTM1997Params,
    a_x: Array,
    a_h: Array,
    state: LSTMState,
    *,
    activations: LSTM1997Activations = LSTM1997Activations(),
) -> tuple[LSTMState, LSTM1997Values]:
    """Return (state, LSTM1997Values) from the pre-activations a_x and a_h, whose sum is a.

    Shapes: a_x, a_h (B, 3H).
    """
    a = gate_blocks(a_x + a_h, LSTM1997Gates)
    i, o, g = activations.i.f(a.i), activations.o.f(a.o), activations.g.f(a.g)
    c = state.c + i * g
    tanh_c = activations.c.f(c)
    return LSTMState(h=o * tanh_c, c=c), LSTM1997Values(i, o, g, tanh_c)


def lstm_1997_pointwise_backward(
    params: LSTM1997Params,
    cache: LSTM1997Values,
    dstate: LSTMState,
    *,
    activations: LSTM1997Activations = LSTM1997Activations(),
) -> tuple[dict[str, Array], Array, Array, LSTMState]:
    """Return ({}, da_x, da_h, dprevious); c passes its gradient back unchanged: dc_previous = dc.

        do = dh * tanh_c        dc = dstate.c + dh * o * (1 - tanh_c^2)
        di = dc * g             dg = dc * i

    Shapes: da_x, da_h (B, 3H), dprevious.h and dprevious.c (B, H).
    """
    i, o, g, tanh_c = cache
    do = dstate.h * tanh_c  # h = o * tanh_c
    dc = dstate.c + dstate.h * o * activations.c.derivative(tanh_c)
    di, dg = dc * g, dc * i  # c = c_previous + i * g
    das = (
        di * activations.i.derivative(i),
        do * activations.o.derivative(o),
        dg * activations.g.derivative(g),
    )
    da = np.concatenate(das, axis=1)
    return {}, da, da, LSTMState(h=np.zeros_like(dc), c=dc)


def lstm_1997(
    *,
    i: Activation = sigmoid,
    o: Activation = sigmoid,
    g: Activation = tanh,
    c: Activation = tanh,
    W_x: Initializer = glorot_uniform,
    W_h: Initializer = orthogonal,
    b: Initializer = zeros,
) -> Cell:
    """Return the cell of 1997 with activations and initializers of your choice.

    There is an `Activation` for each gate, and `c` for the path from c to h. Each initializer is
    called once for every gate.

    Raises: TypeError for anything that is not an Activation.
    """
    return cell_with_activations(
        "LSTM1997",
        LSTM1997Activations(i, o, g, c),
        Bound(lstm_1997_init, W_x=W_x, W_h=W_h, b=b),
        lstm_1997_pointwise,
        lstm_1997_pointwise_backward,
        Params=LSTM1997Params,
        State=LSTMState,
        gates="iog",
    )


LSTM1997 = lstm_1997()
"""The cell of 1997 with sigmoid gates, tanh twice, and biases from zero."""
