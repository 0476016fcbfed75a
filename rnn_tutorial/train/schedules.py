"""Schedules: the learning rate as a function of the step.

Each returns a pure function `rate_at(step) -> rate`. The first step is 0. An optimizer takes a
schedule where it takes a rate.

Schedules are equal if their kind and numbers are, and can be pickled. Each formula is a function,
`exponential_rate` and so on; a schedule is one of them with its numbers given. Rates are Python
floats, which leave a float32 parameter float32.

Raises: ValueError for a step below 0, in all of them.
"""

import math
from typing import Any

from rnn_tutorial.bound import Bound
from rnn_tutorial.types import Rate, Schedule
from rnn_tutorial.validation import check_number, check_positive

__all__ = [
    "as_schedule",
    "checked_rate",
    "constant",
    "constant_rate",
    "cosine",
    "cosine_rate",
    "cyclic",
    "cyclic_rate",
    "exponential",
    "exponential_rate",
    "linear",
    "linear_rate",
    "noam",
    "noam_rate",
    "staircase",
    "staircase_rate",
]


def as_schedule(rate: Rate) -> Schedule:
    """Return a schedule: one that calls `rate` if it is one, `constant(rate)` if it is a number.

    Its rates are Python floats, whatever the numbers of `rate` are.

    Raises: ValueError for a number that is not a rate, and, when it is called, for a schedule of
    your own that returns no rate.
    """
    return Bound(checked_rate, rate_at=rate) if callable(rate) else constant(rate)


def checked_rate(step: int, *, rate_at: Schedule) -> float:
    """Return rate_at(step) as a Python float.

    Raises: ValueError unless it is a finite number, 0 or above.
    """
    return check_number("rate", float(rate_at(step)), at_least=0)


def constant(rate: float) -> Schedule:
    """Return the schedule rate_at(step) = rate.

    Raises: ValueError for a negative rate.
    """
    return Bound(constant_rate, rate=check_number("rate", rate, at_least=0))


def constant_rate(step: int, *, rate: float) -> float:
    """Return rate."""
    _check_step(step)
    return rate


def exponential(rate: float, decay: float, steps: int = 1) -> Schedule:
    """Return the schedule rate_at(step) = rate * decay^(step / steps).

    The rate is multiplied by `decay` in the course of `steps` steps.

    Raises: ValueError for a negative rate, a decay outside 0 < decay <= 1, or steps that are not a
    positive whole number.
    """
    return Bound(exponential_rate, **_decay(rate, decay, steps))


def exponential_rate(step: int, *, rate: float, decay: float, steps: int) -> float:
    """Return rate * decay^(step / steps)."""
    return rate * decay ** (_check_step(step) / steps)


def staircase(rate: float, decay: float, steps: int) -> Schedule:
    """Return the schedule rate_at(step) = rate * decay^floor(step / steps).

    It is `exponential` in jumps: the rate changes once in `steps` steps.

    Raises: as in `exponential`.
    """
    return Bound(staircase_rate, **_decay(rate, decay, steps))


def staircase_rate(step: int, *, rate: float, decay: float, steps: int) -> float:
    """Return rate * decay^floor(step / steps)."""
    return rate * decay ** (_check_step(step) // steps)


def linear(start: float, end: float, steps: int) -> Schedule:
    """Return the schedule rate_at(step) = start + (end - start) * min(step / steps, 1).

    A straight line for `steps` steps, then `end`.

    Raises: ValueError for a negative rate or steps that are not a positive whole number.
    """
    return Bound(linear_rate, **_ends(start, end, steps))


def linear_rate(step: int, *, start: float, end: float, steps: int) -> float:
    """Return start + (end - start) * min(step / steps, 1)."""
    return start + (end - start) * min(_check_step(step) / steps, 1)


def cosine(start: float, end: float, steps: int) -> Schedule:
    """Return the schedule end + (start - end) (1 + cos(pi * min(step / steps, 1))) / 2.

    Half a wave for `steps` steps, then `end`.

    Raises: as in `linear`.

    Source: Loshchilov and Hutter (2017), "SGDR: stochastic gradient descent with warm restarts",
    equation 5, without restarts.
    """
    return Bound(cosine_rate, **_ends(start, end, steps))


def cosine_rate(step: int, *, start: float, end: float, steps: int) -> float:
    """Return end + (start - end) (1 + cos(pi * min(step / steps, 1))) / 2."""
    return end + (start - end) * (1 + math.cos(math.pi * min(_check_step(step) / steps, 1))) / 2


def cyclic(low: float, high: float, steps: int) -> Schedule:
    """Return the schedule low + (high - low) * (1 - |step mod 2 steps - steps| / steps).

    It climbs from low to high in `steps` steps, returns in as many, and begins again: the
    triangular policy.

    Raises: as in `linear`, and ValueError where high < low.

    Source: Smith (2017), "Cyclical learning rates for training neural networks", section 3.1.
    """
    low, high, steps = _ends(low, high, steps).values()
    return Bound(cyclic_rate, low=low, high=check_number("high", high, at_least=low), steps=steps)


def cyclic_rate(step: int, *, low: float, high: float, steps: int) -> float:
    """Return low + (high - low) * (1 - |step mod 2 steps - steps| / steps)."""
    return low + (high - low) * (1 - abs(_check_step(step) % (2 * steps) - steps) / steps)


def noam(hidden_size: int, warmup: int, factor: float = 1.0) -> Schedule:
    """Return the schedule factor * hidden_size^(-1/2) * min(n^(-1/2), n * warmup^(-3/2)).

    Here n = step + 1. The rate climbs for `warmup` steps, then falls like one over the square root
    of the step.

    Raises: ValueError for a size or a warmup that is not a positive whole number, or a factor that
    is not positive.

    Source: Vaswani et al. (2017), "Attention is all you need", equation 3, whose first step is 1.
    """
    sizes = {
        "hidden_size": check_positive("hidden_size", hidden_size),
        "warmup": check_positive("warmup", warmup),
    }
    return Bound(noam_rate, **sizes, factor=check_number("factor", factor, above=0))


def noam_rate(step: int, *, hidden_size: int, warmup: int, factor: float) -> float:
    """Return factor * hidden_size^(-1/2) * min(n^(-1/2), n * warmup^(-3/2)), n = step + 1."""
    n = _check_step(step) + 1
    return factor * hidden_size**-0.5 * min(n**-0.5, n * warmup**-1.5)


def _check_step(step: float) -> float:
    """Return the step as a Python float."""
    return check_number("step", step, at_least=0)


def _decay(rate: float, decay: float, steps: int) -> dict[str, Any]:
    rate, decay = (
        check_number("rate", rate, at_least=0),
        check_number("decay", decay, above=0, at_most=1),
    )
    return {"rate": rate, "decay": decay, "steps": check_positive("steps", steps)}


def _ends(start: float, end: float, steps: int) -> dict[str, Any]:
    start, end = (
        check_number("start of the rates", start, at_least=0),
        check_number("end of the rates", end, at_least=0),
    )
    return {"start": start, "end": end, "steps": check_positive("steps", steps)}
