"""The two halves of every chapter agree; its outputs come from one run from top to bottom."""

import re

import pytest
from chapter_files import NOTEBOOKS, ROOT, TEXTS, chapter_name, code_cells, output_texts, read, tags
from jupytext.compare import compare_notebooks

from tools.chapters import notebook_to_text, prepare, read_notebook

TAGS = {"wrong-on-purpose", "raises-exception", "nbval-ignore-output"}
FOLDING = {"hide-input", "hide-output", "hide-cell"}
LINES = 15  # of a cell that a reader must read

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=chapter_name)


def test_every_text_has_its_notebook_and_the_reverse():
    assert TEXTS
    assert [path.stem for path in TEXTS] == [path.stem for path in NOTEBOOKS]


def test_chapters_are_numbered_without_gaps():
    numbers = [int(path.name[:2]) for path in TEXTS]
    assert numbers == list(range(len(TEXTS)))


@each_notebook
def test_the_two_halves_agree(path):
    text = read_notebook(path.with_suffix(".md"))
    compare_notebooks(read_notebook(path), text, "md:myst", compare_outputs=False)


@each_notebook
def test_the_text_is_canonical(path):
    text = path.with_suffix(".md").read_text(encoding="utf-8")
    assert notebook_to_text(read_notebook(path)) == text, (
        "run: make chapters CHAPTER=" + path.name[:2]
    )


@each_notebook
def test_the_cell_ids_are_those_of_make_chapters(path):
    expected = [cell.id for cell in prepare(path.with_suffix(".md")).cells]
    assert [cell.id for cell in read(path).cells] == expected


@each_notebook
def test_every_cell_was_executed_once_from_top_to_bottom(path):
    counts = [cell.execution_count for cell in code_cells(read(path))]
    assert counts == list(range(1, len(counts) + 1))


@each_notebook
def test_no_error_is_stored_that_is_not_meant(path):
    for cell in code_cells(read(path)):
        failed = any(output.output_type == "error" for output in cell.outputs)
        assert failed == ("raises-exception" in tags(cell)), cell.source


@each_notebook
def test_no_warning_is_stored(path):
    for cell in code_cells(read(path)):
        assert not any(output.get("name") == "stderr" for output in cell.outputs), cell.source
        assert not any(re.search(r"\w*Warning:", text) for text in output_texts(cell)), cell.source


@each_notebook
def test_a_cross_is_stored_only_where_the_code_is_wrong_on_purpose(path):
    for cell in code_cells(read(path)):
        crossed = any("✗" in text for text in output_texts(cell))
        assert crossed == ("wrong-on-purpose" in tags(cell)), cell.source


@each_notebook
def test_tags_are_known_ones(path):
    for cell in code_cells(read(path)):
        assert tags(cell) <= TAGS | FOLDING, cell.source


@each_notebook
def test_a_cell_that_is_not_folded_can_be_read_at_once(path):
    for cell in code_cells(read(path)):
        lines = [line for line in cell.source.splitlines() if line.strip()]
        assert len(lines) <= LINES or tags(cell) & {"hide-input", "hide-cell"}, cell.source


@each_notebook
def test_code_is_plain_python_without_magics_and_progress_bars(path):
    for cell in code_cells(read(path)):
        assert not re.search(r"^\s*[%!]", cell.source, re.MULTILINE), cell.source
        assert not any("\r" in text or "it/s" in text for text in output_texts(cell)), cell.source


@each_notebook
def test_nothing_of_the_machine_is_stored(path):
    metadata = read(path).metadata
    advice = f"saved by Jupyter? run: make chapters CHAPTER={path.name[:2]}"
    assert set(metadata) == {"jupytext", "kernelspec", "language_info"}, advice
    assert metadata.language_info == {"name": "python"}, advice
    for cell in code_cells(read(path)):
        assert "execution" not in cell.metadata, advice
        for text in output_texts(cell):
            assert str(ROOT) not in text and not re.search(
                r"/home/|/Users/|/tmp/|[A-Z]:\\", text
            ), text
