"""What a layer is: a recipe with four methods. A state goes in and comes out.

    params = layer.init(rng)
    state = layer.initial_state(params, batch_size)
    ys, state, cache = layer.forward(params, xs, state)
    dparams, dxs, dstate = layer.backward(params, cache, dys, dstate)

A stream in chunks, for example, is this loop. The state is carried from each chunk to the next. The
gradient stops at the border between them: this is truncated backpropagation in pieces, chapters 03
and 09.

    state = model.initial_state(params, B)
    for xs, targets, first in chunks:                     first: (B,), True where a sequence begins
        state = reset_state(state, first)
        ys, state, cache = model.forward(params, xs, state)
        ...
        dparams, _, _ = model.backward(params, cache, dys)
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np

from rnn_tutorial.tree import tree_map
from rnn_tutorial.types import Array, Mask, Rng, Tree
from rnn_tutorial.validation import check_rng

__all__ = [
    "CannotContinue",
    "Layer",
    "check_is_layer",
    "check_rng_or_none",
    "check_stateless",
    "made_of_layers",
    "reset_state",
]

Object = TypeVar("Object")


class CannotContinue(TypeError):
    """The layer reads its sequences from the end, so it cannot go on from a state.

    It would need the piece that comes after, which it has not read yet.
    """


@runtime_checkable
class Layer(Protocol):
    """A frozen recipe that owns no arrays: parameters are passed in, a state is passed in and out.

    Nothing is stored in a layer. So it may be used twice, evaluated between a forward and its
    backward, or shared between threads.

    The contract
    - A sequence in pieces is the whole sequence. Each piece starts from the state that came out of
      the piece before. Outputs, last state and every gradient are those of the whole, if each
      piece's backward is given the gradient of the state that the piece after it returned.
    - A state is a tree of arrays (B, ...), one row a sequence; () for a layer without
      one. A wrapper passes the state of its layer on. A layer that reads from the end raises
      `CannotContinue` when it is asked for a first state, or given one.
    - Where the mask is False nothing happens: the state stays what it was, what the padding holds
      changes nothing, neither in a state nor in the output of a real step.
    - No sequence sees another: in a batch each has the outputs and the state that it has alone.
    - A gradient has the structure and the shapes of what it is the gradient of.
    - No array that is given to a layer is changed.

    Every object with the four methods is a layer; there is no class to inherit from. The wrapper to
    copy is `Residual` in `layers/serial.py`. `gradient_check.check_layer(layer, xs, rng)` says
    whether a layer keeps the contract.

    Example:
        @dataclass(frozen=True)
        class Doubled:
            layer: Layer

            def init(self, rng):
                return self.layer.init(rng)

            def initial_state(self, params, batch_size):
                return self.layer.initial_state(params, batch_size)

            def forward(self, params, xs, state=None, *, mask=None, rng=None):
                ys, state, cache = self.layer.forward(params, xs, state, mask=mask, rng=rng)
                return 2 * ys, state, cache

            def backward(self, params, cache, dys, dstate=None):
                return self.layer.backward(params, cache, 2 * dys, dstate)
    """

    def init(self, rng: Rng) -> Tree:
        """Return freshly drawn parameters, a tree of arrays."""

    def initial_state(self, params: Any, batch_size: int) -> Tree:
        """Return the state before the first step."""

    def forward(
        self,
        params: Any,
        xs: Array,
        state: Any = None,
        *,
        mask: Mask | None = None,
        rng: Rng | None = None,
    ) -> tuple[Array, Tree, Any]:
        """Return (ys, the state after the last step, cache).

        state: None is the state before the first step. mask: None, or boolean (T, B), True on real
        steps. rng: None in evaluation, where nothing is random; in training a generator, for layers
        that draw from it.
        """

    def backward(
        self, params: Any, cache: Any, dys: Array, dstate: Any = None
    ) -> tuple[Tree, Array | None, Tree]:
        """Return (dparams, dxs, the gradient of the state that went in).

        dstate: the gradient of the state that came out; None is zeros. dxs is None for inputs that
        have no gradient, such as symbols.
        """


def reset_state(state: Tree, first: Array) -> Tree:
    """Return the state with zeros in the rows of the sequences that begin anew.

    Shapes: first (B,), boolean; every array of the state (B, ...).

    Raises: TypeError unless `first` is boolean, ValueError unless it has one entry for each row of
    every array of the state.
    """
    if not isinstance(first, np.ndarray) or first.dtype != bool:
        raise TypeError(
            "first: expected a boolean array (B,), got "
            f"{getattr(first, 'dtype', type(first).__name__)}"
        )

    def reset(leaf: Array) -> Array:
        if first.shape != leaf.shape[:1]:
            raise ValueError(
                f"first: expected shape {leaf.shape[:1]}, one entry a sequence, got {first.shape}"
            )
        return np.where(first.reshape(-1, *[1] * (leaf.ndim - 1)), np.zeros_like(leaf), leaf)

    return tree_map(reset, state)


def check_is_layer(name: str, layer: object) -> None:
    """Raise TypeError unless `layer` is a layer: an object, not a class, with the four methods."""
    if isinstance(layer, Layer) and not isinstance(layer, type):
        return
    got = f"the class {layer.__name__}" if isinstance(layer, type) else type(layer).__name__
    raise TypeError(f"{name}: expected a layer, such as Recurrent(LSTM, 3, 4), got {got}")


def made_of_layers(*names: str, several: bool = False) -> Callable[[type[Object]], type[Object]]:
    """Return a decorator of a class: the fields `names` of its objects must be layers.

    several: the fields are tuples of layers.

    Raises: TypeError when an object is made of anything that is not a layer, with its place.

    Example:
        @made_of_layers("layer")
        @dataclass(frozen=True)
        class Residual: ...
    """

    def decorated(kind: Any) -> Any:
        init = kind.__init__

        @wraps(init)
        def checked_init(self: Any, *args: Any, **kwargs: Any) -> None:
            init(self, *args, **kwargs)
            for name in names:
                value = getattr(self, name)
                for place, layer in enumerate(value if several else [value]):
                    check_is_layer(f"{name}[{place}]" if several else name, layer)

        kind.__init__ = checked_init
        return kind

    return decorated


def check_stateless(layer: object, state: object) -> None:
    """Raise TypeError unless `state` is None or (), as it must be for a layer without a state."""
    if not (state is None or (isinstance(state, tuple) and not state)):
        raise TypeError(
            f"state: {type(layer).__name__} has none, expected None or (), "
            f"got {type(state).__name__}"
        )


def check_rng_or_none(rng: object) -> None:
    """Raise TypeError unless `rng` is a random generator or None, which is evaluation."""
    if rng is not None:
        check_rng(rng)
