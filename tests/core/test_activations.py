"""Activations: right everywhere, derivative from the output, no warnings.

They are compared with the complex step, `math` and PyTorch.
"""

import math
import warnings

import numpy as np
import pytest

from rnn_tutorial.activations import elu, hard_sigmoid, identity, leaky_relu, relu, sigmoid, tanh

ALL = [
    identity,
    tanh,
    sigmoid,
    relu,
    leaky_relu(),
    leaky_relu(0.3),
    elu(),
    elu(0.5),
    hard_sigmoid(),
    hard_sigmoid(0.2),
]
NAMES = [a.name for a in ALL]
FORMULAS = {  # one number at a time, by the standard library
    "identity": lambda a: a,
    "tanh": math.tanh,
    "sigmoid": lambda a: 1 / (1 + math.exp(-a)) if a > -700 else 0.0,
    "relu": lambda a: max(a, 0.0),
}


@pytest.mark.parametrize("activation", [identity, tanh, sigmoid, relu], ids=lambda a: a.name)
def test_values_are_those_of_the_formula(activation):
    points = np.array([-1e4, -30.0, -2.0, -1e-9, 0.0, 1e-9, 0.7, 2.0, 30.0, 1e4])
    expected = [FORMULAS[activation.name](a) for a in points]
    np.testing.assert_allclose(activation.f(points), expected, rtol=1e-14, atol=1e-16)


@pytest.mark.parametrize(("dtype", "u"), [("float32", 2.0**-24), ("float64", 2.0**-53)])
def test_a_nearly_closed_sigmoid_keeps_its_digits(dtype, u):
    a = np.linspace(-40, 0, 401).astype(dtype)
    exact = [math.exp(-math.log1p(math.exp(-x))) if x > -36 else math.exp(x) for x in a.tolist()]
    np.testing.assert_allclose(sigmoid.f(a), exact, rtol=max(4 * u, 2e-14), atol=0)


def test_values_of_the_piecewise_ones():
    np.testing.assert_allclose(leaky_relu(0.1).f(np.array([-2.0, 0.0, 3.0])), [-0.2, 0, 3])
    np.testing.assert_allclose(elu(2.0).f(np.array([-1.0, 0.0, 3.0])), [2 * math.expm1(-1), 0, 3])
    np.testing.assert_allclose(
        hard_sigmoid().f(np.array([-4.0, -1.5, 0.0, 1.5, 4.0])), [0, 0.25, 0.5, 0.75, 1]
    )
    np.testing.assert_allclose(hard_sigmoid(0.2).f(np.array([-4.0, 1.0])), [0, 0.7])


@pytest.mark.parametrize("activation", ALL, ids=NAMES)
def test_the_derivative_from_the_output_is_the_slope(activation):
    a = np.random.default_rng(0).uniform(-4, 4, 400)
    slope = np.imag(activation.f(a + 1e-20j)) / 1e-20
    np.testing.assert_allclose(
        activation.derivative(activation.f(a)), slope, rtol=1e-12, atol=1e-15
    )


@pytest.mark.parametrize("activation", ALL, ids=NAMES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_no_warning_no_nan_and_the_dtype_kept_at_any_size(activation, dtype):
    a = np.array([-1e4, -710, -100, -1, 0, 1, 100, 710, 1e4], dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with np.errstate(all="raise", under="ignore"):
            y = activation.f(a)
            slope = activation.derivative(y)
    assert y.dtype == slope.dtype == a.dtype
    assert y.shape == slope.shape == a.shape
    assert np.isfinite(y).all() and np.isfinite(slope).all()


@pytest.mark.parametrize("activation", ALL, ids=NAMES)
def test_a_complex_step_is_finite_at_any_size(activation):
    points = np.array([-1e4, -710, -100, 100, 710, 1e4])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        y = activation.f(points + 1e-20j)
    slope = activation.derivative(activation.f(points))
    np.testing.assert_allclose(np.imag(y) / 1e-20, slope, rtol=1e-12, atol=1e-40)


@pytest.mark.parametrize("activation", ALL, ids=NAMES)
def test_a_nan_stays_a_nan(activation):
    assert np.isnan(activation.f(np.array([np.nan]))).all()


def test_at_zero_relu_has_slope_zero():
    assert relu.derivative(relu.f(np.zeros(1)))[0] == 0


@pytest.mark.parametrize("make", [leaky_relu, elu, hard_sigmoid])
def test_a_shape_that_is_not_positive_is_refused(make):
    for bad in (0, -1, float("nan")):
        with pytest.raises(ValueError, match="expected a finite number above 0"):
            make(bad)


def test_agrees_with_pytorch():
    torch = pytest.importorskip("torch")
    F = torch.nn.functional
    theirs = {
        tanh: torch.tanh,
        sigmoid: torch.sigmoid,
        relu: torch.relu,
        ALL[5]: lambda a: F.leaky_relu(a, 0.3),
        ALL[7]: lambda a: F.elu(a, 0.5),
        ALL[8]: F.hardsigmoid,
    }
    a = np.random.default_rng(1).uniform(-5, 5, 200)
    for ours, function in theirs.items():
        leaf = torch.tensor(a, requires_grad=True)
        y = function(leaf)
        y.sum().backward()
        np.testing.assert_allclose(ours.f(a), y.detach().numpy(), rtol=1e-13, atol=1e-15)
        rtol = (
            1e-7 if ours == hard_sigmoid() else 1e-12
        )  # PyTorch 2.13 has its 1/6 in float32 there
        np.testing.assert_allclose(
            ours.derivative(ours.f(a)), leaf.grad.numpy(), rtol=rtol, atol=1e-15
        )
