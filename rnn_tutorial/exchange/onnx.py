"""To and from ONNX: a file that onnxruntime runs as it stands, from Python, C++, Java or a browser.

    to_onnx(model, params, "model.onnx")
    model, params = from_onnx("model.onnx")

The graph goes from xs (T, B, D), or indices (T, B) of int64, to ys, for any number of steps and sequences. With lengths=True it
has a second input, lengths (B,) of int32, each from 1 to T, and gives what the model gives here with the mask of those lengths.

    Recurrent, Reversed(Recurrent)    a node RNN, LSTM or GRU (see `onnx_nodes`), then Squeeze, which drops its axis of directions
    Bidirectional of two, concat      one such node with direction="bidirectional", then Transpose, Reshape
    Dense                             MatMul, Add
    Embedding                         Gather
    Last                              Gather of the last step; with lengths ReverseSequence, then Gather of the first
    Dropout, VariationalDropout       nothing: a file is for evaluation

The arrays keep their dtype. ONNX allows float64, but onnxruntime (1.32) runs the three recurrent operators in float32 alone, so
cast first: to_onnx(model, tree_cast(params, np.float32), path).
"""

import numpy as np

from rnn_tutorial import __version__
from rnn_tutorial.cells.cell import same_function
from rnn_tutorial.checkpoint import replacing
from rnn_tutorial.directions import Bidirectional, Reversed, concat
from rnn_tutorial.dropout import Dropout, VariationalDropout
from rnn_tutorial.exchange.layout import ExchangeError, describe, describe_layer, library
from rnn_tutorial.exchange.onnx_graph import read_graph
from rnn_tutorial.exchange.onnx_layers import read_steps
from rnn_tutorial.exchange.onnx_nodes import kind_of_cell, node_arrays
from rnn_tutorial.layers import Dense, Embedding, Last, Recurrent, Serial
from rnn_tutorial.tree import tree_leaves

OPSET, IR_VERSION = 14, 7  # of 2021: any runtime of today reads them
LAYERS = Recurrent, Reversed, Bidirectional, Dense, Embedding, Last, Dropout, VariationalDropout


def to_onnx(model, params, path, *, lengths=False):
    """Write the ONNX file `path` that computes what `model` computes in evaluation, with the weights `params`.

    model: one layer, or a `Serial` of layers, among those above. lengths=True gives the graph its second input.

    Errors: ImportError without the library onnx; ExchangeError for what ONNX has no word for, saying which layer and why;
    ValueError or TypeError for parameters that are not those of the model.
    """
    onnx = library("onnx")
    layers, params = (model.layers, params) if isinstance(model, Serial) else ((model,), (params,))
    _refuse_unsayable(layers, params)
    example = _example(layers, params)
    answer, _ = Serial(tuple(layers)).forward(params, example)  # refuses what does not fit together
    nodes, arrays, ys = [], {}, _input_name(example)
    for k, (layer, layer_params) in enumerate(zip(layers, params, strict=True)):
        if isinstance(layer, (Dropout, VariationalDropout)):
            continue
        more_nodes, more_arrays = _layer_nodes(onnx, k, layer, layer_params, ys, "lengths" if lengths else "")
        nodes, arrays, ys = nodes + more_nodes, arrays | more_arrays, more_nodes[-1].output[0]
    nodes[-1].output[0] = "ys"
    proto = _proto(onnx, nodes, arrays, example, answer, lengths)
    onnx.checker.check_model(proto, full_check=True)
    with replacing(path) as file:
        file.write(proto.SerializeToString())


def from_onnx(path):
    """Return (model, params): the `Serial` of layers that an ONNX file holds, and their weights; the arrays are copies.

    What `to_onnx` wrote comes back bit for bit, but for dropout, which it left out. Files of others are read if they are made of
    the same operators, or of Gemm, Dropout and Identity, and start from zero, as PyTorch's export of a module with an Embedding,
    an RNN, LSTM or GRU with time first, and a Linear layer is. Two biases become their sum; a bias left out becomes zero.

    Errors: ImportError without the library onnx; ExchangeError for a file that is no ONNX file, or holds anything else, listing
    the operators that are unknown here, what is missing, what is surplus, and what has another shape.
    """
    steps = read_steps(read_graph(library("onnx"), path))
    model = Serial(tuple(step.layer for step in steps))
    params = tuple(step.fill(step.arrays) for step in steps)
    try:
        model.forward(params, _example(model.layers, params))
    except (ValueError, TypeError) as error:
        raise ExchangeError(f"{path}: the layers do not fit each other: {error}") from error
    return model, params


def _refuse_unsayable(layers, params):
    dtypes = {str(leaf.dtype) for leaf in tree_leaves(params)}
    if dtypes not in ({"float32"}, {"float64"}):
        raise ExchangeError(f"params: expected arrays of float32, or all of float64, got {', '.join(sorted(dtypes)) or 'none'}")
    if strangers := [describe_layer(layer) for layer in layers if not isinstance(layer, LAYERS)]:
        known = ", ".join(kind.__name__ for kind in LAYERS)
        raise ExchangeError(f"model: what has nodes in ONNX here is {known}; got {', '.join(strangers)}")


def _example(layers, params):
    """Return xs of one step of one sequence, as the first layer that says its size takes them: zeros, or the symbol 0."""
    for layer in layers:
        layer = getattr(layer, "layer", getattr(layer, "forwards", layer))  # of Reversed, of Bidirectional
        if isinstance(layer, Embedding):
            return np.zeros((1, 1), np.int64)
        if hasattr(layer, "input_size"):
            return np.zeros((1, 1, layer.input_size), tree_leaves(params)[0].dtype)
    raise ExchangeError("model: expected a layer that says how many features it takes, got none")


def _input_name(xs):
    return "xs" if xs.ndim == 3 else "indices"


def _layer_nodes(onnx, k, layer, params, xs, lengths):
    """Return (nodes, arrays by name) of layer number k, from the tensor xs; the last node's first output is what it says."""
    make = onnx.helper.make_node
    if isinstance(layer, Dense):
        product = make("MatMul", [xs, f"{k}.W"], [f"{k}.xW"], f"{k}.MatMul")
        return [product, make("Add", [f"{k}.xW", f"{k}.b"], [f"{k}.ys"], f"{k}.Add")], {f"{k}.W": params.W, f"{k}.b": params.b}
    if isinstance(layer, Embedding):
        return [make("Gather", [f"{k}.E", xs], [f"{k}.ys"], f"{k}.Gather")], {f"{k}.E": params.E}
    if isinstance(layer, Last):
        return _last_nodes(make, k, xs, lengths, onnx.TensorProto.INT64)
    return _recurrent_nodes(make, k, *_directions(layer, params), xs, lengths)


def _last_nodes(make, k, xs, lengths, int64):
    """Return the nodes that take each sequence's last step: the first, once each is turned round within its own length."""
    if not lengths:
        return [make("Gather", [xs, f"{k}.last"], [f"{k}.ys"], f"{k}.Gather")], {f"{k}.last": np.array(-1, np.int64)}
    nodes = [
        make("Cast", [lengths], [f"{k}.lengths"], f"{k}.Cast", to=int64),
        make("ReverseSequence", [xs, f"{k}.lengths"], [f"{k}.turned"], f"{k}.ReverseSequence", batch_axis=1, time_axis=0),
        make("Gather", [f"{k}.turned", f"{k}.first"], [f"{k}.ys"], f"{k}.Gather"),
    ]
    return nodes, {f"{k}.first": np.array(0, np.int64)}


def _recurrent_nodes(make, k, direction, recurrents, params, xs, lengths):
    """Return the nodes of a recurrent layer in one direction or two, and its arrays."""
    kind, activations = kind_of_cell(recurrents[0].cell)
    each = [node_arrays(kind, recurrent, leaves) for recurrent, leaves in zip(recurrents, params, strict=True)]
    arrays = {f"{k}.{name}": np.stack([array[name] for array in each]) for name in each[0]}
    inputs = [xs, f"{k}.W", f"{k}.R", f"{k}.B", lengths] + (["", "", f"{k}.P"] if kind.peepholes else [])  # first states: zero
    attributes = {"hidden_size": recurrents[0].hidden_size, "direction": direction, "activations": activations * len(each)}
    nodes = [make(kind.op_type, inputs, [f"{k}.Y"], f"{k}.{kind.op_type}", **attributes, **kind.attributes)]
    if len(each) == 1:  # Y: (T, 1, B, H)
        nodes.append(make("Squeeze", [f"{k}.Y", f"{k}.axis"], [f"{k}.ys"], f"{k}.Squeeze"))
        return nodes, arrays | {f"{k}.axis": np.array([1], np.int64)}
    nodes.append(make("Transpose", [f"{k}.Y"], [f"{k}.Y_turned"], f"{k}.Transpose", perm=[0, 2, 1, 3]))
    nodes.append(make("Reshape", [f"{k}.Y_turned", f"{k}.shape"], [f"{k}.ys"], f"{k}.Reshape"))
    return nodes, arrays | {f"{k}.shape": np.array([0, 0, -1], np.int64)}  # T and B as they are, the two halves side by side


def _directions(layer, params):
    """Return (direction, list of Recurrent, list of their parameters), or refuse another layer."""
    if isinstance(layer, Recurrent):
        return "forward", [layer], [params]
    if isinstance(layer, Reversed) and isinstance(layer.layer, Recurrent):
        return "reverse", [layer.layer], [params]
    if isinstance(layer, Bidirectional):
        first, second = layer.forwards, layer.backwards
        if not (isinstance(first, Recurrent) and isinstance(second, Recurrent)):
            raise ExchangeError(f"Bidirectional: expected two Recurrent layers, got {describe_layer(layer)}")
        if layer.merge is not concat:
            raise ExchangeError(f"Bidirectional: the nodes of ONNX put two directions side by side, got merge {layer.merge.name}")
        if not same_function(first.cell, second.cell) or first.hidden_size != second.hidden_size:
            both = " and ".join(f"{describe(part.cell)} of {part.hidden_size}" for part in (first, second))
            raise ExchangeError(f"Bidirectional: a node of ONNX has one cell and one size for both directions, got {both}")
        return "bidirectional", [first, second], params
    raise ExchangeError(f"Reversed: a node of ONNX turns a Recurrent layer alone, got {describe_layer(layer)}")


def _proto(onnx, nodes, arrays, xs, ys, lengths):
    """Return the whole file; xs, ys: one step of one sequence, which say the dtypes and the sizes."""
    h, free = onnx.helper, ["T", "B"]

    def info(name, array, axes):
        return h.make_tensor_value_info(name, h.np_dtype_to_tensor_dtype(array.dtype), axes)

    inputs = [info(_input_name(xs), xs, [*free, *xs.shape[2:]])]
    inputs += [info("lengths", np.zeros(1, np.int32), ["B"])] if lengths else []
    outputs = [info("ys", ys, [*free[3 - ys.ndim :], ys.shape[-1]])]
    initializers = [onnx.numpy_helper.from_array(array, name) for name, array in arrays.items()]
    return h.make_model(
        h.make_graph(nodes, "rnn_tutorial", inputs, outputs, initializers),
        opset_imports=[h.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="rnn_tutorial",
        producer_version=__version__,
    )
