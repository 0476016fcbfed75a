"""What the look into the memory is worth, and what happens when it is put out of order. Chapter 21.

    python -m benchmarks.where_to_look            prints the tables, about six minutes
    python -m benchmarks.where_to_look --seeds 1  a quick look
    python -m benchmarks.where_to_look --write    also stores them in where_to_look*.csv

The network, its words and its training are those of `letters_to_sounds`, at the size of the
chapter. "flat" is the control: all scores are 0, so the context is the plain mean of the letters.
It needs the extra `data`.
"""

import argparse
from typing import Any, NamedTuple

import numpy as np

from benchmarks.letters_to_sounds import (
    CHAPTER,
    Reader,
    Words,
    best,
    encoder_decoder,
    errors,
    learn,
    the_words,
)
from benchmarks.rows import RESULTS, digits, write_rows
from rnn_tutorial.layers import Attention, Score, additive, attend, general
from rnn_tutorial.tree import tree_size
from rnn_tutorial.types import Array, Mask, Rng, Tree

UNITS = 64


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
SCORES = (general, flat, additive(UNITS))


class LookRow(NamedTuple):
    """One training run, and its errors on the words held out, greedy."""

    score: str
    seed: int
    updates: int
    weights: int
    phones: float
    words: float


class ChangedRow(NamedTuple):
    """The symbols that are wrong, given the right ones before, when the weights are changed."""

    seed: int
    change: str
    symbols: float


def reader_with(score: Score, words: Words) -> Reader:
    """Return the encoder–decoder whose attention has this score."""
    return encoder_decoder(words, UNITS, Attention(score, UNITS, 2 * UNITS), 3 * UNITS)


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
    """Return the share of wrong symbols, with the weights of the held-out words changed."""
    batch = reader.batch(words.test)
    _, _, cache = reader.model.forward(params, batch.xs)
    queries, memory, weights, _ = cache.readout
    rows = []
    for name, changed in changes(weights, batch.xs.mask).items():
        ys = np.concatenate([queries, attend(changed, memory)], axis=-1)
        logits, _, _ = reader.model.output.forward(params.output, ys)
        wrong = (logits.argmax(axis=-1) != batch.targets)[batch.target_mask]
        rows.append(ChangedRow(seed, name, digits(wrong.mean())))
    return rows


def look_row(
    score: Score, seed: int, words: Words, updates: int = CHAPTER
) -> tuple[LookRow, Reader, Tree]:
    """Return the row of one network and one seed, and the network with its parameters."""
    reader = reader_with(score, words)
    params = learn(reader, words, seed, updates)
    said, right = best(reader.greedy(params, words.test)), words.sounds(words.test, reader.first)
    found = errors(said, right)
    return LookRow(score.name, seed, updates, tree_size(params), *found), reader, params


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
    for score in SCORES:
        for seed in range(arguments.seeds):
            row, reader, params = look_row(score, seed, words)
            print(*row, sep="   ", flush=True)
            rows.append(row)
            if score is general:
                changed += changed_rows(reader, params, words, seed)
    for one in changed:
        print(*one, sep="   ")
    if arguments.write:
        write_rows(RESULTS / "where_to_look.csv", rows)
        write_rows(RESULTS / "where_to_look_changed.csv", changed)


if __name__ == "__main__":
    main()
