"""The fast path over time: what `unroll` computes, for the cells that have a kernel, and `unroll` itself for all others.

The plan is that of `unroll`: the product with the inputs before the loop, one product a step, each weight gradient one product
after the loop. What differs is the layout and the allocations. The gates are contiguous blocks (see `cells/kernels/kernel.py`),
each step works in place in arrays that are made once for the sequence, and what is computed for many steps at once is computed
for a few of them at a time, so that it is still in the processor's cache when the loop needs it.
"""

from itertools import repeat
from typing import NamedTuple

import numpy as np
from numpy import ndarray as Array

from rnn_tutorial.cells.kernels.kernel import Kernel
from rnn_tutorial.sequence.unroll import (
    as_rows,
    check_sequence,
    check_sizes,
    own_mask,
    unroll,
    unroll_backward,
    zero_padding,
)
from rnn_tutorial.tree import tree_map
from rnn_tutorial.validation import check_like

__all__ = [
    "FusedCache",
    "SEGMENT_BYTES",
    "after",
    "backward_weights",
    "by_gate",
    "each",
    "forward_weights",
    "fused_unroll",
    "fused_unroll_backward",
    "held_rows",
    "hold_rows",
    "part",
    "products_backward",
    "segments",
    "zero_rows",
]

SEGMENT_BYTES = (
    2**20
)  # of what is computed for a few steps at once: about the second-level cache of a core


class FusedCache(NamedTuple):
    """What `fused_unroll` keeps for its backward: copies, so that the caller may change every array it gave or was given."""

    kernel: Kernel  # whose values these are
    xs: Array  # (T, B, D)
    values: NamedTuple  # the kernel's, with first axis T
    states: NamedTuple  # the State of (T + 1, B, H): before the first step, and after each
    last: NamedTuple  # the State of (B, H) after the last step
    mask: Array | None  # (T, B)

    @property
    def previous_hs(self):
        """(T, B, H), h before each step."""
        return self.states.h[:-1]

    def part(self, start, stop):
        """Return the cache of the steps start, ..., stop - 1 alone."""
        some = slice(start, stop)
        values, states = part(self.values, some), part(self.states, slice(start, stop + 1))
        return self._replace(
            xs=self.xs[some],
            values=values,
            states=states,
            mask=None if self.mask is None else self.mask[some],
        )


def fused_unroll(cell, params, xs, state, mask=None):
    """Return ((hs, last state), cache): what `unroll` returns, to rounding; the cache is for `fused_unroll_backward`.

    Arguments, shapes and errors: those of `unroll`. A cell without a fast path goes through `unroll`.
    """
    kernel = cell.fast
    if kernel is None:
        return unroll(cell, params, xs, state, mask)
    check_sequence(cell, params, xs, state, mask)
    xs, mask = xs.copy(), own_mask(mask)
    (T, B, _), H, dtype = xs.shape, len(params.W_h), params.b.dtype
    W_x, W_h, b = forward_weights(kernel, params)
    values, work = kernel.values(T, B, H, dtype), kernel.work(params, B)
    states = tree_map(lambda first: np.empty((T + 1, B, H), dtype), state)
    previous = tuple(leaf[0] for leaf in states)
    for leaf, first in zip(previous, state):
        leaf[...] = first
    a_h = np.empty((kernel.gates, B, H), dtype)
    with np.errstate(over="ignore"):  # of exp(-a), where a gate is closed: 1 / infinity is 0
        for some in segments(T, a_h.nbytes):
            a_xs = np.empty((len(xs[some]), *a_h.shape), dtype)
            np.add(by_gate(as_rows(xs[some]) @ W_x, B, kernel.gates), b, a_xs)
            for a_x, new, step, held in zip(
                a_xs, each(after(states), some), each(values, some), held_rows(mask, some)
            ):
                np.matmul(previous[0], W_h, a_h)
                kernel.forward(work, a_x, a_h, previous, new, step)
                hold_rows(held, new, previous)
                previous = new
    hs = zero_padding(mask, states.h[1:].copy())
    last = tree_map(np.copy, type(state)(*previous))
    return (hs, last), FusedCache(kernel, xs, values, states, last, mask)


def fused_unroll_backward(cell, params, cache, doutputs):
    """Return (dparams, dxs, dfirst_state) from doutputs = (dhs, dlast_state), the gradients of what `fused_unroll` returned.

    Shapes and errors: those of `unroll_backward`, and TypeError for a cell without the fast path whose forward made the cache.
    """
    if not isinstance(cache, FusedCache):
        return unroll_backward(cell, params, cache, doutputs)
    kernel = cache.kernel
    if cell.fast != kernel:
        raise TypeError(f"cell: expected the one whose forward made the cache, got {cell!r}")
    check_sizes(params, cache)
    dhs, dlast_state = doutputs
    check_like("dhs", dhs, cache.previous_hs)
    check_like("dlast_state", dlast_state, cache.last)
    T, B, H = dhs.shape
    dhs = zero_padding(cache.mask, dhs)
    dstate = tree_map(np.copy, dlast_state)
    dh = dstate.h
    W_h_transposed = backward_weights(kernel, params)
    paths = np.empty((kernel.gates, B, H), dhs.dtype)
    das = np.empty((T, B, kernel.x.stop, H), dhs.dtype)
    for some in reversed(segments(T, kernel.slots * dh.nbytes)):
        slopes = np.empty((len(dhs[some]), kernel.slots, B, H), dhs.dtype)
        kernel.slopes(
            part(cache.values, some),
            part(cache.states, some),
            part(after(cache.states), some),
            slopes,
        )
        zero_rows(cache.mask, some, slopes)
        steps = zip(slopes, each(cache.values, some), dhs[some], held_rows(cache.mask, some))
        for slope, step, dh_t, held in reversed(list(steps)):
            dh += dh_t  # h_t is an output, and the input of step t + 1
            kept = None if held is None else tree_map(np.copy, dstate)
            around = kernel.backward(slope, step, dstate)
            np.matmul(slope[kernel.h], W_h_transposed, paths)
            np.add.reduce(paths, 0, None, dh)  # h reaches each gate: a path for each
            if around is not None:
                dh += around
            hold_rows(held, dstate, kept)
        das[some] = slopes[:, : kernel.x.stop].swapaxes(1, 2)
    return *products_backward(kernel, params, cache, das), dstate


def products_backward(kernel, params, cache, das):
    """Return (dparams, dxs) from das (T, B, slots, H), the gradients of the pre-activations of all steps: one product each."""
    H = das.shape[-1]
    das = as_rows(das.reshape(*das.shape[:2], -1))
    da_xs, da_hs = (das[:, place.start * H : place.stop * H] for place in (kernel.x, kernel.h))
    sums = (np.ones(len(das), das.dtype) @ das).reshape(-1, H)
    dW_h = (as_rows(cache.previous_hs).T @ da_hs).reshape(H, kernel.gates, H)
    dparams = params._replace(
        W_x=as_rows(cache.xs).T @ da_xs,
        W_h=dW_h[:, np.argsort(kernel.h_gates)].reshape(H, -1),
        b=sums[kernel.x].ravel(),
        **kernel.extra(sums),
    )
    return dparams, (da_xs @ params.W_x.T).reshape(cache.xs.shape)


def forward_weights(kernel, params):
    """Return W_x (D, G*H), W_h (G, H, H), b (G, 1, H), those of the sigmoids negated: sigmoid(a) = 1 / (1 + exp(-a))."""
    G, H = kernel.gates, len(params.W_h)
    signs = np.ones(G * H, params.b.dtype)
    signs[: kernel.sigmoids * H] = -1
    W_h = np.ascontiguousarray((params.W_h * signs).reshape(H, G, H).swapaxes(0, 1))
    return params.W_x * signs, W_h, (params.b * signs).reshape(G, 1, H)


def backward_weights(kernel, params):
    """Return W_h transposed, (G, H, H), a block for each slot of da_h."""
    blocks = np.ascontiguousarray(params.W_h.T).reshape(kernel.gates, len(params.W_h), -1)
    return blocks if kernel.h_gates == tuple(range(kernel.gates)) else blocks[list(kernel.h_gates)]


def by_gate(a_xs, B, G):
    """Return the rows a_xs (T*B, G*H) as (T, G, B, H), a view."""
    return a_xs.reshape(-1, B, G, a_xs.shape[1] // G).swapaxes(1, 2)


def segments(T, step_bytes):
    """Return the slices of a few steps each that make up 0, ..., T - 1; a step that is large goes alone."""
    size = max(1, SEGMENT_BYTES // step_bytes)
    return [slice(start, min(start + size, T)) for start in range(0, T, size)]


def part(sequence, some):
    """Return the steps `some` of a NamedTuple of arrays with first axis T."""
    return type(sequence)(*(leaf[some] for leaf in sequence))


def after(states):
    """Return the states after each step, from those before the first and after each."""
    return part(states, slice(1, None))


def each(sequence, some):
    """Return the steps `some` of a NamedTuple of arrays with first axis T, one tuple of views a step; () if it has no fields."""
    return zip(*part(sequence, some)) if sequence else repeat(())


def held_rows(mask, some):
    """Return, for each of the steps `some`, None, or (B, 1), True at the sequences that this step does not reach."""
    return (
        repeat(None)
        if mask is None
        else [None if real.all() else ~real[:, None] for real in mask[some]]
    )


def hold_rows(held, new, old):
    """Write `old` over `new`, the arrays (B, H) of two states, in the rows where held is True."""
    if held is not None:
        for leaf, before in zip(new, old):
            np.copyto(leaf, before, where=held)


def zero_rows(mask, some, slopes):
    """Write zeros to the slopes (T, S, B, H) of steps that do not reach a sequence: they did nothing to it."""
    if mask is not None:
        np.copyto(slopes, 0, where=~mask[some][:, None, :, None])
