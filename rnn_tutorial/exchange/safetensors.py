"""To and from safetensors: arrays by name in one file, which runs no code and which PyTorch, JAX and many others read.

to_safetensors("model.safetensors", params)                    names as in a checkpoint: tree[0].W_x
params = from_safetensors("model.safetensors", like=params)

to_safetensors("lstm.safetensors", to_pytorch(model, params))  a dict of arrays has its own names: weight_ih_l0
lstm.load_state_dict(safetensors.torch.load_file("lstm.safetensors"))                                 in PyTorch
"""

import json

import numpy as np

from rnn_tutorial.checkpoint import differences, replacing
from rnn_tutorial.exchange.layout import ExchangeError, detached, library, number_type, refuse
from rnn_tutorial.tree import tree_map, tree_paths

__all__ = [
    "CODES",
    "DTYPES",
    "from_safetensors",
    "to_safetensors",
]

DTYPES = (
    "bool",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "float16",
    "float32",
    "float64",
)
CODES = (
    "BOOL",
    "I8",
    "I16",
    "I32",
    "I64",
    "U8",
    "U16",
    "U32",
    "U64",
    "F16",
    "F32",
    "F64",
)  # of the same, in the head of a file


def to_safetensors(path, tree):
    """Write the arrays of `tree`, bit for bit, to the file `path`, exactly of that name; its folder must exist.

    tree: a dict of arrays, or of PyTorch's tensors, by name, which are the names in the file; or any other tree of arrays, such
    as parameters, whose names are then its paths. Whatever happens, `path` is either the old file or the new one.

    Raises: ImportError without the library safetensors; TypeError listing the leaves that are not arrays, or whose numbers are
    of a type that NumPy or such a file does not have, such as bfloat16; ValueError for the one name that a file keeps for
    itself, __metadata__; FileNotFoundError for a missing folder.
    """
    data = library("safetensors.numpy").save(_arrays(tree))
    with replacing(path) as file:
        file.write(data)


def from_safetensors(path, like=None):
    """Return the tree in the file `path`, of the structure of `like`; what `like` holds does not matter. The arrays are copies.

    like: a tree as `to_safetensors` takes it. Without it, the dict of all arrays by name, whatever they are.

    Raises: ImportError without the library safetensors; ExchangeError for a file that is none, is cut short, or does not fit:
    it lists every array that is missing or surplus, or has another shape or dtype, or numbers that NumPy does not have, such as
    BF16. FileNotFoundError and the like as `open` does.
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
    except Exception as error:  # of the library's own
        raise ExchangeError(
            f"{path} is no safetensors file for NumPy: {type(error).__name__}: {error}"
        ) from error
    if like is None:
        return stored
    wanted = _arrays(like)
    refuse(path, differences(stored, wanted))
    leaves = iter([stored[name] for name in wanted])
    return tree_map(lambda leaf: next(leaves), like)


def _arrays(tree):
    """Return the arrays of a tree by name, each in one piece, as the library wants them."""
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
    if others := [
        f"{name}, a {type(leaf).__name__}" for name, leaf in named.items() if not _is_array(leaf)
    ]:
        raise TypeError(f"tree: expected arrays or tensors, got {'; '.join(others)}")
    strange = {
        name: number_type(leaf) for name, leaf in named.items() if number_type(leaf) not in DTYPES
    }
    if strange:
        got = ", ".join(f"{name} of {kind}" for name, kind in strange.items())
        raise TypeError(f"tree: expected numbers of {', '.join(DTYPES)}; got {got}")
    return {name: np.asarray(detached(leaf), order="C") for name, leaf in named.items()}


def _strange(data):
    """Return words for the arrays of a file whose numbers NumPy does not have, such as BF16, from its head, which is JSON."""
    size = int.from_bytes(data[:8], "little")
    head = {
        name: entry["dtype"]
        for name, entry in json.loads(data[8 : 8 + size]).items()
        if name != "__metadata__"
    }
    return ", ".join(
        f"{name} of {kind}" for name, kind in sorted(head.items()) if kind not in CODES
    )


def _is_array(leaf):
    """Return True for what is an array or can be seen as one, as a tensor of PyTorch can."""
    return hasattr(leaf, "__array__")
