"""Our docstrings as reStructuredText, which Sphinx reads. CONTRIBUTING.md says how we write them.

A docstring is a first line, paragraphs, indented formulas and code, lists of arguments, and at the
end the sections Shapes, Raises, Source and Example. All the rest is plain text, in which no
character has a special meaning but the backticks around a name.
"""

import ast
import re
from collections.abc import Callable, Iterator

__all__ = ["SECTIONS", "first_line", "to_rst"]

SECTIONS = ("Shapes", "Raises", "Source", "Example")

# What is code in a sentence without backticks: a shape, or a name that no English word can be.
SIZE = r"(?:\.\.\.|[A-Z0-9][A-Z0-9*+]*)"
CODE = re.compile(
    r"`([^`]+)`"
    rf"|((?!\(\d{{4}}\))\({SIZE}(?:, ?{SIZE})*,?\))"  # (T, B, 4H), and not (1997)
    r"|(?<![\w.^])([A-Za-z]\w*(?:\.[A-Za-z]\w*)*(?:\(\))?(?<=[\w)]))"
)
# Arrays and gradients whose names are no English words.
ARRAYS = re.compile(r"[xyh]s|d(params|states?|previous|outputs|gates|logits|[a-hj-np-zA-Z]s?)")
ARGUMENT = re.compile(r"^(\*{0,2}[A-Za-z_][\w, ().*]*?) {2,}(\S.*)$")
Link = Callable[[str], str]


def first_line(doc: str) -> str:
    """Return the first paragraph of a docstring as one line."""
    return " ".join(doc.partition("\n\n")[0].split())


def to_rst(doc: str, link: Link) -> list[str]:
    """Return the lines of a docstring as reStructuredText.

    `link` is asked for the text of each name in backticks: a link, or code.
    """
    lines: list[str] = []
    for name, body in sections(doc):
        text = [line for block in blocks(body) for line in _block(block, link, shapes=name)]
        lines += text if name == "" else [f":{name}:", *indented(text)]
    return lines


def sections(doc: str) -> list[tuple[str, str]]:
    """Return (name, text) of each section; the name of what comes first is empty."""
    parts = re.split(rf"^({'|'.join(SECTIONS)}):", doc, flags=re.MULTILINE)
    named = [("", parts[0]), *zip(parts[1::2], parts[2::2], strict=True)]
    return [(name, body.strip("\n")) for name, body in named if body.strip()]


def blocks(text: str) -> list[list[str]]:
    """Return the paragraphs of a text. A blank line inside indented lines does not end a block."""
    found: list[list[str]] = []
    for paragraph in re.split(r"\n\s*\n", text.strip("\n")):
        lines = paragraph.split("\n")
        if found and _is_indented(lines) and _is_indented(found[-1]):
            found[-1] += ["", *lines]
        else:
            found += _parts(lines)
    return found


def indented(lines: list[str], by: int = 4) -> list[str]:
    """Return the lines with spaces before them; empty ones stay empty."""
    return [" " * by + line if line else "" for line in lines]


def plain(text: str) -> str:
    """Return a text in which reStructuredText sees no marks."""
    return re.sub(r"([\\*`|_<>\[\]])", r"\\\1", text)


def inline(text: str, link: Link) -> str:
    """Return a sentence with its names and shapes as code, and the rest as plain text."""
    parts, end = [], 0
    for match in CODE.finditer(text):
        quoted, shape, word = match.groups()
        if quoted or shape or _is_name(word):
            parts += [plain(text[end : match.start()]), link(quoted) if quoted else code(match[0])]
            end = match.end()
    # A backslash and a space are nothing: they keep code apart from letters that follow it.
    return "\\ ".join(part for part in [*parts, plain(text[end:])] if part)


def code(text: str) -> str:
    """Return a text as code."""
    return f"``{text}``"


def _is_name(word: str) -> bool:
    return any(sign in word for sign in ("_", ".", "()")) or bool(ARRAYS.fullmatch(word))


def _is_indented(lines: list[str]) -> bool:
    return all(line.startswith("  ") for line in lines if line)


def _parts(lines: list[str]) -> Iterator[list[str]]:
    """Yield the lines of a paragraph, cut where indented lines begin or end."""
    if ARGUMENT.match(lines[0]) or lines[0].lstrip().startswith(("- ", ">>>")):
        yield lines
        return
    start = 0
    for k in range(1, len(lines) + 1):
        if k == len(lines) or lines[k].startswith("  ") != lines[start].startswith("  "):
            yield lines[start:k]
            start = k


def _block(lines: list[str], link: Link, shapes: str) -> list[str]:
    """Return one block with an empty line after it."""
    text = "\n".join(lines)
    if text.lstrip().startswith(">>>"):
        return [*_cut(lines), ""]
    if _is_indented(lines) and len(lines) + text.count("  ") > 1:
        return [f".. code-block:: {_language(lines)}", "", *indented(_cut(lines)), ""]
    if text.lstrip().startswith("- "):
        return [*_items(_cut(lines), link), ""]
    if ARGUMENT.match(lines[0]):
        return [*_arguments(lines, link), ""]
    return [inline(" ".join(text.split()), link), ""]


def _cut(lines: list[str]) -> list[str]:
    """Return the lines without the spaces that all of them begin with."""
    spaces = min(len(line) - len(line.lstrip()) for line in lines if line)
    return [line[spaces:] for line in lines]


def _language(lines: list[str]) -> str:
    """Return python if the lines are that; a formula such as dW = x^T da is not."""
    try:
        ast.parse("\n".join(_cut(lines)))
    except SyntaxError:
        return "text"
    return "python"


def _items(lines: list[str], link: Link) -> list[str]:
    items = re.split(r"^- ", "\n".join(lines), flags=re.MULTILINE)[1:]
    return ["- " + inline(" ".join(item.split()), link) for item in items]


def _arguments(lines: list[str], link: Link) -> list[str]:
    """Return "name   what it is" lines as a list of definitions."""
    rows: list[list[str]] = []
    for line in lines:
        match = ARGUMENT.match(line)
        if match:
            rows.append([match[1], match[2]])
        else:
            rows[-1][1] += " " + line.strip()
    return [part for name, text in rows for part in (code(name), "    " + inline(text, link))]
