"""What of a submission is run: its cells as Python, next to those that the students were given."""

import re
from typing import Any, NamedTuple

from rnn_course.magics import to_python
from rnn_course.notebook import Notebook
from rnn_course.release import Release

__all__ = ["Program", "program_of", "source_of_answer"]


class Program(NamedTuple):
    """The sources of one submission."""

    given: list[str]  # the cells that the students were given: they are run first
    released: list[str]  # checks and tests: they are not run
    cells: dict[int, str]  # the cells of the submission by number, as Python
    locked: list[int]  # those of them that were not to be changed
    written: dict[int, str]  # the cells as the student wrote them
    not_code: frozenset[str]  # the grade_ids of cells that are text

    def task(self) -> dict[str, Any]:
        """Return the part of the sandbox's task that says what to run."""
        return {
            "given": self.given,
            "released": self.released,
            "cells": [[number, source] for number, source in self.cells.items()],
            "locked": self.locked,
        }


def program_of(release: Release, notebook: Notebook) -> Program:
    """Return the Program of a submission.

    Cells that stand in the submission as they were released, such as checks, are left out of its
    cells: what was given is run before them. What a student typed into a locked cell is run too.
    """
    ours = {
        cell.grade_id or "": cell.source
        for cell in release.cells
        if cell.locked and not cell.solution
    }
    same = {source.strip() for source in ours.values()} | {""}
    own = [cell for cell in notebook.cells if cell.source.strip() not in same]
    sources = to_python(cell.source for cell in own)
    return Program(
        given=[source for grade_id, source in ours.items() if not is_check(grade_id)],
        released=[source for grade_id, source in ours.items() if is_check(grade_id)],
        cells={cell.number: source for cell, source in zip(own, sources)},
        locked=[cell.number for cell in own if cell.grade_id in ours],
        written={cell.number: cell.source for cell in notebook.cells},
        not_code=frozenset(notebook.texts),
    )


def is_check(grade_id: str) -> bool:
    """Return True for the cells of a release that check (check_…) or test (test_…)."""
    return grade_id.startswith(("check_", "test_"))


LINES, LENGTH = 300, 300  # of an answer that a report shows


def source_of_answer(name: str, notebook: Notebook) -> list[str]:
    """Return the lines of the last cell that answers a question; none if there is no such cell.

    That is a cell which defines its function; if there is none, the cell with its grade_id.
    """
    defines = re.compile(rf"^[ \t]*(async[ \t]+)?(def[ \t]+{name}\b|{name}[ \t]*=)", re.MULTILINE)
    found = [cell.source for cell in notebook.cells if defines.search(cell.source)]
    found = found or [cell.source for cell in notebook.cells if cell.grade_id == name]
    return [line[:LENGTH] for line in found[-1].split("\n")[:LINES]] if found else []
