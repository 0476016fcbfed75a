"""Picture of how the gates of one matrix lie in memory: side by side, one below the other, or each for itself."""

from matplotlib.patches import Rectangle

from rnn_tutorial.plotting.diagrams.pen import INPUT, OUTPUT, STATE, WEIGHT, canvas, write
from rnn_tutorial.plotting.style import BLACK, GREY, in_house_style

__all__ = [
    "FORMS",
    "draw_layouts",
]

_FILLS = INPUT, STATE, WEIGHT, OUTPUT
_H, _D, _APART = (
    0.52,
    0.42,
    0.14,
)  # inches: the sides of a block, and the space between two matrices
FORMS = "columns", "rows", "apart"


@in_house_style
def draw_layouts(layouts, *, ax=None):
    """Return the Axes with the matrix W_x of each layout, its blocks named, and coloured by gate.

    layouts     {name: (order, form)}: the gates in their order, such as "ifog", and how they lie: "columns" for (D, G*H), side by
                side, "rows" for (G*H, D), one below the other, "apart" for G matrices (D, H)

    Errors: ValueError for other gates than those of the first layout, and for another form.
    """
    _check(layouts)
    gates = sorted(next(iter(layouts.values()))[0])
    fills = dict(zip(gates, _FILLS))
    lying = {name: layout for name, layout in layouts.items() if layout[1] != "rows"}
    standing = {name: layout for name, layout in layouts.items() if layout[1] == "rows"}
    left, width = 0.45, len(gates) * (_H + _APART)
    height = max(1.05 * len(lying), 0.95 + len(gates) * _H)
    ax = canvas(ax, left + bool(lying) * (width + 0.6) + 1.15 * len(standing), height)
    for row, (name, (order, form)) in enumerate(lying.items()):
        _draw(ax, (left, height - 1.05 * row), name, order, form, fills)
    left += bool(lying) * (width + 0.75)
    for column, (name, (order, form)) in enumerate(standing.items()):
        _draw(ax, (left + 1.15 * column, height), name, order, form, fills)
    return ax


def _check(layouts):
    """Return nothing, or refuse what cannot be drawn."""
    first = next(iter(layouts.values()))[0]
    for name, (order, form) in layouts.items():
        if sorted(order) != sorted(first):
            raise ValueError(f"{name}: expected the gates {first} in some order, got {order}")
        if form not in FORMS:
            raise ValueError(f"{name}: expected one of {', '.join(FORMS)}, got {form}")


def _draw(ax, corner, name, order, form, fills):
    """Draw one layout, its name above it and its sizes beside it, with the upper left corner of all this at `corner`."""
    left, top, G = corner[0], corner[1] - 0.42, len(order)
    gap = _APART if form == "apart" else 0.0
    step, block = ((0.0, -_H), (_D, _H)) if form == "rows" else ((_H + gap, 0.0), (_H, _D))
    for k, gate in enumerate(order):
        place = (left + k * step[0], top - block[1] + k * step[1])
        ax.add_patch(
            Rectangle(place, *block, facecolor=fills[gate], edgecolor=BLACK, linewidth=1.1)
        )
        write(ax, (place[0] + block[0] / 2, place[1] + block[1] / 2), f"${gate}$", size=14)
    wide, high = block[0] + (G - 1) * step[0], block[1] - (G - 1) * step[1]
    down, across = {"columns": ("D", f"{G}H"), "rows": (f"{G}H", "D"), "apart": ("D", "H each")}[
        form
    ]
    write(ax, (left, top + 0.19), name, ha="left")
    write(ax, (left - 0.22, top - high / 2), down, color=GREY, size=10)
    write(ax, (left + wide / 2, top - high - 0.14), across, color=GREY, size=10)
