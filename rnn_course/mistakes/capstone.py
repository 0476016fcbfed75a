"""The mistakes of assignment 5, each an edit of a solution in rnn_course/questions/capstone.py."""

from rnn_course.judge.mistake import Mistake

__all__ = ["MISTAKES"]

TURNED = "read(params.backwards, xs[::-1], mask[::-1])[::-1]"
SECOND = "params.backwards, xs[::-1], mask[::-1], backwards[::-1], dbackwards[::-1]"
MERGED = "[forwards, backwards, forwards * backwards]"

READING = (
    Mistake(
        "not turned back",
        "The outputs of your second reading are still in the order in which it read. To which "
        "letter does entry t belong? See (13.5).",
        TURNED,
        "read(params.backwards, xs[::-1], mask[::-1])",
    ),
    Mistake(
        "mask not turned",
        "You turn the letters, and the mask stays as it was: equation (14.13).",
        TURNED,
        "read(params.backwards, xs[::-1], mask)[::-1]",
    ),
    Mistake(
        "letters not turned",
        "You turn the mask, and the letters stay as they were: equation (13.5).",
        TURNED,
        "read(params.backwards, xs, mask[::-1])[::-1]",
    ),
    Mistake(
        "both readings run forwards",
        "Your second reading begins at the first letter, like the first one: equation (13.3).",
        TURNED,
        "read(params.backwards, xs, mask)",
    ),
    Mistake(
        "both readings run forwards",
        "Your second reading begins at the first letter, and its states are turned afterwards: "
        "equations (13.3) and (13.5).",
        TURNED,
        "read(params.backwards, xs, mask)[::-1]",
    ),
    Mistake(
        "one network for both directions",
        "Both of your readings use the same weights. Each direction has its own: (13.2) and "
        "(13.3).",
        TURNED,
        "read(params.forwards, xs[::-1], mask[::-1])[::-1]",
    ),
    Mistake(
        "one network for both directions",
        "The two readings have each other's weights: (13.2) and (13.3).",
        TURNED,
        "read(params.forwards, xs[::-1], mask[::-1])[::-1]",
        also=(("read(params.forwards, xs, mask)\n", "read(params.backwards, xs, mask)\n"),),
    ),
    Mistake(
        "padding leaks",
        "A word takes no step on padding, after its end or, in the second reading, before its "
        "beginning: its state is held, (14.3).",
        "np.where(keep, np.tanh(a), h)",
        "np.tanh(a)",
    ),
    Mistake(
        "padding leaks",
        "Padding changes your state, and your outputs there are not zero: equations (14.3) and "
        "(14.5).",
        "np.where(keep, np.tanh(a), h)",
        "np.tanh(a)",
        also=(("np.where(keep, h, 0)", "h"),),
    ),
    Mistake(
        "padding leaks",
        "The held state is no output: what does (14.5) say about padding?",
        "np.where(keep, h, 0)",
        "h",
    ),
    Mistake(
        "mask the wrong way round",
        "Your states are held where a word has a letter, and move where it has none: (14.3).",
        "np.where(keep, np.tanh(a), h)",
        "np.where(keep, h, np.tanh(a))",
    ),
    Mistake(
        "carry lost between steps",
        "Each of your steps starts from the same state. From which should step t start? See "
        "(13.2).",
        "params.W_x[x] + h @ params.W_h + params.b",
        "params.W_x[x] + params.b",
    ),
    Mistake(
        "old state for the new one",
        "You keep the state from before each step, so each output is one step late: (13.2).",
        "h = np.where(keep, np.tanh(a), h)\n            hs.append(np.where(keep, h, 0))",
        "hs.append(np.where(keep, h, 0))\n            h = np.where(keep, np.tanh(a), h)",
    ),
    Mistake(
        "bias missing",
        "One of the terms of the pre-activation in your readings is not in the sum: (1.6).",
        "h @ params.W_h + params.b",
        "h @ params.W_h",
    ),
    Mistake(
        "bias outside the activation",
        "The bias belongs to the pre-activation, and you add it to the state: (1.6).",
        "h @ params.W_h + params.b",
        "h @ params.W_h",
        also=(("np.tanh(a)", "np.tanh(a) + params.b"),),
    ),
    Mistake(
        "bias counted twice",
        "The bias of a reading is added twice in each of your steps: (1.6).",
        "h @ params.W_h + params.b",
        "h @ params.W_h + 2 * params.b",
    ),
    Mistake(
        "activation missing",
        "What your readings keep is the pre-activation: the tanh is still to come, (1.7).",
        "np.tanh(a)",
        "a",
    ),
    Mistake(
        "another activation",
        "That is a sigmoid. The cell of this assignment has tanh: (1.7).",
        "np.tanh(a)",
        "1 / (1 + np.exp(-a))",
    ),
    Mistake(
        "another activation",
        "Your states are never negative, as after a rectifier. The cell of this assignment has "
        "tanh: (1.7).",
        "np.tanh(a)",
        "np.maximum(a, 0)",
    ),
    Mistake(
        "weight transposed",
        "Rows and columns of W_h are exchanged. It is square, so no shape complains: (1.5).",
        "h @ params.W_h",
        "h @ params.W_h.T",
    ),
    Mistake(
        "first state not zero",
        "Both of your readings start from a state of ones. A reading that has seen nothing starts "
        "from zeros.",
        "h = np.zeros(",
        "h = np.ones(",
    ),
)
OUTPUT = (
    Mistake(
        "halves exchanged",
        "The two readings are exchanged where they meet W: which comes first in (13.9)?",
        MERGED,
        "[backwards, forwards, forwards * backwards]",
    ),
    Mistake(
        "blocks in another order",
        "The product comes first where your readings meet W, and it should come last: the table of "
        "shapes says which rows of W belong to which.",
        MERGED,
        "[forwards * backwards, forwards, backwards]",
    ),
    Mistake(
        "sum for product",
        "The third block is the sum of the two readings, where (13.12) has a product.",
        MERGED,
        "[forwards, backwards, forwards + backwards]",
    ),
    Mistake(
        "mean for product",
        "The third block is the mean of the two readings, where (13.12) has a product.",
        MERGED,
        "[forwards, backwards, (forwards + backwards) / 2]",
    ),
    Mistake(
        "product of other steps",
        "In your product, a state of one reading meets the state of the other at the opposite end: "
        "both must belong to one letter, (13.12).",
        MERGED,
        "[forwards, backwards, forwards * backwards[::-1]]",
    ),
    Mistake(
        "square of one reading",
        "Your product has the same reading as both factors: (13.12).",
        MERGED,
        "[forwards, backwards, forwards * forwards]",
    ),
    Mistake(
        "bias missing",
        "One of the two terms of the output is not in your sum: equation (5.3).",
        "merged @ params.W + params.b",
        "merged @ params.W",
    ),
    Mistake(
        "outputs hidden on padding",
        "Equation (5.3) holds at every place of the array. The loss leaves padding out, so no "
        "output has to be hidden here.",
        "merged @ params.W + params.b",
        "np.where(mask[:, :, None], merged @ params.W + params.b, 0)",
    ),
    Mistake(
        "activation on the output",
        "The logits are what (5.3) gives, and a tanh has been put on top of them.",
        "merged @ params.W + params.b",
        "np.tanh(merged @ params.W + params.b)",
    ),
    Mistake(
        "softmax applied already",
        "You return probabilities. The loss takes the logits of (5.3) and applies the softmax "
        "itself.",
        "merged @ params.W + params.b\n",
        "merged @ params.W + params.b\n"
        "    ys = np.exp(ys) / np.exp(ys).sum(axis=-1, keepdims=True)\n",
    ),
)
READING_BACK = (
    Mistake(
        "derivative of the activation missing",
        "On the way back through tanh something has to be multiplied: equation (2.6).",
        "(dh_out + dh) * (1 - h**2)",
        "dh_out + dh",
    ),
    Mistake(
        "derivative of the activation wrong",
        "The slope of tanh is written with its output: look again at (2.6).",
        "(1 - h**2)",
        "(1 - h)",
    ),
    Mistake(
        "derivative of the activation wrong",
        "This is the slope of a sigmoid. What is that of tanh? See (2.6).",
        "(1 - h**2)",
        "h * (1 - h)",
    ),
    Mistake(
        "derivative taken at the wrong place",
        "Your slope takes the tanh of h, but h is a tanh already: (2.6).",
        "(1 - h**2)",
        "(1 - np.tanh(h) ** 2)",
    ),
    Mistake(
        "derivative of the activation applied twice",
        "The slope of tanh is in each of your gradients twice: (2.6).",
        "(1 - h**2)",
        "(1 - h**2) ** 2",
    ),
    Mistake(
        "derivative missing on the carry",
        "Only what arrives from above is multiplied by the slope in your step. What arrives from "
        "the next step went through the same tanh: (2.6) and (3.10).",
        "(dh_out + dh) * (1 - h**2)",
        "dh_out * (1 - h**2) + dh",
    ),
    Mistake(
        "derivative missing from above",
        "Only what arrives from the next step is multiplied by the slope in your step. What "
        "arrives from above went through the same tanh: (2.6) and (3.10).",
        "(dh_out + dh) * (1 - h**2)",
        "dh_out + dh * (1 - h**2)",
    ),
    Mistake(
        "gradient from above counted twice",
        "What arrives from above enters each of your steps twice: (3.10).",
        "(dh_out + dh) * (1 - h**2)",
        "(2 * dh_out + dh) * (1 - h**2)",
    ),
    Mistake(
        "weight transposed",
        "On the way back, W_h is used the other way round: compare the indices in (2.12) and "
        "(1.5).",
        "params.W_h.T",
        "params.W_h",
    ),
    Mistake(
        "carry lost between steps",
        "Each step passes a gradient to the step that was read before it, and in your loop none "
        "arrives: (3.10).",
        "dh_out + dh",
        "dh_out",
    ),
    Mistake(
        "carry without the derivative",
        "What you pass to the step before has not gone through tanh: (2.12) takes the gradient of "
        "the pre-activation.",
        "da @ params.W_h.T",
        "(dh_out + dh) @ params.W_h.T",
    ),
    Mistake(
        "carry added up",
        "What is passed to the step before is the gradient of this step alone, and you add it to "
        "what came before: (3.10).",
        "dh = da @ params.W_h.T",
        "dh = dh + da @ params.W_h.T",
    ),
    Mistake(
        "gradient from above lost",
        "Your loop takes what arrives from above at the last step alone. It arrives at each step: "
        "(3.10).",
        "dh_out + dh)",
        "(dh_out if not steps else 0) + dh)",
    ),
    Mistake(
        "padding leaks",
        "In the second reading padding comes before the word, and your loop takes steps back "
        "through it: equations (14.7) and (14.9).",
        "da = np.where(keep, da, 0)\n            ",
        "",
    ),
    Mistake(
        "mask the wrong way round",
        "Your gradients are zero where a word has a letter, and not zero on padding: (14.7).",
        "np.where(keep, da, 0)",
        "np.where(keep, 0, da)",
    ),
    Mistake(
        "new state for the old one",
        "W_h multiplies the state before the step: equation (2.9).",
        "np.concatenate([np.zeros_like(hs[:1]), hs[:-1]])",
        "hs",
    ),
    Mistake(
        "state after the step for the one before",
        "For the gradient of W_h your states are moved by one step, in the wrong direction: (2.9).",
        "np.concatenate([np.zeros_like(hs[:1]), hs[:-1]])",
        "np.concatenate([hs[1:], np.zeros_like(hs[:1])])",
    ),
    Mistake(
        "state after the step for the one before",
        "In the second reading, the state before a step is that of the letter to its right. For "
        "the gradient of W_h you take the one to its left: (13.3) and (2.9).",
        "np.concatenate([np.zeros_like(hs[:1]), hs[:-1]])",
        "np.concatenate(\n"
        "            [np.zeros_like(hs[:1]), hs[:-1]]\n"
        "            if mask[0].all()  # the first reading: every word has a first letter\n"
        "            else [hs[1:], np.zeros_like(hs[:1])]\n"
        "        )",
    ),
    Mistake(
        "last state for zero",
        "The state before the first step is zero. Yours is that of the last step, as an index of "
        "minus one gives it: (2.9).",
        "np.concatenate([np.zeros_like(hs[:1]), hs[:-1]])",
        "np.roll(hs, 1, axis=0)",
    ),
    Mistake(
        "time runs backwards",
        "Your gradients are collected from the last step to the first and are used as if it were "
        "the other way round: to which letter does each belong? See (5.2).",
        "np.stack(steps[::-1])",
        "np.stack(steps)",
    ),
    Mistake(
        "repeated letters counted once",
        "A letter that occurs twice has two gradients. With repeated indices, your line keeps one "
        "of them: below (5.2).",
        "np.add.at(dW_x, xs, das)",
        "dW_x[xs] += das",
    ),
    Mistake(
        "repeated letters counted once",
        "Two words of a batch may have the same letter at one step, and your line keeps one of "
        "their gradients: below (5.2).",
        "np.add.at(dW_x, xs, das)",
        "for t in range(len(xs)):\n            dW_x[xs[t]] += das[t]",
    ),
    Mistake(
        "repeated letters counted once",
        "A letter that occurs again has another gradient, and your line replaces the one before: "
        "(5.2).",
        "np.add.at(dW_x, xs, das)",
        "for t in reversed(range(len(xs))):\n            dW_x[xs[t]] = das[t]",
    ),
    Mistake(
        "not accumulated over time",
        "A weight is used at every step. You keep the gradient of the last step that was read: "
        "(3.13).",
        "das = np.stack(steps[::-1])",
        "das = np.stack([np.zeros_like(da)] * (len(steps) - 1) + steps[:1])",
    ),
    Mistake(
        "not accumulated over time",
        "A weight is used at every step. You keep the gradient of the first step that was read: "
        "(3.13).",
        "das = np.stack(steps[::-1])",
        "das = np.stack(steps[-1:] + [np.zeros_like(da)] * (len(steps) - 1))",
    ),
    Mistake(
        "first step left out",
        "Your loop stops before the first step that was read: its letter and its bias have "
        "gradients too, (3.13).",
        "das = np.stack(steps[::-1])",
        "das = np.stack([np.zeros_like(da)] + steps[-2::-1])",
    ),
    Mistake(
        "last step left out",
        "Your loop begins one step too late: the last step that was read is not in it, (3.13).",
        "zip(mask[::-1, :, None], hs[::-1], dhs[::-1]):",
        "zip(mask[::-1, :, None], hs[::-1], [np.zeros_like(dhs[0]), *dhs[-2::-1]]):",
    ),
    Mistake(
        "bias gradient missing",
        "The bias of a reading has a gradient too, and yours is zero: (3.13).",
        "db = das.sum(axis=(0, 1))\n        return",
        "db = np.zeros_like(params.b)\n        return",
    ),
    Mistake(
        "mean for sum",
        "The gradients of a reading are sums over its uses; the mean is in dys already: (3.13).",
        "das = np.stack(steps[::-1])",
        "das = np.stack(steps[::-1]) / mask.sum()",
    ),
    Mistake(
        "mean for sum",
        "The gradients of a reading are sums over its uses, and padding is no use: you take a mean "
        "over all places, (3.13).",
        "das = np.stack(steps[::-1])",
        "das = np.stack(steps[::-1]) / mask.size",
    ),
    Mistake(
        "mean for sum",
        "The gradients of a reading are sums over the words, and yours are means over the batch: "
        "(3.13).",
        "das = np.stack(steps[::-1])",
        "das = np.stack(steps[::-1]) / mask.shape[1]",
    ),
    Mistake(
        "mean for sum",
        "The gradient of the bias of a reading is a sum over its uses, and yours is a mean: "
        "(3.13).",
        "das.sum(axis=(0, 1))",
        "das.mean(axis=(0, 1))",
    ),
)
BOTH_BACK = (
    Mistake(
        "one gradient for both directions",
        "Your second reading gets the gradient of the first one: (13.9).",
        "dbackwards = dsecond + dproduct * forwards",
        "dbackwards = dforwards",
    ),
    Mistake(
        "one gradient for both directions",
        "You return the gradient of the first reading twice.",
        "TaggerParams(of_forwards, of_backwards, dW, db)",
        "TaggerParams(of_forwards, of_forwards, dW, db)",
    ),
    Mistake(
        "halves exchanged",
        "Each reading gets the gradient of the other: which rows of W belong to which? See (13.9).",
        "dfirst, dsecond, dproduct =",
        "dsecond, dfirst, dproduct =",
    ),
    Mistake(
        "blocks in another order",
        "You take the gradient of the product from the first block of W. Which rows of W belong to "
        "it?",
        "dfirst, dsecond, dproduct =",
        "dproduct, dfirst, dsecond =",
    ),
    Mistake(
        "readings exchanged",
        "The gradients of the two readings stand in each other's place in what you return.",
        "TaggerParams(of_forwards, of_backwards, dW, db)",
        "TaggerParams(of_backwards, of_forwards, dW, db)",
    ),
    Mistake(
        "path missing",
        "Each reading reaches the logits on two paths, by itself and in the product. Only the "
        "first is in your gradients: (13.12).",
        "dforwards = dfirst + dproduct * backwards",
        "dforwards = dfirst",
        also=(("dsecond + dproduct * forwards", "dsecond"),),
    ),
    Mistake(
        "path missing",
        "Each reading reaches the logits on two paths, by itself and in the product. Only the "
        "product is in your gradients: (13.9).",
        "dforwards = dfirst + dproduct * backwards",
        "dforwards = dproduct * backwards",
        also=(("dsecond + dproduct * forwards", "dproduct * forwards"),),
    ),
    Mistake(
        "path missing",
        "The product has two factors. In your gradient it reaches the first reading alone: "
        "(13.12).",
        "dsecond + dproduct * forwards",
        "dsecond",
    ),
    Mistake(
        "path missing",
        "The product has two factors. In your gradient it reaches the second reading alone: "
        "(13.12).",
        "dfirst + dproduct * backwards",
        "dfirst",
    ),
    Mistake(
        "factors of the product exchanged",
        "By the product rule, what arrives at one reading is multiplied by the other one: (13.12).",
        "dproduct * backwards",
        "dproduct * forwards",
        also=(("dsecond + dproduct * forwards", "dsecond + dproduct * backwards"),),
    ),
    Mistake(
        "sum for product",
        "The third block is a product, and you go back through it as if it were a sum: (13.12).",
        "dproduct * backwards",
        "dproduct",
        also=(("dproduct * forwards", "dproduct"),),
    ),
    Mistake(
        "gradient not turned",
        "Your second reading is turned, the gradient that arrives at it is not: (13.7).",
        SECOND,
        "params.backwards, xs[::-1], mask[::-1], backwards[::-1], dbackwards",
    ),
    Mistake(
        "states not turned",
        "On the way back, the states of the second reading are not in the order in which it read: "
        "(13.7).",
        SECOND,
        "params.backwards, xs[::-1], mask[::-1], backwards, dbackwards[::-1]",
    ),
    Mistake(
        "mask not turned",
        "On the way back through the second reading, the mask is not in the order in which it "
        "read: (14.13).",
        SECOND,
        "params.backwards, xs[::-1], mask, backwards[::-1], dbackwards[::-1]",
    ),
    Mistake(
        "letters not turned",
        "On the way back through the second reading, the letters are not in the order in which it "
        "read: (13.7).",
        SECOND,
        "params.backwards, xs, mask[::-1], backwards[::-1], dbackwards[::-1]",
    ),
    Mistake(
        "both readings run forwards",
        "You go back through the second reading as if it had begun at the first letter: (13.7).",
        SECOND,
        "params.backwards, xs, mask, backwards, dbackwards",
    ),
    Mistake(
        "one network for both directions",
        "On the way back, both of your readings use the same weights. Each has its own: (13.7).",
        SECOND,
        "params.forwards, xs[::-1], mask[::-1], backwards[::-1], dbackwards[::-1]",
    ),
    Mistake(
        "product missing in the output",
        "The rows of W for the product have a gradient too, and yours is zero: (5.4).",
        MERGED,
        "[forwards, backwards, 0 * forwards]",
    ),
    Mistake(
        "halves exchanged",
        "The two readings are exchanged in the gradient of W: (13.9).",
        MERGED,
        "[backwards, forwards, forwards * backwards]",
    ),
    Mistake(
        "blocks in another order",
        "The product comes first in your gradient of W. Which rows of W belong to it?",
        MERGED,
        "[forwards * backwards, forwards, backwards]",
    ),
    Mistake(
        "not turned back",
        "In your gradient of W, the second reading is in the order in which it read: (13.5).",
        "[forwards, backwards, forwards * backwards], axis=-1)\n    dW",
        "[forwards, backwards[::-1], forwards * backwards[::-1]], axis=-1)\n    dW",
    ),
    Mistake(
        "mean for sum",
        "The gradients of the output layer are sums over all letters; the mean is in dys already: "
        "(5.4).",
        "dys.sum(axis=(0, 1))",
        "dys.sum(axis=(0, 1)) / mask.sum()",
        also=(("merged, dys)", "merged, dys) / mask.sum()"),),
    ),
    Mistake(
        "mean for sum",
        "The gradient of the output layer's bias is a sum over all letters, and yours is a mean: "
        "(5.4).",
        "dys.sum(axis=(0, 1))",
        "dys.mean(axis=(0, 1))",
    ),
    Mistake(
        "bias gradient missing",
        "The bias of the output layer has a gradient too, and yours is zero: (5.4).",
        "dys.sum(axis=(0, 1))",
        "np.zeros_like(params.b)",
    ),
)
CLIPPING = (
    Mistake(
        "clipped entry by entry",
        "You limit each entry. What has to be limited is the length of the whole: (5.14).",
        "return factor * g",
        "return np.clip(g, -limit, limit)",
    ),
    Mistake(
        "clipped always",
        "You make short gradients longer: what is the minimum in (5.14) for?",
        "min(1, limit / length)",
        "limit / length",
    ),
    Mistake(
        "never clipped",
        "Your gradient is as long as before: equation (5.14).",
        "min(1, limit / length)",
        "1",
    ),
    Mistake(
        "maximum for minimum",
        "You lengthen the short ones, and leave the long ones: (5.14).",
        "min(1, limit / length)",
        "max(1, limit / length)",
    ),
    Mistake(
        "length one for the limit",
        "A gradient that is too long comes out with the length one, not with the limit as its "
        "length: (5.14).",
        "min(1, limit / length)",
        "1 / length if length > limit else 1",
    ),
    Mistake(
        "length one for the limit",
        "Every gradient comes out with the length one: (5.14).",
        "min(1, limit / length)",
        "1 / length",
    ),
    Mistake(
        "clipped to the wrong length",
        "A gradient that is too long is multiplied by the limit, and by nothing else: (5.14).",
        "min(1, limit / length)",
        "limit if length > limit else 1",
    ),
    Mistake(
        "quotient upside down",
        "The quotient of the two lengths is upside down: (5.14).",
        "limit / length",
        "length / limit",
    ),
    Mistake(
        "direction lost",
        "You return numbers without the direction of the gradient: one factor times the gradient "
        "is wanted, (5.14).",
        "factor * g",
        "factor * np.abs(g)",
    ),
    Mistake(
        "another norm",
        "That is the square of a norm: (5.14) has the length itself.",
        "np.linalg.norm(g)",
        "g @ g",
    ),
    Mistake(
        "another norm",
        "That is the largest entry. The norm in (5.14) is the root of the sum of squares.",
        "np.linalg.norm(g)",
        "np.abs(g).max()",
    ),
    Mistake(
        "another norm",
        "That is a sum of absolute values. The norm in (5.14) is the root of the sum of squares.",
        "np.linalg.norm(g)",
        "np.abs(g).sum()",
    ),
    Mistake(
        "another norm",
        "That is a root of a mean, where (5.14) has the root of a sum.",
        "np.linalg.norm(g)",
        "np.sqrt(np.mean(g**2))",
    ),
)
UPDATING = (
    Mistake(
        "betas exchanged",
        "Each of your two means has the decay of the other: equation (5.15).",
        "m = 0.9 * m + 0.1 * g",
        "m = 0.999 * m + 0.001 * g",
        also=(
            ("v = 0.999 * v + 0.001 * g**2", "v = 0.9 * v + 0.1 * g**2"),
            ("m / (1 - 0.9**t)", "m / (1 - 0.999**t)"),
            ("v / (1 - 0.999**t)", "v / (1 - 0.9**t)"),
        ),
    ),
    Mistake(
        "betas exchanged",
        "Your means are right. Each is corrected with the decay of the other: (5.18).",
        "m / (1 - 0.9**t)",
        "m / (1 - 0.999**t)",
        also=(("v / (1 - 0.999**t)", "v / (1 - 0.9**t)"),),
    ),
    Mistake(
        "one beta for both",
        "Your means are right. Both are corrected with the decay of the first: (5.18).",
        "v / (1 - 0.999**t)",
        "v / (1 - 0.9**t)",
    ),
    Mistake(
        "one beta for both",
        "Your means are right. Both are corrected with the decay of the second: (5.18).",
        "m / (1 - 0.9**t)",
        "m / (1 - 0.999**t)",
    ),
    Mistake(
        "weights of old and new exchanged",
        "In both of your means the new gradient has the large weight, and all that came before the "
        "small one: (5.15).",
        "0.9 * m + 0.1 * g",
        "0.1 * m + 0.9 * g",
        also=(("0.999 * v + 0.001 * g**2", "0.001 * v + 0.999 * g**2"),),
    ),
    Mistake(
        "bias correction missing",
        "Your means began at zero and are still too close to it: equations (5.17) and (5.18).",
        "m / (1 - 0.9**t)",
        "m",
        also=(("v / (1 - 0.999**t)", "v"),),
    ),
    Mistake(
        "bias correction missing",
        "The mean of the squares is corrected in your step, the mean of the gradients is not: "
        "(5.18).",
        "m / (1 - 0.9**t)",
        "m",
    ),
    Mistake(
        "bias correction missing",
        "The mean of the gradients is corrected in your step, the mean of the squares is not: "
        "(5.18).",
        "v / (1 - 0.999**t)",
        "v",
    ),
    Mistake(
        "bias correction without the power",
        "Your correction is the same at every update. What does (5.17) say of update t?",
        "m / (1 - 0.9**t)",
        "m / (1 - 0.9)",
        also=(("v / (1 - 0.999**t)", "v / (1 - 0.999)"),),
    ),
    Mistake(
        "power at the wrong place",
        "In your correction the difference is raised to a power. In (5.17) it is beta alone.",
        "m / (1 - 0.9**t)",
        "m / (1 - 0.9) ** t",
        also=(("v / (1 - 0.999**t)", "v / (1 - 0.999) ** t"),),
    ),
    Mistake(
        "multiplied for divided",
        "Your correction makes the means smaller still: in (5.18) they are divided.",
        "m / (1 - 0.9**t)",
        "m * (1 - 0.9**t)",
        also=(("v / (1 - 0.999**t)", "v * (1 - 0.999**t)"),),
    ),
    Mistake(
        "off by one step",
        "The number t of this update is an argument, and 1 at the first: your correction is that "
        "of the next one, (5.17).",
        "m / (1 - 0.9**t)",
        "m / (1 - 0.9 ** (t + 1))",
        also=(("v / (1 - 0.999**t)", "v / (1 - 0.999 ** (t + 1))"),),
    ),
    Mistake("sign", "You go uphill: equation (5.18).", "p - rate * step", "p + rate * step"),
    Mistake(
        "step returned for the parameters",
        "You return what has to be added, and the new parameters are wanted.",
        "p - rate * step",
        "-rate * step",
    ),
    Mistake(
        "rate missing",
        "Your step does not depend on the rate: (5.18).",
        "p - rate * step",
        "p - step",
    ),
    Mistake(
        "square missing",
        "The second mean is one of squares: equation (5.15).",
        "0.001 * g**2",
        "0.001 * np.abs(g)",
    ),
    Mistake(
        "square missing",
        "The second mean is one of squares: equation (5.15). Yours is one of the gradients, signs "
        "and all.",
        "0.001 * g**2",
        "0.001 * g",
        also=(("np.sqrt(v_hat)", "np.sqrt(np.abs(v_hat))"),),
    ),
    Mistake(
        "square of the mean",
        "Your second mean is made of the first one. In (5.15) it is made of the gradient.",
        "0.001 * g**2",
        "0.001 * m**2",
    ),
    Mistake(
        "square of the mean",
        "Your second mean is made of the first one, as it was before this update. In (5.15) it is "
        "made of the gradient.",
        "m = 0.9 * m + 0.1 * g\n    v = 0.999 * v + 0.001 * g**2",
        "v = 0.999 * v + 0.001 * m**2\n    m = 0.9 * m + 0.1 * g",
    ),
    Mistake(
        "one scale for all entries",
        "You use the length of the whole gradient. In (5.15) each entry has its own mean of "
        "squares.",
        "0.001 * g**2",
        "0.001 * g @ g",
    ),
    Mistake(
        "sum for mean",
        "The new gradient enters your first mean with its whole weight: (5.15).",
        "0.9 * m + 0.1 * g",
        "0.9 * m + g",
    ),
    Mistake(
        "sum for mean",
        "Your second mean is a sum that only grows: nothing is forgotten, (5.15).",
        "0.999 * v + 0.001 * g**2",
        "v + g**2",
    ),
    Mistake(
        "root missing",
        "The mean of the squares is not the scale of the gradient yet: equation (5.18).",
        "np.sqrt(v_hat)",
        "v_hat",
    ),
    Mistake(
        "epsilon missing",
        "Where gradients are very small, your step is too long: what is added to the root in "
        "(5.18)?",
        "(np.sqrt(v_hat) + 1e-8)",
        "np.sqrt(np.where(v_hat > 0, v_hat, 1))",
    ),
    Mistake(
        "another epsilon",
        "Your epsilon is ten times as large as the one that is asked for.",
        "1e-8",
        "1e-7",
    ),
    Mistake(
        "another epsilon",
        "Your epsilon is a hundred times as large as the one that is asked for.",
        "1e-8",
        "1e-6",
    ),
    Mistake(
        "epsilon inside the root",
        "Your epsilon is added under the root, where its own root counts: compare the place in "
        "(5.18).",
        "np.sqrt(v_hat) + 1e-8",
        "np.sqrt(v_hat + 1e-8)",
    ),
    Mistake(
        "old mean for the new one",
        "Your step is made with the means from before this gradient: (5.15) comes first.",
        "m = 0.9 * m + 0.1 * g\n    v = 0.999 * v + 0.001 * g**2\n"
        "    m_hat = m / (1 - 0.9**t)\n    v_hat = v / (1 - 0.999**t)\n",
        "m_hat = m / (1 - 0.9**t)\n    v_hat = v / (1 - 0.999**t)\n"
        "    m = 0.9 * m + 0.1 * g\n    v = 0.999 * v + 0.001 * g**2\n",
    ),
    Mistake(
        "gradient for its mean",
        "Your step is made with the gradient itself, where (5.18) has its mean.",
        "m_hat / (",
        "g / (",
    ),
    Mistake(
        "corrected means kept",
        "The next update needs the means of (5.15), not those of (5.18).",
        "p - rate * step, m, v",
        "p - rate * step, m_hat, v_hat",
    ),
    Mistake(
        "weight decay missing",
        "Your parameters do not shrink: the last term of the update is not in your step.",
        " + decay * p",
        "",
    ),
    Mistake(
        "weight decay in the gradient",
        "You add the decay to the gradient, so it goes into the means and is divided by the root. "
        "Here it is added to the quotient.",
        " + decay * p",
        "",
        also=(("m = 0.9 * m", "g = g + decay * p\n    m = 0.9 * m"),),
    ),
    Mistake(
        "weight decay without the rate",
        "The decay of your parameters is not multiplied by the rate.",
        "p - rate * step",
        "p - rate * step - decay * p",
        also=((" + decay * p\n", "\n"),),
    ),
    Mistake(
        "weight decay with the wrong sign",
        "Your decay makes the parameters grow.",
        "+ decay * p",
        "- decay * p",
    ),
    Mistake(
        "weight decay of the new parameters",
        "What shrinks is the parameters from before the update. Yours shrink after the step.",
        "return p - rate * step",
        "return (p - rate * step) * (1 - rate * decay)",
        also=((" + decay * p", ""),),
    ),
)
COUNTING = (
    Mistake(
        "padding leaks",
        "Your share of letters counts padding as letters, right or wrong by chance: a mean over "
        "what is real, (14.11).",
        "1 - wrong.sum() / mask.sum()",
        "np.mean(ys.argmax(axis=-1) == targets)",
    ),
    Mistake(
        "padding leaks",
        "You count right letters on real places, and divide by all places of the array: (14.11) "
        "and (14.12).",
        "1 - wrong.sum() / mask.sum()",
        "(mask.sum() - wrong.sum()) / mask.size",
    ),
    Mistake(
        "padding leaks",
        "You count padding as letters that are right: it must be in neither number, (14.11).",
        "1 - wrong.sum() / mask.sum()",
        "1 - wrong.mean()",
    ),
    Mistake(
        "padding leaks",
        "You count wrong places on padding too, and divide by the letters: (14.11).",
        "1 - wrong.sum() / mask.sum()",
        "1 - np.sum(ys.argmax(axis=-1) != targets) / mask.sum()",
    ),
    Mistake(
        "padding must be right",
        "Padding that is wrong by chance spoils your words. What must hold on padding? See (14.1).",
        "mistakes = wrong.sum(axis=0)",
        "mistakes = np.sum(ys.argmax(axis=-1) != targets, axis=0)",
    ),
    Mistake(
        "padding counted as wrong",
        "In your words each place of padding is a mistake, so only the longest words can be right: "
        "see (14.1).",
        "mistakes = wrong.sum(axis=0)",
        "mistakes = len(mask) - (mask & ~wrong).sum(axis=0)",
    ),
    Mistake(
        "mask left out",
        "Padding is among the letters in all that you count: (14.11).",
        "(ys.argmax(axis=-1) != targets) & mask",
        "ys.argmax(axis=-1) != targets",
        also=(("mask.sum()", "mask.size"),),
    ),
    Mistake(
        "mean of means",
        "You take a mean for each word, then a mean of these: a long word then counts too little, "
        "(14.11).",
        "1 - wrong.sum() / mask.sum()",
        "np.mean(1 - wrong.sum(axis=0) / mask.sum(axis=0))",
    ),
    Mistake(
        "percent for a share",
        "These are percents. A share is a number from 0 to 1.",
        "return letters, words, nearly",
        "return 100 * letters, 100 * words, 100 * nearly",
    ),
    Mistake(
        "counts for shares",
        "You return how many are right. Shares are wanted, numbers from 0 to 1.",
        "1 - wrong.sum() / mask.sum()",
        "mask.sum() - wrong.sum()",
        also=(
            ("np.mean(mistakes == 0)", "np.sum(mistakes == 0)"),
            ("np.mean(mistakes <= 1)", "np.sum(mistakes <= 1)"),
        ),
    ),
    Mistake(
        "counts for shares",
        "You return how many words are right. Shares are wanted, numbers from 0 to 1.",
        "np.mean(mistakes == 0)",
        "np.sum(mistakes == 0)",
        also=(("np.mean(mistakes <= 1)", "np.sum(mistakes <= 1)"),),
    ),
    Mistake(
        "wrong ones counted",
        "These are the shares of what is wrong.",
        "return letters, words, nearly",
        "return 1 - letters, 1 - words, 1 - nearly",
    ),
    Mistake(
        "one letter for all",
        "A word is right if all of its letters are, not if one is.",
        "mistakes == 0",
        "(mask & ~wrong).any(axis=0)",
    ),
    Mistake(
        "steps for words",
        "You go along the wrong axis: your shares are of steps in which all words are right.",
        "wrong.sum(axis=0)",
        "wrong.sum(axis=1)",
    ),
    Mistake(
        "smallest for largest",
        "You compare the phone with the smallest logit. The network says the one with the largest.",
        "ys.argmax(axis=-1)",
        "ys.argmin(axis=-1)",
    ),
    Mistake(
        "exactly one mistake",
        "A word without any mistake is nearly right too: at most one letter is wrong.",
        "mistakes <= 1",
        "mistakes == 1",
    ),
    Mistake(
        "nearly right with two mistakes",
        "Your nearly right words may have two wrong letters: at most one is allowed.",
        "mistakes <= 1",
        "mistakes <= 2",
    ),
    Mistake(
        "nearly right with two mistakes",
        "Your words with at most one mistake are not those with a single wrong letter.",
        "mistakes <= 1",
        "mistakes < 1",
    ),
)
MISTAKES = {
    "tagger": READING + OUTPUT,
    "tagger_backward": READING_BACK + BOTH_BACK,
    "clip": CLIPPING,
    "adam_step": UPDATING,
    "shares_right": COUNTING,
}
