"""Long short-term memory: a state c that is added to, and gates that say how much.

    i, f, o = sigmoid(a_i), sigmoid(a_f), sigmoid(a_o)        g = tanh(a_g)        a = x @ W_x + h_previous @ W_h + b
    c = f * c_previous + i * g
    h = o * tanh(c)

Source: Hochreiter & Schmidhuber 1997; the forget gate f: Gers, Schmidhuber & Cummins 2000. The four gates lie side by side in
the order i, f, o, g. `lstm_step` and `lstm_step_backward` are the specification, as chapters 06 and 07 build it; `lstm_pointwise`
and its backward are the same step without its matrix products (see `cell.py`), which is what `unroll` runs.
"""

from typing import NamedTuple

import numpy as np
from numpy import ndarray as Array

from rnn_tutorial.activations import Activation, sigmoid, tanh
from rnn_tutorial.bound import Bound
from rnn_tutorial.cells.cell import cell_with_activations
from rnn_tutorial.cells.gates import check_step_inputs, gate_blocks, init_gates
from rnn_tutorial.cells.kernels.lstm import LSTM_KERNEL
from rnn_tutorial.initializers import glorot_uniform, orthogonal, zeros
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
    """The state of the cell after a step: h is shown, c is kept."""

    h: Array  # (B, H)
    c: Array  # (B, H)


class LSTMGates(NamedTuple):
    """One thing for each gate: values, pre-activations, their gradients, GateParams."""

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
    tanh_c: Array  # or whatever activation the cell has in the place of this tanh


class LSTMActivations(NamedTuple):
    """The activation of each gate, and of c on its way to h."""

    i: Activation = sigmoid
    f: Activation = sigmoid
    o: Activation = sigmoid
    g: Activation = tanh
    c: Activation = tanh


def lstm_init(
    rng, input_size, hidden_size, *, forget_bias=1.0, W_x=glorot_uniform, W_h=orthogonal, b=zeros
):
    """Return LSTMParams: each gate's block drawn by itself by the initializers W_x, W_h and b, `(rng, shape) -> array`.

    forget_bias is added to the forget gate's block of b: an open gate to begin with (Jozefowicz et al. 2015, section 3).
    """
    params = LSTMParams(*init_gates(rng, input_size, hidden_size, 4, W_x, W_h, b))
    gate_blocks(params.b, LSTMGates).f[:] += forget_bias
    return params


def lstm_step(params, x, state):
    """Return (state, cache) after one step, by the formulas at the top of this file.

    x: (B, D); state.h, state.c: (B, H). Raises: ValueError or TypeError if x or state does not fit the parameters.
    """
    check_step_inputs(params, x, state)
    a = gate_blocks(x @ params.W_x + state.h @ params.W_h + params.b, LSTMGates)
    i, f, o, g = sigmoid.f(a.i), sigmoid.f(a.f), sigmoid.f(a.o), np.tanh(a.g)
    c = f * state.c + i * g
    tanh_c = np.tanh(c)
    h = o * tanh_c
    return LSTMState(h, c), LSTMCache(x, state, i, f, o, g, tanh_c)


def lstm_step_backward(params, cache, dstate):
    """Return (dparams, dx, dprevious), the gradients of what `lstm_step` was given.

    do = dh * tanh_c                   dc = dstate.c + dh * o * (1 - tanh_c^2)
    di = dc * g                        df = dc * c_previous                        dg = dc * i
    da = [di i (1 - i), df f (1 - f), do o (1 - o), dg (1 - g^2)], (B, 4H), then as for any affine map
    dW_x = x^T da, dW_h = h_previous^T da, db = sum over the batch of da, dx = da W_x^T, dh_previous = da W_h^T,
    and dc_previous = dc * f, along the one path without a matrix.

    dstate: LSTMState of (B, H), what arrives from the step above and the step after. Raises: ValueError or TypeError if it
    does not fit.
    """
    x, previous, i, f, o, g, tanh_c = cache
    check_like("dstate", dstate, previous)
    do = dstate.h * tanh_c  # h = o * tanh_c
    dc = dstate.c + dstate.h * o * (1 - tanh_c**2)  # c is used twice: in h, and by the step after
    di, df, dg = dc * g, dc * previous.c, dc * i  # c = f * c_previous + i * g
    da = np.concatenate(
        [di * i * (1 - i), df * f * (1 - f), do * o * (1 - o), dg * (1 - g**2)], axis=1
    )
    dparams = LSTMParams(W_x=x.T @ da, W_h=previous.h.T @ da, b=da.sum(axis=0))
    return dparams, da @ params.W_x.T, LSTMState(h=da @ params.W_h.T, c=dc * f)


def lstm_pointwise(params, a_x, a_h, state, *, activations=LSTMActivations()):
    """Return (state, LSTMValues) from the pre-activations a_x and a_h, (B, 4H), whose sum is a."""
    a = gate_blocks(a_x + a_h, LSTMGates)
    i, f, o, g = (activation.f(block) for activation, block in zip(activations, a))
    c = f * state.c + i * g
    tanh_c = activations.c.f(c)
    return LSTMState(h=o * tanh_c, c=c), LSTMValues(state.c, i, f, o, g, tanh_c)


def lstm_gates_backward(values, dstate, *, activations=LSTMActivations()):
    """Return (dgates, dc): LSTMGates of the gradients of i, f, o, g, and the whole gradient of c, both paths added.

    Elementwise, so it takes one step, (B, H), or all the steps of a trace at once, (T, B, H).
    """
    dc = dstate.c + dstate.h * values.o * activations.c.derivative(values.tanh_c)
    return LSTMGates(
        i=dc * values.g, f=dc * values.c_previous, o=dstate.h * values.tanh_c, g=dc * values.i
    ), dc


def lstm_pointwise_backward(params, cache, dstate, *, activations=LSTMActivations()):
    """Return ({}, da_x, da_h, dprevious): da_x = da_h = da, and c's own path back, dc * f; h has none but through a_h."""
    dgates, dc = lstm_gates_backward(cache, dstate, activations=activations)
    gates = LSTMGates(cache.i, cache.f, cache.o, cache.g)
    da = np.concatenate(
        [d * activation.derivative(y) for d, activation, y in zip(dgates, activations, gates)],
        axis=1,
    )
    return {}, da, da, LSTMState(h=np.zeros_like(dc), c=dc * cache.f)


def lstm(
    *,
    i=sigmoid,
    f=sigmoid,
    o=sigmoid,
    g=tanh,
    c=tanh,
    forget_bias=1.0,
    W_x=glorot_uniform,
    W_h=orthogonal,
    b=zeros,
):
    """Return the LSTM with an `Activation` for each gate and for c on its way to h, a forget bias, and three initializers.

    Each initializer is called once for every gate, so W_h starts as four orthogonal matrices. PyTorch starts the forget bias from
    about 0, Keras from 1; Gers et al. 2000 also tried 5. With the activations of the package, in their usual places, the cell
    has a fast path; with others its `fast` is None.

    Raises: TypeError for anything that is not an Activation, ValueError for a bias that is not a finite number.
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
