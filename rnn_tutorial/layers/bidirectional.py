"""Both directions: a sequence read from its end as well, and the two readings merged.

    forwards  = the layer's outputs over xs
    backwards = the other layer's outputs over xs reversed in time, reversed again
    ys        = merge(forwards, backwards)

They are reversed again because ys[t] must put together what both know of step t. If you forget it,
step t of one is merged with step T - 1 - t of the other. The shapes are right, and so is the
gradient, but it is that of another function.

Ragged batches need no more than this. The mask is reversed with the sequence, so the padding comes
first. There the state keeps its first value, and each sequence is read from its own last real step.

Source: Schuster and Paliwal (1997), "Bidirectional recurrent neural networks".
"""

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from functools import wraps
from typing import Any, NamedTuple, NoReturn, TypeVar, cast, overload

from rnn_tutorial.bound import Bound
from rnn_tutorial.cells.cell import Cell
from rnn_tutorial.layers.layer import CannotContinue, Layer, made_of_layers
from rnn_tutorial.layers.merge import MERGES, Merge, concat, merged, merged_backward
from rnn_tutorial.sequence.unroll import UnrollCache, unroll, unroll_backward
from rnn_tutorial.types import Array, Mask, Rng, Tree
from rnn_tutorial.validation import check_fields, check_like

__all__ = [
    "Bidirectional",
    "BidirectionalCache",
    "BidirectionalParams",
    "BidirectionalState",
    "Reversed",
    "refuse_state",
    "turn",
    "turn_outputs",
    "unroll_reversed",
    "unroll_reversed_backward",
]

Method = TypeVar("Method", bound=Callable[..., Any])


def unroll_reversed(
    cell: Cell, params: Tree, xs: Array, state: Any, mask: Mask | None = None
) -> tuple[tuple[Array, Any], UnrollCache]:
    """Return ((hs, last state), cache): `unroll` over each sequence from its last real step.

    hs[t] is the cell's output at step t of xs, after reading xs[T - 1] down to xs[t]. `state` is
    the one before xs[T - 1], and the last state is the one after xs[0].

    Shapes: those of `unroll`.

    Raises: as in `unroll`.
    """
    (hs, last), cache = unroll(cell, params, turn(xs), state, turn(mask))
    return (turn(hs), last), cache


def unroll_reversed_backward(
    cell: Cell, params: Tree, cache: UnrollCache, doutputs: tuple[Array, Any]
) -> tuple[Tree, Array, Any]:
    """Return (dparams, dxs, dfirst_state) from doutputs = (dhs, dlast_state).

    These are the gradients of what `unroll_reversed` returned.
    """
    dhs, dlast_state = doutputs
    dparams, dxs, dfirst_state = unroll_backward(cell, params, cache, (turn(dhs), dlast_state))
    return dparams, turn(dxs), dfirst_state


@overload
def turn(xs: Array) -> Array:
    """Return xs reversed in time."""


@overload
def turn(xs: Array | None) -> Array | None:
    """Return xs reversed in time, or None."""


def turn(xs: Array | None) -> Array | None:
    """Return xs with its first axis, time, reversed; None stays None.

    Reversing twice gives xs back, so the backward of `turn` is `turn`.
    """
    return None if xs is None else xs[::-1]


@made_of_layers("layer")
@dataclass(frozen=True)
class Reversed:
    """A layer over the sequence reversed in time, its outputs reversed again.

    A layer that gives one answer a sequence, (B, N), such as `Serial((Recurrent(...), Last()))`,
    has no axis of time in its outputs to reverse. The last state is the one after xs[0]. It cannot
    go on from a state: the piece that comes after would have to be read first.

    Raises: TypeError for anything that is not a layer.
    """

    layer: Layer

    def init(self, rng: Rng) -> Tree:
        """Return the parameters of the layer."""
        return self.layer.init(rng)

    def initial_state(self, params: Any, batch_size: int) -> NoReturn:
        """Raise CannotContinue."""
        refuse_state(self)

    def forward(
        self,
        params: Any,
        xs: Array,
        state: Any = None,
        *,
        mask: Mask | None = None,
        rng: Rng | None = None,
    ) -> tuple[Array, Tree, Any]:
        """Return (ys, last state, cache).

        Raises: CannotContinue for a state.
        """
        if state is not None:
            refuse_state(self)
        ys, state, cache = self.layer.forward(params, turn(xs), mask=turn(mask), rng=rng)
        return turn_outputs(ys), state, cache

    def backward(
        self, params: Any, cache: Any, dys: Array, dstate: Any = None
    ) -> tuple[Tree, Array | None, Tree]:
        """Return (dparams, dxs, dfirst_state), the last that of the state before xs[T - 1]."""
        dparams, dxs, dstate = self.layer.backward(params, cache, turn_outputs(dys), dstate)
        return dparams, turn(dxs), dstate


def turn_outputs(ys: Array) -> Array:
    """Return a sequence (T, B, N) reversed in time, and one answer a sequence (B, N) as it is."""
    return turn(ys) if ys.ndim == 3 else ys


def refuse_state(layer: object) -> NoReturn:
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


def _with_checked_merge(method: Method) -> Method:
    """Return a method of Bidirectional, in which the backward of the merge is `merged_backward`."""

    @wraps(method)
    def run(self: Any, *args: Any, **kwargs: Any) -> Any:
        checked = copy(self)
        backward = Bound(merged_backward, merge=self.merge)
        object.__setattr__(checked, "merge", self.merge._replace(backward=backward))
        return method(checked, *args, **kwargs)

    return cast(Method, run)


@made_of_layers("forwards", "backwards")
@dataclass(frozen=True)
class Bidirectional:
    """Two layers over one sequence, the second from its end, and a merge of their outputs.

    forwards, backwards: any two layers, of different cells if you like. The same recipe given twice
    is two networks, for a recipe owns no arrays. merge: concat, add, average, multiply, or a
    `Merge` of your own. The last state is that of both layers, and `backward` takes its gradient.
    It cannot go on from a state. For one answer a sequence, give two layers that end in `Last`.

    Shapes: xs (T, B, D); ys (T, B, 2H) for concat, (T, B, H) for the others.

    Raises: TypeError for a merge that is not a Merge, with the choices; TypeError for anything that
    is not a layer.
    """

    forwards: Layer
    backwards: Layer
    merge: Merge = concat

    def __post_init__(self) -> None:
        if not isinstance(self.merge, Merge):
            choices = ", ".join(merge.name for merge in MERGES)
            raise TypeError(
                f"merge: expected one of {choices} of rnn_tutorial.layers.bidirectional, "
                f"or a Merge, got {self.merge!r}"
            )

    def init(self, rng: Rng) -> BidirectionalParams:
        """Return BidirectionalParams. Both layers draw from one rng, so they differ."""
        return BidirectionalParams(self.forwards.init(rng), self.backwards.init(rng))

    def initial_state(self, params: Any, batch_size: int) -> NoReturn:
        """Raise CannotContinue."""
        refuse_state(self)

    def forward(
        self,
        params: Any,
        xs: Array,
        state: Any = None,
        *,
        mask: Mask | None = None,
        rng: Rng | None = None,
    ) -> tuple[Array, BidirectionalState, BidirectionalCache]:
        """Return (ys, BidirectionalState, cache).

        Raises: CannotContinue for a state, ValueError for outputs that cannot be merged.
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

    @_with_checked_merge
    def backward(
        self, params: Any, cache: BidirectionalCache, dys: Array, dstate: Any = None
    ) -> tuple[BidirectionalParams, Array | None, BidirectionalState]:
        """Return (dparams, dxs, BidirectionalState of dfirst_states).

        xs is read twice, so its gradient is a sum of two.

        Raises: ValueError or TypeError if dys has another shape than ys, or if the backward of the
        merge does not return (dforwards, dbackwards) of the shapes of the two outputs.
        """
        dstate_f, dstate_b = (None, None) if dstate is None else dstate
        check_like("dys", dys, self.merge.f(cache.forwards, cache.backwards))
        dforwards, dbackwards = self.merge.backward(cache.forwards, cache.backwards, dys)
        dparams_f, dxs_f, dfirst_f = self.forwards.backward(
            params.forwards, cache.forwards_cache, dforwards, dstate_f
        )
        dparams_b, dxs_b, dfirst_b = Reversed(self.backwards).backward(
            params.backwards, cache.backwards_cache, dbackwards, dstate_b
        )
        dxs = None if dxs_f is None else dxs_f + dxs_b  # symbols have no gradient
        return (
            BidirectionalParams(dparams_f, dparams_b),
            dxs,
            BidirectionalState(dfirst_f, dfirst_b),
        )
