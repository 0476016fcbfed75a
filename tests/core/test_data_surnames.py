"""Surnames and their language: the lists of a package, and the toy with a known rule."""

import importlib.util
import sys
from collections import Counter

import numpy as np
import pytest

from rnn_tutorial.data import surnames, toy_surnames

has_faker = importlib.util.find_spec("faker") is not None
needs_faker = pytest.mark.skipif(not has_faker, reason="the package faker is not installed")


@needs_faker
def test_the_lists_have_the_names_that_are_known():
    counts = Counter(language for _, language in surnames())
    assert counts == {
        "Croatian": 799,
        "Dutch": 1073,
        "English": 1118,
        "Estonian": 495,
        "Finnish": 400,
        "French": 400,
        "German": 404,
        "Italian": 1164,
        "Spanish": 1085,
        "Swedish": 500,
    }
    pairs = {
        ("Aalto", "Finnish"),
        ("van den Berg", "Dutch"),
        ("Abramović", "Croatian"),
        ("Metcalfe", "English"),
    }
    assert pairs <= set(surnames()), (
        "written as they are written, from tuples, lists and dicts; English from two places"
    )


@needs_faker
def test_each_pair_is_there_once_and_a_name_of_several_languages_once_for_each():
    pairs = surnames()
    assert len(set(pairs)) == len(pairs) == 7438
    assert {language for name, language in pairs if name == "Martin"} >= {
        "English",
        "French",
        "Spanish",
    }
    assert sum(count > 1 for count in Counter(name for name, _ in pairs).values()) == 308


@needs_faker
def test_the_order_is_the_same_each_time_and_no_name_is_empty():
    pairs = surnames()
    assert pairs == surnames() == sorted(pairs, key=lambda pair: (pair[1], pair[0]))
    assert all(isinstance(name, str) and name == name.strip() and name for name, _ in pairs)


def test_a_missing_package_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "faker.providers.person.hr_HR", None)  # importing it fails
    with pytest.raises(
        ModuleNotFoundError, match=r"pip install faker==40\.54\.0 .*`data` extra"
    ) as error:
        surnames()
    assert error.value.name == "faker"


def test_in_the_toy_the_end_of_a_name_tells_its_language_and_the_beginning_does_not():
    pairs = toy_surnames(np.random.default_rng(0), 2000)
    for name, language in pairs:
        assert language == (
            "Southern" if name.endswith("o") else "Eastern" if name.endswith("ov") else "Northern"
        )
        assert name == name.capitalize() and name.isalpha()
    shares = Counter(language for name, language in pairs if name.startswith("Bar"))
    assert set(Counter(language for _, language in pairs)) == {"Northern", "Southern", "Eastern"}
    assert min(shares.values()) / max(shares.values()) > 0.6


def test_the_toy_has_as_many_names_as_asked_for_and_is_decided_by_its_seed():
    pairs = toy_surnames(np.random.default_rng(0), 50)
    assert len(pairs) == 50 and pairs == toy_surnames(np.random.default_rng(0), 50)
    assert pairs != toy_surnames(np.random.default_rng(1), 50)
    with pytest.raises(ValueError, match="count: expected"):
        toy_surnames(np.random.default_rng(0), 0)
    with pytest.raises(TypeError, match="rng: expected"):
        toy_surnames(0, 5)
