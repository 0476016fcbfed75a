"""Tasks made of numbers."""

import numpy as np
import pytest

from rnn_tutorial.data import adding_problem, delayed_echo, delayed_recall


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("T", [2, 3, 10, 101])
def test_the_adding_problem_marks_one_number_in_each_half_and_asks_for_the_sum(T):
    xs, targets = adding_problem(rng(), T, 64)
    assert xs.shape == (T, 64, 2) and targets.shape == (64, 1)
    for b in range(64):
        first, second = np.flatnonzero(xs[:, b, 1])
        assert first < T // 2 <= second
        assert xs[first, b, 1] == xs[second, b, 1] == 1
        assert targets[b, 0] == xs[first, b, 0] + xs[second, b, 0]


def test_every_place_of_each_half_is_marked_at_times():
    xs, _ = adding_problem(rng(), 7, 500)
    assert xs[..., 1].any(axis=1).all()


def test_always_answering_one_costs_a_sixth():
    xs, targets = adding_problem(rng(), 10, 200_000)
    assert np.mean((targets - 1) ** 2) == pytest.approx(1 / 6, abs=2e-3)
    assert xs[..., 0].mean() == pytest.approx(0.5, abs=1e-3) and xs[..., 0].min() >= 0 and xs[..., 0].max() < 1


@pytest.mark.parametrize("delay", [0, 1, 4])
def test_an_echo_is_the_signal_later(delay):
    xs, targets = delayed_echo(rng(), 5, 8, delay)
    assert xs.shape == targets.shape == (5, 8, 1) and set(np.unique(xs)) == {0.0, 1.0}
    for t in range(5):
        assert np.array_equal(targets[t], xs[t - delay] if t >= delay else np.zeros((8, 1)))


def test_a_recall_shows_a_sign_once_and_wants_it_at_the_end():
    xs, targets = delayed_recall(rng(), 6, 50)
    assert xs.shape == (6, 50, 1) and np.array_equal(xs[0], targets) and not xs[1:].any()
    assert set(targets.ravel()) == {-1.0, 1.0}


@pytest.mark.parametrize("task", [adding_problem, delayed_recall, lambda *a, **k: delayed_echo(*a, 2, **k)])
def test_a_task_is_decided_by_its_seed_and_keeps_its_dtype(task):
    for one, same, other in zip(task(rng(), 6, 9), task(rng(), 6, 9), task(rng(1), 6, 9), strict=True):
        assert np.array_equal(one, same) and not np.array_equal(one, other) and one.dtype == np.float64
    assert {array.dtype for array in task(rng(), 6, 9, dtype=np.float32)} == {np.dtype(np.float32)}


def test_sizes_that_make_no_task_are_refused():
    with pytest.raises(ValueError, match="T: expected at least 2 steps, got 1"):
        adding_problem(rng(), 1, 4)
    with pytest.raises(ValueError, match="B: expected a positive whole number, got 0"):
        delayed_recall(rng(), 3, 0)
    for delay in (5, -1, 1.0):
        with pytest.raises(ValueError, match="delay: expected a whole number from 0 to T - 1 = 4"):
            delayed_echo(rng(), 5, 4, delay)
