"""Pictures of checks of a gradient: difference quotients, and which mistakes a check catches."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from rnn_tutorial.plotting.bundle import check_length
from rnn_tutorial.plotting.style import (
    BLACK,
    BLUE,
    GREY,
    LINES,
    VERMILLION,
    in_house_style,
    legend_outside,
    new_axes,
)
from rnn_tutorial.validation import check_number

__all__ = [
    "plot_secants",
    "plot_verdicts",
]


@in_house_style
def plot_secants(f: Callable[[Any], Any], step: float, *, ax: Axes | None = None) -> Axes:
    """Return the Axes with a curve, its tangent at 0, and the secants of two difference quotients.

    The forward secant goes through f(0) and f(step), the central one through f(-step) and f(step).
    The slope of each line is in the legend; that of the tangent is the complex step's.

    f   an elementwise function that accepts complex numbers

    Raises: ValueError unless the step is a finite positive number.
    """
    step = check_number("step", step, above=0)
    ax = new_axes(ax)
    at = np.linspace(-1.5 * step, 1.5 * step, 201)
    ax.plot(at, f(at), color=BLACK, linewidth=2.2, linestyle="-", marker="", label="the function")
    secants = {
        "tangent": (0.0, float(np.imag(f(1e-20j)) / 1e-20)),
        "forward difference": (0.0, float((f(step) - f(0.0)) / step)),
        "central difference": (step, float((f(step) - f(-step)) / (2 * step))),
    }
    for (label, (through, slope)), line in zip(secants.items(), LINES, strict=False):
        look: dict[str, Any] = {
            "color": line["color"],
            "linestyle": line["linestyle"],
            "marker": "",
        }
        values = f(through) + slope * (at - through)
        ax.plot(at, values, label=f"{label}: {slope:.2f}", linewidth=1.4, **look)
    nodes = np.array([-step, 0.0, step])
    ax.plot(nodes, f(nodes), color=BLACK, marker="o", linestyle="none", label="_nodes")
    ax.set_xticks(nodes, [r"$-\varepsilon$", "0", r"$\varepsilon$"])
    ax.set(xlabel="step along the direction, $s$", ylabel=r"loss, $\varphi(s)$")
    legend_outside(ax)
    return ax


@in_house_style
def plot_verdicts(
    caught: dict[str, Sequence[bool]], checks: Sequence[str], *, ax: Axes | None = None
) -> Axes:
    """Return the Axes with a table: a row for each mistake, a column for each check.

    caught   {mistake: for each check, whether it catches the mistake}: a filled square for caught,
             an empty circle for missed. Below each column is how many it catches.

    Raises: ValueError without a mistake, and unless there is a verdict for each check.
    """
    if not caught:
        raise ValueError("caught: expected one mistake or more, got none")
    for mistake, verdicts in caught.items():
        check_length("caught", mistake, np.asarray(verdicts), len(checks))
    found = np.array(list(caught.values()), bool)
    rows, columns = found.shape
    ax = new_axes(ax, size=(3.2 + 0.55 * columns, 2.2 + 0.34 * rows))
    points: dict[str, Any] = {"linestyle": "none"}
    down, across = np.nonzero(found)
    ax.plot(across, down, marker="s", markersize=11, color=BLUE, label="caught", **points)
    down, across = np.nonzero(~found)
    points["fillstyle"] = "none"
    ax.plot(across, down, marker="o", markersize=9, color=VERMILLION, label="missed", **points)
    for column, total in enumerate(found.sum(axis=0)):
        ax.text(column, rows - 0.1, f"{total}", ha="center", va="center", color=GREY)
    ax.text(-0.75, rows - 0.1, f"caught, of {rows}", ha="right", va="center", color=GREY)
    ax.set_xticks(range(columns), checks, rotation=40, ha="left", rotation_mode="anchor")
    ax.set_yticks(range(rows), list(caught))
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    ax.set(xlim=(-0.6, columns - 0.4), ylim=(rows + 0.3, -0.6))
    ax.spines[:].set_visible(False)
    legend_outside(ax)
    return ax
