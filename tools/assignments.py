"""Make the notebooks of a course from the sources ``assignments/NN_name/NN_name.py``.

``make assignments`` runs this. It writes into ``build/assignments``:

- ``student/NN_name.ipynb``, as nbgrader makes it: no solutions, no hidden tests;
- ``instructor/NN_name.ipynb``, executed, with full marks;
- ``syllabus.md``, which says in which week each chapter and each assignment comes.

    python tools/assignments.py            # all assignments
    python tools/assignments.py 01         # one, by its number; the syllabus always has all
"""

import argparse
import hashlib
import os
import sys
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbgrader.preprocessors import ClearHiddenTests, ClearOutput, ClearSolutions, LockCells

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from rnn_course.release import questions_of  # noqa: E402
from tools.chapters import ENVIRONMENT, execute, write_if_changed  # noqa: E402
from tools.syllabus import syllabus  # noqa: E402

SOURCES = sorted((ROOT / "assignments").glob("[0-9][0-9]_*/[0-9][0-9]_*.py"))
__all__ = [
    "ROOT",
    "SOURCES",
    "earned",
    "instructor_version",
    "make",
    "read_source",
    "student_version",
    "worth",
]

STUB = 'raise NotImplementedError("not answered yet")'


def read_source(source: Path) -> nbformat.NotebookNode:
    """Return the notebook of a source, not paired with a text file.

    The ids of its cells depend on the name of the source and the position of the cell alone.
    """
    notebook = jupytext.read(source)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for i, cell in enumerate(notebook.cells):
        cell["id"] = hashlib.sha1(f"{source.stem}-{i}".encode()).hexdigest()[:8]
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    return notebook


def student_version(source: Path) -> nbformat.NotebookNode:
    """Return the students' notebook, made by nbgrader's own steps: a stub for each solution."""
    notebook: nbformat.NotebookNode = read_source(source)
    resources: dict[str, Any] = {}
    for step in (
        LockCells(),
        ClearSolutions(code_stub={"python": STUB}),
        ClearHiddenTests(),
        ClearOutput(),
    ):
        notebook, resources = step.preprocess(notebook, resources)
    return notebook


def instructor_version(source: Path) -> nbformat.NotebookNode:
    """Return the notebook with its solutions, executed in the folder of its source."""
    notebook = read_source(source)
    execute(notebook, source.parent)
    return notebook


def earned(notebook: nbformat.NotebookNode) -> float:
    """Return the points that the hidden tests of an executed notebook gave."""
    tests = [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade")]
    return sum(
        float(output.data["text/plain"])
        for cell in tests
        for output in cell.outputs
        if "data" in output
    )


def worth(notebook: nbformat.NotebookNode) -> float:
    """Return the points that a notebook is worth."""
    return sum(
        cell.metadata.nbgrader.points
        for cell in notebook.cells
        if cell.metadata.get("nbgrader", {}).get("grade")
    )


def make(source: Path, out: Path) -> str:
    """Write both notebooks of a source; return a line that says how much it is worth.

    Raises: SystemExit if its own solutions do not earn all points.
    """
    instructor = instructor_version(source)
    if earned(instructor) != worth(instructor):
        points = f"{earned(instructor):g} of {worth(instructor):g} points"
        raise SystemExit(f"{source.name}: its solutions earn {points}")
    for folder, notebook in (("student", student_version(source)), ("instructor", instructor)):
        (out / folder).mkdir(parents=True, exist_ok=True)
        write_if_changed(out / folder / f"{source.stem}.ipynb", nbformat.writes(notebook) + "\n")
    return f"{len(questions_of(source.stem))} questions, {worth(instructor):g} points"


def main() -> None:
    """Make what the command line names, and the syllabus."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("numbers", nargs="*", help="numbers of assignments; all if none is named")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "assignments")
    arguments = parser.parse_args()
    os.environ.update(ENVIRONMENT)
    chosen = [
        s
        for s in SOURCES
        if not arguments.numbers
        or int(s.name[:2]) in map(int, filter(str.isdigit, arguments.numbers))
    ]
    if not chosen:
        raise SystemExit(f"no assignment {' '.join(arguments.numbers)} in {ROOT / 'assignments'}")
    for source in chosen:
        print(f"{source.stem:<16} {make(source, arguments.out)}", flush=True)
    write_if_changed(
        arguments.out / "syllabus.md",
        syllabus([read_source(s) for s in SOURCES], [s.stem for s in SOURCES]),
    )
    print(f"in {arguments.out}")


if __name__ == "__main__":
    main()
