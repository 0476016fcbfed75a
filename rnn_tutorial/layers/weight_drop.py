"""Weight dropping: a cell over a sequence, some of whose recurrent weights are zero in training.

    W = W_h * factors        factors 0 with probability `rate`, else 1 / (1 - rate); (H, G*H)

Dropout on h_t at each step anew destroys what the state remembers. Here the connections from h to
the gates are dropped instead (DropConnect), and the same ones at every step, so the network of a
sequence is one network with fewer connections.

Every step uses the same W, so dW is the usual sum over the steps. W_h reaches the loss only through
W, entry by entry:

    dW_h = dW * factors

A dropped weight has no effect on this sequence, and its gradient is 0.

Source: Merity, Keskar and Socher (2017), "Regularizing and optimizing LSTM language models", 2.
DropConnect: Wan et al. (2013), "Regularization of neural networks using DropConnect".
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from rnn_tutorial.cells.cell import Cell, check_is_cell
from rnn_tutorial.layers.core import Recurrent
from rnn_tutorial.layers.layer import check_rng_or_none
from rnn_tutorial.sequence.packing import take_rows
from rnn_tutorial.sequence.step import check_state
from rnn_tutorial.tree import tree_add, tree_map, tree_zeros_like
from rnn_tutorial.types import Array, Mask, Rng, Tree
from rnn_tutorial.validation import (
    check_array,
    check_kind,
    check_like,
    check_mask,
    check_number,
    check_shape,
)

__all__ = [
    "WeightDrop",
    "WeightDropCache",
    "WeightDropState",
    "continued_draws",
    "same_draws",
    "weight_factors",
]


class WeightDropState(NamedTuple):
    """The state of the cell, and which draw of weights each sequence has."""

    cell: Any  # the cell's State of (B, H)
    draws: Any  # (B, 1), a number that decides the factors of a sequence; () before any draw


class WeightDropCache(NamedTuple):
    """What `WeightDrop` keeps for its backward."""

    places: list[Array]  # the numbers of the sequences of each draw
    factors: list[dict[str, Array]]  # of each draw, by the names of the weights
    caches: list[Any]  # of each draw, that of `Recurrent`
    hs: Array  # (T, B, H)
    last: Any  # the cell's State of (B, H)


@dataclass(frozen=True)
class WeightDrop:
    """A cell over a sequence, some of whose recurrent weights are set to zero in training.

    Each entry of W_h (and of W_hn, if the cell has it) is zero with probability `rate`; the others
    are divided by 1 - rate. All steps of a sequence have the same weights, and so have all
    sequences that begin together. The state says which weights; it goes on to the next piece of the
    sequence, and a row of zeros draws anew. In evaluation this is `Recurrent`, with the same
    parameters: to export a trained model, give its parameters to a model with `Recurrent`.

    Shapes: xs (T, B, D); hs (T, B, H).

    Raises: ValueError unless 0 <= rate < 1; TypeError for a cell that is not a Cell.
    """

    cell: Cell
    input_size: int
    hidden_size: int
    rate: float

    def __post_init__(self) -> None:
        check_is_cell(self.cell)
        object.__setattr__(self, "rate", check_number("rate", self.rate, at_least=0, below=1))

    @property
    def recurrent(self) -> Recurrent:
        """The layer without dropping."""
        return Recurrent(self.cell, self.input_size, self.hidden_size)

    def init(self, rng: Rng) -> Tree:
        """Return the parameters of the cell."""
        return self.recurrent.init(rng)

    def initial_state(self, params: Any, batch_size: int) -> WeightDropState:
        """Return WeightDropState: the cell's State of zeros; no weights are drawn yet."""
        return WeightDropState(self.recurrent.initial_state(params, batch_size), ())

    def forward(
        self,
        params: Any,
        xs: Array,
        state: Any = None,
        *,
        mask: Mask | None = None,
        rng: Rng | None = None,
    ) -> tuple[Array, WeightDropState, WeightDropCache]:
        """Return (hs, last state, cache).

        Raises: as in `Recurrent`; TypeError for a state that is not a WeightDropState.
        """
        check_rng_or_none(rng)
        check_array("xs", xs, T=None, B=None, D=self.input_size)
        B = xs.shape[1]
        state = self.initial_state(params, B) if state is None else state
        check_kind("state", state, WeightDropState)
        check_state(self.cell, params, state.cell, B)
        if mask is not None:
            check_mask(mask, *xs.shape[:2])
        draws = None if rng is None else continued_draws(rng, state.draws, B)
        places = [np.arange(B)] if draws is None else same_draws(draws)
        factors, hs, last, caches = [], [], [], []
        for some in places:
            drawn = {} if draws is None else weight_factors(params, draws[some[0], 0], self.rate)
            hs_some, last_some, cache = self.recurrent.forward(
                _times(params, drawn),
                xs[:, some],
                take_rows(state.cell, some),
                mask=None if mask is None else mask[:, some],
            )
            factors.append(drawn)
            hs.append(hs_some)
            last.append(last_some)
            caches.append(cache)
        whole_hs, whole_last = _joined(places, hs, axis=1), _joined_states(places, last)
        cache = WeightDropCache(places, factors, caches, whole_hs, whole_last)
        after = WeightDropState(whole_last, state.draws if draws is None else draws)
        return whole_hs, after, cache

    def backward(
        self, params: Any, cache: WeightDropCache, dhs: Array, dstate: Any = None
    ) -> tuple[Tree, Array, WeightDropState]:
        """Return (dparams, dxs, dfirst_state): dW_h = dW * factors. A draw has no gradient."""
        check_like("dhs", dhs, cache.hs)
        dlast = tree_zeros_like(cache.last) if dstate is None else dstate.cell
        check_like("dstate.cell", dlast, cache.last)
        dparams, dxs, dfirst = tree_zeros_like(params), [], []
        for some, factors, inside in zip(cache.places, cache.factors, cache.caches):
            dparams_some, dxs_some, dfirst_some = self.recurrent.backward(
                _times(params, factors), inside, dhs[:, some], take_rows(dlast, some)
            )
            dparams = tree_add(dparams, _times(dparams_some, factors))
            dxs.append(dxs_some)
            dfirst.append(dfirst_some)
        dstate = WeightDropState(_joined_states(cache.places, dfirst), ())
        return dparams, _joined(cache.places, dxs, axis=1), dstate


def weight_factors(params: Any, draw: float, rate: float) -> dict[str, Array]:
    """Return what each recurrent weight is multiplied by: 0, or 1 / (1 - rate), by its name.

    draw: a number above 0 and at most 1. The same number gives the same factors.
    """
    rng = np.random.default_rng(int(draw * 2**53))
    named = {name: leaf for name, leaf in params._asdict().items() if name.startswith("W_h")}
    return {
        name: (rng.random(leaf.shape) >= rate).astype(leaf.real.dtype) / (1 - rate)
        for name, leaf in named.items()
    }


def continued_draws(rng: Rng, draws: Any, B: int) -> Array:
    """Return the draw of each sequence, (B, 1): that of its state, or one new draw where it is 0.

    Raises: ValueError or TypeError unless draws are () or a float64 array (B, 1).
    """
    new = 1 - rng.random()  # above 0, and at most 1
    if len(draws) == 0:
        return np.full((B, 1), new)
    check_shape("state.draws", draws, (B, 1), np.dtype(float))
    return np.where(draws == 0, new, draws)


def same_draws(draws: Array) -> list[Array]:
    """Return the numbers of the sequences that have the same draw, for each draw.

    Example:
    >>> same_draws(np.array([[0.3], [0.7], [0.3]]))
    [array([0, 2]), array([1])]
    """
    return [np.flatnonzero(draws[:, 0] == draw) for draw in np.unique(draws)]


def _times(params: Any, factors: dict[str, Array]) -> Any:
    """Return the parameters with some of them multiplied by the factors."""
    return params._replace(**{name: getattr(params, name) * f for name, f in factors.items()})


def _joined(places: list[Array], parts: list[Array], axis: int) -> Array:
    """Return one array in which each part has its places along the axis."""
    order = np.argsort(np.concatenate(places))
    return np.take(np.concatenate(parts, axis=axis), order, axis=axis)


def _joined_states(places: list[Array], states: list[Any]) -> Any:
    """Return one state in which each part has its places."""
    return tree_map(lambda *leaves: _joined(places, list(leaves), axis=0), *states)
