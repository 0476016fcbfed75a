"""A question with many right answers, such as "train this network": its answer has a score.

Such a question has one case. Its first argument is a tree with the structure of the answer:
untrained parameters go in, trained ones come back. They are tried outside the sandbox, on data that
never enters it, so only what they can do earns points. The score depends on the returned numbers
alone: the same numbers have the same score.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rnn_tutorial.types import Array, Rng

if TYPE_CHECKING:
    from rnn_course.judge.judge import Exam, Part, Verdict

__all__ = [
    "Scoring",
    "credit_of",
    "in_percent",
    "score_of",
    "shortfall",
]


class Scoring(NamedTuple):
    """How an answer is tried, and what a score is worth."""

    # held_out(rng) -> what the answer is tried on; rng is in the same state as for `cases`
    held_out: Callable[[Rng], Any]
    # score(leaves, held_out) -> a share, 0 to 1; leaves: float64, finite, of the right shapes
    score: Callable[[list[Array], Any], float]
    # ((the least score, the share of the points it earns), …), both ascending, the last share 1
    rungs: tuple[tuple[float, float], ...]
    # what the score is a share of: "of the letters right, in words it has not seen"
    unit: str
    # remarks(leaves, case, held_out) -> the names, in `hints`, of what can be seen in the answer
    remarks: Callable[[list[Array], Any, Any], Iterable[str]] = lambda leaves, case, held_out: ()
    # {name: hint}: what can be remarked, in words for the student
    hints: Mapping[str, str] = {}


def score_of(exam: "Exam", parts: "list[Part]") -> float | None:
    """Return the score of what came back; None if its shapes are wrong or it is not finite."""
    scoring, values = exam.question.scoring, [part.values[0] for part in parts]
    assert scoring is not None
    if any(value is None or not np.isfinite(value).all() for value in values):
        return None
    with np.errstate(all="ignore"):  # finite numbers of any size
        leaves = [value.astype(np.float64) for value in values]
        score = float(scoring.score(leaves, exam.held_out))
    return score if np.isfinite(score) else 0.0


def credit_of(score: float | None, rungs: Iterable[tuple[float, float]]) -> float:
    """Return the share of the points that a score earns: that of its highest rung, else 0."""
    return max(
        (share for least, share in rungs if score is not None and score >= least), default=0.0
    )


def shortfall(exam: "Exam", verdict: "Verdict") -> list[tuple[str, str]]:
    """Return [(name, hint)] on a score that is too low: what can be seen, then the next rung."""
    scoring, score = exam.question.scoring, verdict.score
    assert scoring is not None and score is not None
    leaves = [part.values[0].astype(np.float64) for part in verdict.parts]
    with np.errstate(all="ignore"):
        seen = list(scoring.remarks(leaves, exam.cases[0], exam.held_out))
    least = next(least for least, _ in scoring.rungs if score < least)
    words = (
        f"Your answer gets {in_percent(score)} {scoring.unit}. "
        f"More points begin at {in_percent(least)}."
    )
    return [(name, scoring.hints[name]) for name in seen] + [("below the target", words)]


def in_percent(share: float) -> str:
    """Return a share in percent, cut off, not rounded: it never looks like a rung not reached."""
    return f"{np.floor(1000 * share + 1e-9) / 10:g} %"
