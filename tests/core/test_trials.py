"""A trial counts the sequences, stops at its limit, and is read back as it was written."""

import numpy as np
import pytest

from rnn_tutorial.cells import Elman
from rnn_tutorial.layers import Dense, Recurrent, Serial
from rnn_tutorial.train import (
    TrainingStep,
    Trial,
    adam,
    mean_squared_error,
    presentations_needed,
    read_trials,
    train,
    write_trials,
)


def steps_until(last):
    """Yield steps whose params are the number of updates made; the test fails after `last`."""
    for index in range(last):
        yield TrainingStep(index, 0.0, 0.0, index + 1, None)
    raise AssertionError("a step beyond the limit was computed")


def test_it_counts_sequences_at_the_first_update_that_solves():
    assert (
        presentations_needed(
            steps_until(7), lambda updates: updates >= 7, batch_size=32, limit=3200
        )
        == 7 * 32
    )


def test_it_asks_after_every_so_many_updates():
    asked = []

    def solved(updates):
        asked.append(updates)
        return updates >= 7

    assert presentations_needed(steps_until(10), solved, batch_size=2, limit=1000, every=5) == 20
    assert asked == [5, 10]


@pytest.mark.parametrize("limit, updates", [(320, 10), (351, 10), (352, 11)])
def test_it_gives_up_at_the_limit_and_computes_no_step_beyond_it(limit, updates):
    assert (
        presentations_needed(steps_until(updates), lambda _: False, batch_size=32, limit=limit)
        is None
    )


def test_the_limit_itself_counts():
    assert (
        presentations_needed(
            steps_until(10), lambda updates: updates == 10, batch_size=32, limit=320
        )
        == 320
    )


def test_batches_that_run_out_solve_nothing():
    assert presentations_needed(iter(()), lambda _: True, batch_size=1, limit=5) is None


@pytest.mark.parametrize("name", ["batch_size", "limit", "every"])
def test_numbers_that_are_not_positive_are_refused(name):
    numbers = {"batch_size": 4, "limit": 40, "every": 2} | {name: 0}
    with pytest.raises(ValueError, match=name):
        presentations_needed(steps_until(1), lambda _: True, **numbers)


def test_a_network_in_training_is_a_trial_that_repeats():
    model = Serial((Recurrent(Elman, 1, 8), Dense(8, 1)))

    def trial(seed):
        rng = np.random.default_rng(seed)

        def batches():
            while True:
                xs = rng.choice([-0.5, 0.5], (6, 4, 1))
                yield xs, np.concatenate([np.zeros((1, 4, 1)), xs[:-1]])

        test_xs, test_targets = next(batches())

        def solved(params):
            return mean_squared_error(model.forward(params, test_xs)[0], test_targets)[0] < 0.01

        steps = train(model, model.init(rng), batches(), mean_squared_error, adam(0.02))
        return presentations_needed(steps, solved, batch_size=4, limit=4000, every=10)

    first = trial(0)
    assert first is not None and 40 < first < 4000 and first % 40 == 0
    assert trial(0) == first


def test_a_table_is_read_back_as_it_was_written(tmp_path):
    trials = [
        Trial("order", "LSTM, bias 5", 0, 3200, 32_000),
        Trial("order", "LSTM, bias 1", 1, None, 32_000),
    ]
    write_trials(tmp_path / "trials.csv", trials)
    assert read_trials(tmp_path / "trials.csv") == trials
    assert (tmp_path / "trials.csv").read_text(encoding="utf-8").startswith("# Python")


@pytest.mark.parametrize("text", ["", "# Python\nvariant,seed\nLSTM,0\n"])
def test_another_table_is_refused(tmp_path, text):
    (tmp_path / "other.csv").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="other.csv: expected the columns task, variant, seed"):
        read_trials(tmp_path / "other.csv")
