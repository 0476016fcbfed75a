"""The diagram of a stack says who reads whom, and where a gradient comes from."""

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
    """Return [(name, name)], the words of the nodes that the arrows of a colour join."""
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


def wanted(T, layers):
    """Return who reads whom: the next step of its layer and the layer above read every state."""
    steps = range(1, T + 1)
    rows = [[f"$h_{{{t}}}^{{{layer}}}$" for t in steps] for layer in range(1, layers + 1)]
    everything = [[f"$x_{{{t}}}$" for t in steps], *rows, [f"$y_{{{t}}}$" for t in steps]]
    up = [edge for below, above in pairwise(everything) for edge in zip(below, above)]
    return sorted(up + [edge for row in rows for edge in pairwise(row)])


@pytest.mark.parametrize("T, layers", [(1, 1), (3, 1), (1, 3), (4, 3), (2, 8)])
def test_every_state_is_read_to_the_right_and_above(T, layers):
    assert sorted(edges(plotting.draw_stack(T, layers), plotting.BLACK)) == wanted(T, layers)


def test_the_gradient_goes_back_along_every_arrow():
    ax = plotting.draw_stack(3, 2, backward=True)
    assert sorted(edges(ax, plotting.BLACK)) == wanted(3, 2)
    assert sorted(edge[::-1] for edge in edges(ax, plotting.VERMILLION)) == wanted(3, 2)
    assert any(text.get_text().startswith("$dh_t^l$") for text in ax.texts)
    assert not edges(plotting.draw_stack(3, 2), plotting.VERMILLION)


@pytest.mark.parametrize("T, layers", [(1, 1), (4, 3)])
@pytest.mark.parametrize("backward", [False, True])
def test_no_words_stand_across_an_arrow_or_beyond_the_edge(T, layers, backward):
    ax = plotting.draw_stack(T, layers, backward=backward)
    ax.figure.canvas.draw()
    places = [ax.transData.inverted().transform_bbox(text.get_window_extent()) for text in ax.texts]
    assert all(place.x0 > 0 and place.x1 < ax.get_xlim()[1] and place.y0 > 0 for place in places)
    for arrow in (patch for patch in ax.patches if isinstance(patch, FancyArrowPatch)):
        line = np.linspace(*arrow._posA_posB, 200)
        for place in places:
            assert not ((line > place.min + 0.005) & (line < place.max - 0.005)).all(axis=1).any()


def test_a_grid_of_nothing_is_refused():
    with pytest.raises(ValueError, match="T: expected"):
        plotting.draw_stack(0)
    with pytest.raises(ValueError, match="layers: expected"):
        plotting.draw_stack(layers=0)
