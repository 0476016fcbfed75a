"""How far a gradient reaches: the figure measures what `jacobians` of the package measures."""

import numpy as np
import pytest

from rnn_tutorial import explore
from rnn_tutorial.data import read_table, stored_result
from rnn_tutorial.explore.reach import reach_draws, reach_norms, reach_path

SLIDERS = {
    "tanh": "spectral radius",
    "LSTM": "forget bias",
    "GRU": "update bias",
}


def choose(figure, cell, value, size, draw):
    figure.root.get_by_label(cell).check()
    figure.root.get_by_label(str(draw + 1), exact=True).check()
    figure.slide(SLIDERS[cell], value)
    figure.slide("size of the inputs", size)
    shown = figure.values()
    return shown | {name: np.array(shown[name], float) for name in ("norms", "path")}


@pytest.mark.parametrize(
    "cell, settings",
    [
        ("tanh", [(0.9, 1, 0), (1.5, 0.5, 2), (4, 0, 3)]),
        ("LSTM", [(1, 1, 0), (5, 0, 3)]),
        ("GRU", [(0, 1, 0), (-1.75, 0.3, 1)]),
    ],
)
def test_norms_and_bound_are_those_of_the_package(open_figure, cell, settings):
    figure, draws = open_figure(explore.reach()), reach_draws()
    for value, size, draw in settings:
        shown = choose(figure, cell, value, size, draw)
        norms, path = (
            reach_norms(cell, value, size, draws[draw]),
            reach_path(cell, value, draws[draw]),
        )
        assert (shown["cell"], shown["value"], shown["draw"]) == (cell, value, draw)
        np.testing.assert_allclose(shown["norms"], norms, rtol=1e-12)
        np.testing.assert_allclose(shown["path"], path, rtol=1e-12)
        n = shown["distance"]
        assert shown["measured"] == shown["norms"][n] and shown["compared"] == shown["path"][n]


def test_a_busy_network_of_a_large_radius_agrees_until_rounding_grows(open_figure):
    # a rounding error of 1e-16 grows as a gradient does, over 50 steps of a factor above 1
    shown = choose(open_figure(explore.reach()), "tanh", 3, 1, 0)
    norms = reach_norms("tanh", 3, 1, reach_draws()[0])
    np.testing.assert_allclose(shown["norms"], norms, rtol=1e-12 * max(norms))


def test_the_first_draw_is_that_of_chapter_06():
    for row in read_table(stored_result("forgetting_radius.csv")):
        if row["seed"] < len(reach_draws()) and row["radius"] in (0.5, 0.9, 3.0):
            norms = reach_norms("tanh", row["radius"], 1, reach_draws()[row["seed"]])
            assert (norms[50] / norms[20]) ** (1 / 30) == pytest.approx(row["factor"], rel=1e-3)


def test_the_measured_norm_is_below_the_bound_and_may_be_above_the_direct_path(open_figure):
    figure = open_figure(explore.reach())
    for radius in (0.3, 1.2, 3.9):
        shown = choose(figure, "tanh", radius, 1, 1)
        assert np.all(shown["norms"] <= shown["path"] * (1 + 1e-12))
    shown = choose(figure, "LSTM", 3, 0, 0)
    assert shown["norms"][50] > 1 > shown["path"][50]


def test_keyboard_and_pointer_choose_the_distance_and_words_say_both_numbers(open_figure):
    figure = open_figure(explore.reach())
    figure.press("distance in steps", "ArrowRight", "ArrowRight")
    assert figure.values()["distance"] == 32
    figure.press("tanh", "ArrowRight")
    assert figure.values()["cell"] == "LSTM"
    figure.press("forget bias", "Home")
    assert figure.values()["value"] == -2
    box = figure.root.locator(".ex-drawing").bounding_box()
    figure.page.mouse.click(box["x"] + 1, box["y"] + box["height"] / 2)
    assert figure.values()["distance"] == 0
    figure.drag(".ex-drawing", 90, 0)
    shown = figure.values()
    assert 20 < shown["distance"] < 50
    assert figure.root.locator("svg .ex-reach-mark-measured").count() == 1
    said = figure.said()
    assert said.startswith(f"Measured: back over {shown['distance']} steps a gradient")
    per_step = (shown["norms"][50] / shown["norms"][20]) ** (1 / 30)
    assert f"the measured factor is {per_step:.3f} a step" in said
    assert "direct path (10.27)" in said


def test_the_other_draws_are_drawn_behind_the_chosen_one(open_figure):
    figure = open_figure(explore.reach())
    lines, shown = figure.root.locator(".ex-reach-other, .ex-reach-measured"), []
    for draw in ("1", "3"):
        figure.root.get_by_label(draw, exact=True).check()
        lines.nth(3).wait_for(state="attached")
        shown.append(lines.evaluate_all("all => all.map((one) => one.getAttribute('d'))"))
    assert len(set(shown[0])) == 4 and set(shown[0]) == set(shown[1])
    assert shown[0][-1] != shown[1][-1]  # the chosen one is drawn last
