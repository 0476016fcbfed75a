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
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest

from assignments.bank.entry import (
    ATTACKED,
    attack,
    graded,
    read_source,
    released,
    solutions,
    source_path,
    submission,
)
from assignments.bank.hostile import HOSTILE, MARK
from rnn_course import parallel
from rnn_course.__main__ import main
from rnn_course.grading import asking, read_transcript
from rnn_course.notebook import open_notebook
from rnn_course.sandbox import limits as limits_module
from rnn_course.sandbox import outside as sandbox
from rnn_course.store import file_of

NAME = "01_vanilla"
RIGHT = ("ada", "mia", "zoe")
# An answer needs a hundredth of it, and the longest attack that ends by itself a half.
LIMITS = sandbox.Limits(seconds=0.5, memory=400 << 20, wall="bubblewrap")
pytestmark = pytest.mark.skipif(os.name != "posix", reason="grading needs Linux or macOS")


@pytest.fixture(scope="module", autouse=True)
def short_waits():
    """An attack that sleeps or waits is ended after 4.5 s of real time instead of 10.5."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits_module, "MORE", 4)
        yield


@contextmanager
def threads(jobs, scheduler):
    """Yield joblib's options: this process only waits for those of the submissions."""
    yield {"backend": "threading", "n_jobs": jobs}


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
    """The folder of a class: every attack, and right submissions between them."""
    root = tmp_path_factory.mktemp("class")
    submitted, right = root / "submitted", submission(NAME, solutions(NAME))
    (root / f"{NAME}.ipynb").write_text(
        nbformat.writes(read_source(source_path(NAME))), encoding="utf-8"
    )
    files = {entry.name: data_of(entry, listener) for entry in HOSTILE}
    files |= dict.fromkeys(RIGHT, right)
    for name, data in files.items():
        (submitted / name / NAME).mkdir(parents=True)
        (submitted / name / NAME / f"{NAME}.ipynb").write_bytes(data)
    (submitted / "link" / NAME).mkdir(parents=True)
    (submitted / "link" / NAME / f"{NAME}.ipynb").symlink_to(root / f"{NAME}.ipynb")
    return root


@pytest.fixture(scope="module")
def outcome(a_class, tmp_path_factory):
    """({student: report}, results, snapshots before and after) of the class, graded once."""
    if sandbox.refusal("bubblewrap"):
        pytest.skip("bubblewrap is not at work here")
    out, before = tmp_path_factory.mktemp("out"), snapshot(a_class)
    command = ["grade", a_class / f"{NAME}.ipynb", a_class / "submitted", "--out", out]
    command += ["--wall", "bubblewrap", "--jobs", 6, "--seconds", LIMITS.seconds, "--memory", 400]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parallel, "backend", threads)
        main([*map(str, command), "--secret", str(tmp_path_factory.mktemp("kept") / "secret")])
    lines = (out / "reports.jsonl").read_text(encoding="utf-8").splitlines()
    reports = {report["student"]: report for report in map(json.loads, lines)}
    return reports, out, before, snapshot(a_class)


def earned(entry, report):
    """Return what the answers of an attack earn.

    An attack that ends its process takes the answer that needs it with it, and no other.
    """
    last = report["questions"][-1]
    return entry.points - (last["out_of"] if entry.honest and last["status"] == "stopped" else 0)


@pytest.mark.parametrize("entry", HOSTILE, ids=[entry.name for entry in HOSTILE])
def test_an_attack_earns_what_its_answers_earn(outcome, entry):
    report = outcome[0][entry.name]
    assert report["points"] == earned(entry, report)


def test_the_rest_of_the_class_is_graded(outcome):
    assert [outcome[0][name]["points"] for name in RIGHT] == [25, 25, 25]
    assert outcome[0]["link"]["points"] == 0 and outcome[0]["link"]["problem"]


def test_nothing_outside_has_changed(outcome, listener):
    _, _, before, after = outcome
    assert before == after and listener[1] == []
    end = time.monotonic() + 2
    while left_behind() and time.monotonic() < end:
        time.sleep(0.05)
    assert left_behind() == []


def test_words_of_a_submission_stay_words(outcome):
    _, out, *_ = outcome
    page = file_of(out / "feedback", "words that are no words", ".html").read_text(encoding="utf-8")
    assert "<script" not in page and "<img" not in page


def test_no_page_is_large_whatever_was_sent(outcome):
    assert max(path.stat().st_size for path in (outcome[1] / "feedback").iterdir()) < 100_000


HELD = [entry for entry in HOSTILE if not entry.walls]


@pytest.fixture
def bare(monkeypatch):
    """Limits without a wall, with the filter of system calls."""
    if not sys.platform.startswith("linux"):
        pytest.skip("system calls cannot be filtered here")
    monkeypatch.setattr(os, "getuid", lambda: 1000)  # the tests may run as root
    return LIMITS._replace(wall="none")


@pytest.fixture
def told(monkeypatch):
    """The Transcripts of all processes, in their order."""
    found = []

    def noted(*arguments):
        found.append(read_transcript(*arguments))
        return found[-1]

    monkeypatch.setattr(asking, "read_transcript", noted)
    return found


def has_run(transcript, data):
    """Return True if the cell of an honest attack was run, or if the parser refused it."""
    cells = open_notebook(data).cells
    number = next(cell.number for cell in cells if f"{ATTACKED} = " in cell.source)
    parsed, *run = [at for at in transcript.at if at == number]
    return bool(run) or number in transcript.raised


@pytest.mark.parametrize("entry", HELD, ids=[entry.name for entry in HELD])
def test_without_walls_an_attack_earns_no_more(release, listener, bare, told, entry):
    data = data_of(entry, listener)
    report = graded(release, data, limits=bare)
    assert report["points"] == earned(entry, report)
    assert listener[1] == [] and left_behind() == []
    assert not entry.honest or has_run(told[0], data)


BEHIND = [entry for entry in HOSTILE if entry.honest and entry.walls]


@pytest.mark.parametrize("entry", BEHIND, ids=[entry.name for entry in BEHIND])
def test_what_only_a_wall_holds_is_run_as_well(release, listener, told, entry):
    if sandbox.refusal("bubblewrap"):
        pytest.skip("bubblewrap is not at work here")
    data = data_of(entry, listener)
    assert graded(release, data, limits=LIMITS)["points"] == entry.points
    assert has_run(told[0], data)


def test_an_attack_is_run_where_all_answers_are_right(release, told):
    (entry, *_) = (entry for entry in HOSTILE if entry.honest and not entry.bare)
    data = attack(NAME, entry._replace(cell="pass\n1 / 0", answers={}))
    report = graded(release, data)
    assert report["points"] == 25 and len(told) == 1
    assert [note["message"][:17] for note in report["notes"]] == ["ZeroDivisionError"]


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


def test_an_answer_that_was_lent_for_a_second_chance_is_not_carried_out_in_what_comes_back(release):
    wrong = "def rnn_step_backward(params, x, *others):\n    return params, x, others[-1]"
    secret = "type('stolen ' + str(rnn_step_backward.__code__.co_consts), (), {})()"
    thief = solutions(NAME)["rnn_unroll_backward"].replace(
        "return dparams, dxs,", f"return dparams, {secret},"
    )
    report = graded(
        release,
        submission(
            NAME, solutions(NAME) | {"rnn_step_backward": wrong, "rnn_unroll_backward": thief}
        ),
    )
    row = next(row for row in report["questions"] if row["name"] == "rnn_unroll_backward")
    assert (
        row["points"] == pytest.approx(5 / 6 * row["out_of"])
        and row["findings"][0]["cause"] == "rests on an earlier question"
    )
    told = [(row["parts"], row["findings"]) for row in report["questions"]]
    assert "stolen" not in str((told, report["notes"]))
