"""Checkpoints: any tree of arrays and numbers in one .npz file, without pickle, so that reading one runs no code.

    save("model.npz", {"params": step.params, "optimizer": step.optimizer_state})
    saved = load("model.npz", like={"params": params, "optimizer": optimizer.init(params)})

The file holds one array for each leaf, under its path: `tree['params'][0].W_x`. The types of the tree are not in the file: they
come from `like`, a tree of the same structure, such as freshly drawn parameters.
"""

import os
import zipfile
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import numpy as np

from rnn_tutorial.tree import tree_map, tree_paths


class CheckpointError(ValueError):
    """The file is no checkpoint, or not one of a tree like this."""


def save(path, tree):
    """Write the leaves of `tree`, bit for bit, to the file `path`, exactly of that name; its folder must exist.

    A leaf is an array of any dtype but object, a Python or NumPy number, or None. Whatever happens, `path` is either the old file
    or the new one. Errors: TypeError for another leaf, FileNotFoundError for a missing folder.
    """
    arrays = {place: _as_array(place, leaf) for place, leaf in tree_paths(tree, "tree") if leaf is not None}
    with replacing(path) as file:
        np.savez(file, **arrays)


@contextmanager
def replacing(path):
    """Yield a binary file to write, which takes the place of `path` at the end: that is either the old file or the new one.

    What is written stands beside its place and is moved there when all of it is on the disk; after an error nothing is left.
    Errors: FileNotFoundError for a missing folder.
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path}: the folder {path.parent} does not exist")
    part = path.with_name(f".{uuid4().hex}.part")
    try:
        with open(part, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)  # gone already unless something went wrong


def load(path, like):
    """Return the tree that was saved to `path`, of the structure and types of `like`; what `like` holds does not matter.

    Errors: CheckpointError for a file that is no checkpoint, is damaged, or does not fit: it lists every leaf that is missing, is
    too much, or has another shape or dtype. FileNotFoundError and the like as `open` raises them.
    """
    wanted = {place: _as_array(place, leaf) for place, leaf in tree_paths(like, "tree") if leaf is not None}
    stored = _read(path)
    if faults := differences(stored, wanted):
        raise CheckpointError(f"{path} does not fit: " + "; ".join(faults))
    leaves = iter([stored[place] for place in wanted])
    return tree_map(lambda leaf: None if leaf is None else _as_type_of(leaf, next(leaves)), like)


def differences(stored, wanted):
    """Return a list of words, one for each array that is missing or surplus in `stored`, or has another shape or dtype.

    stored, wanted: dicts of arrays by name.
    """
    faults = [f"{place} is missing" for place in wanted if place not in stored]
    faults += [f"{place} is surplus" for place in stored if place not in wanted]
    for place in wanted.keys() & stored.keys():
        want, got = wanted[place], stored[place]
        if (want.dtype, want.shape) != (got.dtype, got.shape):
            faults.append(f"{place} has {got.dtype} {got.shape}, expected {want.dtype} {want.shape}")
    return sorted(faults)


def _read(path):
    """Return the arrays of an .npz file by name."""
    with open(path, "rb") as file:
        if not zipfile.is_zipfile(file):  # NumPy would take it for a pickle, and advise to load it as one
            raise CheckpointError(f"{path} is no checkpoint, or a damaged one: it is no .npz file")
        file.seek(0)
        try:
            with np.load(file, allow_pickle=False) as stored:
                return {name: stored[name] for name in stored.files}
        except Exception as error:  # a foreign or damaged file makes the reader of zip and npy raise almost anything
            raise CheckpointError(f"{path} is no checkpoint, or a damaged one: {type(error).__name__}: {error}") from error


def _as_array(place, leaf):
    """Return the leaf as an array that a file can hold exactly, or refuse it."""
    if not isinstance(leaf, (np.ndarray, np.generic, bool, int, float, complex)):
        raise TypeError(f"{place}: expected an array, a number or None, got {type(leaf).__name__}")
    array = np.asarray(leaf, np.int64) if type(leaf) is int else np.asarray(leaf)
    descriptor = np.lib.format.dtype_to_descr(array.dtype)
    if array.dtype.hasobject or np.lib.format.descr_to_dtype(descriptor) != array.dtype:
        raise TypeError(f"{place}: an array of {array.dtype} cannot be stored without pickle")
    return array


def _as_type_of(leaf, array):
    if isinstance(leaf, np.ndarray):
        return array
    return array[()] if isinstance(leaf, np.generic) else array.item()
