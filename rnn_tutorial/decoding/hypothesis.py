"""What a decoder returns, and the step of a model that it searches with."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from rnn_tutorial.layers.seq2seq import Seq2Seq, Writing
from rnn_tutorial.train.losses import log_softmax
from rnn_tutorial.train.sampling import check_logits
from rnn_tutorial.types import Array, Tree
from rnn_tutorial.validation import check_array

__all__ = [
    "Hypothesis",
    "Step",
    "only",
    "step_of",
]


class Hypothesis(NamedTuple):
    """A sequence of symbols and how probable the model finds it."""

    symbols: tuple[int, ...]  # without the start and the end symbol
    log_probability: float  # in nats, of all symbols and of the end


Step: TypeAlias = Callable[[Array, Writing], tuple[Array, Writing]]
"""(symbols (B,), writing) -> (log-probabilities of the next symbols (B, V), the next writing)."""


def step_of(model: Seq2Seq, params: Tree) -> Step:
    """Return the Step of a model: log softmax of the logits of `model.write`.

    A logit of -infinity forbids its symbol.

    Raises: NotFiniteError, when it is called, for logits that give no probabilities.
    """

    def step(symbols: Array, writing: Writing) -> tuple[Array, Any]:
        logits, writing = model.write(params, symbols, writing)
        check_array("logits", logits, B=len(symbols), V=None)
        check_logits(logits)
        return log_softmax(logits), writing

    return step


def only(symbol: int, log_p: Array) -> Array:
    """Return the log-probabilities with -infinity for every other symbol.

    Shapes: log_p (..., V).
    """
    return np.where(np.arange(log_p.shape[-1]) == symbol, log_p, -np.inf)
