"""The kernel of Elman. Its one slot is da, and its backward needs the states alone."""

from typing import NamedTuple

import numpy as np

from rnn_tutorial.cells.kernels.kernel import Kernel

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
    """What the backward needs besides the states: no arrays."""


def elman_values(T, B, H, dtype):
    """Return ElmanValues."""
    return ElmanValues()


def elman_work(params, B):
    """Return None: the forward needs no work arrays."""


def elman_forward(work, a_x, a_h, previous, state, values):
    """h = tanh(a_x + a_h)."""
    a_x += a_h
    np.tanh(a_x[0], state[0])


def elman_slopes(values, previous, states, out):
    """The factor of dh: 1 - h^2."""
    slope = out[:, 0]
    np.multiply(states.h, states.h, slope)
    np.subtract(1, slope, slope)


def elman_backward(slopes, values, dstate):
    """da = dh * (1 - h^2)."""
    slopes *= dstate[0]


ELMAN_KERNEL = Kernel(
    gates=1, sigmoids=0, values=elman_values, work=elman_work,
    forward=elman_forward, slopes=elman_slopes, backward=elman_backward,
    slots=1, x=slice(0, 1), h=slice(0, 1), h_gates=(0,),
)  # fmt: skip
"""h = tanh(a)."""
