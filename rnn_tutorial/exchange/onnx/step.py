"""What the readers of an ONNX graph share: the Step that each returns, refusals, and the product with a matrix."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from rnn_tutorial.exchange.layout import ExchangeError

__all__ = [
    "Affine",
    "Step",
    "affine",
    "any_sizes",
    "expect",
    "no_parameters",
]


def no_parameters(arrays):
    """Return (), the parameters of a layer that has none."""
    return ()


def any_sizes(T, B):
    """Accept any number of steps and sequences."""


class Step(NamedTuple):
    """One layer found in the graph, or a node that is none."""

    name: str
    xs: str  # the tensor that goes in
    layer: Any = None  # None where nothing is computed
    arrays: dict = {}
    shapes: dict = {}  # by name, those that the arrays must have
    example: np.ndarray | None = (
        None  # what the layer takes at one step of one sequence, None if anything will do
    )
    fill: Callable = no_parameters  # from the dict of arrays to the layer's Params
    lengths: str | None = (
        None  # the tensor of lengths, "" where it is left out, None if the layer asks for none
    )
    time: int | None = None  # the axis along which the layer reads, None if it does not matter
    swaps: int = 0  # 1 where time and batch change places
    check: Callable = any_sizes  # (T, B) -> None, or raises ExchangeError if the nodes mean something else at these sizes


class Affine(NamedTuple):
    """xs @ W + b, found in the graph."""

    xs: str
    W: np.ndarray  # (D, K)
    b: np.ndarray | None  # (K,), None where none is added

    def bias(self):
        """Return b, or the zeros that stand for one left out."""
        return np.zeros(self.W.shape[1], self.W.dtype) if self.b is None else self.b


def expect(graph, node, holds, words):
    """Raise ExchangeError, naming the node, unless `holds` is true."""
    if not holds:
        raise ExchangeError(f"{graph.path}: {node.name}, a {node.op_type}, {words}")


def affine(graph, name):
    """Return the Affine that makes the tensor `name`: MatMul, Add after MatMul, or Gemm; None if another node makes it."""
    node = graph.makers.get(name)
    reader = {"MatMul": _product, "Add": _sum, "Gemm": _gemm}.get(getattr(node, "op_type", None))
    return None if reader is None else reader(graph, node)


def _product(graph, node):
    """Return the Affine of a MatMul by a matrix of the file, or None."""
    xs, W = node.inputs
    return (
        Affine(xs, graph.arrays[W], None)
        if np.ndim(graph.arrays.get(W)) == 2 and xs not in graph.arrays
        else None
    )


def _sum(graph, node):
    """Return the Affine of an Add after a MatMul, or None."""
    for product, b in (node.inputs, node.inputs[::-1]):
        maker = graph.makers.get(product)
        if b in graph.arrays and maker is not None and maker.op_type == "MatMul":
            found = _product(graph, maker)
            return found and found._replace(b=graph.arrays[b])
    return None


def _gemm(graph, node):
    """Return the Affine of a Gemm that adds b itself to the product itself, or None if its matrix is not in the file."""
    xs, W, b = [*node.inputs, ""][:3]
    usual = {"alpha": 1.0, "beta": 1.0, "transA": 0}
    expect(
        graph,
        node,
        all(node.attributes.get(key, value) == value for key, value in usual.items()),
        "is no x W + b",
    )
    if np.ndim(graph.arrays.get(W)) != 2 or (b and b not in graph.arrays):
        return None
    W = graph.arrays[W]
    return Affine(xs, W.T if node.attributes.get("transB") else W, graph.arrays.get(b))
