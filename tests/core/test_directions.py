"""Both directions: each sequence from its own end, the merges and their gradients, ragged batches.

Bad input is refused by name.
"""

import re
import textwrap

import numpy as np
import pytest
from judges import GRID, assert_close, torch_or_skip
from mutation import without_diagnosis

from rnn_tutorial.cells import GRU, LSTM, Elman
from rnn_tutorial.exchange.pytorch import from_pytorch, to_pytorch
from rnn_tutorial.gradient_check import GradientError, check_gradients, check_layer, random_start
from rnn_tutorial.layers import (
    MERGES,
    Bidirectional,
    Dense,
    Embedding,
    Last,
    Merge,
    Recurrent,
    Reversed,
    Serial,
    add,
    average,
    check_same_shape,
    concat,
    multiply,
    unroll_reversed,
    unroll_reversed_backward,
)
from rnn_tutorial.sequence import unroll
from rnn_tutorial.tree import tree_cast, tree_leaves

T, B, D, H = 6, 3, 4, 5
LENGTHS = np.array([6, 4, 1])
MASK = np.arange(T)[:, None] < LENGTHS


@pytest.mark.parametrize("cell", [Elman, LSTM, GRU], ids=lambda cell: cell.name)
def test_each_sequence_is_read_from_its_own_end(cell, rng):
    params, state = random_start(cell, rng, B, D, H)
    xs = rng.standard_normal((T, B, D))
    (hs, last), _ = unroll_reversed(cell, params, xs, state, MASK)
    for b, n in enumerate(LENGTHS):
        alone = xs[:n, b : b + 1]
        (expected, end), _ = unroll(
            cell, params, alone[::-1], type(state)(*(part[b : b + 1] for part in state))
        )
        np.testing.assert_allclose(hs[:n, b], expected[::-1, 0], rtol=1e-12)
        np.testing.assert_allclose(last.h[b], end.h[0], rtol=1e-12)
        np.testing.assert_allclose(last.h[b], hs[0, b], rtol=1e-12)  # it ends at the first step
    assert (hs[~MASK] == 0).all()


@pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "ragged"])
def test_every_gradient_of_the_reversed_sequence_is_the_slope(mask, rng):
    params, state = random_start(LSTM, rng, B, D, H)
    point = params, rng.standard_normal((T, B, D)), state
    check_gradients(
        lambda p: unroll_reversed(LSTM, *p, mask),
        lambda cache, doutputs: unroll_reversed_backward(LSTM, params, cache, doutputs),
        point,
        rng,
    )


@pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "ragged"])
@pytest.mark.parametrize("merge", MERGES, ids=lambda merge: merge.name)
def test_every_gradient_of_every_merge_is_the_slope(merge, mask, rng):
    layer = Bidirectional(Recurrent(LSTM, D, H), Recurrent(GRU, D, H), merge)
    check_layer(layer, rng.standard_normal((T, B, D)), rng, mask=mask)


@pytest.mark.parametrize("merge", MERGES, ids=lambda merge: merge.name)
def test_the_last_states_of_both_directions_have_right_gradients(merge, rng):
    read = Serial((Recurrent(LSTM, D, H), Last()))
    check_layer(Bidirectional(read, read, merge), rng.standard_normal((T, B, D)), rng, mask=MASK)


def test_a_stack_of_three_has_right_gradients(rng):
    first = Bidirectional(Recurrent(LSTM, D, H), Recurrent(LSTM, D, H))
    second = Bidirectional(Recurrent(GRU, 2 * H, 3), Recurrent(Elman, 2 * H, 3), multiply)
    third = Bidirectional(Recurrent(LSTM, 3, 2), Recurrent(LSTM, 3, 4))
    check_layer(
        Serial((first, second, third, Dense(6, 2))), rng.standard_normal((T, B, D)), rng, mask=MASK
    )


def test_symbols_may_be_read_from_both_ends(rng):
    read = Serial((Embedding(7, D), Recurrent(LSTM, D, H)))
    check_layer(Bidirectional(read, read, add), rng.integers(0, 7, (T, B)), rng, mask=MASK)


def test_a_merge_of_your_own_may_join_different_sizes(rng):
    first_and_all = Merge("outer", lambda a, b: a[..., :1] * b, lambda a, b, dys: (None, None))
    layer = Bidirectional(Recurrent(Elman, D, H), Recurrent(Elman, D, 2), first_and_all)
    ys, _, _ = layer.forward(layer.init(rng), rng.standard_normal((T, B, D)))
    assert ys.shape == (T, B, 2)


def test_what_the_merges_are(rng):
    a, b = rng.standard_normal((2, T, B, H))
    np.testing.assert_array_equal(
        concat.f(a, b),
        np.dstack([a.reshape(-1, H), b.reshape(-1, H)]).swapaxes(1, 2).reshape(T, B, 2 * H),
    )
    for t in range(T):
        np.testing.assert_array_equal(add.f(a, b)[t], a[t] + b[t])
        np.testing.assert_allclose(average.f(a, b)[t], 0.5 * a[t] + 0.5 * b[t], rtol=1e-15)
        np.testing.assert_array_equal(multiply.f(a, b)[t], a[t] * b[t])


def test_step_t_is_merged_with_step_t(rng):
    layer = Bidirectional(Recurrent(Elman, D, H), Recurrent(LSTM, D, 2))
    params, xs = layer.init(rng), rng.standard_normal((T, B, D))
    ys, _, _ = layer.forward(params, xs)
    forwards, _, _ = layer.forwards.forward(params.forwards, xs)
    backwards, _, _ = layer.backwards.forward(params.backwards, xs[::-1])
    for t in range(T):
        np.testing.assert_array_equal(
            ys[t], np.concatenate([forwards[t], backwards[T - 1 - t]], axis=1)
        )


def test_the_last_state_of_the_second_direction_is_not_its_last_output(rng):
    read = Serial((Recurrent(LSTM, D, H), Last()))
    both_ends, sequences = (
        Bidirectional(read, read),
        Bidirectional(Recurrent(LSTM, D, H), Recurrent(LSTM, D, H)),
    )
    params, xs = sequences.init(rng), rng.standard_normal((T, B, D))
    ys, _, _ = sequences.forward(params, xs)
    ends, _, _ = both_ends.forward(type(params)((params.forwards, ()), (params.backwards, ())), xs)
    np.testing.assert_array_equal(ends, np.concatenate([ys[-1, :, :H], ys[0, :, H:]], axis=1))


def test_a_padded_batch_gives_each_sequence_what_it_gets_alone(rng):
    layer = Bidirectional(Recurrent(LSTM, D, H), Recurrent(LSTM, D, H))
    params, xs = layer.init(rng), rng.standard_normal((T, B, D))
    ys, _, _ = layer.forward(params, xs, mask=MASK)
    for b, n in enumerate(LENGTHS):
        alone, _, _ = layer.forward(params, xs[:n, b : b + 1])
        np.testing.assert_allclose(ys[:n, b : b + 1], alone, rtol=1e-12)


def test_the_two_directions_start_apart():
    layer = Recurrent(LSTM, D, H)
    params = Bidirectional(layer, layer).init(np.random.default_rng(0))
    assert not np.allclose(params.forwards.W_x, params.backwards.W_x)


def test_reversed_twice_is_the_layer(rng):
    layer = Recurrent(GRU, D, H)
    params, xs = layer.init(rng), rng.standard_normal((T, B, D))
    ys, _, _ = Reversed(Reversed(layer)).forward(params, xs, mask=MASK)
    np.testing.assert_array_equal(ys, layer.forward(params, xs, mask=MASK)[0])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_dtype_of_the_parameters_is_the_dtype_of_everything(dtype, rng):
    for merge in MERGES:
        layer = Bidirectional(Recurrent(LSTM, D, H), Recurrent(LSTM, D, H), merge)
        params, xs = tree_cast(layer.init(rng), dtype), rng.standard_normal((T, B, D)).astype(dtype)
        ys, _, cache = layer.forward(params, xs)
        dparams, dxs, _ = layer.backward(params, cache, ys)
        assert {leaf.dtype for leaf in tree_leaves((ys, dparams, dxs))} == {np.dtype(dtype)}


def test_nothing_is_changed_in_place(rng):
    layer = Bidirectional(Recurrent(LSTM, D, H), Recurrent(LSTM, D, H), add)
    params, xs, dys = (
        layer.init(rng),
        rng.standard_normal((T, B, D)),
        rng.standard_normal((T, B, H)),
    )
    copies = [leaf.copy() for leaf in tree_leaves((params, xs, dys))]
    _, _, cache = layer.forward(params, xs, mask=MASK)
    first, second = layer.backward(params, cache, dys), layer.backward(params, cache, dys)
    assert all(np.array_equal(old, new) for old, new in zip(copies, tree_leaves((params, xs, dys))))
    assert all(np.array_equal(a, b) for a, b in zip(tree_leaves(first), tree_leaves(second)))


@pytest.mark.parametrize("merge", ["concat", "multiplty", None, np.add])
def test_an_unknown_merge_is_refused_and_the_choices_named(merge):
    with pytest.raises(
        TypeError, match="merge: expected one of concat, add, average, multiply .*got"
    ):
        Bidirectional(Recurrent(Elman, D, H), Recurrent(Elman, D, H), merge)


@pytest.mark.parametrize("merge", [add, average, multiply], ids=lambda merge: merge.name)
def test_an_elementwise_merge_of_different_sizes_is_refused(merge, rng):
    # (T, B, 5) and (T, B, 1) would broadcast
    layer = Bidirectional(Recurrent(Elman, D, H), Recurrent(Elman, D, 1), merge)
    with pytest.raises(
        ValueError, match=r"backwards: expected shape \(6, 3, 5\), .*got \(6, 3, 1\)"
    ):
        layer.forward(layer.init(rng), rng.standard_normal((T, B, D)))


def test_parameters_without_two_directions_are_refused(rng):
    layer = Bidirectional(Recurrent(Elman, D, H), Recurrent(Elman, D, H))
    with pytest.raises(
        TypeError,
        match="params: expected parameters with the fields forwards, backwards, got tuple",
    ):
        layer.forward(tuple(layer.init(rng)), rng.standard_normal((T, B, D)))


def test_a_gradient_of_another_shape_is_refused(rng):
    layer = Bidirectional(Recurrent(Elman, D, H), Recurrent(Elman, D, H), add)
    params = layer.init(rng)
    _, _, cache = layer.forward(params, rng.standard_normal((T, B, D)))
    with pytest.raises(ValueError, match=r"dys: expected shape \(6, 3, 5\), got \(6, 3, 10\)"):
        layer.backward(params, cache, np.zeros((T, B, 2 * H)))


def forgotten_turn(layer, params, cache, dys):
    """The gradient of the second direction's outputs, not reversed in time."""
    d_f, d_b = layer.merge.backward(cache.forwards, cache.backwards, dys)
    dparams_f, dxs_f, _ = layer.forwards.backward(params.forwards, cache.forwards_cache, d_f)
    dparams_b, dxs_b, _ = layer.backwards.backward(params.backwards, cache.backwards_cache, d_b)
    return type(params)(dparams_f, dparams_b), dxs_f + dxs_b[::-1]


def swapped_halves(layer, params, cache, dys):
    return layer.backward(params, cache, np.concatenate([dys[..., H:], dys[..., :H]], axis=-1))[:2]


BROKEN_MERGES = {
    "no product rule": Merge("multiply", multiply.f, lambda a, b, dys: (dys, dys)),
    "one's own factor": Merge("multiply", multiply.f, lambda a, b, dys: (dys * a, dys * b)),
    "no half": Merge("average", average.f, add.backward),
    "the same half twice": Merge(
        "concat", concat.f, lambda a, b, dys: (dys[..., : a.shape[-1]], dys[..., : a.shape[-1]])
    ),
    "halves exchanged": Merge(
        "concat", concat.f, lambda a, b, dys: concat.backward(b, a, dys)[::-1]
    ),
    "one direction dropped": Merge("add", add.f, lambda a, b, dys: (dys, 0 * dys)),
}


@pytest.mark.parametrize("name", BROKEN_MERGES)
def test_a_broken_merge_is_caught(name, rng):
    layer = Bidirectional(Recurrent(LSTM, D, H), Recurrent(LSTM, D, H), BROKEN_MERGES[name])
    with without_diagnosis(), pytest.raises(GradientError):
        check_layer(layer, rng.standard_normal((T, B, D)), rng)


@pytest.mark.parametrize("broken", [forgotten_turn, swapped_halves])
def test_a_broken_backward_is_caught(broken, rng):
    layer = Bidirectional(Recurrent(LSTM, D, H), Recurrent(LSTM, D, H))
    params, xs = layer.init(rng), rng.standard_normal((T, B, D))
    with without_diagnosis(), pytest.raises(GradientError):
        check_gradients(
            lambda p: layer.forward(*p)[::2],
            lambda cache, dys: broken(layer, params, cache, dys),
            (params, xs),
            rng,
        )


@pytest.mark.parametrize(
    "kind, cell, depth", [("RNN", Elman, 3), ("LSTM", LSTM, 2), ("GRU", GRU, 2)]
)
@pytest.mark.parametrize("B, T, D, H, lengths", GRID)
def test_agrees_with_pytorch(B, T, D, H, lengths, kind, cell, depth):
    """Stacks in both directions, whole and ragged: outputs and gradients to 1e-12 in float64."""
    torch = torch_or_skip()
    rng = np.random.default_rng(B * T + H)
    rnn = getattr(torch.nn, kind)(D, H, num_layers=depth, bidirectional=True, dtype=torch.float64)
    model, params = from_pytorch(rnn.state_dict(), cell)
    xs, dys = rng.standard_normal((T, B, D)), rng.standard_normal((T, B, 2 * H))
    ys, _, cache = model.forward(params, xs, mask=np.arange(T)[:, None] < np.array(lengths))
    dparams, dxs, _ = model.backward(params, cache, dys)

    their_xs = torch.tensor(xs, requires_grad=True)
    packed = torch.nn.utils.rnn.pack_padded_sequence(
        their_xs, torch.tensor(lengths), enforce_sorted=False
    )
    their_ys, _ = torch.nn.utils.rnn.pad_packed_sequence(rnn(packed)[0], total_length=T)
    (their_ys * torch.tensor(dys)).sum().backward()
    assert_close("ys", ys, their_ys.detach().numpy(), 1e-12)
    assert_close("dxs", dxs, their_xs.grad.numpy(), 1e-12)
    # a gradient is converted as its parameters are
    for name, ours in to_pytorch(model, dparams).items():
        theirs = getattr(rnn, name).grad.numpy()
        if "bias_hh" not in name:
            assert_close(name, ours, theirs, 1e-12)
        elif cell is GRU:  # here the second bias exists for n alone
            assert_close(name, ours[2 * H :], theirs[2 * H :], 1e-12)


@pytest.mark.parametrize(
    "merge, theirs", [(concat, "concat"), (add, "sum"), (average, "ave"), (multiply, "mul")]
)
def test_merges_agree_with_keras(merge, theirs):
    keras = pytest.importorskip("keras")
    rng = np.random.default_rng(3)
    layer = Bidirectional(Recurrent(Elman, D, H), Recurrent(Elman, D, H), merge)
    params, xs = (
        tree_cast(layer.init(rng), np.float32),
        rng.standard_normal((T, B, D)).astype(np.float32),
    )
    keras_layer = keras.layers.Bidirectional(
        keras.layers.SimpleRNN(H, return_sequences=True), merge_mode=theirs
    )
    keras_layer.build((B, T, D))
    keras_layer.set_weights([*params.forwards, *params.backwards])
    ys, _, _ = layer.forward(params, xs)
    reference = np.asarray(keras.ops.convert_to_numpy(keras_layer(xs.swapaxes(0, 1))))
    assert_close("ys", ys.swapaxes(0, 1), reference, 1e-6)


# A merge of your own


def max_of(a, b):
    check_same_shape(a, b)
    return np.maximum(a, b)


def max_backward(a, b, dys):
    return np.where(a >= b, dys, 0), np.where(a >= b, 0, dys)


def in_both_directions(f=max_of, backward=max_backward, sizes=(H, H)):
    return Bidirectional(*(Recurrent(Elman, D, size) for size in sizes), Merge("max", f, backward))


def run(layer, rng):
    params, xs = layer.init(rng), rng.standard_normal((T, B, D))
    ys, _, cache = layer.forward(params, xs)
    return layer.backward(params, cache, np.ones_like(ys))


def test_a_right_merge_of_your_own_is_taken(rng):
    run(in_both_directions(), rng)
    for kept in (in_both_directions().merge, Merge("max", max_of, max_backward)):
        assert kept.backward is max_backward and kept == in_both_directions().merge


@pytest.mark.parametrize(
    "answer, got",
    [
        (lambda a, b, dys: dys, "ndarray"),
        (lambda a, b, dys: np.stack([dys, dys]), "ndarray"),
        (lambda a, b, dys: None, "NoneType"),
        (lambda a, b, dys: (dys, dys, dys), "tuple of 3"),
        (lambda a, b, dys: (dys,), "tuple of 1"),
    ],
)
def test_a_backward_that_does_not_return_two_gradients_is_refused(answer, got, rng):
    message = rf"merge max: backward: expected \(dforwards, dbackwards\), got {got}$"
    with pytest.raises(TypeError, match=message):
        run(in_both_directions(backward=answer), rng)


@pytest.mark.parametrize(
    "answer, error, message",
    [
        (
            lambda a, b, dys: (dys[..., :1], dys),
            ValueError,
            r"dforwards: expected shape \(6, 3, 5\)",
        ),
        (
            lambda a, b, dys: (dys, dys.sum()),
            ValueError,
            r"dbackwards: expected shape \(6, 3, 5\), got \(\)",
        ),
        (
            lambda a, b, dys: (dys, None),
            TypeError,
            "dbackwards: expected a NumPy array .* got NoneType",
        ),
        (lambda a, b, dys: (dys.astype("f"), dys), TypeError, "dforwards: expected dtype float64"),
    ],
)
def test_a_gradient_that_does_not_fit_is_refused_by_name(answer, error, message, rng):
    with pytest.raises(error, match=f"merge max: backward: {message}"):
        run(in_both_directions(backward=answer), rng)


def test_one_unit_stretched_over_many_is_refused_in_the_forward_or_in_the_backward(rng):
    with pytest.raises(ValueError, match=r"merge: max cannot .*: backwards: expected shape"):
        run(in_both_directions(sizes=(H, 1)), rng)
    message = r"max: backward: dbackwards: expected shape \(6, 3, 1\), got"
    with pytest.raises(ValueError, match=message):
        run(in_both_directions(np.maximum, sizes=(H, 1)), rng)
    assert "check_same_shape" in Merge.__doc__


@pytest.mark.parametrize("answer, got", [((1, 2), "tuple"), (None, "NoneType"), (0.5, "float")])
def test_a_merge_that_gives_no_array_is_refused(answer, got, rng):
    with pytest.raises(TypeError, match=f"merge: max of .*: expected an array, got {got}"):
        run(in_both_directions(lambda a, b: answer), rng)


@pytest.mark.parametrize("field", ["f", "backward"])
def test_a_merge_without_one_of_its_functions_is_refused_when_it_is_made(field):
    given = {"f": max_of, "backward": max_backward, field: None}
    with pytest.raises(TypeError, match=f"merge max: {field}: expected a function, got NoneType"):
        Merge("max", **given)


def test_the_documentation_of_a_merge_names_the_template_and_its_example_is_right(rng):
    example = re.search(r"Example:\n(.*?)\n *Bidirectional", Merge.__doc__, re.S).group(1)
    namespace = {"np": np, "check_same_shape": check_same_shape}
    exec(textwrap.dedent(example), namespace)
    merge = Merge("max", namespace["max_of"], namespace["max_backward"])
    layer = Bidirectional(Recurrent(Elman, D, H), Recurrent(Elman, D, H), merge)
    run(layer, rng)
    a, b, dys = rng.standard_normal((3, B, H))
    for ours, theirs in zip(merge.backward(a, b, dys), max_backward(a, b, dys)):
        np.testing.assert_array_equal(ours, theirs)
    assert "is `add`" in Merge.__doc__
