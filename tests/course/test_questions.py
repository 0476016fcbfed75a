"""Every question of every assignment: its cases are hard enough, each mistake is recognised."""

import inspect
from pathlib import Path

import numpy as np
import pytest

from rnn_course.course import load_course
from rnn_course.judge.diagnose import diagnose
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
CAUSES = [
    pytest.param(exam, cause, id=f"{name}-{cause.solution}-{cause.mistake.name}")
    for exam, name in zip(EXAMS, NAMES)
    for cause in exam.question.causes
]


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


@pytest.mark.parametrize(("exam", "cause"), CAUSES)
def test_each_mistake_loses_points_and_is_named_and_no_other(exam, cause):
    wrong = with_mistakes(exam.question.reference, [cause])
    verdict, causes = diagnosed(exam, wrong)
    if cause.solution == exam.question.name or verdict.credit < 1:
        assert verdict.credit < 1 and causes == {cause.mistake.name}


@pytest.mark.parametrize(("exam", "cause"), CAUSES)
def test_each_edit_has_its_text_once_and_changes_it(exam, cause):
    source = source_of(solutions_behind(exam.question.reference)[cause.solution])
    assert edited(source, cause.mistake) != source


@pytest.mark.parametrize(("exam", "cause"), CAUSES)
def test_hints_are_sentences_that_hold_no_code_of_the_answer(exam, cause):
    name, hint = cause.mistake.name, cause.mistake.hint
    assert hint[0].isupper() and hint.rstrip()[-1] in ".?" and name == name.strip()
    assert not any(code in hint for code in ("@", "**", ".T "))


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_other_bytes_give_other_cases(name):
    for question in questions_of(name).values():
        drawn = [prepare(question, entropy).cases[0] for entropy in (b"1", b"2", b"3")]
        first = [np.concatenate([np.ravel(x) for x in tree_leaves(case)])[:3] for case in drawn]
        assert not np.array_equal(first[0], first[1]) and not np.array_equal(first[1], first[2])


@pytest.mark.parametrize("exam", EXAMS, ids=NAMES)
def test_the_arguments_are_those_of_the_solution(exam):
    assert all(len(case) == len(argument_names(exam.question)) for case in exam.cases)
    assert all(
        p.default is p.empty for p in inspect.signature(exam.question.reference).parameters.values()
    )
