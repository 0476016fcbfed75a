"""What holds inside the sandbox, behind every wall that works here and without one."""

import contextlib
import glob
import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from rnn_course.sandbox import bare, bubblewrap, containers, system_calls
from rnn_course.sandbox import limits as limits_module
from rnn_course.sandbox import outside as sandbox
from rnn_course.sandbox.inside.transport import read_messages, write_message
from rnn_course.sandbox.process import run_behind
from rnn_course.sandbox.start import Start
from rnn_course.sandbox.wall import Wall
from rnn_course.sandbox.walls import obstacle

LIMITS = sandbox.Limits(seconds=2, memory=512 << 20, output=1 << 20)
WALLS = {wall.name: wall for wall in sandbox.walls()}
pytestmark = pytest.mark.skipif(os.name != "posix", reason="grading needs Linux or macOS")


def run_cells(wall, sources, limits=LIMITS):
    """Return (how it ended, {source: what it raised}) of a submission of these cells."""
    cells = list(enumerate(sources))
    task = {"limits": limits.for_worker(), "cells": cells, "questions": []}
    ended = run_behind(wall, write_message(task, []), limits)
    events = [event for event, _ in read_messages(ended.output)]
    raised = {
        sources[event["cell"]]: event["error"] for event in events if event["what"] == "cell raised"
    }
    return ended.how, raised


def run(wall, source, limits=LIMITS):
    """Return (how it ended, what it raised or None) of a submission of one cell behind a wall."""
    how, raised = run_cells(wall, [source], limits)
    return how, raised.get(source)


def type_raised(wall, source):
    """Return the name of the type of what a cell raises behind a wall, or None."""
    raised = run(wall, source)[1]
    return raised and raised["type"]


@pytest.fixture(params=WALLS)
def either(request, monkeypatch):
    """Return each way of running that works here, "none" too."""
    wall = WALLS[request.param]
    if not wall.by_default:
        monkeypatch.setattr(os, "getuid", lambda: 1000)  # the tests may run as root
        return wall
    return working(wall)


@pytest.fixture(params=[name for name, wall in WALLS.items() if wall.by_default])
def wall(request):
    """Return each wall that works here."""
    return working(WALLS[request.param])


def working(wall):
    """Return the wall, or skip the test where it does not work."""
    if obstacle(wall):
        pytest.skip(f"{wall.name} is not at work here")
    return wall


@pytest.fixture
def filtered(either):
    if not sys.platform.startswith("linux"):
        pytest.skip("system calls cannot be filtered here")
    return either


def test_numpy_and_the_standard_library_are_there(either):
    source = "import numpy, json, socket, decimal, sqlite3, threading, tempfile\n"
    source += "numpy.linalg.svd(numpy.ones((300, 300)))\nnumpy.fft.fft2(numpy.ones((9, 9)))\n"
    source += "numpy.random.default_rng().random(3)\nnumpy.save('a.npy', numpy.ones(3))\n"
    source += "assert numpy.load('a.npy').sum() == 3\n"
    source += "sqlite3.connect(':memory:').execute('select 1')\ntempfile.mkdtemp()\n"
    assert run(either, f"import os\nos.chdir('/tmp')\nimport tempfile\n{in_scratch(source)}") == (
        "ended",
        None,
    )


def in_scratch(source):
    """Return the source, run in a folder of its own that is gone afterwards."""
    lines = "\n".join(f"    {line}" for line in source.splitlines())
    return f"with tempfile.TemporaryDirectory() as folder:\n    os.chdir(folder)\n{lines}"


def test_no_other_package_can_be_imported_and_the_answers_least_of_all(either):
    names = ("rnn_tutorial", "rnn_course", "matplotlib", "pytest", "pip", "pyseccomp")
    raised = run_cells(either, [f"__import__({name!r})" for name in names])[1]
    assert [error["type"] for error in raised.values()] == ["ModuleNotFoundError"] * len(names)


SHORT = LIMITS._replace(seconds=0.5)
DEAF = "import itertools, signal\n"
DEAF += "for one in (signal.SIGPROF, signal.SIGXCPU): signal.signal(one, signal.SIG_IGN)\n"
STOPPED = "import signal\nsignal.setitimer(signal.ITIMER_PROF, 0)\n"


def test_an_endless_loop_ends_after_its_processor_time(either, monkeypatch):
    monkeypatch.setattr(limits_module, "MORE", 600)  # it is not the real time that ends it
    assert run(either, "while True: pass", SHORT)[0] == "out of time"
    assert run(either, "import itertools\nsum(itertools.repeat(0))", SHORT)[0] == "out of time"
    assert run(either, STOPPED + "while True: pass", SHORT)[0] == "out of time"
    assert run(either, DEAF + "sum(itertools.repeat(0))", SHORT)[0] == "killed or crashed"


def test_a_limit_need_not_be_a_whole_second(either):
    left = "import signal\nassert 0 < signal.setitimer(signal.ITIMER_PROF, 0)[0] < 0.6"
    assert run(either, left, SHORT) == ("ended", None)


def test_who_has_to_wait_loses_no_time_and_who_waits_for_ever_is_ended(either, monkeypatch):
    """A process that waits for a busy machine is like one that sleeps."""
    assert run(either, "import time\ntime.sleep(1.1)", SHORT) == ("ended", None)
    monkeypatch.setattr(limits_module, "LONGER", 1)
    monkeypatch.setattr(limits_module, "MORE", 0)
    monkeypatch.setattr(os, "getloadavg", lambda: (0.0, 0.0, 0.0))
    assert run(either, "import time\ntime.sleep(600)", SHORT)[0] == "waited too long"


def test_the_real_time_is_a_multiple_of_the_processor_time_and_grows_with_the_load(monkeypatch):
    limits = [sandbox.Limits(seconds=s) for s in (1, 10, 30)]
    assert [one.elapsed for one in limits] == [11, 40, 120]
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    for load, times in ((0.5, 1), (2, 1), (14, 7)):
        monkeypatch.setattr(os, "getloadavg", lambda load=load: (load, 99, 99))
        assert [one.elapsed_now() for one in limits] == [11 * times, 40 * times, 120 * times]


@pytest.mark.skipif(
    sys.platform == "darwin", reason="macOS has no limit on memory, as the warning says"
)
def test_memory_is_limited(either):
    assert type_raised(either, "import numpy\nnumpy.ones(1 << 31)") in (
        "MemoryError",
        "_ArrayMemoryError",
    )


def test_output_is_limited(either):
    assert run(either, "print('x' * 50_000_000)") == ("ended", None)
    write = "    try:\n        while True: os.write(number, bytes(65536))\n    except OSError: pass"
    flood = f"import os\nfor number in range(3, 64):\n{write}"
    task = {"limits": LIMITS.for_worker(), "cells": [[1, flood]], "questions": []}
    assert len(run_behind(either, write_message(task, []), LIMITS).output) == LIMITS.output


def test_what_python_itself_ends_with_is_told(either):
    assert run(either, "import os\nos._exit(3)")[0] == "exit code 3"
    assert type_raised(either, "raise SystemExit(0)") == "SystemExit"
    assert run(either, "import ctypes\nctypes.string_at(0)")[0] == "killed or crashed"
    assert run(either, "import os\nos.abort()")[0] == "killed or crashed"


def test_the_environment_of_the_grader_is_not_there(either, monkeypatch):
    monkeypatch.setenv("A_SECRET_OF_THE_GRADER", "1")
    monkeypatch.setenv("HTTP_PROXY", "http://secret")
    look = "import os\nassert not {'A_SECRET_OF_THE_GRADER', 'HTTP_PROXY'} & set(os.environ)"
    assert run(either, look) == ("ended", None)


def test_no_file_of_the_grader_can_be_seen(wall, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("x", encoding="utf-8")
    paths = (secret, os.path.abspath(__file__), "/etc/passwd", "/etc/shadow", "/var", "/home")
    raised = run_cells(wall, [f"open({str(path)!r}).read()" for path in paths])[1]
    assert [error["type"] for error in raised.values()] == ["FileNotFoundError"] * len(paths)


def test_nothing_can_be_written_but_a_little_scratch_that_is_gone_afterwards(wall):
    source = "open('scratch', 'w').write('x')\nassert open('scratch').read() == 'x'"
    assert run(wall, source) == ("ended", None)
    assert type_raised(wall, "open('scratch')") == "FileNotFoundError"
    places = ("/", "/grader/", "/libraries/numpy/", "/dev/", "/dev/shm/", "/proc/", "/usr/lib/")
    raised = run_cells(wall, [f"open({place!r} + 'x', 'w')" for place in places])[1]
    refusals = {"OSError", "PermissionError", "FileNotFoundError"}
    assert len(raised) == len(places) and {e["type"] for e in raised.values()} <= refusals
    raised = run(wall, "for k in range(100): open(f'x{k}', 'wb').write(bytes(500_000))")[1]
    assert raised["message"].startswith("[Errno 28]")


def test_there_is_no_network(filtered):
    for host in ("127.0.0.1", "192.0.2.1"):
        connect = f"import socket\nsocket.create_connection(({host!r}, 80), 1)"
        assert type_raised(filtered, connect) == "PermissionError"
    name = "import socket\nsocket.getaddrinfo('localhost.example', 80)"
    assert type_raised(filtered, name) == "gaierror"


LIBRARY = "l = ctypes.CDLL(None, use_errno=True)\nread = open(os.__file__)\n"


REFUSED = (
    "os.setsid()",
    "os.setpgid(0, 0)",
    "os.fork()",
    "os.execv(sys.executable, ['python'])",
    "os.kill(os.getppid(), 0)",
    "os.kill(-1, 0)",
    "signal.pidfd_send_signal(0, 0)",
    "os.pidfd_open(os.getpid())",
    "os.memfd_create('x')",
    "os.pipe()",
    "os.eventfd(0)",
    "os.mkfifo('/tmp/x')",
    "socket.socketpair()",
    "select.epoll()",
    "resource.prlimit(os.getpid(), resource.RLIMIT_CPU)",
    "os.setpriority(os.PRIO_PROCESS, 0, 5)",
    "os.sched_setaffinity(0, {0})",
    "os.setuid(0)",
    "os.utime('/dev/null')",
    "os.setxattr('/tmp', 'user.x', b'x')",
    "os.statvfs('/')",
    "os.posix_fallocate(0, 0, 1)",
    "os.posix_fadvise(read.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)",
    "os.preadv(read.fileno(), [bytearray(9)], 0, os.RWF_NOWAIT)",
    "fcntl.flock(read, fcntl.LOCK_SH)",
    "fcntl.lockf(read, fcntl.LOCK_SH)",
    "fcntl.fcntl(read, 1024, fcntl.F_RDLCK)",  # a lease
    "fcntl.fcntl(read, 1031, 4096)",  # the size of a pipe
    "fcntl.fcntl(read, 1036, bytes([2] + [0] * 7))",  # a hint, kept with the file
)


def test_a_call_that_is_not_on_the_list_is_refused(filtered):
    names = "import os, sys, socket, select, signal, fcntl, resource, ctypes"
    how, raised = run_cells(filtered, [f"{names}\n{LIBRARY}", *REFUSED])
    assert how == "ended" and [raised[call]["type"] for call in raised] == [
        "PermissionError"
    ] * len(REFUSED)
    assert set(raised) == set(REFUSED)


MINUS_ONE = (
    "l.shmget(0, 1 << 20, 0o1600)",
    "l.msgget(0, 0o1600)",
    "l.semget(0, 1, 0o1600)",
    "l.mq_open(b'/x', 0o102, 0o600, 0)",
    "l.unshare(0x10000000)",
    "l.mount(b'x', b'/tmp', b'tmpfs', 0, 0)",
    "l.inotify_init1(0)",
    "l.fanotify_init(0, 0)",
    "l.personality(0)",
    "l.prctl(15, b'name', 0, 0, 0)",
    "l.ptrace(0, 0, 0, 0)",
    "l.mincore(ctypes.c_void_p(0), 0, ctypes.create_string_buffer(1))",
    "l.sysinfo(ctypes.create_string_buffer(256))",
    "l.madvise(ctypes.c_void_p(0), 0, 12)",  # merge equal pages
    "l.sched_setscheduler(0, 3, ctypes.create_string_buffer(8))",
    "(l.mmap(None, 1 << 21, 3, 0x40022, -1, 0) & 0xffffffff) - (1 << 32)",  # huge pages
)


def test_memory_and_news_that_no_limit_counts_cannot_be_had(filtered):
    cells = [f"assert {call} == -1" for call in MINUS_ONE]
    assert run_cells(filtered, [f"import ctypes, os\n{LIBRARY}", *cells]) == ("ended", {})


def test_what_has_no_name_in_the_library_is_refused_as_well(filtered):
    # add_key, keyctl, futex without the private flag, io_uring_setup, and a call of the future
    numbers = {"x86_64": (248, 250, 202, 425, 1000), "aarch64": (217, 219, 98, 425, 1000)}
    here = numbers.get(os.uname().machine)
    if here is None:
        pytest.skip("the numbers of this machine are not known to this test")
    source = f"import ctypes\nl = ctypes.CDLL(None, use_errno=True)\nfor n in {here}:\n"
    source += "    assert l.syscall(n, 0, 0, 0, 0, 0, 0) == -1 and ctypes.get_errno() == 1, n"
    assert run(filtered, source) == ("ended", None)


def test_a_name_that_libseccomp_does_not_know_is_left_out(monkeypatch):
    pytest.importorskip("pyseccomp")
    whole = system_calls.as_program()
    monkeypatch.setattr(system_calls, "ALLOWED", (*system_calls.ALLOWED, "a_call_of_the_future"))
    assert system_calls.as_program.__wrapped__() == whole


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="there is a filter on Linux only")
def test_without_libseccomp_nothing_is_graded_and_it_is_said_what_to_install(monkeypatch):
    def missing():
        raise RuntimeError("Unable to find libseccomp")

    monkeypatch.setattr("rnn_course.sandbox.start.as_program", missing)
    fresh_trials()
    try:
        assert "libseccomp" in sandbox.refusal()
        with pytest.raises(ValueError, match="libseccomp"):
            sandbox.run(b"", LIMITS)
    finally:
        fresh_trials()


def fresh_trials():
    """Forget which walls work."""
    obstacle.cache_clear()


def test_processes_are_limited_and_none_is_left_behind(wall):
    name = f"left_{os.getpid()}"
    source = (
        "import os, sys, threading\nfor _ in range(9):\n"
        f"    try: os.fork() or os.execv(sys.executable, [{name!r}, '-c', 'input()'])\n"
        "    except OSError: pass\n"
        "try: threading.Thread(target=print).start()\nexcept RuntimeError: pass\n"
        "else: raise AssertionError"
    )
    assert run(wall, source) == ("ended", None)
    assert not processes_called(name)


def processes_called(name):
    found = []
    for file in glob.glob("/proc/[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            found += [file] if name.encode() in Path(file).read_bytes() else []
    return found


def test_a_process_that_is_killed_leaves_no_container(wall, monkeypatch):
    started = []
    command = wall.command
    spied = wall._replace(command=lambda start: started.append(start) or command(start))
    assert run(spied, "while True: pass", SHORT)[0] == "out of time"
    end = time.monotonic() + 5
    while (left := processes_called(started[0].folder.name)) and time.monotonic() < end:
        time.sleep(0.05)
    assert not left and not started[0].folder.exists()


def test_it_is_no_root_inside_and_cannot_become_it(wall):
    assert run(
        wall, "import os\nassert os.getuid() != 0 or not os.access('/grader/worker.py', os.W_OK)"
    ) == ("ended", None)
    assert type_raised(wall, "import os\nos.chown('/tmp', 0, 0)") == "PermissionError"


def test_behind_bubblewrap_there_is_no_proc_and_no_device_but_five():
    wall = working(WALLS["bubblewrap"])
    devices = "['full', 'null', 'random', 'urandom', 'zero']"
    source = f"import os\nassert sorted(os.listdir('/dev')) == {devices}\n"
    assert run(wall, source + "assert not os.path.exists('/proc')") == ("ended", None)


def test_behind_podman_the_machine_cannot_be_watched():
    wall = working(WALLS["podman"])
    source = "for name in ('meminfo', 'loadavg', 'stat', 'locks', 'keys', 'uptime'):\n"
    source += "    assert not open('/proc/' + name).read(), name"
    assert run(wall, source) == ("ended", None)


# The wall by itself, without the filter.


def pieces(command):
    """Return the options of a command, each with its value: "--network none"."""
    return {" ".join(pair) for pair in zip(command, command[1:])} | set(command)


@pytest.fixture
def start(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "getloadavg", lambda: (0.0, 0.0, 0.0))
    return Start.new(tmp_path, LIMITS, b"")


def test_the_command_of_podman_piece_by_piece(start, monkeypatch):
    monkeypatch.setattr(containers.shutil, "which", lambda name: f"/usr/bin/{name}")
    command = containers.podman(start)
    asked = "--rm|--read-only|--read-only-tmpfs=false|--network none|--ipc none|--cap-drop ALL"
    asked += "|--security-opt no-new-privileges|--pids-limit 64|--http-proxy=false|--timeout 42"
    asked += f"|--memory {(512 + 64) << 20}|--ulimit nofile=64:64|--ulimit nproc=64:64"
    asked += f"|--rootfs {start.folder}/root|--volume {start.folder}/task:/task:ro"
    asked += f"|--volume {start.folder}/messages:/messages:rw"
    assert set(asked.split("|")) <= pieces(command)
    volumes = [after for before, after in zip(command, command[1:]) if before == "--volume"]
    assert [v for v in volumes if not v.endswith(":ro")] == [
        f"{start.folder}/messages:/messages:rw"
    ]
    places = [volume.split(":")[0] for volume in volumes]
    assert not {"/", "/home", "/etc", "/proc", "/dev", "/run", str(Path.home())} & set(places)
    assert not {"--privileged", "--detach"} & set(command)
    removed = containers.PODMAN.clean(start)
    assert removed[-5:-1] == ["rm", "--force", "--time", "0"] and f"--name {removed[-1]}" in pieces(
        command
    )


def test_the_command_of_docker_piece_by_piece(start, monkeypatch):
    monkeypatch.setattr(containers.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(containers, "make_image", lambda: None)
    command = containers.docker(start)
    asked = "--rm|--read-only|--network none|--ipc none|--cap-drop ALL|--pull never"
    asked += "|--security-opt no-new-privileges|--pids-limit 64"
    assert set(asked.split("|")) <= pieces(command)
    (user,) = [after for before, after in zip(command, command[1:]) if before == "--user"]
    assert 60_000 <= int(user.split(":")[0]) < 65_536
    assert command[command.index(containers.IMAGE) :][1].endswith(os.path.basename(bare.PYTHON[0]))


def test_the_command_of_bubblewrap_piece_by_piece(start, monkeypatch):
    monkeypatch.setattr(bubblewrap.shutil, "which", lambda name: f"/usr/bin/{name}")
    command = bubblewrap.command(start)
    asked = "--die-with-parent --new-session --unshare-pid --unshare-net --unshare-ipc"
    assert {*asked.split(), "--cap-drop ALL", "--remount-ro /"} <= pieces(command)
    written = [after for before, after in zip(command, command[1:]) if before == "--bind"]
    assert written == [f"{start.folder}/messages"]
    assert "--proc" not in command and "--dev" not in command


# Which wall is chosen.


def made_up(name, reason="", by_default=True):
    """Return a wall that works, or does not for this reason."""

    def command(start):
        if reason:
            raise OSError(reason)
        return ["true"]

    return Wall(name, command, lambda start: [], "It holds.", "It lacks.", by_default)


@pytest.fixture
def made_up_walls(monkeypatch):
    """Return a function that puts walls in the place of ours."""

    def put(*new):
        monkeypatch.setattr("rnn_course.sandbox.walls.walls", lambda: new)
        monkeypatch.setattr(
            "rnn_course.sandbox.walls.obstacle",
            lambda wall: str(next(iter(tries(wall)), "")),
        )

    return put


def tries(wall):
    try:
        wall.command(None)
    except OSError as error:
        yield error


def test_the_first_wall_that_works_is_chosen_and_none_only_by_its_name(made_up_walls):
    made_up_walls(made_up("a", "is not there"), made_up("b"), made_up("c"), made_up("d", "", False))
    assert [sandbox.choose(name).name for name in ("", "c", "d")] == ["b", "c", "d"]
    assert sandbox.warning() is None and "It lacks." in sandbox.warning("d")
    with pytest.raises(ValueError, match="a: is not there"):
        sandbox.choose("a")
    with pytest.raises(ValueError, match="expected one of a, b, c, d, got 'e'"):
        sandbox.choose("e")
    made_up_walls(made_up("a", "is not there"), made_up("d", "", False))
    assert "a: is not there" in sandbox.refusal() and "--wall none" in sandbox.refusal()
    assert sandbox.refusal("d") is None


def test_our_walls_are_in_this_order_and_say_what_they_hold():
    assert [wall.name for wall in sandbox.walls()] == ["podman", "bubblewrap", "docker", "none"]
    assert [wall.by_default for wall in sandbox.walls()] == [True, True, True, False]
    page = Path(__file__).resolve().parents[2] / "assignments" / "README.md"
    text = page.read_text(encoding="utf-8")
    assert all(wall.holds in text and wall.lacks in text for wall in sandbox.walls())


def test_a_wall_is_tried_once(monkeypatch):
    tried = []
    wall = made_up("x")._replace(command=lambda start: tried.append(1) or ["false"])
    assert obstacle(wall) == obstacle(wall) != "" and len(tried) == 1


def test_a_wall_that_does_not_start_is_no_fault_of_the_submission():
    counted = ["sh", "-c", "echo no room >&2; exit 125"]
    tried = []
    wall = made_up("x")._replace(command=lambda start: tried.append(1) or counted)
    with pytest.raises(OSError, match="x did not start: no room"):
        run(wall, "pass")
    assert len(tried) == 3


def test_root_needs_a_wall(start, monkeypatch):
    monkeypatch.setattr(os, "getuid", lambda: 0)
    with pytest.raises(PermissionError, match="root"):
        bare.command(start)


def test_cells_share_a_namespace_and_a_statement_that_raises_stops_no_other(either):
    task = {
        "limits": LIMITS.for_worker(),
        "cells": [[1, "1 / 0\nf = lambda x: x"]],
        "questions": ["f"],
    }
    ended = run_behind(either, write_message(task, [[(np.ones(2),)]]), LIMITS)
    messages = read_messages(ended.output)
    assert [event["error"]["type"] for event, _ in messages if event["what"] == "cell raised"] == [
        "ZeroDivisionError"
    ]
    assert [tree[0].tolist() for event, tree in messages if event["what"] == "answer"] == [
        [1, 1],
        [1, 1],
    ]
