"""A picture of weights has each weight at its letter and its sound; the diagram has both paths."""

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from rnn_tutorial.plotting import draw_attention, plot_alignment
from rnn_tutorial.plotting.diagrams.pen import BACKWARD

WEIGHTS = np.array([[0.7, 0.2, 0.1, 0.0], [0.0, 0.1, 0.3, 0.6], [0.1, 0.8, 0.1, 0.0]])


@pytest.fixture(autouse=True)
def _no_figure_is_left_open():
    yield
    plt.close("all")


def test_each_weight_is_at_its_letter_and_its_sound():
    ax = plot_alignment(WEIGHTS, "phon", ("F", "OW", "N"))
    image = ax.collections[0]
    np.testing.assert_array_equal(np.asarray(image.get_array()), WEIGHTS)
    assert image.get_clim() == (0, 1)
    assert [label.get_text() for label in ax.get_xticklabels()] == list("phon")
    assert [label.get_text() for label in ax.get_yticklabels()] == ["F", "OW", "N"]
    bottom, top = ax.get_ylim()
    assert top < bottom  # the first sound is the upper row


def test_the_ring_is_at_the_largest_weight_of_each_row():
    rings = plot_alignment(WEIGHTS, "phon", ("F", "OW", "N")).lines
    places = [(float(ring.get_xdata()[0]), float(ring.get_ydata()[0])) for ring in rings]
    assert places == [(0.5, 0.5), (3.5, 1.5), (1.5, 2.5)]


def test_it_is_drawn_into_the_axes_that_it_is_given():
    _, ax = plt.subplots()
    assert plot_alignment(WEIGHTS, "phon", ("F", "OW", "N"), ax=ax) is ax


@pytest.mark.parametrize(
    ("weights", "read", "message"),
    [
        (WEIGHTS, "pho", r"weights: expected shape"),
        (WEIGHTS.T, "phon", r"weights: expected shape"),
        (-WEIGHTS, "phon", r"weights: expected 0 to 1, got -0.8 to -0"),
        (np.where(WEIGHTS == 0.8, np.nan, WEIGHTS), "phon", r"weights: expected 0 to 1"),
    ],
)
def test_what_is_not_weights_is_refused(weights, read, message):
    with pytest.raises(ValueError, match=message):
        plot_alignment(weights, read, ("F", "OW", "N"))


@pytest.mark.parametrize("source", ["a", "box"])
def test_the_diagram_has_two_paths_from_each_letter_and_one_from_the_query(source):
    S = len(source)
    plain, back = draw_attention(source), draw_attention(source, backward=True)
    arrows = [p for p in plain.patches if type(p).__name__ == "FancyArrowPatch"]
    # a letter: to the memory, to the score, to its weight, from the query, through the softmax
    # (twice), to the sum; and one arrow to the context
    assert len(arrows) == 7 * S + 1
    dashed = [
        p
        for p in back.patches
        if type(p).__name__ == "FancyArrowPatch" and p.get_linestyle() == BACKWARD["linestyle"]
    ]
    assert len(dashed) == 7 * S + 1
    texts = [text.get_text() for text in back.texts]
    assert [f"$m_{{{s}}}$" in texts and f"$e_{{{s}}}$" in texts for s in range(1, S + 1)]


@pytest.mark.parametrize("backward", [False, True])
def test_no_arrow_runs_over_a_box(backward):
    patches = draw_attention(backward=backward).patches
    boxes = [p for p in patches if isinstance(p, FancyBboxPatch)]
    inners = [box.get_path().get_extents().padded(-0.09) for box in boxes]
    assert len(boxes) == 9
    for arrow in (p for p in patches if isinstance(p, FancyArrowPatch)):
        for line in arrow.get_path().to_polygons(closed_only=False):
            points = np.concatenate([np.linspace(*ends, 50) for ends in pairwise(line)])
            for box, inner in zip(boxes, inners):
                inside = ((inner.min < points) & (points < inner.max)).all(axis=1).any()
                assert not inside or arrow.get_zorder() < box.get_zorder()


def test_a_source_without_letters_is_refused():
    with pytest.raises(ValueError, match="source"):
        draw_attention("")
