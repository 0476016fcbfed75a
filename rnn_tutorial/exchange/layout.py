"""What the neighbours share: gates in another order, one bias or two, a library when it is needed, lists of what does not fit."""

from importlib import import_module

import numpy as np

from rnn_tutorial.activations import relu
from rnn_tutorial.cells.cell import check_is_cell, same_function
from rnn_tutorial.cells.elman import Elman, elman
from rnn_tutorial.cells.gru import GRU, GRUParams
from rnn_tutorial.cells.gru_before import GRUBefore, GRUBeforeParams
from rnn_tutorial.cells.lstm import LSTM
from rnn_tutorial.directions import Bidirectional
from rnn_tutorial.validation import check_array, check_fields


class ExchangeError(ValueError):
    """Weights that do not fit, or a network that the other side has no word for; the message lists everything that is wrong."""


def library(name):
    """Return the library of this name. Errors: ImportError saying how to install it."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        package = name.split(".")[0]
        raise ImportError(f'{package} is not installed; for files of its kind: pip install -e ".[exchange]"') from error


def reorder_gates(array, order, new_order):
    """Return `array` with the equal blocks of its last axis, which stand in `order`, put in `new_order`.

    >>> reorder_gates(np.array([1, 2, 3, 4]), "ifog", "ifgo")
    array([1, 2, 4, 3])
    """
    blocks = dict(zip(order, np.split(array, len(order), axis=-1)))
    return np.concatenate([blocks[gate] for gate in new_order], axis=-1)


def two_biases(recurrent, params):
    """Return (W_x, W_h, b_x, b_h): one matrix with all the gates, and a second bias beside h, as other libraries have them.

    recurrent: the `Recurrent` whose parameters these are. b_h is zero, but for the candidate of the GRU, where it is b_hn. Fields
    such as peepholes are left out. Errors: ValueError or TypeError for parameters that are not those of the layer.
    """
    check_fields("params", params, "W_x", "W_h", "b")
    recurrent.cell.initial_state(params, 1)  # refuses what does not fit together
    check_array("W_x", params.W_x, dtype=params.b.dtype, D=recurrent.input_size, A=len(params.b))
    check_array("W_h", params.W_h, dtype=params.b.dtype, H=recurrent.hidden_size, A=None)
    W_h, b_h = params.W_h, np.zeros_like(params.b)
    if hasattr(params, "W_hn"):
        W_h = np.concatenate([W_h, params.W_hn], axis=1)
    if hasattr(params, "b_hn"):
        b_h[-len(params.b_hn) :] = params.b_hn
    return params.W_x, W_h, params.b, b_h


def one_bias(Params, W_x, W_h, b_x, b_h):
    """Return `Params` from what `two_biases` returns: the biases act through their sum, but for the candidate of the GRU.

    A zero is not added, so what `two_biases` took apart comes back bit for bit, with the sign of -0.0.
    """
    H, b = len(W_h), np.where(b_h == 0, b_x, b_x + b_h)
    if Params is GRUParams:
        return GRUParams(W_x, W_h, np.concatenate([b[: 2 * H], b_x[2 * H :]]), b_h[2 * H :].copy())
    if Params is GRUBeforeParams:
        return GRUBeforeParams(W_x, W_h[:, : 2 * H].copy(), b, W_h[:, 2 * H :].copy())
    return Params(W_x, W_h, b)


def differences(arrays, shapes):
    """Return a list of words, one for each name that is missing or surplus, or has another shape than expected.

    arrays, shapes: dicts of arrays and of tuples by name.
    """
    faults = [f"{name} is missing" for name in shapes if name not in arrays]
    faults += [f"{name} is surplus" for name in arrays if name not in shapes]
    for name in shapes.keys() & arrays.keys():
        if arrays[name].shape != shapes[name]:
            faults.append(f"{name} has shape {arrays[name].shape}, expected {shapes[name]}")
    return sorted(faults)


def refuse(source, faults):
    """Return nothing, or raise ExchangeError with the list of what is wrong with `source`."""
    if faults:
        raise ExchangeError(f"{source} does not fit: " + "; ".join(faults))


def kind_of(cell):
    """Return the cell among Elman, LSTM, GRU and GRUBefore which computes the same function as `cell`, whatever its initializers.

    Elman with relu counts as Elman. Errors: ExchangeError for a cell that is none of them, or has other activations;
    TypeError for what is no cell at all.
    """
    check_is_cell(cell)
    for kind in (Elman, LSTM, GRU, GRUBefore):
        if same_function(cell, kind):
            return kind
    if same_function(cell, elman(relu)):
        return Elman
    raise ExchangeError(
        f"cell: expected Elman with tanh or relu, or LSTM, GRU or GRUBefore with their usual activations, got {describe(cell)}"
    )


def describe(cell):
    """Return the name of a cell and of its activations: "GRU with r=sigmoid, z=sigmoid, n=relu"."""
    slots = activations_of(cell)
    return cell.name + (" with " if slots else "") + ", ".join(f"{slot}={activation.name}" for slot, activation in slots.items())


def describe_layer(layer):
    """Return the name of a layer, with the names of those within it: "Bidirectional(Recurrent, Dense, add)"."""
    if isinstance(layer, Bidirectional):
        return f"Bidirectional({describe_layer(layer.forwards)}, {describe_layer(layer.backwards)}, {layer.merge.name})"
    within = f"({describe_layer(layer.layer)})" if hasattr(layer, "layer") else ""
    return type(layer).__name__ + within


def activations_of(cell):
    """Return the activations of a cell as a dict by the names that its maker, such as `lstm`, has for them."""
    keywords = getattr(cell.pointwise, "keywords", {})
    return keywords["activations"]._asdict() if "activations" in keywords else keywords
