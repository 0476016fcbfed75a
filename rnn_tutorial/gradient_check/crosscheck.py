"""Does a central difference contradict the slopes of a complex step?

It is a second measurement, which needs no complex numbers.

First one step, 1e-5: it settles almost every function. Where it does not (rounding, curvature, a
kink nearby, slopes that are zero), steps from 1e-10 to 1e-2. They contradict the complex step only
if two steps, one ten times the other, agree with each other thirty times better than with it, and
no step agrees with it.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from rnn_tutorial.tree import tree_leaves, tree_map
from rnn_tutorial.types import Array, Tree

__all__ = [
    "Differences",
    "KINK",
    "LOST",
    "QUICK",
    "STEPS",
    "contradictions",
    "differences",
    "largest",
    "moves",
    "quantum",
    "real_leaves",
    "settled",
    "spread",
    "still",
    "verdict",
]

QUICK = (1e-5, 1e-3, 1e-2)
STEPS = [10.0**k for k in range(-10, -1)]
LOST, KINK = "lost", "kink"


class Differences(NamedTuple):
    """One leaf of the outputs at point + step * direction and at point - step * direction."""

    step: float
    ahead: Array
    behind: Array

    @property
    def slope(self) -> Array:
        """The slope between the two points."""
        return (self.ahead - self.behind) / (2 * self.step)

    @property
    def rounding(self) -> Any:
        """The rounding error of `slope`, if the outputs themselves are exact to the last bits."""
        return 8 * np.finfo(float).eps * largest(self.ahead) / self.step

    def bend(self, base: Array) -> Any:
        """Return the largest |ahead + behind - 2 base|: rounding, or curvature, or a kink."""
        return largest(self.ahead + self.behind - 2 * base)


def contradictions(
    f: Callable[[Any], Any],
    point: Tree,
    direction: Tree,
    outputs: Sequence[Any],
    slopes: Sequence[Any],
) -> dict[int, str]:
    """Return {index of an output leaf: LOST or KINK} where the central differences contradict it.

    outputs, slopes: the leaves of f at the complex point, and of the slopes that the complex step
    read from them.
    """
    with np.errstate(all="ignore"):
        found: list[list[Differences]] = []
        for step in QUICK:
            found.append(differences(f, point, direction, step, slopes))
            if all(
                settled(slope, rungs) or still(slope, rungs)
                for slope, rungs in zip(slopes, zip(*found))
            ):
                return {}
        rungs = list(zip(*(differences(f, point, direction, step, slopes) for step in STEPS)))
        bases = real_leaves(f, point, slopes)
        verdicts = enumerate(map(verdict, outputs, slopes, rungs, bases))
        return {index: judged for index, judged in verdicts if judged}


def differences(
    f: Callable[[Any], Any], point: Tree, direction: Tree, step: float, slopes: Sequence[Any]
) -> list[Differences]:
    """Return the Differences of each leaf of the outputs."""
    ends = [
        real_leaves(f, tree_map(lambda p, v, s=s: p + s * v, point, direction), slopes)
        for s in (step, -step)
    ]
    return [Differences(step, ahead, behind) for ahead, behind in zip(*ends)]


def real_leaves(f: Callable[[Any], Any], point: Tree, slopes: Sequence[Any]) -> list[Array]:
    """Return the leaves of f(point).

    They are zeros for whole numbers, which have no slope, and NaN where f refuses the point.
    """
    try:
        leaves = [np.asarray(np.real(leaf)) for leaf in tree_leaves(f(point))]
    except TypeError:  # constants inside f may be complex, and then it takes nothing else
        leaves = [
            np.asarray(np.real(leaf)) for leaf in tree_leaves(f(tree_map(lambda p: p + 0j, point)))
        ]
    except (ValueError, ArithmeticError):  # outside the domain of f
        return [np.full(np.shape(slope), np.nan) for slope in slopes]
    return [leaf if leaf.dtype.kind == "f" else np.zeros(leaf.shape) for leaf in leaves]


def settled(slope: Any, rungs: Sequence[Differences]) -> bool:
    """Return whether a difference that has little rounding agrees with the slope."""
    size = largest(slope)
    clear = [rung for rung in rungs if rung.rounding <= 1e-4 * size]
    return any(largest(slope - rung.slope) <= 1e-4 * size for rung in clear)


def still(slope: Any, rungs: Sequence[Differences]) -> bool:
    """Return whether the slope is zero and no step, however long, changed a bit of the leaf."""
    return (
        not np.any(slope)
        and len(rungs) > 1
        and all(np.array_equal(rung.ahead, rung.behind) for rung in rungs)
    )


def verdict(output: Any, slope: Any, rungs: Sequence[Differences], base: Array) -> str | None:
    """Return LOST or KINK if the differences of one leaf contradict its slope, else None."""
    if settled(slope, rungs):
        return None
    gaps = [largest(slope - rung.slope) for rung in rungs]
    noise = np.fmax.reduce(
        [rung.bend(base) for rung in rungs if rung.step < 2e-6] + [quantum(rungs)]
    )
    for gap, rung, wider in zip(gaps, rungs, rungs[1:]):
        if gap > 30 * spread(rung, wider, noise):
            return KINK if rung.bend(base) > 0.1 * gap * rung.step else LOST
    return None if np.iscomplexobj(output) or not moves(rungs) else LOST


def moves(rungs: Sequence[Differences]) -> bool:
    """Return whether each step from 1e-8 to 1e-6 changes the leaf: no mask, and not constant."""
    return all(
        not np.array_equal(rung.ahead, rung.behind) for rung in rungs if 5e-9 < rung.step < 5e-6
    )


def quantum(rungs: Sequence[Differences]) -> Any:
    """Return the first change of the leaf that is not zero, if shorter steps changed nothing.

    Such a change is one of rounding.
    """
    changes = [largest(rung.ahead - rung.behind) for rung in rungs]
    seen = [change for change in changes if change > 0]
    return seen[0] if seen and changes[0] == 0 else 0.0


def spread(rung: Differences, wider: Differences, noise: Any) -> Any:
    """Return how far two differences can be trusted: their distance plus their noise.

    It is infinite if they do not agree at all.

    Numbers within f are taken to be of size 1 at least: tanh(30) rounds to 1, and then no move
    shows its slope of 1e-26.
    """
    noise = max(noise, 8 * np.finfo(float).eps * max(1.0, largest(rung.ahead)))
    apart = largest(rung.slope - wider.slope) + noise / rung.step
    size = largest(rung.slope)
    return apart if apart <= 0.1 * size or size <= rung.rounding else np.inf


def largest(array: Any) -> Any:
    """Return the largest absolute value of the array, 0 if it is empty."""
    return np.max(np.abs(array), initial=0.0)
