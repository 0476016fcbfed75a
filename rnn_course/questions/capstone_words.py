"""The words of assignment 5, the score of a trained tagger, and what can be seen in a poor one.

The words are real, from `aligned_pronunciations`. Every draw numbers their letters and phones in a
new order, so that a dictionary, or parameters trained with another numbering, are of no use. The
words that the score is computed on never leave the grader.
"""

from collections.abc import Sequence
from functools import cache
from typing import TypeAlias

import numpy as np

from rnn_course.judge.scoring import Scoring
from rnn_tutorial.cells.elman import Elman, ElmanParams
from rnn_tutorial.data import aligned_pronunciations, one_hot, pad
from rnn_tutorial.layers.bidirectional import Bidirectional, BidirectionalParams
from rnn_tutorial.layers.core import Recurrent
from rnn_tutorial.train.losses import softmax_cross_entropy
from rnn_tutorial.tree import tree_leaves
from rnn_tutorial.types import Array, Mask, Rng

__all__ = [
    "HELD_OUT",
    "HIDDEN",
    "RUNGS",
    "SCORING",
    "TRAINING",
    "draw_words",
    "held_out_words",
    "remarks",
    "share_right",
]

Batch: TypeAlias = tuple[Array, Array, Mask]
"""Letters, phones and the mask of some words: (xs, targets, mask), each (T, B)."""

TRAINING, HELD_OUT, HIDDEN = 4000, 2000, 32  # words, words, units of each direction
RUNGS = ((0.72, 0.25), (0.77, 0.5), (0.825, 0.75), (0.84, 1.0))


@cache
def spoken_words() -> dict[str, tuple[str, ...]]:
    """Return {word: phones} of the words with 4 to 10 letters."""
    return {
        word: phones for word, phones in aligned_pronunciations().items() if 4 <= len(word) <= 10
    }


def draw_words(rng: Rng) -> tuple[Batch, Batch, int]:
    """Return (training batch, held-out batch, number of phones); no word is in both batches."""
    spoken = spoken_words()
    phones = sorted({phone for said in spoken.values() for phone in said})
    number = dict(zip(phones, rng.permutation(len(phones))))
    letter = dict(zip("abcdefghijklmnopqrstuvwxyz", rng.permutation(26)))
    words = rng.permutation(sorted(spoken))[: TRAINING + HELD_OUT].tolist()

    def batch(words: list[str]) -> Batch:
        xs, mask = pad([np.array([letter[x] for x in word]) for word in words])
        targets, _ = pad([np.array([number[phone] for phone in spoken[word]]) for word in words])
        return xs, targets, mask

    return batch(words[:TRAINING]), batch(words[TRAINING:]), len(phones)


def held_out_words(rng: Rng) -> Batch:
    """Return the held-out batch of the same draw, which the submission does not see."""
    return draw_words(rng)[1]


# The score. The tagger is made of the package's layers, not of the instructor's solution.


def logits(leaves: Sequence[Array], xs: Array, mask: Mask) -> Array:
    """Return ys of the tagger whose eight arrays are `leaves`, in order."""
    V, H = leaves[0].shape
    params = BidirectionalParams(ElmanParams(*leaves[:3]), ElmanParams(*leaves[3:6]))
    layer = Bidirectional(Recurrent(Elman, V, H), Recurrent(Elman, V, H))
    both, _, _ = layer.forward(params, one_hot(xs, V), mask=mask)
    product = both[..., :H] * both[..., H:]
    return np.concatenate([both, product], axis=-1) @ leaves[6] + leaves[7]


def share_right(leaves: Sequence[Array], batch: Batch) -> float:
    """Return the share of letters for which the tagger gives the right phone."""
    xs, targets, mask = batch
    return float(np.mean((logits(leaves, xs, mask).argmax(axis=-1) == targets)[mask]))


# What the trained parameters tell about the training

HINTS = {
    "never updated": "You return the parameters that you were given. Where do the new ones go "
    "after a step?",
    "neither reading taught": "All arrays of both readings are those that you were given: only the "
    "output layer has learned. Do the gradients of the readings arrive in your step?",
    "one direction not taught": "All arrays of one of the two readings are those that you were "
    "given, and the other reading has learned. Does the gradient of both arrive in your step?",
    "output layer not taught": "Both readings have learned, and the output layer is the one that "
    "you were given. Does its gradient arrive in your step?",
    "some parameters not taught": "At least one of the eight arrays is the one that you were "
    "given. Compare what you return with your argument, array by array.",
    "loss has grown": "On the words you were given, the loss is larger after your training than "
    "before. Check the sign of a step, and its length.",
    "letters and phones out of step": "What your tagger says of a letter depends more on its place "
    "in the word than on the letter. Do letters, phones and mask still belong together in your "
    "batches?",
    "learned by heart": "Your tagger knows some of its words far better than all others. How many "
    "of the words do your batches reach?",
    "better on its own words": "Your tagger is much better on the words it was trained on than on "
    "new ones. More passes will not help: what keeps weights from fitting single words?",
    "not trained enough": "Your tagger is not much better on its own words than on new ones, so it "
    "can learn more: more updates, or another rate.",
}


def remarks(leaves: Sequence[Array], case: tuple, held_out: Batch) -> tuple[str, ...]:
    """Return a tuple with the name of the first thing that can be seen, a key of HINTS."""
    params, xs, targets, mask, _ = case
    training = xs, targets, mask
    same = [np.array_equal(a, b) for a, b in zip(leaves, tree_leaves(params))]
    if any(same):
        return (untaught(same),)
    if mean_loss(leaves, training) > mean_loss(tree_leaves(params), training):
        return ("loss has grown",)
    letters, _, real = held_out
    by_place = explained(leaves, held_out, np.nonzero(real)[0])
    if by_place > explained(leaves, held_out, letters[real]):
        return ("letters and phones out of step",)
    score = share_right(leaves, held_out)
    if best_hundred(leaves, training) - score > 0.12:
        return ("learned by heart",)
    if share_right(leaves, training) - score > 0.03:
        return ("better on its own words",)
    return ("not trained enough",)


def untaught(same: Sequence[bool]) -> str:
    """Return the name of what was not trained; same[k]: array k is the one that was given."""
    first, second, output = all(same[:3]), all(same[3:6]), all(same[6:])
    if first and second:
        return "never updated" if output else "neither reading taught"
    if any(same[:6]):
        alone = sum(same) == 3 and (first or second)
        return "one direction not taught" if alone else "some parameters not taught"
    return "output layer not taught" if output else "some parameters not taught"


def mean_loss(leaves: Sequence[Array], batch: Batch) -> float:
    """Return the cross-entropy of the tagger on a batch, inf if an output is not finite."""
    xs, targets, mask = batch
    ys = logits(leaves, xs, mask)
    return softmax_cross_entropy(ys, targets, mask=mask)[0] if np.isfinite(ys).all() else np.inf


def explained(leaves: Sequence[Array], batch: Batch, by: Array) -> float:
    """Return how well `by` alone predicts what the tagger says.

    by: one number for each real place, its letter or its step. The result is the share of places
    where the tagger gives the phone that it gives most often for that number.
    """
    xs, _, mask = batch
    said = logits(leaves, xs, mask).argmax(axis=-1)[mask]
    counts = np.zeros((by.max() + 1, said.max() + 1))
    np.add.at(counts, (by, said), 1)
    return counts.max(axis=1).sum() / said.size


def best_hundred(leaves: Sequence[Array], batch: Batch) -> float:
    """Return the share of letters right in the best block of a hundred words."""
    xs, targets, mask = batch
    blocks = [slice(k, k + 100) for k in range(0, xs.shape[1], 100)]
    return max(share_right(leaves, (xs[:, k], targets[:, k], mask[:, k])) for k in blocks)


SCORING = Scoring(
    held_out_words,
    share_right,
    RUNGS,
    "of the letters right, in words it has not seen",
    remarks,
    HINTS,
)
