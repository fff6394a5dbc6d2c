"""Where the second stage looks for a person, as data: rules that a pack names.

An ROI is as wide and high as the landmark model's input; its side is that of its longer edge.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias


@dataclass(frozen=True)
class RoiFromPoints:
    """A turned ROI from two points: MediaPipe's AlignmentPointsRectsCalculator.

    Attributes:
        centre, tip: which of the points is the ROI's centre, and which lies straight above it in
            the crop: alignment points of a detection, or landmarks of a pose.
        scale: the side is 2 * |tip - centre| * scale.
    """

    centre: int
    tip: int
    scale: float
    rule: Literal["points"] = "points"


DetectionRoi: TypeAlias = RoiFromPoints
NextRoi: TypeAlias = RoiFromPoints

# By their name in `pack.json`.
DETECTION_ROIS: Mapping[str, type[DetectionRoi]] = MappingProxyType({"points": RoiFromPoints})
NEXT_ROIS: Mapping[str, type[NextRoi]] = MappingProxyType({"points": RoiFromPoints})
