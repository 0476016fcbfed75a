"""Where attention looks: a weight for each symbol written and each symbol read."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from rnn_tutorial.plotting.style import PAPER, in_house_style, new_axes
from rnn_tutorial.types import Array
from rnn_tutorial.validation import check_array

__all__ = [
    "plot_alignment",
]


@in_house_style
def plot_alignment(
    weights: Array, read: Sequence[str], written: Sequence[str], *, ax: Axes | None = None
) -> Axes:
    """Return the Axes with a row for each symbol written and a column for each symbol read.

    The darker a square, the larger the weight: white is 0 and dark blue is 1. The largest weight of
    each row has a ring. Rows run from top to bottom, as they are written.

    Shapes: weights (T, S), T symbols written, S symbols read.

    Raises: TypeError or ValueError for weights of another shape, or outside 0 to 1.

    Example:
        plot_alignment(cache.readout.weights[:, 0], "phone", ("F", "OW", "N", "end"))
    """
    check_array("weights", weights, T=len(written), S=len(read))
    if not ((weights >= 0) & (weights <= 1 + 1e-9)).all():
        raise ValueError(
            f"weights: expected 0 to 1, got {weights.min():.3g} to {weights.max():.3g}"
        )
    T, S = weights.shape
    ax = new_axes(ax, size=(1.2 + 0.42 * S, 0.9 + 0.42 * T))
    ax.pcolormesh(weights, cmap="Blues", vmin=0, vmax=1, edgecolors=PAPER, linewidth=1.0)
    largest = weights.argmax(axis=1)
    dark = weights.max(axis=1) > 0.6
    for t, s in enumerate(largest):
        color = PAPER if dark[t] else "#08306b"
        ring: dict[str, Any] = {"marker": "o", "markersize": 6, "markerfacecolor": "none"}
        ax.plot(s + 0.5, t + 0.5, color=color, label="_largest", linestyle="", **ring)
    ax.set_xticks(np.arange(S) + 0.5, read, family="DejaVu Sans Mono")
    ax.set_yticks(np.arange(T) + 0.5, written, family="DejaVu Sans Mono")
    ax.set(ylim=(T, 0), aspect="equal")
    ax.tick_params(length=0, labeltop=True, labelbottom=False)
    ax.grid(False)
    return ax
