"""Pictures of CTC: the lattice of a labelling, and what a network says at each step."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba

from rnn_tutorial.plotting.style import (
    BLUE,
    GREY,
    LINES,
    PAPER,
    VERMILLION,
    in_house_style,
    label_steps,
    legend_outside,
    new_axes,
)
from rnn_tutorial.types import Array, Mask
from rnn_tutorial.validation import check_array, check_positive

__all__ = [
    "plot_lattice",
    "plot_outputs",
]


@in_house_style
def plot_lattice(
    labels: Sequence[str],
    T: int,
    *,
    path: Sequence[int] | None = None,
    posterior: Array | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Return the Axes with every alignment of the labels: places from top to bottom, steps across.

    labels      the names of the labels; a blank, "-", is put before, between and after them
    path        the place at each step of one alignment, drawn in orange
    posterior   the darkness of the points: the probability of each place at each step

    A point is drawn where an alignment can be, and a line where it can go on.

    Shapes: path (T,), posterior (T, S), with S = 2 U + 1 for U labels.

    Raises: ValueError for no step, for labels that no alignment of T steps says, for a path that
    leaves the lattice, or a posterior of another shape.
    """
    check_positive("T", T)
    places = [name for label in labels for name in ("-", label)] + ["-"]
    S, moves = len(places), _moves(places)
    there = _reachable(moves, T)
    if not there.any():
        raise ValueError(f"labels: no alignment of {T} steps says {' '.join(labels)!r}")
    share = np.ones((T, S)) if posterior is None else posterior
    check_array("posterior", share, T=T, S=S)
    _check_path(path, there, moves)
    ax = new_axes(ax, size=(1.6 + 0.75 * T, 0.9 + 0.42 * S))
    for t, s in np.argwhere(there):
        for after in np.flatnonzero(moves[s] & there[t + 1]) if t + 1 < T else ():
            ax.plot([t + 1, t + 2], [s, after], color=GREY, linewidth=0.7, linestyle="-", marker="")
    if path is not None:
        ax.plot(np.arange(1, T + 1), path, color=VERMILLION, linewidth=3, linestyle="-", marker="")
    steps, rows = np.nonzero(there)
    ax.scatter(steps + 1, rows, s=130, color=PAPER, edgecolors=BLUE, zorder=3)
    filled = [to_rgba(BLUE, float(dark)) for dark in share[there]]
    ax.scatter(steps + 1, rows, s=130, color=filled, linewidths=0, zorder=4)
    ax.set_yticks(range(S), places, family="DejaVu Sans Mono")
    ax.set(ylim=(S - 0.4, -0.6), ylabel="place", xlim=(0.6, T + 0.4))
    ax.grid(False)
    label_steps(ax)
    return ax


def _moves(places: Sequence[str]) -> Mask:
    """Return (S, S): whether an alignment can go from one place to another in one step."""
    S = len(places)
    moves = np.eye(S, dtype=bool) | np.eye(S, k=1, dtype=bool)
    for s in range(3, S, 2):  # from a label to the next one without a blank, if they differ
        moves[s - 2, s] = places[s] != places[s - 2]
    return moves


def _reachable(moves: Mask, T: int) -> Mask:
    """Return (T, S): the points of all alignments from one of the first two places to the end."""
    S = len(moves)
    begun, ended = np.zeros((T, S), bool), np.zeros((T, S), bool)
    begun[0, :2], ended[-1, -2:] = True, True
    for t in range(1, T):
        begun[t] = begun[t - 1] @ moves
        ended[-1 - t] = moves @ ended[-t]
    return begun & ended


def _check_path(path: Sequence[int] | None, there: Mask, moves: Mask) -> None:
    if path is None:
        return
    T, S = there.shape
    inside = len(path) == T and all(0 <= s < S for s in path)
    if not (
        inside
        and all(there[t, s] for t, s in enumerate(path))
        and all(moves[a, b] for a, b in zip(path, path[1:]))
    ):
        raise ValueError(f"path: expected a place of the lattice at each of {T} steps, got {path}")


@in_house_style
def plot_outputs(
    probabilities: Array,
    names: Sequence[str],
    *,
    blank: int = 0,
    symbols: Sequence[str] | None = None,
    least: float = 0.2,
    ax: Axes | None = None,
) -> Axes:
    """Return the Axes with the probability of each symbol over the steps.

    The blank is a grey line. Of the others, those are drawn that reach `least` at some step, each
    with its name at its highest point. `symbols` is what was read at each step.

    Shapes: probabilities (T, V), V names, T symbols.

    Raises: ValueError for a shape that does not fit the names, or the symbols.
    """
    check_array("probabilities", probabilities, T=None, V=len(names))
    T, V = probabilities.shape
    if symbols is not None and len(symbols) != T:
        raise ValueError(f"symbols: expected one for each of {T} steps, got {len(symbols)}")
    ax = new_axes(ax, size=(7.5, 3.2))
    steps = np.arange(1, T + 1)
    ax.plot(steps, probabilities[:, blank], color=GREY, linestyle="--", marker="", label="blank")
    shown = [k for k in range(V) if k != blank and probabilities[:, k].max() >= least]
    colours = [line["color"] for line in LINES]
    for n, k in enumerate(sorted(shown, key=lambda k: int(probabilities[:, k].argmax()))):
        top = int(probabilities[:, k].argmax())
        line = {"color": colours[n % len(colours)], "linestyle": "-", "marker": "."}
        ax.plot(steps, probabilities[:, k], label=f"_{names[k]}", **line)
        ax.text(top + 1, probabilities[top, k] + 0.03, names[k], ha="center", color=line["color"])
    ax.set(ylim=(0, 1.12), ylabel="probability")
    label_steps(ax, symbols)
    legend_outside(ax)
    return ax
