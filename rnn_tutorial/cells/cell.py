"""What a cell is: the elementwise part of a recurrent step, and its parameters and its state.

Every recurrent step begins with the same two matrix products,

    a_x = x @ W_x + b        a_h = h_previous @ W_h

and cells differ only in what they do with a_x and a_h. The products are most of the cost, and their
backward is always the same, so they belong to `rnn_tutorial.sequence.step` and
`rnn_tutorial.sequence.unroll`. The rest belongs to the cell.
"""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from rnn_tutorial.activations import check_activations
from rnn_tutorial.bound import Bound
from rnn_tutorial.cells.kernels.kernel import Kernel
from rnn_tutorial.types import CellInit, CellShapes, Pointwise, PointwiseBackward, Tree
from rnn_tutorial.validation import check_kind, check_positive, check_shape, describe

__all__ = [
    "Cell",
    "cell_with_activations",
    "check_is_cell",
    "check_made_by",
    "same_function",
]

SHARED = "W_x", "W_h", "b"  # the parameters that every cell has


@dataclass(frozen=True, repr=False)
class Cell:
    """A cell: a name, the types of its parameters and its state, its gates, three pure functions.

    Params: a NamedTuple with the fields W_x (D, A), W_h (H, A_h), b (A,), where A = G * H for a
        cell of G gates. Other fields are the cell's own parameters. W_hn is the recurrent matrix
        of a gate n that has no block in W_h, and b_hn a second bias of this gate.
    State: a NamedTuple with the field h (B, H), which is also the cell's output. Other fields are
        (B, H) too.
    gates: the names of the G blocks of W_x in their order, such as "ifog"; no name twice.

    init(rng, input_size, hidden_size) -> params
    pointwise(params, a_x, a_h, state) -> (new state, cache)
        a_x is (B, A), b already added to it, and a_h is (B, A_h); `cache` is whatever the backward
        needs.
    pointwise_backward(params, cache, dstate) -> (dextra, da_x, da_h, dprevious)
        `dstate` is the gradient of the new state. `dextra` is a dict of the gradients of the cell's
        own parameters, by name and summed over the batch, {} if it has none. da_x is (B, A), da_h
        (B, A_h). `dprevious`, a State, is the gradient of the old state along every path that does
        not lead through a_h.
    shapes(input_size, hidden_size) -> a Params of the shapes of the parameters
        Needed only if the cell has parameters of its own, or if W_h has not as many columns as W_x.
        A cell that does not read h has a W_h of (H, 0). Without `shapes` they are (D, G*H),
        (H, G*H), (G*H,).
    activations: the NamedTuple of `Activation`s that `pointwise` computes with, or () if the cell
        has no choice of activations.

    `fast` is the kernel of the cell's fast path, or None: `cell.with_fast(kernel)` gives a cell
    one. It computes the same as `pointwise` and its backward. So a cell with other functions, made
    by `cell.replace`, has none.

    `cells/elman.py` is the template to copy: it has all that a cell needs. `pointwise` may contain
    a matrix product of its own, as in `cells/gru_before.py`.
    `gradient_check.check_cell(cell, rng)` checks the backward of a new cell; for that, `pointwise`
    must accept complex numbers (or see the `slope` of `check_cell`). Define the functions of a cell
    in a module if models travel between processes: a function that is defined again is another
    function, and its cell refuses the caches of the first.

    Raises: TypeError for Params without W_x, W_h or b, and for parameters of the cell's own without
    `shapes`; ValueError unless the names of the gates differ.

    Example: h = h_previous / 2 + sin(a_x + a_h), with the parameters and the state of Elman.

    >>> import numpy as np
    >>> from rnn_tutorial.cells import Cell, ElmanParams, ElmanState, elman_init
    >>> from rnn_tutorial.gradient_check import check_cell
    >>> def pointwise(params, a_x, a_h, state):
    ...     a = a_x + a_h
    ...     return ElmanState(h=state.h / 2 + np.sin(a)), a
    >>> def pointwise_backward(params, a, dstate):
    ...     da = dstate.h * np.cos(a)
    ...     return {}, da, da, ElmanState(h=dstate.h / 2)
    >>> Sine = Cell(
    ...     name="Sine", Params=ElmanParams, State=ElmanState, gates="a",
    ...     init=elman_init, pointwise=pointwise, pointwise_backward=pointwise_backward,
    ... )
    >>> check_cell(Sine, np.random.default_rng(0))  # raises GradientError for a wrong backward
    Sine: 3 parameters, inputs and first state, over 6 steps, whole and ragged: right to 1e-12 ✓
    """

    name: str
    Params: type[Any]
    State: type[Any]
    gates: str | tuple[str, ...]
    init: CellInit
    pointwise: Pointwise
    pointwise_backward: PointwiseBackward
    shapes: CellShapes | None = None
    activations: Any = ()
    fast: Kernel | None = field(
        default=None, init=False, hash=False
    )  # a kernel holds slices, which have no hash

    def __post_init__(self) -> None:
        fields = getattr(self.Params, "_fields", ())
        if not set(SHARED) <= set(fields):
            got = ", ".join(fields) or describe(self.Params)
            raise TypeError(f"Params: expected the fields W_x, W_h and b among others, got {got}")
        if self.extra and self.shapes is None:
            own = ", ".join(self.extra)
            raise TypeError(f"shapes: the cell has parameters of its own ({own}): give it `shapes`")
        if not self.gates or len(set(self.gates)) < len(self.gates):
            raise ValueError(f"gates: expected names, each of them once, got {self.gates!r}")

    def replace(self, **changes: Any) -> "Cell":
        """Return the cell with other fields. It keeps its fast path if only name or init change.

        The fast path computes the same as the old functions, so a cell with another `pointwise` has
        none.
        """
        kept = self.fast if changes.keys() <= {"name", "init"} else None
        return replace(self, **changes).with_fast(kept)

    def with_fast(self, kernel: Kernel | None) -> "Cell":
        """Return the cell with `kernel` as its fast path: one that computes the same, or None."""
        cell = replace(self)
        object.__setattr__(cell, "fast", kernel)
        return cell

    @property
    def extra(self) -> tuple[str, ...]:
        """The names of the parameters other than W_x, W_h and b."""
        return tuple(name for name in self.Params._fields if name not in SHARED)

    def shapes_of(self, input_size: int, hidden_size: int) -> Any:
        """Return a Params of the shapes of the parameters.

        Raises: ValueError unless W_x and b of the cell's own `shapes` have hidden_size columns for
        each gate.
        """
        A = len(self.gates) * hidden_size
        if self.shapes is None:
            return self.Params(W_x=(input_size, A), W_h=(hidden_size, A), b=(A,))
        shapes = self.Params._make(self.shapes(input_size, hidden_size))
        for name, wanted in ("W_x", (input_size, A)), ("b", (A,)):
            if getattr(shapes, name) != wanted:
                raise ValueError(
                    f"shapes: expected {wanted} for {name}, hidden_size columns for each of the "
                    f"gates {self.gates!r}, got {getattr(shapes, name)}"
                )
        return shapes

    def check_params(
        self, params: Tree, input_size: int | None = None, hidden_size: int | None = None
    ) -> None:
        """Raise TypeError or ValueError unless `params` are parameters of this cell that fit.

        They must fit each other and, where a size is given, have this size. All must be
        floating-point numbers of one dtype.
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

    def initial_state(self, params: Tree, batch_size: int) -> Any:
        """Return the state before the first step: zeros (B, H) in the dtype of the parameters.

        Raises: ValueError or TypeError for parameters that are not those of this cell, or do not
        fit each other; ValueError unless `batch_size` is a positive whole number.
        """
        self.check_params(params)
        check_positive("batch_size", batch_size)
        shape = batch_size, len(params.W_h)
        return self.State(*(np.zeros(shape, params.b.dtype) for _ in self.State._fields))

    def __repr__(self) -> str:
        usual = getattr(self.activations, "_field_defaults", {})
        chosen = [
            f"{slot}={f!r}" for slot, f in self.named_activations.items() if usual.get(slot) != f
        ]
        return f"{self.name}({', '.join(chosen)})" if chosen else self.name

    @property
    def named_activations(self) -> dict[str, Any]:
        """The activations by the names that the cell has for them, as a dict."""
        return self.activations._asdict() if self.activations else {}


def cell_with_activations(
    name: str,
    activations: Any,
    init: CellInit,
    pointwise: Any,
    pointwise_backward: Any,
    **fields: Any,
) -> Cell:
    """Return the cell whose two functions compute with `activations`.

    activations: a NamedTuple of `Activation`s, which `pointwise` and `pointwise_backward` receive
    as a keyword argument. fields: those of `Cell`.

    Raises: TypeError for anything that is not an Activation.
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


def check_is_cell(cell: Any) -> None:
    """Raise TypeError unless `cell` is a Cell: not a string, and not `lstm`, which makes cells."""
    if not isinstance(cell, Cell):
        got = type(cell).__name__
        raise TypeError(
            f"cell: expected a Cell, such as LSTM of rnn_tutorial.cells.lstm, got {got}"
        )


def same_function(cell: Cell, other: Cell) -> bool:
    """Return whether two cells compute the same function of the same parameters."""
    return cell.pointwise == other.pointwise


def check_made_by(cell: Cell, maker: Cell) -> None:
    """Raise TypeError unless `cell` has the forward of `maker`, the cell that made a cache."""
    if same_function(cell, maker):
        return
    message = f"cell: expected the one whose forward made the cache, {maker!r}, got {cell!r}"
    if repr(cell) == repr(maker):
        message += (
            ", a cell of the same name but another function; "
            "define it in a module if models travel between processes"
        )
    raise TypeError(message)
