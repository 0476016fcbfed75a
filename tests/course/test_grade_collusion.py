"""Two submissions, graded at the same time in one login session, cannot talk to each other."""

import ctypes
import os
import sys
import threading
import time

import pytest

from assignments.bank.channels import BEFORE, CHANNELS, STAY
from rnn_course.sandbox import outside as sandbox
from rnn_course.sandbox.bare import BARE, command
from rnn_course.sandbox.inside.transport import read_messages, write_message
from rnn_course.sandbox.process import run_behind
from rnn_course.sandbox.walls import obstacle

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
    limits = LIMITS._replace(processes=1 << 16)
    sender = threading.Thread(target=run_behind, args=(wall._replace(command=spied), task, limits))
    sender.start()
    while sender.is_alive() and not (starts and stays(starts[0], len(sending))):
        time.sleep(0.01)
    ended = run_behind(wall, cells([BEFORE, *(c.receive for c in CHANNELS)]), limits)
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


def test_all_these_ways_to_talk_work_where_there_is_no_wall(monkeypatch):
    monkeypatch.setattr(os, "getuid", lambda: 1000)  # the tests may run as root
    came, raised = talk(OPEN)
    assert came == {channel.name for channel in CHANNELS}, raised


@pytest.mark.parametrize("name", [wall.name for wall in sandbox.walls() if wall.by_default])
def test_two_submissions_cannot_talk_behind_a_wall(name):
    (wall,) = (wall for wall in sandbox.walls() if wall.name == name)
    if obstacle(wall):
        pytest.skip(f"{name} is not at work here")
    assert talk(wall)[0] == set()
