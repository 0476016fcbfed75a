"""The mistakes of assignment 1: its functions with a switch for each mistake, and their names."""

from collections.abc import Callable
from typing import Any

import numpy as np

from rnn_tutorial.tree import tree_add, tree_scale, tree_zeros_like
from rnn_tutorial.types import Array, Tree

__all__ = [
    "BATCH",
    "NORMS",
    "OVER_TIME",
    "OVER_TIME_BACK",
    "SLOPE",
    "STATE_BACK",
    "STEP",
    "STEP_BACK",
    "backward",
    "forward",
    "last_step_only",
    "norms",
    "step",
    "step_backward",
]


def step(
    params: Tree,
    x: Array,
    h_previous: Array,
    *,
    f: Callable[[Array], Array] = np.tanh,
    bias: bool = True,
    old: bool = True,
    transposed: bool = False,
) -> Array:
    """Return h of one step, right unless a switch is set."""
    W_h = params.W_h.T if transposed else params.W_h
    return f(x @ params.W_x + old * (h_previous @ W_h) + bias * params.b)


def forward(
    params: Tree,
    xs: Array,
    h_first: Array,
    *,
    carry: bool = True,
    first: bool = True,
    order: int = 1,
    **mistake: Any,
) -> Array:
    """Return hs of all steps, right unless a switch is set."""
    h, hs = h_first * first, []
    for x in xs[::order]:
        hs.append(step(params, x, h, **mistake))
        h = hs[-1] if carry else h
    return np.stack(hs)


def slope(h: Array) -> Array:
    """Return the derivative of tanh, from its value."""
    return 1 - h**2


def step_backward(
    params: Tree,
    x: Array,
    h_previous: Array,
    h: Array,
    dh: Array,
    *,
    slope: Callable[[Array], Array] = slope,
    transposed: bool = True,
    new: bool = False,
    own: bool = False,
    back: bool = False,
    of: int = 0,
) -> tuple[Tree, Array, Array]:
    """Return (dparams, dx, dh_previous) of one step, right unless a switch is set.

    of: the first sequence whose part is added to dparams.
    """
    da = dh * slope(h)
    rows, of_params, of_state = (
        (h if new else h_previous)[of:],
        (dh if own else da)[of:],
        dh if back else da,
    )
    dparams = params._replace(
        W_x=x[of:].T @ of_params, W_h=rows.T @ of_params, b=of_params.sum(axis=0)
    )
    return dparams, da @ params.W_x.T, of_state @ (params.W_h.T if transposed else params.W_h)


def backward(
    params: Tree,
    xs: Array,
    h_first: Array,
    hs: Array,
    dhs: Array,
    dh_last: Array,
    *,
    carry: int = 1,
    last: int = 1,
    always: int = 0,
    out: int = 1,
    add: bool = True,
    first: int = 1,
    wrap: int = 0,
    stop: int = 0,
    mean: bool = False,
    **mistake: Any,
) -> tuple[Tree, Array, Array]:
    """Return (dparams, dxs, dh_first) of all steps, right unless a switch is set."""
    previous = [hs[-1] if wrap else h_first * first, *hs[:-1]]
    dparams, dxs, dh = tree_zeros_like(params), np.zeros_like(xs), last * dh_last
    for t in range(len(xs) - 1, stop - 1, -1):
        later = t < len(xs) - 1
        arriving = (carry if later else 1) * dh + out * dhs[t] + always * later * dh_last
        dparams_t, dxs[t], dh = step_backward(
            params, xs[t], previous[t], hs[t], arriving, **mistake
        )
        dparams = tree_add(dparams, dparams_t) if add else dparams_t
    return tree_scale(1 / len(xs), dparams) if mean else dparams, dxs, dh


def last_step_only(
    params: Tree, xs: Array, h_first: Array, hs: Array, dhs: Array, dh_last: Array
) -> tuple[Tree, Array, Array]:
    """Return (dparams, dxs, dh_first), where dparams is that of the last step alone."""
    right = backward(params, xs, h_first, hs, dhs, dh_last)
    return step_backward(params, xs[-1], hs[-2], hs[-1], dhs[-1] + dh_last)[0], *right[1:]


def euclidean(dh: Array) -> Array:
    """Return the Euclidean norm of each row."""
    return np.linalg.norm(dh, axis=1)


def norms(
    params: Tree,
    hs: Array,
    dh_last: Array,
    *,
    slope: Callable[[Array], Array] = slope,
    transposed: bool = True,
    shift: int = 0,
    measure: Callable[[Array], Any] = euclidean,
) -> Array:
    """Return the norms of the gradients at all states, right unless a switch is set."""
    dhs = [dh_last]
    for h in hs[::-1]:
        dhs.append((dhs[-1] * slope(h)) @ (params.W_h.T if transposed else params.W_h))
    return np.stack([measure(dh) for dh in dhs[shift : shift + len(hs)][::-1]])


def sigmoid(a: Array) -> Array:
    """Return 1 / (1 + exp(-a))."""
    return 1 / (1 + np.exp(-a))


# The mistakes: rows of (name, hint, switches that make it)

STEP = (
    (
        "bias missing",
        "One of the three terms of the pre-activation is not in your sum: equation (1.6).",
        {"bias": False},
    ),
    (
        "old state not used",
        "Your h does not depend on the state before it: equation (1.6) has three terms.",
        {"old": False},
    ),
    (
        "activation missing",
        "What you return is the pre-activation a. Equation (1.7) is still to come.",
        {"f": np.copy},
    ),
    (
        "another activation",
        "That is a sigmoid. The cell of this assignment has tanh, equation (1.7).",
        {"f": sigmoid},
    ),
    (
        "weight transposed",
        "Rows and columns of W_h are exchanged. W_h is square, so no shape complains: see the "
        "order of the indices in (1.5).",
        {"transposed": True},
    ),
)
OVER_TIME = (
    (
        "carry lost between steps",
        "Each of your steps starts from the same state. From which should step t start?",
        {"carry": False},
    ),
    ("first state taken for zero", "Your first step does not use h_first.", {"first": False}),
    ("time runs backwards", "Your loop reads the sequence from its end.", {"order": -1}),
)
SLOPE = (
    (
        "derivative of the activation missing",
        "On the way back through tanh a factor is missing: equation (2.6).",
        {"slope": np.ones_like},
    ),
    (
        "derivative of the activation wrong",
        "The slope of tanh is written with its output. Look again at (2.6), at every sign and "
        "power.",
        {"slope": lambda h: 1 - h},
    ),
    (
        "derivative of the activation wrong",
        "The slope of tanh is written with its output. Look again at (2.6), at every sign and "
        "power.",
        {"slope": lambda h: 1 + h**2},
    ),
    (
        "derivative taken at the wrong place",
        "Your slope takes the tanh of h, but h is a tanh already.",
        {"slope": lambda h: 1 - np.tanh(h) ** 2},
    ),
    (
        "derivative of another activation",
        "This is the slope of a sigmoid. The cell of this assignment has tanh, equation (2.6).",
        {"slope": lambda h: h * (1 - h)},
    ),
    (
        "activation in the place of its derivative",
        "You multiply by tanh itself. Its gradient needs the slope: equation (2.6).",
        {"slope": np.copy},
    ),
)
STATE_BACK = (
    (
        "weight transposed",
        "On the way back through a product, the matrix is used the other way round: compare the "
        "indices in (2.12) and (1.5).",
        {"transposed": False},
    ),
)
STEP_BACK = (
    (
        "new state for the old one",
        "W_h multiplies the state before the step, so its gradient is made with that state: "
        "equation (2.9).",
        {"new": True},
    ),
    (
        "derivative of the activation missing",
        "The parameters are inside the tanh: their gradients are made with da, not with dh, "
        "equations (2.8) to (2.10).",
        {"own": True},
    ),
    (
        "derivative of the activation missing",
        "The path to the old state leads through the tanh as well: equation (2.12) begins with da.",
        {"back": True},
    ),
)
BATCH = (
    (
        "not summed over the batch",
        "Every sequence of the batch adds its part to the gradient of a weight. Yours is the part "
        "of one of them: see (2.8).",
        {"of": -1},
    ),
)
OVER_TIME_BACK = (
    (
        "carry lost between steps",
        "Each step passes a gradient to the step before it, and in your loop none arrives: "
        "equations (3.5) and (3.10).",
        {"carry": 0},
    ),
    (
        "gradient of the last state ignored",
        "One argument is not in your answer: where does dh_last enter (3.10)?",
        {"last": 0},
    ),
    (
        "gradient of the last state at every step",
        "The gradient dh_last belongs to one state only: equation (3.3).",
        {"always": 1},
    ),
    (
        "gradients of the outputs ignored",
        "Every h_t also has a gradient from its own loss: the first term of (3.10).",
        {"out": 0},
    ),
    (
        "counted twice",
        "Each h_t has two uses, so dh_t has two terms. One of yours is there twice: (3.10).",
        {"out": 2},
    ),
    (
        "not accumulated over time",
        "A weight is used at every step. You keep the gradient of one use: (3.13).",
        {"add": False},
    ),
    (
        "first state taken for zero",
        "The state before the first step is an argument: look at t = 1 in (3.13).",
        {"first": 0},
    ),
    (
        "last state taken for the first",
        "The state before the first step is h_first. An index of -1 does not go before the "
        "beginning: it is the last.",
        {"wrap": 1},
    ),
    (
        "first step left out",
        "Your loop ends one step too early. At which t does it stop, and which t has the first "
        "step?",
        {"stop": 1},
    ),
    (
        "mean for sum",
        "The gradient of a weight that is used T times is a sum over the uses: equation (3.13).",
        {"mean": True},
    ),
)
NORMS = (
    (
        "off by one step",
        "The last row is the gradient at h_T, before any step back has been taken.",
        {"shift": 1},
    ),
    ("another norm", "This is the square of a norm.", {"measure": lambda dh: (dh**2).sum(axis=1)}),
    (
        "another norm",
        "The norm meant here is the Euclidean one.",
        {"measure": lambda dh: np.abs(dh).sum(axis=1)},
    ),
    (
        "another norm",
        "The norm meant here is the Euclidean one.",
        {"measure": lambda dh: np.abs(dh).max(axis=1)},
    ),
    (
        "sum over the batch",
        "Each sequence has its own norm: rows are steps, columns are sequences.",
        {"measure": lambda dh: np.full(len(dh), np.linalg.norm(dh))},
    ),
)
