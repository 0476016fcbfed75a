"""Layers: frozen recipes that own no arrays. What is learned is passed in, what is remembered is passed out.

    params = layer.init(rng)
    ys, cache = layer.forward(params, xs, mask=None, rng=None)
    dparams, dxs = layer.backward(params, cache, dys)

mask: None or boolean (T, B), True on real steps. rng: None for evaluation. A layer may be used twice, evaluated
between a forward and its backward, or shared between threads: nothing is stored in it.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray as Array

from rnn_tutorial.cells.cell import Cell, check_is_cell
from rnn_tutorial.fused.sequence import fused_unroll, fused_unroll_backward
from rnn_tutorial.initializers import glorot_uniform, normal
from rnn_tutorial.tree import tree_zeros_like
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


@dataclass(frozen=True)
class Recurrent:
    """A cell over a whole sequence, from a zero state: xs (T, B, D) -> hs (T, B, H), zero on padding.

    Time first: of data with the batch first, hand over xs.swapaxes(0, 1). For a first state of your own, and for the last state,
    call `rnn_tutorial.unroll.unroll`, or its fast twin, `rnn_tutorial.fused.sequence.fused_unroll`, which this layer runs.
    Errors: TypeError for a cell that is no Cell.
    """

    cell: Cell
    input_size: int
    hidden_size: int

    def __post_init__(self):
        check_is_cell(self.cell)

    def init(self, rng):
        """Return the parameters of the cell."""
        check_rng(rng)
        return self.cell.init(rng, self.input_size, self.hidden_size)

    def forward(self, params, xs, *, mask=None, rng=None):
        """Return (hs, cache)."""
        (hs, _), cache = fused_unroll(self.cell, params, xs, self.first_state(params, xs), mask)
        return hs, cache

    def backward(self, params, cache, dhs):
        """Return (dparams, dxs)."""
        dparams, dxs, _ = fused_unroll_backward(self.cell, params, cache, (dhs, tree_zeros_like(cache.last)))
        return dparams, dxs

    def first_state(self, params, xs):
        """Return the zero state before xs (T, B, D). Errors: ValueError or TypeError if params or xs do not fit the layer."""
        check_fields("params", params, "W_x", "W_h", "b")
        check_array("xs", xs, dtype=params.b.dtype, T=None, B=None, D=self.input_size)
        return self.cell.initial_state(params, xs.shape[1])


class LastCache(NamedTuple):
    """What `Last` keeps for its backward."""

    place: tuple  # (step of the last real input, number) of each sequence
    zeros: Array  # (T, B, N)


@dataclass(frozen=True)
class Last:
    """Each sequence's own last real step: xs (T, B, N) -> y (B, N). It has no parameters."""

    def init(self, rng):
        """Return ()."""
        return ()

    def forward(self, params, xs, *, mask=None, rng=None):
        """Return (y, cache). Errors: ValueError if a sequence has no real step."""
        check_array("xs", xs, T=None, B=None, N=None)
        T, B, _ = xs.shape
        last = np.full(B, T - 1)
        if mask is not None:
            check_mask(mask, T, B)
            real = mask.any(axis=0)
            if not real.all():
                raise ValueError(f"mask: expected a real step in every sequence, got none in {int(real.argmin())}")
            last = T - 1 - mask[::-1].argmax(axis=0)
        place = (last, np.arange(B))
        return xs[place], LastCache(place, np.zeros_like(xs))

    def backward(self, params, cache, dy):
        """Return ((), dxs): dy at each sequence's last step, zero elsewhere."""
        check_like("dy", dy, cache.zeros[cache.place])
        dxs = cache.zeros.copy()
        dxs[cache.place] = dy
        return (), dxs


class DenseParams(NamedTuple):
    """The parameters of `Dense`."""

    W: Array  # (D, K)
    b: Array  # (K,)


@dataclass(frozen=True)
class Dense:
    """The affine map y = x @ W + b at every step: xs (..., D) -> ys (..., K)."""

    input_size: int
    output_size: int

    def init(self, rng):
        """Return DenseParams: Glorot-uniform W, zero b."""
        check_rng(rng)
        check_positive("input_size", self.input_size)
        check_positive("output_size", self.output_size)
        return DenseParams(glorot_uniform(rng, (self.input_size, self.output_size)), np.zeros(self.output_size))

    def forward(self, params, xs, *, mask=None, rng=None):
        """Return (ys, cache)."""
        check_fields("params", params, "W", "b")
        check_array("W", params.W, dtype=params.b.dtype, D=self.input_size, K=self.output_size)
        check_array("b", params.b, K=self.output_size)
        check_features("xs", xs, self.input_size, params.b.dtype)
        check_finite("xs", xs)
        return xs @ params.W + params.b, xs

    def backward(self, params, xs, dys):
        """Return (dparams, dxs): dW = sum over all steps and sequences of x^T dy, db = sum of dy, dxs = dys W^T."""
        check_shape("dys", dys, (*xs.shape[:-1], self.output_size), params.b.dtype)
        flat_xs, flat_dys = xs.reshape(-1, self.input_size), dys.reshape(-1, self.output_size)
        return DenseParams(W=flat_xs.T @ flat_dys, b=flat_dys.sum(axis=0)), dys @ params.W.T


class EmbeddingParams(NamedTuple):
    """The parameters of `Embedding`."""

    E: Array  # (V, N), one row a symbol


@dataclass(frozen=True)
class Embedding:
    """A learned vector for each symbol: indices (T, B) of integers -> E[indices] (T, B, N).

    The same as multiplying a one-hot vector by E, without the zeros.
    """

    vocabulary_size: int
    output_size: int

    def init(self, rng):
        """Return EmbeddingParams drawn from N(0, 1)."""
        check_rng(rng)
        check_positive("vocabulary_size", self.vocabulary_size)
        check_positive("output_size", self.output_size)
        return EmbeddingParams(normal(1.0)(rng, (self.vocabulary_size, self.output_size)))

    def forward(self, params, indices, *, mask=None, rng=None):
        """Return (E[indices], cache). Errors: TypeError unless the indices are integers, IndexError outside 0..V-1."""
        check_fields("params", params, "E")
        check_array("E", params.E, V=self.vocabulary_size, N=self.output_size)
        check_indices("indices", indices, self.vocabulary_size)
        return params.E[indices], indices

    def backward(self, params, indices, dys):
        """Return (dparams, None): row v of dE is the sum of dys wherever the symbol was v. Indices have no gradient."""
        check_shape("dys", dys, (*indices.shape, self.output_size), params.E.dtype)
        dE = np.zeros_like(params.E)
        np.add.at(dE, indices, dys)  # unlike dE[indices] += dys, counts a symbol as often as it occurs
        return EmbeddingParams(dE), None


@dataclass(frozen=True)
class Serial:
    """Layers one after another; its parameters are the tuple of theirs. The mask goes to every layer."""

    layers: tuple

    def __post_init__(self):
        if not isinstance(self.layers, (tuple, list)):
            raise TypeError(f"layers: expected a tuple of layers, Serial((first, second)), got {type(self.layers).__name__}")

    def init(self, rng):
        """Return the tuple of the layers' parameters, drawn in order from one rng, so no two layers start alike."""
        return tuple(layer.init(rng) for layer in self.layers)

    def forward(self, params, xs, *, mask=None, rng=None):
        """Return (ys of the last layer, caches)."""
        self._check(params)
        caches = []
        for layer, layer_params in zip(self.layers, params):
            xs, cache = layer.forward(layer_params, xs, mask=mask, rng=rng)
            caches.append(cache)
        return xs, caches

    def backward(self, params, caches, dys):
        """Return (the tuple of the layers' dparams, dxs)."""
        self._check(params)
        dparams = []
        for layer, layer_params, cache in zip(self.layers[::-1], params[::-1], caches[::-1]):
            layer_dparams, dys = layer.backward(layer_params, cache, dys)
            dparams.append(layer_dparams)
        return tuple(dparams[::-1]), dys

    def _check(self, params):
        if len(params) != len(self.layers):
            raise ValueError(f"params: expected a tuple of {len(self.layers)}, one for each layer, got {len(params)}")


@dataclass(frozen=True)
class Residual:
    """A layer that adds to what it was given: ys = xs + layer(xs); the layer's outputs have the shape of its inputs.

    In depth what the constant error carousel is in time: a road that passes the gradient back as it is. Source: He et al. 2016.
    """

    layer: Any

    def init(self, rng):
        """Return the parameters of the layer."""
        return self.layer.init(rng)

    def forward(self, params, xs, *, mask=None, rng=None):
        """Return (ys, cache). Errors: ValueError if the layer changes the shape."""
        ys, cache = self.layer.forward(params, xs, mask=mask, rng=rng)
        check_shape("outputs of the layer", ys, xs.shape, xs.dtype)
        return xs + ys, cache

    def backward(self, params, cache, dys):
        """Return (dparams, dxs): xs has two roads to ys, so dxs is dys and what comes back through the layer."""
        dparams, dxs = self.layer.backward(params, cache, dys)
        return dparams, dys + dxs
