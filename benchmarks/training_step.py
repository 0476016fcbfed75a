"""A whole step of training, ours and that of PyTorch: the milliseconds of each.

    python -m benchmarks.training_step            prints the table, about ten minutes
    python -m benchmarks.training_step --quick    a minute: fewer rounds, without the large shapes
    python -m benchmarks.training_step --write    also stores it in training_step.csv

A step is all that a loop does for one batch: embedding, recurrence, dense layer, softmax
cross-entropy, their backward, clipping by the norm of the whole gradient, Adam. Ours is one step of
`train`. PyTorch's, eager, is nn.Embedding, nn.RNN, LSTM or GRU, nn.Linear, cross_entropy,
backward, clip_grad_norm_, optim.Adam. Before anything is timed, both make a few steps from the same
weights, and their losses are compared. After the first update they are not quite the same, since
PyTorch has two biases that are added, and Adam moves both.

The LSTM in float32 is measured twice, the second time with the compiled kernel if numba is there.

One thread, time of the process. The two are called in turn, and a row has the medians. Each row has
its own process. So has each peak of memory, that of the first step.
"""

import argparse
import gc
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import product, repeat
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.rows import RESULTS, digits, write_rows
from benchmarks.speed.implementations import CELLS, COMPILED, OURS, PYTORCH, installed
from benchmarks.speed.measuring import DTYPES, clean_environment, resident
from rnn_tutorial.cells import LSTM, Cell
from rnn_tutorial.exchange import to_pytorch
from rnn_tutorial.layers import Dense, Embedding, Recurrent, Serial
from rnn_tutorial.speed import interleaved
from rnn_tutorial.train import adam, clip_by_global_norm, clipped, softmax_cross_entropy, train
from rnn_tutorial.tree import tree_cast

ROOT = Path(__file__).resolve().parents[1]
SHAPES = (
    (25, 16, 16, 32, 40),
    (50, 32, 32, 128, 60),
    (64, 64, 64, 256, 2_000),
    (35, 20, 200, 200, 10_000),
    (100, 64, 32, 64, 100),
)  # T, B, N, H, V
NAMES = "embedding", "recurrent", "head"
RATE, LIMIT = 1e-3, 1.0
QUICKER = f"LSTM, {COMPILED}"
TOLERANCES = {"float32": 1e-5, "float64": 1e-12}
LATER, STEPS = 1e-3, 3  # the tolerance after the first update, and how many steps are compared
TINY = (3, 2, 4, 5, 6)
QUICK, THOROUGH = (3, 0.3), (9, 3.0)  # rounds at least, and seconds at least

Run = Callable[[], float]


class StepRow(NamedTuple):
    """One size, cell and dtype."""

    cell: str  # LSTM, GRU, RNN, or "LSTM, compiled"
    dtype: str
    T: int
    B: int
    N: int  # of the embedding
    H: int
    V: int
    ours_ms: float
    pytorch_ms: float
    ratio: float  # PyTorch / ours: above 1, ours is faster
    ours_MB: float  # the peak of the memory of the first step
    pytorch_MB: float


def ours(cell: str, dtype: str, shape: Sequence[int]) -> Run:
    """Return the function that makes one step of ours and returns the loss."""
    model, params, (xs, targets) = task(cell, dtype, shape)
    optimizer = clipped(adam(RATE), clip_by_global_norm, LIMIT)
    steps = train(model, params, repeat((xs, targets)), softmax_cross_entropy, optimizer)
    return lambda: next(steps).loss


def pytorch(cell: str, dtype: str, shape: Sequence[int]) -> Run:
    """Return the function that makes one step of PyTorch's and returns the loss."""
    import torch

    torch.set_num_threads(1)
    (_, _, N, H, V), (model, params, (xs, targets)) = shape, task(cell, dtype, shape)
    modules = [
        torch.nn.Embedding(V, N),
        getattr(torch.nn, cell.split(",")[0])(N, H),
        torch.nn.Linear(H, V),
    ]
    network = torch.nn.ModuleDict(dict(zip(NAMES, modules))).to(getattr(torch, dtype))
    arrays = to_pytorch(model, params, NAMES)
    network.load_state_dict({name: torch.tensor(array) for name, array in arrays.items()})
    optimizer = torch.optim.Adam(network.parameters(), lr=RATE)
    symbols, classes = torch.tensor(xs), torch.tensor(targets).reshape(-1)

    def step() -> float:
        optimizer.zero_grad()
        hs, _ = modules[1](modules[0](symbols))
        loss = torch.nn.functional.cross_entropy(modules[2](hs).reshape(-1, V), classes)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), LIMIT)
        optimizer.step()
        return loss.item()

    return step


def task(cell: str, dtype: str, shape: Sequence[int]) -> tuple[Serial, Any, tuple[Any, Any]]:
    """Return (model, params, (xs, targets)), the same for both libraries."""
    (T, B, N, H, V), rng = shape, np.random.default_rng(0)
    model = Serial((Embedding(V, N), Recurrent(cell_named(cell), N, H), Dense(H, V)))
    xs, targets = rng.integers(0, V, (2, T, B))
    return model, tree_cast(model.init(rng), np.dtype(dtype)), (xs, targets)


def cell_named(name: str) -> Cell:
    """Return the cell of a row: one of CELLS, or the LSTM with the compiled kernel."""
    if name != QUICKER:
        return CELLS[name]
    from rnn_tutorial.cells.kernels.compiled import LSTM_COMPILED

    return LSTM.with_fast(LSTM_COMPILED)


def networks() -> list[tuple[str, str]]:
    """Return (cell, dtype) of the rows of a shape."""
    return [*product(CELLS, DTYPES), *([(QUICKER, "float32")] if installed(COMPILED) else [])]


PROGRAMS = {OURS: ours, PYTORCH: pytorch}


def times(cell: str, dtype: str, shape: Sequence[int], quick: bool) -> list[float]:
    """Return the milliseconds of a step, ours and PyTorch's.

    Raises: AssertionError if the two do not compute the same loss.
    """
    programs = {name: make(cell, dtype, shape) for name, make in PROGRAMS.items()}
    first, *later = np.array([[run() for run in programs.values()] for _ in range(STEPS)])
    np.testing.assert_allclose(*first, rtol=TOLERANCES[dtype])
    np.testing.assert_allclose(*np.transpose(later), rtol=LATER)
    rounds, budget = QUICK if quick else THOROUGH
    seconds = interleaved(programs, rounds, 0.02, budget=budget)
    return [digits(1e3 * float(np.median(each))) for each in seconds.values()]


def peak(cell: str, dtype: str, shape: Sequence[int], program: str) -> float:
    """Return the megabytes that the first step needs beyond what was there before it; Linux only.

    What it keeps for the next step, such as Adam's moments, is counted too.
    """
    clear = Path("/proc/self/clear_refs")
    if not clear.exists():
        return float("nan")
    PROGRAMS[program](cell, dtype, TINY)()  # loads what is loaded on demand
    run = PROGRAMS[program](cell, dtype, shape)
    gc.collect()
    clear.write_text("5")
    before = resident("VmRSS")
    run()
    return digits((resident("VmHWM") - before) / 1024)


TASKS: dict[str, Callable[..., Any]] = {"times": times, "peak": peak}


def in_a_process(name: str, *arguments: Any) -> Any:
    """Return what a task returns in a process of its own, with one thread.

    Raises: CalledProcessError if it fails.
    """
    command = [sys.executable, "-m", "benchmarks.training_step", "--task", name]
    done = subprocess.run(
        [*command, json.dumps(arguments)],
        cwd=ROOT,
        env=clean_environment(1),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def rows(quick: bool) -> Iterator[StepRow]:
    """Yield all rows."""
    for shape, (cell, dtype) in product(SHAPES[:2] if quick else SHAPES, networks()):
        one, two = in_a_process("times", cell, dtype, shape, quick)
        peaks = [in_a_process("peak", cell, dtype, shape, program) for program in PROGRAMS]
        yield StepRow(cell, dtype, *shape, one, two, digits(two / one, 3), *peaks)


def summary(ratios: list[float]) -> str:
    """Return their geometric mean, the smallest, the largest, and how many are below 1."""
    mean = np.exp(np.mean(np.log(ratios)))
    below = sum(ratio < 1 for ratio in ratios)
    return f"{mean:.2f} in geometric mean, {min(ratios):.2f} to {max(ratios):.2f}, {below} below 1"


def main() -> None:
    """Print the table, and store it with --write."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.training_step", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--quick", action="store_true", help="takes a minute")
    parser.add_argument("--write", action="store_true", help="store the table")
    parser.add_argument("--task", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.quick and arguments.write:
        parser.error("a quick run has not all rows, and is not stored")
    if arguments.task:
        name, options = arguments.task
        print(json.dumps(TASKS[name](*json.loads(options))))
        return
    found = []
    for row in rows(arguments.quick):
        found.append(row)
        print(*row, sep="   ", flush=True)
    for name, some in {
        "PyTorch / ours": [row for row in found if row.cell in CELLS],
        f"PyTorch / ours, {QUICKER}": [row for row in found if row.cell == QUICKER],
    }.items():
        if some:
            print(f"{name}: {summary([row.ratio for row in some])}")
    if arguments.write:
        write_rows(RESULTS / "training_step.csv", found)


if __name__ == "__main__":
    main()
