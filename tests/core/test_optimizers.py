"""The optimizers against PyTorch, and what the wrappers promise."""

from typing import NamedTuple

import numpy as np
import pytest

from rnn_tutorial.train import (
    adagrad,
    adam,
    adam_update,
    as_schedule,
    clip_by_global_norm,
    clipped,
    exponential,
    frozen,
    fused_adam_update,
    momentum,
    optimizers,
    rmsprop,
    sgd,
)
from rnn_tutorial.tree import tree_add, tree_cast, tree_leaves, tree_map, tree_random_like


class Params(NamedTuple):
    W: np.ndarray
    b: np.ndarray


ALL = [sgd(0.1), momentum(0.1, 0.8), adagrad(0.1), rmsprop(0.05), adam(0.05)]
NAMES = ["sgd", "momentum", "adagrad", "rmsprop", "adam"]


def start(seed=0):
    rng = np.random.default_rng(seed)
    return (
        Params(rng.standard_normal((3, 4)), rng.standard_normal(4)),
        Params(rng.standard_normal((4, 2)), np.zeros(2)),
    )


def gradients(params, count, seed=1):
    rng = np.random.default_rng(seed)
    return [tree_random_like(params, rng, scale=10.0 ** (k % 3 - 1)) for k in range(count)]


def run(optimizer, params, grads):
    state = optimizer.init(params)
    for grad in grads:
        updates, state = optimizer.update(grad, state)
        params = tree_add(params, updates)
    return params, state


@pytest.mark.parametrize(
    "name, options, ours",
    [
        ("SGD", {"lr": 0.1}, sgd(0.1)),
        ("SGD", {"lr": 0.1, "momentum": 0.8}, momentum(0.1, 0.8)),
        ("Adagrad", {}, adagrad()),
        ("Adagrad", {"lr": 0.1}, adagrad(0.1)),
        ("SGD", {"lr": 0.1, "momentum": 0.9}, momentum(0.1)),
        ("Adagrad", {"lr": 0.1, "eps": 0.01}, adagrad(0.1, epsilon=0.01)),
        ("RMSprop", {}, rmsprop()),
        ("RMSprop", {"lr": 0.05}, rmsprop(0.05)),
        (
            "RMSprop",
            {"lr": 0.05, "alpha": 0.7, "eps": 0.01},
            rmsprop(0.05, decay=0.7, epsilon=0.01),
        ),
        ("Adam", {}, adam()),
        (
            "Adam",
            {"lr": 0.05, "betas": (0.6, 0.8), "eps": 0.01},
            adam(0.05, beta1=0.6, beta2=0.8, epsilon=0.01),
        ),
    ],
)
def test_pytorch_takes_the_same_steps(name, options, ours):
    torch = pytest.importorskip("torch")
    params = start()
    grads = gradients(params, 8)
    leaves = [torch.tensor(leaf, requires_grad=True) for leaf in tree_leaves(params)]
    judge = getattr(torch.optim, name)(leaves, **options)
    state = ours.init(params)
    for grad in grads:
        for leaf, g in zip(leaves, tree_leaves(grad), strict=True):
            leaf.grad = torch.tensor(g)
        judge.step()
        updates, state = ours.update(grad, state)
        params = tree_add(params, updates)
        for leaf, p in zip(leaves, tree_leaves(params), strict=True):
            np.testing.assert_allclose(p, leaf.detach().numpy(), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("make", [sgd, momentum, adagrad, rmsprop, adam])
def test_a_schedule_is_asked_for_the_rate_of_each_step(make):
    params = start()
    grads = gradients(params, 4)
    rate_at = exponential(0.1, 0.5)
    state = make(rate_at).init(params)
    for step, grad in enumerate(grads):
        assert state.step == step
        fixed, _ = make(rate_at(step)).update(grad, state)
        updates, state = make(rate_at).update(grad, state)
        for ours, wanted in zip(tree_leaves(updates), tree_leaves(fixed), strict=True):
            assert np.array_equal(ours, wanted)


@pytest.mark.parametrize("optimizer", ALL, ids=NAMES)
def test_float32_stays_float32_and_nothing_is_changed_in_place(optimizer):
    params = tree_cast(start(), np.float32)
    grads = [tree_cast(grad, np.float32) for grad in gradients(params, 3)]
    for leaf in tree_leaves((params, grads)):
        leaf.flags.writeable = False
    after, state = run(optimizer, params, grads)
    assert {leaf.dtype for leaf in tree_leaves(after)} == {np.dtype(np.float32)}
    assert {leaf.dtype for leaf in tree_leaves(state) if isinstance(leaf, np.ndarray)} <= {
        np.dtype(np.float32)
    }
    careful = clipped(sgd(lambda step: np.float64(0.1)), clip_by_global_norm, np.float64(1))
    updates, _ = careful.update(grads[0], careful.init(params))
    assert {leaf.dtype for leaf in tree_leaves(updates)} == {np.dtype(np.float32)}


@pytest.mark.parametrize("optimizer", ALL, ids=NAMES)
def test_a_state_can_be_used_twice(optimizer):
    params = start()
    first, second = gradients(params, 2)
    _, state = optimizer.update(first, optimizer.init(params))
    once, _ = optimizer.update(second, state)
    twice, _ = optimizer.update(second, state)
    for a, b in zip(tree_leaves(once), tree_leaves(twice), strict=True):
        assert np.array_equal(a, b)


@pytest.mark.parametrize("optimizer", ALL, ids=NAMES)
def test_frozen_parts_stay_bit_for_bit_and_the_others_move_as_alone(optimizer):
    params = start()
    params[0].b[:] = [0.0, -0.0, 1e-300, -1.0]
    grads = gradients(params, 5)
    after, state = run(frozen(optimizer, (False, True)), params, grads)
    alone, alone_state = run(optimizer, params[1], [grad[1] for grad in grads])
    for leaf, before in zip(after[0], params[0], strict=True):
        assert leaf.tobytes() == before.tobytes()
    for leaf, wanted in zip(
        tree_leaves((after[1], state)), tree_leaves((alone, alone_state)), strict=True
    ):
        assert np.array_equal(leaf, wanted)


def test_a_single_leaf_can_be_frozen():
    params = start()
    after, _ = run(frozen(adam(0.1), (Params(W=True, b=False), True)), params, gradients(params, 2))
    moved = tree_map(lambda a, b: bool((a != b).all()), after, params)
    assert moved == (Params(W=True, b=False), Params(W=True, b=True))


def test_everything_or_nothing_can_be_frozen():
    params = start()
    grads = gradients(params, 2)
    same, _ = run(frozen(adam(0.1), False), params, grads)
    assert all(
        np.array_equal(a, b) for a, b in zip(tree_leaves(same), tree_leaves(params), strict=True)
    )
    moved, _ = run(frozen(adam(0.1), True), params, grads)
    wanted, _ = run(adam(0.1), params, grads)
    assert all(
        np.array_equal(a, b) for a, b in zip(tree_leaves(moved), tree_leaves(wanted), strict=True)
    )


def test_a_choice_that_does_not_fit_is_refused():
    with pytest.raises(TypeError, match="trainable: expected True or False for each part, got 1"):
        frozen(adam(), (1, True))
    with pytest.raises(ValueError, match="different structure"):
        frozen(adam(), (True, False, True)).init(start())


def test_clipping_comes_before_the_step():
    params = start()
    grad = gradients(params, 1)[0]
    optimizer = clipped(sgd(0.5), clip_by_global_norm, 0.25)
    updates, _ = optimizer.update(grad, optimizer.init(params))
    length = np.sqrt(sum(np.sum(leaf**2) for leaf in tree_leaves(updates)))
    np.testing.assert_allclose(length, 0.5 * 0.25, rtol=1e-14)


@pytest.mark.parametrize(
    "make",
    [
        lambda: sgd(-1.0),
        lambda: sgd(np.nan),
        lambda: sgd("fast"),
        lambda: momentum(0.1, 1.0),
        lambda: momentum(0.1, -0.1),
        lambda: adagrad(epsilon=0),
        lambda: rmsprop(decay=1),
        lambda: rmsprop(epsilon=-1),
        lambda: adam(beta1=1.0),
        lambda: adam(beta2=1.5),
        lambda: adam(epsilon=0),
    ],
)
def test_a_number_that_makes_no_sense_is_refused(make):
    with pytest.raises(ValueError, match="(rate|decay|epsilon|beta.): expected a finite number"):
        make()


def test_gradients_of_another_structure_are_refused():
    params = start()
    for optimizer in ALL[1:]:
        with pytest.raises(ValueError, match="different structure"):
            optimizer.update(params[:1], optimizer.init(params))


GRADIENTS = [0.3, -2.0, 0.5]


def plain_steps(name):
    """Return the updates for the three GRADIENTS at the default options, from the papers' formulas.

    They are computed in plain numbers.
    """
    updates, velocity, squares, m, v = [], 0.0, 0.0, 0.0, 0.0
    for t, g in enumerate(GRADIENTS, start=1):
        velocity, m, v = 0.9 * velocity + g, 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        squares = 0.99 * squares + 0.01 * g * g if name == "rmsprop" else squares + g * g
        updates.append(
            {
                "sgd": -0.1 * g,
                "momentum": -0.1 * velocity,
                "adagrad": -0.01 * g / (squares**0.5 + 1e-10),
                "rmsprop": -0.01 * g / (squares**0.5 + 1e-8),
                "adam": -0.001 * (m / (1 - 0.9**t)) / ((v / (1 - 0.999**t)) ** 0.5 + 1e-8),
            }[name]
        )
    return updates


@pytest.mark.parametrize(
    "optimizer, name",
    [
        (sgd(0.1), "sgd"),
        (momentum(0.1), "momentum"),
        (adagrad(), "adagrad"),
        (rmsprop(), "rmsprop"),
        (adam(), "adam"),
    ],
)
def test_three_steps_are_those_of_the_formula_in_plain_numbers(optimizer, name):
    state = optimizer.init((np.zeros(1),))
    for g, expected in zip(GRADIENTS, plain_steps(name)):
        (update,), state = optimizer.update((np.array([g]),), state)
        assert update[0] == pytest.approx(expected, rel=1e-12, abs=0)


@pytest.mark.parametrize("optimizer", ALL, ids=NAMES)
@pytest.mark.parametrize("shape", [(4,), (1, 4), (3, 1), (4, 3)])
def test_a_gradient_of_another_shape_never_becomes_a_step(optimizer, shape):
    params = start()
    wrong = (params[0]._replace(W=np.ones(shape)), params[1])
    with pytest.raises(ValueError, match=r"\[0\].W: .*expected (shape )?\(3, 4\), got"):
        updates, _ = optimizer.update(wrong, optimizer.init(params))
        tree_add(params, updates)


@pytest.mark.parametrize("optimizer", ALL, ids=NAMES)
def test_a_gradient_of_another_dtype_never_becomes_a_step(optimizer):
    params = start()
    with pytest.raises(TypeError, match=r"\[0\].W: .*expected (dtype )?float64, got float32"):
        updates, _ = optimizer.update(tree_cast(params, np.float32), optimizer.init(params))
        tree_add(params, updates)


@pytest.mark.parametrize(
    "optimizer", [*ALL, clipped(sgd(0.1), clip_by_global_norm, 1e6), frozen(sgd(0.1), (True, True))]
)
@pytest.mark.parametrize("dtype", [int, np.float16, object])
def test_whole_numbers_short_ones_and_objects_are_refused(optimizer, dtype):
    params = start()
    with pytest.raises(
        TypeError,
        match=r"gradient\[0\].W: expected an array of floating-point numbers, got an array of",
    ):
        optimizer.update(tree_cast(params, dtype), optimizer.init(params))
    with pytest.raises(
        TypeError, match=r"params\[0\].W: expected an array of floating-point numbers"
    ):
        optimizer.init(tree_cast(params, dtype))


@pytest.mark.parametrize("optimizer", ALL, ids=NAMES)
def test_the_state_of_another_optimizer_is_refused_by_name(optimizer):
    params = start()
    own = type(optimizer.init(params)).__name__
    for other in ALL:
        state = other.init(params)
        if other is not optimizer:
            with pytest.raises(
                TypeError, match=rf"state: expected {own}\(step.*\), got {type(state).__name__}"
            ):
                optimizer.update(params, state)


@pytest.mark.parametrize("optimizer", ALL, ids=NAMES)
def test_gradients_are_matched_by_key_and_a_parameter_may_have_no_axes(optimizer):
    params = {"W": np.ones((2, 3)), "b": np.array(0.5)}
    state = optimizer.init(params)
    for g in (1.0, -2.0):
        gradient = {"W": np.full((2, 3), g), "b": np.array(2 * g)}
        turned = dict(reversed(gradient.items()))
        wanted, _ = optimizer.update(gradient, state)
        updates, state = optimizer.update(turned, state)
        assert all(np.array_equal(updates[key], wanted[key]) for key in params)
        params = tree_add(params, updates)
    assert params["W"].shape == (2, 3) and np.shape(params["b"]) == ()


@pytest.mark.parametrize("block", [1, 4, 2**15])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_the_fast_path_of_adam_has_the_bits_of_its_formulas(block, dtype, monkeypatch, rng):
    monkeypatch.setattr(optimizers, "BLOCK", block)
    settings = {"rate_at": as_schedule(0.1), "beta1": 0.8, "beta2": 0.99, "epsilon": 1e-6}
    shapes = {"W": (3, 5), "b": (7,), "one": (), "none": (0, 2)}
    params = {name: np.zeros(shape, dtype) for name, shape in shapes.items()}
    state = plain = adam(0.1).init(params)
    for _ in range(3):
        grads = {name: rng.standard_normal(shape).astype(dtype) for name, shape in shapes.items()}
        grads["W"] = np.asfortranarray(grads["W"])  # not in the order of the block
        updates, state = fused_adam_update(grads, state, **settings)
        wanted, plain = adam_update(grads, plain, **settings)
        for name in shapes:
            for ours, formula in (
                (updates[name], wanted[name]),
                (state.m[name], plain.m[name]),
                (state.v[name], plain.v[name]),
            ):
                assert ours.dtype == dtype and ours.shape == shapes[name]
                np.testing.assert_array_equal(ours, formula)
    assert state.step == plain.step == 3
