"""n-gram baselines, judged by counting with Python's own dictionaries and fractions."""

from fractions import Fraction
from itertools import product
from math import log2

import numpy as np
import pytest

from rnn_tutorial.data import Vocabulary, babble, ngram_bits_per_character, ngram_probabilities


def witten_bell(train, context, symbol, V):
    """Return P(symbol | context) in exact fractions, by the recursion of the literature."""
    followers = [
        train[i + len(context)]
        for i in range(len(train) - len(context))
        if train[i : i + len(context)] == context
    ]
    lower = witten_bell(train, context[1:], symbol, V) if context else Fraction(1, V)
    if not followers:
        return lower
    different = len(set(followers))
    return (followers.count(symbol) + different * lower) / Fraction(len(followers) + different)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_probabilities_are_those_of_exact_counting(n):
    vocabulary = Vocabulary.of(babble(np.random.default_rng(0), 400) + "q")
    train, test = (
        babble(np.random.default_rng(seed), size) + "qq" for seed, size in ((0, 200), (1, 60))
    )
    train, test = vocabulary.encode(train), vocabulary.encode(test)
    exact = [
        float(
            witten_bell(
                train.tolist(), test[max(0, t - n + 1) : t].tolist(), test[t], len(vocabulary)
            )
        )
        for t in range(len(test))
    ]
    np.testing.assert_allclose(
        ngram_probabilities(train, test, n, len(vocabulary)), exact, rtol=1e-13
    )
    bits = -sum(map(log2, exact)) / len(exact)
    assert ngram_bits_per_character(train, test, n, len(vocabulary)) == pytest.approx(
        bits, rel=1e-13
    )


@pytest.mark.parametrize("n", [1, 2, 3])
def test_probabilities_of_all_symbols_add_up_to_1_after_every_context(n):
    V = 4
    train = np.random.default_rng(0).integers(3, size=30)  # symbol 3 never occurs
    for context in product(range(V), repeat=n - 1):
        p = [
            ngram_probabilities(train, np.array([*context, symbol]), n, V)[-1]
            for symbol in range(V)
        ]
        assert min(p) > 0 and sum(p) == pytest.approx(1, abs=1e-14)


def test_a_small_case_by_hand():
    # "aab": P_1(a) = (2 + 2 * 1/2) / (3 + 2) = 3/5.
    # After a: one a, one b, so P_2(a | a) = (1 + 2 * 3/5) / (2 + 2).
    train = np.array([0, 0, 1])
    assert ngram_probabilities(train, np.array([0, 0]), 2, 2) == pytest.approx([3 / 5, 11 / 20])


def test_a_text_that_repeats_is_predicted_and_a_random_one_is_not():
    repeating, random = np.tile([0, 1, 2, 3], 500), np.random.default_rng(0).integers(4, size=2000)
    assert ngram_bits_per_character(repeating[:1000], repeating[1000:], 2, 4) < 0.05
    assert ngram_bits_per_character(random[:1000], random[1000:], 1, 4) == pytest.approx(
        2, abs=0.02
    )


def test_the_test_text_may_be_shorter_than_n():
    assert ngram_probabilities(np.array([0, 1, 0]), np.array([1]), 5, 2).shape == (1,)
    assert ngram_probabilities(np.array([1]), np.array([1, 0, 1]), 5, 2).shape == (3,)


def test_texts_that_cannot_be_counted_are_refused():
    good = np.array([0, 1, 0])
    with pytest.raises(TypeError, match="train: expected whole numbers, got dtype float64"):
        ngram_probabilities(np.zeros(3), good, 2, 2)
    with pytest.raises(ValueError, match=r"test: expected indices 0 to 1 \(V = 2\), got 0 to 2"):
        ngram_probabilities(good, np.array([0, 2]), 2, 2)
    with pytest.raises(ValueError, match="test: expected at least one symbol"):
        ngram_probabilities(good, good[:0], 2, 2)
    with pytest.raises(ValueError, match="n: expected a positive whole number, got 0"):
        ngram_probabilities(good, good, 0, 2)
    with pytest.raises(ValueError, match="n: .* too many"):
        ngram_probabilities(good, good, 11, 65)
