"""Diagram of a sequence that is read from both ends."""

from matplotlib.axes import Axes

from rnn_tutorial.plotting.diagrams.pen import (
    INPUT,
    OUTPUT,
    STATE,
    Node,
    both_ways,
    canvas,
    graph,
    write,
)
from rnn_tutorial.plotting.style import GREY, VERMILLION, in_house_style
from rnn_tutorial.validation import check_positive

__all__ = [
    "draw_both_directions",
]

_FORWARDS, _BACKWARDS = r"\overrightarrow{h}", r"\overleftarrow{h}"
_COLUMN = 1.9  # inches from one step to the next
_X_ROW, _FORWARDS_ROW, _BACKWARDS_ROW, _Y_ROW = 1.2, 2.35, 3.45, 4.6
_BOX = (0.66, 0.56)
_ASIDE = 0.42  # inches from the middle of a column to its two states, left and right of it


@in_house_style
def draw_both_directions(T: int = 4, *, backward: bool = False, ax: Axes | None = None) -> Axes:
    """Return the Axes with a sequence of T steps that two networks read, one from each end.

    Their states merge in y_t. The states of the first network are a row with arrows to the right,
    those of the second a row with arrows to the left. Each input goes to both, and both go to y_t.
    backward: the path of the gradient, dashed, against every arrow.

    Raises: ValueError unless T is a positive whole number.
    """
    check_positive("T", T)
    columns = [2.2 + _COLUMN * t for t in range(T)]
    width = max(columns[-1] + 1.0, 5.2)  # the captions need 5 inches
    ax = canvas(ax, width, 5.1)
    for t, x in enumerate(columns, start=1):
        graph(ax, _column(x, t), _COLUMN_PATHS, backward)
    for x, following in zip(columns, columns[1:], strict=False):
        _draw_link(ax, x - _ASIDE, following - _ASIDE, _FORWARDS_ROW, backward)
        _draw_link(ax, following + _ASIDE, x + _ASIDE, _BACKWARDS_ROW, backward)
    write(ax, (0.75, _FORWARDS_ROW), "the first\nreads on", color=GREY, size=11)
    write(ax, (0.75, _BACKWARDS_ROW), "the second\nreads back", color=GREY, size=11)
    write(ax, (0.75, _Y_ROW), "merged", color=GREY, size=11)
    write(
        ax, (width / 2, 0.6), "$y_t$ puts together what both know of step $t$", size=11, color=GREY
    )
    if backward:
        words = "$dx_t$: from the first reading, plus from the second"
        write(ax, (width / 2, 0.24), words, size=11, color=VERMILLION)
    return ax


def _column(x: float, t: int) -> dict[str, Node]:
    """Return the nodes of step t, in the column at x."""
    return {
        "x": Node((x, _X_ROW), f"$x_{{{t}}}$", INPUT),
        "forwards": Node((x - _ASIDE, _FORWARDS_ROW), f"${_FORWARDS}_{{{t}}}$", STATE, _BOX),
        "backwards": Node((x + _ASIDE, _BACKWARDS_ROW), f"${_BACKWARDS}_{{{t}}}$", STATE, _BOX),
        "y": Node((x, _Y_ROW), f"$y_{{{t}}}$", OUTPUT),
    }


_COLUMN_PATHS = (("x", "forwards", "y"), ("x", "backwards", "y"))


def _draw_link(ax: Axes, start: float, end: float, row: float, backward: bool) -> None:
    """Draw the arrow from the state at `start` to the state at `end`, which may be further left."""
    half = _BOX[0] / 2 if end > start else -_BOX[0] / 2
    both_ways(ax, (start + half, row), (end - half, row), backward)
