"""The sequences of assignment 7, the score of a trained counter, and what is seen in a poor one.

Half of the symbols are switches, and each draw chooses others, so that parameters trained on one
draw are of no use for another. The sequences that the score is computed on are longer than those of
the training, and never leave the grader.
"""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from rnn_course.judge.scoring import Scoring
from rnn_tutorial.sequence import linear_recurrence
from rnn_tutorial.tree import tree_leaves
from rnn_tutorial.types import Array, Rng

__all__ = [
    "HIDDEN",
    "HINTS",
    "LONGEST",
    "RUNGS",
    "SCORING",
    "SYMBOLS",
    "draw_rows",
    "held_out_rows",
    "logits",
    "remarks",
    "right_where_trained",
    "share_right",
]

Rows: TypeAlias = tuple[Array, Array, Array]
"""Symbols, flags of a new sequence, and parities: (xs, new, targets), each (T, B)."""

SYMBOLS, HIDDEN = 6, 8
TRAINING, STEPS, SHORTEST, LONGEST = 1000, 50, 10, 40  # rows, steps of a row, of a sequence
HELD_OUT, LONG = 200, 200  # rows of two sequences, steps of each
RUNGS = ((0.6, 0.25), (0.75, 0.5), (0.9, 0.75), (0.99, 1.0))


def draw_rows(rng: Rng) -> tuple[Rows, Rows]:
    """Return (training rows, held-out rows), both with the same switches.

    A row of the training has one sequence after the other, of 10 to 40 steps; the last is cut off.
    A row that is held out has two of 200.
    """
    switches = rng.permutation(SYMBOLS) < SYMBOLS // 2
    new = np.zeros((STEPS, TRAINING))
    for row in new.T:
        begins = np.cumsum(rng.integers(SHORTEST, LONGEST + 1, STEPS // SHORTEST))
        row[[0, *begins[begins < STEPS]]] = 1
    twice = np.zeros((2 * LONG, HELD_OUT))
    twice[[0, LONG]] = 1
    return rows_of(rng, switches, new), rows_of(rng, switches, twice)


def rows_of(rng: Rng, switches: Array, new: Array) -> Rows:
    """Return Rows of random symbols: the target is 1 after an odd number of switches."""
    xs: Array = np.array(rng.integers(SYMBOLS, size=new.shape))
    count: Array = np.zeros(new.shape[1], int)
    targets = []
    for t, symbols in enumerate(xs):
        count = np.where(new[t], 0, count) + switches[symbols]
        targets.append(count % 2)
    return xs, new, np.stack(targets)


def held_out_rows(rng: Rng) -> Rows:
    """Return the held-out rows of the same draw, which the submission does not see."""
    return draw_rows(rng)[1]


# The score. The network is written anew here: a new sequence is a factor of zero.


def factors_and_terms(E: Array) -> tuple[Array, Array]:
    """Return (a, b) of each symbol, (V, H) both, for numbers of any size."""
    keep, turn, n = np.split(E, 3, axis=-1)
    largest = np.maximum(np.maximum(keep, turn), 0)
    shares = [np.exp(score - largest) for score in (keep, turn, 0)]
    return (shares[0] - shares[1]) / sum(shares), shares[2] * n / sum(shares)


def logits(leaves: Sequence[Array], rows: Rows) -> Array:
    """Return ys (T, B, 2) of the counter whose four arrays are `leaves`; numbers of any size."""
    E, start, W, b = leaves
    xs, new, _ = rows
    of_a, of_b = (np.nan_to_num(x) for x in factors_and_terms(E))
    a, term = of_a[xs], of_b[xs]
    begins = new[:, :, None] > 0
    term = np.nan_to_num(np.where(begins, a * start + term, term))
    hs = linear_recurrence(np.where(begins, 0.0, a), term, np.zeros_like(a[0]))
    return np.nan_to_num(np.nan_to_num(hs) @ W + b)


def right(leaves: Sequence[Array], rows: Rows) -> Array:
    """Return (T, B): True where the larger logit is that of the right parity."""
    return np.asarray(logits(leaves, rows).argmax(axis=-1) == rows[2])


def share_right(leaves: Sequence[Array], rows: Rows) -> float:
    """Return the share of right answers, over all steps."""
    return float(right(leaves, rows).mean())


def right_where_trained(leaves: Sequence[Array], rows: Rows) -> float:
    """Return the share of right answers at steps 1 to 40 of both sequences of each row."""
    found = right(leaves, rows).reshape(2, LONG, -1)
    return float(found[:, :LONGEST].mean())


# What the trained parameters tell about the training

HINTS = {
    "never updated": "You return the parameters that you were given. Where do the new ones go "
    "after a step?",
    "some parameters not taught": "At least one of the four arrays is the one that you were given. "
    "Compare what you return with your argument, array by array.",
    "loss has grown": "On the rows you were given, the loss is larger after your training than "
    "before. Check the sign of a step, and its length.",
    "never turns around": "No symbol gives any of your units a factor near minus one, so no state "
    "changes its sign. Which of the three shares must grow at a switch?",
    "lost after the trained length": "Your network is right as long as its training sequences are, "
    "and loses the count later. What does the product of some hundred factors do to a state, and "
    "what would bring them nearer to one in size?",
    "not trained enough": "Your network is not yet right on sequences as long as those of its "
    "training: more updates, or another rate.",
}


def remarks(leaves: Sequence[Array], case: tuple, held_out: Rows) -> tuple[str, ...]:
    """Return a tuple with the name of the first thing that can be seen, a key of HINTS."""
    params, *training, _ = case
    xs, new, targets = training
    some = xs[:, :HELD_OUT], new[:, :HELD_OUT], targets[:, :HELD_OUT]
    start = tree_leaves(params)
    same = [np.array_equal(a, b) for a, b in zip(leaves, start)]
    if any(same):
        return ("never updated" if all(same) else "some parameters not taught",)
    if mean_loss(leaves, some) > mean_loss(start, some):
        return ("loss has grown",)
    if factors_and_terms(leaves[0])[0].min() > -0.7:
        return ("never turns around",)
    late = right_where_trained(leaves, held_out) > 0.95
    return ("lost after the trained length" if late else "not trained enough",)


def mean_loss(leaves: Sequence[Array], rows: Rows) -> float:
    """Return the cross-entropy of the counter on the rows, inf if it is not finite."""
    ys = logits(leaves, rows)
    margin = (ys[..., 1] - ys[..., 0]) * (2 * rows[2] - 1)
    loss = np.logaddexp(0, -margin).mean()
    return float(loss) if np.isfinite(loss) else np.inf


SCORING = Scoring(
    held_out_rows,
    share_right,
    RUNGS,
    "of the answers right, in sequences of 200 steps",
    remarks,
    HINTS,
)
