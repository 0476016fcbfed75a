"""One process behind a wall: started, limited, ended, read."""

import os
import select
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from rnn_course.sandbox.limits import PATIENCE, Limits
from rnn_course.sandbox.start import ENVIRONMENT, Start
from rnn_course.sandbox.wall import Wall

__all__ = ["Ended", "run_behind"]

STARTS = 3  # how often a wall is asked to start it


class Ended(NamedTuple):
    """How a process ended, and what it wrote."""

    # "ended", "out of time", "waited too long", "too much output", "killed or crashed",
    # "exit code 3"
    how: str
    output: bytes


CRASHES = (signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT, signal.SIGSYS, signal.SIGBUS)
TIME_IS_OVER = (signal.SIGPROF, signal.SIGXCPU)
SIGNALS: dict[int, str] = {
    **dict.fromkeys(CRASHES, "killed or crashed"),
    **dict.fromkeys(TIME_IS_OVER, "out of time"),
    signal.SIGXFSZ: "too much output",
}


def run_behind(wall: Wall, task: bytes, limits: Limits) -> Ended:
    """Run the worker on the bytes of `task`, leave none of its processes, return how it ended.

    Raises: OSError, ImportError or RuntimeError if the wall cannot be used here.
    """
    for _ in range(STARTS):
        with tempfile.TemporaryDirectory() as folder:
            start = Start.new(Path(folder), limits, task)
            code, said = run_once(wall, start)
            with start.messages.open("rb") as file:
                output = file.read(limits.output)
        # A submission has no standard error: what is there was said by the wall.
        if output or code in (0, None) or not said:
            return Ended(describe(code), output)
    raise OSError(f"{wall.name} did not start: {said}")


def run_once(wall: Wall, start: Start) -> tuple[int | None, str]:
    """Return (exit code, None if the real time was over; what the wall said on standard error)."""
    with tempfile.TemporaryFile() as error:
        process = subprocess.Popen(
            wall.command(start),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=error,
            cwd="/",
            env=ENVIRONMENT,
            start_new_session=True,
        )
        code = None
        try:
            code = wait(process, start)
        finally:
            end(process)
            clean = wall.clean(start)
            if clean and code is None:
                subprocess.run(clean, capture_output=True, env=ENVIRONMENT, timeout=60)
        error.seek(0)
        return code, " ".join(error.read(1000).decode(errors="replace").split())


def wait(process: subprocess.Popen[bytes], start: Start) -> int | None:
    """Return the exit code, None if the real time is over. It begins with the first message."""
    given_up = time.monotonic() + PATIENCE
    while start.messages.stat().st_size == 0 and time.monotonic() < given_up:
        if ended_within(process, 0.01):
            break
    ended_within(process, start.limits.elapsed_now())
    return process.poll()


def ended_within(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Return True if the process ends within some seconds. On Linux without a delay."""
    try:
        descriptor = os.pidfd_open(process.pid)
    except (AttributeError, OSError):
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        return process.poll() is not None
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(1000 * seconds))
    finally:
        os.close(descriptor)


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill the process group. Bubblewrap dies with it, and with bubblewrap all that it started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def describe(code: int | None) -> str:
    """Return in words how a process ended. A wall reports the signal n as 128 + n."""
    if code is None:
        return "waited too long"
    if code in TIME_IS_OVER:  # so the worker ends itself at these signals
        return SIGNALS[code]
    number = -code if code < 0 else code - 128
    return "ended" if code == 0 else SIGNALS.get(number, f"exit code {code}")
