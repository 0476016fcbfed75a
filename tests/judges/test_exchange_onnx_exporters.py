"""Random networks, exported by PyTorch's two exporters, are read: same outputs, same weights.

The outputs are those of PyTorch and of onnxruntime, and the weights are equal bit for bit. The
default exporter takes a second or more for a network, so it is tried with NETWORKS of them; with
all 40 by `NETWORKS=40 pytest tests/judges/test_exchange_onnx_exporters.py`.
"""

import os
import warnings
from functools import cache
from typing import NamedTuple

import numpy as np
import pytest
from judges import assert_close, torch_or_skip

from rnn_tutorial.exchange.layout import ExchangeError
from rnn_tutorial.exchange.onnx import from_onnx
from rnn_tutorial.exchange.pytorch import from_pytorch_module
from rnn_tutorial.layers import Bidirectional, Dense, Embedding, Last, Recurrent
from rnn_tutorial.tree import tree_leaves

NETWORKS = int(os.environ.get("NETWORKS", 8))
# To their last states, by default one of each cell. The simple cells are unrolled, an LSTM or a GRU
# is a node; both are here in one direction and in two.
TO_LAST_STATES = (0, 1, 6, 7, *range(8, NETWORKS))
V = 7
CELLS = {
    "tanh": ("RNN", {"nonlinearity": "tanh"}),
    "relu": ("RNN", {"nonlinearity": "relu"}),
    "LSTM": ("LSTM", {}),
    "GRU": ("GRU", {}),
}


@pytest.fixture(autouse=True, scope="module")
def functions_that_are_read_once():
    """Keep the hundreds of functions that the default exporter reads again for each network."""
    try:
        from torch.onnx._internal._lazy_import import onnxscript_apis

        read_once = cache(onnxscript_apis.get_torchlib_ops)
    except (ImportError, AttributeError):  # not installed, or another version, which takes longer
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(onnxscript_apis, "get_torchlib_ops", read_once)
        yield


class Drawn(NamedTuple):
    """The parts of a random network."""

    cell: str
    D: int
    H: int
    depth: int
    directions: int
    symbols: bool  # an Embedding reads them
    one_answer: bool
    dense: bool
    biases: bool
    dense_bias: bool
    batch_first: bool
    T: int
    B: int


def draw(seed):
    """Return a random network; four that follow each other are of the four cells."""
    rng = np.random.default_rng(seed)
    sizes = {
        "D": rng.integers(1, 6),
        "H": rng.integers(1, 8),
        "depth": rng.integers(1, 4),
        "directions": rng.integers(1, 3),
    }
    sizes |= {"T": rng.integers(2, 6), "B": rng.integers(1, 5)}
    odds = {
        "symbols": 0.5,
        "one_answer": 0.4,
        "dense": 0.7,
        "biases": 0.8,
        "dense_bias": 0.8,
        "batch_first": 0.4,
    }
    chosen = {name: bool(rng.random() < odd) for name, odd in odds.items()}
    return Drawn(
        cell=list(CELLS)[seed % 4], **{name: int(size) for name, size in sizes.items()}, **chosen
    )


def module_of(torch, drawn, last_state=False):
    """Return PyTorch's module, in evaluation, and so without its dropout.

    last_state: one answer is h_n of the last layer, both directions side by side, and not ys[-1].
    """

    class Reader(torch.nn.Module):
        def __init__(self):
            super().__init__()
            kind, options = CELLS[drawn.cell]
            options = options | {
                "bidirectional": drawn.directions == 2,
                "bias": drawn.biases,
                "batch_first": drawn.batch_first,
            }
            options |= {"dropout": 0.3 if drawn.depth > 1 else 0.0}
            self.embedding = torch.nn.Embedding(V, drawn.D)
            self.rnn = getattr(torch.nn, kind)(drawn.D, drawn.H, drawn.depth, **options)
            self.dropout = torch.nn.Dropout(0.5)
            self.dense = torch.nn.Linear(drawn.directions * drawn.H, 3, bias=drawn.dense_bias)

        def forward(self, xs):
            ys, h_n = self.rnn(self.embedding(xs) if drawn.symbols else xs)
            h_n = h_n[0] if drawn.cell == "LSTM" else h_n
            if last_state:
                ys = h_n[-1] if drawn.directions == 1 else torch.cat([h_n[-2], h_n[-1]], dim=-1)
            elif drawn.one_answer:
                ys = ys[:, -1] if drawn.batch_first else ys[-1]
            ys = self.dropout(ys)
            return self.dense(ys) if drawn.dense else ys

    torch.manual_seed(drawn.H)
    return Reader().eval()


def inputs_of(drawn, rng, T, B):
    """Return xs as the module takes them."""
    axes = (B, T) if drawn.batch_first else (T, B)
    return (
        rng.integers(0, V, axes)
        if drawn.symbols
        else rng.standard_normal((*axes, drawn.D)).astype(np.float32)
    )


def export(torch, module, path, xs, **options):
    """Write the ONNX file of a module."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(module, (torch.tensor(xs),), path, verbose=False, **options)
    return path


def run(path, xs):
    """Return what onnxruntime computes."""
    session = pytest.importorskip("onnxruntime").InferenceSession(
        path, providers=["CPUExecutionProvider"]
    )
    return session.run(None, {session.get_inputs()[0].name: xs})[0]


def time_first(drawn, array):
    return (
        array.swapaxes(0, 1)
        if drawn.batch_first and array.ndim + drawn.symbols * (array.dtype == np.int64) == 3
        else array
    )


def check_read(torch, drawn, module, path, rng):
    """Fail unless the model of the file has the module's layers, weights and outputs."""
    model, params = check_outputs(torch, drawn, module, path, rng)
    layers = [Embedding] * drawn.symbols + [
        Bidirectional if drawn.directions == 2 else Recurrent
    ] * drawn.depth
    assert [type(layer) for layer in model.layers] == layers + [Last] * drawn.one_answer + [
        Dense
    ] * drawn.dense
    check_weights(drawn, module, params)


def check_outputs(torch, drawn, module, path, rng):
    """Return (model, params) of the file, if its outputs are PyTorch's and onnxruntime's."""
    model, params = from_onnx(path)
    for T, B in ((drawn.T, drawn.B), (drawn.T + 2, drawn.B + 1)):
        xs = inputs_of(drawn, rng, T, B)
        ours, _, _ = model.forward(params, time_first(drawn, xs))
        theirs = module(torch.tensor(xs)).detach().numpy()
        assert_close(
            "PyTorch's outputs",
            ours,
            theirs if drawn.one_answer else time_first(drawn, theirs),
            1e-5,
        )
        if T == drawn.T:
            answers = run(path, xs)
            assert_close(
                "onnxruntime's",
                ours,
                answers if drawn.one_answer else time_first(drawn, answers),
                1e-5,
            )
    return model, params


def check_weights(drawn, module, params):
    """Fail unless every weight is the module's, bit for bit, and every bias the sum of two."""
    recurrent = params[drawn.symbols :][: drawn.depth]
    _, wanted = from_pytorch_module(module.rnn)
    for leaf, want in zip(tree_leaves(recurrent), tree_leaves(wanted), strict=True):
        np.testing.assert_array_equal(leaf, want)
        assert leaf.flags.writeable and leaf.flags.c_contiguous and leaf.dtype == np.float32
    if drawn.symbols:
        np.testing.assert_array_equal(params[0].E, module.embedding.weight.detach())
    if drawn.dense:
        np.testing.assert_array_equal(params[-1].W, module.dense.weight.detach().T)
        np.testing.assert_array_equal(
            params[-1].b, module.dense.bias.detach() if drawn.dense_bias else np.zeros(3)
        )


@pytest.mark.parametrize("seed", range(40))
def test_what_the_older_exporter_writes_is_read(seed, tmp_path):
    torch = torch_or_skip()
    pytest.importorskip("onnx")
    rng, drawn = np.random.default_rng(seed), draw(seed)
    module = module_of(torch, drawn)
    xs = inputs_of(drawn, rng, drawn.T, drawn.B)
    free = {"input_names": ["xs"], "dynamic_axes": {"xs": {0: "first", 1: "second"}}}
    for options in ({}, free):
        check_read(
            torch,
            drawn,
            module,
            export(torch, module, tmp_path / "old.onnx", xs, dynamo=False, **options),
            rng,
        )


@pytest.mark.parametrize("seed", range(NETWORKS))
def test_what_the_default_exporter_writes_is_read(seed, tmp_path):
    torch = torch_or_skip()
    pytest.importorskip("onnxscript")
    rng, drawn = np.random.default_rng(seed), draw(seed)
    module = module_of(torch, drawn)
    xs = inputs_of(drawn, rng, drawn.T, drawn.B)
    check_read(torch, drawn, module, export(torch, module, tmp_path / "new.onnx", xs), rng)


def last_state_cases(seeds, exporters):
    return [(seed, options) for seed in seeds for options in exporters]


@pytest.mark.parametrize(
    "seed, options",
    last_state_cases(range(40), [{"dynamo": False}]) + last_state_cases(TO_LAST_STATES, [{}]),
)
def test_networks_to_their_last_state_are_read(seed, options, tmp_path):
    """h_n[-1], or h_n[-2] and h_n[-1] of two directions: each reads to its own end."""
    torch = torch_or_skip()
    pytest.importorskip("onnx" if options else "onnxscript")
    rng, drawn = np.random.default_rng(seed), draw(seed)._replace(one_answer=True)
    module = module_of(torch, drawn, last_state=True)
    xs = inputs_of(drawn, rng, drawn.T, drawn.B)
    path = export(torch, module, tmp_path / "last.onnx", xs, **options)
    _, params = check_outputs(torch, drawn, module, path, rng)
    _, wanted = from_pytorch_module(module.rnn)
    for leaf, want in zip(tree_leaves(params[drawn.symbols :]), tree_leaves(wanted)):
        np.testing.assert_array_equal(leaf, want)


@pytest.mark.parametrize("cell", ["LSTM", "tanh"])
@pytest.mark.parametrize("dynamo", [True, False])
def test_the_last_states_of_other_layers_or_of_one_direction_are_refused(cell, dynamo, tmp_path):
    torch = torch_or_skip()
    pytest.importorskip("onnxscript")

    class Reader(torch.nn.Module):
        def __init__(self, directions, layer):
            super().__init__()
            kind, options = CELLS[cell]
            self.rnn = getattr(torch.nn, kind)(3, 4, 2, bidirectional=directions == 2, **options)
            self.layer = layer

        def forward(self, xs):
            h_n = self.rnn(xs)[1]
            return (h_n[0] if cell == "LSTM" else h_n)[self.layer]

    for directions, layer in ((1, 0), (2, -1), (2, -2)):
        xs = np.ones((2, 2, 3), np.float32)
        module = Reader(directions, layer).eval()
        path = export(torch, module, tmp_path / "other.onnx", xs, dynamo=dynamo)
        with pytest.raises(ExchangeError, match="last states of|surplus|put together the steps"):
            from_onnx(path)


def test_the_draws_have_everything():
    """The networks that are tried by default have every option, though not every combination."""
    drawn = [draw(seed) for seed in range(8)]
    for field in Drawn._fields[4:-2]:
        assert len({getattr(network, field) for network in drawn}) == 2, field
    assert {network.depth for network in drawn} == {1, 2, 3} and {
        network.cell for network in drawn
    } == CELLS.keys()
    last = [drawn[seed] for seed in TO_LAST_STATES[:4]]
    assert {(n.cell in ("LSTM", "GRU"), n.directions) for n in last} == {
        (node, directions) for node in (False, True) for directions in (1, 2)
    }
    assert {network.cell for network in last} == CELLS.keys()


@pytest.mark.parametrize("cell", ["LSTM", "GRU", "relu"])
def test_weights_that_the_exporter_leaves_to_be_computed_are_read(cell, tmp_path):
    """For large W the exporter writes the nodes that compute it, and the arrays to another file."""
    torch = torch_or_skip()
    pytest.importorskip("onnxscript")
    drawn = Drawn(cell, 64, 96, 1, 2, False, False, True, True, True, False, 3, 2)
    module, rng = module_of(torch, drawn), np.random.default_rng(0)
    path = export(torch, module, tmp_path / "large.onnx", inputs_of(drawn, rng, 3, 2))
    check_read(torch, drawn, module, path, rng)


def test_a_free_batch_is_read(tmp_path):
    """The sizes of a Reshape are then computed from those of the tensor that it takes."""
    torch = torch_or_skip()
    pytest.importorskip("onnxscript")
    drawn = Drawn("LSTM", 4, 5, 2, 2, False, True, True, True, True, False, 4, 3)
    module, rng = module_of(torch, drawn), np.random.default_rng(0)
    shapes = ({0: torch.export.Dim.STATIC, 1: torch.export.Dim.DYNAMIC},)
    path = export(
        torch, module, tmp_path / "free.onnx", inputs_of(drawn, rng, 4, 3), dynamic_shapes=shapes
    )
    check_read(torch, drawn, module, path, rng)


@pytest.fixture
def onnx():
    return pytest.importorskip("onnx")


def save(onnx, path, nodes, arrays, xs, ys):
    """Write the file of the nodes and arrays that lead to ys; xs and ys are shapes.

    A node is (op_type, inputs, output, attributes).
    """
    h, used, made = onnx.helper, {"ys"}, []
    for op_type, inputs, output, attributes in reversed(nodes):
        if output in used:
            made.insert(0, h.make_node(op_type, inputs, [output], **attributes))
            used.update(inputs)
    info = [h.make_tensor_value_info(name, 1, shape) for name, shape in (("xs", xs), ("ys", ys))]
    initializers = [
        onnx.numpy_helper.from_array(arrays[name], name) for name in sorted(used & arrays.keys())
    ]
    graph = h.make_graph(made, "by hand", info[:1], info[1:], initializers)
    onnx.save(h.make_model(graph, opset_imports=[h.make_opsetid("", 20)], ir_version=10), path)
    return path


def unrolled(rng, T=3, B=2, D=4, H=5, backwards=False):
    """Return (nodes, arrays) of an RNN as the default exporter unrolls it, by hand."""
    arrays = {
        "W": rng.standard_normal((D, H)),
        "R": rng.standard_normal((H, H)) / 2,
        "b": rng.standard_normal(H),
    }
    arrays |= {"c": rng.standard_normal(H)}
    arrays |= {"begin": np.broadcast_to(arrays["c"], (1, B, H)).copy()}
    arrays = {name: array.astype(np.float32) for name, array in arrays.items()} | {
        "zero": np.array([0])
    }
    nodes = [("MatMul", ["xs", "W"], "xW", {}), ("Add", ["xW", "b"], "linear", {})]
    order = list(range(T))[:: -1 if backwards else 1]
    loop = "begin"
    for t in order:
        arrays |= {f"from{t}": np.array([t]), f"to{t}": np.array([t + 1])}
        nodes += [("Slice", ["linear", f"from{t}", f"to{t}", "zero"], f"row{t}", {})]
        nodes += [
            ("Squeeze", [f"row{t}", "zero"], f"x{t}", {}),
            ("Add", [loop, f"x{t}"], f"a{t}", {}),
            ("Tanh", [f"a{t}"], f"h{t}", {}),
        ]
        if t != order[-1]:
            nodes += [
                ("MatMul", [f"h{t}", "R"], f"hR{t}", {}),
                ("Add", [f"hR{t}", "c"], f"loop{t}", {}),
            ]
            loop = f"loop{t}"
    return [*nodes, ("Concat", [f"h{t}" for t in range(T)], "ys", {"axis": 0})], arrays


@pytest.mark.parametrize("backwards", [False, True])
def test_an_unrolled_network_is_read_without_pytorch(backwards, tmp_path, onnx):
    rng = np.random.default_rng(0)
    nodes, arrays = unrolled(rng, backwards=backwards)
    path = save(onnx, tmp_path / "unrolled.onnx", nodes, arrays, [3, 2, 4], [3, 2, 5])
    model, params = from_onnx(path)
    xs = rng.standard_normal((3, 2, 4)).astype(np.float32)
    assert_close("ys", model.forward(params, xs)[0], run(path, xs), 1e-6)
    leaves = tree_leaves(params)
    for leaf, want in zip(
        leaves, (arrays["W"], arrays["R"], arrays["b"] + arrays["c"]), strict=True
    ):
        np.testing.assert_array_equal(leaf, want)


def place_of(nodes, output):
    return next(k for k, node in enumerate(nodes) if node[2] == output)


def changed(output, position, new):
    """Return a change of one input of the node of `output`: another name, or a number to add."""

    def change(nodes, arrays):
        inputs = nodes[place_of(nodes, output)][1]
        if isinstance(new, float):
            arrays[f"other {inputs[position]}"] = arrays[inputs[position]] + np.float32(new)
            inputs[position] = f"other {inputs[position]}"
        else:
            inputs[position] = new

    return change


def relu_once(nodes, arrays):
    place = place_of(nodes, "h1")
    nodes[place] = ("Relu", *nodes[place][1:])


def steps_swapped(nodes, arrays):
    nodes[-1][1][:] = ["h1", "h0", "h2"]


def no_last_step(nodes, arrays):
    nodes[-1][1].pop()


def along_the_batch(nodes, arrays):
    nodes[-1] = (*nodes[-1][:3], {"axis": 1})


UNROLLED = {
    "another matrix at one step": (changed("hR1", 1, 0.1), "does not put together the steps"),
    "another bias at one step": (changed("loop1", 1, 0.1), "does not put together the steps"),
    "another begin": (changed("a0", 0, 0.5), "does not put together the steps"),
    "another activation at one step": (relu_once, "does not put together the steps"),
    "an input taken twice": (changed("a2", 1, "x1"), "does not put together the steps"),
    "an input of another step": (changed("row2", 1, "from1"), "does not put together the steps"),
    "the steps in another order": (steps_swapped, "does not put together the steps"),
    "a step left out": (
        no_last_step,
        "holds the network for 2 steps, and the file takes another number",
    ),
    "the steps side by side in the batch": (along_the_batch, "does not put together the steps"),
    "a state of two steps before": (changed("hR1", 0, "h0"), "does not put together the steps"),
}


@pytest.mark.parametrize("change, message", UNROLLED.values(), ids=UNROLLED)
def test_steps_that_are_not_those_of_one_network_are_refused(change, message, tmp_path, onnx):
    nodes, arrays = unrolled(np.random.default_rng(0))
    change(nodes, arrays)
    path = save(onnx, tmp_path / "unrolled.onnx", nodes, arrays, [3, 2, 4], ["a", "b", "c"])
    with pytest.raises(ExchangeError, match=message):
        from_onnx(path)


def one_lstm(rng, after, shape=(5, 2, 3)):
    """Return (nodes, arrays) of an LSTM in two directions of 4 units, and of the nodes after it."""
    arrays = {
        "W": rng.standard_normal((2, 16, 3)),
        "R": rng.standard_normal((2, 16, 4)),
        "B": rng.standard_normal((2, 32)),
    }
    arrays = {name: array.astype(np.float32) for name, array in arrays.items()}
    return [
        ("LSTM", ["xs", "W", "R", "B"], "Y", {"hidden_size": 4, "direction": "bidirectional"}),
        *after,
    ], arrays


TURN, RESHAPE = (
    ("Transpose", ["Y"], "Z", {"perm": [0, 2, 1, 3]}),
    ("Reshape", ["Z", "shape"], "ys", {}),
)
ENDS = {
    "fixed": ([TURN, RESHAPE], [5, 2, 8], True),
    "as they are": ([TURN, RESHAPE], [0, 0, 8], True),
    "the batch as it comes out": ([TURN, RESHAPE], [5, -1, 8], True),
    "sequences mixed": ([TURN, RESHAPE], [2, 5, 8], False),
    "directions mixed with sequences": (
        [("Transpose", ["Y"], "Z", {"perm": [0, 1, 2, 3]}), RESHAPE],
        [5, 2, 8],
        False,
    ),
    "units mixed with directions": (
        [("Transpose", ["Y"], "Z", {"perm": [0, 2, 3, 1]}), RESHAPE],
        [5, 2, 8],
        False,
    ),
    "steps mixed": ([("Transpose", ["Y"], "Z", {"perm": [2, 0, 1, 3]}), RESHAPE], [5, 2, 8], False),
    "sizes that do not fit": ([TURN, RESHAPE], [5, 3, 8], False),
}


@pytest.mark.parametrize("after, shape, right", ENDS.values(), ids=ENDS)
def test_what_stands_after_the_node_must_put_its_directions_side_by_side(
    after, shape, right, tmp_path, onnx
):
    rng = np.random.default_rng(0)
    nodes, arrays = one_lstm(rng, after)
    path = save(
        onnx,
        tmp_path / "ends.onnx",
        nodes,
        arrays | {"shape": np.array(shape)},
        [5, 2, 3],
        ["a", "b", "c"],
    )
    if right:
        model, params = from_onnx(path)
        xs = rng.standard_normal((5, 2, 3)).astype(np.float32)
        assert_close("ys", model.forward(params, xs)[0], run(path, xs), 1e-6)
    else:
        with pytest.raises(
            ExchangeError, match="does not end an RNN, LSTM or GRU with all its outputs"
        ):
            from_onnx(path)


@pytest.mark.parametrize("shape, right", [([5, 2, 8], True), ([2, 5, 8], False)])
def test_fixed_sizes_of_a_file_with_the_batch_first_are_those_of_its_turned_input(
    shape, right, tmp_path, onnx
):
    """xs is (B, T, D) = (2, 5, 3), so within the network T = 5 comes first."""
    rng = np.random.default_rng(0)
    nodes, arrays = one_lstm(
        rng, [TURN, (*RESHAPE[:2], "hs", {}), ("Transpose", ["hs"], "ys", {"perm": [1, 0, 2]})]
    )
    nodes = [
        ("Transpose", ["xs"], "turned", {"perm": [1, 0, 2]}),
        ("LSTM", ["turned", *nodes[0][1][1:]], *nodes[0][2:]),
        *nodes[1:],
    ]
    path = save(
        onnx,
        tmp_path / "turned.onnx",
        nodes,
        arrays | {"shape": np.array(shape)},
        [2, 5, 3],
        ["a", "b", "c"],
    )
    if not right:
        with pytest.raises(
            ExchangeError, match="does not end an RNN, LSTM or GRU with all its outputs"
        ):
            from_onnx(path)
        return
    model, params = from_onnx(path)
    xs = rng.standard_normal((2, 5, 3)).astype(np.float32)
    assert_close(
        "ys", model.forward(params, xs.swapaxes(0, 1))[0].swapaxes(0, 1), run(path, xs), 1e-6
    )


def test_arrays_that_the_file_has_in_parts_are_put_together(tmp_path, onnx):
    """W comes from a matrix with other gates first, and the first state of zeros is computed."""
    rng = np.random.default_rng(0)
    arrays = {
        "rows": rng.standard_normal((16, 3)),
        "R": rng.standard_normal((1, 16, 4)),
        "B": rng.standard_normal((1, 32)),
    }
    arrays = {name: array.astype(np.float32) for name, array in arrays.items()}
    arrays |= {f"{k}H": np.array([4 * k]) for k in range(5)} | {
        "axis": np.array([0]),
        "drop": np.array([1]),
    }
    arrays |= {"sizes": np.array([1, 2, 4])}
    nodes = [("Slice", ["rows", f"{k}H", f"{k + 1}H", "axis"], f"part{k}", {}) for k in range(4)]
    nodes += [
        ("Concat", ["part0", "part3", "part1", "part2"], "matrix", {"axis": 0}),
        ("Unsqueeze", ["matrix", "axis"], "W", {}),
    ]
    nodes += [("ConstantOfShape", ["sizes"], "begin", {})]
    nodes += [
        ("LSTM", ["xs", "W", "R", "B", "", "begin", "begin"], "Y", {"hidden_size": 4}),
        ("Squeeze", ["Y", "drop"], "ys", {}),
    ]
    path = save(onnx, tmp_path / "parts.onnx", nodes, arrays, [5, 2, 3], ["a", "b", "c"])
    model, params = from_onnx(path)
    xs = rng.standard_normal((5, 2, 3)).astype(np.float32)
    assert_close("ys", model.forward(params, xs)[0], run(path, xs), 1e-6)
