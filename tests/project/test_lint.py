"""pre-commit and continuous integration run what `make lint` runs."""

import re

import yaml
from chapter_files import ROOT


def recipe(target: str) -> list[str]:
    """Return the commands of a target of the Makefile, with the path of each program."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    lines = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)[1].splitlines()
    return [line.strip().replace("$(PY)", ".venv/bin/python") for line in lines]


def hooks() -> list[dict]:
    """Return the hooks of pre-commit."""
    text = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    return [hook for repo in yaml.safe_load(text)["repos"] for hook in repo["hooks"]]


def test_pre_commit_runs_the_commands_of_make_lint():
    assert [hook["entry"] for hook in hooks()] == recipe("lint")


def test_pre_commit_runs_them_on_the_whole_checkout():
    assert all(hook["language"] == "system" and not hook["pass_filenames"] for hook in hooks())


def test_make_lint_has_style_types_and_what_the_chapters_have_stored():
    programs = [command.removeprefix(".venv/bin/python -m ") for command in recipe("lint")]
    assert programs == ["ruff check", "ruff format --check", "mypy", "pytest -q chapters -m stored"]


def test_continuous_integration_runs_make_lint():
    assert re.search(r"^make .*lint$", (ROOT / ".ci" / "run").read_text("utf-8"), re.MULTILINE)
