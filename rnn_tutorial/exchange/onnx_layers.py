"""The graph of an ONNX file as our layers: read from its output back to its input, for each tensor is made by one node."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from rnn_tutorial.directions import Bidirectional, BidirectionalParams, Reversed
from rnn_tutorial.exchange.layout import ExchangeError, differences, refuse
from rnn_tutorial.exchange.onnx_nodes import (
    ACTIVATIONS,
    cell_of_kind,
    kind_of_cell,
    kind_of_node,
    node_shapes,
    params_of_node,
)
from rnn_tutorial.layers import Dense, DenseParams, Embedding, EmbeddingParams, Last, Recurrent

INPUTS = ("X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P")  # of LSTM; RNN and GRU have the first six
ATTRIBUTES = {"hidden_size", "direction", "activations", "input_forget", "linear_before_reset", "layout"}  # that mean something
DIRECTIONS = {"forward": (lambda layer: layer, 1), "reverse": (Reversed, 1), "bidirectional": (Bidirectional, 2)}


class Step(NamedTuple):
    """One layer found in the graph."""

    name: str
    layer: Any  # None where nothing is done
    arrays: dict
    shapes: dict  # by name, those that the arrays must have
    fill: Callable  # from the dict of arrays to the layer's Params
    xs: str  # the tensor that goes in
    lengths: str | None = None  # the tensor of lengths, "" where it is left out, None if the layer asks for none


def read_steps(graph):
    """Return the list of Steps from the input to the output, or refuse the graph with the list of what does not fit."""
    steps, name = [], graph.output
    while name not in graph.inputs:
        if name not in graph.makers:
            raise ExchangeError(f"{graph.path}: the network begins with {name}, which the caller does not give")
        node = graph.makers[name]
        step = READERS[node.op_type](graph, node) if node.op_type in READERS else None
        _expect(graph, node, step, "stands where no layer ends; if it puts the batch first, export with time first")
        steps.append(step)
        name = step.xs
    steps = [step for step in steps[::-1] if step.layer is not None]
    refuse(graph.path, [f"{step.name}: {fault}" for step in steps for fault in _faults(step)])
    if len({step.lengths for step in steps} - {None}) > 1:
        raise ExchangeError(f"{graph.path}: some of the nodes take lengths and others do not; here a mask goes to every layer")
    return steps


def _faults(step):
    strange = [f"{name} is of {array.dtype}" for name, array in step.arrays.items() if array.dtype not in ("float32", "float64")]
    return differences(step.arrays, step.shapes) + strange


def _expect(graph, node, holds, words):
    if not holds:
        raise ExchangeError(f"{graph.path}: {node.name}, a {node.op_type}, {words}")


def _nothing(graph, node):
    """Return a Step without a layer: Identity, and Dropout in evaluation."""
    training = [graph.arrays.get(name, np.array(True)) for name in node.inputs[2:] if name]  # of Dropout
    _expect(graph, node, not any(training), "is to drop in evaluation")
    return Step(node.name, None, {}, {}, None, node.inputs[0])


def _dense(graph, node):
    """Return the Step of Add after MatMul, or of Gemm."""
    if node.op_type == "Add":
        product = next((graph.makers[name] for name in node.inputs if name in graph.makers), node)
        _expect(graph, node, product.op_type == "MatMul", "does not add a bias to a MatMul")
        xs, W = product.inputs
        b = next(name for name in node.inputs if name not in product.outputs)
    else:
        xs, W, b = [*node.inputs, ""][:3]
        usual = {"alpha": 1.0, "beta": 1.0, "transA": 0}
        _expect(graph, node, all(node.attributes.get(key, value) == value for key, value in usual.items()), "is no x W + b")
    arrays = {key: graph.arrays[name] for key, name in (("W", W), ("b", b)) if name in graph.arrays}
    _expect(graph, node, len(arrays) == 2 and arrays["W"].ndim == 2, "has no matrix W and bias b among the arrays of the file")
    W = arrays["W"] = arrays["W"].T if node.attributes.get("transB") else arrays["W"]
    shapes = {"W": W.shape, "b": W.shape[1:]}
    return Step(node.name, Dense(*W.shape), arrays, shapes, lambda a: DenseParams(a["W"].copy(), a["b"].copy()), xs)


def _gather(graph, node):
    """Return the Step of Gather: rows of a matrix, or the last step of a sequence."""
    data, indices = node.inputs
    _expect(graph, node, node.attributes.get("axis", 0) == 0, "does not gather along the first axis")
    if data in graph.arrays:
        E = graph.arrays[data]
        _expect(graph, node, E.ndim == 2, f"takes rows of an array of shape {E.shape}, expected a matrix")
        return Step(node.name, Embedding(*E.shape), {"E": E}, {"E": E.shape}, lambda a: EmbeddingParams(a["E"].copy()), indices)
    place, turn = graph.arrays.get(indices), graph.makers.get(data)
    xs, lengths = data, ""
    if turn is not None and turn.op_type == "ReverseSequence" and np.array_equal(place, 0):
        xs, lengths = turn.inputs
        cast = graph.makers.get(lengths)
        lengths = cast.inputs[0] if cast is not None and cast.op_type == "Cast" else lengths
        in_time = turn.attributes.get("batch_axis", 1) == 1 and turn.attributes.get("time_axis", 0) == 0
        _expect(graph, turn, in_time and lengths in graph.inputs, "is not along time, or not by lengths that the caller gives")
    else:
        _expect(graph, node, np.array_equal(place, -1), "is neither an Embedding nor Last, which takes step -1")
    return Step(node.name, Last(), {}, {}, lambda a: (), xs, lengths)


def _recurrent(graph, node):
    """Return the Step of RNN, LSTM or GRU with the Squeeze, or the Transpose and Reshape, that follows it."""
    node = _before_merge(graph, node)
    given = {key: name for key, name in zip(INPUTS, node.inputs) if name}
    _check_recurrent(graph, node, given)
    kind = kind_of_node(node.op_type, node.attributes, "P" in given)
    _expect(graph, node, kind, "has peepholes and coupled gates at once, which no cell here has")
    turn, directions = DIRECTIONS[node.attributes.get("direction", "forward")]
    names, slots = node.attributes["activations"] or kind_of_cell(kind.cell)[1] * directions, len(kind.slots)
    known = len(names) == directions * slots and ACTIVATIONS.keys() >= set(names)
    _expect(graph, node, known, f"has the activations {names}, expected {directions * slots} of {', '.join(ACTIVATIONS)}")

    arrays = {key: graph.arrays[given[key]] for key in ("W", "R", "B", "P") if given.get(key) in graph.arrays}
    D, H = arrays["W"].shape[-1], node.attributes.get("hidden_size", arrays["R"].shape[-1])
    shapes = node_shapes(kind, directions, D, H)
    if "B" not in given:
        arrays["B"] = np.zeros(shapes["B"], arrays["W"].dtype)  # what ONNX takes for it
    recurrents = [Recurrent(cell_of_kind(kind, names[k * slots :][:slots]), D, H) for k in range(directions)]

    def fill(arrays):
        params = [params_of_node(kind, {key: array[k] for key, array in arrays.items()}) for k in range(directions)]
        return params[0] if directions == 1 else BidirectionalParams(*params)

    return Step(node.name, turn(*recurrents), arrays, shapes, fill, given["X"], given.get("sequence_lens", ""))


def _before_merge(graph, node):
    """Return the recurrent node whose directions are dropped, or put side by side, by `node`."""
    constant = graph.arrays.get(node.inputs[1]) if len(node.inputs) > 1 else node.attributes.get("axes")
    turn = graph.makers.get(node.inputs[0], node) if node.op_type == "Reshape" else node
    recurrent = graph.makers.get(turn.inputs[0], node)
    after = recurrent.op_type in ("RNN", "LSTM", "GRU") and recurrent.outputs[0] == turn.inputs[0]
    if node.op_type == "Squeeze":
        whole = np.array_equal(constant, [1]) and recurrent.attributes.get("direction") != "bidirectional"
    else:  # to (T, B, directions * H), however it is said
        side_by_side = np.shape(constant) == (3,) and constant[2] in (-1, 2 * recurrent.attributes.get("hidden_size", 0))
        whole = turn.attributes.get("perm") == [0, 2, 1, 3] and side_by_side
    _expect(graph, node, after and whole, "does not end an RNN, LSTM or GRU with all its outputs, time first")
    return recurrent


def _check_recurrent(graph, node, given):
    """Return nothing, or refuse a recurrent node with inputs or attributes that have no counterpart here."""
    strange = sorted(node.attributes.keys() - ATTRIBUTES) if node.attributes.get("layout", 0) == 0 else ["layout"]
    _expect(graph, node, not strange, f"has the attributes {', '.join(strange)}, which mean nothing here")
    matrices = [graph.arrays.get(given.get(key)) for key in ("W", "R")]
    _expect(graph, node, all(np.ndim(matrix) == 3 for matrix in matrices), "has no arrays W and R of three axes in the file")
    direction, lengths = node.attributes.get("direction", "forward"), given.get("sequence_lens")
    _expect(graph, node, direction in DIRECTIONS, f"has the direction {direction}")
    _expect(graph, node, lengths is None or lengths in graph.inputs, "has sequence_lens which the caller does not give")
    for key in ("initial_h", "initial_c"):
        _expect(graph, node, key not in given or _is_zero(graph, given[key]), f"has {key}, expected to start from zero")


def _is_zero(graph, name):
    """Return whether a tensor is zero whatever its shape, as the first states are that PyTorch writes."""
    if name in graph.arrays:
        return not graph.arrays[name].any()
    node = graph.makers.get(name)
    if node is None:
        return False
    if node.op_type == "ConstantOfShape":
        return not np.any(node.attributes.get("value", 0))
    return node.op_type in ("Slice", "Expand") and _is_zero(graph, node.inputs[0])


READERS = {
    "Add": _dense,
    "Gemm": _dense,
    "Gather": _gather,
    "Squeeze": _recurrent,
    "Reshape": _recurrent,
    "Identity": _nothing,
    "Dropout": _nothing,
}
