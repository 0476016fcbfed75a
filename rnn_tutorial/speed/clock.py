"""Times of programs that are called in turn, so that whatever slows the machine slows all of them.

A program is a function without arguments. Times of different runs should not be compared: the
machine may have been busier in one of them. Compare the times of the same rounds.
"""

import gc
import os
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from rnn_tutorial.types import Array

__all__ = [
    "CLOCK",
    "interleaved",
    "typical",
]

CLOCK = time.perf_counter if os.name == "nt" else time.process_time
"""The clock of the process, which does not run while another program has the processor.

On Windows it counts in steps that are too long, so there it is the time of day.
"""

_MOST_ROUNDS = 400


def interleaved(
    programs: Mapping[str, Callable[[], Any]],
    rounds: int = 9,
    least: float = 0.004,
    *,
    budget: float = 0.0,
    settle: float = 0.0,
    clock: Callable[[], float] = CLOCK,
) -> dict[str, Array]:
    """Return {name: seconds of one call, (rounds,)} of programs that are called in turn.

    rounds   at least this number of rounds; every second one runs in the opposite order
    least    in each round a program is called until about this many seconds are over, or once;
             the mean of these calls counts
    budget   more rounds follow until they have taken this many seconds in all, but at most 400
    settle   before it is timed in a round, a program runs for this many seconds
    clock    a function that returns the time in seconds

    Raises: ValueError unless there is at least one round.
    """
    if rounds < 1:
        raise ValueError(f"rounds: expected at least 1, got {rounds}")
    seconds: dict[str, list[float]] = {name: [] for name in programs}
    calls = {name: _calls_within(program, least, clock) for name, program in programs.items()}
    done, began = 0, time.perf_counter()
    collecting = gc.isenabled()
    gc.disable()
    try:
        while done < rounds or (time.perf_counter() - began < budget and done < _MOST_ROUNDS):
            for name in list(programs)[:: 1 if done % 2 == 0 else -1]:
                _run_for(programs[name], settle)
                start = clock()
                for _ in range(calls[name]):
                    programs[name]()
                seconds[name].append((clock() - start) / calls[name])
            done += 1
    finally:
        if collecting:
            gc.enable()
    return {name: np.array(values) for name, values in seconds.items()}


def typical(programs: Mapping[str, Callable[[], Any]], **settings: Any) -> dict[str, float]:
    """Return {name: median seconds of one call}; the settings are those of `interleaved`."""
    return {
        name: float(np.median(seconds))
        for name, seconds in interleaved(programs, **settings).items()
    }


def _calls_within(program: Callable[[], Any], seconds: float, clock: Callable[[], float]) -> int:
    """Return how many calls take about `seconds`, at least 1."""
    if seconds <= 0:
        return 1
    program()  # the first call is slower than the others
    start, calls = clock(), 0
    while clock() < start + seconds:
        program()
        calls += 1
    return max(1, calls)


def _run_for(program: Callable[[], Any], seconds: float) -> None:
    """Call a program until `seconds` are over."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        program()
