"""Make the notebooks of a course from ``assignments/``.

A notebook is made from its text ``NN_name/NN_name.py``, the solutions in ``rnn_course/questions``,
and ``course.toml``, which has points and dates. ``make assignments`` runs this. It writes into
``build/assignments``:

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
import tomllib
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbgrader.preprocessors import ClearHiddenTests, ClearOutput, ClearSolutions, LockCells

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from rnn_course.course import load_course  # noqa: E402
from rnn_course.release import questions_of, words_of  # noqa: E402
from rnn_course.sandbox.outside import Limits  # noqa: E402
from tools.assignment_cells import expand, how_it_works, late_in_words  # noqa: E402
from tools.chapters import ENVIRONMENT, execute, write_if_changed  # noqa: E402
from tools.syllabus import syllabus  # noqa: E402

FOLDER = ROOT / "assignments"
SOURCES = sorted(FOLDER.glob("[0-9][0-9]_*/[0-9][0-9]_*.py"))
COURSE = FOLDER / "course.toml"
__all__ = [
    "COURSE",
    "ROOT",
    "SOURCES",
    "earned",
    "general_sections",
    "instructor_version",
    "make",
    "read_source",
    "student_version",
    "worth",
]

STUB = 'raise NotImplementedError("not answered yet")'
WORDS_STUB = "Your answer: …"


def read_source(source: Path, course_file: Path = COURSE) -> nbformat.NotebookNode:
    """Return the instructor's notebook of a source, not executed and not paired with a text file.

    The ids of its cells depend on the name of the source and the position of the cell alone.

    Raises: ValueError if course.toml does not have the assignment, or has other questions.
    """
    course, name = load_course(course_file), source.stem
    if name not in course.assignments:
        raise ValueError(f"{course_file}: {name} is missing, expected a table [{name}]")
    notebook = jupytext.read(source)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    notebook.cells = expand(
        notebook.cells,
        course,
        course.assignments[name],
        questions_of(name),
        words_of(name),
        general_sections(course_file),
    )
    for i, cell in enumerate(notebook.cells):
        cell["id"] = hashlib.sha1(f"{name}-{i}".encode()).hexdigest()[:8]
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    return notebook


def general_sections(course_file: Path = COURSE) -> list[str]:
    """Return the sections of how_it_works.md, next to course.toml, with their values filled in."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    address = project.get("urls", {}).get("Repository")
    values = {
        "package": f"{project['name']}[data] @ git+{address}" if address else "CLONE[data]",
        "clone": "" if address else ", where `CLONE` is the path of a clone of the repository",
        "seconds": f"{Limits().seconds:g}",
        "late": late_in_words(load_course(course_file).late),
    }
    text = (course_file.parent / "how_it_works.md").read_text(encoding="utf-8")
    return how_it_works(text, values)


def student_version(source: Path) -> nbformat.NotebookNode:
    """Return the students' notebook, made by nbgrader's own steps: a stub for each solution."""
    notebook: nbformat.NotebookNode = read_source(source)
    resources: dict[str, Any] = {}
    for step in (
        LockCells(),
        ClearSolutions(code_stub={"python": STUB}, text_stub=WORDS_STUB),
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
        for output in cell.get("outputs", [])
        if "data" in output
    )


def worth(notebook: nbformat.NotebookNode) -> float:
    """Return the points that the hidden tests of a notebook are worth."""
    return sum(
        cell.metadata.nbgrader.points
        for cell in notebook.cells
        if cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("grade")
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
    return f"{len(questions_of(source.stem))} functions, {worth(instructor):g} points"


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
        try:
            print(f"{source.stem:<16} {make(source, arguments.out)}", flush=True)
        except ValueError as error:
            raise SystemExit(f"{source.name}: {error}") from None
    write_if_changed(
        arguments.out / "syllabus.md",
        syllabus(load_course(COURSE), [read_source(s) for s in SOURCES], general_sections()),
    )
    print(f"in {arguments.out}")


if __name__ == "__main__":
    main()
