"""The stored outputs of other libraries, which chapter 19 reads, are what the libraries compute."""

import numpy as np
import pytest

pytest.importorskip("safetensors")

from benchmarks import reference_outputs
from benchmarks.reference_outputs import (
    LENGTHS,
    LIBRARIES,
    RESULTS,
    B,
    H,
    T,
    marked_bits,
    outputs_of_trained,
)
from rnn_tutorial.exchange.safetensors import from_safetensors
from rnn_tutorial.gradient_check import relative_error


@pytest.fixture(scope="module")
def stored():
    return from_safetensors(RESULTS / "neighbours.safetensors")


def tolerance(array):
    return 1e-12 if array.dtype == np.float64 else 1e-6


@pytest.mark.parametrize("library", LIBRARIES)
def test_what_is_stored_is_what_the_library_answers(library, stored):
    pytest.importorskip(library)
    for name, array in LIBRARIES[library]().items():
        assert stored[name].dtype == array.dtype, name
        if "fresh" not in name:  # those of PyTorch are random
            assert relative_error(array, stored[name]) <= tolerance(array), name


def test_a_fresh_bias_of_pytorch_is_small_and_random_and_those_of_others_are_not(stored):
    for name in (name for name in stored if "fresh" in name):
        if name.startswith("pytorch"):
            assert np.abs(stored[name]).max() <= 1 / np.sqrt(H) and np.ptp(stored[name]) > 0.1, name
        else:
            assert set(np.unique(stored[name])) <= {0, 1}, name


def test_the_network_trained_in_pytorch_answers_as_stored_and_right(stored):
    pytest.importorskip("torch")
    state_dict = from_safetensors(RESULTS / "remember.safetensors")
    for name, array in outputs_of_trained(state_dict).items():
        assert relative_error(array, stored[name]) <= tolerance(array), name
    right = (stored["pytorch.remember.ys"] > 0) == (stored["pytorch.remember.targets"] == 1)
    assert right.all()


def test_every_name_in_the_file_is_asked_again(stored):
    known = {f"{library}." for library in ("pytorch", "keras", "onnx", "epynn")}
    assert {name[: name.index(".") + 1] for name in stored} == known
    assert {name.split(".")[1] for name in stored} == {
        "lstm",
        "gru",
        "gru_before",
        "deep",
        "remember",
    }


def test_the_padded_answers_are_the_others_on_real_steps(stored):
    real = np.arange(T)[:, None] < np.array(LENGTHS)
    for name in (name for name in stored if name.endswith("padded_ys")):
        padded, whole = stored[name], stored[name.replace("padded_ys", "ys")]
        if padded.shape[0] == B:
            padded, whole = padded.swapaxes(0, 1), whole.swapaxes(0, 1)
        assert relative_error(padded[real], whole[real]) <= tolerance(padded), name
        assert relative_error(padded, whole) > 0.1, name


def test_the_target_is_the_last_marked_bit():
    xs, targets = marked_bits(np.random.default_rng(0), 30, 4)
    assert (
        xs.shape == (30, 4, 2)
        and targets.shape == (30, 4, 1)
        and xs.dtype == targets.dtype == np.float32
    )
    assert (xs[0, :, 1] == 1).all() and 0 < xs[1:, :, 1].mean() < 0.3
    for b in range(4):
        for t in range(30):
            last = max(s for s in range(t + 1) if xs[s, b, 1] == 1)
            assert targets[t, b, 0] == (xs[last, b, 0] > 0)


def test_without_write_nothing_is_stored(monkeypatch, tmp_path, capsys):
    pytest.importorskip("torch")
    for name in ("neighbours.safetensors", "remember.safetensors"):
        (tmp_path / name).write_bytes((RESULTS / name).read_bytes())
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    monkeypatch.setattr(reference_outputs, "RESULTS", tmp_path)
    monkeypatch.setattr(reference_outputs, "LIBRARIES", {})
    monkeypatch.setattr("sys.argv", ["reference_outputs.py"])
    with pytest.raises(ValueError, match="surplus"):
        reference_outputs.main()  # nobody was asked, so the file has more than the answers
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
