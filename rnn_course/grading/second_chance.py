"""A second chance: no mistake costs points twice."""

from collections.abc import Mapping
from typing import Any

from rnn_course.grading.asking import ask_alone
from rnn_course.grading.program import Program
from rnn_course.grading.row import Row, grade_question
from rnn_course.judge.diagnose import Finding
from rnn_course.judge.judge import Exam
from rnn_course.release import Release
from rnn_course.sandbox import outside as sandbox

__all__ = ["RESTS", "second_chances"]

RESTS = "rests on an earlier question"
HOPELESS = ("right", "missing", "unanswered")


def second_chances(
    release: Release,
    exams: Mapping[str, Exam],
    program: Program,
    rows: list[Row],
    whole: set[str],
    limits: sandbox.Limits,
) -> list[Row]:
    """Return the rows, improved where a question is wrong only because an earlier one is wrong.

    A question that follows a wrong one is asked again, alone, after the instructor's answers to the
    wrong questions before it. Those answers are then inside the sandbox, but the answer to the
    question itself is not. whole: the questions that need the whole notebook.
    """
    chances = list(rows)
    for k, row in enumerate(rows):
        wrong = [before["name"] for before in rows[:k] if before["points"] < before["out_of"]]
        if not wrong or row["status"] in HOPELESS:
            continue
        name, lent = row["name"], [release.solutions[one] for one in wrong]
        result = ask_alone(exams[name], program, limits, after=lent, whole=name in whole)
        again = grade_question(exams[name], row["out_of"], result.answers, result.stopped)
        if again["points"] > row["points"]:
            hint = (
                f"Graded with a right {' and '.join(wrong)} in the place of yours, "
                "so that no mistake costs you twice."
            )
            note = Finding((), RESTS, hint, "")
            chances[k] = again | {"findings": [note._asdict(), *map(silent, again["findings"])]}
    return chances


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
