"""Any cell over time, forward and backward: the one path that everything which trains goes through.

    a_xs = xs @ W_x + b                                          all steps in one product, before the loop
    for every step:  state = pointwise(a_x, h @ W_h, state)      one product a step
    dW_x, dW_h, db, dxs                                          one product each over all steps, after the loop

The last line is the sum over time written as a matrix product: sum over t of x_t^T da_t = X^T dA, with the T steps of
B rows stacked into T*B rows. Chapter 03 derives it.
"""

from typing import NamedTuple

import numpy as np
from numpy import ndarray as Array

from rnn_tutorial.tree import tree_add, tree_map, tree_paths, tree_zeros_like
from rnn_tutorial.validation import check_array, check_fields, check_finite, check_like, check_mask


class UnrollCache(NamedTuple):
    """What `unroll` keeps for its backward."""

    xs: Array  # (T, B, D)
    previous_hs: Array  # (T, B, H), h before each step
    steps: list  # one cache of the cell a step
    last: NamedTuple  # the state after the last step
    mask: Array | None  # (T, B)

    def part(self, start, stop):
        """Return the cache of the steps start, ..., stop - 1 alone."""
        some = slice(start, stop)
        mask = None if self.mask is None else self.mask[some]
        return self._replace(xs=self.xs[some], previous_hs=self.previous_hs[some], steps=self.steps[some], mask=mask)


def unroll(cell, params, xs, state, mask=None):
    """Return ((hs, last state), cache) of running `cell` over the sequence xs from `state`.

    xs: (T, B, D); hs: (T, B, H); state: the cell's State of (B, H); mask: None, or boolean (T, B), True on real steps.
    Where the mask is False the state stays what it was and the output is zero, so the last state is each
    sequence's own.

    Errors: ValueError or TypeError for a wrong rank, size or dtype, a mask that is not boolean, or xs (padding included)
    or a state that are not finite.
    """
    check_sequence(cell, params, xs, state, mask)
    a_xs = as_rows(xs) @ params.W_x + params.b
    previous_hs, hs, caches = [], [], []
    for a_x, keep in zip(a_xs.reshape(*xs.shape[:2], -1), _steps(mask, len(xs))):
        new_state, cache = cell.pointwise(params, a_x, state.h @ params.W_h, state)
        previous_hs.append(state.h)
        state = hold(keep, new_state, state)
        hs.append(state.h)
        caches.append(cache)
    return (zero_padding(mask, np.stack(hs)), state), UnrollCache(xs, np.stack(previous_hs), caches, state, mask)


def unroll_backward(cell, params, cache, doutputs):
    """Return (dparams, dxs, dfirst_state) from doutputs = (dhs, dlast_state), the gradients of what `unroll` returned.

    dhs: (T, B, H); dlast_state: the cell's State of (B, H). Where the mask is False, dhs is not used and the gradient
    of the state passes unchanged. Errors: ValueError or TypeError if a gradient has not the type of its thing.
    """
    dhs, dstate = doutputs
    check_like("dhs", dhs, cache.previous_hs)
    check_like("dlast_state", dstate, cache.last)
    dhs = zero_padding(cache.mask, dhs)
    W_h_transposed = np.ascontiguousarray(params.W_h.T)  # once a sequence: a product with a transposed view is slower
    down, da_xs, da_hs = tree_zeros_like(params[3:]), [], []
    for step, dh, keep in zip(reversed(cache.steps), dhs[::-1], reversed(_steps(cache.mask, len(dhs)))):
        dstate = dstate._replace(h=dstate.h + dh)  # h_t is an output, and the input of step t + 1
        down_t, da_x, da_h, dprevious = cell.pointwise_backward(params, step, zero_held(keep, dstate))
        dprevious = dprevious._replace(h=dprevious.h + da_h @ W_h_transposed)  # a_h = h_previous @ W_h
        dstate = hold(keep, dprevious, dstate)
        down = tree_add(down, down_t)
        da_xs.append(da_x)
        da_hs.append(da_h)
    da_xs, da_hs = np.stack(da_xs[::-1]), np.stack(da_hs[::-1])
    dparams = type(params)(
        as_rows(cache.xs).T @ as_rows(da_xs),
        as_rows(cache.previous_hs).T @ as_rows(da_hs),
        as_rows(da_xs).sum(axis=0),
        *down,
    )
    return dparams, (as_rows(da_xs) @ params.W_x.T).reshape(cache.xs.shape), dstate


def as_rows(xs):
    """Return a sequence (T, B, N) as T*B rows of N."""
    return xs.reshape(-1, xs.shape[-1])


def _steps(mask, T):
    """Return the mask as a list of T columns (B, 1), or of T times None."""
    return [None] * T if mask is None else list(mask[..., None])


def hold(keep, new, old):
    """Return `new` where keep is True and `old` where it is False; keep None is True everywhere."""
    return new if keep is None else tree_map(lambda n, o: np.where(keep, n, o), new, old)


def zero_held(keep, dstate):
    """Return dstate with zeros where keep is False: what the step itself is told of a state that it did not change."""
    return dstate if keep is None else tree_map(lambda d: np.where(keep, d, 0), dstate)


def zero_padding(mask, hs):
    """Return hs with zeros where the mask is False."""
    return hs if mask is None else np.where(mask[..., None], hs, 0)


def check_sequence(cell, params, xs, state, mask):
    """Return nothing, or refuse what `unroll` cannot run: see its errors."""
    check_fields("params", params, "W_x", "W_h", "b")
    dtype = params.b.dtype
    check_array("W_x", params.W_x, dtype=dtype, D=None, A=len(params.b))
    check_array("W_h", params.W_h, dtype=dtype, H=None, A_h=None)
    check_array("xs", xs, dtype=dtype, T=None, B=None, D=len(params.W_x))
    T, B, _ = xs.shape
    if 0 in (T, B):
        raise ValueError(f"xs: expected at least one step and one sequence, got {xs.shape}")
    check_like("state", state, tree_map(lambda zero: zero.astype(dtype), cell.initial_state(params, B)))
    if mask is not None:
        check_mask(mask, T, B)
    check_finite("xs", xs)
    for path, leaf in tree_paths(state, "state"):
        check_finite(path, leaf)
