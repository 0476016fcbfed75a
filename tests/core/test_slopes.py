"""A complex step that was lost is refused by name, and one that was not is never refused."""

import math
import warnings

import numpy as np
import pytest

from rnn_tutorial.gradient_check import (
    CannotJudge,
    ComplexStepLost,
    GradientError,
    central_difference_slope,
    check_gradients,
    complex_step_slope,
    numerical_gradient,
)
from rnn_tutorial.tree import tree_dot

X = np.array([0.3, -0.4, 0.8])


def buffer(x):
    hs = np.zeros((2, 3))
    for t in range(2):
        hs[t] = np.tanh((t + 1) * x)
    return hs


def buffer_without_a_warning(x):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return buffer(x)


def buffer_for_one_of_two(x):
    gate = np.empty(3)
    gate[:] = np.real(np.tanh(x))
    return gate * np.sin(x)


def a_loop_of_floats(x):
    return np.array([float(entry) for entry in np.tanh(x)]) * x


def a_table(x):
    knots = np.linspace(-2, 2, 9)
    low = np.clip(
        np.searchsorted(knots, x.real, "right") - 1, 0, 7
    )  # the real part decides, and that is right
    share = (np.real(x) - knots[low]) / 0.5
    return x + np.exp(knots)[low] * (1 - share) + np.exp(knots)[low + 1] * share


LOST = {
    "a buffer of real numbers": buffer,
    "a buffer, and the warning switched off": buffer_without_a_warning,
    "a buffer for one of two intermediates": buffer_for_one_of_two,
    "np.full": lambda x: np.full((3, 3), 0.0) + np.array(np.tanh(x), dtype=float),
    "np.abs": lambda x: np.abs(x) ** 3,
    "np.abs, mixed with complex numbers again": lambda x: np.abs(x) + 0j * x,
    "np.abs in one of two terms": lambda x: np.abs(x) ** 3 + x,
    "np.linalg.norm": lambda x: x / np.linalg.norm(x),
    "np.linalg.norm alone": lambda x: np.linalg.norm(x),
    ".real": lambda x: np.tanh(x.real),
    "np.real + 1j * 0": lambda x: (
        np.sin(np.real(x) + 1j * 0 * x.size) if np.iscomplexobj(x) else np.sin(x)
    ),
    ".real in one of two terms": lambda x: np.tanh(x).real * x,
    "np.conj": lambda x: np.conj(np.tanh(x)),
    "np.conj in a product": lambda x: np.sqrt(x * np.conj(x)) * x,
    "np.vdot": lambda x: np.vdot(x, np.tanh(x)),
    "np.sign": lambda x: np.sign(x) * np.tanh(x),
    "float()": a_loop_of_floats,
    "astype(float)": lambda x: np.tanh(x).astype(float),
    "astype(int)": lambda x: (7 * x).astype(int) * x,
    "math.tanh": lambda x: np.array([math.tanh(entry) for entry in x]),
    "np.vectorize of math": lambda x: np.vectorize(math.exp, otypes=[float])(x),
    "np.hypot": lambda x: np.hypot(x, 1.0),
    "np.arctan2": lambda x: np.arctan2(x, 1.0) * x,
    "np.logaddexp": lambda x: np.logaddexp(x, 0.0),
    "np.cbrt": lambda x: np.cbrt(x),
    "np.floor": lambda x: x - np.floor(x),
    "np.interp": lambda x: np.interp(x, np.linspace(-2, 2, 9), np.exp(np.linspace(-2, 2, 9))),
    "a table, and a share of real numbers": a_table,
    "Python's comparison": lambda x: np.array([v if v > 0 else 0.1 * v for v in x.tolist()]),
    "one of two outputs real": lambda x: (np.tanh(x), np.exp(x).real),
    "one of two outputs wrong": lambda x: {"y": np.tanh(x), "size": x * x.real},
    "one entry of many": lambda x: np.where(np.arange(3) == 1, x.real, x) * x,
}


def forward_and_back(f, slope_is_right):
    """Return f and f_backward for check_gradients: by central differences, or all zero."""

    def backward(x, doutputs):
        gradient = numerical_gradient(
            lambda p: tree_dot(f(p), doutputs), x, central_difference_slope
        )
        return slope_is_right * gradient

    return lambda x: (f(x), x), backward


@pytest.mark.parametrize("right", [True, False], ids=["right", "all zero"])
@pytest.mark.parametrize("way", LOST)
def test_a_lost_complex_step_is_refused_whatever_the_gradient(way, right, rng):
    forward, backward = forward_and_back(LOST[way], right)
    with pytest.raises(ComplexStepLost, match="slope=central_difference_slope"):
        check_gradients(forward, backward, X, rng)
    with pytest.raises(ComplexStepLost):
        complex_step_slope(LOST[way], X, rng.standard_normal(3))
    with pytest.raises(ComplexStepLost):
        numerical_gradient(lambda x: tree_dot(LOST[way](x), LOST[way](X)), X)


@pytest.mark.parametrize("way", LOST)
def test_central_differences_judge_what_the_complex_step_cannot(way, rng):
    options = {"slope": central_difference_slope, "rtol": 1e-6}
    check_gradients(*forward_and_back(LOST[way], True), X, rng, **options)
    with pytest.raises(GradientError, match="wrong gradient"):
        check_gradients(*forward_and_back(LOST[way], False), X, rng, **options)


def complex_alone(x):
    if not np.iscomplexobj(x):
        raise TypeError("expected complex numbers")
    return x * x


RIGHT = {
    "tanh": np.tanh,
    "closed gates": lambda x: np.tanh(50 * x),
    "almost closed": lambda x: 1 - np.tanh(15 + x),
    "log(1 + exp(-100))": lambda x: np.log1p(np.exp(x - 100)),
    "relu": lambda x: np.maximum(x, 0),
    "relu close to its kink": lambda x: (
        np.maximum(x - 0.3 + 1e-6, 0) + np.maximum(x + 0.4 + 1e-6, 0)
    ),
    "clip": lambda x: np.clip(x, -0.5, 0.5),
    "largest": lambda x: x[np.argmax(x.real)],
    "a softmax with its largest taken away": lambda x: (
        np.exp(x - x.real.max()) / np.sum(np.exp(x - x.real.max()))
    ),
    "the sum of a softmax": lambda x: np.sum(np.exp(x) / np.sum(np.exp(x))),
    "strongly curved": lambda x: np.sin(1e5 * x),
    "too curved for any difference": lambda x: np.sin(1e9 * x),
    "very small": lambda x: 1e-200 * np.tanh(x),
    "very large": lambda x: 1e200 * np.tanh(x),
    "beside a large constant": lambda x: 1e8 + np.tanh(x),
    "lost digits within": lambda x: (1e10 + x) - 1e10,
    "defined on one side only": lambda x: np.sqrt(x - np.array([0.3, -0.4, 0.8]) + 1e-9),
    "complex constants": lambda x: x * np.ones(3, complex),
    "a buffer of its own dtype": lambda x: np.cumsum(np.zeros_like(x) + x),
    "complex numbers alone": complex_alone,
    "constant": lambda x: np.ones(3),
    "a mask that changes close by": lambda x: (x.real > 0.3005) * 1.0,
    "nothing but a mask": lambda x: x.real > 0,
}


@pytest.mark.parametrize("function", RIGHT)
@pytest.mark.parametrize("size", [1.0, 1e-3, 1e3])
def test_a_complex_step_that_was_not_lost_is_never_refused(function, size):
    for draw in range(5):
        direction = size * np.random.default_rng(draw).standard_normal(3)
        with np.errstate(over="ignore"):
            complex_step_slope(RIGHT[function], X, direction)


HARD = {
    "a small slope beside 1": lambda x: 1 + 1e-8 * np.abs(x) ** 3 + 0j * x,
    "a real output too curved for any difference": lambda x: np.sin(1e9 * x).real,
    "an imaginary part that comes from nowhere": lambda x: np.round(x.real) + 1j * x.imag,
}


@pytest.mark.parametrize("way", HARD)
def test_a_lost_complex_step_is_found_where_it_is_hard_to_see(way):
    with pytest.raises(ComplexStepLost):
        complex_step_slope(HARD[way], X, np.ones(3))


def test_a_kink_at_the_point_is_called_a_kink():
    with pytest.raises(CannotJudge, match="output: the function has a kink at this point"):
        complex_step_slope(lambda x: np.maximum(x, 0), np.zeros(3), np.array([1.0, 2.0, -1.0]))


def test_an_error_that_has_nothing_to_do_with_complex_numbers_stays_what_it_is():
    with pytest.raises(TypeError, match="argument") as caught:
        complex_step_slope(lambda: 1.0, X, X)
    assert not isinstance(caught.value, ComplexStepLost)


def test_the_place_where_the_imaginary_part_is_dropped_is_named():
    with pytest.raises(
        ComplexStepLost,
        match=r"in `hs\[t\] = np.tanh\(\(t \+ 1\) \* x\)` \(test_slopes.py, line \d+\)",
    ):
        complex_step_slope(buffer, X, X)


def test_the_outputs_at_fault_are_named():
    for way, name in (
        ("one of two outputs real", r"output\[1\] is real"),
        ("one of two outputs wrong", r"output\['size'\] carries"),
    ):
        with pytest.raises(ComplexStepLost, match=name):
            complex_step_slope(LOST[way], X, X)


def test_slopes_are_trees_like_the_outputs():
    def f(p):
        return {"y": p[0] * p[1], "n": 3}

    for slope in (complex_step_slope, central_difference_slope):
        found = slope(f, (X, 2 * X), (np.ones(3), np.zeros(3)))
        np.testing.assert_allclose(found["y"], 2 * X, rtol=1e-9)
        assert found["n"] == 0


def test_a_loss_that_is_no_scalar_is_refused():
    with pytest.raises(TypeError, match=r"loss: expected a scalar, got ndarray of shape \(3,\)"):
        numerical_gradient(np.tanh, X)
