"""The house style: colours for colour-blind eyes and grey prints, a light background, legible type.

Every picture function of this package applies the style to what it draws and leaves Matplotlib's
settings alone. `house_style` is for a chapter's own plots.

Source: the colours are those of Okabe & Ito 2008, "Color Universal Design".
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import matplotlib.pyplot as plt
import numpy as np
from cycler import Cycler, cycler
from matplotlib.axes import Axes
from matplotlib.legend import Legend
from matplotlib.ticker import MaxNLocator

__all__ = [
    "BLACK",
    "BLUE",
    "GREEN",
    "GREY",
    "LINES",
    "ORANGE",
    "PAPER",
    "PURPLE",
    "SKY",
    "VERMILLION",
    "YELLOW",
    "house_style",
    "in_house_style",
    "label_steps",
    "legend_outside",
    "new_axes",
    "visible_symbols",
]

BLACK, GREY = "#000000", "#6b6b6b"
BLUE, ORANGE, GREEN, VERMILLION = "#0072b2", "#e69f00", "#009e73", "#d55e00"
SKY, PURPLE, YELLOW = "#56b4e9", "#cc79a7", "#f0e442"
PAPER = "#fcfcfa"

# A line is known by its colour, its dashes and its marker; the last two survive a grey print.
LINES: Cycler[Any, Any] = (
    cycler(color=[BLUE, VERMILLION, GREEN, PURPLE, ORANGE, BLACK])
    + cycler(linestyle=["-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2))])
    + cycler(marker=["o", "s", "^", "D", "v", "x"])
)

_STYLE: dict[Any, Any] = {
    "figure.figsize": (7, 4),
    "figure.dpi": 110,
    "savefig.dpi": 110,
    "figure.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "axes.facecolor": PAPER,
    "figure.constrained_layout.use": True,
    "font.family": "DejaVu Sans",
    "font.size": 11,
    "axes.titlesize": 12,
    "axes.labelsize": 11,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
    "legend.fontsize": 10,
    "mathtext.fontset": "cm",
    "text.color": BLACK,
    "axes.labelcolor": BLACK,
    "axes.edgecolor": GREY,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dcdcd6",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "axes.prop_cycle": LINES,
    "lines.linewidth": 1.8,
    "lines.markersize": 4.5,
    "legend.frameon": False,
    "svg.hashsalt": "rnn_tutorial",
}


P = ParamSpec("P")
R = TypeVar("R")


def house_style() -> AbstractContextManager[None]:
    """Return a context manager: plots made inside its `with` block are in the house style.

    Example:
        with house_style():
            plt.plot(losses)
    """
    return plt.rc_context(_STYLE)


def in_house_style(draw: Callable[P, R]) -> Callable[P, R]:
    """Return the picture function `draw` with the house style applied while it runs."""

    @wraps(draw)
    def styled(*args: P.args, **kwargs: P.kwargs) -> R:
        with house_style():
            return draw(*args, **kwargs)

    return styled


def new_axes(ax: Axes | None = None, size: tuple[float, float] = (7, 4)) -> Axes:
    """Return `ax`; if it is None, the Axes of a new figure in the house style, `size` in inches."""
    if ax is not None:
        return ax
    with house_style():
        return plt.subplots(figsize=size)[1]


def legend_outside(ax: Axes) -> Legend:
    """Return the legend of `ax`, placed to the right of the data."""
    return ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1), borderaxespad=0, handlelength=3)


def visible_symbols(symbols: Sequence[str] | None, T: int) -> list[str] | None:
    """Return the T symbols as they are written below a picture, a space as ␣; None for None.

    Raises: ValueError unless there are T symbols.
    """
    if symbols is None:
        return None
    if len(symbols) != T:
        raise ValueError(f"symbols: expected T = {T} symbols, got {len(symbols)}")
    return [{" ": "␣", "\n": "↵"}.get(symbol, symbol) for symbol in symbols]


def label_steps(ax: Axes, symbols: Sequence[str] | None = None) -> None:
    """Write the steps from 1 on, or the symbols read at these steps, along the horizontal axis.

    symbols: as `visible_symbols` returns them.
    """
    ax.set_xlabel(r"step $t$")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    if symbols is not None:
        ax.set_xticks(np.arange(1, len(symbols) + 1), symbols, family="DejaVu Sans Mono")
        ax.set_xlabel(r"symbol read at step $t$")
