"""PyTorch, onnxruntime and EpyNN as references: all are given our arrays. Not a test file."""

import importlib
import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnn_tutorial.types import Array

GRID = [  # B, T, D, H, lengths
    (1, 1, 1, 1, [1]),
    (1, 7, 3, 2, [7]),
    (4, 1, 2, 3, [1, 1, 1, 1]),
    (3, 6, 4, 5, [6, 6, 6]),
    (3, 6, 4, 5, [6, 4, 1]),
    (5, 9, 2, 7, [1, 9, 3, 9, 2]),
    (2, 40, 8, 16, [40, 13]),
]


def torch_or_skip() -> Any:
    """Return the torch module, set to one thread; skip the test if it is not installed."""
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)
    return torch


def epynn_or_skip(folder: Path) -> dict[str, Any]:
    """Return EpyNN's LSTM and GRU by name; skip the test if it is not installed.

    The installed package has them in an archive, which is unpacked in `folder`.
    """
    archive = pytest.importorskip("EpyNN")
    with tarfile.open(Path(archive.__file__).with_name("EpyNN.tar")) as tar:
        tar.extractall(folder, filter="data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(folder / "EpyNN"), *sys.path])
        return {
            name: getattr(importlib.import_module(f"epynn.{name.lower()}.models"), name)
            for name in ("LSTM", "GRU")
        }


def reorder_gates(array: Array, order: str, new_order: str) -> Array:
    """Return `array` with the equal blocks of its last axis in `new_order`, such as "ifgo".

    order: the order in which they are now, such as "ifog".
    """
    blocks = dict(zip(order, np.split(array, len(order), axis=-1)))
    return np.concatenate([blocks[gate] for gate in new_order], axis=-1)


def torch_elman(torch: Any, params: Any, nonlinearity: str = "tanh") -> Any:
    """Return `torch.nn.RNN` with our weights: our one bias is the sum of its two."""
    return _torch_cell(
        torch, torch.nn.RNN, params, np.zeros_like(params.b), nonlinearity=nonlinearity
    )


def torch_lstm(torch: Any, params: Any) -> Any:
    """Return `torch.nn.LSTM` with our weights.

    Its gates are in the order i, f, g, o, and our one bias is the sum of its two.
    """
    params = params._replace(
        **{name: reorder_gates(leaf, "ifog", "ifgo") for name, leaf in params._asdict().items()}
    )
    return _torch_cell(torch, torch.nn.LSTM, params, np.zeros_like(params.b))


def torch_gru(torch: Any, params: Any) -> Any:
    """Return `torch.nn.GRU` with our weights.

    Its gates are in our order. Its second bias is b_hn for n, and 0 for r and z.
    """
    zeros = np.zeros(2 * len(params.b_hn), params.b.dtype)
    return _torch_cell(torch, torch.nn.GRU, params, np.concatenate([zeros, params.b_hn]))


def _torch_cell(torch: Any, kind: Any, params: Any, b_h: Array, **options: Any) -> Any:
    """Return a layer of PyTorch with these weights, whose gates have PyTorch's order.

    The rows of its matrices are our columns.
    """
    rnn = kind(
        len(params.W_x), len(params.W_h), dtype=getattr(torch, str(params.b.dtype)), **options
    )
    with torch.no_grad():
        rnn.weight_ih_l0.copy_(torch.tensor(params.W_x.T.copy()))
        rnn.weight_hh_l0.copy_(torch.tensor(params.W_h.T.copy()))
        rnn.bias_ih_l0.copy_(torch.tensor(params.b))
        rnn.bias_hh_l0.copy_(torch.tensor(b_h))
    return rnn


def torch_unroll(
    torch: Any,
    rnn: Any,
    xs: Array,
    state: Any,
    lengths: Sequence[int],
    dhs: Array,
    dlast: Any,
    enforce_sorted: bool = False,
) -> tuple[Array, Any, dict[str, Any]]:
    """Return (hs, last state, gradients) of PyTorch.

    The loss is sum(hs * dhs) plus the sum of last * dlast over the fields of the state. gradients
    has W_x, W_h, b, b_h (the recurrent bias) and xs, in our shapes and PyTorch's order of gates,
    and the State `state`. Sequences of different lengths are packed sequences;
    enforce_sorted: the longest come first, and PyTorch checks it.

    Shapes: state and dlast are our State of (B, H), with h, or with h and c.
    """
    inputs = torch.tensor(xs, requires_grad=True)
    first = [torch.tensor(part[None], requires_grad=True) for part in state]
    packed = torch.nn.utils.rnn.pack_padded_sequence(
        inputs, torch.tensor(lengths), enforce_sorted=enforce_sorted
    )
    packed_hs, last = rnn(packed, first[0] if len(first) == 1 else tuple(first))
    last = [last] if len(first) == 1 else last
    hs, _ = torch.nn.utils.rnn.pad_packed_sequence(packed_hs, total_length=len(inputs))
    loss = (hs * torch.tensor(dhs)).sum()
    for part, dpart in zip(last, dlast):
        loss = loss + (part[0] * torch.tensor(dpart)).sum()
    loss.backward()
    gradients = {
        "W_x": rnn.weight_ih_l0.grad.numpy().T,
        "W_h": rnn.weight_hh_l0.grad.numpy().T,
        "b": rnn.bias_ih_l0.grad.numpy(),
        "b_h": rnn.bias_hh_l0.grad.numpy(),
        "xs": inputs.grad.numpy(),
        "state": type(state)(*(part.grad[0].numpy() for part in first)),
    }
    return hs.detach().numpy(), type(state)(*(part[0].detach().numpy() for part in last)), gradients


def onnx_feed(
    xs: Array, weights: Sequence[Array], state: Any, lengths: Sequence[int] | None = None
) -> dict[str, Array]:
    """Return the inputs of the ONNX operators RNN, LSTM and GRU by name.

    They are X, W, R, B, sequence_lens, initial_h and initial_c. weights: (W_x, W_h, b, b_h) in our
    shapes, with the gates in the order of the operator (LSTM: i, o, f, g; GRU: z, r, n); b_h is its
    second, recurrent bias.

    Shapes: xs is (T, B, D); state is our State of (B, H), with h, or with h and c.
    """
    W_x, W_h, b, b_h = weights
    feed = {"X": xs, "W": W_x.T[None], "R": W_h.T[None], "B": np.concatenate([b, b_h])[None]}
    if lengths is not None:
        feed["sequence_lens"] = np.asarray(lengths, np.int32)
    return feed | {f"initial_{name}": part[None] for name, part in zip(state._fields, state)}


def onnx_run(
    op_type: str, feed: dict[str, Array], outputs: Sequence[str], **attributes: Any
) -> list[Array]:
    """Return the outputs of one node as onnxruntime computes them, in the order of `outputs`.

    feed: the operator's inputs by name (X, W, R, B, sequence_lens, initial_h, initial_c, P); the
    node has only these. attributes: direction, activations, activation_alpha, linear_before_reset,
    input_forget and others; hidden_size is that of R. Skips the test if onnx or onnxruntime is not
    installed.
    """
    onnx, runtime = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")
    h, schema = onnx.helper, onnx.defs.get_schema(op_type)
    feed = {name: np.ascontiguousarray(array) for name, array in feed.items()}
    inputs = [
        h.make_tensor_value_info(n, h.np_dtype_to_tensor_dtype(a.dtype), a.shape)
        for n, a in feed.items()
    ]
    results = [
        h.make_tensor_value_info(name, h.np_dtype_to_tensor_dtype(feed["X"].dtype), None)
        for name in outputs
    ]
    node = h.make_node(
        op_type,
        [slot.name if slot.name in feed else "" for slot in schema.inputs],
        [slot.name if slot.name in outputs else "" for slot in schema.outputs],
        hidden_size=feed["R"].shape[-1],
        **attributes,
    )
    model = h.make_model(
        h.make_graph([node], op_type, inputs, results),
        opset_imports=[h.make_opsetid("", 14)],
        ir_version=8,
    )
    return runtime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    ).run(list(outputs), feed)


def assert_close(name: str, value: Array, reference: Array, rtol: float) -> None:
    """Fail unless max |value - reference| <= rtol * max |reference|.

    This is the measure of `gradient_check.relative_error`.
    """
    scale = np.abs(reference).max(initial=0.0)
    worst = np.abs(value - reference).max(initial=0.0)
    assert value.shape == reference.shape, name
    assert worst <= rtol * scale + 1e-300, (
        f"{name}: off by {worst / max(scale, 1e-300):.1e}, relative"
    )
