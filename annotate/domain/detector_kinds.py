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


DetectorKind: TypeAlias = Ssd

# By their name in `pack.json`.
DETECTOR_KINDS: Mapping[str, type[DetectorKind]] = MappingProxyType({"ssd": Ssd})
