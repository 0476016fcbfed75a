"""A network that reads words aloud in the page, and shows where it looks (chapter 21).

The network is that of chapter 21 with fewer units, trained by `benchmarks/explore_weights.py`. Its
weights are stored as float16 and computed in float64, in the page and here.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rnn_tutorial.cells.gru import GRU
from rnn_tutorial.checkpoint import load
from rnn_tutorial.data.stored import read_table, stored_result
from rnn_tutorial.data.text import Vocabulary
from rnn_tutorial.decoding.greedy import greedy_search
from rnn_tutorial.decoding.hypothesis import step_of
from rnn_tutorial.explore.explorable import Explorable, blank
from rnn_tutorial.explore.weights import pack_tree
from rnn_tutorial.layers.attention import Attention
from rnn_tutorial.layers.bidirectional import Bidirectional
from rnn_tutorial.layers.bridge import AffineBridge
from rnn_tutorial.layers.core import Dense, Embedding, Recurrent
from rnn_tutorial.layers.scores import general
from rnn_tutorial.layers.seq2seq import Pair, Seq2Seq
from rnn_tutorial.layers.serial import Serial
from rnn_tutorial.plotting.alignment import plot_alignment
from rnn_tutorial.tree import tree_cast
from rnn_tutorial.types import Array, Tree
from rnn_tutorial.validation import check_positive

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXAMPLES", "Sounds", "Spoken", "sounds", "sounds_model", "spoken", "stored_sounds"]

LETTERS = Vocabulary("abcdefghijklmnopqrstuvwxyz")
START, END = 0, 1  # the phones come after them
MAX_LENGTH = 20  # of what the network says
LONGEST_WORD = 14  # that can be typed
TRIES = ["symphony", "knobs", "nightlife", "execute", "hat", "hate"]  # the first four are held out

EXAMPLES = {
    "AA": "f[a]ther",
    "AE": "c[a]t",
    "AH": "c[u]p",
    "AO": "l[aw]",
    "AW": "c[ow]",
    "AY": "t[i]me",
    "B": "[b]ook",
    "CH": "[ch]in",
    "D": "[d]ay",
    "DH": "[th]is",
    "EH": "b[e]d",
    "ER": "b[ir]d",
    "EY": "d[ay]",
    "F": "[f]ish",
    "G": "[g]o",
    "HH": "[h]at",
    "IH": "s[i]t",
    "IY": "s[ee]",
    "JH": "[j]ob",
    "K": "[k]ey",
    "L": "[l]eg",
    "M": "[m]an",
    "N": "[n]o",
    "NG": "si[ng]",
    "OW": "b[oa]t",
    "OY": "b[oy]",
    "P": "[p]en",
    "R": "[r]ed",
    "S": "[s]un",
    "SH": "[sh]ip",
    "T": "[t]en",
    "TH": "[th]in",
    "UH": "b[oo]k",
    "UW": "t[oo]",
    "V": "[v]an",
    "W": "[w]e",
    "Y": "[y]es",
    "Z": "[z]oo",
    "ZH": "vi[si]on",
}
"""A word for each phone; the letters that make the phone are in brackets."""


class Sounds(NamedTuple):
    """The trained network that reads words aloud."""

    names: tuple[str, ...]  # of the symbols: start, end and the phones
    model: Seq2Seq
    params: Tree  # float64; each number is one of float16
    phone_error: float  # of held-out words, greedy
    word_error: float


class Spoken(NamedTuple):
    """What the network says for a word, T symbols, the last of which is the end."""

    phones: tuple[str, ...]
    weights: Array  # (T, S): where it looked for each
    logits: Array  # (T, V)


def sounds_model(V: int, units: int) -> Seq2Seq:
    """Return the network of chapter 21 for V symbols: letters in, phones out.

    Raises: ValueError unless both are positive whole numbers.
    """
    V, units = check_positive("V", V), check_positive("units", units)
    size = units // 2
    both_ways = Bidirectional(Recurrent(GRU, size, units), Recurrent(GRU, size, units))
    return Seq2Seq(
        encoder=Serial((Embedding(len(LETTERS), size), both_ways)),
        bridge=AffineBridge(2 * units, units),
        decoder=Serial((Embedding(V, size), Recurrent(GRU, size, units))),
        readout=Attention(general, units, 2 * units),
        output=Dense(3 * units, V),
    )


def stored_sounds() -> Sounds:
    """Return the Sounds that `benchmarks/explore_weights.py` has trained and stored."""
    (row,) = read_table(stored_result("sounds.csv"))
    names = "start", "end", *row["names"].split()
    model = sounds_model(len(names), row["units"])
    like = tree_cast(model.init(np.random.default_rng(0)), np.float16)
    params = tree_cast(load(stored_result("sounds.npz"), like), np.float64)
    return Sounds(names, model, params, row["phones_float16"], row["words_float16"])


def spoken(network: Sounds, word: str) -> Spoken:
    """Return what the network says: the likeliest phone at each step, up to the end.

    Raises: ValueError for an empty word, or one with anything but the letters a to z.
    """
    _check_word(word, "the letters a to z", len(word) if isinstance(word, str) else 0)
    source = LETTERS.encode(word)[:, None]
    step = step_of(network.model, network.params)
    writing = network.model.start(network.params, source)
    ((found,),) = greedy_search(step, writing, START, END, MAX_LENGTH)
    prefix = np.array([START, *found.symbols])[:, None]
    logits, _, cache = network.model.forward(network.params, Pair(source, prefix))
    phones = tuple(network.names[k] for k in (*found.symbols, END))
    return Spoken(phones, cache.readout.weights[:, 0], logits[:, 0])


def sounds(word: str = "symphony") -> Explorable:
    """Return the figure of the network that reads aloud: it reads any word that is typed.

    Raises: ValueError for a word with anything but 1 to 14 of the letters a to z.

    Source: equations (21.2), (21.3) and (21.11).
    """
    _check_word(word, f"1 to {LONGEST_WORD} of the letters a to z", LONGEST_WORD)
    network = stored_sounds()
    return Explorable(
        name="sounds",
        title="Letters to sounds",
        description=(
            "Type a word: the network says its sounds, and the squares show how much each sound "
            "looked at each letter."
        ),
        data={
            "names": list(network.names),
            "examples": EXAMPLES,
            "params": pack_tree(network.params, "float16"),
            "longest": MAX_LENGTH,
            "longest_word": LONGEST_WORD,
            "word": word,
            "tries": TRIES,
        },
        still=lambda: _still(network, word),
    )


def _check_word(word: object, wanted: str, longest: int) -> None:
    if (
        not isinstance(word, str)
        or not 1 <= len(word) <= longest
        or not set(word) <= set(LETTERS.symbols)
    ):
        raise ValueError(f"word: expected {wanted}, got {word!r}")


def _still(network: Sounds, word: str) -> "Figure":
    said = spoken(network, word)
    figure = blank(1.6 + 0.5 * len(word), 1.2 + 0.45 * len(said.phones))
    plot_alignment(said.weights, word, said.phones, ax=figure.subplots())
    return figure
