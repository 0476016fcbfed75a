"""Trees of arrays are sent and read bit for bit, and bytes that somebody forged are refused."""

import json
import struct
from typing import NamedTuple

import numpy as np
import pytest

from rnn_course.sandbox.inside.transport import (
    KINDS,
    Other,
    TransportError,
    read_messages,
    write_message,
)


class Pair(NamedTuple):
    a: object
    b: object


def sent(tree, event=None):
    ((_, back),) = read_messages(write_message(event or {}, tree))
    return back


@pytest.mark.parametrize("kind", KINDS)
def test_an_array_of_every_kind_comes_back_bit_for_bit(kind):
    array = (
        np.frombuffer(np.random.default_rng(0).bytes(6 * 16), np.uint8)[
            : 6 * np.dtype(kind).itemsize
        ]
        .view(kind)
        .reshape(2, 3)
    )
    array = array if kind != "|b1" else np.array([[True, False, True]] * 2)
    back = sent(array)
    assert back.dtype == array.dtype and back.shape == (2, 3) and back.tobytes() == array.tobytes()


def test_a_tree_keeps_its_structure_its_names_and_its_order_in_memory():
    array = np.arange(6.0).reshape(2, 3)
    back = sent((Pair(a=array.T, b=None), [array[:, ::-1], np.array(2.5)], np.zeros((0, 4))))
    assert type(back[0]).__name__ == "Pair" and back[0]._fields == ("a", "b") and back[0].b is None
    assert (
        np.array_equal(back[0].a, array.T)
        and isinstance(back[1], list)
        and np.array_equal(back[1][0], array[:, ::-1])
    )
    assert back[1][1].shape == () and back[2].shape == (0, 4)


@pytest.mark.parametrize("leaf", ["text", {1: 2}, np.array([None]), np.array(["a"]), print])
def test_what_is_no_array_of_numbers_travels_by_the_name_of_its_type_alone(leaf):
    assert isinstance(sent((leaf,))[0], Other)


def test_a_number_arrives_as_the_kind_that_it_is():
    numbers = (1, 2.5, True, float("inf"), np.float64(0.1), np.float32(0.1), np.bool_(True))
    assert [(type(n), n) for n in sent(numbers)] == [(type(n), n) for n in numbers]
    assert np.isnan(sent(float("nan"))) and sent(-0.0).hex() == "-0x0.0p+0"
    assert isinstance(sent(np.array(0.1)), np.ndarray)  # that is no number, but an array


@pytest.mark.parametrize("leaf", [1 << 63, 10**5000, -(1 << 80)], ids=["2^63", "long", "-2^80"])
def test_a_whole_number_that_no_array_holds_travels_by_its_type(leaf):
    assert sent(leaf) == Other("int")


def test_more_digits_than_float64_has_are_rounded():
    back = sent((np.longdouble("0.1"), np.ones(2, np.longdouble), np.ones(2, np.clongdouble)))
    assert back[0] == 0.1 and [leaf.dtype.str for leaf in back] == ["<f8", "<f8", "<c16"]


def test_only_a_task_may_have_a_long_header():
    data = write_message({"source": "x" * (2 << 20)})
    with pytest.raises(TransportError, match="too long"):
        read_messages(data)
    assert len(read_messages(data, header_limit=len(data))) == 1


def test_a_message_that_was_cut_off_is_left_out_and_those_before_it_stay():
    data = write_message({"n": 1}, np.ones(3)) + write_message({"n": 2}, np.ones(3))
    for end in range(len(write_message({"n": 1}, np.ones(3))), len(data)):
        assert [event["n"] for event, _ in read_messages(data[:end])] == [1]


def forged(header, body=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<II", len(text), len(body)) + text + body


HEADER = {"event": {}, "tree": "array", "arrays": [["<f8", [2]]]}


@pytest.mark.parametrize(
    "data",
    [
        forged(b"\x80\x04."),
        forged(b"[" * 100_000),
        forged({}),
        forged(HEADER),  # two numbers are promised, none is there
        forged(HEADER | {"arrays": [["|O", [1]]]}, b"\0" * 8),
        forged(HEADER | {"arrays": [["<f8", [-1]]]}, b"\0" * 8),
        forged(HEADER | {"arrays": [["<f8", [1 << 62, 1 << 62]]]}, b"\0" * 8),
        forged(HEADER | {"arrays": [["<f8", [True]]]}, b"\0" * 8),
        forged(HEADER | {"arrays": []}),
        forged(HEADER | {"event": 3}, b"\0" * 16),
        forged(
            HEADER
            | {
                "tree": {"name": "X", "fields": ["__class__"], "list": False, "branches": ["array"]}
            },
            b"\0" * 16,
        ),
        forged(
            HEADER | {"tree": {"list": True, "branches": [{"list": True, "branches": 3}]}},
            b"\0" * 16,
        ),
        forged({"event": {}, "tree": {"number": "1"}, "arrays": []}),
        forged({"event": {}, "tree": {"number": 1 << 63}, "arrays": []}),
        forged(b'{"event": {}, "arrays": [], "tree": {"number": ' + b"1" * 5000 + b"}}"),
        forged({"event": {}, "tree": "number of NumPy", "arrays": []}),
        struct.pack("<II", 1 << 30, 0),
        forged({"event": {}, "tree": {"list": True, "branches": [None] * 30_000}, "arrays": []}),
        forged({"event": {}, "tree": None, "arrays": [["<f8", [0]]] * 30_000}),
        forged({"event": {}, "tree": None, "arrays": []}) * 30_000,
    ],
    ids=range(20),
)
def test_forged_bytes_are_refused(data):
    with pytest.raises(TransportError):
        read_messages(data)
