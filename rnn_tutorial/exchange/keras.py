"""To and from the weight lists of Keras layers: SimpleRNN, LSTM, GRU with both settings of reset_after, Bidirectional, Dense.

    here                              there, in the order of get_weights()
    W_x (D, G*H), W_h (H, G*H), b     kernel, recurrent_kernel, bias: the same shapes, x W in both
    LSTM gates i, f, o, g             i, f, g, o, where g is called c
    GRU gates r, z, n                 z, r, n, where n is called h
    GRU: b and b_hn                   one bias (2, 3H): the first row joins x W, the second h W (reset_after=True)
    GRUBefore: W_h and W_hn           recurrent_kernel (H, 3H), bias (3H,) (reset_after=False)
    Bidirectional                     the list of the forward layer, then that of the backward layer

    to_keras, from_keras              weights: ours, and the list
    from_keras_layer                  weights and our layer: from a Keras layer itself
    gradients_to_keras                gradients: in the order of the weights that they belong to

On padding Keras repeats its last output where ours is zero, unless its layer has zero_output_for_mask=True.

A Keras layer is one of ours, so these functions take a layer and not a model. Everything is moved and nothing computed, so there
and back is exact, but for a GRU from there: the biases of r and z in its second row are added to the first. A layer with
use_bias=False has biases of zero here.
"""

import numpy as np

from rnn_tutorial.exchange.keras_layers import KNOWN, entry_of
from rnn_tutorial.exchange.layout import (
    ExchangeError,
    arrays_of,
    differences,
    refuse,
    two_bias_gradients,
    two_biases,
)
from rnn_tutorial.layers.bidirectional import Bidirectional
from rnn_tutorial.layers.core import Dense, Recurrent
from rnn_tutorial.layers.merge import add, average, concat, multiply

__all__ = [
    "MERGE_MODES",
    "READERS",
    "RECURRENT",
    "from_keras",
    "from_keras_layer",
    "gradients_to_keras",
    "to_keras",
]

MERGE_MODES = {"concat": concat, "sum": add, "ave": average, "mul": multiply}


def to_keras(layer, params):
    """Return the list of arrays for `set_weights` of the Keras layer that computes what `layer` computes.

    layer: `Recurrent` of Elman (SimpleRNN, with activation="relu" if it is), LSTM, GRU (reset_after=True) or GRUBefore
    (reset_after=False), `Bidirectional` of two of them, whatever its merge, or `Dense`. The arrays are copies.

    For weights: gradients have another second bias, see `gradients_to_keras`.

    Raises: ExchangeError for any other layer, or a cell with other activations; ValueError or TypeError for parameters that are
    not those of the layer.
    """
    return entry_of(layer).to_list(layer, params, two_biases)


def gradients_to_keras(layer, dparams):
    """Return the gradients of the Keras layer's weights, in their order, from the gradients of ours.

    As `to_keras`, but the second row of a GRU's bias has the gradients of the first for r and z, for they are added.

    Raises: as `to_keras`.
    """
    return entry_of(layer).to_list(layer, dparams, two_bias_gradients)


def from_keras(layer, weights):
    """Return the parameters of `layer` from what `get_weights` of the Keras layer returned; the arrays are copies.

    layer: the recipe to be filled, as `to_keras` takes it, which says the cell and the sizes. A list of weights does not say its
    activations: that of a SimpleRNN with relu, or of an LSTM with recurrent_activation="hard_sigmoid", has the shapes of the
    usual one, and fills the usual one without a word. If you have the Keras layer, `from_keras_layer` knows.

    A list without any bias is that of use_bias=False: the biases are zero here.

    Raises: ExchangeError listing the weights that are missing or surplus, or of another shape, or hold other numbers than
    float16, float32 or float64. TypeError for weights that are not a list of arrays.
    """
    shapes = entry_of(layer).shapes(layer)
    if not isinstance(weights, (list, tuple)):
        hint = (
            "; from_keras_layer takes the layer itself" if hasattr(weights, "get_weights") else ""
        )
        raise TypeError(
            f"weights: expected a list of arrays, as get_weights() gives, got {type(weights).__name__}{hint}"
        )
    biased = {name: shape for name, shape in shapes.items() if not name.endswith("bias")}
    names = biased if len(weights) == len(biased) else shapes
    spare = [f"weight {k}" for k in range(len(names), len(weights))]
    arrays = arrays_of("list of weights", dict(zip([*names, *spare], weights)))
    if names is biased and not differences(arrays, biased):
        arrays |= {
            name: np.zeros(shape, weights[0].dtype)
            for name, shape in shapes.items()
            if name not in biased
        }
    refuse("list of weights", differences(arrays, shapes))
    return entry_of(layer).from_list(layer, [arrays[name] for name in shapes])


def from_keras_layer(keras_layer):
    """Return (layer, params): our layer that computes what a Keras layer computes, and its weights, as copies.

    keras_layer: SimpleRNN, LSTM, GRU, Dense without an activation, or Bidirectional of two of the first three, once it is built.
    It knows its activations, so that none is taken for another. Ours takes time first, gives the outputs of all steps, whatever
    return_sequences is there, and drops nothing, as in evaluation.

    Raises: ExchangeError for another layer, and for settings that have no counterpart here, such as
    recurrent_activation="hard_sigmoid" or go_backwards=True, and for a layer that is not built.
    """
    name = type(keras_layer).__name__
    if name not in READERS:
        raise ExchangeError(
            f"keras_layer: expected one of Keras's {', '.join(READERS)}, got {name}"
        )
    if not keras_layer.get_weights():
        raise ExchangeError(
            f"keras_layer: expected a layer with weights, got {name} that is not built yet"
        )
    layer = READERS[name](keras_layer)
    return layer, from_keras(layer, keras_layer.get_weights())


def _read_recurrent(keras_layer, **more):
    """Return the `Recurrent` that computes what a Keras layer computes."""
    name = type(keras_layer).__name__
    choices = [known for known in KNOWN if known.name == name]
    wanted = [known.settings | more for known in choices]
    got = {key: _setting(getattr(keras_layer, key)) for key in wanted[0]}
    if got not in wanted:
        raise ExchangeError(
            f"keras_layer: expected {name} with {' or '.join(map(_words, wanted))}; got {_words(got)}"
        )
    D, H = len(keras_layer.get_weights()[0]), keras_layer.units
    return Recurrent(choices[wanted.index(got)].cell, D, H)


def _read_bidirectional(keras_layer):
    if keras_layer.merge_mode not in MERGE_MODES:
        raise ExchangeError(
            f"keras_layer: expected merge_mode {', '.join(MERGE_MODES)}, got {keras_layer.merge_mode}"
        )
    parts = keras_layer.forward_layer, keras_layer.backward_layer
    if unknown := [type(part).__name__ for part in parts if type(part).__name__ not in RECURRENT]:
        raise ExchangeError(
            f"keras_layer: expected Bidirectional of {', '.join(RECURRENT)}, got {', '.join(unknown)}"
        )
    forwards, backwards = _read_recurrent(parts[0]), _read_recurrent(parts[1], go_backwards=True)
    return Bidirectional(forwards, backwards, MERGE_MODES[keras_layer.merge_mode])


def _read_dense(keras_layer):
    if (activation := _setting(keras_layer.activation)) != "linear":
        raise ExchangeError(
            f"keras_layer: expected Dense with activation=linear, got activation={activation}"
        )
    return Dense(len(keras_layer.get_weights()[0]), keras_layer.units)


def _setting(value):
    """Return the name of a function, and anything else as it is."""
    return getattr(value, "__name__", value)


def _words(settings):
    return ", ".join(f"{key}={value}" for key, value in settings.items())


RECURRENT = dict.fromkeys((known.name for known in KNOWN), _read_recurrent)
READERS = RECURRENT | {"Dense": _read_dense, "Bidirectional": _read_bidirectional}
