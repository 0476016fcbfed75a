"""Grade the submissions of a class.

    python -m rnn_tutorial.grade RELEASE SUBMISSION… --out DIR

RELEASE: the instructor's notebook of an assignment, build/assignments/instructor/NN_name.ipynb. SUBMISSION: notebooks, or folders
of them. In DIR: a page of feedback and its data for each student in feedback/, gradebook.csv, reports.jsonl, and class.png.
Started again, it goes on where it was stopped.
"""

import argparse
import os
import sys
from pathlib import Path

from rnn_tutorial.grade import sandbox
from rnn_tutorial.grade.grading import HIDDEN_SEED
from rnn_tutorial.grade.release import load_release
from rnn_tutorial.grade.schedule import find_submissions, grade_class


def options():
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m rnn_tutorial.grade", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    limits = sandbox.Limits()
    parser.add_argument("release", metavar="RELEASE", help="the instructor's notebook, or a folder with it alone")
    parser.add_argument("submissions", metavar="SUBMISSION", nargs="+", help="notebooks, or folders of notebooks")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the results go")
    parser.add_argument("--jobs", type=int, default=-1, help="how many submissions at a time (default: one for each core)")
    parser.add_argument("--scheduler", metavar="tcp://…", help="a Dask scheduler, to grade on its workers instead")
    parser.add_argument("--seed", type=int, default=HIDDEN_SEED, help="the hidden cases are drawn from it (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=limits.seconds, help="for one run of a notebook (default: %(default)g)")
    parser.add_argument("--memory", type=int, default=limits.memory >> 20, help="of a submission, in MiB (default: %(default)s)")
    return parser


def main(arguments=None):
    """Grade, show a progress bar on stderr, and say where the results are."""
    chosen = options().parse_args(arguments)
    if os.name != "posix":
        raise SystemExit("error: grading needs the limits on processes of Linux or macOS; on Windows, run it in WSL")
    try:
        from joblib import Parallel  # noqa: F401
        from tqdm import tqdm
    except ModuleNotFoundError as error:
        raise SystemExit(f'error: grading needs {error.name}: pip install -e ".[course]"') from None
    try:
        release = load_release(chosen.release)
        submissions = find_submissions(chosen.submissions, release.name)
    except ValueError as error:
        raise SystemExit(f"error: {error}") from None
    if refusal := sandbox.refusal():
        raise SystemExit(f"error: {refusal}")
    if warning := sandbox.warning():
        print(f"warning: {warning}", file=sys.stderr)
    limits = sandbox.Limits(seconds=chosen.seconds, memory=chosen.memory << 20)
    with tqdm(total=len(submissions), unit="submission", file=sys.stderr) as bar:
        reports = grade_class(
            release,
            submissions,
            chosen.out,
            seed=chosen.seed,
            limits=limits,
            jobs=chosen.jobs,
            scheduler=chosen.scheduler,
            progress=lambda report: bar.update(),
        )
    mean = sum(report["points"] for report in reports) / max(len(reports), 1)
    print(f"{len(reports)} submissions, {mean:.1f} of {sum(release.points.values()):g} points on average; see {chosen.out}")


if __name__ == "__main__":
    main()
