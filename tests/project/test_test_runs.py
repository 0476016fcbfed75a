"""Every test has the markers of its folder, and several processes print one line of progress."""

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from runpy import run_path

import pytest
from chapter_files import ROOT

SAMPLE = """
import pytest

@pytest.fixture
def broken():
    1 / 0

@pytest.mark.parametrize("i", range(16))
def test_right(i): ...

def test_wrong(): assert False
def test_with_broken(broken): ...
def test_left_out(): pytest.skip()

@pytest.mark.xfail
def test_known(): assert False
"""


@pytest.fixture
def top(request):
    """Return the conftest.py at the top as a module."""
    return request.config.pluginmanager.get_plugin(str(ROOT / "conftest.py"))


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("tests/core/test_tree.py", []),
        ("tests/judges/test_epynn.py", ["judges", "slow"]),
        ("tests/course/test_questions.py", ["course", "slow"]),
        ("tests/chapters/test_chapters.py", ["chapters"]),
        ("chapters/03_through_time.ipynb", ["chapters", "slow"]),
    ],
)
def test_a_folder_and_a_file_give_markers(top, path, names):
    assert top.markers_of(ROOT / path) == names


def test_every_place_with_a_marker_exists_and_every_marker_is_registered(top, request):
    places = {place for marked in top.MARKERS.values() for place in marked}
    assert [place for place in sorted(places) if not (ROOT / place).exists()] == []
    registered = {line.split(":")[0] for line in request.config.getini("markers")}
    assert top.MARKERS.keys() <= registered


def test_without_the_extra_the_course_is_left_out_and_a_line_says_how_to_get_it(top, monkeypatch):
    assert top.collect_ignore == [] or find_spec("nbgrader") is None
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    newcomers = run_path(str(ROOT / "conftest.py"))
    assert newcomers["collect_ignore"] == ["tests/course"]
    assert "EXTRAS=reader,data,exchange,course" in newcomers["pytest_report_header"]()[0]


def test_this_test_has_the_markers_of_its_file(top, request):
    assert [mark.name for mark in request.node.iter_markers()] == top.markers_of(request.path)


def test_nbval_finds_its_patterns_from_any_folder(request):
    patterns = Path(request.config.option.nbval_sanitize_with)
    assert patterns.is_absolute() and patterns.is_file()


def test_several_processes_print_one_line_of_progress(tmp_path):
    pytest.importorskip("xdist")
    (tmp_path / "test_sample.py").write_text(SAMPLE, encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "xdist", "-n", "2", "-p", "tools.progress_line"]
        + ["--tb=no", "-p", "no:cacheprovider", "-c", os.devnull]
        + ["--rootdir", str(tmp_path), "--confcutdir", str(tmp_path), str(tmp_path)],
        # Without the other plugins that are installed, three processes start in half the time.
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    progress = re.findall(r"^(\d+) of 20 tests, (\d) failed, \d+ s$", run.stdout, re.MULTILINE)
    assert [int(done) for done, _ in progress] == [2, 4, 6, 8, 10, 12, 14, 16, 18, 20]
    assert progress[-1] == ("20", "2")
    named = re.findall(r"^FAILED .*test_sample.py::(\w+)$", run.stdout, re.MULTILINE)
    assert sorted(named) == ["test_with_broken", "test_wrong"]
    assert "1 failed, 16 passed, 1 skipped, 1 xfailed, 1 error" in run.stdout


def test_several_processes_begin_with_the_slow_files(top):
    class Worker:
        workerinput = {}

    class Item:
        def __init__(self, place):
            self.path, self.marks = ROOT / place, []
            self.add_marker = self.marks.append

        def get_closest_marker(self, name):
            return name if name in self.marks else None

    places = ["tests/core/test_tree.py", "tests/judges/test_epynn.py", "tests/core/test_trace.py"]
    items = [Item(place) for place in [*places, "chapters/03_through_time.ipynb"]]
    top.pytest_collection_modifyitems(Worker, items)
    assert [item.path.name for item in items] == [
        "test_epynn.py",
        "03_through_time.ipynb",
        "test_tree.py",
        "test_trace.py",
    ]
