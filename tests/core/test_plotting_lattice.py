"""The lattice that is drawn has every alignment, and no other."""

from itertools import product

import matplotlib.pyplot as plt
import numpy as np
import pytest

from rnn_tutorial.plotting import plot_lattice, plot_outputs
from rnn_tutorial.train import collapse, lattice


def drawn(ax):
    """({points}, {pairs of points}) of a lattice: (step, place) from 1 and from 0."""
    points = {(int(x), int(y)) for x, y in ax.collections[0].get_offsets()}
    lines = [line.get_xydata().astype(int) for line in ax.lines]
    return points, {tuple(map(tuple, xy.tolist())) for xy in lines}


@pytest.mark.parametrize("word", [(1, 2), (1, 1), (1, 1, 2), ()])
def test_the_paths_through_the_picture_are_the_alignments(word):
    T, names = 5, "-ab"
    ax = plot_lattice([names[k] for k in word], T)
    points, moves = drawn(ax)
    places = [k for label in word for k in (0, label)] + [0]
    paths = [[s] for t, s in points if t == 1]
    for t in range(1, T):
        paths = [p + [b] for p in paths for (_, a), (u, b) in moves if u == t + 1 and a == p[-1]]
    said = sorted(tuple(places[s] for s in path) for path in paths)
    assert said == sorted(a for a in product(range(3), repeat=T) if collapse(a) == word)
    plt.close(ax.figure)


def test_a_point_is_as_dark_as_its_place_is_probable():
    found = lattice(np.zeros((4, 1, 3)), [(1, 2)], np.ones((4, 1), bool))
    ax = plot_lattice("ab", 4, posterior=found.posterior[:, 0])
    points, colours = ax.collections[1].get_offsets(), ax.collections[1].get_facecolors()
    dark = dict(zip(map(tuple, points), colours[:, 3]))
    for t, s in [(0, 0), (1, 1), (3, 4)]:
        assert dark[t + 1, s] == pytest.approx(found.posterior[t, 0, s])
    plt.close(ax.figure)


def test_what_is_not_in_the_lattice_is_refused():
    with pytest.raises(ValueError, match="labels: no alignment of 2 steps says 'a a'"):
        plot_lattice("aa", 2)
    for path in ([1, 3, 3], [0, 1, 1, 1], [1, 1, 4], [1, 1, 7]):
        with pytest.raises(ValueError, match="path: expected a place of the lattice"):
            plot_lattice("aa", 3, path=path)
    with pytest.raises(ValueError, match="posterior"):
        plot_lattice("ab", 3, posterior=np.ones((3, 4)))
    with pytest.raises(ValueError, match="T: expected a positive"):
        plot_lattice("ab", 0)


def test_the_outputs_that_matter_are_drawn_and_named():
    y = np.array([[0.7, 0.2, 0.1], [0.1, 0.85, 0.05]])
    ax = plot_outputs(y, ["-", "AA", "B"], symbols="xy", least=0.3)
    curves = {line.get_label(): line.get_ydata() for line in ax.lines}
    assert list(curves) == ["blank", "_AA"]
    np.testing.assert_array_equal(curves["blank"], y[:, 0])
    np.testing.assert_array_equal(curves["_AA"], y[:, 1])
    assert [(text.get_text(), text.get_position()[0]) for text in ax.texts] == [("AA", 2)]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["x", "y"]
    plt.close(ax.figure)
    with pytest.raises(ValueError, match="symbols: expected one for each of 2 steps, got 3"):
        plot_outputs(y, ["-", "AA", "B"], symbols="xyz")
    with pytest.raises(ValueError, match="probabilities"):
        plot_outputs(y, ["-", "AA"])
