"""The diagrams of the cells agree with their equations: the connections, and the gradients."""

import re
from itertools import combinations, pairwise

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch
from pictures import drawn

from rnn_tutorial import plotting
from rnn_tutorial.cells import (
    GRU,
    LSTM,
    GRUGates,
    LSTMGates,
    gate_blocks,
    gru_gates_backward,
    gru_step,
    gru_step_backward,
    lstm_gates_backward,
    lstm_step,
    lstm_step_backward,
)
from rnn_tutorial.gradient_check import random_start
from rnn_tutorial.plotting.diagrams import cells, pen


@pytest.fixture(autouse=True)
def _no_figure_is_left_open():
    yield
    plt.close("all")


def words(ax):
    return [text.get_text() for text in ax.texts]


def arrows(ax, colour):
    return [
        p
        for p in ax.patches
        if isinstance(p, FancyArrowPatch) and to_hex(p.get_edgecolor()) == colour
    ]


def inputs(paths, name):
    """Return the names of the nodes with an arrow into `name`."""
    edges = [pair for path in paths for pair in pairwise(path)]
    return {start for start, end in edges if end == name and isinstance(start, str)}


def forward(nodes, paths, values, operations):
    """Return {name: value} of every node, computed along the arrows.

    operations: {words of a circle: function}. `values` are those of the arrays that no arrow
    reaches; a box with one arrow into it has the value at the start of that arrow.
    """
    values = dict(values)
    while missing := [name for name in nodes if name not in values]:
        for name in missing:
            sources = inputs(paths, name)
            if sources and sources <= values.keys():
                function = (
                    operations[nodes[name].words]
                    if nodes[name].size is None
                    else lambda value: value
                )
                values[name] = function(*(values[source] for source in sources))
    return values


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


ELEMENTWISE = {
    "×": lambda a, b: a * b,
    "+": lambda *terms: sum(terms),
    "tanh": np.tanh,
    r"$\sigma$": sigmoid,
}


def test_the_arrows_of_the_lstm_compute_an_lstm():
    c, a_f, a_i, a_g, a_o = np.random.default_rng(0).normal(size=5)
    given = {
        "c before": c,
        "a_f": a_f,
        "a_i": a_i,
        "a_g": a_g,
        "a_o": a_o,
        "h before": 0,
        "x": 0,
        "map": 0,
    }
    got = forward(cells._LSTM_NODES, cells._LSTM_PATHS, given, ELEMENTWISE)
    assert got["c"] == pytest.approx(sigmoid(a_f) * c + sigmoid(a_i) * np.tanh(a_g))
    assert got["h"] == pytest.approx(sigmoid(a_o) * np.tanh(got["c"]))
    assert [got[gate] for gate in "fiog"] == pytest.approx(
        [*sigmoid(np.array([a_f, a_i, a_o])), np.tanh(a_g)]
    )


def test_the_arrows_of_the_carousel_compute_the_cell_of_1997():
    c, i, o, g = np.random.default_rng(1).normal(size=4)
    nodes = cells._CAROUSEL_NODES | {"c before": cells._CAROUSEL_NODES["c"]}
    paths = (*cells._CAROUSEL_PATHS, ("c before", "add"))  # the loop
    got = forward(nodes, paths, {"c before": c, "i": i, "o": o, "g": g}, ELEMENTWISE)
    assert got["c"] == pytest.approx(c + i * g)
    assert got["h"] == pytest.approx(o * np.tanh(got["c"]))


@pytest.mark.parametrize("form", ["before", "after"])
def test_the_arrows_of_the_gru_compute_the_form_that_its_title_says(form):
    """With a product that squares what it is handed, r before it and r after it differ."""
    h, r, z, x, W_xn, b_n, W_hn, b_hn = np.random.default_rng(2).uniform(0.2, 0.9, size=8)
    own, paths = cells._RESET_BEFORE if form == "before" else cells._RESET_AFTER
    nodes = cells._GRU_NODES | own | {"1 - z": cells._GRU_NODES["z"]}
    given = {
        "h before": h,
        "r": r,
        "z": z,
        "1 - z": 1 - z,
        "x": x,
        "W_xn": W_xn,
        "b_n": b_n,
        "W_hn": W_hn,
    }
    operations = ELEMENTWISE | {"@": lambda a, b: (a * b) ** 2}
    if form == "before":
        n = np.tanh((x * W_xn) ** 2 + b_n + (r * h * W_hn) ** 2)
    else:
        given["b_hn"] = b_hn
        n = np.tanh((x * W_xn) ** 2 + b_n + r * ((h * W_hn) ** 2 + b_hn))
    got = forward(nodes, paths_with_1_minus_z(cells._GRU_PATHS) + paths, given, operations)
    assert got["n"] == pytest.approx(n)
    assert got["h"] == pytest.approx(z * h + (1 - z) * n)


def paths_with_1_minus_z(paths):
    """Return the paths, with the arrow from z that carries 1 - z coming from 1 - z."""
    assert ("z", "write", "add") in paths
    return tuple(
        ("1 - z", "write", "add") if path == ("z", "write", "add") else path for path in paths
    )


def test_an_arrow_goes_from_the_rim_of_one_node_to_the_rim_of_the_next():
    ax = pen.canvas(None, 4, 4)
    nodes = {"box": pen.Node((1.0, 1.0), "", size=(0.8, 0.6)), "circle": pen.Node((3.0, 2.0), "")}
    pen.graph(ax, nodes, (("box", "circle", (3.0, 4.0)),))
    (start, end), (above, outside) = (
        np.array(arrow._posA_posB) for arrow in arrows(ax, plotting.BLACK)
    )
    np.testing.assert_allclose(start, (1.4, 1.2))
    assert np.linalg.norm(end - (3.0, 2.0)) == pytest.approx(0.27)
    assert (end - start)[0] == pytest.approx(2 * (end - start)[1])
    np.testing.assert_allclose([above, outside], [(3.0, 2.27), (3.0, 4.0)])


def test_each_form_stands_below_its_title():
    ax = drawn(plotting.draw_gru_forms)
    at = {text.get_text(): text.get_position()[0] for text in ax.texts}
    before, after = at["reset before the matrix"], at["reset after the matrix"]
    assert at["$b_{hn}$"] > after - 2.5 > before, (
        "only the form at the right, below its title, has a second bias"
    )
    formulas = {text: x for text, x in at.items() if text.startswith("$n_t =")}
    assert {x: r"(r_t \circ h_{t-1})" in text for text, x in formulas.items()} == {
        before: True,
        after: False,
    }


def test_an_arrow_says_that_it_carries_one_minus_z():
    ax = drawn(plotting.draw_gru_forms)
    assert words(ax).count("$1 - z_t$") == 2
    for text in (text for text in ax.texts if text.get_text() == "$1 - z_t$"):
        (x, y), ends = (
            text.get_position(),
            [np.array(arrow._posA_posB) for arrow in arrows(ax, plotting.BLACK)],
        )
        assert any(
            start[0] < x < end[0] and 0 < y - start[1] < 0.25 and start[1] == end[1]
            for start, end in ends
        )


STEPS = {"lstm": (plotting.draw_lstm, cells._LSTM), "gru": (plotting.draw_gru, cells._GRU)}
each_step = pytest.mark.parametrize("draw, diagram", STEPS.values(), ids=STEPS)


@each_step
def test_the_gradient_goes_back_along_every_arrow_of_a_step(draw, diagram):
    ax = drawn(draw, backward=True)
    there, back = arrows(ax, plotting.BLACK), arrows(ax, plotting.VERMILLION)
    assert len(there) == len(back) == sum(len(path) - 1 for path in diagram.paths)
    for one, other in zip(there, back, strict=True):
        (start, end), (back_start, back_end) = np.array(one._posA_posB), np.array(other._posA_posB)
        np.testing.assert_allclose(back_end - back_start, start - end, atol=1e-12)
        assert one.get_linestyle() != other.get_linestyle()
    assert not arrows(drawn(draw), plotting.VERMILLION)
    assert not [text for text in words(drawn(draw)) if text.startswith("$d")]


@each_step
def test_without_formulas_the_arrows_back_are_there_and_no_gradient_is(draw, diagram):
    ax = drawn(draw, backward=True, formulas=False)
    full = drawn(draw, backward=True)
    ends = [[arrow._posA_posB for arrow in arrows(one, plotting.VERMILLION)] for one in (ax, full)]
    assert ends[0] == ends[1] and ends[0]
    assert words(ax) == words(drawn(draw)) != words(full)
    assert words(drawn(draw, formulas=False)) == words(drawn(draw))


def test_the_arrows_of_the_gru_compute_a_gru():
    h, a_z, a_xn, s, a_r = np.random.default_rng(0).normal(size=5)
    given = {"h before": h, "a_z": a_z, "a_xn": a_xn, "s": s, "a_r": a_r, "x": 0, "map": 0}
    nodes = cells._GRU_STEP_NODES | {"1 - z": cells._GRU_STEP_NODES["z"]}
    z, n = sigmoid(a_z), np.tanh(a_xn + sigmoid(a_r) * s)
    got = forward(
        nodes,
        paths_with_1_minus_z(cells._GRU_STEP_PATHS),
        given | {"1 - z": 1 - z},
        ELEMENTWISE,
    )
    assert [got["z"], got["n"]] == pytest.approx([z, n])
    assert got["h"] == pytest.approx(z * h + (1 - z) * n)


PYTHON = (  # from the formulas of the diagrams to Python, in this order
    (r"\\mathrm\{(\w+)\}", r"\1"),
    (r"_\{t-1\}", "_before"),
    (r"\^\{(\w+)\}", r"_\1"),  # dh_t^{next}
    (r"\^([xh])_", r"_\1_"),  # a^x_t
    (r"_\{hn\}", "_hn"),
    (r"_t(?![a-z])", ""),
    (r"\\tanh\^2 (\w+)", r"np.tanh(\1) ** 2"),
    (r"\\tanh (\w+)", r"np.tanh(\1)"),
    (r"\^2", " ** 2"),
    (r"\\sum_B (\w+)", r"\1.sum(axis=0)"),
    (r"\^\\top *(\\,)?(?=d)", ".T @ "),
    (r"\\,W_(.)\^\\top", r" @ W_\1.T"),
    (r"\\,", " * "),
    (r"\\circ", "*"),
)


def formulas(ax):
    """Return {name: Python} of the gradients that are written in a diagram."""
    found = {}
    for text in words(ax):
        for line in re.split(r"\$|\\qquad|\\quad", text.replace("$\n$", " ").replace("\\;", "")):
            if line.strip().startswith("d") and "=" in line:
                for pattern, replacement in PYTHON:
                    line = re.sub(pattern, replacement, line)
                name, _, right = line.partition("=")
                found[name.strip()] = right.strip()
    return found


def evaluated(found, known):
    """Return the values of all formulas, each from those that it names."""
    known, left = dict(known), dict(found)
    while left:
        ready = [
            k for k, text in left.items() if set(re.findall(r"\bd\w+|np", text)) <= {*known, "np"}
        ]
        assert ready, left
        known |= {k: eval(left.pop(k), {"np": np}, known) for k in ready}
    return {name: known[name] for name in found}


def test_every_gradient_that_is_written_at_the_lstm_is_right():
    """Each formula is computed from the others, and compared with the package."""
    rng = np.random.default_rng(3)
    params, previous = random_start(LSTM, rng, 3, 4, 5)
    x, (dh_out, dh_next, dc_next) = rng.standard_normal((3, 4)), rng.standard_normal((3, 3, 5))
    state, cache = lstm_step(params, x, previous)
    dstate = state._replace(h=dh_out + dh_next, c=dc_next)
    dparams, dx, dprevious = lstm_step_backward(params, cache, dstate)
    values = LSTM.pointwise(params, x @ params.W_x + params.b, previous.h @ params.W_h, previous)[1]
    dgates, dc = lstm_gates_backward(values, dstate)
    da = LSTM.pointwise_backward(params, values, dstate)[1]

    known = params._asdict() | values._asdict() | {"x": x, "c": state.c, "da": da}
    known |= {"h_before": previous.h, "c_before": previous.c}
    known |= {"dh_out": dh_out, "dh_next": dh_next, "dc_next": dc_next}
    wanted = {f"d{name}": leaf for name, leaf in (dparams._asdict() | dgates._asdict()).items()}
    wanted |= {f"da_{gate}": block for gate, block in gate_blocks(da, LSTMGates)._asdict().items()}
    wanted |= {"dh": dstate.h, "dc": dc, "dx": dx}
    wanted |= {"dh_before_next": dprevious.h, "dc_before_next": dprevious.c}
    got = evaluated(formulas(drawn(plotting.draw_lstm, backward=True)), known)
    assert got.keys() == wanted.keys()
    for name, value in wanted.items():
        np.testing.assert_allclose(got[name], value, rtol=1e-10, atol=1e-12, err_msg=name)


def test_every_gradient_that_is_written_at_the_gru_is_right():
    rng = np.random.default_rng(4)
    params, previous = random_start(GRU, rng, 3, 4, 5)
    x, (dh_out, dh_next) = rng.standard_normal((3, 4)), rng.standard_normal((2, 3, 5))
    state, cache = gru_step(params, x, previous)
    dstate = state._replace(h=dh_out + dh_next)
    dparams, dx, dprevious = gru_step_backward(params, cache, dstate)
    values = GRU.pointwise(params, x @ params.W_x + params.b, previous.h @ params.W_h, previous)[1]
    dgates, ds = gru_gates_backward(values, dstate)
    _, da_x, da_h, _ = GRU.pointwise_backward(params, values, dstate)

    known = params._asdict() | values._asdict() | {"x": x, "h_before": previous.h}
    known |= {"da_x": da_x, "da_h": da_h, "dh_out": dh_out, "dh_next": dh_next}
    wanted = {f"d{name}": leaf for name, leaf in (dparams._asdict() | dgates._asdict()).items()}
    wanted |= {f"da_{gate}": block for gate, block in gate_blocks(da_x, GRUGates)._asdict().items()}
    wanted |= {"dh": dstate.h, "ds": ds, "dx": dx, "dh_before_next": dprevious.h}
    got = evaluated(formulas(drawn(plotting.draw_gru, backward=True)), known)
    assert got.keys() == wanted.keys()
    for name, value in wanted.items():
        np.testing.assert_allclose(got[name], value, rtol=1e-10, atol=1e-12, err_msg=name)


def faint_nodes(ax):
    """Return the centres of the boxes and circles that are light grey, rounded."""
    to_inches = ax.transData.inverted().transform_bbox
    shapes = [patch for patch in ax.patches if isinstance(patch, Circle | FancyBboxPatch)]
    return {
        tuple(to_inches(shape.get_extents()).get_points().mean(axis=0).round(2))
        for shape in shapes
        if to_hex(shape.get_edgecolor()) == pen.FAINT
    }


@each_step
def test_the_parts_that_are_not_lit_are_faint(draw, diagram):
    for part, names in diagram.parts.items():
        ax = draw(lit=(part,))
        dark = {node.at for name, node in diagram.nodes.items() if name in names}
        assert faint_nodes(ax) == {node.at for node in diagram.nodes.values()} - dark
        written = {(text.get_text(), *text.get_position()): text for text in ax.texts}
        for _, labels in diagram.always + diagram.forward:
            for label in labels:
                color = to_hex(written[label.words, *label.at].get_color())
                assert (color == pen.FAINT) == (label.of not in names)
        (line,) = (line for line in ax.lines if line.get_label() == "_band")
        np.testing.assert_array_equal(line.get_xydata(), diagram.band[0])
        assert (to_hex(line.get_color()) == pen.FAINT) == (diagram.band[1] not in names)
        black = len(arrows(ax, plotting.BLACK))
        assert 0 < black < sum(len(path) - 1 for path in diagram.paths)
        assert len(arrows(draw(lit=(part,), backward=True), plotting.VERMILLION)) == black


@each_step
def test_without_lit_and_with_every_part_nothing_is_faint(draw, diagram):
    for ax in (drawn(draw), draw(lit=tuple(diagram.parts)), drawn(draw, backward=True)):
        assert not faint_nodes(ax) and not arrows(ax, pen.FAINT)
        assert pen.FAINT not in {to_hex(text.get_color()) for text in ax.texts}
    known = ", ".join(diagram.parts)
    with pytest.raises(ValueError, match=f"lit: expected parts of the step, {known}, got q"):
        draw(lit=("q",))


@each_step
def test_every_node_belongs_to_a_part_and_every_label_to_a_node(draw, diagram):
    assert set().union(*diagram.parts.values()) == diagram.nodes.keys()
    groups = diagram.always + diagram.forward + diagram.backward
    assert {label.of for _, labels in groups for label in labels} <= diagram.nodes.keys()


def test_the_carousel_goes_round_both_ways_with_weight_1():
    ax = plotting.draw_carousel()
    assert "the loop has the weight 1, at every step" in words(ax)
    assert any("dc_{t-1} = dc_t$" in text for text in words(ax))
    there, back = (line.get_xydata() for line in ax.lines if line.get_label() != "_band")
    (c_x, top), add_x = cells._CAROUSEL_NODES["c"].at, cells._CAROUSEL_NODES["add"].at[0]
    for way, start, end in ((there, c_x, add_x), (back, add_x, c_x)):
        assert (
            abs(way[0, 0] - start) < 0.2 and abs(way[-1, 0] - end) < 0.2 and way[:, 1].min() > top
        )


PLUGS = {
    node.at
    for step in (cells._LSTM, cells._GRU)
    for node in step.nodes.values()
    if node.size == cells._PLUG
}


@pytest.mark.parametrize("options", [{}, {"backward": True}, {"backward": True, "formulas": False}])
@each_step
def test_no_words_of_a_step_stand_across_a_line(draw, diagram, options):
    check_no_words_stand_across_a_line(drawn(draw, **options))


def test_no_words_of_the_forms_stand_across_a_line():
    check_no_words_stand_across_a_line(drawn(plotting.draw_gru_forms))


def check_no_words_stand_across_a_line(ax):
    """No words stand across an arrow, a circle or the edge of a box, or leave the picture.

    The pre-activations do: their boxes stand on the edge of the map's box, and hide it.
    """
    ax.apply_aspect()  # all of a diagram is then where it will be drawn
    to_inches = ax.transData.inverted().transform_bbox
    places = {
        text.get_text(): to_inches(text.get_window_extent())
        for text in ax.texts
        if text.get_text() and text.get_position() not in PLUGS
    }
    lines = [np.linspace(*p._posA_posB, 200) for p in ax.patches if isinstance(p, FancyArrowPatch)]
    for patch in ax.patches:
        if isinstance(patch, Circle | FancyBboxPatch):
            path = patch.get_transform().transform_path(patch.get_path()).interpolated(30)
            lines.append(
                ax.transData.inverted().transform(
                    path.vertices[np.isfinite(path.vertices).all(axis=1)]
                )
            )
    for name, place in places.items():
        for line in lines:
            inside = (line > place.min + 0.005).all(axis=1) & (line < place.max - 0.005).all(axis=1)
            assert not inside.any(), name
    (width, height) = ax.get_xlim()[1], ax.get_ylim()[1]
    for name, place in places.items():
        assert place.x0 > 0 and place.y0 > 0 and place.x1 < width and place.y1 < height, name
    for (one, place), (other, there) in combinations(places.items(), 2):
        assert not place.overlaps(there), (one, other)
