"""Backpropagation through time in numbers: one unit, four steps, every path (chapter 03)."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rnn_tutorial.cells.elman import Elman, ElmanParams, ElmanState
from rnn_tutorial.explore.explorable import Explorable, blank
from rnn_tutorial.plotting.diagrams.paths import draw_unrolled
from rnn_tutorial.plotting.style import GREY, VERMILLION
from rnn_tutorial.sequence.unroll import unroll, unroll_backward
from rnn_tutorial.types import Array
from rnn_tutorial.validation import check_array, check_kind, check_whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["SmallNetwork", "path_products", "small_network", "through_time"]


class SmallNetwork(NamedTuple):
    """An Elman network with one unit and one input, four inputs, and a gradient at every state."""

    params: ElmanParams
    xs: Array  # (4, 1, 1)
    first_state: ElmanState
    dhs: Array  # (4, 1, 1), dh_out of every step
    dlast_state: ElmanState  # zero


def small_network(seed: int = 19) -> SmallNetwork:
    """Return the network of the figure; its numbers are drawn from the seed.

    Raises: ValueError unless `seed` is a whole number of at least 0.
    """
    check_whole("seed", seed, 0)
    rng = np.random.default_rng(seed)
    w_x, w_h, b, h_0 = rng.standard_normal(4) * [0.8, 0.8, 0.4, 0.5]
    return SmallNetwork(
        ElmanParams(W_x=np.array([[w_x]]), W_h=np.array([[w_h]]), b=np.array([b])),
        xs=rng.standard_normal((4, 1, 1)),
        first_state=ElmanState(np.array([[h_0]])),
        dhs=rng.standard_normal((4, 1, 1)),
        dlast_state=ElmanState(np.zeros((1, 1))),
    )


def through_time(seed: int = 19) -> Explorable:
    """Return the figure of four steps forward and back, with every path of every gradient.

    The walk starts at the first state; the still picture is that of the whole walk.

    Raises: ValueError unless `seed` is a whole number of at least 0.

    Source: equations (3.8), (3.10), (3.13) and (3.14) of chapter 03.
    """
    network = small_network(seed)
    return Explorable(
        name="through_time",
        title="Backpropagation through time in numbers",
        description="Walk forward and back through four steps, and pick a gradient and its paths.",
        data={
            "w_x": network.params.W_x.item(),
            "w_h": network.params.W_h.item(),
            "b": network.params.b.item(),
            "h_0": network.first_state.h.item(),
            "xs": network.xs.ravel().tolist(),
            "dhs": network.dhs.ravel().tolist(),
        },
        still=lambda: _still(network),
    )


def path_products(network: SmallNetwork) -> Array:
    """Return the terms of dW_h by (3.8) and (3.13), (4, 4): row s, a use of W_h; column k, a loss.

    h_{s-1} (1 - h_s^2) times w_h (1 - h_t^2) for t = s + 1, ..., k, times dh_k^out; 0 for k < s.

    Raises: TypeError for anything but a SmallNetwork; ValueError for one of another size.
    """
    check_kind("network", network, SmallNetwork)
    check_array("network.xs", network.xs, T=4, B=1, D=1)
    check_array("network.dhs", network.dhs, T=4, B=1, H=1)
    (hs, _), _ = unroll(Elman, network.params, network.xs, network.first_state)
    h = [network.first_state.h.item(), *hs.ravel()]
    w_h, products = network.params.W_h.item(), np.zeros((4, 4))
    for s in range(1, 5):
        reached = h[s - 1] * (1 - h[s] ** 2)
        for k in range(s, 5):
            products[s - 1, k - 1] = reached * network.dhs[k - 1].item()
            if k < 4:
                reached *= w_h * (1 - h[k + 1] ** 2)
    return products


def _still(network: SmallNetwork) -> "Figure":
    figure = blank(9.4, 7.0)
    above, below = figure.subplots(2, 1, height_ratios=(1.15, 1))
    draw_unrolled(T=4, outputs=False, losses=True, backward=True, folded=False, ax=above)
    _write_products(below, network)
    return figure


def _write_products(ax: "Axes", network: SmallNetwork) -> None:
    """Write the terms of dW_h as a table: a row for each use, a column for each loss, sums."""
    (_, _), cache = unroll(Elman, network.params, network.xs, network.first_state)
    doutputs = network.dhs, network.dlast_state
    dparams, _, _ = unroll_backward(Elman, network.params, cache, doutputs)
    products = path_products(network)
    ax.set(xlim=(0, 6.6), ylim=(5.6, -0.5))
    ax.axis("off")
    for k in range(1, 5):
        ax.text(k + 0.5, 0, f"to $L_{k}$", ha="center", color=GREY)
    ax.text(5.9, 0, "sum", ha="center", color=GREY)
    for s in range(1, 5):
        ax.text(1.0, s, f"$W_h$ at step {s}", ha="right", color=GREY)
        for k in range(s, 5):
            ax.text(k + 0.5, s, f"{products[s - 1, k - 1]:.3f}", ha="center", color=VERMILLION)
        ax.text(5.9, s, f"{products[s - 1].sum():.3f}", ha="center")
    ax.text(5.9, 5, f"$dW_h$ = {dparams.W_h.item():.3f}", ha="center", fontweight="bold")
    ax.plot([5.3, 6.5], [4.35, 4.35], color=GREY, linewidth=1, marker="", linestyle="-")
