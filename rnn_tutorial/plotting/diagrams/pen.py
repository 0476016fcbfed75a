"""What diagrams are drawn with: boxes, circles, arrows and text on a canvas measured in inches.

The limits of the canvas are fixed, so a shape is added with `add_artist`: `add_patch` would measure
it for them, which took most of the time of a diagram.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

from matplotlib.axes import Axes
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, Rectangle

from rnn_tutorial.plotting.style import BLACK, GREY, VERMILLION, new_axes
from rnn_tutorial.types import Array

__all__ = [
    "BACKWARD",
    "FAINT",
    "FORWARD",
    "INPUT",
    "Node",
    "OUTPUT",
    "PALE",
    "PLAIN",
    "Point",
    "STATE",
    "WEIGHT",
    "arrow",
    "band",
    "both_ways",
    "box",
    "canvas",
    "circle",
    "faint",
    "graph",
    "grid",
    "write",
]

Point: TypeAlias = tuple[float, float]
"""(x, y) on the canvas, inches."""

Size: TypeAlias = tuple[float, float]
"""(width, height) of a box, inches."""

INPUT, STATE, OUTPUT, WEIGHT, PLAIN = "#d6eaf6", "#fbe6c2", "#cfeee2", "#ece7f3", "#ffffff"
PALE = "#a0a0a0"  # the edge of what is out of reach
FAINT = "#cfcfcf"  # all of a part that is not looked at
_RADIUS = 0.27  # of a circle, inches
FORWARD: dict[str, Any] = {"color": BLACK, "linestyle": "-"}
BACKWARD: dict[str, Any] = {"color": VERMILLION, "linestyle": (0, (4, 2))}


def canvas(ax: Axes | None, width: float, height: float) -> Axes:
    """Return an empty Axes of `width` by `height` inches: `ax`, or if it is None, a new one."""
    if ax is None:
        ax = new_axes(size=(width, height))
        figure: Any = ax.figure
        figure.set_layout_engine("none")
        ax.set_position((0, 0, 1, 1))
    ax.set(xlim=(0, width), ylim=(0, height), aspect="equal")
    ax.axis("off")
    return ax


def box(
    ax: Axes,
    at: Point,
    words: str,
    fill: str = PLAIN,
    size: Size = (0.8, 0.6),
    edge: str = BLACK,
) -> None:
    """Draw a rounded box with its centre `at`."""
    corner = (at[0] - size[0] / 2 + 0.05, at[1] - size[1] / 2 + 0.05)
    style = "round,pad=0.05,rounding_size=0.08"
    inner = (size[0] - 0.1, size[1] - 0.1)  # the style pads it by 0.05 on each side
    ax.add_artist(
        FancyBboxPatch(corner, *inner, style, facecolor=fill, edgecolor=edge, linewidth=1.2)
    )
    write(ax, at, words, color=edge)


def circle(
    ax: Axes,
    at: Point,
    words: str,
    fill: str = PLAIN,
    radius: float = _RADIUS,
    edge: str = BLACK,
) -> None:
    """Draw a circle with its centre `at`."""
    ax.add_artist(Circle(at, radius, facecolor=fill, edgecolor=edge, linewidth=1.2))
    write(ax, at, words, color=edge)


def grid(ax: Axes, corner: Point, rows: int, columns: int, cell: float, fill: str) -> None:
    """Draw a matrix of rows x columns square cells with its lower left corner at `corner`."""
    for row in range(rows):
        for column in range(columns):
            place = (corner[0] + column * cell, corner[1] + row * cell)
            ax.add_artist(
                Rectangle(place, cell, cell, facecolor=fill, edgecolor=GREY, linewidth=0.7)
            )
    ax.add_artist(
        Rectangle(
            corner, columns * cell, rows * cell, facecolor="none", edgecolor=BLACK, linewidth=1.3
        )
    )


def arrow(
    ax: Axes, start: Point, end: Point, line: dict[str, Any] = FORWARD, bend: float = 0.0
) -> None:
    """Draw an arrow from `start` to `end`, bent to one side by `bend` times its length."""
    shape: dict[str, Any] = {
        "arrowstyle": "-|>",
        "connectionstyle": f"arc3,rad={bend}",
        "mutation_scale": 12,
    }
    ax.add_artist(FancyArrowPatch(start, end, linewidth=1.4, shrinkA=1, shrinkB=1, **shape, **line))


def both_ways(ax: Axes, start: Point, end: Point, backward: bool) -> None:
    """Draw an arrow from `start` to `end`; with `backward`, also the gradient's arrow back."""
    if not backward:
        return arrow(ax, start, end)
    (x, y), (u, v) = start, end
    length = ((u - x) ** 2 + (v - y) ** 2) ** 0.5
    aside = (0.08 * (y - v) / length, 0.08 * (u - x) / length)
    arrow(ax, (x + aside[0], y + aside[1]), (u + aside[0], v + aside[1]), FORWARD)
    arrow(ax, (u - aside[0], v - aside[1]), (x - aside[0], y - aside[1]), BACKWARD)


def band(ax: Axes, points: Sequence[Point] | Array, color: str = STATE) -> None:
    """Draw a broad pale line through `points`, below everything else: the path of a state."""
    look: dict[str, Any] = {
        "color": color,
        "linewidth": 17,
        "alpha": 0.55,
        "linestyle": "-",
        "marker": "",
        "zorder": 0,
    }
    ax.plot(*zip(*points, strict=True), label="_band", solid_capstyle="butt", **look)


class Node(NamedTuple):
    """A node of a graph: an array is a box of `size` (width, height), an operation a circle."""

    at: Point
    words: str
    fill: str = PLAIN
    size: Size | None = None
    edge: str = BLACK


def faint(node: Node) -> Node:
    """Return the node without its colour and in light grey."""
    return node._replace(fill=PLAIN, edge=FAINT)


def graph(
    ax: Axes,
    nodes: dict[str, Node],
    paths: Iterable[Iterable[str | Point]],
    backward: bool = False,
) -> None:
    """Draw `nodes`, and arrows from each name of a path to the next, back too with `backward`.

    A path may have a point in place of a name, for an arrow that comes from outside or leads there.
    The arrow of a faint node is faint too, and there is none back.
    """
    for node in nodes.values():
        if node.size is None:
            circle(ax, node.at, node.words, node.fill, edge=node.edge)
        else:
            box(ax, node.at, node.words, node.fill, node.size, node.edge)
    for ends in (pair for path in paths for pair in pairwise(path)):
        start, end = (
            nodes[end] if isinstance(end, str) else Node(end, "", size=(0, 0)) for end in ends
        )
        rims = _rim(start, end.at), _rim(end, start.at)
        if FAINT in (start.edge, end.edge):
            arrow(ax, *rims, FORWARD | {"color": FAINT})
        else:
            both_ways(ax, *rims, backward)


def _rim(node: Node, towards: Point) -> Point:
    """Return the point where the straight line from the centre of `node` to `towards` leaves it."""
    dx, dy = towards[0] - node.at[0], towards[1] - node.at[1]
    if node.size is None:
        part = _RADIUS / (dx**2 + dy**2) ** 0.5
    else:
        part = min(side / 2 / abs(d) for side, d in zip(node.size, (dx, dy), strict=True) if d)
    return node.at[0] + part * dx, node.at[1] + part * dy


def write(
    ax: Axes,
    at: Point,
    words: str,
    color: str = BLACK,
    size: float = 12,
    ha: str = "center",
    va: str = "center",
) -> None:
    """Write `words` at a point."""
    ax.text(*at, words, color=color, fontsize=size, ha=ha, va=va, linespacing=1.25)
