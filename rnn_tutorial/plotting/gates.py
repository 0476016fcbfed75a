"""What gates do and what they are for: gates and cells over time, gradients over time.

Every function returns the Axes, and draws into `ax` if it is given.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from rnn_tutorial.plotting.bundle import (
    Curves,
    Look,
    check_bundle,
    gap_at_zero,
    lines,
    marker_spacing,
)
from rnn_tutorial.plotting.curves import plot_jacobian_norms
from rnn_tutorial.plotting.style import (
    GREY,
    LINES,
    in_house_style,
    label_steps,
    legend_outside,
    new_axes,
    visible_symbols,
)
from rnn_tutorial.types import Array

__all__ = [
    "plot_gates",
    "plot_gradient_flow",
    "plot_gradient_parts",
    "plot_traces",
]


@in_house_style
def plot_gates(
    gates: Curves,
    *,
    symbols: Sequence[str] | None = None,
    units: Sequence[int] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Return the Axes with gates over time for one sequence, a heat map for each, from 0 to 1.

    gates     {name: values}, from 0 (closed, white) to 1 (open, dark)
    symbols   T symbols, written under their steps instead of the number of the step
    units     the numbers of the units to show, in this order; None for all of them

    Shapes: each gate (T, H).

    Raises: ValueError for gates of different shapes or outside [0, 1] (for a candidate, which is
    not a gate, see `plot_states`), for a unit that does not exist, and unless there are T symbols.
    """
    gates = _check_gates(gates)
    T, H = next(iter(gates.values())).shape
    units = list(range(H)) if units is None else _check_units(units, H)
    symbols = visible_symbols(symbols, T)
    rows = len(units)
    gap = 0.7 * max(1, rows * len(gates) / 24)  # between one gate and the next, in rows
    tops = [k * (rows + gap) for k in range(len(gates))]
    ax = new_axes(
        ax, size=(min(7.5 + max(0, T - 40) * 0.1, 12), min(1 + 0.24 * (tops[-1] + rows), 7))
    )
    for top, values in zip(tops, gates.values(), strict=True):
        edges = np.arange(T + 1) + 0.5, top + np.arange(rows + 1) - 0.5
        image = ax.pcolormesh(*edges, values[:, units].T, cmap="Blues", vmin=0, vmax=1)
        ax.add_patch(
            Rectangle(
                (0.5, top - 0.5), T, rows, fill=False, edgecolor=GREY, linewidth=0.8, clip_on=False
            )
        )
    ax.figure.colorbar(image, ax=ax, label="0 closed, 1 open", pad=0.02)
    _label_rows(ax, tops, list(gates), units)
    label_steps(ax, symbols)
    return ax


def _check_gates(gates: Curves) -> dict[str, Array]:
    """Return {name: (T, H) array}.

    Raises: TypeError or ValueError for anything that is not a bundle of gates of one sequence.
    """
    _check_not_empty("gates", gates)
    gates = {name: np.asarray(values, dtype=float) for name, values in gates.items()}
    shape = next(iter(gates.values())).shape
    for name, values in gates.items():
        if values.ndim != 2:
            raise ValueError(
                f"{name}: expected the gate of one sequence, shape (T, H), "
                f"got {values.shape}; take {name}[:, b]"
            )
        if values.shape != shape:
            raise ValueError(
                f"{name}: expected shape {shape}, that of the first gate, got {values.shape}"
            )
        if not ((values >= 0) & (values <= 1)).all():
            span = f"{values.min():.3g} to {values.max():.3g}"
            raise ValueError(
                f"{name}: expected a gate, all values from 0 to 1, got {span}; "
                "for other values see plot_states"
            )
    return gates


def _check_not_empty(name: str, bundle: Curves) -> None:
    """Raise ValueError if the bundle is empty, and what `check_bundle` raises."""
    check_bundle(bundle)
    if not bundle:
        raise ValueError(f"{name}: expected at least one entry, got none")


def _check_units(units: Sequence[int], H: int) -> list[int]:
    """Return the numbers of the units as a list.

    Raises: ValueError for an empty list, and for a number that is not from 0 to H - 1.
    """
    units = list(units)
    if not units or any(not 0 <= unit < H for unit in units):
        raise ValueError(f"units: expected some of the numbers 0 to {H - 1} (H = {H}), got {units}")
    return units


def _label_rows(ax: Axes, tops: Sequence[float], names: list[str], units: Sequence[int]) -> None:
    """Write next to the rows the numbers of their units, and the names of the gates.

    If there are many rows, only every second, third … has its number.
    """
    rows = len(units)
    every = -(-rows * len(tops) // 24)
    shown = range(0, rows, every)
    ax.set_yticks(
        [top + row for top in tops for row in shown],
        [str(units[row]) for _ in tops for row in shown],
    )
    # The name of a gate may have the same height as the number of a unit.
    ax.yaxis.remove_overlapping_locs = False
    ax.set_yticks([top + (rows - 1) / 2 for top in tops], names, minor=True, fontsize=13)
    ax.tick_params(axis="y", which="minor", length=0, pad=28)
    ax.set(ylabel="gate and unit", ylim=(tops[-1] + rows - 0.4, -0.6))
    ax.spines[:].set_visible(False)
    ax.grid(False)


@in_house_style
def plot_traces(
    traces: Curves,
    *,
    quantity: str = "value of the unit",
    symbols: Sequence[str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Return the Axes with values over time on one scale, such as the cell states of two networks.

    traces     {label: values}: one curve, or H thin curves in one colour
    quantity   the label of the vertical axis
    symbols    T symbols, written under their steps instead of the number of the step

    For signals of ±1, each in its own lane, see `plot_signals`; for many units at once,
    `plot_states`.

    Shapes: each trace (T,) or (T, H).

    Raises: ValueError for a trace of another shape, and unless there are T symbols.
    """
    _check_not_empty("traces", traces)
    traces = {label: np.asarray(values, dtype=float) for label, values in traces.items()}
    for label, values in traces.items():
        if values.ndim not in (1, 2) or values.size == 0:
            raise ValueError(
                f"{label}: expected the values of one sequence, shape (T,) or (T, H), "
                f"got {values.shape}"
            )
    T = max(len(values) for values in traces.values())
    symbols = visible_symbols(symbols, T)
    ax = new_axes(ax, size=(7.5 if symbols is None else min(7.5 + max(0, T - 35) * 0.1, 12), 3.6))
    for (label, values), line in zip(traces.items(), LINES, strict=False):
        steps = np.arange(1, len(values) + 1)
        if values.ndim == 1:
            ax.plot(steps, values, label=label, markevery=marker_spacing(values), **line)
        else:
            thin = line | {"marker": "", "linewidth": 1.1}
            ax.plot(steps, values, label=[label, *[f"_{label}"] * (values.shape[1] - 1)], **thin)
    ax.set_ylabel(quantity)
    label_steps(ax, symbols)
    legend_outside(ax)
    return ax


def _check_norms(norms: Curves) -> None:
    """Raise ValueError for a norm below 0."""
    for label, values, _ in lines(norms):
        if (values < 0).any():
            raise ValueError(f"{label}: expected norms, none below 0, got {values.min():.3g}")


@in_house_style
def plot_gradient_flow(
    norms: Curves, *, quantity: str = r"$\Vert\,dh_t\,\Vert$", ax: Axes | None = None
) -> Axes:
    """Return the Axes with the norm of a gradient over the time distance T - t to the loss.

    norms      {label: values} in the order of time: entry t - 1 is the norm at step t. The loss is
               at the last step, so the last entry is drawn first, at distance 0
    quantity   the label of the vertical axis

    The vertical axis is logarithmic. A norm of exactly 0 leaves a gap. For the norms of Jacobians,
    which are in the order of the distance, see `plot_jacobian_norms`.

    Shapes: each of the norms (T,).

    Raises: ValueError for a norm below 0.
    """
    _check_norms(norms)
    ax = plot_jacobian_norms({label: values[::-1] for label, values, _ in lines(norms)}, ax=ax)
    ax.set_xlabel(r"time distance $T - t$ to the loss (steps)")
    ax.set_ylabel(quantity, fontsize=14)
    return ax


@in_house_style
def plot_gradient_parts(
    norms: Curves,
    parts: Curves,
    part: str,
    *,
    quantity: str = r"$\Vert\,dc_t\,\Vert$",
    ax: Axes | None = None,
) -> Axes:
    """Return the Axes with the norms of gradients and of a part of each, over the time distance.

    norms      {label: values} in the order of time, as in `plot_gradient_flow`, drawn solid
    parts      {label: values}, drawn dashed, in the colour of the norm with the same label
    part       what the parts are, for the legend: "direct path"

    The vertical axis is logarithmic. A norm of exactly 0 leaves a gap.

    Shapes: each of the norms and parts (T,).

    Raises: ValueError unless norms and parts have the same labels, and for a norm below 0.
    """
    if list(norms) != list(parts):
        raise ValueError(f"parts: expected those of {list(norms)}, got {list(parts)}")
    _check_norms(parts)
    ax = plot_gradient_flow(norms, quantity=quantity, ax=ax)
    dashed: Look = {"linestyle": (0, (4, 2)), "linewidth": 1.4, "marker": ""}
    for line, (label, values, _) in zip(ax.get_lines()[-len(parts) :], lines(parts)):
        line.set_linestyle("-")
        distances = np.arange(len(values))
        color, name = line.get_color(), f"_{part} of {label}"
        ax.plot(distances, gap_at_zero(values)[::-1], color=color, label=name, **dashed)
    ax.plot([], [], color=GREY, label=part, **dashed)
    legend_outside(ax)
    return ax
