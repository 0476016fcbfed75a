"""Checkpoints: any tree of arrays and numbers in one .npz file. Reading one runs no code.

    save("model.npz", {"params": step.params, "optimizer": step.optimizer_state, "rng": rng})
    like = {"params": start, "optimizer": optimizer.init(start), "rng": np.random.default_rng()}
    saved = load("model.npz", like)

The file holds one array for each leaf, under its path: `tree['params'][0].W_x`. A random generator
becomes the few arrays of its state. The file does not use pickle, so it does not hold the types of
the tree: they come from `like`, a tree of the same structure, such as freshly drawn parameters.
`version` says which edition of this module wrote the file, so that a later one can tell.
"""

import zipfile
from collections.abc import Iterator, Mapping
from os import PathLike
from typing import Any

import numpy as np

from rnn_tutorial.replacing import replacing
from rnn_tutorial.tree import tree_map, tree_paths
from rnn_tutorial.types import Array, Rng, Tree
from rnn_tutorial.validation import is_array, misfits

__all__ = [
    "CheckpointError",
    "LARGEST",
    "VERSION",
    "differences",
    "load",
    "save",
]

VERSION = 1
# In the state of a generator: NumPy reads an array at these places without a check.
LARGEST = {"pos": 624, "buffer_pos": 4}


class CheckpointError(ValueError):
    """The file is not a checkpoint, or the checkpoint of another tree."""


def save(path: str | PathLike[str], tree: Tree) -> None:
    """Write the leaves of `tree`, bit for bit, to a file of exactly the name `path`.

    A leaf is an array of any dtype but object, a Python or NumPy number, None, or a
    `np.random.Generator`. Of a generator the state is stored: what it draws next is the same, but
    the generators that its `spawn` would make are not. At any moment `path` is either the old file
    or the new one. A symbolic link and the permissions of the old file stay (see `replacing`).

    Raises: TypeError for another leaf, such as an int of more than 64 bits; FileNotFoundError for a
    missing folder.
    """
    arrays: dict[str, Any] = {"version": np.array(VERSION)} | _arrays(tree)
    with replacing(path) as file:
        np.savez(file, **arrays)


def load(path: str | PathLike[str], like: Tree) -> Tree:
    """Return the tree that was saved to `path`, with the structure and types of `like`.

    The values in `like` do not matter. In the place of a generator it has one of the same kind,
    such as `np.random.default_rng()`; a new one is returned.

    Raises: CheckpointError for a file that is not a checkpoint, is damaged, was written by a later
    edition, or does not fit: it lists every leaf that is missing or surplus, or has another shape
    or dtype. FileNotFoundError and the like as `open` does.
    """
    wanted, stored = _arrays(like), _read(path)
    version = stored.pop("version", None)
    if version is None or version.shape != () or version != VERSION:
        raise CheckpointError(
            f"{path} is no checkpoint of version {VERSION}: it has {_words(version)}"
        )
    if faults := differences(stored, wanted):
        raise CheckpointError(f"{path} does not fit: " + "; ".join(faults))
    leaves = iter([stored[place] for place in wanted])
    try:
        return tree_map(lambda leaf: _as_type_of(leaf, leaves), like)
    except (ValueError, TypeError, OverflowError) as error:  # no generator can have such a state
        raise CheckpointError(f"{path} is damaged: {error}") from error


def differences(stored: Mapping[str, Array], wanted: Mapping[str, Array]) -> list[str]:
    """Return a list of messages, one for each array of `stored` that differs from `wanted`.

    An array differs if it is missing or surplus, or has another shape or dtype.
    """
    shapes = {name: array.shape for name, array in wanted.items()}
    return misfits(stored, shapes, {name: array.dtype for name, array in wanted.items()})


def _words(version: Array | None) -> str:
    return "no version" if version is None else f"version {version}"


def _read(path: str | PathLike[str]) -> dict[str, Array]:
    """Return the arrays of an .npz file by name."""
    with open(path, "rb") as file:
        if not zipfile.is_zipfile(file):  # np.load would advise to load it as a pickle
            raise CheckpointError(f"{path} is no checkpoint, or a damaged one: it is no .npz file")
        file.seek(0)
        try:
            with np.load(file, allow_pickle=False) as stored:
                return {name: stored[name] for name in stored.files}
        except Exception as error:  # almost any, for a foreign or damaged file
            raise CheckpointError(
                f"{path} is no checkpoint, or a damaged one: {type(error).__name__}: {error}"
            ) from error


def _arrays(tree: Tree) -> dict[str, Array]:
    """Return the arrays of the leaves by their paths, in order; a generator has several."""
    plain = tree_map(
        lambda leaf: _state_of(leaf) if isinstance(leaf, np.random.Generator) else leaf, tree
    )
    return {
        place: _as_array(place, leaf)
        for place, leaf in tree_paths(plain, "tree")
        if leaf is not None
    }


def _as_array(place: str, leaf: Any) -> Array:
    """Return the leaf as an array that a file can hold exactly.

    Raises: TypeError if there is none.
    """
    if not _is_storable(leaf):
        raise TypeError(
            f"{place}: expected an array, a number, a generator or None, got {type(leaf).__name__}"
        )
    try:
        array = np.asarray(leaf, np.int64) if type(leaf) is int else np.asarray(leaf)
    except OverflowError:
        raise TypeError(
            f"{place}: expected an int of 64 bits, got one of {leaf.bit_length()}"
        ) from None
    descriptor = np.lib.format.dtype_to_descr(array.dtype)
    if array.dtype.hasobject or np.lib.format.descr_to_dtype(descriptor) != array.dtype:
        raise TypeError(f"{place}: an array of {array.dtype} cannot be stored without pickle")
    return array


def _is_storable(leaf: Any) -> bool:
    return is_array(leaf) or isinstance(leaf, (np.generic, bool, int, float, complex))


def _as_type_of(leaf: Any, stored: Iterator[Array]) -> Any:
    """Return the stored leaf with the type of `leaf`, from the next arrays of `stored`."""
    if leaf is None:
        return None
    if isinstance(leaf, np.random.Generator):
        return _generator_like(leaf, stored)
    array = next(stored)
    if is_array(leaf):
        return array
    return array[()] if isinstance(leaf, np.generic) else array.item()


def _state_of(generator: Rng) -> dict[str, Tree]:
    """Return the state of a generator as arrays, under its kind: {"PCG64": {"state": ...}}."""
    state = dict(generator.bit_generator.state)
    kind = state.pop("bit_generator")
    return {kind: tree_map(_as_words, state)}


def _generator_like(generator: Rng, stored: Iterator[Array]) -> Rng:
    """Return a new generator of the same kind, with the state that was stored."""
    bits = type(generator.bit_generator)()
    state = dict(generator.bit_generator.state)
    kind = state.pop("bit_generator")
    state = tree_map(lambda leaf: _from_words(leaf, next(stored)), state)
    for name, place in [*state.items(), *state["state"].items()]:
        if name in LARGEST and place > LARGEST[name]:
            raise ValueError(f"the state of {kind} has {name} = {place}, above {LARGEST[name]}")
    bits.state = {"bit_generator": kind} | state
    return np.random.Generator(bits)


def _as_words(number: Any) -> Array:
    """Return an int of up to 128 bits as two of 64, the lower first; an array as it is."""
    return number if is_array(number) else np.array([number % 2**64, number // 2**64], np.uint64)


def _from_words(leaf: Any, array: Array) -> Any:
    return array if is_array(leaf) else int(array[0]) + int(array[1]) * 2**64
