"""Makes 8-bit models: calibrates, then quantizes weights and activations.

The first and the last layers of our models lose most accuracy in 8 bits, so these may stay float.
Layers in the middle may not: ONNX Runtime's optimizer WeightBiasQuantization silently quantizes the
weights of any float convolution between quantized ones. It is coarse and made the error of
landmarks five times as large.
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

# Numbers of convolutions at the beginning and at the end that stay float.
FloatLayers = tuple[int, int]
# The choices that are tried, from the fewest float layers to the most.
CHOICES: tuple[FloatLayers, ...] = ((0, 0), (3, 0), (3, 4), (3, 12), (5, 20), (5, 24), (8, 28))


def quantize(
    source: Path,
    out: Path,
    inputs: Mapping[str, Sequence[NDArray[Any]]],
    float_layers: FloatLayers,
) -> None:
    """Writes the float model `source` as the QDQ model `out`: 8-bit activations, and 8-bit weights
    with a scale for each output channel.

    Args:
        inputs: calibration inputs by the input's name, each with the model's input shape and dtype.
        float_layers: how many convolutions at the beginning and at the end stay float, together
            with the other nodes before and after them.

    Raises:
        PackError: the model is quantized already, or cannot be quantized.
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
    # ONNX Runtime's exceptions have no common base below Exception.
    except Exception as error:
        raise PackError(
            f"{source} cannot be quantized: {error}", "Name a pack with float models."
        ) from error


def _outermost(model: onnx.ModelProto, first: int, last: int) -> list[str]:
    """Names of the nodes before the convolution of index `first`, and of those from the `last`-th
    convolution from the end on.
    """
    names = [node.name for node in model.graph.node]
    convolutions = [at for at, node in enumerate(model.graph.node) if node.op_type == "Conv"]
    if first + last >= len(convolutions):
        return names
    beginning = names[: convolutions[first]] if first else []
    return beginning + (names[convolutions[-last] :] if last else [])


def _unshare(model: onnx.ModelProto) -> None:
    """Gives each convolution separate constants.

    A bias that a float and a quantized convolution share would be quantized for both, and the float
    one would read it through a node that the NPU does not accept.
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
    """Feeds the inputs one by one to ONNX Runtime's calibration."""

    def __init__(self, inputs: Mapping[str, Sequence[NDArray[Any]]]) -> None:
        ((name, rows),) = inputs.items()
        self._rows: Iterator[dict[str, NDArray[Any]]] = iter({name: row} for row in rows)

    def get_next(self) -> dict[str, NDArray[Any]] | None:
        return next(self._rows, None)
