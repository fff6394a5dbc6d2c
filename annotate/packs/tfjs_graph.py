"""Reads a graph model of TensorFlow.js: nodes by name, constants, and what feeds what.

A model is two files: a JSON file with the graph (TensorFlow's GraphDef, attributes as JSON) and the
list of its constants, and a binary file with their values one after the other.

Source of the format: `graph_model.ts` and `io_utils.ts` of tfjs-core and tfjs-converter.
"""

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

import numpy as np

from annotate.domain.errors import PackError
from annotate.domain.json_text import parsed
from annotate.packs.onnx_writer import Array

# Types of the values in the binary file; a constant may be stored in fewer bits than it is used in.
_STORED: Mapping[str, np.dtype[Any]] = {
    "float16": np.dtype("<f2"),
    "float32": np.dtype("<f4"),
    "int32": np.dtype("<i4"),
}


@dataclass(frozen=True)
class Node:
    """One node of the graph.

    Attributes:
        op: what it computes, such as `Conv2D`.
        inputs: names of the nodes whose first output it takes.
        attributes: as GraphDef has them, each in a mapping with its kind, such as `{"b": true}`.
    """

    name: str
    op: str
    inputs: tuple[str, ...]
    attributes: Mapping[str, Any]

    def flag(self, name: str) -> bool:
        """The boolean attribute `name`; false where there is none."""
        return bool(self.attributes.get(name, {}).get("b", False))

    def number(self, name: str) -> float:
        """The real attribute `name`."""
        return float(self._attribute(name, "f"))

    def numbers(self, name: str) -> tuple[int, ...]:
        """The attribute `name`, a list of integers."""
        return tuple(int(value) for value in self._attribute(name, "list")["i"])

    def text(self, name: str) -> str:
        """The attribute `name`, a string."""
        return _text(self._attribute(name, "s"))

    def texts(self, name: str) -> tuple[str, ...]:
        """The attribute `name`, a list of strings; empty where there is none."""
        listed = self.attributes.get(name, {}).get("list", {})
        return tuple(_text(value) for value in listed.get("s", ()))

    def _attribute(self, name: str, kind: str) -> Any:
        try:
            return self.attributes[name][kind]
        except KeyError as error:
            raise PackError(f"{self.op} {self.name!r} has no attribute {name!r}") from error


@dataclass(frozen=True)
class Graph:
    """Nodes by name, in the order of the file, and values of the constants among them."""

    nodes: Mapping[str, Node]
    constants: Mapping[str, Array]

    def needed_for(self, outputs: Iterable[str], source: str) -> tuple[Node, ...]:
        """The nodes that compute `outputs` from the value of `source`, each after its inputs.

        Raises:
            PackError: an output is missing, or depends on another input of the model.
        """
        feeds: dict[str, tuple[str, ...]] = {}
        waiting = [*outputs]
        while waiting:
            name = waiting.pop()
            if name in feeds or name == source or name in self.constants:
                continue
            node = self._node(name)
            if node.op == "Placeholder":
                raise PackError(f"the TF.js model's outputs depend on {name!r} besides {source!r}")
            feeds[name] = tuple(
                one for one in node.inputs if one != source and one not in self.constants
            )
            waiting.extend(feeds[name])
        try:
            return tuple(self.nodes[name] for name in TopologicalSorter(feeds).static_order())
        except CycleError as error:
            raise PackError("the nodes of the TF.js model form a cycle") from error

    def input_shape(self) -> tuple[int, ...]:
        """Shape of the only input of the model.

        Raises:
            PackError: the model has several inputs, or one of no fixed shape.
        """
        inputs = [node for node in self.nodes.values() if node.op == "Placeholder"]
        try:
            (shape,) = (node.attributes["shape"]["shape"]["dim"] for node in inputs)
            return tuple(int(side["size"]) for side in shape)
        except (ValueError, KeyError, TypeError) as error:
            raise PackError("the TF.js model has not one input of a fixed shape") from error

    def _node(self, name: str) -> Node:
        if name not in self.nodes:
            raise PackError(f"the TF.js model has no node {name!r}")
        return self.nodes[name]


def read_graph(model: bytes, weights: bytes) -> Graph:
    """The graph of a TF.js model: its JSON file `model` and its binary file `weights`.

    Raises:
        PackError: the files are not a TF.js graph model, do not belong together, or hold constants
            of a type that the models of our packs do not use.
    """
    try:
        described = parsed(model)
        nodes = [_node(fields) for fields in described["modelTopology"]["node"]]
        manifest = [one for group in described["weightsManifest"] for one in group["weights"]]
        constants = _constants(manifest, weights)
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
        raise PackError(
            f"the file is not a TF.js graph model: {type(error).__name__} {error}"
        ) from error
    return Graph({node.name: node for node in nodes}, constants)


def _node(fields: Mapping[str, Any]) -> Node:
    # An input "^name" only fixes the order of execution; "name:0" is the first output of a node.
    inputs = [one.removesuffix(":0") for one in fields.get("input", ()) if one[0] != "^"]
    return Node(fields["name"], fields["op"], tuple(inputs), fields.get("attr", {}))


def _constants(manifest: Iterable[Mapping[str, Any]], weights: bytes) -> dict[str, Array]:
    found: dict[str, Array] = {}
    start = 0
    for entry in manifest:
        name, shape = entry["name"], tuple(int(side) for side in entry["shape"])
        stored = entry.get("quantization", entry)["dtype"]
        if stored not in _STORED:
            raise PackError(f"the TF.js constant {name!r} is {stored}, which is not supported")
        count = int(np.prod(shape, dtype=np.int64))
        stop = start + count * _STORED[stored].itemsize
        if stop > len(weights):
            raise PackError(f"the weights of the TF.js model are truncated: {len(weights)} bytes")
        values = np.frombuffer(weights[start:stop], _STORED[stored]).reshape(shape)
        found[name] = values.astype(np.dtype(entry["dtype"]))
        start = stop
    if start != len(weights):
        raise PackError(f"the TF.js model has {start} bytes of weights, not {len(weights)}")
    return found


def _text(encoded: str) -> str:
    return base64.b64decode(encoded).decode()
