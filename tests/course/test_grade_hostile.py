"""A class with hostile submissions: none earns a wrong point or changes a thing outside.

All other submissions are graded.
"""

import glob
import json
import os
import socket
import sys
import threading
import time
from pathlib import Path

import nbformat
import pytest

pytest.importorskip("nbgrader")
pytest.importorskip("joblib")

from assignments.bank.entry import (
    attack,
    graded,
    read_source,
    released,
    solutions,
    source_path,
    submission,
)
from assignments.bank.hostile import HOSTILE, MARK
from rnn_course import classroom as schedule
from rnn_course.release import load_release
from rnn_course.sandbox import outside as sandbox

NAME = "01_vanilla"
LIMITS = sandbox.Limits(seconds=2, memory=400 << 20, wall="bubblewrap")
pytestmark = pytest.mark.skipif(os.name != "posix", reason="grading needs Linux or macOS")


@pytest.fixture(scope="module")
def listener():
    """A server on this machine: (its port, what was sent to it)."""
    heard = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen():
            try:
                while True:
                    heard.append(server.accept()[1])
            except OSError:
                pass

        threading.Thread(target=listen, daemon=True).start()
        yield server.getsockname()[1], heard


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    return released(NAME, tmp_path_factory.mktemp("release"))


def data_of(entry, listener):
    """Return the bytes of an attack that knows where to find us."""
    cell = entry.cell.replace("PORT", str(listener[0])).replace('"HOME"', repr(str(Path.home())))
    return attack(NAME, entry._replace(cell=cell))


def snapshot(root):
    """Return {path: bytes or where it leads} of everything below a folder."""
    return {
        path: os.readlink(path) if path.is_symlink() else path.is_file() and path.read_bytes()
        for path in root.rglob("*")
    }


def left_behind():
    """Return the files and processes that an attack left where it could."""
    here = Path(sandbox.__file__).resolve().parent / "inside"
    places = [
        "/",
        "/home",
        "/tmp",
        "/dev/shm",
        "/var/tmp",
        "/usr",
        "/usr/lib",
        here,
        here.parent,
        os.__file__ + "/..",
        Path.home(),
    ]
    files = [place for place in places if os.path.lexists(os.path.join(place, MARK))]
    return files + [
        name for name in glob.glob("/proc/[0-9]*/cmdline") if read(name).startswith(MARK.encode())
    ]


def read(name):
    try:
        return Path(name).read_bytes()
    except OSError:
        return b""


@pytest.fixture(scope="module")
def a_class(tmp_path_factory, listener):
    """The folder of a class: every attack, tricks with links and names, and right submissions.

    The right submissions are the first, the middle and the last one.
    """
    root = tmp_path_factory.mktemp("class")
    submitted, right = root / "submitted", submission(NAME, solutions(NAME))
    (root / f"{NAME}.ipynb").write_text(
        nbformat.writes(read_source(source_path(NAME))), encoding="utf-8"
    )
    files = {f"{entry.name}/{NAME}/{NAME}.ipynb": data_of(entry, listener) for entry in HOSTILE}
    files |= {f"{name}/{NAME}/{NAME}.ipynb": right for name in ("ada", "mia", "zoe")}
    files |= {"100 MB.ipynb": b" " * 100_000_000}
    files |= {"eve/ada/01_vanilla.ipynb": b"", "two/1.ipynb": right, "two/2.ipynb": right}
    files |= {
        f"{name}.ipynb": right
        for name in (".dot", "dot", "..%2f..%2fup", "n" * 200, "n" * 199 + "m", "..\\up", "=1+1;@x")
    }
    for name, data in files.items():
        (submitted / name).parent.mkdir(parents=True, exist_ok=True)
        (submitted / name).write_bytes(data)
    (submitted / "link to the release.ipynb").symlink_to(root / f"{NAME}.ipynb")
    (submitted / "link to another").symlink_to(submitted / "ada")
    (submitted / "link inside").mkdir()
    (submitted / "link inside" / f"{NAME}.ipynb").symlink_to(f"../../{NAME}.ipynb")
    (submitted / "no file.ipynb").mkdir()
    os.mkfifo(submitted / "pipe.ipynb")
    if sys.platform.startswith("linux"):
        Path(os.fsdecode(os.fsencode(submitted) + b"/\xff\xfe.ipynb")).write_bytes(right)
    return root


@pytest.fixture(scope="module")
def outcome(a_class, listener, tmp_path_factory):
    """({student: report}, results, snapshots before and after) of the class, graded once.

    The results are a folder.
    """
    if sandbox.refusal("bubblewrap"):
        pytest.skip("bubblewrap is not at work here")
    out, before = tmp_path_factory.mktemp("out"), snapshot(a_class)
    release = load_release(a_class / f"{NAME}.ipynb")
    submissions = schedule.find_submissions([a_class / "submitted"], NAME)
    reports = schedule.grade_class(
        release, submissions, out, secret=b"secret" * 6, limits=LIMITS, jobs=2
    )
    return {report["student"]: report for report in reports}, out, before, snapshot(a_class)


@pytest.mark.parametrize("entry", HOSTILE, ids=[entry.name for entry in HOSTILE])
def test_an_attack_earns_what_its_answers_earn(outcome, entry):
    assert outcome[0][entry.name]["points"] == entry.points


def test_the_rest_of_the_class_is_graded(outcome):
    assert [outcome[0][name]["points"] for name in ("ada", "mia", "zoe")] == [25, 25, 25]


def test_nothing_outside_has_changed(outcome, listener):
    _, out, before, after = outcome
    assert before == after and listener[1] == []
    end = time.monotonic() + 2
    while left_behind() and time.monotonic() < end:
        time.sleep(0.05)
    assert left_behind() == []
    assert {path.name for path in out.iterdir()} == {
        "by_hand.csv",
        "class.png",
        "feedback",
        "gradebook.csv",
        "reports",
        "reports.jsonl",
        "results",
        "similar.csv",
        "similar.html",
        "words.html",
    }


FILES = [
    "link to the release",
    "link to another",
    "link inside",
    "100 MB",
    "pipe",
    "no file",
    "eve",
    "two",
]


@pytest.mark.parametrize("name", FILES)
def test_what_is_no_file_of_the_students_own_earns_nothing_and_says_why(outcome, name):
    report = outcome[0][name]
    assert report["points"] == 0 and len(report["problem"]) > 15


def test_every_name_has_a_page_of_its_own_in_the_folder_of_feedback(outcome):
    reports, out, *_ = outcome
    pages = list((out / "feedback").iterdir())
    assert len(pages) == len(reports) and all(page.is_file() for page in pages)
    for name in (
        ".dot",
        "dot",
        "..%2f..%2fup",
        "n" * 200,
        "n" * 199 + "m",
        "..\\up",
        "=1+1;@x",
        "<U+DCFF><U+DCFE>",
    ):
        assert reports[name]["points"] == 25
        text = schedule.file_of(out / "reports", name, ".json").read_text(encoding="utf-8")
        assert json.loads(text)["student"] == name


def test_words_of_a_submission_stay_words(outcome):
    reports, out, *_ = outcome
    page = schedule.file_of(out / "feedback", "words that are no words", ".html").read_text(
        encoding="utf-8"
    )
    assert "&lt;script&gt;alert(1)" in page and "<script" not in page and "<img" not in page
    assert len((out / "reports.jsonl").read_text(encoding="utf-8").splitlines()) == len(reports)
    table = (out / "gradebook.csv").read_text(encoding="utf-8")
    assert '"\'=1+1;@x"' in table and not [
        line for line in table.splitlines() if not line.startswith('"')
    ]


def test_no_page_and_no_report_is_large_whatever_was_sent(outcome):
    assert max(path.stat().st_size for path in (outcome[1] / "feedback").iterdir()) < 50_000


HELD = [entry for entry in HOSTILE if not entry.walls]


@pytest.fixture
def bare(monkeypatch):
    """Limits without a wall, with the filter of system calls."""
    if not sys.platform.startswith("linux"):
        pytest.skip("system calls cannot be filtered here")
    monkeypatch.setattr(os, "getuid", lambda: 1000)  # the tests may run as root
    return LIMITS._replace(seconds=1, wall="none")


@pytest.mark.parametrize("entry", HELD, ids=[entry.name for entry in HELD])
def test_without_walls_an_attack_earns_no_more(release, listener, bare, entry):
    report = graded(release, data_of(entry, listener), limits=bare)
    assert report["points"] == entry.points and listener[1] == [] and left_behind() == []


def test_reading_the_answers_pays_without_walls_as_the_warning_says_and_not_behind_them(
    release, bare
):
    root = Path(sandbox.__file__).resolve().parents[2]
    theft = (
        f"import sys\nsys.path.append({str(root)!r})\nfrom rnn_course.questions.vanilla import *"
    )
    data = submission(NAME, {}, [theft], at_the_end=True)
    if not sandbox.refusal("bubblewrap"):
        assert graded(release, data, limits=LIMITS)["points"] == 0
    assert graded(release, data, limits=bare)["points"] == 25
    assert "files" in sandbox.warning("none")


def test_answers_learnt_by_heart_are_worth_nothing_under_another_seed(release):
    from rnn_course.grading import exams_of

    exam = exams_of(NAME, 1)["rnn_step"]
    known = [[float(case[1][0, 0]), tree.tolist()] for case, tree in zip(exam.cases, exam.trees)]
    heart = (
        "import numpy as np\ndef rnn_step(params, x, h):\n"
        f"    return np.array(dict({known})[float(x[0, 0])])"
    )
    data = submission(NAME, {"rnn_step": heart})
    assert [graded(release, data, seed=seed)["points"] for seed in (1, 2)] == [3, 0]


def test_an_answer_that_was_lent_for_a_second_chance_is_not_carried_out_in_what_comes_back(release):
    wrong = "def rnn_step_backward(params, x, h_previous, h, dh):\n    return params, x, h"
    secret = "type('stolen ' + str(rnn_step_backward.__code__.co_consts), (), {})()"
    thief = solutions(NAME)["rnn_unroll_backward"].replace("np.stack(dxs[::-1])", secret)
    report = graded(
        release,
        submission(
            NAME, solutions(NAME) | {"rnn_step_backward": wrong, "rnn_unroll_backward": thief}
        ),
    )
    row = next(row for row in report["questions"] if row["name"] == "rnn_unroll_backward")
    assert (
        row["points"] == pytest.approx(0.8 * 9)
        and row["findings"][0]["cause"] == "rests on an earlier question"
    )
    assert "stolen" not in str(report)
