"""The picture of a padded batch: which steps are real, and whose symbol stands where."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from rnn_tutorial import plotting
from rnn_tutorial.data import lengths_to_mask

MASK = lengths_to_mask([3, 1, 2], 4)


@pytest.fixture(autouse=True)
def _no_figure_is_left_open():
    yield
    plt.close("all")


def cells(ax):
    """Return the colours (B, T, 3) of the cells, a row for each sequence."""
    return ax.collections[0].get_array()


def test_real_steps_have_one_colour_and_padding_another():
    colours = cells(plotting.plot_padding(MASK))
    assert colours.shape == (3, 4, 3)
    (real,), (padding,) = np.unique(colours[MASK.T], axis=0), np.unique(colours[~MASK.T], axis=0)
    assert real.mean() < padding.mean() - 0.1  # also in a grey print


@pytest.mark.parametrize("mask", [MASK, MASK[::-1]])
def test_symbols_stand_in_the_real_steps_of_their_own_sequence(mask):
    ax = plotting.plot_padding(mask, symbols=("abc", "d", "e "))
    written = {text.get_position(): text.get_text() for text in ax.texts}
    places = [(t + 1, b + 1) for b, t in np.argwhere(mask.T)]
    assert written == dict(zip(places, "abcde␣"))


def test_the_first_sequence_is_on_top():
    low, high = plotting.plot_padding(MASK).get_ylim()
    assert low > high


@pytest.mark.parametrize(
    "mask, symbols, error, message",
    [
        (MASK.astype(float), None, TypeError, "mask: expected a boolean array"),
        (MASK[0], None, ValueError, r"mask: expected shape \(T, B\)"),
        (MASK, ("abc", "dd", "ee"), ValueError, "symbols: expected T = 1 symbols, got 2"),
        (MASK, ("abc", "d"), ValueError, "symbols: expected 3 texts, one for each sequence, got 2"),
    ],
)
def test_what_does_not_fit_is_refused(mask, symbols, error, message):
    with pytest.raises(error, match=message):
        plotting.plot_padding(mask, symbols=symbols)
