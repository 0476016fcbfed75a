"""CTC: the loss of a labelling when nobody says which step makes which label.

A network gives at each of T steps a distribution over the labels and a blank. An alignment has one
of these symbols at each step. It says a labelling: symbols that follow each other are merged if
they are the same, then the blanks are dropped. So "-aa-ab" says "aab". The probability of a
labelling is the sum over all alignments that say it, and the loss is minus its logarithm.

The sum has too many terms to write down. It is found step by step, over the places of the labelling
with a blank around each label, l' = (-, l_1, -, l_2, …, l_U, -):

    alpha[t, s] = log of the sum over all beginnings up to step t that are at place s
    alpha[t, s] = log y[t, l'_s] + logsumexp(alpha[t-1, s], alpha[t-1, s-1], and alpha[t-1, s-2] if
                                             l'_s is not a blank and not l'_{s-2})
    beta[t, s]    the same from the end, without the symbol of step t
    log p(labels) = logsumexp over s of alpha[t, s] + beta[t, s], the same at every t

The gradient is a softmax minus a posterior: what the network says at step t, minus how probable
each symbol is there, given the labelling.

    dlogits[t, k] = y[t, k] - sum over the places s with l'_s = k of exp(alpha + beta - log p)

Source: Graves, Fernández, Gomez and Schmidhuber (2006), "Connectionist temporal classification".
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from rnn_tutorial.train.losses import log_softmax
from rnn_tutorial.types import Array, Mask
from rnn_tutorial.validation import check_array, check_finite, check_floats, check_mask

__all__ = [
    "Lattice",
    "collapse",
    "ctc_loss",
    "extended",
    "fits",
    "lattice",
    "logsumexp",
]


def collapse(alignment: Sequence[int], blank: int = 0) -> tuple[int, ...]:
    """Return the labelling that an alignment says: repeats are merged, then blanks are dropped.

    Example:
    >>> collapse([0, 1, 1, 0, 1, 2])
    (1, 1, 2)
    """
    before = [None, *alignment]
    return tuple(
        symbol for old, symbol in zip(before, alignment) if symbol != old and symbol != blank
    )


def extended(labels: Sequence[int], blank: int = 0) -> Array:
    """Return l': the labels with a blank before, between and after them.

    Shapes: U labels; the answer (2U + 1,).

    Example:
    >>> extended([3, 5]).tolist()
    [0, 3, 0, 5, 0]
    """
    places = np.full(2 * len(labels) + 1, blank)
    places[1::2] = labels
    return places


def fits(labels: Sequence[int], T: int) -> bool:
    """Return True if T steps are enough for the labels.

    A label that follows itself needs a blank between the two, so the least number of steps is U
    plus the number of such places.
    """
    return len(labels) + sum(a == b for a, b in zip(labels, labels[1:])) <= T


class Lattice(NamedTuple):
    """The two tables of a batch. All probabilities are logs; -infinity is a probability of 0."""

    places: Array  # (B, S), l' of each sequence, then blanks
    alpha: Array  # (T, B, S), of all beginnings, the symbol of the step included; held on padding
    beta: Array  # (T, B, S), of all ends, the symbol of the step not included
    log_p: Array  # (B,), of the labels; -infinity if they do not fit
    mask: Mask  # (T, B)

    @property
    def posterior(self) -> Array:
        """The probability of each place at each step, given the labels: (T, B, S).

        Its sum over the places is 1 at each real step, and 0 on padding.
        """
        share = np.exp(self.alpha + self.beta - self.log_p[:, None])
        return np.where(self.mask[..., None], share, 0)


def ctc_loss(
    logits: Array, labels: Array, *, mask: Mask | None = None, blank: int = 0
) -> tuple[Any, Array]:
    """Return (loss, dlogits): the mean over the sequences of -log p(labels), in nats.

    dlogits = (softmax(logits) - posterior of each symbol) / B at real steps, 0 on padding.

    It is a `Loss`: `train(model, start, batches, ctc_loss, optimizer)` with batches (xs, labels,
    mask) works. PyTorch's `ctc_loss` divides each sequence's loss by its number of labels before it
    takes the mean, unless it is asked for `reduction="none"`.

    Shapes: logits and dlogits (T, B, V); labels (U, B), whole numbers, -1 after the end of each
    sequence; mask (T, B), True on the real steps of the logits, which come first.

    Raises: ValueError for labels that do not fit into the steps of their sequence, for shapes that
    do not belong together, and for a mask with a real step after padding; TypeError for logits that
    are not floats or labels that are not integers; IndexError for a label that is the blank, or is
    outside 0..V-1; NotFiniteError for logits that are not finite.
    """
    _check(logits, labels, mask, blank)
    T, B, V = logits.shape
    mask = np.ones((T, B), bool) if mask is None else mask
    words = [_word(column) for column in labels.T]
    for b, word in enumerate(words):
        if not fits(word, steps := int(mask[:, b].sum())):
            between = sum(old == new for old, new in zip(word, word[1:]))
            raise ValueError(
                f"labels: sequence {b} needs {len(word) + between} steps ({len(word)} for its "
                f"labels, {between} between equal ones) and has {steps}"
            )
    log_y = log_softmax(logits)
    found = lattice(log_y, words, mask, blank)
    symbols = found.places[..., None] == np.arange(V)  # (B, S, V), which symbol a place has
    of_symbols = (found.posterior.swapaxes(0, 1) @ symbols.astype(log_y.dtype)).swapaxes(0, 1)
    dlogits = np.where(mask[..., None], np.exp(log_y) - of_symbols, 0) / B
    return -np.mean(found.log_p), dlogits


def lattice(log_y: Array, words: Sequence[Sequence[int]], mask: Mask, blank: int = 0) -> Lattice:
    """Return the Lattice of a batch: the forward and the backward recursion.

    Shapes: log_y (T, B, V), log-probabilities; B words of labels; mask (T, B).
    """
    T, B, _ = log_y.shape
    S = 2 * max(map(len, words)) + 1
    places, real = np.full((B, S), blank), np.zeros((B, S), bool)
    for b, word in enumerate(words):
        places[b, : 2 * len(word) + 1], real[b, : 2 * len(word) + 1] = extended(word, blank), True
    skips = np.zeros((B, S), bool)  # where a blank may be left out: between two different labels
    skips[:, 2:] = (places[:, 2:] != blank) & (places[:, 2:] != places[:, :-2])
    spoken = np.take_along_axis(log_y, np.broadcast_to(places, (T, B, S)), axis=-1)
    spoken = np.where(real, spoken, -np.inf)  # what is said at each step by each place
    steps, nowhere = mask[..., None], np.full((T, B, S + 2), -np.inf, log_y.dtype)
    over = np.where(skips, 0, nowhere[0, :, :S])  # the log of 1 where two places on is allowed

    alpha = nowhere.copy()  # with two places before the first, where nobody is
    alpha[0, :, 2:4] = spoken[0, :, :2]
    beta = nowhere.copy()  # with two places after the last
    ends = np.array([2 * len(word) for word in words])[:, None]
    last = np.where((np.arange(S) == ends) | (np.arange(S) == ends - 1), 0, nowhere[0, :, :S])
    beta[-1, :, :S] = last
    with np.errstate(divide="ignore"):  # log 0 is the -infinity that is wanted
        for t in range(1, T):
            stay, one, two = alpha[t - 1, :, 2:], alpha[t - 1, :, 1:-1], alpha[t - 1, :, :-2]
            now = spoken[t] + _log_add(stay, one, two + over)
            alpha[t, :, 2:] = np.where(steps[t], now, stay)
        for t in reversed(range(1, T)):
            after = nowhere[0].copy()
            after[:, :S] = beta[t, :, :S] + spoken[t]
            stay, one, two = after[:, :S], after[:, 1:-1], nowhere[0, :, :S].copy()
            two[:, :-2] = after[:, 2:S] + over[:, 2:]
            beta[t - 1, :, :S] = np.where(steps[t], _log_add(stay, one, two), last)
    alpha, beta = alpha[..., 2:], beta[..., :S]
    return Lattice(places, alpha, beta, logsumexp(alpha[-1] + last), mask)


def _log_add(a: Array, b: Array, c: Array) -> Array:
    """Return log(exp(a) + exp(b) + exp(c)); of nothing but -infinity it is -infinity.

    The largest is subtracted first. It is finite: -infinity minus itself would be NaN.
    """
    largest = np.maximum(np.maximum(a.real, b.real), c.real)
    largest = np.maximum(largest, np.finfo(largest.dtype).min)
    return np.log(np.exp(a - largest) + np.exp(b - largest) + np.exp(c - largest)) + largest


def logsumexp(a: Array, axis: int = -1) -> Array:
    """Return log(sum of exp(a)) over an axis; of nothing but -infinity it is -infinity.

    The largest is subtracted first, so nothing overflows, and one term at least is exp(0).

    Shapes: a (..., N, ...), N along the axis; the answer is without it.
    """
    largest = a.real.max(axis=axis, keepdims=True)
    largest = np.where(np.isfinite(largest), largest, 0)
    with np.errstate(divide="ignore"):  # log 0 is the -infinity that is wanted
        return np.log(np.exp(a - largest).sum(axis=axis)) + largest.squeeze(axis)


def _word(column: Array) -> tuple[int, ...]:
    return tuple(int(label) for label in column if label >= 0)


def _check(logits: Array, labels: Array, mask: Mask | None, blank: int) -> None:
    check_array("logits", logits, T=None, B=None, V=None)
    check_floats("logits", logits)
    T, B, V = logits.shape
    check_array("labels", labels, U=None, B=B)
    if labels.dtype.kind not in "iu":
        raise TypeError(f"labels: expected integers, got {labels.dtype}")
    if not 0 <= blank < V:
        raise IndexError(f"blank: expected a symbol in 0..{V - 1}, got {blank}")
    wrong = (labels < -1) | (labels >= V) | (labels == blank)
    if wrong.any():
        place = tuple(int(k) for k in np.argwhere(wrong)[0])
        raise IndexError(
            f"labels: expected 0..{V - 1} without the blank, {blank}, or -1 after the end, "
            f"got {int(labels[place])} at {place}"
        )
    if ((labels[:-1] == -1) & (labels[1:] != -1)).any():
        raise ValueError("labels: expected -1 only after the end of a sequence")
    if mask is not None:
        check_mask(mask, T, B)
        if (~mask[:-1] & mask[1:]).any() or not mask[0].all():
            raise ValueError("mask: expected the real steps of each sequence first, one at least")
    real = logits if mask is None else logits[mask]
    check_finite("logits", real)
