"""Assignment 7: its solutions by independent judges, what it says of its target, its remarks."""

import ast
import inspect
import time
from functools import reduce
from pathlib import Path

import numpy as np
import pytest
from notebook_code import bare, cells, share_in_a_chapter
from training_exam import each_seed, exams_of, relative, rng_of

from assignments.bank.recurrence import HOSTILE
from rnn_course.judge.mistake import Cause, with_mistakes
from rnn_course.mistakes.recurrence import MISTAKES
from rnn_course.questions import recurrence as module
from rnn_course.questions.recurrence import (
    QUESTIONS,
    CounterParams,
    Piece,
    coefficients,
    coefficients_backward,
    coefficients_backward_cases,
    flatten,
    in_blocks,
    in_blocks_cases,
    join,
    join_cases,
    recurrence,
    recurrence_backward,
    recurrence_backward_cases,
    scan,
    scan_cases,
    taught,
    train,
    unflatten,
    untrained,
)
from rnn_course.questions.recurrence import logits as logits_of_the_notebook
from rnn_course.questions.recurrence_parity import (
    HIDDEN,
    HINTS,
    LONGEST,
    RUNGS,
    SCORING,
    SYMBOLS,
    draw_rows,
    factors_and_terms,
    logits,
    mean_loss,
    remarks,
    right_where_trained,
    share_right,
)
from rnn_course.sandbox.outside import Limits
from rnn_tutorial.cells.min_gru import MinGRUGates, min_gru_coefficients_backward
from rnn_tutorial.sequence import associative_scan, linear_recurrence, linear_recurrence_backward
from rnn_tutorial.tree import tree_leaves

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "assignments" / "07_recurrence" / "07_recurrence.py"
TRAIN = QUESTIONS[-1]
exam = exams_of(TRAIN)


def agree(ours, theirs):
    return all(relative(value, want) < 1e-12 for value, want in zip(ours, theirs, strict=True))


# By the package: a beginning is a factor of zero, and the first state is in the term.


def as_one_sequence(steps, start):
    """Return (a, b) of the recurrence of chapter 23 that has the same states."""
    begins = steps.new[:, :, None]
    return steps.a * (1 - begins), steps.b + begins * steps.a * start


@each_seed
def test_the_recurrence_and_its_gradient_are_those_of_the_package(seed):
    for steps, start, h, hs, dhs in recurrence_backward_cases(rng_of(seed)):
        a, b = as_one_sequence(steps, start)
        assert relative(hs, linear_recurrence(a, b, h)) < 1e-12
        da, db, dh = linear_recurrence_backward(a, h, hs, dhs)
        begins = steps.new[:, :, None]
        theirs = (
            da * (1 - begins) + db * begins * start,
            db,
            (db * begins * steps.a).sum(axis=(0, 1)),
            dh,
        )
        assert agree(recurrence_backward(steps, start, h, hs, dhs), theirs)


# By the complex step


def complex_step(function, arrays):
    """Return the gradients of a number by the complex step, one array each."""
    found = []
    for k, array in enumerate(arrays):
        gradient = np.zeros(array.shape)
        for index in np.ndindex(array.shape):
            moved = [a.astype(complex) for a in arrays]
            moved[k][index] += 1e-30j
            gradient[index] = function(*moved).imag / 1e-30
        found.append(gradient)
    return found


def slopes_of_the_recurrence(steps, start, h, dhs):
    def loss(a, b, start, h):
        return np.sum(dhs * recurrence(Piece(steps.new, a, b), start, h))

    return complex_step(loss, (steps.a, steps.b, start, h))


def slopes_of_the_gate(z, da, db):
    def loss(z):
        a, b = coefficients(z)
        return np.sum(da * a) + np.sum(db * b)

    return complex_step(loss, (z,))


def test_gradients_are_those_of_the_complex_step_and_no_mistake_has_them():
    steps, start, h, hs, dhs = recurrence_backward_cases(rng_of(0))[0]
    z, da, db = coefficients_backward_cases(rng_of(0))[0]
    for function, arguments, want in (
        (
            recurrence_backward,
            (steps, start, h, hs, dhs),
            slopes_of_the_recurrence(steps, start, h, dhs),
        ),
        (coefficients_backward, (z, da, db), slopes_of_the_gate(z, da, db)),
    ):
        assert agree(tree_leaves(function(*arguments)), want)
        for mistake in MISTAKES[function.__name__]:
            wrong = with_mistakes(function, [Cause(function.__name__, mistake)])
            pairs = zip(tree_leaves(wrong(*arguments)), want)
            assert max(relative(value, slope) for value, slope in pairs) > 1e-3, mistake


def test_the_given_gradient_is_that_of_the_complex_step():
    rng = rng_of(0)
    params, rows = untrained(rng, 4, 3), [array[:25, :5] for array in draw_rows(rng)[0]]
    rows[0] %= 4
    loss, dparams = taught(params, *rows)

    def loss_of(vector):
        ys, _, _ = logits_of_the_notebook(unflatten(vector, params), *rows[:2])
        log_p = ys - np.log(np.exp(ys).sum(axis=-1, keepdims=True))
        return -np.take_along_axis(log_p, rows[2][..., None], axis=-1).mean()

    assert loss == pytest.approx(loss_of(flatten(params).astype(complex)).real, rel=1e-12)
    (want,) = complex_step(loss_of, (flatten(params),))
    assert relative(flatten(dparams), want) < 1e-12


# Pieces, by what they do to a state


def after(piece, start, h):
    """Return the state that a piece makes of h."""
    return piece.a * np.where(piece.new[..., None], start, h) + piece.b


def test_a_joined_piece_does_what_its_two_do_and_brackets_are_free():
    rng = rng_of(0)
    for flags in np.ndindex(2, 2, 2):
        pieces = [Piece(np.full(2, float(f)), *rng.standard_normal((2, 2, 3))) for f in flags]
        start, h = rng.standard_normal(3), rng.standard_normal((2, 3))
        for one, other in zip(pieces, pieces[1:]):
            want = after(other, start, after(one, start, h))
            assert relative(after(join(one, other), start, h), want) < 1e-12
        one, two, three = pieces
        left, right = join(join(one, two), three), join(one, join(two, three))
        assert all(map(np.allclose, left, right))


@each_seed
def test_a_scan_and_the_wholes_of_blocks_are_steps_joined_one_by_one(seed):
    for steps, start, h, sizes in in_blocks_cases(rng_of(seed)):
        single = [Piece(*step) for step in zip(*steps)]
        so_far = [reduce(join, single[: t + 1]) for t in range(len(single))]
        assert agree(scan(steps), map(np.stack, zip(*so_far)))
        ends = np.cumsum(sizes)
        wholes, hs = in_blocks(steps, start, h, sizes)
        blocks = [reduce(join, single[end - size : end]) for size, end in zip(sizes, ends)]
        assert agree(wholes, map(np.stack, zip(*blocks)))
        assert relative(hs, recurrence(steps, start, h)) < 1e-12
        assert agree([after(scan(steps), start, h)], [hs])


def test_a_scan_of_one_step_is_this_step():
    steps = Piece(*(array[:1] for array in scan_cases(rng_of(0))[0][0]))
    assert all(np.array_equal(one, other) for one, other in zip(scan(steps), steps))


@each_seed
def test_every_case_has_what_a_wrong_answer_would_not_notice_without(seed):
    for (steps,) in scan_cases(rng_of(seed)):
        new = steps.new
        assert (new.sum(axis=0) == 0).any() and 0 < new[0].sum() < new.shape[1]
        assert new[-1].any() and (new[1:] * new[:-1]).any() and set(np.unique(new)) == {0, 1}
        assert np.abs(steps.a).min() > 0.6 and (steps.a < 0).any() and (steps.a > 0).any()
    for earlier, later in join_cases(rng_of(seed)):
        pairs = set(zip(earlier.new.ravel(), later.new.ravel()))
        assert pairs == {(0, 0), (0, 1), (1, 0), (1, 1)}


# The notebook


def test_what_the_notebook_gives_is_what_the_solutions_use():
    tree = ast.parse("\n".join(cells(SOURCE)))
    given = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    asked = {question.name for question in QUESTIONS}
    own = [
        name
        for name in module.__all__
        if inspect.isfunction(getattr(module, name)) and name not in asked
    ]
    assert set(given) - {"make_rows"} == set(own) and len(own) == 7
    for name in own:
        assert bare(ast.unparse(given[name])) == bare(inspect.getsource(getattr(module, name)))


def test_no_cell_of_a_chapter_is_an_answer_to_a_large_question():
    for function in (recurrence_backward, scan, in_blocks, coefficients_backward, train):
        assert share_in_a_chapter(function) <= 1 / 2, function.__name__


def test_the_recurrence_of_the_chapter_and_of_the_package_earns_nothing():
    for steps, start, h, hs, dhs in recurrence_backward_cases(rng_of(0)):
        right = recurrence_backward(steps, start, h, hs, dhs)
        theirs = linear_recurrence_backward(steps.a, h, hs, dhs)
        for value, want in zip(theirs, (right[0], right[1], right[3])):
            assert relative(value, want) > 1e-2
        so_far = scan(steps)
        ones, zeros = np.ones_like(steps.b), np.zeros_like(steps.b)
        of_b = associative_scan(steps.a, steps.b, zeros[0])
        of_a = associative_scan(steps.a, zeros, ones[0])
        assert relative(of_b, so_far.b) > 1e-2 and relative(of_a, so_far.a) > 1e-2
    for z, da, db in coefficients_backward_cases(rng_of(0)):
        p, _, n = np.split(z, 3, axis=-1)
        gates = MinGRUGates(1 / (1 + np.exp(-p)), n)
        _, theirs = min_gru_coefficients_backward(None, gates, da, db)
        want = np.split(coefficients_backward(z, da, db), 3, axis=-1)[::2]
        for value, slope in zip(np.split(theirs, 2, axis=-1), want):
            assert relative(value, slope) > 1e-2


# The target


@pytest.fixture(scope="module")
def trained():
    """Return the leaves of the solution on the first exam, and the seconds of work that it took."""
    start = time.process_time()
    answer = train(*exam(0).cases[0])
    return tree_leaves(answer), time.process_time() - start


def test_the_solution_reaches_the_target_in_less_than_a_third_of_its_time(trained):
    leaves, seconds = trained
    assert SCORING.score(leaves, exam(0).held_out) > RUNGS[-1][0] + 0.005
    allowed = Limits().seconds + TRAIN.seconds
    assert f"waits {allowed:g} seconds for both" in SOURCE.read_text(encoding="utf-8")
    assert 2 * seconds < allowed / 3


def test_a_network_that_cannot_turn_is_below_the_first_rung():
    params, *rows, seed = exam(0).cases[0]
    E = params.E.copy()
    E[:, HIDDEN : 2 * HIDDEN] = -30
    namespace = dict(vars(module))
    namespace["coefficients_backward"] = lambda *arguments: (
        coefficients_backward(*arguments) * (np.arange(3 * HIDDEN) // HIDDEN != 1)
    )
    exec(inspect.getsource(taught), namespace)
    exec(inspect.getsource(train), namespace)
    leaves = tree_leaves(namespace["train"](params._replace(E=E), *rows, seed))
    assert factors_and_terms(leaves[0])[0].min() > 0
    assert 0.48 < share_right(leaves, exam(0).held_out) < RUNGS[0][0] - 0.05


def test_who_knows_the_switches_of_another_seed_knows_nothing(trained):
    assert share_right(trained[0], exam(1).held_out) < RUNGS[0][0]


def test_the_network_that_is_tried_is_that_of_the_notebook(trained):
    for leaves in (trained[0], tree_leaves(untrained(rng_of(0), SYMBOLS, HIDDEN))):
        rows = exam(0).held_out
        ys, _, _ = logits_of_the_notebook(CounterParams(*leaves), *rows[:2])
        assert relative(logits(leaves, rows), ys) < 1e-12


def test_rows_are_as_the_notebook_says():
    training, held_out = draw_rows(rng_of(0))
    for (xs, new, targets), lengths in ((training, {*range(10, LONGEST + 1)}), (held_out, {200})):
        assert xs.max() == SYMBOLS - 1 and new[0].all()
        begins = [np.flatnonzero(row) for row in new.T]
        assert {int(length) for row in begins for length in np.diff(row)} == lengths
        flips = np.concatenate([0 * targets[:1], targets[:-1]]) * (new == 0) != targets
        switches = {symbol for symbol in range(SYMBOLS) if flips[xs == symbol].all()}
        assert len(switches) == 3 and not flips[~np.isin(xs, list(switches))].any()


# The remarks: each is true


@pytest.mark.parametrize(
    ("learned", "name"),
    [
        ((), "never updated"),
        ((0, 2, 3), "some parameters not taught"),
        ((2, 3), "some parameters not taught"),
    ],
)
def test_what_was_not_taught_is_said_as_it_is(learned, name, trained):
    case = exam(0).cases[0]
    start = tree_leaves(case[0])
    leaves = [trained[0][k] if k in learned else start[k] for k in range(4)]
    assert remarks(leaves, case, exam(0).held_out) == (name,)


def test_what_is_lost_after_the_trained_length_is_said_as_it_is():
    """A small rate is enough for 40 steps, and not for 200."""
    namespace = dict(vars(module))
    exec(inspect.getsource(train).replace("0.2 *", "0.03 *"), namespace)
    case, held_out = exam(0).cases[0], exam(0).held_out
    leaves = tree_leaves(namespace["train"](*case))
    assert right_where_trained(leaves, held_out) > 0.99
    assert RUNGS[0][0] < share_right(leaves, held_out) < RUNGS[2][0]
    assert remarks(leaves, case, held_out) == ("lost after the trained length",)


def test_each_remark_has_a_hint_that_is_a_sentence_without_numbers_or_code():
    for name, hint in HINTS.items():
        assert hint[0].isupper() and hint[-1] in ".?" and name == name.strip()
        assert not any(sign in hint for sign in "@*[]()0123456789`")


@pytest.mark.parametrize("size", [1e308, -1e308, 1e200])
def test_numbers_of_any_size_have_a_score(size):
    huge = [np.full_like(leaf, size) for leaf in tree_leaves(exam(0).cases[0][0])]
    with np.errstate(all="ignore"):
        assert 0.4 < share_right(huge, exam(0).held_out) < RUNGS[0][0]
        assert set(SCORING.remarks(huge, exam(0).cases[0], exam(0).held_out)) <= set(HINTS)
        assert mean_loss(huge, exam(0).cases[0][1:4]) > 0.6


@pytest.mark.parametrize("entry", HOSTILE, ids=lambda entry: entry.name)
def test_an_attack_on_the_score_earns_nothing_and_costs_nothing_else(entry, tmp_path):
    from assignments.bank.entry import attack, graded, released

    report = graded(released("07_recurrence", tmp_path), attack("07_recurrence", entry))
    assert report["points"] == entry.points and report["out_of"] == 30
