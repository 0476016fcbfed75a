"""To and from the weight lists of Keras: recurrent layers, Bidirectional, Dense, Embedding.

    here                              Keras, in the order of get_weights()
    W_x (D, G*H), W_h (H, G*H), b     kernel, recurrent_kernel, bias: the same shapes, x W in both
    LSTM gates i, f, o, g             i, f, g, o, where g is called c
    GRU gates r, z, n                 z, r, n, where n is called h
    GRU: b and b_hn                   one bias (2, 3H): row 0 is added to x W, row 1 to h W
                                      (reset_after=True)
    GRUBefore: W_h and W_hn           recurrent_kernel (H, 3H), bias (3H,) (reset_after=False)
    Bidirectional                     the list of the forward layer, then that of the backward layer
    Dense: W, b; Embedding: E         kernel, bias; embeddings

    to_keras, from_keras              our weights, and the list
    from_keras_layer                  our layer and its weights, from a Keras layer
    gradients_to_keras                gradients, in the order of the weights that they belong to

On padding Keras repeats its last output where ours is zero, unless its layer has
zero_output_for_mask=True.

A Keras layer corresponds to one of our layers, so these functions take a layer and not a model.
Weights are moved and not computed, so the way to Keras and back is exact. From Keras, one sum is
computed: the biases of r and z in the second row of a GRU are added to the first. A layer with
use_bias=False has biases of zero here.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from rnn_tutorial.exchange.keras_layers import KNOWN, entry_of
from rnn_tutorial.exchange.layout import (
    ExchangeError,
    arrays_of,
    refuse,
    two_bias_gradients,
    two_biases,
)
from rnn_tutorial.layers.bidirectional import Bidirectional
from rnn_tutorial.layers.core import Dense, Embedding, Recurrent
from rnn_tutorial.layers.layer import Layer
from rnn_tutorial.layers.merge import add, average, concat, multiply
from rnn_tutorial.types import Array
from rnn_tutorial.validation import misfits

__all__ = [
    "from_keras",
    "from_keras_layer",
    "gradients_to_keras",
    "to_keras",
]

MERGE_MODES = {"concat": concat, "sum": add, "ave": average, "mul": multiply}


def to_keras(layer: Layer, params: Any) -> list[Array]:
    """Return the arrays for `set_weights` of the Keras layer that computes what `layer` computes.

    layer: `Recurrent` of Elman (SimpleRNN, with activation="relu" for `elman(relu)`), LSTM, GRU
    (reset_after=True) or GRUBefore (reset_after=False), `Bidirectional` of two of them with any
    merge, `Dense` or `Embedding`. The arrays are copies.

    This is for weights. Gradients have another second bias: see `gradients_to_keras`.

    Raises: ExchangeError for any other layer, or a cell with other activations; ValueError or
    TypeError for parameters that are not those of the layer.
    """
    return entry_of(layer).to_list(layer, params, two_biases)


def gradients_to_keras(layer: Layer, dparams: Any) -> list[Array]:
    """Return the gradients of the Keras layer's weights, in their order, from our gradients.

    The same as `to_keras`, except that the second row of a GRU's bias has the gradients of the
    first row for r and z, because the two rows are added.

    Raises: as `to_keras`.
    """
    return entry_of(layer).to_list(layer, dparams, two_bias_gradients)


def from_keras(layer: Layer, weights: Sequence[Any]) -> Any:
    """Return the parameters of `layer` from the list of weights of a Keras layer, `get_weights()`.

    layer: the layer to be filled, as `to_keras` takes it; it determines the cell and the sizes. The
    arrays are copies. A list of weights does not say its activations. The list of a SimpleRNN with
    relu, or of an LSTM with recurrent_activation="hard_sigmoid", has the shapes of the usual one,
    so this function cannot tell them apart. If you have the Keras layer, use `from_keras_layer`,
    which knows.

    A list without any bias is that of use_bias=False: the biases are zero here.

    Raises: ExchangeError, listing the weights that are missing or surplus, or of another shape, or
    of other numbers than float16, float32 or float64; TypeError for weights that are not a list of
    arrays.
    """
    shapes = entry_of(layer).shapes(layer)
    if not isinstance(weights, (list, tuple)):
        hint = (
            "; from_keras_layer takes the layer itself" if hasattr(weights, "get_weights") else ""
        )
        wanted = "a list of arrays, as get_weights() gives"
        raise TypeError(f"weights: expected {wanted}, got {type(weights).__name__}{hint}")
    biased = {name: shape for name, shape in shapes.items() if not name.endswith("bias")}
    names = biased if len(weights) == len(biased) else shapes
    spare = [f"weight {k}" for k in range(len(names), len(weights))]
    arrays = arrays_of("list of weights", dict(zip([*names, *spare], weights)))
    if names is biased and not misfits(arrays, biased):
        arrays |= {
            name: np.zeros(shape, weights[0].dtype)
            for name, shape in shapes.items()
            if name not in biased
        }
    refuse("list of weights", misfits(arrays, shapes))
    return entry_of(layer).from_list(layer, [arrays[name] for name in shapes])


def from_keras_layer(keras_layer: Any) -> tuple[Layer, Any]:
    """Return (layer, params): our layer that computes what a Keras layer computes, and its weights.

    keras_layer: SimpleRNN, LSTM, GRU, Dense without an activation, Embedding without mask_zero, or
    Bidirectional of two of the first three, once it is built. A Keras layer knows its activations.
    Our layer takes time first, returns the outputs of all steps, whatever return_sequences is, and
    has no dropout, as in evaluation. The arrays are copies.

    Raises: ExchangeError for another layer, for settings that do not exist here, such as
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


def _read_recurrent(keras_layer: Any, **more: object) -> Recurrent:
    """Return the `Recurrent` that computes what a Keras layer computes."""
    name = type(keras_layer).__name__
    choices = [known for known in KNOWN if known.name == name]
    wanted = [known.settings | more for known in choices]
    got = {key: _setting(getattr(keras_layer, key)) for key in wanted[0]}
    if got not in wanted:
        usual = " or ".join(map(_words, wanted))
        raise ExchangeError(f"keras_layer: expected {name} with {usual}; got {_words(got)}")
    D, H = len(keras_layer.get_weights()[0]), keras_layer.units
    return Recurrent(choices[wanted.index(got)].cell, D, H)


def _read_bidirectional(keras_layer: Any) -> Bidirectional:
    if keras_layer.merge_mode not in MERGE_MODES:
        wanted = f"merge_mode {', '.join(MERGE_MODES)}"
        raise ExchangeError(f"keras_layer: expected {wanted}, got {keras_layer.merge_mode}")
    parts = keras_layer.forward_layer, keras_layer.backward_layer
    if unknown := [type(part).__name__ for part in parts if type(part).__name__ not in RECURRENT]:
        wanted = f"Bidirectional of {', '.join(RECURRENT)}"
        raise ExchangeError(f"keras_layer: expected {wanted}, got {', '.join(unknown)}")
    forwards, backwards = _read_recurrent(parts[0]), _read_recurrent(parts[1], go_backwards=True)
    return Bidirectional(forwards, backwards, MERGE_MODES[keras_layer.merge_mode])


def _read_dense(keras_layer: Any) -> Dense:
    if (activation := _setting(keras_layer.activation)) != "linear":
        raise ExchangeError(
            f"keras_layer: expected Dense with activation=linear, got activation={activation}"
        )
    return Dense(len(keras_layer.get_weights()[0]), keras_layer.units)


def _read_embedding(keras_layer: Any) -> Embedding:
    if keras_layer.mask_zero:
        raise ExchangeError(
            "keras_layer: expected Embedding with mask_zero=False, got mask_zero=True; "
            "here a mask is an argument of forward"
        )
    return Embedding(keras_layer.input_dim, keras_layer.output_dim)


def _setting(value: Any) -> Any:
    """Return the name of a function, and anything else as it is."""
    return getattr(value, "__name__", value)


def _words(settings: Mapping[str, object]) -> str:
    return ", ".join(f"{key}={value}" for key, value in settings.items())


RECURRENT: dict[str, Callable[[Any], Layer]] = dict.fromkeys(
    (known.name for known in KNOWN), _read_recurrent
)
READERS = RECURRENT | {
    "Dense": _read_dense,
    "Embedding": _read_embedding,
    "Bidirectional": _read_bidirectional,
}
