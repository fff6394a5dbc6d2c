"""What a pack says of each of its models: input, preprocessing, outputs and ROIs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from annotate.domain.detector_kinds import DetectorKind
from annotate.domain.landmark_kinds import LandmarkKind
from annotate.domain.roi_rules import DetectionRoi, NextRoi, RoiFromBox

Layout = Literal["NHWC", "NCHW"]
Channels = Literal["RGB", "BGR"]
# What a crop holds outside the picture: the picture's nearest pixel, or `ModelSpec.grey`.
Border = Literal["replicate", "constant"]
# Where the picture lies in the detector's input, when it does not fill it.
Padding = Literal["centred", "top-left"]
NO_MEAN, NO_STD = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Quantization:
    """What the integers of an input or output represent: (integer - zero_point) * scale.

    Attributes:
        dtype: numpy's name of the integers' type.
        scale: of one step.
        zero_point: the integer that represents 0.
    """

    dtype: str
    scale: float
    zero_point: int


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """One model and the picture that it takes, whatever it answers.

    A grey value v in 0..255 becomes (low + v * (high - low) / 255 - mean) / std.

    Attributes:
        file: name of the ONNX file in the pack's folder.
        sha256: lower-case hex digest of that file.
        input: name of the input tensor: float32 unless it is `quantized`, a batch of one.
        layout: order of the input's axes.
        size: width and height of the input in pixels.
        value_range: low and high, what 0 and 255 become.
        mean, std: of the red, green and blue values, in the units of `value_range`.
        channels: order of the input's colours.
        border: what the input holds outside the picture.
        grey: its value there in 0..255, where `border` is `constant`.
        quantized: the inputs and outputs that hold integers instead of float32, by name.
        decoder: the kind of the outputs, and their constants.
    """

    file: str
    sha256: str
    input: str
    layout: Layout
    size: tuple[int, int]
    value_range: tuple[float, float]
    mean: tuple[float, float, float] = NO_MEAN
    std: tuple[float, float, float] = NO_STD
    channels: Channels = "RGB"
    border: Border = "constant"
    grey: int = 0
    quantized: Mapping[str, Quantization] = field(default_factory=dict)
    decoder: DetectorKind | LandmarkKind

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the outputs, in the order in which the decoder takes them."""
        return self.decoder.outputs


@dataclass(frozen=True, kw_only=True)
class DetectorSpec(ModelSpec):
    """First stage: a letterboxed picture to detections of people.

    Attributes:
        padding: where the picture lies in the input.
        min_score: detections below it are dropped.
        min_new_score: and below this one, if higher, they begin no tracked person.
        roi: how a detection gives the ROI of the second stage.
    """

    decoder: DetectorKind
    padding: Padding = "centred"
    min_score: float
    min_new_score: float = 0.0
    roi: DetectionRoi

    @property
    def finds_whole_people(self) -> bool:
        """Whether the boxes of its detections are those of whole people, not of faces."""
        return isinstance(self.roi, RoiFromBox)


@dataclass(frozen=True, kw_only=True)
class LandmarkSpec(ModelSpec):
    """Second stage: the crop of one ROI to the landmarks of one person, and a score.

    Attributes:
        count: landmarks of the body, the first ones of the decoder's answer.
        min_score: poses below it are dropped.
        score: what a pose's score is: the model's own, or for a newly detected person that of the
            detection, where that tells more.
        min_start_score: a track starts only where a pose has at least this score times the mean
            visibility of its visible keypoints.
        mask: for a new detection, the crop is black outside its box times this; None for no mask.
        next_roi: how a pose gives the ROI of the same person in the next frame, or None where the
            detector has to run on every frame.
        second_look: a newly detected person is looked at again in the ROI that the first pose
            gives.
    """

    decoder: LandmarkKind
    count: int
    min_score: float
    score: Literal["model", "detection"] = "model"
    min_start_score: float = 0.4
    mask: float | None = None
    next_roi: NextRoi | None = None
    second_look: bool = True

    @property
    def world_axes(self) -> int:
        """Coordinates of a world landmark: 3, or 0 where the model gives none."""
        return 3 if self.decoder.gives_world else 0
