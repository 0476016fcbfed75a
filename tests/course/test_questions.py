"""Every question of every assignment: its cases are hard enough, and each cause is recognised."""

import inspect

import numpy as np
import pytest

from rnn_course.grading import exams_of
from rnn_course.judge.diagnose import diagnose
from rnn_course.judge.judge import Answer, judge
from rnn_course.judge.question import argument_names
from rnn_course.sandbox.inside.calls import call_on_cases
from rnn_tutorial.tree import tree_leaves

ASSIGNMENTS = ("01_vanilla", "02_lstm", "03_gru", "04_masks", "05_capstone")
SEEDS = (0, 1, 2)
EXAMS = [exam for name in ASSIGNMENTS for exam in exams_of(name, 1).values()]
NAMES = [exam.question.name for exam in EXAMS]


def diagnosed(exam, function):
    """Return (verdict, names of the causes found) of a function, called as the worker calls it."""
    calls = call_on_cases(function, exam.cases, {})
    answers = [
        Answer(e["case"], e["turn"], *(tree or (None, None)), e.get("error"), e.get("born"))
        for e, tree in calls
    ]
    verdict = judge(exam, answers)
    return verdict, [finding.cause for finding in diagnose(exam, verdict, answers)]


@pytest.mark.parametrize("exam", EXAMS, ids=NAMES)
def test_the_reference_has_full_marks_and_nothing_is_found(exam):
    verdict, causes = diagnosed(exam, exam.question.reference)
    assert (verdict.credit, causes) == (1, [])


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
def test_no_two_sizes_are_equal_and_nothing_asked_is_zero(exam):
    for case, leaves in zip(exam.cases, exam.expected):
        sizes = {
            axis: n
            for axes, leaf in zip(exam.question.outputs.values(), leaves)
            for axis, n in zip(axes.split(), leaf.shape)
        }
        assert len(set(sizes.values())) == len(sizes) and sizes.get("T", 3) >= 3
        assert all(np.any(leaf) for leaf in tree_leaves(case) if leaf is not None)


@pytest.mark.parametrize("exam", EXAMS, ids=NAMES)
def test_each_cause_loses_points_and_is_named(exam):
    for cause in exam.question.causes:
        verdict, causes = diagnosed(exam, cause.mistake)
        assert verdict.credit < 1 and cause.name in causes and "unknown" not in causes, cause.name


@pytest.mark.parametrize("exam", EXAMS, ids=NAMES)
def test_the_walk_with_no_switch_thrown_is_the_reference(exam):
    walks = {cause.mistake.func for cause in exam.question.causes if cause.mistake.keywords}
    assert walks
    for walk in walks:
        verdict, causes = diagnosed(exam, walk)
        assert (verdict.credit, causes) == (1, [])


@pytest.mark.parametrize("exam", EXAMS, ids=NAMES)
def test_hints_are_sentences_that_hold_no_code_of_the_answer(exam):
    for cause in exam.question.causes:
        assert (
            cause.hint[0].isupper()
            and cause.hint.rstrip()[-1] in ".?"
            and cause.name == cause.name.strip()
        )
        assert "@" not in cause.hint and "**" not in cause.hint and ".T" not in cause.hint


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_the_cases_that_are_seen_and_those_that_are_hidden_differ(name):
    drawn = [exams_of(name, seed) for seed in SEEDS]
    for question in drawn[0]:
        first = [
            np.concatenate([np.ravel(leaf) for leaf in tree_leaves(exams[question].cases[0])])
            for exams in drawn
        ]
        assert not np.array_equal(first[0][:3], first[1][:3]) and not np.array_equal(
            first[1][:3], first[2][:3]
        )


@pytest.mark.parametrize("exam", EXAMS, ids=NAMES)
def test_the_arguments_are_those_of_the_reference(exam):
    assert all(len(case) == len(argument_names(exam.question)) for case in exam.cases)
    assert all(
        p.default is p.empty for p in inspect.signature(exam.question.reference).parameters.values()
    )
