"""The table of chapter 11: the script and the chapter run the same code, and the table is right."""

from collections import Counter

import numpy as np
import pytest
from chapter_files import ROOT, code_cells, read
from syntax_trees import bare_code, definitions

from benchmarks import lstm_ablation
from benchmarks.lstm_ablation import RESULTS, TASKS, Task, TurningCarousel, table_row
from rnn_tutorial.cells import lstm
from rnn_tutorial.data import read_table, stored_result
from rnn_tutorial.gradient_check import check_cell
from rnn_tutorial.train import Trial, read_trials

SHARED = (
    "with_input_bias",
    "turning_pointwise",
    "turning_pointwise_backward",
    "order_trial",
    "echo_trial",
    "interval_trial",
)


def cells_of(task):
    """Return the variants of a task: {name: cell}."""
    return TASKS[task].variants


@pytest.mark.parametrize("name", SHARED)
def test_the_chapter_runs_what_the_script_ran(name):
    chapter = read(ROOT / "chapters" / "11_what_each_part_is_for.ipynb")
    shown = definitions("\n\n".join(cell.source for cell in code_cells(chapter)))
    ran = definitions((ROOT / "benchmarks" / "lstm_ablation.py").read_text(encoding="utf-8"))
    assert bare_code(shown[name]) == bare_code(ran[name])


@pytest.mark.parametrize(
    "task, variant", [(task, variant) for task in TASKS for variant in cells_of(task)]
)
def test_every_variant_has_a_right_gradient(task, variant):
    check_cell(cells_of(task)[variant], np.random.default_rng(0))


def test_an_input_bias_moves_the_input_gate_and_nothing_else():
    before, after = (
        cell.init(np.random.default_rng(0), 3, 4)
        for cell in (lstm(), lstm_ablation.with_input_bias(lstm(), -5))
    )
    assert (after.b[:4] - before.b[:4] == -5).all() and (after.b[4:] == before.b[4:]).all()
    assert (after.W_x == before.W_x).all() and (after.W_h == before.W_h).all()


def test_the_stored_table_has_a_trial_for_each_task_variant_and_seed():
    stored = read_trials(RESULTS)
    expected = [
        (name, variant, seed)
        for name, task in TASKS.items()
        for variant in task.variants
        for seed in task.seeds
    ]
    assert [(trial.task, trial.variant, trial.seed) for trial in stored] == expected
    assert all(trial.limit == TASKS[trial.task].limit for trial in stored)
    assert all(
        trial.presentations is None or 0 < trial.presentations <= trial.limit for trial in stored
    )
    assert (
        Counter(trial.presentations is None for trial in stored)[True] > 0
    )  # a limit that everyone reaches says nothing


@pytest.mark.parametrize("task", TASKS)
def test_the_quickest_stored_trial_of_a_task_is_what_the_script_gives(task):
    stored = min(
        (trial for trial in read_trials(RESULTS) if trial.task == task),
        key=lambda trial: trial.presentations or 10**9,
    )
    cell = cells_of(task)[stored.variant]
    assert TASKS[task].trial(cell, stored.seed, stored.limit) == stored.presentations


def test_the_reber_trials_of_the_lstm_are_those_of_the_script_for_the_grammar():
    of_the_grammar = {
        row["seed"]: row["presentations"]
        for row in read_table(stored_result("reber.csv"))
        if row["network"] == "LSTM" and row["rate"] == 0.04
    }
    here = [t for t in read_trials(RESULTS) if (t.task, t.variant) == ("Reber", "LSTM")]
    assert [trial.presentations for trial in here] == [of_the_grammar[t.seed] for t in here]


def test_an_unsolved_trial_is_stored_as_such():
    stored = [
        trial
        for trial in read_trials(RESULTS)
        if trial.task == "interval, 1 unit" and trial.presentations is None
    ]
    again = lstm_ablation.interval_trial(
        cells_of("interval, 1 unit")[stored[0].variant], 1, stored[0].seed, stored[0].limit
    )
    assert again is None


def test_in_the_table_an_unsolved_trial_is_longer_than_all_others():
    trials = [
        Trial("order", "LSTM", seed, needed, 1024) for seed, needed in enumerate([512, None, 256])
    ]
    assert table_row(trials, 1.5).split() == "order LSTM 2 of 3 256 512 > 1,024 1.5".split()


def test_the_script_stores_what_it_prints_and_nothing_unless_told(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(lstm_ablation, "RESULTS", tmp_path / "parts.csv")
    monkeypatch.setattr(
        lstm_ablation,
        "TASKS",
        {
            "echo": Task(
                {"turning carousel": TurningCarousel},
                lambda cell, seed, limit: 160 * seed,
                640,
            )
        },
    )
    monkeypatch.setattr("sys.argv", ["lstm_ablation.py", "--seeds", "3"])
    lstm_ablation.main()
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert not lstm_ablation.RESULTS.exists()
    monkeypatch.setattr("sys.argv", ["lstm_ablation.py", "--seeds", "3", "--write"])
    lstm_ablation.main()
    assert [trial[2:] for trial in read_trials(lstm_ablation.RESULTS)] == [
        (0, 0, 640),
        (1, 160, 640),
        (2, 320, 640),
    ]
    monkeypatch.setattr("sys.argv", ["lstm_ablation.py", "--task", "echo", "--write"])
    with pytest.raises(SystemExit):
        lstm_ablation.main()
