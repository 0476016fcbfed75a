"""One unit: the figure moves, and its numbers are those of the package."""

import numpy as np
import pytest

from rnn_tutorial import explore
from rnn_tutorial.explore.one_unit import one_unit_states


def test_the_states_are_those_of_the_package(open_figure):
    figure = open_figure(explore.one_unit())
    for w, first_state, u in [(0.8, 0.9, 0), (-2.2, 0.4, 0.3), (2, 1, -0.53), (3, -1, 1.5)]:
        figure.slide("weight", w)
        figure.slide("first state", first_state)
        figure.slide("constant input", u)
        values = figure.values()
        assert (values["w"], values["firstState"], values["u"]) == (w, first_state, u)
        expected = one_unit_states(w, first_state, u)
        np.testing.assert_allclose(values["states"], expected, rtol=1e-12, atol=1e-14)


def test_the_fixed_points_are_all_points_that_a_step_does_not_move(open_figure):
    figure = open_figure(explore.one_unit())
    for w, u, count in [
        (0.8, 0, 1),
        (1, 0, 1),
        (2, 0, 3),
        (2, -0.53, 3),
        (2, -0.54, 1),
        (-3, 0, 1),
    ]:
        figure.slide("weight", w)
        figure.slide("constant input", u)
        points = figure.values()["fixedPoints"]
        assert len(points) == count
        for point in points:
            _, after = one_unit_states(w, point["h"], u, steps=1)
            assert abs(after - point["h"]) < 1e-12
            assert point["slope"] == pytest.approx(w * (1 - after**2), abs=1e-12)


def test_the_end_is_where_very_many_steps_of_the_package_come(open_figure):
    figure = open_figure(explore.one_unit())
    for w, first_state, u in [
        (2, 0.1, 0),
        (2, -0.4, 0),
        (0.8, 0.9, 0),
        (2, 1, -0.54),
        (-2, 0.3, 0),
    ]:
        figure.slide("weight", w)
        figure.slide("first state", first_state)
        figure.slide("constant input", u)
        last = one_unit_states(w, first_state, u, steps=1000)[-2:]
        end = figure.values()["end"]
        assert len(end) == (2 if w == -2 else 1)
        np.testing.assert_allclose(sorted(last)[: len(end)], end, atol=1e-12)
    figure.slide("weight", 1)
    assert figure.values()["end"] == [0]  # after more steps than anybody would wait for


def test_keyboard_and_pointer_move_it_and_words_say_what_is_shown(open_figure):
    figure = open_figure(explore.one_unit())
    figure.press("weight", "ArrowRight", "ArrowRight")
    assert figure.values()["w"] == pytest.approx(0.82)
    slider = figure.root.get_by_label("weight")  # JupyterLab leaves the keys to such an element:
    assert slider.get_attribute("data-lm-suppress-shortcuts") == "true"
    assert slider.get_attribute("aria-valuetext") == "0.82"
    before = figure.values()
    for button in ("right", "middle"):  # they are the browser's
        figure.drag(".ex-handle >> nth=0", -60, 0, button)
        assert figure.values() == before
    figure.drag(".ex-handle >> nth=0", -60, 0)
    assert figure.values()["firstState"] < 0.7
    figure.drag(".ex-handle >> nth=1", 0, 500)
    assert figure.values()["firstState"] == -1
    assert figure.said().startswith("From h0 = −1.00, the state comes to 0.000. One fixed point")


def test_the_sliders_have_the_ranges_that_python_holds_to(open_figure):
    figure = open_figure(explore.one_unit(w=3, first_state=-1, u=1.5))
    for label, end in (("weight", 3), ("first state", 1), ("constant input", 1.5)):
        slider = figure.root.get_by_label(label)
        assert (slider.get_attribute("min"), slider.get_attribute("max")) == (f"{-end}", f"{end}")
    values = figure.values()
    assert (values["w"], values["firstState"], values["u"]) == (3, -1, 1.5)
