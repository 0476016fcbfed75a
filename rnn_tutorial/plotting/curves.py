"""Curves: learning, the error of a finite difference, gradients over time, states over time.

A bundle of curves is a dict {label: values}. Every function returns the Axes, and draws into `ax`
if it is given.
"""

from collections.abc import Sequence
from itertools import cycle

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from rnn_tutorial.plotting.bundle import (
    Curves,
    Look,
    check_length,
    gap_at_zero,
    lines,
    marker_spacing,
)
from rnn_tutorial.plotting.style import (
    BLACK,
    GREY,
    in_house_style,
    label_steps,
    legend_outside,
    new_axes,
    visible_symbols,
)
from rnn_tutorial.types import Array

__all__ = [
    "plot_jacobian_norms",
    "plot_learning_curve",
    "plot_signals",
    "plot_states",
    "plot_truncation_bias",
    "plot_u_curve",
]

# The dashes of baselines.
_DASHES = (0, (1, 1)), (0, (4, 2)), (0, (7, 2, 1, 2)), (0, (2, 4))


@in_house_style
def plot_learning_curve(
    losses: Curves,
    *,
    steps: Curves | None = None,
    smoothing: int = 1,
    baselines: dict[str, float] | None = None,
    quantity: str = "loss",
    unit: str = "",
    logarithmic: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """Return the Axes with loss over updates.

    losses      {label: values}
    steps       {label: updates}, for a curve without a value at every update, such as a
                validation loss
    smoothing   a curve with a value at every update is drawn as the mean of its last `smoothing`
                values (near the start, of all values so far), and its raw values stay visible
                behind it, pale; a curve with its own `steps` is drawn as it is
    baselines   {name: value}, horizontal lines
    quantity, unit   the label of the vertical axis: "quantity (unit)"

    Shapes: each curve of losses and steps (N,).

    Raises: ValueError for steps that are not as many as the losses of their curve.

    Example:
        plot_learning_curve({"LSTM": losses}, smoothing=20, baselines={"uniform": np.log(27)})
    """
    ax = new_axes(ax)
    steps = steps or {}
    for label, values, line in lines(losses):
        at = np.asarray(steps.get(label, np.arange(1, len(values) + 1)))
        check_length("steps", label, at, len(values))
        if smoothing > 1 and label not in steps:
            ax.plot(
                at,
                values,
                color=line["color"],
                alpha=0.25,
                linewidth=0.8,
                linestyle="-",
                marker="",
                label="_raw",
            )
            values = _trailing_mean(values, smoothing)
        ax.plot(at, values, label=label, markevery=marker_spacing(at), **line)
    for (name, value), dashes in zip((baselines or {}).items(), cycle(_DASHES), strict=False):
        ax.axhline(value, color=GREY, linestyle=dashes, linewidth=1.4, label=f"{name}: {value:.3g}")
    ax.set(xlabel="update", ylabel=f"{quantity} ({unit})" if unit else quantity)
    if logarithmic:
        ax.set_yscale("log")
    legend_outside(ax)
    return ax


@in_house_style
def plot_u_curve(step_sizes: Array, errors: Curves, *, ax: Axes | None = None) -> Axes:
    """Return the Axes with the relative error of a gradient over the step size, on log axes.

    The gradient is a finite difference. errors: {method: values}. A logarithmic axis has no place
    for an error of exactly 0: it is drawn at 1e-17, below the spacing of float64.

    Shapes: step_sizes (N,), each of the errors (N,).

    Raises: ValueError for errors that are not as many as the step sizes.
    """
    ax = new_axes(ax)
    for label, values, line in lines(errors):
        check_length("errors", label, values, len(step_sizes))
        ax.plot(
            step_sizes,
            np.maximum(values, 1e-17),
            label=label,
            markevery=marker_spacing(step_sizes),
            **line,
        )
    ax.set(
        xscale="log",
        yscale="log",
        xlabel=r"step size $\varepsilon$",
        ylabel="relative error of the gradient",
    )
    legend_outside(ax)
    return ax


@in_house_style
def plot_jacobian_norms(
    norms: Curves, bounds: Curves | None = None, *, ax: Axes | None = None
) -> Axes:
    """Return the Axes with the norm of the Jacobian dh_T/dh_t over the time distance T - t.

    norms    {label: values}: entry k is the norm at distance k, so entry 0 is that of the identity
    bounds   {label: values}, drawn thin and dotted, in the colour of the norm with the same label

    The vertical axis is logarithmic. A norm of exactly 0 leaves a gap.

    Shapes: each of the norms and bounds (K,).
    """
    ax = new_axes(ax)
    bounds = {label: gap_at_zero(bound) for label, bound, _ in lines(bounds or {})}
    dotted: Look = {"linestyle": (0, (1, 1.5)), "linewidth": 1.2, "marker": ""}
    for label, values, line in lines(norms):
        ax.plot(
            np.arange(len(values)),
            gap_at_zero(values),
            label=label,
            markevery=marker_spacing(values),
            **line,
        )
        if label in bounds:
            ax.plot(
                np.arange(len(bounds[label])),
                bounds[label],
                color=line["color"],
                label=f"_bound of {label}",
                **dotted,
            )
    if bounds:
        ax.plot([], [], color=GREY, label="bound", **dotted)
    ax.set(yscale="log", xlabel=r"time distance $T - t$ (steps)")
    ax.set_ylabel(r"$\Vert\,\partial h_T \,/\, \partial h_t\,\Vert$", fontsize=14)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    legend_outside(ax)
    return ax


@in_house_style
def plot_states(hs: Array, *, symbols: Sequence[str] | None = None, ax: Axes | None = None) -> Axes:
    """Return the Axes with a heat map of one sequence: hidden units (rows) over time (columns).

    symbols: T symbols, written under their steps instead of the number of the step. The colours are
    symmetric about 0 and span [-1, 1], or more where a state is larger.

    Shapes: hs (T, H).

    Raises: ValueError for states of another shape, or unless there are T symbols.
    """
    hs = np.asarray(hs)
    if hs.ndim != 2:
        raise ValueError(
            f"hs: expected the states of one sequence, shape (T, H), got {hs.shape}; take hs[:, b]"
        )
    T, H = hs.shape
    symbols = visible_symbols(symbols, T)
    ax = new_axes(ax, size=(min(7 + max(0, T - 40) * 0.1, 12), min(1.4 + 0.3 * H, 6)))
    limit = max(1.0, float(np.abs(hs).max()))
    image = ax.pcolormesh(
        np.arange(T + 1) + 0.5, np.arange(H + 1) - 0.5, hs.T, cmap="PuOr", vmin=-limit, vmax=limit
    )
    ax.figure.colorbar(image, ax=ax, label="value of the unit", pad=0.02)
    ax.invert_yaxis()
    ax.grid(False)
    ax.set_ylabel("hidden unit")
    ax.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    label_steps(ax, symbols)
    return ax


@in_house_style
def plot_signals(signals: Curves, *, ax: Axes | None = None) -> Axes:
    """Return the Axes with signals {label: values} over time, one lane below the other.

    All lanes have the same scale; the thin line in a lane is its zero.

    Shapes: each signal (T,).
    """
    curves = lines(signals)
    ax = new_axes(ax, size=(7, 0.8 + 0.9 * len(curves)))
    height = 1.25 * np.ptp(np.concatenate([[0.0], *(values for _, values, _ in curves)])) or 1.0
    zeros = [-height * k for k in range(len(curves))]
    for zero, (label, values, line) in zip(zeros, curves, strict=True):
        at = np.arange(1, len(values) + 1)
        ax.axhline(zero, color=GREY, linewidth=0.7)
        ax.vlines(at, zero, zero + values, color=line["color"], linewidth=1.6)
        ax.plot(
            at,
            zero + values,
            label=label,
            color=line["color"],
            marker=line["marker"],
            linestyle="none",
        )
    ax.set_yticks(zeros, [label for label, *_ in curves])
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.grid(False, axis="y")
    label_steps(ax)
    return ax


@in_house_style
def plot_truncation_bias(windows: Array, errors: Curves, *, ax: Axes | None = None) -> Axes:
    """Return the Axes with the relative error of the truncated gradient over the window's length.

    windows   lengths in steps back through time
    errors    {label: values}

    The vertical axis is logarithmic. An error of exactly 0 (the window reaches the start) leaves a
    gap.

    Shapes: windows (N,), each of the errors (N,).

    Raises: ValueError for errors that are not as many as the windows.
    """
    ax = new_axes(ax)
    for label, values, line in lines(errors):
        check_length("errors", label, values, len(windows))
        ax.plot(windows, gap_at_zero(values), label=label, **line)
    ax.axhline(1, color=BLACK, linewidth=0.8)
    ax.set(
        yscale="log",
        xlabel="window (steps back through time)",
        ylabel="relative error of the truncated gradient",
    )
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    legend_outside(ax)
    return ax


def _trailing_mean(values: Array, width: int) -> Array:
    """Return at each entry the mean of the last `width` entries, or of all so far if fewer."""
    sums = np.cumsum(np.insert(values, 0, 0.0))
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(ends - width, 0)
    return (sums[ends] - sums[starts]) / (ends - starts)
