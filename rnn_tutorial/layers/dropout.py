"""Noise that regularizes: dropout between layers, the same for all steps, and zoneout inside the recurrence.

All draw from the `rng` of the forward, in training; `rng=None` is evaluation, where none of them is random. On average dropout
leaves what passes through as it was, and zoneout in evaluation is an average itself: nothing is to be rescaled afterwards.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from rnn_tutorial.cells.cell import Cell, check_is_cell
from rnn_tutorial.layers.layer import check_stateless
from rnn_tutorial.sequence.step import check_state, step, step_backward
from rnn_tutorial.sequence.unroll import hold, zero_held, zero_padding
from rnn_tutorial.tree import tree_add, tree_map, tree_zeros_like
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

    factors: np.ndarray  # what xs was multiplied by
    shape: tuple  # of xs


@dataclass(frozen=True)
class Dropout:
    """Each entry is lost with probability `rate`, at each step anew, and else divided by 1 - rate: xs (T, B, N) -> (T, B, N).

    For use between layers. Source: Srivastava et al. 2014; between the layers of a recurrent network Zaremba et al. 2014.
    """

    rate: float

    def __post_init__(self):
        _check_rate(self)

    def init(self, rng):
        """Return (): it has no parameters."""
        return ()

    def initial_state(self, params, batch_size):
        """Return (): it remembers nothing."""
        return ()

    def forward(self, params, xs, state=None, *, mask=None, rng=None):
        """Return (ys, (), cache): ys = xs * factors, each factor 0 or 1 / (1 - rate); in evaluation ys = xs."""
        check_stateless(self, state)
        check_array("xs", xs, T=None, B=None, N=None)
        noise = None if rng is None else _noise(rng, xs.shape)
        return _scale(xs, (), _factors(noise, self.rate, xs.dtype))

    def backward(self, params, cache, dys, dstate=None):
        """Return ((), dxs, ()): dxs = dys * factors."""
        return (), _scale_backward(cache, dys), ()


@dataclass(frozen=True)
class VariationalDropout:
    """Dropout that loses the same entries at every step of a sequence: xs (T, B, N) -> (T, B, N).

    A unit is gone for the whole sequence or not at all, as one network of the many that dropout averages would have it. So in
    training its state, once drawn, is the noise of each sequence, (B, N), which goes on to the sequence's next piece; a row of
    zeros is drawn anew. Source: Gal & Ghahramani 2016.
    """

    rate: float

    def __post_init__(self):
        _check_rate(self)

    def init(self, rng):
        """Return (): it has no parameters."""
        return ()

    def initial_state(self, params, batch_size):
        """Return (): nothing is drawn yet."""
        return ()

    def forward(self, params, xs, state=None, *, mask=None, rng=None):
        """Return (ys, noise, cache): ys = xs * factors, factors (B, N), each 0 or 1 / (1 - rate); in evaluation ys = xs."""
        check_array("xs", xs, T=None, B=None, N=None)
        if rng is None:
            return _scale(xs, () if state is None else state, _factors(None, self.rate, xs.dtype))
        noise = _continued_noise(rng, state, xs.shape[1:])
        return _scale(xs, noise, _factors(noise, self.rate, xs.dtype))

    def backward(self, params, cache, dys, dstate=None):
        """Return ((), dxs, ()): dxs = dys * factors. Noise has no gradient."""
        return (), _scale_backward(cache, dys), ()


def _check_rate(layer):
    """Raise ValueError unless the rate is a number from 0 to below 1, and make it a Python float: it changes no dtype."""
    object.__setattr__(layer, "rate", check_number("rate", layer.rate, at_least=0, below=1))


def _noise(rng, shape):
    """Return numbers above 0 and at most 1, all equally likely."""
    check_rng(rng)
    return 1 - rng.random(shape)


def _continued_noise(rng, state, shape):
    """Return the noise of each sequence: that of its state, drawn anew where there is none, which is where it is zero."""
    if state is None or len(state) == 0:
        return _noise(rng, shape)
    check_shape("state", state, shape, np.dtype(float))
    begun = state.any(axis=1, keepdims=True)
    return state.copy() if begun.all() else np.where(begun, state, _noise(rng, shape))


def _factors(noise, rate, dtype):
    """Return what xs is multiplied by: 1 without noise, else 0 with probability `rate` and 1 / (1 - rate) without."""
    real = dtype.type(0).real.dtype
    return np.ones(1, real) if noise is None else (noise <= 1 - rate).astype(real) / (1 - rate)


def _scale(xs, state, factors):
    return xs * factors, state, DropoutCache(factors, xs.shape)


def _scale_backward(cache, dys):
    check_shape("dys", dys, cache.shape, cache.factors.dtype)
    return dys * cache.factors


class ZoneoutCache(NamedTuple):
    """What `Zoneout` keeps for its backward."""

    steps: list  # one StepCache a step
    taken: list  # a State a step: how much of the new state is taken, 0 to 1
    keeps: list  # a column (B, 1) of the mask a step, or None
    hs: np.ndarray  # (T, B, H)


@dataclass(frozen=True)
class Zoneout:
    """A cell over a sequence, whose units keep their old value at random steps: xs (T, B, D) -> hs (T, B, H).

    At each step each entry of the state keeps its old value with probability `rates`, a State of numbers such as
    LSTMState(h=0.05, c=0.5); nothing is set to zero, so what the state remembers is not lost. In evaluation the state is the mean
    of both, rate * old + (1 - rate) * new. Each step draws anew. Source: Krueger et al. 2017.
    """

    cell: Cell
    input_size: int
    hidden_size: int
    rates: Any

    def __post_init__(self):
        check_is_cell(self.cell)
        if not isinstance(self.rates, self.cell.State):
            want = f"{self.cell.State.__name__} of numbers, as {self.cell.name} has"
            raise TypeError(f"rates: expected {want}, got {self.rates!r}")
        named = self.rates._asdict().items()
        rates = {
            name: check_number(f"rates.{name}", rate, at_least=0, at_most=1) for name, rate in named
        }
        object.__setattr__(self, "rates", self.cell.State(**rates))

    def init(self, rng):
        """Return the parameters of the cell."""
        check_rng(rng)
        return self.cell.init(rng, self.input_size, self.hidden_size)

    def initial_state(self, params, batch_size):
        """Return the cell's State of zeros, (B, H)."""
        self.cell.check_params(params, self.input_size, self.hidden_size)
        return self.cell.initial_state(params, batch_size)

    def forward(self, params, xs, state=None, *, mask=None, rng=None):
        """Return (hs, last state, cache)."""
        check_array("xs", xs, T=None, B=None, D=self.input_size)
        first = self.initial_state(params, xs.shape[1])
        state = first if state is None else state
        check_state(self.cell, params, state, xs.shape[1])
        keeps = [None] * len(xs)
        if mask is not None:
            check_mask(mask, *xs.shape[:2])
            keeps = list(mask[..., None].copy())
        hs, steps, taken = [], [], []
        for x, keep in zip(xs, keeps):
            new, cache = step(self.cell, params, x, state)
            take = tree_map(lambda rate, leaf: _taken(rng, rate, leaf), self.rates, new)
            mixed = tree_map(lambda p, n, o: p * n + (1 - p) * o, take, new, state)
            state = hold(keep, mixed, state)
            hs.append(state.h)
            steps.append(cache)
            taken.append(take)
        hs = np.stack(hs)
        return zero_padding(mask, hs), state, ZoneoutCache(steps, taken, keeps, hs)

    def backward(self, params, cache, dhs, dstate=None):
        """Return (dparams, dxs, dfirst_state): the new state receives its share of the gradient, the old one the rest."""
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


def _taken(rng, rate, leaf):
    """Return how much of a new state's leaf is taken: 1 - rate in evaluation, else 0 or 1, drawn for each entry."""
    dtype = leaf.dtype.type(0).real.dtype
    if rng is None:
        return np.full((1, 1), 1 - rate, dtype)
    check_rng(rng)
    return (rng.random(leaf.shape) >= rate).astype(dtype)
