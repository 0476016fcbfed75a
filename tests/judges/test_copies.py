"""A copy is equal to the original, and computes the same bits, here and in a worker.

Cells, layers, merges and kernels are found by code. They are copied by `copy.deepcopy`, pickle and
cloudpickle, and sent to a worker process of joblib and of Dask. There they must be equal to the
cells and layers of the worker's own package, and on the same path, the fast one or the readable
one. A model that is another one after copying would train as that one, and no error would say so.
"""

import copy
import logging
import pickle
import re

import numpy as np
import pytest
from every_cell import CELLS
from every_layer import D, V, every_layer, reads_symbols

from rnn_tutorial.activations import elu, relu
from rnn_tutorial.cells import GRU, LSTM, Elman, elman, gru, lstm
from rnn_tutorial.initializers import constant, identity, normal
from rnn_tutorial.layers import (
    MERGES,
    Bidirectional,
    Dense,
    Dropout,
    Merge,
    Recurrent,
    Residual,
    Serial,
    add,
    multiply,
)
from rnn_tutorial.sequence import fused_unroll, fused_unroll_backward
from rnn_tutorial.tree import tree_leaves, tree_map

T, B, H = 5, 3, 6
MASK = np.arange(T)[:, None] < np.array([5, 3, 1])


def minimum_of(a, b):
    return np.minimum(a, b)


def minimum_backward(a, b, dys):
    return dys * (a <= b), dys * (a > b)


def things():
    """Return everything that is to be copied, by name."""
    cells = CELLS | {
        "an LSTM of choices": lstm(
            g=relu, f=elu(0.7), forget_bias=2.5, W_h=identity(0.5), b=constant(0.1)
        ),
        "a GRU of choices": gru(z=elu(0.3), W_x=normal(0.2)),
        "a vanilla cell of choices": elman(relu, W_h=identity()),
        "the LSTM without its fast path": LSTM.with_fast(None),
        "the GRU under another name": GRU.replace(name="mine"),
    }
    merges = {merge.name: merge for merge in MERGES}
    merges["a merge of one's own"] = Merge("minimum", minimum_of, minimum_backward)
    layers = every_layer() | {
        f"Bidirectional, {name}": both_ways(merge) for name, merge in merges.items()
    }
    layers |= {f"Recurrent, {name}": Recurrent(cell, D, H) for name, cell in cells.items()}
    layers["a model"] = Serial(
        (Residual(both_ways(multiply)), Dropout(0.3), Recurrent(Elman, D, H), Dense(H, 2))
    )
    kernels = {
        f"kernel of {name}": cell.fast for name, cell in cells.items() if cell.fast is not None
    }
    return cells | layers | merges | kernels


def both_ways(merge):
    return Bidirectional(Recurrent(LSTM, D, D), Recurrent(GRU, D, D), merge)


def kinds(cache):
    """Return the names of the types in a cache: FusedCache for the fast path, else UnrollCache."""
    inside = [kinds(part) for part in cache] if isinstance(cache, (tuple, list)) else []
    return type(cache).__name__, inside


def used(thing):
    """Return what a layer, a cell or a merge computes, both ways, and the types of its caches.

    A kernel is used by its cell.
    """
    rng = np.random.default_rng(0)
    xs = rng.standard_normal((T, B, D))
    if isinstance(thing, Merge):
        ys = thing.f(xs, xs[::-1])
        return ys, thing.backward(xs, xs[::-1], ys)
    if hasattr(thing, "pointwise"):
        params = thing.init(rng, D, H)
        outputs, cache = fused_unroll(thing, params, xs, thing.initial_state(params, B), MASK)
        return (
            outputs,
            fused_unroll_backward(thing, params, cache, outputs),
            kinds(cache),
            thing.fast is None,
        )
    if hasattr(thing, "forward") and hasattr(thing, "init"):
        params = thing.init(rng)
        xs = rng.integers(V, size=(T, B)) if reads_symbols(thing) else xs
        ys, state, cache = thing.forward(params, xs, mask=MASK, rng=np.random.default_rng(1))
        return ys, state, thing.backward(params, cache, ys), kinds(cache)
    return None


THINGS = things()
AT_HOME = {name: used(thing) for name, thing in THINGS.items()}


def report(sent):
    """Return for each thing whether it equals that of this process, and what it computes here."""
    own = things()
    return {
        name: (
            thing == own[name],
            hash_of(thing) == hash_of(own[name]),
            repr(thing),
            used(thing),
            thing,
        )
        for name, thing in sent.items()
    }


def hash_of(thing):
    try:
        return hash(thing)
    except TypeError:  # a kernel holds slices, which have no hash before Python 3.12
        return None


def assert_same(value, reference):
    ours, theirs = tree_leaves(value), tree_leaves(reference)
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs):
        np.testing.assert_array_equal(a, b)
        assert getattr(a, "dtype", None) == getattr(b, "dtype", None)


def without_places(text):
    """Return a text without the places in memory of functions."""
    return re.sub(r" at 0x\w+", "", text)


def assert_all_arrived(reports):
    assert reports.keys() == THINGS.keys()
    for name, (equal, same_hash, text, results, back) in reports.items():
        assert equal and same_hash, name
        assert without_places(text) == without_places(repr(THINGS[name]))
        assert_same(results, AT_HOME[name])
        assert back == THINGS[name], name


def test_there_is_something_to_copy():
    assert {
        "LSTM",
        "concat",
        "Recurrent, GRUBefore",
        "kernel of LSTM",
        "Bidirectional, add",
    } <= THINGS.keys()
    assert (
        AT_HOME["LSTM"][2][0] == "FusedCache"
        and AT_HOME["the LSTM without its fast path"][2][0] == "UnrollCache"
    )


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickled(protocol):
    assert_all_arrived(report(pickle.loads(pickle.dumps(THINGS, protocol))))


def test_copied():
    assert_all_arrived(report(copy.deepcopy(THINGS)))
    assert_all_arrived(report({name: copy.copy(thing) for name, thing in THINGS.items()}))


def test_sent_by_cloudpickle():
    cloudpickle = pytest.importorskip("cloudpickle")
    assert_all_arrived(report(pickle.loads(cloudpickle.dumps(THINGS))))


def unequal_sizes():
    return Bidirectional(Recurrent(LSTM, D, 1), Recurrent(LSTM, D, 5), add)


def refusal(layer):
    """Return the error with which a layer refuses to add one unit to five."""
    try:
        layer.forward(layer.init(np.random.default_rng(0)), np.ones((T, B, D)))
    except ValueError as error:
        return str(error)
    return "no error"


def forward(layer, params, xs):
    return layer.forward(params, xs, mask=MASK)


def assert_worker(run):
    """Check a worker: `run(function, *arguments)` returns what the function returns there."""
    assert_all_arrived(run(report, THINGS))
    assert "backwards: expected shape (5, 3, 1)" in refusal(unequal_sizes())
    assert run(refusal, unequal_sizes()) == refusal(unequal_sizes())
    model = THINGS["a model"]
    params, xs = (
        model.init(np.random.default_rng(0)),
        np.random.default_rng(1).standard_normal((T, B, D)),
    )
    ys, _, cache = forward(model, params, xs)
    their_ys, _, their_cache = run(forward, model, params, xs)  # forward there, backward here
    assert_same(their_ys, ys)
    assert_same(model.backward(params, their_cache, ys), model.backward(params, cache, ys))


def test_sent_to_a_worker_of_joblib():
    joblib = pytest.importorskip("joblib")
    with joblib.parallel_config(backend="loky", n_jobs=2), joblib.Parallel() as parallel:

        def run(function, *arguments):
            return parallel([joblib.delayed(function)(*arguments)])[0]

        assert_worker(run)


@pytest.mark.filterwarnings("ignore")
def test_sent_to_a_worker_of_dask():
    distributed = pytest.importorskip("distributed")
    settings = {
        "n_workers": 1,
        "threads_per_worker": 1,
        "processes": True,
        "dashboard_address": ":0",
    }
    with (
        distributed.LocalCluster(**settings, silence_logs=logging.CRITICAL) as cluster,
        distributed.Client(cluster) as client,
    ):
        assert_worker(
            lambda function, *arguments: client.submit(function, *arguments, pure=False).result(
                timeout=120
            )
        )


def test_a_copy_that_is_changed_is_another(monkeypatch):
    """The tests above must see a kernel that is lost, and a function that is another."""
    lost = {
        name: thing.with_fast(None) if hasattr(thing, "with_fast") else thing
        for name, thing in THINGS.items()
    }
    with pytest.raises(AssertionError):
        assert_all_arrived(report(lost))
    by_value = dict(
        THINGS, concat=Merge("concat", lambda a, b: MERGES[0].f(a, b), MERGES[0].backward)
    )
    with pytest.raises(AssertionError):
        assert_all_arrived(report(by_value))
    moved = tree_map(lambda leaf: leaf, dict(AT_HOME, LSTM=None))
    monkeypatch.setitem(AT_HOME, "LSTM", moved["GRU"])
    with pytest.raises(AssertionError):
        assert_all_arrived(report(THINGS))
