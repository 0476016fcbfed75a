"""Clipped gradients: no longer than the limit, and a failure stays visible."""

import numpy as np
import pytest

from rnn_tutorial.train import clip_by_global_norm, clip_by_norm, clip_by_value
from rnn_tutorial.tree import tree_cast, tree_leaves, tree_map, tree_norm, tree_random_like

CLIPS = [clip_by_global_norm, clip_by_norm, clip_by_value]


def gradients(scale=3.0):
    rng = np.random.default_rng(0)
    return tree_random_like(
        ({"W": np.zeros((3, 4)), "b": np.zeros(4)}, [np.zeros((2, 2, 2))], ()), rng, scale
    )


def equal(a, b):
    return all(tree_leaves(tree_map(np.array_equal, a, b)))


@pytest.mark.parametrize("limit", [0.1, 5.0, 1000.0])
def test_pytorch_finds_the_same_global_norm(limit):
    torch = pytest.importorskip("torch")
    leaves = [
        torch.zeros(leaf.shape, dtype=torch.float64, requires_grad=True)
        for leaf in tree_leaves(gradients())
    ]
    for leaf, grad in zip(leaves, tree_leaves(gradients()), strict=True):
        leaf.grad = torch.tensor(grad)
    norm = torch.nn.utils.clip_grad_norm_(leaves, limit).item()
    np.testing.assert_allclose(tree_norm(gradients()), norm, rtol=1e-12)
    correction = (norm + 1e-6) / norm if limit < norm else 1.0  # PyTorch divides by norm + 1e-6
    for ours, leaf in zip(
        tree_leaves(clip_by_global_norm(gradients(), limit)), leaves, strict=True
    ):
        np.testing.assert_allclose(ours, leaf.grad.numpy() * correction, rtol=1e-12)


def test_the_global_norm_keeps_the_direction():
    clipped = clip_by_global_norm(gradients(), 0.5)
    np.testing.assert_allclose(tree_norm(clipped), 0.5, rtol=1e-14)
    ratios = np.concatenate(
        [
            (a / b).ravel()
            for a, b in zip(tree_leaves(clipped), tree_leaves(gradients()), strict=True)
        ]
    )
    np.testing.assert_allclose(ratios, ratios[0], rtol=1e-14)


def test_the_norm_of_each_leaf_is_limited_on_its_own():
    grads = {"long": np.array([3.0, 4.0]), "short": np.array([0.3, 0.4])}
    clipped = clip_by_norm(grads, 1.0)
    np.testing.assert_allclose(clipped["long"], [0.6, 0.8], rtol=1e-15)
    assert np.array_equal(clipped["short"], grads["short"])


def test_each_value_is_limited_on_its_own():
    assert clip_by_value([np.array([-3.0, -0.5, 0.0, 2.0])], 1.0)[0].tolist() == [
        -1.0,
        -0.5,
        0.0,
        1.0,
    ]


@pytest.mark.parametrize("clip", CLIPS)
def test_a_short_gradient_stays_as_it_is(clip):
    assert equal(clip(gradients(), 1e6), gradients())
    assert equal(
        clip(tree_map(np.zeros_like, gradients()), 1.0), tree_map(np.zeros_like, gradients())
    )


@pytest.mark.parametrize("clip", CLIPS)
def test_float32_stays_float32_and_nothing_is_changed(clip):
    grads = tree_cast(gradients(), np.float32)
    for leaf in tree_leaves(grads):
        leaf.flags.writeable = False
    assert {leaf.dtype for leaf in tree_leaves(clip(grads, np.float64(0.1)))} == {
        np.dtype(np.float32)
    }


@pytest.mark.parametrize("clip", CLIPS)
@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_a_failure_is_not_hidden(clip, wrong):
    for place in range(2):
        grads = [np.zeros(3), np.zeros(2)]
        grads[place][1] = wrong
        after = clip(grads, 1.0)
        assert equal(after, grads) or np.isnan(wrong)
        assert np.array_equal(after[place], grads[place], equal_nan=True)
        assert not np.isfinite(tree_norm(after))


def test_an_enormous_gradient_is_clipped_without_overflow():
    with np.errstate(all="raise", under="ignore"):
        np.testing.assert_allclose(
            tree_norm(clip_by_global_norm([np.full(4, 1e300)], 1.0)), 1.0, rtol=1e-14
        )
        np.testing.assert_allclose(
            tree_norm(clip_by_global_norm([np.full(4, 1e30, np.float32)], 1.0)), 1.0, rtol=1e-6
        )


@pytest.mark.parametrize("clip", CLIPS)
@pytest.mark.parametrize("limit", [0, -1.0, np.nan, None, True])
def test_a_limit_that_is_not_positive_is_refused(clip, limit):
    with pytest.raises(ValueError, match="limit: expected a finite number above 0"):
        clip(gradients(), limit)


@pytest.mark.parametrize("clip", CLIPS)
@pytest.mark.parametrize(
    "leaf",
    [
        np.array([30, 40]),
        np.ones(2, np.float16),
        np.array([1.0], dtype=object),
        [3.0],
        np.ones(1).view(np.matrix),
    ],
)
def test_what_is_not_a_floating_point_array_is_refused(clip, leaf):
    with pytest.raises(
        TypeError, match=r"gradient\['W'\].*: expected an array of floating-point numbers, got"
    ):
        clip({"W": leaf}, 1e6)


@pytest.mark.parametrize("clip", CLIPS[:2])
def test_a_short_limit_for_a_long_float32_gradient_leaves_no_zeros(clip):
    clipped = clip([np.full(4, 1e38, np.float32)], 1e-10)[0]
    np.testing.assert_allclose(clipped, np.full(4, 5e-11), rtol=1e-6)


def test_a_limit_above_the_largest_float32_clips_nothing():
    with np.errstate(all="raise"):
        assert clip_by_value([np.array([3e38], np.float32)], 1e39)[0] == np.float32(3e38)


def test_complex_numbers_have_no_order_to_clip_by():
    with pytest.raises(TypeError, match="gradient: expected real numbers"):
        clip_by_value([np.ones(2, complex)], 1.0)
