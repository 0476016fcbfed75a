"""Every chapter has both halves, and whoever runs one chapter learns that it was changed.

The checks of a single chapter are in tests/support/chapter_checks.py, and run with the chapter.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from chapter_checks import (
    CHECKS,
    changes_by_hand,
    check_a_cross_is_stored_only_where_the_code_is_wrong_on_purpose,
    check_the_notebook_is_that_of_the_text,
)
from chapter_files import NOTEBOOKS, ROOT, TEXTS, read

from tools.chapters import prepare, recreate

TEXT = """# 1 A chapter

```{code-cell}
y = 2
slope = 1 - y**2
```

```{code-cell}
print("0.0 ✓" if slope == -3 else "2.0 ✗")
```
"""


def test_every_text_has_its_notebook_and_the_reverse():
    assert TEXTS
    assert [path.stem for path in TEXTS] == [path.stem for path in NOTEBOOKS]


def test_chapters_are_numbered_without_gaps():
    numbers = [int(path.name[:2]) for path in TEXTS]
    assert numbers == list(range(len(TEXTS)))


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> dict[str, str]:
    """Return the text and the notebook of a chapter, by the ends of their names."""
    source = tmp_path_factory.mktemp("made") / "chapters" / "01_sample.md"
    source.parent.mkdir()
    source.write_text(TEXT, encoding="utf-8")
    recreate(source)
    return {end: source.with_suffix(end).read_text(encoding="utf-8") for end in (".md", ".ipynb")}


def run_pytest(folder: Path, *arguments: str) -> str:
    """Return what pytest prints in ``folder``, with our plugins and nbval."""
    plugins = ["-p", "nbval.plugin", "-p", "chapter_checks", "-p", "tools.nbval_tolerance"]
    path = os.pathsep.join(map(str, (ROOT, ROOT / "tests/support")))
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", *plugins]
        + ["-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", str(folder)]
        # No conftest.py of a folder above, such as that of the system for temporary files.
        + ["--confcutdir", str(folder), *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": path, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    return run.stdout


def as_saved_by_jupyter(text: str) -> str:
    """Return a notebook as a program saves it after a reader wrote ``1 + y**2`` and ran all."""
    notebook = json.loads(text.replace("1 - y**2", "1 + y**2"))
    notebook["cells"][-1]["outputs"][0]["text"] = ["2.0 ✗\n"]
    notebook["metadata"]["language_info"]["version"] = "3.11.0"
    return json.dumps(notebook)


def store(made: dict[str, str], folder: Path) -> Path:
    """Store both halves of the chapter in a folder; return the notebook."""
    folder.mkdir(parents=True)
    for end, text in made.items():
        (folder / "01_sample").with_suffix(end).write_text(text, encoding="utf-8")
    return folder / "01_sample.ipynb"


@pytest.fixture
def chapter(made, tmp_path) -> Path:
    """Return the notebook of a chapter as it was made, in a folder of its own."""
    return store(made, tmp_path / "chapters")


def with_a_cross(text: str) -> str:
    """Return a notebook whose last cell, a folded one, has printed a cross."""
    notebook = json.loads(text)
    notebook["cells"][-1]["outputs"][0]["text"] = ["2.0 ✗\n"]
    notebook["cells"][-1]["metadata"] = {"tags": ["hide-cell"]}
    return json.dumps(notebook)


@pytest.fixture(scope="module")
def report(made, tmp_path_factory) -> str:
    """Return what one run of pytest prints.

    It runs a chapter, the same after a reader changed it, and the check of a copy with a cross.
    """
    folder = tmp_path_factory.mktemp("run")
    store(made, folder / "right")
    changed = store(made, folder / "changed")
    changed.write_text(as_saved_by_jupyter(made[".ipynb"]), encoding="utf-8")
    copy = folder / "reading" / changed.name
    copy.parent.mkdir()
    copy.write_text(with_a_cross(made[".ipynb"]), encoding="utf-8")
    check = check_a_cross_is_stored_only_where_the_code_is_wrong_on_purpose.__name__
    paths = [f"{name}/01_sample.ipynb" for name in ("right", "changed", "reading")]
    return run_pytest(folder, "-v", *paths[:2], f"{paths[2]}::{check}")


def verdicts(report: str, name: str) -> list[str]:
    """Return the lines of a report on the tests of a folder, without those of the summary."""
    return [line for line in report.splitlines() if line.startswith(f"{name}/01_sample")]


def test_running_a_chapter_runs_its_cells_and_its_checks_once(report):
    lines = verdicts(report, "right")
    assert sum("::Cell" in line for line in lines) == 2
    assert sum("::check_" in line for line in lines) == len(CHECKS) > 5
    assert len(lines) == len(CHECKS) + 2 and all("PASSED" in line for line in lines)


def test_a_chapter_that_a_reader_changed_fails_once_and_in_plain_words(report):
    message = report[report.index("chapter 01 is") :].splitlines()
    assert message[0] == (
        "chapter 01 is not the one that you cloned: cell [1] was changed (`slope = 1 + y**2`)."
    )
    assert "git restore chapters" in message[1] and "make chapters CHAPTER=01" in message[2]
    lines = verdicts(report, "changed")
    (failed,) = [line for line in lines if "FAILED" in line]
    assert "nobody_has_changed_it" in failed and len(lines) == len(CHECKS) + 2


def test_what_its_message_advises_loses_nothing_that_the_reader_typed(chapter, made):
    saved = as_saved_by_jupyter(chapter.read_text(encoding="utf-8"))
    chapter.write_text(saved, encoding="utf-8")
    assert recreate(chapter.with_suffix(".md")).startswith("written; 01_sample.ipynb had a cell")
    assert chapter.read_text(encoding="utf-8") == made[".ipynb"]
    kept = chapter.parent.parent / "reading" / "01_sample.ipynb"
    assert "1 + y**2" in kept.read_text(encoding="utf-8")


def changed_by_whom(chapter: Path) -> str:
    """Return what the first check says about a chapter."""
    return changes_by_hand(chapter, read(chapter))


def test_a_cell_that_was_changed_in_both_halves_is_named(chapter):
    for half in (chapter, chapter.with_suffix(".md")):
        half.write_text(half.read_text("utf-8").replace("1 - y**2", "1 + y**2"), "utf-8")
    assert changed_by_whom(chapter) == "cell [1] was changed (`y = 2`)"


def test_changed_prose_and_a_new_cell_are_named(chapter, made):
    chapter.write_text(made[".ipynb"].replace("# 1 A chapter", "# 1 My chapter"), "utf-8")
    assert changed_by_whom(chapter) == "the text above cell [1] was changed (`# 1 My chapter`)"
    notebook = read(chapter)
    notebook.cells = prepare(chapter.with_suffix(".md")).cells
    notebook.cells.append(nbformat.v4.new_code_cell("my_own = 1"))
    nbformat.write(notebook, chapter)
    assert changed_by_whom(chapter) == "cell [3] was changed (`my_own = 1`)"


def test_a_chapter_that_jupyter_only_saved_is_named(chapter, made):
    notebook = json.loads(made[".ipynb"])
    notebook["metadata"]["language_info"]["version"] = "3.11.0"
    chapter.write_text(json.dumps(notebook), encoding="utf-8")
    assert "has saved it, without changing a cell" in changed_by_whom(chapter)


def test_an_author_who_changed_the_text_only_is_told_to_run_it(chapter):
    text = chapter.with_suffix(".md")
    text.write_text(TEXT.replace("1 - y**2", "1 - y * y"), encoding="utf-8")
    assert changed_by_whom(chapter) == ""
    with pytest.raises(pytest.fail.Exception, match=r"`slope = 1 - y \* y`(?s:.)*make chapters"):
        check_the_notebook_is_that_of_the_text(chapter, read(chapter))


def test_a_solution_that_prints_a_cross_fails_and_so_does_a_cross_in_a_copy(made, report, tmp_path):
    copy = tmp_path / "01_sample.ipynb"
    copy.write_text(with_a_cross(made[".ipynb"]), encoding="utf-8")
    with pytest.raises(pytest.fail.Exception, match=r"cell \[2\] of 01_sample.ipynb has a"):
        check_a_cross_is_stored_only_where_the_code_is_wrong_on_purpose(copy, read(copy))
    (failed,) = verdicts(report, "reading")
    assert "FAILED" in failed and "cell [2] of 01_sample.ipynb has a" in report


def test_pytest_runs_a_chapter_from_any_folder(tmp_path):
    """The folder is not one of ours, so it has neither our settings nor our package."""
    path = os.path.relpath(NOTEBOOKS[0], tmp_path)
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"{path}::Cell 0"],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.stdout.splitlines()[-1].startswith("1 passed"), run.stdout
