"""Tasks whose only difficulty is the distance in time."""

import numpy as np

from rnn_tutorial.data.batches import lengths_to_mask
from rnn_tutorial.data.text import Vocabulary, one_hot
from rnn_tutorial.types import Array, DTypeLike, Mask, Rng
from rnn_tutorial.validation import check_positive, check_rng

__all__ = [
    "TEMPORAL_ORDER_VOCABULARY",
    "adding_problem",
    "delayed_echo",
    "delayed_recall",
    "running_parity",
    "temporal_order",
]

TEMPORAL_ORDER_VOCABULARY = Vocabulary("EBXYabcd")


def adding_problem(rng: Rng, T: int, B: int, dtype: DTypeLike = np.float64) -> tuple[Array, Array]:
    """Return (xs, targets): two of T numbers are marked, and their sum is wanted at the end.

        xs[:, :, 0]   values, uniform in [0, 1)
        xs[:, :, 1]   markers: 1 at one step of each half, 0 elsewhere
        targets       the sum of the two marked values

    The first half has T // 2 steps. The constant answer 1 has a mean squared error of 1/6, the
    variance of the sum of two uniform numbers; a network that solves the task is far below it.

    Shapes: xs (T, B, 2), targets (B, 1).

    Raises: TypeError unless `rng` is a generator; ValueError unless T is at least 2 and B at least
    1.

    Source: Hochreiter & Schmidhuber 1997, section 5.4, in the form of Le, Jaitly & Hinton 2015,
    section 4.1.
    """
    check_rng(rng)
    _check_sizes(T, B, least=2)
    values = rng.random((T, B))
    markers = np.zeros((T, B))
    sequences = np.arange(B)
    markers[rng.integers(0, T // 2, size=B), sequences] = 1
    markers[rng.integers(T // 2, T, size=B), sequences] = 1
    xs = np.stack([values, markers], axis=-1).astype(dtype)
    return xs, (xs[..., 0] * xs[..., 1]).sum(axis=0)[:, None]


def delayed_echo(
    rng: Rng, T: int, B: int, delay: int, dtype: DTypeLike = np.float64
) -> tuple[Array, Array]:
    """Return (xs, targets): a stream of random bits, and the same bits `delay` steps later.

    targets[t] = xs[t - delay], and 0 for t < delay.

    Shapes: xs and targets (T, B, 1), entries 0 and 1.

    Raises: TypeError unless `rng` is a generator; ValueError unless 0 <= delay < T and B is
    positive.
    """
    check_rng(rng)
    _check_sizes(T, B, least=1)
    if not isinstance(delay, (int, np.integer)) or not 0 <= delay < T:
        raise ValueError(f"delay: expected a whole number from 0 to T - 1 = {T - 1}, got {delay!r}")
    xs = rng.integers(2, size=(T, B, 1)).astype(dtype)
    targets = np.zeros_like(xs)
    targets[delay:] = xs[: T - delay]
    return xs, targets


def delayed_recall(rng: Rng, T: int, B: int, dtype: DTypeLike = np.float64) -> tuple[Array, Array]:
    """Return (xs, targets): a sign, then T - 1 zeros; the sign is wanted at the end.

    xs[0] = targets, +1 or -1; xs[t] = 0 for t > 0.

    Shapes: xs (T, B, 1), targets (B, 1).

    Raises: TypeError unless `rng` is a generator; ValueError unless T and B are positive whole
    numbers.
    """
    check_rng(rng)
    _check_sizes(T, B, least=1)
    targets = (2 * rng.integers(2, size=(B, 1)) - 1).astype(dtype)
    xs = np.zeros((T, B, 1), dtype)
    xs[0] = targets
    return xs, targets


def running_parity(rng: Rng, T: int, B: int, dtype: DTypeLike = np.float64) -> tuple[Array, Array]:
    """Return (xs, targets): random bits, and at every step whether their number so far is odd.

    targets[t] = (xs[0] + ... + xs[t]) mod 2

    One bit of memory is enough, but every step may change it, so nothing can be left out.

    Shapes: xs (T, B, 1), targets (T, B) int64, 0 or 1.

    Raises: TypeError unless `rng` is a generator; ValueError unless T and B are at least 1.
    """
    check_rng(rng)
    _check_sizes(T, B, least=1)
    bits = rng.integers(2, size=(T, B))
    return bits[..., None].astype(dtype), bits.cumsum(axis=0) % 2


def temporal_order(
    rng: Rng,
    B: int,
    length: tuple[int, int] = (100, 110),
    first: tuple[int, int] = (10, 20),
    second: tuple[int, int] = (50, 60),
    dtype: DTypeLike = np.float64,
) -> tuple[Array, Array, Mask]:
    """Return (xs, targets, mask): two marks, X or Y, among random letters; their order is wanted.

        step 0             E, the start
        steps t_1, t_2     X or Y: t_1 uniform in first[0] … first[1], t_2 in second[0] … second[1]
        last step          B, the end
        all other steps    one of a, b, c, d
        targets            0 for X X, 1 for X Y, 2 for Y X, 3 for Y Y, wanted after the last step

    The number of steps is uniform in length[0] … length[1], both ends included. A guess is right
    once in four times. The defaults are the published task; a shorter one has the same proportions:
    length=(30, 33), first=(3, 6), second=(15, 18).

    Shapes: xs (T, B, 8) one-hot, columns as in TEMPORAL_ORDER_VOCABULARY, zeros on padding; targets
    (B,) int64; mask (T, B), True on real steps. T is the length of the longest.

    Raises: TypeError unless `rng` is a generator; ValueError for ranges that are not 0 < first <=
    second < length - 1, each from its smaller to its larger end.

    Source: Hochreiter & Schmidhuber 1997, section 5.6, task 6a.
    """
    check_rng(rng)
    check_positive("B", B)
    _check_places(length, first, second)
    lengths, *places = (
        rng.integers(low, high, size=B, endpoint=True) for low, high in (length, first, second)
    )
    T, sequences = lengths.max(), np.arange(B)
    marks = rng.integers(2, size=(2, B))  # 0 is X, 1 is Y
    start, end, mark, letter = TEMPORAL_ORDER_VOCABULARY.encode("EBXa")
    symbols = letter + rng.integers(4, size=(T, B))
    symbols[0] = start
    symbols[lengths - 1, sequences] = end
    symbols[places, sequences] = mark + marks
    mask = lengths_to_mask(lengths, T)
    return (
        one_hot(symbols, len(TEMPORAL_ORDER_VOCABULARY), dtype) * mask[..., None],
        2 * marks[0] + marks[1],
        mask,
    )


def _check_places(length: tuple[int, int], first: tuple[int, int], second: tuple[int, int]) -> None:
    for name, ends in (("length", length), ("first", first), ("second", second)):
        if (
            np.shape(ends) != (2,)
            or not all(isinstance(end, (int, np.integer)) for end in ends)
            or ends[0] > ends[1]
        ):
            raise ValueError(f"{name}: expected two whole numbers, the smaller first, got {ends}")
    if not 0 < first[0] <= first[1] < second[0] <= second[1] < length[0] - 1:
        raise ValueError(
            "length, first, second: expected the first mark after step 0, the second after the "
            "first, and both before the last step of the shortest sequence, "
            f"got length={length}, first={first}, second={second}"
        )


def _check_sizes(T: int, B: int, least: int) -> None:
    check_positive("B", B)
    check_positive("T", T)
    if T < least:
        raise ValueError(f"T: expected at least {least} steps, got {T}")
