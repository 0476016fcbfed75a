"""What the readers of an ONNX graph share: the Step that they return, errors, matrix products."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

import numpy as np

from rnn_tutorial.exchange.layout import ExchangeError
from rnn_tutorial.exchange.onnx.graph import Graph, Node
from rnn_tutorial.types import Array

__all__ = [
    "Affine",
    "Step",
    "affine",
    "expect",
]

Found = TypeVar("Found")


def _no_parameters(arrays: Mapping[str, Array]) -> tuple[()]:
    """Return (), the parameters of a layer that has none."""
    return ()


def _any_sizes(T: int, B: int) -> None:
    """Accept any number of steps and sequences."""


class Step(NamedTuple):
    """One layer found in the graph, or a node that is not a layer."""

    name: str
    xs: str  # the tensor that goes in
    layer: Any = None  # None for a node that is not a layer
    arrays: dict[str, Array] = {}
    shapes: dict[str, tuple[int, ...]] = {}  # the shapes that the arrays must have
    example: Array | None = None  # xs (1, 1, ...) of the layer; None if it takes any
    fill: Callable[[Any], Any] = _no_parameters  # arrays by name -> the layer's Params
    lengths: str | None = None  # the tensor of lengths, "" without one; None if it does not matter
    time: int | None = None  # the axis along which the layer reads; None if it does not matter
    swaps: int = 0  # 1 where time and batch change places
    one_answer: bool = False  # whether each sequence has one output, without an axis of time
    check: Callable[[int, int], object] = _any_sizes  # (T, B); raises ExchangeError if wrong there


class Affine(NamedTuple):
    """xs @ W + b, found in the graph."""

    xs: str
    W: Array  # (D, K)
    b: Array | None  # (K,), None where none is added

    def bias(self) -> Array:
        """Return b, or zeros where no bias is added."""
        return np.zeros(self.W.shape[1], self.W.dtype) if self.b is None else self.b


def expect(graph: Graph, node: Node, found: Found | None, words: str) -> Found:
    """Return `found`.

    Raises: ExchangeError, with the name of the node, unless `found` is true.
    """
    if not found:
        raise ExchangeError(f"{graph.path}: {node.name}, a {node.op_type}, {words}")
    return found


def affine(graph: Graph, name: str) -> Affine | None:
    """Return the Affine that makes the tensor `name`, or None if another node makes it.

    The node is MatMul, Add after MatMul, or Gemm.
    """
    node = graph.makers.get(name)
    if node is None or node.op_type not in AFFINE:
        return None
    return AFFINE[node.op_type](graph, node)


def _product(graph: Graph, node: Node) -> Affine | None:
    """Return the Affine of a MatMul by a matrix of the file, or None."""
    xs, W = node.inputs
    if not _is_matrix(graph, W) or xs in graph.arrays:
        return None
    return Affine(xs, graph.arrays[W], None)


def _sum(graph: Graph, node: Node) -> Affine | None:
    """Return the Affine of an Add after a MatMul, or None."""
    for product, b in (node.inputs, node.inputs[::-1]):
        maker = graph.makers.get(product)
        if b in graph.arrays and maker is not None and maker.op_type == "MatMul":
            found = _product(graph, maker)
            return None if found is None else found._replace(b=graph.arrays[b])
    return None


def _gemm(graph: Graph, node: Node) -> Affine | None:
    """Return the Affine of a Gemm, or None if its matrix is not in the file.

    Raises: ExchangeError for a Gemm that scales or transposes what it adds or multiplies.
    """
    xs, W, b = [*node.inputs, ""][:3]
    usual = {"alpha": 1.0, "beta": 1.0, "transA": 0}
    plain = all(node.attributes.get(key, value) == value for key, value in usual.items())
    expect(graph, node, plain, "is no x W + b")
    if not _is_matrix(graph, W) or (b and b not in graph.arrays):
        return None
    matrix = graph.arrays[W].T if node.attributes.get("transB") else graph.arrays[W]
    return Affine(xs, matrix, graph.arrays.get(b))


def _is_matrix(graph: Graph, name: str) -> bool:
    return name in graph.arrays and graph.arrays[name].ndim == 2


AFFINE: dict[str, Callable[[Graph, Node], Affine | None]] = {
    "MatMul": _product,
    "Add": _sum,
    "Gemm": _gemm,
}
