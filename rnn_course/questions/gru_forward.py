"""The mistakes of assignment 3, forward: both forms with a switch for each mistake."""

from collections.abc import Callable
from typing import Any

import numpy as np

from rnn_tutorial.cells.gru import GRUGates, GRUParams
from rnn_tutorial.cells.gru_before import GRUBeforeParams
from rnn_tutorial.types import Array

__all__ = [
    "COMPLEMENT",
    "FORM",
    "N",
    "R",
    "RESET_AFTER",
    "RESET_BEFORE",
    "STEP",
    "Z",
    "Z_CONVENTION",
    "before_step",
    "sigmoid",
    "step",
]

R, Z, N = range(3)


def sigmoid(a: Array) -> Array:
    """Return 1 / (1 + exp(-a))."""
    return 1 / (1 + np.exp(-a))


def reset_after(r: Array, z: Array, a: Array, h: Array, W: Array, c: Array) -> Array:
    """Return the candidate's pre-activation, reset after the matrix."""
    return a + r * (h @ W + c)


def reset_before(r: Array, z: Array, a: Array, h: Array, W: Array, c: Array) -> Array:
    """Return the candidate's pre-activation, reset before the matrix."""
    return a + (r * h) @ W


def weighted_mean(r: Array, z: Array, h: Array, n: Array) -> Array:
    """Return the new state."""
    return z * h + (1 - z) * n


def step(
    params: GRUParams | GRUBeforeParams,
    x: Array,
    h_previous: Array,
    *,
    candidate: Callable[..., Array] = reset_after,
    mean: Callable[..., Array] = weighted_mean,
    gate: Callable[[Array], Array] = sigmoid,
    f: Callable[[Array], Array] = np.tanh,
    order: tuple[int, ...] = (R, Z, N),
    biases: tuple[int, ...] = (R, Z, N),
    bias: int = 1,
    seen: int = 1,
    turned: bool = False,
) -> tuple[Array, GRUGates]:
    """Return (h, gates) of one step, right unless a switch is set."""
    recurrent = (
        params.W_h if isinstance(params, GRUParams) else np.hstack([params.W_h, params.W_hn])
    )
    W_x, W_h, b = (np.split(leaf, 3, axis=-1) for leaf in (params.W_x, recurrent, params.b))
    W_h = [block.T if turned else block for block in W_h]
    a = [x @ W_x[k] + bias * b[biases[k]] for k in order]
    r, z = (gate(a[k] + seen * h_previous @ W_h[order[k]]) for k in (R, Z))
    n = f(candidate(r, z, a[N], h_previous, W_h[N], getattr(params, "b_hn", 0)))
    return mean(r, z, h_previous, n), GRUGates(r, z, n)


def before_step(
    params: GRUParams | GRUBeforeParams,
    x: Array,
    h_previous: Array,
    *,
    candidate: Callable[..., Array] = reset_before,
    **mistake: Any,
) -> tuple[Array, GRUGates]:
    """Return (h, gates) of one step, reset before the matrix, right unless a switch is set."""
    return step(params, x, h_previous, candidate=candidate, **mistake)


# The mistakes: rows of (name, hint, switches that make it)

Z_CONVENTION = "the other convention for z"
FORM = "the other form of the GRU"
COMPLEMENT = "gate for its complement"

STEP = (
    (
        "bias missing",
        "The pre-activations of both gates and of the candidate have a bias each: (12.3) and "
        "(12.5).",
        {"bias": 0},
    ),
    (
        "bias of another gate",
        "Look at which block of b your update gate adds.",
        {"biases": (R, R, N)},
    ),
    (
        "bias of another gate",
        "Look at which block of b your reset gate adds.",
        {"biases": (Z, Z, N)},
    ),
    (
        "gates in another order",
        "You take the first block for z and the second for r. The order here is r, z, n; Keras and "
        "ONNX have yours.",
        {"order": (Z, R, N)},
    ),
    (
        "weight transposed",
        "Rows and columns are exchanged in the blocks of W_h. They are square, so no shape "
        "complains: see the order in (12.3).",
        {"turned": True},
    ),
    (
        "old state not used",
        "Your gates look at the input alone. Equation (12.3) has one more product.",
        {"seen": 0},
    ),
    (
        "activation missing",
        "The gates are shares, between 0 and 1. Yours are still pre-activations: (12.3).",
        {"gate": np.copy},
    ),
    (
        "activation missing",
        "The candidate you return is a pre-activation. Equation (12.5) goes on.",
        {"f": np.copy},
    ),
    (
        "another activation",
        "Your gates have the tanh. Which function do shares between 0 and 1 come from? (12.3).",
        {"gate": np.tanh},
    ),
    (
        "another activation",
        "Your gates are twice as steep as the sigmoid: a tanh was moved and halved, but not its "
        "argument.",
        {"gate": lambda a: (np.tanh(a) + 1) / 2},
    ),
    (
        "another activation",
        "Your candidate has the sigmoid. It must be able to be negative: (12.5).",
        {"f": sigmoid},
    ),
    (
        Z_CONVENTION,
        "In (12.2) an open update gate keeps. In your function it updates, as in Chung et al.: "
        "equation (12.9).",
        {"mean": lambda r, z, h, n: (1 - z) * h + z * n},
    ),
    (
        "old state not kept",
        "Equation (12.2) is a mean of two things, and you have one of them.",
        {"mean": lambda r, z, h, n: (1 - z) * n},
    ),
    (
        "the shares do not add up to one",
        "The more z keeps of the old, the less it takes of the new: look at the second term of "
        "(12.2).",
        {"mean": lambda r, z, h, n: z * h + n},
    ),
    (
        "the shares do not add up to one",
        "You give the old and the new the same share. Look at the second term of (12.2).",
        {"mean": lambda r, z, h, n: z * h + z * n},
    ),
    (
        "one gate for another",
        "Your state is mixed by the reset gate. Which gate does (12.2) have?",
        {"mean": lambda r, z, h, n: r * h + (1 - r) * n},
    ),
)
NO_RESET = (
    "The candidate does not see the whole of the old state. Where is the reset gate in yours?"
)
RESET_AFTER = (
    ("reset gate missing", NO_RESET, {"candidate": lambda r, z, a, h, W, c: a + h @ W + c}),
    (
        FORM,
        "You reset the state, then multiply by the matrix. This question has the reset after the "
        "matrix: (12.4) and (12.5).",
        {"candidate": lambda r, z, a, h, W, c: a + (r * h) @ W + c},
    ),
    (
        FORM,
        "You reset the state, then multiply by the matrix, and b_hn is missing: compare (12.6) "
        "with (12.4) and (12.5).",
        {"candidate": lambda r, z, a, h, W, c: a + (r * h) @ W},
    ),
    (
        "bias outside the reset",
        "The bias b_hn belongs to s, and the reset gate multiplies all of s: (12.4) and (12.5).",
        {"candidate": lambda r, z, a, h, W, c: a + r * (h @ W) + c},
    ),
    (
        "bias missing",
        "One parameter is not in your answer: where does b_hn enter (12.4)?",
        {"candidate": lambda r, z, a, h, W, c: a + r * (h @ W)},
    ),
    (
        "reset gate on the input as well",
        "Your reset gate multiplies what comes from the input too. What is inside the reset in "
        "(12.5), and what is outside?",
        {"candidate": lambda r, z, a, h, W, c: r * (a + h @ W + c)},
    ),
    (
        "reset gate on the input as well",
        "Your reset gate multiplies what comes from the input, and not b_hn. Draw the bracket of "
        "(12.5) again, with (12.4) in it.",
        {"candidate": lambda r, z, a, h, W, c: r * (a + h @ W) + c},
    ),
    (
        "reset gate on the input as well",
        "Your reset gate multiplies what comes from the input, and b_hn is missing: (12.4) and "
        "(12.5).",
        {"candidate": lambda r, z, a, h, W, c: r * (a + h @ W)},
    ),
    (
        COMPLEMENT,
        "Where your reset gate is open, the candidate does not see the old state: (12.5).",
        {"candidate": lambda r, z, a, h, W, c: a + (1 - r) * (h @ W + c)},
    ),
    (
        "one gate for another",
        "Your candidate is reset by the update gate: (12.5).",
        {"candidate": lambda r, z, a, h, W, c: a + z * (h @ W + c)},
    ),
)
RESET_BEFORE = (
    ("reset gate missing", NO_RESET, {"candidate": lambda r, z, a, h, W, c: a + h @ W}),
    (
        "reset gate on the input as well",
        "Your reset gate multiplies what comes from the input too. What is it that (12.6) resets?",
        {"candidate": lambda r, z, a, h, W, c: r * (a + h @ W)},
    ),
    (
        FORM,
        "You multiply by the matrix, then reset the product. This question has the reset before "
        "the matrix: (12.6).",
        {"candidate": lambda r, z, a, h, W, c: a + r * (h @ W)},
    ),
    (
        COMPLEMENT,
        "Where your reset gate is open, the candidate does not see the old state: (12.6).",
        {"candidate": lambda r, z, a, h, W, c: a + ((1 - r) * h) @ W},
    ),
    (
        "one gate for another",
        "Your candidate is reset by the update gate: (12.6).",
        {"candidate": lambda r, z, a, h, W, c: a + (z * h) @ W},
    ),
)
