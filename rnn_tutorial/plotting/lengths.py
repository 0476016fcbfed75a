"""Errors of several runs over the length of what they read."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from rnn_tutorial.plotting.bundle import lines
from rnn_tutorial.plotting.style import in_house_style, legend_outside, new_axes

__all__ = [
    "plot_by_length",
]


@in_house_style
def plot_by_length(
    runs: Mapping[str, Mapping[int, Sequence[float]]],
    *,
    quantity: str = "error",
    unit: str = "letters",
    ax: Axes | None = None,
) -> Axes:
    """Return the Axes with a quantity over a length: a line through the means, a point a run.

    runs: {label: {length: values of the runs}}

    Raises: ValueError for a label without lengths, or a length without values.

    Example:
        plot_by_length({"GRU": {3: [0.1, 0.2], 4: [0.2, 0.4]}})
    """
    for label, by_length in runs.items():
        if not by_length or not all(len(values) for values in by_length.values()):
            raise ValueError(f"runs[{label!r}]: expected values at each length, got {by_length}")
    ax = new_axes(ax)
    means = {
        label: [np.mean(by_length[n]) for n in sorted(by_length)]
        for label, by_length in runs.items()
    }
    for label, values, line in lines(means):
        lengths = sorted(runs[label])
        ax.plot(lengths, values, label=label, **line)
        for n in lengths:
            points = runs[label][n]
            ax.plot(
                [n] * len(points),
                points,
                color=line["color"],
                linestyle="",
                marker=".",
                markersize=5,
                alpha=0.5,
                label="_run",
            )
    ax.set(xlabel=f"length ({unit})", ylabel=quantity)
    ax.set_ylim(bottom=0)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    legend_outside(ax)
    return ax
