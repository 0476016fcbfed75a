"""The gated recurrent unit, reset after the matrix: the form of PyTorch and cuDNN.

It is also the form of Keras by default.

    r, z = sigmoid(a_r), sigmoid(a_z)        with a = x @ W_x + b + h_previous @ W_h for these two
    n = tanh(a_x,n + r * (h_previous @ W_hn + b_hn))
    h = z * h_previous + (1 - z) * n

z says how much of the old state is kept, as in Cho et al. 2014 and in every library; Chung et al.
2014 write 1 - z for it. The reset gate acts on the product, after the matrix. This gives the
candidate a second bias, b_hn; for r and z a second bias would only add to the first. Cho et al.
reset before the matrix, which is another function: see `gru_before.py`.

The gates are side by side in the order r, z, n. `gru_step` and `gru_step_backward` are the
specification. `gru_pointwise` and its backward are the same step without its matrix products (see
`cell.py`); `unroll` runs these. A test holds them, and the kernel of the fast path, equal to the
specification.

Source: Cho et al. 2014, section 2.3.
"""

from typing import Any, NamedTuple

import numpy as np

from rnn_tutorial.activations import Activation, sigmoid, tanh
from rnn_tutorial.bound import Bound
from rnn_tutorial.cells.cell import Cell, cell_with_activations
from rnn_tutorial.cells.gates import check_step_inputs, gate_blocks, init_gates
from rnn_tutorial.cells.kernels.gru import GRU_KERNEL
from rnn_tutorial.initializers import glorot_uniform, orthogonal, zeros
from rnn_tutorial.types import Array, Initializer, Rng
from rnn_tutorial.validation import check_like

__all__ = [
    "GRU",
    "GRUActivations",
    "GRUCache",
    "GRUGates",
    "GRUParams",
    "GRUState",
    "GRUValues",
    "gru",
    "gru_gates_backward",
    "gru_init",
    "gru_pointwise",
    "gru_pointwise_backward",
    "gru_shapes",
    "gru_step",
    "gru_step_backward",
]


class GRUParams(NamedTuple):
    """The parameters of the cell: three gates side by side, and the bias inside the reset.

    The order of the gates is r, z, n.
    """

    W_x: Array  # (D, 3H)
    W_h: Array  # (H, 3H)
    b: Array  # (3H,)
    b_hn: Array  # (H,)


class GRUState(NamedTuple):
    """The state of the cell after a step."""

    h: Array  # (B, H)


class GRUGates(NamedTuple):
    """One field for each gate: values, pre-activations, their gradients, GateParams."""

    r: Array  # reset gate: how much of the old state the candidate sees
    z: Array  # update gate: how much of the old state is kept
    n: Array  # the candidate: the new content


class GRUCache(NamedTuple):
    """What `gru_step` keeps for its backward."""

    x: Array  # (B, D)
    previous: GRUState
    r: Array  # (B, H), as all that follow
    z: Array
    n: Array
    s: Array  # h_previous @ W_hn + b_hn, what the reset gate multiplies


class GRUValues(NamedTuple):
    """What `gru_pointwise` keeps for its backward: every intermediate by name, each (B, H)."""

    h_previous: Array
    r: Array
    z: Array
    n: Array
    s: Array  # h_previous @ W_hn + b_hn, what the reset gate multiplies


class GRUActivations(NamedTuple):
    """The activation of each gate."""

    r: Activation = sigmoid
    z: Activation = sigmoid
    n: Activation = tanh


def gru_init(
    rng: Rng,
    input_size: int,
    hidden_size: int,
    *,
    W_x: Initializer = glorot_uniform,
    W_h: Initializer = orthogonal,
    b: Initializer = zeros,
) -> GRUParams:
    """Return GRUParams: each gate's block, and b_hn, is drawn by itself by W_x, W_h and b.

    Raises: TypeError unless `rng` is a generator, ValueError for sizes that are not positive whole
    numbers.
    """
    return GRUParams(
        *init_gates(rng, input_size, hidden_size, 3, W_x, W_h, b), b_hn=b(rng, (hidden_size,))
    )


def gru_shapes(D: int, H: int) -> Any:
    """Return GRUParams of shapes."""
    return GRUParams(W_x=(D, 3 * H), W_h=(H, 3 * H), b=(3 * H,), b_hn=(H,))  # type: ignore[arg-type]


def gru_step(params: GRUParams, x: Array, state: GRUState) -> tuple[GRUState, GRUCache]:
    """Return (state, cache) after one step, by the formulas at the top of this file.

    Shapes: x (B, D), state.h (B, H).

    Raises: ValueError or TypeError if x or state does not fit the parameters.
    """
    check_step_inputs(params, x, state)
    a_x = gate_blocks(x @ params.W_x + params.b, GRUGates)
    a_h = gate_blocks(state.h @ params.W_h, GRUGates)
    r, z = sigmoid.f(a_x.r + a_h.r), sigmoid.f(a_x.z + a_h.z)
    s = a_h.n + params.b_hn
    n = np.tanh(a_x.n + r * s)
    h = z * state.h + (1 - z) * n
    return GRUState(h), GRUCache(x, state, r, z, n, s)


def gru_step_backward(
    params: GRUParams, cache: GRUCache, dstate: GRUState
) -> tuple[GRUParams, Array, GRUState]:
    """Return (dparams, dx, dprevious), the gradients of the inputs of `gru_step`.

    dstate is the gradient of the new state, from the layer above and from the next step.

        dz = dh * (h_previous - n)      dn = dh * (1 - z)      da_n = dn * (1 - n^2)
        dr = da_n * s                   ds = da_n * r
        da_x = [dr r (1 - r), dz z (1 - z), da_n]      da_h = [dr r (1 - r), dz z (1 - z), ds]

    Then, as for any affine map, with a gradient of its own for each of the two products,

        dW_x = x^T da_x     dW_h = h_previous^T da_h     db, db_hn = sums over the batch of da_x, ds
        dx = da_x W_x^T     dh_previous = dh * z + da_h W_h^T

    where dh * z comes along the one path without a matrix.

    Shapes: dstate.h (B, H), da_x and da_h (B, 3H), dx (B, D).

    Raises: ValueError or TypeError if dstate does not fit.
    """
    x, previous, r, z, n, s = cache
    check_like("dstate", dstate, previous)
    dz = dstate.h * (previous.h - n)  # h = z * h_previous + (1 - z) * n
    da_n = dstate.h * (1 - z) * (1 - n**2)
    dr, ds = da_n * s, da_n * r  # n = tanh(a_x,n + r * s)
    da_r, da_z = dr * r * (1 - r), dz * z * (1 - z)
    da_x = np.concatenate([da_r, da_z, da_n], axis=1)
    da_h = np.concatenate([da_r, da_z, ds], axis=1)
    dparams = GRUParams(
        W_x=x.T @ da_x, W_h=previous.h.T @ da_h, b=da_x.sum(axis=0), b_hn=ds.sum(axis=0)
    )
    return dparams, da_x @ params.W_x.T, GRUState(h=dstate.h * z + da_h @ params.W_h.T)


def gru_pointwise(
    params: GRUParams,
    a_x: Any,  # an Array, until its blocks take its name
    a_h: Any,
    state: GRUState,
    *,
    activations: GRUActivations = GRUActivations(),
) -> tuple[GRUState, GRUValues]:
    """Return (state, GRUValues) from the pre-activations a_x and a_h.

    The candidate needs the two separately: the reset gate multiplies its a_h alone.

    Shapes: a_x, a_h (B, 3H).
    """
    a_x, a_h = gate_blocks(a_x, GRUGates), gate_blocks(a_h, GRUGates)
    r = activations.r.f(a_x.r + a_h.r)
    z = activations.z.f(a_x.z + a_h.z)
    s = a_h.n + params.b_hn
    n = activations.n.f(a_x.n + r * s)
    h = z * state.h + (1 - z) * n
    return GRUState(h), GRUValues(state.h, r, z, n, s)


def gru_gates_backward(
    values: GRUValues, dstate: GRUState, *, activations: GRUActivations = GRUActivations()
) -> tuple[GRUGates, Array]:
    """Return (dgates, ds): GRUGates of the gradients of r, z, n, and the gradient of s.

    s = h_previous @ W_hn + b_hn is what the reset gate multiplies.

        dz = dh * (h_previous - n)      dn = dh * (1 - z)      da_n = dn * (1 - n^2)
        dr = da_n * s                   ds = da_n * r

    Shapes: all arrays (B, H) for one step, or (T, B, H) for all the steps of a trace at once.
    """
    dz = dstate.h * (values.h_previous - values.n)  # h = z * h_previous + (1 - z) * n
    dn = dstate.h * (1 - values.z)
    da_n = dn * activations.n.derivative(values.n)  # n = tanh(a_x,n + r * s)
    return GRUGates(r=da_n * values.s, z=dz, n=dn), da_n * values.r


def gru_pointwise_backward(
    params: GRUParams,
    cache: GRUValues,
    dstate: GRUState,
    *,
    activations: GRUActivations = GRUActivations(),
) -> tuple[dict[str, Array], Array, Array, GRUState]:
    """Return ({"b_hn": db_hn}, da_x, da_h, dprevious).

    da_x = [da_r, da_z, da_n] and da_h = [da_r, da_z, da_n * r]: the two pre-activations of the
    candidate have different gradients. dprevious is dh * z, along the path without a matrix.

    Shapes: db_hn (H,), da_x and da_h (B, 3H), dprevious.h (B, H).
    """
    dgates, ds = gru_gates_backward(cache, dstate, activations=activations)
    da_r = dgates.r * activations.r.derivative(cache.r)
    da_z = dgates.z * activations.z.derivative(cache.z)
    da_n = dgates.n * activations.n.derivative(cache.n)
    da_x = np.concatenate([da_r, da_z, da_n], axis=1)
    da_h = np.concatenate([da_r, da_z, ds], axis=1)
    return {"b_hn": ds.sum(axis=0)}, da_x, da_h, GRUState(h=dstate.h * cache.z)


def gru(
    *,
    r: Activation = sigmoid,
    z: Activation = sigmoid,
    n: Activation = tanh,
    W_x: Initializer = glorot_uniform,
    W_h: Initializer = orthogonal,
    b: Initializer = zeros,
) -> Cell:
    """Return the GRU, reset after the matrix, with activations and initializers of your choice.

    There is an `Activation` for each gate, and each initializer is called once for every gate. With
    the usual activations the cell has a fast path; with others its `fast` is None.

    Raises: TypeError for anything that is not an Activation.
    """
    activations = GRUActivations(r, z, n)
    cell = cell_with_activations(
        "GRU",
        activations,
        Bound(gru_init, W_x=W_x, W_h=W_h, b=b),
        gru_pointwise,
        gru_pointwise_backward,
        Params=GRUParams,
        State=GRUState,
        gates="rzn",
        shapes=gru_shapes,
    )
    return cell.with_fast(GRU_KERNEL if activations == GRUActivations() else None)


GRU = gru()
"""The GRU as PyTorch and Keras have it by default: reset after the matrix, sigmoid gates.

Its biases start from zero.
"""
