"""minGRU, minLSTM and the LRU: by their formulas, as cells and as layers, and their gradients."""

import functools
import math

import numpy as np
import pytest
from judges import assert_close, torch_or_skip
from mutation import surviving

from rnn_tutorial.activations import elu, identity, tanh
from rnn_tutorial.bound import Bound
from rnn_tutorial.cells import (
    GRU,
    LRU,
    LSTM,
    Cell,
    LinearCell,
    LinearParams,
    LRUState,
    MinGRU,
    MinGRUActivations,
    MinLSTM,
    MinLSTMActivations,
    lru,
    lru_coefficients_backward,
    lru_pointwise_backward,
    min_gru,
    min_gru_coefficients_backward,
    min_lstm,
    min_lstm_coefficients_backward,
)
from rnn_tutorial.gradient_check import (
    GradientError,
    central_difference_slope,
    check_cell,
    check_layer,
    random_start,
)
from rnn_tutorial.layers import LinearRecurrent, Recurrent
from rnn_tutorial.sequence import (
    associative_scan,
    chunked_recurrence,
    jacobians,
    linear_recurrence,
    unroll,
)
from rnn_tutorial.tree import tree_cast, tree_leaves, tree_random_like

T, B, D, H = 7, 3, 4, 5
MASK = np.arange(T)[:, None] < np.array([7, 4, 1])
CELLS = {
    "MinGRU": MinGRU,
    "MinGRU, turning": min_gru(z=tanh, n=elu(0.7)),
    "MinLSTM": MinLSTM,
    "MinLSTM, tanh": min_lstm(g=tanh),
    "LRU": LRU,
}
SCANS = {
    "loop": linear_recurrence,
    "scan": associative_scan,
    "chunks": chunked_recurrence,
    "chunks of 3": Bound(chunked_recurrence, size=3),
}
each_cell = pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
each_scan = pytest.mark.parametrize("scan", SCANS.values(), ids=SCANS)


def sigmoid(a):
    return 1 / (1 + math.exp(-a))


def min_gru_formula(a, c, own):
    z = sigmoid(a[0])
    return z * c + (1 - z) * a[1]


def min_lstm_formula(a, c, own):
    i, f = sigmoid(a[0]), sigmoid(a[1])
    return f / (f + i) * c + i / (f + i) * a[2]


def lru_formula(a, c, own):
    r = math.exp(-math.exp(own["nu"]))
    turn = complex(math.cos(own["theta"]), math.sin(own["theta"]))
    return r * turn * c + math.sqrt(1 - r**2) * complex(a[0], a[1])


@pytest.mark.parametrize(
    ("cell", "formula"),
    [(MinGRU, min_gru_formula), (MinLSTM, min_lstm_formula), (LRU, lru_formula)],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_step_is_the_formula_one_number_at_a_time(cell, formula, rng):
    params, state = random_start(cell, rng, B, D, H)
    x = rng.standard_normal((1, B, D))
    (hs, last), _ = unroll(cell, params, x, state)
    for n, k in np.ndindex(B, H):
        a = [
            params.b[place * H + k]
            + math.fsum(x[0, n, j] * params.W_x[j, place * H + k] for j in range(D))
            for place in range(len(cell.gates))
        ]
        own = {name: getattr(params, name)[k] for name in cell.extra}
        c = formula(a, cell.joined(state)[n, k], own)
        assert cell.joined(last)[n, k] == pytest.approx(c, rel=1e-13)
        assert hs[0, n, k] == pytest.approx(np.real(c), rel=1e-13)


@each_cell
def test_every_gradient_over_time_is_the_slope(cell, rng):
    check_cell(cell, rng)
    check_cell(cell, rng, T=1, B=1, D=1, H=1)


@pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "ragged"])
@each_scan
@pytest.mark.parametrize("name", [name for name in CELLS if name != "LRU"])
def test_the_layer_keeps_the_contract_and_every_gradient_is_the_slope(name, scan, mask, rng):
    check_layer(
        LinearRecurrent(CELLS[name], D, H, scan), rng.standard_normal((T, B, D)), rng, mask=mask
    )


@each_scan
def test_the_layer_of_complex_numbers_too_but_by_differences(scan, rng):
    """Its arithmetic is complex already, so the complex step cannot pass through it."""
    check_layer(
        LinearRecurrent(LRU, D, H, scan),
        rng.standard_normal((T, B, D)),
        rng,
        mask=MASK,
        slope=central_difference_slope,
        rtol=1e-6,
    )


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "ragged"])
@each_scan
@each_cell
def test_the_layer_is_the_cell_unrolled(cell, scan, mask, dtype, rng):
    """For the LRU this is the exact judge: the cell computes in real numbers."""
    slow, quick = Recurrent(cell, D, H), LinearRecurrent(cell, D, H, scan)
    params, state = (tree_cast(tree, dtype) for tree in random_start(cell, rng, B, D, H))
    xs, dhs = (rng.standard_normal((T, B, N)).astype(dtype) for N in (D, H))
    dlast = tree_random_like(state, rng)
    results = []
    for layer in (slow, quick):
        hs, last, cache = layer.forward(params, xs, state, mask=mask)
        results.append(tree_leaves((hs, last, layer.backward(params, cache, dhs, dlast))))
    for k, (ours, reference) in enumerate(zip(*results, strict=True)):
        assert ours.dtype == reference.dtype == dtype
        assert_close(f"leaf {k}", ours, reference, 1e-12 if dtype == np.float64 else 2e-5)


# The checks of backward functions fail for every slip

GRU_ACTIVATIONS = MinGRUActivations(z=tanh, n=elu(0.7))
LSTM_ACTIVATIONS = MinLSTMActivations(g=elu(0.7))


def check_min_gru(backward):
    cell = min_gru(**GRU_ACTIVATIONS._asdict())
    backward = functools.partial(backward, activations=GRU_ACTIVATIONS)
    layer = LinearRecurrent(with_coefficients_backward(cell, backward), D, H)
    check_layer(
        layer, np.random.default_rng(1).standard_normal((T, B, D)), np.random.default_rng(0)
    )


def check_min_lstm(backward):
    cell = min_lstm(**LSTM_ACTIVATIONS._asdict())
    backward = functools.partial(backward, activations=LSTM_ACTIVATIONS)
    layer = LinearRecurrent(with_coefficients_backward(cell, backward), D, H)
    check_layer(
        layer, np.random.default_rng(1).standard_normal((T, B, D)), np.random.default_rng(0)
    )


def check_lru_layer(backward):
    rng = np.random.default_rng(0)
    params, state = random_start(LRU, rng, B, D, H)
    xs, dhs = rng.standard_normal((T, B, D)), rng.standard_normal((T, B, H))
    results = []
    for layer in (
        Recurrent(LRU, D, H),
        LinearRecurrent(with_coefficients_backward(LRU, backward), D, H),
    ):
        _, _, cache = layer.forward(params, xs, state)
        results.append(tree_leaves(layer.backward(params, cache, dhs)))
    for k, (reference, ours) in enumerate(zip(*results, strict=True)):
        assert_close(f"leaf {k}", ours, reference, 1e-12)


def check_lru(backward):
    """Compare with the right backward, which `check_cell` judges above."""
    rng = np.random.default_rng(0)
    params, state = random_start(LRU, rng, B, D, H)
    xs, dhs = rng.standard_normal((T, B, D)), rng.standard_normal((T, B, H))
    results = []
    for cell in (LRU, LRU.replace(pointwise_backward=backward)):
        layer = Recurrent(cell, D, H)
        _, last, cache = layer.forward(params, xs, state)
        results.append(tree_leaves(layer.backward(params, cache, dhs, last)))
    for k, (reference, ours) in enumerate(zip(*results, strict=True)):
        assert_close(f"leaf {k}", ours, reference, 1e-12)


def with_coefficients_backward(cell, backward):
    fields = {name: getattr(cell, name) for name in cell.__dataclass_fields__ if name != "fast"}
    return LinearCell(**(fields | {"coefficients_backward": backward}))


AS_RIGHT = "f + i - SMALLEST", "db.ndim", "dq.dtype", "dp.dtype", "axis=1"  # the same numbers


@pytest.mark.parametrize(
    ("function", "check"),
    [
        (min_gru_coefficients_backward, check_min_gru),
        (min_lstm_coefficients_backward, check_min_lstm),
        (lru_coefficients_backward, check_lru_layer),
        (lru_pointwise_backward, check_lru),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_every_slip_in_a_backward_is_found(function, check):
    check(function)
    count, alive = surviving(function, check)
    alive = [slip for slip in alive if not any(right in slip for right in AS_RIGHT)]
    assert count > 5 and not alive, alive


# What linear means


@each_cell
def test_the_jacobian_is_the_product_of_the_factors(cell, rng):
    """Exactly, for any h: chapter 06's bound is an equality. Other units have no influence."""
    params, state = random_start(cell, rng, B, D, H)
    xs = rng.standard_normal((T, B, D))
    a, _, _ = cell.coefficients(params, xs @ params.W_x + params.b)
    for gap, jacobian in enumerate(jacobians(cell, params, xs, state)):
        product = a[T - gap :].prod(axis=0).real  # an empty product is 1
        assert_close("jacobian", jacobian, product[:, :, None] * np.eye(H), 1e-12)


@each_cell
def test_the_output_is_linear_in_the_first_state(cell, rng):
    params, state = random_start(cell, rng, B, D, H)
    other = tree_random_like(state, rng)
    xs = rng.standard_normal((T, B, D))
    layer = LinearRecurrent(cell, D, H)
    mean = type(state)(*((one + two) / 2 for one, two in zip(state, other)))
    hs = [layer.forward(params, xs, first)[0] for first in (state, other, mean)]
    assert_close("mean", (hs[0] + hs[1]) / 2, hs[2], 1e-12)


def test_minus_one_turns_the_state_around_which_is_parity():
    """h = 1 - h at a one, h = h at a zero: one unit of the cell with z in (-1, 1)."""
    cell = min_gru(z=tanh)
    params = LinearParams(np.array([[-40.0, 0.0]]), np.zeros((1, 0)), np.array([20.0, 0.5]))
    bits = np.random.default_rng(0).integers(2, size=(400, 8))
    hs, _, _ = LinearRecurrent(cell, 1, 1).forward(params, bits[..., None].astype(float))
    np.testing.assert_allclose(hs[..., 0], bits.cumsum(axis=0) % 2, atol=1e-12)


def test_a_gate_between_zero_and_one_keeps_what_lies_above_the_rest_there():
    """With the same inputs, h stays in the order of its first values: a > 0 cannot turn them."""
    rng = np.random.default_rng(0)
    params, _ = random_start(MinGRU, rng, 1, D, H)
    xs = np.repeat(rng.standard_normal((T, 1, D)), 2, axis=1)
    first = MinGRU.State(np.stack([np.zeros(H), np.ones(H)]))
    hs, _, _ = LinearRecurrent(MinGRU, D, H).forward(params, xs, first)
    assert (hs[:, 1] > hs[:, 0]).all()


def test_the_lru_starts_on_its_ring_with_inputs_of_any_length_as_large_as_they_are(rng):
    cell = lru(smallest=0.5, largest=0.8, widest=0.1)
    params = cell.init(rng, 3, 2000)
    a, b, _ = cell.coefficients(params, np.ones((1, 4000)))
    assert 0.5 <= np.abs(a).min() < 0.51 and 0.79 < np.abs(a).max() <= 0.8
    assert 0 <= np.angle(a).min() and 0.09 < np.angle(a).max() <= 0.1
    squares = np.abs(a) ** 2
    assert abs(np.mean(squares < (0.25 + 0.64) / 2) - 0.5) < 0.05  # uniform in area
    np.testing.assert_allclose(squares + np.abs(b) ** 2 / 2, 1, rtol=1e-12)  # gamma


@pytest.mark.parametrize("nu", [-60.0, -20.0, 5.0, 6.5])
def test_radii_next_to_one_and_to_zero_have_finite_gradients(nu, rng):
    params, state = random_start(LRU, rng, B, D, H)
    params = params._replace(nu=np.full(H, nu))
    layer = LinearRecurrent(LRU, D, H)
    hs, _, cache = layer.forward(params, rng.standard_normal((T, B, D)), state)
    gradients = layer.backward(params, cache, np.ones_like(hs))
    assert all(np.isfinite(leaf).all() for leaf in tree_leaves((hs, gradients)))


@pytest.mark.parametrize("size", [1e4, -1e4])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("cell", [MinGRU, MinLSTM], ids=lambda cell: cell.name)
def test_gates_that_are_wide_open_or_shut_give_finite_numbers(cell, dtype, size, rng):
    params, state = (tree_cast(tree, dtype) for tree in random_start(cell, rng, B, D, H))
    layer = LinearRecurrent(cell, D, H)
    xs = (size * np.ones((T, B, D))).astype(dtype)
    hs, _, cache = layer.forward(params, xs, state)
    gradients = layer.backward(params, cache, np.ones_like(hs))
    assert all(np.isfinite(leaf).all() for leaf in tree_leaves((hs, gradients)))


# PyTorch


def torch_coefficients(torch, name, a_x, own):
    if name == "MinLSTM":
        i, f, g = a_x.chunk(3, dim=-1)
        i, f = torch.sigmoid(i), torch.sigmoid(f)
        return f / (f + i), i / (f + i) * g
    if name == "MinGRU":
        z, n = a_x.chunk(2, dim=-1)
        return torch.sigmoid(z), (1 - torch.sigmoid(z)) * n
    u, v = a_x.chunk(2, dim=-1)
    r = torch.exp(-torch.exp(own["nu"]))
    a = torch.polar(r, own["theta"]).expand(u.shape)
    return a, torch.sqrt(1 - r**2) * torch.complex(u, v)


@pytest.mark.parametrize("cell", [MinGRU, MinLSTM, LRU], ids=lambda cell: cell.name)
def test_agrees_with_autograd_of_pytorch(cell, rng):
    torch = torch_or_skip()
    params, state = random_start(cell, rng, B, D, H)
    xs, dhs = rng.standard_normal((T, B, D)), rng.standard_normal((T, B, H))
    dlast = tree_random_like(state, rng)
    layer = LinearRecurrent(cell, D, H)
    hs, last, cache = layer.forward(params, xs, state)
    dparams, dxs, dfirst = layer.backward(params, cache, dhs, dlast)

    theirs = {n: torch.tensor(leaf, requires_grad=True) for n, leaf in params._asdict().items()}
    inputs = torch.tensor(xs, requires_grad=True)
    first = [torch.tensor(leaf, requires_grad=True) for leaf in state]
    a, b = torch_coefficients(torch, cell.name, inputs @ theirs["W_x"] + theirs["b"], theirs)
    c, steps = (first[0] if len(first) == 1 else torch.complex(*first)), []
    for t in range(T):
        c = a[t] * c + b[t]
        steps.append(c)
    parts = [c] if len(first) == 1 else [c.real, c.imag]
    outputs = torch.stack(steps).real if len(first) == 2 else torch.stack(steps)
    loss = (outputs * torch.tensor(dhs)).sum()
    loss = loss + sum((part * torch.tensor(d)).sum() for part, d in zip(parts, dlast))
    loss.backward()
    assert_close("hs", hs, outputs.detach().numpy(), 1e-12)
    for name in ("W_x", "b", *cell.extra):
        assert_close(name, getattr(dparams, name), theirs[name].grad.numpy(), 1e-12)
    assert_close("xs", dxs, inputs.grad.numpy(), 1e-12)
    for ours, leaf in zip(dfirst, first, strict=True):
        assert_close("first", ours, leaf.grad.numpy(), 1e-12)


# What is refused, and what stays a linear cell


@pytest.mark.parametrize(
    ("cell", "got"),
    [(GRU, "got GRU"), (LSTM, "got LSTM"), ("MinGRU", "got str"), (min_gru, "got function")],
)
def test_a_cell_that_is_not_linear_is_refused(cell, got):
    with pytest.raises(TypeError, match=f"cell: expected a LinearCell.*{got}"):
        LinearRecurrent(cell, D, H)


def test_with_another_step_it_is_a_plain_cell_and_with_another_start_a_linear_one():
    other = MinGRU.replace(pointwise_backward=lambda *a: None)
    assert type(other) is Cell and other.pointwise is MinGRU.pointwise
    assert type(MinGRU.replace(name="mine")) is LinearCell
    with pytest.raises(TypeError, match="LinearCell"):
        LinearRecurrent(other, D, H)


def test_a_wrong_backward_is_seen_by_check_layer(rng):
    """A gate used twice, and only one use counted."""

    def once(params, gates, da, db, *, activations=MinGRUActivations()):
        return min_gru_coefficients_backward(params, gates, da, 0 * db, activations=activations)

    with pytest.raises(GradientError):
        check_layer(
            LinearRecurrent(with_coefficients_backward(MinGRU, once), D, H),
            rng.standard_normal((T, B, D)),
            rng,
        )


def test_bad_arguments_are_refused_by_name(rng):
    for make, message in (
        (lambda: min_gru(z="tanh"), "z: expected an Activation"),
        (lambda: min_lstm(g=np.tanh), "g: expected an Activation"),
        (lambda: min_lstm(forget_bias=np.nan), "forget_bias"),
        (lambda: lru(largest=1.0), "largest"),
        (lambda: lru(smallest=0.9, largest=0.5), "smallest"),
        (lambda: lru(widest=-1), "widest"),
        (lambda: MinGRU.init(rng, 0, 3), "input_size"),
    ):
        with pytest.raises((TypeError, ValueError), match=message):
            make()
    layer = LinearRecurrent(MinGRU, D, H)
    params = layer.init(rng)
    xs = rng.standard_normal((T, B, D))
    hs, _, cache = layer.forward(params, xs)
    with pytest.raises(ValueError, match="dhs: expected shape"):
        layer.backward(params, cache, hs[:1])
    with pytest.raises(TypeError, match="state: expected LinearState"):
        layer.forward(params, xs, LRUState(hs[0], hs[0]))
    with pytest.raises(ValueError, match="xs"):
        layer.forward(params, xs[..., :2])
    assert identity in min_gru().activations
