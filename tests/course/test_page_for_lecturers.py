"""The page for lecturers says what is true: its commands, its walls, its files."""

import re
import shlex

import pytest

from rnn_course.__main__ import options
from rnn_course.collect.roster import COLUMNS
from rnn_course.overrides import COLUMNS as OVERRIDES
from rnn_course.report.page import CHAPTERS
from rnn_course.report.similar import LEAST
from rnn_course.sandbox.walls import walls

PAGE = (CHAPTERS.parent / "assignments" / "README.md").read_text(encoding="utf-8")
COMMANDS = sorted(set(re.findall(r"^python -m rnn_course (.+)$", PAGE, re.MULTILINE)))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_one(command):
    options().parse_args(shlex.split(command))


def test_every_option_that_is_named_is_one(capsys):
    assert len(COMMANDS) >= 3
    with pytest.raises(SystemExit):
        options().parse_args(["grade", "--help"])
    known = capsys.readouterr().out
    named = {word for word in re.findall(r"`(?:[^`\n]* )?(--[a-z-]+)", PAGE)}
    assert "--only" in named
    assert not [option for option in named if f"{option} " not in known and option != "--help"]


@pytest.mark.parametrize("wall", walls(), ids=lambda wall: wall.name)
def test_what_a_wall_holds_is_said_as_it_is(wall):
    row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{wall.name}`"))
    assert wall.holds in row and wall.lacks in row


def test_tables_are_shown_with_their_columns():
    assert ",".join(OVERRIDES) in PAGE and "id,name,email,group,extension" in PAGE
    assert set(COLUMNS) >= {"id", "name", "email", "group", "extension", "login"}


def test_the_threshold_is_said_in_words():
    assert f"fewer than\n{['', '', '', '', '', 'five', 'six', 'seven'][LEAST]} statements" in PAGE


def test_links_within_the_page_lead_somewhere():
    headings = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings}
    assert set(re.findall(r"\(#([\w-]+)\)", PAGE)) <= anchors
