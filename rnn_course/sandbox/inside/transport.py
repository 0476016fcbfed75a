"""Trees of arrays as bytes, for the way into the sandbox and back.

It needs the standard library and NumPy alone: the worker in the sandbox imports it. A message is a
JSON header followed by the bytes of the arrays. What comes back was written by a process that runs
student code, so `read_messages` checks every size against the bytes that are there before it makes
anything of that size. The format is not pickle, which would run code, and not .npz: a zip file can
unpack to far more than its size.

A number arrives as the kind that it is: a float of Python as a float, an int as an int, a number of
NumPy as a number of NumPy. An array without axes would be changed by `limit /= norm`.
"""

import json
import math
import struct
from collections import namedtuple
from collections.abc import Iterator
from typing import Any

import numpy as np

KINDS = (
    "|b1",
    "|i1",
    "|u1",
    "<i2",
    "<u2",
    "<i4",
    "<u4",
    "<i8",
    "<u8",
    "<f2",
    "<f4",
    "<f8",
    "<c8",
    "<c16",
)
NUMBERS = (bool, int, float)  # of Python
WHOLE_LIMIT = 1 << 63  # a whole number is smaller: no array holds a larger one
HEADER_LIMIT = 1 << 20  # bytes of one header
# How many messages, branches and arrays are read in all: to make them takes far longer than to
# forge them.
NODES_LIMIT = 20_000


class TransportError(ValueError):
    """The bytes are not a message."""


class Other(namedtuple("Other", "kind")):
    """A leaf that is not an array of numbers: only the name of its type is sent."""


def write_message(event: dict[str, Any], tree: Any = None) -> bytes:
    """Return the bytes of one message: `event`, a dict of plain values, `tree`, a tree of arrays.

    Raises: TransportError for a tree that is too deep or too large.
    """
    arrays: list[np.ndarray] = []
    header = {
        "event": event,
        "tree": _outline(tree, arrays),
        "arrays": [[a.dtype.str, list(a.shape)] for a in arrays],
    }
    text = json.dumps(header).encode()
    body = b"".join(a.tobytes() for a in arrays)
    return struct.pack("<II", len(text), len(body)) + text + body


def read_messages(
    data: bytes, header_limit: int = HEADER_LIMIT
) -> list[tuple[dict[str, Any], Any]]:
    """Return the list of (event, tree) in `data`; a last message that was cut off is left out.

    NamedTuples come back as NamedTuples of new classes, leaves as arrays, numbers, None or Other.

    header_limit: the bytes that one header may have. A task, whose header holds a notebook, needs
    more than a message that somebody may have forged.

    Raises: TransportError for bytes that are not messages, and for more of them than are allowed.
    """
    messages, place, nodes = [], 0, iter(range(NODES_LIMIT))
    while place + 8 <= len(data):
        header_size, body_size = struct.unpack_from("<II", data, place)
        if header_size > header_limit:
            raise TransportError("a header that is too long")
        start, place = place + 8, place + 8 + header_size + body_size
        if place > len(data):
            break
        messages.append(
            _read_message(
                data[start : start + header_size], data[start + header_size : place], nodes
            )
        )
    return messages


def _count(nodes: Iterator[int], cost: int = 1) -> None:
    """Take `cost` from the nodes that may still be read. Raise TransportError if none is left."""
    if any(next(nodes, None) is None for _ in range(cost)):
        raise TransportError("more than anybody would send")


def _read_message(text: bytes, body: bytes, nodes: Iterator[int]) -> tuple[dict[str, Any], Any]:
    """Return the (event, tree) of one message.

    Raises: TransportError for anything that is not a message.
    """
    _count(nodes)
    try:
        header = json.loads(text)
        event, outline, specs = header["event"], header["tree"], header["arrays"]
        if not isinstance(event, dict) or not isinstance(specs, list):
            raise TransportError("a header of another form")
        return event, _tree(outline, iter(_arrays(specs, body, nodes)), nodes)
    except TransportError:
        raise
    except Exception as error:  # whatever a hostile header makes json, NumPy or the stack do
        raise TransportError(f"{type(error).__name__}: {error}") from None


def _arrays(specs: list[Any], body: bytes, nodes: Iterator[int]) -> list[np.ndarray]:
    """Return the arrays of a message from their (dtype, shape) and its body.

    Raises: TransportError for another dtype or shape, and for an array longer than the body.
    """
    arrays, place = [], 0
    for kind, shape in specs:
        _count(nodes)
        if kind not in KINDS or not all(type(n) is int and n >= 0 for n in shape) or len(shape) > 8:
            raise TransportError("an array of another kind")
        dtype = np.dtype(kind)
        size = math.prod(shape) * dtype.itemsize
        if place + size > len(body):
            raise TransportError("an array that is longer than its message")
        arrays.append(
            np.frombuffer(body, dtype, math.prod(shape), place).reshape(shape)
            if size
            else np.zeros(shape, dtype)
        )
        place += size
    return arrays


def _outline(tree: Any, arrays: list[np.ndarray], depth: int = 0) -> Any:
    """Return the tree as plain values, and append its arrays to `arrays`.

    Raises: TransportError for a tree that is too deep or too large.
    """
    if depth > 20 or len(arrays) > NODES_LIMIT:
        raise TransportError("a tree that is too deep or too large")
    if tree is None:
        return None
    if isinstance(tree, (tuple, list)):
        branches = [_outline(branch, arrays, depth + 1) for branch in tree]
        fields = list(map(str, getattr(tree, "_fields", ())))
        return {
            "name": type(tree).__name__,
            "fields": fields,
            "list": isinstance(tree, list),
            "branches": branches,
        }
    if type(tree) is float or (type(tree) in NUMBERS and abs(tree) < WHOLE_LIMIT):
        return {"number": tree}
    numbers = isinstance(tree, (np.ndarray, np.generic, complex))
    array = sendable(np.asarray(tree)) if numbers else None
    if array is None:
        return {"other": type(tree).__name__}
    arrays.append(array)
    return "array" if isinstance(tree, np.ndarray) else "number of NumPy"


def sendable(array: np.ndarray) -> np.ndarray | None:
    """Return the array in one of KINDS; None if there is none, as for objects and text.

    More digits than those of float64, which some machines have, are rounded to float64.
    """
    wide = {"f": np.float64, "c": np.complex128}.get(array.dtype.kind)
    dtype = array.dtype.newbyteorder("<")
    if wide is not None and dtype.itemsize > np.dtype(wide).itemsize:
        dtype = np.dtype(wide)
    if dtype.str not in KINDS:
        return None
    return np.ascontiguousarray(array, dtype).reshape(array.shape)


def _tree(outline: Any, arrays: Iterator[np.ndarray], nodes: Iterator[int], depth: int = 0) -> Any:
    """Return the tree of an outline.

    Raises: TransportError for one that is too deep or too large.
    """
    _count(nodes)
    if depth > 20:
        raise TransportError("a tree that is too deep")
    if outline is None:
        return None
    if outline == "array":
        return next(arrays)
    if outline == "number of NumPy":
        return next(arrays)[()]
    if "number" in outline:
        return _number(outline["number"])
    if "other" in outline:
        return Other(str(outline["other"])[:80])
    branches = [_tree(branch, arrays, nodes, depth + 1) for branch in outline["branches"]]
    if outline["list"]:
        return branches
    if not outline["fields"]:
        return tuple(branches)
    _count(nodes, cost=10)  # a class has to be made
    return namedtuple(str(outline["name"]), list(map(str, outline["fields"])))(*branches)


def _number(value: Any) -> bool | int | float:
    """Return a number of Python. Raise TransportError for anything else."""
    if type(value) not in NUMBERS or (type(value) is int and abs(value) >= WHOLE_LIMIT):
        raise TransportError("a number of another kind")
    number: bool | int | float = value
    return number
