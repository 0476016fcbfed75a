"""Any cell over time, forward and backward: the path that all training uses.

    a_xs = xs @ W_x + b                                      before the loop: one product
    for every step:  state = pointwise(a_x, h @ W_h, state)  in the loop: one product a step
    dW_x, dW_h, db, dxs                                      after the loop: one product each

The last line is the sum over time, written as a matrix product: sum over t of x_t^T da_t = X^T dA,
with the T steps of B rows stacked into T*B rows. Chapter 03 derives it.
"""

from typing import Any, NamedTuple

import numpy as np

from rnn_tutorial.cells.cell import Cell, check_is_cell, check_made_by
from rnn_tutorial.sequence.step import check_state, copied
from rnn_tutorial.tree import tree_add, tree_map
from rnn_tutorial.types import Array, Mask
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
    """What `unroll` keeps for its backward.

    It holds copies, so the caller may change every array that went in or came out.
    """

    cell: Cell
    xs: Array  # (T, B, D)
    previous_hs: Array  # (T, B, H), h before each step
    steps: list[Any]  # one cache of the cell for each step
    last: Any  # the state after the last step
    mask: Mask | None  # (T, B)

    def part(self, start: int, stop: int) -> "UnrollCache":
        """Return the cache of the steps start, ..., stop - 1 alone."""
        some = slice(start, stop)
        mask = None if self.mask is None else self.mask[some]
        return self._replace(
            xs=self.xs[some], previous_hs=self.previous_hs[some], steps=self.steps[some], mask=mask
        )


def unroll(
    cell: Cell, params: Any, xs: Array, state: Any, mask: Mask | None = None
) -> tuple[tuple[Array, Any], UnrollCache]:
    """Return ((hs, last state), cache) of running `cell` over the sequence xs from `state`.

    Where the mask is False, the state stays what it was and the output is zero. So the last state
    of each sequence is the one after its own last real step. (PyTorch packs a ragged batch instead:
    see `packing.py`.) The cache holds copies: you may change
    xs, the states and the mask before the backward.

    Shapes: xs (T, B, D); hs (T, B, H); state: the cell's State of (B, H); mask: None, or boolean
    (T, B), True on real steps.
    Raises: TypeError for a cell that is not a Cell; ValueError or TypeError for a wrong rank, size
    or dtype, for a mask that is not boolean, and for a state or xs (padding included) that are not
    finite.
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


def unroll_backward(
    cell: Cell, params: Any, cache: UnrollCache, doutputs: tuple[Array, Any]
) -> tuple[Any, Array, Any]:
    """Return (dparams, dxs, dfirst_state), the gradients of the arguments of `unroll`.

    doutputs = (dhs, dlast_state) are the gradients of its outputs. Where the mask is False, dhs is
    not used and the gradient of the state passes unchanged.

    Shapes: dhs (T, B, H); dlast_state: the cell's State of (B, H).
    Raises: ValueError or TypeError if a gradient does not have the shape of its output; TypeError
    for a cell that is not a Cell, or for another cache.
    """
    check_is_cell(cell)
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
    dextra = {name: np.zeros_like(getattr(params, name)) for name in cell.extra}
    da_x_steps, da_h_steps = [], []
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
        da_x_steps.append(da_x)
        da_h_steps.append(da_h)
    da_xs, da_hs = np.stack(da_x_steps[::-1]), np.stack(da_h_steps[::-1])
    dparams = params._replace(
        W_x=as_rows(cache.xs).T @ as_rows(da_xs),
        W_h=as_rows(cache.previous_hs).T @ as_rows(da_hs),
        b=as_rows(da_xs).sum(axis=0),
        **dextra,
    )
    return dparams, (as_rows(da_xs) @ params.W_x.T).reshape(cache.xs.shape), dstate


def as_rows(xs: Array) -> Array:
    """Return a sequence (T, B, N) as T*B rows of N; N may be 0."""
    return xs.reshape(xs.shape[0] * xs.shape[1], xs.shape[2])


def _steps(mask: Mask | None, T: int) -> list[Any]:
    """Return the mask as a list of T columns (B, 1), or of T times None."""
    return [None] * T if mask is None else list(mask[..., None])


def hold(keep: Mask | None, new: Any, old: Any) -> Any:
    """Return the state `new` where keep (B, 1) is True and `old` where it is False.

    A keep of None means True everywhere.
    """
    return new if keep is None else tree_map(lambda n, o: np.where(keep, n, o), new, old)


def zero_held(keep: Mask | None, dstate: Any) -> Any:
    """Return dstate with zeros where keep is False.

    There the step did not compute the state, so the step gets no gradient.
    """
    return dstate if keep is None else tree_map(lambda d: np.where(keep, d, 0), dstate)


def zero_padding(mask: Mask | None, hs: Array) -> Array:
    """Return hs with zeros where the mask is False."""
    return hs if mask is None else np.where(mask[..., None], hs, 0)


def own_mask(mask: Mask | None) -> Mask | None:
    """Return a copy of the mask, or None."""
    return None if mask is None else mask.copy()


def check_sequence(cell: Cell, params: Any, xs: Array, state: Any, mask: Mask | None) -> None:
    """Raise ValueError or TypeError for arguments that `unroll` cannot run."""
    check_is_cell(cell)
    cell.check_params(params)
    check_array("xs", xs, dtype=params.b.dtype, T=None, B=None, D=len(params.W_x))
    T, B, _ = xs.shape
    if 0 in (T, B):
        raise ValueError(f"xs: expected at least one step and one sequence, got {xs.shape}")
    if mask is not None:
        check_mask(mask, T, B)
    check_finite("xs", xs)
    check_state(cell, params, state, B)


def check_cache(cache: Any, Kind: type) -> None:
    """Raise TypeError unless `cache` is of the type that the forward returns."""
    if not isinstance(cache, Kind):
        raise TypeError(
            f"cache: expected the {Kind.__name__} that the forward returned, "
            f"got {type(cache).__name__}"
        )


def check_sizes(params: Any, cache: Any) -> None:
    """Raise ValueError unless the parameters have the sizes (D, H) that the cache was made with."""
    want = cache.xs.shape[2], cache.previous_hs.shape[2]
    if (len(params.W_x), len(params.W_h)) != want:
        got = f"(D, H) = {len(params.W_x), len(params.W_h)}"
        raise ValueError(
            f"params: expected those of the forward that made the cache, (D, H) = {want}, got {got}"
        )
