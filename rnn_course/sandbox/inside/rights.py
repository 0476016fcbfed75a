"""What the worker opens, and the rights that it gives up before it runs a line of a submission.

It needs the standard library alone: the worker in the sandbox imports it. The filter of system
calls is not here: the wall sets it before the worker starts.
"""

import os

LIMITS = {
    "cpu": "RLIMIT_CPU",
    "memory": "RLIMIT_AS",
    "processes": "RLIMIT_NPROC",
    "file": "RLIMIT_FSIZE",
    "files": "RLIMIT_NOFILE",
    "core": "RLIMIT_CORE",
}


def open_files(task: str, messages: str) -> tuple[bytes, int]:
    """Return (the bytes of the task, the descriptor of the messages), and close all other files.

    Standard input, output and error are nothing from now on.
    """
    with open(task, "rb") as file:
        data = file.read()
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    os.closerange(3, 64)
    return data, os.open(messages, os.O_WRONLY)


def give_up(uid: int, limits: dict[str, int]) -> None:
    """Become the user `uid`, who owns no files, and lower all limits for good."""
    if uid and os.getuid() == 0:
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
    for name, limit in limits.items():
        lower(LIMITS[name], limit)


def lower(which: str, limit: int) -> None:
    """Set a limit for good, unless a lower one holds already."""
    import resource  # here: Windows, where grading does not run, has no such module

    number = getattr(resource, which)
    hard = resource.getrlimit(number)[1]
    limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
    try:
        resource.setrlimit(number, (limit, limit))
    except (ValueError, OSError):
        pass  # macOS has no such limit; the wall clock still holds
