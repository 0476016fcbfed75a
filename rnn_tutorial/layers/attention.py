"""Attention: each query looks into a memory, and takes a mean of it weighted by what fits.

    e[t, b, s] = score(queries[t, b], memory[s, b])      how well the two fit
    w[t, b] = softmax of e[t, b] over s                  padding has the weight 0
    contexts[t, b] = sum over s of w[t, b, s] memory[s, b]

Backward: a step of the memory is in the context of every query, with its weight, and in its score.
So it has a gradient from every query, on two paths.

    dw[t, b, s] = <dcontexts[t, b], memory[s, b]>
    de[t, b, s] = w[t, b, s] (dw[t, b, s] - sum over r of w[t, b, r] dw[t, b, r])
    dmemory[s, b] = sum over t of w[t, b, s] dcontexts[t, b]   + what comes back through the score

Source: Bahdanau, Cho and Bengio (2014), "Neural machine translation by jointly learning to align
and translate"; Luong, Pham and Manning (2015), "Effective approaches to attention-based neural
machine translation"; Vaswani et al. (2017), "Attention is all you need", for the scaled product.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from rnn_tutorial.layers.readout import check_memory
from rnn_tutorial.layers.scores import Score
from rnn_tutorial.types import Array, Mask, Rng
from rnn_tutorial.validation import (
    check_array,
    check_fields,
    check_finite,
    check_like,
    check_mask,
    check_positive,
    check_rng,
)

__all__ = [
    "Attention",
    "AttentionCache",
    "AttentionParams",
    "attend",
    "attend_backward",
    "masked_softmax",
    "masked_softmax_backward",
]


def masked_softmax(scores: Array, mask: Mask | None = None) -> Array:
    """Return exp(e_s) / sum of exp(e_r) over the real steps r, and 0 on padding.

    The largest real score is subtracted first, so nothing overflows. What the scores of padding are
    does not matter, as long as they are finite.

    Shapes: scores and the answer (T, B, S), mask (S, B).

    Raises: ValueError for a sequence without a real step: there is nothing to take a mean of;
    NotFiniteError for scores that are not finite; TypeError or ValueError for another mask.
    """
    check_array("scores", scores, T=None, B=None, S=None)
    check_finite("scores", scores)
    if mask is None:
        e = np.exp(scores - scores.real.max(axis=-1, keepdims=True))
        return e / e.sum(axis=-1, keepdims=True)
    check_mask(mask, scores.shape[2], scores.shape[1])
    if not mask.any(axis=0).all():
        b = int(np.argmin(mask.any(axis=0)))
        raise ValueError(f"mask: expected a real step in every sequence, got none in {b}")
    real = mask.T  # (B, S)
    largest = np.where(real, scores.real, -np.inf).max(axis=-1, keepdims=True)
    e = np.where(real, np.exp(np.where(real, scores - largest, 0)), 0)
    return e / e.sum(axis=-1, keepdims=True)


def masked_softmax_backward(weights: Array, dweights: Array) -> Array:
    """Return dscores = w (dw - sum of w dw): zero on padding, where the weight is zero.

    Each weight has every score of its row in the denominator. Of the Jacobian
    dw_s / de_r = w_s (1[s = r] - w_r) this is the product with dw, without making the matrix.

    Shapes: weights, dweights and dscores (T, B, S).

    Raises: TypeError or ValueError if dweights is not like weights.
    """
    check_like("dweights", dweights, weights)
    return weights * (dweights - (weights * dweights).sum(axis=-1, keepdims=True))


def attend(weights: Array, memory: Array) -> Array:
    """Return the contexts: c[t, b] = sum over s of w[t, b, s] memory[s, b].

    Shapes: weights (T, B, S), memory (S, B, M), contexts (T, B, M).

    Raises: TypeError or ValueError for other shapes.
    """
    check_array("weights", weights, T=None, B=None, S=None)
    _, B, S = weights.shape
    check_array("memory", memory, S=S, B=B, M=None)
    return np.einsum("tbs,sbm->tbm", weights, memory, optimize=True)


def attend_backward(weights: Array, memory: Array, dcontexts: Array) -> tuple[Array, Array]:
    """Return (dweights, dmemory), the second on the path through the mean alone.

    dw[t, b, s] = <dc[t, b], memory[s, b]>
    dmemory[s, b] = sum over t of w[t, b, s] dc[t, b]

    Shapes: those of `attend`; dcontexts (T, B, M).

    Raises: TypeError or ValueError if dcontexts is not like the contexts.
    """
    T, B, _ = weights.shape
    check_array("dcontexts", dcontexts, dtype=memory.dtype, T=T, B=B, M=memory.shape[2])
    dweights = np.einsum("tbm,sbm->tbs", dcontexts, memory, optimize=True)
    return dweights, np.einsum("tbs,tbm->sbm", weights, dcontexts, optimize=True)


class AttentionParams(NamedTuple):
    """The parameters of `Attention`."""

    score: Any


class AttentionCache(NamedTuple):
    """What `Attention` keeps for its backward."""

    queries: Array
    memory: Array
    weights: Array  # (T, B, S)
    score: Any


@dataclass(frozen=True)
class Attention:
    """The queries and what they found in the memory, next to each other: ys = [queries; contexts].

    query_size and memory_size are H and M. score: dot, scaled_dot, general or additive(size), or a
    `Score` of your own. It is a `Readout`: `Seq2Seq(…, readout=Attention(general, H, M),
    output=Dense(H + M, V))`.

    Shapes: queries (T, B, H); memory (S, B, M); mask (S, B); ys (T, B, H + M).

    Raises: TypeError for anything that is not a Score.
    """

    score: Score
    query_size: int
    memory_size: int

    def __post_init__(self) -> None:
        if not isinstance(self.score, Score):
            raise TypeError(
                "score: expected one of dot, scaled_dot, general, additive(size), or a Score, "
                f"got {self.score!r}"
            )
        check_positive("query_size", self.query_size)
        check_positive("memory_size", self.memory_size)

    def init(self, rng: Rng) -> AttentionParams:
        """Return AttentionParams: those of the score."""
        check_rng(rng)
        return AttentionParams(self.score.init(rng, self.query_size, self.memory_size))

    def forward(
        self, params: Any, queries: Array, memory: Array, mask: Mask | None = None
    ) -> tuple[Array, AttentionCache]:
        """Return (ys, cache); `cache.weights` says where each query looked.

        Raises: TypeError or ValueError for queries, memory or mask of other shapes; as in
        `masked_softmax`.
        """
        check_fields("params", params, "score")
        check_memory(queries, memory, mask)
        check_array("queries", queries, T=None, B=None, H=self.query_size)
        check_array("memory", memory, S=None, B=None, M=self.memory_size)
        queries, memory = queries.copy(), memory.copy()  # the caller may change its own
        scores, score = self.score.f(params.score, queries, memory)
        weights = masked_softmax(scores, mask)
        ys = np.concatenate([queries, attend(weights, memory)], axis=-1)
        return ys, AttentionCache(queries, memory, weights, score)

    def backward(
        self, params: Any, cache: AttentionCache, dys: Array
    ) -> tuple[AttentionParams, Array, Array]:
        """Return (dparams, dqueries, dmemory).

        A query has two paths: as it is, and through its scores. So has the memory: through the
        mean, and through the scores.
        """
        T, B, H = cache.queries.shape
        check_array("dys", dys, dtype=cache.queries.dtype, T=T, B=B, F=H + self.memory_size)
        dqueries, dcontexts = np.split(dys, [H], axis=-1)
        dweights, dmemory = attend_backward(cache.weights, cache.memory, dcontexts)
        dscores = masked_softmax_backward(cache.weights, dweights)
        dscore, dasked, dkeys = self.score.backward(params.score, cache.score, dscores)
        return AttentionParams(dscore), dqueries + dasked, dmemory + dkeys
