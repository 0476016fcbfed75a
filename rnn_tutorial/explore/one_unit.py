"""One unit that listens to itself: its staircase and its states (chapter 01, equation (1.12))."""

from typing import TYPE_CHECKING

import numpy as np

from rnn_tutorial.cells.elman import Elman, ElmanParams, ElmanState
from rnn_tutorial.explore.explorable import Explorable, blank
from rnn_tutorial.plotting.maps import plot_cobweb
from rnn_tutorial.plotting.style import BLUE
from rnn_tutorial.sequence.unroll import unroll
from rnn_tutorial.types import Array
from rnn_tutorial.validation import check_number, check_positive

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["one_unit", "one_unit_states"]

_STEPS = 20
_RANGES = {"w": (-3.0, 3.0), "first_state": (-1.0, 1.0), "u": (-1.5, 1.5)}  # of the sliders


def one_unit(w: float = 0.8, first_state: float = 0.9, u: float = 0.0) -> Explorable:
    """Return the figure of h_t = tanh(w h_{t-1} + u): w, u and the first state can be moved.

    Raises: ValueError for a number outside the range of its slider: w from -3 to 3, the first state
    from -1 to 1, u from -1.5 to 1.5.

    Source: equations (1.12) and (1.13) of chapter 01.
    """
    w, first_state, u = (
        check_number(name, value, at_least=_RANGES[name][0], at_most=_RANGES[name][1])
        for name, value in (("w", w), ("first_state", first_state), ("u", u))
    )
    return Explorable(
        name="one_unit",
        title="One unit that listens to itself",
        description="Move the weight w, the first state and a constant input u.",
        data={"w": w, "first_state": first_state, "u": u, "steps": _STEPS, "ranges": _RANGES},
        still=lambda: _still(w, first_state, u),
    )


def one_unit_states(w: float, first_state: float, u: float = 0.0, steps: int = _STEPS) -> Array:
    """Return the states h_0, h_1, ... of the unit, (steps + 1,), computed by `unroll`.

    Raises: ValueError unless the numbers are finite and `steps` is a positive whole number.
    """
    w, u = check_number("w", w), check_number("u", u)
    first_state = check_number("first_state", first_state)
    params = ElmanParams(W_x=np.ones((1, 1)), W_h=np.array([[w]]), b=np.zeros(1))
    start = ElmanState(np.array([[first_state]]))
    (hs, _), _ = unroll(Elman, params, np.full((check_positive("steps", steps), 1, 1), u), start)
    return np.concatenate([[first_state], hs[:, 0, 0]])


def _still(w: float, first_state: float, u: float) -> "Figure":
    figure = blank(9.4, 4.2)
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.15))
    label = f"from $h_0 = {first_state}$"
    plot_cobweb(lambda h: np.tanh(w * h + u), {label: first_state}, ax=left)
    left.set_title(f"$h_t = \\tanh(w\\,h_{{t-1}} + u)$, $w = {w}$, $u = {u}$")
    right.plot(one_unit_states(w, first_state, u), color=BLUE, marker="o", linestyle="-")
    right.set(xlabel="step $t$", ylabel="$h_t$", ylim=(-1.03, 1.03))
    right.set(xticks=range(0, _STEPS + 1, 4), yticks=np.linspace(-1, 1, 5))
    right.set_title("the states over time")
    return figure
