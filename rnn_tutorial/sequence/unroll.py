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

from rnn_tutorial.cells.cell import Cell, check_made_by
from rnn_tutorial.sequence.step import check_state, copied
from rnn_tutorial.tree import tree_add, tree_map
from rnn_tutorial.validation import check_array, check_finite, check_like, check_mask

__all__ = [
    "UnrollCache",
    "as_rows",
    "check_cache",
    "check_sequence",
    "check_sizes",
    "hold",
    "own_mask",
    "unroll",
    "unroll_backward",
    "zero_held",
    "zero_padding",
]


class UnrollCache(NamedTuple):
    """What `unroll` keeps for its backward: copies, so that the caller may change every array it gave or was given."""

    cell: Cell
    xs: Array  # (T, B, D)
    previous_hs: Array  # (T, B, H), h before each step
    steps: list  # one cache of the cell a step
    last: NamedTuple  # the state after the last step
    mask: Array | None  # (T, B)

    def part(self, start, stop):
        """Return the cache of the steps start, ..., stop - 1 alone."""
        some = slice(start, stop)
        mask = None if self.mask is None else self.mask[some]
        return self._replace(
            xs=self.xs[some], previous_hs=self.previous_hs[some], steps=self.steps[some], mask=mask
        )


def unroll(cell, params, xs, state, mask=None):
    """Return ((hs, last state), cache) of running `cell` over the sequence xs from `state`.

    xs: (T, B, D); hs: (T, B, H); state: the cell's State of (B, H); mask: None, or boolean (T, B), True on real steps.
    Where the mask is False the state stays what it was and the output is zero, so the last state is each
    sequence's own. The cache holds copies: xs, the states and the mask may be changed before the backward.

    Raises: ValueError or TypeError for a wrong rank, size or dtype, a mask that is not boolean, or xs (padding included)
    or a state that are not finite.
    """
    check_sequence(cell, params, xs, state, mask)
    xs, mask, state = xs.copy(), own_mask(mask), tree_map(copied, state)
    a_xs = as_rows(xs) @ params.W_x + params.b
    previous_hs, hs, caches = [], [], []
    for a_x, keep in zip(a_xs.reshape(*xs.shape[:2], -1), _steps(mask, len(xs))):
        new_state, cache = cell.pointwise(params, a_x, state.h @ params.W_h, state)
        previous_hs.append(state.h)
        state = hold(keep, new_state, state)
        hs.append(state.h)
        caches.append(cache)
    last = tree_map(copied, state)
    return (zero_padding(mask, np.stack(hs)), last), UnrollCache(
        cell, xs, np.stack(previous_hs), caches, state, mask
    )


def unroll_backward(cell, params, cache, doutputs):
    """Return (dparams, dxs, dfirst_state) from doutputs = (dhs, dlast_state), the gradients of what `unroll` returned.

    dhs: (T, B, H); dlast_state: the cell's State of (B, H). Where the mask is False, dhs is not used and the gradient
    of the state passes unchanged.

    Raises: ValueError or TypeError if a gradient does not fit what it is the gradient of, TypeError for another cache.
    """
    check_cache(cache, UnrollCache)
    check_made_by(cell, cache.cell)
    check_sizes(params, cache)
    dhs, dstate = doutputs
    check_like("dhs", dhs, cache.previous_hs)
    check_like("dlast_state", dstate, cache.last)
    dhs = zero_padding(cache.mask, dhs)
    W_h_transposed = np.ascontiguousarray(
        params.W_h.T
    )  # once a sequence: a product with a transposed view is slower
    dextra, da_xs, da_hs = (
        {name: np.zeros_like(getattr(params, name)) for name in cell.extra},
        [],
        [],
    )
    for step, dh, keep in zip(
        reversed(cache.steps), dhs[::-1], reversed(_steps(cache.mask, len(dhs)))
    ):
        dstate = dstate._replace(h=dstate.h + dh)  # h_t is an output, and the input of step t + 1
        dextra_t, da_x, da_h, dprevious = cell.pointwise_backward(
            params, step, zero_held(keep, dstate)
        )
        dprevious = dprevious._replace(
            h=dprevious.h + da_h @ W_h_transposed
        )  # a_h = h_previous @ W_h
        dstate = hold(keep, dprevious, dstate)
        dextra = tree_add(dextra, dextra_t)
        da_xs.append(da_x)
        da_hs.append(da_h)
    da_xs, da_hs = np.stack(da_xs[::-1]), np.stack(da_hs[::-1])
    dparams = params._replace(
        W_x=as_rows(cache.xs).T @ as_rows(da_xs),
        W_h=as_rows(cache.previous_hs).T @ as_rows(da_hs),
        b=as_rows(da_xs).sum(axis=0),
        **dextra,
    )
    return dparams, (as_rows(da_xs) @ params.W_x.T).reshape(cache.xs.shape), dstate


def as_rows(xs):
    """Return a sequence (T, B, N) as T*B rows of N; N may be 0."""
    return xs.reshape(xs.shape[0] * xs.shape[1], xs.shape[2])


def _steps(mask, T):
    """Return the mask as a list of T columns (B, 1), or of T times None."""
    return [None] * T if mask is None else list(mask[..., None])


def hold(keep, new, old):
    """Return `new` where keep is True and `old` where it is False; keep None is True everywhere."""
    return new if keep is None else tree_map(lambda n, o: np.where(keep, n, o), new, old)


def zero_held(keep, dstate):
    """Return dstate with zeros where keep is False: the step did not make the state there, so it gets no gradient."""
    return dstate if keep is None else tree_map(lambda d: np.where(keep, d, 0), dstate)


def zero_padding(mask, hs):
    """Return hs with zeros where the mask is False."""
    return hs if mask is None else np.where(mask[..., None], hs, 0)


def own_mask(mask):
    """Return a copy of the mask, or None."""
    return None if mask is None else mask.copy()


def check_sequence(cell, params, xs, state, mask):
    """Raise ValueError or TypeError for anything that `unroll` cannot run."""
    cell.check_params(params)
    check_array("xs", xs, dtype=params.b.dtype, T=None, B=None, D=len(params.W_x))
    T, B, _ = xs.shape
    if 0 in (T, B):
        raise ValueError(f"xs: expected at least one step and one sequence, got {xs.shape}")
    if mask is not None:
        check_mask(mask, T, B)
    check_finite("xs", xs)
    check_state(cell, params, state, B)


def check_cache(cache, Kind):
    """Raise TypeError unless `cache` is one of the kind that the forward makes."""
    if not isinstance(cache, Kind):
        raise TypeError(
            f"cache: expected the {Kind.__name__} that the forward returned, got {type(cache).__name__}"
        )


def check_sizes(params, cache):
    """Raise ValueError unless the parameters have the sizes of those of the forward that made the cache."""
    want = cache.xs.shape[2], cache.previous_hs.shape[2]
    if (len(params.W_x), len(params.W_h)) != want:
        got = f"(D, H) = {len(params.W_x), len(params.W_h)}"
        raise ValueError(
            f"params: expected those of the forward that made the cache, (D, H) = {want}, got {got}"
        )
