"""Gradient checkpointing: less memory for a long sequence, for the price of a second forward pass.

What a layer keeps for its backward grows with T. Cut the sequence into stretches of k steps, and
keep only the state before each. The backward then takes the stretches one by one, last first. It
runs the forward of each once more from the kept state, and then its backward. So T/k states and the
cache of one stretch of k steps are kept, which is least at k near sqrt(T). xs, its copy, ys and the
gradients are as long as the sequence in any case.

Evaluation needs no cache at all: `forward_in_stretches`.

Other names for the same: activation checkpointing, rematerialization; a stretch is a segment, and
a kept state is a checkpoint. In PyTorch it is torch.utils.checkpoint.

Source: Chen et al. (2016), "Training deep nets with sublinear memory cost", section 4; for
recurrent networks Gruslys et al. (2016), "Memory-efficient backpropagation through time".
"""

from copy import deepcopy
from dataclasses import dataclass
from math import isqrt
from typing import Any, NamedTuple

import numpy as np

from rnn_tutorial.layers.layer import Layer, check_rng_or_none, made_of_layers
from rnn_tutorial.tree import tree_add
from rnn_tutorial.types import Array, Mask, Rng, Tree
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
    mask: Mask | None  # (T, B), a copy
    starts: list[tuple[slice, Tree, Rng | None]]
    """Of each stretch: its slice, the state before it, the generator as it was then."""


@made_of_layers("layer")
@dataclass(frozen=True)
class Recomputed:
    """Gradient checkpointing of a layer: of a stretch of steps it keeps a state, not its cache.

    For long sequences. layer: one with an output at each step that can go on from a state, such as
    `Recurrent`, or a `Serial` of such layers. every: how many steps are in a stretch; about the
    square root of T if it is not given. Parameters, outputs and state are those of the layer.

    Raises: ValueError unless every is a positive whole number; TypeError for anything that is not a
    layer; from `forward`, CannotContinue for a layer that reads from the end, and ValueError for
    one without an output at each step.
    """

    layer: Layer
    every: int | None = None

    def __post_init__(self) -> None:
        if self.every is not None:
            check_positive("every", self.every)

    def init(self, rng: Rng) -> Tree:
        """Return the parameters of the layer."""
        return self.layer.init(rng)

    def initial_state(self, params: Any, batch_size: int) -> Tree:
        """Return that of the layer."""
        return self.layer.initial_state(params, batch_size)

    def forward(
        self,
        params: Any,
        xs: Array,
        state: Any = None,
        *,
        mask: Mask | None = None,
        rng: Rng | None = None,
    ) -> tuple[Array, Tree, RecomputeCache]:
        """Return (ys, last state, cache)."""
        check_rng_or_none(rng)
        check_whole(xs, mask)
        every = isqrt(len(xs) - 1) + 1 if self.every is None else self.every
        state = self.initial_state(params, xs.shape[1]) if state is None else deepcopy(state)
        xs, mask = xs.copy(), None if mask is None else mask.copy()
        ys: Any = None
        starts = []
        for some in stretches(len(xs), every):
            starts.append((some, state, deepcopy(rng)))
            part, state = self.layer.forward(
                params, xs[some], state, mask=of_steps(mask, some), rng=rng
            )[:2]  # the cache is not kept while the next stretch runs
            ys = written(ys, check_sequence_output(part, some), some, len(xs))
        return ys, deepcopy(state), RecomputeCache(xs, mask, starts)

    def backward(
        self, params: Any, cache: RecomputeCache, dys: Array, dstate: Any = None
    ) -> tuple[Tree, Array | None, Tree]:
        """Return (dparams, dxs, dfirst_state): each stretch runs forward once more, then back."""
        check_shape("dys", dys, (*cache.xs.shape[:2], *dys.shape[2:]), dys.dtype)
        dparams: Tree = None
        dxs: Array | None = None
        for some, state, rng in reversed(cache.starts):
            dpart, dx, dstate = self._stretch_backward(
                params, cache, some, state, rng, dys[some], dstate
            )
            # the weights are the same in every stretch, so their gradients add up
            dparams = dpart if dparams is None else tree_add(dparams, dpart)
            dxs = None if dx is None else written(dxs, dx, some, len(dys))
        return dparams, dxs, dstate

    def _stretch_backward(
        self,
        params: Any,
        cache: RecomputeCache,
        some: slice,
        state: Tree,
        rng: Rng | None,
        dys: Array,
        dstate: Tree,
    ) -> tuple[Tree, Array | None, Tree]:
        """Return (dparams, dxs, dstate) of one stretch, run once more. Its cache is freed here."""
        mask = of_steps(cache.mask, some)
        _, _, inside = self.layer.forward(
            params, cache.xs[some], state, mask=mask, rng=deepcopy(rng)
        )
        return self.layer.backward(params, inside, dys, dstate)


def forward_in_stretches(
    layer: Layer,
    params: Tree,
    xs: Array,
    state: Tree = None,
    *,
    mask: Mask | None = None,
    every: int = 32,
) -> tuple[Array, Tree]:
    """Return (ys, last state) of a layer in evaluation, without a cache for a backward.

    It needs the memory of `every` steps, and of ys.

    Shapes: those of the layer, with an output at each step.

    Raises: ValueError unless every is a positive whole number; CannotContinue for a layer that
    reads from the end.
    """
    check_positive("every", every)
    check_whole(xs, mask)
    state = layer.initial_state(params, xs.shape[1]) if state is None else state
    ys: Any = None
    for some in stretches(len(xs), every):
        part, state = layer.forward(params, xs[some], state, mask=of_steps(mask, some))[:2]
        ys = written(ys, check_sequence_output(part, some), some, len(xs))
    return ys, state


def check_whole(xs: Array, mask: Mask | None) -> None:
    """Raise ValueError or TypeError for no steps or sequences, or a mask of other steps than xs.

    A mask that is too long would not show in the stretches.
    """
    if not isinstance(xs, np.ndarray):
        raise TypeError(f"xs: expected a NumPy array (T, B, ...), got {type(xs).__name__}")
    if xs.ndim < 2 or 0 in xs.shape[:2]:
        raise ValueError(f"xs: expected at least one step and one sequence, got {xs.shape}")
    if mask is not None:
        check_mask(mask, *xs.shape[:2])


def stretches(T: int, every: int) -> list[slice]:
    """Return slices of `every` steps that make up 0, ..., T - 1; the last may be shorter."""
    return [slice(start, min(start + every, T)) for start in range(0, T, every)]


def written(whole: Array | None, part: Array, some: slice, T: int) -> Array:
    """Return `whole`, an array of T steps, with `part` as its steps `some`.

    If `whole` is None it is made here.
    """
    if whole is None:
        whole = np.empty((T, *part.shape[1:]), part.dtype)
    whole[some] = part
    return whole


def of_steps(mask: Mask | None, some: slice) -> Mask | None:
    """Return the mask of some of the steps; None stays None."""
    return None if mask is None else mask[some]


def check_sequence_output(ys: Array, some: slice) -> Array:
    """Return ys.

    Raises: ValueError unless it has an output for each of the steps `some`.
    """
    if ys.ndim < 3 or len(ys) != some.stop - some.start:
        raise ValueError(
            f"layer: expected an output at each step, (T, B, N), got outputs of shape {ys.shape}"
        )
    return ys
