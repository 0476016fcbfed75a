"""Surnames and the language they come from: from the lists of a package, and from a known rule."""

import importlib

from rnn_tutorial.types import Rng
from rnn_tutorial.validation import check_positive, check_rng

__all__ = [
    "surnames",
    "toy_surnames",
]

_LOCALES = {
    "Croatian": ("hr_HR",),
    "Dutch": ("nl_NL",),
    "English": ("en_US", "en_GB"),
    "Estonian": ("et_EE",),
    "Finnish": ("fi_FI",),
    "French": ("fr_FR",),
    "German": ("de_DE",),
    "Italian": ("it_IT",),
    "Spanish": ("es_ES",),
    "Swedish": ("sv_SE",),
}


def surnames() -> list[tuple[str, str]]:
    """Return a list of (name, language): 7,438 pairs in ten languages, sorted by language and name.

    Names are written in Latin letters as in their language, "Šimić" or "van den Berg", each once in
    its language. A name that several languages have, such as "Martin", is in the list once for
    each, so no model can be right about all of them. English is the names of the United States and
    of Great Britain together, and has 1,118. Italian has the most, 1,164; French and Finnish have
    the fewest, 400.

    Raises: ModuleNotFoundError, saying what to install, without `faker`.

    Source: the package `faker`, whose lists change from version to version; these are the numbers
    of 40.54.0.
    """
    names = {
        language: set().union(*map(_last_names, locales)) for language, locales in _LOCALES.items()
    }
    return [(name, language) for language in names for name in sorted(names[language])]


def _last_names(locale: str) -> set[str]:
    """Return the surnames of a locale, which `faker` has in a tuple, or a dict of frequencies."""
    try:
        return set(importlib.import_module(f"faker.providers.person.{locale}").Provider.last_names)
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "the surnames come with the package faker: pip install faker==40.54.0 "
            "(it is in the `data` extra of this project)",
            name="faker",
        ) from None


_STEMS = ("Bar", "Dol", "Kam", "Lin", "Mor", "Nev", "Pol", "Rus", "Tam", "Vel")
_ENDINGS = {
    "Northern": ("en", "er", "and"),
    "Southern": ("ino", "ero", "ando"),
    "Eastern": ("inov", "erov", "andov"),
}


def toy_surnames(rng: Rng, count: int) -> list[tuple[str, str]]:
    """Return a list of `count` pairs (name, language) in three invented languages; for tests.

    A name is one or two stems and an ending. Northern names end in a consonant, Southern ones in o,
    Eastern ones in ov. So the last two letters determine the language, and the letters before them
    say nothing about it.

    Raises: TypeError unless `rng` is a generator; ValueError unless `count` is a positive whole
    number.

    Example:
    >>> import numpy as np
    >>> toy_surnames(np.random.default_rng(2), 3)
    [('Dolinov', 'Eastern'), ('Morbarero', 'Southern'), ('Rusvelino', 'Southern')]
    """
    check_rng(rng)
    check_positive("count", count)
    return [_toy_surname(rng) for _ in range(count)]


def _toy_surname(rng: Rng) -> tuple[str, str]:
    language = list(_ENDINGS)[rng.integers(len(_ENDINGS))]
    stems = [_STEMS[k] for k in rng.integers(len(_STEMS), size=rng.integers(1, 3))]
    ending = _ENDINGS[language][rng.integers(len(_ENDINGS[language]))]
    return ("".join(stems) + ending).capitalize(), language
