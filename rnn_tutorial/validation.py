"""Refusing bad input: each error names the argument, says what was expected and what came.

NumPy broadcasts, so `(1, D)` for `(B, D)`, or `(H,)` for `(B, H)`, gives an answer, and a wrong one. Public functions
call `check_array` on what they are handed.
"""

import numpy as np

from rnn_tutorial.tree import tree_map, tree_paths


class NotFiniteError(ValueError):
    """A NaN or an infinity where finite numbers are needed."""


def check_array(name, array, *, dtype=None, **axes):
    """Return nothing, or refuse `array` unless it is an array with the named axes, in order.

    `check_array("x", x, dtype=params.b.dtype, B=None, D=4)` wants shape (B, D) with D = 4 and any B.

    Errors: TypeError for something that is no NumPy array, or of another dtype than `dtype`;
    ValueError for another rank or size.
    """
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{name}: expected a NumPy array of shape {_shape(axes)}, got {type(array).__name__}")
    if array.ndim != len(axes) or any(want not in (None, size) for want, size in zip(axes.values(), array.shape)):
        raise ValueError(f"{name}: expected shape {_shape(axes)}, got {array.shape}")
    if dtype is not None and array.dtype != dtype:
        raise TypeError(f"{name}: expected dtype {np.dtype(dtype)}, the dtype of the parameters, got {array.dtype}")


def check_like(name, tree, reference):
    """Return nothing, or refuse `tree` unless it has the structure, shapes and dtypes of `reference`.

    A gradient has the type of the thing: `check_like("dstate", dstate, state)`.
    """
    try:
        tree_map(lambda *_: None, reference, tree)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    for (path, want), (_, got) in zip(tree_paths(reference, name), tree_paths(tree, name)):
        check_shape(path, got, want.shape, want.dtype)


def check_shape(name, array, shape, dtype):
    """Return nothing, or refuse `array` unless it is an array of exactly this shape and dtype."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{name}: expected a NumPy array of shape {shape}, got {type(array).__name__}")
    if array.shape != shape:
        raise ValueError(f"{name}: expected shape {shape}, got {array.shape}")
    if array.dtype != dtype:
        raise TypeError(f"{name}: expected dtype {dtype}, got {array.dtype}")


def check_fields(name, params, *fields):
    """Return nothing, or refuse `params` unless it has the named fields: the parameters of another layer have others."""
    if any(not hasattr(params, field) for field in fields):
        got = f"{type(params).__name__}({', '.join(getattr(params, '_fields', ()))})".replace("()", "")
        raise TypeError(f"{name}: expected parameters with the fields {', '.join(fields)}, got {got}")


def check_kind(name, value, Kind):
    """Return nothing, or refuse `value` unless it is a `Kind`, by name and fields: one built again in a notebook will do."""
    if (type(value).__name__, getattr(value, "_fields", None)) != (Kind.__name__, Kind._fields):
        raise TypeError(f"{name}: expected {Kind.__name__}({', '.join(Kind._fields)}), got {type(value).__name__}")


def check_features(name, array, size, dtype):
    """Return nothing, or refuse `array` unless its last axis has `size` entries, after at least one other axis."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{name}: expected a NumPy array of shape (..., {size}), got {type(array).__name__}")
    if array.ndim < 2 or array.shape[-1] != size:
        raise ValueError(f"{name}: expected shape (..., {size}), got {array.shape}")
    if array.dtype != dtype:
        raise TypeError(f"{name}: expected dtype {dtype}, the dtype of the parameters, got {array.dtype}")


def check_indices(name, indices, V):
    """Return nothing, or refuse `indices` unless they are an array of integers in 0..V-1, naming the first outside.

    Errors: TypeError for anything but integers, IndexError for one outside.
    """
    if not isinstance(indices, np.ndarray) or not np.issubdtype(indices.dtype, np.integer):
        raise TypeError(f"{name}: expected an array of integers, got {getattr(indices, 'dtype', type(indices).__name__)}")
    outside = (indices < 0) | (indices >= V)
    if outside.any():
        place = tuple(int(k) for k in np.argwhere(outside)[0])
        raise IndexError(f"{name}: expected indices in 0..{V - 1} (V = {V}), got {int(indices[place])} at {place}")


def check_finite(name, array):
    """Return nothing, or raise NotFiniteError for an array with a NaN or an infinity, naming the first place."""
    if not np.isfinite(array).all():
        index = tuple(int(k) for k in np.argwhere(~np.isfinite(array))[0])
        raise NotFiniteError(f"{name}: expected finite numbers, got {array[index]} at index {index}")


def check_mask(mask, T, B):
    """Return nothing, or refuse a mask unless it is boolean of shape (T, B): True on real steps, False on padding."""
    if not isinstance(mask, np.ndarray) or mask.dtype != bool:
        raise TypeError(f"mask: expected a boolean array, True on real steps, got {getattr(mask, 'dtype', type(mask).__name__)}")
    check_array("mask", mask, T=T, B=B)


def check_positive(name, value):
    """Return nothing, or refuse a size that is not a positive whole number."""
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name}: expected a positive whole number, got {value!r}")


def check_rng(rng):
    """Return nothing, or refuse what is no random generator: a seed, most often, or a generator that was forgotten."""
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng: expected a generator, such as np.random.default_rng(0), got {type(rng).__name__}")


def check_number(name, value, *, above=None, at_least=None, below=None, at_most=None):
    """Return nothing, or refuse what is not a finite real number within the bounds given."""
    number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool) and np.isfinite(value)
    inside = number and (above is None or value > above) and (at_least is None or value >= at_least)
    if not (inside and (below is None or value < below) and (at_most is None or value <= at_most)):
        bounds = {"above": above, "at least": at_least, "below": below, "at most": at_most}
        wanted = " and ".join(f"{word} {bound}" for word, bound in bounds.items() if bound is not None)
        raise ValueError(f"{name}: expected a finite number {wanted}".rstrip() + f", got {value!r}")


def _shape(axes):
    names = [name if size is None else f"{name}={size}" for name, size in axes.items()]
    return f"({names[0]},)" if len(names) == 1 else f"({', '.join(names)})"
