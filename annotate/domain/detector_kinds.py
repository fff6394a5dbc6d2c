"""Kinds of first-stage models: what a detector's outputs are called, and the constants that turn
them into detections. The decoder of each kind is in `annotate.pipeline.decoders`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias


@dataclass(frozen=True)
class Ssd:
    """Boxes and alignment points relative to anchors, as BlazePose's detector gives them.

    Attributes:
        boxes: names of the box outputs, (1, n, 4 + 2k), concatenated along n in this order.
        scores: names of the score outputs, (1, n, 1), likewise; logits.
        strides: of the anchor layers; equal neighbours share one grid, with 2 anchors each.
        anchor_offset: of an anchor's centre in its cell.
        box_scale: raw box values are divided by it, giving fractions of the input's side.
        score_clip: logits are clipped to +- this before the sigmoid.
        nms: `weighted` (score-weighted mean of overlapping boxes) or `hard`.
        nms_iou: overlap from which two boxes are one detection.
    """

    boxes: tuple[str, ...]
    scores: tuple[str, ...]
    strides: tuple[int, ...]
    anchor_offset: float
    box_scale: float
    score_clip: float
    nms: Literal["weighted", "hard"]
    nms_iou: float
    kind: Literal["ssd"] = "ssd"

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the outputs, in the order in which the decoder takes them."""
        return self.boxes + self.scores

    def anchors(self, side: int) -> int:
        """How many anchors an input of that side has: two for every cell of every layer."""
        return sum(2 * (-(-side // stride)) ** 2 for stride in self.strides)


@dataclass(frozen=True)
class Yolox:
    """Boxes of many classes relative to the cells of grids: YOLOX as its authors export it.

    Attributes:
        output: name of the output (1, n, 5 + classes), a row a cell: centre in cells from the
            cell's corner, logarithm of the size in cells, objectness, probabilities of the classes.
        strides: of the grids in pixels of the input, in the order of the rows.
        person: the class of people.
        nms_iou: overlap from which two boxes are one detection.
    """

    output: str
    strides: tuple[int, ...] = (8, 16, 32)
    person: int = 0
    nms_iou: float = 0.6
    kind: Literal["yolox"] = "yolox"

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the outputs, in the order in which the decoder takes them."""
        return (self.output,)


@dataclass(frozen=True)
class NanoDet:
    """Boxes of many classes whose edges are distributions over distances: NanoDet.

    Attributes:
        maps: names of the outputs (1, classes + 4 * bins, h, w), one a stride: logits of the
            classes, then those of the distances 0, 1, ... bins - 1 strides from the cell's centre
            to the left, upper, right and lower edge.
        strides: of the maps in pixels of the input.
        classes: number of classes.
        person: the class of people.
        nms_iou: overlap from which two boxes are one detection.
    """

    maps: tuple[str, ...]
    strides: tuple[int, ...] = (8, 16, 32)
    classes: int = 80
    person: int = 0
    nms_iou: float = 0.6
    kind: Literal["nanodet"] = "nanodet"

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the outputs, in the order in which the decoder takes them."""
        return self.maps


@dataclass(frozen=True)
class FinalBoxes:
    """Boxes that need no decoding: a detector that was exported with its last steps.

    Attributes:
        boxes: name of the output (1, n, 4) x0, y0, x1, y1 in pixels of the input, or (1, n, 5) with
            the score behind them.
        scores: name of the output (1, n), or None where the boxes have it.
        labels: name of the output (1, n) of classes, or None where all boxes are people's.
        person: the class of people.
        nms_iou: overlap from which two boxes are one detection; 1 where the model has done that.
    """

    boxes: str
    scores: str | None = None
    labels: str | None = None
    person: int = 0
    nms_iou: float = 1.0
    kind: Literal["boxes"] = "boxes"

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the outputs, in the order in which the decoder takes them."""
        return tuple(name for name in (self.boxes, self.scores, self.labels) if name)


DetectorKind: TypeAlias = Ssd | Yolox | NanoDet | FinalBoxes

# By their name in `pack.json`.
DETECTOR_KINDS: Mapping[str, type[DetectorKind]] = MappingProxyType(
    {"ssd": Ssd, "yolox": Yolox, "nanodet": NanoDet, "boxes": FinalBoxes}
)
