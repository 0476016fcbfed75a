"""Grade the submissions of a class.

    python -m rnn_course RELEASE SUBMISSION… --out DIR

RELEASE is the instructor's notebook of an assignment, which `make assignments` puts into
build/assignments/instructor. SUBMISSION is a notebook named after its student, ada.ipynb, or,
better, the folder around all of them: notebooks, or a folder for each student, as nbgrader collects
them.

DIR then has feedback/ with a page of feedback and its data for each student. For you it has
gradebook.csv, reports.jsonl, and class.png, a picture of where the class went wrong. Each report is
written when it is ready. Started again, the grader continues where it was stopped, and grades again
only what has changed.

The answers run in separate processes, which bubblewrap isolates (apt-get install bubblewrap). If it
is missing, a warning says what the answers can then reach.
"""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rnn_course.classroom import Submission, find_submissions, grade_class
from rnn_course.grading import HIDDEN_SEED, Report
from rnn_course.release import Release, load_release
from rnn_course.sandbox import outside as sandbox


def options() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m rnn_course",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add, limits = parser.add_argument, sandbox.Limits()
    add("release", metavar="RELEASE", help="the instructor's notebook, NN_name.ipynb")
    add("submissions", metavar="SUBMISSION", nargs="+", help="a notebook, or a folder of them")
    add("--out", type=Path, required=True, metavar="DIR", help="where the results go")
    add(
        "--jobs",
        type=above_zero(int),
        metavar="N",
        help="how many at a time (default: one for each core)",
    )
    add(
        "--scheduler",
        metavar="tcp://HOST:PORT",
        help="a Dask scheduler, to grade on its workers instead",
    )
    seed_help = (
        "a number of your own that no student knows: the hidden cases are drawn from it "
        "(default: %(default)s, known to all)"
    )
    add("--seed", type=int, default=HIDDEN_SEED, metavar="N", help=seed_help)
    seconds_help = "limit of one run of a notebook (default: %(default)g)"
    add("--seconds", type=above_zero(float), default=limits.seconds, metavar="S", help=seconds_help)
    memory_help = "limit of a submission, in MiB (default: %(default)s)"
    add(
        "--memory", type=above_zero(int), default=limits.memory >> 20, metavar="M", help=memory_help
    )
    return parser


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
    """Grade, show a progress bar on stderr, and print where the results are.

    Raises: SystemExit with a message, for options and files that cannot be graded.
    """
    chosen = options().parse_args(arguments)
    if os.name != "posix":
        raise SystemExit(
            "error: grading needs the limits on processes of Linux or macOS; "
            "on Windows, run it in WSL"
        )
    try:
        release = load_release(chosen.release)
        reports = grade_all(release, find_submissions(chosen.submissions, release.name), chosen)
    except ModuleNotFoundError as error:
        raise SystemExit(f'error: grading needs {error.name}: pip install -e ".[course]"') from None
    except (ValueError, OSError) as error:
        raise SystemExit(f"error: {error}") from None
    mean = sum(report["points"] for report in reports) / len(reports)
    print(
        f"{len(reports)} submissions, {mean:.1f} of {sum(release.points.values()):g} points "
        f"on average; see {chosen.out}"
    )
    if problems := [report["student"] for report in reports if report["problem"]]:
        print(
            f"{len(problems)} could not be graded, gradebook.csv says why: "
            f"{ascii(', '.join(problems))[1:-1]}"
        )


def grade_all(
    release: Release, submissions: list[Submission], chosen: argparse.Namespace
) -> list[Report]:
    """Return the reports of the class, graded with the chosen options.

    A warning is printed on stderr if submissions are not isolated.

    Raises: ValueError if submissions must not be graded on this machine.
    """
    from tqdm import tqdm

    if not chosen.scheduler:
        if refusal := sandbox.refusal():
            raise ValueError(refusal)
        if warning := sandbox.warning():
            print(f"warning: {warning}", file=sys.stderr)
    limits = sandbox.Limits(seconds=chosen.seconds, memory=chosen.memory << 20)
    how: dict[str, Any] = {
        "seed": chosen.seed,
        "limits": limits,
        "jobs": chosen.jobs or -1,
        "scheduler": chosen.scheduler,
    }
    with tqdm(total=len(submissions), unit="submission", file=sys.stderr) as bar:
        reports = grade_class(
            release, submissions, chosen.out, **how, progress=lambda report: bar.update()
        )
    if chosen.scheduler and (bare := sum(not report["walled_off"] for report in reports)):
        print(f"warning: {bare} were graded by workers without bubblewrap", file=sys.stderr)
    return reports


if __name__ == "__main__":
    main()
