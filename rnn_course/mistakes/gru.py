"""The mistakes of assignment 3, each an edit of a solution in rnn_course/questions/gru.py."""

from itertools import permutations

from rnn_course.judge.mistake import Mistake

__all__ = ["MISTAKES"]

# Names that occur more than once. The class summary counts them.

BIAS_MISSING, BIAS_TWICE = "bias missing", "bias twice"
BIAS_OF_ANOTHER, BIAS_OUTSIDE = "bias of another gate", "bias outside the activation"
ORDER, INTERLEAVED = "gates in another order", "gates interleaved"
TRANSPOSED, NO_MATRIX = "weight transposed", "matrix missing"
NOT_USED, NOT_KEPT = "old state not used", "old state not kept"
NO_ACTIVATION, ANOTHER_ACTIVATION = "activation missing", "another activation"
SHARES = "the shares do not add up to one"
ONE_GATE, COMPLEMENT = "one gate for another", "gate for its complement"
Z_CONVENTION, FORM = "the other convention for z", "the other form of the GRU"
NO_RESET, RESET_TWICE = "reset gate missing", "reset gate twice"
RESET_ON_INPUT = "reset gate on the input as well"
NO_SLOPE, ANOTHER_SLOPE = "derivative of the activation missing", "derivative of another activation"
WRONG_SLOPE, WRONG_PLACE = (
    "derivative of the activation wrong",
    "derivative taken at the wrong place",
)
NOT_THE_SLOPE = "activation in the place of its derivative"
PATH, PATH_TWICE, SIGN = "path missing", "counted twice", "sign"
NO_GATE_BACK, NO_RESET_BACK = "gate missing on the way back", "reset gate missing on the way back"
RESET_TO_INPUT, FACTORS = "reset gate on the way to the input", "factors of a product exchanged"
ANOTHER_STATE, MEAN = "new state for the old one", "mean for sum"


# Forward: the lines that both forms have

A_X, A_H = "a_xr, a_xz, a_xn = ", "a_hr, a_hz, a_hn = "
FROM_X = "np.split(x @ params.W_x + params.b, 3, axis=1)"
FROM_H = "np.split(h_previous @ params.W_h, 3, axis=1)"
FROM_H_BEFORE = "np.split(h_previous @ params.W_h, 2, axis=1)"
OF_R, OF_Z = "r = sigmoid(a_xr + a_hr)", "z = sigmoid(a_xz + a_hz)"
STATE = "h = (1 - z) * h_previous + z * n"
ALL = "GRUGates(r, z, n)"


def names_in_order(order: tuple[str, ...], prefix: str) -> str:
    """Return "a_xz, a_xr, a_xn = " for the order z, r, n and the prefix a_x."""
    return ", ".join(prefix + gate for gate in order) + " = "


def order_hint(order: tuple[str, ...]) -> str:
    """Return the hint on blocks that are taken in another order."""
    return (
        f"You take the blocks as {', '.join(order)}. The order here is r, z, n; "
        "other libraries have other ones."
    )


ORDERS = [order for order in permutations("rzn") if order != ("r", "z", "n")]
Z_FIRST = [order for order in ORDERS if order.index("z") < order.index("r")]

GATES = (
    Mistake(
        BIAS_MISSING,
        "The pre-activations of both gates and of the candidate have a bias each: (12.3) and "
        "(12.5).",
        " + params.b, 3",
        ", 3",
    ),
    Mistake(
        BIAS_OF_ANOTHER,
        "Look at which block of b your update gate adds.",
        OF_Z,
        "z = sigmoid(a_xz + a_hz + np.split(params.b, 3)[0] - np.split(params.b, 3)[1])",
    ),
    Mistake(
        BIAS_OF_ANOTHER,
        "Look at which block of b your reset gate adds.",
        OF_R,
        "r = sigmoid(a_xr + a_hr + np.split(params.b, 3)[1] - np.split(params.b, 3)[0])",
    ),
    Mistake(
        BIAS_MISSING,
        "Your reset gate has no bias: (12.3).",
        OF_R,
        "r = sigmoid(a_xr + a_hr - np.split(params.b, 3)[0])",
    ),
    Mistake(
        BIAS_MISSING,
        "Your update gate has no bias: (12.3).",
        OF_Z,
        "z = sigmoid(a_xz + a_hz - np.split(params.b, 3)[1])",
    ),
    Mistake(
        BIAS_MISSING,
        "Your candidate lacks the bias that it has from the input's side, the third block of b.",
        "np.tanh(a_xn",
        "np.tanh(a_xn - np.split(params.b, 3)[2]",
    ),
    *(
        Mistake(
            ORDER,
            f"For W_x and b: {order_hint(order)}",
            A_X,
            names_in_order(order, "a_x"),
        )
        for order in ORDERS
    ),
    Mistake(
        NOT_USED,
        "Your gates look at the input alone. Equation (12.3) has one more product.",
        OF_R,
        "r = sigmoid(a_xr)",
        also=((OF_Z, "z = sigmoid(a_xz)"),),
    ),
    Mistake(
        NOT_USED,
        "Your reset gate looks at the input alone. Equation (12.3) has one more product.",
        OF_R,
        "r = sigmoid(a_xr)",
    ),
    Mistake(
        NOT_USED,
        "Your update gate looks at the input alone. Equation (12.3) has one more product.",
        OF_Z,
        "z = sigmoid(a_xz)",
    ),
    Mistake(
        NO_ACTIVATION,
        "The gates are shares, between 0 and 1. Yours are still pre-activations: (12.3).",
        OF_R,
        "r = a_xr + a_hr",
        also=((OF_Z, "z = a_xz + a_hz"),),
    ),
    Mistake(
        NO_ACTIVATION,
        "Your reset gate is still a pre-activation: (12.3).",
        OF_R,
        "r = a_xr + a_hr",
    ),
    Mistake(
        NO_ACTIVATION,
        "Your update gate is still a pre-activation: (12.3).",
        OF_Z,
        "z = a_xz + a_hz",
    ),
    Mistake(
        NO_ACTIVATION,
        "Your state is right, but what you return as gates are pre-activations.",
        ALL,
        "GRUGates(a_xr + a_hr, a_xz + a_hz, np.arctanh(n))",
    ),
    Mistake(
        NO_ACTIVATION,
        "Your state is right, but the candidate that you return is a pre-activation.",
        ALL,
        "GRUGates(r, z, np.arctanh(n))",
    ),
    Mistake(
        ANOTHER_ACTIVATION,
        "Your gates have the tanh. Which function do shares between 0 and 1 come from? (12.3).",
        OF_R,
        "r = np.tanh(a_xr + a_hr)",
        also=((OF_Z, "z = np.tanh(a_xz + a_hz)"),),
    ),
    Mistake(
        ANOTHER_ACTIVATION,
        "Your gates are twice as steep as the sigmoid: a tanh was moved and halved, but not its "
        "argument.",
        OF_R,
        "r = (np.tanh(a_xr + a_hr) + 1) / 2",
        also=((OF_Z, "z = (np.tanh(a_xz + a_hz) + 1) / 2"),),
    ),
    Mistake(
        ANOTHER_ACTIVATION,
        "Your gates are made of straight lines, as in old versions of Keras. Here they have the "
        "sigmoid: (12.3).",
        OF_R,
        "r = np.clip(0.2 * (a_xr + a_hr) + 0.5, 0, 1)",
        also=((OF_Z, "z = np.clip(0.2 * (a_xz + a_hz) + 0.5, 0, 1)"),),
    ),
    Mistake(
        ANOTHER_ACTIVATION,
        "Your gates fall where they should rise: look at the sign inside the sigmoid.",
        OF_R,
        "r = sigmoid(-(a_xr + a_hr))",
        also=((OF_Z, "z = sigmoid(-(a_xz + a_hz))"),),
    ),
    Mistake(
        ANOTHER_ACTIVATION,
        "Your candidate has the sigmoid. It must be able to be negative: (12.5) and (12.6).",
        "n = np.tanh(",
        "n = sigmoid(",
    ),
    Mistake(
        NO_ACTIVATION,
        "Your candidate is a pre-activation: (12.5) and (12.6) go on.",
        "n = np.tanh(",
        "n = (",
    ),
    Mistake(
        BIAS_OUTSIDE,
        "The bias of the candidate is inside the tanh, with all the rest: (12.5) and (12.6).",
        "np.tanh(a_xn",
        "np.split(params.b, 3)[2] + np.tanh(a_xn - np.split(params.b, 3)[2]",
    ),
    Mistake(
        Z_CONVENTION,
        "This is (12.2), the sign of PyTorch and Keras, where an open update gate keeps. Here it "
        "updates: (12.9).",
        STATE,
        "h = z * h_previous + (1 - z) * n",
    ),
    Mistake(
        NOT_KEPT,
        "Equation (12.9) is a mean of two things, and you have one of them.",
        STATE,
        "h = z * n",
    ),
    Mistake(
        NOT_KEPT,
        "What you return as the state is the candidate. The mean of (12.9) comes after it.",
        STATE,
        "h = n",
    ),
    Mistake(
        SHARES,
        "The more z takes of the new, the less is kept of the old: look at the first term of "
        "(12.9).",
        STATE,
        "h = h_previous + z * n",
    ),
    Mistake(
        SHARES,
        "What is the share of the candidate? Look at the second term of (12.9).",
        STATE,
        "h = (1 - z) * h_previous + n",
    ),
    Mistake(
        SHARES,
        "You give the old and the new the same share. Look at both terms of (12.9).",
        STATE,
        "h = z * h_previous + z * n",
    ),
    Mistake(
        SHARES,
        "You give the old and the new the same share. Look at both terms of (12.9).",
        STATE,
        "h = (1 - z) * h_previous + (1 - z) * n",
    ),
    Mistake(
        ONE_GATE,
        "Your state is mixed by the reset gate. Which gate does (12.9) have?",
        STATE,
        "h = (1 - r) * h_previous + r * n",
    ),
)

# Forward, reset after the matrix

S, N_AFTER = "s = a_hn + params.b_hn", "n = np.tanh(a_xn + r * s)"
LAST_BLOCK = "np.split(params.W_h, 3, axis=1)[2]"
SEEN = "The candidate does not see the whole of the old state. Where is the reset gate in yours?"

STEP = (
    *(
        Mistake(
            ORDER,
            order_hint(order),
            A_X,
            names_in_order(order, "a_x"),
            also=((A_H, names_in_order(order, "a_h")),),
        )
        for order in ORDERS
    ),
    Mistake(
        ORDER,
        "For W_h you take the first block for z and the second for r, for W_x you do not. The "
        "order here is r, z, n, in every array.",
        A_H,
        names_in_order(("z", "r", "n"), "a_h"),
    ),
    Mistake(
        INTERLEAVED,
        "Your reshape takes every third column for a gate. The gates are blocks of columns next "
        "to each other.",
        FROM_X,
        "np.moveaxis((x @ params.W_x + params.b).reshape(len(x), -1, 3), 2, 0)",
        also=((FROM_H, "np.moveaxis((h_previous @ params.W_h).reshape(len(x), -1, 3), 2, 0)"),),
    ),
    Mistake(
        TRANSPOSED,
        "Rows and columns are exchanged in the blocks of W_h. They are square, so no shape "
        "complains: see the order in (12.3).",
        FROM_H,
        "[h_previous @ block.T for block in np.split(params.W_h, 3, axis=1)]",
    ),
    Mistake(
        BIAS_TWICE,
        "You add b on the input's side and on the state's side. It stands once in (12.3).",
        FROM_H,
        "np.split(h_previous @ params.W_h + params.b, 3, axis=1)",
    ),
    Mistake(
        "bias inside the reset",
        "The reset gate multiplies one bias of the candidate and not the other. Which one is "
        "outside the bracket of (12.5)?",
        FROM_X,
        "np.split(x @ params.W_x, 3, axis=1)",
        also=((FROM_H, "np.split(h_previous @ params.W_h + params.b, 3, axis=1)"),),
    ),
    Mistake(
        BIAS_MISSING,
        "One parameter is not in your answer: where does b_hn enter (12.4)?",
        S,
        "s = a_hn",
    ),
    Mistake(
        "bias outside the reset",
        "The bias b_hn belongs to s, and the reset gate multiplies all of s: (12.4) and (12.5).",
        N_AFTER,
        "n = np.tanh(a_xn + r * a_hn + params.b_hn)",
    ),
    Mistake(
        BIAS_OUTSIDE,
        "The bias b_hn is part of s, which is inside the tanh: (12.4) and (12.5).",
        N_AFTER,
        "n = np.tanh(a_xn + r * a_hn) + params.b_hn",
    ),
    Mistake(
        BIAS_OUTSIDE,
        "Your reset gate multiplies b_hn, but outside the tanh. Where is s in (12.5)?",
        N_AFTER,
        "n = np.tanh(a_xn + r * a_hn) + r * params.b_hn",
    ),
    Mistake(NO_RESET, SEEN, N_AFTER, "n = np.tanh(a_xn + s)"),
    Mistake(
        NOT_USED,
        "Your candidate looks at the input alone. What else is in (12.5)?",
        N_AFTER,
        "n = np.tanh(a_xn)",
    ),
    Mistake(
        FORM,
        "You reset the state, then multiply by the matrix. This question has the reset after the "
        "matrix: (12.4) and (12.5).",
        S,
        f"s = (r * h_previous) @ {LAST_BLOCK} + params.b_hn",
        also=((N_AFTER, "n = np.tanh(a_xn + s)"),),
    ),
    Mistake(
        FORM,
        "You reset the state, then multiply by the matrix, and b_hn is missing: compare (12.6) "
        "with (12.4) and (12.5).",
        S,
        f"s = (r * h_previous) @ {LAST_BLOCK}",
        also=((N_AFTER, "n = np.tanh(a_xn + s)"),),
    ),
    Mistake(
        RESET_TWICE,
        "You reset the state before the matrix and the product after it. Only one of the two is "
        "in (12.4) and (12.5).",
        S,
        f"s = (r * h_previous) @ {LAST_BLOCK} + params.b_hn",
    ),
    Mistake(
        RESET_ON_INPUT,
        "Your reset gate multiplies what comes from the input too. What is inside the reset in "
        "(12.5), and what is outside?",
        N_AFTER,
        "n = np.tanh(r * (a_xn + s))",
    ),
    Mistake(
        RESET_ON_INPUT,
        "Your reset gate multiplies what comes from the input, and not b_hn. Draw the bracket of "
        "(12.5) again, with (12.4) in it.",
        N_AFTER,
        "n = np.tanh(r * (a_xn + a_hn) + params.b_hn)",
    ),
    Mistake(
        RESET_ON_INPUT,
        "Your reset gate multiplies what comes from the input, and b_hn is missing: (12.4) and "
        "(12.5).",
        N_AFTER,
        "n = np.tanh(r * (a_xn + a_hn))",
    ),
    Mistake(
        RESET_ON_INPUT,
        "Your reset gate multiplies what comes from the input, and not what comes from the old "
        "state. It is the other way round in (12.5).",
        N_AFTER,
        "n = np.tanh(r * a_xn + s)",
    ),
    Mistake(
        COMPLEMENT,
        "Where your reset gate is open, the candidate does not see the old state: (12.5).",
        N_AFTER,
        "n = np.tanh(a_xn + (1 - r) * s)",
    ),
    Mistake(
        ONE_GATE,
        "Your candidate is reset by the update gate: (12.5).",
        N_AFTER,
        "n = np.tanh(a_xn + z * s)",
    ),
)

# Forward, reset before the matrix

M, N_BEFORE = "m = r * h_previous", "n = np.tanh(a_xn + m @ params.W_hn)"

BEFORE_STEP = (
    *(
        Mistake(
            ORDER,
            order_hint(order),
            A_X,
            names_in_order(order, "a_x"),
            also=(("a_hr, a_hz = ", "a_hz, a_hr = "),),
        )
        for order in Z_FIRST
    ),
    Mistake(
        ORDER,
        "For W_h you take the first block for z and the second for r, for W_x you do not. The "
        "order here is r, z, in every array.",
        "a_hr, a_hz = ",
        "a_hz, a_hr = ",
    ),
    Mistake(
        INTERLEAVED,
        "Your reshape takes every second or third column for a gate. The gates are blocks of "
        "columns next to each other.",
        FROM_X,
        "np.moveaxis((x @ params.W_x + params.b).reshape(len(x), -1, 3), 2, 0)",
        also=(
            (
                FROM_H_BEFORE,
                "np.moveaxis((h_previous @ params.W_h).reshape(len(x), -1, 2), 2, 0)",
            ),
        ),
    ),
    Mistake(
        TRANSPOSED,
        "Rows and columns are exchanged in the blocks of W_h. They are square, so no shape "
        "complains: see the order in (12.3).",
        FROM_H_BEFORE,
        "[h_previous @ block.T for block in np.split(params.W_h, 2, axis=1)]",
    ),
    Mistake(
        TRANSPOSED,
        "Rows and columns of W_hn are exchanged. It is square, so no shape complains: (12.6).",
        N_BEFORE,
        "n = np.tanh(a_xn + m @ params.W_hn.T)",
    ),
    Mistake(NO_RESET, SEEN, M, "m = h_previous"),
    Mistake(
        NOT_USED,
        "Your candidate looks at the input alone. What else is in (12.6)?",
        N_BEFORE,
        "n = np.tanh(a_xn)",
    ),
    Mistake(
        NO_MATRIX,
        "Your candidate adds the reset state as it is. What does it go through in (12.6)?",
        N_BEFORE,
        "n = np.tanh(a_xn + m)",
    ),
    Mistake(
        RESET_ON_INPUT,
        "Your reset gate multiplies what comes from the input too. What is it that (12.6) resets?",
        N_BEFORE,
        "n = np.tanh(r * (a_xn + h_previous @ params.W_hn))",
    ),
    Mistake(
        RESET_ON_INPUT,
        "Your reset gate multiplies what comes from the input, and not the old state. It is the "
        "other way round in (12.6).",
        N_BEFORE,
        "n = np.tanh(r * a_xn + h_previous @ params.W_hn)",
    ),
    Mistake(
        RESET_TWICE,
        "You reset the state before the matrix and the product after it. Only one of the two is "
        "in (12.6).",
        N_BEFORE,
        "n = np.tanh(a_xn + r * (m @ params.W_hn))",
    ),
    Mistake(
        FORM,
        "You multiply by the matrix, then reset the product. This question has the reset before "
        "the matrix: (12.6).",
        N_BEFORE,
        "n = np.tanh(a_xn + r * (h_previous @ params.W_hn))",
    ),
    Mistake(
        COMPLEMENT,
        "Where your reset gate is open, the candidate does not see the old state: (12.6).",
        M,
        "m = (1 - r) * h_previous",
    ),
    Mistake(
        ONE_GATE,
        "Your candidate is reset by the update gate: (12.6).",
        M,
        "m = z * h_previous",
    ),
    Mistake(
        "reset gate on another gate",
        "Your update gate sees the reset state. Which state does it see in (12.3)?",
        OF_Z,
        "z = sigmoid(a_xz + (r * h_previous) @ np.split(params.W_h, 2, axis=1)[1])",
    ),
)

# The way back to the pre-activations: the lines that both forms have


def slopes(gate: str) -> tuple[Mistake, ...]:
    """Return the mistakes in the line that takes a gradient back through the sigmoid of a gate."""
    line = f"da_{gate} = d{gate} * {gate} * (1 - {gate})"
    start = f"da_{gate} = d{gate}"
    return (
        Mistake(
            NO_SLOPE,
            f"What arrives at {gate} still has to go back through its sigmoid: (12.14).",
            line,
            start,
        ),
        Mistake(
            ANOTHER_SLOPE,
            f"The gate {gate} is a sigmoid; this is the slope of tanh: (12.14).",
            line,
            f"{start} * (1 - {gate}**2)",
        ),
        Mistake(
            WRONG_PLACE,
            f"Your slope takes the sigmoid of {gate}, but {gate} is a sigmoid already: (12.14).",
            line,
            f"{start} * sigmoid({gate}) * (1 - sigmoid({gate}))",
        ),
        Mistake(
            NOT_THE_SLOPE,
            f"You multiply by {gate} itself. The way back needs the slope: (12.14).",
            line,
            f"{start} * {gate}",
        ),
        Mistake(
            NOT_THE_SLOPE,
            f"You multiply by the sigmoid of {gate}. Its slope belongs there: (12.14).",
            line,
            f"{start} * sigmoid({gate})",
        ),
        Mistake(
            WRONG_SLOPE,
            f"The slope of the sigmoid has two factors; yours of {gate} has one: (12.14).",
            line,
            f"{start} * (1 - {gate})",
        ),
        Mistake(
            WRONG_SLOPE,
            f"The slope of {gate} is multiplied twice: (12.14) has it once.",
            line,
            f"{start} * ({gate} * (1 - {gate})) ** 2",
        ),
        Mistake(
            WRONG_SLOPE,
            f"Look at the sign in the slope of {gate}: (12.14).",
            line,
            f"{start} * {gate} * (1 + {gate})",
        ),
    )


DZ, DN, DA_N = "dz = dh * (n - h_previous)", "dn = dh * z", "da_n = dn * (1 - n**2)"
BOTH = (
    "Opening z does two things in (12.9): it takes more of the new and keeps less of the old. "
    "Yours does one of them."
)
CHUNG = "This is the way back of (12.2). The forward pass of this question is (12.9)."

TO_GATES = (
    *slopes("r"),
    *slopes("z"),
    Mistake(
        SIGN,
        "Look at the sign in the slope of r: (12.14).",
        "da_r = dr * r * (1 - r)",
        "da_r = dr * r * (r - 1)",
    ),
    Mistake(
        NO_SLOPE,
        "What arrives at both gates still has to go back through their sigmoids: (12.14).",
        "GRUGates(da_r, da_z, da_n)",
        "GRUGates(dr, dz, da_n)",
    ),
    Mistake(
        NO_SLOPE,
        "What you return are the gradients of the gates and of the candidate. Those of their "
        "pre-activations are asked for: (12.12) and (12.14).",
        "GRUGates(da_r, da_z, da_n)",
        "GRUGates(dr, dz, dn)",
    ),
    Mistake(
        NO_SLOPE,
        "What arrives at the candidate still has to go back through its tanh: (12.12).",
        DA_N,
        "da_n = dn",
    ),
    Mistake(
        NO_SLOPE,
        "The da_n that you return has not been through the slope of tanh, and yet the rest has: "
        "(12.12).",
        "GRUGates(da_r, da_z, da_n)",
        "GRUGates(da_r, da_z, dn)",
    ),
    Mistake(
        ANOTHER_SLOPE,
        "The candidate is a tanh; this is the slope of a sigmoid: (12.12).",
        DA_N,
        "da_n = dn * n * (1 - n)",
    ),
    Mistake(
        WRONG_SLOPE,
        "Look at every sign and power of the slope of tanh in (12.12).",
        DA_N,
        "da_n = dn * (1 - n)",
    ),
    Mistake(
        WRONG_SLOPE,
        "Look at every sign and power of the slope of tanh in (12.12).",
        DA_N,
        "da_n = dn * (1 - n) ** 2",
    ),
    Mistake(
        WRONG_SLOPE,
        "Look at every sign and power of the slope of tanh in (12.12).",
        DA_N,
        "da_n = dn * (1 + n**2)",
    ),
    Mistake(
        WRONG_PLACE,
        "Your slope takes the tanh of n, but n is a tanh already: (12.12).",
        DA_N,
        "da_n = dn * (1 - np.tanh(n) ** 2)",
    ),
    Mistake(
        NOT_THE_SLOPE,
        "You multiply by n itself. The way back needs the slope: (12.12).",
        DA_N,
        "da_n = dn * n",
    ),
    Mistake(PATH, BOTH, DZ, "dz = dh * n"),
    Mistake(PATH, BOTH, DZ, "dz = -dh * h_previous"),
    Mistake(
        SIGN,
        "Opening z brings in the new and takes out the old. Which of the two has the minus?",
        DZ,
        "dz = dh * (h_previous - n)",
    ),
    Mistake(
        SIGN,
        "Where z grows, the share of the old state shrinks: look for the minus in (12.9).",
        DZ,
        "dz = dh * (n + h_previous)",
    ),
    Mistake(
        "one minus a gradient",
        "On the way back through 1 - z you take one minus a gradient. A gradient is multiplied by "
        "a slope. Which is it here?",
        DZ,
        "dz = dh * n + (1 - dh * h_previous)",
    ),
    Mistake(
        "one gradient for another",
        "You add the gradient of the candidate where that of 1 - z is due: which two terms of "
        "(12.9) have z in them?",
        DZ,
        "dz = dh * n + dh * z",
    ),
    Mistake(
        PATH_TWICE,
        "The gate z is in your dz already: what does (12.9) multiply it by? The product rule "
        "leaves out the factor that you derive for.",
        DZ,
        "dz = dh * z * (n - h_previous)",
    ),
    Mistake(
        COMPLEMENT,
        "By what is the candidate multiplied in (12.9)? Its gradient goes back through the same "
        "factor.",
        DN,
        "dn = dh * (1 - z)",
    ),
    Mistake(
        NO_GATE_BACK,
        "The candidate is only a part of the state. By what is it multiplied in (12.9)?",
        DN,
        "dn = dh",
    ),
    Mistake(
        ONE_GATE,
        "The gradient of the candidate goes through the reset gate in yours. Which gate multiplies "
        "it in (12.9)?",
        DN,
        "dn = dh * r",
    ),
)

# The way back to the gates, reset after the matrix

DR, DS = "dr = da_n * s", "ds = da_n * r"
RETURNED = "GRUGates(da_r, da_z, da_n)"

GATE_GRADIENTS = (
    Mistake(
        Z_CONVENTION, CHUNG, DZ, "dz = dh * (h_previous - n)", also=((DN, "dn = dh * (1 - z)"),)
    ),
    Mistake(
        NO_RESET_BACK,
        "The reset gate is between s and the candidate, on the way back as well: (12.13).",
        DS,
        "ds = da_n",
    ),
    Mistake(
        BIAS_MISSING,
        "What the reset gate multiplied was all of s. Your s lacks the bias: (12.4).",
        " + params.b_hn",
        "",
    ),
    Mistake(
        NOT_USED,
        "What the reset gate multiplied was all of s. Your s is the bias alone: (12.4).",
        "s = h_previous @ np.split(params.W_h, 3, axis=1)[2] + params.b_hn",
        "s = params.b_hn",
    ),
    Mistake(
        "block of another gate",
        "Your s is made with the recurrent matrix of r. Which block is the candidate's? The order "
        "is r, z, n.",
        "axis=1)[2]",
        "axis=1)[0]",
    ),
    Mistake(
        "block of another gate",
        "Your s is made with the recurrent matrix of z. Which block is the candidate's? The order "
        "is r, z, n.",
        "axis=1)[2]",
        "axis=1)[1]",
    ),
    Mistake(
        TRANSPOSED,
        "Rows and columns of the matrix in s are exchanged: (12.4).",
        "axis=1)[2]",
        "axis=1)[2].T",
    ),
    Mistake(
        RESET_TWICE,
        "The reset gate is in your gradient of r itself: what is the other factor of the product "
        "in (12.5)?",
        DR,
        "dr = da_n * r * s",
    ),
    Mistake(
        RESET_TWICE,
        "The reset gate multiplies s twice on your way back: (12.13).",
        DS,
        "ds = da_n * r * r",
    ),
    Mistake(
        FORM,
        "Your reset gate multiplied the old state. In this question it multiplied s, after the "
        "matrix: (12.13).",
        DR,
        "dr = (da_n @ np.split(params.W_h, 3, axis=1)[2].T) * h_previous",
    ),
    Mistake(
        NO_MATRIX,
        "Your reset gate multiplied the old state itself. In this question it multiplied s: (12.4) "
        "and (12.13).",
        DR,
        "dr = da_n * h_previous",
    ),
    Mistake(
        FACTORS,
        "In a product each factor is multiplied by the other: look at (12.13) again.",
        DR,
        "dr = da_n * r",
        also=((DS, "ds = da_n * s"),),
    ),
    Mistake(
        FACTORS,
        "Your gradient of r is multiplied by r. In a product each factor gets the other: (12.13).",
        DR,
        "dr = da_n * r",
    ),
    Mistake(
        FACTORS,
        "Your gradient of s is multiplied by s. In a product each factor gets the other: (12.13).",
        DS,
        "ds = da_n * s",
    ),
    Mistake(
        NO_SLOPE,
        "The product of r and s is inside the tanh: both of its gradients begin with da_n, "
        "(12.13).",
        DR,
        "dr = dn * s",
        also=((DS, "ds = dn * r"),),
    ),
    Mistake(
        NO_SLOPE,
        "The product of r and s is inside the tanh: the gradient of r begins with da_n, (12.13).",
        DR,
        "dr = dn * s",
    ),
    Mistake(
        NO_SLOPE,
        "The product of r and s is inside the tanh: the gradient of s begins with da_n, (12.13).",
        DS,
        "ds = dn * r",
    ),
    Mistake(
        COMPLEMENT,
        "By what is s multiplied in (12.5)? Its gradient goes back through the same factor.",
        DS,
        "ds = da_n * (1 - r)",
    ),
    Mistake(
        ONE_GATE,
        "The gradient of s goes through the update gate in yours. Which gate multiplies it in "
        "(12.5)?",
        DS,
        "ds = da_n * z",
    ),
    Mistake(
        PATH,
        "What arrives at r begins with dh in yours. Which way does it come, through the candidate "
        "or past it?",
        DR,
        "dr = dh * s",
    ),
    Mistake(
        ORDER,
        "You return the gradients as z, r, n. The order of GRUGates is r, z, n.",
        RETURNED,
        "GRUGates(da_z, da_r, da_n)",
    ),
)

# The way back to parameters, input and old state

KEPT, CROSSING = "dh * (1 - gates.z)", "da_h @ params.W_h.T"
SIDE_X, SIDE_H = "da_x = np.hstack([da.r, da.z, da.n])", "da_h = np.hstack([da.r, da.z, ds])"
CALL = "da, ds = gate_gradients(params, h_previous, gates, dh)"
COUNT = (
    "The old state is used four times: count its paths in (12.17), or in the table of both forms. "
    "Yours lacks one:"
)
LAST_H_BLOCK = "np.split(params.W_h, 3, axis=1)[2]"


def side_by_side(name: str, order: tuple[str, ...], arrays: dict[str, str]) -> str:
    """Return the line that lays the gradients of the gates side by side in an order."""
    return f"{name} = np.hstack([{', '.join(arrays[gate] for gate in order)}])"


def laid(order: tuple[str, ...]) -> str:
    """Return the hint on gradients that are side by side in another order."""
    return (
        f"You lay the gradients side by side as {', '.join(order)}. The blocks of the parameters "
        "are in the order r, z, n."
    )


OF_X = {"r": "da.r", "z": "da.z", "n": "da.n"}
OF_H = OF_X | {"n": "ds"}

STEP_BACKWARD = (
    Mistake(
        Z_CONVENTION,
        CHUNG,
        CALL,
        f"gates = gates._replace(z=1 - gates.z)\n    {CALL}\n    da = da._replace(z=-da.z)",
    ),
    Mistake(
        PATH,
        f"{COUNT} through the reset gate.",
        CROSSING,
        "np.hstack([0 * da.r, da.z, ds]) @ params.W_h.T",
    ),
    Mistake(
        PATH,
        f"{COUNT} through the update gate.",
        CROSSING,
        "np.hstack([da.r, 0 * da.z, ds]) @ params.W_h.T",
    ),
    Mistake(
        PATH,
        f"{COUNT} through the candidate.",
        CROSSING,
        "np.hstack([da.r, da.z, 0 * ds]) @ params.W_h.T",
    ),
    Mistake(PATH, f"{COUNT} the one without a matrix.", f"{KEPT} + ", ""),
    Mistake(
        PATH,
        "Your gradient of the old state has the path without a matrix alone. Where else is the old "
        "state used?",
        f" + {CROSSING}",
        "",
    ),
    Mistake(
        PATH,
        "Your gradient of the old state comes through the candidate and past everything. Do the "
        "gates see the old state too? (12.3).",
        CROSSING,
        f"ds @ {LAST_H_BLOCK}.T",
    ),
    Mistake(
        COMPLEMENT,
        "How much of the old state is kept, z or the rest? (12.9).",
        KEPT,
        "dh * gates.z",
    ),
    Mistake(
        NO_GATE_BACK,
        "Not all of the old state is kept. By what is it multiplied in (12.9)?",
        KEPT,
        "dh",
    ),
    Mistake(
        ONE_GATE,
        "The path without a matrix goes through the reset gate in yours. Which gate is it in "
        "(12.9)?",
        KEPT,
        "dh * gates.r",
    ),
    Mistake(
        PATH_TWICE,
        "The path without a matrix is counted twice in your gradient of the old state.",
        KEPT,
        "2 * dh * (1 - gates.z)",
    ),
    Mistake(
        PATH_TWICE,
        "What arrives at the new state is in your gradient of the old state once more, as it is. "
        "It belongs to this step, and only what is kept goes on.",
        KEPT,
        "dh + dh * (1 - gates.z)",
    ),
    Mistake(
        TRANSPOSED,
        "On the way back, a block of W_h is used the other way round: compare (12.17) with (12.3).",
        CROSSING,
        "sum(d @ W for d, W in zip((da.r, da.z, ds), np.split(params.W_h, 3, axis=1)))",
    ),
    *(
        Mistake(
            ORDER,
            laid(order),
            SIDE_X,
            side_by_side("da_x", order, OF_X),
            also=((SIDE_H, side_by_side("da_h", order, OF_H)),),
        )
        for order in ORDERS
    ),
    *(
        Mistake(
            ORDER,
            f"For the input alone: {laid(order)}",
            SIDE_X,
            side_by_side("da_x", order, OF_X),
        )
        for order in ORDERS
    ),
    *(
        Mistake(
            ORDER,
            f"For W_h alone: {laid(order)}",
            SIDE_H,
            side_by_side("da_h", order, OF_H),
        )
        for order in ORDERS
    ),
    Mistake(
        INTERLEAVED,
        "Your gradients alternate column by column. The gates are blocks of columns next to each "
        "other.",
        SIDE_X,
        "da_x = np.stack([da.r, da.z, da.n], axis=2).reshape(len(x), -1)",
        also=((SIDE_H, "da_h = np.stack([da.r, da.z, ds], axis=2).reshape(len(x), -1)"),),
    ),
    Mistake(
        NO_RESET_BACK,
        "For W_h and the old state the candidate's block is another than for the input: which "
        "gradient belongs to what the reset gate multiplied? (12.15).",
        SIDE_H,
        "da_h = da_x",
    ),
    Mistake(
        NO_RESET_BACK,
        "The gradient of W_h takes the array that belongs to the input: (12.15) has two, and W_h "
        "is on the state's side.",
        "dW_h = h_previous.T @ da_h",
        "dW_h = h_previous.T @ da_x",
    ),
    Mistake(
        NO_RESET_BACK,
        "The gradient of the old state takes the array that belongs to the input: (12.15) has two, "
        "and W_h is on the state's side.",
        CROSSING,
        "da_x @ params.W_h.T",
    ),
    Mistake(
        NO_RESET_BACK,
        "The bias b_hn is part of s. Which gradient did question 2 give for s?",
        "db_hn = ds.sum",
        "db_hn = da.n.sum",
    ),
    Mistake(
        NO_RESET_BACK,
        "For all that is on the state's side, W_h, b_hn and the old state, the candidate's block "
        "is another than for the input: (12.15).",
        SIDE_H,
        "da_h = da_x",
        also=(("db_hn = ds.sum", "db_hn = da.n.sum"),),
    ),
    Mistake(
        RESET_TO_INPUT,
        "The input does not pass the reset gate: its part of the candidate has its own gradient, "
        "(12.15).",
        SIDE_X,
        "da_x = np.hstack([da.r, da.z, ds])",
    ),
    Mistake(
        RESET_TO_INPUT,
        "The gradient of W_x takes the array that belongs to the state's side: (12.15).",
        "dW_x = x.T @ da_x",
        "dW_x = x.T @ da_h",
    ),
    Mistake(
        RESET_TO_INPUT,
        "The gradient of x takes the array that belongs to the state's side: (12.15).",
        "dx = da_x @",
        "dx = da_h @",
    ),
    Mistake(
        RESET_TO_INPUT,
        "The bias b is on the input's side, and b_hn on the state's: which gradient does each "
        "take? (12.16).",
        "db = da_x.sum",
        "db = da_h.sum",
    ),
    Mistake(
        MEAN,
        "The gradients of your biases are means over the batch. A bias was added to every row: "
        "(12.16) has a sum.",
        "db = da_x.sum",
        "db = da_x.mean",
        also=(("db_hn = ds.sum", "db_hn = ds.mean"),),
    ),
    Mistake(
        MEAN,
        "The gradients of your parameters are means over the batch. Equation (12.16) has sums, and "
        "a mean in the loss is in dh already.",
        "dW_x = x.T @ da_x",
        "dW_x = x.T @ da_x / len(x)",
        also=(
            ("dW_h = h_previous.T @ da_h", "dW_h = h_previous.T @ da_h / len(x)"),
            ("db = da_x.sum", "db = da_x.mean"),
            ("db_hn = ds.sum", "db_hn = ds.mean"),
        ),
    ),
    Mistake(
        ANOTHER_STATE,
        "The gradient of W_h is formed with the new state. Which state was multiplied by W_h?",
        "dW_h = h_previous.T @ da_h",
        "dW_h = ((1 - gates.z) * h_previous + gates.z * gates.n).T @ da_h",
    ),
    Mistake(
        FORM,
        "Your W_hn saw the state after the reset. In this form it sees the old state as it is: "
        "(12.4).",
        "dW_h = h_previous.T @ da_h",
        "dW_h = h_previous.T @ np.hstack([da.r, da.z, 0 * ds])\n"
        "    dW_h[:, 2 * len(dW_h) :] = (gates.r * h_previous).T @ da.n",
    ),
    Mistake(
        FORM,
        "The path through the candidate is that of the other form: here the reset comes before the "
        "matrix on the way back, (12.17).",
        CROSSING,
        f"np.hstack([da.r, da.z, 0 * ds]) @ params.W_h.T + (da.n @ {LAST_H_BLOCK}.T) * gates.r",
    ),
)

# The way back of the other form

KEPT_BEFORE, READ, CROSSING_BEFORE = "dh * (1 - z)", "dm * r", "da_h @ params.W_h.T"
DM, DR_BEFORE, DW_HN = "dm = da_n @ params.W_hn.T", "dr = dm * h_previous", "dW_hn = m.T @ da_n"
SIDE_X_BEFORE = "da_x = np.hstack([da_r, da_z, da_n])"
SIDE_H_BEFORE = "da_h = np.hstack([da_r, da_z])"
COUNT_BEFORE = (
    "The old state is used four times: count its paths in (12.20), or in the table of both forms. "
    "Yours lacks one:"
)
OF_X_BEFORE = {"r": "da_r", "z": "da_z", "n": "da_n"}

BEFORE_BACKWARD = (
    Mistake(
        Z_CONVENTION,
        CHUNG,
        DZ,
        "dz = dh * (h_previous - n)",
        also=((DN, "dn = dh * (1 - z)"), (f"dh_previous = {KEPT_BEFORE}", "dh_previous = dh * z")),
    ),
    Mistake(
        "a page with mistakes copied",
        "These are the numbers of the page in Chapter 12 that no code ever ran. The chapter names "
        "its four mistakes.",
        DZ,
        "dz = dh * n + dn",
        also=(
            (f"    {DN}\n", ""),
            (f"    {M}\n", f"    {M}\n    {DN}\n"),
            (DR_BEFORE, "dr = dm * r"),
            (SIDE_X_BEFORE, "da_x = np.hstack([da_n, da_z, da_r])"),
            (SIDE_H_BEFORE, "da_h = np.hstack([da_n, da_z])"),
            (DW_HN, "dW_hn = m.T @ da_r"),
        ),
    ),
    Mistake(
        "gradients of two gates exchanged",
        "The matrices of the reset gate and of the candidate are made with each other's gradient.",
        "dW_x = x.T @ da_x",
        "dW_x = x.T @ np.hstack([da_n, da_z, da_r])",
        also=(
            ("dW_h = h_previous.T @ da_h", "dW_h = h_previous.T @ np.hstack([da_n, da_z])"),
            ("db = da_x.sum", "db = np.hstack([da_n, da_z, da_r]).sum"),
            (DW_HN, "dW_hn = m.T @ da_r"),
        ),
    ),
    Mistake(
        "gradients of two gates exchanged",
        "The recurrent matrices of the reset gate and of the candidate are made with each other's "
        "gradient.",
        "dW_h = h_previous.T @ da_h",
        "dW_h = h_previous.T @ np.hstack([da_n, da_z])",
        also=((DW_HN, "dW_hn = m.T @ da_r"),),
    ),
    Mistake(
        PATH,
        f"{COUNT_BEFORE} through the reset gate.",
        CROSSING_BEFORE,
        "np.hstack([0 * da_r, da_z]) @ params.W_h.T",
    ),
    Mistake(
        PATH,
        f"{COUNT_BEFORE} through the update gate.",
        CROSSING_BEFORE,
        "np.hstack([da_r, 0 * da_z]) @ params.W_h.T",
    ),
    Mistake(PATH, f"{COUNT_BEFORE} through the candidate.", f"{READ} + ", ""),
    Mistake(PATH, f"{COUNT_BEFORE} the one that is kept.", f"{KEPT_BEFORE} + ", ""),
    Mistake(
        PATH,
        "Your gradient of the old state lacks both paths through W_h: the gates see the old state "
        "too, (12.3).",
        f" + {CROSSING_BEFORE}",
        "",
    ),
    Mistake(
        PATH,
        "Your gradient of the old state has the paths through W_h alone. Two paths do not cross "
        "it: see the table of both forms.",
        f"{KEPT_BEFORE} + {READ} + ",
        "",
    ),
    Mistake(
        COMPLEMENT,
        "How much of the old state is kept, z or the rest? (12.9).",
        KEPT_BEFORE,
        "dh * z",
    ),
    Mistake(
        NO_GATE_BACK,
        "Not all of the old state is kept. By what is it multiplied in (12.9)?",
        KEPT_BEFORE,
        "dh",
    ),
    Mistake(
        ONE_GATE,
        "What is kept goes through the reset gate in yours. Which gate is it in (12.9)?",
        KEPT_BEFORE,
        "dh * r",
    ),
    Mistake(
        PATH_TWICE,
        "What is kept of the old state is counted twice in its gradient.",
        KEPT_BEFORE,
        "2 * dh * (1 - z)",
    ),
    Mistake(
        PATH_TWICE,
        "What arrives at the new state is in your gradient of the old state once more, as it is. "
        "It belongs to this step, and only what is kept goes on.",
        KEPT_BEFORE,
        "dh + dh * (1 - z)",
    ),
    Mistake(
        NO_RESET_BACK,
        "The candidate's matrix saw the state after the reset. Where is the reset gate in your "
        "backward? (12.18) and (12.19).",
        M,
        "m = h_previous",
        also=((READ, "dm"),),
    ),
    Mistake(
        NO_RESET_BACK,
        "The candidate's matrix saw the state after the reset, and its gradient is formed with "
        "what it saw: (12.18).",
        M,
        "m = h_previous",
    ),
    Mistake(
        NO_RESET_BACK,
        "On the path through the candidate, the old state was multiplied by the reset gate. Its "
        "gradient is as well: (12.19).",
        READ,
        "dm",
    ),
    Mistake(
        FORM,
        "This is the way back of the reset after the matrix. Here it comes before: (12.18) and "
        "(12.19).",
        DR_BEFORE,
        "dr = da_n * (h_previous @ params.W_hn)",
        also=(
            (DW_HN, "dW_hn = h_previous.T @ (da_n * r)"),
            (READ, "(da_n * r) @ params.W_hn.T"),
        ),
    ),
    Mistake(
        FORM,
        "Your gradient of r is that of the reset after the matrix. Here it comes before: (12.19).",
        DR_BEFORE,
        "dr = da_n * (h_previous @ params.W_hn)",
    ),
    Mistake(
        FORM,
        "Your gradient of W_hn is that of the reset after the matrix. Here it comes before: "
        "(12.18).",
        DW_HN,
        "dW_hn = h_previous.T @ (da_n * r)",
    ),
    Mistake(
        FORM,
        "Your path through the candidate is that of the reset after the matrix. Here it comes "
        "before: (12.19).",
        READ,
        "(da_n * r) @ params.W_hn.T",
    ),
    Mistake(
        NO_MATRIX,
        "Between the candidate and the reset gate there is a matrix: (12.18) comes before (12.19).",
        DM,
        "dm = da_n",
    ),
    Mistake(
        NO_MATRIX,
        "Between the candidate and the reset gate there is a matrix: (12.18) comes before (12.19).",
        DR_BEFORE,
        "dr = da_n * h_previous",
    ),
    Mistake(
        NO_MATRIX,
        "On the path through the candidate the old state crossed a matrix: (12.18) comes before "
        "(12.19).",
        READ,
        "da_n * r",
    ),
    Mistake(
        FACTORS,
        "In a product each factor is multiplied by the other: look at (12.19) again.",
        READ,
        "dm * h_previous",
        also=((DR_BEFORE, "dr = dm * r"),),
    ),
    Mistake(
        FACTORS,
        "The path to the reset gate goes on from the other of the two gradients in (12.19).",
        DR_BEFORE,
        "dr = dm * r",
    ),
    Mistake(
        FACTORS,
        "The path to the old state goes on from the other of the two gradients in (12.19).",
        READ,
        "dm * h_previous",
    ),
    Mistake(
        RESET_TWICE,
        "The reset gate is in your gradient of r itself. What is the other factor of m?",
        DR_BEFORE,
        "dr = dm * m",
    ),
    Mistake(
        COMPLEMENT,
        "By what is the old state multiplied in m? Its gradient goes back through the same factor.",
        READ,
        "dm * (1 - r)",
    ),
    Mistake(
        NO_SLOPE,
        "The product with W_hn is inside the tanh: both gradients of (12.18) begin with da_n.",
        DM,
        "dm = dn @ params.W_hn.T",
    ),
    Mistake(
        NO_SLOPE,
        "The product with W_hn is inside the tanh: the gradient of W_hn begins with da_n, (12.18).",
        DW_HN,
        "dW_hn = m.T @ dn",
    ),
    Mistake(
        TRANSPOSED,
        "On the way back, W_hn is used the other way round. W_hn is square, so no shape complains: "
        "(12.18).",
        DM,
        "dm = da_n @ params.W_hn",
    ),
    Mistake(
        TRANSPOSED,
        "The gradient of W_hn has rows and columns exchanged: (12.18).",
        DW_HN,
        "dW_hn = da_n.T @ m",
    ),
    Mistake(
        TRANSPOSED,
        "On the way back, a block of W_h is used the other way round: compare (12.20) with (12.3).",
        CROSSING_BEFORE,
        "sum(d @ W for d, W in zip((da_r, da_z), np.split(params.W_h, 2, axis=1)))",
    ),
    *(
        Mistake(ORDER, laid(order), SIDE_X_BEFORE, side_by_side("da_x", order, OF_X_BEFORE))
        for order in ORDERS
    ),
    *(
        Mistake(
            ORDER,
            laid(order),
            SIDE_X_BEFORE,
            side_by_side("da_x", order, OF_X_BEFORE),
            also=((SIDE_H_BEFORE, "da_h = np.hstack([da_z, da_r])"),),
        )
        for order in Z_FIRST
    ),
    Mistake(
        ORDER,
        "For W_h alone you lay the gradients side by side as z, r. Its blocks are r, z.",
        SIDE_H_BEFORE,
        "da_h = np.hstack([da_z, da_r])",
    ),
    Mistake(
        ORDER,
        "You return the gradients as z, r, n. The order of GRUGates is r, z, n.",
        RETURNED,
        "GRUGates(da_z, da_r, da_n)",
    ),
    Mistake(
        INTERLEAVED,
        "Your gradients alternate column by column. The gates are blocks of columns next to each "
        "other.",
        SIDE_X_BEFORE,
        "da_x = np.stack([da_r, da_z, da_n], axis=2).reshape(len(x), -1)",
        also=((SIDE_H_BEFORE, "da_h = np.stack([da_r, da_z], axis=2).reshape(len(x), -1)"),),
    ),
    Mistake(
        MEAN,
        "The gradients of your parameters are means over the batch. Equation (12.16) has sums, and "
        "a mean in the loss is in dh already.",
        "dW_x = x.T @ da_x",
        "dW_x = x.T @ da_x / len(x)",
        also=(
            ("dW_h = h_previous.T @ da_h", "dW_h = h_previous.T @ da_h / len(x)"),
            ("db = da_x.sum", "db = da_x.mean"),
            (DW_HN, "dW_hn = m.T @ da_n / len(x)"),
        ),
    ),
    Mistake(
        ANOTHER_STATE,
        "The gradient of W_h is formed with the new state. Which state was multiplied by W_h?",
        "dW_h = h_previous.T @ da_h",
        "dW_h = ((1 - z) * h_previous + z * n).T @ da_h",
    ),
    Mistake(
        "reset gate on another gate",
        "The gradient of W_h is formed with the reset state. Which state do the gates see in "
        "(12.3)?",
        "dW_h = h_previous.T @ da_h",
        "dW_h = m.T @ da_h",
    ),
)

# The other convention for z

JOINED = "np.concatenate([r, -z, n], axis=-1)"


def joined(blocks: str) -> str:
    """Return the line of other_z with other blocks."""
    return f"np.concatenate([{blocks}], axis=-1)"


OTHER_Z = (
    Mistake(
        "nothing changed",
        "This is what you were given. Which blocks are the weights of z?",
        JOINED,
        joined("r, z, n"),
    ),
    *(
        Mistake("another gate changed", hint, JOINED, joined(blocks))
        for hint, blocks in (
            (
                "You change the first block. Which gate does it belong to? The order is r, z, n.",
                "-r, z, n",
            ),
            ("You change the last block, the candidate's. The order is r, z, n.", "r, z, -n"),
            (
                "You change both gates. The reset gate means the same in both conventions.",
                "-r, -z, n",
            ),
            (
                "You change every block. Two of the three mean the same in both conventions.",
                "-r, -z, -n",
            ),
            (
                "You change the candidate as well. It means the same in both conventions.",
                "r, -z, -n",
            ),
            ("You change every block but that of the update gate.", "-r, z, -n"),
        )
    ),
    *(
        Mistake(
            "complement of the weights",
            "It is the gate that becomes one minus itself, not its weights. What must its "
            "pre-activation become? (12.10).",
            JOINED,
            joined(blocks),
        )
        for blocks in ("r, 1 - z, n", "r, 1 - z if z.ndim == 1 else -z, n")
    ),
    Mistake(
        "block lost",
        "The gate is not lost in the other convention, it becomes one minus itself: (12.10).",
        JOINED,
        joined("r, 0 * z, n"),
    ),
    Mistake(
        "activation on weights",
        "A sigmoid belongs around the pre-activation, not around the weights. What does (12.10) do "
        "with the argument of the sigmoid?",
        JOINED,
        joined("r, sigmoid(-z), n"),
    ),
    Mistake(
        ORDER,
        "The update gate has the right sign, but you put it first. The order here is r, z, n.",
        JOINED,
        joined("-z, r, n"),
    ),
    Mistake(
        ORDER,
        "The update gate has the right sign, but you put it last. The order here is r, z, n.",
        JOINED,
        joined("r, n, -z"),
    ),
    Mistake(
        ORDER,
        "You exchange the two gates and change the sign of none. The order is the same in both "
        "conventions.",
        JOINED,
        joined("z, r, n"),
    ),
    Mistake(
        INTERLEAVED,
        "You change every third column. The gates are blocks of columns next to each other.",
        JOINED,
        "blocks * np.where(np.arange(blocks.shape[-1]) % 3 == 1, -1, 1)",
    ),
    *(
        Mistake(
            "not all terms converted",
            f"The pre-activation of z is a sum of three terms: (12.3). {words}",
            JOINED,
            f"np.concatenate([r, -z if {condition} else z, n], axis=-1)",
        )
        for words, condition in (
            ("You leave its bias as it is.", "blocks is not b"),
            ("You leave its recurrent weights as they are.", "blocks is not W_h"),
            ("You leave the weights of its input as they are.", "blocks is not W_x"),
            ("You change its bias alone.", "blocks is b"),
            ("You change its recurrent weights alone.", "blocks is W_h"),
            ("You change the weights of its input alone.", "blocks is W_x"),
        )
    ),
)

MISTAKES = {
    "gru_step": GATES + STEP,
    "gru_step_backward": STEP_BACKWARD,  # before what it calls: the nearer cause is named
    "gate_gradients": TO_GATES + GATE_GRADIENTS,
    "gru_before_step": GATES + BEFORE_STEP,
    "gru_before_step_backward": TO_GATES + BEFORE_BACKWARD,
    "other_z": OTHER_Z,
}
