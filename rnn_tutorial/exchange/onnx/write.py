"""The nodes of our layers in an ONNX graph: one entry of WRITERS for each kind of layer that there are nodes for."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from rnn_tutorial.cells.cell import same_function
from rnn_tutorial.exchange.layout import ExchangeError, describe, describe_layer, library
from rnn_tutorial.exchange.onnx.nodes import kind_of_cell, node_arrays
from rnn_tutorial.layers.bidirectional import Bidirectional, Reversed
from rnn_tutorial.layers.core import Dense, Embedding, Last, Recurrent
from rnn_tutorial.layers.dropout import Dropout, VariationalDropout
from rnn_tutorial.layers.merge import concat

__all__ = [
    "Place",
    "WRITERS",
    "Writer",
    "writer_of",
]


class Place(NamedTuple):
    """Where in the graph a layer stands."""

    k: int  # its number, with which the names of its tensors begin
    xs: str  # the tensor that it takes
    lengths: str  # the tensor of lengths, "" if the graph has none


class Writer(NamedTuple):
    """How one kind of layer is written."""

    nodes: Callable  # (layer, params, place) -> (nodes, arrays by name); the last node's first output is the layer's
    takes: Callable  # (layer, dtype) -> xs of one step of one sequence, or None if any will do


def writer_of(layer):
    """Return the Writer of a layer. Raises: ExchangeError for a layer that there are no nodes for."""
    if type(layer) not in WRITERS:
        known = ", ".join(kind.__name__ for kind in WRITERS)
        raise ExchangeError(
            f"model: the layers that have nodes in ONNX here are {known}; got {describe_layer(layer)}"
        )
    return WRITERS[type(layer)]


def _node(op_type, inputs, output, **attributes):
    """Return a node whose name is that of its tensor's layer and its own operator, such as 0.LSTM."""
    return library("onnx").helper.make_node(
        op_type, inputs, [output], f"{output.split('.')[0]}.{op_type}", **attributes
    )


def _features(layer, dtype):
    return np.zeros((1, 1, layer.input_size), dtype)


def _symbols(layer, dtype):
    return np.zeros((1, 1), np.int64)


def _anything(layer, dtype):
    return None


def _nothing(layer, params, place):
    return [], {}


def _dense(layer, params, place):
    k = place.k
    product = _node("MatMul", [place.xs, f"{k}.W"], f"{k}.xW")
    return [product, _node("Add", [f"{k}.xW", f"{k}.b"], f"{k}.ys")], {
        f"{k}.W": params.W,
        f"{k}.b": params.b,
    }


def _embedding(layer, params, place):
    return [_node("Gather", [f"{place.k}.E", place.xs], f"{place.k}.ys")], {
        f"{place.k}.E": params.E
    }


def _last(layer, params, place):
    """Return the nodes that take each sequence's last step: the first, once each is turned round within its own length."""
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


def _one_direction(direction, recurrent_of):
    """Return the Writer of a layer that reads in one direction with the `Recurrent` that `recurrent_of` finds in it."""

    def nodes(layer, params, place):
        k, axis = place.k, {f"{place.k}.axis": np.array([1], np.int64)}
        node, arrays = _recurrent_node(
            direction, [recurrent_of(layer)], [params], place
        )  # its output: (T, 1, B, H)
        return [node, _node("Squeeze", [f"{k}.Y", f"{k}.axis"], f"{k}.ys")], arrays | axis

    return Writer(nodes, lambda layer, dtype: _features(recurrent_of(layer), dtype))


def _itself(layer):
    return layer


def _turned(layer):
    """Return the `Recurrent` that a `Reversed` turns. Raises: ExchangeError for another layer in it."""
    if type(layer.layer) is not Recurrent:
        raise ExchangeError(
            f"Reversed: a node of ONNX turns a Recurrent layer alone, got {describe_layer(layer)}"
        )
    return layer.layer


def _bidirectional(layer, params, place):
    k, shape = (
        place.k,
        {f"{place.k}.shape": np.array([0, 0, -1], np.int64)},
    )  # T and B as they are, the two halves side by side
    node, arrays = _recurrent_node("bidirectional", _both(layer), params, place)
    turn = _node("Transpose", [f"{k}.Y"], f"{k}.Y_turned", perm=[0, 2, 1, 3])
    return [
        node,
        turn,
        _node("Reshape", [f"{k}.Y_turned", f"{k}.shape"], f"{k}.ys"),
    ], arrays | shape


def _both(layer):
    """Return the two `Recurrent` of a `Bidirectional`. Raises: ExchangeError for one that no node of ONNX computes."""
    first, second = layer.forwards, layer.backwards
    if {type(first), type(second)} != {Recurrent}:
        raise ExchangeError(
            f"Bidirectional: expected two Recurrent layers, got {describe_layer(layer)}"
        )
    if layer.merge != concat:
        raise ExchangeError(
            f"Bidirectional: the nodes of ONNX put two directions side by side, got merge {layer.merge.name}"
        )
    if not same_function(first.cell, second.cell) or first.hidden_size != second.hidden_size:
        both = " and ".join(
            f"{describe(part.cell)} of {part.hidden_size}" for part in (first, second)
        )
        raise ExchangeError(
            f"Bidirectional: a node of ONNX has one cell and one size for both directions, got {both}"
        )
    return [first, second]


def _recurrent_node(direction, recurrents, params, place):
    """Return the node RNN, LSTM or GRU of one direction or two, and its arrays."""
    k, (kind, activations) = place.k, kind_of_cell(recurrents[0].cell)
    each = [
        node_arrays(kind, recurrent, leaves)
        for recurrent, leaves in zip(recurrents, params, strict=True)
    ]
    arrays = {f"{k}.{name}": np.stack([array[name] for array in each]) for name in each[0]}
    inputs = [place.xs, f"{k}.W", f"{k}.R", f"{k}.B", place.lengths]
    inputs += ["", "", f"{k}.P"] if kind.peepholes else []  # first states: zero
    attributes = {
        "hidden_size": recurrents[0].hidden_size,
        "direction": direction,
        "activations": activations * len(each),
    }
    return _node(kind.op_type, inputs, f"{k}.Y", **attributes, **kind.attributes), arrays


WRITERS: dict[type, Any] = {
    Recurrent: _one_direction("forward", _itself),
    Reversed: _one_direction("reverse", _turned),
    Bidirectional: Writer(_bidirectional, lambda layer, dtype: _features(_both(layer)[0], dtype)),
    Dense: Writer(_dense, _features),
    Embedding: Writer(_embedding, _symbols),
    Last: Writer(_last, _anything),
    Dropout: Writer(_nothing, _anything),
    VariationalDropout: Writer(_nothing, _anything),
}
