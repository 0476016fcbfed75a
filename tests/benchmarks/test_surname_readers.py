"""The surname experiments of chapters 15 and 16: the stored runs, and a short one run again."""

import numpy as np
import pytest

from benchmarks import surname_readers
from benchmarks.surname_readers import (
    PATIENCE,
    VARIANTS,
    SurnameRow,
    as_batch,
    penalized_gradient,
    reader,
    surname_row,
    the_names,
)
from rnn_tutorial.data import read_table, stored_result
from rnn_tutorial.gradient_check import numerical_gradient, relative_error
from rnn_tutorial.layers import Serial
from rnn_tutorial.train import (
    activation_regularization,
    softmax_cross_entropy,
    temporal_activation_regularization,
)
from rnn_tutorial.tree import tree_dot, tree_map, tree_random_like


@pytest.fixture(scope="module")
def stored():
    return [SurnameRow(**row) for row in read_table(stored_result("surname_readers.csv"))]


@pytest.fixture(scope="module")
def names():
    pytest.importorskip("faker")
    return the_names()


def test_five_seeds_of_each_network_are_stored(stored):
    assert [row[:2] for row in stored] == [(name, seed) for name in VARIANTS for seed in range(5)]


def test_a_network_was_stopped_some_passes_after_its_best_one(stored):
    assert all(row.passes in (row.best + PATIENCE, surname_readers.PASSES) for row in stored)


@pytest.mark.parametrize("variant", ["two layers", "dropout, weight dropping, AR, TAR"])
def test_the_gradient_is_that_of_cross_entropy_and_both_penalties(variant, names, rng):
    network = reader(names, **{"H": 5} | VARIANTS[variant])
    model = Serial((network.trunk, network.head))
    params, batch = model.init(rng), as_batch(names.training[:3])
    along = tree_random_like(params, rng)

    def loss(step):
        some = [
            _moved(part, direction, step) for part, direction in zip(params, along, strict=True)
        ]
        noise = np.random.default_rng(7)  # the same each time
        hs, _, _ = network.trunk.forward(some[0], batch.xs, mask=batch.mask, rng=noise)
        logits, _, _ = network.head.forward(some[1], hs, mask=batch.mask, rng=noise)
        return (
            softmax_cross_entropy(logits, batch.targets)[0]
            + activation_regularization(hs, network.alpha, mask=batch.mask)[0]
            + temporal_activation_regularization(hs, network.beta, mask=batch.mask)[0]
        )

    grads = penalized_gradient(network, params, batch, np.random.default_rng(7))
    slope = numerical_gradient(lambda step: loss(step[0]), np.zeros(1))[0]
    assert relative_error(tree_dot(grads, along), slope) < 1e-10


def _moved(params, direction, step):
    return tree_map(lambda p, d: p + step * d, params, direction)


def test_a_stored_run_is_what_the_script_gives(stored, names):
    (row,) = [row for row in stored if row[:2] == ("one layer", 0)]
    again = surname_row("one layer", 0, names)
    assert again[:5] == row[:5] and again[5:] == pytest.approx(row[5:], rel=1e-2)


def test_the_script_stores_what_it_prints_and_nothing_unless_told(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(surname_readers, "RESULTS", tmp_path)
    monkeypatch.setattr(surname_readers, "the_names", lambda: None)
    monkeypatch.setattr(
        surname_readers, "surname_row", lambda *run: SurnameRow(*run[:2], 9, 3, 1, 1.0, 2.0, 60.0)
    )
    monkeypatch.setattr("sys.argv", ["surname_readers", "--seeds", "1"])
    surname_readers.main()
    assert len(capsys.readouterr().out.splitlines()) == len(VARIANTS)
    assert not list(tmp_path.iterdir())
    monkeypatch.setattr("sys.argv", ["surname_readers", "--seeds", "1", "--write"])
    surname_readers.main()
    rows = read_table(tmp_path / "surname_readers.csv")
    assert [row["variant"] for row in rows] == list(VARIANTS)
