"""CTC: the sum over all alignments, its gradient, and what is said in the end."""

from itertools import product

import numpy as np
import pytest
from judges import assert_close, torch_or_skip
from mutation import without_diagnosis

from rnn_tutorial.decoding import ctc_greedy, ctc_prefix_beam
from rnn_tutorial.gradient_check import GradientError, check_gradients
from rnn_tutorial.train import collapse, ctc_loss, extended, fits, lattice, log_softmax, logsumexp
from rnn_tutorial.validation import NotFiniteError

T, B, V = 6, 5, 4
WORDS = ((1, 2), (1, 1), (3,), (), (2, 2, 1))
MASK = np.arange(T)[:, None] < np.array([6, 3, 1, 4, 5])


def padded(words):
    labels = np.full((max(map(len, words)), len(words)), -1)
    for b, word in enumerate(words):
        labels[: len(word), b] = word
    return labels


LABELS = padded(WORDS)


def by_enumeration(logits, word, blank=0):
    """Return log p(word) of one sequence, logits (T, V): every alignment is tried."""
    log_y = log_softmax(logits)
    said = [
        sum(log_y[t, k] for t, k in enumerate(alignment))
        for alignment in product(range(logits.shape[-1]), repeat=len(logits))
        if collapse(alignment, blank) == tuple(word)
    ]
    return np.log(np.sum(np.exp(said))) if said else -np.inf


@pytest.mark.parametrize("blank", [0, 2])
def test_the_loss_is_the_sum_over_all_alignments(blank, rng):
    logits = 2 * rng.standard_normal((T, B, V))
    words = [[(k + blank) % V for k in word] for word in WORDS]
    want = [by_enumeration(logits[MASK[:, b], b], word, blank) for b, word in enumerate(words)]
    value, _ = ctc_loss(logits, padded(words), mask=MASK, blank=blank)
    assert value == pytest.approx(-np.mean(want), rel=1e-12)
    found = lattice(log_softmax(logits), words, MASK, blank)
    assert_close("log p", found.log_p, np.array(want), 1e-12)


def test_all_labellings_together_have_the_probability_one(rng):
    logits, steps = rng.standard_normal((4, 1, 3)), np.ones((4, 1), bool)
    words = {collapse(alignment) for alignment in product(range(3), repeat=4)}
    total = sum(np.exp(lattice(log_softmax(logits), [w], steps).log_p[0]) for w in words)
    assert total == pytest.approx(1, rel=1e-12)


def judged(loss, rng, mask, labels):
    logits = rng.standard_normal((T, B, V))

    def forward(point):
        value, dlogits = loss(point[0], labels, mask=mask)
        return (np.asarray(value),), dlogits

    def backward(dlogits, doutputs):
        return (doutputs[0] * dlogits,)

    check_gradients(forward, backward, (logits,), rng)


@pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "ragged"])
def test_the_gradient_is_the_slope(mask, rng):
    judged(ctc_loss, rng, mask, LABELS)


def one_place_alone(logits, labels, *, mask):
    """The mistake: of a label that comes twice, the posterior of the last place alone is taken."""
    value, _ = ctc_loss(logits, labels, mask=mask)
    words = [[k for k in column if k >= 0] for column in labels.T]
    found = lattice(log_softmax(logits), words, mask)
    of_symbols = np.zeros_like(logits)
    for t, shares in enumerate(found.posterior):
        of_symbols[t][np.arange(B)[:, None], found.places] = shares
    y = np.exp(log_softmax(logits))
    return value, np.where(mask[..., None], y - of_symbols, 0) / B


def test_a_posterior_that_is_not_added_up_is_found(rng):
    with without_diagnosis(), pytest.raises(GradientError):
        judged(one_place_alone, rng, MASK, LABELS)


def test_loss_and_gradient_are_those_of_pytorch(rng):
    torch = torch_or_skip()
    for seed in range(20):
        rng = np.random.default_rng(seed)
        steps, batch, symbols = rng.integers(1, (30, 6, 9))
        lengths = rng.integers(1, steps + 1, batch)
        lengths[0] = steps
        mask = np.arange(steps)[:, None] < lengths
        words = []
        for n in lengths:
            word = rng.integers(1, symbols + 1, rng.integers(0, n + 1)).tolist()
            while not fits(word, int(n)):
                word.pop()
            words.append(word)
        labels = padded(words)
        logits = 3 * rng.standard_normal((steps, batch, symbols + 1))
        there = torch.tensor(logits, requires_grad=True)
        losses = torch.nn.functional.ctc_loss(
            there.log_softmax(-1),
            torch.tensor([k for word in words for k in word], dtype=torch.long),
            torch.tensor(lengths),
            torch.tensor([len(word) for word in words]),
            reduction="none",
        )
        losses.mean().backward()
        value, dlogits = ctc_loss(logits, labels, mask=mask)
        assert value == pytest.approx(losses.mean().item(), rel=1e-10)
        assert_close("dlogits", dlogits, there.grad.numpy(), 1e-10)


def test_pytorch_returns_the_gradient_of_the_logits_for_log_probabilities(rng):
    """Chapter 22 says so; the sum over the symbols should be -1, since each alignment has one."""
    torch = torch_or_skip()
    logits = rng.standard_normal((T, 1, V))
    log_y = torch.tensor(log_softmax(logits), requires_grad=True)
    sizes = torch.tensor([T]), torch.tensor([2])
    torch.nn.functional.ctc_loss(log_y, torch.tensor([[1, 2]]), *sizes, reduction="sum").backward()
    _, dlogits = ctc_loss(logits, padded([(1, 2)]))
    assert_close("that of the logits", log_y.grad.numpy(), dlogits, 1e-10)
    np.testing.assert_allclose(log_y.grad.numpy().sum(axis=-1), 0, atol=1e-12)


def test_padding_changes_nothing_and_has_no_gradient(rng):
    logits = rng.standard_normal((T, B, V))
    other = np.where(MASK[..., None], logits, 1e6)
    one, other = (ctc_loss(x, LABELS, mask=MASK) for x in (logits, other))
    assert one[0] == other[0] and not one[1][~MASK].any()
    np.testing.assert_array_equal(one[1], other[1])


def test_a_sequence_has_the_loss_that_it_has_alone(rng):
    logits = rng.standard_normal((T, B, V))
    together, dlogits = ctc_loss(logits, LABELS, mask=MASK)
    alone = []
    for b, word in enumerate(WORDS):
        value, d = ctc_loss(logits[MASK[:, b], b : b + 1], padded([word]))
        assert_close("alone", d[:, 0] / B, dlogits[MASK[:, b], b], 1e-12)
        alone.append(value)
    assert together == pytest.approx(np.mean(alone), rel=1e-12)


def test_the_posterior_is_a_distribution_and_log_p_is_the_same_at_every_step(rng):
    found = lattice(log_softmax(rng.standard_normal((T, B, V))), WORDS, MASK)
    np.testing.assert_allclose(found.posterior.sum(axis=-1), MASK, rtol=1e-12, atol=1e-300)
    at_steps = logsumexp(found.alpha + found.beta)
    assert_close("log p", np.where(MASK, at_steps, found.log_p), found.log_p + 0 * at_steps, 1e-12)


@pytest.mark.parametrize("scale", [1e3, 1e5])
def test_sharp_outputs_and_long_sequences_do_not_underflow(scale, rng):
    logits = scale * rng.standard_normal((400, 2, V))
    value, dlogits = ctc_loss(logits, padded([(1, 2, 3, 3), (2,) * 60]))
    assert np.isfinite(value) and np.isfinite(dlogits).all()


def test_float32_stays_float32(rng):
    logits = rng.standard_normal((T, B, V)).astype(np.float32)
    value, dlogits = ctc_loss(logits, LABELS, mask=MASK)
    assert value.dtype == dlogits.dtype == np.float32
    assert_close("dlogits", dlogits, ctc_loss(logits.astype(float), LABELS, mask=MASK)[1], 1e-4)


@pytest.mark.parametrize(
    ("alignment", "word"),
    [([], ()), ([0, 0], ()), ([1, 1, 0, 1], (1, 1)), ([1, 2, 2, 0, 0, 2], (1, 2, 2))],
)
def test_an_alignment_says_its_labelling(alignment, word):
    assert collapse(alignment) == word


def test_how_many_steps_labels_need():
    assert fits((1, 2, 3), 3) and not fits((1, 1, 2), 3) and fits((1, 1, 2), 4) and fits((), 0)
    assert extended((3, 5)).tolist() == [0, 3, 0, 5, 0]


def test_the_logarithm_of_nothing_is_minus_infinity():
    with np.errstate(all="raise"):
        assert logsumexp(np.array([-np.inf, -np.inf])) == -np.inf
    assert logsumexp(np.array([1000.0, 1000.0])) == pytest.approx(1000 + np.log(2))


def test_what_does_not_fit_is_refused(rng):
    logits = rng.standard_normal((T, B, V))
    needs = r"labels: sequence 1 needs 3 steps \(2 for its labels, 1 between equal ones\) and has 2"
    with pytest.raises(ValueError, match=needs):
        ctc_loss(logits, LABELS, mask=np.arange(T)[:, None] < np.array([6, 2, 1, 4, 5]))
    with pytest.raises(IndexError, match="labels: expected 0..3 without the blank, 1"):
        ctc_loss(logits, LABELS, blank=1)
    with pytest.raises(IndexError, match="blank: expected a symbol in 0..3, got 4"):
        ctc_loss(logits, LABELS, blank=4)
    with pytest.raises(ValueError, match="labels: expected -1 only after the end"):
        ctc_loss(logits, np.array([[-1] * B, [1] * B]))
    with pytest.raises(TypeError, match="labels: expected integers"):
        ctc_loss(logits, LABELS.astype(float))
    with pytest.raises(ValueError, match="mask: expected the real steps of each sequence first"):
        ctc_loss(logits, LABELS, mask=MASK[::-1])
    with pytest.raises(NotFiniteError, match="logits"):
        ctc_loss(np.full_like(logits, np.nan), LABELS)


# What is said in the end


def test_a_beam_that_drops_nothing_has_the_probability_of_every_labelling(rng):
    logits = 2 * rng.standard_normal((5, 1, 3))
    (found,) = ctc_prefix_beam(logits, width=10_000)
    words = {collapse(alignment) for alignment in product(range(3), repeat=5)}
    assert {h.symbols for h in found if np.isfinite(h.log_probability)} == words
    for symbols, log_p in found:
        if symbols in words:
            assert log_p == pytest.approx(by_enumeration(logits[:, 0], symbols), rel=1e-10)
    probabilities = [h.log_probability for h in found]
    assert probabilities == sorted(probabilities, reverse=True)


def test_greedy_says_what_the_likeliest_alignment_says(rng):
    logits = 2 * rng.standard_normal((T, B, V))
    for b, (hypothesis,) in enumerate(ctc_greedy(logits, mask=MASK)):
        rows = logits[MASK[:, b], b]
        assert hypothesis.symbols == collapse(rows.argmax(axis=-1).tolist())
        assert hypothesis.log_probability == pytest.approx(log_softmax(rows).max(axis=-1).sum())


def test_many_alignments_may_outweigh_the_likeliest():
    logits = np.log(np.array([[0.6, 0.4], [0.6, 0.4]]))[:, None]
    assert ctc_greedy(logits)[0][0].symbols == ()
    best = ctc_prefix_beam(logits, width=5)[0][0]
    assert best.symbols == (1,) and np.exp(best.log_probability) == pytest.approx(0.64)


def test_padding_is_not_read(rng):
    logits = rng.standard_normal((T, B, V))
    other = np.where(MASK[..., None], logits, 50.0)
    assert ctc_prefix_beam(logits, 4, mask=MASK) == ctc_prefix_beam(other, 4, mask=MASK)
    assert ctc_greedy(logits, mask=MASK) == ctc_greedy(other, mask=MASK)
    with pytest.raises(ValueError, match="width: expected a positive"):
        ctc_prefix_beam(logits, 0)
