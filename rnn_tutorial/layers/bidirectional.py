"""Both directions: a sequence read from its end as well, and four ways to merge the two readings.

    forwards  = the layer's outputs over xs
    backwards = the other layer's outputs over xs turned round in time, turned round again
    ys        = merge(forwards, backwards)

Turned round again, because ys[t] must put together what both know of step t. If you forget it, step t of one is merged with step
T - 1 - t of the other: the shapes are right, and so is the gradient, but of another function.

Ragged batches need nothing more: the mask is turned round with the sequence, so its padding comes first, the state is held at its
first value there, and each sequence is read from its own last real step. Source: Schuster & Paliwal 1997.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray as Array

from rnn_tutorial.layers.layer import CannotContinue, Layer
from rnn_tutorial.sequence.unroll import unroll, unroll_backward
from rnn_tutorial.validation import check_fields, check_like

__all__ = [
    "Bidirectional",
    "BidirectionalCache",
    "BidirectionalParams",
    "BidirectionalState",
    "MERGES",
    "Merge",
    "Reversed",
    "add",
    "add_backward",
    "add_of",
    "average",
    "average_backward",
    "average_of",
    "check_same_shape",
    "concat",
    "concat_backward",
    "concat_of",
    "merged",
    "multiply",
    "multiply_backward",
    "multiply_of",
    "refuse_state",
    "turn",
    "turn_outputs",
    "unroll_reversed",
    "unroll_reversed_backward",
]


class Merge(NamedTuple):
    """A name, `f: (a, b) -> ys`, and `backward: (a, b, dys) -> (da, db)`, on the last axis or elementwise.

    a: (T, B, M), b: (T, B, N), or (B, M) and (B, N) for one answer a sequence; ys keeps all axes but the last.
    """

    name: str
    f: Callable
    backward: Callable

    def __repr__(self):
        return self.name


def concat_of(a, b):
    """Return [a, b], side by side."""
    return np.concatenate([a, b], axis=-1)


def concat_backward(a, b, dys):
    """Return (da, db): each half of dys belongs to one."""
    return dys[..., : a.shape[-1]], dys[..., a.shape[-1] :]


def add_of(a, b):
    """Return a + b. Raises: ValueError for a and b of different shapes."""
    check_same_shape(a, b)
    return a + b


def add_backward(a, b, dys):
    """Return (dys, dys): both receive all of it."""
    return dys, dys


def average_of(a, b):
    """Return (a + b) / 2. Raises: ValueError for a and b of different shapes."""
    check_same_shape(a, b)
    return (a + b) / 2


def average_backward(a, b, dys):
    """Return (dys / 2, dys / 2): both receive half of it."""
    return dys / 2, dys / 2


def multiply_of(a, b):
    """Return a * b. Raises: ValueError for a and b of different shapes."""
    check_same_shape(a, b)
    return a * b


def multiply_backward(a, b, dys):
    """Return (dys * b, dys * a): each receives dys times the other, the product rule."""
    return dys * b, dys * a


def check_same_shape(a, b):
    """Raise ValueError unless a and b have one shape: NumPy would stretch one unit over many."""
    if a.shape != b.shape:
        raise ValueError(f"backwards: expected shape {a.shape}, that of forwards, got {b.shape}")


concat = Merge("concat", concat_of, concat_backward)
add = Merge("add", add_of, add_backward)
average = Merge("average", average_of, average_backward)
multiply = Merge("multiply", multiply_of, multiply_backward)

MERGES = (concat, add, average, multiply)


def unroll_reversed(cell, params, xs, state, mask=None):
    """Return ((hs, last state), cache): `unroll` over each sequence from its last real step to its first.

    hs[t] is the cell's output at step t of xs, after reading xs[T - 1] down to xs[t]; `state` is the one before xs[T - 1], and
    the last state the one after xs[0]. Arguments, shapes and errors: those of `unroll`.
    """
    (hs, last), cache = unroll(cell, params, turn(xs), state, turn(mask))
    return (turn(hs), last), cache


def unroll_reversed_backward(cell, params, cache, doutputs):
    """Return (dparams, dxs, dfirst_state) from doutputs = (dhs, dlast_state), the gradients of what it returned."""
    dhs, dlast_state = doutputs
    dparams, dxs, dfirst_state = unroll_backward(cell, params, cache, (turn(dhs), dlast_state))
    return dparams, turn(dxs), dfirst_state


def turn(xs):
    """Return xs with its first axis, time, turned round; None stays None.

    Turning twice gives xs back, so the backward of a turn is a turn.
    """
    return None if xs is None else xs[::-1]


@dataclass(frozen=True)
class Reversed:
    """A layer over the sequence turned round in time, its outputs turned round again.

    A layer that gives one answer a sequence, (B, N), such as `Serial((Recurrent(...), Last()))`, has no outputs in time to turn.
    The last state is that after xs[0]. It cannot be continued: the next piece would have to be read first.
    """

    layer: Layer

    def init(self, rng):
        """Return the parameters of the layer."""
        return self.layer.init(rng)

    def initial_state(self, params, batch_size):
        """Raise CannotContinue."""
        refuse_state(self)

    def forward(self, params, xs, state=None, *, mask=None, rng=None):
        """Return (ys, last state, cache). Raises: CannotContinue for a state."""
        if state is not None:
            refuse_state(self)
        ys, state, cache = self.layer.forward(params, turn(xs), mask=turn(mask), rng=rng)
        return turn_outputs(ys), state, cache

    def backward(self, params, cache, dys, dstate=None):
        """Return (dparams, dxs, dfirst_state), the last one being that of the state before xs[T - 1]."""
        dparams, dxs, dstate = self.layer.backward(params, cache, turn_outputs(dys), dstate)
        return dparams, turn(dxs), dstate


def turn_outputs(ys):
    """Return a sequence (T, B, N) turned round, and one answer a sequence (B, N) as it is."""
    return turn(ys) if ys.ndim == 3 else ys


def refuse_state(layer):
    """Raise CannotContinue."""
    name = type(layer).__name__
    raise CannotContinue(
        f"{name} cannot carry a state on: it reads from the end, which has not come yet"
    )


class BidirectionalParams(NamedTuple):
    """The parameters of the two layers."""

    forwards: Any
    backwards: Any


class BidirectionalState(NamedTuple):
    """The last states of the two layers: after xs[T - 1], and after xs[0]."""

    forwards: Any
    backwards: Any


class BidirectionalCache(NamedTuple):
    """What `Bidirectional` keeps for its backward."""

    forwards: Array  # (T, B, H), the outputs of the two layers
    backwards: Array
    forwards_cache: Any
    backwards_cache: Any


@dataclass(frozen=True)
class Bidirectional:
    """Two layers over one sequence, the second from its end: xs (T, B, D) -> merge of their outputs, (T, B, 2H) or (T, B, H).

    forwards, backwards: any two layers, of different cells if you like; one recipe given twice is two networks, for a recipe
    owns no arrays. merge: concat, add, average, multiply, or a `Merge` of your own. Its last state is that of both layers, whose
    gradient `backward` takes; it cannot be continued. For one answer a sequence, give two layers that end in `Last`.

    Raises: TypeError for a merge that is not a Merge, naming the choices.
    """

    forwards: Layer
    backwards: Layer
    merge: Merge = concat

    def __post_init__(self):
        if not isinstance(self.merge, Merge):
            choices = ", ".join(merge.name for merge in MERGES)
            raise TypeError(
                f"merge: expected one of {choices} of rnn_tutorial.layers.bidirectional, or a Merge, got {self.merge!r}"
            )

    def init(self, rng):
        """Return BidirectionalParams, the second layer's drawn after the first's from one rng, so they start apart."""
        return BidirectionalParams(self.forwards.init(rng), self.backwards.init(rng))

    def initial_state(self, params, batch_size):
        """Raise CannotContinue."""
        refuse_state(self)

    def forward(self, params, xs, state=None, *, mask=None, rng=None):
        """Return (ys, BidirectionalState, cache).

        Raises: CannotContinue for a state, ValueError for outputs that do not merge.
        """
        if state is not None:
            refuse_state(self)
        check_fields("params", params, "forwards", "backwards")
        forwards, state_f, cache_f = self.forwards.forward(params.forwards, xs, mask=mask, rng=rng)
        backwards, state_b, cache_b = Reversed(self.backwards).forward(
            params.backwards, xs, mask=mask, rng=rng
        )
        ys = merged(self.merge, forwards, backwards)
        return (
            ys,
            BidirectionalState(state_f, state_b),
            BidirectionalCache(forwards, backwards, cache_f, cache_b),
        )

    def backward(self, params, cache, dys, dstate=None):
        """Return (dparams, dxs, BidirectionalState of dfirst_states): xs is read twice, so its gradient is a sum of two."""
        dstate_f, dstate_b = (None, None) if dstate is None else dstate
        check_like("dys", dys, self.merge.f(cache.forwards, cache.backwards))
        dforwards, dbackwards = self.merge.backward(cache.forwards, cache.backwards, dys)
        dparams_f, dxs_f, dfirst_f = self.forwards.backward(
            params.forwards, cache.forwards_cache, dforwards, dstate_f
        )
        dparams_b, dxs_b, dfirst_b = Reversed(self.backwards).backward(
            params.backwards, cache.backwards_cache, dbackwards, dstate_b
        )
        dxs = (
            None if dxs_f is None else dxs_f + dxs_b
        )  # symbols, which an Embedding reads, have no gradient
        return (
            BidirectionalParams(dparams_f, dparams_b),
            dxs,
            BidirectionalState(dfirst_f, dfirst_b),
        )


def merged(merge, forwards, backwards):
    """Return merge.f(forwards, backwards). Raises: ValueError if it cannot, or if the outputs do not keep their other axes."""
    shapes = f"outputs of shape {forwards.shape} and {backwards.shape}"
    try:
        ys = merge.f(forwards, backwards)
    except ValueError as error:
        raise ValueError(f"merge: {merge.name} cannot merge {shapes}: {error}") from error
    if ys.shape[:-1] != forwards.shape[:-1]:
        raise ValueError(
            f"merge: {merge.name} of {shapes}: expected all axes but the last to stay, got {ys.shape}"
        )
    return ys
