"""The letters of a word into its sounds, by three kinds of networks. Chapters 20, 21 and 22.

    python -m benchmarks.letters_to_sounds            prints the table, about a quarter of an hour
    python -m benchmarks.letters_to_sounds --seeds 1  a quick look
    python -m benchmarks.letters_to_sounds --write    also stores it in letters_to_sounds*.csv
    python -m benchmarks.letters_to_sounds --long --write   one longer run of each, added to it
    python -m benchmarks.letters_to_sounds --runs           stores the three runs that the chapters
                                                            begin: letters_to_sounds_20.npz, …

The words are all of 3 to 10 letters of the CMU dictionary; 2,000 are held out. "fixed vector" is an
encoder–decoder that hands over one state, "attention" the same with a look into the memory, "CTC"
has no decoder. It needs the extra `data`.
"""

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from benchmarks.rows import RESULTS, digits, write_rows
from rnn_tutorial.cells import GRU
from rnn_tutorial.checkpoint import save
from rnn_tutorial.data import Vocabulary, pad, pronunciations, read_table
from rnn_tutorial.decoding import (
    Hypothesis,
    beam_search,
    ctc_greedy,
    ctc_prefix_beam,
    greedy_search,
    step_of,
)
from rnn_tutorial.layers import (
    AffineBridge,
    Attention,
    Bidirectional,
    Dense,
    Embedding,
    Layer,
    Plain,
    Readout,
    Recurrent,
    Seq2Seq,
    Serial,
    general,
)
from rnn_tutorial.train import (
    Batch,
    TrainingStep,
    adam,
    clip_by_global_norm,
    clipped,
    cosine,
    ctc_loss,
    error_rate,
    fits,
    last_step,
    sequence_error_rate,
    softmax_cross_entropy,
    teacher_forced,
    train,
)
from rnn_tutorial.tree import tree_cast, tree_size
from rnn_tutorial.types import Array, Loss, Rng, Tree

LETTERS = Vocabulary("abcdefghijklmnopqrstuvwxyz")
START, END = 0, 1  # the phones are numbered from 2; CTC, which needs a blank alone, from 1
BLANK = 0
BATCH, RATE, WIDTH, HELD_OUT, MAX_LENGTH = 64, 4e-3, 4, 2000, 20
COMPARED, UPDATES = 1500, 3000
CHAPTER, CHAPTER_RATE = 750, 8e-3  # the run of chapters 20 and 21: shorter, at twice the rate


class Words(NamedTuple):
    """Words and their phones, those to learn from and those held out."""

    phones: dict[str, tuple[str, ...]]
    names: tuple[str, ...]  # of all phones
    training: tuple[str, ...]
    test: tuple[str, ...]

    def letters(self, words: Sequence[str]) -> list[Array]:
        """Return the numbers of the letters of each word."""
        return [LETTERS.encode(word) for word in words]

    def sounds(self, words: Sequence[str], first: int) -> list[tuple[int, ...]]:
        """Return the numbers of the phones of each word; the first phone has the number `first`."""
        number = {phone: k for k, phone in enumerate(self.names, first)}
        return [tuple(number[phone] for phone in self.phones[word]) for word in words]


class Reader(NamedTuple):
    """A network that reads words aloud: how it learns, and how it is read from."""

    model: Layer
    batch: Callable[[Sequence[str]], Batch]
    loss: Loss
    greedy: Callable[[Tree, Sequence[str]], list[list[Hypothesis]]]
    beam: Callable[[Tree, Sequence[str]], list[list[Hypothesis]]]
    first: int  # the number of the first phone


class SoundRow(NamedTuple):
    """One training run, and its errors on the words held out."""

    model: str
    seed: int
    units: int
    updates: int
    weights: int
    seconds: float  # of the processor, for the training
    phones_greedy: float
    words_greedy: float
    phones_beam: float  # a beam of WIDTH
    words_beam: float


class LengthRow(NamedTuple):
    """The errors of one training run on the words of one length, greedy."""

    model: str
    seed: int
    units: int
    updates: int
    letters: int
    count: int
    phones: float
    words: float


def the_words(held_out: int = HELD_OUT) -> Words:
    """Return the words of the chapters, split as there."""
    phones = pronunciations()
    names = tuple(sorted({phone for several in phones.values() for phone in several}))
    spellings = list(phones)
    order = np.random.default_rng(20).permutation(len(spellings))
    shuffled = [spellings[k] for k in order]
    return Words(phones, names, tuple(shuffled[held_out:]), tuple(shuffled[:held_out]))


def both_ways(units: int) -> Serial:
    """Return letters (S, B) -> states of both directions (S, B, 2 units)."""
    size = units // 2
    return Serial(
        (
            Embedding(len(LETTERS), size),
            Bidirectional(Recurrent(GRU, size, units), Recurrent(GRU, size, units)),
        )
    )


def encoder_decoder(words: Words, units: int, readout: Readout, features: int) -> Reader:
    """Return the Reader of an encoder–decoder; the readout gives `features` numbers a step."""
    K, size = len(words.names) + 2, units // 2
    decoder = Serial((Embedding(K, size), Recurrent(GRU, size, units)))
    bridge = AffineBridge(2 * units, units)
    model = Seq2Seq(both_ways(units), bridge, decoder, readout, Dense(features, K))

    def batch(some: Sequence[str]) -> Batch:
        return teacher_forced(words.letters(some), words.sounds(some, END + 1), START, END)

    def greedy(params: Tree, some: Sequence[str]) -> list[list[Hypothesis]]:
        writing = model.start(params, *pad(words.letters(some)))
        return greedy_search(step_of(model, params), writing, START, END, MAX_LENGTH)

    def beam(params: Tree, some: Sequence[str]) -> list[list[Hypothesis]]:
        writing = model.start(params, *pad(words.letters(some)))
        return beam_search(step_of(model, params), writing, START, END, MAX_LENGTH, WIDTH)

    return Reader(model, batch, softmax_cross_entropy, greedy, beam, END + 1)


def fixed_vector(words: Words, units: int) -> Reader:
    """Return the encoder–decoder that hands over one state. Chapter 20."""
    return encoder_decoder(words, units, Plain(), units)


def attention(words: Words, units: int) -> Reader:
    """Return the encoder–decoder that looks into the memory at each step. Chapter 21."""
    return encoder_decoder(words, units, Attention(general, units, 2 * units), 3 * units)


def ctc(words: Words, units: int) -> Reader:
    """Return the network of both directions with the loss CTC, two steps a letter. Chapter 22.

    A few words have more phones than steps, such as "www". They are left out of its batches, and
    count in the test as any other: it cannot be right.
    """
    model = Serial((*both_ways(units).layers, Dense(2 * units, len(words.names) + 1)))

    def twice(some: Sequence[str]) -> tuple[Array, Array]:
        return pad([np.repeat(letters, 2) for letters in words.letters(some)])

    def batch(drawn: Sequence[str]) -> Batch:
        sounds = words.sounds(drawn, BLANK + 1)
        some = [w for w, of_word in zip(drawn, sounds) if fits(of_word, 2 * len(w))]
        xs, mask = twice(some)
        labels, real = pad([np.array(sounds) for sounds in words.sounds(some, BLANK + 1)])
        return Batch(xs, np.where(real, labels, -1), mask)

    def logits(params: Tree, some: Sequence[str]) -> tuple[Array, Array]:
        xs, mask = twice(some)
        return model.forward(params, xs, mask=mask)[0], mask

    def greedy(params: Tree, some: Sequence[str]) -> list[list[Hypothesis]]:
        said, mask = logits(params, some)
        return ctc_greedy(said, mask=mask, blank=BLANK)

    def beam(params: Tree, some: Sequence[str]) -> list[list[Hypothesis]]:
        said, mask = logits(params, some)
        return ctc_prefix_beam(said, WIDTH, mask=mask, blank=BLANK)

    return Reader(model, batch, ctc_loss, greedy, beam, BLANK + 1)


READERS: dict[str, Callable[[Words, int], Reader]] = {
    "fixed vector": fixed_vector,
    "attention": attention,
    "CTC": ctc,
}


def batches(rng: Rng, reader: Reader, words: Sequence[str], updates: int) -> Iterator[Batch]:
    """Yield as many batches as there are updates, of words drawn at random."""
    for _ in range(updates):
        yield reader.batch([words[k] for k in rng.integers(len(words), size=BATCH)])


def learning(
    reader: Reader,
    words: Words,
    seed: int,
    updates: int,
    dtype: Any = np.float64,
    rate: float = RATE,
) -> Iterator[TrainingStep]:
    """Yield the steps: Adam, a rate that falls to 0, gradients of norm 1 at most."""
    rng = np.random.default_rng(seed)
    start = tree_cast(reader.model.init(rng), dtype)
    optimizer = clipped(adam(cosine(rate, 0, updates)), clip_by_global_norm, 1.0)
    drawn = batches(rng, reader, words.training, updates)
    return train(reader.model, start, drawn, reader.loss, optimizer)


def whole_run(reader: Reader, words: Words, updates: int) -> tuple[Array, Tree]:
    """Return (losses, last parameters) of the run of seed 0 at the rate of the chapters.

    Shapes: losses (updates,). The parameters are float32, which halves the file.
    """
    losses = []
    for step in learning(reader, words, 0, updates, rate=CHAPTER_RATE):
        losses.append(step.loss)
    return np.array(losses), tree_cast(step.params, np.float32)


def best(found: list[list[Hypothesis]]) -> list[tuple[int, ...]]:
    """Return the symbols of the best hypothesis of each word."""
    return [hypotheses[0].symbols for hypotheses in found]


def errors(said: Sequence[Sequence[int]], right: Sequence[Sequence[int]]) -> tuple[float, float]:
    """Return the phone and the word error."""
    return digits(error_rate(said, right)), digits(sequence_error_rate(said, right))


def sound_rows(
    name: str,
    seed: int,
    words: Words,
    updates: int = UPDATES,
    units: int = 64,
    dtype: Any = np.float64,
    rate: float = RATE,
) -> tuple[SoundRow, list[LengthRow]]:
    """Return the rows of one network and one seed."""
    reader = READERS[name](words, units)
    began = time.process_time()
    params = last_step(learning(reader, words, seed, updates, dtype, rate)).params
    seconds = digits(time.process_time() - began, 3)
    said, right = best(reader.greedy(params, words.test)), words.sounds(words.test, reader.first)
    run = name, seed, units, updates
    row = SoundRow(
        *run,
        tree_size(params),
        seconds,
        *errors(said, right),
        *errors(best(reader.beam(params, words.test)), right),
    )
    by_length = []
    for n in sorted(set(map(len, words.test))):
        some = [k for k, word in enumerate(words.test) if len(word) == n]
        of_length = errors([said[k] for k in some], [right[k] for k in some])
        by_length.append(LengthRow(*run, n, len(some), *of_length))
    return row, by_length


# networks of the table, and their training; the first is that of chapter 20
SIZES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("fixed vector", {"updates": CHAPTER, "rate": CHAPTER_RATE}),
    ("fixed vector", {"updates": COMPARED}),
    *((name, {"updates": UPDATES}) for name in READERS),
)
# units and updates of the longer runs, in float32: about ten minutes for all
LONG: dict[str, Any] = {"units": 96, "updates": 6_000, "dtype": np.float32}
# the network and the updates of the run that each chapter begins
RUNS = {20: ("fixed vector", CHAPTER), 21: ("attention", CHAPTER), 22: ("CTC", 500)}


def stored(name: str, kind: Callable[..., Any]) -> list[Any]:
    """Return the rows of a table that was stored before, or none."""
    path = RESULTS / name
    return [kind(**row) for row in read_table(path)] if path.exists() else []


def main() -> None:
    """Print the table, and store it with --write."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.letters_to_sounds", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--seeds", type=int, default=3, help="seeds 0, 1, … (default: 3)")
    parser.add_argument("--long", action="store_true", help="the longer runs, one of each network")
    parser.add_argument("--runs", action="store_true", help="store the runs of the chapters, alone")
    parser.add_argument("--write", action="store_true", help="store the table")
    arguments = parser.parse_args()
    words = the_words()
    if arguments.runs:
        for chapter, (name, updates) in RUNS.items():
            run = whole_run(READERS[name](words, 64), words, updates)
            save(RESULTS / f"letters_to_sounds_{chapter}.npz", run)
        return
    rows, lengths = list[SoundRow](), list[LengthRow]()
    runs = [(name, seed, size) for name, size in SIZES for seed in range(arguments.seeds)]
    if arguments.long:
        rows = stored("letters_to_sounds.csv", SoundRow)
        lengths = stored("letters_to_sounds_by_length.csv", LengthRow)
        runs = [(name, 0, LONG) for name in READERS]
    for name, seed, size in runs:
        row, by_length = sound_rows(name, seed, words, **size)
        print(*row, sep="   ", flush=True)
        rows.append(row)
        lengths += by_length
    if arguments.write:
        write_rows(RESULTS / "letters_to_sounds.csv", rows)
        write_rows(RESULTS / "letters_to_sounds_by_length.csv", lengths)


if __name__ == "__main__":
    main()
