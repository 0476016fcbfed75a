"""The checker: finds what is wrong and names it, accepts what is right, and is itself right on functions known by hand."""

import numpy as np
import pytest

from rnn_tutorial.cells.elman import Elman
from rnn_tutorial.gradient_check import (
    GradientError,
    central_difference_slope,
    check_cell,
    check_gradients,
    check_layer,
    compare,
    complex_step_slope,
    diagnose,
    numerical_gradient,
    random_start,
    relative_error,
)
from rnn_tutorial.layers import Dense, Embedding, Last, Recurrent, Serial


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def quadratic(point):
    """L = sum(x^2 y), with gradient (2 x y, x^2)."""
    x, y = point
    return np.sum(x * x * y)


POINT = (np.array([[1.0, -2.0], [3.0, 0.5]]), np.array([[2.0, 1.0], [-1.0, 4.0]]))
GRADIENT = (2 * POINT[0] * POINT[1], POINT[0] ** 2)


@pytest.mark.parametrize("slope, rtol", [(complex_step_slope, 1e-15), (central_difference_slope, 1e-8)])
def test_slopes_and_gradients_of_a_function_known_by_hand(slope, rtol, rng):
    direction = (rng.standard_normal((2, 2)), rng.standard_normal((2, 2)))
    expected = sum(np.sum(g * v) for g, v in zip(GRADIENT, direction))
    assert slope(quadratic, POINT, direction) == pytest.approx(expected, rel=max(rtol, 1e-14))
    gradient = numerical_gradient(quadratic, POINT, slope)
    for ours, hand in zip(gradient, GRADIENT):
        np.testing.assert_allclose(ours, hand, rtol=max(rtol, 1e-14))


def test_the_central_difference_is_of_second_order():
    def error(step):
        return abs(central_difference_slope(lambda p: np.exp(p[0]), (np.array(1.0),), (np.array(1.0),), step) - np.e)

    assert error(1e-2) / error(1e-3) == pytest.approx(100, rel=0.01)


def test_numerical_gradient_leaves_its_point_alone():
    before = [leaf.copy() for leaf in POINT]
    numerical_gradient(quadratic, POINT)
    assert all(np.array_equal(a, b) for a, b in zip(before, POINT))


def test_relative_error_is_measured_against_the_largest_entry():
    assert relative_error(np.array([1.0, 100.0]), np.array([2.0, 100.0])) == 0.01
    assert relative_error(np.array([0.5]), np.zeros(1)) == 0.5
    assert relative_error(np.zeros(0), np.zeros(0)) == 0
    assert relative_error(np.array([np.nan]), np.ones(1)) == np.inf


def printed(capsys, *args, **kwargs):
    compare(*args, **kwargs)
    return capsys.readouterr().out


def test_compare_prints_a_tick_or_a_cross(capsys):
    right, wrong = np.full((2, 3), 2.0), np.full((2, 3), 2.02)
    assert printed(capsys, "dW_x", right, right) == "dW_x         (2, 3)         largest relative error 0e+00   ✓\n"
    assert printed(capsys, "dW_x", wrong, right) == "dW_x         (2, 3)         largest relative error 1e-02   ✗\n"
    assert printed(capsys, "dW_x", wrong, right, rtol=0.02).endswith("✓\n")
    assert printed(capsys, "db", np.array(np.nan), np.array(1.0)).endswith("error inf   ✗\n")


def test_compare_does_not_broadcast(capsys):
    out = printed(capsys, "db", np.ones((1, 3)), np.ones(3))
    assert "has another shape than the reference, (3,)" in out and out.endswith("✗\n")


def squares(point):
    (x,) = point
    return (x * x,), x


def test_a_right_backward_passes_and_a_wrong_one_names_leaf_and_index(rng):
    x = np.array([1.0, 2.0, -3.0])
    check_gradients(squares, lambda x, douts: (2 * x * douts[0],), (x,), rng)

    def one_entry_wrong(x, douts):
        dx = 2 * x * douts[0]
        dx[2] *= 1 + 1e-9
        return (dx,)

    with pytest.raises(GradientError, match=r"\[0\]: relative error .*, 1 of 3 entries wrong; worst at \(2,\): got"):
        check_gradients(squares, one_entry_wrong, (x,), rng)


def test_a_gradient_that_is_nan_is_wrong(rng):
    with pytest.raises(GradientError, match="got nan"):
        check_gradients(squares, lambda x, douts: (np.nan * x,), (np.ones(3),), rng)


def test_a_gradient_of_another_shape_is_refused(rng):
    with pytest.raises(ValueError, match=r"gradient\[0\]: expected shape \(3,\), got \(\)"):
        check_gradients(squares, lambda x, douts: (np.array(1.0),), (np.ones(3),), rng)


def test_a_backward_that_changes_its_inputs_is_found(rng):
    def backward(x, douts):
        dx = 2 * x * douts[0]
        x += 1e-3
        return (dx,)

    with pytest.raises(GradientError, match="changed its inputs in place"):
        check_gradients(squares, backward, (np.ones(3),), rng)


def test_functions_that_refuse_complex_numbers_are_checked_by_differences(rng):
    def f(point):
        return (np.abs(point[0]),), np.sign(point[0])

    point = (np.array([1.0, -2.0, 3.0]),)
    check_gradients(f, lambda s, d: (s * d[0],), point, rng, slope=central_difference_slope, rtol=1e-6)
    with pytest.raises(GradientError):
        check_gradients(f, lambda s, d: (-s * d[0],), point, rng, slope=central_difference_slope, rtol=1e-6)


def test_the_diagnosis_lists_only_the_leaves_at_fault():
    text = diagnose({"a": np.ones(2), "b": np.array([1.0, 5.0])}, {"a": np.ones(2), "b": np.array([1.0, 4.0])}, 1e-9)
    assert text == "wrong gradient\n['b']: relative error 2.5e-01, 1 of 2 entries wrong; worst at (1,): got 5, expected 4"
    assert "the sum along a random direction is not" in diagnose((np.ones(1),), (np.ones(1),), 1e-9)


def test_a_random_start_hides_nothing(rng):
    params, state = random_start(Elman, rng, 3, 4, 5)
    assert all((leaf != 0).all() for leaf in (*params, *state))
    assert params.W_x.shape == (4, 5) and state.h.shape == (3, 5)


def test_check_cell_refuses_what_is_no_cell(rng):
    with pytest.raises(TypeError, match="cell: expected a Cell, .* got str"):
        check_cell("LSTM", rng)


@pytest.mark.parametrize("where", ["ragged only", "whole"])
def test_check_cell_looks_at_whole_and_ragged_batches(where, rng):
    """A cell that is wrong only for rows whose gradient is zero is right on whole batches: the ragged run must find it."""

    def leaky(params, cache, dstate):
        down, da_x, da_h, dprevious = Elman.pointwise_backward(params, cache, dstate)
        rows = (dstate.h == 0).all(axis=1, keepdims=True) if where == "ragged only" else np.ones((len(da_x), 1), bool)
        return down, da_x + 1e-3 * rows, da_h, dprevious

    with pytest.raises(GradientError):
        check_cell(Elman._replace(pointwise_backward=leaky), rng)


def test_check_layer_looks_at_parameters_and_inputs(rng):
    class WrongInputs(Dense):
        def backward(self, params, xs, dys):
            dparams, dxs = super().backward(params, xs, dys)
            return dparams, 2 * dxs

    class WrongBias(Dense):
        def backward(self, params, xs, dys):
            dparams, dxs = super().backward(params, xs, dys)
            return dparams._replace(b=2 * dparams.b), dxs

    xs = rng.standard_normal((5, 2, 3))
    check_layer(Dense(3, 4), xs, rng)
    with pytest.raises(GradientError, match=r"^wrong gradient\n\[1\]: "):
        check_layer(WrongInputs(3, 4), xs, rng)
    with pytest.raises(GradientError, match=r"^wrong gradient\n\[0\].b: "):
        check_layer(WrongBias(3, 4), xs, rng)


def test_check_layer_leaves_whole_number_inputs_out(rng):
    model = Serial((Embedding(7, 3), Recurrent(Elman, 3, 2), Last()))
    check_layer(model, rng.integers(0, 7, (5, 2)), rng)
