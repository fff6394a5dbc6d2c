"""The ONNX graph that a conversion writes, node by node.

TFLite pictures are (1, h, w, c), ONNX convolutions want (1, c, h, w). So every 4-D tensor is
kept as (1, c, h, w) inside, and transposed only where it enters, where it leaves, and before
a RESHAPE, whose result depends on the order in memory.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
import tflite
from onnx import TensorProto, helper, numpy_helper

from annotate.domain.errors import PackError
from annotate.packs.tflite_graph import Array, Graph, Operator

TO_NCHW = (0, 3, 1, 2)
TO_NHWC = (0, 2, 3, 1)
PICTURE_RANK = 4

# Old enough for onnxruntime 1.22 and for the compilers of NPU vendors.
_OPSET = 17
_IR_VERSION = 8

Margin = tuple[int, int, int, int]
"""Zeros about a picture: top, left, bottom, right."""


@dataclass
class Builder:
    """An ONNX graph while it grows. Tensors are TFLite's, by index; values are ONNX names.

    Attributes:
        graph: the TFLite graph.
        constants: values of the tensors that are known without running the model.
        names: the ONNX values of the other tensors.
        margins: by tensor, zeros that are not written yet: readers add them.
        resizes: by tensor, RESIZE_BILINEAR that is not written yet: readers apply it.
    """

    graph: Graph
    constants: dict[int, Array] = field(init=False)
    names: dict[int, str] = field(default_factory=dict)
    margins: dict[int, Margin] = field(default_factory=dict)
    resizes: dict[int, Operator] = field(default_factory=dict)
    _nodes: list[onnx.NodeProto] = field(default_factory=list)
    _initializers: dict[str, onnx.TensorProto] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.constants = {
            index: tensor.constant
            for index, tensor in enumerate(self.graph.tensors)
            if tensor.constant is not None
        }

    def shape(self, tensor: int) -> tuple[int, ...]:
        """Shape in TFLite's order."""
        return self.graph.tensors[tensor].shape

    def constant(self, tensor: int) -> Array:
        """The values of a tensor that is known without running the model."""
        if tensor not in self.constants:
            raise self._unusable(tensor)
        return self.constants[tensor]

    def add(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """Add a node with one output; returns the output's name."""
        self._nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def initializer(self, name: str, values: Array) -> str:
        """Add a constant unless it is there already; returns its name."""
        if name not in self._initializers:
            contiguous = np.ascontiguousarray(values)
            self._initializers[name] = numpy_helper.from_array(contiguous, name)
        return name

    def read(self, tensor: int) -> str:
        """The value of a tensor, (1, c, h, w) if it is a picture."""
        if tensor in self.margins or tensor in self.resizes or tensor not in self.names:
            raise self._unusable(tensor)
        return self.names[tensor]

    def read_in_tflite_order(self, tensor: int) -> str:
        """As `read`, but a picture is (1, h, w, c)."""
        name = self.read(tensor)
        if len(self.shape(tensor)) != PICTURE_RANK:
            return name
        return self.add("Transpose", [name], f"{name}_nhwc", perm=TO_NHWC)

    def finish(self, operator: Operator, value: str) -> None:
        """Make `value` the output of `operator`, after the activation fused into that."""
        output = operator.outputs[0]
        activation = operator.options.FusedActivationFunction()
        if activation == tflite.ActivationFunctionType.NONE:
            self.names[output] = value
        elif activation == tflite.ActivationFunctionType.RELU6:
            low = self.initializer("zero", np.array(0, np.float32))
            high = self.initializer("six", np.array(6, np.float32))
            self.names[output] = self.add("Clip", [value, low, high], f"clip_{output}")
        else:
            raise PackError(f"the TFLite activation {activation} is not converted")

    def model(self, name: str, inputs: Mapping[str, int], outputs: Mapping[str, int]) -> bytes:
        """The finished ONNX file, checked; inputs and outputs are named, with their tensors."""
        graph = helper.make_graph(
            self._nodes,
            name,
            [self._value_info(*item) for item in inputs.items()],
            [self._value_info(*item) for item in outputs.items()],
            list(self._initializers.values()),
        )
        model = helper.make_model(
            graph,
            producer_name="annotate",
            ir_version=_IR_VERSION,
            opset_imports=[helper.make_opsetid("", _OPSET)],
        )
        onnx.checker.check_model(model, full_check=True)
        content: bytes = model.SerializeToString(deterministic=True)
        return content

    def _unusable(self, tensor: int) -> PackError:
        readers = ", ".join(sorted({reader.name for reader in self.graph.readers(tensor)}))
        name = self.graph.tensors[tensor].name
        return PackError(f"TFLite tensor {name!r} is used by {readers} in a way not converted")

    def _value_info(self, name: str, tensor: int) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, self.shape(tensor))
