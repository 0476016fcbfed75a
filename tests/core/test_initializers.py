"""Initial weights: the variance that the paper asks for, orthogonality, reproducible draws."""

import numpy as np
import pytest

from rnn_tutorial import initializers as init

SHAPE = (300, 500)


@pytest.mark.parametrize(
    "initializer, variance",
    [
        (init.glorot_uniform, 2 / 800),
        (init.glorot_normal, 2 / 800),
        (init.he_normal, 2 / 300),
        (init.uniform(0.3), 0.3**2 / 3),
        (init.normal(0.3), 0.3**2),
        (init.zeros, 0.0),
    ],
)
def test_mean_and_variance(initializer, variance, rng):
    W = initializer(rng, SHAPE)
    assert W.shape == SHAPE and W.dtype == np.float64
    assert W.mean() == pytest.approx(0, abs=3 * np.sqrt(variance / W.size) + 1e-15)
    assert W.var() == pytest.approx(variance, rel=0.02)


def test_uniform_draws_stay_within_their_limit(rng):
    assert np.abs(init.glorot_uniform(rng, SHAPE)).max() <= np.sqrt(6 / 800)
    assert np.abs(init.uniform(0.3)(rng, SHAPE)).max() <= 0.3


def test_normal_draws_do_not(rng):
    assert np.abs(init.glorot_normal(rng, SHAPE)).max() > 3 * np.sqrt(2 / 800)


@pytest.mark.parametrize("shape", [(6, 6), (6, 4), (4, 6), (1, 1)])
def test_orthogonal_has_singular_values_one(shape, rng):
    np.testing.assert_allclose(
        np.linalg.svd(init.orthogonal(rng, shape), compute_uv=False), 1, rtol=1e-12
    )


def test_orthogonal_draws_rotations_and_reflections_alike(rng):
    determinants = [np.linalg.det(init.orthogonal(rng, (2, 2))) for _ in range(200)]
    assert 60 < np.sum(np.array(determinants) > 0) < 140
    angles = [np.mean([init.orthogonal(rng, (2, 2))[0, 0] for _ in range(200)])]
    assert (
        abs(angles[0]) < 0.15
    )  # no direction preferred: without the signs of R the first entry is always negative


def test_identity_and_constant(rng):
    np.testing.assert_array_equal(init.identity(0.5)(rng, (3, 3)), 0.5 * np.eye(3))
    np.testing.assert_array_equal(init.constant(2)(rng, (3,)), [2.0, 2.0, 2.0])
    assert init.constant(2)(rng, (3,)).dtype == np.float64
    with pytest.raises(ValueError, match=r"square matrix, got \(2, 3\)"):
        init.identity()(rng, (2, 3))


def test_one_seed_gives_one_matrix_and_two_draws_differ():
    draw = [init.glorot_uniform(np.random.default_rng(7), (2, 3)) for _ in range(2)]
    np.testing.assert_array_equal(*draw)
    rng = np.random.default_rng(7)
    assert not np.array_equal(init.glorot_uniform(rng, (2, 3)), init.glorot_uniform(rng, (2, 3)))


def test_a_bias_shape_is_refused_where_a_matrix_is_meant(rng):
    for initializer in (init.glorot_uniform, init.glorot_normal, init.he_normal, init.orthogonal):
        with pytest.raises(ValueError, match=r"expected \(rows, columns\), got \(3,\)"):
            initializer(rng, (3,))


@pytest.mark.parametrize("make", [init.uniform, init.normal, init.constant, init.identity])
def test_a_number_that_makes_no_sense_is_refused_when_it_is_given(make):
    for bad in (np.nan, np.inf, "1", None):
        with pytest.raises(ValueError, match="(limit|scale|value): expected a finite number"):
            make(bad)
    if make in (init.uniform, init.normal):
        with pytest.raises(ValueError, match="at least 0, got -1"):
            make(-1)
