"""A linear cell over a whole sequence, with nothing in the loop but the recurrence.

    a_xs = xs @ W_x + b                      all steps at once
    as, bs = coefficients(a_xs)              all steps at once
    h_t = a_t * h_{t-1} + b_t                the loop, or a scan

On padding a = 1 and b = 0: the state stays what it was.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from rnn_tutorial.cells.linear import LinearCell, check_is_linear
from rnn_tutorial.layers.layer import check_rng_or_none
from rnn_tutorial.sequence.scan import Scan, linear_recurrence, linear_recurrence_backward
from rnn_tutorial.sequence.unroll import as_rows, check_sequence, own_mask, zero_padding
from rnn_tutorial.tree import tree_zeros_like
from rnn_tutorial.types import Array, Mask, Rng, Tree
from rnn_tutorial.validation import check_array, check_like, check_rng, check_shape

__all__ = [
    "LinearRecurrent",
    "LinearRecurrentCache",
]


class LinearRecurrentCache(NamedTuple):
    """What `LinearRecurrent` keeps for its backward. Nothing in it is the caller's."""

    xs: Array  # (T, B, D)
    gates: Any  # what the coefficients keep
    a: Array  # (T, B, H), 1 on padding
    first: Array  # (B, H), the state before the first step, as one array
    states: Array  # (T, B, H), those after each step
    last: Any  # the State of (B, H) after the last step
    mask: Mask | None  # (T, B)


@dataclass(frozen=True)
class LinearRecurrent:
    """What `Recurrent` computes of a linear cell, with the gates of all steps at once.

    scan: `linear_recurrence` (a loop), `chunked_recurrence` or `associative_scan`. It says how and
    not what: the loop is the quickest unless B * H is small and T is large.

    Shapes: xs (T, B, D); hs (T, B, H).

    Raises: TypeError for a cell that is not a LinearCell.
    """

    cell: LinearCell
    input_size: int
    hidden_size: int
    scan: Scan = linear_recurrence

    def __post_init__(self) -> None:
        check_is_linear(self.cell)

    def init(self, rng: Rng) -> Tree:
        """Return the parameters of the cell."""
        check_rng(rng)
        return self.cell.init(rng, self.input_size, self.hidden_size)

    def initial_state(self, params: Any, batch_size: int) -> Any:
        """Return the cell's State of zeros, (B, H).

        Raises: ValueError or TypeError unless params are those of this layer.
        """
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
    ) -> tuple[Array, Any, LinearRecurrentCache]:
        """Return (hs, last state, cache).

        Raises: as in `unroll`; TypeError for an rng that is not a generator.
        """
        check_rng_or_none(rng)
        self.cell.check_params(params, self.input_size, self.hidden_size)
        check_array("xs", xs, T=None, B=None, D=self.input_size)
        state = self.initial_state(params, xs.shape[1]) if state is None else state
        check_sequence(self.cell, params, xs, state, mask)
        xs, mask, first = xs.copy(), own_mask(mask), self.cell.joined(state).copy()
        a_xs = (as_rows(xs) @ params.W_x + params.b).reshape(*xs.shape[:2], -1)
        a, b, gates = self.cell.coefficients(params, a_xs)
        if mask is not None:
            a, b = np.where(mask[..., None], a, 1), np.where(mask[..., None], b, 0)
        states = self.scan(a, b, first)
        hs = zero_padding(mask, self.cell.parted(states).h.copy())
        last = self.cell.parted(states[-1].copy())
        return hs, last, LinearRecurrentCache(xs, gates, a, first, states, _copied(last), mask)

    def backward(
        self, params: Any, cache: LinearRecurrentCache, dhs: Array, dstate: Any = None
    ) -> tuple[Tree, Array, Any]:
        """Return (dparams, dxs, dfirst_state).

        Raises: ValueError or TypeError for gradients that do not fit.
        """
        (T, B, H), cell = cache.states.shape, self.cell
        cell.check_params(params, cache.xs.shape[2], H)
        check_shape("dhs", dhs, (T, B, H), params.b.dtype)
        dstate = tree_zeros_like(cache.last) if dstate is None else dstate
        check_like("dlast_state", dstate, cache.last)
        outputs = cell.parted(np.zeros_like(cache.states))._replace(h=zero_padding(cache.mask, dhs))
        dstates = cell.joined(outputs).copy()
        dstates[-1] += cell.joined(dstate)
        da, db, dfirst = linear_recurrence_backward(
            cache.a, cache.first, cache.states, dstates, scan=self.scan
        )
        da, db = zero_padding(cache.mask, da), zero_padding(cache.mask, db)
        dextra, da_xs = cell.coefficients_backward(params, cache.gates, da, db)
        rows = as_rows(da_xs)
        dparams = params._replace(
            W_x=as_rows(cache.xs).T @ rows,
            W_h=np.zeros_like(params.W_h),
            b=rows.sum(axis=0),
            **dextra,
        )
        return dparams, (rows @ params.W_x.T).reshape(cache.xs.shape), cell.parted(dfirst)


def _copied(state: Any) -> Any:
    """Return a copy of a state."""
    return type(state)(*(leaf.copy() for leaf in state))
