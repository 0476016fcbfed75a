"""Truncated backpropagation through time, over any cell: the backward pass of `unroll`, cut after some steps.

Every `stride` steps, go back `window` steps with the losses of the last `stride` of them. This is BPTT(h; h') of
Williams & Peng 1990, with h = window, h' = stride:

    stride = 1                  each loss looks back over its own `window` steps
    stride = window             the sequence in pieces: the state is carried from one to the next, the gradient is cut
    window = T + stride - 1     no truncation: the gradient
"""

import numpy as np

from rnn_tutorial.sequence.fused import (
    fused_unroll_backward as unroll_backward,
)  # takes the caches of both
from rnn_tutorial.tree import tree_add, tree_zeros_like
from rnn_tutorial.validation import check_like, check_positive

__all__ = [
    "truncated_backward",
]


def truncated_backward(cell, params, cache, dhs, *, stride, window):
    """Return (dparams, dxs): the part of the gradient whose paths stay inside the windows.

    A path from step s to the loss of step t, both counted from 1, is inside if s > stop - window, where stop is t
    rounded up to a whole number of strides. cache: what `unroll` or `fused_unroll` returned beside its outputs; dhs:
    (T, B, H), the gradient of the states it returned. Errors: ValueError if stride or window is not a positive whole
    number, or the window is shorter than the stride, which would leave losses out; ValueError or TypeError if dhs does
    not fit.
    """
    check_positive("stride", stride)
    check_positive("window", window)
    if window < stride:
        raise ValueError(f"window: expected at least the stride, {stride}, got {window}")
    check_like("dhs", dhs, cache.previous_hs)
    T = len(dhs)
    dparams, dxs = tree_zeros_like(params), np.zeros_like(cache.xs)
    dlast_state = tree_zeros_like(cache.last)
    for start in range(0, T, stride):
        stop = min(start + stride, T)
        first = max(start + stride - window, 0)
        dhs_seen = np.concatenate([np.zeros_like(dhs[first:start]), dhs[start:stop]])
        piece = cache.part(first, stop)
        dparams_piece, dxs_piece, _ = unroll_backward(cell, params, piece, (dhs_seen, dlast_state))
        dparams = tree_add(dparams, dparams_piece)
        dxs[first:stop] += dxs_piece
    return dparams, dxs
