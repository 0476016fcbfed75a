"""Whose a file is, by the names that Canvas, Moodle, nbgrader and people give."""

from pathlib import PurePosixPath

import pytest

from rnn_course.collect import Student, claim_of, read_roster, who
from rnn_course.collect.claim import copy_of
from rnn_course.collect.roster import extension_of
from rnn_course.text import one_line, plain, visible

ADA = Student("12345", "Ada Lovelace", "ada@uni.org", "al17", participant="4711")
BO = Student("77", "Bo Derek", "bo@uni.org")
BO_2 = Student("78", "Derek Bo", "derek@uni.org")
ROSTER = [ADA, BO, BO_2]


def claim(path):
    return claim_of(PurePosixPath(path))


def test_a_download_of_canvas():
    first = claim("lovelaceada_12345_678901_01_vanilla.ipynb")
    assert first == (
        "lovelaceada_12345", "lovelaceada", "01_vanilla.ipynb", "12345", "", False, 678901, 0,
    )  # fmt: skip
    again = claim("lovelaceada_LATE_12345_678955_01_vanilla-1.ipynb")
    assert again[:6] == (*first[:2], "01_vanilla-1.ipynb", "12345", "", True)
    assert again.copy == 1 and again.number > first.number


@pytest.mark.parametrize("end", ["_/my work.ipynb", "_my work.ipynb", "_/deep/my work.ipynb"])
def test_a_download_of_moodle(end):
    found = claim(f"Ada Lovelace_4711_assignsubmission_file{end}")
    assert (found.label, found.name, found.participant, found.id) == (
        "Ada Lovelace_4711",
        "Ada Lovelace",
        "4711",
        "",
    )
    assert found.file == "my work.ipynb"


def test_a_folder_is_its_students_whatever_is_in_it():
    for path in (
        "bob/ada.ipynb",
        "bob/lovelaceada_12345_678901_01_vanilla.ipynb",
        "bob/Ada Lovelace_4711_assignsubmission_file_/x.ipynb",
        "bob/01_vanilla/01_vanilla.ipynb",
    ):
        assert claim(path)[:2] == ("bob", "bob") and not claim(path).id + claim(path).participant


def test_a_file_by_hand():
    assert claim("ada.ipynb")[:2] == ("ada", "ada")
    assert claim("ada (1).ipynb")[:2] == ("ada", "ada") and claim("ada (1).ipynb").copy == 1
    assert claim("anne-1.ipynb").label == "anne-1"  # could be a name
    assert claim("ada_12_x.ipynb").id == ""


def test_copies_are_counted():
    assert copy_of("a-2.ipynb") == copy_of("a (2).ipynb") == copy_of("a(2).IPYNB") == ("a", 2)
    assert copy_of("01_vanilla.ipynb") == ("01_vanilla", 0)


@pytest.mark.parametrize(
    ("path", "student"),
    [
        ("lovelaceada_12345_1_x.ipynb", ADA),  # the number
        ("somebody_12345_1_x.ipynb", ADA),  # the number counts more than the name
        ("lovelaceada_999_1_x.ipynb", ADA),  # a number that the roster does not have: the name
        ("Another Name_4711_assignsubmission_file_/x.ipynb", ADA),
        ("Bo Derek_5_assignsubmission_file_/x.ipynb", None),  # two of this name, turned round
        ("12345.ipynb", ADA),
        ("al17.ipynb", ADA),
        ("ADA@uni.org.ipynb", ADA),
        ("lovelace, ada.ipynb", ADA),
        ("ada lovelace/x.ipynb", ADA),
        ("ada.ipynb", None),  # a first name is no login
        ("bo.ipynb", BO),  # the login is in the e-mail address
        ("eve.ipynb", None),
        ("77_1_2_x.ipynb", None),  # Canvas: the name of a person, not the id of another
        (".ipynb", None),
    ],
)
def test_who_it_is(path, student):
    found, reason = who(claim(path), ROSTER)
    assert found == student and bool(reason) == (student is None)


def test_an_ambiguous_name_says_whose_it_could_be():
    assert "77, 78" in who(claim("bo derek.ipynb"), ROSTER)[1]


def test_three_kinds_of_roster(tmp_path):
    own = "id;name;email;group;extension\n7;Bo Derek;bo@x.org;A;3\n\n5;=Ada;a@x.org;;01=2 05=7\n"
    canvas = (
        "Student,ID,SIS User ID,SIS Login ID,Section,Quiz\n    Points Possible,,,,,10\n"
        '"Lovelace, Ada",12345,S1,al17,A,3\n"Student, Test",99,,,A,\n'
    )
    moodle = (
        "Identifier,Full name,ID number,Email address,Grade\n"
        "Participant 4711,Ada Lovelace,12345,ada@uni.org,\n"
    )
    for name, text in (("own", own), ("canvas", canvas), ("moodle", moodle)):
        (tmp_path / name).write_text("\ufeff" + text, encoding="utf-8")
    students = read_roster(tmp_path / "own")
    assert [student.id for student in students] == ["5", "7"] and students[1].group == "A"
    assert read_roster(tmp_path / "canvas") == [
        Student("12345", "Lovelace, Ada", login="al17", group="A", sis="S1", canvas="12345")
    ]
    assert read_roster(tmp_path / "moodle")[0].participant == "4711"
    days = [extension_of(students[0], name) for name in ("01_vanilla", "02_lstm", "05_capstone")]
    assert days == [2, 0, 7] and extension_of(students[1], "04_masks") == 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name\nada\n", "id for each"),
        ("id,name\n1,a\n1,b\n", "1 twice"),
        ("id,extension\n1,soon\n", "soon"),
        ("id,name\n", "id for each"),
    ],
)
def test_a_roster_that_cannot_be_used_is_refused(tmp_path, text, words):
    (tmp_path / "roster.csv").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=words):
        read_roster(tmp_path / "roster.csv")


def test_what_nobody_sees_is_written_as_its_number():
    assert visible("a\u202eb\u2066\0\ud800\u200b\u2028") == (
        "a<U+202E>b<U+2066><U+0000><U+D800><U+200B><U+2028>"
    )
    assert visible("def f():\r\n\treturn 1\n") == "def f():\n\treturn 1\n"
    assert one_line(" a\n b\t") == "a b" and one_line("e\u0301") == one_line("é")


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@x", "＝1"])
def test_no_name_is_a_formula_nor_two_lines(name):
    assert plain(name) == plain(f"\t {name}") == "'" + name
    assert plain(f"ada\r\n{name}") == f"ada {name}"
