"""What the tagger of assignment 5 learns from, what it is judged by, and what can go wrong in training it.

The words are real, from `aligned_pronunciations`. Their letters and phones are numbered anew for every seed: who has learned
another numbering, or a dictionary, by heart, knows nothing. The words that judge never leave the grader.
"""

from functools import cache

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

__all__ = [
    "HELD_OUT",
    "HIDDEN",
    "RUNGS",
    "TEACHING",
    "TRAINING",
    "best_hundred",
    "draw_words",
    "explained",
    "fit",
    "gradient",
    "held_out_words",
    "mean_loss",
    "remarks",
    "share_right",
    "spoken_words",
    "training_cases",
    "untrained",
]

TRAINING, HELD_OUT, HIDDEN = 4000, 2000, 32  # words, words, units of one reading
RUNGS = ((0.72, 0.25), (0.77, 0.5), (0.825, 0.75), (0.84, 1.0))


@cache
def spoken_words():
    """Return {word: phones} of 4 to 10 letters."""
    return {
        word: phones for word, phones in aligned_pronunciations().items() if 4 <= len(word) <= 10
    }


def draw_words(rng):
    """Return two batches (xs, targets, mask), to learn from and to be judged by, and K: no word is in both."""
    spoken = spoken_words()
    phones = sorted({phone for said in spoken.values() for phone in said})
    number = dict(zip(phones, rng.permutation(len(phones))))
    letter = dict(zip("abcdefghijklmnopqrstuvwxyz", rng.permutation(26)))
    words = rng.permutation(sorted(spoken))[: TRAINING + HELD_OUT].tolist()

    def batch(words):
        xs, mask = pad([np.array([letter[x] for x in word]) for word in words])
        return (
            xs,
            pad([np.array([number[phone] for phone in spoken[word]]) for word in words])[0],
            mask,
        )

    return batch(words[:TRAINING]), batch(words[TRAINING:]), len(phones)


def untrained(rng, V, H, K):
    """Return TaggerParams to start from: no letter is like another, W_h turns and does not shrink."""

    def reading():
        return RNNParams(
            rng.normal(0, 0.5, (V, H)),
            np.linalg.qr(rng.normal(size=(H, H)))[0],
            rng.normal(0, 0.1, H),
        )

    return TaggerParams(reading(), reading(), rng.normal(0, 0.1, (2 * H, K)), rng.normal(0, 0.1, K))


def training_cases(rng):
    """Return the one case (params, xs, targets, mask, seed)."""
    (xs, targets, mask), _, K = draw_words(rng)
    return [(untrained(rng, 26, HIDDEN, K), xs, targets, mask, rng.integers(1, 1000, 2))]


def held_out_words(rng):
    """Return the batch that the submission has not seen, from the same draw."""
    return draw_words(rng)[1]


def share_right(leaves, batch):
    """Return the share of the letters of a batch to which the tagger gives their phone."""
    xs, targets, mask = batch
    return np.mean((tagger(tagger_params(leaves), xs, mask)[2].argmax(axis=-1) == targets)[mask])


# What can be seen of a training from the parameters that it gave


def remarks(leaves, case, held_out):
    """Return the name of the first thing that is found wrong, in a tuple."""
    params, *training, _ = case
    same = [np.array_equal(a, b) for a, b in zip(leaves, tree_leaves(params))]
    if all(same):
        return ("never updated",)
    if all(same[:3]) or all(same[3:6]):
        return ("one direction not taught",)
    if mean_loss(leaves, training) > mean_loss(tree_leaves(params), training):
        return ("uphill",)
    xs, _, mask = held_out
    if explained(leaves, held_out, np.nonzero(mask)[0]) > explained(leaves, held_out, xs[mask]):
        return ("letters and phones out of step",)
    if best_hundred(leaves, training) - share_right(leaves, held_out) > 0.1:
        return ("learned by heart",)
    return ("not trained enough",)


def mean_loss(leaves, batch):
    """Return the cross-entropy of the tagger on a batch, infinite if it is not finite."""
    xs, targets, mask = batch
    ys = tagger(tagger_params(leaves), xs, mask)[2]
    return softmax_cross_entropy(ys, targets, mask=mask)[0] if np.isfinite(ys).all() else np.inf


def explained(leaves, batch, by):
    """Return how much of what the tagger says is said of most places with the same number in `by`: the letter, or the step."""
    xs, _, mask = batch
    said = tagger(tagger_params(leaves), xs, mask)[2].argmax(axis=-1)[mask]
    counts = np.zeros((by.max() + 1, said.max() + 1))
    np.add.at(counts, (by, said), 1)
    return counts.max(axis=1).sum() / said.size


def best_hundred(leaves, batch):
    """Return the share of letters right among those hundred words, one after another, that the tagger knows best."""
    return max(
        share_right(leaves, [array[:, k : k + 100] for array in batch])
        for k in range(0, batch[0].shape[1], 100)
    )


# The training with mistakes


def fit(
    params,
    xs,
    targets,
    mask,
    seed,
    *,
    passes=4,
    size=50,
    rate=0.03,
    sign=-1,
    slip=0,
    only=None,
    first=None,
):
    """Return trained TaggerParams with a mistake, or with none: Adam, a falling rate, clipping, words of a length together."""
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


def gradient(params, xs, targets, mask, *, only=None):
    """Return dparams of the mean loss, clipped to the norm 1; only: the one reading that is taught."""
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
        "What you return is what you were handed. Where do the new parameters go after a step?",
        {"passes": 0},
    ),
    (
        "one direction not taught",
        "The weights of one of the two readings are those that you were handed: does its gradient arrive?",
        {"only": "forwards", "passes": 3},
    ),
    (
        "uphill",
        "On the words you were handed, the loss is larger after your training than before: the sign of a step, or its length.",
        {"sign": 1, "passes": 1},
    ),
    (
        "letters and phones out of step",
        "What your tagger says of a letter depends more on its place in the word than on the letter. Do letters, phones and mask "
        "still belong together in your batches?",
        {"slip": 1, "passes": 2},
    ),
    (
        "learned by heart",
        "Your tagger knows some of its words far better than all others. How many of the words do your batches reach?",
        {"first": 100, "passes": 60},
    ),
    (
        "not trained enough",
        "Your tagger is not much better on its own words than on new ones, so it can learn more: more updates, or another rate.",
        {"rate": 1e-3, "passes": 2},
    ),
)
