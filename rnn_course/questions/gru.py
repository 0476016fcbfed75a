"""Assignment 3: the GRU, reset after and before the matrix, and the two conventions for z.

Chapter 12. The references are the package's own functions. The mistakes of the steps are in
`gru_forward.py`, `gru_gates.py` and `gru_backward.py`.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from rnn_course.judge.question import Question, causes_of, draw_sizes
from rnn_course.questions import gru_backward, gru_forward, gru_gates
from rnn_course.questions.gru_forward import N, R, Z
from rnn_tutorial.cells.cell import Cell
from rnn_tutorial.cells.gates import gate_blocks
from rnn_tutorial.cells.gru import GRU, GRUGates, GRUParams, GRUState, GRUValues
from rnn_tutorial.cells.gru_before import GRUBefore, GRUBeforeParams, GRUBeforeValues
from rnn_tutorial.sequence.step import step, step_backward
from rnn_tutorial.types import Array, Rng, Tree

__all__ = [
    "QUESTIONS",
    "before_step_backward_cases",
    "draw",
    "gate_cases",
    "gate_gradients",
    "gru_before_step",
    "gru_before_step_backward",
    "gru_step",
    "gru_step_backward",
    "other_z",
]

GATES = {"gates.r": "B H", "gates.z": "B H", "gates.n": "B H"}
DA = {"da.r": "B H", "da.z": "B H", "da.n": "B H"}
INPUTS = {"dx": "B D", "dh_previous": "B H"}


# The cases: what the functions are called with


def draw(rng: Rng, Params: type[GRUParams] | type[GRUBeforeParams]) -> tuple[Any, Array, Array]:
    """Return (params, x, h_previous) of one form, no entry zero."""
    T, B, D, H = draw_sizes(rng)
    H = T if H == 3 else H  # two blocks of three columns are six, which B or D may be
    shapes = {"W_x": (D, 3 * H), "W_h": (H, 3 * H), "b": (3 * H,), "b_hn": (H,), "W_hn": (H, H)}
    shapes |= {"W_h": (H, 2 * H)} if Params is GRUBeforeParams else {}
    params = Params(*(0.6 * rng.standard_normal(shapes[name]) for name in Params._fields))
    return params, rng.standard_normal((B, D)), rng.uniform(-1, 1, (B, H))


def step_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (params, x, h_previous)."""
    return [draw(rng, GRUParams) for _ in range(3)]


def gate_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (params, h_previous, gates, dh)."""
    return [(params, h, gates, dh) for params, _, h, gates, dh in step_backward_cases(rng)]


def step_backward_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (params, x, h_previous, gates, dh)."""
    return [
        (*case, gru_step(*case)[1], rng.standard_normal(case[2].shape)) for case in step_cases(rng)
    ]


def before_step_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (params, x, h_previous), the reset before the matrix."""
    return [draw(rng, GRUBeforeParams) for _ in range(3)]


def before_step_backward_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (params, x, h_previous, gates, dh), the reset before the matrix."""
    return [
        (*case, gru_before_step(*case)[1], rng.standard_normal(case[2].shape))
        for case in before_step_cases(rng)
    ]


def z_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (W_x, W_h, b)."""
    return [params[:3] for params, _, _ in step_cases(rng)]


# The references: the right answers


def one_step(cell: Cell, params: Tree, x: Array, h_previous: Array) -> tuple[Array, GRUGates]:
    """Return (h, gates) of one step of a cell."""
    state, cache = step(cell, params, x, GRUState(h_previous))
    values = cache.pointwise
    return state.h, GRUGates(values.r, values.z, values.n)


def one_step_back(
    cell: Cell, params: Tree, x: Array, h_previous: Array, dh: Array
) -> tuple[Any, Array, Array]:
    """Return (dparams, dx, dh_previous) of one step of a cell."""
    _, cache = step(cell, params, x, GRUState(h_previous))
    dparams, dx, dprevious = step_backward(cell, params, cache, GRUState(dh))
    return dparams, dx, dprevious.h


def gru_step(params: GRUParams, x: Array, h_previous: Array) -> tuple[Array, GRUGates]:
    """Return (h, gates)."""
    return one_step(GRU, params, x, h_previous)


def gate_gradients(
    params: GRUParams, h_previous: Array, gates: GRUGates, dh: Array
) -> tuple[GRUGates, Array]:
    """Return (da, ds)."""
    s = h_previous @ gate_blocks(params.W_h, GRUGates).n + params.b_hn
    _, da_x, da_h, _ = GRU.pointwise_backward(
        params, GRUValues(h_previous, *gates, s), GRUState(dh)
    )
    return gate_blocks(da_x, GRUGates), gate_blocks(da_h, GRUGates).n


def gru_step_backward(
    params: GRUParams, x: Array, h_previous: Array, gates: GRUGates, dh: Array
) -> tuple[GRUParams, Array, Array]:
    """Return (dparams, dx, dh_previous)."""
    return one_step_back(GRU, params, x, h_previous, dh)


def gru_before_step(params: GRUBeforeParams, x: Array, h_previous: Array) -> tuple[Array, GRUGates]:
    """Return (h, gates)."""
    return one_step(GRUBefore, params, x, h_previous)


def gru_before_step_backward(
    params: GRUBeforeParams, x: Array, h_previous: Array, gates: GRUGates, dh: Array
) -> tuple[GRUGates, GRUBeforeParams, Array, Array]:
    """Return (da, dparams, dx, dh_previous)."""
    _, da_x, _, _ = GRUBefore.pointwise_backward(
        params, GRUBeforeValues(h_previous, *gates), GRUState(dh)
    )
    return gate_blocks(da_x, GRUGates), *one_step_back(GRUBefore, params, x, h_previous, dh)


def other_z(W_x: Array, W_h: Array, b: Array) -> tuple[Array, ...]:
    """Return (W_x, W_h, b) in the convention of Chung et al., where z multiplies the candidate.

    z becomes 1 - z: its block changes sign, equation (12.10).
    """
    blocks = (gate_blocks(leaf, GRUGates) for leaf in (W_x, W_h, b))
    return tuple(np.concatenate(gates._replace(z=-gates.z), axis=-1) for gates in blocks)


# The other convention for z, with a switch for each mistake


def convert(
    W_x: Array,
    W_h: Array,
    b: Array,
    *,
    change: Callable[..., Array] = np.negative,
    blocks: tuple[int, ...] = (Z,),
) -> tuple[Array, ...]:
    """Return (W_x, W_h, b) in the other convention for z, right unless a switch is set."""
    gates = (np.split(leaf, 3, axis=-1) for leaf in (W_x, W_h, b))
    return tuple(
        np.concatenate(
            [change(part) if k in blocks else part for k, part in enumerate(parts)], axis=-1
        )
        for parts in gates
    )


CONVERT = (
    (
        "nothing changed",
        "This is what you were given. Which blocks are the weights of z?",
        {"blocks": ()},
    ),
    (
        "another gate changed",
        "You change the first block. Which gate does it belong to? The order is r, z, n.",
        {"blocks": (R,)},
    ),
    (
        "another gate changed",
        "You change the last block, the candidate's. The order is r, z, n.",
        {"blocks": (N,)},
    ),
    (
        "another gate changed",
        "You change both gates. The reset gate means the same in both conventions.",
        {"blocks": (R, Z)},
    ),
    (
        "another gate changed",
        "You change every block. Two of the three mean the same in both conventions.",
        {"blocks": (R, Z, N)},
    ),
    (
        "complement of the weights",
        "It is the gate that becomes one minus itself, not its weights. What must its "
        "pre-activation become? (12.10).",
        {"change": lambda part: 1 - part},
    ),
    (
        "block lost",
        "The gate is not lost in the other convention, it becomes one minus itself: (12.10).",
        {"change": np.zeros_like},
    ),
)

QUESTIONS = (
    Question(
        "gru_step",
        {"h": "B H"} | GATES,
        step_cases,
        gru_step,
        causes_of(gru_forward.step, gru_forward.STEP, gru_forward.RESET_AFTER),
    ),
    Question(
        "gate_gradients",
        DA | {"ds": "B H"},
        gate_cases,
        gate_gradients,
        causes_of(
            gru_gates.gradients,
            gru_gates.SLOPES,
            gru_gates.MEAN,
            gru_gates.RESET_AFTER,
            gru_gates.CHUNG_GATES,
        ),
    ),
    Question(
        "gru_step_backward",
        {"dparams.W_x": "D 3H", "dparams.W_h": "H 3H", "dparams.b": "3H", "dparams.b_hn": "H"}
        | INPUTS,
        step_backward_cases,
        gru_step_backward,
        causes_of(
            gru_backward.step_backward,
            gru_backward.STEP,
            gru_gates.SLOPES,
            gru_gates.MEAN,
            gru_gates.RESET_AFTER,
            gru_backward.TO_INPUT,
            gru_backward.CHUNG_STEP,
        ),
    ),
    Question(
        "gru_before_step",
        {"h": "B H"} | GATES,
        before_step_cases,
        gru_before_step,
        causes_of(gru_forward.before_step, gru_forward.STEP, gru_forward.RESET_BEFORE),
    ),
    Question(
        "gru_before_step_backward",
        DA
        | {"dparams.W_x": "D 3H", "dparams.W_h": "H 2H", "dparams.b": "3H", "dparams.W_hn": "H H"}
        | INPUTS,
        before_step_backward_cases,
        gru_before_step_backward,
        causes_of(
            gru_backward.before_backward,
            gru_backward.STEP,
            gru_gates.SLOPES,
            gru_gates.MEAN,
            gru_backward.RESET_BEFORE,
            gru_backward.CHUNG_STEP,
        ),
    ),
    Question(
        "other_z",
        {"W_x": "D 3H", "W_h": "H 3H", "b": "3H"},
        z_cases,
        other_z,
        causes_of(convert, CONVERT),
    ),
)
