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
# | You need | Chapters 02 [*One step back*](02_one_step_back.ipynb) and 12 [*The GRU*](12_the_gru.ipynb) |

# %% [markdown]
# ## The letters, and the sign of z
#
# The letters are those of Chapter 12: $B$ sequences in a batch, $D$ inputs, $H$ hidden units; $r$ is the reset gate, $z$ the update gate, $n$ the candidate, and $\circ$ multiplies entry by entry. Everything here is a single step, so there is no $T$. Wherever the gates are side by side in one array, their order is $r, z, n$.
#
# One thing is *not* as in the code of Chapter 12. There an open update gate keeps the old state, equation (12.2). Here it takes the new one, as in the paper of Chung et al.:
#
# $$ h_t = (1 - z_t) \circ h_{t-1} + z_t \circ n_t \tag{12.9} $$
#
# So every line of the chapter in which $h_t$ is made, and every gradient that comes from it, is another one here. Derive these lines again. All other equations hold as they are.

# %% given="params"
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
# ## Question 1: one step, reset after the matrix
#
# This is the GRU of PyTorch, and that of Keras as it comes, but for the sign of $z$. `gru_step(params, x, h_previous)` returns `(h, gates)`: the new state, and the gates it was made with. The way back will need them. The equations are [(12.3) to (12.5) and (12.9)](12_the_gru.ipynb):
#
# $$ r_t = \sigma(x_t W_{xr} + h_{t-1} W_{hr} + b_r), \qquad z_t = \sigma(x_t W_{xz} + h_{t-1} W_{hz} + b_z) \tag{12.3} $$
#
# $$ s_t = h_{t-1} W_{hn} + b_{hn} \tag{12.4} $$
#
# $$ n_t = \tanh(x_t W_{xn} + b_n + r_t \circ s_t) \tag{12.5} $$
#
# $$ h_t = (1 - z_t) \circ h_{t-1} + z_t \circ n_t \tag{12.9} $$
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

# %% question="gru_step"

# %% [markdown]
# ## Question 2: back to the gates
#
# A mistake between the state and the pre-activations makes every later gradient wrong, and from those gradients you cannot see where it was made. So this part is a separate question, and the check says for each gate whether it is right.
#
# `gate_gradients(params, h_previous, gates, dh)` returns `(da, ds)`. In `da` is the gradient of the pre-activation of each gate and of the candidate, what was inside its sigmoid or tanh. `ds` is the gradient of $s$, which the reset gate multiplied. You are not given $s$; compute it again by (12.4).
#
# The first two gradients, $dz_t$ and $dn_t$, are yours to derive from (12.9). Those of Chapter 12, (12.11), belong to the other sign. From there on, it is [(12.12) to (12.14)](12_the_gru.ipynb):
#
# $$ da_n = dn_t \circ (1 - n_t^2) \tag{12.12} $$
#
# $$ dr_t = da_n \circ s_t, \qquad ds_t = da_n \circ r_t \tag{12.13} $$
#
# $$ da_r = dr_t \circ r_t \circ (1 - r_t), \qquad da_z = dz_t \circ z_t \circ (1 - z_t) \tag{12.14} $$
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
# Go through the forward equations from the last to the first, and ask of each array where it is used. Which gate is used twice in (12.9)?
#
# </details>
# <details><summary>Hint 2</summary>
#
# From `dh` you reach $z$ and $n$ at once. There is no direct path to $r$: it acts through the candidate, so it has to wait for $da_n$, the gradient inside the tanh. There, $r$ and $s$ are the two factors of a product.
#
# </details>
# <details><summary>Hint 3</summary>
#
# In this order: `da_n`, which is `dh` times the share that the candidate has in the state, times the slope of tanh; `dr` and `ds`, each of which is `da_n` times the other factor; `dz`, which is `dh` times the difference that opening the gate makes: what comes in, minus what goes out. Then `dr` and `dz` go back through a sigmoid, whose slope is written with its value, and its value is in `gates`.
#
# </details>

# %% question="gate_gradients"

# %% [markdown]
# ## Question 3: one step back
#
# In the vanilla network and in the LSTM, the same gradient of the pre-activations goes to the input and to the old state. This is the first cell where the two differ: the reset gate is on one path to the candidate and not on the other.
#
# `gru_step_backward(params, x, h_previous, gates, dh)` returns `(dparams, dx, dh_previous)`. The equations are [(12.15) to (12.17)](12_the_gru.ipynb). In the last one, the part of the old state that is kept is yours to derive from (12.9):
#
# $$ da^x = [\, da_r, \; da_z, \; da_n \,], \qquad da^h = [\, da_r, \; da_z, \; ds \,] \tag{12.15} $$
#
# $$ dW_x = x_t^\top da^x, \quad db = \sum_{B} da^x, \quad dW_h = h_{t-1}^\top da^h, \quad db_{hn} = \sum_{B} ds, \quad dx_t = da^x W_x^\top \tag{12.16} $$
#
# $$ dh_{t-1} = dh_{t-1}^{\text{kept}} + da_r W_{hr}^\top + da_z W_{hz}^\top + ds\, W_{hn}^\top \tag{12.17} $$
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
# `np.hstack([da.r, da.z, da.n])` belongs to `W_x`, `b` and `dx`; the other, which ends in `ds`, to `W_h`. From there on it is the backward of a matrix product, as in Chapter 2. For `dh_previous`, one product with `params.W_h.T` takes three of the paths at once. The fourth goes through no matrix, and needs only `dh` and the share that (12.9) keeps.
#
# </details>

# %% question="gru_step_backward"

# %% [markdown]
# ## Question 4: one step, reset before the matrix
#
# The GRU of the published paper of Cho et al. puts the reset gate on the other side of the matrix $W_{hn}$. It is another function: except in special cases, no choice of weights turns one into the other. Before you write it, ask what $r = 0$ does to a unit in each form: in one, the unit does not see the old state; in the other, no unit sees the old state of this one. Equation [(12.7)](12_the_gru.ipynb) says which is which.
#
# `gru_before_step(params, x, h_previous)` returns `(h, gates)`: the gates by (12.3), the state by (12.9), and between them the candidate, [(12.6)](12_the_gru.ipynb):
#
# $$ m_t = r_t \circ h_{t-1}, \qquad n_t = \tanh(x_t W_{xn} + b_n + m_t W_{hn}) \tag{12.6} $$
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

# %% question="gru_before_step"

# %% [markdown] words="why_a_second_bias"
# ## Question in words: the second bias
#
# In question 1 the candidate has two biases, $b_n$ and $b_{hn}$. Why are they not one? And why is one enough for each of the gates, and for the candidate of question 4? Say what $r$ does with each bias. Four or five sentences are enough.

# %% [markdown]
# ## Question 5: one step back, reset before the matrix
#
# This time you write the whole step. [Chapter 12](12_the_gru.ipynb) shows a published page that derives the backward of this form, with the sign of $z$ that you have here. It has four mistakes, since no code ever ran it. Yours is checked.
#
# `gru_before_step_backward(params, x, h_previous, gates, dh)` returns `(da, dparams, dx, dh_previous)`: from `dh` to $z$ and $n$ as in question 2, through the tanh by (12.12), through the matrix by [(12.18) and (12.19)](12_the_gru.ipynb), through the sigmoids by (12.14):
#
# $$ dm_t = da_n W_{hn}^\top, \qquad dW_{hn} = m_t^\top da_n \tag{12.18} $$
#
# $$ dr_t = dm_t \circ h_{t-1}, \qquad dh_{t-1}^{\text{candidate}} = dm_t \circ r_t \tag{12.19} $$
#
# Chapter 12 has a table with the paths to $h_{t-1}$ in the two forms, side by side. You return `da` as well, so that the check can say which gate is wrong.
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
# Take `da_n` back through `params.W_hn`, transposed, and call the result `dm`; the matrix itself gets `m.T @ da_n`. Then `dr` is `dm` times one factor of $m$, and a term of `dh_previous` is `dm` times the other. Lay three gradients side by side for the input, two for `W_h`. `dh_previous` has two terms without `W_h`: this one, and the one of what (12.9) keeps.
#
# </details>

# %% question="gru_before_step_backward"

# %% [markdown]
# ## Question 6: the other z
#
# PyTorch, Keras and the code of Chapter 12 have the other sign: their open gate keeps, by [(12.2)](12_the_gru.ipynb). Weights trained in one convention are of no use in the other until they are converted. The conversion is exact.
#
# $$ h_t = z_t \circ h_{t-1} + (1 - z_t) \circ n_t \tag{12.2} $$
#
# `other_z(W_x, W_h, b)` returns `(W_x, W_h, b)`: the arrays with which a step by (12.2) gives the same states as a step by (12.9) gives with those you were given. Equation [(12.10)](12_the_gru.ipynb) says why they exist:
#
# $$ 1 - \sigma(a) = \sigma(-a) \tag{12.10} $$
#
# You are not given $b_{hn}$, because it stays as it is.
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

# %% question="other_z"

# %% [markdown] predict="which_gru"
# ## Which of the four is it?
#
# Now use what you have written. Somebody gives you a GRU of two units and does not say which of the four it is. You may choose its weights, and you may call it.
#
# The next cell makes all four from your functions. The input is switched off. $W_{hn}$ exchanges the two units, $r = (1, 0)$ is fixed by a large bias, and the old state is $(0.5, 0.25)$. One call has $b_z = 40$, the other $b_z = -40$. Before you run it, write down the eight states that you expect. Unit 2 is the one whose $r$ is zero: in which form does it not see the old state, and in which form does no unit see its old state?

# %% look="which_gru"
H = 2
zero, swap = np.zeros((H, H)), np.array([[0.0, 1.0], [1.0, 0.0]])
x, h = np.zeros((1, 1)), np.array([[0.5, 0.25]])
for z_multiplies in ("candidate", "old state"):
    for form in ("after", "before"):
        states = []
        for b_z in (40.0, -40.0):
            W_x = np.zeros((1, 3 * H))
            W_h = np.hstack([zero, zero, swap])
            b = np.array([40.0, -40.0, b_z, b_z, 0.0, 0.0])
            if z_multiplies == "old state":  # other_z leads back as well
                W_x, W_h, b = other_z(W_x, W_h, b)
            if form == "after":
                state, _ = gru_step(GRUParams(W_x, W_h, b, np.zeros(H)), x, h)
            else:
                params = GRUBeforeParams(W_x, W_h[:, : 2 * H], b, W_h[:, 2 * H :])
                state, _ = gru_before_step(params, x, h)
            states.append("(" + ", ".join(f"{abs(unit):.3f}" for unit in state[0]) + ")")
        print(
            f"z on the {z_multiplies:10} reset {form:7} b_z = 40: {states[0]}   b_z = -40: {states[1]}"
        )

# %% [markdown]
# Two calls give four different pairs of answers. Put the same few numbers into a layer of PyTorch, Keras or ONNX, and you see which of the four that library computes.

# %% [markdown] words="why_no_weights_convert"
# ## Question in words: two functions with one name
#
# A colleague has trained a GRU in Keras with `reset_after=False` and wants to run it in PyTorch. She puts the blocks in PyTorch's order, transposes the matrices and sets the biases that Keras does not have to zero. All shapes fit, and the outputs are wrong. Explain to her what differs, and why no choice of weights can mend it in general. To which unit does $r$ belong in each library: the one that is heard or the one that hears? Then give two cases in which her weights would have worked, with the reason.
