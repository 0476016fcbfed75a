"""The mistakes of assignment 6, each an edit of a solution in rnn_course/questions/attention.py."""

from rnn_course.judge.mistake import Mistake

__all__ = ["MISTAKES"]

MASKED = "np.where(mask.T, e, -np.inf)"
DISTANCE = "np.arange(len(m)) - np.arange(len(q))[:, None]"
OTHER_WAY = "np.arange(len(q))[:, None] - np.arange(len(m))"
INDEX = "np.clip(d, -R, R) + R"
ADDED = "np.add.at(dplace, np.clip(d, -R, R) + R, de.sum(axis=1))"

MISTAKES = {
    "look": (
        Mistake(
            "nothing missing",
            "Your weights add up to one, as in (21.2). Here the sum has one more term: that of "
            "nothing.",
            "(nothing + u.sum(axis=-1, keepdims=True))",
            "u.sum(axis=-1, keepdims=True)",
        ),
        Mistake(
            "nothing not shifted",
            "The largest score is subtracted from the scores of the letters, and that of nothing, "
            "which is zero, stays as it is. Numerator and sum need one common factor.",
            "np.exp(-largest)",
            "np.ones_like(largest)",
        ),
        Mistake(
            "nothing shifted the other way",
            "What is subtracted from the score of a letter is added to the score of nothing in "
            "your sum: what is zero minus the largest score?",
            "np.exp(-largest)",
            "np.exp(np.minimum(largest, 700))",
        ),
        Mistake(
            "nothing counted for each letter",
            "In your sum there is one nothing for each step of the memory: there is one for all.",
            "(nothing + u.sum(axis=-1, keepdims=True))",
            "(len(mask) * nothing + u.sum(axis=-1, keepdims=True))",
        ),
        Mistake(
            "each letter alone",
            "Each of your weights is a sigmoid of its own score. The letters of a word share one "
            "sum: (21.2).",
            "u.sum(axis=-1, keepdims=True)",
            "u",
        ),
        Mistake(
            "padding leaks",
            "Padding gets weights, and takes some from the letters: what does the mask say in "
            "(21.2)?",
            MASKED,
            "1 * e",
        ),
        Mistake(
            "padding leaks",
            "A score of zero on padding is a score like any other: its exponential is one, and it "
            "is in your sum, (21.2).",
            MASKED,
            "np.where(mask.T, e, 0)",
        ),
        Mistake(
            "padding leaks",
            "Your weights are zero on padding, and its exponentials are still in the sum that you "
            "divide by: (21.2).",
            MASKED,
            "1 * e",
            also=(
                (
                    "u / (nothing + u.sum(axis=-1, keepdims=True))",
                    "np.where(mask.T, u / (nothing + u.sum(axis=-1, keepdims=True)), 0)",
                ),
            ),
        ),
        Mistake(
            "mask the wrong way round",
            "Your weights are zero on the letters, and padding shares the rest: (21.2).",
            MASKED,
            "np.where(mask.T, -np.inf, e)",
        ),
        Mistake(
            "sum over the wrong axis",
            "You divide by a sum over the queries. Each query has a sum of its own, over the "
            "letters: (21.2).",
            "u.sum(axis=-1, keepdims=True)",
            "u.sum(axis=0, keepdims=True)",
            also=(("e.max(axis=-1, keepdims=True)", "e.max(axis=0, keepdims=True)"),),
        ),
        Mistake(
            "sum over the wrong axis",
            "You divide by a sum over the words of the batch, which have nothing to do with each "
            "other: (21.2).",
            "u.sum(axis=-1, keepdims=True)",
            "u.sum(axis=1, keepdims=True)",
            also=(("e.max(axis=-1, keepdims=True)", "e.max(axis=1, keepdims=True)"),),
        ),
        Mistake(
            "not normalised",
            "These are exponentials. What are they divided by in (21.2)?",
            "u / (nothing + u.sum(axis=-1, keepdims=True))",
            "u",
        ),
    ),
    "look_backward": (
        Mistake(
            "coupling missing",
            "A score is in the sum of every weight of its row, not of its own alone: (21.6) has "
            "two terms.",
            "(dw - mean)",
            "dw",
        ),
        Mistake(
            "diagonal of the Jacobian alone",
            "You take the slope of each weight by its own score. What do the scores of the other "
            "letters do to it? See (21.6).",
            "(dw - mean)",
            "(1 - w) * dw",
        ),
        Mistake(
            "mean without weights",
            "What you subtract is a plain mean of the gradients. In (21.7) each has a weight.",
            "(w * dw).sum(axis=-1, keepdims=True)",
            "dw.mean(axis=-1, keepdims=True)",
        ),
        Mistake(
            "mean without weights",
            "What you subtract is a plain sum of the gradients. In (21.7) each has a weight.",
            "(w * dw).sum(axis=-1, keepdims=True)",
            "dw.sum(axis=-1, keepdims=True)",
        ),
        Mistake(
            "mean for sum",
            "The weighted sum of (21.7) is not divided by the number of letters: the weights do "
            "that.",
            "(w * dw).sum(axis=-1, keepdims=True)",
            "(w * dw).mean(axis=-1, keepdims=True)",
        ),
        Mistake(
            "weights made to add up to one",
            "You divide the sum of (21.7) by the sum of the weights. The weight that is missing "
            "belongs to nothing, whose gradient is zero.",
            "(w * dw).sum(axis=-1, keepdims=True)",
            "(w * dw).sum(axis=-1, keepdims=True) / w.sum(axis=-1, keepdims=True)",
        ),
        Mistake(
            "weight missing as a factor",
            "The bracket of (21.7) is right, and has a factor in front of it.",
            "w * (dw - mean)",
            "dw - mean",
        ),
        Mistake(
            "weight squared",
            "The factor in front of the bracket of (21.7) is there twice.",
            "w * (dw - mean)",
            "w**2 * (dw - mean)",
        ),
        Mistake(
            "sum over the wrong axis",
            "You sum over the queries. A row of the softmax is one query, and its sum is over the "
            "letters: (21.7).",
            "sum(axis=-1, keepdims=True)",
            "sum(axis=0, keepdims=True)",
        ),
        Mistake(
            "sum over the wrong axis",
            "You sum over the words of the batch. The sum of (21.7) is over the letters.",
            "sum(axis=-1, keepdims=True)",
            "sum(axis=1, keepdims=True)",
        ),
        Mistake(
            "cross-entropy taken along",
            "That is the gradient of softmax and cross-entropy together, with dw for the truth. "
            "Here the softmax is alone: (21.7).",
            "w * (dw - mean)",
            "w - dw + 0 * mean",
        ),
    ),
    "scores": (
        Mistake(
            "gain missing",
            "Your product is that of (21.1). Here each unit has its gain.",
            "q * params.gain",
            "q",
        ),
        Mistake(
            "gain counted twice",
            "The gain of a unit is in your product twice, with the query and with the memory.",
            "q * params.gain",
            "q * params.gain**2",
        ),
        Mistake(
            "gain divides",
            "You divide by the gain, like by a temperature. Here it is a factor.",
            "q * params.gain",
            "q / params.gain",
        ),
        Mistake(
            "gain added",
            "The gain is added to the query. It is a factor of each unit.",
            "q * params.gain",
            "q + params.gain",
        ),
        Mistake(
            "place missing",
            "Your score compares query and letter, and does not ask where the letter is.",
            "fits + near[:, None, :]",
            "fits",
        ),
        Mistake(
            "product for sum",
            "The place is a term of the score, and you have it as a factor.",
            "fits + near[:, None, :]",
            "fits * near[:, None, :]",
        ),
        Mistake(
            "distance the wrong way round",
            "For a letter ahead of the step your distance is negative. Which is subtracted from "
            "which?",
            DISTANCE,
            OTHER_WAY,
        ),
        Mistake(
            "distance without its sign",
            "Your distance is the same for a letter ahead and for one behind. They have numbers of "
            "their own.",
            INDEX,
            "np.clip(np.abs(d), 0, R) + R",
        ),
        Mistake(
            "index from the wrong end",
            "The first number of place belongs to the smallest distance, not to zero. A negative "
            "index counts from the end, without a complaint.",
            INDEX,
            "np.clip(d, -R, R)",
        ),
        Mistake(
            "distances wrap around",
            "Letters that are too far away begin again at the other end of place. They should have "
            "its last number.",
            INDEX,
            "(d + R) % len(params.place)",
        ),
        Mistake(
            "far distances left out",
            "Letters that are too far away have no place in your scores. They should have the last "
            "number on their side.",
            "params.place[np.clip(d, -R, R) + R]",
            "np.where(np.abs(d) > R, 0, params.place[np.clip(d, -R, R) + R])",
        ),
        Mistake(
            "off by one step",
            "Your distances are too large by one: the first letter is at the first step.",
            "np.arange(len(m)) -",
            "np.arange(1, len(m) + 1) -",
        ),
        Mistake(
            "off by one step",
            "Your distances are too small by one: the first letter is at the first step.",
            "np.arange(len(m)) -",
            "np.arange(-1, len(m) - 1) -",
        ),
        Mistake(
            "divided by the root",
            "The root of (21.16) belongs to another score. Here the gain takes its place.",
            'np.einsum("tbh,sbh->tbs", q * params.gain, m)',
            'np.einsum("tbh,sbh->tbs", q * params.gain, m) / np.sqrt(q.shape[-1])',
        ),
        Mistake(
            "activation on the score",
            "A score may be any number: there is no tanh in it.",
            "fits + near[:, None, :]",
            "np.tanh(fits + near[:, None, :])",
        ),
    ),
    "scores_backward": (
        Mistake(
            "gain missing",
            "The query meets the memory through the gain, forward and so also backward: look at "
            "your gradient of the queries.",
            "dq = sought * params.gain",
            "dq = sought",
        ),
        Mistake(
            "gain missing",
            "The memory meets the query through the gain, forward and so also backward: look at "
            "your gradient of the memory.",
            "de, q * params.gain)",
            "de, q)",
        ),
        Mistake(
            "own factor in the gradient",
            "Your gradient of the gain has the gain in it. Of a product, the slope by one factor "
            "is made of the others.",
            "(sought * q).sum(axis=(0, 1))",
            "(sought * params.gain * q).sum(axis=(0, 1))",
        ),
        Mistake(
            "factor missing",
            "In your gradient of the gain the queries do not occur. What is the gain multiplied "
            "by, forward?",
            "(sought * q).sum(axis=(0, 1))",
            "sought.sum(axis=(0, 1))",
        ),
        Mistake(
            "not accumulated over time",
            "The gain is used by every query. You keep that of the last one.",
            "(sought * q).sum(axis=(0, 1))",
            "(sought * q)[-1].sum(axis=0)",
        ),
        Mistake(
            "not accumulated over time",
            "Every query looks at every letter, so the gradient of the memory is a sum over the "
            "queries, (21.9). You keep that of the last one.",
            "de, q * params.gain)",
            "de[-1:], (q * params.gain)[-1:])",
        ),
        Mistake(
            "not accumulated over time",
            "A distance occurs at many steps. You keep the gradients of the last one.",
            ADDED,
            "np.add.at(dplace, np.clip(d[-1], -R, R) + R, de.sum(axis=1)[-1])",
        ),
        Mistake(
            "repeated distances counted once",
            "A distance occurs more than once. With repeated indices, your line keeps one of its "
            "gradients: below (5.2).",
            ADDED,
            "dplace[np.clip(d, -R, R) + R] += de.sum(axis=1)",
        ),
        Mistake(
            "repeated distances counted once",
            "In one step, all letters that are too far away share a number of place, and your line "
            "keeps one of their gradients: below (5.2).",
            ADDED,
            "for row, steps in zip(np.clip(d, -R, R) + R, de.sum(axis=1)):\n"
            "        dplace[row] += steps",
        ),
        Mistake(
            "distance the wrong way round",
            "For a letter ahead of the step your distance is negative. Which is subtracted from "
            "which?",
            DISTANCE,
            OTHER_WAY,
        ),
        Mistake(
            "index from the wrong end",
            "The first number of place belongs to the smallest distance, not to zero. A negative "
            "index counts from the end, without a complaint.",
            INDEX,
            "np.clip(d, -R, R)",
        ),
        Mistake(
            "distances wrap around",
            "Letters that are too far away give their gradient to the other end of place.",
            INDEX,
            "(d + R) % len(params.place)",
        ),
        Mistake(
            "far distances left out",
            "Letters that are too far away use the last number on their side, so it gets their "
            "gradient too.",
            "de.sum(axis=1))",
            "de.sum(axis=1) * (np.abs(d) <= R))",
        ),
        Mistake(
            "off by one step",
            "Your distances are too large by one: the first letter is at the first step.",
            "np.arange(len(m)) -",
            "np.arange(1, len(m) + 1) -",
        ),
        Mistake(
            "mean for sum",
            "The words of a batch share place, so its gradient is a sum over them, and yours is a "
            "mean.",
            "de.sum(axis=1)",
            "de.mean(axis=1)",
        ),
        Mistake(
            "mean for sum",
            "The gradient of the gain is a sum over queries and words, and yours is a mean.",
            "(sought * q).sum(axis=(0, 1))",
            "(sought * q).mean(axis=(0, 1))",
        ),
    ),
    "attend": (
        Mistake(
            "query left out",
            "You return the context alone. What the output layer sees is the sum of query and "
            "context.",
            "q + c",
            "c",
        ),
        Mistake(
            "product for sum",
            "You multiply query and context, and they should be added.",
            "q + c",
            "q * c",
        ),
        Mistake(
            "gain in the context",
            "The gain is in your context. It belongs to the score: the mean is one of the memory "
            "as it is, (21.3).",
            "w, m)",
            "w, m * params.gain)",
        ),
        Mistake(
            "activation on the output",
            "The sum of query and context is returned as it is: there is no tanh on it.",
            "q + c",
            "np.tanh(q + c)",
        ),
        Mistake(
            "nothing missing",
            "You divide the context by the sum of the weights. A query that looks at nothing has a "
            "small context: that is what nothing is for.",
            "w, m)",
            "w / w.sum(axis=-1, keepdims=True), m)",
        ),
        Mistake(
            "scores for weights",
            "Your context is a sum with the scores. In (21.3) it has the weights.",
            "w, m)",
            "scores(params, q, m), m)",
        ),
        Mistake(
            "softmax applied twice",
            "Your weights have gone through the softmax twice.",
            "look(scores(params, q, m), mask)",
            "look(look(scores(params, q, m), mask), mask)",
        ),
    ),
    "attend_backward": (
        Mistake(
            "path missing",
            "A query is used twice: in the scores, and in the sum that you return. Your gradient "
            "has the first path alone.",
            "dq + dr",
            "dq",
        ),
        Mistake(
            "path missing",
            "A query is used twice: in the scores, and in the sum that you return. Your gradient "
            "has the second path alone.",
            "dq + dr",
            "dr",
        ),
        Mistake(
            "path missing",
            "The memory is used twice, as keys and as values: (21.10). Your gradient has the path "
            "through the scores alone.",
            "dm + dm_mean",
            "dm",
        ),
        Mistake(
            "path missing",
            "The memory is used twice, as keys and as values: (21.10). Your gradient has the path "
            "through the mean alone.",
            "dm + dm_mean",
            "dm_mean",
        ),
        Mistake(
            "softmax left out on the way back",
            "What arrives at the weights goes through the softmax before it arrives at the scores: "
            "(21.7).",
            "look_backward(w, dw)",
            "dw",
        ),
        Mistake(
            "softmax applied twice on the way back",
            "Your gradient goes through the softmax twice: (21.7) holds once.",
            "look_backward(w, dw)",
            "look_backward(w, look_backward(w, dw))",
        ),
        Mistake(
            "gradient for the weights",
            "On the path through the mean, what arrives is multiplied by the weights. You take the "
            "gradient of the scores: (21.5).",
            '"tbs,tbh->sbh", w, dr',
            '"tbs,tbh->sbh", de, dr',
        ),
        Mistake(
            "weights in their own gradient",
            "In (21.4) the gradient of a weight has the memory in it, and not the weight.",
            'dw = np.einsum("tbh,sbh->tbs", dr, m)',
            'dw = w * np.einsum("tbh,sbh->tbs", dr, m)',
        ),
        Mistake(
            "query for the memory",
            "The gradient of a weight is a product with what the weight multiplies: (21.4). You "
            "have the query added to it.",
            'dw = np.einsum("tbh,sbh->tbs", dr, m)',
            'dw = np.einsum("tbh,tbsh->tbs", dr, q[:, :, None] + m.swapaxes(0, 1))',
        ),
        Mistake(
            "not accumulated over time",
            "Every query has the letter in its mean: (21.5). You keep that of the last one.",
            '"tbs,tbh->sbh", w, dr',
            '"tbs,tbh->sbh", w[-1:], dr[-1:]',
        ),
    ),
    "next_symbol": (
        Mistake(
            "position lost",
            "Only the newest query is asked, and for the scores it is the first. How far are the "
            "letters from the step at which you are?",
            "attend(params.look, q, m, mask)",
            "attend(params.look, q[-1:], m, mask)",
        ),
        Mistake(
            "carry lost between steps",
            "Your decoder reads the newest symbol alone, from a state of zeros: (20.4).",
            "decode(params, said)",
            "decode(params, said[-1:])",
        ),
        Mistake(
            "carry lost between steps",
            "Each symbol is read from a state of zeros in your decoder: (20.4).",
            "decode(params, said)",
            "np.concatenate([decode(params, row[None]) for row in said])",
        ),
        Mistake(
            "first step for the last",
            "The answer is that of the last step, after all that was said. Yours is that of the "
            "first.",
            "r[-1]",
            "r[0]",
        ),
        Mistake(
            "old state for the new one",
            "You leave the newest symbol out, and so your answer is one step late: (20.4).",
            "r[-1]",
            "r[-2]",
        ),
        Mistake(
            "context missing",
            "Your output layer sees the query alone, and so nothing of the word.",
            "r[-1]",
            "q[-1]",
        ),
        Mistake(
            "query left out",
            "Your output layer sees the context alone: the query is in the sum too.",
            "r[-1]",
            "(r - q)[-1]",
        ),
        Mistake(
            "bias missing",
            "One of the terms of the output layer is not in the sum: (20.5).",
            " + params.b",
            "",
        ),
        Mistake(
            "probabilities for their logarithms",
            "These are probabilities. Their logarithms are asked for.",
            "return y - np.log(np.exp(y).sum(axis=-1, keepdims=True))",
            "return np.exp(y) / np.exp(y).sum(axis=-1, keepdims=True)",
        ),
        Mistake(
            "not normalised",
            "These are logits: the probabilities that they give do not add up to one, (20.5).",
            "    y = y - y.max(axis=-1, keepdims=True)\n"
            "    return y - np.log(np.exp(y).sum(axis=-1, keepdims=True))",
            "    return y",
        ),
        Mistake(
            "not normalised",
            "The largest logit is subtracted, and the logarithm of the sum is not: the "
            "probabilities do not add up to one, (20.5).",
            "return y - np.log(np.exp(y).sum(axis=-1, keepdims=True))",
            "return y",
        ),
        Mistake(
            "sum over the wrong axis",
            "Your sum is over the words of the batch. Each word has probabilities of its own: "
            "(20.5).",
            "np.exp(y).sum(axis=-1, keepdims=True)",
            "np.exp(y).sum(axis=0, keepdims=True)",
        ),
    ),
}
