# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Assignment 1: the vanilla network, forward and through time
#
# You write a recurrent network and its gradient by hand. Below each function, a check says at once whether it is right.
#
# | | |
# |---|---|
# | You will be able to | turn equations (1.6) and (1.7) into code; take one step back through them; carry a gradient through time and say where each of its terms comes from; measure how a gradient fades |
# | You need | Chapters 01 *The recurrence*, 02 *One step back* and 03 *Through time* |
# | Time | 4 hours |
# | Points | 25 |
#
# How it works:
#
# - Write your code where a cell says `raise NotImplementedError`. Everything else may stay as it is. You may add cells of your own.
# - Below each question, a cell checks your function on small random networks, and says which of its outputs are wrong and where. A check that passes is no guarantee: your function will be graded on other networks, of other sizes.
# - Your functions may use NumPy and Python's standard library. No other library is there when they are graded.
# - A function returns new arrays. It does not change its arguments, and it keeps nothing from one call to the next.
# - Each output of a function earns its own share of the points, and each function is graded on its own, with right inputs: a mistake in one does not cost you points in the next.
# - Stuck? Each question has three hints. The first is a question, the last is nearly the answer. Open them one at a time.
#
# The letters are those of the chapters: $T$ steps, $B$ sequences in a batch, $D$ inputs, $H$ hidden units. `dx` is the gradient of the loss with respect to `x`, and has its shape.

# %% nbgrader={"grade": false, "grade_id": "given_params", "locked": true, "schema_version": 3, "solution": false, "task": false}
from typing import NamedTuple

import numpy as np


class RNNParams(NamedTuple):
    W_x: np.ndarray  # (D, H)
    W_h: np.ndarray  # (H, H)
    b: np.ndarray  # (H,)


# %% [markdown]
# ## Question 1: one step (3 points)
#
# `rnn_step(params, x, h_previous)` returns the new state `h`, by equations (1.6) and (1.7) of Chapter 1.
#
# | | shape |
# |---|---|
# | `params` | `RNNParams`: `W_x` $(D, H)$, `W_h` $(H, H)$, `b` $(H,)$ |
# | `x` | $(B, D)$, one input for each sequence |
# | `h_previous` | $(B, H)$ |
# | returns `h` | $(B, H)$ |
#
# <details><summary>Hint 1</summary>
#
# Three terms make the pre-activation. Which of them depend on the sequence, and which is the same for all?
#
# </details>
# <details><summary>Hint 2</summary>
#
# A batch has its sequences in rows. So a row of $x$ meets the *columns* of $W_x$: $x$ is on the left of the product.
#
# </details>
# <details><summary>Hint 3</summary>
#
# Two products with `@`, one bias that NumPy spreads over the rows, one `np.tanh` around the sum.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "rnn_step", "locked": false, "schema_version": 3, "solution": true, "task": false}
def rnn_step(params, x, h_previous):
    """Return h: the state after one step, (B, H)."""
    ### BEGIN SOLUTION
    return np.tanh(x @ params.W_x + h_previous @ params.W_h + params.b)
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "check_rnn_step", "locked": true, "schema_version": 3, "solution": false, "task": false}
from rnn_course import check

check("01_vanilla", rnn_step)

# %% nbgrader={"grade": true, "grade_id": "test_rnn_step", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# The hidden tests of rnn_step, 3 points. Leave this cell as it is.
### BEGIN HIDDEN TESTS
from rnn_course import hidden_test

hidden_test("01_vanilla", rnn_step, points=3)
### END HIDDEN TESTS

# %% [markdown]
# ## Question 2: one step back (6 points)
#
# `rnn_step_backward(params, x, h_previous, h, dh)` returns `(dparams, dx, dh_previous)`: the gradient of everything that `rnn_step` was given, by equations (2.6) and (2.8) to (2.12) of Chapter 2. You are given `h`, which `rnn_step` returned, so that you need not compute it again.
#
# | | shape |
# |---|---|
# | `params`, `x`, `h_previous` | as in question 1 |
# | `h`, and `dh`, the gradient that arrives at it | $(B, H)$ |
# | returns `dparams` | `RNNParams`, each field of the shape of the parameter |
# | returns `dx` | $(B, D)$ |
# | returns `dh_previous` | $(B, H)$ |
#
# <details><summary>Hint 1</summary>
#
# Go back the way you came: the last thing the step did was the tanh. Find `da`, the gradient of what was inside it, first.
#
# </details>
# <details><summary>Hint 2</summary>
#
# The slope of tanh can be written with its value alone, and its value is `h`. Once you have `da`, five gradients are left, and each of them contains `da` exactly once.
#
# </details>
# <details><summary>Hint 3</summary>
#
# Let the shapes lead you: of $x$, $(B, D)$, and `da`, $(B, H)$, only one product has the shape $(D, H)$. But $W_h$ is square, and there the shapes do not help: read the indices in (2.12).
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "rnn_step_backward", "locked": false, "schema_version": 3, "solution": true, "task": false}
def rnn_step_backward(params, x, h_previous, h, dh):
    """Return (dparams, dx, dh_previous): the gradients of what `rnn_step` was given."""
    ### BEGIN SOLUTION
    da = dh * (1 - h**2)
    dparams = RNNParams(W_x=x.T @ da, W_h=h_previous.T @ da, b=da.sum(axis=0))
    return dparams, da @ params.W_x.T, da @ params.W_h.T
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "check_rnn_step_backward", "locked": true, "schema_version": 3, "solution": false, "task": false}
check("01_vanilla", rnn_step_backward)

# %% nbgrader={"grade": true, "grade_id": "test_rnn_step_backward", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
# The hidden tests of rnn_step_backward, 6 points. Leave this cell as it is.
### BEGIN HIDDEN TESTS
hidden_test("01_vanilla", rnn_step_backward, points=6)
### END HIDDEN TESTS

# %% [markdown]
# ## Question 3: through time, forward (3 points)
#
# `rnn_unroll(params, xs, h_first)` runs the step over a sequence and returns all its states, equation (3.1) of Chapter 3.
#
# | | shape |
# |---|---|
# | `xs` | $(T, B, D)$, time first |
# | `h_first` | $(B, H)$, the state before the first step |
# | returns `hs` | $(T, B, H)$: `hs[0]` is the state *after* the first step |
#
# <details><summary>Hint 1</summary>
#
# A loop over `xs` gives you one `x` of shape $(B, D)$ at a time. What else does a step need, and where does that come from?
#
# </details>
# <details><summary>Hint 2</summary>
#
# Keep one variable for the state. It begins as `h_first`, and every step replaces it. Replace the variable; do not write into its array.
#
# </details>
# <details><summary>Hint 3</summary>
#
# Collect the states in a list, and `np.stack` the list at the end.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "rnn_unroll", "locked": false, "schema_version": 3, "solution": true, "task": false}
def rnn_unroll(params, xs, h_first):
    """Return hs: the states after each step, (T, B, H)."""
    ### BEGIN SOLUTION
    h, hs = h_first, []
    for x in xs:
        h = rnn_step(params, x, h)
        hs.append(h)
    return np.stack(hs)
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "check_rnn_unroll", "locked": true, "schema_version": 3, "solution": false, "task": false}
check("01_vanilla", rnn_unroll)

# %% nbgrader={"grade": true, "grade_id": "test_rnn_unroll", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# The hidden tests of rnn_unroll, 3 points. Leave this cell as it is.
### BEGIN HIDDEN TESTS
hidden_test("01_vanilla", rnn_unroll, points=3)
### END HIDDEN TESTS

# %% [markdown]
# ## Question 4: through time, backward (9 points)
#
# `rnn_unroll_backward(params, xs, h_first, hs, dhs, dh_last)` returns `(dparams, dxs, dh_first)`, by equations (3.10), (3.13) and (3.14).
#
# The loss depends on every state, and on the last one once more, as in (3.2). So two kinds of gradient arrive: `dhs[t]` at each state from its own loss, and `dh_last` at the last state from whatever continues there.
#
# | | shape |
# |---|---|
# | `params`, `xs`, `h_first` | as in question 3 |
# | `hs`, which `rnn_unroll` returned, and `dhs` | $(T, B, H)$ |
# | `dh_last` | $(B, H)$ |
# | returns `dparams` | `RNNParams` |
# | returns `dxs` | $(T, B, D)$ |
# | returns `dh_first` | $(B, H)$ |
#
# <details><summary>Hint 1</summary>
#
# Ask of each state where it is used. The answer is the number of terms in its gradient. Then ask the same of $W_h$.
#
# </details>
# <details><summary>Hint 2</summary>
#
# Go back from the last step with one variable: the gradient that comes from the step after. What is it before your loop begins? And what do you call it when the loop has ended?
#
# </details>
# <details><summary>Hint 3</summary>
#
# `rnn_step_backward` does a whole step. Its `h_previous` is the state before the step: `hs[t - 1]`, except at one place. Add up its `dparams`, collect its `dx` (in which order do they come?), and carry its `dh_previous`.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "rnn_unroll_backward", "locked": false, "schema_version": 3, "solution": true, "task": false}
def rnn_unroll_backward(params, xs, h_first, hs, dhs, dh_last):
    """Return (dparams, dxs, dh_first): the gradients of what `rnn_unroll` was given."""
    ### BEGIN SOLUTION
    previous_hs = [h_first, *hs[:-1]]
    dparams, dxs, dh = RNNParams(*(np.zeros_like(p) for p in params)), [], dh_last
    for x, h_previous, h, dh_out in reversed(list(zip(xs, previous_hs, hs, dhs))):
        dparams_t, dx, dh = rnn_step_backward(params, x, h_previous, h, dh_out + dh)
        dparams = RNNParams(*(total + part for total, part in zip(dparams, dparams_t)))
        dxs.append(dx)
    return dparams, np.stack(dxs[::-1]), dh
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "check_rnn_unroll_backward", "locked": true, "schema_version": 3, "solution": false, "task": false}
check("01_vanilla", rnn_unroll_backward)

# %% nbgrader={"grade": true, "grade_id": "test_rnn_unroll_backward", "locked": true, "points": 9, "schema_version": 3, "solution": false, "task": false}
# The hidden tests of rnn_unroll_backward, 9 points. Leave this cell as it is.
### BEGIN HIDDEN TESTS
hidden_test("01_vanilla", rnn_unroll_backward, points=9)
### END HIDDEN TESTS

# %% [markdown]
# ## Question 5: how a gradient fades (4 points)
#
# Let only the last state have a loss, with the gradient `dh_last`. How much of it is left $k$ steps earlier?
#
# `gradient_norms(params, hs, dh_last)` returns an array of norms: in row `t`, for each sequence, the Euclidean norm of the gradient at `hs[t]`. It is (3.10) with $dh_t^{\text{out}} = 0$, so row $T - 1$ is the norm of `dh_last` itself.
#
# | | shape |
# |---|---|
# | `hs` | $(T, B, H)$ |
# | `dh_last` | $(B, H)$ |
# | returns `norms` | $(T, B)$ |
#
# <details><summary>Hint 1</summary>
#
# The loop is the one of question 4, but shorter: the gradients of inputs and parameters are not asked for.
#
# </details>
# <details><summary>Hint 2</summary>
#
# Measure first, then take the step back. The first gradient that you measure is `dh_last`; the gradient before the first step is not asked for.
#
# </details>
# <details><summary>Hint 3</summary>
#
# `np.linalg.norm(dh, axis=1)` has one number for each sequence. You collect them from the last step to the first.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "gradient_norms", "locked": false, "schema_version": 3, "solution": true, "task": false}
def gradient_norms(params, hs, dh_last):
    """Return norms: the norm of the gradient at each state, for each sequence, (T, B)."""
    ### BEGIN SOLUTION
    dh, norms = dh_last, []
    for h in hs[::-1]:
        norms.append(np.linalg.norm(dh, axis=1))
        dh = (dh * (1 - h**2)) @ params.W_h.T
    return np.stack(norms[::-1])
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "check_gradient_norms", "locked": true, "schema_version": 3, "solution": false, "task": false}
check("01_vanilla", gradient_norms)

# %% nbgrader={"grade": true, "grade_id": "test_gradient_norms", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# The hidden tests of gradient_norms, 4 points. Leave this cell as it is.
### BEGIN HIDDEN TESTS
hidden_test("01_vanilla", gradient_norms, points=4)
### END HIDDEN TESTS

# %% [markdown]
# Now use what you have written. Before you run the next cell, predict: with $W_h$ scaled so that its largest singular value is 0.5, 1 and 2, what is left of the gradient after 40 steps? Chapter 6 explains what you see.

# %% nbgrader={"grade": false, "grade_id": "check_fading", "locked": true, "schema_version": 3, "solution": false, "task": false}
rng = np.random.default_rng(0)
T, B, D, H = 40, 1, 3, 8
W = rng.standard_normal((H, H))
for scale in (0.5, 1.0, 2.0):
    params = RNNParams(
        rng.standard_normal((D, H)) / 4, scale * W / np.linalg.norm(W, 2), np.zeros(H)
    )
    hs = rnn_unroll(params, rng.standard_normal((T, B, D)), np.zeros((B, H)))
    norms = gradient_norms(params, hs, np.ones((B, H)))
    print(
        f"largest singular value {scale}: {norms[0, 0] / norms[-1, 0]:.0e} of the gradient reaches the first step"
    )
