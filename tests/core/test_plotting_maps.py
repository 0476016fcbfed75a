"""The picture of an iterated function shows its iterates."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from rnn_tutorial.plotting import plot_cobweb, plot_level


def staircase(ax, label):
    """The points of the line with this label."""
    return next(line.get_xydata() for line in ax.lines if line.get_label() == label)


def test_a_staircase_goes_from_each_state_to_the_next():
    ax = plot_cobweb(lambda h: h / 2, {"high": 0.8, "low": -0.8}, steps=2)
    expected = [(0.8, 0.8), (0.8, 0.4), (0.4, 0.4), (0.4, 0.2), (0.2, 0.2)]
    np.testing.assert_allclose(staircase(ax, "high"), expected)
    np.testing.assert_allclose(staircase(ax, "low"), -np.array(expected))
    plt.close(ax.figure)


def test_the_curve_is_the_function():
    ax = plot_cobweb(np.tanh, {"start": 0.5})
    curve = staircase(ax, "_curve")
    np.testing.assert_allclose(curve[:, 1], np.tanh(curve[:, 0]))
    plt.close(ax.figure)


def test_an_empty_staircase_is_refused():
    with pytest.raises(ValueError, match="steps: expected a positive whole number, got 0"):
        plot_cobweb(np.tanh, {"start": 0.5}, steps=0)


def test_the_level_and_its_image_are_drawn_where_they_are():
    ax = plot_level(w=2.0, level=0.7, disturbance=0.5)
    bars = {line.get_label(): line.get_xdata() for line in ax.lines}
    np.testing.assert_allclose(bars["before the step"], [0.7, 1])
    np.testing.assert_allclose(bars["after it"], np.tanh([2 * 0.7 - 0.5, 2 + 0.5]))
    plt.close(ax.figure)


def test_the_level_says_its_numbers_and_both_ends_of_both_bars():
    ax = plot_level(w=2.0, level=0.7, disturbance=0.5)
    ends = [text.get_text() for text in ax.texts]
    assert ends == ["$m$ = 0.70", "1.00", r"$\tanh(w m - \delta)$ = 0.72", "0.99"]
    assert ax.get_title() == r"$w = 2$, $\delta = 0.5$"
    plt.close(ax.figure)


def test_without_starts_there_is_the_curve_alone():
    ax = plot_cobweb(np.tanh, {})
    assert [line.get_label() for line in ax.lines] == ["_diagonal", "_curve"]
    assert ax.get_legend() is None
    plt.close(ax.figure)
