"""course.toml: what it has is read as it is, and what is wrong in it is named by its key."""

from datetime import date, datetime, timedelta, timezone

import pytest

from rnn_course.course import load_course

RIGHT = """
title = "A course"
book = "https://example.org/rnn/"

[late]
free_days = 5
percent_per_day = 10
last_day = 4

[02_second]
after = "04"
hours = 2.5
given = 2026-10-08
due = 2026-10-15T23:59:00+02:00
weight = 2

[02_second.points]
one = 3
two = 1.5

[02_second.words]
why = 2

[01_first]
after = "03"
hours = 4
given = 2026-10-01
due = 2026-10-08T23:59:00+02:00
weight = 1

[01_first.points]
zero = 0
one = 1
"""


def course_of(tmp_path, text):
    path = tmp_path / "course.toml"
    path.write_text(text, encoding="utf-8")
    return load_course(path)


def test_a_course_is_read_as_it_is(tmp_path):
    course = course_of(tmp_path, RIGHT)
    assert (course.title, course.book) == ("A course", "https://example.org/rnn")
    assert course.late == (5, 10, 4)
    assert list(course.assignments) == ["01_first", "02_second"]
    first, second = course.assignments.values()
    assert second.points == {"one": 3, "two": 1.5} and second.words == {"why": 2}
    assert (first.out_of, second.out_of, first.words) == (1, 6.5, {})
    assert (second.after, second.hours, second.weight) == ("04", 2.5, 2)
    assert second.given == date(2026, 10, 8)
    assert second.due == datetime(2026, 10, 15, 23, 59, tzinfo=timezone(timedelta(hours=2)))


def test_the_address_of_the_book_may_be_left_out(tmp_path):
    assert course_of(tmp_path, RIGHT.replace("book", "# book")).book == ""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('title = "A course"', 'title = " "', "title: expected a text, got ' '"),
        ("https://example", "example", "book: expected an address, https://…, got 'example"),
        ("[late]", "[rule]", "rule: not a key; expected one of title, book, late, 01_first"),
        ("free_days = 5", "", "late.free_days is missing, expected a whole number"),
        ("free_days = 5", "free_days = 1.5", "late.free_days: expected a whole number"),
        ("day = 10", "day = 101", "late.percent_per_day: expected a number from 0 to 100, got 101"),
        ("last_day = 4", "last_day = -1", "late.last_day: expected a whole number, 0 or more, got"),
        ('after = "04"', "after = 4", "02_second.after: expected the number of a chapter, such as"),
        ("hours = 4", "hours = 0", "01_first.hours: expected a positive number, got 0"),
        ("hours = 4", "hours = true", "01_first.hours: expected a positive number, got True"),
        ("weight = 1", "weight = -1", "01_first.weight: expected a number, 0 or more, got -1"),
        ("weight = 1", "wait = 1", "01_first.wait: not a key; expected one of after, hours"),
        ("given = 2026-10-01", "given = 2026-10-01T00:00:00", "01_first.given: expected a date"),
        ("10-08T23:59:00+02:00", "10-08T23:59:00", "01_first.due: expected a time with its zone"),
        ("10-08T23:59:00+02:00", "09-08T23:59:00+02:00", "01_first.due: expected a time after"),
        ("two = 1.5", 'two = "1.5"', "02_second.points.two: expected a number, 0 or more"),
        ("two = 1.5", "two = inf", "02_second.points.two: expected a number, 0 or more, got inf"),
        ("one = 1\n", "", "01_first.points: expected a question that is worth something"),
        ("why = 2", "why = nan", "02_second.words.why: expected a number"),
        ("[late]", "[late", "cannot be read as a course.toml"),
    ],
)
def test_what_is_wrong_is_named_by_its_file_and_its_key(tmp_path, old, new, message):
    assert old in RIGHT
    with pytest.raises(ValueError) as caught:
        course_of(tmp_path, RIGHT.replace(old, new))
    assert str(caught.value).startswith(f"{tmp_path / 'course.toml'}: ")
    assert message in str(caught.value)


def test_a_file_that_is_not_there_and_one_without_assignments(tmp_path):
    with pytest.raises(ValueError, match="cannot be read as a course.toml"):
        load_course(tmp_path / "course.toml")
    with pytest.raises(ValueError, match="no assignment: expected a table like"):
        course_of(tmp_path, RIGHT.split("[02_second]")[0])
