"""Our cells and the operators RNN, LSTM and GRU of ONNX: one node for a layer.

    here                              ONNX, with an axis of directions in front, of 1 or 2
    W_x (D, G*H), W_h (H, G*H)        W (1, G*H, D), R (1, G*H, H): W x, ours x W
    b, and b_hn of the GRU            B (1, 2*G*H): the bias of x W, then the bias of h W
    peepholes p_i, p_f, p_o           P (1, 3H), in the order i, o, f
    LSTM gates i, f, o, g             i, o, f, c
    GRU gates r, z, n                 z, r, h
    GRU, GRUBefore                    linear_before_reset=1, linear_before_reset=0
    CoupledLSTM gates i, o, g         i, o, f, c with input_forget=1, where f is not read

For f of a CoupledLSTM the file has the negative of i, because sigmoid(-a) = 1 - sigmoid(a): a
program that ignores input_forget is right too. ONNX has one activation for all the gates i, o, f
(or z, r), one for the candidate, one for c on its way to h.

Source: https://onnx.ai/onnx/operators, RNN, LSTM and GRU, version 14.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from rnn_tutorial.activations import Activation, relu, sigmoid, tanh
from rnn_tutorial.cells.cell import Cell, same_function
from rnn_tutorial.cells.coupled_lstm import CoupledLSTM, coupled_lstm
from rnn_tutorial.cells.elman import Elman, elman
from rnn_tutorial.cells.gru import GRU, gru
from rnn_tutorial.cells.gru_before import GRUBefore, gru_before
from rnn_tutorial.cells.lstm import LSTM, lstm
from rnn_tutorial.cells.peephole_lstm import PeepholeLSTM, peephole_lstm
from rnn_tutorial.exchange.layout import (
    ExchangeError,
    describe,
    one_bias,
    reorder_gates,
    two_biases,
)
from rnn_tutorial.layers.core import Recurrent
from rnn_tutorial.types import Array

__all__ = [
    "ACTIVATIONS",
    "Kind",
    "RNN",
    "cell_of_kind",
    "kind_of_cell",
    "kind_of_node",
    "node_arrays",
    "node_shapes",
    "params_of_node",
    "usual_activations",
]

ACTIVATIONS = {"Sigmoid": sigmoid, "Tanh": tanh, "Relu": relu}


class Kind(NamedTuple):
    """One of our cells as a node of ONNX."""

    cell: Cell
    make: Callable[..., Cell]  # from activations by name to the cell
    op_type: str
    there: str  # the gates of W, by our names
    slots: tuple[tuple[str, ...], ...]  # our activations for each activation of the node
    attributes: dict[str, int]  # these distinguish the kinds of one operator
    peepholes: str = ""  # the gates of P, by our names
    negated: dict[str, str] = {}  # for a gate that only the file has, the gate that it negates


LSTM_SLOTS, GRU_SLOTS = (("i", "f", "o"), ("g",), ("c",)), (("r", "z"), ("n",))
RNN = Kind(Elman, elman, "RNN", "h", (("activation",),), {})
KINDS = (
    RNN,
    Kind(LSTM, lstm, "LSTM", "iofg", LSTM_SLOTS, {"input_forget": 0}),
    Kind(
        PeepholeLSTM,
        peephole_lstm,
        "LSTM",
        "iofg",
        LSTM_SLOTS,
        {"input_forget": 0},
        peepholes="iof",
    ),
    Kind(
        CoupledLSTM,
        coupled_lstm,
        "LSTM",
        "iofg",
        (("i", "o"), ("g",), ("c",)),
        {"input_forget": 1},
        negated={"f": "i"},
    ),
    Kind(GRU, gru, "GRU", "zrn", GRU_SLOTS, {"linear_before_reset": 1}),
    Kind(GRUBefore, gru_before, "GRU", "zrn", GRU_SLOTS, {"linear_before_reset": 0}),
)


def kind_of_cell(cell: Cell) -> tuple[Kind, list[str]]:
    """Return (kind, names): the `Kind` of a cell, and ONNX's names of its activations, in order.

    Raises: ExchangeError for a cell or activations that ONNX does not have.
    """
    chosen = cell.named_activations
    for kind in KINDS:
        if chosen.keys() == kind.cell.named_activations.keys() and same_function(
            kind.make(**chosen), cell
        ):
            found = [_name_of([chosen[key] for key in slot]) for slot in kind.slots]
            names = [name for name in found if name is not None]
            if len(names) == len(found):
                return kind, names
    raise ExchangeError(
        "cell: the nodes of ONNX compute Elman, LSTM, PeepholeLSTM, CoupledLSTM, GRU and "
        "GRUBefore, with sigmoid, tanh or relu, one for all the gates that open and close; "
        f"got {describe(cell)}"
    )


def _name_of(activations: Sequence[Activation]) -> str | None:
    """Return ONNX's name of an activation if all are the same and ONNX has it, else None."""
    first, *others = activations
    alike = all(other == first for other in others)
    return next(
        (name for name, activation in ACTIVATIONS.items() if alike and activation == first), None
    )


def usual_activations(kind: Kind) -> list[str]:
    """Return ONNX's names of the default activations of a kind, in ONNX's order."""
    return kind_of_cell(kind.cell)[1]


def cell_of_kind(kind: Kind, names: Sequence[str]) -> Cell:
    """Return the cell of a kind with the activations that have these names in ONNX."""
    return kind.make(
        **{key: ACTIVATIONS[name] for slot, name in zip(kind.slots, names) for key in slot}
    )


def node_arrays(kind: Kind, recurrent: Recurrent, params: Any) -> dict[str, Array]:
    """Return W, R, B and, for peepholes, P of one direction, without the axis of directions."""
    leaves = [
        dict(zip(kind.cell.gates, np.split(leaf, len(kind.cell.gates), axis=-1)))
        for leaf in two_biases(recurrent, params)
    ]
    for leaf in leaves:
        leaf.update({gate: -leaf[other] for gate, other in kind.negated.items()})
    W_x, W_h, b_x, b_h = (
        np.concatenate([leaf[gate] for gate in kind.there], axis=-1) for leaf in leaves
    )
    arrays = {"W": W_x.T, "R": W_h.T, "B": np.concatenate([b_x, b_h])}
    if kind.peepholes:
        arrays["P"] = np.concatenate([getattr(params, f"p_{gate}") for gate in kind.peepholes])
    return arrays


def params_of_node(kind: Kind, arrays: Mapping[str, Array]) -> Any:
    """Return the Params of one direction from arrays as `node_arrays` returns them."""
    b_x, b_h = np.split(arrays["B"], 2)
    there, here = kind.there, kind.cell.gates
    matrices = [
        np.ascontiguousarray(reorder_gates(arrays[name].T, there, here)) for name in ("W", "R")
    ]
    leaves = *matrices, reorder_gates(b_x, there, here), reorder_gates(b_h, there, here)
    peepholes = np.split(arrays["P"].copy(), len(kind.peepholes)) if kind.peepholes else []
    return one_bias(
        kind.cell, *leaves, **{f"p_{gate}": p for gate, p in zip(kind.peepholes, peepholes)}
    )


def kind_of_node(op_type: str, attributes: Mapping[str, Any], peepholes: bool) -> Kind | None:
    """Return the `Kind` of an operator with these attributes, or None."""
    for kind in KINDS:
        alike = all(attributes.get(name, 0) == value for name, value in kind.attributes.items())
        if alike and (kind.op_type, bool(kind.peepholes)) == (op_type, peepholes):
            return kind
    return None


def node_shapes(kind: Kind, directions: int, D: int, H: int) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the arrays of a node by name."""
    rows = len(kind.there) * H
    shapes = {"W": (directions, rows, D), "R": (directions, rows, H), "B": (directions, 2 * rows)}
    return shapes | ({"P": (directions, len(kind.peepholes) * H)} if kind.peepholes else {})
