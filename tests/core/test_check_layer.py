"""check_layer: parameters, inputs, first state; whole and in two pieces; and a layer that does not keep to the protocol."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pytest

from rnn_tutorial.gradient_check import (
    ComplexStepLost,
    GradientError,
    StateLost,
    central_difference_slope,
    check_layer,
)
from rnn_tutorial.layers import CannotContinue


class SumState(NamedTuple):
    h: np.ndarray


@dataclass(frozen=True)
class Sums:
    """h = tanh(x w + h), over time: the smallest layer with a state. Its mask holds the state and zeroes the output."""

    size: int = 3

    def init(self, rng):
        return {"w": rng.standard_normal(self.size)}

    def initial_state(self, params, batch_size):
        return SumState(np.zeros((batch_size, self.size)))

    def forward(self, params, xs, state=None, *, mask=None, rng=None):
        h = (self.initial_state(params, xs.shape[1]) if state is None else state).h
        keeps = np.ones((*xs.shape[:2], 1)) if mask is None else mask[..., None] * 1.0
        hs = [h]
        for x, keep in zip(xs, keeps):
            hs.append(keep * np.tanh(x * params["w"] + hs[-1]) + (1 - keep) * hs[-1])
        return keeps * np.stack(hs[1:]), SumState(hs[-1]), (xs, hs, keeps)

    def backward(self, params, cache, dys, dstate=None):
        xs, hs, keeps = cache
        dh = np.zeros_like(hs[-1]) if dstate is None else dstate.h
        dxs, dw = [], 0
        for x, h, keep, dy in zip(xs[::-1], hs[:0:-1], keeps[::-1], dys[::-1]):
            da = keep * (dh + dy) * (1 - h * h)
            dw = dw + np.sum(da * x, axis=0)
            dxs.append(da * params["w"])
            dh = da + (1 - keep) * dh
        return {"w": dw}, np.stack(dxs[::-1]), SumState(dh)


class FinalSum(Sums):
    """The last h alone, one answer a sequence."""

    def forward(self, params, xs, state=None, *, mask=None, rng=None):
        _, state, cache = super().forward(params, xs, state, mask=mask)
        return state.h, state, cache

    def backward(self, params, cache, dy, dstate=None):
        dstate = SumState(dy if dstate is None else dstate.h + dy)
        return super().backward(params, cache, np.zeros_like(cache[0]), dstate)


class FromTheEnd(Sums):
    """Reads its sequence from the end, and cannot continue."""

    def initial_state(self, params, batch_size):
        raise CannotContinue("reads its sequence from the end")

    def forward(self, params, xs, state=None, *, mask=None, rng=None):
        mask = None if mask is None else mask[::-1]
        ys, _, cache = super().forward(
            params, xs[::-1], SumState(np.zeros(xs.shape[1:])), mask=mask
        )
        return ys[::-1], (), cache

    def backward(self, params, cache, dys, dstate=None):
        dparams, dxs, _ = super().backward(params, cache, dys[::-1])
        return dparams, dxs[::-1], ()


@dataclass(frozen=True)
class Rows:
    """A row of a matrix for each symbol: no state, and no gradient of its inputs."""

    def init(self, rng):
        return rng.standard_normal((7, 3))

    def initial_state(self, params, batch_size):
        return ()

    def forward(self, params, xs, state=None, *, mask=None, rng=None):
        return params[xs] ** 2, (), xs

    def backward(self, params, xs, dys, dstate=None):
        dE = np.zeros_like(params)
        np.add.at(dE, xs, 2 * params[xs] * dys)
        return dE, None, ()


@pytest.fixture
def rng():
    return np.random.default_rng(0)


XS = np.random.default_rng(1).standard_normal((5, 2, 3))
MASK = np.arange(5)[:, None] < np.array([5, 1])


@pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "ragged"])
@pytest.mark.parametrize(
    "layer", [Sums(), FinalSum(), FromTheEnd()], ids=lambda layer: type(layer).__name__
)
def test_a_right_layer_passes(layer, mask, rng):
    check_layer(layer, XS, rng, mask=mask)
    check_layer(layer, XS, rng, mask=mask, slope=central_difference_slope, rtol=1e-6)
    check_layer(layer, XS[:1], rng)


def test_integers_have_no_gradient(rng):
    check_layer(Rows(), rng.integers(0, 7, (5, 2)), rng)


def twin(Layer, **methods):
    """Return a layer with one method in another form: it is handed what the right one returns, and its arguments."""
    made = {}
    for name, change in methods.items():
        right = getattr(Layer, name)
        made[name] = lambda self, *args, right=right, change=change, **named: change(
            *right(self, *args, **named)
        )
    return type("Twin", (Layer,), made)()


WRONG = {
    r"\[0\]\['w'\]": {
        "backward": lambda dparams, dxs, dstate: ({"w": 2 * dparams["w"]}, dxs, dstate)
    },
    r"\[1\]": {"backward": lambda dparams, dxs, dstate: (dparams, -dxs, dstate)},
}


@pytest.mark.parametrize("layer", [Sums, FinalSum, FromTheEnd])
@pytest.mark.parametrize("leaf", WRONG)
def test_a_wrong_gradient_is_named(leaf, layer, rng):
    with pytest.raises(GradientError, match=rf"^wrong gradient\n{leaf}: [^\n]*$"):
        check_layer(twin(layer, **WRONG[leaf]), XS, rng)


class StateGradientWrong(Sums):
    """The gradient of the first state is that of 2 h, where the sequence is whole as where it is cut."""

    def backward(self, params, cache, dys, dstate=None):
        dparams, dxs, dstate = super().backward(params, cache, dys, dstate)
        return dparams, dxs, SumState(2 * dstate.h)


def test_a_wrong_gradient_of_the_first_state_is_found(rng):
    with pytest.raises(GradientError, match=r"\[2\].h: "):
        check_layer(StateGradientWrong(), XS[:1], rng)
    with pytest.raises(StateLost, match="StateGradientWrong.backward loses the state"):
        check_layer(StateGradientWrong(), XS, rng)


class ForgetsWhatComesIn(Sums):
    def forward(self, params, xs, state=None, *, mask=None, rng=None):
        return super().forward(params, xs, None, mask=mask)


class ReturnsTheFirst(Sums):
    def forward(self, params, xs, state=None, *, mask=None, rng=None):
        ys, _, cache = super().forward(params, xs, state, mask=mask)
        return ys, state, cache


class SaysItHasNone(Sums):
    """A wrapper that was written as if its layer had no state."""

    def initial_state(self, params, batch_size):
        return ()

    def forward(self, params, xs, state=None, *, mask=None, rng=None):
        ys, _, cache = super().forward(params, xs, SumState(np.zeros(xs.shape[1:])), mask=mask)
        return ys, (), cache

    def backward(self, params, cache, dys, dstate=None):
        return *super().backward(params, cache, dys)[:2], ()


class DropsTheGradient(Sums):
    def backward(self, params, cache, dys, dstate=None):
        return super().backward(params, cache, dys, None)


class EndsInTheMiddle(FromTheEnd):
    """Reads from the end and does not say so."""

    def initial_state(self, params, batch_size):
        return ()


def test_a_gradient_arrives_at_the_last_state(rng):
    with pytest.raises(GradientError, match=r"\[2\].h: "):
        check_layer(DropsTheGradient(), XS[:1], rng)


@pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "ragged"])
@pytest.mark.parametrize(
    "layer", [ForgetsWhatComesIn, ReturnsTheFirst, SaysItHasNone, DropsTheGradient, EndsInTheMiddle]
)
def test_a_layer_that_loses_its_state_is_told_so(layer, mask, rng):
    where = "backward" if layer is DropsTheGradient else "forward"
    with pytest.raises(StateLost, match=rf"^{layer.__name__}.{where} loses the state between two pieces"):
        check_layer(layer(), XS, rng, mask=mask)


def test_the_old_protocol_is_told_what_is_expected(rng):
    two = twin(Sums, forward=lambda ys, state, cache: (ys, cache))
    with pytest.raises(
        TypeError,
        match=r"Twin.forward: expected to get back \(ys, state, cache\), got a tuple of 2",
    ):
        check_layer(two, XS, rng)
    two = twin(Sums, backward=lambda dparams, dxs, dstate: (dparams, dxs))
    with pytest.raises(
        TypeError,
        match=r"Twin.backward: expected to get back \(dparams, dxs, dstate\), got a tuple of 2",
    ):
        check_layer(two, XS, rng)
    stateless = type(
        "Old", (), {"init": Sums.init, "forward": Sums.forward, "backward": Sums.backward}
    )()
    with pytest.raises(
        TypeError,
        match="layer: expected the methods init, initial_state, forward, backward, got Old without init",
    ):
        check_layer(stateless, XS, rng)


@pytest.mark.parametrize(
    "dtype, message",
    [(np.float32, "tree_cast"), (complex, "expected float64"), (bool, "expected float64")],
)
def test_inputs_of_another_dtype_are_refused(dtype, message, rng):
    with pytest.raises(TypeError, match=f"xs: .*{message}"):
        check_layer(Sums(), XS.astype(dtype), rng)


def test_a_layer_that_loses_the_complex_step_is_refused(rng):
    lossy = twin(Sums, forward=lambda ys, state, cache: (np.real(ys), state, cache))
    with pytest.raises(ComplexStepLost, match=r"output\[0\] is real, but changes with the point"):
        check_layer(lossy, XS, rng)
