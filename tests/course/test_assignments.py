"""What ``make assignments`` makes: no solution for students, full marks for the instructor."""

import ast
import contextlib
import copy
import re
from functools import cache

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from rnn_course.course import load_course
from rnn_course.judge.question import argument_names
from rnn_course.release import load_release, questions_of, words_of
from tools import assignments
from tools.assignment_cells import expand, late_in_words, solution_source
from tools.assignments import (
    COURSE,
    ROOT,
    SOURCES,
    earned,
    general_sections,
    make,
    worth,
)
from tools.chapters import ENVIRONMENT
from tools.syllabus import WEEKS, about, assignments_table, syllabus, title

NAMES = [source.stem for source in SOURCES]
THE_COURSE = load_course(COURSE)
# Each notebook is made once. A test that changes it takes a copy.
read_source, student_version = cache(assignments.read_source), cache(assignments.student_version)
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
    student, lines = student_version(source), solution_lines(source)
    text, sources = nbformat.writes(student), text_of(student)
    assert lines
    assert [line for line in lines if line in sources] == []
    assert (
        "SOLUTION" not in text
        and "HIDDEN" not in text
        and "hidden_test" not in text
        and '"outputs": []' in text
    )


@each_source
def test_the_student_version_is_paired_with_nothing(source):
    assert "jupytext" not in student_version(source).metadata


def errors_of(notebook):
    """Return the outputs of cells that raised an exception."""
    outputs = (output for cell in notebook.cells for output in cell.get("outputs", []))
    return [output for output in outputs if output.output_type == "error"]


@pytest.fixture(scope="module")
def run():
    """Return a function that runs a copy of a notebook and returns it: one kernel for all.

    It forgets all names before each notebook. An exception of a cell is the last output.
    """
    client = NotebookClient(nbformat.v4.new_notebook(), kernel_name="python3", timeout=600)

    def executed(notebook):
        client.nb = copy.deepcopy(notebook)
        client.nb.cells.insert(0, nbformat.v4.new_code_cell("%reset -f"))
        with contextlib.suppress(CellExecutionError):
            client.execute(cleanup_kc=False)
        return client.nb

    with pytest.MonkeyPatch.context() as patch:
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        yield executed
        client.nb = nbformat.v4.new_notebook()
        client.execute()  # it ends the kernel


def test_the_kernel_of_the_notebooks_knows_nothing_of_the_one_before(run):
    def notebook(source):
        return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])

    assert run(notebook("known = 1; known")).cells[-1].outputs[0].data["text/plain"] == "1"
    assert run(notebook("known")).cells[-1].outputs[0].ename == "NameError"


@each_source
def test_the_student_version_runs_to_the_first_unanswered_question_and_says_so_kindly(source, run):
    notebook = run(student_version(source))
    (error,) = errors_of(notebook)
    first = next(iter(questions_of(source.stem)))
    assert error.ename == "Unanswered"
    assert error.traceback == [
        f"{first}: not answered yet. Write your {first} above, run its cell, then run this one "
        "again."
    ]


@each_source
def test_the_instructor_version_has_full_marks(source, run):
    notebook = run(read_source(source))
    assert [error.traceback for error in errors_of(notebook)] == []
    points = THE_COURSE.assignments[source.stem].points
    assert earned(notebook) == worth(notebook) == sum(points.values())


def test_course_toml_has_the_assignments_that_there_are():
    assert list(THE_COURSE.assignments) == NAMES


@each_source
def test_course_toml_has_the_questions_that_there_are_and_no_others(source):
    assignment = THE_COURSE.assignments[source.stem]
    assert list(assignment.points) == list(questions_of(source.stem))
    assert list(assignment.words) == list(words_of(source.stem))


@each_source
def test_points_dates_and_hours_are_in_course_toml_alone(source):
    text = source.read_text(encoding="utf-8")
    assert not re.search(r"\d points?\b|\| (Time|Points|Due) \||points=", text)


@each_source
def test_the_rubric_of_a_question_in_words_has_the_points_of_course_toml(source):
    words = words_of(source.stem)
    assert 1 <= len(words) <= 2
    for name, question in words.items():
        parts = [re.match(r"(\d+(?:\.\d+)?) points?: \S", line) for line in question.rubric]
        assert all(parts)
        each = [float(part[1]) for part in parts]  # parts that add up, or levels from the best down
        assert THE_COURSE.assignments[source.stem].words[name] in (sum(each), max(each))


@each_source
def test_a_question_in_words_is_graded_by_hand_and_the_student_has_no_rubric(source):
    student, words = student_version(source), words_of(source.stem)
    cells = cells_by_id(student)
    for name, question in words.items():
        cell = cells[f"words_{name}"]
        assert cell.cell_type == "markdown" and cell.source == "Your answer: …"
        assert nbgrader_of(cell)["grade"] and nbgrader_of(cell)["solution"]
        assert nbgrader_of(cell)["points"] == THE_COURSE.assignments[source.stem].words[name]
        assert not any(line.split(": ", 1)[1] in text_of(student) for line in question.rubric)


@each_source
def test_a_prediction_is_written_before_something_is_looked_at(source):
    cells = read_source(source).cells
    looks = [
        place
        for place, cell in enumerate(cells)
        if nbgrader_of(cell).get("grade_id", "").startswith("check_")
        and nbgrader_of(cell)["grade_id"].removeprefix("check_") not in questions_of(source.stem)
    ]
    assert looks and any(cells[place - 1].source == "Your prediction: …" for place in looks)


@each_source
def test_every_notebook_says_how_to_install_and_what_may_be_used(source):
    text = text_of(student_version(source))
    for words in ("`make lab`", "Colab", "`%pip install", "Automatic differentiation"):
        assert words in text
    assert "mend the earliest" in text and late_in_words(THE_COURSE.late) in text
    assert "{" not in "".join(general_sections()) and "$$" in text


@each_source
def test_links_lead_to_chapters(source, tmp_path):
    links = set(re.findall(r"\]\(([^)]*\.(?:ipynb|html))\)", text_of(student_version(source))))
    assert "`reading/assignments/mine`" in "".join(general_sections())
    for here in (ROOT / "build" / "assignments" / "student", ROOT / "reading/assignments/mine"):
        assert links and all((here / link).resolve().is_file() for link in links)

    own = tmp_path / "course.toml"
    own.write_text('book = "https://example.org/rnn/"\n' + COURSE.read_text("utf-8"), "utf-8")
    (tmp_path / "how_it_works.md").write_text("## Install\n\nNothing.\n", "utf-8")
    text = text_of(read_source(source, own))
    links = set(re.findall(r"\]\((\S*\.(?:ipynb|html))\)", text))
    for link in links:
        stem = re.fullmatch(r"https://example\.org/rnn/chapters/(\w+)\.html", link)[1]
        assert (ROOT / "chapters" / f"{stem}.md").is_file()


@each_source
def test_each_question_has_its_cells_its_points_and_three_folded_hints(source):
    notebook, questions = read_source(source), questions_of(source.stem)
    cells = cells_by_id(notebook)
    markdown = [
        cell.source
        for cell in notebook.cells
        if cell.cell_type == "markdown" and cell.source.startswith("## Question ")
        if not cell.source.startswith("## Question in words")
    ]
    assert len(markdown) == len(questions)
    for number, (name, text) in enumerate(zip(questions, markdown), 1):
        points = THE_COURSE.assignments[source.stem].points[name]
        assert nbgrader_of(cells[f"test_{name}"])["points"] == points
        assert re.match(rf"## Question {number}: .* \({points:g} points?\)\n", text)
        assert (
            re.findall(r"<details><summary>Hint (\d)</summary>", text)
            == ["1", "2", "3"]
            == re.findall(r"(\d)</summary>", text)
        )
        assert text.count("</details>") == 3 and re.search(r"\(\d+\.\d+\)", text)
        assert (
            f"points={points:g})" in cells[f"test_{name}"].source
            and f", {name})" in cells[f"check_{name}"].source
        )


@each_source
def test_the_cells_are_marked_as_the_grader_needs_them(source):
    functions, words = questions_of(source.stem), words_of(source.stem)
    for grade_id, cell in cells_by_id(read_source(source)).items():
        marks, (kind, _, rest) = nbgrader_of(cell), grade_id.partition("_")
        in_words = kind == "words" and rest in words
        assert marks["solution"] == (grade_id in functions or in_words) != marks["locked"]
        assert marks["grade"] == (kind == "test" or in_words) and marks["schema_version"] == 3
        assert marks["solution"] or kind in ("given", "check", "test")
        assert ("rnn_course" in cell.source) <= (kind in ("check", "test"))


@each_source
def test_the_grader_reads_what_the_notebook_says(source, tmp_path):
    path = tmp_path / f"{source.stem}.ipynb"
    path.write_text(nbformat.writes(read_source(source)), encoding="utf-8")
    release, assignment = load_release(path), THE_COURSE.assignments[source.stem]
    assert release.points == assignment.points and release.words == assignment.words
    assert release.title.startswith(f"Assignment {int(source.stem[:2])}: ")
    for name in (*assignment.points, *assignment.words):
        assert release.texts[name].startswith("## Question ")


def test_a_release_is_the_same_whatever_its_cells_have_printed(tmp_path):
    path, notebook = tmp_path / f"{NAMES[0]}.ipynb", assignments.read_source(SOURCES[0])
    digests = []
    for printed in ("Its calls took 0.1 s", "Its calls took 0.2 s"):
        notebook.cells[-3].outputs = [nbformat.v4.new_output("stream", text=printed)]
        path.write_text(nbformat.writes(notebook), encoding="utf-8")
        digests.append(load_release(path).digest)
    notebook.cells[-3].source += "\n"
    path.write_text(nbformat.writes(notebook), encoding="utf-8")
    assert digests[0] == digests[1] != load_release(path).digest


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
        cause.mistake.hint
        for question in questions_of(source.stem).values()
        for cause in question.causes
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

    questions = questions_of(source.stem)
    wrong = questions | {"rnn_step": questions["rnn_step"]._replace(reference=rnn_step)}
    monkeypatch.setattr(assignments, "questions_of", lambda name: wrong)
    with pytest.raises(Exception, match="leak missing"):
        make(source, tmp_path / "three")
    assert not (tmp_path / "three").exists()


def rnn_step(params: object, x, h_previous):
    """Return h,
    without a leak.
    """
    # What chapter 1 has.
    h = np.tanh(x @ params.W_x + h_previous @ params.W_h + params.b)
    return h, h


def test_a_solution_is_shown_without_types_and_with_its_docstring():
    assert solution_source(rnn_step).split("\n") == [
        "def rnn_step(params, x, h_previous):",
        '    """Return h,',
        "    without a leak.",
        '    """',
        "    ### BEGIN SOLUTION",
        "    # What chapter 1 has.",
        "    h = np.tanh(x @ params.W_x + h_previous @ params.W_h + params.b)",
        "    return h, h",
        "    ### END SOLUTION",
    ]
    with pytest.raises(ValueError, match="text_of: expected a function with a docstring"):
        solution_source(text_of)


@pytest.mark.parametrize("kind", ["points", "words"])
def test_a_question_that_course_toml_does_not_have_stops_it(kind):
    source = SOURCES[0]
    assignment = THE_COURSE.assignments[source.stem]
    first, *others = getattr(assignment, kind)
    for names in (others, [first, *others, "another"], [*others[::-1], first, first + "_"]):
        changed = assignment._replace(**{kind: dict.fromkeys(names, 1)})
        cells = assignments.jupytext.read(source).cells
        with pytest.raises(ValueError, match="expected the same names in the same order"):
            expand(cells, THE_COURSE, changed, questions_of(source.stem), words_of(source.stem), [])


def test_the_syllabus_has_every_chapter_once_and_every_assignment_after_its_chapters():
    notebooks = [read_source(source) for source in SOURCES]
    page = syllabus(THE_COURSE, notebooks, general_sections())
    chapters = [int(number) for week, _ in WEEKS for number in week.split()]
    assert chapters == sorted(
        int(path.name[:2]) for path in (ROOT / "chapters").glob("[0-9][0-9]_*.md")
    )
    for notebook, assignment in zip(notebooks, THE_COURSE.assignments.values()):
        number = int(assignment.name[:2])
        (week,) = re.findall(rf"^\| (\d+) \| [\d, ]+ \| [^|]* \| {number} \|$", page, re.MULTILINE)
        read = {int(n) for numbers, _ in WEEKS[: int(week)] for n in numbers.split()}
        needed = re.findall(r"\b(\d\d)\b(?!_)", about(notebook, "You need"))
        assert {int(n) for n in needed} <= {n for n in read if n <= int(assignment.after)}
        (row,) = re.findall(
            rf"^\| {number} \| {re.escape(title(notebook))} .*$", page, re.MULTILINE
        )
        assert row.endswith(
            f"| {about(notebook, 'Due')} | {assignment.hours:g} | {assignment.out_of:g} "
            f"| {assignment.weight:g} |"
        )


def test_the_syllabus_has_the_rules_the_total_and_when_late_work_counts():
    page = syllabus(THE_COURSE, [read_source(s) for s in SOURCES], general_sections())
    assert page.startswith("# Syllabus: ")
    total = sum(assignment.out_of for assignment in THE_COURSE.assignments.values())
    assert f"{total:g} points" in page and late_in_words(THE_COURSE.late) in page
    assert "Automatic differentiation" in page and "## Working together" in page


def test_the_page_for_lecturers_has_the_table_of_course_toml():
    page = (ROOT / "assignments" / "README.md").read_text(encoding="utf-8")
    for row in assignments_table(THE_COURSE, [title(read_source(s)) for s in SOURCES]):
        assert row in page.split("\n")
