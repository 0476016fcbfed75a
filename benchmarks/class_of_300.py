"""Grade an invented class of 300 in three ways: each must give the same files.

    python -m benchmarks.class_of_300 --students 300 --jobs 2

The three ways: on this machine; through Dask; and on this machine, killed half way and started
again. The submissions are drawn with a seed from assignments/bank: right ones, wrong ones, hostile
ones and broken ones. They look like a download of Canvas, with a roster; some students submit
nothing, a zip, a text, or twice. For each way it prints the time, the submissions per second, and
the peak memory of all processes together, those of the submissions included. `make class` runs it,
with the extra `course`.
"""

import argparse
import io
import os
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import nbformat
import numpy as np
import psutil

from assignments.bank import hostile, vanilla
from assignments.bank.entry import attack, read_source, source_path, submission, with_answer
from rnn_tutorial.types import Rng

ROOT = Path(__file__).resolve().parent.parent
NAME = "01_vanilla"
BROKEN = (b"", b"no notebook", b'{"cells": 3}', b"[" * 100_000, b" " * (9 << 20))
SHARES = {"right": 0.45, "wrong": 0.40, "hostile": 0.08, "broken": 0.04, "unanswered": 0.03}
FORMS = {"notebook": 0.80, "twice": 0.06, "zip": 0.06, "text": 0.04, "nothing": 0.04}


def submission_of(kind: str, rng: Rng) -> bytes:
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


def make_class(folder: Path, students: int, seed: int) -> dict[str, int]:
    """Write a release, a roster and a download of Canvas to `folder`; return {kind: how many}."""
    rng = np.random.default_rng(seed)
    kinds = rng.choice(list(SHARES), students, p=list(SHARES.values()))
    forms = rng.choice(list(FORMS), students, p=list(FORMS.values()))
    (folder / f"{NAME}.ipynb").write_text(
        nbformat.writes(read_source(source_path(NAME))), encoding="utf-8"
    )
    (folder / "submitted").mkdir()
    (folder / "secret").write_bytes(rng.bytes(32))
    lines = ["id,name,email,group,extension"]
    for number, (kind, form) in enumerate(zip(kinds, forms)):
        lines.append(f"{1000 + number},Student {number:03},s{number:03}@example.org,{number % 4},")
        for name, data in files_of(form, submission_of(kind, rng)).items():
            late = "_LATE" if number % 9 == 0 else ""
            path = folder / "submitted" / f"student{number:03}{late}_{1000 + number}_{name}"
            path.write_bytes(data)
    (folder / "roster.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return {str(kind): int((kinds == kind).sum()) for kind in SHARES}


def files_of(form: str, data: bytes) -> dict[str, bytes]:
    """Return {end of the name: bytes} of the files that a student submits in this form."""
    if form == "nothing":
        return {}
    if form == "text":
        return {f"7001_{NAME}.py": b"print('my answer')"}
    if form == "twice":
        return {f"7001_{NAME}.ipynb": b"{}", f"7002_{NAME}-1.ipynb": data}
    if form == "zip":
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(zipfile.ZipInfo(f"work/{NAME}.ipynb"), data)
        return {"7001_work.zip": stream.getvalue()}
    return {f"7001_{NAME}.ipynb": data}


def start(folder: Path, out: Path, *options: object) -> subprocess.Popen:
    """Return a process of the grader, started as a lecturer starts it."""
    command = [
        sys.executable,
        "-m",
        "rnn_course",
        "grade",
        folder / f"{NAME}.ipynb",
        folder / "submitted",
        "--roster",
        folder / "roster.csv",
        "--secret",
        folder / "secret",
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


def finish(process: subprocess.Popen) -> None:
    """Wait for a grader.

    Raises: SystemExit if it fails.
    """
    if process.wait() != 0:
        raise SystemExit(f"the grader ended with {process.returncode}")


def stop_half_way(process: subprocess.Popen, out: Path, students: int) -> int:
    """Return how many reports there are, after killing a grader that has written half of them."""
    while process.poll() is None and len(list(out.glob("reports/*.json"))) < students / 2:
        time.sleep(0.02)
    for one in [*psutil.Process(process.pid).children(recursive=True), process]:
        one.kill()
    process.wait()
    return len(list(out.glob("reports/*.json")))


def results(out: Path) -> dict[str, bytes]:
    """Return {path: bytes} of the files of a grader, without those that it was still writing."""
    return {
        str(p.relative_to(out)): p.read_bytes()
        for p in sorted(out.rglob("*"))
        if p.is_file() and p.suffix != ".part"
    }


@contextmanager
def watched() -> Iterator[dict[str, float]]:
    """Yield a dict that has, at the end, the seconds and the peak memory of all child processes.

    The memory is the resident memory in MiB.
    """
    seen, over, begin = {"MiB": 0.0}, threading.Event(), time.perf_counter()

    def watch() -> None:
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


def resident(process: psutil.Process) -> int:
    """Return the resident memory of a process in bytes, 0 if it has ended."""
    try:
        return process.memory_info().rss
    except psutil.Error:
        return 0


@contextmanager
def cluster(workers: int) -> Iterator[str]:
    """Yield the address of a Dask scheduler on this machine, with this number of workers."""
    from distributed import LocalCluster

    with LocalCluster(
        workers, threads_per_worker=1, processes=True, dashboard_address=None, memory_limit=0
    ) as running:
        yield running.scheduler_address


def run_grader(
    folder: Path, students: int, jobs: int, options: Sequence[str]
) -> dict[str, dict[str, bytes]]:
    """Grade the class in three ways and print a row for each; return {way: its results}."""
    outs = {way: folder / way for way in ("joblib", "dask", "resumed")}
    rows: dict[str, dict[str, float]] = {}
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
            f"{way:<9}{seen['s']:8.1f} s{students / seen['s']:8.1f} submissions/s"
            f"{seen['MiB']:8.0f} MiB  {note}",
            flush=True,
        )
    return {way: results(out) for way, out in outs.items()}


def main() -> None:
    """Make a class, grade it in three ways, and compare the results."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--students", type=int, default=300)
    parser.add_argument(
        "--jobs", type=int, default=2, help="processes, or Dask workers (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the class (default: %(default)s)")
    parser.add_argument(
        "--seconds", default="10", help="limit for one run of a notebook (default: %(default)s)"
    )
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        counts = make_class(Path(folder), chosen.students, chosen.seed)
        print(", ".join(f"{count} {kind}" for kind, count in counts.items()), flush=True)
        found = run_grader(
            Path(folder), chosen.students, chosen.jobs, ["--seconds", chosen.seconds]
        )
    same = found["joblib"] == found["dask"] == found["resumed"]
    print(f"{len(found['joblib'])} files: {'the same bytes each time' if same else 'THEY DIFFER'}")
    raise SystemExit(not same)


if __name__ == "__main__":
    main()
