"""A class: its submissions are found and graded in parallel; each report is written when ready."""

import hashlib
import json
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from rnn_course.grading import Report, grade, key_of, to_json
from rnn_course.notebook import SIZE_LIMIT
from rnn_course.release import Release, questions_of
from rnn_course.report.feedback import to_html
from rnn_course.report.gradebook import draw_class, to_csv, to_json_lines
from rnn_course.sandbox import outside as sandbox
from rnn_tutorial.replacing import replacing

__all__ = [
    "Submission",
    "file_of",
    "find_submissions",
    "grade_class",
    "on_this_machine",
]


class Submission(NamedTuple):
    """The file of one student, or in words why there is none."""

    student: str
    path: Path
    problem: str | None = None


def find_submissions(paths: Iterable[str | Path], assignment: str) -> list[Submission]:
    """Return the list of Submissions in files and folders, by name.

    A notebook belongs to the student it is named after, `ada.ipynb`. A notebook in a subfolder
    belongs to the student that the subfolder is named after, whatever its name and depth:
    `submitted/ada/01_vanilla/01_vanilla.ipynb`, the way nbgrader stores it, is ada's. Links are not
    followed.

    Raises: ValueError for a path that does not exist, and if there are no notebooks.
    """
    claims: dict[str, dict[Path, Path]] = {}
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


def files_of(path: Path) -> Iterator[Path]:
    """Yield what could be a submission: a folder's notebooks and links to folders, or the path."""
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


def is_of_another(file: Path, assignment: str) -> bool:
    """Return True if the file has the name of another assignment of this course.

    nbgrader collects all assignments in one folder.
    """
    try:
        return file.stem != assignment and bool(questions_of(file.stem))
    except ValueError:
        return False


def student_of(path: Path, file: Path, assignment: str) -> str:
    """Return the student's name for a `file` found at `path`, in characters that can be written."""
    below = file.relative_to(path).parts
    name = below[0] if len(below) > 1 else file.stem if file.suffix == ".ipynb" else file.name
    above = (parent.name for parent in file.absolute().parents)
    name = next((name for name in (name, *above) if name and name != assignment), name)
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def choose(student: str, files: list[Path], assignment: str) -> Submission:
    """Return the Submission among a student's files: the only one, or that with the right name."""
    named = [file for file in files if file.name == f"{assignment}.ipynb"] or files
    if len(named) > 1:
        return Submission(
            student, named[0], f"There are {len(named)} notebooks under this name; one is expected."
        )
    return Submission(student, named[0])


def read(submission: Submission) -> tuple[bytes, str | None]:
    """Return (bytes, None) of a submission, or (b"", why it cannot be read).

    At most one byte more than is allowed is read.
    """
    if submission.problem:
        return b"", submission.problem
    try:
        if stat.S_ISLNK(os.lstat(submission.path).st_mode):
            words = "It is a link to another place, which is not followed"
            return b"", f"{words}; the notebook itself is expected."
        with open(
            os.open(submission.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb"
        ) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return b"", "It is no file; a notebook is expected."
            return file.read(SIZE_LIMIT + 1), None
    except OSError as error:
        return b"", f"It cannot be read ({type(error).__name__}); a notebook is expected."


def grade_class(
    release: Release,
    submissions: list[Submission],
    out: Path,
    *,
    seed: int,
    limits: sandbox.Limits,
    jobs: int = -1,
    scheduler: str | None = None,
    progress: Callable[[Report], object] = lambda report: None,
) -> list[Report]:
    """Return the reports of a class, by name; each is written to `out` when it is ready.

    A report that is already in `out`, for the same submission, release, seed and limits, is not
    made again.

    jobs        the number of processes on this machine; -1: one for each core
    scheduler   the address of a Dask scheduler; its workers are used instead
    progress    called with each report

    Raises: ValueError if `out` is a file, or if a worker must not grade.
    """
    if out.exists() and not out.is_dir():
        raise ValueError(f"out: expected a folder, {out} is a file")
    (out / "feedback").mkdir(parents=True, exist_ok=True)
    reports: list[Report] = []
    todo: list[Submission] = []
    for submission in submissions:
        data, problem = read(submission)
        stored = stored_report(out, submission, key_of(release, data, seed, limits, problem))
        reports += [stored] if stored else []
        todo += [] if stored else [submission]
    for report in reports:
        progress(report)
    coming = (
        on_cluster(release, todo, seed, limits, scheduler)
        if scheduler
        else on_this_machine(release, todo, seed, limits, jobs)
    )
    for report in coming:
        write_report(out, report)
        reports.append(report)
        progress(report)
    reports.sort(key=lambda report: report["student"])
    write_class(out, reports)
    return reports


def graded(
    release: Release,
    student: str,
    data: bytes,
    problem: str | None,
    seed: int,
    limits: sandbox.Limits,
) -> Report:
    """Return the report on a submission. If the grader itself fails, the report says so."""
    try:
        return grade(release, student, data, seed, limits, problem)
    except Exception as error:
        problem = (
            f"The grader failed ({type(error).__name__}: {error}). "
            "That is no fault of yours; it has to be graded by hand."
        )
        return grade(release, student, b"", seed, limits, problem) | {"key": None}


def on_this_machine(
    release: Release,
    submissions: list[Submission],
    seed: int,
    limits: sandbox.Limits,
    jobs: int,
) -> Iterator[Report]:
    """Yield reports when they are ready, from processes on this machine."""
    from joblib import Parallel, delayed

    work = (delayed(graded)(release, s.student, *read(s), seed, limits) for s in submissions)
    yield from Parallel(n_jobs=jobs, return_as="generator_unordered")(work)


def on_cluster(
    release: Release,
    submissions: list[Submission],
    seed: int,
    limits: sandbox.Limits,
    address: str,
) -> Iterator[Report]:
    """Yield reports when they are ready, from the workers of a Dask cluster.

    At most two submissions for each thread are sent at a time.

    Raises: ValueError if a worker must not grade.
    """
    from distributed import Client, as_completed

    with Client(address, set_as_default=False) as client:
        if refusals := sorted(filter(None, client.run(sandbox.refusal).values())):
            raise ValueError(f"scheduler: a worker says: {refusals[0]}")
        waiting = iter(submissions)

        def send(submission: Submission) -> Any:
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


def file_of(out: Path, student: str, suffix: str) -> Path:
    """Return the path of a student's report, a different one for each name.

    A name may have any characters and any length.
    """
    safe = "".join(c if c.isalnum() or c in "-_. " else f"%{ord(c):x}" for c in student)
    safe = f"%2e{safe[1:]}" if safe.startswith(".") else safe
    if len(safe.encode()) > 120:
        digest = hashlib.sha256(student.encode()).hexdigest()[:16]
        safe = f"{safe.encode()[:80].decode(errors='ignore')}%{digest}"
    return out / "feedback" / f"{safe}{suffix}"


def stored_report(out: Path, submission: Submission, key: str) -> Report | None:
    """Return the report that is in `out` for this key, or None.

    A report that was made without bubblewrap does not count if this machine has bubblewrap.
    """
    try:
        report = json.loads(file_of(out, submission.student, ".json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(report, dict) or report.get("key") != key:
        return None
    return report if report.get("walled_off") or not sandbox.has_bubblewrap() else None


def write(path: Path, text: str) -> None:
    """Write a file completely or not at all. A lone surrogate is written as its number."""
    with replacing(path) as file:
        file.write(text.encode("utf-8", "backslashreplace"))


def write_report(out: Path, report: Report) -> None:
    """Write the page of a report, then its JSON: if the JSON exists, both do."""
    write(file_of(out, report["student"], ".html"), to_html(report))
    write(file_of(out, report["student"], ".json"), to_json(report))


def write_class(out: Path, reports: list[Report]) -> None:
    """Write the gradebook, the JSON lines and the picture of a class."""
    write(out / "gradebook.csv", to_csv(reports))
    write(out / "reports.jsonl", to_json_lines(reports))
    if reports:
        with replacing(out / "class.png") as file:
            draw_class(reports).savefig(file, format="png", metadata={"Software": None})
