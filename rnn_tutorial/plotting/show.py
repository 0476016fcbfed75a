"""Show a figure together with a description for readers who cannot see it."""

import sys

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

__all__ = [
    "in_jupyter",
    "show",
]


def show(picture, alt):
    """Return nothing; display the figure of `picture`, a Figure or an Axes, with `alt` as its alternative text.

    In Jupyter the text is stored with the image, where screen readers, nbconvert and the book's site find it. Elsewhere
    this is `plt.show()`. Errors: TypeError for another picture, ValueError for an empty alt.
    """
    if not isinstance(picture, Figure | Axes):
        raise TypeError(
            f"picture: expected a matplotlib Figure or Axes, got {type(picture).__name__}"
        )
    if not alt.strip():
        raise ValueError("alt: expected a description of the picture, got an empty text")
    figure = picture.get_figure() if isinstance(picture, Axes) else picture
    if not in_jupyter():
        plt.show()
        return
    from IPython.display import (
        display,
    )  # not a dependency of the package: only there inside Jupyter

    display(figure, metadata={"image/png": {"alt": " ".join(alt.split())}})
    plt.close(figure)


def in_jupyter():
    """Return whether this process is the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell is not None and hasattr(shell, "kernel")
