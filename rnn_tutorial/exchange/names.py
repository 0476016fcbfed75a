"""What other libraries and texts call the arrays of an LSTM and a GRU: one table.

    print(names_table("epynn", "cs231n"))

A field is a name in the code of the library, and its axes by our letters in the order that they
have there: "bc['dC_'] | B T H". An axis of size 1 is "1"; "GH" is a block of H for each gate. In
the rows of a gate, {q} is the name of the gate in the library. A field is empty where the library
does not have the thing.

Some names mislead. In EpyNN `do_` is the gradient of the pre-activation a_o, and the gradient of o
has no name; `C_` is c, and `C` is tanh c; `bc['dh'][:, t]` is the gradient that step t gives to the
h before it. In CS231n `dnext_h` is all of dh, and `dnext_c` only the part of dc that comes from the
next step.

CS231n is the assignment of the course on an LSTM for captions: functions of one step.
"""

from typing import NamedTuple

from rnn_tutorial.cells.gru import GRU
from rnn_tutorial.cells.lstm import LSTM
from rnn_tutorial.exchange import keras, keras_layers, pytorch_layers
from rnn_tutorial.exchange.onnx.nodes import kind_of_cell

__all__ = [
    "GATE_NAMES",
    "LIBRARIES",
    "NAMES",
    "Names",
    "names_table",
]

LIBRARIES = {
    "epynn": "EpyNN",
    "numpy_ml": "numpy-ml",
    "cs231n": "CS231n",
    "pytorch": "PyTorch",
    "keras": "Keras",
    "onnx": "ONNX",
}


class Names(NamedTuple):
    """What one thing is called, here and there."""

    here: str
    epynn: str = ""
    numpy_ml: str = ""
    cs231n: str = ""
    pytorch: str = ""
    keras: str = ""
    onnx: str = ""


def _called(there: str, **names: str) -> dict[str, str]:
    """Return {our name: their name} of gates in their order; `names` are those that differ."""
    return {gate: names.get(gate, gate) for gate in there}


GATE_NAMES: dict[str, dict[str, dict[str, str]]] = {
    "LSTM": {
        "epynn": _called("ifog"),
        "numpy_ml": _called("ifog", i="u", g="c"),
        "cs231n": _called("ifog"),
        "pytorch": _called(pytorch_layers.known_of(LSTM).there),
        "keras": _called(keras_layers.gates_there(LSTM), g="c"),
        "onnx": _called(kind_of_cell(LSTM)[0].there, g="c"),
    },
    "GRU": {
        "epynn": _called("rzn", n="hh"),
        "pytorch": _called(pytorch_layers.known_of(GRU).there),
        "keras": _called(keras_layers.gates_there(GRU), n="h"),
        "onnx": _called(kind_of_cell(GRU)[0].there, n="h"),
    },
}
"""For each library {our name of a gate: its name}, in the order of the blocks of the library.

EpyNN and numpy-ml have no blocks, but arrays for each gate; theirs are in our order.
"""


def _orders(cell: str) -> dict[str, str]:
    return {library: " ".join(gates.values()) for library, gates in GATE_NAMES[cell].items()}


# It also has "multiply", but its backward knows only "multiplty", and fails.
NUMPY_ML_MERGES = {"concat": "concat", "add": "sum", "average": "average"}

NAMES: dict[str, tuple[Names, ...]] = {
    "conventions": (
        Names("LSTM gates: i f o g", **_orders("LSTM")),
        Names("GRU gates: r z n", **_orders("GRU")),
        Names(
            "z = 1 keeps h_previous",
            epynn="keeps",
            pytorch="keeps",
            keras="keeps",
            onnx="keeps",
        ),
        Names(
            "reset after or before the matrix",
            epynn="before",
            pytorch="after",
            keras="after, or reset_after=False",
            onnx="before, or linear_before_reset=1",
        ),
    ),
    "sizes": (
        Names("T", "s", "n_t", "T", "L", "timesteps", "seq_length"),
        Names("B", "m", "n_ex", "N", "N", "batch", "batch_size"),
        Names("D", "e", "n_in", "D", "H_{in}", "feature", "input_size"),
        Names("H", "u", "n_out", "H", "hidden_size", "units", "hidden_size"),
    ),
    "sequences": (
        Names(
            "xs | T B D",
            epynn="fc['X'] | B T D",
            cs231n="x | B T D",
            pytorch="input | T B D",
            keras="inputs | B T D",
            onnx="X | T B D",
        ),
        Names(
            "hs | T B H",
            epynn="fc['h'] | B T H",
            numpy_ml="derived_variables['A'][1:] | T B H",
            cs231n="h | B T H",
            pytorch="output | T B H",
            keras="outputs | B T H",
            onnx="Y | T 1 B H",
        ),
        Names("last h | B H", pytorch="h_n | 1 B H", onnx="Y_h | 1 B H"),
        Names(
            "dhs | T B H",
            epynn="bc['dA'] | B T H",
            cs231n="dh | B T H",
            pytorch="output.grad | T B H",
        ),
        Names(
            "dxs | T B D",
            epynn="bc['dX'] | B T D",
            cs231n="dx | B T D",
            pytorch="input.grad | T B D",
        ),
        Names(
            "first h | B H",
            cs231n="h0 | B H",
            pytorch="h_0 | 1 B H",
            onnx="initial_h | 1 B H",
        ),
        Names(
            "gradient of the first h | B H",
            epynn="bc['dh'][:, 0] | B H",
            numpy_ml="derived_variables['dLdA_accumulator'] | B H",
            cs231n="dh0 | B H",
            pytorch="h_0.grad | 1 B H",
        ),
        Names("dh | T B H", epynn="bc['dh_'] | B T H"),
        Names("dh^next of h_t | T B H", epynn="bc['dhn'] | B T H"),
        Names("dh^next of h_{t-1} | T B H", epynn="bc['dh'] | B T H"),
    ),
    "parameters": (
        Names(
            "W_x | D GH",
            cs231n="Wx | D GH",
            pytorch="weight_ih_l0 | GH D",
            keras="cell.kernel | D GH",
            onnx="W | 1 GH D",
        ),
        Names(
            "W_h | H GH",
            cs231n="Wh | H GH",
            pytorch="weight_hh_l0 | GH H",
            keras="cell.recurrent_kernel | H GH",
            onnx="R | 1 GH H",
        ),
        Names("dW_x | D GH", cs231n="dWx | D GH", pytorch="weight_ih_l0.grad | GH D"),
        Names("dW_h | H GH", cs231n="dWh | H GH", pytorch="weight_hh_l0.grad | GH H"),
    ),
    "parameters of a gate": (
        Names(
            "U_{q} | D H",
            epynn="p['U{q}'] | D H",
            numpy_ml="parameters['W{q}'][n_out:] | D H",
        ),
        Names(
            "V_{q} | H H",
            epynn="p['V{q}'] | H H",
            numpy_ml="parameters['W{q}'][:n_out] | H H",
        ),
        Names("b_{q} | H", epynn="p['b{q}'] | 1 H", numpy_ml="parameters['b{q}'] | 1 H"),
        Names(
            "dU_{q} | D H",
            epynn="g['dU{q}'] | D H",
            numpy_ml="gradients['W{q}'][n_out:] | D H",
        ),
        Names(
            "dV_{q} | H H",
            epynn="g['dV{q}'] | H H",
            numpy_ml="gradients['W{q}'][:n_out] | H H",
        ),
        Names("db_{q} | H", epynn="g['db{q}'] | 1 H", numpy_ml="gradients['b{q}'] | 1 H"),
    ),
    "a gate, at every step": (
        Names("{q} | T B H", epynn="fc['{q}'] | B T H"),
        Names("a_{q} | T B H", epynn="fc['{q}_'] | B T H"),
        Names("da_{q} | T B H", epynn="bc['d{q}_'] | B T H"),
    ),
    "LSTM": (
        Names("i | T B H", numpy_ml="derived_variables['Gu'] | T B H"),
        Names("f | T B H", numpy_ml="derived_variables['Gf'] | T B H"),
        Names("o | T B H", numpy_ml="derived_variables['Go'] | T B H"),
        Names("g | T B H", numpy_ml="derived_variables['Cc'] | T B H"),
        Names("c | T B H", epynn="fc['C_'] | B T H", numpy_ml="derived_variables['C'][1:] | T B H"),
        Names("tanh_c | T B H", epynn="fc['C'] | B T H"),
        Names("dc | T B H", epynn="bc['dC_'] | B T H"),
        Names("dc^next of c_t | T B H", epynn="bc['dCn'] | B T H"),
        Names("dc^next of c_{t-1} | T B H", epynn="bc['dC'] | B T H"),
        Names("first c | B H", pytorch="c_0 | 1 B H", onnx="initial_c | 1 B H"),
        Names("last c | B H", pytorch="c_n | 1 B H", onnx="Y_c | 1 B H"),
        Names(
            "gradient of the first c | B H",
            epynn="bc['dC'][:, 0] | B H",
            numpy_ml="derived_variables['dLdC_accumulator'] | B H",
            pytorch="c_0.grad | 1 B H",
        ),
        Names(
            "b | GH",
            cs231n="b | GH",
            pytorch="bias_ih_l0 + bias_hh_l0 | GH",
            keras="cell.bias | GH",
            onnx="B[:, :4 * H] + B[:, 4 * H:] | 1 GH",
        ),
        Names("db | GH", cs231n="db | GH", pytorch="bias_ih_l0.grad | GH"),
    ),
    "LSTM, one step": (
        Names("previous.h | B H", cs231n="prev_h | B H"),
        Names("previous.c | B H", cs231n="prev_c | B H"),
        Names("state.h | B H", cs231n="next_h | B H"),
        Names("state.c | B H", cs231n="next_c | B H"),
        Names("dstate.h | B H", cs231n="dnext_h | B H"),
        Names("dstate.c | B H", cs231n="dnext_c | B H"),
        Names("dprevious.h | B H", cs231n="dprev_h | B H"),
        Names("dprevious.c | B H", cs231n="dprev_c | B H"),
    ),
    "GRU": (
        Names(
            "b | GH",
            pytorch="bias_ih_l0 | GH",
            keras="cell.bias[0] | GH",
            onnx="B[:, :3 * H] | 1 GH",
        ),
        Names(
            "0, 0 and b_hn | GH",
            pytorch="bias_hh_l0 | GH",
            keras="cell.bias[1] | GH",
            onnx="B[:, 3 * H:] | 1 GH",
        ),
        Names("db | GH", pytorch="bias_ih_l0.grad | GH"),
        Names("db_r, db_z and db_hn | GH", pytorch="bias_hh_l0.grad | GH"),
    ),
    "LSTM in both directions": (
        Names("forwards", numpy_ml="cell_fwd", keras="forward_layer"),
        Names("backwards", numpy_ml="cell_bwd", keras="backward_layer"),
        Names("xs | T B D", numpy_ml="X | B D T", keras="inputs | B T D"),
        Names("ys | T B K", numpy_ml="Y | B K T", keras="outputs | B T K"),
        Names("dys | T B K", numpy_ml="dLdA | B K T"),
        Names("dxs | T B D", numpy_ml="dLdX | B D T"),
        *(
            Names(merge.name, numpy_ml=NUMPY_ML_MERGES.get(merge.name, ""), keras=name)
            for name, merge in keras.MERGE_MODES.items()
        ),
    ),
}
"""Rows by their kind. A sum of two biases has the gradient of each of them."""


def names_table(*libraries: str) -> str:
    """Return the table as text: the rows that one of the libraries has, under their kinds.

    libraries: keys of LIBRARIES, the columns in their order; without any, all of them.

    Raises: ValueError for a library that is not in the table.

    Example:

    >>> from rnn_tutorial.exchange import names_table
    >>> print(names_table("epynn", "keras").split("sizes")[0].strip())
    here                              EpyNN                  Keras
    <BLANKLINE>
    conventions
    LSTM gates: i f o g               i f o g                i f c o
    GRU gates: r z n                  r z hh                 z r h
    z = 1 keeps h_previous            keeps                  keeps
    reset after or before the matrix  before                 after, or reset_after=False
    """
    chosen = libraries or tuple(LIBRARIES)
    if unknown := [library for library in chosen if library not in LIBRARIES]:
        known = ", ".join(LIBRARIES)
        raise ValueError(f"libraries: expected some of {known}, got {', '.join(unknown)}")
    lines = [["here", *(LIBRARIES[library] for library in chosen)]]
    for kind, rows in NAMES.items():
        found = [
            [_shown(row.here), *(_shown(getattr(row, library)) for library in chosen)]
            for row in rows
            if any(getattr(row, library) for library in chosen)
        ]
        lines += [["", *[""] * len(chosen)], [kind, *[""] * len(chosen)], *found] if found else []
    widths = [max(map(len, column)) for column in zip(*lines)]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths)).rstrip() for line in lines
    )


def _shown(field: str) -> str:
    """Return a field as a reader writes it: "dc (T, B, H)" for "dc | T B H"."""
    name, bar, axes = field.partition(" | ")
    return f"{name} ({', '.join(axes.split())}{',' * (' ' not in axes)})" if bar else name
