"""A recurrent network that its exporter has unrolled: no node RNN, but the nodes of every step, one after another.

This is what PyTorch's default exporter makes of torch.nn.RNN, for the one number of steps that it was shown:

    linear = xs @ W_x + b_x
    h[t] = tanh(h[t-1] @ W_h + b_h + linear[t])         or relu; h[-1] is zero, and then the product is computed beforehand
    hs = Concat(h[0], h[1], ...)                        in time order, also where the steps are taken from the last to the first

and hs of two directions are put side by side by another Concat.
"""

from typing import NamedTuple

import numpy as np

from rnn_tutorial.exchange.layout import ExchangeError, one_bias
from rnn_tutorial.exchange.onnx.graph import moved_from, try_to_evaluate
from rnn_tutorial.exchange.onnx.nodes import cell_of_kind, kind_of_node
from rnn_tutorial.exchange.onnx.recurrent import is_zero
from rnn_tutorial.exchange.onnx.step import Affine, Step, affine, expect
from rnn_tutorial.layers.bidirectional import Bidirectional, BidirectionalParams, Reversed
from rnn_tutorial.layers.core import Recurrent

__all__ = [
    "Moment",
    "NOT_STEPS",
    "SIDE_BY_SIDE",
    "Unrolled",
    "unrolled_step",
]

SIDE_BY_SIDE = 2, -1
NOT_STEPS = "does not put together the steps of one network h = tanh(h W_h + b_h + xs W_x + b_x), or relu, from zero"


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


def unrolled_step(graph, concat):
    """Return the Step of the nodes of all steps, of one direction or two, that `concat` puts together.

    Raises: ExchangeError if they are anything else.
    """
    both = concat.attributes.get("axis") in SIDE_BY_SIDE
    parts = [graph.makers.get(name) for name in concat.inputs] if both else [concat]
    expect(graph, concat, all(part is not None and _joins_steps(part) for part in parts), NOT_STEPS)
    found = [_unrolled(graph, part) for part in parts]
    backwards = tuple(part.backwards for part in found)
    turn = {(False,): lambda layer: layer, (True,): Reversed, (False, True): Bidirectional}.get(
        backwards
    )
    same_xs = len({part.first.xs for part in found}) == 1
    expect(graph, concat, turn is not None and same_xs, NOT_STEPS)
    layer = turn(*(Recurrent(_cell(part), *part.first.W.shape) for part in found))

    def check(T, B):
        steps = found[0].steps
        expect(
            graph,
            concat,
            T == steps,
            f"holds the network for {steps} steps, and the file takes another number, or any",
        )

    first, arrays, shapes = found[0].first, _arrays(found), _shapes(found)
    example = np.zeros((1, 1, len(first.W)), first.W.dtype)
    return Step(
        concat.name,
        first.xs,
        layer,
        arrays,
        shapes,
        example,
        _filler(found),
        "",
        time=0,
        check=check,
    )


def _joins_steps(node):
    return node.op_type == "Concat" and node.attributes.get("axis") == 0 and len(node.inputs) > 1


def _unrolled(graph, concat):
    """Return the Unrolled of one direction."""
    hs = concat.inputs
    moments = [_moment(graph, concat, h) for h in hs]
    alike = len({(moment.activation, moment.linear) for moment in moments}) == 1
    first = affine(graph, moments[0].linear)
    expect(graph, concat, alike and first and _in_order(graph, moments), NOT_STEPS)
    second = affine(graph, moments[0].loop)
    backwards = second is not None and second.xs == hs[1]
    chain = list(zip(hs, moments))[:: -1 if backwards else 1]
    return Unrolled(first, _loop(graph, concat, chain), moments[0].activation, backwards, len(hs))


def _moment(graph, concat, h):
    """Return the Moment that makes h: an activation of the sum of a product and of one row of all the xs @ W_x + b_x."""
    node = graph.makers.get(h)
    expect(graph, concat, node is not None and node.op_type in ("Tanh", "Relu"), NOT_STEPS)
    total = graph.makers.get(node.inputs[0])
    expect(graph, concat, total is not None and total.op_type == "Add", NOT_STEPS)
    for loop, x in (total.inputs, total.inputs[::-1]):
        if (linear := moved_from(graph, x)) != x:
            return Moment(node.op_type, linear, x, loop)
    raise ExchangeError(f"{graph.path}: {concat.name}, a {concat.op_type}, {NOT_STEPS}")


def _in_order(graph, moments):
    """Return whether moment t takes row t of xs @ W_x + b_x, as the nodes do with rows that hold their own numbers."""
    rows = np.arange(len(moments), dtype=np.float32)
    found = try_to_evaluate(
        graph, [moment.x for moment in moments], {moments[0].linear: rows[:, None, None]}
    )
    return found is not None and np.array_equal([row.ravel() for row in found], rows[:, None])


def _loop(graph, concat, chain):
    """Return the Affine that leads from each h to the next, the same for all, and begins from zero."""
    loops = [affine(graph, moment.loop) for _, moment in chain[1:]]
    whole = all(loop is not None and loop.xs == h for loop, (h, _) in zip(loops, chain))
    expect(graph, concat, whole and all(_same(loop, loops[0]) for loop in loops), NOT_STEPS)
    begin = chain[0][1].loop
    if begin in graph.arrays:  # 0 @ W_h + b_h, computed beforehand
        array, b = graph.arrays[begin], loops[0].bias()
        zero = array.shape[-1:] == b.shape and np.array_equal(array, np.zeros_like(array) + b)
    else:
        first = affine(graph, begin)
        zero = first is not None and is_zero(graph, first.xs) and _same(first, loops[0])
    expect(graph, concat, zero, NOT_STEPS)
    return loops[0]


def _same(loop, other):
    return np.array_equal(loop.W, other.W) and np.array_equal(loop.bias(), other.bias())


def _cell(part):
    return cell_of_kind(kind_of_node("RNN", {}, False), [part.activation])


def _arrays(found):
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


def _shapes(found):
    """Return the shapes by name that they must have."""
    D, H = found[0].first.W.shape
    shapes = {"W_x": (D, H), "W_h": (H, H), "b_x": (H,), "b_h": (H,)}
    return {
        f"{name} of direction {k}": shape
        for k in range(len(found))
        for name, shape in shapes.items()
    }


def _filler(found):
    """Return the function from the dict of arrays to the layer's Params."""

    def fill(arrays):
        leaves, count = [array.copy() for array in arrays.values()], len(found)
        params = [one_bias(_cell(part), *leaves[4 * k :][:4]) for k, part in enumerate(found)]
        return params[0] if count == 1 else BidirectionalParams(*params)

    return fill
