"""A class: its submissions found, graded side by side, and written down as each one ends."""

import hashlib
import json
import os
import stat
from pathlib import Path
from typing import NamedTuple

from rnn_course.grading import grade, key_of, to_json
from rnn_course.notebook import SIZE_LIMIT
from rnn_course.release import questions_of
from rnn_course.report.feedback import to_html
from rnn_course.report.gradebook import draw_class, to_csv, to_json_lines
from rnn_course.sandbox import outside as sandbox
from rnn_tutorial.checkpoint import replacing

__all__ = [
    "Submission",
    "choose",
    "file_of",
    "files_of",
    "find_submissions",
    "grade_class",
    "graded",
    "is_of_another",
    "on_cluster",
    "on_this_machine",
    "read",
    "stored_report",
    "student_of",
    "write",
    "write_class",
    "write_report",
]


class Submission(NamedTuple):
    """The file of one student, or in words why there is none."""

    student: str
    path: Path
    problem: str | None = None


def find_submissions(paths, assignment):
    """Return the list of Submissions, by name, in files and folders.

    A notebook is its student's by its name, `ada.ipynb`; one in a folder of the folder is that folder's, whatever it is called
    and however deep it lies: `submitted/ada/01_vanilla/01_vanilla.ipynb`, as nbgrader has it, is ada's. Links are not followed.
    Errors: ValueError for a path that is not there, or if there is nothing at all.
    """
    claims = {}
    for path in map(Path, paths):
        if not (path.exists() or path.is_symlink()):
            raise ValueError(f"submission: expected a notebook or a folder, there is no {path}")
        for file in (file for file in files_of(path) if not is_of_another(file, assignment)):
            claims.setdefault(student_of(path, file, assignment), {})[file.absolute()] = file
    if not claims:
        raise ValueError(
            f"submission: expected notebooks (.ipynb), found none in {', '.join(map(str, paths))}"
        )
    return [
        choose(student, list(claims[student].values()), assignment) for student in sorted(claims)
    ]


def files_of(path):
    """Yield what could be a submission in a folder: its notebooks, and links to folders; or the path itself, if it is none."""
    if path.is_symlink() or not path.is_dir():
        yield path
        return
    for folder, folders, files in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found = [Path(folder, name) for name in sorted([*folders, *files])]
        yield from (
            file
            for file in found
            if file.suffix == ".ipynb" or (file.is_symlink() and file.is_dir())
        )


def is_of_another(file, assignment):
    """Return True if the file has the name of another assignment of ours: nbgrader collects all of them in one folder."""
    try:
        return file.stem != assignment and bool(questions_of(file.stem))
    except ValueError:
        return False


def student_of(path, file, assignment):
    """Return whose file it is, one of those found at `path`, in characters that can be written."""
    below = file.relative_to(path).parts
    name = below[0] if len(below) > 1 else file.stem if file.suffix == ".ipynb" else file.name
    above = (parent.name for parent in file.absolute().parents)
    name = next((name for name in (name, *above) if name and name != assignment), name)
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def choose(student, files, assignment):
    """Return the Submission among the files of a student: the one with the assignment's name, or the only one."""
    named = [file for file in files if file.name == f"{assignment}.ipynb"] or files
    if len(named) > 1:
        return Submission(
            student, named[0], f"There are {len(named)} notebooks under this name; one is expected."
        )
    return Submission(student, named[0])


def read(submission):
    """Return (bytes, None) of a submission, one byte more than is allowed at most, or (b"", why there are none)."""
    if submission.problem:
        return b"", submission.problem
    try:
        if stat.S_ISLNK(os.lstat(submission.path).st_mode):
            return (
                b"",
                "It is a link to another place, which is not followed; the notebook itself is expected.",
            )
        with open(
            os.open(submission.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb"
        ) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return b"", "It is no file; a notebook is expected."
            return file.read(SIZE_LIMIT + 1), None
    except OSError as error:
        return b"", f"It cannot be read ({type(error).__name__}); a notebook is expected."


def grade_class(
    release,
    submissions,
    out,
    *,
    seed,
    limits,
    jobs=-1,
    scheduler=None,
    progress=lambda report: None,
):
    """Return the reports of a class, by name; each is in `out` as soon as it is there.

    What is in `out` already, for the same submission, release, seed and limits, is not graded again. `progress` is called with
    each report. scheduler: the address of a Dask scheduler, instead of `jobs` processes on this machine.
    """
    if out.exists() and not out.is_dir():
        raise ValueError(f"out: expected a folder, {out} is a file")
    (out / "feedback").mkdir(parents=True, exist_ok=True)
    reports, todo = [], []
    for submission in submissions:
        data, problem = read(submission)
        stored = stored_report(out, submission, key_of(release, data, seed, limits, problem))
        reports += [stored] if stored else []
        todo += [] if stored else [submission]
    for report in reports:
        progress(report)
    run = on_cluster if scheduler else on_this_machine
    for report in run(release, todo, seed, limits, scheduler or jobs):
        write_report(out, report)
        reports.append(report)
        progress(report)
    reports.sort(key=lambda report: report["student"])
    write_class(out, reports)
    return reports


def graded(release, student, data, problem, seed, limits):
    """Return the report on a submission. Should the grader itself fail, the report says so, and the class goes on."""
    try:
        return grade(release, student, data, seed, limits, problem)
    except Exception as error:
        problem = f"The grader failed ({type(error).__name__}: {error}). That is no fault of yours; it has to be graded by hand."
        return grade(release, student, b"", seed, limits, problem) | {"key": None}


def on_this_machine(release, submissions, seed, limits, jobs):
    """Yield reports as they come, from processes on this machine."""
    from joblib import Parallel, delayed

    work = (delayed(graded)(release, s.student, *read(s), seed, limits) for s in submissions)
    yield from Parallel(n_jobs=jobs, return_as="generator_unordered")(work)


def on_cluster(release, submissions, seed, limits, address):
    """Yield reports as they come, from the workers of a Dask cluster; two submissions a thread are on their way, no more."""
    from distributed import Client, as_completed

    with Client(address, set_as_default=False) as client:
        if refusals := sorted(filter(None, client.run(sandbox.refusal).values())):
            raise ValueError(f"scheduler: a worker says: {refusals[0]}")
        waiting = iter(submissions)

        def send(submission):
            return client.submit(
                graded, release, submission.student, *read(submission), seed, limits, pure=False
            )

        width = 2 * max(1, sum(client.nthreads().values()))
        # range first: zip would take one more from `waiting`, and lose it
        coming = as_completed([send(s) for _, s in zip(range(width), waiting)], loop=client.loop)
        for future in coming:
            yield future.result()
            for submission in waiting:
                coming.add(send(submission))
                break


def file_of(out, student, suffix):
    """Return the path of a student's report, another one for every name, whatever characters it has and however many."""
    safe = "".join(c if c.isalnum() or c in "-_. " else f"%{ord(c):x}" for c in student)
    safe = f"%2e{safe[1:]}" if safe.startswith(".") else safe
    if len(safe.encode()) > 120:
        safe = f"{safe.encode()[:80].decode(errors='ignore')}%{hashlib.sha256(student.encode()).hexdigest()[:16]}"
    return out / "feedback" / f"{safe}{suffix}"


def stored_report(out, submission, key):
    """Return the report that is in `out` for this key, or None; one without walls does not count where there are some now."""
    try:
        report = json.loads(file_of(out, submission.student, ".json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(report, dict) or report.get("key") != key:
        return None
    return report if report.get("walled_off") or not sandbox.has_bubblewrap() else None


def write(path, text):
    """Write a file whole or not at all; half a character, which a submission can have, is written as its number."""
    with replacing(path) as file:
        file.write(text.encode("utf-8", "backslashreplace"))


def write_report(out, report):
    """Write the page and, after it, the JSON of a report: the JSON says that both are there."""
    write(file_of(out, report["student"], ".html"), to_html(report))
    write(file_of(out, report["student"], ".json"), to_json(report))


def write_class(out, reports):
    """Write the gradebook, the JSON lines and the picture of a class."""
    write(out / "gradebook.csv", to_csv(reports))
    write(out / "reports.jsonl", to_json_lines(reports))
    if reports:
        with replacing(out / "class.png") as file:
            draw_class(reports).savefig(file, format="png", metadata={"Software": None})
