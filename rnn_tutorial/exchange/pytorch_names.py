"""The names in a state_dict of torch.nn.RNN, LSTM and GRU, such as bias_hh_l1_reverse.

Other names belong to networks that do not exist here, and the errors say which.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from rnn_tutorial.exchange.layout import ExchangeError
from rnn_tutorial.types import Array

__all__ = [
    "BIASES",
    "WEIGHTS",
    "depth_of",
    "names_of",
    "shapes_of",
    "sizes_of",
    "without_counterpart",
]

WEIGHTS, BIASES = ("weight_ih", "weight_hh"), ("bias_ih", "bias_hh")


def depth_of(arrays: Iterable[str]) -> int:
    """Return the number of layers that the names belong to."""
    return 1 + max(int(number) for name in arrays for number in re.findall(r"_l(\d+)", name))


def without_counterpart(named: Iterable[str], prefix: str = "") -> list[str]:
    """Return a message for each kind of arrays that do not exist here, found by their names.

    Only the names that begin with the prefix count.
    """
    kinds = {
        r"weight_hr_l\d+(_reverse)?": (
            "the projection of an LSTM with proj_size, which no cell here has"
        ),
        r"weight_.*_(g|v|u|orig)|parametrizations\..*": (
            "a part of a parametrization such as weight_norm; "
            "torch.nn.utils.parametrize.remove_parametrizations, "
            "or torch.nn.utils.remove_weight_norm, gives back the weights"
        ),
        "|".join(WEIGHTS + BIASES): (
            "of an RNNCell, LSTMCell or GRUCell, one step; "
            "the names here are those of RNN, LSTM and GRU, which end in _l0"
        ),
    }
    found = {
        words: [name for name in named if re.fullmatch(f"{re.escape(prefix)}({pattern})", name)]
        for pattern, words in kinds.items()
    }
    return [f"{', '.join(sorted(names))}: {words}" for words, names in found.items() if names]


def names_of(depth: int, suffix: str) -> list[str]:
    """Return the names of the four arrays of one direction of a layer."""
    return [f"{name}_l{depth}{suffix}" for name in WEIGHTS + BIASES]


def sizes_of(arrays: Mapping[str, Array]) -> tuple[int, int]:
    """Return (D, H) from the first layer's matrices.

    Raises: ExchangeError for a state_dict without them.
    """
    matrices = [arrays[name] for name in ("weight_ih_l0", "weight_hh_l0") if name in arrays]
    if [matrix.ndim for matrix in matrices] != [2, 2]:
        found = (
            ", ".join(f"{name} {array.shape}" for name, array in sorted(arrays.items()))
            or "nothing"
        )
        wanted = "the matrices weight_ih_l0 and weight_hh_l0"
        raise ExchangeError(f"state_dict: expected {wanted}, got {found}; see `prefix`")
    return matrices[0].shape[1], matrices[1].shape[1]


def shapes_of(
    D: int, H: int, depth: int, suffixes: Sequence[str], gates: int
) -> dict[str, tuple[int, ...]]:
    """Return the shapes by name that PyTorch gives a network of these sizes."""
    shapes: dict[str, tuple[int, ...]] = {}
    for k in range(depth):
        rows: list[tuple[int, ...]] = [
            (gates * H, D if k == 0 else len(suffixes) * H),
            (gates * H, H),
            (gates * H,),
            (gates * H,),
        ]
        for suffix in suffixes:
            shapes.update(zip(names_of(k, suffix), rows))
    return shapes
