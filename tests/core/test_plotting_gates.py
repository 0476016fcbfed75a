"""The plots of gates, cells, gradients and trials show the numbers they are handed."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from rnn_tutorial import plotting


@pytest.fixture(autouse=True)
def _no_figure_is_left_open():
    yield
    plt.close("all")


def lines(ax, label):
    return [np.transpose(line.get_data()) for line in ax.lines if line.get_label() == label]


def ticks(axis):
    return [tick.get_text() for tick in axis.get_ticklabels()]


def random_gates(T=5, H=3):
    rng = np.random.default_rng(0)
    return {name: rng.uniform(size=(T, H)) for name in "ifo"}


def test_gates_stand_one_below_the_other_on_one_scale():
    gates = random_gates()
    ax = plotting.plot_gates(gates, symbols="BTP E")
    assert len(ax.collections) == 3
    tops = []
    for mesh, values in zip(ax.collections, gates.values(), strict=True):
        assert np.array_equal(mesh.get_array().reshape(3, 5), values.T)
        assert (
            mesh.get_clim() == (0, 1) and mesh.get_cmap().name == ax.collections[0].get_cmap().name
        )
        edges = mesh.get_coordinates()
        assert edges[0, :, 0].tolist() == [0.5, 1.5, 2.5, 3.5, 4.5, 5.5]
        tops.append((edges[0, 0, 1], edges[-1, 0, 1]))
    for frame, (top, bottom) in zip(ax.patches, tops, strict=True):
        assert frame.get_bbox().extents.tolist() == [0.5, top, 5.5, bottom]
    assert all(below[0] > above[1] for above, below in zip(tops, tops[1:])) and ax.yaxis_inverted()
    assert ticks(ax.xaxis) == ["B", "T", "P", "␣", "E"] and ax.get_xticks().tolist() == [
        1,
        2,
        3,
        4,
        5,
    ]
    assert len(ax.figure.axes) == 2, "one colour scale for all"


def test_a_row_is_named_by_its_gate_and_its_unit():
    gates = random_gates()
    ax = plotting.plot_gates(gates, units=[2, 0, 1])
    for mesh, values in zip(ax.collections, gates.values(), strict=True):
        assert np.array_equal(mesh.get_array().reshape(3, 5), values[:, [2, 0, 1]].T)
    assert ticks(ax.yaxis) == ["2", "0", "1"] * 3
    assert [tick.get_text() for tick in ax.get_yticklabels(minor=True)] == ["i", "f", "o"]
    for mesh, rows, name in zip(
        ax.collections, ax.get_yticks().reshape(3, 3), ax.get_yticks(minor=True), strict=True
    ):
        heights = mesh.get_coordinates()[:, 0, 1]
        np.testing.assert_allclose(rows, (heights[:-1] + heights[1:]) / 2)
        assert name == pytest.approx(heights.mean())
    assert plotting.plot_gates(gates).get_xlabel() == "step $t$"


def test_of_many_units_only_some_are_numbered_and_each_by_its_own_number():
    ax = plotting.plot_gates({"f": np.full((2, 100), 0.5)})
    heights = ax.collections[0].get_coordinates()[:, 0, 1]
    assert len(ax.get_yticks()) <= 24
    for at, number in zip(ax.get_yticks(), ticks(ax.yaxis), strict=True):
        assert at == pytest.approx(heights[int(number)] + 0.5)


def test_traces_are_one_curve_or_one_for_each_unit():
    c = np.random.default_rng(1).normal(size=(4, 3))
    ax = plotting.plot_traces(
        {"1997": c, "mean": c.mean(axis=1)}, quantity="cell state", symbols="abcd"
    )
    drawn = [*lines(ax, "1997"), *lines(ax, "_1997")]
    assert len(drawn) == 3
    for unit, points in enumerate(drawn):
        np.testing.assert_array_equal(points, np.stack([[1, 2, 3, 4], c[:, unit]], axis=1))
    np.testing.assert_array_equal(lines(ax, "mean")[0][:, 1], c.mean(axis=1))
    assert len({line.get_color() for line in ax.lines if line.get_label().endswith("1997")}) == 1
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["1997", "mean"]
    assert ax.get_ylabel() == "cell state" and ticks(ax.xaxis) == list("abcd")


def test_the_gradient_stands_over_the_distance_to_the_loss():
    ax = plotting.plot_gradient_flow(
        {"tanh": [0.0, 0.5, 1.0], "LSTM": [0.9, 1.0]}, quantity="norm of $dc_t$"
    )
    assert lines(ax, "tanh")[0][:2].tolist() == [[0, 1], [1, 0.5]] and np.isnan(
        lines(ax, "tanh")[0][2, 1]
    )
    assert lines(ax, "LSTM")[0].tolist() == [[0, 1], [1, 0.9]]
    assert (
        ax.get_yscale() == "log"
        and ax.get_ylabel() == "norm of $dc_t$"
        and "T - t" in ax.get_xlabel()
    )
    assert "dh_t" in plotting.plot_gradient_flow({"tanh": [1.0]}).get_ylabel()


def test_a_part_of_a_gradient_is_dashed_in_the_colour_of_the_whole():
    whole, part = {"a": [1.0, 2.0], "b": [3.0, 4.0]}, {"a": [0.0, 2.0], "b": [0.5, 4.0]}
    ax = plotting.plot_gradient_parts(whole, part, "direct path")
    drawn = {line.get_label(): line for line in ax.lines}
    for label in whole:
        solid, dashed = drawn[label], drawn[f"_direct path of {label}"]
        assert solid.get_color() == dashed.get_color() and solid.get_linestyle() == "-"
        assert dashed.get_linestyle() != "-"
    assert drawn["a"].get_color() != drawn["b"].get_color()
    assert lines(ax, "_direct path of b")[0].tolist() == [[0, 4], [1, 0.5]]
    assert np.isnan(lines(ax, "_direct path of a")[0][1, 1])
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == ["a", "b", "direct path"] and ax.get_yscale() == "log"


TRIALS = {"tanh": [None, None, float("nan")], "1997": [800, None, 300], "LSTM": [50, 60, 400]}


def test_a_trial_is_a_dot_where_it_was_solved_or_an_open_mark_beyond_the_limit():
    ax = plotting.plot_trials(TRIALS, limit=1000, quantity="strings")
    solved, unsolved = lines(ax, "_solved"), lines(ax, "_not solved")
    assert [points[:, 0].tolist() for points in solved] == [[], [800, 300], [50, 60, 400]]
    assert [len(points) for points in unsolved] == [3, 1, 0]
    right = ax.get_xlim()[1]
    assert all(1000 < x < right for points in unsolved for x in points[:, 0])
    for row, both in enumerate(zip(solved, unsolved, strict=True)):
        heights = np.concatenate(both)[:, 1]
        assert len(set(heights)) == 3 and (abs(heights - row) < 0.5).all(), (
            "in its row, and none behind another"
        )
    marks = [line for line in ax.lines if line.get_label() == "_not solved"]
    assert [line.get_in_layout() for line in marks] == [True, True, False], (
        "a row without marks takes no room"
    )
    assert ticks(ax.yaxis) == ["tanh\n0 of 3 solved", "1997\n2 of 3 solved", "LSTM\n3 of 3 solved"]
    assert ax.yaxis_inverted() and ax.get_xscale() == "log" and ax.get_xlabel() == "strings"


def test_a_filled_dot_is_solved_and_an_open_one_is_not_in_every_row():
    rows = {str(row): [100, None] for row in range(8)}
    ax = plotting.plot_trials(rows, limit=1000)
    for label, is_open in (("_solved", False), ("_not solved", True)):
        dots = [line for line in ax.lines if line.get_label() == label]
        assert len(dots) == 8 and {line.get_marker() for line in dots} == {"o"}
        assert all((line.get_markerfacecolor() == "none") == is_open for line in dots)
        assert len({line.get_color() for line in dots}) == 1, "a colour says nothing either"


def test_a_median_has_a_bar_if_more_than_half_are_solved():
    trials = {"two of three": [5, 7, None], "half": [5, None], "one of three": [5, None, None]}
    ax = plotting.plot_trials(trials, limit=9)
    assert [points[:, 0].tolist() for points in lines(ax, "_median")] == [[7, 7]]
    assert any("if more than half are solved" in text.get_text() for text in ax.texts)


def test_the_median_counts_the_trials_that_were_not_solved():
    medians = lines(plotting.plot_trials(TRIALS, limit=1000), "_median")
    assert [points[:, 0].tolist() for points in medians] == [[800, 800], [60, 60]]


def test_ticks_are_round_numbers_up_to_the_limit():
    assert ticks(plotting.plot_trials({"a": [300]}, limit=50_000).xaxis) == [
        *("500", "1,000", "2,000", "5,000", "10,000", "20,000", "50,000")
    ]
    assert ticks(plotting.plot_trials({"a": [12]}, limit=50_000).xaxis) == [
        "10",
        "100",
        "1,000",
        "10,000",
    ]


def test_trials_none_of_which_was_solved_can_be_drawn():
    ax = plotting.plot_trials({"tanh": [None]}, limit=1000)
    assert len(lines(ax, "_not solved")[0]) == 1 and not lines(ax, "_median")


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (
            lambda: plotting.plot_gates(np.ones((2, 3))),
            r"expected a dict \{label: values\}, got ndarray",
        ),
        (lambda: plotting.plot_gates({}), "gates: expected at least one entry, got none"),
        (
            lambda: plotting.plot_gates({"i": np.ones((2, 3, 4))}),
            r"i: expected .* \(T, H\), got \(2, 3, 4\); take i\[:, b\]",
        ),
        (
            lambda: plotting.plot_gates({"i": np.ones((2, 3)), "f": np.ones((2, 4))}),
            r"f: expected shape \(2, 3\).* got \(2, 4\)",
        ),
        (
            lambda: plotting.plot_gates({"g": [[-0.5, 1.0]]}),
            "g: expected a gate, all values from 0 to 1, got -0.5 to 1",
        ),
        (
            lambda: plotting.plot_gates({"g": [[0.5, 1.5]]}),
            "g: expected a gate, all values from 0 to 1, got 0.5 to 1.5",
        ),
        (
            lambda: plotting.plot_gates({"g": [[np.nan]]}),
            "g: expected a gate, all values from 0 to 1, got nan",
        ),
        (
            lambda: plotting.plot_gates({"i": np.ones((2, 3))}, symbols="abc"),
            "symbols: expected T = 2 symbols, got 3",
        ),
        (
            lambda: plotting.plot_gates({"i": np.ones((2, 3))}, units=[3]),
            r"units: expected .* 0 to 2 \(H = 3\), got \[3\]",
        ),
        (lambda: plotting.plot_gates({"i": np.ones((2, 3))}, units=[]), r"units: .* got \[\]"),
        (lambda: plotting.plot_traces({}), "traces: expected at least one entry, got none"),
        (
            lambda: plotting.plot_traces({"c": np.ones((2, 3, 4))}),
            r"c: expected .* shape \(T,\) or \(T, H\), got \(2, 3, 4\)",
        ),
        (
            lambda: plotting.plot_traces({"c": [1.0, 2.0]}, symbols="a"),
            "symbols: expected T = 2 symbols, got 1",
        ),
        (
            lambda: plotting.plot_gradient_flow({"a": np.ones((2, 3))}),
            r"a: expected values of shape \(N,\), got \(2, 3\)",
        ),
        (
            lambda: plotting.plot_gradient_flow({"a": [1.0, -1.0]}),
            "a: expected norms, none below 0, got -1",
        ),
        (
            lambda: plotting.plot_gradient_parts({"a": [1.0]}, {"b": [1.0]}, "part"),
            r"parts: expected those of \['a'\], got \['b'\]",
        ),
        (
            lambda: plotting.plot_gradient_parts({"a": [1.0]}, {"a": [-1.0]}, "part"),
            "a: expected norms, none below 0, got -1",
        ),
        (
            lambda: plotting.plot_trials([1, 2], limit=9),
            r"trials: expected a dict \{name: numbers\}, got list",
        ),
        (
            lambda: plotting.plot_trials({}, limit=9),
            "trials: expected at least one entry, got none",
        ),
        (
            lambda: plotting.plot_trials({"a": []}, limit=9),
            "a: expected at least one trial, got none",
        ),
        (
            lambda: plotting.plot_trials({"a": [3, 10]}, limit=9),
            "a: expected numbers .* up to the limit 9, or None, got 10",
        ),
        (lambda: plotting.plot_trials({"a": [0]}, limit=9), "a: expected numbers above 0 .* got 0"),
        (
            lambda: plotting.plot_trials({"a": [1]}, limit=0),
            "limit: expected a finite number above 0, got 0",
        ),
    ],
)
def test_what_cannot_be_drawn_is_refused_before_a_figure_is_made(draw, message):
    before = plt.get_fignums()
    with pytest.raises((ValueError, TypeError), match=message):
        draw()
    assert plt.get_fignums() == before
