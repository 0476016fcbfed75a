"""The mistakes of assignment 2, each an edit of the solution in rnn_course/questions/lstm.py."""

from rnn_course.judge.mistake import Mistake

__all__ = ["MISTAKES"]

ORDER = "The blocks of columns are in the order i, o, g: (A.1). You take them in another order."
ROUND = "A tanh is round the product of gate and cell: (A.4). What is inside it, and what is not?"
SLOPE_OF_H = (
    "The slope of a tanh is written with the value of that tanh, and the tanh of this cell is h "
    "itself: (A.4)."
)
TWO_PATHS = "The cell has two paths to the loss, so its gradient is a sum of two terms."
TWO_USES = "Count how often i stands in (A.3). Its gradient has as many terms."
SLOPE_OF_A = "What arrives at a gate still has to go back through its own activation: (10.16)."
WHOLE_DC = "All that arrives at the cell, by both its paths, goes on from there: (A.3)."
OTHER_SLOPE = "You took the slope of another gate: each has its own, (10.16)."
THREE_USES = (
    "The input and the old h are in all three blocks of (A.1). The path back through one gate is "
    "missing: (10.20)."
)
BOTH_HALVES = "Two gradients are carried from step to step, that of h and that of c: (10.25)."
FIRST = "The state before the first step is an argument. Where does the first step use it?"
ONCE = "The gradient of the last state arrives at one place, the last state: (10.24)."
BATCH = "The gradient of a weight is a sum over the sequences of the batch, no mean: (10.18)."
STEPS = "The gradient of a weight that is used at every step is a sum over the uses: (10.26)."

MISTAKES = {
    "lstm_step": (
        # the affine map
        Mistake(
            "bias missing",
            "Each pre-activation is a sum of three terms: (A.1). One of them is not in yours.",
            " + params.b",
            "",
        ),
        Mistake(
            "counted twice",
            "One term of (A.1) is in your sum twice.",
            " + params.b",
            " + 2 * params.b",
        ),
        Mistake(
            "bias of another gate",
            "Look at which block of b your input gate adds: (A.1).",
            "+ params.b",
            "+ np.concatenate([np.split(params.b, 3)[k] for k in (1, 1, 2)])",
        ),
        Mistake(
            "bias of another gate",
            "Look at which block of b your output gate adds: (A.1).",
            "+ params.b",
            "+ np.concatenate([np.split(params.b, 3)[k] for k in (0, 0, 2)])",
        ),
        Mistake(
            "bias of another gate",
            "Look at which block of b your candidate adds: (A.1).",
            "+ params.b",
            "+ np.concatenate([np.split(params.b, 3)[k] for k in (0, 1, 0)])",
        ),
        Mistake(
            "bias outside the activation",
            "The bias belongs to the pre-activation. You add it when the gate is made already: "
            "compare (A.1) and (A.2).",
            " + params.b",
            "",
            also=(
                (
                    "sigmoid(a_i), sigmoid(a_o), np.tanh(a_g)",
                    "np.split(np.hstack([sigmoid(a_i), sigmoid(a_o), np.tanh(a_g)]) + params.b, 3, "
                    "axis=1)",
                ),
            ),
        ),
        Mistake(
            "old state not used",
            "Your gates look at the input alone. Equation (A.1) has one more product.",
            " + previous.h @ params.W_h",
            "",
        ),
        Mistake(
            "h and c exchanged",
            "Which part of the old state do the gates see, h or c? Look at (A.1).",
            "previous.h @",
            "previous.c @",
        ),
        Mistake(
            "weight transposed",
            "Rows and columns are exchanged in the blocks of W_h. A block is square, so no shape "
            "complains: see (A.1).",
            "previous.h @ params.W_h",
            "np.hstack([previous.h @ V.T for V in np.split(params.W_h, 3, axis=1)])",
        ),
        # the blocks
        Mistake("gates in another order", ORDER, "a_i, a_o, a_g =", "a_i, a_g, a_o ="),
        Mistake("gates in another order", ORDER, "a_i, a_o, a_g =", "a_o, a_i, a_g ="),
        Mistake("gates in another order", ORDER, "a_i, a_o, a_g =", "a_g, a_o, a_i ="),
        Mistake("gates in another order", ORDER, "a_i, a_o, a_g =", "a_o, a_g, a_i ="),
        Mistake("gates in another order", ORDER, "a_i, a_o, a_g =", "a_g, a_i, a_o ="),
        Mistake(
            "gates in another order",
            "The blocks of W_h are in the order i, o, g, like those of W_x: (A.1).",
            "previous.h @ params.W_h",
            "previous.h @ np.hstack([np.split(params.W_h, 3, axis=1)[k] for k in (1, 0, 2)])",
        ),
        Mistake(
            "gates in another order",
            "The blocks of W_x are in the order i, o, g, like those of W_h: (A.1).",
            "x @ params.W_x",
            "x @ np.hstack([np.split(params.W_x, 3, axis=1)[k] for k in (1, 0, 2)])",
        ),
        Mistake(
            "gates interleaved",
            "A gate is a block of columns that are neighbours. Yours takes every third column: "
            "(A.1).",
            "np.split(a, 3, axis=1)",
            "(a[:, 0::3], a[:, 1::3], a[:, 2::3])",
        ),
        Mistake(
            "gates interleaved",
            "A reshape cuts in the order in which the numbers lie, row by row. Yours mixes "
            "sequences of the batch with gates: try it on a small array of whole numbers.",
            "np.split(a, 3, axis=1)",
            "np.reshape(a, (3, len(a), -1))",
        ),
        # the activations
        Mistake(
            "activation missing",
            "One of your gates is not squashed: which function makes i from its pre-activation? "
            "(A.2).",
            "sigmoid(a_i)",
            "a_i",
        ),
        Mistake(
            "activation missing",
            "One of your gates is not squashed: which function makes o from its pre-activation? "
            "(A.2).",
            "sigmoid(a_o)",
            "a_o",
        ),
        Mistake(
            "activation missing",
            "The candidate is squashed too: (A.2).",
            "np.tanh(a_g)",
            "a_g",
        ),
        Mistake(
            "another activation",
            "The input gate says how much, a number from 0 to 1. Which function gives such a "
            "number? (A.2).",
            "sigmoid(a_i)",
            "np.tanh(a_i)",
        ),
        Mistake(
            "another activation",
            "The output gate says how much, a number from 0 to 1. Which function gives such a "
            "number? (A.2).",
            "sigmoid(a_o)",
            "np.tanh(a_o)",
        ),
        Mistake(
            "another activation",
            "The candidate says what, and it may be negative: (A.2).",
            "np.tanh(a_g)",
            "sigmoid(a_g)",
        ),
        Mistake(
            "another activation",
            "Your sigmoid is that of twice its argument. The sigmoid of the notebook is given.",
            "sigmoid(a_i), sigmoid(a_o)",
            "sigmoid(2 * a_i), sigmoid(2 * a_o)",
        ),
        Mistake(
            "sign",
            "The sign inside your sigmoid is the wrong way round: large pre-activations should "
            "open a gate, (A.2).",
            "sigmoid(a_i), sigmoid(a_o)",
            "sigmoid(-a_i), sigmoid(-a_o)",
        ),
        # the cell
        Mistake(
            "gate for its complement",
            "An open input gate writes. Yours keeps: (A.3).",
            "previous.c + i * (g - previous.c)",
            "g + i * (previous.c - g)",
        ),
        Mistake(
            "forget gate missing",
            "You add to all of the old cell. What is written takes the place of something here: "
            "(A.3).",
            "i * (g - previous.c)",
            "i * g",
        ),
        Mistake(
            "input gate missing",
            "You write all of the candidate. How much of it is written? (A.3).",
            "previous.c + i * (g - previous.c)",
            "g + (1 - i) * previous.c",
        ),
        Mistake(
            "input gate missing",
            "No gate decides what your cell keeps and what it writes: (A.3).",
            "previous.c + i * (g - previous.c)",
            "previous.c + g",
        ),
        Mistake(
            "one gate for another",
            "You keep as much as you write. How much is kept when all is written? (A.3).",
            "previous.c + i * (g - previous.c)",
            "i * (g + previous.c)",
        ),
        Mistake(
            "one gate for another",
            "You keep by the output gate, as if it were a forget gate. What is kept is what the "
            "input gate leaves: (A.3).",
            "previous.c + i * (g - previous.c)",
            "i * g + o * previous.c",
        ),
        Mistake(
            "one gate for another",
            "Which gate decides what is written to the cell? The output gate is used once, in "
            "(A.4).",
            "i * (g - previous.c)",
            "o * (g - previous.c)",
        ),
        Mistake(
            "one gate for another",
            "One gate decides both what is written and what is kept. You use two: (A.3).",
            "previous.c + i * (g - previous.c)",
            "i * g + (1 - o) * previous.c",
        ),
        Mistake(
            "sign",
            "Look at the signs of (A.3): the cell moves towards the candidate.",
            "previous.c + i *",
            "previous.c - i *",
        ),
        Mistake(
            "sign",
            "Look at the sign inside the bracket of (A.3).",
            "(g - previous.c)",
            "(g + previous.c)",
        ),
        Mistake(
            "old state not used",
            "Nothing of the old cell is in your new one: (A.3).",
            "previous.c + i * (g - previous.c)",
            "i * g",
        ),
        Mistake(
            "h and c exchanged",
            "The cell is made of the old cell. Yours is made of the old h: (A.3).",
            "previous.c + i * (g - previous.c)",
            "previous.h + i * (g - previous.h)",
        ),
        Mistake(
            "h and c exchanged",
            "One of the two places of the old cell in (A.3) has the old h in yours.",
            "(g - previous.c)",
            "(g - previous.h)",
        ),
        # what is shown
        Mistake("tanh missing on the cell", ROUND, "np.tanh(o * c)", "o * c"),
        Mistake(
            "gate outside the tanh",
            "You squash the cell and then multiply by the gate, as Chapter 9 does. Here it is the "
            "other way round: (A.4).",
            "np.tanh(o * c)",
            "o * np.tanh(c)",
        ),
        Mistake(
            "output gate missing",
            "You show all of the cell. Which gate says how much of it is shown? (A.4).",
            "np.tanh(o * c)",
            "np.tanh(c)",
        ),
        Mistake(
            "another activation",
            "The cell goes through a sigmoid on its way to h. What does (A.4) have there?",
            "np.tanh(o * c)",
            "sigmoid(o * c)",
        ),
        Mistake(
            "old state for the new one",
            "You show the cell as it was before the step: (A.4) uses what (A.3) has just made.",
            "np.tanh(o * c)",
            "np.tanh(o * previous.c)",
        ),
        Mistake(
            "one gate for another",
            "Which gate says how much of the cell is shown? (A.4).",
            "np.tanh(o * c)",
            "np.tanh(i * c)",
        ),
        Mistake(
            "gate for its complement",
            "An open output gate shows. Yours hides: (A.4).",
            "np.tanh(o * c)",
            "np.tanh((1 - o) * c)",
        ),
        Mistake(
            "candidate for the cell",
            "You show the candidate. What is shown is the cell: (A.4).",
            "np.tanh(o * c)",
            "np.tanh(o * g)",
        ),
        Mistake(
            "activation twice",
            "Two functions squash your cell on its way to h, and (A.4) has one.",
            "np.tanh(o * c)",
            "np.tanh(o * np.tanh(c))",
        ),
    ),
    "gate_gradients": (
        # through the tanh of (A.4)
        Mistake(
            "derivative of the activation missing",
            "Between h and the product of gate and cell there is a tanh. Its slope is missing: "
            "(A.4) and (10.9).",
            "dh * (1 - state.h**2)",
            "dh",
        ),
        Mistake(
            "derivative of the activation missing",
            "The gradient of the output gate has not been through the tanh of (A.4): o is inside "
            "it.",
            "do = dshown",
            "do = dh",
        ),
        Mistake(
            "derivative of the activation missing",
            "The path from h to the cell goes through the tanh of (A.4), and your gradient of the "
            "cell does not have its slope.",
            "dc_next + dshown",
            "dc_next + dh",
        ),
        Mistake(
            "derivative of the activation wrong",
            f"{SLOPE_OF_H} Look at its power.",
            "state.h**2",
            "state.h",
        ),
        Mistake(
            "derivative of the activation wrong",
            f"{SLOPE_OF_H} Look at its sign.",
            "1 - state.h**2",
            "1 + state.h**2",
        ),
        Mistake(
            "derivative taken at the wrong place",
            f"{SLOPE_OF_H} You took the tanh of h.",
            "state.h**2",
            "np.tanh(state.h) ** 2",
        ),
        Mistake(
            "derivative taken at the wrong place",
            f"{SLOPE_OF_H} You took the tanh of the cell, and forgot what multiplies the cell "
            "before it is squashed.",
            "state.h**2",
            "np.tanh(state.c) ** 2",
        ),
        Mistake(
            "derivative taken at the wrong place",
            f"{SLOPE_OF_H} You took the cell.",
            "state.h**2",
            "state.c**2",
        ),
        Mistake(
            "derivative taken at the wrong place",
            f"{SLOPE_OF_H} You took what goes into the tanh.",
            "state.h**2",
            "(o * state.c) ** 2",
        ),
        Mistake(
            "derivative of another activation",
            "On its way to h the cell went through tanh. This is the slope of a sigmoid: (A.4).",
            "dh * (1 - state.h**2)",
            "dh * state.h * (1 - state.h)",
        ),
        Mistake(
            "activation in the place of its derivative",
            "You multiply by the tanh itself. The way back needs its slope: (A.4) and (10.9).",
            "dh * (1 - state.h**2)",
            "dh * state.h",
        ),
        Mistake(
            "gate outside the tanh",
            "Your gradients of o and c are those of Chapter 10, where the gate multiplies after "
            "the tanh. Here it multiplies inside: (A.4).",
            "dc = dc_next + dshown * o",
            "dc = dc_next + dh * o * (1 - np.tanh(state.c) ** 2)",
            also=(("do = dshown * state.c", "do = dh * np.tanh(state.c)"),),
        ),
        Mistake(
            "gate outside the tanh",
            "Your gradient of o is that of Chapter 10, where the gate multiplies after the tanh. "
            "Here it multiplies inside: (A.4).",
            "do = dshown * state.c",
            "do = dh * np.tanh(state.c)",
        ),
        Mistake(
            "gate outside the tanh",
            "Your gradient of c is that of Chapter 10, where the gate multiplies after the tanh. "
            "Here it multiplies inside: (A.4).",
            "dc_next + dshown * o",
            "dc_next + dh * o * (1 - np.tanh(state.c) ** 2)",
        ),
        # the cell and its two paths
        Mistake(
            "path missing",
            f"{TWO_PATHS} The path up, through h, is missing.",
            "dc_next + dshown * o",
            "dc_next",
        ),
        Mistake(
            "path missing",
            f"{TWO_PATHS} The path on, to the next step, is missing.",
            "dc_next + dshown * o",
            "dshown * o",
        ),
        Mistake(
            "gate missing on the way back",
            "Only a part of the cell was shown. Which gate is missing on the path up? (A.4).",
            "dc_next + dshown * o",
            "dc_next + dshown",
        ),
        Mistake(
            "bracket in the wrong place",
            "The tanh belongs to the path up alone. What comes from the next step never went "
            "through it: (A.4).",
            "dc_next + dshown * o",
            "(dc_next + dh * o) * (1 - state.h**2)",
        ),
        Mistake(
            "bracket in the wrong place",
            "The output gate belongs to the path up alone. What comes from the next step never "
            "went through it: (A.4).",
            "dc_next + dshown * o",
            "(dc_next + dshown) * o",
        ),
        Mistake(
            "one gate for another",
            "Which gate multiplied the cell on its way to h? (A.4).",
            "dshown * o",
            "dshown * i",
        ),
        Mistake(
            "gate for its complement",
            "An open output gate lets the gradient through to the cell: (A.4).",
            "dshown * o",
            "dshown * (1 - o)",
        ),
        Mistake(
            "sign",
            "Two paths lead into the cell, and their gradients are added.",
            "dc_next + dshown",
            "dc_next - dshown",
        ),
        Mistake(
            "h and c exchanged",
            "The gradient of h takes the path up, the gradient of c comes from the next step. You "
            "have one for the other.",
            "dh * (1",
            "dc_next * (1",
            also=(("dc = dc_next", "dc = dh"),),
        ),
        Mistake(
            "forget gate applied twice",
            "The gradient of the cell that you are given has been through the next step's gate. "
            "This step's own gate comes later: (A.3).",
            "dc_next + dshown",
            "dc_next * (1 - i) + dshown",
        ),
        Mistake(
            "factors of a product exchanged",
            "Each factor of a product gets what arrives, times the other factor. The cell gets "
            "itself in yours: (A.4).",
            "dshown * o",
            "dshown * state.c",
        ),
        # the output gate
        Mistake(
            "factor missing",
            "The output gate multiplied something in (A.4). It is not in your gradient of o.",
            "dshown * state.c",
            "dshown",
        ),
        Mistake(
            "factors of a product exchanged",
            "Each factor of a product gets what arrives, times the other factor. The output gate "
            "gets itself in yours: (A.4).",
            "dshown * state.c",
            "dshown * o",
        ),
        Mistake(
            "old state for the new one",
            "The output gate shows the cell as it is after the step: (A.4).",
            "dshown * state.c",
            "dshown * c_previous",
        ),
        Mistake(
            "h and c exchanged",
            "The output gate multiplied the cell. You have h in its gradient: (A.4).",
            "dshown * state.c",
            "dshown * state.h",
        ),
        Mistake(
            "activation twice",
            "The output gate multiplied the cell as it is, and no tanh of it: (A.4).",
            "dshown * state.c",
            "dshown * np.tanh(state.c)",
        ),
        Mistake(
            "gradient of c for that of h",
            "The output gate has one use, on the way to h, so its gradient comes from h alone: "
            "(A.4).",
            "do = dshown",
            "do = dc",
        ),
        # the input gate and its two uses
        Mistake(
            "path missing",
            f"{TWO_USES} The path through the old cell is missing.",
            "(g - c_previous)",
            "g",
        ),
        Mistake(
            "path missing",
            f"{TWO_USES} The path through the candidate is missing.",
            "(g - c_previous)",
            "-c_previous",
        ),
        Mistake(
            "sign",
            "The more is written, the less is kept. Which sign has the second use of i in (A.3)?",
            "(g - c_previous)",
            "(g + c_previous)",
        ),
        Mistake(
            "sign",
            "Your gradient of i has the signs of (A.3) the wrong way round.",
            "(g - c_previous)",
            "(c_previous - g)",
        ),
        Mistake(
            "new state for the old one",
            "The input gate moved the cell away from what it was before the step: (A.3).",
            "(g - c_previous)",
            "(g - state.c)",
        ),
        Mistake(
            "factor missing",
            "The input gate multiplied something in (A.3). It is not in your gradient of i.",
            "dc * (g - c_previous)",
            "dc",
        ),
        Mistake(
            "factors of a product exchanged",
            "Each factor of a product gets what arrives, times the other factor. The input gate "
            "gets itself in yours: (A.3).",
            "(g - c_previous)",
            "i",
        ),
        Mistake(
            "path missing",
            f"{WHOLE_DC} For i you took what comes from the next step alone.",
            "di = dc ",
            "di = dc_next ",
        ),
        Mistake(
            "path missing",
            f"{WHOLE_DC} For i you took what comes from h alone.",
            "di = dc ",
            "di = dshown * o ",
        ),
        Mistake(
            "gradient of h for that of c",
            f"{WHOLE_DC} For i you took the gradient of h.",
            "di = dc ",
            "di = dh ",
        ),
        # the candidate
        Mistake(
            "factors of a product exchanged",
            "Each factor of a product gets what arrives, times the other factor. The candidate "
            "gets itself in yours: (A.3).",
            "dg = dc * i",
            "dg = dc * g",
        ),
        Mistake(
            "gate missing on the way back",
            "Only a part of the candidate was written. Which gate said how much? (A.3).",
            "dg = dc * i",
            "dg = dc",
        ),
        Mistake(
            "gate for its complement",
            "An open input gate lets the gradient through to the candidate: (A.3).",
            "dg = dc * i",
            "dg = dc * (1 - i)",
        ),
        Mistake(
            "one gate for another",
            "Which gate multiplies the candidate in (A.3)?",
            "dg = dc * i",
            "dg = dc * o",
        ),
        Mistake(
            "path missing",
            f"{WHOLE_DC} For g you took what comes from the next step alone.",
            "dg = dc ",
            "dg = dc_next ",
        ),
        Mistake(
            "path missing",
            f"{WHOLE_DC} For g you took what comes from h alone.",
            "dg = dc ",
            "dg = dshown * o ",
        ),
        Mistake(
            "gradient of h for that of c",
            f"{WHOLE_DC} For g you took the gradient of h.",
            "dg = dc ",
            "dg = dh ",
        ),
        # the old cell
        Mistake(
            "gate missing on the way back",
            "What was not kept has no gradient. How much of the old cell is in the new? (A.3).",
            "dc * (1 - i)\n",
            "dc\n",
        ),
        Mistake(
            "gate for its complement",
            "An open input gate writes over the old cell. How much of the old cell is in the new "
            "one? (A.3).",
            "dc * (1 - i)\n",
            "dc * i\n",
        ),
        Mistake(
            "one gate for another",
            "The output gate does not decide what is kept of the old cell: (A.3).",
            "dc * (1 - i)\n",
            "dc * (1 - o)\n",
        ),
        Mistake(
            "one gate for another",
            "The output gate does not multiply the old cell: (A.3).",
            "dc * (1 - i)\n",
            "dc * o\n",
        ),
        Mistake(
            "factors of a product exchanged",
            "Each factor of a product gets what arrives, times the other factor. The old cell gets "
            "itself in yours: (A.3).",
            "dc * (1 - i)\n",
            "dc * c_previous\n",
        ),
        Mistake(
            "path missing",
            f"{WHOLE_DC} For the old cell you took what comes from the next step alone.",
            "dc_previous = dc ",
            "dc_previous = dc_next ",
        ),
        Mistake(
            "path missing",
            f"{WHOLE_DC} For the old cell you took what comes from h alone.",
            "dc_previous = dc ",
            "dc_previous = dshown * o ",
        ),
        Mistake(
            "gradient of h for that of c",
            f"{WHOLE_DC} For the old cell you took the gradient of h.",
            "dc_previous = dc ",
            "dc_previous = dh ",
        ),
        # the slopes of the gates
        Mistake("derivative of the activation missing", SLOPE_OF_A, "di * i * (1 - i)", "di"),
        Mistake("derivative of the activation missing", SLOPE_OF_A, "do * o * (1 - o)", "do"),
        Mistake("derivative of the activation missing", SLOPE_OF_A, "dg * (1 - g**2)", "dg"),
        Mistake(
            "derivative of the activation missing",
            SLOPE_OF_A,
            "di * i * (1 - i)",
            "di",
            also=(("do * o * (1 - o)", "do"), ("dg * (1 - g**2)", "dg")),
        ),
        Mistake(
            "derivative of another activation",
            "The input gate is a sigmoid; you took the slope of tanh: (10.16).",
            "di * i * (1 - i)",
            "di * (1 - i**2)",
        ),
        Mistake(
            "derivative of another activation",
            "The output gate is a sigmoid; you took the slope of tanh: (10.16).",
            "do * o * (1 - o)",
            "do * (1 - o**2)",
        ),
        Mistake(
            "derivative of another activation",
            "The candidate is a tanh; you took the slope of a sigmoid: (10.16).",
            "dg * (1 - g**2)",
            "dg * g * (1 - g)",
        ),
        Mistake(
            "activation in the place of its derivative",
            "You multiply by the input gate itself. The way back needs the slope: (10.16).",
            "di * i * (1 - i)",
            "di * i",
        ),
        Mistake(
            "activation in the place of its derivative",
            "You multiply by the output gate itself. The way back needs the slope: (10.16).",
            "do * o * (1 - o)",
            "do * o",
        ),
        Mistake(
            "activation in the place of its derivative",
            "You multiply by the candidate itself. The way back needs the slope: (10.16).",
            "dg * (1 - g**2)",
            "dg * g",
        ),
        Mistake(
            "activation in the place of its derivative",
            "You multiply by the sigmoid of the input gate, which is a sigmoid already, and not by "
            "a slope: (10.16).",
            "di * i * (1 - i)",
            "di * sigmoid(i)",
        ),
        Mistake(
            "activation in the place of its derivative",
            "You multiply by the sigmoid of the output gate, which is a sigmoid already, and not "
            "by a slope: (10.16).",
            "do * o * (1 - o)",
            "do * sigmoid(o)",
        ),
        Mistake(
            "derivative taken at the wrong place",
            "Your slope takes the sigmoid of the input gate, but the gate is a sigmoid already: "
            "(10.16).",
            "di * i * (1 - i)",
            "di * sigmoid(i) * (1 - sigmoid(i))",
        ),
        Mistake(
            "derivative taken at the wrong place",
            "Your slope takes the sigmoid of the output gate, but the gate is a sigmoid already: "
            "(10.16).",
            "do * o * (1 - o)",
            "do * sigmoid(o) * (1 - sigmoid(o))",
        ),
        Mistake(
            "derivative taken at the wrong place",
            "Your slope takes the tanh of g, but g is a tanh already: (10.16).",
            "g**2",
            "np.tanh(g) ** 2",
        ),
        Mistake(
            "derivative of the activation wrong",
            "How often does the gate itself stand in its slope? Look at your line for i and at "
            "(10.16).",
            "di * i * (1 - i)",
            "di * (1 - i)",
        ),
        Mistake(
            "derivative of the activation wrong",
            "How often does the gate itself stand in its slope? Look at your line for o and at "
            "(10.16).",
            "do * o * (1 - o)",
            "do * (1 - o)",
        ),
        Mistake(
            "derivative of the activation wrong",
            "The slope of tanh is written with its value. Look at the power: (10.16).",
            "g**2",
            "g",
        ),
        Mistake(
            "derivative of the activation wrong",
            "The slope of tanh is written with its value. Look at the sign: (10.16).",
            "1 - g**2",
            "1 + g**2",
        ),
        Mistake(
            "one gate for another",
            f"{OTHER_SLOPE} Look at your line for i.",
            "di * i * (1 - i)",
            "di * o * (1 - o)",
        ),
        Mistake(
            "one gate for another",
            f"{OTHER_SLOPE} Look at your line for o.",
            "do * o * (1 - o)",
            "do * i * (1 - i)",
        ),
        Mistake(
            "one gate for another",
            f"{OTHER_SLOPE} One half of it is of the right gate in your line for i.",
            "di * i * (1 - i)",
            "di * i * (1 - o)",
        ),
        Mistake(
            "one gate for another",
            f"{OTHER_SLOPE} One half of it is of the right gate in your line for i.",
            "di * i * (1 - i)",
            "di * o * (1 - i)",
        ),
        Mistake(
            "one gate for another",
            f"{OTHER_SLOPE} One half of it is of the right gate in your line for o.",
            "do * o * (1 - o)",
            "do * o * (1 - i)",
        ),
        Mistake(
            "one gate for another",
            f"{OTHER_SLOPE} One half of it is of the right gate in your line for o.",
            "do * o * (1 - o)",
            "do * i * (1 - o)",
        ),
        Mistake(
            "one gate for another",
            f"{OTHER_SLOPE} Look at your line for g.",
            "1 - g**2",
            "1 - i**2",
        ),
    ),
    "lstm_step_backward": (
        Mistake(
            "gates in another order",
            "You lay the gradients side by side in another order than the blocks of the "
            "parameters: (A.1) and (10.21).",
            "concatenate(by_gate",
            "concatenate([by_gate[k] for k in (0, 2, 1)]",
        ),
        Mistake(
            "gates in another order",
            "You lay the gradients side by side in another order than the blocks of the "
            "parameters: (A.1) and (10.21).",
            "concatenate(by_gate",
            "concatenate([by_gate[k] for k in (1, 0, 2)]",
        ),
        Mistake(
            "gates in another order",
            "You lay the gradients side by side in another order than the blocks of the "
            "parameters: (A.1) and (10.21).",
            "concatenate(by_gate",
            "concatenate([by_gate[k] for k in (2, 1, 0)]",
        ),
        Mistake(
            "gates in another order",
            "You lay the gradients side by side in another order than the blocks of the "
            "parameters: (A.1) and (10.21).",
            "concatenate(by_gate",
            "concatenate([by_gate[k] for k in (1, 2, 0)]",
        ),
        Mistake(
            "gates in another order",
            "You lay the gradients side by side in another order than the blocks of the "
            "parameters: (A.1) and (10.21).",
            "concatenate(by_gate",
            "concatenate([by_gate[k] for k in (2, 0, 1)]",
        ),
        Mistake(
            "gates in another order",
            "The blocks of W_h are in the order i, o, g on the way back too: (10.21).",
            "da @ params.W_h.T",
            "da @ np.hstack([np.split(params.W_h, 3, axis=1)[k] for k in (1, 0, 2)]).T",
        ),
        Mistake(
            "gates in another order",
            "The blocks of W_x are in the order i, o, g on the way back too: (10.21).",
            "da @ params.W_x.T",
            "da @ np.hstack([np.split(params.W_x, 3, axis=1)[k] for k in (1, 0, 2)]).T",
        ),
        Mistake(
            "gates interleaved",
            "A gate is a block of columns that are neighbours. Yours takes every third column: "
            "(10.21).",
            "np.concatenate(by_gate, axis=1)",
            "np.stack(by_gate, axis=2).reshape(len(x), -1)",
        ),
        Mistake(
            "gates interleaved",
            "A reshape cuts in the order in which the numbers lie, row by row. Yours mixes "
            "sequences of the batch with gates: try it on a small array of whole numbers.",
            "np.concatenate(by_gate, axis=1)",
            "np.reshape(np.stack(by_gate), (len(x), -1))",
        ),
        Mistake(
            "weight transposed",
            "On the way back, a block of W_h is used the other way round. A block is square, so no "
            "shape complains: (10.20).",
            "da @ params.W_h.T",
            "sum(d @ V for d, V in zip(by_gate, np.split(params.W_h, 3, axis=1)))",
        ),
        Mistake(
            "new state for the old one",
            "W_h multiplies the h from before the step, so its gradient is made with that one: "
            "(A.1) and (10.22).",
            "previous.h.T @",
            "state.h.T @",
        ),
        Mistake(
            "h and c exchanged",
            "W_h multiplies h, not c: which of the two belongs in its gradient? (10.22).",
            "previous.h.T @",
            "previous.c.T @",
        ),
        Mistake(
            "h and c exchanged",
            "The input gate decides over the old cell. You use the old h in its gradient: (A.3).",
            "(gates, previous.c,",
            "(gates, previous.h,",
        ),
        Mistake(
            "old state for the new one",
            "What is shown is the cell after the step: (A.4). You pass on the state before it.",
            "previous.c, state,",
            "previous.c, previous,",
        ),
        Mistake(
            "gradient overwritten before its last use",
            "You made the gradient of the old cell with the dh of the step before, not of this "
            "one. Did you use one name for two things?",
            "LSTMState(dh_previous, dc_previous)",
            "LSTMState(dh_previous, (dstate.c + dh_previous * (1 - state.h**2) * gates.o) "
            "* (1 - gates.i))",
        ),
        Mistake(
            "gradients of two gates exchanged",
            "The bias of the input gate gets the gradient of another: (10.18), once for each gate.",
            "da.sum(axis=0)",
            "np.concatenate([by_gate[k].sum(axis=0) for k in (1, 1, 2)])",
        ),
        Mistake(
            "gradients of two gates exchanged",
            "The bias of the output gate gets the gradient of another: (10.18), once for each "
            "gate.",
            "da.sum(axis=0)",
            "np.concatenate([by_gate[k].sum(axis=0) for k in (0, 0, 2)])",
        ),
        Mistake(
            "gradients of two gates exchanged",
            "The bias of the candidate gets the gradient of another: (10.18), once for each gate.",
            "da.sum(axis=0)",
            "np.concatenate([by_gate[k].sum(axis=0) for k in (0, 1, 0)])",
        ),
        Mistake("mean for sum", BATCH, "da.sum(axis=0)", "da.mean(axis=0)"),
        Mistake(
            "mean for sum",
            BATCH,
            "LSTMParams(dW_x, dW_h, db)",
            "LSTMParams(dW_x / len(x), dW_h / len(x), db / len(x))",
        ),
        Mistake(
            "path missing",
            f"{THREE_USES} It is that through i.",
            "dx = da @",
            "dx = (da * np.repeat([0.0, 1.0, 1.0], len(params.W_h))) @",
            also=(
                (
                    "dh_previous = da @",
                    "dh_previous = (da * np.repeat([0.0, 1.0, 1.0], len(params.W_h))) @",
                ),
            ),
        ),
        Mistake(
            "path missing",
            f"{THREE_USES} It is that through o.",
            "dx = da @",
            "dx = (da * np.repeat([1.0, 0.0, 1.0], len(params.W_h))) @",
            also=(
                (
                    "dh_previous = da @",
                    "dh_previous = (da * np.repeat([1.0, 0.0, 1.0], len(params.W_h))) @",
                ),
            ),
        ),
        Mistake(
            "path missing",
            f"{THREE_USES} It is that through g.",
            "dx = da @",
            "dx = (da * np.repeat([1.0, 1.0, 0.0], len(params.W_h))) @",
            also=(
                (
                    "dh_previous = da @",
                    "dh_previous = (da * np.repeat([1.0, 1.0, 0.0], len(params.W_h))) @",
                ),
            ),
        ),
        Mistake(
            "path too many",
            "The new h is made of the old h through the gates alone: (A.1), (A.4). You pass on "
            "a gradient along a path that is not there.",
            "LSTMState(dh_previous,",
            "LSTMState(dh_previous + dstate.h,",
        ),
    ),
    "lstm_unroll": (
        Mistake(
            "carry lost between steps",
            "Each of your steps starts from the same state. From which should step t start?",
            "lstm_step(params, x, state)",
            "lstm_step(params, x, first)",
        ),
        Mistake(
            "carry lost between steps",
            "You pass on c and not h. The gates of the next step see h: (A.1).",
            "lstm_step(params, x, state)",
            "lstm_step(params, x, LSTMState(first.h, state.c))",
        ),
        Mistake(
            "carry lost between steps",
            "You pass on h and not c. Both are the state of this cell: (A.3).",
            "lstm_step(params, x, state)",
            "lstm_step(params, x, LSTMState(state.h, first.c))",
        ),
        Mistake(
            "first state taken for zero",
            "Your first step does not use the first state.",
            "state = first\n",
            "state = LSTMState(0 * first.h, 0 * first.c)\n",
        ),
        Mistake(
            "first state taken for zero",
            "The first state has an h, which your first step does not use.",
            "state = first\n",
            "state = LSTMState(0 * first.h, first.c)\n",
        ),
        Mistake(
            "first state taken for zero",
            "The first state has a c, which your first step does not use.",
            "state = first\n",
            "state = LSTMState(first.h, 0 * first.c)\n",
        ),
        Mistake(
            "h and c exchanged",
            "The two halves of the state change places on their way to the next step.",
            "lstm_step(params, x, state)",
            "lstm_step(params, x, state if x is xs[0] else LSTMState(state.c, state.h))",
            also=(("for x in xs:", "for t, x in enumerate(xs):"),),
        ),
        Mistake(
            "time runs backwards",
            "Your loop reads the sequence from its end.",
            "for x in xs:",
            "for x in xs[::-1]:",
        ),
        Mistake(
            "time runs backwards",
            "Your loop reads the sequence from its end, and then turns the results round.",
            "for x in xs:",
            "for x in xs[::-1]:",
            also=(
                ("zip(*states)", "zip(*states[::-1])"),
                ("zip(*gates)", "zip(*gates[::-1])"),
            ),
        ),
        Mistake(
            "one input at every step",
            "Every one of your steps reads the first input.",
            "lstm_step(params, x, state)",
            "lstm_step(params, xs[0], state)",
        ),
        Mistake(
            "off by one step",
            "Your first entry is the state before the first step. The states asked for are those "
            "after each step.",
            "zip(*states)",
            "zip(*[first, *states[:-1]])",
        ),
        Mistake(
            "first step left out",
            "Your loop begins with the second step: the first input is never read.",
            "states, gates = [], []\n    for x in xs:",
            "states, gates = [first], [LSTMGates(0 * first.h, 0 * first.h, 0 * first.h)]\n"
            "    for x in xs[1:]:",
        ),
        Mistake(
            "first step left out",
            "Your loop begins with the second step: the first input is never read.",
            "states, gates = [], []\n    for x in xs:",
            "zero = 0 * first.h\n    states, gates = [LSTMState(zero, zero)], "
            "[LSTMGates(zero, zero, zero)]\n    for x in xs[1:]:",
        ),
        Mistake(
            "last step left out",
            "Your loop stops a step early: the last input is never read.",
            "for x in xs:",
            "for x in xs[:-1]:",
            also=(
                (
                    "    return",
                    "    zero = 0 * first.h\n"
                    "    states.append(LSTMState(zero, zero))\n"
                    "    gates.append(LSTMGates(zero, zero, zero))\n"
                    "    return",
                ),
            ),
        ),
        Mistake(
            "one state at every step",
            "All your steps show the same state, the last. Does every entry of your list name the "
            "same array?",
            "zip(*states)",
            "zip(*[state for _ in xs])",
        ),
        Mistake(
            "one state at every step",
            "All your steps show the same state and the same gates, the last. Does every entry of "
            "your list name the same array?",
            "zip(*states)",
            "zip(*[state for _ in xs])",
            also=(("zip(*gates)", "zip(*[values for _ in xs])"),),
        ),
    ),
    "lstm_unroll_backward": (
        # what is carried
        Mistake(
            "carry lost between steps",
            f"{BOTH_HALVES} In your loop none arrives.",
            "LSTMState(dhs[t] + dh, dc)",
            "LSTMState(dhs[t] + (t == len(xs) - 1) * dh, (t == len(xs) - 1) * dc)",
        ),
        Mistake(
            "carry lost between steps",
            f"{BOTH_HALVES} You carry that of c alone.",
            "dhs[t] + dh,",
            "dhs[t] + (t == len(xs) - 1) * dh,",
        ),
        Mistake(
            "carry lost between steps",
            f"{BOTH_HALVES} You carry that of h alone.",
            "+ dh, dc)",
            "+ dh, (t == len(xs) - 1) * dc)",
        ),
        Mistake(
            "h and c exchanged",
            f"{BOTH_HALVES} Your loop exchanges them.",
            "dh, dc = dprevious",
            "dc, dh = dprevious",
        ),
        Mistake(
            "h and c exchanged",
            "The gradient of the last state is a pair. You have its halves in each other's place.",
            "dh, dc = dlast",
            "dc, dh = dlast",
        ),
        # the gradient of the last state
        Mistake(
            "gradient of the last state ignored",
            "One argument is not in your answer: where does dlast enter (10.25)?",
            "dh, dc = dlast",
            "dh, dc = 0 * dlast.h, 0 * dlast.c",
        ),
        Mistake(
            "gradient of the last state ignored",
            "The gradient that arrives at the last h is not in your answer: (10.25).",
            "dh, dc = dlast",
            "dh, dc = 0 * dlast.h, dlast.c",
        ),
        Mistake(
            "gradient of the last state ignored",
            "The gradient that arrives at the last c is not in your answer: (10.25).",
            "dh, dc = dlast",
            "dh, dc = dlast.h, 0 * dlast.c",
        ),
        Mistake(
            "gradient of the last state at every step",
            f"{ONCE} You add both its halves at every step.",
            "LSTMState(dhs[t] + dh, dc)",
            "LSTMState(dhs[t] + dh + (t < len(xs) - 1) * dlast.h, dc + (t < len(xs) - 1) * "
            "dlast.c)",
        ),
        Mistake(
            "gradient of the last state at every step",
            f"{ONCE} You add that of h at every step.",
            "dhs[t] + dh,",
            "dhs[t] + dh + (t < len(xs) - 1) * dlast.h,",
        ),
        Mistake(
            "gradient of the last state at every step",
            f"{ONCE} You add that of c at every step.",
            "+ dh, dc)",
            "+ dh, dc + (t < len(xs) - 1) * dlast.c)",
        ),
        Mistake(
            "gradient of the last state at every step",
            f"{ONCE} Every step of yours gets that of c, in the place of the gradient that the "
            "step after it passed on.",
            "+ dh, dc)",
            "+ dh, dlast.c)",
        ),
        Mistake(
            "gradient of the last state at every step",
            f"{ONCE} Every step of yours gets it, in the place of the gradients that the step "
            "after it passed on.",
            "LSTMState(dhs[t] + dh, dc)",
            "LSTMState(dhs[t] + dlast.h, dlast.c)",
        ),
        Mistake(
            "counted twice",
            f"{ONCE} That of h arrives twice in yours.",
            "dh, dc = dlast",
            "dh, dc = 2 * dlast.h, dlast.c",
        ),
        Mistake(
            "counted twice",
            f"{ONCE} That of c arrives twice in yours.",
            "dh, dc = dlast",
            "dh, dc = dlast.h, 2 * dlast.c",
        ),
        Mistake(
            "gradient of the last state at the other end",
            "The gradient of the last state arrives at the first step in yours: (10.24).",
            "dh, dc = dlast",
            "dh, dc = 0 * dlast.h, 0 * dlast.c",
            also=(
                (
                    "LSTMState(dhs[t] + dh, dc)",
                    "LSTMState(dhs[t] + dh + (t == 0) * dlast.h, dc + (t == 0) * dlast.c)",
                ),
            ),
        ),
        # the losses of the steps
        Mistake(
            "gradients of the outputs ignored",
            "Every h also has its own loss: the first term of (10.25).",
            "dhs[t] + dh,",
            "dh,",
        ),
        Mistake(
            "gradients of the outputs ignored",
            "The last h has a loss of its own too, beside the gradient of the last state: (10.24).",
            "dhs[t] + dh,",
            "(t < len(xs) - 1) * dhs[t] + dh,",
        ),
        Mistake(
            "gradients of the outputs ignored",
            "The losses of the steps before the last are not in your answer: (10.25).",
            "dhs[t] + dh,",
            "(t == len(xs) - 1) * dhs[t] + dh,",
        ),
        Mistake(
            "counted twice",
            "Each h has two paths, so its gradient has two terms. The term of its own loss is "
            "there twice: (10.25).",
            "dhs[t] + dh,",
            "2 * dhs[t] + dh,",
        ),
        Mistake(
            "gradients of the outputs at the cell",
            "The losses of the steps see h, not c: which line of (10.25) has a term for them?",
            "+ dh, dc)",
            "+ dh, dhs[t] + dc)",
        ),
        Mistake(
            "gradients of the outputs at the cell",
            "The losses of the steps see h. Yours see c, and not h: (10.25).",
            "LSTMState(dhs[t] + dh, dc)",
            "LSTMState(dh, dhs[t] + dc)",
        ),
        Mistake(
            "off by one step",
            "Each h gets the gradient of another step's loss in yours.",
            "dhs[t] + dh,",
            "dhs[t - 1] + dh,",
        ),
        # the sum over the steps
        Mistake(
            "not accumulated over time",
            "A weight is used at every step. You keep the gradient of the first step alone: "
            "(10.26).",
            "LSTMParams(*map(np.add, dparams, part))",
            "part",
        ),
        Mistake(
            "not accumulated over time",
            "A weight is used at every step. You keep the gradient of the last step alone: "
            "(10.26).",
            "LSTMParams(*map(np.add, dparams, part))",
            "part if t == len(xs) - 1 else dparams",
        ),
        Mistake(
            "mean for sum",
            f"{STEPS} Yours is a mean over the steps.",
            "return dparams,",
            "return LSTMParams(*[leaf / len(xs) for leaf in dparams]),",
        ),
        Mistake(
            "mean for sum",
            f"{STEPS} Yours is a mean over the steps and the batch.",
            "return dparams,",
            "return LSTMParams(*[leaf / (len(xs) * len(dlast.h)) for leaf in dparams]),",
        ),
        Mistake(
            "clipped in passing",
            "The direction is right and the length is not: you clip. A backward returns the "
            "gradient as it is.",
            "return dparams,",
            "norm = np.sqrt(sum(np.sum(leaf**2) for leaf in dparams))\n"
            "    return LSTMParams(*[leaf * min(1, 0.25 / norm) for leaf in dparams]),",
        ),
        # the state before each step
        Mistake(
            "first state taken for zero",
            FIRST,
            "else first",
            "else LSTMState(0 * first.h, 0 * first.c)",
        ),
        Mistake(
            "first state taken for zero",
            "The first state has an h: look at the first term of dW_h in (10.26).",
            "else first",
            "else LSTMState(0 * first.h, first.c)",
        ),
        Mistake(
            "first state taken for zero",
            "The first state has a c, and the gate of the first step decided how much of it was "
            "kept: (A.3).",
            "else first",
            "else LSTMState(first.h, 0 * first.c)",
        ),
        Mistake(
            "last state taken for the first",
            f"{FIRST} An index of -1 does not go before the beginning: it is the last.",
            " if t > 0 else first",
            "",
        ),
        Mistake(
            "new state for the old one",
            "Each of your steps uses the state after the step as the state before it. Which state "
            "was there before step t?",
            "LSTMState(states.h[t - 1], states.c[t - 1]) if t > 0 else first",
            "LSTMState(states.h[t], states.c[t])",
        ),
        Mistake(
            "new state for the old one",
            "Your first step gets the state before it. All the others get the state after the "
            "step in its place.",
            "LSTMState(states.h[t - 1], states.c[t - 1])",
            "LSTMState(states.h[t], states.c[t])",
        ),
        Mistake(
            "first state at every step",
            "Each of your steps takes the first state for the state before it. Which state was "
            "there before step t?",
            "LSTMState(states.h[t - 1], states.c[t - 1]) if t > 0 else first",
            "first",
        ),
        Mistake(
            "off by one step",
            "The state before step t is one step back. Yours is two steps back.",
            "LSTMState(states.h[t - 1], states.c[t - 1]) if t > 0",
            "LSTMState(states.h[t - 2], states.c[t - 2]) if t > 1",
        ),
        # what step t has made
        Mistake(
            "gates of the neighbouring step",
            "Your steps use the gates of the step before them.",
            "LSTMGates(gates.i[t], gates.o[t], gates.g[t])",
            "LSTMGates(*[gate[t - 1] for gate in gates])",
        ),
        Mistake(
            "gates of the neighbouring step",
            "Your steps use the gates of the step before them, and the first step its own.",
            "LSTMGates(gates.i[t], gates.o[t], gates.g[t])",
            "LSTMGates(*[gate[max(t - 1, 0)] for gate in gates])",
        ),
        Mistake(
            "gates of the neighbouring step",
            "Your steps use the gates of the step after them.",
            "LSTMGates(gates.i[t], gates.o[t], gates.g[t])",
            "LSTMGates(*[gate[min(t + 1, len(xs) - 1)] for gate in gates])",
        ),
        Mistake(
            "one state at every step",
            "A step needs the state that it made. Yours all get the last state of the sequence.",
            "LSTMState(states.h[t], states.c[t])",
            "LSTMState(states.h[-1], states.c[-1])",
        ),
        Mistake(
            "off by one step",
            "Your steps use the input of the step before them.",
            "params, xs[t], previous",
            "params, xs[t - 1], previous",
        ),
        Mistake(
            "one input at every step",
            "Every one of your steps uses the first input.",
            "params, xs[t], previous",
            "params, xs[0], previous",
        ),
        # the loop
        Mistake(
            "time runs forward",
            "Your loop goes from the first step to the last. Which step of (10.25) can be computed "
            "first?",
            "reversed(range(len(xs)))",
            "range(len(xs))",
        ),
        Mistake(
            "time runs backwards",
            "The loop goes back in time. The gradients of the inputs are asked for in the order of "
            "the inputs.",
            "dxs[t] = dx",
            "dxs[len(xs) - 1 - t] = dx",
        ),
        Mistake(
            "first step left out",
            "Your loop stops before the first step.",
            "reversed(range(len(xs)))",
            "reversed(range(1, len(xs)))",
        ),
        Mistake(
            "last step left out",
            "Your loop begins with the step before the last.",
            "reversed(range(len(xs)))",
            "reversed(range(len(xs) - 1))",
        ),
        Mistake(
            "off by one step",
            "You return the gradient of the state after the first step. The one asked for is of "
            "the state before it.",
            "dxs, LSTMState(dh, dc)",
            "dxs, dstate",
        ),
    ),
}
