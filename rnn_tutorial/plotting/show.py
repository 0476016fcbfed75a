"""Show a figure together with a description for readers who cannot see it."""

import sys
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

__all__ = [
    "show",
]


def show(picture: Figure | Axes, alt: str) -> None:
    """Show the figure of `picture` with `alt` as its alternative text.

    In Jupyter the text is stored with the image, where screen readers, nbconvert and the book's
    site find it. Elsewhere this is `plt.show()`.

    Raises: TypeError unless the picture is a Figure or an Axes; ValueError for an empty alt.

    Example:
        show(plot_learning_curve({"LSTM": losses}), "The loss falls from 3.2 to 1.9.")
    """
    if not isinstance(picture, Figure | Axes):
        raise TypeError(
            f"picture: expected a matplotlib Figure or Axes, got {type(picture).__name__}"
        )
    if not alt.strip():
        raise ValueError("alt: expected a description of the picture, got an empty text")
    figure: Any = picture.get_figure() if isinstance(picture, Axes) else picture
    if not in_jupyter():
        plt.show()
        return
    # Only Jupyter has IPython: it is not a dependency of the package.
    from IPython.display import display

    display(figure, metadata={"image/png": {"alt": " ".join(alt.split())}})
    plt.close(figure)


def in_jupyter() -> bool:
    """Return True if this process is the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell is not None and hasattr(shell, "kernel")
