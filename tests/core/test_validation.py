"""Bad input: each error names the argument, what was expected and what came."""

import numpy as np
import pytest

from rnn_tutorial import validation as v
from rnn_tutorial.cells import ElmanState


def message(error, call, *args, **kwargs):
    with pytest.raises(error) as caught:
        call(*args, **kwargs)
    return str(caught.value)


def test_check_array_says_name_expected_and_got():
    v.check_array("x", np.zeros((2, 4)), dtype=np.float64, B=None, D=4)
    assert (
        message(ValueError, v.check_array, "x", np.zeros((2, 3)), B=None, D=4)
        == "x: expected shape (B, D=4), got (2, 3)"
    )
    assert (
        message(ValueError, v.check_array, "x", np.zeros(4), B=None, D=4)
        == "x: expected shape (B, D=4), got (4,)"
    )
    assert (
        message(ValueError, v.check_array, "b", np.zeros(3), H=5)
        == "b: expected shape (H=5,), got (3,)"
    )
    assert (
        message(TypeError, v.check_array, "x", [[1.0]], B=1, D=1)
        == "x: expected a NumPy array of shape (B=1, D=1), got list"
    )
    assert (
        message(TypeError, v.check_array, "x", np.zeros((2, 4), int), dtype=np.float64, B=None, D=4)
        == "x: expected dtype float64, the dtype of the parameters, got int64"
    )


def test_check_like_names_the_leaf():
    state = ElmanState(np.zeros((2, 3)))
    v.check_like("dstate", ElmanState(np.ones((2, 3))), state)
    assert (
        message(ValueError, v.check_like, "dstate", ElmanState(np.ones(3)), state)
        == "dstate.h: expected shape (2, 3), got (3,)"
    )
    assert message(TypeError, v.check_like, "dstate", ElmanState(1.0), state).startswith(
        "dstate.h: expected a NumPy array"
    )
    assert "float64, got float32" in message(
        TypeError, v.check_like, "d", ElmanState(np.ones((2, 3), np.float32)), state
    )
    assert message(ValueError, v.check_like, "dstate", np.ones((2, 3)), state).startswith(
        "dstate: trees of different structure"
    )


def test_check_features_wants_a_batch_axis_and_the_last_axis():
    v.check_features("xs", np.zeros((5, 2, 3)), 3, np.float64)
    assert (
        message(ValueError, v.check_features, "xs", np.zeros(3), 3, np.float64)
        == "xs: expected shape (..., 3), got (3,)"
    )
    assert (
        message(ValueError, v.check_features, "xs", np.zeros((2, 4)), 3, np.float64)
        == "xs: expected shape (..., 3), got (2, 4)"
    )
    assert "got int64" in message(
        TypeError, v.check_features, "xs", np.zeros((2, 3), np.int64), 3, np.float64
    )
    assert "got list" in message(TypeError, v.check_features, "xs", [], 3, np.float64)


def test_check_indices_names_the_first_index_outside():
    v.check_indices("indices", np.array([[0, 6]]), 7)
    assert (
        message(IndexError, v.check_indices, "i", np.array([[0, 7]]), 7)
        == "i: expected indices in 0..6 (V = 7), got 7 at (0, 1)"
    )
    assert (
        message(IndexError, v.check_indices, "i", np.array([3, -1]), 7)
        == "i: expected indices in 0..6 (V = 7), got -1 at (1,)"
    )
    assert (
        message(TypeError, v.check_indices, "i", np.array([1.0]), 7)
        == "i: expected an array of integers, got float64"
    )
    assert (
        message(TypeError, v.check_indices, "i", np.array([True]), 7)
        == "i: expected an array of integers, got bool"
    )
    assert (
        message(TypeError, v.check_indices, "i", [1], 7)
        == "i: expected an array of integers, got list"
    )


def test_check_finite_names_the_place():
    v.check_finite("xs", np.zeros((2, 2)))
    assert (
        message(v.NotFiniteError, v.check_finite, "xs", np.array([[0, np.nan]]))
        == "xs: expected finite numbers, got nan at index (0, 1)"
    )
    assert "got inf at index (1,)" in message(
        v.NotFiniteError, v.check_finite, "xs", np.array([0, np.inf])
    )


def test_check_mask_wants_booleans_of_steps_by_sequences():
    v.check_mask(np.ones((4, 2), bool), 4, 2)
    assert (
        message(ValueError, v.check_mask, np.ones((2, 4), bool), 4, 2)
        == "mask: expected shape (T=4, B=2), got (2, 4)"
    )
    assert (
        message(TypeError, v.check_mask, np.ones((4, 2)), 4, 2)
        == "mask: expected a boolean array, True on real steps, got float64"
    )


def test_sizes_are_positive_whole_numbers():
    v.check_positive("hidden_size", 3)
    for bad in (0, -1, 2.0, True, "3"):
        assert message(ValueError, v.check_positive, "hidden_size", bad) == (
            f"hidden_size: expected a positive whole number, got {bad!r}"
        )


def test_numbers_are_held_to_their_bounds():
    v.check_number("rate", 0.5, above=0, below=1)
    v.check_number("rate", np.float32(0), at_least=0)
    assert (
        message(ValueError, v.check_number, "rate", 0, above=0)
        == "rate: expected a finite number above 0, got 0"
    )
    assert message(ValueError, v.check_number, "rate", 2, above=0, at_most=1) == (
        "rate: expected a finite number above 0 and at most 1, got 2"
    )
    for bad in (np.nan, np.inf, "1", None, True):
        message(ValueError, v.check_number, "rate", bad)


def test_check_rng_refuses_a_seed():
    v.check_rng(np.random.default_rng(0))
    for bad, kind in ((0, "int"), (None, "NoneType"), (np.random, "module")):
        assert message(TypeError, v.check_rng, bad).endswith(
            f"such as np.random.default_rng(0), got {kind}"
        )


def test_numbers_come_back_as_python_numbers():
    for value in (np.float64(0.25), np.float32(0.25), np.longdouble(0.25), 0.25):
        assert (
            type(v.check_number("rate", value)) is float and v.check_number("rate", value) == 0.25
        )
    assert type(v.check_number("rate", 3)) is float
    assert type(v.check_positive("steps", np.int8(3))) is int
    for huge in (
        10**400,
        np.longdouble("1e4000"),
    ):  # the second is infinite where a longdouble is a float64
        message(ValueError, v.check_number, "rate", huge)


IMITATIONS = [np.eye(2).view(np.matrix), np.ma.masked_array(np.eye(2), np.eye(2, dtype=bool))]


class Unit(np.matrix):
    """A subclass of masked arrays, which are refused."""


class Named(np.ndarray):
    """A subclass of arrays with their arithmetic."""


@pytest.mark.parametrize(
    "imitation", [*IMITATIONS, np.eye(2).view(Unit)], ids=lambda array: type(array).__name__
)
def test_no_check_takes_a_matrix_or_a_masked_array_for_an_array(imitation):
    kind, whole, flags = type(imitation).__name__, imitation.astype(int), imitation.astype(bool)
    checks = [
        lambda: v.check_array("x", imitation, B=2, D=2),
        lambda: v.check_array("x", imitation, dtype=np.float64, B=2, D=2),
        lambda: v.check_like("x", (imitation,), (np.eye(2),)),
        lambda: v.check_shape("x", imitation, (2, 2), np.float64),
        lambda: v.check_features("x", imitation, 2, np.float64),
        lambda: v.check_floats("x", [imitation]),
        lambda: v.check_indices("x", whole, 5),
        lambda: v.check_mask(flags, 2, 2),
    ]
    for check in checks:
        assert message(TypeError, check).endswith(f"got {kind}") or f"got {kind} (" in message(
            TypeError, check
        )


def test_subclasses_with_the_arithmetic_of_arrays_are_arrays(tmp_path):
    np.save(tmp_path / "x.npy", np.eye(2))
    for array in (np.eye(2).view(Named), np.load(tmp_path / "x.npy", mmap_mode="r")):
        v.check_array("x", array, dtype=np.float64, B=2, D=2)


def test_objects_are_refused_in_words():
    objects = np.array([[1.0, 2.0]], dtype=object)
    for check in (
        lambda: v.check_array("x", objects, B=1, D=2),
        lambda: v.check_finite("x", objects),
    ):
        assert (
            message(TypeError, check)
            == "x: expected an array of numbers, got an array of Python objects (dtype object)"
        )
    assert "expected floating-point numbers, got object" in message(
        TypeError, v.check_array, "x", objects, dtype=objects.dtype, B=1, D=2
    )
    assert "got object" in message(TypeError, v.check_features, "x", objects, 2, objects.dtype)
    assert "got an array of object" in message(TypeError, v.check_floats, "x", objects)


@pytest.mark.parametrize("dtype", [np.float16, int, bool])
def test_parameters_of_another_kind_than_float32_or_float64_are_refused(dtype):
    x = np.ones((2, 3), dtype)
    wanted = f"expected floating-point numbers, got {x.dtype} (float32 or float64 is needed)"
    assert message(TypeError, v.check_array, "x", x, dtype=x.dtype, B=2, D=3) == f"x: {wanted}"
    assert message(TypeError, v.check_features, "x", x, 3, x.dtype) == f"x: {wanted}"
    assert message(TypeError, v.check_floats, "x", {"a": x}).startswith(
        "x['a']: expected an array of floating-point numbers"
    )


@pytest.mark.parametrize("dtype", ["f4", "f8", ">f8", np.longdouble, "c8", "c16"])
def test_wider_turned_and_complex_numbers_pass(dtype):
    x = np.ones((2, 3), dtype)
    v.check_array("x", x, dtype=x.dtype, B=2, D=3)
    v.check_features("x", x, 3, x.dtype)
    v.check_floats("x", [x])


def test_check_like_goes_by_key():
    reference = {"W": np.ones((2, 3)), "b": np.ones(3)}
    v.check_like("gradient", {"b": np.ones(3), "W": np.ones((2, 3))}, reference)
    wrong = {"b": np.ones(3), "W": np.ones((3, 2))}
    assert (
        message(ValueError, v.check_like, "g", wrong, reference)
        == "g['W']: expected shape (2, 3), got (3, 2)"
    )
    assert message(ValueError, v.check_like, "g", {"W": 1}, reference).startswith(
        "g: trees of different structure"
    )
    assert message(TypeError, v.check_like, "g", {"W": (), "b": ()}, reference).endswith(
        "got tuple"
    )


def test_misfits_name_all_that_does_not_fit():
    arrays = {"a": np.ones(2), "b": np.ones(3), "c": np.ones(4), "d": np.ones(1, np.float32)}
    shapes = {"a": (2,), "b": (2,), "d": (1,), "e": (1,)}
    assert v.misfits(arrays, shapes) == [
        "b has shape (3,), expected (2,)",
        "c is surplus",
        "e is missing",
    ]
    dtypes = dict.fromkeys(shapes, np.dtype(np.float64))
    assert v.misfits(arrays, shapes, dtypes) == [
        "b has float64 (3,), expected float64 (2,)",
        "c is surplus",
        "d has float32 (1,), expected float64 (1,)",
        "e is missing",
    ]


def test_check_whole_and_check_choice_say_what_is_possible():
    assert v.check_whole("unit", np.int64(63), 0, 63) == 63 and v.check_whole("seed", 0, 0) == 0
    for bad in (64, -1, 1.0, True, "1"):
        assert message(ValueError, v.check_whole, "unit", bad, 0, 63) == (
            f"unit: expected a whole number from 0 to 63, got {bad!r}"
        )
    assert message(ValueError, v.check_whole, "seed", -1, 0) == (
        "seed: expected a whole number of at least 0, got -1"
    )
    v.check_choice("cell", "GRU", {"LSTM": 1, "GRU": 2})
    for bad in ("rnn", None, ["GRU"]):
        assert message(ValueError, v.check_choice, "cell", bad, ("LSTM", "GRU")) == (
            f"cell: expected one of 'LSTM', 'GRU', got {bad!r}"
        )
