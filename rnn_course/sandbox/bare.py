"""No wall: the limits, and the filter of system calls where there is one."""

import os

from rnn_course.sandbox.start import INSIDE, PYTHON, Start, numpy_folders
from rnn_course.sandbox.wall import Wall

__all__ = ["BARE", "command"]


def command(start: Start) -> list[str]:
    """Return the command that runs the worker as a process of this user, with NumPy alone.

    Raises: OSError if the grader is root, whom few limits bind.
    """
    if os.getuid() == 0:
        raise PermissionError("as root, a submission must not run without a wall")
    libraries = start.folder / "libraries"
    libraries.mkdir()
    for path in numpy_folders():
        (libraries / path.name).symlink_to(path)
    files = [str(start.folder / name) for name in ("task", "filter", "messages")]
    return [*PYTHON, str(INSIDE / "worker.py"), str(libraries), "0", *files]


def nothing(start: Start) -> list[str]:
    """Return no command: the process is the only one."""
    return []


BARE = Wall(
    "none",
    command,
    nothing,
    holds="Limits on time and output hold; on Linux a limit on memory, and a list of system calls "
    "that closes the network and other processes.",
    lacks="It can read and change all files that you can, and the memory of your other programs, "
    "the grader's too: it can give itself any grade.",
    by_default=False,
)
