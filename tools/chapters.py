"""Re-create ``chapters/*.ipynb`` with outputs from the text sources ``chapters/*.md``.

Run by ``make chapters``. Running it twice gives the same bytes: cell ids are hashes, and no output
depends on the day or the machine. If a chapter fails, its old notebook stays in place. A notebook
in which somebody has typed what is not in the text is kept in ``reading/``.

    python tools/chapters.py                      # every chapter
    python tools/chapters.py 03 5                 # chapters by number
    python tools/chapters.py --keep-outputs 03    # runs nothing; only if no code has changed
    python tools/chapters.py chapters/05_learning_to_write.md
"""

import argparse
import os
import sys
import textwrap
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

import jupytext
import nbformat
from jupytext.config import load_jupytext_config
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tools.reading import (  # noqa: E402
    PACKAGE_NOTE,
    cell_ids,
    changed_line,
    one_more_copy,
    typed_cells,
)

CHAPTERS = ROOT / "chapters"
# What JupyterLab and VS Code fold away for a tag. The site knows the tags themselves.
FOLDED = {
    "hide-input": {"source_hidden": True},
    "hide-output": {"outputs_hidden": True},
    "hide-cell": {"source_hidden": True, "outputs_hidden": True},
}
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTHONPATH": str(ROOT),  # the package of this checkout, whatever else is installed
}


def find_sources(names: list[str]) -> list[Path]:
    """Return the text sources with these numbers or files; all of them if ``names`` is empty."""
    sources = sorted(CHAPTERS.glob("[0-9][0-9]_*.md"))
    if not names:
        return sources
    return [source for name in names for source in _find_source(name, sources)]


def _find_source(name: str, sources: list[Path]) -> list[Path]:
    if name.isdigit():
        found = [source for source in sources if int(source.name[:2]) == int(name)]
    else:
        found = [path for path in [Path(name).with_suffix(".md").resolve()] if path.exists()]
    if not found:
        raise SystemExit(f"no chapter {name!r} in {CHAPTERS}")
    return found


def read_notebook(path: Path) -> nbformat.NotebookNode:
    """Return the notebook in ``path`` (text or ipynb), read with the settings of pyproject.toml."""
    return jupytext.read(path, config=load_jupytext_config(str(ROOT)))


def notebook_to_text(notebook: nbformat.NotebookNode) -> str:
    """Return the one canonical MyST text of a notebook."""
    return jupytext.writes(notebook, fmt="md:myst", config=load_jupytext_config(str(ROOT)))


def package_note() -> nbformat.NotebookNode:
    """Return the cell that says, in a notebook without its repository, how to get the package.

    The address is the one in pyproject.toml, [project.urls] Repository, as soon as there is one.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    address = project.get("urls", {}).get("Repository")
    package = f"rnn-tutorial[data,exchange] @ git+{address}" if address else "CLONE[data,exchange]"
    clone = "" if address else ", where `CLONE` is the path of a clone of the repository"
    sentences = (
        "**Only this notebook?** In a clone of its repository, `make lab` installs what it needs."
        f' Elsewhere, such as in Colab, first run `%pip install "{package}"`{clone}.'
    )
    source = "\n".join(f"> {line}" for line in textwrap.wrap(sentences, 96, break_on_hyphens=False))
    # The site leaves out what has the tag remove-cell: there is no notebook there.
    return nbformat.v4.new_markdown_cell(source, metadata={"tags": [PACKAGE_NOTE, "remove-cell"]})


def prepare(source: Path) -> nbformat.NotebookNode:
    """Return the notebook of a text source, without outputs.

    The note about the package is above the first code. The id of a cell is a hash of its source.
    """
    notebook = read_notebook(source)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    cells = [cell for cell in notebook.cells if PACKAGE_NOTE not in cell.metadata.get("tags", [])]
    first = next((i for i, cell in enumerate(cells) if cell.cell_type == "code"), len(cells))
    notebook.cells = [*cells[:first], package_note(), *cells[first:]]
    for cell, own in zip(notebook.cells, cell_ids(notebook.cells)):
        cell["id"] = own
    notebook.metadata["kernelspec"] = {
        "display_name": "Python 3",
        "language": "python",
        "name": "python3",
    }
    notebook.metadata["jupytext"] = {"formats": "ipynb,md:myst"}
    fold(notebook)
    return notebook


def fold(notebook: nbformat.NotebookNode) -> None:
    """Fold the input or the output of every cell whose tags say so, in Jupyter's own metadata."""
    for cell in notebook.cells:
        for tag in FOLDED.keys() & set(cell.metadata.get("tags", [])):
            cell.metadata["jupyter"] = cell.metadata.get("jupyter", {}) | FOLDED[tag]


def execute(notebook: nbformat.NotebookNode, directory: Path) -> None:
    """Run every cell in ``directory`` and keep the outputs, without time stamps and versions."""
    client = NotebookClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        record_timing=False,
        # A kernel on this machine would warn that its connection is not encrypted.
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
        coalesce_streams=True,
        resources={"metadata": {"path": str(directory)}},
    )
    client.execute()
    notebook.metadata.pop("widgets", None)
    remove_widget_views(notebook)
    name_files_from_the_root(notebook)
    notebook.metadata["language_info"] = {"name": "python"}


def name_files_from_the_root(notebook: nbformat.NotebookNode) -> None:
    """Leave the folder of this clone out of the tracebacks, which name it with each file."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                output.traceback = [
                    part.replace(f"{ROOT}{os.sep}", "") for part in output.traceback
                ]


def remove_widget_views(notebook: nbformat.NotebookNode) -> None:
    """Remove the views of widgets: they name a running kernel. The still pictures stay."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET_VIEW, None)


def describe_failure(notebook: nbformat.NotebookNode, error: Exception) -> str:
    """Return the number of the cell that failed, counted from 0 as nbval does, and its error."""
    executed = [
        i
        for i, cell in enumerate(notebook.cells)
        if cell.cell_type == "code" and cell.execution_count
    ]
    failed = [
        i for i in executed if any(o.output_type == "error" for o in notebook.cells[i].outputs)
    ]
    cell = (failed or executed or [0])[-1]
    return f"cell {cell}:\n{error}"


def write_if_changed(path: Path, text: str) -> bool:
    """Write ``text`` to ``path`` in one step, and return whether the file had to change."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    scratch = path.with_name(f".{path.name}.tmp")
    scratch.write_text(text, encoding="utf-8", newline="\n")
    os.replace(scratch, path)
    return True


def run(notebook: nbformat.NotebookNode, source: Path) -> None:
    """Run a chapter in its folder, or exit and name the cell that failed."""
    try:
        execute(notebook, source.parent)
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        raise SystemExit(f"{source.name}: {describe_failure(notebook, error)}") from None


def keep_outputs(notebook: nbformat.NotebookNode, source: Path) -> None:
    """Take the outputs from the stored notebook, or exit if its code is not the same."""
    stored = nbformat.read(source.with_suffix(".ipynb"), as_version=4)
    old, new = (
        [cell for cell in cells if cell.cell_type == "code"]
        for cells in (stored.cells, notebook.cells)
    )
    if [cell.source for cell in old] != [cell.source for cell in new]:
        raise SystemExit(f"{source.name}: code has changed, so the outputs cannot be kept")
    for old_cell, new_cell in zip(old, new):
        new_cell.outputs, new_cell.execution_count = old_cell.outputs, old_cell.execution_count
    notebook.metadata["language_info"] = {"name": "python"}


def keep_typed(source: Path, notebook: nbformat.NotebookNode) -> str:
    """Copy the stored notebook to reading/ if it has typed cells that the new one does not have.

    Return what was done, or nothing.
    """
    stored = source.with_suffix(".ipynb")
    typed = typed_cells(nbformat.read(stored, as_version=4)) if stored.exists() else []
    sources = {cell.source for cell in notebook.cells}
    lost = [cell.source for cell in typed if cell.source not in sources]
    if not lost:
        return ""
    copy = one_more_copy(stored)
    line = changed_line(lost[0], source.read_text(encoding="utf-8"))
    return (
        f"; {stored.name} had a cell that the text does not have (`{line}`),"
        f" so it is kept as {copy.parent.name}/{copy.name}"
    )


def recreate(source: Path, fill: Callable[[nbformat.NotebookNode, Path], None] = run) -> str:
    """Write the notebook of a chapter, make its text canonical, and return what changed.

    ``fill`` gives the cells their outputs.
    """
    before = source.read_text(encoding="utf-8")
    path = source.with_suffix(".ipynb")
    notebook = prepare(source)
    fill(notebook, source)
    if source.read_text(encoding="utf-8") != before:
        raise SystemExit(
            f"{source.name}: the text was edited while it ran; nothing written, run it again"
        )
    kept = keep_typed(source, notebook)
    written = write_if_changed(path, nbformat.writes(notebook) + "\n")
    rewritten = write_if_changed(source, notebook_to_text(notebook))
    return (
        ("written" if written else "unchanged")
        + (", text put into canonical form" if rewritten else "")
        + kept
    )


def main() -> None:
    """Re-create the chapters named on the command line, and print what changed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "chapters", nargs="*", help="chapter numbers or files; every chapter if none is named"
    )
    parser.add_argument(
        "--keep-outputs",
        action="store_const",
        const=keep_outputs,
        default=run,
        dest="fill",
        help="store changed prose and tags without running the chapter; refused if code changed",
    )
    arguments = parser.parse_args()
    sources = find_sources(arguments.chapters)
    os.environ.update(ENVIRONMENT)
    os.environ.pop("MPLBACKEND", None)  # the notebook's own backend must make the figures
    for source in sources:
        start = time.perf_counter()
        result = recreate(source, arguments.fill)
        print(f"{source.stem:<28} {time.perf_counter() - start:5.1f} s  {result}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
