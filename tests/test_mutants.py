"""A test of the tests: every one-token slip in a backward pass is caught by the checks that the chapters and tests use."""

import numpy as np
import pytest
from example_cell import Leaky
from mutation import mutants

from rnn_tutorial import gradient_check, losses
from rnn_tutorial.activations import sigmoid
from rnn_tutorial.cells import elman as elman_module
from rnn_tutorial.cells.elman import Elman, elman
from rnn_tutorial.gradient_check import (
    central_difference_slope,
    check_cell,
    check_gradients,
    complex_step_slope,
    numerical_gradient,
    random_start,
    relative_error,
)
from rnn_tutorial.layers import Dense, Embedding, Last, Recurrent, Serial
from rnn_tutorial.tree import tree_random_like
from rnn_tutorial.unroll import unroll, unroll_backward

T, B, D, H = 4, 3, 2, 5
MASK = np.arange(T)[:, None] < np.array([4, 2, 1])


def rng():
    return np.random.default_rng(0)


def check_step_backward(backward):
    params, state = random_start(Elman, rng(), B, D, H)
    point = params, rng().standard_normal((B, D)), state
    check_gradients(lambda p: elman_module.elman_step(*p), lambda cache, d: backward(params, cache, d), point, rng())


def check_pointwise_backward(backward):
    check_cell(elman(sigmoid)._replace(pointwise_backward=lambda *a: backward(*a, activation=sigmoid)), rng(), T=T, B=B, D=D, H=H)


def check_unroll_backward(backward):
    params, state = random_start(Leaky, rng(), B, D, H)
    point = params, rng().standard_normal((T, B, D)), state
    for mask in (None, MASK):
        check_gradients(lambda p, mask=mask: unroll(Leaky, *p, mask), lambda c, d: backward(Leaky, params, c, d), point, rng())


def check_layer_backward(layer, xs, mask=None):
    """Return a check of `backward(layer, params, cache, dys)`."""

    def check(backward):
        params = tree_random_like(layer.init(rng()), rng(), 0.3)
        ys, cache = layer.forward(params, xs, mask=mask)
        with pytest.raises((ValueError, TypeError), match="expected"):
            backward(layer, params, cache, ys[1:])
        if xs.dtype == float:
            forward, point = (lambda p: layer.forward(*p, mask=mask)), (params, xs)
        else:
            forward, point = (lambda p: layer.forward(*p, xs, mask=mask)), (params,)
        check_gradients(forward, lambda c, d: backward(layer, params, c, d)[: len(point)], point, rng())

    return check


def check_loss(plain, targets, slope, options):
    """Return a check of the value, by a formula written out, and of the gradient, by its slope; whole and masked."""

    def check(loss):
        with np.errstate(all="raise", under="ignore"):
            assert np.isfinite(loss(np.where(targets_of(targets) > 0, -1e4, 1e4), targets, **options)[1]).all()
        ys = rng().standard_normal((T, B, H))
        for mask in (None, MASK):
            value, dys = loss(ys, targets, mask=mask, **options)
            counted = np.ones((T, B), bool) if mask is None else mask
            rows = [plain(ys[t, b], targets[t, b], **options) for t, b in np.argwhere(counted)]
            assert abs(value - np.mean(rows)) < 1e-12
            reference = numerical_gradient(lambda p, mask=mask: loss(p[0], targets, mask=mask, **options)[0], (ys,), slope)[0]
            assert relative_error(dys, reference) < (1e-12 if slope is not central_difference_slope else 1e-6)

    return check


def targets_of(targets):
    """Return the targets as the outputs would be: class numbers as one-hot rows."""
    return targets if targets.ndim == 3 else np.eye(H)[targets]


def plain_softmax_cross_entropy(logits, target, temperature):
    e = np.exp(logits / temperature)
    return -np.log(e[target] / e.sum())


def plain_binary_cross_entropy(logits, targets, temperature):
    p = 1 / (1 + np.exp(-logits / temperature))
    return np.mean(-targets * np.log(p) - (1 - targets) * np.log(1 - p))


XS = rng().standard_normal((T, B, D))
REAL_TARGETS = np.random.default_rng(1).standard_normal((T, B, H))
BITS = np.random.default_rng(1).integers(0, 2, (T, B, H)).astype(float)
CLASSES = np.random.default_rng(1).integers(0, H, (T, B))
complex_step = complex_step_slope

CHECKS = {  # the function, and the check that must fail for each of its mutants
    "elman_step_backward": (elman_module.elman_step_backward, check_step_backward),
    "elman_pointwise_backward": (elman_module.elman_pointwise_backward, check_pointwise_backward),
    "unroll_backward": (unroll_backward, check_unroll_backward),
    "Recurrent.backward": (Recurrent.backward, check_layer_backward(Recurrent(Elman, D, H), XS, MASK)),
    "Last.backward": (Last.backward, check_layer_backward(Last(), XS, MASK)),
    "Dense.backward": (Dense.backward, check_layer_backward(Dense(D, H), XS)),
    "Embedding.backward": (Embedding.backward, check_layer_backward(Embedding(H, D), CLASSES)),
    "Serial.backward": (Serial.backward, check_layer_backward(Serial((Dense(D, H), Recurrent(Elman, H, 7), Dense(7, 2))), XS)),
    "mean_squared_error": (
        losses.mean_squared_error,
        check_loss(lambda y, t: np.mean((y - t) ** 2), REAL_TARGETS, complex_step, {}),
    ),
    "mean_absolute_error": (
        losses.mean_absolute_error,
        check_loss(lambda y, t: np.mean(np.abs(y - t)), REAL_TARGETS, central_difference_slope, {}),
    ),
    "binary_cross_entropy": (
        losses.binary_cross_entropy,
        check_loss(plain_binary_cross_entropy, BITS, complex_step, {"temperature": 1.7}),
    ),
    "softmax_cross_entropy": (
        losses.softmax_cross_entropy,
        check_loss(plain_softmax_cross_entropy, CLASSES, complex_step, {"temperature": 1.7}),
    ),
}
HARMLESS = {
    "Dense.backward": [  # to NumPy any negative length means "as many as fit"
        "flat_xs, flat_dys = (xs.reshape(-1, self.input_size), dys.reshape(-1, self.output_size))  ->  "
        "flat_xs, flat_dys = (xs.reshape(-2, self.input_size), dys.reshape(-1, self.output_size))",
        "flat_xs, flat_dys = (xs.reshape(-1, self.input_size), dys.reshape(-1, self.output_size))  ->  "
        "flat_xs, flat_dys = (xs.reshape(-1, self.input_size), dys.reshape(-2, self.output_size))",
    ],
    "softmax_cross_entropy": [  # as many rows as targets
        "return (-np.mean(log_p[rows, target]), _spread(dz / float(len(rows) * temperature), counted))  ->  "
        "return (-np.mean(log_p[rows, target]), _spread(dz / float(len(target) * temperature), counted))",
    ],
    "binary_cross_entropy": [  # exp(z) is as good as exp(-z) while z is small
        "positive = z.real > 0  ->  positive = z.real > 1",
    ],
}


def caught(check, mutant):
    try:
        with np.errstate(all="ignore"):
            check(mutant)
    except (Exception, pytest.fail.Exception):
        return True
    return False


@pytest.mark.parametrize("name", CHECKS)
def test_the_original_passes(name):
    function, check = CHECKS[name]
    check(function)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CHECKS)
def test_every_slip_is_caught(name, monkeypatch):
    monkeypatch.setattr(gradient_check, "numerical_gradient", lambda loss, point, slope: point)  # no diagnosis: it is slow
    function, check = CHECKS[name]
    verdicts = {description: caught(check, mutant) for description, mutant in mutants(function)}
    survivors = [description for description, found in verdicts.items() if not found]
    assert len(verdicts) >= 15, f"only {len(verdicts)} slips were tried"
    assert survivors == HARMLESS.get(name, []), "\n".join(survivors)
