"""Writing a file so that its old content is there until the new one is complete.

The new content is written to a hidden file, called a part, which then replaces the old file. A
writer that is killed leaves its part behind. The next writer of the same file removes it, but not
the part of a writer that is still at work: each holds a lock on its part, which the system releases
when the process ends, however it ends. (Windows has no such locks and does not need them: there an
open file cannot be removed.)
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from stat import S_IMODE
from typing import IO, Any
from uuid import uuid4

__all__ = [
    "remove_stale_parts",
    "replacing",
]

fcntl: Any
try:
    import fcntl
except ImportError:  # Windows
    fcntl = None


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Yield a binary file to write. At the end it takes the place of `path`.

    At any moment `path` is either the old file or the new one. The content is written to a hidden
    file of the same folder, and is moved to its place when all of it is on the disk. After an error
    no part is left; after a kill it is, and the next writer of the same path removes it. A symbolic
    link stays one: the file that it points to is replaced. The permissions are those of the old
    file; a new file has those of any new file.

    Raises: FileNotFoundError for a missing folder.
    """
    target = Path(os.path.realpath(path)) if os.path.islink(path) else Path(path)
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{path}: the folder {target.parent} does not exist")
    remove_stale_parts(target)
    part, file = _open_part(target)
    try:
        with file:
            if target.exists():
                os.chmod(part, S_IMODE(target.stat().st_mode))
            yield file
            file.flush()
            os.fsync(file.fileno())
            if fcntl is not None:
                os.replace(part, target)  # while the lock is held
        if fcntl is None:
            os.replace(part, target)  # only a closed file can be moved
    finally:
        part.unlink(missing_ok=True)  # gone already unless something went wrong


def remove_stale_parts(target: Path) -> None:
    """Remove the parts that killed writers of `target` left behind."""
    for part in target.parent.glob(_part_name(target, "*")):
        try:
            with open(part, "r+b") as file:
                if fcntl is not None:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    part.unlink()
            if fcntl is None:
                part.unlink()
        except OSError:  # a writer is still at work, or it is gone, or we may not remove it
            continue


def _open_part(target: Path) -> tuple[Path, IO[bytes]]:
    """Return (path, file) of a new part, locked for as long as the file is open."""
    while True:
        part = target.with_name(_part_name(target, uuid4().hex))
        file = open(part, "xb")
        if _lock(file) and not part.exists():  # another writer removed it before it was locked
            file.close()
            continue
        return part, file


def _lock(file: IO[bytes]) -> bool:
    """Return whether the file could be locked: some network folders and Windows have no locks."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
    except (OSError, AttributeError):
        return False
    return True


def _part_name(target: Path, unique: str) -> str:
    """Return the name of a part: hidden, and of one length, whatever the name of the target."""
    digest = sha256(target.name.encode("utf-8", "surrogateescape")).hexdigest()
    return f".{digest[:16]}.{unique}.part"
