"""Slips that can happen in any array, for any question: what each makes of a right leaf."""

from collections.abc import Iterator, Sequence
from itertools import permutations

import numpy as np

from rnn_course.judge.judge import Exam, axes_sizes
from rnn_tutorial.types import Array

__all__ = ["slips"]

FACTORS = (
    ("sign", "The sign is the wrong way round.", -1),
    (
        "never written",
        "This is all zeros: it was made and never written to, or multiplied away.",
        0,
    ),
    ("factor of two", "This is twice what it should be: something is counted twice.", 2),
    ("factor of two", "This is half of what it should be.", 0.5),
)
MEANS = (("B", "the batch"), ("T", "the steps"), ("TB", "the steps and the batch"))


def slips(exam: Exam, axes: list[str], place: int) -> Iterator[tuple[str, str, list[Array]]]:
    """Yield (name, hint, wrong leaves): the leaf at `place` in each case as the slip would make it.

    axes: those of the leaf.
    """
    wants = [leaves[place] for leaves in exam.expected]
    for name, hint, factor in FACTORS:
        yield name, hint, [factor * want for want in wants]
    yield from means(exam, axes, wants)
    if len(axes) == 2 and axes[0] == axes[1]:
        yield (
            "weight transposed",
            "Rows and columns of this gradient are exchanged.",
            [want.T for want in wants],
        )
    if axes[:1] == ["T"]:
        hint = "The steps are in the opposite order: the loop runs back, the result does not."
        yield "time runs backwards", hint, [want[::-1] for want in wants]
    if axes and axes[-1] in exam.question.gates:
        yield from exchanged_gates(exam.question.gates[axes[-1]], wants)
    for other, name in enumerate(exam.question.outputs):
        if other != place:
            hint = f"This is {name}: two things that you return stand in each other's place."
            yield "outputs exchanged", hint, [leaves[other] for leaves in exam.expected]


def means(
    exam: Exam, axes: list[str], wants: list[Array]
) -> Iterator[tuple[str, str, list[Array]]]:
    """Yield the slips that divide by the size of an axis that was summed over."""
    for over, words in MEANS:
        counts = [[axes_sizes(exam, k).get(axis, 0) for axis in over] for k in range(len(wants))]
        if not set(over) & set(axes) and all(map(all, counts)):
            hint = f"This is a mean over {words}, where a sum is due: look for a 1/N too many."
            yield (
                "mean for sum",
                hint,
                [want / np.prod(count) for want, count in zip(wants, counts)],
            )


def exchanged_gates(
    gates: Sequence[str], wants: list[Array]
) -> Iterator[tuple[str, str, list[Array]]]:
    """Yield the slips that have the right gates, in a wrong order or mixed unit by unit."""
    mixed = [interleaved(want, len(gates)) for want in wants]
    hint = "The gates stand unit by unit, not in blocks: look at how the array is reshaped."
    yield "gates interleaved", hint, mixed
    for order in permutations(range(len(gates))):
        if order != tuple(range(len(gates))):
            yours = ", ".join(gates[k] for k in order)
            hint = (
                f"The gates are right, their order is not: yours is {yours}, "
                f"the order here is {', '.join(gates)}."
            )
            blocks = [np.split(want, len(gates), axis=-1) for want in wants]
            yield (
                "gates in another order",
                hint,
                [np.concatenate([b[k] for k in order], axis=-1) for b in blocks],
            )


def interleaved(blocks: Array, count: int) -> Array:
    """Return the `count` blocks of the last axis mixed: the first of each, the second of each, …"""
    apart = blocks.reshape(*blocks.shape[:-1], count, -1)
    return np.swapaxes(apart, -1, -2).reshape(blocks.shape)
