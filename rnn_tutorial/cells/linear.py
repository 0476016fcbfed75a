"""What a linear cell is: a cell whose step is h = a * h_previous + b, with a and b of x alone.

No gate reads h. So a and b of all steps can be computed at once, by one product of matrices, and
what is left for the loop is one multiplication and one addition of each unit. `LinearRecurrent` in
`rnn_tutorial.layers` does this; `unroll` and `Recurrent` run a linear cell as they run any other.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from rnn_tutorial.bound import Bound
from rnn_tutorial.cells.cell import Cell
from rnn_tutorial.cells.gates import init_gates
from rnn_tutorial.initializers import zeros
from rnn_tutorial.types import Array, Initializer, Rng
from rnn_tutorial.validation import describe

__all__ = [
    "LinearCell",
    "LinearParams",
    "LinearState",
    "LinearValues",
    "check_is_linear",
    "init_linear",
    "linear_cell",
    "linear_pointwise",
    "linear_pointwise_backward",
    "linear_shapes",
    "state_of_h",
    "the_h",
]


class LinearParams(NamedTuple):
    """The parameters of a linear cell without others: its gates side by side."""

    W_x: Array  # (D, GH)
    W_h: Array  # (H, 0): no gate reads h
    b: Array  # (GH,)


class LinearState(NamedTuple):
    """The state of the cell after a step."""

    h: Array  # (B, H)


class LinearValues(NamedTuple):
    """What `linear_pointwise` keeps for its backward."""

    h_previous: Array  # (B, H)
    a: Array  # (B, H)
    gates: Any  # what `coefficients` keeps


def state_of_h(h: Array) -> LinearState:
    """Return the state whose recurrence is that of h itself."""
    return LinearState(h)


def the_h(state: LinearState) -> Array:
    """Return h: the inverse of `state_of_h`."""
    return state.h


@dataclass(frozen=True, repr=False)
class LinearCell(Cell):
    """A `Cell` with four functions more, which say what a and b are.

    coefficients(params, a_x) -> (a, b, cache)
        a_x = x W_x + b, of one step (B, G*H) or of all (T, B, G*H); a and b are (..., H).
    coefficients_backward(params, cache, da, db) -> (dextra, da_x)
        dextra as in `Cell`, summed over everything but the units.
    joined(state) -> Array, and parted(array) -> State
        The array (..., H) that the recurrence runs over, and back: h itself, or h and another field
        as a complex number.

    `pointwise` must be one step of the same recurrence.

    Raises: what `Cell` raises.
    """

    coefficients: Callable[..., Any] = field(kw_only=True)
    coefficients_backward: Callable[..., Any] = field(kw_only=True)
    joined: Callable[[Any], Array] = field(kw_only=True, default=the_h)
    parted: Callable[[Array], Any] = field(kw_only=True, default=state_of_h)

    def replace(self, **changes: Any) -> Cell:
        """Return the cell with other fields: a plain `Cell` unless only name or init change.

        The coefficients compute the same as the old functions, so a cell with another `pointwise`
        has none.
        """
        if changes.keys() <= {"name", "init"}:
            return super().replace(**changes)
        plain = {name for name, its in Cell.__dataclass_fields__.items() if its.init}
        return Cell(**({name: getattr(self, name) for name in plain} | changes))


def check_is_linear(cell: Any) -> None:
    """Raise TypeError unless `cell` is a LinearCell."""
    if not isinstance(cell, LinearCell):
        raise TypeError(
            "cell: expected a LinearCell, such as MinGRU of rnn_tutorial.cells.min_gru, "
            f"got {cell.name if isinstance(cell, Cell) else describe(cell)}"
        )


def linear_pointwise(
    params: Any, a_x: Array, a_h: Array, state: LinearState, *, coefficients: Any
) -> tuple[LinearState, LinearValues]:
    """Return (state, LinearValues) of h = a * h_previous + b.

    Shapes: a_x (B, G*H), a_h (B, 0).
    """
    a, b, gates = coefficients(params, a_x)
    return LinearState(a * state.h + b), LinearValues(state.h, a, gates)


def linear_pointwise_backward(
    params: Any, cache: LinearValues, dstate: LinearState, *, coefficients_backward: Any
) -> tuple[dict[str, Array], Array, Array, LinearState]:
    """Return (dextra, da_x, da_h, dprevious).

        da = dh * h_previous      db = dh      dh_previous = dh * a

    Shapes: da_x (B, G*H), da_h (B, 0), dprevious.h (B, H).
    """
    dh = dstate.h
    dextra, da_x = coefficients_backward(params, cache.gates, dh * cache.h_previous, dh)
    return dextra, da_x, np.zeros((len(dh), 0), dh.dtype), LinearState(dh * cache.a)


def init_linear(
    rng: Rng, input_size: int, hidden_size: int, count: int, W_x: Initializer, b: Initializer
) -> LinearParams:
    """Return LinearParams of `count` gates, each block drawn by itself by W_x and b.

    Raises: TypeError unless `rng` is a generator, ValueError for sizes that are not positive whole
    numbers.
    """
    matrix, _, bias = init_gates(rng, input_size, hidden_size, count, W_x, zeros, b)
    return LinearParams(matrix, np.zeros((hidden_size, 0)), bias)


def linear_shapes(D: int, H: int, *, count: int) -> Any:
    """Return LinearParams of shapes, for `count` gates."""
    return LinearParams(W_x=(D, count * H), W_h=(H, 0), b=(count * H,))  # type: ignore[arg-type]


def linear_cell(
    name: str,
    gates: str,
    init: Any,
    coefficients: Any,
    coefficients_backward: Any,
    activations: Any,
) -> LinearCell:
    """Return the linear cell with these gates, whose two functions compute with `activations`."""
    forward = Bound(coefficients, activations=activations)
    backward = Bound(coefficients_backward, activations=activations)
    return LinearCell(
        name=name,
        Params=LinearParams,
        State=LinearState,
        gates=gates,
        init=init,
        pointwise=Bound(linear_pointwise, coefficients=forward),
        pointwise_backward=Bound(linear_pointwise_backward, coefficients_backward=backward),
        shapes=Bound(linear_shapes, count=len(gates)),
        activations=activations,
        coefficients=forward,
        coefficients_backward=backward,
    )
