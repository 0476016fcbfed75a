"""The recurrent loop as most people write it by hand, with all the work inside the loop.

Each step has one product for [x, h]; the GRU has two, because its reset comes between them. The
gates are slices of the result, the sigmoid is its formula, and the backward loop adds up the
gradients of the weights. The benchmark measures what that costs.
"""

from collections.abc import Callable

import numpy as np

from rnn_tutorial.cells import ElmanParams, GRUParams, LSTMParams
from rnn_tutorial.types import Array


def plain_elman(params: ElmanParams, xs: Array, dhs: Array) -> tuple[Array, ElmanParams, Array]:
    """Return (hs, dparams, dxs) of the vanilla cell.

    Shapes: xs and dxs are (T, B, D); hs and dhs are (T, B, H).
    """
    W, h = np.concatenate([params.W_x, params.W_h]), np.zeros_like(dhs[0])
    caches = []
    for x in xs:
        xh = np.concatenate([x, h], axis=1)
        h = np.tanh(xh @ W + params.b)
        caches.append((xh, h))
    dW, db, dh, dxs = np.zeros_like(W), np.zeros_like(params.b), np.zeros_like(h), np.empty_like(xs)
    for t in reversed(range(len(xs))):
        xh, h = caches[t]
        da = (dh + dhs[t]) * (1 - h**2)
        dW += xh.T @ da
        db += da.sum(axis=0)
        dxs[t], dh = np.split(da @ W.T, [xs.shape[2]], axis=1)
    dW_x, dW_h = np.split(dW, [xs.shape[2]])
    return np.stack([h for _, h in caches]), ElmanParams(dW_x, dW_h, db), dxs


def plain_lstm(params: LSTMParams, xs: Array, dhs: Array) -> tuple[Array, LSTMParams, Array]:
    """Return (hs, dparams, dxs) of the LSTM.

    Shapes: xs and dxs are (T, B, D); hs and dhs are (T, B, H).
    """
    W, h, c = np.concatenate([params.W_x, params.W_h]), np.zeros_like(dhs[0]), np.zeros_like(dhs[0])
    H, hs, caches = len(params.W_h), [], []
    for x in xs:
        xh = np.concatenate([x, h], axis=1)
        a = xh @ W + params.b
        i, f, o = np.split(1 / (1 + np.exp(-a[:, : 3 * H])), 3, axis=1)
        g = np.tanh(a[:, 3 * H :])
        previous_c, c = c, f * c + i * g
        tanh_c = np.tanh(c)
        h = o * tanh_c
        hs.append(h)
        caches.append((xh, previous_c, i, f, o, g, tanh_c))
    dW, db, dxs = np.zeros_like(W), np.zeros_like(params.b), np.empty_like(xs)
    dh, dc = np.zeros_like(h), np.zeros_like(c)
    for t in reversed(range(len(xs))):
        xh, previous_c, i, f, o, g, tanh_c = caches[t]
        dh = dh + dhs[t]
        dc = dc + dh * o * (1 - tanh_c**2)
        di, df, do, dg = (
            dc * g * i * (1 - i),
            dc * previous_c * f * (1 - f),
            dh * tanh_c * o * (1 - o),
            dc * i * (1 - g**2),
        )
        da = np.concatenate([di, df, do, dg], axis=1)
        dc = dc * f
        dW += xh.T @ da
        db += da.sum(axis=0)
        dxs[t], dh = np.split(da @ W.T, [xs.shape[2]], axis=1)
    dW_x, dW_h = np.split(dW, [xs.shape[2]])
    return np.stack(hs), LSTMParams(dW_x, dW_h, db), dxs


def plain_gru(params: GRUParams, xs: Array, dhs: Array) -> tuple[Array, GRUParams, Array]:
    """Return (hs, dparams, dxs) of the GRU that resets after the matrix.

    Shapes: xs and dxs are (T, B, D); hs and dhs are (T, B, H).
    """
    W_x, W_h, b, b_hn = params
    H, h, hs, caches = len(W_h), np.zeros_like(dhs[0]), [], []
    for x in xs:
        a_x, a_h = x @ W_x + b, h @ W_h
        r, z = np.split(1 / (1 + np.exp(-(a_x + a_h)[:, : 2 * H])), 2, axis=1)
        s = a_h[:, 2 * H :] + b_hn
        n = np.tanh(a_x[:, 2 * H :] + r * s)
        caches.append((h, r, z, n, s))
        h = z * h + (1 - z) * n
        hs.append(h)
    dparams, dh, dxs = GRUParams(*map(np.zeros_like, params)), np.zeros_like(h), np.empty_like(xs)
    for t in reversed(range(len(xs))):
        previous_h, r, z, n, s = caches[t]
        dh = dh + dhs[t]
        da_n = dh * (1 - z) * (1 - n**2)
        da_z, da_r, ds = dh * (previous_h - n) * z * (1 - z), da_n * s * r * (1 - r), da_n * r
        da_x, da_h = (
            np.concatenate([da_r, da_z, da_n], axis=1),
            np.concatenate([da_r, da_z, ds], axis=1),
        )
        dparams.W_x[...] += xs[t].T @ da_x
        dparams.W_h[...] += previous_h.T @ da_h
        dparams.b[...] += da_x.sum(axis=0)
        dparams.b_hn[...] += ds.sum(axis=0)
        dxs[t], dh = da_x @ W_x.T, dh * z + da_h @ W_h.T
    return np.stack(hs), dparams, dxs


PLAIN_LOOPS: dict[str, Callable[..., tuple]] = {
    "RNN": plain_elman,
    "LSTM": plain_lstm,
    "GRU": plain_gru,
}
