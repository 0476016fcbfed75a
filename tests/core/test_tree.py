"""Trees: the structure is kept, no leaf is changed in place, another structure is refused."""

from collections import namedtuple
from typing import NamedTuple

import numpy as np
import pytest

from rnn_tutorial.tree import (
    tree_add,
    tree_cast,
    tree_dot,
    tree_leaves,
    tree_map,
    tree_map_parts,
    tree_map_paths,
    tree_norm,
    tree_paths,
    tree_random_like,
    tree_scale,
    tree_size,
    tree_zeros_like,
    tree_zip,
)


class Pair(NamedTuple):
    a: np.ndarray
    b: tuple


@pytest.fixture
def tree():
    return Pair(a=np.arange(3.0), b=({"w": np.array([[1.0, -2.0]])}, [np.array(4.0)], ()))


def test_map_keeps_the_structure_and_sees_each_leaf_once(tree):
    doubled = tree_map(lambda leaf: 2 * leaf, tree)
    assert (
        type(doubled) is Pair
        and type(doubled.b) is tuple
        and type(doubled.b[0]) is dict
        and type(doubled.b[1]) is list
    )
    assert doubled.b[2] == ()
    np.testing.assert_array_equal(doubled.a, [0, 2, 4])
    np.testing.assert_array_equal(doubled.b[0]["w"], [[2, -4]])
    np.testing.assert_array_equal(tree.a, [0, 1, 2])


def test_map_takes_several_trees(tree):
    total = tree_map(lambda x, y, z: x + 10 * y + 100 * z, tree, tree, tree)
    np.testing.assert_array_equal(total.b[0]["w"], [[111, -222]])


def test_paths_read_as_python_does(tree):
    assert [path for path, _ in tree_paths(tree)] == ["a", "b[0]['w']", "b[1][0]"]
    assert [path for path, _ in tree_paths((tree,))] == ["[0].a", "[0].b[0]['w']", "[0].b[1][0]"]
    assert [path for path, _ in tree_paths(tree, "params")][0] == "params.a"
    assert all(leaf is same for (_, leaf), same in zip(tree_paths(tree), tree_leaves(tree)))


def test_leaves_are_in_the_order_of_the_tree_and_not_of_the_alphabet():
    tree = {"b": 1.0, "a": ({"z": 2.0, "c": 3.0}, [4.0])}
    assert tree_leaves(tree) == [leaf for _, leaf in tree_paths(tree)] == [1.0, 2.0, 3.0, 4.0]


def test_arithmetic_agrees_with_the_flat_vector(tree):
    other = tree_random_like(tree, np.random.default_rng(0))
    flat, other_flat = (
        np.concatenate([np.ravel(leaf) for leaf in tree_leaves(t)]) for t in (tree, other)
    )
    assert tree_size(tree) == flat.size == 6
    assert tree_dot(tree, other) == pytest.approx(flat @ other_flat, rel=1e-14)
    assert tree_norm(other) == pytest.approx(np.linalg.norm(other_flat), rel=1e-14)
    np.testing.assert_allclose(tree_add(tree, other).a, flat[:3] + other_flat[:3])
    np.testing.assert_allclose(tree_scale(-3.0, tree).b[1][0], -12.0)
    assert tree_norm(tree_zeros_like(tree)) == 0.0


def test_dot_has_no_conjugate():
    assert tree_dot((np.array([1j]),), (np.array([1j]),)) == -1


def test_the_norm_of_a_long_leaf_has_all_digits_in_float32_too(rng):
    for dtype in (np.float32, np.float64, np.complex64):
        long, short = rng.standard_normal(20_000).astype(dtype), np.ones((2, 3), dtype)
        both = np.append(long, short).astype(np.complex128)
        assert tree_norm({"a": long, "b": short}) == pytest.approx(np.linalg.norm(both), rel=1e-14)


def test_norm_does_not_overflow_and_does_not_hide_a_nan():
    assert tree_norm((np.full(4, 1e200),)) == pytest.approx(2e200)
    for tiny in (1e-200, 1e-160, 1e-150):  # their squares are zero, lack digits, have all digits
        assert tree_norm((np.full(4, tiny),)) == pytest.approx(2 * tiny, rel=1e-15, abs=0)
    assert tree_norm((np.float32([3e38, 3e38]),)) == pytest.approx(3e38 * 2**0.5, rel=1e-6)
    assert np.isnan(tree_norm((np.array([1.0, np.nan]), np.array([2.0]))))
    assert tree_norm((np.array([np.inf]),)) == np.inf
    assert tree_norm(()) == 0.0


def test_dtype_is_kept(tree):
    single = tree_cast(tree, np.float32)
    for made in (
        single,
        tree_scale(0.1, single),
        tree_random_like(single, np.random.default_rng(1)),
        tree_zeros_like(single),
    ):
        assert {leaf.dtype for leaf in tree_leaves(made)} == {np.dtype("float32")}


def test_random_like_has_the_scale_asked_for_and_differs_from_leaf_to_leaf():
    a, b = tree_random_like(
        (np.zeros(20_000), np.zeros(20_000)), np.random.default_rng(0), scale=0.5
    )
    assert np.std(a) == pytest.approx(0.5, rel=0.03) and not np.array_equal(a, b)


@pytest.mark.parametrize(
    "one, other, message",
    [
        ((np.zeros(1),), (np.zeros(1), np.zeros(1)), "expected tuple of 1, got tuple of 2"),
        ((np.zeros(1),), [np.zeros(1)], "expected tuple of 1, got list of 1"),
        ({"a": np.zeros(1)}, {"b": np.zeros(1)}, r"expected dict\(a\), got dict\(b\)"),
        (Pair(np.zeros(1), ()), (np.zeros(1), ()), r"expected Pair\(a, b\), got tuple of 2"),
        ((np.zeros(1),), np.zeros(1), r"got array of shape \(1,\)"),
        (np.zeros(1), (), r"expected array of shape \(1,\), got tuple of 0"),
    ],
)
def test_another_structure_is_refused(one, other, message):
    with pytest.raises(ValueError, match=message):
        tree_add(one, other)


def test_a_named_tuple_built_again_elsewhere_is_the_same_structure():
    again = namedtuple("Pair", "a b")
    total = tree_add(Pair(np.ones(1), ()), again(np.ones(1), ()))
    assert type(total) is Pair and total.a == 2


def test_an_outline_sees_whole_parts():
    params = (Pair(np.ones(1), ()), np.zeros(2))
    assert tree_map_parts(
        lambda keep, part: keep and type(part).__name__, (True, False), params
    ) == ("Pair", False)
    with pytest.raises(ValueError, match="expected tuple of 3, got tuple of 2"):
        tree_map_parts(lambda *_: None, (True, True, True), params)


def test_another_named_tuple_is_another_structure_even_with_the_same_fields():
    with pytest.raises(ValueError, match=r"expected Pair\(a, b\), got Couple\(a, b\)"):
        tree_add(Pair(np.ones(1), ()), namedtuple("Couple", "a b")(np.ones(1), ()))


@pytest.mark.parametrize("shape", [(3,), (1, 3), (4, 1), ()])
def test_sums_and_products_never_stretch_a_leaf(shape):
    for function in (tree_add, tree_dot):
        with pytest.raises(
            ValueError, match=r"\['W'\]: trees of different shapes: expected \(4, 3\), got"
        ):
            function(
                {"b": np.ones(3), "W": np.ones((4, 3))}, {"b": np.ones(3), "W": np.ones(shape)}
            )


@pytest.mark.parametrize(
    "a, b",
    [(np.float32, np.float64), (np.float64, np.float32), (np.int64, np.float64), (np.float64, int)],
)
def test_a_sum_has_one_dtype(a, b):
    with pytest.raises(TypeError, match=r"\[0\]: trees of different dtypes: expected"):
        tree_add((np.ones(2, a),), (np.ones(2, b),))


def test_real_and_complex_numbers_of_one_precision_have_a_sum():
    total = tree_add((np.ones(2, np.float32),), (np.full(2, 1j, np.complex64),))
    assert total[0].dtype == np.complex64 and total[0].tolist() == [1 + 1j, 1 + 1j]


def test_dicts_are_matched_by_key():
    one, other = (
        {"a": np.array([1.0]), "b": np.array([2.0])},
        {"b": np.array([20.0]), "a": np.array([10.0])},
    )
    assert tree_add(one, other) == {"a": 11, "b": 22}
    assert tree_zip("p", one, other) == [("p['a']", 1, 10), ("p['b']", 2, 20)]
    assert tree_map_paths(lambda path, x, y: f"{path}: {x[0]}, {y[0]}", one, other) == {
        "a": "['a']: 1.0, 10.0",
        "b": "['b']: 2.0, 20.0",
    }


def test_whole_numbers_are_not_cut():
    with pytest.raises(
        TypeError, match=r"\['n'\]: expected a dtype that can hold 0.1 times the leaf, got int64"
    ):
        tree_scale(0.1, {"n": np.array([3, 4], np.int64)})
    with pytest.raises(TypeError, match="expected floating-point numbers, got int64"):
        tree_random_like(np.array([3, 4], np.int64), np.random.default_rng(0))
    assert tree_scale(2, (np.array([3, 4]),))[0].tolist() == [6, 8]


def test_a_scale_beyond_float32_neither_underflows_nor_overflows():
    down = tree_scale(5e-49, (np.full(3, 1e38, np.float32),))[0]
    up = tree_scale(np.float64(1e45), (np.full(3, 1e-30, np.float32),))[0]
    assert down.dtype == up.dtype == np.float32
    np.testing.assert_allclose([down[0], up[0]], [5e-11, 1e15], rtol=1e-6)
