"""A small cell with everything that a cell may have. Not a test file.

    y = tanh(a_x + 0.7 a_h + p * c_previous)        c = 0.5 * c_previous + y        h = g * c

Its state has two parts, h and c. It has two parameters of its own: `p` (H,) is the weight of the
old c, and `g` (H,) scales the output. The 0.7 makes the gradients of a_x and a_h differ.
"""

from typing import Any, NamedTuple

import numpy as np

from rnn_tutorial.cells import Cell, elman_init
from rnn_tutorial.types import Array, Rng


class LeakyParams(NamedTuple):
    """The parameters of `Leaky`."""

    W_x: Array
    W_h: Array
    b: Array
    p: Array
    g: Array


class LeakyState(NamedTuple):
    """The state of `Leaky`."""

    h: Array
    c: Array


def leaky_init(rng: Rng, input_size: int, hidden_size: int) -> LeakyParams:
    """Return LeakyParams: those of the Elman cell, p of zeros and g of ones."""
    W_x, W_h, b = elman_init(rng, input_size, hidden_size)
    return LeakyParams(W_x, W_h, b, p=np.zeros(hidden_size), g=np.ones(hidden_size))


def leaky_shapes(D: int, H: int) -> Any:
    """Return LeakyParams of the shapes."""
    return LeakyParams._make([(D, H), (H, H), (H,), (H,), (H,)])


def leaky_pointwise(
    params: LeakyParams, a_x: Array, a_h: Array, state: LeakyState
) -> tuple[LeakyState, tuple[Array, ...]]:
    """Return (state, cache)."""
    y = np.tanh(a_x + 0.7 * a_h + params.p * state.c)
    c = 0.5 * state.c + y
    return LeakyState(params.g * c, c), (state.c, y, c)


def leaky_pointwise_backward(
    params: LeakyParams, cache: tuple[Array, ...], dstate: LeakyState
) -> tuple[dict[str, Array], Array, Array, LeakyState]:
    """Return ({"p": dp, "g": dg}, da_x, da_h, dprevious)."""
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
