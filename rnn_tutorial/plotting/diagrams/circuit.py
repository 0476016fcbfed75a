"""The diagram of one unit as a circuit of numbers: what goes forward, and what comes back."""

import math

from matplotlib.axes import Axes

from rnn_tutorial.plotting.diagrams.pen import (
    INPUT,
    PLAIN,
    STATE,
    WEIGHT,
    Node,
    Point,
    canvas,
    graph,
    write,
)
from rnn_tutorial.plotting.style import BLACK, GREY, VERMILLION, in_house_style
from rnn_tutorial.validation import check_number

__all__ = [
    "draw_circuit",
]


@in_house_style
def draw_circuit(
    x: float,
    w_x: float,
    h_previous: float,
    w_h: float,
    b: float,
    dh: float = 1.0,
    *,
    ax: Axes | None = None,
) -> Axes:
    """Return the Axes with h = tanh(w_x x + w_h h_previous + b) of one unit, number by number.

    Next to each name is its value and, in the colour of the dashed arrows, its gradient, when dh
    arrives at h.

    Raises: ValueError unless all numbers are finite.
    """
    given = {"x": x, "w_x": w_x, "h_previous": h_previous, "w_h": w_h, "b": b, "dh": dh}
    x, w_x, h_previous, w_h, b, dh = (check_number(name, value) for name, value in given.items())
    p, q = w_x * x, w_h * h_previous
    a = p + q + b
    h = math.tanh(a)
    da = dh * (1 - h * h)
    ax = canvas(ax, 9.6, 4.3)
    graph(ax, _NODES, _PATHS, backward=True)
    for name, value, gradient in (
        ("x", x, da * w_x),
        ("w_x", w_x, da * x),
        ("h_previous", h_previous, da * w_h),
        ("w_h", w_h, da * h_previous),
        ("b", b, da),
        ("p", p, da),
        ("q", q, da),
        ("a", a, da),
        ("h", h, dh),
    ):
        above, below = _PLACES[name]
        write(ax, above, f"{_LETTERS.get(name, '')}{value:.2f}", BLACK, 11)
        write(ax, below, f"{gradient:.2f}", VERMILLION, 11)
    write(ax, (9.1, 4.0), "value", BLACK, 11, ha="right")
    write(ax, (9.1, 3.72), "gradient", VERMILLION, 11, ha="right")
    write(ax, (6.5, 1.85), "slope $1 - h^2$" + f" = {1 - h * h:.2f}", GREY, 11)
    return ax


_LEAF = (0.8, 0.56)
_NODES = {
    "x": Node((1.6, 3.8), "$x$", INPUT, _LEAF),
    "w_x": Node((1.6, 2.9), "$w_x$", WEIGHT, _LEAF),
    "h_previous": Node((1.6, 1.9), "$h_{t-1}$", STATE, _LEAF),
    "w_h": Node((1.6, 1.0), "$w_h$", WEIGHT, _LEAF),
    "b": Node((4.8, 0.65), "$b$", WEIGHT, _LEAF),
    "p": Node((3.1, 3.35), r"$\times$", PLAIN),
    "q": Node((3.1, 1.45), r"$\times$", PLAIN),
    "+": Node((4.8, 2.4), "$+$", PLAIN),
    "tanh": Node((6.5, 2.4), "tanh", PLAIN),
    "h": Node((8.3, 2.4), "$h_t$", STATE, _LEAF),
}
_PATHS = (
    ("x", "p", "+"),
    ("w_x", "p"),
    ("h_previous", "q", "+"),
    ("w_h", "q"),
    ("b", "+", "tanh", "h"),
)
_LETTERS = {"p": "$p$ = ", "q": "$q$ = ", "a": "$a$ = "}
# Where the value and the gradient of each name are written.
_PLACES: dict[str, tuple[Point, Point]] = {
    **{
        name: ((0.75, node.at[1] + 0.14), (0.75, node.at[1] - 0.14))
        for name, node in _NODES.items()
        if node.size == _LEAF
    },
    "h": ((9.1, 2.54), (9.1, 2.26)),
    "b": ((5.55, 0.79), (5.55, 0.51)),
    "p": ((4.5, 3.1), (3.65, 2.65)),
    "q": ((3.55, 2.15), (4.25, 1.75)),
    "a": ((5.65, 2.65), (5.65, 2.15)),
}
