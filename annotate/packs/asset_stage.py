"""One model of an AI Hub asset, as its metadata describes it: what a pack says of its tensors."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import TypedDict

from annotate.domain.errors import PackError
from annotate.domain.model_spec import Channels, Layout, Quantization

_FLOAT, _INTEGERS = "float32", ("int8", "uint8", "int16", "uint16")
# The integers of a picture may reach so many times as far as its values, or only this part of it.
_REACH = 2.0


@dataclass(frozen=True)
class TensorMetadata:
    """An input or output, as the asset's metadata describes it.

    Attributes:
        name: name of the tensor.
        shape: lengths of its axes.
        dtype: NumPy's name of its dtype.
        quantization: how its integers represent floats, or None for floats.
        channels: order of the colours, if the tensor is an input picture.
        value_range: the values that 0 and 255 become, if it is an input picture.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    quantization: Quantization | None
    channels: Channels = "RGB"
    value_range: tuple[float, float] = (0.0, 1.0)


class Common(TypedDict):
    """The fields of `ModelSpec` that the asset's metadata gives."""

    file: str
    sha256: str
    input: str
    layout: Layout
    size: tuple[int, int]
    value_range: tuple[float, float]
    channels: Channels
    quantized: Mapping[str, Quantization]


@dataclass(frozen=True)
class StageMetadata:
    """One model of the asset.

    Attributes:
        file: name of the ONNX file in the pack.
        sha256: hex digest of that file.
        inputs, outputs: its tensors, by name.
        hint: what to do where it is not the expected model.
    """

    file: str
    sha256: str
    inputs: Mapping[str, TensorMetadata]
    outputs: Mapping[str, TensorMetadata]
    hint: str

    def common(self, outputs: Iterable[str], labels: str = "") -> Common:
        """What a pack says of any model.

        Args:
            outputs: that the pack uses.
            labels: the one of them that holds integers which represent no floats, if any.

        Raises:
            PackError: it does not take one picture, lacks an output, or an integer has no scale.
        """
        picture, layout, size = self._picture()
        used = [self._output(name) for name in outputs if name != labels]
        return {
            "file": self.file,
            "sha256": self.sha256,
            "input": picture.name,
            "layout": layout,
            "size": size,
            "value_range": picture.value_range,
            "channels": picture.channels,
            "quantized": self._quantized([picture, *used]),
        }

    def expect(self, name: str, shape: tuple[int | None, ...]) -> tuple[int, ...]:
        """The shape of an output, which must be this one; None stands for any length.

        Raises:
            PackError: it is another one, or there is no such output.
        """
        found = self._output(name).shape
        if found != tuple(
            length if asked is None else asked
            for asked, length in zip_longest(shape, found, fillvalue=0)
        ):
            raise self.unfit(f"its output {name!r} is {found}, not {shape}")
        return found

    def unfit(self, why: str) -> PackError:
        """The error of a model that is not the expected one."""
        return PackError(f"{self.file} is not the expected model: {why}", self.hint)

    def check_reach(self, values: tuple[float, float]) -> None:
        """Checks that the integers of a quantized picture represent values as far as these.

        Raises:
            PackError: they do not.
        """
        picture, _, _ = self._picture()
        if picture.quantization is None:
            return
        limits = 2 ** (8 if picture.dtype.endswith("int8") else 16)
        reach = limits * picture.quantization.scale
        asked = values[1] - values[0]
        if not asked / _REACH < reach < asked * _REACH:
            raise self.unfit(f"its integers reach over {reach:.4g}, the values of pixels {asked:g}")

    def _output(self, name: str) -> TensorMetadata:
        if name not in self.outputs:
            raise self.unfit(f"it has no output {name!r}")
        return self.outputs[name]

    def _picture(self) -> tuple[TensorMetadata, Layout, tuple[int, int]]:
        """The only input, the order of its axes, and its width and height."""
        if len(self.inputs) != 1:
            raise self.unfit(f"it has {len(self.inputs)} inputs")
        (picture,) = self.inputs.values()
        match picture.shape:
            case (1, 3, height, width):
                return picture, "NCHW", (width, height)
            case (1, height, width, 3):
                return picture, "NHWC", (width, height)
        raise self.unfit(f"its input is {picture.shape}, which is not a picture")

    def _quantized(self, tensors: Iterable[TensorMetadata]) -> dict[str, Quantization]:
        found = {}
        for tensor in tensors:
            if tensor.dtype == _FLOAT:
                continue
            if tensor.dtype not in _INTEGERS or tensor.quantization is None:
                raise self.unfit(f"{tensor.name!r} is {tensor.dtype}, without a scale")
            if not 0 < tensor.quantization.scale < math.inf:
                raise self.unfit(f"the scale of {tensor.name!r} is {tensor.quantization.scale}")
            found[tensor.name] = tensor.quantization
        return found
