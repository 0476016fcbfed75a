"""The outputs of PyTorch, Keras, ONNX and EpyNN for weights in their own layout, for chapter 19.

    python benchmarks/reference_outputs.py            prints how far each output is from the stored
    python benchmarks/reference_outputs.py --write    trains PyTorch's networks again, stores all

It needs the extra `judges` of pyproject.toml. In neighbours.safetensors, a name is library,
network, array, such as keras.gru.kernel. The weights are random numbers of our own generator, with
the shapes and the names of the library. xs and ys have its order of axes, and the first state is
its default. padded_ys is the output for sequences of LENGTHS. fresh.* is the bias of a new layer,
as the library sets it.

Two networks are trained in PyTorch. remember.safetensors and order.safetensors are their
state_dicts. order.onnx is what torch.onnx.export makes of the second one, without its notes on
which line of which program made each node: they name files of the machine.
"""

import argparse
import importlib
import os
import sys
import tarfile
import tempfile
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rnn_tutorial.cells import LSTM
from rnn_tutorial.data import temporal_order
from rnn_tutorial.exchange.pytorch import to_pytorch
from rnn_tutorial.exchange.safetensors import from_safetensors, to_safetensors
from rnn_tutorial.gradient_check import relative_error
from rnn_tutorial.layers import Bidirectional, Recurrent, Serial
from rnn_tutorial.types import Array, Rng

Arrays = dict[str, Array]

RESULTS = Path(__file__).resolve().parents[1] / "rnn_tutorial" / "results"
T, B, D, H = 5, 2, 3, 4
LENGTHS = 5, 3


def random_arrays(seed: int, shapes: Mapping[str, Sequence[int]]) -> Arrays:
    """Return {name: random array}; the numbers are so large that no gate is near 1/2."""
    rng = np.random.default_rng(seed)
    return {name: 0.8 * rng.standard_normal(shape) for name, shape in shapes.items()}


def random_inputs(seed: int, order: str = "TBD") -> Array:
    """Return random xs with the axes in this order."""
    sizes = {"T": T, "B": B, "D": D}
    return np.random.default_rng(100 + seed).standard_normal([sizes[axis] for axis in order])


def named(network: str, arrays: Arrays) -> Arrays:
    """Return the dict with the name of the network before each name."""
    return {f"{network}.{name}": np.ascontiguousarray(array) for name, array in arrays.items()}


def pytorch_shapes(gates: int) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the arrays of one layer of PyTorch."""
    return {
        "weight_ih_l0": (gates * H, D),
        "weight_hh_l0": (gates * H, H),
        "bias_ih_l0": (gates * H,),
        "bias_hh_l0": (gates * H,),
    }


def pytorch_outputs() -> Arrays:
    """Return the outputs of torch.nn.LSTM and GRU, and of a deep bidirectional LSTM, in float64.

    Those of the deep network include its gradients. Of an LSTM with proj_size there are only the
    weights, to be refused here.
    """
    import torch

    torch.manual_seed(0)  # for the fresh biases only
    outputs_by_name: Arrays = {}
    for seed, (network, kind, gates) in enumerate(
        (("lstm", torch.nn.LSTM, 4), ("gru", torch.nn.GRU, 3))
    ):
        arrays, xs = random_arrays(seed, pytorch_shapes(gates)), torch.tensor(random_inputs(seed))
        rnn = kind(D, H, dtype=torch.float64)
        fresh = {
            f"fresh.{name}": value.numpy().copy()
            for name, value in rnn.state_dict().items()
            if "bias" in name
        }
        rnn.load_state_dict({name: torch.tensor(array) for name, array in arrays.items()})
        packed = torch.nn.utils.rnn.pack_padded_sequence(xs, torch.tensor(LENGTHS))
        padded_ys, _ = torch.nn.utils.rnn.pad_packed_sequence(rnn(packed)[0], total_length=T)
        outputs = {
            "xs": xs.numpy(),
            "ys": rnn(xs)[0].detach().numpy(),
            "padded_ys": padded_ys.detach().numpy(),
        }
        outputs_by_name |= named(f"pytorch.{network}", arrays | outputs | fresh)
    projected = torch.nn.LSTM(D, H, proj_size=2).state_dict()
    shapes = {name: tuple(value.shape) for name, value in projected.items()}
    outputs_by_name |= named("pytorch.projected", random_arrays(7, shapes))
    return outputs_by_name | named("pytorch.deep", _pytorch_deep(torch))


def _pytorch_deep(torch: Any) -> Arrays:
    """Return the weights, outputs and gradients of two bidirectional layers.

    The loss is sum(ys * dys).
    """
    readers = [Recurrent(LSTM, size, H) for size in (D, 2 * H)]
    model = Serial([Bidirectional(reader, reader) for reader in readers])
    shapes = {
        name: array.shape
        for name, array in to_pytorch(model, model.init(np.random.default_rng(0))).items()
    }
    arrays, xs = random_arrays(5, shapes), random_inputs(5)
    dys = np.random.default_rng(6).standard_normal((T, B, 2 * H))
    rnn = torch.nn.LSTM(D, H, num_layers=2, bidirectional=True, dtype=torch.float64)
    rnn.load_state_dict({name: torch.tensor(array) for name, array in arrays.items()})
    ys = rnn(torch.tensor(xs))[0]
    (ys * torch.tensor(dys)).sum().backward()
    gradients = {f"d.{name}": parameter.grad.numpy() for name, parameter in rnn.named_parameters()}
    return arrays | {"xs": xs, "ys": ys.detach().numpy(), "dys": dys} | gradients


def keras_outputs() -> Arrays:
    """Return the outputs of keras.layers.LSTM and GRU in float32, the dtype of its backends."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    import keras

    outputs_by_name: Arrays = {}
    for seed, (network, gates, options) in enumerate(
        (
            ("lstm", 4, {}),
            ("gru", 3, {"reset_after": True}),
            ("gru_before", 3, {"reset_after": False}),
        ),
        start=10,
    ):
        layer = (keras.layers.LSTM if gates == 4 else keras.layers.GRU)(
            H, return_sequences=True, **options
        )
        xs, mask = (
            random_inputs(seed, "BTD").astype(np.float32),
            np.arange(T) < np.array(LENGTHS)[:, None],
        )
        layer.build(xs.shape)
        names = [weight.name for weight in layer.weights]
        fresh = {"fresh.bias": layer.get_weights()[2]}
        arrays = random_arrays(
            seed, {name: tuple(weight.shape) for name, weight in zip(names, layer.weights)}
        )
        arrays = {name: array.astype(np.float32) for name, array in arrays.items()}
        layer.set_weights(list(arrays.values()))
        outputs = {"ys": layer(xs), "padded_ys": layer(xs, mask=keras.ops.convert_to_tensor(mask))}
        outputs = {
            name: keras.ops.convert_to_numpy(keras.ops.stop_gradient(array))
            for name, array in outputs.items()
        }
        outputs_by_name |= named(f"keras.{network}", arrays | {"xs": xs} | outputs | fresh)
    return outputs_by_name


def onnx_outputs() -> Arrays:
    """Return the outputs of onnxruntime for the nodes LSTM and GRU in float32, its only dtype."""
    outputs_by_name: Arrays = {}
    for seed, (network, op_type, gates, options) in enumerate(
        (
            ("lstm", "LSTM", 4, {}),
            ("gru", "GRU", 3, {"linear_before_reset": 1}),
            ("gru_before", "GRU", 3, {}),
        ),
        start=20,
    ):
        shapes = {"W": (1, gates * H, D), "R": (1, gates * H, H), "B": (1, 2 * gates * H)}
        arrays = {
            name: array.astype(np.float32) for name, array in random_arrays(seed, shapes).items()
        }
        xs = random_inputs(seed).astype(np.float32)
        feed = {"X": xs} | arrays
        outputs = {"xs": xs, "ys": _onnx_node(op_type, feed, options)}
        outputs["padded_ys"] = _onnx_node(
            op_type, feed | {"sequence_lens": np.array(LENGTHS, np.int32)}, options
        )
        outputs_by_name |= named(f"onnx.{network}", arrays | outputs)
    return outputs_by_name


def _onnx_node(op_type: str, feed: Arrays, options: Mapping[str, Any]) -> Array:
    """Return the output Y of one node of ONNX with these inputs.

    Shapes: Y is (T, B, H).
    """
    import onnx
    import onnxruntime

    make = onnx.helper
    node = make.make_node(op_type, list(feed), ["Y"], hidden_size=H, **options)
    inputs = [
        make.make_tensor_value_info(n, make.np_dtype_to_tensor_dtype(a.dtype), a.shape)
        for n, a in feed.items()
    ]
    output = make.make_tensor_value_info("Y", onnx.TensorProto.FLOAT, (T, 1, B, H))
    graph = make.make_graph([node], op_type, inputs, [output])
    model = make.make_model(graph, opset_imports=[make.make_opsetid("", 14)], ir_version=7)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(["Y"], feed)[0][:, 0]


def epynn_outputs() -> Arrays:
    """Return the outputs of EpyNN's LSTM and GRU in float64. It has U, V and b for every gate."""
    outputs_by_name: Arrays = {}
    for seed, (network, gates) in enumerate(
        (("LSTM", "ifog"), ("GRU", ("r", "z", "hh"))), start=30
    ):
        layer, xs = _epynn(network)(unit_cells=H, sequences=True), random_inputs(seed, "BTD")
        layer.np_rng = np.random.default_rng(0)
        layer.compute_shapes(xs)
        layer.initialize_parameters()
        fresh = {f"fresh.{name}": layer.p[name] for name in layer.p if name.startswith("b")}
        shapes = {"U": (D, H), "V": (H, H), "b": (1, H)}
        arrays = random_arrays(
            seed, {name + gate: shape for gate in gates for name, shape in shapes.items()}
        )
        layer.p.update(arrays)
        outputs_by_name |= named(
            f"epynn.{network.lower()}", arrays | {"xs": xs, "ys": layer.forward(xs)} | fresh
        )
    return outputs_by_name


def _epynn(network: str) -> Any:
    """Return the class LSTM or GRU of EpyNN, out of the archive that pip installs."""
    import EpyNN

    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(Path(str(EpyNN.__file__)).with_name("EpyNN.tar")) as tar:
            tar.extractall(folder, filter="data")
        sys.path.insert(0, str(Path(folder) / "EpyNN"))
        try:
            return getattr(importlib.import_module(f"epynn.{network.lower()}.models"), network)
        finally:
            sys.path.pop(0)


LIBRARIES: dict[str, Callable[[], Arrays]] = {
    "torch": pytorch_outputs,
    "keras": keras_outputs,
    "onnxruntime": onnx_outputs,
    "EpyNN": epynn_outputs,
}


def marked_bits(rng: Rng, T: int, B: int) -> tuple[Array, Array]:
    """Return (xs, targets): bits of which some are marked, and the last marked bit so far.

    xs[..., 0] is the bit, -1 or 1. xs[..., 1] is 1 where it is marked: at the first step, and at
    one in eight of the others. A target is 0 or 1.

    Shapes: xs is (T, B, 2), targets (T, B, 1).
    """
    bits, marks = rng.choice([-1.0, 1.0], (T, B)), rng.random((T, B)) < 1 / 8
    marks[0] = True
    last_mark = np.maximum.accumulate(np.where(marks, np.arange(T)[:, None], 0), axis=0)
    targets = np.take_along_axis(bits, last_mark, axis=0) > 0
    return np.stack([bits, marks], axis=-1).astype(np.float32), targets[..., None].astype(
        np.float32
    )


def remember_module() -> Any:
    """Return a module of PyTorch: an LSTM of 4 units, with one output at every step."""
    import torch

    class Remember(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm = torch.nn.LSTM(2, 4)
            self.head = torch.nn.Linear(4, 1)

        def forward(self, xs: Any) -> Any:
            return self.head(self.lstm(xs)[0])

    return Remember()


def remember_trained(updates: int = 800) -> Arrays:
    """Return the state_dict of the module, trained on batches of 32 sequences of 24 marked bits."""
    import torch

    rng = np.random.default_rng(0)
    batches = (marked_bits(rng, 24, 32) for _ in range(updates))
    return _trained(
        remember_module, batches, torch.nn.functional.binary_cross_entropy_with_logits, 0.02
    )


def _trained(
    module_of: Callable[[], Any],
    batches: Iterable[tuple[Array, Array]],
    loss: Callable[[Any, Any], Any],
    rate: float,
) -> Arrays:
    """Return the state_dict of a new module after one update of PyTorch's Adam for each batch."""
    import torch

    torch.manual_seed(0)
    module = module_of()
    optimizer = torch.optim.Adam(module.parameters(), rate)
    for xs, targets in batches:
        optimizer.zero_grad()
        loss(module(torch.tensor(xs)), torch.tensor(targets)).backward()
        optimizer.step()
    return {name: value.numpy() for name, value in module.state_dict().items()}


def outputs_of_remember(state_dict: Arrays) -> Arrays:
    """Return PyTorch's outputs with these weights for 16 new sequences of 40 steps.

    ys is float32, ys_float64 is float64.
    """
    import torch

    module = _with_weights(remember_module(), state_dict)
    xs, targets = marked_bits(np.random.default_rng(1), 40, 16)
    with torch.no_grad():
        ys = module(torch.tensor(xs)).numpy()
        ys_float64 = module.double()(torch.tensor(xs, dtype=torch.float64)).numpy()
    return named(
        "pytorch.remember", {"xs": xs, "targets": targets, "ys": ys, "ys_float64": ys_float64}
    )


def ordered_marks(rng: Rng, B: int, T: int = 12) -> tuple[Array, Array]:
    """Return (symbols, targets): sequences of the temporal order task, all of T steps.

    The first mark is at one of the steps 1 to T/3, the second at one of T/2 to T - 3.

    Shapes: symbols is (T, B), targets (B,), both int64.
    """
    xs, targets, _ = temporal_order(rng, B, (T, T), (1, T // 3), (T // 2, T - 3))
    return xs.argmax(axis=-1), targets


def order_module() -> Any:
    """Return a module of PyTorch: Embedding, LSTM and Linear, with one output for a sequence."""
    import torch

    class Order(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = torch.nn.Embedding(8, 5)
            self.lstm = torch.nn.LSTM(5, 16)
            self.head = torch.nn.Linear(16, 4)

        def forward(self, symbols: Any) -> Any:
            ys, _ = self.lstm(self.embedding(symbols))
            return self.head(ys[-1])

    return Order()


def order_trained(updates: int = 600) -> Arrays:
    """Return the state_dict of the module, trained on batches of 32 sequences of 12 steps."""
    import torch

    rng = np.random.default_rng(0)
    batches = (ordered_marks(rng, 32) for _ in range(updates))
    return _trained(order_module, batches, torch.nn.functional.cross_entropy, 0.01)


def outputs_of_order(state_dict: Arrays) -> Arrays:
    """Return PyTorch's outputs with these weights for 16 new sequences, and its gradients.

    logits is float32. d.* are the gradients of the mean cross-entropy in float64.
    """
    import torch

    module = _with_weights(order_module(), state_dict)
    symbols, targets = ordered_marks(np.random.default_rng(1), 16)
    with torch.no_grad():
        logits = module(torch.tensor(symbols)).numpy()
    module = module.double()
    loss = torch.nn.functional.cross_entropy(module(torch.tensor(symbols)), torch.tensor(targets))
    loss.backward()
    gradients = {f"d.{name}": value.grad.numpy() for name, value in module.named_parameters()}
    outputs = {"symbols": symbols, "targets": targets, "logits": logits} | gradients
    return named("pytorch.order", outputs)


def exported_order(state_dict: Arrays) -> bytes:
    """Return the ONNX file that PyTorch's default exporter makes of the module.

    The notes of the exporter on its nodes are left out.
    """
    import onnx
    import torch

    symbols, _ = ordered_marks(np.random.default_rng(1), 2)
    module = _with_weights(order_module(), state_dict).eval()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder) / "order.onnx"
        torch.onnx.export(
            module, (torch.tensor(symbols),), path, dynamo=True, external_data=False, verbose=False
        )
        proto = onnx.load(path)
    graph = proto.graph
    for part in (proto, graph, *graph.node, *graph.value_info, *graph.input, *graph.output):
        del part.metadata_props[:]
    for part in (proto, graph, *graph.node):
        part.doc_string = ""
    return proto.SerializeToString()


def _with_weights(module: Any, state_dict: Arrays) -> Any:
    """Return the module of PyTorch with these weights."""
    import torch

    module.load_state_dict({name: torch.tensor(array) for name, array in state_dict.items()})
    return module


TRAINED = {"remember": remember_trained, "order": order_trained}
OUTPUTS_OF = {"remember": outputs_of_remember, "order": outputs_of_order}


def main() -> None:
    """Run all libraries, print how far the outputs are from the stored ones; store with --write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--write",
        action="store_true",
        help="train the networks of PyTorch again, and store everything",
    )
    arguments = parser.parse_args()
    outputs: Arrays = {}
    for name, train in TRAINED.items():
        path = RESULTS / f"{name}.safetensors"
        if arguments.write:
            to_safetensors(path, train())
        outputs |= OUTPUTS_OF[name](from_safetensors(path))
    for library in LIBRARIES.values():
        outputs |= library()
    if arguments.write:
        to_safetensors(RESULTS / "neighbours.safetensors", outputs)
        order = from_safetensors(RESULTS / "order.safetensors")
        (RESULTS / "order.onnx").write_bytes(exported_order(order))
    stored = from_safetensors(RESULTS / "neighbours.safetensors", like=outputs)
    for name, array in outputs.items():
        if name.endswith((".ys", ".padded_ys", ".logits")):
            error = relative_error(array, stored[name])
            print(f"{name:28} {array.shape!s:14} {array.dtype}   off by {error:.0e}")
    right = (outputs["pytorch.remember.ys"] > 0) == outputs["pytorch.remember.targets"]
    print(f"the network that remembers is right at {right.mean():.1%} of new steps")
    right = outputs["pytorch.order.logits"].argmax(axis=1) == outputs["pytorch.order.targets"]
    print(f"the network of the order of marks is right on {right.mean():.1%} of new sequences")


if __name__ == "__main__":
    main()
