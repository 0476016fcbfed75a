"""Grade a class of 200 that was made up, on this machine and through Dask, stop in the middle and go on: one gradebook each time.

The submissions are those of the tests' bank, drawn with a seed: right ones, wrong ones, hostile ones and broken ones. Printed for
each way of grading: the time, submissions a second, and the peak of the memory of all processes that took part, the submissions'
own included. Run by `make class`, with the extra `course`.

    python benchmarks/classroom.py --students 200 --jobs 2
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import nbformat
import numpy as np
import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "course")]

from bank import hostile, vanilla  # noqa: E402
from bank.entry import attack, read_source, source_path, submission, with_answer  # noqa: E402

NAME = "01_vanilla"
BROKEN = (b"", b"no notebook", b'{"cells": 3}', b"[" * 100_000, b" " * (9 << 20))
SHARES = {"right": 0.45, "wrong": 0.40, "hostile": 0.08, "broken": 0.04, "unanswered": 0.03}


def made_up(kind, rng):
    """Return the bytes of a submission of this kind."""
    if kind == "broken":
        return BROKEN[rng.integers(len(BROKEN))]
    if kind == "unanswered":
        return submission(NAME, {})
    if kind == "hostile":
        return attack(NAME, hostile.HOSTILE[rng.integers(len(hostile.HOSTILE))])
    entries = vanilla.RIGHT if kind == "right" else vanilla.WRONG
    entry = entries[rng.integers(len(entries))]
    return with_answer(NAME, entry.question, entry.answer)


def make_class(folder, students, seed):
    """Write the release and the submissions of a class into `folder`; return {kind: how many}."""
    rng = np.random.default_rng(seed)
    kinds = rng.choice(list(SHARES), students, p=list(SHARES.values()))
    (folder / f"{NAME}.ipynb").write_text(
        nbformat.writes(read_source(source_path(NAME))), encoding="utf-8"
    )
    for number, kind in enumerate(kinds):
        path = folder / "submitted" / f"student{number:03}" / f"{NAME}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_bytes(made_up(kind, rng))
    return {str(kind): int((kinds == kind).sum()) for kind in SHARES}


def start(folder, out, *options):
    """Return the process of the grader, as a lecturer starts it."""
    command = [
        sys.executable,
        "-m",
        "rnn_course",
        folder / f"{NAME}.ipynb",
        folder / "submitted",
        "--out",
        out,
        *options,
    ]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        list(map(str, command)),
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def finish(process):
    """Wait for a grader. Errors: SystemExit if it failed."""
    if process.wait() != 0:
        raise SystemExit(f"the grader ended with {process.returncode}")


def stop_half_way(process, out, students):
    """Kill a grader and its helpers when half of its reports are written; return how many there are."""
    while process.poll() is None and len(list(out.glob("feedback/*.json"))) < students / 2:
        time.sleep(0.02)
    for one in [*psutil.Process(process.pid).children(recursive=True), process]:
        one.kill()
    process.wait()
    return len(list(out.glob("feedback/*.json")))


def results(out):
    """Return {path: bytes} of what a grader has written, but for what it was writing when it was killed."""
    return {
        str(p.relative_to(out)): p.read_bytes()
        for p in sorted(out.rglob("*"))
        if p.is_file() and p.suffix != ".part"
    }


@contextmanager
def watched():
    """Yield a dict that has, at the end, the seconds and the peak of the resident memory of all child processes, in MiB."""
    seen, over, begin = {"MiB": 0.0}, threading.Event(), time.perf_counter()

    def watch():
        while not over.wait(0.1):
            seen["MiB"] = max(
                seen["MiB"], sum(map(resident, psutil.Process().children(recursive=True))) / 2**20
            )

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        seen["s"] = time.perf_counter() - begin
        over.set()
        thread.join()


def resident(process):
    """Return the resident memory of a process in bytes, 0 if it has ended."""
    try:
        return process.memory_info().rss
    except psutil.Error:
        return 0


@contextmanager
def cluster(workers):
    """Yield the address of a Dask scheduler with so many worker processes, on this machine."""
    from distributed import LocalCluster

    with LocalCluster(
        workers, threads_per_worker=1, processes=True, dashboard_address=None, memory_limit=0
    ) as running:
        yield running.scheduler_address


def run_grader(folder, students, jobs, options):
    """Grade the class in three ways, print a row for each, and return {way: its results}."""
    outs = {way: folder / way for way in ("joblib", "dask", "resumed")}
    rows = {}
    with watched() as rows["joblib"]:
        finish(start(folder, outs["joblib"], "--jobs", jobs, *options))
    with cluster(jobs) as address, watched() as rows["dask"]:
        finish(start(folder, outs["dask"], "--scheduler", address, *options))
    with watched() as rows["resumed"]:
        there = stop_half_way(
            start(folder, outs["resumed"], "--jobs", jobs, *options), outs["resumed"], students
        )
        finish(start(folder, outs["resumed"], "--jobs", jobs, *options))
    for way, seen in rows.items():
        note = f"killed after {there}, started again" if way == "resumed" else ""
        print(
            f"{way:<9}{seen['s']:8.1f} s{students / seen['s']:8.1f} submissions/s{seen['MiB']:8.0f} MiB  {note}",
            flush=True,
        )
    return {way: results(out) for way, out in outs.items()}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--students", type=int, default=200)
    parser.add_argument(
        "--jobs", type=int, default=2, help="processes, or Dask workers (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the class (default: %(default)s)")
    parser.add_argument(
        "--seconds", default="10", help="limit of one run of a notebook (default: %(default)s)"
    )
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        counts = make_class(Path(folder), chosen.students, chosen.seed)
        print(", ".join(f"{count} {kind}" for kind, count in counts.items()), flush=True)
        found = run_grader(
            Path(folder), chosen.students, chosen.jobs, ["--seconds", chosen.seconds]
        )
    same = found["joblib"] == found["dask"] == found["resumed"]
    print(f"{len(found['joblib'])} files; {'the same bytes each time' if same else 'THEY DIFFER'}")
    raise SystemExit(not same)


if __name__ == "__main__":
    main()
