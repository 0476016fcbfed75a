"""The gated recurrent unit, reset before the matrix: the form of Cho et al. 2014.

It is also the form of Keras with `reset_after=False`.

    r, z = sigmoid(a_r), sigmoid(a_z)        with a = x @ W_x + b + h_previous @ W_h for these two
    n = tanh(a_x,n + (r * h_previous) @ W_hn)
    h = z * h_previous + (1 - z) * n

The candidate's matrix needs the reset gate first, so it is a parameter of its own, W_hn, multiplied
inside the step; W_h has only the two blocks of r and z. In `gru.py` the matrix comes first and the
reset after it; here the reset comes first, and no second bias is needed.

The gates are side by side in the order r, z, n. `gru_before_step` and `gru_before_step_backward`
are the specification; `gru_before_pointwise` and its backward are the same step without the
products that every cell has, and a test holds the two equal.

Source: Cho et al. 2014, section 2.3, equations 5 to 8.
"""

from typing import Any, NamedTuple

import numpy as np

from rnn_tutorial.activations import Activation, sigmoid, tanh
from rnn_tutorial.bound import Bound
from rnn_tutorial.cells.cell import Cell, cell_with_activations
from rnn_tutorial.cells.gates import check_step_inputs, gate_blocks, init_gates
from rnn_tutorial.cells.gru import GRUActivations, GRUGates, GRUState
from rnn_tutorial.initializers import glorot_uniform, orthogonal, zeros
from rnn_tutorial.types import Array, Initializer, Rng
from rnn_tutorial.validation import check_like

__all__ = [
    "GRUBefore",
    "GRUBeforeCache",
    "GRUBeforeParams",
    "GRUBeforeValues",
    "gru_before",
    "gru_before_init",
    "gru_before_pointwise",
    "gru_before_pointwise_backward",
    "gru_before_shapes",
    "gru_before_step",
    "gru_before_step_backward",
]


class GRUBeforeParams(NamedTuple):
    """The parameters of the cell: gates side by side, except the candidate's recurrent matrix.

    The order of the gates is r, z, n.
    """

    W_x: Array  # (D, 3H)
    W_h: Array  # (H, 2H), of r and z
    b: Array  # (3H,)
    W_hn: Array  # (H, H)


class GRUBeforeCache(NamedTuple):
    """What `gru_before_step` keeps for its backward."""

    x: Array  # (B, D)
    previous: GRUState
    r: Array  # (B, H), as all that follow
    z: Array
    n: Array


class GRUBeforeValues(NamedTuple):
    """What `gru_before_pointwise` keeps for its backward, each (B, H)."""

    h_previous: Array
    r: Array
    z: Array
    n: Array


def gru_before_init(
    rng: Rng,
    input_size: int,
    hidden_size: int,
    *,
    W_x: Initializer = glorot_uniform,
    W_h: Initializer = orthogonal,
    b: Initializer = zeros,
) -> GRUBeforeParams:
    """Return GRUBeforeParams: each gate's block is drawn by itself by W_x, W_h and b.

    Raises: TypeError unless `rng` is a generator, ValueError for sizes that are not positive whole
    numbers.
    """
    blocks_x, blocks_h, bias = init_gates(rng, input_size, hidden_size, 3, W_x, W_h, b)
    W_hr, W_hz, W_hn = np.split(blocks_h, 3, axis=1)
    return GRUBeforeParams(blocks_x, np.concatenate([W_hr, W_hz], axis=1), bias, W_hn.copy())


def gru_before_shapes(D: int, H: int) -> Any:
    """Return GRUBeforeParams of shapes."""
    return GRUBeforeParams(W_x=(D, 3 * H), W_h=(H, 2 * H), b=(3 * H,), W_hn=(H, H))  # type: ignore[arg-type]


def gru_before_step(
    params: GRUBeforeParams, x: Array, state: GRUState
) -> tuple[GRUState, GRUBeforeCache]:
    """Return (state, cache) after one step, by the formulas at the top of this file.

    Shapes: x (B, D), state.h (B, H).

    Raises: ValueError or TypeError if x or state does not fit the parameters.
    """
    check_step_inputs(params, x, state)
    a_x = gate_blocks(x @ params.W_x + params.b, GRUGates)
    a_hr, a_hz = np.split(state.h @ params.W_h, 2, axis=1)
    r, z = sigmoid.f(a_x.r + a_hr), sigmoid.f(a_x.z + a_hz)
    n = np.tanh(a_x.n + (r * state.h) @ params.W_hn)
    h = z * state.h + (1 - z) * n
    return GRUState(h), GRUBeforeCache(x, state, r, z, n)


def gru_before_step_backward(
    params: GRUBeforeParams, cache: GRUBeforeCache, dstate: GRUState
) -> tuple[GRUBeforeParams, Array, GRUState]:
    """Return (dparams, dx, dprevious), the gradients of the inputs of `gru_before_step`.

    dstate is the gradient of the new state, from the layer above and from the next step. With
    m = r * h_previous,

        dz = dh * (h_previous - n)      dn = dh * (1 - z)      da_n = dn * (1 - n^2)
        dm = da_n W_hn^T                dr = dm * h_previous   dW_hn = m^T da_n
        da_x = [dr r (1 - r), dz z (1 - z), da_n]      da_h = [dr r (1 - r), dz z (1 - z)]

    Then, as for any affine map,

        dW_x = x^T da_x     dW_h = h_previous^T da_h     db = sum over the batch of da_x
        dx = da_x W_x^T     dh_previous = dh * z + dm * r + da_h W_h^T

    Shapes: dstate.h (B, H), da_x (B, 3H), da_h (B, 2H), dx (B, D).

    Raises: ValueError or TypeError if dstate does not fit.
    """
    x, previous, r, z, n = cache
    check_like("dstate", dstate, previous)
    m = r * previous.h
    dz = dstate.h * (previous.h - n)  # h = z * h_previous + (1 - z) * n
    da_n = dstate.h * (1 - z) * (1 - n**2)
    dm, dW_hn = da_n @ params.W_hn.T, m.T @ da_n  # n = tanh(a_x,n + m @ W_hn)
    dr = dm * previous.h  # m = r * h_previous
    da_r, da_z = dr * r * (1 - r), dz * z * (1 - z)
    da_x = np.concatenate([da_r, da_z, da_n], axis=1)
    da_h = np.concatenate([da_r, da_z], axis=1)
    dparams = GRUBeforeParams(x.T @ da_x, previous.h.T @ da_h, da_x.sum(axis=0), dW_hn)
    dprevious = GRUState(h=dstate.h * z + dm * r + da_h @ params.W_h.T)
    return dparams, da_x @ params.W_x.T, dprevious


def gru_before_pointwise(
    params: GRUBeforeParams,
    a_x: Any,  # an Array, until its blocks take its name
    a_h: Array,
    state: GRUState,
    *,
    activations: GRUActivations = GRUActivations(),
) -> tuple[GRUState, GRUBeforeValues]:
    """Return (state, GRUBeforeValues) from the pre-activations a_x and a_h.

    a_h has only the blocks of r and z: the candidate's product needs r first.

    Shapes: a_x (B, 3H), a_h (B, 2H).
    """
    a_x, (a_hr, a_hz) = gate_blocks(a_x, GRUGates), np.split(a_h, 2, axis=1)
    r = activations.r.f(a_x.r + a_hr)
    z = activations.z.f(a_x.z + a_hz)
    n = activations.n.f(a_x.n + (r * state.h) @ params.W_hn)
    h = z * state.h + (1 - z) * n
    return GRUState(h), GRUBeforeValues(state.h, r, z, n)


def gru_before_pointwise_backward(
    params: GRUBeforeParams,
    cache: GRUBeforeValues,
    dstate: GRUState,
    *,
    activations: GRUActivations = GRUActivations(),
) -> tuple[dict[str, Array], Array, Array, GRUState]:
    """Return ({"W_hn": dW_hn}, da_x, da_h, dprevious).

    With m = r * h_previous, the input of the candidate's matrix,

        dm = da_n W_hn^T      dW_hn = m^T da_n      dr = dm * h_previous

    The old state has two paths that avoid W_h: z keeps it, which gives dh * z, and it is in m,
    which gives dm * r.

    Shapes: dW_hn (H, H), da_x (B, 3H), da_h (B, 2H), dprevious.h (B, H).
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


def gru_before(
    *,
    r: Activation = sigmoid,
    z: Activation = sigmoid,
    n: Activation = tanh,
    W_x: Initializer = glorot_uniform,
    W_h: Initializer = orthogonal,
    b: Initializer = zeros,
) -> Cell:
    """Return the GRU, reset before the matrix, with activations and initializers of your choice.

    There is an `Activation` for each gate, and each initializer is called once for every gate.

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
