"""The kernel of LSTM in float32, compiled by numba. It needs the extra `fast`.

    from rnn_tutorial.cells.kernels.compiled import LSTM_COMPILED
    layer = Recurrent(LSTM.with_fast(LSTM_COMPILED), input_size, hidden_size)

For a step and its backward, `kernels/lstm.py` makes about twenty-five calls of NumPy, and each of
them goes over whole arrays. Here the backward is one loop, which reads and writes each number once,
and the forward is a few, over one sequence at a time. The first call compiles for some seconds, and
numba keeps the result on disk.

The products are NumPy's as long as they are large. If a step has a small one, the calls take most
of the time. Then all steps are one call (`all_steps`, `all_steps_back`), and the product is a loop
as well (`row_product`). OpenBLAS is faster as soon as the matrix has more rows to work on at once:

    B, T, D, H           multiplications a step    time with NumPy's loop / time with one call
    1, 50,  32,  64              24,832                  2.3
    2, 50,  32,  64              49,664                  1.6
    8, 50,  16,  32              50,176                  1.4
    4, 50,  32,  64              99,328                  1.15
    8, 50,  32,  64             198,656                  0.87
   32, 50,  32,  64             794,624                  0.73

It is for float32 alone. There the elementwise part takes the largest share of the time, and PyTorch
has a compiled LSTM only there.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np

from rnn_tutorial.cells.kernels.kernel import Kernel, Loop
from rnn_tutorial.cells.kernels.lstm import LSTM_KERNEL
from rnn_tutorial.types import Array, Mask

njit: Any = (
    None  # without numba the functions stay Python, and `compiled_work` says what is missing
)
with suppress(ImportError):
    njit = import_module("numba").njit

__all__ = [
    "LARGEST_PRODUCT",
    "LSTM_COMPILED",
    "all_steps",
    "all_steps_back",
    "compiled",
    "compiled_backward",
    "compiled_forward",
    "compiled_slopes",
    "compiled_work",
    "loop_backward",
    "loop_forward",
    "power_of_two",
    "real_steps",
    "reduced",
    "row_product",
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


@compiled
def row_product(z: Array, W: Array, out: Array) -> None:
    """Write z @ W to out. Four rows of W at once: out is read and written once for them.

    Shapes: z (K,), W (K, H), out (H,).
    """
    K, H = W.shape
    fours = K - K % 4
    out[:] = 0
    for k in range(0, fours, 4):
        for j in range(H):
            two = z[k] * W[k, j] + z[k + 1] * W[k + 1, j]
            out[j] += two + z[k + 2] * W[k + 2, j] + z[k + 3] * W[k + 3, j]
    for k in range(fours, K):
        for j in range(H):
            out[j] += z[k] * W[k, j]


@compiled
def all_steps(
    weights: Array, zs: Array, cs: Array, gates: Array, tanh_cs: Array, real: Mask
) -> None:
    """Fill in the h in zs, cs, gates and tanh_cs: `row_product` and `compiled_forward` in turn.

    A step that is not real keeps the state.

    Shapes: weights (4, H + 1 + D, H), zs (T + 1, B, H + 1 + D), cs (T + 1, B, H),
    gates (T, 4, B, H), tanh_cs (T, B, H), real (T, B).
    """
    T, _, B, H = gates.shape
    hs, a = zs[:, :, :H], np.empty((4, B, H), zs.dtype)
    for t in range(T):
        for gate in range(4):
            for b in range(B):
                row_product(zs[t, b], weights[gate], a[gate, b])
        previous, state = (hs[t], cs[t]), (hs[t + 1], cs[t + 1])
        compiled_forward(None, a, previous, state, (gates[t], tanh_cs[t]))
        for b in range(B):
            if not real[t, b]:
                hs[t + 1, b] = hs[t, b]
                cs[t + 1, b] = cs[t, b]


@compiled
def all_steps_back(
    W_h_transposed: Array, cs: Array, gates: Array, tanh_cs: Array, real: Mask,
    dhs: Array, dh: Array, dc: Array, das: Array,
) -> None:  # fmt: skip
    """Fill in das, and turn (dh, dc) into the gradient of the first state.

    A step that is not real passes (dh, dc) on, and its das are 0.

    Shapes: W_h_transposed (4 H, H), cs (T + 1, B, H), gates (T, 4, B, H), tanh_cs (T, B, H),
    real (T, B), dhs (T, B, H), dh and dc (B, H), das (T, B, 4 H).
    """
    T, B, H = dhs.shape
    slopes = np.empty((4, 1, H), dhs.dtype)
    for t in range(T - 1, -1, -1):
        for b in range(B):
            if not real[t, b]:
                das[t, b] = 0
                continue
            row = slice(b, b + 1)
            dh[b] += dhs[t, b]
            slopes[1, 0] = cs[t, b]
            compiled_backward(slopes, (gates[t, :, row], tanh_cs[t, row]), (dh[row], dc[row]))
            das[t, b] = slopes.reshape(4 * H)
            row_product(das[t, b], W_h_transposed, dh[b])


def loop_forward(
    kernel: Kernel,
    work: None,
    weights: Array,
    zs: Array,
    states: Any,
    values: Any,
    mask: Mask | None,
) -> None:
    """Fill in the states and values of all steps with one call."""
    all_steps(weights, zs, states.c, *values, real_steps(mask, zs))


def loop_backward(
    kernel: Kernel, W_h_transposed: Array, cache: Any, dhs: Array, dstate: Any
) -> Array:
    """Return das (T, B, 4, H), with one call. dstate becomes the gradient of the first state."""
    T, B, H = dhs.shape
    das, W = np.empty((T, B, 4 * H), dhs.dtype), W_h_transposed.reshape(4 * H, H)
    real = real_steps(cache.mask, cache.zs)
    dhs = np.ascontiguousarray(dhs)
    all_steps_back(W, cache.states.c, *cache.values, real, dhs, *dstate, das)
    return das.reshape(T, B, 4, H)


def real_steps(mask: Mask | None, zs: Array) -> Mask:
    """Return the mask, or for None that of the steps of zs (T + 1, B, K), all of them real."""
    return np.ones((len(zs) - 1, zs.shape[1]), bool) if mask is None else mask


# Measured: see the table above.
LARGEST_PRODUCT = 10**5
LSTM_COMPILED = LSTM_KERNEL._replace(
    work=compiled_work, forward=compiled_forward, slopes=compiled_slopes,
    backward=compiled_backward, slots=4, loop=Loop(loop_forward, loop_backward, LARGEST_PRODUCT),
)  # fmt: skip
"""What `LSTM_KERNEL` computes, compiled, for float32."""
