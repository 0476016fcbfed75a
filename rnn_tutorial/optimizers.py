"""Optimizers: how a gradient becomes a change of the parameters.

An optimizer is a pair of pure functions, as in optax: `init(params) -> state` and `update(grads, state) -> (updates, state)`.
The updates are *added* to the parameters: `params = tree_add(params, updates)`. Nothing is changed in place; to train on, keep
the state. A rate is a number or a schedule (see `schedules`), called with the number of updates made so far, 0 at first.

In the formulas g is the gradient, p a parameter, and every operation acts on each entry by itself.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from rnn_tutorial.schedules import as_schedule
from rnn_tutorial.tree import tree_map, tree_map_parts, tree_scale, tree_zeros_like
from rnn_tutorial.validation import check_number


class Optimizer(NamedTuple):
    """A pair of pure functions: see the top of this file."""

    init: Callable  # params -> state
    update: Callable  # (grads, state) -> (updates, state)


class SgdState(NamedTuple):
    """The state of `sgd`."""

    step: int  # updates made so far


class MomentumState(NamedTuple):
    """The state of `momentum`."""

    step: int
    velocity: Any  # a tree like the parameters


class SquaresState(NamedTuple):
    """The state of `adagrad` and `rmsprop`."""

    step: int
    squares: Any  # sum or running mean of g^2, a tree like the parameters


class AdamState(NamedTuple):
    """The state of `adam`."""

    step: int
    m: Any  # running mean of g, a tree like the parameters
    v: Any  # running mean of g^2, a tree like the parameters


def sgd(rate):
    """Return stochastic gradient descent: p <- p - rate * g.

    Source: Robbins and Monro (1951), "A stochastic approximation method".
    """
    rate_at = as_schedule(rate)

    def update(grads, state):
        return tree_scale(-rate_at(state.step), grads), SgdState(state.step + 1)

    return Optimizer(lambda params: SgdState(0), update)


def momentum(rate, decay=0.9):
    """Return gradient descent with a heavy ball: velocity <- decay * velocity + g; p <- p - rate * velocity.

    Source: Polyak (1964), "Some methods of speeding up the convergence of iteration methods"; the form is that of
    Sutskever et al. (2013) with the rate outside the velocity, as in PyTorch. Errors: ValueError unless 0 <= decay < 1.
    """
    rate_at = as_schedule(rate)
    check_number("decay", decay, at_least=0, below=1)
    decay = float(decay)

    def update(grads, state):
        velocity = tree_map(lambda velocity, g: decay * velocity + g, state.velocity, grads)
        return tree_scale(-rate_at(state.step), velocity), MomentumState(state.step + 1, velocity)

    return Optimizer(lambda params: MomentumState(0, tree_zeros_like(params)), update)


def adagrad(rate=1e-2, epsilon=1e-10):
    """Return AdaGrad: squares <- squares + g^2; p <- p - rate * g / (sqrt(squares) + epsilon).

    Source: Duchi, Hazan and Singer (2011), "Adaptive subgradient methods", figure 1, diagonal case.
    """
    rate_at = as_schedule(rate)
    check_number("epsilon", epsilon, above=0)
    epsilon = float(epsilon)

    def update(grads, state):
        squares = tree_map(lambda s, g: s + g**2, state.squares, grads)
        rate_t = rate_at(state.step)
        updates = tree_map(lambda g, s: -rate_t * g / (np.sqrt(s) + epsilon), grads, squares)
        return updates, SquaresState(state.step + 1, squares)

    return Optimizer(lambda params: SquaresState(0, tree_zeros_like(params)), update)


def rmsprop(rate=1e-2, decay=0.99, epsilon=1e-8):
    """Return RMSprop: squares <- decay * squares + (1 - decay) * g^2; p <- p - rate * g / (sqrt(squares) + epsilon).

    Source: Tieleman and Hinton (2012), lecture 6.5 of "Neural networks for machine learning".
    Errors: ValueError unless 0 <= decay < 1.
    """
    rate_at = as_schedule(rate)
    check_number("decay", decay, at_least=0, below=1)
    check_number("epsilon", epsilon, above=0)
    decay, epsilon = float(decay), float(epsilon)

    def update(grads, state):
        squares = tree_map(lambda s, g: decay * s + (1 - decay) * g**2, state.squares, grads)
        rate_t = rate_at(state.step)
        updates = tree_map(lambda g, s: -rate_t * g / (np.sqrt(s) + epsilon), grads, squares)
        return updates, SquaresState(state.step + 1, squares)

    return Optimizer(lambda params: SquaresState(0, tree_zeros_like(params)), update)


def adam(rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8):
    """Return Adam, with t the number of this update, 1 at first:

    m <- beta1 * m + (1 - beta1) * g                      running mean of the gradient
    v <- beta2 * v + (1 - beta2) * g^2                    running mean of its square
    m_hat = m / (1 - beta1^t), v_hat = v / (1 - beta2^t)  both began at zero: this undoes it
    p <- p - rate * m_hat / (sqrt(v_hat) + epsilon)

    Source: Kingma and Ba (2015), "Adam: a method for stochastic optimization", algorithm 1.
    Errors: ValueError unless 0 <= beta1 < 1 and 0 <= beta2 < 1.
    """
    rate_at = as_schedule(rate)
    check_number("beta1", beta1, at_least=0, below=1)
    check_number("beta2", beta2, at_least=0, below=1)
    check_number("epsilon", epsilon, above=0)
    beta1, beta2, epsilon = float(beta1), float(beta2), float(epsilon)

    def update(grads, state):
        t, rate_t = state.step + 1, rate_at(state.step)
        m = tree_map(lambda m, g: beta1 * m + (1 - beta1) * g, state.m, grads)
        v = tree_map(lambda v, g: beta2 * v + (1 - beta2) * g**2, state.v, grads)
        m_hat = tree_scale(1 / (1 - beta1**t), m)
        v_hat = tree_scale(1 / (1 - beta2**t), v)
        updates = tree_map(lambda m, v: -rate_t * m / (np.sqrt(v) + epsilon), m_hat, v_hat)
        return updates, AdamState(t, m, v)

    return Optimizer(lambda params: AdamState(0, tree_zeros_like(params), tree_zeros_like(params)), update)


def clipped(optimizer, clip, limit):
    """Return `optimizer` with every gradient clipped first: `clipped(adam(1e-2), clip_by_global_norm, 1.0)`."""
    return Optimizer(optimizer.init, lambda grads, state: optimizer.update(clip(grads, limit), state))


def frozen(optimizer, trainable):
    """Return `optimizer` for the parts that are trainable; the others stay bit for bit what they are.

    `trainable` has the outer structure of the parameters, with True or False in place of a part or a leaf:
    `frozen(adam(), (False, True, True))` keeps the first layer of three. The wrapped optimizer never sees a frozen part: it
    keeps no moments for it, and a clip inside of it measures the norm of the others only. Backward does not change: the
    gradient still flows through a frozen layer to the layers before it.

    Errors: TypeError for anything but True and False, ValueError for another structure than that of the parameters.
    """
    tree_map(_check_choice, trainable)

    def init(params):
        return optimizer.init(_trainable_part(trainable, params))

    def update(grads, state):
        updates, state = optimizer.update(_trainable_part(trainable, grads), state)
        return tree_map_parts(lambda keep, up, g: up if keep else _no_change(g), trainable, updates, grads), state

    return Optimizer(init, update)


def _trainable_part(trainable, tree):
    """Return the tree with () in place of each frozen part: a tree without leaves."""
    return tree_map_parts(lambda keep, part: part if keep else (), trainable, tree)


def _no_change(part):
    """Return minus zero everywhere: p + (-0.0) is p for every p, while -0.0 + 0.0 would turn the sign of a zero."""
    return tree_map(lambda leaf: np.full_like(leaf, -0.0), part)


def _check_choice(keep):
    if not isinstance(keep, (bool, np.bool_)):
        raise TypeError(f"trainable: expected True or False for each part, got {keep!r}")
