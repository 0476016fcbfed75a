"""What the worker opens, and the rights that it gives up before it runs a line of a submission.

It needs the standard library alone: the worker in the sandbox imports it. The filter of system
calls comes from outside, ready for the kernel.
"""

import math
import os
import signal
import struct
import time

LIMITS = {
    "memory": "RLIMIT_AS",
    "processes": "RLIMIT_NPROC",
    "file": "RLIMIT_FSIZE",
    "files": "RLIMIT_NOFILE",
    "core": "RLIMIT_CORE",
}


PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, FILTER = 22, 38, 2


def open_files(task: str, rules: str, messages: str) -> tuple[bytes, bytes, int]:
    """Return (the task, the filter, the descriptor of the messages), and close all other files.

    Standard input, output and error are nothing from now on.
    """
    with open(task, "rb") as file, open(rules, "rb") as filter_file:
        data, program = file.read(), filter_file.read()
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    os.closerange(3, 64)
    return data, program, os.open(messages, os.O_WRONLY)


def give_up(uid: int, limits: dict[str, float], program: bytes) -> None:
    """Become the user `uid`, who owns no files, lower all limits and set the filter, for good."""
    if uid and os.getuid() == 0:
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
    end_after(limits["cpu"])
    for name, number in LIMITS.items():
        lower(number, int(limits[name]), int(limits[name]))
    if program:
        shut(program)


def end_after(seconds: float) -> None:
    """Stop this process after some seconds of processor time more.

    A timer ends it on time, with the signal's number as the exit code: the first process of a
    container does not die of a signal by itself. The kernel's limit counts whole seconds and cannot
    be taken off: it ends a process that stops the timer, and a second later one that ignores it.
    """
    import ctypes

    library = ctypes.CDLL(None)
    for number in (signal.SIGPROF, signal.SIGXCPU):
        library.signal(number, ctypes.cast(library._exit, ctypes.c_void_p))
    limit = math.ceil(time.process_time() + seconds)
    lower("RLIMIT_CPU", limit, limit + 1)
    signal.setitimer(signal.ITIMER_PROF, seconds)


def lower(which: str, limit: int, most: int) -> None:
    """Set a limit, and for good the most it can be set to, unless lower ones hold already."""
    import resource  # here: Windows, where grading does not run, has no such module

    number = getattr(resource, which)
    hard = resource.getrlimit(number)[1]
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    try:
        resource.setrlimit(number, (min(limit, most), most))
    except (ValueError, OSError):
        pass  # macOS has no such limit; the wall clock still holds


def shut(program: bytes) -> None:
    """Put this process under a filter of system calls for good.

    Raises: OSError if the kernel does not take it.
    """
    import ctypes

    lines = ctypes.create_string_buffer(program, len(program))
    whole = struct.pack("@HP", len(program) // 8, ctypes.addressof(lines))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    prctl.argtypes = [ctypes.c_int, ctypes.c_ulong, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_ulong]
    if prctl(PR_SET_NO_NEW_PRIVS, 1, None, 0, 0) or prctl(PR_SET_SECCOMP, FILTER, whole, 0, 0):
        raise OSError(ctypes.get_errno(), "the kernel does not take the filter of system calls")
