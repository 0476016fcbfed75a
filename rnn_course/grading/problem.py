"""The problem of a report: why points were lost for a reason that is not a wrong answer."""

import re
from collections.abc import Iterable

from rnn_course.grading.asking import how
from rnn_course.grading.row import NO_VERDICT, Row
from rnn_course.grading.transcript import Transcript
from rnn_course.notebook import Notebook

__all__ = ["of_another", "problem_of"]


def problem_of(rows: Iterable[Row], whole: Transcript | None) -> str | None:
    """Return the problem in words, or None if only wrong and missing answers cost points."""
    reasons: dict[str, list[str]] = {}
    raised = False
    for row in rows:
        for finding in row["findings"] if row["points"] < row["out_of"] else ():
            raised |= finding["cause"] in (*NO_VERDICT, "raises an exception")
            if finding["cause"] in NO_VERDICT:
                where = f" ({finding['where']})" if finding["where"] else ""
                hint = finding["hint"].rstrip(".")
                reasons.setdefault(hint + where, []).append(row["name"])
    words = [f"{', '.join(names)}: {reason}." for reason, names in reasons.items()]
    if raised and whole and whole.at and whole.at[-1] != "end":
        last = f"cell {whole.at[-1]}" if isinstance(whole.at[-1], int) else whole.at[-1]
        words.append(f"The whole notebook was run too: {last} {how(whole, whole.limits)}")
    return " ".join(words) or None


def of_another(notebook: Notebook, questions: Iterable[str]) -> str | None:
    """Return in words that this is the notebook of another assignment, or None.

    It is one if most of its graded cells are not of this assignment, and its code has not even half
    of the functions of this one. Two assignments may share a question.
    """
    ours = set(questions)
    graded = [
        cell.grade_id.removeprefix("test_")
        for cell in notebook.cells
        if cell.grade_id and cell.grade_id.startswith("test_")
    ]
    others = [name for name in graded if name not in ours]
    pattern = re.compile(r"^[ \t]*(?:def[ \t]+)?(\w+)[ \t]*[(=]", re.MULTILINE)
    defined = {name for cell in notebook.cells for name in pattern.findall(cell.source)}
    if 2 * len(others) <= len(graded) or 2 * len(ours & defined) >= len(ours):
        return None
    names = [name for name in others if re.fullmatch(r"[a-z_]{1,40}", name)][:3]
    about = f" (about {', '.join(names)})" if names else ""
    return f"This is the notebook of another assignment{about}."
