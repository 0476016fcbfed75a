"""What PyTorch, Keras, ONNX and EpyNN make of weights in their own layout: the reference that chapter 14 reads conventions from.

    python benchmarks/neighbours.py            prints what is asked, and how far each answer is from the stored one
    python benchmarks/neighbours.py --write    trains the network of PyTorch again, and stores all

It needs the judges of pyproject.toml. In results/neighbours.safetensors a name is library, network, array: keras.gru.kernel. The
weights are random, of our own generator, in the shapes and under the names of the library; xs and ys have its order of axes, and
its state begins where it begins by itself. padded_ys is the answer to sequences of LENGTHS, fresh.* a bias that nobody has set.
results/remember.safetensors is the state_dict of a network trained in PyTorch.
"""

import argparse
import importlib
import os
import sys
import tarfile
import tempfile
from pathlib import Path

import numpy as np

from rnn_tutorial.cells import LSTM
from rnn_tutorial.exchange.pytorch import to_pytorch
from rnn_tutorial.exchange.safetensors import from_safetensors, to_safetensors
from rnn_tutorial.gradient_check import relative_error
from rnn_tutorial.layers import Bidirectional, Recurrent, Serial

RESULTS = Path(__file__).resolve().parent / "results"
T, B, D, H = 5, 2, 3, 4
LENGTHS = 5, 3


def random_arrays(seed, shapes):
    """Return a dict of random arrays by name; large enough that no gate is near its middle."""
    rng = np.random.default_rng(seed)
    return {name: 0.8 * rng.standard_normal(shape) for name, shape in shapes.items()}


def random_inputs(seed, order="TBD"):
    """Return xs in the given order of axes."""
    sizes = {"T": T, "B": B, "D": D}
    return np.random.default_rng(100 + seed).standard_normal([sizes[axis] for axis in order])


def named(network, arrays):
    """Return the dict with the name of the network before each name."""
    return {f"{network}.{name}": np.ascontiguousarray(array) for name, array in arrays.items()}


def pytorch_shapes(gates):
    """Return the shapes of the arrays of one layer."""
    return {
        "weight_ih_l0": (gates * H, D),
        "weight_hh_l0": (gates * H, H),
        "bias_ih_l0": (gates * H,),
        "bias_hh_l0": (gates * H,),
    }


def pytorch_answers():
    """Return the answers of torch.nn.LSTM and GRU, and of a deep LSTM in two directions with its gradients; all in float64."""
    import torch

    torch.manual_seed(0)  # of the fresh biases, and of nothing else
    answers = {}
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
        answers |= named(f"pytorch.{network}", arrays | outputs | fresh)
    return answers | named("pytorch.deep", _pytorch_deep(torch))


def _pytorch_deep(torch):
    """Return the arrays, outputs and gradients of two layers in two directions; the loss is sum(ys * dys)."""
    model = Serial([Bidirectional(*[Recurrent(LSTM, size, H)] * 2) for size in (D, 2 * H)])
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


def keras_answers():
    """Return the answers of keras.layers.LSTM and GRU, in float32: its backends compute in it."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    import keras

    answers = {}
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
        answers |= named(f"keras.{network}", arrays | {"xs": xs} | outputs | fresh)
    return answers


def onnx_answers():
    """Return the answers of onnxruntime to the nodes LSTM and GRU, in float32: it has these nodes in no other."""
    answers = {}
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
        answers |= named(f"onnx.{network}", arrays | outputs)
    return answers


def _onnx_node(op_type, feed, options):
    """Return Y (T, B, H) of one node of ONNX that takes everything it is fed."""
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


def epynn_answers():
    """Return the answers of EpyNN's LSTM and GRU, in float64. It keeps U, V and b for every gate."""
    answers = {}
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
        answers |= named(
            f"epynn.{network.lower()}", arrays | {"xs": xs, "ys": layer.forward(xs)} | fresh
        )
    return answers


def _epynn(network):
    """Return the class LSTM or GRU of EpyNN; what pip installs is an archive."""
    import EpyNN

    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(Path(EpyNN.__file__).with_name("EpyNN.tar")) as tar:
            tar.extractall(folder, filter="data")
        sys.path.insert(0, str(Path(folder) / "EpyNN"))
        try:
            return getattr(importlib.import_module(f"epynn.{network.lower()}.models"), network)
        finally:
            sys.path.pop(0)


LIBRARIES = {
    "torch": pytorch_answers,
    "keras": keras_answers,
    "onnxruntime": onnx_answers,
    "EpyNN": epynn_answers,
}


def marked_bits(rng, T, B):
    """Return xs (T, B, 2) and targets (T, B, 1): a stream of bits -1, 1, some of them marked, and the last marked bit so far.

    xs[..., 0] is the bit; xs[..., 1] is 1 where it is marked: at the first step, and at one in eight of the others. A target is
    0 or 1.
    """
    bits, marks = rng.choice([-1.0, 1.0], (T, B)), rng.random((T, B)) < 1 / 8
    marks[0] = True
    last_mark = np.maximum.accumulate(np.where(marks, np.arange(T)[:, None], 0), axis=0)
    targets = np.take_along_axis(bits, last_mark, axis=0) > 0
    return np.stack([bits, marks], axis=-1).astype(np.float32), targets[..., None].astype(
        np.float32
    )


def remember_module():
    """Return a module of PyTorch: an LSTM of 4 units, and a number for every step."""
    import torch

    class Remember(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = torch.nn.LSTM(2, 4)
            self.head = torch.nn.Linear(4, 1)

        def forward(self, xs):
            return self.head(self.lstm(xs)[0])

    return Remember()


def trained_in_pytorch(updates=800):
    """Return the state_dict of the module after Adam at 0.02 on batches of 32 sequences of 24 marked bits."""
    import torch

    torch.manual_seed(0)
    rng, module = np.random.default_rng(0), remember_module()
    optimizer = torch.optim.Adam(module.parameters(), 0.02)
    for _ in range(updates):
        xs, targets = map(torch.tensor, marked_bits(rng, 24, 32))
        loss = torch.nn.functional.binary_cross_entropy_with_logits(module(xs), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return {name: value.numpy() for name, value in module.state_dict().items()}


def answers_of_trained(state_dict):
    """Return what PyTorch answers with these weights to 16 fresh sequences of 40 steps, in float32 and in float64."""
    import torch

    module = remember_module()
    module.load_state_dict({name: torch.tensor(array) for name, array in state_dict.items()})
    xs, targets = marked_bits(np.random.default_rng(1), 40, 16)
    with torch.no_grad():
        ys = module(torch.tensor(xs)).numpy()
        ys_float64 = module.double()(torch.tensor(xs, dtype=torch.float64)).numpy()
    return named(
        "pytorch.remember", {"xs": xs, "targets": targets, "ys": ys, "ys_float64": ys_float64}
    )


def main():
    """Ask all libraries, print how far the answers are from those stored, and store them if told to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--write",
        action="store_true",
        help="train the network of PyTorch again and store everything",
    )
    arguments = parser.parse_args()
    weights = (
        trained_in_pytorch()
        if arguments.write
        else from_safetensors(RESULTS / "remember.safetensors")
    )
    answers = answers_of_trained(weights)
    for library in LIBRARIES.values():
        answers |= library()
    if arguments.write:
        to_safetensors(RESULTS / "remember.safetensors", weights)
        to_safetensors(RESULTS / "neighbours.safetensors", answers)
    stored = from_safetensors(RESULTS / "neighbours.safetensors", like=answers)
    for name, array in answers.items():
        if name.endswith((".ys", ".padded_ys")):
            print(
                f"{name:28} {array.shape!s:14} {array.dtype}   off by {relative_error(array, stored[name]):.0e}"
            )
    right = (answers["pytorch.remember.ys"] > 0) == answers["pytorch.remember.targets"]
    print(f"the network trained in PyTorch answers {right.mean():.1%} of fresh steps right")


if __name__ == "__main__":
    main()
