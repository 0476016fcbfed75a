"""An isolated process: no network, no access to the grader's files, limits on all that it uses.

With bubblewrap (`bwrap`, Linux) the process sees Python, NumPy and four files of this package,
read-only, and a small scratch folder in memory. Without it, the same limits hold, but the process
can reach the files of this user, and on systems other than Linux the network too: `warning()` says
so.
"""

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from typing import NamedTuple

import numpy

from rnn_course.sandbox.inside.transport import read_messages, write_message

__all__ = [
    "Ended",
    "Limits",
    "has_bubblewrap",
    "has_filter",
    "refusal",
    "run",
    "warning",
]

INSIDE = Path(__file__).resolve().parent / "inside"
MIB = 1 << 20
# The first user id that no user has. The number of the grader's process and a serial number are
# added, so that no two sandboxes share one.
FIRST_UID = 1 << 20
SERIAL = count()


class Limits(NamedTuple):
    """What one process of a submission may use."""

    seconds: float = 10  # of real time; processor time has the same limit
    memory: int = 1024 * MIB  # address space, bytes
    processes: int = 1  # threads count too; each further process would have as much memory again
    output: int = 8 * MIB  # what it can write, and its largest file, bytes

    def for_worker(self) -> dict[str, int]:
        """Return the limits under the names that the worker uses."""
        return {
            "cpu": int(self.seconds) + 1,
            "memory": self.memory,
            "processes": self.processes,
            "file": self.output,
            "files": 64,
            "core": 0,
        }


class Ended(NamedTuple):
    """How a process ended, and what it wrote."""

    how: str  # "ended", "out of time", "too much output", "killed or crashed", "exit code 3"
    output: bytes


def run(task: bytes, limits: Limits) -> Ended:
    """Run the worker on the bytes of `task`, leave none of its processes, return how it ended."""
    with (
        tempfile.TemporaryFile() as given,
        tempfile.TemporaryFile() as written,
        libraries() as place,
    ):
        given.write(task)
        given.seek(0)
        process = subprocess.Popen(
            command(place),
            stdin=given,
            stdout=written,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=ENVIRONMENT,
            start_new_session=True,
        )
        try:
            code = process.wait(limits.seconds)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            end(process)
        written.seek(0)
        return Ended(describe(code), written.read(limits.output))


ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "LANG": "C.UTF-8",
    "HOME": "/tmp",
    "PATH": "/usr/bin:/bin",
}


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill the process group. Bubblewrap dies with it, and with bubblewrap all that it started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
    process.wait()


def describe(code: int | None) -> str:
    """Return in words how a process ended. Bubblewrap reports the signal n as 128 + n."""
    if code is None:
        return "out of time"
    number = -code if code < 0 else code - 128
    if number in (signal.SIGXCPU, signal.SIGKILL, signal.SIGXFSZ, signal.SIGSEGV, signal.SIGABRT):
        words: dict[int, str] = {signal.SIGXCPU: "out of time", signal.SIGXFSZ: "too much output"}
        return words.get(number, "killed or crashed")
    return "ended" if code == 0 else f"exit code {code}"


def command(place: str) -> list[str]:
    """Return the command that runs the worker, in bubblewrap if it works.

    place: a folder with NumPy.
    """
    worker = [os.path.realpath(sys.executable), "-I", "-S", "-B"]
    if not has_bubblewrap():
        return [*worker, str(INSIDE / "worker.py"), place, "0"]
    uid = FIRST_UID + 64 * os.getpid() + next(SERIAL) % 64 if os.getuid() == 0 else 0
    return [*bubblewrap(uid), *worker, "/grader/worker.py", "/libraries", str(uid)]


def bubblewrap(uid: int) -> list[str]:
    """Return the command of bubblewrap: Python and NumPy, read-only, and 16 MiB of scratch space.

    If the grader is root, the worker keeps the two capabilities that it needs to become the user
    `uid`, and loses them when it does: a limit on processes does not bind root.
    """
    wrap = [
        shutil.which("bwrap") or "bwrap",
        "--die-with-parent",
        "--new-session",
        "--unshare-pid",
        "--unshare-net",
        "--unshare-ipc",
    ]
    wrap += ["--unshare-uts", "--unshare-cgroup-try"]
    wrap += (
        ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
        if uid
        else ["--unshare-user"]
    )
    # Only these two: next to them can be anything, such as the environments of conda.
    python = [os.path.realpath(sys.executable), f"{sys.base_prefix}/lib"]
    above = {str(folder) for path in python for folder in Path(path).parents[:-1]}
    for folder in sorted({"/usr", "/etc", "/libraries", "/grader"} | above):
        # Without --perms, bubblewrap makes a folder for its own user alone.
        wrap += ["--perms", "0755", "--dir", folder]
    for path in (
        "/lib",
        "/lib64",
        "/usr/lib",
        "/usr/lib64",
        "/etc/alternatives",
        "/etc/ld.so.cache",
        *python,
    ):
        wrap += ["--ro-bind-try", path, path]
    for path in site_folders():
        wrap += ["--tmpfs", path, "--remount-ro", path]
    for folder_of_numpy in numpy_folders():
        wrap += ["--ro-bind", str(folder_of_numpy), f"/libraries/{folder_of_numpy.name}"]
    for file in sorted(INSIDE.glob("*.py")):
        wrap += ["--ro-bind", str(file), f"/grader/{file.name}"]
    wrap += [
        "--proc",
        "/proc",
        "--dev",
        "/dev",
        "--remount-ro",
        "/dev",
        "--size",
        str(16 * MIB),
        "--perms",
        "1777",
    ]
    return [*wrap, "--tmpfs", "/tmp", "--chdir", "/tmp", "--remount-ro", "/", "--"]


def site_folders() -> list[str]:
    """Return the Python installation's folders of packages, which must not be importable."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    inside = {
        sysconfig.get_path(kind, vars={"base": sys.base_prefix, "platbase": sys.base_prefix})
        for kind in ("purelib", "platlib")
    }
    inside |= {f"{sys.base_prefix}/lib/{version}/site-packages", "/usr/lib/python3/dist-packages"}
    inside |= {f"/usr/local/lib/{version}/dist-packages", f"/usr/local/lib/{version}/site-packages"}
    visible = (sys.base_prefix, "/usr/lib/")
    return sorted(path for path in inside if os.path.isdir(path) and path.startswith(visible))


def numpy_folders() -> list[Path]:
    """Return the folders that make up NumPy: the package, and the libraries that wheels bring."""
    package = Path(numpy.__file__).resolve().parent
    return [path for path in (package, package.parent / "numpy.libs") if path.is_dir()]


@contextmanager
def libraries() -> Iterator[str]:
    """Yield the path of a folder with NumPy alone, for a process without bubblewrap."""
    with tempfile.TemporaryDirectory() as folder:
        for path in numpy_folders():
            os.symlink(path, Path(folder) / path.name)
        yield folder


@cache
def has_bubblewrap() -> bool:
    """Return True if bubblewrap is installed and the kernel lets it work."""
    if not shutil.which("bwrap"):
        return False
    uid = FIRST_UID if os.getuid() == 0 else 0
    trial = [*bubblewrap(uid), os.path.realpath(sys.executable), "-I", "-S", "-c", "import math"]
    try:
        return (
            subprocess.run(
                trial, capture_output=True, timeout=20, cwd="/", env=ENVIRONMENT
            ).returncode
            == 0
        )
    except (OSError, subprocess.TimeoutExpired):
        return False


@cache
def has_filter() -> bool:
    """Return True if the filter of system calls works here.

    Then there is no network, and no process is left behind.
    """
    limits = Limits()
    task = {
        "limits": limits.for_worker(),
        "cells": [[1, "import socket\nsocket.socket()"]],
        "questions": [],
    }
    events = [event for event, _ in read_messages(run(write_message(task, []), limits).output)]
    return any(
        event["what"] == "cell raised" and event["error"]["type"] == "PermissionError"
        for event in events
    )


def warning() -> str | None:
    """Return a warning if submissions are not isolated on this machine, else None."""
    if has_bubblewrap():
        return None
    # macOS has no limit on memory.
    limits = "time, memory and output" if sys.platform.startswith("linux") else "time and output"
    more = "" if has_filter() else ", use the network, and leave processes behind"
    return (
        f"bubblewrap (bwrap) is not at work here: submissions run with limits on {limits}, but "
        f"they can read and change the files that you can{more}. Install bubblewrap, or grade as "
        "a user, or on a machine, that holds nothing else."
    )


def refusal() -> str | None:
    """Return in words why this machine must not grade, or None.

    A submission must not run as root, whom few limits bind.
    """
    if has_bubblewrap() or os.getuid() != 0:
        return None
    return "as root, grading needs bubblewrap (bwrap) at work: install it, or grade as another user"
