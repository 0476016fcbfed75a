"""Diagrams of the recurrence: one step, its shapes, unrolled in time, its paths.

Every function returns the Axes, and draws into `ax` if it is given. Forward is black and solid,
backward is vermillion and dashed.
"""

from itertools import pairwise
from typing import Any

from matplotlib.axes import Axes

from rnn_tutorial.plotting.diagrams.pen import (
    BACKWARD,
    INPUT,
    OUTPUT,
    PALE,
    PLAIN,
    STATE,
    WEIGHT,
    Point,
    arrow,
    both_ways,
    box,
    canvas,
    circle,
    grid,
    write,
)
from rnn_tutorial.plotting.style import BLACK, GREY, LINES, VERMILLION, in_house_style
from rnn_tutorial.validation import check_positive

__all__ = [
    "draw_paths",
    "draw_shapes",
    "draw_step",
    "draw_unrolled",
]

_COLUMN = 1.5  # inches from one step to the next
_ROW = 1.05  # inches from the input to the state, and from the state to the output
_STATE_ROW = 2.2
_PATH_COLUMN = 1.75  # inches from one state to the next where a path's product is above its end


@in_house_style
def draw_unrolled(
    T: int = 4,
    *,
    outputs: bool = True,
    losses: bool = False,
    backward: bool = False,
    folded: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Return the Axes with the network unrolled over T steps and, at the left, folded into a loop.

    outputs    an output y_t above each state
    losses     a loss L_t on top of each step
    backward   the path of the gradient, against every arrow: two contributions meet in each dh_t
    folded     the folded network at the left

    Raises: ValueError unless T is a positive whole number.
    """
    check_positive("T", T)
    above = ["y"] * outputs + ["L"] * losses
    left = 2.7 if folded else 0.2
    shift = 0.1 if backward else 0.0
    width = max(left + 0.95 + _COLUMN * T, 3.2)  # the captions need 3 inches
    ax = canvas(ax, width, 2.8 + _ROW * len(above))
    if folded:
        _draw_folded(ax, 0.7, above)
        write(ax, (left - 0.35, _STATE_ROW), "=", size=20)
    circle(ax, (left + 0.35, _STATE_ROW), "$h_0$", STATE)
    for t in range(1, T + 1):
        x = left + 0.35 + _COLUMN * t
        _draw_column(ax, x, str(t), above, shift)
        _draw_link(ax, x - _COLUMN + (0.27 if t == 1 else 0.4), x - 0.4, shift)
    write(ax, (width / 2, 0.6), "the same $W_x$, $W_h$, $b$ at every step", size=11, color=GREY)
    if backward:
        write(
            ax,
            (width / 2, 0.26),
            "$dh_t$: from above, plus from step $t + 1$",
            size=11,
            color=VERMILLION,
        )
    return ax


def _draw_folded(ax: Axes, x: float, above: list[str]) -> None:
    """Draw the folded network at x: one step, with a loop from the state to itself."""
    _draw_column(ax, x, "t", above, 0.0)
    arrow(ax, (x + 0.4, _STATE_ROW + 0.17), (x + 0.4, _STATE_ROW - 0.17), bend=-2.2)
    write(ax, (x + 1.02, _STATE_ROW), "$W_h$")


def _draw_column(ax: Axes, x: float, t: str, above: list[str], shift: float) -> None:
    """Draw one step at x: input, state and what is above; `shift` makes space for arrows back."""
    rows = [_STATE_ROW + _ROW * k for k in range(-1, len(above) + 1)]
    circle(ax, (x, rows[0]), f"$x_{{{t}}}$", INPUT)
    box(ax, (x, rows[1]), f"$h_{{{t}}}$", STATE)
    write(ax, (x - shift - 0.28, (rows[0] + rows[1]) / 2), "$W_x$")
    for name, row in zip(above, rows[2:], strict=True):
        circle(ax, (x, row), f"${name}_{{{t}}}$", OUTPUT if name == "y" else WEIGHT)
    for low, high in pairwise(rows):
        bottom, top = (
            low + (0.3 if low == _STATE_ROW else 0.26),
            high - (0.3 if high == _STATE_ROW else 0.26),
        )
        arrow(ax, (x - shift, bottom), (x - shift, top))
        if shift:
            arrow(ax, (x + shift, top), (x + shift, bottom), BACKWARD)


def _draw_link(ax: Axes, start: float, end: float, shift: float) -> None:
    """Draw the arrow from a state to the next; with a positive `shift`, below it the arrow back."""
    arrow(ax, (start, _STATE_ROW + shift), (end, _STATE_ROW + shift))
    write(ax, ((start + end) / 2, _STATE_ROW + shift + 0.2), "$W_h$")
    if shift:
        arrow(ax, (end, _STATE_ROW - shift), (start, _STATE_ROW - shift), BACKWARD)


@in_house_style
def draw_step(*, backward: bool = False, ax: Axes | None = None) -> Axes:
    """Return the Axes with the graph of one step, h = tanh(x W_x + h_prev W_h + b), and all shapes.

    Boxes are arrays, circles are operations. backward: next to each array its gradient, as a
    formula.
    """
    ax = canvas(ax, 9.0, 4.4)
    for words, at, fill, gradient, place in _STEP_ARRAYS:
        box(ax, at, words, fill, size=(0.95, 0.62))
        if backward:
            write(ax, place, gradient, color=VERMILLION)
    for at, operation in (
        ((2.5, 3.1), "@"),
        ((2.5, 1.5), "@"),
        ((4.2, 2.3), "+"),
        ((7.0, 2.3), "tanh"),
    ):
        circle(ax, at, operation)
    for start, end in _STEP_EDGES:
        both_ways(ax, start, end, backward)
    for product, at in (("x_t W_x", (3.7, 3.0)), ("h_{t-1} W_h", (3.55, 1.45))):
        write(ax, at, f"${product}$\n(B, H)", color=GREY, size=10)
    write(ax, (4.4, 0.18), "added to each of the B rows", color=GREY, size=10)
    return ax


_STEP_ARRAYS = (  # words, place, colour; gradient and its place
    ("$x_t$\n(B, D)", (0.75, 3.1), INPUT, r"$dx_t = da_t\,W_x^\top$", (0.75, 2.6)),
    ("$W_x$\n(D, H)", (2.5, 3.95), WEIGHT, r"$dW_x = x_t^\top da_t$", (3.6, 3.95)),
    ("$h_{t-1}$\n(B, H)", (0.75, 1.5), STATE, r"$dh_{t-1} = da_t\,W_h^\top$", (0.75, 1.0)),
    ("$W_h$\n(H, H)", (2.5, 0.65), WEIGHT, r"$dW_h = h_{t-1}^\top\,da_t$", (2.5, 0.17)),
    ("$b$\n(H,)", (4.2, 0.65), WEIGHT, r"$db = \sum_n da_{t,n}$", (5.2, 0.65)),
    ("$a_t$\n(B, H)", (5.6, 2.3), PLAIN, r"$da_t = dh_t \circ (1 - h_t^2)$", (5.7, 1.78)),
    ("$h_t$\n(B, H)", (8.3, 2.3), STATE, "$dh_t$ arrives", (8.3, 1.8)),
)
_STEP_EDGES = (
    ((1.23, 3.1), (2.23, 3.1)),
    ((2.5, 3.64), (2.5, 3.37)),
    ((1.23, 1.5), (2.23, 1.5)),
    ((2.5, 0.96), (2.5, 1.23)),
    ((2.75, 2.98), (3.97, 2.44)),
    ((2.75, 1.62), (3.97, 2.16)),
    ((4.2, 0.96), (4.2, 2.03)),
    ((4.47, 2.3), (5.12, 2.3)),
    ((6.08, 2.3), (6.73, 2.3)),
    ((7.27, 2.3), (7.82, 2.3)),
)


@in_house_style
def draw_shapes(B: int = 2, D: int = 3, H: int = 4, *, ax: Axes | None = None) -> Axes:
    """Return the Axes with x W_x + h_prev W_h + b = a, each array as a grid of its entries.

    Raises: ValueError unless B, D and H are positive whole numbers.
    """
    for name, size in (("B", B), ("D", D), ("H", H)):
        check_positive(name, size)
    cell, gap = 0.22, 0.4
    arrays = (
        ("$x_t$", B, D, "(B, D)", INPUT, ""),
        ("$W_x$", D, H, "(D, H)", WEIGHT, "@"),
        ("$h_{t-1}$", B, H, "(B, H)", STATE, "+"),
        ("$W_h$", H, H, "(H, H)", WEIGHT, "@"),
        ("$b$", 1, H, "(H,)", WEIGHT, "+"),
        ("$a_t$", B, H, "(B, H)", PLAIN, "="),
    )
    widths = [max(columns * cell, 0.6) for _, _, columns, *_ in arrays]
    tall = max(B, D, H) * cell
    ax = canvas(ax, sum(widths) + gap * 5 + 0.3, tall + 1.25)
    x, middle = 0.15, 0.7 + tall / 2
    for (name, rows, columns, shape, fill, before), width in zip(arrays, widths, strict=True):
        write(ax, (x - gap / 2, middle), before, size=14)
        grid(
            ax,
            (x + (width - columns * cell) / 2, middle - rows * cell / 2),
            rows,
            columns,
            cell,
            fill,
        )
        write(ax, (x + width / 2, middle + tall / 2 + 0.25), name, size=14)
        sizes = f"({columns},)" if shape == "(H,)" else f"({rows}, {columns})"
        write(ax, (x + width / 2, 0.35), f"{shape}\n{sizes}", size=10)
        x += width + gap
    return ax


@in_house_style
def draw_paths(T: int = 4, *, source: int = 1, ax: Axes | None = None) -> Axes:
    """Return the Axes with every path from h_source to a loss, its product above the loss.

    There are T - source + 1 paths. The gradient dh_source is the sum of their products, with
    J_t = dh_t / dh_{t-1}.

    Raises: ValueError unless T and source are positive whole numbers, and for more paths than there
    are kinds of lines.
    """
    check_positive("T", T)
    check_positive("source", source)
    paths = T - source + 1
    if not 1 <= paths <= len(LINES):
        raise ValueError(
            f"source: expected 1 to {len(LINES)} paths from h_source to L_T, "
            f"got T={T}, source={source}"
        )
    tall, foot = 0.3 + 0.22 * paths, 0.8
    xs = [0.9 + _PATH_COLUMN * t for t in range(T)]
    ax = canvas(ax, max(xs[-1] + 0.9, 4.6), foot + tall + 1.95)
    for t, x in enumerate(xs, start=1):
        reached = t >= source
        edge = BLACK if reached else PALE
        middle, size = (x, foot + tall / 2), (0.95, tall)
        box(ax, middle, "", STATE if reached else PLAIN, size=size, edge=edge)
        write(ax, (x, foot - 0.2), f"$h_{{{t}}}$", color=edge)
        top = (x, foot + tall + 1.2)
        circle(ax, top, f"$L_{{{t}}}$", WEIGHT if reached else PLAIN, edge=edge)
    for k, line in zip(range(source, T + 1), LINES, strict=False):
        lane = foot + tall - 0.22 * (k - source + 1)
        line = {"color": line["color"], "linestyle": line["linestyle"]}
        _draw_path(ax, (xs[source - 1] - 0.25, lane), (xs[k - 1], foot + tall + 0.93), k, line)
        write(ax, (xs[k - 1], foot + tall + 1.72), _path_product(source, k), size=13)
    sum_of_paths = rf"$dh_{{{source}}}$ is the sum of the products.   "
    jacobian = r"$J_t = \partial h_t / \partial h_{t-1}$"
    write(ax, (0.4, 0.22), sum_of_paths + jacobian, ha="left", color=GREY, size=11)
    return ax


def _draw_path(ax: Axes, start: Point, end: Point, k: int, line: dict[str, Any]) -> None:
    """Draw the path to L_k: along the states, then up."""
    ax.plot(*start, color=line["color"], marker="o", label="_start")
    ax.plot(
        [start[0], end[0], end[0]],
        [start[1], start[1], end[1] - 0.1],
        marker="",
        label=f"$L_{{{k}}}$",
        **line,
    )
    arrow(ax, (end[0], end[1] - 0.15), end, {"color": line["color"]})


def _path_product(source: int, k: int) -> str:
    """Return the formula of the path from h_source to L_k, loss first."""
    factors = [f"J_{{{t}}}" for t in range(k, source, -1)]
    if len(factors) > 3:
        factors[1:-1] = [r"\cdots"]
    return "$" + r"\,".join([rf"dh_{{{k}}}^{{\mathrm{{out}}}}", *factors]) + "$"
