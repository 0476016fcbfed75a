"""The character model of chapter 05, trained from several seeds.

    python -m benchmarks.king_james             prints eight seeds, about a minute
    python -m benchmarks.king_james --write     also stores them: king_james.csv

The books, the model, the batches and the optimizer are those of the chapter. It begins the run of
seed 0; the rest of that run is stored too, every hundred updates in king_james_curve.csv, and the
weights after the last update in king_james.npz.
"""

import argparse
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

import numpy as np

from benchmarks.rows import RESULTS, digits, write_rows
from rnn_tutorial.cells import Elman
from rnn_tutorial.checkpoint import save
from rnn_tutorial.data import Vocabulary, consecutive_windows, king_james_bible, random_windows
from rnn_tutorial.layers import Dense, Embedding, Recurrent, Serial
from rnn_tutorial.train import (
    TrainingStep,
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
from rnn_tutorial.tree import tree_cast
from rnn_tutorial.types import Array, Tree

UPDATES = 1600
EVERY = 100
SEEDS = 8


class TextRow(NamedTuple):
    """One training run, in bits per character."""

    seed: int  # of the first weights; the windows are drawn with seed + 1
    held_out: float  # in 64 streams, the state carried over
    held_out_windows: float  # in windows of 32 from a zero state
    training_windows: float  # the training text, in the same windows


class CurveRow(NamedTuple):
    """A moment of the run of seed 0, in bits per character."""

    update: int
    training: float  # mean over the last hundred batches
    held_out: float  # in 64 streams, the state carried over


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


def model_of(V: int) -> Serial:
    """Return the network of the chapter, for V symbols."""
    return Serial((Embedding(V, 64), Recurrent(Elman, 64, 192), Dense(192, V)))


def training_run(model: Serial, seed: int, text: Array, updates: int) -> Iterator[TrainingStep]:
    """Yield the steps of the training of chapter 05, in float32."""
    start = tree_cast(model.init(np.random.default_rng(seed)), np.float32)
    windows = islice(random_windows(np.random.default_rng(seed + 1), text, T=32, B=16), updates)
    optimizer = clipped(adam(cosine(4e-3, 2e-4, updates)), clip_by_global_norm, 1.0)
    return train(model, start, windows, softmax_cross_entropy, optimizer)


def bits(model: Serial, params: Tree, batches: list[tuple[Array, Array]]) -> float:
    """Return the bits per character of some batches."""
    return digits(bits_per_character(evaluate(model, params, batches, softmax_cross_entropy)))


def streams(symbols: Array) -> list[tuple[Array, Array]]:
    """Return one batch with the whole text in 64 streams."""
    return list(consecutive_windows(symbols, T=(len(symbols) - 1) // 64, B=64))


def text_row(seed: int, updates: int = UPDATES) -> TextRow:
    """Return the row of one run of chapter 05."""
    vocabulary, training, validation = books()
    model = model_of(len(vocabulary))
    params = last_step(training_run(model, seed, training, updates)).params
    windows = all_windows(validation, 32), all_windows(training[: len(validation)], 32)
    texts = streams(validation), *windows
    return TextRow(seed, *(bits(model, params, text) for text in texts))


def curve(updates: int = UPDATES) -> tuple[list[CurveRow], Tree]:
    """Return the first `updates` of the run of seed 0, a row every hundred, and its weights."""
    vocabulary, training, validation = books()
    model, text = model_of(len(vocabulary)), streams(validation)
    rows, losses = [], []
    for step in islice(training_run(model, 0, training, UPDATES), updates):
        params = step.params
        losses.append(bits_per_character(step.loss))
        if (made := step.index + 1) % EVERY == 0:
            mean = digits(float(np.mean(losses[-EVERY:])))
            rows.append(CurveRow(made, mean, bits(model, params, text)))
    return rows, params


def main() -> None:
    """Print the rows, and store them with --write."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.king_james", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--seeds", type=int, default=SEEDS, help="how many (default: %(default)s)")
    parser.add_argument("--write", action="store_true", help="store them: king_james*")
    arguments = parser.parse_args()
    rows = []
    for seed in range(arguments.seeds):
        rows.append(text_row(seed))
        print(*rows[-1], flush=True)
    if arguments.write:
        write_rows(RESULTS / "king_james.csv", rows)
        moments, params = curve()
        write_rows(RESULTS / "king_james_curve.csv", moments)
        save(RESULTS / "king_james.npz", params)


if __name__ == "__main__":
    main()
