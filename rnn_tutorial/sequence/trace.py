"""Every intermediate of a sequence by name, forward and backward: for plots and explanations.

`unroll` is for training; the steps here are the same, one at a time.

    traced, caches = trace(LSTM, params, xs, state)
    traced.states.c                         the state after each step
    traced.values.f                         the forget gate at each step; the fields of LSTMValues
    gate_blocks(traced.a_xs, LSTMGates).f   the input's part of the forget gate's pre-activation

    back = trace_backward(LSTM, params, caches, (dhs, dlast_state))
    back.dstates.c                          the gradient of each step's c, without its path through
                                            the h of the same step
    gate_blocks(back.da_xs, LSTMGates).f    the gradient of the forget gate's pre-activation
    lstm_gates_backward(traced.values, back.dstates)[0].f
                                            the gradient of the forget gate, on real steps

All of these are (T, B, H).
"""

from typing import Any, NamedTuple

import numpy as np

from rnn_tutorial.cells.cell import Cell, check_is_cell, check_made_by
from rnn_tutorial.sequence.step import StepCache, affine_backward, unchecked_step
from rnn_tutorial.sequence.unroll import check_sequence, hold, zero_held
from rnn_tutorial.tree import tree_map
from rnn_tutorial.types import Array, Mask, Tree
from rnn_tutorial.validation import check_like

__all__ = [
    "BackwardTrace",
    "Trace",
    "TraceCache",
    "trace",
    "trace_backward",
]


class Trace(NamedTuple):
    """The intermediates of the forward pass, time first."""

    states: Any  # the cell's State of (T, B, H), after each step
    a_xs: Array  # (T, B, A), x @ W_x + b
    a_hs: Array  # (T, B, A), h_previous @ W_h; narrower for a cell whose W_h is
    values: Any  # the cache of the cell, each of its fields with a first axis T


class BackwardTrace(NamedTuple):
    """The intermediates of the backward pass, time first."""

    dstates: Any  # the cell's State of (T, B, H): the gradient of each step's new state
    da_xs: Array  # (T, B, A)
    da_hs: Array  # (T, B, A)


class TraceCache(NamedTuple):
    """What `trace` keeps of a step for `trace_backward`."""

    step: StepCache
    keep: Mask | None  # (B, 1), the mask of the step


def trace(
    cell: Cell, params: Any, xs: Array, state: Any, mask: Mask | None = None
) -> tuple[Trace, list[TraceCache]]:
    """Return (Trace, caches) of running `cell` over xs from `state`.

    The caches are for `trace_backward`. Where the mask is False the state stays what it was, and
    the values are those of a step that was computed and not used.

    Shapes: xs (T, B, D); state: the cell's State of (B, H); mask: None or boolean (T, B).
    Raises: what `unroll` raises.
    """
    check_sequence(cell, params, xs, state, mask)
    states, caches = [], []
    for t, x in enumerate(xs):
        keep = None if mask is None else mask[t][:, None].copy()
        new_state, cache = unchecked_step(cell, params, x, state)
        state = hold(keep, new_state, state)
        states.append(state)
        caches.append(TraceCache(cache, keep))
    previous_hs = np.stack([cache.step.previous.h for cache in caches])
    values = _stack([cache.step.pointwise for cache in caches])
    return Trace(
        _stack(states), xs @ params.W_x + params.b, previous_hs @ params.W_h, values
    ), caches


def trace_backward(
    cell: Cell, params: Any, caches: list[TraceCache], doutputs: tuple[Array, Any]
) -> BackwardTrace:
    """Return BackwardTrace from doutputs = (dhs, dlast_state), the gradients of `unroll`'s outputs.

    The gradient of a state has two parts: the gradient of its step's output, and the gradient that
    comes back from the next step. Where the mask is False, the first is not used, and da_x and da_h
    are zero.

    Shapes: dhs (T, B, H); dlast_state: the cell's State of (B, H).
    Raises: ValueError or TypeError if a gradient does not have the shape of its output, or if the
    parameters have other sizes than those of the trace; TypeError for a cell that is not a Cell, or
    for the caches of another cell.
    """
    check_is_cell(cell)
    check_made_by(cell, caches[0].step.cell)
    cell.check_params(params, caches[0].step.x.shape[1], caches[0].step.state.h.shape[1])
    dhs, dstate = doutputs
    check_like("dhs", dhs, np.stack([cache.step.previous.h for cache in caches]))
    check_like("dlast_state", dstate, caches[-1].step.state)
    dstates, da_xs, da_hs = [], [], []
    for (cache, keep), dh in zip(reversed(caches), dhs[::-1]):
        dstate = dstate._replace(h=dstate.h + (dh if keep is None else np.where(keep, dh, 0)))
        dnew = zero_held(keep, dstate)
        dextra, da_x, da_h, dprevious = cell.pointwise_backward(params, cache.pointwise, dnew)
        _, _, dprevious = affine_backward(params, cache, dextra, da_x, da_h, dprevious)
        dstates.append(dstate)
        da_xs.append(da_x)
        da_hs.append(da_h)
        dstate = hold(keep, dprevious, dstate)
    return BackwardTrace(_stack(dstates[::-1]), np.stack(da_xs[::-1]), np.stack(da_hs[::-1]))


def _stack(trees: list[Any]) -> Tree:
    """Return one tree; the first axis of each leaf runs over `trees`."""
    return tree_map(lambda *leaves: np.stack(leaves), *trees)
