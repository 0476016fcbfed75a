"""Pictures of a check show the right slopes and verdicts; the circuit shows the right numbers."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import Circle, FancyArrowPatch

from rnn_tutorial import plotting
from rnn_tutorial.gradient_check import complex_step_slope

CAUGHT = {"no transpose": [True, False, True], "wrong sign": [False, False, True]}
CHECKS = ["shapes", "loss", "all different"]
CIRCUIT = {"x": 2.0, "w_x": 0.4, "h_previous": 0.5, "w_h": -0.6, "b": 0.1}


@pytest.fixture(autouse=True)
def _no_figure_is_left_open():
    yield
    plt.close("all")


def line(ax, label):
    return next(line.get_xydata() for line in ax.lines if line.get_label().startswith(label))


@pytest.mark.parametrize(
    "label, slope, through",
    [
        ("tangent: 1.00", 1.0, 0.0),
        ("forward difference: 1.30", (np.exp(0.5) - 1) / 0.5, 0.5),
        ("central difference: 1.04", np.exp(0.5) - np.exp(-0.5), -0.5),
    ],
)
def test_a_secant_goes_through_its_points_and_has_its_slope(label, slope, through):
    points = line(plotting.plot_secants(np.exp, step=0.5), label)
    np.testing.assert_allclose(np.diff(points[:, 1]) / np.diff(points[:, 0]), slope)
    np.testing.assert_allclose(np.interp(through, *points.T), np.exp(through))


@pytest.mark.parametrize("step", [0, -1.0, np.nan])
def test_a_secant_needs_a_step(step):
    with pytest.raises(ValueError, match="step: expected a finite number above 0"):
        plotting.plot_secants(np.exp, step)


def test_each_verdict_has_its_place_in_the_table():
    ax = plotting.plot_verdicts(CAUGHT, CHECKS)
    assert sorted(map(tuple, line(ax, "caught"))) == [(0, 0), (2, 0), (2, 1)]
    assert sorted(map(tuple, line(ax, "missed"))) == [(0, 1), (1, 0), (1, 1)]
    assert [text.get_text() for text in ax.get_xticklabels()] == CHECKS
    assert [text.get_text() for text in ax.get_yticklabels()] == list(CAUGHT)
    low, high = ax.get_ylim()
    assert low > high  # the first row is on top


def test_below_each_check_is_how_many_mistakes_it_catches():
    ax = plotting.plot_verdicts(CAUGHT, CHECKS)
    assert [text.get_text() for text in ax.texts] == ["1", "0", "2", "caught, of 2"]


def test_a_table_of_another_width_and_an_empty_one_are_refused():
    with pytest.raises(ValueError, match="caught, no transpose: expected 2 values, got 3"):
        plotting.plot_verdicts(CAUGHT, CHECKS[:2])
    with pytest.raises(ValueError, match="caught: expected one mistake or more"):
        plotting.plot_verdicts({}, CHECKS)


def written(ax, colour):
    """Return the numbers that are written in a colour, those of the inputs from top to bottom."""
    numbers = []
    for text in ax.texts:
        number = text.get_text().split("= ")[-1]
        if to_hex(text.get_color()) == colour and number.lstrip("-").replace(".", "").isdigit():
            numbers.append(float(number))
    return numbers


@pytest.mark.parametrize("dh", [1.0, -3.0])
def test_the_circuit_shows_values_and_gradients(dh):
    def h(point):
        p, q = point["w_x"] * point["x"], point["w_h"] * point["h_previous"]
        return np.tanh(p + q + point["b"])

    ax = plotting.draw_circuit(**CIRCUIT, dh=dh)
    slopes = [
        dh * complex_step_slope(h, CIRCUIT, {other: float(other == name) for other in CIRCUIT})
        for name in CIRCUIT
    ]
    da = slopes[-1]  # b is added to a
    values = [*CIRCUIT.values(), 0.8, -0.3, 0.6, np.tanh(0.6)]
    np.testing.assert_allclose(written(ax, plotting.BLACK), values, atol=0.005)
    np.testing.assert_allclose(
        written(ax, plotting.VERMILLION), [*slopes, da, da, da, dh], atol=0.005
    )


def test_every_arrow_of_the_circuit_has_one_back_and_no_words_are_beyond_the_edge():
    ax = plotting.draw_circuit(**CIRCUIT)
    colours = [
        to_hex(patch.get_edgecolor()) for patch in ax.patches if isinstance(patch, FancyArrowPatch)
    ]
    assert colours.count(plotting.BLACK) == colours.count(plotting.VERMILLION) == 9
    assert sum(isinstance(patch, Circle) for patch in ax.patches) == 4
    ax.figure.canvas.draw()
    for text in ax.texts:
        place = ax.transData.inverted().transform_bbox(text.get_window_extent())
        assert place.x0 > 0 and place.x1 < ax.get_xlim()[1]
        assert place.y0 > 0 and place.y1 < ax.get_ylim()[1]


def test_a_circuit_of_numbers_that_are_not_finite_is_refused():
    with pytest.raises(ValueError, match="w_h: expected a finite number, got nan"):
        plotting.draw_circuit(**{**CIRCUIT, "w_h": np.nan})
