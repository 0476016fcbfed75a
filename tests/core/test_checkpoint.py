"""A checkpoint comes back bit for bit, or is refused with a reason."""

import os
import pickle
import signal
import subprocess
import sys
from typing import NamedTuple

import numpy as np
import pytest

from rnn_tutorial.checkpoint import CheckpointError, load, save
from rnn_tutorial.train import adagrad, adam, frozen, momentum, rmsprop, sgd
from rnn_tutorial.tree import tree_leaves, tree_map, tree_paths, tree_random_like


class Params(NamedTuple):
    W: np.ndarray
    b: np.ndarray


class Odd(NamedTuple):
    file: object  # the name of an argument of numpy.savez
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
    "numbers": {
        "step": 3,
        "rate": 0.1,
        "done": False,
        "z": 1 - 2j,
        "small": np.float32(0.1),
        "none": None,
    },
    "special numbers": [nan_with_payload, np.array([-0.0, np.inf, 5e-324]), float("nan")],
    "dtypes": [
        np.ones(3, dtype) for dtype in "f2 f4 f8 c8 c16 i1 u8 >f8 >i4 ? U5 S3 M8[s]".split()
    ],
    "structured": np.array([(1, 2.5)], dtype=[("a", "i4"), ("b", "f8")]),
    "empty arrays": [np.zeros((0, 3)), np.zeros((2, 0, 1), np.float32)],
    "names": Odd(
        np.ones(2),
        {"file": np.zeros(1), "a/b.npy": np.ones(1), "é '\" \\ ]": np.ones(2), 1: np.ones(1)},
    ),
    "a name at the root": {"file": np.ones(2), "arr_0": np.zeros(1), "": np.ones(1)},
    "layouts": [
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(12.0).reshape(3, 4)[::2, ::-1],
    ],
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
        assert stored.files == ["version", "tree[0].W", "tree[0].b", "tree[2].W", "tree[2].b"]


def test_one_error_lists_everything_that_does_not_fit(tmp_path):
    save(
        tmp_path / "p",
        {
            "kept": np.ones(2),
            "shape": np.ones(3),
            "dtype": np.ones(4),
            "old": np.ones(5),
            "number": 3,
        },
    )
    like = {
        "kept": np.ones(2),
        "shape": np.ones((3, 1)),
        "dtype": np.ones(4, np.float32),
        "new": np.ones(5),
        "number": 3.0,
    }
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
        (tmp_path / "bad").write_bytes(
            whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :]
        )
        try:
            loaded = load(tmp_path / "bad", params())
        except CheckpointError:
            continue
        assert_identical(loaded, params())  # a byte that does not matter, such as one of a date


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
        assert "pickle.load" not in str(caught.value)  # the advice of NumPy for an unknown file


class Trap:
    """An object that makes a folder when it is unpickled."""

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


KINDS = [np.random.PCG64, np.random.PCG64DXSM, np.random.MT19937, np.random.Philox, np.random.SFC64]


def drawn(rng):
    """Return numbers of several kinds; the last call leaves half a word in the generator."""
    return [
        rng.random(5).tolist(),
        rng.standard_normal(3).tolist(),
        rng.integers(9, size=3, dtype=np.int32).tolist(),
    ]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_generator_comes_back_and_draws_what_it_would_have_drawn(tmp_path, kind):
    rng, like = np.random.Generator(kind(3)), np.random.Generator(kind())
    drawn(rng)
    save(tmp_path / "p", {"params": params(), "rng": rng, "after": np.ones(2)})
    before = str(like.bit_generator.state)
    loaded = load(tmp_path / "p", {"params": params(1), "rng": like, "after": np.zeros(2)})
    assert str(loaded["rng"].bit_generator.state) == str(rng.bit_generator.state)
    assert drawn(loaded["rng"]) == drawn(rng)
    assert_identical((loaded["params"], loaded["after"]), (params(), np.ones(2)))
    assert str(like.bit_generator.state) == before and loaded["rng"] is not like


def test_a_generator_of_another_kind_is_refused(tmp_path):
    save(tmp_path / "p", {"rng": np.random.default_rng(0)})
    with pytest.raises(
        CheckpointError, match=r"tree\['rng'\]\['MT19937'\]\['state'\]\['key'\] is missing"
    ):
        load(tmp_path / "p", {"rng": np.random.Generator(np.random.MT19937())})
    with pytest.raises(
        CheckpointError, match=r"tree\['rng'\]\['PCG64'\]\['state'\]\['inc'\] is surplus"
    ):
        load(tmp_path / "p", {"rng": np.ones(2)})


def test_a_state_that_no_generator_has_is_refused(tmp_path):
    rng = np.random.Generator(np.random.MT19937(0))
    save(tmp_path / "p", rng)
    with np.load(tmp_path / "p") as stored:
        arrays = dict(stored)
    arrays["tree['MT19937']['state']['pos']"] = np.array([10**9, 0], np.uint64)
    np.savez(tmp_path / "bad.npz", **arrays)
    with pytest.raises(
        CheckpointError, match="bad.npz is damaged: the state of MT19937 has pos = 1000000000"
    ):
        load(tmp_path / "bad.npz", rng)


def test_the_file_says_its_version(tmp_path):
    save(tmp_path / "p.npz", np.ones(2))
    with np.load(tmp_path / "p.npz") as stored:
        assert stored["version"] == 1
    for version, words in (
        ({"version": np.array(2)}, "version 2"),
        ({}, "no version"),
        ({"version": np.ones(2)}, "version"),
    ):
        np.savez(tmp_path / "other.npz", tree=np.ones(2), **version)
        with pytest.raises(
            CheckpointError, match=f"other.npz is no checkpoint of version 1: it has {words}"
        ):
            load(tmp_path / "other.npz", np.ones(2))


def test_what_a_file_cannot_hold_exactly_is_refused(tmp_path):
    for wrong in (2**63, -(2**63) - 1, 10**30):
        with pytest.raises(TypeError, match=r"tree\[0\]: expected an int of 64 bits, got one of"):
            save(tmp_path / "p", (wrong,))
    for wrong in (np.eye(2).view(np.matrix), np.ma.masked_array([1.0, 2.0], [True, False])):
        with pytest.raises(
            TypeError, match=r"tree\[0\]: expected an array, .*got (matrix|MaskedArray)"
        ):
            save(tmp_path / "p", (wrong,))
    save(tmp_path / "p", (2**63 - 1, -(2**63)))
    assert load(tmp_path / "p", (0, 0)) == (2**63 - 1, -(2**63))
    assert os.listdir(tmp_path) == ["p"]


posix = pytest.mark.skipif(os.name != "posix", reason="links and permissions of POSIX systems")


@posix
@pytest.mark.parametrize("there", [True, False])
def test_a_symbolic_link_stays_and_what_it_points_to_is_replaced(tmp_path, there):
    (tmp_path / "disk").mkdir()
    target, link = tmp_path / "disk" / "real", tmp_path / "link"
    link.symlink_to(os.path.join("disk", "real"))
    if there:
        save(target, np.zeros(2))
    save(link, np.ones(2))
    assert link.is_symlink() and not target.is_symlink()
    for path in (link, target):
        assert_identical(load(path, np.zeros(2)), np.ones(2))
    assert sorted(os.listdir(tmp_path)) == ["disk", "link"] and os.listdir(tmp_path / "disk") == [
        "real"
    ]


@posix
@pytest.mark.parametrize("mode", [0o640, 0o600, 0o664, 0o444])
def test_the_permissions_of_the_old_file_are_kept(tmp_path, mode):
    save(tmp_path / "p", np.zeros(2))
    os.chmod(tmp_path / "p", mode)
    save(tmp_path / "p", np.ones(2))
    assert (tmp_path / "p").stat().st_mode & 0o777 == mode
    assert_identical(load(tmp_path / "p", np.zeros(2)), np.ones(2))


@posix
@pytest.mark.parametrize("umask", [0o077, 0o022])
def test_a_new_file_has_the_permissions_of_any_new_file(tmp_path, umask):
    before = os.umask(umask)
    try:
        save(tmp_path / "p", np.zeros(2))
    finally:
        os.umask(before)
    assert (tmp_path / "p").stat().st_mode & 0o777 == 0o666 & ~umask


KILLED = """
import os, signal, sys
from rnn_tutorial.replacing import replacing
with replacing(sys.argv[1]) as file:
    file.write(b"half of it")
    file.flush()
    print("writing", flush=True)
    if sys.argv[2] == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    sys.stdin.read()
    file.write(b" and the rest")
"""


def writer(tmp_path, name, fate):
    (tmp_path / "writer.py").write_text(KILLED, encoding="utf-8")
    command = [sys.executable, tmp_path / "writer.py", tmp_path / name, fate]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout.readline().strip() == b"writing"
    return process


def parts(tmp_path):
    return [name for name in os.listdir(tmp_path) if name.endswith(".part")]


@posix
def test_what_a_killed_writer_leaves_is_removed_by_the_next_one_of_the_same_file(tmp_path):
    save(tmp_path / "p", np.zeros(2))
    for _ in range(3):
        with writer(tmp_path, "p", "killed") as process:
            assert process.wait(30) == -signal.SIGKILL
        assert len(parts(tmp_path)) == 1  # the part of the writer before is removed
    assert_identical(load(tmp_path / "p", np.zeros(2)), np.zeros(2))
    save(tmp_path / "other", np.ones(2))
    assert (
        len(parts(tmp_path)) == 1
    )  # it may be needed by those who write p: not a matter of another file
    save(tmp_path / "p", np.ones(2))
    assert parts(tmp_path) == []
    assert_identical(load(tmp_path / "p", np.zeros(2)), np.ones(2))


@posix
def test_the_part_of_a_living_writer_is_left_alone(tmp_path):
    with writer(tmp_path, "p", "lives") as process:
        save(tmp_path / "p", np.ones(2))
        assert len(parts(tmp_path)) == 1
        assert_identical(load(tmp_path / "p", np.zeros(2)), np.ones(2))
        process.stdin.close()
        assert process.wait(30) == 0
    assert (tmp_path / "p").read_bytes() == b"half of it and the rest" and parts(tmp_path) == []


MANY = """
import sys
import numpy as np
from rnn_tutorial.checkpoint import save
for k in range(40):
    leaf = np.full(5000, float(sys.argv[2]))
    save(sys.argv[1], {"a": leaf, "b": leaf})
"""


def test_several_writers_at_once_leave_one_whole_file(tmp_path):
    (tmp_path / "many.py").write_text(MANY, encoding="utf-8")
    save(tmp_path / "p", {"a": np.zeros(5000), "b": np.zeros(5000)})
    commands = [[sys.executable, tmp_path / "many.py", tmp_path / "p", str(k)] for k in range(1, 4)]
    writers = [subprocess.Popen(command) for command in commands]
    while any(process.poll() is None for process in writers):
        loaded = load(tmp_path / "p", {"a": np.zeros(5000), "b": np.zeros(5000)})
        assert len(np.unique([loaded["a"], loaded["b"]])) == 1
    assert [process.wait() for process in writers] == [0, 0, 0]
    assert parts(tmp_path) == []
