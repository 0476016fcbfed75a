"""Diagram of two ways to answer: from a window of the last inputs, and from a state."""

from matplotlib.axes import Axes

from rnn_tutorial.plotting.diagrams.pen import (
    INPUT,
    OUTPUT,
    PALE,
    PLAIN,
    STATE,
    arrow,
    box,
    canvas,
    circle,
    write,
)
from rnn_tutorial.plotting.style import BLACK, GREY, in_house_style
from rnn_tutorial.validation import check_positive

__all__ = [
    "draw_window",
]


@in_house_style
def draw_window(T: int = 6, window: int = 3, *, ax: Axes | None = None) -> Axes:
    """Return the Axes with two ways to answer at step T: from the last inputs, and from a state.

    The first, above, reads a window of the last inputs; the second, below, reads a state that has
    seen all of them.

    Raises: ValueError unless T and window are positive whole numbers, and for a window longer than
    T.
    """
    check_positive("window", window)
    check_positive("T", T)
    if window > T:
        raise ValueError(f"window: expected at most T = {T} steps, got {window}")
    xs = [0.6 + 1.1 * t for t in range(T)]
    ax = canvas(ax, xs[-1] + 1.9, 5.3)
    _draw_window_model(ax, xs, window)
    _draw_state_model(ax, xs)
    return ax


def _draw_window_model(ax: Axes, xs: list[float], window: int) -> None:
    """Draw the model that answers from the last `window` inputs; xs: the places of the steps."""
    T = len(xs)
    write(
        ax, (0.25, 5.05), f"A window: the last {window} inputs, and nothing before them", ha="left"
    )
    for t, x in enumerate(xs, start=1):
        seen = t > T - window
        circle(ax, (x, 3.3), f"$x_{{{t}}}$", INPUT if seen else PLAIN, edge=BLACK if seen else PALE)
        if seen:
            arrow(ax, (x, 3.57), (xs[-1] + 0.6 * ((t - T + window) / (window + 1) - 0.5), 4.15))
    box(ax, (xs[-1], 4.45), "$f$", PLAIN)
    _draw_answer(ax, xs[-1], 4.45, T)
    if window < T:
        write(ax, ((xs[0] + xs[T - window - 1]) / 2, 3.8), "out of reach", color=GREY, size=11)


def _draw_state_model(ax: Axes, xs: list[float]) -> None:
    """Draw the model that answers from a state; xs: the places of the steps."""
    write(ax, (0.25, 2.55), "A state: everything so far, in $H$ numbers", ha="left")
    for t, x in enumerate(xs, start=1):
        circle(ax, (x, 0.5), f"$x_{{{t}}}$", INPUT)
        box(ax, (x, 1.65), f"$h_{{{t}}}$", STATE)
        arrow(ax, (x, 0.77), (x, 1.35))
    for x in xs[:-1]:
        arrow(ax, (x + 0.4, 1.65), (x + 0.7, 1.65))
    _draw_answer(ax, xs[-1], 1.65, len(xs))


def _draw_answer(ax: Axes, x: float, y: float, T: int) -> None:
    """Draw the output y_T, to the right of what is at (x, y), and the arrow to it."""
    arrow(ax, (x + 0.4, y), (x + 1.13, y))
    circle(ax, (x + 1.4, y), f"$y_{{{T}}}$", OUTPUT)
