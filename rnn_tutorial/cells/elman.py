"""The vanilla recurrent network: h = tanh(x @ W_x + h_previous @ W_h + b).

`elman_step` and `elman_step_backward` are the specification, as chapters 01 and 02 build it.
`elman_pointwise` and its backward are the same step without its matrix products (see `cell.py`);
`unroll` runs these. A test checks that the two are equal.

This file is the template for a cell of your own: copy it and change it.

Source: Elman 1990.
"""

from typing import NamedTuple

import numpy as np

from rnn_tutorial.activations import Activation, check_activations, tanh
from rnn_tutorial.bound import Bound
from rnn_tutorial.cells.cell import Cell
from rnn_tutorial.cells.gates import check_step_inputs, init_gates
from rnn_tutorial.cells.kernels.elman import ELMAN_KERNEL
from rnn_tutorial.initializers import glorot_uniform, orthogonal, zeros
from rnn_tutorial.types import Array, Initializer, Rng
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


def elman_init(
    rng: Rng,
    input_size: int,
    hidden_size: int,
    *,
    W_x: Initializer = glorot_uniform,
    W_h: Initializer = orthogonal,
    b: Initializer = zeros,
) -> ElmanParams:
    """Return ElmanParams drawn by the initializers W_x, W_h and b, each `(rng, shape) -> array`.

    Raises: TypeError unless `rng` is a generator, ValueError for sizes that are not positive whole
    numbers.
    """
    return ElmanParams(*init_gates(rng, input_size, hidden_size, 1, W_x, W_h, b))


def elman_step(params: ElmanParams, x: Array, state: ElmanState) -> tuple[ElmanState, ElmanCache]:
    """Return (state, cache) after one step: h = tanh(x @ W_x + h_previous @ W_h + b).

    Shapes: x (B, D), state.h (B, H).

    Raises: ValueError or TypeError if x or state does not fit the parameters.
    """
    check_step_inputs(params, x, state)
    h = np.tanh(x @ params.W_x + state.h @ params.W_h + params.b)
    return ElmanState(h), ElmanCache(x, state, h)


def elman_step_backward(
    params: ElmanParams, cache: ElmanCache, dstate: ElmanState
) -> tuple[ElmanParams, Array, ElmanState]:
    """Return (dparams, dx, dprevious), the gradients of the inputs of `elman_step`.

    dstate is the gradient of the new state. The gradient of the pre-activation a is
    da = dh * (1 - h^2). Then

        dW_x = x^T da     dW_h = h_previous^T da     db = sum over the batch of da
        dx = da W_x^T     dh_previous = da W_h^T

    Shapes: dstate.h (B, H), dx (B, D).

    Raises: ValueError or TypeError if dstate does not fit.
    """
    check_like("dstate", dstate, cache.previous)
    da = dstate.h * (1 - cache.h**2)  # h = tanh(a)
    dparams = ElmanParams(  # a = x @ W_x + h_previous @ W_h + b
        W_x=cache.x.T @ da,
        W_h=cache.previous.h.T @ da,
        b=da.sum(axis=0),
    )
    return dparams, da @ params.W_x.T, ElmanState(h=da @ params.W_h.T)


def elman_pointwise(
    params: ElmanParams,
    a_x: Array,
    a_h: Array,
    state: ElmanState,
    *,
    activation: Activation = tanh,
) -> tuple[ElmanState, Array]:
    """Return (state, cache) of h = activation(a_x + a_h); the cache is h.

    Shapes: a_x, a_h (B, H).
    """
    h = activation.f(a_x + a_h)
    return ElmanState(h), h


def elman_pointwise_backward(
    params: ElmanParams, cache: Array, dstate: ElmanState, *, activation: Activation = tanh
) -> tuple[dict[str, Array], Array, Array, ElmanState]:
    """Return ({}, da_x, da_h, dprevious): da_x = da_h = dh * activation'.

    dprevious is zero: no path but a_h leads to the old state.

    Shapes: cache, which is h, and da_x, da_h (B, H).
    """
    da = dstate.h * activation.derivative(cache)
    return {}, da, da, ElmanState(h=np.zeros_like(da))


def elman(
    activation: Activation = tanh,
    W_x: Initializer = glorot_uniform,
    W_h: Initializer = orthogonal,
    b: Initializer = zeros,
) -> Cell:
    """Return the vanilla cell with an `Activation` and three initializers of your choice.

    `elman(relu, W_h=identity())` is the network of Le, Jaitly & Hinton 2015. With tanh the cell has
    a fast path.

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
