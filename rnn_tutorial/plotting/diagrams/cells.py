"""Diagrams of the gated cells: the cell of 1997, one step of the LSTM and of the GRU.

Every function returns the Axes, and draws into `ax` if it is given. Boxes are arrays, circles are
operations; the broad pale band is the path on which a state lasts. Forward is black and solid,
backward is vermillion and dashed. `lit` names the parts of a step that are drawn in colour; the
others are light grey.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes

from rnn_tutorial.plotting.diagrams.pen import (
    BACKWARD,
    FAINT,
    FORWARD,
    INPUT,
    OUTPUT,
    STATE,
    WEIGHT,
    Node,
    Point,
    arrow,
    band,
    canvas,
    faint,
    graph,
    write,
)
from rnn_tutorial.plotting.style import BLACK, GREY, VERMILLION, in_house_style
from rnn_tutorial.types import Array

__all__ = [
    "draw_carousel",
    "draw_gru",
    "draw_gru_forms",
    "draw_lstm",
    "draw_lstm_unit",
]

GATE = OUTPUT  # what a sigmoid puts out; these diagrams have no y
_ARRAY, _SMALL, _PLUG = (0.95, 0.58), (0.66, 0.48), (0.66, 0.38)
_TIMES, _SIGMOID = "×", r"$\sigma$"


@in_house_style
def draw_carousel(*, ax: Axes | None = None) -> Axes:
    """Return the Axes with the cell of 1997, whose loop has the weight 1.

    c = c_prev + i * g and h = o * tanh(c). The loop is the constant error carousel: the gradient,
    dashed, goes round it unchanged.

    Source: Hochreiter & Schmidhuber 1997.
    """
    ax = canvas(ax, 9.4, 4.2)
    graph(ax, _CAROUSEL_NODES, _CAROUSEL_PATHS)
    band(ax, _arc(1.0, 1.3))
    _draw_round(ax, _arc(1.08, 1.38), FORWARD)
    _draw_round(ax, _arc(0.92, 1.22)[::-1], BACKWARD)
    write(ax, (4.5, 2.8), "round the loop\n$dc_{t-1} = dc_t$", color=VERMILLION)
    _write_all(ax, _CAROUSEL_EQUATIONS, size=13)
    _write_all(ax, _CAROUSEL_NOTES, color=GREY, size=11)
    return ax


def _write_all(
    ax: Axes, texts: Iterable[tuple[str, Point]], color: str = BLACK, size: float = 12
) -> None:
    """Write (words, point) for each of the texts."""
    for words, at in texts:
        write(ax, at, words, color, size)


def _arc(width: float, height: float) -> Array:
    """Return points, (N, 2), from the top of the box c over to the top of the circle +."""
    angles = np.linspace(0, np.pi, 60)
    return np.stack([4.5 + width * np.cos(angles), 2.36 + height * np.sin(angles)], axis=1)


def _draw_round(ax: Axes, points: Array, line: dict[str, Any]) -> None:
    """Draw an arrow along points (N, 2)."""
    ax.plot(*points[:-3].T, linewidth=1.4, marker="", **line)
    arrow(ax, tuple(points[-5]), tuple(points[-1]), line)


_CAROUSEL_NODES = {
    "g": Node((0.9, 2.05), "$g_t$", STATE, _SMALL),
    "i": Node((2.2, 1.2), "$i_t$", GATE, _SMALL),
    "write": Node((2.2, 2.05), _TIMES),
    "add": Node((3.5, 2.05), "+"),
    "c": Node((5.5, 2.05), "$c_t$", STATE, _ARRAY),
    "tanh": Node((6.75, 2.05), "tanh"),
    "o": Node((7.7, 1.2), "$o_t$", GATE, _SMALL),
    "show": Node((7.7, 2.05), _TIMES),
    "h": Node((8.8, 2.05), "$h_t$", STATE, _ARRAY),
}
_CAROUSEL_PATHS = (
    ((0.9, 1.45), "g", "write", "add", "c", "tanh", "show", "h"),
    ((2.2, 0.6), "i", "write"),
    ((7.7, 0.6), "o", "show"),
)
_CAROUSEL_EQUATIONS = (
    (r"$c_t = c_{t-1} + i_t \circ g_t$", (5.3, 1.45)),
    (r"$h_t = o_t \circ \tanh c_t$", (7.9, 2.65)),
)
_CAROUSEL_NOTES = (
    ("from $x_t$, $h_{t-1}$", (0.9, 1.3)),
    ("from $x_t$, $h_{t-1}$", (2.2, 0.45)),
    ("from $x_t$, $h_{t-1}$", (7.7, 0.45)),
    ("input gate", (3.05, 1.2)),
    ("output gate", (8.6, 1.2)),
    ("the loop has the weight 1, at every step", (4.5, 3.95)),
    ("$c_{t-1}$", (3.15, 2.65)),
)


class Label(NamedTuple):
    """Words next to a node, and as faint as the node."""

    words: str
    at: Point
    of: str


class Style(NamedTuple):
    """How labels of one kind are written."""

    color: str
    size: float


_EQUATION, _NOTE = Style(BLACK, 14), Style(GREY, 11)
_GRADIENT, _SMALL_GRADIENT = Style(VERMILLION, 12), Style(VERMILLION, 11)


class Diagram(NamedTuple):
    """One step of a cell: what is drawn, and which nodes belong to which part.

    band: the two ends of the path on which the state lasts, and the node as faint as it.
    """

    size: Point
    band: tuple[tuple[Point, Point], str]
    nodes: dict[str, Node]
    paths: tuple[tuple[str | Point, ...], ...]
    parts: dict[str, tuple[str, ...]]
    always: tuple[tuple[Style, tuple[Label, ...]], ...]
    forward: tuple[tuple[Style, tuple[Label, ...]], ...]
    backward: tuple[tuple[Style, tuple[Label, ...]], ...]


def _draw(
    diagram: Diagram,
    backward: bool,
    formulas: bool,
    lit: Sequence[str] | None,
    ax: Axes | None,
) -> Axes:
    """Return the Axes with a diagram, in which the parts `lit` have colour; None lights them all.

    backward: arrows back. formulas: with them the gradients, in place of the words of the forward.

    Raises: ValueError for a part that the diagram does not have.
    """
    lit = tuple(diagram.parts) if lit is None else tuple(lit)
    if unknown := [part for part in lit if part not in diagram.parts]:
        known = ", ".join(diagram.parts)
        raise ValueError(f"lit: expected parts of the step, {known}, got {', '.join(unknown)}")
    shown = {name for part in lit for name in diagram.parts[part]}
    nodes = {name: node if name in shown else faint(node) for name, node in diagram.nodes.items()}
    ax = canvas(ax, *diagram.size)
    ends, of = diagram.band
    band(ax, ends, STATE if of in shown else FAINT)
    graph(ax, nodes, diagram.paths, backward)
    words_around = diagram.backward if backward and formulas else diagram.forward
    for style, labels in diagram.always + words_around:
        for words, at, of in labels:
            write(ax, at, words, style.color if of in shown else FAINT, style.size)
    return ax


@in_house_style
def draw_lstm(
    *,
    backward: bool = False,
    formulas: bool = True,
    lit: Sequence[str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Return the Axes with one step of the LSTM.

    c = f * c_prev + i * g is along the top, the gates below, h at the right. All four gates come
    from one affine map, a = x W_x + h_prev W_h + b. The picture has them in the order in which they
    are used: f, i, g, o. backward: a dashed arrow against each arrow, and next to each array its
    gradient, as a formula; with formulas=False, the arrows alone. lit: the parts to draw in colour,
    of f, i, g, c and o; the others are light grey.

    Raises: ValueError for a part that the step does not have.
    """
    return _draw(_LSTM, backward, formulas, lit, ax)


_LSTM_NODES = {
    "c before": Node((0.65, 5.0), "$c_{t-1}$\n(B, H)", STATE, _ARRAY),
    "h before": Node((0.65, 1.6), "$h_{t-1}$\n(B, H)", STATE, _ARRAY),
    "x": Node((0.65, 0.65), "$x_t$\n(B, D)", INPUT, _ARRAY),
    "map": Node((4.5, 1.1), "", WEIGHT, (6.3, 1.5)),
    "a_f": Node((1.8, 1.85), "$a_f$", size=_PLUG),
    "a_i": Node((3.6, 1.85), "$a_i$", size=_PLUG),
    "a_g": Node((5.4, 1.85), "$a_g$", size=_PLUG),
    "a_o": Node((7.15, 1.85), "$a_o$", size=_PLUG),
    "f sigmoid": Node((1.8, 2.65), _SIGMOID),
    "i sigmoid": Node((3.6, 2.65), _SIGMOID),
    "g tanh": Node((5.4, 2.65), "tanh"),
    "o sigmoid": Node((7.15, 2.65), _SIGMOID),
    "f": Node((1.8, 3.4), "$f_t$", GATE, _SMALL),
    "i": Node((3.6, 3.4), "$i_t$", GATE, _SMALL),
    "g": Node((5.4, 3.4), "$g_t$", STATE, _SMALL),
    "o": Node((7.15, 3.4), "$o_t$", GATE, _SMALL),
    "keep": Node((1.8, 5.0), _TIMES),
    "write": Node((4.5, 3.4), _TIMES),
    "add": Node((4.5, 5.0), "+"),
    "c": Node((8.1, 5.0), "$c_t$\n(B, H)", STATE, _ARRAY),
    "c tanh": Node((8.1, 4.2), "tanh"),
    "show": Node((8.1, 3.4), _TIMES),
    "h": Node((9.15, 3.4), "$h_t$\n(B, H)", STATE, _ARRAY),
}
_LSTM_PATHS = (
    ("c before", "keep", "add", "c", (9.95, 5.0)),
    ("h before", (1.35, 1.6)),
    ("x", (1.35, 0.65)),
    ("a_f", "f sigmoid", "f", "keep"),
    ("a_i", "i sigmoid", "i", "write", "add"),
    ("a_g", "g tanh", "g", "write"),
    ("a_o", "o sigmoid", "o", "show", "h", (9.95, 3.4)),
    ("c", "c tanh", "show"),
    ("h", (9.15, 4.25)),
)
_LSTM_PARTS = {
    "f": ("x", "h before", "map", "a_f", "f sigmoid", "f", "keep", "c before"),
    "i": ("x", "h before", "map", "a_i", "i sigmoid", "i", "write"),
    "g": ("x", "h before", "map", "a_g", "g tanh", "g", "write"),
    "c": ("c before", "keep", "add", "c", "f", "i", "g", "write"),
    "o": ("x", "h before", "map", "a_o", "o sigmoid", "o", "show", "c", "c tanh", "h"),
}
_LSTM_MAP = (Label("$a_t = x_t\\,W_x + h_{t-1}\\,W_h + b$", (4.5, 1.42), "map"),)
_LSTM_EQUATIONS = (
    Label(r"$c_t = f_t \circ c_{t-1} + i_t \circ g_t$", (6.05, 4.45), "add"),
    Label(r"$h_t = o_t \circ \tanh c_t$", (9.2, 2.9), "show"),
)
_LSTM_NOTES = (
    Label("keep", (2.15, 4.65), "keep"),
    Label("write", (4.5, 3.02), "write"),
    Label("show", (8.1, 3.02), "show"),
    Label("forget gate", (2.62, 2.65), "f sigmoid"),
    Label("input gate", (4.4, 2.65), "i sigmoid"),
    Label("candidate", (6.2, 2.65), "g tanh"),
    Label("output gate", (7.97, 2.65), "o sigmoid"),
    Label("to step $t+1$", (9.35, 5.35), "add"),
    Label("to $y_t$", (9.5, 4.15), "h"),
    Label(
        "(B, 4H): a block of H columns for each gate,\n"
        "in the array in the order $i$, $f$, $o$, $g$",
        (4.5, 0.85),
        "map",
    ),
)
_LSTM_GRADIENTS = (
    Label("no matrix on this path", (3.15, 5.45), "add"),
    Label(
        r"$dc_t = dc_t^{\mathrm{next}} + dh_t \circ o_t \circ (1 - \tanh^2 c_t)$", (7.8, 5.5), "c"
    ),
    Label(r"$dc_{t-1}^{\mathrm{next}} = dc_t \circ f_t$", (0.85, 4.45), "c before"),
    Label(r"$df_t = dc_t \circ c_{t-1}$", (2.55, 4.3), "f"),
    Label(r"$di_t = dc_t \circ g_t$", (3.6, 3.8), "i"),
    Label(r"$dg_t = dc_t \circ i_t$", (5.4, 3.8), "g"),
    Label(r"$do_t = dh_t \circ \tanh c_t$", (7.0, 3.8), "o"),
    Label(r"$dh_t = dh_t^{\mathrm{out}} + dh_t^{\mathrm{next}}$", (9.0, 2.9), "h"),
    Label(r"$dh_{t-1}^{\mathrm{next}}$" + "\n" + r"$= da_t\,W_h^\top$", (0.65, 2.2), "h before"),
    Label(r"$dx_t = da_t\,W_x^\top$", (0.68, 0.2), "x"),
    Label(
        r"$dW_x = x_t^\top da_t \qquad dW_h = h_{t-1}^\top\,da_t \qquad db = \sum_B da_t$",
        (4.5, 1.0),
        "map",
    ),
    Label("$da_t$: the blocks $da_i$, $da_f$, $da_o$, $da_g$ side by side", (4.5, 0.55), "map"),
)
_LSTM_PREACTIVATION_GRADIENTS = (
    Label(r"$da_f = df_t \circ f_t\,(1 - f_t)$", (2.73, 2.2), "a_f"),
    Label(r"$da_i = di_t \circ i_t\,(1 - i_t)$", (4.5, 2.2), "a_i"),
    Label(r"$da_g = dg_t \circ (1 - g_t^2)$", (6.3, 2.2), "a_g"),
    Label(r"$da_o = do_t \circ o_t\,(1 - o_t)$", (8.1, 2.2), "a_o"),
)
_LSTM = Diagram(
    size=(10.1, 5.75),
    band=(((0.65, 5.0), (9.9, 5.0)), "add"),
    nodes=_LSTM_NODES,
    paths=_LSTM_PATHS,
    parts=_LSTM_PARTS,
    always=((_EQUATION, _LSTM_MAP),),
    forward=((_EQUATION, _LSTM_EQUATIONS), (_NOTE, _LSTM_NOTES)),
    backward=(
        (_GRADIENT, _LSTM_GRADIENTS),
        (_SMALL_GRADIENT, _LSTM_PREACTIVATION_GRADIENTS),
    ),
)


@in_house_style
def draw_lstm_unit(numbers: dict[str, tuple[float, float]], *, ax: Axes | None = None) -> Axes:
    """Return the Axes with one step of an LSTM of one unit, number by number.

    numbers: (value, gradient) of "c before", "h before" and "x", of "a_f" and "f" and those of the
    other gates, of "c" and "h". A gradient is in the colour of the dashed arrows.

    Raises: KeyError for a name that has no place in the picture.
    """
    width, height = _LSTM.size
    ax = canvas(ax, width, height)
    ax.set_ylim(-0.2, height)
    band(ax, _LSTM.band[0])
    nodes = {
        name: node._replace(words=node.words.split("\n")[0]) for name, node in _LSTM_NODES.items()
    }
    graph(ax, nodes, _LSTM_PATHS, backward=True)
    write(ax, (4.5, 0.7), "$a_t = x_t\\,U + h_{t-1}\\,V + b$", BLACK, 14)
    write(ax, (9.15, 0.75), "value", BLACK, 12)
    write(ax, (9.15, 0.47), "gradient", VERMILLION, 12)
    for name, (value, gradient) in numbers.items():
        x, y = _UNIT_PLACES[name]
        write(ax, (x, y + 0.125), f"{value:.3f}".replace("-", "−"), BLACK, 11)
        write(ax, (x, y - 0.125), f"{gradient:.3f}".replace("-", "−"), VERMILLION, 11)
    return ax


_UNIT_PLACES: dict[str, Point] = {
    **{name: (_LSTM_NODES[name].at[0], 1.4) for name in ("a_f", "a_i", "a_g", "a_o")},
    **{name: (_LSTM_NODES[name].at[0] + 0.6, 2.78) for name in "figo"},
    "c before": (0.65, 4.45),
    "h before": (0.65, 2.15),
    "x": (0.65, 0.1),
    "c": (8.9, 5.35),
    "h": (9.15, 2.85),
}


@in_house_style
def draw_gru(
    *,
    backward: bool = False,
    formulas: bool = True,
    lit: Sequence[str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Return the Axes with one step of the GRU, reset after the matrix.

    h = z * h_prev + (1 - z) * n is along the top. Below are z, the candidate n, and r, which
    multiplies s = h_prev W_hn + b_hn. The two products, a_x of x and a_h of h_prev, are separate,
    because those of the candidate have two gradients. backward: a dashed arrow
    against each arrow, and next to each array its gradient, as a formula; with formulas=False, the
    arrows alone. lit: the parts to draw in colour, of r, n, z and h; the others are light grey.

    Raises: ValueError for a part that the step does not have.
    """
    return _draw(_GRU, backward, formulas, lit, ax)


_GRU_STEP_NODES = {
    "h before": Node((0.65, 6.5), "$h_{t-1}$\n(B, H)", STATE, _ARRAY),
    "map": Node((4.2, 1.1), "", WEIGHT, (8.0, 1.5)),
    "x": Node((9.35, 1.1), "$x_t$\n(B, D)", INPUT, _ARRAY),
    "a_z": Node((2.1, 1.85), "$a_z$", size=_PLUG),
    "a_xn": Node((4.3, 1.85), "$a^x_n$", size=_PLUG),
    "s": Node((5.7, 1.85), "$s_t$", size=_PLUG),
    "a_r": Node((7.25, 1.85), "$a_r$", size=_PLUG),
    "z sigmoid": Node((2.1, 2.75), _SIGMOID),
    "r sigmoid": Node((7.25, 2.65), _SIGMOID),
    "r": Node((7.25, 3.45), "$r_t$", GATE, _SMALL),
    "reset": Node((5.7, 3.45), _TIMES),
    "sum": Node((4.3, 3.45), "+"),
    "tanh": Node((4.3, 4.15), "tanh"),
    "n": Node((4.3, 4.87), "$n_t$", STATE, _SMALL),
    "write": Node((4.3, 5.6), _TIMES),
    "z": Node((2.1, 5.6), "$z_t$", GATE, _SMALL),
    "keep": Node((2.1, 6.5), _TIMES),
    "add": Node((4.3, 6.5), "+"),
    "h": Node((8.4, 6.5), "$h_t$\n(B, H)", STATE, _ARRAY),
}
_GRU_STEP_PATHS = (
    ("h before", "keep", "add", "h", (9.95, 6.5)),
    ("h before", (0.65, 1.85)),
    ("x", (8.2, 1.1)),
    ("a_z", "z sigmoid", "z", "keep"),
    ("z", "write", "add"),
    ("a_xn", "sum", "tanh", "n", "write"),
    ("s", "reset", "sum"),
    ("a_r", "r sigmoid", "r", "reset"),
    ("h", (8.4, 7.2)),
)
_GRU_PARTS = {
    "r": ("x", "h before", "map", "a_r", "r sigmoid", "r", "s", "reset"),
    "n": ("x", "h before", "map", "a_xn", "s", "reset", "r", "sum", "tanh", "n"),
    "z": ("x", "h before", "map", "a_z", "z sigmoid", "z"),
    "h": ("h before", "keep", "z", "n", "write", "add", "h"),
}
_GRU_MAP = (
    Label("$a^x_t = x_t\\,W_x + b$", (2.6, 1.4), "map"),
    Label("$a^h_t = h_{t-1}\\,W_h$", (5.8, 1.4), "map"),
)
_GRU_EQUATIONS = (
    Label(r"$h_t = z_t \circ h_{t-1} + (1 - z_t) \circ n_t$", (6.55, 5.9), "add"),
    Label(r"$n_t = \tanh(a^x_n + r_t \circ s_t)$", (6.15, 4.87), "tanh"),
    Label("$1 - z_t$", (3.2, 5.84), "write"),
)
_GRU_NOTES = (
    Label("keep", (2.45, 6.15), "keep"),
    Label("write", (4.87, 5.6), "write"),
    Label("reset", (5.7, 3.87), "reset"),
    Label("update gate", (2.95, 2.75), "z sigmoid"),
    Label("reset gate", (8.05, 2.65), "r sigmoid"),
    Label("candidate", (5.1, 4.15), "tanh"),
    Label("to step $t+1$", (9.4, 6.85), "add"),
    Label("to $y_t$", (8.75, 7.1), "h"),
    Label("$a_r$ and $a_z$: the blocks of $a^x_t + a^h_t$", (4.2, 0.95), "map"),
    Label(r"$a^x_n$: a block of $a^x_t$;   $s_t = a^h_n + b_{hn}$", (4.2, 0.6), "map"),
)
_GRU_GRADIENTS = (
    Label("no matrix on this path", (6.1, 6.82), "add"),
    Label(
        r"$dh_{t-1}^{\mathrm{next}} = dh_t \circ z_t + da^h_t\,W_h^\top$", (1.65, 7.1), "h before"
    ),
    Label(r"$dh_t = dh_t^{\mathrm{out}} + dh_t^{\mathrm{next}}$", (8.4, 5.95), "h"),
    Label(r"$dz_t = dh_t \circ (h_{t-1} - n_t)$", (3.15, 5.24), "z"),
    Label(r"$dn_t = dh_t \circ (1 - z_t)$", (5.55, 4.87), "n"),
    Label(r"$dr_t = da_n \circ s_t$", (7.25, 3.88), "r"),
    Label(r"$dx_t = da^x_t\,W_x^\top$", (9.2, 0.6), "x"),
    Label(
        r"$dW_x = x_t^\top da^x_t \quad\; db = \sum_B da^x_t \quad\; "
        r"dW_h = h_{t-1}^\top\,da^h_t \quad\; db_{hn} = \sum_B ds_t$",
        (4.2, 0.98),
        "map",
    ),
    Label(
        "$da^x_t$: $da_r$, $da_z$, $da_n$ side by side;   $da^h_t$: $da_r$, $da_z$, $ds_t$",
        (4.2, 0.55),
        "map",
    ),
)
_GRU_PREACTIVATION_GRADIENTS = (
    Label(r"$da_n = dn_t \circ (1 - n_t^2)$", (5.5, 4.2), "tanh"),
    Label(r"$da_z = dz_t \circ z_t\,(1 - z_t)$", (3.1, 2.2), "a_z"),
    Label("$da_n$", (4.6, 2.2), "a_xn"),
    Label(r"$ds_t = da_n \circ r_t$", (6.4, 2.2), "s"),
    Label(r"$da_r = dr_t \circ r_t\,(1 - r_t)$", (8.25, 2.2), "a_r"),
)
_GRU = Diagram(
    size=(10.1, 7.4),
    band=(((0.65, 6.5), (9.9, 6.5)), "add"),
    nodes=_GRU_STEP_NODES,
    paths=_GRU_STEP_PATHS,
    parts=_GRU_PARTS,
    always=((_EQUATION, _GRU_MAP),),
    forward=((_EQUATION, _GRU_EQUATIONS), (_NOTE, _GRU_NOTES)),
    backward=((_GRADIENT, _GRU_GRADIENTS), (_SMALL_GRADIENT, _GRU_PREACTIVATION_GRADIENTS)),
)


@in_house_style
def draw_gru_forms(*, ax: Axes | None = None) -> Axes:
    """Return the Axes with one step of the GRU in its two forms.

    Left, the reset is before the matrix; right, after it. Both: h = z * h_prev + (1 - z) * n.
    Before: n = tanh(x W_xn + b_n + (r * h_prev) W_hn). After: n = tanh(x W_xn + b_n + r * (h_prev
    W_hn + b_hn)). The reset is green in both.
    """
    ax = canvas(ax, 9.9, 6.5)
    _draw_gru(ax, 0.0, _RESET_BEFORE)
    _draw_gru(ax, 5.0, _RESET_AFTER)
    ax.plot(
        [4.95, 4.95],
        [0.65, 6.3],
        color=GREY,
        linewidth=0.8,
        linestyle="-",
        marker="",
        label="_border",
    )
    write(ax, (2.45, 6.2), "reset before the matrix", size=13)
    write(ax, (7.45, 6.2), "reset after the matrix", size=13)
    write(
        ax, (2.45, 0.75), r"$n_t = \tanh(x_t\,W_{xn} + b_n + (r_t \circ h_{t-1})\,W_{hn})$", size=13
    )
    write(
        ax,
        (7.45, 0.75),
        r"$n_t = \tanh(x_t\,W_{xn} + b_n + r_t \circ (h_{t-1}\,W_{hn} + b_{hn}))$",
        size=13,
    )
    both = (
        r"both: $h_t = z_t \circ h_{t-1} + (1 - z_t) \circ n_t$, "
        r"with $r_t$ and $z_t$ sigmoids of $x_t$ and $h_{t-1}$"
    )
    write(ax, (4.95, 0.25), both, color=GREY)
    return ax


def _draw_gru(ax: Axes, left: float, form: tuple[dict[str, Node], tuple[Any, ...]]) -> None:
    """Draw one form of the GRU, its (nodes, paths), from `left` on."""
    nodes, paths = form
    nodes = {
        name: node._replace(at=(left + node.at[0], node.at[1]))
        for name, node in (_GRU_NODES | nodes).items()
    }
    band(ax, (nodes["h before"].at, nodes["h"].at))
    graph(ax, nodes, _GRU_PATHS + paths)
    write(ax, (left + 2.78, 4.72), "$1 - z_t$")


_GRU_NODES = {
    "h before": Node((0.7, 5.5), "$h_{t-1}$", STATE, _SMALL),
    "keep": Node((2.1, 5.5), _TIMES),
    "add": Node((3.4, 5.5), "+"),
    "h": Node((4.4, 5.5), "$h_t$", STATE, _SMALL),
    "z": Node((2.1, 4.55), "$z_t$", GATE, _SMALL),
    "write": Node((3.4, 4.55), _TIMES),
    "n": Node((3.4, 3.7), "$n_t$", STATE, _SMALL),
    "tanh": Node((3.4, 2.9), "tanh"),
    "sum": Node((3.4, 2.1), "+"),
    "b_n": Node((3.4, 1.3), "$b_n$", WEIGHT, _SMALL),
    "x product": Node((4.4, 2.1), "@"),
    "x": Node((4.4, 1.3), "$x_t$", INPUT, _SMALL),
    "W_xn": Node((4.4, 2.9), "$W_{xn}$", WEIGHT, _SMALL),
}
_GRU_PATHS = (
    ("h before", "keep", "add", "h"),
    ("z", "keep"),
    ("z", "write", "add"),
    ("x", "x product", "sum", "tanh", "n", "write"),
    ("W_xn", "x product"),
    ("b_n", "sum"),
)
_RESET_BEFORE = (
    {
        "r": Node((1.8, 3.7), "$r_t$", GATE, _SMALL),
        "reset": Node((0.7, 3.7), _TIMES, GATE),
        "W_hn": Node((0.7, 1.3), "$W_{hn}$", WEIGHT, _SMALL),
        "product": Node((0.7, 2.1), "@"),
    },
    (("h before", "reset", "product", "sum"), ("r", "reset"), ("W_hn", "product")),
)
_RESET_AFTER = (
    {
        "W_hn": Node((1.8, 3.7), "$W_{hn}$", WEIGHT, _SMALL),
        "product": Node((0.7, 3.7), "@"),
        "b_hn": Node((1.8, 2.9), "$b_{hn}$", WEIGHT, _SMALL),
        "bias": Node((0.7, 2.9), "+"),
        "r": Node((0.7, 1.3), "$r_t$", GATE, _SMALL),
        "reset": Node((0.7, 2.1), _TIMES, GATE),
    },
    (
        ("h before", "product", "bias", "reset", "sum"),
        ("W_hn", "product"),
        ("b_hn", "bias"),
        ("r", "reset"),
    ),
)
