"""To and from safetensors: arrays by name in one file, which PyTorch, JAX and many others read.

    to_safetensors("model.safetensors", params)          names as in a checkpoint: tree[0].W_x
    params = from_safetensors("model.safetensors", like=params)

    to_safetensors("lstm.safetensors", to_pytorch(model, params))   names of the dict: weight_ih_l0
    lstm.load_state_dict(safetensors.torch.load_file("lstm.safetensors"))                in PyTorch

Reading such a file runs no code.
"""

import json
from os import PathLike

import numpy as np

from rnn_tutorial.checkpoint import differences
from rnn_tutorial.exchange.layout import ExchangeError, detached, library, number_type, refuse
from rnn_tutorial.replacing import replacing
from rnn_tutorial.tree import tree_map, tree_paths
from rnn_tutorial.types import Array, Tree

__all__ = [
    "DTYPES",
    "from_safetensors",
    "to_safetensors",
]

# NumPy's names of the types of numbers that a file can have, and the file's own names.
CODE_OF = {
    "bool": "BOOL",
    "int8": "I8",
    "int16": "I16",
    "int32": "I32",
    "int64": "I64",
    "uint8": "U8",
    "uint16": "U16",
    "uint32": "U32",
    "uint64": "U64",
    "float16": "F16",
    "float32": "F32",
    "float64": "F64",
}
DTYPES, CODES = tuple(CODE_OF), tuple(CODE_OF.values())


def to_safetensors(path: str | PathLike[str], tree: Tree) -> None:
    """Write the arrays of `tree`, bit for bit, to a file of exactly the name `path`.

    tree: a dict of arrays or PyTorch tensors by name, and these are the names in the file; or any
    other tree of arrays, such as parameters, and then the names are its paths. At any moment `path`
    is either the old file or the new one.

    Raises: ImportError without the library safetensors; TypeError, listing the leaves that are not
    arrays, or whose numbers are of a type that NumPy or such a file does not have, such as
    bfloat16; ValueError for the name __metadata__, which the file uses itself; FileNotFoundError
    for a missing folder.
    """
    data = library("safetensors.numpy").save(_arrays(tree))
    with replacing(path) as file:
        file.write(data)


def from_safetensors(path: str | PathLike[str], like: Tree = None) -> Tree:
    """Return the tree in the file `path`, of the structure of `like`. The arrays are copies.

    like: a tree as `to_safetensors` takes it; its values do not matter. Without it, the result is
    the dict of all arrays by name.

    Raises: ImportError without the library safetensors; ExchangeError for a file that is not a
    safetensors file, is incomplete, or does not fit: it lists every array that is missing or
    surplus, or has another shape or dtype, or numbers that NumPy does not have, such as BF16.
    FileNotFoundError and the like as `open` does.
    """
    safetensors = library("safetensors.numpy")
    with open(path, "rb") as file:
        data = file.read()
    try:
        stored = {name: array.copy() for name, array in safetensors.load(data).items()}
    except KeyError as error:
        raise ExchangeError(
            f"{path} holds numbers that NumPy does not have: {_strange(data)}"
        ) from error
    except Exception as error:  # the library has its own kinds of errors
        raise ExchangeError(
            f"{path} is no safetensors file for NumPy: {type(error).__name__}: {error}"
        ) from error
    if like is None:
        return stored
    wanted = _arrays(like)
    refuse(path, differences(stored, wanted))
    leaves = iter([stored[name] for name in wanted])
    return tree_map(lambda leaf: next(leaves), like)


def _arrays(tree: Tree) -> dict[str, Array]:
    """Return the arrays of a tree by name, each contiguous, as the library needs them."""
    own = (
        isinstance(tree, dict)
        and all(isinstance(name, str) for name in tree)
        and all(map(_is_array, tree.values()))
    )
    named = tree if own else dict(tree_paths(tree, "tree"))
    if "__metadata__" in named:
        raise ValueError(
            "__metadata__ cannot be the name of an array: a safetensors file has words there"
        )
    others = [(name, type(leaf)) for name, leaf in named.items() if not _is_array(leaf)]
    if others:
        raise TypeError(
            "tree: expected arrays or tensors, got "
            + "; ".join(f"{name}, a {kind.__name__}" for name, kind in others)
        )
    strange = {
        name: number_type(leaf) for name, leaf in named.items() if number_type(leaf) not in DTYPES
    }
    if strange:
        got = ", ".join(f"{name} of {kind}" for name, kind in strange.items())
        raise TypeError(f"tree: expected numbers of {', '.join(DTYPES)}; got {got}")
    return {name: np.asarray(detached(leaf), order="C") for name, leaf in named.items()}


def _strange(data: bytes) -> str:
    """Return words for the arrays of types that NumPy does not have; the header is JSON."""
    size = int.from_bytes(data[:8], "little")
    head = {
        name: entry["dtype"]
        for name, entry in json.loads(data[8 : 8 + size]).items()
        if name != "__metadata__"
    }
    return ", ".join(
        f"{name} of {kind}" for name, kind in sorted(head.items()) if kind not in CODES
    )


def _is_array(leaf: object) -> bool:
    """Return whether `leaf` is an array or can become one, as a PyTorch tensor can."""
    return hasattr(leaf, "__array__")
