"""Pictures that several tests look at, each drawn once. Not a test file."""

import functools
from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg


@functools.cache
def drawn(draw: Callable[..., Axes], **options: Any) -> Axes:
    """Return the Axes that `draw(**options)` gives, for tests that only look at it.

    Its figure is closed, and has a canvas on which its words can be measured.
    """
    ax = draw(**options)
    plt.close(ax.figure)
    FigureCanvasAgg(ax.figure)
    return ax
