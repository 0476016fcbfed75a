"""Real-time recurrent learning: the gradient of the Elman cell, computed forward in time.

No state is stored. The result agrees with backpropagation through time to rounding, and shares no
line with its backward pass, so each is a test of the other. It carries (D + H + 1) * H * H numbers
for every sequence, whatever T is. A step multiplies each of them by a column of W_h: a cost of
order H^4 for a step where backpropagation needs H^2.

Source: Williams & Zipser 1989.
"""

import numpy as np

from rnn_tutorial.cells.elman import ElmanParams, ElmanState, elman_step
from rnn_tutorial.types import Array
from rnn_tutorial.validation import check_like

__all__ = [
    "elman_rtrl",
    "elman_sensitivity",
    "elman_sensitivity_step",
]


def elman_sensitivity(params: ElmanParams, state: ElmanState) -> Array:
    """Return the sensitivity of a first state: zeros, since it depends on no parameter.

    The three parameters are one matrix W = [W_x; W_h; b] of D + H + 1 rows, and
    sensitivity[n, i, j, k] = dh[n, k] / dW[i, j] for sequence n.

    Shapes: state.h (B, H); the sensitivity (B, D + H + 1, H, H).
    """
    D, H = params.W_x.shape
    return np.zeros((len(state.h), D + H + 1, H, H), params.b.dtype)


def elman_sensitivity_step(
    params: ElmanParams, x: Array, state: ElmanState, sensitivity: Array
) -> tuple[ElmanState, Array]:
    """Return (state, sensitivity) after one step.

    sensitivity = (1 - h^2) o (z delta + previous sensitivity @ W_h), where W multiplies
    z = [x, h_previous, 1]. The first term, z[n, i] delta[j, k], is the effect of W[i, j] at this
    step; the second is its effect through h_previous.

    Shapes: x (B, D); state.h (B, H); sensitivity (B, D + H + 1, H, H).
    Raises: ValueError or TypeError if x, state or sensitivity does not fit the parameters.
    Source: Williams & Zipser 1989, the recursion for p_ij^k.
    """
    check_like("sensitivity", sensitivity, elman_sensitivity(params, state))
    new_state, _ = elman_step(params, x, state)
    z = np.concatenate([x, state.h, np.ones_like(x[:, :1])], axis=1)
    direct = z[:, :, None, None] * np.eye(len(params.b), dtype=z.dtype)
    return new_state, (direct + sensitivity @ params.W_h) * (1 - new_state.h**2)[:, None, None, :]


def elman_rtrl(params: ElmanParams, xs: Array, state: ElmanState, dhs: Array) -> ElmanParams:
    """Return dparams from dhs, the gradient of the loss of each step with respect to its own h.

    dW = sum over t, n, k of dh_t[n, k] * dh_t[n, k]/dW, added up step by step. The gradient of the
    last state is part of dhs[-1].

    Shapes: xs (T, B, D); state.h (B, H); dhs (T, B, H).
    Raises: ValueError or TypeError if xs, state or dhs does not fit the parameters.
    """
    check_like("dhs", dhs, np.zeros((*xs.shape[:2], len(params.b)), params.b.dtype))
    D, sensitivity = len(params.W_x), elman_sensitivity(params, state)
    dW = np.zeros(sensitivity.shape[1:3], params.b.dtype)
    for x, dh in zip(xs, dhs, strict=True):
        state, sensitivity = elman_sensitivity_step(params, x, state, sensitivity)
        dW = dW + np.einsum("nk,nijk->ij", dh, sensitivity)
    return ElmanParams(W_x=dW[:D], W_h=dW[D:-1], b=dW[-1])
