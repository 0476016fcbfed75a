"""A text coloured by a value at each of its symbols, such as the state of one hidden unit."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from rnn_tutorial.plotting.style import BLACK, in_house_style, new_axes, visible_symbols
from rnn_tutorial.types import Array

__all__ = [
    "plot_text",
]


@in_house_style
def plot_text(
    symbols: Sequence[str],
    values: Array,
    *,
    width: int = 72,
    label: str = "value of the unit",
    ax: Axes | None = None,
) -> Axes:
    """Return the Axes with a text, each symbol on a colour that shows its value.

    A row ends after a newline, or after `width` symbols. The colours are symmetric about 0 and span
    [-1, 1], or more where a value is larger.

    Shapes: T symbols of one character, values (T,).

    Raises: ValueError unless there are as many values as symbols, at least one, or for a width
    below 1.

    Source: Karpathy, Johnson and Fei-Fei (2015), "Visualizing and understanding recurrent
    networks".

    Example:
        plot_text(text, hs[:, 0, 7])
    """
    values = np.asarray(values, dtype=float)
    if values.ndim != 1 or len(values) != len(symbols) or not len(symbols):
        raise ValueError(
            f"values: expected one for each of the {len(symbols)} symbols, got {values.shape}"
        )
    if width < 1:
        raise ValueError(f"width: expected at least 1, got {width}")
    places = _places(symbols, width)
    rows = places[-1][0] + 1
    cells = np.full((rows, width), np.nan)
    cells[tuple(np.transpose(places))] = values
    ax = new_axes(ax, size=(9.5, 0.6 + 0.3 * rows))
    limit = max(1.0, float(np.abs(values).max()))
    image = ax.pcolormesh(
        np.arange(width + 1) - 0.5,
        np.arange(rows + 1) - 0.5,
        cells,
        cmap="PuOr",
        vmin=-limit,
        vmax=limit,
        alpha=0.5,
    )
    ax.figure.colorbar(image, ax=ax, label=label, pad=0.02, ticks=[-limit, 0, limit])
    written = visible_symbols(symbols, len(symbols)) or []
    for (row, column), symbol in zip(places, written, strict=True):
        ax.text(
            column, row, symbol, color=BLACK, family="DejaVu Sans Mono", ha="center", va="center"
        )
    ax.invert_yaxis()
    ax.set_axis_off()
    return ax


def _places(symbols: Sequence[str], width: int) -> list[tuple[int, int]]:
    """Return (row, column) of each symbol."""
    places, row, column = [], 0, 0
    for symbol in symbols:
        places.append((row, column))
        column += 1
        if symbol == "\n" or column == width:
            row, column = row + 1, 0
    return places
