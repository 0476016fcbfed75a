"""Picture of how a matrix's gates are laid out: side by side, one below the other, or separate."""

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from rnn_tutorial.plotting.diagrams.pen import INPUT, OUTPUT, STATE, WEIGHT, Point, canvas, write
from rnn_tutorial.plotting.style import BLACK, GREY, in_house_style

__all__ = [
    "draw_layouts",
]

_FILLS = INPUT, STATE, WEIGHT, OUTPUT
_H, _D = 0.52, 0.42  # the sides of a block, inches
_APART = 0.14  # the space between two matrices, inches
FORMS = "columns", "rows", "apart"


@in_house_style
def draw_layouts(layouts: dict[str, tuple[str, str]], *, ax: Axes | None = None) -> Axes:
    """Return the Axes with the matrix W_x of each layout, its blocks named, and coloured by gate.

    layouts: {name: (order, form)}. The order is that of the gates, such as "ifog". The form is one
    of

    "columns"   (D, G*H), the gates side by side
    "rows"      (G*H, D), one below the other
    "apart"     G matrices (D, H)

    Raises: ValueError for gates other than those of the first layout, and for another form.

    Example:
        draw_layouts({"ours": ("ifog", "columns"), "PyTorch": ("ifgo", "rows")})
    """
    _check(layouts)
    gates = sorted(next(iter(layouts.values()))[0])
    fills = dict(zip(gates, _FILLS))
    flat = {name: layout for name, layout in layouts.items() if layout[1] != "rows"}
    upright = {name: layout for name, layout in layouts.items() if layout[1] == "rows"}
    left, width = 0.45, len(gates) * (_H + _APART)
    height = max(1.05 * len(flat), 0.95 + len(gates) * _H)
    ax = canvas(ax, left + bool(flat) * (width + 0.6) + 1.15 * len(upright), height)
    for row, (name, (order, form)) in enumerate(flat.items()):
        _draw(ax, (left, height - 1.05 * row), name, order, form, fills)
    left += bool(flat) * (width + 0.75)
    for column, (name, (order, form)) in enumerate(upright.items()):
        _draw(ax, (left + 1.15 * column, height), name, order, form, fills)
    return ax


def _check(layouts: dict[str, tuple[str, str]]) -> None:
    """Raise ValueError for gates other than those of the first layout, and for another form."""
    first = next(iter(layouts.values()))[0]
    for name, (order, form) in layouts.items():
        if sorted(order) != sorted(first):
            raise ValueError(f"{name}: expected the gates {first} in some order, got {order}")
        if form not in FORMS:
            raise ValueError(f"{name}: expected one of {', '.join(FORMS)}, got {form}")


def _draw(ax: Axes, corner: Point, name: str, order: str, form: str, fills: dict[str, str]) -> None:
    """Draw one layout, its name above and its sizes next to it, from the upper left `corner` on."""
    left, top, G = corner[0], corner[1] - 0.42, len(order)
    gap = _APART if form == "apart" else 0.0
    step, block = ((0.0, -_H), (_D, _H)) if form == "rows" else ((_H + gap, 0.0), (_H, _D))
    for k, gate in enumerate(order):
        place = (left + k * step[0], top - block[1] + k * step[1])
        ax.add_artist(
            Rectangle(place, *block, facecolor=fills[gate], edgecolor=BLACK, linewidth=1.1)
        )
        write(ax, (place[0] + block[0] / 2, place[1] + block[1] / 2), f"${gate}$", size=14)
    wide, high = block[0] + (G - 1) * step[0], block[1] - (G - 1) * step[1]
    sizes = {"columns": ("D", f"{G}H"), "rows": (f"{G}H", "D"), "apart": ("D", "H each")}
    rows, columns = sizes[form]
    write(ax, (left, top + 0.19), name, ha="left")
    write(ax, (left - 0.22, top - high / 2), rows, color=GREY, size=10)
    write(ax, (left + wide / 2, top - high - 0.14), columns, color=GREY, size=10)
