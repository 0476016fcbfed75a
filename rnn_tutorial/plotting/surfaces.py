"""The loss as a surface over two numbers, and the paths of an optimizer on it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.patheffects import withStroke

from rnn_tutorial.plotting.bundle import Look, check_bundle
from rnn_tutorial.plotting.style import BLACK, GREY, in_house_style, new_axes
from rnn_tutorial.tree import tree_leaves, tree_map
from rnn_tutorial.types import Array, Tree

__all__ = [
    "PathPlane",
    "path_plane",
    "plot_loss_surface",
]

# Pale lines with a black edge, which are seen on the dark and on the bright parts of a map.
_PATHS: list[Look] = [
    {"color": "#ffffff", "linestyle": "-"},
    {"color": "#ff9f6b", "linestyle": "--"},
    {"color": "#f7b6e0", "linestyle": ":"},
]


@in_house_style
def plot_loss_surface(
    x: Array,
    y: Array,
    losses: Array,
    paths: dict[str, Any] | None = None,
    *,
    xlabel: str = "",
    ylabel: str = "",
    logarithmic: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """Return the Axes with a map of the loss over x and y, and the paths {label: points} on it.

    losses        losses[j, i] is the loss at x[i], y[j], the order of `np.meshgrid(x, y)`
    paths         the points of an optimizer, one for each update; the start is drawn as a circle,
                  the end as a star; at most three paths
    logarithmic   spread the colours over the logarithm of the loss

    What lies outside the map is not drawn.

    Shapes: x (N,), y (M,), losses (M, N); each path (K, 2), columns x and y.

    Raises: ValueError for losses or points of another shape, and for more paths than can be told
    apart.

    Example:
        plot_loss_surface(w, b, loss(*np.meshgrid(w, b)), {"rate 0.1": points}, xlabel="$w$")
    """
    x, y, losses, paths = np.asarray(x), np.asarray(y), np.asarray(losses), paths or {}
    if losses.shape != (len(y), len(x)):
        raise ValueError(f"losses: expected shape (M, N) = {len(y), len(x)}, got {losses.shape}")
    check_bundle(paths)
    if len(paths) > len(_PATHS):
        raise ValueError(f"paths: expected at most {len(_PATHS)}, got {len(paths)}")
    ax = new_axes(ax, size=(6.4, 4.8))
    norm = LogNorm() if logarithmic else Normalize()
    image = ax.pcolorfast(_edges(x), _edges(y), losses, cmap="cividis", norm=norm)
    ax.figure.colorbar(image, ax=ax, label="loss", pad=0.02)
    for (label, points), look in zip(paths.items(), _PATHS, strict=False):
        _draw_path(ax, label, np.asarray(points), look)
    ax.set(xlabel=xlabel, ylabel=ylabel, xlim=(x[0], x[-1]), ylim=(y[0], y[-1]))
    ax.grid(False)
    if paths:
        legend = ax.legend(loc="best", handlelength=3, frameon=True, facecolor=GREY, framealpha=0.9)
        legend.set(zorder=4)
        for text in legend.get_texts():
            text.set_color("#ffffff")
    return ax


def _edges(centres: Array) -> Array:
    """Return the ends of the cells around the centres: half way to the next one.

    Shapes: centres (N,), edges (N + 1,).
    """
    half = np.diff(centres) / 2
    return np.r_[centres[0] - half[0], centres[:-1] + half, centres[-1] + half[-1]]


def _draw_path(ax: Axes, label: str, points: Array, look: Look) -> None:
    """Draw the points of one path, a circle at its start and a star at its end."""
    if points.ndim != 2 or points.shape[1] != 2 or not len(points):
        raise ValueError(f"paths, {label}: expected points of shape (K, 2), got {points.shape}")
    end: Look = {"color": look["color"], "markeredgecolor": BLACK, "linestyle": "", "zorder": 3}
    edge = [withStroke(linewidth=2.4, foreground=BLACK)]
    ax.plot(*points.T, label=label, linewidth=1.2, marker="", path_effects=edge, **look)
    dots: Look = {"marker": "o", "markersize": 3.4, "markeredgewidth": 0.5}
    ax.plot(*points.T, label="_points", **dots, **end)
    ax.plot(*points[0], marker="o", markersize=8, label="_start", **end)
    ax.plot(*points[-1], marker="*", markersize=14, label="_end", **end)


class PathPlane(NamedTuple):
    """A plane in the space of the parameters: centre + x * first + y * second."""

    centre: Tree
    first: Tree
    second: Tree
    points: Array  # (K, 2), the coordinates (x, y) of the path
    share: float  # how much of the path is in the plane, from 0 to 1


def path_plane(path: Sequence[Tree]) -> PathPlane:
    """Return the plane that is nearest to a path of parameters, in least squares.

    It goes through the mean of the path. Its directions are the first two principal directions:
    with the parameters as rows of a matrix, less their mean, the first two right singular vectors.
    They have length 1. `share` is the part of the squared distances to the mean that is left after
    projecting onto the plane. The first coordinate is greater at the end of the path than at its
    start; the largest second coordinate is positive.

    Shapes: a path of K trees of one structure, K at least 3.

    Raises: ValueError for fewer than three trees, or trees of different structures.
    """
    if len(path) < 3:
        raise ValueError(f"path: expected at least three points, got {len(path)}")
    rows = np.stack([_flat(tree_map(lambda _, leaf: leaf, path[0], tree)) for tree in path])
    centre = rows.mean(axis=0)
    u, sizes, directions = np.linalg.svd(rows - centre, full_matrices=False)
    points, directions = u[:, :2] * sizes[:2], directions[:2]
    largest = points[np.abs(points[:, 1]).argmax(), 1]
    signs = np.array(
        [1.0 if points[-1, 0] >= points[0, 0] else -1.0, 1.0 if largest >= 0 else -1.0]
    )
    points, directions = points * signs, directions * signs[:, None]
    share = float((sizes[:2] ** 2).sum() / (sizes**2).sum())
    centre, first, second = (_tree_of(row, path[0]) for row in (centre, *directions))
    return PathPlane(centre, first, second, points, share)


def _flat(tree: Tree) -> Array:
    return np.concatenate([np.ravel(leaf) for leaf in tree_leaves(tree)])


def _tree_of(values: Array, like: Tree) -> Tree:
    """Return the tree of the structure of `like` whose leaves have these values, in order."""
    sizes = [np.size(leaf) for leaf in tree_leaves(like)]
    pieces = iter(np.split(values, np.cumsum(sizes)[:-1]))
    return tree_map(lambda leaf: next(pieces).reshape(np.shape(leaf)), like)
