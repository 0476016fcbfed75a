"""A picture of a class: how it did in each question, and its most frequent mistakes."""

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["causes", "draw_class"]

STATUSES = {
    "right": ("#009e73", "right"),
    "partly right": ("#f0e442", "partly right"),
    "wrong": ("#d55e00", "wrong"),
    "stopped": ("#7f3b08", "stopped or missing"),
    "missing": ("#7f3b08", "stopped or missing"),
    "unanswered": ("#bbbbbb", "unanswered"),
}
SHOWN = 10
NO_MISTAKE = ("unanswered", "rests on an earlier question")


def causes(reports: list[dict[str, Any]]) -> list[tuple[str, str, int]]:
    """Return [(question, cause, number of students)], the most frequent first.

    Each student counts once for each cause of a question.
    """
    seen: Counter[tuple[str, str]] = Counter()
    for report in reports:
        for row in [] if report["problem"] else report["questions"]:
            seen.update(
                {
                    (row["name"], finding["cause"])
                    for finding in row["findings"]
                    if finding["cause"] not in NO_MISTAKE
                }
            )
    return sorted(
        ((name, cause, count) for (name, cause), count in seen.items()),
        key=lambda item: (-item[2], item[:2]),
    )


def draw_class(reports: list[dict[str, Any]]) -> "Figure":
    """Return a Figure: how the class did in each question, and the most frequent causes."""
    from matplotlib.figure import Figure  # only here: grading alone needs no Matplotlib

    names = [row["name"] for row in reports[0]["questions"]]
    common = causes(reports)[:SHOWN]
    figure = Figure(
        figsize=(9, 1.8 + 0.42 * (len(names) + len(common))), layout="constrained", dpi=110
    )
    above, below = figure.subplots(2, 1, height_ratios=[len(names) + 1, max(len(common), 1) + 1])
    draw_statuses(above, reports, names)
    below.barh(
        [
            f"{name}: {'no known cause' if cause == 'unknown' else cause}"
            for name, cause, _ in common
        ],
        [count for *_, count in common],
        color="#0072b2",
    )
    below.invert_yaxis()
    below.set_xlabel("students")
    below.set_title("The causes found most often" if common else "No mistake was found", loc="left")
    for ax in (above, below):
        ax.spines[["top", "right"]].set_visible(False)
        ax.xaxis.get_major_locator().set_params(integer=True)
    return figure


def draw_statuses(ax: "Axes", reports: list[dict[str, Any]], names: list[str]) -> None:
    """Draw a bar for each question, divided by how the students did."""
    left = [0] * len(names)
    for word in dict.fromkeys(word for _, word in STATUSES.values()):
        kinds = [status for status, (_, same) in STATUSES.items() if same == word]
        counts = [
            sum(report["questions"][k]["status"] in kinds for report in reports)
            for k in range(len(names))
        ]
        ax.barh(names, counts, left=left, color=STATUSES[kinds[0]][0], label=word)
        left = [start + count for start, count in zip(left, counts)]
    ax.invert_yaxis()
    ax.set_xlabel("students")
    ax.set_title(f"How {len(reports)} students did, question by question", loc="left")
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
