"""Noise that regularizes: dropout between layers, the same for all steps, and zoneout inside the recurrence.

All draw from the `rng` of the forward, in training; `rng=None` is evaluation, where none of them is random. In the mean
dropout leaves what passes through as it was, and zoneout in evaluation is a mean itself: nothing is to be rescaled afterwards.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from rnn_tutorial.cells.cell import Cell, check_is_cell
from rnn_tutorial.tree import tree_add, tree_map, tree_zeros_like
from rnn_tutorial.unroll import unroll, unroll_backward
from rnn_tutorial.validation import check_array, check_fields, check_like, check_mask, check_number, check_rng, check_shape


@dataclass(frozen=True)
class Dropout:
    """Each entry is lost with probability `rate`, at each step anew, and else divided by 1 - rate: xs (T, B, N) -> (T, B, N).

    For use between layers. Source: Srivastava et al. 2014; between the layers of a recurrent network Zaremba et al. 2014.
    """

    rate: float

    def __post_init__(self):
        check_number("rate", self.rate, at_least=0, below=1)

    def init(self, rng):
        """Return (): it has no parameters."""
        return ()

    def forward(self, params, xs, *, mask=None, rng=None):
        """Return (ys, cache): ys = xs * factors, each factor 0 or 1 / (1 - rate); in evaluation ys = xs."""
        check_array("xs", xs, T=None, B=None, N=None)
        return _scale(xs, _factors(rng, self.rate, xs.shape, xs.dtype))

    def backward(self, params, cache, dys):
        """Return ((), dxs): dxs = dys * factors."""
        return (), _scale_backward(cache, dys)


@dataclass(frozen=True)
class VariationalDropout:
    """Dropout that loses the same entries at every step of a sequence: xs (T, B, N) -> (T, B, N).

    A unit is gone for the whole sequence or not at all, as one network of the many that dropout averages would have it. Source:
    Gal & Ghahramani 2016.
    """

    rate: float

    def __post_init__(self):
        check_number("rate", self.rate, at_least=0, below=1)

    def init(self, rng):
        """Return (): it has no parameters."""
        return ()

    def forward(self, params, xs, *, mask=None, rng=None):
        """Return (ys, cache): ys = xs * factors, factors (1, B, N), each 0 or 1 / (1 - rate); in evaluation ys = xs."""
        check_array("xs", xs, T=None, B=None, N=None)
        return _scale(xs, _factors(rng, self.rate, (1, *xs.shape[1:]), xs.dtype))

    def backward(self, params, cache, dys):
        """Return ((), dxs): dxs = dys * factors."""
        return (), _scale_backward(cache, dys)


class DropoutCache(NamedTuple):
    """What the two kinds of dropout keep for their backward."""

    factors: np.ndarray
    shape: tuple  # of xs


def _scale(xs, factors):
    return xs * factors, DropoutCache(factors, xs.shape)


def _scale_backward(cache, dys):
    check_shape("dys", dys, cache.shape, cache.factors.dtype)
    return dys * cache.factors


def _factors(rng, rate, shape, dtype):
    """Return what xs is multiplied by: ones in evaluation, else 0 with probability `rate` and 1 / (1 - rate) without."""
    if rng is None:
        return np.ones((1,) * len(shape), dtype.type(0).real.dtype)
    check_rng(rng)
    return (rng.random(shape) >= rate).astype(dtype.type(0).real.dtype) / (1 - rate)


class ZoneoutCache(NamedTuple):
    """What `Zoneout` keeps for its backward."""

    steps: list  # one UnrollCache a step
    taken: list  # a State a step: how much of the new state is taken, 0 to 1
    mask: Any


@dataclass(frozen=True)
class Zoneout:
    """A cell over a sequence, whose units now and then sleep through a step: xs (T, B, D) -> hs (T, B, H).

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
        if not hasattr(self.rates, "_fields"):
            raise TypeError(f"rates: expected a State of numbers, such as LSTMState(h=0.05, c=0.5), got {self.rates!r}")
        for name, rate in zip(self.rates._fields, self.rates):
            check_number(f"rates.{name}", rate, at_least=0, at_most=1)

    def init(self, rng):
        """Return the parameters of the cell."""
        check_rng(rng)
        return self.cell.init(rng, self.input_size, self.hidden_size)

    def forward(self, params, xs, *, mask=None, rng=None):
        """Return (hs, cache). Errors: TypeError for rates that are not of the cell's own State."""
        check_fields("params", params, "W_x", "W_h", "b")
        check_array("xs", xs, T=None, B=None, D=self.input_size)
        if mask is not None:
            check_mask(mask, *xs.shape[:2])
        old = self.cell.initial_state(params, xs.shape[1])
        if type(self.rates) is not type(old):
            raise TypeError(f"rates: expected {type(old).__name__} of numbers, as {self.cell.name} has, got {self.rates!r}")
        hs, steps, taken = [], [], []
        for t in range(len(xs)):
            (_, new), cache = unroll(self.cell, params, xs[t : t + 1], old, None if mask is None else mask[t : t + 1])
            take = tree_map(lambda rate, leaf: _taken(rng, rate, leaf), self.rates, new)
            old = tree_map(lambda p, n, o: p * n + (1 - p) * o, take, new, old)
            hs.append(old.h)
            steps.append(cache)
            taken.append(take)
        hs = np.stack(hs)
        return hs if mask is None else np.where(mask[..., None], hs, 0), ZoneoutCache(steps, taken, mask)

    def backward(self, params, cache, dhs):
        """Return (dparams, dxs): the new state receives its share of the gradient, and the old one the rest at once."""
        check_like("dhs", dhs, np.concatenate([step.previous_hs for step in cache.steps]))
        dhs = dhs if cache.mask is None else np.where(cache.mask[..., None], dhs, 0)
        dparams, dxs, dstate = tree_zeros_like(params), [], tree_zeros_like(cache.steps[-1].last)
        for step, take, dh in zip(reversed(cache.steps), reversed(cache.taken), dhs[::-1]):
            dstate = dstate._replace(h=dstate.h + dh)
            kept = tree_map(lambda p, d: (1 - p) * d, take, dstate)
            dnew = tree_map(np.multiply, take, dstate)
            dparams_t, dx, dprevious = unroll_backward(self.cell, params, step, (np.zeros_like(step.previous_hs), dnew))
            dstate = tree_add(dprevious, kept)
            dparams = tree_add(dparams, dparams_t)
            dxs.append(dx)
        return dparams, np.concatenate(dxs[::-1])


def _taken(rng, rate, leaf):
    """Return how much of a new state's leaf is taken: 1 - rate in evaluation, else 0 or 1, drawn for each entry."""
    dtype = leaf.dtype.type(0).real.dtype
    if rng is None:
        return np.full((1, 1), 1 - rate, dtype)
    check_rng(rng)
    return (rng.random(leaf.shape) >= rate).astype(dtype)
