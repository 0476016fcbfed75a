"""The fast path over time: what `unroll` computes, in less time, for the cells that have a kernel.

All other cells go through `unroll` itself.

    z = [h_previous, 1, x],  a = z @ [W_h; b; W_x]      in the loop: one product a step
    dW_h, db, dW_x                                      after the loop: together one product

Everything that a step reads is one row z of an array for the whole sequence, and each step writes
its h into the z of the next step. So inputs, bias and h come in through one product, whose result
is the pre-activation itself: no array of xs @ W_x has to be made, ordered by gates and added. The
gradient of all the weights is Z^T dA, where Z are the rows z of all steps.

Pre-activations are contiguous blocks (see `cells/kernels/kernel.py`). Each step works in place, in
buffers, arrays that are made once for the sequence. It makes few calls of NumPy, since each call
has an overhead, a time that it takes for any size. A matrix that every step multiplies with is cut
into blocks of columns, each so small that the library need not copy it first. Slopes are computed
for a few steps at a time, so that they are still in the processor's cache when the loop needs them.

A kernel may have a loop over time of its own, for small products (`loop_of`). All others use that
of this file, `numpy_steps` and `numpy_steps_back`.
"""

from collections.abc import Iterable
from itertools import repeat
from typing import Any, NamedTuple

import numpy as np

from rnn_tutorial.cells.cell import Cell
from rnn_tutorial.cells.kernels.kernel import Kernel, Loop
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
    "NUMPY_LOOP",
    "SEGMENT_BYTES",
    "SMALL_PRODUCT",
    "after",
    "numpy_steps_back",
    "backward_weights",
    "cut_columns",
    "each",
    "numpy_steps",
    "forward_weights",
    "fused_unroll",
    "fused_unroll_backward",
    "held_rows",
    "hold_rows",
    "like_columns",
    "loop_of",
    "part",
    "products",
    "products_backward",
    "rows_of",
    "segments",
    "slopes_of",
    "states_in",
    "step_inputs",
    "zero_rows",
]

# The size of what is computed for a few steps at once: about the second-level cache of a core.
SEGMENT_BYTES = 2**20
# OpenBLAS multiplies matrices as they are if it takes at most this many multiplications. It copies
# larger ones first, to places where it can read them faster, and would do so again at every step.
SMALL_PRODUCT = 10**6


class FusedCache(NamedTuple):
    """What `fused_unroll` keeps for its backward.

    It holds copies, so the caller may change every array that went in or came out.
    """

    kernel: Kernel  # whose values these are
    zs: Array  # (T + 1, B, H + 1 + D), [h_previous, 1, x] of each step, and [last h, 1, 0]
    values: Any  # the kernel's, with first axis T
    states: Any  # the State of (T + 1, B, H): before the first step, and after each; its h is in zs
    last: Any  # the State of (B, H) after the last step
    mask: Mask | None  # (T, B)

    @property
    def xs(self) -> Array:
        """(T, B, D)."""
        return self.zs[:-1, :, self.states.h.shape[2] + 1 :]

    @property
    def previous_hs(self) -> Array:
        """(T, B, H), h before each step."""
        return self.states.h[:-1]

    def part(self, start: int, stop: int) -> "FusedCache":
        """Return the cache of the steps start, ..., stop - 1 alone."""
        some, and_next = slice(start, stop), slice(start, stop + 1)
        return self._replace(
            zs=self.zs[and_next],
            values=part(self.values, some),
            states=part(self.states, and_next),
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
    mask = own_mask(mask)
    (T, B, _), H, dtype = xs.shape, len(params.W_h), params.b.dtype
    values, work = kernel.values(T, B, H, dtype), kernel.work(params, B)
    zs = step_inputs(xs, H)
    states, weights = states_in(zs, state), forward_weights(kernel, params)
    loop_of(kernel, zs, H).forward(kernel, work, weights, zs, states, values, mask)
    hs = zero_padding(mask, states.h[1:].copy())
    last = type(state)(*(leaf[-1].copy() for leaf in states))
    return (hs, last), FusedCache(kernel, zs, values, states, last, mask)


def numpy_steps(
    kernel: Kernel,
    work: Any,
    weights: Array,
    zs: Array,
    states: Any,
    values: Any,
    mask: Mask | None,
) -> None:
    """Fill in the states and values of all steps, and with the states the h in zs.

    Shapes: weights (P, H + 1 + D, H), zs (T + 1, B, H + 1 + D).
    """
    a = np.empty((kernel.blocks, *states.h.shape[1:]), zs.dtype)
    previous, every = tuple(leaf[0] for leaf in states), slice(None)
    steps = zip(each(after(states), every), each(values, every), held_rows(mask, every))
    reads, Ws, outs = products(kernel, weights, zs, a)
    with np.errstate(over="ignore"):  # exp(-a) of a closed gate overflows: 1 / infinity is 0
        for parts, (new, step, held) in zip(reads, steps):
            for z, W, out in zip(parts, Ws, outs):
                np.matmul(z, W, out)
            kernel.forward(work, a, previous, new, step)
            hold_rows(held, new, previous)
            previous = new


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
    dhs, dstate = zero_padding(cache.mask, dhs), tree_map(np.copy, dlast_state)
    W_h_transposed = backward_weights(kernel, params)
    loop = loop_of(kernel, cache.zs, dhs.shape[2])
    das = loop.backward(kernel, W_h_transposed, cache, dhs, dstate)
    return *products_backward(kernel, params, cache, das), dstate


def numpy_steps_back(
    kernel: Kernel, W_h_transposed: Array, cache: FusedCache, dhs: Array, dstate: Any
) -> Array:
    """Return das, the gradients of the pre-activations of all steps.

    dstate becomes the gradient of the first state.

    Shapes: W_h_transposed (P_h, H, H), dhs (T, B, H), das (T, B, P, H).
    """
    T, B, H = dhs.shape
    das = np.empty((T, B, kernel.blocks, H), dhs.dtype)
    dh, W_h_transposed = dstate.h, cut_columns(W_h_transposed, B)
    paths = np.empty((len(kernel.h_gates), B, H), dhs.dtype)
    path_columns = like_columns(paths, W_h_transposed)
    for some in reversed(segments(T, kernel.slots * dh.nbytes)):
        slopes = slopes_of(cache, some)
        steps = zip(slopes, each(cache.values, some), dhs[some], held_rows(cache.mask, some))
        for slope, step, dh_t, held in reversed(list(steps)):
            dh += dh_t  # h_t is an output, and the input of step t + 1
            kept = None if held is None else tree_map(np.copy, dstate)
            around = kernel.backward(slope, step, dstate)
            np.matmul(slope[kernel.h, None], W_h_transposed, path_columns)
            np.add.reduce(paths, 0, None, dh)  # h reaches each block: a path for each
            if around is not None:
                dh += around
            hold_rows(held, dstate, kept)
        das[some] = slopes[:, : kernel.blocks].swapaxes(1, 2)
        zero_rows(cache.mask, some, das)
    return das


NUMPY_LOOP = Loop(numpy_steps, numpy_steps_back)


def loop_of(kernel: Kernel, zs: Array, H: int) -> Loop:
    """Return the kernel's own loop over time if the product of a step is small, else NumPy's.

    The product has B (H + 1 + D) P H multiplications.

    Shapes: zs (T + 1, B, H + 1 + D).
    """
    _, B, K = zs.shape
    own = kernel.loop
    return NUMPY_LOOP if own is None or B * K * kernel.blocks * H > own.largest else own


def products_backward(
    kernel: Kernel, params: Any, cache: FusedCache, das: Array
) -> tuple[Any, Array]:
    """Return (dparams, dxs) from das, the gradients of the pre-activations of all steps.

    The gradient of [W_h; b; W_x] is one product for all blocks that read the same: Z^T dA.

    Shapes: das (T, B, P, H); dxs (T, B, D).
    """
    P, H = das.shape[2:]
    das, zs = as_rows(das.reshape(*das.shape[:2], P * H)), as_rows(cache.zs[:-1])
    dW = np.empty((zs.shape[1], P, H), das.dtype)
    for blocks, rows in rows_of(kernel, H):
        da = das[:, blocks.start * H : blocks.stop * H]
        dW[rows, blocks] = (zs[:, rows].T @ da).reshape(-1, blocks.stop - blocks.start, H)
    own = dW[H, : kernel.x.start]
    dparams = params._replace(
        W_x=dW[H + 1 :, kernel.x].reshape(len(params.W_x), -1),
        W_h=dW[:H, kernel.h][:, np.argsort(kernel.h_gates)].reshape(H, -1),
        b=dW[H, kernel.x].ravel(),
        **dict(zip(kernel.own, own)),
    )
    da_xs = das[:, kernel.x.start * H : kernel.x.stop * H]
    W_x_transposed = np.ascontiguousarray(params.W_x.T)
    return dparams, (da_xs @ W_x_transposed).reshape(cache.xs.shape)


def rows_of(kernel: Kernel, H: int) -> list[tuple[slice, slice]]:
    """Return (blocks, rows): which entries of z = [h_previous, 1, x] the blocks read.

    First those that read h alone, then h and x, then x alone; each reads the 1, for its bias.
    """
    x, h = kernel.x, kernel.h
    found = [
        (slice(h.start, x.start), slice(0, H + 1)),
        (slice(x.start, h.stop), slice(0, None)),
        (slice(h.stop, x.stop), slice(H, None)),
    ]
    return [(blocks, rows) for blocks, rows in found if blocks.start < blocks.stop]


def forward_weights(kernel: Kernel, params: Any) -> Array:
    """Return [W_h; b; W_x] of each block, (P, H + 1 + D, H), negated for the sigmoids.

    sigmoid(a) = 1 / (1 + exp(-a)), so exp(-a) needs no pass of its own. Rows that a block does not
    read are zero.
    """
    (D, _), H, dtype = params.W_x.shape, len(params.W_h), params.b.dtype
    weights = np.zeros((kernel.blocks, H + 1 + D, H), dtype)
    W = weights.swapaxes(0, 1)
    W[:H, kernel.h] = params.W_h.reshape(H, -1, H)[:, list(kernel.h_gates)]
    W[H, kernel.x] = params.b.reshape(-1, H)
    W[H + 1 :, kernel.x] = params.W_x.reshape(D, -1, H)
    for block, name in enumerate(kernel.own):
        W[H, block] = getattr(params, name)
    np.negative(W[:, kernel.sigmoids], W[:, kernel.sigmoids])
    return weights


def backward_weights(kernel: Kernel, params: Any) -> Array:
    """Return W_h transposed, (P_h, H, H), one matrix for each block of h."""
    H = len(params.W_h)
    return params.W_h.T.reshape(-1, H, H)[list(kernel.h_gates)]


def products(
    kernel: Kernel, weights: Array, zs: Array, a: Array
) -> tuple[Iterable[tuple[Array, ...]], list[Array], list[Array]]:
    """Return (reads, Ws, outs): the products of a step are z @ W = out, and together fill in a.

    `reads` has a tuple of z for each step, views of zs; `outs` are views of a.

    Shapes: weights (P, H + 1 + D, H), zs (T + 1, B, H + 1 + D), a (P, B, H).
    """
    reads, Ws, outs = [], [], []
    for blocks, rows in rows_of(kernel, a.shape[2]):
        W = cut_columns(weights[blocks, rows], a.shape[1])
        reads.append(zs[:-1, :, rows])
        Ws.append(W)
        outs.append(like_columns(a[blocks], W))
    return zip(*reads), Ws, outs


def cut_columns(matrices: Array, B: int) -> Array:
    """Return the matrices (P, K, H) in n blocks of columns, (P, n, K, H / n), each contiguous.

    n is 1, 2, 4, ..., the first for which the product of B rows with a block takes at most
    SMALL_PRODUCT multiplications, as far as H can be halved.
    """
    P, K, H = matrices.shape
    n = 1
    while B * K * H > n * SMALL_PRODUCT and H % (2 * n) == 0:
        n *= 2
    return np.ascontiguousarray(matrices.reshape(P, K, n, H // n).swapaxes(1, 2))


def like_columns(out: Array, matrices: Array) -> Array:
    """Return a view of out (P, B, H) for products with cut matrices: (P, n, B, H / n)."""
    P, n, _, columns = matrices.shape
    return out.reshape(P, -1, n, columns).swapaxes(1, 2)


def step_inputs(xs: Array, H: int) -> Array:
    """Return zs (T + 1, B, H + 1 + D), [h_previous, 1, x] of each step, in which no h is filled in.

    The last row, which is no step's input, is for the last h.

    Shapes: xs (T, B, D).
    """
    T, B, D = xs.shape
    zs = np.zeros((T + 1, B, H + 1 + D), xs.dtype)
    zs[:, :, H] = 1
    zs[:-1, :, H + 1 :] = xs
    return zs


def states_in(zs: Array, state: Any) -> Any:
    """Return the State of (T + 1, B, H) that begins with `state`; its h is a part of zs.

    All after the first are not yet filled in.
    """
    leaves = {
        name: np.empty((len(zs), *first.shape), first.dtype)
        for name, first in state._asdict().items()
    }
    leaves["h"] = zs[:, :, : state.h.shape[1]]
    for name, first in state._asdict().items():
        leaves[name][0] = first
    return type(state)(**leaves)


def slopes_of(cache: FusedCache, some: slice) -> Array:
    """Return the slopes of the steps `some`, (T, S, B, H)."""
    values, states = part(cache.values, some), part(after(cache.states), some)
    slopes = np.empty((len(states.h), cache.kernel.slots, *states.h.shape[1:]), states.h.dtype)
    cache.kernel.slopes(values, part(cache.states, some), states, slopes)
    return slopes


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


def zero_rows(mask: Mask | None, some: slice, das: Array) -> None:
    """Write zeros to das (T, B, P, H) where one of the steps `some` is padding.

    Such a step changed no state.
    """
    if mask is not None:
        np.copyto(das[some], 0, where=~mask[some][:, :, None, None])
