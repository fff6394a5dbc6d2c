"""Builds the ONNX graph of a conversion, node by node.

TFLite pictures are (1, h, w, c), but ONNX convolutions take (1, c, h, w). So every 4-D tensor
inside the graph is (1, c, h, w). It is transposed only at the graph's inputs and outputs, and
before a RESHAPE, whose result depends on the order in memory.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import tflite

from annotate.domain.errors import PackError
from annotate.packs.onnx_writer import TO_NHWC, Margin, OnnxWriter
from annotate.packs.tflite_graph import Array, Graph, Operator

PICTURE_RANK = 4


@dataclass
class Builder(OnnxWriter):
    """An ONNX graph under construction. Tensors are TFLite's, by index; values are ONNX names.

    Attributes:
        graph: the TFLite graph.
        constants: values of the tensors that are known without running the model.
        names: the ONNX values of the other tensors.
        margins: by tensor, zeros that its readers must add, as no node adds them.
        resizes: by tensor, the RESIZE_BILINEAR that its readers must apply, as no node does.
    """

    graph: Graph
    constants: dict[int, Array] = field(init=False)
    names: dict[int, str] = field(default_factory=dict)
    margins: dict[int, Margin] = field(default_factory=dict)
    resizes: dict[int, Operator] = field(default_factory=dict)

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

    def read(self, tensor: int) -> str:
        """The value of a tensor, (1, c, h, w) if it is a picture."""
        if tensor in self.margins or tensor in self.resizes or tensor not in self.names:
            raise self._unusable(tensor)
        return self.names[tensor]

    def read_in_tflite_order(self, tensor: int) -> str:
        """Like `read`, but a picture is (1, h, w, c)."""
        name = self.read(tensor)
        if len(self.shape(tensor)) != PICTURE_RANK:
            return name
        return self.add("Transpose", [name], f"{name}_nhwc", perm=TO_NHWC)

    def finish(self, operator: Operator, value: str) -> None:
        """Make `value` the output of `operator`, after the operator's fused activation."""
        output = operator.outputs[0]
        activation = operator.options.FusedActivationFunction()
        if activation == tflite.ActivationFunctionType.NONE:
            self.names[output] = value
        elif activation == tflite.ActivationFunctionType.RELU6:
            low = self.initializer("zero", np.array(0, np.float32))
            high = self.initializer("six", np.array(6, np.float32))
            self.names[output] = self.add("Clip", [value, low, high], f"clip_{output}")
        else:
            raise PackError(f"the TFLite activation {activation} is not supported")

    def model(self, name: str, inputs: Mapping[str, int], outputs: Mapping[str, int]) -> bytes:
        """The finished and checked ONNX file; inputs and outputs are given as name to tensor."""
        return self.file(
            name,
            {new: self.shape(tensor) for new, tensor in inputs.items()},
            {new: self.shape(tensor) for new, tensor in outputs.items()},
        )

    def _unusable(self, tensor: int) -> PackError:
        readers = ", ".join(sorted({reader.name for reader in self.graph.readers(tensor)}))
        name = self.graph.tensors[tensor].name
        return PackError(f"TFLite tensor {name!r}: its use by {readers} is not supported")
