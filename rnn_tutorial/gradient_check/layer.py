"""Is a layer right? `check_layer` checks its gradients and the contract of `Layer`."""

from typing import Any

from rnn_tutorial.gradient_check.check import check_gradients
from rnn_tutorial.gradient_check.checked import Checked, checked
from rnn_tutorial.gradient_check.contract import (
    check_batch,
    check_calls,
    check_padding,
    ragged_mask,
)
from rnn_tutorial.gradient_check.pieces import check_pieces
from rnn_tutorial.gradient_check.protocol import (
    check_inputs,
    check_protocol,
    first_state,
    run_backward,
    run_forward,
)
from rnn_tutorial.gradient_check.slopes import Slope, complex_step_slope
from rnn_tutorial.layers.layer import Layer
from rnn_tutorial.tree import tree_leaves, tree_random_like
from rnn_tutorial.types import Array, Mask, Rng
from rnn_tutorial.validation import check_mask, check_rng

__all__ = ["check_layer"]


def check_layer(
    layer: Layer,
    xs: Array,
    rng: Rng,
    *,
    mask: Mask | None = None,
    slope: Slope = complex_step_slope,
    rtol: float = 1e-12,
) -> Checked:
    """Return a line that says what was checked, or raise: the contract and every gradient.

    The contract: nothing that is given is changed, and nothing is kept in the layer; no sequence
    sees another; with other numbers in the padding, outputs at real steps and last state stay the
    same (without `mask`, that of sequences of different lengths is taken); if `mask` is given, they
    also stay the same without the padding; two pieces give what the whole sequence gives, outputs,
    last state and gradients. Mask and batch are checked in the forward alone.

    The gradients: of parameters, inputs and first state, from random ones, while a gradient arrives
    at every output and at the last state. In the message, [0] are the parameters, then come the
    inputs (unless they are integers, an `Embedding`'s, which have no gradient), then the first
    state. A layer that cannot continue (`initial_state` raises CannotContinue) is checked from its
    own first state, and not in pieces.

    What it is blind to: the top of `gradient_check/check.py`. Above all, it never trains
    (rng=None), so it does not see whether the rng goes on to the layers inside.

    Shapes: xs (T, B, ...); mask: None, or boolean (T, B).
    Raises: what `check_gradients` raises; ContractBroken, or StateLost for two pieces; TypeError or
    ValueError for a layer that is not one, by its methods and what they return.
    """
    check_protocol(layer)
    check_inputs(xs)
    check_rng(rng)
    T, B = xs.shape[:2]
    if mask is not None:
        check_mask(mask, T, B)
    params = tree_random_like(layer.init(rng), rng, 0.3)
    state = first_state(layer, params, B, rng)
    check_calls(layer, params, xs, state, mask)
    some = ragged_mask(T, B) if mask is None or mask.all() else mask
    check_padding(layer, params, xs, state, some)
    check_batch(layer, params, xs, state, mask)
    if state is not None:
        check_pieces(layer, params, xs, state, mask, rng)
    _check_gradients(layer, params, xs, state, mask, rng, slope, rtol)
    others = ["inputs"] if xs.dtype.kind == "f" else []
    others += ["first state"] if state is not None and tree_leaves(state) else []
    pieces = ", in one piece and in two" if state is not None and T > 1 else ""
    runs = f"over {T} step{'s' if T > 1 else ''}{'' if mask is None else ', ragged'}{pieces}"
    return checked(type(layer).__name__, params, others, runs, rtol, "contract kept")


def _check_gradients(
    layer: Layer,
    params: Any,
    xs: Array,
    state: Any,
    mask: Mask | None,
    rng: Rng,
    slope: Slope,
    rtol: float,
) -> None:
    """Raise GradientError unless the gradients of parameters, inputs and first state are right."""
    inputs = (params, xs, state)
    moved = [k for k, there in enumerate((True, xs.dtype.kind == "f", state is not None)) if there]

    def forward(point: tuple[Any, ...]) -> tuple[Any, Any]:
        now = dict(enumerate(inputs)) | dict(zip(moved, point))
        ys, last, cache = run_forward(layer, now[0], now[1], now[2], mask)
        return ((ys,) if state is None else (ys, last)), cache

    def backward(cache: Any, doutputs: tuple[Any, ...]) -> tuple[Any, ...]:
        gradients = run_backward(layer, params, cache, *doutputs)
        return tuple(gradients[k] for k in moved)

    check_gradients(forward, backward, tuple(inputs[k] for k in moved), rng, slope=slope, rtol=rtol)
