"""The scripts in benchmarks/ do what they say, and what they stored is what they give."""

import csv
from functools import cache
from itertools import product

import numpy as np
import pytest

from benchmarks import reber
from benchmarks.reber import (
    LIMIT,
    NETWORKS,
    RATES,
    RESULTS,
    ReberTrial,
    reber_row,
    reber_trial,
    table_row,
    write_reber_trials,
)
from rnn_tutorial.cells import GRU, Elman
from rnn_tutorial.layers import Recurrent

LAYERS = {layer.cell.name: layer for layer in NETWORKS}


def read(path):
    """Return the stored rows: dicts of text."""
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_trial_is_tested_after_each_pass_and_given_up_at_its_limit(monkeypatch):
    passed, tested = iter([np.arange(512) < 511, np.full(512, True)]), []

    def strings_predicted(ys, allowed, mask):
        tested.append(ys.shape[1])
        return next(passed)

    monkeypatch.setattr(reber, "strings_predicted", strings_predicted)
    assert reber_trial(Recurrent(Elman, 7, 2), 0.02, seed=0, limit=256) == (None, 511 / 512)
    assert tested == [512]  # both sets
    assert reber_trial(Recurrent(Elman, 7, 2), 0.02, seed=0, limit=600) == (256, 1)


def test_a_trial_is_decided_by_its_seed():
    first, same, other = (
        reber_trial(Recurrent(Elman, 7, 15), 0.02, seed, limit=512)[1] for seed in (0, 0, 1)
    )
    assert first == same != other


def test_networks_have_about_as_many_weights():
    rows = [reber_row(layer, 0.02, seed=0, limit=256) for layer in NETWORKS]
    assert [row.network for row in rows] == list(LAYERS)
    weights = [row.weights for row in rows]
    assert max(weights) < 1.1 * min(weights)
    assert weights[0] == 7 * 15 + 15 * 15 + 15 + 15 * 7 + 7


def test_in_the_table_an_unsolved_trial_is_longer_than_all_others():
    trials = [
        ReberTrial("GRU", 455, 0.02, seed, needed, 1024, 1.0)
        for seed, needed in enumerate([512, None, 256])
    ]
    assert table_row(trials, 1.5).split() == "GRU 455 0.02 2 of 3 256 512 > 1,024 1.5".split()


def test_the_script_stores_a_row_for_each_trial_and_nothing_unless_told(
    monkeypatch, tmp_path, capsys
):
    monkeypatch.setattr(reber, "RESULTS", tmp_path / "reber.csv")
    monkeypatch.setattr(reber, "reber_row", cache(reber_row))  # the second time nothing is learned
    monkeypatch.setattr("sys.argv", ["reber.py", "--seeds", "2", "--limit", "256"])
    monkeypatch.setattr(reber, "NETWORKS", (Recurrent(Elman, 7, 2), Recurrent(GRU, 7, 2)))
    reber.main()
    assert len(capsys.readouterr().out.splitlines()) == 1 + 4
    assert not reber.RESULTS.exists()
    monkeypatch.setattr("sys.argv", ["reber.py", "--seeds", "2", "--limit", "256", "--write"])
    reber.main()
    rows = read(reber.RESULTS)
    assert [(row["network"], row["rate"], row["seed"]) for row in rows] == list(
        product(["Elman", "GRU"], ["0.02", "0.04"], "01")
    )
    assert {row["presentations"] for row in rows} == {""}


def test_an_unsolved_trial_is_stored_without_presentations(tmp_path):
    write_reber_trials(
        tmp_path / "a.csv",
        [
            ReberTrial("GRU", 455, 0.02, 0, None, 512, 0.25),
            ReberTrial("GRU", 455, 0.02, 1, 256, 512, 1.0),
        ],
    )
    assert (tmp_path / "a.csv").read_bytes().splitlines()[1:] == [
        b"GRU,455,0.02,0,,512,0.25",
        b"GRU,455,0.02,1,256,512,1.0",
    ]


def test_the_stored_table_has_thirty_trials_for_each_network_and_rate():
    rows = read(RESULTS)
    assert tuple(rows[0]) == ReberTrial._fields
    told = [(row["network"], float(row["rate"]), int(row["seed"])) for row in rows]
    assert told == list(product(LAYERS, RATES, range(30)))
    for row in rows:
        assert int(row["limit"]) == LIMIT
        assert (row["presentations"] != "") == (float(row["predicted"]) == 1)
        if row["presentations"]:
            assert 0 < int(row["presentations"]) <= LIMIT and int(row["presentations"]) % 256 == 0


@pytest.mark.parametrize(("network", "rate"), list(zip(LAYERS, RATES * 2)))
def test_a_stored_trial_is_what_the_script_gives(network, rate):
    rows = [
        row
        for row in read(RESULTS)
        if (row["network"], row["rate"]) == (network, str(rate)) and row["presentations"]
    ]
    stored = min(rows, key=lambda row: int(row["presentations"]))  # the quickest
    again = reber_row(LAYERS[network], rate, int(stored["seed"]), int(stored["limit"]))
    assert [str(value) for value in again] == list(stored.values())
