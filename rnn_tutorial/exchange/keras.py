"""To and from the weight lists of Keras layers: SimpleRNN, LSTM, GRU with both settings of reset_after, Bidirectional, Dense.

    here                              there, in the order of get_weights()
    W_x (D, G*H), W_h (H, G*H), b     kernel, recurrent_kernel, bias: the same shapes, x W in both
    LSTM gates i, f, o, g             i, f, g, o, where g is called c
    GRU gates r, z, n                 z, r, n, where n is called h
    GRU: b and b_hn                   one bias (2, 3H): the first row joins x W, the second h W (reset_after=True)
    GRUBefore: W_h and W_hn           recurrent_kernel (H, 3H), bias (3H,) (reset_after=False)
    Bidirectional                     the list of the forward layer, then that of the backward layer

On padding Keras repeats its last output where ours is zero, unless its layer has zero_output_for_mask=True.

A Keras layer is one of ours, so these functions take a layer and not a model. Everything is moved and nothing computed, so there
and back is exact, but for a GRU from there: the biases of r and z in its second row are added to the first.
"""

import numpy as np

from rnn_tutorial.cells.elman import Elman, ElmanParams
from rnn_tutorial.cells.gru import GRU, GRUParams
from rnn_tutorial.cells.gru_before import GRUBefore, GRUBeforeParams
from rnn_tutorial.cells.lstm import LSTM, LSTMParams
from rnn_tutorial.directions import Bidirectional, BidirectionalParams
from rnn_tutorial.exchange.layout import (
    ExchangeError,
    describe_layer,
    differences,
    kind_of,
    one_bias,
    refuse,
    reorder_gates,
    two_biases,
)
from rnn_tutorial.layers import Dense, DenseParams, Recurrent
from rnn_tutorial.validation import check_array, check_fields

HERE = {Elman: "h", LSTM: "ifog", GRU: "rzn", GRUBefore: "rzn"}
THERE = {Elman: "h", LSTM: "ifgo", GRU: "zrn", GRUBefore: "zrn"}
PARAMS = {Elman: ElmanParams, LSTM: LSTMParams, GRU: GRUParams, GRUBefore: GRUBeforeParams}


def to_keras(layer, params):
    """Return the list of arrays for `set_weights` of the Keras layer that computes what `layer` computes.

    layer: `Recurrent` of Elman (SimpleRNN, with activation="relu" if it is), LSTM, GRU (reset_after=True) or GRUBefore
    (reset_after=False), `Bidirectional` of two of them, whatever its merge, or `Dense`. The arrays are copies.

    Errors: ExchangeError for any other layer, or a cell with other activations; ValueError or TypeError for parameters that are
    not those of the layer.
    """
    if isinstance(layer, Bidirectional):
        return to_keras(layer.forwards, params.forwards) + to_keras(layer.backwards, params.backwards)
    if isinstance(layer, Dense):
        check_fields("params", params, "W", "b")
        check_array("W", params.W, dtype=params.b.dtype, D=layer.input_size, K=layer.output_size)
        check_array("b", params.b, K=layer.output_size)
        return [params.W.copy(), params.b.copy()]
    kind = _kind(layer)
    W_x, W_h, b_x, b_h = two_biases(layer, params)
    bias = np.stack([b_x, b_h]) if kind is GRU else b_x
    return [reorder_gates(leaf, HERE[kind], THERE[kind]) for leaf in (W_x, W_h, bias)]


def from_keras(layer, weights):
    """Return the parameters of `layer` from what `get_weights` of the Keras layer returned; the arrays are copies.

    layer: the recipe to be filled, as `to_keras` takes it, which says the cell and the sizes. Errors: ExchangeError listing the
    weights that are missing or surplus, or of another shape.
    """
    shapes = _shapes(layer)
    spare = [f"weight {k}" for k in range(len(shapes), len(weights))]
    arrays = {name: np.asarray(array).copy() for name, array in zip([*shapes, *spare], weights)}
    refuse("list of weights", differences(arrays, shapes))
    return _fill(layer, list(arrays.values()))


def _fill(layer, arrays):
    """Return the parameters of `layer` from arrays that fit."""
    if isinstance(layer, Bidirectional):
        forwards = len(_shapes(layer.forwards))
        return BidirectionalParams(_fill(layer.forwards, arrays[:forwards]), _fill(layer.backwards, arrays[forwards:]))
    if isinstance(layer, Dense):
        return DenseParams(*arrays)
    kind = _kind(layer)
    W_x, W_h, bias = (reorder_gates(array, THERE[kind], HERE[kind]) for array in arrays)
    b_x, b_h = bias if kind is GRU else (bias, np.zeros_like(bias))
    return one_bias(PARAMS[kind], W_x, W_h, b_x, b_h)


def _shapes(layer):
    """Return the shapes by name of the weights of the Keras layer, in its order."""
    if isinstance(layer, Bidirectional):
        halves = {"forward": layer.forwards, "backward": layer.backwards}
        return {f"{half} {name}": shape for half, part in halves.items() for name, shape in _shapes(part).items()}
    if isinstance(layer, Dense):
        return {"kernel": (layer.input_size, layer.output_size), "bias": (layer.output_size,)}
    kind, D, H = _kind(layer), layer.input_size, layer.hidden_size
    columns = len(HERE[kind]) * H
    bias = (2, columns) if kind is GRU else (columns,)
    return {"kernel": (D, columns), "recurrent_kernel": (H, columns), "bias": bias}


def _kind(layer):
    """Return Elman, LSTM, GRU or GRUBefore, or refuse another layer."""
    if isinstance(layer, Recurrent):
        return kind_of(layer.cell)
    raise ExchangeError(f"layer: expected Recurrent, Bidirectional or Dense, got {describe_layer(layer)}")
