"""Late work: how many days, and what the rule of the course makes of them.

The free days belong to the whole course, so the rule is applied where all assignments are known:
in the total.
"""

import math
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from rnn_course.course import Late

__all__ = ["Kept", "after_rule", "days_late"]


class Kept(NamedTuple):
    """What is left of the points of one assignment."""

    points: float
    free_days: int  # of the course's, that were used for it
    percent: float  # of the points earned, that were taken away


def days_late(time: datetime, due: datetime, extension: float = 0) -> int:
    """Return how many days late a submission came; a day that has begun counts as a day.

    extension: days that this student has more.

    Example:
    >>> due = datetime.fromisoformat("2026-10-29T23:59:00+01:00")
    >>> days_late(datetime.fromisoformat("2026-10-31T00:00:00+01:00"), due)
    2
    """
    return max(0, math.ceil((time - due - timedelta(days=extension)) / timedelta(days=1)))


def after_rule(earned: Iterable[tuple[float, int]], rule: Late) -> list[Kept]:
    """Return what is left of [(points, days late)] of a student's assignments, in their order.

    Free days are used first come, first served, and not for what comes after the last day, which
    earns nothing. Each further day costs `percent_per_day` of the points earned.

    Example:
    >>> after_rule([(20, 4), (20, 3)], Late(free_days=5, percent_per_day=10, last_day=4))
    [Kept(points=20, free_days=4, percent=0), Kept(points=16.0, free_days=1, percent=20)]
    """
    left, kept = rule.free_days, []
    for points, days in earned:
        if days > rule.last_day:
            kept.append(Kept(0, 0, 100))
            continue
        used = min(days, left)
        left -= used
        percent = min(100, (days - used) * rule.percent_per_day)
        kept.append(
            Kept(points if not percent else round(points * (100 - percent) / 100, 2), used, percent)
        )
    return kept
