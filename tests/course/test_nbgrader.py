"""The sources work in nbgrader as they are: generate, autograde, feedback and export.

All of them are really run, on three submissions.
"""

import contextlib
import csv
import io
import os
import sys
from pathlib import Path

import nbformat
import pytest
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from assignments.bank.entry import read_source, solutions, source_path, submission

NAME = "01_vanilla"
CARRY = "dhs[t] + dh_next"
WORDS = "words_why_two_paths"


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course directory in which everything has been done to the submissions of three students."""
    root = tmp_path_factory.mktemp("course")
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setenv(
        "PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    )  # it calls alembic
    config = Config()
    config.CourseDirectory.root = str(root)
    config.CourseDirectory.db_url = f"sqlite:///{root}/gradebook.db"
    config.Exchange.root = str(root / "exchange")
    (root / "source" / NAME).mkdir(parents=True)
    (root / "source" / NAME / f"{NAME}.ipynb").write_text(
        nbformat.writes(read_source(source_path(NAME))), encoding="utf-8"
    )
    api = NbGraderAPI(CourseDirectory(config=config), config=config)
    done(api.generate_assignment(NAME))
    right = solutions(NAME)
    right |= {WORDS: "One is direct, one leads through the proposal."}
    wrong = right | {"rnn_unroll_backward": right["rnn_unroll_backward"].replace(CARRY, "dhs[t]")}
    broken = right | {"rnn_step": "def rnn_step(params, x, h_previous) return 0"}
    for student, answers in {"right": right, "wrong": wrong, "broken": broken}.items():
        path = root / "submitted" / student / NAME / f"{NAME}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_bytes(submission(NAME, answers))
        done(api.autograde(NAME, student))
        done(api.generate_feedback(NAME, student))
    yield root, api
    monkeypatch.undo()


def done(result):
    assert result["success"], result.get("log", result)


def test_the_release_has_no_solutions_and_no_hidden_tests(course):
    root, _ = course
    text = (root / "release" / NAME / f"{NAME}.ipynb").read_text(encoding="utf-8")
    assert (
        "hidden_test" not in text and "SOLUTION" not in text and "raise NotImplementedError" in text
    )


def test_autograde_gives_the_points_that_the_answers_earn(course):
    _, api = course
    scores = {
        student: api.get_submission(NAME, student)["score"]
        for student in ("right", "wrong", "broken")
    }
    assert scores == {"right": 25, "wrong": 16, "broken": 19}


def test_questions_in_words_wait_for_points_given_by_hand(course):
    root, api = course
    found = api.get_submission(NAME, "right")
    assert (found["max_score"], found["needs_manual_grade"]) == (30, True)
    text = (root / "release" / NAME / f"{NAME}.ipynb").read_text(encoding="utf-8")
    assert WORDS in text and "Rubric" not in text

    with api.gradebook as gradebook:
        grade = gradebook.find_grade(WORDS, NAME, NAME, "right")
        assert grade.max_score == 3 and grade.needs_manual_grade
        grade.manual_score = 2
        gradebook.db.commit()
    assert api.get_submission(NAME, "right")["score"] == 27
    with api.gradebook as gradebook:
        gradebook.find_grade(WORDS, NAME, NAME, "right").manual_score = None
        gradebook.db.commit()


def test_feedback_says_why(course):
    root, _ = course
    pages = {
        s: (root / "feedback" / s / NAME / f"{NAME}.html").read_text(encoding="utf-8")
        for s in ("right", "wrong", "broken")
    }
    assert "carry lost between steps" in pages["wrong"] and "carry lost" not in pages["right"]
    assert "SyntaxError" in pages["broken"]


def test_export_has_a_row_for_each_student(course):
    from nbgrader.plugins.export import CsvExportPlugin

    root, api = course
    exporter = CsvExportPlugin(to=str(root / "grades.csv"))
    with contextlib.redirect_stdout(io.StringIO()):
        exporter.export(api.gradebook)
    rows = list(csv.DictReader((root / "grades.csv").open(encoding="utf-8")))
    assert {row["student_id"]: float(row["score"]) for row in rows} == {
        "right": 25,
        "wrong": 16,
        "broken": 19,
    }
