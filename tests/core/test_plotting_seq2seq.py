"""The diagram of an encoder–decoder joins two networks at one place; errors over the length."""

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from rnn_tutorial.plotting import draw_encoder_decoder, plot_by_length
from rnn_tutorial.plotting.style import BLACK, VERMILLION


@pytest.fixture(autouse=True)
def _no_figure_is_left_open():
    yield
    plt.close("all")


def edges(ax, colour):
    """Return [(words, words)] of the boxes that the arrows of a colour join."""
    places = {}
    for patch in ax.patches:
        if isinstance(patch, FancyBboxPatch):
            place = patch.get_extents().transformed(ax.transData.inverted()).padded(0.12)
            (words,) = (t.get_text() for t in ax.texts if place.contains(*t.get_position()))
            places[patch] = place, words

    def box_at(point):
        (words,) = (words for place, words in places.values() if place.contains(*point))
        return words

    return [
        tuple(box_at(end) for end in arrow._posA_posB)
        for arrow in ax.patches
        if isinstance(arrow, FancyArrowPatch) and to_hex(arrow.get_edgecolor()) == to_hex(colour)
    ]


def wanted(source, target):
    read = [f"$s_{{{k}}}$" for k in range(1, len(source) + 1)]
    said = [f"$r_{{{k}}}$" for k in range(1, len(target) + 2)]
    return sorted(
        [
            *pairwise([*read, "bridge", "$r_{0}$", *said]),
            *zip(source, read),
            *zip(["start", *target], said),
            *zip(said, [*target, "end"]),
        ]
    )


@pytest.mark.parametrize("target", [["B", "AA", "K", "S"], []])
def test_the_decoder_reads_what_it_has_said_and_begins_after_the_bridge(target):
    ax = draw_encoder_decoder(["b", "o", "x"], target)
    assert sorted(edges(ax, BLACK)) == wanted(["b", "o", "x"], target)
    assert edges(ax, VERMILLION) == []


def test_the_gradient_goes_against_every_arrow():
    ax = draw_encoder_decoder(backward=True)
    against = sorted((end, start) for start, end in edges(ax, BLACK))
    assert sorted(edges(ax, VERMILLION)) == against


def test_a_source_without_symbols_is_refused():
    with pytest.raises(ValueError, match="source: expected at least one symbol"):
        draw_encoder_decoder([], ["B"])


def test_a_line_goes_through_the_means_and_each_run_is_a_point():
    ax = plot_by_length({"GRU": {4: [0.2, 0.4], 3: [0.1]}}, quantity="phone error")
    mean, *points = ax.lines
    np.testing.assert_allclose(mean.get_xydata(), [[3, 0.1], [4, 0.3]])
    np.testing.assert_allclose(
        np.concatenate([p.get_xydata() for p in points]), [[3, 0.1], [4, 0.2], [4, 0.4]]
    )
    assert ax.get_ylabel() == "phone error" and ax.get_xlabel() == "length (letters)"
    assert ax.get_ylim()[0] == 0


def test_a_length_without_runs_is_refused():
    with pytest.raises(ValueError, match=r"runs\['GRU'\]: expected values at each length"):
        plot_by_length({"GRU": {3: []}})
