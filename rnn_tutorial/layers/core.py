"""The layers that compute: a cell over time, the last step, an affine map, an embedding.

    ys, state, cache = layer.forward(params, xs, state=None, mask=None, rng=None)
    dparams, dxs, dstate = layer.backward(params, cache, dys, dstate=None)

`rnn_tutorial.layers.layer.Layer` says what every layer promises.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from rnn_tutorial.cells.cell import Cell, check_is_cell
from rnn_tutorial.initializers import glorot_uniform, normal
from rnn_tutorial.layers.layer import check_rng_or_none, check_stateless
from rnn_tutorial.sequence.fused import fused_unroll, fused_unroll_backward
from rnn_tutorial.tree import tree_zeros_like
from rnn_tutorial.types import Array, Mask, Rng, Tree
from rnn_tutorial.validation import (
    check_array,
    check_features,
    check_fields,
    check_finite,
    check_indices,
    check_like,
    check_mask,
    check_positive,
    check_rng,
    check_shape,
)

__all__ = [
    "Dense",
    "DenseParams",
    "Embedding",
    "EmbeddingParams",
    "Last",
    "LastCache",
    "Recurrent",
]


@dataclass(frozen=True)
class Recurrent:
    """A cell over a whole sequence. Its state is that of the cell; its output is zero on padding.

    Time comes first: of data with the batch first, pass xs.swapaxes(0, 1). It runs `fused_unroll`,
    which is `unroll` for a cell without a fast path. The cache keeps copies, so xs, states and mask
    may be changed before the backward.

    Shapes: xs (T, B, D); hs (T, B, H).

    Raises: TypeError for a cell that is not a Cell.
    """

    cell: Cell
    input_size: int
    hidden_size: int

    def __post_init__(self) -> None:
        check_is_cell(self.cell)

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
    ) -> tuple[Array, Any, Any]:
        """Return (hs, last state, cache).

        Raises: as in `unroll`; TypeError for an rng that is not a generator.
        """
        check_rng_or_none(rng)
        if state is None:
            check_array("xs", xs, T=None, B=None, D=self.input_size)
            state = self.initial_state(params, xs.shape[1])
        else:
            self.cell.check_params(params, self.input_size, self.hidden_size)
        (hs, state), cache = fused_unroll(self.cell, params, xs, state, mask)
        return hs, state, cache

    def backward(
        self, params: Any, cache: Any, dhs: Array, dstate: Any = None
    ) -> tuple[Tree, Array, Any]:
        """Return (dparams, dxs, dfirst_state)."""
        dstate = tree_zeros_like(cache.last) if dstate is None else dstate
        return fused_unroll_backward(self.cell, params, cache, (dhs, dstate))


class LastCache(NamedTuple):
    """What `Last` keeps for its backward."""

    place: tuple[Array, Array]  # (step of the last real input, number) of each sequence
    zeros: Array  # (T, B, N)


@dataclass(frozen=True)
class Last:
    """Each sequence's own last real step. It has no parameters and no state.

    Shapes: xs (T, B, N); y (B, N).
    """

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
    ) -> tuple[Array, tuple[()], LastCache]:
        """Return (y, (), cache).

        Raises: ValueError if a sequence has no real step.
        """
        check_stateless(self, state)
        check_rng_or_none(rng)
        check_array("xs", xs, T=None, B=None, N=None)
        T, B, _ = xs.shape
        last = np.full(B, T - 1)
        if mask is not None:
            check_mask(mask, T, B)
            real = mask.any(axis=0)
            if not real.all():
                raise ValueError(
                    "mask: expected a real step in every sequence, "
                    f"got none in {int(real.argmin())}"
                )
            last = T - 1 - mask[::-1].argmax(axis=0)
        place = (last, np.arange(B))
        return xs[place], (), LastCache(place, np.zeros_like(xs))

    def backward(
        self, params: Any, cache: LastCache, dy: Array, dstate: Any = None
    ) -> tuple[tuple[()], Array, tuple[()]]:
        """Return ((), dxs, ()): dy at each sequence's last step, zero elsewhere."""
        check_like("dy", dy, cache.zeros[cache.place])
        dxs = cache.zeros.copy()
        dxs[cache.place] = dy
        return (), dxs, ()


class DenseParams(NamedTuple):
    """The parameters of `Dense`."""

    W: Array  # (D, K)
    b: Array  # (K,)


@dataclass(frozen=True)
class Dense:
    """The affine map y = x @ W + b at every step.

    Shapes: xs (..., D); ys (..., K).
    """

    input_size: int
    output_size: int

    def init(self, rng: Rng) -> DenseParams:
        """Return DenseParams: Glorot-uniform W, zero b."""
        check_rng(rng)
        check_positive("input_size", self.input_size)
        check_positive("output_size", self.output_size)
        return DenseParams(
            glorot_uniform(rng, (self.input_size, self.output_size)), np.zeros(self.output_size)
        )

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
    ) -> tuple[Array, tuple[()], Array]:
        """Return (ys, (), cache). The cache is a copy of xs.

        Raises: ValueError or TypeError unless params are those of this layer, and xs are finite and
        have D features; TypeError for an rng that is not a generator.
        """
        check_stateless(self, state)
        check_rng_or_none(rng)
        check_fields("params", params, "W", "b")
        check_array("W", params.W, dtype=params.b.dtype, D=self.input_size, K=self.output_size)
        check_array("b", params.b, K=self.output_size)
        check_features("xs", xs, self.input_size, params.b.dtype)
        check_finite("xs", xs)
        xs = xs.copy()
        ys = xs.reshape(-1, self.input_size) @ params.W  # all steps in one product
        ys += params.b
        return ys.reshape(*xs.shape[:-1], self.output_size), (), xs

    def backward(
        self, params: Any, xs: Array, dys: Array, dstate: Any = None
    ) -> tuple[DenseParams, Array, tuple[()]]:
        """Return (dparams, dxs, ()).

        dW = sum of x^T dy and db = sum of dy, over all steps and sequences; dxs = dys W^T.
        """
        check_shape("W", params.W, (xs.shape[-1], self.output_size), xs.dtype)
        check_shape("dys", dys, (*xs.shape[:-1], self.output_size), params.b.dtype)
        flat_xs, flat_dys = xs.reshape(-1, self.input_size), dys.reshape(-1, self.output_size)
        db = np.ones(len(flat_dys), dys.dtype) @ flat_dys  # the sum, as a product
        dxs = (flat_dys @ params.W.T).reshape(xs.shape)
        return DenseParams(W=flat_xs.T @ flat_dys, b=db), dxs, ()


class EmbeddingParams(NamedTuple):
    """The parameters of `Embedding`."""

    E: Array  # (V, N), one row a symbol


@dataclass(frozen=True)
class Embedding:
    """A learned vector for each symbol: ys = E[indices].

    The same as multiplying a one-hot vector by E, without the zeros.

    Shapes: indices (T, B), integers; ys (T, B, N).
    """

    vocabulary_size: int
    output_size: int

    def init(self, rng: Rng) -> EmbeddingParams:
        """Return EmbeddingParams drawn from N(0, 1)."""
        check_rng(rng)
        check_positive("vocabulary_size", self.vocabulary_size)
        check_positive("output_size", self.output_size)
        return EmbeddingParams(normal(1.0)(rng, (self.vocabulary_size, self.output_size)))

    def initial_state(self, params: Any, batch_size: int) -> tuple[()]:
        """Return (): it has no state."""
        return ()

    def forward(
        self,
        params: Any,
        indices: Array,
        state: Any = None,
        *,
        mask: Mask | None = None,
        rng: Rng | None = None,
    ) -> tuple[Array, tuple[()], Array]:
        """Return (E[indices], (), cache).

        Raises: TypeError unless the indices are integers, IndexError for one outside 0..V-1.
        """
        check_stateless(self, state)
        check_rng_or_none(rng)
        check_fields("params", params, "E")
        check_array("E", params.E, V=self.vocabulary_size, N=self.output_size)
        check_indices("indices", indices, self.vocabulary_size)
        return params.E[indices], (), indices.copy()

    def backward(
        self, params: Any, indices: Array, dys: Array, dstate: Any = None
    ) -> tuple[EmbeddingParams, None, tuple[()]]:
        """Return (dparams, None, ()): indices have no gradient.

        Row v of dE is the sum of dys wherever the symbol was v.
        """
        check_shape("dys", dys, (*indices.shape, self.output_size), params.E.dtype)
        dE = np.zeros_like(params.E)
        symbols = indices.reshape(-1).astype(np.min_scalar_type(self.vocabulary_size))
        order = np.argsort(symbols, kind="stable")  # a symbol's places together; fast for 16 bits
        rows = dys.reshape(-1, self.output_size).take(order, axis=0)
        symbols, first = np.unique(symbols[order], return_index=True)
        dE[symbols] = np.add.reduceat(rows, first)
        return EmbeddingParams(dE), None, ()
