"""Assignment 2: the LSTM and its backward, gate by gate, as one product, and through time.

Chapters 09 and 10. The references are the package's own functions. `lstm_forward.py`,
`lstm_gates.py` and `lstm_backward.py` have the same functions with a switch for each mistake.
"""

from typing import Any

import numpy as np

from rnn_course.judge.question import Question, causes_of, draw_sizes
from rnn_course.questions import lstm_backward as back
from rnn_course.questions import lstm_forward as forward
from rnn_course.questions import lstm_gates as inside
from rnn_tutorial.cells.gates import gate_blocks
from rnn_tutorial.cells.lstm import (
    LSTM,
    LSTMCache,
    LSTMGates,
    LSTMParams,
    LSTMState,
    LSTMValues,
    lstm_pointwise_backward,
)
from rnn_tutorial.cells.lstm import lstm_step as package_step
from rnn_tutorial.cells.lstm import lstm_step_backward as package_step_backward
from rnn_tutorial.sequence.trace import trace
from rnn_tutorial.sequence.unroll import unroll, unroll_backward
from rnn_tutorial.tree import tree_map
from rnn_tutorial.types import Array, Rng, Tree

__all__ = [
    "QUESTIONS",
    "gate_gradients",
    "lstm_step",
    "lstm_step_backward",
    "lstm_unroll",
    "lstm_unroll_backward",
]

DPARAMS = {"dparams.W_x": "D 4H", "dparams.W_h": "H 4H", "dparams.b": "4H"}


# The cases: what the functions are called with


def draw(rng: Rng) -> tuple[LSTMParams, Array, LSTMState]:
    """Return (params, xs, first), no entry zero."""
    T, B, D, H = draw_sizes(rng)
    params = LSTMParams(
        *(0.6 * rng.standard_normal(shape) for shape in ((D, 4 * H), (H, 4 * H), (4 * H,)))
    )
    return (
        params,
        rng.standard_normal((T, B, D)),
        LSTMState(rng.uniform(-1, 1, (B, H)), rng.standard_normal((B, H))),
    )


def like(rng: Rng, tree: Tree) -> Tree:
    """Return a tree of random arrays with the shapes of `tree`."""
    return tree_map(lambda leaf: rng.standard_normal(leaf.shape), tree)


def step_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (params, x, previous)."""
    return [(params, xs[0], first) for params, xs, first in unroll_cases(rng)]


def gate_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (gates, c_previous, c, dh, dc_next)."""
    return [
        (gates, previous.c, c, *dstate)
        for _, _, previous, gates, c, dstate in step_backward_cases(rng)
    ]


def step_backward_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (params, x, previous, gates, c, dstate)."""
    asked = [(case, *lstm_step(*case)) for case in step_cases(rng)]
    return [(*case, gates, state.c, like(rng, state)) for case, state, gates in asked]


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


# The references: the right answers


def lstm_step(params: LSTMParams, x: Array, previous: LSTMState) -> tuple[LSTMState, LSTMGates]:
    """Return (state, gates)."""
    state, cache = package_step(params, x, previous)
    return state, LSTMGates(cache.i, cache.f, cache.o, cache.g)


NO_PARAMS: Any = None  # which the elementwise part does not read


def gate_gradients(
    gates: LSTMGates, c_previous: Array, c: Array, dh: Array, dc_next: Array
) -> tuple[LSTMGates, Array]:
    """Return (da, dc_previous)."""
    values = LSTMValues(c_previous, *gates, np.tanh(c))
    _, da, _, dprevious = lstm_pointwise_backward(NO_PARAMS, values, LSTMState(dh, dc_next))
    return gate_blocks(da, LSTMGates), dprevious.c


def lstm_step_backward(
    params: LSTMParams, x: Array, previous: LSTMState, gates: LSTMGates, c: Array, dstate: LSTMState
) -> tuple[LSTMParams, Array, LSTMState]:
    """Return (dparams, dx, dprevious)."""
    return package_step_backward(params, LSTMCache(x, previous, *gates, np.tanh(c)), dstate)


def lstm_unroll(params: LSTMParams, xs: Array, first: LSTMState) -> tuple[LSTMState, LSTMGates]:
    """Return (states, gates)."""
    traced, _ = trace(LSTM, params, xs, first)
    values = traced.values
    return traced.states, LSTMGates(values.i, values.f, values.o, values.g)


def lstm_unroll_backward(
    params: LSTMParams,
    xs: Array,
    first: LSTMState,
    states: LSTMState,
    gates: LSTMGates,
    dhs: Array,
    dlast: LSTMState,
) -> tuple[LSTMParams, Array, LSTMState]:
    """Return (dparams, dxs, dfirst)."""
    _, cache = unroll(LSTM, params, xs, first)
    return unroll_backward(LSTM, params, cache, (dhs, dlast))


QUESTIONS = (
    Question(
        "lstm_step",
        {
            "state.h": "B H",
            "state.c": "B H",
            "gates.i": "B H",
            "gates.f": "B H",
            "gates.o": "B H",
            "gates.g": "B H",
        },
        step_cases,
        lstm_step,
        causes_of(forward.step, forward.STEP),
    ),
    Question(
        "gate_gradients",
        {"da.i": "B H", "da.f": "B H", "da.o": "B H", "da.g": "B H", "dc_previous": "B H"},
        gate_cases,
        gate_gradients,
        causes_of(inside.gradients, *inside.GATE_BY_GATE, inside.NO_SLOPE),
    ),
    Question(
        "lstm_step_backward",
        DPARAMS | {"dx": "B D", "dprevious.h": "B H", "dprevious.c": "B H"},
        step_backward_cases,
        lstm_step_backward,
        causes_of(
            back.step_backward,
            back.PRODUCTS,
            back.LOST,
            *inside.GATE_BY_GATE,
            inside.ALL_SLOPES,
            inside.NO_SLOPE,
        ),
    ),
    Question(
        "lstm_unroll",
        {f"states.{name}": "T B H" for name in "hc"}
        | {f"gates.{name}": "T B H" for name in "ifog"},
        unroll_cases,
        lstm_unroll,
        causes_of(forward.forward, forward.OVER_TIME, forward.STEP),
    ),
    Question(
        "lstm_unroll_backward",
        DPARAMS | {"dxs": "T B D", "dfirst.h": "B H", "dfirst.c": "B H"},
        unroll_backward_cases,
        lstm_unroll_backward,
        causes_of(
            back.backward,
            back.OVER_TIME,
            back.PRODUCTS,
            inside.PATHS,
            inside.ARRIVING,
            inside.KEPT,
            inside.ALL_SLOPES,
            inside.NO_SLOPE,
        ),
    ),
)
