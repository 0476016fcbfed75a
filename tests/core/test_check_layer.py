"""check_layer: every gradient, a sequence in two pieces, and layers that break the contract."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pytest
from every_layer import D, V, every_layer, reads_symbols

from rnn_tutorial.cells import LSTM
from rnn_tutorial.gradient_check import (
    Checked,
    ComplexStepLost,
    ContractBroken,
    GradientError,
    StateLost,
    central_difference_slope,
    check_layer,
)
from rnn_tutorial.layers import CannotContinue, Dense, Embedding, Recurrent, Serial
from rnn_tutorial.validation import NotFiniteError


class SumState(NamedTuple):
    h: np.ndarray


@dataclass(frozen=True)
class Sums:
    """h = tanh(x w + h), over time: the smallest layer with a state.

    Where the mask is False, the state stays and the output is zero.
    """

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
    """Return a layer whose methods return change(*what the right one returns)."""
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
    """The gradient of the first state is that of 2 h, in a whole sequence and in a piece."""

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
    with pytest.raises(
        StateLost, match=rf"^{layer.__name__}.{where} loses the state between two pieces"
    ):
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
        match="layer: expected the methods init, initial_state, forward, backward, "
        "got Old without init",
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


# The contract

LAYERS = every_layer() | {
    "a language model": Serial((Embedding(V, D), Recurrent(LSTM, D, 5), Dense(5, V))),
}


@pytest.mark.parametrize("ragged", [False, True], ids=["whole", "ragged"])
@pytest.mark.parametrize("name", LAYERS)
def test_every_layer_of_the_package_keeps_the_contract(name, ragged, rng):
    symbols = reads_symbols(LAYERS[name])
    xs = rng.integers(V, size=(6, 3)) if symbols else rng.standard_normal((6, 3, D))
    mask = np.arange(6)[:, None] < np.array([6, 4, 1]) if ragged else None
    check_layer(LAYERS[name], xs, rng, mask=mask)


def test_it_returns_a_line_that_says_what_it_checked(rng, capsys):
    line = check_layer(Sums(), XS, rng)
    expected = (
        "Sums: 1 parameter, inputs and first state, over 5 steps, in one piece and in two: "
        "right to 1e-12, contract kept ✓"
    )
    assert isinstance(line, Checked) and repr(line) == str(line) == expected
    for layer, xs, start in (
        (Sums(), XS[:1], "Sums: 1 parameter, inputs and first state, over 1 step: right"),
        (FromTheEnd(), XS, "FromTheEnd: 1 parameter and inputs, over 5 steps: right"),
        (Rows(), rng.integers(0, 7, (5, 2)), "Rows: 1 parameter, over 5 steps, in one piece"),
    ):
        assert check_layer(layer, xs, rng).startswith(start)
    assert "over 5 steps, ragged, in one piece" in check_layer(Sums(), XS, rng, mask=MASK)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_inputs_that_are_not_finite_are_refused(value, rng):
    xs = XS.copy()
    xs[2, 1, 0] = value
    with pytest.raises(NotFiniteError, match=f"^xs: expected finite numbers, got {value} at index"):
        check_layer(Sums(), xs, rng)


@pytest.mark.parametrize("xs", [np.zeros(3), np.zeros((0, 2, 3)), np.zeros((5, 0, 3))])
def test_inputs_without_steps_or_sequences_are_refused(xs, rng):
    with pytest.raises(ValueError, match=r"^xs: expected shape \(T, B, ...\)"):
        check_layer(Sums(), xs, rng)


class ChangesXs(Sums):
    def forward(self, params, xs, state=None, *, mask=None, rng=None):
        returned = super().forward(params, xs.copy(), state, mask=mask)
        xs[...] = 0
        return returned


class ChangesState(Sums):
    def forward(self, params, xs, state=None, *, mask=None, rng=None):
        returned = super().forward(params, xs, SumState(state.h.copy()), mask=mask)
        state.h[...] = returned[1].h
        return returned


class ChangesXsInItsBackward(Sums):
    def backward(self, params, cache, dys, dstate=None):
        returned = super().backward(params, cache, dys, dstate)
        cache[0][...] = 0
        return returned


class ChangesDys(Sums):
    def backward(self, params, cache, dys, dstate=None):
        returned = super().backward(params, cache, dys.copy(), dstate)
        dys *= 0.5
        return returned


class ChangesDstate(Sums):
    def backward(self, params, cache, dys, dstate=None):
        returned = super().backward(params, cache, dys, SumState(dstate.h.copy()))
        dstate.h[...] = 0
        return returned


@pytest.mark.parametrize(
    "layer, where, what",
    [
        (ChangesXs, "forward", "xs"),
        (ChangesState, "forward", r"state\.h"),
        (ChangesXsInItsBackward, "backward", "xs"),
        (ChangesDys, "backward", "dys"),
        (ChangesDstate, "backward", r"dstate\.h"),
    ],
)
def test_a_layer_that_changes_what_it_is_given_is_found(layer, where, what, rng):
    xs = XS.copy()
    with pytest.raises(
        ContractBroken, match=rf"^{layer.__name__}.{where} changed {what} in place: "
    ):
        check_layer(layer(), xs, rng)


class WithoutBatchAxis(Sums):
    def initial_state(self, params, batch_size):
        return SumState(np.zeros(self.size))


class LosesTheBatchAxis(FromTheEnd):
    def forward(self, params, xs, state=None, *, mask=None, rng=None):
        ys, _, cache = super().forward(params, xs, state, mask=mask)
        return ys, SumState(ys.sum(axis=(0, 1))), cache


def test_a_state_without_batch_axis_is_refused(rng):
    row = r"state\.h: expected shape \(2, ...\), one row for each sequence, got \(3,\)"
    with pytest.raises(ValueError, match=rf"^WithoutBatchAxis.initial_state: {row}"):
        check_layer(WithoutBatchAxis(), XS, rng)
    with pytest.raises(ValueError, match=rf"^LosesTheBatchAxis.forward: {row}"):
        check_layer(LosesTheBatchAxis(), XS, rng)


@dataclass(frozen=True)
class DropsTheMask:
    """A wrapper that does not give the mask to its layer."""

    layer: object

    def init(self, rng):
        return self.layer.init(rng)

    def initial_state(self, params, batch_size):
        return self.layer.initial_state(params, batch_size)

    def forward(self, params, xs, state=None, *, mask=None, rng=None):
        return self.layer.forward(params, xs, state, rng=rng)

    def backward(self, params, cache, dys, dstate=None):
        return self.layer.backward(params, cache, dys, dstate)


class ZeroesThePadding(DropsTheMask):
    """The same, and it sets the padding to zero: the state goes on all the same."""

    def forward(self, params, xs, state=None, *, mask=None, rng=None):
        xs = xs if mask is None else xs * mask[..., None]
        return self.layer.forward(params, xs, state, rng=rng)


@pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "ragged"])
def test_a_wrapper_that_drops_the_mask_is_found(mask, rng):
    with pytest.raises(
        ContractBroken, match="^DropsTheMask.forward reads the padding: .* the last state changes"
    ):
        check_layer(DropsTheMask(Sums()), XS, rng, mask=mask)
    with pytest.raises(ContractBroken, match="^DropsTheMask.forward reads the padding: .* ys "):
        check_layer(DropsTheMask(FromTheEnd()), XS, rng, mask=mask)
    with pytest.raises(
        ContractBroken,
        match="^ZeroesThePadding.forward does not hold to the mask: the last state of sequence 1",
    ):
        check_layer(ZeroesThePadding(Sums()), XS, rng, mask=MASK)
    with pytest.raises(ContractBroken, match="^DropsTheMask.forward reads the padding"):
        check_layer(DropsTheMask(Sums()), XS[:, :1], rng)


@dataclass(frozen=True)
class Centred(DropsTheMask):
    """A layer that takes the mean over the batch away: every sequence sees the others."""

    def forward(self, params, xs, state=None, *, mask=None, rng=None):
        ys, state, cache = self.layer.forward(params, xs, state, mask=mask)
        return ys - ys.mean(axis=1, keepdims=True), state, cache

    def backward(self, params, cache, dys, dstate=None):
        return self.layer.backward(params, cache, dys - dys.mean(axis=1, keepdims=True), dstate)


@pytest.mark.parametrize("layer", [Sums(), FromTheEnd()], ids=["Sums", "FromTheEnd"])
def test_a_layer_that_mixes_the_sequences_is_found(layer, rng):
    with pytest.raises(
        ContractBroken,
        match="^Centred.forward mixes the sequences of a batch: ys of sequence 0 is another",
    ):
        check_layer(Centred(layer), XS, rng)


class KeepsItsCache(Sums):
    def forward(self, params, xs, state=None, *, mask=None, rng=None):
        ys, state, cache = super().forward(params, xs, state, mask=mask)
        object.__setattr__(self, "cache", cache)
        return ys, state, ()

    def backward(self, params, cache, dys, dstate=None):
        return super().backward(params, self.cache, dys, dstate)


class KeepsItsState(Sums):
    def forward(self, params, xs, state=None, *, mask=None, rng=None):
        state = getattr(self, "state", state)
        ys, state, cache = super().forward(params, xs, state, mask=mask)
        object.__setattr__(self, "state", state)
        return ys, state, cache


def test_a_layer_that_keeps_something_in_itself_is_found(rng):
    with pytest.raises(ContractBroken, match="^KeepsItsCache.backward gives other gradients if"):
        check_layer(KeepsItsCache(), XS, rng)
    with pytest.raises(ContractBroken, match="^KeepsItsState.forward gives other outputs when it"):
        check_layer(KeepsItsState(), XS, rng)


RETURNS = {
    "no dstate": (
        {"backward": lambda dparams, dxs, dstate: (dparams, dxs, ())},
        r"Twin.backward: dstate: .*expected SumState\(h\), got tuple of 0; it must return "
        r"\(dparams, dxs, dstate\)",
    ),
    "no dxs": (
        {"backward": lambda dparams, dxs, dstate: (dparams, None, dstate)},
        r"Twin.backward: dxs: expected a NumPy array of shape \(5, 2, 3\), got NoneType",
    ),
    "dxs of another shape": (
        {"backward": lambda dparams, dxs, dstate: (dparams, dxs[0], dstate)},
        r"Twin.backward: dxs: expected shape \(5, 2, 3\), got \(2, 3\)",
    ),
    "no dparams": (
        {"backward": lambda dparams, dxs, dstate: ((), dxs, dstate)},
        r"Twin.backward: dparams: .*expected dict\(w\), got tuple of 0",
    ),
    "state and cache exchanged": (
        {"forward": lambda ys, state, cache: (ys, cache, state)},
        r"Twin.forward: state: .*expected SumState\(h\), got tuple of 3; it must return "
        r"\(ys, state, cache\)",
    ),
    "no state": (
        {"forward": lambda ys, state, cache: (ys, None, cache)},
        r"Twin.forward: state: .*expected SumState\(h\), got array of shape \(\)",
    ),
    "outputs in a list": (
        {"forward": lambda ys, state, cache: (list(ys), state, cache)},
        "Twin.forward: ys: expected a NumPy array, got list",
    ),
}


@pytest.mark.parametrize("way", RETURNS)
def test_a_layer_that_returns_something_else_is_named(way, rng):
    methods, message = RETURNS[way]
    with pytest.raises((TypeError, ValueError), match=f"^{message}"):
        check_layer(twin(Sums, **methods), XS, rng)
