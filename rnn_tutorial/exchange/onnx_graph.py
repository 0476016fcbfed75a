"""An ONNX file as plain values: its nodes, its arrays, and by which node each tensor is made."""

from typing import Any, NamedTuple

from rnn_tutorial.exchange.layout import ExchangeError, refuse

KNOWN = {"RNN", "LSTM", "GRU", "Squeeze", "Transpose", "Reshape", "MatMul", "Add", "Gemm", "Gather", "ReverseSequence", "Cast"}
KNOWN |= {"Identity", "Dropout"}
KNOWN |= {"Shape", "Slice", "Expand", "ConstantOfShape", "Concat", "Unsqueeze"}  # first states of zeros are made of these


class Node(NamedTuple):
    """One node of the graph."""

    op_type: str
    name: str
    inputs: list  # names of tensors, "" for one that is left out
    outputs: list
    attributes: dict


class Graph(NamedTuple):
    """What a file holds."""

    path: Any
    nodes: list  # in the order of the file: each after those whose tensors it takes
    makers: dict  # for each tensor that is computed, the Node that makes it
    arrays: dict  # the tensors that are given, weights and constants, by name
    inputs: set  # the names of what the caller gives
    output: str


def read_graph(onnx, path):
    """Return the Graph of a file, or refuse one that is no ONNX file or has anything unknown, missing or surplus."""
    try:
        proto = onnx.load(path)
        nodes = [_node(onnx, node) for node in proto.graph.node]
        arrays = {array.name: onnx.numpy_helper.to_array(array) for array in proto.graph.initializer}
    except OSError:
        raise
    except Exception as error:  # a foreign or damaged file makes the reader raise almost anything
        raise ExchangeError(f"{path} is no ONNX file, or a damaged one: {type(error).__name__}: {error}") from error
    outputs = [entry.name for entry in proto.graph.output]
    if len(outputs) != 1:
        raise ExchangeError(f"{path}: expected a network with one output, got {', '.join(outputs) or 'none'}")
    arrays |= {node.outputs[0]: node.attributes["value"] for node in nodes if _is_constant(node)}
    nodes = [node for node in nodes if not _is_constant(node)]
    makers = {name: node for node in nodes for name in node.outputs if name}
    graph = Graph(path, nodes, makers, arrays, {entry.name for entry in proto.graph.input} - arrays.keys(), outputs[0])
    refuse(path, _unknown(graph) + _missing(graph) + _surplus(graph))
    try:
        onnx.checker.check_model(proto)
    except onnx.checker.ValidationError as error:
        raise ExchangeError(f"{path} is no valid ONNX file: {error}") from error
    return graph


def _node(onnx, node):
    """Return a Node, its attributes as numbers, lists, words and arrays; `activations` is there always."""
    attributes = {entry.name: onnx.helper.get_attribute_value(entry) for entry in node.attribute}
    for name, value in attributes.items():
        if isinstance(value, onnx.TensorProto):
            attributes[name] = onnx.numpy_helper.to_array(value)
        if isinstance(value, bytes):
            attributes[name] = value.decode()
    names = [value.decode() for value in attributes.get("activations", [])]
    op_type = node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}.{node.op_type}"
    return Node(op_type, node.name or node.output[0], list(node.input), list(node.output), attributes | {"activations": names})


def _is_constant(node):
    return node.op_type == "Constant" and "value" in node.attributes


def _unknown(graph):
    """Return words for the operators that mean nothing here."""
    return [f"{node.name} is a {node.op_type}, unknown here" for node in graph.nodes if node.op_type not in KNOWN]


def _missing(graph):
    """Return words for the tensors that no one gives or makes, or only after they are needed."""
    known, faults = graph.inputs | graph.arrays.keys() | {""}, []
    for node in graph.nodes:
        faults += [f"{name}, which {node.name} takes, is missing" for name in node.inputs if name not in known]
        known |= set(node.outputs)
    return faults + [f"{name}, the output, is missing" for name in [graph.output] if name not in known]


def _surplus(graph):
    """Return words for the nodes and arrays that do not lead to the output."""
    used = {graph.output}
    for node in reversed(graph.nodes):
        if used.intersection(node.outputs):
            used |= set(node.inputs)
    idle = [node.name for node in graph.nodes if not used.intersection(node.outputs)]
    return [f"{name} is surplus" for name in [*idle, *sorted(graph.arrays.keys() - used)]]
