"""The walls in order of preference, and the choice of one that works on this machine.

Rootless containers come first: behind podman, a submission is not even the user who grades. It
takes about 0.2 s more for each start than bubblewrap, which comes next. Docker's daemon runs as
root on most machines, so docker comes after what needs no such daemon. "none" is never chosen
unless it is asked for: a submission could then write into the grader's memory.
"""

from functools import cache

from rnn_course.sandbox.bare import BARE
from rnn_course.sandbox.bubblewrap import BUBBLEWRAP
from rnn_course.sandbox.containers import DOCKER, PODMAN
from rnn_course.sandbox.inside.transport import read_messages, write_message
from rnn_course.sandbox.limits import Limits
from rnn_course.sandbox.process import run_behind
from rnn_course.sandbox.wall import Wall

__all__ = ["choose", "obstacle", "walls"]

# NumPy must be there, and the filter at work, on Linux.
TRIAL = """
import os, sys, numpy
assert numpy.ones(3).sum() == 3
if sys.platform.startswith("linux"):
    try:
        os.pipe()
    except PermissionError:
        pass
    else:
        raise AssertionError("the filter is not at work")
"""


def walls() -> tuple[Wall, ...]:
    """Return all walls, the preferred one first."""
    return (PODMAN, BUBBLEWRAP, DOCKER, BARE)


def choose(name: str = "") -> Wall:
    """Return the wall of this name, or without a name the first that works on this machine.

    Raises: ValueError if there is no such wall, or if it does not work here, with the reason.
    """
    asked = [wall for wall in walls() if wall.name == name or (not name and wall.by_default)]
    if not asked:
        known = ", ".join(wall.name for wall in walls())
        raise ValueError(f"wall: expected one of {known}, got {name!r}")
    obstacles = {}
    for wall in asked:
        obstacles[wall.name] = obstacle(wall)
        if not obstacles[wall.name]:
            return wall
    reasons = "; ".join(f"{name}: {reason}" for name, reason in obstacles.items())
    advice = (
        "" if name else ". Install podman or bubblewrap, or say --wall none: read what it lacks"
    )
    raise ValueError(f"wall: no wall works here ({reasons}){advice}")


@cache
def obstacle(wall: Wall) -> str:
    """Return why the wall does not work on this machine, or "". It is tried once per process."""
    limits = Limits(seconds=20)
    task = {"limits": limits.for_worker(), "cells": [[1, TRIAL]], "questions": []}
    try:
        ended = run_behind(wall, write_message(task, []), limits)
        events = [event for event, _ in read_messages(ended.output)]
    except (OSError, ImportError, RuntimeError, ValueError) as error:
        return str(error) or type(error).__name__
    if any(event["what"] == "cell raised" for event in events):
        return "the filter of system calls or NumPy does not work behind it"
    if not any(event["what"] == "end" for event in events):
        return f"the trial did not end well ({ended.how})"
    return ""
