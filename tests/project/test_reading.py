"""A reader works in copies of the chapters, which are never lost and change nothing else."""

import ast
import json
import re
import subprocess
import sys

import pytest
from chapter_files import NOTEBOOKS, ROOT

from tools import reading
from tools.chapters import keep_outputs, recreate
from tools.reading import PACKAGE_NOTE, copy_of, main, one_more_copy, update

TEXT = "# 3 A chapter\n\n```{code-cell}\nslope = 1 - y**2\n```\n\nThe end.\n"


def nothing(notebook, source) -> None:
    """Leave the cells without outputs."""


@pytest.fixture
def chapter(tmp_path, monkeypatch):
    """Return the notebook of a chapter in a clone of its own."""
    path = tmp_path / "chapters" / "03_sample.ipynb"
    path.parent.mkdir()
    path.with_suffix(".md").write_text(TEXT, encoding="utf-8")
    recreate(path.with_suffix(".md"), nothing)
    monkeypatch.setattr(reading, "ROOT", tmp_path)
    return path


def replace(path, old: str, new: str) -> None:
    """Replace a word in a file."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def new_edition(chapter) -> None:
    """Change the chapter of the book, as ``git pull`` does."""
    text = chapter.with_suffix(".md")
    replace(text, "The end.", "The end, said better.")
    recreate(text, keep_outputs)


def test_a_copy_is_the_chapter_without_pairing_and_without_the_note_for_other_places(chapter):
    main([])
    copy = json.loads(copy_of(chapter).read_text(encoding="utf-8"))
    book = json.loads(chapter.read_text(encoding="utf-8"))
    assert "jupytext" not in copy["metadata"] and "jupytext" in book["metadata"]
    others = [c for c in book["cells"] if PACKAGE_NOTE not in c["metadata"].get("tags", [])]
    assert copy["cells"] == others and len(others) == len(book["cells"]) - 1


def test_a_copy_has_the_outputs_of_the_chapter_but_no_numbers_of_runs(chapter):
    book = json.loads(chapter.read_text(encoding="utf-8"))
    code = next(cell for cell in book["cells"] if cell["cell_type"] == "code")
    value = {"output_type": "execute_result", "data": {"text/plain": ["2"]}, "metadata": {}}
    code |= {"execution_count": 1, "outputs": [value | {"execution_count": 1}]}
    chapter.write_text(json.dumps(book), encoding="utf-8")
    main([])
    copy = json.loads(copy_of(chapter).read_text(encoding="utf-8"))
    (code,) = (cell for cell in copy["cells"] if cell["cell_type"] == "code")
    assert code["execution_count"] is None
    assert code["outputs"] == [value | {"execution_count": None}]


def test_coming_back_changes_nothing(chapter, capsys):
    main([])
    replace(copy_of(chapter), "1 - y**2", "1 + y**2")
    mine = copy_of(chapter).read_bytes()
    main([])
    assert copy_of(chapter).read_bytes() == mine
    assert capsys.readouterr().out == ""


def test_a_new_edition_replaces_a_copy_in_which_nothing_was_typed(chapter):
    main([])
    replace(copy_of(chapter), '"outputs": []', '"outputs": [{"output_type": "stream"}]')
    new_edition(chapter)
    assert update(chapter) == ""
    assert "said better" in copy_of(chapter).read_text(encoding="utf-8")


def test_a_new_edition_leaves_the_work_of_the_reader_and_says_so_in_one_line(chapter, capsys):
    main([])
    replace(copy_of(chapter), "1 - y**2", "1 + y**2")
    mine = copy_of(chapter).read_bytes()
    new_edition(chapter)
    main([])
    said = capsys.readouterr().out
    assert said.count("\n") == 1 and said.startswith("chapter 03 has changed since you began")
    assert "make reading CHAPTER=03" in said and "python tools/reading.py 03" in said
    main(["3"])
    assert capsys.readouterr().out.split() == [
        str(copy_of(chapter.with_name("03_sample-2.ipynb")).relative_to(chapter.parent.parent))
    ]
    assert copy_of(chapter).read_bytes() == mine
    fresh = copy_of(chapter).with_name("03_sample-2.ipynb").read_text(encoding="utf-8")
    assert "said better" in fresh and "1 - y**2" in fresh


def test_one_more_copy_has_a_name_of_its_own_each_time(chapter):
    names = [one_more_copy(chapter).name for _ in range(3)]
    assert names == ["03_sample.ipynb", "03_sample-2.ipynb", "03_sample-3.ipynb"]


def test_an_unknown_chapter_and_a_file_that_is_no_notebook_are_named(chapter):
    with pytest.raises(SystemExit, match="no chapter '99'; there are 03"):
        main(["99"])
    copy_of(chapter).parent.mkdir()
    copy_of(chapter).write_text("<<<<<<< HEAD", encoding="utf-8")
    with pytest.raises(SystemExit, match=r"03_sample.ipynb: this is not a notebook"):
        main([])
    assert copy_of(chapter).read_text(encoding="utf-8") == "<<<<<<< HEAD"


def test_an_old_python_is_told_what_is_needed(monkeypatch):
    ast.parse((ROOT / "tools" / "reading.py").read_text("utf-8"), feature_version=(3, 8))
    monkeypatch.setattr(sys, "version_info", (3, 10, 13, "final", 0))
    with pytest.raises(SystemExit, match=r"Python 3.11 or newer is needed, this is 3.10.13\."):
        main([])


def test_the_tool_needs_no_library():
    code = "import sys; sys.path.insert(0, 'tools'); import reading; print(len(sys.argv))"
    run = subprocess.run([sys.executable, "-I", "-S", "-c", code], cwd=ROOT, capture_output=True)
    assert run.returncode == 0, run.stderr


def test_the_version_is_that_of_pyproject():
    needed = ".".join(map(str, reading.NEEDED))
    assert f'requires-python = ">={needed}"' in (ROOT / "pyproject.toml").read_text("utf-8")


def test_git_ignores_the_copies_and_make_clean_leaves_them():
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert "reading/" in ignored
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    clean = re.search(r"^clean:\n((?:\t.*\n)+)", makefile, re.MULTILINE)[1]
    assert "reading" not in clean


def test_the_commands_with_and_without_make_open_the_first_copy():
    first = f"reading/{NOTEBOOKS[0].name}"
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert (
        f"tools/reading.py\n\t$(PY) -m jupyterlab --ServerApp.root_dir=. {first} $(ARGS)"
        in makefile
    )
    readme = (ROOT / "README.md").read_text(encoding="utf-8").replace("\\", "/")
    starts = re.findall(r"jupyter ?lab --ServerApp.root_dir=. (\S+)", readme)
    assert len(starts) >= 3 and set(starts) == {first}
    assert readme.count("tools/reading.py") >= len(starts)
