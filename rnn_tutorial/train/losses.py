"""Losses: the number that training lowers, and its gradient.

Each is `loss(ys, targets, *, mask=None) -> (value, dys)`, where `value` is a mean over everything
that counts and `dys` is the gradient of exactly that mean. `mask` is boolean, of the shape of `ys`
without its last axis: True counts, False (padding) is left out of the mean, and its gradient is
zero. The values at a masked place, in `ys` or in `targets`, are never read.

The two penalties on the outputs of a recurrent layer have no targets: `activation_regularization`
and `temporal_activation_regularization`, AR and TAR. Add value and gradient to those of the loss.

The value has the dtype of `ys`, complex numbers included, so that a complex step can judge `dys`.
`ys` is float32 or float64. float16 is refused: in float16 the number of rows of a long batch is
infinite, and every gradient zero.
"""

from typing import Any

import numpy as np

from rnn_tutorial.types import Array, Mask
from rnn_tutorial.validation import (
    FLOATS,
    check_finite,
    check_indices,
    check_number,
    describe,
    is_array,
)

__all__ = [
    "activation_regularization",
    "binary_cross_entropy",
    "log_softmax",
    "mean_absolute_error",
    "mean_squared_error",
    "softmax",
    "softmax_cross_entropy",
    "temporal_activation_regularization",
]

BLOCK_BYTES = 2**20  # of the rows that are computed at a time: about the second-level cache


def mean_squared_error(ys: Array, targets: Array, *, mask: Mask | None = None) -> tuple[Any, Array]:
    """Return the mean of (ys - targets)^2 and its gradient 2 (ys - targets) / n.

    n is the number of entries counted.

    Shapes: ys and targets (..., K), mask (...,); usually (T, B, K) and (T, B).

    Raises: TypeError for whole numbers, float16 or mixed dtypes, ValueError for shapes that differ,
    a target that is not finite, or a mask without a True.
    """
    counted = _counted("ys", ys, mask)
    _check_real_targets("ys", ys, targets, counted)
    error = ys[counted] - targets[counted]
    return np.mean(error**2), _spread(2 * error / error.size, counted)


def mean_absolute_error(
    ys: Array, targets: Array, *, mask: Mask | None = None
) -> tuple[Any, Array]:
    """Return the mean of |ys - targets| and its gradient sign(ys - targets) / n.

    n is the number of entries counted. Where ys equals its target the gradient is 0. A complex step
    cannot pass the absolute value, so `ys` must be real.

    Shapes: as in `mean_squared_error`.

    Raises: as in `mean_squared_error`, and TypeError for complex `ys`.
    """
    counted = _counted("ys", ys, mask)
    if np.iscomplexobj(ys):
        raise TypeError(
            f"ys: expected real numbers, since |y| has no complex derivative, got {ys.dtype}"
        )
    _check_real_targets("ys", ys, targets, counted)
    error = ys[counted] - targets[counted]
    return np.mean(np.abs(error)), _spread(np.sign(error) / error.size, counted)


def binary_cross_entropy(
    logits: Array, targets: Array, *, mask: Mask | None = None, temperature: float = 1.0
) -> tuple[Any, Array]:
    """Return the mean of -t log p - (1 - t) log(1 - p) and its gradient (p - t) / (n temperature).

    Here z = logits / temperature, p = 1 / (1 + exp(-z)), t = targets, and n is the number of
    entries counted. Computed as max(z, 0) - z t + log(1 + exp(-|z|)), which is the same number and
    cannot overflow. In nats.

    Shapes: logits and targets (..., K), mask (...,). Targets are probabilities from 0 to 1, of the
    dtype of logits.

    Raises: as in `mean_squared_error`, and ValueError for another target or a temperature that is
    not positive.
    """
    counted = _counted("logits", logits, mask)
    _check_real_targets("logits", logits, targets, counted)
    temperature = _temperature(logits, temperature)
    z, t = logits[counted] / temperature, targets[counted]
    if t.min() < 0 or t.max() > 1:
        raise ValueError(f"targets: expected probabilities from 0 to 1, got {t.min()} to {t.max()}")
    positive = z.real > 0
    e = np.exp(np.where(positive, -z, z))  # exp(-|z|), at most 1
    value = np.mean(np.where(positive, z, 0) - z * t + np.log1p(e))
    p = np.where(positive, 1, e) / (1 + e)
    return value, _spread((p - t) / (t.size * temperature), counted)


def softmax_cross_entropy(
    logits: Array, targets: Array, *, mask: Mask | None = None, temperature: float = 1.0
) -> tuple[Any, Array]:
    """Return the mean of -log p[target] and its gradient (p - onehot(target)) / (n temperature).

    Here p = softmax(logits / temperature) over the last axis, and n is the number of rows (steps of
    sequences) counted. In nats: `metrics.bits_per_character` and `metrics.perplexity` give it in
    other units.

    A few rows are computed at a time, so that they stay in the processor's cache: of a large
    vocabulary, only the logits and the gradient are in memory.

    Shapes: logits (..., V), targets (...,), whole numbers in 0..V-1, mask (...,); usually
    (T, B, V), (T, B), (T, B).

    Raises: TypeError for logits that are whole numbers or float16, or targets that are not whole
    numbers, IndexError for a class outside 0..V-1, ValueError for a wrong shape, a mask without a
    True, or a temperature that is not positive.
    """
    counted = _counted("logits", logits, mask)
    _check_classes(targets, counted, logits.shape[-1])
    temperature = _temperature(logits, temperature)
    n, V = int(np.count_nonzero(counted)), logits.shape[-1]
    flat, classes = logits.reshape(-1, V), targets.reshape(-1)
    dflat = (np.empty if mask is None else np.zeros)(flat.shape, flat.dtype)
    losses = []
    for rows in _row_blocks(flat, mask):
        values, dflat[rows] = _cross_entropies(flat[rows], classes[rows], temperature, n)
        losses.append(values)
    return np.mean(np.concatenate(losses)), dflat.reshape(logits.shape)


def activation_regularization(
    hs: Array, alpha: float, *, mask: Mask | None = None
) -> tuple[Any, Array]:
    """Return alpha times the mean of h^2 (AR), and its gradient.

    Each entry is in one term of the mean, so

        dh = 2 alpha h / n

    n is the number of entries counted. It keeps outputs small. In the paper, hs are the outputs of
    the last layer after dropout, and there is a norm; its code has this mean.

    Shapes: hs (T, B, H), mask (T, B).

    Raises: as in `mean_squared_error`; ValueError unless alpha is at least 0.

    Source: Merity, Keskar and Socher (2017), "Regularizing and optimizing LSTM language models", 4;
    Merity, McCann and Socher (2017), "Revisiting activation regularization for language RNNs".
    """
    alpha = check_number("alpha", alpha, at_least=0)
    counted = _counted("hs", hs, mask)
    h = hs[counted]
    return alpha * np.mean(h**2), _spread(2 * alpha * h / h.size, counted)


def temporal_activation_regularization(
    hs: Array, beta: float, *, mask: Mask | None = None
) -> tuple[Any, Array]:
    """Return beta times the mean of (h_t - h_(t-1))^2 (TAR), and its gradient.

    h_t is in two terms, as the later one and as the earlier one, so

        dh_t = 2 beta ((h_t - h_(t-1)) - (h_(t+1) - h_t)) / n

    where a difference with a step that does not exist is 0. n is the number of entries of the
    differences counted: both steps must be real. It keeps what the network says from changing
    quickly. In the paper, hs are the outputs of the last layer before dropout.

    Shapes: hs (T, B, H), mask (T, B).

    Raises: as in `mean_squared_error`; ValueError unless beta is at least 0, and for a batch
    without two real steps one after the other.

    Source: as in `activation_regularization`.
    """
    beta = check_number("beta", beta, at_least=0)
    counted = _counted("hs", hs, mask)
    pairs = counted[1:] & counted[:-1]
    if not pairs.any():
        raise ValueError("hs: expected two real steps one after the other, got none")
    later, earlier = hs[1:][pairs], hs[:-1][pairs]
    slope = _spread(2 * beta * (later - earlier) / later.size, pairs)
    none = np.zeros_like(slope[:1])
    dhs = np.concatenate([none, slope]) - np.concatenate([slope, none])
    return beta * np.mean((later - earlier) ** 2), dhs


def softmax(logits: Array, temperature: float = 1.0) -> Array:
    """Return the probabilities exp(logits / temperature) / sum(exp(logits / temperature)).

    The sum is over the last axis. The largest logit is subtracted first: the probabilities are the
    same, and exp cannot overflow. A high temperature makes the probabilities more equal, a low one
    prefers the largest.

    Shapes: logits and the answer (..., V).

    Raises: TypeError for anything but an array of floating-point numbers, ValueError for a
    temperature that is not positive.
    """
    e = np.exp(_shifted(logits, temperature))
    return e / e.sum(axis=-1, keepdims=True)


def log_softmax(logits: Array, temperature: float = 1.0) -> Array:
    """Return log(softmax(logits, temperature)), finite also where the probability rounds to 0.

    Shapes: logits and the answer (..., V).

    Raises: as in `softmax`.
    """
    z = _shifted(logits, temperature)
    return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))


def _shifted(logits: Array, temperature: float) -> Array:
    _check_floats("logits", logits)
    temperature = _temperature(logits, temperature)
    with np.errstate(over="ignore"):  # -infinity at a very low temperature: the probability is 0
        z = logits - logits.real.max(axis=-1, keepdims=True)
        return z if temperature == 1 else np.divide(z, temperature, z)


def _temperature(logits: Array, temperature: float) -> float:
    """Return the temperature as a Python float that is not zero in the dtype of the logits."""
    return check_number(
        "temperature", temperature, above=0, at_least=float(np.finfo(logits.dtype).tiny)
    )


def _counted(name: str, ys: Array, mask: Mask | None) -> Mask:
    """Return the mask, or one that counts everything."""
    _check_floats(name, ys)
    counted = np.ones(ys.shape[:-1], bool) if mask is None else mask
    if not is_array(counted) or counted.dtype != bool:
        raise TypeError(
            f"mask: expected a boolean array, True where a step counts, got {describe(counted)}"
        )
    if counted.shape != ys.shape[:-1]:
        want = f"expected shape {ys.shape[:-1]}, that of {name} without its last axis"
        raise ValueError(f"mask: {want}, got {counted.shape}")
    if not counted.any():
        raise ValueError(
            "mask: expected at least one True, got none, and the mean of nothing has no value"
        )
    return counted


def _spread(rows: Array, counted: Mask) -> Array:
    """Return zeros with `rows` at the places that count."""
    dys = np.zeros((*counted.shape, rows.shape[-1]), rows.dtype)
    dys[counted] = rows
    return dys


def _cross_entropies(
    logits: Array, classes: Array, temperature: float, n: int
) -> tuple[Array, Array]:
    """Return -log p[class] of each row, and the gradient of the mean over n rows."""
    z, places = _shifted(logits, temperature), (np.arange(len(classes)), classes)
    z_class = z[places]
    p = np.exp(z, z)
    sums = p @ np.ones((p.shape[1], 1), p.dtype)  # in less time than p.sum
    p /= sums * (n * temperature)
    p[places] -= 1 / (n * temperature)
    return np.log(sums[:, 0]) - z_class, p


def _row_blocks(flat: Array, mask: Mask | None) -> list[Any]:
    """Return the numbers of the rows that count, some at a time: they stay in the cache.

    Slices, which make no copy, where all rows count.
    """
    size = max(1, BLOCK_BYTES // (flat.shape[1] * flat.itemsize))
    real = None if mask is None else np.flatnonzero(mask)
    starts = range(0, len(flat) if real is None else len(real), size)
    return [slice(k, k + size) if real is None else real[k : k + size] for k in starts]


def _check_floats(name: str, array: Array) -> None:
    if not is_array(array) or array.dtype.char not in FLOATS:
        wanted = "an array of floating-point numbers"
        raise TypeError(
            f"{name}: expected {wanted}, got {describe(array)} (float32 or float64 is needed)"
        )
    if array.ndim == 0 or array.size == 0:
        raise ValueError(
            f"{name}: expected at least one axis and one entry, got shape {array.shape}"
        )


def _check_real_targets(name: str, ys: Array, targets: Array, counted: Mask) -> None:
    if not is_array(targets) or targets.dtype != ys.real.dtype:
        raise TypeError(
            f"targets: expected an array of {ys.real.dtype}, the dtype of {name}, "
            f"got {describe(targets)}"
        )
    if targets.shape != ys.shape:
        raise ValueError(f"targets: expected shape {ys.shape}, that of {name}, got {targets.shape}")
    check_finite("targets", np.where(counted[..., None], targets, 0))


def _check_classes(targets: Array, counted: Mask, V: int) -> None:
    if not is_array(targets) or targets.dtype.kind not in "iu":
        raise TypeError(
            f"targets: expected an array of class indices, whole numbers, got {describe(targets)}"
        )
    if targets.shape != counted.shape:
        want = f"expected shape {counted.shape}, that of logits without its last axis"
        raise ValueError(f"targets: {want}, got {targets.shape}")
    check_indices("targets", np.where(counted, targets, 0), V)
