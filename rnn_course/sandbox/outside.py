"""Where submissions run: behind the first wall that works here, or behind the one that was chosen.

walls()        all walls, the preferred one first
choose(name)   the wall of that name, or the first that works here
run(task, limits)   runs the worker behind the wall `limits.wall`
"""

from rnn_course.sandbox.limits import MIB, Limits
from rnn_course.sandbox.process import Ended, run_behind
from rnn_course.sandbox.wall import Wall
from rnn_course.sandbox.walls import choose, obstacle, walls

__all__ = [
    "MIB",
    "Ended",
    "Limits",
    "Wall",
    "choose",
    "chosen",
    "obstacle",
    "refusal",
    "run",
    "walls",
    "warning",
]


def run(task: bytes, limits: Limits) -> Ended:
    """Run the worker on the bytes of `task`, leave none of its processes, return how it ended.

    Raises: ValueError if no wall works here, or not the one that `limits` names.
    """
    return run_behind(choose(limits.wall), task, limits)


def chosen(name: str = "") -> tuple[str, str]:
    """Return (the name of the wall that is used on this machine, "" or in words why none is)."""
    try:
        return choose(name).name, ""
    except ValueError as error:
        return name, str(error)


def warning(name: str = "") -> str | None:
    """Return a warning if the wall of this name is none, else None."""
    wall = choose(name)
    return None if wall.by_default else f"there is no wall. {wall.lacks} {wall.holds}"


def refusal(name: str = "") -> str | None:
    """Return in words why this machine must not grade behind the wall of this name, or None."""
    return chosen(name)[1] or None
