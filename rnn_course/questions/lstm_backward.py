"""The mistakes of assignment 2, backward: a switch for each, of the step and of the sequence."""

from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np

from rnn_course.questions.lstm_forward import F, G, I, O
from rnn_course.questions.lstm_gates import PATH, both_paths, gradients
from rnn_tutorial.cells.lstm import LSTMGates, LSTMParams, LSTMState
from rnn_tutorial.train.clipping import clip_by_global_norm
from rnn_tutorial.tree import tree_add, tree_scale
from rnn_tutorial.types import Array

__all__ = ["LOST", "OVER_TIME", "PRODUCTS", "backward", "step_backward"]


def old_h(previous: LSTMState, h: Array) -> Array:
    """Return what W_h multiplied, which is a factor of its gradient."""
    return previous.h


def step_backward(
    params: LSTMParams,
    x: Array,
    previous: LSTMState,
    gates: LSTMGates,
    c: Array,
    dstate: LSTMState,
    *,
    order: tuple[int, ...] = (I, F, O, G),
    factor: Callable[..., Array] = old_h,
    old: str = "c",
    lost: int | None = None,
    turned: bool = False,
    overwritten: bool = False,
    pasted: bool = False,
    **mistake: Any,
) -> tuple[LSTMParams, Array, LSTMState]:
    """Return (dparams, dx, dprevious) of one step, right unless a switch is set."""
    da, dc_previous = gradients(gates, getattr(previous, old), c, *dstate, **mistake)
    block = np.concatenate([da[k] for k in order], axis=1)
    db = block.sum(axis=0)
    if pasted:
        db = np.concatenate([da[k].sum(axis=0) for k in (F, F, F, G)])
    dparams = LSTMParams(x.T @ block, factor(previous, gates.o * np.tanh(c)).T @ block, db)
    through = [k for k in range(4) if k != lost]
    blocks = np.split(block, 4, axis=1)
    W_x, W_h = (np.split(W, 4, axis=1) for W in params[:2])
    dx = sum(blocks[k] @ W_x[k].T for k in through)
    dh_previous = sum(blocks[k] @ (W_h[k] if turned else W_h[k].T) for k in through)
    if overwritten:
        dc_previous = both_paths(dh_previous, dstate.c, gates, c) * gates.f
    return dparams, dx, LSTMState(dh_previous, dc_previous)


def backward(
    params: LSTMParams,
    xs: Array,
    first: LSTMState,
    states: LSTMState,
    gates: LSTMGates,
    dhs: Array,
    dlast: LSTMState,
    *,
    carry_h: int = 1,
    carry_c: int = 1,
    last_h: int = 1,
    last_c: int = 1,
    always: int = 0,
    out: int = 1,
    out_c: int = 0,
    uses: slice = slice(None),
    first_h: int = 1,
    first_c: int = 1,
    before: str = "first",
    crossed: bool = False,
    mean: bool = False,
    clip: bool = False,
    direction: int = -1,
    stack: int = -1,
    **mistake: Any,
) -> tuple[LSTMParams, Array, LSTMState]:
    """Return (dparams, dxs, dfirst) of all steps, right unless a switch is set."""
    first = LSTMState(first_h * first.h, first_c * first.c)
    after = [LSTMState(*state) for state in zip(*states)]
    previous = {"first": [first, *after[:-1]], "last": [after[-1], *after[:-1]], "after": after}[
        before
    ]
    dstate, parts, dxs = LSTMState(last_h * dlast.h, last_c * dlast.c), [], list[Array]()
    for t in range(len(xs))[::direction]:
        later = len(dxs) > 0
        dstate = LSTMState(*dstate[::-1]) if crossed else dstate
        dh = dstate.h * (carry_h if later else 1) + out * dhs[t] + always * later * dlast.h
        dc = dstate.c * (carry_c if later else 1) + out_c * dhs[t] + always * later * dlast.c
        values = LSTMGates(*(gate[t] for gate in gates))
        part, dx, dstate = step_backward(
            params, xs[t], previous[t], values, after[t].c, LSTMState(dh, dc), **mistake
        )
        parts.append(part)
        dxs.append(dx)
    dparams = tree_scale(1 / len(xs) if mean else 1, reduce(tree_add, parts[uses]))
    return clip_by_global_norm(dparams, 0.25) if clip else dparams, np.stack(dxs[::stack]), dstate


# The mistakes: rows of (name, hint, switches that make it)

ORDER, ORDER_HINT = (
    "gates in another order",
    "You lay the four gradients side by side in another order than the blocks of the parameters: "
    "(10.21).",
)
FOUR_USES = (
    "The input and the old h are in all four lines of (10.1). The path back through one gate is "
    "missing: (10.20)."
)
PRODUCTS = (
    (ORDER, ORDER_HINT, {"order": (I, F, G, O)}),
    (ORDER, ORDER_HINT, {"order": (I, O, F, G)}),
    (ORDER, ORDER_HINT, {"order": (F, I, O, G)}),
    (
        "weight transposed",
        "On the way back, a block of W_h is used the other way round. A block is square, so no "
        "shape complains: (10.20).",
        {"turned": True},
    ),
    (
        "new state for the old one",
        "W_h multiplies the h from before the step, so its gradient is made with that one: "
        "(10.22).",
        {"factor": lambda previous, h: h},
    ),
    (
        "h and c exchanged",
        "W_h multiplies h, not c: which of the two belongs in its gradient? (10.22).",
        {"factor": lambda previous, h: previous.c},
    ),
    (
        "h and c exchanged",
        "The forget gate multiplied the old cell. You use the old h in its gradient: (10.15).",
        {"old": "h"},
    ),
    (
        "gradient overwritten before its last use",
        "You made the cell's gradient with the dh of the step before, not of this one. Did you use "
        "one name for two things?",
        {"overwritten": True},
    ),
    (
        "gradients of two gates exchanged",
        "The biases of several gates get the gradient of one: (10.18), once for each gate.",
        {"pasted": True},
    ),
)
LOST = tuple((PATH, FOUR_USES, {"lost": gate}) for gate in (I, F, O, G))
FORWARD_HINT = (
    "Your loop goes from the first step to the last. Which step of (10.25) can be computed first?"
)
OVER_TIME = (
    (
        "carry lost between steps",
        "Each step passes two gradients to the step before it, and in your loop none arrives: "
        "(10.25).",
        {"carry_h": 0, "carry_c": 0},
    ),
    (
        "carry lost between steps",
        "You carry the gradient of c back, and not that of h: (10.25) has two lines.",
        {"carry_h": 0},
    ),
    (
        "carry lost between steps",
        "You carry the gradient of h back, and not that of c: (10.25) has two lines.",
        {"carry_c": 0},
    ),
    (
        "gradient of the last state ignored",
        "One argument is not in your answer: where does dlast enter (10.25)?",
        {"last_h": 0, "last_c": 0},
    ),
    (
        "gradient of the last state ignored",
        "The gradient that arrives at the last h is not in your answer: (10.25).",
        {"last_h": 0},
    ),
    (
        "gradient of the last state ignored",
        "The gradient that arrives at the last c is not in your answer: (10.25).",
        {"last_c": 0},
    ),
    (
        "gradient of the last state at every step",
        "The gradient dlast belongs to one state only: the last term of (10.24).",
        {"always": 1},
    ),
    (
        "gradients of the outputs ignored",
        "Every h also has its own loss: the first term of (10.25).",
        {"out": 0},
    ),
    (
        "counted twice",
        "Each h has two paths, so its gradient has two terms. One of yours is there twice: "
        "(10.25).",
        {"out": 2},
    ),
    (
        "not accumulated over time",
        "A weight is used at every step. You keep the gradient of the first step alone: (10.26).",
        {"uses": slice(-1, None)},
    ),
    (
        "not accumulated over time",
        "A weight is used at every step. You keep the gradient of the last step alone: (10.26).",
        {"uses": slice(1)},
    ),
    (
        "gradients of the outputs at the cell",
        "The losses of the steps see h, not c: which line of (10.25) has a term for them?",
        {"out_c": 1},
    ),
    (
        "first state taken for zero",
        "The state before the first step is an argument. In which terms of the first step does it "
        "occur?",
        {"first_h": 0, "first_c": 0},
    ),
    (
        "first state taken for zero",
        "The first state has an h: look at the first term of dW_h in (10.26).",
        {"first_h": 0},
    ),
    (
        "first state taken for zero",
        "The first state has a c, and the forget gate of the first step multiplied it: (10.15).",
        {"first_c": 0},
    ),
    (
        "last state taken for the first",
        "The state before the first step is an argument. An index of -1 does not go before the "
        "beginning: it is the last.",
        {"before": "last"},
    ),
    (
        "new state for the old one",
        "Each of your steps uses the state after the step as the state before it. Which state was "
        "there before step t?",
        {"before": "after"},
    ),
    (
        "h and c exchanged",
        "Two gradients go from step to step, and your loop exchanges them: (10.25) has a line for "
        "each.",
        {"crossed": True},
    ),
    ("time runs forward", FORWARD_HINT, {"direction": 1}),
    ("time runs forward", FORWARD_HINT, {"direction": 1, "stack": 1}),
    (
        "mean for sum",
        "The gradient of a weight that is used T times is a sum over the uses: (10.26).",
        {"mean": True},
    ),
    (
        "clipped in passing",
        "The direction is right and the length is not: you clip. A backward returns the gradient "
        "as it is.",
        {"clip": True},
    ),
)
