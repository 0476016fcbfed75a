"""The vanilla recurrent network: h = tanh(x @ W_x + h_previous @ W_h + b). Source: Elman 1990.

`elman_step` and `elman_step_backward` are the specification, as chapters 01 and 02 build it. `elman_pointwise` and
its backward are the same step without its matrix products (see `cell.py`), which is what `unroll` runs; a test holds
the two equal.
"""

from typing import NamedTuple

import numpy as np
from numpy import ndarray as Array

from rnn_tutorial.activations import Activation, check_activations, tanh
from rnn_tutorial.bound import Bound
from rnn_tutorial.cells.cell import Cell
from rnn_tutorial.cells.gates import check_step_inputs, init_gates
from rnn_tutorial.cells.kernels.elman import ELMAN_KERNEL
from rnn_tutorial.initializers import glorot_uniform, orthogonal, zeros
from rnn_tutorial.validation import check_like

__all__ = [
    "Elman",
    "ElmanActivations",
    "ElmanCache",
    "ElmanParams",
    "ElmanState",
    "elman",
    "elman_init",
    "elman_pointwise",
    "elman_pointwise_backward",
    "elman_step",
    "elman_step_backward",
]


class ElmanParams(NamedTuple):
    """The parameters of the cell."""

    W_x: Array  # (D, H)
    W_h: Array  # (H, H)
    b: Array  # (H,)


class ElmanState(NamedTuple):
    """The state of the cell after a step."""

    h: Array  # (B, H)


class ElmanCache(NamedTuple):
    """What `elman_step` keeps for its backward."""

    x: Array  # (B, D)
    previous: ElmanState
    h: Array  # (B, H)


class ElmanActivations(NamedTuple):
    """The activation of the cell, by the name that `elman` has for it."""

    activation: Activation = tanh


def elman_init(rng, input_size, hidden_size, *, W_x=glorot_uniform, W_h=orthogonal, b=zeros):
    """Return ElmanParams drawn by the initializers W_x, W_h and b, each `(rng, shape) -> array`."""
    return ElmanParams(*init_gates(rng, input_size, hidden_size, 1, W_x, W_h, b))


def elman_step(params, x, state):
    """Return (state, cache) after one step: h = tanh(x @ W_x + h_previous @ W_h + b).

    x: (B, D), state.h: (B, H). Raises: ValueError or TypeError if x or state does not fit the parameters.
    """
    check_step_inputs(params, x, state)
    h = np.tanh(x @ params.W_x + state.h @ params.W_h + params.b)
    return ElmanState(h), ElmanCache(x, state, h)


def elman_step_backward(params, cache, dstate):
    """Return (dparams, dx, dprevious), the gradients of what `elman_step` was given.

    da = dh * (1 - h^2), the gradient of the pre-activation a; then
    dW_x = x^T da, dW_h = h_previous^T da, db = sum over the batch of da, dx = da W_x^T, dh_previous = da W_h^T.
    dstate: the gradient of the new state, ElmanState of (B, H). Raises: ValueError or TypeError if it does not fit.
    """
    check_like("dstate", dstate, cache.previous)
    da = dstate.h * (1 - cache.h**2)  # h = tanh(a)
    dparams = ElmanParams(  # a = x @ W_x + h_previous @ W_h + b
        W_x=cache.x.T @ da,
        W_h=cache.previous.h.T @ da,
        b=da.sum(axis=0),
    )
    return dparams, da @ params.W_x.T, ElmanState(h=da @ params.W_h.T)


def elman_pointwise(params, a_x, a_h, state, *, activation=tanh):
    """Return (state, cache) of h = activation(a_x + a_h); a_x, a_h: (B, H)."""
    h = activation.f(a_x + a_h)
    return ElmanState(h), h


def elman_pointwise_backward(params, cache, dstate, *, activation=tanh):
    """Return ({}, da_x, da_h, dprevious): da_x = da_h = dh * derivative; no other path leads to the old state."""
    da = dstate.h * activation.derivative(cache)
    return {}, da, da, ElmanState(h=np.zeros_like(da))


def elman(activation=tanh, W_x=glorot_uniform, W_h=orthogonal, b=zeros):
    """Return the vanilla cell with an `Activation` and three initializers of your choice.

    `elman(relu, W_h=identity())` is the network of Le, Jaitly & Hinton 2015. With tanh it has a fast path.

    Raises: TypeError for anything that is not an Activation.
    """
    check_activations(activation=activation)
    cell = Cell(
        name="Elman",
        Params=ElmanParams,
        State=ElmanState,
        gates="h",
        init=Bound(elman_init, W_x=W_x, W_h=W_h, b=b),
        pointwise=Bound(elman_pointwise, activation=activation),
        pointwise_backward=Bound(elman_pointwise_backward, activation=activation),
        activations=ElmanActivations(activation),
    )
    return cell.with_fast(ELMAN_KERNEL if activation == tanh else None)


Elman = elman()
"""The vanilla cell as most libraries have it: tanh, orthogonal W_h, bias from zero."""
