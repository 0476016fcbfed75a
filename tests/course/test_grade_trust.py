"""What a lecturer must be able to trust: no leak, no lost points, and a true reason for each."""

import json

import numpy as np
import pytest

from assignments.bank.entry import SECRET, graded, released, row_of, solutions, submission
from rnn_course.course import load_course
from rnn_course.grading import (
    asking,
    exams_of,
    grade,
    key_of,
    of_another,
    questions,
    read_transcript,
)
from rnn_course.grading import key as key_module
from rnn_course.grading import row as row_module
from rnn_course.judge.diagnose import diagnose
from rnn_course.notebook import open_notebook
from rnn_course.sandbox import outside as sandbox
from rnn_course.sandbox.inside.transport import write_message
from rnn_course.sandbox.outside import Ended, Limits
from rnn_tutorial.tree import tree_leaves
from tools.assignments import COURSE

NAME = "01_vanilla"
RIGHT = {name: text for name, text in solutions(NAME).items() if name in questions(NAME)}
LIMITS = Limits(seconds=3)
SHORT = Limits(seconds=0.5)  # for what ends at the limit
PATIENT = Limits(seconds=30)
ENDLESS = ("rnn_step_backward", "gradient_norms")
ALL = 25


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    return released(NAME, tmp_path_factory.mktemp("release"))


def answering(**answers):
    return submission(NAME, RIGHT | answers)


def numbers_told(report, data):
    """Return the numbers of the hidden cases that the report shows, but for the student's lines."""
    shown = json.dumps(
        {
            **report,
            "questions": [{**row, "source": []} for row in report["questions"]],
            "key": "",
        }
    )
    cases = [case for exam in exams_of(NAME, SECRET, data).values() for case in exam.cases]
    numbers = [n for leaf in tree_leaves(tuple(cases)) for n in np.ravel(leaf)]
    assert len(numbers) > 500
    return [n for n in numbers if f"{abs(n):.5f}"[:6] in shown]


# Hidden cases stay hidden

PEEK = """
import sys
frame = sys._getframe()
while "arguments" not in frame.f_locals:
    frame = frame.f_back
"""
TELL = "raise ValueError(str(frame.f_locals['arguments'][{k}])[:480])"
NAMED = "raise type('E' + repr(frame.f_locals['arguments'][0][0][1][0, 0]), (Exception,), {})"


def test_a_cell_that_raises_what_it_saw_tells_no_number(release):
    wrong = "def rnn_step(params, x, h_previous):\n    return h_previous, h_previous"
    cells = [PEEK, *(TELL.format(k=k) for k in range(5)), NAMED]
    data = submission(NAME, RIGHT | {"rnn_step": wrong}, cells)
    report = graded(release, data, limits=LIMITS)
    assert [note["message"][:12] for note in report["notes"]][-1] == "Exception: r"
    assert numbers_told(report, data) == [] and len(report["notes"]) <= 10


@pytest.mark.parametrize(
    "line",
    [
        "raise ValueError(f'{x[0, 0]:.5f}')",
        "raise type(f'{x[0, 0]:.5f}', (Exception,), {})",
        "return type(f'{x[0, 0]:.5f}', (), {})()",
        "return type(f'{x[0, 0]:.5f}', (tuple,), {})((1, 2))",
        "return np.zeros(int(abs(x[0, 0]) * 1e5)), h_previous",
        "return (0,) * int(abs(x[0, 0]) * 1e5 % 1000)",
        "return np.array([f'{x[0, 0]:.5f}']), h_previous",
        "raise ModuleNotFoundError('x', name=f'n{abs(x[0, 0]) * 1e5:.0f}')",
        "raise FloatingPointError(f'{x[0, 0]:.5f}')",
    ],
)
def test_nothing_that_a_function_makes_of_its_inputs_is_told(release, line):
    data = answering(
        rnn_step=f"import numpy as np\ndef rnn_step(params, x, h_previous):\n    {line}"
    )
    report = graded(release, data, limits=LIMITS)
    assert row_of(report, "rnn_step")["points"] == 0 and numbers_told(report, data) == []
    exam = exams_of(NAME, SECRET, data)["rnn_step"]
    size = int(abs(exam.cases[0][1][0, 0]) * 1e5)
    assert str(size) not in str(row_of(report, "rnn_step")["findings"])


def test_an_exception_is_told_by_its_type_its_place_and_the_students_own_line(release):
    data = answering(rnn_step="def rnn_step(params, x, h_previous):\n    return x @ x, 'mine'")
    (finding,) = row_of(graded(release, data, limits=LIMITS), "rnn_step")["findings"]
    assert "ValueError" in finding["hint"] and "mismatch" not in str(finding)
    assert finding["where"].endswith("line 2 of cell 2: return x @ x, 'mine'")


def test_each_submission_has_cases_of_its_own(release):
    def first(secret, data):
        return exams_of(NAME, secret, data)["rnn_step"].cases[0][1]

    one = first(b"secret", b"{}")
    assert np.array_equal(one, first(b"secret", b"{}"))
    for other in (first(b"secret", b"{} "), first(b"another", b"{}")):
        assert one.shape != other.shape or not np.isclose(one, other).any()


def test_answers_learnt_by_heart_are_worth_nothing_one_blank_later(release):
    data = answering()
    exam = exams_of(NAME, SECRET, data)["rnn_step"]
    known = {
        float(case[1][0, 0]): [a.tolist() for a in tree]
        for case, tree in zip(exam.cases, exam.trees)
    }
    heart = (
        "import numpy as np\ndef rnn_step(params, x, h_previous):\n"
        f"    return tuple(map(np.array, {known}[x[0, 0]]))"
    )
    assert (
        row_of(graded(release, answering(rnn_step=heart), limits=LIMITS), "rnn_step")["points"] == 0
    )


def test_there_is_no_grading_without_a_secret(release):
    with pytest.raises(TypeError, match="secret"):
        grade(release, "ada", b"{}")
    with pytest.raises(ValueError, match="secret"):
        grade(release, "ada", b"{}", b"")


def test_what_a_cell_tells_after_the_first_question_is_not_believed():
    """Cells come first: such a message was forged by something that has seen the cases."""
    error = {"type": "ValueError", "cell": 1, "line": 1}
    raised = write_message({"what": "cell raised", "cell": 1, "error": error})
    asked = write_message({"what": "question", "question": "rnn_step"})
    exams, cells = exams_of(NAME, SECRET, b"{}"), {1: "x"}
    notes = [
        read_transcript(Ended("ended", data), LIMITS, exams, cells).raised
        for data in (raised + asked, asked + raised)
    ]
    assert list(notes[0]) == [1] and notes[1] == {}


# Points are lost for wrong answers only, and the reason is true


TRIALS = [
    "import time\nfor k in range(3):\n    time.sleep(0.1)\n    trial = rnn_step",
    "import time\nlosses = []\nfor k in range(10):\n    time.sleep(0.1)\n    losses.append(k)",
    "while True:\n    pass",
] * 7


@pytest.fixture
def processes(monkeypatch):
    """The seconds of processor time that each process of a submission is given."""
    given = []
    run = sandbox.run

    def spied(task, limits):
        given.append(limits.seconds)
        return run(task, limits)

    monkeypatch.setattr(sandbox, "run", spied)
    return given


def test_a_right_notebook_with_slow_trials_has_full_marks_from_one_process(release, processes):
    report = graded(release, submission(NAME, RIGHT, TRIALS, at_the_end=True), limits=PATIENT)
    assert report["points"] == ALL and report["problem"] is None and report["notes"] == []
    assert processes == [PATIENT.seconds]


def test_the_right_capstone_with_slow_trials_has_full_marks(tmp_path, processes):
    release = released("05_capstone", tmp_path)
    data = submission("05_capstone", solutions("05_capstone"), TRIALS, at_the_end=True)
    report = graded(release, data, limits=Limits(seconds=100))
    assert report["points"] == sum(release.points.values()) and report["problem"] is None
    more = sum(question.seconds for question in questions("05_capstone").values())
    assert processes == [100 + more]


def test_a_wrong_answer_among_slow_cells_costs_its_own_points_alone(release, processes):
    wrong = RIGHT["gradient_norms"].replace("return ", "return 2 * ")
    data = submission(NAME, RIGHT | {"gradient_norms": wrong}, TRIALS)
    report = graded(release, data, limits=SHORT)
    assert report["points"] == ALL - row_of(report, "gradient_norms")["out_of"]
    assert report["problem"] is None and len(processes) == 3


def test_a_slow_question_takes_nothing_from_the_others(release, processes, monkeypatch):
    """Two functions need more than the time there is; all others are graded."""
    monkeypatch.setattr(asking, "LEAST", 0.4)
    slow = {name: f"def {name}(*a):\n    while True:\n        pass" for name in ENDLESS}
    report = graded(release, submission(NAME, RIGHT | slow), limits=Limits(seconds=0.8))
    lost = [row["name"] for row in report["questions"] if row["points"] < row["out_of"]]
    assert lost == list(slow)
    assert (
        all(name in report["problem"] for name in slow)
        and "within 0.8 s of processor" in report["problem"]
    )
    assert processes[0] == 0.8 and set(processes[1:]) == {0.4} and len(processes) <= 8


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("out of time", "did not come to an end within 10 s of processor time with"),
        ("waited too long", "did not come to an end within 12.5 s of real time."),
    ],
)
def test_the_time_of_a_submission_is_bounded_whatever_it_is(release, monkeypatch, how, words):
    given = []

    def endless(task, limits):
        given.append(limits)
        return Ended(how, b"")

    monkeypatch.setattr(sandbox, "run", endless)
    report = graded(release, submission(NAME, RIGHT, TRIALS), limits=Limits(seconds=10))
    assert report["points"] == 0 and words in report["problem"]
    bound = 10 * (2 + 3 / 4 * len(report["questions"]))
    assert sum(limits.seconds for limits in given) <= bound
    assert all(limits.elapsed <= max(4 * limits.seconds, 12.5) for limits in given)


def test_an_answer_that_had_to_wait_for_the_machine_loses_nothing(release, processes):
    """Here it sleeps for longer than its time, which takes as little processor time."""
    slow = RIGHT["gradient_norms"].replace(":\n", ":\n    __import__('time').sleep(0.6)\n", 1)
    data = answering(gradient_norms=slow)
    report = graded(release, data, limits=Limits(seconds=2))
    assert report["points"] == ALL and report["problem"] is None and processes == [2]


PLAIN = """
def lstm_step(params, x, previous):
    a = x @ params[0] + previous[0] @ params[1] + params[2]
    a_i, a_o, a_g = np.split(a, 3, axis=1)
    i, o, g = sigmoid(a_i), sigmoid(a_o), np.tanh(a_g)
    c = previous[1] + i * (g - previous[1])
    return (np.tanh(o * c), c), (i, o, g)
"""
BY_NAME = """
def lstm_unroll(params, xs, first):
    states, gates = [first], []
    for x in xs:
        state, values = lstm_step(params, x, states[-1])
        states.append(LSTMState(state.h, state.c))
        gates.append(values)
    return LSTMState(*map(np.stack, zip(*states[1:]))), LSTMGates(*map(np.stack, zip(*gates)))
"""
OF_ITS_OWN = """
def lstm_step(params, x, previous, both=True):
    a = x @ params[0] + previous[0] @ params[1] + params[2]
    a_i, a_o, a_g = np.split(a, 3, axis=1)
    i, o, g = sigmoid(a_i), sigmoid(a_o), np.tanh(a_g)
    c = previous[1] + i * (g - previous[1])
    return ((np.tanh(o * c), c), (i, o, g)) if both else np.tanh(o * c)
"""
HALF = "def gate_gradients(*a):\n    return LSTMGates(*a[0]), a[1]\n"
CALLS_ITS_OWN = BY_NAME.replace("x, states[-1])", "x, states[-1], both=True)").replace(
    "LSTMState(state.h, state.c)", "LSTMState(*state)"
)


@pytest.fixture(scope="module")
def lstm(tmp_path_factory):
    return released("02_lstm", tmp_path_factory.mktemp("lstm"))


def test_a_right_answer_of_another_form_costs_a_later_one_nothing(lstm):
    for earlier in ({}, {"gate_gradients": HALF}):  # all earlier ones right, or one of them wrong
        answers = {"lstm_step": PLAIN, "lstm_unroll": BY_NAME} | earlier
        report = graded(lstm, submission("02_lstm", solutions("02_lstm") | answers))
        rows = {row["name"]: row for row in report["questions"]}
        assert [name for name, row in rows.items() if row["status"] != "right"] == list(earlier)
        for name in ("lstm_unroll", "lstm_unroll_backward"):
            assert [finding["cause"] for finding in rows[name]["findings"]] in (
                [],
                ["rests on an earlier question"],
            )
        (finding,) = rows["lstm_unroll"]["findings"]
        assert all(name in finding["hint"] for name in earlier)


def test_a_right_answer_that_a_later_one_needs_as_it_is_counts_next_to_a_wrong_one(lstm):
    """lstm_unroll calls the student's own lstm_step, and gate_gradients, which is wrong."""
    calls = CALLS_ITS_OWN.replace("states[1:]))", "states[1:])) if right() else None")
    calls += "\ndef right():\n    zero = np.zeros((1, 1))\n    state = LSTMState(zero, zero)\n"
    calls += "    gates = LSTMGates(zero, zero, zero)\n"
    calls += "    da, _ = gate_gradients(gates, zero, state, zero + 1, zero)\n"
    calls += "    return isinstance(da, LSTMGates) and abs(da.i).sum() == 0\n"
    answers = {"lstm_step": OF_ITS_OWN, "gate_gradients": "def gate_gradients(*a):\n    return 1"}
    answers["lstm_unroll"] = calls
    report = graded(lstm, submission("02_lstm", solutions("02_lstm") | answers))
    assert row_of(report, "lstm_unroll")["status"] == "right"


def test_a_second_chance_is_not_one_for_a_wrong_answer_to_the_question_itself(lstm):
    """With the instructor's answers before it, it earns what it earns among right ones."""
    wrong = BY_NAME.replace("states[-1])", "first)")
    for step in (solutions("02_lstm")["lstm_step"], PLAIN, "def lstm_step(*a):\n    return 0"):
        answers = solutions("02_lstm") | {"lstm_step": step, "lstm_unroll": wrong}
        row = row_of(graded(lstm, submission("02_lstm", answers)), "lstm_unroll")
        assert row["points"] == 0 and row["status"] == "wrong"


def test_only_the_row_that_is_kept_is_diagnosed(release, monkeypatch):
    """The search for two mistakes at once takes seconds, and a question may be asked four times."""
    diagnosed = []

    def noted(exam, verdict, answers):
        diagnosed.append((exam.question.name, verdict.credit))
        return diagnose(exam, verdict, answers)

    monkeypatch.setattr(row_module, "diagnose", noted)
    wrong = "def rnn_step(params, x, h_previous):\n    return 0 * h_previous, h_previous"
    hidden = f"exec({RIGHT['rnn_step_backward']!r})"
    data = answering(rnn_step=wrong, rnn_step_backward=hidden)
    report = graded(release, data, limits=LIMITS)
    credits = [(row["name"], row["points"] / row["out_of"]) for row in report["questions"]]
    assert diagnosed == credits and report["points"] == ALL - 3


def test_the_whole_notebook_counts_where_an_answer_rests_on_what_it_ran(release):
    data = submission(NAME, {name: f"exec({source!r})" for name, source in RIGHT.items()})
    assert graded(release, data, limits=LIMITS)["points"] == ALL


def test_where_the_whole_notebook_was_stopped_the_problem_says_so(release):
    hidden = f"exec({RIGHT['rnn_step']!r})"
    data = submission(NAME, RIGHT | {"rnn_step": hidden}, ["while True: pass"])
    report = graded(release, data, limits=SHORT)
    assert "The whole notebook was run too: cell 2 did not come to an end" in report["problem"]
    assert [note["cell"] for note in report["notes"]] == [2]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"[", "no notebook"),
        (b'{"worksheets": [{"cells": []}]}', "old format 3"),
        (b'{"cells": 3}', "no list of cells"),
        (b" " * ((16 << 20) + 1), "16 MiB, most of it in outputs"),
        (b'{"cells": [' + b"1," * 1000 + b"1]}", "1001 cells"),
    ],
)
def test_what_cannot_be_read_is_said_in_words(release, data, words):
    report = graded(release, data)
    assert report["points"] == 0 and words in report["problem"]
    assert {row["status"] for row in report["questions"]} == {"stopped"}


ASSIGNMENTS = tuple(load_course(COURSE).assignments)


def test_the_notebook_of_another_assignment_is_recognised(release):
    report = graded(release, submission("02_lstm", solutions("02_lstm")))
    words = "This is the notebook of another assignment (about lstm_step, "
    assert report["problem"].startswith(words) and report["points"] == 0
    for one in ASSIGNMENTS:
        for other in ASSIGNMENTS:
            notebook = open_notebook(submission(other, {}))
            assert (of_another(notebook, questions(one)) is None) == (one == other), (one, other)


def test_answers_that_were_pasted_into_the_notebook_of_another_assignment_count(release):
    notebook = json.loads(submission("02_lstm", {}))
    cell = {"cell_type": "code", "metadata": {}, "source": "\n\n".join(RIGHT.values())}
    notebook["cells"].append(cell)
    assert graded(release, json.dumps(notebook).encode())["points"] == ALL


def test_a_lost_library_is_a_note_and_costs_nothing(release):
    data = submission(
        NAME, RIGHT | {"rnn_step": "import scipy\n" + RIGHT["rnn_step"] + "\nscipy.x(1)"}
    )
    report = graded(release, data)
    assert report["points"] == ALL and report["problem"] is None


def test_the_report_has_the_answers_and_the_words_of_the_student(release):
    notebook = json.loads(submission(NAME, RIGHT))
    for cell in notebook["cells"]:
        about = cell["metadata"].get("nbgrader", {})
        if about.get("grade_id", "").startswith("words_"):
            cell["source"] = "My **words**."
    report = graded(release, json.dumps(notebook).encode())
    assert {word["text"] for word in report["words"]} == {"My **words**."}
    assert [word["name"] for word in report["words"]] == list(release.words)
    assert row_of(report, "rnn_step")["source"][0].startswith("def rnn_step(")
    assert report["walls"] in ("podman", "docker", "bubblewrap", "none")


# Numbers


IN_PLACE = {
    "clip": """
def clip(g, limit):
    length = np.linalg.norm(g)
    limit /= length
    return min(1, limit) * g
""",
    "adam_step": """
def adam_step(p, g, m, v, t, rate, decay):
    assert type(t) is int and type(rate) is type(decay) is float
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * g**2
    rate /= 1 - 0.9**t
    v_hat = v / (1 - 0.999**t)
    return p * (1 - rate * (1 - 0.9**t) * decay) - rate * m / (np.sqrt(v_hat) + 1e-8), m, v
""",
}


def test_a_number_may_be_changed_in_place_for_it_is_a_number(tmp_path):
    """`limit /= norm` changes nothing that the caller has."""
    report = graded(released("05_capstone", tmp_path), submission("05_capstone", IN_PLACE))
    for name in IN_PLACE:
        assert row_of(report, name)["status"] == "right", row_of(report, name)["findings"]


# The key of a report


def test_the_key_changes_with_all_that_a_report_depends_on(release, monkeypatch):
    keys = [
        key_of(release, b"1", b"secret", LIMITS),
        key_of(release, b"2", b"secret", LIMITS),
        key_of(release, b"1", b"another", LIMITS),
        key_of(release, b"1", b"secret", LIMITS._replace(seconds=4)),
        key_of(release, b"1", b"secret", LIMITS, "late"),
        key_of(release._replace(digest=""), b"1", b"secret", LIMITS),
    ]
    monkeypatch.setattr(key_module, "source_digest", lambda: "another judge")
    keys.append(key_of(release, b"1", b"secret", LIMITS))
    monkeypatch.setattr(key_module, "wall", lambda limits: "another wall")
    keys.append(key_of(release, b"1", b"secret", LIMITS))
    assert len(set(keys)) == len(keys) and not any("secret" in key for key in keys)


def test_the_key_has_the_wall_that_the_limits_name_also_where_it_does_not_work(monkeypatch):
    """The wall of those who grade, on other machines than this one."""
    monkeypatch.setattr(sandbox, "choose", lambda name="": fail())
    assert [key_module.wall(Limits(wall=name)) for name in ("podman", "")] == ["podman", "none"]


def fail():
    raise ValueError("no wall works here")


def test_the_sources_in_the_key_are_those_of_the_questions_and_the_mistakes(monkeypatch, tmp_path):
    import rnn_course

    before = key_module.source_digest()
    for name in ("questions/vanilla.py", "mistakes/vanilla.py"):
        file = tmp_path / name
        file.parent.mkdir()
        file.write_text("x = 1", encoding="utf-8")
    (tmp_path / "__init__.py").touch()
    monkeypatch.setattr(rnn_course, "__file__", str(tmp_path / "__init__.py"))
    digests = []
    for content in ("x = 2", "x = 3"):
        (tmp_path / "mistakes/vanilla.py").write_text(content, encoding="utf-8")
        digests.append(key_module.source_digest.__wrapped__())
    assert len({before, *digests}) == 3
