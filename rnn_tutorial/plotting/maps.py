"""Pictures of a number that is fed back into a function: h, f(h), f(f(h)), ..."""

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from rnn_tutorial.plotting.style import BLACK, GREY, LINES, in_house_style, new_axes
from rnn_tutorial.validation import check_positive

__all__ = [
    "plot_cobweb",
    "plot_level",
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
    starts   {label: first state}, one staircase from each; {} for the curve alone

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
        arrow = {"arrowstyle": "->", "color": line["color"], "shrinkA": 0, "shrinkB": 0}
        middle = (states[0] + states[1]) / 2
        ax.annotate("", (states[0], middle), (start, start), arrowprops=arrow)
        ax.annotate("", (middle, states[1]), (start, states[1]), arrowprops=arrow)
    ticks, limits = np.linspace(-1, 1, 5), (-1.03, 1.03)
    ax.set(
        xlabel=r"state before, $h_{t-1}$", ylabel=r"state after, $h_t$", xticks=ticks, yticks=ticks
    )
    ax.set(xlim=limits, ylim=limits, aspect="equal")
    if starts:
        ax.legend(loc="upper left", handlelength=3)
    return ax


@in_house_style
def plot_level(w: float, level: float, disturbance: float, *, ax: Axes | None = None) -> Axes:
    """Return the Axes with the states above a level, and below them the states one step later.

    The first bar is the interval from `level` to 1. The second is its image under
    tanh(w h + u) for all |u| <= disturbance: it goes from tanh(w level - disturbance) to
    tanh(w + disturbance). If it is inside the first, a state above the level stays there. The title
    has w and the disturbance, delta; the level is m.
    """
    ax = new_axes(ax, size=(7, 2.2))
    after = np.tanh([w * level - disturbance, w + disturbance])
    rows = {"before the step": (level, 1.0), "after it": tuple(after)}
    names = r"$m$", r"$\tanh(w m - \delta)$"
    for y, name, (label, (low, high)), line in zip((1, 0), names, rows.items(), LINES):
        color = line["color"]
        bar = {"color": color, "linestyle": "-", "marker": "", "linewidth": 9}
        ax.plot([low, high], [y, y], solid_capstyle="butt", label=label, **bar)
        ax.text(low - 0.03, y, f"{name} = {low:.2f}", ha="right", va="center", color=color)
        ax.text(high + 0.03, y, f"{high:.2f}", ha="left", va="center", color=color)
    ax.axvline(level, color=GREY, linewidth=1, linestyle=":")
    ax.set(yticks=(1, 0), yticklabels=rows, xlim=(0, 1.15), ylim=(-0.6, 1.6))
    ax.set_xticks(np.linspace(0, 1, 6))
    ax.set_xlabel(r"state $h$")
    ax.set_title(rf"$w = {w:g}$, $\delta = {disturbance:g}$")
    return ax
