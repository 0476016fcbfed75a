"""The kernel of LSTM. The gates are i, f, o, g and the slots da_i, da_f, da_o, da_g and dc_h.

dc_h is the part of dc that comes through h.
"""

from typing import Any, NamedTuple

import numpy as np

from rnn_tutorial.cells.kernels.kernel import Kernel, one
from rnn_tutorial.types import Array, DTypeLike

__all__ = [
    "LSTMKept",
    "LSTM_KERNEL",
    "lstm_backward",
    "lstm_forward",
    "lstm_slopes",
    "lstm_values",
    "lstm_work",
    "product_minus",
]


class LSTMKept(NamedTuple):
    """What the backward needs in addition to the states."""

    gates: Array  # (T, 4, B, H)
    tanh_c: Array  # (T, B, H)


def lstm_values(T: int, B: int, H: int, dtype: DTypeLike) -> LSTMKept:
    """Return LSTMKept, not yet filled."""
    return LSTMKept(np.empty((T, 4, B, H), dtype), np.empty((T, B, H), dtype))


def lstm_work(params: Any, B: int) -> Array:
    """Return 1 in the dtype of the parameters: all the work arrays that `lstm_forward` needs."""
    return one(params)


def lstm_forward(
    one: Array,
    a: Array,
    previous: tuple[Array, ...],
    state: tuple[Array, ...],
    values: tuple[Array, ...],
) -> None:
    """Fill in values and state: c = f * c_previous + i * g, h = o * tanh(c)."""
    gates, tanh_c = values
    h, c = state
    sigmoids = gates[:3]
    np.exp(a[:3], sigmoids)  # of -a
    sigmoids += one
    np.divide(one, sigmoids, sigmoids)
    np.tanh(a[3], gates[3])
    np.multiply(gates[1], previous[1], c)  # f * c_previous
    np.multiply(gates[0], gates[3], tanh_c)  # i * g; tanh_c is not yet in use
    c += tanh_c
    np.tanh(c, tanh_c)
    np.multiply(gates[2], tanh_c, h)


def lstm_slopes(values: LSTMKept, previous: Any, states: Any, out: Array) -> None:
    """Fill in the factors of dc in da_i, da_f and da_g, and of dh in da_o and dc.

    In each of them y * (1 - y) or 1 - y^2 is multiplied out.

    i:  g * i (1 - i) = w - w * i                            with w = i * g, what was written
    f:  c_previous * f (1 - f) = k - k * f                   with k = f * c_previous, what was kept
    g:  i * (1 - g^2) = i - w * g
    o:  tanh_c * o (1 - o) = h - h * o                       with h = o * tanh_c
    c:  o * (1 - tanh_c^2) = o - h * tanh_c
    """
    i, f, o, g = values.gates.swapaxes(0, 1)
    slope_i, slope_f, slope_o, slope_g, slope_c = out.swapaxes(0, 1)
    np.multiply(i, g, slope_c)  # w: slope_c is not yet in use
    product_minus(slope_c, i, slope_c, slope_i)
    product_minus(slope_c, g, i, slope_g)
    np.multiply(f, previous.c, slope_c)  # k
    product_minus(slope_c, f, slope_c, slope_f)
    np.multiply(o, values.tanh_c, slope_c)  # h
    product_minus(slope_c, o, slope_c, slope_o)
    slope_c *= values.tanh_c
    np.subtract(o, slope_c, slope_c)


def product_minus(a: Array, b: Array, whole: Array, out: Array) -> None:
    """Write whole - a * b to out."""
    np.multiply(a, b, out)
    np.subtract(whole, out, out)


def lstm_backward(slopes: Array, values: tuple[Array, ...], dstate: tuple[Array, ...]) -> None:
    """Write the gradients of the pre-activations over the slopes, and dc_previous over dstate.c.

    da_o = dh * slope_o and dc = dstate.c + dh * slope_c, then da_i, da_f and da_g are dc times
    their slopes, and dc_previous = dc * f.
    """
    dh, dc = dstate
    through_h = slopes[2::2]  # da_o and dc_h
    through_h *= dh
    dc += slopes[4]  # c is used twice: in h, and by the next step
    da_i_f, da_g = slopes[:2], slopes[3]
    da_i_f *= dc
    da_g *= dc
    dc *= values[0][1]


LSTM_KERNEL = Kernel(
    x=slice(0, 4), h=slice(0, 4), h_gates=(0, 1, 2, 3), sigmoids=slice(0, 3),
    values=lstm_values, work=lstm_work,
    forward=lstm_forward, slopes=lstm_slopes, backward=lstm_backward, slots=5,
)  # fmt: skip
"""c = f * c_previous + i * g, h = o * tanh(c)."""
