"""Activations: a function and its derivative, written in terms of the function's own output.

`y = f(a)` is at hand in every backward pass and `a` often is not, so the derivative takes y: for tanh it is 1 - y^2.
All are right for any finite pre-activation (a = 1e4 as well as -1e4), raise no warning, let a NaN through, keep the
dtype, and accept complex numbers, so that the complex step can check what is built from them.

Activations are equal if their names and functions are, and can be pickled: they are made of functions with a name in
this module, and of `Bound`. Build your own in the same way; one made of lambdas works, but cannot be pickled.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from rnn_tutorial.bound import Bound
from rnn_tutorial.validation import check_number

__all__ = [
    "Activation",
    "check_activations",
    "elu",
    "elu_derivative",
    "elu_of",
    "hard_sigmoid",
    "hard_sigmoid_derivative",
    "hard_sigmoid_of",
    "identity",
    "identity_of",
    "leaky_relu",
    "leaky_relu_derivative",
    "leaky_relu_of",
    "relu",
    "relu_derivative",
    "relu_of",
    "sigmoid",
    "sigmoid_derivative",
    "sigmoid_of",
    "tanh",
    "tanh_derivative",
]


class Activation(NamedTuple):
    """A name, `f: a -> y`, and `derivative: y -> dy/da`, elementwise, shape and dtype kept."""

    name: str
    f: Callable
    derivative: Callable

    def __repr__(self):
        return self.name


def check_activations(**named):
    """Raise TypeError, by name, for anything that is not an Activation."""
    for name, activation in named.items():
        if not isinstance(activation, Activation):
            raise TypeError(
                f"{name}: expected an Activation, such as activations.tanh, got {type(activation).__name__}"
            )


def identity_of(a):
    """Return a."""
    return a


identity = Activation("identity", f=identity_of, derivative=np.ones_like)
"""y = a."""


def tanh_derivative(y):
    """Return 1 - y^2."""
    return 1 - y * y


tanh = Activation("tanh", f=np.tanh, derivative=tanh_derivative)
"""y = tanh(a), dy/da = 1 - y^2."""


def sigmoid_of(a):
    """Return 1 / (1 + exp(-a)). Where exp(-a) overflows to infinity, its reciprocal is 0, which is right to rounding.

    The other common form, (1 + tanh(a / 2)) / 2, loses its digits where the gate is nearly closed: both terms cancel.
    """
    if np.iscomplexobj(a):  # whose exp overflows to NaN
        a = np.where(np.real(a) < -700, -700, a)
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-a))


def sigmoid_derivative(y):
    """Return y * (1 - y)."""
    return y * (1 - y)


sigmoid = Activation("sigmoid", f=sigmoid_of, derivative=sigmoid_derivative)
"""y = 1 / (1 + exp(-a)), dy/da = y (1 - y)."""


def relu_of(a):
    """Return max(a, 0)."""
    return np.maximum(a, 0)


def relu_derivative(y):
    """Return 1 where y > 0, else 0."""
    return (y > 0).astype(y.dtype)


relu = Activation("relu", f=relu_of, derivative=relu_derivative)
"""y = max(a, 0), dy/da = 1 where y > 0 and else 0 (at a = 0 the choice is 0, as in PyTorch)."""


def leaky_relu(slope=0.01):
    """Return the activation y = a where a > 0, else slope * a, with 0 < slope.

    Raises: ValueError for a slope that is not positive. Source: Maas, Hannun & Ng 2013, section 2.
    """
    slope = check_number("slope", slope, above=0)
    f, derivative = Bound(leaky_relu_of, slope=slope), Bound(leaky_relu_derivative, slope=slope)
    return Activation(f"leaky_relu({slope:g})", f, derivative)


def leaky_relu_of(a, *, slope):
    """Return a where a > 0, else slope * a."""
    return np.where(np.real(a) > 0, a, slope * a)


def leaky_relu_derivative(y, *, slope):
    """Return 1 where y > 0, else slope."""
    return np.where(np.real(y) > 0, np.ones_like(y), slope * np.ones_like(y))


def elu(alpha=1.0):
    """Return the activation y = a where a > 0, else alpha (exp(a) - 1), with 0 < alpha.

    There exp(a) = y / alpha + 1, so dy/da = y + alpha where a <= 0.
    Raises: ValueError for an alpha that is not positive. Source: Clevert et al. 2016, equation 15.
    """
    alpha = check_number("alpha", alpha, above=0)
    return Activation(
        f"elu({alpha:g})", Bound(elu_of, alpha=alpha), Bound(elu_derivative, alpha=alpha)
    )


def elu_of(a, *, alpha):
    """Return a where a > 0, else alpha (exp(a) - 1)."""
    return np.where(np.real(a) > 0, a, alpha * np.expm1(np.minimum(a, 0)))


def elu_derivative(y, *, alpha):
    """Return 1 where y > 0, else y + alpha."""
    return np.where(np.real(y) > 0, np.ones_like(y), y + alpha)


def hard_sigmoid(slope=1 / 6):
    """Return the activation y = clip(slope * a + 1/2, 0, 1): a sigmoid of straight lines.

    slope is 1/6 in PyTorch and Keras 3 and 1/5 in ONNX and older Keras. dy/da = slope where 0 < y < 1, else 0.
    Raises: ValueError for a slope that is not positive.
    """
    slope = check_number("slope", slope, above=0)
    f, derivative = Bound(hard_sigmoid_of, slope=slope), Bound(hard_sigmoid_derivative, slope=slope)
    return Activation(f"hard_sigmoid({slope:g})", f, derivative)


def hard_sigmoid_of(a, *, slope):
    """Return clip(slope * a + 1/2, 0, 1)."""
    return np.clip(slope * a + 0.5, 0, 1)


def hard_sigmoid_derivative(y, *, slope):
    """Return slope where 0 < y < 1, else 0."""
    return np.where((np.real(y) > 0) & (np.real(y) < 1), slope * np.ones_like(y), np.zeros_like(y))
