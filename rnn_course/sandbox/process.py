"""One process behind a wall: started, limited, ended, read."""

import signal
import subprocess
import tempfile
from contextlib import suppress
from os import killpg
from pathlib import Path
from typing import NamedTuple

from rnn_course.sandbox.limits import Limits
from rnn_course.sandbox.start import ENVIRONMENT, Start
from rnn_course.sandbox.wall import Wall

__all__ = ["Ended", "run_behind"]


class Ended(NamedTuple):
    """How a process ended, and what it wrote."""

    how: str  # "ended", "out of time", "too much output", "killed or crashed", "exit code 3"
    output: bytes
    said: str = ""  # the beginning of what the wall itself wrote on its error channel


def run_behind(wall: Wall, task: bytes, limits: Limits) -> Ended:
    """Run the worker on the bytes of `task`, leave none of its processes, return how it ended.

    Raises: OSError, ImportError or RuntimeError if the wall cannot be used here.
    """
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as said:
        start = Start.new(Path(folder), limits, task)
        process = subprocess.Popen(
            wall.command(start),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
            cwd="/",
            env=ENVIRONMENT,
            start_new_session=True,
        )
        code = None
        try:
            code = process.wait(limits.seconds)
        except subprocess.TimeoutExpired:
            pass
        finally:
            end(process)
            clean = wall.clean(start)
            if clean and code is None:
                subprocess.run(clean, capture_output=True, env=ENVIRONMENT, timeout=60)
        said.seek(0)
        with (start.folder / "messages").open("rb") as messages:
            output = messages.read(limits.output)
        return Ended(describe(code), output, said.read(1000).decode(errors="replace"))


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill the process group. Bubblewrap dies with it, and with bubblewrap all that it started."""
    with suppress(ProcessLookupError, PermissionError):
        killpg(process.pid, signal.SIGKILL)
    process.wait()


def describe(code: int | None) -> str:
    """Return in words how a process ended. A wall reports the signal n as 128 + n."""
    if code is None:
        return "out of time"
    number = -code if code < 0 else code - 128
    if number in (signal.SIGXCPU, signal.SIGKILL, signal.SIGXFSZ, signal.SIGSEGV, signal.SIGABRT):
        words: dict[int, str] = {signal.SIGXCPU: "out of time", signal.SIGXFSZ: "too much output"}
        return words.get(number, "killed or crashed")
    return "ended" if code == 0 else f"exit code {code}"
