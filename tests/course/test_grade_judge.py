"""The verdict is made from data alone: whatever a submission returns is judged."""

import numpy as np
import pytest

from rnn_course.judge.diagnose import diagnose
from rnn_course.judge.judge import Answer, judge, prepare
from rnn_course.judge.question import Question
from rnn_course.release import questions_of
from rnn_course.sandbox.inside.transport import Other
from rnn_tutorial.tree import tree_map

EXAMS = {name: prepare(question, b"1") for name, question in questions_of("01_vanilla").items()}
STEP, BACK = EXAMS["gradient_norms"], EXAMS["rnn_unroll_backward"]


def answers_of(exam, change, turns=(0, 1)):
    """Return the answers of a function that returns `change(the right tree)`."""
    return [
        Answer(k, turn, change(tree), exam.cases[k])
        for turn in turns
        for k, tree in enumerate(exam.trees)
    ]


def verdict_of(exam, change):
    answers = answers_of(exam, change)
    verdict = judge(exam, answers)
    return verdict.credit, [finding.cause for finding in diagnose(exam, verdict, answers)]


def noise(size):
    """Return a function that moves each entry of a tree by at most `size` of the largest.

    It moves them the same way each time.
    """

    def moved(tree):
        rng = np.random.default_rng(0)
        return tree_map(
            lambda leaf: leaf + size * np.max(np.abs(leaf)) * rng.uniform(-1, 1, leaf.shape), tree
        )

    return moved


def at_step(k, value):
    """Return a function that adds `value` to all entries of one step of dxs."""
    return lambda tree: (
        tree[0],
        tree[1] + np.where(np.arange(len(tree[1])) == k, value, 0)[:, None, None],
        tree[2],
    )


@pytest.mark.parametrize(
    ("size", "credit"), [(0, 1), (1e-13, 1), (0.9e-8, 1), (1e-6, 0.5), (1e-2, 0)]
)
def test_how_near_an_answer_must_be(size, credit):
    assert verdict_of(BACK, noise(size))[0] == credit


def test_float32_is_half_right_however_near_it_is():
    assert verdict_of(STEP, lambda h: h.astype(np.float32)) == (
        0.5,
        ["right to a few digits only"],
    )


@pytest.mark.parametrize("kind", [float, np.float64, np.asarray])
def test_an_output_without_axes_may_be_any_kind_of_number(kind):
    def loss(y):
        """Return (loss, dy)."""
        return np.sum(y**2) / 2, y

    question = Question("loss", {"loss": "", "dy": "N"}, lambda rng: [(rng.normal(size=3),)], loss)
    exam = prepare(question, b"1")
    assert verdict_of(exam, lambda tree: (kind(tree[0]), tree[1])) == (1, [])
    assert verdict_of(exam, lambda tree: (kind(-tree[0]), tree[1])) == (0.5, ["sign"])


def test_each_leaf_has_its_share():
    credit, causes = verdict_of(BACK, lambda tree: (tree[0]._replace(b=-tree[0].b), *tree[1:]))
    assert (credit, causes) == (pytest.approx(1 - 1 / len(BACK.question.outputs)), ["sign"])


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (lambda tree: (tree[0], tree[1][::-1], tree[2]), "time runs backwards"),
        (lambda tree: (tree[0]._replace(W_h=tree[0].W_h.T), *tree[1:]), "weight transposed"),
        (lambda tree: (tree[0]._replace(W_x=0 * tree[0].W_x), *tree[1:]), "never written"),
        (lambda tree: (tree[0], tree[1] / 2, tree[2]), "factor of two"),
        (
            lambda tree: (tree[0]._replace(W_h=tree[0].W_h / tree[1].shape[1]), *tree[1:]),
            "mean for sum",
        ),
        (lambda tree: (tree[0], tree[1][1:], tree[2]), "shape or type"),
        (lambda tree: tree[:2], "shape or type"),
        (lambda tree: None, "shape or type"),
        (
            lambda tree: (
                tree[0],
                np.where(np.arange(len(tree[1]))[:, None, None] == 2, np.nan, tree[1]),
                tree[2],
            ),
            "NaN or infinity",
        ),
        (
            lambda tree: (
                tree[0],
                tree[1] + (np.arange(len(tree[1])) == 1)[:, None, None],
                tree[2],
            ),
            "unknown",
        ),
    ],
)
def test_what_any_output_can_have_is_named(change, cause):
    credit, causes = verdict_of(BACK, change)
    assert credit < 1 and causes == [cause]


def test_a_plain_tuple_or_other_order_of_named_fields_is_as_good():
    assert verdict_of(BACK, lambda tree: (tuple(tree[0]), *tree[1:])) == (1, [])
    assert verdict_of(BACK, lambda tree: [list(tree[0]), *tree[1:]]) == (1, [])


def test_where_it_is_wrong_is_told_and_the_right_number_is_not():
    answers = answers_of(BACK, at_step(1, 1.0))
    (finding,) = diagnose(BACK, judge(BACK, answers), answers)
    assert finding.outputs == ("dxs",) and "step 2 of" in finding.where


def garbage(rng, depth=0):
    """Return a tree of anything that transport can bring."""
    kind = rng.integers(0, 9 if depth < 3 else 6)
    if kind >= 6:
        branches = [garbage(rng, depth + 1) for _ in range(rng.integers(0, 4))]
        return tuple(branches) if kind == 6 else branches
    shape = tuple(rng.integers(0, 4, rng.integers(0, 4)))
    leaves = [
        None,
        Other("str"),
        np.full(shape, np.inf),
        np.full(shape, 1e308),
        np.ones(shape, complex),
        np.ones(shape, bool),
    ]
    return leaves[kind]


def test_nothing_that_comes_back_stops_the_judge_or_earns_a_point():
    rng = np.random.default_rng(0)
    for exam in EXAMS.values():
        for _ in range(100):
            answers = [
                Answer(k, turn, garbage(rng), garbage(rng)) for turn in (0, 1) for k in range(-1, 4)
            ]
            answers = [
                a._replace(arguments=a.arguments if isinstance(a.arguments, tuple) else None)
                for a in answers
            ]
            with np.errstate(all="ignore"):
                verdict = judge(exam, answers)
                assert verdict.credit == 0 and diagnose(exam, verdict, answers)


def test_no_answer_and_half_the_answers_earn_nothing():
    assert judge(STEP, []).credit == 0
    assert judge(STEP, answers_of(STEP, lambda h: h)[:2]).credit == 0
