"""What a student gets back: one page of HTML, with all text of the submission escaped."""

from html import escape
from typing import Any

__all__ = ["to_html"]

COLOURS = {"right": "#1b7f4d", "partly right": "#9a6700"}
STYLE = """
body { font: 17px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; \
color: #222; background: #fff }
h1 { font-size: 1.5rem } h2 { font-size: 1.15rem; margin: 2rem 0 .3rem } \
.points { float: right; font-weight: normal }
code { background: #f3f3f3; padding: 0 .2em } li { margin: .5rem 0 } \
.where { color: #555; display: block }
table { border-collapse: collapse; width: 100% }
td, th { text-align: left; padding: .2rem .6rem .2rem 0; border-bottom: 1px solid #ddd }
""".strip()


def to_html(report: dict[str, Any]) -> str:
    """Return the page of a report: the same bytes for the same report."""
    title = f"{report['assignment']}: {report['points']:g} of {report['out_of']:g} points"
    parts = [f"<h1>{escape(title)}</h1>", f"<p>{escape(report['student'])}</p>"]
    if report["problem"]:
        parts.append(f"<p><strong>{escape(report['problem'])}</strong></p>")
    else:
        parts += (
            [overview(report)]
            + [section(row) for row in report["questions"]]
            + [notes(report["notes"])]
        )
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title>"
    )
    return (
        f'<!doctype html>\n<html lang="en">\n<head>{head}\n<style>\n{STYLE}\n</style></head>\n'
        + "<body>\n"
        + "\n".join(filter(None, parts))
        + "\n</body>\n</html>\n"
    )


def overview(report: dict[str, Any]) -> str:
    """Return the table of questions."""
    rows = "".join(
        f"<tr><td><code>{escape(row['name'])}</code></td><td>{mark(row)}</td>"
        f"<td>{row['points']:g} / {row['out_of']:g}</td></tr>"
        for row in report["questions"]
    )
    return f"<table><tr><th>question</th><th></th><th>points</th></tr>{rows}</table>"


def mark(row: dict[str, Any]) -> str:
    """Return the status of a question, in a colour and in words."""
    colour = COLOURS.get(row["status"], "#b3261e")
    return f'<span style="color: {colour}">{escape(row["status"])}</span>'


def section(row: dict[str, Any]) -> str:
    """Return the section on one question; empty if the answer is right."""
    if row["status"] == "right":
        return ""
    right = [part["name"] for part in row["parts"] if part["credit"] == 1]
    lines = [
        f"<h2><code>{escape(row['name'])}</code> "
        f'<span class="points">{row["points"]:g} / {row["out_of"]:g}</span></h2>'
    ]
    if right and row["status"] not in ("stopped", "missing", "unanswered"):
        lines.append(
            f"<p>Right: {', '.join(f'<code>{escape(name)}</code>' for name in right)}.</p>"
        )
    return "\n".join([*lines, "<ul>", *map(item, row["findings"]), "</ul>"])


def item(finding: dict[str, Any]) -> str:
    """Return one finding as an item of a list."""
    about = ", ".join(f"<code>{escape(name)}</code>" for name in finding["outputs"])
    cause = (
        "" if finding["cause"] == "unknown" else f"<strong>{escape(finding['cause'])}.</strong> "
    )
    where = f'<span class="where">{escape(finding["where"])}</span>' if finding["where"] else ""
    return f"<li>{about + ': ' if about else ''}{cause}{escape(finding['hint'])}{where}</li>"


def notes(found: list[dict[str, Any]]) -> str:
    """Return the list of cells that raised an exception; empty if none did."""
    if not found:
        return ""
    lines = [
        f"<li>code cell {note['cell']}{line_of(note)}: {escape(note['message'])}</li>"
        for note in found
    ]
    words = (
        "<p>The other cells were still run. "
        "When graded, a notebook has NumPy and the standard library, nothing else.</p>"
    )
    return "\n".join(["<h2>Cells that did not run through</h2>", words, "<ul>", *lines, "</ul>"])


def line_of(note: dict[str, Any]) -> str:
    """Return the line of a note in words, if it has one."""
    return f", line {note['line']}" if note["line"] else ""
