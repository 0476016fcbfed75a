"""Our layers as nodes of an ONNX graph.

WRITERS has one entry for each kind of layer that can be written.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from rnn_tutorial.cells.cell import same_function
from rnn_tutorial.exchange.layout import ExchangeError, describe, describe_layer, library
from rnn_tutorial.exchange.onnx.nodes import kind_of_cell, node_arrays
from rnn_tutorial.layers.bidirectional import Bidirectional, Reversed
from rnn_tutorial.layers.core import Dense, Embedding, Last, Recurrent
from rnn_tutorial.layers.dropout import Dropout, VariationalDropout
from rnn_tutorial.layers.layer import Layer
from rnn_tutorial.layers.merge import concat
from rnn_tutorial.types import Array

__all__ = [
    "Place",
    "writer_of",
]

Written = tuple[list[Any], dict[str, Array]]  # nodes, and arrays by name


class Place(NamedTuple):
    """The place of a layer in the graph."""

    k: int  # its number, with which the names of its tensors begin
    xs: str  # the tensor that it takes
    lengths: str  # the tensor of lengths, "" if the graph has none


class Writer(NamedTuple):
    """How one kind of layer is written."""

    nodes: Callable[[Any, Any, Place], Written]  # the first output of the last node is the layer's
    takes: Callable[[Any, str], Array | None]  # (layer, dtype) -> xs (1, 1, ...), or None for any


def writer_of(layer: Layer) -> Writer:
    """Return the Writer of a layer.

    Raises: ExchangeError for a layer that there are no nodes for.
    """
    if type(layer) not in WRITERS:
        known = ", ".join(kind.__name__ for kind in WRITERS)
        raise ExchangeError(
            f"model: the layers that have nodes in ONNX here are {known}; "
            f"got {describe_layer(layer)}"
        )
    return WRITERS[type(layer)]


def _node(op_type: str, inputs: Sequence[str], output: str, **attributes: Any) -> Any:
    """Return a node, whose name is the number of the layer and the operator, such as 0.LSTM."""
    return library("onnx").helper.make_node(
        op_type, inputs, [output], f"{output.split('.')[0]}.{op_type}", **attributes
    )


def _features(layer: Any, dtype: str) -> Array:
    return np.zeros((1, 1, layer.input_size), dtype)


def _symbols(layer: Any, dtype: str) -> Array:
    return np.zeros((1, 1), np.int64)


def _anything(layer: Any, dtype: str) -> None:
    return None


def _nothing(layer: Any, params: Any, place: Place) -> Written:
    return [], {}


def _dense(layer: Dense, params: Any, place: Place) -> Written:
    k = place.k
    product = _node("MatMul", [place.xs, f"{k}.W"], f"{k}.xW")
    return [product, _node("Add", [f"{k}.xW", f"{k}.b"], f"{k}.ys")], {
        f"{k}.W": params.W,
        f"{k}.b": params.b,
    }


def _embedding(layer: Embedding, params: Any, place: Place) -> Written:
    return [_node("Gather", [f"{place.k}.E", place.xs], f"{place.k}.ys")], {
        f"{place.k}.E": params.E
    }


def _last(layer: Last, params: Any, place: Place) -> Written:
    """Return the nodes that take the last step of each sequence.

    With lengths, each sequence is reversed within its own length, and the first step is taken.
    """
    k = place.k
    if not place.lengths:
        return [_node("Gather", [place.xs, f"{k}.last"], f"{k}.ys")], {
            f"{k}.last": np.array(-1, np.int64)
        }
    nodes = [
        _node("Cast", [place.lengths], f"{k}.lengths", to=library("onnx").TensorProto.INT64),
        _node(
            "ReverseSequence", [place.xs, f"{k}.lengths"], f"{k}.turned", batch_axis=1, time_axis=0
        ),
        _node("Gather", [f"{k}.turned", f"{k}.first"], f"{k}.ys"),
    ]
    return nodes, {f"{k}.first": np.array(0, np.int64)}


def _one_direction(direction: str, recurrent_of: Callable[[Any], Recurrent]) -> Writer:
    """Return the Writer of a layer that reads in one direction.

    `recurrent_of` returns the `Recurrent` of the layer.
    """

    def nodes(layer: Any, params: Any, place: Place) -> Written:
        k, axis = place.k, {f"{place.k}.axis": np.array([1], np.int64)}
        # The output of the node is (T, 1, B, H).
        node, arrays = _recurrent_node(direction, [recurrent_of(layer)], [params], place)
        return [node, _node("Squeeze", [f"{k}.Y", f"{k}.axis"], f"{k}.ys")], arrays | axis

    return Writer(nodes, lambda layer, dtype: _features(recurrent_of(layer), dtype))


def _itself(layer: Recurrent) -> Recurrent:
    return layer


def _turned(layer: Reversed) -> Recurrent:
    """Return the `Recurrent` of a `Reversed`.

    Raises: ExchangeError for a `Reversed` of another layer.
    """
    if type(layer.layer) is not Recurrent:
        raise ExchangeError(
            f"Reversed: a node of ONNX turns a Recurrent layer alone, got {describe_layer(layer)}"
        )
    return layer.layer


def _bidirectional(layer: Bidirectional, params: Any, place: Place) -> Written:
    # Reshape keeps T and B and puts the two halves side by side.
    k, shape = place.k, {f"{place.k}.shape": np.array([0, 0, -1], np.int64)}
    node, arrays = _recurrent_node("bidirectional", _both(layer), params, place)
    turn = _node("Transpose", [f"{k}.Y"], f"{k}.Y_turned", perm=[0, 2, 1, 3])
    return [
        node,
        turn,
        _node("Reshape", [f"{k}.Y_turned", f"{k}.shape"], f"{k}.ys"),
    ], arrays | shape


def _both(layer: Bidirectional) -> list[Recurrent]:
    """Return the two `Recurrent` of a `Bidirectional`.

    Raises: ExchangeError for a layer that no node of ONNX computes.
    """
    first, second = layer.forwards, layer.backwards
    if type(first) is not Recurrent or type(second) is not Recurrent:
        raise ExchangeError(
            f"Bidirectional: expected two Recurrent layers, got {describe_layer(layer)}"
        )
    if layer.merge != concat:
        raise ExchangeError(
            "Bidirectional: the nodes of ONNX put two directions side by side, "
            f"got merge {layer.merge.name}"
        )
    if not same_function(first.cell, second.cell) or first.hidden_size != second.hidden_size:
        both = " and ".join(
            f"{describe(part.cell)} of {part.hidden_size}" for part in (first, second)
        )
        raise ExchangeError(
            "Bidirectional: a node of ONNX has one cell and one size for both directions, "
            f"got {both}"
        )
    return [first, second]


def _recurrent_node(
    direction: str, recurrents: Sequence[Recurrent], params: Sequence[Any], place: Place
) -> tuple[Any, dict[str, Array]]:
    """Return the node RNN, LSTM or GRU of one direction or two, and its arrays."""
    k, (kind, activations) = place.k, kind_of_cell(recurrents[0].cell)
    each = [
        node_arrays(kind, recurrent, leaves)
        for recurrent, leaves in zip(recurrents, params, strict=True)
    ]
    arrays = {f"{k}.{name}": np.stack([array[name] for array in each]) for name in each[0]}
    inputs = [place.xs, f"{k}.W", f"{k}.R", f"{k}.B", place.lengths]
    inputs += ["", "", f"{k}.P"] if kind.peepholes else []  # without first states: they are zero
    attributes = {
        "hidden_size": recurrents[0].hidden_size,
        "direction": direction,
        "activations": activations * len(each),
    }
    return _node(kind.op_type, inputs, f"{k}.Y", **attributes, **kind.attributes), arrays


WRITERS: dict[type, Writer] = {
    Recurrent: _one_direction("forward", _itself),
    Reversed: _one_direction("reverse", _turned),
    Bidirectional: Writer(_bidirectional, lambda layer, dtype: _features(_both(layer)[0], dtype)),
    Dense: Writer(_dense, _features),
    Embedding: Writer(_embedding, _symbols),
    Last: Writer(_last, _anything),
    Dropout: Writer(_nothing, _anything),
    VariationalDropout: Writer(_nothing, _anything),
}
