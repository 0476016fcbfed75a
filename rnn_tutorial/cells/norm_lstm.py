"""The LSTM with layer normalisation inside the recurrence.

    a_x = x @ W_x + b        a_h = h_previous @ W_h
    u = norm(a_x) * gain_x + norm(a_h) * gain_h + shift
    i, f, o = sigmoid(u_i), sigmoid(u_f), sigmoid(u_o)        g = tanh(u_g)
    c = f * c_previous + i * g
    h = o * tanh(norm(c) * gain_c + shift_c)

norm(a) = (a - mean) / sqrt(variance + 1e-5), with the mean and the variance over the features of
one row. So no sequence and no step influences the normalisation of another, and training and
evaluation compute the same. The state c itself is not normalised, only its path to h. The shift
does what a bias does in other cells, after the normalisation.

Source: Ba, Kiros & Hinton 2016, equations 20 to 22.
"""

from typing import Any, NamedTuple

import numpy as np

from rnn_tutorial.activations import sigmoid
from rnn_tutorial.bound import Bound
from rnn_tutorial.cells.cell import Cell
from rnn_tutorial.cells.gates import gate_blocks, init_gates
from rnn_tutorial.cells.lstm import LSTMGates, LSTMState
from rnn_tutorial.initializers import glorot_uniform, orthogonal, zeros
from rnn_tutorial.types import Array, Initializer, Rng
from rnn_tutorial.validation import check_number

__all__ = [
    "EPSILON",
    "NormLSTM",
    "NormLSTMParams",
    "NormLSTMValues",
    "Normed",
    "norm_lstm",
    "norm_lstm_init",
    "norm_lstm_pointwise",
    "norm_lstm_pointwise_backward",
    "norm_lstm_shapes",
    "normalize",
    "normalize_backward",
]

EPSILON = 1e-5


class NormLSTMParams(NamedTuple):
    """The parameters of the cell: four gates side by side, then gains and shifts.

    The order of the gates is i, f, o, g.
    """

    W_x: Array  # (D, 4H)
    W_h: Array  # (H, 4H)
    b: Array  # (4H,)
    gain_x: Array  # (4H,)
    gain_h: Array  # (4H,)
    shift: Array  # (4H,)
    gain_c: Array  # (H,)
    shift_c: Array  # (H,)


class Normed(NamedTuple):
    """What `normalize` keeps for its backward."""

    y: Array  # (B, N)
    scale: Array  # (B, 1), 1 / sqrt(variance + epsilon)


class NormLSTMValues(NamedTuple):
    """What `norm_lstm_pointwise` keeps for its backward."""

    c_previous: Array  # (B, H)
    x: Normed  # of a_x
    h: Normed  # of a_h
    i: Array
    f: Array
    o: Array
    g: Array
    c: Normed
    tanh_c: Array


def normalize(a: Array) -> Normed:
    """Return Normed: y = (a - mean) / sqrt(variance + 1e-5), mean and variance of each row.

    Shapes: a (B, N).
    """
    centred = a - a.mean(axis=1, keepdims=True)
    scale = 1 / np.sqrt((centred * centred).mean(axis=1, keepdims=True) + EPSILON)
    return Normed(centred * scale, scale)


def normalize_backward(normed: Normed, dy: Array) -> Array:
    """Return da = scale * (dy - mean(dy) - y * mean(dy * y)), the means over each row.

    The two means are the gradients through the row's own mean and variance. y does not change when
    the same number is added to every entry of a row, or when the row is stretched, so da has no
    component in these two directions.

    Shapes: dy, da (B, N).
    """
    y, scale = normed
    return scale * (dy - dy.mean(axis=1, keepdims=True) - y * (dy * y).mean(axis=1, keepdims=True))


def norm_lstm_init(
    rng: Rng,
    input_size: int,
    hidden_size: int,
    *,
    forget_bias: float = 1.0,
    W_x: Initializer = glorot_uniform,
    W_h: Initializer = orthogonal,
    b: Initializer = zeros,
) -> NormLSTMParams:
    """Return NormLSTMParams: W_x, W_h and b as drawn, gains of one, shifts of zero.

    The shift of the forget gate starts from forget_bias instead.

    Raises: TypeError unless `rng` is a generator, ValueError for sizes that are not positive whole
    numbers.
    """
    fused = init_gates(rng, input_size, hidden_size, 4, W_x, W_h, b)
    shift = np.zeros(4 * hidden_size)
    gate_blocks(shift, LSTMGates).f[:] = forget_bias
    ones = np.ones(4 * hidden_size)
    return NormLSTMParams(
        *fused, ones, ones.copy(), shift, np.ones(hidden_size), np.zeros(hidden_size)
    )


def norm_lstm_shapes(D: int, H: int) -> Any:
    """Return NormLSTMParams of shapes."""
    A = 4 * H
    return NormLSTMParams._make([(D, A), (H, A), (A,), (A,), (A,), (A,), (H,), (H,)])


def norm_lstm_pointwise(
    params: NormLSTMParams, a_x: Array, a_h: Array, state: LSTMState
) -> tuple[LSTMState, NormLSTMValues]:
    """Return (state, NormLSTMValues) from a_x and a_h, each normalised by itself.

    Shapes: a_x, a_h (B, 4H).
    """
    x, h = normalize(a_x), normalize(a_h)
    u = gate_blocks(x.y * params.gain_x + h.y * params.gain_h + params.shift, LSTMGates)
    i, f, o, g = sigmoid.f(u.i), sigmoid.f(u.f), sigmoid.f(u.o), np.tanh(u.g)
    c = f * state.c + i * g
    normed_c = normalize(c)
    tanh_c = np.tanh(normed_c.y * params.gain_c + params.shift_c)
    return LSTMState(h=o * tanh_c, c=c), NormLSTMValues(state.c, x, h, i, f, o, g, normed_c, tanh_c)


def norm_lstm_pointwise_backward(
    params: NormLSTMParams, cache: NormLSTMValues, dstate: LSTMState
) -> tuple[dict[str, Array], Array, Array, LSTMState]:
    """Return (the gradients of gains and shifts by name, da_x, da_h, dprevious).

    Shapes: da_x, da_h (B, 4H), dprevious.h and dprevious.c (B, H).
    """
    c_previous, x, h, i, f, o, g, normed_c, tanh_c = cache
    do = dstate.h * tanh_c  # h = o * tanh_c
    du_c = dstate.h * o * (1 - tanh_c**2)  # tanh_c = tanh(normed_c * gain_c + shift_c)
    dc = dstate.c + normalize_backward(normed_c, du_c * params.gain_c)
    di, df, dg = dc * g, dc * c_previous, dc * i  # c = f * c_previous + i * g
    du = np.concatenate(
        [di * i * (1 - i), df * f * (1 - f), do * o * (1 - o), dg * (1 - g**2)], axis=1
    )
    seen = {
        "gain_x": du * x.y,
        "gain_h": du * h.y,
        "shift": du,
        "gain_c": du_c * normed_c.y,
        "shift_c": du_c,
    }
    dextra = {name: product.sum(axis=0) for name, product in seen.items()}
    da_x, da_h = (
        normalize_backward(x, du * params.gain_x),
        normalize_backward(h, du * params.gain_h),
    )
    return dextra, da_x, da_h, LSTMState(h=np.zeros_like(dc), c=dc * f)


def norm_lstm(
    *,
    forget_bias: float = 1.0,
    W_x: Initializer = glorot_uniform,
    W_h: Initializer = orthogonal,
    b: Initializer = zeros,
) -> Cell:
    """Return the layer-normalised LSTM with a forget bias and three initializers of your choice.

    Each initializer is called once for every gate.

    Raises: ValueError for a bias that is not a finite number.
    """
    forget_bias = check_number("forget_bias", forget_bias)
    return Cell(
        name="NormLSTM",
        Params=NormLSTMParams,
        State=LSTMState,
        gates="ifog",
        shapes=norm_lstm_shapes,
        init=Bound(norm_lstm_init, forget_bias=forget_bias, W_x=W_x, W_h=W_h, b=b),
        pointwise=norm_lstm_pointwise,
        pointwise_backward=norm_lstm_pointwise_backward,
    )


NormLSTM = norm_lstm()
"""The layer-normalised LSTM with a forget shift from 1."""
