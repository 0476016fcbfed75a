"""Beam search: the best few beginnings are kept at each step.

A beginning that ends is compared with others of other lengths. Every further symbol makes a
log-probability smaller, so the plain sum prefers short sequences. `length_power` divides it:

    score = log_probability / (number of symbols, the end included) ** length_power

With 0 it is the sum, with 1 the mean of a symbol.

When to stop: an open beginning loses probability with each symbol, so its score can never be above
log_probability / (the greatest number of symbols) ** length_power. If `width` hypotheses have ended
and none of them has a lower score than this, no open beginning can still be among the best.

Source: Graves (2012), "Sequence transduction with recurrent neural networks"; Wu et al. (2016),
"Google's neural machine translation system", section 7, for the length.
"""

from typing import NamedTuple

import numpy as np

from rnn_tutorial.decoding.hypothesis import Hypothesis, Step, only
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
    these are kept; of these, the ones that end with the end symbol are put aside. It is over when
    `width` have ended and no open beginning can become better than one of them, or when no open
    beginning is left. After `max_length` symbols only the end may follow. With width 1 it is greedy
    search. With a width as large as the number of all beginnings, it is a search of everything.

    Raises: ValueError for a width or a length that is not a positive whole number, or a negative
    power; what `step` raises.
    """
    check_positive("max_length", max_length)
    K = check_positive("width", width)
    check_number("length_power", length_power, at_least=0)
    B = writing.memory.shape[1]
    ended = list[list[Hypothesis]]([] for _ in range(B))
    beams = Beams(np.full((B, 1), 0.0), np.empty((0, B, 1), int))
    symbols = np.full(B, start)
    for length in range(max_length + 1):
        log_p, writing = step(symbols, writing)
        log_p = log_p if length < max_length else only(end, log_p)
        beams, parents = continued(beams, log_p, K)
        same = len(parents) == len(log_p)  # as many beginnings of each sequence as before
        writing = writing.states(parents) if same else writing.rows(parents)
        beams = put_aside(beams, end, ended)
        ended = [best_of(hypotheses, length_power, K) for hypotheses in ended]
        worst = [score_of(h[-1], length_power) if len(h) == K else -np.inf for h in ended]
        hopeless = beams.total / (max_length + 1) ** length_power <= np.array(worst)[:, None]
        beams = beams._replace(total=np.where(hopeless, -np.inf, beams.total))
        symbols = beams.symbols[-1].ravel()
        if not np.isfinite(beams.total).any():
            break
    return ended


class Beams(NamedTuple):
    """The open beginnings of each sequence."""

    total: Array  # (B, K), their log-probabilities; -infinity for one that is closed
    symbols: Array  # (length, B, K)


def continued(beams: Beams, log_p: Array, width: int) -> tuple[Beams, Array]:
    """Return (Beams, parents): the best continuations, and the row that each of them continues.

    Shapes: log_p (B * K, V); parents (B * new K,), numbers of the B * K rows.
    """
    (B, K), V = beams.total.shape, log_p.shape[-1]
    total = (beams.total[..., None] + log_p.reshape(B, K, V)).reshape(B, K * V)
    best = np.argsort(-total, axis=-1, kind="stable")[:, :width]  # (B, new K)
    parents, symbols = best // V, best % V
    before = np.take_along_axis(beams.symbols, parents[None], axis=-1)
    after = Beams(np.take_along_axis(total, best, axis=-1), np.concatenate([before, symbols[None]]))
    return after, (parents + K * np.arange(B)[:, None]).ravel()


def put_aside(beams: Beams, end: int, ended: list[list[Hypothesis]]) -> Beams:
    """Return the Beams without those that have ended, which are added to `ended`."""
    done = (beams.symbols[-1] == end) & np.isfinite(beams.total)
    for b, k in np.argwhere(done):
        word = tuple(int(symbol) for symbol in beams.symbols[:-1, b, k])
        ended[b].append(Hypothesis(word, float(beams.total[b, k])))
    return beams._replace(total=np.where(done, -np.inf, beams.total))


def best_of(hypotheses: list[Hypothesis], length_power: float, width: int) -> list[Hypothesis]:
    """Return the `width` hypotheses with the largest scores, the best first."""
    return sorted(hypotheses, key=lambda h: -score_of(h, length_power))[:width]


def score_of(hypothesis: Hypothesis, length_power: float) -> float:
    """Return log_probability / (number of symbols, the end included) ** length_power."""
    return hypothesis.log_probability / (len(hypothesis.symbols) + 1) ** length_power
