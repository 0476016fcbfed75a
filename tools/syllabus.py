"""The syllabus: the weeks of a course, their chapters and their assignments, and the rules.

Points, dates, hours and weights come from course.toml, the title of an assignment and what it
teaches from the first cell of its notebook, and the rules from how_it_works.md.
"""

import re

from nbformat import NotebookNode

from rnn_course.course import Course

__all__ = ["WEEKS", "about", "assignments_table", "syllabus", "title"]

WEEKS = (  # (numbers of chapters, topic)
    ("00 01", "The recurrence"),
    ("02", "One step back"),
    ("03 04", "Through time; the first training"),
    ("05", "Learning to write"),
    ("06 07", "Why it forgets; how far to trust a gradient"),
    ("08 09", "Truncation, and a gradient that runs forward; a state that lasts"),
    ("10", "The LSTM backward"),
    ("11", "What each part is for"),
    ("12", "The GRU"),
    ("13", "Both directions"),
    ("14", "Sentences have lengths"),
    ("15 16", "Deep; noise and normalisation"),
    ("17 18 19", "Make it fast; precision and memory; the same network elsewhere"),
    ("20", "One sequence into another"),
    ("21", "Where to look"),
)
RULES = ("What may be used", "Working together", "Late work")


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


def assignments_table(course: Course, titles: list[str]) -> list[str]:
    """Return the lines of the table of assignments, which the page for lecturers has too."""
    found = list(course.assignments.values())
    lines = ["| | assignment | after chapter | hours | points |", "|---|---|---|---|---|"]
    return lines + [
        f"| {int(a.name[:2])} | {name} | {a.after} | {a.hours:g} | {a.out_of:g} |"
        for a, name in zip(found, titles, strict=True)
    ]


def syllabus(course: Course, notebooks: list[NotebookNode], general: list[str]) -> str:
    """Return the page as Markdown: the weeks, the assignments, the rules.

    notebooks: of the assignments, in the order of the course. general: sections, of which those of
    RULES are on the page.
    """
    found = list(course.assignments.values())
    lines = [
        f"# Syllabus: {course.title}",
        "",
        f"{len(WEEKS)} weeks. An assignment is given in the week that finishes its chapters.",
        "",
        "| week | chapters | about | assignment |",
        "|---|---|---|---|",
    ]
    for week, (chapters, topic) in enumerate(WEEKS, 1):
        here = [f"{int(a.name[:2])}" for a in found if a.after in chapters.split()]
        numbers = ", ".join(chapters.split())
        lines.append(f"| {week} | {numbers} | {topic} | {', '.join(here)} |")
    lines += [
        "",
        "## Assignments",
        "",
        "| | assignment | given | due | hours | points | weight |",
        "|---|---|---|---|---|---|---|",
    ]
    for a, notebook in zip(found, notebooks, strict=True):
        lines.append(
            f"| {int(a.name[:2])} | {title(notebook)} | {a.given.day} {a.given:%B %Y} "
            f"| {about(notebook, 'Due')} | {a.hours:g} | {a.out_of:g} | {a.weight:g} |"
        )
    lines += [
        "",
        f"Together {sum(a.hours for a in found):g} hours and {sum(a.out_of for a in found):g} "
        "points. The result of the course is the mean of the shares of points that you earned in "
        "each, weighted.",
    ]
    for a, notebook in zip(found, notebooks):
        lines += ["", f"### {int(a.name[:2])}: {title(notebook)}", ""]
        lines += [f"After it, you can {about(notebook, 'You will be able to')}.", ""]
        lines += [f"File: `{a.name}.ipynb`. It comes after chapter {a.after}."]
    for section in general:
        if section.split("\n")[0].removeprefix("## ") in RULES:
            lines += ["", section]
    return "\n".join(lines) + "\n"
