"""Every intermediate of a sequence by name, forward and backward: for looking, where `unroll` is for training.

    traced, caches = trace(LSTM, params, xs, state)
    traced.states.c                               (T, B, H), the state after each step
    traced.values.f                               (T, B, H), the forget gate at each step: the fields are those of LSTMValues
    gate_blocks(traced.a_xs, LSTMGates).f         (T, B, H), what the input says to the forget gate

    back = trace_backward(LSTM, params, caches, (dhs, dlast_state))
    back.dstates.c                                (T, B, H), the gradient of each step's c, but for its road through its own h
    gate_blocks(back.da_xs, LSTMGates).f          (T, B, H), the gradient of the forget gate's pre-activation
    lstm_gates_backward(traced.values, back.dstates)[0].f     (T, B, H), the gradient of the forget gate, on real steps

The steps are those of `unroll`, one at a time, so what is traced is what trains.
"""

from typing import NamedTuple

import numpy as np
from numpy import ndarray as Array

from rnn_tutorial.tree import tree_map
from rnn_tutorial.unroll import unroll, unroll_backward
from rnn_tutorial.validation import check_like


class Trace(NamedTuple):
    """The intermediates of the forward pass, time first."""

    states: NamedTuple  # the cell's State of (T, B, H), after each step
    a_xs: Array  # (T, B, A), x @ W_x + b
    a_hs: Array  # (T, B, A), h_previous @ W_h; narrower for a cell whose W_h is
    values: NamedTuple  # the cache of the cell, each of its fields with a first axis T


class BackwardTrace(NamedTuple):
    """The intermediates of the backward pass, time first."""

    dstates: NamedTuple  # the cell's State of (T, B, H): what each step's backward is handed for its new state
    da_xs: Array  # (T, B, A)
    da_hs: Array  # (T, B, A)


def trace(cell, params, xs, state, mask=None):
    """Return (Trace, caches) of running `cell` over xs from `state`; the caches are for `trace_backward`.

    xs: (T, B, D); state: the cell's State of (B, H); mask: None or boolean (T, B). Where the mask is False the state stays what
    it was, and the values are those of a step that was computed and not used. Errors: those of `unroll`.
    """
    unroll(cell, params, xs, state, mask)  # refuses what does not fit by its place in the whole sequence
    states, caches = [], []
    for t in range(len(xs)):
        (_, state), cache = unroll(cell, params, xs[t : t + 1], state, None if mask is None else mask[t : t + 1])
        states.append(state)
        caches.append(cache)
    previous_hs = np.concatenate([cache.previous_hs for cache in caches])
    values = _stack([cache.steps[0] for cache in caches])
    return Trace(_stack(states), xs @ params.W_x + params.b, previous_hs @ params.W_h, values), caches


def trace_backward(cell, params, caches, doutputs):
    """Return BackwardTrace from doutputs = (dhs, dlast_state), the gradients of what `unroll` returns.

    dhs: (T, B, H); dlast_state: the cell's State of (B, H). A state's whole gradient is what arrives at the output of its step
    and what comes back from the step after; where the mask is False, the first is not used, and da_x and da_h are zero.
    Errors: ValueError or TypeError if a gradient has not the type of its thing.
    """
    dhs, dstate = doutputs
    check_like("dhs", dhs, np.concatenate([cache.previous_hs for cache in caches]))
    check_like("dlast_state", dstate, caches[-1].last)
    dstates, da_xs, da_hs = [], [], []
    for cache, dh in zip(reversed(caches), dhs[::-1]):
        keep = True if cache.mask is None else cache.mask[0][:, None]
        dstate = dstate._replace(h=dstate.h + np.where(keep, dh, 0))
        _, da_x, da_h, _ = cell.pointwise_backward(params, cache.steps[0], dstate)
        dstates.append(dstate)
        da_xs.append(np.where(keep, da_x, 0))
        da_hs.append(np.where(keep, da_h, 0))
        _, _, dstate = unroll_backward(cell, params, cache, (np.zeros_like(cache.previous_hs), dstate))
    return BackwardTrace(_stack(dstates[::-1]), np.stack(da_xs[::-1]), np.stack(da_hs[::-1]))


def _stack(trees):
    """Return one tree whose leaves have a first axis over `trees`."""
    return tree_map(lambda *leaves: np.stack(leaves), *trees)
