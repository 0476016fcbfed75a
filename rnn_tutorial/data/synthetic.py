"""Tasks made of numbers, whose difficulty is the distance in time and nothing else."""

import numpy as np

from rnn_tutorial.validation import check_positive


def adding_problem(rng, T, B, dtype=np.float64):
    """Return (xs, targets): two of T numbers are marked, and their sum is wanted after the last step.

    xs[:, :, 0]   values, uniform in [0, 1)
    xs[:, :, 1]   markers: 1 at one step of the first half and at one step of the second half, 0 elsewhere
    targets       the sum of the two marked values

    Shapes: xs (T, B, 2), targets (B, 1). Always answering 1 has a mean squared error of 1/6, the variance of the sum of
    two uniform numbers; a network that solves the task is far below it. The first half has T // 2 steps.

    Source: Hochreiter & Schmidhuber 1997, section 5.4, in the form of Le, Jaitly & Hinton 2015, section 4.1.
    """
    _check_sizes(T, B, least=2)
    values = rng.random((T, B))
    markers = np.zeros((T, B))
    sequences = np.arange(B)
    markers[rng.integers(0, T // 2, size=B), sequences] = 1
    markers[rng.integers(T // 2, T, size=B), sequences] = 1
    xs = np.stack([values, markers], axis=-1).astype(dtype)
    return xs, (xs[..., 0] * xs[..., 1]).sum(axis=0)[:, None]


def delayed_echo(rng, T, B, delay, dtype=np.float64):
    """Return (xs, targets): a stream of random bits, and the same bits `delay` steps later.

    targets[t] = xs[t - delay], and 0 for t < delay. Shapes: both (T, B, 1), entries 0 and 1.
    """
    _check_sizes(T, B, least=1)
    if not isinstance(delay, (int, np.integer)) or not 0 <= delay < T:
        raise ValueError(f"delay: expected a whole number from 0 to T - 1 = {T - 1}, got {delay!r}")
    xs = rng.integers(2, size=(T, B, 1)).astype(dtype)
    targets = np.zeros_like(xs)
    targets[delay:] = xs[: T - delay]
    return xs, targets


def delayed_recall(rng, T, B, dtype=np.float64):
    """Return (xs, targets): a sign at the first step, then T - 1 steps of silence; the sign is wanted at the end.

    xs[0] = targets, +1 or -1; xs[t] = 0 for t > 0. Shapes: xs (T, B, 1), targets (B, 1).
    """
    _check_sizes(T, B, least=1)
    targets = (2 * rng.integers(2, size=(B, 1)) - 1).astype(dtype)
    xs = np.zeros((T, B, 1), dtype)
    xs[0] = targets
    return xs, targets


def _check_sizes(T, B, least):
    check_positive("B", B)
    check_positive("T", T)
    if T < least:
        raise ValueError(f"T: expected at least {least} steps, got {T}")
