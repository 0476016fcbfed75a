"""Both directions: a sequence read from its end as well, and four ways to merge what the two readings say.

    forwards  = the layer's outputs over xs
    backwards = the other layer's outputs over xs turned round in time, turned round again
    ys        = merge(forwards, backwards)

Turned round again, because ys[t] must put together what both know of step t. Forget it, and step t of one is merged with step
T - 1 - t of the other: the shapes are right, and so is the gradient, of another function.

Ragged batches need nothing more: the mask is turned round with the sequence, so its padding comes first, the state is held at its
first value there, and each sequence is read from its own last real step. Source: Schuster & Paliwal 1997.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray as Array

from rnn_tutorial.unroll import unroll, unroll_backward
from rnn_tutorial.validation import check_fields, check_like


class Merge(NamedTuple):
    """A name, `f: (a, b) -> ys`, and `backward: (a, b, dys) -> (da, db)`, on the last axis or elementwise."""

    name: str
    f: Callable
    backward: Callable


def concat_backward(a, b, dys):
    return dys[..., : a.shape[-1]], dys[..., a.shape[-1] :]


concat = Merge("concat", lambda a, b: np.concatenate([a, b], axis=-1), concat_backward)
"""ys = [a, b], side by side: each half of dys belongs to one."""

add = Merge("add", lambda a, b: a + b, lambda a, b, dys: (dys, dys))
"""ys = a + b: both receive dys."""

average = Merge("average", lambda a, b: (a + b) / 2, lambda a, b, dys: (dys / 2, dys / 2))
"""ys = (a + b) / 2: both receive half of dys."""

multiply = Merge("multiply", lambda a, b: a * b, lambda a, b, dys: (dys * b, dys * a))
"""ys = a * b: each receives dys times the other, the product rule."""

MERGES = (concat, add, average, multiply)


def unroll_reversed(cell, params, xs, state, mask=None):
    """Return ((hs, last state), cache): `unroll` over each sequence from its last real step to its first.

    hs[t] is what the cell said at step t of xs, having read xs[T - 1] down to xs[t]; `state` is the one before xs[T - 1], and
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
    """Return xs with its first axis, time, turned round; None stays None. Twice is not at all, and so is its own backward."""
    return None if xs is None else xs[::-1]


@dataclass(frozen=True)
class Reversed:
    """A layer over the sequence turned round in time, its outputs turned round again.

    A layer that gives one answer a sequence, (B, N), such as `Serial((Recurrent(...), Last()))`, has no outputs in time to turn.
    """

    layer: Any

    def init(self, rng):
        """Return the parameters of the layer."""
        return self.layer.init(rng)

    def forward(self, params, xs, *, mask=None, rng=None):
        """Return (ys, cache)."""
        ys, cache = self.layer.forward(params, turn(xs), mask=turn(mask), rng=rng)
        return turn_outputs(ys), cache

    def backward(self, params, cache, dys):
        """Return (dparams, dxs)."""
        dparams, dxs = self.layer.backward(params, cache, turn_outputs(dys))
        return dparams, turn(dxs)


def turn_outputs(ys):
    """Return a sequence (T, B, N) turned round, and one answer a sequence (B, N) as it is."""
    return turn(ys) if ys.ndim == 3 else ys


class BidirectionalParams(NamedTuple):
    """The parameters of the two layers."""

    forwards: Any
    backwards: Any


class BidirectionalCache(NamedTuple):
    """What `Bidirectional` keeps for its backward."""

    forwards: Array  # (T, B, H), what the two layers said
    backwards: Array
    forwards_cache: Any
    backwards_cache: Any


@dataclass(frozen=True)
class Bidirectional:
    """Two layers over one sequence, the second from its end: xs (T, B, D) -> merge of their outputs, (T, B, 2H) or (T, B, H).

    forwards, backwards: any two layers, of different cells if you like; one recipe given twice is two networks, for a recipe
    owns no arrays. merge: concat, add, average, multiply, or a `Merge` of your own. For the last states of both directions,
    one answer a sequence, give two layers that end in `Last`; of one that is trained, `unroll` with
    params.forwards and `unroll_reversed` with params.backwards.

    Errors: TypeError for a merge that is no Merge, naming the choices.
    """

    forwards: Any
    backwards: Any
    merge: Merge = concat

    def __post_init__(self):
        if not isinstance(self.merge, Merge):
            choices = ", ".join(merge.name for merge in MERGES)
            raise TypeError(f"merge: expected one of {choices} of rnn_tutorial.directions, or a Merge, got {self.merge!r}")

    def init(self, rng):
        """Return BidirectionalParams, the second layer's drawn after the first's from one rng, so they start apart."""
        return BidirectionalParams(self.forwards.init(rng), self.backwards.init(rng))

    def forward(self, params, xs, *, mask=None, rng=None):
        """Return (ys, cache). Errors: ValueError if an elementwise merge is given outputs of different shapes."""
        check_fields("params", params, "forwards", "backwards")
        forwards, forwards_cache = self.forwards.forward(params.forwards, xs, mask=mask, rng=rng)
        backwards, backwards_cache = Reversed(self.backwards).forward(params.backwards, xs, mask=mask, rng=rng)
        if self.merge in (add, average, multiply):
            check_like("backwards", backwards, forwards)
        return self.merge.f(forwards, backwards), BidirectionalCache(forwards, backwards, forwards_cache, backwards_cache)

    def backward(self, params, cache, dys):
        """Return (dparams, dxs): the sequence is read twice, so its gradient is a sum of two."""
        check_like("dys", dys, self.merge.f(cache.forwards, cache.backwards))
        dforwards, dbackwards = self.merge.backward(cache.forwards, cache.backwards, dys)
        dparams_f, dxs_f = self.forwards.backward(params.forwards, cache.forwards_cache, dforwards)
        dparams_b, dxs_b = Reversed(self.backwards).backward(params.backwards, cache.backwards_cache, dbackwards)
        dxs = None if dxs_f is None else dxs_f + dxs_b  # symbols, which an Embedding reads, have no gradient
        return BidirectionalParams(dparams_f, dparams_b), dxs
