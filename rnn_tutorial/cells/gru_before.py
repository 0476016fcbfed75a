"""The gated recurrent unit, reset before the matrix: the form of Cho et al. 2014, and of Keras with `reset_after=False`.

    r, z = sigmoid(a_r), sigmoid(a_z)         with a = x @ W_x + b + h_previous @ W_h for these two
    n = tanh(a_x,n + (r * h_previous) @ W_hn)
    h = z * h_previous + (1 - z) * n

The candidate's matrix must wait for the reset gate, so it is a parameter of its own, W_hn, multiplied inside the step; W_h holds
the two blocks of r and z alone. Unlike in `gru.py`, the reset mixes units before the matrix does, and no second bias is needed.

Source: Cho et al. 2014, section 2.3, equations 5 to 8. The gates lie side by side in the order r, z, n.
"""

from typing import NamedTuple

import numpy as np
from numpy import ndarray as Array

from rnn_tutorial.activations import sigmoid, tanh
from rnn_tutorial.bound import Bound
from rnn_tutorial.cells.cell import cell_with_activations
from rnn_tutorial.cells.gates import gate_blocks, init_gates
from rnn_tutorial.cells.gru import GRUActivations, GRUGates, GRUState
from rnn_tutorial.initializers import glorot_uniform, orthogonal, zeros

__all__ = [
    "GRUBefore",
    "GRUBeforeParams",
    "GRUBeforeValues",
    "gru_before",
    "gru_before_init",
    "gru_before_pointwise",
    "gru_before_pointwise_backward",
    "gru_before_shapes",
]


class GRUBeforeParams(NamedTuple):
    """The parameters of the cell: gates side by side in the order r, z, n, but for the candidate's recurrent matrix."""

    W_x: Array  # (D, 3H)
    W_h: Array  # (H, 2H), of r and z
    b: Array  # (3H,)
    W_hn: Array  # (H, H)


class GRUBeforeValues(NamedTuple):
    """What `gru_before_pointwise` keeps for its backward: every intermediate by name, each (B, H)."""

    h_previous: Array
    r: Array
    z: Array
    n: Array


def gru_before_init(rng, input_size, hidden_size, *, W_x=glorot_uniform, W_h=orthogonal, b=zeros):
    """Return GRUBeforeParams: each gate's block drawn by itself by the initializers W_x, W_h and b."""
    blocks_x, blocks_h, bias = init_gates(rng, input_size, hidden_size, 3, W_x, W_h, b)
    W_hr, W_hz, W_hn = np.split(blocks_h, 3, axis=1)
    return GRUBeforeParams(blocks_x, np.concatenate([W_hr, W_hz], axis=1), bias, W_hn.copy())


def gru_before_shapes(D, H):
    """Return GRUBeforeParams of shapes."""
    return GRUBeforeParams(W_x=(D, 3 * H), W_h=(H, 2 * H), b=(3 * H,), W_hn=(H, H))


def gru_before_pointwise(params, a_x, a_h, state, *, activations=GRUActivations()):
    """Return (state, GRUBeforeValues) from a_x, (B, 3H), and a_h, (B, 2H): r and z, which the candidate waits for."""
    a_x, (a_hr, a_hz) = gate_blocks(a_x, GRUGates), np.split(a_h, 2, axis=1)
    r = activations.r.f(a_x.r + a_hr)
    z = activations.z.f(a_x.z + a_hz)
    n = activations.n.f(a_x.n + (r * state.h) @ params.W_hn)
    h = z * state.h + (1 - z) * n
    return GRUState(h), GRUBeforeValues(state.h, r, z, n)


def gru_before_pointwise_backward(params, cache, dstate, *, activations=GRUActivations()):
    """Return ({"W_hn": dW_hn}, da_x, da_h, dprevious).

    With m = r * h_previous, what the candidate's matrix sees: dm = da_n W_hn^T and dW_hn = m^T da_n, then dr = dm * h_previous,
    and the old state has two paths past W_h: kept, dh * z, and through m, dm * r.
    """
    h_previous, r, z, n = cache
    dz = dstate.h * (h_previous - n)  # h = z * h_previous + (1 - z) * n
    da_n = dstate.h * (1 - z) * activations.n.derivative(n)
    dm = da_n @ params.W_hn.T  # n = tanh(a_x,n + m @ W_hn), m = r * h_previous
    da_r = dm * h_previous * activations.r.derivative(r)
    da_z = dz * activations.z.derivative(z)
    da_x = np.concatenate([da_r, da_z, da_n], axis=1)
    da_h = np.concatenate([da_r, da_z], axis=1)
    return {"W_hn": (r * h_previous).T @ da_n}, da_x, da_h, GRUState(h=dstate.h * z + dm * r)


def gru_before(*, r=sigmoid, z=sigmoid, n=tanh, W_x=glorot_uniform, W_h=orthogonal, b=zeros):
    """Return the GRU, reset before the matrix, with an `Activation` for each gate and three initializers.

    Raises: TypeError for anything that is not an Activation.
    """
    return cell_with_activations(
        "GRUBefore",
        GRUActivations(r, z, n),
        Bound(gru_before_init, W_x=W_x, W_h=W_h, b=b),
        gru_before_pointwise,
        gru_before_pointwise_backward,
        Params=GRUBeforeParams,
        State=GRUState,
        gates="rzn",
        shapes=gru_before_shapes,
    )


GRUBefore = gru_before()
"""The GRU as Cho et al. wrote it: reset before the matrix, sigmoid gates, biases from zero."""
