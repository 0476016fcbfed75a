"""What a lecturer and a student read: pages, tables, files for learning systems."""

import ast
import csv
import io
import json
import re
from html.parser import HTMLParser

import pytest

from rnn_course.release import Release
from rnn_course.report.feedback import merged, to_html
from rnn_course.report.gradebook import to_csv
from rnn_course.report.imports import for_canvas, for_gradescope, for_moodle
from rnn_course.report.page import CHAPTERS, html_of, linked, number
from rnn_course.report.picture import causes, draw_class
from rnn_course.report.similar import LEAST, alike, code_of, form_of, functions_in
from rnn_course.report.words import by_hand_csv, number_of, with_ids, words_html

BOOK = "https://book.org/rnn"
TEXT = """## Question 1: a step (3 points)

It is [(3.1)](../../../chapters/03_through_time.ipynb), `x < y`.

| | shape |
|---|---|
| `x` | $(B, D)$ |

<details><summary>Hint 1</summary>

The answer.

</details>"""
RELEASE = Release(
    name="01_vanilla",
    title="Assignment 1: a network",
    cells=[],
    points={"step": 3.0, "back": 5.0},
    words={"why": 2.0},
    texts={"step": TEXT, "why": "## Why so? (2 points)\n\nSay why."},
    solutions={},
    digest="",
)
EVIL = '<script>alert(1)</script>\u202e\0"&'


def finding(outputs=("h",), cause="unknown", hint="Look at (3.13).", where=""):
    return {"outputs": list(outputs), "cause": cause, "hint": hint, "where": where}


def report(**more):
    base = {
        "student": "12345",
        "assignment": "01_vanilla",
        "points": 5,
        "out_of": 10,
        "problem": None,
        "questions": [
            {
                "name": "step",
                "points": 0,
                "out_of": 3,
                "status": "wrong",
                "parts": [{"name": "h", "credit": 0}, {"name": "n", "credit": 1}],
                "findings": [finding()],
                "source": ["def step(x):", f"    return {EVIL}"],
            },
            {
                "name": "back",
                "points": 5,
                "out_of": 5,
                "status": "right",
                "parts": [{"name": "dx", "credit": 1}],
                "findings": [],
                "source": [],
            },
        ],
        "words": [{"name": "why", "text": EVIL, "points": None, "out_of": 2}],
        "notes": [{"cell": 7, "line": 2, "message": f"ValueError {EVIL}"}],
        "person": {"name": "Ada " + EVIL, "email": "a@x.org", "group": "A", "canvas": "12345"},
        "file_notes": [f"Graded is {EVIL}."],
        "by_hand": [],
        "days_late": 2,
        "marked_late": True,
        "on_roster": True,
    }
    return base | more


class Outline(HTMLParser):
    """The headings, empty tags and header cells of a page; raises for tags that do not close."""

    VOID = ("meta", "link", "br", "hr", "img")

    def __init__(self, text):
        super().__init__()
        self.open, self.headings, self.headers, self.tags, self.links = [], [], [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.links += [value for name, value in attributes if name == "href"]
        self.headers += [dict(attributes).get("scope")] if tag == "th" else []
        self.headings += [int(tag[1])] if re.fullmatch("h[1-6]", tag) else []
        self.open += [] if tag in self.VOID else [tag]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def page(one=None, name="Ada", book=BOOK):
    return to_html(one or report(), RELEASE, name, book)


def pages():
    rubrics = {"why": ("2 points: <all>",)}
    return [page(), page(book=""), words_html([report()], RELEASE, rubrics, b"s")]


@pytest.mark.parametrize("k", range(3))
def test_a_page_can_be_read_by_a_screen_reader(k):
    text = pages()[k]
    found = Outline(text)
    assert '<html lang="en">' in text and found.tags.count("main") == found.tags.count("h1") == 1
    assert found.headings[0] == 1
    assert all(b - a <= 1 for a, b in zip(found.headings, found.headings[1:]))
    assert found.headers and set(found.headers) <= {"col", "row"} and "<th></th>" not in text


@pytest.mark.parametrize("k", range(3))
def test_nothing_that_a_student_wrote_reaches_a_page_as_it_is(k):
    text = pages()[k]
    assert "<script" not in text and "&lt;script&gt;" in text
    assert not set(text) & set("\u202e\0") and "&lt;U+202E&gt;" in text


def test_colours_can_be_read_on_white():
    text = page()
    for colour in re.findall(r"color: #([0-9a-f]{3,6})", text):
        full = colour if len(colour) == 6 else "".join(2 * c for c in colour)
        parts = [int(full[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        light = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
        # WCAG 2.1, on #f3f3f3 at the darkest
        assert (0.896 + 0.05) / (light + 0.05) >= 4.5, colour


def test_a_page_has_the_question_the_students_lines_and_links_to_the_book():
    text = page()
    assert "Assignment 1: a network" in text and "01_vanilla" not in text
    assert "Question 1: a step (0 of 3)" in text and "x &lt; y" in text
    assert "The answer." not in text  # hints are for the notebook
    assert "1  def step(x):" in text and ">Right: <code>n</code>" in text
    assert Outline(text).links == [f"{BOOK}/03_through_time.html"] * 2
    assert "2 days late" in text and "code cell 7, line 2" in text
    assert "Answers in words for 2 more points are not marked yet." in text
    assert not Outline(page(book="")).links and "(3.13)" in page(book="")


def test_an_anonymous_page_has_no_name():
    assert "Ada" not in page(name="12345") and "12345" in page(name="12345")


def test_who_gave_points_by_hand_is_on_the_page():
    rows = [row | {"who": "Tutor", "why": "typo"} for row in report()["questions"]]
    text = page(report(questions=rows))
    assert text.count("Points given by hand by Tutor: typo") == 2


def test_a_problem_stands_alone():
    rows = [
        row | {"status": "stopped", "points": 0, "findings": [finding([], hint="It is empty.")]}
        for row in report()["questions"]
    ]
    text = page(report(problem="It is empty.", questions=rows, words=[], notes=[]))
    assert text.count("It is empty.") == 1 and "<h2>" not in text


def test_a_problem_with_one_question_hides_nothing_of_the_others():
    text = page(report(problem="back: It did not come to an end."))
    assert "back: It did not" in text and "Question 1: a step (0 of 3)" in text


def test_nothing_is_said_twice():
    rows = [finding(["h"], where="a"), finding(["n"], where="b"), finding(["n"], "sign", where="b")]
    assert [(row["outputs"], row["where"]) for row in merged(rows)] == [
        (["h", "n"], ["a", "b"]),
        (["n"], ["b"]),
    ]


def test_equations_are_linked_to_their_chapters():
    assert str(linked("(3.13), (10.2a) & (99.1)", BOOK)) == (
        f'<a href="{BOOK}/03_through_time.html">(3.13)</a>, '
        f'<a href="{BOOK}/10_the_lstm_backward.html">(10.2a)</a> &amp; (99.1)'
    ).replace("10_the_lstm_backward", next(CHAPTERS.glob("10_*.md")).stem)
    assert "<h1>" not in str(html_of("# a\n<h1>b</h1>", BOOK))


@pytest.mark.parametrize(
    ("value", "text"), [(30.0, "30"), (7.5, "7.5"), (0, "0"), (1.005, "1"), (100, "100")]
)
def test_points_look_like_points(value, text):
    assert number(value) == text


def rows_of(text):
    return list(csv.reader(io.StringIO(text)))


def test_the_gradebook_names_everyone():
    by_hand = [{"id": "12345", "question": "step", "points": 1, "who": "T", "why": "=x"}]
    text = to_csv([report(by_hand=by_hand), report(student="=1+1", days_late=None)])
    first, second = csv.DictReader(io.StringIO(text))
    assert (first["student"], first["group"], first["points"], first["why"]) == (
        "12345", "A", "5", "",
    )  # fmt: skip
    assert first["days_late"] == "2" and second["days_late"] == "late"
    assert "step by T: 1 (=x)" in first["notes"] and second["student"] == "'=1+1"
    assert not set(text) & set("\u202e\0")


PEOPLE = [
    {"student": "1", "name": "Ada", "canvas": "12345", "sis": "S1", "login": "al", "group": "A"},
    {"student": "2", "name": "Bo", "email": "bo@x.org", "participant": "4711"},
]


def test_canvas_imports_its_columns():
    rows = rows_of(for_canvas(PEOPLE, [("A1", 30, {"1": 12.5}), ("A2", 20, {"2": 0})]))
    assert rows == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "A1", "A2"],
        ["Points Possible", "", "", "", "", "30", "20"],
        ["Ada", "12345", "S1", "al", "A", "12.5", ""],
        ["Bo", "", "2", "", "", "", "0"],
    ]


def test_moodle_imports_its_columns():
    head, ada, bo = rows_of(for_moodle(PEOPLE, ("A1", 30, {"1": 1, "2": 2}), {"2": "good"}))
    assert head == [
        "Identifier", "Full name", "ID number", "Email address", "Grade", "Maximum Grade",
        "Feedback comments",
    ]  # fmt: skip
    assert bo == ["Participant 4711", "Bo", "2", "bo@x.org", "2", "30", "good"] and ada[0] == ""


def test_gradescope_reads_a_test_for_each_question():
    found = json.loads(for_gradescope(report()))
    assert found["score"] == 5 and found["visibility"] == "visible"
    assert [(t["name"], t["score"], t["max_score"], t["status"]) for t in found["tests"]] == [
        ("step", 0, 3, "failed"),
        ("back", 5, 5, "passed"),
    ]


def test_an_unknown_cause_counts_once_for_each_question():
    rows = [report()["questions"][0] | {"findings": [finding(["h"]), finding(["n"], hint="b")]}]
    reports = [report(questions=rows), report(questions=rows), report(problem="x", questions=rows)]
    assert causes(reports) == [("step", "unknown", 2)]
    above, below = draw_class(reports).axes
    assert [bar.get_width() for bar in below.patches] == [2]
    assert sum(bars[0].get_width() for bars in above.containers) == 3


def test_answers_in_words_are_marked_without_names_and_the_marks_stay():
    ada, bo = report(), report(student="bo", words=[report()["words"][0] | {"text": "b"}])
    text = words_html([ada, bo], RELEASE, {"why": ("2 points: all",)}, b"secret")
    assert "12345" not in text and "Ada" not in text and "2 points: all" in text
    numbers = [number_of(one["student"], "01_vanilla", b"secret") for one in (ada, bo)]
    assert all(one in text for one in numbers) and numbers[0] != numbers[1]
    assert number_of("bo", "01_vanilla", b"other") != numbers[1]

    first = by_hand_csv([ada, bo], [], b"secret")
    assert "12345" not in first and "'" not in first.partition("answer")[0]
    rows = list(csv.DictReader(io.StringIO(first)))
    assert sorted(row["number"] for row in rows) == sorted(numbers)
    filled = [row | {"points": "1", "who": "T"} for row in rows]
    again = list(csv.DictReader(io.StringIO(by_hand_csv([ada, bo], filled, b"secret"))))
    assert again == filled
    bo["words"][0]["text"] = "c"
    changed = list(csv.DictReader(io.StringIO(by_hand_csv([ada, bo], filled, b"secret"))))
    assert {row["number"]: bool(row["note"]) for row in changed} == dict(
        zip(numbers, (False, True))
    )
    assert {row["points"] for row in changed} == {"1"}
    kept = list(csv.DictReader(io.StringIO(by_hand_csv([ada], filled, b"secret"))))
    assert len(kept) == 2  # points of somebody who is gone are not lost
    assert {row["id"] for row in with_ids(filled, ["bo"], "01_vanilla", b"secret")} == {"bo"}


LONG = """
def back(hs, dhs):
    '''My own words.'''
    dh = 0  # carry
    out = []
    for t in range(len(hs)):
        dh = dh + dhs[t]
        out.append(dh)
    return np.array(out)
"""


def renamed(text):
    return re.sub(r"\b(hs|dh|out|t)\b", r"my_\1", text).replace("dhs):", "dhs: 'x') -> float:")


def test_the_same_code_is_found_through_other_names_and_comments():
    form = code_of(LONG)["back"]
    assert (
        code_of(renamed(LONG).replace("# carry", "# own").replace("My own", "No"))["back"] == form
    )
    assert form.statements == LEAST
    for change in (("dh + dhs", "dhs + dh"), ("len(hs)", "len(dhs)"), ("= 0", "= 1")):
        assert code_of(LONG.replace(*change))["back"] != form
    assert code_of("def f(:") == {} and code_of("x = " + "(" * 5000) == {}


def test_similar_answers_are_grouped():
    short = "def step(x):\n    return x + 1\n"
    sources = {
        "ada": {"back": LONG, "step": short},
        "bo": {"back": renamed(LONG), "step": short},
        "cy": {"back": LONG.replace("= 0", "= 1")},
        "dee": {"back": "def other(x):\n    return 1"},
    }
    files = {"ada": b"1", "cy": b"1", "bo": b"2"}
    solutions = {"step": short, "back": "def back(a): return a"}
    found = alike(files, sources, solutions, {})
    assert found == [
        ("", "the same file", 0, ("ada", "cy")),
        ("back", "the same code", LEAST, ("ada", "bo")),
    ]
    ours = alike(files, sources, solutions | {"back": renamed(LONG)}, {})
    assert ours[1][1:] == ("the instructor's code", LEAST, ("ada", "bo"))
    book = {code_of(LONG.replace("= 0", "= 1").replace("back", "own"))["own"].form: "chapter 03"}
    assert alike({}, sources, solutions, book)[1][1:] == ("the code of chapter 03", LEAST, ("cy",))


def test_the_chapters_are_read():
    book = functions_in(CHAPTERS)
    assert len(book) > 300 and "chapter 03" in book.values()


def test_functions_with_other_names_are_never_equal_by_chance_above_the_threshold():
    """Over this repository: half the threshold is enough for what has nothing in common."""
    names: dict = {}
    for path in (CHAPTERS.parent / "rnn_tutorial").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                name = node.name
                names.setdefault(form_of(node), set()).add(name)
    equal = [form.statements for form, own in names.items() if len(own) > 1]
    assert len(names) > 900 and max(equal) < LEAST / 2
