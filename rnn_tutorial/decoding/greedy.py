"""Greedy decoding: the likeliest symbol at each step."""

import numpy as np

from rnn_tutorial.decoding.hypothesis import Hypothesis, Step
from rnn_tutorial.layers.seq2seq import Writing
from rnn_tutorial.validation import check_positive

__all__ = ["greedy_search"]


def greedy_search(
    step: Step, writing: Writing, start: int, end: int, max_length: int
) -> list[list[Hypothesis]]:
    """Return, for each sequence, a list of one Hypothesis: the likeliest symbol at each step.

    It ends at the end symbol. A sequence that has not ended after `max_length` symbols is cut off
    there, and its probability is that of a beginning.

    Raises: ValueError for a length that is not a positive whole number; what `step` raises.

    Example:
        greedy_search(step_of(model, params), model.start(params, source, mask), START, END, 20)
    """
    check_positive("max_length", max_length)
    B = writing.memory.shape[1]
    symbols, total = np.full(B, start), np.zeros(B)
    written, open_ = list[list[int]]([] for _ in range(B)), np.ones(B, bool)
    for _ in range(max_length + 1):
        log_p, writing = step(symbols, writing)
        symbols = log_p.argmax(axis=-1)
        length = len(written[int(np.argmax(open_))])
        if length == max_length:  # only the end may follow
            open_ &= symbols == end
        total += np.where(open_, log_p[np.arange(B), symbols], 0)
        open_ &= symbols != end
        for b in np.flatnonzero(open_):
            written[b].append(int(symbols[b]))
        if not open_.any():
            break
    return [[Hypothesis(tuple(word), float(p))] for word, p in zip(written, total)]
