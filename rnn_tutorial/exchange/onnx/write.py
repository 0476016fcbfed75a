"""Our layers as nodes of an ONNX graph.

WRITERS has one entry for each kind of layer that can be written.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from rnn_tutorial.cells.cell import same_function
from rnn_tutorial.exchange.layout import ExchangeError, describe, describe_layer, library
from rnn_tutorial.exchange.onnx.nodes import kind_of_cell, node_arrays
from rnn_tutorial.layers.bidirectional import Bidirectional, Reversed
from rnn_tutorial.layers.core import Dense, Embedding, Last, Recurrent
from rnn_tutorial.layers.dropout import Dropout, VariationalDropout
from rnn_tutorial.layers.layer import Layer
from rnn_tutorial.layers.merge import concat
from rnn_tutorial.layers.serial import Serial
from rnn_tutorial.tree import tree_leaves
from rnn_tutorial.types import Array, Tree

__all__ = [
    "Place",
    "graph_of",
    "node_of",
    "one_dtype",
    "tensor_info",
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


def one_dtype(params: Tree) -> str:
    """Return the dtype of all arrays of a tree.

    Raises: ExchangeError unless all are of float32, or all of float64.
    """
    dtypes = {str(getattr(leaf, "dtype", type(leaf).__name__)) for leaf in tree_leaves(params)}
    if dtypes not in ({"float32"}, {"float64"}):
        got = ", ".join(sorted(dtypes)) or "none"
        raise ExchangeError(f"params: expected arrays of float32, or all of float64, got {got}")
    return dtypes.pop()


def tensor_info(name: str, dtype: DTypeLike, *axes: str | int) -> Any:
    """Return name, dtype and axes of an input or output of the graph; a name is any size."""
    h = library("onnx").helper
    return h.make_tensor_value_info(name, h.np_dtype_to_tensor_dtype(np.dtype(dtype)), axes)


def graph_of(
    nodes: Sequence[Any],
    arrays: Mapping[str, Array],
    inputs: Sequence[Any],
    outputs: Sequence[Any],
) -> Any:
    """Return the graph of these nodes and arrays; inputs and outputs are of `tensor_info`."""
    onnx = library("onnx")
    initializers = [onnx.numpy_helper.from_array(array, name) for name, array in arrays.items()]
    return onnx.helper.make_graph(nodes, "rnn_tutorial", inputs, outputs, initializers)


def node_of(op_type: str, inputs: Sequence[str], output: str, **attributes: Any) -> Any:
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
    product = node_of("MatMul", [place.xs, f"{k}.W"], f"{k}.xW")
    return [product, node_of("Add", [f"{k}.xW", f"{k}.b"], f"{k}.ys")], {
        f"{k}.W": params.W,
        f"{k}.b": params.b,
    }


def _embedding(layer: Embedding, params: Any, place: Place) -> Written:
    return [node_of("Gather", [f"{place.k}.E", place.xs], f"{place.k}.ys")], {
        f"{place.k}.E": params.E
    }


def _last(layer: Last, params: Any, place: Place) -> Written:
    """Return the nodes that take the last step of each sequence.

    With lengths, each sequence is reversed within its own length, and the first step is taken.
    """
    k = place.k
    if not place.lengths:
        return [node_of("Gather", [place.xs, f"{k}.last"], f"{k}.ys")], {
            f"{k}.last": np.array(-1, np.int64)
        }
    nodes = [
        node_of("Cast", [place.lengths], f"{k}.lengths", to=library("onnx").TensorProto.INT64),
        node_of(
            "ReverseSequence", [place.xs, f"{k}.lengths"], f"{k}.turned", batch_axis=1, time_axis=0
        ),
        node_of("Gather", [f"{k}.turned", f"{k}.first"], f"{k}.ys"),
    ]
    return nodes, {f"{k}.first": np.array(0, np.int64)}


class Part(NamedTuple):
    """One direction of a layer."""

    recurrent: Recurrent
    one_answer: bool  # whether it is followed by `Last`


def _all_steps(layer: Recurrent) -> Part:
    return Part(layer, False)


def _last_state(layer: Serial) -> Part | None:
    parts: list[Any] = list(layer.layers)
    kinds = [type(part) for part in parts]
    return Part(parts[0], True) if kinds == [Recurrent, Last] else None


PARTS: dict[type, Callable[[Any], Part | None]] = {Recurrent: _all_steps, Serial: _last_state}


def _part(layer: Layer) -> Part | None:
    """Return the Part of a `Recurrent`, or a `Serial` of `Recurrent` and `Last`; None of others."""
    return PARTS[type(layer)](layer) if type(layer) in PARTS else None


def _itself(layer: Recurrent) -> list[Part]:
    return [_all_steps(layer)]


def _turned(layer: Reversed) -> list[Part]:
    """Return the Part of a `Reversed`.

    Raises: ExchangeError for a `Reversed` of another layer.
    """
    part = _part(layer.layer)
    if part is None:
        raise ExchangeError(
            "Reversed: a node of ONNX turns a Recurrent layer alone, or with Last after it, "
            f"got {describe_layer(layer)}"
        )
    return [part]


def _both(layer: Bidirectional) -> list[Part]:
    """Return the two Parts of a `Bidirectional`.

    Raises: ExchangeError for a layer that no node of ONNX computes.
    """
    parts = [part for part in map(_part, (layer.forwards, layer.backwards)) if part is not None]
    if len(parts) < 2 or parts[0].one_answer != parts[1].one_answer:
        raise ExchangeError(
            "Bidirectional: expected two Recurrent layers, or two Serial((Recurrent(...), Last())),"
            f" got {describe_layer(layer)}"
        )
    if layer.merge != concat:
        raise ExchangeError(
            "Bidirectional: the nodes of ONNX put two directions side by side, "
            f"got merge {layer.merge.name}"
        )
    first, second = (part.recurrent for part in parts)
    if not same_function(first.cell, second.cell) or first.hidden_size != second.hidden_size:
        both = " and ".join(
            f"{describe(recurrent.cell)} of {recurrent.hidden_size}"
            for recurrent in (first, second)
        )
        raise ExchangeError(
            "Bidirectional: a node of ONNX has one cell and one size for both directions, "
            f"got {both}"
        )
    return parts


def _only(params: Any) -> list[Any]:
    return [params]


def _recurrent_writer(
    direction: str,
    parts_of: Callable[[Any], list[Part]],
    halves: Callable[[Any], Sequence[Any]] = _only,
) -> Writer:
    """Return the Writer of a layer that is one node RNN, LSTM or GRU, and the nodes after it.

    parts_of returns the Part of each direction of the layer, halves the parameters of each.
    """

    def nodes(layer: Any, params: Any, place: Place) -> Written:
        parts = parts_of(layer)
        one_answer = parts[0].one_answer
        each = [half[0] if one_answer else half for half in halves(params)]
        recurrents = [part.recurrent for part in parts]
        node, arrays = _recurrent_node(direction, recurrents, each, place)
        # The node has two outputs: Y (T, directions, B, H), and Y_h (directions, B, H).
        node.output[:] = ["", f"{place.k}.Y_h"] if one_answer else [f"{place.k}.Y"]
        end, more = ENDS[len(parts)](place.k, node.output[-1], 0 if one_answer else 1)
        return [node, *end], arrays | more

    return Writer(nodes, lambda layer, dtype: _features(parts_of(layer)[0].recurrent, dtype))


def _drop_directions(k: int, Y: str, axis: int) -> Written:
    """Return the node that drops the axis of one direction."""
    array = {f"{k}.axis": np.array([axis], np.int64)}
    return [node_of("Squeeze", [Y, f"{k}.axis"], f"{k}.ys")], array


def _join_directions(k: int, Y: str, axis: int) -> Written:
    """Return the nodes that put two directions, along `axis`, side by side."""
    # Reshape keeps T and B, and puts the two halves side by side.
    shape = {f"{k}.shape": np.array([*[0] * (axis + 1), -1], np.int64)}
    perm = [*range(axis), axis + 1, axis, axis + 2]
    return [
        node_of("Transpose", [Y], f"{k}.Y_turned", perm=perm),
        node_of("Reshape", [f"{k}.Y_turned", f"{k}.shape"], f"{k}.ys"),
    ], shape


ENDS = {1: _drop_directions, 2: _join_directions}


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
    return node_of(kind.op_type, inputs, f"{k}.Y", **attributes, **kind.attributes), arrays


WRITERS: dict[type, Writer] = {
    Recurrent: _recurrent_writer("forward", _itself),
    Reversed: _recurrent_writer("reverse", _turned),
    Bidirectional: _recurrent_writer("bidirectional", _both, tuple),
    Dense: Writer(_dense, _features),
    Embedding: Writer(_embedding, _symbols),
    Last: Writer(_last, _anything),
    Dropout: Writer(_nothing, _anything),
    VariationalDropout: Writer(_nothing, _anything),
}
