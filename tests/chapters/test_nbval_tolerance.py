"""The comparison with stored outputs finds wrong digits, and accepts other rounding."""

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from tools.nbval_tolerance import same_up_to_rounding

ROOT = Path(__file__).resolve().parents[2]

SAME = [
    ("loss 1.2345678901", "loss 1.2345678912"),
    ("error 2.1e-16", "error 3.4e-16"),
    ("error 0.0", "error 2.2e-16"),
    ("[1.  2.5]", "[1.0 2.5]"),
    ("-0.333333333", "-0.333333334"),
    ("dc   (3, 5)   2.1e-16   ✓", "dc   (3, 5)  1.05e-15   ✓"),
]
DIFFERENT = [
    ("loss 1.2345", "loss 1.2346"),
    ("loss 1e-3", "loss 2e-3"),
    ("loss 0.5", "loss -0.5"),
    ("loss 0.5", "loss nan"),
    ("loss inf", "loss 0.5"),
    ("(3, 5)", "(3, 6)"),
    ("10000000 steps", "10000001 steps"),
    ("1.0 2.0", "1.0"),
    ("dc 2.1e-16 ✓", "dc 2.1e-16 ✗"),
    ("W_x 0.5", "W_h 0.5"),
]


@pytest.mark.parametrize(("stored", "printed"), SAME)
def test_rounding_is_forgiven(stored, printed):
    assert same_up_to_rounding(stored, printed)
    assert same_up_to_rounding(printed, stored)


@pytest.mark.parametrize(("stored", "printed"), DIFFERENT)
def test_a_wrong_digit_sign_word_or_shape_is_not_forgiven(stored, printed):
    assert not same_up_to_rounding(stored, printed)
    assert not same_up_to_rounding(printed, stored)


def printing_cell(stored: str, printed: str):
    """Return a cell that prints one text and has another one stored as its output."""
    output = new_output("stream", name="stdout", text=stored + "\n")
    return new_code_cell(f"print({printed!r})", outputs=[output], execution_count=1)


def value_cell(stored: str, value: str):
    """Return a cell that ends in a value and has another one stored as its output."""
    output = new_output("execute_result", data={"text/plain": stored}, execution_count=1)
    return new_code_cell(value, outputs=[output], execution_count=1)


def nbval_verdicts(cells, directory: Path) -> list[bool]:
    """Return for each cell whether ``pytest --nbval`` passes it with our settings."""
    nbformat.write(new_notebook(cells=cells), directory / "sample.ipynb")
    options = [
        "--nbval",
        "--nbval-current-env",
        f"--nbval-sanitize-with={ROOT / 'tests' / 'nbval_sanitize.cfg'}",
    ]
    plugins = ["-p", "nbval.plugin", "-p", "tools.nbval_tolerance", "-p", "no:cacheprovider"]
    places = ["-c", os.devnull, "--rootdir", str(directory), "--confcutdir", str(directory)]
    report = directory / "report.xml"
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *options, *plugins, *places]
        + [f"--junitxml={report}", "sample.ipynb"],
        cwd=directory,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        timeout=120,
    )
    return [case.find("failure") is None for case in ElementTree.parse(report).iter("testcase")]


def test_nbval_itself_fails_a_wrong_digit_and_passes_rounding_and_wall_clock_times(tmp_path):
    same = [
        printing_cell(*pair)
        for pair in [*SAME, ("took 1.25 s", "took 3.5 s"), ("0.25 ms a step", "0.5 ms a step")]
    ]
    same.append(value_cell("0.30000000000000004", "0.3"))
    different = [printing_cell(*pair) for pair in [*DIFFERENT, ("12.5 steps", "13.5 steps")]]
    different += [value_cell("0.31", "0.3"), value_cell("3", "2 + 2")]
    assert nbval_verdicts(same + different, tmp_path) == [True] * len(same) + [False] * len(
        different
    )
