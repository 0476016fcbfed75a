"""The layers that a model is made of. What every layer promises: `rnn_tutorial.layers.layer.Layer`.

ys, state, cache = layer.forward(params, xs, state=None, mask=None, rng=None)
dparams, dxs, dstate = layer.backward(params, cache, dys, dstate=None)
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy import ndarray as Array

from rnn_tutorial.cells.cell import Cell, check_is_cell
from rnn_tutorial.initializers import glorot_uniform, normal
from rnn_tutorial.layers.layer import Layer, check_stateless
from rnn_tutorial.sequence.fused import fused_unroll, fused_unroll_backward
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

__all__ = [
    "Dense",
    "DenseParams",
    "Embedding",
    "EmbeddingParams",
    "Last",
    "LastCache",
    "Recurrent",
    "Residual",
    "Serial",
]


@dataclass(frozen=True)
class Recurrent:
    """A cell over a whole sequence: xs (T, B, D) -> hs (T, B, H), zero on padding. Its state is that of the cell.

    Time first: of data with the batch first, hand over xs.swapaxes(0, 1). It runs `fused_unroll`, which is `unroll` for a cell
    without a fast path. The cache keeps copies, so xs, states and mask may be changed before the backward.

    Raises: TypeError for a cell that is not a Cell.
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

    def initial_state(self, params, batch_size):
        """Return the cell's State of zeros, (B, H). Raises: ValueError or TypeError unless params are those of this layer."""
        self.cell.check_params(params, self.input_size, self.hidden_size)
        return self.cell.initial_state(params, batch_size)

    def forward(self, params, xs, state=None, *, mask=None, rng=None):
        """Return (hs, last state, cache)."""
        if state is None:
            check_array("xs", xs, T=None, B=None, D=self.input_size)
            state = self.initial_state(params, xs.shape[1])
        else:
            self.cell.check_params(params, self.input_size, self.hidden_size)
        (hs, state), cache = fused_unroll(self.cell, params, xs, state, mask)
        return hs, state, cache

    def backward(self, params, cache, dhs, dstate=None):
        """Return (dparams, dxs, dfirst_state)."""
        dstate = tree_zeros_like(cache.last) if dstate is None else dstate
        return fused_unroll_backward(self.cell, params, cache, (dhs, dstate))


class LastCache(NamedTuple):
    """What `Last` keeps for its backward."""

    place: tuple  # (step of the last real input, number) of each sequence
    zeros: Array  # (T, B, N)


@dataclass(frozen=True)
class Last:
    """Each sequence's own last real step: xs (T, B, N) -> y (B, N). It has no parameters and no state."""

    def init(self, rng):
        """Return ()."""
        return ()

    def initial_state(self, params, batch_size):
        """Return (): it remembers nothing."""
        return ()

    def forward(self, params, xs, state=None, *, mask=None, rng=None):
        """Return (y, (), cache). Raises: ValueError if a sequence has no real step."""
        check_stateless(self, state)
        check_array("xs", xs, T=None, B=None, N=None)
        T, B, _ = xs.shape
        last = np.full(B, T - 1)
        if mask is not None:
            check_mask(mask, T, B)
            real = mask.any(axis=0)
            if not real.all():
                raise ValueError(
                    f"mask: expected a real step in every sequence, got none in {int(real.argmin())}"
                )
            last = T - 1 - mask[::-1].argmax(axis=0)
        place = (last, np.arange(B))
        return xs[place], (), LastCache(place, np.zeros_like(xs))

    def backward(self, params, cache, dy, dstate=None):
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
    """The affine map y = x @ W + b at every step: xs (..., D) -> ys (..., K)."""

    input_size: int
    output_size: int

    def init(self, rng):
        """Return DenseParams: Glorot-uniform W, zero b."""
        check_rng(rng)
        check_positive("input_size", self.input_size)
        check_positive("output_size", self.output_size)
        return DenseParams(
            glorot_uniform(rng, (self.input_size, self.output_size)), np.zeros(self.output_size)
        )

    def initial_state(self, params, batch_size):
        """Return (): it remembers nothing."""
        return ()

    def forward(self, params, xs, state=None, *, mask=None, rng=None):
        """Return (ys, (), cache). The cache is a copy of xs."""
        check_stateless(self, state)
        check_fields("params", params, "W", "b")
        check_array("W", params.W, dtype=params.b.dtype, D=self.input_size, K=self.output_size)
        check_array("b", params.b, K=self.output_size)
        check_features("xs", xs, self.input_size, params.b.dtype)
        check_finite("xs", xs)
        return xs @ params.W + params.b, (), xs.copy()

    def backward(self, params, xs, dys, dstate=None):
        """Return (dparams, dxs, ()): dW = sum over all steps and sequences of x^T dy, db = sum of dy, dxs = dys W^T."""
        check_shape("W", params.W, (xs.shape[-1], self.output_size), xs.dtype)
        check_shape("dys", dys, (*xs.shape[:-1], self.output_size), params.b.dtype)
        flat_xs, flat_dys = xs.reshape(-1, self.input_size), dys.reshape(-1, self.output_size)
        return DenseParams(W=flat_xs.T @ flat_dys, b=flat_dys.sum(axis=0)), dys @ params.W.T, ()


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

    def initial_state(self, params, batch_size):
        """Return (): it remembers nothing."""
        return ()

    def forward(self, params, indices, state=None, *, mask=None, rng=None):
        """Return (E[indices], (), cache). Raises: TypeError unless the indices are integers, IndexError outside 0..V-1."""
        check_stateless(self, state)
        check_fields("params", params, "E")
        check_array("E", params.E, V=self.vocabulary_size, N=self.output_size)
        check_indices("indices", indices, self.vocabulary_size)
        return params.E[indices], (), indices.copy()

    def backward(self, params, indices, dys, dstate=None):
        """Return (dparams, None, ()): row v of dE is the sum of dys wherever the symbol was v. Indices have no gradient."""
        check_shape("dys", dys, (*indices.shape, self.output_size), params.E.dtype)
        dE = np.zeros_like(params.E)
        np.add.at(
            dE, indices, dys
        )  # unlike dE[indices] += dys, counts a symbol as often as it occurs
        return EmbeddingParams(dE), None, ()


@dataclass(frozen=True, repr=False)
class Serial:
    """Layers one after another; its parameters are the tuple of theirs, and so is its state. The mask goes to every layer.

    Raises: TypeError for layers that are not given as one tuple.
    """

    layers: tuple[Layer, ...]

    def __init__(self, layers, *others):
        if others or not isinstance(layers, (tuple, list)):
            got = f"{1 + len(others)} arguments" if others else type(layers).__name__
            raise TypeError(
                f"layers: expected one tuple of layers, Serial((first, second)), got {got}"
            )
        object.__setattr__(self, "layers", tuple(layers))

    def init(self, rng):
        """Return the tuple of the layers' parameters, drawn in order from one rng, so no two layers start alike."""
        return tuple(layer.init(rng) for layer in self.layers)

    def initial_state(self, params, batch_size):
        """Return the tuple of the layers' first states."""
        self._check("params", params)
        return tuple(
            layer.initial_state(part, batch_size) for layer, part in zip(self.layers, params)
        )

    def forward(self, params, xs, state=None, *, mask=None, rng=None):
        """Return (ys of the last layer, the tuple of the layers' last states, caches)."""
        states = (None,) * len(self.layers) if state is None else state
        self._check("params", params)
        self._check("state", states)
        after, caches = [], []
        for layer, part, layer_state in zip(self.layers, params, states):
            xs, layer_state, cache = layer.forward(part, xs, layer_state, mask=mask, rng=rng)
            after.append(layer_state)
            caches.append(cache)
        return xs, tuple(after), caches

    def backward(self, params, caches, dys, dstate=None):
        """Return (the tuple of the layers' dparams, dxs, the tuple of the gradients of their first states)."""
        dstates = (None,) * len(self.layers) if dstate is None else dstate
        self._check("params", params)
        self._check("dstate", dstates)
        dparams, dfirst = [], []
        for layer, part, cache, dlast in reversed(list(zip(self.layers, params, caches, dstates))):
            dpart, dys, dlayer_state = layer.backward(part, cache, dys, dlast)
            dparams.append(dpart)
            dfirst.append(dlayer_state)
        return tuple(dparams[::-1]), dys, tuple(dfirst[::-1])

    def _check(self, name, parts):
        if not isinstance(parts, (tuple, list)) or len(parts) != len(self.layers):
            got = len(parts) if isinstance(parts, (tuple, list)) else type(parts).__name__
            raise ValueError(
                f"{name}: expected a tuple of {len(self.layers)}, one for each layer, got {got}"
            )

    def __repr__(self):
        lines = [line for layer in self.layers for line in f"{layer!r},".splitlines()]
        return "\n".join(["Serial((", *(f"    {line}" for line in lines), "))"])


@dataclass(frozen=True)
class Residual:
    """A layer that adds to what it was given: ys = xs + layer(xs); the layer's outputs have the shape of its inputs.

    In depth what the constant error carousel is in time: a path that passes the gradient back as it is. Its state is that of the
    layer. Source: He et al. 2016.
    """

    layer: Layer

    def init(self, rng):
        """Return the parameters of the layer."""
        return self.layer.init(rng)

    def initial_state(self, params, batch_size):
        """Return that of the layer."""
        return self.layer.initial_state(params, batch_size)

    def forward(self, params, xs, state=None, *, mask=None, rng=None):
        """Return (ys, last state, cache). Raises: ValueError if the layer changes the shape."""
        ys, state, cache = self.layer.forward(params, xs, state, mask=mask, rng=rng)
        check_shape("outputs of the layer", ys, xs.shape, xs.dtype)
        return xs + ys, state, cache

    def backward(self, params, cache, dys, dstate=None):
        """Return (dparams, dxs, dfirst_state): xs has two paths to ys, so dxs is dys plus what comes back through the layer."""
        dparams, dxs, dstate = self.layer.backward(params, cache, dys, dstate)
        return dparams, dys + dxs, dstate
