"""The house style: a palette for colour-blind eyes and grey prints, a light ground for dark themes, legible type.

Every picture function of this package applies the style to what it draws and leaves Matplotlib's settings alone.
`use_house_style` is for a chapter's own plots.
"""

from functools import wraps

import matplotlib.pyplot as plt
import numpy as np
from cycler import cycler
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
    "use_house_style",
    "visible_symbols",
]

# Okabe & Ito 2008, "Color Universal Design"
BLACK, GREY = "#000000", "#6b6b6b"
BLUE, ORANGE, GREEN, VERMILLION = "#0072b2", "#e69f00", "#009e73", "#d55e00"
SKY, PURPLE, YELLOW = "#56b4e9", "#cc79a7", "#f0e442"
PAPER = "#fcfcfa"

# A line is known by its colour, by its dashes and by its marker: two of the three survive a grey print.
LINES = (
    cycler(color=[BLUE, VERMILLION, GREEN, PURPLE, ORANGE, BLACK])
    + cycler(linestyle=["-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2))])
    + cycler(marker=["o", "s", "^", "D", "v", "x"])
)

_STYLE = {
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


def use_house_style():
    """Return nothing; from here on, every plot of this session is in the house style."""
    plt.rcParams.update(_STYLE)


def house_style():
    """Return a context manager: plots made inside its `with` block are in the house style."""
    return plt.rc_context(_STYLE)


def in_house_style(draw):
    """Return the picture function `draw` with the house style applied while it runs."""

    @wraps(draw)
    def styled(*args, **kwargs):
        with house_style():
            return draw(*args, **kwargs)

    return styled


def new_axes(ax=None, size=(7, 4)):
    """Return `ax`, or the Axes of a new figure in the house style, `size` in inches, if `ax` is None."""
    if ax is not None:
        return ax
    with house_style():
        return plt.subplots(figsize=size)[1]


def legend_outside(ax):
    """Return the legend of `ax`, placed to the right of the data."""
    return ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1), borderaxespad=0, handlelength=3)


def visible_symbols(symbols, T):
    """Return the T symbols as they are written below a picture, a space as ␣; None for None. Refuse another number of them."""
    if symbols is None:
        return None
    if len(symbols) != T:
        raise ValueError(f"symbols: expected T = {T} symbols, got {len(symbols)}")
    return [{" ": "␣", "\n": "↵"}.get(symbol, symbol) for symbol in symbols]


def label_steps(ax, symbols=None):
    """Return nothing; make the horizontal axis that of the steps from 1 on, with `visible_symbols` in the place of numbers."""
    ax.set_xlabel(r"step $t$")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    if symbols is not None:
        ax.set_xticks(np.arange(1, len(symbols) + 1), symbols, family="DejaVu Sans Mono")
        ax.set_xlabel(r"symbol read at step $t$")
