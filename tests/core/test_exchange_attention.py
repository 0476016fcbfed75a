"""Attention in other libraries: PyTorch's function and one head of its module, and ONNX files.

The same weights give the same outputs and gradients; what does not exist there is refused by name.
"""

import os

import numpy as np
import pytest
from judges import assert_close, torch_or_skip

from rnn_tutorial.data import lengths_to_mask
from rnn_tutorial.exchange import (
    ExchangeError,
    from_onnx,
    from_pytorch_attention,
    from_safetensors,
    gradients_to_pytorch,
    params_from_pytorch,
    to_onnx,
    to_pytorch,
    to_pytorch_attention,
    to_safetensors,
)
from rnn_tutorial.layers import Attention, AttentionParams, Dense, GeneralParams, Score
from rnn_tutorial.layers.scores import additive, dot, general, scaled_dot
from rnn_tutorial.tree import tree_cast, tree_leaves, tree_random_like

T, S, B, H, M = 4, 6, 3, 5, 7
LENGTHS = np.array([6, 3, 1], np.int32)
MASK = lengths_to_mask(LENGTHS, S)
MASKS = pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "ragged"])
SCORES = {"dot": (dot, H), "scaled_dot": (scaled_dot, H), "general": (general, M)}
ALL = SCORES | {"additive": (additive(4), M)}
SCALE = {"dot": 1.0, "scaled_dot": None, "general": 1.0}
OWN = Score("own", dot.init, lambda *_: None, dot.backward)


def drawn(score, size, rng, dtype="float64"):
    attention = Attention(score, H, size)
    params = tree_cast(tree_random_like(attention.init(rng), rng, 0.7), dtype)
    arrays = rng.standard_normal((T, B, H)), rng.standard_normal((S, B, size))
    return attention, params, *(array.astype(dtype) for array in arrays)


def head_of(E, M):
    return Dense(E, E), Attention(general, E, M), Dense(E + M, E)


def drawn_head(rng, E=H, M=M):
    layers = head_of(E, M)
    query, attention, last = (tree_random_like(layer.init(rng), rng, 0.7) for layer in layers)
    last.W[:E] = 0
    return layers, (query, attention, last)


def forward(layers, params, queries, memory, mask):
    q, _, first = layers[0].forward(params[0], queries)
    looked, cache = layers[1].forward(params[1], q, memory, mask)
    out, _, last = layers[2].forward(params[2], looked)
    return out, (first, cache, last)


def backward(layers, params, caches, dout):
    dlast, dlooked, _ = layers[2].backward(params[2], caches[2], dout)
    dattention, dq, dmemory = layers[1].backward(params[1], caches[1], dlooked)
    dfirst, dqueries, _ = layers[0].backward(params[0], caches[0], dq)
    return (dfirst, dattention, dlast), dqueries, dmemory


def module_of(torch, rng, E, M, **options):
    module = torch.nn.MultiheadAttention(E, 1, kdim=M, vdim=M, **options).double()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.tensor(rng.standard_normal(parameter.shape)))
    return module


def run_module(torch, module, queries, memory, mask, dout):
    """Return (outputs, gradients of queries and memory); the module has those of its weights."""
    q, m = (torch.tensor(array, requires_grad=True) for array in (queries, memory))
    padding = None if mask is None else torch.tensor(~mask.T)
    out, _ = module(q, m, m, key_padding_mask=padding)
    (out * torch.tensor(dout)).sum().backward()
    return out.detach().numpy(), q.grad.numpy(), m.grad.numpy()


# PyTorch's function


@MASKS
@pytest.mark.parametrize("name", SCORES)
def test_pytorch_s_function_has_our_contexts_and_gradients(name, mask, rng):
    torch = torch_or_skip()
    attention, params, queries, memory = drawn(*SCORES[name], rng)
    arrays = to_pytorch(attention, params)
    linear = torch.nn.Identity() if not arrays else torch.nn.Linear(H, M, bias=False).double()
    linear.load_state_dict({key: torch.tensor(array) for key, array in arrays.items()})
    q, m = (torch.tensor(array, requires_grad=True) for array in (queries, memory))
    keys = m.swapaxes(0, 1)
    seen = None if mask is None else torch.tensor(mask.T)[:, None]
    contexts = torch.nn.functional.scaled_dot_product_attention(
        linear(q).swapaxes(0, 1), keys, keys, attn_mask=seen, scale=SCALE[name]
    ).swapaxes(0, 1)
    dcontexts = rng.standard_normal(contexts.shape)
    (contexts * torch.tensor(dcontexts)).sum().backward()

    ys, cache = attention.forward(params, queries, memory, mask)
    dys = np.concatenate([np.zeros_like(queries), dcontexts], axis=-1)
    dparams, dqueries, dmemory = attention.backward(params, cache, dys)
    assert_close("contexts", ys[..., H:], contexts.detach().numpy(), 1e-12)
    assert_close("dqueries", dqueries, q.grad.numpy(), 1e-12)
    assert_close("dmemory", dmemory, m.grad.numpy(), 1e-12)
    gradients = gradients_to_pytorch(attention, dparams)
    assert gradients.keys() == dict(linear.named_parameters()).keys()
    for key, gradient in gradients.items():
        assert_close(key, gradient, linear.get_parameter(key).grad.numpy(), 1e-12)


@pytest.mark.parametrize("name", SCORES)
def test_weights_there_and_back_are_the_same_bits_and_copies(name, rng, tmp_path):
    pytest.importorskip("safetensors")
    attention, params, *_ = drawn(*SCORES[name], rng)
    arrays = to_pytorch(attention, params)
    to_safetensors(tmp_path / "attention.safetensors", arrays)
    back = params_from_pytorch(attention, from_safetensors(tmp_path / "attention.safetensors"))
    assert type(back) is AttentionParams and type(back.score) is type(params.score)
    for a, b in zip(tree_leaves(params), tree_leaves(back), strict=True):
        np.testing.assert_array_equal(a, b)
    for array in arrays.values():
        assert not any(np.shares_memory(array, leaf) for leaf in tree_leaves(params))


def test_scores_that_pytorch_does_not_have_are_refused_by_name(rng):
    for score in (additive(4), OWN):
        attention = Attention(score, H, H)
        words = (
            rf"score: PyTorch has dot, scaled_dot, general, as .*; got {score.name.split('(')[0]}"
        )
        with pytest.raises(ExchangeError, match=words):
            to_pytorch(attention, attention.init(rng))
        with pytest.raises(ExchangeError, match=words):
            params_from_pytorch(attention, {})


def test_weights_that_are_not_those_of_the_score_are_refused(rng):
    attention, params, *_ = drawn(general, M, rng)
    with pytest.raises(ExchangeError, match=r"weight has shape \(5, 7\), expected \(7, 5\)"):
        params_from_pytorch(attention, {"weight": np.zeros((H, M))})
    with pytest.raises(ExchangeError, match="bias is surplus"):
        params_from_pytorch(attention, to_pytorch(attention, params) | {"bias": np.zeros(M)})
    with pytest.raises(ExchangeError, match="weight is surplus"):
        params_from_pytorch(Attention(dot, H, H), {"weight": np.zeros((H, H))})
    with pytest.raises(ValueError, match=r"W: expected shape \(H=4, M=7\)"):
        to_pytorch(Attention(general, 4, M), params)
    with pytest.raises(TypeError, match="params.score: expected parameters with the fields W"):
        to_pytorch(attention, AttentionParams(()))


# One head of PyTorch's module


@MASKS
@pytest.mark.parametrize("bias", [True, False], ids=["biases", "no biases"])
@pytest.mark.parametrize("size", [H, M], ids=["M = E", "M > E"])
def test_one_head_of_pytorch_is_three_layers_here(size, bias, mask, rng):
    torch = torch_or_skip()
    module = module_of(torch, rng, H, size, bias=bias)
    queries, memory = rng.standard_normal((T, B, H)), rng.standard_normal((S, B, size))
    dout = rng.standard_normal((T, B, H))
    theirs = run_module(torch, module, queries, memory, mask, dout)
    layers, params = from_pytorch_attention(module.state_dict(), module.num_heads)
    assert layers == head_of(H, size)
    out, caches = forward(layers, params, queries, memory, mask)
    _, dqueries, dmemory = backward(layers, params, caches, dout)
    for name, ours, there in zip(("out", "dq", "dm"), (out, dqueries, dmemory), theirs):
        assert_close(name, ours, there, 1e-12)


@MASKS
@pytest.mark.parametrize("size", [H, M], ids=["M = E", "M > E"])
def test_three_layers_are_one_head_of_pytorch_and_come_back(size, mask, rng):
    torch = torch_or_skip()
    layers, params = drawn_head(rng, H, size)
    module = module_of(torch, rng, H, size)
    arrays = to_pytorch_attention(layers, params)
    module.load_state_dict({name: torch.tensor(array) for name, array in arrays.items()})
    queries, memory = rng.standard_normal((T, B, H)), rng.standard_normal((S, B, size))
    dout = rng.standard_normal((T, B, H))
    theirs = run_module(torch, module, queries, memory, mask, dout)
    out, caches = forward(layers, params, queries, memory, mask)
    (dquery, dattention, dlast), *dinputs = backward(layers, params, caches, dout)
    for name, ours, there in zip(("out", "dq", "dm"), (out, *dinputs), theirs):
        assert_close(name, ours, there, 1e-12)
    if size == H:
        of_q, of_k, of_v = module.in_proj_weight.grad.numpy().reshape(3, H, H)
    else:
        there = module.q_proj_weight, module.k_proj_weight, module.v_proj_weight
        of_q, of_k, of_v = (weight.grad.numpy() for weight in there)
    assert_close("dW_q", dquery.W.T, of_q, 1e-12)
    assert_close("db_q", dquery.b, module.in_proj_bias.grad.numpy()[:H], 1e-12)
    assert_close("dW_k", dattention.score.W / np.sqrt(H), of_k, 1e-12)
    assert_close("dW_v", dlast.W[H:].T, of_v, 1e-12)
    assert_close("db_o", dlast.b, module.out_proj.bias.grad.numpy(), 1e-12)
    back, returned = from_pytorch_attention(module.state_dict(), 1)
    assert back == layers
    for a, b in zip(tree_leaves(params), tree_leaves(returned), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-15)


def test_a_head_in_float32_stays_in_float32_and_its_arrays_are_copies(rng):
    layers, params = drawn_head(rng)
    params = tree_cast(params, np.float32)
    arrays = to_pytorch_attention(layers, params)
    assert {array.dtype for array in arrays.values()} == {np.dtype(np.float32)}
    _, back = from_pytorch_attention({f"head.{k}": a for k, a in arrays.items()}, 1, "head.")
    assert {leaf.dtype for leaf in tree_leaves(back)} == {np.dtype(np.float32)}
    before = [leaf.copy() for leaf in tree_leaves(params)]
    for leaf in (*arrays.values(), *tree_leaves(back)):
        leaf[...] = 7
    for leaf, old in zip(tree_leaves(params), before, strict=True):
        np.testing.assert_array_equal(leaf, old)


def without(name):
    return lambda arrays: {key: array for key, array in arrays.items() if key != name}


def changed(**arrays):
    return lambda old: old | arrays


WRONG_HEADS = {
    "no matrix": (without("out_proj.weight"), "expected the matrices out_proj.weight"),
    "a missing matrix": (without("v_proj_weight"), "v_proj_weight is missing"),
    "a lost bias": (without("in_proj_bias"), "in_proj_bias is missing"),
    "a step of the module's own": (
        changed(bias_k=np.zeros((1, 1, H)), bias_v=np.zeros((1, 1, H))),
        "bias_k: a step that add_bias_kv appends.*bias_v",
    ),
    "another vdim": (
        changed(v_proj_weight=np.zeros((H, M + 1))),
        "kdim and vdim are equal; got k_proj_weight .5, 7. and v_proj_weight .5, 8.",
    ),
    "another shape": (
        changed(in_proj_bias=np.zeros(H)),
        r"in_proj_bias has shape \(5,\), expected \(15,\)",
    ),
    "something else": (changed(extra=np.zeros(2)), "extra is surplus"),
    "whole numbers": (changed(q_proj_weight=np.zeros((H, H), int)), "q_proj_weight is of int64"),
}


@pytest.mark.parametrize("change, message", WRONG_HEADS.values(), ids=WRONG_HEADS)
def test_arrays_that_are_not_one_head_are_refused_by_name(change, message, rng):
    arrays = to_pytorch_attention(*drawn_head(rng))
    with pytest.raises(ExchangeError, match=message):
        from_pytorch_attention(change(arrays), 1)


def test_several_heads_and_what_is_not_a_state_dict_are_refused(rng):
    arrays = to_pytorch_attention(*drawn_head(rng))
    with pytest.raises(ExchangeError, match="heads: an attention here has one head, got 4"):
        from_pytorch_attention(arrays, 4)
    with pytest.raises(TypeError, match="state_dict: expected a dict of tensors or arrays"):
        from_pytorch_attention(list(arrays.values()), 1)


def test_layers_that_are_not_one_head_are_refused(rng):
    layers, params = drawn_head(rng)
    for wrong, got in (
        (
            (layers[0], Attention(scaled_dot, H, H), Dense(2 * H, H)),
            r"Attention\(scaled_dot, 5, 5\)",
        ),
        ((layers[0], layers[1], Dense(H + M, H + 1)), r"Dense\(12, 6\)"),
        (layers[::-1], r"got Dense\(12, 5\), Attention\(general, 5, 7\), Dense\(5, 5\)"),
    ):
        with pytest.raises(ExchangeError, match=f"layers: one head of PyTorch is Dense.*{got}"):
            to_pytorch_attention(wrong, params)
    with pytest.raises(ValueError, match="layers: expected a tuple of 3"):
        to_pytorch_attention(layers[:2], params)
    params[2].W[2, 1] = 0.5
    with pytest.raises(
        ExchangeError, match=r"does not read the queries.*first 5 rows of W, got 0.5"
    ):
        to_pytorch_attention(layers, params)
    short = params[1]._replace(score=GeneralParams(np.zeros((H, M), np.float32)))
    with pytest.raises(TypeError, match=r"params\[1\].score.W: expected dtype float64"):
        to_pytorch_attention(layers, (params[0], short, params[2]))


# ONNX


def run(path, **feed):
    session = pytest.importorskip("onnxruntime").InferenceSession(
        path, providers=["CPUExecutionProvider"]
    )
    return session.run(None, feed)[0]


@MASKS
@pytest.mark.parametrize("dtype, rtol", [("float32", 1e-6), ("float64", 1e-12)])
@pytest.mark.parametrize("name", ALL)
def test_onnxruntime_looks_where_we_look(name, dtype, rtol, mask, tmp_path, rng):
    pytest.importorskip("onnx")
    attention, params, queries, memory = drawn(*ALL[name], rng, dtype)
    if not tree_leaves(params):
        queries, memory, rtol = queries.astype("float32"), memory.astype("float32"), 1e-6
    path = tmp_path / "attention.onnx"
    to_onnx(attention, params, path, lengths=mask is not None)
    feed = {"queries": queries, "memory": memory} | ({} if mask is None else {"lengths": LENGTHS})
    ours, _ = attention.forward(params, queries, memory, mask)
    assert_close("ys", run(path, **feed), ours, rtol)
    longer = np.concatenate([memory, memory[::-1]])  # the sizes T, S and B are free
    feed |= {"queries": queries[:1], "memory": longer}
    wider = None if mask is None else lengths_to_mask(LENGTHS, 2 * S)
    ours, _ = attention.forward(params, queries[:1], longer, wider)
    assert_close("ys", run(path, **feed), ours, rtol)


def test_onnx_refuses_by_name_and_leaves_no_file(tmp_path, rng):
    pytest.importorskip("onnx")
    attention, params, *_ = drawn(general, M, rng)
    path = tmp_path / "attention.onnx"
    for model, wrong, error, message in (
        (Attention(OWN, H, H), AttentionParams(()), ExchangeError, "score: dot.* got own"),
        (Attention(general, H, 4), params, ValueError, "W: expected shape"),
        (attention, tree_cast(params, np.float16), ExchangeError, "got float16"),
        (attention, AttentionParams(()), ExchangeError, "got none"),
        (attention, (), TypeError, "params: expected parameters with the fields score"),
    ):
        with pytest.raises(error, match=message):
            to_onnx(model, wrong, path)
    assert os.listdir(tmp_path) == []
    to_onnx(attention, params, path)
    with pytest.raises(ExchangeError, match="weights.Softmax is a Softmax, unknown here"):
        from_onnx(path)
