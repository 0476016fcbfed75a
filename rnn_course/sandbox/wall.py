"""A wall: what keeps a submission and the machine apart."""

from collections.abc import Callable
from typing import NamedTuple

from rnn_course.sandbox.start import Start

__all__ = ["Wall"]


class Wall(NamedTuple):
    """A wall: a name, the commands that use it, and what it holds."""

    name: str
    # Returns the command that runs the worker, and writes the files that it needs to start.folder.
    # Raises: OSError, ImportError or RuntimeError, with the reason, if that cannot be.
    command: Callable[[Start], list[str]]
    # Returns the command that ends what may outlive the killed process, or [].
    clean: Callable[[Start], list[str]]
    holds: str  # a sentence
    lacks: str  # a sentence
    by_default: bool = True  # False: only for those who ask for it by name
