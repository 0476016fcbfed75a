"""Each row of the table of names is true: read in the library, it is the number that we compute.

The test gives a library our weights, runs it forward and back, and evaluates every name of its
column. CS231n is an assignment, not a library: its column is held against PyTorch's gradients of
its step, and against the numbers that it prints.
"""

import collections
import importlib
import inspect
import re
import warnings

import numpy as np
import pytest
from judges import assert_close, epynn_or_skip, onnx_run, torch_or_skip

from rnn_tutorial.cells import (
    GRU,
    LSTM,
    GRUBefore,
    GRUGates,
    LSTMGates,
    LSTMState,
    gate_blocks,
    lstm_gates_backward,
    lstm_step,
    lstm_step_backward,
    split_gates,
)
from rnn_tutorial.exchange import GATE_NAMES, LIBRARIES, NAMES, names_table, to_keras, to_pytorch
from rnn_tutorial.exchange.layout import reorder_gates, two_bias_gradients, two_biases
from rnn_tutorial.gradient_check import random_start
from rnn_tutorial.layers import Bidirectional, Recurrent, add, average, concat, multiply
from rnn_tutorial.sequence import step, trace, trace_backward, unroll, unroll_backward
from rnn_tutorial.tree import tree_random_like, tree_zeros_like

T, B, D, H = 6, 3, 4, 5
GATES = {"LSTM": LSTMGates, "GRU": GRUGates}


class Problem:
    """An LSTM or a GRU with its inputs, and all that we compute, by the names of the table."""

    def __init__(self, cell, network, *, from_zero=False):
        rng = np.random.default_rng(1)
        self.cell, self.network, self.H = cell, network, H
        self.recurrent = Recurrent(cell, D, H)
        self.params, state = random_start(cell, rng, B, D, H)
        self.state = tree_zeros_like(state) if from_zero else state
        self.xs, self.dhs = rng.standard_normal((T, B, D)), rng.standard_normal((T, B, H))
        self.dlast = tree_zeros_like(state) if from_zero else tree_random_like(state, rng)
        self.ours = self.computed()

    def computed(self):
        cell, params, xs = self.cell, self.params, self.xs
        (hs, last), cache = unroll(cell, params, xs, self.state)
        dparams, dxs, dfirst = unroll_backward(cell, params, cache, (self.dhs, self.dlast))
        traced, caches = trace(cell, params, xs, self.state)
        back = trace_backward(cell, params, caches, (self.dhs, self.dlast))
        W_x, W_h, b, b_h = two_biases(self.recurrent, params)
        dW_x, dW_h, db, db_h = two_bias_gradients(self.recurrent, dparams)
        dh_next = back.dstates.h - self.dhs
        ours = {"xs": xs, "hs": hs, "dhs": self.dhs, "dxs": dxs, "dh": back.dstates.h}
        ours |= {"W_x": W_x, "W_h": W_h, "dW_x": dW_x, "dW_h": dW_h, "b": b, "db": db}
        ours |= {"0, 0 and b_hn": b_h, "db_r, db_z and db_hn": db_h}
        ours |= {"dh^next of h_t": dh_next, "dh^next of h_{t-1}": before(dfirst.h, dh_next)}
        for name, first, final, dfirst_part in zip(self.state._fields, self.state, last, dfirst):
            ours |= {f"first {name}": first, f"last {name}": final}
            ours |= {f"gradient of the first {name}": dfirst_part}
        for gate, values, dvalues in zip(
            cell.gates, *(split_gates(tree, GATES[self.network]) for tree in (params, dparams))
        ):
            ours |= {f"{field}_{gate}": leaf for field, leaf in values._asdict().items()}
            ours |= {f"d{field}_{gate}": leaf for field, leaf in dvalues._asdict().items()}
        ours |= {gate: getattr(traced.values, gate) for gate in cell.gates}
        ours |= {f"a_{gate}": inverse(gate)(ours[gate]) for gate in cell.gates}
        da = gate_blocks(back.da_xs, GATES[self.network])
        ours |= {f"da_{gate}": block for gate, block in da._asdict().items()}
        if self.network == "LSTM":
            dc_next = back.dstates.c
            ours |= {"c": traced.states.c, "tanh_c": traced.values.tanh_c}
            ours |= {"dc": lstm_gates_backward(traced.values, back.dstates)[1]}
            ours |= {"dc^next of c_t": dc_next, "dc^next of c_{t-1}": before(dfirst.c, dc_next)}
        return ours

    def rows(self, library):
        """Yield (our name, our axes, name there, axes there) of this network, gate by gate."""
        other = "GRU" if self.network == "LSTM" else "LSTM"
        for kind, rows in NAMES.items():
            if kind in ("conventions", "sizes") or kind.startswith((other, "LSTM in", "LSTM, one")):
                continue
            for row in rows:
                if field := getattr(row, library):
                    each = GATE_NAMES[self.network][library] if "{q}" in row.here else {"": ""}
                    for here, there in each.items():
                        yield [
                            part
                            for text, gate in ((row.here, here), (field, there))
                            for part in text.replace("{q}", gate).split(" | ")
                        ]

    def in_our_axes(self, library, array, axes, our_axes):
        """Return an array of the library with the axes, and the order of gates, that ours has."""
        axes, array = axes.split(), np.asarray(array)
        assert array.ndim == len(axes), (array.shape, axes)
        ones = tuple(k for k, axis in enumerate(axes) if axis == "1")
        axes, array = [axis for axis in axes if axis != "1"], array.squeeze(ones)
        if axes != our_axes.split():
            array = array.transpose([axes.index(axis) for axis in our_axes.split()])
        if "GH" in axes:
            array = reorder_gates(array, list(GATE_NAMES[self.network][library]), self.cell.gates)
        return array

    def check(self, library, there, rtol=1e-12):
        """Compare every row of the library's column with ours; `there` holds its names."""
        names = []
        for here, our_axes, name, axes in self.rows(library):
            theirs = self.in_our_axes(library, eval(name, {}, there), axes, our_axes)
            assert_close(f"{here} is {name}", self.ours[here], theirs, rtol)
            names.append(here)
        assert len(names) == len(set(names)) > 4
        return set(names)


def before(first, later):
    """Return the gradients one step earlier: that of the first state, then the others."""
    return np.concatenate([first[None], later[:-1]])


def inverse(gate):
    """Return the inverse of the activation of a gate."""
    return np.arctanh if gate in "gn" else lambda y: np.log(y / (1 - y))


class Attributes(dict):
    """Names for `eval`: those of a dict, and the attributes of an object."""

    def __init__(self, thing, **names):
        super().__init__(names)
        self.thing = thing

    def __missing__(self, name):
        if not hasattr(self.thing, name):
            raise KeyError(name)  # then eval looks among the functions of Python
        return getattr(self.thing, name)


def reset_of(library):
    """Return what the table says of the reset gate of a library."""
    return next(
        getattr(row, library) for row in NAMES["conventions"] if row.here.startswith("reset")
    )


def in_both_directions(library):
    """Return {our name: the name there} of the rows of the LSTM in both directions."""
    rows = NAMES["LSTM in both directions"]
    return {row.here.split(" | ")[0]: getattr(row, library) for row in rows}


def turned(array, field, our_axes):
    """Return an array of ours with the axes of a field of the table."""
    return array.transpose([our_axes.index(axis) for axis in field.split(" | ")[1].split()])


# EpyNN


@pytest.fixture(scope="module")
def epynn(tmp_path_factory):
    """Return EpyNN's LSTM and GRU by name."""
    return epynn_or_skip(tmp_path_factory.mktemp("epynn"))


def put_in(problem, library, there):
    """Write our parameters of each gate into the library, by their names in the table."""
    for here, _, name, axes in problem.rows(library):
        if here[:2] in ("U_", "V_", "b_"):
            value = problem.ours[here]
            exec(f"{name} = value", {"value": value[None] if "1" in axes else value}, there)


@pytest.mark.parametrize("cell, network", [(LSTM, "LSTM"), (GRUBefore, "GRU")])
def test_the_column_of_epynn(cell, network, epynn):
    problem = Problem(cell, network, from_zero=True)
    layer = epynn[network](unit_cells=H, sequences=True, clip_gradients=False)
    there = Attributes(layer)
    put_in(problem, "epynn", there)
    layer.forward(problem.xs.swapaxes(0, 1))
    layer.backward(problem.dhs.swapaxes(0, 1))
    layer.compute_gradients()
    found = problem.check("epynn", there)
    assert {"dh", "dh^next of h_{t-1}"} <= found and f"a_{problem.cell.gates[-1]}" in found
    assert reset_of("epynn") == "before"
    sizes = {row.here: layer.d[row.epynn] for row in NAMES["sizes"]}
    assert sizes == {"T": T, "B": B, "D": D, "H": H}


# numpy-ml


@pytest.fixture(scope="module")
def numpy_ml():
    """Return numpy-ml's layers and modules; it asks for a `collections.Hashable`."""
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        patch.setattr(collections, "Hashable", collections.abc.Hashable, raising=False)
        layers = pytest.importorskip("numpy_ml.neural_nets.layers")
        return layers, importlib.import_module("numpy_ml.neural_nets.modules")


def numpy_ml_cell(problem, cell):
    """Put our weights into a cell of numpy-ml, and return its names."""
    cell.n_in = D
    cell._init_params()
    there = Attributes(cell)
    put_in(problem, "numpy_ml", there)
    return there


def test_the_column_of_numpy_ml(numpy_ml):
    problem = Problem(LSTM, "LSTM", from_zero=True)
    cell = numpy_ml[0].LSTMCell(H)
    there = numpy_ml_cell(problem, cell)
    for x in problem.xs:
        cell.forward(x)
    dxs = [cell.backward(dh) for dh in problem.dhs[::-1]][::-1]
    assert_close("dxs", problem.ours["dxs"], np.stack(dxs), 1e-12)
    found = problem.check("numpy_ml", there)
    assert {"i", "f", "o", "g", "c", "dV_g", "gradient of the first c"} <= found


@pytest.mark.parametrize("merge", [concat, add, average], ids=lambda merge: merge.name)
def test_both_directions_of_numpy_ml(merge, numpy_ml):
    rows = in_both_directions("numpy_ml")
    layer = numpy_ml[1].BidirectionalLSTM(H, merge_mode=rows[merge.name])
    problems = {"forwards": Problem(LSTM, "LSTM"), "backwards": Problem(LSTM, "LSTM")}
    problems["backwards"].params = tree_random_like(
        problems["backwards"].params, np.random.default_rng(5)
    )
    problems["backwards"].ours = problems["backwards"].computed()
    for half, problem in problems.items():
        numpy_ml_cell(problem, getattr(layer, rows[half]))

    rng = np.random.default_rng(2)
    ours = Bidirectional(Recurrent(LSTM, D, H), Recurrent(LSTM, D, H), merge)
    params = ours.init(rng)._replace(**{half: p.params for half, p in problems.items()})
    xs = rng.standard_normal((T, B, D))
    ys, _, cache = ours.forward(params, xs)
    dys = rng.standard_normal(ys.shape)
    dparams, dxs, _ = ours.backward(params, cache, dys)

    got = layer.forward(turned(xs, rows["xs"], "TBD"))
    assert_close("ys", turned(ys, rows["ys"], "TBK"), got, 1e-12)
    got = layer.backward(turned(dys, rows["dys"], "TBK"))
    assert_close("dxs", turned(dxs, rows["dxs"], "TBD"), got, 1e-12)
    for half, problem in problems.items():
        there = Attributes(getattr(layer, rows[half]))
        dgates = split_gates(getattr(dparams, half), LSTMGates)
        for here, our_axes, name, axes in problem.rows("numpy_ml"):
            if here[:3] in ("dU_", "dV_", "db_"):
                value = problem.in_our_axes("numpy_ml", eval(name, {}, there), axes, our_axes)
                wanted = getattr(getattr(dgates, here[3:]), here[1])
                assert_close(f"{half} {here}", wanted, value, 1e-12)
    assert [*inspect.signature(layer.forward).parameters] == [rows["xs"].split(" | ")[0]]
    assert [*inspect.signature(layer.backward).parameters] == [rows["dys"].split(" | ")[0]]
    sizes = {row.here: row.numpy_ml for row in NAMES["sizes"]}
    assert f"`({', '.join(sizes[axis] for axis in 'BDT')})`" in layer.forward.__doc__
    assert f"`({', '.join(sizes[axis] for axis in 'BHT')})`" in layer.forward.__doc__


# CS231n


def cs231n_step(torch, x, prev_h, prev_c, Wx, Wh, b):
    """Return (next_h, next_c), as the assignment describes its step: i, f, o, g."""
    i, f, o, g = torch.split(x @ Wx + prev_h @ Wh + b, prev_h.shape[1], dim=1)
    next_c = torch.sigmoid(f) * prev_c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(next_c), next_c


def cs231n_rows(*kinds):
    """Return {their name: (our name, our axes)} of these kinds."""
    rows = [row for kind in kinds for row in NAMES[kind] if row.cs231n]
    return {row.cs231n.split(" | ")[0]: row.here.split(" | ") for row in rows}


def test_one_step_of_cs231n():
    """dnext_h and dnext_c come in, dprev_h and dprev_c go out, as PyTorch derives them."""
    torch = torch_or_skip()
    rng = np.random.default_rng(3)
    params, previous = random_start(LSTM, rng, B, D, H)
    x, dstate = rng.standard_normal((B, D)), tree_random_like(previous, rng)
    state, cache = lstm_step(params, x, previous)
    dparams, dx, dprevious = lstm_step_backward(params, cache, dstate)
    ours = {"xs": x, "dxs": dx}
    ours |= {name: leaf for name, leaf in params._asdict().items()}
    ours |= {f"d{name}": leaf for name, leaf in dparams._asdict().items()}
    states = dict(previous=previous, state=state, dstate=dstate, dprevious=dprevious)
    ours |= {f"{name}.{field}": getattr(s, field) for name, s in states.items() for field in "hc"}

    rows = cs231n_rows("sequences", "parameters", "LSTM", "LSTM, one step")
    rows = {there: here for there, (here, *_) in rows.items() if here in ours}
    arguments = ["x", "prev_h", "prev_c", "Wx", "Wh", "b"]
    given = {name: torch.tensor(ours[rows[name]], requires_grad=True) for name in arguments}
    next_h, next_c = cs231n_step(torch, *given.values())
    dnext = [torch.tensor(ours[rows[name]]) for name in ("dnext_h", "dnext_c")]
    torch.autograd.backward([next_h, next_c], dnext)
    theirs = {"next_h": next_h.detach(), "next_c": next_c.detach()}
    theirs |= {f"d{name}": value.grad for name, value in given.items()}
    for name, value in theirs.items():
        assert_close(name, ours[rows[name]], value.numpy(), 1e-12)
    assert rows.keys() == {*arguments, *theirs, "dnext_h", "dnext_c"}
    for row in NAMES["LSTM, one step"]:  # none of these arrays was turned
        assert row.cs231n.split(" | ")[1] == row.here.split(" | ")[1]


def test_a_sequence_of_cs231n_gives_the_numbers_that_it_prints():
    def evenly(first, last, *shape):
        return np.linspace(first, last, num=np.prod(shape)).reshape(shape)

    there = {"x": evenly(-0.4, 0.6, 2, 3, 5), "h0": evenly(-0.4, 0.8, 2, 4)}
    there |= {"Wx": evenly(-0.2, 0.9, 5, 16), "Wh": evenly(-0.3, 0.6, 4, 16)}
    there |= {"b": evenly(0.2, 0.7, 16)}
    rows = cs231n_rows("sequences", "parameters", "LSTM")
    ours = {rows[name][0]: value for name, value in there.items()}
    assert [row.cs231n.split(" | ")[1] for row in NAMES["sequences"][:2]] == ["B T D", "B T H"]
    gates = list(GATE_NAMES["LSTM"]["cs231n"])
    params = LSTM.Params(*(reorder_gates(ours[k], gates, LSTM.gates) for k in ("W_x", "W_h", "b")))
    h = ours["first h"]
    (hs, _), _ = unroll(LSTM, params, ours["xs"].swapaxes(0, 1), LSTMState(h, np.zeros_like(h)))
    printed = [[0.01764008, 0.11287491, 0.31358768], [0.45767879, 0.6704845, 0.81733511]]
    np.testing.assert_allclose(hs[:, :, 0].T, printed, rtol=1e-6)


def test_the_gradients_of_a_sequence_of_cs231n():
    """Its loop of steps, derived by PyTorch: dh comes in for each step, c starts from zero."""
    torch = torch_or_skip()
    problem = Problem(LSTM, "LSTM")
    problem.state = problem.state._replace(c=np.zeros((B, H)))
    problem.dlast = tree_zeros_like(problem.dlast)
    problem.ours = problem.computed()
    given = {
        "x": problem.xs.swapaxes(0, 1),
        "h0": problem.state.h,
        "Wx": problem.params.W_x,
        "Wh": problem.params.W_h,
        "b": problem.params.b,
    }
    there = {name: torch.tensor(value, requires_grad=True) for name, value in given.items()}
    h, c, hs = there["h0"], torch.zeros(B, H, dtype=torch.float64), []
    for t in range(T):
        h, c = cs231n_step(torch, there["x"][:, t], h, c, *(there[k] for k in ("Wx", "Wh", "b")))
        hs.append(h)
    dh = problem.dhs.swapaxes(0, 1)
    torch.stack(hs, dim=1).backward(torch.tensor(dh))
    names = {name: value.detach().numpy() for name, value in there.items()}
    names |= {f"d{name}": value.grad.numpy() for name, value in there.items()}
    names |= {"h": torch.stack(hs, dim=1).detach().numpy(), "dh": dh}
    assert problem.check("cs231n", names) >= {"xs", "dxs", "W_h", "dW_h", "db", "first h"}


# PyTorch, Keras, ONNX


@pytest.mark.parametrize("cell, network", [(LSTM, "LSTM"), (GRU, "GRU")])
def test_the_column_of_pytorch(cell, network):
    torch = torch_or_skip()
    problem = Problem(cell, network)
    rnn = getattr(torch.nn, network)(D, H, dtype=torch.float64)
    weights = to_pytorch(problem.recurrent, problem.params)
    rnn.load_state_dict({name: torch.tensor(array) for name, array in weights.items()})
    given = {"input": torch.tensor(problem.xs, requires_grad=True)}
    given |= {
        f"{name}_0": torch.tensor(leaf[None], requires_grad=True)
        for name, leaf in problem.state._asdict().items()
    }
    states = tuple(value for name, value in given.items() if name != "input")
    output, last = rnn(given["input"], states if len(states) > 1 else states[0])
    output.retain_grad()
    last = dict(zip(("h_n", "c_n"), last if network == "LSTM" else (last,)))
    torch.autograd.backward(
        [output, *last.values()],
        [torch.tensor(problem.dhs), *(torch.tensor(leaf[None]) for leaf in problem.dlast)],
    )
    shown = {**given, **last, "output": output, **dict(rnn.named_parameters())}
    found = problem.check("pytorch", {name: Tensor(value) for name, value in shown.items()})
    assert {"xs", "dxs", "W_x", "dW_x", "first h", "last h", "gradient of the first h"} <= found
    assert reset_of("pytorch") == "after"
    assert all(name in rnn.__doc__ for name in given.keys() | last.keys() | {"output"})
    sizes = {row.here: row.pytorch for row in NAMES["sizes"]}
    assert f"({', '.join(sizes[axis] for axis in 'TBD')})" in rnn.__doc__
    assert getattr(rnn, sizes["H"]) == H


class Tensor(np.ndarray):
    """A tensor as an array that has its gradient."""

    def __new__(cls, tensor):
        array = tensor.detach().numpy().view(cls)
        array.grad = tensor.grad.numpy() if tensor.is_leaf or tensor.retains_grad else None
        return array


@pytest.mark.parametrize(
    "cell, network, options",
    [(LSTM, "LSTM", {}), (GRU, "GRU", {}), (GRUBefore, "GRU", {"reset_after": False})],
)
def test_the_column_of_keras(cell, network, options):
    keras = pytest.importorskip("keras")
    problem = Problem(cell, network, from_zero=True)
    layer = getattr(keras.layers, network)(H, return_sequences=True, dtype="float64", **options)
    inputs = problem.xs.swapaxes(0, 1)
    layer.build(inputs.shape)
    layer.set_weights(to_keras(problem.recurrent, problem.params))
    outputs = keras.ops.convert_to_numpy(keras.ops.stop_gradient(layer(inputs)))
    there = {"inputs": inputs, "outputs": outputs, "cell": KerasCell(keras, layer.cell)}
    if options:  # this form has one bias, and the table the two of the default
        assert_close("hs", problem.ours["hs"], outputs.swapaxes(0, 1), 1e-6)
        assert_close("b", to_keras(problem.recurrent, problem.params)[2], there["cell"].bias, 1e-6)
    else:
        assert problem.check("keras", there, 1e-6) >= {"xs", "hs", "W_x", "W_h", "b"}
    reset = reset_of("keras")
    assert reset.startswith("after, or ") and all(f"{k}={v}" in reset for k, v in options.items())
    sizes = {row.here: row.keras for row in NAMES["sizes"]}
    assert f"({', '.join(sizes[axis] for axis in 'BTD')})" in layer.__doc__
    assert getattr(layer, sizes["H"]) == H


@pytest.mark.parametrize("merge", [concat, add, average, multiply], ids=lambda merge: merge.name)
def test_both_directions_of_keras(merge):
    keras = pytest.importorskip("keras")
    rows, rng = in_both_directions("keras"), np.random.default_rng(2)
    ours = Bidirectional(Recurrent(LSTM, D, H), Recurrent(LSTM, D, H), merge)
    params, xs = ours.init(rng), rng.standard_normal((T, B, D))
    layer = keras.layers.Bidirectional(
        keras.layers.LSTM(H, return_sequences=True), merge_mode=rows[merge.name]
    )
    inputs = turned(xs, rows["xs"], "TBD").astype(np.float32)
    layer.build(inputs.shape)
    layer.set_weights(to_keras(ours, params))
    outputs = keras.ops.convert_to_numpy(keras.ops.stop_gradient(layer(inputs)))
    ys, _, _ = ours.forward(params, xs)
    assert_close("ys", turned(ys, rows["ys"], "TBK"), outputs, 1e-5)
    order = list(GATE_NAMES["LSTM"]["keras"])
    for half in ("forwards", "backwards"):
        kernel = KerasCell(keras, getattr(layer, rows[half]).cell).kernel
        wanted = reorder_gates(getattr(params, half).W_x, LSTM.gates, order)
        assert_close(half, wanted, kernel, 1e-6)


class KerasCell:
    """The weights of a cell of Keras as arrays."""

    def __init__(self, keras, cell):
        for weight in cell.weights:
            setattr(self, weight.name, keras.ops.convert_to_numpy(weight.value))


@pytest.mark.parametrize(
    "cell, network, attributes",
    [(LSTM, "LSTM", {}), (GRUBefore, "GRU", {}), (GRU, "GRU", {"linear_before_reset": 1})],
)
def test_the_column_of_onnx(cell, network, attributes):
    """The arrays that go in are made by the names, the axes and the orders of the table."""
    onnx = pytest.importorskip("onnx")
    problem = Problem(cell, network)
    order = list(GATE_NAMES[network]["onnx"])
    W_x, W_h, b_x, b_h = (
        reorder_gates(leaf, cell.gates, order)
        for leaf in two_biases(problem.recurrent, problem.params)
    )
    feed = {"X": problem.xs, "W": W_x.T[None], "R": W_h.T[None]}
    feed |= {"B": np.concatenate([b_x, b_h])[None]}
    feed |= {f"initial_{name}": leaf[None] for name, leaf in problem.state._asdict().items()}
    schema = onnx.defs.get_schema(network)
    outputs = [output.name for output in schema.outputs]
    feed32 = {name: array.astype(np.float32) for name, array in feed.items()}
    got = onnx_run(network, feed32, outputs, **attributes)
    found = problem.check("onnx", {**feed, "H": H, **dict(zip(outputs, got))}, 1e-5)
    assert {"xs", "hs", "W_x", "W_h", "b", "first h", "last h"} <= found
    assert {*feed} <= {given.name for given in schema.inputs}
    sizes = {row.here: row.onnx for row in NAMES["sizes"]}
    assert f"[{', '.join(sizes[axis] for axis in 'TBD')}]" in schema.inputs[0].description
    assert sizes["H"] in schema.attributes
    letters = "".join(GATE_NAMES[network]["onnx"].values())
    assert f"W[{letters}]" in next(g.description for g in schema.inputs if g.name == "W")
    reset = reset_of("onnx")
    assert reset.startswith("before, or ") and all(
        f"{k}={v}" in reset for k, v in attributes.items()
    )


# The table itself


def test_z_keeps_the_old_state_everywhere():
    """The columns above are computed with our z; it is held at 1 here, and the state stays."""
    row = next(row for row in NAMES["conventions"] if row.here.startswith("z"))
    with_gru = GATE_NAMES["GRU"].keys()
    assert {library for library in LIBRARIES if getattr(row, library)} == with_gru
    assert {getattr(row, library) for library in with_gru} == {"keeps"}
    for cell in (GRU, GRUBefore):
        params, state = random_start(cell, np.random.default_rng(0), B, D, H)
        params.b[H : 2 * H] = 1000.0
        kept, _ = step(cell, params, np.ones((B, D)), state)
        np.testing.assert_array_equal(kept.h, state.h)


def test_a_table_has_the_columns_and_rows_of_its_libraries():
    lines = names_table("cs231n").splitlines()
    assert lines[0].split() == ["here", "CS231n"]
    assert "dstate.c (B, H)                 dnext_c (B, H)" in lines
    pairs = {tuple(re.split(r"  +", line)) for line in lines}
    assert {("b (GH,)", "b (GH,)"), ("W_x (D, GH)", "Wx (D, GH)"), ("B", "N")} <= pairs
    assert not [line for line in lines if "EpyNN" in line or line.startswith("tanh_c")]
    assert "GRU" not in lines and "LSTM, one step" in lines
    assert names_table().splitlines()[0].split() == ["here", *LIBRARIES.values()]
    assert sum(map(len, NAMES.values())) == len(
        [line for line in names_table().splitlines()[1:] if line and line not in NAMES]
    )
    with pytest.raises(ValueError, match="libraries: expected some of epynn, .*, got tensorflow"):
        names_table("epynn", "tensorflow")


def test_the_row_of_the_gates_has_the_orders_that_are_used():
    """Every other row of a block is compared in the orders of GATE_NAMES."""
    rows = {row.here.split(" gates: ")[0]: row for row in NAMES["conventions"][:2]}
    for network, orders in GATE_NAMES.items():
        said = {library: getattr(rows[network], library) for library in LIBRARIES}
        used = {library: " ".join(names.values()) for library, names in orders.items()}
        assert {library: words for library, words in said.items() if words} == used
        assert rows[network].here.endswith(" ".join(GATES[network]._fields))
    mine = {network: cell.gates for network, cell in (("LSTM", LSTM), ("GRU", GRU))}
    for network, orders in GATE_NAMES.items():
        assert all(sorted(names) == sorted(mine[network]) for names in orders.values())


def test_every_column_has_a_row_and_every_row_a_name():
    for rows in NAMES.values():
        assert all(any(row[1:]) for row in rows)
    assert set(Problem(LSTM, "LSTM").ours) >= {
        here for library in LIBRARIES for here, *_ in Problem(LSTM, "LSTM").rows(library)
    }
