"""A question that has no single right answer, such as "train this network": its answer is judged by a score that it reaches.

Such a question is asked one case, whose first argument is the tree that the answer must be like: untrained parameters go in,
trained ones come back. They are tried outside the sandbox, on data that never enters it, so that nothing can be earned but by
what they can do. Nothing here may depend on more than the numbers that came back: the same ones have the same score.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

__all__ = [
    "Scoring",
    "credit_of",
    "in_percent",
    "score_of",
    "shortfall",
]


class Scoring(NamedTuple):
    """How an answer is tried, and what a score is worth."""

    held_out: Callable  # held_out(rng) -> what the answer is tried on; rng is in the state in which `cases` has it
    score: Callable  # score(leaves, held_out) -> a share, 0 to 1; leaves: float64, finite, of the right shapes
    rungs: tuple  # ((the least score, the share of the points that it earns), …), both ascending, the last share 1
    unit: str  # what the score is a share of: "of the letters right, in words it has not seen"
    remarks: Callable = (
        lambda leaves, case, held_out: ()
    )  # -> the names of those causes of the question that can be seen


def score_of(exam, parts):
    """Return the score of what came back, or None if it is not of the right shapes or not finite."""
    values = [part.values[0] for part in parts]
    if any(value is None or not np.isfinite(value).all() for value in values):
        return None
    with np.errstate(all="ignore"):  # finite numbers of any size
        score = float(
            exam.question.scoring.score(
                [value.astype(np.float64) for value in values], exam.held_out
            )
        )
    return score if np.isfinite(score) else 0.0


def credit_of(score, rungs):
    """Return the share of the points that a score earns: that of the highest rung it reaches, 0 below the first."""
    return max(
        (share for least, share in rungs if score is not None and score >= least), default=0.0
    )


def shortfall(exam, verdict):
    """Return [(name, hint)] on a score that is not enough: the causes that can be seen, then the score and the next rung."""
    scoring, hints = (
        exam.question.scoring,
        {cause.name: cause.hint for cause in exam.question.causes},
    )
    leaves = [part.values[0].astype(np.float64) for part in verdict.parts]
    with np.errstate(all="ignore"):
        seen = list(scoring.remarks(leaves, exam.cases[0], exam.held_out))
    least = next(least for least, _ in scoring.rungs if verdict.score < least)
    words = f"Your answer gets {in_percent(verdict.score)} {scoring.unit}. More points begin at {in_percent(least)}."
    return [(name, hints[name]) for name in seen] + [("below the target", words)]


def in_percent(share):
    """Return a share in words; cut off, not rounded, so that no score looks like a rung that it does not reach."""
    return f"{np.floor(1000 * share + 1e-9) / 10:g} %"
