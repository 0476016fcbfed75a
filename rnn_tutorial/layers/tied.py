"""Tied weights: the matrix that reads the symbols is the matrix that scores them.

    xs = E[indices]                 E (V, N), one row a symbol
    hs = layer(xs)                  (T, B, N)
    logits = hs @ E.T + b           (T, B, V)

A row of E says both what a symbol means to the network and which hs predict it. The model has V*N
parameters less. E is used twice, so its gradient is a sum of two:

    dE = sum over the places of a symbol of dxs, in its row      as in `Embedding`
       + dlogits^T hs                                            as W = E^T in `Dense`, turned back

The first part is not zero only in the rows of symbols that were read, the second in every row.

Source: Press and Wolf (2016), "Using the output embedding to improve language models"; Inan,
Khosravi and Socher (2016), "Tying word vectors and word classifiers".
"""

from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import numpy as np

from rnn_tutorial.initializers import normal
from rnn_tutorial.layers.core import Dense, DenseParams, Embedding, EmbeddingParams
from rnn_tutorial.layers.layer import Layer, made_of_layers
from rnn_tutorial.types import Array, Mask, Rng, Tree
from rnn_tutorial.validation import check_fields, check_positive, check_rng

__all__ = [
    "Tied",
    "TiedCache",
    "TiedParams",
]


class TiedParams(NamedTuple):
    """The parameters of `Tied`."""

    E: Array  # (V, N), for the symbols that come in and for those that go out
    layer: Any  # those of the layer in between
    b: Array  # (V,)


class TiedCache(NamedTuple):
    """What `Tied` keeps for its backward."""

    embedding: Any
    layer: Any
    dense: Any


@made_of_layers("layer")
@dataclass(frozen=True)
class Tied:
    """A layer between an embedding and the scores of its symbols, both with one matrix E.

    The layer takes N features and gives N. Its state is the state.

    Shapes: indices (T, B), integers; logits (T, B, V).

    Raises: TypeError for anything that is not a layer.
    """

    vocabulary_size: int
    output_size: int
    layer: Layer

    def init(self, rng: Rng) -> TiedParams:
        """Return TiedParams: E from N(0, 1/N), so that logits are about as large as hs; b zero."""
        check_rng(rng)
        V = check_positive("vocabulary_size", self.vocabulary_size)
        N = check_positive("output_size", self.output_size)
        E = normal(N**-0.5)(rng, (V, N))
        return TiedParams(E, self.layer.init(rng), np.zeros(V))

    def initial_state(self, params: Any, batch_size: int) -> Tree:
        """Return that of the layer."""
        check_fields("params", params, *TiedParams._fields)
        return self.layer.initial_state(params.layer, batch_size)

    def forward(
        self,
        params: Any,
        indices: Array,
        state: Any = None,
        *,
        mask: Mask | None = None,
        rng: Rng | None = None,
    ) -> tuple[Array, Tree, TiedCache]:
        """Return (logits, last state, cache).

        Raises: as in `Embedding`, the layer, and `Dense`.
        """
        check_fields("params", params, *TiedParams._fields)
        xs, _, embedding = self._embedding.forward(EmbeddingParams(params.E), indices)
        hs, state, inside = self.layer.forward(params.layer, xs, state, mask=mask, rng=rng)
        logits, _, dense = self._dense.forward(DenseParams(params.E.T, params.b), hs)
        return logits, state, TiedCache(embedding, inside, dense)

    def backward(
        self, params: Any, cache: TiedCache, dlogits: Array, dstate: Any = None
    ) -> tuple[TiedParams, None, Tree]:
        """Return (dparams, None, dfirst_state): dE is the sum over the two uses of E."""
        dscores, dhs, _ = self._dense.backward(
            DenseParams(params.E.T, params.b), cache.dense, dlogits
        )
        dlayer, dxs, dstate = self.layer.backward(params.layer, cache.layer, dhs, dstate)
        dxs = cast(Array, dxs)  # the layer reads numbers, so they have a gradient
        dread, _, _ = self._embedding.backward(EmbeddingParams(params.E), cache.embedding, dxs)
        return TiedParams(dread.E + dscores.W.T, dlayer, dscores.b), None, dstate

    @property
    def _embedding(self) -> Embedding:
        return Embedding(self.vocabulary_size, self.output_size)

    @property
    def _dense(self) -> Dense:
        return Dense(self.output_size, self.vocabulary_size)
