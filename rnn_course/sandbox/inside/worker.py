"""What runs inside the sandbox, on its own: the cells of one submission, then its functions on the cases it is handed.

It imports nothing but the standard library, NumPy, `transport`, `calls` and `syscalls`, and it knows no right answer. Everything
it learns goes home through one file, message by message, so that what was done before a crash is not lost. A submission can
forge any message; all it can forge is its own answer, and that is compared outside.

    python -I -S worker.py PLACE_OF_NUMPY UID < task > messages

The task is one message: event {"limits": …, "cells": [[number, source], …], "questions": [name, …]}, and as its tree the
arguments of the cases, question by question.
"""

import ast
import os
import sys

LIMITS = {
    "cpu": "RLIMIT_CPU",
    "memory": "RLIMIT_AS",
    "processes": "RLIMIT_NPROC",
    "file": "RLIMIT_FSIZE",
    "files": "RLIMIT_NOFILE",
    "core": "RLIMIT_CORE",
}


def main(place, uid):
    """Read the task, shut the door, run the cells, call the functions."""
    sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), place]
    import calls  # noqa: F401  while the file can be read for certain
    import syscalls
    import transport

    ((task, arguments),) = transport.read_messages(sys.stdin.buffer.read())
    home = os.fdopen(os.dup(1), "wb", buffering=0)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    drop_privileges(uid)
    for name, limit in task["limits"].items():
        lower(LIMITS[name], limit)
    syscalls.shut()

    def tell(event, tree=None):
        home.write(transport.write_message(event, tree))

    namespace = {"__name__": "__main__"}
    run_cells(task["cells"], namespace, tell)
    for name, cases in zip(task["questions"], arguments):
        ask(name, cases, namespace, tell)
    tell({"what": "end"})
    home.flush()
    os._exit(0)  # threads and exit handlers of the submission have no say


def drop_privileges(uid):
    """Become the user `uid`, who owns nothing, if the grader is root; else stay who one is."""
    if uid and os.getuid() == 0:
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)


def lower(which, limit):
    """Set a limit for good, unless a lower one is in force."""
    import resource  # Windows has none, and grades nothing

    which = getattr(resource, which)
    hard = resource.getrlimit(which)[1]
    limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
    try:
        resource.setrlimit(which, (limit, limit))
    except (ValueError, OSError):
        pass  # macOS has no such limit; the wall clock still holds


def run_cells(cells, namespace, tell):
    """Run each cell in the one namespace, as a notebook does; tell which is running, and what it raised."""
    from calls import describe

    for number, source in cells:
        tell({"what": "cell", "cell": number})
        try:
            exec(compile(without_magics(source), f"<cell {number}>", "exec"), namespace)
        except BaseException as error:  # SystemExit too: the next cell still has its chance
            tell({"what": "cell raised", "cell": number, "error": describe(error)})


def without_magics(source):
    """Return the source with the lines that only IPython understands made into `pass`, if it needs that to be Python."""
    try:
        ast.parse(source)
        return source
    except SyntaxError:
        lines = source.split("\n")
        return "\n".join("pass" if line.startswith(("%", "!")) else line for line in lines)


def ask(name, cases, namespace, tell):
    """Call the function `name` on its cases and tell what it gave, call by call."""
    from calls import call_on_cases

    tell({"what": "question", "question": name})
    function = namespace.get(name)
    if not callable(function):
        tell({"what": "missing", "question": name})
        return
    for event, tree in call_on_cases(function, cases, namespace):
        tell(event | {"question": name}, tree)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
