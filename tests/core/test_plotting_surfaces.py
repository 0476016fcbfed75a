"""The picture of a loss surface shows the loss and the path; a path's plane is the nearest one."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from rnn_tutorial.cells import ElmanParams
from rnn_tutorial.plotting import path_plane, plot_loss_surface
from rnn_tutorial.tree import tree_add, tree_dot, tree_leaves, tree_map, tree_norm, tree_scale

X, Y = np.linspace(-1, 2, 4), np.linspace(0, 3, 7)
LOSSES = np.meshgrid(X, Y)[0] + 10 * np.meshgrid(X, Y)[1] + 2


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.mark.parametrize("x", [X, np.array([-1.0, -0.5, 1.0, 2.0])])
def test_the_colour_at_a_place_is_the_loss_at_the_nearest_point(x):
    losses = LOSSES % 7
    ax = plot_loss_surface(x, Y, losses)
    (image,) = ax.images
    ax.figure.canvas.draw()
    picture = np.asarray(ax.figure.canvas.buffer_rgba())
    for place in ((-0.6, 2.4), (0.4, 0.1), (1.9, 2.9)):
        i, j = np.argmin(np.abs(x - place[0])), np.argmin(np.abs(Y - place[1]))
        column, row = ax.transData.transform(place)
        colour = picture[len(picture) - 1 - int(row), int(column)] / 255
        np.testing.assert_allclose(colour, image.cmap(image.norm(losses[j, i])), atol=0.01)


def test_a_path_runs_through_its_points_from_a_circle_to_a_star():
    points = np.array([[0.0, 1.0], [1.0, 2.0], [0.5, 9.0]])
    ax = plot_loss_surface(X, Y, LOSSES, {"descent": points})
    line, dots, start, end = ax.lines
    np.testing.assert_array_equal(line.get_xydata(), points)
    np.testing.assert_array_equal(dots.get_xydata(), points)
    np.testing.assert_array_equal(start.get_xydata(), points[:1])
    np.testing.assert_array_equal(end.get_xydata(), points[-1:])
    assert (start.get_marker(), end.get_marker()) == ("o", "*")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["descent"]


def test_the_map_keeps_its_limits_whatever_the_path_does():
    ax = plot_loss_surface(X, Y, LOSSES, {"thrown far": np.array([[0.0, 1.0], [50.0, -50.0]])})
    assert ax.get_xlim() == (-1, 2)
    assert ax.get_ylim() == (0, 3)


def test_a_logarithmic_map_gives_equal_factors_equal_steps_of_colour():
    norm = plot_loss_surface(X, Y, LOSSES, logarithmic=True).images[0].norm
    assert norm(np.sqrt(LOSSES.min() * LOSSES.max())) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("losses", "paths", "message"),
    [
        (LOSSES.T, {}, r"losses: expected shape \(M, N\) = \(7, 4\), got \(4, 7\)"),
        (LOSSES, {"a": [1.0, 2.0]}, r"paths, a: expected points of shape \(K, 2\), got \(2,\)"),
        (LOSSES, dict.fromkeys("abcd", [[0.0, 0.0]]), "paths: expected at most 3, got 4"),
    ],
)
def test_what_cannot_be_drawn_is_refused(losses, paths, message):
    with pytest.raises(ValueError, match=message):
        plot_loss_surface(X, Y, losses, paths)


def random_params(rng):
    return ElmanParams(
        rng.standard_normal((2, 3)), rng.standard_normal((3, 3)), rng.standard_normal(3)
    )


def in_plane(plane, x, y):
    return tree_add(plane.centre, tree_add(tree_scale(x, plane.first), tree_scale(y, plane.second)))


def test_a_path_in_a_plane_is_found_again():
    rng = np.random.default_rng(0)
    origin, a, b = (random_params(rng) for _ in range(3))
    path = [
        tree_add(origin, tree_add(tree_scale(t, a), tree_scale(t**2, b)))
        for t in np.linspace(0, 1, 9)
    ]
    plane = path_plane(path)
    assert plane.share == pytest.approx(1)
    assert plane.points[-1, 0] > plane.points[0, 0]
    for point, params in zip(plane.points, path, strict=True):
        for found, wanted in zip(tree_leaves(in_plane(plane, *point)), params, strict=True):
            np.testing.assert_allclose(found, wanted, atol=1e-12)


def test_the_directions_have_length_one_and_are_orthogonal():
    rng = np.random.default_rng(1)
    plane = path_plane([random_params(rng) for _ in range(6)])
    assert tree_norm(plane.first) == pytest.approx(1)
    assert tree_norm(plane.second) == pytest.approx(1)
    assert tree_dot(plane.first, plane.second) == pytest.approx(0, abs=1e-12)


def test_no_other_plane_is_nearer():
    rng = np.random.default_rng(2)
    path = [random_params(rng) for _ in range(6)]
    plane = path_plane(path)
    off = [tree_add(p, tree_scale(-1.0, plane.centre)) for p in path]
    total = sum(tree_dot(d, d) for d in off)
    assert plane.share == pytest.approx((plane.points**2).sum() / total)
    rows = np.stack([np.concatenate([leaf.ravel() for leaf in d]) for d in off])
    for _ in range(20):
        q, _ = np.linalg.qr(rng.standard_normal((rows.shape[1], 2)))
        assert np.sum((rows @ q) ** 2) / total < plane.share


def test_a_path_that_has_no_plane_is_refused():
    params = random_params(np.random.default_rng(0))
    with pytest.raises(ValueError, match="path: expected at least three points, got 2"):
        path_plane([params, params])
    with pytest.raises(ValueError):
        path_plane([params, params, tree_map(np.ravel, params)[:2]])
