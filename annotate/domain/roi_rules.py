"""Where the second stage looks for a person, as data: rules that a pack names.

An ROI has the proportions of the landmark model's input; its side is that of its longer edge.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias


@dataclass(frozen=True)
class RoiFromPoints:
    """A rotated ROI from two points: MediaPipe's AlignmentPointsRectsCalculator.

    Attributes:
        centre, tip: which of the points is the ROI's centre, and which lies straight above it in
            the crop: alignment points of a detection, or landmarks of a pose.
        scale: the side is 2 * |tip - centre| * scale.
    """

    centre: int
    tip: int
    scale: float
    rule: Literal["points"] = "points"


@dataclass(frozen=True)
class RoiFromBox:
    """An upright ROI around the box of a whole person.

    Attributes:
        scale: the ROI is the smallest one that holds the box, times this.
    """

    scale: float
    rule: Literal["box"] = "box"


@dataclass(frozen=True)
class RoiFromKeypoints:
    """An upright ROI around the confident keypoints of a pose, while there are enough of them. A
    pose without that ends the tracking of its person.

    Attributes:
        scale: the ROI is the smallest one that holds these keypoints, times this.
        min_confidence: keypoints with a higher visibility are confident.
        min_count: least number of confident keypoints.
        min_mean: least mean of their visibility.
    """

    scale: float = 1.25
    min_confidence: float = 0.2
    min_count: int = 5
    min_mean: float = 0.25
    rule: Literal["keypoints"] = "keypoints"


DetectionRoi: TypeAlias = RoiFromPoints | RoiFromBox
NextRoi: TypeAlias = RoiFromPoints | RoiFromKeypoints

# By their name in `pack.json`.
DETECTION_ROIS: Mapping[str, type[DetectionRoi]] = MappingProxyType(
    {"points": RoiFromPoints, "box": RoiFromBox}
)
NEXT_ROIS: Mapping[str, type[NextRoi]] = MappingProxyType(
    {"points": RoiFromPoints, "keypoints": RoiFromKeypoints}
)
