"""Initial weights. An initializer is any callable `(rng, shape) -> array`: your own serves as well as these.

`shape` is (rows, columns) of a matrix that multiplies from the right, `x @ W`: rows are the fan in,
columns the fan out. All return float64; `rnn_tutorial.tree.tree_cast` makes a float32 model of a
float64 one.

`uniform(0.1)` and the like are equal to others of the same number, and can be pickled.
"""

import numpy as np

from rnn_tutorial.bound import Bound
from rnn_tutorial.validation import check_number

__all__ = [
    "constant",
    "constant_start",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "identity",
    "identity_start",
    "normal",
    "normal_start",
    "orthogonal",
    "uniform",
    "uniform_start",
    "zeros",
]


def zeros(rng, shape):
    """Return zeros; the usual start of a bias. rng is not used."""
    return np.zeros(shape)


def constant(value):
    """Return an initializer that fills with `value`. Raises: ValueError unless it is a finite number."""
    return Bound(constant_start, value=check_number("value", value))


def constant_start(rng, shape, *, value):
    """Return an array full of `value`; rng is not used."""
    return np.full(shape, value)


def uniform(limit):
    """Return an initializer that draws from U(-limit, limit). Raises: ValueError for a negative limit."""
    return Bound(uniform_start, limit=check_number("limit", limit, at_least=0))


def uniform_start(rng, shape, *, limit):
    """Return draws from U(-limit, limit)."""
    return rng.uniform(-limit, limit, shape)


def normal(scale):
    """Return an initializer that draws from N(0, scale^2). Raises: ValueError for a negative scale."""
    return Bound(normal_start, scale=check_number("scale", scale, at_least=0))


def normal_start(rng, shape, *, scale):
    """Return draws from N(0, scale^2)."""
    return rng.normal(0.0, scale, shape)


def glorot_uniform(rng, shape):
    """Return draws from U(-s, s), s = sqrt(6 / (rows + columns)), variance 2 / (rows + columns).

    Source: Glorot & Bengio 2010, equation 16.
    """
    limit = np.sqrt(6 / sum(_matrix(shape)))
    return rng.uniform(-limit, limit, shape)


def glorot_normal(rng, shape):
    """Return draws from N(0, 2 / (rows + columns)). Source: Glorot & Bengio 2010, equation 12."""
    return rng.normal(0.0, np.sqrt(2 / sum(_matrix(shape))), shape)


def he_normal(rng, shape):
    """Return draws from N(0, 2 / rows), for layers that end in a ReLU. Source: He et al. 2015, equation 10."""
    rows, _ = _matrix(shape)
    return rng.normal(0.0, np.sqrt(2 / rows), shape)


def orthogonal(rng, shape):
    """Return a random matrix with orthonormal rows or columns, whichever are fewer; if square, W W^T = I.

    Q of the QR decomposition of a Gaussian matrix, with the signs of R's diagonal moved into Q:
    only then is every rotation and reflection equally likely. Source: Mezzadri 2007, section 5;
    Saxe et al. 2014 for the use.
    """
    rows, columns = _matrix(shape)
    q, r = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns))))
    q = q * np.sign(np.diag(r))
    return q if rows >= columns else q.T.copy()


def identity(scale=1.0):
    """Return an initializer of scale * I, for square matrices; with ReLU, by Le, Jaitly & Hinton.

    Raises: ValueError unless `scale` is a finite number, and, when it is called, for a matrix that
    is not square.
    Source: Le, Jaitly & Hinton 2015, section 3.
    """
    return Bound(identity_start, scale=check_number("scale", scale))


def identity_start(rng, shape, *, scale):
    """Return scale * I; rng is not used."""
    rows, columns = _matrix(shape)
    if rows != columns:
        raise ValueError(f"shape: the identity start needs a square matrix, got {shape}")
    return scale * np.eye(rows)


def _matrix(shape):
    if len(shape) != 2:
        raise ValueError(f"shape: expected (rows, columns), got {shape}")
    return shape
