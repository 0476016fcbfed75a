"""Activations: a function and its derivative, written in terms of the function's own output.

`y = f(a)` is at hand in every backward pass and `a` often is not, so the derivative takes y: for tanh it is 1 - y^2.
All are right for any finite pre-activation (a = 1e4 as well as -1e4), raise no warning, let a NaN through, keep the
dtype, and accept complex numbers, so that the complex step can check what is built from them.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from rnn_tutorial.validation import check_number


class Activation(NamedTuple):
    """A name, `f: a -> y`, and `derivative: y -> dy/da`, elementwise, shape and dtype kept."""

    name: str
    f: Callable
    derivative: Callable


def check_activations(**named):
    """Return nothing, or refuse by name what is no Activation."""
    for name, activation in named.items():
        if not isinstance(activation, Activation):
            raise TypeError(f"{name}: expected an Activation, such as activations.tanh, got {type(activation).__name__}")


identity = Activation("identity", f=lambda a: a, derivative=np.ones_like)
"""y = a."""

tanh = Activation("tanh", f=np.tanh, derivative=lambda y: 1 - y * y)
"""y = tanh(a), dy/da = 1 - y^2."""


def sigmoid_of(a):
    """Return 1 / (1 + exp(-a)). Where exp(-a) overflows to infinity, its reciprocal is 0, which is right to rounding.

    The other common form, (1 + tanh(a / 2)) / 2, loses its digits where the gate is nearly closed: both terms cancel.
    """
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-a))


def sigmoid_derivative(y):
    """Return y * (1 - y)."""
    return y * (1 - y)


sigmoid = Activation("sigmoid", f=sigmoid_of, derivative=sigmoid_derivative)
"""y = 1 / (1 + exp(-a)), dy/da = y (1 - y)."""

relu = Activation("relu", f=lambda a: np.maximum(a, 0), derivative=lambda y: (y > 0).astype(y.dtype))
"""y = max(a, 0), dy/da = 1 where y > 0 and else 0 (at a = 0 the choice is 0, as in PyTorch)."""


def leaky_relu(slope=0.01):
    """Return the activation y = a where a > 0, else slope * a, with 0 < slope (Maas, Hannun & Ng 2013, section 2)."""
    check_number("slope", slope, above=0)

    def derivative(y):
        return np.where(np.real(y) > 0, np.ones_like(y), slope * np.ones_like(y))

    return Activation("leaky_relu", lambda a: np.where(np.real(a) > 0, a, slope * a), derivative)


def elu(alpha=1.0):
    """Return the activation y = a where a > 0, else alpha (exp(a) - 1), with 0 < alpha (Clevert et al. 2016, eq. 15).

    There exp(a) = y / alpha + 1, so dy/da = y + alpha where a <= 0.
    """
    check_number("alpha", alpha, above=0)

    def f(a):
        return np.where(np.real(a) > 0, a, alpha * np.expm1(np.minimum(a, 0)))

    return Activation("elu", f, lambda y: np.where(np.real(y) > 0, np.ones_like(y), y + alpha))


def hard_sigmoid(slope=1 / 6):
    """Return the activation y = clip(slope * a + 1/2, 0, 1): a sigmoid of straight lines.

    slope is 1/6 in PyTorch and Keras 3 and 1/5 in ONNX and older Keras. dy/da = slope where 0 < y < 1, else 0.
    """
    check_number("slope", slope, above=0)

    def derivative(y):
        return np.where((np.real(y) > 0) & (np.real(y) < 1), slope * np.ones_like(y), np.zeros_like(y))

    return Activation("hard_sigmoid", lambda a: np.clip(slope * a + 0.5, 0, 1), derivative)
