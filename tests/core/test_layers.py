"""Layers: every gradient by complex step, alone and in stacks, with and without a mask."""

import numpy as np
import pytest
from judges import assert_close, torch_or_skip

from rnn_tutorial.activations import sigmoid
from rnn_tutorial.cells import Elman, elman
from rnn_tutorial.gradient_check import check_layer
from rnn_tutorial.layers import (
    Dense,
    DenseParams,
    Embedding,
    EmbeddingParams,
    Last,
    Recurrent,
    Residual,
    Serial,
    norms_below,
)
from rnn_tutorial.sequence import unroll
from rnn_tutorial.tree import tree_cast, tree_leaves
from rnn_tutorial.validation import NotFiniteError

T, B, D, H = 6, 3, 4, 5
LENGTHS = np.array([6, 4, 1])
MASK = np.arange(T)[:, None] < LENGTHS


LAYERS = {
    "recurrent": Recurrent(Elman, D, H),
    "last": Last(),
    "dense": Dense(D, 2),
    "two recurrent": Serial((Recurrent(Elman, D, H), Recurrent(elman(sigmoid), H, 2))),
    "stack of three": Serial(
        (Recurrent(Elman, D, H), Recurrent(Elman, H, 2), Recurrent(Elman, 2, 7), Dense(7, 2))
    ),
    "one answer a sequence": Serial((Recurrent(Elman, D, H), Last(), Dense(H, 2))),
    "residual": Residual(Serial((Recurrent(Elman, D, H), Dense(H, D)))),
    "nested": Serial((Serial((Dense(D, 3), Recurrent(Elman, 3, H))), Last())),
}


@pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "ragged"])
@pytest.mark.parametrize("name", LAYERS)
def test_every_gradient_is_the_slope(name, mask, rng):
    check_layer(LAYERS[name], rng.standard_normal((T, B, D)), rng, mask=mask)


@pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "ragged"])
def test_every_gradient_of_a_language_model_is_the_slope(mask, rng):
    model = Serial((Embedding(7, D), Recurrent(Elman, D, H), Dense(H, 7)))
    check_layer(model, rng.integers(0, 7, (T, B)), rng, mask=mask)


@pytest.mark.parametrize("name", ["stack of three", "one answer a sequence", "nested"])
def test_a_padded_batch_gives_each_sequence_what_it_gets_alone(name, rng):
    model, xs = LAYERS[name], rng.standard_normal((T, B, D))
    params = model.init(rng)
    ys, _, _ = model.forward(params, xs, mask=MASK)
    for b, n in enumerate(LENGTHS):
        alone, _, _ = model.forward(params, xs[:n, b : b + 1])
        padded = ys[b : b + 1] if ys.ndim == 2 else ys[:n, b : b + 1]
        np.testing.assert_allclose(padded, alone, rtol=1e-12)


def test_recurrent_is_unroll_from_zero(rng):
    layer = Recurrent(Elman, D, H)
    params, xs = layer.init(rng), rng.standard_normal((T, B, D))
    hs, _, _ = layer.forward(params, xs, mask=MASK)
    (expected, _), _ = unroll(Elman, params, xs, Elman.initial_state(params, B), MASK)
    np.testing.assert_allclose(hs, expected, rtol=1e-12, atol=1e-15)


def test_last_takes_each_sequences_own_last_step(rng):
    xs = rng.standard_normal((T, B, D))
    y, _, _ = Last().forward((), xs, mask=MASK)
    np.testing.assert_array_equal(y, [xs[5, 0], xs[3, 1], xs[0, 2]])
    y, _, _ = Last().forward((), xs)
    np.testing.assert_array_equal(y, xs[-1])


def test_last_of_a_mask_with_holes_is_the_last_true(rng):
    xs = rng.standard_normal((4, 1, D))
    y, _, _ = Last().forward((), xs, mask=np.array([[False], [True], [False], [False]]))
    np.testing.assert_array_equal(y[0], xs[1, 0])


def test_dense_is_the_same_map_at_every_step(rng):
    params = DenseParams(rng.standard_normal((D, 2)), rng.standard_normal(2))
    xs = rng.standard_normal((T, B, D))
    ys, _, _ = Dense(D, 2).forward(params, xs)
    for t in range(T):
        for b in range(B):
            np.testing.assert_allclose(
                ys[t, b],
                [sum(xs[t, b] * params.W[:, k]) + params.b[k] for k in range(2)],
                rtol=1e-13,
            )


def test_an_embedding_is_a_one_hot_product_and_counts_each_occurrence(rng):
    layer, indices = Embedding(7, D), np.array([[3, 3], [3, 0], [6, 3]])
    params = layer.init(rng)
    ys, _, cache = layer.forward(params, indices)
    one_hot = np.eye(7)[indices]
    np.testing.assert_allclose(ys, one_hot @ params.E, rtol=1e-14)
    dys = rng.standard_normal(ys.shape)
    dparams, dxs, _ = layer.backward(params, cache, dys)
    np.testing.assert_allclose(dparams.E, one_hot.reshape(-1, 7).T @ dys.reshape(-1, D), rtol=1e-13)
    assert dxs is None and (dparams.E[[1, 2, 4, 5]] == 0).all()


@pytest.mark.parametrize("shape", [(0, 2), (2, 0)], ids=["no step", "no sequence"])
def test_an_embedding_of_nothing_has_a_gradient_of_zero(shape, rng):
    layer = Embedding(7, D)
    params = layer.init(rng)
    ys, _, cache = layer.forward(params, np.zeros(shape, int))
    dparams, _, _ = layer.backward(params, cache, ys)
    np.testing.assert_array_equal(dparams.E, np.zeros((7, D)))


def test_a_language_model_agrees_with_pytorch(rng):
    torch = torch_or_skip()
    from judges import torch_elman

    from rnn_tutorial.train import softmax_cross_entropy

    model = Serial((Embedding(7, D), Recurrent(Elman, D, H), Dense(H, 7)))
    params = model.init(rng)
    indices, targets = rng.integers(0, 7, (T, B)), rng.integers(0, 7, (T, B))
    logits, _, caches = model.forward(params, indices)
    value, dlogits = softmax_cross_entropy(logits, targets)
    dparams, _, _ = model.backward(params, caches, dlogits)

    E = torch.tensor(params[0].E, requires_grad=True)
    rnn = torch_elman(torch, params[1])
    W, b = (torch.tensor(leaf, requires_grad=True) for leaf in params[2])
    hs, _ = rnn(E[torch.tensor(indices)])
    loss = torch.nn.functional.cross_entropy(
        (hs @ W + b).reshape(-1, 7), torch.tensor(targets).reshape(-1)
    )
    loss.backward()
    assert value == pytest.approx(loss.item(), rel=1e-13)
    theirs = (
        E.grad,
        rnn.weight_ih_l0.grad.T,
        rnn.weight_hh_l0.grad.T,
        rnn.bias_ih_l0.grad,
        W.grad,
        b.grad,
    )
    for ours, reference in zip(tree_leaves(dparams), theirs, strict=True):
        assert_close("gradient", ours, reference.numpy(), 1e-12)


def test_serial_draws_every_layer_from_one_stream(rng):
    first, second = Serial((Dense(3, 3), Dense(3, 3))).init(rng)
    assert not np.array_equal(first.W, second.W)


def test_a_layer_used_twice_gives_both_gradients(rng):
    """The caches are the caller's, so the second use cannot overwrite the first."""
    layer = Recurrent(Elman, D, D)
    params, xs = layer.init(rng), rng.standard_normal((T, B, D))
    dys = rng.standard_normal((T, B, D))
    alone_ys, _, alone_cache = layer.forward(params, xs)
    expected = layer.backward(params, alone_cache, dys)
    ys, _, cache = layer.forward(params, xs)
    layer.forward(params, ys)
    for a, b in zip(
        tree_leaves(expected), tree_leaves(layer.backward(params, cache, dys)), strict=True
    ):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_dtype_of_the_parameters_is_the_dtype_of_everything(dtype, rng):
    model = Serial((Embedding(7, D), Recurrent(Elman, D, H), Last(), Dense(H, 2)))
    params = tree_cast(model.init(rng), dtype)
    ys, _, caches = model.forward(params, rng.integers(0, 7, (T, B)), mask=MASK)
    dparams, _, _ = model.backward(params, caches, np.ones_like(ys))
    assert ys.dtype == dtype and {leaf.dtype for leaf in tree_leaves(dparams)} == {np.dtype(dtype)}


XS = np.zeros((T, B, D))
BAD = [
    (Recurrent(Elman, D, H), XS[0], ValueError, r"xs: expected shape \(T, B, D=4\), got \(3, 4\)"),
    (
        Recurrent(Elman, D, H),
        XS.astype(int),
        TypeError,
        "xs: expected dtype float64, the dtype of the parameters, got int64",
    ),
    (Recurrent(Elman, D, H), XS * np.nan, NotFiniteError, "xs: expected finite numbers, got nan"),
    (Dense(D, 2), XS[..., :3], ValueError, r"xs: expected shape \(..., 4\), got \(6, 3, 3\)"),
    (Dense(D, 2), XS[0, 0], ValueError, r"xs: expected shape \(..., 4\), got \(4,\)"),
    (Dense(D, 2), XS.astype(np.float32), TypeError, "xs: expected dtype float64.* got float32"),
    (Dense(D, 2), XS + np.inf, NotFiniteError, "xs: expected finite numbers, got inf"),
    (
        Embedding(7, D),
        np.full((T, B), 7),
        IndexError,
        r"indices: expected indices in 0..6 \(V = 7\), got 7 at \(0, 0\)",
    ),
    (Embedding(7, D), np.full((T, B), -1), IndexError, r"got -1 at \(0, 0\)"),
    (Embedding(7, D), XS, TypeError, "indices: expected an array of integers, got float64"),
    (Last(), XS[0], ValueError, r"xs: expected shape \(T, B, N\), got \(3, 4\)"),
]


@pytest.mark.parametrize("layer, xs, error, message", BAD)
def test_bad_input_is_refused_by_name(layer, xs, error, message, rng):
    with pytest.raises(error, match=message):
        layer.forward(layer.init(rng), xs)


def test_a_mask_that_does_not_fit_is_refused(rng):
    for layer in (Recurrent(Elman, D, H), Last()):
        params = layer.init(rng)
        with pytest.raises(ValueError, match=r"mask: expected shape \(T=6, B=3\), got \(3, 6\)"):
            layer.forward(params, XS, mask=MASK.T)
    with pytest.raises(
        ValueError, match="mask: expected a real step in every sequence, got none in 2"
    ):
        Last().forward((), XS, mask=np.arange(T)[:, None] < np.array([6, 4, 0]))


def test_the_parameters_of_another_layer_are_refused(rng):
    cases = [
        (Dense(D, 2), "parameters with the fields W, b"),
        (Recurrent(Elman, D, H), r"ElmanParams\(W_x, W_h, b\)"),
        (Embedding(7, D), "parameters with the fields E"),
    ]
    for layer, expected in cases:
        with pytest.raises(TypeError, match=f"params: expected {expected}, got tuple"):
            layer.forward((), XS if not isinstance(layer, Embedding) else XS[..., 0].astype(int))
    with pytest.raises(TypeError, match=r"fields W, b, got ElmanParams\(W_x, W_h, b\)"):
        Dense(D, 2).forward(Elman.init(rng, D, H), XS)


def test_gradients_and_parameters_that_do_not_fit_are_refused(rng):
    params = Dense(D, 2).init(rng)
    _, _, cache = Dense(D, 2).forward(params, XS)
    with pytest.raises(ValueError, match=r"dys: expected shape \(6, 3, 2\), got \(6, 3, 1\)"):
        Dense(D, 2).backward(params, cache, np.ones((T, B, 1)))
    with pytest.raises(ValueError, match=r"W: expected shape \(D=4, K=3\), got \(4, 2\)"):
        Dense(D, 3).forward(params, XS)
    with pytest.raises(ValueError, match=r"b: expected shape \(K=2,\), got \(1,\)"):
        Dense(D, 2).forward(params._replace(b=np.zeros(1)), XS)
    with pytest.raises(ValueError, match=r"E: expected shape \(V=7, N=4\), got \(8, 4\)"):
        Embedding(7, D).forward(EmbeddingParams(np.zeros((8, D))), np.zeros((T, B), int))
    E = Embedding(7, D).init(rng)
    with pytest.raises(ValueError, match=r"dys: expected shape \(6, 3, 4\), got \(6, 3, 1\)"):
        Embedding(7, D).backward(E, np.zeros((T, B), int), np.ones((T, B, 1)))
    _, _, cache = Last().forward((), XS)
    with pytest.raises(ValueError, match=r"dy: expected shape \(3, 4\), got \(4,\)"):
        Last().backward((), cache, np.ones(D))
    model = Serial((Dense(D, 2), Dense(2, 2)))
    with pytest.raises(
        ValueError, match="params: expected a tuple of 2, one for each layer, got 1"
    ):
        model.forward(model.init(rng)[:1], XS)
    with pytest.raises(
        ValueError, match="params: expected a tuple of 2, one for each layer, got 1"
    ):
        model.backward(model.init(rng)[:1], [], XS)


SIZELESS = [
    (Dense(0, 1), "input_size"),
    (Dense(1, 0), "output_size"),
    (Embedding(0, 1), "vocabulary_size"),
    (Embedding(1, -1), "output_size"),
    (Recurrent(Elman, 1, 0), "hidden_size"),
]


@pytest.mark.parametrize("layer, name", SIZELESS)
def test_a_size_that_is_not_positive_is_refused(layer, name, rng):
    with pytest.raises(ValueError, match=f"{name}: expected a positive whole number"):
        layer.init(rng)


def test_the_starts_are_those_documented(rng):
    dense, embedding = Dense(30, 20).init(rng), Embedding(200, 50).init(rng)
    assert (dense.b == 0).all() and 0.9 * np.sqrt(6 / 50) < np.abs(dense.W).max() <= np.sqrt(6 / 50)
    assert embedding.E.std() == pytest.approx(1, rel=0.03)


@pytest.mark.parametrize(
    "layer", [Dense(1, 1), Embedding(2, 1), Recurrent(Elman, 1, 1), Serial((Dense(1, 1),))]
)
def test_a_seed_is_not_a_generator(layer):
    with pytest.raises(
        TypeError, match=r"rng: expected a generator, such as np.random.default_rng\(0\), got int"
    ):
        layer.init(0)


@pytest.mark.parametrize(
    "cell, got", [("LSTM", "str"), (elman, "function"), (Recurrent(Elman, 1, 1), "Recurrent")]
)
def test_anything_that_is_not_a_cell_is_refused_when_the_layer_is_made(cell, got):
    with pytest.raises(
        TypeError,
        match=f"cell: expected a Cell, such as LSTM of rnn_tutorial.cells.lstm, got {got}",
    ):
        Recurrent(cell, 1, 1)


def test_a_layer_alone_is_not_a_tuple_of_layers():
    with pytest.raises(
        TypeError,
        match=r"layers: expected one tuple of layers, Serial\(\(first, second\)\), got Dense",
    ):
        Serial(Dense(1, 1))


def test_residual_adds_to_what_it_was_given(rng):
    layer = Residual(Dense(D, D))
    params, xs = layer.init(rng), rng.standard_normal((T, B, D))
    ys, _, cache = layer.forward(params, xs)
    np.testing.assert_array_equal(ys, xs + (xs @ params.W + params.b))
    _, dxs, _ = layer.backward(DenseParams(0 * params.W, params.b), cache, ys)
    np.testing.assert_array_equal(dxs, ys)  # the path past the layer carries the gradient as it is


def test_residual_over_a_layer_of_another_size_is_refused(rng):
    layer = Residual(Recurrent(Elman, D, 1))  # (T, B, 1) would broadcast
    with pytest.raises(
        ValueError, match=r"outputs of the layer: expected shape \(6, 3, 4\), got \(6, 3, 1\)"
    ):
        layer.forward(layer.init(rng), rng.standard_normal((T, B, D)))


def test_the_norms_on_the_way_down_are_those_of_the_gradients_below_the_layers(rng):
    stack = Serial((Recurrent(Elman, D, H), Residual(Recurrent(Elman, H, H)), Dense(H, 2)))
    params, xs = stack.init(rng), rng.standard_normal((T, B, D))
    ys, _, caches = stack.forward(params, xs)
    dys = rng.standard_normal(ys.shape)
    upper, lower = Serial(stack.layers[1:]), Serial(stack.layers[2:])
    below = [
        lower.backward(params[2:], caches[2:], dys)[1],
        upper.backward(params[1:], caches[1:], dys)[1],
        stack.backward(params, caches, dys)[1],
    ]
    norms = norms_below(stack, params, caches, dys)
    np.testing.assert_allclose(norms, [np.linalg.norm(d) for d in (dys, *below)], rtol=1e-14)


def test_norms_of_what_has_no_gradient_or_no_cache_are_refused(rng):
    stack = Serial((Embedding(4, H), Dense(H, 2)))
    params = stack.init(rng)
    ys, _, caches = stack.forward(params, np.zeros((T, B), int))
    with pytest.raises(TypeError, match=r"stack: the inputs of Embedding\(.*\) have no gradient"):
        norms_below(stack, params, caches, ys)
    with pytest.raises(ValueError, match="caches: expected a tuple of 2"):
        norms_below(stack, params, caches[1:], ys)
