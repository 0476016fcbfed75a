"""Networks that say where a surname comes from: deeper, noisier, normalised. Chapters 15 and 16.

    python -m benchmarks.surname_readers              prints the table, about a quarter of an hour
    python -m benchmarks.surname_readers --seeds 1    a quick look
    python -m benchmarks.surname_readers --write      also stores it in surname_readers.csv

Each network is trained until the loss on the validation names has not fallen for three passes, and
tested with the weights of its best pass. It needs the extra `data`.
"""

import argparse
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from benchmarks.rows import RESULTS, digits, write_rows
from rnn_tutorial.cells import LSTM, LSTMState, NormLSTM
from rnn_tutorial.data import Vocabulary, bucket_by_length, pad, surnames
from rnn_tutorial.layers import (
    Dense,
    Dropout,
    Embedding,
    Last,
    Layer,
    Recurrent,
    Residual,
    Serial,
    VariationalDropout,
    WeightDrop,
    Zoneout,
)
from rnn_tutorial.train import (
    Batch,
    activation_regularization,
    adam,
    evaluate,
    softmax_cross_entropy,
    temporal_activation_regularization,
)
from rnn_tutorial.tree import tree_add, tree_size
from rnn_tutorial.types import Array, Rng, Tree

PASSES, PATIENCE = 40, 3

Example = tuple[Array, int]
MakeLayer = Callable[[int, int], Layer]  # from the number of inputs and of units


class Names(NamedTuple):
    """The names as letters and the number of their language, in three parts."""

    training: list[Example]
    validation: list[Example]
    test: list[Example]
    symbols: int  # in the vocabulary
    languages: int


class Reader(NamedTuple):
    """A network in two parts: `trunk` gives the states, `head` the logits; alpha is of AR."""

    trunk: Serial
    head: Serial
    alpha: float = 0.0
    beta: float = 0.0  # of TAR


class SurnameRow(NamedTuple):
    """One training run."""

    variant: str
    seed: int  # of the weights, the order of the batches and the noise
    weights: int
    passes: int  # over the training names, until it was stopped
    best: int  # the pass with the lowest validation loss
    test: float  # cross-entropy in nats on the test names, weights of the best pass
    test_last: float  # weights of the last pass
    right: float  # share of the test names in percent, weights of the best pass


def the_names() -> Names:
    """Return the names of the chapters, split as there."""
    pairs = [(name.lower(), language) for name, language in surnames()]
    languages = sorted({language for _, language in pairs})
    vocabulary = Vocabulary.of("".join(name for name, _ in pairs))
    order = np.random.default_rng(12).permutation(len(pairs))
    examples = [(vocabulary.encode(pairs[k][0]), languages.index(pairs[k][1])) for k in order]
    return Names(
        examples[2500:], examples[1500:2500], examples[:1500], len(vocabulary), len(languages)
    )


def as_batch(examples: list[Example]) -> Batch:
    """Return the names as one padded batch."""
    xs, mask = pad([letters for letters, _ in examples])
    return Batch(xs, np.array([language for _, language in examples]), mask)


def batches_of(rng: Rng, examples: list[Example], size: int = 128) -> list[Batch]:
    """Return one pass of batches of names of about one length."""
    lengths = [len(letters) for letters, _ in examples]
    return [as_batch([examples[k] for k in part]) for part in bucket_by_length(rng, lengths, size)]


def plain_lstm(D: int, H: int) -> Layer:
    """Return an LSTM layer without noise."""
    return Recurrent(LSTM, D, H)


def reader(
    names: Names,
    *,
    layer: MakeLayer = plain_lstm,
    depth: int = 2,
    H: int = 32,
    noise: tuple[Layer, ...] = (),
    residual: bool = False,
    alpha: float = 0.0,
    beta: float = 0.0,
) -> Reader:
    """Return a Reader with `depth` layers; `noise` is on every arrow that goes up."""
    parts: list[Layer] = [Embedding(names.symbols, 24), *noise, layer(24, H)]
    for _ in range(depth - 1):
        parts += [*noise, Residual(layer(H, H)) if residual else layer(H, H)]
    return Reader(Serial(parts), Serial((*noise, Last(), Dense(H, names.languages))), alpha, beta)


def zoneout_lstm(D: int, H: int) -> Layer:
    """Return an LSTM layer with zoneout."""
    return Zoneout(LSTM, D, H, LSTMState(h=0.05, c=0.2))


def weight_drop_lstm(D: int, H: int) -> Layer:
    """Return an LSTM layer with half of its recurrent weights dropped."""
    return WeightDrop(LSTM, D, H, 0.5)


def norm_lstm_layer(D: int, H: int) -> Layer:
    """Return a layer of the normalised LSTM."""
    return Recurrent(NormLSTM, D, H)


# how each network differs from two layers of 32 units without noise
VARIANTS: dict[str, dict[str, Any]] = {
    "one layer": {"depth": 1},
    "one layer of 51 units": {"depth": 1, "H": 51},
    "two layers": {},
    "four layers": {"depth": 4},
    "four layers, residual": {"depth": 4, "residual": True},
    "dropout": {"noise": (Dropout(0.2),)},
    "one layer, dropout": {"depth": 1, "noise": (Dropout(0.2),)},
    "one layer of 51 units, dropout": {"depth": 1, "H": 51, "noise": (Dropout(0.2),)},
    "variational dropout": {"noise": (VariationalDropout(0.2),)},
    "zoneout": {"layer": zoneout_lstm},
    "weight dropping": {"layer": weight_drop_lstm},
    "AR": {"alpha": 2.0},
    "TAR": {"beta": 1.0},
    "dropout, weight dropping, AR, TAR": {
        "noise": (Dropout(0.2),),
        "layer": weight_drop_lstm,
        "alpha": 2.0,
        "beta": 1.0,
    },
    "NormLSTM": {"layer": norm_lstm_layer},
    "NormLSTM, dropout": {"layer": norm_lstm_layer, "noise": (Dropout(0.2),)},
}


def penalized_gradient(
    network: Reader, params: tuple[Tree, Tree], batch: Batch, rng: Rng
) -> tuple[Tree, Tree]:
    """Return the gradient of cross-entropy + AR + TAR for both parts of the network."""
    hs, _, trunk_cache = network.trunk.forward(params[0], batch.xs, mask=batch.mask, rng=rng)
    logits, _, head_cache = network.head.forward(params[1], hs, mask=batch.mask, rng=rng)
    _, dlogits = softmax_cross_entropy(logits, batch.targets)
    _, dhs_ar = activation_regularization(hs, network.alpha, mask=batch.mask)
    _, dhs_tar = temporal_activation_regularization(hs, network.beta, mask=batch.mask)
    dhead, dhs, _ = network.head.backward(params[1], head_cache, dlogits)
    dtrunk, _, _ = network.trunk.backward(params[0], trunk_cache, dhs + dhs_ar + dhs_tar)
    return dtrunk, dhead


def surname_row(
    variant: str, seed: int, names: Names, passes: int = PASSES, patience: int = PATIENCE
) -> SurnameRow:
    """Return the row of one network, stopped when validation has not improved for some passes."""
    network = reader(names, **VARIANTS[variant])
    model = Serial((network.trunk, network.head))
    fixed = np.random.default_rng(0)
    validation, test = batches_of(fixed, names.validation), batches_of(fixed, names.test)
    rng, optimizer = np.random.default_rng(seed), adam(0.02)
    params: Any = model.init(rng)
    state, best, best_params, losses = optimizer.init(params), 0, params, []
    for k in range(passes):
        for batch in batches_of(rng, names.training):
            grads = penalized_gradient(network, params, batch, rng)
            change, state = optimizer.update(grads, state)
            params = tree_add(params, change)
        losses.append(evaluate(model, params, validation, softmax_cross_entropy))
        if losses[k] <= losses[best]:
            best, best_params = k, params
        if k - best >= patience:
            break
    tested = [evaluate(model, p, test, softmax_cross_entropy) for p in (best_params, params)]
    return SurnameRow(
        variant,
        seed,
        tree_size(params),
        len(losses),
        best + 1,
        *map(digits, tested),
        digits(100 * share_right(model, best_params, test)),
    )


def share_right(model: Serial, params: Tree, batches: list[Batch]) -> float:
    """Return the share of the names whose language has the largest logit."""
    right = [
        model.forward(params, batch.xs, mask=batch.mask)[0].argmax(axis=-1) == batch.targets
        for batch in batches
    ]
    return float(np.mean(np.concatenate(right)))


def main() -> None:
    """Print the table, and store it with --write."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.surname_readers", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--seeds", type=int, default=5, help="seeds 0, 1, … (default: 5)")
    parser.add_argument("--write", action="store_true", help="store the table")
    arguments = parser.parse_args()
    names, rows = the_names(), []
    for variant in VARIANTS:
        for seed in range(arguments.seeds):
            rows.append(surname_row(variant, seed, names))
            print(*rows[-1], sep="   ", flush=True)
    if arguments.write:
        write_rows(RESULTS / "surname_readers.csv", rows)


if __name__ == "__main__":
    main()
