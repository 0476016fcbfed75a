"""The diagram of memory has every piece where it is, and an arrow to the next of the same gate."""

import matplotlib.pyplot as plt
import pytest
from matplotlib.colors import to_rgba
from matplotlib.patches import FancyArrowPatch, Rectangle

from rnn_tutorial.plotting import draw_memory


@pytest.fixture(autouse=True)
def _no_figure_is_left_open():
    yield
    plt.close("all")


def pieces(ax):
    """Return [(x, name, filled)] of the pieces of each line, from left to right."""
    named = {
        (round(text.get_position()[0], 6), round(text.get_position()[1], 6)): text.get_text()
        for text in ax.texts
    }
    lines = {}
    for patch in ax.patches:
        if isinstance(patch, Rectangle):
            centre = patch.get_x() + patch.get_width() / 2, patch.get_y() + patch.get_height() / 2
            name = named[tuple(round(value, 6) for value in centre)].strip("$")
            filled = patch.get_facecolor() != to_rgba("none")
            lines.setdefault(patch.get_y(), []).append((patch.get_x(), name, filled))
    return [sorted(line) for _, line in sorted(lines.items(), reverse=True)]


@pytest.mark.parametrize("B", [1, 3])
def test_rows_have_all_gates_in_turn_and_blocks_one_gate_after_another(B):
    rows, blocks = pieces(draw_memory(B, "iog", "o"))
    assert "".join(name for _, name, _ in rows) == "iog" * B
    assert "".join(name for _, name, _ in blocks) == "i" * B + "o" * B + "g" * B
    for line in (rows, blocks):
        assert all(filled == (name == "o") for _, name, filled in line)


def test_an_arrow_leads_from_each_piece_of_the_gate_to_the_next():
    ax = draw_memory(3)
    assert sum(isinstance(patch, FancyArrowPatch) for patch in ax.patches) == 2 * 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((0,), "B"), ((2, "ifog", "z"), "gate: expected one of"), ((2, "ifogz", "i"), "at most four")],
)
def test_bad_input_is_refused_by_name(arguments, message):
    with pytest.raises(ValueError, match=message):
        draw_memory(*arguments)
