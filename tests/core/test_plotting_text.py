"""A text is drawn row by row, each symbol on the colour of its own value."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from rnn_tutorial.plotting import plot_text


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def colours(ax):
    """Return the values of the cells, (rows, width), NaN where there is no symbol."""
    return np.ma.filled(ax.collections[0].get_array(), np.nan)


def written(ax):
    return {(int(t.get_position()[1]), int(t.get_position()[0])): t.get_text() for t in ax.texts}


def test_a_row_ends_after_a_newline_and_at_the_width():
    text = "ab\nc defgh"
    values = np.linspace(-0.9, 0.9, len(text))
    ax = plot_text(text, values, width=4)
    expected = {
        **{(0, k): s for k, s in enumerate("ab↵")},
        **{(1, k): s for k, s in enumerate("c␣de")},
        **{(2, k): s for k, s in enumerate("fgh")},
    }
    assert written(ax) == expected
    cells = colours(ax)
    assert cells.shape == (3, 4)
    assert np.isnan(cells).sum() == 2
    np.testing.assert_array_equal(cells[~np.isnan(cells)], values)
    top, bottom = ax.get_ylim()[::-1]
    assert top < bottom  # the first row is the upper one


@pytest.mark.parametrize(("values", "limit"), [([0.1, -0.2], 1.0), ([0.5, -3.0], 3.0)])
def test_colours_are_symmetric_about_zero(values, limit):
    image = plot_text("ab", np.array(values)).collections[0]
    assert image.get_clim() == (-limit, limit)


@pytest.mark.parametrize("values", [np.zeros(2), np.zeros((3, 1))])
def test_there_is_one_value_for_each_symbol(values):
    with pytest.raises(ValueError, match="one for each of the 3 symbols"):
        plot_text("abc", values)


def test_an_empty_text_and_an_empty_row_are_refused():
    with pytest.raises(ValueError, match="values"):
        plot_text("", np.zeros(0))
    with pytest.raises(ValueError, match="width"):
        plot_text("a", np.zeros(1), width=0)
