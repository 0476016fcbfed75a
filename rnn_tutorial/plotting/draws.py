"""Picture of random draws: which units are kept, at which steps."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap

from rnn_tutorial.plotting.bundle import Curves, check_bundle
from rnn_tutorial.plotting.style import BLUE, GREY, in_house_style, label_steps, new_axes
from rnn_tutorial.types import Array

__all__ = [
    "plot_draws",
]

_GAP = 1.2  # between one block and the next, in rows


@in_house_style
def plot_draws(draws: Curves, *, ax: Axes | None = None) -> Axes:
    """Return the Axes with a block for each kind of noise: a row for a unit, a column for a step.

    draws      {label: factors}, white where a factor is 0 and dark where it is not

    Shapes: each of the factors (T, H).

    Raises: TypeError unless the draws are a dict; ValueError for none, and for different shapes.
    """
    named = _check_draws(draws)
    T, H = next(iter(named.values())).shape
    ax = new_axes(ax, size=(7.5, 0.9 + 0.16 * (H + _GAP) * len(named)))
    tops = [k * (H + _GAP) for k in range(len(named))]
    for top, factors in zip(tops, named.values(), strict=True):
        ax.pcolormesh(
            np.arange(T + 1) + 0.5,
            top + np.arange(H + 1),
            (factors.T != 0).astype(float),
            cmap=ListedColormap(["white", BLUE]),
            vmin=0,
            vmax=1,
            edgecolors=GREY,
            linewidth=0.3,
        )
    ax.set_yticks([top + H / 2 for top in tops], list(named), fontsize=12)
    ax.set(ylim=(tops[-1] + H, 0))
    ax.tick_params(axis="y", length=0)
    ax.spines[:].set_visible(False)
    ax.grid(False)
    label_steps(ax)
    return ax


def _check_draws(draws: Curves) -> dict[str, Array]:
    """Return {label: (T, H) array}.

    Raises: TypeError or ValueError for what `plot_draws` does not draw.
    """
    check_bundle(draws)
    if not draws:
        raise ValueError("draws: expected at least one entry, got none")
    named = {label: np.asarray(factors, dtype=float) for label, factors in draws.items()}
    shape = next(iter(named.values())).shape
    for label, factors in named.items():
        if factors.ndim != 2 or factors.size == 0:
            raise ValueError(f"{label}: expected factors of shape (T, H), got {factors.shape}")
        if factors.shape != shape:
            raise ValueError(
                f"{label}: expected shape {shape}, that of the first, got {factors.shape}"
            )
    return named
