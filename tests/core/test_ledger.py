"""A ledger has each call of NumPy with its operations and bytes; a machine gives it a time."""

import numpy as np
import pytest

from rnn_tutorial.cells import GRU, LSTM, Elman
from rnn_tutorial.gradient_check import random_start
from rnn_tutorial.sequence import fused_unroll, unroll
from rnn_tutorial.speed import (
    Call,
    Machine,
    cost,
    count_calls,
    predicted_seconds,
    products,
    show_ledgers,
    total,
)
from rnn_tutorial.tree import tree_leaves, tree_map

MACHINE = Machine(overhead=1, product_overhead=2, flop=10, cached=100, memory=1000, tanh=10_000)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_product_counts_two_operations_for_each_of_its_multiplications(dtype):
    x, y = np.ones((3, 5, 7), dtype), np.ones((7, 2), dtype)
    (call,) = count_calls(np.matmul, x, y)
    bytes = x.itemsize * (3 * 5 * 7 + 7 * 2 + 3 * 5 * 2)
    assert call == Call("matmul", 2 * 3 * 5 * 7 * 2, bytes)


def test_an_elementwise_function_counts_one_for_each_entry_and_a_result_in_place_is_no_other():
    x = np.ones((3, 4))

    def program(x):
        x += 1
        np.tanh(x, x)

    assert count_calls(program, x) == [Call("add", 12, 2 * 96), Call("tanh", 12, 2 * 96)]


def test_the_results_go_on_counting_and_views_cost_nothing():
    ledger = count_calls(lambda x: np.exp(x.T[1:] * 2).sum(axis=0), np.ones((3, 4)))
    assert [call.name for call in ledger] == ["multiply", "exp", "add"]


def test_copies_have_bytes_and_no_operations():
    def program(x):
        x[0] = 3
        np.stack([x, x])

    assert count_calls(program, np.ones((2, 5))) == [Call("copy", 0, 80), Call("copy", 0, 320)]


def test_new_arrays_are_counted_too_and_only_during_the_program():
    empty, zeros = np.empty, np.zeros

    def program(x):
        np.add(1, 1, np.empty((2, 2), dtype=float))
        np.subtract(np.zeros((2, 2)), 1)
        np.add(np.ascontiguousarray(x.T), 1)

    assert [call.name for call in count_calls(program, np.ones((2, 3)))] == [
        "add",
        "subtract",
        "add",
    ]
    assert np.empty is empty and np.zeros is zeros
    with pytest.raises(ZeroDivisionError):
        count_calls(lambda x: 1 / 0, np.ones(2))
    assert np.empty is empty


def test_two_ledgers_do_not_mix():
    kept = []
    first = count_calls(lambda x: kept.append(x), np.ones(3))
    second = count_calls(lambda x: x + 1, np.ones(3))
    kept[0] + 1
    assert len(first) == 1 and len(second) == 1


@pytest.mark.parametrize("cell", [Elman, LSTM, GRU], ids=str)
@pytest.mark.parametrize("forward", [unroll, fused_unroll])
def test_counting_changes_no_result_and_no_argument(cell, forward, rng):
    params, state = random_start(cell, rng, 2, 3, 4)
    arguments = params, rng.standard_normal((5, 2, 3)), state
    before, results = tree_map(np.copy, arguments), []
    ledger = count_calls(lambda *a: results.append(forward(cell, *a)[0]), *arguments)
    expected = forward(cell, *arguments)[0]
    for ours, theirs in zip(tree_leaves((results[0], arguments)), tree_leaves((expected, before))):
        np.testing.assert_array_equal(ours, theirs)
    assert total(products(ledger), "flop") >= 2 * 5 * 2 * 4 * len(cell.gates) * (3 + 4) - 1


def test_the_table_is_for_one_step(capsys):
    ledger = [Call("matmul", 4_000_000, 2_000_000), Call("tanh", 1_000_000, 0)] * 3
    show_ledgers({"name": ledger}, steps=2)
    *_, row = capsys.readouterr().out.splitlines()
    assert row.split() == ["name", "3.0", "1.5", "6.000", "1.500", "3.000"]


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (Call("add", 7, 3), (1, 0, 300)),
        (Call("add", 7, 2**21), (1, 0, 100 * 2**21)),
        (Call("add", 7, 2**21 + 1), (1, 0, 1000 * (2**21 + 1))),
        (Call("matmul", 7, 3), (2, 70, 300)),
        (Call("tanh", 7, 3), (1, 70_000, 300)),
        (Call("exp", 7, 3), (1, 70_000, 300)),
    ],
    ids=str,
)
def test_a_call_costs_its_overhead_its_operations_and_its_bytes(call, expected):
    assert cost(call, MACHINE) == expected


def test_of_compute_and_bandwidth_the_longer_counts():
    calls = [Call("matmul", 7, 3), Call("matmul", 70, 3), Call("add", 7, 3)]
    assert predicted_seconds(calls, MACHINE) == (2 + 300) + (2 + 700) + (1 + 300)
