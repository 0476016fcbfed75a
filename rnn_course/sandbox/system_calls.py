"""What a submission may ask the kernel for: a list of system calls. Everything else is refused.

A call that is not on the list fails with "Operation not permitted". So there is no keyring, lock,
lease, queue, semaphore, socket, pipe, watch on files, second process, signal to another process, or
memory in no address space; nor is there what a later kernel adds. Some calls are allowed for some
values of an argument only (`CONDITIONS`): a futex or a hint on a shared library is a letter box too.

libseccomp makes the filter, through pyseccomp or inside podman and docker. Names that it does not
know are left out of the list, so they are refused.

No filter closes what is used rather than asked for. Two submissions that run at the same time share
the processor, its caches, the memory and the pages of files in it, and can feel each other's load
in their own times. For a wall against that, grade with one process (`--jobs 1`).

As a program, it runs a command under the filter: python system_calls.py FOLDER_OF_PYSECCOMP COMMAND
"""

import errno
import os
import sys
import tempfile
from functools import cache
from typing import Any, NamedTuple

__all__ = ["ALLOWED", "CONDITIONS", "Condition", "as_profile", "as_program"]

# Found by tracing Python with NumPy: imports, linear algebra, FFT, random numbers, files in /tmp,
# clocks, a crash.
ALLOWED = tuple(
    """
    access alarm arch_prctl brk chdir chmod clock_getres clock_gettime clock_nanosleep close
    close_range copy_file_range creat dup dup2 dup3 execve exit exit_group faccessat faccessat2
    fchdir fchmod fchmodat fstat ftruncate getcwd getdents64 getegid geteuid getgid getgroups
    getitimer getpid getppid getrandom getrlimit getrusage gettid gettimeofday getuid lseek lstat
    mkdir mkdirat mprotect mremap msync munmap nanosleep newfstatat open openat pause poll ppoll
    pread64 preadv pselect6 pwrite64 pwritev read readlink readlinkat readv rename renameat
    renameat2 restart_syscall rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigreturn
    rt_sigsuspend rt_sigtimedwait sched_getaffinity sched_yield select sendfile set_robust_list
    set_tid_address setgid setgroups setitimer setrlimit setuid sigaltstack stat statx symlink
    symlinkat time times truncate umask uname unlink unlinkat wait4 write writev
    """.split()
)
EXACTLY = (1 << 64) - 1


class Condition(NamedTuple):
    """The call `name` is allowed if the bits `mask` of its argument number `place` are `value`."""

    name: str
    place: int
    value: int
    mask: int = EXACTLY


CONDITIONS = (
    # F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC: no locks, leases, hints, sizes
    *(Condition("fcntl", 1, command) for command in (0, 1, 2, 3, 4, 1030)),
    # TCGETS, TIOCGWINSZ, FIONCLEX, FIOCLEX: is it a terminal, is it closed on exec
    *(Condition("ioctl", 1, command) for command in (0x5401, 0x5413, 0x5450, 0x5451)),
    # NORMAL … DONTNEED, FREE, HUGEPAGE, NOHUGEPAGE: nothing that drops or merges shared pages
    *(Condition("madvise", 2, advice) for advice in (0, 1, 2, 3, 4, 8, 14, 15)),
    Condition("futex", 1, 128, mask=128),  # FUTEX_PRIVATE_FLAG: not across processes
    Condition("mmap", 3, 0, mask=0x40000),  # no MAP_HUGETLB: all processes share its pool
    Condition("prlimit64", 0, 0),  # 0: the process itself
)
ABSENT = "clone3"  # as in an old kernel, so that the C library falls back to a call with arguments


@cache
def as_program() -> bytes:
    """Return the filter as the kernel reads it, for `bwrap --seccomp`.

    Raises: ImportError if pyseccomp is not installed, RuntimeError if it finds no libseccomp.
    """
    with tempfile.TemporaryFile() as file:
        as_filter().export_bpf(file)
        file.seek(0)
        return file.read()


def as_filter() -> Any:
    """Return the filter as a pyseccomp.SyscallFilter.

    Raises: ImportError if pyseccomp is not installed, RuntimeError if it finds no libseccomp.
    """
    import pyseccomp as library

    known = lambda name: library.resolve_syscall(library.Arch.NATIVE, name) != -1  # noqa: E731
    made = library.SyscallFilter(library.ERRNO(errno.EPERM))
    for name in filter(known, ALLOWED):
        made.add_rule(library.ALLOW, name)
    for name, place, value, mask in CONDITIONS:
        made.add_rule(library.ALLOW, name, library.Arg(place, library.MASKED_EQ, mask, value))
    if known(ABSENT):
        made.add_rule(library.ERRNO(errno.ENOSYS), ABSENT)
    return made


def as_profile(also: tuple[Condition, ...] = ()) -> dict[str, Any]:
    """Return the filter as a profile of podman and docker, with the conditions `also` added."""
    conditional = [
        {
            "names": [name],
            "action": "SCMP_ACT_ALLOW",
            "args": [
                {"index": place, "value": mask, "valueTwo": value, "op": "SCMP_CMP_MASKED_EQ"}
            ],
        }
        for name, place, value, mask in (*CONDITIONS, *also)
    ]
    return {
        "defaultAction": "SCMP_ACT_ERRNO",
        "defaultErrnoRet": errno.EPERM,
        "syscalls": [
            {"names": list(ALLOWED), "action": "SCMP_ACT_ALLOW"},
            {"names": [ABSENT], "action": "SCMP_ACT_ERRNO", "errnoRet": errno.ENOSYS},
            *conditional,
        ],
    }


if __name__ == "__main__":
    sys.path.append(sys.argv[1])
    as_filter().load()
    os.execv(sys.argv[2], sys.argv[2:])
