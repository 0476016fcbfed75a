"""Our cells and the operators RNN, LSTM and GRU of ONNX: arrays, attributes and activations, one node for a layer.

    here                              there, with an axis of directions in front: 1, or 2 for Bidirectional
    W_x (D, G*H), W_h (H, G*H)        W (1, G*H, D), R (1, G*H, H): they compute W x, we x W
    b, and b_hn of the GRU            B (1, 2*G*H): the bias beside x, then the bias beside h
    peepholes p_i, p_f, p_o           P (1, 3H), in the order i, o, f
    LSTM gates i, f, o, g             i, o, f, c
    GRU gates r, z, n                 z, r, h
    GRU, GRUBefore                    linear_before_reset=1, linear_before_reset=0
    CoupledLSTM gates i, o, g         i, o, f, c with input_forget=1, where f is not looked at

For f the file then holds the negative of i: sigmoid(-a) = 1 - sigmoid(a), so a program that overlooks input_forget is right too.
ONNX has one activation for all the gates i, o, f (or z, r), one for the candidate, one for c on its way to h.
Source: https://onnx.ai/onnx/operators, RNN, LSTM and GRU, version 14.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from rnn_tutorial.activations import relu, sigmoid, tanh
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

__all__ = [
    "ACTIVATIONS",
    "GRU_SLOTS",
    "KINDS",
    "Kind",
    "LSTM_SLOTS",
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
    """How one of our cells is said in ONNX."""

    cell: Cell
    make: Callable  # from activations by name to the cell
    op_type: str
    there: str  # the gates of W, by our names
    slots: tuple  # for each activation of the node, the activations here that it stands for
    attributes: dict  # what tells it from the other kinds of its operator
    peepholes: str = ""  # the gates of P, by our names
    negated: dict = {}  # gates that the file has and the cell has not, each with the gate whose negative it is


LSTM_SLOTS, GRU_SLOTS = (("i", "f", "o"), ("g",), ("c",)), (("r", "z"), ("n",))
KINDS = (
    Kind(Elman, elman, "RNN", "h", (("activation",),), {}),
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


def kind_of_cell(cell):
    """Return (kind, names): the `Kind` of a cell and ONNX's names of its activations, in ONNX's order.

    Raises: ExchangeError for a cell or activations that ONNX has no word for.
    """
    chosen = cell.named_activations
    for kind in KINDS:
        if chosen.keys() == kind.cell.named_activations.keys() and same_function(
            kind.make(**chosen), cell
        ):
            names = [_name_of([chosen[key] for key in slot]) for slot in kind.slots]
            if None not in names:
                return kind, names
    raise ExchangeError(
        "cell: the nodes of ONNX compute Elman, LSTM, PeepholeLSTM, CoupledLSTM, GRU and GRUBefore, with sigmoid, tanh or relu, "
        f"one for all the gates that open and close; got {describe(cell)}"
    )


def _name_of(activations):
    """Return ONNX's name of one activation, or None for another, or for more than one."""
    first, *others = activations
    alike = all(other == first for other in others)
    return next(
        (name for name, activation in ACTIVATIONS.items() if alike and activation == first), None
    )


def usual_activations(kind):
    """Return ONNX's names of the activations of a kind where the node says none, in ONNX's order."""
    return kind_of_cell(kind.cell)[1]


def cell_of_kind(kind, names):
    """Return the cell of a kind with the activations that ONNX calls so."""
    return kind.make(
        **{key: ACTIVATIONS[name] for slot, name in zip(kind.slots, names) for key in slot}
    )


def node_arrays(kind, recurrent, params):
    """Return a dict of W, R, B and, for peepholes, P: the arrays of one direction, without the axis of directions."""
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


def params_of_node(kind, arrays):
    """Return the Params of one direction from the arrays of the node, as `node_arrays` returns them."""
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


def kind_of_node(op_type, attributes, peepholes):
    """Return the `Kind` of an operator with such attributes, with peepholes or without, or None."""
    for kind in KINDS:
        alike = all(attributes.get(name, 0) == value for name, value in kind.attributes.items())
        if alike and (kind.op_type, bool(kind.peepholes)) == (op_type, peepholes):
            return kind
    return None


def node_shapes(kind, directions, D, H):
    """Return the shapes by name of the arrays of a node."""
    rows = len(kind.there) * H
    shapes = {"W": (directions, rows, D), "R": (directions, rows, H), "B": (directions, 2 * rows)}
    return shapes | ({"P": (directions, len(kind.peepholes) * H)} if kind.peepholes else {})
