"""Schedules: the learning rate as a function of the step.

Each returns a pure function `rate_at(step) -> rate`. The first step is 0. An optimizer takes a schedule where it takes a rate.
"""

import math

from rnn_tutorial.validation import check_number, check_positive


def as_schedule(rate):
    """Return a schedule: `rate` itself if it is one, `constant(rate)` if it is a number.

    Its rates are Python numbers, which leave a float32 parameter float32.
    """
    return (lambda step: float(rate(step))) if callable(rate) else constant(rate)


def constant(rate):
    """Return the schedule rate_at(step) = rate."""
    check_number("rate", rate, at_least=0)
    return lambda step: float(rate)


def exponential(rate, decay, steps=1):
    """Return the schedule rate_at(step) = rate * decay^(step / steps): `decay` times smaller after each `steps` steps.

    Errors: ValueError for a negative rate, a decay outside 0 < decay <= 1, or steps that are no positive whole number.
    """
    _check_decay(rate, decay, steps)
    return lambda step: float(rate * decay ** (step / steps))


def staircase(rate, decay, steps):
    """Return the schedule rate_at(step) = rate * decay^floor(step / steps): `exponential`, in stairs.

    Errors: as in `exponential`.
    """
    _check_decay(rate, decay, steps)
    return lambda step: float(rate * decay ** (step // steps))


def linear(start, end, steps):
    """Return the schedule rate_at(step) = start + (end - start) * min(step / steps, 1): a straight line, then `end`.

    Errors: ValueError for a negative rate or steps that are no positive whole number.
    """
    _check_ends(start, end, steps)
    return lambda step: float(start + (end - start) * min(step / steps, 1))


def cosine(start, end, steps):
    """Return the schedule rate_at(step) = end + (start - end) (1 + cos(pi * min(step / steps, 1))) / 2: half a wave, then `end`.

    Source: Loshchilov and Hutter (2017), "SGDR: stochastic gradient descent with warm restarts", equation 5, without restarts.
    Errors: as in `linear`.
    """
    _check_ends(start, end, steps)
    return lambda step: float(end + (start - end) * (1 + math.cos(math.pi * min(step / steps, 1))) / 2)


def cyclic(low, high, steps):
    """Return the schedule that climbs from low to high in `steps` steps, returns in as many, and begins again.

    rate_at(step) = low + (high - low) * (1 - |step mod 2 steps - steps| / steps), the triangular policy.
    Source: Smith (2017), "Cyclical learning rates for training neural networks", section 3.1.
    Errors: as in `linear`, and ValueError where high < low.
    """
    _check_ends(low, high, steps)
    check_number("high", high, at_least=low)
    return lambda step: float(low + (high - low) * (1 - abs(step % (2 * steps) - steps) / steps))


def noam(hidden_size, warmup, factor=1.0):
    """Return the schedule rate_at(step) = factor * hidden_size^(-1/2) * min(n^(-1/2), n * warmup^(-3/2)), n = step + 1.

    The rate climbs for `warmup` steps, then falls like one over the square root of the step.
    Source: Vaswani et al. (2017), "Attention is all you need", equation 3, whose first step is 1.
    Errors: ValueError for a size or a warmup that is no positive whole number, or a factor that is not positive.
    """
    check_positive("hidden_size", hidden_size)
    check_positive("warmup", warmup)
    check_number("factor", factor, above=0)
    return lambda step: float(factor * hidden_size**-0.5 * min((step + 1) ** -0.5, (step + 1) * warmup**-1.5))


def _check_decay(rate, decay, steps):
    check_number("rate", rate, at_least=0)
    check_number("decay", decay, above=0, at_most=1)
    check_positive("steps", steps)


def _check_ends(start, end, steps):
    check_number("start of the rates", start, at_least=0)
    check_number("end of the rates", end, at_least=0)
    check_positive("steps", steps)
