"""n-gram models: how well does counting predict the next symbol? The baseline of character models.

Interpolated Witten-Bell smoothing:

    P_k(s | c) = (N(c s) + U(c) * P_{k-1}(s | c')) / (N(c) + U(c)),      P_0(s) = 1 / V

c is the context, the k-1 symbols before s, and c' is c without its oldest symbol. N counts
occurrences in the training text, N(c) = sum over s of N(c s), and U(c) is the number of different
symbols that followed c there. For a context that never occurred, P_k = P_{k-1}.

Source: Witten & Bell 1991, method C; Chen & Goodman 1998, section 2.6.
"""

import numpy as np

from rnn_tutorial.types import Array
from rnn_tutorial.validation import check_array, check_positive

__all__ = [
    "ngram_bits_per_character",
    "ngram_probabilities",
]


def ngram_bits_per_character(train: Array, test: Array, n: int, V: int) -> float:
    """Return the mean of -log2 P_n(symbol | the n-1 symbols before it) over the text `test`.

    The counts are those of the text `train`. The unit is bits per character; a uniform guess costs
    log2(V).

    Shapes: train and test (N,), whole numbers in 0 … V-1 from `Vocabulary.encode`.

    Raises: as `ngram_probabilities`.
    """
    return float(-np.log2(ngram_probabilities(train, test, n, V)).mean())


def ngram_probabilities(train: Array, test: Array, n: int, V: int) -> Array:
    """Return P_n(test[t] | the n-1 symbols before it) for every t, by the formula of this module.

    The first n-1 symbols of `test` have a shorter context: P_1 for the first, P_2 for the second …

    Shapes: train and test (N,), any two lengths; the result (len(test),).

    Raises: TypeError for texts that are not whole numbers; ValueError for an index outside 0 … V-1,
    an empty text, or V**n too large to number the n-grams.
    """
    check_positive("n", n)
    check_positive("V", V)
    for name, text in (("train", train), ("test", test)):
        _check_text(name, text, V)
    if V**n >= 2**62:
        raise ValueError(f"n: V**n = {V}**{n} n-grams are too many to be numbered in 64 bits")
    probabilities = np.full(len(test), 1 / V)
    for k in range(1, min(n, len(test), len(train)) + 1):
        count, total, different = _counts(_codes(train, k, V), _codes(test, k, V), V)
        lower = probabilities[k - 1 :]
        seen = np.maximum(total + different, 1)  # 1 for a context that never occurred: see below
        probabilities[k - 1 :] = np.where(total > 0, (count + different * lower) / seen, lower)
    return probabilities


def _codes(text: Array, k: int, V: int) -> Array:
    """Return a number for each k-gram of `text`, (N - k + 1,): its symbols as digits in base V."""
    codes = np.zeros(len(text) - k + 1, np.int64)
    for j in range(k):
        codes = codes * V + text[j : len(text) - k + 1 + j]
    return codes


def _counts(train: Array, test: Array, V: int) -> tuple[Array, Array, Array]:
    """Return N(c s), N(c) and U(c) of the k-grams `train`, for each k-gram c s of `test`."""
    grams, times = np.unique(train, return_counts=True)
    contexts, starts, followers = np.unique(grams // V, return_index=True, return_counts=True)
    totals = np.add.reduceat(times, starts)  # grams are sorted: those of one context are together
    return (
        _look_up(grams, times, test),
        _look_up(contexts, totals, test // V),
        _look_up(contexts, followers, test // V),
    )


def _look_up(keys: Array, values: Array, wanted: Array) -> Array:
    """Return the value of each wanted key, 0 for a key that does not occur; `keys` are sorted."""
    places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[places] == wanted, values[places], 0)


def _check_text(name: str, text: Array, V: int) -> None:
    check_array(name, text, N=None)
    if not np.issubdtype(text.dtype, np.integer):
        raise TypeError(f"{name}: expected whole numbers, got dtype {text.dtype}")
    if len(text) == 0:
        raise ValueError(f"{name}: expected at least one symbol, got none")
    if text.min() < 0 or text.max() >= V:
        raise ValueError(
            f"{name}: expected indices 0 to {V - 1} (V = {V}), got {text.min()} to {text.max()}"
        )
