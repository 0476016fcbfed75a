"""When a submission was handed over: from the learning system, a table of yours, or its file."""

from datetime import datetime, tzinfo
from pathlib import Path

from rnn_course.collect.files import Found
from rnn_course.collect.roster import read_table
from rnn_course.text import one_line

__all__ = ["read_time", "read_times", "timestamp_of"]

FORMS = ("%A, %d %B %Y, %I:%M %p", "%Y-%m-%d %H:%M:%S.%f UTC", "%Y-%m-%d %H:%M:%S UTC")


def read_time(text: str, zone: tzinfo | None) -> datetime:
    """Return the moment in a text: 2026-10-29T23:10:00+01:00, or as Moodle and nbgrader write it.

    zone: of a text that does not say its zone.

    Raises: ValueError for anything else.
    """
    text = text.strip()
    for form in (None, *FORMS):
        try:
            found = datetime.fromisoformat(text) if form is None else datetime.strptime(text, form)
        except ValueError:
            continue
        if form is not None and form.endswith("UTC"):
            return datetime.fromisoformat(f"{found.isoformat()}+00:00")
        return found if found.tzinfo else found.replace(tzinfo=zone)
    raise ValueError(f'time: expected one such as 2026-10-29T23:10:00+01:00, got "{text}"')


def read_times(path: Path, zone: tzinfo | None) -> dict[str, datetime]:
    """Return {id of a student: when the submission came} of a CSV file with columns id and time.

    Raises: ValueError for a file without these columns, or with a text that is no time.
    """
    rows = read_table(path, "times", ("id", "time"))
    return {one_line(row["id"]): read_time(row["time"], zone) for row in rows if row["time"]}


def timestamp_of(found: Found, assignment: str, zone: tzinfo | None) -> datetime | None:
    """Return the time that nbgrader's exchange stored with a submission, or None.

    It is the file timestamp.txt in the folder STUDENT/ASSIGNMENT. Such a file in any other place
    could be the student's own.
    """
    parts = found.inside.parts
    if found.members or len(parts) < 3 or parts[1] != assignment:
        return None
    folder = Path(*found.disk.absolute().parts[: -len(parts) + 2])
    try:
        return read_time((folder / "timestamp.txt").read_text(encoding="utf-8")[:100], zone)
    except (OSError, ValueError):
        return None
