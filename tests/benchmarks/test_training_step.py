"""A whole step of training, ours and PyTorch's: both make the same one, and the table is stored."""

from itertools import product

import numpy as np
import pytest

from benchmarks import training_step
from benchmarks.speed.implementations import CELLS
from benchmarks.speed.measuring import DTYPES
from benchmarks.training_step import PROGRAMS, QUICKER, SHAPES, TINY, StepRow, networks, task, times
from rnn_tutorial.data import read_table


@pytest.mark.parametrize("cell", CELLS)
def test_both_libraries_compute_the_same_loss_and_lower_it(cell):
    pytest.importorskip("torch")
    ours, theirs = (make(cell, "float64", TINY) for make in PROGRAMS.values())
    first = ours(), theirs()
    assert first[0] == pytest.approx(first[1], rel=1e-12)
    assert ours() < first[0] and theirs() < first[1]


def test_the_compiled_kernel_makes_the_same_step():
    pytest.importorskip("torch")
    pytest.importorskip("numba")
    compiled, theirs = (make(QUICKER, "float32", TINY) for make in PROGRAMS.values())
    numpy = PROGRAMS["ours"]("LSTM", "float32", TINY)
    for _ in range(3):
        assert compiled() == pytest.approx(numpy(), rel=1e-6)
    assert compiled() < theirs()


def test_a_summary_has_the_mean_the_ends_and_how_many_are_below_1():
    assert training_step.summary([0.5, 2.0, 8.0]) == (
        "2.00 in geometric mean, 0.50 to 8.00, 1 below 1"
    )


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
    cells = networks()
    all_alike = "1.50 in geometric mean, 1.50 to 1.50, 0 below 1"
    assert f"PyTorch / ours: {all_alike}" in lines and not list(tmp_path.iterdir())
    assert len(lines) == 2 * len(cells) + (1 if cells == [*product(CELLS, DTYPES)] else 2)
    monkeypatch.setattr("sys.argv", ["training_step", "--quick", "--write"])
    with pytest.raises(SystemExit):
        training_step.main()
    monkeypatch.setattr("sys.argv", ["training_step", "--write"])
    training_step.main()
    rows = [StepRow(**row) for row in read_table(tmp_path / "training_step.csv")]
    assert [row[:2] for row in rows] == cells * len(SHAPES)
    assert {row[7:] for row in rows} == {(2.0, 3.0, 1.5, 4.0, 4.0)}
