"""The bridge of an encoder–decoder: the last state of one network becomes the first of another.

    first, cache = bridge.forward(params, last, like)
    dparams, dlast = bridge.backward(params, cache, dfirst)

A state is a tree of arrays (B, ...). The two networks may be of different cells and sizes, and the
encoder's state has those of both directions if it reads both ways. So a bridge puts the arrays of
the last state next to each other, as one array (B, N), and divides what it makes of them into the
arrays of the first state. `like` is a state of the decoder, which says how.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from rnn_tutorial.layers.core import Dense
from rnn_tutorial.tree import tree_leaves, tree_map
from rnn_tutorial.types import Array, Rng, Tree
from rnn_tutorial.validation import check_array, check_like

__all__ = [
    "AffineBridge",
    "AffineBridgeCache",
    "Bridge",
    "HandOver",
    "joined",
    "parted",
]


@runtime_checkable
class Bridge(Protocol):
    """A frozen recipe for the state that the decoder starts from."""

    def init(self, rng: Rng) -> Tree:
        """Return freshly drawn parameters, a tree of arrays."""

    def forward(self, params: Any, last: Tree, like: Tree) -> tuple[Tree, Any]:
        """Return (first, cache): the decoder's first state, a tree like `like`."""

    def backward(self, params: Any, cache: Any, dfirst: Tree) -> tuple[Tree, Tree]:
        """Return (dparams, dlast)."""


def joined(state: Tree) -> Array:
    """Return the arrays of a state next to each other, in order.

    Shapes: arrays (B, n_1), (B, n_2), …; the answer (B, n_1 + n_2 + …).

    Raises: ValueError for a state without arrays, or with an array of another shape.
    """
    leaves = tree_leaves(state)
    if not leaves:
        raise ValueError("state: expected arrays (B, n), got none: nothing is handed over")
    for k, leaf in enumerate(leaves):
        check_array(f"state: array {k}", leaf, B=leaves[0].shape[0], n=None)
    return np.concatenate(leaves, axis=-1)


def parted(array: Array, like: Tree) -> Tree:
    """Return the columns of an array as a state of the form of `like`: the inverse of `joined`.

    Shapes: array (B, N); `like` has arrays (B, n) whose n add up to N.

    Raises: ValueError for another N.
    """
    sizes = [leaf.shape[-1] for leaf in tree_leaves(like)]
    check_array("state", array, B=None, N=sum(sizes))
    parts = iter(np.split(array, np.cumsum(sizes)[:-1], axis=-1))
    return tree_map(lambda leaf: next(parts), like)


@dataclass(frozen=True)
class HandOver:
    """The last state as it is: the encoder and the decoder have states of the same form.

    first = last, so dlast = dfirst.
    """

    def init(self, rng: Rng) -> tuple[()]:
        """Return (): it has no parameters."""
        return ()

    def forward(self, params: Any, last: Tree, like: Tree) -> tuple[Tree, Tree]:
        """Return (first, cache).

        Raises: ValueError unless the arrays of the two states have as many columns in all.
        """
        return parted(joined(last), like), last

    def backward(self, params: Any, last: Tree, dfirst: Tree) -> tuple[tuple[()], Tree]:
        """Return ((), dlast)."""
        return (), parted(joined(dfirst), last)


class AffineBridgeCache(NamedTuple):
    """What `AffineBridge` keeps for its backward."""

    last: Tree  # the encoder's last state, for its form
    first: Array  # (B, K), after the tanh
    dense: Any


@dataclass(frozen=True)
class AffineBridge:
    """One affine map and a tanh: first = tanh(last @ W + b), between states of any two forms.

    input_size and output_size: the units of all arrays of the last and of the first state, such as
    2H for both directions of a GRU, and 2H for the h and c of an LSTM.

    Source: Bahdanau, Cho and Bengio (2014), appendix A.2.2, where the last state is that of one
    direction.
    """

    input_size: int
    output_size: int

    def init(self, rng: Rng) -> Any:
        """Return the DenseParams of the map."""
        return self._dense.init(rng)

    def forward(self, params: Any, last: Tree, like: Tree) -> tuple[Tree, AffineBridgeCache]:
        """Return (first, cache).

        Raises: as in `Dense`, and ValueError unless `like` has output_size units.
        """
        a, _, dense = self._dense.forward(params, joined(last))
        first = np.tanh(a)
        return parted(first, like), AffineBridgeCache(last, first, dense)

    def backward(self, params: Any, cache: AffineBridgeCache, dfirst: Tree) -> tuple[Any, Tree]:
        """Return (dparams, dlast): da = dfirst (1 - first^2), then as in `Dense`."""
        d = joined(dfirst)
        check_like("dfirst", d, cache.first)
        dparams, dlast, _ = self._dense.backward(params, cache.dense, d * (1 - cache.first**2))
        return dparams, parted(dlast, cache.last)

    @property
    def _dense(self) -> Dense:
        return Dense(self.input_size, self.output_size)
