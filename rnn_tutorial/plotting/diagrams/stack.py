"""Diagram of recurrent layers on top of each other: a grid of steps and layers."""

from typing import Any

from matplotlib.axes import Axes

from rnn_tutorial.plotting.diagrams.pen import INPUT, OUTPUT, STATE, Node, canvas, graph, write
from rnn_tutorial.plotting.style import GREY, VERMILLION, in_house_style
from rnn_tutorial.validation import check_positive

__all__ = [
    "draw_stack",
]

_COLUMN, _ROW = 1.5, 1.0  # inches from one step to the next, and from one layer to the next
_LEFT, _BOTTOM = 2.0, 1.15  # of the middle of x_1
_BOX = (0.72, 0.6)


@in_house_style
def draw_stack(
    T: int = 4, layers: int = 3, *, backward: bool = False, ax: Axes | None = None
) -> Axes:
    """Return the Axes with a grid: a column for each of T steps, a row for each recurrent layer.

    h_t of layer l, written with l as its superscript, is read by step t + 1 of the same layer and
    by step t of the layer above. That of the last layer is read by y_t. backward: the path of the
    gradient, dashed, against every arrow; two contributions meet in each state.

    Raises: ValueError unless T and layers are positive whole numbers.
    """
    check_positive("T", T)
    check_positive("layers", layers)
    width = max(_LEFT + _COLUMN * (T - 1) + 0.8, 5.9)  # the captions need 5.7 inches
    ax = canvas(ax, width, _BOTTOM + _ROW * (layers + 1) + 0.5)
    graph(ax, *_grid(T, layers), backward)
    for layer in range(1, layers + 1):
        write(ax, (0.75, _BOTTOM + _ROW * layer), f"layer {layer}", color=GREY, size=11)
    words = "Right: the same layer, one step later.  Up: the layer above, the same step"
    write(ax, (width / 2, 0.55), words, size=11, color=GREY)
    if backward:
        words = r"$dh_t^l$: from the layer above, plus from step $t + 1$"
        write(ax, (width / 2, 0.22), words, size=11, color=VERMILLION)
    return ax


def _grid(T: int, layers: int) -> tuple[dict[str, Node], list[Any]]:
    """Return (nodes, paths) of the grid: inputs, states and outputs, and which node reads which."""
    columns, nodes = [], {}
    for t in range(1, T + 1):
        x = _LEFT + _COLUMN * (t - 1)
        column = [
            f"x_{{{t}}}",
            *(f"h_{{{t}}}^{{{layer}}}" for layer in range(1, layers + 1)),
            f"y_{{{t}}}",
        ]
        looks = [(INPUT, None), *[(STATE, _BOX)] * layers, (OUTPUT, None)]
        for row, (name, look) in enumerate(zip(column, looks, strict=True)):
            nodes[name] = Node((x, _BOTTOM + _ROW * row), f"${name}$", *look)
        columns.append(column)
    rows = list(zip(*columns, strict=True))[1:-1]  # the states of each layer
    return nodes, columns + rows
