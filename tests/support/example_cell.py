"""A small cell with everything that a cell may have: two parts of the state, two parameters of its own. Not a test file.

    y = tanh(a_x + 0.7 a_h + p * c_previous)        c = l * c_previous + y        h = g * c

The 0.7 makes the gradients of a_x and a_h differ, `p` (H,) lets the cell see its own c before it acts, `g` (H,) scales what
it shows, and the leak is 0.5.
"""

from typing import NamedTuple

import numpy as np

from rnn_tutorial.cells import Cell, elman_init


class LeakyParams(NamedTuple):
    W_x: np.ndarray
    W_h: np.ndarray
    b: np.ndarray
    p: np.ndarray
    g: np.ndarray


class LeakyState(NamedTuple):
    h: np.ndarray
    c: np.ndarray


def leaky_init(rng, input_size, hidden_size):
    return LeakyParams(
        *elman_init(rng, input_size, hidden_size), p=np.zeros(hidden_size), g=np.ones(hidden_size)
    )


def leaky_shapes(D, H):
    return LeakyParams(W_x=(D, H), W_h=(H, H), b=(H,), p=(H,), g=(H,))


def leaky_pointwise(params, a_x, a_h, state):
    y = np.tanh(a_x + 0.7 * a_h + params.p * state.c)
    c = 0.5 * state.c + y
    return LeakyState(params.g * c, c), (state.c, y, c)


def leaky_pointwise_backward(params, cache, dstate):
    previous_c, y, c = cache
    dc = dstate.c + dstate.h * params.g
    da = dc * (1 - y * y)
    dextra = {"p": (da * previous_c).sum(axis=0), "g": (dstate.h * c).sum(axis=0)}
    return dextra, da, 0.7 * da, LeakyState(np.zeros_like(da), 0.5 * dc + da * params.p)


Leaky = Cell(
    name="Leaky",
    Params=LeakyParams,
    State=LeakyState,
    gates="y",
    init=leaky_init,
    pointwise=leaky_pointwise,
    pointwise_backward=leaky_pointwise_backward,
    shapes=leaky_shapes,
)
