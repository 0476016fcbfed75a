"""Jacobians over time: how much of a change in an early state is left in a late one. Chapter 05 measures them.

    jacobian[k, i] = d h_T[k] / d h_t[i]

The row says which unit of h_T answers, the column which unit of h_t is moved: a gradient, which is a row, goes back in time
by dh_t = dh_T @ jacobian.
"""

import numpy as np

from rnn_tutorial.sequence.step import step, step_backward
from rnn_tutorial.sequence.unroll import check_sequence
from rnn_tutorial.tree import tree_map, tree_zeros_like
from rnn_tutorial.validation import check_array

__all__ = [
    "elman_jacobian",
    "jacobian_norms",
    "jacobians",
]


def jacobians(cell, params, xs, state):
    """Return d h_T / d h_t for every time distance T - t, (T + 1, B, H, H): entry k is that at distance k, 0 the identity.

    For any cell, by backpropagation: every sequence is copied H times, copy k is given the unit gradient of unit k of
    h_T, and what arrives at h_t is row k. The other fields of the state (the c of an LSTM) carry gradient too, so
    every path from h_t to h_T counts.

    xs: (T, B, D); state: the cell's State of (B, H) before the first step. Errors: those of `unroll`.
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


def jacobian_norms(cell, params, xs, state):
    """Return the largest singular value of d h_T / d h_t for every time distance T - t and sequence, (T + 1, B).

    The largest factor by which the length of any small change of h_t can have grown on its way to h_T. Entry 0 is 1.
    Arguments and errors: those of `jacobians`.
    """
    return np.linalg.norm(jacobians(cell, params, xs, state), ord=2, axis=(-2, -1))


def elman_jacobian(params, h):
    """Return d h_t / d h_{t-1} of `elman_step` from the new state h = h_t, (B, H, H): (1 - h[k]^2) W_h[i, k].

    In matrices diag(1 - h^2) W_h^T. Source: Hochreiter 1991; Pascanu, Mikolov & Bengio 2013, section 2.1.
    h: (B, H). Errors: ValueError or TypeError if h does not fit the parameters.
    """
    check_array("h", h, dtype=params.b.dtype, B=None, H=len(params.W_h))
    return (1 - h**2)[:, :, None] * params.W_h.T
