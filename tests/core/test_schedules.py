"""The schedules at steps calculated by hand, and against PyTorch."""

import math

import numpy as np
import pytest

from rnn_tutorial.train import (
    as_schedule,
    constant,
    cosine,
    cyclic,
    exponential,
    linear,
    noam,
    staircase,
)

HAND = [
    (constant(0.1), {0: 0.1, 1000: 0.1}),
    (exponential(0.8, 0.5), {0: 0.8, 1: 0.4, 3: 0.1}),
    (exponential(0.8, 0.25, 4), {0: 0.8, 2: 0.4, 4: 0.2}),
    (staircase(0.8, 0.5, 10), {0: 0.8, 9: 0.8, 10: 0.4, 19: 0.4, 20: 0.2}),
    (linear(1.0, 0.2, 8), {0: 1.0, 4: 0.6, 6: 0.4, 8: 0.2, 100: 0.2}),
    (linear(0.0, 1.0, 4), {0: 0.0, 1: 0.25, 4: 1.0, 5: 1.0}),
    (cosine(1.0, 0.2, 6), {0: 1.0, 2: 0.8, 3: 0.6, 4: 0.4, 6: 0.2, 60: 0.2}),
    (cyclic(0.1, 0.5, 4), {0: 0.1, 1: 0.2, 4: 0.5, 5: 0.4, 7: 0.2, 8: 0.1, 12: 0.5, 16: 0.1}),
    (noam(64, 4), {0: 1 / 64, 3: 1 / 16, 15: 1 / 32, 63: 1 / 64}),
    (noam(64, 4, factor=2.0), {0: 1 / 32}),
]


@pytest.mark.parametrize("rate_at, wanted", HAND)
def test_the_rates_are_the_ones_worked_out_by_hand(rate_at, wanted):
    for step, rate in wanted.items():
        assert math.isclose(rate_at(step), rate, rel_tol=1e-14)
        assert type(rate_at(step)) is float
        assert rate_at(np.int64(step)) == rate_at(step)


@pytest.mark.parametrize(
    "ours, judge, options",
    [
        (exponential(0.1, 0.9), "ExponentialLR", {"gamma": 0.9}),
        (staircase(0.1, 0.5, 7), "StepLR", {"step_size": 7, "gamma": 0.5}),
        (
            linear(0.1, 0.02, 20),
            "LinearLR",
            {"start_factor": 1.0, "end_factor": 0.2, "total_iters": 20},
        ),
        (
            cyclic(0.01, 0.1, 6),
            "CyclicLR",
            {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 6, "cycle_momentum": False},
        ),
    ],
)
def test_pytorch_gives_the_same_rates(ours, judge, options):
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    scheduler = getattr(torch.optim.lr_scheduler, judge)(optimizer, **options)
    for step in range(30):
        assert math.isclose(ours(step), optimizer.param_groups[0]["lr"], rel_tol=1e-12)
        optimizer.step()
        scheduler.step()


def test_the_cosine_is_pytorchs_until_its_end():
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 20, eta_min=0.01)
    for step in range(21):
        assert math.isclose(
            cosine(0.1, 0.01, 20)(step), optimizer.param_groups[0]["lr"], rel_tol=1e-12
        )
        optimizer.step()
        scheduler.step()


@pytest.mark.parametrize(
    "make",
    [
        lambda: constant(-0.1),
        lambda: constant(np.nan),
        lambda: exponential(0.1, 0),
        lambda: exponential(0.1, 1.1),
        lambda: exponential(-1, 0.5),
        lambda: exponential(1, 0.5, 0),
        lambda: staircase(0.1, 0.5, 2.5),
        lambda: staircase(0.1, -1, 2),
        lambda: linear(-0.1, 0.1, 5),
        lambda: linear(0.1, -0.1, 5),
        lambda: linear(0.1, 0.1, 0),
        lambda: cosine(0.1, np.inf, 5),
        lambda: cosine(0.1, 0.0, -5),
        lambda: cyclic(0.5, 0.1, 4),
        lambda: cyclic(0.1, 0.5, 0),
        lambda: noam(0, 4),
        lambda: noam(64, 0),
        lambda: noam(64, 4, factor=0),
    ],
)
def test_bad_arguments_are_refused(make):
    with pytest.raises(ValueError, match="expected a (finite number|positive whole number)"):
        make()


def test_a_number_becomes_a_constant_schedule_and_a_schedule_stays_itself():
    assert [as_schedule(0.1)(step) for step in (0, 7)] == [0.1, 0.1]
    rates = [as_schedule(lambda step: np.float32(step + 1))(step) for step in (0, 7)]
    assert rates == [1.0, 8.0] and {type(rate) for rate in rates} == {float}


@pytest.mark.parametrize(
    "rate_at", [rate_at for rate_at, _ in HAND], ids=lambda rate_at: rate_at.func.__name__
)
@pytest.mark.parametrize("step", [-1, -0.5, np.int64(-3), np.nan, None])
def test_there_is_no_step_before_the_first(rate_at, step):
    with pytest.raises(ValueError, match="step: expected a finite number at least 0"):
        rate_at(step)


@pytest.mark.parametrize("rate", [-0.1, np.nan, np.inf])
def test_a_schedule_of_ones_own_is_held_to_rates(rate):
    with pytest.raises(ValueError, match="rate: expected a finite number at least 0"):
        as_schedule(lambda step: rate)(3)
    assert as_schedule(lambda step: np.where(step < 2, 0.1, 0.2))(3) == 0.2
