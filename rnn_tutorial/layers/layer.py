"""What a layer is: a recipe with four methods, through which a state goes in and comes out.

    params = layer.init(rng)
    state = layer.initial_state(params, batch_size)
    ys, state, cache = layer.forward(params, xs, state)
    dparams, dxs, dstate = layer.backward(params, cache, dys, dstate)

A stream in chunks, for one, is this loop: the state is carried from each chunk to the next, the gradient stops at the border
between them: truncated backpropagation in pieces, chapters 03 and 06.

    state = model.initial_state(params, B)
    for xs, targets, first in chunks:                     first: (B,), True where a new sequence begins
        state = reset_state(state, first)
        ys, state, cache = model.forward(params, xs, state)
        ...
        dparams, _, _ = model.backward(params, cache, dys)
"""

from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy import ndarray as Array

from rnn_tutorial.tree import tree_map

__all__ = [
    "CannotContinue",
    "Layer",
    "check_stateless",
    "reset_state",
]


class CannotContinue(TypeError):
    """The layer reads its sequences from the end, so it cannot go on from a state: what comes first has not come yet."""


@runtime_checkable
class Layer(Protocol):
    """A frozen recipe that owns no arrays: what is learned is passed in, what is remembered is passed in and out.

    Nothing is stored in a layer, so it may be used twice, evaluated between a forward and its backward, or shared between
    threads; and nothing that is handed in is changed.

    The contract
    - A sequence in pieces is the whole sequence. Each piece starts from the state that came out of the piece
      before. Outputs, last state and every gradient are those of the whole, if each piece's backward is given the
      gradient of the state that the piece after it returned.
    - A state is a tree of arrays (B, ...), one row a sequence; () for a layer that remembers nothing. A wrapper hands
      the state of its layer on. A layer that reads from the end raises `CannotContinue` when it is asked for a first
      state, or given one.
    - A gradient has the structure and the shapes of what it is the gradient of.

    `gradient_check.check_layer(layer, xs, rng)` holds a layer to all of it.
    """

    def init(self, rng: np.random.Generator) -> Any:
        """Return freshly drawn parameters, a tree of arrays."""

    def initial_state(self, params: Any, batch_size: int) -> Any:
        """Return the state before the first step."""

    def forward(
        self,
        params: Any,
        xs: Array,
        state: Any = None,
        *,
        mask: Array | None = None,
        rng: np.random.Generator | None = None,
    ) -> tuple[Array, Any, Any]:
        """Return (ys, the state after the last step, cache).

        state: None stands for the state before the first step. mask: None, or boolean (T, B), True on real steps. rng: None in
        evaluation, where nothing is random; in training a generator, for layers that draw from it.
        """

    def backward(
        self, params: Any, cache: Any, dys: Array, dstate: Any = None
    ) -> tuple[Any, Array | None, Any]:
        """Return (dparams, dxs, the gradient of the state that went in).

        dstate: the gradient of the state that came out; None stands for zeros. dxs is None for inputs that have no gradient,
        such as symbols.
        """


def reset_state(state, first):
    """Return the state with zeros in the rows of the sequences that begin anew: first (B,), boolean.

    Raises: TypeError unless `first` is boolean, ValueError unless it has one entry for each row of every array of the state.
    """
    if not isinstance(first, np.ndarray) or first.dtype != bool:
        raise TypeError(
            f"first: expected a boolean array (B,), got {getattr(first, 'dtype', type(first).__name__)}"
        )

    def reset(leaf):
        if first.shape != leaf.shape[:1]:
            raise ValueError(
                f"first: expected shape {leaf.shape[:1]}, one entry a sequence, got {first.shape}"
            )
        return np.where(first.reshape(-1, *[1] * (leaf.ndim - 1)), np.zeros_like(leaf), leaf)

    return tree_map(reset, state)


def check_stateless(layer, state):
    """Raise TypeError unless `state` is None or (): a layer that remembers nothing has no other."""
    if not (state is None or (isinstance(state, tuple) and not state)):
        raise TypeError(
            f"state: {type(layer).__name__} has none, expected None or (), got {type(state).__name__}"
        )
