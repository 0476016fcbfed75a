"""Beam search: the best few beginnings are kept at each step.

A beginning that ends is compared with others of other lengths. Each symbol more makes a
log-probability smaller, so the plain sum prefers short sequences. `length_power` divides it:

    score = log_probability / (number of symbols, the end included) ** length_power

With 0 it is the sum, with 1 the mean of a symbol.

Source: Graves (2012), "Sequence transduction with recurrent neural networks"; Wu et al. (2016),
"Google's neural machine translation system", section 7, for the length.
"""

import numpy as np

from rnn_tutorial.decoding.hypothesis import Hypothesis, Step
from rnn_tutorial.layers.seq2seq import Writing
from rnn_tutorial.types import Array
from rnn_tutorial.validation import check_number, check_positive

__all__ = ["beam_search", "score_of"]


def beam_search(
    step: Step,
    writing: Writing,
    start: int,
    end: int,
    max_length: int,
    width: int,
    length_power: float = 0.0,
) -> list[list[Hypothesis]]:
    """Return, for each sequence, at most `width` Hypotheses that have ended, the best first.

    At each step, every open beginning is continued with every symbol, and the `width` best of all
    these are kept; those that end with the end symbol are put aside. It is over when `width` have
    ended, or no open beginning is left, or after `max_length` symbols, where only the end may
    follow. With width 1 it is greedy search. With a width as large as the number of all beginnings,
    it is a search of everything.

    Raises: ValueError for a width or a length that is not a positive whole number, or a negative
    power; what `step` raises.
    """
    check_positive("max_length", max_length)
    check_positive("width", width)
    check_number("length_power", length_power, at_least=0)
    B = writing.memory.shape[1]
    return [
        _search(
            step, writing.rows(np.array([b])), start, end, max_length, width, length_power
        )
        for b in range(B)
    ]


def score_of(hypothesis: Hypothesis, length_power: float) -> float:
    """Return log_probability / (number of symbols, the end included) ** length_power."""
    return hypothesis.log_probability / (len(hypothesis.symbols) + 1) ** length_power
