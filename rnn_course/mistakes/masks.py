"""The mistakes of assignment 4, each an edit of a solution in rnn_course/questions/masks.py."""

from rnn_course.judge.mistake import Mistake

__all__ = ["MISTAKES"]

# Text that several mistakes replace
LAST = "len(mask) - 1 - mask[::-1].argmax(axis=0)"
INSIDE = "np.cumsum(mask[::-1], axis=0)[::-1] > 0"
PICK = "hs[last, np.arange(len(last))]"
PUT = "dhs[last, np.arange(len(last))] = dy"
MASKS = "mask[..., None], inside[..., None]"
TAKEN = "np.where(real, rnn_step(params, x, h), faded)"
FADED = "np.where(within, params.gamma * h, h)"
OUTPUT = "np.where(within, h, 0)"
ARRIVING = "np.where(within, dhs[t], 0)"
AT_THE_COUNT = ARRIVING + " + np.where(t == mask.sum(axis=0)[:, None] - 1, dh_last, 0)"
STEPPED = "dnew = np.where(real, dh, 0)"
HELD = "np.where(gap, params.gamma * dh, dh)"
BACK = "np.where(real, dback, dheld)"
DGAMMA = "np.where(gap, dh * h_previous, 0)"
WEIGHTS = "weights = mask / mask.sum(axis=0)\n    weights = weights / mask.shape[1]"
LOSS = "np.sum(weights * losses)"
DLOGITS = "weights[..., None] * dlosses"
LENGTHS = "len(mask) - mask[::-1].argmax(axis=0)"
OWN = "turned[:length, n] = own[::-1]"

# Hints and mistakes that several functions have
COUNT = (
    "You take the number of real steps for the length. In a sequence with gaps it is smaller: see "
    "(A.1)."
)
ROW = "The last row of the array is the last step of the longest sequence alone: (14.10)."
BEFORE = (
    "You are before the last real step. Steps are counted from 1 in the equations and from 0 in "
    "arrays."
)
ONE_STEP = "Here one step of each sequence is asked for: equation (14.10)."
FROM_END = "An index counts from the end of the array here. How much padding is behind a sequence?"
PLACES = (
    Mistake("number of real steps for the length", COUNT, LAST, "mask.sum(axis=0) - 1"),
    Mistake(
        "number of real steps for the length",
        COUNT,
        LAST,
        "np.minimum(mask.sum(axis=0), len(mask) - 1)",
    ),
    Mistake("padding leaks", ROW, LAST, "0 * mask.sum(axis=0) - 1"),
    Mistake(
        "first step for the last",
        "You are at step 1. A search that goes from the front finds the first real step.",
        LAST,
        "mask.argmax(axis=0)",
    ),
    Mistake(
        "first gap for the end",
        "You search for the first step that is not real. In a sequence with gaps that is not its "
        "end: (A.1).",
        LAST,
        "mask.argmin(axis=0) - 1",
    ),
    Mistake("off by one step", BEFORE, LAST, "len(mask) - 2 - mask[::-1].argmax(axis=0)"),
    Mistake(
        "off by one step",
        BEFORE,
        LAST,
        "np.maximum(len(mask) - 2 - mask[::-1].argmax(axis=0), 0)",
    ),
    Mistake("index from the end", FROM_END, LAST, "mask[::-1].argmax(axis=0)"),
    Mistake("index from the end", FROM_END, LAST, "-mask.sum(axis=0)"),
)
ENDS = (
    Mistake(
        "number of real steps for the length",
        COUNT,
        INSIDE,
        "np.arange(len(mask))[:, None] < mask.sum(axis=0)",
    ),
    Mistake(
        "first gap for the end",
        "Your sequences end at their first gap. They end after the last real step: (A.1).",
        INSIDE,
        "np.cumprod(mask, axis=0) > 0",
    ),
    Mistake(
        "off by one step",
        "Your sequences end one real step too early: is the last real step a part of them?",
        INSIDE,
        "np.cumsum(mask[::-1], axis=0)[::-1] > 1",
    ),
    Mistake(
        "off by one step",
        "The first step of padding is a gap for you. Up to which step can there be a gap? "
        "Equation (A.1).",
        INSIDE,
        "np.vstack([mask[:1], (np.cumsum(mask[::-1], axis=0)[::-1] > 0)[:-1]])",
    ),
)

MISTAKES: dict[str, tuple[Mistake, ...]] = {
    "rnn_step": (
        Mistake(
            "bias missing",
            "The step of the notebook has three terms. Which one does not depend on the sequence?",
            " + params.b",
            "",
        ),
        Mistake(
            "activation missing",
            "A step ends in the tanh: equation (3.1).",
            "np.tanh(x @ params.W_x + h_previous @ params.W_h + params.b)",
            "x @ params.W_x + h_previous @ params.W_h + params.b",
        ),
        Mistake(
            "bias outside the activation",
            "The bias is added before the tanh, not after it: equation (3.1).",
            " + params.b)",
            ") + params.b",
        ),
        Mistake(
            "weight transposed",
            "The matrix of the old state is used the other way round: equation (3.1).",
            "params.W_h",
            "params.W_h.T",
        ),
        Mistake(
            "old state not used",
            "A step depends on the state before it: equation (3.1).",
            " + h_previous @ params.W_h",
            "",
        ),
    ),
    "rnn_step_backward": (
        Mistake(
            "derivative of the activation wrong",
            "Look at the derivative of the tanh, written with its value: equation (3.4).",
            "(1 - h**2)",
            "(1 - h)",
        ),
        Mistake(
            "derivative of the activation wrong",
            "Look at what is squared in the derivative of the tanh: equation (3.4).",
            "(1 - h**2)",
            "(1 - h) ** 2",
        ),
        Mistake(
            "derivative of another activation",
            "This is the slope of a sigmoid. The step has a tanh: equation (3.4).",
            "(1 - h**2)",
            "(h * (1 - h))",
        ),
        Mistake(
            "derivative of the activation missing",
            "On its way through the step, the gradient passes the tanh: equation (3.4).",
            "dh * (1 - h**2)",
            "dh",
        ),
        Mistake(
            "derivative taken at the wrong place",
            "The slope of the tanh belongs to the new state: equation (3.4).",
            "(1 - h**2)",
            "(1 - h_previous**2)",
        ),
        Mistake(
            "weight transposed",
            "On the way back, a matrix is used the other way round: equation (3.5).",
            "da @ params.W_h.T",
            "da @ params.W_h",
        ),
    ),
    "last_outputs": (
        *PLACES,
        Mistake(
            "one sequence for all",
            "All your answers come from one sequence of the batch. Each step needs the number of "
            "its own.",
            "np.arange(len(last))",
            "0",
        ),
        Mistake(
            "mean in the place of the last",
            "This is a mean over the real steps. " + ONE_STEP,
            PICK,
            "np.sum(hs * mask[..., None], axis=0) / mask.sum(axis=0)[:, None]",
        ),
        Mistake(
            "mean in the place of the last",
            "This is a mean over all rows, padding included. " + ONE_STEP,
            PICK,
            "hs.mean(axis=0)",
        ),
        Mistake(
            "sum in the place of the last",
            "This is a sum over the real steps. " + ONE_STEP,
            PICK,
            "np.sum(hs * mask[..., None], axis=0)",
        ),
        Mistake(
            "maximum in the place of the last",
            "This is the largest entry of all rows. " + ONE_STEP,
            PICK,
            "hs.max(axis=0)",
        ),
        Mistake(
            "maximum in the place of the last",
            "This is the largest entry of the real steps. " + ONE_STEP,
            PICK,
            "np.where(mask[..., None], hs, -np.inf).max(axis=0)",
        ),
    ),
    "last_outputs_backward": (
        *PLACES,
        Mistake(
            "one sequence for all",
            "You write all of it into one sequence. Each row of the gradient has a sequence of "
            "its own.",
            "np.arange(len(last))",
            "0",
        ),
        Mistake(
            "gradient at every step",
            "One output uses one step. Yours gives the gradient to all: see (14.10).",
            PUT,
            "dhs[:] = dy",
        ),
        Mistake(
            "gradient at every step",
            "One output uses one step. Yours gives the gradient to all real ones: see (14.10).",
            PUT,
            "dhs = mask[..., None] * dy",
        ),
        Mistake(
            "gradient at every step",
            "You write into the last steps of all sequences. Each row of the gradient has a step "
            "and a sequence of its own: see (14.10).",
            PUT,
            "dhs[last] = dy",
        ),
        Mistake(
            "mean in the place of the last",
            "This is the gradient of a mean over the real steps. One step was taken, and it has "
            "all of the gradient: (14.10).",
            PUT,
            "dhs = (mask / mask.sum(axis=0))[..., None] * dy",
        ),
    ),
    "masked_unroll": (
        *ENDS,
        Mistake(
            "padding leaks",
            "Your network takes every row of the array for a step: the state does not depend on "
            "the mask. Equation (A.2).",
            TAKEN,
            "rnn_step(params, x, h)",
            also=((OUTPUT, "h"),),
        ),
        Mistake(
            "padding leaks",
            "Outputs on padding are zero, but the state takes steps in gaps and on padding: "
            "equation (A.2) is about the state.",
            TAKEN,
            "rnn_step(params, x, h)",
        ),
        Mistake(
            "padding leaks",
            "Outputs that are not real are zero, but the state takes steps there: equation (A.2) "
            "is about the state.",
            TAKEN,
            "rnn_step(params, x, h)",
            also=((OUTPUT, "np.where(real, h, 0)"),),
        ),
        Mistake(
            "padding leaks",
            "Zeros in the inputs are no mask. What does a step make of a zero input, with a bias "
            "and an old state? Equation (A.2).",
            TAKEN,
            "rnn_step(params, x * real, h)",
            also=((OUTPUT, "h"),),
        ),
        Mistake(
            "padding leaks",
            "Zeros in the inputs are no mask. What does a step make of a zero input, with a bias "
            "and an old state? Equation (A.2).",
            TAKEN,
            "rnn_step(params, x * real, h)",
        ),
        Mistake(
            "gap read as a step",
            "You read what a gap holds as if it were an input. No measurement was taken "
            "there: (A.2).",
            MASKS,
            "inside[..., None], inside[..., None]",
        ),
        Mistake(
            "gap read as a step",
            "You read zeros in a gap. What does a step make of a zero input, with a bias and an "
            "old state? No step is taken there: (A.2).",
            "zip(xs, " + MASKS,
            "zip(xs * mask[..., None], inside[..., None], inside[..., None]",
        ),
        Mistake(
            "gap read as a step",
            "In a gap you fade what the step makes of the input there. The old state fades: (A.2).",
            FADED,
            "np.where(within, params.gamma * rnn_step(params, x, h), h)",
        ),
        Mistake(
            "state held in a gap",
            "In a gap you hold the state, as on padding. There it fades: see the middle case of "
            "(A.2).",
            FADED,
            "h",
        ),
        Mistake(
            "state held in a gap",
            "This is the mask of Chapter 14: the state waits in a gap. Here it fades, and the "
            "output is the state: (A.2) and (A.3).",
            FADED,
            "h",
            also=((OUTPUT, "np.where(real, h, 0)"),),
        ),
        Mistake(
            "state held in a gap",
            "The state does not fade in a gap, and it is an output on padding too: see the three "
            "cases of (A.2), and (A.3).",
            FADED,
            "h",
            also=((OUTPUT, "h"),),
        ),
        Mistake(
            "padding fades",
            "The state goes on fading after the last real step. Then it depends on how much "
            "padding there is: see the last case of (A.2).",
            FADED,
            "params.gamma * h",
        ),
        Mistake(
            "padding fades",
            "The state goes on fading after the last real step, and you return it as an output: "
            "see the last cases of (A.2) and (A.3).",
            FADED,
            "params.gamma * h",
            also=((OUTPUT, "h"),),
        ),
        Mistake(
            "padding fades",
            "You treat everything that is not real alike. A gap and padding are two things: (A.1) "
            "to (A.3).",
            FADED,
            "params.gamma * h",
            also=((OUTPUT, "np.where(real, h, 0)"),),
        ),
        Mistake(
            "cases exchanged",
            "Your states are held in gaps and fade on padding. Which of the two has a measurement "
            "still to come? Equation (A.2).",
            FADED,
            "np.where(within, h, params.gamma * h)",
        ),
        Mistake(
            "output on padding",
            "The state is held on padding, and you return it as an output. After its end a "
            "sequence has no output: (A.3).",
            OUTPUT,
            "h",
        ),
        Mistake(
            "output missing in a gap",
            "In a gap the faded state is the output. Yours is zero there: (A.3).",
            OUTPUT,
            "np.where(real, h, 0)",
        ),
        Mistake(
            "state lost on padding",
            "The last state of a short sequence is zero. Either its state becomes zero on padding, "
            "or you take it from the outputs, which are zero there: (A.2) holds, (A.3) sets to "
            "zero.",
            "return np.stack(hs), h",
            "h = hs[-1]\n    return np.stack(hs), h",
        ),
        Mistake(
            "state lost in a gap",
            "After a gap your sequences begin from zero. How much of the state is left is in "
            "(A.2).",
            FADED,
            "np.where(within, 0, h)",
        ),
        Mistake(
            "state lost in a gap",
            "Your state is zero after a gap, and after the end. See all three cases of (A.2).",
            FADED,
            "0 * h",
        ),
        Mistake(
            "mask the wrong way round",
            "You take a step where nothing was measured, and none where something was.",
            TAKEN,
            "np.where(real, faded, rnn_step(params, x, h))",
        ),
        Mistake(
            "mask the wrong way round",
            "Your outputs are zero where there is one, and not zero where there is none: (A.3).",
            OUTPUT,
            "np.where(within, 0, h)",
        ),
        Mistake(
            "number of real steps for the length",
            "You read as many steps as a sequence has real ones, from its start. They are not the "
            "real ones if it has a gap: see the mask itself.",
            MASKS,
            "inside[..., None], inside[..., None]",
            also=((INSIDE, "np.arange(len(mask))[:, None] < mask.sum(axis=0)"),),
        ),
        Mistake(
            "number of real steps for the length",
            "Your outputs are right. You look for the last state at the number of real steps, and "
            "with gaps it is later: (A.1).",
            "return np.stack(hs), h",
            "return np.stack(hs), np.stack(hs)[mask.sum(axis=0) - 1, np.arange(mask.shape[1])]",
        ),
        Mistake(
            "first gap for the end",
            "Your sequences end at their first gap, and never go on. They end after the last real "
            "step: (A.1).",
            MASKS,
            "inside[..., None], inside[..., None]",
            also=((INSIDE, "np.cumprod(mask, axis=0) > 0"),),
        ),
        Mistake(
            "off by one step",
            "The last real step of a sequence is never taken: is it a part of the sequence?",
            INSIDE,
            "np.cumsum(mask[::-1], axis=0)[::-1] > 1",
            also=((TAKEN, "np.where(real & within, rnn_step(params, x, h), faded)"),),
        ),
        Mistake(
            "off by one step",
            "Each row of inputs is read with the mask of the row before it.",
            MASKS,
            "np.roll(mask, 1, axis=0)[..., None], inside[..., None]",
        ),
        Mistake(
            "off by one step",
            "Each row of inputs is read with the mask of the row after it.",
            MASKS,
            "np.vstack([mask[1:], mask[-1:]])[..., None], inside[..., None]",
        ),
        Mistake(
            "off by one step",
            "Your outputs are the states before the steps, one step late.",
            "return np.stack(hs), h",
            "return np.stack([h_first, *hs[:-1]]), h",
        ),
        Mistake(
            "carry lost between steps",
            "Each of your steps starts from the same state. From which should step t start?",
            TAKEN,
            "np.where(real, rnn_step(params, x, h_first), faded)",
        ),
        Mistake(
            "first state taken for zero",
            "Your first step does not use the first state that you were given.",
            "h, hs = h_first, []",
            "h, hs = 0 * h_first, []",
        ),
        Mistake(
            "fades at every step",
            "The rate multiplies the state before real steps too. It belongs to gaps alone: (A.2).",
            TAKEN,
            "np.where(real, rnn_step(params, x, params.gamma * h), faded)",
        ),
        Mistake(
            "fades at every step",
            "The rate multiplies the state after real steps too. It belongs to gaps alone: (A.2).",
            TAKEN,
            "np.where(real, params.gamma * rnn_step(params, x, h), faded)",
        ),
        Mistake(
            "fades at every step",
            "On real steps a faded state is added to that of the step. In (A.2) one case holds at "
            "a time.",
            TAKEN,
            "np.where(real, rnn_step(params, x, h) + params.gamma * h, faded)",
        ),
        Mistake(
            "one minus the share",
            "The rate is what is left, not what is lost: (A.2).",
            FADED,
            "np.where(within, (1 - params.gamma) * h, h)",
        ),
        Mistake(
            "another rate",
            "The rate itself multiplies the state. Yours is the exponential of minus the rate: "
            "(A.2).",
            FADED,
            "np.where(within, np.exp(-params.gamma) * h, h)",
        ),
        Mistake(
            "another rate",
            "The rate is between 0 and 1 as it is. Yours goes through a sigmoid first: (A.2).",
            FADED,
            "np.where(within, h / (1 + np.exp(-params.gamma)), h)",
        ),
        Mistake(
            "activation in a gap",
            "In a gap the state is multiplied and nothing else: no step is taken, so there is no "
            "tanh. Equation (A.2).",
            FADED,
            "np.where(within, np.tanh(params.gamma * h), h)",
        ),
        Mistake(
            "first state in every gap",
            "In a gap it is the state of the step before that fades, not the first one: (A.2).",
            FADED,
            "np.where(within, params.gamma * h_first, h)",
        ),
        Mistake(
            "old state for the new one",
            "In a gap your output is the state before it has faded. The output is the new state: "
            "(A.3).",
            OUTPUT,
            "np.where(real, h, np.where(within, h / params.gamma, 0))",
        ),
        Mistake(
            "counted twice",
            "In a long gap the state fades too fast: the power of the rate is taken of a state "
            "that has faded already.",
            FADED,
            "np.where(within, params.gamma**late * h, h)",
            also=(
                ("h, hs = h_first, []", "h, hs, late = h_first, [], np.zeros((len(h_first), 1))"),
                (
                    "\n        faded =",
                    "\n        late = np.where(real, 0, late + 1)\n        faded =",
                ),
            ),
        ),
        Mistake(
            "fades once in a gap",
            "A longer gap fades no more than a short one. In (A.2) each step of it multiplies.",
            FADED,
            "np.where(within & before, params.gamma * h, h)",
            also=(
                ("h, hs = h_first, []", "h, hs, before = h_first, [], mask[0][:, None]"),
                ("hs.append", "before = real\n        hs.append"),
            ),
        ),
    ),
    "masked_unroll_backward": (
        *ENDS,
        Mistake(
            "padding leaks",
            "You walk back through gaps and padding as if their steps had been taken: (A.4) to "
            "(A.5), and your own two.",
            ARRIVING,
            "dhs[t]",
            also=((STEPPED, "dnew = dh"), (BACK, "dback"), (DGAMMA, "np.zeros_like(dh)")),
        ),
        Mistake(
            "padding leaks",
            "The gradients that arrive on padding are left out, and yet you walk back through "
            "gaps and padding as if their steps had been taken: (A.5).",
            STEPPED,
            "dnew = dh",
            also=((BACK, "dback"), (DGAMMA, "np.zeros_like(dh)")),
        ),
        Mistake(
            "padding leaks",
            "The gradients that arrive on padding are left out, and the rate has one. That of the "
            "state still goes through steps that were not taken: (A.5).",
            STEPPED,
            "dnew = dh",
            also=((BACK, "dback"),),
        ),
        Mistake(
            "padding leaks",
            "Where the mask is False the arriving gradients are left out, and yet you walk back "
            "through these steps as if they had been taken: (A.5).",
            STEPPED,
            "dnew = dh",
            also=(
                (ARRIVING, "np.where(real, dhs[t], 0)"),
                (BACK, "dback"),
                (DGAMMA, "np.zeros_like(dh)"),
            ),
        ),
        Mistake(
            "padding leaks",
            "A gradient that arrives at an output on padding must not count: equation (A.4).",
            ARRIVING,
            "dhs[t]",
        ),
        Mistake(
            "padding leaks",
            "In gaps and on padding a gradient arrives at your step, and it reaches the weights "
            "and inputs: equation (A.5).",
            STEPPED,
            "dnew = dh",
        ),
        Mistake(
            "gap read as a step",
            "In a gap a gradient arrives at your step, and it reaches the weights and inputs: "
            "equation (A.5).",
            STEPPED,
            "dnew = np.where(within, dh, 0)",
        ),
        Mistake(
            "gap read as a step",
            "You walk back through a gap as if its steps had been taken: (A.5), and your own two.",
            STEPPED,
            "dnew = np.where(within, dh, 0)",
            also=((BACK, "np.where(within, dback, dh)"), (DGAMMA, "np.zeros_like(dh)")),
        ),
        Mistake(
            "output missing in a gap",
            "In a gap there is an output, and its gradient counts: equation (A.4).",
            ARRIVING,
            "np.where(real, dhs[t], 0)",
        ),
        Mistake(
            "state held in a gap",
            "Through a gap your gradient passes as it is. What did each step of the gap multiply "
            "the state by? Equation (A.2).",
            HELD,
            "dh",
        ),
        Mistake(
            "state held in a gap",
            "This is the way back of Chapter 14: through a gap the gradient passes as it is, and "
            "the rate has none. Look at the middle case of (A.2).",
            HELD,
            "dh",
            also=((DGAMMA, "np.zeros_like(dh)"), (ARRIVING, "np.where(real, dhs[t], 0)")),
        ),
        Mistake(
            "padding fades",
            "Your gradient fades on padding, where the state was held: see the last case of (A.2).",
            HELD,
            "params.gamma * dh",
        ),
        Mistake(
            "padding fades",
            "Your gradient fades on padding, and padding counts for the rate. The state was held "
            "there: see the last case of (A.2).",
            HELD,
            "params.gamma * dh",
            also=((DGAMMA, "np.where(real, 0, dh * h_previous)"),),
        ),
        Mistake(
            "padding fades",
            "The rate is not used on padding, and yet padding is in its gradient: see the last "
            "case of (A.2).",
            DGAMMA,
            "np.where(real, 0, dh * h_previous)",
        ),
        Mistake(
            "cases exchanged",
            "You fade the gradient on padding and hold it in gaps. Compare (A.2).",
            HELD,
            "np.where(gap, dh, params.gamma * dh)",
        ),
        Mistake(
            "gradient lost in a gap",
            "No gradient gets through a gap. The state before it was used there directly, with a "
            "factor: (A.2).",
            HELD,
            "np.where(gap, 0, dh)",
        ),
        Mistake(
            "gradient lost on padding",
            "In a short sequence, the gradient of the last state never arrives at a real step. "
            "Where the state was held, its gradient passes unchanged: (14.8).",
            HELD,
            "np.where(gap, params.gamma * dh, 0)",
        ),
        Mistake(
            "gradient lost on padding",
            "Where no step was taken nothing gets through, neither through a gap nor through "
            "padding: see all three cases of (A.2).",
            BACK,
            "dback",
        ),
        Mistake(
            "counted twice",
            "On real steps the old state has one path, through the step, and yours has two: see "
            "the cases of (A.2).",
            BACK,
            "dback + dheld",
        ),
        Mistake(
            "gradient of the last state counted twice",
            "The gradient of the last state is in your answer twice. Where does it begin?",
            "dh = dh_last",
            "dh = 2 * dh_last",
        ),
        Mistake(
            "gradient of the last state at every step",
            "You add the gradient of the last state at every step. It arrives once, at the end, "
            "and the loop carries it.",
            "dh = dh + ",
            "dh = dh + (dh_last if t < len(xs) - 1 else 0) + ",
        ),
        Mistake(
            "activation in a gap",
            "In a gap no step was taken, so there is no tanh whose slope could matter: look at the "
            "middle case of (A.2).",
            HELD,
            "np.where(gap, params.gamma * dh * (1 - hs[t] ** 2), dh)",
        ),
        Mistake(
            "loss of the last step left out",
            "At the last real step of a sequence two gradients arrive, and that of its output is "
            "not in your answer: (A.4).",
            ARRIVING,
            "np.where(inside[t + 1 :].any(axis=0)[:, None], dhs[t], 0)",
        ),
        Mistake(
            "off by one step",
            "What arrives at an output reaches the state of the step after it.",
            ARRIVING,
            "np.where(within, dhs[max(t - 1, 0)], 0)",
        ),
        Mistake(
            "off by one step",
            "You return the gradient of the state after the first step. The one before it is asked "
            "for.",
            "return dparams, dxs, dh",
            "return dparams, dxs, late",
            also=(("dheld = ", "late, dheld = dh, "),),
        ),
        Mistake(
            "fades at every step",
            "The rate multiplies the gradient on real steps too. It belongs to gaps alone: (A.2).",
            BACK,
            "np.where(real, params.gamma * dback, dheld)",
        ),
        Mistake(
            "one minus the share",
            "The rate is what is left of the state, and so it is of the gradient: (A.2).",
            HELD,
            "np.where(gap, (1 - params.gamma) * dh, dh)",
        ),
        Mistake(
            "mask the wrong way round",
            "You walk back through steps that were not taken, and not through those that were.",
            STEPPED,
            "dnew = np.where(real, 0, dh)",
            also=((BACK, "np.where(real, dheld, dback)"),),
        ),
        Mistake(
            "mask the wrong way round",
            "Your choice between the two gradients of the old state is the other way round.",
            BACK,
            "np.where(real, dheld, dback)",
        ),
        Mistake(
            "mask the wrong way round",
            "The gradient of the rate comes from real steps in your answer. Where is the rate "
            "used? Equation (A.2).",
            DGAMMA,
            "np.where(real, dh * h_previous, 0)",
        ),
        Mistake(
            "fades at every step",
            "Every step is in your gradient of the rate. Where is the rate used? Equation (A.2).",
            DGAMMA,
            "(dh * h_previous)",
        ),
        Mistake(
            "new state for the old one",
            "In your gradient of the rate, the rate itself is a factor. It multiplies the state "
            "before the step: you have the one after it, or a gradient that has faded already.",
            DGAMMA,
            "np.where(gap, dh * hs[t], 0)",
        ),
        Mistake(
            "new state for the old one",
            "You give the step the state that it made in the place of the one before it.",
            "hs[t - 1] if t > 0 else h_first",
            "hs[t]",
        ),
        Mistake(
            "factor missing",
            "How much the rate matters depends on the state that it multiplies: (A.2).",
            DGAMMA,
            "np.where(gap, dh, 0)",
        ),
        Mistake(
            "own output ignored",
            "In a gap the state is an output too, and its gradient belongs to that of the rate: "
            "add it first, (A.4).",
            DGAMMA,
            "np.where(gap, (dh - np.where(within, dhs[t], 0)) * h_previous, 0)",
        ),
        Mistake(
            "not accumulated over time",
            "The rate is used in every step of every gap. You keep the gradient of one step: "
            "compare (3.13).",
            DGAMMA + ".sum(axis=0)",
            DGAMMA + ".sum(axis=0) - (dparams.gamma if gap.any() else 0)",
        ),
        Mistake(
            "not accumulated over time",
            "A weight is used at every step. You keep the gradient of one use: (3.13).",
            "total + part for",
            "part for",
        ),
        Mistake(
            "not accumulated over time",
            "A weight is used at every step. You keep the gradient of one use, and of the rate all "
            "of them: (3.13).",
            "parts = dparams_t._replace(gamma=dgamma_t)",
            "parts = dparams_t._replace(gamma=dgamma_t + dparams.gamma)",
            also=(("total + part for", "part for"),),
        ),
        Mistake(
            "gradient of the last state ignored",
            "The gradient of the last state is not in your answer: where does it begin?",
            "dh = dh_last",
            "dh = 0 * dh_last",
        ),
        Mistake(
            "gradients of the outputs ignored",
            "Every state of a sequence also has a gradient from its own output: equation (A.4).",
            "dh = dh + " + ARRIVING,
            "dh = dh + 0",
        ),
        Mistake(
            "carry lost between steps",
            "Each step passes a gradient to the step before it, and in your loop none arrives: "
            "equation (14.8).",
            "dh = dh + ",
            "dh = (dh if t == len(xs) - 1 else 0) + ",
        ),
        Mistake(
            "gradient of the last state at every step",
            "Your loop gives the gradient of the last state to every step, and no gradient passes "
            "from step to step: equation (14.8).",
            "dh = dh + ",
            "dh = dh_last + ",
        ),
        Mistake(
            "first state taken for zero",
            "The state before the first step is an argument: look at t = 1 in (3.13).",
            "else h_first",
            "else 0 * h_first",
        ),
        Mistake(
            "last state taken for the first",
            "The state before the first step is an argument. An index of -1 does not go before "
            "the beginning: it is the last.",
            "hs[t - 1] if t > 0 else h_first",
            "hs[t - 1]",
        ),
        Mistake(
            "mean for sum",
            "You divide by the number of real steps. That is done in the loss, equation (A.6); "
            "here gradients are added up.",
            "total + part for",
            "total + part / mask.sum() for",
        ),
        Mistake(
            "number of real steps for the length",
            "The gradient of the last state enters at the number of real steps. With gaps the last "
            "real step is later: (A.1).",
            "dh = dh_last",
            "dh = 0 * dh_last",
            also=((ARRIVING, AT_THE_COUNT),),
        ),
        Mistake(
            "number of real steps for the length",
            "The gradient of the last state enters at the number of real steps, and your sequences "
            "end there. With gaps the last real step is later: (A.1).",
            "dh = dh_last",
            "dh = 0 * dh_last",
            also=(
                (ARRIVING, AT_THE_COUNT),
                (INSIDE, "np.arange(len(mask))[:, None] < mask.sum(axis=0)"),
            ),
        ),
        Mistake(
            "number of real steps for the length",
            "You walk back through as many steps as a sequence has real ones, counted from its "
            "start. They are not the real ones if it has a gap.",
            INSIDE,
            "np.arange(len(mask))[:, None] < mask.sum(axis=0)",
            also=(("gaps = inside & ~mask", "gaps, mask = np.zeros_like(mask), inside"),),
        ),
        Mistake(
            "off by one step",
            "The gradient that comes from the step is chosen by the mask of the step before it.",
            BACK,
            "np.where(mask[max(t - 1, 0)][:, None], dback, dheld)",
        ),
        Mistake(
            "first step left out",
            "Your loop does not reach the first step. Arrays count from 0.",
            "reversed(range(len(xs)))",
            "reversed(range(1, len(xs)))",
        ),
        Mistake(
            "last step left out",
            "Your loop does not begin at the last step. Arrays count from 0.",
            "reversed(range(len(xs)))",
            "reversed(range(len(xs) - 1))",
        ),
        Mistake(
            "loop runs forward",
            "Your loop runs forwards. The gradient of a state comes from the step after it.",
            "reversed(range(len(xs)))",
            "range(len(xs))",
        ),
    ),
    "masked_loss": (
        Mistake(
            "another mean",
            "Here every real step counts the same, as in (14.11). In (A.6) every sequence does.",
            WEIGHTS,
            "weights = mask / mask.sum()",
        ),
        Mistake(
            "another mean",
            "You add up the steps of each sequence and take the mean over the sequences. (A.6) has "
            "two means.",
            WEIGHTS,
            "weights = mask / mask.shape[1]",
        ),
        Mistake(
            "gaps in the mean",
            "You divide by the length of a sequence. Its gaps have no loss, so they do not count: "
            "(A.6).",
            "mask / mask.sum(axis=0)",
            "mask / (len(mask) - mask[::-1].argmax(axis=0))",
        ),
        Mistake(
            "gaps in the mean",
            "Your sum has a loss for the steps in gaps, and you count them. Nothing was measured "
            "there: (A.6).",
            "weights = mask / mask.sum(axis=0)",
            "weights = np.cumsum(mask[::-1], axis=0)[::-1] > 0\n"
            "    weights = weights / weights.sum(axis=0)",
        ),
        Mistake(
            "padding in the mean",
            "The losses that are not real are zero, but they are counted in the number that you "
            "divide by: see (A.6), and (14.12).",
            "mask / mask.sum(axis=0)",
            "mask / len(mask)",
        ),
        Mistake(
            "padding leaks",
            "Gaps and padding have a loss in your sum: see the mask in (A.6).",
            "mask / mask.sum(axis=0)",
            "np.ones(mask.shape) / len(mask)",
        ),
        Mistake(
            "padding leaks",
            "Gaps and padding have a loss in your sum, though not in the number that you divide "
            "by: see (A.6).",
            "mask / mask.sum(axis=0)",
            "np.ones(mask.shape) / mask.sum(axis=0)",
        ),
        Mistake(
            "sum for mean",
            "You have each sequence's mean, and you add them up. (A.6) is a mean over the "
            "sequences too.",
            "weights / mask.shape[1]",
            "weights",
        ),
        Mistake(
            "sum for mean",
            "This is a sum over the real steps. Equation (A.6) is a mean of means.",
            WEIGHTS,
            "weights = 1.0 * mask",
        ),
        Mistake(
            "padding leaks",
            "A step that is not real is not in the loss, so it must have no gradient: (A.6).",
            DLOGITS,
            "dlosses / mask.sum(axis=0)[:, None] / mask.shape[1]",
        ),
        Mistake(
            "sum for mean",
            "Your loss is a mean, your gradient is that of a sum: each step carries its weight, as "
            "in (5.12).",
            DLOGITS,
            "mask[..., None] * dlosses",
        ),
        Mistake(
            "sum for mean",
            "Your loss is a mean over the sequences, your gradient is that of a sum over them.",
            DLOGITS,
            "mask.shape[1] * weights[..., None] * dlosses",
        ),
        Mistake(
            "sum for mean",
            "Your loss has two means, and in its gradient the one over the steps is missing: the "
            "weights of the two have to be the same.",
            DLOGITS,
            "(mask / mask.shape[1])[..., None] * dlosses",
        ),
        Mistake(
            "another mean",
            "Your loss is right, but its gradient is that of (14.11): the weights of the two have "
            "to be the same.",
            DLOGITS,
            "(mask / mask.sum())[..., None] * dlosses",
        ),
        Mistake(
            "padding in the mean",
            "Your loss is right, but in its gradient all rows of the array are counted: the "
            "weights of the two have to be the same.",
            DLOGITS,
            "(mask / mask.size)[..., None] * dlosses",
        ),
        Mistake(
            "another mean",
            "Your gradient is right, but the loss is that of (14.11): here every sequence counts "
            "the same.",
            LOSS,
            "np.sum(mask * losses) / mask.sum()",
        ),
        Mistake(
            "target missing",
            "The gradient is prediction minus truth, and in yours the truth is missing: (5.12).",
            "np.exp(log_p) - onehot",
            "np.exp(log_p)",
        ),
        Mistake(
            "gradient of the target only",
            "Every logit of a step is in the denominator of its softmax, so every one has a "
            "gradient: (5.12).",
            "np.exp(log_p) - onehot",
            "onehot * (np.exp(log_p) - 1)",
        ),
        Mistake(
            "not normalised",
            "Your probabilities do not add up to one. What is the denominator? Equation (5.5).",
            "dlosses = np.exp(log_p) - onehot",
            "dlosses = np.exp(z) - onehot",
        ),
        Mistake(
            "logarithm for the probability",
            "In the gradient you have the logarithm of the softmax, not the softmax: (5.12).",
            "np.exp(log_p) - onehot",
            "log_p - onehot",
        ),
        Mistake(
            "probability for its logarithm",
            "Your loss is the probability of the target, and its logarithm is asked for: (5.13).",
            "onehot * log_p",
            "onehot * np.exp(log_p)",
        ),
        Mistake(
            "shift in one place only",
            "You subtract the largest logit in one term of the logarithm and not in the other: "
            "(5.7).",
            "onehot * log_p",
            "onehot * (log_p + logits - z)",
        ),
        Mistake(
            "another axis",
            "Your probabilities add up to 1 over the steps. Over what should they? Equation (5.5).",
            "z = logits - logits.max(axis=-1, keepdims=True)",
            "z = logits - logits.max(axis=0)",
            also=(("np.exp(z).sum(axis=-1, keepdims=True)", "np.exp(z).sum(axis=0)"),),
        ),
        Mistake(
            "another axis",
            "Your probabilities add up to 1 over the sequences. Over what should they? Equation "
            "(5.5).",
            "z = logits - logits.max(axis=-1, keepdims=True)",
            "z = logits - logits.max(axis=1, keepdims=True)",
            also=(
                ("np.exp(z).sum(axis=-1, keepdims=True)", "np.exp(z).sum(axis=1, keepdims=True)"),
            ),
        ),
        Mistake(
            "another logarithm",
            "These are bits. The loss here is in nats, with the natural logarithm.",
            LOSS,
            "np.sum(weights * losses) / np.log(2)",
        ),
        Mistake(
            "another logarithm",
            "These are bits, and so is the gradient. The loss here is in nats, with the natural "
            "logarithm.",
            "weights / mask.shape[1]",
            "weights / mask.shape[1] / np.log(2)",
        ),
        *(
            Mistake(
                "small number in the logarithm",
                "You add a small number to the probability before the logarithm. Where the target "
                "is very improbable, that number is all that is left: use (5.7).",
                "onehot * log_p",
                f"onehot * np.log(np.exp(log_p) + {small})",
            )
            for small in ("1e-6", "1e-7", "1e-8", "1e-9", "1e-10", "1e-12")
        ),
        *(
            Mistake(
                "small number in the logarithm",
                "You keep the probability from being too small before the logarithm. Where the "
                "target is very improbable, your loss is too small: use (5.7).",
                "onehot * log_p",
                f"onehot * np.log(np.maximum(np.exp(log_p), {small}))",
            )
            for small in ("1e-7", "1e-8", "1e-9", "1e-10", "1e-12")
        ),
    ),
    "reverse_padded": (
        Mistake(
            "padding comes first",
            "You turn the whole array, so a short sequence begins with its padding. Each is to be "
            "turned within its own length.",
            OWN,
            "turned[:, n] = xs[::-1, n]",
        ),
        Mistake(
            "padding comes first",
            "Your sequences are turned and moved to the end of the array. They should begin at "
            "its start.",
            OWN,
            "turned[len(mask) - length :, n] = own[::-1]",
        ),
        Mistake(
            "mask not turned",
            "You turn the whole array and then apply the mask of the array that was not turned.",
            OWN,
            "turned[:, n] = np.where(mask[:, n], xs[::-1, n].T, 0).T",
        ),
        Mistake(
            "mask not turned",
            "You turn the whole array and then set to zero what is padding in the array that was "
            "not turned.",
            OWN,
            "turned[:length, n] = xs[::-1, n][:length]",
        ),
        Mistake(
            "mask not turned",
            "You turn each sequence and then set to zero what was a gap before the turn. The gaps "
            "are turned with the rest.",
            OWN,
            "turned[:length, n] = np.where(mask[:length, n], own[::-1].T, 0).T",
        ),
        Mistake(
            "not reversed",
            "Your sequences are not turned round at all. Look closely at the step of your slice.",
            "own[::-1]",
            "own",
        ),
        Mistake(
            "not reversed",
            "You return what you were given. Look closely at the step of your slice.",
            "own[::-1]",
            "own",
            also=(("np.zeros_like(xs)", "xs.copy()"),),
        ),
        Mistake(
            "output on padding",
            "The sequences are right. What you return is to be zero behind them.",
            "np.zeros_like(xs)",
            "xs.copy()",
        ),
        Mistake(
            "output on padding",
            "The sequences are right, and behind them is what was before the end of the turned "
            "array. What you return is to be zero there.",
            OWN,
            "turned[:, n] = np.roll(xs[::-1, n], length - len(mask), axis=0)",
        ),
        Mistake(
            "off by one step",
            "The last real step of your sequences is lost. On which index is it?",
            LENGTHS,
            "len(mask) - 1 - mask[::-1].argmax(axis=0)",
        ),
        Mistake(
            "off by one step",
            "Your sequences begin one step too early, and their ends are wrong. On which index is "
            "the last real step?",
            OWN,
            "turned[:length, n] = xs[length - 2 - np.arange(length), n]",
        ),
        Mistake(
            "off by one step",
            "The first step of your sequences is lost. Where does a slice with a step of -1 end?",
            "own[::-1]",
            "np.concatenate([own[:0:-1], 0 * own[:1]])",
        ),
        Mistake(
            "another axis",
            "You have turned the features, not the steps. Time is the first axis.",
            "own[::-1]",
            "own[..., ::-1]",
        ),
        Mistake(
            "another axis",
            "You have turned the order of the sequences, not the steps. Time is the first axis.",
            "own = xs[:length, n]",
            "own = xs[:length, -1 - n][::-1]",
        ),
        Mistake(
            "number of real steps for the length",
            COUNT,
            LENGTHS,
            "mask.sum(axis=0)",
        ),
        Mistake(
            "number of real steps for the length",
            "You take the number of real steps for the length, and keep what is behind them: "
            "see (A.1).",
            LENGTHS,
            "mask.sum(axis=0)",
            also=(("np.zeros_like(xs)", "xs.copy()"),),
        ),
        Mistake(
            "number of real steps for the length",
            "This is the turn of exercise 14.5, for sequences without gaps: it takes the number of "
            "real steps for the length. See (A.1).",
            OWN,
            "steps = np.arange(len(mask))\n"
            "        source = np.where(mask[:, n], mask[:, n].sum() - 1 - steps, steps)\n"
            "        turned[:, n] = xs[source, n]",
        ),
        Mistake(
            "gaps left out",
            "Your sequences have no gaps any more. A turned sequence has them, in the turned "
            "places.",
            OWN,
            "turned[: mask[:, n].sum(), n] = xs[mask[:, n], n][::-1]",
        ),
        Mistake(
            "gaps not turned",
            "The gaps are where they were before the turn. They are turned with the rest.",
            OWN,
            "turned[mask[:, n], n] = xs[mask[:, n], n][::-1]",
        ),
        Mistake(
            "gaps set to zero",
            "Your gaps hold zeros. A turn moves what a gap holds, and changes nothing but the "
            "order.",
            "own = xs[:length, n]",
            "own = np.where(mask[:length, n], xs[:length, n].T, 0).T",
        ),
    ),
    "bidirectional": (
        Mistake(
            "not turned back",
            "The second reading numbers its steps from the end. Before the two are joined it has "
            "to be turned once more: equation (13.5).",
            "backwards = reverse_padded(turned_hs, mask)",
            "backwards = turned_hs",
        ),
        Mistake(
            "padding comes first",
            "You turn the second reading back as one array, so its padding comes first. Each "
            "sequence is to be turned within its own length.",
            "backwards = reverse_padded(turned_hs, mask)",
            "backwards = turned_hs[::-1]",
        ),
        Mistake(
            "not reversed",
            "Both of your readings begin at the beginning: the second one is never turned.",
            "reverse_padded(xs, mask)",
            "xs",
            also=(
                ("reverse_padded(mask, mask)", "mask"),
                ("reverse_padded(turned_hs, mask)", "turned_hs"),
            ),
        ),
        Mistake(
            "not reversed",
            "You turn the outputs of the second network, and neither its inputs nor its mask: "
            "equation (13.5).",
            "reverse_padded(xs, mask)",
            "xs",
            also=(("reverse_padded(mask, mask)", "mask"),),
        ),
        Mistake(
            "inputs not turned",
            "The mask of your second network is turned, and its inputs are not: equation (13.5).",
            "reverse_padded(xs, mask)",
            "xs",
        ),
        Mistake(
            "mask not turned",
            "You turn the inputs and leave the mask as it was. Where are the gaps of a turned "
            "sequence? Compare (14.13).",
            "reverse_padded(mask, mask)",
            "mask",
        ),
        Mistake(
            "mask not turned",
            "You turn the whole array and leave its mask as it was. Which steps does the mask then "
            "call real? Equation (14.13).",
            "reverse_padded(xs, mask)",
            "xs[::-1]",
            also=(
                ("reverse_padded(mask, mask)", "mask"),
                ("reverse_padded(turned_hs, mask)", "turned_hs[::-1]"),
            ),
        ),
        Mistake(
            "padding comes first",
            "You turn the whole array and its mask, as Chapter 14 does. Then padding comes before "
            "the first real step, and your network takes it for a gap: (A.2).",
            "reverse_padded(xs, mask)",
            "xs[::-1]",
            also=(
                ("reverse_padded(mask, mask)", "mask[::-1]"),
                ("reverse_padded(turned_hs, mask)", "turned_hs[::-1]"),
            ),
        ),
        Mistake(
            "padding comes first",
            "Your second reading fades on the padding before its first real step. It begins at "
            "each sequence's own end with the state that it was given: (A.2).",
            "reverse_padded(xs, mask)",
            "xs[::-1]",
            also=(
                ("reverse_padded(mask, mask)", "mask[::-1]"),
                (
                    "reverse_padded(turned_hs, mask)",
                    "turned_hs[::-1] * (np.cumsum(mask[::-1], axis=0)[::-1] > 0)[..., None]",
                ),
            ),
        ),
        Mistake(
            "padding comes first",
            "You turn whole arrays, so padding comes before the first real step, and your network "
            "takes it for a gap. Only what comes back is turned within its length.",
            "reverse_padded(xs, mask)",
            "xs[::-1]",
            also=(("reverse_padded(mask, mask)", "mask[::-1]"),),
        ),
        Mistake(
            "gap read as a step",
            "Your second reading has no mask: it reads gaps and padding as if they were real.",
            "reverse_padded(mask, mask)",
            "np.ones_like(mask)",
        ),
        Mistake(
            "last output for the last state",
            "At step 1, where it ends, the second reading has read everything; at the last step it "
            "has read one step. Compare (13.13).",
            "(1 - mix) * h_one",
            "(1 - mix) * last_outputs(backwards, mask)",
        ),
        Mistake(
            "padding leaks",
            "The last row of the outputs is the last step of the longest sequence alone: see "
            "(14.10).",
            "mix * h_last",
            "mix * forwards[-1]",
        ),
        Mistake(
            "padding leaks",
            "The last row of the outputs is the last step of the longest sequence alone. And where "
            "does the second reading end? (13.13).",
            "y_whole = mix * h_last + (1 - mix) * h_one",
            "y_whole = ys[-1]",
        ),
        Mistake(
            "last output for the last state",
            "At step 1 the first reading has read one step: it ends at the last real one. Compare "
            "(13.13).",
            "y_whole = mix * h_last + (1 - mix) * h_one",
            "y_whole = ys[0]",
        ),
        Mistake(
            "first state taken for zero",
            "Your first reading does not begin with the state that it was given.",
            "xs, mask, h_first)",
            "xs, mask, 0 * h_first)",
        ),
        Mistake(
            "first state taken for zero",
            "Your second reading does not begin with the state that it was given.",
            "turned_mask, h_end)",
            "turned_mask, 0 * h_end)",
        ),
        Mistake(
            "first states exchanged",
            "Your second reading begins with the first state of the first one.",
            "turned_mask, h_end)",
            "turned_mask, h_first)",
        ),
        Mistake(
            "first state from the other reading",
            "Your second reading begins with the last state of the first one. The two do not see "
            "each other.",
            "turned_mask, h_end)",
            "turned_mask, h_last)",
        ),
        Mistake(
            "one network for both directions",
            "Both of your readings have the parameters of the first one.",
            "params.backwards",
            "params.forwards",
        ),
        Mistake(
            "readings exchanged",
            "Each of your readings has the parameters of the other one.",
            "mix = params.mix",
            "mix = params.mix\n"
            "    params = params._replace(forwards=params.backwards, backwards=params.forwards)",
        ),
        Mistake(
            "one minus the share",
            "The share belongs to the first reading, and you give it to the second: (A.7).",
            "mix = params.mix",
            "mix = 1 - params.mix",
        ),
        Mistake(
            "one minus the share",
            "The share is right at every step and exchanged in the answer to the whole: (A.8).",
            "mix * h_last + (1 - mix) * h_one",
            "(1 - mix) * h_last + mix * h_one",
        ),
        Mistake(
            "one minus the share",
            "The share is right in the answer to the whole and exchanged at every step: (A.7).",
            "mix * forwards + (1 - mix) * backwards",
            "(1 - mix) * forwards + mix * backwards",
        ),
        Mistake(
            "sum for mean",
            "You add up the two readings. Each has its share, and the shares add up to one: (A.7).",
            "ys = mix * forwards + (1 - mix) * backwards",
            "ys = forwards + backwards",
            also=(("mix * h_last + (1 - mix) * h_one", "h_last + h_one"),),
        ),
        Mistake(
            "sum for mean",
            "You add up the two last states. Each has its share, as at every step: (A.8).",
            "mix * h_last + (1 - mix) * h_one",
            "h_last + h_one",
        ),
        Mistake(
            "another mean",
            "Your two readings count the same. Here each unit has a share of its own: (A.7).",
            "mix = params.mix",
            "mix = 0.5",
        ),
        Mistake(
            "share missing",
            "The second reading has a share too: what the first one leaves. See (A.7) and (A.8).",
            "(1 - mix) * backwards",
            "backwards",
            also=(("(1 - mix) * h_one", "h_one"),),
        ),
        Mistake(
            "output missing in a gap",
            "In a gap there is an output too, and what joins the readings is zero there: (A.3), "
            "(A.7).",
            "ys = mix * forwards + (1 - mix) * backwards",
            "ys = np.where(mask[..., None], mix * forwards + (1 - mix) * backwards, 0)",
        ),
        Mistake(
            "one reading missing",
            "The answer to the whole sequence has the last states of both readings: (A.8).",
            "mix * h_last + (1 - mix) * h_one",
            "h_last",
        ),
    ),
    "bidirectional_backward": (
        Mistake(
            "gradient of one direction missing",
            "Each input is read twice, by two networks. Only the first reading's gradient is in "
            "yours: (13.8).",
            "dxs = dxs + reverse_padded(turned_dxs, mask)",
            "dxs = dxs",
        ),
        Mistake(
            "gradient of one direction missing",
            "Each input is read twice, by two networks. Only the second reading's gradient is in "
            "yours: (13.8).",
            "dxs = dxs + reverse_padded(turned_dxs, mask)",
            "dxs = reverse_padded(turned_dxs, mask)",
        ),
        Mistake(
            "gradient not turned",
            "The second network counts its steps from the end. Does the gradient that arrives at "
            "it? See the inner turn of (13.7).",
            "reverse_padded((1 - mix) * dys, mask)",
            "(1 - mix) * dys",
        ),
        Mistake(
            "not turned back",
            "The second reading's gradient of the inputs is in the order in which it read. Turn it "
            "before you add: the outer turn of (13.7).",
            "dxs + reverse_padded(turned_dxs, mask)",
            "dxs + turned_dxs",
        ),
        Mistake(
            "inputs not turned",
            "The gradients of the second network's weights need the inputs in the order in which "
            "it read them.",
            "reverse_padded(xs, mask)",
            "xs",
        ),
        Mistake(
            "states not turned",
            "The states of the second reading are numbered as the sequence is. The way back needs "
            "them in the order in which they were made.",
            "reverse_padded(backwards, mask)",
            "backwards",
        ),
        Mistake(
            "mask not turned",
            "The second network read with a turned mask, and goes back with it: where are the "
            "gaps of a turned sequence? Compare (14.13).",
            "reverse_padded(mask, mask)",
            "mask",
        ),
        Mistake(
            "not reversed",
            "You treat both readings alike. The second one began at the end: equation (13.7).",
            "reverse_padded(xs, mask)",
            "xs",
            also=(
                ("reverse_padded(mask, mask)", "mask"),
                ("reverse_padded(backwards, mask)", "backwards"),
                ("reverse_padded((1 - mix) * dys, mask)", "(1 - mix) * dys"),
                ("reverse_padded(turned_dxs, mask)", "turned_dxs"),
            ),
        ),
        Mistake(
            "padding comes first",
            "You turn the whole arrays and the mask, as Chapter 14 does. Then padding comes before "
            "the first real step, and your network takes it for a gap: (A.2).",
            "reverse_padded(xs, mask)",
            "xs[::-1]",
            also=(
                ("reverse_padded(mask, mask)", "mask[::-1]"),
                ("reverse_padded(backwards, mask)", "backwards[::-1]"),
                ("reverse_padded((1 - mix) * dys, mask)", "((1 - mix) * dys)[::-1]"),
                ("reverse_padded(turned_dxs, mask)", "turned_dxs[::-1]"),
            ),
        ),
        Mistake(
            "mask not turned",
            "You turn whole arrays and leave their mask as it was. Which steps does the mask then "
            "call real? Equation (14.13).",
            "reverse_padded(xs, mask)",
            "xs[::-1]",
            also=(
                ("reverse_padded(mask, mask)", "mask"),
                ("reverse_padded(backwards, mask)", "backwards[::-1]"),
                ("reverse_padded((1 - mix) * dys, mask)", "((1 - mix) * dys)[::-1]"),
                ("reverse_padded(turned_dxs, mask)", "turned_dxs[::-1]"),
            ),
        ),
        Mistake(
            "last output for the last state",
            "For the share, you take the second reading where it had read one step. It ends at "
            "step 1: (A.8) and (13.13).",
            "backwards[0]",
            "last_outputs(backwards, mask)",
        ),
        Mistake(
            "padding leaks",
            "For the share, you take the last row of the array as both last states: (A.8), "
            "(14.10).",
            "last_outputs(forwards, mask), backwards[0]",
            "forwards[-1], backwards[-1]",
        ),
        Mistake(
            "last output for the last state",
            "The gradient of the answer to the whole sequence enters the second reading where that "
            "ended, at step 1: (A.8) and (13.13).",
            "turned_dhs = reverse_padded((1 - mix) * dys, mask)",
            "late = last_outputs_backward((1 - mix) * dy_whole, mask)\n"
            "    turned_dhs = reverse_padded((1 - mix) * dys + late, mask)",
            also=(("dend = (1 - mix) * dy_whole", "dend = 0 * dy_whole"),),
        ),
        Mistake(
            "share missing",
            "What arrives at each reading has the reading's share, at every step and at the end: "
            "(A.7), (A.8).",
            "dhs, dlast = mix * dys, mix * dy_whole",
            "dhs, dlast = dys, dy_whole",
            also=(
                ("reverse_padded((1 - mix) * dys, mask)", "reverse_padded(dys, mask)"),
                ("dend = (1 - mix) * dy_whole", "dend = dy_whole"),
            ),
        ),
        Mistake(
            "share missing",
            "What arrives at each reading at the end has the reading's share, as at every step: "
            "(A.8).",
            "dhs, dlast = mix * dys, mix * dy_whole",
            "dhs, dlast = mix * dys, dy_whole",
            also=(("dend = (1 - mix) * dy_whole", "dend = dy_whole"),),
        ),
        Mistake(
            "share missing",
            "What arrives at the first reading has a share too, at every step and at the end.",
            "dhs, dlast = mix * dys, mix * dy_whole",
            "dhs, dlast = dys, dy_whole",
        ),
        Mistake(
            "share missing",
            "What arrives at the second reading has a share too, at every step and at the end.",
            "reverse_padded((1 - mix) * dys, mask)",
            "reverse_padded(dys, mask)",
            also=(("dend = (1 - mix) * dy_whole", "dend = dy_whole"),),
        ),
        Mistake(
            "share missing",
            "What arrives at the first reading at the end has a share too: (A.8).",
            "dhs, dlast = mix * dys, mix * dy_whole",
            "dhs, dlast = mix * dys, dy_whole",
        ),
        Mistake(
            "share missing",
            "What arrives at the first reading at every step has a share too: (A.7).",
            "dhs, dlast = mix * dys, mix * dy_whole",
            "dhs, dlast = dys, mix * dy_whole",
        ),
        Mistake(
            "share missing",
            "What arrives at the second reading at every step has a share too: (A.7).",
            "reverse_padded((1 - mix) * dys, mask)",
            "reverse_padded(dys, mask)",
        ),
        Mistake(
            "share missing",
            "What arrives at the second reading at the end has a share too: (A.8).",
            "dend = (1 - mix) * dy_whole",
            "dend = dy_whole",
        ),
        Mistake(
            "first state lost on padding",
            "In a short sequence, the row behind its last real step is padding, and zero. Which "
            "state was before the second reading's first step?",
            "turned_mask, h_end",
            "turned_mask, np.where(mask[-1][:, None], h_end, 0)",
        ),
        Mistake(
            "share of the other reading",
            "The second reading has the share of the first one in your answer. What is left for "
            "it? Equation (A.7).",
            "reverse_padded((1 - mix) * dys, mask)",
            "reverse_padded(mix * dys, mask)",
            also=(("dend = (1 - mix) * dy_whole", "dend = mix * dy_whole"),),
        ),
        Mistake(
            "one minus the share",
            "The shares of the two readings are exchanged: (A.7).",
            "mix = params.mix",
            "mix = 1 - params.mix",
        ),
        Mistake(
            "path missing",
            "The share is used at every step and once more at the end. The gradient of the second "
            "use is not in yours: (A.8).",
            "dmix + np.sum(dy_whole * (h_last - h_one), axis=0)",
            "dmix",
        ),
        Mistake(
            "path missing",
            "The share is used at the end and at every step. The gradient of the steps is not in "
            "yours: (A.7).",
            "dmix + np.sum(dy_whole * (h_last - h_one), axis=0)",
            "np.sum(dy_whole * (h_last - h_one), axis=0)",
        ),
        Mistake(
            "turned once too often",
            "For the share, you turn the second reading. It is numbered as the sequence is "
            "already: (A.7).",
            "difference = forwards - backwards",
            "difference = forwards - reverse_padded(backwards, mask)",
        ),
        Mistake(
            "output missing in a gap",
            "For the share, you leave the gaps out. There are outputs in gaps too: (A.7).",
            "difference = forwards - backwards",
            "difference = np.where(mask[..., None], forwards - backwards, 0)",
        ),
        Mistake(
            "path missing",
            "The share is in both terms of (A.7), with two signs. You have one of them.",
            "difference = forwards - backwards",
            "difference = forwards",
            also=(("(h_last - h_one)", "h_last"),),
        ),
        Mistake(
            "sign",
            "The share is in both terms of (A.7), with two signs. You add them up with the same.",
            "difference = forwards - backwards",
            "difference = forwards + backwards",
            also=(("(h_last - h_one)", "(h_last + h_one)"),),
        ),
        Mistake(
            "gradient of the last state ignored",
            "The gradient of the answer to the whole sequence reaches neither reading: (A.8).",
            "dhs, dlast = mix * dys, mix * dy_whole",
            "dhs, dlast = mix * dys, 0 * dy_whole",
            also=(("dend = (1 - mix) * dy_whole", "dend = 0 * dy_whole"),),
        ),
        Mistake(
            "gradient of the last state ignored",
            "The gradient of the answer to the whole sequence does not reach the second reading: "
            "(A.8).",
            "dend = (1 - mix) * dy_whole",
            "dend = 0 * dy_whole",
        ),
        Mistake(
            "first states exchanged",
            "Your second reading goes back to the first state of the first one.",
            "turned_mask, h_end",
            "turned_mask, h_first",
        ),
        Mistake(
            "one network for both directions",
            "Both of your readings go back with the parameters of the first one.",
            "params.backwards",
            "params.forwards",
        ),
        Mistake(
            "states of the other reading",
            "The second reading goes back with the states of the first one.",
            "reverse_padded(backwards, mask)",
            "reverse_padded(forwards, mask)",
        ),
        Mistake(
            "outputs exchanged",
            "The gradients of the two readings are exchanged.",
            "BidirectionalParams(dfirst, dsecond, dmix)",
            "BidirectionalParams(dsecond, dfirst, dmix)",
        ),
    ),
}
