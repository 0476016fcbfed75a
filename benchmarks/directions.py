"""From letters to phones in one direction, in two, and in two of which one is not turned back.

Each network of chapter 13 is trained with five seeds, as the chapter trains it, and its shares of
the test letters and words are stored in directions.csv. Half a minute on one core.

    python -m benchmarks.directions
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from benchmarks.rows import RESULTS, digits, write_rows
from rnn_tutorial.cells import LSTM
from rnn_tutorial.data import (
    Vocabulary,
    aligned_pronunciations,
    bucket_by_length,
    pad,
)
from rnn_tutorial.layers import (
    Bidirectional,
    BidirectionalCache,
    BidirectionalParams,
    BidirectionalState,
    Dense,
    Embedding,
    Recurrent,
    Serial,
    refuse_state,
    turn,
)
from rnn_tutorial.train import adam, cosine, last_step, softmax_cross_entropy, train
from rnn_tutorial.tree import tree_cast
from rnn_tutorial.types import Array, Mask, Rng, Tree

SEEDS = range(5)
LETTERS = Vocabulary("abcdefghijklmnopqrstuvwxyz")


@dataclass(frozen=True)
class NeverTurnedBack(Bidirectional):
    """Wrong on purpose."""

    def forward(
        self,
        params: Any,
        xs: Array,
        state: Any = None,
        *,
        mask: Mask | None = None,
        rng: Rng | None = None,
    ) -> tuple[Array, BidirectionalState, BidirectionalCache]:
        if state is not None:
            refuse_state(self)
        forwards, state_f, cache_f = self.forwards.forward(params.forwards, xs, mask=mask, rng=rng)
        backwards, state_b, cache_b = self.backwards.forward(
            params.backwards, turn(xs), mask=turn(mask), rng=rng
        )
        cache = BidirectionalCache(forwards, backwards, cache_f, cache_b)
        return self.merge.f(forwards, backwards), BidirectionalState(state_f, state_b), cache

    def backward(
        self, params: Any, cache: BidirectionalCache, dys: Array, dstate: Any = None
    ) -> tuple[BidirectionalParams, Any, BidirectionalState]:
        dstate_f, dstate_b = (None, None) if dstate is None else dstate
        dforwards, dbackwards = self.merge.backward(cache.forwards, cache.backwards, dys)
        dparams_f, dxs_f, dfirst_f = self.forwards.backward(
            params.forwards, cache.forwards_cache, dforwards, dstate_f
        )
        dparams_b, dxs_b, dfirst_b = self.backwards.backward(
            params.backwards, cache.backwards_cache, dbackwards, dstate_b
        )
        dparams = BidirectionalParams(dparams_f, dparams_b)
        return dparams, dxs_f + turn(dxs_b), BidirectionalState(dfirst_f, dfirst_b)


class Words(NamedTuple):
    """Words with a phone for each letter, those to learn from and those to test on."""

    phones: dict[str, tuple[str, ...]]
    number: dict[str, int]  # of each phone
    training: list[str]
    test: list[str]

    def batch(self, words: list[str]) -> tuple[Array, Array, Array]:
        """Return (xs, targets, mask), each (T, B)."""
        xs, mask = pad([LETTERS.encode(word) for word in words])
        targets, _ = pad([np.array([self.number[p] for p in self.phones[word]]) for word in words])
        return xs, targets, mask


class Run(NamedTuple):
    """One trained network and its shares of the test set, padded and one length at a time."""

    network: str
    seed: int
    letters: float
    words: float
    letters_unpadded: float
    words_unpadded: float


def the_words() -> Words:
    """Return the words of the chapter, split as there."""
    phones = {w: p for w, p in aligned_pronunciations().items() if 4 <= len(w) <= 12}
    shuffled = list(phones)
    np.random.default_rng(10).shuffle(shuffled)
    names = sorted({phone for several in phones.values() for phone in several})
    number = {phone: k for k, phone in enumerate(names)}
    return Words(phones, number, training=shuffled[3000:], test=shuffled[:3000])


def networks() -> dict[str, Serial]:
    """Return the three networks by name."""
    half = Recurrent(LSTM, 16, 32)
    middles = {
        "one direction": Recurrent(LSTM, 16, 64),
        "two directions": Bidirectional(half, half),
        "two, not turned back": NeverTurnedBack(half, half),
    }
    return {
        name: Serial((Embedding(26, 16), middle, Dense(64, 38))) for name, middle in middles.items()
    }


def batches_of_words(
    rng: Rng, arrays: tuple[Array, Array, Array], size: int
) -> Iterator[tuple[Array, ...]]:
    """Yield (xs, targets, mask) of all words, some of about one length at a time."""
    lengths = arrays[2].sum(axis=0)
    for part in bucket_by_length(rng, lengths, size):
        T = lengths[part].max()
        yield tuple(array[:T, part] for array in arrays)


def learn(model: Serial, words: Words, seed: int, passes: int = 2, size: int = 100) -> Tree:
    """Return the parameters, float32, after some passes over the training words."""
    rng, arrays = np.random.default_rng(seed), words.batch(words.training)
    params = tree_cast(model.init(rng), np.float32)
    batches = (batch for _ in range(passes) for batch in batches_of_words(rng, arrays, size))
    optimizer = adam(cosine(0.02, 0, passes * -(-len(words.training) // size)))
    return last_step(train(model, params, batches, softmax_cross_entropy, optimizer)).params


def right(model: Serial, params: Tree, batch: tuple[Array, Array, Array]) -> list[Array]:
    """Return for each word of a batch which of its letters are right."""
    xs, targets, mask = batch
    ys, _, _ = model.forward(params, xs, mask=mask)
    return [row[real] for row, real in zip((ys.argmax(axis=-1) == targets).T, mask.T)]


def shares(rows: list[Array]) -> tuple[float, float]:
    """Return the shares of letters and of words that are right."""
    return float(np.mean(np.concatenate(rows))), float(np.mean([row.all() for row in rows]))


def run(name: str, seed: int, words: Words, passes: int = 2) -> Run:
    """Return the Run of one network and one seed."""
    model = networks()[name]
    params = learn(model, words, seed, passes)
    by_length = [[w for w in words.test if len(w) == n] for n in sorted(set(map(len, words.test)))]
    unpadded = [row for some in by_length for row in right(model, params, words.batch(some))]
    padded = right(model, params, words.batch(words.test))
    return Run(name, seed, *map(digits, (*shares(padded), *shares(unpadded))))


if __name__ == "__main__":
    everything = the_words()
    runs = [run(name, seed, everything) for name in networks() for seed in SEEDS]
    write_rows(RESULTS / "directions.csv", runs)
