"""The mistakes of assignment 3, backward: both forms with a switch for each mistake."""

from collections.abc import Callable
from typing import Any

import numpy as np

from rnn_course.questions.gru_forward import COMPLEMENT, FORM, Z_CONVENTION, N, R, Z
from rnn_course.questions.gru_gates import CHUNG, CHUNG_HINT, PATH, gradients, through_gates
from rnn_tutorial.cells.gru import GRUGates, GRUParams
from rnn_tutorial.cells.gru_before import GRUBeforeParams
from rnn_tutorial.types import Array

__all__ = ["CHUNG_STEP", "RESET_BEFORE", "STEP", "TO_INPUT", "before_backward", "step_backward"]


def of_kept(dh: Array, z: Array) -> Array:
    """Return the gradient of the old state along the path that crosses no matrix."""
    return dh * z


def of_matrix(da_n: Array, r: Array, h: Array, W: Array) -> tuple[Array, Array, Array]:
    """Return (dr, dW, the path to the old state) of the product (r * h) @ W."""
    dm = da_n @ W.T
    return dm * h, (r * h).T @ da_n, dm * r


def paths_back(W_h: Array, da_h: Array, turned: bool) -> list[Array]:
    """Return the gradients of the old state, one for each block of W_h."""
    blocks = np.split(W_h, W_h.shape[1] // len(W_h), axis=1)
    return [
        da @ (W if turned else W.T) for W, da in zip(blocks, np.split(da_h, len(blocks), axis=1))
    ]


def step_backward(
    params: GRUParams,
    x: Array,
    h_previous: Array,
    gates: GRUGates,
    dh: Array,
    *,
    lost: int | None = None,
    kept: Callable[..., Array] = of_kept,
    order: tuple[int, ...] = (R, Z, N),
    to_input: bool = False,
    turned: bool = False,
    **mistake: Any,
) -> tuple[GRUParams, Array, Array]:
    """Return (dparams, dx, dh_previous) of one step, right unless a switch is set."""
    da, ds = gradients(params, h_previous, gates, dh, **mistake)
    da_x = np.hstack([(da.r, da.z, ds if to_input else da.n)[k] for k in order])
    da_h = np.hstack([(da.r, da.z, ds)[k] for k in order])
    dparams = GRUParams(x.T @ da_x, h_previous.T @ da_h, da_x.sum(axis=0), ds.sum(axis=0))
    paths = [*paths_back(params.W_h, da_h, turned), kept(dh, gates.z)]
    return (
        dparams,
        da_x @ params.W_x.T,
        np.sum([path for k, path in enumerate(paths) if k != lost], axis=0),
    )


def before_backward(
    params: GRUBeforeParams,
    x: Array,
    h_previous: Array,
    gates: GRUGates,
    dh: Array,
    *,
    product: Callable[..., tuple[Array, ...]] = of_matrix,
    lost: int | None = None,
    kept: Callable[..., Array] = of_kept,
    order: tuple[int, ...] = (R, Z, N),
    exchanged: bool = False,
    turned: bool = False,
    **mistake: Any,
) -> tuple[GRUGates, GRUBeforeParams, Array, Array]:
    """Return (da, dparams, dx, dh_previous) of one step, right unless a switch is set.

    The reset is before the matrix.
    """
    da, (dW_hn, path_n) = through_gates(
        gates,
        h_previous,
        dh,
        lambda da_n, dn: product(da_n, gates.r, h_previous, params.W_hn),
        **mistake,
    )
    a = (da.n, da.z, da.r) if exchanged else da
    dW_hn = (gates.r * h_previous).T @ da.r if exchanged else dW_hn
    da_x, da_h = np.hstack([a[k] for k in order]), np.hstack([a[k] for k in order if k != N])
    paths = [*paths_back(params.W_h, da_h, turned), path_n, kept(dh, gates.z)]
    dparams = GRUBeforeParams(x.T @ da_x, h_previous.T @ da_h, da_x.sum(axis=0), dW_hn)
    return (
        da,
        dparams,
        da_x @ params.W_x.T,
        np.sum([path for k, path in enumerate(paths) if k != lost], axis=0),
    )


# The mistakes: rows of (name, hint, switches that make it)

COUNT = (
    "The old state is used four times: count its paths in (12.17), or in the table of both forms. "
    "Yours lacks one:"
)
STEP = (
    (PATH, f"{COUNT} through the reset gate.", {"lost": 0}),
    (PATH, f"{COUNT} through the update gate.", {"lost": 1}),
    (PATH, f"{COUNT} through the candidate.", {"lost": 2}),
    (PATH, f"{COUNT} the one without a matrix.", {"lost": 3}),
    (
        COMPLEMENT,
        "How much of the old state is kept, z or the rest? (12.2).",
        {"kept": lambda dh, z: dh * (1 - z)},
    ),
    (
        "gate missing on the way back",
        "Not all of the old state is kept. By what is it multiplied in (12.2)?",
        {"kept": lambda dh, z: dh},
    ),
    (
        "weight transposed",
        "On the way back, a block of W_h is used the other way round: compare (12.17) with (12.3).",
        {"turned": True},
    ),
    (
        "gates in another order",
        "You lay the gradients side by side as z, r, n. The blocks of the parameters are r, z, n.",
        {"order": (Z, R, N)},
    ),
)
TO_INPUT = (
    (
        "reset gate on the way to the input",
        "The input does not pass the reset gate: its part of the candidate has its own gradient, "
        "(12.15).",
        {"to_input": True},
    ),
)
RESET_BEFORE = (
    (
        "reset gate missing on the way back",
        "The candidate's matrix saw the state after the reset. Where is the reset gate in your "
        "backward? (12.18) and (12.19).",
        {"product": lambda da_n, r, h, W: ((da_n @ W.T) * h, h.T @ da_n, da_n @ W.T)},
    ),
    (
        FORM,
        "This is the way back of the reset after the matrix. Here it comes before: (12.18) and "
        "(12.19).",
        {"product": lambda da_n, r, h, W: (da_n * (h @ W), h.T @ (da_n * r), (da_n * r) @ W.T)},
    ),
    (
        "matrix missing",
        "Between the candidate and the reset gate there is a matrix: (12.18) comes before (12.19).",
        {"product": lambda da_n, r, h, W: (da_n * h, (r * h).T @ da_n, da_n * r)},
    ),
    (
        "factors of a product exchanged",
        "In a product each factor is multiplied by the other: look at (12.19) again.",
        {"product": lambda da_n, r, h, W: ((da_n @ W.T) * r, (r * h).T @ da_n, (da_n @ W.T) * h)},
    ),
    (
        "factors of a product exchanged",
        "The path to the reset gate goes on from the other of the two gradients in (12.19).",
        {"product": lambda da_n, r, h, W: ((da_n @ W.T) * r, (r * h).T @ da_n, (da_n @ W.T) * r)},
    ),
    (
        "weight transposed",
        "On the way back, W_hn is used the other way round. W_hn is square, so no shape complains: "
        "(12.18).",
        {"product": lambda da_n, r, h, W: ((da_n @ W) * h, (r * h).T @ da_n, (da_n @ W) * r)},
    ),
    (
        "gradients of two gates exchanged",
        "The matrices of the reset gate and of the candidate are made with each other's gradient.",
        {"exchanged": True},
    ),
)
CHUNG_STEP = ((Z_CONVENTION, CHUNG_HINT, CHUNG | {"kept": lambda dh, z: dh * (1 - z)}),)
