"""minLSTM: the LSTM without an output gate, whose gates do not read h, and add up to 1.

    a_x = x @ W_x + b
    i, f = sigmoid(a_i), sigmoid(a_f)      g = a_g
    h = f / (f + i) * h_previous + i / (f + i) * g

So h = a * h_previous + b with a = f / (f + i) and b = (1 - a) * g. There is one state: h is the
cell. The gates are side by side in the order i, f, g.

Source: Feng, Tung, Ahmed, Bengio & Hajimirsadeghi 2024, "Were RNNs all we needed?", section 3.2.
"""

from typing import Any, NamedTuple

import numpy as np

from rnn_tutorial.activations import Activation, check_activations, identity, sigmoid
from rnn_tutorial.bound import Bound
from rnn_tutorial.cells.gates import gate_blocks
from rnn_tutorial.cells.linear import LinearCell, LinearParams, init_linear, linear_cell
from rnn_tutorial.initializers import glorot_uniform, zeros
from rnn_tutorial.types import Array, Initializer, Rng
from rnn_tutorial.validation import check_number

__all__ = [
    "MinLSTM",
    "MinLSTMActivations",
    "MinLSTMGates",
    "min_lstm",
    "min_lstm_coefficients",
    "min_lstm_coefficients_backward",
    "min_lstm_init",
]

SMALLEST = 1e-30  # added to f + i, which is 0 if both gates are closed to the last digit


class MinLSTMGates(NamedTuple):
    """One field for each gate: values, or pre-activations."""

    i: Array  # input gate
    f: Array  # forget gate
    g: Array  # the candidate


class MinLSTMActivations(NamedTuple):
    """The activation of the candidate; i and f are always sigmoids, since they are divided."""

    g: Activation = identity


def min_lstm_init(
    rng: Rng,
    input_size: int,
    hidden_size: int,
    *,
    forget_bias: float = 1.0,
    W_x: Initializer = glorot_uniform,
    b: Initializer = zeros,
) -> LinearParams:
    """Return LinearParams, forget_bias added to the first bias of f.

    Raises: TypeError unless `rng` is a generator, ValueError for sizes that are not positive whole
    numbers.
    """
    params = init_linear(rng, input_size, hidden_size, 3, W_x, b)
    gate_blocks(params.b, MinLSTMGates).f[:] += forget_bias
    return params


def min_lstm_coefficients(
    params: LinearParams, a_x: Array, *, activations: MinLSTMActivations = MinLSTMActivations()
) -> tuple[Array, Array, MinLSTMGates]:
    """Return (a, b, MinLSTMGates): a = f / (f + i) and b = i / (f + i) * g.

    Shapes: a_x (..., 3H); a, b and the gates (..., H).
    """
    a_i, a_f, a_g = gate_blocks(a_x, MinLSTMGates)
    i, f, g = sigmoid.f(a_i), sigmoid.f(a_f), activations.g.f(a_g)
    total = f + i + SMALLEST
    return f / total, i / total * g, MinLSTMGates(i, f, g)


def min_lstm_coefficients_backward(
    params: LinearParams,
    gates: MinLSTMGates,
    da: Array,
    db: Array,
    *,
    activations: MinLSTMActivations = MinLSTMActivations(),
) -> tuple[dict[str, Array], Array]:
    """Return ({}, da_x).

    With s = f + i, a = f / s and b = i / s * g,

        df = (da - db * g) * i / s^2      di = -(da - db * g) * f / s^2      dg = db * i / s

    Each gate has two uses, above and below the line, in both.

    Shapes: da, db (..., H), da_x (..., 3H).
    """
    i, f, g = gates
    total = f + i + SMALLEST
    dshare = (da - db * g) / total  # the gradient of a = 1 - i / s, over s
    das = (
        -dshare * (f / total) * sigmoid.derivative(i),
        dshare * (i / total) * sigmoid.derivative(f),
        db * (i / total) * activations.g.derivative(g),
    )
    return {}, np.concatenate(das, axis=-1)


def min_lstm(
    *,
    g: Activation = identity,
    forget_bias: float = 1.0,
    W_x: Initializer = glorot_uniform,
    b: Initializer = zeros,
) -> LinearCell:
    """Return minLSTM with an activation, a forget bias and initializers of your choice.

    Raises: TypeError for anything that is not an Activation, ValueError for a bias that is not a
    finite number.
    """
    check_activations(g=g)
    forget_bias = check_number("forget_bias", forget_bias)
    init: Any = Bound(min_lstm_init, forget_bias=forget_bias, W_x=W_x, b=b)
    return linear_cell(
        "MinLSTM",
        "ifg",
        init,
        min_lstm_coefficients,
        min_lstm_coefficients_backward,
        MinLSTMActivations(g),
    )


MinLSTM = min_lstm()
"""minLSTM as in the paper, with a forget bias from 1."""
