"""Activations, initializers, schedules and optimizers are equal to their copies.

They are made of Python numbers. They are found by code, so a new one is tested when it is written.
"""

import copy
import inspect
import pickle

import numpy as np
import pytest

from rnn_tutorial import activations, initializers, validation
from rnn_tutorial.bound import Bound
from rnn_tutorial.train import (
    Optimizer,
    adam,
    clip_by_global_norm,
    clipped,
    clipping,
    frozen,
    losses,
    metrics,
    optimizers,
    schedules,
    sgd,
    training,
)
from rnn_tutorial.tree import tree_add, tree_leaves

DATA = {
    "a",
    "y",
    "rng",
    "shape",
    "step",
    "grads",
    "params",
    "named",
}  # arguments that are not part of a recipe
NUMBERS = {
    **{"slope": 0.25, "alpha": 0.7, "value": 0.5, "limit": 0.3, "scale": 0.4},
    **{"rate": 0.1, "decay": 0.5, "steps": 3, "start": 0.3, "end": 0.1, "low": 0.1, "high": 0.3},
    **{"hidden_size": 4, "warmup": 3, "factor": 2.0},
    **{"epsilon": 1e-6, "beta1": 0.6, "beta2": 0.8},
}
OTHERS = {"optimizer": adam(0.2), "clip": clip_by_global_norm, "trainable": {"W": True, "b": False}}
MODULES = [activations, initializers, schedules, optimizers]


def makers():
    """Return the public functions of the modules that make a recipe from numbers, by name."""
    found = {}
    for module in MODULES:
        for name, f in inspect.getmembers(module, inspect.isfunction):
            if (
                f.__module__ == module.__name__
                and not name.startswith("_")
                and not DATA & inspect.signature(f).parameters.keys()
            ):
                found[f"{module.__name__.split('.')[-1]}.{name}"] = f
    return found


def made(f, number=lambda value: value):
    """Return f called with its arguments, each number through `number`."""
    given = {name: number(value) for name, value in NUMBERS.items()} | OTHERS
    return f(**{name: given[name] for name in inspect.signature(f).parameters})


def numpy_number(value):
    return np.int64(value) if isinstance(value, int) else np.float64(value)


def ready_made():
    """Return the activations and initializers that are there without a call, by name."""
    of_activations = {
        name: a for name, a in vars(activations).items() if isinstance(a, activations.Activation)
    }
    drawing = {
        name: f
        for name, f in vars(initializers).items()
        if inspect.isfunction(f)
        and list(inspect.signature(f).parameters) == ["rng", "shape"]
        and not name.startswith("_")
    }
    return of_activations | drawing


RECIPES = ready_made() | {name: made(f) for name, f in makers().items()}
RECIPES["as a sweep has them"] = frozen(
    clipped(adam(schedules.cosine(0.1, 0, 10)), clip_by_global_norm, 1), (True, (False,))
)


def test_what_is_found_is_what_there_is():
    assert {
        "activations.elu",
        "initializers.identity",
        "schedules.noam",
        "optimizers.frozen",
    } <= makers().keys()
    assert {"tanh", "sigmoid", "relu", "orthogonal", "zeros"} <= RECIPES.keys()
    assert len(makers()) >= 22


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_a_copy_is_equal_however_it_was_made(recipe):
    assert copy.deepcopy(recipe) == recipe
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(recipe, protocol)) == recipe
    assert "0x" not in repr(recipe) or inspect.isfunction(recipe)


@pytest.mark.parametrize("f", makers().values(), ids=makers())
def test_other_numbers_make_another_recipe(f):
    numbers = [name for name in inspect.signature(f).parameters if name in NUMBERS]
    for name in numbers:
        given = {key: (NUMBERS | OTHERS)[key] for key in inspect.signature(f).parameters}
        other = f(
            **given
            | {
                name: NUMBERS[name]
                * (2 if NUMBERS[name] < 0.5 or isinstance(NUMBERS[name], int) else 0.9)
            }
        )
        assert other != f(**given)


def settings(recipe):
    """Yield the numbers within a recipe."""
    parts = (
        recipe.keywords.values()
        if isinstance(recipe, Bound)
        else recipe
        if isinstance(recipe, tuple)
        else ()
    )
    for part in parts:
        if isinstance(part, (int, float, np.generic)):
            yield part
        yield from settings(part)


@pytest.mark.parametrize("f", makers().values(), ids=makers())
def test_numpy_numbers_make_the_same_recipe_of_python_numbers(f):
    recipe = made(f, numpy_number)
    assert recipe == made(f)
    assert all(type(number) in (int, float, bool) for number in settings(recipe))


@pytest.mark.parametrize("f", makers().values(), ids=makers())
def test_numpy_numbers_leave_float32_what_it_is(f):
    recipe, ones = made(f, numpy_number), np.ones((2, 3), np.float32)
    if isinstance(recipe, Optimizer):
        params = {"W": ones, "b": ones[0]}
        updates, state = recipe.update(params, recipe.init(params))
        assert {leaf.dtype for leaf in tree_leaves((updates, tree_add(params, updates)))} == {
            np.dtype(np.float32)
        }
        assert {leaf.dtype for leaf in tree_leaves(state) if isinstance(leaf, np.ndarray)} <= {
            np.dtype(np.float32)
        }
    elif isinstance(recipe, activations.Activation):
        assert recipe.f(-ones).dtype == recipe.derivative(ones).dtype == np.float32
    elif f.__module__ == schedules.__name__:
        assert type(recipe(np.int64(2))) is float


@pytest.mark.parametrize("number", [np.float64, np.float32, np.longdouble])
def test_numpy_numbers_leave_losses_and_clipped_gradients_float32(number):
    logits, targets = np.ones((4, 3), np.float32), np.zeros(4, int)
    for loss, aims in (
        (losses.softmax_cross_entropy, targets),
        (losses.binary_cross_entropy, np.zeros_like(logits)),
    ):
        value, dlogits = loss(logits, aims, temperature=number(0.3))
        assert value.dtype == dlogits.dtype == losses.softmax(logits, number(2)).dtype == np.float32
    for name, clip in inspect.getmembers(clipping, inspect.isfunction):
        if name.startswith("clip_"):
            assert clip({"W": logits}, number(0.1))["W"].dtype == np.float32


def test_small_numpy_numbers_do_not_overflow_where_they_are_multiplied():
    assert metrics.confusion_matrix(np.zeros(3, int), np.zeros(3, int), np.int8(12)).shape == (
        12,
        12,
    )
    matrix = np.array([[3, 1], [2, 4]])
    np.testing.assert_array_equal(metrics.f_score(matrix, np.int8(20)), metrics.f_score(matrix, 20))
    assert metrics.perplexity(np.float32(100)) == pytest.approx(np.exp(100.0))


def test_activations_are_told_apart_by_what_they_compute():
    known = [recipe for recipe in RECIPES.values() if isinstance(recipe, activations.Activation)]
    assert all((a == b) == (a is b) for a in known for b in known)
    assert len({hash(a) for a in known}) == len(known)
    again = activations.Activation("tanh", np.tanh, activations.tanh_derivative)
    assert again == activations.tanh and again != activations.relu


def test_recipes_show_themselves_in_a_few_words():
    assert repr(activations.sigmoid) == "sigmoid"
    assert repr(activations.leaky_relu()) == "leaky_relu(0.01)"
    assert repr(activations.hard_sigmoid()) == "hard_sigmoid(0.166667)"
    assert repr(adam(1e-2)) == "adam(0.01, beta1=0.9, beta2=0.999, epsilon=1e-08)"
    assert (
        repr(clipped(sgd(0.5), clip_by_global_norm, 1))
        == "clipped(sgd(0.5), clip_by_global_norm, 1)"
    )
    assert repr(frozen(sgd(schedules.linear(1, 0, 9)), (False, True))) == (
        "frozen(sgd(linear_rate(start=1.0, end=0.0, steps=9)), (False, True))"
    )


def errors():
    """Return every class of errors that the modules define."""
    from rnn_tutorial import checkpoint, tree

    modules = [*MODULES, clipping, losses, metrics, training, validation, checkpoint, tree]
    classes = {
        kind for module in modules for _, kind in inspect.getmembers(module, inspect.isclass)
    }
    return sorted(
        (kind for kind in classes if issubclass(kind, BaseException)),
        key=lambda kind: kind.__name__,
    )


@pytest.mark.parametrize("kind", errors())
def test_every_error_can_be_copied_and_pickled(kind):
    own = inspect.isfunction(kind.__init__)  # else it takes a message, as ValueError does
    values = [3, float("nan"), {"W": np.ones(2)}, ()]
    error = kind(*values[: len(inspect.signature(kind).parameters)]) if own else kind("a message")
    error.add_note("seen at noon")
    for again in (copy.copy(error), copy.deepcopy(error), pickle.loads(pickle.dumps(error))):
        assert (
            type(again) is kind and str(again) == str(error) and again.__notes__ == ["seen at noon"]
        )
