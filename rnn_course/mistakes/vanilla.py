"""The mistakes of assignment 1, each an edit of a solution in rnn_course/questions/vanilla.py."""

from rnn_course.judge.mistake import Mistake

__all__ = ["MISTAKES"]

SLOPE = "The slope of tanh is written with its value. Look again at (2.6), at every sign and power."
INSIDE = (
    "What is inside the tanh gets its gradient through the tanh: see (2.6) and what follows it."
)
TWO_USES = "What is left of the old state is used in two places, so its gradient has two terms."
EVERY_SEQUENCE = (
    "Every sequence of the batch adds its part to the gradient of a parameter. Yours has the part "
    "of one of them: see (2.8) and (2.10)."
)
OLD_STATE = (
    "W_h multiplies what is left of the old state, so its gradient is made with that: compare "
    "equation (2.9)."
)
DH_LAST = "The gradient dh_last belongs to one state, and arrives there once: equation (3.3)."
CARRY = (
    "Each step passes a gradient to the step before it. In your loop it does not arrive: "
    "equations (3.5) and (3.10)."
)
EUCLIDEAN = "The norm meant here is the Euclidean one, of each sequence."
NEW_STATE = "(kept + params.a * n)"

MISTAKES = {
    "rnn_step": (
        Mistake(
            "bias missing",
            "One of the three terms of the pre-activation is not in your sum: equation (1.6).",
            " + params.b",
            "",
        ),
        Mistake(
            "bias outside the activation",
            "The bias is part of what tanh is applied to: equations (1.6) and (1.7).",
            " + params.b)",
            ") + params.b",
        ),
        Mistake(
            "recurrent term outside the activation",
            "All three terms of (1.6) are inside the tanh.",
            " + kept @ params.W_h + params.b)",
            " + params.b) + kept @ params.W_h",
        ),
        Mistake(
            "bias counted twice",
            "The bias is in your sum more often than in equation (1.6).",
            " + params.b",
            " + 2 * params.b",
        ),
        Mistake(
            "old state not used",
            "Your proposal does not depend on the state before it: equation (1.6) has three terms.",
            " + kept @ params.W_h",
            "",
        ),
        Mistake(
            "input not used",
            "Your proposal does not depend on the input: equation (1.6) has three terms.",
            "x @ params.W_x + ",
            "",
        ),
        Mistake(
            "activation missing",
            "Your proposal is the pre-activation. Equation (1.7) is still to come.",
            "np.tanh",
            "",
        ),
        Mistake(
            "another activation",
            "That is a sigmoid. The network of this assignment has tanh, equation (1.7).",
            "np.tanh(",
            "1 / (1 + np.exp(-(",
            also=((" + params.b)", " + params.b)))"),),
        ),
        Mistake(
            "another activation",
            "That is a rectifier. The network of this assignment has tanh, equation (1.7).",
            "np.tanh(",
            "np.maximum(0, ",
        ),
        Mistake(
            "weight transposed",
            "Rows and columns of W_h are exchanged. W_h is square, so no shape complains: see the "
            "order of the indices in (1.5).",
            "params.W_h",
            "params.W_h.T",
        ),
        Mistake(
            "leak the wrong way round",
            "A leak close to one loses nearly the whole state. What does yours do?",
            "(1 - params.a) * h_previous",
            "params.a * h_previous",
            also=(("params.a * n", "(1 - params.a) * n"),),
        ),
        Mistake(
            "leak the wrong way round",
            "A leak close to one loses nearly the whole state. What does yours do?",
            "(1 - params.a) * h_previous",
            "params.a * h_previous",
        ),
        Mistake(
            "leak the wrong way round",
            "A leak close to one adds nearly the whole proposal. What does yours do?",
            "params.a * n",
            "(1 - params.a) * n",
        ),
        Mistake(
            "sign",
            "A share of the proposal is added to what is left. Yours is taken away.",
            "kept + params.a",
            "kept - params.a",
        ),
        Mistake(
            "leak counted twice",
            "The old state loses its share once. In yours it loses it twice.",
            "(1 - params.a)",
            "(1 - params.a) ** 2",
        ),
        Mistake(
            "leak counted twice",
            "The old state loses its share once. In yours it loses it twice.",
            "h = kept",
            "h = (1 - params.a) * kept",
        ),
        Mistake(
            "leak counted twice",
            "The old state loses its share in the first equation, and once more in yours, where "
            "the proposal is added.",
            "params.a * n",
            "params.a * (n - h_previous)",
        ),
        Mistake(
            "leak missing",
            "Yours is the network of Chapter 1, without a leak.",
            "kept @ params.W_h",
            "h_previous @ params.W_h",
            also=(("kept + params.a * n", "n"),),
        ),
        Mistake(
            "leak missing",
            "What you return as the state is the proposal. The last equation is still to come.",
            "kept + params.a * n",
            "n",
        ),
        Mistake(
            "old state kept whole",
            "The matrix W_h multiplies what is left of the old state, not the old state.",
            "kept @ params.W_h",
            "h_previous @ params.W_h",
        ),
        Mistake(
            "old state kept whole",
            "Your new state has the whole old state in it. A share of it is lost.",
            "h = kept",
            "h = h_previous",
        ),
        Mistake(
            "old state kept whole",
            "In yours, nothing of the old state is lost: the first equation is missing.",
            "(1 - params.a) * h_previous",
            "h_previous",
        ),
        Mistake(
            "old state missing from the sum",
            "Your state is a share of the proposal alone. What else is in the last equation?",
            "kept + params.a * n",
            "params.a * n",
        ),
        Mistake(
            "proposal taken whole",
            "Only a share of the proposal is added to what is left of the old state.",
            "params.a * n",
            "n",
        ),
        Mistake(
            "leak inside the activation",
            "The leak multiplies the proposal, which is what tanh returns, not what it is given.",
            "np.tanh(",
            "np.tanh(params.a * (",
            also=((" + params.b)", " + params.b))"), ("params.a * n", "n")),
        ),
        Mistake(
            "new state for the proposal",
            "You return the new state twice. The proposal is a part of what it was made from.",
            "return h, n",
            "return h, h",
        ),
    ),
    "rnn_step_backward": (
        Mistake(
            "derivative of the activation missing",
            "On the way back through tanh a factor is missing: equation (2.6).",
            " * (1 - n**2)",
            "",
        ),
        Mistake("derivative of the activation wrong", SLOPE, "1 - n**2", "1 - n"),
        Mistake("derivative of the activation wrong", SLOPE, "1 - n**2", "1 + n**2"),
        Mistake("derivative of the activation wrong", SLOPE, "1 - n**2", "1 - 2 * n"),
        Mistake("derivative of the activation wrong", SLOPE, "1 - n**2", "(1 - n) ** 2"),
        Mistake("derivative of the activation wrong", SLOPE, "1 - n**2", "n**2"),
        Mistake("derivative of the activation wrong", SLOPE, "1 - n**2", "n**2 - 1"),
        Mistake(
            "derivative taken at the wrong place",
            "Your slope takes the tanh of n, but n is a tanh already.",
            "n**2",
            "np.tanh(n) ** 2",
        ),
        Mistake(
            "derivative taken at the wrong place",
            "Your slope is that of the old state. Whose value did tanh return?",
            "1 - n**2",
            "1 - h_previous**2",
        ),
        Mistake(
            "derivative taken at the wrong place",
            "Your slope is that of the new state. But tanh returned the proposal.",
            "1 - n**2",
            f"1 - {NEW_STATE} ** 2",
        ),
        Mistake(
            "derivative of another activation",
            "This is the slope of a sigmoid. The network of this assignment has tanh, "
            "equation (2.6).",
            "1 - n**2",
            "n * (1 - n)",
        ),
        Mistake(
            "activation in the place of its derivative",
            "You multiply by tanh itself. Its gradient needs the slope: equation (2.6).",
            "1 - n**2",
            "n",
        ),
        Mistake(
            "derivative of the activation missing",
            INSIDE,
            "x.T @ ds",
            "x.T @ dn",
            also=(("kept.T @ ds", "kept.T @ dn"), ("ds.sum", "dn.sum")),
        ),
        Mistake("derivative of the activation missing", INSIDE, "kept.T @ ds", "kept.T @ dn"),
        Mistake("derivative of the activation missing", INSIDE, "x.T @ ds", "x.T @ dn"),
        Mistake("derivative of the activation missing", INSIDE, "ds.sum", "dn.sum"),
        Mistake(
            "derivative of the activation missing", INSIDE, "ds @ params.W_x", "dn @ params.W_x"
        ),
        Mistake(
            "derivative of the activation missing", INSIDE, "ds @ params.W_h", "dn @ params.W_h"
        ),
        Mistake(
            "derivative of the activation missing",
            INSIDE,
            "x.T @ ds",
            "x.T @ dh",
            also=(("kept.T @ ds", "kept.T @ dh"), ("ds.sum", "dh.sum")),
        ),
        Mistake(
            "sign",
            TWO_USES + " Look at the sign of the second.",
            "dh + ds @",
            "dh - ds @",
        ),
        Mistake(
            "leak counted twice",
            "The gradient of the old state goes through the leak once. In yours it does so twice.",
            "dkept * (1 - params.a)",
            "dkept * (1 - params.a) ** 2",
        ),
        Mistake(
            "weight transposed",
            "On the way back through a product, the matrix is used the other way round: compare "
            "the indices in (2.12) and (1.5).",
            "params.W_h.T",
            "params.W_h",
        ),
        Mistake("old state kept whole", OLD_STATE, "kept.T", "h_previous.T"),
        Mistake(
            "leak of another unit",
            "In the gradient of W_h, each leak belongs to the unit that is lost from, which is the "
            "row, not the column: see the indices in (2.9).",
            "kept.T @ ds",
            "h_previous.T @ ds * (1 - params.a)",
        ),
        Mistake("new state for the old one", OLD_STATE, "kept.T", f"{NEW_STATE}.T"),
        Mistake("new state for the old one", OLD_STATE, "kept.T", "n.T"),
        Mistake(
            "leak missing",
            "The proposal enters the new state with a share, and so does its gradient.",
            "dh * params.a",
            "dh",
        ),
        Mistake(
            "leak missing",
            "Your way back is that of a network without a leak. Begin with the last equation.",
            "dh * params.a",
            "dh",
            also=(("kept.T", "h_previous.T"), ("dkept * (1 - params.a)", "ds @ params.W_h.T")),
        ),
        Mistake(
            "leak missing",
            "Both paths to the old state lead through what is left of it, and so through the leak.",
            "dkept * (1 - params.a)",
            "dh * (1 - params.a) + ds @ params.W_h.T",
        ),
        Mistake(
            "leak the wrong way round",
            "Which share is lost, and which share of the proposal is added?",
            "dn = dh * params.a",
            "dn = dh * (1 - params.a)",
            also=(("dkept * (1 - params.a)", "dkept * params.a"),),
        ),
        Mistake(
            "leak the wrong way round",
            "Which share is lost, and which share of the proposal is added?",
            "kept = (1 - params.a)",
            "kept = params.a",
            also=(
                ("dn = dh * params.a", "dn = dh * (1 - params.a)"),
                ("dkept * (1 - params.a)", "dkept * params.a"),
            ),
        ),
        Mistake(
            "leak the wrong way round",
            "Which share of the proposal is added?",
            "dn = dh * params.a",
            "dn = dh * (1 - params.a)",
        ),
        Mistake(
            "leak the wrong way round",
            "Which share of the old state is lost?",
            "dkept * (1 - params.a)",
            "dkept * params.a",
        ),
        Mistake("path missing", TWO_USES + " The direct one is not in yours.", "dh + ds @", "ds @"),
        Mistake(
            "path missing",
            TWO_USES + " The one through the proposal is not in yours.",
            "dh + ds @ params.W_h.T",
            "dh",
        ),
        Mistake(
            "path missing",
            TWO_USES + " One of them is not in your gradient of the old state.",
            "dkept * (1 - params.a)",
            "ds @ params.W_h.T * (1 - params.a)",
        ),
        Mistake(
            "path missing",
            TWO_USES + " One of them is not in your gradient of the old state.",
            "dkept * (1 - params.a)",
            "dh * (1 - params.a)",
        ),
        Mistake(
            "old state kept whole",
            "Only a share of the old state is left. Its gradient has the same share.",
            "dkept * (1 - params.a)",
            "dkept",
        ),
        Mistake(
            "factor too many",
            "The direct path does not lead through the tanh.",
            "dh + ds @",
            "dh * (1 - n**2) + ds @",
        ),
        Mistake(
            "factor too many",
            "The direct path begins with the whole gradient that arrives at the state.",
            "dh + ds @",
            "dn + ds @",
        ),
        Mistake(
            "factor too many",
            "The direct path does not lead through the proposal at all.",
            "dh + ds @",
            "ds + ds @",
        ),
        Mistake(
            "path missing",
            "The leak is used twice: with the proposal, and with the old state.",
            "dh * n - dkept * h_previous",
            "dh * n",
        ),
        Mistake(
            "path missing",
            "The leak is used twice: with the old state, and with the proposal.",
            "dh * n - dkept * h_previous",
            "-dkept * h_previous",
        ),
        Mistake(
            "path missing",
            "The leak also changes what W_h multiplies, and that path is not in its gradient.",
            "dkept * h_previous",
            "dh * h_previous",
        ),
        Mistake(
            "sign",
            "A larger leak takes from the old state: look at the sign of its part.",
            "dh * n - dkept * h_previous",
            "dh * n + dkept * h_previous",
        ),
        Mistake(
            "factor too many",
            "The share of the proposal is taken outside the tanh: there is no slope on this path.",
            "dh * n - dkept",
            "dh * (1 - n**2) * n - dkept",
        ),
        Mistake(
            "factor too many",
            "With the proposal, the gradient of the leak is made with what arrives at the state.",
            "dh * n - dkept",
            "ds * n - dkept",
        ),
        Mistake(
            "factor too many",
            "In yours, the gradient of the leak has the leak as a factor.",
            "dh * n - dkept",
            "dn * n - dkept",
        ),
        Mistake(
            "factor too many",
            "The leak is multiplied by the old state, not by what is left of it.",
            "dkept * h_previous",
            "dkept * kept",
        ),
        Mistake(
            "not summed over the batch",
            EVERY_SEQUENCE,
            "x.T @ ds",
            "x[-1:].T @ ds[-1:]",
            also=(
                ("kept.T @ ds", "kept[-1:].T @ ds[-1:]"),
                ("ds.sum(axis=0)", "ds[-1]"),
                ("(dh * n - dkept * h_previous).sum(axis=0)", "(dh * n - dkept * h_previous)[-1]"),
            ),
        ),
        Mistake("not summed over the batch", EVERY_SEQUENCE, "x.T @ ds", "x[-1:].T @ ds[-1:]"),
        Mistake(
            "not summed over the batch", EVERY_SEQUENCE, "kept.T @ ds", "kept[-1:].T @ ds[-1:]"
        ),
        Mistake("not summed over the batch", EVERY_SEQUENCE, "ds.sum(axis=0)", "ds[0]"),
        Mistake(
            "not summed over the batch",
            EVERY_SEQUENCE,
            "(dh * n - dkept * h_previous).sum(axis=0)",
            "(dh * n - dkept * h_previous)[0]",
        ),
    ),
    "rnn_unroll": (
        Mistake(
            "carry lost between steps",
            "Each of your steps starts from the same state. From which should step t start?",
            "h, n = rnn_step(params, x, h)",
            "h, n = rnn_step(params, x, h_first)",
        ),
        Mistake(
            "proposal carried for the state",
            "Your next step starts from the proposal. It should start from the state.",
            "ns.append(n)",
            "ns.append(n)\n        h = n",
        ),
        Mistake(
            "first state taken for zero",
            "Your first step does not use h_first.",
            "h = h_first",
            "h = 0 * h_first",
        ),
        Mistake(
            "time runs backwards",
            "Your loop reads the sequence from its end.",
            "in xs:",
            "in xs[::-1]:",
        ),
        Mistake(
            "time runs backwards",
            "Your loop reads the sequence from its end.",
            "in xs:",
            "in xs[::-1]:",
            also=(("np.stack(hs), np.stack(ns)", "np.stack(hs[::-1]), np.stack(ns[::-1])"),),
        ),
        Mistake(
            "first state among the states",
            "The states that you return begin with h_first, and the input of one step is not used.",
            "hs, ns = [], []",
            "hs, ns = [h_first], [0 * h_first]",
            also=(("in xs:", "in xs[1:]:"),),
        ),
        Mistake(
            "first state among the states",
            "The states that you return begin with h_first, so each comes a step late.",
            "hs, ns = [], []",
            "hs, ns = [h_first], [0 * h_first]",
            also=(("in xs:", "in xs[:-1]:"),),
        ),
        Mistake(
            "first state among the states",
            "The states that you return begin with h_first, so each comes a step late.",
            "np.stack(hs)",
            "np.stack([h_first, *hs[:-1]])",
        ),
        Mistake(
            "first step left out",
            "Your loop begins one step too late. Which t has the first step?",
            "hs, ns = [], []",
            "hs, ns = [0 * h_first], [0 * h_first]",
            also=(("in xs:", "in xs[1:]:"),),
        ),
        Mistake(
            "first step left out",
            "Your loop begins one step too late, and from a state of zeros.",
            "    hs, ns = [], []",
            "    h = 0 * h\n    hs, ns = [h], [h]",
            also=(("in xs:", "in xs[1:]:"),),
        ),
        Mistake(
            "last step left out",
            "Your loop ends one step too early. At which t does it stop?",
            "np.stack(hs), np.stack(ns)",
            "np.stack([*hs[:-1], 0 * h]), np.stack([*ns[:-1], 0 * h])",
        ),
    ),
    "rnn_unroll_backward": (
        Mistake(
            "carry lost between steps",
            "What your step passes on is the gradient at its own state. It has to be taken back "
            "through the step first: equation (3.10).",
            "dxs[t], dh_next = rnn_step_backward(params, xs[t], h_previous, ns[t], dh)",
            "dxs[t], _ = rnn_step_backward(params, xs[t], h_previous, ns[t], dh)\n"
            "        dh_next = dh",
        ),
        Mistake(
            "new state for the proposal",
            "A step back needs the proposal of its step. You give it the state.",
            "ns[t], dh)",
            "hs[t], dh)",
        ),
        Mistake(
            "off by one step",
            "The input that you give to a step back is that of another step.",
            "xs[t], h_previous",
            "xs[t - 1], h_previous",
        ),
        Mistake(
            "off by one step",
            "The gradient that you add at a state is from the loss of another step.",
            "dhs[t] + dh_next",
            "dhs[t - 1] + dh_next",
        ),
        Mistake(
            "gradients of the outputs in the wrong order",
            "At the last step, you add the gradient from the loss of the first.",
            "dhs[t] + dh_next",
            "dhs[T - 1 - t] + dh_next",
        ),
        Mistake(
            "carry lost between steps",
            CARRY,
            "dhs[t] + dh_next",
            "dhs[t] + (dh_last if t == T - 1 else 0)",
        ),
        Mistake("carry lost between steps", CARRY, "dhs[t] + dh_next", "dhs[t]"),
        Mistake(
            "carry lost between steps",
            CARRY + " What arrives instead, at each of your steps, is dh_last.",
            "dhs[t] + dh_next",
            "dhs[t] + dh_last",
        ),
        Mistake(
            "gradient of the last state ignored",
            "One argument is not in your answer: where does dh_last enter (3.10)?",
            "dh_next = dh_last",
            "dh_next = 0 * dh_last",
        ),
        Mistake(
            "gradient of the last state at every step",
            DH_LAST,
            "dhs[t] + dh_next",
            "dhs[t] + dh_next + (dh_last if t < T - 1 else 0)",
        ),
        Mistake(
            "gradient of the last state at every step",
            DH_LAST,
            "dhs[t] + dh_next",
            "dhs[t] + dh_next + dh_last",
        ),
        Mistake(
            "gradient of the last state counted twice",
            DH_LAST,
            "dh_next = dh_last",
            "dh_next = 2 * dh_last",
        ),
        Mistake(
            "gradient of the last state at the first",
            "Your dh_last arrives at the other end of the sequence: see (3.3) and (3.10).",
            "dh_next = dh_last",
            "dh_next = 0 * dh_last",
            also=(("dhs[t] + dh_next", "dhs[t] + dh_next + (dh_last if t == 0 else 0)"),),
        ),
        Mistake(
            "gradients of the outputs ignored",
            "Every state also has a gradient from its own loss: the first term of (3.10).",
            "dhs[t] + dh_next",
            "dh_next",
        ),
        Mistake(
            "loss of the last step left out",
            "The last state has a loss of its own too, besides dh_last: equation (3.3).",
            "dhs[t] + dh_next",
            "(dhs[t] if t < T - 1 else 0) + dh_next",
        ),
        Mistake(
            "counted twice",
            "Each state has two uses, so its gradient has two terms. One of yours is there twice: "
            "(3.10).",
            "dhs[t] + dh_next",
            "2 * dhs[t] + dh_next",
        ),
        Mistake(
            "counted twice",
            "Each state has two uses, so its gradient has two terms. One of yours is there twice: "
            "(3.10).",
            "dhs[t] + dh_next",
            "dhs[t] + 2 * dh_next",
        ),
        Mistake(
            "counted twice",
            "Each state has two uses, so its gradient has two terms. At the last, one of yours is "
            "there twice: (3.10).",
            "dh_next = dh_last",
            "dh_next = dh_last + dhs[-1]",
        ),
        Mistake(
            "sign",
            "The two gradients that arrive at a state are added: equation (3.10).",
            "dhs[t] + dh_next",
            "dhs[t] - dh_next",
        ),
        Mistake(
            "first state at every step",
            "Every step back is given the first state. It needs the state before its own step.",
            "h_first if t == 0 else hs[t - 1]",
            "h_first",
        ),
        Mistake(
            "not accumulated over time",
            "A parameter is used at every step. You keep the gradient of one use: (3.13).",
            "total + part",
            "part",
        ),
        Mistake(
            "not accumulated over time",
            "A parameter is used at every step. You keep the gradient of one use: (3.13).",
            "total + part",
            "part if t == T - 1 else total",
        ),
        Mistake(
            "not accumulated over time",
            "The leak is used at every step, as the weights are. You keep the gradient of one use.",
            "return dparams, ",
            "return dparams._replace(a=dparams_t.a), ",
        ),
        Mistake(
            "first state taken for zero",
            "The state before the first step is an argument: look at t = 1 in (3.13).",
            "h_first if t == 0",
            "0 * h_first if t == 0",
        ),
        Mistake(
            "last state taken for the first",
            "The state before the first step is h_first. An index before the beginning is one from "
            "the end.",
            "h_first if t == 0 else hs[t - 1]",
            "hs[t - 1]",
        ),
        Mistake(
            "new state for the old one",
            "The step from the old state to the new one is given the new one in both places.",
            "h_first if t == 0 else hs[t - 1]",
            "hs[t]",
        ),
        Mistake(
            "off by one step",
            "The state and the proposal that you give to a step are not of the same step.",
            "ns[t], dh)",
            "ns[t - 1], dh)",
        ),
        Mistake(
            "off by one step",
            "What you return as dh_first is the gradient at the state after the first step. One "
            "step back is still to come.",
            "dxs, dh_next\n",
            "dxs, dh\n",
        ),
        Mistake(
            "off by one step",
            "What you return as dh_first is what arrives at the state after the first step. That "
            "step back is still to come.",
            "dxs, dh_next\n",
            "dxs, dh - dhs[0]\n",
        ),
        Mistake(
            "first step left out",
            "Your loop ends one step too early. At which t does it stop, and which t has the first "
            "step?",
            "range(T)",
            "range(1, T)",
        ),
        Mistake(
            "last step left out",
            "Your loop begins one step too early in time. Which t has the last step?",
            "range(T)",
            "range(T - 1)",
        ),
        Mistake(
            "loop runs forward",
            "A gradient comes from the step after. Your loop begins with the first step.",
            "reversed(range(T))",
            "range(T)",
        ),
    ),
    "gradient_norms": (
        Mistake(
            "derivative of the activation missing",
            "On the way back through tanh a factor is missing: equation (2.6).",
            " * (1 - n**2)",
            "",
        ),
        Mistake("derivative of the activation wrong", SLOPE, "1 - n**2", "1 - n"),
        Mistake("derivative of the activation wrong", SLOPE, "1 - n**2", "1 + n**2"),
        Mistake("derivative of the activation wrong", SLOPE, "1 - n**2", "1 - 2 * n"),
        Mistake("derivative of the activation wrong", SLOPE, "1 - n**2", "(1 - n) ** 2"),
        Mistake(
            "derivative taken at the wrong place",
            "Your slope takes the tanh of n, but n is a tanh already.",
            "n**2",
            "np.tanh(n) ** 2",
        ),
        Mistake(
            "derivative of another activation",
            "This is the slope of a sigmoid. The network of this assignment has tanh, "
            "equation (2.6).",
            "1 - n**2",
            "n * (1 - n)",
        ),
        Mistake(
            "activation in the place of its derivative",
            "You multiply by tanh itself. Its gradient needs the slope: equation (2.6).",
            "1 - n**2",
            "n",
        ),
        Mistake(
            "weight transposed",
            "On the way back through a product, the matrix is used the other way round: compare "
            "the indices in (2.12) and (1.5).",
            "params.W_h.T",
            "params.W_h",
        ),
        Mistake(
            "leak missing",
            "The proposal enters the new state with a share, and so does its gradient.",
            "dh * params.a * (",
            "dh * (",
        ),
        Mistake(
            "leak missing",
            "Your way back is that of a network without a leak. Begin with the last equation.",
            "dh * params.a * (",
            "dh * (",
            also=(("(dh + ds @ params.W_h.T) * (1 - params.a)", "ds @ params.W_h.T"),),
        ),
        Mistake(
            "leak missing",
            "Both paths to the old state lead through what is left of it, and so through the leak.",
            "(dh + ds @ params.W_h.T) * (1 - params.a)",
            "dh * (1 - params.a) + ds @ params.W_h.T",
        ),
        Mistake(
            "leak the wrong way round",
            "Which share is lost, and which share of the proposal is added?",
            "ds = dh * params.a",
            "ds = dh * (1 - params.a)",
            also=((".T) * (1 - params.a)", ".T) * params.a"),),
        ),
        Mistake(
            "leak the wrong way round",
            "Which share of the proposal is added?",
            "ds = dh * params.a",
            "ds = dh * (1 - params.a)",
        ),
        Mistake(
            "leak the wrong way round",
            "Which share of the old state is lost?",
            ".T) * (1 - params.a)",
            ".T) * params.a",
        ),
        Mistake("path missing", TWO_USES + " The direct one is not in yours.", "dh + ds @", "ds @"),
        Mistake(
            "path missing",
            TWO_USES + " The one through the proposal is not in yours.",
            " + ds @ params.W_h.T",
            "",
        ),
        Mistake(
            "old state kept whole",
            "Only a share of the old state is left. Its gradient has the same share.",
            " * (1 - params.a)",
            "",
        ),
        Mistake(
            "sign",
            TWO_USES + " Look at the sign of the second.",
            "dh + ds @",
            "dh - ds @",
        ),
        Mistake(
            "leak counted twice",
            "The gradient of the old state goes through the leak once. In yours it does so twice.",
            " * (1 - params.a)",
            " * (1 - params.a) ** 2",
        ),
        Mistake(
            "off by one step",
            "The last row is the gradient at the last state, before any step back has been taken.",
            "        norms.append(np.linalg.norm(dh, axis=1))\n",
            "",
            also=(
                (
                    "(1 - params.a)\n",
                    "(1 - params.a)\n        norms.append(np.linalg.norm(dh, axis=1))\n",
                ),
            ),
        ),
        Mistake(
            "off by one step",
            "The slope that you use in a step back is that of another step.",
            "ns[::-1]",
            "np.roll(ns, 1, axis=0)[::-1]",
        ),
        Mistake(
            "loop runs forward",
            "A gradient comes from the step after. Your loop begins with the first step.",
            "ns[::-1]",
            "ns",
        ),
        Mistake(
            "loop runs forward",
            "A gradient comes from the step after. Your loop begins with the first step.",
            "ns[::-1]",
            "ns",
            also=(("norms[::-1]", "norms"),),
        ),
        Mistake(
            "another norm",
            "This is the square of a norm.",
            "np.linalg.norm(dh, axis=1)",
            "(dh**2).sum(axis=1)",
        ),
        Mistake("another norm", EUCLIDEAN, "np.linalg.norm(dh, axis=1)", "abs(dh).sum(axis=1)"),
        Mistake("another norm", EUCLIDEAN, "np.linalg.norm(dh, axis=1)", "abs(dh).max(axis=1)"),
        Mistake(
            "another norm",
            "A norm is made of sizes, so that a sum of them cannot cancel.",
            "np.linalg.norm(dh, axis=1)",
            "dh.sum(axis=1)",
        ),
        Mistake(
            "another norm",
            "There is a mean over the units in yours. " + EUCLIDEAN,
            "np.linalg.norm(dh, axis=1)",
            "np.sqrt((dh**2).mean(axis=1))",
        ),
        Mistake(
            "norms relative to the last",
            "You divide by the norm of dh_last. The norms themselves are asked for.",
            "np.stack(norms[::-1])",
            "np.stack(norms[::-1]) / norms[0]",
        ),
        Mistake(
            "sum over the batch",
            "Each sequence has its own norm: rows are steps, columns are sequences.",
            "np.linalg.norm(dh, axis=1)",
            "np.full(len(dh), np.linalg.norm(dh))",
        ),
    ),
}
