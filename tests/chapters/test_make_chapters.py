"""``make chapters`` stores the same bytes each time, and loses nothing that somebody typed."""

import nbformat
import pytest
from chapter_files import TEXTS

from tools import chapters
from tools.chapters import find_sources, keep_outputs, prepare, recreate

CELLS = ['print("a")', 'import sys\nprint("b")\nprint("c")']
GOOD = "# 1 A chapter\n" + "".join(f"\n```{{code-cell}}\n{cell}\n```\n" for cell in CELLS)


@pytest.fixture
def source(tmp_path):
    """Return the text of a chapter."""
    path = tmp_path / "chapters" / "01_sample.md"
    path.parent.mkdir()
    path.write_text(GOOD, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """Return the text and the notebook of the chapter after it was run once."""
    path = tmp_path_factory.mktemp("run") / "01_sample.md"
    path.write_text(GOOD, encoding="utf-8")
    assert recreate(path) == "written, text put into canonical form"
    return path.read_bytes(), path.with_suffix(".ipynb").read_bytes()


@pytest.fixture
def stored(source, executed):
    """Return the text of the chapter, with the notebook that it gave next to it."""
    source.write_bytes(executed[0])
    source.with_suffix(".ipynb").write_bytes(executed[1])
    return source


def without_running(notebook, source) -> None:
    """Leave the cells without outputs."""


def files(source) -> list[str]:
    """Return the names of all files next to the folder of the chapters and in it."""
    top = source.parent.parent
    return sorted(path.relative_to(top).as_posix() for path in top.rglob("*.*"))


BOTH = ["chapters/01_sample.ipynb", "chapters/01_sample.md"]


def test_running_a_chapter_twice_gives_the_same_bytes_and_a_failing_cell_changes_nothing(
    stored, executed
):
    text, notebook = executed
    path = stored.with_suffix(".ipynb")
    assert recreate(stored) == "unchanged"
    assert (stored.read_bytes(), path.read_bytes()) == executed

    broken = text.replace(b"import sys", b"1 / 0")
    stored.write_bytes(broken)
    with pytest.raises(SystemExit, match=r"(?s)01_sample.md: cell 3:.*ZeroDivisionError"):
        recreate(stored)
    assert (stored.read_bytes(), path.read_bytes()) == (broken, notebook)
    assert files(stored) == BOTH


def test_an_author_who_edits_the_text_again_and_again_gets_no_copies(source):
    for word in ("a", "A", "AA"):
        source.write_text(GOOD.replace('"a"', f'"{word}"'), encoding="utf-8")
        recreate(source, without_running)
    assert files(source) == BOTH
    assert "AA" in source.with_suffix(".ipynb").read_text(encoding="utf-8")


@pytest.mark.parametrize("edit", ["print('mine')", "# what I think"])
def test_a_cell_that_was_typed_into_the_notebook_is_kept_in_reading(source, edit):
    recreate(source, without_running)
    path = source.with_suffix(".ipynb")
    for name in ("01_sample.ipynb", "01_sample-2.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        notebook.cells.append(nbformat.v4.new_markdown_cell(edit))
        notebook.cells[2].source = edit
        nbformat.write(notebook, path)
        assert recreate(source, without_running) == (
            "written; 01_sample.ipynb had a cell that the text does not have"
            f" (`{edit}`), so it is kept as reading/{name}"
        )
        kept = nbformat.read(source.parent.parent / "reading" / name, as_version=4)
        assert [cell.source for cell in kept.cells].count(edit) == 2
    assert edit not in path.read_text(encoding="utf-8")


def test_what_jupyter_saved_in_both_halves_is_kept_without_a_copy(source):
    recreate(source, without_running)
    for half in (source, source.with_suffix(".ipynb")):
        half.write_text(half.read_text("utf-8").replace('"b', '"mine'), encoding="utf-8")
    assert recreate(source, without_running) == "written"
    assert files(source) == BOTH and "mine" in source.read_text(encoding="utf-8")


def test_changed_prose_can_be_stored_without_running_and_changed_code_cannot(stored):
    before = nbformat.read(stored.with_suffix(".ipynb"), as_version=4)
    text = stored.read_text(encoding="utf-8")
    stored.write_text(text.replace("A chapter", "My chapter"), encoding="utf-8")
    assert recreate(stored, keep_outputs) == "written"
    after = nbformat.read(stored.with_suffix(".ipynb"), as_version=4)
    assert after.cells[0].source == "# 1 My chapter" and after.cells[1:] == before.cells[1:]
    stored.write_text(text.replace('"a"', '"b"'), encoding="utf-8")
    with pytest.raises(SystemExit, match="code has changed"):
        recreate(stored, keep_outputs)


def test_a_traceback_names_a_file_from_the_root_on():
    error = {"ename": "E", "evalue": "", "traceback": [f"File {chapters.ROOT / 'a.py'}:1", "E"]}
    cell = nbformat.v4.new_code_cell(outputs=[nbformat.v4.new_output("error", **error)])
    chapters.name_files_from_the_root(nbformat.v4.new_notebook(cells=[cell]))
    assert cell.outputs[0].traceback == ["File a.py:1", "E"]


def test_the_note_about_the_package_is_above_the_first_code_once(source):
    recreate(source, without_running)
    kinds = [cell.metadata.get("tags", cell.cell_type) for cell in prepare(source).cells]
    assert kinds == ["markdown", ["package-note", "remove-cell"], "code", "code"]
    assert source.read_text(encoding="utf-8").count("Only this notebook?") == 1


def test_the_note_names_the_address_of_the_project_and_no_package_of_an_index(
    tmp_path, monkeypatch
):
    assert "%pip install" in chapters.package_note().source
    monkeypatch.setattr(chapters, "ROOT", tmp_path)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"', encoding="utf-8")
    without = " ".join(chapters.package_note().source.replace("> ", "").split())
    assert '`%pip install "CLONE[data,exchange]"`' in without
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "x"\n[project.urls]\nRepository = "https://x.org/a"', encoding="utf-8"
    )
    address = " ".join(chapters.package_note().source.replace("> ", "").split())
    assert '`%pip install "rnn-tutorial[data,exchange] @ git+https://x.org/a"`' in address
    assert "CLONE" not in address


def test_chapters_are_found_by_number_and_unknown_ones_are_refused():
    assert find_sources(["0"]) == find_sources(["00"]) == TEXTS[:1]
    assert find_sources(["chapters/00_start_here.ipynb"]) == find_sources(["0"])
    with pytest.raises(SystemExit, match="no chapter '99'"):
        find_sources(["99"])
