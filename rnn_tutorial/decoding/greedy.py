"""Greedy decoding: the likeliest symbol at each step."""

import numpy as np

from rnn_tutorial.decoding.hypothesis import Hypothesis, Step, only
from rnn_tutorial.layers.seq2seq import Writing
from rnn_tutorial.validation import check_positive

__all__ = ["greedy_search"]


def greedy_search(
    step: Step, writing: Writing, start: int, end: int, max_length: int
) -> list[list[Hypothesis]]:
    """Return, for each sequence, a list of one Hypothesis: the likeliest symbol at each step.

    It stops at the end symbol. After `max_length` symbols only the end may follow.

    Raises: ValueError for a length that is not a positive whole number; what `step` raises.

    Example:
        greedy_search(step_of(model, params), model.start(params, source, mask), START, END, 20)
    """
    check_positive("max_length", max_length)
    B = writing.memory.shape[1]
    symbols, total, going = np.full(B, start), np.zeros(B), np.ones(B, bool)
    written = list[list[int]]([] for _ in range(B))
    for length in range(max_length + 1):
        log_p, writing = step(symbols, writing)
        log_p = log_p if length < max_length else only(end, log_p)
        symbols = log_p.argmax(axis=-1)
        total += np.where(going, log_p[np.arange(B), symbols], 0)
        going &= symbols != end
        for b in np.flatnonzero(going):
            written[b].append(int(symbols[b]))
        if not going.any():
            break
    return [[Hypothesis(tuple(word), float(p))] for word, p in zip(written, total)]
