"""Show a figure together with a description for readers who cannot see it."""

import sys

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure


def show(picture: Figure | Axes, alt: str) -> None:
    """None: displays the figure of ``picture`` with ``alt`` as its alternative text, as the last line of a cell does.

    In Jupyter the text is stored with the image, where screen readers, nbconvert and the book's site find it. Elsewhere
    this is ``plt.show()``.

    Raises ValueError if ``alt`` is empty and TypeError if ``picture`` is neither a Figure nor an Axes.
    """
    if not isinstance(picture, Figure | Axes):
        raise TypeError(f"picture must be a matplotlib Figure or Axes, got {type(picture).__name__}")
    if not alt.strip():
        raise ValueError("alt must describe the picture, got an empty text")
    figure = picture.get_figure() if isinstance(picture, Axes) else picture
    if not in_jupyter():
        plt.show()
        return
    from IPython.display import display  # not a dependency of the package: only there inside Jupyter

    display(figure, metadata={"image/png": {"alt": " ".join(alt.split())}})
    plt.close(figure)


def in_jupyter() -> bool:
    """Whether this process is the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell is not None and hasattr(shell, "kernel")
