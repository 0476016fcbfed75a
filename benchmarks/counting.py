"""What the fast path has to do for one forward and backward: operations, bytes, and the bare matrix products."""

import numpy as np

from rnn_tutorial.sequence import segments


def flops(gates, shape):
    """Return the floating-point operations of the matrix products of forward and backward, a multiplication and an addition each.

    Forward: x W_x and h W_h, 2 * B * G*H * (D + H) a step. Backward twice that: for each product, one for either factor.
    Elementwise work is not counted. shape: (B, T, D, H).
    """
    B, T, D, H = shape
    return 3 * 2 * T * B * gates * H * (D + H)


def bytes_moved(cell, dtype, shape):
    """Return the bytes that the fast path moves if every array that it makes goes once to memory and once back for each use.

    Forward: xs read and copied, the copy read, a_xs written and read, the values and the states written, hs copied from them.
    Backward: the values and the states read, the slopes written and read, dhs read, das written, and read for dW_x,
    dW_h and dxs, xs and the states read again, dxs written. Every step reads W_h, and so does every step back; W_x is
    read twice and both weight gradients are written. cell: one with a fast path. shape: (B, T, D, H).
    """
    (B, T, D, H), kernel = shape, cell.fast
    G, one = kernel.gates, kernel.values(1, B, H, np.dtype(dtype))
    values, states = sum(leaf[0].size for leaf in one), B * H * len(cell.State._fields)
    forward = 3 * B * D + 2 * G * B * H + values + states + 2 * B * H
    backward = (
        values + states + 2 * kernel.slots * B * H + B * H + 4 * G * B * H + B * D + B * H + B * D
    )
    weights = 2 * T * G * H * H + 3 * G * D * H + G * H * H
    return np.dtype(dtype).itemsize * (T * (forward + backward) + weights)


def products_alone(kernel, dtype, shape):
    """Return a function that computes the matrix products of the fast path, of the same shapes and layouts, and nothing else."""
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

    def run():
        for some in segments(T, a_h.nbytes):
            xs[some.start * B : some.stop * B] @ W_x
            for _ in range(some.start, some.stop):
                np.matmul(h, W_h, a_h)
        for _ in range(T):
            np.matmul(slopes, W_h_transposed, paths)
        return ones @ das, xs.T @ da_xs, hs.T @ da_hs, da_xs @ W_x.T

    return run
