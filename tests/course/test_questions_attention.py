"""Assignment 6: its solutions by independent judges, what it says of its target, its remarks."""

import ast
import inspect
import time
from pathlib import Path

import numpy as np
import pytest
from notebook_code import bare, cells, share_in_a_chapter
from training_exam import each_seed, exams_of, relative, rng_of

from assignments.bank.attention import HOSTILE, TRAINED_BY_NUMBERS
from rnn_course.judge.mistake import Cause, with_mistakes
from rnn_course.mistakes.attention import MISTAKES
from rnn_course.questions import attention
from rnn_course.questions.attention import (
    QUESTIONS,
    LookParams,
    attend,
    attend_backward,
    attend_backward_cases,
    attend_cases,
    decode,
    encode,
    flatten,
    look,
    look_backward,
    look_backward_cases,
    look_cases,
    next_symbol,
    next_symbol_cases,
    say,
    scores,
    scores_backward,
    scores_backward_cases,
    taught,
    train,
    unflatten,
    untrained,
)
from rnn_course.questions.attention_words import (
    HINTS,
    RUNGS,
    SCORING,
    draw_words,
    logits,
    phones_right,
    remarks,
    spoken_by,
)
from rnn_course.sandbox.outside import Limits
from rnn_tutorial.layers.attention import Attention, AttentionParams
from rnn_tutorial.layers.scores import Score, general
from rnn_tutorial.tree import tree_leaves

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "assignments" / "06_attention" / "06_attention.py"
TRAIN = QUESTIONS[-1]
exam = exams_of(TRAIN)


# By the package: nothing is a step of the memory, of zeros, in front of all others.


def place_of(params, T, S):
    """Return (T, S): the number of each distance, one by one."""
    R = len(params.place) // 2
    return np.array(
        [[params.place[min(max(s - t, -R), R) + R] for s in range(S)] for t in range(T)]
    )


def score_of_the_package():
    """Return a Score of the package that has gains, places and a nothing in front."""

    def f(params, queries, memory):
        e, cache = general.f(AttentionOf(np.diag(params.gain)), queries, memory)
        e[:, :, 1:] += place_of(params, len(queries), len(memory) - 1)[:, None]
        return e, cache

    def backward(params, cache, de):
        dparams, dq, dm = general.backward(AttentionOf(np.diag(params.gain)), cache, de)
        slopes = np.zeros(len(params.place))
        R = len(slopes) // 2
        for (t, s), g in np.ndenumerate(de[:, :, 1:].sum(axis=1)):
            slopes[min(max(s - t, -R), R) + R] += g
        return LookParams(np.diag(dparams.W).copy(), slopes), dq, dm

    return Score("gains and places", lambda rng, H, M: None, f, backward)


class AttentionOf:
    """Parameters of the general score: only W is asked for."""

    def __init__(self, W):
        self.W = W


def with_nothing(m, mask):
    front = np.zeros_like(m[:1])
    return np.concatenate([front, m]), np.concatenate([np.ones_like(mask[:1]), mask])


@each_seed
def test_attention_and_its_backward_are_those_of_the_package_with_a_nothing(seed):
    rng = rng_of(seed)
    for params, q, m, mask in attend_cases(rng):
        layer = Attention(score_of_the_package(), q.shape[-1], q.shape[-1])
        theirs = AttentionParams(params)
        ys, cache = layer.forward(theirs, q, *with_nothing(m, mask))
        w, r = attend(params, q, m, mask)
        assert relative(w, cache.weights[:, :, 1:]) < 1e-12
        assert relative(r, sum(np.split(ys, 2, axis=-1))) < 1e-12
        dr = rng.standard_normal(r.shape)
        ours = attend_backward(params, q, m, w, dr)
        dys = np.concatenate([dr, dr], axis=-1)
        dtheirs, dq, dmemory = layer.backward(theirs, cache, dys)
        for value, want in zip(tree_leaves(ours), (*dtheirs.score, dq, dmemory[1:])):
            assert relative(value, want) < 1e-12


# By the complex step and by PyTorch


def real_part(e, mask):
    """Return the weights for complex scores: nothing is written as a one."""
    u = np.where(mask.T, np.exp(e), 0)
    return u / (1 + u.sum(axis=-1, keepdims=True))


def complex_attend(params, q, m, mask):
    e = np.einsum("tbh,h,sbh->tbs", q, params.gain, m)
    w = real_part(e + place_of(params, len(q), len(m))[:, None], mask)
    return q + np.einsum("tbs,sbh->tbh", w, m)


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


def slopes(params, q, m, mask, dr):
    def loss(gain, place, q, m):
        return np.sum(complex_attend(LookParams(gain, place), q, m, mask) * dr)

    return complex_step(loss, (*params, q, m))


@each_seed
def test_gradients_are_those_of_the_complex_step(seed):
    rng = rng_of(seed)
    params, q, m, mask = attend_cases(rng)[0]
    w, r = attend(params, q, m, mask)
    dr = rng.standard_normal(r.shape)
    assert relative(r, complex_attend(params, q, m, mask)) < 1e-12
    ours = tree_leaves(attend_backward(params, q, m, w, dr))
    for value, want in zip(ours, slopes(params, q, m, mask, dr)):
        assert relative(value, want) < 1e-12

    def score(gain, place, q, m):
        e = np.einsum("tbh,h,sbh->tbs", q, gain, m)
        return np.sum((e + place_of(LookParams(gain, place), len(q), len(m))[:, None]) * w)

    ours = tree_leaves(scores_backward(params, q, m, w))
    for value, want in zip(ours, complex_step(score, (*params, q, m))):
        assert relative(value, want) < 1e-12
    e, dw = scores(params, q, m), rng.standard_normal(w.shape)
    (want,) = complex_step(lambda e: np.sum(real_part(e, mask) * dw), (e,))
    assert relative(look_backward(w, dw), want) < 1e-12 and not want[:, ~mask.T].any()


@pytest.mark.parametrize("mistake", MISTAKES["attend_backward"], ids=lambda mistake: mistake.name)
def test_the_complex_step_tells_each_mistake_from_the_right_gradient(mistake):
    wrong = with_mistakes(attend_backward, [Cause("attend_backward", mistake)])
    params, q, m, mask = attend_cases(rng_of(0))[0]
    w, r = attend(params, q, m, mask)
    dr = rng_of(1).standard_normal(r.shape)
    pairs = zip(tree_leaves(wrong(params, q, m, w, dr)), slopes(params, q, m, mask, dr))
    assert max(relative(value, want) for value, want in pairs) > 1e-3


@each_seed
def test_attention_is_that_of_pytorch_with_a_nothing(seed):
    torch = pytest.importorskip("torch")
    rng = rng_of(seed)
    for params, q, m, mask in attend_cases(rng):
        w, r = attend(params, q, m, mask)
        dr = rng.standard_normal(r.shape)
        gain, bias, asking, memory = (
            torch.tensor(array, requires_grad=True)
            for array in (params.gain, place_of(params, len(q), len(m)), q, m)
        )
        values = torch.cat([torch.zeros_like(memory[:1]), memory]).transpose(0, 1)
        near = torch.cat([torch.zeros(len(q), 1, dtype=torch.float64), bias], dim=1)
        real = torch.tensor(with_nothing(m, mask)[1].T)[:, None]
        out = torch.nn.functional.scaled_dot_product_attention(
            (asking * gain).transpose(0, 1),
            values,
            values,
            attn_mask=torch.where(real, near, -torch.inf),
            scale=1.0,
        )
        theirs = asking + out.transpose(0, 1)
        assert relative(r, theirs.detach().numpy()) < 1e-12
        (theirs * torch.tensor(dr)).sum().backward()
        dparams, dq, dm = attend_backward(params, q, m, w, dr)
        for value, want in ((dparams.gain, gain), (dq, asking), (dm, memory)):
            assert relative(value, want.grad.numpy()) < 1e-12
        by_distance = np.zeros(len(params.place))
        R = len(by_distance) // 2
        for (t, s), g in np.ndenumerate(bias.grad.numpy()):
            by_distance[min(max(s - t, -R), R) + R] += g
        assert relative(dparams.place, by_distance) < 1e-12


# Numbers of any size, and what the cases must have


def test_a_word_without_letters_is_looked_at_not_at_all():
    e, mask = np.array([[[800.0, -800.0], [800.0, -800.0]]]), np.array([[True, False]] * 2)
    assert np.array_equal(look(e, mask), [[[1, 0], [0, 0]]])
    assert not look(np.full((1, 1, 2), -800.0), np.ones((2, 1), bool)).any()


@each_seed
def test_every_case_has_what_a_wrong_answer_would_not_notice_without(seed):
    assert np.min(look_cases(rng_of(seed))[-1][0]) > 709  # the exponential overflows
    for w, dw in look_backward_cases(rng_of(seed)):
        assert (w == 0).any() and dw[w == 0].all() and 0.05 < (1 - w.sum(axis=-1)).max()
    for params, q, m, mask in attend_cases(rng_of(seed)):
        R = len(params.place) // 2
        assert len(q) - 1 > R < len(m) - 1  # distances beyond both ends
        assert sorted(mask.sum(axis=0))[0] == 1 and mask.sum(axis=0).max() == len(m)
    for _, _, _, said in next_symbol_cases(rng_of(seed)):
        assert not said[0].any() and said[1:].all()


# The reader


@each_seed
def test_the_reader_is_the_one_that_is_tried(seed):
    rng = rng_of(seed)
    params = untrained(rng, 5, 26, 6, 11, 9)
    xs, mask = rng.integers(26, size=(7, 8)), np.arange(7)[:, None] < rng.integers(1, 8, 8)
    said = say(params, xs, mask, 9)
    assert np.array_equal(said, spoken_by(tree_leaves(params), (xs, mask, said, said > 0)))
    said = rng.integers(11, size=(5, 8))
    ys = logits(tree_leaves(params), xs, mask, said)[-1]
    want = ys - np.logaddexp.reduce(ys, axis=1)[:, None]
    assert relative(next_symbol(params, encode(params, xs, mask), mask, said), want) < 1e-12


def test_the_given_gradient_is_that_of_the_complex_step(monkeypatch):
    rng = rng_of(0)
    params = untrained(rng, 3, 5, 4, 6, 3)
    xs, targets = rng.integers(5, size=(6, 3)), rng.integers(6, size=(5, 3))
    mask, real = (
        np.arange(n)[:, None] < lengths for n, lengths in ((6, [6, 1, 4]), (5, [5, 2, 3]))
    )
    loss, dparams = taught(params, xs, mask, targets, real)
    said = np.concatenate([0 * targets[:1], targets[:-1]])

    def loss_of(vector):
        p = unflatten(vector, params)
        r = complex_attend(p.look, decode_complex(p, said), encode(p, xs, mask), mask)
        ys = r @ p.W + p.b
        log_p = ys - np.log(np.exp(ys).sum(axis=-1, keepdims=True))
        picked = np.take_along_axis(log_p, targets[..., None], axis=-1)[..., 0]
        return -picked[real].sum() / real.sum()

    def decode_complex(p, said):
        h, hs = np.zeros((said.shape[1], len(p.b_h)), complex), []
        for y in said:
            h = np.tanh(p.Y[y] + h @ p.W_h + p.b_h)
            hs.append(h)
        return np.stack(hs)

    assert loss == pytest.approx(loss_of(flatten(params)).real, rel=1e-12)
    assert relative(decode(params, said), decode_complex(params, said).real) < 1e-12
    (want,) = complex_step(loss_of, (flatten(params),))
    assert relative(flatten(dparams), want) < 1e-12


def test_a_vector_of_all_parameters_can_be_taken_apart_again():
    params = untrained(rng_of(0), 3, 5, 4, 6, 3)
    back = unflatten(flatten(params), params)
    assert all(np.array_equal(a, b) for a, b in zip(tree_leaves(back), tree_leaves(params)))


# The notebook


def test_what_the_notebook_gives_is_what_the_solutions_use():
    tree = ast.parse("\n".join(cells(SOURCE)))
    given = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    asked = {question.name for question in QUESTIONS}
    own = [
        name
        for name in attention.__all__
        if inspect.isfunction(getattr(attention, name)) and name not in asked
    ]
    assert set(given) - {"as_batch"} == set(own) and len(own) == 12
    for name in own:
        want = bare(inspect.getsource(getattr(attention, name)))
        assert bare(ast.unparse(given[name])) == want, name


def test_no_cell_of_a_chapter_is_an_answer_to_a_large_question():
    for function in (scores_backward, attend_backward, train):
        assert share_in_a_chapter(function) <= 1 / 2, function.__name__


def test_the_attention_of_the_chapter_and_of_the_package_earns_nothing():
    for params, q, m, de in scores_backward_cases(rng_of(0)):
        right = tree_leaves(scores_backward(params, q, m, de))[2:]
        H = q.shape[-1]
        theirs = general.backward(
            AttentionOf(np.eye(H)), general.f(AttentionOf(np.eye(H)), q, m)[1], de
        )
        assert all(relative(value, want) > 1e-2 for value, want in zip(theirs[1:], right))
    for params, q, m, w, dr in attend_backward_cases(rng_of(0)):
        right = tree_leaves(attend_backward(params, q, m, w, dr))[2:]
        de = w * (np.einsum("tbh,sbh->tbs", dr, m))
        de = de - w * de.sum(axis=-1, keepdims=True)
        dq = np.einsum("tbs,sbh->tbh", de, m)
        dm = np.einsum("tbs,tbh->sbh", w, dr) + np.einsum("tbs,tbh->sbh", de, q)
        assert relative(dq, right[0]) > 1e-2 and relative(dm, right[1]) > 1e-2


# The target


def frozen(case, learns, keep):
    """Return the leaves of a reader that starts with the numbers times `keep`, and learns those."""
    params, *batch, seed = case
    start = unflatten(flatten(params) * keep, params)
    namespace = dict(vars(attention))
    namespace["clip"] = lambda g, limit: attention.clip(g * learns, limit)
    exec(inspect.getsource(train), namespace)
    return tree_leaves(namespace["train"](start, *batch, seed))


def without(params, **zeros):
    ones = unflatten(np.ones(flatten(params).size), params)
    return flatten(ones._replace(**zeros))


def test_the_rungs_are_above_the_readers_that_they_are_said_to_beat():
    case, held_out = exam(0).cases[0], exam(0).held_out
    params = case[0]
    alike = without(params, look=LookParams(*(0 * array for array in params.look)))
    alone = np.zeros_like(params.E)
    alone[len(alone) // 2] = 1
    for (rung, _), keep in zip(RUNGS, (alike, without(params, E=alone))):
        assert rung - 0.1 < phones_right(frozen(case, keep, keep), held_out) < rung


def test_no_word_that_is_judged_is_among_those_that_are_taught():
    training, held_out, K = draw_words(rng_of(0))
    words = [
        {tuple(column[real]) for column, real in zip(batch[0].T, batch[1].T)}
        for batch in (training, held_out)
    ]
    assert list(map(len, words)) == [5000, 1000] and not words[0] & words[1]
    assert K == 40 and training[2].max() < K and training[0].max() < 26
    for _, _, targets, real in (training, held_out):
        assert (((targets == 0) & real).sum(axis=0) == 1).all() and not targets[~real].any()


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


def test_who_learned_the_numbering_of_another_seed_knows_nothing(trained):
    assert phones_right(trained[0], exam(1).held_out) < 0.2


# The remarks: each is true


@pytest.mark.parametrize(
    ("learned", "name"),
    [
        ((), "never updated"),
        ((0, 1, 2, 3, 6, 7), "attention not taught"),
        ((0, 1, 2, 3, 4, 6, 7), "some parameters not taught"),
        ((6, 7), "some parameters not taught"),
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


@pytest.mark.parametrize("size", [1e308, -1e308, 1e200])
def test_numbers_of_any_size_have_a_score(size):
    huge = [np.full_like(leaf, size) for leaf in tree_leaves(exam(0).cases[0][0])]
    with np.errstate(all="ignore"):
        assert 0 <= phones_right(huge, exam(0).held_out) < 0.3
        found = SCORING.remarks(huge, exam(0).cases[0], exam(0).held_out)
    assert found == ("letters and phones out of step",)  # it says the same of all words


def test_the_attack_with_numbers_of_any_size_does_return_them():
    namespace = dict(vars(attention))
    exec(TRAINED_BY_NUMBERS, namespace)
    params, *rest = exam(0).cases[0]
    found = namespace["train"](params, *rest)
    shapes = [[np.shape(leaf) for leaf in tree_leaves(tree)] for tree in (found, params)]
    assert shapes[0] == shapes[1]
    assert all(np.all(np.abs(leaf) == 1.7e308) for leaf in tree_leaves(found))


@pytest.mark.parametrize("entry", HOSTILE, ids=lambda entry: entry.name)
def test_an_attack_on_the_score_earns_nothing_and_costs_nothing_else(entry, tmp_path):
    from assignments.bank.entry import attack, graded, released

    report = graded(released("06_attention", tmp_path), attack("06_attention", entry))
    assert report["points"] == entry.points and report["out_of"] == 30
