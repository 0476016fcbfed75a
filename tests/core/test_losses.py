"""The losses against complex step, finite differences and PyTorch."""

import warnings

import numpy as np
import pytest

from rnn_tutorial.gradient_check import relative_error
from rnn_tutorial.train import (
    activation_regularization,
    binary_cross_entropy,
    log_softmax,
    mean_absolute_error,
    mean_squared_error,
    softmax,
    softmax_cross_entropy,
    temporal_activation_regularization,
)
from rnn_tutorial.train import losses as losses_module

T, B, K = 4, 3, 5
MASK = np.array(
    [[True, True, True], [True, False, True], [True, False, True], [False, False, True]]
)
LOSSES = [mean_squared_error, mean_absolute_error, binary_cross_entropy, softmax_cross_entropy]


def example(loss, dtype=np.float64, seed=0, scale=2.0):
    """Return ys and targets that suit the loss."""
    rng = np.random.default_rng(seed)
    ys = (scale * rng.standard_normal((T, B, K))).astype(dtype)
    if loss is softmax_cross_entropy:
        return ys, rng.integers(0, K, (T, B))
    if loss is binary_cross_entropy:
        return ys, rng.random((T, B, K)).astype(dtype)
    return ys, rng.standard_normal((T, B, K)).astype(dtype)


def complex_step(loss, ys, targets, **options):
    """Return the gradient, entry by entry, from the imaginary part of the value."""
    gradient = np.zeros_like(ys)
    for index in np.ndindex(ys.shape):
        shifted = ys.astype(complex)
        shifted[index] += 1e-30j
        gradient[index] = loss(shifted, targets, **options)[0].imag / 1e-30
    return gradient


OPTIONS = [{}, {"mask": MASK}]
TEMPERED = [{"temperature": 0.3}, {"temperature": 5.0, "mask": MASK}]
SMOOTH = [(mean_squared_error, options) for options in OPTIONS] + [
    (loss, options)
    for loss in (binary_cross_entropy, softmax_cross_entropy)
    for options in OPTIONS + TEMPERED
]


@pytest.mark.parametrize("loss, options", SMOOTH)
@pytest.mark.parametrize("scale", [2.0, 50.0])
def test_the_gradient_is_that_of_the_value(loss, options, scale):
    ys, targets = example(loss, scale=scale)
    _, dys = loss(ys, targets, **options)
    reference = complex_step(loss, ys, targets, **options)
    np.testing.assert_allclose(dys, reference, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("options", OPTIONS)
def test_the_gradient_of_the_absolute_error_agrees_with_finite_differences(options):
    ys, targets = example(mean_absolute_error)
    _, dys = mean_absolute_error(ys, targets, **options)
    for index in np.ndindex(ys.shape):
        up, down = ys.copy(), ys.copy()
        up[index] += 1e-6
        down[index] -= 1e-6
        slope = (
            mean_absolute_error(up, targets, **options)[0]
            - mean_absolute_error(down, targets, **options)[0]
        ) / 2e-6
        assert abs(dys[index] - slope) < 1e-8


def test_the_gradient_of_the_absolute_error_is_zero_at_the_target():
    value, dys = mean_absolute_error(np.array([[1.0, 2.0]]), np.array([[1.0, 4.0]]))
    assert value == 1.0
    assert dys.tolist() == [[0.0, -0.5]]


def test_the_values_are_the_ones_computed_by_hand():
    ys, targets = np.array([[1.0, -2.0], [3.0, 0.0]]), np.array([[0.0, 0.0], [1.0, 1.0]])
    assert mean_squared_error(ys, targets)[0] == (1 + 4 + 4 + 1) / 4
    assert mean_absolute_error(ys, targets)[0] == (1 + 2 + 2 + 1) / 4
    assert mean_squared_error(ys, targets, mask=np.array([True, False]))[0] == (1 + 4) / 2
    assert mean_absolute_error(ys, targets, mask=np.array([False, True]))[0] == (2 + 1) / 2
    logits = np.log(np.array([[1.0, 2.0, 5.0]]))
    np.testing.assert_allclose(
        softmax_cross_entropy(logits, np.array([1]))[0], -np.log(2 / 8), rtol=1e-15
    )
    half = binary_cross_entropy(np.array([[0.0, np.log(3.0)]]), np.array([[1.0, 0.0]]))[0]
    np.testing.assert_allclose(half, (np.log(2) + np.log(4)) / 2, rtol=1e-15)


@pytest.mark.parametrize("temperature", [0.2, 1.0, 5.0])
@pytest.mark.parametrize("mask", [None, MASK])
@pytest.mark.parametrize("loss", LOSSES)
def test_pytorch_finds_the_same_value_and_gradient(loss, mask, temperature):
    torch = pytest.importorskip("torch")
    judge = {
        mean_squared_error: torch.nn.functional.mse_loss,
        mean_absolute_error: torch.nn.functional.l1_loss,
        binary_cross_entropy: torch.nn.functional.binary_cross_entropy_with_logits,
        softmax_cross_entropy: torch.nn.functional.cross_entropy,
    }[loss]
    options = (
        {"temperature": temperature}
        if loss in (binary_cross_entropy, softmax_cross_entropy)
        else {}
    )
    divisor = options.get("temperature", 1.0)
    ys, targets = example(loss, scale=4.0)
    keep = np.ones((T, B), bool) if mask is None else mask
    leaf = torch.tensor(ys, requires_grad=True)
    reference = judge(leaf[torch.tensor(keep)] / divisor, torch.tensor(targets)[torch.tensor(keep)])
    reference.backward()
    value, dys = loss(ys, targets, mask=mask, **options)
    np.testing.assert_allclose(value, reference.item(), rtol=1e-12)
    np.testing.assert_allclose(dys, leaf.grad.numpy(), rtol=1e-12, atol=1e-16)


@pytest.mark.parametrize("loss", LOSSES)
def test_what_stands_at_a_masked_place_is_never_looked_at(loss):
    ys, targets = example(loss)
    value, dys = loss(ys, targets, mask=MASK)
    assert (dys[~MASK] == 0).all()
    assert (dys[MASK] != 0).all()
    garbled_ys, garbled_targets = ys.copy(), targets.copy()
    garbled_ys[~MASK] = [np.nan, np.inf, -np.inf, 1e300, 0]
    garbled_targets[~MASK] = -7
    again, dys_again = loss(garbled_ys, garbled_targets, mask=MASK)
    assert again == value
    assert np.array_equal(dys_again, dys)


@pytest.mark.parametrize("temperature", [1.0, 1e-3, 100.0])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_enormous_logits_give_finite_numbers_and_no_warning(dtype, temperature):
    logits = np.array([[1e4, -1e4, 0.0], [-1e4, 1e4, 1e4]], dtype)
    with warnings.catch_warnings(), np.errstate(over="raise", invalid="raise", divide="raise"):
        warnings.simplefilter("error")
        value, dlogits = softmax_cross_entropy(logits, np.array([1, 2]), temperature=temperature)
        binary, dbinary = binary_cross_entropy(
            logits, (logits < 0).astype(dtype), temperature=temperature
        )
        probabilities = softmax(logits, temperature)
    assert np.isfinite(dlogits).all() and np.isfinite(dbinary).all()
    np.testing.assert_allclose(value, (2e4 / temperature + np.log(2)) / 2, rtol=1e-6)
    np.testing.assert_allclose(binary, (5e4 / temperature + np.log(2)) / 6, rtol=1e-6)
    np.testing.assert_allclose(probabilities.sum(axis=-1), 1, rtol=1e-6)


@pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "ragged"])
def test_the_number_of_rows_computed_at_a_time_makes_no_difference(mask, monkeypatch):
    logits, targets = example(softmax_cross_entropy)
    value, dlogits = softmax_cross_entropy(logits, targets, mask=mask, temperature=0.7)
    row = logits.shape[-1] * logits.itemsize
    for size in (1, row, 3 * row):
        monkeypatch.setattr(losses_module, "BLOCK_BYTES", size)
        again, dagain = softmax_cross_entropy(logits, targets, mask=mask, temperature=0.7)
        assert again == pytest.approx(value, rel=1e-15)
        np.testing.assert_allclose(dagain, dlogits, rtol=1e-14)


def test_a_small_loss_keeps_its_digits():
    value, _ = softmax_cross_entropy(np.array([[0.0, -40.0]]), np.array([1]))
    np.testing.assert_allclose(value, 40.0, rtol=1e-15)
    value, dlogits = binary_cross_entropy(np.array([[40.0]]), np.array([[1.0]]))
    np.testing.assert_allclose(value, np.exp(-40.0), rtol=1e-12)
    _, dlogits = binary_cross_entropy(np.array([[-40.0]]), np.array([[0.0]]))
    np.testing.assert_allclose(dlogits, np.exp(-40.0), rtol=1e-12)


def test_softmax_is_the_quotient_of_exponentials():
    logits = np.random.default_rng(3).standard_normal((2, 3, 4))
    for temperature in (0.5, 1.0, 3.0):
        e = np.exp(logits / temperature)
        np.testing.assert_allclose(
            softmax(logits, temperature), e / e.sum(axis=-1, keepdims=True), rtol=1e-14
        )
        np.testing.assert_allclose(
            np.exp(log_softmax(logits, temperature)), softmax(logits, temperature), rtol=1e-14
        )
    assert np.array_equal(softmax(logits), softmax(logits, 1.0))
    assert np.array_equal(log_softmax(logits), log_softmax(logits, 1.0))
    for function in (softmax, log_softmax):
        with pytest.raises(TypeError, match="logits: expected an array of floating-point numbers"):
            function(np.ones((2, 3), int))


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("mask", [None, MASK])
def test_float32_stays_float32_and_nothing_is_changed(loss, mask):
    ys, targets = example(loss, np.float32)
    before = ys.copy(), targets.copy()
    value, dys = loss(ys, targets, mask=mask)
    assert value.dtype == dys.dtype == np.float32
    assert dys.shape == ys.shape
    assert np.array_equal(ys, before[0]) and np.array_equal(targets, before[1])
    if loss in (binary_cross_entropy, softmax_cross_entropy):
        value, dys = loss(ys, targets, mask=mask, temperature=np.float64(2))
        assert value.dtype == dys.dtype == np.float32


@pytest.mark.parametrize("loss", LOSSES)
def test_one_step_without_time_is_the_same_loss(loss):
    ys, targets = example(loss)
    value, dys = loss(ys, targets)
    flat_value, flat_dys = loss(ys.reshape(-1, K), targets.reshape(T * B, *targets.shape[2:]))
    assert value == flat_value
    assert np.array_equal(dys.reshape(-1, K), flat_dys)


def test_a_class_outside_the_vocabulary_is_named_with_its_place():
    logits, targets = example(softmax_cross_entropy)
    for wrong in (K, -1):
        targets[1, 2] = wrong
        message = rf"targets: expected indices in 0\.\.4 \(V = 5\), got {wrong} at \(1, 2\)"
        with pytest.raises(IndexError, match=message):
            softmax_cross_entropy(logits, targets)


@pytest.mark.parametrize("loss", LOSSES)
def test_whole_numbers_are_refused_where_logits_are_meant(loss):
    _, targets = example(loss)
    with pytest.raises(
        TypeError,
        match="(ys|logits): expected an array of floating-point numbers, got an array of int",
    ):
        loss(np.ones((T, B, K), int), targets)
    with pytest.raises(
        TypeError, match="(ys|logits): expected an array of floating-point numbers, got list"
    ):
        loss([1.0], targets)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_wrong_mask_is_refused(loss):
    ys, targets = example(loss)
    with pytest.raises(ValueError, match="mask: expected at least one True"):
        loss(ys, targets, mask=np.zeros((T, B), bool))
    with pytest.raises(ValueError, match=r"mask: expected shape \(4, 3\).*got \(4,\)"):
        loss(ys, targets, mask=np.ones(T, bool))
    with pytest.raises(TypeError, match="mask: expected a boolean array.*float64"):
        loss(ys, targets, mask=np.ones((T, B)))


@pytest.mark.parametrize("loss", LOSSES)
def test_targets_of_another_shape_are_refused_and_never_broadcast(loss):
    ys, targets = example(loss)
    with pytest.raises(ValueError, match=r"targets: expected shape .* got \(1, "):
        loss(ys, targets[:1])


@pytest.mark.parametrize("loss", LOSSES[:3])
def test_targets_of_another_kind_are_refused(loss):
    ys, targets = example(loss)
    with pytest.raises(
        TypeError, match="targets: expected an array of float64.*got an array of float32"
    ):
        loss(ys, targets.astype(np.float32))
    targets[2, 1, 0] = np.nan
    with pytest.raises(
        ValueError, match=r"targets: expected finite numbers, got nan at index \(2, 1, 0\)"
    ):
        loss(ys, targets)
    for shape in ((), (0, K), (T, 0)):
        with pytest.raises(ValueError, match="at least one axis and one entry"):
            loss(np.zeros(shape), np.zeros(shape))


def test_classes_must_be_whole_numbers():
    logits, targets = example(softmax_cross_entropy)
    with pytest.raises(TypeError, match="targets: expected an array of class indices.*float64"):
        softmax_cross_entropy(logits, targets.astype(float))


def test_a_probability_outside_zero_to_one_is_refused():
    logits, targets = example(binary_cross_entropy)
    for wrong in (1.5, -0.5):
        targets[0, 0, 0] = wrong
        with pytest.raises(ValueError, match="targets: expected probabilities from 0 to 1"):
            binary_cross_entropy(logits, targets)


@pytest.mark.parametrize("temperature", [0, -1.0, np.nan, np.inf, "hot"])
def test_a_temperature_that_is_not_positive_is_refused(temperature):
    for loss in (binary_cross_entropy, softmax_cross_entropy):
        ys, targets = example(loss)
        with pytest.raises(ValueError, match="temperature: expected a finite number above 0"):
            loss(ys, targets, temperature=temperature)
    with pytest.raises(ValueError, match="temperature"):
        softmax(ys, temperature)


def test_the_absolute_error_refuses_complex_numbers():
    ys, targets = example(mean_absolute_error)
    with pytest.raises(TypeError, match="ys: expected real numbers"):
        mean_absolute_error(ys.astype(complex), targets)


def test_a_loss_of_nan_is_not_hidden():
    for loss in LOSSES:
        ys, targets = example(loss)
        ys[0, 0, 0] = np.nan
        assert np.isnan(loss(ys, targets)[0])


@pytest.mark.parametrize("loss", LOSSES)
def test_short_numbers_are_refused_where_the_mean_of_a_long_batch_would_be_lost(loss):
    ys, targets = example(loss, np.float16)
    with pytest.raises(
        TypeError,
        match=r"expected an array of floating-point numbers, got an array of float16 \(float32",
    ):
        loss(ys, targets)
    many, zeros = np.zeros((100_000, 4), np.float32), np.zeros(100_000, int)
    assert softmax_cross_entropy(many, zeros)[1].all()  # in float16 all of them are zero


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(
    "make", [lambda a: a.reshape(len(a), -1).view(np.matrix), np.ma.masked_array]
)
def test_matrices_and_masked_arrays_are_refused(loss, make):
    ys, targets = example(loss)
    with pytest.raises(
        TypeError,
        match="(ys|logits): expected an array of floating-point numbers, got (matrix|MaskedArray)",
    ):
        loss(make(ys), targets)
    with pytest.raises(
        TypeError, match="targets: expected an array of .*, got (matrix|MaskedArray)"
    ):
        loss(ys, make(targets))
    with pytest.raises(
        TypeError, match="mask: expected a boolean array, .*, got (matrix|MaskedArray)"
    ):
        loss(ys, targets, mask=make(MASK))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_temperature_that_is_zero_in_the_dtype_of_the_logits_is_refused(dtype):
    logits, tiny = np.array([[1.0, 2.0]], dtype), float(np.finfo(dtype).tiny)
    assert softmax(logits, tiny).tolist() == [[0, 1]]
    for function in (softmax, log_softmax):
        with pytest.raises(
            ValueError, match="temperature: expected a finite number above 0 and at least"
        ):
            function(logits, tiny / 4)


PENALTIES = [activation_regularization, temporal_activation_regularization]


@pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "ragged"])
@pytest.mark.parametrize("penalty", PENALTIES)
def test_the_gradient_of_a_penalty_is_that_of_the_value(penalty, mask, rng):
    hs = rng.standard_normal((T, B, K))
    reference = complex_step(penalty, hs, 0.7, mask=mask)
    assert relative_error(penalty(hs, 0.7, mask=mask)[1], reference) < 1e-12


@pytest.mark.parametrize("penalty", PENALTIES)
def test_a_penalty_of_a_padded_batch_is_the_mean_over_its_real_steps_alone(penalty, rng):
    hs, mask = rng.standard_normal((T, B, K)), np.arange(T)[:, None] < [4, 2, 3]
    each = [hs[:n, b] for b, n in enumerate(mask.sum(axis=0))]
    temporal = penalty is temporal_activation_regularization
    parts = [np.diff(h, axis=0) for h in each] if temporal else each
    want = 0.7 * np.mean(np.concatenate(parts) ** 2)
    hs[~mask] = np.nan
    value, dhs = penalty(hs, 0.7, mask=mask)
    assert value == pytest.approx(want, rel=1e-14)
    assert (dhs[~mask] == 0).all() and np.isfinite(dhs).all()


def test_penalties_by_hand():
    hs = np.array([1.0, 3.0, 0.0]).reshape(3, 1, 1)
    value, dhs = activation_regularization(hs, 0.5)
    assert value == 0.5 * 10 / 3
    np.testing.assert_allclose(dhs.ravel(), [1 / 3, 1, 0])
    value, dhs = temporal_activation_regularization(hs, 0.5)
    assert value == 0.5 * (4 + 9) / 2
    np.testing.assert_allclose(dhs.ravel(), [-1, 2.5, -1.5])


def test_a_step_after_a_pause_has_no_step_before_it():
    hs, mask = np.array([1.0, 5.0, 3.0, 4.0]).reshape(4, 1, 1), np.array([1, 0, 1, 1], bool)
    value, dhs = temporal_activation_regularization(hs, 0.5, mask=mask[:, None])
    assert value == 0.5
    np.testing.assert_allclose(dhs.ravel(), [0, 0, -1, 1])


@pytest.mark.parametrize("penalty", PENALTIES)
def test_penalties_and_their_gradients_are_those_of_pytorch(penalty, rng):
    torch = pytest.importorskip("torch")
    hs = torch.tensor(rng.standard_normal((T, B, K)), requires_grad=True)
    temporal = penalty is temporal_activation_regularization
    theirs = 2 * (hs[1:] - hs[:-1] if temporal else hs).pow(2).mean()
    theirs.backward()
    value, dhs = penalty(hs.detach().numpy(), 2)
    assert relative_error(value, theirs.item()) < 1e-14
    assert relative_error(dhs, hs.grad.numpy()) < 1e-14


@pytest.mark.parametrize("penalty, name", list(zip(PENALTIES, ("alpha", "beta"))))
def test_what_a_penalty_cannot_mean_is_refused(penalty, name):
    hs = np.ones((T, B, K))
    assert penalty(hs.astype(np.float32), np.float64(1))[1].dtype == np.float32
    with pytest.raises(ValueError, match=f"{name}: expected a finite number at least 0, got -1"):
        penalty(hs, -1)
    with pytest.raises(TypeError, match="hs: expected an array of floating-point numbers"):
        penalty(hs.astype(int), 1)
    with pytest.raises(ValueError, match="mask: expected shape"):
        penalty(hs, 1, mask=MASK[1:])
    alone = np.arange(T)[:, None] < [1, 1, 1]
    for one in ({"hs": hs[:1]}, {"hs": hs, "mask": alone}):
        if name == "beta":
            with pytest.raises(ValueError, match="two real steps one after the other, got none"):
                penalty(beta=1, **one)
