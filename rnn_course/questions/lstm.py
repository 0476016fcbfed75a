"""Assignment 2: an LSTM with one gate for two jobs, and its backward: by gate, fused, through time.

    a = x @ W_x + h_previous @ W_h + b
    i, o = sigmoid(a_i), sigmoid(a_o)        g = tanh(a_g)
    c = c_previous + i * (g - c_previous)
    h = tanh(o * c)

It is the coupled LSTM of chapter 11 (the forget gate is 1 - i) with one more change: the output
gate multiplies the cell before its tanh, not after. So no gradient that a chapter prints for h, o,
c or i is one of this cell. The gates are side by side in the order i, o, g.

The solutions are what a student would write, in plain NumPy. A test holds them equal to an LSTM of
the package whose forget rows are the negative input rows, and to the complex step.
"""

from typing import NamedTuple

import numpy as np

from rnn_course.judge.question import Question, WordQuestion, draw_sizes
from rnn_tutorial.tree import tree_map
from rnn_tutorial.types import Array, Rng, Tree

__all__ = [
    "QUESTIONS",
    "WORDS",
    "LSTMGates",
    "LSTMParams",
    "LSTMState",
    "gate_gradients",
    "lstm_step",
    "lstm_step_backward",
    "lstm_unroll",
    "lstm_unroll_backward",
    "sigmoid",
]


# What the notebook gives


class LSTMParams(NamedTuple):
    """The parameters of the cell: three gates side by side, in the order i, o, g."""

    W_x: Array  # (D, 3H)
    W_h: Array  # (H, 3H)
    b: Array  # (3H,)


class LSTMState(NamedTuple):
    """The state of the cell: what is shown and what is kept."""

    h: Array  # (B, H)
    c: Array  # (B, H)


class LSTMGates(NamedTuple):
    """An array for each gate: its values, or the gradients of its pre-activations."""

    i: Array  # (B, H)
    o: Array  # (B, H)
    g: Array  # (B, H)


def sigmoid(a: Array) -> Array:
    """Return 1 / (1 + exp(-a))."""
    return 1 / (1 + np.exp(-a))


# The solutions


def lstm_step(params: LSTMParams, x: Array, previous: LSTMState) -> tuple[LSTMState, LSTMGates]:
    """Return (state, gates): the state after one step, and the values of the gates."""
    a = x @ params.W_x + previous.h @ params.W_h + params.b
    a_i, a_o, a_g = np.split(a, 3, axis=1)
    i, o, g = sigmoid(a_i), sigmoid(a_o), np.tanh(a_g)
    c = previous.c + i * (g - previous.c)
    h = np.tanh(o * c)
    return LSTMState(h, c), LSTMGates(i, o, g)


def gate_gradients(
    gates: LSTMGates, c_previous: Array, state: LSTMState, dh: Array, dc_next: Array
) -> tuple[LSTMGates, Array]:
    """Return (da, dc_previous): the gradients of the pre-activations and of the old cell."""
    i, o, g = gates
    dshown = dh * (1 - state.h**2)
    dc = dc_next + dshown * o
    do = dshown * state.c
    di = dc * (g - c_previous)
    dg = dc * i
    da_i = di * i * (1 - i)
    da_o = do * o * (1 - o)
    da_g = dg * (1 - g**2)
    dc_previous = dc * (1 - i)
    return LSTMGates(da_i, da_o, da_g), dc_previous


def lstm_step_backward(
    params: LSTMParams,
    x: Array,
    previous: LSTMState,
    gates: LSTMGates,
    state: LSTMState,
    dstate: LSTMState,
) -> tuple[LSTMParams, Array, LSTMState]:
    """Return (dparams, dx, dprevious): the gradients of what `lstm_step` was given."""
    by_gate, dc_previous = gate_gradients(gates, previous.c, state, dstate.h, dstate.c)
    da = np.concatenate(by_gate, axis=1)
    dW_x = x.T @ da
    dW_h = previous.h.T @ da
    db = da.sum(axis=0)
    dx = da @ params.W_x.T
    dh_previous = da @ params.W_h.T
    return LSTMParams(dW_x, dW_h, db), dx, LSTMState(dh_previous, dc_previous)


def lstm_unroll(params: LSTMParams, xs: Array, first: LSTMState) -> tuple[LSTMState, LSTMGates]:
    """Return (states, gates): those of every step, time first."""
    state = first
    states, gates = [], []
    for x in xs:
        state, values = lstm_step(params, x, state)
        states.append(state)
        gates.append(values)
    return LSTMState(*map(np.stack, zip(*states))), LSTMGates(*map(np.stack, zip(*gates)))


def lstm_unroll_backward(
    params: LSTMParams,
    xs: Array,
    first: LSTMState,
    states: LSTMState,
    gates: LSTMGates,
    dhs: Array,
    dlast: LSTMState,
) -> tuple[LSTMParams, Array, LSTMState]:
    """Return (dparams, dxs, dfirst): the gradients of what `lstm_unroll` was given."""
    dparams = LSTMParams(*map(np.zeros_like, params))
    dxs = np.zeros_like(xs)
    dh, dc = dlast
    for t in reversed(range(len(xs))):
        previous = LSTMState(states.h[t - 1], states.c[t - 1]) if t > 0 else first
        values = LSTMGates(gates.i[t], gates.o[t], gates.g[t])
        state = LSTMState(states.h[t], states.c[t])
        dstate = LSTMState(dhs[t] + dh, dc)
        part, dx, dprevious = lstm_step_backward(params, xs[t], previous, values, state, dstate)
        dparams = LSTMParams(*map(np.add, dparams, part))
        dxs[t] = dx
        dh, dc = dprevious
    return dparams, dxs, LSTMState(dh, dc)


# The cases: what the functions are called with


def draw(rng: Rng) -> tuple[LSTMParams, Array, LSTMState]:
    """Return (params, xs, first), no entry zero."""
    T, B, D, H = draw_sizes(rng)
    shapes = ((D, 3 * H), (H, 3 * H), (3 * H,))
    params = LSTMParams(*(0.6 * rng.standard_normal(shape) for shape in shapes))
    first = LSTMState(rng.uniform(-1, 1, (B, H)), rng.standard_normal((B, H)))
    return params, rng.standard_normal((T, B, D)), first


def like(rng: Rng, tree: Tree) -> Tree:
    """Return a tree of random arrays with the shapes of `tree`."""
    return tree_map(lambda leaf: rng.standard_normal(leaf.shape), tree)


def step_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (params, x, previous)."""
    return [(params, xs[0], first) for params, xs, first in unroll_cases(rng)]


def gate_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (gates, c_previous, state, dh, dc_next)."""
    return [
        (gates, previous.c, state, *dstate)
        for _, _, previous, gates, state, dstate in step_backward_cases(rng)
    ]


def step_backward_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (params, x, previous, gates, state, dstate)."""
    asked = [(case, *lstm_step(*case)) for case in step_cases(rng)]
    return [(*case, gates, state, like(rng, state)) for case, state, gates in asked]


def unroll_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (params, xs, first)."""
    return [draw(rng) for _ in range(3)]


def unroll_backward_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (params, xs, first, states, gates, dhs, dlast)."""
    asked = [(case, *lstm_unroll(*case)) for case in unroll_cases(rng)]
    return [
        (*case, states, gates, like(rng, states.h), like(rng, case[2]))
        for case, states, gates in asked
    ]


DPARAMS = {"dparams.W_x": "D 3H", "dparams.W_h": "H 3H", "dparams.b": "3H"}

GATES = {"3H": ("i", "o", "g")}

QUESTIONS = (
    Question(
        "lstm_step",
        {f"state.{name}": "B H" for name in "hc"} | {f"gates.{name}": "B H" for name in "iog"},
        step_cases,
        lstm_step,
        GATES,
    ),
    Question(
        "gate_gradients",
        {f"da.{name}": "B H" for name in "iog"} | {"dc_previous": "B H"},
        gate_cases,
        gate_gradients,
        GATES,
    ),
    Question(
        "lstm_step_backward",
        DPARAMS | {"dx": "B D", "dprevious.h": "B H", "dprevious.c": "B H"},
        step_backward_cases,
        lstm_step_backward,
        GATES,
    ),
    Question(
        "lstm_unroll",
        {f"states.{name}": "T B H" for name in "hc"} | {f"gates.{name}": "T B H" for name in "iog"},
        unroll_cases,
        lstm_unroll,
        GATES,
    ),
    Question(
        "lstm_unroll_backward",
        DPARAMS | {"dxs": "T B D", "dfirst.h": "B H", "dfirst.c": "B H"},
        unroll_backward_cases,
        lstm_unroll_backward,
        GATES,
    ),
)

WORDS = (
    WordQuestion(
        "a_mistake_that_hides",
        rubric=(
            "1 point: what is missing is the path of i through the old cell. Its term is dc times "
            "the old c, with a minus sign, and this is zero for an old c of zero.",
            "1 point: wrong are the blocks of i in dW_x, dW_h and db, and dx and dprevious.h, "
            "which are sums over the gates. Right are the blocks of o and g and dprevious.c, since "
            "none of them is made from di. Half a point if one is left out.",
        ),
    ),
    WordQuestion(
        "one_gate_two_jobs",
        rubric=(
            "1 point: no, with (A.3): the new c is a weighted mean of the old c and of g, so once "
            "it is in (-1, 1) it cannot leave. Or: to add all of g the gate must be 1, and then "
            "nothing is left of the old c.",
            "1 point: a gain that is true. c has bounds; there are three blocks of weights in the "
            "place of four; what is old goes when something new comes, so nothing has to be "
            "cleared; one bias sets how long the cell remembers.",
        ),
    ),
)
