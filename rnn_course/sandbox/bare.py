"""No wall: the limits, and the filter of system calls where there is one."""

import importlib.util
import os
import sys
from pathlib import Path

from rnn_course.sandbox import system_calls
from rnn_course.sandbox.start import INSIDE, PYTHON, Start, numpy_folders
from rnn_course.sandbox.wall import Wall

__all__ = ["BARE", "command"]


def command(start: Start) -> list[str]:
    """Return the command that runs the worker as a process of this user, with NumPy alone.

    On Linux it runs under the filter of system calls.

    Raises: ImportError or RuntimeError without libseccomp on Linux, OSError if the grader is root.
    """
    if os.getuid() == 0:
        raise PermissionError("as root, a submission must not run without a wall")
    libraries = start.folder / "libraries"
    libraries.mkdir()
    for path in numpy_folders():
        (libraries / path.name).symlink_to(path)
    worker = [*PYTHON, str(INSIDE / "worker.py"), str(libraries), "0"]
    worker += [str(start.folder / "task"), str(start.folder / "messages")]
    if not sys.platform.startswith("linux"):
        return worker
    system_calls.as_program()  # raises what is wrong here rather than there
    found = importlib.util.find_spec("pyseccomp")
    assert found and found.origin
    return [*PYTHON, str(system_calls.__file__), str(Path(found.origin).parent), *worker]


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
