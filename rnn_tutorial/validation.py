"""Checks of what functions are handed: each error names the argument, says what was expected and what came.

NumPy broadcasts, so `(1, D)` for `(B, D)`, or `(H,)` for `(B, H)`, gives an answer, and a wrong
one. Public functions call `check_array` on what they are handed.

Arrays are NumPy arrays. `np.matrix` and masked arrays are not taken for arrays, though they are
subclasses: the `*` of the first is a matrix product, and sums and means of the second leave entries
out. Numbers are float32 or float64 (or wider, or complex for the complex step). float16 is refused:
its largest number is 65,504 and its smallest 6e-8, so the mean over a long batch overflows, and an
epsilon of 1e-8 is zero.
"""

from math import isfinite, nan

import numpy as np

from rnn_tutorial.tree import tree_paths, tree_zip

__all__ = [
    "FLOATS",
    "NotFiniteError",
    "OTHER_ARITHMETIC",
    "check_array",
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
    "check_positive",
    "check_rng",
    "check_shape",
    "describe",
    "is_array",
    "misfits",
]

FLOATS = "fdgFDG"  # the characters of float32, float64, longdouble and their complex numbers
OTHER_ARITHMETIC = (np.matrix, np.ma.MaskedArray)


class NotFiniteError(ValueError):
    """A NaN or an infinity where finite numbers are needed."""


def is_array(value):
    """Return whether `value` is a NumPy array, with the arithmetic of one: see the top of this file."""
    return type(value) is np.ndarray or (
        isinstance(value, np.ndarray) and not isinstance(value, OTHER_ARITHMETIC)
    )


def check_array(name, array, *, dtype=None, **axes):
    """Raise an error unless `array` is an array with the named axes, in order.

    `check_array("x", x, dtype=params.b.dtype, B=None, D=4)` wants shape (B, D) with D = 4 and any
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


def check_dtype(name, array, dtype):
    """Raise TypeError unless `array` has the given dtype, that of the parameters, and it is a floating-point one."""
    if array.dtype != dtype:
        raise TypeError(
            f"{name}: expected dtype {np.dtype(dtype)}, the dtype of the parameters, got {array.dtype}"
        )
    if array.dtype.char not in FLOATS:
        raise TypeError(
            f"{name}: expected floating-point numbers, got {array.dtype} (float32 or float64 is needed)"
        )


def check_floats(name, tree):
    """Raise TypeError unless every leaf of `tree` is an array of floating-point numbers, float32 or float64.

    `check_floats("gradient", grads)` refuses whole numbers, which 0.1 times them would be cut to,
    and float16.
    """
    for path, leaf in tree_paths(tree, name):
        if not (is_array(leaf) or isinstance(leaf, np.generic)) or leaf.dtype.char not in FLOATS:
            wanted = "an array of floating-point numbers"
            raise TypeError(
                f"{path}: expected {wanted}, got {describe(leaf)} (float32 or float64 is needed)"
            )


def check_like(name, tree, reference):
    """Raise an error unless `tree` has the structure, shapes and dtypes of `reference`.

    A gradient has the type of the thing: `check_like("dstate", dstate, state)`. Dicts may have
    another order.

    Raises: ValueError for another structure or shape, TypeError for another dtype or anything that
    is not an array.
    """
    try:
        leaves = tree_zip(name, reference, tree)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    for path, want, got in leaves:
        check_shape(path, got, want.shape, want.dtype)


def check_shape(name, array, shape, dtype):
    """Raise an error unless `array` is an array of exactly this shape and dtype; a NumPy scalar has the shape ().

    Raises: TypeError for anything that is not a NumPy array or has another dtype, ValueError for
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


def check_fields(name, params, *fields):
    """Raise TypeError unless `params` has the named fields: the parameters of another layer have others."""
    if any(not hasattr(params, field) for field in fields):
        got = f"{type(params).__name__}({', '.join(getattr(params, '_fields', ()))})".replace(
            "()", ""
        )
        raise TypeError(
            f"{name}: expected parameters with the fields {', '.join(fields)}, got {got}"
        )


def check_kind(name, value, Kind):
    """Raise TypeError unless `value` is a `Kind`, by name and fields: one defined again in a notebook will do."""
    if (type(value).__name__, getattr(value, "_fields", None)) != (Kind.__name__, Kind._fields):
        raise TypeError(
            f"{name}: expected {Kind.__name__}({', '.join(Kind._fields)}), got {type(value).__name__}"
        )


def check_features(name, array, size, dtype):
    """Raise an error unless the last axis of `array` has `size` entries, after at least one other axis.

    Raises: TypeError for anything that is not a NumPy array of `dtype`, ValueError for another
    shape.
    """
    if not is_array(array):
        raise TypeError(
            f"{name}: expected a NumPy array of shape (..., {size}), got {type(array).__name__}"
        )
    if array.ndim < 2 or array.shape[-1] != size:
        raise ValueError(f"{name}: expected shape (..., {size}), got {array.shape}")
    check_dtype(name, array, dtype)


def check_indices(name, indices, V):
    """Raise an error unless `indices` is an array of integers in 0..V-1; it names the first one outside.

    Raises: TypeError for anything but integers, IndexError for one outside.
    """
    if not is_array(indices) or indices.dtype.kind not in "iu":
        got = indices.dtype if is_array(indices) else type(indices).__name__
        raise TypeError(f"{name}: expected an array of integers, got {got}")
    outside = (indices < 0) | (indices >= V)
    if outside.any():
        place = tuple(int(k) for k in np.argwhere(outside)[0])
        raise IndexError(
            f"{name}: expected indices in 0..{V - 1} (V = {V}), got {int(indices[place])} at {place}"
        )


def check_finite(name, array):
    """Raise NotFiniteError for an array with a NaN or an infinity, naming the first place.

    Raises: TypeError for an array of objects.
    """
    _refuse_objects(name, array)
    if not np.isfinite(array).all():
        index = tuple(int(k) for k in np.argwhere(~np.isfinite(array))[0])
        raise NotFiniteError(
            f"{name}: expected finite numbers, got {array[index]} at index {index}"
        )


def check_mask(mask, T, B):
    """Raise an error unless `mask` is boolean of shape (T, B): True on real steps, False on padding.

    Raises: TypeError for anything but a boolean array, ValueError for another shape.
    """
    if not is_array(mask) or mask.dtype != bool:
        got = mask.dtype if is_array(mask) else type(mask).__name__
        raise TypeError(f"mask: expected a boolean array, True on real steps, got {got}")
    check_array("mask", mask, T=T, B=B)


def check_positive(name, value):
    """Return `value` as a Python int. Raises: ValueError unless it is a positive whole number."""
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name}: expected a positive whole number, got {value!r}")
    return int(value)


def check_rng(rng):
    """Raise TypeError unless `rng` is a random generator: it is refused if it is a seed, or was forgotten."""
    if not isinstance(rng, np.random.Generator):
        raise TypeError(
            f"rng: expected a generator, such as np.random.default_rng(0), got {type(rng).__name__}"
        )


def check_number(name, value, *, above=None, at_least=None, below=None, at_most=None):
    """Return `value` as a Python float, which keeps float32 arrays float32 where a NumPy number would not.

    Raises: ValueError unless it is a finite real number within the bounds given.
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


def misfits(arrays, wanted):
    """Return a list of messages, one for each name that is missing or surplus in `arrays`, or does not fit.

    arrays: dict of arrays by name. wanted: dict of (shape, dtype) by name, where a dtype of None
    accepts any.
    """
    faults = [f"{name} is missing" for name in wanted if name not in arrays]
    faults += [f"{name} is surplus" for name in arrays if name not in wanted]
    for name in wanted.keys() & arrays.keys():
        (shape, dtype), got = wanted[name], arrays[name]
        if dtype is None and got.shape != shape:
            faults.append(f"{name} has shape {got.shape}, expected {shape}")
        if dtype is not None and (got.shape, got.dtype) != (shape, dtype):
            faults.append(f"{name} has {got.dtype} {got.shape}, expected {dtype} {shape}")
    return sorted(faults)


def describe(value):
    """Return what a value is, for an error message: "an array of int64", "list"."""
    return (
        f"an array of {value.dtype}"
        if is_array(value) or isinstance(value, np.generic)
        else type(value).__name__
    )


def _as_float(value):
    """Return a number as a Python float, and NaN for anything else, or a number too large for a float."""
    if not isinstance(value, (int, float, np.integer, np.floating)) or isinstance(value, bool):
        return nan
    try:
        return float(value)
    except OverflowError:
        return nan


def _refuse_objects(name, array):
    if array.dtype.hasobject:
        raise TypeError(
            f"{name}: expected an array of numbers, got an array of Python objects (dtype {array.dtype})"
        )


def _sizes_fit(shape, wanted):
    for size, want in zip(shape, wanted):
        if want is not None and want != size:
            return False
    return True


def _shape(axes):
    names = [name if size is None else f"{name}={size}" for name, size in axes.items()]
    return f"({names[0]},)" if len(names) == 1 else f"({', '.join(names)})"
