"""Less memory: gradient checkpointing. A long sequence in stretches, of which only the states between them are kept.

What a layer keeps for its backward grows with T. Cut the sequence into stretches of k steps and keep the state before each; the
backward then takes the stretches one by one, last first, runs each forward once more from its kept state, and then back. Kept are
T/k states and the cache of one stretch of k steps: least at k near sqrt(T). The price is the second forward pass. xs, its copy,
ys and the gradients are as long as the sequence in any case.

Without a backward nothing has to be kept at all: `forward_in_stretches`.

Source: Chen et al. 2016, section 4; for recurrent networks Gruslys et al. 2016.
"""

from copy import deepcopy
from dataclasses import dataclass
from math import isqrt
from typing import NamedTuple

import numpy as np
from numpy import ndarray as Array

from rnn_tutorial.layers.layer import Layer
from rnn_tutorial.tree import tree_add
from rnn_tutorial.validation import check_mask, check_positive, check_shape

__all__ = [
    "RecomputeCache",
    "Recomputed",
    "check_sequence_output",
    "check_whole",
    "forward_in_stretches",
    "of_steps",
    "stretches",
    "written",
]


class RecomputeCache(NamedTuple):
    """What `Recomputed` keeps for its backward."""

    xs: Array  # (T, B, D), a copy
    mask: Array | None  # (T, B), a copy
    starts: list  # of each stretch (its slice, the state before it, the generator as it was then)


@dataclass(frozen=True)
class Recomputed:
    """A layer that keeps a state for every stretch of steps instead of its cache, for long sequences.

    layer: one with an output at each step, which can go on from a state, such as `Recurrent`, or a `Serial` of such
    layers. every: steps in a stretch, about the square root of T if it is not given. Parameters, outputs and state are
    those of the layer.

    Raises: ValueError unless every is a positive whole number; from `forward`, CannotContinue for a layer that reads
    from the end.
    """

    layer: Layer
    every: int | None = None

    def __post_init__(self):
        if self.every is not None:
            check_positive("every", self.every)

    def init(self, rng):
        """Return the parameters of the layer."""
        return self.layer.init(rng)

    def initial_state(self, params, batch_size):
        """Return that of the layer."""
        return self.layer.initial_state(params, batch_size)

    def forward(self, params, xs, state=None, *, mask=None, rng=None):
        """Return (ys, last state, cache)."""
        check_whole(xs, mask)
        every = isqrt(len(xs) - 1) + 1 if self.every is None else self.every
        state = self.initial_state(params, xs.shape[1]) if state is None else deepcopy(state)
        xs, mask = xs.copy(), None if mask is None else mask.copy()
        ys, starts = None, []
        for some in stretches(len(xs), every):
            starts.append((some, state, deepcopy(rng)))
            part, state = self.layer.forward(
                params, xs[some], state, mask=of_steps(mask, some), rng=rng
            )[:2]
            ys = written(ys, check_sequence_output(part, some), some, len(xs))
        return ys, deepcopy(state), RecomputeCache(xs, mask, starts)

    def backward(self, params, cache, dys, dstate=None):
        """Return (dparams, dxs, dfirst_state): each stretch is run once more, and back."""
        check_shape("dys", dys, (*cache.xs.shape[:2], *dys.shape[2:]), dys.dtype)
        dparams = dxs = None
        for some, state, rng in reversed(cache.starts):
            dpart, dx, dstate = self._stretch_backward(
                params, cache, some, state, rng, dys[some], dstate
            )
            dparams = (
                dpart if dparams is None else tree_add(dparams, dpart)
            )  # the same weights at every step
            dxs = None if dx is None else written(dxs, dx, some, len(dys))
        return dparams, dxs, dstate

    def _stretch_backward(self, params, cache, some, state, rng, dys, dstate):
        """Return (dparams, dxs, dstate) of one stretch, run once more; nothing of it is left when the next one is run."""
        mask = of_steps(cache.mask, some)
        _, _, inside = self.layer.forward(
            params, cache.xs[some], state, mask=mask, rng=deepcopy(rng)
        )
        return self.layer.backward(params, inside, dys, dstate)


def forward_in_stretches(layer, params, xs, state=None, *, mask=None, every=32):
    """Return (ys, last state) of a layer in evaluation, and keep nothing for a backward: the memory of `every` steps, and of ys.

    Shapes: those of the layer, with an output at each step.
    Raises: ValueError unless every is a positive whole number; CannotContinue for a layer that reads from the end.
    """
    check_positive("every", every)
    check_whole(xs, mask)
    state = layer.initial_state(params, xs.shape[1]) if state is None else state
    ys = None
    for some in stretches(len(xs), every):
        part, state = layer.forward(params, xs[some], state, mask=of_steps(mask, some))[:2]
        ys = written(ys, check_sequence_output(part, some), some, len(xs))
    return ys, state


def check_whole(xs, mask):
    """Raise ValueError or TypeError for no steps or sequences, or a mask of other steps than xs: a stretch would not show it."""
    if not isinstance(xs, np.ndarray):
        raise TypeError(f"xs: expected a NumPy array (T, B, ...), got {type(xs).__name__}")
    if xs.ndim < 2 or 0 in xs.shape[:2]:
        raise ValueError(f"xs: expected at least one step and one sequence, got {xs.shape}")
    if mask is not None:
        check_mask(mask, *xs.shape[:2])


def stretches(T, every):
    """Return the slices of `every` steps, the last one perhaps fewer, that make up 0, ..., T - 1."""
    return [slice(start, min(start + every, T)) for start in range(0, T, every)]


def written(whole, part, some, T):
    """Return `whole`, an array of T steps, with `part` as its steps `some`; None stands for one not yet made."""
    if whole is None:
        whole = np.empty((T, *part.shape[1:]), part.dtype)
    whole[some] = part
    return whole


def of_steps(mask, some):
    """Return the mask of some of the steps; None stays None."""
    return None if mask is None else mask[some]


def check_sequence_output(ys: Array, some: slice) -> Array:
    """Return ys. Raises: ValueError unless it has an output for each of the steps `some`."""
    if ys.ndim < 3 or len(ys) != some.stop - some.start:
        raise ValueError(
            f"layer: expected an output at each step, (T, B, N), got outputs of shape {ys.shape}"
        )
    return ys
