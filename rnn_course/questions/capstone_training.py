"""The training data, the score and the training mistakes of assignment 5.

The words are real, from `aligned_pronunciations`. Every seed numbers their letters and phones in a
new order, so that a dictionary, or parameters trained with another numbering, are of no use. The
words that the score is computed on never leave the grader.
"""

from collections.abc import Sequence
from functools import cache
from typing import TypeAlias

import numpy as np

from rnn_course.questions.capstone_network import (
    RNNParams,
    TaggerParams,
    backward,
    tagger,
    tagger_params,
)
from rnn_tutorial.data import aligned_pronunciations, pad
from rnn_tutorial.train.losses import softmax_cross_entropy
from rnn_tutorial.tree import tree_leaves, tree_norm, tree_scale
from rnn_tutorial.types import Array, Mask, Rng

__all__ = ["RUNGS", "TEACHING", "fit", "held_out_words", "remarks", "share_right", "training_cases"]

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
        return (
            xs,
            pad([np.array([number[phone] for phone in spoken[word]]) for word in words])[0],
            mask,
        )

    return batch(words[:TRAINING]), batch(words[TRAINING:]), len(phones)


def untrained(rng: Rng, V: int, H: int, K: int) -> TaggerParams:
    """Return TaggerParams to start from: random rows for the letters, W_h orthogonal."""

    def reading() -> RNNParams:
        return RNNParams(
            rng.normal(0, 0.5, (V, H)),
            np.linalg.qr(rng.normal(size=(H, H)))[0],
            rng.normal(0, 0.1, H),
        )

    return TaggerParams(reading(), reading(), rng.normal(0, 0.1, (2 * H, K)), rng.normal(0, 0.1, K))


def training_cases(rng: Rng) -> list[tuple]:
    """Return the one case (params, xs, targets, mask, seed)."""
    (xs, targets, mask), _, K = draw_words(rng)
    return [(untrained(rng, 26, HIDDEN, K), xs, targets, mask, rng.integers(1, 1000, 2))]


def held_out_words(rng: Rng) -> Batch:
    """Return the held-out batch of the same draw, which the submission does not see."""
    return draw_words(rng)[1]


def share_right(leaves: Sequence[Array], batch: Batch) -> float:
    """Return the share of letters for which the tagger gives the right phone."""
    xs, targets, mask = batch
    return np.mean((tagger(tagger_params(leaves), xs, mask)[2].argmax(axis=-1) == targets)[mask])


# What the trained parameters tell about the training


def remarks(leaves: Sequence[Array], case: tuple, held_out: Batch) -> tuple[str, ...]:
    """Return a tuple with the name of the first problem found."""
    params, xs, targets, mask, _ = case
    training = xs, targets, mask
    same = [np.array_equal(a, b) for a, b in zip(leaves, tree_leaves(params))]
    if all(same):
        return ("never updated",)
    if all(same[:3]) or all(same[3:6]):
        return ("one direction not taught",)
    if mean_loss(leaves, training) > mean_loss(tree_leaves(params), training):
        return ("uphill",)
    letters, _, real = held_out
    by_place = explained(leaves, held_out, np.nonzero(real)[0])
    if by_place > explained(leaves, held_out, letters[real]):
        return ("letters and phones out of step",)
    if best_hundred(leaves, training) - share_right(leaves, held_out) > 0.1:
        return ("learned by heart",)
    return ("not trained enough",)


def mean_loss(leaves: Sequence[Array], batch: Batch) -> float:
    """Return the cross-entropy of the tagger on a batch, inf if an output is not finite."""
    xs, targets, mask = batch
    ys = tagger(tagger_params(leaves), xs, mask)[2]
    return softmax_cross_entropy(ys, targets, mask=mask)[0] if np.isfinite(ys).all() else np.inf


def explained(leaves: Sequence[Array], batch: Batch, by: Array) -> float:
    """Return how well `by` alone predicts what the tagger says.

    by: one number for each real place, its letter or its step. The result is the share of places
    where the tagger gives the phone that it gives most often for that number.
    """
    xs, _, mask = batch
    said = tagger(tagger_params(leaves), xs, mask)[2].argmax(axis=-1)[mask]
    counts = np.zeros((by.max() + 1, said.max() + 1))
    np.add.at(counts, (by, said), 1)
    return counts.max(axis=1).sum() / said.size


def best_hundred(leaves: Sequence[Array], batch: Batch) -> float:
    """Return the share of letters right in the best block of a hundred words."""
    xs, targets, mask = batch
    blocks = [slice(k, k + 100) for k in range(0, xs.shape[1], 100)]
    return max(share_right(leaves, (xs[:, k], targets[:, k], mask[:, k])) for k in blocks)


# The training with mistakes


def fit(
    params: TaggerParams,
    xs: Array,
    targets: Array,
    mask: Mask,
    seed: Array | int,
    *,
    passes: int = 4,
    size: int = 50,
    rate: float = 0.03,
    sign: int = -1,
    slip: int = 0,
    only: str | None = None,
    first: int | None = None,
) -> TaggerParams:
    """Return trained TaggerParams, right unless a switch is set.

    Adam with a cosine schedule and clipping; each batch holds words of similar length.
    """
    rng, leaves = np.random.default_rng(seed), tree_leaves(params)
    m, v, t, N = (
        [0 * leaf for leaf in leaves],
        [0 * leaf for leaf in leaves],
        0,
        first or xs.shape[1],
    )
    updates = passes * -(-N // size)
    for _ in range(passes):
        order = rng.permutation(N)
        order = order[np.argsort(mask.sum(axis=0)[order], kind="stable")]
        for k in rng.permutation(-(-N // size)):
            t, some = t + 1, order[k * size : (k + 1) * size]
            T = mask[:, some].sum(axis=0).max()
            batch = (xs[:T, some], targets[:T, np.roll(some, slip)], mask[:T, some])
            grads = tree_leaves(gradient(tagger_params(leaves), *batch, only=only))
            m = [0.9 * a + 0.1 * g for a, g in zip(m, grads)]
            v = [0.999 * a + 0.001 * g**2 for a, g in zip(v, grads)]
            step = sign * rate * (1 + np.cos(np.pi * t / updates)) / 2
            hats = zip(leaves, (a / (1 - 0.9**t) for a in m), (a / (1 - 0.999**t) for a in v))
            leaves = [leaf + step * a / (np.sqrt(b) + 1e-8) for leaf, a, b in hats]
    return tagger_params(leaves)


def gradient(
    params: TaggerParams, xs: Array, targets: Array, mask: Mask, *, only: str | None = None
) -> TaggerParams:
    """Return dparams of the mean loss, clipped to norm 1.

    only: the one direction that is trained; the gradient of the other is zero.
    """
    forwards, backwards, ys = tagger(params, xs, mask)
    _, dys = softmax_cross_entropy(ys, targets, mask=mask)
    dparams = backward(params, xs, mask, forwards, backwards, dys)
    dparams = tree_scale(min(1, 1 / tree_norm(dparams)), dparams)
    if only is None:
        return dparams
    other = {"forwards": "backwards", "backwards": "forwards"}[only]
    return dparams._replace(**{other: tree_scale(0, getattr(dparams, other))})


TEACHING = (
    (
        "never updated",
        "You return the parameters that you were given. Where do the new ones go after a step?",
        {"passes": 0},
    ),
    (
        "one direction not taught",
        "The weights of one of the two directions are those that you were given. Does its gradient "
        "arrive?",
        {"only": "forwards", "passes": 3},
    ),
    (
        "uphill",
        "On the words you were given, the loss is larger after your training than before. Check "
        "the sign of a step, and its length.",
        {"sign": 1, "passes": 1},
    ),
    (
        "letters and phones out of step",
        "What your tagger says of a letter depends more on its place in the word than on the "
        "letter. Do letters, phones and mask still belong together in your batches?",
        {"slip": 1, "passes": 2},
    ),
    (
        "learned by heart",
        "Your tagger knows some of its words far better than all others. How many of the words do "
        "your batches reach?",
        {"first": 100, "passes": 60},
    ),
    (
        "not trained enough",
        "Your tagger is not much better on its own words than on new ones, so it can learn more: "
        "more updates, or another rate.",
        {"rate": 1e-3, "passes": 2},
    ),
)
