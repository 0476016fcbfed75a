"""What a decoder makes of its states before it scores symbols: alone, or with the encoder's.

    ys, cache = readout.forward(params, queries, memory, mask)
    dparams, dqueries, dmemory = readout.backward(params, cache, dys)

The queries are the decoder's outputs, one at each step. The memory is the encoder's outputs, one
for each symbol that was read. `Plain` gives the queries as they are; `Attention`, in
`attention.py`, looks into the memory.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from rnn_tutorial.types import Array, Mask, Rng, Tree
from rnn_tutorial.validation import check_array, check_like, check_mask

__all__ = [
    "Plain",
    "PlainCache",
    "Readout",
    "check_memory",
]


@runtime_checkable
class Readout(Protocol):
    """A frozen recipe, as a layer is, but for two sequences, which may be of different lengths.

    Each query has its own answer: ys[t] depends on queries[t] and on the whole memory, never on
    another query. So a decoder may ask one step at a time, or all at once.

    Shapes: queries (T, B, H); memory (S, B, M); mask (S, B), True on the real steps of the memory;
    ys (T, B, F).
    """

    def init(self, rng: Rng) -> Tree:
        """Return freshly drawn parameters, a tree of arrays."""

    def forward(
        self, params: Any, queries: Array, memory: Array, mask: Mask | None = None
    ) -> tuple[Array, Any]:
        """Return (ys, cache)."""

    def backward(self, params: Any, cache: Any, dys: Array) -> tuple[Tree, Array, Array]:
        """Return (dparams, dqueries, dmemory)."""


class PlainCache(NamedTuple):
    """What `Plain` keeps for its backward: the two shapes, as views of a single zero."""

    queries: Array
    memory: Array


@dataclass(frozen=True)
class Plain:
    """The decoder's own outputs: ys = queries. The memory is not used, so its gradient is zero."""

    def init(self, rng: Rng) -> tuple[()]:
        """Return (): it has no parameters."""
        return ()

    def forward(
        self, params: Any, queries: Array, memory: Array, mask: Mask | None = None
    ) -> tuple[Array, PlainCache]:
        """Return (queries, cache).

        Raises: as `check_memory`.
        """
        check_memory(queries, memory, mask)
        shapes = (np.broadcast_to(np.zeros((), a.dtype), a.shape) for a in (queries, memory))
        return queries, PlainCache(*shapes)

    def backward(
        self, params: Any, cache: PlainCache, dys: Array
    ) -> tuple[tuple[()], Array, Array]:
        """Return ((), dys, zeros)."""
        check_like("dys", dys, cache.queries)
        return (), dys, np.zeros(cache.memory.shape, cache.memory.dtype)


def check_memory(queries: object, memory: object, mask: object) -> None:
    """Raise an error unless queries, memory and mask are what a readout needs.

    Raises: TypeError for anything that is not a NumPy array, or a mask that is not boolean;
    ValueError for other shapes than (T, B, H), (S, B, M) and (S, B).
    """
    check_array("queries", queries, T=None, B=None, H=None)
    B = queries.shape[1]  # type: ignore[attr-defined]
    check_array("memory", memory, S=None, B=B, M=None)
    if mask is not None:
        check_mask(mask, memory.shape[0], B)  # type: ignore[attr-defined]
