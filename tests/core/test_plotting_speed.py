"""The pictures of speed show the numbers they are handed, and the two roofs of a machine."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex

from rnn_tutorial import plotting
from rnn_tutorial.plotting.speed import _ratio_ticks
from rnn_tutorial.plotting.style import LINES, PAPER

POINTS = {
    "step, B = 1": (0.5, 6.0),
    "step, B = 128": (30.0, 150.0),
    "weight gradients": (60.0, 190.0),
}
RATIOS = {
    "LSTM 1, 50": {"float32": 0.6, "float64": 3.5},
    "LSTM 32, 50": {"float32": 0.8},
    "GRU 1, 50": {"float64": 12.0},
}


@pytest.fixture(autouse=True)
def _no_figure_is_left_open():
    yield
    plt.close("all")


def line(ax, label):
    return next(line for line in ax.lines if line.get_label() == label)


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_the_roof_rises_with_the_memory_and_ends_at_the_peak():
    ax = plotting.plot_roofline(200, 20, POINTS)
    xs, ys = line(ax, "_roof").get_data()
    np.testing.assert_allclose(ys, np.minimum(200, 20 * np.asarray(xs)))
    assert list(line(ax, "_ridge").get_xdata()) == [10, 10] and xs[1] == 10
    assert ax.get_xscale() == ax.get_yscale() == "log"
    assert [text.get_text() for text in ax.texts] == ["arithmetic: 200 GFLOP/s", "memory: 20 GB/s"]
    assert "FLOP per byte" in ax.get_xlabel() and "GFLOP/s" in ax.get_ylabel()


def test_every_point_stands_where_it_was_measured_and_inside_the_picture():
    points = POINTS | {"far left": (0.001, 0.01), "above the roof": (9000.0, 400.0)}
    ax = plotting.plot_roofline(200, 20, points)
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    for label, (x, y) in points.items():
        assert (list(line(ax, label).get_xdata()), list(line(ax, label).get_ydata())) == ([x], [y])
        assert left < x < right and low < y < high
    assert legend(ax) == list(points)


def test_more_than_six_points_are_told_apart_by_open_marks():
    ax = plotting.plot_roofline(200, 20, {str(n): (n, n) for n in range(1, 13)})
    looks = {
        (line(ax, label).get_marker(), line(ax, label).get_markerfacecolor())
        for label in legend(ax)
    }
    assert len(looks) == 12
    assert [to_hex(line(ax, label).get_markerfacecolor()) == PAPER for label in legend(ax)] == [
        False
    ] * 6 + [True] * 6
    assert len({line(ax, label).get_color() for label in legend(ax)}) == len(LINES)


@pytest.mark.parametrize(("peak", "bandwidth"), [(200, 20), (3, 40), (5000, 2)])
def test_the_words_of_a_roof_are_along_it_and_those_of_the_memory_below(peak, bandwidth):
    ax = plotting.plot_roofline(peak, bandwidth, POINTS)
    ax.figure.canvas.draw()
    flat, slanted = ax.texts
    (x0, y0), (x1, y1), (_, top) = ax.transData.transform(
        np.transpose(line(ax, "_roof").get_data())
    )
    slope = np.degrees(np.arctan2(y1 - y0, x1 - x0))
    assert abs(slanted.get_rotation() - slope) < 0.1 and flat.get_rotation() == 0
    assert flat.get_window_extent().y0 > top
    box, frame = slanted.get_window_extent(), ax.get_window_extent()
    centre = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
    assert centre[1] < y0 + (centre[0] - x0) * (y1 - y0) / (x1 - x0)
    assert not slanted.get_window_extent().overlaps(flat.get_window_extent())
    assert frame.x0 <= box.x0 and box.y1 <= frame.y1


def test_a_machine_without_programs_has_a_roof_too():
    ax = plotting.plot_roofline(200, 20, {})
    assert ax.get_legend() is None and len(ax.lines) == 2


GAINS = {"B = 1": {"1": (1.9, 1.7), "2": (0.9, 1.0)}, "B = 64": {"1": (1.1, 1.0)}}


def test_a_gain_is_at_its_prediction_and_its_measurement_and_named_if_it_is_large():
    ax = plotting.plot_gains(GAINS)
    assert legend(ax) == ["B = 1", "B = 64"]
    assert [list(data) for data in line(ax, "B = 1").get_data()] == [[1.9, 0.9], [1.7, 1.0]]
    assert [list(data) for data in line(ax, "B = 64").get_data()] == [[1.1], [1.0]]
    assert [(text.get_text(), text.xy) for text in ax.texts] == [("1", (1.9, 1.7))]
    assert ax.get_xscale() == ax.get_yscale() == "log"
    ax.figure.canvas.draw()
    (low, high), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    assert low < 0.9 and high > 1.9 and bottom < 1 and top > 1.7


def test_there_may_be_more_gains_than_series():
    ax = plotting.plot_gains({"a": {str(k): (1.0 + k, 1.5 + k) for k in range(9)}})
    assert len(line(ax, "a").get_xdata()) == len(ax.texts) == 9


@pytest.mark.parametrize(
    ("gains", "error", "message"),
    [
        ({"a": (1, 2)}, TypeError, "dict of dicts"),
        ({"a": {}}, ValueError, "at least one, got none"),
        ({"a": {"1": 2.0}}, ValueError, "gains, a, 1: expected"),
        ({"a": {"1": (1.0, 0.0)}}, ValueError, "gains, a, 1: measured"),
        ({str(k): {"1": (1.0, 1.0)} for k in range(7)}, ValueError, "at most 6"),
    ],
)
def test_bad_gains_are_refused_by_name(gains, error, message):
    with pytest.raises(error, match=message):
        plotting.plot_gains(gains)


def test_a_row_has_a_mark_for_each_dtype():
    ax = plotting.plot_ratios(RATIOS, quantity="PyTorch's time / ours")
    assert [list(map(list, line(ax, name).get_data())) for name in legend(ax)] == [
        [[0.6, 0.8], [0, 1]],
        [[3.5, 12.0], [0, 2]],
    ]
    assert legend(ax) == ["float32", "float64"]
    assert [tick.get_text() for tick in ax.get_yticklabels()] == list(
        RATIOS
    ) and ax.yaxis_inverted()
    assert line(ax, "_one").get_xdata() == [1, 1] and ax.get_xscale() == "log"
    assert ax.get_xlabel() == "PyTorch's time / ours"
    left, right = ax.get_xlim()
    assert left < 0.6 and right > 12 and 1 in ax.get_xticks()


@pytest.mark.parametrize(
    "ratios", [{"a": {"x": 0.9}}, {"a": {"x": 1.0}}, {"a": {"x": 3000.0}}, {"a": {"x": 0.001}}]
)
def test_one_is_always_in_the_picture_and_marked(ratios):
    ax = plotting.plot_ratios(ratios)
    left, right = ax.get_xlim()
    assert left < 1 < right and 1 in ax.get_xticks()


def test_the_marked_ratios_are_few_and_round():
    for right in (1.3, 3, 20, 500, 1e5):
        ticks = _ratio_ticks(0.7, right)
        assert 2 <= len(ticks) <= 10 or right == 1.3
        assert all(float(f"{tick:.1e}") == tick for tick in ticks)


@pytest.mark.parametrize(
    ("draw", "error", "message"),
    [
        (lambda: plotting.plot_roofline(0, 20, {}), ValueError, "peak"),
        (lambda: plotting.plot_roofline(200, -1, {}), ValueError, "bandwidth"),
        (
            lambda: plotting.plot_roofline(200, 20, [(1, 2)]),
            TypeError,
            r"points: expected a dict \{label: \(intensity, rate\)\}",
        ),
        (
            lambda: plotting.plot_roofline(200, 20, {"a": 3.0}),
            ValueError,
            r"points, a: expected \(intensity, rate\), got 3.0",
        ),
        (lambda: plotting.plot_roofline(200, 20, {"a": (1.0, 0.0)}), ValueError, "points, a: rate"),
        (
            lambda: plotting.plot_roofline(200, 20, {str(n): (1, 1) for n in range(13)}),
            ValueError,
            "at most 12, .* got 13",
        ),
        (
            lambda: plotting.plot_ratios({"a": 2.0}),
            TypeError,
            r"ratios: expected a dict \{row: \{series: ratio\}\}",
        ),
        (lambda: plotting.plot_ratios({}), ValueError, "at least one ratio, got none"),
        (lambda: plotting.plot_ratios({"a": {}}), ValueError, "at least one ratio, got none"),
        (lambda: plotting.plot_ratios({"a": {"float32": 0.0}}), ValueError, "ratios, a, float32"),
        (
            lambda: plotting.plot_ratios({"a": {str(n): 1.0 for n in range(7)}}),
            ValueError,
            "at most 6",
        ),
    ],
)
def test_what_cannot_be_drawn_is_refused(draw, error, message):
    with pytest.raises(error, match=message):
        draw()
