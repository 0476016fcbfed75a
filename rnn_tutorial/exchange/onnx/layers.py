"""The graph of an ONNX file as our layers: read from its output back to its input, for each tensor is made by one node.

Files put time first or the batch first; here time is first always. A Transpose that swaps the two is no layer, but counts.
"""

from typing import Any

import numpy as np

from rnn_tutorial.exchange.layout import ExchangeError, differences, refuse
from rnn_tutorial.exchange.onnx.recurrent import recurrent_step
from rnn_tutorial.exchange.onnx.step import Step, affine, expect
from rnn_tutorial.exchange.onnx.unrolled import unrolled_step
from rnn_tutorial.layers.core import Dense, DenseParams, Embedding, EmbeddingParams, Last

__all__ = [
    "FREE",
    "READERS",
    "read_steps",
]

FREE = 2, 3  # the sizes of time and batch that stand for any


def read_steps(graph):
    """Return the list of Steps from the input to the output.

    Raises: ExchangeError with the list of what does not fit.
    """
    steps, name = [], graph.output
    while name not in graph.inputs:
        if name not in graph.makers:
            raise ExchangeError(
                f"{graph.path}: the network begins with {name}, which the caller does not give"
            )
        node = graph.makers[name]
        step = READERS[node.op_type](graph, node) if node.op_type in READERS else None
        expect(graph, node, step, "stands where no layer ends")
        steps.append(step)
        name = step.xs
    steps = steps[::-1]
    refuse(graph.path, [f"{step.name}: {fault}" for step in steps for fault in _faults(step)])
    sizes = _sizes(graph, name, _time_axis(graph, steps))
    for step in steps:
        step.check(*sizes)
    if len({step.lengths for step in steps} - {None}) > 1:
        raise ExchangeError(
            f"{graph.path}: some of the nodes take lengths and others do not; here a mask goes to every layer"
        )
    return [step for step in steps if step.layer is not None]


def _faults(step):
    strange = [
        f"{name} is of {array.dtype}"
        for name, array in step.arrays.items()
        if array.dtype not in ("float32", "float64")
    ]
    return differences(step.arrays, step.shapes) + strange


def _time_axis(graph, steps):
    """Return which axis of the input is time: 0, or 1 if the batch comes first.

    Raises: ExchangeError if the layers disagree, or the output has another order than the input.
    """
    swapped, axes, answers = 0, set(), False
    for step in steps:
        axes |= set() if step.time is None else {step.time ^ swapped}
        swapped ^= step.swaps
        answers |= step.layer == Last()
        if answers and step.swaps:
            raise ExchangeError(
                f"{graph.path}: {step.name} swaps the axes of one answer a sequence, which has no time"
            )
    if len(axes) > 1 or (swapped and not answers):
        raise ExchangeError(
            f"{graph.path}: time is the first axis in one place and the second in another"
        )
    return axes.pop() if axes else 0


def _sizes(graph, name, time):
    """Return (T, B): the sizes that the file fixes, or FREE."""
    declared = [*graph.inputs[name], None, None]
    return tuple(declared[axis] or free for axis, free in zip((time, 1 - time), FREE))


def _nothing(graph, node):
    """Return a Step without a layer: Identity, and Dropout in evaluation."""
    training = [
        graph.arrays.get(name, np.array(True)) for name in node.inputs[2:] if name
    ]  # of Dropout
    expect(graph, node, not any(training), "is to drop in evaluation")
    return Step(node.name, node.inputs[0])


def _transpose(graph, node):
    """Return a Step without a layer, where time and batch change places; or that of the recurrent node that ends here."""
    if list(node.attributes.get("perm", [1, 0])) in ([1, 0, 2], [1, 0]):
        return Step(node.name, node.inputs[0], swaps=1)
    return recurrent_step(graph, node)


def _dense(graph, node):
    """Return the Step of MatMul, with Add or without, or of Gemm."""
    found = affine(graph, node.outputs[0])
    expect(graph, node, found, "does not add a bias to a MatMul by a matrix of the file")
    W, b = found.W, found.bias()
    return Step(
        node.name,
        found.xs,
        Dense(*W.shape),
        {"W": W, "b": b},
        {"W": W.shape, "b": W.shape[1:]},
        np.zeros((1, 1, len(W)), W.dtype),
        _dense_params,
    )


def _dense_params(arrays):
    return DenseParams(np.array(arrays["W"], order="C"), arrays["b"].copy())


def _embedding_params(arrays):
    return EmbeddingParams(arrays["E"].copy())


def _gather(graph, node):
    """Return the Step of Gather: rows of a matrix, or the last step of a sequence."""
    data, indices = node.inputs
    if data in graph.arrays:
        E = graph.arrays[data]
        expect(
            graph, node, node.attributes.get("axis", 0) == 0, "does not gather along the first axis"
        )
        expect(
            graph,
            node,
            E.ndim == 2,
            f"takes rows of an array of shape {E.shape}, expected a matrix",
        )
        symbol = np.zeros((1, 1), np.int64)
        return Step(
            node.name,
            indices,
            Embedding(*E.shape),
            {"E": E},
            {"E": E.shape},
            symbol,
            _embedding_params,
        )
    return _last(graph, node, data, graph.arrays.get(indices))


def _last(graph, node, data, place):
    """Return the Step of the last step: number -1 along time, or number 0 of what was turned round by lengths."""
    time, turn = node.attributes.get("axis", 0), graph.makers.get(data)
    expect(graph, node, time in (0, 1), "does not gather along time")
    xs, lengths = data, ""
    if turn is not None and turn.op_type == "ReverseSequence" and np.array_equal(place, 0):
        xs, lengths = turn.inputs
        cast = graph.makers.get(lengths)
        lengths = cast.inputs[0] if cast is not None and cast.op_type == "Cast" else lengths
        axes = turn.attributes.get("time_axis", 0), turn.attributes.get("batch_axis", 1)
        in_time = axes == (time, 1 - time)
        expect(
            graph,
            turn,
            in_time and lengths in graph.inputs,
            "is not along time, or not by lengths that the caller gives",
        )
    else:
        expect(
            graph,
            node,
            np.array_equal(place, -1),
            "is neither an Embedding nor Last, which takes step -1",
        )
    return Step(node.name, xs, Last(), lengths=lengths, time=time)


READERS: dict[str, Any] = {
    "Add": _dense,
    "MatMul": _dense,
    "Gemm": _dense,
    "Gather": _gather,
    "Squeeze": recurrent_step,
    "Reshape": recurrent_step,
    "Transpose": _transpose,
    "Concat": unrolled_step,
    "Identity": _nothing,
    "Dropout": _nothing,
}
