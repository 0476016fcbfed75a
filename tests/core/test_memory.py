"""A step of training does not have to get its memory from the system again."""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

resource = pytest.importorskip("resource")  # not on Windows

STEPS = """
import json, resource
import numpy as np
from rnn_tutorial.cells import LSTM
from rnn_tutorial.layers import Dense, Embedding, Recurrent, Serial
from rnn_tutorial.train import adam, softmax_cross_entropy, train, training

if {without}:
    training.keep_freed_memory = lambda: None
rng, (T, B, N, H, V) = np.random.default_rng(0), (50, 32, 32, 64, 60)
model = Serial((Embedding(V, N), Recurrent(LSTM, N, H), Dense(H, V)))
batch = tuple(rng.integers(0, V, (2, T, B)))
faults = []
for step in train(model, model.init(rng), [batch] * 8, softmax_cross_entropy, adam(1e-3)):
    faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
print(json.dumps((faults[-1] - faults[-5]) / 4))
"""


def pages_a_step(without: bool) -> float:
    """Return how many pages the system had to prepare in each of the last four steps.

    A limit that the environment sets, as Dask's workers do, would be obeyed instead.
    """
    environment = {name: at for name, at in os.environ.items() if not name.startswith("MALLOC_")}
    done = subprocess.run(
        [sys.executable, "-c", STEPS.format(without=without)],
        cwd=Path(__file__).parents[2],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library than glibc")
def test_a_step_gets_few_pages_from_the_system_and_without_the_hint_many():
    """The arrays of a step are 10 MB, 2,500 pages of 4 kB."""
    assert pages_a_step(without=False) < 100
    assert pages_a_step(without=True) > 1000
