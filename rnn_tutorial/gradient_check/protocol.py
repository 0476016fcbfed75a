"""Does a layer have the methods of a layer, and do they return what they must?"""

from typing import Any

import numpy as np

from rnn_tutorial.gradient_check.slopes import check_plain, check_point
from rnn_tutorial.layers.layer import CannotContinue, Layer
from rnn_tutorial.tree import tree_map, tree_paths, tree_random_like
from rnn_tutorial.types import Array, Mask, Rng, Tree
from rnn_tutorial.validation import check_like

__all__ = [
    "METHODS",
    "check_backward_returns",
    "check_forward_returns",
    "check_inputs",
    "check_protocol",
    "first_state",
    "parts",
    "run_backward",
    "run_forward",
]

METHODS = [
    name for name, member in vars(Layer).items() if callable(member) and not name.startswith("_")
]
_FORWARD = "(ys, state, cache)"
_BACKWARD = "(dparams, dxs, dstate)"


def check_protocol(layer: Any) -> None:
    """Raise TypeError unless the layer has the methods of a Layer."""
    missing = [name for name in METHODS if not callable(getattr(layer, name, None))]
    if missing:
        raise TypeError(
            f"layer: expected the methods {', '.join(METHODS)}, "
            f"got {type(layer).__name__} without {missing[0]}"
        )


def check_inputs(xs: Any) -> None:
    """Raise an error unless xs is a plain NumPy array (T, B, ...) of float64 or of integers.

    Raises: TypeError for another type or dtype; ValueError for fewer than two axes, or for no step
    or no sequence; NotFiniteError for a NaN or an infinity.
    """
    check_plain("xs", xs)
    if np.asarray(xs).dtype.kind not in "iu":
        check_point("xs", xs)
    if np.ndim(xs) < 2 or 0 in np.shape(xs)[:2]:
        raise ValueError(
            f"xs: expected shape (T, B, ...), at least one step and one sequence, "
            f"got {np.shape(xs)}"
        )


def first_state(layer: Layer, params: Any, batch_size: int, rng: Rng) -> Any:
    """Return a first state drawn from N(0, 0.3^2), or None for a layer that cannot continue.

    Raises: ValueError unless every array of the state has a row for each sequence.
    """
    try:
        state = layer.initial_state(params, batch_size)
    except CannotContinue:
        return None
    _check_rows(f"{type(layer).__name__}.initial_state", state, batch_size)
    return tree_random_like(state, rng, 0.3)


def run_forward(
    layer: Layer, params: Any, xs: Array, state: Any, mask: Mask | None
) -> tuple[Array, Any, Any]:
    """Return layer.forward(...). Raises: TypeError unless it is (ys, state, cache)."""
    returned = layer.forward(params, xs, state, mask=mask)
    return parts(f"{type(layer).__name__}.forward", returned, _FORWARD)


def run_backward(
    layer: Layer, params: Any, cache: Any, dys: Array, dlast: Any = None
) -> tuple[Any, Any, Any]:
    """Return layer.backward(...). Raises: TypeError unless it is (dparams, dxs, dstate)."""
    returned = layer.backward(params, cache, dys, dlast)
    return parts(f"{type(layer).__name__}.backward", returned, _BACKWARD)


def parts(name: str, returned: Any, expected: str) -> Any:
    """Return `returned`, a plain tuple with as many parts as `expected` names.

    Raises: TypeError for anything else.
    """
    if type(returned) is not tuple or len(returned) != expected.count(",") + 1:
        got = f"a tuple of {len(returned)}" if type(returned) is tuple else type(returned).__name__
        raise TypeError(f"{name}: expected to get back {expected}, got {got}")
    return returned


def check_forward_returns(layer: Layer, xs: Array, state: Any, ys: Any, last: Any) -> None:
    """Raise TypeError or ValueError unless ys is an array and `last` is like the first state.

    The first state is None for a layer that cannot continue; then `last` must have a row for each
    sequence.
    """
    name = f"{type(layer).__name__}.forward"
    if not isinstance(ys, np.ndarray):
        raise TypeError(
            f"{name}: ys: expected a NumPy array, got {type(ys).__name__}; "
            f"it must return {_FORWARD}"
        )
    if state is not None:
        _check_part(f"{name}: state", last, state, _FORWARD)
    _check_rows(name, last, xs.shape[1])


def check_backward_returns(
    layer: Layer, params: Any, xs: Array, state: Any, returned: tuple[Any, Any, Any]
) -> None:
    """Raise TypeError or ValueError unless each gradient is like what it is the gradient of.

    Integers have no gradient: then dxs is not looked at. A layer that cannot continue has no first
    state, and then dstate is not looked at.
    """
    name = f"{type(layer).__name__}.backward"
    dparams, dxs, dstate = returned
    _check_part(f"{name}: dparams", dparams, params, _BACKWARD)
    if xs.dtype.kind == "f":
        _check_part(f"{name}: dxs", dxs, xs, _BACKWARD)
    if state is not None:
        _check_part(f"{name}: dstate", dstate, state, _BACKWARD)


def _check_part(name: str, got: Tree, want: Tree, expected: str) -> None:
    """Raise TypeError or ValueError unless `got` has the structure and shapes of `want`."""
    try:
        check_like(name, tree_map(_as_array, got), tree_map(_as_array, want))
    except (TypeError, ValueError) as error:
        raise type(error)(f"{error}; it must return {expected}") from None


def _as_array(leaf: Any) -> Any:
    """Return a Python number as an array, and anything else as it is."""
    return np.asarray(leaf) if isinstance(leaf, (int, float, complex)) else leaf


def _check_rows(name: str, state: Tree, batch_size: int) -> None:
    """Raise ValueError unless every array of the state has a row for each sequence."""
    for path, leaf in tree_paths(state, "state"):
        if np.shape(leaf)[:1] != (batch_size,):
            raise ValueError(
                f"{name}: {path}: expected shape ({batch_size}, ...), one row for each sequence, "
                f"got {np.shape(leaf)}"
            )
