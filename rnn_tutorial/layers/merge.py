"""Four ways to put the outputs of two directions together, and what a merge of your own must be."""

from collections.abc import Callable
from functools import wraps
from typing import Any, NamedTuple

import numpy as np

from rnn_tutorial.types import Array
from rnn_tutorial.validation import check_shape, is_array

__all__ = [
    "MERGES",
    "Merge",
    "add",
    "add_backward",
    "add_of",
    "average",
    "average_backward",
    "average_of",
    "check_same_shape",
    "concat",
    "concat_backward",
    "concat_of",
    "merged",
    "merged_backward",
    "multiply",
    "multiply_backward",
    "multiply_of",
]


def _made_of_functions(kind: Any) -> Any:
    """Return the class Merge, whose two functions must be functions when one is made."""
    new = kind.__new__

    @wraps(new)
    def checked_new(kind: type, name: Any, f: Any, backward: Any) -> Any:
        for field, function in (("f", f), ("backward", backward)):
            if not callable(function):
                raise TypeError(
                    f"merge {name}: {field}: expected a function, got {type(function).__name__}"
                )
        return new(kind, name, f, backward)

    kind.__new__ = checked_new
    return kind


@_made_of_functions
class Merge(NamedTuple):
    """A name and two functions of the outputs of the two directions.

    f(forwards, backwards) -> ys
    backward(forwards, backwards, dys) -> (dforwards, dbackwards)

    They act on the last axis or on each entry. The template to copy is `add`, with `add_of` and
    `add_backward`. An `f` that acts on each entry begins with
    `check_same_shape(forwards, backwards)`: without it NumPy would stretch one unit over many.

    Shapes: forwards (T, B, M) and backwards (T, B, N), or (B, M) and (B, N) for one answer a
    sequence; ys keeps all axes but the last. A gradient has the shape of its array.

    Raises: TypeError unless f and backward are functions. `Bidirectional` raises TypeError or
    ValueError if ys, dforwards or dbackwards are anything else than described here.

    Example:
        def max_of(forwards, backwards):
            check_same_shape(forwards, backwards)
            return np.maximum(forwards, backwards)

        def max_backward(forwards, backwards, dys):
            return np.where(forwards >= backwards, dys, 0), np.where(forwards >= backwards, 0, dys)

        Bidirectional(first, second, Merge("max", max_of, max_backward))
    """

    name: str
    f: Callable[[Array, Array], Array]
    backward: Callable[[Array, Array, Array], tuple[Array, Array]]

    def __repr__(self) -> str:
        return self.name


def concat_of(forwards: Array, backwards: Array) -> Array:
    """Return [forwards, backwards], one after the other along the last axis."""
    return np.concatenate([forwards, backwards], axis=-1)


def concat_backward(forwards: Array, backwards: Array, dys: Array) -> tuple[Array, Array]:
    """Return (dforwards, dbackwards): the first part of dys, and the rest of it."""
    return dys[..., : forwards.shape[-1]], dys[..., forwards.shape[-1] :]


def add_of(forwards: Array, backwards: Array) -> Array:
    """Return forwards + backwards.

    Raises: ValueError for two arrays of different shapes.
    """
    check_same_shape(forwards, backwards)
    return forwards + backwards


def add_backward(forwards: Array, backwards: Array, dys: Array) -> tuple[Array, Array]:
    """Return (dys, dys): both receive all of it."""
    return dys, dys


def average_of(forwards: Array, backwards: Array) -> Array:
    """Return (forwards + backwards) / 2.

    Raises: ValueError for two arrays of different shapes.
    """
    check_same_shape(forwards, backwards)
    return (forwards + backwards) / 2


def average_backward(forwards: Array, backwards: Array, dys: Array) -> tuple[Array, Array]:
    """Return (dys / 2, dys / 2): both receive half of it."""
    return dys / 2, dys / 2


def multiply_of(forwards: Array, backwards: Array) -> Array:
    """Return forwards * backwards.

    Raises: ValueError for two arrays of different shapes.
    """
    check_same_shape(forwards, backwards)
    return forwards * backwards


def multiply_backward(forwards: Array, backwards: Array, dys: Array) -> tuple[Array, Array]:
    """Return (dys * backwards, dys * forwards), by the product rule."""
    return dys * backwards, dys * forwards


def check_same_shape(forwards: Array, backwards: Array) -> None:
    """Raise ValueError unless both have one shape: NumPy would stretch one unit over many."""
    if forwards.shape != backwards.shape:
        raise ValueError(
            f"backwards: expected shape {forwards.shape}, that of forwards, got {backwards.shape}"
        )


concat = Merge("concat", concat_of, concat_backward)
add = Merge("add", add_of, add_backward)
average = Merge("average", average_of, average_backward)
multiply = Merge("multiply", multiply_of, multiply_backward)

MERGES = (concat, add, average, multiply)


def merged(merge: Merge, forwards: Array, backwards: Array) -> Array:
    """Return merge.f(forwards, backwards).

    Raises: ValueError if it cannot merge them, or if the other axes than the last do not stay;
    TypeError if it returns anything that is not an array.
    """
    shapes = f"outputs of shape {forwards.shape} and {backwards.shape}"
    try:
        ys = merge.f(forwards, backwards)
    except ValueError as error:
        raise ValueError(f"merge: {merge.name} cannot merge {shapes}: {error}") from error
    if not is_array(ys):
        raise TypeError(
            f"merge: {merge.name} of {shapes}: expected an array, got {type(ys).__name__}"
        )
    if ys.shape[:-1] != forwards.shape[:-1]:
        raise ValueError(
            f"merge: {merge.name} of {shapes}: "
            f"expected all axes but the last to stay, got {ys.shape}"
        )
    return ys


def merged_backward(
    forwards: Array, backwards: Array, dys: Array, *, merge: Merge
) -> tuple[Array, Array]:
    """Return merge.backward(forwards, backwards, dys): (dforwards, dbackwards).

    Each has the shape and dtype of its array.

    Raises: TypeError for anything that is not a pair of arrays, or another dtype; ValueError for
    another shape.
    """
    answer, name = merge.backward(forwards, backwards, dys), f"merge {merge.name}: backward"
    if not isinstance(answer, (tuple, list)) or len(answer) != 2:
        several = f" of {len(answer)}" if isinstance(answer, (tuple, list)) else ""
        raise TypeError(
            f"{name}: expected (dforwards, dbackwards), got {type(answer).__name__}{several}"
        )
    dforwards, dbackwards = answer
    check_shape(f"{name}: dforwards", dforwards, forwards.shape, forwards.dtype)
    check_shape(f"{name}: dbackwards", dbackwards, backwards.shape, backwards.dtype)
    return dforwards, dbackwards
