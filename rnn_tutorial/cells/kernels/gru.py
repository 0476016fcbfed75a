"""The kernel of GRU, reset after. The gates are r, z, n and the slots ds, da_r, da_z, da_n.

The first three slots are da_h, the last three da_x.
"""

from typing import Any, NamedTuple

import numpy as np

from rnn_tutorial.cells.kernels.kernel import Kernel, one
from rnn_tutorial.types import Array, DTypeLike

__all__ = [
    "GRUKept",
    "GRUWork",
    "GRU_KERNEL",
    "gru_backward",
    "gru_extra",
    "gru_forward",
    "gru_slopes",
    "gru_values",
    "gru_work",
]


class GRUKept(NamedTuple):
    """What the backward needs in addition to the states."""

    gates: Array  # (T, 3, B, H)
    s: Array  # (T, B, H), h_previous @ W_hn + b_hn, which the reset gate multiplies


class GRUWork(NamedTuple):
    """What is made once for each sequence."""

    one: Array
    b_hn: Array  # (B, H), a row for each sequence


def gru_values(T: int, B: int, H: int, dtype: DTypeLike) -> GRUKept:
    """Return GRUKept, not yet filled."""
    return GRUKept(np.empty((T, 3, B, H), dtype), np.empty((T, B, H), dtype))


def gru_work(params: Any, B: int) -> GRUWork:
    """Return GRUWork."""
    return GRUWork(one(params), np.tile(params.b_hn, (B, 1)))


def gru_forward(
    work: GRUWork,
    a_x: Array,
    a_h: Array,
    previous: tuple[Array, ...],
    state: tuple[Array, ...],
    values: tuple[Array, ...],
) -> None:
    """Fill in values and state: n = tanh(a_x,n + r * s), h = z * h_previous + (1 - z) * n.

    h is computed as n + z * (h_previous - n).
    """
    gates, s = values
    (h,) = state
    one, b_hn = work
    a_sigmoids, sigmoids, n = a_x[:2], gates[:2], gates[2]
    a_sigmoids += a_h[:2]
    np.exp(a_sigmoids, sigmoids)  # of -a
    sigmoids += one
    np.divide(one, sigmoids, sigmoids)
    np.add(a_h[2], b_hn, s)
    np.multiply(gates[0], s, n)
    n += a_x[2]
    np.tanh(n, n)
    np.subtract(previous[0], n, h)
    h *= gates[1]
    h += n


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
    for slope in slopes:
        slope *= dh
    return dh * values[0][1]


def gru_extra(sums: Array) -> dict[str, Array]:
    """Return the gradient of b_hn: the sum of ds."""
    return {"b_hn": sums[0]}


GRU_KERNEL = Kernel(
    gates=3, sigmoids=2, values=gru_values, work=gru_work,
    forward=gru_forward, slopes=gru_slopes, backward=gru_backward,
    slots=4, x=slice(1, 4), h=slice(0, 3), h_gates=(2, 0, 1), extra=gru_extra,
)  # fmt: skip
"""n = tanh(a_x,n + r * s), h = z * h_previous + (1 - z) * n."""
