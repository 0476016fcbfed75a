"""Splitting, shuffling, windows, scaling and padding."""

from itertools import islice

import numpy as np
import pytest

from rnn_tutorial.data import (
    bucket_by_length,
    consecutive_windows,
    lengths_to_mask,
    mean_and_std,
    pad,
    random_windows,
    shuffled_batches,
    split,
    standardize,
)
from rnn_tutorial.validation import NotFiniteError


def rng(seed=0):
    return np.random.default_rng(seed)


def numbered(N, T=3):
    """Return xs (T, N, 2) and targets (N, 1) whose entries are the number of their example."""
    examples = np.arange(N, dtype=float)
    return np.broadcast_to(examples[:, None], (T, N, 2)).copy(), 10 * examples[:, None]


def test_every_example_is_in_exactly_one_part_with_its_own_target():
    xs, targets = numbered(20)
    parts = split(rng(), (0.5, 0.3, 0.2), xs, targets, axes=(1, 0))
    assert [part[0].shape for part in parts] == [(3, 10, 2), (3, 6, 2), (3, 4, 2)]
    for part_xs, part_targets in parts:
        assert np.array_equal(10 * part_xs[0, :, :1], part_targets)
    together = np.concatenate([part_targets for _, part_targets in parts])
    assert sorted(together.ravel()) == sorted(targets.ravel())
    assert not np.array_equal(together, targets)


def test_a_split_is_decided_by_its_seed():
    xs, _ = numbered(20)
    ((one,), _), ((same,), _), ((other,), _) = (
        split(rng(seed), (0.5, 0.5), xs) for seed in (0, 0, 1)
    )
    assert np.array_equal(one, same) and not np.array_equal(one, other)


def test_thirds_are_accepted_although_they_do_not_add_up_to_one_in_floats():
    parts = split(rng(), (1 / 3, 1 / 3, 1 / 3), numbered(10)[0])
    assert sorted(part.shape[1] for (part,) in parts) == [3, 3, 4]


@pytest.mark.parametrize("fractions", [(0.5, 0.4), (0.5, 0.6), (1.5, -0.5), (1.0, 0.0)])
def test_fractions_that_are_not_a_division_of_the_whole_are_refused(fractions):
    with pytest.raises(ValueError, match="fractions: expected positive numbers that add up to 1"):
        split(rng(), fractions, numbered(10)[0])


def test_a_part_with_no_example_is_refused():
    with pytest.raises(
        ValueError, match="fractions: .* of 3 examples leaves a part with no example"
    ):
        split(rng(), (0.9, 0.1), numbered(3)[0])


def test_an_epoch_shows_every_example_once_with_its_own_target():
    xs, targets = numbered(7)
    batches = list(shuffled_batches(rng(), 3, xs, targets, axes=(1, 0)))
    assert [batch[0].shape for batch in batches] == [(3, 3, 2), (3, 3, 2), (3, 1, 2)]
    for batch_xs, batch_targets in batches:
        assert np.array_equal(10 * batch_xs[1, :, :1], batch_targets)
    seen = np.concatenate([batch_targets for _, batch_targets in batches]).ravel()
    assert sorted(seen) == sorted(targets.ravel()) and not np.array_equal(seen, targets.ravel())


def test_two_epochs_of_one_generator_have_different_orders():
    xs, _ = numbered(20)
    one_rng = rng()
    first, second = (
        np.concatenate([b for (b,) in shuffled_batches(one_rng, 5, xs)], axis=1) for _ in range(2)
    )
    assert not np.array_equal(first, second)


def test_a_batch_is_a_copy():
    xs, _ = numbered(4)
    for (batch,) in shuffled_batches(rng(), 4, xs):
        batch[:] = -1
    assert xs.min() == 0


def test_arrays_that_do_not_belong_together_are_refused():
    xs, targets = numbered(5)
    with pytest.raises(
        ValueError, match=r"arrays\[1\]: expected 5 examples, .* got 1 along axis 1; `axes` says"
    ):
        next(shuffled_batches(rng(), 2, xs, targets))
    with pytest.raises(
        ValueError,
        match=r"arrays\[0\]: expected .* an axis 1 .* \(see `axes`\), got ndarray of shape \(5,\)",
    ):
        split(rng(), (0.5, 0.5), np.zeros(5))
    with pytest.raises(ValueError, match="axes: expected one axis for each"):
        split(rng(), (0.5, 0.5), xs, targets, axes=(1,))
    with pytest.raises(ValueError, match="batch_size: expected a positive whole number, got 0"):
        next(shuffled_batches(rng(), 0, xs))


def test_a_target_is_the_symbol_after_the_input_in_every_random_window():
    text = np.arange(100) ** 2 % 101
    for xs, targets in islice(random_windows(rng(), text, T=7, B=4), 50):
        assert xs.shape == targets.shape == (7, 4) and xs.dtype == text.dtype
        assert np.array_equal(xs[1:], targets[:-1])
    places = np.concatenate(
        [xs[0] for xs, _ in islice(random_windows(rng(), np.arange(12), 7, 4), 200)]
    )
    assert set(places) == {0, 1, 2, 3, 4}  # 12 symbols: windows of 7 + 1 start at 0 to 4


def test_random_windows_read_the_text_in_order():
    for xs, targets in islice(random_windows(rng(), np.arange(50), T=5, B=3), 20):
        assert np.array_equal(np.diff(xs, axis=0), np.ones((4, 3))) and np.array_equal(
            targets, xs + 1
        )


@pytest.mark.parametrize(
    ("N", "T", "B"), [(100, 5, 3), (31, 5, 2), (11, 5, 2), (100, 1, 7), (100, 9, 1)]
)
def test_consecutive_windows_are_streams_that_go_on_where_they_stopped(N, T, B):
    windows = list(consecutive_windows(np.arange(N), T, B))
    length = (N - 1) // B
    assert len(windows) == length // T
    xs = np.concatenate([xs for xs, _ in windows])
    targets = np.concatenate([targets for _, targets in windows])
    steps = np.arange(length // T * T)[:, None]
    assert np.array_equal(
        xs, steps + length * np.arange(B)
    )  # stream b starts at b * length and never jumps
    assert np.array_equal(targets, xs + 1)


def test_a_window_is_a_copy_of_the_text():
    text = np.arange(50)
    for windows in (consecutive_windows(text, 5, 2), islice(random_windows(rng(), text, 5, 2), 3)):
        for xs, targets in windows:
            xs[:], targets[:] = -1, -1
    assert np.array_equal(text, np.arange(50))


def test_a_text_that_is_too_short_for_a_window_is_refused():
    with pytest.raises(
        ValueError, match="indices: windows of T = 5, B = 2 need at least 11 symbols, got 10"
    ):
        next(consecutive_windows(np.arange(10), 5, 2))
    with pytest.raises(
        ValueError, match="indices: windows of T = 5, B = 2 need at least 6 symbols, got 5"
    ):
        next(random_windows(rng(), np.arange(5), 5, 2))
    with pytest.raises(TypeError, match="indices: expected whole numbers, got dtype float64"):
        next(consecutive_windows(np.zeros(20), 5, 2))
    with pytest.raises(ValueError, match="B: expected a positive whole number, got 0"):
        next(consecutive_windows(np.arange(20), 5, 0))


def test_standardized_features_have_mean_0_and_variance_1():
    xs = rng().normal([3.0, -2.0], [0.1, 50.0], size=(6, 7, 2))
    mean, std = mean_and_std(xs)
    scaled = standardize(xs, mean, std)
    assert np.allclose(scaled.reshape(-1, 2).mean(axis=0), 0) and np.allclose(
        scaled.reshape(-1, 2).var(axis=0), 1
    )
    assert np.allclose(scaled * std + mean, xs)


def test_padding_does_not_change_the_mean():
    sequences = [rng(k).normal(5, 2, size=(length, 2)) for k, length in enumerate((4, 1, 3))]
    xs, mask = pad(sequences)
    mean, std = mean_and_std(xs, mask=mask)
    assert np.allclose(mean, np.concatenate(sequences).mean(axis=0))
    assert np.allclose(std, np.concatenate(sequences).std(axis=0))
    with pytest.raises(ValueError, match="mask: expected shape"):
        mean_and_std(xs, mask=mask[:-1])


def test_scaling_keeps_float32():
    xs = rng().normal(size=(5, 4, 3)).astype(np.float32)
    assert standardize(xs, *mean_and_std(xs)).dtype == np.float32


def test_a_feature_that_never_changes_is_named():
    with pytest.raises(ValueError, match="xs: feature 1 never changes"):
        mean_and_std(np.stack([np.arange(4.0), np.ones(4)], axis=1))
    with pytest.raises(ValueError, match=r"std: expected shape \(D=2,\)"):
        standardize(np.ones((4, 2)), np.ones(2), np.ones(1))
    with pytest.raises(ValueError, match="std: expected positive numbers, got"):
        standardize(np.ones((4, 2)), np.ones(2), np.array([1.0, 0.0]))


def test_numbers_without_a_mean_are_refused():
    with pytest.raises(
        NotFiniteError, match=r"xs: expected finite numbers, got nan at index \(1, 0\)"
    ):
        mean_and_std(np.array([[1.0], [np.nan]]))
    with pytest.raises(
        ValueError,
        match=r"xs: expected a NumPy array of shape \(..., D\), got ndarray of shape \(4,\)",
    ):
        mean_and_std(np.arange(4.0))
    with pytest.raises(
        ValueError,
        match=r"xs: expected a NumPy array of shape \(..., D\), got list of shape \(2, 1\)",
    ):
        mean_and_std([[1.0], [2.0]])
    with pytest.raises(ValueError, match="mask: expected at least one True, got none"):
        mean_and_std(np.ones((2, 3, 1)), mask=np.zeros((2, 3), bool))


def test_a_seed_is_no_generator():
    xs, targets = numbered(5)
    for call in (lambda: split((0.5, 0.5), xs, targets), lambda: next(shuffled_batches(0, 2, xs))):
        with pytest.raises(
            TypeError, match=r"rng: expected a generator, such as np.random.default_rng\(0\), got"
        ):
            call()
    with pytest.raises(TypeError, match="rng: expected a generator"):
        next(random_windows(0, np.zeros(9, int), 2, 1))


def test_padded_sequences_come_back_by_their_mask():
    sequences = [
        rng(k).normal(size=(length, 2)).astype(np.float32) for k, length in enumerate((4, 1, 3))
    ]
    xs, mask = pad(sequences)
    assert xs.shape == (4, 3, 2) and xs.dtype == np.float32 and mask.dtype == bool
    for b, sequence in enumerate(sequences):
        assert np.array_equal(xs[mask[:, b], b], sequence)
    assert not xs[~mask].any()
    indices, _ = pad([np.array([1, 2]), np.array([3])])
    assert indices.tolist() == [[1, 3], [2, 0]] and indices.dtype == np.int64


def test_sequences_that_cannot_stand_side_by_side_are_refused():
    with pytest.raises(ValueError, match="sequences: expected at least one sequence"):
        pad([])
    with pytest.raises(ValueError, match=r"sequences\[1\]: expected shape .* got \(0, 2\)"):
        pad([np.ones((3, 2)), np.ones((0, 2))])
    with pytest.raises(ValueError, match=r"sequences\[1\]: expected shape \(T_b > 0\), got \(0,\)"):
        pad([[1], []])
    with pytest.raises(ValueError, match=r"sequences\[1\]: expected shape .* got \(3, 1\)"):
        pad([np.ones((3, 2)), np.ones((3, 1))])
    with pytest.raises(TypeError, match=r"sequences\[1\]: expected dtype float64"):
        pad([np.ones(3), np.ones(3, np.float32)])


def test_a_mask_is_true_for_as_many_steps_as_the_length():
    mask = lengths_to_mask([3, 1, 2], 4)
    assert mask.shape == (4, 3) and mask.dtype == bool and mask.sum(axis=0).tolist() == [3, 1, 2]
    assert mask[0].all() and not mask[3].any()


def test_lengths_outside_the_time_are_refused():
    with pytest.raises(ValueError, match=r"lengths: expected 1 to T = 4, got \[3, 5\]"):
        lengths_to_mask([3, 5], 4)
    with pytest.raises(ValueError, match=r"lengths: expected 1 to T = 4, got \[0\]"):
        lengths_to_mask([0], 4)
    with pytest.raises(TypeError, match="lengths: expected whole numbers"):
        lengths_to_mask([1.0], 4)


def test_buckets_hold_every_sequence_once_and_neighbours_in_length():
    lengths = np.random.default_rng(1).integers(1, 40, size=103)
    batches = bucket_by_length(np.random.default_rng(0), lengths, 10)
    assert sorted(np.concatenate(batches)) == list(range(103))
    assert sorted(map(len, batches)) == [3] + [10] * 10
    spans = sorted((lengths[batch].min(), lengths[batch].max()) for batch in batches)
    assert all(
        first[1] <= second[0] for first, second in zip(spans, spans[1:])
    )  # no length lies between two of another batch


def test_buckets_are_shuffled_within_a_length_and_among_each_other():
    equal = bucket_by_length(np.random.default_rng(0), [5] * 20, 4)
    assert np.concatenate(equal).tolist() != list(range(20))
    rising = bucket_by_length(np.random.default_rng(0), np.arange(1, 41), 4)
    firsts = [batch[0] for batch in rising]
    assert firsts != sorted(firsts) and firsts != sorted(firsts, reverse=True)
    again = bucket_by_length(np.random.default_rng(0), np.arange(1, 41), 4)
    assert all(np.array_equal(a, b) for a, b in zip(rising, again))


def test_buckets_waste_less_than_batches_in_the_order_of_the_data():
    lengths = np.random.default_rng(1).integers(1, 40, size=200)
    waste = sum(
        lengths[batch].max() * len(batch)
        for batch in bucket_by_length(np.random.default_rng(0), lengths, 20)
    )
    plain = sum(lengths[k : k + 20].max() * 20 for k in range(0, 200, 20))
    assert waste < 1.1 * lengths.sum() and plain > 1.5 * lengths.sum()


@pytest.mark.parametrize("lengths", [[], [[1, 2]], [1.5, 2.0]])
def test_buckets_of_what_are_no_lengths_are_refused(lengths):
    with pytest.raises(TypeError, match=r"lengths: expected whole numbers of shape \(N,\), got"):
        bucket_by_length(np.random.default_rng(0), lengths, 2)
