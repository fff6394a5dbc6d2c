"""What a model pack says of its two models: the content of `pack.json`, as dataclasses.

Everything that differs between packs is data here; no code branches on a pack's name.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from annotate.domain.errors import PackError, UsageError

Layout = Literal["NHWC", "NCHW"]
Channels = Literal["RGB", "BGR"]
PACK_FILE = "pack.json"


@dataclass(frozen=True)
class Quantization:
    """How the integers of an input or output stand for reals: (integer - zero_point) * scale.

    Attributes:
        dtype: numpy's name of the integers' type.
        scale: of one step.
        zero_point: the integer that stands for 0.
    """

    dtype: str
    scale: float
    zero_point: int


@dataclass(frozen=True)
class DetectorSpec:
    """Stage 1: letterboxed square picture to boxes with alignment keypoints.

    Attributes:
        file: name of the ONNX file in the pack's folder.
        sha256: lower-case hex digest of that file.
        input: name of the input tensor, (1, size, size, 3) or (1, 3, size, size) float32.
        layout: order of the input's axes.
        value_range: what 0 and 255 become.
        boxes: names of the box outputs, (1, n, 4 + 2k), concatenated along n in this order.
        scores: names of the score outputs, (1, n, 1), likewise; logits.
        size: side of the input in pixels.
        strides: of the anchor layers; equal neighbours merge into one grid with 2 anchors each.
        anchor_offset: of an anchor's centre in its cell.
        box_scale: raw box values are divided by it, giving fractions of the input's side.
        score_clip: logits are clipped to +- this before the sigmoid.
        min_score: detections below it are dropped.
        nms: `weighted` (score-weighted mean of overlapping boxes) or `hard`.
        nms_iou: overlap from which two boxes are one detection.
        roi_centre, roi_tip: alignment keypoints: the ROI's centre, and the point that gives its
            half side and its upward direction.
        roi_scale: the ROI's side is 2 * |tip - centre| * roi_scale.
        channels: order of the input's colours.
        quantized: the inputs and outputs that hold integers instead of float32, by name.
    """

    file: str
    sha256: str
    input: str
    layout: Layout
    value_range: tuple[float, float]
    boxes: tuple[str, ...]
    scores: tuple[str, ...]
    size: int
    strides: tuple[int, ...]
    anchor_offset: float
    box_scale: float
    score_clip: float
    min_score: float
    nms: Literal["weighted", "hard"]
    nms_iou: float
    roi_centre: int
    roi_tip: int
    roi_scale: float
    channels: Channels = "RGB"
    quantized: Mapping[str, Quantization] = field(default_factory=dict)

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the outputs, in the order in which the model is asked for them."""
        return self.boxes + self.scores

    @property
    def anchors(self) -> int:
        """How many anchors the layers have: two for every cell of every one."""
        return sum(2 * (-(-self.size // stride)) ** 2 for stride in self.strides)


@dataclass(frozen=True)
class LandmarkSpec:
    """Stage 2: upright crop of one person to landmarks.

    Attributes:
        file, sha256, input, layout, value_range, size, channels, quantized: as in `DetectorSpec`.
        border: what the crop holds outside the picture.
        landmarks: name of the output (1, m, c) or (1, m * c): x, y, z, then the columns named in
            `columns`.
        columns: what a landmark's values are, in order, of `x y z visibility presence`.
        landmarks_scale: x, y, z are multiplied by it, giving pixels of the crop.
        logits: visibility and presence need a sigmoid.
        count: landmarks of the body, the first ones of the output.
        flag: name of the output of one value, the probability that the crop holds a person.
        min_flag: poses below it are dropped.
        heatmap: name of the output (1, h, w, m) that refines x and y, or None.
        heatmap_window: odd side of the refining window in heatmap cells.
        heatmap_min: the least maximum of a window that refines.
        auxiliary: the two landmarks of the output that give the ROI of a next pass, in place of
            the detector's `roi_centre` and `roi_tip`, or None where the model has none.
        confidence_scale: visibility and presence are multiplied by it, before any sigmoid.
    """

    file: str
    sha256: str
    input: str
    layout: Layout
    value_range: tuple[float, float]
    size: int
    border: Literal["replicate", "zero"]
    landmarks: str
    columns: tuple[str, ...]
    landmarks_scale: float
    logits: bool
    count: int
    flag: str
    min_flag: float
    heatmap: str | None
    heatmap_window: int
    heatmap_min: float
    auxiliary: tuple[int, int] | None = None
    confidence_scale: float = 1.0
    channels: Channels = "RGB"
    quantized: Mapping[str, Quantization] = field(default_factory=dict)

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the outputs, in the order in which the model is asked for them."""
        return (self.landmarks, self.flag, *((self.heatmap,) if self.heatmap else ()))


@dataclass(frozen=True)
class Pack:
    """A model pack: two models and the skeleton that their landmarks belong to."""

    name: str
    skeleton: str
    source: str
    detector: DetectorSpec
    landmark: LandmarkSpec

    @property
    def stages(self) -> Mapping[str, DetectorSpec | LandmarkSpec]:
        """Both models, by their stage: `detector` and `landmark`."""
        return {"detector": self.detector, "landmark": self.landmark}

    @property
    def carries_people(self) -> bool:
        """Whether people can be carried from frame to frame: the landmark model gives an ROI."""
        return self.landmark.auxiliary is not None

    def check_detect_every(self, detect_every: int) -> None:
        """Whether the detector may run on every so many frames only.

        Raises:
            UsageError: it may not.
        """
        if detect_every > 1 and not self.carries_people:
            raise UsageError(
                f"the pack {self.name} cannot carry people from frame to frame",
                "Its landmark model gives no ROI: use --detect-every 1.",
            )

    @property
    def digest(self) -> str:
        """Hex SHA-256 over all that the pack says, the models' digests included."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def to_json(self) -> str:
        """The text of `pack.json`, keys sorted."""
        return json.dumps(asdict(self), indent=2, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Pack":
        """Inverse of `to_json`.

        Raises:
            PackError: the text is no JSON, or lacks a field, or has an unknown one.
        """
        try:
            fields: dict[str, Any] = json.loads(text)
            detector = DetectorSpec(**_read(fields.pop("detector")))
            landmark = LandmarkSpec(**_read(fields.pop("landmark")))
            return cls(detector=detector, landmark=landmark, **fields)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise PackError(
                f"no description of a model pack: {error}",
                "Run `annotate models pull --force` to make the pack anew.",
            ) from error


def read_pack(folder: Path) -> Pack:
    """The pack in `folder`, from its `pack.json`.

    Raises:
        PackError: there is no pack, or its description is damaged.
    """
    try:
        text = (folder / PACK_FILE).read_text(encoding="utf-8")
    except OSError as error:
        raise PackError(
            f"no model pack at {folder}: {error.strerror}",
            "See `annotate models list`; `annotate models pull` fetches the default one.",
        ) from error
    try:
        return Pack.from_json(text)
    except PackError as error:
        raise PackError(f"{folder / PACK_FILE}: {error.message}", error.hint) from error


def _read(fields: dict[str, Any]) -> dict[str, Any]:
    quantized = {name: Quantization(**q) for name, q in fields.pop("quantized", {}).items()}
    read = {key: tuple(v) if isinstance(v, list) else v for key, v in fields.items()}
    return {**read, "quantized": quantized}
