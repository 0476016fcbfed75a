"""What holds inside the sandbox: the limits everywhere, the walls where bubblewrap is at work."""

import contextlib
import glob
import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from rnn_course.sandbox import outside as sandbox
from rnn_course.sandbox.inside import syscalls
from rnn_course.sandbox.inside.transport import read_messages, write_message

LIMITS = sandbox.Limits(seconds=2, memory=512 << 20, output=1 << 20)
pytestmark = pytest.mark.skipif(os.name != "posix", reason="grading needs Linux or macOS")


def run(source, limits=LIMITS):
    """Return (how it ended, what it raised or None) of a submission of one cell."""
    task = {"limits": limits.for_worker(), "cells": [[1, source]], "questions": []}
    ended = sandbox.run(write_message(task, []), limits)
    raised = [
        event["error"] for event, _ in read_messages(ended.output) if event["what"] == "cell raised"
    ]
    return ended.how, (raised or [None])[0]


@pytest.fixture(params=["walls", "limits alone"])
def either(request, monkeypatch):
    """Both ways of running: with bubblewrap, where it works here, and without."""
    if request.param == "limits alone":
        monkeypatch.setattr(sandbox, "has_bubblewrap", lambda: False)
    elif not sandbox.has_bubblewrap():
        pytest.skip("bubblewrap is not at work here")


@pytest.fixture
def walls():
    if not sandbox.has_bubblewrap():
        pytest.skip("bubblewrap is not at work here")


def test_numpy_and_the_standard_library_are_there(either):
    assert run(
        "import numpy, json, socket, decimal, sqlite3\nnumpy.linalg.svd(numpy.ones((3, 3)))"
    ) == ("ended", None)


@pytest.mark.parametrize("name", ["rnn_tutorial", "matplotlib", "pytest", "pip"])
def test_no_other_package_can_be_imported_and_the_answers_least_of_all(either, name):
    assert run(f"__import__({name!r})")[1]["type"] == "ModuleNotFoundError"


def test_an_endless_loop_ends_after_its_time(either):
    start = time.perf_counter()
    assert run("while True: pass")[0] == "out of time"
    assert time.perf_counter() - start < 4


@pytest.mark.skipif(
    sys.platform == "darwin", reason="macOS has no limit on memory, as the warning says"
)
def test_memory_is_limited(either):
    assert run("import numpy\nnumpy.ones(1 << 31)")[1]["type"] in (
        "MemoryError",
        "_ArrayMemoryError",
    )


def test_output_is_limited(either):
    assert run("print('x' * 50_000_000)") == ("ended", None)
    write = "    try:\n        while True: os.write(number, bytes(65536))\n    except OSError: pass"
    flood = f"import os\nfor number in range(3, 64):\n{write}"
    task = {"limits": LIMITS.for_worker(), "cells": [[1, flood]], "questions": []}
    assert len(sandbox.run(write_message(task, []), LIMITS).output) == LIMITS.output


def test_what_python_itself_ends_with_is_told(either):
    assert run("import os\nos._exit(3)")[0] == "exit code 3"
    assert run("raise SystemExit(0)")[1]["type"] == "SystemExit"
    assert run("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)")[0] == "killed or crashed"


def test_the_environment_of_the_grader_is_not_there(either, monkeypatch):
    monkeypatch.setenv("A_SECRET_OF_THE_GRADER", "1")
    assert run("import os\nassert 'A_SECRET_OF_THE_GRADER' not in os.environ") == ("ended", None)


def test_no_file_of_the_grader_can_be_seen(walls, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("x", encoding="utf-8")
    for path in (secret, os.path.abspath(__file__), "/etc/passwd"):
        assert run(f"open({str(path)!r}).read()")[1]["type"] == "FileNotFoundError"


def test_nothing_can_be_written_but_a_little_scratch_that_is_gone_afterwards(walls):
    assert run("open('scratch', 'w').write('x')\nassert open('scratch').read() == 'x'") == (
        "ended",
        None,
    )
    assert run("open('scratch')")[1]["type"] == "FileNotFoundError"
    for place in ("/", "/grader/", "/libraries/numpy/", "/dev/shm/", "/proc/"):
        assert run(f"open({place!r} + 'x', 'w')")[1]["type"] in (
            "OSError",
            "PermissionError",
            "FileNotFoundError",
        ), place
    assert run("for k in range(100): open(f'x{k}', 'wb').write(bytes(500_000))")[1][
        "message"
    ].startswith("[Errno 28]")


@pytest.fixture
def filtered(either):
    if not sys.platform.startswith("linux") or os.uname().machine not in syscalls.MACHINES:
        pytest.skip("system calls cannot be filtered here")
    assert sandbox.has_filter()


def test_there_is_no_network(filtered):
    for host in ("127.0.0.1", "192.0.2.1"):
        assert (
            run(f"import socket\nsocket.create_connection(({host!r}, 80), 1)")[1]["type"]
            == "PermissionError"
        )
    assert (
        run("import socket\nsocket.getaddrinfo('localhost.example', 80)")[1]["type"] == "gaierror"
    )


def test_behind_the_walls_there_is_no_network_without_the_filter_either(walls):
    assert run(
        "lines = open('/proc/net/dev').readlines()[2:]\n"
        "assert [line.split(':')[0].strip() for line in lines] == ['lo']"
    ) == (
        "ended",
        None,
    )


@pytest.mark.parametrize(
    "call",
    [
        "os.setsid()",
        "os.setpgid(0, 0)",
        "os.kill(os.getppid(), 0)",
        "os.kill(-1, 0)",
        "os.memfd_create('x')",
        "resource.prlimit(os.getppid(), resource.RLIMIT_CPU)",
    ],
)
def test_the_ways_round_the_limits_are_shut(filtered, call):
    assert run(f"import os, resource\n{call}")[1]["type"] == "PermissionError"


def test_memory_that_is_in_no_address_space_cannot_be_had(filtered):
    calls = (
        "shmget(0, 1 << 20, 0o1600), l.msgget(0, 0o1600), l.unshare(0x10000000), "
        "l.mount(b'x', b'/tmp', b'tmpfs', 0, 0)"
    )
    assert run(f"import ctypes\nl = ctypes.CDLL(None)\nassert (l.{calls}) == (-1, -1, -1, -1)") == (
        "ended",
        None,
    )


def test_the_filter_knows_both_machines():
    for machine, (_, column) in syscalls.MACHINES.items():
        lines = syscalls.program(machine, 7)
        tables = (syscalls.REFUSED, syscalls.OWN_ONLY, syscalls.ZERO_ONLY)
        numbers = {numbers[column] for table in tables for numbers in table.values()}
        assert (
            numbers <= {value for code, *_, value in lines if code == syscalls.EQUAL}
            and len(lines) < 256
        )
        assert len(numbers) == sum(map(len, tables))


def test_processes_are_limited_and_none_is_left_behind(walls):
    name = f"left_{os.getpid()}"
    child = f"os.execv(sys.executable, [{name!r}, '-S', '-c', 'import time; time.sleep(60)'])"
    source = f"import os, sys\nwhile True:\n    if os.fork() == 0: {child}"
    assert (
        run(source)[1]["type"]
        == run(source, LIMITS._replace(processes=4))[1]["type"]
        == "BlockingIOError"
    )
    end = time.monotonic() + 2  # the kernel takes a moment to clear a world away
    while (left := processes_called(name)) and time.monotonic() < end:
        time.sleep(0.01)
    assert not left


def test_a_child_does_not_outlive_its_time_without_walls_either(filtered):
    name = f"left_{os.getpid()}"
    child = f"os.execv(sys.executable, [{name!r}, '-S', '-c', 'import time; time.sleep(60)'])"
    source = (
        "import os, sys\nif os.fork() == 0:\n    try: os.setsid()\n    except OSError: pass\n"
        f"    {child}\nwhile True: pass"
    )
    assert run(source, LIMITS._replace(processes=1 << 20, seconds=1))[0] == "out of time"
    end = time.monotonic() + 2
    while (left := processes_called(name)) and time.monotonic() < end:
        time.sleep(0.01)
    assert not left


def processes_called(name):
    found = []
    for file in glob.glob("/proc/[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            found += [file] if Path(file).read_bytes().startswith(name.encode()) else []
    return found


def test_it_is_no_root_inside_and_cannot_become_it(walls):
    assert run(
        "import os\nassert os.getuid() != 0 or not os.access('/grader/worker.py', os.W_OK)"
    ) == ("ended", None)
    status = (
        "next(line for line in open('/proc/self/status') if line.startswith('CapEff')).split()[1]"
    )
    assert run(f"assert int({status}, 16) == 0, {status}") == ("ended", None)


def test_without_walls_there_is_a_warning(monkeypatch):
    monkeypatch.setattr(sandbox, "has_bubblewrap", lambda: False)
    assert "bubblewrap" in sandbox.warning() and "files" in sandbox.warning()
    monkeypatch.setattr(sandbox, "has_filter", lambda: False)
    assert "network" in sandbox.warning() and "leave processes behind" in sandbox.warning()
    monkeypatch.setattr(os, "getuid", lambda: 0)
    assert "as root" in sandbox.refusal()
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    assert sandbox.refusal() is None
    monkeypatch.setattr(sandbox, "has_bubblewrap", lambda: True)
    assert sandbox.warning() is None


def test_cells_share_a_namespace_and_a_statement_that_raises_stops_no_other(either):
    task = {
        "limits": LIMITS.for_worker(),
        "cells": [[1, "1 / 0\nf = lambda x: x"]],
        "questions": ["f"],
    }
    ended = sandbox.run(write_message(task, [[(np.ones(2),)]]), LIMITS)
    messages = read_messages(ended.output)
    assert [event["error"]["type"] for event, _ in messages if event["what"] == "cell raised"] == [
        "ZeroDivisionError"
    ]
    assert [tree[0].tolist() for event, tree in messages if event["what"] == "answer"] == [
        [1, 1],
        [1, 1],
    ]
