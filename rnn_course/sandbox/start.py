"""One start of the worker: what every wall must know about it, and what a submission sees there."""

import os
import sys
import sysconfig
from itertools import count
from pathlib import Path
from typing import NamedTuple

import numpy

from rnn_course.sandbox.limits import Limits
from rnn_course.sandbox.system_calls import as_program

__all__ = [
    "ENVIRONMENT",
    "INSIDE",
    "PYTHON",
    "Start",
    "numpy_folders",
    "site_folders",
    "visible",
    "worker",
]

INSIDE = Path(__file__).resolve().parent / "inside"
PYTHON = (os.path.realpath(sys.executable), "-I", "-S", "-B")
ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "LANG": "C.UTF-8",
    "HOME": "/tmp",
    "PATH": "/usr/bin:/bin",
}
SERIAL = count()


class Start(NamedTuple):
    """One start of the worker."""

    folder: Path  # of this start alone: task, filter, messages, and what the wall puts there
    limits: Limits
    number: int  # no two that run at the same time have the same

    @classmethod
    def new(cls, folder: Path, limits: Limits, task: bytes) -> "Start":
        """Write task, filter and an empty file of messages to the folder, and return the Start.

        Raises: ImportError or RuntimeError on Linux without libseccomp.
        """
        start = cls(folder, limits, 64 * os.getpid() + next(SERIAL) % 64)
        (folder / "task").write_bytes(task)
        (folder / "filter").write_bytes(as_program() if sys.platform.startswith("linux") else b"")
        start.messages.touch()
        for name, mode in (("task", 0o644), ("filter", 0o644), ("messages", 0o666)):
            (folder / name).chmod(mode)  # a container reads and writes as another user
        return start

    @property
    def messages(self) -> Path:
        """Return the path of the file that the worker writes."""
        return self.folder / "messages"

    @property
    def uid(self) -> int:
        """Return a user id that no user and no other start has."""
        return (1 << 20) + self.number


def worker(uid: int) -> list[str]:
    """Return the command of the worker, as it is behind a wall. It becomes the user `uid`, or 0."""
    return [*PYTHON, "/grader/worker.py", "/libraries", str(uid), "/task", "/filter", "/messages"]


def visible(start: Start) -> dict[str, str]:
    """Return {path inside: path here} of what a submission may read: Python, NumPy, the worker.

    The folders of shared libraries are there as a whole: all that is in them can be read.
    """
    system = (
        "/lib",
        "/lib64",
        "/usr/lib",
        "/usr/lib64",
        "/etc/alternatives",
        "/etc/ld.so.cache",
        # Only these two of Python: next to them can be anything, such as the environments of conda.
        PYTHON[0],
        f"{sys.base_prefix}/lib",
    )
    seen = {path: path for path in system if os.path.exists(path)}
    seen |= {f"/libraries/{folder.name}": str(folder) for folder in numpy_folders()}
    seen |= {f"/{name}": str(start.folder / name) for name in ("task", "filter")}
    return seen | {"/grader": str(INSIDE)}


def site_folders() -> list[str]:
    """Return the Python installation's folders of packages, which must not be importable."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    inside = {
        sysconfig.get_path(kind, vars={"base": sys.base_prefix, "platbase": sys.base_prefix})
        for kind in ("purelib", "platlib")
    }
    inside |= {f"{sys.base_prefix}/lib/{version}/site-packages", "/usr/lib/python3/dist-packages"}
    inside |= {f"/usr/local/lib/{version}/dist-packages", f"/usr/local/lib/{version}/site-packages"}
    places = (f"{sys.base_prefix}/lib/", "/usr/lib/")
    return sorted(path for path in inside if os.path.isdir(path) and path.startswith(places))


def numpy_folders() -> list[Path]:
    """Return the folders that make up NumPy: the package, and the libraries that wheels bring."""
    package = Path(numpy.__file__).resolve().parent
    return [path for path in (package, package.parent / "numpy.libs") if path.is_dir()]
