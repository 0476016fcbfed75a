"""An `Attention` as nodes of an ONNX graph: from queries and memory to ys = [queries; contexts].

    dot, scaled_dot, general      MatMul of the queries and the memory turned, and Div or MatMul
                                  before it
    additive                      MatMul, Add, Tanh, MatMul
    all of them                   Softmax, MatMul by the memory, Concat

The inputs are queries (T, B, H) and memory (S, B, M), for any T, S and B. With lengths there is a
third, lengths (B,) of int32, each from 1 to S: the steps of the memory after it have the weight 0.

Opset 23 has an operator Attention. It is defined as these nodes, for the scores that are products,
in float32 alone in onnxruntime (1.32). The nodes are in all opsets since 14, for every score.
onnxruntime runs them in float64 too. dot and scaled_dot have no weights, so no dtype either: they
are written in float32. Files of an Attention are written and not read.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from rnn_tutorial.exchange.layout import ExchangeError, library
from rnn_tutorial.exchange.onnx.write import graph_of, node_of, one_dtype, tensor_info
from rnn_tutorial.layers.attention import Attention
from rnn_tutorial.layers.scores import additive, dot, general, scaled_dot
from rnn_tutorial.types import Array
from rnn_tutorial.validation import check_fields

__all__ = [
    "attention_graph",
]

Written = tuple[list[Any], dict[str, Array]]  # nodes, and arrays by name


def attention_graph(attention: Attention, params: Any, lengths: bool) -> Any:
    """Return the graph of an Attention.

    The nodes have the sequences first: queries (B, T, H), memory (B, S, M), scores (B, T, S).

    Raises: ExchangeError for a score of your own, and for arrays that are not all of float32 or all
    of float64; ValueError or TypeError for parameters that are not those of the attention.
    """
    H, M, score = attention.query_size, attention.memory_size, attention.score
    if score.f not in SCORES_THERE:
        wanted = "dot, scaled_dot, general and additive"
        raise ExchangeError(f"score: {wanted} have nodes in ONNX here, got {score}")
    check_fields("params", params, "score")
    dtype = one_dtype(params.score) if score.init is not dot.init else "float32"
    example = np.zeros((1, 1, H), dtype), np.zeros((1, 1, M), dtype)
    attention.forward(params, *example)  # raises unless the parameters fit
    nodes = [
        node_of("Transpose", ["queries"], "q", perm=[1, 0, 2]),
        node_of("Transpose", ["memory"], "m", perm=[1, 0, 2]),
        node_of("Transpose", ["memory"], "keys", perm=[1, 2, 0]),
    ]
    more, arrays = SCORES_THERE[score.f](H, params.score)
    nodes += more
    if lengths:
        nodes += [
            node_of("Shape", ["memory"], "sizes"),
            node_of("Gather", ["sizes", "zero"], "S"),
            node_of("Range", ["zero", "S", "one"], "steps"),
            node_of("Cast", ["lengths"], "long_lengths", to=library("onnx").TensorProto.INT64),
            node_of("Unsqueeze", ["long_lengths", "last_axes"], "ends"),
            node_of("Less", ["steps", "ends"], "real"),
            node_of("Where", ["real", "scores", "never"], "real_scores"),
        ]
        arrays |= {
            "zero": np.array(0, np.int64),
            "one": np.array(1, np.int64),
            "last_axes": np.array([1, 2], np.int64),
            "never": np.array(-np.inf, dtype),
        }
    nodes += [
        node_of("Softmax", ["real_scores" if lengths else "scores"], "weights", axis=-1),
        node_of("MatMul", ["weights", "m"], "means"),
        node_of("Transpose", ["means"], "contexts", perm=[1, 0, 2]),
        node_of("Concat", ["queries", "contexts"], "ys", axis=-1),
    ]
    inputs = [
        tensor_info("queries", dtype, "T", "B", H),
        tensor_info("memory", dtype, "S", "B", M),
    ]
    inputs += [tensor_info("lengths", np.int32, "B")] if lengths else []
    return graph_of(nodes, arrays, inputs, [tensor_info("ys", dtype, "T", "B", H + M)])


def _dot(H: int, params: Any) -> Written:
    return [node_of("MatMul", ["q", "keys"], "scores")], {}


def _scaled_dot(H: int, params: Any) -> Written:
    nodes = [
        node_of("MatMul", ["q", "keys"], "products"),
        node_of("Div", ["products", "root"], "scores"),
    ]
    return nodes, {"root": np.array(H**0.5, np.float32)}


def _general(H: int, params: Any) -> Written:
    nodes = [node_of("MatMul", ["q", "W"], "qW"), node_of("MatMul", ["qW", "keys"], "scores")]
    return nodes, {"W": params.W}


def _additive(H: int, params: Any) -> Written:
    nodes = [
        node_of("MatMul", ["q", "W_q"], "qW"),
        node_of("MatMul", ["m", "W_m"], "mW"),
        node_of("Add", ["mW", "b"], "mWb"),
        node_of("Unsqueeze", ["qW", "axis_of_S"], "of_q"),  # (B, T, 1, A)
        node_of("Unsqueeze", ["mWb", "axis_of_T"], "of_m"),  # (B, 1, S, A)
        node_of("Add", ["of_q", "of_m"], "a"),
        node_of("Tanh", ["a"], "fits"),
        node_of("MatMul", ["fits", "v"], "scores"),
    ]
    axes = {"axis_of_S": np.array([2], np.int64), "axis_of_T": np.array([1], np.int64)}
    return nodes, {**params._asdict(), **axes}


SCORES_THERE: dict[Any, Callable[[int, Any], Written]] = {
    dot.f: _dot,
    scaled_dot.f: _scaled_dot,
    general.f: _general,
    additive(1).f: _additive,
}
