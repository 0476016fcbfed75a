"""The work of one forward and backward of the fast path: operations, bytes, matrix products."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from rnn_tutorial.cells import Cell
from rnn_tutorial.sequence import segments


def flops(gates: int, shape: Sequence[int]) -> int:
    """Return the floating-point operations of the matrix products of forward and backward.

    A multiplication and an addition count as two. Forward: x W_x and h W_h, 2 * B * G*H * (D + H)
    for each step. Backward: twice that, because each product has two factors, and each factor
    has a gradient. Elementwise work is not counted.

    Shapes: shape is (B, T, D, H).
    """
    B, T, D, H = shape
    return 3 * 2 * T * B * gates * H * (D + H)


def bytes_moved(cell: Cell, dtype: str, shape: Sequence[int]) -> int:
    """Return the bytes that the fast path moves if no array stays in the processor's cache.

    Every array is then written to memory once, and read once for each use.

    Forward: xs is read and copied, and the copy is read; a_xs is written and read; the values and
    the states are written; hs is copied from the states. Backward: the values and the states are
    read; the slopes are written and read; dhs is read; das is written, and read for dW_x, dW_h and
    dxs; xs and the states are read again; dxs is written. Every step reads W_h, forward and
    backward. W_x is read twice, and both weight gradients are written.

    cell: a cell with a fast path.

    Shapes: shape is (B, T, D, H).
    """
    kernel: Any = cell.fast
    State: Any = cell.State
    B, T, D, H = shape
    G, one = kernel.gates, kernel.values(1, B, H, np.dtype(dtype))
    values, states = sum(leaf[0].size for leaf in one), B * H * len(State._fields)
    forward = 3 * B * D + 2 * G * B * H + values + states + 2 * B * H
    backward = (
        values + states + 2 * kernel.slots * B * H + B * H + 4 * G * B * H + B * D + B * H + B * D
    )
    weights = 2 * T * G * H * H + 3 * G * D * H + G * H * H
    return np.dtype(dtype).itemsize * (T * (forward + backward) + weights)


def products_alone(kernel: Any, dtype: str, shape: Sequence[int]) -> Callable[[], tuple]:
    """Return a function that computes the matrix products of the fast path and nothing else.

    Their shapes and memory layouts are those of the fast path.

    Shapes: shape is (B, T, D, H).
    """
    (B, T, D, H), G, rng = shape, kernel.gates, np.random.default_rng(0)
    xs, hs, das, W_x, W_h, W_h_transposed, h, slopes = (
        rng.standard_normal(size).astype(dtype)
        for size in (
            (T * B, D),
            (T * B, H),
            (T * B, kernel.x.stop * H),
            (D, G * H),
            (G, H, H),
            (G, H, H),
            (B, H),
            (G, B, H),
        )
    )
    a_h, paths, ones = np.empty((G, B, H), dtype), np.empty((G, B, H), dtype), np.ones(T * B, dtype)
    da_xs, da_hs = (das[:, place.start * H : place.stop * H] for place in (kernel.x, kernel.h))

    def run() -> tuple:
        for some in segments(T, a_h.nbytes):
            xs[some.start * B : some.stop * B] @ W_x
            for _ in range(some.start, some.stop):
                np.matmul(h, W_h, a_h)
        for _ in range(T):
            np.matmul(slopes, W_h_transposed, paths)
        return ones @ das, xs.T @ da_xs, hs.T @ da_hs, da_xs @ W_x.T

    return run
