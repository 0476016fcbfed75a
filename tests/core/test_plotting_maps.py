"""The picture of an iterated function shows its iterates."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from rnn_tutorial.plotting import plot_cobweb


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
