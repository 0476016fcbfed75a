"""One step says where a mistake is: the tables, the puzzles, and what `check_cell` says of it."""

import inspect

import numpy as np
import pytest
from every_cell import CELLS
from locating import locate_step, place_once
from mutation import without_crosscheck

from rnn_tutorial.cells import GRU, LSTM, lstm_step, lstm_step_backward
from rnn_tutorial.gradient_check import (
    GRU_PUZZLES,
    LSTM_PUZZLES,
    Answer,
    CannotJudge,
    GradientError,
    check_cell,
    check_gradients,
    edited,
    gru_answer,
    gru_puzzle,
    locate,
    locate_cell,
    location,
    lstm_answer,
    lstm_puzzle,
    random_start,
)
from rnn_tutorial.tree import tree_leaves, tree_map


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(location, "place_of", place_once)
    with without_crosscheck():
        yield


@pytest.mark.parametrize("name", CELLS)
def test_a_right_cell_has_a_clean_table(name, rng):
    found = locate_cell(CELLS[name], rng)
    assert found.right and found.places == () and found.notes == {}
    assert str(found).endswith("\nThis step is right.") and "✗" not in str(found)
    assert repr(found) == str(found)


@pytest.mark.parametrize("number", range(1, len(LSTM_PUZZLES) + 1))
def test_a_puzzle_of_the_lstm_is_wrong_and_located(number, rng, quick):
    wrong, answer = lstm_puzzle(number), lstm_answer(number)
    params, state = random_start(LSTM, rng, 3, 4, 5)
    point = params, rng.standard_normal((3, 4)), state
    with pytest.raises(GradientError):
        check_gradients(
            lambda p: lstm_step(*p), lambda cache, d: wrong(params, cache, d), point, rng
        )
    found = locate_step(LSTM, lstm_step, wrong)
    assert found.places == (answer.place,) and not found.right


@pytest.mark.parametrize("number", range(1, len(GRU_PUZZLES) + 1))
def test_a_puzzle_of_the_gru_is_wrong_and_located(number, rng, quick):
    wrong, answer = GRU.replace(pointwise_backward=gru_puzzle(number)), gru_answer(number)
    with pytest.raises(GradientError, match="^at one step: "):
        check_cell(wrong, rng)
    assert answer.place in locate_cell(wrong, rng).places


def test_the_table_alone_does_not_tell_the_place(quick):
    found = locate_step(LSTM, lstm_step, lstm_puzzle(1))
    assert found.table.splitlines()[1] == "da           ✓ ✓ ✓ ✗"
    assert "look at" not in found.table and str(found) == f"{found.table}\n{found.sentence}"


def test_a_puzzle_does_not_show_its_source_and_leaves_the_package_alone(rng):
    for puzzle in (lstm_puzzle(1), gru_puzzle(1)):
        with pytest.raises(OSError):
            inspect.getsource(puzzle)
    assert locate_cell(GRU, rng).right and locate_step(LSTM, lstm_step, lstm_step_backward).right
    assert len({answer.place for answer in LSTM_PUZZLES}) == 5


@pytest.mark.parametrize("ask", [lstm_puzzle, lstm_answer, gru_puzzle, gru_answer])
@pytest.mark.parametrize("number", [0, 6, -1, 1.0, True, "1"])
def test_a_puzzle_that_there_is_not_is_refused(ask, number):
    with pytest.raises(ValueError, match="^number: expected .* got "):
        ask(number)


def test_an_edit_of_a_text_that_is_not_there_once_is_refused():
    for text in ("dq", "dc"):
        with pytest.raises(ValueError, match="^answer.right: expected a text that occurs once"):
            edited([lstm_step_backward], Answer("dc", text, "df", ""))


def wrong_slope(params, cache, dstate):
    _, da, _, dprevious = LSTM.pointwise_backward(params, cache, dstate)
    da[:, -da.shape[1] // 4 :] *= 1 + cache.g
    return {}, da, da, dprevious


def test_check_cell_says_first_what_one_step_shows(rng):
    with pytest.raises(GradientError) as caught:
        check_cell(LSTM.replace(pointwise_backward=wrong_slope), rng)
    first, second, third, *_ = str(caught.value).splitlines()
    assert first == ("at one step: Only gate g is wrong: look at da_g, its product and its slope.")
    assert second == "over 6 steps: wrong gradient" and third.startswith("[0].W_x: relative error")


def test_a_right_cell_costs_no_look_at_one_step(rng, monkeypatch):
    monkeypatch.setattr(location, "place_of", None)
    check_cell(LSTM, rng, T=2)


def test_check_cell_reports_its_own_error_where_one_step_cannot_be_judged(rng, monkeypatch):
    def refuse(*args):
        raise CannotJudge("a kink")

    monkeypatch.setattr(location, "place_of", refuse)
    with pytest.raises(GradientError, match="^wrong gradient"):
        check_cell(LSTM.replace(pointwise_backward=wrong_slope), rng)


def test_a_step_that_loses_the_complex_step_is_judged_by_the_central_difference(rng):
    def real_step(params, x, state):
        state, cache = lstm_step(params, x, state)
        return state._replace(h=np.asarray(state.h).real), cache

    assert locate_step(LSTM, real_step, lstm_step_backward).right
    assert locate_step(LSTM, real_step, lstm_puzzle(3)).places == ("dc",)
    assert locate_step(LSTM, real_step, lstm_puzzle(1)).places == ("da_g",)


def test_an_array_of_another_shape_is_named_with_both(quick):
    def summed_over_gates(params, cache, dstate):
        dparams, dx, dprevious = lstm_step_backward(params, cache, dstate)
        return dparams._replace(b=dparams.b.reshape(4, -1).sum(axis=0)), dx, dprevious

    found = locate_step(LSTM, lstm_step, summed_over_gates)
    assert found.places == ("db",) and found.rows["db"] == (False,)
    assert "db           ✗  has shape (4,), expected (16,)" in str(found)
    assert found.rows["da"] == () and str(found).splitlines()[1] == "da           not judged"


def test_both_rows_of_da_are_named_where_there_are_two_and_another_shape_hides_them(rng):
    def three_dims(params, cache, dstate):
        dextra, da_x, da_h, dprevious = GRU.pointwise_backward(params, cache, dstate)
        return {"b_hn": dextra["b_hn"][None]}, da_x, da_h, dprevious

    found = locate_cell(GRU.replace(pointwise_backward=three_dims), rng)
    assert found.places == ("db_hn",) and not found.right
    assert found.rows["da_x"] == found.rows["da_h"] == () and "da" not in found.rows
    assert found.notes["da_x"] == found.notes["da_h"] == "not judged"


def test_two_mistakes_are_not_located(quick):
    def twice(params, cache, dstate):
        dparams, dx, dprevious = lstm_puzzle(1)(params, cache, dstate)
        return dparams, 2 * dx, dprevious._replace(c=2 * dprevious.c)

    found = locate_step(LSTM, lstm_step, twice)
    assert found.places == () and not found.right
    assert found.sentence.startswith("Not located: da_g, dprevious.c and dx are wrong.")


def test_the_term_of_dc_that_is_wrong_is_named(quick):
    for term, text in (("dstate.h * i", "dstate.h"), ("2 * dstate.h * o", "dstate.h")):
        edit = Answer("dc", "dc = dstate.c + dstate.h * o", f"dc = dstate.c + {term}", "")
        sentence = locate_step(LSTM, lstm_step, edited([lstm_step_backward], edit)).sentence
        assert sentence.endswith(f"what they share, dc: its part from {text} is wrong.")
    sentence = locate_step(LSTM, lstm_step, lstm_puzzle(3)).sentence
    assert sentence.endswith("what they share, dc: its part from dstate.c is wrong.")


def test_what_does_not_fit_is_refused_by_name(rng):
    params, state = random_start(LSTM, rng, 1, 3, 4)
    arguments = lstm_step, lstm_step_backward, params, state
    with pytest.raises(ValueError, match="^gates: expected a name for each block of H=4 columns"):
        locate(*arguments, "rzn", rng)
    with pytest.raises(TypeError, match="^rng: expected a generator"):
        locate(*arguments, "ifog", 0)
    with pytest.raises(TypeError, match="^cell: expected a Cell"):
        locate_cell(lstm_step, rng)
    for returned in (None, (params, 0.0), (state, 0.0, state), (params, 0.0, params)):
        with pytest.raises(TypeError, match="^step_backward: "):
            locate(lstm_step, lambda *_, r=returned: r, params, state, "ifog", rng)


def test_nothing_of_the_caller_is_changed_and_the_same_seed_finds_the_same(rng):
    params, state = random_start(LSTM, rng, 1, 3, 4)
    before = tree_map(np.copy, (params, state))
    found = [
        locate(lstm_step, lstm_puzzle(2), params, state, "ifog", np.random.default_rng(5))
        for _ in range(2)
    ]
    assert found[0] == found[1]
    for old, new in zip(tree_leaves(before), tree_leaves((params, state)), strict=True):
        np.testing.assert_array_equal(old, new)
