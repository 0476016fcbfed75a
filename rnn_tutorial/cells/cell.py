"""What a cell is: the elementwise part of a recurrent step, and how to start it.

Every recurrent step begins with the same two matrix products,

    a_x = x @ W_x + b        a_h = h_previous @ W_h

and only what happens to a_x and a_h differs from cell to cell. So the products, which are most of the cost and whose
backward is always the same, belong to `rnn_tutorial.unroll`; a cell says the rest.
"""

from collections.abc import Callable
from typing import NamedTuple


class Cell(NamedTuple):
    """A cell: a name and four pure functions over its own NamedTuples, Params and State.

    Params begins with the fields W_x (D, A), W_h (H, A), b (A,), where A is H times the number of the cell's
    pre-activations; fields after these three, if any, are the cell's own. State has the field h (B, H), which is also the
    cell's output.

    init(rng, input_size, hidden_size) -> params
    initial_state(params, batch_size) -> state, all zeros
    pointwise(params, a_x, a_h, state) -> (new state, cache)
        a_x and a_h are (B, A), b already added to a_x; `cache` is whatever the backward needs.
    pointwise_backward(params, cache, dstate) -> (down, da_x, da_h, dprevious)
        `dstate` is the gradient of the new state; `down` is the tuple of the gradients of the cell's own fields,
        params[3:], summed over the batch, so () if there are none; da_x and da_h are (B, A); `dprevious`, a State, is the
        gradient of the old state along every road that does not lead through a_h.

    `cells/elman.py` is the smallest example. `rnn_tutorial.gradient_check.check_cell(cell, rng)` says whether a new cell's
    backward is right; `pointwise` must accept complex numbers for it (or see its `slope`).
    """

    name: str
    init: Callable
    initial_state: Callable
    pointwise: Callable
    pointwise_backward: Callable


def check_is_cell(cell):
    """Return nothing, or refuse what is no Cell: a name in quotes, or `lstm`, which makes cells, for `LSTM` or `lstm()`."""
    if not isinstance(cell, Cell):
        raise TypeError(f"cell: expected a Cell, such as LSTM of rnn_tutorial.cells.lstm, got {type(cell).__name__}")


def same_function(cell, other):
    """Return whether two cells compute the same function of the same parameters."""
    return same_code(cell.pointwise, other.pointwise)


def same_code(f, g):
    """Return whether two functions of cells are the same code with the same settings, such as activations."""
    return getattr(f, "func", f) is getattr(g, "func", g) and getattr(f, "keywords", {}) == getattr(g, "keywords", {})
