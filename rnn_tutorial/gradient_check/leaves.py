"""Every leaf of a gradient judged by its own size, with as few slopes as can be.

Leaves whose shares of the slope are alike (within a factor of 30) are judged together, along one
random direction in which each has the same share. A leaf that is much smaller gets its own
direction, so that no large leaf hides it. Where a direction does not fit, its leaves are judged one
by one, with directions of several lengths: the slopes per length differ by the noise of the method,
and a leaf is wrong if it is off by more than its rtol and thirty times this noise.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from rnn_tutorial.tree import tree_norm
from rnn_tutorial.types import Array

__all__ = [
    "ALIKE",
    "LENGTHS",
    "RIGHT",
    "UNJUDGED",
    "WRONG",
    "best",
    "fits",
    "groups",
    "judge",
    "judge_leaves",
]

ALIKE = 30.0
LENGTHS = (0.1, 1.0, 10.0, 100.0, 1e3, 1e4)
RIGHT, WRONG, UNJUDGED = "right", "wrong", "unjudged"


def judge_leaves(
    slope_along: Callable[[list[Array]], Any],
    gradient: list[Array],
    direction: list[Array],
    rounding: float,
    rtol: float,
) -> list[str]:
    """Return RIGHT, WRONG or UNJUDGED for each leaf of `gradient`, a list of arrays.

    slope_along(list of arrays) -> the slope of the loss along this direction; direction: a list of
    arrays like the gradient; rounding: the size of the last bits of the loss. An error within the
    last bits of loss and gradient does not count: 1 - y * y of a closed gate has no more digits.
    UNJUDGED is a leaf smaller than the noise of the slopes. If that noise is as small as
    `rounding`, the leaf is zero as far as float64 can show, and it is RIGHT.
    """
    claims = [float(np.sum(g * v)) for g, v in zip(gradient, direction)]
    sizes = [float(np.sum(np.abs(g * v))) for g, v in zip(gradient, direction)]
    shares = tree_norm([g * v for g, v in zip(gradient, direction)])
    last_bits = 10 * (rounding + np.finfo(float).eps * np.nan_to_num(shares, posinf=0.0))
    found = [RIGHT] * len(sizes)
    for group in groups(sizes):
        weights = {k: sizes[group[0]] / sizes[k] if sizes[k] > 0 else 1.0 for k in group}
        if fits(slope_along, claims, sizes, direction, weights, rtol):
            continue
        for k in group:

            def along(length: float, k: int = k) -> Any:
                return (
                    slope_along([length * v * (j == k) for j, v in enumerate(direction)]) / length
                )

            found[k] = judge(along, claims[k], sizes[k], rtol * sizes[k], last_bits)
    return found


def groups(sizes: list[float]) -> list[list[int]]:
    """Return lists of indices of leaves of like sizes, largest first.

    Leaves of size zero are a list by themselves.
    """
    together: list[list[int]] = []
    for k in sorted(range(len(sizes)), key=lambda k: -sizes[k]):
        first = sizes[together[-1][0]] if together else np.nan
        if first <= ALIKE * sizes[k]:
            together[-1].append(k)
        else:
            together.append([k])
    return together


def fits(
    slope_along: Callable[[list[Array]], Any],
    claims: list[float],
    sizes: list[float],
    direction: list[Array],
    weights: dict[int, float],
    rtol: float,
) -> bool:
    """Return whether the slope along the weighted leaves is what they claim.

    A claim of zero must also hold along a much longer direction.
    """
    moved = [weights.get(k, 0.0) * v for k, v in enumerate(direction)]
    claim, size = (
        sum(weight * numbers[k] for k, weight in weights.items()) for numbers in (claims, sizes)
    )
    right = abs(claim - slope_along(moved)) <= rtol * size
    return right and (size > 0 or slope_along([LENGTHS[-1] * v for v in moved]) == 0)


def judge(
    along: Callable[[float], Any], claim: float, size: float, tolerance: float, last_bits: float
) -> str:
    """Return the verdict on one leaf.

    along(length) is its slope, measured with a direction of this length.
    """
    slopes, tolerance = {1.0: along(1.0)}, tolerance + last_bits
    if size > 0 and abs(claim - slopes[1.0]) <= tolerance:
        return RIGHT
    slopes |= {length: along(length) for length in (10.0, 100.0)}
    slope, noise = best(slopes)
    if noise > tolerance or slope == 0:
        slopes |= {length: along(length) for length in LENGTHS if length not in slopes}
        slope, noise = best(slopes)
    if not abs(claim - slope) <= tolerance + 30 * noise:
        return WRONG
    return RIGHT if 30 * noise <= 0.1 * size or noise <= last_bits else UNJUDGED


def best(slopes: dict[float, Any]) -> tuple[float, float]:
    """Return (slope, noise): median and range of the three adjacent slopes that differ least.

    Three zeros do not count if the slopes of the two longest directions are not zero: shorter moves
    may have been lost in rounding.
    """
    values = [slopes[length] for length in sorted(slopes)]
    seen = all(values[-2:])
    triples = [values[k : k + 3] for k in range(max(1, len(values) - 3))]
    triples = [three for three in triples if any(three) or not seen] or [values[-3:]]
    three = min(triples, key=np.ptp)
    return float(np.median(three)), float(np.ptp(three))
