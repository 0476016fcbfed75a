"""The two small networks that run in the reader's page: chapters 09 and 21.

    python -m benchmarks.explore_weights             trains both, about six minutes
    python -m benchmarks.explore_weights --write     also stores them: writer.*, sounds.*

"writer" is a character model with an LSTM, on the books of chapter 05. "sounds" is the network with
attention of chapter 21, with fewer units. Both are trained in float32 and stored as float16. So
their errors are stored twice: as they were trained, and as they are in the page. The scripts of
these experiments have the data: `king_james.py` and `letters_to_sounds.py`. It needs the extra
`data`.
"""

import argparse
from collections.abc import Callable
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from benchmarks.king_james import books
from benchmarks.letters_to_sounds import Words, attention, best, errors, learning, the_words
from benchmarks.rows import RESULTS, digits, write_rows
from rnn_tutorial.checkpoint import save
from rnn_tutorial.data import consecutive_windows, random_windows
from rnn_tutorial.explore.writer import writer_model
from rnn_tutorial.layers import Layer
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
from rnn_tutorial.tree import tree_cast, tree_size
from rnn_tutorial.types import Array, Tree

SEED = 0
WRITER_UPDATES, WRITER_UNITS, WRITER_FEATURES, STEPS, TEXTS = 10_000, 72, 24, 64, 32
SOUNDS_UPDATES, SOUNDS_UNITS = 12_000, 40


class WriterRow(NamedTuple):
    """The character model: bits per character of the held-out text, the state carried over."""

    seed: int
    features: int
    units: int
    updates: int
    weights: int
    held_out: float  # float32, as trained
    held_out_float16: float  # rounded to float16, computed in float64
    symbols: str


class SoundsRow(NamedTuple):
    """The network with attention: greedy errors on the words held out."""

    seed: int
    units: int
    updates: int
    weights: int
    phones: float  # float32, as trained
    words: float
    phones_float16: float  # rounded to float16, computed in float64
    words_float16: float
    names: str  # of the phones, in order


def held_out_bits(model: Layer, params: Tree, text: Array) -> float:
    """Return the bits per character in 64 streams, the state carried over."""
    streams = consecutive_windows(text, T=(len(text) - 1) // 64, B=64)
    return digits(bits_per_character(evaluate(model, params, streams, softmax_cross_entropy)))


def writer(updates: int = WRITER_UPDATES, seed: int = SEED) -> tuple[WriterRow, Tree]:
    """Return the row and the weights in float16 of the character model."""
    vocabulary, training, validation = books()
    model = writer_model(len(vocabulary), WRITER_FEATURES, WRITER_UNITS)
    start = tree_cast(model.init(np.random.default_rng(seed)), np.float32)
    windows = random_windows(np.random.default_rng(seed + 1), training, T=STEPS, B=TEXTS)
    optimizer = clipped(adam(cosine(5e-3, 0, updates)), clip_by_global_norm, 1.0)
    params = last_step(
        train(model, start, islice(windows, updates), softmax_cross_entropy, optimizer)
    ).params
    stored = tree_cast(params, np.float16)
    row = WriterRow(
        seed,
        WRITER_FEATURES,
        WRITER_UNITS,
        updates,
        tree_size(params),
        held_out_bits(model, params, validation),
        held_out_bits(model, tree_cast(stored, np.float64), validation),
        vocabulary.symbols,
    )
    return row, stored


def sounds(words: Words, updates: int = SOUNDS_UPDATES, seed: int = SEED) -> tuple[SoundsRow, Tree]:
    """Return the row and the weights in float16 of the network with attention."""
    reader = attention(words, SOUNDS_UNITS)
    params = last_step(learning(reader, words, seed, updates, np.float32)).params
    stored, right = tree_cast(params, np.float16), words.sounds(words.test, reader.first)
    row = SoundsRow(
        seed,
        SOUNDS_UNITS,
        updates,
        tree_size(params),
        *errors(best(reader.greedy(params, words.test)), right),
        *errors(best(reader.greedy(tree_cast(stored, np.float64), words.test)), right),
        " ".join(words.names),
    )
    return row, stored


def main() -> None:
    """Train the networks, print their rows, and store both with --write."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.explore_weights", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("names", nargs="*", default=["writer", "sounds"], help="writer, sounds")
    parser.add_argument("--write", action="store_true", help="store rows and weights")
    arguments = parser.parse_args()
    networks: dict[str, Callable[[], tuple[Any, Tree]]] = {
        "writer": writer,
        "sounds": lambda: sounds(the_words()),
    }
    for name in arguments.names:
        row, params = networks[name]()
        print(name, *row, sep="   ", flush=True)
        if arguments.write:
            write_rows(RESULTS / f"{name}.csv", [row])
            save(RESULTS / f"{name}.npz", params)


if __name__ == "__main__":
    main()
