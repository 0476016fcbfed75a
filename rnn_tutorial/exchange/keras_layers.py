"""How each kind of layer is converted to and from Keras: one entry of LAYERS for each; and what Keras has of our cells."""

from collections.abc import Callable
from typing import NamedTuple

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
from rnn_tutorial.layers.core import Dense, DenseParams, Recurrent
from rnn_tutorial.validation import check_array, check_fields

__all__ = [
    "Entry",
    "KNOWN",
    "Known",
    "LAYERS",
    "USUAL",
    "entry_of",
]


class Known(NamedTuple):
    """What Keras has of our cells."""

    cell: Cell
    there: str  # the gates from left to right, by our names
    rows: int  # of the bias: 2 if the biases beside x and beside h stand apart, else 1
    name: str  # of Keras's class
    settings: dict  # what such a layer says of itself


USUAL = {"activation": "tanh", "recurrent_activation": "sigmoid", "go_backwards": False}
KNOWN = (
    Known(Elman, "h", 1, "SimpleRNN", {"activation": "tanh", "go_backwards": False}),
    Known(elman(relu), "h", 1, "SimpleRNN", {"activation": "relu", "go_backwards": False}),
    Known(LSTM, "ifgo", 1, "LSTM", USUAL),
    Known(GRU, "zrn", 2, "GRU", USUAL | {"reset_after": True}),
    Known(GRUBefore, "zrn", 1, "GRU", USUAL | {"reset_after": False}),
)


class Entry(NamedTuple):
    """How one kind of layer is converted."""

    shapes: Callable  # layer -> the shapes of its weights by name, in Keras's order
    to_list: Callable  # (layer, params, split) -> the list of arrays; split makes two biases of one
    from_list: Callable  # (layer, arrays) -> its Params


def entry_of(layer):
    """Return the Entry of a layer. Raises: ExchangeError for a layer that Keras does not have, or one that is not converted."""
    if type(layer) not in LAYERS:
        raise ExchangeError(
            f"layer: expected {', '.join(kind.__name__ for kind in LAYERS)}, got {describe_layer(layer)}"
        )
    return LAYERS[type(layer)]


def _dense_shapes(layer):
    return {"kernel": (layer.input_size, layer.output_size), "bias": (layer.output_size,)}


def _dense_list(layer, params, split):
    check_fields("params", params, "W", "b")
    check_array("W", params.W, dtype=params.b.dtype, D=layer.input_size, K=layer.output_size)
    check_array("b", params.b, K=layer.output_size)
    return [params.W.copy(), params.b.copy()]


def _dense_params(layer, arrays):
    return DenseParams(*arrays)


def _recurrent_shapes(layer):
    D, H, known = layer.input_size, layer.hidden_size, _known(layer.cell)
    columns = len(known.there) * H
    bias = (columns,) if known.rows == 1 else (known.rows, columns)
    return {"kernel": (D, columns), "recurrent_kernel": (H, columns), "bias": bias}


def _recurrent_list(layer, params, split):
    known = _known(layer.cell)
    W_x, W_h, b_x, b_h = split(layer, params)
    bias = b_x if known.rows == 1 else np.stack([b_x, b_h])
    return [reorder_gates(leaf, layer.cell.gates, known.there) for leaf in (W_x, W_h, bias)]


def _recurrent_params(layer, arrays):
    known = _known(layer.cell)
    W_x, W_h, bias = (reorder_gates(array, known.there, layer.cell.gates) for array in arrays)
    b_x, b_h = (bias, np.zeros_like(bias)) if known.rows == 1 else bias
    return one_bias(layer.cell, W_x, W_h, b_x, b_h)


def _known(cell):
    """Return the Known of a cell. Raises: ExchangeError for one that Keras does not have."""
    known = find_alike(cell, KNOWN)
    if known is None:
        usual = "expected Elman with tanh or relu, or LSTM, GRU or GRUBefore with their usual activations"
        raise ExchangeError(f"cell: {usual}, got {describe(cell)}")
    return known


def _bidirectional_shapes(layer):
    halves = {"forward": layer.forwards, "backward": layer.backwards}
    return {
        f"{half} {name}": shape
        for half, part in halves.items()
        for name, shape in entry_of(part).shapes(part).items()
    }


def _bidirectional_list(layer, params, split):
    check_fields("params", params, "forwards", "backwards")
    halves = (layer.forwards, params.forwards), (layer.backwards, params.backwards)
    return [
        array for part, leaves in halves for array in entry_of(part).to_list(part, leaves, split)
    ]


def _bidirectional_params(layer, arrays):
    count = len(entry_of(layer.forwards).shapes(layer.forwards))
    halves = (layer.forwards, arrays[:count]), (layer.backwards, arrays[count:])
    return BidirectionalParams(*(entry_of(part).from_list(part, leaves) for part, leaves in halves))


LAYERS = {
    Recurrent: Entry(_recurrent_shapes, _recurrent_list, _recurrent_params),
    Bidirectional: Entry(_bidirectional_shapes, _bidirectional_list, _bidirectional_params),
    Dense: Entry(_dense_shapes, _dense_list, _dense_params),
}
