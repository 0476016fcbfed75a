"""Diagram of attention: one query, its scores, their softmax, and the mean that they weigh."""

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch
from matplotlib.path import Path

from rnn_tutorial.plotting.diagrams.pen import (
    BACKWARD,
    FORWARD,
    INPUT,
    OUTPUT,
    STATE,
    WEIGHT,
    Node,
    Point,
    arrow,
    canvas,
    graph,
    write,
)
from rnn_tutorial.plotting.style import GREY, in_house_style

__all__ = [
    "draw_attention",
]

_COLUMN = 1.45  # inches from one letter to the next
_LETTER, _MEMORY, _SCORE, _SOFTMAX, _TIMES, _PLUS = 0.5, 1.5, 3.0, 3.95, 5.0, 6.1
_BOX = (0.72, 0.56)


@in_house_style
def draw_attention(
    source: Sequence[str] = ("b", "o", "x"), *, backward: bool = False, ax: Axes | None = None
) -> Axes:
    """Return the Axes with one query that looks into the memory of a source.

    From bottom to top: the letters, the memory, the scores with the query, the softmax, the
    memory times its weights, and their sum, which is the context. The second path of the memory
    goes up next to its column, behind the softmax. backward: the gradients, dashed, against every
    arrow.

    Raises: ValueError for a source without symbols.
    """
    if not source:
        raise ValueError("source: expected at least one symbol, got none")
    columns = [2.3 + _COLUMN * s for s in range(len(source))]
    middle, width = (columns[0] + columns[-1]) / 2, columns[-1] - columns[0] + 0.9
    ax = canvas(ax, columns[-1] + 1.3, 6.7)
    nodes = {
        "q": Node((0.75, _MEMORY), "$q_t$", INPUT, _BOX),
        "softmax": Node((middle, _SOFTMAX), "softmax", WEIGHT, (width, 0.5)),
        "+": Node((middle, _PLUS), "$+$"),
        "c": Node((middle + 1.5, _PLUS), "$c_t$", OUTPUT, _BOX),
    }
    paths: list[tuple[str | tuple[float, float], ...]] = [("+", "c")]
    for s, (x, symbol) in enumerate(zip(columns, source), start=1):
        nodes[f"x{s}"] = Node((x, _LETTER), symbol, INPUT, _BOX)
        nodes[f"m{s}"] = Node((x, _MEMORY), f"$m_{{{s}}}$", STATE, _BOX)
        nodes[f"e{s}"] = Node((x, _SCORE), f"$e_{{{s}}}$")
        nodes[f"w{s}"] = Node((x, _TIMES), r"$\times$")
        paths += [(f"x{s}", f"m{s}", f"e{s}"), ("q", f"e{s}"), (f"w{s}", "+")]
    graph(ax, nodes, paths, backward)
    for s, x in enumerate(columns, start=1):
        _up_and_down(ax, (x, _SCORE + 0.27), (x, _SOFTMAX - 0.25), backward)
        _up_and_down(ax, (x, _SOFTMAX + 0.25), (x, _TIMES - 0.27), backward)
        write(ax, (x - 0.13, (_SOFTMAX + _TIMES) / 2), f"$w_{{{s}}}$", size=11, ha="right")
        _along(ax, (x + 0.36, _MEMORY), (x + 0.27, _TIMES), x + 0.6, FORWARD)
        if backward:
            _along(ax, (x + 0.25, _TIMES - 0.15), (x + 0.36, _MEMORY - 0.15), x + 0.75, BACKWARD)
    between = (_SOFTMAX + _TIMES) / 2
    for row, words in ((_LETTER, "read"), (_SCORE, "scores"), (between, "weights")):
        write(ax, (0.75, row), words, color=GREY, size=11)
    return ax


def _up_and_down(
    ax: Axes, start: tuple[float, float], end: tuple[float, float], backward: bool
) -> None:
    """Draw an arrow upwards, and with `backward` another one next to it, downwards."""
    aside = 0.08 if backward else 0.0
    arrow(ax, (start[0] - aside, start[1]), (end[0] - aside, end[1]), FORWARD)
    if backward:
        arrow(ax, (end[0] + aside, end[1]), (start[0] + aside, start[1]), BACKWARD)


def _along(ax: Axes, start: Point, end: Point, column: float, line: dict[str, Any]) -> None:
    """Draw an arrow with two corners: sideways to `column`, along it, and back. Boxes hide it."""
    path = Path([start, (column, start[1]), (column, end[1]), end])
    look: dict[str, Any] = {"arrowstyle": "-|>", "mutation_scale": 12, "linewidth": 1.4}
    ax.add_artist(FancyArrowPatch(path=path, zorder=0.5, joinstyle="round", **look, **line))
