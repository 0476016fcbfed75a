"""Assignment 1: the vanilla network, one step and through time, forward and backward.

Chapters 01 to 03. The references are the package's own functions. `vanilla_mistakes.py` has the
same functions in plain NumPy with a switch for each mistake; a test checks that they equal the
references when no switch is set.
"""

from typing import NamedTuple

import numpy as np

from rnn_course.judge.question import Question, Sizes, causes_of, draw_sizes
from rnn_course.questions.vanilla_mistakes import (
    BATCH,
    NORMS,
    OVER_TIME,
    OVER_TIME_BACK,
    SLOPE,
    STATE_BACK,
    STEP,
    STEP_BACK,
    backward,
    forward,
    last_step_only,
    norms,
    step,
    step_backward,
)
from rnn_tutorial.cells.elman import Elman, ElmanParams, ElmanState, elman_step, elman_step_backward
from rnn_tutorial.sequence.unroll import unroll, unroll_backward
from rnn_tutorial.types import Array, Rng

__all__ = [
    "DPARAMS",
    "QUESTIONS",
    "RNNParams",
    "gradient_norms",
    "rnn_step",
    "rnn_step_backward",
    "rnn_unroll",
    "rnn_unroll_backward",
]


class RNNParams(NamedTuple):
    """The parameters, as the notebook defines them."""

    W_x: Array  # (D, H)
    W_h: Array  # (H, H)
    b: Array  # (H,)


DPARAMS = {"dparams.W_x": "D H", "dparams.W_h": "H H", "dparams.b": "H"}


# The cases: what the functions are called with


def draw(rng: Rng) -> tuple[Sizes, RNNParams, Array, Array]:
    """Return (sizes, params, xs, h_first), no entry zero."""
    T, B, D, H = sizes = draw_sizes(rng)
    params = RNNParams(*(0.5 * rng.standard_normal(shape) for shape in ((D, H), (H, H), (H,))))
    return sizes, params, rng.standard_normal((T, B, D)), 0.5 * rng.standard_normal((B, H))


def step_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (params, x, h_previous)."""
    drawn = [draw(rng) for _ in range(3)]
    return [(params, xs[0], h) for _, params, xs, h in drawn]


def step_backward_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (params, x, h_previous, h, dh)."""
    return [
        (*case, rnn_step(*case), rng.standard_normal(case[2].shape)) for case in step_cases(rng)
    ]


def unroll_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (params, xs, h_first)."""
    return [draw(rng)[1:] for _ in range(3)]


def unroll_backward_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (params, xs, h_first, hs, dhs, dh_last)."""
    cases = [(*case, rnn_unroll(*case)) for case in unroll_cases(rng)]
    return [
        (*case, rng.standard_normal(case[3].shape), rng.standard_normal(case[2].shape))
        for case in cases
    ]


def norms_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (params, hs, dh_last)."""
    return [(params, hs, dh_last) for params, _, _, hs, _, dh_last in unroll_backward_cases(rng)]


# The references: the right answers


def rnn_step(params: RNNParams, x: Array, h_previous: Array) -> Array:
    """Return h."""
    return elman_step(ElmanParams(*params), x, ElmanState(h_previous))[0].h


def rnn_step_backward(
    params: RNNParams, x: Array, h_previous: Array, h: Array, dh: Array
) -> tuple[RNNParams, Array, Array]:
    """Return (dparams, dx, dh_previous)."""
    _, cache = elman_step(ElmanParams(*params), x, ElmanState(h_previous))
    dparams, dx, dprevious = elman_step_backward(ElmanParams(*params), cache, ElmanState(dh))
    return RNNParams(*dparams), dx, dprevious.h


def rnn_unroll(params: RNNParams, xs: Array, h_first: Array) -> Array:
    """Return hs."""
    return unroll(Elman, ElmanParams(*params), xs, ElmanState(h_first))[0][0]


def rnn_unroll_backward(
    params: RNNParams, xs: Array, h_first: Array, hs: Array, dhs: Array, dh_last: Array
) -> tuple[RNNParams, Array, Array]:
    """Return (dparams, dxs, dh_first)."""
    _, cache = unroll(Elman, ElmanParams(*params), xs, ElmanState(h_first))
    dparams, dxs, dfirst = unroll_backward(
        Elman, ElmanParams(*params), cache, (dhs, ElmanState(dh_last))
    )
    return RNNParams(*dparams), dxs, dfirst.h


def gradient_norms(params: RNNParams, hs: Array, dh_last: Array) -> Array:
    """Return norms: for each step and sequence, the norm of the gradient at h_t.

    The loss depends on the last state alone, and dh_last is its gradient there.
    """
    norms, dh = [], ElmanState(dh_last)
    x = np.zeros((hs.shape[1], len(params.W_x)))
    for h in hs[::-1]:
        norms.append(np.linalg.norm(dh.h, axis=1))
        _, cache = elman_step(ElmanParams(*params), x, ElmanState(h))
        _, _, dh = elman_step_backward(ElmanParams(*params), cache._replace(h=h), dh)
    return np.stack(norms[::-1])


QUESTIONS = (
    Question("rnn_step", {"h": "B H"}, step_cases, rnn_step, causes_of(step, STEP)),
    Question(
        "rnn_step_backward",
        DPARAMS | {"dx": "B D", "dh_previous": "B H"},
        step_backward_cases,
        rnn_step_backward,
        causes_of(step_backward, SLOPE, STATE_BACK, STEP_BACK, BATCH),
    ),
    Question(
        "rnn_unroll", {"hs": "T B H"}, unroll_cases, rnn_unroll, causes_of(forward, OVER_TIME, STEP)
    ),
    Question(
        "rnn_unroll_backward",
        DPARAMS | {"dxs": "T B D", "dh_first": "B H"},
        unroll_backward_cases,
        rnn_unroll_backward,
        causes_of(backward, OVER_TIME_BACK, SLOPE, STATE_BACK, STEP_BACK, BATCH)
        + causes_of(last_step_only, [("not accumulated over time", OVER_TIME_BACK[5][1], {})]),
    ),
    Question(
        "gradient_norms",
        {"norms": "T B"},
        norms_cases,
        gradient_norms,
        causes_of(norms, SLOPE, STATE_BACK, NORMS),
    ),
)
