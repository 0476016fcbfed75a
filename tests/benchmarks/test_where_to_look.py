"""What the look into the memory is worth: the stored runs, the control, and the script."""

import numpy as np
import pytest

from benchmarks import where_to_look
from benchmarks.letters_to_sounds import CHAPTER, COMPARED
from benchmarks.where_to_look import (
    FIRST_STATES,
    GENERAL,
    READOUTS,
    SPELLINGS,
    ChangedRow,
    LetterRow,
    LookRow,
    StateRow,
    changes,
    flat,
)
from rnn_tutorial.data import lengths_to_mask, read_table, stored_result
from rnn_tutorial.gradient_check import check_gradients
from rnn_tutorial.layers import Attention, masked_softmax

SEEDS = (0, 1, 2)


def rows(name, kind):
    return [kind(**row) for row in read_table(stored_result(name))]


@pytest.fixture(scope="module")
def looks():
    return rows("where_to_look.csv", LookRow)


def test_three_seeds_of_each_readout_are_stored(looks):
    trainings = [(r, s, n) for n in (COMPARED, CHAPTER) for r in READOUTS for s in SEEDS]
    assert [row[:3] for row in looks] == trainings


def test_attention_halves_the_error_and_the_plain_mean_does_not(looks):
    phones = {
        name: [row.phones for row in looks if row[::2][:2] == (name, COMPARED)] for name in READOUTS
    }
    others = read_table(stored_result("letters_to_sounds.csv"))
    fixed = [
        row["phones_greedy"]
        for row in others
        if (row["model"], row["updates"]) == ("fixed vector", COMPARED)
    ]
    assert len(fixed) == 3 and max(phones[GENERAL]) < 0.55 * min(fixed)
    assert min(phones["plain mean"]) > 0.9 * min(fixed)


def test_the_weights_are_on_the_letters_that_make_the_sound():
    found = rows("where_to_look_letters.csv", LetterRow)
    spelled = [row for row in found if row.spelling != "silent e"]
    assert len(spelled) == len(SPELLINGS) * len(SEEDS)
    assert all(row.weight > 3 * row.plain for row in spelled)
    assert all(row.weight < 0.1 * row.plain for row in found if row.spelling == "silent e")


def test_the_largest_alone_is_harmless_and_everything_else_is_not():
    found = rows("where_to_look_changed.csv", ChangedRow)
    for seed in SEEDS:
        symbols = {row.change: row.symbols for row in found if row.seed == seed}
        trained, alone, *others = symbols.values()
        assert abs(alone - trained) < 0.005 and min(others) > 5 * trained
        assert (
            min(symbols["one step late"], symbols["one letter to the right"])
            > (symbols["all letters alike"])
        )


def test_weights_of_another_step_say_the_symbol_of_that_step():
    found = rows("where_to_look_changed.csv", ChangedRow)
    for seed in SEEDS:
        of = {row.change: row for row in found if row.seed == seed}
        late, right, alike = (
            of[k] for k in ("one step late", "one letter to the right", "all letters alike")
        )
        assert late.before > 0.4 > 4 * late.after and right.after > 0.5 > 4 * right.before
        assert max(alike.before, alike.after) < min(late.before, right.after)


def test_most_of_what_is_said_does_not_come_over_the_bridge():
    found = rows("where_to_look_states.csv", StateRow)
    assert [(row.seed, row.first) for row in found] == [(s, f) for s in SEEDS for f in FIRST_STATES]
    trained = {r.seed: r.symbols for r in rows("where_to_look_changed.csv", ChangedRow)[::6]}
    for seed in SEEDS:
        own, other, zeros = (row.symbols for row in found if row.seed == seed)
        assert own == trained[seed]  # both are the network as it was trained
        assert own < other < 0.25 and other < zeros < 0.5


def test_changed_weights_are_weights(rng):
    mask = lengths_to_mask(np.array([5, 3, 2]), 5)
    weights = masked_softmax(rng.standard_normal((4, 3, 5)), mask)
    for name, changed in changes(weights, mask).items():
        np.testing.assert_allclose(changed.sum(axis=-1), 1, rtol=1e-12, err_msg=name)
        assert not changed[:, ~mask.T].any(), name
    late, right = (changes(weights, mask)[k] for k in ("one step late", "one letter to the right"))
    np.testing.assert_array_equal(late[1:], weights[:-1])
    np.testing.assert_allclose(right[:, 0, 1:4], weights[:, 0, :3])


def test_the_control_is_the_plain_mean_with_the_right_gradient(rng):
    readout = Attention(flat, 4, 6)
    mask = lengths_to_mask(np.array([5, 2]), 5)
    point = rng.standard_normal((3, 2, 4)), rng.standard_normal((5, 2, 6))
    ys, cache = readout.forward(readout.init(rng), *point, mask)
    np.testing.assert_allclose(ys[1, 1, 4:], point[1][:2, 1].mean(axis=0), rtol=1e-13)

    def forward(point):
        ys, cache = readout.forward(readout.init(rng), *point, mask)
        return (ys,), cache

    check_gradients(
        forward, lambda c, d: readout.backward(readout.init(rng), c, *d)[1:], point, rng
    )


def test_the_script_stores_what_it_prints_and_nothing_unless_told(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(where_to_look, "RESULTS", tmp_path)
    monkeypatch.setattr(where_to_look, "the_words", lambda: None)
    monkeypatch.setattr(where_to_look, "trained", lambda *run: (None, None))
    row = LookRow(GENERAL, 0, 1500, 10, 0.25, 0.5)
    monkeypatch.setattr(where_to_look, "look_row", lambda *run: row)
    changed, letter = ChangedRow(0, "x", 0.1, 0.2, 0.3), LetterRow(0, "ph", "F", 1, 0.9, 0.2)
    state = StateRow(0, "zeros", 0.3)
    monkeypatch.setattr(where_to_look, "changed_rows", lambda *run: [changed])
    monkeypatch.setattr(where_to_look, "state_rows", lambda *run: [state])
    monkeypatch.setattr(where_to_look, "letter_rows", lambda *run: [letter])
    monkeypatch.setattr("sys.argv", ["where_to_look", "--seeds", "1"])
    where_to_look.main()
    assert "0.25" in capsys.readouterr().out and not list(tmp_path.iterdir())
    monkeypatch.setattr("sys.argv", ["where_to_look", "--seeds", "1", "--write"])
    where_to_look.main()
    assert [LookRow(**r) for r in read_table(tmp_path / "where_to_look.csv")] == [row] * 4
    assert [ChangedRow(**r) for r in read_table(tmp_path / "where_to_look_changed.csv")] == [
        changed
    ]
    assert [StateRow(**r) for r in read_table(tmp_path / "where_to_look_states.csv")] == [state]
    assert [LetterRow(**r) for r in read_table(tmp_path / "where_to_look_letters.csv")] == [letter]
