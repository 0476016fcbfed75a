"""The picture of gates in memory: each block where the layout puts it, one colour a gate."""

import matplotlib.pyplot as plt
import pytest
from matplotlib.patches import Rectangle

from rnn_tutorial import plotting


@pytest.fixture(autouse=True)
def _no_figure_is_left_open():
    yield
    plt.close("all")


def blocks(ax):
    """Return [(x, y, colour)] of the blocks as drawn."""
    return [
        (*patch.get_xy(), patch.get_facecolor())
        for patch in ax.patches
        if isinstance(patch, Rectangle)
    ]


def words(ax):
    return [text.get_text() for text in ax.texts]


def test_columns_lie_side_by_side_and_rows_one_below_the_other():
    lying, standing = (
        blocks(plotting.draw_layouts({"a": ("ifog", form)})) for form in ("columns", "rows")
    )
    assert len({y for _, y, _ in lying}) == 1 and [x for x, _, _ in lying] == sorted(
        x for x, _, _ in lying
    )
    assert len({x for x, _, _ in standing}) == 1
    assert [y for _, y, _ in standing] == sorted((y for _, y, _ in standing), reverse=True)


def test_matrices_apart_do_not_touch():
    (first, second, *_), (left, right, *_) = (
        [x for x, _, _ in blocks(plotting.draw_layouts({"a": ("rzn", form)}))]
        for form in ("columns", "apart")
    )
    assert right - left > second - first


def test_a_gate_has_one_colour_in_every_layout():
    ax = plotting.draw_layouts(
        {"a": ("ifog", "columns"), "b": ("iofg", "rows"), "c": ("gfoi", "apart")}
    )
    gates, colours = (
        [word for word in words(ax) if word.startswith("$")],
        [colour for *_, colour in blocks(ax)],
    )
    assert "".join(gates).replace("$", "") == "ifog" + "gfoi" + "iofg"  # those that lie first
    assert len(set(zip(gates, colours, strict=True))) == 4 and len(set(colours)) == 4


def test_names_and_sizes_are_written():
    ax = plotting.draw_layouts(
        {"Keras": ("zrn", "columns"), "PyTorch": ("rzn", "rows"), "EpyNN": ("rzn", "apart")}
    )
    assert {"Keras", "PyTorch", "EpyNN", "3H", "D", "H each"} <= set(words(ax))


def test_it_draws_into_given_axes():
    ax = plt.figure().add_subplot()
    assert plotting.draw_layouts({"a": ("ifog", "columns")}, ax=ax) is ax


@pytest.mark.parametrize(
    "layouts, message",
    [
        (
            {"a": ("ifog", "columns"), "b": ("rzn", "rows")},
            "b: expected the gates ifog in some order, got rzn",
        ),
        ({"a": ("ifog", "upright")}, "a: expected one of columns, rows, apart, got upright"),
    ],
)
def test_what_cannot_be_drawn_is_refused(layouts, message):
    with pytest.raises(ValueError, match=message):
        plotting.draw_layouts(layouts)
