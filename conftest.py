"""Make the tests and ``pytest --nbval`` independent of the machine and of what else is installed on it."""

import os
from pathlib import Path

for _variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")
os.environ.pop("MPLBACKEND", None)  # in a notebook, its own backend must make the figures
os.environ["PYTHONPATH"] = str(Path(__file__).parent)  # notebooks use the package of this checkout

import matplotlib  # noqa: E402

matplotlib.use("Agg")  # in the tests themselves, figures need no window

pytest_plugins = ["tools.nbval_tolerance"]
