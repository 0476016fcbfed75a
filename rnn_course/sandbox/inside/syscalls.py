"""What a submission cannot ask the kernel for: a filter of system calls (seccomp) that stays.

Limits on address space do not count memory that is in no address space, and a process that starts
its own session leaves the process group that is killed at the end. The filter closes such ways,
with bubblewrap and without it. Without bubblewrap, only the filter closes the network. It needs the
standard library alone: the worker in the sandbox imports it. Linux on x86_64 and aarch64.
"""

import ctypes
import os
import struct
import sys

MACHINES = {
    "x86_64": (0xC000003E, 0),
    "aarch64": (0xC00000B7, 1),
}  # the kernel's number of the machine, and its column in the tables below
REFUSED = {
    # memory that no limit counts
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "msgget": (68, 186),
    "semget": (64, 190),
    # new namespaces, with file systems in memory
    "mount": (165, 40),
    "fsopen": (430, 430),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "unshare": (272, 97),
    "setns": (308, 268),
    # the network, also through io_uring
    "socket": (41, 198),
    "io_uring_setup": (425, 425),
    # leaving the group of processes that is killed at the end
    "setsid": (112, 157),
    "setpgid": (109, 154),
    # other processes of the same user
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_open": (434, 434),
    "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
}
OWN_ONLY = {
    "kill": (62, 129),
    "tgkill": (234, 131),
}  # allowed on the process itself, which a crash needs
ZERO_ONLY = {"prlimit64": (302, 261)}  # 0 is the process itself

LOAD, EQUAL, AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06  # instructions of a filter
ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050001, 0x80000000  # REFUSE: with EPERM
NUMBER, MACHINE, FIRST_ARGUMENT = 0, 4, 16  # offsets in the description of a call
X32 = 0x40000000  # the same calls of x86_64 under other numbers
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, FILTER = 22, 38, 2


def shut() -> bool:
    """Return True if this process and all that it starts are under the filter from now on.

    Return False where there is no such filter.
    """
    machine = os.uname().machine
    if not sys.platform.startswith("linux") or machine not in MACHINES:
        return False
    code = b"".join(struct.pack("<HBBI", *line) for line in program(machine, os.getpid()))
    lines = ctypes.create_string_buffer(code, len(code))
    whole = struct.pack("@HP", len(code) // 8, ctypes.addressof(lines))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    prctl.argtypes = [ctypes.c_int, ctypes.c_ulong, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_ulong]
    return (
        prctl(PR_SET_NO_NEW_PRIVS, 1, None, 0, 0) == 0
        and prctl(PR_SET_SECCOMP, FILTER, whole, 0, 0) == 0
    )


def program(machine: str, pid: int) -> list[tuple[int, int, int, int]]:
    """Return the filter, which refuses the calls of the tables, as a list of instructions.

    Each is (instruction, jump if true, jump if false, value).
    """
    name, column = MACHINES[machine]
    lines = [(LOAD, 0, 0, MACHINE), (EQUAL, 1, 0, name), (RETURN, 0, 0, KILL)]
    lines += [(LOAD, 0, 0, NUMBER), (AT_LEAST, 0, 1, X32), (RETURN, 0, 0, REFUSE)]
    for numbers in REFUSED.values():
        lines += [(EQUAL, 0, 1, numbers[column]), (RETURN, 0, 0, REFUSE)]
    for table, allowed in ((OWN_ONLY, pid), (ZERO_ONLY, 0)):
        for numbers in table.values():
            lines += [
                (EQUAL, 0, 4, numbers[column]),
                (LOAD, 0, 0, FIRST_ARGUMENT),
                (EQUAL, 0, 1, allowed),
            ]
            lines += [(RETURN, 0, 0, ALLOW), (RETURN, 0, 0, REFUSE)]
    return [*lines, (RETURN, 0, 0, ALLOW)]
