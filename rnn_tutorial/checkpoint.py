"""Checkpoints: any tree of arrays and numbers in one .npz file, without pickle, so that reading one runs no code.

    save("model.npz", {"params": step.params, "optimizer": step.optimizer_state, "rng": rng})
    like = {"params": params, "optimizer": optimizer.init(params), "rng": np.random.default_rng()}
    saved = load("model.npz", like)

The file holds one array for each leaf, under its path: `tree['params'][0].W_x`; a random generator
becomes the few arrays of its state. The types of the tree are not in the file: they come from
`like`, a tree of the same structure, such as freshly drawn parameters. `version` says which edition
of this module wrote the file, so that a later one can tell.
"""

import zipfile

import numpy as np

from rnn_tutorial.replacing import replacing
from rnn_tutorial.tree import tree_map, tree_paths
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
LARGEST = {
    "pos": 624,
    "buffer_pos": 4,
}  # in the state of a generator: NumPy reads its array at that place without a check


class CheckpointError(ValueError):
    """The file is no checkpoint, or not one of a tree like this."""


def save(path, tree):
    """Write the leaves of `tree`, bit for bit, to the file `path`, exactly of that name; its folder must exist.

    A leaf is an array of any dtype but object, a Python or NumPy number, None, or a
    `np.random.Generator`, of which the state is stored: what it draws next is the same, while the
    generators that its `spawn` would make are not. Whatever happens, `path` is either the old file
    or the new one; a symbolic link and the permissions of the old file stay (see `replacing`).

    Raises: TypeError for another leaf, such as an int beyond 64 bits, FileNotFoundError for a
    missing folder.
    """
    arrays = _arrays(tree)
    with replacing(path) as file:
        np.savez(file, version=np.array(VERSION), **arrays)


def load(path, like):
    """Return the tree that was saved to `path`, of the structure and types of `like`; what `like` holds does not matter.

    For a generator, `like` has one of the same kind, such as `np.random.default_rng()`; a new one
    is returned.

    Raises: CheckpointError for a file that is no checkpoint, is damaged, was written by a later
    edition, or does not fit: it lists every leaf that is missing, is too much, or has another shape
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
    except (
        ValueError,
        TypeError,
        OverflowError,
    ) as error:  # the state of a generator that none can have
        raise CheckpointError(f"{path} is damaged: {error}") from error


def differences(stored, wanted):
    """Return a list of messages, one for each array that is missing or surplus in `stored`, or has another shape or dtype.

    stored, wanted: dicts of arrays by name.
    """
    return misfits(stored, {name: (array.shape, array.dtype) for name, array in wanted.items()})


def _words(version):
    return "no version" if version is None else f"version {version}"


def _read(path):
    """Return the arrays of an .npz file by name."""
    with open(path, "rb") as file:
        if not zipfile.is_zipfile(
            file
        ):  # NumPy would take it for a pickle, and advise to load it as one
            raise CheckpointError(f"{path} is no checkpoint, or a damaged one: it is no .npz file")
        file.seek(0)
        try:
            with np.load(file, allow_pickle=False) as stored:
                return {name: stored[name] for name in stored.files}
        except Exception as error:  # a foreign or damaged file makes the reader of zip and npy raise almost anything
            raise CheckpointError(
                f"{path} is no checkpoint, or a damaged one: {type(error).__name__}: {error}"
            ) from error


def _arrays(tree):
    """Return the arrays of the leaves by their paths, in order; a generator has several."""
    plain = tree_map(
        lambda leaf: _state_of(leaf) if isinstance(leaf, np.random.Generator) else leaf, tree
    )
    return {
        place: _as_array(place, leaf)
        for place, leaf in tree_paths(plain, "tree")
        if leaf is not None
    }


def _as_array(place, leaf):
    """Return the leaf as an array that a file can hold exactly. Raises: TypeError if there is none."""
    if not (is_array(leaf) or isinstance(leaf, (np.generic, bool, int, float, complex))):
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


def _as_type_of(leaf, stored):
    """Return what was stored, of the type of `leaf`, taking as many arrays from `stored` as it needs."""
    if leaf is None:
        return None
    if isinstance(leaf, np.random.Generator):
        return _generator_like(leaf, stored)
    array = next(stored)
    if is_array(leaf):
        return array
    return array[()] if isinstance(leaf, np.generic) else array.item()


def _state_of(generator):
    """Return the state of a generator as a tree of arrays, under the name of its kind: {"PCG64": {"state": ...}}."""
    state = dict(generator.bit_generator.state)
    kind = state.pop("bit_generator")
    return {kind: tree_map(_as_words, state)}


def _generator_like(generator, stored):
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


def _as_words(number):
    """Return an int of up to 128 bits as two of 64, the lower first; an array as it is."""
    return number if is_array(number) else np.array([number % 2**64, number // 2**64], np.uint64)


def _from_words(leaf, array):
    return array if is_array(leaf) else int(array[0]) + int(array[1]) * 2**64
