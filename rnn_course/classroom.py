"""A class: its submissions are graded in parallel; each report is stored when it is ready."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

from rnn_course.collect import (
    NOTHING,
    WITHDRAWN,
    Submission,
    extension_of,
    find_submissions,
    read,
    read_table,
)
from rnn_course.course import Course
from rnn_course.grading import Report, grade, key_of, to_json
from rnn_course.late import days_late
from rnn_course.overrides import Override, apply, checked, overrides_of
from rnn_course.parallel import ask_all, in_parallel
from rnn_course.release import Release
from rnn_course.report.similar import digest
from rnn_course.report.words import with_ids
from rnn_course.results import write_results
from rnn_course.sandbox.outside import Limits, chosen
from rnn_course.store import file_of, stored_report, write

__all__ = ["Rules", "find_submissions", "grade_class"]


class Rules(NamedTuple):
    """What a lecturer decides about the results, beyond what the grader finds."""

    course: Course | None = None
    overrides: tuple[Override, ...] = ()
    anonymous: bool = False  # ids in the place of names, on the pages and in the JSON


BY_DEFAULT = Rules()


def grade_class(
    release: Release,
    submissions: list[Submission],
    out: Path,
    *,
    secret: bytes,
    limits: Limits,
    jobs: int = -1,
    scheduler: str | None = None,
    rules: Rules = BY_DEFAULT,
    only: str | None = None,
    progress: Callable[[Report], object] = lambda report: None,
) -> list[Report]:
    """Return the reports of a class, by student, after writing all results to `out`.

    The grader's report on a submission is stored when it is ready. A report that is already there,
    for the same submission, release, questions, secret and limits, is not made again.

    jobs        the number of processes on this machine; -1: one for each core
    scheduler   the address of a Dask scheduler; its workers are used instead
    only        a student: only this submission is graded, and it is graded again in any case
    progress    called with each report

    Raises: ValueError if `out` is a file, if a worker must not grade, if `only` is nobody or
    somebody else is not graded yet, and for points given by hand that do not fit the class.
    """
    if out.exists() and not out.is_dir():
        raise ValueError(f"out: expected a folder, {out} is a file")
    limits = with_wall(limits, scheduler)
    (out / "reports").mkdir(parents=True, exist_ok=True)
    submissions = [or_withdrawn(submission, out) for submission in submissions]
    students = [submission.student for submission in submissions]
    by_hand = with_ids(filled_by_hand(out), students, release.name, secret)
    given = checked(
        [*rules.overrides, *overrides_of(by_hand, release.name, "by_hand.csv")],
        students,
        release.points | release.words,
    )
    reports: dict[str, Report] = {}
    files: dict[str, bytes] = {}
    todo: list[Submission] = []
    for submission in submissions:
        data, problem = read(submission)
        files |= {submission.student: digest(data)} if data else {}
        key = None if only else key_of(release, data, secret, limits, problem)
        stored = stored_report(out, submission.student, key)
        if stored and submission.student != only:
            reports[submission.student] = stored
            progress(stored)
        else:
            todo.append(submission)
    if only and [submission.student for submission in todo] != [only]:
        check_only(only, todo)
    work = ((release, s.student, *read(s), secret, limits) for s in todo)
    for report in in_parallel(graded, work, jobs, scheduler):
        write(file_of(out / "reports", report["student"], ".json"), to_json(report))
        reports[report["student"]] = report
        progress(report)
    final = [
        finished(reports[submission.student], submission, release, rules, given[submission.student])
        for submission in sorted(submissions, key=lambda submission: submission.student)
    ]
    write_results(
        out, release, final, files, filled_by_hand(out), secret, rules.course, rules.anonymous
    )
    return final


def with_wall(limits: Limits, scheduler: str | None) -> Limits:
    """Return the limits with the name of the wall that all who grade have.

    Raises: ValueError if one of them must not grade, or if they have different walls.
    """
    answers = ask_all(partial(chosen, limits.wall), scheduler)
    if reasons := sorted(reason for _, reason in answers if reason):
        who = "scheduler: a worker says: " if scheduler else ""
        raise ValueError(who + reasons[0])
    walls = sorted({wall for wall, _ in answers})
    if len(walls) != 1:
        raise ValueError(
            "scheduler: expected workers that have the same wall, "
            f"got {', '.join(walls) or 'no workers'}: name one with --wall"
        )
    return limits._replace(wall=walls[0])


def graded(
    release: Release,
    student: str,
    data: bytes,
    problem: str | None,
    secret: bytes,
    limits: Limits,
) -> Report:
    """Return the report on a submission. If the grader itself fails, the report says so."""
    try:
        return grade(release, student, data, secret, limits, problem)
    except Exception as error:
        problem = (
            f"The grader failed ({type(error).__name__}: {error}). "
            "That is no fault of yours; it has to be graded by hand."
        )
        return grade(release, student, b"", secret, limits, problem) | {"key": None}


def check_only(only: str, todo: list[Submission]) -> None:
    """Raise ValueError: `only` is not in the class, or others have no report yet."""
    others = [submission.student for submission in todo if submission.student != only]
    if len(others) == len(todo):
        raise ValueError(f'only: there is no student "{only}"')
    raise ValueError(f"only: {len(others)} others are not graded yet; grade without --only first")


def or_withdrawn(submission: Submission, out: Path) -> Submission:
    """Return the submission; if there is none now but there was one before, it says so."""
    before = stored_report(out, submission.student, None)
    if submission.problem != NOTHING or not before or before["problem"] == NOTHING:
        return submission
    return submission._replace(problem=WITHDRAWN)


def filled_by_hand(out: Path) -> list[dict[str, str]]:
    """Return the rows of by_hand.csv, if there is one."""
    path = out / "by_hand.csv"
    return read_table(path, "by_hand", ("number", "question", "points")) if path.exists() else []


def finished(
    report: Report,
    submission: Submission,
    release: Release,
    rules: Rules,
    given: dict[str, Override],
) -> Report:
    """Return the grader's report with all that the lecturer's tables and files add to it.

    {…, "title": of the assignment, "on_roster": bool,
     "person": {"name", "email", "group", "login", "sis", "canvas", "participant"},
     "words": [{"name", "text", "points", "out_of"}], "by_hand": [override], "file_notes": [text],
     "days_late": number or None, "marked_late": bool}
    """
    person = submission.person
    about = {
        "name": person.name if person else "",
        "email": person.email if person else "",
        "group": person.group if person else "",
        "login": person.login if person else "",
        "sis": person.sis if person else "",
        "canvas": submission.canvas or (person.canvas if person else ""),
        "participant": submission.participant or (person.participant if person else ""),
    }
    late = lateness(submission.time, submission, release.name, rules.course)
    return apply(report, release.words, given) | {
        "title": release.title,
        "person": about,
        "on_roster": person is not None,
        "file_notes": list(submission.notes),
        "days_late": late,
        "marked_late": submission.marked_late,
    }


def lateness(
    time: datetime | None, submission: Submission, assignment: str, course: Course | None
) -> int | None:
    """Return how many days late a submission came, None if that is not known."""
    if time is None or course is None or assignment not in course.assignments:
        return None
    more = extension_of(submission.person, assignment) if submission.person else 0
    return days_late(time, course.assignments[assignment].due, more)
