"""What ``make assignments`` makes: no solution for students, full marks for the instructor."""

import ast
import re

import nbformat
import pytest

pytest.importorskip("nbgrader")

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from rnn_course.judge.question import argument_names
from rnn_course.release import questions_of
from tools.assignments import (
    ROOT,
    SOURCES,
    earned,
    instructor_version,
    make,
    read_source,
    student_version,
    worth,
)
from tools.chapters import ENVIRONMENT
from tools.syllabus import WEEKS, about, syllabus

NAMES = [source.stem for source in SOURCES]
each_source = pytest.mark.parametrize("source", SOURCES, ids=NAMES)


def nbgrader_of(cell):
    return cell.metadata.get("nbgrader", {})


def cells_by_id(notebook):
    return {nbgrader_of(cell)["grade_id"]: cell for cell in notebook.cells if nbgrader_of(cell)}


def text_of(notebook):
    return "\n".join(cell.source for cell in notebook.cells)


def solution_lines(source):
    """Return the lines between BEGIN SOLUTION and END SOLUTION."""
    regions = re.findall(
        r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", text_of(read_source(source)), re.DOTALL
    )
    return [
        line.strip() for region in regions for line in region.split("\n") if len(line.strip()) > 8
    ]


@each_source
def test_the_student_version_has_no_trace_of_a_solution_or_a_hidden_test(source):
    text, lines = nbformat.writes(student_version(source)), solution_lines(source)
    assert lines
    assert [line for line in lines if line in text_of(student_version(source))] == []
    assert (
        "SOLUTION" not in text
        and "HIDDEN" not in text
        and "hidden_test" not in text
        and '"outputs": []' in text
    )


@each_source
def test_the_student_version_is_paired_with_nothing(source):
    assert "jupytext" not in student_version(source).metadata


@each_source
def test_the_student_version_runs_to_the_first_unanswered_question_and_says_so_kindly(
    source, monkeypatch
):
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    notebook = student_version(source)
    with pytest.raises(CellExecutionError):
        NotebookClient(notebook, kernel_name="python3", timeout=60).execute()
    (error,) = [
        output
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.output_type == "error"
    ]
    first = next(iter(questions_of(source.stem)))
    assert error.ename == "Unanswered"
    assert error.traceback == [
        f"{first}: not answered yet. Write your {first} above, run its cell, then run this one "
        "again."
    ]


@each_source
def test_the_instructor_version_has_full_marks(source, monkeypatch):
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    notebook = instructor_version(source)
    assert earned(notebook) == worth(notebook) == float(about(notebook, "Points"))


@each_source
def test_each_question_has_its_cells_its_points_and_three_folded_hints(source):
    notebook, questions = read_source(source), questions_of(source.stem)
    cells = cells_by_id(notebook)
    markdown = [
        cell.source
        for cell in notebook.cells
        if cell.cell_type == "markdown" and cell.source.startswith("## Question")
    ]
    assert len(markdown) == len(questions)
    for number, (name, text) in enumerate(zip(questions, markdown), 1):
        points = nbgrader_of(cells[f"test_{name}"])["points"]
        assert re.match(rf"## Question {number}: .* \({points} points\)\n", text)
        assert (
            re.findall(r"<details><summary>Hint (\d)</summary>", text)
            == ["1", "2", "3"]
            == re.findall(r"(\d)</summary>", text)
        )
        assert text.count("</details>") == 3 and re.search(r"\(\d+\.\d+\)", text)
        assert (
            f"points={points})" in cells[f"test_{name}"].source
            and f", {name})" in cells[f"check_{name}"].source
        )


@each_source
def test_the_cells_are_marked_as_the_grader_needs_them(source):
    for grade_id, cell in cells_by_id(read_source(source)).items():
        marks, kind = nbgrader_of(cell), grade_id.split("_")[0]
        assert marks["solution"] == (grade_id in questions_of(source.stem)) != marks["locked"]
        assert marks["grade"] == (kind == "test") and marks["schema_version"] == 3
        assert marks["solution"] or kind in ("given", "check", "test")
        assert ("rnn_tutorial" in cell.source) <= (kind in ("check", "test"))


@each_source
def test_the_signature_that_a_student_sees_is_that_of_the_reference(source):
    cells = cells_by_id(read_source(source))
    for name, question in questions_of(source.stem).items():
        (function,) = [
            node for node in ast.parse(cells[name].source).body if isinstance(node, ast.FunctionDef)
        ]
        assert function.name == name and tuple(
            arg.arg for arg in function.args.args
        ) == argument_names(question)
        assert ast.get_docstring(function)


@each_source
def test_equations_that_are_named_exist_in_the_chapters(source):
    tags = set()
    for chapter in (ROOT / "chapters").glob("*.md"):
        tags |= set(re.findall(r"\\tag\{(\d+\.\d+)\}", chapter.read_text(encoding="utf-8")))
    hints = " ".join(
        cause.hint for question in questions_of(source.stem).values() for cause in question.causes
    )
    named = set(re.findall(r"\((\d+\.\d+)\)", text_of(read_source(source)) + hints))
    assert named and named <= tags


def test_make_assignments_gives_the_same_bytes_each_time_and_a_wrong_solution_stops_it(
    tmp_path, monkeypatch
):
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    source = tmp_path / SOURCES[0].name
    source.write_text(SOURCES[0].read_text(encoding="utf-8"), encoding="utf-8")
    make(source, tmp_path / "one")
    make(source, tmp_path / "two")
    files = sorted(
        path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*.ipynb")
    )
    assert [str(file) for file in files] == [
        f"instructor/{source.stem}.ipynb",
        f"student/{source.stem}.ipynb",
    ]
    assert all(
        (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
        for file in files
    )

    source.write_text(
        source.read_text(encoding="utf-8").replace(
            "(1 - h**2)) @ params.W_h.T", "(1 - h)) @ params.W_h.T"
        ),
        "utf-8",
    )
    with pytest.raises(Exception, match="derivative of the activation wrong"):
        make(source, tmp_path / "three")
    assert not (tmp_path / "three").exists()


def test_the_syllabus_has_every_chapter_once_and_every_assignment_after_its_chapters():
    page = syllabus([read_source(source) for source in SOURCES], NAMES)
    chapters = [int(number) for week, _, _ in WEEKS for number in week.split()]
    assert chapters == sorted(
        int(path.name[:2]) for path in (ROOT / "chapters").glob("[0-9][0-9]_*.md")
    )
    for source in SOURCES:
        notebook = read_source(source)
        row = next(
            line
            for line in page.split("\n")
            if line.startswith("|") and f"| {int(source.name[:2])}: " in line
        )
        assert row.endswith(
            f"| {about(notebook, 'Time').removesuffix(' hours')} | {about(notebook, 'Points')} |"
        )
        read = [
            int(number)
            for week, _, number in WEEKS[: int(row.split("|")[1])]
            for number in week.split()
        ]
        assert {
            int(number) for number in re.findall(r"\b(\d\d)\b", about(notebook, "You need"))
        } <= set(read)
    assert page.startswith("# Syllabus\n")


@each_source
def test_the_page_for_lecturers_says_of_it_what_its_own_heading_says(source):
    notebook, page = (
        read_source(source),
        (ROOT / "assignments" / "README.md").read_text(encoding="utf-8"),
    )
    hours, points = about(notebook, "Time").removesuffix(" hours"), about(notebook, "Points")
    row = (
        next(line for line in page.splitlines() if line.startswith(f"| {int(source.stem[:2])} |"))
        .strip("| ")
        .split(" | ")
    )
    assert (row[1], *row[3:]) == (
        notebook.cells[0].source.split("\n")[0].split(": ", 1)[1],
        hours,
        points,
    )
    assert (
        next(chapters for chapters, _, number in WEEKS if number == source.stem[:2]).split()[0]
        >= row[2]
    )
