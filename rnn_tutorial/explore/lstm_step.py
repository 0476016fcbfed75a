"""Inside one step of an LSTM: one unit, every value and every gradient (chapters 09 and 10)."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from rnn_tutorial.cells.gates import gate_blocks
from rnn_tutorial.cells.lstm import (
    LSTMGates,
    LSTMParams,
    LSTMState,
    lstm_step_backward,
)
from rnn_tutorial.cells.lstm import (
    lstm_step as forward,
)
from rnn_tutorial.explore.explorable import Explorable, blank
from rnn_tutorial.gradient_check.puzzles import Answer, edited
from rnn_tutorial.plotting.diagrams.cells import draw_lstm_unit
from rnn_tutorial.types import Array
from rnn_tutorial.validation import check_choice, check_kind, check_number

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["LSTM_MISTAKES", "LSTMUnit", "lstm_step", "lstm_unit", "lstm_unit_numbers"]

# The unit of chapters 09 and 10, "One unit, three steps", with its inputs and its first state.
_PARAMS = LSTMParams(  # columns i, f, o, g
    W_x=np.array([[2.0, -2.0, -1.0, 1.0]]),
    W_h=np.array([[1.0, -1.0, 0.5, -0.5]]),
    b=np.array([-1.0, 1.0, 0.5, 0.25]),
)
_XS = (1.0, -1.0, 2.0)
_FIRST = LSTMState(h=np.array([[0.5]]), c=np.array([[-1.0]]))

LSTM_MISTAKES: dict[str, Answer] = {
    "c": Answer(
        "dc",
        "dc = dstate.c + dstate.h * o * (1 - tanh_c**2)",
        "dc = dstate.c",
        "the path up is missing",
    ),
    "c_up": Answer("dc", "dstate.h * o * (1 - tanh_c**2)", "dstate.h * o", "no slope of tanh"),
    "i f": Answer(
        "di, df",
        "dc * g, dc * previous.c, dc * i",
        "dc * previous.c, dc * g, dc * i",
        "factors exchanged",
    ),
    "a_f": Answer("da_f", "df * f * (1 - f)", "df", "no slope of sigmoid"),
    "o": Answer("do", "do = dstate.h * tanh_c", "do = dstate.h * o", "o for tanh c"),
    "c_previous": Answer("dc_{t−1}", "c=dc * f)", "c=dc)", "f is missing"),
}
"""Mistakes to plant into `lstm_step_backward`, by the lines of `lstm_step.js` that they change."""


class LSTMUnit(NamedTuple):
    """What can be moved: pre-activations in the order i, f, o, g, the old cell, what arrives."""

    a: tuple[float, float, float, float]
    c_previous: float
    dh: float
    dc_next: float


def lstm_step() -> Explorable:
    """Return the figure of one unit's step: values forward, gradients back, and planted mistakes.

    It starts at step 2 of "One unit, three steps" of chapter 10. The four pre-activations, the old
    cell and the gradients that arrive can be moved. A mistake can be planted in the backward, and
    the numbers that it changes are marked, with the right ones next to them.

    Source: equations (10.1) to (10.20).
    """
    start, x, h = _second_step()
    return Explorable(
        name="lstm_step",
        title="Inside a step of the LSTM",
        description=(
            "One unit, each number with its gradient. Move the pre-activations, the old cell and "
            "the gradients that arrive, or plant a mistake in the backward and see what it changes."
        ),
        data={
            "start": start._asdict(),
            "x": x,
            "h_previous": h,
            "U": _PARAMS.W_x[0].tolist(),
            "V": _PARAMS.W_h[0].tolist(),
            "mistakes": {
                name: {"place": answer.place, "why": answer.why}
                for name, answer in LSTM_MISTAKES.items()
            },
        },
        still=lambda: _still(start),
    )


def lstm_unit() -> LSTMUnit:
    """Return the start of the figure: step 2 of the three of chapter 10, with loss h_2 + h_3."""
    return _second_step()[0]


def lstm_unit_numbers(unit: LSTMUnit, mistake: str | None = None) -> tuple[Any, Any, Any]:
    """Return (state, cache, (dparams, dx, dprevious)) of one step of `unit`.

    The pre-activations are those of `unit` by the choice of b; x, the old h, U and V are those of
    the chapter. mistake: a name of LSTM_MISTAKES.

    Raises: TypeError for anything but an LSTMUnit; ValueError for a unit with anything but finite
    numbers, four of them in a, and for another mistake.
    """
    _check_unit(unit)
    if mistake is not None:
        check_choice("mistake", mistake, LSTM_MISTAKES)
    _, x, h = _second_step()
    a = np.array(unit.a)
    params = _PARAMS._replace(b=a - x * _PARAMS.W_x[0] - h * _PARAMS.W_h[0])
    previous = LSTMState(h=np.array([[h]]), c=np.array([[unit.c_previous]]))
    state, cache = forward(params, np.array([[x]]), previous)
    backward: Callable[..., Any] = lstm_step_backward
    if mistake is not None:
        backward = edited([lstm_step_backward], LSTM_MISTAKES[mistake])
    dstate = LSTMState(h=np.array([[unit.dh]]), c=np.array([[unit.dc_next]]))
    return state, cache, backward(params, cache, dstate)


def _check_unit(unit: object) -> None:
    check_kind("unit", unit, LSTMUnit)
    a, *others = cast("LSTMUnit", unit)
    if not isinstance(a, (tuple, list)) or len(a) != 4:
        raise ValueError(f"unit.a: expected four numbers, in the order i, f, o, g, got {a!r}")
    for gate, number in zip("ifog", a):
        check_number(f"unit.a, {gate}", number)
    for field, number in zip(LSTMUnit._fields[1:], others):
        check_number(f"unit.{field}", number)


def _second_step() -> tuple[LSTMUnit, float, float]:
    """Return the unit of step 2, its x and its old h."""
    states, caches = [_FIRST], []
    for x in _XS:
        state, cache = forward(_PARAMS, np.array([[x]]), states[-1])
        states.append(state)
        caches.append(cache)
    at_the_end = LSTMState(h=np.ones((1, 1)), c=np.zeros((1, 1)))
    _, _, arriving = lstm_step_backward(_PARAMS, caches[2], at_the_end)
    previous = states[1]
    a = _XS[1] * _PARAMS.W_x[0] + previous.h[0] @ _PARAMS.W_h + _PARAMS.b
    return (
        LSTMUnit(
            a=tuple(a.tolist()),
            c_previous=_number(previous.c),
            dh=1 + _number(arriving.h),  # the loss at step 2, and what comes from step 3
            dc_next=_number(arriving.c),
        ),
        _XS[1],
        _number(previous.h),
    )


def _number(array: Array) -> float:
    return float(array[0, 0])


def _still(unit: LSTMUnit) -> "Figure":
    state, cache, (dparams, dx, dprevious) = lstm_unit_numbers(unit)
    da = gate_blocks(dparams.b, LSTMGates)
    do, dc = unit.dh * cache.tanh_c, dprevious.c / cache.f
    values = {
        "c before": (cache.previous.c, dprevious.c),
        "h before": (cache.previous.h, dprevious.h),
        "x": (cache.x, dx),
        **{f"a_{name}": (a, slope) for name, a, slope in zip("ifog", unit.a, da)},
        "i": (cache.i, dc * cache.g),
        "f": (cache.f, dc * cache.previous.c),
        "g": (cache.g, dc * cache.i),
        "o": (cache.o, do),
        "c": (state.c, dc),
        "h": (state.h, unit.dh),
    }
    figure = blank(10.1, 5.95)
    figure.set_layout_engine("none")
    ax = figure.add_axes((0, 0, 1, 1))
    numbers = {name: (_only(value), _only(slope)) for name, (value, slope) in values.items()}
    draw_lstm_unit(numbers, ax=ax)
    return figure


def _only(value: Any) -> float:
    """Return the one number of an array, or the number itself."""
    return float(np.asarray(value).item())
