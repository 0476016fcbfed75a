"""The work of one forward and backward of the fast path: operations, bytes, matrix products."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from rnn_tutorial.cells import Cell
from rnn_tutorial.sequence import cut_columns, like_columns, rows_of
from rnn_tutorial.sequence import products as products_of


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

    Forward: xs is copied into zs, which is read; the values and the states are written; hs is
    copied from the states. Backward: the values and the states are read; the slopes are written and
    read; dhs is read; das is written, and read for the weight gradients and for dxs; zs is read
    again; dxs is written. Every step reads [W_h; b; W_x] forward and W_h backward. W_x is read once
    more, and the weight gradients are written.

    cell: a cell with a fast path.

    Shapes: shape is (B, T, D, H).
    """
    kernel: Any = cell.fast
    State: Any = cell.State
    B, T, D, H = shape
    G, P, K = len(cell.gates), kernel.blocks, H + 1 + D
    values = sum(leaf[0].size for leaf in kernel.values(1, B, H, np.dtype(dtype)))
    states = B * H * len(State._fields)
    forward = 2 * B * D + B * K + values + states + 2 * B * H
    backward = values + states + (2 * kernel.slots + 1 + 3 * P) * B * H + B * K + B * D
    weights = T * G * H * (K + H) + G * H * (D + K)
    return np.dtype(dtype).itemsize * (T * (forward + backward) + weights)


def products_alone(kernel: Any, dtype: str, shape: Sequence[int]) -> Callable[[], tuple]:
    """Return a function that computes the matrix products of the fast path and nothing else.

    Their shapes and memory layouts are those of the fast path.

    Shapes: shape is (B, T, D, H).
    """
    (B, T, D, H), P, rng = shape, kernel.blocks, np.random.default_rng(0)
    zs, das, W, W_h, W_x_transposed, slope = (
        rng.standard_normal(size).astype(dtype)
        for size in (
            (T + 1, B, H + 1 + D),
            (T * B, P * H),
            (P, H + 1 + D, H),
            (len(kernel.h_gates), H, H),
            ((P - kernel.x.start) * H, D),
            (P, B, H),
        )
    )
    a, paths = np.empty((P, B, H), dtype), np.empty((len(W_h), B, H), dtype)
    _, Ws, outs = products_of(kernel, W, zs, a)
    W_h_transposed = cut_columns(W_h, B)
    path_columns, flat_zs = like_columns(paths, W_h_transposed), zs[:-1].reshape(T * B, -1)
    pieces = [
        (zs[0, :, rows], flat_zs[:, rows], das[:, blocks.start * H : blocks.stop * H])
        for blocks, rows in rows_of(kernel, H)
    ]

    def run() -> tuple:
        for _ in range(T):
            for (z, _, _), W, out in zip(pieces, Ws, outs):
                np.matmul(z, W, out)
        for _ in range(T):
            np.matmul(slope[kernel.h, None], W_h_transposed, path_columns)
        return *(z.T @ da for _, z, da in pieces), das[:, kernel.x.start * H :] @ W_x_transposed

    return run
