"""Late days, points given by hand, and the total of a course."""

import csv
from datetime import UTC, datetime

import pytest

from rnn_course.collect.files import Found
from rnn_course.collect.times import read_time, read_times, timestamp_of
from rnn_course.course import Assignment, Course, Late
from rnn_course.late import after_rule, days_late
from rnn_course.overrides import Override, apply, checked, read_overrides
from rnn_course.store import write
from rnn_course.total import read_reports, totals, write_totals
from tools.assignments import WORDS_STUB

DUE = datetime.fromisoformat("2026-10-29T23:59:00+01:00")


@pytest.mark.parametrize(
    ("time", "extension", "days"),
    [
        ("2026-10-29T23:59:00+01:00", 0, 0),
        ("2026-10-29T22:59:30+00:00", 0, 1),  # half a minute late, in another zone
        ("2026-10-30T23:59:00+01:00", 0, 1),
        ("2026-10-31T00:00:00+01:00", 0, 2),
        ("2026-10-31T00:00:00+01:00", 1, 1),
        ("2026-10-31T00:00:00+01:00", 2, 0),
        ("2026-10-01T00:00:00+01:00", 0, 0),
    ],
)
def test_a_day_that_has_begun_counts(time, extension, days):
    assert days_late(datetime.fromisoformat(time), DUE, extension) == days


@pytest.mark.parametrize(
    ("earned", "points", "free", "percent"),
    [
        ([(20, 0)], [20], [0], [0]),
        ([(20, 4), (20, 3), (20, 1)], [20, 16, 18], [4, 1, 0], [0, 20, 10]),
        ([(20, 5), (20, 4)], [0, 20], [0, 4], [100, 0]),  # too late, and no free day is used up
        ([(7, 4), (7, 4)], [7, 4.9], [4, 1], [0, 30]),
    ],
)
def test_free_days_are_used_in_order_and_each_further_day_costs(earned, points, free, percent):
    kept = after_rule(earned, Late(free_days=5, percent_per_day=10, last_day=4))
    assert [k.points for k in kept] == points
    assert [k.free_days for k in kept] == free and [k.percent for k in kept] == percent


def test_more_than_everything_is_not_taken_away():
    assert after_rule([(20, 9)], Late(0, 30, 10))[0].points == 0


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("2026-10-29T23:10:00+01:00", 22),
        ("2026-10-29 23:10", 22),
        ("Thursday, 29 October 2026, 11:10 PM", 22),
        ("2026-10-29 22:10:05.123456 UTC", 22),
        ("2026-10-29 22:10:05 UTC", 22),
    ],
)
def test_times_of_learning_systems(text, hour):
    found = read_time(text, DUE.tzinfo).astimezone(UTC)
    assert (found.day, found.hour, found.minute) == (29, hour, 10)
    with pytest.raises(ValueError, match="soon"):
        read_time("soon", DUE.tzinfo)


def test_times_of_a_table_and_of_nbgrader(tmp_path):
    (tmp_path / "t.csv").write_text("id,time\n7,2026-10-29 23:10\n8,\n", encoding="utf-8")
    assert list(read_times(tmp_path / "t.csv", DUE.tzinfo)) == ["7"]
    for folder in ("ada/01_vanilla", "ada/01_vanilla/deep", "bo/mine"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "timestamp.txt").write_text("2026-10-29 22:10:05 UTC\n")
        (tmp_path / folder / "x.ipynb").touch()

    def of(path):
        file = tmp_path / path
        return timestamp_of(Found(file.relative_to(tmp_path), file), "01_vanilla", None)

    assert of("ada/01_vanilla/x.ipynb") is not None
    assert of("bo/mine/x.ipynb") is None  # a student can write there
    (tmp_path / "ada/01_vanilla/timestamp.txt").unlink()
    assert of("ada/01_vanilla/deep/x.ipynb") is None


def report(student="ada", assignment="01_vanilla", step=2.0, days=0, text="yes", **more):
    base = {
        "student": student,
        "assignment": assignment,
        "title": f"Assignment {assignment[:2]}",
        "points": step + 5,
        "out_of": 8,
        "problem": None,
        "questions": [
            {"name": "step", "points": step, "out_of": 3, "status": "wrong"},
            {"name": "back", "points": 5, "out_of": 5, "status": "right"},
        ],
        "words": [{"name": "why", "text": text}],
        "person": {"name": "Ada"},
        "days_late": days,
        "marked_late": False,
    }
    return base | more


def given(*rows):
    return checked(
        [Override(*row) for row in rows], ["ada", "bo"], {"step": 3, "back": 5, "why": 2}
    )


def test_points_given_by_hand_take_the_place_of_the_graders():
    rows = given(("ada", "step", 3, "T", "typo"), ("ada", "why", 1.5, "T", ""))["ada"]
    found = apply(report(), {"why": 2}, rows)
    assert (found["points"], found["out_of"]) == (9.5, 10)
    assert found["questions"][0]["points"] == 3 and found["questions"][0]["why"] == "typo"
    assert "who" not in found["questions"][1] and found["words"][0]["points"] == 1.5
    assert apply(report(), {"why": 2}, given(("ada", "", 4, "T", ""))["ada"])["points"] == 4
    assert given(("ada", "step", 3, "T", ""))["bo"] == {}


def test_an_answer_in_words_has_no_points_until_it_is_marked_and_none_if_it_is_empty():
    assert apply(report(), {"why": 2}, {})["words"][0]["points"] is None
    assert apply(report(text=" \n"), {"why": 2}, {})["words"][0]["points"] == 0
    assert apply(report(), {"why": 2}, {})["points"] == 7


def test_the_cell_for_an_answer_is_empty_as_students_get_it():
    for text in (WORDS_STUB, f" {WORDS_STUB}\n", "Your answer:"):
        assert apply(report(text=text), {"why": 2}, {})["words"][0] | {"points": 0} == {
            "name": "why", "text": "", "points": 0, "out_of": 2,
        }  # fmt: skip
    found = apply(report(text="Your answer: both …"), {"why": 2}, {})["words"][0]
    assert (found["text"], found["points"]) == ("both …", None)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([("eve", "step", 1, "T", "")], 'no student "eve"'),
        ([("ada", "stp", 1, "T", "")], 'got "stp" for ada'),
        ([("ada", "step", 3.5, "T", "")], "at most 3 points for step"),
        ([("ada", "", 10.5, "T", "")], "at most 10"),
        ([("ada", "step", 1, "T", ""), ("ada", "step", 2, "T", "")], "two rows"),
    ],
)
def test_points_by_hand_that_do_not_fit_are_refused(rows, words):
    with pytest.raises(ValueError, match=words):
        given(*rows)


def test_a_table_of_overrides(tmp_path):
    head, path = "id,assignment,question,points,who,why\n", tmp_path / "o.csv"
    path.write_text(
        head + 'ada,01_vanilla,step,"2,5",T,"a, b"\nbo,02_lstm,,1,T,\nbo,01_vanilla,,,,\n'
    )
    assert read_overrides(path, "01_vanilla") == [Override("ada", "step", 2.5, "T", "a, b")]
    for row, words in (
        ("ada,01_vanilla,,-1,T,", "0 or more"),
        ("ada,01_vanilla,,nan,T,", "0 or more"),
        ("ada,01_vanilla,,six,T,", '"six"'),
        ("ada,01_vanilla,,1,,", "who"),
    ):
        path.write_text(f"{head}{row}\n")
        with pytest.raises(ValueError, match=words):
            read_overrides(path, "01_vanilla")
    path.write_text("id,points\n")
    with pytest.raises(ValueError, match="assignment, question, who, why"):
        read_overrides(path, "01_vanilla")


def course(**weights):
    plan = {
        name: Assignment(name, "03", 4, DUE.date(), DUE, weight, {"step": 3, "back": 5}, {"why": 2})
        for name, weight in weights.items()
    }
    return Course("c", "", Late(2, 10, 4), plan)


def folder(path, *reports):
    import json

    write(path / "reports.jsonl", "".join(json.dumps(one) + "\n" for one in reports))
    return read_reports(path)


def finished(**how):
    return apply(report(**how), {"why": 2}, {}) | {"person": {"name": "Ada"}}


def test_the_total_has_weights_and_the_rule_for_late_work(tmp_path):
    plan = course(**{"01_vanilla": 1, "02_lstm": 3})
    graded = dict(
        [
            # in the wrong order: the course's order says whose free days are used
            folder(tmp_path / "2", finished(assignment="02_lstm", days=2)),
            folder(
                tmp_path / "1",
                finished(days=1),
                finished(student="bo", text=""),
                finished(student="? x"),
            ),
        ]
    )
    ada, bo = totals(plan, graded)
    assert ada.kept["01_vanilla"] == (7, 1, 0) and ada.kept["02_lstm"] == (6.3, 1, 10)
    assert ada.percent == pytest.approx(100 * (1 * 0.7 + 3 * 0.63) / 4, abs=0.006)
    assert bo.percent == pytest.approx(100 * (1 * 0.7 + 0) / 4)
    assert "why not marked" in ada.notes[0] and bo.notes == ("02_lstm: not in the gradebook.",)
    assert totals(plan, {"01_vanilla": graded["01_vanilla"]})[0].percent == 70

    write_totals(tmp_path / "all", plan, graded)
    rows = list(csv.DictReader((tmp_path / "all/total.csv").open(encoding="utf-8")))
    assert rows[0]["02_lstm"] == "6.3" and rows[0]["02_lstm_late_percent"] == "10"
    canvas = list(csv.reader((tmp_path / "all/canvas.csv").open(encoding="utf-8")))
    assert canvas[0][5:] == ["Assignment 01", "Assignment 02", "Total"]
    assert canvas[1][0].strip() == "Points Possible" and canvas[1][5:] == ["10", "10", "100"]
    assert canvas[2][5:] == ["7", "6.3", rows[0]["percent"]]


def test_what_is_no_result_is_refused(tmp_path):
    with pytest.raises(ValueError, match="a folder that"):
        read_reports(tmp_path)
    name, reports = folder(tmp_path / "x", finished(assignment="09_other"))
    with pytest.raises(ValueError, match="09_other"):
        totals(course(**{"01_vanilla": 1}), {name: reports})


def test_late_without_a_time_is_said(tmp_path):
    _, reports = folder(tmp_path / "x", finished(days=None, marked_late=True))
    (ada,) = totals(course(**{"01_vanilla": 1}), {"01_vanilla": reports})
    assert any("--times" in note for note in ada.notes) and ada.percent == 70
