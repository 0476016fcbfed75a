"""The first training: the stored rows, some of them run again, and the largest curvature."""

from functools import partial

import numpy as np
import pytest

from benchmarks import first_training
from benchmarks.first_training import (
    SEEDS,
    SETTINGS,
    TrainingRow,
    all_strings,
    drawn_strings,
    fresh_row,
    gradient,
    largest_curvature,
    network,
    parities,
    row,
    spikes_row,
)
from rnn_tutorial.cells import Elman
from rnn_tutorial.data import read_table, stored_result
from rnn_tutorial.layers import Dense, Recurrent, Serial
from rnn_tutorial.train import binary_cross_entropy
from rnn_tutorial.tree import tree_leaves, tree_map, tree_scale


@pytest.fixture(scope="module")
def stored():
    rows = [TrainingRow(**row) for row in read_table(stored_result("first_training.csv"))]
    return {(row.setting, row.seed): row for row in rows}


def test_the_right_answer_says_whether_the_count_is_odd():
    bits = np.array([1.0, 1, 0, 1, 1]).reshape(5, 1, 1)
    assert parities(bits)[1].ravel().tolist() == [1, 0, 0, 1, 0]
    bits, targets = all_strings(3)
    assert len({tuple(string) for string in bits[:, :, 0].T}) == 8 and targets.mean() == 0.5
    bits, targets = drawn_strings(np.random.default_rng(0), 7, 400)
    assert bits.shape == targets.shape == (7, 400, 1)
    assert set(np.unique(bits)) == {0, 1} and abs(bits.mean() - 0.5) < 0.05


@pytest.mark.parametrize(("scale", "shift", "sign"), [(1, 0.0, 1), (2, 0.3, -1)])
def test_the_largest_curvature_is_the_largest_eigenvalue_of_the_second_derivatives(
    scale, shift, sign
):
    at_all = partial(gradient, network(2), all_strings(4))
    params = tree_map(lambda w: scale * w + shift, network(2).init(np.random.default_rng(7)))
    sizes = [leaf.size for leaf in tree_leaves(params)]
    theta = np.concatenate([leaf.ravel() for leaf in tree_leaves(params)])

    def flat_gradient(theta):
        parts = iter(np.split(theta, np.cumsum(sizes)[:-1]))
        moved = tree_map(lambda w: next(parts).reshape(w.shape), params)
        return np.concatenate([leaf.ravel() for leaf in tree_leaves(at_all(moved))])

    columns = [
        (flat_gradient(theta + 1e-5 * unit) - flat_gradient(theta - 1e-5 * unit)) / 2e-5
        for unit in np.eye(len(theta))
    ]
    largest = max(np.linalg.eigvalsh(np.array(columns)), key=abs)
    assert np.sign(largest) == sign
    assert largest_curvature(at_all, params, iterations=60) == pytest.approx(largest, rel=1e-3)


def test_every_setting_has_sixteen_stored_seeds(stored):
    assert list(stored) == [(setting, seed) for setting in SETTINGS for seed in SEEDS]


def test_rises_are_counted_and_the_curvature_is_the_largest_at_every_fourth_point(monkeypatch):
    at_all = partial(gradient, network(8), all_strings(6))
    points = [tree_scale(factor, network(8).init(np.random.default_rng(0))) for factor in (1, 2, 3)]
    flat, middle, sharp = sorted(points, key=lambda params: largest_curvature(at_all, params))
    losses, path = [3.0, 2.0, 2.5, 1.0, 1.5, 1.5], [flat] * 13
    path[6], path[8] = sharp, middle
    monkeypatch.setattr(first_training, "descend", lambda *run: (path, losses))
    found = spikes_row("8 units, rate 0.5", 0.5, 0)
    assert found.rises == 2
    assert found.curvature == pytest.approx(largest_curvature(at_all, middle), rel=1e-3)
    assert largest_curvature(at_all, sharp) > 1.1 * found.curvature


def test_the_loss_rises_only_above_the_limit(stored):
    for rate in (0.5, 0.8):
        rows = [stored[f"8 units, rate {rate}", seed] for seed in SEEDS]
        below = [row.rises for row in rows if row.curvature <= 2 / rate]
        assert len(below) >= 5 and not any(below)
        assert any(row.rises for row in rows)


@pytest.mark.parametrize(
    ("setting", "seed"),
    [
        ("8 units, rate 0.8", 12),
        ("2 units, rate 0.5", 3),
        ("first weights × 0.1", 11),
        ("first weights × 6", 1),
    ],
)
def test_a_stored_row_is_what_the_script_gives(setting, seed, stored, monkeypatch):
    monkeypatch.setattr(first_training, "EVERY", 1000)  # no curvature, which takes long
    again, kept = row(setting, seed), stored[setting, seed]
    assert again[:2] == kept[:2] and again[2:5] == pytest.approx(kept[2:5], rel=1e-3)
    assert (again.below, again.rises) == (kept.below, kept.rises)


def test_fresh_strings_are_trained_as_in_chapter_04():
    rng = np.random.default_rng(3)
    model = Serial((Recurrent(Elman, 1, 12), Dense(12, 1)))
    params = model.init(rng)
    for _ in range(50):
        bits = rng.integers(2, size=(10, 32, 1)).astype(float)
        logits, _, caches = model.forward(params, bits)
        _, dlogits = binary_cross_entropy(logits, np.cumsum(bits, axis=0) % 2)
        grads, _, _ = model.backward(params, caches, dlogits)
        params = tree_map(lambda w, g: w - 0.7 * g, params, grads)
    bits, targets = all_strings(10)
    loss, _ = binary_cross_entropy(model.forward(params, bits)[0], targets)
    assert fresh_row("fresh strings", 50, 3).loss == pytest.approx(loss, rel=2e-4)
    assert SETTINGS["fresh strings"] == (fresh_row, (1500,))
