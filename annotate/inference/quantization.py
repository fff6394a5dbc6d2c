"""8-bit models: weights and activations quantized after calibration, the outermost layers kept.

The first and the last layers of our models are the ones that suffer most from 8 bits, so that it
is they that may stay float. Layers in the middle cannot: ONNX Runtime's optimizer
WeightBiasQuantization quantizes the weights of any float convolution that stands between
quantized ones, coarsely and in silence; it made landmarks five times as wrong.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_static,
)

from annotate.domain.errors import PackError

# How many convolutions at the beginning and at the end stay float, the fewest first.
FloatLayers = tuple[int, int]
CHOICES: tuple[FloatLayers, ...] = ((0, 0), (3, 0), (3, 4), (3, 12), (5, 20), (5, 24), (8, 28))


def quantize(
    source: Path,
    out: Path,
    inputs: Mapping[str, Sequence[NDArray[Any]]],
    float_layers: FloatLayers,
) -> None:
    """Writes the model `source` as QDQ model `out`: 8-bit activations, 8-bit weights by channel.

    Args:
        inputs: what to calibrate with, by the input's name, each as the model takes it.
        float_layers: how many convolutions at the beginning and at the end stay float, with what
            stands between them.

    Raises:
        PackError: the model is quantized already, or cannot be.
    """
    model = onnx.load(source)
    if any(node.op_type == "DequantizeLinear" for node in model.graph.node):
        raise PackError(f"{source} is quantized already", "Name a float pack.")
    _unshare(model)
    try:
        quantize_static(
            model,
            out,
            _Reader(inputs),
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
            nodes_to_exclude=_outermost(model, *float_layers),
        )
    # What ONNX Runtime raises here has no common base below Exception.
    except Exception as error:
        raise PackError(
            f"{source} cannot be quantized: {error}", "Only float models of a pack can be."
        ) from error


def _outermost(model: onnx.ModelProto, first: int, last: int) -> list[str]:
    """Names of the nodes before convolution number `first`, and from the `last` last one on."""
    names = [node.name for node in model.graph.node]
    convolutions = [at for at, node in enumerate(model.graph.node) if node.op_type == "Conv"]
    if first + last >= len(convolutions):
        return names
    beginning = names[: convolutions[first]] if first else []
    return beginning + (names[convolutions[-last] :] if last else [])


def _unshare(model: onnx.ModelProto) -> None:
    """Gives every convolution a bias of its own: one that a float and a quantized one shared would
    be quantized for both, and read by the float one through a node that the NPU does not take.
    """
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    seen: Counter[str] = Counter()
    for node in model.graph.node:
        if node.op_type != "Conv":
            continue
        for place, name in enumerate(node.input):
            if name not in constants:
                continue
            seen[name] += 1
            if seen[name] > 1:
                copy = model.graph.initializer.add()
                copy.CopyFrom(constants[name])
                copy.name = node.input[place] = f"{name}_{seen[name]}"


class _Reader(CalibrationDataReader):
    """Gives the inputs one by one, as ONNX Runtime's calibration wants them."""

    def __init__(self, inputs: Mapping[str, Sequence[NDArray[Any]]]) -> None:
        ((name, rows),) = inputs.items()
        self._rows: Iterator[dict[str, NDArray[Any]]] = iter({name: row} for row in rows)

    def get_next(self) -> dict[str, NDArray[Any]] | None:
        return next(self._rows, None)
