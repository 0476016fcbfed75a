"""Every cell of the package, found by code, and two of a user's own. Not a test file.

`Leaky` has everything that a cell may have; `Light` does not read h at all.
"""

import importlib
import pkgutil
from typing import NamedTuple

import numpy as np
from example_cell import Leaky

import rnn_tutorial.cells
from rnn_tutorial.activations import sigmoid
from rnn_tutorial.cells import Cell, LSTMState, gate_blocks


def cells_of_the_package() -> dict:
    """Return every cell that a module of rnn_tutorial.cells holds, by name."""
    found = {}
    for module in pkgutil.walk_packages(rnn_tutorial.cells.__path__, "rnn_tutorial.cells."):
        values = vars(importlib.import_module(module.name)).items()
        found |= {name: value for name, value in values if isinstance(value, Cell)}
    return found


class LightParams(NamedTuple):
    W_x: np.ndarray  # (D, 4H)
    W_h: np.ndarray  # (H, 0): no step reads h
    b: np.ndarray  # (4H,)
    v: np.ndarray  # (H,)


class LightGates(NamedTuple):
    g: np.ndarray
    f: np.ndarray
    r: np.ndarray
    skip: np.ndarray


class LightValues(NamedTuple):
    c_previous: np.ndarray
    f: np.ndarray
    r: np.ndarray
    g: np.ndarray
    skip: np.ndarray
    c: np.ndarray


def light_init(rng, input_size, hidden_size):
    """Return LightParams drawn from N(0, 1)."""
    shapes = light_shapes(input_size, hidden_size)
    return LightParams(*(rng.standard_normal(shape) for shape in shapes))


def light_shapes(D, H):
    return LightParams(W_x=(D, 4 * H), W_h=(H, 0), b=(4 * H,), v=(H,))


def light_pointwise(params, a_x, a_h, state):
    """c = f * c_previous + (1 - f) * g, h = r * c + (1 - r) * skip; f sees c_previous * v.

    Source: Lei et al. 2018.
    """
    a = gate_blocks(a_x, LightGates)
    f, r = sigmoid.f(a.f + params.v * state.c), sigmoid.f(a.r)
    c = f * state.c + (1 - f) * a.g
    return LSTMState(r * c + (1 - r) * a.skip, c), LightValues(state.c, f, r, a.g, a.skip, c)


def light_pointwise_backward(params, values, dstate):
    c_previous, f, r, g, skip, c = values
    dc = dstate.c + dstate.h * r
    da_r = dstate.h * (c - skip) * r * (1 - r)
    da_f = dc * (c_previous - g) * f * (1 - f)
    da = np.concatenate([dc * (1 - f), da_f, da_r, dstate.h * (1 - r)], axis=1)
    dprevious = LSTMState(np.zeros_like(c), dc * f + da_f * params.v)
    return {"v": (da_f * c_previous).sum(axis=0)}, da, np.zeros((len(c), 0), c.dtype), dprevious


Light = Cell(
    name="Light",
    Params=LightParams,
    State=LSTMState,
    gates=LightGates._fields,
    init=light_init,
    pointwise=light_pointwise,
    pointwise_backward=light_pointwise_backward,
    shapes=light_shapes,
)

PACKAGE = cells_of_the_package()
CELLS = PACKAGE | {"Leaky": Leaky, "Light": Light}
