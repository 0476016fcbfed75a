"""A node RNN, LSTM or GRU of an ONNX graph as one of our layers.

The nodes that put its directions side by side belong to it. Such a node has two outputs that are
read: Y, all steps, and Y_h, the last state of each direction, which PyTorch calls h_n.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from rnn_tutorial.exchange.onnx.graph import Graph, Node, sources_of, try_to_evaluate
from rnn_tutorial.exchange.onnx.nodes import (
    ACTIVATIONS,
    Kind,
    cell_of_kind,
    kind_of_node,
    node_shapes,
    params_of_node,
    usual_activations,
)
from rnn_tutorial.exchange.onnx.step import Step, expect
from rnn_tutorial.layers.bidirectional import Bidirectional, BidirectionalParams, Reversed
from rnn_tutorial.layers.core import Last, Recurrent
from rnn_tutorial.layers.serial import Serial
from rnn_tutorial.types import Array

__all__ = [
    "ends_in_last_states",
    "is_zero",
    "recurrent_step",
]

OPERATORS = "RNN", "LSTM", "GRU"
# Those of LSTM; RNN and GRU have the first six.
INPUTS = "X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P"
# Those that are read here.
ATTRIBUTES = {
    "hidden_size",
    "direction",
    "activations",
    "input_forget",
    "linear_before_reset",
    "layout",
}
ZERO_STAYS = {"Slice", "Expand", "Squeeze", "Unsqueeze", "Identity"}
NOT_WHOLE = (
    "does not end an RNN, LSTM or GRU with all its outputs, time first, or with the last states of "
    "its last layer, its directions side by side"
)
DIRECTIONS: dict[str, tuple[Callable[..., Any], int]] = {
    "forward": (lambda layer: layer, 1),
    "reverse": (Reversed, 1),
    "bidirectional": (Bidirectional, 2),
}


def ends_in_last_states(graph: Graph, end: Node) -> bool:
    """Return whether `end` has only numbers of the output Y_h of recurrent nodes."""
    return all(
        source in graph.makers
        and graph.makers[source].op_type in OPERATORS
        and source in graph.makers[source].outputs[1:2]
        for source in sources_of(graph, end.outputs[0])
    )


def recurrent_step(graph: Graph, end: Node) -> Step:
    """Return the Step of a recurrent node and of the nodes after it, the last of which is `end`.

    The last states of a deep network are those of all its layers; they are read if the last layer's
    are taken. A direction of last states is `Serial((Recurrent(...), Last()))`.

    Raises: ExchangeError for a node with inputs or attributes that do not exist here.
    """
    sources = sources_of(graph, end.outputs[0])
    one_answer = ends_in_last_states(graph, end)
    source = max(sources, key=lambda name: _place(graph, name))
    node = graph.makers.get(source, end)
    all_steps = len(sources) == 1 and node.op_type in OPERATORS and node.outputs[0] == source
    expect(graph, end, one_answer or all_steps, NOT_WHOLE)
    given = {key: name for key, name in zip(INPUTS, node.inputs) if name}
    _check_inputs(graph, node, given)
    kind, recurrents, arrays, shapes = _recurrents(graph, node, given)
    turn, directions = DIRECTIONS[node.attributes.get("direction", "forward")]
    parts = [Serial((part, Last())) for part in recurrents] if one_answer else recurrents

    def fill(arrays: Mapping[str, Array]) -> Any:
        params = [
            params_of_node(kind, {key: array[k] for key, array in arrays.items()})
            for k in range(directions)
        ]
        params = [(part, ()) for part in params] if one_answer else params
        return params[0] if directions == 1 else BidirectionalParams(*params)

    D = recurrents[0].input_size
    return Step(
        node.name,
        given["X"],
        turn(*parts),
        arrays,
        shapes,
        example=np.zeros((1, 1, D), arrays["W"].dtype),
        fill=fill,
        lengths=given.get("sequence_lens", ""),
        time=0,
        one_answer=one_answer,
        check=lambda T, B: _check_end(graph, end, sources, source, () if one_answer else (T,), B),
    )


def _place(graph: Graph, name: str) -> int:
    """Return the place in the file of the node that makes a tensor, -1 if there is none."""
    makers = list(map(id, graph.nodes))
    return makers.index(id(graph.makers[name])) if name in graph.makers else -1


def _check_end(
    graph: Graph, end: Node, sources: Sequence[str], source: str, steps: tuple[int, ...], B: int
) -> None:
    """Raise ExchangeError unless the nodes up to `end` put the directions side by side.

    One direction has an axis of its own, which they must drop. The nodes are run on an array with a
    different number at every place, of the shape of the node's output, Y (T, directions, B, H) or
    Y_h (directions, B, H). The last states of the layers before it are given as -1.
    """
    given = {}
    for name in sources:
        directions, _, H = graph.arrays[graph.makers[name].inputs[2]].shape
        given[name] = np.full((*steps, directions, B, H), -1, np.float32)
    given[source] = np.arange(given[source].size, dtype=np.float32).reshape(given[source].shape)
    found = try_to_evaluate(graph, end.outputs, given)
    side_by_side = np.concatenate(list(np.moveaxis(given[source], -3, 0)), axis=-1)
    expect(graph, end, found is not None and np.array_equal(found[0], side_by_side), NOT_WHOLE)


def _check_inputs(graph: Graph, node: Node, given: Mapping[str, str]) -> None:
    """Raise ExchangeError for a recurrent node with inputs or attributes that do not exist here."""
    strange = sorted(node.attributes.keys() - ATTRIBUTES)
    if node.attributes.get("layout", 0) != 0:
        strange = ["layout"]
    words = f"has the attributes {', '.join(strange)}, which mean nothing here"
    expect(graph, node, not strange, words)
    axes = [graph.arrays[name].ndim for name in _given_arrays(graph, given, "WR").values()]
    expect(graph, node, axes == [3, 3], "has no arrays W and R of three axes in the file")
    direction, lengths = node.attributes.get("direction", "forward"), given.get("sequence_lens")
    expect(graph, node, direction in DIRECTIONS, f"has the direction {direction}")
    from_caller = lengths is None or lengths in graph.inputs
    expect(graph, node, from_caller, "has sequence_lens which the caller does not give")
    for key in ("initial_h", "initial_c"):
        from_zero = key not in given or is_zero(graph, given[key])
        expect(graph, node, from_zero, f"has {key}, expected to start from zero")


def _given_arrays(graph: Graph, given: Mapping[str, str], keys: str) -> dict[str, str]:
    """Return the names of those inputs that are arrays of the file."""
    return {key: given[key] for key in keys if given.get(key) in graph.arrays}


def _recurrents(
    graph: Graph, node: Node, given: Mapping[str, str]
) -> tuple[Kind, list[Recurrent], dict[str, Array], dict[str, tuple[int, ...]]]:
    """Return (Kind, the `Recurrent` of each direction, arrays, shapes that they must have)."""
    found = kind_of_node(node.op_type, node.attributes, "P" in given)
    words = "has peepholes and coupled gates at once, which no cell here has"
    kind = expect(graph, node, found, words)
    directions = DIRECTIONS[node.attributes.get("direction", "forward")][1]
    names = node.attributes["activations"] or usual_activations(kind) * directions
    slots = len(kind.slots)
    known = len(names) == directions * slots and ACTIVATIONS.keys() >= set(names)
    wanted = f"{directions * slots} of {', '.join(ACTIVATIONS)}"
    expect(graph, node, known, f"has the activations {names}, expected {wanted}")
    inputs = _given_arrays(graph, given, "WRBP")
    arrays = {key: graph.arrays[name] for key, name in inputs.items()}
    D: int = arrays["W"].shape[-1]
    H: Any = node.attributes.get("hidden_size", arrays["R"].shape[-1])
    shapes = node_shapes(kind, directions, D, H)
    if "B" not in given:
        arrays["B"] = np.zeros(shapes["B"], arrays["W"].dtype)  # the default of ONNX
    recurrents = [
        Recurrent(cell_of_kind(kind, names[k * slots :][:slots]), D, H) for k in range(directions)
    ]
    return kind, recurrents, arrays, shapes


def is_zero(graph: Graph, name: str) -> bool:
    """Return whether a tensor is zero for any shape, like the first states of PyTorch."""
    if name in graph.arrays:
        return not graph.arrays[name].any()
    node = graph.makers.get(name)
    if node is None:
        return False
    if node.op_type == "ConstantOfShape":
        return not np.any(node.attributes.get("value", 0))
    return node.op_type in ZERO_STAYS and is_zero(graph, node.inputs[0])
