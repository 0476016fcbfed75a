"""The mistakes of assignment 7, edits of the solutions in rnn_course/questions/recurrence.py."""

from rnn_course.judge.mistake import Mistake

__all__ = ["MISTAKES"]

BEFORE = "np.where(new[:, None], start, h)"
STEP = "h = a * before + b"
SPLIT = "keep, turn, n = np.split(z, 3, axis=-1)"
TOTAL = "1 + np.exp(keep) + np.exp(turn)"
CARRY = "dh = (1 - begins[t]) * dbefore[t]"
FRESH_A = "np.where(fresh, later.a, later.a * earlier.a)"
FRESH_B = "np.where(fresh, later.b, later.a * earlier.b + later.b)"

MISTAKES = {
    "recurrence": (
        Mistake(
            "state carried into a new sequence",
            "Your state runs on through every beginning. What is the state before the first step "
            "of a sequence?",
            BEFORE,
            "h",
        ),
        Mistake(
            "flag the wrong way round",
            "You go on from the old state where a sequence begins, and begin where it goes on.",
            BEFORE,
            "np.where(new[:, None], h, start)",
        ),
        Mistake(
            "start taken for zero",
            "A new sequence begins at zero in yours. It should begin at the learned first state.",
            BEFORE,
            "np.where(new[:, None], 0, h)",
        ),
        Mistake(
            "first state of the row at a beginning",
            "Where a sequence begins, yours goes back to the state before the row. It should begin "
            "at the learned first state.",
            "hs = []",
            "hs, start = [], h",
        ),
        Mistake(
            "flag one step late",
            "Your sequences begin a step too late: the step with the flag is already the first "
            "one.",
            "zip(*steps)",
            "zip(np.concatenate([0 * steps.new[:1], steps.new[:-1]]), *steps[1:])",
        ),
        Mistake(
            "flag one step early",
            "Your sequences begin a step too early: the first step is the one with the flag, and "
            "not the step before it.",
            "zip(*steps)",
            "zip(np.concatenate([steps.new[1:], 0 * steps.new[:1]]), *steps[1:])",
        ),
        Mistake(
            "beginning at the first step ignored",
            "A sequence may begin at the first step of a row, and in yours the row goes on there.",
            "zip(*steps)",
            "zip(np.concatenate([0 * steps.new[:1], steps.new[1:]]), *steps[1:])",
        ),
        Mistake(
            "first step not taken",
            "Where a sequence begins, you return the first state itself. It is the state before "
            "the step, and the step is still to be taken.",
            f"before = {BEFORE}",
            "before = h",
            also=((STEP, "h = np.where(new[:, None], start, a * before + b)"),),
        ),
        Mistake(
            "first step not taken",
            "Where a sequence begins, you return the first state with the term added to it. The "
            "factor of the step is missing.",
            f"before = {BEFORE}",
            "before = h",
            also=((STEP, "h = np.where(new[:, None], start, a * before) + b"),),
        ),
        Mistake(
            "old state kept at a beginning",
            "Where a sequence begins, the first state is added to the old one. It takes its place.",
            BEFORE,
            "h + new[:, None] * start",
        ),
        Mistake(
            "term lost at a beginning",
            "The first step of a sequence has a term as every other step, and yours has none.",
            STEP,
            "h = a * before + (1 - new[:, None]) * b",
        ),
        Mistake(
            "bracket in the wrong place",
            "The factor of a step is that of the state alone, and yours is on the term too.",
            STEP,
            "h = a * (before + b)",
        ),
        Mistake(
            "the term of minGRU",
            "The term of this recurrence is already what is added. You scale it by what the factor "
            "leaves, as in (23.10).",
            STEP,
            "h = a * before + (1 - a) * b",
        ),
        Mistake(
            "factor and term exchanged",
            "You multiply by the term and add the factor.",
            STEP,
            "h = b * before + a",
        ),
        Mistake(
            "sum for product",
            "The factor is added to the state in yours.",
            STEP,
            "h = a + before + b",
        ),
        Mistake(
            "last term left out",
            "Your step has no term: nothing is ever added to the state.",
            STEP,
            "h = a * before + 0 * b",
        ),
        Mistake(
            "activation on the state",
            "There is no activation in this step: the new state is the sum itself.",
            STEP,
            "h = np.tanh(a * before + b)",
        ),
        Mistake(
            "old state for the new one",
            "What you store is the state before the step, not the one after it.",
            "hs.append(h)",
            "hs.append(before)",
        ),
        Mistake(
            "carry lost between steps",
            "Every step begins from the same state as the first. What does a step get from the one "
            "before it?",
            f"{STEP}\n        hs.append(h)",
            "hs.append(a * before + b)",
        ),
        Mistake(
            "first state taken for zero",
            "A row that goes on begins at zero in yours, and not at the state that you are given.",
            "hs = []",
            "hs, h = [], 0 * h",
        ),
        Mistake(
            "new sequence in every row",
            "A row that goes on begins anew in yours, and not at the state that you are given.",
            "hs = []",
            "hs, h = [], np.broadcast_to(start, h.shape)",
        ),
        Mistake(
            "one sequence for all",
            "If a sequence begins in one row, all rows of yours begin anew.",
            BEFORE,
            "np.where(new.any(), start, h)",
        ),
    ),
    "recurrence_backward": (
        Mistake(
            "gradient crosses a beginning",
            "Your gradient runs back through beginnings, into sequences that have nothing to do "
            "with it. Which state did the first step of a sequence use?",
            CARRY,
            "dh = dbefore[t]",
        ),
        Mistake(
            "gradient crosses a beginning",
            "Your gradient runs back through beginnings inside a row, into sequences that have "
            "nothing to do with it. It is cut only at the first step of the row.",
            CARRY,
            "dh = dbefore[t] if t else (1 - begins[t]) * dbefore[t]",
        ),
        Mistake(
            "gradient crosses a beginning",
            "Your gradient of the state before the row has a share of rows whose first step begins "
            "anew.",
            "G, dstart, dh",
            "G, dstart, dbefore[0]",
        ),
        Mistake(
            "flag one step early",
            "The gradient is cut one step too early: it still belongs to the first step of its "
            "sequence, and the flag of a step is about the state before it.",
            "G[t] = dhs[t] + dh",
            "G[t] = dhs[t] + (1 - begins[t]) * dh",
            also=((CARRY, "dh = dbefore[t] if t else (1 - begins[t]) * dbefore[t]"),),
        ),
        Mistake(
            "flag one step early",
            "The gradient is cut one step too early, and at the first step not at all: the flag of "
            "a step is about the state before it.",
            "G[t] = dhs[t] + dh",
            "G[t] = dhs[t] + (1 - begins[t]) * dh",
            also=((CARRY, "dh = dbefore[t]"),),
        ),
        Mistake(
            "flag the wrong way round",
            "Your gradient goes on where a sequence begins, and is cut where it goes on.",
            CARRY,
            "dh = begins[t] * dbefore[t]",
        ),
        Mistake(
            "flag the wrong way round",
            "The state before a step is the first state where a sequence begins, and in yours "
            "where it goes on.",
            "np.where(begins, start, previous)",
            "np.where(begins, previous, start)",
        ),
        Mistake(
            "off by one step",
            "What comes back through a step has the factor of this step, and yours has that of the "
            "step before it: (23.3).",
            "a[t] * G[t]",
            "a[t - 1] * G[t]",
        ),
        Mistake(
            "off by one step",
            "What comes back through a step has the factor of this step, and yours has that of the "
            "step after it: (23.3).",
            "a[t] * G[t]",
            "a[min(t + 1, len(a) - 1)] * G[t]",
        ),
        Mistake(
            "state after the step for the one before",
            "The factor of a step was multiplied by the state before it: (23.4).",
            "G * before, G",
            "G * hs, G",
        ),
        Mistake(
            "old state at a beginning",
            "The factor of a first step was multiplied by the first state, and not by what is "
            "before it in the row.",
            "G * before, G",
            "G * previous, G",
        ),
        Mistake(
            "start left out",
            "The factor of a first step has a gradient too: it was multiplied by the first state.",
            "G * before, G",
            "G * (1 - begins) * previous, G",
        ),
        Mistake(
            "last state for the first",
            "Before the first step of a row that goes on, yours has the last state of the row: an "
            "index below zero, or a roll, counts from the end.",
            "[h[None], hs[:-1]]",
            "[hs[-1:], hs[:-1]]",
        ),
        Mistake(
            "own factor in the gradient",
            "Your gradient of the first state has the first state in it. The slope of a product "
            "with respect to one factor has the other factor in it.",
            "(begins * dbefore).sum",
            "(begins * dbefore * start).sum",
        ),
        Mistake(
            "own factor in the gradient",
            "Your gradient of the factor has the factor in it. The slope of a product with respect "
            "to one factor has the other factor in it.",
            "G * before, G",
            "a * G * before, G",
        ),
        Mistake(
            "term for the state",
            "The factor of a step was multiplied by a state, and not by the term.",
            "G * before, G",
            "G * steps.b, G",
        ),
        Mistake(
            "path missing",
            "A state is given out, and it is used by the next step. Your gradient of the factor "
            "has the first path alone: (23.3).",
            "G * before, G",
            "dhs * before, G",
        ),
        Mistake(
            "path missing",
            "A state is given out, and it is used by the next step. Your gradient of the term has "
            "the first path alone: (23.3).",
            "before, G,",
            "before, dhs,",
        ),
        Mistake(
            "path missing",
            "A state is given out, and it is used by the next step. Your gradients have the first "
            "path alone: (23.3).",
            "G[t] = dhs[t] + dh",
            "G[t] = dhs[t]",
        ),
        Mistake(
            "carry lost between steps",
            "Your gradient comes back by one step and no further: what is passed on is the whole "
            "gradient of a state, (23.3).",
            "a[t] * G[t]",
            "a[t] * dhs[t]",
        ),
        Mistake(
            "gradients of the outputs ignored",
            "A gradient arrives at every state, and yours takes that of the last one alone.",
            "G[t] = dhs[t] + dh",
            "G[t] = dhs[t] * (t == len(dhs) - 1) + dh",
        ),
        Mistake(
            "first step left out",
            "The first step has the gradient from outside alone in yours. Something comes back to "
            "it too: (23.3).",
            "G[t] = dhs[t] + dh",
            "G[t] = dhs[t] + (t > 0) * dh",
        ),
        Mistake(
            "last step left out",
            "The gradient that arrives at the last state from outside is missing in yours.",
            "G[t] = dhs[t] + dh",
            "G[t] = dhs[t] * (t < len(dhs) - 1) + dh",
        ),
        Mistake(
            "loop runs forward",
            "Your loop goes from the first step to the last. Which step knows its whole gradient "
            "first?",
            "reversed(range(len(dhs)))",
            "range(len(dhs))",
        ),
        Mistake(
            "factor missing",
            "What comes back through a step has its factor: (23.3).",
            "a[t] * G[t]",
            "G[t]",
        ),
        Mistake(
            "factor missing",
            "The first state was multiplied by the factor of the first step, forward and so also "
            "backward: (23.5).",
            "(begins * dbefore).sum",
            "(begins * G).sum",
        ),
        Mistake(
            "factor missing",
            "The state before the row was multiplied by the factor of the first step: (23.5).",
            "G, dstart, dh",
            "G, dstart, (1 - begins[0]) * G[0]",
        ),
        Mistake(
            "start counted at every step",
            "Your gradient of the first state has a share of every step, and it is used where a "
            "sequence begins.",
            "(begins * dbefore)",
            "dbefore",
        ),
        Mistake(
            "first beginning alone",
            "Your gradient of the first state has the beginnings at the first step of the rows. "
            "There are others.",
            "(begins * dbefore).sum(axis=(0, 1))",
            "(begins * dbefore)[0].sum(axis=0)",
        ),
        Mistake(
            "start used by rows that go on",
            "The state before the row is not the learned first state: its gradient is another one.",
            "(begins * dbefore).sum(axis=(0, 1))",
            "(begins * dbefore).sum(axis=(0, 1)) + dh.sum(axis=0)",
        ),
        Mistake(
            "first state taken for zero",
            "For the first step of a row that goes on, your state before it is zero.",
            "[h[None], hs[:-1]]",
            "[0 * h[None], hs[:-1]]",
        ),
        Mistake(
            "new sequence in every row",
            "For the first step of a row that goes on, your state before it is the learned first "
            "state.",
            "[h[None], hs[:-1]]",
            "[np.broadcast_to(start, h.shape)[None], hs[:-1]]",
        ),
    ),
    "join": (
        Mistake(
            "state carried into a new sequence",
            "Yours is (23.7), without flags. What is left of the earlier piece if a sequence "
            "begins in the later one?",
            FRESH_A,
            "later.a * earlier.a",
            also=((FRESH_B, "later.a * earlier.b + later.b"),),
        ),
        Mistake(
            "state carried into a new sequence",
            "Look at the factor of a joined piece whose later part has a beginning.",
            FRESH_A,
            "later.a * earlier.a",
        ),
        Mistake(
            "state carried into a new sequence",
            "Look at the term of a joined piece whose later part has a beginning.",
            FRESH_B,
            "later.a * earlier.b + later.b",
        ),
        Mistake(
            "flag of the other piece",
            "A beginning in the earlier piece does not change how the later one is joined to it. "
            "Which flag does?",
            "fresh = later.new",
            "fresh = earlier.new",
        ),
        Mistake(
            "flag of the other piece",
            "You ask whether there is a beginning in either piece, and one in the earlier piece "
            "does not change how the later one is joined to it.",
            "    fresh = later.new[..., None]\n    new = np.maximum(earlier.new, later.new)",
            "    new = np.maximum(earlier.new, later.new)\n    fresh = new[..., None]",
        ),
        Mistake(
            "flag the wrong way round",
            "You drop the earlier piece where the sequence goes on, and keep it where one begins.",
            FRESH_A,
            "np.where(fresh, later.a * earlier.a, later.a)",
            also=((FRESH_B, "np.where(fresh, later.a * earlier.b + later.b, later.b)"),),
        ),
        Mistake(
            "beginning forgotten",
            "If a sequence begins in the earlier piece, the joined one has a beginning too, and "
            "your flag does not say so.",
            "np.maximum(earlier.new, later.new)",
            "1 * later.new",
        ),
        Mistake(
            "beginning forgotten",
            "If a sequence begins in the later piece, the joined one has a beginning too, and your "
            "flag does not say so.",
            "np.maximum(earlier.new, later.new)",
            "1 * earlier.new",
        ),
        Mistake(
            "beginning forgotten",
            "One beginning is enough: your flag asks for one in both pieces.",
            "np.maximum(earlier.new, later.new)",
            "earlier.new * later.new",
        ),
        Mistake(
            "beginnings counted",
            "Your flag counts beginnings. It should say whether there is one.",
            "np.maximum(earlier.new, later.new)",
            "earlier.new + later.new",
        ),
        Mistake(
            "beginnings counted",
            "If there is a beginning in each piece, your flag says that there is none. It should "
            "say that there is one.",
            "np.maximum(earlier.new, later.new)",
            "np.abs(earlier.new - later.new)",
        ),
        Mistake(
            "flag of the other piece",
            "A beginning in the earlier piece changes your factor, and should not: the later piece "
            "goes on from what it made.",
            FRESH_A,
            "np.where(new[..., None], later.a, later.a * earlier.a)",
        ),
        Mistake(
            "flag of the other piece",
            "A beginning in the earlier piece changes your term, and should not: the later piece "
            "goes on from what it made.",
            FRESH_B,
            "np.where(new[..., None], later.b, later.a * earlier.b + later.b)",
        ),
        Mistake(
            "factor of the other piece",
            "The earlier term goes through the later piece, and yours has the factor of its own: "
            "(23.7).",
            "later.a * earlier.b",
            "earlier.a * earlier.b",
        ),
        Mistake(
            "earlier piece kept at a beginning",
            "If a sequence begins in the later piece, one of the two pieces stays as it is. Yours "
            "is the other one.",
            "np.where(fresh, later.a,",
            "np.where(fresh, earlier.a,",
            also=(("np.where(fresh, later.b,", "np.where(fresh, earlier.b,"),),
        ),
        Mistake(
            "earlier term lost",
            "Your term is that of the later piece, whatever was before it: (23.7) has two terms.",
            FRESH_B,
            "1 * later.b",
        ),
        Mistake(
            "pieces exchanged",
            "The order of time is the wrong way round in your term: whose factor carries whose "
            "term, (23.7)?",
            "later.a * earlier.b + later.b",
            "earlier.a * later.b + earlier.b",
        ),
        Mistake(
            "pieces exchanged",
            "You take the later piece first: (23.7) has the factor of the later one on the term of "
            "the earlier one.",
            "fresh = later.new",
            "earlier, later = later, earlier\n    fresh = later.new",
        ),
        Mistake(
            "carried by the joined factor",
            "The earlier term is carried by the factor of the later piece alone, and yours by that "
            "of both: below (23.7).",
            "later.a * earlier.b",
            "a * earlier.b",
        ),
        Mistake(
            "factor missing",
            "The earlier term goes through the later piece, and so has its factor: (23.7).",
            "later.a * earlier.b",
            "earlier.b",
        ),
        Mistake(
            "factor missing",
            "Where no sequence begins, your joined factor is that of the earlier piece alone: "
            "(23.7).",
            "later.a * earlier.a",
            "earlier.a",
        ),
        Mistake(
            "bracket in the wrong place",
            "The later factor is on both terms in yours. The later term is added after it: (23.7).",
            "later.a * earlier.b + later.b",
            "later.a * (earlier.b + later.b)",
        ),
        Mistake(
            "sum for product",
            "Factors one after the other are multiplied, and yours are added: (23.7).",
            "later.a * earlier.a",
            "later.a + earlier.a",
        ),
        Mistake(
            "last term left out",
            "The term of the later piece is missing where no sequence begins: (23.7).",
            "later.a * earlier.b + later.b",
            "later.a * earlier.b",
        ),
        Mistake(
            "factor zero at a beginning",
            "A piece with a beginning does not use what was before it. But its factor still "
            "multiplies a state: which one?",
            "np.where(fresh, later.a,",
            "np.where(fresh, 0,",
        ),
        Mistake(
            "factor one at a beginning",
            "A piece with a beginning has a factor too: the first state goes through the step.",
            "np.where(fresh, later.a,",
            "np.where(fresh, 1,",
        ),
        Mistake(
            "term lost at a beginning",
            "The first step of a sequence has a term as every other step, and yours is lost.",
            "np.where(fresh, later.b,",
            "np.where(fresh, 0,",
        ),
    ),
    "scan": (
        Mistake(
            "distance not doubled",
            "Your distance grows by one from level to level. How many steps are joined in a piece "
            "after two levels?",
            "2 * distance",
            "distance + 1",
        ),
        Mistake(
            "distance not doubled",
            "Your distance grows faster than the number of joined steps: some steps are left out.",
            "2 * distance",
            "3 * distance",
        ),
        Mistake(
            "one level only",
            "After your only level, each piece is two steps joined. How many levels are needed "
            "until it is all of them?",
            "while distance",
            "if distance",
        ),
        Mistake(
            "last level missing",
            "Your last level is missing: late steps are not yet joined with the first ones.",
            "while distance",
            "while 2 * distance",
        ),
        Mistake(
            "first level missing",
            "Your first level joins steps that are two apart, and the ones between are left out.",
            "so_far, distance = steps, 1",
            "so_far, distance = steps, 2",
        ),
        Mistake(
            "single steps in every level",
            "Your later piece is the single step in every level, and what it has been joined with "
            "is lost.",
            "array[distance:] for array in so_far",
            "array[distance:] for array in steps",
        ),
        Mistake(
            "single steps in every level",
            "Your earlier piece is a single step in every level. It should have all the steps "
            "that it has been joined with.",
            "array[:-distance] for array in so_far",
            "array[:-distance] for array in steps",
        ),
        Mistake(
            "single steps in every level",
            "The first pieces, which have no partner at this distance, are single steps again in "
            "yours.",
            "array[:distance] for array in so_far",
            "array[:distance] for array in steps",
        ),
        Mistake(
            "off by one step",
            "Yours joins all steps before each step, and leaves out the step itself.",
            "return so_far",
            "new, a, b = so_far\n"
            "    nothing = 0 * new[:1], 1 + 0 * a[:1], 0 * b[:1]\n"
            "    return Piece(*(np.concatenate([x, y[:-1]]) for x, y in zip(nothing, so_far)))",
        ),
        Mistake(
            "beginning forgotten",
            "Factors and terms are right, and your flags are those of the single steps.",
            "return so_far",
            "return Piece(steps.new, so_far.a, so_far.b)",
        ),
        Mistake(
            "time runs backwards",
            "Yours joins each step with all that come after it, in the order of time.",
            "so_far, distance = steps, 1",
            "flipped = Piece(*(array[::-1] for array in steps))\n    so_far, distance = flipped, 1",
            also=(
                ("join(earlier, later)", "join(later, earlier)"),
                ("return so_far", "return Piece(*(array[::-1] for array in so_far))"),
            ),
        ),
    ),
    "in_blocks": (
        Mistake(
            "carry lost between steps",
            "Every block begins from the state that you are given. Which state has it after the "
            "block before it?",
            "h = states[-1]",
            "h = 1 * h",
        ),
        Mistake(
            "carry lost between steps",
            "After the first block, yours begin from zero. Which state is carried over, (23.8)?",
            "h = states[-1]",
            "h = 0 * h",
        ),
        Mistake(
            "carry lost between steps",
            "Your states are the terms alone: those of blocks that begin from zero, (23.8).",
            "so_far.a * before + so_far.b",
            "so_far.b + 0 * before",
        ),
        Mistake(
            "new sequence in every block",
            "A new block is not a new sequence: it goes on from the last state of the block "
            "before it.",
            "h = states[-1]",
            "h = np.broadcast_to(start, h.shape)",
        ),
        Mistake(
            "factor of the whole block",
            "The state carried over has the factor of the whole block at each of its steps in "
            "yours. In (23.8) it is the product up to the step.",
            "so_far.a * before",
            "so_far.a[-1] * before",
        ),
        Mistake(
            "state carried into a new sequence",
            "The state that is carried over goes through beginnings in yours. Where does it end?",
            "np.where(so_far.new[:, :, None], start, h)",
            "h + 0 * start",
        ),
        Mistake(
            "flag of the step alone",
            "You ask whether a sequence begins at the step itself. One that began earlier in the "
            "block has forgotten the carried state as well.",
            "so_far.new[:, :, None]",
            "block.new[:, :, None]",
        ),
        Mistake(
            "flag of the step alone",
            "You ask whether a sequence begins at the first step of the block. One may also begin "
            "later in it.",
            "so_far.new[:, :, None]",
            "block.new[0][:, None]",
        ),
        Mistake(
            "state carried into a new sequence",
            "The states in your blocks are right, and what you carry over is not: the whole of a "
            "block has a flag too.",
            "h = states[-1]",
            "h = so_far.a[-1] * h + so_far.b[-1]",
        ),
        Mistake(
            "flag of the whole block",
            "You ask whether a sequence begins anywhere in the block. The steps before it still go "
            "on from the carried state.",
            "so_far.new[:, :, None]",
            "so_far.new[-1][:, None]",
        ),
        Mistake(
            "start taken for zero",
            "After a beginning, yours goes on from zero, and not from the first state.",
            "np.where(so_far.new[:, :, None], start, h)",
            "np.where(so_far.new[:, :, None], 0, h)",
        ),
        Mistake(
            "flag the wrong way round",
            "The carried state is used where a sequence has begun, and the first state elsewhere.",
            "np.where(so_far.new[:, :, None], start, h)",
            "np.where(so_far.new[:, :, None], h, start)",
        ),
        Mistake(
            "single steps in the block",
            "The factor on the carried state is that of the single step: (23.8) has a product.",
            "so_far.a * before",
            "block.a * before",
        ),
        Mistake(
            "single steps in the block",
            "The term is that of the single step, and not that of all up to it: (23.8).",
            "before + so_far.b",
            "before + block.b",
        ),
        Mistake(
            "first step for the last",
            "The state that you carry over is the first one of the block, and not the last.",
            "h = states[-1]",
            "h = states[0]",
        ),
        Mistake(
            "first step for the last",
            "The whole of a block is what its last step is joined to, and yours is its first step.",
            "[array[-1] for array in so_far]",
            "[array[0] for array in so_far]",
        ),
        Mistake(
            "last step for the whole",
            "The whole of your block is its last step alone.",
            "[array[-1] for array in so_far]",
            "[array[-1] for array in block]",
        ),
        Mistake(
            "beginning forgotten",
            "The flag of your block is that of its last step. A beginning anywhere counts.",
            "[array[-1] for array in so_far]",
            "[block.new[-1], so_far.a[-1], so_far.b[-1]]",
        ),
        Mistake(
            "state carried into a new sequence",
            "The factor of your block is the product of all its factors. What is left of those "
            "before a beginning?",
            "[array[-1] for array in so_far]",
            "[so_far.new[-1], block.a.prod(axis=0), so_far.b[-1]]",
        ),
        Mistake(
            "joined from the first step of the row",
            "The whole of your block has all earlier blocks in it. It should be of its own steps.",
            "Piece(*map(np.stack, zip(*wholes)))",
            "Piece(*(array[ends - 1] for array in scan(steps)))",
        ),
        Mistake(
            "blocks of equal size",
            "Your blocks are of equal size, but for the last one. You are given their sizes.",
            "ends = np.cumsum(sizes)",
            "N, T = len(sizes), len(steps.new)\n"
            "    sizes = [T // N] * (N - 1) + [T - T // N * (N - 1)]\n"
            "    ends = np.cumsum(sizes)",
        ),
        Mistake(
            "old state for the new one",
            "Your states are those before the steps of a block. Those after them are asked for.",
            "hs.append(states)",
            "hs.append(np.concatenate([h_old[None], states[:-1]]))",
            also=(("h = states[-1]", "h_old, h = h, states[-1]"),),
        ),
        Mistake(
            "state put into the first term",
            "You put the state into the first term of a block and scan that. A beginning further "
            "on needs the first state, and the whole of a block must not depend on a state.",
            "so_far = scan(block)",
            "first = block.a[0] * np.where(block.new[0][:, None], start, h) + block.b[0]\n"
            "        block = block._replace(b=np.concatenate([first[None], block.b[1:]]))\n"
            "        so_far = scan(block)",
            also=(("so_far.a * before + so_far.b", "so_far.b + 0 * before"),),
        ),
        Mistake(
            "state for the term",
            "The term of your block is its last state. The block is joined without knowing any "
            "state.",
            "[array[-1] for array in so_far]",
            "[so_far.new[-1], so_far.a[-1], states[-1]]",
        ),
    ),
    "coefficients": (
        Mistake(
            "write missing from the sum",
            "Your shares of keep and turn add up to one, and nothing is left to write with. There "
            "are three of them.",
            TOTAL,
            "np.exp(keep) + np.exp(turn)",
        ),
        Mistake(
            "write missing from the sum",
            "In your factor the shares of keep and turn add up to one. There are three of them.",
            "(np.exp(keep) - np.exp(turn)) / total",
            "(np.exp(keep) - np.exp(turn)) / (total - 1)",
        ),
        Mistake(
            "turn without its sign",
            "What turns the state around comes with a minus sign, and yours adds to what keeps it.",
            "np.exp(keep) - np.exp(turn)",
            "np.exp(keep) + np.exp(turn)",
        ),
        Mistake(
            "turn left out",
            "Your factor is the share that keeps, and is never negative.",
            "np.exp(keep) - np.exp(turn)",
            "np.exp(keep)",
        ),
        Mistake(
            "gates in another order",
            "Your first block turns and your second one keeps.",
            SPLIT,
            "turn, keep, n = np.split(z, 3, axis=-1)",
        ),
        Mistake(
            "gates in another order",
            "You take the candidate from the first block. It is the last one.",
            SPLIT,
            "n, keep, turn = np.split(z, 3, axis=-1)",
        ),
        Mistake(
            "gates in another order",
            "You take the candidate from the second block. It is the last one.",
            SPLIT,
            "keep, n, turn = np.split(z, 3, axis=-1)",
        ),
        Mistake(
            "gates in another order",
            "Your blocks are in the opposite order.",
            SPLIT,
            "n, turn, keep = np.split(z, 3, axis=-1)",
        ),
        Mistake(
            "gates in another order",
            "Your blocks are moved by one: the first one keeps.",
            SPLIT,
            "turn, n, keep = np.split(z, 3, axis=-1)",
        ),
        Mistake(
            "gates interleaved",
            "In yours the three numbers of a unit are next to each other. They are in three "
            "blocks.",
            SPLIT,
            "keep, turn, n = np.moveaxis(z.reshape(*z.shape[:-1], -1, 3), -1, 0)",
        ),
        Mistake(
            "each gate alone",
            "Your shares are sigmoids, each by itself. They share one sum.",
            "(np.exp(keep) - np.exp(turn)) / total",
            "1 / (1 + np.exp(-keep)) - 1 / (1 + np.exp(-turn))",
        ),
        Mistake(
            "not normalised",
            "Your factor is made of exponentials that nothing is divided by.",
            "(np.exp(keep) - np.exp(turn)) / total",
            "np.exp(keep) - np.exp(turn)",
        ),
        Mistake(
            "share missing",
            "Your candidate is written whole. Which share of the three is its own?",
            "n / total",
            "n",
        ),
        Mistake(
            "the term of minGRU",
            "Your candidate gets what the factor leaves, as in (23.10). Here keep and turn both "
            "take a share, and so the rest is another one.",
            "n / total",
            "(1 - a) * n",
        ),
        Mistake(
            "the term of minGRU",
            "Your candidate gets what the size of the factor leaves. Keep and turn can both be "
            "large, and then their difference is small.",
            "n / total",
            "(1 - np.abs(a)) * n",
        ),
        Mistake(
            "share of another",
            "Your candidate gets what the share that keeps leaves. The share that turns takes "
            "something too.",
            "n / total",
            "n * (1 - np.exp(keep) / total)",
        ),
        Mistake(
            "share of another",
            "Your candidate gets the shares of the two others.",
            "n / total",
            "n * (1 - 1 / total)",
        ),
        Mistake(
            "share of another",
            "Your candidate gets the share that keeps.",
            "n / total",
            "n * np.exp(keep) / total",
        ),
        Mistake(
            "activation on the candidate",
            "The candidate has no activation here.",
            "n / total",
            "np.tanh(n) / total",
        ),
        Mistake(
            "another activation",
            "Your factor is a tanh of the difference. Which three shares make it here?",
            "(np.exp(keep) - np.exp(turn)) / total",
            "np.tanh(keep - turn)",
        ),
    ),
    "coefficients_backward": (
        Mistake(
            "coupling missing",
            "A score is in the sum of all three shares, and not in its own alone: (21.6) has two "
            "terms.",
            "p * (da - shared)",
            "p * da",
            also=(("q * (-da - shared)", "-q * da"),),
        ),
        Mistake(
            "coupling missing",
            "Your turn is right. The score of keep is in the sum of all three shares too: (21.6) "
            "has two terms.",
            "p * (da - shared)",
            "p * da",
        ),
        Mistake(
            "coupling missing",
            "Your keep is right. The score of turn is in the sum of all three shares too: (21.6) "
            "has two terms.",
            "q * (-da - shared)",
            "-q * da",
        ),
        Mistake(
            "diagonal of the Jacobian alone",
            "You take the slope of each share by its own score. What does the score of keep do to "
            "the share of turn? See (21.6).",
            "p * (da - shared)",
            "p * (1 - p) * da",
            also=(("q * (-da - shared)", "-q * (1 - q) * da"),),
        ),
        Mistake(
            "diagonal of the Jacobian alone",
            "You take the slope of each share by its own score, with what is left for writing. "
            "What does the score of keep do to the share of turn? See (21.6).",
            "p * (da - shared)",
            "p * (1 - p) * (da - n * db)",
            also=(("q * (-da - shared)", "-q * (1 - q) * (da + n * db)"),),
        ),
        Mistake(
            "path missing",
            "The share that writes has a gradient too, from the term. It is not in your sum.",
            "(p - q) * da + w * n * db",
            "(p - q) * da",
        ),
        Mistake(
            "path missing",
            "The shares of keep and turn have gradients, from the factor. They are not in your "
            "sum.",
            "(p - q) * da + w * n * db",
            "w * n * db",
        ),
        Mistake(
            "path missing",
            "Your keep is right. The score of turn is also in the factor, by itself and not only "
            "through the sum.",
            "q * (-da - shared)",
            "-q * shared",
        ),
        Mistake(
            "path missing",
            "Your turn is right. The score of keep is also in the factor, by itself and not only "
            "through the sum.",
            "p * (da - shared)",
            "-p * shared",
        ),
        Mistake(
            "turn without its sign",
            "In your sum, turn adds to the factor. Which sign has it there?",
            "(p - q) * da",
            "(p + q) * da",
        ),
        Mistake(
            "turn without its sign",
            "Turn is subtracted in the factor, and so a gradient comes back to it with a minus.",
            "q * (-da - shared)",
            "q * (da - shared)",
        ),
        Mistake(
            "turn without its sign",
            "The minus of turn is that of the factor. What arrives through the sum has another "
            "sign in yours.",
            "q * (-da - shared)",
            "-q * (da - shared)",
        ),
        Mistake(
            "share missing",
            "The candidate was multiplied by the share that writes, and so is its gradient.",
            "w * db]",
            "db]",
        ),
        Mistake(
            "own factor in the gradient",
            "Your gradient of the candidate has the candidate in it.",
            "w * db]",
            "w * n * db]",
        ),
        Mistake(
            "the term of minGRU",
            "Your candidate had what the factor leaves, as in (23.10). Here the share that writes "
            "is the third one.",
            "w * db]",
            "(1 - p + q) * db]",
        ),
        Mistake(
            "weight missing as a factor",
            "Your brackets are right, but each must be multiplied by a share.",
            "p * (da - shared)",
            "da - shared",
            also=(("q * (-da - shared)", "-da - shared"),),
        ),
        Mistake(
            "bracket in the wrong place",
            "What arrives through the sum has a share in front of it too: (21.7).",
            "p * (da - shared)",
            "p * da - shared",
            also=(("q * (-da - shared)", "-q * da - shared"),),
        ),
        Mistake(
            "factor missing",
            "In the term, the share that writes is multiplied by the candidate. Your sum has no "
            "candidate in it.",
            "w * n * db",
            "w * db",
        ),
        Mistake(
            "factor missing",
            "In your sum, the gradient of the share that writes has no share in front of it.",
            "w * n * db",
            "n * db",
        ),
        Mistake(
            "weight squared",
            "In your sum, the gradient of the share that writes has this share in front of it "
            "twice.",
            "w * n * db",
            "w**2 * n * db",
        ),
        Mistake(
            "sign",
            "The gradient of the share that writes is subtracted in your sum, and it is added.",
            "+ w * n * db",
            "- w * n * db",
        ),
        Mistake(
            "sign",
            "What arrives through the sum is added in yours. A score that grows takes from all "
            "others.",
            "p * (da - shared)",
            "p * (da + shared)",
            also=(("q * (-da - shared)", "q * (-da + shared)"),),
        ),
        Mistake(
            "write missing from the sum",
            "Your shares of keep and turn add up to one. There are three of them.",
            TOTAL,
            "np.exp(keep) + np.exp(turn)",
        ),
        Mistake(
            "derivative of another activation",
            "That is the slope of a tanh. Keep and turn are shares of a sum of three.",
            "p * (da - shared)",
            "(1 - (p - q) ** 2) * da",
            also=(("q * (-da - shared)", "-(1 - (p - q) ** 2) * da"),),
        ),
        Mistake(
            "gates interleaved",
            "You take the three numbers of a unit as neighbours. They are in three blocks.",
            SPLIT,
            "keep, turn, n = np.moveaxis(z.reshape(*z.shape[:-1], -1, 3), -1, 0)",
        ),
        Mistake(
            "gates in another order",
            "Your first block turns and your second one keeps.",
            SPLIT,
            "turn, keep, n = np.split(z, 3, axis=-1)",
        ),
        Mistake(
            "gates in another order",
            "You read the candidate from the first block, and it is the last one.",
            SPLIT,
            "n, keep, turn = np.split(z, 3, axis=-1)",
        ),
    ),
}
