"""Writes graph models of TF.js, node by node."""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Content = dict[str, Any]


class TfjsModel:
    """A model of one input `in`, while it grows.

    Args:
        shape: of the input.
    """

    def __init__(self, *shape: int) -> None:
        sides = [{"size": str(side)} for side in shape]
        attributes = {"shape": {"shape": {"dim": sides}}}
        self.nodes: list[Content] = [{"name": "in", "op": "Placeholder", "attr": attributes}]
        self.weights: list[Content] = []
        self.values = b""

    def constant(self, name: str, values: Array, stored: str | None = None) -> str:
        """Adds a constant, perhaps stored in another type; returns its name."""
        entry: Content = {"name": name, "shape": values.shape, "dtype": values.dtype.name}
        if stored is not None:
            entry["quantization"] = {"dtype": stored, "original_dtype": values.dtype.name}
            values = values.astype(stored)
        self.nodes.append({"name": name, "op": "Const"})
        self.weights.append(entry)
        self.values += values.tobytes()
        return name

    def node(
        self, name: str, op: str, inputs: Sequence[str], attributes: Mapping[str, Any] | None = None
    ) -> str:
        """Adds a node; attributes are Python's values; returns its name."""
        encoded = {key: _attribute(value) for key, value in (attributes or {}).items()}
        self.nodes.append({"name": name, "op": op, "input": list(inputs), "attr": encoded})
        return name

    def transposed(self, name: str, source: str, *axes: int) -> str:
        """Adds a Transpose; returns its name."""
        perm = self.constant(f"{name}/perm", np.array(axes, np.int32))
        return self.node(name, "Transpose", [source, perm])

    def files(self) -> tuple[bytes, bytes]:
        """The JSON file and the binary file."""
        content = {
            "modelTopology": {"node": self.nodes},
            "weightsManifest": [{"paths": ["model.bin"], "weights": self.weights}],
        }
        return json.dumps(content).encode(), self.values


def windows(op_padding: str, stride: int, fused: Sequence[str] = (), dilation: int = 1) -> Content:
    """Attributes of a convolution."""
    return {
        "padding": op_padding,
        "strides": [1, stride, stride, 1],
        "dilations": [1, dilation, dilation, 1],
        "data_format": "NHWC",
        "fused_ops": list(fused),
    }


def _attribute(value: Any) -> Content:
    match value:
        case bool():
            return {"b": value}
        case float():
            return {"f": value}
        case str():
            return {"s": _encoded(value)}
        case [str(), *_] | []:
            return {"list": {"s": [_encoded(one) for one in value]}}
        case _:
            return {"list": {"i": [str(one) for one in value]}}


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
