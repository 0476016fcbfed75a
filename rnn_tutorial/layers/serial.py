"""Layers put together: one after another, and a layer that adds to its inputs."""

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar, cast

import numpy as np

from rnn_tutorial.layers.layer import Layer, check_rng_or_none, made_of_layers
from rnn_tutorial.types import Array, Mask, Rng, Tree
from rnn_tutorial.validation import check_parts, check_shape

__all__ = [
    "Residual",
    "Serial",
    "norms_below",
]

Method = TypeVar("Method", bound=Callable[..., Any])


class _Named:
    """A layer of a Serial. An error from it gets a note that says which layer it is."""

    def __init__(self, layer: Layer, place: str) -> None:
        self.layer, self.place = layer, place

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.layer, name)

        def run(*args: Any, **kwargs: Any) -> Any:
            try:
                return method(*args, **kwargs)
            except Exception as error:
                error.add_note(f"in {self.place}: {self.layer!r}")
                raise

        return run


def _naming_layers(method: Method) -> Method:
    """Return a method of Serial. It checks rng; an error from a layer says from which one."""

    @wraps(method)
    def run(self: Any, *args: Any, **kwargs: Any) -> Any:
        check_rng_or_none(kwargs.get("rng"))
        places = (f"layer {k} of {type(self).__name__}" for k in range(len(self.layers)))
        named = copy(self)
        object.__setattr__(named, "layers", tuple(map(_Named, self.layers, places)))
        return method(named, *args, **kwargs)

    return cast(Method, run)


@made_of_layers("layers", several=True)
@dataclass(frozen=True, repr=False)
class Serial:
    """Layers one after another. Its parameters are the tuple of theirs, and so is its state.

    The mask goes to every layer. An error from a layer has a note that says which layer it was.

    Raises: TypeError for layers that are not given as one tuple, and for anything in it that is not
    a layer.
    """

    layers: tuple[Layer, ...]

    def __init__(self, layers: Sequence[Layer], *others: object) -> None:
        if others or not isinstance(layers, (tuple, list)):
            got = f"{1 + len(others)} arguments" if others else type(layers).__name__
            raise TypeError(
                f"layers: expected one tuple of layers, Serial((first, second)), got {got}"
            )
        object.__setattr__(self, "layers", tuple(layers))

    @_naming_layers
    def init(self, rng: Rng) -> tuple[Tree, ...]:
        """Return the tuple of the layers' parameters.

        They are drawn in order from one rng, so no two layers start alike.
        """
        return tuple(layer.init(rng) for layer in self.layers)

    @_naming_layers
    def initial_state(self, params: Any, batch_size: int) -> tuple[Tree, ...]:
        """Return the tuple of the layers' first states."""
        self._check("params", params)
        return tuple(
            layer.initial_state(part, batch_size) for layer, part in zip(self.layers, params)
        )

    @_naming_layers
    def forward(
        self,
        params: Any,
        xs: Array,
        state: Any = None,
        *,
        mask: Mask | None = None,
        rng: Rng | None = None,
    ) -> tuple[Array, tuple[Tree, ...], list[Any]]:
        """Return (ys of the last layer, the tuple of the layers' last states, caches).

        Raises: ValueError unless params and state have a part for each layer; TypeError for an rng
        that is not a generator.
        """
        states = (None,) * len(self.layers) if state is None else state
        self._check("params", params)
        self._check("state", states)
        after, caches = [], []
        for layer, part, layer_state in zip(self.layers, params, states):
            xs, layer_state, cache = layer.forward(part, xs, layer_state, mask=mask, rng=rng)
            after.append(layer_state)
            caches.append(cache)
        return xs, tuple(after), caches

    @_naming_layers
    def backward(
        self, params: Any, caches: Any, dys: Array, dstate: Any = None
    ) -> tuple[tuple[Tree, ...], Array | None, tuple[Tree, ...]]:
        """Return (the layers' dparams, dxs, the gradients of their first states), two tuples.

        Raises: ValueError unless params and dstate have a part for each layer.
        """
        dstates = (None,) * len(self.layers) if dstate is None else dstate
        self._check("params", params)
        self._check("dstate", dstates)
        dparams, dfirst = [], []
        for layer, part, cache, dlast in reversed(list(zip(self.layers, params, caches, dstates))):
            dpart, dys, dlayer_state = layer.backward(part, cache, dys, dlast)
            dparams.append(dpart)
            dfirst.append(dlayer_state)
        return tuple(dparams[::-1]), dys, tuple(dfirst[::-1])

    def _check(self, name: str, parts: Any) -> None:
        check_parts(name, parts, len(self.layers))

    def __repr__(self) -> str:
        lines = [line for layer in self.layers for line in f"{layer!r},".splitlines()]
        return "\n".join(["Serial((", *(f"    {line}" for line in lines), "))"])


@made_of_layers("layer")
@dataclass(frozen=True)
class Residual:
    """A layer that adds to its inputs: ys = xs + layer(xs). Inputs and outputs have one shape.

    In depth it is what the constant error carousel is in time: a path that passes the gradient back
    as it is. Its state is that of the layer. It is also the wrapper to copy for one of your own.

    Raises: TypeError for anything that is not a layer.

    Source: He et al. (2016), "Deep residual learning for image recognition".
    """

    layer: Layer

    def init(self, rng: Rng) -> Tree:
        """Return the parameters of the layer."""
        return self.layer.init(rng)

    def initial_state(self, params: Any, batch_size: int) -> Tree:
        """Return that of the layer."""
        return self.layer.initial_state(params, batch_size)

    def forward(
        self,
        params: Any,
        xs: Array,
        state: Any = None,
        *,
        mask: Mask | None = None,
        rng: Rng | None = None,
    ) -> tuple[Array, Tree, Any]:
        """Return (ys, last state, cache).

        Raises: ValueError if the layer changes the shape.
        """
        ys, state, cache = self.layer.forward(params, xs, state, mask=mask, rng=rng)
        check_shape("outputs of the layer", ys, xs.shape, xs.dtype)
        return xs + ys, state, cache

    def backward(
        self, params: Any, cache: Any, dys: Array, dstate: Any = None
    ) -> tuple[Tree, Array | None, Tree]:
        """Return (dparams, dxs, dfirst_state).

        xs has two paths to ys, so dxs is dys plus what comes back through the layer.
        """
        dparams, dxs, dstate = self.layer.backward(params, cache, dys, dstate)
        return dparams, dys + dxs, dstate


def norms_below(stack: Serial, params: Any, caches: Any, dys: Array) -> Array:
    """Return the norms of the gradient on its way down through the layers.

    The first is that of dys, then follows one below each layer, from the last layer to the first.
    Each is over all steps, sequences and units. The last states have no gradient of their own.

    Shapes: dys as the outputs of the stack; the norms (L + 1,) for L layers.

    Raises: ValueError unless params and caches have a part for each layer; TypeError for a layer
    whose inputs have no gradient, such as an Embedding.
    """
    check_parts("params", params, len(stack.layers))
    check_parts("caches", caches, len(stack.layers))
    norms = [np.linalg.norm(dys)]
    for layer, part, cache in reversed(list(zip(stack.layers, params, caches))):
        _, below, _ = layer.backward(part, cache, dys)
        if below is None:
            raise TypeError(f"stack: the inputs of {layer!r} have no gradient")
        dys = below
        norms.append(np.linalg.norm(dys))
    return np.array(norms)
