"""Metrics: how good predictions are, in numbers that people read. They have no gradients.

Predictions and targets are whole numbers, the indices of classes, of one shape:
`logits.argmax(axis=-1)` makes predictions. `mask` is boolean of the same shape, True where a
prediction counts.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from rnn_tutorial.types import Array
from rnn_tutorial.validation import check_number, check_positive, is_array

__all__ = [
    "accuracy",
    "bits_per_character",
    "confusion_matrix",
    "edit_distance",
    "error_rate",
    "f_score",
    "perplexity",
    "precision",
    "recall",
    "sequence_error_rate",
]


def accuracy(predictions: Array, targets: Array, mask: Array | None = None) -> float:
    """Return the share of the counted predictions that equal their target, from 0 to 1.

    Raises: TypeError for anything but an array of whole numbers, ValueError for shapes that differ
    or a mask without a True.
    """
    predictions, targets = _counted_pairs(predictions, targets, mask)
    return float(np.mean(predictions == targets))


def confusion_matrix(
    predictions: Array, targets: Array, K: int, mask: Array | None = None
) -> Array:
    """Return the (K, K) counts: entry [k, j] says how often class k was predicted as class j.

    Rows are targets, columns are predictions.

    Raises: as in `accuracy`, and IndexError for a class outside 0..K-1.
    """
    K = check_positive("K", K)
    predictions, targets = _counted_pairs(predictions, targets, mask)
    for name, classes in (("predictions", predictions), ("targets", targets)):
        if classes.min() < 0 or classes.max() >= K:
            raise IndexError(
                f"{name}: expected classes in 0..{K - 1}, got {classes.min()} to {classes.max()}"
            )
    return np.bincount(targets.astype(int) * K + predictions.astype(int), minlength=K * K).reshape(
        K, K
    )


def precision(matrix: Array) -> Array:
    """Return, for each class, the share of its predictions that were right.

    It is 0 for a class that was never predicted. `matrix` is a `confusion_matrix`. For one number,
    take the mean over the classes.

    Shapes: matrix (K, K); the answer (K,).

    Raises: ValueError for anything but a square matrix.
    """
    _check_matrix(matrix)
    return _ratio(np.diag(matrix), matrix.sum(axis=0))


def recall(matrix: Array) -> Array:
    """Return, for each class, the share of its targets that were found.

    It is 0 for a class that never occurs.

    Shapes: matrix (K, K); the answer (K,).

    Raises: as in `precision`.
    """
    _check_matrix(matrix)
    return _ratio(np.diag(matrix), matrix.sum(axis=1))


def f_score(matrix: Array, beta: float = 1.0) -> Array:
    """Return (1 + beta^2) precision * recall / (beta^2 precision + recall) for each class.

    It is 0 where both are 0. With beta = 1 it is the harmonic mean of the two; a larger beta weighs
    recall more.

    Shapes: matrix (K, K); the answer (K,).

    Raises: ValueError for a beta that is not positive, or anything but a square matrix.

    Source: van Rijsbergen (1979), "Information retrieval", chapter 10.
    """
    beta = check_number("beta", beta, above=0)
    p, r = precision(matrix), recall(matrix)
    return _ratio((1 + beta**2) * p * r, beta**2 * p + r)


def edit_distance(said: Sequence[Any], right: Sequence[Any]) -> int:
    """Return the least number of symbols to insert, leave out or exchange to make one the other.

    d[i, j] = min(d[i-1, j] + 1, d[i, j-1] + 1, d[i-1, j-1] + (said_i is not right_j))

    The table is filled row by row, and only two rows are kept.

    Source: Levenshtein (1966); Wagner and Fischer (1974) for the table.

    Example:
    >>> edit_distance("sitting", "kitten")
    3
    """
    row = list(range(len(right) + 1))
    for i, symbol in enumerate(said, 1):
        above, row = row, [i]
        for j, wanted in enumerate(right, 1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (symbol != wanted)))
    return row[-1]


def error_rate(said: Sequence[Sequence[Any]], right: Sequence[Sequence[Any]]) -> float:
    """Return the sum of all edit distances divided by the number of right symbols.

    Of phones it is the phone error rate, of words in sentences the word error rate. It can be above
    1, if far too much is said.

    Raises: ValueError for different numbers of sequences, none, or no right symbol at all.
    """
    _check_said(said, right)
    length = sum(len(r) for r in right)
    if length == 0:
        raise ValueError("right: expected at least one symbol, got none")
    return sum(edit_distance(s, r) for s, r in zip(said, right)) / length


def sequence_error_rate(said: Sequence[Sequence[Any]], right: Sequence[Sequence[Any]]) -> float:
    """Return the share of the sequences that are not right from the first symbol to the last.

    For the sounds of single words it is called the word error rate.

    Raises: ValueError for different numbers of sequences, or none.
    """
    _check_said(said, right)
    return sum(tuple(s) != tuple(r) for s, r in zip(said, right)) / len(right)


def _check_said(said: Sequence[Any], right: Sequence[Any]) -> None:
    if len(said) != len(right):
        raise ValueError(
            f"said: expected {len(right)} sequences, one for each right, got {len(said)}"
        )
    if not len(right):
        raise ValueError("right: expected at least one sequence, got none")


def perplexity(nats: float) -> float:
    """Return exp(nats), the perplexity of a mean cross-entropy in nats.

    Among this many equally likely choices one is as uncertain.
    """
    return float(np.exp(float(nats)))  # in float32 the exp of a loss above 88 is infinite


def bits_per_character(nats: float) -> float:
    """Return nats / ln 2: the mean cross-entropy per character, in bits."""
    return float(nats) / math.log(2)


def _ratio(numerator: Array, denominator: Array) -> Array:
    """Return numerator / denominator, and 0 where both are 0."""
    return np.divide(numerator, denominator, out=np.zeros(len(numerator)), where=denominator != 0)


def _counted_pairs(predictions: Array, targets: Array, mask: Array | None) -> tuple[Array, Array]:
    for name, classes in (("predictions", predictions), ("targets", targets)):
        if not is_array(classes) or classes.dtype.kind not in "iu":
            got = classes.dtype if is_array(classes) else type(classes).__name__
            raise TypeError(f"{name}: expected an array of whole numbers, got {got}")
    if predictions.shape != targets.shape:
        raise ValueError(
            f"predictions: expected shape {targets.shape}, that of targets, got {predictions.shape}"
        )
    if mask is not None:
        if not is_array(mask) or mask.dtype != bool or mask.shape != targets.shape:
            got = (
                f"{mask.dtype if is_array(mask) else type(mask).__name__} of shape {np.shape(mask)}"
            )
            raise ValueError(
                f"mask: expected bool of shape {targets.shape}, "
                f"True where a prediction counts, got {got}"
            )
        predictions, targets = predictions[mask], targets[mask]
    if targets.size == 0:
        raise ValueError("targets: expected at least one that counts, got none")
    return predictions.ravel(), targets.ravel()


def _check_matrix(matrix: Array) -> None:
    if not is_array(matrix) or matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        got = matrix.shape if is_array(matrix) else type(matrix).__name__
        raise ValueError(f"matrix: expected a confusion matrix of shape (K, K), got {got}")
