"""What all formats share: the order of gates, one bias or two, and what does not fit."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from typing import Any, TypeVar

import numpy as np

from rnn_tutorial.cells.cell import Cell, check_is_cell, same_function
from rnn_tutorial.cells.gates import own_matrices, recurrent_matrices
from rnn_tutorial.layers.core import Recurrent
from rnn_tutorial.types import Array

__all__ = [
    "ExchangeError",
    "FLOATS",
    "arrays_of",
    "describe",
    "describe_layer",
    "detached",
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
Entry = TypeVar("Entry", bound=tuple)


class ExchangeError(ValueError):
    """Weights that do not fit, or a network that the other library does not have.

    The message lists everything that is wrong.
    """


def library(name: str) -> Any:
    """Return the library of this name.

    Raises: ImportError, saying how to install it, without the library.
    """
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        package = name.split(".")[0]
        raise ImportError(
            f'{package} is not installed; for files of its kind: pip install -e ".[exchange]"'
        ) from error


def reorder_gates(array: Array, order: Sequence[str], new_order: Sequence[str]) -> Array:
    """Return `array` with the equal blocks of its last axis moved from `order` to `new_order`.

    Example:
    >>> reorder_gates(np.array([1, 2, 3, 4]), "ifog", "ifgo")
    array([1, 2, 4, 3])
    """
    blocks = dict(zip(order, np.split(array, len(order), axis=-1)))
    return np.concatenate([blocks[gate] for gate in new_order], axis=-1)


def two_biases(recurrent: Recurrent, params: Any) -> tuple[Array, Array, Array, Array]:
    """Return (W_x, W_h, b_x, b_h): the matrices of all gates and two biases, as in other libraries.

    recurrent: the `Recurrent` whose parameters these are. b_x is added to the product of x, b_h to
    that of h. b_h is zero, except for the gates that have a second bias here, as the candidate n of
    the GRU has b_hn. Parameters that do not belong to the product of a gate, such as peepholes, are
    left out.

    Raises: ValueError or TypeError for parameters that are not those of the layer.
    """
    return _all_gates(recurrent, params, np.zeros_like)


def two_bias_gradients(recurrent: Recurrent, dparams: Any) -> tuple[Array, Array, Array, Array]:
    """Return the gradients of what `two_biases` returns, from the gradients of the parameters.

    Two biases that are added have the same gradient, so the gradient of b_h is that of b_x, except
    for the gates that have a second bias here.

    Raises: ValueError or TypeError for gradients that are not those of parameters of the layer.
    """
    return _all_gates(recurrent, dparams, np.copy)


def _all_gates(
    recurrent: Recurrent, params: Any, second: Callable[[Array], Array]
) -> tuple[Array, Array, Array, Array]:
    """Return (W_x, W_h, b_x, b_h); b_h is second(b) for the gates that have no second bias here."""
    cell = recurrent.cell
    cell.check_params(params, recurrent.input_size, recurrent.hidden_size)
    V = recurrent_matrices(params, cell.gates)
    biases = dict(zip(cell.gates, np.split(second(params.b), len(cell.gates))))
    biases |= {g: getattr(params, f"b_h{g}") for g in cell.gates if f"b_h{g}" in cell.extra}
    W_h, b_h = (
        np.concatenate([leaves[gate] for gate in cell.gates], axis=-1) for leaves in (V, biases)
    )
    return params.W_x, W_h, params.b, b_h


def one_bias(cell: Cell, W_x: Array, W_h: Array, b_x: Array, b_h: Array, **own: Array) -> Any:
    """Return the Params of `cell` from what `two_biases` returns and the other parameters, `own`.

    The two biases act only through their sum, except where a gate has a second bias here, such as
    b_hn of the GRU. A gate may also have its own matrix, such as W_hn of GRUBefore. A zero is not
    added, so weights that went through `two_biases` come back bit for bit, with the sign of -0.0.
    """
    gates, count = cell.gates, len(cell.gates)
    first, second = (dict(zip(gates, np.split(b, count))) for b in (b_x, b_h))
    matrices = dict(zip(gates, np.split(W_h, count, axis=-1)))
    for gate, name in own_matrices(cell.Params, gates).items():
        own[name] = matrices.pop(gate).copy()
    for gate in gates:
        if f"b_h{gate}" in cell.extra:
            own[f"b_h{gate}"] = second[gate].copy()
            second[gate] = np.zeros_like(second[gate])
    b = [np.where(second[gate] == 0, first[gate], first[gate] + second[gate]) for gate in gates]
    return cell.Params(
        W_x=W_x, W_h=np.concatenate(list(matrices.values()), axis=-1), b=np.concatenate(b), **own
    )


def arrays_of(source: str, named: Mapping[str, Any]) -> dict[str, Array]:
    """Return copies of arrays or tensors as NumPy arrays by the same names.

    Raises: ExchangeError, listing everything that is not an array, or whose numbers are not
    float16, float32 or float64, or not all of one type. NumPy does not have bfloat16.
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


def number_type(value: Any) -> str:
    """Return the type of the numbers in an array or tensor, such as "float32"."""
    return (
        str(value.dtype).removeprefix("torch.")
        if hasattr(value, "__array__")
        else f"type {type(value).__name__}"
    )


def detached(value: Any) -> Any:
    """Return a tensor without its gradient and on the CPU; an array as it is."""
    return value.detach().cpu() if hasattr(value, "detach") else value


def refuse(source: object, faults: Sequence[str]) -> None:
    """Raise ExchangeError with the list of faults of `source`, if there are any."""
    if faults:
        raise ExchangeError(f"{source} does not fit: " + "; ".join(faults))


def find_alike(cell: Cell, entries: Iterable[Entry]) -> Entry | None:
    """Return the first of `entries` whose cell computes the same function as `cell`, or None.

    An entry is a tuple that begins with a cell. Initializers do not matter.

    Raises: TypeError for anything that is not a Cell.
    """
    check_is_cell(cell)
    return next((entry for entry in entries if same_function(entry[0], cell)), None)


def describe(cell: Cell) -> str:
    """Return the name of a cell and of its activations: "GRU with r=sigmoid, z=sigmoid, n=relu"."""
    slots = ", ".join(
        f"{slot}={activation.name}" for slot, activation in cell.named_activations.items()
    )
    return f"{cell.name} with {slots}" if slots else cell.name


def describe_layer(layer: Any) -> str:
    """Return the names of a layer and its layers: "Bidirectional(Recurrent, Dense, add)"."""
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
