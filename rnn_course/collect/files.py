"""The files below a folder or in a zip, read without trusting them: no link is followed.

Nothing is unpacked to the disk. A zip is read in memory, up to the limits.
"""

import io
import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path, PurePath, PurePosixPath
from typing import NamedTuple

from rnn_course.notebook import SIZE_LIMIT

__all__ = [
    "Found",
    "Unreadable",
    "files_of",
    "inside_zip",
    "is_sidecar",
    "read_file",
    "time_of_file",
]

MEMBERS_LIMIT = 1000
UTF_8 = 0x800  # the bit of a name in a zip that says: it is in UTF-8
ZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    EOFError,
    RuntimeError,  # a password; NotImplementedError is one too
    ValueError,
)


class Unreadable(ValueError):
    """A file that cannot be read; the message says why, in words for the student."""


class Found(NamedTuple):
    """A file that was submitted."""

    inside: PurePath  # its path below the folder of the class
    disk: Path  # the file on the disk
    members: tuple[str, ...] = ()  # in a zip: its name there; in a zip in a zip: two names


def files_of(given: Path, *, whole_class: bool) -> Iterator[Found]:
    """Yield the files of a folder, of a zip of the `whole_class`, or the file itself, by name.

    Links to folders, and empty folders, are files here; they are refused when they are read.

    Raises: ValueError if there is no such path, or if the zip of a class cannot be read.
    """
    if not (given.exists() or given.is_symlink()):
        raise ValueError(f"submission: expected a notebook or a folder, there is no {given}")
    if given.is_symlink() or not given.is_dir():
        if whole_class and given.suffix.lower() == ".zip":
            yield from files_of_download(given)
        else:
            yield Found(PurePath(given.name), given)
        return
    for folder, folders, files in os.walk(given):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        found = [Path(folder, name) for name in sorted([*links, *files])]
        if not (folders or found) and Path(folder) != given:
            found = [Path(folder)]
        for file in found:
            yield Found(file.relative_to(given), file)


def files_of_download(path: Path) -> Iterator[Found]:
    """Yield the files of a zip that a learning system made of the submissions of a class.

    Raises: ValueError if it cannot be read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = names_in(archive)
    except ZIP_ERRORS as error:
        raise ValueError(f"submission: {path} is no zip that can be read ({error})") from None
    for name, member in names:
        yield Found(PurePosixPath(name), path, (member,))


def names_in(archive: zipfile.ZipFile) -> list[tuple[str, str]]:
    """Return (name, name by which the archive finds it) of each file in a zip, sorted.

    Some programs write names in UTF-8 without saying so, and `zipfile` then reads them in the code
    page of old PCs: Perón becomes Per├│n.
    """
    members = [info for info in archive.infolist() if not info.is_dir()]
    return sorted((name_of(info), info.filename) for info in members)


def name_of(info: zipfile.ZipInfo) -> str:
    """Return the name of a file in a zip, read as UTF-8 if it can be."""
    if info.flag_bits & UTF_8:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return info.filename


def is_sidecar(path: PurePath) -> bool:
    """Return True for what programs leave next to files: __MACOSX, ._name, .ipynb_checkpoints."""
    *folders, name = path.parts
    if any(folder == "__MACOSX" or folder.startswith(".") for folder in folders):
        return True
    return name.startswith("._") or (name.startswith(".") and path.suffix.lower() != ".ipynb")


def inside_zip(found: Found) -> list[Found]:
    """Return the files in a student's zip, without sidecars.

    Raises: Unreadable for a zip that cannot be read, or has too many files.
    """
    with reading(found) as stream, opened(stream) as archive:
        names = names_in(archive)
    if len(names) > MEMBERS_LIMIT:
        raise Unreadable(f"The zip has {len(names)} files; one notebook is expected.")
    paths = [(PurePosixPath(name.replace("\\", "/")), member) for name, member in names]
    return [
        Found(found.inside / path.name, found.disk, (*found.members, member))
        for path, member in paths
        if not is_sidecar(path)
    ]


def read_file(found: Found) -> bytes:
    """Return the bytes of a file, at most one byte more than a notebook may have.

    Raises: Unreadable, with words for the student.
    """
    with reading(found) as stream:
        try:
            return stream.read(SIZE_LIMIT + 1)
        except ZIP_ERRORS as error:
            raise Unreadable(f"The zip cannot be read ({type(error).__name__}).") from None


@contextmanager
def reading(found: Found) -> Iterator[io.BufferedIOBase]:
    """Yield the open file.

    Raises: Unreadable for a link, a folder, a pipe, or what the system does not let us read.
    """
    with plain_file(found.disk) as disk:
        if not found.members:
            yield disk
            return
        *outer, last = found.members
        stream: io.BufferedIOBase = disk
        for name in outer:
            with opened(stream) as archive:
                stream = io.BytesIO(read_member(archive, name))
        with opened(stream) as archive:
            yield io.BytesIO(read_member(archive, last))


def read_member(archive: zipfile.ZipFile, name: str) -> bytes:
    """Return the bytes of a member, at most one byte more than a notebook may have.

    Raises: Unreadable if it cannot be read.
    """
    try:
        with archive.open(name) as member:
            return member.read(SIZE_LIMIT + 1)
    except (KeyError, *ZIP_ERRORS) as error:
        raise Unreadable(f"The zip cannot be read ({type(error).__name__}).") from None


@contextmanager
def opened(stream: io.BufferedIOBase) -> Iterator[zipfile.ZipFile]:
    """Yield the zip in a stream.

    Raises: Unreadable if it is none.
    """
    try:
        archive = zipfile.ZipFile(stream)
    except ZIP_ERRORS as error:
        raise Unreadable(f"The zip cannot be read ({type(error).__name__}).") from None
    with archive:
        yield archive


@contextmanager
def plain_file(path: Path) -> Iterator[io.BufferedReader]:
    """Yield a file of the disk, opened for reading.

    Raises: Unreadable for a link, a folder, a pipe, or what the system does not let us read.
    """
    try:
        mode = os.lstat(path).st_mode
        if stat.S_ISDIR(mode):
            raise Unreadable("It is an empty folder; a notebook is expected.")
        if stat.S_ISLNK(mode):
            words = "It is a link to another place, which is not followed"
            raise Unreadable(f"{words}; the notebook itself is expected.")
        file = open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")
    except OSError as error:
        words = f"It cannot be read ({type(error).__name__})"
        raise Unreadable(f"{words}; a notebook is expected.") from None
    with file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise Unreadable("It is no file; a notebook is expected.")
        yield file


def time_of_file(found: Found) -> datetime:
    """Return when a file, or the zip of it, was changed, by the clock of this machine."""
    return datetime.fromtimestamp(os.lstat(found.disk).st_mtime).astimezone()
