"""Activations: a function and its derivative, written in terms of the function's own output.

Every backward pass has y = f(a), and many no longer have a, so the derivative takes y: for tanh it
is 1 - y^2. All activations are right for any finite pre-activation (a = 1e4 as well as -1e4), raise
no warning, return NaN for NaN, keep the dtype, and accept complex numbers, so that functions built
from them can be checked by the complex step.

Two activations are equal if their names and functions are. They can be pickled, because they are
made of functions that have a name in this module, and of `Bound`. Build your own in the same way:
one made of lambdas works, but cannot be pickled.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from rnn_tutorial.bound import Bound
from rnn_tutorial.types import Array
from rnn_tutorial.validation import check_number

__all__ = [
    "Activation",
    "check_activations",
    "elu",
    "hard_sigmoid",
    "identity",
    "leaky_relu",
    "relu",
    "sigmoid",
    "tanh",
]


class Activation(NamedTuple):
    """A name, `f: a -> y`, and `derivative: y -> dy/da`, elementwise, shape and dtype kept."""

    name: str
    f: Callable[[Array], Array]
    derivative: Callable[[Array], Array]

    def __repr__(self) -> str:
        return self.name


def check_activations(**named: Any) -> None:
    """Raise TypeError, by name, for anything that is not an Activation."""
    for name, activation in named.items():
        if not isinstance(activation, Activation):
            got = type(activation).__name__
            raise TypeError(f"{name}: expected an Activation, such as activations.tanh, got {got}")


def identity_of(a: Array) -> Array:
    """Return a."""
    return a


identity = Activation("identity", f=identity_of, derivative=np.ones_like)
"""y = a."""


def tanh_derivative(y: Array) -> Array:
    """Return 1 - y^2."""
    return 1 - y * y


tanh = Activation("tanh", f=np.tanh, derivative=tanh_derivative)
"""y = tanh(a), dy/da = 1 - y^2."""


def sigmoid_of(a: Array) -> Array:
    """Return 1 / (1 + exp(-a)).

    Where exp(-a) overflows to infinity, its reciprocal is 0, which is right to rounding. The other
    common form, (1 + tanh(a / 2)) / 2, loses its digits where the gate is nearly closed: the two
    terms cancel.
    """
    if np.iscomplexobj(a):  # whose exp overflows to NaN
        a = np.maximum(a, -700.0)  # by the real part
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-a))


def sigmoid_derivative(y: Array) -> Array:
    """Return y * (1 - y)."""
    return y * (1 - y)


sigmoid = Activation("sigmoid", f=sigmoid_of, derivative=sigmoid_derivative)
"""y = 1 / (1 + exp(-a)), dy/da = y (1 - y)."""


def relu_of(a: Array) -> Array:
    """Return max(a, 0)."""
    return np.maximum(a, 0)


def relu_derivative(y: Array) -> Array:
    """Return 1 where y > 0, else 0."""
    return (y > 0).astype(y.dtype)


relu = Activation("relu", f=relu_of, derivative=relu_derivative)
"""y = max(a, 0), dy/da = 1 where y > 0 and else 0 (at a = 0 the choice is 0, as in PyTorch)."""


def leaky_relu(slope: float = 0.01) -> Activation:
    """Return the activation y = a where a > 0, else slope * a, with 0 < slope.

    Raises: ValueError unless `slope` is a finite positive number.

    Source: Maas, Hannun & Ng 2013, section 2.
    """
    slope = check_number("slope", slope, above=0)
    f, derivative = Bound(leaky_relu_of, slope=slope), Bound(leaky_relu_derivative, slope=slope)
    return Activation(f"leaky_relu({slope:g})", f, derivative)


def leaky_relu_of(a: Array, *, slope: float) -> Array:
    """Return a where a > 0, else slope * a."""
    return np.where(np.real(a) > 0, a, slope * a)


def leaky_relu_derivative(y: Array, *, slope: float) -> Array:
    """Return 1 where y > 0, else slope."""
    return np.where(np.real(y) > 0, np.ones_like(y), slope * np.ones_like(y))


def elu(alpha: float = 1.0) -> Activation:
    """Return the activation y = a where a > 0, else alpha (exp(a) - 1), with 0 < alpha.

    Where a <= 0, exp(a) = y / alpha + 1, so dy/da = alpha exp(a) = y + alpha.

    Raises: ValueError unless `alpha` is a finite positive number.

    Source: Clevert et al. 2016, equation 15.
    """
    alpha = check_number("alpha", alpha, above=0)
    f, derivative = Bound(elu_of, alpha=alpha), Bound(elu_derivative, alpha=alpha)
    return Activation(f"elu({alpha:g})", f, derivative)


def elu_of(a: Array, *, alpha: float) -> Array:
    """Return a where a > 0, else alpha (exp(a) - 1)."""
    return np.where(np.real(a) > 0, a, alpha * np.expm1(np.minimum(a, 0)))


def elu_derivative(y: Array, *, alpha: float) -> Array:
    """Return 1 where y > 0, else y + alpha."""
    return np.where(np.real(y) > 0, np.ones_like(y), y + alpha)


def hard_sigmoid(slope: float = 1 / 6) -> Activation:
    """Return the activation y = clip(slope * a + 1/2, 0, 1): a sigmoid of straight lines.

    dy/da = slope where 0 < y < 1, else 0. The slope is 1/6 in PyTorch and Keras 3, and 1/5 in ONNX
    and older Keras.

    Raises: ValueError unless `slope` is a finite positive number.
    """
    slope = check_number("slope", slope, above=0)
    f, derivative = Bound(hard_sigmoid_of, slope=slope), Bound(hard_sigmoid_derivative, slope=slope)
    return Activation(f"hard_sigmoid({slope:g})", f, derivative)


def hard_sigmoid_of(a: Array, *, slope: float) -> Array:
    """Return clip(slope * a + 1/2, 0, 1)."""
    return np.clip(slope * a + 0.5, 0, 1)


def hard_sigmoid_derivative(y: Array, *, slope: float) -> Array:
    """Return slope where 0 < y < 1, else 0."""
    return np.where((np.real(y) > 0) & (np.real(y) < 1), slope * np.ones_like(y), np.zeros_like(y))
