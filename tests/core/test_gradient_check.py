"""The checker finds and names what is wrong, accepts what is right, and is itself right."""

import contextlib
import re

import numpy as np
import pytest

from rnn_tutorial.cells import LSTM, Elman, ElmanParams, ElmanState, PeepholeLSTM, lstm
from rnn_tutorial.gradient_check import (
    CannotJudge,
    Checked,
    ComplexStepLost,
    ContractBroken,
    GradientError,
    central_difference_slope,
    check_cell,
    check_gradients,
    compare,
    compare_all,
    complex_step_slope,
    diagnose,
    numerical_gradient,
    random_start,
    relative_error,
)
from rnn_tutorial.tree import tree_cast
from rnn_tutorial.validation import NotFiniteError


def quadratic(point):
    """L = sum(x^2 y), with gradient (2 x y, x^2)."""
    x, y = point
    return np.sum(x * x * y)


POINT = (np.array([[1.0, -2.0], [3.0, 0.5]]), np.array([[2.0, 1.0], [-1.0, 4.0]]))
GRADIENT = (2 * POINT[0] * POINT[1], POINT[0] ** 2)


@pytest.mark.parametrize(
    "slope, rtol", [(complex_step_slope, 1e-15), (central_difference_slope, 1e-8)]
)
def test_slopes_and_gradients_of_a_function_known_by_hand(slope, rtol, rng):
    direction = (rng.standard_normal((2, 2)), rng.standard_normal((2, 2)))
    expected = sum(np.sum(g * v) for g, v in zip(GRADIENT, direction))
    assert slope(quadratic, POINT, direction) == pytest.approx(expected, rel=max(rtol, 1e-14))
    gradient = numerical_gradient(quadratic, POINT, slope)
    for ours, hand in zip(gradient, GRADIENT):
        np.testing.assert_allclose(ours, hand, rtol=max(rtol, 1e-14))


def test_the_central_difference_is_of_second_order():
    def error(step):
        return abs(
            central_difference_slope(
                lambda p: np.exp(p[0]), (np.array(1.0),), (np.array(1.0),), step
            )
            - np.e
        )

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
    assert relative_error(1.5, 1.0) == 0.5


def test_relative_error_does_not_broadcast():
    with pytest.raises(
        ValueError, match=r"value: expected the shape of the reference, \(4, 1\), got \(3,\)"
    ):
        relative_error(np.ones(3), np.ones((4, 1)))


@pytest.mark.parametrize(
    "odd",
    [np.ma.masked_array(np.ones(2), [True, False]), np.asmatrix(np.ones((2, 2)))],
    ids=["masked", "matrix"],
)
def test_a_matrix_or_a_masked_array_is_refused_everywhere(odd, rng):
    name = type(odd).__name__
    with pytest.raises(TypeError, match=f"value: expected a NumPy array, got {name}"):
        relative_error(odd, np.ones(odd.shape))
    with pytest.raises(TypeError, match=f"point.0.: expected a NumPy array, got {name}"):
        check_gradients(squares, lambda x, d: (2 * x * d[0],), (odd,), rng)
    with pytest.raises(TypeError, match=f"outputs: expected a NumPy array, got {name}"):
        check_gradients(lambda x: (odd, x), lambda x, d: x, np.ones(2), rng)
    with pytest.raises(TypeError, match=f"gradient.0.: expected a NumPy array, got {name}"):
        check_gradients(squares, lambda x, d: (odd,), (np.ones(odd.shape),), rng)


def printed(capsys, *args, compare=compare, **kwargs):
    compare(*args, **kwargs)
    return capsys.readouterr().out


def test_compare_prints_a_tick_or_a_cross(capsys):
    right, wrong = np.full((2, 3), 2.0), np.full((2, 3), 2.02)
    assert (
        printed(capsys, "dW_x", right, right)
        == "dW_x         (2, 3)         largest relative error 0e+00   ✓\n"
    )
    assert (
        printed(capsys, "dW_x", wrong, right)
        == "dW_x         (2, 3)         largest relative error 1e-02   ✗\n"
    )
    assert printed(capsys, "dW_x", wrong, right, rtol=0.02).endswith("✓\n")
    assert printed(capsys, "db", np.array(np.nan), np.array(1.0)).endswith("error inf   ✗\n")


def test_many_comparisons_are_one_line_with_the_largest_error(capsys):
    reference = [np.ones(2), {"dW_h": 4 * np.ones((2, 3))}]
    value = [np.ones(2), {"dW_h": np.full((2, 3), 4 + 8e-10)}]
    assert printed(capsys, "dh", value, reference, compare=compare_all) == (
        "dh           2 comparisons  largest relative error 2e-10   ✓\n"
    )
    assert "1 comparison " in printed(capsys, "dh", value[:1], reference[:1], compare=compare_all)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (np.array([1.0, 2.0]), "largest relative error 1e+00   ✗"),
        (np.array([1.0, np.nan]), "largest relative error inf   ✗"),
        (np.ones((1, 2)), "another shape than the reference, (2,)   ✗"),
    ],
)
def test_one_wrong_leaf_of_many_is_named_and_spoils_the_verdict(capsys, wrong, said):
    reference = [np.ones(2)] * 5
    *lines, last = printed(
        capsys, "dh", [*reference[:3], wrong, np.ones(2)], reference, compare=compare_all
    ).splitlines()
    assert len(lines) == 1 and lines[0].startswith("dh[3] ") and said in lines[0]
    assert last.startswith("dh           5 comparisons") and last.endswith("✗")


def test_a_small_leaf_is_not_hidden_by_a_large_one(capsys):
    reference = [1e9 * np.ones(2), np.ones(2)]
    value = [1e9 * np.ones(2), np.ones(2) + 1e-6]
    assert "✗" in printed(capsys, "dh", value, reference, compare=compare_all)


def test_many_comparisons_wait_for_what_a_reader_has_not_written(capsys):
    text = printed(capsys, "dh", [np.ones(2), ...], [np.ones(2), np.ones(2)], compare=compare_all)
    assert "yours to write" in text and "✓" not in text


@pytest.mark.parametrize(("value", "reference"), [([np.ones(2)], [np.ones(2)] * 2), ([], [])])
def test_a_comparison_with_nothing_is_refused(value, reference):
    with pytest.raises(ValueError, match="different structure|one leaf or more"):
        compare_all("dh", value, reference)


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

    with pytest.raises(
        GradientError, match=r"\[0\]: relative error .*, 1 of 3 entries wrong; worst at \(2,\): got"
    ):
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


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("slope", [complex_step_slope, central_difference_slope])
def test_a_point_that_is_not_finite_is_refused_by_its_place(slope, value, rng):
    x = np.array([[1.0, 2.0], [3.0, value]])
    message = rf"^point\['x'\]: expected finite numbers, got {value} at index \(1, 1\)$"
    point = {"x": x}
    with pytest.raises(NotFiniteError, match=message):
        check_gradients(lambda p: (p["x"] ** 2, p), lambda p, d: p, point, rng, slope=slope)
    with pytest.raises(NotFiniteError, match=message):
        slope(lambda p: p["x"], point, {"x": np.ones((2, 2))})
    with pytest.raises(NotFiniteError, match=message):
        numerical_gradient(lambda p: np.sum(p["x"]), point, slope)
    with pytest.raises(NotFiniteError, match=f"^point: expected finite numbers, got {value}"):
        check_gradients(lambda x: (x * x, x), lambda x, d: 2 * x * d, value, rng, slope=slope)


def test_functions_that_refuse_complex_numbers_are_checked_by_differences(rng):
    def f(point):
        return (np.abs(point[0]),), np.sign(point[0])

    point = (np.array([1.0, -2.0, 3.0]),)
    check_gradients(
        f, lambda s, d: (s * d[0],), point, rng, slope=central_difference_slope, rtol=1e-6
    )
    with pytest.raises(GradientError):
        check_gradients(
            f, lambda s, d: (-s * d[0],), point, rng, slope=central_difference_slope, rtol=1e-6
        )


def test_the_diagnosis_lists_only_the_leaves_at_fault():
    text = diagnose(
        {"a": np.ones(2), "b": np.array([1.0, 5.0])},
        {"a": np.ones(2), "b": np.array([1.0, 4.0])},
        1e-9,
    )
    assert (
        text == "wrong gradient\n['b']: relative error 2.5e-01, 1 of 2 entries wrong; "
        "worst at (1,): got 5, expected 4"
    )
    near = diagnose((np.array([0.869612]),), (np.array([0.8696120001]),), 1e-12)
    assert re.search(
        r"got 0\.86961200000000\d+, expected 0\.8696120000?9999\d+, difference -1\.0e-10$", near
    )
    assert "the sum along a random direction is not" in diagnose((np.ones(1),), (np.ones(1),), 1e-9)


@pytest.mark.parametrize("right", [True, False], ids=["right", "wrong"])
@pytest.mark.parametrize("slope", [complex_step_slope, central_difference_slope])
def test_a_point_of_float32_is_refused_right_or_wrong(slope, right, rng):
    point = (np.ones(3), np.ones(3, np.float32))

    def f(point):
        return point[0] * point[1] ** 2, point

    with pytest.raises(
        TypeError,
        match=r"point\[1\]: expected float64, got float32.* tree_cast\(point, np.float64\)",
    ):
        check_gradients(
            f, lambda p, d: (right * p[1] ** 2 * d, 2 * p[0] * p[1] * d), point, rng, slope=slope
        )
    with pytest.raises(TypeError, match="tree_cast"):
        numerical_gradient(lambda p: np.sum(f(p)[0]), point, slope)
    cast = tree_cast(point, np.float64)
    check = (f, lambda p, d: (right * p[1] ** 2 * d, 2 * p[0] * p[1] * d), cast, rng)
    with contextlib.nullcontext() if right else pytest.raises(GradientError):
        check_gradients(*check, slope=slope, rtol=1e-6)


def test_outputs_of_float32_are_refused(rng):
    with pytest.raises(TypeError, match="outputs: expected double precision, got float32"):
        check_gradients(
            lambda x: ((x * x).astype(np.float32), x), lambda x, d: 2 * x * d, np.ones(3), rng
        )


@pytest.mark.parametrize(
    "whole", [np.array([3, 4]), np.array([True]), np.array([1.0], object), 3, True]
)
@pytest.mark.parametrize("slope", [complex_step_slope, central_difference_slope])
def test_whole_numbers_have_no_slope(whole, slope, rng):
    with pytest.raises(TypeError, match=r"point\['n'\]: expected float64, got (int64|bool|object)"):
        numerical_gradient(lambda p: np.sin(p["n"]).sum(), {"n": whole}, slope)
    with pytest.raises(TypeError, match=r"point\['n'\]: expected float64"):
        slope(lambda p: np.sin(p["n"]).sum(), {"n": whole}, {"n": np.ones(1)})
    with pytest.raises(TypeError, match=r"point\['n'\]: expected float64"):
        check_gradients(lambda p: (p["n"], p), lambda p, d: p, {"n": whole}, rng, slope=slope)


def test_single_floats_are_a_point_too(rng):
    for point in (0.5, np.float64(0.5), np.array(0.5)):
        assert numerical_gradient(np.sin, point) == pytest.approx(np.cos(0.5), rel=1e-15)
        check_gradients(lambda x: (np.sin(x), x), lambda x, d: np.cos(x) * d, point, rng)
        with pytest.raises(GradientError):
            check_gradients(lambda x: (np.sin(x), x), lambda x, d: np.sin(x) * d, point, rng)


@pytest.mark.parametrize(
    "scale, options", [(1e13, {}), (1e7, {"slope": central_difference_slope, "rtol": 1e-6})]
)
def test_a_small_leaf_is_judged_by_its_own_size(scale, options, rng):
    point = {"large": np.ones(3), "small": np.ones(3)}

    def f(p):
        return scale * p["large"] ** 2 + p["small"] ** 3, p

    def backward(factor):
        return lambda p, dy: {
            "large": 2 * scale * p["large"] * dy,
            "small": factor * 3 * p["small"] ** 2 * dy,
        }

    check_gradients(f, backward(1), point, rng, **options)
    for factor in (0, 0.9, -1, 2):
        with pytest.raises(
            GradientError, match=r"^wrong gradient\n\['small'\]: relative error[^\n]*$"
        ):
            check_gradients(f, backward(factor), point, rng, **options)


def test_the_leaves_that_are_right_are_not_in_the_diagnosis(rng):
    def f(p):
        return 1e7 * p["large"] ** 2 + p["small"] ** 3, p

    def backward(p, dy):
        return {"large": 2.01e7 * p["large"] * dy, "small": 3 * p["small"] ** 2 * dy}

    point = {"large": np.ones(3), "small": np.ones(3)}
    with pytest.raises(GradientError, match=r"^wrong gradient\n\['large'\]: relative error[^\n]*$"):
        check_gradients(f, backward, point, rng, slope=central_difference_slope, rtol=1e-6)


def test_a_leaf_a_little_smaller_is_judged_to_the_same_rtol(rng):
    def f(p):
        return 100 * p["a"] + 10 * p["b"], p

    point = {"a": rng.standard_normal(9), "b": rng.standard_normal(9)}
    check_gradients(f, lambda p, dy: {"a": 100 * dy, "b": 10 * dy}, point, rng)
    with pytest.raises(GradientError, match=r"^wrong gradient\n\['b'\]: [^\n]*$"):
        check_gradients(f, lambda p, dy: {"a": 100 * dy, "b": (10 + 5e-11) * dy}, point, rng)


def test_a_large_point_is_moved_by_as_much(rng):
    x = 1e9 * rng.standard_normal(5)
    options = {"slope": central_difference_slope, "rtol": 1e-6}
    check_gradients(lambda x: (1e-9 * x, x), lambda x, d: 1e-9 * d, x, rng, **options)
    with pytest.raises(GradientError):
        check_gradients(lambda x: (1e-9 * x, x), lambda x, d: 1.0001e-9 * d, x, rng, **options)


@pytest.mark.parametrize("factor", [0, 1])
def test_a_leaf_lost_in_rounding_is_named_and_does_not_pass(factor, rng):
    def f(p):
        return 1e13 * p["large"] ** 2 + p["small"] ** 3, p

    def backward(p, dy):
        return {"large": 2e13 * p["large"] * dy, "small": factor * 3 * p["small"] ** 2 * dy}

    point = {"large": np.ones(3), "small": np.ones(3)}
    with pytest.raises(CannotJudge, match=r"\['small'\]: could not be judged"):
        check_gradients(f, backward, point, rng, slope=central_difference_slope, rtol=1e-6)


def test_a_gradient_that_is_zero_but_for_rounding_is_right(rng):
    """A bias before a softmax over all its entries, a key's bias in attention: it is 0."""

    def f(p):
        e = np.exp(p["x"] + p["shift"])
        return e / e.sum(), (e / e.sum())

    def backward(y, dy):
        dx = y * (dy - np.sum(dy * y))
        return {"x": dx, "shift": np.array([dx.sum()])}

    for draw in range(20):
        rng = np.random.default_rng(draw)
        check_gradients(
            f, backward, {"x": rng.standard_normal(7), "shift": rng.standard_normal(1)}, rng
        )


def test_outputs_that_do_not_depend_on_the_point_have_slope_zero(rng):
    def f(x):
        return {
            "y": x * x,
            "active": np.real(x) > 0,
            "count": np.sum(np.real(x) > 0),
            "mask": (np.real(x) > 0) * 1.0,
        }, x

    for options in ({}, {"slope": central_difference_slope, "rtol": 1e-6}):
        check_gradients(f, lambda x, d: 2 * x * d["y"], rng.standard_normal(5), rng, **options)
        with pytest.raises(GradientError):
            check_gradients(
                f, lambda x, d: 2 * x * d["y"] + d["mask"], rng.standard_normal(5), rng, **options
            )


@pytest.mark.parametrize("returned", [np.ones(3), (np.ones(3),), (1, 2, 3)])
def test_a_function_that_does_not_return_two_things_is_told_so(returned, rng):
    with pytest.raises(TypeError, match=r"f: expected to get back \(outputs, cache\), got"):
        check_gradients(lambda x: returned, lambda x, d: x, np.ones(3), rng)


def test_a_random_start_hides_nothing(rng):
    params, state = random_start(Elman, rng, 3, 4, 5)
    assert all((leaf != 0).all() for leaf in (*params, *state))
    assert params.W_x.shape == (4, 5) and state.h.shape == (3, 5)


def test_check_cell_refuses_anything_that_is_not_a_cell(rng):
    for cell, got in (("LSTM", "str"), (lstm, "function")):
        with pytest.raises(TypeError, match=f"cell: expected a Cell, .* got {got}"):
            check_cell(cell, rng)


def test_check_cell_returns_a_line_that_says_what_it_checked(rng, capsys):
    line = check_cell(Elman, rng)
    expected = (
        "Elman: 3 parameters, inputs and first state, over 6 steps, whole and ragged: "
        "right to 1e-12 ✓"
    )
    assert isinstance(line, Checked) and repr(line) == str(line) == expected
    one = check_cell(Elman, rng, T=1, slope=central_difference_slope, rtol=1e-6)
    assert repr(one).endswith("over 1 step, whole and ragged: right to 1e-06 ✓")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("where", ["ragged only", "whole"])
def test_check_cell_looks_at_whole_and_ragged_batches(where, rng):
    """Wrong only for rows whose gradient is zero: right on whole batches, found on ragged ones."""

    def leaky(params, cache, dstate):
        dextra, da_x, da_h, dprevious = Elman.pointwise_backward(params, cache, dstate)
        rows = (
            (dstate.h == 0).all(axis=1, keepdims=True)
            if where == "ragged only"
            else np.ones((len(da_x), 1), bool)
        )
        return dextra, da_x + 1e-3 * rows, da_h, dprevious

    with pytest.raises(GradientError):
        check_cell(Elman.replace(pointwise_backward=leaky), rng)


NO_CACHE = {
    "no cache": lambda pointwise: lambda *args: pointwise(*args)[0],
    "nothing": lambda pointwise: lambda *args: None,
    "an array for a state": lambda pointwise: lambda *args: (pointwise(*args)[0].h, ()),
}


@pytest.mark.parametrize("way", NO_CACHE)
def test_a_pointwise_that_returns_too_little_is_told_what_to_return(way, rng):
    for cell in (Elman, LSTM):
        with pytest.raises(
            TypeError,
            match=r"^pointwise: expected "
            r"(to get back \(new state, cache\)|a new state with the fields)",
        ):
            check_cell(cell.replace(pointwise=NO_CACHE[way](cell.pointwise)), rng)


@pytest.mark.parametrize("kept", [slice(0), slice(3), slice(1, None)])
def test_a_pointwise_backward_that_returns_too_little_is_told_what_to_return(kept, rng):
    def short(*args):
        return LSTM.pointwise_backward(*args)[kept]

    with pytest.raises(
        TypeError,
        match=r"pointwise_backward: expected to get back \(dextra, da_x, da_h, dprevious\), "
        "got a tuple",
    ):
        check_cell(LSTM.replace(pointwise_backward=short), rng)


def test_a_cell_that_loses_the_complex_step_is_refused(rng):
    def pointwise(params, a_x, a_h, state):
        new_state, cache = Elman.pointwise(params, a_x, a_h, state)
        return new_state._replace(h=np.tanh((a_x + a_h).real)), cache

    with pytest.raises(ComplexStepLost):
        check_cell(Elman.replace(pointwise=pointwise), rng)
    check_cell(Elman.replace(pointwise=pointwise), rng, slope=central_difference_slope, rtol=1e-6)


def without_h(dextra=None, da_h=None):
    """Return a cell that does not read h: W_h is (H, 0). Its backward may return something else."""

    def pointwise(params, a_x, a_h, state):
        h = np.tanh(a_x)
        return ElmanState(h), h

    def pointwise_backward(params, h, dstate):
        right = {}, dstate.h * (1 - h * h), np.zeros((len(h), 0)), ElmanState(0 * h)
        return (
            right[0] if dextra is None else dextra,
            right[1],
            right[2] if da_h is None else da_h[0],
            right[3],
        )

    def shapes(D, H):
        return ElmanParams((D, H), (H, 0), (H,))

    return Elman.replace(
        name="WithoutH",
        pointwise=pointwise,
        pointwise_backward=pointwise_backward,
        shapes=shapes,
        init=lambda rng, D, H: ElmanParams(*(rng.standard_normal(s) for s in shapes(D, H))),
    )


@pytest.mark.parametrize(
    "da_h, error, got",
    [
        (None, TypeError, "a NumPy array of shape (3, 0), got NoneType"),
        (np.zeros((3, 5)), ValueError, "shape (3, 0), got (3, 5)"),
        (np.zeros(0), ValueError, "shape (3, 0), got (0,)"),
        (np.zeros((3, 0), np.float32), TypeError, "dtype float64, got float32"),
    ],
)
def test_a_da_h_that_does_not_fit_is_named(da_h, error, got, rng):
    check_cell(without_h(), rng)
    with pytest.raises(error, match=re.escape(f"pointwise_backward: da_h: expected {got}")):
        check_cell(without_h(da_h=(da_h,)), rng)


EXTRA = "p_i", "p_f", "p_o"
WRONG_EXTRA = {
    "missing": (
        lambda extra: {name: extra[name] for name in EXTRA[:2]},
        f"dextra: expected a dict with the names {', '.join(EXTRA)}, got p_i, p_f",
    ),
    "misspelt": (
        lambda extra: {"pi" if name == "p_i" else name: leaf for name, leaf in extra.items()},
        f"dextra: expected a dict with the names {', '.join(EXTRA)}, got pi, p_f, p_o",
    ),
    "none": (lambda extra: None, "dextra: expected a dict with the names .*, got NoneType"),
    "empty": (lambda extra: {}, "dextra: expected a dict with the names .*, got no names"),
    "not summed": (
        lambda extra: extra | {"p_f": np.ones((3, 1)) * extra["p_f"]},
        r"dextra\['p_f'\]: expected shape \(5,\), summed over the batch, got \(3, 5\)",
    ),
    "another shape": (
        lambda extra: extra | {"p_o": np.ones(4)},
        r"dextra\['p_o'\]: expected shape \(5,\), got \(4,\)",
    ),
}


@pytest.mark.parametrize("way", WRONG_EXTRA)
def test_a_dextra_that_does_not_fit_is_named(way, rng):
    change, message = WRONG_EXTRA[way]

    def backward(*args):
        dextra, *others = PeepholeLSTM.pointwise_backward(*args)
        return change(dextra), *others

    with pytest.raises((TypeError, ValueError), match=f"^pointwise_backward: {message}"):
        check_cell(PeepholeLSTM.replace(pointwise_backward=backward), rng)


def test_a_dextra_where_there_is_none_is_named(rng):
    with pytest.raises(ValueError, match=r"^pointwise_backward: dextra: expected {}, got p"):
        check_cell(without_h(dextra={"p": np.ones(5)}), rng)


def changed_part(index, change):
    """Return the LSTM with one part of what its pointwise_backward returns changed."""

    def backward(*args):
        returned = list(LSTM.pointwise_backward(*args))
        returned[index] = change(returned[index])
        return tuple(returned)

    return LSTM.replace(pointwise_backward=backward)


WRONG_PARTS = {
    "da_x": (1, lambda da: da[:1], r"da_x: expected shape \(3, 20\), got \(1, 20\)"),
    "da_h": (2, lambda da: da[:, :5], r"da_h: expected shape \(3, 20\), got \(3, 5\)"),
    "dprevious.c": (
        3,
        lambda d: d._replace(c=d.c.sum(axis=0)),
        r"dprevious.c: expected shape \(3, 5\), got \(5,\)",
    ),
    "dprevious.h": (
        3,
        lambda d: d._replace(h=0.0),
        r"dprevious.h: expected a NumPy array of shape \(3, 5\), got float",
    ),
    "dprevious": (3, lambda d: d.h, r"expected a dprevious with the fields \('h', 'c'\), got"),
}


@pytest.mark.parametrize("way", WRONG_PARTS)
def test_a_part_that_does_not_fit_is_named(way, rng):
    index, change, message = WRONG_PARTS[way]
    with pytest.raises((TypeError, ValueError), match=f"^pointwise_backward: {message}"):
        check_cell(changed_part(index, change), rng)


def test_a_new_state_of_another_shape_is_named(rng):
    def pointwise(*args):
        state, cache = LSTM.pointwise(*args)
        return state._replace(c=state.c[:1]), cache

    with pytest.raises(ValueError, match=r"^pointwise: new state.c: expected shape \(3, 5\), got"):
        check_cell(LSTM.replace(pointwise=pointwise), rng)


@pytest.mark.parametrize("name", ["params.b", "a_x", "a_h", "state.h", "state.c"])
def test_a_pointwise_that_changes_what_it_is_given_is_found(name, rng):
    def pointwise(params, a_x, a_h, state):
        returned = LSTM.pointwise(params, a_x.copy(), a_h.copy(), state)
        arrays = {"params.b": params.b, "a_x": a_x, "a_h": a_h}
        array = (arrays | {"state.h": state.h, "state.c": state.c})[name]
        array *= 0.5
        return returned

    with pytest.raises(ContractBroken, match=f"^pointwise changed {name} in place"):
        check_cell(LSTM.replace(pointwise=pointwise), rng)


@pytest.mark.parametrize("name", ["params.b", "cache.i", "dstate.c"])
def test_a_pointwise_backward_that_changes_what_it_is_given_is_found(name, rng):
    def backward(params, cache, dstate):
        returned = LSTM.pointwise_backward(params, cache, dstate)
        array = {"params.b": params.b, "cache.i": cache.i, "dstate.c": dstate.c}[name]
        array *= 0.5
        return returned

    with pytest.raises(ContractBroken, match=f"^pointwise_backward changed {name} in place"):
        check_cell(LSTM.replace(pointwise_backward=backward), rng)
