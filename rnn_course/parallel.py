"""Many submissions at a time: processes of this machine, or the workers of a Dask cluster."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["ask_all", "in_parallel"]


def ask_all(question: Callable[[], Any], scheduler: str | None = None) -> list[Any]:
    """Return what `question()` returns on each machine that is to work.

    That is this process, or each worker of the Dask scheduler with this address.
    """
    if scheduler is None:
        return [question()]
    from distributed import Client

    with Client(scheduler, set_as_default=False) as client:
        return list(client.run(question).values())


def in_parallel(
    function: Callable[..., Any],
    work: Iterable[tuple[Any, ...]],
    jobs: int = -1,
    scheduler: str | None = None,
) -> Iterator[Any]:
    """Yield function(*arguments) of all the work, each when it is ready.

    The work is taken only as fast as it is done: at most two for each process are on their way.

    jobs        the number of processes on this machine; -1: one for each core
    scheduler   the address of a Dask scheduler; all its workers are used instead
    """
    from joblib import Parallel, delayed, parallel_config

    with backend(jobs, scheduler) as options:
        with parallel_config(**options):
            parallel = Parallel(return_as="generator_unordered", batch_size=1)
        yield from parallel(delayed(function)(*arguments) for arguments in work)


@contextmanager
def backend(jobs: int, scheduler: str | None) -> Iterator[dict[str, Any]]:
    """Yield joblib's options for this machine, or for a Dask cluster."""
    if scheduler is None:
        yield {"backend": "loky", "n_jobs": jobs}
        return
    from distributed import Client

    with Client(scheduler, set_as_default=False) as client:
        threads = sum(client.nthreads().values())
        yield {"backend": "dask", "client": client, "n_jobs": max(1, threads)}
