"""The first updates of eight layers: the stored runs, and the layer that changes the gradient."""

import numpy as np
import pytest

from benchmarks import deep_start
from benchmarks.deep_start import RUNS, VARIANTS, DeepRow, Scaled, deep_row
from rnn_tutorial.cells import LSTM
from rnn_tutorial.data import read_table, stored_result
from rnn_tutorial.gradient_check import GradientError, check_layer
from rnn_tutorial.layers import Recurrent


@pytest.fixture(scope="module")
def stored():
    return [DeepRow(**row) for row in read_table(stored_result("deep_start.csv"))]


def losses(stored, variant, updates=100):
    return [row.loss for row in stored if (row.variant, row.updates) == (variant, updates)]


def test_a_scaled_layer_has_the_right_gradient_only_if_both_factors_are_equal():
    layer, rng = Recurrent(LSTM, 3, 3), np.random.default_rng(0)
    xs = rng.standard_normal((5, 2, 3))
    check_layer(Scaled(layer, 2.0, 2.0), xs, rng)
    with pytest.raises(GradientError):
        check_layer(Scaled(layer, 1.0, 1.8), xs, rng)


def test_three_seeds_of_each_run_are_stored(stored):
    expected = [(variant, seed, updates) for variant, updates in RUNS for seed in range(3)]
    assert [row[:3] for row in stored] == expected


def test_restoring_the_gradient_does_not_make_the_stack_learn(stored):
    bottom = {variant: [row.bottom for row in stored if row[0] == variant] for variant in VARIANTS}
    assert max(bottom["plain"]) < 0.1 and min(bottom["gradient × 1.8"]) > 0.25
    plain, residual = losses(stored, "plain"), losses(stored, "residual")
    for variant in ("gradient × 1.5", "gradient × 1.8", "outputs × 2, gradient too"):
        assert np.abs(np.subtract(losses(stored, variant), plain)).max() < 0.05
    assert max(residual) < min(plain) - 0.5
    # through tanh layers the gradient comes down whole, and a plain stack learns no faster
    assert min(bottom["tanh"]) > 0.9
    assert np.abs(np.subtract(losses(stored, "tanh"), plain)).max() < 0.2
    assert max(losses(stored, "tanh, residual")) < min(losses(stored, "tanh")) - 0.4
    assert max(losses(stored, "plain", 400)) < min(plain) - 0.3  # it is slow, and not stuck


def test_a_stored_run_is_what_the_script_gives(stored):
    pytest.importorskip("faker")
    (row,) = [row for row in stored if row[:3] == ("residual", 0, 100)]
    again = deep_row(*row[:3])
    assert again[:3] == row[:3] and again[3:] == pytest.approx(row[3:], rel=1e-3)


def test_the_script_stores_what_it_prints_and_nothing_unless_told(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(deep_start, "RESULTS", tmp_path)
    monkeypatch.setattr(deep_start, "deep_row", lambda *run: DeepRow(*run, 1.0, 2.0))
    monkeypatch.setattr("sys.argv", ["deep_start", "--seeds", "1"])
    deep_start.main()
    assert len(capsys.readouterr().out.splitlines()) == len(RUNS) and not list(tmp_path.iterdir())
    monkeypatch.setattr("sys.argv", ["deep_start", "--seeds", "1", "--write"])
    deep_start.main()
    rows = read_table(tmp_path / "deep_start.csv")
    assert [(row["variant"], row["updates"]) for row in rows] == RUNS
