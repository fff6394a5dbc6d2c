"""Which convolutions of a quantized model err most."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from annotate.domain.model_spec import Quantization
from annotate.inference.qdq import dequantize_values, quantize_values
from annotate.inference.quantization import unoptimized

# How ONNX Runtime's quantizer names what it adds to a tensor.
_DEQUANTIZED, _QUANTIZED, _SCALE, _ZERO = (
    "_DequantizeLinear_Output",
    "_quantized",
    "_scale",
    "_zero_point",
)
# Activation functions, which the quantizer joins to the convolution before them.
_ACTIVATIONS = ("Clip", "Relu")


@dataclass(frozen=True)
class LayerError:
    """The errors of a convolution, as signal to noise ratios in dB: 40 dB are an error of 1%.

    Attributes:
        layer: name of the convolution's node.
        weights_db: of its weights; None where they stay float.
        rounding_db: of rounding its output alone; None where it stays float.
        total_db: of its output, with the errors of all layers before.
    """

    layer: str
    weights_db: float | None
    rounding_db: float | None
    total_db: float

    def to_fields(self) -> dict[str, object]:
        """The attributes for JSON, which has no infinity: an exact output gives None."""
        return {**asdict(self), "total_db": self.total_db if np.isfinite(self.total_db) else None}


@dataclass(frozen=True)
class _Layer:
    """A convolution of the float model: its node's name, and its weights' and its output's, which
    is that of the activation function after it.
    """

    node: str
    weights: str
    output: str


def layer_errors(
    source: Path, quantized: Path, inputs: Mapping[str, Sequence[NDArray[Any]]]
) -> list[LayerError]:
    """The errors of each convolution, in the model's order; medians over the inputs.

    Args:
        source: the float model.
        quantized: the model that `quantize` made of it.
        inputs: one or more inputs by the input's name.
    """
    ((name, rows),) = inputs.items()
    exact, rounded = onnx.load(source), onnx.load(quantized)
    weights, constants = _constants(exact), _constants(rounded)
    layers = list(_layers(exact))
    made = {output for node in rounded.graph.node for output in node.output}
    renamed = [
        layer.output + _DEQUANTIZED if layer.output + _DEQUANTIZED in made else layer.output
        for layer in layers
    ]
    outputs = [layer.output for layer in layers]
    sessions = _session(exact, outputs), _session(rounded, renamed)
    rounding: list[list[float]] = [[] for _ in layers]
    total: list[list[float]] = [[] for _ in layers]
    for row in rows:
        answers = sessions[0].run(outputs, {name: row}), sessions[1].run(renamed, {name: row})
        for place, (right, other) in enumerate(zip(*answers, strict=True)):
            total[place].append(_ratio_db(right, other))
            if quantization := _quantization(constants, outputs[place]):
                alone = dequantize_values(quantize_values(right, quantization), quantization)
                rounding[place].append(_ratio_db(right, alone))
    return [
        LayerError(
            layer.node,
            _weights_db(weights[layer.weights], layer.weights, constants),
            float(np.median(alone)) if alone else None,
            float(np.median(all_before)),
        )
        for layer, alone, all_before in zip(layers, rounding, total, strict=True)
    ]


def _layers(model: onnx.ModelProto) -> Iterator[_Layer]:
    following = {
        node.input[0]: node.output[0] for node in model.graph.node if node.op_type in _ACTIVATIONS
    }
    for node in model.graph.node:
        if node.op_type == "Conv":
            (output,) = node.output
            yield _Layer(node.name, node.input[1], following.get(output, output))


def _constants(model: onnx.ModelProto) -> dict[str, NDArray[Any]]:
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}


def _session(model: onnx.ModelProto, outputs: Sequence[str]) -> ort.InferenceSession:
    """The model, which also answers with these tensors."""
    present = {output.name for output in model.graph.output}
    model.graph.output.extend(
        helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
        for name in outputs
        if name not in present
    )
    return ort.InferenceSession(
        model.SerializeToString(), unoptimized(), providers=["CPUExecutionProvider"]
    )


def _quantization(constants: Mapping[str, NDArray[Any]], tensor: str) -> Quantization | None:
    if tensor + _SCALE not in constants:
        return None
    zero = constants[tensor + _ZERO]
    return Quantization(zero.dtype.name, float(constants[tensor + _SCALE]), int(zero))


def _weights_db(
    exact: NDArray[Any], name: str, constants: Mapping[str, NDArray[Any]]
) -> float | None:
    rounded = constants.get(name + _QUANTIZED)
    if rounded is None:
        return None
    scale = constants[name + _SCALE].reshape(-1, *[1] * (exact.ndim - 1))
    return _ratio_db(exact, rounded * scale)


def _ratio_db(signal: NDArray[Any], other: NDArray[Any]) -> float:
    noise = float(np.linalg.norm(signal - other))
    return 20 * float(np.log10(np.linalg.norm(signal) / noise)) if noise else float("inf")
