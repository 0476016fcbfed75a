"""make works in a folder that was moved, and hands options over to Jupyter."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from chapter_files import ROOT

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def commands(folder: Path, *arguments: str) -> list[str]:
    """Return the commands that make would run in a folder, one a line."""
    run = subprocess.run(
        ["make", "-n", "--no-print-directory", "UV=", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout.splitlines()


@pytest.fixture
def clone(tmp_path) -> Path:
    """Return a folder with a space in its path, in which only make's own files are."""
    if not shutil.which("make"):
        pytest.skip("make is not installed")
    folder = tmp_path / "a clone"
    (folder / ".venv").mkdir(parents=True)
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    return folder


def test_a_moved_folder_is_set_up_again_and_one_that_was_not_moved_is_not(clone):
    touched = [line for line in commands(clone, "lab") if line.startswith("touch ")]
    (clone / touched[0].removeprefix("touch ")).touch()
    assert not any("pip install" in line for line in commands(clone, "lab"))
    moved = clone.rename(clone.with_name("elsewhere"))
    assert any("pip install" in line for line in commands(moved, "lab"))


def test_make_lab_hands_over_the_options_of_jupyter(clone):
    last = commands(clone, "lab", "ARGS=--no-browser --allow-root")[-1]
    assert last.startswith(".venv/bin/python -m jupyterlab ")
    assert last.endswith(" reading/00_start_here.ipynb --no-browser --allow-root")


def test_no_script_of_the_environment_is_run_because_its_first_line_names_the_old_place():
    assert set(re.findall(r"\.venv/bin/(\w+)", re.sub("(?m)^#.*", "", MAKEFILE))) == {"python"}
