"""Every cell of the package, found by code, and two cells as a user could write them.

Not a test file. `Leaky` has everything that a cell may have; `Light` does not read h.
"""

import importlib
import pkgutil
from typing import Any, NamedTuple

import numpy as np
from example_cell import Leaky

import rnn_tutorial.cells
from rnn_tutorial.activations import sigmoid
from rnn_tutorial.cells import Cell, LSTMState, gate_blocks
from rnn_tutorial.types import Array, Rng


def cells_of_the_package() -> dict[str, Cell]:
    """Return every cell of the modules of rnn_tutorial.cells, by name."""
    found: dict[str, Cell] = {}
    for module in pkgutil.walk_packages(rnn_tutorial.cells.__path__, "rnn_tutorial.cells."):
        values = vars(importlib.import_module(module.name)).items()
        found |= {name: value for name, value in values if isinstance(value, Cell)}
    return found


class LightParams(NamedTuple):
    """The parameters of `Light`; no step reads h, so W_h has no columns."""

    W_x: Array  # (D, 4H)
    W_h: Array  # (H, 0)
    b: Array  # (4H,)
    v: Array  # (H,)


class LightGates(NamedTuple):
    """The gates of `Light`: candidate, forget, output, and the input that skips the cell."""

    g: Array
    f: Array
    r: Array
    skip: Array


class LightValues(NamedTuple):
    """What the backward of `Light` reads."""

    c_previous: Array
    f: Array
    r: Array
    g: Array
    skip: Array
    c: Array


def light_init(rng: Rng, input_size: int, hidden_size: int) -> LightParams:
    """Return LightParams drawn from N(0, 1)."""
    shapes = light_shapes(input_size, hidden_size)
    return LightParams(*(rng.standard_normal(shape) for shape in shapes))


def light_shapes(D: int, H: int) -> Any:
    """Return LightParams of the shapes."""
    return LightParams._make([(D, 4 * H), (H, 0), (4 * H,), (H,)])


def light_pointwise(
    params: LightParams, a_x: Array, a_h: Array, state: LSTMState
) -> tuple[LSTMState, LightValues]:
    """Return (state, LightValues).

    c = f * c_previous + (1 - f) * g, h = r * c + (1 - r) * skip; f depends on c_previous * v.

    Source: Lei et al. 2018.
    """
    a = gate_blocks(a_x, LightGates)
    f, r = sigmoid.f(a.f + params.v * state.c), sigmoid.f(a.r)
    c = f * state.c + (1 - f) * a.g
    return LSTMState(r * c + (1 - r) * a.skip, c), LightValues(state.c, f, r, a.g, a.skip, c)


def light_pointwise_backward(
    params: LightParams, values: LightValues, dstate: LSTMState
) -> tuple[dict[str, Array], Array, Array, LSTMState]:
    """Return ({"v": dv}, da_x, da_h, dprevious)."""
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
