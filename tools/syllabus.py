"""The syllabus: the weeks of a course, their chapters and their assignments.

Title, hours and points of an assignment come from the first cell of its notebook.
"""

import re

from nbformat import NotebookNode

__all__ = ["WEEKS", "about", "syllabus"]

WEEKS = (  # (numbers of chapters, topic, number of the assignment or "")
    ("00 01", "The recurrence", ""),
    ("02", "One step back", ""),
    ("03 04", "Through time; the first training", "01"),
    ("05", "Learning to write", ""),
    ("06 07", "Why it forgets; how far to trust a gradient", ""),
    ("08 09", "Truncation, and a gradient that runs forward; a state that lasts", ""),
    ("10", "The LSTM backward", "02"),
    ("11", "What each part is for", ""),
    ("12", "The GRU", "03"),
    ("13", "Both directions", ""),
    ("14", "Sentences have lengths", "04"),
    ("15 16", "Deep; noise and normalisation", "05"),
    ("17 18 19", "Make it fast; precision and memory; the same network elsewhere", ""),
    ("20", "One sequence into another", ""),
)


def about(notebook: NotebookNode, word: str) -> str:
    """Return what the table in the first cell of an assignment says in the row `word`.

    Raises: SystemExit if the table has no such row.
    """
    found = re.search(rf"^\| {word} \| (.*) \|$", notebook.cells[0].source, re.MULTILINE)
    if not found:
        raise SystemExit(f"the first cell of an assignment has no row {word!r}")
    return found[1]


def title(notebook: NotebookNode) -> str:
    """Return the heading of an assignment without its number."""
    return notebook.cells[0].source.split("\n")[0].split(": ", 1)[1]


def syllabus(notebooks: list[NotebookNode], names: list[str]) -> str:
    """Return the page as Markdown: a table of weeks, then a section for each assignment."""
    given = dict(zip((name[:2] for name in names), zip(names, notebooks)))
    lines = [
        "# Syllabus",
        "",
        "Fourteen weeks. An assignment is handed out in the week that finishes its chapters.",
        "",
    ]
    lines += [
        "| week | chapters | about | assignment | hours | points |",
        "|---|---|---|---|---|---|",
    ]
    for week, (chapters, topic, number) in enumerate(WEEKS, 1):
        row = ["", "", ""]
        if number in given:
            name, notebook = given[number]
            row = [
                f"{int(number)}: {title(notebook)}",
                about(notebook, "Time").removesuffix(" hours"),
                about(notebook, "Points"),
            ]
        lines.append(f"| {week} | {', '.join(chapters.split())} | {topic} | {' | '.join(row)} |")
    for name, notebook in given.values():
        lines += ["", f"## Assignment {int(name[:2])}: {title(notebook)}", ""]
        lines += [f"After it, you can {about(notebook, 'You will be able to')}.", ""]
        time, points = about(notebook, "Time"), about(notebook, "Points")
        lines += [f"File: `{name}.ipynb`. Time: {time}. Points: {points}."]
    return "\n".join(lines) + "\n"
