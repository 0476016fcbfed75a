"""What all the formats share: gates in another order, one bias or two, and what does not fit."""

import dataclasses
from importlib import import_module

import numpy as np

from rnn_tutorial.cells.cell import check_is_cell, same_function
from rnn_tutorial.validation import misfits

__all__ = [
    "ExchangeError",
    "FLOATS",
    "arrays_of",
    "describe",
    "describe_layer",
    "detached",
    "differences",
    "find_alike",
    "library",
    "number_type",
    "one_bias",
    "refuse",
    "reorder_gates",
    "two_bias_gradients",
    "two_biases",
]

FLOATS = "float16", "float32", "float64"


class ExchangeError(ValueError):
    """Weights that do not fit, or a network that the other side has no word for; the message lists everything that is wrong."""


def library(name):
    """Return the library of this name. Raises: ImportError saying how to install it."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        package = name.split(".")[0]
        raise ImportError(
            f'{package} is not installed; for files of its kind: pip install -e ".[exchange]"'
        ) from error


def reorder_gates(array, order, new_order):
    """Return `array` with the equal blocks of its last axis, which stand in `order`, put in `new_order`.

    >>> reorder_gates(np.array([1, 2, 3, 4]), "ifog", "ifgo")
    array([1, 2, 4, 3])
    """
    blocks = dict(zip(order, np.split(array, len(order), axis=-1)))
    return np.concatenate([blocks[gate] for gate in new_order], axis=-1)


def two_biases(recurrent, params):
    """Return (W_x, W_h, b_x, b_h): one matrix with all the gates, and a second bias beside h, as other libraries have them.

    recurrent: the `Recurrent` whose parameters these are. b_h is zero, but for the gates that have a second bias here, as the
    candidate n of the GRU has b_hn. Fields that are not of a gate's product, such as peepholes, are left out.

    Raises: ValueError or TypeError for parameters that are not those of the layer.
    """
    return _all_gates(recurrent, params, np.zeros_like)


def two_bias_gradients(recurrent, dparams):
    """Return the gradients of what `two_biases` returns, from the gradients of the parameters.

    Two biases that are added have one gradient, so that of b_h is that of b_x, but for the gates that have a second bias here.

    Raises: ValueError or TypeError for gradients that are not those of parameters of the layer.
    """
    return _all_gates(recurrent, dparams, np.copy)


def _all_gates(recurrent, params, second):
    """Return (W_x, W_h, b_x, b_h), where second(b) is b_h for the gates that have no second bias here."""
    cell = recurrent.cell
    cell.check_params(params, recurrent.input_size, recurrent.hidden_size)
    in_W_h = [gate for gate in cell.gates if f"W_h{gate}" not in cell.extra]
    matrices = dict(zip(in_W_h, np.split(params.W_h, len(in_W_h), axis=-1)))
    biases = dict(zip(cell.gates, np.split(second(params.b), len(cell.gates))))
    own = {name: getattr(params, name) for name in cell.extra}
    W_h = [own.get(f"W_h{gate}", matrices.get(gate)) for gate in cell.gates]
    b_h = [own.get(f"b_h{gate}", biases[gate]) for gate in cell.gates]
    return params.W_x, np.concatenate(W_h, axis=-1), params.b, np.concatenate(b_h)


def one_bias(cell, W_x, W_h, b_x, b_h, **own):
    """Return the Params of `cell` from what `two_biases` returns, and from its `own` parameters that are not among these four.

    The biases act through their sum, but for a gate that has a second one here, such as b_hn of the GRU; a gate may have a matrix
    of its own as well, such as W_hn of GRUBefore. A zero is not added, so what `two_biases` took apart comes back bit for bit,
    with the sign of -0.0.
    """
    gates, count = cell.gates, len(cell.gates)
    first, second = (dict(zip(gates, np.split(b, count))) for b in (b_x, b_h))
    matrices = dict(zip(gates, np.split(W_h, count, axis=-1)))
    for gate in gates:
        if f"W_h{gate}" in cell.extra:
            own[f"W_h{gate}"] = matrices.pop(gate).copy()
        if f"b_h{gate}" in cell.extra:
            own[f"b_h{gate}"] = second[gate].copy()
            second[gate] = np.zeros_like(second[gate])
    b = [np.where(second[gate] == 0, first[gate], first[gate] + second[gate]) for gate in gates]
    return cell.Params(
        W_x=W_x, W_h=np.concatenate(list(matrices.values()), axis=-1), b=np.concatenate(b), **own
    )


def arrays_of(source, named):
    """Return copies of the arrays or tensors of a dict, as NumPy's arrays by the same names.

    Raises: ExchangeError, listing all that are no arrays, or whose numbers are of another kind than float16, float32 and float64,
    or not of one kind: bfloat16 is one that NumPy does not have.
    """
    kinds = {name: number_type(value) for name, value in named.items()}
    faults = [
        f"{name} is of {kind}, expected {', '.join(FLOATS)}"
        for name, kind in kinds.items()
        if kind not in FLOATS
    ]
    if not faults and len(set(kinds.values())) > 1:
        faults = [
            f"{name} is of {kind}, expected one type of numbers for all"
            for name, kind in kinds.items()
        ]
    refuse(source, sorted(faults))
    return {name: np.asarray(detached(value)).copy() for name, value in named.items()}


def number_type(value):
    """Return the type of the numbers of an array or tensor, such as "float32"; of anything else its own type."""
    return (
        str(value.dtype).removeprefix("torch.")
        if hasattr(value, "__array__")
        else f"type {type(value).__name__}"
    )


def detached(value):
    """Return a tensor without its gradient and on the CPU; an array as it is."""
    return value.detach().cpu() if hasattr(value, "detach") else value


def differences(arrays, shapes):
    """Return a list of words, one for each name that is missing or surplus, or has another shape than expected.

    arrays, shapes: dicts of arrays and of tuples by name.
    """
    return misfits(arrays, {name: (shape, None) for name, shape in shapes.items()})


def refuse(source, faults):
    """Raise ExchangeError with the list of what is wrong with `source`, if anything is."""
    if faults:
        raise ExchangeError(f"{source} does not fit: " + "; ".join(faults))


def find_alike(cell, entries):
    """Return the first of `entries`, tuples that begin with a cell, whose cell computes the same function as `cell`, or None.

    Initializers do not matter. Raises: TypeError for anything that is not a Cell.
    """
    check_is_cell(cell)
    return next((entry for entry in entries if same_function(entry[0], cell)), None)


def describe(cell):
    """Return the name of a cell and of its activations: "GRU with r=sigmoid, z=sigmoid, n=relu"."""
    slots = ", ".join(
        f"{slot}={activation.name}" for slot, activation in cell.named_activations.items()
    )
    return f"{cell.name} with {slots}" if slots else cell.name


def describe_layer(layer):
    """Return the name of a layer, with the names of those within it: "Bidirectional(Recurrent, Dense, add)"."""
    fields = (
        [getattr(layer, field.name) for field in dataclasses.fields(layer)]
        if dataclasses.is_dataclass(layer)
        else []
    )
    within = [
        describe_layer(part)
        for part in fields
        if hasattr(part, "backward") and hasattr(part, "init")
    ]
    within += [part.name for part in fields if hasattr(part, "backward") and hasattr(part, "name")]
    return type(layer).__name__ + (f"({', '.join(within)})" if within else "")
