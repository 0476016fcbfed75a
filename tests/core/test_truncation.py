"""Truncated backpropagation, compared with a forward pass cut by hand, and the full gradient."""

import numpy as np
import pytest

from rnn_tutorial.cells import GRU, LSTM, Elman, ElmanState
from rnn_tutorial.gradient_check import complex_step_slope, random_start, relative_error
from rnn_tutorial.sequence import (
    fused_unroll,
    kept_paths,
    truncated_backward,
    unroll,
    unroll_backward,
)
from rnn_tutorial.tree import (
    tree_add,
    tree_cast,
    tree_dot,
    tree_leaves,
    tree_random_like,
    tree_zeros_like,
)

T, B, D, H = 7, 3, 4, 5
LENGTHS = np.array([7, 4, 1])
MASKS = {"whole": None, "ragged": np.arange(T)[:, None] < LENGTHS}
STRIDES_AND_WINDOWS = [
    (1, 1),
    (1, 3),
    (2, 3),
    (3, 3),
    (2, 6),
    (4, 5),
    (7, 7),
    (1, 7),
    (3, 100),
    (100, 100),
]

each_mask = pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
each_cut = pytest.mark.parametrize(("stride", "window"), STRIDES_AND_WINDOWS)


def problem(mask=None, seed=0):
    """Return params, xs, dhs and what unroll returns from them."""
    rng = np.random.default_rng(seed)
    params, state = random_start(Elman, rng, B, D, H)
    xs, dhs = rng.standard_normal((T, B, D)), rng.standard_normal((T, B, H))
    return params, xs, dhs, unroll(Elman, params, xs, state, mask)


def largest_error(tree, reference):
    return max(
        relative_error(d, r) for d, r in zip(tree_leaves(tree), tree_leaves(reference), strict=True)
    )


def loss_cut_by_hand(params, xs, dhs, cache, mask, stride, window):
    """Return the loss: a sum over steps, each of a forward pass that begins at a fixed state."""
    total = 0
    for t in range(T):
        first = max(stride * (t // stride + 1) - window, 0)
        constant = ElmanState(cache.previous_hs[first].astype(xs.dtype))
        piece = None if mask is None else mask[first : t + 1]
        (hs, _), _ = unroll(Elman, params, xs[first : t + 1], constant, piece)
        total = total + np.sum(hs[-1] * dhs[t])
    return total


@each_mask
@each_cut
def test_only_the_paths_inside_the_windows_count(stride, window, mask):
    params, xs, dhs, (_, cache) = problem(mask)
    value = truncated_backward(Elman, params, cache, dhs, stride=stride, window=window)
    direction = tree_random_like((params, xs), np.random.default_rng(1))
    slope = complex_step_slope(
        lambda point: loss_cut_by_hand(*point, dhs, cache, mask, stride, window),
        (params, xs),
        direction,
    )
    assert tree_dot(value, direction) == pytest.approx(slope, rel=1e-11)


def path(params, hs, dh_out, s, k):
    """Return the part of dW_h that comes from the use at step s and the loss of step k."""
    g = dh_out
    for t in range(k, s, -1):
        g = (g * (1 - hs[t] ** 2)) @ params.W_h.T
    return hs[s - 1].T @ (g * (1 - hs[s] ** 2))


@each_cut
def test_the_truncated_gradient_is_the_sum_over_the_kept_paths(stride, window):
    params, _, dhs, (_, cache) = problem()
    hs = [*cache.previous_hs, cache.last.h]
    kept = kept_paths(T, stride=stride, window=window)
    pairs = [(s, k) for s in range(1, T + 1) for k in range(1, T + 1) if kept[s - 1, k - 1]]
    expected = sum(path(params, hs, dhs[k - 1], s, k) for s, k in pairs)
    value, _ = truncated_backward(Elman, params, cache, dhs, stride=stride, window=window)
    assert relative_error(value.W_h, expected) < 1e-12


@pytest.mark.parametrize("T", [1, 5])
def test_a_window_that_reaches_the_start_keeps_every_path(T):
    assert (kept_paths(T, stride=1, window=T) == np.triu(np.ones((T, T), bool))).all()


@pytest.mark.parametrize(
    ("cut", "message"),
    [
        ({"stride": 4, "window": 3}, "window: expected at least the stride, 4, got 3"),
        ({"stride": 0, "window": 3}, "stride: expected a positive whole number, got 0"),
    ],
)
def test_paths_of_no_cut_are_refused(cut, message):
    with pytest.raises(ValueError, match=message):
        kept_paths(T, **cut)
    with pytest.raises(ValueError, match="T: expected a positive whole number, got 0"):
        kept_paths(0, stride=1, window=1)


@each_mask
@each_cut
@pytest.mark.parametrize("cell", [Elman, LSTM, GRU], ids=lambda cell: cell.name)
def test_the_cache_of_a_fast_twin_serves_as_well(cell, stride, window, mask):
    rng = np.random.default_rng(0)
    params, state = random_start(cell, rng, B, D, H)
    xs, dhs = rng.standard_normal((T, B, D)), rng.standard_normal((T, B, H))
    caches = [forward(cell, params, xs, state, mask)[1] for forward in (unroll, fused_unroll)]
    readable, fast = (
        truncated_backward(cell, params, cache, dhs, stride=stride, window=window)
        for cache in caches
    )
    assert largest_error(fast, readable) < 1e-12


@each_mask
@pytest.mark.parametrize("stride", [1, 2, 7])
def test_a_window_that_reaches_the_start_cuts_nothing(stride, mask):
    params, _, dhs, ((_, last_state), cache) = problem(mask)
    dparams, dxs, _ = unroll_backward(Elman, params, cache, (dhs, tree_zeros_like(last_state)))
    value = truncated_backward(Elman, params, cache, dhs, stride=stride, window=T + stride - 1)
    assert largest_error(value, (dparams, dxs)) < 1e-12


def test_pieces_are_what_training_piece_by_piece_computes():
    params, xs, dhs, (_, cache) = problem()
    state, total, dxs = ElmanState(cache.previous_hs[0]), tree_zeros_like(params), []
    for start in range(0, T, 3):
        (_, state), piece = unroll(Elman, params, xs[start : start + 3], state)
        dparams, dxs_piece, _ = unroll_backward(
            Elman, params, piece, (dhs[start : start + 3], tree_zeros_like(state))
        )
        total, dxs = tree_add(total, dparams), [*dxs, dxs_piece]
    value = truncated_backward(Elman, params, cache, dhs, stride=3, window=3)
    assert largest_error(value, (total, np.concatenate(dxs))) < 1e-12


def test_a_slice_of_a_cache_is_the_cache_of_a_slice():
    _, _, _, (_, cache) = problem(MASKS["ragged"])
    piece = cache.part(2, 5)
    np.testing.assert_array_equal(piece.xs, cache.xs[2:5])
    np.testing.assert_array_equal(piece.previous_hs, cache.previous_hs[2:5])
    np.testing.assert_array_equal(piece.mask, cache.mask[2:5])
    assert len(piece.steps) == 3


def test_float32_stays_float32():
    params, xs, dhs = tree_cast(problem()[:3], np.float32)
    _, cache = unroll(Elman, params, xs, Elman.initial_state(params, B))
    value = truncated_backward(Elman, params, cache, dhs, stride=2, window=3)
    assert {leaf.dtype for leaf in tree_leaves(value)} == {np.dtype(np.float32)}


def test_nothing_of_the_caller_is_changed():
    params, _, dhs, (_, cache) = problem()
    point = (params, dhs, cache.xs, cache.previous_hs, cache.steps)
    before = [leaf.copy() for leaf in tree_leaves(point)]
    truncated_backward(Elman, params, cache, dhs, stride=2, window=3)
    assert all(
        np.array_equal(old, new) for old, new in zip(before, tree_leaves(point), strict=True)
    )


def test_bad_input_is_named():
    params, _, dhs, (_, cache) = problem()
    with pytest.raises(ValueError, match="window: expected at least the stride, 4, got 3"):
        truncated_backward(Elman, params, cache, dhs, stride=4, window=3)
    with pytest.raises(ValueError, match="stride: expected a positive whole number, got 0"):
        truncated_backward(Elman, params, cache, dhs, stride=0, window=3)
    with pytest.raises(ValueError, match=r"window: expected a positive whole number, got 2\.5"):
        truncated_backward(Elman, params, cache, dhs, stride=1, window=2.5)
    with pytest.raises(ValueError, match=r"dhs: expected shape \(7, 3, 5\), got \(6, 3, 5\)"):
        truncated_backward(Elman, params, cache, dhs[1:], stride=1, window=2)
