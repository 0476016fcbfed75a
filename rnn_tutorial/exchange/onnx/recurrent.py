"""A node RNN, LSTM or GRU of an ONNX graph as one of our layers, with whatever puts its directions side by side."""

import numpy as np

from rnn_tutorial.exchange.onnx.graph import moved_from, try_to_evaluate
from rnn_tutorial.exchange.onnx.nodes import (
    ACTIVATIONS,
    cell_of_kind,
    kind_of_node,
    node_shapes,
    params_of_node,
    usual_activations,
)
from rnn_tutorial.exchange.onnx.step import Step, expect
from rnn_tutorial.layers.bidirectional import Bidirectional, BidirectionalParams, Reversed
from rnn_tutorial.layers.core import Recurrent

__all__ = [
    "ATTRIBUTES",
    "DIRECTIONS",
    "INPUTS",
    "NOT_WHOLE",
    "OPERATORS",
    "ZERO_STAYS",
    "is_zero",
    "recurrent_step",
]

OPERATORS = "RNN", "LSTM", "GRU"
INPUTS = (
    "X",
    "W",
    "R",
    "B",
    "sequence_lens",
    "initial_h",
    "initial_c",
    "P",
)  # of LSTM; RNN and GRU have the first six
ATTRIBUTES = {
    "hidden_size",
    "direction",
    "activations",
    "input_forget",
    "linear_before_reset",
    "layout",
}  # that mean something
DIRECTIONS = {
    "forward": (lambda layer: layer, 1),
    "reverse": (Reversed, 1),
    "bidirectional": (Bidirectional, 2),
}


def recurrent_step(graph, end):
    """Return the Step of a recurrent node and of the nodes after it, the last of which is `end`.

    Raises: ExchangeError for a node with inputs or attributes that have no counterpart here.
    """
    source = moved_from(graph, end.outputs[0])
    node = graph.makers.get(source, end)
    expect(graph, end, node.op_type in OPERATORS and node.outputs[0] == source, NOT_WHOLE)
    given = {key: name for key, name in zip(INPUTS, node.inputs) if name}
    _check_inputs(graph, node, given)
    kind, recurrents, arrays, shapes = _recurrents(graph, node, given)
    turn, directions = DIRECTIONS[node.attributes.get("direction", "forward")]

    def fill(arrays):
        params = [
            params_of_node(kind, {key: array[k] for key, array in arrays.items()})
            for k in range(directions)
        ]
        return params[0] if directions == 1 else BidirectionalParams(*params)

    return Step(
        node.name,
        given["X"],
        turn(*recurrents),
        arrays,
        shapes,
        np.zeros((1, 1, recurrents[0].input_size), arrays["W"].dtype),
        fill,
        given.get("sequence_lens", ""),
        time=0,
        check=lambda T, B: _check_end(
            graph, node, end, (T, directions, B, recurrents[0].hidden_size)
        ),
    )


NOT_WHOLE = (
    "does not end an RNN, LSTM or GRU with all its outputs, time first, its directions side by side"
)


def _check_end(graph, node, end, shape):
    """Raise ExchangeError unless the nodes up to `end` drop the axis of directions, or put two directions side by side.

    They are run on an array with a number of its own in every place, of the shape (T, directions, B, H) of the node's output.
    """
    Y = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    found = try_to_evaluate(graph, end.outputs, {node.outputs[0]: Y})
    side_by_side = np.concatenate(list(Y.swapaxes(0, 1)), axis=-1)
    expect(graph, end, found is not None and np.array_equal(found[0], side_by_side), NOT_WHOLE)


def _check_inputs(graph, node, given):
    """Raise ExchangeError for a recurrent node with inputs or attributes that have no counterpart here."""
    strange = (
        sorted(node.attributes.keys() - ATTRIBUTES)
        if node.attributes.get("layout", 0) == 0
        else ["layout"]
    )
    expect(
        graph,
        node,
        not strange,
        f"has the attributes {', '.join(strange)}, which mean nothing here",
    )
    matrices = [graph.arrays.get(given.get(key)) for key in ("W", "R")]
    expect(
        graph,
        node,
        all(np.ndim(matrix) == 3 for matrix in matrices),
        "has no arrays W and R of three axes in the file",
    )
    direction, lengths = node.attributes.get("direction", "forward"), given.get("sequence_lens")
    expect(graph, node, direction in DIRECTIONS, f"has the direction {direction}")
    expect(
        graph,
        node,
        lengths is None or lengths in graph.inputs,
        "has sequence_lens which the caller does not give",
    )
    for key in ("initial_h", "initial_c"):
        expect(
            graph,
            node,
            key not in given or is_zero(graph, given[key]),
            f"has {key}, expected to start from zero",
        )


def _recurrents(graph, node, given):
    """Return (the Kind, the `Recurrent` of each direction, the arrays of the node, the shapes that they must have)."""
    kind = kind_of_node(node.op_type, node.attributes, "P" in given)
    expect(graph, node, kind, "has peepholes and coupled gates at once, which no cell here has")
    directions = DIRECTIONS[node.attributes.get("direction", "forward")][1]
    names, slots = (
        node.attributes["activations"] or usual_activations(kind) * directions,
        len(kind.slots),
    )
    known = len(names) == directions * slots and ACTIVATIONS.keys() >= set(names)
    expect(
        graph,
        node,
        known,
        f"has the activations {names}, expected {directions * slots} of {', '.join(ACTIVATIONS)}",
    )
    arrays = {
        key: graph.arrays[given[key]]
        for key in ("W", "R", "B", "P")
        if given.get(key) in graph.arrays
    }
    D, H = arrays["W"].shape[-1], node.attributes.get("hidden_size", arrays["R"].shape[-1])
    shapes = node_shapes(kind, directions, D, H)
    if "B" not in given:
        arrays["B"] = np.zeros(shapes["B"], arrays["W"].dtype)  # what ONNX takes for it
    recurrents = [
        Recurrent(cell_of_kind(kind, names[k * slots :][:slots]), D, H) for k in range(directions)
    ]
    return kind, recurrents, arrays, shapes


def is_zero(graph, name):
    """Return whether a tensor is zero whatever its shape, as the first states are that PyTorch writes."""
    if name in graph.arrays:
        return not graph.arrays[name].any()
    node = graph.makers.get(name)
    if node is None:
        return False
    if node.op_type == "ConstantOfShape":
        return not np.any(node.attributes.get("value", 0))
    return node.op_type in ZERO_STAYS and is_zero(graph, node.inputs[0])


ZERO_STAYS = {"Slice", "Expand", "Squeeze", "Unsqueeze", "Identity"}
