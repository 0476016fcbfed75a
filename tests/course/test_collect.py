"""The submission of each student: folders, zips, copies, other files, two who claim one name."""

import io
import json
import os
import re
import zipfile

import pytest

from rnn_course.collect import Student, find_submissions, read
from rnn_course.collect.files import MEMBERS_LIMIT, read_member
from rnn_course.notebook import SIZE_LIMIT

NAME = "01_vanilla"
BOOK = b'{"cells": []}'


def notebook(*answers):
    """The bytes of a notebook that answers these questions."""
    cells = [
        {"cell_type": "code", "metadata": {}, "source": f"def {name}(x):\n    return x"}
        for name in answers
    ]
    return json.dumps({"cells": cells}).encode()


def zipped(**files):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return stream.getvalue()


def put(folder, files):
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def found(folder, roster=None, name=NAME):
    return {s.student: s for s in find_submissions([folder], name, roster)}


def path_of(submission):
    return submission.file and submission.file.inside.as_posix()


@pytest.mark.parametrize(
    ("files", "students"),
    [
        (["ada.ipynb", "bo.IPYNB"], {"ada": "ada.ipynb", "bo": "bo.IPYNB"}),
        (
            ["ada/01_vanilla/01_vanilla.ipynb", "ada/02_lstm/02_lstm.ipynb"],
            {"ada": "ada/01_vanilla/01_vanilla.ipynb"},
        ),
        (["ada/01_vanilla.ipynb", "ada/notes.ipynb"], {"ada": "ada/01_vanilla.ipynb"}),
        (["ada/01_vanilla (1).ipynb"], {"ada": "ada/01_vanilla (1).ipynb"}),
        (
            ["eve/ada/01_vanilla.ipynb", "eve/.ipynb_checkpoints/01_vanilla.ipynb", ".x.ipynb"],
            {".x": ".x.ipynb", "eve": "eve/ada/01_vanilla.ipynb"},
        ),
        (
            ["amy/hw.ipynb", "amy/__MACOSX/hw.ipynb", "._bo.ipynb", "bo.ipynb"],
            {"amy": "amy/hw.ipynb", "bo": "bo.ipynb"},
        ),
        (["my answer.ipynb"], {"my answer": "my answer.ipynb"}),
    ],
)
def test_whose_a_notebook_is(tmp_path, files, students):
    put(tmp_path, dict.fromkeys(files, BOOK))
    there = find_submissions([tmp_path], NAME)
    assert {s.student: path_of(s) for s in there} == students
    assert not any(s.problem for s in there)
    assert find_submissions([tmp_path, tmp_path], NAME) == there


def test_a_student_folder_given_by_itself_is_that_students(tmp_path):
    file = f"ada/{NAME}/{NAME}.ipynb"
    put(tmp_path, {file: BOOK})
    for path in (tmp_path, tmp_path / "ada", tmp_path / "ada" / NAME, tmp_path / file):
        assert [s.student for s in find_submissions([path], NAME)] == ["ada"]


@pytest.mark.parametrize(
    ("file", "data", "words"),
    [
        ("a/essay.py", b"", "no notebook.*essay.py"),
        ("a.pdf", b"", "no notebook.*a.pdf"),
        ("a/02_lstm.ipynb", BOOK, "another assignment: 02_lstm.ipynb"),
        ("a/02_lstm-1.ipynb", BOOK, "another assignment"),
        ("a.zip", zipped(**{"x.ipynb": BOOK, "y.ipynb": BOOK}), "2 notebooks.*x.ipynb, y.ipynb"),
        ("a.zip", zipped(**{"x.py": b""}), "no notebook in the zip.*x.py"),
        ("a.zip", zipped(), "it is empty"),
        ("a.zip", b"PK\3\4 no zip", "zip cannot be read"),
        ("a.zip", zipped(**{f"{k}": b"" for k in range(MEMBERS_LIMIT + 1)}), "1001 files"),
        ("a/x.ipynb", None, "link to another place"),
    ],
)
def test_everyone_has_a_row_with_the_reason(tmp_path, file, data, words):
    put(tmp_path / "in", {file: data or b"", "zoe.ipynb": BOOK})
    if data is None:
        (tmp_path / "in" / file).unlink()
        (tmp_path / "in" / file).symlink_to(tmp_path / "in" / "zoe.ipynb")
    there = found(tmp_path / "in")
    assert list(there) == ["a", "zoe"]
    data, problem = read(there["a"])
    assert data == b"" and re.search(words, problem)
    assert read(there["zoe"]) == (BOOK, None)


def test_a_zip_of_one_notebook_is_opened_without_unpacking_it(tmp_path):
    whole = {
        "../../up.txt": b"",
        "hw/01_vanilla.ipynb": BOOK,
        "__MACOSX/hw/._01_vanilla.ipynb": b"x",
        "hw/.ipynb_checkpoints/01_vanilla.ipynb": b"x",
        "hw/data.csv": b"",
    }
    put(tmp_path, {"ada.zip": zipped(**whole), "bo/my.ZIP": zipped(**{"a\\x.ipynb": b"2"})})
    there = found(tmp_path)
    assert read(there["ada"]) == (BOOK, None) and read(there["bo"]) == (b"2", None)
    assert "taken out of ada.zip" in there["ada"].notes[0]
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["ada.zip", "bo", "my.ZIP"]


def test_a_zip_that_is_a_bomb_gives_one_byte_more_than_is_allowed(tmp_path):
    put(tmp_path, {"ada.zip": zipped(**{"x.ipynb": b" " * (20 * SIZE_LIMIT)})})
    assert len(read(found(tmp_path)["ada"])[0]) == SIZE_LIMIT + 1
    with zipfile.ZipFile(tmp_path / "ada.zip") as archive:
        assert len(read_member(archive, "x.ipynb")) == SIZE_LIMIT + 1


def test_not_more_than_a_byte_too_many_is_read(tmp_path):
    put(tmp_path, {"ada.ipynb": b" " * (2 * SIZE_LIMIT)})
    assert len(read(found(tmp_path)["ada"])[0]) == SIZE_LIMIT + 1


def test_a_name_in_utf_8_is_read_although_the_zip_does_not_say_so(tmp_path):
    name = "Eva Perón_4711_assignsubmission_file_/my.ipynb"
    said = zipped(**{name: BOOK})
    silent = io.BytesIO(said)
    for start in (b"PK\3\4", b"PK\1\2"):  # the two places of the bit
        place = said.index(start) + (6 if start == b"PK\3\4" else 8)
        silent.seek(place + 1)
        silent.write(b"\0")
    assert silent.getvalue() != said
    for data in (said, silent.getvalue()):
        put(tmp_path, {"class.zip": data})
        (student,) = find_submissions([tmp_path / "class.zip"], NAME, [Student("7", "Eva Perón")])
        assert student.student == "7" and read(student) == (BOOK, None)


def test_the_zip_of_a_whole_class_is_read_like_its_folder(tmp_path):
    files = {
        "Ada Lovelace_4711_assignsubmission_file_/my.ipynb": BOOK,
        "Bo Derek_4712_assignsubmission_file_/my.zip": zipped(**{"x.ipynb": b"2"}),
        "Cy Young_4713_assignsubmission_onlinetext_/onlinetext.html": b"",
    }
    put(tmp_path / "folder", files)
    put(tmp_path, {"RNN-01-99-assignment.zip": zipped(**files)})
    there = found(tmp_path / "RNN-01-99-assignment.zip")
    assert {who: read(s) for who, s in there.items()} == {
        who: read(s) for who, s in found(tmp_path / "folder").items()
    }
    assert [read(s)[0] for s in there.values()] == [BOOK, b"2", b""]
    assert [s.participant for s in there.values()] == ["4711", "4712", "4713"]


@pytest.mark.parametrize(
    ("files", "graded", "why"),
    [
        (
            {"01_vanilla.ipynb": ["rnn_step"], "01_vanilla (1).ipynb": []},
            "01_vanilla.ipynb",
            "most",
        ),
        (
            {"01_vanilla.ipynb": [], "01_vanilla (1).ipynb": ["rnn_step"]},
            "01_vanilla (1).ipynb",
            "most answers",
        ),
        (
            {"01_vanilla (2).ipynb": ["rnn_step"], "01_vanilla (10).ipynb": ["rnn_unroll"]},
            "01_vanilla (10).ipynb",
            "last copy",
        ),
        ({"01_vanilla.ipynb": [], "draft.ipynb": ["rnn_step"]}, "01_vanilla.ipynb", "name of the"),
    ],
)
def test_the_choice_among_copies_is_noted(tmp_path, files, graded, why):
    put(tmp_path, {f"ada/{name}": notebook(*names) for name, names in files.items()})
    one = found(tmp_path)["ada"]
    assert one.file.inside.name == graded and one.problem is None
    (other,) = files.keys() - {graded}
    assert why in one.notes[0] and other in one.notes[0].partition("Not graded")[2]


def test_canvas_keeps_the_newest_submission_even_if_it_has_fewer_answers(tmp_path):
    put(
        tmp_path,
        {
            "lovelaceada_12345_678901_01_vanilla.ipynb": notebook("rnn_step"),
            "lovelaceada_LATE_12345_678955_01_vanilla-1.ipynb": notebook(),
            "derekbo_777_2_01_vanilla-1.ipynb": notebook(),
            "derekbo_777_2_01_vanilla-2.ipynb": notebook(),
        },
    )
    ada, bo = found(tmp_path, [Student("12345", "Ada Lovelace"), Student("b", "Bo Derek")]).values()
    assert ada.file.inside.name.endswith("678955_01_vanilla-1.ipynb") and ada.marked_late
    assert "newest submission" in ada.notes[0] and ada.canvas == "12345"
    assert bo.file.inside.name.endswith("-2.ipynb") and "newest upload" in bo.notes[0]
    assert not bo.marked_late


def test_two_notebooks_of_which_none_has_the_right_name_are_a_problem(tmp_path):
    put(tmp_path, {"ada/1.ipynb": BOOK, "ada/2.ipynb": BOOK})
    assert "2 notebooks" in found(tmp_path)["ada"].problem


@pytest.mark.parametrize(
    "other", ["ada /x.ipynb", "ada (1).ipynb", "ada .ipynb", "ada/01_vanilla.ipynb"]
)
def test_two_who_claim_one_name_are_a_problem_for_both(tmp_path, other):
    put(tmp_path, {"ada.ipynb": BOOK, other: BOOK, "bob/ada.ipynb": b"bob's"})
    there = found(tmp_path)
    assert set(there) == {"ada", "bob"}
    assert there["ada"].file is None and "claim this name" in there["ada"].problem
    assert read(there["bob"]) == (b"bob's", None)


def test_a_name_with_a_mark_that_nobody_sees_is_another_name(tmp_path):
    put(tmp_path, {"ada.ipynb": BOOK, "ada\u202e.ipynb": b"2"})
    assert set(found(tmp_path)) == {"ada", "ada<U+202E>"}


def test_the_number_of_the_learning_system_counts_more_than_a_name(tmp_path):
    put(tmp_path, {"lovelaceada_12345_1_01_vanilla.ipynb": BOOK, "ada lovelace.ipynb": b"2"})
    one = found(tmp_path, [Student("12345", "Ada Lovelace")])["12345"]
    assert read(one) == (BOOK, None) and "ada lovelace.ipynb" in one.notes[0]


def test_a_roster_gives_a_row_to_everyone_and_to_strangers(tmp_path):
    roster = [Student("1", "Ada"), Student("2", "Bo B"), Student("3", "B Bo"), Student("4", "Cy")]
    put(tmp_path, {"1.ipynb": BOOK, "Bo B.ipynb": BOOK, "xy.ipynb": BOOK})
    there = found(tmp_path, roster)
    assert list(there) == ["1", "2", "3", "4", "? Bo B", "? xy"]
    assert there["1"].problem is None and there["1"].person == roster[0]
    assert {there[k].problem for k in "234"} == {"Nothing was submitted."}
    assert "fits 2 students" in there["? Bo B"].problem
    assert "Nobody on the roster" in there["? xy"].problem


def test_an_empty_folder_is_a_student_without_a_notebook(tmp_path):
    for folder in ("ada", "bo/01_vanilla", "cy.ipynb", "dee/.ipynb_checkpoints"):
        (tmp_path / folder).mkdir(parents=True)
    there = found(put(tmp_path, {"eve/01_vanilla.ipynb": BOOK}))
    assert list(there) == ["ada", "bo", "cy", "dee", "eve"]
    assert all("empty folder" in read(there[name])[1] for name in ("ada", "bo", "cy", "dee"))


def test_nothing_at_all_is_refused_in_words(tmp_path):
    put(tmp_path, {"__MACOSX/._a.ipynb": b"", ".DS_Store": b""})
    with pytest.raises(ValueError, match="found none"):
        find_submissions([tmp_path], NAME)
    with pytest.raises(ValueError, match="there is no"):
        find_submissions([tmp_path / "x"], NAME)
    put(tmp_path, {"class.zip": b"no"})
    with pytest.raises(ValueError, match="no zip"):
        find_submissions([tmp_path / "class.zip"], NAME)


def test_a_pipe_does_not_stop_the_grader(tmp_path):
    os.mkfifo(tmp_path / "ada.ipynb")
    assert "no file" in read(found(tmp_path)["ada"])[1]
