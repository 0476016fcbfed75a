"""The character model of chapter 05, trained from several seeds.

    python -m benchmarks.king_james             prints eight seeds, about five minutes
    python -m benchmarks.king_james --write     also stores them: king_james.csv

The books, the model, the batches and the optimizer are those of the chapter; its own run is seed 0.
"""

import argparse
from itertools import islice
from typing import NamedTuple

import numpy as np

from benchmarks.rows import RESULTS, digits, write_rows
from rnn_tutorial.cells import Elman
from rnn_tutorial.data import Vocabulary, consecutive_windows, king_james_bible, random_windows
from rnn_tutorial.layers import Dense, Embedding, Recurrent, Serial
from rnn_tutorial.train import (
    adam,
    bits_per_character,
    clip_by_global_norm,
    clipped,
    cosine,
    evaluate,
    last_step,
    softmax_cross_entropy,
    train,
)
from rnn_tutorial.types import Array

UPDATES = 1600
SEEDS = 8


class TextRow(NamedTuple):
    """One training run, in bits per character."""

    seed: int  # of the first weights; the windows are drawn with seed + 1
    held_out: float  # in 64 streams, the state carried over
    held_out_windows: float  # in windows of 32 from a zero state
    training_windows: float  # the training text, in the same windows


def books() -> tuple[Vocabulary, Array, Array]:
    """Return (vocabulary, training, validation): the last tenth of each book is held out."""
    texts = [king_james_bible((book,)) for book in ("Genesis", "Exodus", "Psalms")]
    vocabulary = Vocabulary.of("".join(texts))
    training = vocabulary.encode("".join(text[: len(text) * 9 // 10] for text in texts))
    validation = vocabulary.encode("".join(text[len(text) * 9 // 10 :] for text in texts))
    return vocabulary, training, validation


def all_windows(symbols: Array, T: int) -> list[tuple[Array, Array]]:
    """Return one batch with the whole text in windows of T, each of which begins anew."""
    return list(consecutive_windows(symbols, T=T, B=(len(symbols) - 1) // T))


def text_row(seed: int, updates: int = UPDATES) -> TextRow:
    """Return the row of one run of chapter 05."""
    vocabulary, training, validation = books()
    V = len(vocabulary)
    model = Serial((Embedding(V, 64), Recurrent(Elman, 64, 192), Dense(192, V)))
    start = model.init(np.random.default_rng(seed))
    windows = random_windows(np.random.default_rng(seed + 1), training, T=32, B=16)
    optimizer = clipped(adam(cosine(4e-3, 2e-4, updates)), clip_by_global_norm, 1.0)
    params = last_step(
        train(model, start, islice(windows, updates), softmax_cross_entropy, optimizer)
    ).params
    streams = list(consecutive_windows(validation, T=(len(validation) - 1) // 64, B=64))
    texts = streams, all_windows(validation, 32), all_windows(training[: len(validation)], 32)
    nats = [evaluate(model, params, text, softmax_cross_entropy) for text in texts]
    return TextRow(seed, *(digits(bits_per_character(value)) for value in nats))


def main() -> None:
    """Print the rows, and store them with --write."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.king_james", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--seeds", type=int, default=SEEDS, help="how many (default: %(default)s)")
    parser.add_argument("--write", action="store_true", help="store them: king_james.csv")
    arguments = parser.parse_args()
    rows = []
    for seed in range(arguments.seeds):
        rows.append(text_row(seed))
        print(*rows[-1], flush=True)
    if arguments.write:
        write_rows(RESULTS / "king_james.csv", rows)


if __name__ == "__main__":
    main()
