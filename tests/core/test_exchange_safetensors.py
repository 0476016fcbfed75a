"""safetensors: exact both ways, read by PyTorch, and one error lists all that does not fit."""

import os
import sys

import numpy as np
import pytest
from judges import torch_or_skip

from rnn_tutorial.cells import GRU, LSTM
from rnn_tutorial.exchange.layout import ExchangeError
from rnn_tutorial.exchange.pytorch import from_pytorch, to_pytorch
from rnn_tutorial.exchange.safetensors import DTYPES, from_safetensors, to_safetensors
from rnn_tutorial.layers import Bidirectional, Dense, Recurrent, Serial
from rnn_tutorial.tree import tree_cast, tree_leaves, tree_map, tree_random_like

MODEL = Serial(
    (
        Bidirectional(Recurrent(LSTM, 4, 5), Recurrent(LSTM, 4, 5)),
        Recurrent(GRU, 10, 3),
        Dense(3, 2),
    )
)


@pytest.fixture(autouse=True)
def safetensors():
    return pytest.importorskip("safetensors.numpy")


def random_params(seed=0):
    rng = np.random.default_rng(seed)
    return tree_random_like(MODEL.init(rng), rng)


def same(a, b):
    """Return whether two trees have one structure and the same arrays, bit for bit."""
    outline, leaves = str(tree_map(np.shape, a)), zip(tree_leaves(a), tree_leaves(b), strict=True)
    return outline == str(tree_map(np.shape, b)) and all(
        (x.dtype, x.tobytes()) == (y.dtype, y.tobytes()) for x, y in leaves
    )


nan_with_payload = np.array([0x7FF8DEADBEEF0001, 0xFFF0000000000123], np.uint64).view(np.float64)
TREES = {
    "parameters": random_params(),
    "float32": tree_cast(random_params(), np.float32),
    "by name": {"weight": np.ones((2, 3)), "bias é [0]": np.zeros(3, np.float32)},
    "one array": np.arange(6.0).reshape(2, 3),
    "no dimension": (np.array(2.5), np.array(True)),
    "nothing": {},
    "special numbers": [nan_with_payload, np.array([-0.0, np.inf, 5e-324])],
    "dtypes": [np.ones(3, dtype) for dtype in DTYPES],
    "empty arrays": [np.zeros((0, 3)), np.zeros((2, 0, 1), np.float32)],
    "layouts": [
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(12.0).reshape(3, 4)[::2, ::-1],
        np.ones((3, 3)).T,
    ],
    "a dict within": {"params": {"W": np.ones(2)}, "rate": np.array(0.1)},
}


@pytest.mark.parametrize("tree", TREES.values(), ids=TREES)
def test_every_tree_comes_back_bit_for_bit(tree, tmp_path):
    to_safetensors(tmp_path / "tree", tree)
    back = from_safetensors(tmp_path / "tree", tree)
    assert same(back, tree)
    for ours, theirs in zip(tree_leaves(back), tree_leaves(tree)):
        assert ours.flags.writeable and not np.shares_memory(ours, theirs)


def test_the_names_are_those_of_a_checkpoint_or_the_dicts_own(tmp_path, safetensors):
    to_safetensors(tmp_path / "tree", random_params())
    assert set(safetensors.load_file(tmp_path / "tree")) == {
        *(
            f"tree[0].{direction}.{name}"
            for direction in ("forwards", "backwards")
            for name in ("W_x", "W_h", "b")
        ),
        *(f"tree[1].{name}" for name in ("W_x", "W_h", "b", "b_hn")),
        *("tree[2].W", "tree[2].b"),
    }
    to_safetensors(tmp_path / "dict", {"weight": np.ones(2), "lstm.bias": np.ones(1)})
    assert set(safetensors.load_file(tmp_path / "dict")) == {"weight", "lstm.bias"}
    to_safetensors(tmp_path / "deep", {"params": {"W": np.ones(2)}})
    assert set(safetensors.load_file(tmp_path / "deep")) == {"tree['params']['W']"}


def test_pytorch_reads_our_file_and_we_read_pytorchs(tmp_path):
    torch = torch_or_skip()
    theirs = pytest.importorskip("safetensors.torch")
    torch.manual_seed(0)
    lstm, other = (
        torch.nn.LSTM(4, 5, 2, bidirectional=True),
        torch.nn.LSTM(4, 5, 2, bidirectional=True),
    )
    model, params = from_pytorch(lstm.state_dict(), LSTM)
    to_safetensors(tmp_path / "ours", to_pytorch(model, params))
    other.load_state_dict(theirs.load_file(tmp_path / "ours"))
    xs = np.random.default_rng(0).standard_normal((6, 3, 4)).astype(np.float32)
    with torch.no_grad():
        np.testing.assert_allclose(
            other(torch.tensor(xs))[0].numpy(), model.forward(params, xs)[0], rtol=0, atol=1e-6
        )

    theirs.save_file(lstm.state_dict(), tmp_path / "theirs")
    again, back = from_pytorch(from_safetensors(tmp_path / "theirs"), LSTM)
    assert again == model and same(back, params)
    to_safetensors(tmp_path / "tensors", lstm.state_dict())  # a dict of tensors is one of arrays
    loaded = from_safetensors(tmp_path / "tensors", lstm.state_dict())
    assert same(loaded, {name: tensor.numpy() for name, tensor in lstm.state_dict().items()})


def test_what_like_holds_does_not_matter_and_without_it_all_arrays_come_by_name(tmp_path):
    to_safetensors(tmp_path / "p", random_params())
    assert same(from_safetensors(tmp_path / "p", random_params(1)), random_params())
    by_name = from_safetensors(tmp_path / "p")
    np.testing.assert_array_equal(by_name["tree[2].W"], random_params()[2].W)
    assert len(by_name) == len(tree_leaves(random_params()))


def test_one_error_lists_everything_that_does_not_fit(tmp_path):
    to_safetensors(
        tmp_path / "p",
        {"kept": np.ones(2), "shape": np.ones(3), "dtype": np.ones(4), "old": np.ones(5)},
    )
    like = {
        "kept": np.ones(2),
        "shape": np.ones((3, 1)),
        "dtype": np.ones(4, np.float32),
        "new": np.ones(5),
    }
    with pytest.raises(ExchangeError) as caught:
        from_safetensors(tmp_path / "p", like)
    assert str(caught.value) == (
        f"{tmp_path / 'p'} does not fit: dtype has float64 (4,), expected float32 (4,); new "
        "is missing; old is surplus; "
        "shape has float64 (3,), expected float64 (3, 1)"
    )


@pytest.mark.parametrize(
    "tree, error, message",
    [
        (
            [np.ones(2), 3, 4.0],
            TypeError,
            r"tree: expected arrays or tensors, got tree\[1\], a int; tree\[2\], a float",
        ),
        ({"W": np.ones(2), "step": None}, TypeError, r"got tree\['step'\], a NoneType"),
        (
            {"W": np.ones(2, complex)},
            TypeError,
            "tree: expected numbers of bool, .*float64; got W of complex128",
        ),
        ([np.ones(2, ">f8")], TypeError, r"got tree\[0\] of >f8"),
        ([np.array(["text"])], TypeError, r"got tree\[0\] of <U4"),
        ([np.array([None])], TypeError, r"got tree\[0\] of object"),
        ({"__metadata__": np.ones(2)}, ValueError, "__metadata__ cannot be the name of an array"),
    ],
)
def test_a_leaf_that_the_file_cannot_hold_is_refused_and_leaves_no_file(
    tree, error, message, tmp_path
):
    with pytest.raises(error, match=message):
        to_safetensors(tmp_path / "p", tree)
    assert os.listdir(tmp_path) == []


def test_a_file_that_is_cut_or_foreign_is_refused(tmp_path):
    to_safetensors(tmp_path / "p", random_params())
    whole = (tmp_path / "p").read_bytes()
    for content in (
        b"a text\n",
        b"PK\x03\x04",
        *(whole[:length] for length in range(0, len(whole), 97)),
    ):
        (tmp_path / "cut").write_bytes(content)
        with pytest.raises(ExchangeError, match="cut is no safetensors file for NumPy"):
            from_safetensors(tmp_path / "cut", random_params())
    with pytest.raises(FileNotFoundError, match="nowhere"):
        from_safetensors(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="nofolder does not exist"):
        to_safetensors(tmp_path / "nofolder" / "p", random_params())


def test_a_number_that_numpy_does_not_have_is_refused(tmp_path):
    torch = torch_or_skip()
    theirs = pytest.importorskip("safetensors.torch")
    tensors = {name: torch.zeros(2, dtype=torch.bfloat16) for name in ("W", "V")} | {
        "b": torch.zeros(2)
    }
    theirs.save_file(tensors, tmp_path / "half", metadata={"format": "pt"})
    with pytest.raises(
        ExchangeError, match="half holds numbers that NumPy does not have: V of BF16, W of BF16$"
    ):
        from_safetensors(tmp_path / "half")
    with pytest.raises(TypeError, match="got W of bfloat16, V of bfloat16$"):
        to_safetensors(tmp_path / "ours", tensors)


def test_tensors_that_have_a_gradient_are_written(tmp_path):
    torch = torch_or_skip()
    tensors = {"W": torch.ones(2, requires_grad=True)}
    to_safetensors(tmp_path / "ours", tensors)
    assert from_safetensors(tmp_path / "ours")["W"].all()


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    def full_disk(*_, **__):
        raise OSError("no space left on device")

    to_safetensors(tmp_path / "p", {"W": np.ones(2)})
    for name in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(os, name, full_disk)
            with pytest.raises(OSError, match="no space"):
                to_safetensors(tmp_path / "p", {"W": np.zeros(2)})
        assert os.listdir(tmp_path) == ["p"]
        assert from_safetensors(tmp_path / "p")["W"].all()


def test_without_the_library_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors", None)
    monkeypatch.delitem(sys.modules, "safetensors.numpy")
    for attempt in (
        lambda: from_safetensors(tmp_path / "p"),
        lambda: to_safetensors(tmp_path / "p", {}),
    ):
        with pytest.raises(
            ImportError, match=r'safetensors is not installed.*pip install -e "\.\[exchange\]"'
        ):
            attempt()
