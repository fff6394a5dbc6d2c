"""The size of a model: its parameters, as model cards count them."""

from math import prod
from pathlib import Path

import onnx
from onnx import TensorProto

# Weights; shapes, axes and indices are 64-bit integers.
_WEIGHTS = {
    TensorProto.FLOAT,
    TensorProto.FLOAT16,
    TensorProto.BFLOAT16,
    TensorProto.INT8,
    TensorProto.UINT8,
    TensorProto.INT32,
}


def parameter_count(file: Path) -> int:
    """The number of weights and biases in an ONNX file; scales of quantization do not count.

    Raises:
        OSError: it cannot be read.
    """
    graph = onnx.load(file, load_external_data=False).graph
    steps = {
        name
        for node in graph.node
        if node.op_type in ("QuantizeLinear", "DequantizeLinear")
        for name in node.input[1:]
    }
    return sum(
        prod(tensor.dims)
        for tensor in graph.initializer
        if tensor.data_type in _WEIGHTS and tensor.name not in steps
    )
