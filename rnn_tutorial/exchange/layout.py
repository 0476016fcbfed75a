"""What the neighbours share: gates in another order, and lists of what does not fit."""

import numpy as np

from rnn_tutorial.cells.elman import Elman
from rnn_tutorial.cells.gru import GRU
from rnn_tutorial.cells.gru_before import GRUBefore
from rnn_tutorial.cells.lstm import LSTM


class ExchangeError(ValueError):
    """Weights that do not fit, or a network that the other side has no word for; the message lists everything that is wrong."""


def reorder_gates(array, order, new_order):
    """Return `array` with the equal blocks of its last axis, which stand in `order`, put in `new_order`.

    >>> reorder_gates(np.array([1, 2, 3, 4]), "ifog", "ifgo")
    array([1, 2, 4, 3])
    """
    blocks = dict(zip(order, np.split(array, len(order), axis=-1)))
    return np.concatenate([blocks[gate] for gate in new_order], axis=-1)


def check_arrays(source, arrays, shapes):
    """Return nothing, or raise ExchangeError listing every name that is missing or surplus, or has another shape than expected.

    source: what to call the arrays in the message; arrays, shapes: dicts of arrays and of tuples by name.
    """
    faults = [f"{name} is missing" for name in shapes if name not in arrays]
    faults += [f"{name} is surplus" for name in arrays if name not in shapes]
    for name in shapes.keys() & arrays.keys():
        if arrays[name].shape != shapes[name]:
            faults.append(f"{name} has shape {arrays[name].shape}, expected {shapes[name]}")
    if faults:
        raise ExchangeError(f"{source} does not fit: " + "; ".join(sorted(faults)))


def kind_of(cell):
    """Return the cell among Elman, LSTM, GRU and GRUBefore which computes the same function as `cell`, whatever its initializers.

    Errors: ExchangeError for a cell that is none of them, or has other activations.
    """
    for kind in (Elman, LSTM, GRU, GRUBefore):
        if cell.name == kind.name and cell.pointwise.keywords == kind.pointwise.keywords:
            return kind
    known = "Elman, LSTM, GRU or GRUBefore with their usual activations"
    raise ExchangeError(f"cell: expected {known}, got {cell.name}" + (" with others" if cell.name in known else ""))
