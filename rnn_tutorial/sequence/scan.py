"""The linear recurrence h_t = a_t * h_{t-1} + b_t, elementwise: a loop, chunks and a scan.

    linear_recurrence     one step after another
    chunked_recurrence    all chunks at once, step by step, then from chunk to chunk
    associative_scan      pairs of steps, pairs of pairs, ...: log2 T levels

All three compute the same, to rounding. Two steps one after the other are again a step,

    a_2 (a_1 h + b_1) + b_2 = (a_2 a_1) h + (a_2 b_1 + b_2),

and it does not matter which neighbours are joined first: joining is associative. That is why the
steps need not be taken in order. Nothing of the kind holds for tanh(x W_x + h W_h).

The gradient is the same recurrence, run from the end. With G_t for the whole gradient of h_t,

    G_t = dh_t + conj(a_{t+1}) G_{t+1}      db_t = G_t      da_t = G_t conj(h_{t-1})

so `linear_recurrence_backward` calls one of the three. a, b and h may be complex. The gradient of
the loss by z = u + iv is then dL/du + i dL/dv, as in PyTorch; this is where conj comes from.

Source: Kogge & Stone 1973; Hillis & Steele 1986 for the levels; Blelloch 1990 for the recurrence as
a scan.
"""

from math import isqrt
from typing import Protocol

import numpy as np

from rnn_tutorial.types import Array
from rnn_tutorial.validation import check_array, check_dtype, check_positive, check_shape

__all__ = [
    "Scan",
    "associative_scan",
    "check_recurrence",
    "chunked_recurrence",
    "linear_recurrence",
    "linear_recurrence_backward",
]


class Scan(Protocol):
    """A way to compute a linear recurrence: (a, b, h) -> hs."""

    def __call__(self, a: Array, b: Array, h: Array, /) -> Array: ...


def linear_recurrence(a: Array, b: Array, h: Array) -> Array:
    """Return hs with h_t = a_t * h_{t-1} + b_t, from h, one step after another.

    Shapes: a, b and hs (T, B, H), h (B, H), all of one dtype, real or complex.

    Raises: ValueError or TypeError for other shapes or dtypes.

    Example: with a = 1 it is a running sum.
    >>> ones = np.ones((4, 1, 1))
    >>> linear_recurrence(ones, ones, np.zeros((1, 1))).ravel()
    array([1., 2., 3., 4.])
    """
    check_recurrence(a, b, h)
    hs = np.empty_like(b)
    for t in range(len(a)):
        np.multiply(a[t], h, out=hs[t])
        hs[t] += b[t]
        h = hs[t]
    return hs


def associative_scan(a: Array, b: Array, h: Array) -> Array:
    """Return what `linear_recurrence` returns, in log2 T levels of whole-array operations.

    Before the level with distance d, the pair (a_t, b_t) stands for the last d steps up to t, or
    all of them if there are fewer. The level joins it with the pair d steps earlier,

        b_t <- a_t b_{t-d} + b_t        a_t <- a_t a_{t-d}

    and d doubles. It takes T log2 T multiplications instead of T, and no level waits for a step.

    Shapes: those of `linear_recurrence`.

    Raises: what `linear_recurrence` raises.

    Source: Hillis & Steele 1986.
    """
    check_recurrence(a, b, h)
    a, b = a.copy(), b.copy()
    b[0] += a[0] * h
    distance = 1
    while distance < len(a):
        b[distance:] += a[distance:] * b[:-distance]
        a[distance:] = a[distance:] * a[:-distance]
        distance *= 2
    return b


def chunked_recurrence(a: Array, b: Array, h: Array, *, size: int | None = None) -> Array:
    """Return what `linear_recurrence` returns, in chunks of `size` steps.

    First every chunk runs from a state of zero, all of them at once. Then the true states are
    carried from chunk to chunk, and each chunk adds what its first state has become,

        h_t = (local h_t) + (product of a over the chunk up to t) * (state before the chunk)

    which takes size + T / size steps of a loop. Without `size`, it is about the square root of T,
    for which this number is smallest.

    Shapes: those of `linear_recurrence`.

    Raises: what `linear_recurrence` raises; ValueError unless `size` is a positive whole number.
    """
    check_recurrence(a, b, h)
    T, (B, H) = len(a), h.shape
    size = max(1, isqrt(T)) if size is None else check_positive("size", size)
    chunks = -(-T // size)
    padding = np.zeros((chunks * size - T, B, H), a.dtype)
    a, b = (
        np.concatenate([leaf, padding]).reshape(chunks, size, B, H).swapaxes(0, 1).copy()
        for leaf in (a, b)
    )
    local = np.empty_like(b)
    local[0] = b[0]
    for t in range(1, size):  # a becomes the product of a over the chunk
        local[t] = a[t] * local[t - 1] + b[t]
        a[t] *= a[t - 1]
    ends = linear_recurrence(a[-1], local[-1], h)
    local += a * np.concatenate([h[None], ends[:-1]])
    return local.swapaxes(0, 1).reshape(chunks * size, B, H)[:T]


def linear_recurrence_backward(
    a: Array, h: Array, hs: Array, dhs: Array, *, scan: Scan = linear_recurrence
) -> tuple[Array, Array, Array]:
    """Return (da, db, dh), the gradients of the arguments of `linear_recurrence`.

        G_t = dh_t + conj(a_{t+1}) G_{t+1}      the same recurrence, from the end
        db_t = G_t      da_t = G_t conj(h_{t-1})      dh = conj(a_1) G_1

    dhs are the gradients of the hs from outside; that of the last state is part of dhs[-1].

    Shapes: a, hs, dhs, da and db (T, B, H), h and dh (B, H).

    Raises: ValueError or TypeError for other shapes or dtypes.

    Source: Martin & Cundy 2018, section 2.
    """
    check_recurrence(a, dhs, h)
    check_shape("hs", hs, a.shape, a.dtype)
    next_a = np.concatenate([a[1:], np.zeros_like(a[:1])]).conj()  # after the last step is nothing
    G = scan(next_a[::-1], dhs[::-1], np.zeros_like(h))[::-1]
    previous_hs = np.concatenate([h[None], hs[:-1]])
    return G * previous_hs.conj(), G, a[0].conj() * G[0]


def check_recurrence(a: Array, b: Array, h: Array) -> None:
    """Raise ValueError or TypeError unless a and b are (T, B, H) and h is (B, H)."""
    check_array("a", a, T=None, B=None, H=None)
    check_dtype("a", a, a.dtype)
    if len(a) == 0:
        raise ValueError(f"a: expected at least one step, got {a.shape}")
    check_shape("b", b, a.shape, a.dtype)
    check_shape("h", h, a.shape[1:], a.dtype)
