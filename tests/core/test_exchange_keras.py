"""Weight lists of Keras: the same outputs both ways for every layer, every merge and both GRUs.

The way there and back is exact, and wrong lists are refused.

Outputs are compared in float32: Keras over PyTorch multiplies matrices of float64 in float32.
"""

import copy
import pickle

import numpy as np
import pytest
from judges import assert_close, torch_or_skip

from rnn_tutorial.activations import relu, sigmoid
from rnn_tutorial.cells import GRU, LSTM, Elman, GRUBefore, PeepholeLSTM, elman, lstm
from rnn_tutorial.data import lengths_to_mask
from rnn_tutorial.exchange.keras import from_keras, from_keras_layer, gradients_to_keras, to_keras
from rnn_tutorial.exchange.layout import ExchangeError
from rnn_tutorial.layers import (
    MERGES,
    Bidirectional,
    Dense,
    Embedding,
    Last,
    Recurrent,
    Reversed,
    add,
    concat,
    multiply,
)
from rnn_tutorial.tree import tree_cast, tree_leaves, tree_random_like

T, B, D, H = 6, 3, 4, 5
RTOL = 1e-6
CELLS = {  # ours, Keras's class and its options
    "tanh": (Elman, "SimpleRNN", {}),
    "relu": (elman(relu), "SimpleRNN", {"activation": "relu"}),
    "LSTM": (LSTM, "LSTM", {}),
    "GRU": (GRU, "GRU", {"reset_after": True}),
    "GRUBefore": (GRUBefore, "GRU", {"reset_after": False}),
}
MERGE_MODES = {"concat": "concat", "add": "sum", "average": "ave", "multiply": "mul"}


def keras_or_skip():
    return pytest.importorskip("keras")


def random_params(layer, rng, dtype="float32"):
    return tree_cast(tree_random_like(layer.init(rng), rng, 0.5), dtype)


def recurrent_pair(keras, name, **more):
    """Return our layer and Keras's."""
    cell, kind, options = CELLS[name]
    return Recurrent(cell, D, H), getattr(keras.layers, kind)(
        H, return_sequences=True, **options, **more
    )


def outputs(keras, layer, xs, mask=None):
    """Return the outputs of a Keras layer for xs (T, B, D), time first, with a mask or without."""
    options = {} if mask is None else {"mask": keras.ops.convert_to_tensor(mask.T)}
    return keras.ops.convert_to_numpy(
        keras.ops.stop_gradient(layer(xs.swapaxes(0, 1), **options))
    ).swapaxes(0, 1)


def check_both_ways(keras, ours, theirs, rng):
    """Fail unless each library gives the other's outputs with the other's weights."""
    xs = rng.standard_normal((T, B, D)).astype(np.float32)
    theirs.build((B, T, D))
    theirs.set_weights(
        [
            (0.5 * rng.standard_normal(weight.shape)).astype(np.float32)
            for weight in theirs.get_weights()
        ]
    )
    params = from_keras(ours, theirs.get_weights())
    assert_close("theirs here", ours.forward(params, xs)[0], outputs(keras, theirs, xs), RTOL)

    params = random_params(ours, rng)
    theirs.set_weights(to_keras(ours, params))
    assert_close("ours there", ours.forward(params, xs)[0], outputs(keras, theirs, xs), RTOL)
    assert same_bits(from_keras(ours, theirs.get_weights()), params)


def same_bits(a, b):
    return [leaf.tobytes() for leaf in tree_leaves(a)] == [
        leaf.tobytes() for leaf in tree_leaves(b)
    ]


@pytest.mark.parametrize("name", CELLS)
def test_one_direction_both_ways(name, rng):
    keras = keras_or_skip()
    check_both_ways(keras, *recurrent_pair(keras, name), rng)


@pytest.mark.parametrize("merge", MERGES, ids=lambda merge: merge.name)
@pytest.mark.parametrize("name", CELLS)
def test_two_directions_both_ways_with_every_merge(name, merge, rng):
    keras = keras_or_skip()
    ours, theirs = recurrent_pair(keras, name)
    both = keras.layers.Bidirectional(theirs, merge_mode=MERGE_MODES[merge.name])
    check_both_ways(keras, Bidirectional(ours, ours, merge), both, rng)


def test_two_directions_of_different_cells(rng):
    keras = keras_or_skip()
    (first, their_first), (second, their_second) = (
        recurrent_pair(keras, "GRU"),
        recurrent_pair(keras, "LSTM", go_backwards=True),
    )
    both = keras.layers.Bidirectional(their_first, backward_layer=their_second, merge_mode="sum")
    check_both_ways(keras, Bidirectional(first, second, add), both, rng)


def test_dense_both_ways(rng):
    keras = keras_or_skip()
    check_both_ways(keras, Dense(D, 7), keras.layers.Dense(7), rng)


@pytest.mark.parametrize("name", CELLS)
def test_a_padded_batch_gives_the_same_under_a_mask(name, rng):
    keras = keras_or_skip()
    ours, theirs = recurrent_pair(keras, name)
    theirs.zero_output_for_mask = True
    theirs.build((B, T, D))
    params = random_params(ours, rng)
    theirs.set_weights(to_keras(ours, params))
    xs, mask = rng.standard_normal((T, B, D)).astype(np.float32), lengths_to_mask([6, 4, 1], T)
    assert_close(
        "ys", ours.forward(params, xs, mask=mask)[0], outputs(keras, theirs, xs, mask), RTOL
    )


LAYERS = {name: Recurrent(cell, D, H) for name, (cell, _, _) in CELLS.items()} | {
    "Dense": Dense(D, H)
}


@pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)
def test_there_and_back_is_exact(layer, rng):
    for ours in (layer, Bidirectional(layer, layer)):
        params = random_params(ours, rng)
        for leaf in tree_leaves(params):
            leaf.flat[:3] = -0.0, 1e-45, 1e38
        back = from_keras(ours, to_keras(ours, params))
        assert type(back) is type(params) and same_bits(back, params)


def test_from_there_only_the_gru_adds_two_biases(rng):
    for name, layer in LAYERS.items():
        weights = [rng.standard_normal(array.shape) for array in to_keras(layer, layer.init(rng))]
        back = to_keras(layer, from_keras(layer, weights))
        if name == "GRU":
            first, second = weights[2]
            summed = np.concatenate([(first + second)[: 2 * H], first[2 * H :]])
            np.testing.assert_array_equal(
                back.pop(), [summed, [0] * 2 * H + second[2 * H :].tolist()]
            )
            weights.pop()
        assert same_bits(back, weights)


def test_a_gate_comes_out_where_it_belongs():
    """One number for each gate, by hand: Keras has i, f, c, o and z, r, h from left to right."""
    gates = np.array([[1.0, 2, 3, 4]])
    np.testing.assert_array_equal(
        from_keras(Recurrent(LSTM, 1, 1), [gates, 10 * gates, gates[0]]).W_h, [[10, 20, 40, 30]]
    )
    three = gates[:, :3]
    before = from_keras(Recurrent(GRUBefore, 1, 1), [three, 10 * three, three[0]])
    np.testing.assert_array_equal(before.W_x, [[2, 1, 3]])
    np.testing.assert_array_equal(before.W_h, [[20, 10]])
    np.testing.assert_array_equal(before.W_hn, [[30]])


def test_the_arrays_are_copies_both_ways(rng):
    for layer in LAYERS.values():
        for ours in (layer, Bidirectional(layer, layer)):
            weights = to_keras(ours, ours.init(rng))
            params = from_keras(ours, weights)
            before = [leaf.copy() for leaf in tree_leaves(params)]
            for array in weights:
                array[:] = 7
            assert same_bits(before, params)
            for array in to_keras(ours, params):
                array[:] = 7
            assert same_bits(before, params) and all(
                leaf.flags.writeable for leaf in tree_leaves(params)
            )


@pytest.mark.parametrize("merge", [concat, multiply], ids=lambda merge: merge.name)
@pytest.mark.parametrize("name", CELLS)
def test_gradients_are_those_of_the_weights_there(name, merge, rng):
    """Keras computes them with PyTorch, in float32; both rows of a GRU's bias have a gradient."""
    keras, torch = keras_or_skip(), torch_or_skip()
    if keras.backend.backend() != "torch":
        pytest.skip("the gradients are taken by PyTorch")
    one, their_one = recurrent_pair(keras, name)
    both = keras.layers.Bidirectional(
        recurrent_pair(keras, name)[1], merge_mode=MERGE_MODES[merge.name]
    )
    xs = rng.standard_normal((T, B, D)).astype(np.float32)
    for ours, theirs in ((one, their_one), (Bidirectional(one, one, merge), both)):
        theirs.build((B, T, D))
        params = random_params(ours, rng)
        theirs.set_weights(to_keras(ours, params))
        ys, _, cache = ours.forward(params, xs)
        dys = rng.standard_normal(ys.shape).astype(np.float32)
        (
            theirs(torch.tensor(xs.swapaxes(0, 1))) * torch.tensor(dys.swapaxes(0, 1))
        ).sum().backward()
        gradients = gradients_to_keras(ours, ours.backward(params, cache, dys)[0])
        for gradient, weight in zip(gradients, theirs.trainable_weights, strict=True):
            assert_close(weight.path, gradient, weight.value.grad.numpy(), 1e-5)


def test_gradients_of_dense_are_its_weights_gradients(rng):
    dparams = random_params(Dense(D, H), rng)
    assert same_bits(gradients_to_keras(Dense(D, H), dparams), list(dparams))


@pytest.mark.parametrize("name", CELLS)
def test_a_layer_of_keras_knows_its_cell(name, rng):
    keras = keras_or_skip()
    one, their_one = recurrent_pair(keras, name)
    for merge in MERGES:
        both = keras.layers.Bidirectional(
            recurrent_pair(keras, name)[1], merge_mode=MERGE_MODES[merge.name]
        )
        for ours, theirs in ((one, their_one), (Bidirectional(one, one, merge), both)):
            theirs.build((B, T, D))
            layer, params = from_keras_layer(theirs)
            assert layer == ours and same_bits(params, from_keras(ours, theirs.get_weights()))


def test_an_embedding_both_ways(rng):
    keras = keras_or_skip()
    theirs, ours = keras.layers.Embedding(7, D), Embedding(7, D)
    theirs.build((B, T))
    symbols = rng.integers(0, 7, (T, B))
    layer, params = from_keras_layer(theirs)
    assert layer == ours and same_bits(params, from_keras(ours, theirs.get_weights()))
    np.testing.assert_array_equal(
        layer.forward(params, symbols)[0], outputs(keras, theirs, symbols)
    )
    params = random_params(ours, rng)
    theirs.set_weights(to_keras(ours, params))
    np.testing.assert_array_equal(ours.forward(params, symbols)[0], outputs(keras, theirs, symbols))
    assert same_bits(gradients_to_keras(ours, params), list(params))


def test_a_dense_layer_of_keras_is_read(rng):
    keras = keras_or_skip()
    theirs = keras.layers.Dense(7)
    theirs.build((B, T, D))
    layer, params = from_keras_layer(theirs)
    assert layer == Dense(D, 7) and same_bits(list(params), theirs.get_weights())


@pytest.mark.parametrize("name", CELLS)
def test_a_layer_without_biases_has_biases_of_zero(name, rng):
    """The two GRUs without biases have the same shapes; only the layer knows which it is."""
    keras = keras_or_skip()
    xs = rng.standard_normal((T, B, D)).astype(np.float32)
    ours, one = recurrent_pair(keras, name, use_bias=False)
    both = keras.layers.Bidirectional(recurrent_pair(keras, name, use_bias=False)[1])
    for layer, theirs in ((ours, one), (Bidirectional(ours, ours), both)):
        theirs.build((B, T, D))
        params = from_keras(layer, theirs.get_weights())
        assert from_keras_layer(theirs)[0] == layer and same_bits(
            from_keras_layer(theirs)[1], params
        )
        assert_close("ys", layer.forward(params, xs)[0], outputs(keras, theirs, xs), RTOL)
    assert not any(leaf.any() for leaf in (params.forwards.b, params.backwards.b))


def built(keras, kind, *options, **more):
    layer = getattr(keras.layers, kind)(*options, **more)
    layer.build((B, T, D))
    return layer


OTHERS = {
    "hard_sigmoid": (
        lambda k: built(k, "LSTM", H, recurrent_activation="hard_sigmoid"),
        "expected LSTM with activation=tanh, recurrent_activation=sigmoid, "
        "go_backwards=False; got activation=tanh, "
        "recurrent_activation=hard_sigmoid, go_backwards=False",
    ),
    "another activation": (
        lambda k: built(k, "SimpleRNN", H, activation="elu"),
        "activation=tanh, .* or activation=relu.*got .*elu",
    ),
    "backwards alone": (lambda k: built(k, "GRU", H, go_backwards=True), "got .*go_backwards=True"),
    "not built": (
        lambda k: k.layers.LSTM(H),
        "keras_layer: expected a layer with weights, got LSTM that is not built",
    ),
    "another layer": (
        lambda k: k.layers.Conv1D(3, 2),
        "expected one of Keras's SimpleRNN, LSTM, GRU, .*got Conv1D",
    ),
    "an Embedding that masks": (
        lambda k: built(k, "Embedding", 7, D, mask_zero=True),
        "expected Embedding with mask_zero=False, got mask_zero=True; here a mask is an argument",
    ),
    "a Dense that bends": (
        lambda k: built(k, "Dense", H, activation="relu"),
        "with activation=linear, got activation=relu",
    ),
    "no merge": (
        lambda k: built(k, "Bidirectional", k.layers.GRU(H), merge_mode=None),
        "expected merge_mode concat.*got None",
    ),
    "no layer": (lambda k: [], "expected one of Keras's SimpleRNN, LSTM, GRU, .*got list"),
}


@pytest.mark.parametrize("make, message", OTHERS.values(), ids=OTHERS)
def test_a_layer_of_keras_that_has_no_counterpart_is_refused_by_name(make, message):
    with pytest.raises(ExchangeError, match=message):
        from_keras_layer(make(keras_or_skip()))


def test_a_layer_in_the_place_of_its_weights_is_refused():
    theirs = built(keras_or_skip(), "LSTM", H)
    with pytest.raises(
        TypeError,
        match=(
            r"weights: expected a list of arrays.*got LSTM; from_keras_layer takes the layer "
            r"itself"
        ),
    ):
        from_keras(ONE, theirs)
    with pytest.raises(
        TypeError, match="weights: expected a list of arrays, as get_weights.. gives, got ndarray$"
    ):
        from_keras(ONE, KERNEL)


@pytest.mark.parametrize("name", CELLS)
def test_a_copy_of_a_layer_converts_as_the_layer_does(name, rng):
    layer = Bidirectional(*[Recurrent(CELLS[name][0], D, H)] * 2, multiply)
    params = random_params(layer, rng)
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        weights = to_keras(other, params)
        assert same_bits(weights, to_keras(layer, params)) and same_bits(
            from_keras(other, weights), params
        )


ONE, BOTH = Recurrent(LSTM, D, H), Bidirectional(Recurrent(LSTM, D, H), Recurrent(LSTM, D, H))
KERNEL, RECURRENT, BIAS = np.ones((D, 4 * H)), np.ones((H, 4 * H)), np.ones(4 * H)
LISTS_THAT_DO_NOT_FIT = {
    "one bias lost": (
        BOTH,
        [KERNEL, RECURRENT, BIAS, KERNEL, RECURRENT],
        "backward bias is missing",
    ),
    "no bias, and another size": (
        ONE,
        [KERNEL, KERNEL],
        "bias is missing; recurrent_kernel has shape (4, 20), expected (5, 20)",
    ),
    "numbers of two types": (
        ONE,
        [KERNEL, RECURRENT.astype(np.float32), BIAS],
        "bias is of float64, expected one type of numbers for all; kernel is of float64, "
        "expected one type of numbers for all; "
        "recurrent_kernel is of float32, expected one type of numbers for all",
    ),
    "no numbers": (
        ONE,
        [KERNEL, RECURRENT, None],
        "bias is of type NoneType, expected float16, float32, float64",
    ),
    "nothing": (Dense(D, 2), [], "bias is missing; kernel is missing"),
    "one too many": (ONE, [KERNEL, RECURRENT, BIAS, BIAS], "weight 3 is surplus"),
    "one too many for two": (BOTH, [KERNEL, RECURRENT, BIAS] * 2 + [BIAS], "weight 6 is surplus"),
    "wrong shapes": (
        ONE,
        [KERNEL.T, RECURRENT, BIAS[None]],
        "bias has shape (1, 20), expected (20,); kernel has shape (20, 4), expected (4, 20)",
    ),
    "another cell": (
        Recurrent(GRU, D, H),
        [KERNEL],
        "bias is missing; kernel has shape (4, 20), expected (4, 15); recurrent_kernel is missing",
    ),
    "the second direction": (
        BOTH,
        [KERNEL, RECURRENT, BIAS, KERNEL, RECURRENT.T],
        "backward bias is missing; backward recurrent_kernel has shape (20, 5), expected (5, 20)",
    ),
}


@pytest.mark.parametrize(
    "layer, weights, faults", LISTS_THAT_DO_NOT_FIT.values(), ids=LISTS_THAT_DO_NOT_FIT
)
def test_one_error_lists_everything_that_does_not_fit(layer, weights, faults):
    with pytest.raises(ExchangeError) as caught:
        from_keras(layer, weights)
    assert str(caught.value) == "list of weights does not fit: " + faults


def test_the_two_grus_are_told_apart_by_their_biases(rng):
    after, before = Recurrent(GRU, D, H), Recurrent(GRUBefore, D, H)
    with pytest.raises(ExchangeError, match=r"bias has shape \(2, 15\), expected \(15,\)"):
        from_keras(before, to_keras(after, after.init(rng)))
    with pytest.raises(ExchangeError, match=r"bias has shape \(15,\), expected \(2, 15\)"):
        from_keras(after, to_keras(before, before.init(rng)))


@pytest.mark.parametrize(
    "layer, message",
    [
        (Last(), "layer: expected Recurrent, Bidirectional, Dense, Embedding, got Last"),
        (Reversed(Recurrent(LSTM, D, H)), "got Reversed"),
        (Recurrent(PeepholeLSTM, D, H), "got PeepholeLSTM with i=sigmoid"),
        (Recurrent(lstm(g=sigmoid), D, H), "got LSTM with .*g=sigmoid"),
        (Recurrent(elman(sigmoid), D, H), "got Elman with activation=sigmoid"),
    ],
)
def test_a_layer_that_keras_does_not_have_is_refused(layer, message, rng):
    with pytest.raises(ExchangeError, match=message):
        to_keras(layer, layer.init(rng))
    with pytest.raises(ExchangeError, match=message):
        from_keras(layer, [])


def test_the_parameters_of_another_layer_are_refused(rng):
    params = random_params(Recurrent(LSTM, D, H), rng)
    for layer, wrong, message in [
        (Recurrent(LSTM, D + 1, H), params, r"W_x: expected shape \(5, 20\), got \(4, 20\)"),
        (Recurrent(GRU, D, H), params, "params: expected GRUParams.*got LSTMParams"),
        (
            BOTH,
            params,
            "params: expected parameters with the fields forwards, backwards, got LSTMParams",
        ),
        (Dense(D, H), params, "params: expected parameters with the fields W, b, got LSTMParams"),
        (Dense(D, H), random_params(Dense(H, D), rng), "W: expected shape"),
    ]:
        with pytest.raises((ValueError, TypeError), match=message):
            to_keras(layer, wrong)
