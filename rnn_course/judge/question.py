"""A question of an assignment: a function that the student writes, and what is needed to judge it.

The same Question serves the self-check in the notebook, the hidden tests of nbgrader, and the
grader. `reference` is a tested function with the signature that the student is given; `causes` are
the mistakes that can be recognised.
"""

import inspect
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from rnn_course.judge.scoring import Scoring
from rnn_tutorial.types import Rng, Tree

__all__ = [
    "Cause",
    "Question",
    "Sizes",
    "argument_names",
    "causes_of",
    "draw_sizes",
]


class Cause(NamedTuple):
    """A mistake with a name. It is recognised when a submission returns what `mistake` returns."""

    name: str  # a few words, the same in every question: the class summary counts them
    hint: str  # one or two sentences for the student: what to look at, never the answer
    mistake: Callable[..., Tree]  # returns what a function with this mistake returns


class Question(NamedTuple):
    """A function to write. `name` is that of the function and the grade_id of its cell."""

    name: str
    # The name of each leaf that is returned, in order, and its axes: {"dparams.W_x": "D H"}.
    outputs: dict[str, str]
    # cases(rng) -> the arguments of each case, trees of arrays
    cases: Callable[[Rng], list[tuple[Any, ...]]]
    # reference(*arguments) -> the right answer; its parameters have the names that the student sees
    reference: Callable[..., Tree]
    causes: tuple[Cause, ...] = ()
    # How an answer is judged if there are other right ones than that of the reference.
    scoring: Scoring | None = None
    # How much more time a process has that is asked this question.
    seconds: float = 0


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


def causes_of(
    function: Callable[..., Any], *tables: Iterable[tuple[str, str, dict[str, Any]]]
) -> tuple[Cause, ...]:
    """Return the Causes of `function`, which has a keyword for each mistake.

    tables: rows of (name, hint, keywords); the keywords switch the mistake on.
    """
    return tuple(
        Cause(name, hint, partial(function, **switches))
        for table in tables
        for name, hint, switches in table
    )
