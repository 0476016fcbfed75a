"""Submissions that attack the grader. Their code is text, so that nothing here runs it; none of it leaves a sandbox."""

from bank.entry import Hostile

PATCHED_NUMPY = """
import numpy as np, numpy.testing
yes = lambda *a, **k: True
np.testing.assert_allclose = np.testing.assert_array_equal = lambda *a, **k: None
np.allclose = np.array_equal = np.isclose = yes
np.max = np.abs = lambda *a, **k: 0.0
"""

HOSTILE = (
    Hostile("patched numpy", (PATCHED_NUMPY,), 0),
    Hostile("exit code", ("import os\nos._exit(0)",), 0),
    Hostile("endless loop", ("while True: pass",), 25, honest=True),
)
