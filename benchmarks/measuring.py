"""What `speed.py` measures, each task in a process of its own: time, memory, growth with T and B, and what the machine can do.

    python -m benchmarks.measuring times '{"threads": 1, "quick": true}'     prints one JSON object a line: a row of a table

`speed.py` starts these processes with `clean_environment`, which must be set before NumPy is loaded.
"""

import gc
import json
import os
import sys
import time
import tracemalloc
from functools import partial
from importlib.util import find_spec
from itertools import product
from pathlib import Path

import numpy as np

from benchmarks.counting import products_alone
from benchmarks.machine import facts_of_machine
from benchmarks.rivals import (
    CELLS,
    EPYNN,
    NUMPY_ML,
    OURS,
    PLAIN,
    PYTORCH,
    UNROLL,
    check_programs,
    problem,
    programs,
)
from rnn_tutorial.layers import Recomputed, Recurrent, forward_in_stretches

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
QUICK, BRIEF, THOROUGH = (
    (2, 0.1),
    (3, 0.5),
    (7, 0.8),
)  # at least so many rounds, and for so many seconds
SETTLE = 0.05  # seconds, in which the second thread of one library goes to sleep and that of the next one wakes up


def clean_environment(threads):
    """Return the environment of a measuring process: so many threads, and no other setting of the library of matrix products."""
    others = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("OPENBLAS_", "OMP_", "MKL_"))
    }
    return others | {
        f"{library}_NUM_THREADS": str(threads) for library in ("OPENBLAS", "OMP", "MKL")
    }


def time_interleaved(functions, least, budget=0.0, clock=time.process_time, settle=0.0):
    """Return ({name: median seconds}, rounds) of functions {name: () -> anything}, each called once in every round.

    Whatever slows the machine for a while slows all of them. Every second round runs in the opposite order. Rounds go on until
    they have taken `budget` seconds, and until there were `least` of them; 400 are enough. Before each call that counts, the
    function is called for `settle` seconds without being timed.
    """
    seconds, rounds, began = {name: [] for name in functions}, 0, time.perf_counter()
    collecting = gc.isenabled()
    gc.disable()
    try:
        while rounds < least or (time.perf_counter() - began < budget and rounds < 400):
            for name in list(functions)[:: 1 if rounds % 2 == 0 else -1]:
                settled = time.perf_counter() + settle
                while time.perf_counter() < settled:
                    functions[name]()
                start = clock()
                functions[name]()
                seconds[name].append(clock() - start)
            rounds += 1
    finally:
        if collecting:
            gc.enable()
    return {name: float(np.median(values)) for name, values in seconds.items()}, rounds


def times(threads, quick, slow=False, cells=tuple(CELLS), dtypes=DTYPES, shapes=SHAPES):
    """Yield the rows of speed.csv: PyTorch and the products alone beside ours, or the slow ones beside ours, in fewer rounds.

    One thread is measured by the time of the process, two by the clock on the wall. Before anything is timed, `check_programs`,
    which is also a first call of each. The slow ones need a process of their own: they leave so much memory behind in small
    pieces that large arrays then cost more than they would. The quick run leaves out most of what is large.
    """
    limit_torch(threads)
    for name, shape, dtype in product(cells, shapes, dtypes):
        if quick and shape in LARGE and (slow or dtype == "float64"):
            continue
        made = programs(problem(name, dtype, shape), (OURS, *(SLOW if slow else (PYTORCH,))))
        check_programs(made)
        runs = {program: made[program].run for program in made}
        if not slow:
            runs[PRODUCTS] = products_alone(CELLS[name].fast, dtype, shape)
            runs[PRODUCTS]()
        place = {"threads": threads, "cell": name, "dtype": dtype, **dict(zip("BTDH", shape))}
        effort = QUICK if quick else BRIEF if slow else THOROUGH
        yield from (place | result for result in beside_ours(runs, *effort, threads))


def beside_ours(functions, least, budget, threads):
    """Return [{program, rounds, ms, ours_ms}] of each function but ours, all from the same rounds.

    With two threads each is called for a while before it is timed: the second thread of a library goes on turning for a moment
    after its work is done, and would take the time of the library that comes next.
    """
    clock, settle = (time.process_time, 0.0) if threads == 1 else (time.perf_counter, SETTLE)
    seconds, rounds = time_interleaved(functions, least, budget, clock, settle)
    found = {program: round(1e3 * value, 4) for program, value in seconds.items()}
    return [
        {"program": program, "rounds": rounds, "ms": ms, "ours_ms": found[OURS]}
        for program, ms in found.items()
        if program != OURS
    ]


def limit_torch(threads):
    """Return nothing; PyTorch, where it is installed, keeps to so many threads."""
    if find_spec("torch"):
        import torch

        torch.set_num_threads(threads)


def growth(quick):
    """Yield the rows of speed_growth.csv: the time of ours and PyTorch's over T (B = 32) and over B (T = 100); LSTM, float32."""
    limit_torch(1)
    lengths, batches = (LENGTHS[::2], BATCHES[::2]) if quick else (LENGTHS, BATCHES)
    shapes = [("T", (32, T, 32, 64)) for T in lengths] + [("B", (B, 100, 32, 64)) for B in batches]
    for axis, shape in shapes:
        made = programs(problem("LSTM", "float32", shape), (OURS, PYTORCH))
        runs = {name: program.run for name, program in made.items()}
        for run in runs.values():
            run()
        seconds, _ = time_interleaved(runs, *(QUICK if quick else THOROUGH))
        for program, value in seconds.items():
            yield {
                "over": axis,
                **dict(zip("BTDH", shape)),
                "program": program,
                "ms": round(1e3 * value, 4),
            }


def recompute(quick):
    """Yield the rows of speed_recompute.csv: forward and backward with the whole cache, and with a state for each stretch.

    ms: times by the process, interleaved. kB: the most that the arrays take besides inputs, outputs and the gradients of both, as
    tracemalloc sees them; `outputs` is `forward_in_stretches`, which has no backward. float32, a state every sqrt(T) steps.
    """
    small = [("LSTM", (32, T, 32, 64)) for T in (LENGTHS[::2] if quick else LENGTHS)]
    large = [] if quick else list(product(CELLS, LARGE))
    for name, shape in small + large:
        task = problem(name, "float32", shape)
        whole = Recurrent(task.cell, *shape[2:])
        runs = {
            kind: layer_run(layer, task)
            for kind, layer in (("whole", whole), ("recomputed", Recomputed(whole)))
        }
        for run in runs.values():
            run()
        seconds, _ = time_interleaved(runs, *(QUICK if quick else THOROUGH))
        runs["outputs"] = partial(forward_in_stretches, whole, task.params, task.xs)
        yield {
            **{"cell": name, **dict(zip("BTDH", shape))},
            **{f"{kind}_ms": round(1e3 * value, 4) for kind, value in seconds.items()},
            **{f"{kind}_kB": round(traced_peak(run) / 1e3, 1) for kind, run in runs.items()},
        }


def layer_run(layer, task):
    """Return the function that runs a layer forward and backward, (hs, dparams, dxs)."""

    def run():
        hs, _, kept = layer.forward(task.params, task.xs)
        return hs, *layer.backward(task.params, kept, task.dhs)[:2]

    return run


def traced_peak(run):
    """Return the most bytes that a call had allocated at once, less those of the arrays that it returns."""
    run()  # whatever is made once
    tracemalloc.start()
    try:
        result = run()
        returned, peak = tracemalloc.get_traced_memory()
        del result
    finally:
        tracemalloc.stop()
    return peak - returned


def memory(cell, dtype, shape, program):
    """Yield the row of speed_memory.csv of one program: the most memory of this process during a call, less what it had before.

    Before is after the imports, the inputs, and a call with tiny ones. Linux only: the mark is set back through /proc. (The
    ru_maxrss of a process that was started by a large one begins at what the large one had.) Yields nothing elsewhere.
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


def resident(name):
    """Return a number of kilobytes (1024 bytes) that Linux keeps of this process: VmRSS now, VmHWM at most."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1])


def machine(threads):
    """Yield the rows of speed_machine.csv."""
    yield from (
        {"threads": threads, "fact": fact, "value": value}
        for fact, value in facts_of_machine(DTYPES, threads).items()
    )


TASKS = {task.__name__: task for task in (times, growth, recompute, memory, machine)}


def main():
    """Run one task and print its rows."""
    task, options = sys.argv[1:]
    for row in TASKS[task](**json.loads(options)):
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
