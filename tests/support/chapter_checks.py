"""A pytest plugin: the checks of what a chapter has stored are run with the chapter.

So ``pytest chapters/03_through_time.ipynb`` runs the cells and these checks. A function ``check_…``
of this module is given the path and the notebook of a chapter, whose text is next to it. If the
notebook was changed by hand, only the first one fails and says so; the others are skipped. Any
other notebook, such as a copy in reading/, is searched for stored ✗ only.
"""

import re
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path

import pytest
from chapter_files import ROOT, code_cells, output_texts, read, tags
from nbformat import NotebookNode

from tools.chapters import notebook_to_text, prepare, read_notebook
from tools.reading import changed_line, typed_cells

TAGS = {"wrong-on-purpose", "raises-exception", "nbval-ignore-output"}
FOLDING = {"hide-input", "hide-output", "hide-cell"}
LINES = 15  # of a cell that a reader must read


def changes_by_hand(path: Path, notebook: NotebookNode) -> str:
    """Return what was changed since ``make chapters`` wrote the notebook, or nothing."""
    text = path.with_suffix(".md").read_text(encoding="utf-8")
    for cell in typed_cells(notebook):
        before = notebook.cells[: notebook.cells.index(cell)]
        k = sum(other.cell_type == "code" for other in before)
        prose = f"the text below cell [{k}]" if k else "the text above cell [1]"
        place = f"cell [{k + 1}]" if cell.cell_type == "code" else prose
        return f"{place} was changed (`{changed_line(cell.source, text)}`)"
    machine = set(notebook.metadata) != {"jupytext", "kernelspec", "language_info"} or (
        notebook.metadata.language_info != {"name": "python"}
    )
    if machine or any("execution" in cell.metadata for cell in code_cells(notebook)):
        return "Jupyter or VS Code has saved it, without changing a cell"
    return ""


def check_nobody_has_changed_it(path: Path, notebook: NotebookNode) -> None:
    change, number = changes_by_hand(path, notebook), path.name[:2]
    if change:
        pytest.fail(
            f"chapter {number} is not the one that you cloned: {change}.\n"
            "To get the cloned chapter back, without your change: git restore chapters\n"
            f"To make it again from its text, {path.stem}.md: make chapters CHAPTER={number}\n"
            "(What only your notebook has is then kept in reading/.)\n"
            "Copies for you to change are in reading/: make lab opens them.",
            pytrace=False,
        )


def check_the_notebook_is_that_of_the_text(path: Path, notebook: NotebookNode) -> None:
    text, number = path.with_suffix(".md"), path.name[:2]
    stored, expected = (
        [(cell.id, cell.cell_type, cell.source, cell.metadata) for cell in cells]
        for cells in (notebook.cells, prepare(text).cells)
    )
    if stored != expected:
        different = [cell for cell in expected if cell not in stored] or [("", "", "", {})]
        _, _, source, _ = different[0]
        line = changed_line(source, "\n".join(cell.source for cell in notebook.cells))
        pytest.fail(
            f"the text of chapter {number} has cells or tags that its notebook does not have"
            f" (`{line}`).\n"
            f"To run the chapter and store it: make chapters CHAPTER={number}",
            pytrace=False,
        )


def check_the_text_is_canonical(path: Path, notebook: NotebookNode) -> None:
    text = path.with_suffix(".md").read_text(encoding="utf-8")
    assert notebook_to_text(read_notebook(path)) == text, f"make chapters CHAPTER={path.name[:2]}"


def check_every_cell_was_executed_once_from_top_to_bottom(
    path: Path, notebook: NotebookNode
) -> None:
    counts = [cell.execution_count for cell in code_cells(notebook)]
    assert counts == list(range(1, len(counts) + 1))


def check_no_error_is_stored_that_is_not_meant(path: Path, notebook: NotebookNode) -> None:
    for cell in code_cells(notebook):
        failed = any(output.output_type == "error" for output in cell.outputs)
        assert failed == ("raises-exception" in tags(cell)), cell.source


def check_no_warning_is_stored(path: Path, notebook: NotebookNode) -> None:
    for cell in code_cells(notebook):
        assert not any(output.get("name") == "stderr" for output in cell.outputs), cell.source
        assert not any(re.search(r"\w*Warning:", text) for text in output_texts(cell)), cell.source


def check_a_cross_is_stored_only_where_the_code_is_wrong_on_purpose(
    path: Path, notebook: NotebookNode
) -> None:
    for k, cell in enumerate(code_cells(notebook), start=1):
        crossed = any("✗" in text for text in output_texts(cell))
        meant = "wrong-on-purpose" in tags(cell)
        if crossed != meant:
            found = "has a ✗" if crossed else "is wrong on purpose, and has no ✗"
            pytest.fail(f"cell [{k}] of {path.name} {found}:\n{cell.source}", pytrace=False)


def check_tags_are_known_ones(path: Path, notebook: NotebookNode) -> None:
    for cell in code_cells(notebook):
        assert tags(cell) <= TAGS | FOLDING, cell.source


def check_a_cell_that_is_not_folded_can_be_read_at_once(path: Path, notebook: NotebookNode) -> None:
    for cell in code_cells(notebook):
        lines = [line for line in cell.source.splitlines() if line.strip()]
        assert len(lines) <= LINES or tags(cell) & {"hide-input", "hide-cell"}, cell.source


def check_code_is_plain_python_without_magics_and_progress_bars(
    path: Path, notebook: NotebookNode
) -> None:
    for cell in code_cells(notebook):
        assert not re.search(r"^\s*[%!]", cell.source, re.MULTILINE), cell.source
        assert not any("\r" in text or "it/s" in text for text in output_texts(cell)), cell.source


def check_no_path_of_the_machine_is_stored(path: Path, notebook: NotebookNode) -> None:
    for cell in code_cells(notebook):
        for text in output_texts(cell):
            assert str(ROOT) not in text and not re.search(
                r"/home/|/Users/|/tmp/|[A-Z]:\\", text
            ), text


CHECKS = [check for name, check in globals().items() if name.startswith("check_")]
OF_ANY_NOTEBOOK = [check_a_cross_is_stored_only_where_the_code_is_wrong_on_purpose]


class StoredNotebook(pytest.File):
    """A notebook whose stored cells and outputs are checked."""

    @cached_property
    def notebook(self) -> NotebookNode:
        return read(self.path)

    @cached_property
    def is_chapter(self) -> bool:
        return self.path.with_suffix(".md").exists()

    @cached_property
    def changed(self) -> bool:
        return self.is_chapter and bool(changes_by_hand(self.path, self.notebook))

    def collect(self) -> Iterator[pytest.Item]:
        for check in CHECKS if self.is_chapter else OF_ANY_NOTEBOOK:
            yield StoredCheck.from_parent(self, name=check.__name__, check=check)


class StoredCheck(pytest.Item):
    """One check of a stored notebook."""

    def __init__(self, *, check: Callable[[Path, NotebookNode], None], **keywords: object) -> None:
        super().__init__(**keywords)
        self.check = check
        self.add_marker("stored")

    def runtest(self) -> None:
        if self.parent.changed and self.check is not CHECKS[0]:
            pytest.skip("the notebook was changed by hand, for which another check fails")
        self.check(self.path, self.parent.notebook)

    def reportinfo(self) -> tuple[Path, None, str]:
        return self.path, None, self.nodeid


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect the checks of a notebook; nbval collects its cells."""
    if file_path.suffix == ".ipynb":
        return StoredNotebook.from_parent(parent, path=file_path)
    return None
