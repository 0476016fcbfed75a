"""The vanilla recurrent network: h = tanh(x @ W_x + h_previous @ W_h + b). Source: Elman 1990.

`elman_step` and `elman_step_backward` are the specification, as chapters 01 and 02 build it. `elman_pointwise` and
its backward are the same step without its matrix products (see `cell.py`), which is what `unroll` runs; a test holds
the two equal.
"""

from functools import partial
from typing import NamedTuple

import numpy as np
from numpy import ndarray as Array

from rnn_tutorial.activations import check_activations, tanh
from rnn_tutorial.cells.cell import Cell
from rnn_tutorial.initializers import glorot_uniform, orthogonal, zeros
from rnn_tutorial.validation import check_array, check_finite, check_like, check_positive


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


def elman_init(rng, input_size, hidden_size, *, W_x=glorot_uniform, W_h=orthogonal, b=zeros):
    """Return ElmanParams drawn by the initializers W_x, W_h and b, each `(rng, shape) -> array`."""
    check_positive("input_size", input_size)
    check_positive("hidden_size", hidden_size)
    return ElmanParams(
        W_x=W_x(rng, (input_size, hidden_size)),
        W_h=W_h(rng, (hidden_size, hidden_size)),
        b=b(rng, (hidden_size,)),
    )


def elman_initial_state(params, batch_size):
    """Return the state before the first step: zeros (B, H) in the dtype of the parameters; W_h must be square."""
    check_positive("batch_size", batch_size)
    check_array("W_h", params.W_h, H=len(params.b), A=len(params.b))
    return ElmanState(h=np.zeros((batch_size, len(params.W_h)), params.b.dtype))


def elman_check(params, x, state):
    """Return nothing, or refuse x and state unless they fit the parameters: shapes (B, D) and (B, H), one dtype, finite."""
    D, H = params.W_x.shape
    check_array("x", x, dtype=params.b.dtype, B=None, D=D)
    check_array("state.h", state.h, dtype=params.b.dtype, B=len(x), H=H)
    check_finite("x", x)
    check_finite("state.h", state.h)


def elman_step(params, x, state):
    """Return (state, cache) after one step: h = tanh(x @ W_x + h_previous @ W_h + b).

    x: (B, D), state.h: (B, H). Errors: ValueError or TypeError if x or state does not fit the parameters.
    """
    elman_check(params, x, state)
    h = np.tanh(x @ params.W_x + state.h @ params.W_h + params.b)
    return ElmanState(h), ElmanCache(x, state, h)


def elman_step_backward(params, cache, dstate):
    """Return (dparams, dx, dprevious), the gradients of what `elman_step` was given.

    da = dh * (1 - h^2), the gradient of the pre-activation a; then
    dW_x = x^T da, dW_h = h_previous^T da, db = sum over the batch of da, dx = da W_x^T, dh_previous = da W_h^T.
    dstate: the gradient of the new state, ElmanState of (B, H). Errors: ValueError or TypeError if it does not fit.
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
    """Return ((), da_x, da_h, dprevious): da_x = da_h = dh * derivative; no other road leads to the old state."""
    da = dstate.h * activation.derivative(cache)
    return (), da, da, ElmanState(h=np.zeros_like(da))


def elman(activation=tanh, W_x=glorot_uniform, W_h=orthogonal, b=zeros):
    """Return the vanilla cell with an `Activation` and three initializers of your choice.

    `elman(relu, W_h=identity())` is the network of Le, Jaitly & Hinton 2015. Errors: TypeError for another activation.
    """
    check_activations(activation=activation)
    return Cell(
        name="Elman",
        init=partial(elman_init, W_x=W_x, W_h=W_h, b=b),
        initial_state=elman_initial_state,
        pointwise=partial(elman_pointwise, activation=activation),
        pointwise_backward=partial(elman_pointwise_backward, activation=activation),
    )


Elman = elman()
"""The vanilla cell as most libraries have it: tanh, orthogonal W_h, bias from zero."""
