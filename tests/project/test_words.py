"""The package and the pages use the words of CONTRIBUTING.md, and none of those on its "not" list.

Chapters are not checked here. Pages and scripts of the site are checked in full. In Python files,
comments, docstrings and names are; the texts of messages are not, because tests and stored outputs
quote them.
"""

import ast
import io
import re
import tokenize
from pathlib import Path

import pytest
from chapter_files import ROOT

CONTRIBUTING = ROOT / "CONTRIBUTING.md"
FOLDERS = "rnn_tutorial", "rnn_course", "benchmarks", "site"
PAGES = "README.md", "index.md", "CONTRIBUTING.md", "CHANGELOG.md", "assignments/README.md"
ENDINGS = ".py", ".md", ".js"
TABLE = re.compile(r"^\| use \| not \|\n(?:\|.*\n)+", re.MULTILINE)


def words_to_avoid(page: str) -> list[str]:
    """Return the entries of the column "not" of the word list."""
    rows = TABLE.findall(page)[0].splitlines()[2:]
    return [word.strip() for row in rows for word in row.split("|")[2].split(",")]


def pattern_of(words: list[str]) -> re.Pattern[str]:
    """Return a pattern that finds the words, also where a line breaks in a comment or a list.

    A word with a capital is found as it is written, all others in any case.
    """
    parts = []
    for word in words:
        text = r"[\s#/*]+".join(map(re.escape, word.split()))
        parts.append(text if word != word.lower() else f"(?i:{text})")
    return re.compile(rf"(?<![A-Za-z])(?:{'|'.join(parts)})(?![A-Za-z])")


def without(text: str, start: int, end: int) -> str:
    """Return the text with spaces in place of text[start:end]; its lines keep their numbers."""
    return text[:start] + re.sub(r"\S", " ", text[start:end]) + text[end:]


def without_messages(source: str) -> str:
    """Return Python source with spaces in place of all strings that are not docstrings."""
    docstrings = {
        (node.value.lineno, node.value.col_offset)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    kinds = {tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in kinds and token.start not in docstrings:
            (first, left), (last, right) = token.start, token.end
            source = without(source, starts[first - 1] + left, starts[last - 1] + right)
    return source


def found(path: Path, pattern: re.Pattern[str]) -> list[str]:
    """Return "file:line: word" for every word of a file that the pattern finds."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        text = without_messages(text)
    if path == CONTRIBUTING:
        text = without(text, *TABLE.search(text).span())
    return [
        f"{path.relative_to(ROOT)}:{text[: match.start()].count(chr(10)) + 1}: {match[0]!r}"
        for match in pattern.finditer(text)
    ]


def checked_files() -> list[Path]:
    """Return all files that must use the words of the list."""
    inside = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*"))]
    return [ROOT / page for page in PAGES] + [p for p in inside if p.suffix in ENDINGS]


def test_no_word_of_the_list_is_used():
    pattern = pattern_of(words_to_avoid(CONTRIBUTING.read_text(encoding="utf-8")))
    lines = [line for path in checked_files() for line in found(path, pattern)]
    if lines:
        pytest.fail(f"{len(lines)} words on the list:\n" + "\n".join(lines), pytrace=False)


def test_the_list_is_read_from_the_table():
    page = "a | b\n\n| use | not |\n|---|---|\n| path | road, roads |\n| x … | so many |\n\nroad\n"
    assert words_to_avoid(page) == ["road", "roads", "so many"]
    assert len(words_to_avoid(CONTRIBUTING.read_text(encoding="utf-8"))) > 20


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The road, broad roads.", ["road", "roads"]),
        ("# as so\n# many as", ["so\n# many"]),
        (" * as so\n * many as", ["so\n * many"]),
        ("Errors: none; 3 errors: all", ["Errors:"]),
        ("first_road = 1", ["road"]),
    ],
)
def test_words_are_found_whole_and_across_lines(text, words):
    pattern = pattern_of(["road", "roads", "so many", "Errors:"])
    assert [match[0] for match in pattern.finditer(text)] == words


def test_docstrings_comments_and_names_are_checked_and_messages_are_not():
    source = '"""road 1"""\nroad = f"road {2}"  # road 3\nsay("road 4", """\nroad 5""")\nroad()\n'
    kept = without_messages(source)
    assert [kept[: match.start()].count("\n") + 1 for match in re.finditer("road", kept)] == [
        1,
        2,
        2,
        5,
    ]
