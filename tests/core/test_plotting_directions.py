"""The diagram of both directions says who has read what, and where a gradient comes from."""

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch

from rnn_tutorial import plotting


@pytest.fixture(autouse=True)
def _no_figure_is_left_open():
    yield
    plt.close("all")


def edges(ax, colour):
    """Return {(name, name)}, the words of the nodes that the arrows of a colour join."""
    nodes = [patch for patch in ax.patches if isinstance(patch, Circle | FancyBboxPatch)]
    places = {
        node: node.get_extents().transformed(ax.transData.inverted()).padded(0.12) for node in nodes
    }
    words = {}
    for node, place in places.items():
        (words[node],) = (
            text.get_text() for text in ax.texts if place.contains(*text.get_position())
        )

    def node_at(point):
        (name,) = (words[node] for node, place in places.items() if place.contains(*point))
        return name

    arrows = [
        p
        for p in ax.patches
        if isinstance(p, FancyArrowPatch) and to_hex(p.get_edgecolor()) == colour
    ]
    return [tuple(node_at(end) for end in arrow._posA_posB) for arrow in arrows]


def names(T):
    """Return the names x, first, second and y of all steps."""
    steps = range(1, T + 1)
    patterns = (
        "$x_{{{}}}$",
        r"$\overrightarrow{{h}}_{{{}}}$",
        r"$\overleftarrow{{h}}_{{{}}}$",
        "$y_{{{}}}$",
    )
    return [[pattern.format(t) for t in steps] for pattern in patterns]


def wanted(T):
    x, first, second, y = names(T)
    up = [*zip(x, first), *zip(first, y), *zip(x, second), *zip(second, y)]
    return sorted(up + [*pairwise(first)] + [(after, before) for before, after in pairwise(second)])


@pytest.mark.parametrize("T", [1, 2, 4])
def test_the_first_reads_on_and_the_second_back_and_both_speak_of_the_same_step(T):
    assert sorted(edges(plotting.draw_both_directions(T), plotting.BLACK)) == wanted(T)


def test_the_gradient_goes_back_along_every_arrow():
    ax = plotting.draw_both_directions(3, backward=True)
    assert sorted(edges(ax, plotting.BLACK)) == wanted(3)
    assert sorted(edge[::-1] for edge in edges(ax, plotting.VERMILLION)) == wanted(3)
    assert any(text.get_text().startswith("$dx_t$") for text in ax.texts)
    assert not edges(plotting.draw_both_directions(3), plotting.VERMILLION)


@pytest.mark.parametrize("backward", [False, True])
def test_no_words_stand_across_an_arrow(backward):
    ax = plotting.draw_both_directions(backward=backward)
    ax.figure.canvas.draw()
    places = [ax.transData.inverted().transform_bbox(text.get_window_extent()) for text in ax.texts]
    for arrow in (patch for patch in ax.patches if isinstance(patch, FancyArrowPatch)):
        line = np.linspace(*arrow._posA_posB, 200)
        for place in places:
            assert not ((line > place.min + 0.005) & (line < place.max - 0.005)).all(axis=1).any()


def test_a_sequence_of_no_steps_is_refused():
    with pytest.raises(ValueError, match="T: expected"):
        plotting.draw_both_directions(0)
