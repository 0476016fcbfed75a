"""Why the outputs of CTC are peaks: two starts of the blank, two numbers of steps. Chapter 22.

    python -m benchmarks.ctc_peaks            prints the table, about three minutes
    python -m benchmarks.ctc_peaks --seeds 1  a quick look
    python -m benchmarks.ctc_peaks --write    also stores it in ctc_peaks.csv

The network is the one of `letters_to_sounds`, with each letter read 2 or 4 times. The bias of the
blank starts at 0, as all others, or below, so that the blank is improbable at first. It needs the
extra `data`.
"""

import argparse
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from benchmarks.letters_to_sounds import BATCH, BLANK, RATE, Words, both_ways, the_words
from benchmarks.rows import RESULTS, digits, write_rows
from rnn_tutorial.data import pad
from rnn_tutorial.decoding import ctc_greedy
from rnn_tutorial.layers import Dense, Serial
from rnn_tutorial.train import (
    Batch,
    adam,
    clip_by_global_norm,
    clipped,
    cosine,
    ctc_loss,
    error_rate,
    fits,
    softmax,
    train,
)
from rnn_tutorial.types import Array, Mask, Rng, Tree

UNITS, UPDATES, TESTED = 64, 300, 500
AFTER = (1, 5, 10, 15, 20, 30, 50, 100, 200, 300)  # updates


class PeakRow(NamedTuple):
    """What a network says after some updates, on words held out."""

    repeats: int  # steps a letter
    start: float  # of the blank's bias
    seed: int
    update: int
    blank: float  # the mean probability of the blank
    held: float  # steps of a label in the likeliest alignment, on average; 0 if it has no label
    vowels: float  # the same of the vowels alone
    consonants: float
    phones: float  # the phone error


def read(words: Words, some: Sequence[str], repeats: int) -> tuple[Array, Mask]:
    """Return (letters, mask) of the words, each letter repeated."""
    return pad([np.repeat(letters, repeats) for letters in words.letters(some)])


def batches(rng: Rng, words: Words, repeats: int) -> Iterator[Batch]:
    """Yield UPDATES batches of words drawn at random, without those that do not fit."""
    for _ in range(UPDATES):
        drawn = [words.training[k] for k in rng.integers(len(words.training), size=BATCH)]
        sounds = words.sounds(drawn, BLANK + 1)
        some = [w for w, of_word in zip(drawn, sounds) if fits(of_word, repeats * len(w))]
        xs, mask = read(words, some, repeats)
        labels, real = pad([np.array(of_word) for of_word in words.sounds(some, BLANK + 1)])
        yield Batch(xs, np.where(real, labels, -1), mask)


def steps_held(alignments: Array, mask: Mask, symbols: Sequence[int]) -> float:
    """Return the mean number of steps of these symbols in alignments (T, B); 0 without any."""
    label = np.isin(alignments, symbols) & mask
    new = label.copy()
    new[1:] &= alignments[1:] != alignments[:-1]
    return float(label.sum() / max(new.sum(), 1))


def peak_rows(words: Words, repeats: int, start: float, seed: int) -> Iterator[PeakRow]:
    """Yield the rows of one training run."""
    rng = np.random.default_rng(seed)
    model = Serial((*both_ways(UNITS).layers, Dense(2 * UNITS, len(words.names) + 1)))
    params: Tree = model.init(rng)
    params[-1].b[BLANK] = start
    some = words.test[:TESTED]
    xs, mask = read(words, some, repeats)
    right = words.sounds(some, BLANK + 1)
    vowels = [k for k, name in enumerate(words.names, BLANK + 1) if name[0] in "AEIOU"]
    consonants = [k for k, name in enumerate(words.names, BLANK + 1) if name[0] not in "AEIOU"]
    optimizer = clipped(adam(cosine(RATE, 0, UPDATES)), clip_by_global_norm, 1.0)
    drawn = batches(rng, words, repeats)
    for step in train(model, params, drawn, ctc_loss, optimizer):
        if step.index + 1 in AFTER:
            logits, _, _ = model.forward(step.params, xs, mask=mask)
            said = [h.symbols for (h,) in ctc_greedy(logits, mask=mask)]
            alignments = logits.argmax(axis=-1)
            held = (
                digits(steps_held(alignments, mask, symbols))
                for symbols in (vowels + consonants, vowels, consonants)
            )
            yield PeakRow(
                repeats,
                start,
                seed,
                step.index + 1,
                digits(softmax(logits)[mask][:, BLANK].mean()),
                *held,
                digits(error_rate(said, right)),
            )


def main() -> None:
    """Print the table, and store it with --write."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.ctc_peaks", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--seeds", type=int, default=3, help="seeds 0, 1, … (default: 3)")
    parser.add_argument("--write", action="store_true", help="store the table")
    arguments = parser.parse_args()
    words, rows = the_words(), []
    for repeats in (2, 4):
        for start in (0.0, -6.0):
            for seed in range(arguments.seeds):
                for row in peak_rows(words, repeats, start, seed):
                    print(*row, sep="   ", flush=True)
                    rows.append(row)
    if arguments.write:
        write_rows(RESULTS / "ctc_peaks.csv", rows)


if __name__ == "__main__":
    main()
