"""The adding problem with gated cells: the stored runs, and their first biases."""

import numpy as np
import pytest

from benchmarks import gated_adding
from benchmarks.gated_adding import BATCH, CELLS, LIMIT, SEEDS, GatedRow, gated_row, with_bias
from rnn_tutorial.cells import GRU, LSTM
from rnn_tutorial.data import read_table, stored_result


@pytest.fixture(scope="module")
def stored():
    return [GatedRow(**row) for row in read_table(stored_result("gated_adding.csv"))]


def test_a_bias_moves_its_gate_and_nothing_else():
    for cell, gate, block in ((GRU, "z", slice(4, 8)), (LSTM, "i", slice(0, 4))):
        before, after = (
            one.init(np.random.default_rng(0), 3, 4) for one in (cell, with_bias(cell, gate, 3))
        )
        moved = after.b - before.b
        assert (moved[block] == 3).all() and moved.sum() == 4 * 3
        assert (after.W_x == before.W_x).all() and (after.W_h == before.W_h).all()


def test_every_seed_of_each_cell_is_stored(stored):
    assert [row[:2] for row in stored] == [(cell, seed) for cell in CELLS for seed in SEEDS]
    for row in stored:
        assert row.limit == LIMIT
        assert row.sequences is None or 0 < row.sequences <= LIMIT and row.sequences % BATCH == 0


def test_a_stored_run_is_what_the_script_gives(stored):
    quickest = min(stored, key=lambda row: row.sequences or LIMIT)
    again = gated_row(quickest.cell, quickest.seed)
    assert again.sequences == pytest.approx(quickest.sequences, rel=0.02)
    assert again.error == pytest.approx(quickest.error, rel=0.1)


def test_the_script_stores_what_it_prints_and_nothing_unless_told(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(gated_adding, "RESULTS", tmp_path)
    monkeypatch.setattr(gated_adding, "gated_row", lambda *run: GatedRow(*run, None, 1, 2.0))
    monkeypatch.setattr("sys.argv", ["gated_adding", "--seed", "1"])
    gated_adding.main()
    assert len(capsys.readouterr().out.splitlines()) == len(CELLS) and not list(tmp_path.iterdir())
    monkeypatch.setattr("sys.argv", ["gated_adding", "--seed", "1", "--write"])
    with pytest.raises(SystemExit):
        gated_adding.main()
    monkeypatch.setattr("sys.argv", ["gated_adding", "--write"])
    gated_adding.main()
    rows = read_table(tmp_path / "gated_adding.csv")
    assert [(row["cell"], row["seed"]) for row in rows] == [(c, s) for c in CELLS for s in SEEDS]
    assert {row["sequences"] for row in rows} == {None}
