"""Training does what its four lines say, stops when it fails, and can go on where it stopped."""

import copy
import pickle
import subprocess
import sys
import warnings
from dataclasses import dataclass

import numpy as np
import pytest

from rnn_tutorial.cells import Elman
from rnn_tutorial.layers import Dense, Embedding, Last, Recurrent, Serial
from rnn_tutorial.train import (
    Batch,
    TrainingDiverged,
    TrainingStep,
    adam,
    clip_by_global_norm,
    clipped,
    evaluate,
    last_step,
    mean_squared_error,
    momentum,
    rmsprop,
    sgd,
    softmax_cross_entropy,
    train,
    with_progress,
)
from rnn_tutorial.tree import tree_add, tree_cast, tree_leaves, tree_norm

T, B, D, H = 6, 4, 2, 8
MODEL = Serial((Recurrent(Elman, D, H), Dense(H, D)))


def echo(count, seed=0, T=T, B=B):
    """Return batches whose targets are the inputs of the step before."""
    rng = np.random.default_rng(seed)
    batches = []
    for _ in range(count):
        xs = rng.choice([-0.5, 0.5], (T, B, D))
        batches.append((xs, np.concatenate([np.zeros((1, B, D)), xs[:-1]])))
    return batches


def start(model=MODEL, seed=0):
    """Return parameters that refuse to be changed in place."""
    params = model.init(np.random.default_rng(seed))
    for leaf in tree_leaves(params):
        leaf.flags.writeable = False
    return params


def assert_identical(a, b):
    assert all(np.array_equal(x, y) for x, y in zip(tree_leaves(a), tree_leaves(b), strict=True))


def test_a_network_learns_to_echo():
    steps = list(train(MODEL, start(), echo(300), mean_squared_error, adam(0.02)))
    assert steps[0].loss > 0.2
    assert evaluate(MODEL, steps[-1].params, echo(5, seed=1), mean_squared_error) < 0.003


def test_training_is_the_loop_you_would_write():
    params, optimizer = start(), clipped(momentum(0.1), clip_by_global_norm, 0.3)
    steps = train(MODEL, params, echo(4), mean_squared_error, optimizer)
    state = optimizer.init(params)
    for index, ((xs, targets), step) in enumerate(zip(echo(4), steps, strict=True)):
        ys, _, cache = MODEL.forward(params, xs)
        value, dys = mean_squared_error(ys, targets)
        dparams, _, _ = MODEL.backward(params, cache, dys)
        updates, state = optimizer.update(dparams, state)
        params = tree_add(params, updates)
        assert isinstance(step, TrainingStep)
        assert (step.index, step.loss, step.gradient_norm) == (index, value, tree_norm(dparams))
        assert_identical((step.params, step.optimizer_state), (params, state))


@pytest.mark.parametrize("optimizer", [sgd(0.1), momentum(0.1), adam(0.01)])
def test_going_on_is_the_same_as_not_stopping(optimizer):
    batches = echo(7)
    whole = list(train(MODEL, start(), batches, mean_squared_error, optimizer))
    first = list(train(MODEL, start(), batches[:3], mean_squared_error, optimizer))[-1]
    rest = train(
        MODEL,
        first.params,
        batches[3:],
        mean_squared_error,
        optimizer,
        optimizer_state=first.optimizer_state,
    )
    for step, wanted in zip(rest, whole[3:], strict=True):
        assert (step.loss, step.gradient_norm) == (wanted.loss, wanted.gradient_norm)
        assert_identical(step.params, wanted.params)


def test_an_evaluation_in_between_changes_nothing():
    quiet = list(train(MODEL, start(), echo(4), mean_squared_error, adam()))
    for step, wanted in zip(
        train(MODEL, start(), echo(4), mean_squared_error, adam()), quiet, strict=True
    ):
        evaluate(MODEL, step.params, echo(2, seed=9, T=3, B=2), mean_squared_error)
        assert_identical(step.params, wanted.params)


def test_one_layer_in_two_places_trains_as_two_layers():
    once = Dense(D, D)
    twice, apart = Serial((once, once)), Serial((Dense(D, D), Dense(D, D)))
    for a, b in zip(
        *(train(m, start(m), echo(3), mean_squared_error, sgd(0.1)) for m in (twice, apart)),
        strict=True,
    ):
        assert_identical(a.params, b.params)


def test_a_batch_is_drawn_only_when_its_step_is_asked_for():
    drawn = []

    def batches():
        for batch in echo(3):
            drawn.append(batch)
            yield batch

    steps = train(MODEL, start(), batches(), mean_squared_error, sgd(0.1))
    assert not drawn
    next(steps)
    assert len(drawn) == 1


def test_float32_trains_in_float32():
    batches = [(xs.astype(np.float32), targets.astype(np.float32)) for xs, targets in echo(2)]
    for step in train(MODEL, tree_cast(start(), np.float32), batches, mean_squared_error, adam()):
        assert {leaf.dtype for leaf in tree_leaves(step.params)} == {np.dtype(np.float32)}
        assert type(step.loss) is type(step.gradient_norm) is float


@dataclass(frozen=True)
class Noisy:
    """A layer that adds noise in training, as dropout would."""

    def init(self, rng):
        return np.zeros(1)

    def forward(self, params, xs, state=None, *, mask=None, rng=None):
        return xs + params if rng is None else xs + params + rng.standard_normal(xs.shape), (), xs

    def backward(self, params, cache, dys, dstate=None):
        return np.full(1, dys.sum()), dys, ()


def test_random_numbers_are_drawn_in_training_and_never_in_evaluation():
    ((xs, targets),) = batches = echo(1)
    (quiet,) = train(Noisy(), np.zeros(1), batches, mean_squared_error, sgd(0.1))
    (noisy,) = train(
        Noisy(), np.zeros(1), batches, mean_squared_error, sgd(0.1), rng=np.random.default_rng(0)
    )
    (again,) = train(
        Noisy(), np.zeros(1), batches, mean_squared_error, sgd(0.1), rng=np.random.default_rng(0)
    )
    assert (
        quiet.loss
        == evaluate(Noisy(), np.zeros(1), batches, mean_squared_error)
        == mean_squared_error(xs, targets)[0]
    )
    assert quiet.loss != noisy.loss == again.loss


def ragged():
    """Return a batch with padding, and the same sequences with other numbers in the padding."""
    mask = np.arange(T)[:, None] < np.array([6, 1, 4, 2])
    ((xs, targets),) = echo(1)
    garbage = np.where(mask[..., None], xs, 7.0), np.where(mask[..., None], targets, -5.0)
    return Batch(xs, targets, mask), Batch(*garbage, mask)


def test_padding_counts_neither_in_the_model_nor_in_the_loss():
    (step,), (other,) = (
        train(MODEL, start(), [batch], mean_squared_error, sgd(0.1)) for batch in ragged()
    )
    assert step.loss == other.loss
    assert_identical(step.params, other.params)
    batch, _ = ragged()
    (said,) = train(
        MODEL, start(), [batch._replace(target_mask=batch.mask)], mean_squared_error, sgd(0.1)
    )
    assert_identical(step, said)
    ys, _, _ = MODEL.forward(start(), batch.xs, mask=batch.mask)
    assert step.loss == mean_squared_error(ys, batch.targets, mask=batch.mask)[0]


def test_what_counts_in_the_loss_can_be_less_than_what_is_real():
    batch, _ = ragged()
    late = batch.mask & (np.arange(T)[:, None] >= 2)
    (step,) = train(
        MODEL, start(), [batch._replace(target_mask=late)], mean_squared_error, sgd(0.1)
    )
    ys, _, _ = MODEL.forward(start(), batch.xs, mask=batch.mask)
    assert step.loss == mean_squared_error(ys, batch.targets, mask=late)[0]


def test_one_output_a_sequence_counts_each_sequence():
    model = Serial((Recurrent(Elman, D, H), Last(), Dense(H, 3)))
    batch = ragged()[0]._replace(targets=np.array([0, 2, 1, 2]))
    (step,) = train(model, start(model), [batch], softmax_cross_entropy, sgd(0.1))
    ys, _, _ = model.forward(start(model), batch.xs, mask=batch.mask)
    assert step.loss == softmax_cross_entropy(ys, batch.targets)[0]
    assert evaluate(model, start(model), [batch], softmax_cross_entropy) == step.loss


def test_symbols_train_an_embedding():
    model = Serial((Embedding(5, 3), Recurrent(Elman, 3, H), Dense(H, 5)))
    rng = np.random.default_rng(0)
    texts = [
        (rng.integers(5, size=B) + np.arange(T + 1)[:, None]) % 5 for _ in range(120)
    ]  # each symbol says the next
    batches = [(text[:-1], text[1:]) for text in texts]
    steps = list(train(model, start(model), batches, softmax_cross_entropy, adam(0.02)))
    assert steps[-1].loss < 0.1 < 1.3 < steps[0].loss


def test_an_evaluation_does_not_count_padding():
    batch, other_padding = ragged()
    ys, _, _ = MODEL.forward(start(), batch.xs, mask=batch.mask)
    expected = mean_squared_error(ys, batch.targets, mask=batch.mask)[0]
    assert evaluate(MODEL, start(), [batch], mean_squared_error) == pytest.approx(
        expected, rel=1e-14
    )
    assert evaluate(MODEL, start(), [other_padding], mean_squared_error) == pytest.approx(
        expected, rel=1e-14
    )


def test_an_evaluation_does_not_depend_on_the_cut_into_batches():
    batch, _ = ragged()
    parts = [
        Batch(*(array[:, columns] for array in batch[:3])) for columns in (slice(0, 1), slice(1, 4))
    ]
    whole = evaluate(MODEL, start(), [batch], mean_squared_error)
    np.testing.assert_allclose(
        evaluate(MODEL, start(), parts, mean_squared_error), whole, rtol=1e-14
    )
    unmasked = [
        tuple(array[:, columns] for array in batch[:2]) for columns in (slice(0, 1), slice(1, 4))
    ]
    whole = evaluate(MODEL, start(), [batch[:2]], mean_squared_error)
    np.testing.assert_allclose(
        evaluate(MODEL, start(), unmasked, mean_squared_error), whole, rtol=1e-14
    )


@dataclass(frozen=True)
class Scale:
    """The model ys = params * xs, which checks nothing."""

    def forward(self, params, xs, state=None, *, mask=None, rng=None):
        return params * xs, (), xs

    def backward(self, params, xs, dys, dstate=None):
        return np.sum(dys * xs, axis=(0, 1)), dys * params, ()


def diverge(model, params, batches, loss, optimizer):
    """Return (the steps before, the error), with every warning an error."""
    steps = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(TrainingDiverged) as caught:
            for step in train(model, params, batches, loss, optimizer):
                steps.append(step)
    return steps, caught.value


def test_a_rate_much_too_large_stops_training_with_the_last_good_parameters():
    batches = [(np.ones((T, B, D)), np.zeros((T, B, D)))] * 500
    steps, error = diverge(Scale(), np.ones(D), batches, mean_squared_error, sgd(1e3))
    assert error.step == len(steps) > 10
    assert (
        f"training diverged at step {error.step}: the loss is inf; "
        "the last good parameters are in `.params`" in str(error)
    )
    assert isinstance(error, FloatingPointError) and error.loss == np.inf
    assert np.isfinite(error.params).all()
    assert np.isfinite(mean_squared_error(*[error.params * batches[0][0], batches[0][1]])[0])
    assert_identical(
        (error.params, error.optimizer_state), (steps[-2].params, steps[-2].optimizer_state)
    )


def test_layers_that_refuse_nan_stop_training_in_the_same_way():
    batches = [(xs * 1e3, targets) for xs, targets in echo(50)]
    steps, error = diverge(MODEL, start(), batches, mean_squared_error, sgd(1e200))
    assert error.step == len(steps) > 0
    assert all(np.isfinite(leaf).all() for leaf in tree_leaves(error.params))
    assert np.isfinite(evaluate(MODEL, error.params, batches[:1], mean_squared_error))


def test_nan_in_the_data_stops_training_and_says_where():
    batches = echo(4)
    batches[2][0][3, 1, 0] = np.nan
    steps, error = diverge(MODEL, start(), batches, mean_squared_error, adam())
    assert len(steps) == error.step == 2
    assert_identical(error.params, steps[0].params)
    assert "nan at index (3, 1, 0)" in str(error.__cause__)


def test_failing_at_the_first_step_hands_back_the_first_parameters():
    steps, error = diverge(
        Scale(),
        np.ones(D),
        [(np.full((T, B, D), 1e300), np.zeros((T, B, D)))],
        mean_squared_error,
        sgd(1.0),
    )
    assert not steps and error.step == 0
    assert error.params.tolist() == [1.0, 1.0]
    assert error.optimizer_state == sgd(1.0).init(np.ones(D))


def test_a_gradient_that_overflows_stops_training_though_the_loss_is_finite():
    def steep(ys, targets, *, mask=None):
        return np.mean(ys), np.full_like(ys, np.inf)

    _, error = diverge(Scale(), np.ones(D), echo(1), steep, sgd(1.0))
    assert "the loss is" in str(error) and "but its gradient is not finite" in str(error)


def test_a_gradient_that_does_not_fit_its_parameter_is_refused():
    @dataclass(frozen=True)
    class Broken(Scale):
        def backward(self, params, xs, dys, dstate=None):
            return np.sum(dys * xs, axis=(0, 1))[None], None, ()

    with pytest.raises(ValueError, match=r"gradient: expected shape \(2,\), got \(1, 2\)"):
        next(train(Broken(), np.ones(D), echo(1), mean_squared_error, sgd(0.1)))


def test_anything_that_is_not_a_batch_is_refused():
    for batches in (echo(1)[0][0], [(1,)], [None]):
        with pytest.raises(TypeError, match="batches: expected a Batch or a tuple"):
            next(train(MODEL, start(), batches, mean_squared_error, sgd(0.1)))
    with pytest.raises(ValueError, match="batches: expected at least one batch"):
        evaluate(MODEL, start(), [], mean_squared_error)


def test_an_optimizer_that_was_not_made_is_refused():
    with pytest.raises(
        TypeError, match=r"optimizer: expected an optimizer, such as adam\(1e-3\), got function"
    ):
        next(train(MODEL, start(), echo(1), mean_squared_error, adam))


def test_the_progress_bar_passes_every_step_on(capsys):
    pytest.importorskip("tqdm")
    wanted = list(train(MODEL, start(), echo(3), mean_squared_error, sgd(0.1)))
    steps = list(
        with_progress(train(MODEL, start(), echo(3), mean_squared_error, sgd(0.1)), total=3)
    )
    assert_identical(steps, wanted)
    shown = capsys.readouterr().err
    assert "3/3" in shown and f"loss={steps[-1].loss:.4g}" in shown


def test_a_missing_tqdm_is_named(monkeypatch):
    for name in ("tqdm", "tqdm.auto"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match="pip install tqdm"):
        with_progress(iter([]))


def test_a_loop_that_names_the_parameters_in_its_head_cannot_forget_them():
    steps = list(train(MODEL, start(), echo(3), mean_squared_error, adam()))
    for index, loss, norm, params, state in train(
        MODEL, start(), echo(3), mean_squared_error, adam()
    ):
        assert_identical((index, loss, norm, params, state), steps[index])
    assert_identical((params, state), (steps[-1].params, steps[-1].optimizer_state))
    assert not np.array_equal(params[0].W_x, start()[0].W_x)


def test_the_last_step_needs_no_loop_and_keeps_no_other():
    steps = list(train(MODEL, start(), echo(3), mean_squared_error, adam()))
    assert_identical(
        last_step(train(MODEL, start(), echo(3), mean_squared_error, adam())), steps[-1]
    )
    with pytest.raises(ValueError, match="steps: expected at least one, got none"):
        last_step(train(MODEL, start(), [], mean_squared_error, adam()))
    with pytest.raises(TrainingDiverged):
        last_step(
            train(
                Scale(),
                np.ones(D),
                [(np.full((T, B, D), 1e300), np.zeros((T, B, D)))],
                mean_squared_error,
                sgd(1.0),
            )
        )


def diverged():
    return TrainingDiverged(3, np.nan, {"W": np.arange(3.0)}, (2, np.ones(2)))


def test_a_diverged_run_can_be_copied_with_all_it_carries():
    for error in (
        copy.copy(diverged()),
        copy.deepcopy(diverged()),
        pickle.loads(pickle.dumps(diverged())),
    ):
        assert str(error) == str(diverged()) and error.step == 3 and np.isnan(error.loss)
        assert_identical(
            (error.params, error.optimizer_state), (diverged().params, diverged().optimizer_state)
        )


POOL = """
import multiprocessing
import numpy as np
from rnn_tutorial.train import mean_squared_error
from rnn_tutorial.cells import Elman
from rnn_tutorial.layers import Recurrent
from rnn_tutorial.train import sgd
from rnn_tutorial.train import TrainingDiverged, last_step, train

def run(seed):
    model = Recurrent(Elman, 2, 3)
    batches = [(np.full((4, 2, 2), 1e300), np.full((4, 2, 3), 1e300))]
    start = model.init(np.random.default_rng(seed))
    return last_step(train(model, start, batches, mean_squared_error, sgd(0.1)))

if __name__ == "__main__":
    with multiprocessing.Pool(1) as pool:
        try:
            pool.map_async(run, [0]).get(timeout=60)
        except TrainingDiverged as error:
            print(error.step, error.loss, error.params.W_x.shape)
"""


def test_a_diverged_run_comes_back_from_a_pool_of_processes(tmp_path):
    (tmp_path / "sweep.py").write_text(POOL, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, tmp_path / "sweep.py"], capture_output=True, text=True, timeout=90
    )
    assert done.stdout.split("\n")[0] == "0 inf (2, 3)", done.stderr


def test_the_state_of_another_optimizer_is_refused_by_name():
    for optimizer, other in ((adam(), sgd(0.1)), (rmsprop(), momentum(0.1))):
        wanted, got = (type(one.init(start())).__name__ for one in (optimizer, other))
        with pytest.raises(
            TypeError,
            match=rf"state: expected {wanted}\(step, .*\), got {got}",
        ):
            next(
                train(
                    MODEL,
                    start(),
                    echo(1),
                    mean_squared_error,
                    optimizer,
                    optimizer_state=other.init(start()),
                )
            )


def test_a_backward_may_return_its_dict_in_another_order():
    @dataclass(frozen=True)
    class Affine:
        def forward(self, params, xs, state=None, *, mask=None, rng=None):
            return xs * params["slope"] + params["shift"], (), xs

        def backward(self, params, xs, dys, dstate=None):
            return {"shift": dys.sum(axis=(0, 1)), "slope": (dys * xs).sum()[None]}, None, ()

    params = {"slope": np.ones(1), "shift": np.zeros(D)}
    step = last_step(train(Affine(), params, echo(200), mean_squared_error, adam(0.1)))
    assert (
        step.params.keys() == params.keys()
        and step.loss < 0.3
        and step.params["shift"].shape == (D,)
    )


RESUME = """
import sys
import numpy as np
from rnn_tutorial.cells import LSTM
from rnn_tutorial.checkpoint import load, save
from rnn_tutorial.layers import Dropout
from rnn_tutorial.layers import Dense, Recurrent, Serial
from rnn_tutorial.train import mean_squared_error
from rnn_tutorial.train import adam
from rnn_tutorial.train import last_step, train

path, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
model = Serial((Dropout(0.3), Recurrent(LSTM, 2, 5), Dropout(0.5), Dense(5, 2)))
optimizer = adam(0.05)
params, rng = model.init(np.random.default_rng(0)), np.random.default_rng(1)
saved = {"params": params, "optimizer": optimizer.init(params), "rng": rng}
if first:
    rng = np.random.default_rng()
    saved = load(path, like={"params": params, "optimizer": optimizer.init(params), "rng": rng})
batches = [
    (np.random.default_rng(k).standard_normal((4, 3, 2)), np.ones((4, 3, 2)))
    for k in range(first, last)
]
step = last_step(train(model, saved["params"], batches, mean_squared_error, optimizer,
                       optimizer_state=saved["optimizer"], rng=saved["rng"]))
save(path, {"params": step.params, "optimizer": step.optimizer_state, "rng": saved["rng"]})
"""


def test_with_dropout_going_on_in_another_process_is_the_same_as_not_stopping(tmp_path):
    (tmp_path / "resume.py").write_text(RESUME, encoding="utf-8")

    def run(name, first, last):
        command = [sys.executable, tmp_path / "resume.py", tmp_path / name, str(first), str(last)]
        subprocess.run(command, check=True, timeout=120)
        return (tmp_path / name).read_bytes()

    whole = run("whole", 0, 9)
    assert run("pieces", 0, 4) != whole
    assert run("pieces", 4, 9) == whole


@pytest.mark.parametrize("seed", [0, np.random, "0"])
def test_a_seed_in_place_of_a_generator_is_refused(seed):
    """Also by a model that draws no random numbers: the user expects that it is used."""
    with pytest.raises(TypeError, match="rng: expected a generator, such as .*, got"):
        next(train(Scale(), np.ones(D), echo(1), mean_squared_error, sgd(0.1), rng=seed))


@pytest.mark.parametrize("loss, got", [("mse", "str"), (None, "NoneType"), (0.5, "float")])
def test_a_loss_that_is_not_a_function_is_refused(loss, got):
    wanted = f"loss: expected a loss, such as softmax_cross_entropy, got {got}"
    with pytest.raises(TypeError, match=wanted):
        next(train(MODEL, start(), echo(1), loss, sgd(0.1)))
    with pytest.raises(TypeError, match=wanted):
        evaluate(MODEL, start(), echo(1), loss)
