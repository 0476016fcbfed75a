"""The words of assignment 6, the score of a trained reader, and what can be seen in a poor one.

The words are real, from `pronunciations`. Every draw numbers their letters and phones in a new
order, so that a dictionary, or parameters trained with another numbering, are of no use. The words
that the score is computed on never leave the grader.
"""

from collections.abc import Sequence
from functools import cache
from typing import TypeAlias

import numpy as np

from rnn_course.judge.scoring import Scoring
from rnn_tutorial.data import pad, pronunciations
from rnn_tutorial.layers.attention import attend, masked_softmax
from rnn_tutorial.train.losses import softmax_cross_entropy
from rnn_tutorial.train.metrics import edit_distance
from rnn_tutorial.tree import tree_leaves
from rnn_tutorial.types import Array, Mask, Rng

__all__ = [
    "HELD_OUT",
    "HIDDEN",
    "HINTS",
    "NEAREST",
    "RUNGS",
    "SCORING",
    "TRAINING",
    "WINDOW",
    "draw_words",
    "held_out_words",
    "logits",
    "phones_right",
    "remarks",
    "spoken_by",
]

Batch: TypeAlias = tuple[Array, Mask, Array, Mask]
"""Letters (S, B) and their mask, symbols (T, B) and theirs: (xs, mask, targets, real)."""

TRAINING, HELD_OUT = 5000, 1000  # words
HIDDEN, WINDOW, NEAREST = 32, 5, 4  # units, letters that a vector is made of, farthest distance
STEPS = 9  # symbols that a word is given to come to its end
RUNGS = ((0.55, 0.25), (0.73, 0.5), (0.79, 0.75), (0.82, 1.0))


@cache
def spoken_words() -> dict[str, tuple[str, ...]]:
    """Return {word: phones} of the words with 3 to 7 letters and no more phones than letters."""
    return {w: said for w, said in pronunciations(3, 7).items() if len(said) <= len(w)}


def draw_words(rng: Rng) -> tuple[Batch, Batch, int]:
    """Return (training batch, held-out batch, number of symbols); no word is in both batches."""
    spoken = spoken_words()
    phones = sorted({phone for said in spoken.values() for phone in said})
    number = dict(zip(phones, 1 + rng.permutation(len(phones))))
    letter = dict(zip("abcdefghijklmnopqrstuvwxyz", rng.permutation(26)))
    words = rng.permutation(sorted(spoken))[: TRAINING + HELD_OUT].tolist()

    def batch(words: list[str]) -> Batch:
        xs, mask = pad([np.array([letter[x] for x in word]) for word in words])
        symbols = [np.array([*(number[phone] for phone in spoken[word]), 0]) for word in words]
        return xs, mask, *pad(symbols)

    return batch(words[:TRAINING]), batch(words[TRAINING:]), len(phones) + 1


def held_out_words(rng: Rng) -> Batch:
    """Return the held-out batch of the same draw, which the submission does not see."""
    return draw_words(rng)[1]


# The score. The reader is written anew here: nothing is one more step of the memory.


def logits(leaves: Sequence[Array], xs: Array, mask: Mask, said: Array) -> Array:
    """Return ys (T, B, K) of the reader whose eight arrays are `leaves`; numbers of any size."""
    E, Y, W_h, b_h, gain, place, W, b = leaves
    (S, B), T, N, R = xs.shape, len(said), len(E), len(place) // 2
    letters = np.zeros((S + N - 1, B), int)
    letters[N // 2 : N // 2 + S] = np.where(mask, xs + 1, 0)
    memory = np.zeros((S + 1, B, len(gain)))
    for j, table in enumerate(E):
        memory[1:] += table[letters[j : j + S]]
    memory = np.tanh(np.nan_to_num(memory))
    h, queries = np.zeros((B, len(gain))), []
    for y in said:
        h = np.tanh(np.nan_to_num(Y[y] + h @ W_h + b_h))
        queries.append(h)
    e = np.einsum("tbh,h,sbh->tbs", np.stack(queries), gain, memory, optimize=True)
    for t in range(T):
        e[t, :, 1:] += [place[min(max(s - t, -R), R) + R] for s in range(S)]
    all_real = np.concatenate([np.ones((1, B), bool), mask])
    w = masked_softmax(np.clip(np.nan_to_num(e), -1e300, 1e300), all_real)
    return np.nan_to_num((np.stack(queries) + attend(w, memory)) @ W + b)


def spoken_by(leaves: Sequence[Array], batch: Batch) -> Array:
    """Return what the reader says, (STEPS, B): the most likely symbol, step by step."""
    xs, mask, _, _ = batch
    said = np.zeros((1, xs.shape[1]), int)
    for _ in range(STEPS):
        best = logits(leaves, xs, mask, said)[-1].argmax(axis=-1)
        said = np.concatenate([said, best[None]])
    return said[1:]


def phones_right(leaves: Sequence[Array], batch: Batch) -> float:
    """Return 1 - phone error rate: edits to the right phones, over their number; 0 at least."""
    _, _, targets, _ = batch
    pairs = [(cut(a), cut(b)) for a, b in zip(spoken_by(leaves, batch).T, targets.T)]
    edits = sum(edit_distance(said, right) for said, right in pairs)
    return max(0.0, 1 - edits / sum(len(right) for _, right in pairs))


def cut(symbols: Array) -> list[int]:
    """Return the symbols before the first edge."""
    found = symbols.tolist()
    return found[: found.index(0)] if 0 in found else found


# What the trained parameters tell about the training

HINTS = {
    "never updated": "You return the parameters that you were given. Where do the new ones go "
    "after a step?",
    "attention not taught": "Both arrays of the scores are those that you were given, and the "
    "others have learned. Does the gradient of gain and place arrive in your step?",
    "some parameters not taught": "At least one of the eight arrays is the one that you were "
    "given. Compare what you return with your argument, array by array.",
    "loss has grown": "On the words you were given, the loss is larger after your training than "
    "before. Check the sign of a step, and its length.",
    "letters and phones out of step": "Your reader says nearly the same of many words. Do the "
    "letters, the symbols and both masks still belong together in your batches?",
    "never says the end": "Most of your words do not come to an end. Is the edge after the last "
    "phone in the loss?",
    "learned by heart": "Your reader knows some of its words far better than all others. How many "
    "of the words do your batches reach?",
    "better on its own words": "Your reader is much better on the words it was trained on than on "
    "new ones. More passes will not help much: what keeps weights from fitting single words?",
    "not trained enough": "Your reader is not much better on its own words than on new ones, so it "
    "can learn more: more updates, or another rate.",
}


def remarks(leaves: Sequence[Array], case: tuple, held_out: Batch) -> tuple[str, ...]:
    """Return a tuple with the name of the first thing that can be seen, a key of HINTS."""
    params, *training, _ = case
    xs, mask, targets, real = training
    some = xs[:, :HELD_OUT], mask[:, :HELD_OUT], targets[:, :HELD_OUT], real[:, :HELD_OUT]
    start = tree_leaves(params)
    same = [np.array_equal(a, b) for a, b in zip(leaves, start)]
    if any(same):
        return (untaught(same),)
    if best_hundred(leaves, (xs, mask, targets, real)) - shares(leaves, held_out).mean() > 0.2:
        return ("learned by heart",)
    if mean_loss(leaves, some) > mean_loss(start, some):
        return ("loss has grown",)
    said = spoken_by(leaves, held_out)
    if np.mean((said != 0).all(axis=0)) > 0.5:
        return ("never says the end",)
    if len({tuple(cut(word)) for word in said.T}) < said.shape[1] / 3:
        return ("letters and phones out of step",)
    score = phones_right(leaves, held_out)
    if phones_right(leaves, some) - score > 0.06:
        return ("better on its own words",)
    return ("not trained enough",)


def untaught(same: Sequence[bool]) -> str:
    """Return the name of what was not trained; same[k]: array k is the one that was given."""
    if all(same):
        return "never updated"
    alone = sum(same) == 2 and same[4] and same[5]
    return "attention not taught" if alone else "some parameters not taught"


def mean_loss(leaves: Sequence[Array], batch: Batch) -> float:
    """Return the cross-entropy of the reader on a batch, inf if it is not finite."""
    xs, mask, targets, real = batch
    said = np.concatenate([np.zeros_like(targets[:1]), targets[:-1]])
    ys = logits(leaves, xs, mask, said)
    loss = softmax_cross_entropy(ys, targets, mask=real)[0] if np.isfinite(ys).all() else np.inf
    return float(loss) if np.isfinite(loss) else np.inf


def shares(leaves: Sequence[Array], batch: Batch) -> Array:
    """Return (B,): the share of the symbols of each word that are right after the right ones."""
    xs, mask, targets, real = batch
    said = np.concatenate([np.zeros_like(targets[:1]), targets[:-1]])
    right = (logits(leaves, xs, mask, said).argmax(axis=-1) == targets) & real
    return right.sum(axis=0) / real.sum(axis=0)


def best_hundred(leaves: Sequence[Array], batch: Batch) -> float:
    """Return the mean of `shares` in the best block of a hundred words."""
    return float(shares(leaves, batch).reshape(-1, 100).mean(axis=1).max())


SCORING = Scoring(
    held_out_words,
    phones_right,
    RUNGS,
    "of the phones right, in words it has not seen",
    remarks,
    HINTS,
)
