"""Writing a file so that its old content is there until the new one is complete.

A writer that is killed leaves a hidden part of a file. The next writer of the same file removes it,
and no part of a writer that is still at work: each holds a lock on its part, which the system takes
back when the process ends, however it ends. (On Windows there are no such locks, and no need of
them: a file that is open there cannot be removed.)
"""

import os
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from stat import S_IMODE
from uuid import uuid4

__all__ = [
    "remove_stale_parts",
    "replacing",
]

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None


@contextmanager
def replacing(path):
    """Yield a binary file to write, which takes the place of `path` at the end: that is either the old file or the new one.

    What is written stands in a hidden file of the same folder, and is moved to its place when all
    of it is on the disk. After an error nothing is left; after a kill, that part is, and the next
    writer of the same path removes it. A symbolic link stays one: what it points to is replaced.
    The permissions are those of the old file, and for a new one those of any new file.

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


def remove_stale_parts(target):
    """Remove what writers of `target` left that were killed; where there are no locks, leave everything."""
    for part in target.parent.glob(_part_name(target, "*")):
        try:
            with open(part, "r+b") as file:
                if fcntl is not None:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    part.unlink()
            if fcntl is None:
                part.unlink()
        except OSError:  # a living writer's, or gone, or not ours to remove
            continue


def _open_part(target):
    """Return (path, file) of a new part, locked for as long as the file is open."""
    while True:
        part = target.with_name(_part_name(target, uuid4().hex))
        file = open(part, "xb")
        if (
            _lock(file) and not part.exists()
        ):  # another writer was quicker than the lock, and took it for a stale one
            file.close()
            continue
        return part, file


def _lock(file):
    """Return whether the file could be locked: some network folders and Windows have no locks."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
    except (OSError, AttributeError):
        return False
    return True


def _part_name(target, unique):
    """Return the name of a part: hidden, of a length that fits whatever the name of the target, and its own."""
    return (
        f".{sha256(target.name.encode('utf-8', 'surrogateescape')).hexdigest()[:16]}.{unique}.part"
    )
