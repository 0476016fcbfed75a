"""Text for pages and tables, made safe if anybody may have written it."""

import unicodedata

__all__ = ["counted", "one_line", "plain", "visible"]

UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")
FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")  # some programs take the wide ones too


def visible(text: str) -> str:
    """Return text in which characters that nobody sees are written as their numbers.

    These are control characters, marks that change the direction of others, and halves of
    characters. Tabs and the ends of lines stay.

    Example:
    >>> visible("ada" + chr(0x202E))
    'ada<U+202E>'
    """
    return "".join(
        f"<U+{ord(c):04X}>" if unicodedata.category(c) in UNSEEN and c not in "\n\t" else c
        for c in text.replace("\r\n", "\n").replace("\r", "\n")
    )


def one_line(text: str) -> str:
    """Return visible text on one line, with single blanks, and one code for equal characters."""
    return " ".join(visible(unicodedata.normalize("NFC", text)).split())


def plain(text: str) -> str:
    """Return text on one line that no spreadsheet takes for a formula."""
    line = one_line(text)
    return "'" + line if line.startswith(FORMULA) else line


def counted(number: float, noun: str) -> str:
    """Return a number and what it counts.

    Example:
    >>> counted(1, "row"), counted(2.5, "hour")
    ('1 row', '2.5 hours')
    """
    return f"{number:g} {noun}" + ("" if number == 1 else "s")
