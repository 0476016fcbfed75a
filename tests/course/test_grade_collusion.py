"""Two submissions, graded in one login session, cannot talk to each other.

Each test has its counterpart without a wall, where they can: so it is the wall that holds.
"""

import ctypes
import os
import sys
import threading
import time
from pathlib import Path

import pytest

from assignments.bank.channels import BEFORE, CHANNELS, HAND_DOWN, STAY, TAKE_OVER
from assignments.bank.entry import graded, released, row_of, solutions, submission
from rnn_course.sandbox import limits as limits_module
from rnn_course.sandbox import outside as sandbox
from rnn_course.sandbox.bare import BARE, command
from rnn_course.sandbox.inside.transport import read_messages, write_message
from rnn_course.sandbox.process import run_behind
from rnn_course.sandbox.walls import obstacle

NAME, MARK = "01_vanilla", "rnn_tutorial_was_here"
LIMITS = sandbox.Limits(seconds=4, memory=512 << 20, output=1 << 20)
pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux has the walls")


def without_filter(start):
    """Return the command of a worker that nothing holds but its limits."""
    (start.folder / "filter").write_bytes(b"")
    return command(start)


OPEN = BARE._replace(name="open", command=without_filter)


def talk(wall):
    """Return (names of channels through which something came, those that failed otherwise)."""
    starts = []

    def spied(start):
        starts.append(start)
        return wall.command(start)

    sending = [BEFORE, *(channel.send for channel in CHANNELS), STAY]
    task = cells(sending)
    sender = threading.Thread(target=run_behind, args=(wall._replace(command=spied), task, LIMITS))
    sender.start()
    while sender.is_alive() and not (starts and stays(starts[0], len(sending))):
        time.sleep(0.01)
    ended = run_behind(wall, cells([BEFORE, *(c.receive for c in CHANNELS)]), LIMITS)
    assert ended.how == "ended" and sender.is_alive()
    sender.join()
    raised = {
        CHANNELS[event["cell"] - 2].name: event["error"]["type"]
        for event, _ in read_messages(ended.output)
        if event["what"] == "cell raised"
    }
    return {name for name, kind in raised.items() if kind == "AssertionError"}, raised


def cells(sources):
    """Return the task of a submission of these cells."""
    numbered = list(enumerate(sources, 1))
    task = {"limits": LIMITS.for_worker(), "cells": numbered, "questions": []}
    return write_message(task, [])


def stays(start, cell):
    """Return True if the submission is at this cell, the last one."""
    try:
        events = [event for event, _ in read_messages(start.messages.read_bytes())]
    except OSError:
        return False
    return {"what": "cell", "cell": cell} in events


@pytest.fixture(scope="module", autouse=True)
def session():
    """A session with a keyring that all its processes have, as each login has one."""
    join = {"x86_64": 250, "aarch64": 219}.get(os.uname().machine)
    if join is None:
        pytest.skip("the numbers of this machine are not known to this test")
    assert ctypes.CDLL(None).syscall(join, 1, None) >= 0


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    """Who stays does so for as long as the processor time, no longer."""
    monkeypatch.setattr(limits_module, "LONGER", 1)
    monkeypatch.setattr(limits_module, "MORE", 0)
    monkeypatch.setattr(os, "getloadavg", lambda: (0.0, 0.0, 0.0))


def test_all_these_ways_to_talk_work_where_there_is_no_wall(monkeypatch):
    monkeypatch.setattr(os, "getuid", lambda: 1000)  # the tests may run as root
    came, raised = talk(OPEN)
    assert came == {channel.name for channel in CHANNELS}, raised


@pytest.fixture(params=[wall.name for wall in sandbox.walls() if wall.by_default])
def wall(request):
    """Return each wall that works here."""
    (wall,) = (wall for wall in sandbox.walls() if wall.name == request.param)
    if obstacle(wall):
        pytest.skip(f"{wall.name} is not at work here")
    return wall


def test_two_submissions_cannot_talk_behind_a_wall(wall):
    assert talk(wall)[0] == set()


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    return released(NAME, tmp_path_factory.mktemp("release"))


@pytest.fixture
def points(release, monkeypatch):
    """Return a function that grades submissions behind a wall, one after the other."""

    def grade(wall, *submissions):
        monkeypatch.setattr(sandbox, "choose", lambda name="": wall)
        monkeypatch.setattr(os, "getuid", lambda: 1000) if wall is OPEN else None
        return [graded(release, data, limits=LIMITS) for data in submissions]

    yield grade
    for folder in ("/tmp", "/dev/shm"):
        Path(folder, MARK).unlink(missing_ok=True)


def pair():
    """Return Ada's submission, all right and handed down, and Bob's, who answers nothing."""
    right = functions_of(NAME)
    text = "\n".join(right.values())
    give = f"{HAND_DOWN}gradient_norms = hand_down({text.encode()!r}) or gradient_norms"
    take = f"{TAKE_OVER}taken = dict(globals())\nnobody = exec(take_over(), taken)\n"
    take += "\n".join(f"{name} = nobody or taken[{name!r}]" for name in right)
    ada = submission(NAME, right, [give], at_the_end=True)
    bob = submission(NAME, {}, [take], at_the_end=True)
    return ada, bob


def functions_of(name):
    """Return {question: source} of the instructor's answers that are functions."""
    return {name: text for name, text in solutions(name).items() if f"def {name}(" in text}


def test_without_a_wall_bob_has_all_points_that_ada_has(points):
    ada, bob = points(OPEN, *pair())
    assert ada["points"] == bob["points"] == ada["out_of"]


def test_behind_a_wall_ada_has_all_points_and_bob_none(wall, points):
    ada, bob = points(wall, *pair())
    assert ada["points"] == ada["out_of"] and bob["points"] == 0


def thief_and_heir():
    """Return two submissions: one takes the instructor's answer that a second chance lends it."""
    answers = functions_of(NAME)
    first, later = "rnn_step", "rnn_unroll"
    wrong = f"def {first}(*arguments):\n    return None  # mine"
    loot = f"{HAND_DOWN}import marshal\ndef {later}(*arguments):\n"
    loot += f"    if {first}.__code__.co_consts != (None,):\n"
    loot += f"        hand_down(marshal.dumps({first}.__code__))\n    return None"
    thief = submission(NAME, answers | {first: wrong, later: loot})
    take = f"{TAKE_OVER}import marshal, types\n"
    take += f"{first} = types.FunctionType(marshal.loads(take_over()), globals())"
    return thief, submission(NAME, {}, [take], at_the_end=True)


def test_without_a_wall_the_instructors_answer_can_be_carried_out(points):
    _, heir = points(OPEN, *thief_and_heir())
    assert row_of(heir, "rnn_step")["status"] == "right"


def test_behind_a_wall_the_instructors_answer_stays_in(wall, points):
    _, heir = points(wall, *thief_and_heir())
    assert heir["points"] == 0
