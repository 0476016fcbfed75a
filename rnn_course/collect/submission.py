"""The submissions of a class: one for everyone, or in words why there is none."""

from collections.abc import Iterable
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path, PurePath
from typing import NamedTuple

from rnn_course.collect.claim import Claim, claim_of, copy_of
from rnn_course.collect.files import (
    Found,
    Unreadable,
    files_of,
    inside_zip,
    is_sidecar,
    read_file,
)
from rnn_course.collect.roster import Student, who
from rnn_course.notebook import NotebookError, read_notebook
from rnn_course.release import questions_of
from rnn_course.text import one_line

__all__ = ["NOTHING", "WITHDRAWN", "Submission", "find_submissions", "read"]

NOTHING = "Nothing was submitted."
WITHDRAWN = "Withdrawn: there was a submission in an earlier run, and now there is none."


class Submission(NamedTuple):
    """What one student submitted."""

    student: str  # the id on the roster; without a roster the name
    file: Found | None = None
    problem: str | None = None  # in words, why there is no file to grade
    notes: tuple[str, ...] = ()  # what the lecturer and the student should know of the choice
    person: Student | None = None  # the row of the roster
    canvas: str = ""  # the number of the user in Canvas, if the name of the file has it
    participant: str = ""  # the number of the participant in Moodle
    marked_late: bool = False  # by the learning system
    time: datetime | None = None  # when it came, as far as that is known


class Claimed(NamedTuple):
    """A file, and whose it is by its path."""

    claim: Claim
    file: Found


def find_submissions(
    paths: Iterable[str | Path], assignment: str, roster: list[Student] | None = None
) -> list[Submission]:
    """Return the Submissions in files, folders, or one zip of a whole class: a row for everyone.

    With a roster there is one for each student on it, and one for each name that is not on it.
    Without a roster there is one for each name. Below a folder that is named after a student,
    everything is that student's, whatever it is called.

    Raises: ValueError for a path that does not exist, and if there are no files at all.
    """
    given = [Path(path) for path in paths]
    files = {
        file.disk.absolute() / "/".join(file.members): from_above(file, assignment)
        for path in given
        for file in files_of(path, whole_class=len(given) == 1)
        if not is_sidecar(file.inside) and file.inside.name != "timestamp.txt"
    }
    if not files:
        raise ValueError(
            f"submission: expected notebooks (.ipynb), found none in {', '.join(map(str, given))}"
        )
    claimed = [Claimed(claim_of(file.inside), file) for file in files.values()]
    found = of_roster(claimed, assignment, roster) if roster else by_name(claimed, assignment)
    return sorted(found, key=lambda submission: submission.student)


def from_above(file: Found, assignment: str) -> Found:
    """Return the file with the folder of its student in its path, if that is above what was given.

    `ada/01_vanilla/01_vanilla.ipynb` is ada's, also if it was given by itself.
    """
    above = list(file.disk.absolute().parents)[len(file.inside.parts) - 1 :]
    inside = file.inside
    while not file.members and above and is_named(inside.parts[0], assignment) and above[0].name:
        inside = PurePath(above[0].name) / inside
        above = above[1:]
    return file._replace(inside=inside)


def is_named(name: str, assignment: str) -> bool:
    """Return True for the name of the assignment's folder or notebook, or of a copy of it."""
    return assignment in (name, copy_of(name)[0]) and not name.lower().endswith(".zip")


def by_name(claimed: list[Claimed], assignment: str) -> list[Submission]:
    """Return a Submission for each name."""
    groups: dict[str, list[Claimed]] = {}
    for one in claimed:
        groups.setdefault(one.claim.label, []).append(one)
    return [submission_of(label, group, assignment) for label, group in groups.items()]


def of_roster(claimed: list[Claimed], assignment: str, roster: list[Student]) -> list[Submission]:
    """Return a Submission for each student of the roster, and for each name that is not on it."""
    groups: dict[str, list[Claimed]] = {student.id: [] for student in roster}
    strangers: dict[str, str] = {}
    for one in claimed:
        student, reason = who(one.claim, roster)
        if student:
            groups[student.id].append(one)
        else:
            strangers[f"? {one.claim.label}"] = reason
    return [
        submission_of(student.id, groups[student.id], assignment)._replace(person=student)
        for student in roster
    ] + [Submission(label, problem=reason) for label, reason in strangers.items()]


def submission_of(student: str, claimed: list[Claimed], assignment: str) -> Submission:
    """Return the Submission of one student among the files that claim to be the student's.

    A learning system's number counts more than a name. Otherwise, files in two places are a problem
    for all of them: one could be somebody else's.
    """
    if not claimed:
        return Submission(student, problem=NOTHING)
    numbered = [one for one in claimed if one.claim.id or one.claim.participant]
    counted = numbered or claimed
    notes = tuple(
        f"{shown(one.file)} has this name too; it does not count, because it does not come from "
        "the learning system."
        for one in claimed
        if numbered and one not in numbered
    )
    first = counted[0].claim
    places = {place_of(one): one for one in counted}
    if len(places) > 1:
        names = ", ".join(sorted(f'"{place.name}"' for place in map(PurePath, places)))
        return Submission(
            student,
            problem=f"{len(places)} files or folders claim this name ({one_line(names)}). None of "
            "them is graded until only one has it.",
        )
    chosen = choose(student, counted, assignment)
    return chosen._replace(
        notes=notes + chosen.notes,
        canvas=first.id,
        participant=first.participant,
        marked_late=any(one.claim.late for one in counted),
    )


def place_of(one: Claimed) -> str:
    """Return what one student alone can write to: a number, a folder, or a file."""
    if number := one.claim.id or one.claim.participant:
        return number
    parts, depth = one.file.disk.absolute().parts, len(one.file.inside.parts)
    if one.file.members:
        return str(one.file.disk / one.file.inside.parts[0])
    return str(PurePath(*parts[: len(parts) - depth + 1]))


def shown(file: Found) -> str:
    """Return the path of a file for a message."""
    return one_line(str(file.inside))


def choose(student: str, claimed: list[Claimed], assignment: str) -> Submission:
    """Return the Submission among a student's own files.

    A notebook counts more than a zip; a zip of one notebook is opened. Notebooks of another
    assignment do not count. If several have the name of the assignment, the newest by the learning
    system's numbers counts, then that with the most answers, then the last copy: `(1)`.
    """
    notebooks = [one for one in claimed if is_notebook(one.file)]
    notes: tuple[str, ...] = ()
    if not notebooks:
        zips = [one for one in claimed if one.file.inside.suffix.lower() == ".zip"]
        links = [one for one in claimed if one.file.disk.is_symlink() and not one.file.members]
        if len(zips) != 1:
            return no_notebook(student, zips or links or claimed)
        try:
            inside = inside_zip(zips[0].file)
        except Unreadable as error:
            return Submission(student, problem=str(error))
        notebooks = [
            zips[0]._replace(file=file, claim=zips[0].claim._replace(file=file.inside.name, copy=0))
            for file in inside
            if is_notebook(file)
        ]
        notes = (f"The notebook was taken out of {one_line(zips[0].claim.file)}.",)
        if not notebooks:
            return Submission(student, problem=f"There is no notebook in the zip, {of(inside)}.")
    ours = [one for one in notebooks if not other_assignment(one.claim.file, assignment)]
    if not ours:
        names = ", ".join(sorted({one_line(one.claim.file) for one in notebooks}))
        return Submission(student, problem=f"This is the notebook of another assignment: {names}.")
    named = [one for one in ours if copy_of(one.claim.file)[0].lower() == assignment.lower()]
    if not named and len(ours) > 1:
        return Submission(
            student,
            problem=f"There are {len(ours)} notebooks under this name "
            f"({of([one.file for one in ours]).removeprefix('but ')}); one is expected.",
        )
    return newest(student, named or ours, ours, assignment, notes)


def newest(
    student: str,
    candidates: list[Claimed],
    ours: list[Claimed],
    assignment: str,
    notes: tuple[str, ...],
) -> Submission:
    """Return the Submission with the newest candidate, and a note on what is not graded."""
    if len(candidates) > 1:
        ranks = {one: rank(one, assignment) for one in candidates}
        best = max(ranks.values())
        first = [one for one in candidates if ranks[one] == best]
        if len(first) > 1 and len({data_of(one.file) for one in first}) > 1:
            names = of([one.file for one in first]).removeprefix("but ")
            return Submission(
                student,
                problem=f"There are {len(first)} notebooks that could be meant ({names}); "
                "one is expected.",
            )
        second = max((r for r in ranks.values() if r != best), default=best)
        why = next((w for w, a, b in zip(REASONS, best, second) if a != b), "they are equal")
        candidates = first
    else:
        why = "it has the name of the assignment"
    chosen = candidates[0]
    if others := [one.file for one in ours if one is not chosen]:
        names = of(others).removeprefix("but ")
        notes += (f"Graded is {one_line(chosen.file.inside.name)}: {why}. Not graded: {names}.",)
    return Submission(student, chosen.file, notes=notes)


REASONS = (
    "it is the newest submission",
    "it is the newest upload",
    "it has the most answers",
    "it is the last copy",
)


def rank(one: Claimed, assignment: str) -> tuple[int, int, int, int]:
    """Return what the choice among a student's notebooks depends on; see REASONS."""
    claim = one.claim
    again = claim.copy if claim.id else 0
    return claim.number, again, answered(data_of(one.file), assignment), claim.copy


def answered(data: bytes, assignment: str) -> int:
    """Return how many questions have an answer in the bytes of a notebook, right or wrong."""
    try:
        sources = [cell.source for cell in read_notebook(data)]
    except NotebookError:
        return -1
    return sum(
        any(f"def {name}(" in text and "raise NotImplementedError" not in text for text in sources)
        for name in questions_of(assignment)
    )


def data_of(file: Found) -> bytes:
    """Return the bytes of a file, empty if it cannot be read."""
    try:
        return read_file(file)
    except Unreadable:
        return b""


def read(submission: Submission) -> tuple[bytes, str | None]:
    """Return (bytes, None) of a submission, or (b"", why it cannot be read)."""
    if submission.problem or not submission.file:
        return b"", submission.problem or NOTHING
    try:
        return read_file(submission.file), None
    except Unreadable as error:
        return b"", str(error)


def no_notebook(student: str, claimed: list[Claimed]) -> Submission:
    """Return a Submission that says what is there in the place of a notebook."""
    files = [one.file for one in claimed]
    if len(files) == 1 and not files[0].members:
        try:
            read_file(files[0])
        except Unreadable as error:
            return Submission(student, problem=str(error))
    return Submission(student, problem=f"There is no notebook (.ipynb), {of(files)}.")


def of(files: list[Found]) -> str:
    """Return the names of at most five files in words."""
    names = sorted(one_line(file.inside.name) for file in files)
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"but {', '.join(names[:5])}{more}" if names else "it is empty"


def is_notebook(file: Found) -> bool:
    """Return True for a file that has the name of a notebook, in small letters or capitals."""
    return file.inside.suffix.lower() == ".ipynb"


def other_assignment(name: str, assignment: str) -> bool:
    """Return True if a file has the name of another assignment of this course.

    nbgrader collects all assignments in one folder.
    """
    stem = copy_of(name)[0].lower()
    number, _, noun = stem.partition("_")
    known = number.isdigit() and noun.isidentifier() and find_spec(f"rnn_course.questions.{noun}")
    return stem != assignment.lower() and bool(known)
