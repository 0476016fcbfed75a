"""minGRU: the GRU without a reset gate, whose gate and candidate do not read h.

    a_x = x @ W_x + b
    z = sigmoid(a_z)      n = a_n
    h = z * h_previous + (1 - z) * n

So h = a * h_previous + b with a = z and b = (1 - z) * n. z says how much of the old state is kept,
as in `gru.py`; the paper writes 1 - z for it. The candidate has no tanh.

With `min_gru(z=tanh)`, z is between -1 and 1, and the cell can turn its state around: h = 1 - h for
z = -1 and n = 1/2.

Source: Feng, Tung, Ahmed, Bengio & Hajimirsadeghi 2024, "Were RNNs all we needed?", section 3.1;
Grazzi et al. 2024, "Unlocking state-tracking in linear RNNs through negative eigenvalues", for the
range from -1 to 1.
"""

from typing import Any, NamedTuple

import numpy as np

from rnn_tutorial.activations import Activation, check_activations, identity, sigmoid
from rnn_tutorial.bound import Bound
from rnn_tutorial.cells.gates import gate_blocks
from rnn_tutorial.cells.linear import LinearCell, LinearParams, init_linear, linear_cell
from rnn_tutorial.initializers import glorot_uniform, zeros
from rnn_tutorial.types import Array, Initializer, Rng

__all__ = [
    "MinGRU",
    "MinGRUActivations",
    "MinGRUGates",
    "min_gru",
    "min_gru_coefficients",
    "min_gru_coefficients_backward",
    "min_gru_init",
]


class MinGRUGates(NamedTuple):
    """One field for each gate: values, or pre-activations."""

    z: Array  # how much of the old state is kept
    n: Array  # the candidate: the new content


class MinGRUActivations(NamedTuple):
    """The activation of each gate."""

    z: Activation = sigmoid
    n: Activation = identity


def min_gru_init(
    rng: Rng,
    input_size: int,
    hidden_size: int,
    *,
    W_x: Initializer = glorot_uniform,
    b: Initializer = zeros,
) -> LinearParams:
    """Return LinearParams: the block of z and that of n are drawn by themselves by W_x and b.

    Raises: TypeError unless `rng` is a generator, ValueError for sizes that are not positive whole
    numbers.
    """
    return init_linear(rng, input_size, hidden_size, 2, W_x, b)


def min_gru_coefficients(
    params: LinearParams, a_x: Array, *, activations: MinGRUActivations = MinGRUActivations()
) -> tuple[Array, Array, MinGRUGates]:
    """Return (a, b, MinGRUGates): a = z and b = (1 - z) * n.

    Shapes: a_x (..., 2H); a, b and the gates (..., H).
    """
    a_z, a_n = gate_blocks(a_x, MinGRUGates)
    z, n = activations.z.f(a_z), activations.n.f(a_n)
    return z, (1 - z) * n, MinGRUGates(z, n)


def min_gru_coefficients_backward(
    params: LinearParams,
    gates: MinGRUGates,
    da: Array,
    db: Array,
    *,
    activations: MinGRUActivations = MinGRUActivations(),
) -> tuple[dict[str, Array], Array]:
    """Return ({}, da_x).

        dz = da - db * n      dn = db * (1 - z)

    z is used twice, as a and in b.

    Shapes: da, db (..., H), da_x (..., 2H).
    """
    z, n = gates
    dz, dn = da - db * n, db * (1 - z)
    das = dz * activations.z.derivative(z), dn * activations.n.derivative(n)
    return {}, np.concatenate(das, axis=-1)


def min_gru(
    *,
    z: Activation = sigmoid,
    n: Activation = identity,
    W_x: Initializer = glorot_uniform,
    b: Initializer = zeros,
) -> LinearCell:
    """Return minGRU with activations and initializers of your choice.

    Raises: TypeError for anything that is not an Activation.
    """
    check_activations(z=z, n=n)
    init: Any = Bound(min_gru_init, W_x=W_x, b=b)
    return linear_cell(
        "MinGRU",
        "zn",
        init,
        min_gru_coefficients,
        min_gru_coefficients_backward,
        MinGRUActivations(z, n),
    )


MinGRU = min_gru()
"""minGRU as in the paper: a sigmoid gate, a candidate without a tanh, biases from zero."""
