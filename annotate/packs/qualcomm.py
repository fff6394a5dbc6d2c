"""The pack `qualcomm-mediapipe-pose`: AI Hub's MediaPipe-Pose-Estimation, 25 landmarks, upper body.

The descriptions of tensors come from the asset's metadata. The other constants are those of
`qai_hub_models.models.mediapipe_pose` (`model.py`, `app.py`) and of the model that it exports,
`BlazePose` and `BlazePoseLandmark` of zmurez/MediaPipePyTorch.

The landmarks have the order of BlazePose's first 25. MediaPipe's graph of that time calls number 11
the right shoulder, but it is the person's left one (issue 1101 of google-ai-edge/mediapipe). That
graph does not read the fourth column; here it is the logit of visibility, as in all later models.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypedDict

from annotate.domain.detector_kinds import Ssd
from annotate.domain.errors import PackError
from annotate.domain.landmark_kinds import BlazePose
from annotate.domain.model_spec import (
    Channels,
    DetectorSpec,
    LandmarkSpec,
    Layout,
    Quantization,
)
from annotate.domain.pack import Pack
from annotate.domain.roi_rules import RoiFromPoints

NAME = "qualcomm-mediapipe-pose"
SKELETON = "blazepose-25"
LANDMARKS = 25
BOX_VALUES = 12  # centre, size, four points
COLUMNS = ("x", "y", "z", "visibility")
HINT = "Use the zip for ONNX from AI Hub's page of MediaPipe-Pose-Estimation."

_FLOAT, _INTEGERS = "float32", ("int8", "uint8", "int16", "uint16")
_PRECISION = re.compile(r"[a-z0-9]{1,16}")


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


@dataclass(frozen=True)
class StageMetadata:
    """One model of the asset.

    Attributes:
        file: name of the ONNX file in the pack.
        sha256: hex digest of that file.
        inputs, outputs: its tensors, by name.
    """

    file: str
    sha256: str
    inputs: Mapping[str, TensorMetadata]
    outputs: Mapping[str, TensorMetadata]


def pack_of(detector: StageMetadata, landmark: StageMetadata, precision: str, source: str) -> Pack:
    """The description of an asset for `pack.json`.

    Args:
        precision: AI Hub's name of it: `float`, `w8a8`.
        source: a readable description of the asset's origin.

    Raises:
        PackError: the models are not those of MediaPipe-Pose-Estimation.
    """
    if not _PRECISION.fullmatch(precision):
        raise PackError(f"{precision!r} is not a valid precision of an asset", HINT)
    return Pack(
        name=NAME if precision == "float" else f"{NAME}-{precision}",
        skeleton=SKELETON,
        source=source,
        detector=_detector_spec(detector),
        landmark=_landmark_spec(landmark),
    )


def _detector_spec(stage: StageMetadata) -> DetectorSpec:
    side = _picture(stage)[2]
    boxes = sorted(name for name in stage.outputs if name.startswith("box_coords"))
    scores = sorted(name for name in stage.outputs if name.startswith("box_scores"))
    decoder = Ssd(
        boxes=tuple(boxes),
        scores=tuple(scores),
        strides=(8, 16, 16, 16),
        anchor_offset=0.5,
        box_scale=float(side),
        score_clip=100.0,
        nms="hard",
        nms_iou=0.3,
    )
    for names, values in ((boxes, BOX_VALUES), (scores, 1)):
        shapes = [stage.outputs[name].shape for name in names]
        anchors = sum(shape[1] for shape in shapes if len(shape) == 3)
        if anchors != decoder.anchors(side) or any(shape[::2] != (1, values) for shape in shapes):
            raise _unfit(
                stage,
                f"{names} {shapes} are not {values} values for {decoder.anchors(side)} anchors",
            )
    return DetectorSpec(
        **_common(stage),
        decoder=decoder,
        min_score=0.75,
        roi=RoiFromPoints(centre=2, tip=3, scale=1.5),
    )


def _landmark_spec(stage: StageMetadata) -> LandmarkSpec:
    _expect(stage, "landmarks", (1, LANDMARKS, len(COLUMNS)))
    _expect(stage, "scores", (1,))
    return LandmarkSpec(
        **_common(stage),
        decoder=BlazePose(
            landmarks="landmarks",
            columns=COLUMNS,
            # The exported model divides all four columns by 256, even the logits of visibility.
            landmarks_scale=256.0,
            confidence_scale=256.0,
            logits=True,
            flag="scores",
        ),
        count=LANDMARKS,
        min_score=0.5,
    )


class _Common(TypedDict):
    """The fields of `ModelSpec` that the asset's metadata gives."""

    file: str
    sha256: str
    input: str
    layout: Layout
    size: tuple[int, int]
    value_range: tuple[float, float]
    channels: Channels
    quantized: Mapping[str, Quantization]


def _common(stage: StageMetadata) -> _Common:
    picture, layout, side = _picture(stage)
    return {
        "file": stage.file,
        "sha256": stage.sha256,
        "input": picture.name,
        "layout": layout,
        "size": (side, side),
        "value_range": picture.value_range,
        "channels": picture.channels,
        "quantized": _quantized(stage),
    }


def _picture(stage: StageMetadata) -> tuple[TensorMetadata, Layout, int]:
    """The only input, the order of its axes, and its side."""
    if len(stage.inputs) != 1:
        raise _unfit(stage, f"it has {len(stage.inputs)} inputs")
    (picture,) = stage.inputs.values()
    match picture.shape:
        case (1, 3, height, width) if height == width:
            return picture, "NCHW", height
        case (1, height, width, 3) if height == width:
            return picture, "NHWC", height
    raise _unfit(stage, f"its input is {picture.shape}, which is not a square picture")


def _expect(stage: StageMetadata, name: str, shape: tuple[int, ...]) -> None:
    if name not in stage.outputs:
        raise _unfit(stage, f"it has no output {name!r}")
    if stage.outputs[name].shape != shape:
        raise _unfit(stage, f"its output {name!r} is {stage.outputs[name].shape}, not {shape}")


def _quantized(stage: StageMetadata) -> dict[str, Quantization]:
    found = {}
    for tensor in (*stage.inputs.values(), *stage.outputs.values()):
        if tensor.dtype == _FLOAT:
            continue
        if tensor.dtype not in _INTEGERS or tensor.quantization is None:
            raise _unfit(stage, f"{tensor.name!r} is {tensor.dtype}, without a scale")
        if not 0 < tensor.quantization.scale < math.inf:
            raise _unfit(stage, f"the scale of {tensor.name!r} is {tensor.quantization.scale}")
        found[tensor.name] = tensor.quantization
    return found


def _unfit(stage: StageMetadata, why: str) -> PackError:
    return PackError(f"{stage.file} is not the expected model: {why}", HINT)
