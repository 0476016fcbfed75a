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

from rnn_tutorial import __version__
from rnn_tutorial.exchange.layout import ExchangeError, library
from rnn_tutorial.exchange.onnx.graph import read_graph
from rnn_tutorial.exchange.onnx.layers import read_steps
from rnn_tutorial.exchange.onnx.write import Place, writer_of
from rnn_tutorial.layers.serial import Serial
from rnn_tutorial.replacing import replacing
from rnn_tutorial.tree import tree_leaves

__all__ = [
    "IR_VERSION",
    "OPSET",
    "from_onnx",
    "to_onnx",
]

OPSET, IR_VERSION = 14, 7  # of 2021: any runtime of today reads them


def to_onnx(model, params, path, *, lengths=False):
    """Write the ONNX file `path` that computes what `model` computes in evaluation, with the weights `params`.

    model: one layer, or a `Serial` of layers, among those above. lengths=True gives the graph its second input.

    Raises: ImportError without the library onnx; ExchangeError for what ONNX has no word for, saying which layer and why;
    ValueError or TypeError for parameters that are not those of the model.
    """
    onnx = library("onnx")
    layers, params = (model.layers, params) if isinstance(model, Serial) else ((model,), (params,))
    example = _example(layers, params)
    answer = Serial(tuple(layers)).forward(params, example)[0]  # refuses what does not fit together
    ys = name = "xs" if example.ndim == 3 else "indices"
    nodes, arrays = [], {}
    for k, (layer, layer_params) in enumerate(zip(layers, params, strict=True)):
        more, more_arrays = writer_of(layer).nodes(
            layer, layer_params, Place(k, ys, "lengths" if lengths else "")
        )
        nodes, arrays, ys = nodes + more, arrays | more_arrays, more[-1].output[0] if more else ys
    nodes[-1].output[0] = "ys"
    proto = _proto(nodes, arrays, (name, example), answer, lengths)
    onnx.checker.check_model(proto, full_check=True)
    with replacing(path) as file:
        file.write(proto.SerializeToString())


def from_onnx(path):
    """Return (model, params): the `Serial` of layers that an ONNX file holds, and their weights; the arrays are copies.

    What `to_onnx` wrote comes back bit for bit, but for dropout, which it left out. Files of others are read if they are made of
    the same operators and start from zero. So are those that PyTorch exports, with dynamo=True (its default) or False, of a
    module that takes symbols or features through Embedding, RNN, LSTM or GRU, Dropout and Linear layers, one after another, to
    the outputs of all steps or of the last one, ys[-1]. Two biases become their sum; a bias left out becomes zero.

    The model takes time first, xs (T, B, D), also if the file takes the batch first: hand over xs.swapaxes(0, 1). It takes any
    number of steps and sequences, also if the file fixes them. With dynamo=True PyTorch writes an RNN step by step (see
    `onnx_unrolled`); that is read as well, from two steps on.

    Raises: ImportError without the library onnx; ExchangeError for a file that is no ONNX file, or holds anything else, listing
    the operators that are unknown here, what is missing, what is surplus, and what has another shape.
    """
    steps = read_steps(read_graph(path))
    model = Serial(tuple(step.layer for step in steps))
    params = tuple(step.fill(step.arrays) for step in steps)
    example = next((step.example for step in steps if step.example is not None), None)
    if example is None:
        raise ExchangeError(
            f"{path}: expected a network with weights, got {len(steps)} layers without"
        )
    try:
        model.forward(params, example)
    except (ValueError, TypeError) as error:
        raise ExchangeError(f"{path}: the layers do not fit each other: {error}") from error
    return model, params


def _example(layers, params):
    """Return xs of one step of one sequence, as the first layer that says its size takes them: zeros, or the symbol 0.

    Raises: ExchangeError for layers that have no nodes in ONNX, and for arrays of other numbers than one of float32 and float64.
    """
    dtypes = {str(getattr(leaf, "dtype", type(leaf).__name__)) for leaf in tree_leaves(params)}
    if dtypes not in ({"float32"}, {"float64"}):
        raise ExchangeError(
            f"params: expected arrays of float32, or all of float64, got {', '.join(sorted(dtypes)) or 'none'}"
        )
    examples = [writer_of(layer).takes(layer, *dtypes) for layer in layers]
    sized = [example for example in examples if example is not None]
    if not sized:
        raise ExchangeError(
            "model: expected a layer that says how many features it takes, got none"
        )
    return sized[0]


def _proto(nodes, arrays, named_xs, ys, lengths):
    """Return the whole file; named_xs, ys: the input and output for one step of one sequence, which say dtypes and sizes."""
    onnx = library("onnx")
    h, free, (name, xs) = onnx.helper, ["T", "B"], named_xs

    def info(name, dtype, axes):
        return h.make_tensor_value_info(name, h.np_dtype_to_tensor_dtype(dtype), axes)

    inputs = [info(name, xs.dtype, [*free, *xs.shape[2:]])]
    inputs += (
        [h.make_tensor_value_info("lengths", onnx.TensorProto.INT32, ["B"])] if lengths else []
    )
    outputs = [info("ys", ys.dtype, [*free[3 - ys.ndim :], ys.shape[-1]])]
    initializers = [onnx.numpy_helper.from_array(array, name) for name, array in arrays.items()]
    return h.make_model(
        h.make_graph(nodes, "rnn_tutorial", inputs, outputs, initializers),
        opset_imports=[h.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="rnn_tutorial",
        producer_version=__version__,
    )
