"""The mistakes of assignment 3, from the state back to the pre-activations of the gates."""

from collections.abc import Callable
from typing import Any

import numpy as np

from rnn_course.questions.gru_forward import COMPLEMENT, FORM, Z_CONVENTION, sigmoid
from rnn_tutorial.cells.gates import gate_blocks
from rnn_tutorial.cells.gru import GRUGates, GRUParams
from rnn_tutorial.types import Array

__all__ = [
    "CHUNG",
    "CHUNG_GATES",
    "CHUNG_HINT",
    "MEAN",
    "PATH",
    "RESET_AFTER",
    "SLOPES",
    "gradients",
    "through_gates",
]

PATH, MISSING = "path missing", "derivative of the activation missing"


def slope_of_sigmoid(y: Array) -> Array:
    """Return the derivative of the sigmoid, from its value."""
    return y * (1 - y)


def slope_of_tanh(y: Array) -> Array:
    """Return the derivative of tanh, from its value."""
    return 1 - y**2


def of_z(dh: Array, h: Array, z: Array, n: Array) -> Array:
    """Return dz of the mean z * h + (1 - z) * n."""
    return dh * (h - n)


def of_n(dh: Array, z: Array) -> Array:
    """Return dn of the mean."""
    return dh * (1 - z)


def of_reset(da_n: Array, dn: Array, r: Array, s: Array, h: Array, W: Array) -> tuple[Array, Array]:
    """Return (dr, ds) of the product r * s."""
    return da_n * s, da_n * r


def through_gates(
    gates: GRUGates,
    h: Array,
    dh: Array,
    to_r: Callable[[Array, Array], tuple[Array, ...]],
    *,
    dz: Callable[..., Array] = of_z,
    dn: Callable[..., Array] = of_n,
    slope_r: Callable[..., Array] = slope_of_sigmoid,
    slope_z: Callable[..., Array] = slope_of_sigmoid,
    slope_n: Callable[..., Array] = slope_of_tanh,
) -> tuple[GRUGates, list[Array]]:
    """Return (da, rest), right unless a switch is set.

    to_r: (da_n, dn) -> (dr, *rest), the gradients on the path from the candidate to the reset gate.
    """
    r, z, n = gates
    da_n = dn(dh, z) * slope_n(n)
    dr, *rest = to_r(da_n, dn(dh, z))
    return GRUGates(dr * slope_r(r), dz(dh, h, z, n) * slope_z(z), da_n), rest


def gradients(
    params: GRUParams,
    h_previous: Array,
    gates: GRUGates,
    dh: Array,
    *,
    product: Callable[..., tuple[Array, ...]] = of_reset,
    bias: int = 1,
    **mistake: Any,
) -> tuple[GRUGates, Array]:
    """Return (da, ds) of one step, reset after the matrix, right unless a switch is set."""
    W_hn = gate_blocks(params.W_h, GRUGates).n
    s = h_previous @ W_hn + bias * params.b_hn
    da, (ds,) = through_gates(
        gates,
        h_previous,
        dh,
        lambda da_n, dn: product(da_n, dn, gates.r, s, h_previous, W_hn),
        **mistake,
    )
    return da, ds


# The mistakes: rows of (name, hint, switches that make it)

WRONG_PLACE, ANOTHER = "derivative taken at the wrong place", "derivative of another activation"
SLOPES = tuple(
    row
    for g in "rz"
    for row in (
        (
            MISSING,
            f"What arrives at {g} still has to go back through its sigmoid: (12.14).",
            {f"slope_{g}": np.ones_like},
        ),
        (
            ANOTHER,
            f"The gate {g} is a sigmoid; this is the slope of tanh: (12.14).",
            {f"slope_{g}": slope_of_tanh},
        ),
        (
            WRONG_PLACE,
            f"Your slope takes the sigmoid of {g}, but {g} is a sigmoid already: (12.14).",
            {f"slope_{g}": lambda y: slope_of_sigmoid(sigmoid(y))},
        ),
        (
            "activation in the place of its derivative",
            f"You multiply by {g} itself. The way back needs the slope: (12.14).",
            {f"slope_{g}": np.copy},
        ),
        (
            "activation in the place of its derivative",
            f"You multiply by the sigmoid of {g}. Its slope belongs there: (12.14).",
            {f"slope_{g}": sigmoid},
        ),
    )
) + (
    (
        MISSING,
        "What arrives at the candidate still has to go back through its tanh: (12.12).",
        {"slope_n": np.ones_like},
    ),
    (
        ANOTHER,
        "The candidate is a tanh; this is the slope of a sigmoid: (12.12).",
        {"slope_n": slope_of_sigmoid},
    ),
    (
        "derivative of the activation wrong",
        "Look at every sign and power of the slope of tanh in (12.12).",
        {"slope_n": lambda y: 1 - y},
    ),
    (
        WRONG_PLACE,
        "Your slope takes the tanh of n, but n is a tanh already: (12.12).",
        {"slope_n": lambda y: slope_of_tanh(np.tanh(y))},
    ),
)
MEAN = (
    (
        PATH,
        "Opening z does two things in (12.2): it keeps more of the old and takes less of the new. "
        "Yours does one of them.",
        {"dz": lambda dh, h, z, n: dh * h},
    ),
    (
        PATH,
        "Opening z does two things in (12.2): it keeps more of the old and takes less of the new. "
        "Yours does one of them.",
        {"dz": lambda dh, h, z, n: -dh * n},
    ),
    (
        "sign",
        "Opening z brings in the old and takes out the new. Which has the minus? (12.11).",
        {"dz": lambda dh, h, z, n: dh * (n - h)},
    ),
    (
        "sign",
        "Where z grows, the share of the candidate shrinks: (12.11).",
        {"dz": lambda dh, h, z, n: dh * (h + n)},
    ),
    (
        "one minus a gradient",
        "On the way back through 1 - z you take one minus a gradient. A gradient is multiplied by "
        "a slope. Which is it? (12.11).",
        {"dz": lambda dh, h, z, n: dh * h + (1 - dh * n)},
    ),
    (
        COMPLEMENT,
        "By what is the candidate multiplied in (12.2)? Its gradient goes back through the same "
        "factor.",
        {"dn": lambda dh, z: dh * z},
    ),
    (
        "gate missing on the way back",
        "The candidate is only a part of the state. By what is it multiplied in (12.2)?",
        {"dn": lambda dh, z: dh},
    ),
)
RESET_AFTER = (
    (
        "reset gate missing on the way back",
        "The reset gate is between s and the candidate, on the way back as well: (12.13).",
        {"product": lambda da_n, dn, r, s, h, W: (da_n * s, da_n)},
    ),
    (
        "bias missing",
        "What the reset gate multiplied was all of s. Your s lacks the bias: (12.4).",
        {"bias": 0},
    ),
    (
        FORM,
        "Your reset gate multiplied the old state. In this question it multiplied s, after the "
        "matrix: (12.13).",
        {"product": lambda da_n, dn, r, s, h, W: ((da_n @ W.T) * h, da_n * r)},
    ),
    (
        "matrix missing",
        "Your reset gate multiplied the old state itself. In this question it multiplied s: (12.4) "
        "and (12.13).",
        {"product": lambda da_n, dn, r, s, h, W: (da_n * h, da_n * r)},
    ),
    (
        "factors of a product exchanged",
        "In a product each factor is multiplied by the other: look at (12.13) again.",
        {"product": lambda da_n, dn, r, s, h, W: (da_n * r, da_n * s)},
    ),
    (
        MISSING,
        "The product of r and s is inside the tanh: both of its gradients begin with da_n, "
        "(12.13).",
        {"product": lambda da_n, dn, r, s, h, W: (dn * s, dn * r)},
    ),
)
CHUNG_HINT = (
    "This is the way back of (12.9). The forward pass of this question is (12.2), where z "
    "multiplies the old state."
)
CHUNG = {"dz": lambda dh, h, z, n: dh * (n - h), "dn": lambda dh, z: dh * z}
CHUNG_GATES = ((Z_CONVENTION, CHUNG_HINT, CHUNG),)
