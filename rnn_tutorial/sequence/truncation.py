"""Truncated backpropagation through time: the backward pass of `unroll`, cut after some steps.

Every `stride` steps, go back `window` steps with the losses of the last `stride` of them.

    stride = 1                  each loss looks back over its own `window` steps
    stride = window             the sequence in pieces: the state goes on from each to the next,
                                the gradient is cut
    window = T + stride - 1     no truncation: the gradient

Source: Williams & Peng 1990, BPTT(h; h') with h = window, h' = stride.
"""

from typing import Any

import numpy as np

from rnn_tutorial.cells.cell import Cell
from rnn_tutorial.sequence.fused import FusedCache

# `fused_unroll_backward` takes the caches of both `unroll` and `fused_unroll`.
from rnn_tutorial.sequence.fused import fused_unroll_backward as unroll_backward
from rnn_tutorial.sequence.unroll import UnrollCache
from rnn_tutorial.tree import tree_add, tree_zeros_like
from rnn_tutorial.types import Array
from rnn_tutorial.validation import check_like, check_positive

__all__ = [
    "check_cut",
    "kept_paths",
    "truncated_backward",
]


def kept_paths(T: int, *, stride: int, window: int) -> Array:
    """Return which paths `truncated_backward` keeps, as booleans: [s - 1, k - 1] from s to k.

    A path runs from the use of the parameters at step s to the loss of step k >= s. It is kept if
    s > stop - window, where stop is k rounded up to a whole number of strides.

    Shapes: booleans (T, T), False below the diagonal.
    Raises: ValueError unless T, stride and window are positive whole numbers, and for a window that
    is shorter than the stride.

    Example:
    >>> kept_paths(4, stride=2, window=2).astype(int)
    array([[1, 1, 0, 0],
           [0, 1, 0, 0],
           [0, 0, 1, 1],
           [0, 0, 0, 1]])
    """
    check_positive("T", T)
    check_cut(stride, window)
    s, k = np.arange(1, T + 1)[:, None], np.arange(1, T + 1)
    stop = -(-k // stride) * stride  # -(-k // n) rounds k / n up
    return (s <= k) & (s > stop - window)


def check_cut(stride: int, window: int) -> None:
    """Raise ValueError unless both are positive whole numbers, and window >= stride."""
    check_positive("stride", stride)
    check_positive("window", window)
    if window < stride:
        raise ValueError(f"window: expected at least the stride, {stride}, got {window}")


def truncated_backward(
    cell: Cell,
    params: Any,
    cache: UnrollCache | FusedCache,
    dhs: Array,
    *,
    stride: int,
    window: int,
) -> tuple[Any, Array]:
    """Return (dparams, dxs): the part of the gradient whose paths stay inside the windows.

    A path from step s to the loss of step t, both counted from 1, is inside if s > stop - window,
    where stop is t rounded up to a whole number of strides. cache: the one that `unroll` or
    `fused_unroll` returned; dhs: the gradient of the hs that it returned.

    Shapes: dhs (T, B, H); dxs (T, B, D).
    Raises: ValueError if stride or window is not a positive whole number, or if the window is
    shorter than the stride, which would leave losses out; ValueError or TypeError if dhs does not
    fit.
    """
    check_cut(stride, window)
    check_like("dhs", dhs, cache.previous_hs)
    dparams, dxs = tree_zeros_like(params), np.zeros_like(cache.xs)
    dlast_state = tree_zeros_like(cache.last)
    for start in range(0, len(dhs), stride):
        stop, first = min(start + stride, len(dhs)), max(start + stride - window, 0)
        dhs_seen = np.concatenate([np.zeros_like(dhs[first:start]), dhs[start:stop]])
        piece = cache.part(first, stop)
        dparams_piece, dxs_piece, _ = unroll_backward(cell, params, piece, (dhs_seen, dlast_state))
        dparams = tree_add(dparams, dparams_piece)
        dxs[first:stop] += dxs_piece
    return dparams, dxs
