"""A question of an assignment: a function that the student writes, and everything that is needed to judge it.

The same Question serves the self-check in the notebook, the hidden tests of nbgrader, and the grader. `reference` is a tested
function of this package with the signature that the student is given; `causes` are the mistakes that can be recognised.
"""

import inspect
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from rnn_course.judge.scoring import Scoring

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
    mistake: Callable  # mistake(*arguments) -> what a function with this mistake returns, a tree like the reference's


class Question(NamedTuple):
    """A function to write. `name` is that of the function and the grade_id of its cell."""

    name: str
    outputs: dict  # name of each leaf that is returned -> its axes, in order: {"dparams.W_x": "D H", "dxs": "T B D"}
    cases: Callable  # cases(rng) -> list of tuples of arguments, trees of arrays
    reference: Callable  # reference(*arguments) -> the right answer; its parameters have the names the student sees
    causes: tuple = ()
    scoring: Scoring | None = (
        None  # how an answer is judged that need not be the reference's; the reference has full marks
    )
    seconds: float = (
        0  # what a process that is asked this question may take longer than one that is not
    )


class Sizes(NamedTuple):
    """The sizes of one case, no two of them equal: equal sizes would hide a transposed matrix."""

    T: int
    B: int
    D: int
    H: int


def draw_sizes(rng):
    """Return Sizes, four different numbers from 3 to 7."""
    return Sizes(*(int(size) for size in rng.choice(np.arange(3, 8), 4, replace=False)))


def argument_names(question):
    """Return the names of the arguments, from the signature of the reference."""
    return tuple(inspect.signature(question.reference).parameters)


def causes_of(function, *tables):
    """Return the tuple of Causes of `function`, which has a keyword for each thing that can go wrong.

    tables: rows of (name, hint, keywords), which throw the function's switches.
    """
    return tuple(
        Cause(name, hint, partial(function, **switches))
        for table in tables
        for name, hint, switches in table
    )
