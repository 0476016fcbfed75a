"""Sampling: the state is carried, symbols have the model's probabilities, bad input is refused."""

import numpy as np
import pytest

from rnn_tutorial.cells import Elman
from rnn_tutorial.layers import Dense, Embedding, Last, Recurrent, Serial
from rnn_tutorial.train import generate, sample_symbols, softmax
from rnn_tutorial.tree import tree_cast, tree_leaves, tree_map, tree_random_like
from rnn_tutorial.validation import NotFiniteError

T, B, V, D, H = 7, 3, 6, 4, 5
MODEL = Serial(
    (Embedding(V, D), Recurrent(Elman, D, H), Serial((Recurrent(Elman, H, 3), Dense(3, V))))
)


@pytest.fixture
def params(rng):
    return tree_random_like(MODEL.init(rng), rng, 0.9)


@pytest.fixture
def prompts(rng):
    return rng.integers(V, size=(T, B))


def generate_by_rereading(rng, params, prompts, length, temperature):
    """The slow and obvious way: for every new symbol read all symbols again, from a zero state."""
    text = prompts
    for _ in range(length):
        logits = MODEL.forward(params, text)[0][-1]
        p = np.exp(logits / temperature) / np.exp(logits / temperature).sum(axis=1, keepdims=True)
        u = rng.random((len(p), 1))
        drawn = [
            int(np.searchsorted(np.cumsum(p[b]), u[b, 0], side="right")) for b in range(len(p))
        ]
        text = np.concatenate([text, [drawn]])
    return text[len(prompts) :]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_carrying_the_state_writes_what_rereading_everything_writes(params, rng, temperature):
    prompts = rng.integers(V, size=(T, 50))
    written = generate(MODEL, params, np.random.default_rng(1), prompts, 20, temperature)
    reread = generate_by_rereading(np.random.default_rng(1), params, prompts, 20, temperature)
    assert written.shape == (20, 50)
    assert np.array_equal(written, reread)
    assert len(np.unique(written)) > 2


class Ring:
    """A user's layer: it predicts the symbol after the sum of all symbols that it has read."""

    def initial_state(self, params, batch_size):
        return np.zeros(batch_size, int)

    def forward(self, params, xs, state=None, *, mask=None, rng=None):
        sums = np.cumsum(np.concatenate([state[None], xs]), axis=0)[1:] % V
        return np.where(np.arange(V) == (sums[..., None] + 1) % V, 0.0, -np.inf), sums[-1], None


def test_a_model_of_ones_own_carries_its_state_on(rng, prompts):
    written = generate(Ring(), (), rng, prompts, 4)
    text = prompts
    for symbols in written:
        assert np.array_equal(symbols, (text.sum(axis=0) + 1) % V)
        text = np.concatenate([text, symbols[None]])


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_symbols_come_as_often_as_their_probabilities_say(rng, temperature):
    logits, N = np.array([[2.0, 0.0, -1.0, 1.0]]), 40_000
    counts = np.bincount(
        sample_symbols(rng, np.repeat(logits, N, axis=0), temperature), minlength=4
    )
    p = softmax(logits, temperature)[0]
    assert np.all(np.abs(counts - N * p) < 5 * np.sqrt(N * p * (1 - p)))


class Ends(np.random.Generator):
    """A generator that draws the smallest and the largest uniform number there is."""

    def random(self, shape):
        return np.array([[0.0], [1 - 2.0**-53]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_symbol_of_probability_zero_is_never_drawn(dtype):
    logits = np.array([[-1e4, 0.0, 0.3, 0.1, -1e4]] * 2, dtype)
    assert sample_symbols(Ends(np.random.PCG64()), logits).tolist() == [1, 3]


class AlmostOne(np.random.Generator):
    """A generator that draws the largest uniform number, again and again."""

    def random(self, shape):
        return np.full(shape, 1 - 2.0**-53)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rounding_of_the_sum_never_draws_a_symbol_that_does_not_exist(rng, dtype):
    logits = rng.standard_normal((2000, 50)).astype(dtype)
    assert np.all(sample_symbols(AlmostOne(np.random.PCG64()), logits) < 50)


def test_logits_without_a_batch_are_refused(rng):
    with pytest.raises(ValueError, match=r"logits: expected shape \(B, V\), got \(4,\)"):
        sample_symbols(rng, np.zeros(4))


def test_at_a_low_temperature_the_likeliest_symbol_is_written(params, prompts, rng):
    cold = generate(MODEL, params, rng, prompts, 5, temperature=1e-6)
    logits, _, _ = MODEL.forward(params, np.concatenate([prompts, cold]))
    assert np.array_equal(cold, logits[T - 1 : -1].argmax(axis=-1))


def test_the_same_seed_writes_the_same_text(params, prompts):
    first, second = (
        generate(MODEL, params, np.random.default_rng(5), prompts, 20) for _ in range(2)
    )
    assert np.array_equal(first, second)


def test_a_sequence_of_the_batch_does_not_depend_on_the_others(params, prompts):
    """At a low temperature the likeliest symbol is drawn, alone in the batch or not."""
    beside = generate(MODEL, params, np.random.default_rng(0), prompts, 10, 1e-6)
    alone = generate(MODEL, params, np.random.default_rng(0), prompts[:, 1:2], 10, 1e-6)
    assert np.array_equal(beside[:, 1:2], alone)


def test_float32_models_write_too(params, prompts, rng):
    single = tree_cast(params, np.float32)
    logits, state, _ = MODEL.forward(single, prompts, MODEL.initial_state(single, B))
    assert logits.dtype == np.float32 and all(
        leaf.dtype == np.float32 for leaf in tree_leaves(state)
    )
    assert generate(MODEL, single, rng, prompts, 3).shape == (3, B)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_logits_that_are_not_finite_write_nothing(rng, params, prompts, wrong):
    logits = np.zeros((2, V))
    logits[1, 3] = wrong
    with pytest.raises(
        NotFiniteError, match=rf"logits: expected finite numbers, .*, got {wrong} at index \(1, 3\)"
    ):
        sample_symbols(rng, logits)
    diverged = tree_map(lambda leaf: leaf * wrong, params[2][1])
    with np.errstate(invalid="ignore"), pytest.raises(NotFiniteError):
        generate(MODEL, (*params[:2], (params[2][0], diverged)), rng, prompts, 3)


def test_minus_infinity_forbids_a_symbol_but_not_all(rng):
    logits = np.where(np.arange(V) == 2, -np.inf, 0.0) + np.zeros((500, 1))
    assert set(sample_symbols(rng, logits).tolist()) == set(range(V)) - {2}
    assert sample_symbols(rng, np.where(np.arange(V) == 4, -3.0, -np.inf)[None]) == [4]
    logits[7] = -np.inf
    with pytest.raises(
        NotFiniteError, match="logits: expected a finite one in each row, got -inf alone in row 7"
    ):
        sample_symbols(rng, logits)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("temperature", [1e-30, 2e-38, 1e-50, 1e-310])
def test_a_temperature_near_zero_writes_the_likeliest_or_is_refused(rng, dtype, temperature):
    logits = np.array([[0.0, 5.0, 1.0]], dtype)
    if temperature < np.finfo(dtype).tiny:
        with pytest.raises(
            ValueError, match="temperature: expected a finite number above 0 and at least"
        ):
            sample_symbols(rng, logits, temperature)
    else:
        assert sample_symbols(rng, logits, temperature) == [1]


@pytest.mark.parametrize("seed", [0, None])
def test_a_seed_in_place_of_a_generator_is_refused(params, prompts, seed):
    with pytest.raises(TypeError, match="rng: expected a generator, such as np.random.default_rng"):
        generate(MODEL, params, seed, prompts, 3)
    with pytest.raises(TypeError, match="rng: expected a generator"):
        sample_symbols(seed, np.zeros((1, V)))


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (
            {"prompts": np.zeros(T, int)},
            ValueError,
            r"prompts: expected shape \(T, B\), got \(7,\)",
        ),
        ({"prompts": np.zeros((T, B))}, TypeError, "indices: expected an array of integers"),
        ({"prompts": np.full((T, B), V)}, IndexError, "indices: expected indices in 0..5"),
        ({"prompts": np.zeros((0, B), int)}, ValueError, "xs: expected at least one step"),
        ({"length": 0}, ValueError, "length: expected a positive whole number, got 0"),
        ({"length": 2.5}, ValueError, "length: expected a positive whole number, got 2.5"),
        ({"temperature": 0.0}, ValueError, "temperature: expected a finite number above 0"),
    ],
)
def test_bad_input_is_refused(params, prompts, rng, change, error, message):
    arguments = {"prompts": prompts, "length": 3, "temperature": 1.0} | change
    with pytest.raises(error, match=message):
        generate(MODEL, params, rng, **arguments)


def test_a_model_without_logits_at_every_step_is_refused(rng, prompts):
    model = Serial((Embedding(V, D), Recurrent(Elman, D, H), Last(), Dense(H, V)))
    with pytest.raises(ValueError, match=r"logits: expected shape \(T, B=3, V\), got \(3, 6\)"):
        generate(model, model.init(rng), rng, prompts, 3)


def test_parameters_are_not_changed(params, prompts, rng):
    before = tree_map(np.copy, params)
    generate(MODEL, params, rng, prompts, 5)
    assert all(
        np.array_equal(a, b) for a, b in zip(tree_leaves(before), tree_leaves(params), strict=True)
    )
