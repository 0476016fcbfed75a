"""The kernel of LSTM in float32, compiled by numba. It needs the extra `fast`.

    from rnn_tutorial.cells.kernels.compiled import LSTM_COMPILED
    layer = Recurrent(LSTM.with_fast(LSTM_COMPILED), input_size, hidden_size)

For a step and its backward, `kernels/lstm.py` makes about twenty-five calls of NumPy, and each of
them goes over whole arrays. Here the backward is one loop, which reads and writes each number once,
and the forward is a few, over one sequence at a time. The products stay with NumPy. The first call
compiles for some seconds, and numba keeps the result on disk.

It is for float32 alone. There the elementwise part takes the largest share of the time, and PyTorch
has a compiled LSTM only there.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np

from rnn_tutorial.cells.kernels.lstm import LSTM_KERNEL
from rnn_tutorial.types import Array

njit: Any = (
    None  # without numba the functions stay Python, and `compiled_work` says what is missing
)
with suppress(ImportError):
    njit = import_module("numba").njit

__all__ = [
    "LSTM_COMPILED",
    "compiled",
    "compiled_backward",
    "compiled_forward",
    "compiled_slopes",
    "compiled_work",
    "power_of_two",
    "reduced",
    "sigmoid_of_minus",
    "tanh_of",
]

ONE, TWO = np.float32(1), np.float32(2)
# log 2 in two parts: n times the first one is exact in float32 for |n| < 256.
LOG2_E, LOG_2, LOG_2_REST = map(np.float32, (1.442695041, 0.693359375, -2.12194440e-4))
TERM_2, TERM_3, TERM_4, TERM_5, TERM_6, TERM_7 = map(
    np.float32, (1 / 2, 1 / 6, 1 / 24, 1 / 120, 1 / 720, 1 / 5040)
)
LARGEST = np.float32(104)  # in float32, exp(104) is infinity, and exp(-104) is 0
FLAT = np.float32(30)  # in float32, tanh(15) is 1
EXPONENT_OF_1, PLACES = np.int32(127), np.int32(23)  # in the bits of a float32


def compiled(function: Callable[..., Any], **options: Any) -> Any:
    """Return the function, compiled if numba is there.

    A product and a sum may become one operation, which rounds once. Nothing else is changed: in
    particular, a NaN stays one.
    """
    given = {"cache": True, "fastmath": {"contract"}, "error_model": "numpy"}
    return function if njit is None else njit(**given, **options)(function)


inlined = partial(compiled, inline="always")


@inlined
def power_of_two(n: Any) -> Any:
    """Return 2^n in float32, for a whole number n from -126 to 127: its bits are put together."""
    return np.int32((n + EXPONENT_OF_1) << PLACES).view(np.float32)


@inlined
def reduced(x: Any) -> tuple[Any, Any]:
    """Return (n, q) with exp(x) = 2^n (1 + q), where n is whole and |q| < 0.42.

    x = n log 2 + r with |r| <= log(2) / 2, and q = exp(r) - 1 by its series up to r^7. For |x| of
    more than 104 they are those of 104.
    """
    x = -LARGEST if x < -LARGEST else (LARGEST if x > LARGEST else x)
    n = np.rint(x * LOG2_E)
    r = x - n * LOG_2 - n * LOG_2_REST
    series = TERM_2 + r * (TERM_3 + r * (TERM_4 + r * (TERM_5 + r * (TERM_6 + r * TERM_7))))
    return np.int32(n), r + r * r * series


@inlined
def sigmoid_of_minus(x: Any) -> Any:
    """Return 1 / (1 + exp(x)), precise also where it is nearly 0 or 1."""
    n, q = reduced(x)
    half = np.int32(n >> 1)  # 2^n alone may be beyond the largest exponent
    return ONE / (ONE + (ONE + q) * power_of_two(half) * power_of_two(np.int32(n - half)))


@inlined
def tanh_of(x: Any) -> Any:
    """Return tanh(x) = e / (e + 2) with e = exp(2 x) - 1, precise also near 0."""
    y = TWO * x
    y = -FLAT if y < -FLAT else (FLAT if y > FLAT else y)
    n, q = reduced(y)
    power = power_of_two(n)
    e = power * q + (power - ONE)
    return e / (e + TWO)


@compiled
def compiled_forward(
    work: None,
    a: Array,
    previous: tuple[Array, ...],
    state: tuple[Array, ...],
    values: tuple[Array, ...],
) -> None:
    """Fill in values and state: c = f * c_previous + i * g, h = o * tanh(c)."""
    gates, tanh_c = values
    h, c = state
    c_previous = previous[1]
    _, B, H = a.shape
    for b in range(B):
        for gate in range(3):
            for j in range(H):
                gates[gate, b, j] = sigmoid_of_minus(a[gate, b, j])
        for j in range(H):
            gates[3, b, j] = tanh_of(a[3, b, j])
        for j in range(H):
            c[b, j] = gates[1, b, j] * c_previous[b, j] + gates[0, b, j] * gates[3, b, j]
        for j in range(H):
            tanh_c[b, j] = tanh_of(c[b, j])
        for j in range(H):
            h[b, j] = gates[2, b, j] * tanh_c[b, j]


def compiled_slopes(values: Any, previous: Any, states: Any, out: Array) -> None:
    """Write c_previous where da_f will be: all that a step back needs of the step before."""
    np.copyto(out[:, 1], previous.c)


@compiled
def compiled_backward(slopes: Array, values: tuple[Array, ...], dstate: tuple[Array, ...]) -> None:
    """Write the gradients of the pre-activations over the slopes, and dc_previous over dstate.c.

    dc = dstate.c + dh * o * (1 - tanh_c^2), and for an i, for example, da_i = dc * g * i * (1 - i).
    """
    gates, tanh_c = values
    dh, dc = dstate
    _, B, H = gates.shape
    for b in range(B):
        for j in range(H):
            i, f, o, g = gates[0, b, j], gates[1, b, j], gates[2, b, j], gates[3, b, j]
            c_previous = slopes[1, b, j]
            dc_j = dc[b, j] + dh[b, j] * o * (ONE - tanh_c[b, j] * tanh_c[b, j])
            slopes[0, b, j] = dc_j * g * i * (ONE - i)
            slopes[1, b, j] = dc_j * c_previous * f * (ONE - f)
            slopes[2, b, j] = dh[b, j] * tanh_c[b, j] * o * (ONE - o)
            slopes[3, b, j] = dc_j * i * (ONE - g * g)
            dc[b, j] = dc_j * f


def compiled_work(params: Any, B: int) -> None:
    """Return None: the forward needs no work arrays.

    Raises: ImportError, with what to install, if numba is missing; TypeError unless the parameters
    are float32.
    """
    if njit is None:
        raise ImportError("the compiled kernel needs numba: pip install rnn-tutorial[fast]")
    if params.b.dtype != np.float32:
        raise TypeError(f"params: the compiled kernel is for float32, got {params.b.dtype}")


LSTM_COMPILED = LSTM_KERNEL._replace(
    work=compiled_work, forward=compiled_forward, slopes=compiled_slopes,
    backward=compiled_backward, slots=4,
)  # fmt: skip
"""What `LSTM_KERNEL` computes, compiled, for float32."""
