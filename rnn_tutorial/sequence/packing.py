"""Packed sequences: the real steps of a ragged batch without its padding, and the loop over them.

    xs (T, B, D), mask (T, B)         data: the first steps of all sequences, then the second steps,
                                      ..., the longest sequence first
    batch_sizes = mask.sum(axis=1)    how many sequences have a step t
    order                             which sequence is in which place

The longest sequence comes first, so the sequences that have a step t are the first batch_sizes[t].
The loop runs over this many rows, and the batch shrinks from step to step: a step costs what its
real rows cost. The masked loop of `unroll` computes the padding too, and does not use it.

This is `pack_padded_sequence` of PyTorch, whose PackedSequence has the same data, the same
batch_sizes, and our `order` as `sorted_indices`. Its enforce_sorted=True refuses a batch that is
not sorted by length, and needs no order; here such a batch has the order 0, ..., B - 1.

    packed = pack(xs, mask)
    (packed_hs, last), cache = packed_unroll(cell, params, packed, state)
    hs = unpack(packed_hs)[0]                         what `unroll` returns for xs and the mask

The backward of `pack` is `unpack`, and that of `unpack` is `pack`: the numbers are only moved.

Source: torch.nn.utils.rnn of PyTorch's documentation.
"""

from typing import Any, NamedTuple

import numpy as np

from rnn_tutorial.cells.cell import Cell, check_is_cell, check_made_by
from rnn_tutorial.sequence.step import check_state, copied
from rnn_tutorial.tree import tree_add, tree_map
from rnn_tutorial.types import Array, Mask
from rnn_tutorial.validation import (
    check_array,
    check_finite,
    check_kind,
    check_like,
    check_mask,
    check_positive,
    describe,
    is_array,
)

__all__ = [
    "Packed",
    "PackedCache",
    "check_packed",
    "pack",
    "packed_unroll",
    "packed_unroll_backward",
    "step_slices",
    "take_rows",
    "unpack",
]


class Packed(NamedTuple):
    """A ragged batch without padding: `data` has as many rows as there are real steps.

    Packed(data=[1, 3, 2, 4, 5], batch_sizes=[2, 2, 1], order=[1, 0]) are two sequences: number 1,
    the longer one, is 1, 2, 5, and number 0 is 3, 4.
    """

    data: Array  # (N, ...), step after step, in each step the longest sequence first
    batch_sizes: Array  # (T,), how many sequences have a step t
    order: Array  # (B,), the number of each sequence, the longest first


class PackedCache(NamedTuple):
    """What `packed_unroll` keeps for its backward, in the order of `packed`."""

    cell: Cell
    packed: Packed
    previous_hs: Array  # (N, H), h before each step
    steps: list[Any]  # one cache of the cell for each step
    last: Any  # the last state, in the order of the caller; only its shapes are read


def pack(xs: Array, mask: Mask) -> Packed:
    """Return the Packed of the real steps of xs: xs[:, order][mask[:, order]], step after step.

    Sequences of one length keep their order, which PyTorch does not promise. Targets and gradients
    of outputs are packed the same way. The arrays are copies.

    Shapes: xs (T, B, ...), mask (T, B); data (N, ...), where N is the number of real steps.

    Raises: ValueError for a sequence without a real step, or a real step that comes after padding,
    naming the sequence; ValueError or TypeError for an xs or a mask of another shape or type.

    Example:
    >>> xs, mask = np.array([[3, 1], [4, 2], [0, 5]]), np.array([[1, 1], [1, 1], [0, 1]], bool)
    >>> pack(xs, mask)
    Packed(data=array([1, 3, 2, 4, 5]), batch_sizes=array([2, 2, 1]), order=array([1, 0]))
    """
    if not is_array(xs) or xs.ndim < 2:
        got = f"{describe(xs)} of shape {np.shape(xs)}"
        raise ValueError(f"xs: expected a NumPy array of shape (T, B, ...), got {got}")
    check_mask(mask, *xs.shape[:2])
    _check_real_steps_first(mask)
    order = np.argsort(-mask.sum(axis=0), kind="stable")
    batch_sizes = mask.sum(axis=1)
    return Packed(xs[:, order][mask[:, order]], batch_sizes[batch_sizes > 0], order)


def unpack(packed: Packed, T: int | None = None) -> tuple[Array, Mask]:
    """Return (xs, mask), the padded batch: the sequences in their own order, zeros on padding.

    T: the number of steps of xs, as total_length in PyTorch's `pad_packed_sequence`; that of the
    longest sequence if it is not given.

    Shapes: xs (T, B, ...), mask (T, B).

    Raises: ValueError or TypeError for a packed that does not fit together, or a T below the length
    of the longest sequence.
    """
    check_packed(packed)
    data, batch_sizes, order = packed
    steps = len(batch_sizes) if T is None else check_positive("T", T)
    if steps < len(batch_sizes):
        raise ValueError(f"T: expected at least {len(batch_sizes)}, the longest length, got {T}")
    mask = np.zeros((steps, len(order)), bool)
    mask[: len(batch_sizes)] = np.arange(len(order)) < batch_sizes[:, None]
    xs = np.zeros((*mask.shape, *data.shape[1:]), data.dtype)
    xs[mask] = data
    places = np.argsort(order)  # where each sequence is
    return xs[:, places], mask[:, places]


def packed_unroll(
    cell: Cell, params: Any, packed: Packed, state: Any
) -> tuple[tuple[Packed, Any], PackedCache]:
    """Return ((packed hs, last state), cache): what `unroll` computes, over the real steps alone.

    A sequence that has ended leaves the batch, and its state is its last one. `state` and the last
    state have the order of the caller, as in PyTorch with enforce_sorted=False. The cache holds
    copies.

    Shapes: data (N, D) and (N, H); state: the cell's State of (B, H).

    Raises: ValueError or TypeError for arguments that do not fit the cell or each other, as in
    `unroll`.
    """
    check_is_cell(cell)
    cell.check_params(params)
    check_packed(packed)
    check_array("packed.data", packed.data, dtype=params.b.dtype, N=None, D=len(params.W_x))
    check_finite("packed.data", packed.data)
    check_state(cell, params, state, len(packed.order))
    packed = Packed(*map(copied, packed))
    a_xs = packed.data @ params.W_x + params.b
    running = take_rows(state, packed.order)
    ended, previous_hs, hs, caches = [], [], [], []
    for some in step_slices(packed):
        n = some.stop - some.start
        ended.append(take_rows(running, slice(n, None)))  # those whose last step was the one before
        running = take_rows(running, slice(n))
        previous_hs.append(running.h)
        running, cache = cell.pointwise(params, a_xs[some], running.h @ params.W_h, running)
        hs.append(running.h)
        caches.append(cache)
    last = take_rows(_join(running, *ended[::-1]), np.argsort(packed.order))
    kept = PackedCache(cell, packed, np.concatenate(previous_hs), caches, last)
    return (packed._replace(data=np.concatenate(hs)), last), kept


def packed_unroll_backward(
    cell: Cell, params: Any, cache: PackedCache, doutputs: tuple[Packed, Any]
) -> tuple[Any, Packed, Any]:
    """Return (dparams, packed dxs, dfirst_state), the gradients of what `packed_unroll` was given.

    doutputs = (packed dhs, dlast_state). The batch that shrinks on the way forward grows on the way
    back: a sequence joins at its last step, with the gradient of its last state.

    Shapes: data (N, H) and (N, D); dlast_state: the cell's State of (B, H).

    Raises: ValueError or TypeError if a gradient does not have the shape of its output; TypeError
    for a cell that is not a Cell, or for another cache.
    """
    check_is_cell(cell)
    check_kind("cache", cache, PackedCache)
    check_made_by(cell, cache.cell)
    packed = cache.packed
    cell.check_params(params, packed.data.shape[1], cache.previous_hs.shape[1])
    dhs, dlast_state = doutputs
    check_kind("dhs", dhs, Packed)
    check_like("dhs", dhs, packed._replace(data=cache.previous_hs))
    if any((got != want).any() for got, want in zip(dhs[1:], packed[1:])):
        raise ValueError("dhs: expected the batch_sizes and the order of the hs, got others")
    check_like("dlast_state", dlast_state, cache.last)
    dlast = take_rows(dlast_state, packed.order)
    dstate = take_rows(dlast, slice(0))  # no sequence yet
    dextra = {name: np.zeros_like(getattr(params, name)) for name in cell.extra}
    da_x_steps, da_h_steps = [], []
    for some, step in reversed(list(zip(step_slices(packed), cache.steps))):
        n = some.stop - some.start
        dstate = _join(dstate, take_rows(dlast, slice(len(dstate.h), n)))
        dstate = dstate._replace(h=dstate.h + dhs.data[some])
        dextra_t, da_x, da_h, dprevious = cell.pointwise_backward(params, step, dstate)
        dstate = dprevious._replace(h=dprevious.h + da_h @ params.W_h.T)
        dextra = tree_add(dextra, dextra_t)
        da_x_steps.append(da_x)
        da_h_steps.append(da_h)
    da_xs, da_hs = np.concatenate(da_x_steps[::-1]), np.concatenate(da_h_steps[::-1])
    dparams = params._replace(
        W_x=packed.data.T @ da_xs, W_h=cache.previous_hs.T @ da_hs, b=da_xs.sum(axis=0), **dextra
    )
    dxs = packed._replace(data=da_xs @ params.W_x.T)
    return dparams, dxs, take_rows(dstate, np.argsort(packed.order))


def take_rows(state: Any, places: Any) -> Any:
    """Return the rows `places` of every array of a state; with an order, the state in that order.

    The backward of take_rows(state, order) is take_rows(dstate, np.argsort(order)).
    """
    return tree_map(lambda leaf: leaf[places], state)


def step_slices(packed: Packed) -> list[slice]:
    """Return the slice of `data` that each step has.

    Example:
    >>> step_slices(Packed(data=np.zeros(5), batch_sizes=np.array([2, 2, 1]), order=np.arange(2)))
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    stops = np.cumsum(packed.batch_sizes).tolist()
    return [slice(start, stop) for start, stop in zip([0, *stops], stops)]


def check_packed(packed: Packed) -> None:
    """Raise ValueError or TypeError unless the three arrays of a Packed fit each other."""
    check_kind("packed", packed, Packed)
    data, batch_sizes, order = packed
    for name, array in ("batch_sizes", batch_sizes), ("order", order):
        check_array(f"packed.{name}", array, N=None)
        if array.dtype.kind not in "iu" or len(array) == 0:
            got = f"{describe(array)} of shape {array.shape}"
            raise TypeError(f"packed.{name}: expected at least one whole number, got {got}")
    if not np.array_equal(np.sort(order), np.arange(len(order))):
        raise ValueError(
            f"packed.order: expected each of 0..{len(order) - 1} once, got {order.tolist()}"
        )
    if batch_sizes[0] != len(order) or (np.diff(batch_sizes) > 0).any() or batch_sizes[-1] < 1:
        raise ValueError(
            f"packed.batch_sizes: expected {len(order)}, the number of sequences, then numbers "
            f"that never grow, none of them 0, got {batch_sizes.tolist()}"
        )
    if not is_array(data) or data.ndim == 0 or len(data) != batch_sizes.sum():
        got = f"{describe(data)} of shape {np.shape(data)}"
        raise ValueError(
            f"packed.data: expected {batch_sizes.sum()} rows, the sum of batch_sizes, got {got}"
        )


def _join(*states: Any) -> Any:
    """Return one state with the rows of all."""
    return tree_map(lambda *leaves: np.concatenate(leaves), *states)


def _check_real_steps_first(mask: Mask) -> None:
    """Raise ValueError unless every sequence has real steps, and they come before its padding."""
    lengths = mask.sum(axis=0)
    if mask.size == 0 or (lengths == 0).any():
        got = f"none in sequence {int(lengths.argmin())}" if mask.size else f"shape {mask.shape}"
        raise ValueError(f"mask: expected a real step in every sequence, got {got}")
    late = mask & (np.arange(len(mask))[:, None] >= lengths)
    if late.any():
        b = int(late.any(axis=0).argmax())
        t = int(late[:, b].argmax())
        raise ValueError(
            "mask: expected the real steps of each sequence first, then its padding, "
            f"got a real step {t} after padding in sequence {b}"
        )
