"""Is a cell right? `check_cell` checks what its functions return, and every gradient over time."""

from typing import Any

import numpy as np

from rnn_tutorial.cells.cell import Cell, check_is_cell
from rnn_tutorial.gradient_check.check import GradientError, check_gradients
from rnn_tutorial.gradient_check.checked import Checked, checked
from rnn_tutorial.gradient_check.contract import unchanged
from rnn_tutorial.gradient_check.location import locate_cell
from rnn_tutorial.gradient_check.protocol import parts
from rnn_tutorial.gradient_check.slopes import CannotJudge, Slope, complex_step_slope
from rnn_tutorial.sequence.unroll import unroll, unroll_backward
from rnn_tutorial.tree import tree_random_like
from rnn_tutorial.types import Array, Mask, Rng
from rnn_tutorial.validation import check_rng, check_shape

__all__ = ["check_cell", "random_start"]


def random_start(cell: Cell, rng: Rng, B: int, D: int, H: int) -> tuple[Any, Any]:
    """Return (params, state) with every entry drawn from N(0, 0.3^2).

    A zero bias or state would hide mistakes.

    Raises: ValueError or TypeError if the parameters from `cell.init` have not the cell's shapes.
    """
    params = cell.init(rng, D, H)
    _check_init(cell, params, D, H)
    return tree_random_like(params, rng, 0.3), tree_random_like(
        cell.initial_state(params, B), rng, 0.3
    )


def check_cell(
    cell: Cell,
    rng: Rng,
    *,
    T: int = 6,
    B: int = 3,
    D: int = 4,
    H: int = 5,
    slope: Slope = complex_step_slope,
    rtol: float = 1e-12,
) -> Checked:
    """Return a line that says what was checked, or raise: every gradient of the cell over T steps.

    Random non-zero biases and first state, a gradient that arrives at each step and at the last
    state, and a second run with lengths from T down to 1. Checked: all parameters, all inputs, the
    first state, which are [0], [1] and [2] in the message. Before these, the message says what
    `locate_cell` finds at one step. For a cell that does not accept complex numbers,
    `slope=central_difference_slope, rtol=1e-6`.

    Raises: what `check_gradients` raises; TypeError or ValueError for a cell whose functions do not
    return what a Cell's must; ContractBroken for one whose functions change what they are given.
    """
    check_is_cell(cell)
    check_rng(rng)
    params, state = random_start(cell, rng, B, D, H)
    _check_functions(cell, params, state)
    xs = rng.standard_normal((T, B, D))
    lengths = np.linspace(T, 1, B).astype(int)
    for mask in (None, np.arange(T)[:, None] < lengths):

        def forward(point: tuple[Any, ...], mask: Mask | None = mask) -> tuple[Any, Any]:
            return unroll(cell, point[0], point[1], point[2], mask)

        def backward(cache: Any, doutputs: Any) -> tuple[Any, ...]:
            return unroll_backward(cell, params, cache, doutputs)

        try:
            check_gradients(forward, backward, (params, xs, state), rng, slope=slope, rtol=rtol)
        except GradientError as error:
            raise GradientError(_with_one_step(cell, rng, slope, rtol, T, str(error))) from None
    steps = f"over {T} step{'s' if T > 1 else ''}, whole and ragged"
    return checked(repr(cell), params, ["inputs", "first state"], steps, rtol)


def _with_one_step(cell: Cell, rng: Rng, slope: Slope, rtol: float, T: int, message: str) -> str:
    """Return the message, after what is found at one step, if one step can be judged."""
    try:
        found = locate_cell(cell, rng, slope=slope, rtol=max(rtol, 1e-9))
    except (CannotJudge, TypeError, ValueError):  # the first error is the one to report
        return message
    return f"at one step: {found.sentence}\nover {T} step{'s' if T > 1 else ''}: {message}"


def _check_init(cell: Cell, params: Any, D: int, H: int) -> None:
    """Raise ValueError or TypeError unless the parameters from `init` have the cell's shapes."""
    try:
        cell.check_params(params, D, H)
    except ValueError as error:
        if cell.shapes is not None:
            raise
        raise ValueError(
            f"init: {error}; a cell without `shapes` has H={H} columns in W_x, W_h and b for each "
            f"of its gates {cell.gates!r}; with `shapes`, W_h may have fewer"
        ) from None


def _check_functions(cell: Cell, params: Any, state: Any) -> None:
    """Raise unless the two functions of the cell return what `unroll` needs, and change nothing.

    Raises: TypeError or ValueError for what is returned; ContractBroken for what is changed.
    """
    rng = np.random.default_rng(0)
    B = len(state.h)
    a_x, a_h = (rng.standard_normal((B, W.shape[1])) for W in (params.W_x, params.W_h))
    given = {"params": params, "a_x": a_x, "a_h": a_h, "state": state}
    returned = unchanged("pointwise", given, lambda: cell.pointwise(params, a_x, a_h, state))
    new_state, cache = parts("pointwise", returned, "(new state, cache)")
    _check_state("pointwise", "new state", new_state, state)
    dstate = tree_random_like(state, rng)
    given = {"params": params, "cache": cache, "dstate": dstate}
    returned = unchanged(
        "pointwise_backward", given, lambda: cell.pointwise_backward(params, cache, dstate)
    )
    dextra, da_x, da_h, dprevious = parts(
        "pointwise_backward", returned, "(dextra, da_x, da_h, dprevious)"
    )
    _check_extra(cell, params, dextra, B)
    check_shape("pointwise_backward: da_x", da_x, a_x.shape, a_x.dtype)
    check_shape("pointwise_backward: da_h", da_h, a_h.shape, a_h.dtype)
    _check_state("pointwise_backward", "dprevious", dprevious, state)


def _check_state(function: str, name: str, got: Any, state: Any) -> None:
    """Raise TypeError or ValueError unless `got` has the fields and shapes of the state."""
    if getattr(got, "_fields", None) != state._fields:
        raise TypeError(
            f"{function}: expected a {name} with the fields {state._fields}, "
            f"got {type(got).__name__}"
        )
    for field, leaf, want in zip(state._fields, got, state):
        check_shape(f"{function}: {name}.{field}", leaf, want.shape, want.dtype)


def _check_extra(cell: Cell, params: Any, dextra: Any, B: int) -> None:
    """Raise TypeError or ValueError unless dextra fits the cell's own parameters."""
    name = "pointwise_backward: dextra"
    names = f"a dict with the names {', '.join(cell.extra)}" if cell.extra else "{}"
    if not isinstance(dextra, dict):
        raise TypeError(f"{name}: expected {names}, got {type(dextra).__name__}")
    if set(dextra) != set(cell.extra):
        got = ", ".join(map(str, dextra)) or "no names"
        raise ValueError(f"{name}: expected {names}, got {got}")
    for key, leaf in dextra.items():
        want: Array = getattr(params, key)
        if np.shape(leaf) == (B, *want.shape):
            raise ValueError(
                f"{name}[{key!r}]: expected shape {want.shape}, summed over the batch, "
                f"got {np.shape(leaf)}"
            )
        check_shape(f"{name}[{key!r}]", leaf, want.shape, want.dtype)
