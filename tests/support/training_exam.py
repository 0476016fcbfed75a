"""What the tests of the assignments share in which a network is trained. Not a test file."""

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

from rnn_course.judge.judge import Exam, prepare
from rnn_course.judge.question import Question

each_seed = pytest.mark.parametrize("seed", range(3))


def exams_of(question: Question) -> Callable[[int], Exam]:
    """Return the function of a seed that returns the exam of this seed, drawn at its first call."""

    @cache
    def exam(seed: int) -> Exam:
        return prepare(question, bytes([seed]))

    return exam


def rng_of(seed: int) -> np.random.Generator:
    """Return the random generator of a seed."""
    return np.random.default_rng(seed)


def relative(value: np.ndarray, want: np.ndarray) -> float:
    """Return the largest error of an array, relative to its largest entry."""
    return float(np.max(np.abs(value - want)) / np.max(np.abs(want)))
