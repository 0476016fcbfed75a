"""Tied weights: one matrix reads the symbols and scores them; its gradient is a sum of two."""

import numpy as np
import pytest
from judges import assert_close, torch_or_skip

from rnn_tutorial.cells import GRU, LSTM
from rnn_tutorial.exchange.pytorch import gradients_to_pytorch, to_pytorch
from rnn_tutorial.gradient_check import GradientError, check_layer
from rnn_tutorial.layers import (
    Dense,
    DenseParams,
    Dropout,
    Embedding,
    EmbeddingParams,
    Last,
    Recurrent,
    Serial,
    Tied,
)
from rnn_tutorial.tree import tree_random_like

T, B, V, N = 6, 3, 7, 4
MASK = np.arange(T)[:, None] < np.array([6, 4, 1])
TIED = Tied(V, N, Recurrent(LSTM, N, N))


@pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "ragged"])
@pytest.mark.parametrize(
    "layer",
    [Recurrent(LSTM, N, N), Serial((Recurrent(GRU, N, 5), Dense(5, N))), Dropout(0.5)],
    ids=["LSTM", "a stack", "nothing in between"],
)
def test_every_gradient_is_the_slope(layer, mask, rng):
    check_layer(Tied(V, N, layer), rng.integers(0, V, (T, B)), rng, mask=mask)


def of_scores(cache, dlogits):
    """Return dlogits^T hs, the gradient of E as the matrix of scores alone."""
    return dlogits.reshape(-1, V).T @ cache.dense.reshape(-1, N)


class ScoresAlone(Tied):
    """The mistake: the gradient of E as if it did not read the symbols."""

    def backward(self, params, cache, dlogits, dstate=None):
        dparams, dxs, dfirst = super().backward(params, cache, dlogits, dstate)
        return dparams._replace(E=of_scores(cache, dlogits)), dxs, dfirst


class SymbolsAlone(Tied):
    """The other mistake: the gradient of E as if it did not score."""

    def backward(self, params, cache, dlogits, dstate=None):
        dparams, dxs, dfirst = super().backward(params, cache, dlogits, dstate)
        return dparams._replace(E=dparams.E - of_scores(cache, dlogits)), dxs, dfirst


@pytest.mark.parametrize("Wrong", [ScoresAlone, SymbolsAlone])
def test_the_gradient_of_one_use_alone_is_wrong(Wrong, rng):
    with pytest.raises(GradientError, match="E"):
        check_layer(Wrong(V, N, TIED.layer), rng.integers(0, V, (T, B)), rng)


def test_it_is_an_untied_model_whose_two_matrices_are_one(rng):
    params = tree_random_like(TIED.init(rng), rng, 0.4)
    indices, dlogits = rng.integers(0, V, (T, B)), rng.standard_normal((T, B, V))
    untied = Serial((Embedding(V, N), TIED.layer, Dense(N, V)))
    parts = EmbeddingParams(params.E), params.layer, DenseParams(params.E.T, params.b)
    logits, _, cache = TIED.forward(params, indices, mask=MASK)
    their_logits, _, their_cache = untied.forward(parts, indices, mask=MASK)
    np.testing.assert_array_equal(logits, their_logits)
    dparams, _, _ = TIED.backward(params, cache, dlogits)
    (dread, dlayer, dscore), _, _ = untied.backward(parts, their_cache, dlogits)
    np.testing.assert_array_equal(dparams.E, dread.E + dscore.W.T)
    np.testing.assert_array_equal(dparams.b, dscore.b)
    np.testing.assert_array_equal(dparams.layer.W_h, dlayer.W_h)


def test_a_symbol_that_is_not_read_has_the_gradient_of_its_score_alone(rng):
    params, indices = TIED.init(rng), np.zeros((T, B), int)
    logits, _, cache = TIED.forward(params, indices)
    dE = TIED.backward(params, cache, np.ones_like(logits))[0].E
    np.testing.assert_allclose(dE[1:], np.broadcast_to(dE[1], (V - 1, N)))
    assert not np.allclose(dE[0], dE[1])


def test_outputs_and_gradients_are_those_of_pytorch(rng):
    torch = torch_or_skip()
    params = tree_random_like(TIED.init(rng), rng, 0.4)

    class Language(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = torch.nn.Embedding(V, N)
            self.lstm = torch.nn.LSTM(N, N)
            self.scores = torch.nn.Linear(N, V)
            self.scores.weight = self.embedding.weight

        def forward(self, indices):
            return self.scores(self.lstm(self.embedding(indices))[0])

    there = Language().double()
    arrays = {f"lstm.{k}": v for k, v in to_pytorch(TIED.layer, params.layer).items()}
    arrays |= {"embedding.weight": params.E, "scores.weight": params.E, "scores.bias": params.b}
    there.load_state_dict({name: torch.tensor(array) for name, array in arrays.items()})
    indices, dlogits = rng.integers(0, V, (T, B)), rng.standard_normal((T, B, V))
    theirs = there(torch.tensor(indices))
    (theirs * torch.tensor(dlogits)).sum().backward()
    logits, _, cache = TIED.forward(params, indices)
    dparams, _, _ = TIED.backward(params, cache, dlogits)
    assert_close("logits", logits, theirs.detach().numpy(), 1e-12)
    assert_close("dE", dparams.E, there.embedding.weight.grad.numpy(), 1e-12)
    assert_close("db", dparams.b, there.scores.bias.grad.numpy(), 1e-12)
    for name, ours in gradients_to_pytorch(TIED.layer, dparams.layer).items():
        assert_close(name, ours, getattr(there.lstm, name).grad.numpy(), 1e-12)


def test_one_answer_a_sequence_and_noise_in_between(rng):
    layer = Serial((Dropout(0.5), Recurrent(LSTM, N, N), Last()))
    model, indices = Tied(V, N, layer), rng.integers(0, V, (T, B))
    params = model.init(rng)
    logits, _, _ = model.forward(params, indices, mask=MASK)
    assert logits.shape == (B, V)
    assert not np.array_equal(logits, model.forward(params, indices, mask=MASK, rng=rng)[0])


def test_what_does_not_fit_is_refused(rng):
    params = TIED.init(rng)
    with pytest.raises(TypeError, match="layer: expected a layer"):
        Tied(V, N, LSTM)
    with pytest.raises(TypeError, match="params: expected parameters with the fields E, layer, b"):
        TIED.forward(params.layer, np.zeros((T, B), int))
    with pytest.raises(IndexError, match="indices: expected indices in 0..6"):
        TIED.forward(params, np.full((T, B), V))
    narrow = Tied(V, N, Recurrent(LSTM, N, N + 1))
    with pytest.raises(ValueError, match=r"xs: expected shape \(..., 4\), got \(6, 3, 5\)"):
        narrow.forward(narrow.init(rng), np.zeros((T, B), int))
