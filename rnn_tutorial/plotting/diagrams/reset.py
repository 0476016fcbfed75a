"""Picture of the reset gate of two units that hear each other: on the sender or on the receiver."""

from matplotlib.axes import Axes

from rnn_tutorial.plotting.diagrams.pen import STATE, Node, canvas, faint, graph, write
from rnn_tutorial.plotting.style import GREEN, in_house_style
from rnn_tutorial.types import Array

__all__ = ["draw_reset"]

_WIDE = 1.5, 0.6  # the size of a box
_ROWS = 1.55, 0.5  # the heights of unit 1 and unit 2


@in_house_style
def draw_reset(
    h: tuple[float, float] | Array, r: tuple[float, float] | Array, *, ax: Axes | None = None
) -> Axes:
    """Return the Axes with what two units of a GRU hear, reset before the matrix and after it.

    The matrix W_hn exchanges the two units. A reset of zero makes a unit silent (before) or deaf
    (after); what does not arrive is grey.

    h   the old states of the two units
    r   their resets

    Raises: ValueError unless there are two of each.

    Example:
        draw_reset(h=(0.5, 0.25), r=(1, 0))
    """
    for name, pair in {"h": h, "r": r}.items():
        if len(pair) != 2:
            raise ValueError(f"{name}: expected two numbers, one for each unit, got {len(pair)}")
    ax = canvas(ax, 9.7, 2.4)
    sender, receiver = _ROWS, _ROWS[::-1]
    write(ax, (2.4, 2.15), "before the matrix: r is the sender's", size=13)
    _draw_form(ax, 0.0, h, [Node((2.0, y), f"{k:g}", edge=GREEN) for y, k in zip(sender, r)])
    write(ax, (7.3, 2.15), "after the matrix: r is the receiver's", size=13)
    _draw_form(
        ax, 4.9, h, [Node((7.6, y), f"{k:g}", edge=GREEN) for y, k in zip(receiver, r[::-1])]
    )
    return ax


def _draw_form(ax: Axes, left: float, h: tuple[float, float] | Array, gates: list[Node]) -> None:
    """Draw one form from `left` on; gates: the reset on the path that begins at each unit."""
    for k, gate in enumerate(gates):
        value = h[k] * float(gate.words)
        sent = Node((left + 0.8, _ROWS[k]), f"$h_{k + 1}$ = {h[k]:g}", STATE, _WIDE)
        heard = f"$n_{2 - k}$ = " + (f"tanh {value:g}" if value else "0")
        got = Node((left + 3.9, _ROWS[1 - k]), heard, STATE, _WIDE)
        nodes = {"h": sent, "r": gate, "n": got if value else faint(got)}
        graph(ax, nodes, [("h", "r", "n")])
