"""The notes of a report: what is to be said about cells, whatever it cost."""

from collections.abc import Iterable
from typing import Any

from rnn_course.grading.asking import how
from rnn_course.grading.errors import line_in
from rnn_course.grading.program import Program
from rnn_course.grading.transcript import Transcript
from rnn_course.notebook import Notebook

__all__ = ["notes_of"]

AT_MOST = 10  # notes on a page
OURS = ("rnn_course", "rnn_tutorial", "IPython")  # they are imported for checks: nothing to say


def notes_of(
    notebook: Notebook,
    program: Program,
    told: Iterable[Transcript],
    whole: Transcript | None,
) -> list[dict[str, Any]]:
    """Return [{"cell", "line", "message"}], at most one for each cell, in their order."""
    notes: dict[int, tuple[int | None, str]] = {}
    for transcript in told:
        for cell, error in transcript.raised.items():
            text = line_in(program.written, cell, error["line"])
            notes.setdefault(cell, (error["line"], ": ".join(filter(None, (error["type"], text)))))
        for cell, error in transcript.libraries.items():
            if error["library"] not in OURS:
                words = f"{error['library'] or 'A library'} is not there when graded."
                notes.setdefault(cell, (error["line"], words))
        for cell in transcript.changed:
            words = "This cell was locked. It was run as it was given, then with your own lines."
            notes.setdefault(cell, (None, words))
    if whole and whole.at and isinstance(last := whole.at[-1], int):
        words = f"It {how(whole, whole.limits)} The cells after it were not run with it."
        notes[last] = (None, words)
    notes |= {number: (None, words) for number, words in notebook.left_out}
    return [
        {"cell": cell, "line": line, "message": message}
        for cell, (line, message) in sorted(notes.items())[:AT_MOST]
    ]
