"""The types that the package shares: arrays, trees of arrays, and the functions that are passed around."""

from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Array", "Initializer", "Loss", "Mask", "Rate", "Rng", "Schedule", "Tree"]

Array: TypeAlias = NDArray[Any]
"""A NumPy array; its shape stands in the docstring."""

Mask: TypeAlias = NDArray[np.bool_]
"""A boolean array (T, B): True on real steps, False on padding."""

Rng: TypeAlias = np.random.Generator
"""A random generator, such as np.random.default_rng(0)."""

Tree: TypeAlias = Any
"""Arrays in NamedTuples, tuples, lists or dicts, however deep: parameters, states, gradients."""


class Initializer(Protocol):
    """Draws initial weights: (rng, shape) -> array of that shape."""

    def __call__(self, rng: Rng, shape: tuple[int, ...], /) -> Array: ...


class Schedule(Protocol):
    """A learning rate for each step, 0 at first."""

    def __call__(self, step: int, /) -> float: ...


Rate: TypeAlias = float | Schedule
"""A learning rate: a number, or a schedule."""


class Loss(Protocol):
    """The number that training lowers, and its gradient: (ys, targets, mask) -> (value, dys)."""

    def __call__(
        self, ys: Array, targets: Array, *, mask: Array | None = None
    ) -> tuple[Any, Array]: ...
