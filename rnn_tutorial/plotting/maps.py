"""Pictures of a number that is fed back into a function: h, f(h), f(f(h)), ..."""

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from rnn_tutorial.plotting.style import BLACK, GREY, LINES, in_house_style, new_axes
from rnn_tutorial.validation import check_positive

__all__ = [
    "plot_cobweb",
]


@in_house_style
def plot_cobweb(
    f: Callable[[Any], Any],
    starts: dict[str, float],
    *,
    steps: int = 15,
    ax: Axes | None = None,
) -> Axes:
    """Return the Axes with the curve h_t = f(h_{t-1}), the diagonal, and staircases.

    f        an elementwise function, drawn on [-1, 1]
    starts   {label: first state}, one staircase from each

    From a point of the diagonal, a staircase goes up or down to the curve, which is the next state,
    and across to the diagonal, where the next state becomes the old one. Where the curve meets the
    diagonal the state does not change: these are the fixed points.
    """
    check_positive("steps", steps)
    ax = new_axes(ax, size=(5.6, 4.6))
    h = np.linspace(-1, 1, 401)
    ax.plot(h, h, color=GREY, linewidth=1, linestyle="-", marker="", label="_diagonal")
    ax.plot(h, f(h), color=BLACK, linestyle="-", marker="", label="_curve")
    for (label, start), line in zip(starts.items(), LINES, strict=False):
        states = [start]
        for _ in range(steps):
            states.append(f(states[-1]))
        corners = np.repeat(states, 2)
        line = {"color": line["color"], "linestyle": line["linestyle"]}
        ax.plot(corners[:-1], corners[1:], linewidth=1.4, marker="", label=label, **line)
        ax.plot(start, start, color=line["color"], marker="o", label="_start")
    ticks, limits = np.linspace(-1, 1, 5), (-1.03, 1.03)
    ax.set(
        xlabel=r"state before, $h_{t-1}$", ylabel=r"state after, $h_t$", xticks=ticks, yticks=ticks
    )
    ax.set(xlim=limits, ylim=limits, aspect="equal")
    ax.legend(loc="upper left", handlelength=3)
    return ax
