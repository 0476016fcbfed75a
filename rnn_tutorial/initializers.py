"""Initial weights. An initializer is any callable `(rng, shape) -> array`; yours works like these.

`shape` is (rows, columns) of a matrix that multiplies from the right, `x @ W`: rows are the fan in,
columns the fan out. All return float64; `rnn_tutorial.tree.tree_cast` makes a float32 model of a
float64 one.

`uniform(0.1)` is equal to another `uniform(0.1)`, and can be pickled; so are the others that take a
number.
"""

import numpy as np

from rnn_tutorial.bound import Bound
from rnn_tutorial.types import Array, Initializer, Rng
from rnn_tutorial.validation import check_number

__all__ = [
    "constant",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "identity",
    "normal",
    "orthogonal",
    "uniform",
    "zeros",
]


def zeros(rng: Rng, shape: tuple[int, ...]) -> Array:
    """Return zeros, the usual start of a bias. rng is not used."""
    return np.zeros(shape)


def constant(value: float) -> Initializer:
    """Return an initializer that fills the array with `value`.

    Raises: ValueError unless `value` is a finite number.
    """
    return Bound(constant_start, value=check_number("value", value))


def constant_start(rng: Rng, shape: tuple[int, ...], *, value: float) -> Array:
    """Return an array full of `value`. rng is not used."""
    return np.full(shape, value)


def uniform(limit: float) -> Initializer:
    """Return an initializer that draws from U(-limit, limit).

    Raises: ValueError unless `limit` is a finite number and at least 0.
    """
    return Bound(uniform_start, limit=check_number("limit", limit, at_least=0))


def uniform_start(rng: Rng, shape: tuple[int, ...], *, limit: float) -> Array:
    """Return draws from U(-limit, limit)."""
    return rng.uniform(-limit, limit, shape)


def normal(scale: float) -> Initializer:
    """Return an initializer that draws from N(0, scale^2).

    Raises: ValueError unless `scale` is a finite number and at least 0.
    """
    return Bound(normal_start, scale=check_number("scale", scale, at_least=0))


def normal_start(rng: Rng, shape: tuple[int, ...], *, scale: float) -> Array:
    """Return draws from N(0, scale^2)."""
    return rng.normal(0.0, scale, shape)


def glorot_uniform(rng: Rng, shape: tuple[int, ...]) -> Array:
    """Return draws from U(-s, s), s = sqrt(6 / (rows + columns)); variance 2 / (rows + columns).

    Raises: ValueError for a shape that is not (rows, columns).

    Source: Glorot & Bengio 2010, equation 16.
    """
    limit = np.sqrt(6 / sum(_matrix(shape)))
    return rng.uniform(-limit, limit, shape)


def glorot_normal(rng: Rng, shape: tuple[int, ...]) -> Array:
    """Return draws from N(0, 2 / (rows + columns)).

    Raises: ValueError for a shape that is not (rows, columns).

    Source: Glorot & Bengio 2010, equation 12.
    """
    return rng.normal(0.0, np.sqrt(2 / sum(_matrix(shape))), shape)


def he_normal(rng: Rng, shape: tuple[int, ...]) -> Array:
    """Return draws from N(0, 2 / rows), for layers that end in a ReLU.

    Raises: ValueError for a shape that is not (rows, columns).

    Source: He et al. 2015, equation 10.
    """
    rows, _ = _matrix(shape)
    return rng.normal(0.0, np.sqrt(2 / rows), shape)


def orthogonal(rng: Rng, shape: tuple[int, ...]) -> Array:
    """Return a random matrix with orthonormal rows or columns, whichever are fewer.

    If it is square, W W^T = I. The matrix is the Q of the QR decomposition of a Gaussian matrix,
    with the signs of R's diagonal moved into Q: only then is every rotation and reflection equally
    likely.

    Raises: ValueError for a shape that is not (rows, columns).

    Source: Mezzadri 2007, section 5; Saxe et al. 2014 for the use.
    """
    rows, columns = _matrix(shape)
    q, r = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns))))
    q = q * np.sign(np.diag(r))
    return q if rows >= columns else q.T.copy()


def identity(scale: float = 1.0) -> Initializer:
    """Return an initializer of scale * I, for square matrices. It is meant for networks with ReLU.

    Raises: ValueError unless `scale` is a finite number. The initializer raises ValueError for a
    matrix that is not square.

    Source: Le, Jaitly & Hinton 2015, section 3.
    """
    return Bound(identity_start, scale=check_number("scale", scale))


def identity_start(rng: Rng, shape: tuple[int, ...], *, scale: float) -> Array:
    """Return scale * I. rng is not used.

    Raises: ValueError for a shape that is not square.
    """
    rows, columns = _matrix(shape)
    if rows != columns:
        raise ValueError(f"shape: the identity start needs a square matrix, got {shape}")
    return scale * np.eye(rows)


def _matrix(shape: tuple[int, ...]) -> tuple[int, int]:
    if len(shape) != 2:
        raise ValueError(f"shape: expected (rows, columns), got {shape}")
    rows, columns = shape
    return rows, columns
