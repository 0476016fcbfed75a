"""Every intermediate of a sequence by name, forward and backward: for looking, where `unroll` is for training.

    traced, caches = trace(LSTM, params, xs, state)
    traced.states.c                               (T, B, H), the state after each step
    traced.values.f                               (T, B, H), the forget gate at each step: the fields are those of LSTMValues
    gate_blocks(traced.a_xs, LSTMGates).f         (T, B, H), what the input says to the forget gate

    back = trace_backward(LSTM, params, caches, (dhs, dlast_state))
    back.dstates.c                                (T, B, H), the gradient of each step's c, but for its path through its own h
    gate_blocks(back.da_xs, LSTMGates).f          (T, B, H), the gradient of the forget gate's pre-activation
    lstm_gates_backward(traced.values, back.dstates)[0].f     (T, B, H), the gradient of the forget gate, on real steps

The steps are those of `unroll`, one at a time, so what is traced is what trains.
"""

from typing import NamedTuple

import numpy as np
from numpy import ndarray as Array

from rnn_tutorial.cells.cell import check_made_by
from rnn_tutorial.sequence.step import products_backward, step
from rnn_tutorial.sequence.unroll import check_sequence, hold, zero_held
from rnn_tutorial.tree import tree_map
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

    states: NamedTuple  # the cell's State of (T, B, H), after each step
    a_xs: Array  # (T, B, A), x @ W_x + b
    a_hs: Array  # (T, B, A), h_previous @ W_h; narrower for a cell whose W_h is
    values: NamedTuple  # the cache of the cell, each of its fields with a first axis T


class BackwardTrace(NamedTuple):
    """The intermediates of the backward pass, time first."""

    dstates: NamedTuple  # the cell's State of (T, B, H): what each step's backward is given for its new state
    da_xs: Array  # (T, B, A)
    da_hs: Array  # (T, B, A)


class TraceCache(NamedTuple):
    """What `trace` keeps of a step for `trace_backward`."""

    step: NamedTuple  # the StepCache
    keep: Array | None  # (B, 1), the mask of the step


def trace(cell, params, xs, state, mask=None):
    """Return (Trace, caches) of running `cell` over xs from `state`; the caches are for `trace_backward`.

    Where the mask is False the state stays what it was, and the values are those of a step that was computed and not used.

    Shapes: xs (T, B, D); state: the cell's State of (B, H); mask: None or boolean (T, B).
    Raises: as `unroll`.
    """
    check_sequence(cell, params, xs, state, mask)
    states, caches = [], []
    for t, x in enumerate(xs):
        keep = None if mask is None else mask[t][:, None].copy()
        new_state, cache = step(cell, params, x, state)
        state = hold(keep, new_state, state)
        states.append(state)
        caches.append(TraceCache(cache, keep))
    previous_hs = np.stack([cache.step.previous.h for cache in caches])
    values = _stack([cache.step.pointwise for cache in caches])
    return Trace(
        _stack(states), xs @ params.W_x + params.b, previous_hs @ params.W_h, values
    ), caches


def trace_backward(cell, params, caches, doutputs):
    """Return BackwardTrace from doutputs = (dhs, dlast_state), the gradients of what `unroll` returns.

    A state's whole gradient is what arrives at the output of its step and what comes back from the step after; where the mask is
    False, the first is not used, and da_x and da_h are zero.

    Shapes: dhs (T, B, H); dlast_state: the cell's State of (B, H).
    Raises: ValueError or TypeError if a gradient does not fit what it is the gradient of, or the parameters are not
    of the size of those of the trace; TypeError for the caches of another cell.
    """
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
        _, _, dprevious = products_backward(params, cache, dextra, da_x, da_h, dprevious)
        dstates.append(dstate)
        da_xs.append(da_x)
        da_hs.append(da_h)
        dstate = hold(keep, dprevious, dstate)
    return BackwardTrace(_stack(dstates[::-1]), np.stack(da_xs[::-1]), np.stack(da_hs[::-1]))


def _stack(trees):
    """Return one tree whose leaves have a first axis over `trees`."""
    return tree_map(lambda *leaves: np.stack(leaves), *trees)
