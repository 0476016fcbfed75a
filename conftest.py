"""Make the tests independent of the machine, and give every test the markers of its folder."""

import gc
import os
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parent

for _variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")
os.environ.pop("MPLBACKEND", None)  # in a notebook, its own backend must make the figures
os.environ["PYTHONPATH"] = str(ROOT)  # notebooks use the package of this checkout

import matplotlib  # noqa: E402

matplotlib.use("Agg")  # in the tests themselves, figures need no window

pytest_plugins = ["tools.nbval_tolerance", "tools.progress_line", "chapter_checks", "chromium"]

# Markers by folder or file. Slow are the files that took most processor time when it was measured,
# apart from those of the core that every change of the package needs.
MARKERS = {
    "chapters": ("chapters", "tests/chapters"),
    "course": ("tests/course",),
    "judges": ("tests/judges",),
    "slow": (
        "chapters",
        "tests/benchmarks",
        "tests/chapters/test_nbval_tolerance.py",
        "tests/chapters/test_solutions.py",
        "tests/core/test_layer_mutants.py",
        "tests/core/test_locate_mutants.py",
        "tests/core/test_museum.py",
        "tests/core/test_mutants.py",
        "tests/core/test_plotting.py",
        "tests/course",
        "tests/explore",
        "tests/judges",
        "tests/project/test_typing.py",
        "tests/project/test_wheel.py",
        "tests/site",
    ),
}


# The grader is for lecturers: without their extra, its tests are left out, and a line says so.
collect_ignore = [] if find_spec("nbgrader") else ["tests/course"]
LEFT_OUT = (
    "left out: tests/course needs the extra course, make test EXTRAS=reader,data,exchange,course"
)


@cache
def markers_of(path: Path) -> list[str]:
    """Return the names of the markers of a test file or a notebook."""
    inside = path.relative_to(ROOT)
    places = {inside.as_posix(), *(parent.as_posix() for parent in inside.parents)}
    return [name for name, marked in MARKERS.items() if places.intersection(marked)]


def pytest_report_header() -> list[str]:
    """Return the line that says what is left out, if anything is."""
    return [LEFT_OUT] if collect_ignore else []


def pytest_configure(config: pytest.Config) -> None:
    """Let nbval find its patterns from any folder, and let several processes keep our order."""
    config.option.nbval_sanitize_with = str(ROOT / "tests" / "nbval_sanitize.cfg")
    config.option.loadscopereorder = False  # xdist would begin with the files with most tests


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give every test the markers of its folder and its file.

    Several processes begin with the slow files, so that none is left alone with one at the end.
    """
    for item in items:
        if item.path.is_relative_to(ROOT):
            for name in markers_of(item.path):
                item.add_marker(name)
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over the tests, ten thousand that all stay to the end."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Return 0 for a single file, which needs no second process; None: one for each core."""
    files = [argument.partition("::")[0] for argument in config.args]
    return 0 if len(set(files)) == 1 and Path(files[0]).is_file() else None
