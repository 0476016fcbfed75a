"""The stored outputs of other libraries, which chapter 19 reads, are what the libraries compute."""

import numpy as np
import pytest

pytest.importorskip("safetensors")

from benchmarks import reference_outputs
from benchmarks.reference_outputs import (
    LENGTHS,
    LIBRARIES,
    OUTPUTS_OF,
    RESULTS,
    B,
    H,
    T,
    exported_order,
    marked_bits,
    order_module,
    ordered_marks,
)
from rnn_tutorial.cells import LSTM
from rnn_tutorial.exchange.onnx import from_onnx
from rnn_tutorial.exchange.pytorch import params_from_pytorch, to_pytorch
from rnn_tutorial.exchange.safetensors import from_safetensors
from rnn_tutorial.gradient_check import relative_error
from rnn_tutorial.layers import Dense, Embedding, Last, Recurrent, Serial
from rnn_tutorial.train import adam, last_step, softmax_cross_entropy, train
from rnn_tutorial.tree import tree_leaves

ORDER = Serial((Embedding(8, 5), Recurrent(LSTM, 5, 16), Last(), Dense(16, 4)))
NAMES = "embedding", "lstm", "", "head"


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


@pytest.mark.parametrize("network", OUTPUTS_OF)
def test_a_network_trained_in_pytorch_answers_as_stored(network, stored):
    pytest.importorskip("torch")
    for name, array in OUTPUTS_OF[network](trained(network)).items():
        assert relative_error(array, stored[name]) <= tolerance(array), name


def trained(network):
    return from_safetensors(RESULTS / f"{network}.safetensors")


def test_both_trained_networks_are_right_everywhere(stored):
    right = (stored["pytorch.remember.ys"] > 0) == (stored["pytorch.remember.targets"] == 1)
    assert right.all()
    answers = stored["pytorch.order.logits"].argmax(axis=1)
    assert (answers == stored["pytorch.order.targets"]).all()


def test_the_stored_file_of_the_exporter_is_the_network_of_the_state_dict(stored):
    pytest.importorskip("onnx")
    model, params = from_onnx(RESULTS / "order.onnx")
    assert model == ORDER
    for leaf, other in zip(
        tree_leaves(params), tree_leaves(params_from_pytorch(ORDER, trained("order"), NAMES))
    ):
        np.testing.assert_array_equal(leaf, other)
    logits, _, _ = model.forward(params, stored["pytorch.order.symbols"])
    assert relative_error(logits, stored["pytorch.order.logits"]) <= 1e-6


def test_the_default_exporter_writes_the_stored_nodes_without_a_path_of_the_machine(tmp_path):
    pytest.importorskip("torch")
    pytest.importorskip("onnxscript")
    onnx = pytest.importorskip("onnx")
    (tmp_path / "again.onnx").write_bytes(exported_order(trained("order")))
    again, old = (onnx.load(path) for path in (tmp_path / "again.onnx", RESULTS / "order.onnx"))
    assert old.producer_name == again.producer_name == "pytorch"
    operators = [[node.op_type for node in proto.graph.node] for proto in (again, old)]
    assert operators[0] == operators[1]
    for proto in (again, old):
        assert not any(word in str(proto) for word in (".py", "/home", "site-packages"))


def test_a_network_that_was_trained_further_here_gives_the_same_in_pytorch():
    torch = pytest.importorskip("torch")
    batches = (ordered_marks(np.random.default_rng(seed), 32, 30) for seed in range(5))
    start = params_from_pytorch(ORDER, trained("order"), NAMES)
    params = last_step(train(ORDER, start, batches, softmax_cross_entropy, adam(0.003))).params
    module = order_module()
    arrays = to_pytorch(ORDER, params, NAMES)
    module.load_state_dict({name: torch.tensor(array) for name, array in arrays.items()})
    symbols, _ = ordered_marks(np.random.default_rng(9), 50, 30)
    ours, _, _ = ORDER.forward(params, symbols)
    before, _, _ = ORDER.forward(start, symbols)
    theirs = module(torch.tensor(symbols)).detach().numpy()
    assert relative_error(ours, theirs) < 1e-5 < 1e-2 < relative_error(before, theirs)


def test_every_name_in_the_file_is_asked_again(stored):
    known = {f"{library}." for library in ("pytorch", "keras", "onnx", "epynn")}
    assert {name[: name.index(".") + 1] for name in stored} == known
    assert {name.split(".")[1] for name in stored} == {
        "lstm",
        "gru",
        "gru_before",
        "deep",
        "remember",
        "order",
        "projected",
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
    for name in ("neighbours.safetensors", "remember.safetensors", "order.safetensors"):
        (tmp_path / name).write_bytes((RESULTS / name).read_bytes())
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    monkeypatch.setattr(reference_outputs, "RESULTS", tmp_path)
    monkeypatch.setattr(reference_outputs, "LIBRARIES", {})
    monkeypatch.setattr("sys.argv", ["reference_outputs.py"])
    with pytest.raises(ValueError, match="surplus"):
        reference_outputs.main()  # nobody was asked, so the file has more than the answers
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_the_marks_are_at_the_places_that_are_said():
    symbols, targets = ordered_marks(np.random.default_rng(0), 200, 12)
    assert symbols.shape == (12, 200) and targets.shape == (200,)
    marks = (symbols == 2) | (symbols == 3)  # X and Y
    steps, sequences = np.nonzero(marks.T)[1].reshape(200, 2).T, np.arange(200)
    assert {*steps[0]} == {1, 2, 3, 4} and {*steps[1]} == {6, 7, 8, 9}
    first, second = symbols[steps[0], sequences] - 2, symbols[steps[1], sequences] - 2
    np.testing.assert_array_equal(targets, 2 * first + second)
