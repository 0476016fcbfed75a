"""Weights of PyTorch's modules: the same outputs both ways, exact where that is possible.

Weights that do not fit are refused with a reason.
"""

import copy
import pickle
import warnings

import numpy as np
import pytest
from judges import assert_close, torch_or_skip

from rnn_tutorial.activations import relu
from rnn_tutorial.cells import GRU, LSTM, Elman, GRUBefore, NormLSTM, elman, gru, lstm
from rnn_tutorial.exchange.layout import ExchangeError
from rnn_tutorial.exchange.pytorch import (
    from_pytorch,
    from_pytorch_module,
    gradients_to_pytorch,
    params_from_pytorch,
    to_pytorch,
)
from rnn_tutorial.layers import (
    Bidirectional,
    BidirectionalParams,
    Dense,
    Dropout,
    Embedding,
    Last,
    Recurrent,
    Reversed,
    Serial,
    add,
)
from rnn_tutorial.tree import tree_cast, tree_leaves, tree_random_like

T, B, D, H = 6, 3, 4, 5
CELLS = {"tanh": Elman, "relu": elman(relu), "LSTM": LSTM, "GRU": GRU}
RTOL = {"float32": 1e-6, "float64": 1e-12}


def stack(cell, depth, directions):
    """Return our network of a given depth."""
    sizes = [D, *[directions * H] * (depth - 1)]
    layers = [Recurrent(cell, size, H) for size in sizes]
    return Serial(
        tuple(layers if directions == 1 else [Bidirectional(layer, layer) for layer in layers])
    )


def random_params(model, rng, dtype="float64"):
    """Return parameters of the model, every one of them random."""
    return tree_cast(tree_random_like(model.init(rng), rng, 0.5), dtype)


def network(torch, name, depth, directions, dtype, **options):
    """Return PyTorch's network, all its weights and both its biases random."""
    kind = torch.nn.RNN if name in ("tanh", "relu") else getattr(torch.nn, name)
    options |= {"nonlinearity": name} if kind is torch.nn.RNN else {}
    return kind(D, H, depth, bidirectional=directions == 2, dtype=getattr(torch, dtype), **options)


def outputs(torch, rnn, xs):
    with torch.no_grad():
        return rnn(torch.tensor(xs))[0].numpy()


def as_tensors(torch, arrays):
    return {name: torch.tensor(array) for name, array in arrays.items()}


def state_dict(rng, cell=LSTM, depth=1, directions=1):
    """Return a dict of arrays like PyTorch's state_dict; PyTorch need not be installed."""
    model = stack(cell, depth, directions)
    return {
        name: rng.standard_normal(array.shape)
        for name, array in to_pytorch(model, random_params(model, rng)).items()
    }


def same_bits(a, b):
    return [leaf.tobytes() for leaf in tree_leaves(a)] == [
        leaf.tobytes() for leaf in tree_leaves(b)
    ]


@pytest.mark.parametrize("dtype", RTOL)
@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("name", CELLS)
def test_their_weights_give_their_outputs_here_and_ours_give_ours_there(
    name, depth, directions, dtype, rng
):
    torch = torch_or_skip()
    torch.manual_seed(depth)
    rnn = network(torch, name, depth, directions, dtype)
    xs = rng.standard_normal((T, B, D)).astype(dtype)
    model, params = from_pytorch(rnn.state_dict(), CELLS[name])
    assert model == stack(CELLS[name], depth, directions)
    assert {leaf.dtype for leaf in tree_leaves(params)} == {np.dtype(dtype)}
    assert_close("theirs here", model.forward(params, xs)[0], outputs(torch, rnn, xs), RTOL[dtype])

    params = random_params(model, rng, dtype)
    rnn.load_state_dict(as_tensors(torch, to_pytorch(model, params)))
    assert_close("ours there", model.forward(params, xs)[0], outputs(torch, rnn, xs), RTOL[dtype])


@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize("name", CELLS)
def test_there_and_back_is_exact(name, directions, rng):
    model = stack(CELLS[name], 3, directions)
    params = random_params(model, rng)
    for leaf in tree_leaves(params):
        leaf.flat[:3] = -0.0, 5e-324, 1e300
    again, back = from_pytorch(to_pytorch(model, params), CELLS[name])
    assert again == model and same_bits(back, params)
    assert [type(p) for p in back] == [type(p) for p in params]


@pytest.mark.parametrize("name", CELLS)
def test_here_and_back_is_exact_but_for_two_biases_which_are_one(name, rng):
    theirs = state_dict(rng, CELLS[name], 2, 2)
    back = to_pytorch(*from_pytorch(theirs, CELLS[name]))
    assert back.keys() == theirs.keys()
    for key in theirs:
        if "weight" in key:
            np.testing.assert_array_equal(back[key], theirs[key])
        if "bias_ih" in key:
            b_ih, b_hh = theirs[key], theirs[key.replace("ih", "hh")]
            summed = 2 * H if name == "GRU" else len(b_ih)  # n of the GRU has two biases
            np.testing.assert_array_equal(back[key][:summed], (b_ih + b_hh)[:summed])
            np.testing.assert_array_equal(back[key][summed:], b_ih[summed:])
            np.testing.assert_array_equal(back[key.replace("ih", "hh")][:summed], 0)
            np.testing.assert_array_equal(back[key.replace("ih", "hh")][summed:], b_hh[summed:])


def test_a_gate_comes_out_where_it_belongs():
    """One number for each gate, by hand: PyTorch's documentation has i, f, g, o and r, z, n."""
    lstm_params = from_pytorch(
        {f"{k}_l0": np.array([1.0, 2, 3, 4]) for k in ("bias_ih", "bias_hh")}
        | {f"weight_{k}_l0": np.array([[10.0], [20], [30], [40]]) for k in ("ih", "hh")},
        LSTM,
    )[1][0]
    np.testing.assert_array_equal(lstm_params.W_x, [[10, 20, 40, 30]])
    np.testing.assert_array_equal(lstm_params.b, [2, 4, 8, 6])
    gru_params = from_pytorch(
        {f"{k}_l0": np.array([1.0, 2, 3]) for k in ("bias_ih", "bias_hh")}
        | {f"weight_{k}_l0": np.array([[10.0], [20], [30]]) for k in ("ih", "hh")},
        GRU,
    )[1][0]
    np.testing.assert_array_equal(gru_params.W_h, [[10, 20, 30]])
    np.testing.assert_array_equal(gru_params.b, [2, 4, 3])
    np.testing.assert_array_equal(gru_params.b_hn, [3])


@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize("name", CELLS)
def test_gradients_change_form_as_their_parameters_do(name, directions, rng):
    """All are those of autograd. The second bias has the gradient of the first, but not for n."""
    torch = torch_or_skip()
    there = network(torch, name, 2, directions, "float64")
    model, params = from_pytorch_module(there)
    xs, dys = rng.standard_normal((T, B, D)), rng.standard_normal((T, B, directions * H))
    (there(torch.tensor(xs))[0] * torch.tensor(dys)).sum().backward()
    _, _, cache = model.forward(params, xs)
    gradients = gradients_to_pytorch(model, model.backward(params, cache, dys)[0])
    assert gradients.keys() == dict(there.named_parameters()).keys()
    for key, ours in gradients.items():
        assert_close(key, ours, getattr(there, key).grad.numpy(), 1e-12)


def test_the_two_gradients_of_a_bias_are_apart(rng):
    layer = Recurrent(LSTM, D, H)
    gradients = gradients_to_pytorch(layer, random_params(layer, rng))
    assert not np.shares_memory(gradients["bias_ih_l0"], gradients["bias_hh_l0"])


def equal_copies(model):
    """Return copies of a model: a deep copy, and those that pickle, joblib and Dask make."""
    copies = [copy.deepcopy(model), pickle.loads(pickle.dumps(model))]
    try:
        import cloudpickle
    except ImportError:
        return copies
    return [*copies, pickle.loads(cloudpickle.dumps(model))]


@pytest.mark.parametrize("name", CELLS)
def test_a_copy_of_a_model_converts_as_the_model_does(name, rng):
    model = stack(CELLS[name], 2, 2)
    params = random_params(model, rng)
    theirs = to_pytorch(model, params)
    for other in equal_copies(model):
        assert same_bits(to_pytorch(other, params), theirs)
        again, back = from_pytorch(theirs, other.layers[0].forwards.cell)
        assert again == model and same_bits(back, params)


@pytest.mark.parametrize("name", CELLS)
def test_a_module_knows_its_cell(name, rng):
    torch = torch_or_skip()
    there = network(torch, name, 2, 2, "float64", batch_first=True, dropout=0.5).eval()
    model, params = from_pytorch_module(there)
    assert model == stack(CELLS[name], 2, 2)
    xs = rng.standard_normal((T, B, D))
    ys = outputs(torch, there, xs.swapaxes(0, 1)).swapaxes(0, 1)
    assert_close("ys", model.forward(params, xs)[0], ys, 1e-12)


def test_what_is_no_recurrent_module_of_pytorch_is_refused():
    torch = torch_or_skip()
    for other in (
        torch.nn.LSTMCell(D, H),
        torch.nn.Linear(D, H),
        torch.nn.Sequential(torch.nn.LSTM(D, H)),
        {},
        None,
    ):
        got = type(other).__name__
        with pytest.raises(
            TypeError, match=f"module: expected a torch.nn.RNN, LSTM or GRU, got {got}"
        ):
            from_pytorch_module(other)
    with pytest.raises(
        TypeError,
        match="state_dict: expected a dict.*got LSTM; from_pytorch_module takes the module itself",
    ):
        from_pytorch(torch.nn.LSTM(D, H), LSTM)


def test_a_network_without_biases_has_biases_of_zero(rng):
    torch = torch_or_skip()
    for name, cell in CELLS.items():
        there = network(torch, name, 2, 2, "float64", bias=False)
        xs = rng.standard_normal((T, B, D))
        for model, params in (from_pytorch_module(there), from_pytorch(there.state_dict(), cell)):
            assert_close(name, model.forward(params, xs)[0], outputs(torch, there, xs), 1e-12)
            assert not any(half.b.any() for both in params for half in both)


def test_a_bias_that_is_lost_is_not_taken_for_zero(rng):
    theirs = state_dict(rng, GRU, 2)
    for lost in (["bias_hh_l1"], ["bias_ih_l0", "bias_hh_l0", "bias_ih_l1"]):
        with pytest.raises(ExchangeError) as caught:
            from_pytorch({name: array for name, array in theirs.items() if name not in lost}, GRU)
        assert str(caught.value) == "state_dict does not fit: " + "; ".join(
            f"{name} is missing" for name in sorted(lost)
        )


def test_parameters_that_have_a_gradient_are_read(rng):
    torch = torch_or_skip()
    there = network(torch, "GRU", 1, 1, "float64")
    assert same_bits(
        from_pytorch(dict(there.named_parameters()), GRU)[1],
        from_pytorch(there.state_dict(), GRU)[1],
    )


def test_one_layer_alone_is_a_network_of_depth_one(rng):
    layer = Bidirectional(Recurrent(LSTM, D, H), Recurrent(LSTM, D, H))
    params = random_params(layer, rng)
    alone, stacked = to_pytorch(layer, params), to_pytorch(Serial((layer,)), (params,))
    assert alone.keys() == stacked.keys() and same_bits(alone, stacked)


def test_what_the_weights_were_drawn_from_does_not_matter(rng):
    cell = lstm(forget_bias=0.0, W_h=lambda rng, shape: np.zeros(shape))
    params = random_params(Recurrent(cell, D, H), rng)
    assert to_pytorch(Recurrent(cell, D, H), params).keys() == state_dict(rng).keys()


def test_a_prefix_picks_one_network_of_a_module(rng):
    theirs = state_dict(rng, GRU, 2, 2)
    module = {f"encoder.rnn.{name}": array for name, array in theirs.items()} | {
        "head.weight": np.ones((2, 2))
    }
    assert same_bits(
        from_pytorch(module, GRU, prefix="encoder.rnn.")[1], from_pytorch(theirs, GRU)[1]
    )
    with pytest.raises(
        ExchangeError,
        match="expected the matrices weight_ih_l0 and weight_hh_l0, got encoder.*see `prefix`",
    ):
        from_pytorch(module, GRU)
    with pytest.raises(ExchangeError, match="got nothing"):
        from_pytorch(module, GRU, prefix="decoder.")


def test_what_is_no_state_dict_and_what_is_no_cell_is_refused(rng):
    with pytest.raises(
        TypeError,
        match=(
            r"state_dict: expected a dict of tensors or arrays, as .state_dict\(\) gives, got "
            r"list"
        ),
    ):
        from_pytorch(list(state_dict(rng).values()), GRU)
    with pytest.raises(TypeError, match="cell: expected a Cell, .* got str"):
        from_pytorch(state_dict(rng), "GRU")


def test_the_arrays_are_copies_both_ways(rng):
    torch = torch_or_skip()
    for name, cell in CELLS.items():
        rnn = network(torch, name, 2, 2, "float64")
        model, params = from_pytorch(rnn.state_dict(), cell)
        before = [leaf.copy() for leaf in tree_leaves(params)]
        with torch.no_grad():
            for parameter in rnn.parameters():
                parameter.zero_()
        assert same_bits(before, params) and all(
            leaf.flags.writeable for leaf in tree_leaves(params)
        )
        for array in to_pytorch(model, params).values():
            array[:] = 7
        assert same_bits(before, params)


def test_a_matrix_of_one_column_is_copied_too(rng):
    """Its transpose is contiguous already, so a reordering need not copy it."""
    for cell in (Elman, GRU):
        recurrent = Recurrent(cell, 1, 1)
        theirs = to_pytorch(recurrent, random_params(recurrent, rng))
        _, params = from_pytorch(theirs, cell)
        assert not any(
            np.shares_memory(leaf, array)
            for leaf in tree_leaves(params)
            for array in theirs.values()
        )


def test_a_gru_that_resets_before_the_matrix_is_refused_and_why(rng):
    layer = Recurrent(GRUBefore, D, H)
    why = "resets after the matrix.*another function, and no weights turn one into the other"
    with pytest.raises(ExchangeError, match=why):
        to_pytorch(layer, layer.init(rng))
    with pytest.raises(ExchangeError, match=why):
        from_pytorch(state_dict(rng, GRU), GRUBefore)


def test_one_error_lists_every_name_that_does_not_fit(rng):
    theirs = state_dict(rng, LSTM, 2, 2)
    del theirs["weight_ih_l1"], theirs["bias_hh_l0_reverse"]
    theirs |= {
        "weight_hh_l1": np.ones((4 * H, H + 1)),
        "bias_ih_l0": np.ones((4 * H, 1)),
        "head.weight": np.ones(1),
    }
    with pytest.raises(ExchangeError) as caught:
        from_pytorch(theirs, LSTM)
    assert str(caught.value) == (
        "state_dict does not fit: bias_hh_l0_reverse is missing; bias_ih_l0 has shape (20, "
        "1), expected (20,); "
        "head.weight is surplus; weight_hh_l1 has shape (20, 6), expected (20, 5); "
        "weight_ih_l1 is missing"
    )


def weight_norm(torch):
    return torch.nn.utils.parametrizations.weight_norm(torch.nn.LSTM(D, H), "weight_hh_l0")


def old_weight_norm(torch):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.nn.utils.weight_norm(torch.nn.LSTM(D, H), "weight_hh_l0")


NO_COUNTERPART = {
    "proj_size": (
        lambda torch: torch.nn.LSTM(D, H, 2, proj_size=2),
        "state_dict does not fit: weight_hr_l0, weight_hr_l1: the projection of an LSTM with "
        "proj_size, which no cell here has",
    ),
    "weight_norm": (
        weight_norm,
        "parametrizations.weight_hh_l0.original0, .*: a part of a parametrization such as "
        "weight_norm",
    ),
    "old weight_norm": (
        old_weight_norm,
        "weight_hh_l0_g, weight_hh_l0_v: a part of a parametrization such as weight_norm",
    ),
    "LSTMCell": (
        lambda torch: torch.nn.LSTMCell(D, H),
        "bias_hh, bias_ih, weight_hh, weight_ih: of an RNNCell, LSTMCell or GRUCell",
    ),
    "bfloat16": (
        lambda torch: torch.nn.LSTM(D, H).bfloat16(),
        "bias_hh_l0 is of bfloat16, expected float16, float32, float64; bias_ih_l0 is of "
        "bfloat16.*weight_hh.*weight_ih",
    ),
}


@pytest.mark.parametrize("make, words", NO_COUNTERPART.values(), ids=NO_COUNTERPART)
def test_what_has_no_counterpart_is_refused_by_its_name(make, words):
    module = make(torch_or_skip())
    with pytest.raises(ExchangeError, match=words):
        from_pytorch(module.state_dict(), LSTM)
    with pytest.raises(ExchangeError, match=words):
        from_pytorch(
            {f"lstm.{name}": value for name, value in module.state_dict().items()},
            LSTM,
            prefix="lstm.",
        )


def test_numbers_of_two_types_and_what_is_no_array_are_listed(rng):
    theirs = state_dict(rng)
    theirs["bias_ih_l0"] = theirs["bias_ih_l0"].astype(np.float32)
    with pytest.raises(
        ExchangeError,
        match=(
            "bias_ih_l0 is of float32, expected one type of numbers for all; weight_hh_l0 is of f"
        ),
    ):
        from_pytorch(theirs, LSTM)
    theirs |= {"bias_ih_l0": [1.0], "weight_ih_l0": np.ones((20, 4), int)}
    with pytest.raises(
        ExchangeError,
        match=(
            "fit: bias_ih_l0 is of type list, expected float16.*; weight_ih_l0 is of int64, "
            "expected"
        ),
    ):
        from_pytorch(theirs, LSTM)


@pytest.mark.parametrize("cell, rows", [(GRU, 15), (Elman, 5)], ids=["GRU", "Elman"])
def test_the_weights_of_another_cell_are_refused(cell, rows, rng):
    with pytest.raises(
        ExchangeError, match=rf"weight_ih_l0 has shape \(20, 4\), expected \({rows}, 4\)"
    ):
        from_pytorch(state_dict(rng, LSTM), cell)


ONE = Recurrent(LSTM, D, H)
REFUSED = {
    "another layer": (
        Serial((ONE, Dense(H, 2))),
        "expected Recurrent, or Bidirectional of two with merge=concat, got Dense",
    ),
    "one direction, the other one": (Reversed(ONE), "got Reversed"),
    "another merge": (
        Bidirectional(ONE, ONE, add),
        "merge=concat, got Bidirectional.Recurrent, Recurrent, add.",
    ),
    "a stack in each direction": (
        Bidirectional(Serial((ONE,)), Serial((ONE,))),
        "got Bidirectional",
    ),
    "another cell": (
        Recurrent(NormLSTM, D, H),
        "expected Elman with tanh or relu, or LSTM or GRU .* got NormLSTM",
    ),
    "other activations": (
        Recurrent(gru(n=relu), D, H),
        "got GRU with r=sigmoid, z=sigmoid, n=relu",
    ),
    "two cells": (
        Serial((ONE, Recurrent(GRU, H, H))),
        "layer 1 would be 1 x LSTM.*, 5 -> 5; got 1 x GRU",
    ),
    "two activations": (
        Serial((Recurrent(Elman, D, H), Recurrent(elman(relu), H, H))),
        "Elman.*tanh.*got 1 x Elman.*relu",
    ),
    "two sizes": (
        Serial((ONE, Recurrent(LSTM, H, H + 1))),
        "layer 1 would be .*, 5 -> 5; got .*, 5 -> 6",
    ),
    "sizes that do not meet": (
        Serial((ONE, Recurrent(LSTM, H + 1, H))),
        "layer 1 would be .*, 5 -> 5; got .*, 6 -> 5",
    ),
    "one direction, then two": (
        Serial((ONE, Bidirectional(*[Recurrent(LSTM, H, H)] * 2))),
        "1 x LSTM.*got 2 x LSTM",
    ),
    "two cells in two directions": (
        Bidirectional(ONE, Recurrent(GRU, D, H)),
        "layer 0 would be 2 x LSTM.*got 2 x GRU",
    ),
    "nothing": (Serial(()), "model: expected at least one layer"),
}


@pytest.mark.parametrize("model, message", REFUSED.values(), ids=REFUSED)
def test_a_model_that_pytorch_does_not_have_is_refused(model, message, rng):
    with pytest.raises(ExchangeError, match=message):
        to_pytorch(model, model.init(rng))


def test_the_parameters_of_another_model_are_refused(rng):
    params = random_params(ONE, rng)
    for wrong, message in [
        (
            random_params(Recurrent(LSTM, D + 1, H), rng),
            r"W_x: expected shape \(4, 20\), got \(5, 20\)",
        ),
        (random_params(Recurrent(LSTM, D, H - 1), rng), r"W_x: expected|W_h: expected"),
        (random_params(Recurrent(GRU, D, H), rng), "params: expected LSTMParams.*got GRUParams"),
        (params._replace(b=params.b.astype(np.float32)), "b: expected dtype float64, got float32"),
        (random_params(Dense(D, H), rng), "params: expected LSTMParams.*got DenseParams"),
        (BidirectionalParams(params, params), "got BidirectionalParams"),
    ]:
        with pytest.raises((ValueError, TypeError), match=message):
            to_pytorch(ONE, wrong)
    with pytest.raises(TypeError, match="got .*"):
        to_pytorch(Bidirectional(ONE, ONE), params)
    with pytest.raises(
        ValueError, match="params: expected a tuple of 1, one for each layer, got 2"
    ):
        to_pytorch(Serial((ONE,)), (params, params))
    with pytest.raises(
        ValueError, match="params: expected a tuple of 1, one for each layer, got NoneType"
    ):
        to_pytorch(Serial((ONE,)), None)


V, N, K = 7, 3, 2
NAMES = "embedding", "lstm", "", "", "head"


def whole_model(depth=2, directions=1):
    """Return our model of a whole module of PyTorch: symbols in, one answer a sequence out."""
    layers = [Recurrent(LSTM, size, H) for size in (N, *[directions * H] * (depth - 1))]
    network = [layer if directions == 1 else Bidirectional(layer, layer) for layer in layers]
    lstm = network[0] if depth == 1 else Serial(tuple(network))
    return Serial((Embedding(V, N), lstm, Dropout(0.5), Last(), Dense(directions * H, K)))


def whole_module(torch, depth=2, directions=1, bias=True):
    """Return the module of PyTorch that `whole_model` is here."""

    class Classifier(torch.nn.Module):
        def __init__(self):
            super().__init__()
            options = {"bidirectional": directions == 2, "batch_first": True}
            self.embedding = torch.nn.Embedding(V, N)
            self.lstm = torch.nn.LSTM(N, H, depth, **options)
            self.head = torch.nn.Linear(directions * H, K, bias=bias)

        def forward(self, symbols):
            return self.head(self.lstm(self.embedding(symbols))[0][:, -1])

    return Classifier().double()


@pytest.mark.parametrize("depth, directions", [(1, 1), (2, 1), (2, 2)])
def test_a_whole_module_comes_and_goes_with_its_gradients(depth, directions, rng):
    torch = torch_or_skip()
    there, model = whole_module(torch, depth, directions), whole_model(depth, directions)
    symbols, dys = rng.integers(0, V, (T, B)), rng.standard_normal((B, K))
    params = params_from_pytorch(model, there.state_dict(), NAMES)
    theirs = there(torch.tensor(symbols.T))
    ys, _, cache = model.forward(params, symbols)
    assert_close("ys", ys, theirs.detach().numpy(), 1e-12)

    (theirs * torch.tensor(dys)).sum().backward()
    gradients = gradients_to_pytorch(model, model.backward(params, cache, dys)[0], NAMES)
    assert gradients.keys() == dict(there.named_parameters()).keys()
    for name, parameter in there.named_parameters():
        assert_close(name, gradients[name], parameter.grad.numpy(), 1e-12)

    params = random_params(model, rng)
    there.load_state_dict(as_tensors(torch, to_pytorch(model, params, NAMES)))
    theirs = there(torch.tensor(symbols.T)).detach().numpy()
    assert_close("ours there", model.forward(params, symbols)[0], theirs, 1e-12)
    back = params_from_pytorch(model, there.state_dict(), NAMES)
    assert same_bits(back, params)
    assert [type(part) for part in back] == [type(part) for part in params]


def test_each_kind_of_module_moves_alone(rng):
    torch = torch_or_skip()
    modules = {
        torch.nn.Linear(N, K): Dense(N, K),
        torch.nn.Embedding(V, N): Embedding(V, N),
        torch.nn.LSTM(D, H): ONE,
        torch.nn.LSTM(D, H, 2, bidirectional=True): stack(LSTM, 2, 2),
    }
    for module, layer in modules.items():
        params = params_from_pytorch(layer, module.state_dict())
        xs = rng.integers(0, V, (T, B)) if isinstance(layer, Embedding) else None
        xs = rng.standard_normal((T, B, N if isinstance(layer, Dense) else D)) if xs is None else xs
        inputs = torch.tensor(xs if xs.dtype == int else xs.astype(np.float32))
        theirs = module(inputs)
        theirs = (theirs[0] if isinstance(theirs, tuple) else theirs).detach().numpy()
        assert_close(type(layer).__name__, layer.forward(params, inputs.numpy())[0], theirs, 1e-6)
        module.load_state_dict(as_tensors(torch, to_pytorch(layer, params)))
        assert to_pytorch(layer, params).keys() == gradients_to_pytorch(layer, params).keys()


def test_a_linear_without_a_bias_has_a_bias_of_zero(rng):
    torch = torch_or_skip()
    there, model = whole_module(torch, bias=False), whole_model()
    params = params_from_pytorch(model, there.state_dict(), NAMES)
    np.testing.assert_array_equal(params[-1].b, np.zeros(K))
    assert params[-1].b.dtype == np.float64 and all(layer.b.any() for layer in params[1])


def test_the_parts_of_a_whole_module_are_copies(rng):
    model = whole_model()
    params = random_params(model, rng)
    theirs = to_pytorch(model, params, NAMES)
    before = {name: array.copy() for name, array in theirs.items()}
    for leaf in tree_leaves(params):
        leaf[...] = 7
    assert same_bits(theirs, before)
    params = params_from_pytorch(model, theirs, NAMES)
    for array in theirs.values():
        array[...] = 7
    assert same_bits(to_pytorch(model, params, NAMES), before)


WRONG_MODULES = {
    "a name that is missing": (
        lambda theirs: theirs.pop("head.weight"),
        "state_dict does not fit: head.weight is missing",
    ),
    "a name that nothing reads": (
        lambda theirs: theirs.update({"norm.weight": np.ones(H)}),
        "state_dict does not fit: norm.weight is surplus",
    ),
    "another size": (
        lambda theirs: theirs.update({"embedding.weight": np.ones((V + 1, N))}),
        r"embedding.weight has shape \(8, 3\), expected \(7, 3\)",
    ),
    "a bias that is lost": (
        lambda theirs: theirs.pop("lstm.bias_hh_l1"),
        "state_dict does not fit: lstm.bias_hh_l1 is missing",
    ),
    "proj_size": (
        lambda theirs: theirs.update({"lstm.weight_hr_l0": np.ones((2, H))}),
        "lstm.weight_hr_l0: the projection of an LSTM with proj_size, which no cell here has",
    ),
}


@pytest.mark.parametrize("change, message", WRONG_MODULES.values(), ids=WRONG_MODULES)
def test_a_whole_module_that_does_not_fit_is_refused_by_name(change, message, rng):
    model = whole_model()
    theirs = to_pytorch(model, random_params(model, rng), NAMES)
    change(theirs)
    with pytest.raises(ExchangeError, match=message):
        params_from_pytorch(model, theirs, NAMES)


@pytest.mark.parametrize(
    "names, error, message",
    [
        (NAMES[1:], ValueError, "names: expected a tuple of 5, one for each layer, got 4"),
        ("model", ValueError, "names: expected a tuple of 5, one for each layer, got str"),
        (("a", "a", "", "", "b"), ValueError, "names: expected a name of its own for each layer"),
        (("a", "", "", "", "b"), ValueError, "names: expected a name of its own for each layer"),
        (None, ExchangeError, "got Embedding; a model of several modules needs `names`, one for"),
    ],
)
def test_names_that_do_not_fit_the_model_are_refused(names, error, message, rng):
    model = whole_model()
    with pytest.raises(error, match=message):
        to_pytorch(model, random_params(model, rng), names)
    with pytest.raises(error, match=message):
        params_from_pytorch(model, {}, names)


def test_names_for_one_module_are_refused(rng):
    with pytest.raises(ValueError, match="names: expected None for a Recurrent, one module, got"):
        to_pytorch(ONE, random_params(ONE, rng), ("lstm",))
