"""Assignment 1: its solutions against the package and the complex step; copying is no answer."""

import re
from pathlib import Path

import numpy as np
import pytest

from rnn_course.course import load_course
from rnn_course.judge.judge import Answer, judge, prepare
from rnn_course.questions.vanilla import (
    QUESTIONS,
    RNNParams,
    gradient_norms,
    rnn_step,
    rnn_step_backward,
    rnn_unroll,
    rnn_unroll_backward,
)
from rnn_course.release import questions_of
from rnn_tutorial.cells import Elman, ElmanParams, ElmanState, elman_step, elman_step_backward
from rnn_tutorial.gradient_check import relative_error
from rnn_tutorial.sequence import unroll, unroll_backward
from rnn_tutorial.tree import tree_leaves

ROOT = Path(__file__).parents[2]
NAME = "01_vanilla"
CASES = {q.name: q.cases(np.random.default_rng(3)) for q in QUESTIONS}
POINTS = load_course(ROOT / "assignments" / "course.toml").assignments[NAME].points


def same(values, references):
    pairs = list(zip(tree_leaves(values), tree_leaves(references), strict=True))
    assert pairs and all(relative_error(value, reference) < 1e-12 for value, reference in pairs)


def complex_step(loss, *trees):
    """Return the gradient of loss(*trees), which is real, for each leaf, by the complex step."""
    leaves = tree_leaves(trees)
    gradients = []
    for place, leaf in enumerate(leaves):
        gradient = np.zeros(leaf.shape)
        for index in np.ndindex(leaf.shape):
            moved = [other.astype(complex) for other in leaves]
            moved[place][index] += 1e-30j
            gradient[index] = loss(*moved).imag / 1e-30
        gradients.append(gradient)
    return gradients


def packages_step(params, x, h_previous):
    """Return (h, n), the proposal by the package's step from what is left of the old state."""
    left = h_previous - params.a * h_previous
    n = elman_step(ElmanParams(*params[:3]), x, ElmanState(left))[0].h
    return left + params.a * n, n


@pytest.mark.parametrize("case", CASES["rnn_step"])
def test_the_step_is_the_packages_with_what_is_left_of_the_state(case):
    same(rnn_step(*case), packages_step(*case))


@pytest.mark.parametrize("case", CASES["rnn_unroll"])
def test_over_time_it_is_that_step_again_and_again(case):
    params, xs, h = case
    hs, ns = rnn_unroll(*case)
    for t, x in enumerate(xs):
        h, n = packages_step(params, x, h)
        same((hs[t], ns[t]), (h, n))


@pytest.mark.parametrize("case", CASES["rnn_step_backward"])
def test_the_gradients_of_a_step_are_those_of_the_complex_step(case):
    params, x, h_previous, _, dh = case

    def loss(W_x, W_h, b, a, x, h_previous):
        return np.sum(dh * rnn_step(RNNParams(W_x, W_h, b, a), x, h_previous)[0])

    same(rnn_step_backward(*case), complex_step(loss, params, x, h_previous))


@pytest.mark.parametrize("case", CASES["rnn_unroll_backward"])
def test_the_gradients_over_time_are_those_of_the_complex_step(case):
    params, xs, h_first, _, _, dhs, dh_last = case

    def loss(W_x, W_h, b, a, xs, h_first):
        hs, _ = rnn_unroll(RNNParams(W_x, W_h, b, a), xs, h_first)
        return np.sum(dhs * hs) + np.sum(dh_last * hs[-1])

    same(rnn_unroll_backward(*case), complex_step(loss, params, xs, h_first))


@pytest.mark.parametrize("case", CASES["rnn_unroll_backward"])
def test_the_norms_are_those_of_the_gradients_by_the_complex_step(case):
    params, xs, h_first, hs, ns, _, dh_last = case
    norms = gradient_norms(params, ns, dh_last)
    for t in range(len(xs) - 1):

        def loss(h, t=t):
            return np.sum(dh_last * rnn_unroll(params, xs[t + 1 :], h)[0][-1])

        (dh,) = complex_step(loss, hs[t])
        same(norms[t], np.sqrt(np.sum(dh**2, axis=1)))
    same(norms[-1], np.sqrt(np.sum(dh_last**2, axis=1)))


# Copies: what chapters 02 and 03 and the package compute, in the signatures of the questions


def chapters_function(name):
    """Return a function that chapter 03 defines."""
    text = (ROOT / "chapters" / "03_through_time.md").read_text(encoding="utf-8")
    cells = re.findall(r"^```\{code-cell\}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    (source,) = [cell for cell in cells if f"def {name}(" in cell]
    namespace = {"np": np, "ElmanState": ElmanState}
    exec(re.sub(r"^:tags:.*\n", "", source), namespace)
    return namespace[name]


def copied_step_backward(params, x, h_previous, n, dh):
    plain = ElmanParams(*params[:3])
    _, cache = elman_step(plain, x, ElmanState(h_previous))
    dparams, dx, dprevious = elman_step_backward(plain, cache._replace(h=n), ElmanState(dh))
    return RNNParams(*dparams, dh.sum(axis=0)), dx, dprevious.h


def copied_unroll_backward(params, xs, h_first, hs, ns, dhs, dh_last):
    plain, caches, state = ElmanParams(*params[:3]), [], ElmanState(h_first)
    for x in xs:
        state, cache = elman_step(plain, x, state)
        caches.append(cache)
    backward = chapters_function("elman_unroll_backward")
    dparams, dxs, dfirst = backward(plain, caches, (dhs, ElmanState(dh_last)))
    return RNNParams(*dparams, dhs.sum(axis=(0, 1))), dxs, dfirst.h


def packages_unroll_backward(params, xs, h_first, hs, ns, dhs, dh_last):
    plain = ElmanParams(*params[:3])
    _, cache = unroll(Elman, plain, xs, ElmanState(h_first))
    dparams, dxs, dfirst = unroll_backward(Elman, plain, cache, (dhs, ElmanState(dh_last)))
    return RNNParams(*dparams, dhs.sum(axis=(0, 1))), dxs, dfirst.h


def copied_norms(params, ns, dh_last):
    dh, norms = dh_last, []
    for h in ns[::-1]:
        norms.append(np.linalg.norm(dh, axis=1))
        dh = (dh * (1 - h**2)) @ params.W_h.T  # (3.10)
    return np.stack(norms[::-1])


def norms_of_exercise_3_5(params, ns, dh_last):
    dh, norms = dh_last, []
    for u in ns[::-1]:
        norms.append(np.linalg.norm(dh, axis=1))
        da = dh * params.a * (1 - u**2)
        dh = da @ params.W_h.T + (1 - params.a) * dh
    return np.stack(norms[::-1])


def unroll_backward_of_exercise_3_5(params, xs, h_first, hs, ns, dhs, dh_last):
    dW_x, dW_h, db, da = (np.zeros_like(p) for p in params)
    dxs, dh = np.zeros_like(xs), dh_last
    for t in reversed(range(len(xs))):
        before, arriving = (hs[t - 1] if t else h_first), dhs[t] + dh
        ds = arriving * params.a * (1 - ns[t] ** 2)
        dW_x, dW_h, db = dW_x + xs[t].T @ ds, dW_h + before.T @ ds, db + ds.sum(axis=0)
        da = da + (arriving * (ns[t] - before)).sum(axis=0)
        dxs[t], dh = ds @ params.W_x.T, ds @ params.W_h.T + (1 - params.a) * arriving
    return RNNParams(dW_x, dW_h, db, da), dxs, dh


COPIES = {
    "rnn_step_backward": [copied_step_backward],
    "rnn_unroll_backward": [
        copied_unroll_backward,
        packages_unroll_backward,
        unroll_backward_of_exercise_3_5,
    ],
    "gradient_norms": [copied_norms, norms_of_exercise_3_5],
}


def test_every_question_of_four_points_or_more_has_its_copies():
    assert set(COPIES) == {name for name, points in POINTS.items() if points >= 4}


@pytest.mark.parametrize(
    ("name", "copy"),
    [(name, copy) for name, copies in COPIES.items() for copy in copies],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_copy_of_what_the_book_has_gets_no_points(name, copy):
    exam = prepare(questions_of(NAME)[name], b"any")
    answers = [
        Answer(k, turn, copy(*case), case) for turn in (0, 1) for k, case in enumerate(exam.cases)
    ]
    assert judge(exam, answers).credit == 0


def test_the_given_cell_is_what_the_solutions_use():
    import jupytext

    source = ROOT / "assignments" / NAME / f"{NAME}.py"
    (given,) = [c.source for c in jupytext.read(source).cells if "given" in c.metadata]
    namespace = {}
    exec(given, namespace)
    assert namespace["RNNParams"]._fields == RNNParams._fields
