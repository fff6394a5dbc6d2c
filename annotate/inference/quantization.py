"""Makes 8-bit models: calibrates, then quantizes weights and activations.

The first and the last layers of our models lose most accuracy in 8 bits, so these may stay float.
Layers in the middle may not: ONNX Runtime's optimizer WeightBiasQuantization silently quantizes the
weights of any float convolution between quantized ones. It is coarse and made the error of
landmarks five times as large.
"""

import copy
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import onnx
import onnxruntime as ort
from numpy.typing import NDArray
from onnxruntime.quantization import (
    CalibrationDataReader,
    MinMaxCalibrater,
    QDQQuantizer,
    QuantType,
)
from onnxruntime.quantization.registry import QDQRegistry, QLinearOpsRegistry

from annotate.domain.errors import PackError
from annotate.inference.cpu import cpu_options

# Numbers of convolutions at the beginning and at the end that stay float.
FloatLayers = tuple[int, int]
# The choices that are tried, from the fewest float layers to the most.
CHOICES: tuple[FloatLayers, ...] = ((0, 0), (3, 0), (3, 4), (3, 12), (5, 20), (5, 24), (8, 28))

ActivationBits = Literal[8, 16]
_ACTIVATIONS = {8: QuantType.QUInt8, 16: QuantType.QUInt16}

# The operators that ONNX Runtime can quantize.
_OPERATORS = sorted({*QLinearOpsRegistry, *QDQRegistry})


@dataclass(frozen=True, eq=False)
class Calibrated:
    """A float model that was run on calibration inputs.

    Attributes:
        source: the model's file.
        model: its content; each convolution has separate constants.
        ranges: the least and the greatest value of every activation, as ONNX Runtime keeps them.
    """

    source: Path
    model: onnx.ModelProto
    ranges: Any


def calibrate(source: Path, inputs: Mapping[str, Sequence[NDArray[Any]]]) -> Calibrated:
    """Runs the float model `source` on calibration inputs: once, whichever layers stay float later.

    Args:
        inputs: calibration inputs by the input's name, each with the model's input shape and dtype.

    Raises:
        PackError: the model is quantized already, or cannot be run.
    """
    model = onnx.load(source)
    if any(node.op_type == "DequantizeLinear" for node in model.graph.node):
        raise PackError(f"{source} is quantized already", "Name a float pack.")
    _unshare(model)
    try:
        return Calibrated(source, model, _ranges(model, inputs))
    # ONNX Runtime's exceptions have no common base below Exception.
    except Exception as error:
        raise _refused(source, error) from error


def quantize(
    calibrated: Calibrated, out: Path, float_layers: FloatLayers, bits: ActivationBits = 8
) -> None:
    """Writes the model as the QDQ model `out`: activations of `bits` bits, and 8-bit weights with a
    scale for each output channel.

    Args:
        float_layers: how many convolutions at the beginning and at the end stay float, together
            with the other nodes before and after them.

    Raises:
        PackError: the model cannot be quantized.
    """
    try:
        quantizer = QDQQuantizer(
            copy.deepcopy(calibrated.model),
            per_channel=True,
            reduce_range=False,
            weight_qType=QuantType.QInt8,
            activation_qType=_ACTIVATIONS[bits],
            tensors_range=calibrated.ranges,
            nodes_to_quantize=[],
            nodes_to_exclude=_outermost(calibrated.model, *float_layers),
            op_types_to_quantize=_OPERATORS,
            # ONNX knows 16-bit activations from opset 21 on, Microsoft's domain in any.
            extra_options={"UseQDQContribOps": bits == 16},
        )
        quantizer.quantize_model()
        quantizer.model.save_model_to_file(str(out))
    # ONNX Runtime's exceptions have no common base below Exception.
    except Exception as error:
        raise _refused(calibrated.source, error) from error


def unoptimized() -> ort.SessionOptions:
    """Options of a session on one thread whose activations are those of the model's file."""
    options = cpu_options()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    return options


def _refused(source: Path, error: Exception) -> PackError:
    return PackError(f"{source} cannot be quantized: {error}", "Name a pack with float models.")


def _ranges(model: onnx.ModelProto, inputs: Mapping[str, Sequence[NDArray[Any]]]) -> Any:
    """The least and the greatest value of every activation on the inputs."""
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "model.onnx"
        onnx.save_model(model, file)
        calibrator = _Calibrator(file, _OPERATORS, str(Path(scratch) / "with_ranges.onnx"))
        calibrator.augment_graph()
        calibrator.create_inference_session()
        calibrator.collect_data(_Reader(inputs))
        return calibrator.compute_data()


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


class _Calibrator(MinMaxCalibrater):
    """Runs on one thread. ONNX Runtime's own calibrator takes a thread for each core, and those
    that wait spin: where other processes need the cores, it was ten times slower.
    """

    def create_inference_session(self) -> None:
        """Opens the model that also answers with the ranges."""
        self.infer_session = ort.InferenceSession(
            self.augmented_model_path, unoptimized(), providers=["CPUExecutionProvider"]
        )


class _Reader(CalibrationDataReader):
    """Feeds the inputs one by one to ONNX Runtime's calibration."""

    def __init__(self, inputs: Mapping[str, Sequence[NDArray[Any]]]) -> None:
        ((name, rows),) = inputs.items()
        self._rows: Iterator[dict[str, NDArray[Any]]] = iter({name: row} for row in rows)

    def get_next(self) -> dict[str, NDArray[Any]] | None:
        return next(self._rows, None)
