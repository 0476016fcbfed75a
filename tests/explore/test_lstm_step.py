"""Inside an LSTM step: every number is the package's, and so is what a planted mistake changes."""

import inspect

import numpy as np

from rnn_tutorial import cells, explore
from rnn_tutorial.cells import LSTMState
from rnn_tutorial.explore.lstm_step import (
    LSTM_MISTAKES,
    LSTMUnit,
    lstm_unit,
    lstm_unit_numbers,
)

MOVES = {
    "pre-activation of the input gate": "a_i",
    "pre-activation of the forget gate": "a_f",
    "pre-activation of the output gate": "a_o",
    "pre-activation of the candidate": "a_g",
    "old cell": "c_previous",
    "gradient that arrives at h": "dh",
    "gradient that arrives at c": "dc_next",
}
MISTAKE = "plant a mistake"


def with_locals(mistake):
    """Return `lstm_step_backward`, with a mistake of the figure, that returns its locals."""
    source = inspect.getsource(cells.lstm_step_backward)
    if mistake:
        answer = LSTM_MISTAKES[mistake]
        assert source.count(answer.right) == 1
        source = source.replace(answer.right, answer.wrong)
    head, result = source.rsplit("    return ", 1)
    namespace = dict(vars(inspect.getmodule(cells.lstm_step_backward)))
    exec(f"{head}    gradients = {result.strip()}\n    return locals()", namespace)
    return namespace["lstm_step_backward"]


def inside(unit, mistake):
    """Return every gradient of a unit by the names of the figure."""
    data = explore.lstm_step().data
    U, V = np.array(data["U"]), np.array(data["V"])
    b = np.array(unit.a) - data["x"] * U - data["h_previous"] * V
    params = cells.LSTMParams(W_x=U[None], W_h=V[None], b=b)
    _, cache, _ = lstm_unit_numbers(unit)
    dstate = LSTMState(h=np.array([[unit.dh]]), c=np.array([[unit.dc_next]]))
    found = with_locals(mistake)(params, cache, dstate)
    dparams, dx, dprevious = found["gradients"]
    gradients = {name: found[f"d{name}"] for name in ("o", "c", "i", "f", "g")}
    gradients |= {"tanh_c": unit.dh * cache.o, "x": dx}
    gradients |= {"h_previous": dprevious.h, "c_previous": dprevious.c}
    blocks = {"a": found["da"][0], "U": dparams.W_x[0], "V": dparams.W_h[0], "b": dparams.b}
    for matrix, row in blocks.items():
        gradients |= {f"{matrix}_{gate}": value for gate, value in zip("ifog", row)}
    return {name: np.asarray(value).item() for name, value in gradients.items()}


def unit_of(shown):
    """Return the LSTMUnit that the figure shows."""
    now = shown["unit"]
    a = tuple(float(now[f"a_{gate}"]) for gate in "ifog")
    return LSTMUnit(a, *(float(now[name]) for name in ("c_previous", "dh", "dc_next")))


def move(figure, label, value):
    figure.root.locator(f"input[value='{MOVES[label]}']").check()
    figure.slide(label, value)


def test_it_starts_at_the_step_that_the_reader_has_computed(open_figure):
    shown = open_figure(explore.lstm_step()).values()
    assert unit_of(shown) == lstm_unit()
    assert round(shown["right"]["c"], 3) == 0.770  # dc_2 of chapter 10
    np.testing.assert_allclose(shown["unit"]["dh"], 1.060, atol=5e-4)


def test_every_number_is_that_of_the_package_wherever_it_is_moved(open_figure, rng):
    figure = open_figure(explore.lstm_step())
    for _ in range(2):
        for label in MOVES:
            move(figure, label, round(rng.uniform(-2, 2), 2))
        shown = figure.values()
        unit = unit_of(shown)
        state, cache, _ = lstm_unit_numbers(unit)
        for name, value in {"h": state.h, "c": state.c, **cache._asdict()}.items():
            if name in shown["values"]:
                np.testing.assert_allclose(shown["values"][name], np.asarray(value).item(), 1e-12)
        expected = inside(unit, None)
        assert expected.keys() <= shown["right"].keys()
        for name, value in expected.items():
            np.testing.assert_allclose(shown["right"][name], value, rtol=1e-12, atol=1e-15)
        assert shown["planted"] == shown["right"] and shown["changed"] == []


def test_a_planted_mistake_changes_what_the_same_edit_changes_in_python(open_figure):
    figure = open_figure(explore.lstm_step())
    for cell in (-1.3, 0):
        move(figure, "old cell", cell)
        for mistake in LSTM_MISTAKES:
            figure.root.get_by_label(MISTAKE).select_option(mistake)
            shown = figure.values()
            unit = unit_of(shown)
            right, wrong = inside(unit, None), inside(unit, mistake)
            for name, value in wrong.items():
                np.testing.assert_allclose(shown["planted"][name], value, rtol=1e-12, atol=1e-15)
            changed = {name for name in right if right[name] != wrong[name]}
            assert set(shown["changed"]) == changed, (mistake, cell)
            marks = figure.root.locator(".ex-lstm-card[data-wrong='true'], td[data-wrong='true']")
            assert marks.count() == len(changed)
            assert (mistake, cell) != ("a_f", 0) or not changed  # a zero cell hides it


def product(row):
    """Return (what the numbers of a row of the words make, the result that it says)."""
    *_, numbers, result = row.inner_text().replace("\u2212", "-").split(" = ")
    return eval(numbers.replace("·", "*").replace("²", "**2")), float(
        result.split(",")[0].rstrip(". ")
    )


def test_the_numbers_of_each_explained_gradient_make_it(open_figure):
    figure = open_figure(explore.lstm_step())
    move(figure, "old cell", 0.7)
    move(figure, "gradient that arrives at c", -0.9)
    explain = figure.root.get_by_label("explain a gradient")
    rows = figure.root.locator(".ex-readout .ex-lstm-row")
    names = explain.locator("option").evaluate_all("options => options.map((own) => own.value)")
    assert len(names) == 13
    for name in names:
        explain.select_option(name)
        made, said = product(rows.first)
        assert abs(made - said) < 0.006, name
        assert abs(said - figure.values()["right"][name]) < 0.00051, name
    for mistake in LSTM_MISTAKES:  # its first gradient is explained
        figure.root.get_by_label(MISTAKE).select_option(mistake)
        made, said = product(rows.nth(1))
        shown = figure.values()
        assert abs(made - said) < 0.006, mistake
        assert abs(said - shown["planted"][shown["explained"]]) < 0.00051, mistake


def test_two_numbers_that_differ_late_are_shown_with_more_digits(open_figure):
    figure = open_figure(explore.lstm_step())
    move(figure, "pre-activation of the candidate", 0)
    move(figure, "old cell", 0.01)  # so c is small, and tanh is nearly straight
    on_arrows = figure.root.locator("svg .ex-lstm-gradient.ex-halo", has_text="✗")
    assert on_arrows.count() == 0
    figure.root.get_by_label(MISTAKE).select_option("c_up")
    assert on_arrows.count() == 2  # the gradient of the two terms of c
    shown = figure.values()
    assert 0 < abs(shown["right"]["c"] - shown["planted"]["c"]) < 1e-4
    card = figure.root.locator(".ex-lstm-card[data-state='explained']")
    numbers = card.locator(".ex-end.ex-lstm-gradient, .ex-lstm-right").all_text_contents()
    wrong, right = (float(text[2:].replace("\u2212", "-")) for text in numbers)
    assert wrong != right


def test_keyboard_pointer_and_words(open_figure):
    figure = open_figure(explore.lstm_step())
    assert "= 0.770, equation (10.14)." in figure.said()
    figure.press("old cell", "Home")
    assert figure.values()["unit"]["c_previous"] == -3
    figure.root.locator("input[value='c_previous']").press("ArrowRight")
    assert figure.values()["moved"] == "dh"
    before = figure.values()
    figure.drag(".ex-lstm-card >> nth=4", 40, 0, "right")
    assert figure.values() == before
    before = before["unit"]["a_f"]
    figure.drag(".ex-lstm-card >> nth=4", 40, 0)  # the forget gate
    shown = figure.values()
    assert (shown["moved"], shown["explained"]) == ("a_f", "f")
    assert 0.2 < shown["unit"]["a_f"] - before < 0.6
    figure.press("explain a gradient", "ArrowDown")
    assert figure.values()["explained"] == "g"
    figure.root.get_by_label(MISTAKE).select_option("c_previous")
    assert figure.said().endswith("It changes 1 of 25 gradients, marked ✗: dct−1.")
    assert figure.root.locator(".ex-lstm-card[data-wrong='true'] .ex-lstm-right").count() == 1
