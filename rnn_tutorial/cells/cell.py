"""What a cell is: the elementwise part of a recurrent step, and what its parameters and its state are.

Every recurrent step begins with the same two matrix products,

    a_x = x @ W_x + b        a_h = h_previous @ W_h

and only what happens to a_x and a_h differs from cell to cell. So the products, which are most of the cost and whose
backward is always the same, belong to `rnn_tutorial.sequence.step` and `rnn_tutorial.sequence.unroll`; a cell says the rest.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from rnn_tutorial.activations import check_activations
from rnn_tutorial.bound import Bound
from rnn_tutorial.validation import check_kind, check_positive, check_shape

__all__ = [
    "Cell",
    "SHARED",
    "cell_with_activations",
    "check_is_cell",
    "check_made_by",
    "same_function",
]

SHARED = "W_x", "W_h", "b"  # the parameters that every cell has


@dataclass(frozen=True, repr=False)
class Cell:
    """A cell: a name, the types of its parameters and its state, its gates, and three pure functions.

    Params: a NamedTuple with the fields W_x (D, A), W_h (H, A_h), b (A,), where A = G * H for a cell of G gates; other
    fields are the cell's own. State: a NamedTuple with the field h (B, H), which is also the cell's output; other
    fields are (B, H) too. gates: the names of the G blocks of W_x in their order, such as "ifog".

    init(rng, input_size, hidden_size) -> params
    pointwise(params, a_x, a_h, state) -> (new state, cache)
        a_x is (B, A), b already added to it, and a_h is (B, A_h); `cache` is whatever the backward needs.
    pointwise_backward(params, cache, dstate) -> (dextra, da_x, da_h, dprevious)
        `dstate` is the gradient of the new state; `dextra` a dict of the gradients of the cell's own parameters, by
        name and summed over the batch, {} if it has none; da_x (B, A) and da_h (B, A_h); `dprevious`, a State, the
        gradient of the old state along every path that does not lead through a_h.
    shapes(input_size, hidden_size) -> a Params of the shapes of the parameters
        Only needed if the cell has parameters of its own, or if W_h has not as many columns as W_x. A cell that does
        not read h has a W_h of (H, 0). Left out: (D, G*H), (H, G*H), (G*H,).
    activations: the NamedTuple of `Activation`s that `pointwise` computes with, or () if it has no choice.

    `fast` is the kernel of the cell's fast path, or None: `cell.with_fast(kernel)` gives a cell one. It computes the
    same as `pointwise` and its backward, so a cell with other functions, made by `cell.replace`, has none.

    A template to copy, with all that a cell needs, is `cells/elman.py`. `pointwise` may hold a matrix product of its
    own, as in `cells/gru_before.py`. `gradient_check.check_cell(cell, rng)` says whether the backward of a new cell is
    right; `pointwise` must accept complex numbers for it (or see its `slope`).
    """

    name: str
    Params: type
    State: type
    gates: str | tuple
    init: Callable
    pointwise: Callable
    pointwise_backward: Callable
    shapes: Callable | None = None
    activations: Any = ()
    fast: Any = field(
        default=None, init=False, hash=False
    )  # a kernel holds slices, which have no hash

    def replace(self, **changes):
        """Return the cell with other fields. It keeps its fast path if only its name or its start is another.

        The fast path computes what the old functions compute, so a cell with another `pointwise` has none.
        """
        kept = self.fast if changes.keys() <= {"name", "init"} else None
        return replace(self, **changes).with_fast(kept)

    def with_fast(self, kernel):
        """Return the cell with `kernel` as its fast path, a `Kernel` that computes the same, or None."""
        cell = replace(self)
        object.__setattr__(cell, "fast", kernel)
        return cell

    @property
    def extra(self):
        """The names of the parameters other than W_x, W_h and b."""
        return tuple(name for name in self.Params._fields if name not in SHARED)

    def shapes_of(self, input_size, hidden_size):
        """Return a Params of the shapes of the parameters."""
        if self.shapes is not None:
            return self.shapes(input_size, hidden_size)
        A = len(self.gates) * hidden_size
        return self.Params((input_size, A), (hidden_size, A), (A,))

    def check_params(self, params, input_size=None, hidden_size=None):
        """Raise TypeError or ValueError unless `params` are parameters of this cell that fit each other.

        And, where a size is given, of this size. All must be floating-point numbers of one dtype.
        """
        check_kind("params", params, self.Params)
        for name in SHARED[:2]:
            if not isinstance(getattr(params, name), np.ndarray) or getattr(params, name).ndim != 2:
                got = np.shape(getattr(params, name))
                raise ValueError(f"{name}: expected a NumPy array with two axes, got shape {got}")
        D = len(params.W_x) if input_size is None else input_size
        H = len(params.W_h) if hidden_size is None else hidden_size
        dtype = params.W_x.dtype
        if dtype.kind not in "fc":
            raise TypeError(f"params: expected arrays of floating-point numbers, got {dtype}")
        for name, leaf, shape in zip(params._fields, params, self.shapes_of(D, H)):
            check_shape(name, leaf, shape, dtype)

    def initial_state(self, params, batch_size):
        """Return the state before the first step: zeros (B, H) in the dtype of the parameters.

        Raises: ValueError or TypeError for parameters that are not those of this cell, or do not fit each other.
        """
        check_positive("batch_size", batch_size)
        self.check_params(params)
        shape = batch_size, len(params.W_h)
        return self.State(*(np.zeros(shape, params.b.dtype) for _ in self.State._fields))

    def __repr__(self):
        usual = getattr(self.activations, "_field_defaults", {})
        chosen = [
            f"{slot}={f!r}" for slot, f in self.named_activations.items() if usual.get(slot) != f
        ]
        return f"{self.name}({', '.join(chosen)})" if chosen else self.name

    @property
    def named_activations(self):
        """The activations by the names that the cell has for them, as a dict."""
        return self.activations._asdict() if self.activations else {}


def cell_with_activations(name, activations, init, pointwise, pointwise_backward, **fields):
    """Return the cell whose two functions compute with `activations`, a NamedTuple of `Activation`s.

    fields: those of `Cell`. Raises: TypeError for anything that is not an Activation.
    """
    check_activations(**activations._asdict())
    return Cell(
        name=name,
        init=init,
        pointwise=Bound(pointwise, activations=activations),
        pointwise_backward=Bound(pointwise_backward, activations=activations),
        activations=activations,
        **fields,
    )


def check_is_cell(cell):
    """Raise TypeError unless `cell` is a Cell: not a name in quotes, and not `lstm`, which makes cells."""
    if not isinstance(cell, Cell):
        raise TypeError(
            f"cell: expected a Cell, such as LSTM of rnn_tutorial.cells.lstm, got {type(cell).__name__}"
        )


def same_function(cell, other):
    """Return whether two cells compute the same function of the same parameters."""
    return cell.pointwise == other.pointwise


def check_made_by(cell, maker):
    """Raise TypeError unless `maker`, the cell whose forward made a cache, has the forward of `cell`."""
    if not same_function(cell, maker):
        raise TypeError(
            f"cell: expected the one whose forward made the cache, {maker!r}, got {cell!r}"
        )
