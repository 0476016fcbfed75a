# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Assignment 3: the GRU, in both forms
#
# Two different functions are called GRU, and each is written with two meanings of $z$. You write both functions, forward and backward, and the conversion between the meanings. At the end, two calls show you which of the four a given GRU is.
#
# | | |
# |---|---|
# | You will be able to | write a step of the GRU with the reset after the matrix and before it; take each of them back, gate by gate, along all four paths to the old state; say where the two forms differ; carry weights from one convention for z to the other |
# | You need | Chapters 02 *One step back* and 12 *The GRU* |
# | Time | 4 hours |
# | Points | 30 |
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
# The letters are those of Chapter 12: $B$ sequences in a batch, $D$ inputs, $H$ hidden units; $r$ is the reset gate, $z$ the update gate, $n$ the candidate. Everything here is a single step, so there is no $T$. Wherever the gates are side by side in one array, their order is $r, z, n$.

# %% nbgrader={"grade": false, "grade_id": "given_params", "locked": true, "schema_version": 3, "solution": false, "task": false}
from typing import NamedTuple

import numpy as np


class GRUParams(NamedTuple):
    """Reset after the matrix."""

    W_x: np.ndarray  # (D, 3H), of r, z and n
    W_h: np.ndarray  # (H, 3H), of r, z and n
    b: np.ndarray  # (3H,)
    b_hn: np.ndarray  # (H,)


class GRUBeforeParams(NamedTuple):
    """Reset before the matrix."""

    W_x: np.ndarray  # (D, 3H), of r, z and n
    W_h: np.ndarray  # (H, 2H), of r and z alone
    b: np.ndarray  # (3H,)
    W_hn: np.ndarray  # (H, H)


class GRUGates(NamedTuple):
    """An array for each gate, and for the candidate."""

    r: np.ndarray  # (B, H)
    z: np.ndarray  # (B, H)
    n: np.ndarray  # (B, H)


def sigmoid(a):
    """Return 1 / (1 + exp(-a))."""
    return 1 / (1 + np.exp(-a))


# %% [markdown]
# ## Question 1: one step, reset after the matrix (4 points)
#
# This is the GRU of PyTorch, and that of Keras as it comes. `gru_step(params, x, h_previous)` returns `(h, gates)`: the new state by equation (12.2), and the gates it was made with, by (12.3) to (12.5). The way back will need them.
#
# | | shape |
# |---|---|
# | `params` | `GRUParams`: `W_x` $(D, 3H)$, `W_h` $(H, 3H)$, `b` $(3H,)$, `b_hn` $(H,)$ |
# | `x` | $(B, D)$ |
# | `h_previous` | $(B, H)$ |
# | returns `h` | $(B, H)$ |
# | returns `gates` | `GRUGates`: `r`, `z`, `n`, each $(B, H)$, after their sigmoid or tanh |
#
# <details><summary>Hint 1</summary>
#
# Two of the three need only the input and the old state. Which one has to wait, and for what?
#
# </details>
# <details><summary>Hint 2</summary>
#
# `np.split(W, 3, axis=1)` cuts a matrix into its three blocks. For a gate, you add what comes from $x$ and what comes from $h_{t-1}$. The candidate keeps the two apart, since $r$ multiplies only one of them. To which of the two does each of its two biases belong?
#
# </details>
# <details><summary>Hint 3</summary>
#
# Compute `a_x = x @ params.W_x + params.b` and `a_h = h_previous @ params.W_h`, and split both into three. A gate is the sigmoid of the sum of its two parts. For the candidate, add `b_hn` to its part of `a_h`, multiply by `r`, and only then add its part of `a_x`. The state is a mean: what it keeps of the old and what it takes of the new add up to one.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "gru_step", "locked": false, "schema_version": 3, "solution": true, "task": false}
def gru_step(params, x, h_previous):
    """Return (h, gates): the state after one step, and the gates it was made with."""
    ### BEGIN SOLUTION
    a_xr, a_xz, a_xn = np.split(x @ params.W_x + params.b, 3, axis=1)
    a_hr, a_hz, a_hn = np.split(h_previous @ params.W_h, 3, axis=1)
    r, z = sigmoid(a_xr + a_hr), sigmoid(a_xz + a_hz)
    n = np.tanh(a_xn + r * (a_hn + params.b_hn))
    return z * h_previous + (1 - z) * n, GRUGates(r, z, n)
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "check_gru_step", "locked": true, "schema_version": 3, "solution": false, "task": false}
from rnn_course import check

check("03_gru", gru_step)

# %% nbgrader={"grade": true, "grade_id": "test_gru_step", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# The hidden tests of gru_step, 4 points. Leave this cell as it is.
### BEGIN HIDDEN TESTS
from rnn_course import hidden_test

hidden_test("03_gru", gru_step, points=4)
### END HIDDEN TESTS

# %% [markdown]
# ## Question 2: back to the gates (6 points)
#
# A mistake between the state and the pre-activations makes every later gradient wrong, and from those gradients you cannot see where it was made. So this part is a separate question, and the check says for each gate whether it is right.
#
# `gate_gradients(params, h_previous, gates, dh)` returns `(da, ds)`. In `da` is the gradient of the pre-activation of each gate and of the candidate, what was inside its sigmoid or tanh: equations (12.11) to (12.14). `ds` is the gradient of $s$, which the reset gate multiplied. You are not given $s$; compute it again by (12.4).
#
# | | shape |
# |---|---|
# | `params`, `h_previous` | as in question 1 |
# | `gates`, which `gru_step` returned | `GRUGates`, each $(B, H)$ |
# | `dh`, the gradient that arrives at the new state | $(B, H)$ |
# | returns `da` | `GRUGates`: $da_r$, $da_z$, $da_n$, each $(B, H)$ |
# | returns `ds` | $(B, H)$ |
#
# <details><summary>Hint 1</summary>
#
# Go through the forward equations from the last to the first, and ask of each array where it is used. Which gate is used twice in (12.2)?
#
# </details>
# <details><summary>Hint 2</summary>
#
# From `dh` you reach $z$ and $n$ at once. There is no direct path to $r$: it acts through the candidate, so it has to wait for $da_n$, the gradient inside the tanh. There, $r$ and $s$ are the two factors of a product.
#
# </details>
# <details><summary>Hint 3</summary>
#
# Three lines, in this order: `da_n`, which is `dh` times the share that the candidate has in the state, times the slope of tanh; `dr` and `ds`, each of which is `da_n` times the other factor; `dz`, which is `dh` times the difference that opening the gate makes. Then `dr` and `dz` go back through a sigmoid, whose slope is written with its value, and its value is in `gates`.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "gate_gradients", "locked": false, "schema_version": 3, "solution": true, "task": false}
def gate_gradients(params, h_previous, gates, dh):
    """Return (da, ds): the gradients of the three pre-activations, and of s = h_previous @ W_hn + b_hn."""
    ### BEGIN SOLUTION
    r, z, n = gates
    s = h_previous @ np.split(params.W_h, 3, axis=1)[2] + params.b_hn
    dz = dh * (h_previous - n)
    da_n = dh * (1 - z) * (1 - n**2)
    dr, ds = da_n * s, da_n * r
    return GRUGates(dr * r * (1 - r), dz * z * (1 - z), da_n), ds
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "check_gate_gradients", "locked": true, "schema_version": 3, "solution": false, "task": false}
check("03_gru", gate_gradients)

# %% nbgrader={"grade": true, "grade_id": "test_gate_gradients", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
# The hidden tests of gate_gradients, 6 points. Leave this cell as it is.
### BEGIN HIDDEN TESTS
hidden_test("03_gru", gate_gradients, points=6)
### END HIDDEN TESTS

# %% [markdown]
# ## Question 3: one step back (6 points)
#
# In the vanilla network and in the LSTM, the same gradient of the pre-activations goes to the input and to the old state. This is the first cell where the two differ: the reset gate is on one path to the candidate and not on the other.
#
# `gru_step_backward(params, x, h_previous, gates, dh)` returns `(dparams, dx, dh_previous)`, by equations (12.15) to (12.17).
#
# | | shape |
# |---|---|
# | `params`, `x`, `h_previous` | as in question 1 |
# | `gates`, `dh` | as in question 2 |
# | returns `dparams` | `GRUParams`, each field of the shape of the parameter |
# | returns `dx` | $(B, D)$ |
# | returns `dh_previous` | $(B, H)$ |
#
# <details><summary>Hint 1</summary>
#
# Everything but the matrix products was done in question 2. Lay its results side by side twice, once as the input sees them and once as the old state does. In which block do the two arrays differ?
#
# </details>
# <details><summary>Hint 2</summary>
#
# Ask of each parameter on which side it is, that of the input or that of the old state, and take the gradient of that side. A bias was added to every row of the batch. And how many times is $h_{t-1}$ used?
#
# </details>
# <details><summary>Hint 3</summary>
#
# `np.hstack([da.r, da.z, da.n])` belongs to `W_x`, `b` and `dx`; the other, which ends in `ds`, to `W_h`. From there on it is the backward of a matrix product, as in Chapter 2. For `dh_previous`, one product with `params.W_h.T` takes three of the paths at once. The fourth goes through no matrix, and needs only `dh` and one gate.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "gru_step_backward", "locked": false, "schema_version": 3, "solution": true, "task": false}
def gru_step_backward(params, x, h_previous, gates, dh):
    """Return (dparams, dx, dh_previous): the gradients of what `gru_step` was given."""
    ### BEGIN SOLUTION
    da, ds = gate_gradients(params, h_previous, gates, dh)
    da_x, da_h = np.hstack([da.r, da.z, da.n]), np.hstack([da.r, da.z, ds])
    dparams = GRUParams(
        W_x=x.T @ da_x, W_h=h_previous.T @ da_h, b=da_x.sum(axis=0), b_hn=ds.sum(axis=0)
    )
    return dparams, da_x @ params.W_x.T, dh * gates.z + da_h @ params.W_h.T
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "check_gru_step_backward", "locked": true, "schema_version": 3, "solution": false, "task": false}
check("03_gru", gru_step_backward)

# %% nbgrader={"grade": true, "grade_id": "test_gru_step_backward", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
# The hidden tests of gru_step_backward, 6 points. Leave this cell as it is.
### BEGIN HIDDEN TESTS
hidden_test("03_gru", gru_step_backward, points=6)
### END HIDDEN TESTS

# %% [markdown]
# ## Question 4: one step, reset before the matrix (2 points)
#
# The GRU of the published paper of Cho et al. puts the reset gate on the other side of the matrix $W_{hn}$. It is another function: except in special cases, no choice of weights turns one into the other. Before you write it, ask what $r = 0$ does to a unit in each form: in one, the unit does not see the old state; in the other, no unit sees the old state of this one. Equation (12.7) says which is which.
#
# `gru_before_step(params, x, h_previous)` returns `(h, gates)`: the gates by (12.3), the candidate by (12.6), the state by (12.2).
#
# | | shape |
# |---|---|
# | `params` | `GRUBeforeParams`: `W_x` $(D, 3H)$, `W_h` $(H, 2H)$, `b` $(3H,)$, `W_hn` $(H, H)$ |
# | `x`, `h_previous` | $(B, D)$, $(B, H)$ |
# | returns `h` | $(B, H)$ |
# | returns `gates` | `GRUGates` |
#
# <details><summary>Hint 1</summary>
#
# Why is $W_{hn}$ no longer in one block with the other two? What has to be known before it can be used?
#
# </details>
# <details><summary>Hint 2</summary>
#
# Copy question 1. Gates and state stay as they are, but `W_h` has two blocks now. One line is new, and $b_{hn}$ is gone: no gate would multiply it.
#
# </details>
# <details><summary>Hint 3</summary>
#
# `r * h_previous` is what the candidate may see of the old state. It goes through `params.W_hn`, and what comes from the input is added, inside the tanh.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "gru_before_step", "locked": false, "schema_version": 3, "solution": true, "task": false}
def gru_before_step(params, x, h_previous):
    """Return (h, gates): the state after one step, reset before the matrix, and the gates it was made with."""
    ### BEGIN SOLUTION
    a_xr, a_xz, a_xn = np.split(x @ params.W_x + params.b, 3, axis=1)
    a_hr, a_hz = np.split(h_previous @ params.W_h, 2, axis=1)
    r, z = sigmoid(a_xr + a_hr), sigmoid(a_xz + a_hz)
    n = np.tanh(a_xn + (r * h_previous) @ params.W_hn)
    return z * h_previous + (1 - z) * n, GRUGates(r, z, n)
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "check_gru_before_step", "locked": true, "schema_version": 3, "solution": false, "task": false}
check("03_gru", gru_before_step)

# %% nbgrader={"grade": true, "grade_id": "test_gru_before_step", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The hidden tests of gru_before_step, 2 points. Leave this cell as it is.
### BEGIN HIDDEN TESTS
hidden_test("03_gru", gru_before_step, points=2)
### END HIDDEN TESTS

# %% [markdown]
# ## Question 5: one step back, reset before the matrix (9 points)
#
# This time you write the whole step. Chapter 12 shows a published page that derives the backward of this form. It has four mistakes, since no code ever ran it. Yours is checked.
#
# `gru_before_step_backward(params, x, h_previous, gates, dh)` returns `(da, dparams, dx, dh_previous)`: from `dh` to $z$ and $n$ by (12.11) and (12.12), through the matrix by (12.18) and (12.19), through the sigmoids by (12.14). Chapter 12 has a table with the paths to $h_{t-1}$ in the two forms, side by side. You return `da` as well, so that the check can say which gate is wrong.
#
# | | shape |
# |---|---|
# | `params`, `x`, `h_previous` | as in question 4 |
# | `gates`, which `gru_before_step` returned | `GRUGates`, each $(B, H)$ |
# | `dh` | $(B, H)$ |
# | returns `da` | `GRUGates`: $da_r$, $da_z$, $da_n$, each $(B, H)$ |
# | returns `dparams` | `GRUBeforeParams`, each field of the shape of the parameter |
# | returns `dx` | $(B, D)$ |
# | returns `dh_previous` | $(B, H)$ |
#
# <details><summary>Hint 1</summary>
#
# Up to $da_n$ all is as before. From there the path no longer forks at $s$ but at $m = r \circ h_{t-1}$, and the matrix comes before the fork.
#
# </details>
# <details><summary>Hint 2</summary>
#
# $a_n$ is an affine map of $m$, so $m$ and $W_{hn}$ get what input and matrix of any product get. And $m$ is a product of two arrays: each of them gets the other. One of the two is the old state. Where does that gradient have to go?
#
# </details>
# <details><summary>Hint 3</summary>
#
# Take `da_n` back through `params.W_hn`, transposed, and call the result `dm`; the matrix itself gets `m.T @ da_n`. Then `dr` is `dm` times one factor of $m$, and a term of `dh_previous` is `dm` times the other. Lay three gradients side by side for the input, two for `W_h`. `dh_previous` has two terms without `W_h`: this one, and the one of what the gate kept.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "gru_before_step_backward", "locked": false, "schema_version": 3, "solution": true, "task": false}
def gru_before_step_backward(params, x, h_previous, gates, dh):
    """Return (da, dparams, dx, dh_previous): the gradients of the pre-activations, and of what `gru_before_step` was given."""
    ### BEGIN SOLUTION
    r, z, n = gates
    da_n = dh * (1 - z) * (1 - n**2)
    dm = da_n @ params.W_hn.T
    da_r = dm * h_previous * r * (1 - r)
    da_z = dh * (h_previous - n) * z * (1 - z)
    da_x, da_h = np.hstack([da_r, da_z, da_n]), np.hstack([da_r, da_z])
    dW_hn = (r * h_previous).T @ da_n
    dparams = GRUBeforeParams(
        W_x=x.T @ da_x, W_h=h_previous.T @ da_h, b=da_x.sum(axis=0), W_hn=dW_hn
    )
    return (
        GRUGates(da_r, da_z, da_n),
        dparams,
        da_x @ params.W_x.T,
        dh * z + dm * r + da_h @ params.W_h.T,
    )
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "check_gru_before_step_backward", "locked": true, "schema_version": 3, "solution": false, "task": false}
check("03_gru", gru_before_step_backward)

# %% nbgrader={"grade": true, "grade_id": "test_gru_before_step_backward", "locked": true, "points": 9, "schema_version": 3, "solution": false, "task": false}
# The hidden tests of gru_before_step_backward, 9 points. Leave this cell as it is.
### BEGIN HIDDEN TESTS
hidden_test("03_gru", gru_before_step_backward, points=9)
### END HIDDEN TESTS

# %% [markdown]
# ## Question 6: the other z (3 points)
#
# In Chung et al. the update gate multiplies the candidate: their open gate updates, where that of (12.2) keeps. That is equation (12.9). Weights trained in one convention are of no use in the other until they are converted. The conversion is exact.
#
# `other_z(W_x, W_h, b)` returns `(W_x, W_h, b)`: the arrays with which a step by (12.9) gives the same states as a step by (12.2) gives with those you were given. Equation (12.10) says why they exist. You are not given $b_{hn}$, because it stays as it is.
#
# | | shape |
# |---|---|
# | `W_x` | $(D, 3H)$ |
# | `W_h` | $(H, 3H)$ |
# | `b` | $(3H,)$ |
# | returns `(W_x, W_h, b)` | of the same shapes, and new arrays |
#
# <details><summary>Hint 1</summary>
#
# Their gate must be $1 - z$, for every input and every state. The gate is the sigmoid of a pre-activation. What must the pre-activation become?
#
# </details>
# <details><summary>Hint 2</summary>
#
# The pre-activation of $z$ is a sum of three terms, with one block of weights in each. Equation (12.10) says what has to happen to the sum, and so to every term. The other gate and the candidate mean the same in both conventions.
#
# </details>
# <details><summary>Hint 3</summary>
#
# Cut an array into its three blocks along the last axis, give the middle one the opposite sign, and put the blocks together again: `np.concatenate(…, axis=-1)` does that for matrices and for the bias. Three arrays, three times the same. Assigning to a slice of `W_x` would change the array of your caller.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "other_z", "locked": false, "schema_version": 3, "solution": true, "task": false}
def other_z(W_x, W_h, b):
    """Return (W_x, W_h, b): the same function in the other convention for z."""
    ### BEGIN SOLUTION
    converted = []
    for blocks in (W_x, W_h, b):
        r, z, n = np.split(blocks, 3, axis=-1)
        converted.append(np.concatenate([r, -z, n], axis=-1))
    return tuple(converted)
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "check_other_z", "locked": true, "schema_version": 3, "solution": false, "task": false}
check("03_gru", other_z)

# %% nbgrader={"grade": true, "grade_id": "test_other_z", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# The hidden tests of other_z, 3 points. Leave this cell as it is.
### BEGIN HIDDEN TESTS
hidden_test("03_gru", other_z, points=3)
### END HIDDEN TESTS

# %% [markdown]
# Now use what you have written. Somebody gives you a GRU of two units and does not say which of the four it is. You may choose its weights, and you may call it.
#
# The next cell makes all four from your functions. The input is switched off. $W_{hn}$ exchanges the two units, $r = (1, 0)$ is fixed by a large bias, and the old state is $(0.5, 0.25)$. One call has $b_z = 40$, the other $b_z = -40$. Before you run it, write down the eight states that you expect. Unit 2 is the one whose $r$ is zero: in which form does it not see the old state, and in which form does no unit see its old state?

# %% nbgrader={"grade": false, "grade_id": "check_which_gru", "locked": true, "schema_version": 3, "solution": false, "task": false}
H = 2
zero, swap, h = np.zeros((H, H)), np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([[0.5, 0.25]])
for z_multiplies in ("old state", "candidate"):
    for form in ("after", "before"):
        states = []
        for b_z in (40.0, -40.0):
            arrays = (
                np.zeros((1, 3 * H)),
                np.hstack([zero, zero, swap]),
                np.array([40.0, -40.0, b_z, b_z, 0.0, 0.0]),
            )
            W_x, W_h, b = arrays if z_multiplies == "old state" else other_z(*arrays)
            if form == "after":
                state, _ = gru_step(GRUParams(W_x, W_h, b, np.zeros(H)), np.zeros((1, 1)), h)
            else:
                state, _ = gru_before_step(
                    GRUBeforeParams(W_x, W_h[:, : 2 * H], b, W_h[:, 2 * H :]), np.zeros((1, 1)), h
                )
            states.append("(" + ", ".join(f"{abs(unit):.3f}" for unit in state[0]) + ")")
        print(
            f"z on the {z_multiplies:10} reset {form:7} b_z = 40: {states[0]}   b_z = -40: {states[1]}"
        )

# %% [markdown]
# Two calls give four different pairs of answers. Put the same few numbers into a layer of PyTorch, Keras or ONNX, and you see which of the four that library computes.
