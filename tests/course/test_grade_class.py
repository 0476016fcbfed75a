"""A class is graded in parallel and resumed where it stopped, with equal results each time."""

import csv
import json
import shutil

import nbformat
import pytest

from assignments.bank.entry import read_source, solutions, source_path, submission
from rnn_course import classroom
from rnn_course.__main__ import COURSE, main
from rnn_course.collect import find_submissions
from rnn_course.course import load_course
from rnn_course.grading import key
from rnn_course.release import load_release
from rnn_course.report.picture import draw_class
from rnn_course.sandbox.outside import Limits
from rnn_course.store import file_of, read_secret

NAME = "01_vanilla"
SECRET = b"a secret of the tests, 32 bytes."


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the release and the submissions of a small class, some of them broken."""
    root = tmp_path_factory.mktemp("class")
    (root / "submitted").mkdir()
    (root / "secret").write_bytes(SECRET)
    (root / f"{NAME}.ipynb").write_text(
        nbformat.writes(read_source(source_path(NAME))), encoding="utf-8"
    )
    right = solutions(NAME)
    carry = right["rnn_unroll_backward"].replace("dhs[t] + dh_next", "dhs[t]")
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
    command = ["grade", folder / f"{NAME}.ipynb", folder / "submitted", "--out", out]
    main([*map(str, command), "--secret", str(folder / "secret"), *map(str, options)])
    return results(out)


def results(out):
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
    options = {"secret": SECRET, "limits": Limits(), "jobs": 1}
    with pytest.raises(Stop):
        classroom.grade_class(release, submissions, tmp_path, **options, progress=three_only)
    assert len(list((tmp_path / "reports").glob("*.json"))) == 3

    again = []
    in_parallel = classroom.in_parallel

    def noted(function, work, *rest):
        work = list(work)
        again.extend(arguments[1] for arguments in work)
        return in_parallel(function, work, *rest)

    monkeypatch.setattr(classroom, "in_parallel", noted)
    rules = classroom.Rules(load_course(COURSE))
    classroom.grade_class(release, submissions, tmp_path, **options, rules=rules)
    assert len(again) == len(submissions) - 3 and not set(again) & set(done)
    assert results(tmp_path) == graded[1]


def load(folder):
    release = load_release(folder / f"{NAME}.ipynb")
    return release, find_submissions([folder / "submitted"], NAME)


def test_another_secret_or_a_changed_submission_is_graded_again(folder, graded):
    release, submissions = load(folder)
    data = submissions[0].file.disk.read_bytes()
    keys = {
        classroom.key_of(release, data, SECRET, Limits()),
        classroom.key_of(release, data + b" ", SECRET, Limits()),
        classroom.key_of(release, data, SECRET + b" ", Limits()),
        classroom.key_of(release._replace(digest=""), data, SECRET, Limits()),
    }
    assert len(keys) == 4


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
            main(["grade", str(release), str(submitted), "--out", str(tmp_path / "out")])


def test_a_dask_cluster_gives_the_same_table(folder, graded, tmp_path):
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, memory_limit=0
    ) as cluster:
        assert run(folder, tmp_path, "--scheduler", cluster.scheduler_address) == graded[1]


def test_a_machine_without_a_wall_keeps_the_reports_of_a_cluster_that_has_one(
    folder, graded, tmp_path, monkeypatch
):
    """The cluster is made up: it grades here, and each worker says which wall it has."""
    worker = {"walls": [("bubblewrap", ""), ("bubblewrap", "")]}
    monkeypatch.setattr(classroom, "ask_all", lambda question, scheduler: worker["walls"])
    todo = []

    def no_wall(function, work, *rest):
        todo.extend(work)
        return map(json.loads, [])

    monkeypatch.setattr(classroom, "in_parallel", no_wall)
    reports = [
        json.loads(line)
        for line in (graded[0] / "reports.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    if {report["walls"] for report in reports} != {"bubblewrap"}:
        pytest.skip("the class was graded behind another wall")
    shutil.copytree(graded[0], tmp_path / "out")
    release, submissions = load(folder)
    monkeypatch.setattr(key.sandbox, "choose", lambda name="": pytest.fail("asked here"))
    options = {"secret": SECRET, "limits": Limits(), "scheduler": "tcp://made.up:1"}
    again = classroom.grade_class(release, submissions, tmp_path / "out", **options)
    assert todo == [] and len(again) == len(reports)

    for walls, words in (
        ([("bubblewrap", ""), ("podman", "")], "the same wall, got bubblewrap, podman: name one"),
        ([("bubblewrap", ""), ("", "no wall works")], "a worker says: no wall works"),
        ([], "got no workers"),
    ):
        worker["walls"] = walls
        with pytest.raises(ValueError, match=words):
            classroom.grade_class(release, submissions, tmp_path / "out", **options)


def test_a_class_that_was_killed_and_started_again_has_the_same_bytes(tmp_path):
    from benchmarks import class_of_300

    assert sum(class_of_300.make_class(tmp_path, 8, seed=0).values()) == 8
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    class_of_300.finish(class_of_300.start(tmp_path, whole, "--jobs", 1, "--seconds", 0.5))
    there = class_of_300.stop_half_way(
        class_of_300.start(tmp_path, killed, "--jobs", 1, "--seconds", 0.5), killed, 8
    )
    assert 4 <= there < 8 and not (killed / "gradebook.csv").exists()
    class_of_300.finish(class_of_300.start(tmp_path, killed, "--jobs", 1, "--seconds", 0.5))
    assert len(class_of_300.results(whole)) == 3 * 8 + 9 and class_of_300.results(
        killed
    ) == class_of_300.results(whole)


def test_a_secret_is_made_once_and_only_its_owner_reads_it(tmp_path):
    first = read_secret(tmp_path / "secret")
    assert len(first) == 32 and read_secret(tmp_path / "secret") == first
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
    assert read_secret(tmp_path / "other") != first
    (tmp_path / "short").write_bytes(b"20260901")
    with pytest.raises(ValueError, match="has 8"):
        read_secret(tmp_path / "short")


@pytest.mark.parametrize("suffix", [".json", ".html"])
def test_every_name_has_a_file_of_its_own(tmp_path, suffix):
    names = ["ada", "Ada ", "..", ".ada", "a/b", "a%2fb", "n" * 300, "n" * 299 + "m", "ä", "=1;@"]
    files = [file_of(tmp_path, name, suffix) for name in names]
    assert len(set(files)) == len(names) and {file.parent for file in files} == {tmp_path}
    for file in files:
        file.touch()


def small(tmp_path, folder, **students):
    """A folder with the release and the submissions {student: source of its last cell}."""
    top = tmp_path / "small"
    (top / "submitted").mkdir(parents=True)
    for name in (f"{NAME}.ipynb", "secret"):
        (top / name).write_bytes((folder / name).read_bytes())
    for student, data in students.items():
        (top / "submitted" / f"{student}.ipynb").write_bytes(data)
    return top


@pytest.fixture
def three(tmp_path, folder):
    right = solutions(NAME)
    return small(
        tmp_path,
        folder,
        ada=submission(NAME, right),
        bo=submission(NAME, {name: right[name] for name in list(right)[:2]}),
        eve=submission(NAME, {}),
    )


ROSTER = (
    "id,name,email,group,extension\n"
    "11,Ada L,ada@x.org,A,1\n12,Bo D,bo@x.org,A,\n13,Cy Y,cy@x.org,B,\n"
)


def test_a_roster_times_and_overrides_make_the_gradebook(three, tmp_path):
    (three / "roster.csv").write_text(ROSTER, encoding="utf-8")
    (three / "times.csv").write_text("id,time\n11,2026-10-31 12:00\n12,2026-10-31 12:00\n")
    (three / "o.csv").write_text(
        f"id,assignment,question,points,who,why\n12,{NAME},gradient_norms,3.5,Tutor,a typo\n"
    )
    out = tmp_path / "out"
    tables = ("--roster", three / "roster.csv", "--times", three / "times.csv")
    for _ in range(2):  # points by hand survive a rerun
        files = run(three, out, *tables, "--overrides", three / "o.csv")
    table = rows(out)
    assert list(table) == ["11", "12", "13", "? eve"]
    assert [row["points"] for row in table.values()] == ["25", "12.5", "0", "0"]
    assert table["12"]["notes"] == "By hand: gradient_norms by Tutor: 3.5 (a typo)."
    assert [table[k]["days_late"] for k in ("11", "12", "13")] == ["1", "2", ""]
    assert table["13"]["problem"] == "Nothing was submitted."
    page = (out / "feedback" / "12.html").read_text(encoding="utf-8")
    assert "by Tutor: a typo" in page and "2 days late" in page and "Bo D" in page
    canvas = list(csv.reader((out / "canvas.csv").open(encoding="utf-8")))
    assert [row[2] for row in canvas[2:]] == ["11", "12", "13"] and canvas[3][-1] == "12.5"
    assert json.loads(files[next(p for p in files if p.name == "12.json")])["points"] != 12.5

    anonymous = run(three, tmp_path / "anonymous", *tables, "--anonymous")
    for path, data in anonymous.items():
        if path.suffix in (".html", ".json", ".jsonl"):
            assert not any(name in data.decode() for name in ("Ada L", "Bo D", "ada@", "bo@")), path

    main(["total", str(out), "--out", str(tmp_path / "all")])
    total = list(csv.DictReader((tmp_path / "all" / "total.csv").open(encoding="utf-8")))
    assert [row["student"] for row in total] == ["11", "12", "13"]
    assert total[0][NAME] == "25" and total[0][f"{NAME}_free_days"] == "1"


def test_without_a_roster_an_anonymous_class_has_numbers(three, tmp_path):
    files = run(three, tmp_path / "out", "--anonymous")
    for path, data in files.items():
        assert path.suffix == ".png" or b"ada" not in data and "ada" not in path.name, path
    assert all(name.startswith("student ") for name in rows(tmp_path / "out"))


def test_what_is_withdrawn_has_a_row_and_its_page_is_moved(three, tmp_path):
    (three / "roster.csv").write_text(ROSTER, encoding="utf-8")
    (three / "submitted" / "eve.ipynb").unlink()
    out = tmp_path / "out"
    run(three, out, "--roster", three / "roster.csv")
    page = (out / "feedback" / "12.html").read_bytes()
    (three / "submitted" / "bo.ipynb").unlink()
    for _ in range(2):
        run(three, out, "--roster", three / "roster.csv")
        assert rows(out)["12"]["problem"].startswith("Withdrawn")
        assert (out / "withdrawn" / "12.html").read_bytes() == page
        assert b"Withdrawn" in (out / "feedback" / "12.html").read_bytes()
    run(three, out)  # without the roster nobody has these ids
    assert not (out / "feedback" / "12.html").exists() and list(rows(out)) == ["ada"]


def test_one_student_is_graded_again_alone(three, tmp_path, monkeypatch):
    out, seen = tmp_path / "out", []
    with pytest.raises(SystemExit, match="2 others are not graded"):
        run(three, out, "--only", "bo")
    run(three, out)
    in_parallel = classroom.in_parallel

    def noted(function, work, *rest):
        work = list(work)
        seen.extend(arguments[1] for arguments in work)
        return in_parallel(function, work, *rest)

    monkeypatch.setattr(classroom, "in_parallel", noted)
    (three / "submitted" / "ada.ipynb").write_bytes(b"")
    run(three, out, "--only", "bo")
    assert seen == ["bo"] and rows(out)["ada"]["points"] == "25"
    with pytest.raises(SystemExit, match='no student "zed"'):
        run(three, out, "--only", "zed")


@pytest.mark.parametrize(
    ("option", "text", "words"),
    [
        ("--roster", "name\nada\n", "id for each"),
        ("--times", "id,time\nzed,2026-10-31\n", 'no student "zed"'),
        ("--times", "id,time\nada,soon\n", "soon"),
        ("--overrides", f"id,assignment,question,points,who,why\nz,{NAME},,1,T,\n", "no student"),
        ("--course", "title = 3\n", "title|assignment"),
        ("--secret", "short", "at least 16 bytes"),
    ],
)
def test_tables_that_do_not_fit_are_refused_before_anything_is_graded(
    three, tmp_path, option, text, words
):
    (tmp_path / "file").write_text(text)
    with pytest.raises(SystemExit, match=words):
        run(three, tmp_path / "out", option, tmp_path / "file")
    assert not list(tmp_path.glob("out/reports/*.json"))


def test_not_more_work_is_taken_than_is_done(monkeypatch):
    from rnn_course.parallel import in_parallel

    taken, done = [], 0
    work = ((taken.append(k) or k,) for k in range(40))
    for _ in in_parallel(abs, work, jobs=1):
        done += 1
        assert len(taken) <= done + 4
    assert done == 40


def test_a_question_can_be_given_no_points(folder, tmp_path):
    from rnn_course.grading import grade

    notebook = nbformat.read(folder / f"{NAME}.ipynb", as_version=4)
    cells = {cell.metadata.get("nbgrader", {}).get("grade_id"): cell for cell in notebook.cells}
    cells["test_gradient_norms"].metadata.nbgrader.points = 0
    nbformat.write(notebook, tmp_path / f"{NAME}.ipynb")
    release = load_release(tmp_path / f"{NAME}.ipynb")
    report = grade(release, "ada", submission(NAME, solutions(NAME)), SECRET)
    assert (report["points"], report["out_of"], report["questions"][-1]["status"]) == (
        21,
        21,
        "right",
    )
