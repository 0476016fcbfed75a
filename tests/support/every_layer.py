"""Every layer of the package, found by code, built by the names of its fields. Not a test file."""

import dataclasses
import importlib
import inspect
import pkgutil

import rnn_tutorial
from rnn_tutorial.cells import LSTM, LSTMState, MinGRU
from rnn_tutorial.layers import Layer, Recurrent, Seq2Seq, Serial

D = 4  # inputs and outputs of every layer, so that each fits in each place
V = 7  # symbols

FIELDS = {  # what a layer of the package may be made of
    "cell": LSTM,
    "input_size": D,
    "hidden_size": D,
    "output_size": D,
    "vocabulary_size": V,
    "rate": 0.4,
    "rates": LSTMState(0.2, 0.6),
    "every": 3,
    "layer": Recurrent(LSTM, D, D),
    "layers": (Recurrent(LSTM, D, D), Recurrent(LSTM, D, D)),
    "forwards": Recurrent(LSTM, D, D),
    "backwards": Recurrent(LSTM, D, D),
}

OWN = {"LinearRecurrent": {"cell": MinGRU}}  # what only this class may be made of


def layer_classes() -> list[type]:
    """Every public class of rnn_tutorial's modules that is a layer, except the protocol itself.

    A Seq2Seq reads pairs, not arrays: it has tests of its own.
    """
    found = set()
    for module in pkgutil.walk_packages(rnn_tutorial.__path__, "rnn_tutorial."):
        if module.name.split(".")[1] in ("plotting", "exchange"):
            continue
        for _, value in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if value.__module__ != module.name or value in (Layer, Seq2Seq):
                continue
            if issubclass(value, Layer):
                found.add(value)
    return sorted(found, key=lambda kind: kind.__name__)


def build(kind: type):
    """Return a layer of this class.

    A KeyError means that a field without a default is not in FIELDS: add it there.
    """
    needed = [
        field.name
        for field in dataclasses.fields(kind)
        if field.name in FIELDS or field.default is dataclasses.MISSING
    ]
    return kind(**{name: (FIELDS | OWN.get(kind.__name__, {}))[name] for name in needed})


def every_layer() -> dict:
    """One layer of every class of the package, and every wrapper of a stack of layers, by name."""
    layers = {kind.__name__: build(kind) for kind in layer_classes()}
    stack = Serial(
        (Recurrent(LSTM, D, D), layers["Dense"], layers["VariationalDropout"], layers["Zoneout"])
    )
    wrappers = [
        kind
        for kind in layer_classes()
        if any(field.name == "layer" for field in dataclasses.fields(kind))
    ]
    return layers | {
        f"{kind.__name__} of a stack": dataclasses.replace(layers[kind.__name__], layer=stack)
        for kind in wrappers
    }


def reads_symbols(layer) -> bool:
    """Whether a layer takes integers: one with a vocabulary, or a stack that begins with it."""
    return hasattr(layer, "vocabulary_size") or (
        isinstance(layer, Serial) and reads_symbols(layer.layers[0])
    )
