"""Make, from the sources ``assignments/NN_name/NN_name.py``, what a course hands out. Run by ``make assignments``.

In ``build/assignments``: ``student/NN_name.ipynb``, without solutions and hidden tests, as nbgrader makes it; ``instructor/
NN_name.ipynb``, executed, with full marks; and ``syllabus.md``, which maps weeks to chapters and assignments.

    python tools/assignments.py            # every assignment
    python tools/assignments.py 01         # by number; the syllabus is always whole
"""

import argparse
import hashlib
import os
import sys
from pathlib import Path

import jupytext
import nbformat
from nbgrader.preprocessors import ClearHiddenTests, ClearOutput, ClearSolutions, LockCells

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from rnn_course.release import questions_of  # noqa: E402
from tools.chapters import ENVIRONMENT, execute, write_if_changed  # noqa: E402
from tools.syllabus import syllabus  # noqa: E402

SOURCES = sorted((ROOT / "assignments").glob("[0-9][0-9]_*/[0-9][0-9]_*.py"))
STUB = 'raise NotImplementedError("not answered yet")'


def read_source(source: Path) -> nbformat.NotebookNode:
    """The notebook of a source, with cell ids that depend on nothing but name and position, and paired with nothing."""
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
    """The notebook that is handed out: nbgrader's own steps, with a stub that says what is to be done."""
    notebook, resources = read_source(source), {}
    for step in (
        LockCells(),
        ClearSolutions(code_stub={"python": STUB}),
        ClearHiddenTests(),
        ClearOutput(),
    ):
        notebook, resources = step.preprocess(notebook, resources)
    return notebook


def instructor_version(source: Path) -> nbformat.NotebookNode:
    """The notebook with its solutions, executed in the folder of its source."""
    notebook = read_source(source)
    execute(notebook, source.parent)
    return notebook


def earned(notebook: nbformat.NotebookNode) -> float:
    """The points that the hidden tests of an executed notebook gave."""
    tests = [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade")]
    return sum(
        float(output.data["text/plain"])
        for cell in tests
        for output in cell.outputs
        if "data" in output
    )


def worth(notebook: nbformat.NotebookNode) -> float:
    """The points of a notebook."""
    return sum(
        cell.metadata.nbgrader.points
        for cell in notebook.cells
        if cell.metadata.get("nbgrader", {}).get("grade")
    )


def make(source: Path, out: Path) -> str:
    """What was made of one source, in words; it is an error if its own solutions do not earn full marks."""
    instructor = instructor_version(source)
    if earned(instructor) != worth(instructor):
        raise SystemExit(
            f"{source.name}: its solutions earn {earned(instructor):g} of {worth(instructor):g} points"
        )
    for folder, notebook in (("student", student_version(source)), ("instructor", instructor)):
        (out / folder).mkdir(parents=True, exist_ok=True)
        write_if_changed(out / folder / f"{source.stem}.ipynb", nbformat.writes(notebook) + "\n")
    return f"{len(questions_of(source.stem))} questions, {worth(instructor):g} points"


def main() -> None:
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
