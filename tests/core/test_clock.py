"""Programs are timed in turn, whatever they return, and as often as was asked for."""

import gc
import time

import numpy as np
import pytest

from rnn_tutorial.speed import interleaved, typical


def test_programs_are_called_in_turn_and_every_second_round_in_the_opposite_order():
    ticks = iter([0, 1, 1, 3, 3, 8, 8, 9, 9, 12, 12, 22])
    called = []
    seconds = interleaved(
        {"a": lambda: called.append("a"), "b": lambda: called.append("b")},
        3,
        0,
        clock=lambda: next(ticks),
    )
    assert "".join(called) == "abbaab"
    assert {name: list(values) for name, values in seconds.items()} == {
        "a": [1, 1, 3],
        "b": [2, 5, 10],
    }


def test_a_short_program_is_called_until_the_least_time_is_over_and_the_mean_counts():
    now, called = [0.0], []

    def program():
        now[0] += 0.25
        called.append(now[0])

    seconds = interleaved({"a": program}, 2, 1.0, clock=lambda: now[0])
    assert len(called) == 1 + 4 + 2 * 4  # once for nothing, once to count, two rounds
    np.testing.assert_array_equal(seconds["a"], [0.25, 0.25])


def test_a_program_that_is_longer_than_the_least_time_is_called_once_in_a_round():
    now, called = [0.0], []

    def program():
        now[0] += 3
        called.append(now[0])

    assert list(interleaved({"a": program}, 2, 1.0, clock=lambda: now[0])["a"]) == [3, 3]
    assert len(called) == 1 + 1 + 2


def test_the_typical_time_is_the_median():
    ticks = iter([0, 1, 1, 4, 4, 14])
    assert typical({"a": lambda: None}, rounds=3, least=0, clock=lambda: next(ticks)) == {"a": 3}


def test_a_budget_is_spent_on_more_rounds():
    assert len(interleaved({"a": lambda: None}, 2, 0, budget=0.01)["a"]) > 2
    assert len(interleaved({"a": lambda: None}, 2, 0)["a"]) == 2


def test_before_it_is_timed_a_program_runs_for_a_while():
    called = []
    seconds = interleaved({"a": lambda: called.append("a") or time.sleep(0.001)}, 2, 0, settle=0.01)
    assert len(seconds["a"]) == 2 and len(called) > 2 * (1 + 3)


def test_the_collector_of_garbage_waits_and_comes_back_even_after_an_error():
    states = []

    def fails():
        states.append(gc.isenabled())
        raise KeyError("a")

    with pytest.raises(KeyError):
        interleaved({"a": fails}, 1, 0)
    assert states == [False] and gc.isenabled()


def test_no_rounds_are_refused():
    with pytest.raises(ValueError, match="rounds: expected at least 1, got 0"):
        interleaved({"a": lambda: None}, 0)
