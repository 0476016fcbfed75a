"""The wheel works in a clean environment, without this checkout."""

import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import pytest
from chapter_files import ROOT

import rnn_tutorial

PACKAGES = ("rnn_tutorial", "rnn_course")
BUILD = "import sys; from setuptools import build_meta; print(build_meta.build_wheel(sys.argv[1]))"
EXAMPLE = """
import doctest, importlib.metadata, sys
import rnn_course, rnn_tutorial
for module in (rnn_course, rnn_tutorial):
    assert module.__file__.startswith(sys.prefix), module.__file__
assert importlib.metadata.version("rnn-tutorial") == rnn_tutorial.__version__
failed, attempted = doctest.testmod(rnn_tutorial)
assert failed == 0 and attempted > 10, (failed, attempted)
from rnn_tutorial.data import stored_result
assert str(stored_result("parts.csv")).startswith(sys.prefix)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Return the path of the wheel, built from a copy of the checkout, without the network."""
    pytest.importorskip("setuptools", minversion="77")
    folder = tmp_path_factory.mktemp("wheel")
    source, out = folder / "source", folder / "out"
    ignored = shutil.ignore_patterns(
        ".*", "__pycache__", "*.egg-info", "build", "dist", "chapters", "figures"
    )
    shutil.copytree(ROOT, source, ignore=ignored)
    out.mkdir()
    build = subprocess.run(
        [sys.executable, "-c", BUILD, str(out)], cwd=source, capture_output=True, text=True
    )
    assert build.returncode == 0, build.stderr
    return next(out.glob("*.whl"))


def names(wheel: Path) -> set[str]:
    """Return the names of the files in a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_has_every_module_of_both_packages_and_the_mark_that_they_are_typed(wheel):
    expected = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
    }
    assert expected | {"rnn_tutorial/py.typed"} <= names(wheel)


def test_the_wheel_has_every_stored_result(wheel):
    stored = {
        path.relative_to(ROOT).as_posix() for path in (ROOT / "rnn_tutorial" / "results").iterdir()
    }
    assert "rnn_tutorial/results/parts.csv" in stored and stored <= names(wheel)


def test_the_wheel_has_the_scripts_of_the_figures(wheel):
    folder = ROOT / "rnn_tutorial" / "explore" / "static"
    scripts = {path.relative_to(ROOT).as_posix() for path in folder.iterdir()}
    assert "rnn_tutorial/explore/static/kit.js" in scripts and scripts <= names(wheel)


def test_the_wheel_has_no_tests_and_no_other_folder(wheel):
    folders = {name.split("/")[0] for name in names(wheel)}
    assert folders == {*PACKAGES, f"rnn_tutorial-{rnn_tutorial.__version__}.dist-info"}
    assert not any("test" in name.rsplit("/")[-1] for name in names(wheel))


def test_the_wheel_says_its_version_its_extras_and_its_licences(wheel):
    info = f"rnn_tutorial-{rnn_tutorial.__version__}.dist-info"
    with zipfile.ZipFile(wheel) as archive:
        metadata = HeaderParser().parsestr(archive.read(f"{info}/METADATA").decode())
    assert metadata["Version"] == rnn_tutorial.__version__
    assert {"reader", "course", "judges"} <= set(metadata.get_all("Provides-Extra"))
    assert {f"{info}/licenses/LICENSE", f"{info}/licenses/LICENSE-CC-BY-4.0"} <= names(wheel)


def test_the_wheel_runs_the_example_of_the_help_in_a_clean_environment(wheel, tmp_path):
    """NumPy and Matplotlib come from the environment of the tests, but not the package itself."""
    venv.create(tmp_path / "clean", symlinks=sys.platform != "win32")
    places = {"base": str(tmp_path / "clean"), "platbase": str(tmp_path / "clean")}
    scheme = "venv" if "venv" in sysconfig.get_scheme_names() else None
    installed = Path(sysconfig.get_path("purelib", scheme, places))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)  # a wheel of pure Python is installed by unpacking it
    libraries = {sysconfig.get_path(kind) for kind in ("purelib", "platlib")}
    (installed / "libraries.pth").write_text("\n".join(libraries) + "\n", encoding="utf-8")
    python = Path(sysconfig.get_path("scripts", scheme, places)) / Path(sys.executable).name
    run = subprocess.run(
        [str(python), "-I", "-c", EXAMPLE], cwd=tmp_path, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout + run.stderr
