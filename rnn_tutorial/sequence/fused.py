"""The fast path over time: what `unroll` computes, in less time, for the cells that have a kernel.

All other cells go through `unroll` itself.

The plan is that of `unroll`: one product with all the inputs before the loop, one product in each
step, and one product for each weight gradient after the loop. The layout and the allocations
differ. The gates are contiguous blocks (see `cells/kernels/kernel.py`). Each step works in place,
in buffers, arrays that are made once for the sequence. It makes few calls of NumPy, since each call
has an overhead, a time that it takes for any size. Products and slopes are computed for a few steps
at a time, so that they are still in the processor's cache when the loop needs them.
"""

from collections.abc import Iterable
from itertools import repeat
from typing import Any, NamedTuple

import numpy as np

from rnn_tutorial.cells.cell import Cell
from rnn_tutorial.cells.kernels.kernel import Kernel
from rnn_tutorial.sequence.unroll import (
    UnrollCache,
    as_rows,
    check_sequence,
    check_sizes,
    own_mask,
    unroll,
    unroll_backward,
    zero_padding,
)
from rnn_tutorial.tree import tree_map
from rnn_tutorial.types import Array, Mask
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
    "input_blocks",
    "part",
    "products_backward",
    "segments",
    "slopes_of",
    "states_from",
    "zero_rows",
]

# The size of what is computed for a few steps at once: about the second-level cache of a core.
SEGMENT_BYTES = 2**20


class FusedCache(NamedTuple):
    """What `fused_unroll` keeps for its backward.

    It holds copies, so the caller may change every array that went in or came out.
    """

    kernel: Kernel  # whose values these are
    xs: Array  # (T, B, D)
    values: Any  # the kernel's, with first axis T
    states: Any  # the State of (T + 1, B, H): before the first step, and after each
    last: Any  # the State of (B, H) after the last step
    mask: Mask | None  # (T, B)

    @property
    def previous_hs(self) -> Array:
        """(T, B, H), h before each step."""
        return self.states.h[:-1]

    def part(self, start: int, stop: int) -> "FusedCache":
        """Return the cache of the steps start, ..., stop - 1 alone."""
        some = slice(start, stop)
        values, states = part(self.values, some), part(self.states, slice(start, stop + 1))
        return self._replace(
            xs=self.xs[some],
            values=values,
            states=states,
            mask=None if self.mask is None else self.mask[some],
        )


def fused_unroll(
    cell: Cell, params: Any, xs: Array, state: Any, mask: Mask | None = None
) -> tuple[tuple[Array, Any], FusedCache | UnrollCache]:
    """Return ((hs, last state), cache): what `unroll` returns, to rounding.

    The cache is for `fused_unroll_backward`. A cell without a fast path goes through `unroll`.

    Shapes: those of `unroll`.
    Raises: what `unroll` raises.
    """
    kernel = cell.fast
    if kernel is None:
        return unroll(cell, params, xs, state, mask)
    check_sequence(cell, params, xs, state, mask)
    xs, mask = xs.copy(), own_mask(mask)
    (T, B, _), H, dtype = xs.shape, len(params.W_h), params.b.dtype
    W_x, W_h, b = forward_weights(kernel, params)
    values, work = kernel.values(T, B, H, dtype), kernel.work(params, B)
    states = states_from(state, T)
    previous = tuple(leaf[0] for leaf in states)
    a_h = np.empty((kernel.gates, B, H), dtype)
    with np.errstate(over="ignore"):  # exp(-a) of a closed gate overflows: 1 / infinity is 0
        for some in segments(T, a_h.nbytes):
            a_xs = input_blocks(xs[some], W_x, b)
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


def fused_unroll_backward(
    cell: Cell, params: Any, cache: FusedCache | UnrollCache, doutputs: tuple[Array, Any]
) -> tuple[Any, Array, Any]:
    """Return (dparams, dxs, dfirst_state), the gradients of the arguments of `fused_unroll`.

    doutputs = (dhs, dlast_state) are the gradients of its outputs.

    Shapes: those of `unroll_backward`.
    Raises: what `unroll_backward` raises; TypeError unless the cell has the fast path that made the
    cache.
    """
    if not isinstance(cache, FusedCache):
        return unroll_backward(cell, params, cache, doutputs)
    kernel, (dhs, dlast_state) = cache.kernel, doutputs
    if cell.fast != kernel:
        raise TypeError(f"cell: expected the one whose forward made the cache, got {cell!r}")
    check_sizes(params, cache)
    check_like("dhs", dhs, cache.previous_hs)
    check_like("dlast_state", dlast_state, cache.last)
    (T, B, H), dstate = dhs.shape, tree_map(np.copy, dlast_state)
    dhs = zero_padding(cache.mask, dhs)
    dh, W_h_transposed = dstate.h, backward_weights(kernel, params)
    paths = np.empty((kernel.gates, B, H), dhs.dtype)
    das = np.empty((T, B, kernel.x.stop, H), dhs.dtype)
    for some in reversed(segments(T, kernel.slots * dh.nbytes)):
        slopes = slopes_of(cache, some)
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


def products_backward(
    kernel: Kernel, params: Any, cache: FusedCache, das: Array
) -> tuple[Any, Array]:
    """Return (dparams, dxs) from das, the gradients of the pre-activations of all steps.

    Each weight gradient is one product.

    Shapes: das (T, B, slots, H); dxs (T, B, D).
    """
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


def forward_weights(kernel: Kernel, params: Any) -> tuple[Array, Array, Array]:
    """Return W_x, W_h and b with the columns of the sigmoids negated.

    sigmoid(a) = 1 / (1 + exp(-a)), so exp(-a) needs no pass of its own.

    Shapes: W_x (D, G*H), W_h (G, H, H), b (G, 1, H).
    """
    G, H = kernel.gates, len(params.W_h)
    signs = np.ones(G * H, params.b.dtype)
    signs[: kernel.sigmoids * H] = -1
    W_h = np.ascontiguousarray((params.W_h * signs).reshape(H, G, H).swapaxes(0, 1))
    return params.W_x * signs, W_h, (params.b * signs).reshape(G, 1, H)


def backward_weights(kernel: Kernel, params: Any) -> Array:
    """Return W_h transposed, (G, H, H), one block for each slot of da_h."""
    blocks = np.ascontiguousarray(params.W_h.T).reshape(kernel.gates, len(params.W_h), -1)
    return blocks if kernel.h_gates == tuple(range(kernel.gates)) else blocks[list(kernel.h_gates)]


def states_from(state: Any, T: int) -> Any:
    """Return the State of (T + 1, B, H) that begins with `state`; the others are not yet filled."""
    states = tree_map(lambda first: np.empty((T + 1, *first.shape), first.dtype), state)
    for leaf, first in zip(states, state):
        leaf[0] = first
    return states


def input_blocks(xs: Array, W_x: Array, b: Array) -> Array:
    """Return xs W_x + b for all steps in one product, each gate of a step a contiguous block.

    Shapes: xs (T, B, D), W_x (D, G*H), b (G, 1, H); the result is (T, G, B, H).
    """
    a_xs = by_gate(as_rows(xs) @ W_x, xs.shape[1], len(b))
    return np.add(a_xs, b, np.empty_like(a_xs, order="C"))


def slopes_of(cache: FusedCache, some: slice) -> Array:
    """Return the slopes of the steps `some`, (T, S, B, H); zero where a step is padding."""
    values, states = part(cache.values, some), part(after(cache.states), some)
    slopes = np.empty((len(states.h), cache.kernel.slots, *states.h.shape[1:]), states.h.dtype)
    cache.kernel.slopes(values, part(cache.states, some), states, slopes)
    zero_rows(cache.mask, some, slopes)
    return slopes


def by_gate(a_xs: Array, B: int, G: int) -> Array:
    """Return the rows a_xs (T*B, G*H) as (T, G, B, H), a view."""
    return a_xs.reshape(-1, B, G, a_xs.shape[1] // G).swapaxes(1, 2)


def segments(T: int, step_bytes: int) -> list[slice]:
    """Return slices of a few steps each that make up 0, ..., T - 1; a large step is alone."""
    size = max(1, SEGMENT_BYTES // step_bytes)
    return [slice(start, min(start + size, T)) for start in range(0, T, size)]


def part(sequence: Any, some: slice) -> Any:
    """Return the steps `some` of a NamedTuple of arrays with first axis T."""
    return type(sequence)(*(leaf[some] for leaf in sequence))


def after(states: Any) -> Any:
    """Return the states after each step: all of `states` except that before the first step."""
    return part(states, slice(1, None))


def each(sequence: Any, some: slice) -> Iterable[tuple[Array, ...]]:
    """Return, for each of the steps `some`, the tuple of views of a NamedTuple with first axis T.

    The tuple is () if the NamedTuple has no fields.
    """
    return zip(*part(sequence, some)) if sequence else repeat(())


def held_rows(mask: Mask | None, some: slice) -> Iterable[Mask | None]:
    """Return, for each of the steps `some`, (B, 1), True where the step is padding.

    None stands for a step that is real in every sequence.
    """
    return (
        repeat(None)
        if mask is None
        else [None if real.all() else ~real[:, None] for real in mask[some]]
    )


def hold_rows(held: Mask | None, new: Any, old: Any) -> None:
    """Write the rows of the state `old` over those of `new`, (B, H), where held is True."""
    if held is not None:
        for leaf, before in zip(new, old):
            np.copyto(leaf, before, where=held)


def zero_rows(mask: Mask | None, some: slice, slopes: Array) -> None:
    """Write zeros to the slopes (T, S, B, H) where a step is padding and changed no state."""
    if mask is not None:
        np.copyto(slopes, 0, where=~mask[some][:, None, :, None])
