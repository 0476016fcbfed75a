"""Ways for two submissions to talk to each other. Their code is text, so that the sandbox runs it.

Each works between two ordinary processes of a user. A test shows this first, and then that none
works between two submissions.
"""

from typing import NamedTuple

__all__ = ["BEFORE", "CHANNELS", "HAND_DOWN", "STAY", "TAKE_OVER", "Channel"]


class Channel(NamedTuple):
    """A way to talk."""

    name: str
    send: str  # cell of one submission; it may append functions to `acts`, which STAY calls
    receive: str  # cell of the other, which runs at the same time: fails if something came through


BEFORE = """
import ctypes, fcntl, glob, mmap, os, select, signal, socket, struct, sys, time
import numpy as np
MARK = b"rnn_tutorial_was_here"
c = ctypes.CDLL(None, use_errno=True)
intel = os.uname().machine == "x86_64"
ADD_KEY, KEYCTL, FUTEX = (248, 250, 202) if intel else (217, 219, 98)
shared = open(os.__file__, "rb")
acts, kept = [], []
def word():
    kept.append(mmap.mmap(shared.fileno(), 4096, mmap.MAP_SHARED, mmap.PROT_READ))
    array = np.frombuffer(kept[-1], np.int32)
    return ctypes.c_void_p(array.ctypes.data), int(array[0])
"""
STAY = """
while True:
    time.sleep(0.001)
    for act in acts:
        try: act()
        except OSError: pass
"""

CHANNELS = (
    Channel(
        "keyring",
        "c.syscall(ADD_KEY, b'user', MARK, b'x', 1, -3)",
        "assert c.syscall(KEYCTL, 10, -3, b'user', MARK, 0) < 0",
    ),
    Channel(
        "futex in a library",
        "place, value = word()\n"
        "limit = struct.pack('qq', 0, 10_000_000)\n"
        "acts.append(lambda: c.syscall(FUTEX, place, 0, value, limit, None, 0))",
        "place, value = word()\n"
        "woken = [time.sleep(0.001) or c.syscall(FUTEX, place, 1, 9, None, None, 0)"
        " for _ in range(200)]\n"
        "assert max(woken) < 1",
    ),
    Channel(
        "hint kept with a file",
        "fcntl.fcntl(shared, 1036, struct.pack('Q', 4))",
        "hint, = struct.unpack('Q', fcntl.fcntl(shared, 1035, bytes(8)))\n"
        "fcntl.fcntl(shared, 1036, bytes(8))\n"
        "assert hint != 4",
    ),
    Channel(
        "lock on a file",
        "fcntl.flock(shared, fcntl.LOCK_SH)",
        "other = open(os.__file__, 'rb')\n"
        "try: fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)\n"
        "except BlockingIOError: raise AssertionError",
    ),
    Channel(
        "lock on a part of a file",
        "part = open(struct.__file__, 'rb')\nfcntl.lockf(part, fcntl.LOCK_SH, 1, 7)",
        "asked = struct.pack('hhqqi4x', fcntl.F_WRLCK, 0, 7, 1, 0)\n"
        "found = fcntl.fcntl(open(struct.__file__, 'rb'), fcntl.F_GETLK, asked)\n"
        "assert struct.unpack('hhqqi4x', found)[0] == fcntl.F_UNLCK",
    ),
    Channel(
        "opening a file",
        "acts.append(lambda: open(os.__file__).close())",
        "watch = c.inotify_init1(0o4000)\n"
        "c.inotify_add_watch(watch, os.__file__.encode(), 0x20)\n"
        "time.sleep(0.3)\n"
        "try: seen = os.read(watch, 4096)\n"
        "except BlockingIOError: seen = b''\n"
        "assert not seen",
    ),
    Channel(
        "time stamp of a device",
        "acts.append(lambda: os.utime('/dev/null'))",
        "stamps = [time.sleep(0.1) or os.stat('/dev/null').st_mtime_ns for _ in range(4)]\n"
        "assert len(set(stamps)) == 1",
    ),
    Channel(
        "abstract socket",
        "s = socket.socket(socket.AF_UNIX); s.bind(b'\\0' + MARK); s.listen()",
        "try: socket.socket(socket.AF_UNIX).connect(b'\\0' + MARK)\n"
        "except OSError: pass\nelse: raise AssertionError",
    ),
    Channel(
        "port",
        "t = socket.create_server(('127.0.0.1', 47_311))",
        "try: socket.create_connection(('127.0.0.1', 47_311), 1)\n"
        "except OSError: pass\nelse: raise AssertionError",
    ),
    Channel(
        "shared memory of System V",
        "c.shmget(0x524e4e, 4096, 0o1600)",
        "found = c.shmget(0x524e4e, 0, 0)\nc.shmctl(found, 0, None)\nassert found < 0",
    ),
    Channel(
        "queue of System V",
        "c.msgget(0x524e4e, 0o1600)",
        "found = c.msgget(0x524e4e, 0)\nc.msgctl(found, 0, None)\nassert found < 0",
    ),
    Channel(
        "POSIX queue",
        "c.mq_open(b'/' + MARK, os.O_CREAT | os.O_RDWR, 0o600, None)",
        "found = c.mq_open(b'/' + MARK, os.O_RDWR)\nc.mq_unlink(b'/' + MARK)\nassert found < 0",
    ),
    Channel(
        "file in /tmp",
        "open(b'/tmp/' + MARK, 'w')",
        "try: os.remove(b'/tmp/' + MARK)\nexcept OSError: pass\nelse: raise AssertionError",
    ),
    Channel(
        "file in /dev/shm",
        "open(b'/dev/shm/' + MARK, 'w')",
        "try: os.remove(b'/dev/shm/' + MARK)\nexcept OSError: pass\nelse: raise AssertionError",
    ),
    Channel(
        "name of a process",
        "c.prctl(15, MARK[:15], 0, 0, 0)",
        "names = [open(name, 'rb').read(15) for name in glob.glob('/proc/[0-9]*/comm')]\n"
        "assert MARK[:15] not in names",
    ),
    Channel(
        "descriptor of another process",
        "os.write(os.memfd_create('rnn_tutorial_was_here'), b'x')",
        "def target(link):\n"
        "    try: return os.readlink(link)\n"
        "    except OSError: return ''\n"
        "links = map(target, glob.glob('/proc/[0-9]*/fd/*'))\n"
        "assert not any('rnn_tutorial_was_here' in link for link in links)",
    ),
)

# What stays when its sender has ended.
HAND_DOWN = f"""{BEFORE}
def hand_down(data):
    c.syscall(ADD_KEY, b"user", MARK, data, len(data), -3)
    for folder in (b"/tmp/", b"/dev/shm/"):
        try: open(folder + MARK, "wb").write(data)
        except OSError: pass
"""
TAKE_OVER = f"""{BEFORE}
def take_over():
    space = ctypes.create_string_buffer(1 << 15)
    key = c.syscall(KEYCTL, 10, -3, b"user", MARK, 0)
    size = c.syscall(KEYCTL, 11, key, space, len(space)) if key > 0 else 0
    if size > 0: return space.raw[:size]
    for folder in (b"/tmp/", b"/dev/shm/"):
        try: return open(folder + MARK, "rb").read()
        except OSError: pass
"""
