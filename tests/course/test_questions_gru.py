"""The solutions of assignment 3 against the package, the complex step, PyTorch and Keras.

In the assignment z multiplies the candidate; in the package and in the libraries it multiplies the
old state. The weights are carried over by hand here, block by block, not by `other_z`.
"""

import ast
import inspect

import numpy as np
import pytest

from rnn_course.judge.diagnose import diagnose
from rnn_course.judge.judge import Answer, judge, prepare
from rnn_course.questions import gru
from rnn_course.release import questions_of
from rnn_course.sandbox.inside.calls import call_on_cases
from rnn_tutorial import cells
from rnn_tutorial.activations import sigmoid
from rnn_tutorial.cells import GRUBeforeParams, GRUGates, GRUParams, GRUState
from rnn_tutorial.gradient_check import numerical_gradient, relative_error
from rnn_tutorial.tree import tree_leaves

FORMS = pytest.mark.parametrize("form", ["after", "before"])
SINGLE = 1e-6  # a step of Keras rounds to float32, whatever the type of its weights
SEEDS = pytest.mark.parametrize("seed", [0, 1, 2])


def agree(one, other, limit=1e-12):
    ones, others = tree_leaves(one), tree_leaves(other)
    assert len(ones) == len(others)
    return max(map(relative_error, ones, others)) < limit


def z_negated(params):
    """Return the parameters with the opposite sign in the blocks of z, (12.10)."""
    H = len(params.W_h)
    signs = np.repeat([1.0, -1.0, 1.0], H)
    W_h = params.W_h * signs[: params.W_h.shape[1]]
    return params._replace(W_x=params.W_x * signs, W_h=W_h, b=params.b * signs)


def of_form(form):
    """Return (parameters, step, its backward without da; step and backward of the package)."""
    if form == "after":
        ours = gru.gru_step, gru.gru_step_backward
        return GRUParams, *ours, cells.gru_step, cells.gru_step_backward
    backward = lambda *arguments: gru.gru_before_step_backward(*arguments)[1:]  # noqa: E731
    theirs = cells.gru_before_step, cells.gru_before_step_backward
    return GRUBeforeParams, gru.gru_before_step, backward, *theirs


def drawn(seed, form):
    """Return (params, x, h_previous, gates, dh)."""
    rng = np.random.default_rng(seed)
    Params, step, *_ = of_form(form)
    params, x, h = gru.draw(rng, Params)
    return params, x, h, step(params, x, h)[1], rng.standard_normal(h.shape)


@FORMS
@SEEDS
def test_a_step_is_that_of_the_package_with_one_minus_z(form, seed):
    _, step, _, package_step, _ = of_form(form)
    params, x, h_previous, _, _ = drawn(seed, form)
    h, (r, z, n) = step(params, x, h_previous)
    state, cache = package_step(z_negated(params), x, GRUState(h_previous))
    assert agree((h, r, z, n), (state.h, cache.r, 1 - cache.z, cache.n))


@FORMS
@SEEDS
def test_a_step_back_is_that_of_the_package_with_the_sign_of_z_in_its_gradients(form, seed):
    _, _, backward, package_step, package_backward = of_form(form)
    params, x, h_previous, gates, dh = drawn(seed, form)
    _, cache = package_step(z_negated(params), x, GRUState(h_previous))
    dparams, dx, dprevious = package_backward(z_negated(params), cache, GRUState(dh))
    expected = z_negated(dparams), dx, dprevious.h
    assert agree(backward(params, x, h_previous, gates, dh), expected)


@SEEDS
def test_the_gradients_at_the_gates_are_those_of_the_package(seed):
    params, x, h_previous, gates, dh = drawn(seed, "after")
    theirs = z_negated(params)
    _, cache = cells.gru_step(theirs, x, GRUState(h_previous))
    values = cells.GRUValues(h_previous, *cache[2:])
    _, da_x, da_h, _ = cells.gru_pointwise_backward(theirs, values, GRUState(dh))
    da_r, da_z, da_n = np.split(da_x, 3, axis=1)
    expected = GRUGates(da_r, -da_z, da_n), np.split(da_h, 3, axis=1)[2]
    assert agree(gru.gate_gradients(params, h_previous, gates, dh), expected)


@FORMS
@SEEDS
def test_the_gradients_of_a_step_are_slopes(form, seed):
    _, step, backward, *_ = of_form(form)
    params, x, h, gates, dh = drawn(seed, form)
    expected = numerical_gradient(lambda point: np.sum(dh * step(*point)[0]), (params, x, h))
    assert agree(backward(params, x, h, gates, dh), expected)


def preactivations(gates):
    """Return the arguments of the sigmoids and of the tanh."""
    return GRUGates(*(np.log(gate / (1 - gate)) for gate in gates[:2]), np.arctanh(gates.n))


def test_the_gradients_at_the_gates_are_slopes_reset_after():
    params, _, h, gates, dh = drawn(4, "after")
    s = h @ params.W_h[:, 2 * h.shape[1] :] + params.b_hn
    a = preactivations(gates)

    def loss(point):
        (a_r, a_z, a_xn), s = point
        z = sigmoid.f(a_z)
        return np.sum(dh * ((1 - z) * h + z * np.tanh(a_xn + sigmoid.f(a_r) * s)))

    expected = numerical_gradient(loss, (a._replace(n=a.n - gates.r * s), s))
    assert agree(gru.gate_gradients(params, h, gates, dh), expected)


def test_the_gradients_at_the_gates_are_slopes_reset_before():
    params, x, h, gates, dh = drawn(5, "before")
    a = preactivations(gates)

    def loss(point):
        z = sigmoid.f(point.z)
        m = sigmoid.f(point.r) * h
        return np.sum(dh * ((1 - z) * h + z * np.tanh(point.n + m @ params.W_hn)))

    expected = numerical_gradient(loss, a._replace(n=a.n - (gates.r * h) @ params.W_hn))
    assert agree(gru.gru_before_step_backward(params, x, h, gates, dh)[0], expected)


def test_reset_after_the_step_and_its_gradients_are_those_of_pytorch():
    torch = pytest.importorskip("torch")
    params, x, h, gates, dh = drawn(6, "after")
    theirs = z_negated(params)
    D, H = len(params.W_x), len(params.W_h)
    cell = torch.nn.GRUCell(D, H, dtype=torch.float64)
    with torch.no_grad():
        cell.weight_ih.copy_(torch.from_numpy(theirs.W_x.T.copy()))
        cell.weight_hh.copy_(torch.from_numpy(theirs.W_h.T.copy()))
        cell.bias_ih.copy_(torch.from_numpy(theirs.b))
        cell.bias_hh.copy_(torch.from_numpy(np.r_[np.zeros(2 * H), params.b_hn]))
    inputs = [torch.tensor(array, requires_grad=True) for array in (x, h)]
    new = cell(*inputs)
    new.backward(torch.from_numpy(dh))
    assert agree(gru.gru_step(params, x, h)[0], new.detach().numpy())
    dparams = GRUParams(
        cell.weight_ih.grad.numpy().T,
        cell.weight_hh.grad.numpy().T,
        cell.bias_ih.grad.numpy(),
        cell.bias_hh.grad.numpy()[2 * H :],
    )
    expected = z_negated(dparams), *(array.grad.numpy() for array in inputs)
    assert agree(gru.gru_step_backward(params, x, h, gates, dh), expected)


def test_reset_before_the_step_and_its_gradients_are_those_of_keras():
    torch, keras = pytest.importorskip("torch"), pytest.importorskip("keras")
    if keras.backend.backend() != "torch":
        pytest.skip("Keras has another backend here than PyTorch, whose gradients are asked for")
    params, x, h, gates, dh = drawn(7, "before")
    theirs, H = z_negated(params), h.shape[1]
    cell = keras.layers.GRUCell(H, reset_after=False, dtype="float64")
    cell.build((None, x.shape[1]))
    W_h = np.hstack([theirs.W_h, params.W_hn])
    cell.set_weights([in_keras_order(array) for array in (theirs.W_x, W_h, theirs.b)])
    inputs = [torch.tensor(array, requires_grad=True) for array in (x, h)]
    new, _ = cell(inputs[0], [inputs[1]])
    new.backward(torch.from_numpy(dh))
    assert agree(gru.gru_before_step(params, x, h)[0], new.detach().numpy(), SINGLE)
    dW_x, dW_h, db = (
        in_keras_order(weight.value.grad.numpy()) for weight in cell.trainable_weights
    )
    dparams = GRUBeforeParams(dW_x, dW_h[:, : 2 * H], db, dW_h[:, 2 * H :])
    expected = z_negated(dparams), *(array.grad.numpy() for array in inputs)
    assert agree(gru.gru_before_step_backward(params, x, h, gates, dh)[1:], expected, SINGLE)


def in_keras_order(blocks):
    """Return r, z, n as z, r, n, or the other way round."""
    first, second, third = np.split(blocks, 3, axis=-1)
    return np.concatenate([second, first, third], axis=-1)


@pytest.mark.parametrize(
    "convert, equal",
    [(gru.other_z, True), (lambda *arrays: arrays, False)],
    ids=["converted", "as it was"],
)
def test_a_step_of_the_chapter_gives_the_same_state_once_the_weights_are_converted(convert, equal):
    params, x, h = gru.draw(np.random.default_rng(6), GRUParams)
    theirs = GRUParams(*convert(*params[:3]), params.b_hn)
    state, _ = cells.gru_step(theirs, x, GRUState(h))
    assert agree(state.h, gru.gru_step(params, x, h)[0]) == equal


# Copies of the chapter's cells, with the signatures of the assignment


def copied_step(params, x, h_previous):
    state, cache = cells.gru_step(params, x, GRUState(h_previous))
    return state.h, GRUGates(cache.r, cache.z, cache.n)


def copied_gate_gradients(params, h_previous, gates, dh):
    s = h_previous @ np.split(params.W_h, 3, axis=1)[2] + params.b_hn
    values = cells.GRUValues(h_previous, *gates, s)
    _, da_x, da_h, _ = cells.gru_pointwise_backward(params, values, GRUState(dh))
    return GRUGates(*np.split(da_x, 3, axis=1)), np.split(da_h, 3, axis=1)[2]


def copied_step_backward(params, x, h_previous, gates, dh):
    s = h_previous @ np.split(params.W_h, 3, axis=1)[2] + params.b_hn
    cache = cells.GRUCache(x, GRUState(h_previous), *gates, s)
    dparams, dx, dprevious = cells.gru_step_backward(params, cache, GRUState(dh))
    return dparams, dx, dprevious.h


def copied_before_step(params, x, h_previous):
    state, cache = cells.gru_before_step(params, x, GRUState(h_previous))
    return state.h, GRUGates(cache.r, cache.z, cache.n)


def copied_before_step_backward(params, x, h_previous, gates, dh):
    cache = cells.GRUBeforeCache(x, GRUState(h_previous), *gates)
    dparams, dx, dprevious = cells.gru_before_step_backward(params, cache, GRUState(dh))
    values = cells.GRUBeforeValues(h_previous, *gates)
    _, da_x, _, _ = cells.gru_before_pointwise_backward(params, values, GRUState(dh))
    return GRUGates(*np.split(da_x, 3, axis=1)), dparams, dx, dprevious.h


@pytest.mark.parametrize(
    "name, copy, right",
    [
        ("gru_step", copied_step, {"gates.r", "gates.z", "gates.n"}),
        ("gate_gradients", copied_gate_gradients, set()),
        ("gru_step_backward", copied_step_backward, set()),
        ("gru_before_step", copied_before_step, {"gates.r", "gates.z", "gates.n"}),
        ("gru_before_step_backward", copied_before_step_backward, set()),
    ],
)
def test_a_cell_copied_from_the_chapter_is_not_an_answer_and_is_told_why(name, copy, right):
    """The chapter's functions are the package's: another test compares their syntax trees."""
    exam = prepare(questions_of("03_gru")[name], b"copied")
    answers = [
        Answer(e["case"], e["turn"], *(tree or (None, None)), e.get("error"), e.get("born"))
        for e, tree in call_on_cases(copy, exam.cases, {})
    ]
    verdict = judge(exam, answers)
    assert {part.name for part in verdict.parts if part.credit} == right
    assert {f.cause for f in diagnose(exam, verdict, answers)} == {"the other convention for z"}


def test_the_given_cell_has_what_the_solutions_are_written_with():
    from tools.assignments import SOURCES, read_source

    (source,) = (path for path in SOURCES if path.stem == "03_gru")
    cell = next(
        cell.source
        for cell in read_source(source).cells
        if cell.metadata.get("nbgrader", {}).get("grade_id") == "given_params"
    )
    given = {node.name: node for node in ast.parse(cell).body if hasattr(node, "name")}
    for ours in (GRUParams, GRUBeforeParams, GRUGates):
        fields = [line.target.id for line in given[ours.__name__].body[1:]]
        assert fields == list(ours._fields)
    (written,) = ast.parse(inspect.getsource(gru.sigmoid)).body
    assert ast.dump(written.body[1]) == ast.dump(given["sigmoid"].body[1])
