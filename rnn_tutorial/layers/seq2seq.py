"""An encoder–decoder: one network reads a sequence, another writes one from what it was handed.

    memory, last = encoder(source)                   (S, B, M), the encoder's outputs and state
    first = bridge(last)                             the decoder's first state
    queries = decoder(prefix, first)                 (T, B, H)
    logits = output(readout(queries, memory))        (T, B, V)

The prefix is what the decoder has before each step: a start symbol, then the right symbols, one
step late. That it is given the right ones in training, and not its own, is teacher forcing.

Backward, the order is turned. What was the decoder's first state is the encoder's last one: the
gradient `dfirst` that the decoder returns is the `dlast` that the encoder is given.

Source: Sutskever, Vinyals and Le (2014), "Sequence to sequence learning with neural networks"; Cho
et al. (2014), "Learning phrase representations using RNN encoder–decoder".
"""

from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from rnn_tutorial.layers.bridge import Bridge
from rnn_tutorial.layers.layer import Layer, made_of_layers
from rnn_tutorial.layers.readout import Readout
from rnn_tutorial.tree import tree_map
from rnn_tutorial.types import Array, Mask, Rng
from rnn_tutorial.validation import check_array, check_fields, check_kind, check_mask

__all__ = [
    "Pair",
    "Seq2Seq",
    "Seq2SeqCache",
    "Seq2SeqParams",
    "Writing",
]


class Pair(NamedTuple):
    """What an encoder–decoder reads: a sequence, and the prefix of the one that it has to write.

    The mask is that of the source. The prefix needs none: a step after the end of a sequence comes
    after all that count.
    """

    source: Array  # (S, B), integers
    prefix: Array  # (T, B), integers: the start symbol, then all symbols but the last
    mask: Mask | None = None  # (S, B), True on real steps


class Seq2SeqParams(NamedTuple):
    """The parameters of the five parts."""

    encoder: Any
    bridge: Any
    decoder: Any
    readout: Any
    output: Any


class Seq2SeqCache(NamedTuple):
    """What `Seq2Seq` keeps for its backward: the caches of the five parts."""

    encoder: Any
    bridge: Any
    decoder: Any
    readout: Any
    output: Any


class Writing(NamedTuple):
    """Where the decoder is: all that the next step needs, one row for each sequence."""

    state: Any  # of the decoder, arrays (B, ...)
    memory: Array  # (S, B, M)
    mask: Mask | None  # (S, B)

    def rows(self, rows: Array) -> "Writing":
        """Return the rows with these numbers; a number may come twice, as in a beam search.

        Shapes: rows (N,), integers.
        """
        mask = None if self.mask is None else self.mask[:, rows]
        return self.states(rows)._replace(memory=self.memory[:, rows], mask=mask)

    def states(self, rows: Array) -> "Writing":
        """Return the states of these rows, with the memory and the mask as they are.

        It is `rows` without a copy of the memory, where each row is replaced by one of the same
        sequence, as in a beam search once all beginnings are there.

        Shapes: rows (B,), integers.
        """
        return self._replace(state=tree_map(lambda leaf: leaf[rows], self.state))


@made_of_layers("encoder", "decoder", "output")
@dataclass(frozen=True)
class Seq2Seq:
    """An encoder–decoder. `train` takes it as it takes a layer; its inputs are a `Pair`.

    encoder   a layer over the source, such as Serial((Embedding, Bidirectional(…)))
    bridge    HandOver(), or AffineBridge(2 * H, H)
    decoder   a layer over the prefix that can carry its state on, such as
              Serial((Embedding, Recurrent(GRU, …)))
    readout   Plain(), or an Attention
    output    a layer that scores symbols, such as Dense(H, V)

    Shapes: Pair of source (S, B) and prefix (T, B); logits (T, B, V).

    Raises: TypeError for parts that are not a layer, a Bridge or a Readout.
    """

    encoder: Layer
    bridge: Bridge
    decoder: Layer
    readout: Readout
    output: Layer

    def __post_init__(self) -> None:
        for name, part, kind in (
            ("bridge", self.bridge, Bridge),
            ("readout", self.readout, Readout),
        ):
            if not isinstance(part, kind) or isinstance(part, (type, Layer)):
                raise TypeError(f"{name}: expected a {kind.__name__}, got {part!r}")

    def init(self, rng: Rng) -> Seq2SeqParams:
        """Return Seq2SeqParams, drawn in this order from one rng."""
        return Seq2SeqParams(
            *(
                part.init(rng)
                for part in (self.encoder, self.bridge, self.decoder, self.readout, self.output)
            )
        )

    def forward(
        self,
        params: Any,
        pair: Any,
        state: Any = None,
        *,
        mask: Mask | None = None,
        rng: Rng | None = None,
    ) -> tuple[Array, tuple[()], Seq2SeqCache]:
        """Return (logits, (), cache).

        state and mask are those of the layer protocol, and must be None: the mask is in the Pair.

        Raises: TypeError or ValueError for anything that is not a Pair of one batch; what the parts
        raise.
        """
        check_fields("params", params, *Seq2SeqParams._fields)
        if state is not None or mask is not None:
            raise TypeError("state, mask: expected None, since the mask of the source is in Pair")
        check_pair(pair)
        memory, last, encoder = self.encoder.forward(
            params.encoder, pair.source, mask=pair.mask, rng=rng
        )
        like = self.decoder.initial_state(params.decoder, pair.source.shape[1])
        first, bridge = self.bridge.forward(params.bridge, last, like)
        queries, _, decoder = self.decoder.forward(params.decoder, pair.prefix, first, rng=rng)
        ys, readout = self.readout.forward(params.readout, queries, memory, pair.mask)
        logits, _, output = self.output.forward(params.output, ys, rng=rng)
        return logits, (), Seq2SeqCache(encoder, bridge, decoder, readout, output)

    def backward(
        self, params: Any, cache: Seq2SeqCache, dlogits: Array, dstate: Any = None
    ) -> tuple[Seq2SeqParams, None, tuple[()]]:
        """Return (dparams, None, ()): symbols have no gradient.

        The encoder has two gradients: of its outputs, from the readout, and of its last state, from
        the bridge.
        """
        doutput, dys, _ = self.output.backward(params.output, cache.output, dlogits)
        dys = cast(Array, dys)  # the output layer reads numbers, so they have a gradient
        dreadout, dqueries, dmemory = self.readout.backward(params.readout, cache.readout, dys)
        ddecoder, _, dfirst = self.decoder.backward(params.decoder, cache.decoder, dqueries)
        dbridge, dlast = self.bridge.backward(params.bridge, cache.bridge, dfirst)
        dencoder, _, _ = self.encoder.backward(params.encoder, cache.encoder, dmemory, dlast)
        return Seq2SeqParams(dencoder, dbridge, ddecoder, dreadout, doutput), None, ()

    def initial_state(self, params: Any, batch_size: int) -> tuple[()]:
        """Return (): it has no state of its own, since each source is read anew."""
        return ()

    def start(self, params: Any, source: Array, mask: Mask | None = None) -> Writing:
        """Return the Writing before the first symbol: the source is read.

        Shapes: source (S, B), integers; mask (S, B).

        Raises: as in `forward`.
        """
        memory, last, _ = self.encoder.forward(params.encoder, source, mask=mask)
        like = self.decoder.initial_state(params.decoder, source.shape[1])
        first, _ = self.bridge.forward(params.bridge, last, like)
        return Writing(first, memory, mask)

    def write(self, params: Any, symbols: Array, writing: Writing) -> tuple[Array, Writing]:
        """Return (logits, the next Writing) after one more symbol of each sequence.

        Shapes: symbols (B,), integers; logits (B, V).

        Raises: as in `forward`.
        """
        check_array("symbols", symbols, B=writing.memory.shape[1])
        queries, state, _ = self.decoder.forward(params.decoder, symbols[None], writing.state)
        ys, _ = self.readout.forward(params.readout, queries, writing.memory, writing.mask)
        logits, _, _ = self.output.forward(params.output, ys)
        return logits[0], writing._replace(state=state)


def check_pair(pair: Any) -> None:
    """Raise an error unless `pair` is a Pair whose arrays have one number of sequences.

    Raises: TypeError for anything else, or a mask that is not boolean; ValueError for other shapes.
    """
    check_kind("xs", pair, Pair)
    check_array("source", pair.source, S=None, B=None)
    check_array("prefix", pair.prefix, T=None, B=pair.source.shape[1])
    if pair.mask is not None:
        check_mask(pair.mask, *pair.source.shape)
