"""A question of an assignment: a function that the student writes, and what is needed to judge it.

The same Question serves the self-check in the notebook, the hidden tests of nbgrader, and the
grader. Its reference is the instructor's solution; its causes are edits of it, see `mistake`.
"""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from rnn_course.judge.mistake import Cause
from rnn_course.judge.scoring import Scoring
from rnn_tutorial.types import Rng, Tree

__all__ = [
    "Question",
    "Sizes",
    "WordQuestion",
    "argument_names",
    "draw_sizes",
]


class Question(NamedTuple):
    """A function to write. `name` is that of the function and the grade_id of its cell."""

    name: str
    # The name of each leaf that is returned, in order, and its axes: {"dparams.W_x": "D H"}.
    outputs: Mapping[str, str]
    # cases(rng) -> the arguments of each case, trees of arrays
    cases: Callable[[Rng], list[tuple[Any, ...]]]
    # reference(*arguments) -> the right answer: the instructor's solution, in the signature that
    # the student sees
    reference: Callable[..., Tree]
    # The blocks along an axis of several gates, in order: {"3H": ("r", "z", "n")}.
    gates: Mapping[str, tuple[str, ...]] = {}
    # How an answer is judged if there are other right ones than that of the reference.
    scoring: Scoring | None = None
    # How much more processor time a process has that is asked this question.
    seconds: float = 0
    # The mistakes that can be recognised. `questions_of` takes them from rnn_course/mistakes.
    causes: tuple[Cause, ...] = ()


class WordQuestion(NamedTuple):
    """A question that is answered in words and graded by hand."""

    name: str
    rubric: tuple[str, ...]  # what is worth how much: "2 points: both paths are named, and …"


class Sizes(NamedTuple):
    """The sizes of one case, all different: equal sizes would hide a transposed matrix."""

    T: int
    B: int
    D: int
    H: int


def draw_sizes(rng: Rng) -> Sizes:
    """Return Sizes, four different numbers from 3 to 7."""
    return Sizes(*(int(size) for size in rng.choice(np.arange(3, 8), 4, replace=False)))


def argument_names(question: Question) -> tuple[str, ...]:
    """Return the names of the arguments, from the signature of the reference."""
    return tuple(inspect.signature(question.reference).parameters)
