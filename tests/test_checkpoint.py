"""A checkpoint comes back bit for bit, or is refused with a reason."""

import os
import pickle
from typing import NamedTuple

import numpy as np
import pytest

from rnn_tutorial.checkpoint import CheckpointError, load, save
from rnn_tutorial.optimizers import adagrad, adam, frozen, momentum, rmsprop, sgd
from rnn_tutorial.tree import tree_leaves, tree_map, tree_paths, tree_random_like


class Params(NamedTuple):
    W: np.ndarray
    b: np.ndarray


class Odd(NamedTuple):
    file: object  # a name that numpy.savez has for itself
    args: object


def params(seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    first = Params(rng.standard_normal((3, 4)).astype(dtype), np.zeros(4, dtype))
    return (first, (), Params(rng.standard_normal((4, 2)), np.ones(2)))


def assert_identical(tree, other):
    tree_map(lambda *_: None, tree, other)  # one structure, types included
    for (place, a), (_, b) in zip(tree_paths(tree), tree_paths(other), strict=True):
        assert type(a) is type(b), place
        if isinstance(a, np.ndarray):
            assert a.dtype == b.dtype and a.shape == b.shape, place
        assert np.asarray(a).tobytes() == np.asarray(b).tobytes(), place


nan_with_payload = np.array([0x7FF8DEADBEEF0001, 0xFFF0000000000123], np.uint64).view(np.float64)
TREES = {
    "parameters": params(),
    "one array": np.arange(6.0).reshape(2, 3),
    "no dimension": (np.array(2.5), np.array(True), np.array(7, np.int8)),
    "nothing": (),
    "nothing, nested": ({}, [], ((), ())),
    "numbers": {"step": 3, "rate": 0.1, "done": False, "z": 1 - 2j, "small": np.float32(0.1), "none": None},
    "special numbers": [nan_with_payload, np.array([-0.0, np.inf, 5e-324]), float("nan")],
    "dtypes": [np.ones(3, dtype) for dtype in "f2 f4 f8 c8 c16 i1 u8 >f8 >i4 ? U5 S3 M8[s]".split()],
    "structured": np.array([(1, 2.5)], dtype=[("a", "i4"), ("b", "f8")]),
    "empty arrays": [np.zeros((0, 3)), np.zeros((2, 0, 1), np.float32)],
    "names": Odd(np.ones(2), {"file": np.zeros(1), "a/b.npy": np.ones(1), "é '\" \\ ]": np.ones(2), 1: np.ones(1)}),
    "a name at the root": {"file": np.ones(2), "arr_0": np.zeros(1), "": np.ones(1)},
    "layouts": [np.asfortranarray(np.arange(6.0).reshape(2, 3)), np.arange(12.0).reshape(3, 4)[::2, ::-1]],
}


@pytest.mark.parametrize("tree", TREES.values(), ids=TREES)
def test_every_tree_comes_back_bit_for_bit(tmp_path, tree):
    save(tmp_path / "tree.npz", tree)
    assert_identical(load(tmp_path / "tree.npz", tree), tree)


@pytest.mark.parametrize(
    "optimizer",
    [sgd(0.1), momentum(0.1), adagrad(), rmsprop(), adam(), frozen(adam(), (False, True, True))],
    ids=["sgd", "momentum", "adagrad", "rmsprop", "adam", "frozen"],
)
def test_a_saved_optimizer_takes_the_same_next_step(tmp_path, optimizer):
    start = params(dtype=np.float32)
    rng = np.random.default_rng(1)
    _, state = optimizer.update(tree_random_like(start, rng), optimizer.init(start))
    save(str(tmp_path / "saved"), {"params": start, "optimizer": state})
    like = {"params": params(5, np.float32), "optimizer": optimizer.init(start)}
    saved = load(str(tmp_path / "saved"), like)
    assert_identical(saved["params"], start)
    grads = tree_random_like(start, rng)
    assert_identical(optimizer.update(grads, saved["optimizer"]), optimizer.update(grads, state))


def test_the_structure_and_types_come_from_like(tmp_path):
    save(tmp_path / "list", [np.ones(2), np.zeros(3)])
    loaded = load(tmp_path / "list", (np.zeros(2), np.zeros(3)))
    assert isinstance(loaded, tuple)
    save(tmp_path / "dict", {"a": np.ones(1), "b": np.zeros(1)})
    assert load(tmp_path / "dict", {"b": np.ones(1), "a": np.ones(1)}) == {"b": 0, "a": 1}


def test_what_was_loaded_is_the_callers_own(tmp_path):
    like = params()
    save(tmp_path / "p", like)
    loaded = load(tmp_path / "p", like)
    for a, b in zip(tree_leaves(loaded), tree_leaves(like), strict=True):
        assert a.flags.writeable and not np.shares_memory(a, b)


def test_the_file_has_the_name_it_was_given_and_is_small(tmp_path):
    save(tmp_path / "model.weights", params())
    assert os.listdir(tmp_path) == ["model.weights"]
    bytes_of_data = sum(leaf.nbytes for leaf in tree_leaves(params()))
    assert (tmp_path / "model.weights").stat().st_size < bytes_of_data + 500 * 4


def test_the_same_tree_gives_the_same_file(tmp_path):
    save(tmp_path / "a", params())
    save(tmp_path / "b", params())
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_other_programs_can_read_the_file(tmp_path):
    save(tmp_path / "p.npz", params())
    with np.load(tmp_path / "p.npz") as stored:
        assert stored.files == ["tree[0].W", "tree[0].b", "tree[2].W", "tree[2].b"]


def test_one_error_lists_everything_that_does_not_fit(tmp_path):
    save(tmp_path / "p", {"kept": np.ones(2), "shape": np.ones(3), "dtype": np.ones(4), "old": np.ones(5), "number": 3})
    like = {"kept": np.ones(2), "shape": np.ones((3, 1)), "dtype": np.ones(4, np.float32), "new": np.ones(5), "number": 3.0}
    with pytest.raises(CheckpointError) as caught:
        load(tmp_path / "p", like)
    for part in (
        str(tmp_path / "p"),
        "tree['shape'] has float64 (3,), expected float64 (3, 1)",
        "tree['dtype'] has float64 (4,), expected float32 (4,)",
        "tree['old'] is surplus",
        "tree['new'] is missing",
        "tree['number'] has int64 (), expected float64 ()",
    ):
        assert part in str(caught.value)
    assert "kept" not in str(caught.value)


def test_a_leaf_in_the_place_of_none_is_refused(tmp_path):
    save(tmp_path / "p", (np.ones(2), np.ones(2)))
    with pytest.raises(CheckpointError, match=r"tree\[1\] is surplus"):
        load(tmp_path / "p", (np.ones(2), None))


def test_a_truncated_file_is_refused_wherever_it_ends(tmp_path):
    save(tmp_path / "p", params())
    whole = (tmp_path / "p").read_bytes()
    for length in range(0, len(whole), 7):
        (tmp_path / "cut").write_bytes(whole[:length])
        with pytest.raises(CheckpointError, match="cut"):
            load(tmp_path / "cut", params())


def test_a_damaged_byte_never_gives_another_number(tmp_path):
    save(tmp_path / "p", params())
    whole = (tmp_path / "p").read_bytes()
    for place in range(0, len(whole), 5):
        (tmp_path / "bad").write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        try:
            loaded = load(tmp_path / "bad", params())
        except CheckpointError:
            continue
        assert_identical(loaded, params())  # a byte that carries nothing, such as a date


def test_a_foreign_file_is_refused(tmp_path):
    path = tmp_path / "foreign"
    np.savez(tmp_path / "other.npz", weights=np.ones(3))
    np.save(tmp_path / "single.npy", np.ones(3))
    np.savez(tmp_path / "objects.npz", tree=np.array([{}], dtype=object))
    contents = [
        b"",
        b"a text\n",
        b"PK\x03\x04 not a zip",
        pickle.dumps(params()),
        *((tmp_path / name).read_bytes() for name in ("other.npz", "single.npy", "objects.npz")),
    ]
    for content in contents:
        path.write_bytes(content)
        with pytest.raises(CheckpointError, match="foreign") as caught:
            load(path, np.ones(3))
        assert "pickle.load" not in str(caught.value)  # what NumPy advises for a file that it does not know


class Trap:
    """Something that, unpickled, makes a folder."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


def test_loading_runs_no_code_from_the_file(tmp_path):
    np.savez(tmp_path / "trap.npz", tree=np.array([Trap(tmp_path / "sprung")], dtype=object))
    with pytest.raises(CheckpointError):
        load(tmp_path / "trap.npz", np.ones(3))
    assert not (tmp_path / "sprung").exists()


def test_a_missing_file_or_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        load(tmp_path / "nowhere", params())
    with pytest.raises(FileNotFoundError, match="nofolder does not exist"):
        save(tmp_path / "nofolder" / "p", params())


def test_a_leaf_that_needs_pickle_is_refused_and_leaves_no_file(tmp_path):
    for wrong in (np.array([None]), "text", object(), np.zeros(1, dtype=[("a", object)])):
        with pytest.raises(TypeError, match=r"tree\[0\]"):
            save(tmp_path / "p", (wrong,))
    assert os.listdir(tmp_path) == []


def test_a_save_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    save(tmp_path / "p", np.ones(2))

    def full_disk(*_, **__):
        raise OSError("no space left on device")

    for name in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(os, name, full_disk)
            with pytest.raises(OSError, match="no space"):
                save(tmp_path / "p", np.zeros(2))
        assert os.listdir(tmp_path) == ["p"]
        assert_identical(load(tmp_path / "p", np.zeros(2)), np.ones(2))
