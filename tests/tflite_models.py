"""Writes TFLite models of one operator, for comparison with TFLite's interpreter."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import flatbuffers
import numpy as np
import numpy.typing as npt
import tflite

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class OneOperator:
    """An operator, its options, its runtime input's shape and the constants that follow it."""

    name: str
    input_shape: tuple[int, ...]
    constants: Sequence[Array] = ()
    options_kind: str | None = None
    options: Mapping[str, int] = field(default_factory=dict)
    repeat_input: int = 1

    def model(self, output_shape: tuple[int, ...]) -> bytes:
        """The TFLite file; the tensors are called in, constant and out."""
        builder = flatbuffers.Builder()
        tensors = [_tensor(builder, "in", self.input_shape, np.dtype(np.float32), 0)]
        buffers = [_buffer(builder, b"")]
        for number, constant in enumerate(self.constants, start=1):
            tensors.append(_tensor(builder, "constant", constant.shape, constant.dtype, number))
            buffers.append(_buffer(builder, constant.tobytes()))
        output = len(tensors)
        tensors.append(_tensor(builder, "out", output_shape, np.dtype(np.float32), 0))
        inputs = [0] * self.repeat_input + list(range(1, output))
        operator = self._operator(builder, inputs, output)
        names = {"Tensors": tensors, "Operators": [operator]}
        vectors = {name: _offsets(builder, items) for name, items in names.items()}
        vectors["Inputs"] = builder.CreateNumpyVector(np.array([0], np.int32))
        vectors["Outputs"] = builder.CreateNumpyVector(np.array([output], np.int32))
        subgraph = _table(builder, "SubGraph", vectors)
        number = getattr(tflite.BuiltinOperator, self.name)
        code = _table(
            builder,
            "OperatorCode",
            {"DeprecatedBuiltinCode": min(number, 127), "BuiltinCode": number},
        )
        content = {
            "Version": 3,
            "OperatorCodes": _offsets(builder, [code]),
            "Subgraphs": _offsets(builder, [subgraph]),
            "Buffers": _offsets(builder, buffers),
        }
        builder.Finish(_table(builder, "Model", content), file_identifier=b"TFL3")
        return bytes(builder.Output())

    def _operator(self, builder: flatbuffers.Builder, inputs: list[int], output: int) -> int:
        fields = {
            "OpcodeIndex": 0,
            "Inputs": builder.CreateNumpyVector(np.array(inputs, np.int32)),
            "Outputs": builder.CreateNumpyVector(np.array([output], np.int32)),
        }
        if self.options_kind is not None:
            fields["BuiltinOptionsType"] = getattr(tflite.BuiltinOptions, self.options_kind)
            fields["BuiltinOptions"] = _table(builder, self.options_kind, self.options)
        return _table(builder, "Operator", fields)


def _table(builder: flatbuffers.Builder, kind: str, fields: Mapping[str, int]) -> int:
    getattr(tflite, f"{kind}Start")(builder)
    for name, value in fields.items():
        getattr(tflite, f"{kind}Add{name}")(builder, value)
    end: int = getattr(tflite, f"{kind}End")(builder)
    return end


def _tensor(
    builder: flatbuffers.Builder, name: str, shape: tuple[int, ...], dtype: Any, buffer: int
) -> int:
    fields = {
        "Name": builder.CreateString(name),
        "Shape": builder.CreateNumpyVector(np.array(shape, np.int32)),
        "Type": getattr(tflite.TensorType, dtype.name.upper()),
        "Buffer": buffer,
    }
    return _table(builder, "Tensor", fields)


def _buffer(builder: flatbuffers.Builder, content: bytes) -> int:
    if not content:
        return _table(builder, "Buffer", {})
    values = np.frombuffer(content, np.uint8)
    return _table(builder, "Buffer", {"Data": builder.CreateNumpyVector(values)})


def _offsets(builder: flatbuffers.Builder, offsets: Sequence[int]) -> int:
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    end: int = builder.EndVector()
    return end
