"""The table has a line for each parameter."""

import numpy as np
import pytest

from rnn_tutorial.cells import Elman
from rnn_tutorial.layers import Dense, Embedding, Last, Recurrent, Serial
from rnn_tutorial.summary import summary
from rnn_tutorial.tree import tree_cast


def test_each_parameter_has_its_line_and_the_totals_are_right():
    model = Serial((Embedding(50, 4), Serial((Recurrent(Elman, 4, 30), Last())), Dense(30, 2)))
    table = summary(model, model.init(np.random.default_rng(0)))
    assert [line.split() for line in table.splitlines()] == [
        ["parameter", "layer", "shape", "dtype", "entries"],
        ["-" * len(table.splitlines()[0])],
        ["[0].E", "Embedding", "(50,", "4)", "float64", "200"],
        ["[1][0].W_x", "Recurrent", "(4,", "30)", "float64", "120"],
        ["[1][0].W_h", "Recurrent", "(30,", "30)", "float64", "900"],
        ["[1][0].b", "Recurrent", "(30,)", "float64", "30"],
        ["[1][1]", "Last", "0"],
        ["[2].W", "Dense", "(30,", "2)", "float64", "60"],
        ["[2].b", "Dense", "(2,)", "float64", "2"],
        ["-" * len(table.splitlines()[0])],
        ["1,312", "entries,", "10,496", "bytes"],
    ]
    assert len({len(line) for line in table.splitlines()[:-1]}) == 1  # all lines have one length


def test_a_single_layer_has_a_table_too():
    layer = Dense(3, 2)
    table = summary(layer, tree_cast(layer.init(np.random.default_rng(0)), np.float32))
    assert table.splitlines()[2].split() == ["W", "Dense", "(3,", "2)", "float32", "6"]
    assert table.splitlines()[-1] == "8 entries, 32 bytes"


def test_parameters_of_another_model_are_refused():
    model = Serial((Dense(3, 2), Dense(2, 1)))
    with pytest.raises(
        ValueError, match=r"params: expected a tuple of 2, one for each layer, got 1"
    ):
        summary(model, model.init(np.random.default_rng(0))[:1])
