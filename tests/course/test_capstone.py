"""Assignment 5: its solutions by independent judges, what it says of its target, its remarks."""

import ast
import inspect
import time
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
from notebook_code import (
    bare,
    cells,
    share_in_a_chapter,
    statements,
    statements_of_chapters,
)
from training_exam import each_seed, exams_of, relative, rng_of

from rnn_course.judge.judge import prepare
from rnn_course.judge.mistake import Cause, with_mistakes
from rnn_course.mistakes.capstone import MISTAKES
from rnn_course.questions import capstone
from rnn_course.questions.capstone import (
    QUESTIONS,
    adam_cases,
    adam_step,
    backward_cases,
    clip,
    clip_cases,
    cross_entropy,
    flatten,
    share_cases,
    shares_right,
    tagger,
    tagger_backward,
    tagger_cases,
    train,
    unflatten,
)
from rnn_course.questions.capstone_words import HINTS, RUNGS, SCORING, remarks, share_right
from rnn_course.sandbox.outside import Limits
from rnn_tutorial.layers.merge import concat, multiply
from rnn_tutorial.train.clipping import clip_by_global_norm
from rnn_tutorial.train.losses import softmax_cross_entropy
from rnn_tutorial.train.metrics import accuracy
from rnn_tutorial.train.optimizers import AdamState, adam
from rnn_tutorial.tree import tree_leaves

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "assignments" / "05_capstone" / "05_capstone.py"
TRAIN = QUESTIONS[-1]
exam = exams_of(TRAIN)
both_seeds = pytest.mark.parametrize("seed", (0, 1))


# The solutions, by others


def complex_step_gradient(params, xs, mask, dys, forward=tagger):
    """Return the gradient of sum(ys * dys), a vector, by the complex step."""
    point, gradient = flatten(params).astype(complex), []
    for k in range(point.size):
        moved = point.copy()
        moved[k] += 1e-30j
        ys = forward(unflatten(moved, params), xs, mask)[2]
        gradient.append(np.sum(ys * dys).imag / 1e-30)
    return np.array(gradient)


@each_seed
def test_the_tagger_is_made_of_the_layers_of_the_package(seed):
    from rnn_tutorial.cells.elman import Elman, ElmanParams
    from rnn_tutorial.data import one_hot
    from rnn_tutorial.layers.bidirectional import Bidirectional, BidirectionalParams
    from rnn_tutorial.layers.core import Dense, DenseParams, Recurrent

    for params, xs, mask, forwards, backwards, dys in backward_cases(rng_of(seed)):
        (V, H), K = params.forwards.W_x.shape, len(params.b)
        two = Bidirectional(Recurrent(Elman, V, H), Recurrent(Elman, V, H))
        readings = BidirectionalParams(
            ElmanParams(*params.forwards), ElmanParams(*params.backwards)
        )
        both, _, cache = two.forward(readings, one_hot(xs, V), mask=mask)
        merged = concat.f(both, multiply.f(both[..., :H], both[..., H:]))
        dense, weights = Dense(3 * H, K), DenseParams(params.W, params.b)
        ys, _, dense_cache = dense.forward(weights, merged)
        ours = tagger(params, xs, mask)
        for value, want in zip(ours, (both[..., :H], both[..., H:], ys)):
            assert relative(value, want) < 1e-12

        dweights, dmerged, _ = dense.backward(weights, dense_cache, dys)
        dboth, dproduct = dmerged[..., : 2 * H], dmerged[..., 2 * H :]
        dboth = dboth + concat.f(*multiply.backward(both[..., :H], both[..., H:], dproduct))
        dreadings, _, _ = two.backward(readings, cache, dboth)
        dparams = tagger_backward(params, xs, mask, forwards, backwards, dys)
        for value, want in zip(tree_leaves(dparams), tree_leaves((dreadings, dweights))):
            assert relative(value, want) < 1e-12


@each_seed
def test_its_gradient_is_that_of_the_complex_step(seed):
    for params, xs, mask, forwards, backwards, dys in backward_cases(rng_of(seed)):
        ours = flatten(tagger_backward(params, xs, mask, forwards, backwards, dys))
        assert relative(ours, complex_step_gradient(params, xs, mask, dys)) < 1e-12


@pytest.mark.parametrize("mistake", MISTAKES["tagger_backward"], ids=lambda mistake: mistake.name)
def test_the_complex_step_tells_each_mistake_from_the_right_gradient(mistake):
    wrong = with_mistakes(tagger_backward, [Cause("tagger_backward", mistake)])
    params, xs, mask, forwards, backwards, dys = backward_cases(rng_of(0))[0]
    ours = flatten(wrong(params, xs, mask, forwards, backwards, dys))
    assert relative(ours, complex_step_gradient(params, xs, mask, dys)) > 1e-3


@each_seed
def test_the_tagger_says_what_pytorch_says_of_each_word_alone(seed):
    torch = pytest.importorskip("torch")
    for params, xs, mask, forwards, backwards, dys in backward_cases(rng_of(seed)):
        V, H = params.forwards.W_x.shape
        rnn = torch.nn.RNN(V, H, bidirectional=True, dtype=torch.float64)
        out = torch.nn.Linear(3 * H, len(params.b), dtype=torch.float64)
        with torch.no_grad():
            for p, end in ((params.forwards, ""), (params.backwards, "_reverse")):
                for name, value in (
                    ("weight_ih_l0", p.W_x.T),
                    ("weight_hh_l0", p.W_h.T),
                    ("bias_ih_l0", p.b),
                    ("bias_hh_l0", 0 * p.b),
                ):
                    getattr(rnn, name + end).copy_(torch.tensor(value))
            out.weight.copy_(torch.tensor(params.W.T))
            out.bias.copy_(torch.tensor(params.b))
        ours, total = tagger(params, xs, mask)[2], 0
        for n, length in enumerate(mask.sum(axis=0)):
            letters = torch.eye(V, dtype=torch.float64)[torch.tensor(xs[:length, n])]
            both, _ = rnn(letters)
            ys = out(torch.cat([both, both[:, :H] * both[:, H:]], dim=1))
            assert relative(ours[:length, n], ys.detach().numpy()) < 1e-12
            total = total + torch.sum(ys * torch.tensor(dys[:length, n]))
        total.backward()
        want = [
            getattr(rnn, f"{name}_l0{end}").grad.numpy().T
            for end in ("", "_reverse")
            for name in ("weight_ih", "weight_hh", "bias_ih")
        ]
        want += [out.weight.grad.numpy().T, out.bias.grad.numpy()]
        dparams = tagger_backward(params, xs, mask, forwards, backwards, dys)
        for value, leaf in zip(tree_leaves(dparams), want):
            assert relative(value, leaf) < 1e-12


@each_seed
def test_clipping_is_that_of_the_package_and_of_pytorch(seed):
    for g, limit in clip_cases(rng_of(seed)):
        assert relative(clip(g, limit), clip_by_global_norm(g, limit)) < 1e-12
    torch = pytest.importorskip("torch")
    for g, limit in clip_cases(rng_of(seed)):
        p = torch.zeros(len(g), dtype=torch.float64, requires_grad=True)
        p.grad = torch.tensor(g)
        torch.nn.utils.clip_grad_norm_([p], limit)  # it adds 1e-6 to the norm
        assert relative(clip(g, limit), p.grad.numpy()) < 1e-5


@each_seed
def test_adam_without_decay_is_that_of_the_package(seed):
    for p, g, m, v, t, rate, _ in adam_cases(rng_of(seed)):
        update, state = adam(rate).update(g, AdamState(t - 1, m, v))
        for value, want in zip(adam_step(p, g, m, v, t, rate, 0.0), (p + update, *state[1:])):
            assert relative(value, want) < 1e-12


@each_seed
def test_adam_with_and_without_decay_is_that_of_pytorch(seed):
    torch = pytest.importorskip("torch")
    for p, g, m, v, t, rate, decay in adam_cases(rng_of(seed)):
        for optimizer, own in (
            (torch.optim.Adam, 0.0),
            (torch.optim.AdamW, decay),
        ):
            theirs = torch.tensor(p, requires_grad=True)
            theirs.grad = torch.tensor(g)
            update = optimizer([theirs], lr=rate, weight_decay=own)
            update.state[theirs] = {
                "step": torch.tensor(float(t - 1)),
                "exp_avg": torch.tensor(m),
                "exp_avg_sq": torch.tensor(v),
            }
            update.step()
            state = update.state[theirs]
            ours = adam_step(p, g, m, v, t, rate, own)
            for value, want in zip(ours, (theirs.detach(), state["exp_avg"], state["exp_avg_sq"])):
                assert relative(value, want.numpy()) < 1e-12


@each_seed
def test_the_cases_of_adam_need_epsilon_and_begin_with_means_of_zero(seed):
    cases = adam_cases(rng_of(seed))
    assert cases[0][4] == 1 and not cases[0][2].any() and not cases[0][3].any()
    for p, g, m, v, t, rate, decay in cases:
        assert (type(t), type(rate), type(decay)) == (int, float, float)
        assert np.isfinite(adam_step(p, g, m, v, t, rate, decay)[0]).all()
    for k, (p, g, m, v, t, rate, decay) in enumerate(cases):
        with np.errstate(invalid="ignore"):
            without = with_mistakes(adam_step, [no_epsilon()])(p, g, m, v, t, rate, decay)[0]
        off = relative(without, adam_step(p, g, m, v, t, rate, decay)[0])
        assert off > 1e-3 or k < 2
    assert [bool((case[1] == 0).any()) for case in cases] == [True, False, False, True]


def no_epsilon():
    (mistake,) = (row for row in MISTAKES["adam_step"] if row.name == "epsilon missing")
    return Cause("adam_step", mistake)


@each_seed
def test_the_shares_are_those_of_counting(seed):
    for ys, targets, mask in share_cases(rng_of(seed)):
        said = ys.argmax(axis=-1)
        wrong = [
            sum(said[t, n] != targets[t, n] for t in range(len(mask)) if mask[t, n])
            for n in range(mask.shape[1])
        ]
        letters, words, nearly = shares_right(ys, targets, mask)
        assert letters == pytest.approx(accuracy(said, targets, mask), abs=1e-12)
        assert words == wrong.count(0) / len(wrong)
        assert nearly == (wrong.count(0) + wrong.count(1)) / len(wrong)
        assert 0 < words < nearly < 1 and max(wrong) > 2
        on_padding = (said == targets)[~mask]
        assert on_padding.any() and not on_padding.all()


def test_the_given_loss_is_that_of_the_package():
    rng = rng_of(0)
    for params, xs, mask in tagger_cases(rng):
        ys = tagger(params, xs, mask)[2]
        targets = rng.integers(ys.shape[-1], size=xs.shape)
        loss, dys = cross_entropy(ys, targets, mask)
        want, dwant = softmax_cross_entropy(ys, targets, mask=mask)
        assert loss == pytest.approx(want, rel=1e-12) and relative(dys, dwant) < 1e-12


def test_a_vector_of_all_parameters_can_be_taken_apart_again():
    params = tagger_cases(rng_of(0))[0][0]
    back = unflatten(flatten(params), params)
    assert all(np.array_equal(a, b) for a, b in zip(tree_leaves(back), tree_leaves(params)))


# The notebook


def functions_in(source):
    tree = ast.parse(source)
    return {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_what_the_notebook_gives_is_what_the_solutions_use():
    given = functions_in("\n".join(cells(SOURCE)))
    for name in ("flatten", "unflatten", "untrained", "cross_entropy"):
        theirs = bare(ast.unparse(given[name]))
        assert theirs == bare(inspect.getsource(getattr(capstone, name))), name


def test_no_cell_of_a_chapter_is_an_answer_to_a_large_question():
    """At most a third of an answer's statements are in any one cell, whatever the names are."""
    assert len(statements_of_chapters()) > 500
    for function in (tagger, tagger_backward, train):
        assert share_in_a_chapter(function) <= 1 / 3, function.__name__


def test_a_copied_cell_with_other_names_is_seen_as_one():
    (cell,) = (
        source
        for source in cells(ROOT / "chapters" / "14_sentences_have_lengths.md")
        if "def masked_unroll(" in source
    )
    copy = cell.replace("state", "h").replace("caches", "kept").replace("masked_unroll", "read")
    assert statements(copy) == statements(cell) != Counter()


def test_the_network_of_the_chapters_and_their_adam_are_other_functions():
    for params, xs, mask in tagger_cases(rng_of(0)):
        forwards, backwards, ys = tagger(params, xs, mask)
        both = np.concatenate([forwards, backwards], axis=-1)
        of_chapter_13 = both @ params.W[: both.shape[-1]] + params.b
        assert relative(of_chapter_13, ys) > 1e-2
    for p, g, m, v, t, rate, decay in adam_cases(rng_of(0)):
        of_chapter_05 = adam(rate).update(g, AdamState(t - 1, m, v))[0] + p
        assert relative(of_chapter_05, adam_step(p, g, m, v, t, rate, decay)[0]) > 1e-3


# The target

TABLES = (
    (0, 0),
    (2, 0),
    (1, 1),
    (2, 2),
)  # the letters before and after that the table of each rung knows


def window(xs, mask, t, n, before, after):
    """Return the letter at t of word n and the letters around it, -1 beyond the ends."""
    own = mask[:, n].sum()
    return tuple(int(xs[k, n]) if 0 <= k < own else -1 for k in range(t - before, t + after + 1))


def share_of_table(batch, held_out, before, after):
    """Return the share of letters that a table of counts gets right, equation (13.1).

    It counts on `batch` and is tried on `held_out`; the widest window that it has seen decides.
    """
    sizes = [(min(k, before), min(k, after)) for k in range(max(before, after) + 1)]
    counts = defaultdict(Counter)
    for xs, targets, mask in (batch,):
        for t, n in np.argwhere(mask):
            for size in sizes:
                counts[size, window(xs, mask, t, n, *size)][int(targets[t, n])] += 1
    xs, targets, mask = held_out
    right = 0
    for t, n in np.argwhere(mask):
        keys = [(size, window(xs, mask, t, n, *size)) for size in sizes]
        known = [counts[key] for key in keys if key in counts]
        right += bool(known) and known[-1].most_common(1)[0][0] == targets[t, n]
    return right / mask.sum()


@both_seeds
def test_each_rung_is_above_the_table_that_it_is_said_to_beat_and_not_far(seed):
    _, *batch, _ = exam(seed).cases[0]
    for (rung, _), size in zip(RUNGS, TABLES):
        assert rung - 0.02 < share_of_table(batch, exam(seed).held_out, *size) < rung


@both_seeds
def test_no_word_that_is_judged_is_among_those_that_are_taught(seed):
    params, *training, _ = exam(seed).cases[0]
    held_out, K = exam(seed).held_out, len(params.b)
    words = [
        {tuple(column[real]) for column, real in zip(xs.T, mask.T)}
        for xs, _, mask in (training, held_out)
    ]
    assert list(map(len, words)) == [4000, 2000] and not words[0] & words[1]
    assert training[1].max() < K == 38 and training[0].max() < 26


@pytest.fixture(scope="module")
def trained():
    """Return the leaves of the solution on the first exam, and the seconds of work that it took."""
    start = time.process_time()
    answer = train(*exam(0).cases[0])
    return tree_leaves(answer), time.process_time() - start


def test_the_solution_reaches_the_target_in_less_than_a_third_of_its_time(trained):
    leaves, seconds = trained
    assert SCORING.score(leaves, exam(0).held_out) > RUNGS[-1][0]
    allowed = Limits().seconds + TRAIN.seconds
    assert f"gives it {allowed:g} seconds of processor time for both" in SOURCE.read_text(
        encoding="utf-8"
    )
    assert 2 * seconds < allowed / 3


def test_who_learned_the_numbering_of_another_seed_knows_nothing(trained):
    assert share_right(trained[0], exam(1).held_out) < 0.1


@pytest.mark.parametrize("seed", (2, 3))
def test_the_solution_reaches_the_target_on_other_words(seed):
    exam = prepare(TRAIN, bytes([seed]))
    assert SCORING.score(tree_leaves(train(*exam.cases[0])), exam.held_out) > RUNGS[-1][0] + 0.01


def test_the_score_is_that_of_the_tagger_and_of_the_letters_it_gets_right(trained):
    xs, targets, mask = exam(0).held_out
    params = unflatten(np.concatenate([leaf.ravel() for leaf in trained[0]]), exam(0).cases[0][0])
    letters, _, _ = shares_right(tagger(params, xs, mask)[2], targets, mask)
    assert share_right(trained[0], exam(0).held_out) == pytest.approx(letters, abs=1e-12)


# The remarks: each is true


@pytest.mark.parametrize(
    ("learned", "name"),
    [
        ((), "never updated"),
        ((6, 7), "neither reading taught"),
        ((0, 1, 2, 6, 7), "one direction not taught"),
        ((3, 4, 5, 6, 7), "one direction not taught"),
        ((0, 1, 2, 3, 4, 5), "output layer not taught"),
        ((0, 1, 3, 4, 6), "some parameters not taught"),
        ((1, 2, 3, 4, 5, 6, 7), "some parameters not taught"),
        ((0, 1, 2, 3, 4, 5, 6), "some parameters not taught"),
        ((0, 1, 2), "some parameters not taught"),
        ((0, 1, 2, 4, 5, 7), "some parameters not taught"),
    ],
)
def test_what_was_not_taught_is_said_as_it_is(learned, name, trained):
    case = exam(0).cases[0]
    start = tree_leaves(case[0])
    leaves = [trained[0][k] if k in learned else start[k] for k in range(8)]
    assert remarks(leaves, case, exam(0).held_out) == (name,)


def test_each_remark_has_a_hint_that_is_a_sentence_without_numbers_or_code():
    for name, hint in HINTS.items():
        assert hint[0].isupper() and hint[-1] in ".?" and name == name.strip()
        assert not any(sign in hint for sign in "@*[]()0123456789`")


def test_numbers_of_any_size_have_a_score():
    huge = [np.full_like(leaf, 1e308) for leaf in tree_leaves(exam(0).cases[0][0])]
    with np.errstate(all="ignore"):
        assert 0 <= share_right(huge, exam(0).held_out) < 0.3
        found = SCORING.remarks(huge, exam(0).cases[0], exam(0).held_out)
    assert found == ("loss has grown",)
