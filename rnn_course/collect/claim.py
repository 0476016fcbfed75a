"""Whose a file is, as its path tells it: a pure function for each way of naming files.

Canvas     lovelaceada_12345_678901_01_vanilla.ipynb
           lovelaceada_LATE_12345_678955_01_vanilla-1.ipynb
Moodle     Ada Lovelace_4711_assignsubmission_file_/01_vanilla.ipynb
           Ada Lovelace_4711_assignsubmission_file_01_vanilla.ipynb
nbgrader   ada/01_vanilla/01_vanilla.ipynb, and any other folder for each student
by hand    ada.ipynb
"""

import re
from pathlib import PurePath
from typing import NamedTuple

from rnn_course.text import one_line

__all__ = ["Claim", "claim_of"]

CANVAS = re.compile(
    r"(?P<name>[^_]+)(?P<late>_LATE)?_(?P<id>\d+)_(?P<number>\d+)_(?P<file>.+)", re.DOTALL
)
MOODLE = re.compile(
    r"(?P<name>.+)_(?P<participant>\d+)_assignsubmission_[a-z]+_(?P<file>.*)", re.DOTALL
)
COPY = re.compile(r"(?P<stem>.*?)(?:-(?P<again>\d{1,3})|[ _]?\((?P<copy>\d{1,3})\))?", re.DOTALL)


class Claim(NamedTuple):
    """Whose a file is, as far as its path tells."""

    label: str  # the student's name where there is no roster
    name: str  # the name alone, as the learning system writes it
    file: str  # the name of the file, as the student gave it
    id: str = ""  # Canvas: the number of the user
    participant: str = ""  # Moodle: the number of the participant in this assignment
    late: bool = False  # Canvas: marked as late
    number: int = 0  # Canvas: of the submission; the larger number is the later submission
    copy: int = 0  # the 1 of "name-1.ipynb" and "name (1).ipynb": a later upload


def claim_of(path: PurePath) -> Claim:
    """Return the Claim in a path below the folder of a class.

    Only the first part of the path says whose the file is: a student chooses what is below.
    """
    for read in (from_moodle, from_canvas, from_folder):
        if claim := read(path):
            return claim
    return from_file(path)


def from_canvas(path: PurePath) -> Claim | None:
    """Return the Claim in the name of a file that was downloaded from Canvas, or None."""
    found = CANVAS.fullmatch(path.name) if len(path.parts) == 1 else None
    if not found:
        return None
    name, file = one_line(found["name"]), found["file"]
    return Claim(
        f"{name}_{found['id']}",
        name,
        file,
        id=found["id"],
        late=bool(found["late"]),
        number=int(found["number"][:30]),
        copy=copy_of(file)[1],
    )


def from_moodle(path: PurePath) -> Claim | None:
    """Return the Claim in the name of a folder or file downloaded from Moodle, or None."""
    found = MOODLE.fullmatch(path.parts[0])
    if not found:
        return None
    name, file = one_line(found["name"]), found["file"] or path.name
    label = f"{name}_{found['participant']}"
    return Claim(label, name, file, participant=found["participant"], copy=copy_of(file)[1])


def from_folder(path: PurePath) -> Claim | None:
    """Return the Claim in a folder that is named after a student, or None."""
    if len(path.parts) == 1:
        return None
    name = one_line(path.parts[0])
    return Claim(name, name, path.name, copy=copy_of(path.name)[1])


def from_file(path: PurePath) -> Claim:
    """Return the Claim in the name of a file that is named after a student."""
    stem, copy = copy_of(path.name) if "(" in path.stem else (path.stem or path.name, 0)
    name = one_line(stem)
    return Claim(name, name, path.name, copy=copy)


def copy_of(name: str) -> tuple[str, int]:
    """Return (stem, number) of the name of a file: "a-2.ipynb" and "a (2).ipynb" are ("a", 2)."""
    found = COPY.fullmatch(PurePath(name).stem)
    if not found:
        return name, 0
    return found["stem"], int(found["again"] or found["copy"] or 0)
