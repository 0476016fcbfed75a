"""The stream of Reber strings: the stored tables have every row, and some are computed again."""

from functools import cache
from itertools import product

import numpy as np
import pytest

from benchmarks import stream
from benchmarks.stream import (
    CELLS,
    MODEL,
    StreamRow,
    UnitRow,
    answer,
    answers_after,
    cells_before_inner_e,
    exchange,
    is_far,
    learn_stream,
    read,
    stream_row,
    strings_row,
    symbols_until_mistake,
    unit_rows,
)
from rnn_tutorial.cells import LSTM, LSTMState
from rnn_tutorial.data import REBER_VOCABULARY, next_symbols, read_table, stored_result

RUNS = [StreamRow(**row) for row in read_table(stored_result("stream.csv"))]
UNITS = [
    UnitRow(**row | {"unit": str(row["unit"])})
    for row in read_table(stored_result("stream_units.csv"))
]
SEEDS = range(1, 11)


def run(cell, training, seed):
    return next(row for row in RUNS if (row.cell, row.training, row.seed) == (cell, training, seed))


def test_the_far_symbol_is_the_one_that_was_decided_at_the_beginning():
    allowed = next_symbols("BTBPVVETE")[:, None]
    assert np.flatnonzero(is_far(allowed)[:, 0]).tolist() == [6]


def test_the_stored_tables_have_a_row_for_each_run_and_unit():
    trainings = [(name, "stream") for name in CELLS] + [("cell of 1997", "strings")]
    assert {(r.cell, r.training, r.seed) for r in RUNS} == {
        (*training, seed) for training, seed in product(trainings, SEEDS)
    }
    units = ["none", *map(str, range(8)), "all"]
    assert [(r.seed, r.unit) for r in UNITS] == list(product(SEEDS, units))


def test_with_a_forget_gate_every_network_learns_the_far_symbol_and_without_one_none_does():
    for seed in SEEDS:
        assert run("LSTM", "stream", seed).far_right > 0.85
        assert run("LSTM", "stream", seed).size_24000 < 3
        for name in ("cell of 1997", "cell of 1997, i -5"):
            assert run(name, "stream", seed).far_right < 0.54
            assert run(name, "stream", seed).size_24000 > 50
    assert sum(run("cell of 1997", "strings", seed).far_right > 0.8 for seed in SEEDS) == 9


def test_an_exchange_is_of_these_units_of_c_and_of_nothing_else():
    one, other = (
        (LSTMState(h=np.full((1, 3), k), c=np.arange(3.0)[None] + k), ()) for k in (10, 20)
    )
    (first, _), (second, _) = exchange(one, other, [0, 2])
    assert first.c.tolist() == [[20, 11, 22]] and second.c.tolist() == [[10, 21, 12]]
    assert first.h is one[0].h and second.h is other[0].h
    assert one[0].c.tolist() == [[10, 11, 12]]


def test_an_answer_is_the_larger_of_two_outputs():
    y = np.arange(7.0)
    t, p = REBER_VOCABULARY.encode("TP")
    assert answer(y) == ("T" if t > p else "P") and answer(-y) != answer(y)


def test_two_copies_of_one_string_have_one_answer_before_and_after_an_exchange():
    """With weights of zero nothing is remembered, so half of the answers are right."""
    params = MODEL.init(np.random.default_rng(0))
    params = (type(params[0])(*(0 * leaf for leaf in params[0])), params[1])
    _, state = read(params, "BTBPVVETE", MODEL.initial_state(params, 1))
    for units in ([], [0], list(range(8))):
        assert answers_after(params, state, units, 5).mean() == 0.5


def test_symbols_until_a_mistake_are_counted_from_the_end_of_the_warm_up(monkeypatch):
    right = np.ones((10, 16), bool)
    right[1, 0] = right[7, 1] = False  # in the warm-up, and five steps after it
    monkeypatch.setattr(stream, "steps_predicted", lambda ys, allowed: right)
    params = MODEL.init(np.random.default_rng(0))
    assert symbols_until_mistake(LSTM, params, T=10, warm_up=2).tolist() == [8, 5, *[8] * 14]


def test_what_is_due_after_an_inner_e_is_read_off_the_stream():
    cs, is_t = cells_before_inner_e(MODEL.init(np.random.default_rng(0)), 300)
    assert cs.shape == (len(is_t), 8) and 0 < is_t.sum() < len(is_t)


again = cache(stream_row)  # two tests look at the same run of the LSTM


def test_a_stored_run_is_what_the_script_gives():
    row, _ = again("LSTM", 5)
    stored = run("LSTM", "stream", 5)
    assert row[:3] == stored[:3]
    assert row[3:7] == pytest.approx(stored[3:7], rel=0.02)


@pytest.mark.parametrize("name", ["cell of 1997", "cell of 1997, i -5"])
def test_a_stored_run_without_a_forget_gate_begins_as_the_script_does(name):
    *_, (_, _, size) = learn_stream(CELLS[name], 100, 2)[2]
    assert size == pytest.approx(run(name, "stream", 2).size_6000, rel=0.02)


def test_a_stored_run_on_strings_is_what_the_script_gives():
    row = strings_row("cell of 1997", 2)
    assert row[3:5] == pytest.approx(run("cell of 1997", "strings", 2)[3:5], abs=0.01)


def test_the_stored_units_are_what_the_script_gives():
    _, params = again("LSTM", 5)
    units, stored = unit_rows(5, params), [row for row in UNITS if row.seed == 5]
    assert [row.unit for row in units] == [row.unit for row in stored]
    assert [row.other for row in units] == pytest.approx([r.other for r in stored], abs=0.02)
    assert [row.correlation for row in units[1:-1]] == pytest.approx(
        [row.correlation for row in stored[1:-1]], abs=0.02
    )
    tied = max(units[1:-1], key=lambda row: row.correlation)
    used = max(units[1:-1], key=lambda row: row.other)
    assert tied.unit == "2" and tied.other < 0.01 and used.unit == "7" and used.other > 0.98


def test_the_script_prints_its_rows_and_stores_nothing_unless_told(monkeypatch, capsys, tmp_path):
    """Nothing is learned, which is tested above: here it matters where the numbers go."""
    params, record = MODEL.init(np.random.default_rng(0)), np.full((100, 3), 0.25)
    monkeypatch.setattr(stream, "RESULTS", tmp_path)
    monkeypatch.setattr(stream, "learn_stream", lambda *_: (params, None, record))
    monkeypatch.setattr(stream, "learn_strings", lambda cell, seed: (0.75, 0.5))
    monkeypatch.setattr(stream, "symbols_until_mistake", lambda *_: np.array([3900, 0]))
    monkeypatch.setattr(stream, "answers_after", lambda p, s, units: np.arange(9) >= len(units))
    # The second time it prints what it computed the first time.
    row = cache(stream_row)
    units = cache(lambda seed: unit_rows(seed, row("LSTM", seed)[1]))
    monkeypatch.setattr(stream, "stream_row", row)
    monkeypatch.setattr(stream, "unit_rows", lambda seed, params: units(seed))
    monkeypatch.setattr("sys.argv", ["stream.py", "--seeds", "1"])
    stream.main()
    printed = capsys.readouterr().out
    assert len(printed.splitlines()) == 4 + 10
    assert not list(tmp_path.iterdir())
    monkeypatch.setattr("sys.argv", ["stream.py", "--seeds", "1", "--write"])
    stream.main()
    assert capsys.readouterr().out == printed
    runs = [StreamRow(**row) for row in read_table(tmp_path / "stream.csv")]
    assert [row.cell for row in runs] == [*CELLS, "cell of 1997"]
    assert [row.training for row in runs] == 3 * ["stream"] + ["strings"]
    assert runs[-1][2:5] == (1, 0.75, 0.5)
    assert {(row.seed, row.until_mistake, row.no_mistake) for row in runs[:3]} == {(1, 1950, 1)}
    found = read_table(tmp_path / "stream_units.csv")
    assert [row["other"] for row in found] == [0, *8 * [0.111], 0.889]
