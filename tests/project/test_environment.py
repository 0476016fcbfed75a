"""environment.yml, for conda and Binder, asks for what pyproject.toml asks for."""

import re
import subprocess
import sys
import tomllib

import yaml
from chapter_files import ROOT

import rnn_tutorial

SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = SETTINGS["project"]
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
PIP = ENVIRONMENT[-1]["pip"]


def bounds(requirements: list[str]) -> dict[str, str]:
    """Each required package with its bounds, as it is asked for."""
    return {re.match(r"[\w-]+", text)[0]: re.sub(r"^[\w-]+|\s", "", text) for text in requirements}


def test_the_conda_environment_has_the_packages_and_bounds_of_pyproject():
    extras = PROJECT["optional-dependencies"]
    wanted = bounds(
        PROJECT["dependencies"] + extras["reader"] + extras["data"] + extras["exchange"]
    )
    wanted["python"] = PROJECT["requires-python"]
    from_conda = bounds([item for item in ENVIRONMENT if isinstance(item, str) and item != "pip"])
    from_pip = bounds([item for item in PIP if item != "-e ."])
    assert from_conda | from_pip == wanted


def test_the_conda_environment_installs_the_package_itself():
    assert "-e ." in PIP


def test_uv_run_has_what_make_lab_installs_and_never_a_package_of_the_same_name_from_an_index():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    extras = re.search(r"^EXTRAS \?= (.*)$", makefile, re.MULTILINE)[1]
    assert SETTINGS["dependency-groups"]["dev"] == [f"{PROJECT['name']}[{extras}]"]
    assert SETTINGS["tool"]["uv"]["sources"] == {PROJECT["name"]: {"workspace": True}}


def test_the_citation_names_the_version_of_the_package():
    assert f"\nversion: {rnn_tutorial.__version__}\n" in (ROOT / "CITATION.cff").read_text(
        encoding="utf-8"
    )


def test_a_process_that_opens_a_notebook_does_not_wait_for_grammars_of_addresses():
    code = "import sys, nbformat; print('lark' in sys.modules)"
    command = [sys.executable, "-c", code]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "False\n"
