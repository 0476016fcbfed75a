"""Pictures of speed: what a machine can do and what programs reach on it, and ratios of times.

Every function returns the Axes, and draws into `ax` if it is given.
"""

from itertools import cycle

import numpy as np
from matplotlib.axes import Axes

from rnn_tutorial.plotting.bundle import check_bundle
from rnn_tutorial.plotting.style import (
    BLACK,
    GREY,
    LINES,
    PAPER,
    in_house_style,
    legend_outside,
    new_axes,
)
from rnn_tutorial.validation import check_number

__all__ = [
    "plot_gains",
    "plot_ratios",
    "plot_roofline",
]


@in_house_style
def plot_roofline(
    peak: float,
    bandwidth: float,
    points: dict[str, tuple[float, float]],
    *,
    ax: Axes | None = None,
) -> Axes:
    """Return the Axes with the roofline of a machine, and programs below it, on log axes.

    peak        the rate of the machine's arithmetic, GFLOP/s
    bandwidth   the rate of its memory, GB/s
    points      {label: (intensity, rate)} of each program, at most twelve: FLOP per byte that it
                moves, and GFLOP/s

    No program runs above min(peak, bandwidth * intensity). These two lines meet at the ridge: left
    of it a program waits for the memory, right of it for the arithmetic. From the seventh point on,
    marks are open.

    Raises: ValueError for a number that is not above 0, and for more than twelve points.

    Source: Williams, Waterman & Patterson 2009.
    """
    check_number("peak", peak, above=0)
    check_number("bandwidth", bandwidth, above=0)
    points = _check_points(points)
    ridge = peak / bandwidth
    intensities, rates = zip(*points.values()) if points else ((), ())
    left, right = (
        min([ridge / 30, *(x / 2 for x in intensities)]),
        max([ridge * 30, *(2 * x for x in intensities)]),
    )
    low, high = min([bandwidth * left, *(y / 2 for y in rates)]), max([peak, *rates]) * 3
    ax = new_axes(ax, size=(8, 4.5))
    ax.plot(
        [left, ridge, right],
        [bandwidth * left, peak, peak],
        color=BLACK,
        marker="",
        linestyle="-",
        label="_roof",
    )
    ax.plot(
        [ridge, ridge],
        [low, peak],
        color=GREY,
        marker="",
        linestyle=":",
        linewidth=1,
        label="_ridge",
    )
    for number, ((label, (x, y)), line) in enumerate(zip(points.items(), cycle(LINES))):
        face = line["color"] if number < len(LINES) else PAPER
        ax.plot(
            [x],
            [y],
            linestyle="",
            marker=line["marker"],
            color=line["color"],
            mfc=face,
            ms=8,
            mew=1.6,
            label=label,
        )
    _label_roofs(ax, peak, bandwidth, right)
    ax.set(xscale="log", yscale="log", xlim=(left, right), ylim=(low, high))
    ax.set(xlabel="arithmetic intensity (FLOP per byte moved)", ylabel="rate (GFLOP/s)")
    if points:
        legend_outside(ax)
    return ax


def _check_points(points: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    """Return {label: (intensity, rate)}.

    Raises: TypeError unless the points are a dict; ValueError for anything that is not a point of a
    roofline.
    """
    if not isinstance(points, dict):
        raise TypeError(
            f"points: expected a dict {{label: (intensity, rate)}}, got {type(points).__name__}"
        )
    if len(points) > 2 * len(LINES):
        raise ValueError(
            f"points: expected at most {2 * len(LINES)}, as many as can be told apart, "
            f"got {len(points)}"
        )
    for label, point in points.items():
        if np.shape(point) != (2,):
            raise ValueError(f"points, {label}: expected (intensity, rate), got {point}")
        for name, value in zip(("intensity", "rate"), point):
            check_number(f"points, {label}: {name}", value, above=0)
    return points


def _label_roofs(ax: Axes, peak: float, bandwidth: float, right: float) -> None:
    """Write along each roof what it is; the slanted text turns with its line if the axes change."""
    words = f"arithmetic: {peak:,.3g} GFLOP/s"
    ax.annotate(words, (right, peak), (-4, 4), textcoords="offset points", ha="right", va="bottom")
    at = 0.9 * peak / bandwidth, 0.75 * peak  # below the slope, next to the ridge
    ax.text(
        *at,
        f"memory: {bandwidth:,.3g} GB/s",
        rotation=np.degrees(np.arctan(at[1] / at[0])),  # a slope of 1 on logarithmic axes
        rotation_mode="anchor",
        transform_rotates_text=True,
        ha="right",
        va="top",
    )


@in_house_style
def plot_ratios(
    ratios: dict[str, dict[str, float]],
    *,
    quantity: str = "their time / ours",
    ax: Axes | None = None,
) -> Axes:
    """Return the Axes with ratios on a log axis: a row for each program, a mark for each dtype.

    ratios     {row: {series: ratio}}; a series, such as float32, has the same mark in all rows,
               and may be missing in some
    quantity   what was divided by what, the label of the horizontal axis

    The vertical line is at 1. Left of it, ours is slower.

    Raises: TypeError unless the ratios are a dict of dicts; ValueError for no rows, and for a ratio
    that is not above 0.
    """
    series = _check_ratios(ratios)
    ax = new_axes(ax, size=(7.5, 1.3 + 0.32 * len(ratios)))
    ax.axvline(1, color=BLACK, linewidth=1.2, label="_one")
    for name, line in zip(series, LINES, strict=False):
        rows = [row for row, values in enumerate(ratios.values()) if name in values]
        at = [values[name] for values in ratios.values() if name in values]
        ax.plot(
            at,
            rows,
            linestyle="",
            marker=line["marker"],
            color=line["color"],
            markersize=7,
            label=name,
        )
    everything = [ratio for values in ratios.values() for ratio in values.values()] + [1]
    left, right = min(everything) / 1.25, max(everything) * 1.25
    ax.set(xscale="log", xlim=(left, right), ylim=(len(ratios) - 0.5, -0.5), xlabel=quantity)
    ax.set_yticks(range(len(ratios)), list(ratios))
    ticks = _ratio_ticks(left, right)
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.set_xticks([], minor=True)
    ax.tick_params(axis="y", length=0)
    legend_outside(ax)
    return ax


def _check_ratios(ratios: dict[str, dict[str, float]]) -> list[str]:
    """Return the names of the series, in the order of their first appearance.

    Raises: TypeError unless the ratios are a dict of dicts; ValueError for no rows, and for a ratio
    that is not above 0.
    """
    if not isinstance(ratios, dict) or not all(
        isinstance(values, dict) for values in ratios.values()
    ):
        raise TypeError("ratios: expected a dict {row: {series: ratio}}")
    if not any(ratios.values()):
        raise ValueError("ratios: expected at least one ratio, got none")
    for row, values in ratios.items():
        for name, ratio in values.items():
            check_number(f"ratios, {row}, {name}", ratio, above=0)
    series = {name: None for values in ratios.values() for name in values}
    check_bundle(series)
    return list(series)


def _ratio_ticks(left: float, right: float) -> list[float]:
    """Return round numbers from left to right for a logarithmic axis, at most about ten."""
    decades = range(int(np.floor(np.log10(left))), int(np.ceil(np.log10(right))) + 1)
    for steps in ((1, 1.5, 2, 3, 5, 7), (1, 2, 5), (1,)):
        ticks = [
            at
            for decade in decades
            for step in steps
            if left <= (at := float(f"{step}e{decade}")) <= right
        ]
        if len(ticks) <= 10:
            break
    return ticks


@in_house_style
def plot_gains(gains: dict[str, dict[str, tuple[float, float]]], *, ax: Axes | None = None) -> Axes:
    """Return the Axes with measured over predicted gains, and the diagonal where they are equal.

    gains   {series: {label: (predicted, measured)}}; a gain is how many times as fast a program
            became. The label is written at gains above 1.2.

    Raises: TypeError unless the gains are a dict of dicts; ValueError for no gains, and for one
    that is not above 0.
    """
    _check_gains(gains)
    ax = new_axes(ax, size=(7, 5))
    for (name, points), line in zip(gains.items(), LINES, strict=False):
        ax.plot(
            *zip(*points.values()),
            linestyle="",
            marker=line["marker"],
            color=line["color"],
            markersize=7,
            label=name,
        )
        for label, at in points.items():
            if max(at) > 1.2:
                ax.annotate(label, at, (7, -3), textcoords="offset points", fontsize=10)
    ax.axline((1, 1), slope=1, color=BLACK, linewidth=1, marker="")
    both = [value for points in gains.values() for at in points.values() for value in at] + [1]
    ticks = _ratio_ticks(min(both) / 1.1, max(both) * 1.1)
    ax.set(xscale="log", yscale="log", xlabel="gain predicted", ylabel="gain measured")
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()
    ax.legend(loc="upper left")
    return ax


def _check_gains(gains: dict[str, dict[str, tuple[float, float]]]) -> None:
    """Raise TypeError unless the gains are a dict of dicts, ValueError for none or a bad one."""
    if not isinstance(gains, dict) or not all(isinstance(of, dict) for of in gains.values()):
        raise TypeError("gains: expected a dict of dicts {series: {label: (predicted, measured)}}")
    check_bundle(gains)
    if not any(gains.values()):
        raise ValueError("gains: expected at least one, got none")
    for series, points in gains.items():
        for label, point in points.items():
            if np.shape(point) != (2,):
                raise ValueError(
                    f"gains, {series}, {label}: expected (predicted, measured), got {point}"
                )
            for name, value in zip(("predicted", "measured"), point):
                check_number(f"gains, {series}, {label}: {name}", value, above=0)
