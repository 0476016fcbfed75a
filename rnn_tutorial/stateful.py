"""A stream in chunks: the state is carried from one chunk to the next, the gradient stops at the border between them.

    states = initial_states(model, params, B)
    for xs, targets, first in chunks:                     first: (B,), True where a new sequence begins
        states = reset_states(states, first)
        ys, states, cache = forward_from(model, params, xs, states)
        ...
        dparams, _ = model.backward(params, cache, dys)

This is truncated backpropagation in pieces, chapter 03: `forward_from` is the layer's forward with states in and states out, and
its cache is the one that the layer's own backward takes. Nothing is remembered between calls: the states are yours.
"""

import numpy as np

from rnn_tutorial.directions import Bidirectional, Reversed
from rnn_tutorial.dropout import Zoneout
from rnn_tutorial.fused.sequence import fused_unroll
from rnn_tutorial.layers import Recurrent, Residual, Serial
from rnn_tutorial.tree import tree_map


def initial_states(layer, params, batch_size):
    """Return a layer's state before the first step: zeros for `Recurrent`, a tuple for `Serial`, () for all others."""
    if isinstance(layer, Serial):
        return tuple(initial_states(part, p, batch_size) for part, p in zip(layer.layers, params, strict=True))
    if isinstance(layer, Residual):
        return initial_states(layer.layer, params, batch_size)
    return layer.cell.initial_state(params, batch_size) if isinstance(layer, Recurrent) else ()


def forward_from(layer, params, xs, states, *, mask=None, rng=None):
    """Return (ys, states after the last step, cache): the layer's forward over xs from states as `initial_states` has them.

    Running a sequence in pieces, each from the states that the piece before returned, is running it whole. Errors: TypeError
    for a layer that reads from the end, which has not come yet, and for `Zoneout`, which begins each call from zero.
    """
    if isinstance(layer, Serial):
        after, caches = [], []
        for part, part_params, state in zip(layer.layers, params, states, strict=True):
            xs, state, cache = forward_from(part, part_params, xs, state, mask=mask, rng=rng)
            after.append(state)
            caches.append(cache)
        return xs, tuple(after), caches
    if isinstance(layer, Recurrent):
        (hs, state), cache = fused_unroll(layer.cell, params, xs, states, mask)
        return hs, state, cache
    if isinstance(layer, Residual):
        ys, state, cache = forward_from(layer.layer, params, xs, states, mask=mask, rng=rng)
        return xs + ys, state, cache
    if isinstance(layer, (Bidirectional, Reversed, Zoneout)):
        why = "it begins each call from zero" if isinstance(layer, Zoneout) else "it reads from the end, which has not come yet"
        raise TypeError(f"layer: {type(layer).__name__} cannot carry a state from chunk to chunk: {why}")
    ys, cache = layer.forward(params, xs, mask=mask, rng=rng)
    return ys, (), cache


def reset_states(states, first):
    """Return the states with zeros in the rows of the sequences that begin anew: first (B,), boolean.

    Errors: TypeError unless `first` is boolean, ValueError if it has not one entry for each row of every state.
    """
    if not isinstance(first, np.ndarray) or first.dtype != bool:
        raise TypeError(f"first: expected a boolean array (B,), got {getattr(first, 'dtype', type(first).__name__)}")

    def reset(leaf):
        if first.shape != leaf.shape[:1]:
            raise ValueError(f"first: expected shape {leaf.shape[:1]}, one entry a sequence, got {first.shape}")
        return np.where(first[:, None], np.zeros_like(leaf), leaf)

    return tree_map(reset, states)
