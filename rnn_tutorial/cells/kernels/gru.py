"""The kernel of GRU, reset after. The gates are r, z, n and the blocks s, a_r, a_z, a_n.

The first three blocks read h and the last three x: s = h_previous @ W_hn + b_hn, and a_n is what
the new value gets from x. The slots are their gradients.
"""

from typing import Any, NamedTuple

import numpy as np

from rnn_tutorial.cells.kernels.kernel import Kernel, one
from rnn_tutorial.types import Array, DTypeLike

__all__ = [
    "GRUKept",
    "GRU_KERNEL",
    "gru_backward",
    "gru_forward",
    "gru_slopes",
    "gru_values",
    "gru_work",
]


class GRUKept(NamedTuple):
    """What the backward needs in addition to the states."""

    gates: Array  # (T, 3, B, H)
    s: Array  # (T, B, H), h_previous @ W_hn + b_hn, which the reset gate multiplies


def gru_values(T: int, B: int, H: int, dtype: DTypeLike) -> GRUKept:
    """Return GRUKept, not yet filled."""
    return GRUKept(np.empty((T, 3, B, H), dtype), np.empty((T, B, H), dtype))


def gru_work(params: Any, B: int) -> Array:
    """Return 1 in the dtype of the parameters: all the work arrays that `gru_forward` needs."""
    return one(params)


def gru_forward(
    one: Array,
    a: Array,
    previous: tuple[Array, ...],
    state: tuple[Array, ...],
    values: tuple[Array, ...],
) -> None:
    """Fill in values and state: n = tanh(a_n + r * s), h = z * h_previous + (1 - z) * n.

    h is computed as n + z * (h_previous - n).
    """
    gates, s = values
    (h,) = state
    sigmoids, n = gates[:2], gates[2]
    np.exp(a[1:3], sigmoids)  # of -a
    sigmoids += one
    np.divide(one, sigmoids, sigmoids)
    np.copyto(s, a[0])
    np.multiply(gates[0], s, n)
    n += a[3]
    np.tanh(n, n)
    kept = a[0]  # memory that is no longer in use
    np.subtract(previous[0], n, kept)
    kept *= gates[1]
    np.add(kept, n, h)


def gru_slopes(values: GRUKept, previous: Any, states: Any, out: Array) -> None:
    """Fill in the factors of dh.

    n:  (1 - z) * (1 - n^2)
    s:  slope_n * r
    r:  slope_n * s * r (1 - r) = k - k * r            with k = slope_s * s
    z:  (h_previous - n) * z (1 - z) = k * (1 - z)     with k = (h_previous - n) * z
    """
    r, z, n = values.gates.swapaxes(0, 1)
    slope_s, slope_r, slope_z, slope_n = out.swapaxes(0, 1)
    np.multiply(n, n, slope_n)
    np.subtract(1, slope_n, slope_n)
    np.subtract(1, z, slope_s)
    slope_n *= slope_s
    np.multiply(slope_n, r, slope_s)
    np.multiply(slope_s, values.s, slope_z)  # k of r; slope_z is not yet in use
    np.multiply(slope_z, r, slope_r)
    np.subtract(slope_z, slope_r, slope_r)
    np.subtract(previous.h, n, slope_z)
    slope_z *= z
    slope_z *= 1 - z


def gru_backward(slopes: Array, values: tuple[Array, ...], dstate: tuple[Array, ...]) -> Array:
    """Return dh * z, the gradient of the old h along the path without a matrix.

    Each slot becomes dh * slope.
    """
    (dh,) = dstate
    slopes *= dh
    return dh * values[0][1]


GRU_KERNEL = Kernel(
    x=slice(1, 4), h=slice(0, 3), h_gates=(2, 0, 1), sigmoids=slice(1, 3), own=("b_hn",),
    values=gru_values, work=gru_work,
    forward=gru_forward, slopes=gru_slopes, backward=gru_backward, slots=4,
)  # fmt: skip
"""n = tanh(a_n + r * s), h = z * h_previous + (1 - z) * n."""
