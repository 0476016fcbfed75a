"""How each kind of layer is converted to and from Keras, and which of our cells Keras has.

LAYERS has one entry for each kind of layer.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from rnn_tutorial.activations import relu
from rnn_tutorial.cells.cell import Cell
from rnn_tutorial.cells.elman import Elman, elman
from rnn_tutorial.cells.gru import GRU
from rnn_tutorial.cells.gru_before import GRUBefore
from rnn_tutorial.cells.lstm import LSTM
from rnn_tutorial.exchange.layout import (
    ExchangeError,
    describe,
    describe_layer,
    find_alike,
    one_bias,
    reorder_gates,
)
from rnn_tutorial.layers.bidirectional import Bidirectional, BidirectionalParams
from rnn_tutorial.layers.core import Dense, DenseParams, Embedding, EmbeddingParams, Recurrent
from rnn_tutorial.layers.layer import Layer
from rnn_tutorial.types import Array
from rnn_tutorial.validation import check_array, check_fields

__all__ = [
    "KNOWN",
    "entry_of",
    "gates_there",
]

Shapes = dict[str, tuple[int, ...]]


class Known(NamedTuple):
    """A cell that Keras has too."""

    cell: Cell
    there: str  # Keras's gates from left to right, by our names
    rows: int  # of the bias: 2 if the biases of the two products are separate, else 1
    name: str  # of Keras's class
    settings: dict[str, object]  # the attributes of such a layer


USUAL: dict[str, object] = {
    "activation": "tanh",
    "recurrent_activation": "sigmoid",
    "go_backwards": False,
}
KNOWN = (
    Known(Elman, "h", 1, "SimpleRNN", {"activation": "tanh", "go_backwards": False}),
    Known(elman(relu), "h", 1, "SimpleRNN", {"activation": "relu", "go_backwards": False}),
    Known(LSTM, "ifgo", 1, "LSTM", USUAL),
    Known(GRU, "zrn", 2, "GRU", USUAL | {"reset_after": True}),
    Known(GRUBefore, "zrn", 1, "GRU", USUAL | {"reset_after": False}),
)


class Entry(NamedTuple):
    """How one kind of layer is converted; `split` is `two_biases` or `two_bias_gradients`."""

    shapes: Callable[[Any], Shapes]  # layer -> the shapes of its weights, in Keras's order
    to_list: Callable[[Any, Any, Callable], list[Array]]  # (layer, params, split) -> arrays
    from_list: Callable[[Any, Sequence[Array]], Any]  # (layer, arrays) -> its Params


def gates_there(cell: Cell) -> str:
    """Return our names of the gates of a cell in Keras's order, such as "ifgo".

    Raises: ExchangeError for a cell that Keras does not have.
    """
    return _known(cell).there


def entry_of(layer: Layer) -> Entry:
    """Return the Entry of a layer.

    Raises: ExchangeError for a layer that Keras does not have, or that is not converted.
    """
    if type(layer) not in LAYERS:
        wanted = ", ".join(kind.__name__ for kind in LAYERS)
        raise ExchangeError(f"layer: expected {wanted}, got {describe_layer(layer)}")
    return LAYERS[type(layer)]


def _dense_shapes(layer: Dense) -> Shapes:
    return {"kernel": (layer.input_size, layer.output_size), "bias": (layer.output_size,)}


def _dense_list(layer: Dense, params: Any, split: Callable) -> list[Array]:
    check_fields("params", params, "W", "b")
    check_array("W", params.W, dtype=params.b.dtype, D=layer.input_size, K=layer.output_size)
    check_array("b", params.b, K=layer.output_size)
    return [params.W.copy(), params.b.copy()]


def _dense_params(layer: Dense, arrays: Sequence[Array]) -> DenseParams:
    return DenseParams(*arrays)


def _embedding_shapes(layer: Embedding) -> Shapes:
    return {"embeddings": (layer.vocabulary_size, layer.output_size)}


def _embedding_list(layer: Embedding, params: Any, split: Callable) -> list[Array]:
    check_fields("params", params, "E")
    check_array("E", params.E, V=layer.vocabulary_size, N=layer.output_size)
    return [params.E.copy()]


def _embedding_params(layer: Embedding, arrays: Sequence[Array]) -> EmbeddingParams:
    return EmbeddingParams(*arrays)


def _recurrent_shapes(layer: Recurrent) -> Shapes:
    D, H, known = layer.input_size, layer.hidden_size, _known(layer.cell)
    columns = len(known.there) * H
    bias = (columns,) if known.rows == 1 else (known.rows, columns)
    return {"kernel": (D, columns), "recurrent_kernel": (H, columns), "bias": bias}


def _recurrent_list(layer: Recurrent, params: Any, split: Callable) -> list[Array]:
    known = _known(layer.cell)
    W_x, W_h, b_x, b_h = split(layer, params)
    bias = b_x if known.rows == 1 else np.stack([b_x, b_h])
    return [reorder_gates(leaf, layer.cell.gates, known.there) for leaf in (W_x, W_h, bias)]


def _recurrent_params(layer: Recurrent, arrays: Sequence[Array]) -> Any:
    known = _known(layer.cell)
    W_x, W_h, bias = (reorder_gates(array, known.there, layer.cell.gates) for array in arrays)
    b_x, b_h = (bias, np.zeros_like(bias)) if known.rows == 1 else bias
    return one_bias(layer.cell, W_x, W_h, b_x, b_h)


def _known(cell: Cell) -> Known:
    """Return the Known of a cell.

    Raises: ExchangeError for a cell that Keras does not have.
    """
    known = find_alike(cell, KNOWN)
    if known is None:
        raise ExchangeError(
            "cell: expected Elman with tanh or relu, or LSTM, GRU or GRUBefore with their usual "
            f"activations, got {describe(cell)}"
        )
    return known


def _bidirectional_shapes(layer: Bidirectional) -> Shapes:
    halves = {"forward": layer.forwards, "backward": layer.backwards}
    return {
        f"{half} {name}": shape
        for half, part in halves.items()
        for name, shape in entry_of(part).shapes(part).items()
    }


def _bidirectional_list(layer: Bidirectional, params: Any, split: Callable) -> list[Array]:
    check_fields("params", params, "forwards", "backwards")
    halves = (layer.forwards, params.forwards), (layer.backwards, params.backwards)
    return [
        array for part, leaves in halves for array in entry_of(part).to_list(part, leaves, split)
    ]


def _bidirectional_params(layer: Bidirectional, arrays: Sequence[Array]) -> BidirectionalParams:
    count = len(entry_of(layer.forwards).shapes(layer.forwards))
    halves = (layer.forwards, arrays[:count]), (layer.backwards, arrays[count:])
    return BidirectionalParams(*(entry_of(part).from_list(part, leaves) for part, leaves in halves))


LAYERS: dict[type, Entry] = {
    Recurrent: Entry(_recurrent_shapes, _recurrent_list, _recurrent_params),
    Bidirectional: Entry(_bidirectional_shapes, _bidirectional_list, _bidirectional_params),
    Dense: Entry(_dense_shapes, _dense_list, _dense_params),
    Embedding: Entry(_embedding_shapes, _embedding_list, _embedding_params),
}
