"""Draw figures/readme.png: the network unrolled, and the errors of its gradients.

    python tools/readme_figure.py

The errors are measured when the picture is drawn. The gradients are those of the package, and those
of three versions with one wrong line; the reference is the complex step.
"""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from rnn_tutorial.cells import Elman, ElmanState
from rnn_tutorial.gradient_check import numerical_gradient, random_start, relative_error
from rnn_tutorial.plotting import draw_unrolled, house_style
from rnn_tutorial.plotting.style import BLUE, GREEN, PURPLE, VERMILLION
from rnn_tutorial.sequence import unroll, unroll_backward
from rnn_tutorial.tree import tree_dot, tree_leaves
from rnn_tutorial.types import Array

PointwiseGradients = tuple[dict[str, Array], Array, Array, Any]

ROOT = Path(__file__).resolve().parent.parent
NAMES = ["$dW_x$", "$dW_h$", "$db$", "$dx_t$", "$dh_0$"]


def without_slope(params: Any, cache: Any, dstate: Any) -> PointwiseGradients:
    """Return the backward of the pointwise part without tanh'."""
    dextra, _, _, dprevious = Elman.pointwise_backward(params, cache, dstate)
    return dextra, dstate.h, dstate.h, dprevious


def without_carry(params: Any, cache: Any, dstate: Any) -> PointwiseGradients:
    """Return the backward of the pointwise part with da_h = 0, so no step gets a gradient back."""
    dextra, da_x, da_h, dprevious = Elman.pointwise_backward(params, cache, dstate)
    return dextra, da_x, 0 * da_h, dprevious


def measure() -> dict[str, list[float]]:
    """Return {label: relative errors of dW_x, dW_h, db, dxs, dh_0} of four backwards.

    One is right, three are wrong.
    """
    rng = np.random.default_rng(0)
    T, B, D, H = 6, 3, 4, 5
    params, state = random_start(Elman, rng, B, D, H)
    point = params, rng.standard_normal((T, B, D)), state
    doutputs = rng.standard_normal((T, B, H)), ElmanState(rng.standard_normal((B, H)))
    reference = tree_leaves(
        numerical_gradient(lambda p: tree_dot(unroll(Elman, *p)[0], doutputs), point)
    )
    _, cache = unroll(Elman, *point)
    transposed = params._replace(W_h=params.W_h.T.copy())
    no_slope, no_carry = (
        Elman.replace(pointwise_backward=wrong) for wrong in (without_slope, without_carry)
    )
    gradients = {
        "as derived": unroll_backward(Elman, params, cache, doutputs),
        "tanh′ forgotten": unroll_backward(no_slope, params, cache, doutputs),
        "$W_h$ not transposed": unroll_backward(Elman, transposed, cache, doutputs),
        "nothing carried back from step $t + 1$": unroll_backward(
            no_carry, params, cache, doutputs
        ),
    }
    return {
        label: [relative_error(*pair) for pair in zip(tree_leaves(g), reference)]
        for label, g in gradients.items()
    }


def draw() -> Figure:
    """Return the figure."""
    import matplotlib.pyplot as plt

    with house_style():
        figure, (top, bottom) = plt.subplots(2, 1, figsize=(8.2, 7.4), height_ratios=[1.75, 1])
        draw_unrolled(T=4, losses=True, backward=True, ax=top)
        for (label, errors), color, marker in zip(
            measure().items(), (BLUE, VERMILLION, PURPLE, GREEN), "oxs^"
        ):
            shown = [max(error, 1e-17) for error in errors]
            bottom.plot(
                shown,
                range(len(NAMES)),
                marker,
                color=color,
                markersize=8,
                label=label,
                fillstyle="none",
                mew=1.8,
            )
        bottom.set(
            xscale="log",
            xlim=(3e-18, 30),
            xlabel="largest relative error against the complex step, $T = 6$",
        )
        bottom.set_yticks(range(len(NAMES)), NAMES, fontsize=13)
        bottom.invert_yaxis()
        bottom.legend(loc="center", bbox_to_anchor=(0.52, 0.5))
    return figure


if __name__ == "__main__":
    path = ROOT / "figures" / "readme.png"
    draw().savefig(path, metadata={"Software": None})
    print(path.relative_to(ROOT))
