# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Assignment 4: masks and both directions
#
# Sentences differ in length, and some answers depend on what comes later. You teach a recurrent network to treat both well: each sequence gets exactly what it would get alone, forward and backward, whatever its padding holds.
#
# | | |
# |---|---|
# | You will be able to | hold a state through padding and pass its gradient back through it; pick each sequence's own last output; take the mean of a loss over what is real; read padded sequences from both ends and add up the two gradients; say what leaks where a mask is missing |
# | You need | Chapters 13 *Both directions* and 14 *Sentences have lengths*, and the softmax and loss of Chapter 05 *Learning to write*; from assignment 1, the way back through time |
# | Time | 5 hours |
# | Points | 30 |
#
# How it works:
#
# - Write your code where a cell says `raise NotImplementedError`. Everything else may stay as it is. You may add cells of your own.
# - Below each question, a cell checks your function on small random batches, and says which of its outputs are wrong and where. A check that passes is no guarantee: your function will be graded on other batches, of other sizes.
# - Your functions may use NumPy and Python's standard library. No other library is there when they are graded.
# - A function returns new arrays. It does not change its arguments, and it keeps nothing from one call to the next.
# - Each output of a function earns its own share of the points. An answer may call your earlier ones. The grader does not let an earlier mistake cost you a later question; the checks here cannot separate the two, so correct earlier questions first.
# - Stuck? Each question has three hints. The first is a question, the last is nearly the answer. Open them one at a time.
#
# The letters are those of the chapters: $T$ steps, $B$ sequences in a batch, $D$ inputs, $H$ hidden units. `dx` is the gradient of the loss with respect to `x`, and has its shape.
#
# **The mask.** `mask` is a boolean array of shape $(T, B)$, `True` on real steps, equation (14.1). Every sequence has at least one real step, the real steps come first, and the lengths are in no particular order. Padding may hold any finite numbers, as large as the others, in the inputs and in the gradients that arrive. What you return must not depend on them.
#
# `rnn_step` and `rnn_step_backward` are those of assignment 1. They are given, so that you can think about time alone.

# %% nbgrader={"grade": false, "grade_id": "given_step", "locked": true, "schema_version": 3, "solution": false, "task": false}
from typing import NamedTuple

import numpy as np


class RNNParams(NamedTuple):
    W_x: np.ndarray  # (D, H)
    W_h: np.ndarray  # (H, H)
    b: np.ndarray  # (H,)


def rnn_step(params, x, h_previous):
    """Return h: the state after one step, (B, H)."""
    return np.tanh(x @ params.W_x + h_previous @ params.W_h + params.b)


def rnn_step_backward(params, x, h_previous, h, dh):
    """Return (dparams, dx, dh_previous): the gradients of what `rnn_step` was given."""
    da = dh * (1 - h**2)
    dparams = RNNParams(W_x=x.T @ da, W_h=h_previous.T @ da, b=da.sum(axis=0))
    return dparams, da @ params.W_x.T, da @ params.W_h.T


# %% [markdown]
# ## Question 1: hold the state (4 points)
#
# A sequence that has ended takes no more steps. Yet the array goes on, because another sequence is longer, and the loop runs over all of it. So the loop needs two different rules for a padded step: the *state* is held, by equation (14.3), so that it is still there at the end; the *output* is zero, by (14.5), since a step that did not happen has no output.
#
# `masked_unroll(params, xs, mask, h_first)` returns `(hs, h_last)`: the outputs of all steps, zero on padding, and for each sequence the state after its own last step, equation (14.4).
#
# | | shape |
# |---|---|
# | `params` | `RNNParams` |
# | `xs` | $(T, B, D)$, anything on padding |
# | `mask` | $(T, B)$, boolean |
# | `h_first` | $(B, H)$, the state before the first step |
# | returns `hs` | $(T, B, H)$ |
# | returns `h_last` | $(B, H)$ |
#
# <details><summary>Hint 1</summary>
#
# Take the step for the whole batch, as you always did. Then decide, sequence by sequence, whether the step happened. What is the state of a sequence for which it did not?
#
# </details>
# <details><summary>Hint 2</summary>
#
# Keep two variables: the state, which goes from step to step, and the output, which is collected. On padding they are not the same array.
#
# </details>
# <details><summary>Hint 3</summary>
#
# `mask[t][:, None]` has the shape $(B, 1)$ and goes with $(B, H)$. `np.where(keep, new, old)` is one choice for the state; a second choice makes the output of it.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "masked_unroll", "locked": false, "schema_version": 3, "solution": true, "task": false}
def masked_unroll(params, xs, mask, h_first):
    """Return (hs, h_last): the outputs, (T, B, H), zero on padding, and each sequence's own last state, (B, H)."""
    ### BEGIN SOLUTION
    h, hs = h_first, []
    for x, keep in zip(xs, mask[..., None]):
        h = np.where(keep, rnn_step(params, x, h), h)  # (14.3)
        hs.append(np.where(keep, h, 0))  # (14.5)
    return np.stack(hs), h
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "check_masked_unroll", "locked": true, "schema_version": 3, "solution": false, "task": false}
from rnn_course import check

check("04_masks", masked_unroll)

# %% nbgrader={"grade": true, "grade_id": "test_masked_unroll", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# The hidden tests of masked_unroll, 4 points. Leave this cell as it is.
### BEGIN HIDDEN TESTS
from rnn_course import hidden_test

hidden_test("04_masks", masked_unroll, points=4)
### END HIDDEN TESTS

# %% [markdown]
# ## Question 2: back through the padding (8 points)
#
# Two rules forward make three backward. A padded output was zero whatever the state was, so the gradient that arrives at it is left out, (14.6). A padded step was not taken, so no gradient reaches it, its input or the weights, (14.7) and (14.9). But a state that was held went *through* the padding, and so must its gradient: unchanged, (14.8). If you leave one of them out, training still seems to work. A comparison with each sequence alone shows the mistake, and that is what the check below does.
#
# `masked_unroll_backward(params, xs, mask, h_first, hs, dhs, dh_last)` returns `(dparams, dxs, dh_first)`. The gradient `dhs` arrives at the outputs, `dh_last` at the last states. The gradients of the weights are added up over the steps, as in (3.13).
#
# | | shape |
# |---|---|
# | `params`, `xs`, `mask`, `h_first` | as in question 1 |
# | `hs`, which `masked_unroll` returned | $(T, B, H)$, zero on padding |
# | `dhs` | $(T, B, H)$, anything on padding |
# | `dh_last` | $(B, H)$ |
# | returns `dparams` | `RNNParams`, each field of the shape of the parameter |
# | returns `dxs` | $(T, B, D)$ |
# | returns `dh_first` | $(B, H)$ |
#
# <details><summary>Hint 1</summary>
#
# Write the loop back of assignment 1 first, with no mask in it. Then find the three places where a padded step must differ from a real one. You will need the mask three times.
#
# </details>
# <details><summary>Hint 2</summary>
#
# The state before a step is `hs[t - 1]`, and on padding that is zero and not what was held. Why does that not matter? Look at the gradient that it is multiplied by.
#
# </details>
# <details><summary>Hint 3</summary>
#
# Within a step, in this order: add what arrives at the output, where it is real; give the sum to `rnn_step_backward`, with zeros where it is padding; then choose, for each sequence, between the gradient that came back from the step and the one that you had. That last choice is the one of question 1, on the way back.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "masked_unroll_backward", "locked": false, "schema_version": 3, "solution": true, "task": false}
def masked_unroll_backward(params, xs, mask, h_first, hs, dhs, dh_last):
    """Return (dparams, dxs, dh_first): the gradients of what `masked_unroll` was given."""
    ### BEGIN SOLUTION
    previous_hs = [h_first, *hs[:-1]]
    dparams, dxs, dh = RNNParams(*(np.zeros_like(p) for p in params)), [], dh_last
    for x, keep, h_previous, h, dh_out in reversed(
        list(zip(xs, mask[..., None], previous_hs, hs, dhs))
    ):
        dh = dh + np.where(keep, dh_out, 0)  # (14.6)
        dparams_t, dx, dprevious = rnn_step_backward(
            params, x, h_previous, h, np.where(keep, dh, 0)
        )  # (14.7)
        dh = np.where(keep, dprevious, dh)  # (14.8)
        dparams = RNNParams(*(total + part for total, part in zip(dparams, dparams_t)))
        dxs.append(dx)
    return dparams, np.stack(dxs[::-1]), dh
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "check_masked_unroll_backward", "locked": true, "schema_version": 3, "solution": false, "task": false}
check("04_masks", masked_unroll_backward)

# %% nbgrader={"grade": true, "grade_id": "test_masked_unroll_backward", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
# The hidden tests of masked_unroll_backward, 8 points. Leave this cell as it is.
### BEGIN HIDDEN TESTS
hidden_test("04_masks", masked_unroll_backward, points=8)
### END HIDDEN TESTS

# %% [markdown]
# ## Question 3: each sequence's own last step (2 points)
#
# A network that reads a whole sentence and then answers once needs the output of its last step. In a batch, that step is different for each sequence: $T_n$, equation (14.10). The last row of the array is the last step of the longest sequence alone.
#
# `last_outputs(hs, mask)` returns `y`. Here `hs` comes from a layer without masks: it may hold any numbers on padding.
#
# | | shape |
# |---|---|
# | `hs` | $(T, B, H)$ |
# | `mask` | $(T, B)$ |
# | returns `y` | $(B, H)$ |
#
# <details><summary>Hint 1</summary>
#
# You are not given the lengths, but they are in the mask. How do you count the real steps of a sequence?
#
# </details>
# <details><summary>Hint 2</summary>
#
# Step $T_n$, counted from 1 as in the equations, has which index in an array? Try it with a sequence of length 1.
#
# </details>
# <details><summary>Hint 3</summary>
#
# NumPy takes two arrays of indices of the same length and picks one place for each pair: the steps are one of them, the numbers of the sequences are the other.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "last_outputs", "locked": false, "schema_version": 3, "solution": true, "task": false}
def last_outputs(hs, mask):
    """Return y: the output of each sequence at its own last step, (B, H)."""
    ### BEGIN SOLUTION
    return hs[mask.sum(axis=0) - 1, np.arange(mask.shape[1])]
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "check_last_outputs", "locked": true, "schema_version": 3, "solution": false, "task": false}
check("04_masks", last_outputs)

# %% nbgrader={"grade": true, "grade_id": "test_last_outputs", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The hidden tests of last_outputs, 2 points. Leave this cell as it is.
### BEGIN HIDDEN TESTS
hidden_test("04_masks", last_outputs, points=2)
### END HIDDEN TESTS

# %% [markdown]
# ## Question 4: and its gradient (2 points)
#
# `last_outputs` uses one entry of each sequence and no other. `last_outputs_backward(dy, mask)` returns `dhs`, the second half of (14.10).
#
# | | shape |
# |---|---|
# | `dy`, the gradient of what `last_outputs` returned | $(B, H)$ |
# | `mask` | $(T, B)$ |
# | returns `dhs` | $(T, B, H)$ |
#
# <details><summary>Hint 1</summary>
#
# Of all the steps of a sequence, how many had a part in `y`? What is the gradient of the others?
#
# </details>
# <details><summary>Hint 2</summary>
#
# Each entry of `dy` goes back to the place that its entry of `y` came from. You found that place in question 3.
#
# </details>
# <details><summary>Hint 3</summary>
#
# Make an array of zeros, and write `dy` into it with the same pair of indices. It is your own array, so you may write into it.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "last_outputs_backward", "locked": false, "schema_version": 3, "solution": true, "task": false}
def last_outputs_backward(dy, mask):
    """Return dhs: the gradient of what `last_outputs` was given, (T, B, H)."""
    ### BEGIN SOLUTION
    dhs = np.zeros((*mask.shape, dy.shape[1]))
    dhs[mask.sum(axis=0) - 1, np.arange(mask.shape[1])] = dy
    return dhs
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "check_last_outputs_backward", "locked": true, "schema_version": 3, "solution": false, "task": false}
check("04_masks", last_outputs_backward)

# %% nbgrader={"grade": true, "grade_id": "test_last_outputs_backward", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The hidden tests of last_outputs_backward, 2 points. Leave this cell as it is.
### BEGIN HIDDEN TESTS
hidden_test("04_masks", last_outputs_backward, points=2)
### END HIDDEN TESTS

# %% [markdown]
# ## Question 5: a mean over what is real (4 points)
#
# Now a network that answers at every step, and its loss: the cross-entropy of a softmax. A padded step has no right answer, so it belongs neither to the sum of the losses nor to the number that the sum is divided by. The second half of that sentence is often forgotten. If you divide by $TB$, one long sentence makes the learning rate of all others in its batch smaller, equation (14.12).
#
# `masked_loss(logits, targets, mask)` returns `(loss, dlogits)`: the mean (14.11) over all real steps, each counting the same, and its gradient. The loss of one step is that of (5.13), in nats, and its gradient is (5.12) with a temperature of 1.
#
# Some logits are near 1000. The softmax depends only on differences, so it is well defined, but `np.exp` of such a number overflows. Equation (5.6) shows what to do.
#
# | | shape |
# |---|---|
# | `logits` | $(T, B, V)$, anything on padding |
# | `targets` | $(T, B)$, whole numbers from 0 to $V - 1$, anything among them on padding |
# | `mask` | $(T, B)$ |
# | returns `loss` | a number |
# | returns `dlogits` | $(T, B, V)$ |
#
# <details><summary>Hint 1</summary>
#
# Forget the mask at first: what is the loss of one step, and its gradient? Then give each step a weight. The weights add up to 1, and padding has none.
#
# </details>
# <details><summary>Hint 2</summary>
#
# Take the logarithm of the softmax by (5.7), not the softmax first: $e^{1000}$ is never computed then. The probabilities are the `np.exp` of what you get.
#
# </details>
# <details><summary>Hint 3</summary>
#
# `np.eye(V)[targets]` has a 1 at each target, so a product with it and a sum over the last axis picks the logarithm that you want. The gradient is the probabilities minus it, times the weight of the step, with an axis for $V$.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "masked_loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
def masked_loss(logits, targets, mask):
    """Return (loss, dlogits): the mean cross-entropy over the real steps, and its gradient, (T, B, V)."""
    ### BEGIN SOLUTION
    weights = (mask / mask.sum())[..., None]
    z = logits - logits.max(axis=-1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
    onehot = np.eye(logits.shape[-1])[targets]
    return -np.sum(weights * onehot * log_p), weights * (np.exp(log_p) - onehot)
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "check_masked_loss", "locked": true, "schema_version": 3, "solution": false, "task": false}
check("04_masks", masked_loss)

# %% nbgrader={"grade": true, "grade_id": "test_masked_loss", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# The hidden tests of masked_loss, 4 points. Leave this cell as it is.
### BEGIN HIDDEN TESTS
hidden_test("04_masks", masked_loss, points=4)
### END HIDDEN TESTS

# %% [markdown]
# ## Question 6: turn each within its own length (2 points)
#
# The second network reads from the end, and each sequence has its own end. Chapter 14 turns the whole array and its mask, (14.13), and lets the padding come first. You use the other way, that of its exercise 5: turn each sequence within its own length, so that the padding stays at the end and the mask stays as it is.
#
# `reverse_padded(xs, mask)` returns `turned`: $x_{T_n}$ first, $x_1$ at step $T_n$, and zeros after it, whatever was there. It is the $R$ of (13.4) with $T_n$ in the place of $T$.
#
# | | shape |
# |---|---|
# | `xs` | $(T, B, D)$, anything on padding |
# | `mask` | $(T, B)$ |
# | returns `turned` | $(T, B, D)$, zero on padding |
#
# Such a turn exchanges real steps in pairs, the first with the last and so on. So it is its own backward, (13.6): question 8 will need that.
#
# <details><summary>Hint 1</summary>
#
# Write down the indices 0, 1, 2, 3 of a sequence of length 4, and below them where each entry of the turned sequence comes from. What is the sum of the two?
#
# </details>
# <details><summary>Hint 2</summary>
#
# A loop over the sequences will do: cut one to its length, turn it, write it into an array of zeros. Or use one array of indices for all.
#
# </details>
# <details><summary>Hint 3</summary>
#
# With `n` for the length of sequence `b`: the first `n` rows of its column in the new array are the first `n` rows of its column in `xs`, read with a step of -1. Cut first, then turn.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "reverse_padded", "locked": false, "schema_version": 3, "solution": true, "task": false}
def reverse_padded(xs, mask):
    """Return turned: each sequence reversed within its own length, followed by zeros, (T, B, D)."""
    ### BEGIN SOLUTION
    steps, sequences = np.arange(len(mask))[:, None], np.arange(mask.shape[1])
    source = np.where(mask, mask.sum(axis=0) - 1 - steps, steps)
    return np.where(mask[..., None], xs[source, sequences], 0)
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "check_reverse_padded", "locked": true, "schema_version": 3, "solution": false, "task": false}
check("04_masks", reverse_padded)

# %% nbgrader={"grade": true, "grade_id": "test_reverse_padded", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The hidden tests of reverse_padded, 2 points. Leave this cell as it is.
### BEGIN HIDDEN TESTS
hidden_test("04_masks", reverse_padded, points=2)
### END HIDDEN TESTS

# %% [markdown]
# Two networks now, each with its own weights. They may have different sizes: the first has $H$ units, the second $K$.


# %% nbgrader={"grade": false, "grade_id": "given_both", "locked": true, "schema_version": 3, "solution": false, "task": false}
class BidirectionalParams(NamedTuple):
    forwards: RNNParams  # of the first reading, H units
    backwards: RNNParams  # of the second reading, K units


# %% [markdown]
# ## Question 7: two readings (3 points)
#
# At step $t$ a network has read $x_1$ to $x_t$. A second one that comes from the end has read $x_{T_n}$ to $x_t$. Side by side, (13.9), they know the whole sequence at every step, but only if both outputs belong to the *same* step: hence the turn before the reading and the turn after it, (13.5).
#
# `bidirectional(params, xs, mask, h_first, h_end)` returns `(ys, ends)`. `ys` is $[\overrightarrow{h}_t, \overleftarrow{h}_t]$ at every step, zero on padding. `ends` is the answer to the whole sequence, (13.13): the state of each reading when it has read everything.
#
# | | shape |
# |---|---|
# | `params` | `BidirectionalParams` |
# | `xs`, `mask` | $(T, B, D)$ and $(T, B)$ |
# | `h_first`, the state before the first reading's first step | $(B, H)$ |
# | `h_end`, the state before the second reading's first step, which is at $x_{T_n}$ | $(B, K)$ |
# | returns `ys` | $(T, B, H + K)$ |
# | returns `ends` | $(B, H + K)$ |
#
# <details><summary>Hint 1</summary>
#
# You have everything: questions 1 and 6. Which of them do you call twice? One of them, or both?
#
# </details>
# <details><summary>Hint 2</summary>
#
# Where has the second reading read everything? At step 1 of the sequence, which is its own last step. `masked_unroll` returns that state, so you need not look for a row of an array.
#
# </details>
# <details><summary>Hint 3</summary>
#
# The second reading is (13.5) word for word: `masked_unroll` of the turned inputs, and its outputs turned. Its last state is not turned, for it has no axis of time. Then `np.concatenate` over the last axis, twice.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "bidirectional", "locked": false, "schema_version": 3, "solution": true, "task": false}
def bidirectional(params, xs, mask, h_first, h_end):
    """Return (ys, ends): both readings at every step, (T, B, H + K), and the last state of each, (B, H + K)."""
    ### BEGIN SOLUTION
    forwards, h_last = masked_unroll(params.forwards, xs, mask, h_first)
    backwards, h_last_read = masked_unroll(params.backwards, reverse_padded(xs, mask), mask, h_end)
    ys = np.concatenate([forwards, reverse_padded(backwards, mask)], axis=-1)
    return ys, np.concatenate([h_last, h_last_read], axis=-1)
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "check_bidirectional", "locked": true, "schema_version": 3, "solution": false, "task": false}
check("04_masks", bidirectional)

# %% nbgrader={"grade": true, "grade_id": "test_bidirectional", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# The hidden tests of bidirectional, 3 points. Leave this cell as it is.
### BEGIN HIDDEN TESTS
hidden_test("04_masks", bidirectional, points=3)
### END HIDDEN TESTS

# %% [markdown]
# ## Question 8: both readings back (5 points)
#
# Each $x_t$ is read twice, so its gradient is a sum of two, (13.8). Each reading goes back by question 2. And a turn is its own backward, so what you turned on the way forward is turned on the way back, (13.7). The difficulty is to keep track of four arrays: which of them are in the order of the sequence, and which in the order in which the second network read?
#
# `bidirectional_backward(params, xs, mask, h_first, h_end, ys, dys, dends)` returns `(dparams, dxs, dh_first, dh_end)`.
#
# | | shape |
# |---|---|
# | `params`, `xs`, `mask`, `h_first`, `h_end` | as in question 7 |
# | `ys`, which `bidirectional` returned, and `dys` | $(T, B, H + K)$; in `dys` anything on padding |
# | `dends` | $(B, H + K)$ |
# | returns `dparams` | `BidirectionalParams` of two `RNNParams` |
# | returns `dxs` | $(T, B, D)$ |
# | returns `dh_first`, `dh_end` | $(B, H)$, $(B, K)$ |
#
# <details><summary>Hint 1</summary>
#
# Cut first, (13.9): what was joined at the last axis of `ys` is cut at the same place in `dys` and in `dends`. The place is $H$, not the middle.
#
# </details>
# <details><summary>Hint 2</summary>
#
# Write down the call of `masked_unroll_backward` for the second network and look at each argument with an axis of time. It wants all of them in the order in which the second network read. `ys` and `dys` have them in the order of the sequence.
#
# </details>
# <details><summary>Hint 3</summary>
#
# In that call three arrays are turned: the inputs, the second half of `ys` and the second half of `dys`. Of what it returns, one thing has an axis of time; it is turned back before it is added to the `dxs` of the first reading.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "bidirectional_backward", "locked": false, "schema_version": 3, "solution": true, "task": false}
def bidirectional_backward(params, xs, mask, h_first, h_end, ys, dys, dends):
    """Return (dparams, dxs, dh_first, dh_end): the gradients of what `bidirectional` was given."""
    ### BEGIN SOLUTION
    H = h_first.shape[1]
    first = params.forwards, xs, mask, h_first, ys[..., :H], dys[..., :H], dends[:, :H]
    dforwards, dxs_first, dh_first = masked_unroll_backward(*first)
    turned = (reverse_padded(array, mask) for array in (ys[..., H:], dys[..., H:]))
    second = params.backwards, reverse_padded(xs, mask), mask, h_end, *turned, dends[:, H:]
    dbackwards, dxs_second, dh_end = masked_unroll_backward(*second)
    dxs = dxs_first + reverse_padded(dxs_second, mask)  # (13.8)
    return BidirectionalParams(dforwards, dbackwards), dxs, dh_first, dh_end
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "check_bidirectional_backward", "locked": true, "schema_version": 3, "solution": false, "task": false}
check("04_masks", bidirectional_backward)

# %% nbgrader={"grade": true, "grade_id": "test_bidirectional_backward", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
# The hidden tests of bidirectional_backward, 5 points. Leave this cell as it is.
### BEGIN HIDDEN TESTS
hidden_test("04_masks", bidirectional_backward, points=5)
### END HIDDEN TESTS

# %% [markdown]
# Now use what you have written. A tagger: two readings, a dense layer, your loss, and one gradient through all of it. Three sentences of 6, 4 and 1 steps are padded to 6, then with 10 and with 100 steps more, and the padding is garbage.
#
# Before you run the cell, predict: which of the three numbers change from line to line? The last is the mean with the padding counted as zeros, (14.12). If one of the first two moves, padding leaks.

# %% nbgrader={"grade": false, "grade_id": "check_padding", "locked": true, "schema_version": 3, "solution": false, "task": false}
rng = np.random.default_rng(0)
B, D, H, K, V = 3, 4, 5, 6, 7
lengths = np.array([6, 4, 1])
shapes = [(D, H), (H, H), (H,), (D, K), (K, K), (K,)]
weights = [rng.standard_normal(shape) / 2 for shape in shapes]
params = BidirectionalParams(RNNParams(*weights[:3]), RNNParams(*weights[3:]))
W, starts = (
    rng.standard_normal((H + K, V)),
    (rng.standard_normal((B, H)), rng.standard_normal((B, K))),
)
sentences, answers = rng.standard_normal((6, B, D)), rng.integers(V, size=(6, B))

for extra in (0, 10, 100):
    mask = np.arange(6 + extra)[:, None] < lengths
    garbage = rng.standard_normal((6 + extra, B, D))
    garbage[:6] = sentences
    xs = np.where(mask[..., None], garbage, 100 * garbage)
    targets = np.concatenate([answers, rng.integers(V, size=(extra, B))])
    ys, ends = bidirectional(params, xs, mask, *starts)
    loss, dlogits = masked_loss(ys @ W, targets, mask)
    dparams, dxs, *_ = bidirectional_backward(
        params, xs, mask, *starts, ys, dlogits @ W.T, np.zeros_like(ends)
    )
    size = np.sqrt(sum(np.sum(d**2) for d in (*dparams.forwards, *dparams.backwards)))
    print(
        f"{6 + extra:3} steps: loss {loss:.6f}, gradient of the weights {size:.6f}, loss over all rows {loss * mask.mean():.6f}"
    )
