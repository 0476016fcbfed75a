"""ONNX files: onnxruntime computes our outputs, and a file that was written is read bit for bit.

Ragged batches are included. Anything else is refused with a reason.
"""

import copy
import functools
import os
import pickle
import sys

import numpy as np
import pytest
from judges import GRID, assert_close

from rnn_tutorial.activations import hard_sigmoid, relu, sigmoid, tanh
from rnn_tutorial.cells import (
    GRU,
    LSTM,
    LSTM1997,
    CoupledLSTM,
    Elman,
    GRUBefore,
    LSTMState,
    NormLSTM,
    PeepholeLSTM,
    coupled_lstm,
    elman,
    gru,
    gru_before,
    lstm,
    peephole_lstm,
)
from rnn_tutorial.data import lengths_to_mask
from rnn_tutorial.exchange.layout import ExchangeError
from rnn_tutorial.exchange.onnx import flattened, from_onnx, to_onnx
from rnn_tutorial.layers import (
    MERGES,
    Bidirectional,
    Dense,
    Dropout,
    Embedding,
    Last,
    Recurrent,
    Residual,
    Reversed,
    Serial,
    VariationalDropout,
    Zoneout,
    concat,
)
from rnn_tutorial.tree import tree_cast, tree_leaves, tree_random_like

V = 7
RTOL = 1e-6
SIZES = [GRID[k] for k in (0, 1, 2, 4, 5)]
CELLS = {
    "Elman": Elman,
    "Elman, relu": elman(relu),
    "LSTM": LSTM,
    "LSTM, others": lstm(g=relu, c=sigmoid),
    "PeepholeLSTM": PeepholeLSTM,
    "PeepholeLSTM, others": peephole_lstm(g=sigmoid, c=sigmoid),
    "CoupledLSTM": CoupledLSTM,
    "CoupledLSTM, others": coupled_lstm(g=relu, c=sigmoid),
    "GRU": GRU,
    "GRU, others": gru(r=tanh, z=tanh, n=sigmoid),
    "GRUBefore": GRUBefore,
    "GRUBefore, others": gru_before(n=relu),
}


def ends_of(cell, D, H):
    """Return the layer of two directions with one answer a sequence, each at its own end."""
    part = Serial((Recurrent(cell, D, H), Last()))
    return Bidirectional(part, part)


def models(D, H):
    """Return models of every kind that can be written, by name; those named "text" read indices."""
    one = {name: Recurrent(cell, D, H) for name, cell in CELLS.items()}
    usual = {name: layer for name, layer in one.items() if "others" not in name}
    both = {f"{name}, both": Bidirectional(layer, layer) for name, layer in usual.items()}
    backwards = {f"{name}, backwards": Reversed(layer) for name, layer in usual.items()}
    stack = (
        one["LSTM"],
        Recurrent(GRUBefore, H, H + 1),
        Reversed(Recurrent(CoupledLSTM, H + 1, 2)),
    )
    deep = (
        Bidirectional(Recurrent(GRU, D, H), Recurrent(GRU, D, H)),
        Bidirectional(*[Recurrent(PeepholeLSTM, 2 * H, 3)] * 2),
    )
    dropped = (
        Dropout(0.5),
        deep[0],
        VariationalDropout(0.3),
        deep[1],
        Dropout(0.1),
        Dense(6, 2),
        Dropout(0.1),
    )
    to_end = {name: Serial((layer, Last())) for name, layer in usual.items()}
    ends = {f"{name}, both ends": Bidirectional(part, part) for name, part in to_end.items()}
    ends |= {f"{name}, from the end": Reversed(part) for name, part in to_end.items()}
    return (
        one
        | both
        | backwards
        | ends
        | {
            "dense": Dense(D, H),
            "a stack of three": Serial(stack),
            "one answer a sequence": Serial((*stack, Dense(2, 3), Last(), Dense(3, 1))),
            "last alone": Serial((Dense(D, 2), Last())),
            "both ends, then dense": Serial(
                (deep[0], ends_of(PeepholeLSTM, 2 * H, 3), Dense(6, 2))
            ),
            "a stack in a stack": Serial((Serial((Dropout(0.5), Serial(deep))), Dense(6, 2))),
            "deep, both, dropout": Serial(dropped),
            "text": Serial((Embedding(V, D), VariationalDropout(0.5), *deep, Dense(6, V))),
            "text, one answer a sequence": Serial(
                (Embedding(V, D), deep[0], Dropout(0.5), Last(), Dense(2 * H, 2))
            ),
        }
    )


NAMES = list(models(1, 1))


@pytest.fixture(autouse=True)
def onnx():
    return pytest.importorskip("onnx")


def random_params(model, rng, dtype="float32"):
    return tree_cast(tree_random_like(model.init(rng), rng, 0.3), dtype)


def random_inputs(name, rng, T, B, D, dtype="float32"):
    return (
        rng.integers(0, V, (T, B))
        if name.startswith("text")
        else rng.standard_normal((T, B, D)).astype(dtype)
    )


def run(path, xs, lengths=None):
    """Return what onnxruntime computes."""
    feed = {"indices" if xs.ndim == 2 else "xs": xs} | (
        {} if lengths is None else {"lengths": np.array(lengths, np.int32)}
    )
    return session(path.read_bytes()).run(["ys"], feed)[0]


@functools.lru_cache(maxsize=1)
def session(file):
    """Return the session of a file, which two calls in a row share."""
    runtime = pytest.importorskip("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1  # others would wait in a busy loop
    return runtime.InferenceSession(file, options, providers=["CPUExecutionProvider"])


def same_bits(a, b):
    return [(leaf.dtype, leaf.tobytes()) for leaf in tree_leaves(a)] == [
        (leaf.dtype, leaf.tobytes()) for leaf in tree_leaves(b)
    ]


def as_read(model):
    """Return the model as a file holds it: one `Serial`, without dropout."""
    layers = [layer for layer, _ in flattened([model], [model.init(np.random.default_rng(0))])]
    return Serial(
        tuple(layer for layer in layers if not isinstance(layer, (Dropout, VariationalDropout)))
    )


@pytest.mark.parametrize("name", NAMES)
def test_onnxruntime_answers_as_we_do(name, tmp_path, rng):
    """For a grid of sizes and lengths, with T = 1 and B = 1, with `lengths` and without."""
    for B, T, D, H, lengths in SIZES:
        model = models(D, H)[name]
        params, xs = random_params(model, rng), random_inputs(name, rng, T, B, D)
        to_onnx(model, params, tmp_path / "whole.onnx")
        to_onnx(model, params, tmp_path / "ragged.onnx", lengths=True)
        ys, _, _ = model.forward(params, xs)
        assert_close("whole", run(tmp_path / "whole.onnx", xs), ys, RTOL)
        assert_close(
            "ragged, all of one length", run(tmp_path / "ragged.onnx", xs, [T] * B), ys, RTOL
        )
        ys, _, _ = model.forward(params, xs, mask=lengths_to_mask(lengths, T))
        assert_close("ragged", run(tmp_path / "ragged.onnx", xs, lengths), ys, RTOL)


@pytest.mark.parametrize(
    "name", [name for name in NAMES if "others" not in name and "relu" not in name]
)
def test_the_reference_of_onnx_answers_as_we_do_in_float64(name, tmp_path, rng, onnx):
    """The reference ignores lengths, activations and input_forget: it needs the rows of f."""
    from onnx.reference import ReferenceEvaluator

    model = models(4, 5)[name]
    params, xs = random_params(model, rng, "float64"), random_inputs(name, rng, 6, 3, 4, "float64")
    to_onnx(model, params, tmp_path / "model.onnx")
    (ys,) = ReferenceEvaluator(str(tmp_path / "model.onnx")).run(
        None, {"indices" if xs.ndim == 2 else "xs": xs}
    )
    assert ys.dtype == np.float64
    assert_close("ys", ys, model.forward(params, xs)[0], 1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NAMES)
def test_what_is_read_is_what_was_written(name, dtype, tmp_path, rng):
    model = models(4, 5)[name]
    params = random_params(model, rng, dtype)
    for leaf in tree_leaves(params):
        leaf.flat[0] = -0.0
    xs, mask = random_inputs(name, rng, 6, 3, 4, dtype), lengths_to_mask([6, 1, 3], 6)
    for lengths in (False, True):
        to_onnx(model, params, tmp_path / "model.onnx", lengths=lengths)
        back, back_params = from_onnx(tmp_path / "model.onnx")
        assert same_bits(back_params, params) and all(
            leaf.flags.writeable for leaf in tree_leaves(back_params)
        )
        np.testing.assert_array_equal(
            back.forward(back_params, xs, mask=mask)[0], model.forward(params, xs, mask=mask)[0]
        )
        assert back == as_read(model)


@pytest.mark.parametrize("name", NAMES)
def test_a_copy_of_a_model_is_written_as_the_model_is(name, tmp_path, rng):
    model = models(4, 5)[name]
    params = random_params(model, rng)
    to_onnx(model, params, tmp_path / "model.onnx")
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        to_onnx(other, params, tmp_path / "other.onnx")
        assert (tmp_path / "other.onnx").read_bytes() == (tmp_path / "model.onnx").read_bytes()


def test_the_file_is_for_any_number_of_steps_and_sequences(tmp_path, rng, onnx):
    model = models(4, 5)["one answer a sequence"]
    to_onnx(model, random_params(model, rng), tmp_path / "model.onnx", lengths=True)
    graph = onnx.load(tmp_path / "model.onnx").graph

    def axes(entry):
        return [axis.dim_param or axis.dim_value for axis in entry.type.tensor_type.shape.dim]

    assert {entry.name: axes(entry) for entry in graph.input} == {
        "xs": ["T", "B", 4],
        "lengths": ["B"],
    }
    assert {entry.name: axes(entry) for entry in graph.output} == {"ys": ["B", 1]}


def test_a_gate_goes_where_it_belongs(tmp_path, onnx):
    """One number for each gate, by hand: ONNX has i, o, f, c and z, r, h, and peepholes i, o, f."""

    def written(cell, *leaves):
        layer = Recurrent(cell, 1, 1)
        params = type(layer.init(np.random.default_rng(0)))(
            *(np.array(leaf, np.float32) for leaf in leaves)
        )
        to_onnx(layer, params, tmp_path / "model.onnx")
        arrays = onnx.load(tmp_path / "model.onnx").graph.initializer
        return {array.name: onnx.numpy_helper.to_array(array).ravel().tolist() for array in arrays}

    i, f, o, g, r, z, n = range(1, 8)
    file = written(
        PeepholeLSTM, [[i, f, o, g]], [[10, 20, 30, 40]], [i, f, o, g], [100], [200], [300]
    )
    assert (
        file["0.W"] == [i, o, f, g]
        and file["0.R"] == [10, 30, 20, 40]
        and file["0.P"] == [100, 300, 200]
    )
    assert file["0.B"] == [i, o, f, g, 0, 0, 0, 0]
    file = written(CoupledLSTM, [[i, o, g]], [[10, 30, 40]], [i, o, g])
    assert file["0.W"] == [i, o, -i, g] and file["0.B"][:4] == [i, o, -i, g]
    file = written(GRU, [[r, z, n]], [[50, 60, 70]], [r, z, n], [700])
    assert (
        file["0.W"] == [z, r, n]
        and file["0.R"] == [60, 50, 70]
        and file["0.B"] == [z, r, n, 0, 0, 700]
    )
    file = written(GRUBefore, [[r, z, n]], [[50, 60]], [r, z, n], [[70]])
    assert file["0.R"] == [60, 50, 70] and file["0.B"] == [z, r, n, 0, 0, 0]


def edited(onnx, path, change):
    """Change the graph of a file, as its protobuf, and write it again."""
    proto = onnx.load(path)
    change(proto.graph)
    onnx.save(proto, path)
    return path


def array(onnx, graph, name):
    """Return the place of an array in a graph."""
    return next(k for k, initializer in enumerate(graph.initializer) if initializer.name == name)


def node(graph, name):
    return next(node for node in graph.node if node.name == name)


@pytest.fixture
def file(tmp_path, rng):
    """Return a file with lengths: two bidirectional LSTMs, the second with peepholes, and Dense."""
    deep = (
        Bidirectional(*[Recurrent(LSTM, 4, 5)] * 2),
        Bidirectional(*[Recurrent(PeepholeLSTM, 10, 3)] * 2),
    )
    model = Serial((*deep, Dense(6, 2)))
    to_onnx(model, random_params(model, rng), tmp_path / "model.onnx", lengths=True)
    return tmp_path / "model.onnx"


def test_one_error_lists_what_is_missing_surplus_and_unknown(file, onnx):
    def change(graph):
        del (
            graph.initializer[array(onnx, graph, "0.R")],
            graph.initializer[array(onnx, graph, "2.b")],
        )
        graph.initializer.append(onnx.numpy_helper.from_array(np.ones(3, np.float32), "9.W"))
        graph.node.append(onnx.helper.make_node("Softmax", ["2.xW"], ["chances"], "chances"))
        graph.node.append(
            onnx.helper.make_node(
                "LSTM", ["2.xW", "", ""], ["theirs"], "theirs", domain="com.example"
            )
        )

    with pytest.raises(ExchangeError) as caught:
        from_onnx(edited(onnx, file, change))
    assert str(caught.value) == (
        f"{file} does not fit: chances is a Softmax, unknown here; theirs is a "
        "com.example.LSTM, unknown here; "
        "0.R, which 0.LSTM takes, is missing; 2.b, which 2.Add takes, is missing; "
        "chances is surplus; theirs is surplus; 9.W is surplus"
    )


def test_one_error_lists_every_array_of_another_shape(file, onnx):
    def change(graph):
        for name, shape in {"0.B": (2, 39), "1.R": (2, 12, 4), "1.P": (1, 9), "2.b": (3,)}.items():
            graph.initializer[array(onnx, graph, name)].CopyFrom(
                onnx.numpy_helper.from_array(np.ones(shape, np.float32), name)
            )

    with pytest.raises(ExchangeError) as caught:
        from_onnx(edited(onnx, file, change))
    assert str(caught.value) == (
        f"{file} does not fit: 0.LSTM: B has shape (2, 39), expected (2, 40); 1.LSTM: P has "
        "shape (1, 9), expected (2, 9); "
        "1.LSTM: R has shape (2, 12, 4), expected (2, 12, 3); 2.Add: b has shape (3,), "
        "expected (2,)"
    )


def test_layers_that_do_not_meet_are_refused(file, onnx):
    def change(graph):
        wider = onnx.numpy_helper.from_array(np.ones((7, 2), np.float32), "2.W")
        graph.initializer[array(onnx, graph, "2.W")].CopyFrom(wider)

    with pytest.raises(
        ExchangeError,
        match=r"the layers do not fit each other: xs: expected shape \(..., 7\), got \(1, 1, 6\)",
    ):
        from_onnx(edited(onnx, file, change))


def set_attribute(name, value):
    def change(onnx, graph):
        lstm_node = node(graph, "1.LSTM")
        for k, attribute in enumerate(lstm_node.attribute):
            if attribute.name == name:
                del lstm_node.attribute[k]
        lstm_node.attribute.append(onnx.helper.make_attribute(name, value))

    return change


def start_from(value):
    def change(onnx, graph):
        graph.initializer.append(
            onnx.numpy_helper.from_array(np.full((2, 1, 3), value, np.float32), "start")
        )
        node(graph, "1.LSTM").input[5] = "start"

    return change


def rename(name, place, new, outputs=False):
    def change(onnx, graph):
        found = node(graph, name)
        (found.output if outputs else found.input)[place] = new

    return change


def one_input(onnx, graph):
    node(graph, "2.MatMul").input.pop()
    node(graph, "2.Add").input[1] = "2.W"
    del graph.initializer[array(onnx, graph, "2.b")]


def whole_numbers(onnx, graph):
    graph.initializer[array(onnx, graph, "2.b")].CopyFrom(
        onnx.numpy_helper.from_array(np.ones(2, np.int32), "2.b")
    )


def reshape_to(shape):
    def change(onnx, graph):
        graph.initializer[array(onnx, graph, "1.shape")].CopyFrom(
            onnx.numpy_helper.from_array(np.array(shape), "1.shape")
        )

    return change


def turn_output(onnx, graph):
    node(graph, "2.Add").output[0] = "2.ys"
    graph.node.append(onnx.helper.make_node("Transpose", ["2.ys"], ["ys"], "turn", perm=[1, 0, 2]))


def second_output(onnx, graph):
    graph.output.append(onnx.helper.make_tensor_value_info("1.Y", 1, None))


def turn_answers(onnx, graph):
    node(graph, "3.Add").output[0] = "3.ys"
    graph.node.append(onnx.helper.make_node("Transpose", ["3.ys"], ["ys"], "turn", perm=[1, 0]))


def gather(axis, index):
    def change(onnx, graph):
        node(graph, "2.Add").output[0] = "2.ys"
        graph.initializer.append(onnx.numpy_helper.from_array(np.array(index), "place"))
        graph.node.append(
            onnx.helper.make_node("Gather", ["2.ys", "place"], ["ys"], "cut", axis=axis)
        )

    return change


CHANGES = {
    "the batch first": (set_attribute("layout", 1), "1.LSTM, a LSTM, has the attributes layout"),
    "clipped": (set_attribute("clip", 3.0), "has the attributes clip, which mean nothing here"),
    "another activation": (
        set_attribute("activations", ["HardSigmoid", "Tanh", "Tanh"] * 2),
        "has the activations .*Hard",
    ),
    "activations for one direction": (
        set_attribute("activations", ["Sigmoid", "Tanh", "Tanh"]),
        "expected 6 of Sigmoid, Tanh, Relu",
    ),
    "peepholes and coupled gates": (
        set_attribute("input_forget", 1),
        "peepholes and coupled gates at once",
    ),
    "a size": (
        set_attribute("hidden_size", 4),
        r"1.LSTM: B has shape \(2, 24\), expected \(2, 32\)",
    ),
    "one direction": (set_attribute("direction", "reverse"), "expected 3 of Sigmoid, Tanh, Relu"),
    "no such direction": (set_attribute("direction", "sideways"), "sideways"),
    "a first state": (start_from(0.5), "has initial_h, expected to start from zero"),
    "a first state that the caller gives": (
        rename("1.LSTM", 5, "xs"),
        "has initial_h, expected to start from zero",
    ),
    "lengths in one layer alone": (
        rename("1.LSTM", 4, ""),
        "some of the nodes take lengths and others do not",
    ),
    "lengths that are computed": (
        rename("1.LSTM", 4, "0.ys"),
        "sequence_lens which the caller does not give",
    ),
    "weights that are computed": (rename("1.LSTM", 1, "0.ys"), "1.W is surplus"),
    "the last state": (
        rename("1.LSTM", 0, "", outputs=True),
        "1.Y, which 1.Transpose takes, is missing",
    ),
    "an output before its node": (
        rename("0.LSTM", 0, "1.ys"),
        "1.ys, which 0.LSTM takes, is missing",
    ),
    "a network that begins within the file": (
        rename("0.LSTM", 0, "2.W"),
        "the network begins with 2.W, which the caller does not give",
    ),
    "a node without its inputs": (one_input, "is no valid ONNX file"),
    "whole numbers": (whole_numbers, "2.Add: b is of int32"),
    "halves mixed with sequences": (
        reshape_to([0, -1, 3]),
        "1.Reshape, a Reshape, does not end an RNN, LSTM or GRU",
    ),
    "the output of no node": (rename("2.Add", 0, "zs", outputs=True), "ys, the output, is missing"),
    "no bias": (rename("2.Add", 1, "2.xW"), "2.b is surplus"),
    "time second at the end": (
        turn_output,
        "time is the first axis in one place and the second in another",
    ),
    "two outputs": (second_output, "expected a network with one output, got ys, 1.Y"),
    "the first step": (gather(0, 0), "neither an Embedding nor Last"),
    "the last sequence": (
        gather(1, -1),
        "time is the first axis in one place and the second in another",
    ),
    "the last feature": (gather(2, -1), "does not gather along time"),
}


@pytest.mark.parametrize("change, message", CHANGES.values(), ids=CHANGES)
def test_what_would_be_read_as_another_network_is_refused(change, message, file, onnx):
    with pytest.raises(ExchangeError, match=message):
        from_onnx(edited(onnx, file, lambda graph: change(onnx, graph)))


@pytest.fixture
def answers(tmp_path, rng):
    """Return a file that takes lengths: symbols in one direction, one answer a sequence."""
    model = Serial((Embedding(V, 4), Recurrent(LSTM, 4, 5), Last(), Dense(5, 2)))
    to_onnx(model, random_params(model, rng), tmp_path / "answers.onnx", lengths=True)
    return tmp_path / "answers.onnx"


def replaced(old, op_type, inputs, arrays=(), **attributes):
    """Return a change that replaces the node `old` by another one, and adds arrays."""

    def change(onnx, graph):
        node(graph, old).CopyFrom(
            onnx.helper.make_node(
                op_type, inputs, [node(graph, old).output[0]], "new", **attributes
            )
        )
        graph.initializer.extend(
            onnx.numpy_helper.from_array(np.array(value), name) for name, value in arrays
        )
        used = {"ys"}
        for place in reversed(range(len(graph.node))):
            if used.intersection(graph.node[place].output):
                used.update(graph.node[place].input)
            else:
                del graph.node[place]
        for place in reversed(range(len(graph.initializer))):
            if graph.initializer[place].name not in used:
                del graph.initializer[place]

    return change


TURN = "2.ReverseSequence", "ReverseSequence"
BIAS = [("bias", np.ones(5, np.float32))]
ONE_DIRECTION = {
    "another axis dropped": (
        replaced("1.Squeeze", "Squeeze", ["1.Y", "axis"], [("axis", [0])]),
        "with all its outputs",
    ),
    "turned along the batch": (
        replaced(*TURN, ["1.ys", "2.lengths"], batch_axis=0, time_axis=1),
        "is not along time",
    ),
    "turned by its own lengths": (
        replaced(*TURN, ["1.ys", "by"], [("by", [1, 1])], batch_axis=1, time_axis=0),
        "not by lengths that the caller gives",
    ),
    "half a product": (
        replaced("3.Add", "Gemm", ["2.ys", "3.W", "3.b"], alpha=0.5),
        "new, a Gemm, is no x W . b",
    ),
    "half a bias": (
        replaced("3.Add", "Gemm", ["2.ys", "3.W", "3.b"], beta=0.5),
        "new, a Gemm, is no x W . b",
    ),
    "a bias without a product": (
        replaced("1.Squeeze", "Add", ["1.Y", "bias"], BIAS),
        "does not add a bias to a MatMul",
    ),
    "one answer a sequence, turned": (turn_answers, "turn swaps the axes of one answer a sequence"),
    "a row of a cube": (
        replaced("0.Gather", "Gather", ["E", "indices"], [("E", np.ones((V, 4, 1)))]),
        r"of shape \(7, 4, 1\)",
    ),
    "dropout in evaluation": (
        replaced(
            "2.Gather",
            "Dropout",
            ["2.turned", "rate", "training"],
            [("rate", np.float32(0.5)), ("training", True)],
        ),
        "new, a Dropout, is to drop in evaluation",
    ),
}


@pytest.mark.parametrize("change, message", ONE_DIRECTION.values(), ids=ONE_DIRECTION)
def test_what_would_be_read_as_another_answer_is_refused(change, message, answers, onnx):
    with pytest.raises(ExchangeError, match=message):
        from_onnx(edited(onnx, answers, lambda graph: change(onnx, graph)))


def test_two_directions_cannot_be_dropped(file, onnx):
    change = replaced("1.Reshape", "Squeeze", ["1.Y", "axis"], [("axis", [1])])
    with pytest.raises(
        ExchangeError, match="new, a Squeeze, does not end an RNN, LSTM or GRU with all its outputs"
    ):
        from_onnx(edited(onnx, file, lambda graph: change(onnx, graph)))


def test_each_direction_is_read_with_its_own_activations(tmp_path, rng, onnx):
    layer = Bidirectional(Recurrent(Elman, 4, 5), Recurrent(Elman, 4, 5))
    to_onnx(layer, random_params(layer, rng), tmp_path / "model.onnx")

    def change(graph):
        activations = next(
            entry for entry in node(graph, "0.RNN").attribute if entry.name == "activations"
        )
        activations.CopyFrom(onnx.helper.make_attribute("activations", ["Tanh", "Relu"]))

    model, params = from_onnx(edited(onnx, tmp_path / "model.onnx", change))
    xs = rng.standard_normal((6, 3, 4)).astype(np.float32)
    assert_close("ys", model.forward(params, xs)[0], run(tmp_path / "model.onnx", xs), RTOL)


def test_a_product_without_a_bias_is_read_with_a_bias_of_zeros(answers, onnx):
    _, before = from_onnx(answers)
    for old, op_type in (("3.Add", "Gemm"), ("new", "MatMul")):
        change = replaced(old, op_type, ["2.ys", "3.W"])
        _, params = from_onnx(
            edited(onnx, answers, lambda graph, change=change: change(onnx, graph))
        )
        assert (
            same_bits(params[-1].W, before[-1].W)
            and not params[-1].b.any()
            and params[-1].b.dtype == np.float32
        )


def test_a_first_state_of_zeros_and_a_bias_left_out_are_read(file, onnx):
    _, before = from_onnx(file)

    def change(graph):
        start_from(0.0)(onnx, graph)
        node(graph, "0.LSTM").input[3] = ""
        del graph.initializer[array(onnx, graph, "0.B")]
        node(graph, "2.Add").output[0] = "2.ys"
        graph.node.append(onnx.helper.make_node("Identity", ["2.ys"], ["ys"], "same"))

    _, params = from_onnx(edited(onnx, file, change))
    assert same_bits(params[1:], before[1:]) and same_bits(
        params[0].forwards.W_x, before[0].forwards.W_x
    )
    assert not params[0].forwards.b.any() and params[0].forwards.b.dtype == np.float32


def test_two_biases_are_read_as_their_sum(tmp_path, rng, onnx):
    layer = Recurrent(LSTM, 4, 5)
    to_onnx(layer, random_params(layer, rng), tmp_path / "model.onnx")
    B = rng.standard_normal((1, 40)).astype(np.float32)

    def change(graph):
        graph.initializer[array(onnx, graph, "0.B")].CopyFrom(
            onnx.numpy_helper.from_array(B, "0.B")
        )

    model, params = from_onnx(edited(onnx, tmp_path / "model.onnx", change))
    xs = rng.standard_normal((6, 3, 4)).astype(np.float32)
    assert_close("ys", model.forward(params, xs)[0], run(tmp_path / "model.onnx", xs), RTOL)


def test_a_foreign_or_damaged_file_is_refused(file):
    whole = file.read_bytes()
    for content in (
        b"",
        b"a text\n",
        b"PK\x03\x04",
        *(whole[:length] for length in range(0, len(whole), 97)),
    ):
        file.write_bytes(content)
        with pytest.raises(ExchangeError, match="model.onnx"):
            from_onnx(file)
    with pytest.raises(FileNotFoundError):
        from_onnx(file.with_name("nowhere"))


ONE = Recurrent(LSTM, 4, 5)
REFUSED = {
    "normalisation": (Recurrent(NormLSTM, 4, 5), "the nodes of ONNX compute .*; got NormLSTM"),
    "no forget gate": (Recurrent(LSTM1997, 4, 5), "got LSTM1997 with i=sigmoid"),
    "another activation": (
        Recurrent(lstm(g=hard_sigmoid()), 4, 5),
        "with sigmoid, tanh or relu.*got LSTM .*g=hard_sigmoid",
    ),
    "gates that differ": (
        Recurrent(lstm(f=tanh), 4, 5),
        "one for all the gates that open and close; got LSTM .*f=tanh",
    ),
    "zoneout": (
        Zoneout(LSTM, 4, 5, LSTMState(0.1, 0.1)),
        "the layers that have nodes in ONNX here are Recurrent.*got Zoneout",
    ),
    "a residual layer": (Serial((Residual(Recurrent(LSTM, 4, 4)),)), r"got Residual\(Recurrent\)"),
    "a stack in each direction": (
        Bidirectional(*[Serial((ONE, Recurrent(LSTM, 5, 5)))] * 2),
        r"two Recurrent layers, or two Serial\(\(.*got Bidirectional\(Serial, Serial, concat\)",
    ),
    "two cells in two directions": (
        Bidirectional(ONE, Recurrent(GRU, 4, 5)),
        "one cell and one size for both .*got LSTM",
    ),
    "two sizes in two directions": (
        Bidirectional(ONE, Recurrent(LSTM, 4, 6)),
        "got LSTM .* of 5 and LSTM .* of 6",
    ),
    "two activations in two directions": (
        Bidirectional(ONE, Recurrent(lstm(g=relu), 4, 5)),
        "one cell and one size",
    ),
    "no cells in two directions": (
        Bidirectional(Dense(4, 5), Dense(4, 5)),
        r"got Bidirectional\(Dense, Dense, concat\)",
    ),
    "one answer in one of two directions": (
        Bidirectional(Serial((ONE, Last())), ONE),
        r"Bidirectional: expected two .*got Bidirectional\(Serial, Recurrent, concat\)",
    ),
    "a turned layer without a cell": (Reversed(Dense(4, 5)), r"got Reversed\(Dense\)"),
    "nothing but dropout": (
        Dropout(0.5),
        "params: expected arrays of float32, or all of float64, got none",
    ),
} | {
    merge.name: (
        Bidirectional(ONE, ONE, merge),
        f"put two directions side by side, got merge {merge.name}",
    )
    for merge in MERGES
    if merge is not concat
}


@pytest.mark.parametrize("model, message", REFUSED.values(), ids=REFUSED)
def test_what_onnx_has_no_word_for_is_refused_and_leaves_no_file(model, message, tmp_path, rng):
    with pytest.raises(ExchangeError, match=message):
        to_onnx(model, model.init(rng), tmp_path / "model.onnx")
    assert os.listdir(tmp_path) == []


def test_parameters_that_do_not_fit_are_refused_and_leave_no_file(tmp_path, rng):
    params = ONE.init(rng)
    for model, wrong, error, message in [
        (
            Recurrent(LSTM, 5, 5),
            params,
            ValueError,
            r"W_x: expected shape \(5, 20\), got \(4, 20\)",
        ),
        (
            Recurrent(LSTM, 4, 6),
            params,
            ValueError,
            r"W_x: expected shape \(4, 24\), got \(4, 20\)",
        ),
        (Recurrent(GRU, 4, 5), params, TypeError, "params: expected GRUParams.*got LSTMParams"),
        (Dense(4, 5), params, TypeError, "params: expected parameters with the fields W, b"),
        (
            Serial((ONE, Dense(6, 2))),
            (params, Dense(6, 2).init(rng)),
            ValueError,
            r"expected shape \(..., 6\)",
        ),
        (Serial((ONE, ONE)), (params, params), ValueError, "xs: expected shape"),
        (Serial((ONE, Last(), ONE)), (params, (), params), ValueError, "xs: expected shape"),
        (
            ONE,
            tree_cast(params, np.float16),
            ExchangeError,
            "expected arrays of float32, or all of float64, got float16",
        ),
        (
            ONE,
            params._replace(b=params.b.astype(np.float32)),
            ExchangeError,
            "got float32, float64",
        ),
        (
            Serial((ONE,)),
            (params, params),
            ValueError,
            "expected a tuple of 1, one for each layer, got 2",
        ),
    ]:
        with pytest.raises(error, match=message):
            to_onnx(model, wrong, tmp_path / "model.onnx")
    assert os.listdir(tmp_path) == []


def test_a_write_that_fails_leaves_the_old_file(file, monkeypatch):
    def full_disk(*_, **__):
        raise OSError("no space left on device")

    old = file.read_bytes()
    monkeypatch.setattr(os, "replace", full_disk)
    with pytest.raises(OSError, match="no space"):
        to_onnx(ONE, random_params(ONE, np.random.default_rng(0)), file)
    assert os.listdir(file.parent) == [file.name] and file.read_bytes() == old


def test_without_the_library_the_error_says_what_to_install(file, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    for attempt in (
        lambda: from_onnx(file),
        lambda: to_onnx(ONE, ONE.init(np.random.default_rng(0)), file),
    ):
        with pytest.raises(
            ImportError, match=r'onnx is not installed.*pip install -e "\.\[exchange\]"'
        ):
            attempt()
