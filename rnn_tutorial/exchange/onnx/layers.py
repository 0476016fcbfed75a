"""The graph of an ONNX file as our layers.

It is read from the output back to the input, since each tensor is made by one node. A file has time
first or the batch first; here time is always first. A Transpose that swaps the two is not a layer,
but is counted.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from rnn_tutorial.exchange.layout import ExchangeError, refuse
from rnn_tutorial.exchange.onnx.graph import Graph, Node
from rnn_tutorial.exchange.onnx.recurrent import ends_in_last_states, recurrent_step
from rnn_tutorial.exchange.onnx.step import Step, affine, expect
from rnn_tutorial.exchange.onnx.unrolled import (
    ends_in_unrolled_states,
    unrolled_last_step,
    unrolled_step,
)
from rnn_tutorial.layers.core import Dense, DenseParams, Embedding, EmbeddingParams, Last
from rnn_tutorial.types import Array
from rnn_tutorial.validation import misfits

__all__ = [
    "read_steps",
]

FREE = 2, 3  # the sizes of time and batch to try where the file accepts any


def read_steps(graph: Graph) -> list[Step]:
    """Return the Steps from the input to the output.

    Raises: ExchangeError with the list of everything that does not fit.
    """
    steps: list[Step] = []
    name = graph.output
    while name not in graph.inputs:
        if name not in graph.makers:
            raise ExchangeError(
                f"{graph.path}: the network begins with {name}, which the caller does not give"
            )
        node = graph.makers[name]
        found = READERS[node.op_type](graph, node) if node.op_type in READERS else None
        step = expect(graph, node, found, "stands where no layer ends")
        steps.append(step)
        name = step.xs
    steps = steps[::-1]
    refuse(graph.path, [f"{step.name}: {fault}" for step in steps for fault in _faults(step)])
    sizes = _sizes(graph, name, _time_axis(graph, steps))
    for step in steps:
        step.check(*sizes)
    if len({step.lengths for step in steps} - {None}) > 1:
        raise ExchangeError(
            f"{graph.path}: some of the nodes take lengths and others do not; "
            "here a mask goes to every layer"
        )
    return [step for step in steps if step.layer is not None]


def _faults(step: Step) -> list[str]:
    strange = [
        f"{name} is of {array.dtype}"
        for name, array in step.arrays.items()
        if array.dtype not in ("float32", "float64")
    ]
    return misfits(step.arrays, step.shapes) + strange


def _time_axis(graph: Graph, steps: Sequence[Step]) -> int:
    """Return which axis of the input is time: 0, or 1 if the batch comes first.

    Raises: ExchangeError if the layers disagree, or the output has another order than the input.
    """
    swapped, answers = 0, False
    axes: set[int] = set()
    for step in steps:
        axes |= set() if step.time is None else {step.time ^ swapped}
        swapped ^= step.swaps
        answers |= step.one_answer
        if answers and step.swaps:
            raise ExchangeError(
                f"{graph.path}: {step.name} swaps the axes of one answer a sequence, "
                "which has no time"
            )
    if len(axes) > 1 or (swapped and not answers):
        raise ExchangeError(
            f"{graph.path}: time is the first axis in one place and the second in another"
        )
    return axes.pop() if axes else 0


def _sizes(graph: Graph, name: str, time: int) -> tuple[int, int]:
    """Return (T, B): the sizes that the file fixes, or FREE."""
    declared = [*graph.inputs[name], None, None]
    return declared[time] or FREE[0], declared[1 - time] or FREE[1]


def _nothing(graph: Graph, node: Node) -> Step:
    """Return a Step without a layer: Identity, and Dropout in evaluation."""
    # The third input of Dropout says whether it is in training.
    training = [graph.arrays.get(name, np.array(True)) for name in node.inputs[2:] if name]
    expect(graph, node, not any(training), "is to drop in evaluation")
    return Step(node.name, node.inputs[0])


def _transpose(graph: Graph, node: Node) -> Step:
    """Return a Step without a layer that swaps time and batch, or the Step of a recurrent node."""
    if list(node.attributes.get("perm", [1, 0])) in ([1, 0, 2], [1, 0]):
        return Step(node.name, node.inputs[0], swaps=1)
    return recurrent_step(graph, node)


def _dense(graph: Graph, node: Node) -> Step:
    """Return the Step of MatMul, with Add or without, or of Gemm."""
    words = "does not add a bias to a MatMul by a matrix of the file"
    found = expect(graph, node, affine(graph, node.outputs[0]), words)
    W, b = found.W, found.bias()
    return Step(
        node.name,
        found.xs,
        Dense(*W.shape),
        {"W": W, "b": b},
        {"W": W.shape, "b": W.shape[1:]},
        example=np.zeros((1, 1, len(W)), W.dtype),
        fill=_dense_params,
    )


def _dense_params(arrays: Mapping[str, Array]) -> DenseParams:
    return DenseParams(np.array(arrays["W"], order="C"), arrays["b"].copy())


def _embedding_params(arrays: Mapping[str, Array]) -> EmbeddingParams:
    return EmbeddingParams(arrays["E"].copy())


def _gather(graph: Graph, node: Node) -> Step:
    """Return the Step of Gather: rows of a matrix, or the last step of a sequence."""
    data, indices = node.inputs
    if data in graph.arrays:
        E = graph.arrays[data]
        first_axis = node.attributes.get("axis", 0) == 0
        expect(graph, node, first_axis, "does not gather along the first axis")
        words = f"takes rows of an array of shape {E.shape}, expected a matrix"
        expect(graph, node, E.ndim == 2, words)
        return Step(
            node.name,
            indices,
            Embedding(*E.shape),
            {"E": E},
            {"E": E.shape},
            example=np.zeros((1, 1), np.int64),
            fill=_embedding_params,
        )
    return _last(graph, node, data, graph.arrays.get(indices))


def _last(graph: Graph, node: Node, data: str, place: Array | None) -> Step:
    """Return the Step of `Last`: it gathers step -1, or step 0 after ReverseSequence."""
    time, turn = node.attributes.get("axis", 0), graph.makers.get(data)
    expect(graph, node, time in (0, 1), "does not gather along time")
    xs, lengths = data, ""
    first = place is not None and np.array_equal(place, 0)
    if turn is not None and turn.op_type == "ReverseSequence" and first:
        xs, lengths = turn.inputs
        cast = graph.makers.get(lengths)
        lengths = cast.inputs[0] if cast is not None and cast.op_type == "Cast" else lengths
        axes = turn.attributes.get("time_axis", 0), turn.attributes.get("batch_axis", 1)
        whole = axes == (time, 1 - time) and lengths in graph.inputs
        expect(graph, turn, whole, "is not along time, or not by lengths that the caller gives")
    else:
        last = place is not None and np.array_equal(place, -1)
        expect(graph, node, last, "is neither an Embedding nor Last, which takes step -1")
    return Step(node.name, xs, Last(), lengths=lengths, time=time, one_answer=True)


def _last_states_or(read: Callable[[Graph, Node], Step]) -> Callable[[Graph, Node], Step]:
    """Return the reader of a node that has last states, or else is one for `read`."""

    def reader(graph: Graph, node: Node) -> Step:
        found = (last for ends_in, last in LAST_STATES if ends_in(graph, node))
        return next(found, read)(graph, node)

    return reader


LAST_STATES = (
    (ends_in_last_states, recurrent_step),
    (ends_in_unrolled_states, unrolled_last_step),
)
READERS: dict[str, Callable[[Graph, Node], Step]] = {
    "Add": _dense,
    "MatMul": _dense,
    "Gemm": _dense,
    "Gather": _last_states_or(_gather),
    "Squeeze": _last_states_or(recurrent_step),
    "Reshape": _last_states_or(recurrent_step),
    "Transpose": _transpose,
    "Concat": _last_states_or(unrolled_step),
    "Identity": _nothing,
    "Dropout": _nothing,
}
