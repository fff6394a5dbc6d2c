"""Writes an ONNX file node by node; every converter of a model format uses it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

Array = npt.NDArray[Any]

TO_NCHW = (0, 3, 1, 2)
TO_NHWC = (0, 2, 3, 1)

# Old enough for onnxruntime 1.22 and for the compilers of NPU vendors.
_OPSET = 17
_IR_VERSION = 8

Margin = tuple[int, int, int, int]
"""Numbers of zeros around a picture: top, left, bottom, right."""

NO_MARGIN: Margin = (0, 0, 0, 0)


@dataclass
class OnnxWriter:
    """Nodes and constants of an ONNX graph; every node has the name of its first output."""

    _nodes: list[onnx.NodeProto] = field(init=False, default_factory=list)
    _initializers: dict[str, onnx.TensorProto] = field(init=False, default_factory=dict)

    def add(self, kind: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        """Add a node with one output; returns the output's name."""
        self._nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def initializer(self, name: str, values: Array) -> str:
        """Add a constant unless it is there already; returns its name."""
        if name not in self._initializers:
            contiguous = np.ascontiguousarray(values)
            self._initializers[name] = numpy_helper.from_array(contiguous, name)
        return name

    def file(
        self,
        name: str,
        inputs: Mapping[str, Sequence[int]],
        outputs: Mapping[str, Sequence[int]],
    ) -> bytes:
        """The finished and checked ONNX file.

        Args:
            name: name of the graph.
            inputs, outputs: the shapes of the float32 tensors, by name.
        """
        graph = helper.make_graph(
            self._nodes,
            name,
            [_float_tensor(*item) for item in inputs.items()],
            [_float_tensor(*item) for item in outputs.items()],
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


def same_margin(sides: Sequence[int], window: Sequence[int], strides: Sequence[int]) -> Margin:
    """The zeros that TensorFlow's padding mode SAME adds around a picture.

    SAME gives ceil(side / stride) windows; an odd number of zeros puts the extra one
    at the bottom or right.

    Args:
        sides: height and width of the picture in pixels.
        window: height and width that the kernel covers, dilation included.
        strides: down and to the right.
    """
    height, width = (
        max((-(-side // stride) - 1) * stride + length - side, 0)
        for side, stride, length in zip(sides, strides, window, strict=True)
    )
    top, left = height // 2, width // 2
    return (top, left, height - top, width - left)


def _float_tensor(name: str, shape: Sequence[int]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
