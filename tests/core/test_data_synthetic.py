"""Tasks whose difficulty is the distance in time."""

import numpy as np
import pytest

from rnn_tutorial.cells import Elman
from rnn_tutorial.data import (
    REBER,
    TEMPORAL_ORDER_VOCABULARY,
    adding_problem,
    babble,
    bucket_by_length,
    continual_reber,
    delayed_echo,
    delayed_recall,
    embedded_reber_sets,
    grammar_string,
    one_hot_decode,
    random_windows,
    running_parity,
    shuffled_batches,
    split,
    temporal_order,
    toy_pronunciations,
    toy_surnames,
)
from rnn_tutorial.layers import Dense, Last, Recurrent, Serial
from rnn_tutorial.train import sgd, softmax_cross_entropy, train


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
    assert (
        xs[..., 0].mean() == pytest.approx(0.5, abs=1e-3)
        and xs[..., 0].min() >= 0
        and xs[..., 0].max() < 1
    )


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


@pytest.mark.parametrize(
    "task", [adding_problem, delayed_recall, lambda *a, **k: delayed_echo(*a, 2, **k)]
)
def test_a_task_is_decided_by_its_seed_and_keeps_its_dtype(task):
    for one, same, other in zip(
        task(rng(), 6, 9), task(rng(), 6, 9), task(rng(1), 6, 9), strict=True
    ):
        assert (
            np.array_equal(one, same) and not np.array_equal(one, other) and one.dtype == np.float64
        )
    assert {array.dtype for array in task(rng(), 6, 9, dtype=np.float32)} == {np.dtype(np.float32)}


def test_sizes_that_make_no_task_are_refused():
    with pytest.raises(ValueError, match="T: expected at least 2 steps, got 1"):
        adding_problem(rng(), 1, 4)
    with pytest.raises(ValueError, match="B: expected a positive whole number, got 0"):
        delayed_recall(rng(), 3, 0)
    for delay in (5, -1, 1.0):
        with pytest.raises(ValueError, match="delay: expected a whole number from 0 to T - 1 = 4"):
            delayed_echo(rng(), 5, 4, delay)


def letters(xs, mask):
    return [
        TEMPORAL_ORDER_VOCABULARY.decode(one_hot_decode(xs[mask[:, b], b]))
        for b in range(xs.shape[1])
    ]


def test_temporal_order_has_two_marks_where_the_paper_has_them_and_asks_for_their_order():
    xs, targets, mask = temporal_order(rng(), 400)
    assert xs.shape == (110, 400, 8) and targets.shape == (400,) and mask.shape == (110, 400)
    assert (xs.dtype, targets.dtype, mask.dtype) == (np.float64, np.int64, bool) and not xs[
        ~mask
    ].any()
    lengths, first, second = set(), set(), set()
    for string, target in zip(letters(xs, mask), targets):
        t_1, t_2 = (t for t, symbol in enumerate(string) if symbol in "XY")
        assert string[0] == "E" and string[-1] == "B" and set(string[1:-1]) <= set("XYabcd")
        assert target == ["XX", "XY", "YX", "YY"].index(string[t_1] + string[t_2])
        lengths.add(len(string)), first.add(t_1), second.add(t_2)
    assert (lengths, first, second) == (
        set(range(100, 111)),
        set(range(10, 21)),
        set(range(50, 61)),
    )


def test_temporal_order_draws_classes_and_letters_equally_often():
    xs, targets, mask = temporal_order(rng(), 4000, length=(8, 9), first=(1, 2), second=(4, 5))
    assert np.bincount(targets) / 4000 == pytest.approx(np.full(4, 1 / 4), abs=0.03)
    counts = xs[mask].sum(axis=0)
    assert counts[:2].tolist() == [4000, 4000] and counts[2:4].sum() == 8000
    assert counts[4:] / counts[4:].sum() == pytest.approx(np.full(4, 1 / 4), abs=0.02)


def test_temporal_order_is_decided_by_its_seed_and_keeps_its_dtype():
    one, same, other = (temporal_order(rng(seed), 5, dtype=np.float32) for seed in (0, 0, 1))
    assert all(map(np.array_equal, one, same)) and not np.array_equal(one[0], other[0])
    assert one[0].dtype == np.float32


def test_the_shortest_temporal_order_has_no_letter_but_the_marks():
    xs, _, mask = temporal_order(rng(), 20, length=(4, 4), first=(1, 1), second=(2, 2))
    assert set(letters(xs, mask)) == {"EXXB", "EXYB", "EYXB", "EYYB"}


def test_temporal_order_trains_as_it_comes():
    model = Serial((Recurrent(Elman, input_size=8, hidden_size=6), Last(), Dense(6, 4)))
    batch = temporal_order(rng(), 32, length=(4, 7), first=(1, 1), second=(2, 2))
    first, *_, last = train(
        model, model.init(rng()), [batch] * 100, softmax_cross_entropy, sgd(0.5)
    )
    assert last.loss < 0.7 * first.loss


@pytest.mark.parametrize(
    "ranges, error",
    [
        (
            {"first": (20, 10)},
            r"first: expected two whole numbers, the smaller first, got \(20, 10\)",
        ),
        ({"length": 100}, "length: expected two whole numbers, the smaller first, got 100"),
        ({"second": (50.0, 60)}, "second: expected two whole numbers"),
        ({"first": (0, 10)}, "expected the first mark after step 0"),
        ({"first": (10, 50)}, "the second after the first"),
        (
            {"length": (61, 110)},
            "before the last step of the shortest sequence, got length=\\(61, 110\\)",
        ),
    ],
)
def test_places_that_make_no_temporal_order_are_refused(ranges, error):
    with pytest.raises(ValueError, match=error):
        temporal_order(rng(), 4, **ranges)


def test_temporal_order_takes_ranges_that_touch_and_refuses_what_is_no_generator_or_size():
    temporal_order(rng(), 4, length=(62, 62), first=(1, 49))
    with pytest.raises(TypeError, match="rng: expected a generator"):
        temporal_order(0, 4)
    with pytest.raises(ValueError, match="B: expected a positive whole number, got 0"):
        temporal_order(rng(), 0)


@pytest.mark.parametrize(
    "make",
    [
        lambda rng: adding_problem(rng, 4, 2),
        lambda rng: delayed_echo(rng, 4, 2, 1),
        lambda rng: delayed_recall(rng, 4, 2),
        lambda rng: running_parity(rng, 4, 2),
        lambda rng: temporal_order(rng, 2),
        lambda rng: babble(rng, 5),
        lambda rng: grammar_string(rng, REBER),
        lambda rng: embedded_reber_sets(rng, 2, 2),
        lambda rng: next(continual_reber(rng, 4, 2)),
        lambda rng: toy_pronunciations(rng, 2),
        lambda rng: toy_surnames(rng, 2),
        lambda rng: split(rng, (0.5, 0.5), np.zeros((1, 4))),
        lambda rng: next(shuffled_batches(rng, 2, np.zeros((1, 4)))),
        lambda rng: next(random_windows(rng, np.zeros(9, int), 2, 2)),
        lambda rng: bucket_by_length(rng, [1, 2], 2),
    ],
)
def test_a_seed_in_the_place_of_a_generator_is_refused_by_name(make):
    make(np.random.default_rng(0))
    for seed in (0, None):
        with pytest.raises(TypeError, match=r"rng: expected a generator, such as np.random"):
            make(seed)


def test_running_parity_says_whether_the_number_of_ones_so_far_is_odd():
    xs, targets = running_parity(rng(), 9, 5)
    assert xs.shape == (9, 5, 1) and targets.shape == (9, 5) and targets.dtype == np.int64
    for n in range(5):
        odd = False
        for t in range(9):
            odd ^= bool(xs[t, n, 0])
            assert targets[t, n] == odd
    assert set(np.unique(xs)) == {0, 1} and running_parity(rng(), 2, 2, np.float32)[0].dtype == "f4"
    with pytest.raises(ValueError, match="T: expected a positive whole number"):
        running_parity(rng(), 0, 2)
