"""Less memory: a long sequence in stretches, of which only the states between them are kept.

What `unroll` keeps for its backward grows with T. Cut the sequence into stretches of k steps and keep the state before each; the
backward then comes to one stretch after the other, last first, runs it forward once more from its kept state, and then back. Kept
are T/k states and the inside of one stretch of k steps: least at k near sqrt(T). The price is the second forward pass. What goes
in and what comes out, xs, hs and their gradients, is as long as the sequence is.

Who wants no gradient keeps nothing at all: `unroll_outputs`.

Source: Chen et al. 2016, section 4; for recurrent networks Gruslys et al. 2016.
"""

from dataclasses import dataclass
from math import isqrt
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray as Array

from rnn_tutorial.fused.sequence import fused_unroll, fused_unroll_backward
from rnn_tutorial.layers import Recurrent
from rnn_tutorial.tree import tree_add, tree_zeros_like
from rnn_tutorial.unroll import check_sequence
from rnn_tutorial.validation import check_array, check_like, check_positive


class RecomputeCache(NamedTuple):
    """What `recomputed_unroll` keeps for its backward."""

    xs: Array  # (T, B, D)
    states: list  # the State of (B, H) before each stretch
    last: NamedTuple  # the State of (B, H) after the last step
    mask: Array | None  # (T, B)
    every: int  # steps in a stretch


def unroll_outputs(cell, params, xs, state, mask=None, *, every=32):
    """Return (hs, last state), what `unroll` returns, and keep nothing for a backward: the memory of `every` steps, and of hs.

    Arguments, shapes and errors: those of `unroll`; ValueError unless every is a positive whole number.
    """
    check_sequence(cell, params, xs, state, mask)
    hs, last, _ = run_stretches(cell, params, xs, state, mask, every)
    return hs, last


def recomputed_unroll(cell, params, xs, state, mask=None, *, every=None):
    """Return ((hs, last state), cache): what `unroll` returns, the cache holding one state for each stretch of `every` steps.

    every: about the square root of T if it is not given. Arguments, shapes and errors: those of `unroll`; ValueError unless
    every is a positive whole number.
    """
    check_sequence(cell, params, xs, state, mask)
    every = isqrt(len(xs) - 1) + 1 if every is None else every
    hs, last, states = run_stretches(cell, params, xs, state, mask, every)
    return (hs, last), RecomputeCache(xs, states, last, mask, every)


def recomputed_unroll_backward(cell, params, cache, doutputs):
    """Return (dparams, dxs, dfirst_state), what `unroll_backward` returns, to rounding: each stretch run once more, and back.

    Shapes and errors: those of `unroll_backward`.
    """
    dhs, dstate = doutputs
    check_array("dhs", dhs, dtype=params.b.dtype, T=len(cache.xs), B=cache.xs.shape[1], H=len(params.W_h))
    check_like("dlast_state", dstate, cache.last)
    dparams, dxs = tree_zeros_like(params), np.empty_like(cache.xs)
    for some, state in reversed(list(zip(stretches(len(dhs), cache.every), cache.states))):
        _, inside = fused_unroll(cell, params, cache.xs[some], state, None if cache.mask is None else cache.mask[some])
        dparams_some, dxs[some], dstate = fused_unroll_backward(cell, params, inside, (dhs[some], dstate))
        dparams = tree_add(dparams, dparams_some)  # the same weights at every step: their gradients add up
    return dparams, dxs, dstate


def run_stretches(cell, params, xs, state, mask, every):
    """Return (hs, last state, the states before each stretch of `every` steps)."""
    check_positive("every", every)
    hs, states = np.empty((*xs.shape[:2], len(params.W_h)), xs.dtype), []
    for some in stretches(len(xs), every):
        states.append(state)
        (hs[some], state), _ = fused_unroll(cell, params, xs[some], state, None if mask is None else mask[some])
    return hs, state, states


def stretches(T, every):
    """Return the slices of `every` steps, the last one perhaps fewer, that make up 0, ..., T - 1."""
    return [slice(start, min(start + every, T)) for start in range(0, T, every)]


@dataclass(frozen=True)
class Recomputed:
    """A `Recurrent` that keeps a state for every stretch of steps in the place of its cache, for long sequences.

    every: steps in a stretch, about the square root of T if it is not given. Parameters and outputs are those of the layer.
    Errors: TypeError for a layer that is no `Recurrent`, ValueError unless every is a positive whole number.
    """

    layer: Recurrent
    every: int | None = None

    def __post_init__(self):
        if not isinstance(self.layer, Recurrent):
            raise TypeError(f"layer: expected a Recurrent, got {type(self.layer).__name__}")
        if self.every is not None:
            check_positive("every", self.every)

    def init(self, rng):
        """Return the parameters of the layer."""
        return self.layer.init(rng)

    def forward(self, params, xs, *, mask=None, rng=None):
        """Return (hs, cache)."""
        cell = self.layer.cell
        state = self.layer.first_state(params, xs)
        (hs, _), cache = recomputed_unroll(cell, params, xs, state, mask, every=self.every)
        return hs, cache

    def backward(self, params, cache: Any, dhs):
        """Return (dparams, dxs)."""
        outputs = dhs, tree_zeros_like(cache.last)
        dparams, dxs, _ = recomputed_unroll_backward(self.layer.cell, params, cache, outputs)
        return dparams, dxs
