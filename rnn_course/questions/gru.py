"""Assignment 3: the GRU, reset after and before the matrix, and the two conventions for z.

Chapter 12. In the assignment z multiplies the candidate, equation (12.9), so the cells of the
chapter, which have (12.2), are no answers to it.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from rnn_course.judge.question import Question, WordQuestion, draw_sizes
from rnn_tutorial.cells.gru import GRUGates, GRUParams
from rnn_tutorial.cells.gru_before import GRUBeforeParams
from rnn_tutorial.types import Array, Rng

__all__ = [
    "QUESTIONS",
    "WORDS",
    "before_step_backward_cases",
    "before_step_cases",
    "draw",
    "gate_cases",
    "gate_gradients",
    "gru_before_step",
    "gru_before_step_backward",
    "gru_step",
    "gru_step_backward",
    "other_z",
    "sigmoid",
    "step_backward_cases",
    "step_cases",
    "z_cases",
]


# The instructor's solutions


def sigmoid(a: Array) -> Array:
    """Return 1 / (1 + exp(-a))."""
    return 1 / (1 + np.exp(-a))


def gru_step(params: GRUParams, x: Array, h_previous: Array) -> tuple[Array, GRUGates]:
    """Return (h, gates): the state after one step, and the gates it was made with."""
    a_xr, a_xz, a_xn = np.split(x @ params.W_x + params.b, 3, axis=1)
    a_hr, a_hz, a_hn = np.split(h_previous @ params.W_h, 3, axis=1)
    r = sigmoid(a_xr + a_hr)
    z = sigmoid(a_xz + a_hz)
    s = a_hn + params.b_hn
    n = np.tanh(a_xn + r * s)
    h = (1 - z) * h_previous + z * n
    return h, GRUGates(r, z, n)


def gate_gradients(
    params: GRUParams, h_previous: Array, gates: GRUGates, dh: Array
) -> tuple[GRUGates, Array]:
    """Return (da, ds): the gradients of the three pre-activations, and of s."""
    r, z, n = gates
    s = h_previous @ np.split(params.W_h, 3, axis=1)[2] + params.b_hn
    dz = dh * (n - h_previous)
    dn = dh * z
    da_n = dn * (1 - n**2)
    dr = da_n * s
    ds = da_n * r
    da_r = dr * r * (1 - r)
    da_z = dz * z * (1 - z)
    return GRUGates(da_r, da_z, da_n), ds


def gru_step_backward(
    params: GRUParams, x: Array, h_previous: Array, gates: GRUGates, dh: Array
) -> tuple[GRUParams, Array, Array]:
    """Return (dparams, dx, dh_previous): the gradients of what `gru_step` was given."""
    da, ds = gate_gradients(params, h_previous, gates, dh)
    da_x = np.hstack([da.r, da.z, da.n])
    da_h = np.hstack([da.r, da.z, ds])
    dW_x = x.T @ da_x
    dW_h = h_previous.T @ da_h
    db = da_x.sum(axis=0)
    db_hn = ds.sum(axis=0)
    dx = da_x @ params.W_x.T
    dh_previous = dh * (1 - gates.z) + da_h @ params.W_h.T
    return GRUParams(dW_x, dW_h, db, db_hn), dx, dh_previous


def gru_before_step(params: GRUBeforeParams, x: Array, h_previous: Array) -> tuple[Array, GRUGates]:
    """Return (h, gates) of one step, reset before the matrix."""
    a_xr, a_xz, a_xn = np.split(x @ params.W_x + params.b, 3, axis=1)
    a_hr, a_hz = np.split(h_previous @ params.W_h, 2, axis=1)
    r = sigmoid(a_xr + a_hr)
    z = sigmoid(a_xz + a_hz)
    m = r * h_previous
    n = np.tanh(a_xn + m @ params.W_hn)
    h = (1 - z) * h_previous + z * n
    return h, GRUGates(r, z, n)


def gru_before_step_backward(
    params: GRUBeforeParams, x: Array, h_previous: Array, gates: GRUGates, dh: Array
) -> tuple[GRUGates, GRUBeforeParams, Array, Array]:
    """Return (da, dparams, dx, dh_previous): the gradients of one step, reset before the matrix."""
    r, z, n = gates
    m = r * h_previous
    dz = dh * (n - h_previous)
    dn = dh * z
    da_n = dn * (1 - n**2)
    dm = da_n @ params.W_hn.T
    dr = dm * h_previous
    da_r = dr * r * (1 - r)
    da_z = dz * z * (1 - z)
    da_x = np.hstack([da_r, da_z, da_n])
    da_h = np.hstack([da_r, da_z])
    dW_x = x.T @ da_x
    dW_h = h_previous.T @ da_h
    db = da_x.sum(axis=0)
    dW_hn = m.T @ da_n
    dx = da_x @ params.W_x.T
    dh_previous = dh * (1 - z) + dm * r + da_h @ params.W_h.T
    return GRUGates(da_r, da_z, da_n), GRUBeforeParams(dW_x, dW_h, db, dW_hn), dx, dh_previous


def other_z(W_x: Array, W_h: Array, b: Array) -> tuple[Array, ...]:
    """Return (W_x, W_h, b): the same function in the other convention for z."""
    converted = []
    for blocks in (W_x, W_h, b):
        r, z, n = np.split(blocks, 3, axis=-1)
        converted.append(np.concatenate([r, -z, n], axis=-1))
    return tuple(converted)


# The cases: what the functions are called with


def draw(rng: Rng, Params: type[GRUParams] | type[GRUBeforeParams]) -> tuple[Any, Array, Array]:
    """Return (params, x, h_previous) of one form, no entry zero."""
    T, B, D, H = draw_sizes(rng)
    H = T if H == 3 else H  # two blocks of three columns are six, which B or D may be
    shapes = {"W_x": (D, 3 * H), "W_h": (H, 3 * H), "b": (3 * H,), "b_hn": (H,), "W_hn": (H, H)}
    shapes |= {"W_h": (H, 2 * H)} if Params is GRUBeforeParams else {}
    params = Params(*(0.6 * rng.standard_normal(shapes[name]) for name in Params._fields))
    return params, rng.standard_normal((B, D)), rng.uniform(-1, 1, (B, H))


def with_gates(rng: Rng, step: Callable[..., Any], cases: list[tuple]) -> list[tuple]:
    """Return the cases with what the way back needs besides: the gates of the step, and dh."""
    return [(*case, step(*case)[1], rng.standard_normal(case[2].shape)) for case in cases]


def step_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (params, x, h_previous)."""
    return [draw(rng, GRUParams) for _ in range(3)]


def step_backward_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (params, x, h_previous, gates, dh)."""
    return with_gates(rng, gru_step, step_cases(rng))


def gate_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (params, h_previous, gates, dh)."""
    return [(params, h, gates, dh) for params, _, h, gates, dh in step_backward_cases(rng)]


def before_step_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (params, x, h_previous), the reset before the matrix."""
    return [draw(rng, GRUBeforeParams) for _ in range(3)]


def before_step_backward_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (params, x, h_previous, gates, dh), the reset before the matrix."""
    return with_gates(rng, gru_before_step, before_step_cases(rng))


def z_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (W_x, W_h, b)."""
    return [params[:3] for params, _, _ in step_cases(rng)]


# The questions

GATES = {"gates.r": "B H", "gates.z": "B H", "gates.n": "B H"}
DA = {"da.r": "B H", "da.z": "B H", "da.n": "B H"}
INPUTS = {"dx": "B D", "dh_previous": "B H"}
BLOCKS = {"3H": ("r", "z", "n"), "2H": ("r", "z")}

QUESTIONS = (
    Question("gru_step", {"h": "B H"} | GATES, step_cases, gru_step, gates=BLOCKS),
    Question("gate_gradients", DA | {"ds": "B H"}, gate_cases, gate_gradients, gates=BLOCKS),
    Question(
        "gru_step_backward",
        {"dparams.W_x": "D 3H", "dparams.W_h": "H 3H", "dparams.b": "3H", "dparams.b_hn": "H"}
        | INPUTS,
        step_backward_cases,
        gru_step_backward,
        gates=BLOCKS,
    ),
    Question(
        "gru_before_step", {"h": "B H"} | GATES, before_step_cases, gru_before_step, gates=BLOCKS
    ),
    Question(
        "gru_before_step_backward",
        DA
        | {"dparams.W_x": "D 3H", "dparams.W_h": "H 2H", "dparams.b": "3H", "dparams.W_hn": "H H"}
        | INPUTS,
        before_step_backward_cases,
        gru_before_step_backward,
        gates=BLOCKS,
    ),
    Question("other_z", {"W_x": "D 3H", "W_h": "H 3H", "b": "3H"}, z_cases, other_z, gates=BLOCKS),
)

WORDS = (
    WordQuestion(
        "why_a_second_bias",
        rubric=(
            "1 point: r multiplies b_hn and not b_n, so the two merge only where r is one; r "
            "switches b_hn with the recurrent part.",
            "1 point: in r and z, and in the candidate with the reset before the matrix, two "
            "biases would only be added, and their sum is one bias. Half a point if one of the two "
            "places is missing.",
        ),
    ),
    WordQuestion(
        "why_no_weights_convert",
        rubric=(
            "1 point: reset before the matrix, r belongs to the unit that is heard; after it, to "
            "the unit that hears. Words for (12.7) count as much as the equation.",
            "1 point: two cases in which the forms agree, with the reason: the units have one "
            "reset, W_hn is diagonal, or groups of units that share a reset and are connected only "
            "with each other; b_hn is zero in all of them. Half a point for one case, or for cases "
            "without a reason.",
        ),
    ),
)
