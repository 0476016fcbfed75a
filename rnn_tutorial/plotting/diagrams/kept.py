"""Diagram of truncation: which paths from a use of the weights to a loss are kept."""

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from rnn_tutorial.plotting.diagrams.pen import PLAIN, canvas, write
from rnn_tutorial.plotting.style import BLUE, GREY, in_house_style
from rnn_tutorial.sequence.truncation import kept_paths

__all__ = [
    "draw_kept_paths",
]

_CELL = 0.32  # inches
_MARGIN = 0.75


@in_house_style
def draw_kept_paths(
    T: int, schemes: Mapping[str, tuple[int, int]], *, ax: Axes | None = None
) -> Axes:
    """Return the Axes with a grid for each scheme: the pairs (s, k), shaded where they are kept.

    schemes   {title: (stride, window)}

    Column k has the loss of step k, row s the use of the weights at step s. A path leads from s to
    k if s <= k, so the grid is a triangle.

    Raises: ValueError unless T, stride and window are positive whole numbers, and for a window that
    is shorter than its stride.
    """
    side = max(_CELL * T, 1.4)
    width = side + _MARGIN + 0.25
    ax = canvas(ax, width * len(schemes) + 0.15, _CELL * T + 1.45)
    for place, (title, (stride, window)) in enumerate(schemes.items()):
        corner = (place * width + _MARGIN, 0.75)
        _draw_triangle(ax, corner, T, stride, window)
        top = corner[1] + _CELL * T
        write(ax, (corner[0] + _CELL * T / 2, top + 0.35), title)
        write(ax, (corner[0] + _CELL * T / 2, 0.2), "loss of step $k$", size=11)
        ax.text(
            corner[0] - 0.5,
            corner[1] + _CELL * T / 2,
            "use at step $s$",
            rotation=90,
            ha="center",
            va="center",
            fontsize=11,
        )
    return ax


def _draw_triangle(ax: Axes, corner: tuple[float, float], T: int, stride: int, window: int) -> None:
    """Draw the cells (s, k) with s <= k, step 1 at the top left, kept ones filled."""
    kept = kept_paths(T, stride=stride, window=window)
    for k in range(1, T + 1):
        left = corner[0] + _CELL * (k - 1)
        write(ax, (left + _CELL / 2, corner[1] - 0.2), f"{k}", size=10, color=GREY)
        row = corner[1] + _CELL * (T - k)
        write(ax, (corner[0] - 0.2, row + _CELL / 2), f"{k}", size=10, color=GREY)
        for s in range(1, k + 1):
            place = left, corner[1] + _CELL * (T - s)
            fill = BLUE if kept[s - 1, k - 1] else PLAIN
            ax.add_artist(
                Rectangle(place, _CELL, _CELL, facecolor=fill, edgecolor=GREY, linewidth=0.7)
            )
