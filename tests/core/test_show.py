"""A figure is shown together with its description, in Jupyter and elsewhere."""

import sys

import matplotlib.pyplot as plt
import pytest

from rnn_tutorial.plotting import show


@pytest.fixture
def displayed(monkeypatch):
    """What was displayed, in a process that takes itself for a notebook's kernel."""
    calls = []
    monkeypatch.setattr(sys.modules["rnn_tutorial.plotting.show"], "in_jupyter", lambda: True)
    monkeypatch.setattr(
        "IPython.display.display", lambda figure, metadata: calls.append((figure, metadata))
    )
    return calls


@pytest.mark.parametrize("pick", [lambda figure, axes: figure, lambda figure, axes: axes])
def test_a_notebook_stores_the_description_with_the_image(displayed, pick):
    figure, axes = plt.subplots()
    show(pick(figure, axes), alt="A line\n    that rises.")
    assert displayed == [(figure, {"image/png": {"alt": "A line that rises."}})]
    assert not plt.fignum_exists(figure.number)  # else the notebook would show it a second time


def test_elsewhere_the_figures_are_shown_as_always(monkeypatch):
    shown = []
    monkeypatch.setattr(plt, "show", lambda: shown.append(True))
    monkeypatch.setitem(sys.modules, "IPython", None)
    show(plt.figure(), alt="Nothing.")
    assert shown == [True]
    plt.close("all")


def test_a_picture_without_a_description_is_refused():
    with pytest.raises(ValueError, match="alt: expected a description"):
        show(plt.figure(), alt=" ")
    with pytest.raises(
        TypeError, match="picture: expected a matplotlib Figure or Axes, got ndarray"
    ):
        show(plt.subplots(2)[1], alt="Two axes")
    plt.close("all")
