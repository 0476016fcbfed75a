"""Curves: learning, the error of a finite difference, gradients over time, states over time.

A bundle of curves is a dict {label: values}. Every function returns the Axes, and draws into `ax` if one is given.
"""

from itertools import cycle

import numpy as np
from matplotlib.ticker import MaxNLocator

from rnn_tutorial.plotting.bundle import few, gap_at_zero, lines, refuse_other_length
from rnn_tutorial.plotting.style import (
    BLACK,
    GREY,
    in_house_style,
    label_steps,
    legend_outside,
    new_axes,
    visible_symbols,
)

__all__ = [
    "plot_jacobian_norms",
    "plot_learning_curve",
    "plot_signals",
    "plot_states",
    "plot_truncation_bias",
    "plot_u_curve",
]

_DASHES = (0, (1, 1)), (0, (4, 2)), (0, (7, 2, 1, 2)), (0, (2, 4))  # of the baselines


@in_house_style
def plot_learning_curve(
    losses,
    *,
    steps=None,
    smoothing=1,
    baselines=None,
    quantity="loss",
    unit="",
    logarithmic=False,
    ax=None,
):
    """Return the Axes with loss over updates.

    losses      {label: (N,)}
    steps       {label: (N,)} the updates of a curve that has no entry for every update, such as a validation loss
    smoothing   a curve over every update is the mean of its last `smoothing` entries (of all so far, near the start),
                and its raw values stay visible behind it, pale; a curve with `steps` of its own is drawn as it is
    baselines   {name: value}, horizontal lines
    quantity, unit   the label of the vertical axis: "quantity (unit)"
    """
    ax = new_axes(ax)
    steps = steps or {}
    for label, values, line in lines(losses):
        at = np.asarray(steps.get(label, np.arange(1, len(values) + 1)))
        refuse_other_length("steps", label, at, len(values))
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
        ax.plot(at, values, label=label, markevery=few(at), **line)
    for (name, value), dashes in zip((baselines or {}).items(), cycle(_DASHES), strict=False):
        ax.axhline(value, color=GREY, linestyle=dashes, linewidth=1.4, label=f"{name}: {value:.3g}")
    ax.set(xlabel="update", ylabel=f"{quantity} ({unit})" if unit else quantity)
    if logarithmic:
        ax.set_yscale("log")
    legend_outside(ax)
    return ax


@in_house_style
def plot_u_curve(step_sizes, errors, *, ax=None):
    """Return the Axes with the relative error of a gradient over the step size of the difference, on log axes.

    step_sizes (N,); errors {method: (N,)}. An error of exactly 0 cannot stand on a logarithmic axis and is drawn at
    1e-17, below the spacing of float64.
    """
    ax = new_axes(ax)
    for label, values, line in lines(errors):
        refuse_other_length("errors", label, values, len(step_sizes))
        ax.plot(
            step_sizes, np.maximum(values, 1e-17), label=label, markevery=few(step_sizes), **line
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
def plot_jacobian_norms(norms, bounds=None, *, ax=None):
    """Return the Axes with the norm of the Jacobian dh_T/dh_t over the time distance T - t, on a logarithmic axis.

    norms {label: (K,)}: entry k is the norm at distance k, so entry 0 is that of the identity. bounds {label: (K,)}
    are drawn thin and dotted, in the colour of the norm with the same label. A norm of exactly 0 leaves a gap.
    """
    ax = new_axes(ax)
    bounds = {label: gap_at_zero(bound) for label, bound, _ in lines(bounds or {})}
    dotted = {"linestyle": (0, (1, 1.5)), "linewidth": 1.2, "marker": ""}
    for label, values, line in lines(norms):
        ax.plot(
            np.arange(len(values)), gap_at_zero(values), label=label, markevery=few(values), **line
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
def plot_states(hs, *, symbols=None, ax=None):
    """Return the Axes with a heat map of the hidden units (rows) over time (columns) of one sequence, hs (T, H).

    symbols: T symbols, written under their steps instead of the number of the step. The colours are symmetric about 0
    and span [-1, 1], or more where a state is larger.
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
def plot_signals(signals, *, ax=None):
    """Return the Axes with signals over time, one lane below the other: signals {label: (T,)}.

    All lanes have one scale; the thin line in a lane is its zero.
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
def plot_truncation_bias(windows, errors, *, ax=None):
    """Return the Axes with the relative error of the truncated gradient over the length of the window.

    windows (N,), steps back through time; errors {label: (N,)}. The vertical axis is logarithmic; an error of exactly 0
    (the window reaches the start) leaves a gap.
    """
    ax = new_axes(ax)
    for label, values, line in lines(errors):
        refuse_other_length("errors", label, values, len(windows))
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


def _trailing_mean(values, width):
    """Return the mean of the last `width` entries at each entry; of all entries so far where there are fewer."""
    sums = np.cumsum(np.insert(values, 0, 0.0))
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(ends - width, 0)
    return (sums[ends] - sums[starts]) / (ends - starts)
