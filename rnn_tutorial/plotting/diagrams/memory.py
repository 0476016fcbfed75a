"""Diagram of memory: where the numbers of a gate are, in rows that hold all gates or in blocks."""

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from rnn_tutorial.plotting.diagrams.pen import (
    INPUT,
    OUTPUT,
    STATE,
    WEIGHT,
    arrow,
    canvas,
    write,
)
from rnn_tutorial.plotting.style import BLACK, GREY, in_house_style
from rnn_tutorial.validation import check_positive

__all__ = [
    "draw_memory",
]

_FILLS = INPUT, STATE, WEIGHT, OUTPUT
_PIECE, _HIGH = 0.56, 0.42  # of H numbers, inches
_LEFT = 0.25


@in_house_style
def draw_memory(B: int, gates: str = "ifog", gate: str = "f", *, ax: Axes | None = None) -> Axes:
    """Return the Axes with the memory of a step's gates as two lines: in rows, and in blocks.

    gates   a letter for each gate
    gate    the one whose pieces are filled; arrows lead from each to the next

    A piece is H numbers. In rows, (B, G*H), a row of the batch has all its gates: from a piece of a
    gate to its next is a step of G*H numbers. In blocks, (G, B, H), it is a step of H.

    Raises: ValueError unless B is a positive whole number and `gate` is one of at most four.
    """
    check_positive("B", B)
    if gate not in gates or len(gate) != 1 or len(gates) > len(_FILLS):
        raise ValueError(f"gate: expected one of at most four gates, {gates!r}, got {gate!r}")
    ax = canvas(ax, 2 * _LEFT + B * len(gates) * _PIECE, 3.3)
    lines = {
        f"rows, (B, {len(gates)}H)": (gates * B, f"from row to row: {len(gates)}H numbers"),
        f"blocks, ({len(gates)}, B, H)": (
            "".join(name * B for name in gates),
            "from row to row: H numbers",
        ),
    }
    for (title, (pieces, words)), bottom in zip(lines.items(), (1.95, 0.3)):
        write(ax, (_LEFT, bottom + 1.1), title, ha="left")
        write(
            ax, (_LEFT + B * len(gates) * _PIECE, bottom + 1.1), words,
            color=GREY, size=10, ha="right",
        )  # fmt: skip
        _draw_line(ax, bottom, pieces, gates, gate)
    return ax


def _draw_line(ax: Axes, bottom: float, pieces: str, gates: str, gate: str) -> None:
    """Draw the pieces of a line of memory, those of `gate` filled, with arrows between these."""
    for k, name in enumerate(pieces):
        fill = _FILLS[gates.index(name)] if name == gate else "none"
        ax.add_artist(
            Rectangle(
                (_LEFT + k * _PIECE, bottom), _PIECE, _HIGH,
                facecolor=fill, edgecolor=BLACK, linewidth=1.1,
            )
        )  # fmt: skip
        color = BLACK if name == gate else GREY
        write(ax, (_LEFT + (k + 0.5) * _PIECE, bottom + _HIGH / 2), f"${name}$", color=color)
    places = [_LEFT + (k + 0.5) * _PIECE for k, name in enumerate(pieces) if name == gate]
    for start, end in zip(places, places[1:]):
        bend = -0.55 if end - start < 2 * _PIECE else -0.22
        arrow(ax, (start, bottom + _HIGH), (end, bottom + _HIGH), bend=bend)
