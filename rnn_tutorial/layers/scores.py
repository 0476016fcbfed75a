"""Scores of attention: how well a query fits a step of the memory.

    dot           e = <q, m>                                   no parameters, H = M
    scaled_dot    e = <q, m> / sqrt(H)                         no parameters, H = M
    general       e = q W m                                    W (H, M)
    additive      e = <v, tanh(q W_q + m W_m + b)>             W_q (H, A), W_m (M, A), b and v (A,)

A product of H independent numbers of variance 1 has variance H: divided by sqrt(H), the softmax
does not become sharper when the network becomes wider.

Source: Luong, Pham and Manning (2015) for dot and general; Bahdanau, Cho and Bengio (2014) for
additive; Vaswani et al. (2017), section 3.2.1, for scaled_dot.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from rnn_tutorial.bound import Bound
from rnn_tutorial.initializers import glorot_uniform
from rnn_tutorial.types import Array, Rng, Tree
from rnn_tutorial.validation import check_array, check_fields, check_like

__all__ = [
    "SCORES",
    "AdditiveParams",
    "GeneralParams",
    "Score",
    "additive",
    "dot",
    "general",
    "scaled_dot",
]


class Score(NamedTuple):
    """A name and three functions.

    init(rng, H, M) -> params
    f(params, queries, memory) -> (scores, cache)
    backward(params, cache, dscores) -> (dparams, dqueries, dmemory)

    Shapes: queries (T, B, H); memory (S, B, M); scores (T, B, S).
    """

    name: str
    init: Callable[[Rng, int, int], Tree]
    f: Callable[[Any, Array, Array], tuple[Array, Any]]
    backward: Callable[[Any, Any, Array], tuple[Tree, Array, Array]]

    def __repr__(self) -> str:
        return self.name


class ProductCache(NamedTuple):
    """What a score keeps for its backward."""

    queries: Array
    memory: Array


class GeneralParams(NamedTuple):
    """The parameters of `general`."""

    W: Array  # (H, M)


class AdditiveParams(NamedTuple):
    """The parameters of `additive`."""

    W_q: Array  # (H, A)
    W_m: Array  # (M, A)
    b: Array  # (A,)
    v: Array  # (A,)


class AdditiveCache(NamedTuple):
    """What `additive` keeps for its backward."""

    queries: Array
    memory: Array
    fits: Array  # (T, B, S, A), after the tanh


def _no_params(rng: Rng, H: int, M: int) -> tuple[()]:
    if H != M:
        raise ValueError(f"memory_size: a product of two needs query_size {H}, got {M}")
    return ()


def _product(queries: Array, memory: Array) -> Array:
    """Return <q, m> of every query and every step of its memory."""
    return np.einsum("tbh,sbh->tbs", queries, memory, optimize=True)


def _product_backward(queries: Array, memory: Array, dscores: Array) -> tuple[Array, Array]:
    """Return (dqueries, dmemory): each is a sum over the steps of the other."""
    check_like("dscores", dscores, _product(queries, memory))
    return (
        np.einsum("tbs,sbh->tbh", dscores, memory, optimize=True),
        np.einsum("tbs,tbh->sbh", dscores, queries, optimize=True),
    )


def _dot(params: Any, queries: Array, memory: Array) -> tuple[Array, ProductCache]:
    check_array("memory", memory, S=None, B=None, M=queries.shape[-1])
    return _product(queries, memory), ProductCache(queries, memory)


def _dot_backward(
    params: Any, cache: ProductCache, dscores: Array
) -> tuple[tuple[()], Array, Array]:
    return (), *_product_backward(cache.queries, cache.memory, dscores)


def _scaled(params: Any, queries: Array, memory: Array) -> tuple[Array, ProductCache]:
    scores, cache = _dot(params, queries, memory)
    return scores / queries.shape[-1] ** 0.5, cache


def _scaled_backward(
    params: Any, cache: ProductCache, dscores: Array
) -> tuple[tuple[()], Array, Array]:
    return _dot_backward(params, cache, dscores / cache.queries.shape[-1] ** 0.5)


def _general_init(rng: Rng, H: int, M: int) -> GeneralParams:
    return GeneralParams(glorot_uniform(rng, (H, M)))


def _general(params: Any, queries: Array, memory: Array) -> tuple[Array, ProductCache]:
    check_fields("params", params, "W")
    check_array("W", params.W, H=queries.shape[-1], M=memory.shape[-1])
    return _product(queries @ params.W, memory), ProductCache(queries, memory)


def _general_backward(
    params: Any, cache: ProductCache, dscores: Array
) -> tuple[GeneralParams, Array, Array]:
    dasked, dmemory = _product_backward(cache.queries @ params.W, cache.memory, dscores)
    H, M = params.W.shape
    dW = cache.queries.reshape(-1, H).T @ dasked.reshape(-1, M)
    return GeneralParams(dW), dasked @ params.W.T, dmemory


def _additive_init(rng: Rng, H: int, M: int, size: int) -> AdditiveParams:
    return AdditiveParams(
        glorot_uniform(rng, (H, size)),
        glorot_uniform(rng, (M, size)),
        np.zeros(size),
        glorot_uniform(rng, (size, 1))[:, 0],
    )


def _additive(params: Any, queries: Array, memory: Array) -> tuple[Array, AdditiveCache]:
    check_fields("params", params, *AdditiveParams._fields)
    keys = memory @ params.W_m + params.b  # once for all queries
    a = (queries @ params.W_q)[:, :, None] + keys.swapaxes(0, 1)
    fits = np.tanh(a)
    return fits @ params.v, AdditiveCache(queries, memory, fits)


def _additive_backward(
    params: Any, cache: AdditiveCache, dscores: Array
) -> tuple[AdditiveParams, Array, Array]:
    """Return (dparams, dqueries, dmemory): da = de v (1 - fits^2)."""
    check_like("dscores", dscores, cache.fits[..., 0])
    da = dscores[..., None] * params.v * (1 - cache.fits**2)  # (T, B, S, A)
    of_queries, of_keys = da.sum(axis=2), da.sum(axis=0).swapaxes(0, 1)  # (T, B, A), (S, B, A)
    dparams = AdditiveParams(
        np.einsum("tbh,tba->ha", cache.queries, of_queries, optimize=True),
        np.einsum("sbm,sba->ma", cache.memory, of_keys, optimize=True),
        of_keys.sum(axis=(0, 1)),
        np.einsum("tbs,tbsa->a", dscores, cache.fits, optimize=True),
    )
    return dparams, of_queries @ params.W_q.T, of_keys @ params.W_m.T


dot = Score("dot", _no_params, _dot, _dot_backward)
scaled_dot = Score("scaled_dot", _no_params, _scaled, _scaled_backward)
general = Score("general", _general_init, _general, _general_backward)


def additive(size: int) -> Score:
    """Return the additive score with `size` units."""
    init = Bound(_additive_init, size=size)
    return Score(f"additive({size})", init, _additive, _additive_backward)


SCORES = (dot, scaled_dot, general)
"""The scores without a size of their own."""
