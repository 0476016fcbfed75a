"""The metrics on a case calculated by hand, and against scikit-learn where it is installed."""

import math

import numpy as np
import pytest

from rnn_tutorial.train import (
    accuracy,
    bits_per_character,
    confusion_matrix,
    edit_distance,
    error_rate,
    f_score,
    perplexity,
    precision,
    recall,
    sequence_error_rate,
)

TARGETS = np.array([[0, 0, 0, 1], [1, 2, 2, 2]])
PREDICTIONS = np.array([[0, 0, 1, 1], [0, 2, 2, 0]])
MATRIX = [[2, 1, 0, 0], [1, 1, 0, 0], [1, 0, 2, 0], [0, 0, 0, 0]]  # class 3 never occurs


def test_the_confusion_matrix_has_targets_in_rows_and_predictions_in_columns():
    matrix = confusion_matrix(PREDICTIONS, TARGETS, 4)
    assert matrix.tolist() == MATRIX


def test_the_shares_are_the_ones_counted_by_hand():
    matrix = confusion_matrix(PREDICTIONS, TARGETS, 4)
    assert accuracy(PREDICTIONS, TARGETS) == 5 / 8
    np.testing.assert_allclose(precision(matrix), [2 / 4, 1 / 2, 2 / 2, 0])
    np.testing.assert_allclose(recall(matrix), [2 / 3, 1 / 2, 2 / 3, 0])
    np.testing.assert_allclose(f_score(matrix), [4 / 7, 1 / 2, 4 / 5, 0])
    np.testing.assert_allclose(
        f_score(matrix, beta=2.0), [5 * 2 / (4 * 3 + 4), 1 / 2, 5 * 2 / (4 * 3 + 2), 0]
    )


def test_masked_predictions_do_not_count():
    mask = np.array([[True, True, False, True], [False, True, False, True]])
    predictions, targets = PREDICTIONS.copy(), TARGETS.copy()
    predictions[~mask], targets[~mask] = -9, 99
    assert accuracy(predictions, targets, mask) == 4 / 5
    assert confusion_matrix(predictions, targets, 3, mask).tolist() == [
        [2, 0, 0],
        [0, 1, 0],
        [1, 0, 1],
    ]


def test_small_integers_do_not_overflow():
    many = np.arange(100, dtype=np.int8)
    assert np.array_equal(confusion_matrix(many, many, 100), np.eye(100))


def test_scikit_learn_counts_the_same():
    judge = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    predictions, targets = rng.integers(0, 4, 60), rng.integers(0, 5, 60)
    matrix = confusion_matrix(predictions, targets, 6)
    options = {"labels": range(6), "zero_division": 0}
    assert np.array_equal(matrix, judge.confusion_matrix(targets, predictions, labels=range(6)))
    for beta in (1.0, 0.5):
        p, r, f, _ = judge.precision_recall_fscore_support(
            targets, predictions, beta=beta, **options
        )
        np.testing.assert_allclose(
            [precision(matrix), recall(matrix), f_score(matrix, beta)], [p, r, f], rtol=1e-12
        )
    assert math.isclose(
        accuracy(predictions, targets), judge.accuracy_score(targets, predictions), rel_tol=1e-12
    )


def test_a_uniform_guess_among_eight_is_three_bits():
    assert math.isclose(bits_per_character(math.log(8)), 3, rel_tol=1e-15)
    assert math.isclose(perplexity(math.log(8)), 8, rel_tol=1e-15)


def test_bad_input_is_refused():
    with pytest.raises(
        TypeError, match="predictions: expected an array of whole numbers, got float64"
    ):
        accuracy(PREDICTIONS.astype(float), TARGETS)
    with pytest.raises(TypeError, match="targets: expected an array of whole numbers, got list"):
        accuracy(PREDICTIONS, TARGETS.tolist())
    with pytest.raises(
        ValueError, match=r"predictions: expected shape \(2, 4\), that of targets, got \(1, 4\)"
    ):
        accuracy(PREDICTIONS[:1], TARGETS)
    with pytest.raises(ValueError, match="targets: expected at least one that counts"):
        accuracy(PREDICTIONS, TARGETS, np.zeros((2, 4), bool))
    for mask in (np.ones(4, bool), np.ones((2, 4))):
        with pytest.raises(
            ValueError,
            match=r"mask: expected bool of shape \(2, 4\), .*, got (bool|float64) of shape",
        ):
            accuracy(PREDICTIONS, TARGETS, mask)
    with pytest.raises(IndexError, match="targets: expected classes in 0..1, got 0 to 2"):
        confusion_matrix(PREDICTIONS % 2, TARGETS, 2)
    with pytest.raises(IndexError, match="predictions: expected classes in 0..2, got -1 to 1"):
        confusion_matrix(PREDICTIONS - 1, TARGETS, 3)
    with pytest.raises(ValueError, match="K: expected a positive whole number"):
        confusion_matrix(PREDICTIONS, TARGETS, 0)
    with pytest.raises(ValueError, match="beta"):
        f_score(np.eye(2), beta=0)
    for score in (precision, recall, f_score):
        with pytest.raises(
            ValueError, match=r"matrix: expected a confusion matrix of shape \(K, K\), got \(2, 3\)"
        ):
            score(np.ones((2, 3)))
    with pytest.raises(
        ValueError, match=r"matrix: expected a confusion matrix of shape \(K, K\), got \(8,\)"
    ):
        precision(PREDICTIONS.ravel())


@pytest.mark.parametrize("make", [lambda a: np.array(a).view(np.matrix), np.ma.masked_array])
def test_matrices_and_masked_arrays_are_refused(make):
    with pytest.raises(
        TypeError, match="predictions: expected an array of whole numbers, got (matrix|MaskedArray)"
    ):
        accuracy(make(PREDICTIONS), TARGETS)
    with pytest.raises(
        ValueError, match="mask: expected bool .*, got (matrix|MaskedArray) of shape"
    ):
        accuracy(PREDICTIONS, TARGETS, make(TARGETS == 0))
    with pytest.raises(
        ValueError,
        match="matrix: expected a confusion matrix of shape .*, got (matrix|MaskedArray)",
    ):
        precision(make(MATRIX))


def test_the_edit_distance_counts_the_fewest_changes():
    assert edit_distance("sitting", "kitten") == 3 and edit_distance("", "abc") == 3
    assert edit_distance("abc", "") == 3 and edit_distance("abc", "abc") == 0
    assert edit_distance("ab", "ba") == 2 and edit_distance((1, 2, 3), [1, 3]) == 1


def test_the_edit_distance_is_a_distance(rng):
    words = [tuple(rng.integers(0, 3, rng.integers(0, 7))) for _ in range(30)]
    for a, b, c in zip(words, words[1:], words[2:]):
        assert edit_distance(a, b) == edit_distance(b, a)
        assert edit_distance(a, c) <= edit_distance(a, b) + edit_distance(b, c)
        assert abs(len(a) - len(b)) <= edit_distance(a, b) <= max(len(a), len(b))


def test_error_rates_of_sequences():
    said, right = [(1, 2, 3), (4,)], [(1, 3), (4,)]
    assert error_rate(said, right) == pytest.approx(1 / 3)
    assert sequence_error_rate(said, right) == 0.5
    assert sequence_error_rate([[1, 2]], [(1, 2)]) == 0
    for rate in (error_rate, sequence_error_rate):
        with pytest.raises(ValueError, match="said: expected 2 sequences"):
            rate(said[:1], right)
        with pytest.raises(ValueError, match="right: expected at least one sequence"):
            rate([], [])
    with pytest.raises(ValueError, match="right: expected at least one symbol"):
        error_rate([(1,)], [()])
