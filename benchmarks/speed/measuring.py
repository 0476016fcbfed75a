"""The measurements: time, memory, growth with T and B, and the rates of the machine.

    python -m benchmarks.speed.measuring times '{"threads": 1, "quick": true}'

Each task runs in its own process and prints one JSON object per line, a row of a table.
`python -m benchmarks.speed` starts these processes with `clean_environment`, because the number of
threads must be set before NumPy is loaded.
"""

import gc
import json
import os
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.speed.flops import products_alone
from benchmarks.speed.implementations import (
    CELLS,
    COMPILED,
    EPYNN,
    NUMPY_ML,
    OURS,
    PLAIN,
    PYTORCH,
    UNROLL,
    Problem,
    check_programs,
    problem,
    programs,
)
from benchmarks.speed.machine import facts_of_machine
from rnn_tutorial.layers import Layer, Recomputed, Recurrent, forward_in_stretches
from rnn_tutorial.speed import interleaved, typical

Row = dict[str, Any]
Run = Callable[[], Any]

SHAPES = (
    (1, 50, 32, 64),
    (32, 50, 32, 64),
    (64, 100, 64, 128),
    (128, 100, 128, 256),
    (64, 50, 256, 512),
)  # B, T, D, H
LARGE = SHAPES[-2:]
DTYPES = "float32", "float64"
PRODUCTS = "products alone"
SLOW = UNROLL, PLAIN, EPYNN, NUMPY_ML
LENGTHS = 50, 100, 200, 500, 1000, 2000
BATCHES = 1, 4, 16, 64, 256
# Rounds at least, and seconds at least.
QUICK, BRIEF, THOROUGH = (2, 0.1), (3, 0.5), (7, 0.8)
# Seconds in which the second thread of one library goes to sleep and that of the next wakes up.
SETTLE = 0.05


def clean_environment(threads: int) -> dict[str, str]:
    """Return the environment of a measuring process.

    It sets the number of threads, and has no other setting of a library of matrix products.
    """
    others = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("OPENBLAS_", "OMP_", "MKL_"))
    }
    return others | {
        f"{library}_NUM_THREADS": str(threads) for library in ("OPENBLAS", "OMP", "MKL")
    }


def times(
    threads: int,
    quick: bool,
    slow: bool = False,
    cells: Sequence[str] = tuple(CELLS),
    dtypes: Sequence[str] = DTYPES,
    shapes: Sequence[Sequence[int]] = SHAPES,
) -> Iterator[Row]:
    """Yield the rows of speed.csv: ours next to PyTorch, compiled, and the products alone.

    With `slow`: ours next to the slow implementations, in fewer rounds. They have their own
    process, because they leave the memory in many small pieces, which makes large arrays slower.

    One thread is measured by the time of the process, two threads by the clock.
    `check_programs` runs before anything is timed; it is also a first call of each. The quick run
    leaves out most of the large shapes.
    """
    limit_torch(threads)
    for name, shape, dtype in product(cells, shapes, dtypes):
        if quick and shape in LARGE and (slow or dtype == "float64"):
            continue
        made = programs(
            problem(name, dtype, shape), (OURS, *(SLOW if slow else (COMPILED, PYTORCH)))
        )
        check_programs(made)
        runs = {program: made[program].run for program in made}
        if not slow:
            runs[PRODUCTS] = products_alone(CELLS[name].fast, dtype, shape)
            runs[PRODUCTS]()
        place = {"threads": threads, "cell": name, "dtype": dtype, **dict(zip("BTDH", shape))}
        effort = QUICK if quick else BRIEF if slow else THOROUGH
        yield from (place | result for result in next_to_ours(runs, *effort, threads))


def next_to_ours(functions: dict[str, Run], least: int, budget: float, threads: int) -> list[Row]:
    """Return [{program, rounds, ms, ours_ms}] of each function but ours, all from the same rounds.

    With two threads, each is called for a while before it is timed: the second thread of a library
    keeps running for a moment after its work is done, and would slow down the next library.
    """
    clock, settle = (time.process_time, 0.0) if threads == 1 else (time.perf_counter, SETTLE)
    seconds = interleaved(functions, least, 0, budget=budget, settle=settle, clock=clock)
    found = {program: round(1e3 * float(np.median(s)), 4) for program, s in seconds.items()}
    rounds = len(seconds[OURS])
    return [
        {"program": program, "rounds": rounds, "ms": ms, "ours_ms": found[OURS]}
        for program, ms in found.items()
        if program != OURS
    ]


def limit_torch(threads: int) -> None:
    """Set the number of threads of PyTorch, if it is installed."""
    if find_spec("torch"):
        import torch

        torch.set_num_threads(threads)


def growth(quick: bool) -> Iterator[Row]:
    """Yield the rows of speed_growth.csv: times of ours and of PyTorch.

    Over T with B = 32, and over B with T = 100; LSTM, float32, one thread.
    """
    limit_torch(1)
    lengths, batches = (LENGTHS[::2], BATCHES[::2]) if quick else (LENGTHS, BATCHES)
    shapes = [("T", (32, T, 32, 64)) for T in lengths] + [("B", (B, 100, 32, 64)) for B in batches]
    for axis, shape in shapes:
        made = programs(problem("LSTM", "float32", shape), (OURS, PYTORCH))
        runs = {name: program.run for name, program in made.items()}
        for run in runs.values():
            run()
        rounds, budget = QUICK if quick else THOROUGH
        seconds = typical(runs, rounds=rounds, least=0, budget=budget)
        for program, value in seconds.items():
            yield {
                "over": axis,
                **dict(zip("BTDH", shape)),
                "program": program,
                "ms": round(1e3 * value, 4),
            }


def recompute(quick: bool) -> Iterator[Row]:
    """Yield the rows of speed_recompute.csv: the whole cache against gradient checkpointing.

    ms: time of the process, in interleaved calls. kB: the peak of the memory of arrays, as
    tracemalloc sees it, without inputs, outputs and their gradients. `outputs` is
    `forward_in_stretches`, which has no backward. float32, a stored state every sqrt(T) steps.
    """
    small = [("LSTM", (32, T, 32, 64)) for T in (LENGTHS[::2] if quick else LENGTHS)]
    large = [] if quick else list(product(CELLS, LARGE))
    for name, shape in small + large:
        task = problem(name, "float32", shape)
        whole = Recurrent(task.cell, *shape[2:])
        runs: dict[str, Run] = {
            kind: layer_run(layer, task)
            for kind, layer in (("whole", whole), ("recomputed", Recomputed(whole)))
        }
        for run in runs.values():
            run()
        rounds, budget = QUICK if quick else THOROUGH
        seconds = typical(runs, rounds=rounds, least=0, budget=budget)
        runs["outputs"] = partial(forward_in_stretches, whole, task.params, task.xs)
        yield {
            **{"cell": name, **dict(zip("BTDH", shape))},
            **{f"{kind}_ms": round(1e3 * value, 4) for kind, value in seconds.items()},
            **{f"{kind}_kB": round(traced_peak(run) / 1e3, 1) for kind, run in runs.items()},
        }


def layer_run(layer: Layer, task: Problem) -> Run:
    """Return the function that runs a layer forward and backward: () -> (hs, dparams, dxs)."""

    def run() -> tuple:
        hs, _, kept = layer.forward(task.params, task.xs)
        return hs, *layer.backward(task.params, kept, task.dhs)[:2]

    return run


def traced_peak(run: Run) -> int:
    """Return the peak of the bytes that a call allocates, without those of the result."""
    run()  # the first call allocates what later calls reuse
    tracemalloc.start()
    try:
        result = run()
        returned, peak = tracemalloc.get_traced_memory()
        del result
    finally:
        tracemalloc.stop()
    return peak - returned


def memory(cell: str, dtype: str, shape: Sequence[int], program: str) -> Iterator[Row]:
    """Yield the row of speed_memory.csv of one program: the peak memory of a call.

    It is the peak of this process during the call, minus its memory just before: after the
    imports, the inputs, and a call with tiny inputs. Linux only, because the peak is reset through
    /proc; on other systems there is no row. (ru_maxrss would not do: it starts at the memory of
    the process that started this one.)
    """
    limit_torch(1)
    status = Path("/proc/self/status")
    if not status.exists():
        return
    tiny, task = (
        programs(problem(cell, dtype, size), (program,)) for size in ((2, 3, 4, 5), tuple(shape))
    )
    if not task:
        return
    tiny[program].run()
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")
    before = resident("VmRSS")
    result = task[program].run()
    peak = resident("VmHWM") - before
    del result
    B, T, D, H = shape
    sizes = dict(zip("BTDH", shape))
    yield {
        "cell": cell,
        "dtype": dtype,
        **sizes,
        "program": program,
        "peak_kB": peak,
        "bytes_per_TBH": round(1024 * peak / (T * B * H), 1),
    }


def resident(name: str) -> int:
    """Return the memory of this process in units of 1024 bytes: VmRSS is now, VmHWM the peak."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1])


def machine(threads: int) -> Iterator[Row]:
    """Yield the rows of speed_machine.csv."""
    yield from (
        {"threads": threads, "fact": fact, "value": value}
        for fact, value in facts_of_machine(DTYPES, threads).items()
    )


TASKS: dict[str, Callable[..., Iterator[Row]]] = {
    "times": times,
    "growth": growth,
    "recompute": recompute,
    "memory": memory,
    "machine": machine,
}


def main() -> None:
    """Run one task and print its rows."""
    task, options = sys.argv[1:]
    for row in TASKS[task](**json.loads(options)):
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
