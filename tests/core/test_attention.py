"""Attention: weights, contexts and scores, and every gradient of them."""

import numpy as np
import pytest
from judges import assert_close, torch_or_skip
from mutation import without_diagnosis

from rnn_tutorial.cells import GRU
from rnn_tutorial.exchange.pytorch import gradients_to_pytorch, to_pytorch
from rnn_tutorial.gradient_check import GradientError, check_gradients
from rnn_tutorial.layers import (
    AffineBridge,
    Attention,
    AttentionParams,
    Bidirectional,
    Dense,
    Embedding,
    GeneralParams,
    Pair,
    Recurrent,
    Score,
    Seq2Seq,
    Serial,
    additive,
    attend,
    attend_backward,
    dot,
    general,
    masked_softmax,
    masked_softmax_backward,
    scaled_dot,
)
from rnn_tutorial.tree import tree_cast, tree_random_like
from rnn_tutorial.validation import NotFiniteError

T, S, B, H, M = 4, 6, 3, 5, 7
MASK = np.arange(S)[:, None] < np.array([6, 3, 1])
ALL = {
    "dot": (dot, H),
    "scaled_dot": (scaled_dot, H),
    "general": (general, M),
    "additive": (additive(4), M),
}


def drawn(score, size, rng, dtype=np.float64):
    readout = Attention(score, H, size)
    params = tree_random_like(readout.init(rng), rng, 0.7)
    queries, memory = rng.standard_normal((T, B, H)), rng.standard_normal((S, B, size))
    return readout, params, queries.astype(dtype), memory.astype(dtype)


def judged(readout, params, queries, memory, mask, rng):
    def forward(point):
        ys, cache = readout.forward(*point, mask)
        return (ys,), cache

    def backward(cache, doutputs):
        return readout.backward(params, cache, *doutputs)

    check_gradients(forward, backward, (params, queries, memory), rng)


@pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "ragged"])
@pytest.mark.parametrize(("score", "size"), ALL.values(), ids=ALL)
def test_every_gradient_is_the_slope(score, size, mask, rng):
    readout, *point = drawn(score, size, rng)
    judged(readout, *point, mask, rng)


class WithoutKeys(Attention):
    """The mistake: the memory has the gradient of the mean alone, not that of the scores."""

    def backward(self, params, cache, dys):
        dparams, dqueries, _ = super().backward(params, cache, dys)
        _, dcontexts = np.split(dys, [H], axis=-1)
        return dparams, dqueries, attend_backward(cache.weights, cache.memory, dcontexts)[1]


class WithoutTheSum(Attention):
    """The mistake: the softmax's backward is w dw, as if its rows were not divided by their sum."""

    def backward(self, params, cache, dys):
        dqueries, dcontexts = np.split(dys, [H], axis=-1)
        dweights, dmemory = attend_backward(cache.weights, cache.memory, dcontexts)
        dscore, dasked, dkeys = self.score.backward(
            params.score, cache.score, cache.weights * dweights
        )
        return type(params)(dscore), dqueries + dasked, dmemory + dkeys


@pytest.mark.parametrize("Wrong", [WithoutKeys, WithoutTheSum])
def test_a_path_that_is_left_out_is_found(Wrong, rng):
    readout, *point = drawn(general, M, rng)
    with without_diagnosis(), pytest.raises(GradientError):
        judged(Wrong(general, H, M), *point, MASK, rng)


def test_the_softmax_has_the_jacobian_of_the_book(rng):
    scores, dweights = rng.standard_normal((2, T, B, S))
    weights = masked_softmax(scores, MASK)
    for t in range(T):
        for b in range(B):
            w = weights[t, b]
            jacobian = np.diag(w) - np.outer(w, w)
            want = jacobian @ dweights[t, b]
            assert_close("de", masked_softmax_backward(weights, dweights)[t, b], want, 1e-12)


def test_weights_add_up_to_one_on_real_steps_and_are_zero_on_padding(rng):
    weights = masked_softmax(rng.standard_normal((T, B, S)) * 100, MASK)
    np.testing.assert_allclose(weights.sum(axis=-1), 1, rtol=1e-14)
    assert not weights[:, ~MASK.T].any()


@pytest.mark.parametrize("size", [1e3, -1e3, 1e300])
def test_large_scores_do_not_overflow_whether_real_or_of_padding(size, rng):
    scores = rng.standard_normal((T, B, S))
    moved = np.where(MASK.T, scores, size)
    np.testing.assert_array_equal(masked_softmax(scores, MASK), masked_softmax(moved, MASK))
    assert np.isfinite(masked_softmax(scores + size, MASK)).all()


def test_a_sequence_of_padding_alone_is_refused_and_named(rng):
    mask = MASK.copy()
    mask[:, 1] = False
    with pytest.raises(ValueError, match="mask: expected a real step in every sequence.* in 1"):
        masked_softmax(rng.standard_normal((T, B, S)), mask)
    with pytest.raises(NotFiniteError, match="scores"):
        masked_softmax(np.full((T, B, S), np.nan))


@pytest.mark.parametrize(("score", "size"), ALL.values(), ids=ALL)
def test_padding_of_the_memory_changes_nothing(score, size, rng):
    readout, params, queries, memory = drawn(score, size, rng)
    other = np.where(MASK[..., None], memory, 1e3 * rng.standard_normal(memory.shape))
    ys, cache = readout.forward(params, queries, memory, MASK)
    np.testing.assert_array_equal(ys, readout.forward(params, queries, other, MASK)[0])
    _, _, dmemory = readout.backward(params, cache, np.ones_like(ys))
    assert not dmemory[~MASK].any()


@pytest.mark.parametrize(("score", "size"), ALL.values(), ids=ALL)
def test_a_query_has_its_own_answer(score, size, rng):
    readout, params, queries, memory = drawn(score, size, rng)
    together, _ = readout.forward(params, queries, memory, MASK)
    for t in range(T):
        alone, _ = readout.forward(params, queries[t : t + 1], memory, MASK)
        assert_close("alone", alone[0], together[t], 1e-13)


FORMULAS = {
    "dot": lambda p, q, m: q @ m,
    "scaled_dot": lambda p, q, m: q @ m / np.sqrt(H),
    "general": lambda p, q, m: q @ p.W @ m,
    "additive": lambda p, q, m: p.v @ np.tanh(q @ p.W_q + m @ p.W_m + p.b),
}


@pytest.mark.parametrize("name", ALL)
def test_the_scores_are_those_of_their_formulas(name, rng):
    score, size = ALL[name]
    _, params, queries, memory = drawn(score, size, rng)
    scores, _ = score.f(params.score, queries, memory)
    for t, b, s in ((0, 0, 0), (3, 2, 5), (1, 1, 4)):
        want = FORMULAS[name](params.score, queries[t, b], memory[s, b])
        assert scores[t, b, s] == pytest.approx(want, rel=1e-12)


@pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "ragged"])
def test_the_scaled_product_is_that_of_pytorch(mask, rng):
    torch = torch_or_skip()
    readout, params, queries, memory = drawn(scaled_dot, H, rng)
    q, m = (torch.tensor(a, requires_grad=True) for a in (queries, memory))
    contexts = torch.nn.functional.scaled_dot_product_attention(
        q.swapaxes(0, 1),
        m.swapaxes(0, 1),
        m.swapaxes(0, 1),
        attn_mask=None if mask is None else torch.tensor(mask.T)[:, None],
    ).swapaxes(0, 1)
    dcontexts = rng.standard_normal((T, B, H))
    (contexts * torch.tensor(dcontexts)).sum().backward()
    ys, cache = readout.forward(params, queries, memory, mask)
    dys = np.concatenate([np.zeros_like(queries), dcontexts], axis=-1)
    _, dqueries, dmemory = readout.backward(params, cache, dys)
    assert_close("contexts", ys[..., H:], contexts.detach().numpy(), 1e-12)
    assert_close("dqueries", dqueries, q.grad.numpy(), 1e-12)
    assert_close("dmemory", dmemory, m.grad.numpy(), 1e-12)


@pytest.mark.parametrize(("score", "size"), ALL.values(), ids=ALL)
def test_float32_stays_float32(score, size, rng):
    readout, params, queries, memory = drawn(score, size, rng, np.float32)
    params = tree_cast(params, np.float32)
    ys, cache = readout.forward(params, queries, memory, MASK)
    dparams, dqueries, dmemory = readout.backward(params, cache, ys)
    arrays = [ys, dqueries, dmemory, *dparams.score]
    assert {array.dtype for array in arrays} == {np.dtype(np.float32)}


def test_the_caller_may_change_its_arrays_before_the_backward(rng):
    readout, params, queries, memory = drawn(general, M, rng)
    ys, cache = readout.forward(params, queries, memory, MASK)
    want = readout.backward(params, cache, ys)
    queries[:], memory[:] = 0, 0
    for one, other in zip(want[1:], readout.backward(params, cache, ys)[1:]):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(want[0].score.W, readout.backward(params, cache, ys)[0].score.W)


def test_an_encoder_decoder_with_attention_has_every_gradient_right(rng):
    V, N = 6, 3
    read = Bidirectional(Recurrent(GRU, N, H), Recurrent(GRU, N, H))
    model = Seq2Seq(
        Serial((Embedding(V, N), read)),
        AffineBridge(2 * H, H),
        Serial((Embedding(V, N), Recurrent(GRU, N, H))),
        Attention(general, H, 2 * H),
        Dense(3 * H, V),
    )
    pair = Pair(rng.integers(0, V, (S, B)), rng.integers(0, V, (T, B)), MASK)
    params = tree_random_like(model.init(rng), rng, 0.5)

    def forward(point):
        logits, _, cache = model.forward(point[0], pair)
        return (logits,), cache

    check_gradients(
        forward, lambda cache, d: (model.backward(params, cache, d[0])[0],), (params,), rng
    )


def test_what_does_not_fit_is_refused(rng):
    readout, params, queries, memory = drawn(general, M, rng)
    with pytest.raises(TypeError, match="score: expected one of dot"):
        Attention("dot", H, M)
    with pytest.raises(ValueError, match="memory_size: a product of two needs query_size 5, got 7"):
        Attention(dot, H, M).init(rng)
    with pytest.raises(ValueError, match="memory: expected shape"):
        readout.forward(params, queries, memory[:, :1])
    with pytest.raises(ValueError, match="mask: expected shape"):
        readout.forward(params, queries, memory, MASK[:3])
    with pytest.raises(ValueError, match="weights: expected shape"):
        attend(np.ones((T, B)), memory)
    ys, cache = readout.forward(params, queries, memory)
    with pytest.raises(ValueError, match="dys: expected shape"):
        readout.backward(params, cache, ys[..., :-1])
    assert isinstance(general, Score) and repr(additive(4)) == "additive(4)"


def test_an_encoder_decoder_with_attention_has_every_gradient_of_pytorch(rng):
    torch = torch_or_skip()
    V, N = 6, 3
    read, write = Bidirectional(Recurrent(GRU, N, H), Recurrent(GRU, N, H)), Recurrent(GRU, N, H)
    model = Seq2Seq(
        Serial((Embedding(V, N), read)),
        AffineBridge(2 * H, H),
        Serial((Embedding(V, N), write)),
        Attention(general, H, 2 * H),
        Dense(3 * H, V),
    )
    pair = Pair(rng.integers(0, V, (S, B)), rng.integers(0, V, (T, B)))
    params = tree_random_like(model.init(rng), rng, 0.5)
    (E, of_read), bridge, (P, of_write), readout, dense = params
    dlogits = rng.standard_normal((T, B, V))

    ours = {"E": E.E, "P": P.E, "W_b": bridge.W, "b_b": bridge.b}
    ours |= {"W": readout.score.W, "W_o": dense.W, "b_o": dense.b}
    t = {name: torch.tensor(array, requires_grad=True) for name, array in ours.items()}
    there = torch.nn.GRU(N, H, bidirectional=True).double(), torch.nn.GRU(N, H).double()
    for module, layer, values in zip(there, (read, write), (of_read, of_write)):
        arrays = to_pytorch(layer, values)
        module.load_state_dict({name: torch.tensor(array) for name, array in arrays.items()})
    memory, last = there[0](t["E"][torch.tensor(pair.source)])
    first = torch.tanh(torch.cat([last[0], last[1]], dim=-1) @ t["W_b"] + t["b_b"])
    queries, _ = there[1](t["P"][torch.tensor(pair.prefix)], first[None])
    keys = memory.swapaxes(0, 1)
    contexts = torch.nn.functional.scaled_dot_product_attention(
        (queries @ t["W"]).swapaxes(0, 1), keys, keys, scale=1.0
    ).swapaxes(0, 1)
    theirs = torch.cat([queries, contexts], dim=-1) @ t["W_o"] + t["b_o"]
    (theirs * torch.tensor(dlogits)).sum().backward()

    logits, _, cache = model.forward(params, pair)
    assert_close("logits", logits, theirs.detach().numpy(), 1e-12)
    (dE, dread), dbridge, (dP, dwrite), dreadout, ddense = model.backward(params, cache, dlogits)[0]
    gradients = {"E": dE.E, "P": dP.E, "W_b": dbridge.W, "b_b": dbridge.b}
    gradients |= {"W": dreadout.score.W, "W_o": ddense.W, "b_o": ddense.b}
    for name, gradient in gradients.items():
        assert_close(name, gradient, t[name].grad.numpy(), 1e-12)
    for module, layer, gradient in zip(there, (read, write), (dread, dwrite)):
        for name, array in gradients_to_pytorch(layer, gradient).items():
            assert_close(name, array, dict(module.named_parameters())[name].grad.numpy(), 1e-12)


@pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "ragged"])
def test_one_head_of_pytorch_is_the_general_score(mask, rng):
    torch = torch_or_skip()
    E = 4
    head = torch.nn.MultiheadAttention(E, 1, bias=False, kdim=E, vdim=E).double()
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.copy_(torch.tensor(rng.standard_normal(parameter.shape)))
    W_q, W_k, W_v = (W.detach().numpy() for W in head.in_proj_weight.split(E))
    queries, memory = rng.standard_normal((T, B, E)), rng.standard_normal((S, B, E))
    padding = None if mask is None else torch.tensor(~mask.T)
    m = torch.tensor(memory)
    theirs, weights = head(torch.tensor(queries), m, m, key_padding_mask=padding)
    params = AttentionParams(GeneralParams(W_q.T @ W_k / np.sqrt(E)))
    ys, cache = Attention(general, E, E).forward(params, queries, memory, mask)
    W_o = head.out_proj.weight.detach().numpy()
    assert_close("weights", cache.weights.swapaxes(0, 1), weights.detach().numpy(), 1e-12)
    assert_close("outputs", ys[..., E:] @ W_v.T @ W_o.T, theirs.detach().numpy(), 1e-12)


@pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "ragged"])
def test_the_scaled_product_is_the_operator_of_onnx(mask, rng):
    onnx = pytest.importorskip("onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    readout, params, queries, memory = drawn(scaled_dot, H, rng, np.float32)
    feed = {"Q": queries, "K": memory, "V": memory}
    feed = {name: array.transpose(1, 0, 2)[:, None] for name, array in feed.items()}  # one head
    if mask is not None:
        feed["mask"] = np.broadcast_to(mask.T[:, None, None], (B, 1, T, S)).copy()
    kinds = {np.dtype(np.float32): onnx.TensorProto.FLOAT, np.dtype(bool): onnx.TensorProto.BOOL}
    inputs = [
        onnx.helper.make_tensor_value_info(name, kinds[array.dtype], array.shape)
        for name, array in feed.items()
    ]
    output = onnx.helper.make_tensor_value_info("Y", onnx.TensorProto.FLOAT, (B, 1, T, H))
    node = onnx.helper.make_node("Attention", list(feed), ["Y"])
    graph = onnx.helper.make_graph([node], "attention", inputs, [output])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 23)])
    model.ir_version = 10
    session = onnxruntime.InferenceSession(model.SerializeToString())
    (theirs,) = session.run(None, feed)
    ys, _ = readout.forward(params, queries, memory, mask)
    assert_close("contexts", ys[..., H:], theirs[:, 0].transpose(1, 0, 2), 1e-5)


@pytest.mark.parametrize(("score", "size"), ALL.values(), ids=ALL)
def test_the_gradients_are_those_of_autograd(score, size, rng):
    pytest.importorskip("autograd")
    import autograd.numpy as anp
    from autograd import grad

    readout, params, queries, memory = drawn(score, size, rng)
    dys = rng.standard_normal((T, B, H + size))
    arrays = list(params.score)

    def scores_of(q, m, *p):
        if not p:
            return anp.einsum("tbh,sbh->tbs", q, m) / (H**0.5 if score is scaled_dot else 1.0)
        if len(p) == 1:
            return anp.einsum("tbh,hm,sbm->tbs", q, p[0], m)
        W_q, W_m, b, v = p
        u = anp.tanh((q @ W_q)[:, :, None] + anp.swapaxes(m @ W_m, 0, 1) + b)
        return u @ v

    def loss(*point):
        e = scores_of(*point) + np.where(MASK.T, 0.0, -1e9)
        w = anp.exp(e - anp.max(e, axis=-1, keepdims=True))
        w = w / anp.sum(w, axis=-1, keepdims=True)
        contexts = anp.einsum("tbs,sbm->tbm", w, point[1])
        return anp.sum(dys * anp.concatenate([point[0], contexts], axis=-1))

    point = (queries, memory, *arrays)
    theirs = grad(loss, list(range(len(point))))(*point)
    _, cache = readout.forward(params, queries, memory, MASK)
    dparams, dqueries, dmemory = readout.backward(params, cache, dys)
    for k, (ours, other) in enumerate(zip((dqueries, dmemory, *dparams.score), theirs)):
        assert_close(f"gradient {k}", ours, other, 1e-11)
