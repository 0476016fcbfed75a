"""Grade the submissions of a class, and make the total of a course.

    python -m rnn_course grade RELEASE SUBMISSION… --out DIR
    python -m rnn_course total DIR… --out DIR

`grade` takes the instructor's notebook of an assignment, which `make assignments` puts into
build/assignments/instructor, and what you collected: the folder around all submissions, or the zip
that Canvas or Moodle made of them. `total` takes the folders that `grade` wrote.

assignments/README.md says what they write. Started again, `grade` goes on where it was stopped, and
grades again only what has changed.
"""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rnn_course.classroom import Rules, find_submissions, grade_class
from rnn_course.collect import (
    Submission,
    read_roster,
    read_times,
    time_of_file,
    timestamp_of,
)
from rnn_course.course import Course, load_course
from rnn_course.grading import Report
from rnn_course.overrides import read_overrides
from rnn_course.release import Release, load_release
from rnn_course.report.words import number_of
from rnn_course.sandbox.outside import Limits, refusal, warning
from rnn_course.store import read_secret
from rnn_course.text import counted
from rnn_course.total import read_reports, write_totals

COURSE = Path(__file__).resolve().parent.parent / "assignments" / "course.toml"


def options() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m rnn_course",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command, text in (("grade", "grade a class"), ("total", "make the total of a course")):
        one = commands.add_parser(command, help=text, description=text)
        one.add_argument("--out", type=Path, required=True, metavar="DIR", help="for the results")
        course_help = "dates, weights and the rule for late work (default: %(default)s)"
        one.add_argument("--course", type=Path, default=COURSE, metavar="FILE", help=course_help)
        (add_grade if command == "grade" else add_total)(one.add_argument)
    return parser


def add_total(add: Callable[..., Any]) -> None:
    """Add the arguments of `total`."""
    add("graded", type=Path, metavar="DIR", nargs="+", help="a folder that `grade` wrote")


def add_grade(add: Callable[..., Any]) -> None:
    """Add the arguments of `grade`."""
    limits = Limits()
    add("release", metavar="RELEASE", help="the instructor's notebook, NN_name.ipynb")
    add("submissions", metavar="SUBMISSION", nargs="+", help="a folder, notebook or zip")
    add("--roster", type=Path, metavar="FILE", help="CSV: id, name, email, group, extension")
    add("--times", type=Path, metavar="FILE", help="CSV: id, time: when submissions came")
    add("--file-times", action="store_true", help="take the times of the files for these")
    overrides_help = "CSV: id, assignment, question, points, who, why (can be given again)"
    add("--overrides", type=Path, action="append", default=[], metavar="FILE", help=overrides_help)
    add("--only", metavar="ID", help="grade this student again, and nobody else")
    add("--anonymous", action="store_true", help="ids in place of names on pages and in JSON")
    secret_help = "what the hidden cases are drawn from (default: DIR/secret, made if needed)"
    add("--secret", type=Path, metavar="FILE", help=secret_help)
    wall_help = "what isolates submissions: podman, docker, bubblewrap, none (default: the first)"
    add("--wall", default="", metavar="NAME", help=wall_help)
    add("--jobs", type=above_zero(int), metavar="N", help="how many at a time (default: all cores)")
    add("--scheduler", metavar="tcp://HOST:PORT", help="a Dask scheduler: grade on its workers")
    seconds_help = "processor time of one run of a notebook (default: %(default)g)"
    add("--seconds", type=above_zero(float), default=limits.seconds, metavar="S", help=seconds_help)
    memory_help = "limit of a submission, in MiB (default: %(default)s)"
    add(
        "--memory", type=above_zero(int), default=limits.memory >> 20, metavar="M", help=memory_help
    )


def above_zero(kind: Callable[[str], float]) -> Callable[[str], float]:
    """Return a function that reads a number above 0, of type `kind`, from the command line."""

    def read(text: str) -> float:
        value = kind(text)
        if not value > 0:
            raise argparse.ArgumentTypeError(f"expected a number above 0, got {text}")
        return value

    read.__name__ = kind.__name__  # argparse says "invalid int value"
    return read


def main(arguments: list[str] | None = None) -> None:
    """Run what the command line says, and print where the results are.

    Raises: SystemExit with a message, for options and files that cannot be graded.
    """
    chosen = options().parse_args(arguments)
    if os.name != "posix":
        raise SystemExit(
            "error: grading needs the limits on processes of Linux or macOS; "
            "on Windows, run it in WSL"
        )
    try:
        (grade if chosen.command == "grade" else total)(chosen)
    except ModuleNotFoundError as error:
        raise SystemExit(f'error: grading needs {error.name}: pip install -e ".[course]"') from None
    except (ValueError, OSError) as error:
        raise SystemExit(f"error: {error}") from None


def total(chosen: argparse.Namespace) -> None:
    """Write the total of a course and print how many students it has.

    Raises: ValueError for folders that are not results, or not of this course.
    """
    course = load_course(chosen.course)
    graded = {}
    for folder in chosen.graded:
        name, reports = read_reports(folder)
        if name in graded:
            raise ValueError(f"total: expected each assignment once, got {name} twice")
        graded[name] = reports
    found = write_totals(chosen.out, course, graded)
    print(f"{counted(len(found), 'student')}, ", end="")
    print(f"{len(graded)} of {len(course.assignments)} assignments; see {chosen.out / 'total.csv'}")
    if unsettled := sum(bool(one.notes) for one in found):
        print(f"{counted(unsettled, 'student')} with something open, the column `notes` says what")


def grade(chosen: argparse.Namespace) -> None:
    """Grade a class, with a progress bar on stderr, and print a summary.

    Raises: ValueError for what cannot be graded.
    """
    release = load_release(chosen.release)
    course = (
        load_course(chosen.course) if chosen.course.exists() or chosen.course != COURSE else None
    )
    if not chosen.scheduler:
        if reason := refusal(chosen.wall):
            raise ValueError(reason)
        if text := warning(chosen.wall):
            print(f"warning: {text}", file=sys.stderr)
    submissions = submissions_of(chosen, release, course)
    chosen.out.mkdir(parents=True, exist_ok=True)
    secret = read_secret(chosen.secret or chosen.out / "secret")
    if chosen.anonymous:
        submissions = [without_name(s, release.name, secret) for s in submissions]
    given = [one for path in chosen.overrides for one in read_overrides(path, release.name)]
    rules = Rules(course, tuple(given), chosen.anonymous)
    summary(grade_all(release, submissions, secret, rules, chosen), chosen.out)


def submissions_of(
    chosen: argparse.Namespace, release: Release, course: Course | None
) -> list[Submission]:
    """Return the submissions of the class, with the times that are known.

    Raises: ValueError for files that cannot be read, and for times of nobody.
    """
    roster = read_roster(chosen.roster) if chosen.roster else None
    found = find_submissions(chosen.submissions, release.name, roster)
    assignment = course.assignments.get(release.name) if course else None
    zone = assignment.due.tzinfo if assignment else None
    times = read_times(chosen.times, zone) if chosen.times else {}
    if strangers := sorted(set(times) - {submission.student for submission in found}):
        raise ValueError(f'times: there is no student "{strangers[0]}"')
    dated = []
    for one in found:
        time = times.get(one.student)
        if one.file and time is None:
            time = timestamp_of(one.file, release.name, zone)
            time = time_of_file(one.file) if time is None and chosen.file_times else time
        dated.append(one._replace(time=time))
    return dated


def without_name(submission: Submission, assignment: str, secret: bytes) -> Submission:
    """Return the submission under an id: that of the roster, or a number in place of the name."""
    if submission.person:
        return submission
    return submission._replace(
        student=f"student {number_of(submission.student, assignment, secret)}"
    )


def grade_all(
    release: Release,
    submissions: list[Submission],
    secret: bytes,
    rules: Rules,
    chosen: argparse.Namespace,
) -> list[Report]:
    """Return the reports of the class, graded with the chosen options.

    Raises: ValueError for a class, or points given by hand, that do not fit together.
    """
    from tqdm import tqdm

    limits = Limits(seconds=chosen.seconds, memory=chosen.memory << 20, wall=chosen.wall)
    how: dict[str, Any] = {
        "secret": secret,
        "limits": limits,
        "jobs": chosen.jobs or -1,
        "scheduler": chosen.scheduler,
        "rules": rules,
        "only": chosen.only,
    }
    with tqdm(total=len(submissions), unit="submission", file=sys.stderr) as bar:
        return grade_class(
            release, submissions, chosen.out, **how, progress=lambda report: bar.update()
        )


def summary(reports: list[Report], out: Path) -> None:
    """Print how a class did, and who has a problem."""
    mean = sum(report["points"] for report in reports) / len(reports)
    out_of = reports[0]["out_of"]
    print(f"{counted(len(reports), 'row')}, {mean:.1f} of {out_of:g} points on average; see {out}")
    if problems := [report["student"] for report in reports if report["problem"]]:
        print(
            f"{counted(len(problems), 'row')} with a problem, gradebook.csv says which: "
            f"{ascii(', '.join(problems))[1:-1]}"
        )
    if moved := sorted(path.stem for path in (out / "withdrawn").glob("*.html")):
        print(f"in {out / 'withdrawn'} are pages of submissions that are gone: {', '.join(moved)}")
    if bare := sum(report["walls"] == "none" for report in reports):
        print(f"warning: {bare} were graded without a wall (see the README)", file=sys.stderr)
    if unmarked := sum(row["points"] is None for report in reports for row in report["words"]):
        print(f"answers in words not marked yet: {unmarked} (read words.html, fill by_hand.csv)")


if __name__ == "__main__":
    main()
