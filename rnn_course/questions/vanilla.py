"""Assignment 1: the vanilla network with a leak, one step and through time, forward and backward.

It goes with chapters 01 to 03, which derive the network without a leak. The leak is not that of
exercise 3.5: here it comes first, so W_h multiplies what is left of the old state. The solutions
are plain NumPy, as a student would write them. A test compares them with the package and with the
complex step. Their mistakes are in rnn_course/mistakes/vanilla.py.
"""

from typing import NamedTuple

import numpy as np

from rnn_course.judge.question import Question, Sizes, WordQuestion, draw_sizes
from rnn_tutorial.types import Array, Rng

__all__ = [
    "DPARAMS",
    "QUESTIONS",
    "RNNParams",
    "WORDS",
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
    a: Array  # (H,), the leak of each unit, between 0 and 1


# The solutions


def rnn_step(params: RNNParams, x: Array, h_previous: Array) -> tuple[Array, Array]:
    """Return (h, n): the state after one step and the new proposal, both (B, H)."""
    kept = (1 - params.a) * h_previous
    n = np.tanh(x @ params.W_x + kept @ params.W_h + params.b)
    h = kept + params.a * n
    return h, n


def rnn_step_backward(
    params: RNNParams, x: Array, h_previous: Array, n: Array, dh: Array
) -> tuple[RNNParams, Array, Array]:
    """Return (dparams, dx, dh_previous): the gradients of what `rnn_step` was given."""
    kept = (1 - params.a) * h_previous
    dn = dh * params.a
    ds = dn * (1 - n**2)
    dkept = dh + ds @ params.W_h.T
    dW_x = x.T @ ds
    dW_h = kept.T @ ds
    db = ds.sum(axis=0)
    da = (dh * n - dkept * h_previous).sum(axis=0)
    dx = ds @ params.W_x.T
    dh_previous = dkept * (1 - params.a)
    return RNNParams(dW_x, dW_h, db, da), dx, dh_previous


def rnn_unroll(params: RNNParams, xs: Array, h_first: Array) -> tuple[Array, Array]:
    """Return (hs, ns): the states and the proposals of all steps, both (T, B, H)."""
    h = h_first
    hs, ns = [], []
    for x in xs:
        h, n = rnn_step(params, x, h)
        hs.append(h)
        ns.append(n)
    return np.stack(hs), np.stack(ns)


def rnn_unroll_backward(
    params: RNNParams, xs: Array, h_first: Array, hs: Array, ns: Array, dhs: Array, dh_last: Array
) -> tuple[RNNParams, Array, Array]:
    """Return (dparams, dxs, dh_first): the gradients of what `rnn_unroll` was given."""
    T = len(xs)
    dparams = RNNParams(*(np.zeros_like(p) for p in params))
    dxs = np.zeros_like(xs)
    dh_next = dh_last
    for t in reversed(range(T)):
        h_previous = h_first if t == 0 else hs[t - 1]
        dh = dhs[t] + dh_next
        dparams_t, dxs[t], dh_next = rnn_step_backward(params, xs[t], h_previous, ns[t], dh)
        dparams = RNNParams(*(total + part for total, part in zip(dparams, dparams_t)))
    return dparams, dxs, dh_next


def gradient_norms(params: RNNParams, ns: Array, dh_last: Array) -> Array:
    """Return norms: the norm of the gradient at each state, for each sequence, (T, B)."""
    dh = dh_last
    norms = []
    for n in ns[::-1]:
        norms.append(np.linalg.norm(dh, axis=1))
        ds = dh * params.a * (1 - n**2)
        dh = (dh + ds @ params.W_h.T) * (1 - params.a)
    return np.stack(norms[::-1])


# The cases: what the functions are called with


def draw(rng: Rng) -> tuple[Sizes, RNNParams, Array, Array]:
    """Return (sizes, params, xs, h_first), no entry zero."""
    T, B, D, H = sizes = draw_sizes(rng)
    W_x, W_h, b = (0.5 * rng.standard_normal(shape) for shape in ((D, H), (H, H), (H,)))
    params = RNNParams(W_x, W_h, b, rng.uniform(0.2, 0.9, H))
    return sizes, params, rng.standard_normal((T, B, D)), 0.5 * rng.standard_normal((B, H))


def step_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (params, x, h_previous)."""
    drawn = [draw(rng) for _ in range(3)]
    return [(params, xs[0], h) for _, params, xs, h in drawn]


def step_backward_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (params, x, h_previous, n, dh)."""
    return [
        (*case, rnn_step(*case)[1], rng.standard_normal(case[2].shape)) for case in step_cases(rng)
    ]


def unroll_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (params, xs, h_first)."""
    return [draw(rng)[1:] for _ in range(3)]


def unroll_backward_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (params, xs, h_first, hs, ns, dhs, dh_last)."""
    cases = [(*case, *rnn_unroll(*case)) for case in unroll_cases(rng)]
    return [
        (*case, rng.standard_normal(case[3].shape), rng.standard_normal(case[2].shape))
        for case in cases
    ]


def norms_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (params, ns, dh_last)."""
    return [(params, ns, dh_last) for params, *_, ns, _, dh_last in unroll_backward_cases(rng)]


DPARAMS = {"dparams.W_x": "D H", "dparams.W_h": "H H", "dparams.b": "H", "dparams.a": "H"}

QUESTIONS = (
    Question("rnn_step", {"h": "B H", "n": "B H"}, step_cases, rnn_step),
    Question(
        "rnn_step_backward",
        DPARAMS | {"dx": "B D", "dh_previous": "B H"},
        step_backward_cases,
        rnn_step_backward,
    ),
    Question("rnn_unroll", {"hs": "T B H", "ns": "T B H"}, unroll_cases, rnn_unroll),
    Question(
        "rnn_unroll_backward",
        DPARAMS | {"dxs": "T B D", "dh_first": "B H"},
        unroll_backward_cases,
        rnn_unroll_backward,
    ),
    Question("gradient_norms", {"norms": "T B"}, norms_cases, gradient_norms),
)

WORDS = (
    WordQuestion(
        "why_two_paths",
        (
            "1 point: the state is what is left plus a share of the proposal, and the proposal is "
            "made with what is left. So one path is direct; the other leads through the proposal, "
            "where the gradient is multiplied by a, by the slope of tanh and by W_h.",
            "1 point: the two are added because what is left is used in two places, and a small "
            "change of it changes the loss through both.",
            "1 point: the direct path carries the whole gradient. The slope of a saturated unit is "
            "close to 0, so close to nothing comes back through its proposal. The leak then lets "
            "nine tenths through to the old state.",
        ),
    ),
    WordQuestion(
        "small_leak",
        (
            "1 point: at each step, the direct path multiplies the gradient by 1 - a, which is "
            "close to 1, so it fades slowly, whatever W_h and the slopes are.",
            "1 point: a unit with a small leak changes by little in each step. It takes many "
            "steps, about 1 / a, to follow its input, and cannot show what changes fast.",
        ),
    ),
)
