"""A recurrent network that its exporter has unrolled: the nodes of every step, one after another.

PyTorch's default exporter writes torch.nn.RNN in this way, for one number of steps:

    linear = xs @ W_x + b_x
    h[t] = tanh(h[t-1] @ W_h + b_h + linear[t])      or relu; h[-1] is zero
    hs = Concat(h[0], h[1], ...)                     in time order, also for a reversed network

The product with h[-1] is computed by the exporter. The hs of two directions are put side by side by
another Concat. A network to its last state alone, h_n, is read from this state to the first.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from rnn_tutorial.cells.cell import Cell
from rnn_tutorial.exchange.layout import ExchangeError, one_bias
from rnn_tutorial.exchange.onnx.graph import (
    Graph,
    Node,
    moved_from,
    sources_of,
    try_to_evaluate,
)
from rnn_tutorial.exchange.onnx.nodes import RNN, cell_of_kind
from rnn_tutorial.exchange.onnx.recurrent import is_zero
from rnn_tutorial.exchange.onnx.step import Affine, Step, affine, expect
from rnn_tutorial.layers.bidirectional import Bidirectional, BidirectionalParams, Reversed
from rnn_tutorial.layers.core import Last, Recurrent
from rnn_tutorial.layers.serial import Serial
from rnn_tutorial.types import Array

__all__ = [
    "ends_in_unrolled_states",
    "unrolled_last_step",
    "unrolled_step",
]

SIDE_BY_SIDE = 2, -1  # the axis along which two directions are concatenated
NOT_STEPS = (
    "does not put together the steps of one network h = tanh(h W_h + b_h + xs W_x + b_x), "
    "or relu, from zero"
)
DIRECTIONS: dict[tuple[bool, ...], Callable[..., Any]] = {
    (False,): lambda layer: layer,
    (True,): Reversed,
    (False, True): Bidirectional,
}
ACTIVATED = "Tanh", "Relu"


class Unrolled(NamedTuple):
    """One direction, found in the graph."""

    first: Affine  # xs @ W_x + b_x
    loop: Affine  # h @ W_h + b_h
    activation: str  # "Tanh" or "Relu"
    backwards: bool  # from the last step to the first
    steps: int


class Moment(NamedTuple):
    """One step, found in the graph."""

    activation: str
    linear: str  # the tensor of all xs @ W_x + b_x
    x: str  # one row of it
    loop: str  # h @ W_h + b_h


def unrolled_step(graph: Graph, concat: Node) -> Step:
    """Return the Step of all steps that `concat` puts together, in one direction or two.

    Raises: ExchangeError if they are anything else.
    """
    both = concat.attributes.get("axis") in SIDE_BY_SIDE
    parts = [graph.makers.get(name) for name in concat.inputs] if both else [concat]
    ends = [part for part in parts if part is not None and _joins_steps(part)]
    expect(graph, concat, len(ends) == len(parts), NOT_STEPS)
    return _step(graph, concat, [_unrolled(graph, end, end.inputs) for end in ends])


def ends_in_unrolled_states(graph: Graph, end: Node) -> bool:
    """Return whether `end` has only numbers of last states: of an h that no other step takes."""
    sources = sources_of(graph, end.outputs[0])
    multiplied = {node.inputs[0] for node in graph.nodes if node.op_type in ("MatMul", "Gemm")}
    return multiplied.isdisjoint(sources) and all(
        source in graph.makers and graph.makers[source].op_type in ACTIVATED for source in sources
    )


def unrolled_last_step(graph: Graph, end: Node) -> Step:
    """Return the Step of the network whose last state `end` has, in one direction or two.

    The states are those of all layers, and the last layer's are taken.

    Raises: ExchangeError if they are anything else.
    """
    sources = sources_of(graph, end.outputs[0])
    found = [_unrolled(graph, end, _steps_to(graph, end, sources[-1]))]
    if found[0].backwards and len(sources) > 1:
        found.insert(0, _unrolled(graph, end, _steps_to(graph, end, sources[-2])))
    step = _step(graph, end, found, one_answer=True)

    def check(T: int, B: int) -> None:
        step.check(T, B)
        H = found[0].loop.W.shape[1]
        taken = sources[-len(found) :]
        numbers = np.arange(len(found) * B * H, dtype=np.float32).reshape(len(found), 1, B, H)
        given = {name: np.full((1, B, H), -1, np.float32) for name in sources}
        answer = try_to_evaluate(graph, end.outputs, given | dict(zip(taken, numbers)))
        side_by_side = np.concatenate(list(numbers[:, 0]), axis=-1)
        right = answer is not None and np.array_equal(answer[0], side_by_side)
        expect(graph, end, right, "does not put the last states of the last layer side by side")

    return step._replace(check=check)


def _steps_to(graph: Graph, end: Node, h: str) -> list[str]:
    """Return the h of all steps, in time order, of the network whose last state is `h`."""
    hs = [h]
    while (before := affine(graph, _moment(graph, end, hs[0]).loop)) is not None:
        if before.xs not in graph.makers or graph.makers[before.xs].op_type not in ACTIVATED:
            break
        hs.insert(0, before.xs)
    expect(graph, end, len(hs) > 1, NOT_STEPS)
    return hs if _in_order(graph, [_moment(graph, end, h) for h in hs]) else hs[::-1]


def _step(graph: Graph, node: Node, found: Sequence[Unrolled], one_answer: bool = False) -> Step:
    """Return the Step of one direction or two, all steps or with one answer a sequence."""
    turn = DIRECTIONS.get(tuple(part.backwards for part in found))
    same_xs = len({part.first.xs for part in found}) == 1
    turn = expect(graph, node, turn if same_xs else None, NOT_STEPS)
    recurrents = [Recurrent(_cell(part), *part.first.W.shape) for part in found]
    layers = [Serial((part, Last())) for part in recurrents] if one_answer else recurrents

    def check(T: int, B: int) -> None:
        steps = found[0].steps
        words = f"holds the network for {steps} steps, and the file takes another number, or any"
        expect(graph, node, T == steps, words)

    first = found[0].first
    return Step(
        node.name,
        first.xs,
        turn(*layers),
        _arrays(found),
        _shapes(found),
        example=np.zeros((1, 1, len(first.W)), first.W.dtype),
        fill=_filler(found, one_answer),
        lengths="",
        time=0,
        one_answer=one_answer,
        check=check,
    )


def _joins_steps(node: Node) -> bool:
    return node.op_type == "Concat" and node.attributes.get("axis") == 0 and len(node.inputs) > 1


def _unrolled(graph: Graph, concat: Node, hs: Sequence[str]) -> Unrolled:
    """Return the Unrolled of one direction from its h of all steps, in time order."""
    moments = [_moment(graph, concat, h) for h in hs]
    alike = len({(moment.activation, moment.linear) for moment in moments}) == 1
    first = expect(graph, concat, affine(graph, moments[0].linear), NOT_STEPS)
    expect(graph, concat, alike and _in_order(graph, moments), NOT_STEPS)
    second = affine(graph, moments[0].loop)
    backwards = second is not None and second.xs == hs[1]
    chain = list(zip(hs, moments))[:: -1 if backwards else 1]
    return Unrolled(first, _loop(graph, concat, chain), moments[0].activation, backwards, len(hs))


def _moment(graph: Graph, concat: Node, h: str) -> Moment:
    """Return the Moment that makes h: an activation of a product plus one row of xs @ W_x + b_x."""
    node = expect(graph, concat, graph.makers.get(h), NOT_STEPS)
    expect(graph, concat, node.op_type in ACTIVATED, NOT_STEPS)
    total = expect(graph, concat, graph.makers.get(node.inputs[0]), NOT_STEPS)
    expect(graph, concat, total.op_type == "Add", NOT_STEPS)
    for loop, x in (total.inputs, total.inputs[::-1]):
        if (linear := moved_from(graph, x)) != x:
            return Moment(node.op_type, linear, x, loop)
    raise ExchangeError(f"{graph.path}: {concat.name}, a {concat.op_type}, {NOT_STEPS}")


def _in_order(graph: Graph, moments: Sequence[Moment]) -> bool:
    """Return whether moment t takes row t of xs @ W_x + b_x.

    The nodes are run on rows that contain their own numbers.
    """
    rows = np.arange(len(moments), dtype=np.float32)
    given = {moments[0].linear: rows[:, None, None]}
    found = try_to_evaluate(graph, [moment.x for moment in moments], given)
    return found is not None and np.array_equal([row.ravel() for row in found], rows[:, None])


def _loop(graph: Graph, concat: Node, chain: Sequence[tuple[str, Moment]]) -> Affine:
    """Return the Affine from each h to the next: the same for all, and zero before the first."""
    links = [affine(graph, moment.loop) for _, moment in chain[1:]]
    loops = [loop for loop, (h, _) in zip(links, chain) if loop is not None and loop.xs == h]
    whole = len(loops) == len(links)
    expect(graph, concat, whole and all(_same(loop, loops[0]) for loop in loops), NOT_STEPS)
    begin = chain[0][1].loop
    if begin in graph.arrays:  # 0 @ W_h + b_h, computed by the exporter
        array, b = graph.arrays[begin], loops[0].bias()
        zero = array.shape[-1:] == b.shape and np.array_equal(array, np.zeros_like(array) + b)
    else:
        first = affine(graph, begin)
        zero = first is not None and is_zero(graph, first.xs) and _same(first, loops[0])
    expect(graph, concat, zero, NOT_STEPS)
    return loops[0]


def _same(loop: Affine, other: Affine) -> bool:
    return np.array_equal(loop.W, other.W) and np.array_equal(loop.bias(), other.bias())


def _cell(part: Unrolled) -> Cell:
    return cell_of_kind(RNN, [part.activation])


def _arrays(found: Sequence[Unrolled]) -> dict[str, Array]:
    """Return the arrays of all directions by name."""
    leaves = [
        {"W_x": part.first.W, "W_h": part.loop.W, "b_x": part.first.bias(), "b_h": part.loop.bias()}
        for part in found
    ]
    return {
        f"{name} of direction {k}": array
        for k, each in enumerate(leaves)
        for name, array in each.items()
    }


def _shapes(found: Sequence[Unrolled]) -> dict[str, tuple[int, ...]]:
    """Return the shapes that they must have, by name."""
    D, H = found[0].first.W.shape
    shapes = {"W_x": (D, H), "W_h": (H, H), "b_x": (H,), "b_h": (H,)}
    return {
        f"{name} of direction {k}": shape
        for k in range(len(found))
        for name, shape in shapes.items()
    }


def _filler(found: Sequence[Unrolled], one_answer: bool) -> Callable[[Mapping[str, Array]], Any]:
    """Return the function from the arrays by name to the layer's Params."""

    def fill(arrays: Mapping[str, Array]) -> Any:
        leaves, count = [array.copy() for array in arrays.values()], len(found)
        params = [one_bias(_cell(part), *leaves[4 * k :][:4]) for k, part in enumerate(found)]
        params = [(part, ()) for part in params] if one_answer else params
        return params[0] if count == 1 else BidirectionalParams(*params)

    return fill
