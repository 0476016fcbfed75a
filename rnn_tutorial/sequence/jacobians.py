"""Jacobians over time: how a change in an early state changes a late one. Chapter 06 measures them.

    jacobian[k, i] = d h_T[k] / d h_t[i]

The row is the unit of h_T that changes, the column the unit of h_t that is moved. A gradient, which
is a row, goes back in time by dh_t = dh_T @ jacobian.
"""

from typing import Any

import numpy as np

from rnn_tutorial.cells.cell import Cell
from rnn_tutorial.cells.elman import ElmanParams
from rnn_tutorial.sequence.step import step, step_backward
from rnn_tutorial.sequence.unroll import check_sequence
from rnn_tutorial.tree import tree_map, tree_zeros_like
from rnn_tutorial.types import Array
from rnn_tutorial.validation import check_array

__all__ = [
    "elman_jacobian",
    "jacobian_norms",
    "jacobians",
]


def jacobians(cell: Cell, params: Any, xs: Array, state: Any) -> Array:
    """Return d h_T / d h_t for every time distance T - t; entry 0 is the identity.

    For any cell, by backpropagation: every sequence is copied H times, and copy k receives the unit
    gradient of unit k of h_T. Its gradient with respect to h_t is row k. The other fields of the
    state (the c of an LSTM) carry gradient too, so every path from h_t to h_T counts.

    Shapes: xs (T, B, D); state: the cell's State of (B, H) before the first step; the jacobians
    (T + 1, B, H, H).
    Raises: what `unroll` raises.
    """
    check_sequence(cell, params, xs, state, None)
    B, H = state.h.shape
    copies = np.repeat(np.arange(B), H)  # sequence 0 H times, sequence 1 H times, ...
    state, caches = tree_map(lambda leaf: leaf[copies], state), []
    for x in xs[:, copies]:
        state, cache = step(cell, params, x, state)
        caches.append(cache)
    dstate = tree_zeros_like(state)._replace(h=np.tile(np.eye(H, dtype=state.h.dtype), (B, 1)))
    rows = [dstate.h]
    for cache in reversed(caches):
        _, _, dstate = step_backward(cell, params, cache, dstate)
        rows.append(dstate.h)
    return np.stack(rows).reshape(-1, B, H, H)


def jacobian_norms(cell: Cell, params: Any, xs: Array, state: Any) -> Array:
    """Return the largest singular value of d h_T / d h_t, for every T - t and every sequence.

    It is the largest factor by which the length of a small change of h_t can grow until h_T. Entry
    0 is 1.

    Shapes: those of `jacobians`; the norms (T + 1, B).
    Raises: what `jacobians` raises.
    """
    return np.linalg.norm(jacobians(cell, params, xs, state), ord=2, axis=(-2, -1))


def elman_jacobian(params: ElmanParams, h: Array) -> Array:
    """Return d h_t / d h_{t-1} of `elman_step` from the new state h = h_t.

    jacobian[k, i] = (1 - h[k]^2) W_h[i, k], in matrices diag(1 - h^2) W_h^T.

    Shapes: h (B, H); the jacobian (B, H, H).
    Raises: ValueError or TypeError if h does not fit the parameters.
    Source: Hochreiter 1991; Pascanu, Mikolov & Bengio 2013, section 2.1.
    """
    check_array("h", h, dtype=params.b.dtype, B=None, H=len(params.W_h))
    return (1 - h**2)[:, :, None] * params.W_h.T
