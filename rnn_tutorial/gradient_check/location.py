"""Where is the mistake? `locate` looks at one step of a backward, gate by gate.

Over several steps one gate's mistake reaches every array, because h and c carry it. At one step it
does not, and what is right and what is wrong say where it is:

- One gate is wrong, or dprevious.c, or a parameter of the cell's own: its own lines.
- Several are wrong, all by one factor: what they share. If all that the gradient of c reaches is
  wrong, that is dc. If all go through gate n (they vanish when n is saturated), it is da_n.
- They are wrong by several factors, but with parameters of the cell's own at zero only one of them
  is: the others follow through these parameters.
- da is right, and dW_h is not: its product.

This needs no list of cells: all of it is measured, by slopes of the forward step. It is blind to
what one step does not show, and two mistakes at once are usually not located. In a cell that
normalises, such as NormLSTM, each gate depends on all units, and only the table helps.
"""

from dataclasses import dataclass
from functools import partial
from textwrap import wrap
from typing import Any

import numpy as np

from rnn_tutorial.cells.cell import Cell, check_is_cell
from rnn_tutorial.gradient_check.cause import cause
from rnn_tutorial.gradient_check.look import Look, look
from rnn_tutorial.gradient_check.one_step import (
    Da,
    Place,
    StepBackward,
    StepForward,
    away_from_zero,
    blocks,
    near,
    place_of,
    true_da,
)
from rnn_tutorial.gradient_check.slopes import (
    ComplexStepLost,
    Slope,
    central_difference_slope,
    complex_step_slope,
)
from rnn_tutorial.sequence.step import step, step_backward
from rnn_tutorial.tree import tree_map
from rnn_tutorial.types import Array, Rng
from rnn_tutorial.validation import check_rng

__all__ = ["Location", "locate", "locate_cell"]

PRODUCTS = ("dW_x", "dW_h", "db", "dx", "dprevious.h")  # the arrays that are computed from da


@dataclass(frozen=True, repr=False)
class Location:
    """What one step shows: which gradients are right, and where the mistake is.

    rows: by the name of an array, whether each part of it is right: one part for each gate, or one
        part, or none if it was not judged. The rows whose names begin with `da` are those before
        the matrix products.
    notes: by the name of an array, what to know about it: that it follows from a wrong da, that it
        has another shape, or that it was not judged.
    places: what to look at: ("da_f",), ("dc",), ("dW_h",); () if nothing is wrong, or if the
        mistake was not located.
    sentence: the same in words.

    Its `str`, which a notebook shows, is a table and the sentence.
    """

    gates: tuple[str, ...]
    rows: dict[str, tuple[bool, ...]]
    notes: dict[str, str]
    places: tuple[str, ...]
    sentence: str

    @property
    def right(self) -> bool:
        """Whether every gradient of the step is right."""
        return all(all(row) for row in self.rows.values())

    @property
    def table(self) -> str:
        """The rows as text, without the sentence, for a reader who looks for the place."""
        width = max(map(len, self.rows)) + 2
        lines = [" " * width + " ".join(self.gates)]
        for name, row in self.rows.items():
            marks = (f"{'✓' if right else '✗':{len(gate)}}" for gate, right in zip(self.gates, row))
            parts = " ".join(marks).rstrip(), self.notes.get(name, "")
            lines.append(f"{name:{width}}" + "  ".join(filter(None, parts)))
        return "\n".join(lines)

    def __str__(self) -> str:
        return "\n".join([self.table, *wrap(self.sentence, 80)])

    __repr__ = __str__


def locate(
    step: StepForward,
    step_backward: StepBackward,
    params: Any,
    state: Any,
    gates: str | tuple[str, ...],
    rng: Rng,
    *,
    slope: Slope = complex_step_slope,
    rtol: float = 1e-9,
) -> Location:
    """Return the Location of the mistake in `step_backward`, gate by gate, from one step.

    step(params, x, state) -> (new state, cache) and step_backward(params, cache, dstate) ->
    (dparams, dx, dprevious). Of `params` and `state` only the shapes are used: the point is random,
    with nothing near zero. The pre-activations are x @ W_x + b, and h_previous @ W_h; `gates` names
    their blocks, such as "ifog". The references are slopes of `step`: the complex step or, if
    `step` loses it, the central difference. They cost a few runs of the step for each entry, so
    take small sizes.

    Shapes: W_x (D, G*H), W_h (H, A_h), b (G*H,), every field of state (B, H), for G gates.
    Raises: TypeError unless `rng` is a generator; ValueError unless W_x has H columns for each
    gate; TypeError or ValueError for a backward that does not return what it must; CannotJudge at a
    kink; whatever the two functions raise.

    Example: the slope of the forget gate, forgotten.

    >>> from rnn_tutorial.cells import LSTM, LSTMParams, LSTMState, lstm_step, lstm_step_backward
    >>> def wrong_backward(params, cache, dstate):
    ...     x, previous, i, f, o, g, tanh_c = cache
    ...     do = dstate.h * tanh_c
    ...     dc = dstate.c + dstate.h * o * (1 - tanh_c**2)
    ...     di, df, dg = dc * g, dc * previous.c, dc * i
    ...     da = np.concatenate(
    ...         [di * i * (1 - i), df * f, do * o * (1 - o), dg * (1 - g**2)], axis=1
    ...     )
    ...     dparams = LSTMParams(W_x=x.T @ da, W_h=previous.h.T @ da, b=da.sum(axis=0))
    ...     return dparams, da @ params.W_x.T, LSTMState(h=da @ params.W_h.T, c=dc * f)
    >>> rng = np.random.default_rng(0)
    >>> params = LSTM.init(rng, 3, 4)
    >>> locate(lstm_step, wrong_backward, params, LSTM.initial_state(params, 1), "ifog", rng)
                 i f o g
    da           ✓ ✗ ✓ ✓
    dW_x         ✓ ✗ ✓ ✓  follows from da
    dW_h         ✓ ✗ ✓ ✓  follows from da
    db           ✓ ✗ ✓ ✓  follows from da
    dx           ✗  follows from da
    dprevious.h  ✗  follows from da
    dprevious.c  ✓
    Only gate f is wrong: look at da_f, its product and its slope.
    """
    check_rng(rng)
    gates = tuple(gates)
    _check_sizes(params, gates)
    arguments = step, step_backward, params, state, gates
    seed = int(rng.integers(2**32))
    with np.errstate(all="ignore"):  # a wrong backward may divide by zero
        try:
            return _locate(*arguments, np.random.default_rng(seed), slope, rtol)
        except ComplexStepLost:
            central = central_difference_slope
            return _locate(*arguments, np.random.default_rng(seed), central, max(rtol, 1e-6))


def locate_cell(
    cell: Cell,
    rng: Rng,
    *,
    D: int = 3,
    H: int = 4,
    slope: Slope = complex_step_slope,
    rtol: float = 1e-9,
) -> Location:
    """Return the Location of the mistake in the backward of a cell; see `locate`.

    The two matrix products of the step are those of the package.

    Raises: TypeError for a cell that is not a Cell, and what `locate` raises.

    Example: a GRU whose update gate has the wrong sign.

    >>> from rnn_tutorial.cells import GRU
    >>> def wrong_backward(params, cache, dstate):
    ...     dextra, da_x, da_h, dprevious = GRU.pointwise_backward(params, cache, dstate)
    ...     z = slice(4, 8)
    ...     da_x[:, z], da_h[:, z] = -da_x[:, z], -da_h[:, z]
    ...     return dextra, da_x, da_h, dprevious
    >>> locate_cell(GRU.replace(pointwise_backward=wrong_backward), np.random.default_rng(0))
                 r z n
    da_x         ✓ ✗ ✓
    da_h         ✓ ✗ ✓
    dW_x         ✓ ✗ ✓  follows from da
    dW_h         ✓ ✗ ✓  follows from da
    db           ✓ ✗ ✓  follows from da
    db_hn        ✓
    dx           ✗  follows from da
    dprevious.h  ✗  follows from da
    Only gate z is wrong: look at da_z, its product and its slope.
    """
    check_is_cell(cell)
    check_rng(rng)
    params = cell.init(rng, D, H)
    state = cell.initial_state(params, 1)
    forward, backward = partial(step, cell), partial(step_backward, cell)
    return locate(forward, backward, params, state, cell.gates, rng, slope=slope, rtol=rtol)


def _check_sizes(params: Any, gates: tuple[str, ...]) -> None:
    """Raise ValueError unless W_x has H columns for each gate."""
    H, A = len(params.W_h), params.W_x.shape[1]
    if A != len(gates) * H:
        raise ValueError(
            f"gates: expected a name for each block of H={H} columns of W_x, which has {A}, "
            f"got {gates}"
        )


def _locate(
    forward: StepForward,
    backward: StepBackward,
    params: Any,
    state: Any,
    gates: tuple[str, ...],
    rng: Rng,
    slope: Slope,
    rtol: float,
) -> Location:
    """Return the Location: one sequence says where, three see a wrong sum over the batch."""

    def drawn(B: int) -> tuple[Any, Array, Any, Any]:
        first, last = tree_map(lambda leaf: np.zeros((B, leaf.shape[-1])), (state, state))
        return away_from_zero((params, np.zeros((B, len(params.W_x))), first, last), rng)

    def place_at(params: Any, x: Array, state: Any) -> Place:
        return place_of(forward, backward, params, x, state, slope)

    *point, dstate = drawn(1)
    *batch, dbatch = drawn(3)
    one, several = place_at(*point), place_at(*batch)
    got, want = several.got(dbatch), several.want(dbatch)
    H, A = len(params.W_h), len(params.b)
    divided = {"dW_h", *(f"d{name}" for name in params._fields if _columns(params, name) == A)}
    widths = {name: H if name in divided else want[name].shape[-1] for name in want}
    arrays = {name: _row(got[name], want[name], widths[name], rtol) for name in want}
    shapes = _shapes(one.got(dstate), one.want(dstate)) | _shapes(got, want)
    if shapes:
        text = "An array has another shape than what it is the gradient of: look at that first."
        unread = _da_names(true_da(one, one.want(dstate)), rtol)
        rows = dict.fromkeys(unread, ()) | arrays
        notes = dict.fromkeys(unread, "not judged") | shapes
        return Location(gates, rows, notes, tuple(shapes), text)
    seen = look(one, dstate, gates, rtol)
    wrong = tuple(name for name, row in arrays.items() if not all(row))
    found = cause(seen, lambda params: place_at(params, *point[1:]), wrong)
    rows = _da_rows(seen.got, seen.want, H, rtol) | arrays
    rows = {name: row for name, row in rows.items() if row}
    return Location(gates, rows, _notes(seen, wrong), *found)


def _columns(params: Any, name: str) -> int:
    """Return the size of the last axis of a parameter, 1 for a single number."""
    return np.atleast_1d(getattr(params, name)).shape[-1]


def _shapes(got: dict[str, Array], want: dict[str, Array]) -> dict[str, str]:
    """Return a note for each array that has another shape than it should have."""
    return {
        name: f"has shape {got[name].shape}, expected {want[name].shape}"
        for name in want
        if got[name].shape != want[name].shape
    }


def _notes(seen: Look, wrong: tuple[str, ...]) -> dict[str, str]:
    """Return the notes on the wrong arrays that are right products of a wrong da."""
    own = {*seen.broken, *seen.wrong}
    spoilt = any(node.startswith("da_") for node in seen.wrong)
    return {
        name: "follows from da" for name in wrong if spoilt and name in PRODUCTS and name not in own
    }


def _row(got: Array, want: Array, width: int, rtol: float) -> tuple[bool, ...]:
    """Return whether each block of `width` columns is right; one answer for another shape."""
    if got.shape != want.shape:
        return (False,)
    size = float(np.max(np.abs(want), initial=0.0))
    return tuple(near(a, b, rtol, size) for a, b in zip(blocks(got, width), blocks(want, width)))


def _da_rows(got: Da, want: Da, H: int, rtol: float) -> dict[str, tuple[bool, ...]]:
    """Return the rows of da_x and da_h, or one row of da if these are equal."""
    da_x, da_h = _row(got.da_x, want.da_x, H, rtol), _row(got.da_h, want.da_h, H, rtol)
    if da_x == da_h:
        return dict.fromkeys(_da_names(want, rtol), da_x)
    return {"da_x": da_x, "da_h": da_h}


def _da_names(want: Da, rtol: float) -> tuple[str, ...]:
    """Return the names of the gradients before the products: one if they should be equal."""
    return ("da",) if near(want.da_x, want.da_h, rtol) else ("da_x", "da_h")
