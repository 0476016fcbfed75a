"""Copy the chapters to ``reading/``, where a reader runs and changes them. Needs only Python.

    python tools/reading.py       # copy every chapter that has no copy yet
    python tools/reading.py 03    # one more copy of chapter 03, next to the one that is there

Run by ``make lab`` and ``make reading``. Git ignores the folder, and saving a copy changes no other
file. A copy is replaced by a newer edition of its chapter only while nothing was typed in it.
"""

from __future__ import annotations  # so that an old Python gets as far as the message for it

import hashlib
import itertools
import json
import os
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NEEDED = (3, 11)
PACKAGE_NOTE = "package-note"  # the tag of the cell that says how to get the package


def cell_ids(cells: list) -> list[str]:
    """Return the id that each cell has when ``make chapters`` writes it: a hash of its source.

    So a cell with another id was typed by hand. Equal cells are numbered.
    """
    seen: Counter = Counter()
    ids = []
    for cell in cells:
        content = f"{cell['cell_type']} {''.join(cell['source'])}"
        seen[content] += 1
        ids.append(hashlib.sha1(f"{content} {seen[content]}".encode()).hexdigest()[:8])
    return ids


def typed_cells(notebook: dict) -> list:
    """Return the cells in which somebody has typed since ``make chapters`` wrote them."""
    pairs = zip(notebook["cells"], cell_ids(notebook["cells"]))
    return [cell for cell, own in pairs if cell.get("id") != own and "".join(cell["source"])]


def changed_line(source: str, text: str) -> str:
    """Return the first line of a cell that a text does not have, or else its first line."""
    lines = source.splitlines() or [""]
    return next((line for line in lines if line not in text), lines[0]).strip()


def edition(notebook: dict) -> str:
    """Return a hash of the ids of all cells, which changes with the chapter."""
    ids = " ".join(cell.get("id", "") for cell in notebook["cells"])
    return hashlib.sha1(ids.encode()).hexdigest()[:12]


def read(path: Path) -> dict:
    """Return a notebook as JSON, or exit and name the file if it is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise SystemExit(f"{path}: this is not a notebook. Rename it, and try again.") from None


def write_copy(chapter: Path, copy: Path) -> None:
    """Write a copy that has no text half, and remembers the edition of its chapter.

    Its outputs are those of the chapter, but no cell has the number of a run.
    """
    notebook = read(chapter)
    notebook["metadata"].pop("jupytext", None)
    notebook["metadata"]["edition"] = edition(notebook)
    notebook["cells"] = [
        cell for cell in notebook["cells"] if PACKAGE_NOTE not in cell["metadata"].get("tags", [])
    ]
    for part in [p for cell in notebook["cells"] for p in (cell, *cell.get("outputs", []))]:
        if "execution_count" in part:
            part["execution_count"] = None  # Jupyter shows [ ]: not run by your kernel yet
    copy.parent.mkdir(exist_ok=True)
    scratch = copy.with_name(f".{copy.name}.tmp")
    text = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
    scratch.write_text(text, encoding="utf-8", newline="\n")
    os.replace(scratch, copy)


def copy_of(chapter: Path) -> Path:
    """Return the path of the copy of a chapter."""
    return chapter.parent.with_name("reading") / chapter.name


def one_more_copy(chapter: Path) -> Path:
    """Copy a chapter under the first name that is free, NAME, NAME-2, NAME-3 …, and return it."""
    first = copy_of(chapter)
    others = (first.with_name(f"{first.stem}-{k}.ipynb") for k in itertools.count(2))
    copy = next(path for path in itertools.chain([first], others) if not path.exists())
    write_copy(chapter, copy)
    return copy


def update(chapter: Path) -> str:
    """Copy a chapter, unless its copy is up to date or has something of the reader's in it.

    Return what the reader should know, or nothing.
    """
    copy = copy_of(chapter)
    if copy.exists():
        notebook = read(copy)
        if notebook["metadata"].get("edition") == edition(read(chapter)):
            return ""
        if typed_cells(notebook):
            number = chapter.name[:2]
            return (
                f"chapter {number} has changed since you began to work in reading/{copy.name},"
                f" which stays as it is. For a copy of the new one: make reading CHAPTER={number}"
                f" (without make: python tools/reading.py {number})"
            )
    write_copy(chapter, copy)
    return ""


def find_chapter(name: str, chapters: list[Path]) -> Path:
    """Return the chapter with this number, or exit and list the numbers."""
    for chapter in chapters:
        if name.zfill(2) == chapter.name[:2]:
            return chapter
    numbers = ", ".join(chapter.name[:2] for chapter in chapters)
    raise SystemExit(f"no chapter {name!r}; there are {numbers}")


def main(names: list[str]) -> None:
    """Make the copies, or one more copy of each chapter that is named."""
    if sys.version_info < NEEDED:
        needed, found = (".".join(map(str, v[:3])) for v in (NEEDED, sys.version_info))
        raise SystemExit(
            f"Python {needed} or newer is needed, this is {found}."
            " Make .venv again with a newer one, such as: python3.12 -m venv --clear .venv"
        )
    chapters = sorted((ROOT / "chapters").glob("[0-9][0-9]_*.ipynb"))
    for name in names:
        print(one_more_copy(find_chapter(name, chapters)).relative_to(ROOT))
    for message in map(update, () if names else chapters):
        if message:
            print(message)


if __name__ == "__main__":
    main(sys.argv[1:])
