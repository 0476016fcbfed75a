"""A second chance: no mistake costs points twice."""

from collections.abc import Iterator, Mapping
from typing import Any

from rnn_course.grading.asking import ask_alone
from rnn_course.grading.program import Program
from rnn_course.grading.row import Judged, Row, judged, row_of
from rnn_course.judge.diagnose import Finding
from rnn_course.release import Release
from rnn_course.sandbox import outside as sandbox

__all__ = ["RESTS", "row_of_chance", "second_chances", "wrong_before"]

RESTS = "rests on an earlier question"
HOPELESS = ("right", "missing", "unanswered")


def second_chances(
    release: Release,
    program: Program,
    found: Mapping[str, Judged],
    whole: set[str],
    limits: sandbox.Limits,
) -> dict[str, Judged]:
    """Return {question: Judged} of those that earn more with other answers before them.

    A question that is not right is asked again, alone, after the instructor's answers to the
    earlier questions. They are then inside the sandbox, but the answer to the question itself is
    not. whole: the questions that need the whole notebook.
    """
    chances: dict[str, Judged] = {}
    for name, first in found.items():
        if first.full or first.status in HOPELESS:
            continue
        for lent in lendings(found, name):
            sources = [release.solutions[one] for one in lent]
            result = ask_alone(first.exam, program, limits, after=sources, whole=name in whole)
            again = judged(first.exam, first.out_of, result)
            if again.points > chances.get(name, first).points:
                chances[name] = again
            if not again.raised:
                break
    return chances


def lendings(found: Mapping[str, Judged], name: str) -> Iterator[list[str]]:
    """Yield the earlier questions whose answers are lent: all of them, then the wrong ones.

    A right answer may have another form than the instructor's, and what calls it may need the one
    form or the other.
    """
    names = list(found)
    before, wrong = names[: names.index(name)], wrong_before(found, name)
    yield from [before] if before else []
    yield from [wrong] if wrong and wrong != before else []


def wrong_before(found: Mapping[str, Judged], name: str) -> list[str]:
    """Return the questions before this one that are not right."""
    names = list(found)
    return [one for one in names[: names.index(name)] if not found[one].full]


def row_of_chance(again: Judged, wrong: list[str]) -> Row:
    """Return the row of a question that earns more with other answers before it.

    wrong: the earlier questions that are not right.
    """
    row = row_of(again, {})
    note = Finding((), RESTS, with_a_right(wrong) if wrong else ANOTHER_FORM, "")
    return row | {"findings": [note._asdict(), *map(silent, row["findings"])]}


def with_a_right(wrong: list[str]) -> str:
    """Return in words that the answers to these questions were replaced."""
    return (
        f"Graded with a right {' and '.join(wrong)} in the place of yours, "
        "so that no mistake costs you twice."
    )


ANOTHER_FORM = (
    "Graded with the instructor's earlier functions in the place of yours. Yours are right, but "
    "this one does not work with them: perhaps they return another form than the question shows, "
    "such as a tuple in the place of a NamedTuple."
)
SILENT = {
    "raises an exception": "Your function raises an exception.",
    "shape or type": "What you return has another shape or type than the question asks for.",
    "NaN or infinity": "There is a NaN or an infinity in what you return.",
}


def silent(finding: dict[str, Any]) -> dict[str, Any]:
    """Return the finding without the words and shapes that the submission made.

    They could carry an answer out of the sandbox to be read.
    """
    return finding | {"hint": SILENT.get(finding["cause"], finding["hint"]), "where": ""}
