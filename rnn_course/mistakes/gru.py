"""The mistakes of assignment 3, each an edit of a solution in rnn_course/questions/gru.py.

Most come in several forms with one hint, so they are written in groups: `alike(name, hint, edits)`.
An edit is (old text, new text), or (old, new, old, new) where one place is not enough.
"""

from itertools import permutations

from rnn_course.judge.mistake import Mistake

__all__ = ["MISTAKES"]


def alike(name: str, hint: str, *edits: tuple[str, ...]) -> tuple[Mistake, ...]:
    """Return a Mistake for each edit, all with one name and one hint."""
    places = [tuple(zip(edit[::2], edit[1::2], strict=True)) for edit in edits]
    return tuple(Mistake(name, hint, *first, also=tuple(rest)) for first, *rest in places)


ORDERS = [order for order in permutations("rzn") if order != ("r", "z", "n")]
Z_FIRST = [order for order in ORDERS if order.index("z") < order.index("r")]


def in_order(order: tuple[str, ...], prefix: str) -> str:
    """Return "a_xz, a_xr, a_xn" for the order z, r, n and the prefix a_x."""
    return ", ".join(prefix + gate for gate in order)


# Forward: the lines that both forms have

X, H = in_order(("r", "z", "n"), "a_x"), in_order(("r", "z", "n"), "a_h")
FROM_X = "np.split(x @ params.W_x + params.b, 3, axis=1)"
FROM_H = "np.split(h_previous @ params.W_h, 3, axis=1)"
R, Z = "r = sigmoid(a_xr + a_hr)", "z = sigmoid(a_xz + a_hz)"
STATE = "h = (1 - z) * h_previous + z * n"
GATES = "GRUGates(r, z, n)"
B_R, B_Z, B_N = (f"np.split(params.b, 3)[{k}]" for k in range(3))
X_BY_RESHAPE = "np.moveaxis((x @ params.W_x + params.b).reshape(len(x), -1, 3), 2, 0)"
H_BY_RESHAPE = "np.moveaxis((h_previous @ params.W_h).reshape(len(x), -1, {}), 2, 0)"

ORDER_IN = (
    "Which block of an array belongs to which gate? The order here is r, z, n, in every array."
)
INTERLEAVED = (
    "Your reshape takes every third column for a gate. The columns of a gate are neighbours."
)
TURNED = (
    "Rows and columns of a recurrent matrix are exchanged. It is square, so no shape complains: "
    "see the order of the factors in (12.3) and (12.6)."
)
RESET_WHAT = (
    "What is it that the reset gate multiplies, and what not? Look at {}, bracket by bracket."
)

STEP = (
    *alike(
        "bias missing",
        "The pre-activations of both gates and of the candidate have a bias each: (12.3), (12.5).",
        (" + params.b, 3", ", 3"),
        (R, f"r = sigmoid(a_xr + a_hr - {B_R})"),
        (Z, f"z = sigmoid(a_xz + a_hz - {B_Z})"),
        ("np.tanh(a_xn", f"np.tanh(a_xn - {B_N}"),
    ),
    *alike(
        "bias of another gate",
        "Look at which block of b your reset gate adds, and which your update gate: (12.3).",
        (Z, f"z = sigmoid(a_xz + a_hz + {B_R} - {B_Z})"),
        (R, f"r = sigmoid(a_xr + a_hr + {B_Z} - {B_R})"),
    ),
    *alike(
        "bias outside the activation",
        "The bias of the candidate is inside the tanh, with all the rest: (12.5) and (12.6).",
        ("np.tanh(a_xn", f"{B_N} + np.tanh(a_xn - {B_N}"),
    ),
    *alike("gates in another order", ORDER_IN, *((X, in_order(order, "a_x")) for order in ORDERS)),
    *alike(
        "old state not used",
        "A gate of yours looks at the input alone. Equation (12.3) has one more product.",
        (R, "r = sigmoid(a_xr)"),
        (Z, "z = sigmoid(a_xz)"),
    ),
    *alike(
        "activation missing",
        "A gate is a share, between 0 and 1. One of yours is still a pre-activation: (12.3).",
        (R, "r = a_xr + a_hr"),
        (Z, "z = a_xz + a_hz"),
    ),
    *alike(
        "activation missing",
        "Your candidate is a pre-activation: (12.5) and (12.6) go on.",
        ("n = np.tanh(", "n = ("),
    ),
    *alike(
        "activation missing",
        "Your state is right, but you return pre-activations.",
        (GATES, "GRUGates(a_xr + a_hr, a_xz + a_hz, np.arctanh(n))"),
        (GATES, "GRUGates(r, z, np.arctanh(n))"),
    ),
    *alike(
        "another activation",
        "Which function do shares between 0 and 1 come from? (12.3). Your gates have another one.",
        (R, "r = np.tanh(a_xr + a_hr)", Z, "z = np.tanh(a_xz + a_hz)"),
        (R, "r = np.tanh(a_xr + a_hr)"),
        (Z, "z = np.tanh(a_xz + a_hz)"),
        (R, "r = sigmoid(-(a_xr + a_hr))", Z, "z = sigmoid(-(a_xz + a_hz))"),
    ),
    *alike(
        "another activation",
        "Your gates are twice as steep as the sigmoid: a tanh was moved and halved, but not its "
        "argument.",
        (R, "r = (np.tanh(a_xr + a_hr) + 1) / 2", Z, "z = (np.tanh(a_xz + a_hz) + 1) / 2"),
    ),
    *alike(
        "another activation",
        "Your gates are made of straight lines, as in old versions of Keras: (12.3).",
        (
            *(R, "r = np.clip(0.2 * (a_xr + a_hr) + 0.5, 0, 1)"),
            *(Z, "z = np.clip(0.2 * (a_xz + a_hz) + 0.5, 0, 1)"),
        ),
    ),
    *alike(
        "another activation",
        "Your candidate is never negative. What is its activation in (12.5) and (12.6)?",
        ("n = np.tanh(", "n = sigmoid("),
        ("n = np.tanh(", "n = np.maximum(0, "),
    ),
    *alike(
        "activation twice",
        "Something is squashed twice: each gate has one sigmoid, the candidate one tanh, and the "
        "mean of (12.9) none.",
        (R, "r = sigmoid(sigmoid(a_xr + a_hr))", Z, "z = sigmoid(sigmoid(a_xz + a_hz))"),
        (STATE, f"n = np.tanh(n)\n    {STATE}"),
        (STATE, "h = np.tanh((1 - z) * h_previous + z * n)"),
    ),
    *alike(
        "the other convention for z",
        "This is (12.2), the sign of PyTorch and Keras, where an open update gate keeps. Here it "
        "updates: (12.9).",
        (STATE, "h = z * h_previous + (1 - z) * n"),
    ),
    *alike(
        "old state not kept",
        "Equation (12.9) is a mean of two things, and you have one of them.",
        (STATE, "h = z * n"),
        (STATE, "h = n"),
    ),
    *alike(
        "the shares do not add up to one",
        "What is taken of the new is no longer kept of the old: look at both terms of (12.9).",
        (STATE, "h = h_previous + z * n"),
        (STATE, "h = (1 - z) * h_previous + n"),
        (STATE, "h = z * h_previous + z * n"),
        (STATE, "h = (1 - z) * h_previous + (1 - z) * n"),
    ),
    *alike(
        "sign",
        "The state is a mean, so both of its shares are positive: (12.9).",
        (STATE, "h = (1 - z) * h_previous - z * n"),
    ),
    *alike(
        "reset gate in the mean",
        "The reset gate acts on what the candidate reads. The mean of (12.9) has the whole old "
        "state.",
        (STATE, "h = (1 - z) * r * h_previous + z * n"),
    ),
    *alike(
        "gate for its complement",
        "Your state is right, but the z that you return is not the one of (12.9).",
        (GATES, "GRUGates(r, 1 - z, n)"),
    ),
    *alike(
        "one gate for another",
        "Your state is mixed by the reset gate. Which gate does (12.9) have?",
        (STATE, "h = (1 - r) * h_previous + r * n"),
    ),
)

# Forward, reset after the matrix

S, N = "s = a_hn + params.b_hn", "n = np.tanh(a_xn + r * s)"
OF_RESET_STATE = "s = (r * h_previous) @ np.split(params.W_h, 3, axis=1)[2]"

STEP_AFTER = (
    *alike(
        "gates in another order",
        ORDER_IN,
        *((X, in_order(order, "a_x"), H, in_order(order, "a_h")) for order in ORDERS),
        *((H, in_order(order, "a_h")) for order in ORDERS),
    ),
    *alike(
        "gates interleaved", INTERLEAVED, (FROM_X, X_BY_RESHAPE, FROM_H, H_BY_RESHAPE.format(3))
    ),
    *alike(
        "weight transposed",
        TURNED,
        (FROM_H, "[h_previous @ block.T for block in np.split(params.W_h, 3, axis=1)]"),
    ),
    *alike(
        "bias counted twice",
        "You add b on the input's side and on the state's side. Equation (12.3) has it once.",
        (FROM_H, "np.split(h_previous @ params.W_h + params.b, 3, axis=1)"),
    ),
    *alike(
        "bias inside the reset",
        "The reset gate multiplies one bias of the candidate and not the other. Which one is "
        "outside the bracket of (12.5)?",
        (N, f"n = np.tanh(a_xn - {B_N} + r * (s + {B_N}))"),
    ),
    *alike(
        "bias missing",
        "One parameter is not in your answer: where does b_hn enter (12.4)?",
        (S, "s = a_hn"),
    ),
    *alike(
        "bias outside the reset",
        "The bias b_hn belongs to s, and the reset gate multiplies all of s: (12.4) and (12.5).",
        (N, "n = np.tanh(a_xn + r * a_hn + params.b_hn)"),
    ),
    *alike(
        "bias outside the activation",
        "The bias b_hn is part of s, which is inside the tanh: (12.4) and (12.5).",
        (N, "n = np.tanh(a_xn + r * a_hn) + params.b_hn"),
        (N, "n = np.tanh(a_xn + r * a_hn) + r * params.b_hn"),
    ),
    *alike(
        "old state not used",
        "Your candidate looks at the input alone. What else is in (12.5)?",
        (N, "n = np.tanh(a_xn)"),
    ),
    *alike(
        "reset gate missing",
        "The candidate does not see the whole of the old state. Where is the reset gate in yours?",
        (N, "n = np.tanh(a_xn + s)"),
    ),
    *alike(
        "bracket in the wrong place",
        "One tanh is around all of (12.5). Yours ends too early, or there are two.",
        (N, "n = np.tanh(a_xn) + np.tanh(r * s)"),
        (N, "n = np.tanh(a_xn) + r * s"),
        (N, "n = a_xn + r * np.tanh(s)"),
        (N, "n = np.tanh(a_xn + r * np.tanh(s))"),
    ),
    *alike("sign", "Every sign in (12.5) is a plus.", (N, "n = np.tanh(a_xn - r * s)")),
    *alike(
        "the other form of the GRU",
        "You reset the state, then multiply by the matrix. This question has the reset after the "
        "matrix: (12.4) and (12.5). Look where b_hn is, too.",
        (S, f"{OF_RESET_STATE} + params.b_hn", N, "n = np.tanh(a_xn + s)"),
        (S, OF_RESET_STATE, N, "n = np.tanh(a_xn + s)"),
    ),
    *alike(
        "reset gate twice",
        "You reset the state before the matrix and the product after it. Only one of the two is in "
        "(12.4) and (12.5).",
        (S, f"{OF_RESET_STATE} + params.b_hn"),
    ),
    *alike(
        "reset gate on the input as well",
        RESET_WHAT.format("(12.4) and (12.5)"),
        (N, "n = np.tanh(r * (a_xn + s))"),
        (N, "n = np.tanh(r * (a_xn + a_hn) + params.b_hn)"),
        (N, "n = np.tanh(r * (a_xn + a_hn))"),
        (N, "n = np.tanh(r * a_xn + s)"),
    ),
    *alike(
        "gate for its complement",
        "Where your reset gate is open, the candidate does not see the old state: (12.5).",
        (N, "n = np.tanh(a_xn + (1 - r) * s)"),
    ),
    *alike(
        "one gate for another",
        "Your candidate is reset by the update gate: (12.5).",
        (N, "n = np.tanh(a_xn + z * s)"),
    ),
)

# Forward, reset before the matrix

M, N_BEFORE = "m = r * h_previous", "n = np.tanh(a_xn + m @ params.W_hn)"
H_BEFORE, FROM_H_BEFORE = "a_hr, a_hz = ", "np.split(h_previous @ params.W_h, 2, axis=1)"

STEP_BEFORE = (
    *alike(
        "gates in another order",
        ORDER_IN,
        *((X, in_order(order, "a_x"), H_BEFORE, "a_hz, a_hr = ") for order in Z_FIRST),
        (H_BEFORE, "a_hz, a_hr = "),
    ),
    *alike(
        "gates interleaved",
        INTERLEAVED,
        (FROM_X, X_BY_RESHAPE, FROM_H_BEFORE, H_BY_RESHAPE.format(2)),
    ),
    *alike(
        "weight transposed",
        TURNED,
        (FROM_H_BEFORE, "[h_previous @ block.T for block in np.split(params.W_h, 2, axis=1)]"),
        (N_BEFORE, "n = np.tanh(a_xn + m @ params.W_hn.T)"),
    ),
    *alike(
        "old state not used",
        "Your candidate looks at the input alone. What else is in (12.6)?",
        (N_BEFORE, "n = np.tanh(a_xn)"),
    ),
    *alike(
        "reset gate missing",
        "The candidate does not see the whole of the old state. Where is the reset gate in yours?",
        (M, "m = h_previous"),
    ),
    *alike(
        "bracket in the wrong place",
        "One tanh is around all of (12.6). Yours ends too early, or there are two.",
        (N_BEFORE, "n = np.tanh(a_xn) + np.tanh(m @ params.W_hn)"),
        (N_BEFORE, "n = np.tanh(a_xn) + m @ params.W_hn"),
    ),
    *alike(
        "matrix missing",
        "Your candidate adds the reset state as it is. What does it go through in (12.6)?",
        (N_BEFORE, "n = np.tanh(a_xn + m)"),
    ),
    *alike(
        "reset gate on the input as well",
        RESET_WHAT.format("(12.6)"),
        (N_BEFORE, "n = np.tanh(r * (a_xn + h_previous @ params.W_hn))"),
        (N_BEFORE, "n = np.tanh(r * a_xn + h_previous @ params.W_hn)"),
    ),
    *alike(
        "reset gate twice",
        "You reset the state before the matrix and the product after it. Only one of the two is in "
        "(12.6).",
        (N_BEFORE, "n = np.tanh(a_xn + r * (m @ params.W_hn))"),
    ),
    *alike(
        "the other form of the GRU",
        "You multiply by the matrix, then reset the product. This question has the reset before "
        "the matrix: (12.6).",
        (N_BEFORE, "n = np.tanh(a_xn + r * (h_previous @ params.W_hn))"),
    ),
    *alike(
        "gate for its complement",
        "Where your reset gate is open, the candidate does not see the old state: (12.6).",
        (M, "m = (1 - r) * h_previous"),
    ),
    *alike(
        "one gate for another",
        "Your candidate is reset by the update gate: (12.6).",
        (M, "m = z * h_previous"),
    ),
    *alike(
        "reset gate on another gate",
        "Your update gate sees the reset state. Which state does it see in (12.3)?",
        (Z, "z = sigmoid(a_xz + (r * h_previous) @ np.split(params.W_h, 2, axis=1)[1])"),
    ),
)

# The way back to the pre-activations: the lines that both forms have

DZ, DN, DA_N = "dz = dh * (n - h_previous)", "dn = dh * z", "da_n = dn * (1 - n**2)"
RETURNED = "GRUGates(da_r, da_z, da_n)"
OF_12_2 = "This is the way back of (12.2). The forward pass of this question is (12.9)."


def slopes(gate: str) -> tuple[Mistake, ...]:
    """Return the mistakes in the line that takes a gradient back through the sigmoid of a gate."""
    line = f"da_{gate} = d{gate} * {gate} * (1 - {gate})"
    start, other = f"da_{gate} = d{gate}", "z" if gate == "r" else "r"
    return (
        *alike(
            "derivative of the activation missing",
            f"What arrives at {gate} still has to go back through its sigmoid: (12.14).",
            (line, start),
        ),
        *alike(
            "derivative of another activation",
            f"The gate {gate} is a sigmoid; this is the slope of tanh: (12.14).",
            (line, f"{start} * (1 - {gate}**2)"),
        ),
        *alike(
            "derivative taken at the wrong place",
            f"Your slope takes the sigmoid of {gate}, but {gate} is a sigmoid already: (12.14).",
            (line, f"{start} * sigmoid({gate}) * (1 - sigmoid({gate}))"),
        ),
        *alike(
            "activation in the place of its derivative",
            f"You multiply by {gate}, or by its sigmoid. The way back needs the slope: (12.14).",
            (line, f"{start} * {gate}"),
            (line, f"{start} * sigmoid({gate})"),
        ),
        *alike(
            "derivative of the activation wrong",
            f"The slope of a sigmoid has two factors, each once. Look at that of {gate}: (12.14).",
            (line, f"{start} * (1 - {gate})"),
            (line, f"{start} * ({gate} * (1 - {gate})) ** 2"),
            (line, f"{start} * {gate} * (1 + {gate})"),
        ),
        *alike(
            "one gate for another",
            f"The gradient of {gate} has the slope of {other}: (12.14).",
            (line, f"{start} * {other} * (1 - {other})"),
        ),
    )


TO_GATES = (
    *slopes("r"),
    *slopes("z"),
    *alike(
        "derivative of the activation missing",
        "Gradients of the pre-activations are asked for. What is left between them and yours? "
        "(12.12) and (12.14).",
        (RETURNED, "GRUGates(dr, dz, da_n)"),
        (RETURNED, "GRUGates(dr, dz, dn)"),
        (RETURNED, "GRUGates(da_r, da_z, dn)"),
    ),
    *alike(
        "derivative of the activation missing",
        "What arrives at the candidate still has to go back through its tanh: (12.12).",
        (DA_N, "da_n = dn"),
    ),
    *alike(
        "derivative of another activation",
        "The candidate is a tanh; this is the slope of a sigmoid: (12.12).",
        (DA_N, "da_n = dn * n * (1 - n)"),
    ),
    *alike(
        "derivative of the activation wrong",
        "Look at every sign and power of the slope of tanh in (12.12).",
        (DA_N, "da_n = dn * (1 - n)"),
        (DA_N, "da_n = dn * (1 - n) ** 2"),
        (DA_N, "da_n = dn * (1 + n**2)"),
    ),
    *alike(
        "derivative taken at the wrong place",
        "Your slope takes the tanh of n, but n is a tanh already: (12.12).",
        (DA_N, "da_n = dn * (1 - np.tanh(n) ** 2)"),
    ),
    *alike(
        "activation in the place of its derivative",
        "You multiply by n itself. The way back needs the slope: (12.12).",
        (DA_N, "da_n = dn * n"),
    ),
    *alike(
        "path missing",
        "Opening z does two things in (12.9): it takes more of the new and keeps less of the old. "
        "Yours does one of them.",
        (DZ, "dz = dh * n"),
        (DZ, "dz = -dh * h_previous"),
    ),
    *alike(
        "sign",
        "Opening z brings in the new and takes out the old. Which of the two has the minus?",
        (DZ, "dz = dh * (h_previous - n)"),
        (DZ, "dz = dh * (n + h_previous)"),
    ),
    *alike(
        "sign",
        "Look at the sign in the slope of r: (12.14).",
        ("da_r = dr * r * (1 - r)", "da_r = dr * r * (r - 1)"),
    ),
    *alike(
        "one minus a gradient",
        "On the way back through 1 - z you take one minus a gradient. A gradient is multiplied by "
        "a slope. Which is it here?",
        (DZ, "dz = dh * n + (1 - dh * h_previous)"),
    ),
    *alike(
        "one gradient for another",
        "You add the gradient of the candidate where that of 1 - z is due: which two terms of "
        "(12.9) have z in them?",
        (DZ, "dz = dh * n + dh * z"),
    ),
    *alike(
        "counted twice",
        "The gate z is in your dz already: what does (12.9) multiply it by? The product rule "
        "leaves out the factor that you derive for.",
        (DZ, "dz = dh * z * (n - h_previous)"),
    ),
    *alike(
        "new state for the old one",
        "Your dz has the new state. Which state is multiplied in (12.9)?",
        (DZ, "dz = dh * (n - (1 - z) * h_previous - z * n)"),
    ),
    *alike(
        "reset gate twice",
        "The gradient of the candidate has no reset gate yet: look at (12.9).",
        (DN, "dn = dh * z * r"),
    ),
    *alike(
        "gate for its complement",
        "By what is the candidate multiplied in (12.9)? Its gradient has the same factor.",
        (DN, "dn = dh * (1 - z)"),
    ),
    *alike(
        "gate missing on the way back",
        "The candidate is only a part of the state. By what is it multiplied in (12.9)?",
        (DN, "dn = dh"),
    ),
    *alike(
        "one gate for another",
        "The gradient of the candidate goes through the reset gate in yours. Which gate multiplies "
        "it in (12.9)?",
        (DN, "dn = dh * r"),
    ),
    *alike(
        "gates in another order",
        "You return the gradients as z, r, n. The order of GRUGates is r, z, n.",
        (RETURNED, "GRUGates(da_z, da_r, da_n)"),
    ),
)

# The way back to the gates, reset after the matrix

DR, DS, BLOCK = "dr = da_n * s", "ds = da_n * r", "axis=1)[2]"

GATES_AFTER = (
    *alike(
        "the other convention for z",
        OF_12_2,
        (DZ, "dz = dh * (h_previous - n)", DN, "dn = dh * (1 - z)"),
    ),
    *alike(
        "reset gate missing on the way back",
        "The reset gate is between s and the candidate, on the way back as well: (12.13).",
        (DS, "ds = da_n"),
    ),
    *alike(
        "bias missing",
        "What the reset gate multiplied was all of s. Your s lacks the bias: (12.4).",
        (" + params.b_hn", ""),
    ),
    *alike(
        "old state not used",
        "What the reset gate multiplied was all of s. Your s is the bias alone: (12.4).",
        ("s = h_previous @ np.split(params.W_h, 3, axis=1)[2] + params.b_hn", "s = params.b_hn"),
    ),
    *alike(
        "block of another gate",
        "Your s is made with the recurrent matrix of a gate. Which block is the candidate's? The "
        "order is r, z, n.",
        (BLOCK, "axis=1)[0]"),
        (BLOCK, "axis=1)[1]"),
    ),
    *alike(
        "weight transposed",
        "Rows and columns of the matrix in s are exchanged: (12.4).",
        (BLOCK, "axis=1)[2].T"),
    ),
    *alike(
        "reset gate twice",
        "The reset gate is in a gradient of yours once too often: look at (12.13) again.",
        (DR, "dr = da_n * r * s"),
        (DS, "ds = da_n * r * r"),
    ),
    *alike(
        "the other form of the GRU",
        "Your reset gate multiplied the old state. In this question it multiplied s, after the "
        "matrix: (12.13).",
        (DR, "dr = (da_n @ np.split(params.W_h, 3, axis=1)[2].T) * h_previous"),
    ),
    *alike(
        "matrix missing",
        "Your reset gate multiplied the old state itself. In this question it multiplied s: (12.4) "
        "and (12.13).",
        (DR, "dr = da_n * h_previous"),
    ),
    *alike(
        "factors of a product exchanged",
        "In a product each factor is multiplied by the other: look at (12.13) again.",
        (DR, "dr = da_n * r", DS, "ds = da_n * s"),
        (DR, "dr = da_n * r"),
        (DS, "ds = da_n * s"),
    ),
    *alike(
        "derivative of the activation missing",
        "The product of r and s is inside the tanh: both gradients of (12.13) begin with da_n.",
        (DR, "dr = dn * s", DS, "ds = dn * r"),
        (DR, "dr = dn * s"),
        (DS, "ds = dn * r"),
    ),
    *alike(
        "gate for its complement",
        "By what is s multiplied in (12.5)? Its gradient has the same factor.",
        (DS, "ds = da_n * (1 - r)"),
    ),
    *alike(
        "one gate for another",
        "The gradient of s goes through the update gate in yours. Which gate multiplies it in "
        "(12.5)?",
        (DS, "ds = da_n * z"),
    ),
    *alike(
        "path missing",
        "What arrives at r begins with dh in yours. Which way does it come, through the candidate "
        "or past it?",
        (DR, "dr = dh * s"),
    ),
)

# The way back to parameters, input and old state, reset after the matrix

KEPT, CROSSING = "dh * (1 - gates.z)", "da_h @ params.W_h.T"
DA_X, DA_H = "da_x = np.hstack([da.r, da.z, da.n])", "da_h = np.hstack([da.r, da.z, ds])"
DW_X, DW_H, DB, DB_HN = (
    "dW_x = x.T @ da_x",
    "dW_h = h_previous.T @ da_h",
    "db = da_x.sum",
    "db_hn = ds.sum",
)
CALL = "da, ds = gate_gradients(params, h_previous, gates, dh)"
COUNT = (
    "The old state is used four times: count its paths in the table of both forms. Yours lacks one "
    "or more."
)
HOW_MUCH = "How much of the old state is kept? Look at the first term of (12.9)."
ORDER_BACK = "You lay the gradients side by side in another order than the blocks: r, z, n."
ALTERNATE = "Your gradients alternate column by column. The columns of a gate are neighbours."
SIDES = (
    "The candidate has one gradient on the input's side and another on the state's side, (12.15). "
    "Ask of each result on which side it is."
)
MEAN = (
    "Equation (12.16) has sums over the batch. A mean in the loss is in dh already, and does not "
    "come in again."
)
ARRAYS = {
    "r": "da.r",
    "z": "da.z",
    "n": "da.n",
    "s": "ds",
    "_r": "da_r",
    "_z": "da_z",
    "_n": "da_n",
}


def laid(name: str, order: tuple[str, ...], last: str = "n", prefix: str = "") -> str:
    """Return the line that lays gradients side by side in an order, `last` in the place of n."""
    arrays = (ARRAYS[prefix + (last if gate == "n" else gate)] for gate in order)
    return f"{name} = np.hstack([{', '.join(arrays)}])"


STEP_BACK = (
    *alike(
        "the other convention for z",
        OF_12_2,
        (
            CALL,
            f"gates = gates._replace(z=1 - gates.z)\n    {CALL}\n    da = da._replace(z=-da.z)",
        ),
    ),
    *alike(
        "path missing",
        COUNT,
        (CROSSING, "np.hstack([0 * da.r, da.z, ds]) @ params.W_h.T"),
        (CROSSING, "np.hstack([da.r, 0 * da.z, ds]) @ params.W_h.T"),
        (CROSSING, "np.hstack([da.r, da.z, 0 * ds]) @ params.W_h.T"),
        (CROSSING, "np.hstack([0 * da.r, 0 * da.z, ds]) @ params.W_h.T"),
        (f"{KEPT} + ", ""),
        (f" + {CROSSING}", ""),
    ),
    *alike("gate for its complement", HOW_MUCH, (KEPT, "dh * gates.z")),
    *alike("gate missing on the way back", HOW_MUCH, (KEPT, "dh")),
    *alike("one gate for another", HOW_MUCH, (KEPT, "dh * gates.r")),
    *alike("reset gate in the mean", HOW_MUCH, (KEPT, "dh * (1 - gates.z) * gates.r")),
    *alike("derivative taken at the wrong place", HOW_MUCH, (KEPT, "dh * gates.z * (1 - gates.z)")),
    *alike(
        "path missing",
        "The input is used three times: by both gates and by the candidate. Your gradient of x "
        "lacks a path.",
        ("dx = da_x @", "dx = np.hstack([0 * da.r, da.z, da.n]) @"),
        ("dx = da_x @", "dx = np.hstack([da.r, 0 * da.z, da.n]) @"),
        ("dx = da_x @", "dx = np.hstack([0 * da.r, 0 * da.z, da.n]) @"),
        ("dx = da_x @", "dx = np.hstack([da.r, da.z, 0 * da.n]) @"),
    ),
    *alike(
        "not summed over the batch",
        "A bias was added to every row of the batch. Which rows are in your gradient of it?",
        *(
            (DB + "(axis=0)", f"db = da_x[{k}]", DB_HN + "(axis=0)", f"db_hn = ds[{k}]")
            for k in (0, -1)
        ),
    ),
    *alike(
        "reset gate on another gate",
        "The gradient of W_h is formed with the reset state. Which state do the gates see in "
        "(12.3)?",
        (DW_H, "dW_h = (gates.r * h_previous).T @ da_h"),
        (DW_H, "dW_h = (gates.r * h_previous).T @ da_x"),
    ),
    *alike(
        "counted twice",
        "What is kept of the old state comes in once, and dh itself belongs to this step alone.",
        (KEPT, "2 * dh * (1 - gates.z)"),
        (KEPT, "dh + dh * (1 - gates.z)"),
    ),
    *alike(
        "weight transposed",
        "On the way back, a block of W_h is used the other way round: compare (12.17) with (12.3).",
        (CROSSING, "sum(d @ W for d, W in zip((da.r, da.z, ds), np.split(params.W_h, 3, axis=1)))"),
    ),
    *alike(
        "gates in another order",
        ORDER_BACK,
        *((DA_X, laid("da_x", order), DA_H, laid("da_h", order, "s")) for order in ORDERS),
        *((DA_X, laid("da_x", order)) for order in ORDERS),
        *((DA_H, laid("da_h", order, "s")) for order in ORDERS),
    ),
    *alike(
        "gates interleaved",
        ALTERNATE,
        (
            *(DA_X, "da_x = np.stack([da.r, da.z, da.n], axis=2).reshape(len(x), -1)"),
            *(DA_H, "da_h = np.stack([da.r, da.z, ds], axis=2).reshape(len(x), -1)"),
        ),
    ),
    *alike(
        "reset gate missing on the way back",
        SIDES,
        (DA_H, "da_h = da_x"),
        (DW_H, "dW_h = h_previous.T @ da_x"),
        (CROSSING, "da_x @ params.W_h.T"),
        (DB_HN, "db_hn = da.n.sum"),
        (DA_H, "da_h = da_x", DB_HN, "db_hn = da.n.sum"),
    ),
    *alike(
        "reset gate on the way to the input",
        SIDES,
        (DA_X, "da_x = np.hstack([da.r, da.z, ds])"),
        (DW_X, "dW_x = x.T @ da_h"),
        ("dx = da_x @", "dx = da_h @"),
        (DB, "db = da_h.sum"),
    ),
    *alike(
        "mean for sum",
        MEAN,
        (DB, "db = da_x.mean", DB_HN, "db_hn = ds.mean"),
        (
            *(DW_X, f"{DW_X} / len(x)", DW_H, f"{DW_H} / len(x)"),
            *(DB, "db = da_x.mean", DB_HN, "db_hn = ds.mean"),
        ),
    ),
    *alike(
        "new state for the old one",
        "The gradient of W_h is formed with the new state. Which state was multiplied by W_h?",
        (DW_H, "dW_h = ((1 - gates.z) * h_previous + gates.z * gates.n).T @ da_h"),
    ),
    *alike(
        "the other form of the GRU",
        "In this form W_hn sees the old state as it is, and the reset comes after it: (12.4), and "
        "(12.17) on the way back.",
        (
            DW_H,
            "dW_h = h_previous.T @ np.hstack([da.r, da.z, 0 * ds])\n"
            "    dW_h[:, 2 * len(dW_h) :] = (gates.r * h_previous).T @ da.n",
        ),
        (
            CROSSING,
            "np.hstack([da.r, da.z, 0 * ds]) @ params.W_h.T "
            "+ (da.n @ np.split(params.W_h, 3, axis=1)[2].T) * gates.r",
        ),
    ),
)

# The whole way back, reset before the matrix

KEPT_BEFORE, READ = "dh * (1 - z)", "dm * r"
DM, DR_BEFORE, DW_HN = "dm = da_n @ params.W_hn.T", "dr = dm * h_previous", "dW_hn = m.T @ da_n"
DA_X_BEFORE = "da_x = np.hstack([da_r, da_z, da_n])"
DA_H_BEFORE = "da_h = np.hstack([da_r, da_z])"
EXCHANGED = "The matrices of the reset gate and of the candidate have each other's gradient."
AFTER = (
    "This belongs to the reset after the matrix. Here the reset comes before it: (12.18), (12.19)."
)
SEEN = (
    "The candidate's matrix saw the state after the reset. Where is the reset gate in your "
    "backward? (12.18) and (12.19)."
)

BACK_BEFORE = (
    *alike(
        "the other convention for z",
        OF_12_2,
        (
            *(DZ, "dz = dh * (h_previous - n)", DN, "dn = dh * (1 - z)"),
            *(f"dh_previous = {KEPT_BEFORE}", "dh_previous = dh * z"),
        ),
    ),
    *alike(
        "a page with mistakes copied",
        "These are the numbers of the page in Chapter 12 that no code ever ran. The chapter names "
        "its four mistakes.",
        (
            *(DZ, "dz = dh * n + dh * z", DR_BEFORE, "dr = dm * r", DW_HN, "dW_hn = m.T @ da_r"),
            *(DA_X_BEFORE, "da_x = np.hstack([da_n, da_z, da_r])"),
            *(DA_H_BEFORE, "da_h = np.hstack([da_n, da_z])"),
        ),
    ),
    *alike(
        "gradients of two gates exchanged",
        EXCHANGED,
        (
            *(DW_X, "dW_x = x.T @ np.hstack([da_n, da_z, da_r])"),
            *(DW_H, "dW_h = h_previous.T @ np.hstack([da_n, da_z])"),
            *(DB, "db = np.hstack([da_n, da_z, da_r]).sum", DW_HN, "dW_hn = m.T @ da_r"),
        ),
        (DW_H, "dW_h = h_previous.T @ np.hstack([da_n, da_z])", DW_HN, "dW_hn = m.T @ da_r"),
    ),
    *alike(
        "path missing",
        COUNT,
        (CROSSING, "np.hstack([0 * da_r, da_z]) @ params.W_h.T"),
        (CROSSING, "np.hstack([da_r, 0 * da_z]) @ params.W_h.T"),
        (f" + {CROSSING}", ""),
        (f"{READ} + ", ""),
        (f"{KEPT_BEFORE} + ", ""),
        (f"{KEPT_BEFORE} + {READ} + ", ""),
    ),
    *alike("gate for its complement", HOW_MUCH, (KEPT_BEFORE, "dh * z")),
    *alike("gate missing on the way back", HOW_MUCH, (KEPT_BEFORE, "dh")),
    *alike("one gate for another", HOW_MUCH, (KEPT_BEFORE, "dh * r")),
    *alike("reset gate in the mean", HOW_MUCH, (KEPT_BEFORE, "dh * (1 - z) * r")),
    *alike("derivative taken at the wrong place", HOW_MUCH, (KEPT_BEFORE, "dh * z * (1 - z)")),
    *alike(
        "path missing",
        "The input is used three times: by both gates and by the candidate. Your gradient of x "
        "lacks a path.",
        ("dx = da_x @", "dx = np.hstack([0 * da_r, da_z, da_n]) @"),
        ("dx = da_x @", "dx = np.hstack([da_r, 0 * da_z, da_n]) @"),
        ("dx = da_x @", "dx = np.hstack([0 * da_r, 0 * da_z, da_n]) @"),
        ("dx = da_x @", "dx = np.hstack([da_r, da_z, 0 * da_n]) @"),
    ),
    *alike(
        "not summed over the batch",
        "A bias was added to every row of the batch. Which rows are in your gradient of it?",
        *((f"{DB}(axis=0)", f"db = da_x[{k}]") for k in (0, -1)),
    ),
    *alike(
        "counted twice",
        "What is kept of the old state comes in once, and dh itself belongs to this step alone.",
        (KEPT_BEFORE, "2 * dh * (1 - z)"),
        (KEPT_BEFORE, "dh + dh * (1 - z)"),
    ),
    *alike(
        "reset gate missing on the way back",
        SEEN,
        (M, "m = h_previous", READ, "dm"),
        (M, "m = h_previous"),
        (READ, "dm"),
    ),
    *alike(
        "the other form of the GRU",
        AFTER,
        (
            *(DR_BEFORE, "dr = da_n * (h_previous @ params.W_hn)"),
            *(DW_HN, "dW_hn = h_previous.T @ (da_n * r)", READ, "(da_n * r) @ params.W_hn.T"),
        ),
        (DR_BEFORE, "dr = da_n * (h_previous @ params.W_hn)"),
        (DW_HN, "dW_hn = h_previous.T @ (da_n * r)"),
        (READ, "(da_n * r) @ params.W_hn.T"),
    ),
    *alike(
        "matrix missing",
        "A matrix is between the candidate and the reset state: (12.18) comes before (12.19).",
        (DM, "dm = da_n"),
        (DR_BEFORE, "dr = da_n * h_previous"),
        (READ, "da_n * r"),
    ),
    *alike(
        "factors of a product exchanged",
        "In a product each factor is multiplied by the other: look at both gradients of (12.19).",
        (READ, "dm * h_previous", DR_BEFORE, "dr = dm * r"),
        (DR_BEFORE, "dr = dm * r"),
        (READ, "dm * h_previous"),
    ),
    *alike(
        "reset gate twice",
        "The reset gate is in a gradient of yours once too often: look at (12.18) and (12.19).",
        (DR_BEFORE, "dr = dm * m"),
        (DM, "dm = da_n @ params.W_hn.T * r"),
        (DW_HN, "dW_hn = m.T @ (da_n * r)"),
    ),
    *alike(
        "derivative taken at the wrong place",
        "The path through m has the reset gate itself, not its slope: (12.19).",
        (READ, "dm * r * (1 - r)"),
    ),
    *alike(
        "gate for its complement",
        "By what is the old state multiplied in m? Its gradient has the same factor.",
        (READ, "dm * (1 - r)"),
    ),
    *alike(
        "derivative of the activation missing",
        "The product with W_hn is inside the tanh: both gradients of (12.18) begin with da_n.",
        (DM, "dm = dn @ params.W_hn.T"),
        (DW_HN, "dW_hn = m.T @ dn"),
    ),
    *alike(
        "weight transposed",
        "On the way back, a recurrent matrix is used the other way round. It is square, so no "
        "shape complains: (12.18), and (12.20) next to (12.3).",
        (DM, "dm = da_n @ params.W_hn"),
        (CROSSING, "sum(d @ W for d, W in zip((da_r, da_z), np.split(params.W_h, 2, axis=1)))"),
    ),
    *alike(
        "weight transposed",
        "The gradient of W_hn has rows and columns exchanged: (12.18).",
        (DW_HN, "dW_hn = da_n.T @ m"),
    ),
    *alike(
        "gates in another order",
        ORDER_BACK,
        *((DA_X_BEFORE, laid("da_x", order, prefix="_")) for order in ORDERS),
        *(
            (
                *(DA_X_BEFORE, laid("da_x", order, prefix="_")),
                *(DA_H_BEFORE, "da_h = np.hstack([da_z, da_r])"),
            )
            for order in Z_FIRST
        ),
        (DA_H_BEFORE, "da_h = np.hstack([da_z, da_r])"),
    ),
    *alike(
        "gates interleaved",
        ALTERNATE,
        (
            *(DA_X_BEFORE, "da_x = np.stack([da_r, da_z, da_n], axis=2).reshape(len(x), -1)"),
            *(DA_H_BEFORE, "da_h = np.stack([da_r, da_z], axis=2).reshape(len(x), -1)"),
        ),
    ),
    *alike(
        "mean for sum",
        MEAN,
        (
            *(DW_X, f"{DW_X} / len(x)", DW_H, f"{DW_H} / len(x)"),
            *(DB, "db = da_x.mean", DW_HN, f"{DW_HN} / len(x)"),
        ),
    ),
    *alike(
        "new state for the old one",
        "The gradient of W_h is formed with the new state. Which state was multiplied by W_h?",
        (DW_H, "dW_h = ((1 - z) * h_previous + z * n).T @ da_h"),
    ),
    *alike(
        "reset gate on another gate",
        "The gradient of W_h is formed with the reset state. Which state do the gates see in "
        "(12.3)?",
        (DW_H, "dW_h = m.T @ da_h"),
    ),
)

# The other convention for z

JOINED = "np.concatenate([r, -z, n], axis=-1)"


def joined(*blocks: str) -> tuple[tuple[str, str], ...]:
    """Return the edits of `other_z` that put these blocks together instead."""
    return tuple((JOINED, f"np.concatenate([{three}], axis=-1)") for three in blocks)


OTHER_Z = (
    *alike(
        "nothing changed",
        "This is what you were given. Which blocks are the weights of z?",
        *joined("r, z, n"),
    ),
    *alike(
        "another gate changed",
        "Which blocks do you change? The order is r, z, n, and two of the three mean the same in "
        "both conventions.",
        *joined("-r, z, n", "r, z, -n", "-r, -z, n", "-r, -z, -n", "r, -z, -n", "-r, z, -n"),
    ),
    *alike(
        "complement of the weights",
        "It is the gate that becomes one minus itself, not its weights. What must its "
        "pre-activation become? (12.10).",
        *joined("r, 1 - z, n", "r, 1 - z if z.ndim == 1 else -z, n"),
    ),
    *alike(
        "block lost",
        "The gate is not lost in the other convention, it becomes one minus itself: (12.10).",
        *joined("r, 0 * z, n"),
    ),
    *alike(
        "activation on weights",
        "A sigmoid belongs around the pre-activation, not around the weights. What does (12.10) do "
        "with the argument of the sigmoid?",
        *joined("r, sigmoid(-z), n"),
    ),
    *alike(
        "gates in another order",
        "The order is r, z, n in both conventions. What changes is a sign.",
        *joined("-z, r, n", "r, n, -z", "z, r, n"),
    ),
    *alike(
        "gates interleaved",
        "You change every third column. The columns of a gate are neighbours.",
        (JOINED, "blocks * np.where(np.arange(blocks.shape[-1]) % 3 == 1, -1, 1)"),
    ),
    *alike(
        "not all terms converted",
        "The pre-activation of z is a sum of three terms, (12.3). You change one or two of them.",
        *(
            (JOINED, f"np.concatenate([r, -z if {condition} else z, n], axis=-1)")
            for array in ("W_x", "W_h", "b")
            for condition in (f"blocks is {array}", f"blocks is not {array}")
        ),
    ),
)

MISTAKES = {
    "gru_step": STEP + STEP_AFTER,
    "gru_step_backward": STEP_BACK,  # before what it calls: the nearer cause is named
    "gate_gradients": TO_GATES + GATES_AFTER,
    "gru_before_step": STEP + STEP_BEFORE,
    "gru_before_step_backward": TO_GATES + BACK_BEFORE,
    "other_z": OTHER_Z,
}
