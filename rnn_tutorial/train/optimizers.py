"""Optimizers: how a gradient becomes a change of the parameters.

An optimizer is a pair of pure functions, as in optax:

    state = optimizer.init(params)
    updates, state = optimizer.update(grads, state)
    params = tree_add(params, updates)

The updates are *added* to the parameters. No array is changed in place; to go on training, keep the
state. A rate is a number or a schedule (see `schedules`), called with the number of updates made so
far, 0 at first.

In the formulas g is the gradient, p a parameter, and every operation acts on each entry by itself.

Raises: `update` raises TypeError for the state of another optimizer or gradients that are not
floating-point arrays, and ValueError or TypeError for gradients of another structure, shape or
dtype than the moments in the state. `sgd` has no moments; there `tree_add` raises these.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from rnn_tutorial.bound import Bound
from rnn_tutorial.train.schedules import as_schedule
from rnn_tutorial.tree import tree_map, tree_map_parts, tree_scale, tree_zeros_like
from rnn_tutorial.types import Array, Rate, Schedule, Tree
from rnn_tutorial.validation import check_floats, check_kind, check_like, check_number

__all__ = [
    "AdagradState",
    "AdamState",
    "MomentumState",
    "Optimizer",
    "RmspropState",
    "SgdState",
    "adagrad",
    "adagrad_update",
    "adam",
    "adam_update",
    "check_update",
    "clipped",
    "clipped_update",
    "frozen",
    "frozen_init",
    "frozen_update",
    "fused_adam_update",
    "momentum",
    "momentum_update",
    "rmsprop",
    "rmsprop_update",
    "sgd",
    "sgd_update",
    "zero_state",
]


BLOCK = 2**15  # numbers that are updated at a time: their seven arrays stay in the cache


class Optimizer(NamedTuple):
    """A pair of pure functions: see the top of this file. `name` is its repr."""

    init: Callable[[Tree], Any]  # params -> state
    update: Callable[[Tree, Any], tuple[Tree, Any]]  # (grads, state) -> (updates, state)
    name: str = "Optimizer"

    def __repr__(self) -> str:
        return self.name


class SgdState(NamedTuple):
    """The state of `sgd`."""

    step: int  # updates made so far


class MomentumState(NamedTuple):
    """The state of `momentum`."""

    step: int
    velocity: Tree  # a tree like the parameters


class AdagradState(NamedTuple):
    """The state of `adagrad`."""

    step: int
    squares: Tree  # sum of g^2, a tree like the parameters


class RmspropState(NamedTuple):
    """The state of `rmsprop`."""

    step: int
    squares: Tree  # running mean of g^2, a tree like the parameters


class AdamState(NamedTuple):
    """The state of `adam`."""

    step: int
    m: Tree  # running mean of g, a tree like the parameters
    v: Tree  # running mean of g^2, a tree like the parameters


def sgd(rate: Rate) -> Optimizer:
    """Return stochastic gradient descent: p <- p - rate * g.

    Raises: ValueError for a negative rate.

    Source: Robbins and Monro (1951), "A stochastic approximation method".
    """
    return _optimizer(sgd, SgdState, sgd_update, rate=rate)


def sgd_update(grads: Tree, state: SgdState, *, rate_at: Schedule) -> tuple[Tree, SgdState]:
    """Return the updates and the next state: the `update` of `sgd`."""
    check_update(grads, state, SgdState)
    return tree_scale(-rate_at(state.step), grads), SgdState(state.step + 1)


def momentum(rate: Rate, decay: float = 0.9) -> Optimizer:
    """Return gradient descent with momentum.

    velocity <- decay * velocity + g
    p <- p - rate * velocity

    Raises: ValueError for a negative rate, or unless 0 <= decay < 1.

    Source: Polyak (1964), "Some methods of speeding up the convergence of iteration methods"; the
    form is that of Sutskever et al. (2013) with the rate outside the velocity, as in PyTorch.
    """
    return _optimizer(
        momentum, MomentumState, momentum_update, rate=rate, decay=_share("decay", decay)
    )


def momentum_update(
    grads: Tree, state: MomentumState, *, rate_at: Schedule, decay: float
) -> tuple[Tree, MomentumState]:
    """Return the updates and the next state: the `update` of `momentum`."""
    check_update(grads, state, MomentumState)
    velocity = tree_map(lambda velocity, g: decay * velocity + g, state.velocity, grads)
    return tree_scale(-rate_at(state.step), velocity), MomentumState(state.step + 1, velocity)


def adagrad(rate: Rate = 1e-2, epsilon: float = 1e-10) -> Optimizer:
    """Return AdaGrad.

    squares <- squares + g^2
    p <- p - rate * g / (sqrt(squares) + epsilon)

    Raises: ValueError for a negative rate, or unless 0 < epsilon.

    Source: Duchi, Hazan and Singer (2011), "Adaptive subgradient methods", figure 1, diagonal case.
    """
    epsilon = check_number("epsilon", epsilon, above=0)
    return _optimizer(adagrad, AdagradState, adagrad_update, rate=rate, epsilon=epsilon)


def adagrad_update(
    grads: Tree, state: AdagradState, *, rate_at: Schedule, epsilon: float
) -> tuple[Tree, AdagradState]:
    """Return the updates and the next state: the `update` of `adagrad`."""
    check_update(grads, state, AdagradState)
    squares, rate_t = tree_map(lambda s, g: s + g**2, state.squares, grads), rate_at(state.step)
    updates = tree_map(lambda g, s: -rate_t * g / (np.sqrt(s) + epsilon), grads, squares)
    return updates, AdagradState(state.step + 1, squares)


def rmsprop(rate: Rate = 1e-2, decay: float = 0.99, epsilon: float = 1e-8) -> Optimizer:
    """Return RMSprop.

    squares <- decay * squares + (1 - decay) * g^2
    p <- p - rate * g / (sqrt(squares) + epsilon)

    Raises: ValueError for a negative rate, or unless 0 <= decay < 1 and 0 < epsilon.

    Source: Tieleman and Hinton (2012), lecture 6.5 of "Neural networks for machine learning".
    """
    decay, epsilon = _share("decay", decay), check_number("epsilon", epsilon, above=0)
    return _optimizer(
        rmsprop, RmspropState, rmsprop_update, rate=rate, decay=decay, epsilon=epsilon
    )


def rmsprop_update(
    grads: Tree, state: RmspropState, *, rate_at: Schedule, decay: float, epsilon: float
) -> tuple[Tree, RmspropState]:
    """Return the updates and the next state: the `update` of `rmsprop`."""
    check_update(grads, state, RmspropState)
    squares = tree_map(lambda s, g: decay * s + (1 - decay) * g**2, state.squares, grads)
    rate_t = rate_at(state.step)
    updates = tree_map(lambda g, s: -rate_t * g / (np.sqrt(s) + epsilon), grads, squares)
    return updates, RmspropState(state.step + 1, squares)


def adam(
    rate: Rate = 1e-3, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8
) -> Optimizer:
    """Return Adam, where t is the number of this update, 1 at first.

    m <- beta1 * m + (1 - beta1) * g                      running mean of the gradient
    v <- beta2 * v + (1 - beta2) * g^2                    running mean of its square
    m_hat = m / (1 - beta1^t), v_hat = v / (1 - beta2^t)  corrects that both began at zero
    p <- p - rate * m_hat / (sqrt(v_hat) + epsilon)

    Raises: ValueError for a negative rate, or unless 0 <= beta1 < 1, 0 <= beta2 < 1 and
    0 < epsilon.

    Source: Kingma and Ba (2015), "Adam: a method for stochastic optimization", algorithm 1.
    """
    epsilon = check_number("epsilon", epsilon, above=0)
    betas = {"beta1": _share("beta1", beta1), "beta2": _share("beta2", beta2)}
    return _optimizer(adam, AdamState, fused_adam_update, rate=rate, **betas, epsilon=epsilon)


def adam_update(
    grads: Tree, state: AdamState, *, rate_at: Schedule, beta1: float, beta2: float, epsilon: float
) -> tuple[Tree, AdamState]:
    """Return the updates and the next state: the formulas of `adam`, one after another."""
    check_update(grads, state, AdamState)
    t, rate_t = state.step + 1, rate_at(state.step)
    m = tree_map(lambda m, g: beta1 * m + (1 - beta1) * g, state.m, grads)
    v = tree_map(lambda v, g: beta2 * v + (1 - beta2) * g**2, state.v, grads)
    m_hat = tree_scale(1 / (1 - beta1**t), m)
    v_hat = tree_scale(1 / (1 - beta2**t), v)
    updates = tree_map(lambda m, v: -rate_t * m / (np.sqrt(v) + epsilon), m_hat, v_hat)
    return updates, AdamState(t, m, v)


def fused_adam_update(
    grads: Tree, state: AdamState, *, rate_at: Schedule, beta1: float, beta2: float, epsilon: float
) -> tuple[Tree, AdamState]:
    """Return what `adam_update` returns, bit for bit, in less time: the `update` of `adam`.

    There, each operation goes over a whole parameter and makes a new array. Here all of them go
    over a block that stays in the processor's cache, and then over the next one.
    """
    check_update(grads, state, AdamState)
    t, rate_t = state.step + 1, rate_at(state.step)
    m_scale, v_scale = 1 / (1 - beta1**t), 1 / (1 - beta2**t)

    def fill(*leaves: Any) -> None:
        """Write update, new m and new v of one parameter, the last three of the leaves."""
        flat = [np.asarray(leaf).reshape(-1) for leaf in leaves]
        spare = np.empty(min(flat[0].size, BLOCK), flat[0].dtype)
        for k in range(0, flat[0].size, BLOCK):
            g, m, v, update, new_m, new_v = (leaf[k : k + BLOCK] for leaf in flat)
            term = spare[: len(g)]
            np.multiply(beta1, m, new_m)
            new_m += np.multiply(1 - beta1, g, term)
            np.multiply(beta2, v, new_v)
            new_v += np.multiply(1 - beta2, np.square(g, term), term)
            np.sqrt(np.multiply(v_scale, new_v, term), term)
            term += epsilon
            np.multiply(m_scale, new_m, update)
            np.multiply(-rate_t, update, update)
            update /= term

    updates, m, v = (tree_map(_empty, grads) for _ in range(3))
    tree_map(fill, grads, state.m, state.v, updates, m, v)
    return updates, AdamState(t, m, v)


def clipped(optimizer: Optimizer, clip: Callable[[Tree, float], Tree], limit: float) -> Optimizer:
    """Return `optimizer` with every gradient clipped first.

    Raises: ValueError for a limit that is not positive.

    Example:
        clipped(adam(1e-2), clip_by_global_norm, 1.0)
    """
    limit = check_number("limit", limit, above=0)
    update = Bound(clipped_update, optimizer=optimizer, clip=clip, limit=limit)
    return Optimizer(optimizer.init, update, f"clipped({optimizer!r}, {_name_of(clip)}, {limit:g})")


def clipped_update(
    grads: Tree,
    state: Any,
    *,
    optimizer: Optimizer,
    clip: Callable[[Tree, float], Tree],
    limit: float,
) -> tuple[Tree, Any]:
    """Return the updates and the next state: the `update` of `clipped`."""
    return optimizer.update(clip(grads, limit), state)


def frozen(optimizer: Optimizer, trainable: Tree) -> Optimizer:
    """Return `optimizer` for the parts that are trainable; the others do not change by a bit.

    `trainable` has the outer structure of the parameters, with True or False in place of a part or
    a leaf. The wrapped optimizer never sees a frozen part: it keeps no moments for it, and a clip
    inside of it measures the norm of the others only. Backward does not change: the gradient still
    flows through a frozen layer to the layers before it.

    Raises: TypeError for anything but True and False, ValueError for another structure than that of
    the parameters.

    Example:
        frozen(adam(), (False, True, True))    # the first layer of three does not change
    """
    tree_map(_check_choice, trainable)
    given = {"optimizer": optimizer, "trainable": trainable}
    return Optimizer(
        Bound(frozen_init, **given),
        Bound(frozen_update, **given),
        f"frozen({optimizer!r}, {trainable!r})",
    )


def frozen_init(params: Tree, *, optimizer: Optimizer, trainable: Tree) -> Any:
    """Return the first state of the wrapped optimizer, for the trainable parts."""
    return optimizer.init(_trainable_part(trainable, params))


def frozen_update(
    grads: Tree, state: Any, *, optimizer: Optimizer, trainable: Tree
) -> tuple[Tree, Any]:
    """Return the updates and the next state: the `update` of `frozen`."""
    updates, state = optimizer.update(_trainable_part(trainable, grads), state)
    return tree_map_parts(
        lambda keep, up, g: up if keep else _no_change(g), trainable, updates, grads
    ), state


def zero_state(params: Tree, *, State: Any) -> Any:
    """Return the `State` before the first update: each moment a tree of zeros like the parameters.

    Raises: TypeError for parameters that are not floating-point arrays.
    """
    check_floats("params", params)
    return State(0, *[tree_zeros_like(params) for _ in State._fields[1:]])


def check_update(grads: Tree, state: Any, State: Any) -> None:
    """Raise an error unless `state` is a `State` and `grads` are arrays that fit its moments.

    Raises: TypeError for another state or dtype, ValueError for another structure or shape.
    """
    check_kind("state", state, State)
    check_floats("gradient", grads)
    for moment in state[1:]:
        check_like("gradient", grads, moment)


def _optimizer(
    make: Callable[..., Any],
    State: Any,
    update: Callable[..., Any],
    *,
    rate: Rate,
    **settings: float,
) -> Optimizer:
    """Return the pair of functions, with the rate as a schedule, and the call that made it."""
    update = Bound(update, rate_at=as_schedule(rate), **settings)
    shown = [_name_of(rate), *(f"{name}={value:g}" for name, value in settings.items())]
    return Optimizer(Bound(zero_state, State=State), update, f"{make.__name__}({', '.join(shown)})")


def _name_of(setting: Any) -> str:
    return getattr(setting, "__name__", None) or (
        repr(setting) if callable(setting) else f"{setting:g}"
    )


def _share(name: str, value: float) -> float:
    """Return the value.

    Raises: ValueError unless 0 <= value < 1.
    """
    return check_number(name, value, at_least=0, below=1)


def _trainable_part(trainable: Tree, tree: Tree) -> Tree:
    """Return the tree with () in place of each frozen part: a tree without leaves."""
    return tree_map_parts(lambda keep, part: part if keep else (), trainable, tree)


def _empty(leaf: Any) -> Array:
    """Return a new contiguous array of the shape and dtype of a leaf, not yet filled."""
    return np.empty(np.shape(leaf), leaf.dtype)


def _no_change(part: Tree) -> Tree:
    """Return -0.0 everywhere: p + (-0.0) is p for every p, while -0.0 + 0.0 is 0.0."""
    return tree_map(lambda leaf: np.full_like(leaf, -0.0), part)


def _check_choice(keep: object) -> None:
    if not isinstance(keep, (bool, np.bool_)):
        raise TypeError(f"trainable: expected True or False for each part, got {keep!r}")
