"""Arrays as text, for the data of a figure: little-endian floats in base64, with their shape.

`kit.js` reads them with `unpack` and `unpackTree`.
"""

import base64
from typing import Any

import numpy as np

from rnn_tutorial.types import Array, Tree
from rnn_tutorial.validation import check_floats

__all__ = ["pack", "pack_tree", "unpack"]

_TYPES = {"float16": "<f2", "float32": "<f4", "float64": "<f8"}


def pack(array: Array, dtype: str = "float64") -> dict[str, Any]:
    """Return {"dtype", "shape", "base64"} of an array, rounded to float16, float32 or float64.

    Raises: TypeError for anything but floating-point numbers; ValueError for complex ones, another
    dtype, and an array with an entry that is not finite in it.

    Example:
    >>> pack(np.array([1.0, 2.0]), "float16")
    {'dtype': 'float16', 'shape': [2], 'base64': 'ADwAQA=='}
    """
    check_floats("array", array)
    _check_dtype(dtype)
    if np.iscomplexobj(array):
        raise ValueError(f"array: expected real numbers, got {array.dtype}")
    with np.errstate(over="ignore"):
        values = array.astype(_TYPES[dtype])
    if not np.isfinite(values).all():
        raise ValueError(f"array has an entry that is not finite as {dtype}")
    text = base64.b64encode(values.tobytes()).decode("ascii")
    return {"dtype": dtype, "shape": list(values.shape), "base64": text}


def pack_tree(tree: Tree, dtype: str = "float64") -> Any:
    """Return parameters as JSON: NamedTuples are dicts, tuples lists, arrays as in `pack`.

    Raises: as in `pack`.
    """
    if hasattr(tree, "_asdict"):
        return {name: pack_tree(part, dtype) for name, part in tree._asdict().items()}
    if isinstance(tree, dict):
        return {name: pack_tree(part, dtype) for name, part in tree.items()}
    if isinstance(tree, (tuple, list)):
        return [pack_tree(part, dtype) for part in tree]
    return pack(tree, dtype)


def unpack(packed: dict[str, Any]) -> Array:
    """Return the array of `pack`, as float64.

    Raises: TypeError for anything but a dict with the keys that `pack` writes; ValueError for a
    dtype that it does not write.
    """
    if not isinstance(packed, dict) or not {"dtype", "shape", "base64"} <= packed.keys():
        raise TypeError(f"packed: expected a dict with dtype, shape and base64, got {packed!r}")
    _check_dtype(packed["dtype"])
    values = np.frombuffer(base64.b64decode(packed["base64"]), dtype=_TYPES[packed["dtype"]])
    return values.reshape(packed["shape"]).astype(np.float64)


def _check_dtype(dtype: str) -> None:
    if dtype not in _TYPES:
        raise ValueError(f"dtype is {dtype!r}, expected one of {list(_TYPES)}")
