"""The linear recurrent unit: each unit of the state is a complex number that turns and shrinks.

    c = r e^{i theta} c_previous + gamma (a_u + i a_v)      a_x = x @ W_x + b = [a_u, a_v]
    r = exp(-exp(nu))      gamma = sqrt(1 - r^2)

c is kept as two real arrays, h its real part, which is the output, and s its imaginary part. With
p = r cos(theta) and q = r sin(theta),

    h = p h_previous - q s_previous + gamma a_u
    s = q h_previous + p s_previous + gamma a_v

r is between 0 and 1 for any nu, so nothing explodes. gamma makes the size of c in the long run that
of its input, whatever r is. The angle theta is the frequency that the unit hears.

In the paper the output is Re(C c) with a complex matrix C, and theta is the exponential of its
parameter. Here it is Re(c): a Dense layer after it gives each unit real weights. A phase of C is
part of W_x, as far as the outputs can share it.

Source: Orvieto, Smith, Gu, Fernando, Gulcehre, Pascanu & De 2023, "Resurrecting recurrent neural
networks for long sequences", section 3.
"""

from typing import Any, NamedTuple

import numpy as np

from rnn_tutorial.bound import Bound
from rnn_tutorial.cells.gates import gate_blocks
from rnn_tutorial.cells.linear import LinearCell, init_linear
from rnn_tutorial.initializers import glorot_uniform, zeros
from rnn_tutorial.types import Array, Initializer, Rng
from rnn_tutorial.validation import check_number

__all__ = [
    "LRU",
    "LRUGates",
    "LRUParams",
    "LRUState",
    "LRUValues",
    "complex_of",
    "lru",
    "lru_coefficients",
    "lru_coefficients_backward",
    "lru_init",
    "lru_pointwise",
    "lru_pointwise_backward",
    "lru_shapes",
    "state_of_complex",
]


class LRUParams(NamedTuple):
    """The parameters of the cell: the two parts of the input side by side, and of a."""

    W_x: Array  # (D, 2H)
    W_h: Array  # (H, 0): nothing reads h through a matrix
    b: Array  # (2H,)
    nu: Array  # (H,), r = exp(-exp(nu))
    theta: Array  # (H,), the angle of a step


class LRUState(NamedTuple):
    """The state of the cell after a step."""

    h: Array  # (B, H), the real part
    s: Array  # (B, H), the imaginary part


class LRUGates(NamedTuple):
    """The two parts of the input: of their values, or their gradients."""

    u: Array
    v: Array


class LRUValues(NamedTuple):
    """What `lru_pointwise` keeps for its backward."""

    previous: LRUState
    a_u: Array  # (B, H)
    a_v: Array  # (B, H)


def complex_of(state: LRUState) -> Array:
    """Return h + i s."""
    return state.h + 1j * state.s


def state_of_complex(c: Array) -> LRUState:
    """Return the two parts of c, copied: the inverse of `complex_of`."""
    return LRUState(c.real.copy(), c.imag.copy())


def lru_init(
    rng: Rng,
    input_size: int,
    hidden_size: int,
    *,
    smallest: float = 0.9,
    largest: float = 0.999,
    widest: float = float(np.pi),
    W_x: Initializer = glorot_uniform,
    b: Initializer = zeros,
) -> LRUParams:
    """Return LRUParams: a uniform on the ring of radii `smallest` to `largest`, to angle `widest`.

    Raises: TypeError unless `rng` is a generator, ValueError for sizes that are not positive whole
    numbers.
    """
    matrix, W_h, bias = init_linear(rng, input_size, hidden_size, 2, W_x, b)
    squared = rng.uniform(smallest**2, largest**2, hidden_size)
    nu = np.log(-np.log(squared) / 2)
    return LRUParams(matrix, W_h, bias, nu, rng.uniform(0, widest, hidden_size))


def lru_shapes(D: int, H: int) -> Any:
    """Return LRUParams of shapes."""
    return LRUParams(W_x=(D, 2 * H), W_h=(H, 0), b=(2 * H,), nu=(H,), theta=(H,))  # type: ignore[arg-type]


def lru_pointwise(
    params: LRUParams, a_x: Array, a_h: Array, state: LRUState
) -> tuple[LRUState, LRUValues]:
    """Return (state, LRUValues) in real numbers, by the formulas at the top of this file.

    Shapes: a_x (B, 2H), a_h (B, 0).
    """
    a_u, a_v = gate_blocks(a_x, LRUGates)
    r, gamma = _radius(params)
    p, q = r * np.cos(params.theta), r * np.sin(params.theta)
    h = p * state.h - q * state.s + gamma * a_u
    s = q * state.h + p * state.s + gamma * a_v
    return LRUState(h, s), LRUValues(state, a_u, a_v)


def lru_pointwise_backward(
    params: LRUParams, cache: LRUValues, dstate: LRUState
) -> tuple[dict[str, Array], Array, Array, LRUState]:
    """Return ({"nu": dnu, "theta": dtheta}, da_x, da_h, dprevious).

        dp = dh h_previous + ds s_previous      dq = ds h_previous - dh s_previous
        dgamma = dh a_u + ds a_v
        dr = dp cos(theta) + dq sin(theta) - dgamma r / gamma      dnu = -dr r exp(nu)
        dtheta = dq p - dp q
        dh_previous = dh p + ds q      ds_previous = ds p - dh q

    with dp, dq and dgamma summed over the batch. The last line is conj(a) (dh + i ds).

    Shapes: dnu, dtheta (H,); da_x (B, 2H), da_h (B, 0), dprevious: LRUState of (B, H).
    """
    (h, s), a_u, a_v = cache
    dh, ds = dstate
    r, gamma = _radius(params)
    p, q = r * np.cos(params.theta), r * np.sin(params.theta)
    dp = (dh * h + ds * s).sum(axis=0)
    dq = (ds * h - dh * s).sum(axis=0)
    dgamma = (dh * a_u + ds * a_v).sum(axis=0)
    dextra = _radius_backward(params, dp, dq, dgamma)
    da_x = np.concatenate([gamma * dh, gamma * ds], axis=-1)
    dprevious = LRUState(dh * p + ds * q, ds * p - dh * q)
    return dextra, da_x, np.zeros((len(dh), 0), dh.dtype), dprevious


def lru_coefficients(params: LRUParams, a_x: Array) -> tuple[Array, Array, LRUGates]:
    """Return (a, b, LRUGates), complex: a = r e^{i theta} and b = gamma (a_u + i a_v).

    Shapes: a_x (..., 2H); a and b (..., H).
    """
    a_u, a_v = gate_blocks(a_x, LRUGates)
    r, gamma = _radius(params)
    b = gamma * (a_u + 1j * a_v)
    return np.broadcast_to(r * np.exp(1j * params.theta), b.shape), b, LRUGates(a_u, a_v)


def lru_coefficients_backward(
    params: LRUParams, gates: LRUGates, da: Array, db: Array
) -> tuple[dict[str, Array], Array]:
    """Return ({"nu": dnu, "theta": dtheta}, da_x).

    da = dp + i dq is summed over all steps and sequences, db = gamma^{-1} (da_u + i da_v).

    Shapes: da, db (..., H), complex; dnu, dtheta (H,); da_x (..., 2H).
    """
    _, gamma = _radius(params)
    others = tuple(range(da.ndim - 1))
    da = da.sum(axis=others)
    dgamma = (db.real * gates.u + db.imag * gates.v).sum(axis=others)
    dextra = _radius_backward(params, da.real, da.imag, dgamma)
    return dextra, np.concatenate([gamma * db.real, gamma * db.imag], axis=-1)


def _radius(params: LRUParams) -> tuple[Array, Array]:
    """Return (r, gamma): r = exp(-exp(nu)) and gamma = sqrt(1 - r^2), both without cancellation."""
    decay = np.exp(params.nu)
    return np.exp(-decay), np.sqrt(-np.expm1(-2 * decay))


def _radius_backward(params: LRUParams, dp: Array, dq: Array, dgamma: Array) -> dict[str, Array]:
    """Return {"nu": dnu, "theta": dtheta} from the gradients of p, q and gamma, each (H,)."""
    r, gamma = _radius(params)
    cos, sin = np.cos(params.theta), np.sin(params.theta)
    dr = dp * cos + dq * sin - dgamma * r / gamma
    return {"nu": -dr * r * np.exp(params.nu), "theta": (dq * cos - dp * sin) * r}


def lru(
    *,
    smallest: float = 0.9,
    largest: float = 0.999,
    widest: float = float(np.pi),
    W_x: Initializer = glorot_uniform,
    b: Initializer = zeros,
) -> LinearCell:
    """Return the linear recurrent unit, with a ring of first radii and angles of your choice.

    Raises: ValueError unless 0 <= smallest < largest < 1 and widest is at least 0.
    """
    largest = check_number("largest", largest, above=0, below=1)
    smallest = check_number("smallest", smallest, at_least=0, below=largest)
    widest = check_number("widest", widest, at_least=0)
    return LinearCell(
        name="LRU",
        Params=LRUParams,
        State=LRUState,
        gates="uv",
        init=Bound(lru_init, smallest=smallest, largest=largest, widest=widest, W_x=W_x, b=b),
        pointwise=lru_pointwise,
        pointwise_backward=lru_pointwise_backward,
        shapes=lru_shapes,
        coefficients=lru_coefficients,
        coefficients_backward=lru_coefficients_backward,
        joined=complex_of,
        parted=state_of_complex,
    )


LRU = lru()
"""The linear recurrent unit with radii from 0.9 to 0.999 and angles from 0 to pi."""
