"""Pictures are judged by what they say: the numbers and words read back from the Axes."""

import subprocess
import sys
from itertools import combinations

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgb
from matplotlib.patches import FancyArrowPatch, Rectangle
from pictures import drawn

from rnn_tutorial import plotting
from rnn_tutorial.plotting.style import LINES, PAPER
from rnn_tutorial.sequence import kept_paths

DIAGRAMS = {
    "unrolled": plotting.draw_unrolled,
    "unrolled backward": lambda **k: plotting.draw_unrolled(3, losses=True, backward=True, **k),
    "unrolled bare": lambda **k: plotting.draw_unrolled(2, outputs=False, folded=False, **k),
    "unrolled bare backward": lambda **k: plotting.draw_unrolled(
        1, outputs=False, folded=False, backward=True, **k
    ),
    "step": plotting.draw_step,
    "step backward": lambda **k: plotting.draw_step(backward=True, **k),
    "window": plotting.draw_window,
    "window of everything": lambda **k: plotting.draw_window(5, 5, **k),
    "shapes": plotting.draw_shapes,
    "shapes of one": lambda **k: plotting.draw_shapes(1, 1, 1, **k),
    "paths": plotting.draw_paths,
    "one path": lambda **k: plotting.draw_paths(3, source=3, **k),
    "six paths": lambda **k: plotting.draw_paths(6, **k),
    "kept paths": lambda **k: plotting.draw_kept_paths(
        6, {"pieces of 2": (2, 2), "a window of 3": (1, 3), "BPTT(5; 2)": (2, 5)}, **k
    ),
    "kept paths of one step": lambda **k: plotting.draw_kept_paths(1, {"one": (1, 1)}, **k),
    "carousel": plotting.draw_carousel,
    "lstm": plotting.draw_lstm,
    "lstm backward": lambda **k: plotting.draw_lstm(backward=True, **k),
    "lstm lit": lambda **k: plotting.draw_lstm(lit="ig", **k),
    "lstm unit": lambda **k: plotting.draw_lstm_unit({"c": (0.4, -0.8), "a_f": (2, 0)}, **k),
    "gru": plotting.draw_gru,
    "gru backward": lambda **k: plotting.draw_gru(backward=True, **k),
    "gru forms": plotting.draw_gru_forms,
    "memory": lambda **k: plotting.draw_memory(3, **k),
    "both directions": plotting.draw_both_directions,
    "both directions of one": lambda **k: plotting.draw_both_directions(1, backward=True, **k),
}
CURVES = {
    "learning": lambda **k: plotting.plot_learning_curve(
        {"a": [3.0, 2.0, 1.0]}, smoothing=2, baselines={"b": 2}, **k
    ),
    "u": lambda **k: plotting.plot_u_curve([1e-3, 1e-2], {"central": [1e-6, 1e-4]}, **k),
    "norms": lambda **k: plotting.plot_jacobian_norms({"a": [1.0, 0.5]}, {"a": [1.0, 0.9]}, **k),
    "states": lambda **k: plotting.plot_states(np.eye(3), symbols="a \n", **k),
    "signals": lambda **k: plotting.plot_signals({"a": [0.0, 1.0], "b": [-1.0, 0.0]}, **k),
    "padding": lambda **k: plotting.plot_padding(
        np.array([[True, True], [False, True]]), symbols=("a", "b "), **k
    ),
    "truncation": lambda **k: plotting.plot_truncation_bias([1, 2], {"dW_h": [0.5, 0.0]}, **k),
    "gates": lambda **k: plotting.plot_gates(
        {"i": np.eye(3), "f": np.ones((3, 3))}, symbols="a \n", **k
    ),
    "traces": lambda **k: plotting.plot_traces(
        {"a": [1.0, 2.0, 3.0], "b": np.eye(3)}, symbols="a \n", **k
    ),
    "gradient flow": lambda **k: plotting.plot_gradient_flow(
        {"a": [0.5, 1.0], "b": [0.0, 1.0]}, **k
    ),
    "gradient parts": lambda **k: plotting.plot_gradient_parts(
        {"a": [0.5, 1.0], "b": [0.0, 1.0]}, {"a": [0.5, 0.5], "b": [0.0, 0.5]}, "part", **k
    ),
    "trials": lambda **k: plotting.plot_trials(
        {"a": [100, None], "b": [200, 300]}, limit=1000, **k
    ),
    "roofline": lambda **k: plotting.plot_roofline(200, 20, {"a": (1.0, 10.0)}, **k),
    "gains": lambda **k: plotting.plot_gains({"a": {"1": (2.0, 1.5)}}, **k),
    "ratios": lambda **k: plotting.plot_ratios({"a": {"float32": 0.5, "float64": 2.0}}, **k),
}
PICTURES = DIAGRAMS | CURVES


@pytest.fixture(autouse=True)
def _no_figure_is_left_open():
    yield
    plt.close("all")


def words(ax):
    return [text.get_text() for text in ax.texts if text.get_text()]


def lines(ax):
    """Return {label: (xs, ys)} of all lines with a public label."""
    return {
        line.get_label(): line.get_data()
        for line in ax.lines
        if not line.get_label().startswith("_")
    }


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


@pytest.mark.parametrize("draw", PICTURES.values(), ids=PICTURES)
def test_a_picture_is_drawn_into_the_axes_it_is_given_and_changes_no_setting(draw):
    before = dict(mpl.rcParams)
    ax = plt.figure().add_subplot()
    assert draw(ax=ax) is ax
    assert drawn(draw) is not ax
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize("draw", PICTURES.values(), ids=PICTURES)
def test_a_picture_has_a_light_ground_and_legible_words(draw):
    ax = drawn(draw)
    assert to_hex(ax.figure.get_facecolor()) == PAPER and ax.figure.get_facecolor()[3] == 1
    assert ax.figure.dpi == 110
    assert all(text.get_fontsize() >= 10 for text in ax.findobj(plt.Text) if text.get_text())


@pytest.mark.parametrize("draw", DIAGRAMS.values(), ids=DIAGRAMS)
def test_no_words_of_a_diagram_overlap_or_leave_the_picture(draw):
    ax = drawn(draw)
    ax.apply_aspect()  # all of a diagram is then where it will be drawn
    boxes = {text: text.get_window_extent() for text in ax.texts if text.get_text()}
    for box in boxes.values():
        assert (
            box.x0 >= 0
            and box.y0 >= 0
            and box.x1 <= ax.figure.bbox.width
            and box.y1 <= ax.figure.bbox.height
        )
    for (one, a), (other, b) in combinations(boxes.items(), 2):
        assert not a.overlaps(b), f"{one.get_text()} overlaps {other.get_text()}"


@pytest.mark.parametrize("draw", [PICTURES["paths"], PICTURES["norms"], PICTURES["states"]])
def test_a_picture_is_the_same_every_time(draw):
    def pixels():
        figure = draw().figure
        figure.canvas.draw()
        return np.asarray(figure.canvas.buffer_rgba()).copy()

    assert np.array_equal(pixels(), pixels())


def test_lines_differ_in_colour_in_dashes_and_in_marker():
    for key in ("color", "linestyle", "marker"):
        values = [str(line[key]) for line in LINES]
        assert len(set(values)) == len(values)
    for line in LINES:
        assert contrast(line["color"], PAPER) > 2.0


def contrast(one, other):
    """Return the contrast ratio of the Web Content Accessibility Guidelines."""

    def luminance(colour):
        channels = [
            c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)
        ]
        return 0.2126 * channels[0] + 0.7152 * channels[1] + 0.0722 * channels[2] + 0.05

    return max(luminance(one), luminance(other)) / min(luminance(one), luminance(other))


def test_the_style_can_be_used_for_a_block():
    with mpl.rc_context():
        with plotting.house_style():
            assert mpl.rcParams["figure.dpi"] == 110 and mpl.rcParams["axes.facecolor"] == PAPER
        assert mpl.rcParams["axes.facecolor"] != PAPER


def test_importing_the_package_does_not_import_matplotlib():
    modules = "rnn_tutorial, rnn_tutorial.data, rnn_tutorial.sequence.unroll"
    more = "rnn_tutorial.layers.core, rnn_tutorial.train.training"
    code = f"import sys, {modules}, {more}; print('matplotlib' in sys.modules)"
    assert (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout
        == "False\n"
    )


def test_the_learning_curve_shows_the_losses_and_their_trailing_mean():
    losses = np.array([4.0, 2.0, 6.0, 0.0])
    ax = plotting.plot_learning_curve(
        {"training": losses, "validation": [5.0, 1.0]},
        steps={"validation": [2, 4]},
        smoothing=2,
        baselines={"3-gram": 2.51, "blind": 6},
        unit="bits",
    )
    raw = next(line for line in ax.lines if line.get_label() == "_raw")
    assert raw.get_ydata().tolist() == losses.tolist()
    xs, ys = lines(ax)["training"]
    assert xs.tolist() == [1, 2, 3, 4] and ys.tolist() == [4, 3, 4, 3]
    xs, ys = lines(ax)["validation"]
    assert xs.tolist() == [2, 4] and ys.tolist() == [5, 1]
    assert set(lines(ax)["3-gram: 2.51"][1]) == {2.51} and set(lines(ax)["blind: 6"][1]) == {6}
    assert legend(ax) == ["training", "validation", "3-gram: 2.51", "blind: 6"]
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_yscale()) == (
        "update",
        "loss (bits)",
        "linear",
    )


def test_without_smoothing_the_curve_is_the_losses():
    ax = plotting.plot_learning_curve({"a": [3.0, 1.0]}, quantity="error", logarithmic=True)
    assert len(ax.lines) == 1 and lines(ax)["a"][1].tolist() == [3, 1]
    assert (ax.get_ylabel(), ax.get_yscale()) == ("error", "log")


def test_a_constant_loss_stays_constant_however_it_is_smoothed():
    ys = lines(plotting.plot_learning_curve({"a": np.full(50, 0.5)}, smoothing=7))["a"][1]
    np.testing.assert_allclose(ys, 0.5, rtol=1e-14)


def test_the_legend_stands_beside_the_data():
    ax = plotting.plot_learning_curve({"training": np.arange(9.0)})
    ax.figure.canvas.draw()
    assert ax.get_legend().get_window_extent().x0 >= ax.get_window_extent().x1


def test_the_u_curve_shows_each_method_on_logarithmic_axes():
    ax = plotting.plot_u_curve([1e-8, 1e-4], {"central": [1e-3, 1e-9], "complex step": [0.0, 1e-9]})
    assert lines(ax)["central"][0].tolist() == [1e-8, 1e-4] and lines(ax)["central"][
        1
    ].tolist() == [1e-3, 1e-9]
    assert lines(ax)["complex step"][1].tolist() == [1e-17, 1e-9]
    assert ax.get_xscale() == ax.get_yscale() == "log" and legend(ax) == ["central", "complex step"]


def test_norms_stand_over_the_distance_with_their_bounds_in_the_same_colour():
    ax = plotting.plot_jacobian_norms(
        {"0.9": [1.0, 0.8, 0.0], "1.1": [1.0, 1.1, 1.2]}, {"1.1": [1.0, 1.3, 1.5]}
    )
    xs, ys = lines(ax)["0.9"]
    assert xs.tolist() == [0, 1, 2] and ys[:2].tolist() == [1, 0.8] and np.isnan(ys[2])
    drawn = {line.get_label(): line for line in ax.lines}
    assert drawn["_bound of 1.1"].get_ydata().tolist() == [1, 1.3, 1.5]
    assert (
        drawn["_bound of 1.1"].get_color() == drawn["1.1"].get_color() != drawn["0.9"].get_color()
    )
    assert (
        "_bound of 0.9" not in drawn
        and legend(ax) == ["0.9", "1.1", "bound"]
        and ax.get_yscale() == "log"
    )
    assert legend(plotting.plot_jacobian_norms({"a": [1.0]})) == ["a"]


def test_the_heat_map_has_a_column_for_each_step_and_a_row_for_each_unit():
    hs = np.random.default_rng(0).uniform(-1, 1, size=(4, 3))
    ax = plotting.plot_states(hs, symbols="a \nb")
    mesh = ax.collections[0]
    assert np.array_equal(mesh.get_array().reshape(3, 4), hs.T) and mesh.get_clim() == (-1, 1)
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["a", "␣", "↵", "b"]
    assert ax.get_xticks().tolist() == [1, 2, 3, 4] and ax.yaxis_inverted()
    assert plotting.plot_states(3 * hs / np.abs(hs).max()).collections[0].get_clim() == (-3, 3)


def test_signals_stand_in_lanes_that_do_not_meet():
    signals = {"below": [-1.0, 0.0, -1.0], "above": [1.0, 2.0, 0.0], "again": [0.0, -1.0, 2.0]}
    ax = plotting.plot_signals(signals)
    zeros = ax.get_yticks()
    assert [tick.get_text() for tick in ax.get_yticklabels()] == list(signals)
    for zero, (label, values) in zip(zeros, signals.items(), strict=True):
        xs, ys = (
            np.asarray(axis)
            for axis in next(line for line in ax.lines if line.get_label() == label).get_data()
        )
        np.testing.assert_allclose(ys - zero, values, atol=1e-12)
        assert xs.tolist() == [1, 2, 3]
    stems = [
        segment[:, 1] for collection in ax.collections for segment in collection.get_segments()
    ]
    tops = [
        zero + value
        for zero, values in zip(zeros, signals.values(), strict=True)
        for value in values
    ]
    np.testing.assert_allclose([stem[1] for stem in stems], tops, atol=1e-12)
    np.testing.assert_allclose([stem[0] for stem in stems], np.repeat(zeros, 3), atol=1e-12)
    assert zeros[0] - 1 > zeros[1] + 2 and zeros[1] - 1 > zeros[2] + 2


def test_the_truncation_error_stands_over_the_window():
    ax = plotting.plot_truncation_bias([1, 2, 4], {"dW_h": [0.5, 0.25, 0.0]})
    xs, ys = lines(ax)["dW_h"]
    assert (
        list(xs) == [1, 2, 4]
        and ys[:2].tolist() == [0.5, 0.25]
        and np.isnan(ys[2])
        and ax.get_yscale() == "log"
    )


@pytest.mark.parametrize("T", [1, 4])
def test_the_unrolled_picture_has_every_step_and_one_set_of_weights(T):
    said = words(plotting.draw_unrolled(T, losses=True))
    for name in "xhyL":
        assert [word for word in said if word.startswith(f"${name}_{{") and "t" not in word] == [
            f"${name}_{{{t}}}$" for t in range(1, T + 1)
        ]
        assert f"${name}_{{t}}$" in said
    assert said.count("$W_x$") == said.count("$W_h$") == T + 1  # and the folded one
    assert "the same $W_x$, $W_h$, $b$ at every step" in said and "$h_0$" in said


def arrows(ax, colour):
    return [
        p
        for p in ax.patches
        if isinstance(p, FancyArrowPatch) and to_hex(p.get_edgecolor()) == colour
    ]


def test_the_way_back_runs_against_every_arrow():
    for ax in (
        plotting.draw_unrolled(3, losses=True, backward=True, folded=False),
        plotting.draw_step(backward=True),
    ):
        forward, backward = arrows(ax, plotting.BLACK), arrows(ax, plotting.VERMILLION)
        assert len(forward) == len(backward) > 0
        for one, other in zip(forward, backward, strict=True):
            (start, end), (back_start, back_end) = (
                np.array(one._posA_posB),
                np.array(other._posA_posB),
            )
            np.testing.assert_allclose(back_end - back_start, start - end, atol=1e-12)
            assert one.get_linestyle() != other.get_linestyle()
    assert not arrows(plotting.draw_step(), plotting.VERMILLION)


def test_the_step_says_every_shape_and_every_gradient():
    said = words(plotting.draw_step())
    assert {
        "$x_t$\n(B, D)",
        "$W_x$\n(D, H)",
        "$h_{t-1}$\n(B, H)",
        "$W_h$\n(H, H)",
        "$b$\n(H,)",
        "$h_t$\n(B, H)",
        "$x_t W_x$\n(B, H)",
        "$h_{t-1} W_h$\n(B, H)",
    } <= set(said)
    gradients = set(words(plotting.draw_step(backward=True))) - set(said)
    assert len(gradients) == 7
    assert {r"$dW_h = h_{t-1}^\top\,da_t$", r"$db = \sum_n da_{t,n}$"} <= gradients


def test_the_window_reaches_as_far_as_it_is_long():
    ax = plotting.draw_window(6, 2)
    assert "A window: the last 2 inputs, and nothing before them" in words(
        ax
    ) and "out of reach" in words(ax)
    assert (
        len(arrows(ax, plotting.BLACK)) == 2 + 1 + 6 + 5 + 1
    )  # window, its answer; inputs, states, their answer
    assert "out of reach" not in words(plotting.draw_window(3, 3))


def test_a_matrix_has_as_many_cells_as_entries():
    B, D, H = 2, 3, 5
    ax = plotting.draw_shapes(B, D, H)
    cells = [
        p
        for p in ax.patches
        if isinstance(p, Rectangle) and to_hex(p.get_edgecolor()) == plotting.GREY
    ]
    assert len(cells) == B * D + D * H + B * H + H * H + H + B * H
    assert {
        "(B, D)\n(2, 3)",
        "(D, H)\n(3, 5)",
        "(B, H)\n(2, 5)",
        "(H, H)\n(5, 5)",
        "(H,)\n(5,)",
    } <= set(words(ax))


def test_there_is_a_path_to_every_loss_from_the_source_on():
    ax = plotting.draw_paths(4, source=2)
    assert list(lines(ax)) == ["$L_{2}$", "$L_{3}$", "$L_{4}$"]
    for xs, _ in lines(ax).values():
        assert xs[0] == lines(ax)["$L_{2}$"][0][0]
    products = [word for word in words(ax) if "out" in word]
    assert products == [
        r"$dh_{2}^{\mathrm{out}}$",
        r"$dh_{3}^{\mathrm{out}}\,J_{3}$",
        r"$dh_{4}^{\mathrm{out}}\,J_{4}\,J_{3}$",
    ]
    assert any("$dh_{2}$ is the sum" in word for word in words(ax))


def test_a_cell_of_the_grid_is_shaded_where_its_path_is_kept():
    ax = plotting.draw_kept_paths(5, {"a": (2, 2), "b": (2, 4)})
    cells = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    shaded = [to_hex(cell.get_facecolor()) == plotting.BLUE for cell in cells]
    pairs = [(s, k) for k in range(1, 6) for s in range(1, k + 1)]  # the order of drawing
    for window, half in ((2, shaded[:15]), (4, shaded[15:])):
        kept = kept_paths(5, stride=2, window=window)
        assert half == [kept[s - 1, k - 1] for s, k in pairs]
    (x_1, y_1), (x_2, y_2) = cells[0].get_xy(), cells[2].get_xy()  # (1, 1) and (2, 2)
    assert x_1 < x_2 and y_1 > y_2  # steps go to the right and down


def test_a_long_path_has_dots_in_the_middle_of_its_product():
    last = [word for word in words(plotting.draw_paths(6)) if "out" in word][-1]
    assert last == r"$dh_{6}^{\mathrm{out}}\,J_{6}\,\cdots\,J_{2}$"


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (
            lambda: plotting.plot_u_curve([1.0], [1.0]),
            r"expected a dict \{label: values\}, got list",
        ),
        (
            lambda: plotting.plot_u_curve([1.0, 2.0], {"a": [1.0]}),
            "errors, a: expected 2 values, got 1",
        ),
        (
            lambda: plotting.plot_learning_curve({"a": [[1.0]]}),
            r"a: expected values of shape \(N,\), got \(1, 1\)",
        ),
        (
            lambda: plotting.plot_learning_curve({"a": [1.0]}, steps={"a": [1, 2]}),
            "steps, a: expected 1 values, got 2",
        ),
        (lambda: plotting.plot_learning_curve({k: [1.0] for k in "abcdefg"}), "at most 6 curves"),
        (
            lambda: plotting.plot_states(np.ones((3, 2, 1))),
            r"hs: expected .* shape \(T, H\), got \(3, 2, 1\)",
        ),
        (
            lambda: plotting.plot_states(np.ones((3, 2)), symbols="ab"),
            "symbols: expected T = 3 symbols, got 2",
        ),
        (lambda: plotting.draw_window(3, 4), "window: expected at most T = 3 steps, got 4"),
        (lambda: plotting.draw_paths(3, source=4), "source: expected 1 to 6 paths"),
        (lambda: plotting.draw_paths(9), "source: expected 1 to 6 paths"),
        (lambda: plotting.draw_unrolled(0), "T: expected a positive whole number, got 0"),
    ],
)
def test_what_cannot_be_drawn_is_refused(draw, message):
    with pytest.raises((ValueError, TypeError), match=message):
        draw()
