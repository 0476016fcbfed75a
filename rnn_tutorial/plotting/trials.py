"""Picture of trials of a task: how much each trial took to solve it."""

import numpy as np
from matplotlib.axes import Axes

from rnn_tutorial.plotting.bundle import Curves
from rnn_tutorial.plotting.style import BLACK, BLUE, GREY, in_house_style, new_axes
from rnn_tutorial.types import Array
from rnn_tutorial.validation import check_number

__all__ = [
    "plot_trials",
]


@in_house_style
def plot_trials(
    trials: Curves,
    *,
    limit: float,
    quantity: str = "training strings presented",
    ax: Axes | None = None,
) -> Axes:
    """Return the Axes with a dot for each trial: how much it took to solve the task, on a log axis.

    trials     {name: numbers}, one number for each trial; None or NaN for a trial that did not
               solve the task: it is an open dot at the right
    limit      the number at which a trial was given up
    quantity   what was counted, the label of the horizontal axis

    A bar is the median of all trials. Trials that did not solve the task count as longer than any
    other, so there is no bar unless more than half of the trials solved the task.

    Raises: ValueError for a name without trials, and for a number that is not above 0, or is above
    the limit.
    """
    check_number("limit", limit, above=0)
    trials = _check_trials(trials, limit)
    fewest = min(np.nanmin([*numbers, limit]) for numbers in trials.values())
    left = min(fewest / 1.2, limit / 10)
    right = limit * (limit / left) ** 0.16
    ax = new_axes(ax, size=(7.5, 1.1 + 0.75 * len(trials)))
    ax.axvspan(limit, right, color="#ececE6", linewidth=0)
    for row, numbers in enumerate(trials.values()):
        _draw_trials(ax, row, numbers, np.sqrt(limit * right))
    solved = [f"{name}\n{np.isfinite(n).sum()} of {len(n)} solved" for name, n in trials.items()]
    ax.set_yticks(range(len(trials)), solved)
    ax.set(xscale="log", xlim=(left, right), ylim=(len(trials) - 0.5, -0.5), xlabel=quantity)
    ticks = _round_numbers(left, limit)
    ax.set_xticks(ticks, [f"{tick:,.0f}" for tick in ticks])
    ax.set_xticks([], minor=True)
    ax.tick_params(axis="y", length=0)
    ax.grid(False, axis="y")
    for words, at, side in (
        ("bar: median of all trials, if more than half are solved", left, "left"),
        ("not solved", np.sqrt(limit * right), "center"),
    ):
        ax.annotate(
            words, (at, 1.02), xycoords=ax.get_xaxis_transform(), ha=side, color=GREY, fontsize=10
        )
    return ax


def _check_trials(trials: Curves, limit: float) -> dict[str, Array]:
    """Return {name: array of the numbers}, NaN for a trial that did not solve the task.

    Raises: TypeError unless the trials are a dict; ValueError for what `plot_trials` does not draw.
    """
    if not isinstance(trials, dict):
        raise TypeError(f"trials: expected a dict {{name: numbers}}, got {type(trials).__name__}")
    if not trials:
        raise ValueError("trials: expected at least one entry, got none")
    trials = {
        name: np.array([np.nan if n is None else n for n in numbers], dtype=float)
        for name, numbers in trials.items()
    }
    for name, numbers in trials.items():
        if numbers.size == 0:
            raise ValueError(f"{name}: expected at least one trial, got none")
        outside = numbers[(numbers <= 0) | (numbers > limit)]
        if outside.size:
            raise ValueError(
                f"{name}: expected numbers above 0 and up to the limit {limit}, or None, "
                f"got {outside[0]:g}"
            )
    return trials


def _draw_trials(ax: Axes, row: int, numbers: Array, unsolved_at: float) -> None:
    """Draw the trials of one row, each a little below the one before: none hides another."""
    heights = row + (np.linspace(-0.3, 0.3, len(numbers)) if len(numbers) > 1 else np.zeros(1))
    solved = np.isfinite(numbers)
    at = np.where(solved, numbers, unsolved_at)
    for label, these, face in (
        ("_solved", solved, BLUE),
        ("_not solved", ~solved, "none"),
    ):
        # The layout takes a line without points to be at the corner of the figure: leave it out.
        ax.plot(
            at[these],
            heights[these],
            label=label,
            color=BLUE,
            marker="o",
            markerfacecolor=face,
            markersize=6,
            linestyle="none",
            clip_on=False,
            in_layout=bool(these.any()),
        )
    median = np.median(np.where(solved, numbers, np.inf))
    if np.isfinite(median):
        ax.plot(
            [median, median],
            [row - 0.38, row + 0.38],
            color=BLACK,
            linestyle="-",
            marker="",
            label="_median",
            zorder=1,
        )


def _round_numbers(low: float, high: float) -> Array:
    """Return 1, 2 and 5 times the powers of ten from low to high; the powers alone if many."""
    powers = 10.0 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    numbers = np.outer(powers, (1, 2, 5) if len(powers) <= 4 else (1,)).ravel()
    return numbers[(numbers >= low) & (numbers <= high)]
