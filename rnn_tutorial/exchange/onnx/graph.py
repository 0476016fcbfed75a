"""An ONNX file as values: its nodes, its arrays, and the node that makes each tensor.

Everything that depends only on the arrays of the file is computed on reading, by ONNX's own
reference: exporters write the reordering of gates, and first states of zeros, as nodes.
"""

from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from typing import Any, NamedTuple

from rnn_tutorial.exchange.layout import ExchangeError, library, refuse
from rnn_tutorial.types import Array

__all__ = [
    "Graph",
    "Node",
    "evaluate",
    "moved_from",
    "read_graph",
    "sources_of",
    "try_to_evaluate",
]

# The operators that only move the numbers of their first input.
MOVED = {
    "Squeeze",
    "Unsqueeze",
    "Transpose",
    "Reshape",
    "Slice",
    "Identity",
    "SplitToSequence",
    "SequenceAt",
}
# The operators that are computed on reading, where their inputs are known.
COMPUTED = MOVED | {
    "Concat",
    "Gather",
    "Shape",
    "Expand",
    "ConstantOfShape",
    "Cast",
    "Mul",
    "MatMul",
    "Add",
}
KNOWN = COMPUTED | {"RNN", "LSTM", "GRU", "Gemm", "Dropout", "ReverseSequence", "Tanh", "Relu"}


class Node(NamedTuple):
    """One node of the graph."""

    op_type: str
    name: str
    inputs: list[str]  # names of tensors, "" for one that is left out
    outputs: list[str]
    attributes: dict[str, Any]
    proto: Any  # the protobuf of the file


class Graph(NamedTuple):
    """The content of a file."""

    path: Any
    nodes: list[Node]  # in the order of the file: each after those whose tensors it takes
    makers: dict[str, Node]  # for each tensor that is computed, the Node that makes it
    arrays: dict[str, Array]  # the weights and constants, by name
    inputs: dict[str, list[int | None]]  # the sizes of the caller's tensors, None for any size
    output: str
    opsets: list[Any]


def read_graph(path: str | PathLike[str]) -> Graph:
    """Return the Graph of the ONNX file `path`.

    Raises: ImportError without the library onnx; ExchangeError for a file that is not an ONNX file,
    or has anything unknown, missing or surplus; FileNotFoundError and the like as `open` does.
    """
    proto = _load(path)
    outputs = [entry.name for entry in proto.graph.output]
    if len(outputs) != 1:
        raise ExchangeError(
            f"{path}: expected a network with one output, got {', '.join(outputs) or 'none'}"
        )
    graph = _graph(path, proto, outputs[0])
    refuse(path, _unknown(graph) + _missing(graph) + _surplus(graph))
    onnx = library("onnx")
    try:
        onnx.checker.check_model(proto)
    except onnx.checker.ValidationError as error:
        raise ExchangeError(f"{path} is no valid ONNX file: {error}") from error
    return _computed(graph)


def evaluate(graph: Graph, names: Sequence[str], given: Mapping[str, Array]) -> list[Array]:
    """Return the tensors `names`, computed from the tensors `given` and the arrays of the file.

    Raises: ExchangeError if they need anything else, or the reference of ONNX cannot compute them.
    """
    onnx = library("onnx")
    nodes, used = _leading_to(graph, names, given)
    if missing := sorted(
        used
        - given.keys()
        - graph.arrays.keys()
        - {name for node in nodes for name in node.outputs}
    ):
        raise ExchangeError(
            f"{graph.path}: {', '.join(missing)} is not known before the network runs"
        )
    h, entries = onnx.helper, [onnx.ValueInfoProto(name=name) for name in names]
    inputs = [
        h.make_tensor_value_info(name, h.np_dtype_to_tensor_dtype(array.dtype), None)
        for name, array in given.items()
    ]
    known = sorted(used & graph.arrays.keys() - given.keys())
    arrays = [onnx.numpy_helper.from_array(graph.arrays[name], name) for name in known]
    part = h.make_graph([node.proto for node in nodes], "part", inputs, entries, arrays)
    try:
        reference = library("onnx.reference").ReferenceEvaluator(
            h.make_model(part, opset_imports=graph.opsets)
        )
        return reference.run(names, given)
    except Exception as error:  # almost any, for sizes that do not fit
        raise ExchangeError(
            f"{graph.path}: {', '.join(names)} cannot be computed: {error}"
        ) from error


def try_to_evaluate(
    graph: Graph, names: Sequence[str], given: Mapping[str, Array]
) -> list[Array] | None:
    """Return what `evaluate` returns, or None where it raises ExchangeError."""
    try:
        return evaluate(graph, names, given)
    except ExchangeError:
        return None


def moved_from(graph: Graph, name: str) -> str:
    """Return the name of the tensor whose numbers the tensor `name` has, moved but not changed."""
    while name in graph.makers and graph.makers[name].op_type in MOVED:
        name = graph.makers[name].inputs[0]
    return name


def sources_of(graph: Graph, name: str) -> list[str]:
    """Return the names of the tensors that the numbers of the tensor `name` are taken from.

    Numbers are moved, taken by an index, or put together from several tensors, but not changed.
    Each tensor comes once.
    """
    node = graph.makers.get(name)
    moved = node is not None and node.op_type in MOVED | {"Gather", "Concat"}
    if node is None or not moved or node.inputs[0] in graph.arrays:
        return [name]
    within = node.inputs if node.op_type == "Concat" else node.inputs[:1]
    return list(dict.fromkeys(source for part in within for source in sources_of(graph, part)))


def _load(path: str | PathLike[str]) -> Any:
    """Return the protobuf of a file."""
    onnx = library("onnx")
    try:
        return onnx.load(path)
    except OSError:
        raise
    except Exception as error:  # almost any, for a foreign or damaged file
        raise ExchangeError(
            f"{path} is no ONNX file, or a damaged one: {type(error).__name__}: {error}"
        ) from error


def _graph(path: str | PathLike[str], proto: Any, output: str) -> Graph:
    """Return the Graph of a protobuf, its constants among its arrays."""
    onnx = library("onnx")
    try:
        nodes = [_node(onnx, node) for node in proto.graph.node]
        arrays = {
            array.name: onnx.numpy_helper.to_array(array) for array in proto.graph.initializer
        }
    except Exception as error:
        raise ExchangeError(
            f"{path} is no ONNX file, or a damaged one: {type(error).__name__}: {error}"
        ) from error
    arrays |= {node.outputs[0]: node.attributes["value"] for node in nodes if _is_constant(node)}
    nodes = [node for node in nodes if not _is_constant(node)]
    makers = {name: node for node in nodes for name in node.outputs if name}
    inputs = {entry.name: _sizes(entry) for entry in proto.graph.input if entry.name not in arrays}
    return Graph(path, nodes, makers, arrays, inputs, output, list(proto.opset_import))


def _sizes(entry: Any) -> list[int | None]:
    """Return the sizes of an input as the file has them, None for one that is free."""
    return [
        axis.dim_value if axis.HasField("dim_value") else None
        for axis in entry.type.tensor_type.shape.dim
    ]


def _node(onnx: Any, node: Any) -> Node:
    """Return a Node; its attributes always have `activations`, a list of strings."""
    attributes = {entry.name: onnx.helper.get_attribute_value(entry) for entry in node.attribute}
    for name, value in attributes.items():
        if isinstance(value, onnx.TensorProto):
            attributes[name] = onnx.numpy_helper.to_array(value)
        if isinstance(value, bytes):
            attributes[name] = value.decode()
    names = [value.decode() for value in attributes.get("activations", [])]
    op_type = node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}.{node.op_type}"
    name = node.name or node.output[0]
    return Node(
        op_type,
        name,
        list(node.input),
        list(node.output),
        attributes | {"activations": names},
        node,
    )


def _is_constant(node: Node) -> bool:
    return node.op_type == "Constant" and "value" in node.attributes


def _unknown(graph: Graph) -> list[str]:
    """Return a message for each operator that is not known here."""
    return [
        f"{node.name} is a {node.op_type}, unknown here"
        for node in graph.nodes
        if node.op_type not in KNOWN
    ]


def _missing(graph: Graph) -> list[str]:
    """Return a message for each tensor that is not there, or is made only after it is needed."""
    known = graph.inputs.keys() | graph.arrays.keys() | {""}
    faults: list[str] = []
    for node in graph.nodes:
        faults += [
            f"{name}, which {node.name} takes, is missing"
            for name in node.inputs
            if name not in known
        ]
        known |= set(node.outputs)
    return faults + [
        f"{name}, the output, is missing" for name in [graph.output] if name not in known
    ]


def _surplus(graph: Graph) -> list[str]:
    """Return a message for each node and array that does not lead to the output."""
    nodes, used = _leading_to(graph, [graph.output], {})
    outputs = {name for node in nodes for name in node.outputs}
    idle = [node.name for node in graph.nodes if not outputs.intersection(node.outputs)]
    return [f"{name} is surplus" for name in [*idle, *sorted(graph.arrays.keys() - used)]]


def _leading_to(
    graph: Graph, names: Iterable[str], given: Iterable[str]
) -> tuple[list[Node], set[str]]:
    """Return (nodes in order, all tensors that they take) between `given` and `names`."""
    used = set(names)
    nodes: list[Node] = []
    for node in reversed(graph.nodes):
        if used.difference(given).intersection(node.outputs):
            nodes.append(node)
            used |= set(node.inputs)
    return nodes[::-1], used - {""}


def _computed(graph: Graph) -> Graph:
    """Return the Graph in which every tensor that depends only on arrays is an array.

    It has only the arrays that its nodes take.
    """
    known = graph.arrays.keys() | {""}
    idle: list[Node] = []
    for node in graph.nodes:
        if node.op_type in COMPUTED and known.issuperset(node.inputs):
            known |= set(node.outputs)
            idle.append(node)
    nodes = [node for node in graph.nodes if not known.issuperset(node.outputs)]
    taken = {graph.output, *(name for node in nodes for name in node.inputs)}
    wanted = [name for node in idle for name in node.outputs if name in taken]
    arrays = graph.arrays | (dict(zip(wanted, evaluate(graph, wanted, {}))) if wanted else {})
    makers = {name: node for node in nodes for name in node.outputs if name}
    return graph._replace(
        nodes=nodes, makers=makers, arrays={name: arrays[name] for name in arrays if name in taken}
    )
