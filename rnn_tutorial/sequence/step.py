"""One step of any cell, forward and backward: two matrix products, then the elementwise part.

    a_x = x @ W_x + b        a_h = h_previous @ W_h        state = pointwise(a_x, a_h, state)

`unroll` is this step T times, with the products of all steps taken together where that is possible.
"""

from typing import Any, NamedTuple

from rnn_tutorial.cells.cell import Cell, check_is_cell, check_made_by
from rnn_tutorial.tree import tree_map
from rnn_tutorial.types import Array
from rnn_tutorial.validation import check_array, check_finite, check_kind, check_like, check_shape

__all__ = [
    "StepCache",
    "affine_backward",
    "check_state",
    "copied",
    "step",
    "step_backward",
    "unchecked_step",
]


class StepCache(NamedTuple):
    """What `step` keeps for its backward."""

    cell: Cell
    x: Array  # (B, D)
    previous: Any  # the State before the step
    pointwise: Any  # the cache of the cell's pointwise
    state: Any  # the State after the step


def step(cell: Cell, params: Any, x: Array, state: Any) -> tuple[Any, StepCache]:
    """Return (new state, cache) of one step of `cell`.

    The cache keeps copies of x and of the states, so you may change them afterwards.

    Shapes: x (B, D), state: the cell's State of (B, H).
    Raises: TypeError for a cell that is not a Cell; ValueError or TypeError if the parameters are
    not those of the cell, or if x or state does not fit them or is not finite.
    """
    check_is_cell(cell)
    cell.check_params(params)
    check_array("x", x, dtype=params.b.dtype, B=None, D=len(params.W_x))
    check_finite("x", x)
    check_state(cell, params, state, len(x))
    return unchecked_step(cell, params, x, state)


def unchecked_step(cell: Cell, params: Any, x: Array, state: Any) -> tuple[Any, StepCache]:
    """Return what `step` returns, for arguments that have been checked, such as those of a loop."""
    x, state = x.copy(), tree_map(copied, state)
    new_state, cache = cell.pointwise(
        params, x @ params.W_x + params.b, state.h @ params.W_h, state
    )
    return tree_map(copied, new_state), StepCache(cell, x, state, cache, new_state)


def step_backward(cell: Cell, params: Any, cache: StepCache, dstate: Any) -> tuple[Any, Array, Any]:
    """Return (dparams, dx, dprevious), the gradients of the arguments of `step`.

    dstate is the gradient of the new state. dW_x = x^T da_x, dW_h = h_previous^T da_h, db = sum
    over the batch of da_x, dx = da_x W_x^T. The gradient of the old h has two parts: what
    `pointwise_backward` returns, and da_h W_h^T.

    Shapes: dstate: the cell's State of (B, H).
    Raises: ValueError or TypeError if dstate does not fit, or if the parameters have other sizes
    than those of the step; TypeError for a cell that is not a Cell, or for the cache of another
    cell.
    """
    check_is_cell(cell)
    check_made_by(cell, cache.cell)
    cell.check_params(params, cache.x.shape[1], cache.state.h.shape[1])
    check_like("dstate", dstate, cache.state)
    return affine_backward(params, cache, *cell.pointwise_backward(params, cache.pointwise, dstate))


def affine_backward(
    params: Any,
    cache: StepCache,
    dextra: dict[str, Array],
    da_x: Array,
    da_h: Array,
    dprevious: Any,
) -> tuple[Any, Array, Any]:
    """Return (dparams, dx, dprevious): the backward of the two matrix products of a step.

    dextra, da_x, da_h, dprevious: what the cell's `pointwise_backward` returned.
    """
    dprevious = dprevious._replace(h=dprevious.h + da_h @ params.W_h.T)  # a_h = h_previous @ W_h
    dparams = params._replace(  # a_x = x @ W_x + b
        W_x=cache.x.T @ da_x, W_h=cache.previous.h.T @ da_h, b=da_x.sum(axis=0), **dextra
    )
    return dparams, da_x @ params.W_x.T, dprevious


def check_state(cell: Cell, params: Any, state: Any, batch_size: int) -> None:
    """Raise ValueError or TypeError unless `state` is a State of the cell.

    Its arrays must be (B, H), have the dtype of the parameters, and be finite.
    """
    shape, dtype = (batch_size, len(params.W_h)), params.b.dtype
    check_kind("state", state, cell.State)
    for name, leaf in zip(state._fields, state):
        check_shape(f"state.{name}", leaf, shape, dtype)
        check_finite(f"state.{name}", leaf)


def copied(leaf: Array) -> Array:
    """Return a contiguous copy of an array."""
    return leaf.copy()
