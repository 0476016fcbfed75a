"""What goes wrong on the way back in assignment 3: both forms with a switch for each mistake, and the mistakes by name."""

import numpy as np

from rnn_tutorial.cells.gates import gate_blocks
from rnn_tutorial.cells.gru import GRUGates, GRUParams
from rnn_tutorial.cells.gru_before import GRUBeforeParams
from rnn_tutorial.questions.gru_forward import COMPLEMENT, FORM, Z_CONVENTION, N, R, Z, sigmoid

PATH, MISSING = "path missing", "derivative of the activation missing"


def slope_of_sigmoid(y):
    """Return the derivative of the sigmoid, from its value."""
    return y * (1 - y)


def slope_of_tanh(y):
    """Return the derivative of tanh, from its value."""
    return 1 - y**2


def of_z(dh, h, z, n):
    """Return dz of the mean z * h + (1 - z) * n."""
    return dh * (h - n)


def of_n(dh, z):
    """Return dn of the mean."""
    return dh * (1 - z)


def of_kept(dh, z):
    """Return the gradient of the old state along the road that crosses no matrix."""
    return dh * z


def of_reset(da_n, dn, r, s, h, W):
    """Return (dr, ds) of the product r * s."""
    return da_n * s, da_n * r


def of_matrix(da_n, r, h, W):
    """Return (dW, dr, the road to the old state) of the product (r * h) @ W."""
    dm = da_n @ W.T
    return (r * h).T @ da_n, dm * h, dm * r


def candidate(gates, dh, *, dn=of_n, slope_n=slope_of_tanh):
    """Return (dn, da_n)."""
    return dn(dh, gates.z), dn(dh, gates.z) * slope_n(gates.n)


def sigmoids(gates, h, dh, dr, *, dz=of_z, slope_r=slope_of_sigmoid, slope_z=slope_of_sigmoid):
    """Return (da_r, da_z)."""
    return dr * slope_r(gates.r), dz(dh, h, gates.z, gates.n) * slope_z(gates.z)


def gradients(params, h_previous, gates, dh, *, product=of_reset, bias=1, dn=of_n, slope_n=slope_of_tanh, **mistake):
    """Return (da, ds) of one step with a mistake, or with none."""
    W_hn = gate_blocks(params.W_h, GRUGates).n
    s = h_previous @ W_hn + bias * params.b_hn
    dn, da_n = candidate(gates, dh, dn=dn, slope_n=slope_n)
    dr, ds = product(da_n, dn, gates.r, s, h_previous, W_hn)
    return GRUGates(*sigmoids(gates, h_previous, dh, dr, **mistake), da_n), ds


def roads_back(W_h, da_h, turned):
    """Return the gradients of the old state, one for each block of W_h."""
    blocks = np.split(W_h, W_h.shape[1] // len(W_h), axis=1)
    return [da @ (W if turned else W.T) for W, da in zip(blocks, np.split(da_h, len(blocks), axis=1))]


def step_backward(
    params, x, h_previous, gates, dh, *, lost=None, kept=of_kept, order=(R, Z, N), to_input=False, turned=False, **mistake
):
    """Return (dparams, dx, dh_previous) of one step with a mistake, or with none."""
    da, ds = gradients(params, h_previous, gates, dh, **mistake)
    da_x = np.hstack([(da.r, da.z, ds if to_input else da.n)[k] for k in order])
    da_h = np.hstack([(da.r, da.z, ds)[k] for k in order])
    dparams = GRUParams(x.T @ da_x, h_previous.T @ da_h, da_x.sum(axis=0), ds.sum(axis=0))
    roads = [*roads_back(params.W_h, da_h, turned), kept(dh, gates.z)]
    return dparams, da_x @ params.W_x.T, sum(road for k, road in enumerate(roads) if k != lost)


def before_backward(
    params,
    x,
    h_previous,
    gates,
    dh,
    *,
    product=of_matrix,
    dn=of_n,
    slope_n=slope_of_tanh,
    lost=None,
    kept=of_kept,
    order=(R, Z, N),
    exchanged=False,
    turned=False,
    **mistake,
):
    """Return (da, dparams, dx, dh_previous) of one step, reset before the matrix, with a mistake, or with none."""
    _, da_n = candidate(gates, dh, dn=dn, slope_n=slope_n)
    dW_hn, dr, road_n = product(da_n, gates.r, h_previous, params.W_hn)
    da_r, da_z = sigmoids(gates, h_previous, dh, dr, **mistake)
    da = GRUGates(da_r, da_z, da_n)
    if exchanged:
        dW_hn, da_r, da_n = (gates.r * h_previous).T @ da_r, da_n, da_r
    da_x = np.hstack([(da_r, da_z, da_n)[k] for k in order])
    da_h = np.hstack([(da_r, da_z)[k] for k in order if k != N])
    roads = [*roads_back(params.W_h, da_h, turned), road_n, kept(dh, gates.z)]
    dparams = GRUBeforeParams(x.T @ da_x, h_previous.T @ da_h, da_x.sum(axis=0), dW_hn)
    return da, dparams, da_x @ params.W_x.T, sum(road for k, road in enumerate(roads) if k != lost)


# The mistakes by name: rows of (name, hint, the switches that make it)

WRONG_PLACE, ANOTHER = "derivative taken at the wrong place", "derivative of another activation"
SLOPES = tuple(
    row
    for g in "rz"
    for row in (
        (MISSING, f"What arrives at {g} has still to go back through its sigmoid: (9.14).", {f"slope_{g}": np.ones_like}),
        (ANOTHER, f"The gate {g} is a sigmoid; this is the slope of tanh: (9.14).", {f"slope_{g}": slope_of_tanh}),
        (
            WRONG_PLACE,
            f"Your slope takes the sigmoid of {g}, but {g} is a sigmoid already: (9.14).",
            {f"slope_{g}": lambda y: slope_of_sigmoid(sigmoid(y))},
        ),
        (
            "activation in the place of its derivative",
            f"You multiply by {g} itself. The way back needs the slope: (9.14).",
            {f"slope_{g}": np.copy},
        ),
        (
            "activation in the place of its derivative",
            f"You multiply by the sigmoid of {g}, where its slope is due: (9.14).",
            {f"slope_{g}": sigmoid},
        ),
    )
) + (
    (MISSING, "What arrives at the candidate has still to go back through its tanh: (9.12).", {"slope_n": np.ones_like}),
    (ANOTHER, "The candidate is a tanh; this is the slope of a sigmoid: (9.12).", {"slope_n": slope_of_sigmoid}),
    (
        "derivative of the activation wrong",
        "Look at every sign and power of the slope of tanh in (9.12).",
        {"slope_n": lambda y: 1 - y},
    ),
    (
        WRONG_PLACE,
        "Your slope takes the tanh of n, but n is a tanh already: (9.12).",
        {"slope_n": lambda y: slope_of_tanh(np.tanh(y))},
    ),
)
MEAN = (
    (
        PATH,
        "Opening z does two things in (9.2): it keeps the old and holds back the new. Yours does one.",
        {"dz": lambda dh, h, z, n: dh * h},
    ),
    (
        PATH,
        "Opening z does two things in (9.2): it keeps the old and holds back the new. Yours does one.",
        {"dz": lambda dh, h, z, n: -dh * n},
    ),
    (
        "sign",
        "Opening z brings in the old and takes out the new. Which has the minus? (9.11).",
        {"dz": lambda dh, h, z, n: dh * (n - h)},
    ),
    ("sign", "Where z grows, the share of the candidate shrinks: (9.11).", {"dz": lambda dh, h, z, n: dh * (h + n)}),
    (
        "one minus a gradient",
        "On the way back through 1 - z you take one minus a gradient. A gradient is multiplied by a slope. Which is it? (9.11).",
        {"dz": lambda dh, h, z, n: dh * h + (1 - dh * n)},
    ),
    (
        COMPLEMENT,
        "By what is the candidate multiplied in (9.2)? Its gradient goes back through the same factor.",
        {"dn": lambda dh, z: dh * z},
    ),
    (
        "gate missing on the way back",
        "The candidate is only a part of the state. By what is it multiplied in (9.2)?",
        {"dn": lambda dh, z: dh},
    ),
)
RESET_AFTER = (
    (
        "reset gate missing on the way back",
        "The reset gate stands between s and the candidate, on the way back as well: (9.13).",
        {"product": lambda da_n, dn, r, s, h, W: (da_n * s, da_n)},
    ),
    (
        "bias missing",
        "What the reset gate multiplied was all of s. Your s lacks the bias: (9.4).",
        {"bias": 0},
    ),
    (
        FORM,
        "Your reset gate multiplied the old state. In this question it multiplied s, after the matrix: (9.13).",
        {"product": lambda da_n, dn, r, s, h, W: ((da_n @ W.T) * h, da_n * r)},
    ),
    (
        "matrix missing",
        "Your reset gate multiplied the old state itself. In this question it multiplied s: (9.4) and (9.13).",
        {"product": lambda da_n, dn, r, s, h, W: (da_n * h, da_n * r)},
    ),
    (
        "factors of a product exchanged",
        "In a product each factor is multiplied by the other: look at (9.13) again.",
        {"product": lambda da_n, dn, r, s, h, W: (da_n * r, da_n * s)},
    ),
    (
        MISSING,
        "The product of r and s stands inside the tanh: both of its gradients begin with da_n, (9.13).",
        {"product": lambda da_n, dn, r, s, h, W: (dn * s, dn * r)},
    ),
)
COUNT = "The old state is used four times: count its roads in (9.17), or in the table of both forms. Yours lacks one:"
STEP = (
    (PATH, f"{COUNT} through the reset gate.", {"lost": 0}),
    (PATH, f"{COUNT} through the update gate.", {"lost": 1}),
    (PATH, f"{COUNT} through the candidate.", {"lost": 2}),
    (PATH, f"{COUNT} the one across no matrix at all.", {"lost": 3}),
    (COMPLEMENT, "How much of the old state is kept, z or the rest? (9.2).", {"kept": lambda dh, z: dh * (1 - z)}),
    (
        "gate missing on the way back",
        "Not all of the old state is kept. By what is it multiplied in (9.2)?",
        {"kept": lambda dh, z: dh},
    ),
    (
        "weight transposed",
        "What goes back through a block of W_h meets it the other way round: compare (9.17) with (9.3).",
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
        "The input does not pass the reset gate: its part of the candidate has a gradient of its own, (9.15).",
        {"to_input": True},
    ),
)
RESET_BEFORE = (
    (
        "reset gate missing on the way back",
        "The candidate's matrix saw the state after the reset. Where is the reset gate in your backward? (9.18) and (9.19).",
        {"product": lambda da_n, r, h, W: (h.T @ da_n, (da_n @ W.T) * h, da_n @ W.T)},
    ),
    (
        FORM,
        "This is the way back of the reset after the matrix. Here it comes before: (9.18) and (9.19).",
        {"product": lambda da_n, r, h, W: (h.T @ (da_n * r), da_n * (h @ W), (da_n * r) @ W.T)},
    ),
    (
        "matrix missing",
        "Between the candidate and the reset gate stands a matrix: (9.18) comes before (9.19).",
        {"product": lambda da_n, r, h, W: ((r * h).T @ da_n, da_n * h, da_n * r)},
    ),
    (
        "factors of a product exchanged",
        "In a product each factor is multiplied by the other: look at (9.19) again.",
        {"product": lambda da_n, r, h, W: ((r * h).T @ da_n, (da_n @ W.T) * r, (da_n @ W.T) * h)},
    ),
    (
        "factors of a product exchanged",
        "The road to the reset gate goes on from the other of the two gradients in (9.19).",
        {"product": lambda da_n, r, h, W: ((r * h).T @ da_n, (da_n @ W.T) * r, (da_n @ W.T) * r)},
    ),
    (
        "weight transposed",
        "What goes back through W_hn meets it the other way round. W_hn is square, so no shape complains: (9.18).",
        {"product": lambda da_n, r, h, W: ((r * h).T @ da_n, (da_n @ W) * h, (da_n @ W) * r)},
    ),
    (
        "gradients of two gates exchanged",
        "The matrices of the reset gate and of the candidate are made with each other's gradient.",
        {"exchanged": True},
    ),
)
CHUNG = {"dz": lambda dh, h, z, n: dh * (n - h), "dn": lambda dh, z: dh * z}
CHUNG_HINT = "This is the way back of (9.9). The forward pass of this question is (9.2), where z stands on the old state."
CHUNG_GATES = ((Z_CONVENTION, CHUNG_HINT, CHUNG),)
CHUNG_STEP = ((Z_CONVENTION, CHUNG_HINT, CHUNG | {"kept": lambda dh, z: dh * (1 - z)}),)
