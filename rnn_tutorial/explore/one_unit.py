"""One unit that listens to itself: its staircase and its states (chapter 01, equation (1.12))."""

from typing import TYPE_CHECKING

import numpy as np

from rnn_tutorial.cells.elman import Elman, ElmanParams, ElmanState
from rnn_tutorial.explore.explorable import Explorable, blank
from rnn_tutorial.plotting.maps import plot_cobweb
from rnn_tutorial.plotting.style import BLUE
from rnn_tutorial.sequence.unroll import unroll
from rnn_tutorial.types import Array

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["one_unit", "one_unit_states"]

_STEPS = 20


def one_unit(w: float = 0.8, first_state: float = 0.9, u: float = 0.0) -> Explorable:
    """Return the figure of h_t = tanh(w h_{t-1} + u): w, u and the first state can be moved.

    Source: equations (1.12) and (1.13) of chapter 01.
    """
    return Explorable(
        name="one_unit",
        title="One unit that listens to itself",
        description="Move the weight w, the first state and a constant input u.",
        data={"w": w, "first_state": first_state, "u": u, "steps": _STEPS},
        still=lambda: _still(w, first_state, u),
    )


def one_unit_states(w: float, first_state: float, u: float = 0.0, steps: int = _STEPS) -> Array:
    """Return the states h_0, h_1, ... of the unit, (steps + 1,), computed by `unroll`."""
    params = ElmanParams(W_x=np.ones((1, 1)), W_h=np.array([[float(w)]]), b=np.zeros(1))
    start = ElmanState(np.array([[float(first_state)]]))
    (hs, _), _ = unroll(Elman, params, np.full((steps, 1, 1), float(u)), start)
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
