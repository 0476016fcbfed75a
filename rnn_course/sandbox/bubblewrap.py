"""The wall "bubblewrap": namespaces without a daemon and without an image. Linux."""

import os
import shutil

from rnn_course.sandbox.limits import MIB
from rnn_course.sandbox.start import Start, site_folders, visible, worker
from rnn_course.sandbox.wall import Wall

__all__ = ["BUBBLEWRAP", "command"]

DEVICES = ("null", "zero", "full", "random", "urandom")


def command(start: Start) -> list[str]:
    """Return the command that runs the worker in bubblewrap.

    There is no /proc, which would tell of the machine, and nothing can be written but 16 MiB in
    /tmp and the messages. If the grader is root, the worker keeps the two capabilities that it
    needs to become another user, and loses them when it does: limits do not bind root.

    Raises: OSError if bubblewrap is not installed.
    """
    program = shutil.which("bwrap")
    if not program:
        raise FileNotFoundError("bwrap is not installed (apt-get install bubblewrap)")
    wrap = [program, "--die-with-parent", "--new-session"]
    wrap += [f"--unshare-{kind}" for kind in ("pid", "net", "ipc", "uts", "cgroup-try")]
    wrap += ["--cap-drop", "ALL"]
    root = os.getuid() == 0
    wrap += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"] if root else ["--unshare-user"]
    seen = visible(start)
    above = {parent for path in seen for parent in parents(path)} | {"/dev", "/usr"}
    for folder in sorted(above):
        # Without --perms, bubblewrap makes a folder for its own user alone.
        wrap += ["--perms", "0755", "--dir", folder]
    for inside, path in seen.items():
        wrap += ["--ro-bind", path, inside]
    for path in site_folders():
        wrap += ["--tmpfs", path, "--remount-ro", path]
    for name in DEVICES:
        wrap += ["--dev-bind", f"/dev/{name}", f"/dev/{name}"]
    wrap += ["--bind", str(start.messages), "/messages"]
    wrap += ["--size", str(16 * MIB), "--perms", "1777", "--tmpfs", "/tmp", "--chdir", "/tmp"]
    return [*wrap, "--remount-ro", "/", "--", *worker(start.uid if root else 0)]


def parents(path: str) -> list[str]:
    """Return the folders above a path, without the root: "/a/b/c" gives /a and /a/b."""
    names = path.split("/")[1:-1]
    return ["/" + "/".join(names[: n + 1]) for n in range(len(names))]


def nothing(start: Start) -> list[str]:
    """Return no command: bubblewrap dies with its group, and all that it started with it."""
    return []


BUBBLEWRAP = Wall(
    "bubblewrap",
    command,
    nothing,
    holds="It sees Python, NumPy, the libraries in /usr/lib and 16 MiB of scratch, no file of "
    "yours, no other process and no network, and it asks the kernel for what is on a list only.",
    lacks="It shares the kernel with you, and is you to it, unless you grade as root.",
)
