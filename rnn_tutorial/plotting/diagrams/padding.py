"""Picture of sequences of different lengths that share an array."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.ticker import MaxNLocator

from rnn_tutorial.plotting.style import PAPER, in_house_style, new_axes, visible_symbols
from rnn_tutorial.types import Mask
from rnn_tutorial.validation import check_mask

__all__ = [
    "plot_padding",
]

_REAL, _PADDING = "#9ccbe6", "#ebebe6"  # far enough apart for a grey print


@in_house_style
def plot_padding(
    mask: Mask, *, symbols: Sequence[str] | None = None, ax: Axes | None = None
) -> Axes:
    """Return the Axes with a padded batch: a row for each sequence, a column for each step.

    mask      as `pad` and `lengths_to_mask` return it; real steps are blue, padding is grey
    symbols   B texts, written into the real steps of their sequences

    Time runs to the right in the picture, and down the first axis of the array.

    Shapes: mask (T, B).

    Raises: TypeError or ValueError for anything that is not a mask; ValueError unless there are B
    texts, and for a text that has not as many symbols as its sequence has real steps.
    """
    check_mask(mask, None, None)
    T, B = mask.shape
    if symbols is not None and len(symbols) != B:
        raise ValueError(f"symbols: expected {B} texts, one for each sequence, got {len(symbols)}")
    ax = new_axes(ax, size=(min(1.2 + 0.42 * T, 9), min(1.0 + 0.42 * B, 4.5)))
    colours = np.where(mask.T[..., None], to_rgb(_REAL), to_rgb(_PADDING))
    edges = np.arange(T + 1) + 0.5, np.arange(B + 1) + 0.5
    ax.pcolormesh(*edges, colours, edgecolors=PAPER, linewidth=1.0 if T <= 40 else 0.0)
    for b, text in enumerate(symbols or []):
        steps = np.flatnonzero(mask[:, b]) + 1
        for t, symbol in zip(steps, visible_symbols(text, len(steps)) or (), strict=True):
            ax.text(float(t), b + 1, symbol, ha="center", va="center", family="DejaVu Sans Mono")
    ax.set(xlabel=r"step $t$", ylabel="sequence", ylim=(B + 0.5, 0.5))
    ax.grid(False)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    return ax
