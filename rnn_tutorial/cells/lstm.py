"""Long short-term memory: a state c that is added to, and gates that say how much.

    a = x @ W_x + h_previous @ W_h + b
    i, f, o = sigmoid(a_i), sigmoid(a_f), sigmoid(a_o)        g = tanh(a_g)
    c = f * c_previous + i * g
    h = o * tanh(c)

The four gates are side by side in the order i, f, o, g. `lstm_step` and `lstm_step_backward` are
the specification, as chapters 09 and 10 build it. `lstm_pointwise` and its backward are the same
step without its matrix products (see `cell.py`); `unroll` runs these. `Recurrent` trains on the
kernel, `kernels/lstm.py`, which a test holds equal to them.

Source: Hochreiter & Schmidhuber 1997; for the forget gate f, Gers, Schmidhuber & Cummins 2000.
"""

from typing import NamedTuple

import numpy as np

from rnn_tutorial.activations import Activation, sigmoid, tanh
from rnn_tutorial.bound import Bound
from rnn_tutorial.cells.cell import Cell, cell_with_activations
from rnn_tutorial.cells.gates import check_step_inputs, gate_blocks, init_gates
from rnn_tutorial.cells.kernels.lstm import LSTM_KERNEL
from rnn_tutorial.initializers import glorot_uniform, orthogonal, zeros
from rnn_tutorial.types import Array, Initializer, Rng
from rnn_tutorial.validation import check_like, check_number

__all__ = [
    "LSTM",
    "LSTMActivations",
    "LSTMCache",
    "LSTMGates",
    "LSTMParams",
    "LSTMState",
    "LSTMValues",
    "lstm",
    "lstm_gates_backward",
    "lstm_init",
    "lstm_pointwise",
    "lstm_pointwise_backward",
    "lstm_step",
    "lstm_step_backward",
]


class LSTMParams(NamedTuple):
    """The parameters of the cell: the four gates side by side, in the order i, f, o, g."""

    W_x: Array  # (D, 4H)
    W_h: Array  # (H, 4H)
    b: Array  # (4H,)


class LSTMState(NamedTuple):
    """The state of the cell after a step: h is the output, c is the memory."""

    h: Array  # (B, H)
    c: Array  # (B, H)


class LSTMGates(NamedTuple):
    """One field for each gate: values, pre-activations, their gradients, GateParams."""

    i: Array  # input gate: how much of g is written
    f: Array  # forget gate: how much of the old c is kept
    o: Array  # output gate: how much of c is shown
    g: Array  # the candidate: what is written


class LSTMCache(NamedTuple):
    """What `lstm_step` keeps for its backward."""

    x: Array  # (B, D)
    previous: LSTMState
    i: Array  # (B, H), as all that follow
    f: Array
    o: Array
    g: Array
    tanh_c: Array


class LSTMValues(NamedTuple):
    """What `lstm_pointwise` keeps for its backward: every intermediate by name, each (B, H)."""

    c_previous: Array
    i: Array
    f: Array
    o: Array
    g: Array
    tanh_c: Array  # of another activation, if the cell has another one here


class LSTMActivations(NamedTuple):
    """The activation of each gate, and of c on its way to h."""

    i: Activation = sigmoid
    f: Activation = sigmoid
    o: Activation = sigmoid
    g: Activation = tanh
    c: Activation = tanh


def lstm_init(
    rng: Rng,
    input_size: int,
    hidden_size: int,
    *,
    forget_bias: float = 1.0,
    W_x: Initializer = glorot_uniform,
    W_h: Initializer = orthogonal,
    b: Initializer = zeros,
) -> LSTMParams:
    """Return LSTMParams: each gate's block is drawn by itself by the initializers W_x, W_h and b.

    An initializer is `(rng, shape) -> array`. forget_bias is added to the forget gate's block of b,
    so that the gate is open at the start.

    Raises: TypeError unless `rng` is a generator, ValueError for sizes that are not positive whole
    numbers.

    Source: Jozefowicz et al. 2015, section 3, for the forget bias.
    """
    params = LSTMParams(*init_gates(rng, input_size, hidden_size, 4, W_x, W_h, b))
    gate_blocks(params.b, LSTMGates).f[:] += forget_bias
    return params


def lstm_step(params: LSTMParams, x: Array, state: LSTMState) -> tuple[LSTMState, LSTMCache]:
    """Return (state, cache) after one step, by the formulas at the top of this file.

    Shapes: x (B, D), state.h and state.c (B, H).

    Raises: ValueError or TypeError if x or state does not fit the parameters.
    """
    check_step_inputs(params, x, state)
    a = gate_blocks(x @ params.W_x + state.h @ params.W_h + params.b, LSTMGates)
    i, f, o, g = sigmoid.f(a.i), sigmoid.f(a.f), sigmoid.f(a.o), np.tanh(a.g)
    c = f * state.c + i * g
    tanh_c = np.tanh(c)
    h = o * tanh_c
    return LSTMState(h, c), LSTMCache(x, state, i, f, o, g, tanh_c)


def lstm_step_backward(
    params: LSTMParams, cache: LSTMCache, dstate: LSTMState
) -> tuple[LSTMParams, Array, LSTMState]:
    """Return (dparams, dx, dprevious), the gradients of the inputs of `lstm_step`.

    dstate is the gradient of the new state, from the layer above and from the next step.

        do = dh * tanh_c        dc = dstate.c + dh * o * (1 - tanh_c^2)
        di = dc * g             df = dc * c_previous             dg = dc * i
        da = [di i (1 - i), df f (1 - f), do o (1 - o), dg (1 - g^2)]

    Then, as for any affine map,

        dW_x = x^T da     dW_h = h_previous^T da     db = sum over the batch of da
        dx = da W_x^T     dh_previous = da W_h^T

    and dc_previous = dc * f, along the one path without a matrix.

    Shapes: dstate.h and dstate.c (B, H), da (B, 4H), dx (B, D).

    Raises: ValueError or TypeError if dstate does not fit.
    """
    x, previous, i, f, o, g, tanh_c = cache
    check_like("dstate", dstate, previous)
    do = dstate.h * tanh_c  # h = o * tanh_c
    dc = dstate.c + dstate.h * o * (1 - tanh_c**2)  # c is used twice: in h, and by the next step
    di, df, dg = dc * g, dc * previous.c, dc * i  # c = f * c_previous + i * g
    da = np.concatenate(
        [di * i * (1 - i), df * f * (1 - f), do * o * (1 - o), dg * (1 - g**2)], axis=1
    )
    dparams = LSTMParams(W_x=x.T @ da, W_h=previous.h.T @ da, b=da.sum(axis=0))
    return dparams, da @ params.W_x.T, LSTMState(h=da @ params.W_h.T, c=dc * f)


def lstm_pointwise(
    params: LSTMParams,
    a_x: Array,
    a_h: Array,
    state: LSTMState,
    *,
    activations: LSTMActivations = LSTMActivations(),
) -> tuple[LSTMState, LSTMValues]:
    """Return (state, LSTMValues) from the pre-activations a_x and a_h, whose sum is a.

    Shapes: a_x, a_h (B, 4H).
    """
    a = gate_blocks(a_x + a_h, LSTMGates)
    i, f, o, g = (activation.f(block) for activation, block in zip(activations, a))
    c = f * state.c + i * g
    tanh_c = activations.c.f(c)
    return LSTMState(h=o * tanh_c, c=c), LSTMValues(state.c, i, f, o, g, tanh_c)


def lstm_gates_backward(
    values: LSTMValues, dstate: LSTMState, *, activations: LSTMActivations = LSTMActivations()
) -> tuple[LSTMGates, Array]:
    """Return (dgates, dc): LSTMGates of the gradients of i, f, o, g, and the whole gradient of c.

    dc is the sum over both paths, through h and from the next step.

    Shapes: all arrays (B, H) for one step, or (T, B, H) for all the steps of a trace at once.
    """
    dc = dstate.c + dstate.h * values.o * activations.c.derivative(values.tanh_c)
    return LSTMGates(
        i=dc * values.g, f=dc * values.c_previous, o=dstate.h * values.tanh_c, g=dc * values.i
    ), dc


def lstm_pointwise_backward(
    params: LSTMParams,
    cache: LSTMValues,
    dstate: LSTMState,
    *,
    activations: LSTMActivations = LSTMActivations(),
) -> tuple[dict[str, Array], Array, Array, LSTMState]:
    """Return ({}, da_x, da_h, dprevious): da_x = da_h = da, and dc_previous = dc * f.

    dprevious.h is zero: no path but a_h leads to the old h.

    Shapes: da_x, da_h (B, 4H), dprevious.h and dprevious.c (B, H).
    """
    dgates, dc = lstm_gates_backward(cache, dstate, activations=activations)
    gates = LSTMGates(cache.i, cache.f, cache.o, cache.g)
    da = np.concatenate(
        [d * activation.derivative(y) for d, activation, y in zip(dgates, activations, gates)],
        axis=1,
    )
    return {}, da, da, LSTMState(h=np.zeros_like(dc), c=dc * cache.f)


def lstm(
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
) -> Cell:
    """Return the LSTM with activations, a forget bias and three initializers of your choice.

    There is an `Activation` for each gate, and `c` for the path from c to h. Each initializer is
    called once for every gate, so W_h starts as four orthogonal matrices. The forget bias starts
    from about 0 in PyTorch and from 1 in Keras; Gers et al. 2000 also tried 5. With the usual
    activations the cell has a fast path; with others its `fast` is None.

    Raises: TypeError for anything that is not an Activation, ValueError for a bias that is not a
    finite number.
    """
    forget_bias = check_number("forget_bias", forget_bias)
    activations = LSTMActivations(i, f, o, g, c)
    cell = cell_with_activations(
        "LSTM",
        activations,
        Bound(lstm_init, forget_bias=forget_bias, W_x=W_x, W_h=W_h, b=b),
        lstm_pointwise,
        lstm_pointwise_backward,
        Params=LSTMParams,
        State=LSTMState,
        gates="ifog",
    )
    return cell.with_fast(LSTM_KERNEL if activations == LSTMActivations() else None)


LSTM = lstm()
"""The LSTM as most libraries have it: sigmoid gates, tanh twice, forget bias from 1."""
