"""The kernel of Elman. Its one slot is da, and its backward needs only the states."""

from typing import Any, NamedTuple

import numpy as np

from rnn_tutorial.cells.kernels.kernel import Kernel
from rnn_tutorial.types import Array, DTypeLike

__all__ = [
    "ELMAN_KERNEL",
    "ElmanValues",
    "elman_backward",
    "elman_forward",
    "elman_slopes",
    "elman_values",
    "elman_work",
]


class ElmanValues(NamedTuple):
    """What the backward needs in addition to the states: no arrays."""


def elman_values(T: int, B: int, H: int, dtype: DTypeLike) -> ElmanValues:
    """Return ElmanValues."""
    return ElmanValues()


def elman_work(params: Any, B: int) -> None:
    """Return None: the forward needs no work arrays."""


def elman_forward(
    work: None,
    a: Array,
    previous: tuple[Array, ...],
    state: tuple[Array, ...],
    values: tuple[Array, ...],
) -> None:
    """Fill in the state: h = tanh(a)."""
    np.tanh(a[0], state[0])


def elman_slopes(values: ElmanValues, previous: Any, states: Any, out: Array) -> None:
    """Fill in the factor of dh: 1 - h^2."""
    slope = out[:, 0]
    np.multiply(states.h, states.h, slope)
    np.subtract(1, slope, slope)


def elman_backward(slopes: Array, values: tuple[Array, ...], dstate: tuple[Array, ...]) -> None:
    """Write da = dh * (1 - h^2) over the slopes."""
    slopes *= dstate[0]


ELMAN_KERNEL = Kernel(
    x=slice(0, 1), h=slice(0, 1), h_gates=(0,), sigmoids=slice(0),
    values=elman_values, work=elman_work,
    forward=elman_forward, slopes=elman_slopes, backward=elman_backward, slots=1,
)  # fmt: skip
"""h = tanh(a)."""
