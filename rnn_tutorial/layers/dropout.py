"""Noise that regularizes: dropout between layers, and zoneout inside the recurrence.

All draw from the `rng` of the forward, in training. `rng=None` is evaluation, where none of them is
random. Dropout leaves the mean of its inputs as it is, and zoneout in evaluation is a mean itself,
so no weights have to be rescaled after training.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from rnn_tutorial.cells.cell import Cell, check_is_cell
from rnn_tutorial.layers.layer import check_stateless
from rnn_tutorial.sequence.step import check_state, step, step_backward
from rnn_tutorial.sequence.unroll import hold, zero_held, zero_padding
from rnn_tutorial.tree import tree_add, tree_map, tree_zeros_like
from rnn_tutorial.types import Array, Mask, Rng, Tree
from rnn_tutorial.validation import (
    check_array,
    check_like,
    check_mask,
    check_number,
    check_rng,
    check_shape,
)

__all__ = [
    "Dropout",
    "DropoutCache",
    "VariationalDropout",
    "Zoneout",
    "ZoneoutCache",
]


class DropoutCache(NamedTuple):
    """What the two kinds of dropout keep for their backward."""

    factors: Array  # what xs was multiplied by
    shape: tuple[int, ...]  # of xs


@dataclass(frozen=True)
class Dropout:
    """Dropout between layers: each entry is set to zero with probability `rate`, at each step anew.

    The other entries are divided by 1 - rate.

    Shapes: xs and ys (T, B, N).

    Raises: ValueError unless 0 <= rate < 1.

    Source: Srivastava et al. (2014), "Dropout: a simple way to prevent neural networks from
    overfitting"; between the layers of a recurrent network: Zaremba et al. (2014), "Recurrent
    neural network regularization".
    """

    rate: float

    def __post_init__(self) -> None:
        _check_rate(self)

    def init(self, rng: Rng) -> tuple[()]:
        """Return (): it has no parameters."""
        return ()

    def initial_state(self, params: Any, batch_size: int) -> tuple[()]:
        """Return (): it has no state."""
        return ()

    def forward(
        self,
        params: Any,
        xs: Array,
        state: Any = None,
        *,
        mask: Mask | None = None,
        rng: Rng | None = None,
    ) -> tuple[Array, tuple[()], DropoutCache]:
        """Return (ys, (), cache): ys = xs * factors, each factor 0 or 1 / (1 - rate).

        In evaluation ys = xs.
        """
        check_stateless(self, state)
        check_array("xs", xs, T=None, B=None, N=None)
        noise = None if rng is None else _noise(rng, xs.shape)
        ys, cache = _scale(xs, _factors(noise, self.rate, xs.dtype))
        return ys, (), cache

    def backward(
        self, params: Any, cache: DropoutCache, dys: Array, dstate: Any = None
    ) -> tuple[tuple[()], Array, tuple[()]]:
        """Return ((), dxs, ()): dxs = dys * factors."""
        return (), _scale_backward(cache, dys), ()


@dataclass(frozen=True)
class VariationalDropout:
    """Dropout that sets the same entries to zero at every step of a sequence.

    Dropout averages over many networks, each without some of the units. Here a whole sequence is
    read by one of them. So in training the state, once drawn, is the noise of each sequence,
    (B, N). It goes on to the next piece of the sequence; a row of zeros is drawn anew.

    Shapes: xs and ys (T, B, N).

    Raises: ValueError unless 0 <= rate < 1.

    Source: Gal and Ghahramani (2016), "A theoretically grounded application of dropout in recurrent
    neural networks".
    """

    rate: float

    def __post_init__(self) -> None:
        _check_rate(self)

    def init(self, rng: Rng) -> tuple[()]:
        """Return (): it has no parameters."""
        return ()

    def initial_state(self, params: Any, batch_size: int) -> tuple[()]:
        """Return (): no noise is drawn yet."""
        return ()

    def forward(
        self,
        params: Any,
        xs: Array,
        state: Any = None,
        *,
        mask: Mask | None = None,
        rng: Rng | None = None,
    ) -> tuple[Array, Tree, DropoutCache]:
        """Return (ys, noise, cache): ys = xs * factors, with the same factors (B, N) at all steps.

        Each factor is 0 or 1 / (1 - rate). In evaluation ys = xs.
        """
        check_array("xs", xs, T=None, B=None, N=None)
        if rng is None:
            ys, cache = _scale(xs, _factors(None, self.rate, xs.dtype))
            return ys, () if state is None else state, cache
        noise = _continued_noise(rng, state, xs.shape[1:])
        ys, cache = _scale(xs, _factors(noise, self.rate, xs.dtype))
        return ys, noise, cache

    def backward(
        self, params: Any, cache: DropoutCache, dys: Array, dstate: Any = None
    ) -> tuple[tuple[()], Array, tuple[()]]:
        """Return ((), dxs, ()): dxs = dys * factors. Noise has no gradient."""
        return (), _scale_backward(cache, dys), ()


def _check_rate(layer: Dropout | VariationalDropout) -> None:
    """Raise ValueError unless 0 <= rate < 1; make it a Python float, which changes no dtype."""
    object.__setattr__(layer, "rate", check_number("rate", layer.rate, at_least=0, below=1))


def _noise(rng: Rng, shape: tuple[int, ...]) -> Array:
    """Return numbers above 0 and at most 1, all equally likely."""
    check_rng(rng)
    return 1 - rng.random(shape)


def _continued_noise(rng: Rng, state: Tree, shape: tuple[int, ...]) -> Array:
    """Return the noise of each sequence: that of its state, drawn anew where the state is zero."""
    if state is None or len(state) == 0:
        return _noise(rng, shape)
    check_shape("state", state, shape, np.dtype(float))
    begun = state.any(axis=1, keepdims=True)
    return state.copy() if begun.all() else np.where(begun, state, _noise(rng, shape))


def _factors(noise: Array | None, rate: float, dtype: np.dtype[Any]) -> Array:
    """Return what xs is multiplied by: 1 without noise, else 0 or 1 / (1 - rate)."""
    real = dtype.type(0).real.dtype
    return np.ones(1, real) if noise is None else (noise <= 1 - rate).astype(real) / (1 - rate)


def _scale(xs: Array, factors: Array) -> tuple[Array, DropoutCache]:
    return xs * factors, DropoutCache(factors, xs.shape)


def _scale_backward(cache: DropoutCache, dys: Array) -> Array:
    check_shape("dys", dys, cache.shape, cache.factors.dtype)
    return dys * cache.factors


class ZoneoutCache(NamedTuple):
    """What `Zoneout` keeps for its backward."""

    steps: list[Any]  # one StepCache a step
    taken: list[Any]  # a State a step: how much of the new state is taken, 0 to 1
    keeps: list[Mask | None]  # a column (B, 1) of the mask a step, or None
    hs: Array  # (T, B, H)


@dataclass(frozen=True)
class Zoneout:
    """A cell over a sequence, in which units keep their old value at random steps.

    At each step each entry of the state keeps its old value with probability `rates`, a State of
    numbers such as LSTMState(h=0.05, c=0.5). No entry is set to zero, so what the state remembers
    is not lost. In evaluation the state is the mean of both, rate * old + (1 - rate) * new. Each
    step draws anew.

    Shapes: xs (T, B, D); hs (T, B, H).

    Raises: TypeError for a cell that is not a Cell, or rates that are not a State of that cell;
    ValueError for a rate outside 0 to 1.

    Source: Krueger et al. (2017), "Zoneout: regularizing RNNs by randomly preserving hidden
    activations".
    """

    cell: Cell
    input_size: int
    hidden_size: int
    rates: Any

    def __post_init__(self) -> None:
        check_is_cell(self.cell)
        fits = isinstance(self.rates, self.cell.State)
        if not fits:
            want = f"{self.cell.State.__name__} of numbers, as {self.cell.name} has"
            raise TypeError(f"rates: expected {want}, got {self.rates!r}")
        named = self.rates._asdict().items()
        rates = {
            name: check_number(f"rates.{name}", rate, at_least=0, at_most=1) for name, rate in named
        }
        object.__setattr__(self, "rates", self.cell.State(**rates))

    def init(self, rng: Rng) -> Tree:
        """Return the parameters of the cell."""
        check_rng(rng)
        return self.cell.init(rng, self.input_size, self.hidden_size)

    def initial_state(self, params: Any, batch_size: int) -> Any:
        """Return the cell's State of zeros, (B, H)."""
        self.cell.check_params(params, self.input_size, self.hidden_size)
        return self.cell.initial_state(params, batch_size)

    def forward(
        self,
        params: Any,
        xs: Array,
        state: Any = None,
        *,
        mask: Mask | None = None,
        rng: Rng | None = None,
    ) -> tuple[Array, Any, ZoneoutCache]:
        """Return (hs, last state, cache)."""
        check_array("xs", xs, T=None, B=None, D=self.input_size)
        first = self.initial_state(params, xs.shape[1])
        state = first if state is None else state
        check_state(self.cell, params, state, xs.shape[1])
        keeps: list[Mask | None] = [None] * len(xs)
        if mask is not None:
            check_mask(mask, *xs.shape[:2])
            keeps = list(mask[..., None].copy())
        hs_of_steps, steps, taken = [], [], []
        for x, keep in zip(xs, keeps):
            new, cache = step(self.cell, params, x, state)
            take = tree_map(lambda rate, leaf: _taken(rng, rate, leaf), self.rates, new)
            mixed = tree_map(lambda p, n, o: p * n + (1 - p) * o, take, new, state)
            state = hold(keep, mixed, state)
            hs_of_steps.append(state.h)
            steps.append(cache)
            taken.append(take)
        hs = np.stack(hs_of_steps)
        return zero_padding(mask, hs), state, ZoneoutCache(steps, taken, keeps, hs)

    def backward(
        self, params: Any, cache: ZoneoutCache, dhs: Array, dstate: Any = None
    ) -> tuple[Tree, Array, Any]:
        """Return (dparams, dxs, dfirst_state).

        The new state receives its share of the gradient, the old one the rest.
        """
        check_like("dhs", dhs, cache.hs)
        dstate = tree_zeros_like(cache.steps[-1].state) if dstate is None else dstate
        check_like("dstate", dstate, cache.steps[-1].state)
        dparams, dxs = tree_zeros_like(params), []
        for step_cache, take, keep, dh in reversed(
            list(zip(cache.steps, cache.taken, cache.keeps, dhs))
        ):
            arriving = zero_held(keep, dstate._replace(h=dstate.h + dh))
            held = tree_map(lambda p, d: (1 - p) * d, take, arriving)
            dnew = tree_map(np.multiply, take, arriving)
            dparams_t, dx, dprevious = step_backward(self.cell, params, step_cache, dnew)
            dstate = hold(keep, tree_add(dprevious, held), dstate)
            dparams = tree_add(dparams, dparams_t)
            dxs.append(dx)
        return dparams, np.stack(dxs[::-1]), dstate


def _taken(rng: Rng | None, rate: float, leaf: Array) -> Array:
    """Return how much of the new state is taken: 1 - rate in evaluation, else 0 or 1, by a draw."""
    dtype = leaf.dtype.type(0).real.dtype
    if rng is None:
        return np.full((1, 1), 1 - rate, dtype)
    check_rng(rng)
    return np.asarray(rng.random(leaf.shape) >= rate).astype(dtype)
