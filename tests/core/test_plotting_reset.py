"""The picture of two units that hear each other says what the two forms of the GRU compute."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex

from rnn_tutorial import plotting
from rnn_tutorial.cells import (
    GRUBeforeParams,
    GRUParams,
    GRUState,
    gru_before_step,
    gru_step,
)
from rnn_tutorial.plotting.diagrams.pen import FAINT

SWAP = np.array([[0.0, 1.0], [1.0, 0.0]])
H0 = np.array([0.5, 0.25])


@pytest.fixture(autouse=True)
def _no_figure_is_left_open():
    yield
    plt.close("all")


def candidates(r):
    """Return the candidate of both forms, (before, after), from the cells of the package."""
    x, state = np.zeros((1, 1)), GRUState(H0[None])
    b = np.concatenate([np.where(np.array(r) == 1, 40.0, -40.0), np.full(2, -40.0), np.zeros(2)])
    W_x, zero = np.zeros((1, 6)), np.zeros((2, 4))
    before, _ = gru_before_step(GRUBeforeParams(W_x, zero, b, SWAP), x, state)
    after, _ = gru_step(GRUParams(W_x, np.hstack([zero, SWAP]), b, np.zeros(2)), x, state)
    return before.h[0], after.h[0]


def said(ax):
    """Return {name: (value, is grey)} of the candidates, one dict for each half of the picture."""
    halves = {}, {}
    for text in ax.texts:
        name, equals, value = text.get_text().partition(" = ")
        if equals and name.startswith("$n"):
            number = np.tanh(float(value.removeprefix("tanh "))) if "tanh" in value else 0.0
            grey = to_hex(text.get_color()) == FAINT
            halves[text.get_position()[0] > 4.9][name] = number, grey
    return halves


@pytest.mark.parametrize("r", [(1, 0), (0, 1), (1, 1), (0, 0)])
def test_each_half_says_the_candidate_of_its_form(r):
    for half, n in zip(said(plotting.draw_reset(H0, r)), candidates(r)):
        for k in range(2):
            number, grey = half[f"$n_{k + 1}$"]
            assert number == pytest.approx(n[k], abs=1e-12)
            assert grey == (abs(n[k]) < 1e-12)


@pytest.mark.parametrize("h, r, name", [((1,), (1, 0), "h"), ((1, 1), (1, 0, 1), "r")])
def test_two_units_are_needed(h, r, name):
    with pytest.raises(ValueError, match=f"{name}: expected two numbers"):
        plotting.draw_reset(h, r)
