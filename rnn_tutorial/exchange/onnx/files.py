"""To and from ONNX: a file that onnxruntime runs, from Python, C++, Java or a browser.

    to_onnx(model, params, "model.onnx")
    model, params = from_onnx("model.onnx")

The graph goes from xs (T, B, D), or indices (T, B) of int64, to ys, for any number of steps and
sequences. With lengths=True it has a second input, lengths (B,) of int32, each from 1 to T, and
computes what the model computes here with the mask of those lengths.

    Recurrent, Reversed(Recurrent)    a node RNN, LSTM or GRU (see `nodes.py`), then Squeeze, which
                                      drops its axis of directions
    Bidirectional of two, concat      a node with direction="bidirectional", then Transpose, Reshape
    the same of two Serial(Recurrent, Last)      the last states Y_h of such a node, side by side
    Dense                             MatMul, Add
    Embedding                         Gather
    Last                              Gather of the last step; with lengths ReverseSequence, then
                                      Gather of the first
    Dropout, VariationalDropout       no node: a file is for evaluation

An `Attention` is a file of its own, from queries and memory to ys, which is written and not read:
see `attention.py`.

The arrays keep their dtype. ONNX allows float64, but onnxruntime (1.32) runs the three recurrent
operators only in float32, so cast first: to_onnx(model, tree_cast(params, np.float32), path).
"""

from collections.abc import Callable, Sequence
from os import PathLike
from typing import Any

import numpy as np

from rnn_tutorial import __version__
from rnn_tutorial.exchange.layout import ExchangeError, library
from rnn_tutorial.exchange.onnx.attention import attention_graph
from rnn_tutorial.exchange.onnx.graph import read_graph
from rnn_tutorial.exchange.onnx.layers import read_steps
from rnn_tutorial.exchange.onnx.write import Place, graph_of, one_dtype, tensor_info, writer_of
from rnn_tutorial.layers.attention import Attention
from rnn_tutorial.layers.layer import Layer
from rnn_tutorial.layers.serial import Serial
from rnn_tutorial.replacing import replacing
from rnn_tutorial.types import Array
from rnn_tutorial.validation import check_parts

__all__ = [
    "flattened",
    "from_onnx",
    "to_onnx",
]

OPSET, IR_VERSION = 14, 7  # of 2021: any current runtime reads them


def to_onnx(model: Layer, params: Any, path: str | PathLike[str], *, lengths: bool = False) -> None:
    """Write an ONNX file `path` that computes what `model` computes in evaluation with `params`.

    model: one layer, or a `Serial` of layers, of the kinds above; a `Serial` inside it is written
    as its layers; or an `Attention`. lengths=True gives the graph one input more, the lengths.

    Raises: ImportError without the library onnx; ExchangeError for a layer that ONNX does not have,
    naming the layer and the reason; ValueError or TypeError for parameters that are not those of
    the model.
    """
    onnx = library("onnx")
    graph = GRAPHS.get(type(model), _chain)(model, params, lengths)
    proto = onnx.helper.make_model(
        graph,
        opset_imports=[onnx.helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="rnn_tutorial",
        producer_version=__version__,
    )
    onnx.checker.check_model(proto, full_check=True)
    with replacing(path) as file:
        file.write(proto.SerializeToString())


def from_onnx(path: str | PathLike[str]) -> tuple[Serial, tuple[Any, ...]]:
    """Return (model, params): the `Serial` of layers of an ONNX file, and their weights, as copies.

    A file of `to_onnx` comes back bit for bit, without the dropout, which it left out. Other files
    are read if they consist of the same operators and start from zero. So are the files that
    PyTorch exports, with dynamo=True (its default) or False, of a module that takes symbols or
    features through Embedding, RNN, LSTM or GRU, Dropout and Linear layers, one after another, to
    the outputs of all steps, of the last one, ys[-1], or to the last state of the last layer,
    h_n[-1], or h_n[-2] and h_n[-1] of two directions side by side. Two biases become their sum; a
    bias that is left out becomes zero.

    The model takes time first, xs (T, B, D), also if the file takes the batch first: then call it
    with xs.swapaxes(0, 1). It takes any number of steps and sequences, also if the file fixes them.
    With dynamo=True PyTorch writes an RNN step by step (see `unrolled.py`); such a file is read if
    it has at least two steps.

    Raises: ImportError without the library onnx; ExchangeError for a file that is not an ONNX file,
    or that contains anything else, listing the operators that are unknown here, and everything that
    is missing, surplus or of another shape.
    """
    steps = read_steps(read_graph(path))
    flat = flattened([step.layer for step in steps], [step.fill(step.arrays) for step in steps])
    model, params = Serial(tuple(layer for layer, _ in flat)), tuple(part for _, part in flat)
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


def flattened(layers: Sequence[Layer], params: Sequence[Any]) -> list[tuple[Layer, Any]]:
    """Return (layer, its params) of all layers, where those of a `Serial` replace it.

    Raises: ValueError unless the parameters of a `Serial` are one for each of its layers.
    """
    flat: list[tuple[Layer, Any]] = []
    for layer, part in zip(layers, params, strict=True):
        if isinstance(layer, Serial):
            check_parts("params", part, len(layer.layers))
            flat += flattened(layer.layers, part)
        else:
            flat.append((layer, part))
    return flat


def _example(layers: Sequence[Layer], params: Sequence[Any]) -> Array:
    """Return xs of one step of one sequence: zeros, or the symbol 0.

    The first layer that has a size determines it.

    Raises: ExchangeError for layers that have no nodes in ONNX, and for arrays that are not all of
    float32 or all of float64.
    """
    dtype = one_dtype(params)
    examples = [writer_of(layer).takes(layer, dtype) for layer in layers]
    sized = [example for example in examples if example is not None]
    if not sized:
        raise ExchangeError(
            "model: expected a layer that says how many features it takes, got none"
        )
    return sized[0]


def _chain(model: Layer, params: Any, lengths: bool) -> Any:
    """Return the graph of layers, one after another.

    One step of one sequence determines dtypes and sizes of its input and output.

    Raises: as `to_onnx`.
    """
    flat = flattened([model], [params])
    layers, params = [layer for layer, _ in flat], [part for _, part in flat]
    xs = _example(layers, params)
    answer = Serial(tuple(layers)).forward(params, xs)[0]  # raises unless the layers fit
    ys = name = "xs" if xs.ndim == 3 else "indices"
    nodes: list[Any] = []
    arrays: dict[str, Array] = {}
    for k, (layer, layer_params) in enumerate(zip(layers, params, strict=True)):
        place = Place(k, ys, "lengths" if lengths else "")
        more, more_arrays = writer_of(layer).nodes(layer, layer_params, place)
        nodes, arrays, ys = nodes + more, arrays | more_arrays, more[-1].output[0] if more else ys
    nodes[-1].output[0] = "ys"
    inputs = [tensor_info(name, xs.dtype, "T", "B", *xs.shape[2:])]
    inputs += [tensor_info("lengths", np.int32, "B")] if lengths else []
    free = ("T", "B")[3 - answer.ndim :]
    outputs = [tensor_info("ys", answer.dtype, *free, answer.shape[-1])]
    return graph_of(nodes, arrays, inputs, outputs)


GRAPHS: dict[type, Callable[[Any, Any, bool], Any]] = {Attention: attention_graph}
