"""What goes wrong on the way back in assignment 2: a switch for each mistake of the step and of the sequence."""

from functools import reduce

import numpy as np

from rnn_course.questions.lstm_forward import F, G, I, O
from rnn_course.questions.lstm_gates import PATH, both_paths, gradients
from rnn_tutorial.cells.lstm import LSTMGates, LSTMParams, LSTMState
from rnn_tutorial.train.clipping import clip_by_global_norm
from rnn_tutorial.tree import tree_add, tree_scale

__all__ = [
    "FOUR_USES",
    "LOST",
    "ORDER",
    "ORDER_HINT",
    "OVER_TIME",
    "PRODUCTS",
    "WALK",
    "backward",
    "old_h",
    "step_backward",
]


def old_h(previous, h):
    """Return what stands beside W_h in its gradient."""
    return previous.h


def step_backward(
    params, x, previous, gates, c, dstate, *, order=(I, F, O, G), beside=old_h, old="c", lost=None, turned=False,
    overwritten=False, pasted=False, **mistake,
):  # fmt: skip
    """Return (dparams, dx, dprevious) of one step with a mistake, or with none."""
    da, dc_previous = gradients(gates, getattr(previous, old), c, *dstate, **mistake)
    block = np.concatenate([da[k] for k in order], axis=1)
    db = block.sum(axis=0)
    if pasted:
        db = np.concatenate([da[k].sum(axis=0) for k in (F, F, F, G)])
    dparams = LSTMParams(x.T @ block, beside(previous, gates.o * np.tanh(c)).T @ block, db)
    through = [k for k in range(4) if k != lost]
    blocks = np.split(block, 4, axis=1)
    W_x, W_h = (np.split(W, 4, axis=1) for W in params[:2])
    dx = sum(blocks[k] @ W_x[k].T for k in through)
    dh_previous = sum(blocks[k] @ (W_h[k] if turned else W_h[k].T) for k in through)
    if overwritten:
        dc_previous = both_paths(dh_previous, dstate.c, gates, c) * gates.f
    return dparams, dx, LSTMState(dh_previous, dc_previous)


def backward(
    params, xs, first, states, gates, dhs, dlast, *, carry_h=1, carry_c=1, last_h=1, last_c=1, always=0, out=1, out_c=0,
    uses=slice(None), first_h=1, first_c=1, before="first", crossed=False, mean=False, clip=False,
    walk=-1, stack=-1, **mistake,
):  # fmt: skip
    """Return (dparams, dxs, dfirst) of all steps with a mistake, or with none."""
    first = LSTMState(first_h * first.h, first_c * first.c)
    after = [LSTMState(*state) for state in zip(*states)]
    previous = {"first": [first, *after[:-1]], "last": [after[-1], *after[:-1]], "after": after}[
        before
    ]
    dstate, parts, dxs = LSTMState(last_h * dlast.h, last_c * dlast.c), [], []
    for t in range(len(xs))[::walk]:
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


# The mistakes by name: rows of (name, hint, the switches that make it)

ORDER, ORDER_HINT = (
    "gates in another order",
    "You lay the four gradients side by side in another order than the blocks of the parameters: (7.21).",
)
FOUR_USES = "The input and the old h stand in all four lines of (7.1). The path back through one gate is missing: (7.20)."
PRODUCTS = (
    (ORDER, ORDER_HINT, {"order": (I, F, G, O)}),
    (ORDER, ORDER_HINT, {"order": (I, O, F, G)}),
    (ORDER, ORDER_HINT, {"order": (F, I, O, G)}),
    (
        "weight transposed",
        "What goes back through a block of W_h meets it the other way round. A block is square, so no shape complains: (7.20).",
        {"turned": True},
    ),
    (
        "new state for the old one",
        "W_h multiplies the h from before the step, so its gradient is made with that one: (7.22).",
        {"beside": lambda previous, h: h},
    ),
    (
        "h and c exchanged",
        "W_h multiplies what was shown, not what was kept: which of the two belongs in its gradient? (7.22).",
        {"beside": lambda previous, h: previous.c},
    ),
    (
        "h and c exchanged",
        "The forget gate multiplied what was kept. You tell it of what was shown: (7.15).",
        {"old": "h"},
    ),
    (
        "gradient overwritten before its last use",
        "You made the cell's gradient with the dh of the step before, not of this one. Did you use one name for two things?",
        {"overwritten": True},
    ),
    (
        "gradients of two gates exchanged",
        "The biases of several gates get the gradient of one: (7.18), once for each gate.",
        {"pasted": True},
    ),
)
LOST = tuple((PATH, FOUR_USES, {"lost": gate}) for gate in (I, F, O, G))
WALK = "Your walk goes from the first step to the last. Which step of (7.25) can be done before any other?"
OVER_TIME = (
    (
        "carry lost between steps",
        "Each step hands two gradients to the step before it, and in your loop none arrives: (7.25).",
        {"carry_h": 0, "carry_c": 0},
    ),
    (
        "carry lost between steps",
        "You carry the gradient of c back, and not that of h: (7.25) has two lines.",
        {"carry_h": 0},
    ),
    (
        "carry lost between steps",
        "You carry the gradient of h back, and not that of c: (7.25) has two lines.",
        {"carry_c": 0},
    ),
    (
        "gradient of the last state ignored",
        "One argument is not in your answer: where does dlast enter (7.25)?",
        {"last_h": 0, "last_c": 0},
    ),
    (
        "gradient of the last state ignored",
        "The gradient that arrives at the last h is not in your answer: (7.25).",
        {"last_h": 0},
    ),
    (
        "gradient of the last state ignored",
        "The gradient that arrives at the last c is not in your answer: (7.25).",
        {"last_c": 0},
    ),
    (
        "gradient of the last state at every step",
        "The gradient dlast belongs to one state only: the last term of (7.24).",
        {"always": 1},
    ),
    (
        "gradients of the outputs ignored",
        "Every h has a loss of its own as well: the first term of (7.25).",
        {"out": 0},
    ),
    (
        "counted twice",
        "Each h has two paths, so its gradient has two terms. One of yours is there twice: (7.25).",
        {"out": 2},
    ),
    (
        "not accumulated over time",
        "A weight is used at every step. You keep that of the first step alone: (7.26).",
        {"uses": slice(-1, None)},
    ),
    (
        "not accumulated over time",
        "A weight is used at every step. You keep that of the last step alone: (7.26).",
        {"uses": slice(1)},
    ),
    (
        "gradients of the outputs at the cell",
        "The losses on the way see what is shown, not what is kept: which line of (7.25) has a term for them?",
        {"out_c": 1},
    ),
    (
        "first state taken for zero",
        "The state before the first step is an argument. In which terms of the first step does it stand?",
        {"first_h": 0, "first_c": 0},
    ),
    (
        "first state taken for zero",
        "The first state has an h: look at the first term of dW_h in (7.26).",
        {"first_h": 0},
    ),
    (
        "first state taken for zero",
        "The first state has a c, and the forget gate of the first step was told about it: (7.15).",
        {"first_c": 0},
    ),
    (
        "last state taken for the first",
        "The state before the first step is an argument. An index of -1 does not go before the beginning: it is the last.",
        {"before": "last"},
    ),
    (
        "new state for the old one",
        "Each of your steps is told that it started from the state in which it ended. Which state was there before step t?",
        {"before": "after"},
    ),
    (
        "h and c exchanged",
        "Two gradients travel, and in your loop each goes on as the other: (7.25) has a line for each.",
        {"crossed": True},
    ),
    ("time runs forward", WALK, {"walk": 1}),
    ("time runs forward", WALK, {"walk": 1, "stack": 1}),
    (
        "mean for sum",
        "The gradient of a weight that is used T times is a sum over the uses: (7.26).",
        {"mean": True},
    ),
    (
        "clipped in passing",
        "The direction is right and the length is not: you clip. A backward returns the gradient as it is.",
        {"clip": True},
    ),
)
