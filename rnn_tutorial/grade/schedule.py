"""A class: its submissions found, graded side by side, and written down as each one ends."""

import json
from pathlib import Path
from typing import NamedTuple

from rnn_tutorial.checkpoint import replacing
from rnn_tutorial.grade.feedback import to_html
from rnn_tutorial.grade.gradebook import draw_class, to_csv, to_json_lines
from rnn_tutorial.grade.grading import grade, key_of, to_json
from rnn_tutorial.grade.notebook import SIZE_LIMIT


class Submission(NamedTuple):
    """The file of one student."""

    student: str
    path: Path


def find_submissions(paths, assignment):
    """Return the list of Submissions, by name, in files and folders.

    In a folder every notebook counts. A notebook with the name of the assignment is its folder's: nbgrader's
    `submitted/alice/01_vanilla/01_vanilla.ipynb` is alice's. Errors: ValueError for a path that is not there, or for two
    submissions of one name.
    """
    found = []
    for path in map(Path, paths):
        if not path.exists():
            raise ValueError(f"submission: there is no {path}")
        files = sorted(path.rglob("*.ipynb")) if path.is_dir() else [path]
        found += [Submission(student_of(file, assignment), file) for file in files if ".ipynb_checkpoints" not in file.parts]
    names = [submission.student for submission in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"submission: more than one of {', '.join(twice)}")
    return sorted(found)


def student_of(path, assignment):
    """Return whose file it is: its own name, or, where that is the assignment's, the name of the folder around it."""
    names = [name for name in (path.stem, *(parent.name for parent in path.absolute().parents)) if name and name != assignment]
    return names[0]


def read_bytes(path):
    """Return the bytes of a file, one more than is allowed at most; b"" for what is no file."""
    if not path.is_file():
        return b""
    with open(path, "rb") as file:
        return file.read(SIZE_LIMIT + 1)


def grade_class(release, submissions, out, *, seed, limits, jobs=-1, scheduler=None, progress=lambda report: None):
    """Return the reports of a class, by name; each is in `out` as soon as it is there.

    What is in `out` already, for the same submission, release, seed and limits, is not graded again. `progress` is called with
    each report. scheduler: the address of a Dask scheduler, instead of `jobs` processes on this machine.
    """
    (out / "feedback").mkdir(parents=True, exist_ok=True)
    reports, todo = [], []
    for submission in submissions:
        stored = stored_report(out, submission, key_of(release, read_bytes(submission.path), seed, limits))
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


def graded(release, submission, data, seed, limits):
    """Return the report on a submission. Should the grader itself fail, the report says so, and the class goes on."""
    try:
        return grade(release, submission.student, data, seed, limits)
    except Exception as error:
        report = grade(release, submission.student, b"", seed, limits)  # of an empty file: all questions, no points
        problem = f"The grader failed ({type(error).__name__}: {error}). That is no fault of yours; it has to be graded by hand."
        return report | {"problem": problem, "key": None}


def on_this_machine(release, submissions, seed, limits, jobs):
    """Yield reports as they come, from processes on this machine."""
    from joblib import Parallel, delayed

    work = (delayed(graded)(release, s, read_bytes(s.path), seed, limits) for s in submissions)
    yield from Parallel(n_jobs=jobs, return_as="generator_unordered")(work)


def on_cluster(release, submissions, seed, limits, address):
    """Yield reports as they come, from the workers of a Dask cluster; two submissions a thread are on their way, no more."""
    from distributed import Client, as_completed

    with Client(address, set_as_default=False) as client:
        waiting = iter(submissions)

        def send(submission):
            return client.submit(graded, release, submission, read_bytes(submission.path), seed, limits, pure=False)

        width = 2 * max(1, sum(client.nthreads().values()))
        # range first: zip would take one more from `waiting`, and lose it
        coming = as_completed([send(s) for _, s in zip(range(width), waiting)], loop=client.loop)
        for future in coming:
            yield future.result()
            for submission in waiting:
                coming.add(send(submission))
                break


def file_of(out, student, suffix):
    """Return the path of a student's report, whatever characters the name has."""
    safe = "".join(c if c.isalnum() or c in "-_. " else f"%{ord(c):x}" for c in student).lstrip(".")
    return out / "feedback" / f"{safe}{suffix}"


def stored_report(out, submission, key):
    """Return the report that is in `out` for this key, or None."""
    try:
        report = json.loads(file_of(out, submission.student, ".json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return report if isinstance(report, dict) and report.get("key") == key else None


def write(path, data):
    """Write a file whole or not at all."""
    with replacing(path) as file:
        file.write(data)


def write_report(out, report):
    """Write the page and, after it, the JSON of a report: the JSON says that both are there."""
    write(file_of(out, report["student"], ".html"), to_html(report).encode())
    write(file_of(out, report["student"], ".json"), to_json(report).encode())


def write_class(out, reports):
    """Write the gradebook, the JSON lines and the picture of a class."""
    write(out / "gradebook.csv", to_csv(reports).encode())
    write(out / "reports.jsonl", to_json_lines(reports).encode())
    if reports:
        with replacing(out / "class.png") as file:
            draw_class(reports).savefig(file, format="png", metadata={"Software": None})
