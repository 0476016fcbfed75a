"""Every question of every assignment: its cases are hard enough, each mistake is recognised."""

import inspect
from pathlib import Path

import numpy as np
import pytest

from rnn_course.course import load_course
from rnn_course.judge.diagnose import diagnose, near, numbers_of
from rnn_course.judge.judge import Answer, judge, prepare
from rnn_course.judge.mistake import edited, solutions_behind, source_of, with_mistakes
from rnn_course.judge.question import argument_names
from rnn_course.release import questions_of
from rnn_course.sandbox.inside.calls import call_on_cases
from rnn_tutorial.tree import tree_leaves

ASSIGNMENTS = tuple(
    load_course(Path(__file__).parents[2] / "assignments" / "course.toml").assignments
)
EXAMS = [prepare(q, b"1") for name in ASSIGNMENTS for q in questions_of(name).values()]
NAMES = [f"{name}-{question}" for name in ASSIGNMENTS for question in questions_of(name)]


def diagnosed(exam, function):
    """Return (verdict, names of the causes found) of a function, called as the worker calls it."""
    answers = [
        Answer(e["case"], e["turn"], *(tree or (None, None)), e.get("error"), e.get("born"))
        for e, tree in call_on_cases(function, exam.cases, {})
    ]
    verdict = judge(exam, answers)
    return verdict, {finding.cause for finding in diagnose(exam, verdict, answers)}


@pytest.mark.parametrize("exam", EXAMS, ids=NAMES)
def test_the_solution_has_full_marks_and_nothing_is_found(exam):
    verdict, causes = diagnosed(exam, exam.question.reference)
    assert (verdict.credit, causes) == (1, set())


@pytest.mark.parametrize("exam", EXAMS, ids=NAMES)
def test_each_output_has_a_name_and_the_axes_it_is_said_to_have(exam):
    for leaves in exam.expected:
        assert len(leaves) == len(exam.question.outputs)
        sizes = {}
        for axes, leaf in zip(exam.question.outputs.values(), leaves):
            assert len(axes.split()) == leaf.ndim and leaf.dtype == np.float64
            for axis, size in zip(axes.split(), leaf.shape):
                assert sizes.setdefault(axis, size) == size


@pytest.mark.parametrize("exam", EXAMS, ids=NAMES)
def test_no_two_sizes_are_equal(exam):
    for leaves in exam.expected:
        sizes = {
            axis: n
            for axes, leaf in zip(exam.question.outputs.values(), leaves)
            for axis, n in zip(axes.split(), leaf.shape)
        }
        assert len(set(sizes.values())) == len(sizes) and sizes.get("T", 3) >= 3


JUDGED = [pytest.param(e, id=n) for e, n in zip(EXAMS, NAMES) if not e.question.scoring]


def numbers(exam, cause):
    """Return all numbers that the solution with this mistake gives, as one array; None for none."""
    cases = list(numbers_of(exam, [cause]))
    if any(leaves is None for leaves in cases):
        return None
    return np.concatenate([np.ravel(leaf) for leaves in cases for leaf in leaves])


@pytest.mark.parametrize("exam", JUDGED)
def test_each_mistake_loses_points_and_no_other_name_has_its_numbers(exam):
    right = np.concatenate([np.ravel(leaf) for leaves in exam.expected for leaf in leaves])
    given = [(cause, numbers(exam, cause)) for cause in exam.question.causes]
    own = [(cause, x) for cause, x in given if cause.solution == exam.question.name]
    assert own and all(x is not None and not near(x, right) for _, x in own)
    others = [(cause.mistake.name, x) for cause, x in given if x is not None and not near(x, right)]
    for k, (name, x) in enumerate(others):
        assert {other for other, y in others[k:] if near(x, y)} == {name}


@pytest.mark.parametrize("exam", JUDGED)
def test_a_mistake_is_named_by_its_name_alone(exam):
    for cause in exam.question.causes[::8]:
        verdict, causes = diagnosed(exam, with_mistakes(exam.question.reference, [cause]))
        own = cause.solution == exam.question.name
        assert causes == {cause.mistake.name} or (verdict.credit == 1 and not own)


@pytest.mark.parametrize("exam", EXAMS, ids=NAMES)
def test_each_edit_has_its_text_once_and_its_hint_is_a_sentence_without_code(exam):
    behind = solutions_behind(exam.question.reference)
    for solution, mistake in exam.question.causes:
        source = source_of(behind[solution])
        assert edited(source, mistake) != source
        assert mistake.hint[0].isupper() and mistake.hint.rstrip()[-1] in ".?"
        assert not any(code in mistake.hint for code in ("@", "**", ".T "))
        assert mistake.name == mistake.name.strip()


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_other_bytes_give_other_cases(name):
    for question in questions_of(name).values():
        drawn = [prepare(question, entropy).cases[0] for entropy in (b"1", b"2", b"3")]
        first = [np.concatenate([np.ravel(x) for x in tree_leaves(case)]) for case in drawn]
        assert not np.array_equal(first[0], first[1]) and not np.array_equal(first[1], first[2])


@pytest.mark.parametrize("exam", EXAMS, ids=NAMES)
def test_the_arguments_are_those_of_the_solution(exam):
    assert all(len(case) == len(argument_names(exam.question)) for case in exam.cases)
    assert all(
        p.default is p.empty for p in inspect.signature(exam.question.reference).parameters.values()
    )
