"""The types that the package shares: arrays, trees of arrays, and functions that are passed on.

They say what a function takes and returns. Nothing is checked against them while a program runs.
"""

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import ArrayLike as ArrayLike
    from numpy.typing import DTypeLike as DTypeLike
else:  # these two modules of NumPy take longer to import than this package
    ArrayLike = DTypeLike = Generator = Any

__all__ = [
    "Array",
    "ArrayLike",
    "CellInit",
    "CellShapes",
    "DTypeLike",
    "Initializer",
    "Loss",
    "Mask",
    "Pointwise",
    "PointwiseBackward",
    "Rate",
    "Rng",
    "Schedule",
    "Tree",
]

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
"""A NumPy array; the docstring gives its shape."""

Mask: TypeAlias = np.ndarray[Any, np.dtype[np.bool_]]
"""A boolean array (T, B): True on real steps, False on padding."""

Rng: TypeAlias = Generator
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
        self, ys: Array, targets: Array, /, *, mask: Mask | None = None
    ) -> tuple[Any, Array]: ...


class CellInit(Protocol):
    """Draws the parameters of a cell: (rng, input_size, hidden_size) -> params."""

    def __call__(self, rng: Rng, input_size: int, hidden_size: int, /) -> Tree: ...


class CellShapes(Protocol):
    """Gives the shapes of a cell's parameters: (input_size, hidden_size) -> a Params of shapes."""

    def __call__(self, input_size: int, hidden_size: int, /) -> Any: ...


class Pointwise(Protocol):
    """The elementwise part of a step: (params, a_x, a_h, state) -> (new state, cache)."""

    def __call__(self, params: Tree, a_x: Array, a_h: Array, state: Tree, /) -> tuple[Any, Any]: ...


class PointwiseBackward(Protocol):
    """Its gradients: (params, cache, dstate) -> (dextra, da_x, da_h, dprevious)."""

    def __call__(
        self, params: Tree, cache: Any, dstate: Tree, /
    ) -> tuple[dict[str, Array], Array, Array, Any]: ...
