"""What the look into the memory is worth, and what happens when it is put out of order. Chapter 21.

    python -m benchmarks.where_to_look            prints the tables, about six minutes
    python -m benchmarks.where_to_look --seeds 1  a quick look
    python -m benchmarks.where_to_look --write    also stores them in where_to_look*.csv

The network and its words are those of `letters_to_sounds`. There are two trainings: the short one
that the chapter runs, and one of twice as many updates, with whose networks all comparisons are
made. "plain mean" is the control: all scores are 0, so each letter has the same weight, and the
rest is as with attention. It needs the extra `data`.
"""

import argparse
from collections.abc import Callable
from itertools import product
from typing import Any, NamedTuple, cast

import numpy as np

from benchmarks.letters_to_sounds import (
    CHAPTER,
    CHAPTER_RATE,
    COMPARED,
    RATE,
    Reader,
    Words,
    best,
    encoder_decoder,
    errors,
    learning,
    the_words,
)
from benchmarks.rows import RESULTS, digits, write_rows
from rnn_tutorial.layers import Attention, Score, Seq2Seq, attend, general
from rnn_tutorial.train import last_step
from rnn_tutorial.tree import tree_map, tree_size
from rnn_tutorial.types import Array, Mask, Rng, Tree

UNITS = 64
RATES = {COMPARED: RATE, CHAPTER: CHAPTER_RATE}  # the first rate, for each number of updates


def flat_init(rng: Rng, H: int, M: int) -> tuple[()]:
    """Return (): no parameters."""
    return ()


def flat_scores(params: Any, queries: Array, memory: Array) -> tuple[Array, tuple[Array, Array]]:
    """Return (zeros, cache): every letter fits as well as any other."""
    (T, B, _), S = queries.shape, len(memory)
    zeros = np.zeros((T, B, S), queries.dtype)
    return zeros, (np.zeros_like(queries), np.zeros_like(memory))


def flat_backward(
    params: Any, cache: tuple[Array, Array], dscores: Array
) -> tuple[tuple[()], Array, Array]:
    """Return ((), zeros, zeros): a constant has no gradient."""
    return (), *cache


flat = Score("flat", flat_init, flat_scores, flat_backward)


def reader_with(score: Score, words: Words) -> Reader:
    """Return the encoder–decoder whose attention has this score."""
    return encoder_decoder(words, UNITS, Attention(score, UNITS, 2 * UNITS), 3 * UNITS)


GENERAL = "attention, general"
READOUTS: dict[str, Callable[[Words], Reader]] = {
    "plain mean": lambda words: reader_with(flat, words),
    GENERAL: lambda words: reader_with(general, words),
}


class LookRow(NamedTuple):
    """One training run, and its errors on the words held out, greedy."""

    readout: str
    seed: int
    updates: int
    weights: int
    phones: float
    words: float


class ChangedRow(NamedTuple):
    """What the network says, given the right symbols before, when the weights are changed."""

    seed: int
    change: str
    symbols: float  # the share that is wrong
    before: float  # the share that is the right symbol of the step before
    after: float  # the same of the step after


class StateRow(NamedTuple):
    """The symbols that are wrong, given the right ones before, from another first state."""

    seed: int
    first: str
    symbols: float


class LetterRow(NamedTuple):
    """How much of the weight of some sounds is on the letters that make them."""

    seed: int
    spelling: str
    sounds: str
    held_out: int  # words
    weight: float
    plain: float  # the same of a plain mean


SPELLINGS = (("ph", "F"), ("sh", "SH"), ("x", "K S"), ("b", "B"))


def letter_rows(reader: Reader, params: Tree, words: Words, seed: int) -> list[LetterRow]:
    """Return a row for each of SPELLINGS, and one for a silent e at the end of a word.

    A word counts if it has the letters once, and as many of the sounds as the spelling says. The
    weight of a silent e is what it gets from all sounds; `plain` is then what the other letters
    get, each.
    """
    _, _, cache = reader.model.forward(params, reader.batch(words.test).xs)
    weights = cache.readout.weights
    rows = []
    for spelling, sounds in SPELLINGS:
        found, plain = [], []
        for n, word in enumerate(words.test):
            steps = [t for t, phone in enumerate(words.phones[word]) if phone in sounds.split()]
            if word.count(spelling) == 1 and len(steps) == len(sounds.split()):
                s = word.index(spelling)
                found.append(weights[steps, n, s : s + len(spelling)].sum(axis=-1).mean())
                plain.append(len(spelling) / len(word))
        rows.append(
            LetterRow(
                seed,
                spelling,
                sounds,
                len(found),
                digits(float(np.mean(found)), 3),
                digits(float(np.mean(plain)), 3),
            )
        )
    silent, others = [], []
    for n, word in enumerate(words.test):
        if word.endswith("e") and words.phones[word][-1] not in ("IY", "EY", "AH"):
            given = weights[: len(words.phones[word]), n, : len(word)].sum(axis=0)
            silent.append(given[-1])
            others.append(given[:-1].mean())
    of_e = digits(float(np.mean(silent)), 3), digits(np.mean(others), 3)
    return [*rows, LetterRow(seed, "silent e", "all", len(silent), *of_e)]


def changes(weights: Array, mask: Mask) -> dict[str, Array]:
    """Return the weights (T, B, S) as they are, and put out of order in five ways."""
    T, B, S = weights.shape
    real = np.broadcast_to(mask.T, weights.shape)
    largest = np.arange(S) == weights.argmax(axis=-1)[..., None]
    right = np.concatenate([np.zeros((T, B, 1)), weights[..., :-1]], axis=-1)
    right = np.where(real, right, 0)
    right[:, np.arange(B), mask.sum(axis=0) - 1] += 1 - right.sum(axis=-1)
    return {
        "as trained": weights,
        "the largest alone": largest.astype(weights.dtype),
        "one step late": np.concatenate([weights[:1], weights[:-1]]),
        "one letter to the right": right,
        "all letters alike": real / mask.sum(axis=0)[:, None],
        "the wrong letters": (1 - weights) * real / (mask.sum(axis=0)[:, None] - 1),
    }


def changed_rows(reader: Reader, params: Tree, words: Words, seed: int) -> list[ChangedRow]:
    """Return a row for each change of the weights of the held-out words."""
    model, batch = cast(Seq2Seq, reader.model), reader.batch(words.test)
    _, _, cache = model.forward(params, batch.xs)
    queries, memory, weights, _ = cache.readout
    right, real = batch.targets, batch.target_mask
    rows = []
    for name, changed in changes(weights, batch.xs.mask).items():
        ys = np.concatenate([queries, attend(changed, memory)], axis=-1)
        logits, _, _ = model.output.forward(params.output, ys)
        said = logits.argmax(axis=-1)
        shares = (
            (said != right)[real].mean(),
            (said[1:] == right[:-1])[real[1:]].mean(),
            (said[:-1] == right[1:])[real[1:]].mean(),
        )
        rows.append(ChangedRow(seed, name, *(digits(float(share)) for share in shares)))
    return rows


# what the first state of the decoder is made into; the words held out are in random order
FIRST_STATES: dict[str, Callable[[Array], Array]] = {
    "its own": np.copy,
    "of another word": lambda r: np.roll(r, 1, axis=0),
    "zeros": np.zeros_like,
}


def state_rows(reader: Reader, params: Tree, words: Words, seed: int) -> list[StateRow]:
    """Return a row for each of FIRST_STATES; the network looks where it then wants to."""
    model, batch = cast(Seq2Seq, reader.model), reader.batch(words.test)
    read = model.start(params, batch.xs.source, batch.xs.mask)
    rows = []
    for name, change in FIRST_STATES.items():
        first = tree_map(change, read.state)
        queries, _, _ = model.decoder.forward(params.decoder, batch.xs.prefix, first)
        ys, _ = model.readout.forward(params.readout, queries, read.memory, read.mask)
        logits, _, _ = model.output.forward(params.output, ys)
        wrong = (logits.argmax(axis=-1) != batch.targets)[batch.target_mask]
        rows.append(StateRow(seed, name, digits(float(wrong.mean()))))
    return rows


def trained(readout: str, seed: int, words: Words, updates: int) -> tuple[Reader, Tree]:
    """Return the network with this readout, and its parameters after the training."""
    reader = READOUTS[readout](words)
    steps = learning(reader, words, seed, updates, rate=RATES[updates])
    return reader, last_step(steps).params


def look_row(
    readout: str, seed: int, updates: int, words: Words, reader: Reader, params: Tree
) -> LookRow:
    """Return the row of one trained network."""
    said, right = best(reader.greedy(params, words.test)), words.sounds(words.test, reader.first)
    return LookRow(readout, seed, updates, tree_size(params), *errors(said, right))


def main() -> None:
    """Print the tables, and store them with --write."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.where_to_look", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--seeds", type=int, default=3, help="seeds 0, 1, … (default: 3)")
    parser.add_argument("--write", action="store_true", help="store the tables")
    arguments = parser.parse_args()
    words = the_words()
    rows: list[LookRow] = []
    changed: list[ChangedRow] = []
    states: list[StateRow] = []
    spelled: list[LetterRow] = []
    for updates, readout, seed in product(RATES, READOUTS, range(arguments.seeds)):
        reader, params = trained(readout, seed, words, updates)
        rows.append(look_row(readout, seed, updates, words, reader, params))
        print(*rows[-1], sep="   ", flush=True)
        if (updates, readout) == (COMPARED, GENERAL):
            changed += changed_rows(reader, params, words, seed)
            states += state_rows(reader, params, words, seed)
            spelled += letter_rows(reader, params, words, seed)
    for one in (*changed, *states, *spelled):
        print(*one, sep="   ")
    if arguments.write:
        write_rows(RESULTS / "where_to_look.csv", rows)
        write_rows(RESULTS / "where_to_look_changed.csv", changed)
        write_rows(RESULTS / "where_to_look_states.csv", states)
        write_rows(RESULTS / "where_to_look_letters.csv", spelled)


if __name__ == "__main__":
    main()
