"""A character model that writes in the page, one letter at a time (chapter 09).

The network is an embedding, an LSTM and an output for each letter, trained on the books of chapter
05 by `benchmarks/explore_weights.py`. Its weights are stored as float16 and computed in float64, in
the page and here.
"""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rnn_tutorial.cells.lstm import LSTM
from rnn_tutorial.checkpoint import load
from rnn_tutorial.data.stored import read_table, stored_result
from rnn_tutorial.data.text import Vocabulary
from rnn_tutorial.explore.explorable import Explorable, blank
from rnn_tutorial.explore.weights import pack_tree
from rnn_tutorial.layers.core import Dense, Embedding, Recurrent
from rnn_tutorial.layers.layer import Layer
from rnn_tutorial.layers.serial import Serial
from rnn_tutorial.plotting.style import BLUE, visible_symbols
from rnn_tutorial.plotting.text import plot_text
from rnn_tutorial.sequence.trace import trace
from rnn_tutorial.train.losses import softmax
from rnn_tutorial.train.sampling import generate
from rnn_tutorial.tree import tree_cast
from rnn_tutorial.types import Array, Tree
from rnn_tutorial.validation import check_number, check_positive, check_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Writer", "stored_writer", "writer", "writer_model"]

_LIKELIEST = 8
_LONGEST_BEGINNING = 60
_TEMPERATURES, _SEEDS = (0.1, 2.0), (1, 20)  # of the sliders


class Writer(NamedTuple):
    """The trained character model."""

    vocabulary: Vocabulary
    model: Layer  # symbols (T, B) -> logits (T, B, V)
    params: Tree  # float64; each number is one of float16
    bits: float  # per character of held-out text


def writer_model(V: int, D: int, H: int) -> Serial:
    """Return the model: V symbols, D numbers for each, H units.

    Raises: ValueError unless each is a positive whole number.
    """
    V, D, H = (check_positive(name, size) for name, size in (("V", V), ("D", D), ("H", H)))
    return Serial((Embedding(V, D), Recurrent(LSTM, D, H), Dense(H, V)))


def stored_writer() -> Writer:
    """Return the Writer that `benchmarks/explore_weights.py` has trained and stored."""
    (row,) = read_table(stored_result("writer.csv"))
    vocabulary = Vocabulary(row["symbols"])
    model = writer_model(len(vocabulary), row["features"], row["units"])
    like = tree_cast(model.init(np.random.default_rng(0)), np.float16)
    params = tree_cast(load(stored_result("writer.npz"), like), np.float64)
    return Writer(vocabulary, model, params, row["held_out_float16"])


def writer(
    beginning: str = "And God said", temperature: float = 0.6, unit: int = 36, seed: int = 1
) -> Explorable:
    """Return the figure of the network that writes: it goes on from the beginning.

    Raises: ValueError for a beginning that is empty, longer than 60 letters or has one that the
    books do not have; for a temperature outside 0.1 to 2, a unit that the network does not have, or
    a seed outside 1 to 20.

    Source: equation (5.19) for the drawing of a letter, (9.17) for the step of the LSTM.
    """
    network = stored_writer()
    _check_beginning(beginning, network.vocabulary.symbols)
    low, high = _TEMPERATURES
    temperature = check_number("temperature", temperature, at_least=low, at_most=high)
    unit = check_whole("unit", unit, 0, len(network.params[1].W_h) - 1)
    seed = check_whole("seed", seed, *_SEEDS)
    return Explorable(
        name="writer",
        title="The network writes",
        description=(
            "Type a beginning, choose a temperature, and let the network go on. Each letter is "
            "coloured by a gate, the cell or the output of one unit of its LSTM."
        ),
        data={
            "symbols": network.vocabulary.symbols,
            "params": pack_tree(network.params, "float16"),
            "beginning": beginning,
            "longest_beginning": _LONGEST_BEGINNING,
            "temperature": temperature,
            "temperatures": _TEMPERATURES,
            "unit": unit,
            "seed": seed,
            "seeds": _SEEDS,
            "written": 185,
        },
        still=lambda: _still(network, beginning, temperature, unit, seed),
    )


def _check_beginning(beginning: object, symbols: str) -> None:
    """Raise ValueError unless the network can read the beginning."""
    if not isinstance(beginning, str) or not 1 <= len(beginning) <= _LONGEST_BEGINNING:
        wanted = f"a text of 1 to {_LONGEST_BEGINNING} letters"
        raise ValueError(f"beginning: expected {wanted}, got {beginning!r}")
    unknown = next((letter for letter in beginning if letter not in symbols), None)
    if unknown is not None:
        raise ValueError(f"beginning: expected letters out of {symbols!r}, got {unknown!r}")


def written_by(network: Writer, beginning: str, temperature: float, length: int, seed: int) -> str:
    """Return the beginning and `length` letters more, drawn by the package."""
    prompt = network.vocabulary.encode(beginning)[:, None]
    rng = np.random.default_rng(seed)
    drawn = generate(network.model, network.params, rng, prompt, length, temperature)
    return beginning + network.vocabulary.decode(drawn[:, 0])


def _still(network: Writer, beginning: str, temperature: float, unit: int, seed: int) -> "Figure":
    text = written_by(network, beginning, temperature, 230, seed)
    embedding, lstm, _ = network.params
    letters = network.vocabulary.encode(text)[:, None]
    traced, _ = trace(LSTM, lstm, embedding.E[letters], LSTM.initial_state(lstm, 1))
    logits, _, _ = network.model.forward(network.params, letters)
    figure = blank(9.4, 4.0)
    left, right = figure.subplots(1, 2, width_ratios=(3.2, 1))
    cells = traced.states.c[:, 0, unit]
    plot_text(text, cells, width=44, label=f"cell $c_t$ of unit {unit}", ax=left)
    left.set_title(f"temperature {temperature}")
    _bars(softmax(logits[-1], temperature)[0], network.vocabulary.symbols, right)
    return figure


def _bars(probabilities: Array, symbols: str, ax: Any) -> None:
    """Draw the likeliest letters from top to bottom."""
    best = np.argsort(-probabilities, kind="stable")[:_LIKELIEST]
    ax.barh(np.arange(_LIKELIEST), probabilities[best], color=BLUE)
    names = visible_symbols([symbols[k] for k in best], _LIKELIEST)
    ax.set_yticks(np.arange(_LIKELIEST), names, family="DejaVu Sans Mono")
    ax.set(xlim=(0, 1), title="the next letter", xlabel="probability")
    ax.invert_yaxis()
