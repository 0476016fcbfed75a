"""Parity, adding at 200 steps and the speed of a scan: the stored rows, and some of them again."""

import numpy as np
import pytest

from benchmarks import adding_200, parity, recurrence_speed
from benchmarks.adding_200 import AddingRow, adding_row
from benchmarks.parity import ParityRow, parity_row
from benchmarks.recurrence_speed import SpeedRow, speed_row
from rnn_tutorial.data import read_table, stored_result


def stored(name, Row):
    return [Row(**row) for row in read_table(stored_result(name))]


def test_every_seed_of_each_reader_is_stored():
    for script, name, Row in (
        (adding_200, "adding_200.csv", AddingRow),
        (parity, "parity.csv", ParityRow),
    ):
        rows = stored(name, Row)
        assert [row[:2] for row in rows] == [(r, s) for r in script.READERS for s in script.SEEDS]
        assert all(row.limit == script.LIMIT for row in rows)
        assert all(row.updates is None or 0 < row.updates <= row.limit for row in rows)


def test_what_the_chapter_says_of_parity_is_stored():
    for row in stored("parity.csv", ParityRow):
        if "(0, 1)" in row.reader or row.reader == "LRU":
            assert row.updates is None and row.right_at_40 < 0.7 and row.right_at_400 < 0.55
        elif row.reader == "a in (-1, 1)":
            assert row.right_at_40 > 0.99 and row.right_at_400 < 0.8
        else:
            assert row.right_at_40 > 0.99 and row.right_at_400 > 0.97


def test_a_stored_run_is_what_the_script_gives():
    quickest = min(stored("parity.csv", ParityRow), key=lambda row: row.updates or row.limit)
    again = parity_row(quickest.reader, quickest.seed)
    assert again.updates == pytest.approx(quickest.updates, rel=0.05)
    assert again[4:] == pytest.approx(quickest[4:], abs=0.02)


def test_a_run_that_is_given_up_says_so():
    row = adding_row("LRU", 0, limit=2)
    assert row.updates is None and row.limit == 2 and row.loss > 0.1


def test_the_scan_wins_where_little_is_computed_and_loses_where_much_is():
    rows = {(row.T, row.width): row for row in stored("recurrence_speed.csv", SpeedRow)}
    assert rows[10_000, 1].scan < 0.1 and rows[1_000, 2_048].scan > 1
    sizes = [(T, w) for T in recurrence_speed.LENGTHS for w in recurrence_speed.WIDTHS]
    assert list(rows) == [size for size in sizes if np.prod(size) <= recurrence_speed.MOST]
    again = speed_row(50, 2, rounds=1)
    assert again.loop > 0 and again.chunks > 0 and again.scan > 0


@pytest.mark.parametrize("script", [adding_200, parity], ids=lambda script: script.__name__)
def test_the_script_stores_what_it_prints_and_nothing_unless_told(
    script, monkeypatch, tmp_path, capsys
):
    name = script.__name__.rpartition(".")[2]
    row = {"adding_200": adding_row, "parity": parity_row}[name]
    Row = {"adding_200": AddingRow, "parity": ParityRow}[name]
    empty = [0] * (len(Row._fields) - 2)
    monkeypatch.setattr(script, "RESULTS", tmp_path)
    monkeypatch.setattr(script, row.__name__, lambda *run: Row(*run, *empty))
    monkeypatch.setattr("sys.argv", [name, "--seed", "1"])
    script.main()
    assert len(capsys.readouterr().out.splitlines()) == len(script.READERS)
    assert not list(tmp_path.iterdir())
    monkeypatch.setattr("sys.argv", [name, "--seed", "1", "--write"])
    with pytest.raises(SystemExit):
        script.main()
    monkeypatch.setattr("sys.argv", [name, "--write"])
    script.main()
    rows = read_table(tmp_path / f"{name}.csv")
    assert [(r["reader"], r["seed"]) for r in rows] == [
        (reader, seed) for reader in script.READERS for seed in script.SEEDS
    ]
