"""``make chapters`` stores the same bytes each time, and changes no file when a cell fails."""

import pytest

from tools.chapters import find_sources, recreate

CELLS = ['print("a")', 'import sys\nprint("b")\nprint("c")']
GOOD = "# 1 A chapter\n" + "".join(f"\n```{{code-cell}}\n{cell}\n```\n" for cell in CELLS)


def test_running_a_chapter_twice_gives_the_same_bytes_and_a_failing_cell_changes_nothing(tmp_path):
    source = tmp_path / "01_sample.md"
    source.write_text(GOOD, encoding="utf-8")
    assert recreate(source) == "written, text put into canonical form"
    notebook = source.with_suffix(".ipynb")
    stored, text = notebook.read_bytes(), source.read_bytes()
    assert recreate(source) == "unchanged"
    assert (notebook.read_bytes(), source.read_bytes()) == (stored, text)

    broken = text.replace(b"import sys", b"1 / 0")
    source.write_bytes(broken)
    with pytest.raises(SystemExit, match=r"(?s)01_sample.md: cell 2:.*ZeroDivisionError"):
        recreate(source)
    assert (notebook.read_bytes(), source.read_bytes()) == (stored, broken)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["01_sample.ipynb", "01_sample.md"]


def test_chapters_are_found_by_number_and_unknown_ones_are_refused():
    assert find_sources(["0"]) == find_sources(["00"]) == find_sources([])[:1]
    assert find_sources(["chapters/00_start_here.ipynb"]) == find_sources(["0"])
    with pytest.raises(SystemExit, match="no chapter '99'"):
        find_sources(["99"])
