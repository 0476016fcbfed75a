"""A class is graded in parallel and resumed where it stopped, with equal results each time."""

import csv
import json

import nbformat
import pytest

pytest.importorskip("nbgrader")
pytest.importorskip("joblib")

from assignments.bank.entry import read_source, solutions, source_path, submission
from rnn_course import classroom as schedule
from rnn_course.__main__ import main
from rnn_course.report.gradebook import draw_class, plain

NAME = "01_vanilla"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the release and the submissions of a small class, some of them broken."""
    root = tmp_path_factory.mktemp("class")
    (root / "submitted").mkdir()
    (root / f"{NAME}.ipynb").write_text(
        nbformat.writes(read_source(source_path(NAME))), encoding="utf-8"
    )
    right = solutions(NAME)
    carry = right["rnn_unroll_backward"].replace("dh_out + dh)", "dh_out)")
    for student, data in {
        "ada": submission(NAME, right),
        "bo": submission(NAME, right | {"rnn_unroll_backward": carry}),
        "<b>cy</b>": submission(
            NAME,
            {"rnn_step": 'def rnn_step(*a):\n    raise ValueError("<script>alert(1)</script>")'},
        ),
        "=dee": submission(NAME, {}),
        "empty": b"",
        "huge": b" " * ((20 << 20) + 5),
        "nested": b"[" * 100_000,
        "no cells": b'{"cells": 3}',
        "no json": b"\xff\xfe",
        "odd cells": b'{"cells": [{"cell_type": "code", "source": 3, '
        b'"metadata": {"nbgrader": {"points": [], "grade": true}}}]}',
    }.items():
        path = root / "submitted" / student / NAME / f"{NAME}.ipynb"
        if "/" in student:
            path = root / "submitted" / "cy" / NAME / f"{NAME}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
    return root


def run(folder, out, *options):
    main([str(folder / f"{NAME}.ipynb"), str(folder / "submitted"), "--out", str(out), *options])
    return {
        path.relative_to(out): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def graded(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    return out, run(folder, out)


def rows(out):
    return {
        row["student"]: row
        for row in csv.DictReader((out / "gradebook.csv").open(encoding="utf-8"))
    }


def test_the_gradebook_has_a_row_for_everyone_and_says_what_could_not_be_read(graded):
    table = rows(graded[0])
    points = {student: float(row["points"]) for student, row in table.items()}
    broken = ["empty", "huge", "nested", "no cells", "no json", "odd cells"]
    assert points == {"ada": 25, "bo": 16, "cy": 0, "'=dee": 0} | dict.fromkeys(broken, 0)
    assert [student for student, row in table.items() if row["problem"]] == broken
    assert table["bo"]["rnn_unroll_backward"] == "0" and table["bo"]["gradient_norms"] == "4"


def test_grading_twice_gives_the_same_bytes(folder, graded, tmp_path):
    assert run(folder, tmp_path, "--jobs", "1") == graded[1]


def test_a_page_is_complete_in_itself_and_what_a_student_wrote_is_escaped(graded):
    for path, data in graded[1].items():
        if path.suffix == ".html":
            text = data.decode()
            assert (
                "<script" not in text and "http" not in text and text.startswith("<!doctype html>")
            )
    assert (
        "&lt;script&gt;alert(1)"
        in graded[1][next(path for path in graded[1] if path.name == "cy.html")].decode()
    )


def test_it_goes_on_where_it_was_stopped(folder, graded, tmp_path, monkeypatch):
    class Stop(Exception):
        pass

    done = []

    def three_only(report):
        done.append(report["student"])
        if len(done) == 3:
            raise Stop

    release, submissions = load(folder)
    options = {"seed": 1, "limits": schedule_limits(), "jobs": 1}
    with pytest.raises(Stop):
        schedule.grade_class(release, submissions, tmp_path, **options, progress=three_only)
    assert len(list((tmp_path / "feedback").glob("*.json"))) == 3

    again = []
    run_here = schedule.on_this_machine
    monkeypatch.setattr(
        schedule,
        "on_this_machine",
        lambda r, todo, *rest: again.extend(todo) or run_here(r, todo, *rest),
    )
    schedule.grade_class(release, submissions, tmp_path, **options)
    assert len(again) == len(submissions) - 3 and not {s.student for s in again} & set(done)
    assert {
        p.relative_to(tmp_path): p.read_bytes() for p in sorted(tmp_path.rglob("*")) if p.is_file()
    } == graded[1]


def load(folder):
    from rnn_course.release import load_release

    return load_release(folder / f"{NAME}.ipynb"), schedule.find_submissions(
        [folder / "submitted"], NAME
    )


def schedule_limits():
    from rnn_course.sandbox.outside import Limits

    return Limits()


def test_another_seed_or_a_changed_submission_is_graded_again(folder, graded):
    release, submissions = load(folder)
    data = submissions[0].path.read_bytes()
    keys = {
        schedule.key_of(release, data, 1, schedule_limits()),
        schedule.key_of(release, data + b" ", 1, schedule_limits()),
        schedule.key_of(release, data, 2, schedule_limits()),
        schedule.key_of(release._replace(digest=""), data, 1, schedule_limits()),
    }
    assert len(keys) == 4


def test_the_reports_never_tell_a_right_number(folder, graded):
    from rnn_course.grading import exams_of
    from rnn_tutorial.tree import tree_leaves

    told = b"".join(graded[1].values()).decode(errors="ignore")
    for exam in exams_of(NAME, 1).values():
        for leaf in tree_leaves(exam.trees):
            assert not [
                number
                for number in leaf.ravel()
                if f"{abs(number):.4g}"[:6] in told and len(f"{abs(number):.4g}") >= 6
            ]


def test_the_picture_counts_what_the_table_has(graded):
    reports = [
        json.loads(line)
        for line in (graded[0] / "reports.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    above, below = draw_class(reports).axes
    widths = [sum(bars[k].get_width() for bars in above.containers) for k in range(5)]
    assert widths == [len(reports)] * 5
    labels = [label.get_text() for label in below.get_yticklabels()]
    assert "rnn_unroll_backward: carry lost between steps" in labels


def test_what_is_no_release_and_no_submission_is_refused_in_words(folder, tmp_path):
    student = tmp_path / f"{NAME}.ipynb"
    student.write_bytes(submission(NAME, {}))
    (tmp_path / "out").mkdir()
    for release, submitted, words in (
        (student, folder / "submitted", "has no solutions"),
        (folder / "nothing.ipynb", folder / "submitted", "there is no file"),
        (folder / f"{NAME}.ipynb", folder / "nowhere", "there is no"),
        (tmp_path / "..", folder, "expected one notebook"),
        (folder / f"{NAME}.ipynb", tmp_path / "out", "found none in"),
    ):
        with pytest.raises(SystemExit, match=words):
            main([str(release), str(submitted), "--out", str(tmp_path / "out")])


@pytest.mark.parametrize(
    ("files", "students"),
    [
        (["ada.ipynb", "bo.ipynb"], {"ada": "ada.ipynb", "bo": "bo.ipynb"}),
        (
            ["ada/01_vanilla/01_vanilla.ipynb", "ada/02_lstm/02_lstm.ipynb"],
            {"ada": "ada/01_vanilla/01_vanilla.ipynb"},
        ),
        (["ada/01_vanilla.ipynb", "ada/notes.ipynb"], {"ada": "ada/01_vanilla.ipynb"}),
        (["ada/01_vanilla (1).ipynb"], {"ada": "ada/01_vanilla (1).ipynb"}),
        (
            ["eve/ada/01_vanilla.ipynb", "ada/.ipynb_checkpoints/ada.ipynb"],
            {"eve": "eve/ada/01_vanilla.ipynb"},
        ),
    ],
)
def test_whose_a_notebook_is(tmp_path, files, students):
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_bytes(b"{}")
    found = schedule.find_submissions([tmp_path], NAME)
    assert {s.student: s.path.relative_to(tmp_path).as_posix() for s in found} == students
    assert schedule.find_submissions([tmp_path, tmp_path], NAME) == found


def test_a_student_folder_given_by_itself_is_that_students(tmp_path):
    (tmp_path / "ada" / NAME).mkdir(parents=True)
    (tmp_path / "ada" / NAME / f"{NAME}.ipynb").write_bytes(b"{}")
    for path in (
        tmp_path,
        tmp_path / "ada",
        tmp_path / "ada" / NAME,
        tmp_path / "ada" / NAME / f"{NAME}.ipynb",
    ):
        assert [s.student for s in schedule.find_submissions([path], NAME)] == ["ada"]


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@x", "＝1"])
def test_no_name_is_a_formula_nor_two_lines(name):
    assert plain(name) == plain(f"\t {name}") == "'" + name
    assert plain(f"ada\r\n{name}") == f"ada {name}"


def test_a_dask_cluster_gives_the_same_table(folder, graded, tmp_path):
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, memory_limit=0
    ) as cluster:
        assert run(folder, tmp_path, "--scheduler", cluster.scheduler_address) == graded[1]


def test_a_class_that_was_killed_and_started_again_has_the_same_bytes(tmp_path):
    pytest.importorskip("psutil")
    from benchmarks import class_of_200

    assert sum(class_of_200.make_class(tmp_path, 8, seed=0).values()) == 8
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    class_of_200.finish(class_of_200.start(tmp_path, whole, "--jobs", 1, "--seconds", 2))
    there = class_of_200.stop_half_way(
        class_of_200.start(tmp_path, killed, "--jobs", 1, "--seconds", 2), killed, 8
    )
    assert 4 <= there < 8 and not (killed / "gradebook.csv").exists()
    class_of_200.finish(class_of_200.start(tmp_path, killed, "--jobs", 1, "--seconds", 2))
    assert len(class_of_200.results(whole)) == 2 * 8 + 3 and class_of_200.results(
        killed
    ) == class_of_200.results(whole)


def test_a_question_can_be_given_no_points(folder, tmp_path):
    from rnn_course.grading import grade
    from rnn_course.release import load_release

    notebook = nbformat.read(folder / f"{NAME}.ipynb", as_version=4)
    cells = {cell.metadata.get("nbgrader", {}).get("grade_id"): cell for cell in notebook.cells}
    cells["test_gradient_norms"].metadata.nbgrader.points = 0
    nbformat.write(notebook, tmp_path / f"{NAME}.ipynb")
    report = grade(
        load_release(tmp_path / f"{NAME}.ipynb"), "ada", submission(NAME, solutions(NAME))
    )
    assert (report["points"], report["out_of"], report["questions"][-1]["status"]) == (
        21,
        21,
        "right",
    )
