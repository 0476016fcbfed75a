"""What a submission may ask the kernel for: a list of system calls. Everything else is refused.

A call that is not on the list fails with "Operation not permitted". So there is no keyring, lock,
lease, queue, semaphore, socket, pipe, watch on files, second process, signal to another process, or
memory in no address space; nor is there what a later kernel adds. Some calls are allowed for some
values of an argument only (`CONDITIONS`): two submissions could also meet at a futex in a shared
library, or leave a hint with its file.

libseccomp makes the filter, through pyseccomp, outside; the worker puts itself under it before it
runs a line of a submission, behind every wall. Names that libseccomp does not know are left out of
the list, so they are refused.

No filter closes what is used rather than asked for. Two submissions that run at the same time share
the processor, its caches, the memory and the pages of files in it, and can feel each other's load
in their own times. For a wall against that, grade with one process (`--jobs 1`).
"""

import errno
import tempfile
from functools import cache
from typing import NamedTuple

__all__ = ["ALLOWED", "CONDITIONS", "Condition", "as_program"]

# Found by tracing Python with NumPy: imports, linear algebra, FFT, random numbers, files in /tmp,
# clocks, a crash.
ALLOWED = tuple(
    """
    access alarm arch_prctl brk chdir chmod clock_getres clock_gettime clock_nanosleep close
    close_range copy_file_range creat dup dup2 dup3 exit exit_group faccessat faccessat2
    fchdir fchmod fchmodat fstat ftruncate getcwd getdents64 getegid geteuid getgid getgroups
    getitimer getpid getppid getrandom getrlimit getrusage gettid gettimeofday getuid lseek lstat
    mkdir mkdirat mprotect mremap msync munmap nanosleep newfstatat open openat pause poll ppoll
    pread64 preadv pselect6 pwrite64 pwritev read readlink readlinkat readv rename renameat
    renameat2 restart_syscall rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigreturn
    rt_sigsuspend rt_sigtimedwait sched_getaffinity sched_yield select sendfile set_robust_list
    set_tid_address setitimer sigaltstack stat statx symlink
    symlinkat time times truncate umask uname unlink unlinkat wait4 write writev
    """.split()
)
EXACTLY = (1 << 64) - 1
UNKNOWN = -1  # what libseccomp says of a name that it does not know


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
    """Return the filter as the kernel reads it.

    Raises: ImportError if pyseccomp is not installed, RuntimeError if it finds no libseccomp.
    """
    import pyseccomp as library

    native = library.Arch.NATIVE
    made = library.SyscallFilter(library.ERRNO(errno.EPERM))
    for name in ALLOWED:
        if library.resolve_syscall(native, name) != UNKNOWN:
            made.add_rule(library.ALLOW, name)
    for name, place, value, mask in CONDITIONS:
        made.add_rule(library.ALLOW, name, library.Arg(place, library.MASKED_EQ, mask, value))
    if library.resolve_syscall(native, ABSENT) != UNKNOWN:
        made.add_rule(library.ERRNO(errno.ENOSYS), ABSENT)
    with tempfile.TemporaryFile() as file:
        made.export_bpf(file)
        file.seek(0)
        return file.read()
