"""A whole step of training, ours and PyTorch's: both make the same one, and the table is stored."""

import numpy as np
import pytest

from benchmarks import training_step
from benchmarks.speed.implementations import CELLS
from benchmarks.speed.measuring import DTYPES
from benchmarks.training_step import PROGRAMS, SHAPES, TINY, StepRow, task, times
from rnn_tutorial.data import read_table


@pytest.mark.parametrize("cell", CELLS)
def test_both_libraries_compute_the_same_loss_and_lower_it(cell):
    pytest.importorskip("torch")
    ours, theirs = (make(cell, "float64", TINY) for make in PROGRAMS.values())
    first = ours(), theirs()
    assert first[0] == pytest.approx(first[1], rel=1e-12)
    assert ours() < first[0] and theirs() < first[1]


def test_times_are_refused_if_the_two_do_not_compute_the_same(monkeypatch):
    pytest.importorskip("torch")
    right = training_step.ours
    monkeypatch.setitem(PROGRAMS, "ours", lambda *given: lambda: 1.001 * right(*given)())
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        times("RNN", "float64", TINY, True)


def test_both_begin_with_the_same_numbers_in_the_same_precision():
    for dtype in DTYPES:
        (_, params, (xs, targets)), (_, again, _) = (task("GRU", dtype, TINY) for _ in range(2))
        assert params[1].W_x.dtype == again[1].W_x.dtype == dtype
        np.testing.assert_array_equal(params[1].W_x, again[1].W_x)
        assert xs.shape == targets.shape == TINY[:2] and not np.array_equal(xs, targets)


def test_the_script_stores_what_it_prints_and_nothing_unless_told(monkeypatch, tmp_path, capsys):
    answers = {"times": [2.0, 3.0], "peak": 4.0}
    monkeypatch.setattr(training_step, "in_a_process", lambda name, *given: answers[name])
    monkeypatch.setattr(training_step, "RESULTS", tmp_path)
    monkeypatch.setattr("sys.argv", ["training_step", "--quick"])
    training_step.main()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + 2 * len(CELLS) * len(DTYPES) and not list(tmp_path.iterdir())
    assert lines[-1] == "PyTorch / ours: 1.50 in geometric mean, 1.50 to 1.50, 0 below 1"
    monkeypatch.setattr("sys.argv", ["training_step", "--quick", "--write"])
    with pytest.raises(SystemExit):
        training_step.main()
    monkeypatch.setattr("sys.argv", ["training_step", "--write"])
    training_step.main()
    rows = [StepRow(**row) for row in read_table(tmp_path / "training_step.csv")]
    assert [row[:2] for row in rows] == [(c, d) for _ in SHAPES for c in CELLS for d in DTYPES]
    assert {row[7:] for row in rows} == {(2.0, 3.0, 1.5, 4.0, 4.0)}
