"""Checks of arguments: each error names the argument, says what was expected and what came.

NumPy broadcasts, so an array (1, D) in place of (B, D), or (H,) in place of (B, H), gives an answer
that is wrong. Public functions call `check_array` on their arguments.

Arrays are NumPy arrays. `np.matrix` and masked arrays are refused, although they are subclasses: in
the first `*` is a matrix product, and in the second sums and means leave entries out. Numbers are
float32 or float64 (or wider, or complex for the complex step). float16 is refused: its largest
number is 65,504 and its smallest 6e-8, so the mean over a long batch overflows, and an epsilon of
1e-8 is zero.
"""

from collections.abc import Iterable, Mapping
from math import isfinite, nan
from typing import Any, TypeGuard

import numpy as np

from rnn_tutorial.tree import tree_paths, tree_zip
from rnn_tutorial.types import Array, DTypeLike, Tree

__all__ = [
    "FLOATS",
    "NotFiniteError",
    "OTHER_ARITHMETIC",
    "check_array",
    "check_choice",
    "check_dtype",
    "check_features",
    "check_fields",
    "check_finite",
    "check_floats",
    "check_indices",
    "check_kind",
    "check_like",
    "check_mask",
    "check_number",
    "check_parts",
    "check_positive",
    "check_rng",
    "check_shape",
    "check_whole",
    "describe",
    "is_array",
    "misfits",
]

FLOATS = "fdgFDG"  # the characters of float32, float64, longdouble and their complex numbers
OTHER_ARITHMETIC = (np.matrix, np.ma.MaskedArray)


class NotFiniteError(ValueError):
    """A NaN or an infinity where finite numbers are needed."""


def is_array(value: object) -> TypeGuard[Array]:
    """Return whether `value` is a NumPy array, and neither a `np.matrix` nor a masked array."""
    return type(value) is np.ndarray or (
        isinstance(value, np.ndarray) and not isinstance(value, OTHER_ARITHMETIC)
    )


def check_array(
    name: str, array: object, *, dtype: DTypeLike | None = None, **axes: int | None
) -> None:
    """Raise an error unless `array` is an array with the named axes, in order.

    `check_array("x", x, dtype=params.b.dtype, B=None, D=4)` expects shape (B, D) with D = 4 and any
    B.

    Raises: TypeError for anything that is not a NumPy array, for an array of objects, or for
    another dtype than `dtype`, which must be a floating-point one; ValueError for another rank or
    size.
    """
    if not is_array(array):
        raise TypeError(
            f"{name}: expected a NumPy array of shape {_shape(axes)}, got {type(array).__name__}"
        )
    if array.ndim != len(axes) or not _sizes_fit(array.shape, axes.values()):
        raise ValueError(f"{name}: expected shape {_shape(axes)}, got {array.shape}")
    if dtype is None:
        _refuse_objects(name, array)
    else:
        check_dtype(name, array, dtype)


def check_dtype(name: str, array: Array, dtype: DTypeLike) -> None:
    """Raise TypeError unless `array` has the given dtype, and it is a floating-point one.

    `dtype` is that of the parameters, and the message says so.
    """
    if array.dtype != dtype:
        wanted = f"dtype {np.dtype(dtype)}, the dtype of the parameters"
        raise TypeError(f"{name}: expected {wanted}, got {array.dtype}")
    if array.dtype.char not in FLOATS:
        got = f"{array.dtype} (float32 or float64 is needed)"
        raise TypeError(f"{name}: expected floating-point numbers, got {got}")


def check_floats(name: str, tree: Tree) -> None:
    """Raise TypeError unless every leaf of `tree` is an array of floating-point numbers.

    `check_floats("gradient", grads)` refuses whole numbers, since an array of them cannot hold 0.1
    times itself, and float16. Complex numbers are accepted.
    """
    for path, leaf in tree_paths(tree, name):
        if not (is_array(leaf) or isinstance(leaf, np.generic)) or leaf.dtype.char not in FLOATS:
            wanted = "an array of floating-point numbers"
            raise TypeError(
                f"{path}: expected {wanted}, got {describe(leaf)} (float32 or float64 is needed)"
            )


def check_like(name: str, tree: Tree, reference: Tree) -> None:
    """Raise an error unless `tree` has the structure, shapes and dtypes of `reference`.

    A gradient has the type of what it belongs to: `check_like("dstate", dstate, state)`. The keys
    of dicts may have another order.

    Raises: ValueError for another structure or shape; TypeError for another dtype or anything that
    is not an array.
    """
    try:
        leaves = tree_zip(name, reference, tree)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    for path, want, got in leaves:
        check_shape(path, got, want.shape, want.dtype)


def check_shape(name: str, array: object, shape: tuple[int, ...], dtype: DTypeLike) -> None:
    """Raise an error unless `array` has this shape and dtype; a NumPy scalar has the shape ().

    Raises: TypeError for anything that is not a NumPy array or has another dtype; ValueError for
    another shape.
    """
    if not is_array(array) and not isinstance(array, np.generic):
        raise TypeError(
            f"{name}: expected a NumPy array of shape {shape}, got {type(array).__name__}"
        )
    if array.shape != shape:
        raise ValueError(f"{name}: expected shape {shape}, got {array.shape}")
    if array.dtype != dtype:
        raise TypeError(f"{name}: expected dtype {dtype}, got {array.dtype}")


def check_fields(name: str, params: Any, *fields: str) -> None:
    """Raise TypeError unless `params` has the fields: those of another layer have others."""
    if any(not hasattr(params, field) for field in fields):
        got = f"{type(params).__name__}({', '.join(getattr(params, '_fields', ()))})".replace(
            "()", ""
        )
        raise TypeError(
            f"{name}: expected parameters with the fields {', '.join(fields)}, got {got}"
        )


def check_parts(name: str, parts: object, count: int) -> None:
    """Raise ValueError unless `parts` is a tuple or list of `count`, one for each layer."""
    if not isinstance(parts, (tuple, list)) or len(parts) != count:
        got = len(parts) if isinstance(parts, (tuple, list)) else type(parts).__name__
        raise ValueError(f"{name}: expected a tuple of {count}, one for each layer, got {got}")


def check_kind(name: str, value: Any, Kind: Any) -> None:
    """Raise TypeError unless `value` is a `Kind`, a NamedTuple, by name and fields.

    So one that is defined again in a notebook is accepted.
    """
    if (type(value).__name__, getattr(value, "_fields", None)) != (Kind.__name__, Kind._fields):
        wanted = f"{Kind.__name__}({', '.join(Kind._fields)})"
        raise TypeError(f"{name}: expected {wanted}, got {type(value).__name__}")


def check_features(name: str, array: object, size: int, dtype: DTypeLike) -> None:
    """Raise an error unless `array` has the shape (..., size), with two axes at least.

    Raises: TypeError for anything that is not a NumPy array of `dtype`; ValueError for another
    shape.
    """
    if not is_array(array):
        raise TypeError(
            f"{name}: expected a NumPy array of shape (..., {size}), got {type(array).__name__}"
        )
    if array.ndim < 2 or array.shape[-1] != size:
        raise ValueError(f"{name}: expected shape (..., {size}), got {array.shape}")
    check_dtype(name, array, dtype)


def check_indices(name: str, indices: object, V: int) -> None:
    """Raise an error unless `indices` is an array of integers in 0..V-1.

    Raises: TypeError for anything but integers; IndexError, naming the first place, for one
    outside.
    """
    if not is_array(indices) or indices.dtype.kind not in "iu":
        got = indices.dtype if is_array(indices) else type(indices).__name__
        raise TypeError(f"{name}: expected an array of integers, got {got}")
    outside = (indices < 0) | (indices >= V)
    if outside.any():
        place = tuple(int(k) for k in np.argwhere(outside)[0])
        got = f"{int(indices[place])} at {place}"
        raise IndexError(f"{name}: expected indices in 0..{V - 1} (V = {V}), got {got}")


def check_finite(name: str, array: Array) -> None:
    """Raise NotFiniteError for an array with a NaN or an infinity, naming the first place.

    Raises: TypeError for an array of objects.
    """
    _refuse_objects(name, array)
    if np.count_nonzero(np.isfinite(array)) < array.size:  # `all` costs twice as much
        index = tuple(int(k) for k in np.argwhere(~np.isfinite(array))[0])
        raise NotFiniteError(
            f"{name}: expected finite numbers, got {array[index]} at index {index}"
        )


def check_mask(mask: object, T: int | None, B: int | None) -> None:
    """Raise an error unless `mask` is boolean (T, B): True on real steps, False on padding.

    A size of None allows any.

    Raises: TypeError for anything but a boolean array; ValueError for another shape.
    """
    if not is_array(mask) or mask.dtype != bool:
        got = mask.dtype if is_array(mask) else type(mask).__name__
        raise TypeError(f"mask: expected a boolean array, True on real steps, got {got}")
    check_array("mask", mask, T=T, B=B)


def check_positive(name: str, value: object) -> int:
    """Return `value` as a Python int.

    Raises: ValueError unless it is a positive whole number.
    """
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name}: expected a positive whole number, got {value!r}")
    return int(value)


def check_whole(name: str, value: object, low: int, high: int | None = None) -> int:
    """Return `value` as a Python int.

    Raises: ValueError unless it is a whole number from `low` on, and up to `high` if that is given.
    """
    if (
        not isinstance(value, (int, np.integer))
        or isinstance(value, bool)
        or value < low
        or (high is not None and value > high)
    ):
        wanted = f"of at least {low}" if high is None else f"from {low} to {high}"
        raise ValueError(f"{name}: expected a whole number {wanted}, got {value!r}")
    return int(value)


def check_choice(name: str, value: object, choices: Iterable[str]) -> None:
    """Raise ValueError unless `value` is one of the names in `choices`."""
    choices = list(choices)
    if not isinstance(value, str) or value not in choices:
        wanted = ", ".join(map(repr, choices))
        raise ValueError(f"{name}: expected one of {wanted}, got {value!r}")


def check_rng(rng: object) -> None:
    """Raise TypeError unless `rng` is a random generator: a seed, for one, is not."""
    if not isinstance(rng, np.random.Generator):
        raise TypeError(
            f"rng: expected a generator, such as np.random.default_rng(0), got {type(rng).__name__}"
        )


def check_number(
    name: str,
    value: object,
    *,
    above: float | None = None,
    at_least: float | None = None,
    below: float | None = None,
    at_most: float | None = None,
) -> float:
    """Return `value` as a Python float.

    A Python float keeps float32 arrays float32, where a NumPy number would not.

    Raises: ValueError unless it is a finite real number within the given bounds.
    """
    number = _as_float(value)
    inside = (
        isfinite(number)
        and (above is None or number > above)
        and (at_least is None or number >= at_least)
    )
    if not (
        inside and (below is None or number < below) and (at_most is None or number <= at_most)
    ):
        bounds = {"above": above, "at least": at_least, "below": below, "at most": at_most}
        wanted = " and ".join(
            f"{word} {bound}" for word, bound in bounds.items() if bound is not None
        )
        raise ValueError(f"{name}: expected a finite number {wanted}".rstrip() + f", got {value!r}")
    return number


def misfits(
    arrays: Mapping[str, Array],
    shapes: Mapping[str, tuple[int, ...]],
    dtypes: Mapping[str, np.dtype] | None = None,
) -> list[str]:
    """Return a list of messages, one for each name that is missing or surplus, or does not fit.

    arrays: arrays by name. shapes: the shapes that they must have, by the same names. dtypes: their
    dtypes; without it any dtype is accepted.
    """
    faults = [f"{name} is missing" for name in shapes if name not in arrays]
    faults += [f"{name} is surplus" for name in arrays if name not in shapes]
    for name in shapes.keys() & arrays.keys():
        shape, got = shapes[name], arrays[name]
        if dtypes is None and got.shape != shape:
            faults.append(f"{name} has shape {got.shape}, expected {shape}")
        if dtypes is not None and (got.shape, got.dtype) != (shape, dtypes[name]):
            faults.append(f"{name} has {got.dtype} {got.shape}, expected {dtypes[name]} {shape}")
    return sorted(faults)


def describe(value: object) -> str:
    """Return what a value is, for an error message: "an array of int64", "list"."""
    return (
        f"an array of {value.dtype}"
        if is_array(value) or isinstance(value, np.generic)
        else type(value).__name__
    )


def _as_float(value: object) -> float:
    """Return a number as a Python float; NaN for anything else, and for one that is too large."""
    if not isinstance(value, (int, float, np.integer, np.floating)) or isinstance(value, bool):
        return nan
    try:
        return float(value)
    except OverflowError:
        return nan


def _refuse_objects(name: str, array: Array) -> None:
    if array.dtype.hasobject:
        got = f"an array of Python objects (dtype {array.dtype})"
        raise TypeError(f"{name}: expected an array of numbers, got {got}")


def _sizes_fit(shape: tuple[int, ...], wanted: Iterable[int | None]) -> bool:
    for size, want in zip(shape, wanted):
        if want is not None and want != size:
            return False
    return True


def _shape(axes: Mapping[str, int | None]) -> str:
    names = [name if size is None else f"{name}={size}" for name, size in axes.items()]
    return f"({names[0]},)" if len(names) == 1 else f"({', '.join(names)})"
