"""Why the tanh network forgets: the stored tables have every row, and some are computed again."""

from itertools import islice

import numpy as np
import pytest

from benchmarks import forgetting
from benchmarks.forgetting import (
    MODEL,
    RATE,
    TABLES,
    RadiusRow,
    RunRow,
    SignalRow,
    WaitingRow,
    adding_steps,
    far_part,
    left_plateau,
    radius_row,
    report,
    run,
    run_row,
    scaled,
    signal_row,
    slope,
    spread,
    waiting_row,
)
from rnn_tutorial.cells import Elman
from rnn_tutorial.checkpoint import load
from rnn_tutorial.data import adding_problem, read_table, stored_result
from rnn_tutorial.gradient_check import relative_error
from rnn_tutorial.sequence import unroll, unroll_backward
from rnn_tutorial.train import cosine, mean_squared_error

ROWS = {"radius": RadiusRow, "signal": SignalRow, "runs": RunRow, "waiting": WaitingRow}


def stored(name):
    return [ROWS[name](**row) for row in read_table(stored_result(f"forgetting_{name}.csv"))]


@pytest.mark.parametrize("T", [7, 10])
def test_the_far_part_is_what_the_gradient_loses_if_it_starts_in_the_middle(T):
    rng = np.random.default_rng(0)
    params = MODEL.init(rng)
    xs, targets = adding_problem(rng, T, 5)
    far, whole = far_part(params, xs, targets)
    ys, _, caches = MODEL.forward(params, xs)
    dmodel, _, _ = MODEL.backward(params, caches, mean_squared_error(ys, targets)[1])
    assert relative_error(whole, dmodel[0].W_h) < 1e-12

    cell_params, _, head = params
    first = Elman.initial_state(cell_params, 5)
    (_, middle), _ = unroll(Elman, cell_params, xs[: T - T // 2], first)
    (hs, _), cache = unroll(Elman, cell_params, xs[T - T // 2 :], middle)
    dhs = np.zeros_like(hs)
    dhs[-1] = mean_squared_error(ys, targets)[1] @ head.W.T
    near, _, _ = unroll_backward(Elman, cell_params, cache, (dhs, first))
    assert relative_error(far, whole - near.W_h) < 1e-10


def test_the_spread_is_the_root_of_the_mean_square_distance():
    arrays = np.random.default_rng(0).standard_normal((4, 2, 3))
    distances = [np.linalg.norm(array - arrays.mean(axis=0)) for array in arrays]
    assert spread(arrays) == pytest.approx(np.sqrt(np.mean(np.square(distances))))


def test_a_slope_has_the_standard_error_of_a_regression():
    rng = np.random.default_rng(0)
    values = rng.random(200)
    answers = 0.4 * values + 0.1 * rng.standard_normal(200)
    found, error = slope(values, answers)
    residuals = answers - np.polyval(np.polyfit(values, answers, 1), values)
    expected = np.sqrt((residuals**2).sum() / 198 / ((values - values.mean()) ** 2).sum())
    assert error == pytest.approx(expected, rel=0.05) and abs(found - 0.4) < 4 * error


def test_the_plateau_is_left_when_fifty_losses_say_so():
    low, high = 0.14, 1 / 6
    assert not left_plateau([low] * 49) and left_plateau([low] * 50)
    assert left_plateau([9.0] + [low] * 50) and not left_plateau([low] * 50 + [high] * 40)


def test_only_the_named_matrix_is_scaled():
    params = MODEL.init(np.random.default_rng(0))
    changed = scaled("W_x", 0.1)(params)
    assert (changed[0].W_x == 0.1 * params[0].W_x).all() and changed[1:] == params[1:]
    assert changed[0].W_h is params[0].W_h and changed[0].b is params[0].b


@pytest.mark.parametrize("name", TABLES)
def test_the_stored_table_has_every_row(name):
    kept = {
        "radius": ("radius",),
        "signal": ("rate", "T", "updates"),
        "runs": ("T", "updates"),
        "waiting": ("start", "rate", "T", "limit"),
    }[name]
    expected = [(*arguments, seed) for _, arguments, seeds in TABLES[name] for seed in range(seeds)]
    found = [(*(getattr(row, field) for field in kept), row.seed) for row in stored(name)]
    assert found == expected


@pytest.mark.parametrize("radius", [0.5, 1.5, 3.0])
def test_a_stored_factor_is_what_the_script_gives(radius):
    for row in [row for row in stored("radius") if row.radius == radius][:5]:
        assert radius_row(radius, row.seed).factor == pytest.approx(row.factor, rel=1e-3)


def test_a_stored_signal_is_what_the_script_gives():
    (row,) = [row for row in stored("signal") if row[:4] == (0.005, 30, 0, 0)]
    assert signal_row(*row[:4]) == pytest.approx(row, rel=1e-3)


def test_the_shortest_stored_waiting_time_is_what_the_script_gives():
    row = min(stored("waiting"), key=lambda row: row.left or row.limit)
    again = waiting_row(row.start, row.rate, row.T, row.limit, row.seed)
    assert again.left == row.left and again.product == pytest.approx(row.product, rel=1e-3)


def test_a_row_tells_of_its_run_and_says_when_the_plateau_was_left():
    losses, params = run(3, 400, 0)
    row = run_row(3, 400, 0)
    assert row == RunRow(3, 400, 0, report(params, 3)[0], row.left, *report(params, 3)[1:])
    assert left_plateau(losses[: row.left]) and not left_plateau(losses[: row.left - 1])
    assert row.left < 400 and run_row(30, 51, 0).left is None


@pytest.fixture(scope="module")
def long_runs():
    like = np.zeros(2400), MODEL.init(np.random.default_rng(0))
    return load(stored_result("forgetting_long.npz"), like={seed: like for seed in (5, 11)})


@pytest.mark.parametrize("seed", [5, 11])
def test_a_stored_whole_run_begins_as_the_script_does_and_ends_as_the_table_says(seed, long_runs):
    losses, params = long_runs[seed]
    rng = np.random.default_rng(seed)
    steps = adding_steps(MODEL.init(rng), rng, 100, cosine(RATE, 0, 2400))
    again = [step.loss for step in islice(steps, 60)]
    assert relative_error(np.array(again), losses[:60]) < 1e-10
    (row,) = [row for row in stored("runs") if (row.T, row.seed) == (100, seed)]
    error, *slopes = report(params, 100)
    assert error == pytest.approx(row.error, rel=0.1)
    assert slopes[::2] == pytest.approx([row.near, row.middle, row.far], abs=0.1)
    assert bool(row.left) == (min(np.convolve(losses, np.ones(50) / 50, "valid")) < 0.9 / 6)


def test_the_whole_runs_are_stored_when_asked_for(monkeypatch, tmp_path):
    monkeypatch.setattr(forgetting, "RESULTS", tmp_path)
    monkeypatch.setattr(forgetting, "run", lambda T, updates, seed: (np.full(updates, seed), T))
    monkeypatch.setattr("sys.argv", ["forgetting", "--long"])
    forgetting.main()
    like = np.zeros(2400, int), 0
    found = load(tmp_path / "forgetting_long.npz", like={seed: like for seed in (5, 11)})
    assert {seed: (losses[0], T) for seed, (losses, T) in found.items()} == {
        5: (5, 100),
        11: (11, 100),
    }


def test_the_script_stores_what_it_prints_and_nothing_unless_told(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(forgetting, "RESULTS", tmp_path)
    monkeypatch.setattr("sys.argv", ["forgetting", "radius", "--seeds", "2"])
    forgetting.main()
    assert len(capsys.readouterr().out.splitlines()) == 16 and not list(tmp_path.iterdir())
    monkeypatch.setattr("sys.argv", ["forgetting", "radius", "--seeds", "2", "--write"])
    forgetting.main()
    assert [path.name for path in tmp_path.iterdir()] == ["forgetting_radius.csv"]
    assert len(read_table(tmp_path / "forgetting_radius.csv")) == 16
    monkeypatch.setattr("sys.argv", ["forgetting", "radii"])
    with pytest.raises(SystemExit):
        forgetting.main()
