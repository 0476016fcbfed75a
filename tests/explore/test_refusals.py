"""Bad input to the functions of `explore`: the error names it, what came and what was expected."""

import re
from functools import partial

import numpy as np
import pytest

from rnn_tutorial import explore
from rnn_tutorial.explore.explorable import modules, page_script
from rnn_tutorial.explore.weights import unpack

UNIT = explore.lstm_unit()
DRAW = {name: None for name in ("xs", "tanh", "LSTM", "GRU")}  # refused before it is read
NETWORK = explore.small_network()
VOICE = explore.Sounds((), None, None, 0, 0)

REFUSED = [
    (partial(explore.one_unit, w=5), "w: expected", "at most 3.0, got 5"),
    (partial(explore.one_unit, first_state=2), "first_state: expected", "at most 1.0, got 2"),
    (partial(explore.one_unit, u=np.nan), "u: expected", "got nan"),
    (partial(explore.one_unit, u="0"), "u: expected", "got '0'"),
    (partial(explore.one_unit_states, np.inf, 0), "w: expected", "got inf"),
    (partial(explore.one_unit_states, 1, None), "first_state: expected", "got None"),
    (partial(explore.one_unit_states, 1, 0, steps=0), "steps: expected", "got 0"),
    (partial(explore.through_time, -1), "seed: expected", "at least 0, got -1"),
    (partial(explore.small_network, 1.5), "seed: expected", "got 1.5"),
    (partial(explore.path_products, 3), "network: expected SmallNetwork", "got int"),
    (
        partial(explore.path_products, NETWORK._replace(xs=NETWORK.xs[:3])),
        "network.xs: expected shape",
        "got (3, 1, 1)",
    ),
    (partial(explore.reach_norms, "rnn", 1, 1, DRAW), "cell: expected one of 'tanh'", "got 'rnn'"),
    (partial(explore.reach_network, ["GRU"], 1, DRAW), "cell: expected", "got ['GRU']"),
    (partial(explore.reach_norms, "tanh", -1, 1, DRAW), "value: expected", "at least 0, got -1"),
    (partial(explore.reach_path, "LSTM", np.nan, DRAW), "value: expected", "got nan"),
    (partial(explore.reach_norms, "GRU", 1, -1, DRAW), "size: expected", "got -1"),
    (partial(explore.reach_path, "GRU", 1, 0), "draw: expected one of reach_draws()", "got int"),
    (partial(explore.lstm_unit_numbers, UNIT, "x"), "mistake: expected one of 'c'", "got 'x'"),
    (partial(explore.lstm_unit_numbers, 1), "unit: expected LSTMUnit(a, ", "got int"),
    (
        partial(explore.lstm_unit_numbers, UNIT._replace(a=(1, 2))),
        "unit.a: expected four",
        "got (1, 2)",
    ),
    (partial(explore.lstm_unit_numbers, UNIT._replace(dh="1")), "unit.dh: expected", "got '1'"),
    (partial(explore.writer, unit=100), "unit: expected a whole number from 0 to", "got 100"),
    (partial(explore.writer, temperature=3), "temperature: expected", "at most 2.0, got 3"),
    (partial(explore.writer, ""), "beginning: expected a text of 1 to 60 letters", "got ''"),
    (partial(explore.writer, "a" * 61), "beginning: expected", "aaa'"),
    (partial(explore.writer, "Caf\u00e9"), "beginning: expected letters out of", "got '\u00e9'"),
    (partial(explore.writer, seed=0), "seed: expected a whole number from 1 to 20", "got 0"),
    (partial(explore.writer_model, 3, 2, 0), "H: expected", "got 0"),
    (partial(explore.sounds, ""), "word: expected 1 to 14 of the letters a to z", "got ''"),
    (partial(explore.sounds, "\u00dcnder"), "word: expected", "got '\u00dcnder'"),
    (partial(explore.sounds, "w" * 15), "word: expected", f"got '{'w' * 15}'"),
    (partial(explore.spoken, VOICE, ""), "word: expected the letters a to z", "got ''"),
    (partial(explore.spoken, VOICE, 7), "word: expected the letters a to z", "got 7"),
    (partial(explore.sounds_model, 0, 4), "V: expected", "got 0"),
    (partial(explore.blank, 0, 3), "width: expected", "got 0"),
    (partial(modules, "nothing"), "name: 'nothing' is not one of", "one_unit"),
    (partial(page_script, "one_unit"), "explorable: expected Explorable(", "got str"),
    (partial(unpack, {}), "packed: expected a dict with dtype, shape and base64", "got {}"),
]


@pytest.mark.parametrize("call, begins, says", REFUSED)
def test_bad_input_is_refused_by_name(call, begins, says):
    with pytest.raises((TypeError, ValueError)) as refusal:
        call()
    assert str(refusal.value).startswith(begins)
    assert re.search(re.escape(says), str(refusal.value))


def test_the_ends_of_the_ranges_are_accepted():
    for w, first_state, u in ((-3, -1, -1.5), (3, 1, 1.5)):
        data = explore.one_unit(w, first_state, u).data
        assert (data["w"], data["first_state"], data["u"]) == (w, first_state, u)
    last = len(explore.stored_writer().params[1].W_h) - 1
    for temperature, unit, seed in ((0.1, 0, 1), (2, last, 20)):
        assert explore.writer("\n", temperature, unit, seed).data["unit"] == unit
    assert explore.sounds("w" * 14).data["word"] == "w" * 14
    assert explore.reach_path("tanh", 0, explore.reach_draws()[0])[1] == 0
