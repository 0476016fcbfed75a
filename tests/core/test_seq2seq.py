"""An encoder–decoder: its gradients, the state that is handed over, and how it writes."""

from itertools import product

import numpy as np
import pytest
from judges import assert_close, torch_or_skip

from rnn_tutorial.cells import GRU, LSTM
from rnn_tutorial.decoding import Hypothesis, beam_search, greedy_search, score_of, step_of
from rnn_tutorial.exchange.pytorch import to_pytorch
from rnn_tutorial.gradient_check import GradientError, check_gradients
from rnn_tutorial.layers import (
    AffineBridge,
    Bidirectional,
    Dense,
    Embedding,
    HandOver,
    Pair,
    Plain,
    Recurrent,
    Seq2Seq,
    Serial,
    joined,
    parted,
)
from rnn_tutorial.tree import tree_leaves, tree_map, tree_random_like, tree_zeros_like

S, T, B, V, W, N, H = 5, 4, 3, 6, 5, 3, 4
MASK = np.arange(S)[:, None] < np.array([5, 3, 1])
START, END = 0, 1


def one_way(cell=GRU):
    return Seq2Seq(
        Serial((Embedding(V, N), Recurrent(cell, N, H))),
        HandOver(),
        Serial((Embedding(W, N), Recurrent(cell, N, H))),
        Plain(),
        Dense(H, W),
    )


def both_ways(first=GRU, second=GRU, states=(2, 1)):
    read = Bidirectional(Recurrent(first, N, H), Recurrent(first, N, H))
    return Seq2Seq(
        Serial((Embedding(V, N), read)),
        AffineBridge(states[0] * H, states[1] * H),
        Serial((Embedding(W, N), Recurrent(second, N, H))),
        Plain(),
        Dense(H, W),
    )


MODELS = {
    "one way": one_way(),
    "one way, two arrays a state": one_way(LSTM),
    "both ways": both_ways(),
    "LSTM to GRU": both_ways(LSTM, GRU, (4, 1)),
    "GRU to LSTM": both_ways(GRU, LSTM, (2, 2)),
}


def pair(rng, mask=MASK):
    return Pair(rng.integers(0, V, (S, B)), rng.integers(0, W, (T, B)), mask)


def judged(model, pair, rng):
    """Raise GradientError unless the gradient of every parameter is right."""
    params = tree_random_like(model.init(rng), rng, 0.5)

    def forward(point):
        logits, _, cache = model.forward(point[0], pair)
        return (logits,), cache

    def backward(cache, doutputs):
        return (model.backward(params, cache, doutputs[0])[0],)

    check_gradients(forward, backward, (params,), rng)


@pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "ragged"])
@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_every_gradient_is_the_slope(model, mask, rng):
    judged(model, pair(rng, mask), rng)


class NothingHandedBack(Seq2Seq):
    """The mistake: the encoder is not given the gradient of its last state."""

    def backward(self, params, cache, dlogits, dstate=None):
        dparams, *rest = super().backward(params, cache, dlogits, dstate)
        return dparams._replace(encoder=tree_zeros_like(dparams.encoder)), *rest


def test_an_encoder_that_is_given_no_gradient_is_found(rng):
    with pytest.raises(GradientError, match="encoder"):
        judged(NothingHandedBack(*one_way().__dict__.values()), pair(rng), rng)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_padding_of_the_source_changes_nothing(model, rng):
    params, given = model.init(rng), pair(rng)
    logits, _, _ = model.forward(params, given)
    other = given._replace(source=np.where(MASK, given.source, 0))
    np.testing.assert_array_equal(logits, model.forward(params, other)[0])
    alone = Pair(given.source[:3, 1:2], given.prefix[:, 1:2])
    assert_close("alone", model.forward(params, alone)[0], logits[:, 1:2], 1e-12)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_one_symbol_at_a_time_is_all_at_once(model, rng):
    params, given = model.init(rng), pair(rng)
    writing, steps = model.start(params, given.source, given.mask), []
    for symbols in given.prefix:
        logits, writing = model.write(params, symbols, writing)
        steps.append(logits)
    assert_close("logits", np.stack(steps), model.forward(params, given)[0], 1e-12)


def test_a_state_is_joined_and_parted_again(rng):
    state = LSTM.initial_state(LSTM.init(rng, N, H), B)
    state = tree_random_like(state, rng, 1.0)
    again = parted(joined(state), state)
    assert type(again) is type(state)
    for one, other in zip(tree_leaves(state), tree_leaves(again)):
        np.testing.assert_array_equal(one, other)


def test_outputs_and_gradients_are_those_of_pytorch(rng):
    torch = torch_or_skip()
    model, given = both_ways(), pair(rng, None)
    params = tree_random_like(model.init(rng), rng, 0.5)
    (embedding, read), bridge, (prefix, write), _, dense = params
    dlogits = rng.standard_normal((T, B, W))

    def tensor(array):
        return torch.tensor(array, requires_grad=True)

    E, P, W_b, b_b = map(tensor, (embedding.E, prefix.E, bridge.W, bridge.b))
    there = {
        "read": torch.nn.GRU(N, H, bidirectional=True).double(),
        "write": torch.nn.GRU(N, H).double(),
    }
    for name, layer, values in (
        ("read", model.encoder.layers[1], read),
        ("write", model.decoder.layers[1], write),
    ):
        arrays = to_pytorch(layer, values)
        there[name].load_state_dict({key: torch.tensor(a) for key, a in arrays.items()})
    _, last = there["read"](E[torch.tensor(given.source)])
    first = torch.tanh(torch.cat([last[0], last[1]], dim=-1) @ W_b + b_b)
    queries, _ = there["write"](P[torch.tensor(given.prefix)], first[None])
    theirs = queries @ torch.tensor(dense.W) + torch.tensor(dense.b)
    (theirs * torch.tensor(dlogits)).sum().backward()
    logits, _, cache = model.forward(params, given)
    dparams, _, _ = model.backward(params, cache, dlogits)
    assert_close("logits", logits, theirs.detach().numpy(), 1e-12)
    assert_close("dE", dparams.encoder[0].E, E.grad.numpy(), 1e-12)
    assert_close("dP", dparams.decoder[0].E, P.grad.numpy(), 1e-12)
    assert_close("dW", dparams.bridge.W, W_b.grad.numpy(), 1e-12)


def test_what_does_not_fit_is_refused(rng):
    model = one_way()
    params, given = model.init(rng), pair(rng)
    with pytest.raises(TypeError, match="bridge: expected a Bridge"):
        Seq2Seq(model.encoder, Dense(2, 2), model.decoder, Plain(), model.output)
    with pytest.raises(TypeError, match="readout: expected a Readout"):
        Seq2Seq(model.encoder, HandOver(), model.decoder, Plain, model.output)
    with pytest.raises(TypeError, match=r"xs: expected Pair\(source, prefix, mask\)"):
        model.forward(params, given.source)
    with pytest.raises(ValueError, match="prefix: expected shape"):
        model.forward(params, given._replace(prefix=given.prefix[:, :1]))
    with pytest.raises(TypeError, match="mask: expected None|state, mask: expected None"):
        model.forward(params, given, mask=MASK)
    narrow = Seq2Seq(
        model.encoder,
        HandOver(),
        Serial((Embedding(W, N), Recurrent(GRU, N, H + 1))),
        Plain(),
        Dense(H + 1, W),
    )
    with pytest.raises(ValueError, match="state: expected shape"):
        narrow.forward(narrow.init(rng), given)


# How it writes


def probability(model, params, source, mask, symbols):
    """Return log p(symbols, end | source) of one sequence, from one forward."""
    prefix = np.array([START, *symbols])[:, None]
    logits, _, _ = model.forward(params, Pair(source, prefix, mask))
    log_p = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    return sum(log_p[t, 0, s] for t, s in enumerate([*symbols, END]))


@pytest.fixture
def small(rng):
    model = both_ways()
    params = tree_map(lambda leaf: 3 * leaf, model.init(rng))
    return model, params, rng.integers(0, V, (S, B))


def test_a_beam_of_one_is_greedy(small):
    model, params, source = small
    step, writing = step_of(model, params), model.start(params, source, MASK)
    greedy = greedy_search(step, writing, START, END, 6)
    beam = beam_search(step, writing, START, END, 6, width=1)
    for (one,), (other,) in zip(greedy, beam):
        assert one.symbols == other.symbols
        assert one.log_probability == pytest.approx(other.log_probability, rel=1e-12)


def test_the_probability_of_a_hypothesis_is_that_of_its_symbols(small):
    model, params, source = small
    found = beam_search(
        step_of(model, params), model.start(params, source, MASK), START, END, 5, width=4
    )
    for b, hypotheses in enumerate(found):
        assert len(hypotheses) == 4
        for symbols, log_p in hypotheses:
            length = MASK[:, b].sum()
            want = probability(model, params, source[:length, b : b + 1], None, symbols)
            assert log_p == pytest.approx(want, rel=1e-10)


def test_a_beam_that_keeps_everything_finds_the_best_of_all(small):
    model, params, source = small
    others = [s for s in range(W) if s != END]
    found = beam_search(
        step_of(model, params), model.start(params, source[:, :1]), START, END, 3, width=10_000
    )
    everything = {
        word: probability(model, params, source[:, :1], None, word)
        for length in range(4)
        for word in product(others, repeat=length)
    }
    assert {h.symbols for h in found[0]} == set(everything)
    assert found[0][0].symbols == max(everything, key=everything.get)
    assert sum(np.exp(h.log_probability) for h in found[0]) == pytest.approx(
        sum(np.exp(p) for p in everything.values()), rel=1e-10
    )


def test_a_wider_beam_is_never_worse_here_and_lengths_are_weighed(small):
    model, params, source = small
    step, writing = step_of(model, params), model.start(params, source, MASK)
    narrow = beam_search(step, writing, START, END, 6, width=1)
    wide = beam_search(step, writing, START, END, 6, width=200)
    for (one, *_), (best, *_) in zip(narrow, wide):
        assert best.log_probability >= one.log_probability - 1e-12
    weighed = beam_search(step, writing, START, END, 6, width=200, length_power=1.0)
    for hypotheses in weighed:
        scores = [score_of(hypothesis, 1.0) for hypothesis in hypotheses]
        assert scores == sorted(scores, reverse=True)
    assert (
        score_of(Hypothesis((3, 4, 2), -8.0), 1.0) == -2
        and score_of(Hypothesis((3,), -8.0), 0.0) == -8
    )


def test_a_sequence_has_the_hypotheses_that_it_has_alone(small):
    model, params, source = small
    step = step_of(model, params)
    together = beam_search(step, model.start(params, source, MASK), START, END, 6, width=3)
    for b in range(B):
        alone = beam_search(
            step, model.start(params, source[:, [b]], MASK[:, [b]]), START, END, 6, width=3
        )
        assert [h.symbols for h in alone[0]] == [h.symbols for h in together[b]]


def test_the_length_is_limited(small):
    model, params, source = small
    never = params._replace(output=params.output._replace(b=np.eye(W)[END] * -1e3))
    for search in (greedy_search, lambda *given: beam_search(*given, width=3)):
        found = search(step_of(model, never), model.start(never, source, MASK), START, END, 2)
        assert all(len(h.symbols) == 2 for hypotheses in found for h in hypotheses)
    with pytest.raises(ValueError, match="width: expected a positive whole number"):
        beam_search(step_of(model, params), model.start(params, source), START, END, 2, 0)
