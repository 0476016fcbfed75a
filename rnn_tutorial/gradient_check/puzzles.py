"""Wrong backwards to find the mistake in: five of the LSTM's step, two of the GRU.

Each is a right function of the package with one edit that a student would make. It is made when it
is asked for, so its source cannot be shown. `lstm_answer` and `gru_answer` say what the edit was.
"""

import inspect
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from rnn_tutorial.cells.gru import gru_gates_backward, gru_pointwise_backward
from rnn_tutorial.cells.lstm import lstm_step_backward
from rnn_tutorial.gradient_check.one_step import StepBackward
from rnn_tutorial.types import PointwiseBackward
from rnn_tutorial.validation import check_positive

__all__ = [
    "Answer",
    "GRU_PUZZLES",
    "LSTM_PUZZLES",
    "edited",
    "gru_answer",
    "gru_puzzle",
    "lstm_answer",
    "lstm_puzzle",
]


class Answer(NamedTuple):
    """What is wrong in a puzzle. `place` is what `locate` calls it."""

    place: str
    right: str
    wrong: str
    why: str


LSTM_PUZZLES = (
    Answer(
        "da_g",
        "dg * (1 - g**2)",
        "dg * g * (1 - g)",
        "g is a tanh, and this is the slope of sigmoid.",
    ),
    Answer(
        "dW_h",
        "W_h=previous.h.T @ da",
        "W_h=(o * tanh_c).T @ da",
        "a is computed from the old h, and o * tanh_c is the new one.",
    ),
    Answer(
        "dc",
        "dc = dstate.c + dstate.h * o",
        "dc = dstate.h * o",
        "c is used twice, in h and by the next step, and one of the two gradients is missing.",
    ),
    Answer(
        "db",
        "da.sum(axis=0)",
        "da.mean(axis=0)",
        "Every sequence uses b, and its gradient is their sum.",
    ),
    Answer(
        "dprevious.c", "c=dc * f)", "c=dc * i)", "The old c is multiplied by f, and i multiplies g."
    ),
)

GRU_PUZZLES = (
    Answer(
        "da_h.n",
        "n=dn), da_n * values.r",
        "n=dn), da_n",
        "The reset gate multiplies s, so r is in its gradient, and in that of b_hn.",
    ),
    Answer(
        "da_z",
        "dstate.h * (values.h_previous - values.n)",
        "dstate.h * (values.n - values.h_previous)",
        "Here z keeps the old state. This is the gradient for a z that lets the new one in.",
    ),
)


def lstm_puzzle(number: int) -> StepBackward:
    """Return a wrong `lstm_step_backward`, 1 to 5, with a mistake to find.

    Raises: ValueError for another number.

    Example:
    >>> import numpy as np
    >>> from rnn_tutorial.cells import LSTM, lstm_step
    >>> from rnn_tutorial.gradient_check import locate
    >>> rng = np.random.default_rng(0)
    >>> params = LSTM.init(rng, 3, 4)
    >>> locate(lstm_step, lstm_puzzle(3), params, LSTM.initial_state(params, 1), "ifog", rng)
                 i f o g
    da           ✗ ✗ ✓ ✗
    dW_x         ✗ ✗ ✓ ✗  follows from da
    dW_h         ✗ ✗ ✓ ✗  follows from da
    db           ✗ ✗ ✓ ✗  follows from da
    dx           ✗  follows from da
    dprevious.h  ✗  follows from da
    dprevious.c  ✗
    da_i, da_f, da_g and dprevious.c are wrong by one factor: look at what they
    share, dc: its part from dstate.c is wrong.
    """
    return edited([lstm_step_backward], lstm_answer(number))


def lstm_answer(number: int) -> Answer:
    """Return the Answer of `lstm_puzzle(number)`.

    Raises: ValueError for another number than 1 to 5.
    """
    return _numbered(LSTM_PUZZLES, number)


def gru_puzzle(number: int) -> PointwiseBackward:
    """Return a wrong `gru_pointwise_backward`, 1 or 2, with a mistake to find.

    The mistake may be in `gru_gates_backward`, which it calls.

    Raises: ValueError for another number.

    Example:
    >>> import numpy as np
    >>> from rnn_tutorial.cells import GRU
    >>> from rnn_tutorial.gradient_check import locate_cell
    >>> wrong = GRU.replace(pointwise_backward=gru_puzzle(1))
    >>> locate_cell(wrong, np.random.default_rng(0))
                 r z n
    da_x         ✓ ✓ ✓
    da_h         ✓ ✓ ✗
    dW_x         ✓ ✓ ✓
    dW_h         ✓ ✓ ✗  follows from da
    db           ✓ ✓ ✓
    db_hn        ✗
    dx           ✓
    dprevious.h  ✗  follows from da
    da_h.n and db_hn are wrong by one factor: look at what they share.
    """
    return edited([gru_gates_backward, gru_pointwise_backward], gru_answer(number))


def gru_answer(number: int) -> Answer:
    """Return the Answer of `gru_puzzle(number)`.

    Raises: ValueError for another number than 1 or 2.
    """
    return _numbered(GRU_PUZZLES, number)


def edited(functions: list[Callable[..., Any]], answer: Answer) -> Callable[..., Any]:
    """Return the last of the functions, all from one module, with the edit of the answer in one.

    Raises: ValueError unless the right text occurs in them once.
    """
    source = "\n\n".join(map(inspect.getsource, functions))
    if source.count(answer.right) != 1:
        raise ValueError(
            f"answer.right: expected a text that occurs once in the functions, got {answer.right!r}"
        )
    namespace = dict(vars(sys.modules[functions[-1].__module__]))
    code = compile(source.replace(answer.right, answer.wrong), "<a puzzle>", "exec")
    exec(code, namespace)
    return namespace[functions[-1].__name__]


def _numbered(puzzles: tuple[Answer, ...], number: int) -> Answer:
    """Return the puzzle with this number, counted from 1. Raises: ValueError for another number."""
    if check_positive("number", number) > len(puzzles):
        raise ValueError(f"number: expected 1 to {len(puzzles)}, got {number!r}")
    return puzzles[number - 1]
